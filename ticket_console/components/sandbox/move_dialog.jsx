// Moving a card without a mouse: person, and a time where one is wanted. What the move is told stands beside it.
import { createElement as h, useEffect, useId, useState } from "react";
import { Link } from "react-router";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { By, Said } from "./figures.jsx";

// An instant as the clock of the region shows it, "2026-11-23T09:00".
function wall(at, zone) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).formatToParts(at).map((part) => [part.type, part.value]));
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

const minutesOf = (visit) => Math.round((new Date(visit[1]) - new Date(visit[0])) / 60000);

export function MoveDialog({ card, branch, mayMove, onPut, onDropMove, onClose }) {
  const speak = useLanguage();
  const id = useId();
  const [wish, setWish] = useState(null);
  useEffect(() => {
    if (!card) return;
    const next = new Date(Math.ceil((Date.now() + 1800000) / 900000) * 900000);
    setWish({
      person: card.holder ?? 0, timed: Boolean(card.visit), start: wall(card.visit ? new Date(card.visit[0]) : next, branch.zone), minutes: card.visit ? minutesOf(card.visit) : 60,
    });
    // What is typed is kept while the plan changes below the dialog.
  }, [card?.key]);
  if (!card || !wish) return h(Dialog, { open: false, title: "", onClose });
  const move = branch.moves.find((each) => each.id === card.id);
  const set = (name, value) => setWish({ ...wish, [name]: value });
  const submit = (event) => {
    event.preventDefault();
    const timed = wish.timed && wish.person > 0;
    onPut(card, wish.person, timed ? wish.start : "", timed ? wish.minutes : 0);
    onClose();
  };
  const field = (name, control) => h("div", { className: "tc-field" }, h("label", { htmlFor: `${id}-${name}` }, speak.t(`sandbox.put.${name}`)), control);
  const locked = !mayMove || card.steps > 1;
  return h(Dialog, { open: true, title: speak.t("sandbox.put.title", { no: card.no }), text: card.title, onClose },
    h("form", { onSubmit: submit, className: "sb-put" },
      card.address && h("p", { className: "tc-help" }, card.address),
      card.steps > 1 && h("p", { className: "tc-note", "data-tone": "warn" }, speak.t("sandbox.put.steps", { n: card.steps })),
      field("person", h("select", { id: `${id}-person`, className: "tc-select", "data-focus": true, disabled: locked, value: wish.person, onChange: (event) => set("person", Number(event.target.value)) },
        h("option", { value: 0 }, speak.t("sandbox.nobody")),
        branch.people.map((person) => h("option", { key: person.id, value: person.id }, `${person.name} (${person.load[1]}/${person.of})`)))),
      h("label", { className: "sb-check" }, h("input", { type: "checkbox", checked: wish.timed && wish.person > 0, disabled: locked || wish.person === 0, onChange: (event) => set("timed", event.target.checked) }), speak.t("sandbox.put.timed")),
      wish.timed && wish.person > 0 && h("div", { className: "sb-times" },
        field("start", h("input", { id: `${id}-start`, type: "datetime-local", className: "tc-input", required: true, disabled: locked, value: wish.start, onChange: (event) => set("start", event.target.value) })),
        field("minutes", h("input", { id: `${id}-minutes`, type: "number", min: 5, max: 720, step: 5, required: true, className: "tc-input", disabled: locked, value: wish.minutes, onChange: (event) => set("minutes", Number(event.target.value)) }))),
      move && (move.against.length + move.warnings.length > 0 || move.contested) && h("div", { className: "tc-note", "data-tone": move.tone === "danger" ? "danger" : "warn" }, h("div", null,
        move.contested && h("p", null, speak.t("sandbox.move.contested"), " ", h(By, { by: move.by })),
        h(Said, { list: move.against, tone: "danger" }), h(Said, { list: move.warnings, tone: "warn" }))),
      h("div", { className: "tc-dialog-foot" },
        move && mayMove && h("button", { type: "button", className: "tc-btn", onClick: () => {
          onDropMove(card.id);
          onClose();
        } }, speak.t("sandbox.put.back")),
        h(Link, { to: `/tickets/${card.id}`, className: "tc-btn", "data-tone": "quiet" }, speak.t("sandbox.put.open")),
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        !locked && h("button", { type: "submit", className: "tc-btn", "data-tone": "primary" }, speak.t("sandbox.put.do")))));
}
