// The board: lanes of cards that follow the server's feed, and that the user moves by mouse, touch or keyboard.
// While a card is held every lane and every person says what a drop there would do; the command decides by the same words.
import { createElement as h, useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { toast } from "sonner";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { ReasonDialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { EMPTY, absorb, compare, isUnread, lanesOf, place, placeBetween, unsettled } from "./feed.js";
import { drawLine, followPointer, markOver } from "./drag.js";
import { useFlights } from "./board_flights.js";
import { Avatar } from "./board_card.jsx";
import { BoardFilters } from "./board_filters.jsx";
import { Cell, Lane, LaneHead, OnBoard, cellHeight, truthMarks } from "./board_lane.jsx";
import { PeopleRail, Verdict, isOpen, ranked, wordsOf } from "./board_truth.jsx";
import { SidePanel } from "./board_panel.jsx";
import { BulkBar, LimitDialog, MoveSheet, Outcomes } from "./board_dialogs.jsx";

const FOLDED = "tc_board_folded";
const DENSE = "tc_board_dense";
const PEEKS = "tc_board_peeks";
const RAIL = "tc_board_rail";
const PHONE = "(max-width: 719px)";
const PATIENCE = 1000;
const TOO_LONG = 15000;
const HOLD_AGAIN = 20000;
const INTENT = 650;
const LEAVING = 320;
const SETTLE = 150;
const BEAT = 5000;
const ASLEEP = 20000;
const TRIES = 30;
const MAX_FACES = 5;
const UNDO_TOAST = "board-undo";

// Not every address of the console is a secure context, and crypto.randomUUID exists in those only.
const commandId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const kept = (key, fallback) => {
  try {
    return JSON.parse(window.localStorage.getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
};

function useKept(key, fallback) {
  const [value, setValue] = useState(() => kept(key, fallback));
  const set = useCallback((next) => setValue((before) => {
    const then = typeof next === "function" ? next(before) : next;
    window.localStorage.setItem(key, JSON.stringify(then));
    return then;
  }), [key]);
  return [value, set];
}

function useMedia(query) {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const media = window.matchMedia(query);
    const look = () => setMatches(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, [query]);
  return matches;
}

// The newest of a function without being drawn anew for it.
function useLatest(value) {
  const ref = useRef(value);
  ref.current = value;
  return ref;
}

function Waiting() {
  const speak = useLanguage();
  return h("div", { className: "tb-lanes", "aria-busy": true },
    h("span", { className: "tc-sr", role: "status" }, speak.t("load.busy")),
    h("div", { className: "tb-track" }, [4, 3, 5, 2, 3].map((count, at) => h("section", { key: at, className: "tb-lane" },
      h("header", { className: "tb-lane-head" }, h("div", { className: "tc-bone", style: { "--width": "90px" } })),
      h("div", { className: "tb-cards" }, Array.from({ length: count }, (_, each) => h("div", { key: each, className: "tb-slot" },
        h("div", { className: "tc-bone", style: { "--height": "112px" } }))))))));
}

function Failed() {
  const speak = useLanguage();
  return h("div", { className: "tc-empty", role: "alert" },
    h("strong", null, speak.t("load.failed")), h("div", { className: "tc-empty-text" }, speak.t("load.failed.text")),
    h("button", { type: "button", className: "tc-btn", onClick: () => window.location.reload() }, speak.t("load.retry")));
}

function Faces({ people }) {
  const speak = useLanguage();
  if (!people.length) return null;
  const names = people.map((person) => speak.label(person.name)).join(", ");
  return h("span", { className: "tb-faces", role: "img", "aria-label": speak.t("board.here", { names }), title: speak.t("board.here", { names }) },
    people.slice(0, MAX_FACES).map((person) => h("span", { key: person.key, className: "tb-face", "data-holding": person.holding !== null || undefined },
      h(Avatar, { id: person.key.replace(/\D/g, ""), name: speak.label(person.name) }))),
    people.length > MAX_FACES && h("span", { className: "tb-face-more", "aria-hidden": true }, `+${people.length - MAX_FACES}`));
}

// On a phone one lane is shown, and this leads to the others.
function Switcher({ lanes, lane, onLane }) {
  const speak = useLanguage();
  const box = useRef(null);
  useEffect(() => {
    box.current?.querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [lane]);
  return h("div", { ref: box, className: "tb-switch", role: "group", "aria-label": speak.t("board.lanes") }, lanes.map((each) => h("button", {
    key: each.key, type: "button", className: "tb-switch-lane", "data-category": each.category, "aria-pressed": each.key === lane, onClick: () => onLane(each.key),
  }, h("i", { className: "tb-dot", "aria-hidden": true }), speak.label(each.name), h("span", { className: "tb-count" }, speak.number(each.count)))));
}

function Rows({ rows, lanes, by, dense, folded, closed, verdicts, heldRow, home, loading, mayLimit, onFold, onFoldRow, onMore, onLimit, onList }) {
  const speak = useLanguage();
  return h("div", { className: "tb-rows" },
    h("div", { className: "tb-heads" }, lanes.map((lane) => h("div", { key: lane.key, className: "tb-head", "data-folded": Boolean(folded[lane.key]), "data-category": lane.category, "data-truth": verdicts.get(lane.key)?.tone },
      h(LaneHead, { lane, by, folded: Boolean(folded[lane.key]), onFold, mayLimit, onLimit }),
      verdicts.has(lane.key) && !folded[lane.key] && !(home === lane.key && verdicts.get(lane.key).tone === "green") && h("div", { className: "tb-why" }, h(Verdict, { verdict: verdicts.get(lane.key), clip: true }))))),
    rows.map((row, at) => {
      const cells = lanes.map((lane) => lane.cells[at]);
      const count = cells.reduce((sum, cell) => sum + cell.count, 0);
      const name = speak.label(row.name);
      const height = cellHeight(Math.max(...cells.map((cell) => cell.count), 1), dense);
      // Rows that hold nothing lie closed until somebody opens them.
      const isClosed = closed[row.key] ?? count === 0;
      return h("section", { key: row.key, className: "tb-row", "aria-label": name },
        h("button", { type: "button", className: "tb-row-head", "aria-expanded": !isClosed, onClick: () => onFoldRow(row.key, !isClosed) },
          h("span", { className: "tb-row-arrow", "aria-hidden": true }, isClosed ? "▸" : "▾"), name, h("span", { className: "tb-count" }, speak.number(count))),
        !isClosed && h("div", { className: "tb-row-cells" }, lanes.map((lane, each) => h("div", {
          key: lane.key, className: "tb-cell", "data-lane": lane.key, "data-row": row.key, "data-folded": Boolean(folded[lane.key]),
          ...(heldRow === null || heldRow === row.key ? truthMarks(verdicts.get(lane.key), home === lane.key) : { "data-elsewhere": true }),
        }, !folded[lane.key] && h(Cell, { cell: cells[each], label: `${speak.label(lane.name)} · ${name}`, height, loading: loading.has(cells[each].key), onMore, onList })))));
    }));
}

export function LiveBoard({
  feed, verdict, truth: told, presence, seen, me, choices, peek, outcomes, views, saved, permissions = [], mayBeMine = false,
  onDrop, onMore, onRefresh, onHold, onLetGo, onPeek, onUnpeek, onAllSeen, onBulk, onUndo, onSaveView, onDeleteView, onSetLimit,
}) {
  const speak = useLanguage();
  const navigate = useNavigate();
  const [asked, setAsked] = useSearchParams();
  const isPhone = useMedia(PHONE);
  const root = useRef(null);
  const line = useRef(null);
  const [state, take] = useReducer(absorb, EMPTY);
  const [moved, setMoved] = useState(new Map());
  const [held, setHeld] = useState(null);
  const [over, setOver] = useState(null);
  const [asking, setAsking] = useState(null);
  const [menu, setMenu] = useState(null);
  const [limiting, setLimiting] = useState(null);
  const [loading, setLoading] = useState(new Set());
  const [focus, setFocus] = useState(null);
  const [chosen, setChosen] = useState(new Set());
  const [shown, setShown] = useState(null);
  const [running, setRunning] = useState(null);
  const [results, setResults] = useState(null);
  const [read, setRead] = useState(new Map());
  const [said, setSaid] = useState("");
  const [railOpen, setRailOpen] = useState(false);
  const [phoneLane, setPhoneLane] = useState(null);
  const [folded, setFolded] = useKept(FOLDED, { done: true, cancelled: true });
  const [closedRows, setClosedRows] = useState({});
  const [keptDense, setDense] = useKept(DENSE, false);
  const [peeks, setPeeks] = useKept(PEEKS, true);
  const [railPinned, setRailPinned] = useKept(RAIL, false);
  const commands = useRef(new Map());
  const mine = useRef([]);
  const lists = useRef(new Map());
  const latest = useLatest(state);

  const can = (permission) => permissions.includes(permission);
  const mayMove = can("ticket.act");
  const mayOrder = can("board.order");
  const dense = asked.has("density") ? asked.get("density") === "compact" : keptDense;
  const densely = (next) => {
    setDense(next);
    if (asked.has("density")) setAsked((before) => new URLSearchParams([...before].filter(([key]) => key !== "density")), { replace: true });
  };

  const drawn = useRef([]);
  const lanes = useMemo(() => lanesOf(state, moved, drawn.current), [state, moved]);
  drawn.current = lanes;
  const byKey = useMemo(() => new Map(lanes.map((lane) => [lane.key, lane])), [lanes]);
  const flights = useFlights(root, lanes);
  const nameOf = (key) => speak.label(byKey.get(key)?.name);

  // -- What the server tells

  useEffect(() => {
    if (!feed?.kind) return;
    if (feed.kind === "patch") flights.start(feed.cards.map((card) => card.id));
    if (feed.kind === "page") setLoading((before) => new Set([...before].filter((cell) => cell !== `${feed.lane}\u0000${feed.row ?? ""}`)));
    if (feed.kind === "snapshot") setLoading(new Set());
    take(feed);
  }, [feed]);

  // Something went missing: a patch, or the snapshot that earlier patches belong to (it may have come
  // before this component was loaded). The whole board is asked for, once and not for every patch.
  const isBehind = state.missed || state.early.length > 0;
  useEffect(() => {
    if (!isBehind) return undefined;
    const timer = setTimeout(() => onRefresh?.(), state.missed ? 0 : PATIENCE);
    return () => clearTimeout(timer);
  }, [isBehind]);

  // A computer that slept has missed what was told meanwhile, and its connection may not know it yet.
  useEffect(() => {
    let last = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      if (now - last > ASLEEP) onRefresh?.();
      last = now;
    }, BEAT);
    return () => clearInterval(timer);
  }, []);

  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    if (state.board !== null) return undefined;
    const timer = setTimeout(() => setIsLate(true), TOO_LONG);
    return () => clearTimeout(timer);
  }, [state.board]);

  useEffect(() => {
    setMoved((before) => unsettled(before, state.cards));
    setChosen((before) => ([...before].every((id) => state.cards.has(id)) ? before : new Set([...before].filter((id) => state.cards.has(id)))));
  }, [state.cards]);

  const markRead = useCallback((entries) => setRead((before) => {
    const next = new Map(before);
    for (const [id, version] of entries) next.set(id, Math.max(version, next.get(id) ?? 0));
    return next;
  }), []);
  useEffect(() => setRead(new Map()), [seen]);

  const others = useMemo(() => (presence?.people ?? []).filter((person) => person.key !== me), [presence, me]);
  const movers = useMemo(() => new Map(others.filter((person) => person.holding !== null).map((person) => [person.holding, speak.label(person.name)])), [others, speak]);

  // -- What a drop would do

  const holding = held?.id ?? menu;
  const truth = holding !== null && told?.ticket_id === holding ? told : null;
  const heldCard = held && state.cards.get(held.id);
  const latestHolding = useLatest(holding);
  const heldVersion = holding === null ? null : state.cards.get(holding)?.version;

  useEffect(() => {
    if (holding === null) return undefined;
    onHold?.(holding);
    const timer = setInterval(() => onHold?.(holding), HOLD_AGAIN);
    return () => clearInterval(timer);
  }, [holding, heldVersion]);
  useEffect(() => {
    if (holding === null) return undefined;
    return () => {
      // From the hand to the sheet or back the card stays held.
      setTimeout(() => latestHolding.current === null && onLetGo?.(), 0);
    };
  }, [holding]);

  // Until the server has spoken the card's own moves say where it may go.
  const verdictOf = useCallback((card, key) => {
    const said = truth?.lanes?.[key];
    if (said) return said;
    if (!card || state.by !== "stage" || truth) return undefined;
    if (key === card.lane) return { tone: "green", reasons: [], needs: "none", override: false };
    const move = card.moves.find((each) => each.to === key);
    if (!move) return { tone: "red", reasons: [{ code: "board.no_way", params: {} }], needs: "none", override: false };
    return { tone: move.needs === "form" ? "red" : "green", reasons: [], needs: move.needs, override: false };
  }, [truth, state.by]);
  const verdicts = useMemo(() => {
    if (!heldCard) return new Map();
    return new Map(state.lanes.map((lane) => [lane.key, verdictOf(heldCard, lane.key)]).filter(([, said]) => said));
  }, [heldCard, verdictOf, state.lanes]);

  // -- Moving

  const putBack = useCallback((id) => {
    flights.start([id]);
    setMoved((before) => new Map([...before].filter(([each]) => each !== id)));
  }, [flights.start]);

  const send = ({ card, target, version, name }, reason, override) => {
    const id = commandId();
    commands.current.set(id, { card: card.id, no: card.no, name });
    const stays = target.kind === "person" && state.by !== "person";
    const [above, below] = [target.before, target.after].map((each) => state.cards.get(each));
    setMoved((before) => new Map(before).set(card.id, {
      to: stays ? card.lane : target.key, place: !stays && target.placed ? placeBetween(card, above, below) : undefined,
      version: state.cards.get(card.id)?.version ?? version, pending: true,
    }));
    const by = target.kind === "person" ? "person" : state.by;
    const ordered = target.placed && mayOrder;
    onDrop?.(id, card.id, version, { by, key: target.key, before: ordered ? target.before : null, after: ordered ? target.after : null }, reason, override);
  };

  const refuse = (card, words) => {
    toast.error(words, { id: `board-refused-${card.id}`, duration: 8000 });
    setSaid(`${words} ${speak.t("board.say.back", { no: card.no })}`);
    flights.land();
  };

  // Decides what a drop asks for; nothing is sent that is known to be refused.
  const request = (card, target, version) => {
    const isPerson = target.kind === "person";
    const isHome = !isPerson && target.key === card.lane;
    if (!isPerson && state.rows.length && target.row !== card.row) {
      refuse(card, speak.t("board.row_is_fixed"));
      return;
    }
    if (isHome) {
      const cell = byKey.get(card.lane)?.cells.find((each) => each.row === card.row);
      const at = cell?.cards.findIndex((each) => each.id === card.id) ?? -1;
      const same = !target.placed || ((cell?.cards[at - 1]?.id ?? null) === target.before && (cell?.cards[at + 1]?.id ?? null) === target.after);
      if (same || !mayOrder) {
        flights.land();
        setSaid(speak.t("board.say.back", { no: card.no }));
        return;
      }
    }
    const said = isPerson ? truth?.people?.[target.key] : verdictOf(card, target.key);
    const name = isPerson ? speak.label(said?.name) : nameOf(target.key);
    const what = { card, target, version, name };
    // Somebody was faster while the card was in the hand: the server says who, and when.
    if (card.version !== version) {
      send(what, "", false);
      return;
    }
    if (said && !isOpen(said)) {
      refuse(card, wordsOf(said, speak));
      return;
    }
    if (said?.needs === "form") {
      navigate(`/tickets/${card.id}?to=${encodeURIComponent(target.key)}`);
      return;
    }
    const override = said?.tone === "red" && said.override;
    if (override || said?.needs === "reason") {
      setMoved((before) => new Map(before).set(card.id, { to: isPerson && state.by !== "person" ? card.lane : target.key, version: card.version, pending: true }));
      setAsking({ ...what, override: Boolean(override), words: override ? wordsOf({ ...said, override: false, needs: "none" }, speak) : "" });
      return;
    }
    setSaid(speak.t("board.say.dropped", { no: card.no, lane: name }));
    send(what, "", false);
  };

  const undo = () => {
    const last = mine.current.pop();
    if (!last) {
      toast(speak.t("board.undo.nothing"), { id: UNDO_TOAST, duration: 2500 });
      return;
    }
    toast.dismiss(UNDO_TOAST);
    onUndo?.(commandId(), last);
  };
  const offerUndo = (text, undone, warnings = []) => {
    mine.current = [...mine.current.slice(-19), undone];
    const show = warnings.length ? toast.warning : toast;
    show(text, {
      id: UNDO_TOAST, duration: 7000, description: warnings.length ? warnings.join(" · ") : undefined,
      action: { label: speak.t("board.undo_key"), onClick: undo },
    });
  };

  useEffect(() => {
    const command = commands.current.get(verdict?.command_id);
    if (command === undefined) return;
    commands.current.delete(verdict.command_id);
    if (verdict.ok) {
      markRead([[command.card, verdict.version]]);
      setMoved((before) => {
        const move = before.get(command.card);
        return move ? new Map(before).set(command.card, { ...move, pending: false }) : before;
      });
      const warnings = (verdict.warnings ?? []).map((each) => speak.t(each.code, each.params));
      if (verdict.undoable) offerUndo(speak.t("board.moved", { no: command.no, lane: command.name }), [verdict.command_id], warnings);
      else if (warnings.length) toast.warning(warnings.join(" · "), { duration: 7000 });
      return;
    }
    putBack(command.card);
    if (!verdict.code) return;
    const reasons = (verdict.reasons ?? []).map((each) => speak.t(each.code, each.params));
    const words = verdict.stale || !reasons.length ? speak.t(speak.known(verdict.code) ? verdict.code : "console.unexpected", verdict.params ?? {}) : reasons.join(" · ");
    toast.error(words, { id: `board-refused-${command.card}`, duration: 8000 });
    setSaid(words);
  }, [verdict]);

  useEffect(() => {
    if (!outcomes?.command_id) return;
    const done = outcomes.rows.filter((row) => row.ok);
    markRead(done.map((row) => [row.ticket_id, row.version]));
    setRunning(null);
    if (outcomes.act === "undo") {
      if (outcomes.rows.length > 1) setResults(outcomes);
      else if (done.length) toast.success(speak.t("board.undone", { no: done[0].no }), { id: UNDO_TOAST, duration: 4000 });
      else if (outcomes.rows.length) toast.error(speak.t(outcomes.rows[0].code, outcomes.rows[0].params), { id: UNDO_TOAST, duration: 8000 });
      return;
    }
    setChosen(new Set(outcomes.rows.filter((row) => !row.ok).map((row) => row.ticket_id)));
    if (done.length) offerUndo(speak.t("board.outcomes", { done: done.length, n: outcomes.rows.length }), done.map((row) => `${outcomes.command_id}:${row.ticket_id}`));
    if (done.length < outcomes.rows.length) setResults(outcomes);
  }, [outcomes]);

  const more = useCallback((cell) => {
    setLoading((before) => {
      if (before.has(cell.key)) return before;
      const edge = latest.current.edges.get(cell.key);
      if (edge) onMore?.(cell.lane, edge, cell.row);
      return new Set(before).add(cell.key);
    });
  }, [onMore]);

  // -- The hand

  const inHand = useRef(null);
  const hover = useRef({ id: null, timer: null, leaving: null, x: 0, y: 0 });
  const lift = (id, how) => {
    const card = state.cards.get(id);
    clearTimeout(hover.current.timer);
    inHand.current = { id, version: card.version, how };
    setHeld(inHand.current);
    setShown((before) => (before?.pinned ? before : null));
    const open = card.moves.map((move) => nameOf(move.to)).filter(Boolean).join(", ");
    setSaid(speak.t("board.say.lifted", { no: card.no, lane: nameOf(card.lane), lanes: open }));
  };
  const letGo = () => {
    inHand.current = null;
    setHeld(null);
    setOver(null);
    setRailOpen(false);
    markOver(root.current, null);
    if (line.current) line.current.hidden = true;
  };
  const drop = (card, version, target) => {
    letGo();
    if (card && target && target.kind !== "rail") request(card, target, version);
    else {
      flights.land();
      setSaid(speak.t("board.say.back", { no: card?.no }));
    }
  };

  const hand = useLatest({
    mayLift: (id) => mayMove && !inHand.current && Boolean(state.cards.get(id)) && !state.cards.get(id).closed_at,
    mayOrder: () => mayOrder,
    onLift: lift,
    onOver: (target) => setRailOpen(target?.kind === "rail" || target?.kind === "person"),
    onDrop: (target, box) => {
      const { id, version } = inHand.current;
      flights.startFrom(id, box);
      drop(state.cards.get(id), version, target && { ...target, placed: mayOrder && target.kind === "lane" });
    },
    onCancel: (box) => {
      const { id, version } = inHand.current;
      flights.startFrom(id, box);
      drop(state.cards.get(id), version, null);
    },
    onLongPress: (id) => {
      if (!isPhone) return false;
      if (mayMove) setMenu(id);
      return true;
    },
  });
  useEffect(() => {
    const calls = Object.fromEntries(["mayLift", "mayOrder", "onLift", "onOver", "onDrop", "onCancel", "onLongPress"].map((name) => [name, (...args) => hand.current[name](...args)]));
    const pointer = followPointer({ ...calls, root: root.current, line: line.current });
    return pointer.stop;
  }, []);

  // -- The keyboard

  const openLanes = lanes.filter((lane) => !folded[lane.key]);
  const rowKeys = state.rows.length ? state.rows.map((row) => row.key).filter((key) => !closedRows[key]) : [""];
  const cellAt = (lane, row) => byKey.get(lane)?.cells.find((cell) => cell.row === row);
  const shownLane = (card) => moved.get(card.id)?.to ?? card.lane;

  const findSlot = (id) => root.current?.querySelector(`[data-card="${id}"]`);
  // A card far away is not in the document: its list is asked to come there, and it is waited for.
  const focusOn = (card, tries = TRIES) => {
    setFocus(card.id);
    const slot = findSlot(card.id);
    if (slot) {
      slot.focus({ preventScroll: true });
      slot.scrollIntoView({ block: "nearest", inline: "nearest" });
      return;
    }
    if (!tries) return;
    const cell = cellAt(shownLane(card), card.row);
    root.current?.querySelector(`[data-lane="${CSS.escape(shownLane(card))}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (cell) lists.current.get(cell.key)?.scrollToIndex({ index: cell.cards.findIndex((each) => each.id === card.id), align: "center" });
    requestAnimationFrame(() => focusOn(card, tries - 1));
  };

  const walk = (card, key) => {
    const [lane, cell] = [shownLane(card), cellAt(shownLane(card), card.row)];
    const at = cell?.cards.findIndex((each) => each.id === card.id) ?? -1;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[key];
    if (key === "Home" || key === "End") return cell?.cards[key === "Home" ? 0 : cell.cards.length - 1];
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (cell?.cards[at + step]) return cell.cards[at + step];
      for (let row = rowKeys.indexOf(card.row) + step; row >= 0 && row < rowKeys.length; row += step) {
        const cards = cellAt(lane, rowKeys[row])?.cards ?? [];
        if (cards.length) return cards[step > 0 ? 0 : cards.length - 1];
      }
      return null;
    }
    for (let each = openLanes.findIndex((one) => one.key === lane) + step; each >= 0 && each < openLanes.length; each += step) {
      const cards = cellAt(openLanes[each].key, card.row)?.cards ?? [];
      if (cards.length) return cards[Math.min(at, cards.length - 1)];
    }
    return null;
  };

  // Where the keyboard's hand is: {kind: "lane", key, row, at, placed} or {kind: "person", at}.
  const peopleNow = useMemo(() => ranked(truth?.people), [truth]);
  const restOf = (lane, row) => (cellAt(lane, row)?.cards ?? []).filter((card) => card.id !== held?.id);
  const naturalAt = (card, lane) => restOf(lane, card.row).filter((each) => compare(place(each), place(card)) < 0).length;
  const keyTarget = () => {
    if (over.kind === "person") return peopleNow[over.at] && { kind: "person", key: peopleNow[over.at].id };
    const rest = restOf(over.key, over.row);
    return { kind: "lane", key: over.key, row: over.row, before: rest[over.at - 1]?.id ?? null, after: rest[over.at]?.id ?? null, placed: over.placed };
  };

  useEffect(() => {
    if (held?.how !== "keys" || !over) return;
    if (over.kind === "person") {
      const person = root.current.querySelector(`[data-person="${peopleNow[over.at]?.id}"]`);
      person?.scrollIntoView({ block: "nearest" });
      markOver(root.current, person);
      line.current.hidden = true;
      return;
    }
    const element = root.current.querySelector(`[data-lane="${CSS.escape(over.key)}"][data-row="${CSS.escape(over.row)}"]`);
    element?.scrollIntoView({ block: "nearest", inline: "nearest" });
    markOver(root.current, element);
    const target = keyTarget();
    const [above, below] = [target.before, target.after].map((id) => (id === null ? null : findSlot(id)));
    drawLine(line.current, mayOrder && over.placed ? { above, below } : null);
  }, [held, over, peopleNow]);

  const tellOver = (next) => {
    setOver(next);
    if (next.kind === "person") {
      const person = peopleNow[next.at];
      setSaid(person ? speak.t("board.say.over_truth", { lane: speak.label(person.name), tone: speak.t(`board.tone.${person.tone}`), words: wordsOf(person, speak) }) : speak.t("board.people.none"));
      return;
    }
    const said = verdictOf(heldCard, next.key);
    setSaid(said
      ? speak.t("board.say.over_truth", { lane: nameOf(next.key), tone: speak.t(`board.tone.${said.tone}`), words: wordsOf(said, speak) })
      : speak.t("board.say.over", { lane: nameOf(next.key) }));
  };

  const heldKey = (event) => {
    const card = heldCard;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape" || !card) {
      drop(card, held.version, null);
      if (card) focusOn(card);
      return;
    }
    if (["Enter", " ", "m"].includes(event.key)) {
      drop(card, held.version, keyTarget());
      requestAnimationFrame(() => focusOn(card));
      return;
    }
    if (event.key === "p" && state.by !== "person") {
      if (over.kind === "person") {
        setRailOpen(false);
        tellOver({ kind: "lane", key: card.lane, row: card.row, at: naturalAt(card, card.lane), placed: false });
      } else {
        setRailOpen(true);
        tellOver({ kind: "person", at: 0 });
      }
      return;
    }
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const isUpDown = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (over.kind === "person") {
      if (isUpDown) tellOver({ kind: "person", at: Math.min(Math.max(over.at + step, 0), Math.max(peopleNow.length - 1, 0)) });
    } else if (isUpDown) {
      if (mayOrder) tellOver({ ...over, at: Math.min(Math.max(over.at + step, 0), restOf(over.key, over.row).length), placed: true });
    } else {
      // Lanes that would refuse are passed over; with shift they are visited too, and say why.
      const open = openLanes.filter((lane) => event.shiftKey || lane.key === card.lane || isOpen(verdictOf(card, lane.key) ?? { tone: "green", reasons: [] }));
      const order = openLanes.map((lane) => lane.key);
      const here = order.indexOf(over.key);
      const next = step > 0 ? open.find((lane) => order.indexOf(lane.key) > here) : open.findLast((lane) => order.indexOf(lane.key) < here);
      if (next) tellOver({ kind: "lane", key: next.key, row: card.row, at: naturalAt(card, next.key), placed: false });
      else setSaid(speak.t("board.say.nowhere"));
    }
  };

  const choose = useCallback((id) => setChosen((before) => {
    const next = new Set(before);
    if (!next.delete(id)) next.add(id);
    return next;
  }), []);
  const lastChosen = useRef(null);
  const chooseTo = (card) => {
    const cards = cellAt(shownLane(card), card.row)?.cards ?? [];
    const [one, other] = [lastChosen.current, card.id].map((id) => cards.findIndex((each) => each.id === id));
    if (one < 0) choose(card.id);
    else setChosen((before) => new Set([...before, ...cards.slice(Math.min(one, other), Math.max(one, other) + 1).map((each) => each.id)]));
  };

  // -- The side panel

  const show = (id, how) => setShown((before) => {
    const box = findSlot(id)?.getBoundingClientRect();
    const side = how === "hover" && box && box.left + box.width / 2 > window.innerWidth / 2 ? "left" : "right";
    return { id, pinned: how === "pinned" || Boolean(before?.pinned), side: before?.pinned ? before.side : side };
  });
  const hide = useCallback(() => setShown(null), []);
  const shownVersion = shown && state.cards.get(shown.id)?.version;
  useEffect(() => {
    if (!shown) return undefined;
    const timer = setTimeout(() => onPeek?.(shown.id), shownVersion && peek?.ticket_id === shown.id ? SETTLE : 0);
    return () => clearTimeout(timer);
  }, [shown?.id, shownVersion]);
  const isShown = shown !== null;
  useEffect(() => (isShown ? () => onUnpeek?.() : undefined), [isShown]);
  useEffect(() => {
    if (peek?.ticket_id && peek.version) markRead([[peek.ticket_id, peek.version]]);
  }, [peek]);

  const leave = () => {
    clearTimeout(hover.current.timer);
    hover.current.id = null;
    clearTimeout(hover.current.leaving);
    hover.current.leaving = setTimeout(() => setShown((before) => (before && !before.pinned ? null : before)), LEAVING);
  };
  const onPointerMove = (event) => {
    const past = hover.current;
    // Where the mouse rests while the board changes beneath it is no wish to look.
    if (event.pointerType !== "mouse" || (event.clientX === past.x && event.clientY === past.y)) return;
    past.x = event.clientX;
    past.y = event.clientY;
    if (!peeks || isPhone || held || event.buttons || shown?.pinned || menu !== null || asking) return;
    const slot = event.target.closest?.("[data-card]");
    if (event.target.closest?.(".tb-panel")) return;
    const id = slot ? Number(slot.dataset.card) : null;
    if (id === past.id) return;
    if (id === null) {
      leave();
      return;
    }
    clearTimeout(past.timer);
    clearTimeout(past.leaving);
    past.id = id;
    past.timer = setTimeout(() => show(id, "hover"), shown ? SETTLE : INTENT);
  };
  useEffect(() => () => {
    clearTimeout(hover.current.timer);
    clearTimeout(hover.current.leaving);
  }, []);

  const onKeyDown = (event) => {
    if (held?.how === "keys") {
      heldKey(event);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const slot = event.target.matches?.("[data-card]") ? event.target : null;
    const card = slot && state.cards.get(Number(slot.dataset.card));
    if (!card) return;
    const acts = {
      Enter: () => navigate(`/tickets/${card.id}`),
      " ": () => (shown?.id === card.id && shown.pinned ? hide() : show(card.id, "pinned")),
      m: () => {
        if (!mayMove || card.closed_at) return;
        lift(card.id, "keys");
        setOver({ kind: "lane", key: card.lane, row: card.row, at: naturalAt(card, card.lane), placed: false });
      },
      ".": () => mayMove && setMenu(card.id),
      x: () => {
        choose(card.id);
        lastChosen.current = card.id;
      },
      F6: () => root.current.querySelector(".tb-panel")?.focus(),
    };
    if (acts[event.key]) {
      event.preventDefault();
      acts[event.key]();
      return;
    }
    if (!["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    const next = walk(card, event.key);
    if (!next) return;
    if (event.shiftKey) setChosen((before) => new Set([...before, card.id, next.id]));
    focusOn(next);
    if (shown?.pinned) show(next.id, "pinned");
  };

  const global = useLatest((event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target?.tagName ?? "")) return;
    if (document.querySelector("dialog[open], .tc-menu")) return;
    if (event.key === "z") {
      event.preventDefault();
      undo();
    } else if (event.key === "Escape") {
      const back = shown && state.cards.get(shown.id);
      if (shown) {
        hide();
        if (back && root.current.querySelector(".tb-panel")?.contains(document.activeElement)) focusOn(back);
      } else setChosen(new Set());
    }
  });
  useEffect(() => {
    const listen = (event) => global.current(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);

  const onClickCapture = (event) => {
    const slot = event.target.closest?.("[data-card]");
    const card = slot && state.cards.get(Number(slot.dataset.card));
    if (!card || event.target.closest("button, label")) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      event.preventDefault();
      event.stopPropagation();
      if (event.shiftKey) chooseTo(card);
      else choose(card.id);
      lastChosen.current = card.id;
      return;
    }
    if (!event.target.closest("a")) show(card.id, "pinned");
  };
  const onFocus = (event) => {
    const id = event.target.matches?.("[data-card]") ? Number(event.target.dataset.card) : null;
    if (id !== null && id !== focus) setFocus(id);
  };

  // -- Drawing

  const unread = useCallback((card) => isUnread(card, seen) && card.version > (read.get(card.id) ?? 0), [seen, read]);
  const onMenu = useCallback((id) => setMenu(id), []);
  const focusIsThere = focus !== null && state.cards.has(focus);
  const board = useMemo(() => ({
    dense, mayMove, held: held?.id ?? null, focus: focusIsThere ? focus : null, shown: shown?.id ?? null, chosen, movers, isUnread: unread, onChoose: choose, onMenu,
  }), [dense, mayMove, held, focus, focusIsThere, shown, chosen, movers, unread, choose, onMenu]);
  const onFold = useCallback((key) => setFolded((before) => ({ ...before, [key]: !before[key] })), [setFolded]);
  const onFoldRow = (key, next) => setClosedRows((before) => ({ ...before, [key]: next }));
  const onList = useCallback((key, handle) => {
    if (handle) lists.current.set(key, handle);
    else lists.current.delete(key);
  }, []);
  const onLimit = useCallback((lane) => setLimiting(lane), []);

  const current = isPhone ? lanes.find((lane) => lane.key === phoneLane) ?? lanes.find((lane) => lane.count > 0) ?? lanes[0] : null;
  const visible = isPhone ? (current ? [current] : []) : lanes;
  const shut = isPhone ? {} : folded;
  const home = heldCard?.lane ?? null;
  const mayLimit = can("board.limit");
  const total = lanes.reduce((sum, lane) => sum + lane.count, 0);
  const hasRail = state.by !== "person" && mayMove && !isPhone && state.board !== null;
  const menuCard = menu === null ? null : state.cards.get(menu) ?? null;
  useEffect(() => {
    if (menu !== null && !menuCard) setMenu(null);
  }, [menu, menuCard]);

  const askTitle = () => {
    if (!asking) return "";
    const { card, target, override } = asking;
    if (override) return speak.t("board.override_title", { no: card.no, lane: asking.name });
    if (state.by === "person") return speak.t("board.release_title", { no: card.no });
    const move = card.moves.find((each) => each.to === target.key);
    return speak.t(move?.kind === "cancel" ? "board.cancel_title" : "board.return_title", { no: card.no, lane: asking.name });
  };
  const isCancel = asking && asking.card.moves.find((each) => each.to === asking.target.key)?.kind === "cancel";

  return h(OnBoard.Provider, { value: board }, h("div", {
    ref: root, className: "tb", "data-dense": dense, "data-dragging": held ? true : undefined, "data-by": state.by, "data-panel": shown?.pinned ? true : undefined,
    onKeyDown, onClickCapture, onPointerMove, onFocus, onPointerLeave: leave,
  },
    h("p", { id: "tb-how", className: "tc-sr" }, speak.t("board.say.how")),
    h("div", { className: "tc-sr", role: "status", "aria-live": "assertive", "data-test": "said" }, said),
    h(BoardFilters, {
      choices, views, saved, mayBeMine, mayShare: can("board.share"), dense, onDense: densely, peeks, onPeeks: setPeeks, onAllSeen, onSaveView, onDeleteView,
      presence: h(Faces, { people: others }),
    }),
    state.board === null ? h(isLate ? Failed : Waiting) : h("div", { className: "tb-main" },
      isPhone && h(Switcher, { lanes, lane: current?.key, onLane: setPhoneLane }),
      h("div", { className: "tb-lanes", "data-sheet": true, tabIndex: -1, "data-empty": total === 0 || undefined },
        state.rows.length
          ? h(Rows, { rows: state.rows, lanes: visible, by: state.by, dense, folded: shut, closed: closedRows, verdicts, heldRow: heldCard ? heldCard.row : null, home, loading, mayLimit, onFold, onFoldRow, onMore: more, onLimit, onList })
          : h("div", { className: "tb-track" }, visible.map((lane) => h(Lane, {
            key: lane.key, lane, by: state.by, folded: Boolean(shut[lane.key]), verdict: verdicts.get(lane.key), isHome: home === lane.key,
            loading: loading.has(lane.cells[0].key), mayLimit, onFold, onMore: more, onLimit, onList,
          })))),
      hasRail && h(PeopleRail, {
        truth: held ? truth : null, held: Boolean(held), people: choices?.assignee ?? [],
        open: railOpen, pinned: railPinned, onPinned: setRailPinned,
      }),
      shown && h(SidePanel, {
        shown: shown.id, no: state.cards.get(shown.id)?.no ?? peek?.no ?? "", ticket: peek, pinned: shown.pinned, side: shown.side, mayMove, onMenu, onClose: hide,
        onPin: () => show(shown.id, "pinned"), onEnter: () => clearTimeout(hover.current.leaving), onLeave: leave,
      })),
    chosen.size > 0 && mayMove && h(BulkBar, {
      chosen, choices: choices ?? {}, lanes, by: state.by, busy: running !== null, onClear: () => setChosen(new Set()),
      onRun: (act, args) => {
        const id = commandId();
        setRunning(id);
        onBulk?.(id, [...chosen].map((each) => [each, state.cards.get(each).version]), act, args);
      },
    }),
    h("div", { ref: line, className: "tb-line", hidden: true, "aria-hidden": true }),
    h(MoveSheet, {
      card: menuCard, truth: menu === null ? null : truth, lanes, by: state.by, onClose: () => setMenu(null),
      onLane: (card, key) => {
        setMenu(null);
        request(card, { kind: "lane", key, row: card.row, before: null, after: null, placed: false }, card.version);
      },
      onPerson: (card, key) => {
        setMenu(null);
        request(card, { kind: "person", key, before: null, after: null, placed: false }, card.version);
      },
    }),
    h(LimitDialog, {
      lane: limiting, scope: state.by === "person" ? "technician" : "stage", onClose: () => setLimiting(null),
      onSet: (scope, key, soft, hard) => {
        setLimiting(null);
        onSetLimit?.(scope, key, soft, hard);
      },
    }),
    h(Outcomes, {
      outcomes: results, onClose: () => setResults(null),
      onUndo: (undone) => {
        setResults(null);
        mine.current.pop();
        toast.dismiss(UNDO_TOAST);
        onUndo?.(commandId(), undone);
      },
    }),
    h(ReasonDialog, {
      open: asking !== null, title: askTitle(), text: asking ? asking.words || asking.card.title : "", tone: asking?.override || isCancel ? "danger" : "primary",
      confirmLabel: asking ? (asking.override ? speak.t("board.override") : asking.target.kind === "person" ? speak.t("board.give") : nameOf(asking.target.key)) : "",
      onConfirm: (reason) => {
        const what = asking;
        setAsking(null);
        send(what, reason, what.override);
      },
      onCancel: () => {
        const { card } = asking;
        setAsking(null);
        putBack(card.id);
      },
    })));
}
