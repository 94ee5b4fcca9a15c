// How full the hours are: booked and expected work of what people are there for, with the numbers.
import { createElement as h } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const shade = (percent) => {
  if (percent === null) return "over";
  if (percent === 0) return "none";
  if (percent <= 50) return "low";
  if (percent <= 80) return "mid";
  return percent <= 100 ? "high" : "over";
};

export function Heat({ heat, days }) {
  const speak = useLanguage();
  const day = new Intl.DateTimeFormat(speak.tag, { weekday: "short", timeZone: "UTC" });
  const title = (at) => (days > 1 ? `${day.format(new Date(`${at}Z`))} ${at.slice(11, 13)}` : at.slice(11, 13));
  return h("div", { className: "tl-heat", tabIndex: 0, role: "region", "aria-label": speak.t("plan.heat") },
    h("table", null,
      h("caption", { className: "tc-sr" }, speak.t("plan.heat.caption")),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, speak.t("plan.heat.who")), heat.spans.map((at) => h("th", { key: at, scope: "col" }, title(at))))),
      h("tbody", null, heat.rows.map((row, number) => h("tr", { key: number },
        h("th", { scope: "row" }, row.skill ? speak.label(row.skill) : speak.t("plan.heat.all"), " ", h("span", { className: "tc-help" }, speak.t("plan.heat.people", { n: row.people }))),
        row.loads.map(([capacity, booked, expected, percent], place) => h("td", {
          key: place, "data-shade": capacity === 0 && percent === 0 ? "closed" : shade(percent),
          title: speak.t("plan.heat.cell", { booked, expected, capacity }),
        }, capacity === 0 && percent === 0 ? "–" : percent === null ? "!" : `${percent}`,
          h("span", { className: "tc-sr" }, speak.t("plan.heat.cell", { booked, expected, capacity })))))))));
}
