// The board: lanes of cards that follow the server's feed, and that the user moves by mouse, touch or keyboard.
import { createElement as h, memo, useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { DragDropContext, Draggable, Droppable } from "@hello-pangea/dnd";
import { Ban, ChevronsLeftRight, ChevronsRightLeft, Inbox } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { ReasonDialog, notify } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { EMPTY, absorb, lanesOf, place, unsettled } from "./feed.js";
import { BoardCard, useCardKeys } from "./board_card.jsx";
import { BoardFilters } from "./board_filters.jsx";

const FOLDED = "tc_board_folded";
const DENSE = "tc_board_dense";
const GLIDE = { duration: 220, easing: "cubic-bezier(0.2, 0.8, 0.2, 1)" };
const MAX_GLIDES = 30;
const PATIENCE = 1000;
const TOO_LONG = 15000;

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
  const set = (next) => {
    setValue(next);
    window.localStorage.setItem(key, JSON.stringify(next));
  };
  return [value, set];
}

// The library tells of a drop only when its animation is over; nobody should wait a third of a second for that.
const quickDrop = (style, snapshot) => (snapshot.isDropAnimating ? { ...style, transitionDuration: "0.09s" } : style);

// Cards that changed lanes glide from where they were to where they are now.
function useGlide(root, lanes, resting) {
  const before = useRef(new Map());
  useLayoutEffect(() => {
    const lanesNow = new Map(lanes.flatMap((lane) => lane.cards.map((card) => [card.id, lane.key])));
    const travelled = [...lanesNow].filter(([id, lane]) => before.current.has(id) && before.current.get(id).lane !== lane);
    const find = (id) => root.current?.querySelector(`[data-card="${id}"]`);
    if (resting && travelled.length <= MAX_GLIDES && !window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      for (const [id] of travelled) {
        const from = before.current.get(id).rect;
        const element = find(id);
        if (!element || !from) continue;
        const to = element.getBoundingClientRect();
        element.firstElementChild?.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)`, zIndex: 5 }, { transform: "none", zIndex: 5 }], GLIDE);
      }
    }
    before.current = new Map([...lanesNow].map(([id, lane]) => [id, { lane, rect: null }]));
  }, [root, lanes, resting]);
  // Where cards are is measured when something is about to move, not at every drawing.
  return useCallback((ids) => {
    for (const id of ids) {
      const entry = before.current.get(id);
      const element = root.current?.querySelector(`[data-card="${id}"]`);
      if (entry && element) entry.rect = element.getBoundingClientRect();
    }
  }, [root]);
}

const LaneCards = memo(function LaneCards({ lane, names, mayDrag, onMove, onMore, loading }) {
  const speak = useLanguage();
  const keys = useCardKeys();
  const end = useRef(null);
  useEffect(() => {
    if (!lane.more || !end.current) return undefined;
    const watcher = new IntersectionObserver((seen) => seen[0].isIntersecting && onMore(lane), { rootMargin: "400px" });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [lane, onMore]);
  return h("div", { style: { display: "contents" } },
    lane.cards.map((card, index) => h(Draggable, { key: card.id, draggableId: String(card.id), index, isDragDisabled: !mayDrag || card.moves.length === 0 },
      (drag, snapshot) => h("div", {
        ref: drag.innerRef, ...drag.draggableProps, ...drag.dragHandleProps, style: quickDrop(drag.draggableProps.style, snapshot), className: "tb-slot", "data-card": card.id, "data-dragging": snapshot.isDragging || undefined,
        // The handle holds a link and a menu, so it must not be a button itself.
        role: "group", tabIndex: 0, "aria-label": speak.t("board.card", { no: card.no, title: card.title }), "aria-roledescription": speak.t("board.card_role"),
        onKeyDown: keys(card),
      }, h(BoardCard, { card, names, pending: lane.pending.includes(card.id), onMove })))),
    lane.cards.length === 0 && h("div", { className: "tb-none" }, h(Inbox, { size: 18, "aria-hidden": true }), speak.t("board.lane_empty")),
    lane.more && h("button", { ref: end, type: "button", className: "tc-btn tb-load", "data-tone": "quiet", disabled: loading, onClick: () => onMore(lane) },
      loading ? h("span", { className: "tc-spin" }) : null, speak.t("board.more", { n: lane.count - lane.cards.length })));
});

function Lane({ lane, names, folded, onFold, dragged, mayDrag, onMove, onMore, loading }) {
  const speak = useLanguage();
  const name = speak.label(lane.name);
  const move = dragged?.moves.find((each) => each.to === lane.key);
  const home = dragged?.from === lane.key;
  const open = dragged && (move || home);
  const refused = dragged && !open;
  const fold = speak.t(folded ? "board.unfold" : "board.fold", { name });
  return h(Droppable, { droppableId: lane.key, isDropDisabled: Boolean(refused) },
    (drop, snapshot) => h("section", {
      className: "tb-lane", "data-lane": lane.key, "data-folded": folded, "data-category": lane.category, "aria-label": speak.t("board.lane", { name, n: lane.count }),
      "data-target": move ? true : undefined, "data-refused": refused || undefined, "data-over": snapshot.isDraggingOver || undefined,
    },
      h("header", { className: "tb-lane-head" },
        h("i", { className: "tb-dot", "aria-hidden": true }),
        h("h2", null, name),
        h("span", { className: "tb-count", "data-test": `count-${lane.key}` }, speak.number(lane.count)),
        h("span", { className: "tb-gap" }),
        h("button", { type: "button", className: "tc-btn tb-fold", "data-tone": "quiet", "data-shape": "icon", "aria-label": fold, title: fold, "aria-expanded": !folded, onClick: () => onFold(lane.key) },
          h(folded ? ChevronsLeftRight : ChevronsRightLeft, { "aria-hidden": true }))),
      refused && !folded && h("p", { className: "tb-why" }, h(Ban, { size: 13, "aria-hidden": true }), speak.t("board.no_way")),
      move && move.needs !== "none" && !folded && h("p", { className: "tb-why", "data-tone": "accent" }, speak.t(`board.needs.${move.needs}`)),
      h("div", { ref: drop.innerRef, ...drop.droppableProps, className: "tb-cards" },
        !folded && h(LaneCards, { lane, names, mayDrag, onMove, onMore, loading }), drop.placeholder)));
}

function Waiting() {
  const speak = useLanguage();
  return h("div", { className: "tb-lanes", "aria-busy": true },
    h("span", { className: "tc-sr", role: "status" }, speak.t("load.busy")),
    h("div", { className: "tb-track" }, [4, 3, 5, 2, 3].map((count, at) => h("section", { key: at, className: "tb-lane" },
      h("header", { className: "tb-lane-head" }, h("div", { className: "tc-bone", style: { "--width": "90px" } })),
      h("div", { className: "tb-cards" }, Array.from({ length: count }, (_, each) => h("div", { key: each, className: "tb-slot" },
        h("div", { className: "tc-bone", style: { "--height": "92px" } }))))))));
}

function Failed() {
  const speak = useLanguage();
  return h("div", { className: "tc-empty", role: "alert" },
    h("strong", null, speak.t("load.failed")), h("div", { className: "tc-empty-text" }, speak.t("load.failed.text")),
    h("button", { type: "button", className: "tc-btn", onClick: () => window.location.reload() }, speak.t("load.retry")));
}

export function LiveBoard({ feed, verdict, choices, mayMove = true, mayBeMine = false, onDrop, onMore, onRefresh }) {
  const speak = useLanguage();
  const navigate = useNavigate();
  const root = useRef(null);
  const [state, take] = useReducer(absorb, EMPTY);
  const [moved, setMoved] = useState(new Map());
  const [dragged, setDragged] = useState(null);
  const [asking, setAsking] = useState(null);
  const [loading, setLoading] = useState(new Set());
  const [folded, setFolded] = useKept(FOLDED, { done: true, cancelled: true });
  const [dense, setDense] = useKept(DENSE, false);
  const held = useRef([]);
  const isDragging = useRef(false);
  const commands = useRef(new Map());
  const latest = useRef(state);
  latest.current = state;

  const drawn = useRef([]);
  const lanes = useMemo(() => lanesOf(state, moved, drawn.current), [state, moved]);
  drawn.current = lanes;
  const keys = state.lanes.map((lane) => lane.key).join();
  const names = useMemo(() => new Map(state.lanes.map((lane) => [lane.key, lane.name])), [keys]);
  const remember = useGlide(root, lanes, !dragged);

  const accept = useCallback((news) => {
    if (news.kind === "patch") remember(news.cards.map((card) => card.id));
    if (news.kind === "page") setLoading((before) => new Set([...before].filter((lane) => lane !== news.lane)));
    take(news);
  }, [remember]);

  useEffect(() => {
    if (!feed?.kind) return;
    // Lanes must not change under a card that is being dragged; what comes meanwhile waits.
    if (isDragging.current) held.current.push(feed);
    else accept(feed);
  }, [feed, accept]);

  // Something went missing: a patch, or the snapshot that earlier patches belong to (it may have come
  // before this component was loaded). The whole board is asked for, once and not for every patch.
  const isBehind = state.missed || state.early.length > 0;
  useEffect(() => {
    if (!isBehind) return undefined;
    const timer = setTimeout(() => onRefresh?.(), state.missed ? 0 : PATIENCE);
    return () => clearTimeout(timer);
  }, [isBehind]);

  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    if (state.board !== null) return undefined;
    const timer = setTimeout(() => setIsLate(true), TOO_LONG);
    return () => clearTimeout(timer);
  }, [state.board]);

  useEffect(() => {
    setMoved((before) => unsettled(before, state.cards));
  }, [state.cards]);

  const putBack = useCallback((id) => {
    remember([id]);
    setMoved((before) => new Map([...before].filter(([each]) => each !== id)));
  }, [remember]);

  useEffect(() => {
    const id = commands.current.get(verdict?.command_id);
    if (id === undefined) return;
    commands.current.delete(verdict.command_id);
    if (verdict.ok) {
      setMoved((before) => {
        const move = before.get(id);
        return move ? new Map(before).set(id, { ...move, pending: false }) : before;
      });
      return;
    }
    putBack(id);
    if (verdict.code) notify({ tone: "error", key: verdict.code, params: verdict.params ?? {} });
  }, [verdict, putBack]);

  const send = useCallback((card, move, reason) => {
    const id = commandId();
    commands.current.set(id, card.id);
    setMoved((before) => new Map(before).set(card.id, { to: move.to, version: card.version, pending: true }));
    onDrop?.(id, card.id, card.version, move.to, reason);
  }, [onDrop]);

  const request = useCallback((card, move) => {
    if (move.needs === "form") {
      navigate(`/tickets/${card.id}?to=${encodeURIComponent(move.to)}`);
      return;
    }
    remember([card.id]);
    if (move.needs === "reason") {
      setMoved((before) => new Map(before).set(card.id, { to: move.to, version: card.version, pending: true }));
      setAsking({ card, move });
      return;
    }
    send(card, move, "");
  }, [navigate, remember, send]);

  const more = useCallback((lane) => {
    setLoading((before) => {
      if (before.has(lane.key)) return before;
      const edge = latest.current.edges.get(lane.key);
      if (edge) onMore?.(lane.key, edge);
      return new Set(before).add(lane.key);
    });
  }, [onMore]);

  const nameOf = (key) => speak.label(names.get(key));

  const onStart = (start, { announce }) => {
    isDragging.current = true;
    const card = state.cards.get(Number(start.draggableId));
    setDragged({ ...card, from: start.source.droppableId });
    const open = card.moves.map((move) => nameOf(move.to)).filter(Boolean).join(", ");
    announce(speak.t("board.say.lifted", { no: card.no, lane: nameOf(start.source.droppableId), lanes: open }));
  };
  const onUpdate = (update, { announce }) => {
    const over = update.destination?.droppableId;
    announce(over ? speak.t("board.say.over", { lane: nameOf(over) }) : speak.t("board.say.nowhere"));
  };
  const onEnd = (result, { announce }) => {
    isDragging.current = false;
    const waited = held.current.splice(0);
    setDragged(null);
    const card = state.cards.get(Number(result.draggableId));
    const to = result.destination?.droppableId;
    const move = to === result.source.droppableId ? null : card?.moves.find((each) => each.to === to);
    announce(move ? speak.t("board.say.dropped", { no: card.no, lane: nameOf(to) }) : speak.t("board.say.back", { no: card?.no }));
    if (move) request(card, move);
    waited.forEach(accept);
  };

  const total = lanes.reduce((sum, lane) => sum + lane.count, 0);

  return h("div", { ref: root, className: "tb", "data-dense": dense, "data-dragging": dragged ? true : undefined },
    h(BoardFilters, { choices, mayBeMine, dense, onDense: setDense }),
    state.board === null ? h(isLate ? Failed : Waiting) : h(DragDropContext, { onDragStart: onStart, onDragUpdate: onUpdate, onDragEnd: onEnd, dragHandleUsageInstructions: speak.t("board.say.how") },
      h("div", { className: "tb-lanes", tabIndex: -1, "data-empty": total === 0 || undefined },
        h("div", { className: "tb-track" }, lanes.map((lane) => h(Lane, {
          key: lane.key, lane, names, folded: Boolean(folded[lane.key]), onFold: (key) => setFolded({ ...folded, [key]: !folded[key] }),
          dragged, mayDrag: mayMove, onMove: request, onMore: more, loading: loading.has(lane.key),
        }))))),
    h(ReasonDialog, {
      open: asking !== null, title: asking ? speak.t(asking.move.kind === "cancel" ? "board.cancel_title" : "board.return_title", { no: asking.card.no, lane: nameOf(asking.move.to) }) : "",
      text: asking?.card.title, tone: asking?.move.kind === "cancel" ? "danger" : "primary", confirmLabel: asking ? nameOf(asking.move.to) : "",
      onConfirm: (reason) => {
        setAsking(null);
        send(asking.card, asking.move, reason);
      },
      onCancel: () => {
        const { card } = asking;
        setAsking(null);
        putBack(card.id);
      },
    }));
}
