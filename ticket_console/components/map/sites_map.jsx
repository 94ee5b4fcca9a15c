// Every site of ours: a table that sorts and narrows at once, and the same sites on a map. Figures lead to the tickets behind them.
import { createElement as h, memo, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import { ArrowDown, ArrowUp } from "lucide-react";
import { Ago, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { boundsOf, nameMap, openMap, reducedMotion } from "./canvas.js";
import { addSites, setData } from "./layers.js";

const AGAIN = 60000;
const FIGURES = ["open", "overdue", "unassigned", "recent", "response_seconds"];
const COLUMNS = ["code", "name", "region", ...FIGURES];
const METRICS = { open: "open", overdue: "overdue", unassigned: "unassigned" };
const KINDS = ["all", "late", "quiet", "ours", "customers"];
const fits = { all: () => true, late: (site) => site.overdue > 0, quiet: (site) => site.open === 0, ours: (site) => site.kind !== "customer_site", customers: (site) => site.kind === "customer_site" };

const start = () => {
  const asked = new URLSearchParams(window.location.search);
  const sort = asked.get("sort") ?? "-overdue";
  const by = sort.replace(/^-/, "");
  return {
    by: COLUMNS.includes(by) ? by : "overdue", descending: sort.startsWith("-"), region: Number(asked.get("region")) || 0,
    kind: KINDS.includes(asked.get("kind")) ? asked.get("kind") : "all", sought: asked.get("q") ?? "",
  };
};

function keep({ by, descending, region, kind, sought }) {
  const address = new URL(window.location.href);
  const values = { sort: `${descending ? "-" : ""}${by}`, region: region || "", kind: kind === "all" ? "" : kind, q: sought.trim() };
  Object.entries(values).forEach(([name, value]) => (value ? address.searchParams.set(name, value) : address.searchParams.delete(name)));
  window.history.replaceState(window.history.state, "", address);
}

const Line = memo(function Line({ site, isLooked, onLook }) {
  const speak = useLanguage();
  const figure = (name) => (METRICS[name] && site[name] ? h(Link, { className: "tc-link", to: `/tickets?site=${site.id}&metric=${METRICS[name]}` }, speak.number(site[name])) : speak.number(site[name]));
  return h("tr", { "data-site": site.code, "data-looked": isLooked || undefined, onMouseEnter: () => onLook(site.id) },
    h("td", { className: "tc-mono" }, site.code),
    h("th", { scope: "row" }, h("button", { type: "button", className: "mp-name", onClick: () => onLook(site.id, true), title: site.address }, speak.label(site.name))),
    h("td", null, speak.label(site.region)),
    h("td", { "data-align": "end" }, figure("open")),
    h("td", { "data-align": "end", "data-tone": site.overdue ? "danger" : undefined }, figure("overdue")),
    h("td", { "data-align": "end" }, figure("unassigned")),
    h("td", { "data-align": "end" }, speak.number(site.recent)),
    h("td", { "data-align": "end" }, site.response_seconds === null ? "—" : speak.span(site.response_seconds)));
});

export function SitesMap() {
  const speak = useLanguage();
  const area = useRef(null);
  const opened = useRef(null);
  const [status, setStatus] = useState("loading");
  const [found, setFound] = useState({ sites: [], at: "", elsewhere: 0 });
  const [asked, setAsked] = useState(start);
  const [drawn, setDrawn] = useState(0);
  const [noMap, setNoMap] = useState(false);
  const [looked, setLooked] = useState(0);
  const needle = useDeferredValue(asked.sought).trim().toLowerCase();
  const [isOwn, setOwn] = useState(true);
  const change = (values) => setAsked((before) => ({ ...before, ...values }));

  const load = useCallback(() => fetch("/api/v1/sites").then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status)))).then((said) => {
    setFound(said);
    setStatus("ready");
  }).catch(() => setStatus((before) => (before === "ready" ? before : "failed"))), []);
  useEffect(() => {
    load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), AGAIN);
    return () => clearInterval(timer);
  }, [load]);
  useEffect(() => keep(asked), [asked]);

  const regions = useMemo(() => [...new Map(found.sites.map((site) => [site.region_id, site.region]))], [found]);
  const rows = useMemo(() => {
    const shown = found.sites.filter((site) => (!asked.region || site.region_id === asked.region)
      && fits[asked.kind](site)
      && (!needle || `${site.code} ${speak.label(site.name)} ${site.address}`.toLowerCase().includes(needle)));
    const value = (site) => (asked.by === "name" || asked.by === "region" ? speak.label(site[asked.by]) : site[asked.by]);
    const sign = asked.descending ? -1 : 1;
    return shown.sort((a, b) => {
      const [first, second] = [value(a), value(b)];
      // Who has no figure comes last either way.
      if (first === null || second === null) return (first === null) - (second === null);
      return sign * (typeof first === "string" ? first.localeCompare(second, speak.tag) : first - second) || a.code.localeCompare(b.code);
    });
  }, [found, asked.region, asked.kind, asked.by, asked.descending, needle, speak]);
  const features = useMemo(() => rows.map((site) => ({
    type: "Feature", id: site.id, properties: { open: site.open, overdue: site.overdue, label: speak.label(site.name) }, geometry: { type: "Point", coordinates: [site.lon, site.lat] },
  })), [rows, speak]);

  const table = useRef(null);
  useEffect(() => {
    let left = false;
    openMap(area.current, {
      speak, label: speak.t("sites.canvas"),
      draw: (map) => {
        addSites(map);
        setDrawn((count) => count + 1);
      },
    }).then((open) => {
      if (left) {
        open.remove();
        return;
      }
      opened.current = open;
      setOwn(open.isOwn ?? true);
      open.map?.on("click", "sites", (event) => {
        setLooked(event.features[0].id);
        setTimeout(() => table.current?.querySelector("[data-looked]")?.scrollIntoView({ block: "center" }), 0);
      });
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
  useEffect(() => nameMap(opened.current, { speak, label: speak.t("sites.canvas") }), [speak, drawn]);
  useEffect(() => {
    setData(opened.current?.map, "sites", features);
  }, [features, drawn]);
  const placed = useRef("");
  useEffect(() => {
    const map = opened.current?.map;
    const where = `${asked.region}`;
    if (!map || !drawn || !features.length || placed.current === where) return;
    placed.current = where;
    map.fitBounds(boundsOf(features.map((feature) => feature.geometry.coordinates)), { padding: 44, maxZoom: 10, animate: false });
  }, [features, drawn, asked.region]);

  const look = useCallback((id, goThere) => {
    setLooked(id);
    const site = goThere && found.sites.find((each) => each.id === id);
    if (site) opened.current?.map?.easeTo({ center: [site.lon, site.lat], zoom: 10, animate: !reducedMotion() });
  }, [found]);
  const sum = (name) => rows.reduce((total, site) => total + site[name], 0);
  const heading = (name) => {
    const label = speak.t(`sites.column.${name}`);
    const isBy = asked.by === name;
    return h("th", { key: name, scope: "col", "data-align": FIGURES.includes(name) ? "end" : undefined, "aria-sort": isBy ? (asked.descending ? "descending" : "ascending") : undefined },
      h("button", { type: "button", className: "ta-sort", "aria-pressed": isBy, onClick: () => change({ by: name, descending: isBy ? !asked.descending : FIGURES.includes(name) }) },
        label, isBy ? h(asked.descending ? ArrowDown : ArrowUp, { "aria-hidden": true }) : h("span", { className: "ta-sort-room" })));
  };
  return h("div", { className: "mp mp-sites", "data-status": status, "data-map": noMap ? "none" : drawn ? "drawn" : "opening", "data-sites": rows.length, "aria-busy": status === "loading" || (!noMap && !drawn) || undefined },
    h("div", { className: "mp-area" }, h("div", { ref: area, className: "mp-canvas" }),
      noMap && h("div", { className: "tc-empty", role: "status" }, h("strong", null, speak.t("map.no_drawing")), h("div", { className: "tc-empty-text" }, speak.t("sites.no_drawing.text"))),
      h("p", { className: "mp-source" }, speak.t(isOwn ? "map.source" : "map.source_configured"))),
    h("section", { className: "mp-side", "aria-label": speak.t("sites.title") },
      h("div", { className: "mp-find" },
        h("input", { type: "search", className: "tc-input", "data-search": true, value: asked.sought, maxLength: 80, placeholder: speak.t("sites.search"), "aria-label": speak.t("sites.search"), onChange: (event) => change({ sought: event.target.value }) }),
        h("select", { className: "tc-select", "aria-label": speak.t("sites.region"), value: asked.region, onChange: (event) => change({ region: Number(event.target.value) }) },
          h("option", { value: 0 }, speak.t("sites.every_region")), regions.map(([id, name]) => h("option", { key: id, value: id }, speak.label(name)))),
        h("select", { className: "tc-select", "aria-label": speak.t("sites.which"), value: asked.kind, onChange: (event) => change({ kind: event.target.value }) },
          KINDS.map((kind) => h("option", { key: kind, value: kind }, speak.t(`sites.kind.${kind}`))))),
      h("p", { className: "mp-sums", role: "status" }, status === "ready" ? [speak.t("sites.sums", { n: rows.length, open: speak.number(sum("open")), overdue: speak.number(sum("overdue")) }), " · ", h(Ago, { key: "at", at: found.at })] : speak.t("load.busy")),
      status === "failed" ? h("div", { className: "tc-empty", role: "alert" }, h("strong", null, speak.t("load.failed")), h("button", { type: "button", className: "tc-btn", onClick: load }, speak.t("load.retry")))
        : status === "loading" ? h("div", { className: "mp-wait" }, [1, 2, 3, 4].map((each) => h("div", { key: each, className: "tc-bone", style: { "--height": "32px" } })))
          : h("div", { className: "mp-table", tabIndex: 0, role: "region", "aria-label": speak.t("sites.title") }, h("table", { ref: table, className: "tc-table" },
            h("caption", { className: "tc-sr" }, speak.t("sites.title")),
            h("thead", null, h("tr", null, COLUMNS.map(heading))),
            h("tbody", null, rows.map((site) => h(Line, { key: site.id, site, isLooked: looked === site.id, onLook: look }))))),
      status === "ready" && rows.length === 0 && h("p", { className: "tc-muted mp-none" }, speak.t("sites.nothing")),
      found.elsewhere > 0 && h("p", { className: "tc-muted mp-none" }, speak.t("sites.elsewhere", { n: found.elsewhere }))));
}
