// Bars that lead to the list behind them. Drawn by plotly, which is loaded when the first chart is shown;
// colours come from the design tokens, texts from the catalogs, so theme and language change without a reload.
import { createElement as h, useEffect, useReducer, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const STEPS = [60, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];
const HOUR = 3600;
const MOST_TICKS = 4;
const DAY_ROOM = 37;
const LETTER = 6.6;
const THICKEST = 26;
// A shorter part of the longest bar has no room for its number.
const LEAST_NAMED = 0.045;

let loading = null;
const plotly = () => {
  loading ??= import("plotly.js-basic-dist-min").then((loaded) => loaded.default ?? loaded).catch((failure) => {
    loading = null;
    throw failure;
  });
  return loading;
};

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--tc-${name}`).trim();

// The theme is a class of the root element.
function useThemeChange() {
  const [seen, changed] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => observer.disconnect();
  }, []);
  return seen;
}

const dayOf = (iso) => new Date(`${iso}T12:00:00Z`);

function writing(speak, form, currency) {
  const unit = (name) => new Intl.NumberFormat(speak.tag, { style: "unit", unit: name, unitDisplay: "short" });
  const day = new Intl.DateTimeFormat(speak.tag, { month: "numeric", day: "numeric", timeZone: "UTC" });
  const longDay = new Intl.DateTimeFormat(speak.tag, { month: "long", day: "numeric", weekday: "short", timeZone: "UTC" });
  return {
    name: (row) => (row.day ? day.format(dayOf(row.day)) : speak.label(row.name)),
    longName: (row) => (row.day ? longDay.format(dayOf(row.day)) : speak.label(row.name)),
    value: (value) => (value === null || value === undefined ? "—" : form === "span" ? speak.span(value) : form === "money" ? speak.money(value, currency) : speak.number(value)),
    amount: (minor) => {
      const short = new Intl.NumberFormat(speak.tag, { style: "currency", currency, currencyDisplay: "narrowSymbol", notation: "compact", maximumFractionDigits: 1 });
      return short.format(minor / 10 ** new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits);
    },
    tick: (seconds) => (seconds >= HOUR || seconds === 0 ? unit("hour").format(seconds / HOUR) : unit("minute").format(seconds / 60)),
  };
}

function spanTicks(rows, series, write) {
  const most = Math.max(60, ...rows.flatMap((row) => series.map((one) => row[one.key] ?? 0)));
  const step = STEPS.find((each) => most / each <= MOST_TICKS) ?? 604800;
  const tickvals = [];
  for (let at = 0; at <= most; at += step) tickvals.push(at);
  return { tickvals, ticktext: tickvals.map(write.tick) };
}

// 1, 2 or 5 times a power of ten, so that a few of them reach from the lowest to the highest amount.
function moneyTicks(lowest, highest, write) {
  const rough = Math.max((highest - lowest) / MOST_TICKS, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const tickvals = [];
  for (let at = Math.floor(lowest / step) * step; at < highest + step; at += step) tickvals.push(at);
  return { tickvals, ticktext: tickvals.map(write.amount) };
}

// What bars reach down and up to; bars across are laid end to end, losses to the left.
function reachOf(rows, series, across) {
  const ends = rows.flatMap((row) => {
    const values = series.map((one) => row[one.key] ?? 0);
    const sum = (wanted) => values.filter(wanted).reduce((all, value) => all + value, 0);
    return across ? [sum((value) => value < 0), sum((value) => value > 0)] : values;
  });
  return [Math.min(0, ...ends), Math.max(0, ...ends)];
}

// A forecast is a number with the two between which it should lie.
const valueOf = (row, one, write) => (one.low && row[one.low] !== undefined
  ? `${write.value(row[one.key])} (${write.value(row[one.low])}–${write.value(row[one.high])})`
  : write.value(row[one.key]));

// Horizontal rows are read from above; plotly counts from below.
function figure({ rows, series, kind, form, height, width }, write) {
  const across = kind === "rows";
  const shown = across ? [...rows].reverse() : rows;
  const names = shown.map((row, index) => `${index}`);
  const [lowest, highest] = reachOf(rows, series, across);
  const longest = highest - lowest;
  // An amount is told where its bar has room for it.
  const isNamed = (value) => (form === "span" ? value !== 0
    : form === "money" ? (Math.abs(value) / longest) * width * 0.7 > write.value(value).length * LETTER
      : Math.abs(value) > longest * LEAST_NAMED);
  // As many of the days are named as there is room for, the last one always.
  const room = Math.max(DAY_ROOM, ...shown.map((row) => (write.name(row) ?? "").length * LETTER + 12));
  const every = across ? 1 : Math.ceil((shown.length * (rows[0]?.day ? DAY_ROOM : room)) / width);
  const named = names.filter((name, index) => (shown.length - 1 - index) % every === 0);
  const data = series.map((one) => {
    const values = shown.map((row) => row[one.key] ?? 0);
    const texts = shown.map((row) => (isNamed(row[one.key] ?? 0) ? write.value(row[one.key]) : ""));
    const colour = token(one.tone);
    return {
      type: "bar", name: one.name, orientation: across ? "h" : "v",
      ...(across ? { x: values, y: names } : { x: names, y: values }),
      customdata: shown.map((row) => row.hrefs?.[one.key] ?? ""),
      marker: { color: colour, cornerradius: 3 },
      ...(across ? { width: Math.min(0.72, (THICKEST * shown.length) / height) } : {}),
      ...(across ? { text: texts, textposition: form === "span" ? "outside" : "inside", constraintext: "none", cliponaxis: false, insidetextanchor: "end", textangle: 0, textfont: { color: token(one.tone === "accent" ? "text-on-solid" : "surface"), size: 11 }, outsidetextfont: { color: token("text-2"), size: 11 } } : {}),
      ...(one.low ? { error_y: { type: "data", symmetric: false, array: shown.map((row) => Math.max((row[one.high] ?? 0) - (row[one.key] ?? 0), 0)), arrayminus: shown.map((row) => Math.max((row[one.key] ?? 0) - (row[one.low] ?? 0), 0)), color: token("text-2"), thickness: 1.5, width: 5 } } : {}),
      hoverinfo: "text", hovertext: shown.map((row) => `<b>${write.longName(row)}</b><br>${one.name}: ${valueOf(row, one, write)}${row.note?.[one.key] ? `<br>${row.note[one.key]}` : ""}`),
    };
  });
  const names_axis = {
    type: "category", tickvals: named, ticktext: named.map((name) => write.name(shown[name])), fixedrange: true, automargin: true, showgrid: false, zeroline: false,
    linecolor: token("line"), tickfont: { color: token("text-2") }, ticklen: across ? 6 : 4, tickcolor: "rgba(0,0,0,0)", tickangle: 0,
  };
  const values_axis = {
    rangemode: "tozero", fixedrange: true, automargin: true, gridcolor: token("line"), zeroline: lowest < 0, zerolinecolor: token("line-strong"), nticks: 5, tickformat: ",d",
    tickfont: { color: token("text-3") }, ...(form === "span" ? spanTicks(rows, series, write) : form === "money" ? moneyTicks(lowest, highest, write) : {}),
  };
  const layout = {
    autosize: true, barmode: across ? "relative" : "group", bargap: 0.3, bargroupgap: 0.08, dragmode: false, showlegend: false,
    margin: { l: 8, r: form === "span" ? 64 : across ? 16 : 8, t: 4, b: 4 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: token("text-2") },
    hoverlabel: { bgcolor: token("raised"), bordercolor: token("line-strong"), font: { color: token("text"), size: 12 }, align: "left" },
    ...(form === "span" ? {} : { uniformtext: { mode: "hide", minsize: 10 } }),
    xaxis: across ? values_axis : names_axis, yaxis: across ? names_axis : values_axis,
  };
  return [data, layout];
}

export function BarChart({ rows = [], series = [], kind = "columns", form = "number", currency = "", label, empty, height = 260 }) {
  const speak = useLanguage();
  const theme = useThemeChange();
  const navigate = useNavigate();
  const area = useRef(null);
  const [state, setState] = useState("loading");
  const write = writing(speak, form, currency);
  const isEmpty = rows.every((row) => series.every((one) => !row[one.key] && !row[one.high]));

  useEffect(() => {
    if (isEmpty) return undefined;
    let left = false;
    plotly().then((drawing) => {
      if (left || !area.current) return;
      const target = area.current;
      const isNew = !target.data;
      drawing.react(target, ...figure({ rows, series, kind, form, height, width: target.clientWidth }, write), { displayModeBar: false, responsive: true, scrollZoom: false });
      if (isNew) {
        target.on("plotly_click", ({ points: [point] }) => point.customdata && navigate(point.customdata));
        setState("ready");
      }
    }).catch((failure) => {
      console.error(failure);
      if (!left) setState("failed");
    });
    return () => {
      left = true;
    };
  }, [rows, series, kind, form, currency, height, speak, theme, isEmpty]);

  useEffect(() => {
    const target = area.current;
    return () => {
      if (target?.data) plotly().then((drawing) => drawing.purge(target));
    };
  }, [isEmpty]);

  const cell = (row, one) => {
    const text = valueOf(row, one, write);
    const href = row[one.key] ? row.hrefs?.[one.key] : "";
    return h("td", { key: one.key, "data-align": "end" }, href ? h(Link, { to: href, className: "tc-link" }, text) : text);
  };
  return h("figure", { className: "tc-chart" },
    h("figcaption", { className: "tc-sr" }, label),
    h("ul", { className: "tc-chart-key" }, series.map((one) => h("li", { key: one.key },
      h("i", { style: { background: `var(--tc-${one.tone})` } }), one.name))),
    h("div", { className: "tc-chart-area", style: { height }, "data-state": isEmpty ? "empty" : state },
      isEmpty ? h("p", { className: "tc-muted" }, empty) : h("div", { ref: area, className: "tc-chart-plot", role: "img", "aria-label": label }),
      state === "failed" && !isEmpty && h("p", { className: "tc-muted", role: "alert" }, speak.t("chart.failed"))),
    !isEmpty && h("details", { className: "tc-chart-data" },
      h("summary", null, speak.t("chart.numbers")),
      h("table", { className: "tc-table" },
        h("caption", { className: "tc-sr" }, label),
        h("thead", null, h("tr", null, h("th", { scope: "col" }, h("span", { className: "tc-sr" }, label)),
          series.map((one) => h("th", { key: one.key, scope: "col", "data-align": "end" }, one.name)))),
        h("tbody", null, rows.map((row, index) => h("tr", { key: index }, h("td", null, write.longName(row)), series.map((one) => cell(row, one))))))));
}
