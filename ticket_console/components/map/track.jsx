// The way of a technician on a day: read over HTTP, chosen by date.
import { createElement as h, useEffect, useState } from "react";
import { ChevronLeft, ChevronRight, Route } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const MINUTE = 60000;

const dayAfter = (day, by) => {
  const at = new Date(`${day}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + by);
  return at.toISOString().slice(0, 10);
};

// `track` is null while it is read and for nobody; `failed` is the code of a refusal.
export function useTrack(person, version = 0) {
  const [day, setDay] = useState("");
  const [track, setTrack] = useState(null);
  const [failed, setFailed] = useState("");
  useEffect(() => {
    setTrack(null);
    setFailed("");
    if (!person) return undefined;
    const leaving = new AbortController();
    fetch(`/api/v1/technicians/${person}/track${day ? `?day=${day}` : ""}`, { signal: leaving.signal })
      .then(async (answer) => (answer.ok ? setTrack(await answer.json()) : setFailed((await answer.json()).code ?? "console.unexpected")))
      .catch((failure) => failure.name !== "AbortError" && setFailed("load.failed"));
    return () => leaving.abort();
  }, [person, day, version]);
  return { track, failed, day: day || track?.day || "", setDay };
}

export function TrackPanel({ shown: { track, failed, day, setDay } }) {
  const speak = useLanguage();
  const points = (track?.features ?? []).flatMap((line) => line.properties.times);
  const times = (track?.features ?? []).map((line) => [line.properties.times[0], line.properties.times.at(-1)]);
  return h("section", { className: "mp-track", "aria-label": speak.t("map.track") },
    h("div", { className: "mp-track-day" },
      h(Route, { size: 15, "aria-hidden": true }),
      h("label", null, h("span", { className: "tc-sr" }, speak.t("map.track_day")),
        h("input", { type: "date", className: "tc-input", value: day, onChange: (event) => event.target.value && setDay(event.target.value) })),
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", disabled: !day, "aria-label": speak.t("map.day_before"), title: speak.t("map.day_before"), onClick: () => setDay(dayAfter(day, -1)) }, h(ChevronLeft, { "aria-hidden": true })),
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", disabled: !day, "aria-label": speak.t("map.day_after"), title: speak.t("map.day_after"), onClick: () => setDay(dayAfter(day, 1)) }, h(ChevronRight, { "aria-hidden": true }))),
    h("div", { role: "status", className: "tc-help" },
      failed ? speak.t(failed) : !track ? speak.t("load.busy") : points.length === 0 ? speak.t("map.no_track") : speak.t("map.track_points", { n: points.length })),
    times.length > 0 && h("ol", { className: "mp-parts" }, times.map(([first, last], at) => h("li", { key: at },
      `${speak.when(first, track.tz, "time")} – ${speak.when(last, track.tz, "time")}`,
      h("span", { className: "tc-muted" }, ` ${speak.span((new Date(last) - new Date(first)) / 1000 || MINUTE / 1000)}`)))));
}
