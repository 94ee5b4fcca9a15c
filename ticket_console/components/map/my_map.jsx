// A technician's own map: the jobs in hand and the own way of a day; and the sender, which tells where this device is.
import { createElement as h, useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { LocateFixed, LocateOff } from "lucide-react";
import { Ago, Due, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { boundsOf, nameMap, openMap } from "./canvas.js";
import { addMine, setData, trackFeatures } from "./layers.js";
import { TrackPanel, useTrack } from "./track.jsx";

const DEVICE = "tc_device";
const UNSENT = "tc_positions";
// A position every half a minute is a track; more would only cost the battery.
const EVERY = 30000;
const MOST_KEPT = 1000;
// What the server will never take is not told again.
const HOPELESS = [400, 401, 403, 409, 415, 422];

const kept = (name, fallback) => {
  try {
    return JSON.parse(window.localStorage.getItem(name)) ?? fallback;
  } catch {
    return fallback;
  }
};
function device() {
  let name = window.localStorage.getItem(DEVICE);
  if (!name) {
    name = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    window.localStorage.setItem(DEVICE, name);
  }
  return name;
}

// Tells one by one, oldest first; what the network keeps back stays for the next time.
let sending = false;
async function sendKept(onSent) {
  if (sending) return;
  sending = true;
  try {
    for (let [first] = kept(UNSENT, []); first; [first] = kept(UNSENT, [])) {
      const answer = await fetch("/api/v1/positions", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(first) });
      if (!answer.ok && !HOPELESS.includes(answer.status)) return;
      window.localStorage.setItem(UNSENT, JSON.stringify(kept(UNSENT, []).slice(1)));
      if (answer.ok) onSent(first.taken_at);
      else if (answer.status !== 422) onSent(null);
    }
  } catch {
    // No network: the next position tries again.
  } finally {
    sending = false;
  }
}

export function PositionSender({ consents, isOnDuty }) {
  const speak = useLanguage();
  const [state, setState] = useState("waiting");
  const [sentAt, setSentAt] = useState(null);
  const isTold = consents && isOnDuty;
  useEffect(() => {
    if (!isTold) {
      if (!consents) window.localStorage.removeItem(UNSENT);
      return undefined;
    }
    if (!navigator.geolocation) {
      setState("unable");
      return undefined;
    }
    // What the device remembers from before is not what was agreed to be told.
    const since = Date.now();
    let last = 0;
    const onSent = (at) => {
      setState(at ? "sent" : "refused");
      if (at) setSentAt(at);
    };
    const watch = navigator.geolocation.watchPosition(({ coords, timestamp }) => {
      if (timestamp < since || timestamp - last < EVERY) return;
      last = timestamp;
      const fix = { device: device(), lat: coords.latitude, lon: coords.longitude, accuracy_m: Math.min(coords.accuracy, 20000), taken_at: new Date(timestamp).toISOString() };
      window.localStorage.setItem(UNSENT, JSON.stringify([...kept(UNSENT, []), fix].slice(-MOST_KEPT)));
      sendKept(onSent);
    }, (failure) => setState(failure.code === failure.PERMISSION_DENIED ? "denied" : "waiting"), { enableHighAccuracy: true, maximumAge: 0 });
    const again = () => sendKept(onSent);
    window.addEventListener("online", again);
    again();
    return () => {
      navigator.geolocation.clearWatch(watch);
      window.removeEventListener("online", again);
    };
  }, [isTold, consents]);
  const said = !consents ? "off" : !isOnDuty ? "off_duty" : state;
  return h("p", { className: "mp-sender", role: "status", "data-sending": said },
    h(said === "sent" ? LocateFixed : LocateOff, { size: 15, "aria-hidden": true }), speak.t(`position.sender.${said}`), said === "sent" && sentAt ? h("span", null, " ", h(Ago, { at: sentAt })) : null);
}

export function MyMap({ jobs = [], technicianId = 0 }) {
  const speak = useLanguage();
  const area = useRef(null);
  const opened = useRef(null);
  const [drawn, setDrawn] = useState(0);
  const [noMap, setNoMap] = useState(false);
  const shown = useTrack(technicianId);
  const [isOwn, setOwn] = useState(true);
  const placed = jobs.filter((job) => job.point);
  useEffect(() => {
    let left = false;
    openMap(area.current, {
      speak, label: speak.t("my_map.canvas"),
      draw: (map) => {
        addMine(map);
        setDrawn((count) => count + 1);
      },
    }).then((open) => {
      if (left) {
        open.remove();
        return;
      }
      opened.current = open;
      setOwn(open.isOwn ?? true);
      setDrawn((count) => count + 1);
    }).catch((failure) => {
      console.warn(failure);
      if (!left) setNoMap(true);
    });
    return () => {
      left = true;
      opened.current?.remove();
      opened.current = null;
    };
    // The language of the label alone is no reason to open the map anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  useEffect(() => nameMap(opened.current, { speak, label: speak.t("my_map.canvas") }), [speak, drawn]);
  useEffect(() => {
    const map = opened.current?.map;
    if (!map || !drawn) return;
    setData(map, "jobs", placed.map((job, at) => ({ type: "Feature", id: job.ticket_id, properties: { priority: job.priority, place: String(at + 1) }, geometry: { type: "Point", coordinates: job.point } })));
    setData(map, "track", trackFeatures(shown.track));
    const points = [...placed.map((job) => job.point), ...(shown.track?.features ?? []).flatMap((line) => line.geometry.coordinates)];
    const box = boundsOf(points, { all: true });
    if (box) map.fitBounds(box, { padding: 40, maxZoom: 13, animate: false });
    // `placed` is new at every drawing; the jobs are what it is made of.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [jobs, shown.track, drawn]);
  return h("div", { className: "mp-mine", "data-map": noMap ? "none" : drawn ? "drawn" : "opening", "aria-busy": (!noMap && !drawn) || undefined },
    h("div", { className: "mp-area" }, h("div", { ref: area, className: "mp-canvas" }),
      noMap && h("div", { className: "tc-empty", role: "status" }, h("strong", null, speak.t("map.no_drawing")), h("div", { className: "tc-empty-text" }, speak.t("map.no_drawing.text"))),
      h("p", { className: "mp-source" }, speak.t(isOwn ? "map.source" : "map.source_configured"))),
    h("ol", { className: "mp-list", "aria-label": speak.t("my_map.jobs") }, placed.map((job) => h("li", { key: job.ticket_id }, h(Link, { className: "mp-line", to: `/tickets/${job.ticket_id}` },
      h("span", { className: "mp-line-top" }, h("span", { className: "tc-mono" }, job.no), h("span", { className: "mp-gap" }), job.due_at && h(Due, { at: job.due_at })), h("span", { className: "mp-line-title" }, job.title), h("span", { className: "mp-line-foot" }, job.address)))),
    placed.length === 0 && h("li", { className: "tc-muted mp-none" }, speak.t("my_map.no_jobs"))),
    h(TrackPanel, { shown }));
}
