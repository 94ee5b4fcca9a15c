// The ticket beside the board: what it is, where it stands, what keeps it, and what may be done with it.
import { createElement as h, memo } from "react";
import { Link } from "react-router";
import { ArrowRightLeft, Ban, Crown, ExternalLink, Phone, Pin, PackageCheck, PackageX, X } from "lucide-react";
import { Ago, Due, Moment, Standing, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

function Part({ title, children }) {
  return h("section", { className: "tb-panel-part" }, h("h3", null, title), children);
}

function Facts({ rows }) {
  const said = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { className: "tb-facts" }, said.map(([label, value]) => h("div", { key: label }, h("dt", null, label), h("dd", null, value))));
}

function Step({ step }) {
  const speak = useLanguage();
  return h("li", { className: "tb-step" },
    h("div", { className: "tb-step-top" }, h("strong", null, speak.label(step.name)), h("span", { className: "tb-gap" }), step.since && h(Standing, { at: step.since, lateAt: step.late_at })),
    step.owner && h("span", { className: "tc-muted" }, speak.label(step.owner)),
    step.missing.map((each, at) => h("span", { key: at, className: "tb-chip", "data-tone": "warn" }, speak.t(each.code, each.params))));
}

function Panel({ ticket, mayMove, onMenu }) {
  const speak = useLanguage();
  return h("div", { className: "tb-panel-body" },
    h("div", { className: "tb-panel-top" },
      h("span", { className: "tc-bars", "data-level": ticket.priority, role: "img", "aria-label": speak.t(`priority.${ticket.priority}`) }, h("i"), h("i"), h("i")),
      h("span", { className: "tb-chip" }, speak.label(ticket.stage.name)),
      ticket.vip && h("span", { className: "tb-vip" }, h(Crown, { size: 11, "aria-hidden": true }), "VIP"),
      h("span", { className: "tb-gap" }),
      ticket.due_at && !ticket.closed_at && h(Due, { at: ticket.due_at })),
    h("h2", { className: "tb-panel-title" }, ticket.title),
    ticket.description && h("p", { className: "tb-panel-text" }, ticket.description),
    h("div", { className: "tb-panel-acts" },
      mayMove && !ticket.closed_at && h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => onMenu(ticket.ticket_id) }, h(ArrowRightLeft, { "aria-hidden": true }), speak.t("board.move_or_assign")),
      h(Link, { className: "tc-btn", to: `/tickets/${ticket.ticket_id}` }, h(ExternalLink, { "aria-hidden": true }), speak.t("board.open"))),
    ticket.blocked.length > 0 && h("ul", { className: "tb-blocked" }, ticket.blocked.map((each, at) => h("li", { key: at }, h(Ban, { size: 13, "aria-hidden": true }), speak.t(each.code, each.params)))),
    h(Facts, { rows: [
      [speak.t("board.panel.customer"), speak.label(ticket.customer)],
      [speak.t("board.panel.contact"), [ticket.contact, ticket.phone].some(Boolean) && h("span", null, ticket.contact, ticket.contact && ticket.phone ? " · " : "",
        ticket.phone && h("a", { href: `tel:${ticket.phone}`, className: "tc-link" }, h(Phone, { size: 12, "aria-hidden": true }), ticket.phone))],
      [speak.t("board.panel.where"), [speak.label(ticket.where), ticket.address].filter(Boolean).join(" · ")],
      [speak.t("board.filter.region"), speak.label(ticket.region)],
      [speak.t("board.filter.template"), speak.label(ticket.template)],
      [speak.t("board.filter.assignee"), speak.label(ticket.assignee) || speak.t("board.unassigned")],
      [speak.t("board.panel.opened"), h(Moment, { at: ticket.opened_at })],
      [speak.t("board.panel.due"), ticket.due_at && h(Moment, { at: ticket.due_at })],
    ] }),
    ticket.steps.length > 0 && h(Part, { title: speak.t("board.panel.steps") },
      h("div", { className: "tb-panel-progress", role: "img", "aria-label": speak.t("board.panel.progress", { n: Math.round(ticket.progress_bp / 100) }) }, h("i", { style: { width: `${ticket.progress_bp / 100}%` } })),
      h("ol", { className: "tb-steps" }, ticket.steps.map((step) => h(Step, { key: step.token_id, step })))),
    ticket.fields.length > 0 && h(Part, { title: speak.t("board.panel.entries") }, h(Facts, { rows: ticket.fields.map((field) => [speak.label(field.label), speak.label(field.shown)]) })),
    ticket.parts.length > 0 && h(Part, { title: speak.t("board.panel.parts") },
      h("ul", { className: "tb-plain" }, ticket.parts.map((part) => h("li", { key: part.sku },
        h("span", null, speak.label(part.name)), h("span", { className: "tc-muted" }, `× ${speak.number(part.quantity)}`)))),
      ticket.parts_state && h("span", { className: "tb-chip", "data-tone": ticket.parts_state === "ready" ? "ok" : "warn" },
        h(ticket.parts_state === "ready" ? PackageCheck : PackageX, { size: 12, "aria-hidden": true }), speak.t(ticket.parts_state === "ready" ? "board.parts.ready" : "board.parts.short"))),
    ticket.links.length > 0 && h(Part, { title: speak.t("board.panel.links") },
      h("ul", { className: "tb-plain" }, ticket.links.map((link) => h("li", { key: `${link.kind}-${link.ticket_id}` },
        h("span", { className: "tc-muted" }, speak.t(`ticket.link.${link.kind}`)), h(Link, { className: "tc-link", to: `/tickets/${link.ticket_id}` }, link.no), h("span", { className: "tc-clip" }, link.title), h("span", { className: "tb-chip" }, speak.label(link.stage)))))),
    ticket.comments.length > 0 && h(Part, { title: speak.t("board.panel.comments") },
      h("ul", { className: "tb-plain" }, ticket.comments.map((comment, at) => h("li", { key: at, className: "tb-comment" },
        h("span", null, h("strong", null, speak.label(comment.who)), " ", h(Ago, { at: comment.at, className: "tc-muted" })), h("p", null, comment.text))))),
    ticket.timeline.length > 0 && h(Part, { title: speak.t("board.panel.timeline") },
      h("ol", { className: "tb-plain" }, ticket.timeline.map((entry, at) => h("li", { key: at, className: "tb-comment" },
        h("span", null, h("strong", null, speak.known(`event.${entry.type}`) ? speak.t(`event.${entry.type}`) : speak.t("board.panel.change")), " ", h("span", { className: "tc-muted" }, speak.label(entry.who), " · "), h(Ago, { at: entry.at, className: "tc-muted" })),
        entry.text && h("p", null, speak.label(entry.text)))))));
}

// `shown` is the ticket wanted, `ticket` what the server told; `pinned` panels stay until they are closed.
export const SidePanel = memo(function SidePanel({ shown, no, ticket, pinned, side, mayMove, onMenu, onPin, onClose, onEnter, onLeave }) {
  const speak = useLanguage();
  const ready = ticket?.ticket_id === shown;
  return h("aside", {
    className: "tb-panel", "data-side": side, "data-pinned": pinned || undefined, "aria-label": speak.t("board.panel", { no }), "aria-busy": !ready || undefined,
    onPointerEnter: onEnter, onPointerLeave: onLeave, tabIndex: -1,
  },
    h("header", { className: "tb-panel-head" },
      h("span", { className: "tb-no" }, no), h("span", { className: "tb-gap" }),
      !pinned && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("board.panel.pin"), title: speak.t("board.panel.pin"), onClick: onPin }, h(Pin, { "aria-hidden": true })),
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("common.close"), title: speak.t("common.close"), onClick: onClose }, h(X, { "aria-hidden": true }))),
    !ready && h("div", { className: "tb-panel-body" }, ["60%", "90%", "75%", "40%"].map((width) => h("div", { key: width, className: "tc-bone", style: { "--width": width, "--height": "16px" } }))),
    ready && ticket.code && h("p", { className: "tb-panel-body", role: "alert" }, speak.t(ticket.code, ticket.params)),
    ready && !ticket.code && h(Panel, { ticket, mayMove, onMenu }));
});
