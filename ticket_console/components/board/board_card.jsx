// One card of the board: what, who, where, how late, and what stands in its way.
import { createElement as h, memo } from "react";
import { Link } from "react-router";
import { Ban, CircleDashed, Crown, Ellipsis, Grab, MapPin, PackageCheck, PackageX, Repeat, Undo2 } from "lucide-react";
import { Ago, Due, Standing, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const TONES = ["accent", "violet", "teal", "ok", "warn"];
const toneOf = (id) => TONES[Number(id) % TONES.length];

export function Avatar({ id, name }) {
  return h("span", { className: "tc-avatar", "data-tone": toneOf(id), "aria-hidden": true }, String(name).slice(0, 1).toUpperCase());
}

function Person({ id, name }) {
  const speak = useLanguage();
  if (!name) {
    return h("span", { className: "tb-nobody", title: speak.t("board.unassigned") },
      h(CircleDashed, { size: 14, "aria-hidden": true }), h("span", { className: "tb-person-name" }, speak.t("board.unassigned")));
  }
  return h("span", { className: "tb-person", title: speak.t("board.assigned_to", { name }) },
    h(Avatar, { id, name }), h("span", { className: "tb-person-name" }, name));
}

function Flag({ icon, tone, text }) {
  return h("span", { className: "tb-flag", "data-tone": tone, title: text }, h(icon, { size: 12, "aria-hidden": true }), h("span", { className: "tc-sr" }, text));
}

// What keeps a card from going on: the first reason in words, the others in its title.
function Hindrances({ card, dense }) {
  const speak = useLanguage();
  const blocked = card.blocked.map((each) => speak.t(each.code, each.params));
  const parts = card.parts && speak.t(card.parts === "ready" ? "board.parts.ready" : "board.parts.short");
  if (!blocked.length && !parts) return null;
  return h("div", { className: "tb-hindrances" },
    blocked.length > 0 && h("span", { className: "tb-chip", "data-tone": "danger", title: blocked.join("\n") },
      h(Ban, { size: 12, "aria-hidden": true }), h("span", { className: "tc-clip" }, blocked[0]), blocked.length > 1 && h("span", null, `+${blocked.length - 1}`)),
    parts && h("span", { className: "tb-chip", "data-tone": card.parts === "ready" ? "ok" : "warn", title: parts },
      h(card.parts === "ready" ? PackageCheck : PackageX, { size: 12, "aria-hidden": true }), h("span", { className: dense ? "tc-sr" : "" }, parts)));
}

export const BoardCard = memo(function BoardCard({ card, dense, pending, unread, chosen, choosing, mover, onChoose, onMenu }) {
  const speak = useLanguage();
  const closed = Boolean(card.closed_at);
  const who = speak.label(card.customer);
  const place = speak.label(card.where);
  const where = [who, place === who ? "" : place].filter(Boolean).join(" · ");
  const lateness = closed ? h(Ago, { at: card.closed_at, className: "tb-age" })
    : card.due_at ? h(Due, { at: card.due_at }) : h(Ago, { at: card.opened_at, className: "tb-age" });
  const whereLine = where && h("span", { className: "tb-where", title: where }, h(MapPin, { size: 12, "aria-hidden": true }), h("span", { className: "tc-clip" }, where));
  return h("article", { className: "tb-card", "data-pending": pending || undefined, "data-priority": card.priority, "data-unread": unread || undefined, "data-chosen": chosen || undefined },
    h("div", { className: "tb-card-top" },
      h("label", { className: "tb-check", "data-no-drag": true, "data-shown": chosen || choosing || undefined },
        h("input", { type: "checkbox", checked: chosen, tabIndex: -1, "aria-label": speak.t("board.choose", { no: card.no }), onChange: () => onChoose(card.id) })),
      h("span", { className: "tc-bars", "data-level": card.priority, role: "img", "aria-label": speak.t(`priority.${card.priority}`) }, h("i"), h("i"), h("i")),
      unread && h("span", { className: "tb-unread", title: speak.t("board.unread") }, h("i", { "aria-hidden": true }), h("span", { className: "tc-sr" }, speak.t("board.unread"))),
      h("span", { className: "tb-no" }, card.no),
      card.vip && h("span", { className: "tb-vip", title: speak.t("board.flag.vip") }, h(Crown, { size: 11, "aria-hidden": true }), "VIP"),
      card.flags.includes("returned") && h(Flag, { icon: Undo2, tone: "danger", text: speak.t("board.flag.returned") }),
      card.flags.includes("handed_around") && h(Flag, { icon: Repeat, tone: "danger", text: speak.t("board.flag.handed_around", { n: card.handoffs }) }),
      h("span", { className: "tb-gap" }),
      dense ? lateness : card.since && h(Standing, { at: card.since, lateAt: card.late_at, short: true }),
      h("button", {
        type: "button", className: "tc-btn tb-menu", "data-tone": "quiet", "data-shape": "icon", "data-menu": true, tabIndex: -1, "aria-haspopup": "dialog",
        "aria-label": speak.t("board.card_menu", { no: card.no }), title: speak.t("board.card_menu", { no: card.no }), onClick: () => onMenu(card.id),
      }, h(Ellipsis, { "aria-hidden": true }))),
    h(Link, { to: `/tickets/${card.id}`, className: "tb-title", tabIndex: -1, draggable: false }, card.title),
    !dense && whereLine,
    !dense && h(Hindrances, { card }),
    h("div", { className: "tb-card-foot" },
      h(Person, { id: card.assignee_id, name: speak.label(card.assignee) }),
      dense && whereLine,
      h("span", { className: "tb-gap" }),
      dense ? h(Hindrances, { card, dense }) : lateness),
    mover && h("p", { className: "tb-mover" }, h(Grab, { size: 12, "aria-hidden": true }), speak.t("board.moved_by", { name: mover })),
    card.progress_bp > 0 && !closed && h("span", { className: "tb-progress", "aria-hidden": true, style: { width: `${card.progress_bp / 100}%` } }));
});
