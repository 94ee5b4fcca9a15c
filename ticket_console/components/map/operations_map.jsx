// The dispatcher's map with the list beside it. What stands where is read as GeoJSON by window and then follows the server's feed;
// whatever can be done on the map can be done in the list, which is the way for keyboards and screen readers.
import { createElement as h, memo, useCallback, useDeferredValue, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { Link } from "react-router";
import { ArrowLeft, Crown, House, Layers, MapPin, Navigation, Route, Store, TriangleAlert, UserRound, X } from "lucide-react";
import { Ago, Due, useLanguage, useNow } from "$/public/external/ticket_console/components/text/language.jsx";
import { ReasonDialog, notify } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { boundsOf, nameMap, openMap, reducedMotion } from "./canvas.js";
import { EMERGENCY, addOperations, setData, trackFeatures } from "./layers.js";
import { TrackPanel, useTrack } from "./track.jsx";

const LISTED = 80;
const TOLD = 3;
const LATE_STEP = 30;
const KEPT_VIEW = "tc_map_view";
const LAYERS = ["tickets", "people", "sites", "territories"];
const DRAWN = {
  tickets: ["ticket-group", "ticket-count", "ticket", "ticket-priority", "urgent-ring", "urgent", "urgent-priority"],
  people: ["people", "person-name"], sites: ["sites", "site-name"], territories: ["territory-fill", "territory-line", "territory-name"],
};
const commandId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const EMPTY = { status: "loading", tickets: new Map(), people: new Map(), sites: [], territories: [], total: 0, heard: 0 };
const byId = (features) => new Map(features.map((feature) => [feature.id, feature]));

// What was told may be older than what is known: of a ticket the higher version stands.
function absorb(state, { kind, ...said }) {
  if (kind === "failed") return { ...state, status: state.status === "ready" ? "ready" : "failed" };
  if (kind === "window") {
    return {
      ...state, status: "ready", total: said.total, tickets: byId(said.tickets.features), people: byId(said.people.features),
      sites: said.sites.features, territories: said.territories.features,
    };
  }
  const tickets = new Map(state.tickets);
  for (const feature of said.tickets) {
    if ((tickets.get(feature.id)?.properties.version ?? 0) <= feature.properties.version) tickets.set(feature.id, feature);
  }
  said.gone.forEach((id) => tickets.delete(id));
  const people = said.people.length ? new Map(state.people) : state.people;
  said.people.forEach((feature) => people.set(feature.id, feature));
  return { ...state, tickets, people, total: state.total + tickets.size - state.tickets.size };
}

const keptView = () => {
  try {
    return JSON.parse(window.localStorage.getItem(KEPT_VIEW));
  } catch {
    return null;
  }
};
const asked = (name) => Number(new URLSearchParams(window.location.search).get(name)) || 0;
function writeAddress(values) {
  const address = new URL(window.location.href);
  Object.entries(values).forEach(([name, value]) => (value ? address.searchParams.set(name, value) : address.searchParams.delete(name)));
  window.history.replaceState(window.history.state, "", address);
}

const Bars = ({ level }) => {
  const speak = useLanguage();
  return h("span", { className: "tc-bars", "data-level": level, role: "img", "aria-label": speak.t(`priority.${level}`) }, h("i"), h("i"), h("i"));
};

const TicketLine = memo(function TicketLine({ feature, late, name, onChoose }) {
  const speak = useLanguage();
  const ticket = feature.properties;
  return h("li", null, h("button", { type: "button", className: "mp-line", "data-ticket": ticket.no, "data-late": late || undefined, "data-urgent": ticket.priority === EMERGENCY || undefined, onClick: () => onChoose(feature.id) },
    h("span", { className: "mp-line-top" },
      h(Bars, { level: ticket.priority }), h("span", { className: "tc-mono" }, ticket.no),
      ticket.vip && h(Crown, { size: 13, className: "mp-vip", "aria-label": speak.t("board.flag.vip") }),
      h("span", { className: "mp-gap" }), ticket.due && h(Due, { at: ticket.due })),
    h("span", { className: "mp-line-title" }, ticket.title),
    h("span", { className: "mp-line-foot" }, name ?? speak.t("board.unassigned"))));
});

const PersonLine = memo(function PersonLine({ feature, onShow }) {
  const speak = useLanguage();
  const person = feature.properties;
  return h("li", null, h("button", { type: "button", className: "mp-line", "data-person": feature.id, onClick: () => onShow(feature.id) },
    h("span", { className: "mp-line-top" },
      h("i", { className: "mp-dot", "data-live": person.live, "data-duty": person.is_on_duty, "aria-hidden": true }),
      h("strong", null, person.name), h("span", { className: "mp-gap" }),
      h("span", { className: "tc-mono" }, speak.t("map.load", { open: person.open, capacity: person.capacity }))),
    h("span", { className: "mp-line-foot" }, h(Whereabouts, { person }))));
});

function Whereabouts({ person }) {
  const speak = useLanguage();
  if (!person.is_on_duty) return speak.t("map.off_duty");
  if (!person.live) return speak.t("map.at_base");
  return h("span", null, speak.t("map.seen"), " ", h(Ago, { at: person.taken_at }), person.accuracy_m ? ` · ±${speak.number(person.accuracy_m)} m` : "");
}

const far = (speak, kilometres, minutes) => (kilometres === null || kilometres === undefined ? speak.t("map.way_unknown")
  : speak.t("map.way", { km: speak.number(kilometres), n: minutes }));

function Candidate({ placed, rank, ticket, mayAssign, busy, onGive, onLook }) {
  const speak = useLanguage();
  const { offer } = placed;
  const isHolder = ticket.assignee_id === offer.technician_id;
  return h("li", { className: "mp-candidate", "data-eligible": offer.is_eligible, "data-candidate": offer.technician_id, onMouseEnter: () => onLook(offer.technician_id) },
    h("div", { className: "mp-line-top" },
      rank ? h("span", { className: "mp-rank", "aria-label": speak.t("map.rank", { n: rank }) }, rank) : null,
      h("strong", { className: "tc-clip" }, offer.name),
      placed.is_live ? h(Navigation, { size: 13, className: "mp-live", "aria-label": speak.t("map.live") }) : h(House, { size: 13, className: "tc-muted", "aria-label": speak.t("map.at_base") }),
      h("span", { className: "mp-gap" }),
      isHolder ? h("span", { className: "tc-badge", "data-tone": "ok" }, speak.t("map.has_it"))
        : mayAssign && h("button", {
          type: "button", className: "tc-btn", "data-size": "small", "data-tone": offer.is_eligible && rank === 1 ? "primary" : "plain", disabled: busy, onClick: () => onGive(placed),
          "aria-label": speak.t(offer.is_eligible ? "map.give_to" : "map.give_anyway_to", { who: offer.name }),
        }, speak.t(offer.is_eligible ? "map.give" : "map.give_anyway"))),
    h("div", { className: "mp-line-foot" },
      far(speak, placed.way_km, placed.eta_minutes), " · ", speak.t("map.load", { open: offer.open_count, capacity: offer.capacity }),
      " · ", speak.t("map.points", { n: speak.number(offer.score) })),
    offer.failures.length > 0 && h("ul", { className: "tc-against" }, offer.failures.map((reason, at) => h("li", { key: at }, speak.t(reason.key, reason.params)))));
}

function ChosenTicket({ ticket, verdict, busy, mayAssign, onGive, onBack, onLook, heading }) {
  const speak = useLanguage();
  const eligible = ticket.offers.filter((placed) => placed.offer.is_eligible);
  const others = ticket.offers.filter((placed) => !placed.offer.is_eligible);
  const refused = verdict && !verdict.ok;
  const draw = (placed, rank) => h(Candidate, { key: placed.offer.technician_id, placed, rank, ticket, mayAssign, busy, onGive, onLook });
  return h("div", { className: "mp-chosen", "data-chosen": ticket.no },
    h("div", { className: "mp-head" },
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("map.back"), title: speak.t("map.back"), onClick: onBack }, h(ArrowLeft, { "aria-hidden": true })),
      h("h2", { ref: heading, tabIndex: -1 }, h("span", { className: "tc-mono" }, ticket.no), " ", ticket.title)),
    h("div", { className: "mp-facts" },
      h(Bars, { level: ticket.priority }), speak.t(`priority.${ticket.priority}`), ticket.due_at && h(Due, { at: ticket.due_at }),
      h("p", null, h(MapPin, { size: 14, "aria-hidden": true }), [speak.label(ticket.site), ticket.address].filter(Boolean).join(" · ") || speak.t("ticket.no_address")),
      h("div", { className: "mp-ways" },
        h(Link, { className: "tc-link", to: `/tickets/${ticket.ticket_id}` }, speak.t("map.open_ticket")),
        ticket.lat !== null && h("a", { className: "tc-link", href: `geo:${ticket.lat},${ticket.lon}` }, speak.t("map.navigate")))),
    refused && h("p", { className: "tc-note", "data-tone": "danger", role: "alert" }, h(TriangleAlert, { size: 15, "aria-hidden": true }), speak.t(verdict.code || "console.unexpected", verdict.params)),
    verdict?.ok && h("p", { className: "tc-note", "data-tone": "ok", role: "status" }, speak.t("map.given")),
    h("h3", null, speak.t("map.candidates")),
    ticket.why_not && h("p", { className: "tc-muted" }, speak.t(ticket.why_not, ticket.why_not_params)),
    h("ol", { className: "mp-candidates" }, eligible.map((placed, at) => draw(placed, at + 1))),
    !ticket.why_not && eligible.length === 0 && h("p", { className: "tc-muted" }, speak.t("map.nobody")),
    others.length > 0 && h("details", { open: eligible.length === 0 },
      h("summary", null, speak.t("map.kept_out", { n: others.length })), h("ul", { className: "mp-candidates" }, others.map((placed) => draw(placed, 0)))),
    ticket.unlisted > 0 && h("p", { className: "tc-muted" }, speak.t("map.unlisted", { n: ticket.unlisted })),
    ticket.outlets.length > 0 && h("h3", null, speak.t("map.outlets")),
    h("ol", { className: "mp-outlets" }, ticket.outlets.map((outlet) => h("li", { key: outlet.site_id },
      h(Store, { size: 14, "aria-hidden": true }), h("span", { className: "tc-clip" }, speak.label(outlet.name)), h("span", { className: "mp-gap" }), h("span", { className: "tc-muted" }, far(speak, outlet.way_km, outlet.eta_minutes))))));
}

function Person({ feature, mayTrack, shown, onBack, heading, tickets, onChoose }) {
  const speak = useLanguage();
  const person = feature.properties;
  const held = tickets.filter((each) => each.properties.assignee_id === feature.id);
  return h("div", { className: "mp-chosen" },
    h("div", { className: "mp-head" },
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("map.back"), title: speak.t("map.back"), onClick: onBack }, h(ArrowLeft, { "aria-hidden": true })),
      h("h2", { ref: heading, tabIndex: -1 }, person.name)),
    h("div", { className: "mp-facts" }, h(Whereabouts, { person }), h("span", null, speak.t("map.load", { open: person.open, capacity: person.capacity }))),
    mayTrack && h(TrackPanel, { shown }),
    h("h3", null, speak.t("map.holds", { n: held.length })),
    h("ul", { className: "mp-list" }, held.slice(0, LISTED).map((each) => h(TicketLine, { key: each.id, feature: each, late: each.properties.late, name: person.name, onChoose }))));
}

export function OperationsMap({ feed = {}, chosen = {}, verdict = {}, mayAssign, mayTrack, onChoose, onLetGo, onAssign }) {
  const speak = useLanguage();
  const root = useRef(null);
  const area = useRef(null);
  const opened = useRef(null);
  const heading = useRef(null);
  const [state, take] = useReducer(absorb, EMPTY);
  const [drawn, setDrawn] = useState(0);
  const [noMap, setNoMap] = useState(false);
  const [tab, setTab] = useState("tickets");
  const [hidden, setHidden] = useState([]);
  const [only, setOnly] = useState("");
  const [sought, setSought] = useState("");
  const [view, setView] = useState(null);
  const [ticketId, setTicketId] = useState(() => asked("ticket"));
  const [personId, setPersonId] = useState(() => asked("person"));
  const [looked, setLooked] = useState(0);
  const [asking, setAsking] = useState(null);
  const [command, setCommand] = useState("");
  const [answer, setAnswer] = useState(null);
  const [fly, setFly] = useState(false);
  const window_ = useRef({ box: null, whole: false, turn: 0 });
  const heard = useRef(0);
  const now = useNow(LATE_STEP);
  const shownTrack = useTrack(mayTrack ? personId : 0);
  const needle = useDeferredValue(sought).trim().toLowerCase();
  const [isOwn, setOwn] = useState(true);

  const load = useCallback((box = null) => {
    const turn = ++window_.current.turn;
    const edges = box ?? [-180, -85, 180, 85];
    fetch(`/api/v1/map?bbox=${edges.map((edge) => edge.toFixed(4)).join(",")}`)
      .then((said) => (said.ok ? said.json() : Promise.reject(new Error(said.status))))
      .then((found) => {
        if (turn !== window_.current.turn) return;
        window_.current = { box: edges, whole: !box && found.total <= found.tickets.features.length, turn };
        take({ kind: "window", ...found });
      })
      .catch(() => turn === window_.current.turn && take({ kind: "failed" }));
  }, []);
  useEffect(() => {
    load();
  }, [load]);

  useEffect(() => {
    if (!feed?.seq) return;
    // A number that is not the next one says that something was missed; the first one after a connection is 1.
    const isNext = feed.seq === heard.current + 1 || feed.seq === 1;
    heard.current = feed.seq;
    if (feed.kind === "again" || !isNext) load(window_.current.whole ? null : window_.current.box);
    else take(feed);
  }, [feed, load]);

  const tickets = useMemo(() => [...state.tickets.values()].map((feature) => {
    const { due } = feature.properties;
    const late = Boolean(due) && new Date(due).getTime() < now;
    return late === feature.properties.late ? feature : { ...feature, properties: { ...feature.properties, late } };
  }), [state.tickets, now]);
  const people = useMemo(() => [...state.people.values()], [state.people]);
  const narrowed = useMemo(() => tickets.filter(({ properties }) => (only === "late" ? properties.late : only === "urgent" ? properties.priority === EMERGENCY : only === "unassigned" ? !properties.assignee_id : true)
    && (!needle || `${properties.no} ${properties.title}`.toLowerCase().includes(needle))), [tickets, only, needle]);
  const data = useRef({});
  data.current = {
    tickets: narrowed.filter((feature) => feature.properties.priority !== EMERGENCY), urgent: narrowed.filter((feature) => feature.properties.priority === EMERGENCY), people,
    sites: state.sites.map((site) => ({ ...site, properties: { ...site.properties, label: speak.label(site.properties.name) } })),
    territories: state.territories.map((each) => ({ ...each, properties: { ...each.properties, label: speak.label(each.properties.name) } })),
    chosen: [], ways: [], track: personId ? trackFeatures(shownTrack.track) : [],
  };
  const ticket = chosen?.ticket_id === ticketId ? chosen : null;
  if (ticket?.place) {
    const spot = [ticket.place[1], ticket.place[0]];
    const told = ticket.offers.filter((placed, at) => (placed.offer.is_eligible && at < TOLD) || placed.offer.technician_id === looked);
    data.current.chosen = [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: spot } }];
    data.current.ways = told.flatMap((placed, at) => {
      const properties = { best: looked ? placed.offer.technician_id === looked : at === 0, rank: placed.offer.is_eligible ? String(at + 1) : "×" };
      const end = [placed.lon, placed.lat];
      return [{ type: "Feature", properties, geometry: { type: "LineString", coordinates: [spot, end] } }, { type: "Feature", properties, geometry: { type: "Point", coordinates: end } }];
    });
  }

  const pour = useCallback((names) => names.forEach((name) => setData(opened.current?.map, name, data.current[name])), []);
  const hiddenNow = useRef(hidden);
  hiddenNow.current = hidden;
  const show = useCallback((map) => LAYERS.forEach((layer) => DRAWN[layer].forEach((id) => map.getLayer(id)
    && map.setLayoutProperty(id, "visibility", hiddenNow.current.includes(layer) ? "none" : "visible"))), []);
  useEffect(() => pour(["tickets", "urgent"]), [narrowed, drawn, pour]);
  useEffect(() => pour(["people"]), [people, drawn, pour]);
  useEffect(() => pour(["sites", "territories"]), [state.sites, state.territories, speak, drawn, pour]);
  useEffect(() => pour(["chosen", "ways"]), [ticket, looked, drawn, pour]);
  useEffect(() => pour(["track"]), [shownTrack.track, personId, drawn, pour]);
  useEffect(() => {
    if (opened.current?.map && drawn) show(opened.current.map);
  }, [hidden, drawn, show]);

  const choose = useCallback((id) => {
    setPersonId(0);
    setTicketId(id);
    setAnswer(null);
    setLooked(0);
    setFly(true);
    writeAddress({ ticket: id, person: 0 });
    onChoose(id);
  }, [onChoose]);
  const showPerson = useCallback((id) => {
    setTicketId(0);
    setPersonId(id);
    setFly(true);
    writeAddress({ ticket: 0, person: id });
  }, []);
  const back = useCallback(() => {
    const line = ticketId ? `[data-ticket="${state.tickets.get(ticketId)?.properties.no}"]` : `[data-person="${personId}"]`;
    setTicketId(0);
    setPersonId(0);
    setAnswer(null);
    writeAddress({ ticket: 0, person: 0 });
    onLetGo();
    // Who came by keyboard goes on where they were.
    setTimeout(() => root.current?.querySelector(line)?.focus(), 0);
  }, [ticketId, personId, state.tickets, onLetGo]);
  useEffect(() => {
    if (ticketId && state.status === "ready" && chosen?.ticket_id !== ticketId) onChoose(ticketId);
    // Only what the address asked for at the start.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [state.status]);
  // What was pressed may be gone by then, and with it the focus: reading goes on at the heading.
  useEffect(() => {
    if (ticketId || personId) heading.current?.focus({ preventScroll: true });
  }, [ticketId, personId, Boolean(ticket), answer]);
  useEffect(() => {
    if (!(ticketId || personId) || asking) return undefined;
    const leave = (event) => event.key === "Escape" && !event.defaultPrevented && !event.target.closest?.("[role=dialog], [role=menu]") && back();
    document.addEventListener("keydown", leave);
    return () => document.removeEventListener("keydown", leave);
  }, [ticketId, personId, asking, back]);

  // The map itself.
  const act = useRef({});
  act.current = { choose, showPerson };
  useEffect(() => {
    let left = false;
    const view = keptView();
    openMap(area.current, {
      speak, label: speak.t("map.canvas"), ...(view ? { center: view.center, zoom: view.zoom } : {}),
      draw: (map) => {
        addOperations(map);
        setDrawn((count) => count + 1);
      },
    }).then((open) => {
      if (left) {
        open.remove();
        return;
      }
      opened.current = open;
      setOwn(open.isOwn ?? true);
      const { map } = open;
      if (!map) return;
      const moved = () => {
        const box = map.getBounds();
        setView([box.getWest(), box.getSouth(), box.getEast(), box.getNorth()]);
        window.localStorage.setItem(KEPT_VIEW, JSON.stringify({ center: map.getCenter().toArray(), zoom: map.getZoom() }));
      };
      map.on("moveend", (event) => (event.originalEvent || event.ours || keptView()) && moved());
      for (const layer of ["ticket", "urgent"]) map.on("click", layer, (event) => act.current.choose(event.features[0].id));
      map.on("click", "people", (event) => act.current.showPerson(event.features[0].id));
      map.on("click", "ticket-group", (event) => {
        const [group] = event.features;
        map.getSource("tickets").getClusterExpansionZoom(group.properties.cluster_id).then((zoom) => map.easeTo({ center: group.geometry.coordinates, zoom: zoom + 0.3, animate: !reducedMotion() }));
      });
      for (const layer of ["ticket", "urgent", "people", "ticket-group"]) {
        map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
        map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
      }
      setDrawn((count) => count + 1);
      if (view) moved();
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
  useEffect(() => nameMap(opened.current, { speak, label: speak.t("map.canvas") }), [speak, drawn]);

  // At first the map shows where the work is.
  const placed = useRef(false);
  useEffect(() => {
    const map = opened.current?.map;
    if (placed.current || !map || state.status !== "ready" || !drawn) return;
    placed.current = true;
    if (keptView()) return;
    const box = boundsOf([...tickets, ...state.sites].map((feature) => feature.geometry.coordinates));
    if (box) map.fitBounds(box, { padding: 48, maxZoom: 11, animate: false }, { ours: true });
  }, [state.status, drawn, tickets, state.sites]);

  // What the address or the list names is brought into sight.
  useEffect(() => {
    const map = opened.current?.map;
    if (!fly || !map) return;
    const person = personId ? state.people.get(personId) : null;
    if (person) map.easeTo({ center: person.geometry.coordinates, zoom: Math.max(map.getZoom(), 10), animate: !reducedMotion() }, { ours: true });
    else if (ticket?.place) {
      const around = [[ticket.place[1], ticket.place[0]], ...ticket.offers.filter((each) => each.offer.is_eligible).slice(0, TOLD).map((each) => [each.lon, each.lat])];
      map.fitBounds(boundsOf(around, { all: true }), { padding: 70, maxZoom: 13, animate: !reducedMotion() }, { ours: true });
    } else return;
    setFly(false);
  }, [fly, ticket, personId, state.people]);

  // A window that holds more than is shown is read again where one looks.
  useEffect(() => {
    const { whole, box } = window_.current;
    if (!view || whole || !box || state.status !== "ready") return undefined;
    const [west, south, east, north] = view;
    const timer = setTimeout(() => {
      const [wide, high] = [(east - west) * 0.3, (north - south) * 0.3];
      const next = [Math.max(-180, west - wide), Math.max(-85, south - high), Math.min(180, east + wide), Math.min(85, north + high)];
      const isWithin = west >= box[0] && south >= box[1] && east <= box[2] && north <= box[3] && state.total <= state.tickets.size;
      if (!isWithin) load(next);
    }, 250);
    return () => clearTimeout(timer);
    // Only a move is a reason to read; what is read is none.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [view]);

  const give = useCallback((placed_, reason = "", override = false) => {
    const id = commandId();
    setCommand(id);
    setAnswer(null);
    onAssign(id, ticket.ticket_id, ticket.version, placed_.offer.technician_id, reason, override);
  }, [ticket, onAssign]);
  const onGive = useCallback((placed_) => (placed_.offer.is_eligible ? give(placed_) : setAsking(placed_)), [give]);
  useEffect(() => {
    if (!command || verdict?.command_id !== command) return;
    setCommand("");
    setAnswer(verdict);
    if (verdict.ok) notify({ tone: "success", key: "map.given" });
  }, [verdict, command]);

  const inView = useCallback(([lon, lat]) => !view || (lon >= view[0] && lon <= view[2] && lat >= view[1] && lat <= view[3]), [view]);
  const near = useMemo(() => narrowed.filter((feature) => inView(feature.geometry.coordinates)).sort((a, b) => a.properties.priority - b.properties.priority
    || Number(b.properties.late) - Number(a.properties.late) || String(a.properties.due ?? "~").localeCompare(String(b.properties.due ?? "~"))), [narrowed, inView]);
  const nearPeople = useMemo(() => people.filter((feature) => inView(feature.geometry.coordinates) && (!needle || feature.properties.name.toLowerCase().includes(needle))), [people, inView, needle]);
  const nearSites = useMemo(() => state.sites.filter((feature) => inView(feature.geometry.coordinates) && (!needle || speak.label(feature.properties.name).toLowerCase().includes(needle))), [state.sites, inView, needle, speak]);
  const lists = { tickets: near, people: nearPeople, sites: nearSites };
  const nameOf = (id) => (id ? state.people.get(id)?.properties.name ?? speak.t("map.somebody") : null);
  const person = personId ? state.people.get(personId) : null;
  const more = lists[tab].length - LISTED;

  return h("div", {
    ref: root, className: "mp", "data-status": state.status, "data-map": noMap ? "none" : drawn ? "drawn" : "opening", "data-tickets": state.tickets.size, "data-moved": feed?.seq ?? 0,
    "aria-busy": state.status === "loading" || (!noMap && !drawn) || undefined,
  },
    h("div", { className: "mp-area" },
      h("div", { ref: area, className: "mp-canvas" }),
      noMap && h("div", { className: "tc-empty", role: "status" }, h("strong", null, speak.t("map.no_drawing")), h("div", { className: "tc-empty-text" }, speak.t("map.no_drawing.text"))),
      h("div", { className: "mp-tools", role: "group", "aria-label": speak.t("map.layers") },
        h(Layers, { size: 15, "aria-hidden": true }),
        LAYERS.map((layer) => h("button", {
          key: layer, type: "button", className: "mp-toggle", "aria-pressed": !hidden.includes(layer),
          onClick: () => setHidden((before) => (before.includes(layer) ? before.filter((each) => each !== layer) : [...before, layer])),
        }, speak.t(`map.layer.${layer}`)))),
      h("p", { className: "mp-source" }, speak.t(isOwn ? "map.source" : "map.source_configured"))),
    h("aside", { className: "mp-side", "aria-label": speak.t("map.list") },
      ticketId ? (ticket ? h(ChosenTicket, { ticket, verdict: answer, busy: Boolean(command), mayAssign, onGive, onBack: back, onLook: setLooked, heading }) : h("div", { className: "mp-wait", role: "status" }, h("span", { className: "tc-spin" }), speak.t("load.busy"),
        h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: back }, h(X, { "aria-hidden": true }), speak.t("map.back"))))
        : person ? h(Person, { feature: person, mayTrack, shown: shownTrack, onBack: back, heading, tickets, onChoose: choose })
          : h("div", { className: "mp-lists" },
            h("div", { className: "mp-find" },
              h("input", { type: "search", className: "tc-input", "data-search": true, value: sought, maxLength: 80, placeholder: speak.t("map.search"), "aria-label": speak.t("map.search"), onChange: (event) => setSought(event.target.value) }),
              h("div", { className: "mp-only", role: "group", "aria-label": speak.t("map.only") }, ["late", "urgent", "unassigned"].map((each) => h("button", {
                key: each, type: "button", className: "mp-toggle", "aria-pressed": only === each, onClick: () => setOnly((before) => (before === each ? "" : each)),
              }, speak.t(`map.only.${each}`))))),
            h("div", { className: "mp-tabs", role: "group", "aria-label": speak.t("map.which") }, Object.entries(lists).map(([key, rows]) => h("button", {
              key, type: "button", "aria-pressed": tab === key, onClick: () => setTab(key), "data-tab": key,
            }, speak.t(`map.layer.${key}`), h("span", { className: "mp-count" }, speak.number(rows.length))))),
            state.status === "failed" ? h("div", { className: "tc-empty", role: "alert" }, h("strong", null, speak.t("load.failed")), h("button", { type: "button", className: "tc-btn", onClick: () => load() }, speak.t("load.retry")))
              : state.status === "loading" ? h("div", { className: "mp-wait" }, [1, 2, 3].map((each) => h("div", { key: each, className: "tc-bone", style: { "--height": "56px" } })))
                : h("ul", { className: "mp-list", "aria-label": speak.t(`map.layer.${tab}`) },
                  lists[tab].slice(0, LISTED).map((feature) => (tab === "tickets" ? h(TicketLine, { key: feature.id, feature, late: feature.properties.late, name: nameOf(feature.properties.assignee_id), onChoose: choose })
                    : tab === "people" ? h(PersonLine, { key: feature.id, feature, onShow: showPerson })
                      : h("li", { key: feature.id }, h(Link, { className: "mp-line", to: `/tickets?site=${feature.id}&metric=open` },
                        h("span", { className: "mp-line-top" }, h(Store, { size: 14, "aria-hidden": true }), h("strong", null, speak.label(feature.properties.name)), h("span", { className: "mp-gap" }), h("span", { className: "tc-mono" }, feature.properties.code)),
                        h("span", { className: "mp-line-foot" }, feature.properties.address))))),
                  lists[tab].length === 0 && h("li", { className: "tc-muted mp-none" }, speak.t("map.nothing_here")),
                  more > 0 && h("li", { className: "tc-muted mp-none" }, speak.t("map.more", { n: more })))),
      state.total > state.tickets.size && h("p", { className: "tc-note", "data-tone": "warn", role: "status" }, speak.t("map.clipped", { shown: speak.number(state.tickets.size), total: speak.number(state.total) }))),
    h(ReasonDialog, {
      open: Boolean(asking), title: asking ? speak.t("map.why_anyway", { who: asking.offer.name }) : "", text: asking ? asking.offer.failures.map((reason) => speak.t(reason.key, reason.params)).join("；") : "",
      confirmLabel: speak.t("map.give_anyway"),
      onConfirm: (reason) => {
        give(asking, reason, true);
        setAsking(null);
      },
      onCancel: () => setAsking(null),
    }));
}
