// A lane, and the windows of cards in it. Only cards near the eye are in the document.
import { createContext, createElement as h, memo, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { Virtuoso } from "react-virtuoso";
import { ChevronsLeftRight, ChevronsRightLeft, CircleAlert, Inbox, OctagonX, UserX } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { BoardCard } from "./board_card.jsx";
import { Verdict, isOpen, loadText } from "./board_truth.jsx";

// What every card asks of the board it lies on.
export const OnBoard = createContext(null);

const NEAR = "600px";
const CARD_HEIGHT = { comfortable: 132, compact: 74 };

// One watcher for all cells: a cell far from the eye has its place and none of its cards.
const nearness = typeof IntersectionObserver === "undefined" ? null
  : new IntersectionObserver((seen) => seen.forEach((each) => each.target.tbNear?.(each.isIntersecting)), { rootMargin: NEAR });

function useNear() {
  const box = useRef(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element || !nearness) return undefined;
    element.tbNear = setNear;
    nearness.observe(element);
    return () => nearness.unobserve(element);
  }, []);
  return [box, near];
}

const Slot = memo(function Slot({ card, isFirst, pending }) {
  const speak = useLanguage();
  const board = useContext(OnBoard);
  const movable = board.mayMove && !card.closed_at;
  return h("div", {
    className: "tb-slot", "data-card": card.id, "data-lifted": board.held === card.id || undefined,
    // It holds a link, a box to tick and a menu, so it must not be a button itself.
    role: "group", tabIndex: isFirst || board.focus === card.id ? 0 : -1,
    "aria-label": speak.t("board.card", { no: card.no, title: card.title }), "aria-roledescription": movable ? speak.t("board.card_role") : undefined,
    "aria-describedby": "tb-how", "aria-current": board.shown === card.id ? "true" : undefined,
  }, h(BoardCard, {
    card, dense: board.dense, pending, unread: board.isUnread(card), chosen: board.chosen.has(card.id), choosing: board.chosen.size > 0,
    mover: board.movers.get(card.id), onChoose: board.onChoose, onMenu: board.onMenu,
  }));
});

const COMPONENTS = {
  Footer: function More({ context }) {
    const speak = useLanguage();
    const { cell, loading, onMore } = context;
    if (!cell.more) return h("div", { className: "tb-end" });
    return h("button", { type: "button", className: "tc-btn tb-load", "data-tone": "quiet", disabled: loading, onClick: () => onMore(cell) },
      loading ? h("span", { className: "tc-spin" }) : null, speak.t("board.more", { n: Math.max(cell.count - cell.cards.length, 1) }));
  },
};

const keyOf = (_, card) => card.id;

export const Cell = memo(function Cell({ cell, label, height, loading, onMore, onList }) {
  const speak = useLanguage();
  const { dense } = useContext(OnBoard);
  const [box, near] = useNear();
  const context = useMemo(() => ({ cell, loading, onMore }), [cell, loading, onMore]);
  const list = useCallback((handle) => onList(cell.key, handle), [cell.key, onList]);
  const pending = useMemo(() => new Set(cell.pending), [cell.pending]);
  const draw = useCallback((index, card) => h(Slot, { card, isFirst: index === 0, pending: pending.has(card.id) }), [pending]);
  const isEmpty = cell.cards.length === 0 && !cell.more;
  return h("div", { ref: box, className: "tb-cards", role: "group", "aria-label": label, style: height ? { height } : undefined },
    isEmpty && h("div", { className: "tb-none" }, h(Inbox, { size: height ? 14 : 18, "aria-hidden": true }), !height && speak.t("board.lane_empty")),
    near && !isEmpty && h(Virtuoso, {
      ref: list, className: "tb-list", data: cell.cards, computeItemKey: keyOf, itemContent: draw, components: COMPONENTS, context, tabIndex: -1,
      defaultItemHeight: dense ? CARD_HEIGHT.compact : CARD_HEIGHT.comfortable, increaseViewportBy: 240,
      endReached: () => cell.more && onMore(cell),
    }));
});

export const cellHeight = (count, dense) => Math.min(Math.max(count, 1), dense ? 5 : 3) * (dense ? CARD_HEIGHT.compact : CARD_HEIGHT.comfortable) + 16;

// How full a lane is: over its soft limit amber, at its hard limit red, each with a sign of its own.
export const fullness = (count, limit) => (limit?.hard != null && count >= limit.hard ? "hard" : limit?.soft != null && count > limit.soft ? "soft" : "");

function Count({ lane, by, mayLimit, onLimit }) {
  const speak = useLanguage();
  const used = lane.load ? lane.load.open : lane.count;
  const most = lane.limit?.hard ?? lane.limit?.soft ?? null;
  const full = fullness(used, lane.limit);
  const title = [
    speak.t("board.count", { n: lane.count }), lane.load ? loadText(lane.load, speak) : "",
    lane.limit?.soft != null ? speak.t("board.limit.soft_is", { n: lane.limit.soft }) : "", lane.limit?.hard != null ? speak.t("board.limit.hard_is", { n: lane.limit.hard }) : "",
    full ? speak.t(`board.limit.${full}`) : "",
  ].filter(Boolean).join(" · ");
  const text = h("span", { className: "tb-count", "data-test": `count-${lane.key}`, "data-full": full || undefined },
    full && h(full === "hard" ? OctagonX : CircleAlert, { size: 12, "aria-hidden": true }),
    speak.number(lane.load ? used : lane.count), most === null ? null : h("span", { className: "tb-count-most" }, ` / ${speak.number(most)}`));
  const limited = mayLimit && (by === "stage" || by === "person") && lane.key !== "none";
  if (!limited) return h("span", { title }, text, h("span", { className: "tc-sr" }, title));
  return h("button", { type: "button", className: "tb-count-button", title: `${title} · ${speak.t("board.limit.edit")}`, "aria-label": `${title}. ${speak.t("board.limit.edit")}`, onClick: () => onLimit(lane) }, text);
}

export const LaneHead = memo(function LaneHead({ lane, by, folded, onFold, mayLimit, onLimit }) {
  const speak = useLanguage();
  const name = speak.label(lane.name);
  const fold = speak.t(folded ? "board.unfold" : "board.fold", { name });
  return h("header", { className: "tb-lane-head" },
    h("i", { className: "tb-dot", "aria-hidden": true }),
    h("h2", { title: name }, name),
    lane.onDuty === false && h("span", { className: "tb-off", title: speak.t("board.off_duty") }, h(UserX, { size: 13, "aria-hidden": true }), h("span", { className: "tc-sr" }, speak.t("board.off_duty"))),
    h(Count, { lane, by, mayLimit, onLimit }),
    h("span", { className: "tb-gap" }),
    h("button", { type: "button", className: "tc-btn tb-fold", "data-tone": "quiet", "data-shape": "icon", "aria-label": fold, title: fold, "aria-expanded": !folded, onClick: () => onFold(lane.key) },
      h(folded ? ChevronsLeftRight : ChevronsRightLeft, { "aria-hidden": true })));
});

// The attributes of a lane, or of a cell of it, while a card is held above the board.
export function truthMarks(verdict, isHome) {
  if (!verdict) return {};
  return {
    "data-truth": verdict.tone, "data-target": (isOpen(verdict) && !isHome) || undefined, "data-refused": !isOpen(verdict) || undefined,
  };
}

export const Lane = memo(function Lane({ lane, by, folded, verdict, isHome, loading, mayLimit, onFold, onMore, onLimit, onList }) {
  const speak = useLanguage();
  const name = speak.label(lane.name);
  return h("section", {
    className: "tb-lane", "data-lane": lane.key, "data-row": "", "data-folded": folded, "data-category": lane.category,
    "aria-label": speak.t("board.lane", { name, n: lane.count }), ...truthMarks(verdict, isHome),
  },
    h(LaneHead, { lane, by, folded, onFold, mayLimit, onLimit }),
    verdict && !folded && !(isHome && verdict.tone === "green") && h("div", { className: "tb-why" }, h(Verdict, { verdict })),
    folded ? h("div", { className: "tb-cards" }) : h(Cell, { cell: lane.cells[0], label: name, loading, onMore, onList }));
});
