// One card of the board.
import { createElement as h, memo } from "react";
import { Link, useNavigate } from "react-router";
import { CircleDashed, Crown, Ellipsis, ExternalLink, Undo2 } from "lucide-react";
import { Ago, Due, Standing, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { MenuButton } from "$/public/external/ticket_console/components/overlay/overlay.jsx";

const TONES = ["accent", "violet", "teal", "ok", "warn"];
const toneOf = (id) => TONES[Number(id) % TONES.length];

function Person({ id, name }) {
  const speak = useLanguage();
  if (!name) {
    return h("span", { className: "tb-nobody", title: speak.t("board.unassigned") },
      h(CircleDashed, { size: 14, "aria-hidden": true }), h("span", { className: "tc-sr" }, speak.t("board.unassigned")));
  }
  return h("span", { className: "tb-person", title: speak.t("board.assigned_to", { name }) },
    h("span", { className: "tc-avatar", "data-tone": toneOf(id), "aria-hidden": true }, name.slice(0, 1).toUpperCase()),
    h("span", { className: "tb-person-name" }, name));
}

const NEEDS = { form: "board.needs.form", reason: "board.needs.reason" };

function moveItems(card, names, speak, onMove) {
  const moves = card.moves.filter((move) => names.has(move.to));
  return [
    { heading: speak.t("board.move_to") },
    ...moves.map((move) => ({
      key: move.to, label: speak.label(names.get(move.to)), tone: move.kind === "cancel" ? "danger" : undefined,
      hint: NEEDS[move.needs] ? speak.t(NEEDS[move.needs]) : undefined, onSelect: () => onMove(card, move),
    })),
    ...(moves.length ? [] : [{ key: "none", label: speak.t("board.no_moves"), disabled: true }]),
    { line: true },
    { key: "open", label: speak.t("board.open"), icon: h(ExternalLink), href: `/tickets/${card.id}` },
  ];
}

export const BoardCard = memo(function BoardCard({ card, names, pending, onMove }) {
  const speak = useLanguage();
  const closed = Boolean(card.closed_at);
  const where = [speak.label(card.customer), speak.label(card.site)].filter(Boolean).join(" · ");
  return h("article", { className: "tb-card", "data-pending": pending || undefined, "data-priority": card.priority },
    h("div", { className: "tb-card-top" },
      h("span", { className: "tc-bars", "data-level": card.priority, role: "img", "aria-label": speak.t(`priority.${card.priority}`) }, h("i"), h("i"), h("i")),
      h("span", { className: "tb-no" }, card.no),
      card.flags.includes("vip") && h("span", { className: "tb-flag", "data-tone": "warn", title: speak.t("board.flag.vip") }, h(Crown, { size: 12, "aria-hidden": true }), h("span", { className: "tc-sr" }, speak.t("board.flag.vip"))),
      card.flags.includes("returned") && h("span", { className: "tb-flag", "data-tone": "danger", title: speak.t("board.flag.returned") }, h(Undo2, { size: 12, "aria-hidden": true }), h("span", { className: "tc-sr" }, speak.t("board.flag.returned"))),
      h("span", { className: "tb-gap" }),
      card.since && h(Standing, { at: card.since, lateAt: card.late_at, short: true }),
      h(MenuButton, {
        label: speak.t("board.card_menu", { no: card.no }), items: moveItems(card, names, speak, onMove), buttonClass: "tc-btn tb-menu", shape: "icon", "data-menu": true,
      }, h(Ellipsis, { "aria-hidden": true }))),
    h(Link, { to: `/tickets/${card.id}`, className: "tb-title", tabIndex: -1, draggable: false }, card.title),
    where && h("p", { className: "tb-where tc-clip", title: where }, where),
    h("div", { className: "tb-card-foot" },
      h(Person, { id: card.assignee_id, name: speak.label(card.assignee) }),
      h("span", { className: "tb-gap" }),
      closed ? h(Ago, { at: card.closed_at, className: "tb-age" })
        : card.due_at ? h(Due, { at: card.due_at }) : h(Ago, { at: card.opened_at, className: "tb-age" })),
    card.progress_bp > 0 && !closed && h("span", { className: "tb-progress", "aria-hidden": true, style: { width: `${card.progress_bp / 100}%` } }));
});

// What the keyboard does on a card that is not being dragged; the space bar belongs to the drag.
export function useCardKeys() {
  const navigate = useNavigate();
  return (card) => (event) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter") navigate(`/tickets/${card.id}`);
    if (event.key === "m") event.currentTarget.querySelector("[data-menu]")?.click();
  };
}
