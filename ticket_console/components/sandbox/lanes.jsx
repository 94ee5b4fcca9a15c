// Lanes of people with what they have in the branch, in the order in which they come to it; beside them what nobody
// has. Every lane scrolls with its neighbours, so that a drag has one thing to scroll.
import { createElement as h, memo, useMemo, useState } from "react";
import { DragDropContext, Draggable, Droppable } from "@hello-pangea/dnd";
import { Clock, Ellipsis, PackageX, Search, Star, TriangleAlert } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const NOBODY = "0";

// A time of today needs no date on a card.
const brief = (speak, at, zone) => speak.when(at, zone, speak.when(at, zone, "date") === speak.when(new Date().toISOString(), zone, "date") ? "time" : "datetime");

const Card = memo(function Card({ card, zone, index, mayMove, onOpen }) {
  const speak = useLanguage();
  const says = [
    card.visit ? speak.t("sandbox.card.visit", { at: brief(speak, card.visit[0], zone) }) : card.eta && speak.t("sandbox.card.eta", { at: brief(speak, card.eta, zone) }),
  ].filter(Boolean);
  return h(Draggable, { draggableId: String(card.key), index, isDragDisabled: !mayMove || card.steps > 1 }, (given, held) => h("li", {
    ref: given.innerRef, ...given.draggableProps, className: "sb-card", "data-card": card.no, "data-ticket": card.id, "data-moved": card.moved || undefined, "data-tone": card.tone || undefined,
    "data-held": held.isDragging || undefined, style: { ...given.draggableProps.style, "--sb-tone": `var(--tc-priority-${card.priority})` },
  },
  h("div", { ...given.dragHandleProps, className: "sb-grip", "aria-label": speak.t("sandbox.card", { no: card.no, title: card.title }) },
    h("div", { className: "sb-card-top" }, h("b", null, card.no),
      card.vip && h(Star, { size: 12, role: "img", "aria-label": speak.t("sandbox.card.vip") }),
      card.parts && h(PackageX, { size: 12, role: "img", "aria-label": speak.t("sandbox.card.parts") }),
      card.moved && h("span", { className: "sb-mark" }, speak.t("sandbox.card.moved"))),
    h("span", { className: "sb-title" }, card.title),
    says.length > 0 && h("span", { className: "sb-when" }, h(Clock, { size: 11, "aria-hidden": true }), says.join(" · ")),
    card.late && h("span", { className: "sb-late" }, h(TriangleAlert, { size: 11, "aria-hidden": true }), card.due ? speak.t("sandbox.card.late", { at: brief(speak, card.due, zone) }) : ""),
    card.tone === "danger" && h("span", { className: "sb-late" }, speak.t("sandbox.card.trouble"))),
  h("button", { type: "button", className: "tc-btn sb-more", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("sandbox.card.menu", { no: card.no }), title: speak.t("sandbox.card.menu", { no: card.no }), onClick: () => onOpen(card) }, h(Ellipsis, { size: 14, "aria-hidden": true }))));
});

const signed = (number, text = number) => (number > 0 ? `+${text}` : `${text}`);

function Before({ pair, unit, name }) {
  const speak = useLanguage();
  const [live, branch] = pair;
  if (!live && !branch) return null;
  return h("span", { className: "sb-fact" }, speak.t(`sandbox.person.${name}`, { n: branch }), live !== branch && h("b", { "data-tone": branch > live ? "danger" : "ok" }, ` ${signed(branch - live)}${unit}`));
}

function Head({ person, count }) {
  const speak = useLanguage();
  const [live, branch] = person.load;
  return h("header", { className: "sb-head", "data-over": branch > person.of || undefined },
    h("h3", null, person.name, !person.there && h("span", { className: "tc-help" }, " ", speak.t("sandbox.person.away"))),
    h("div", { className: "sb-facts" },
      h("span", { className: "sb-fact" }, speak.t("sandbox.person.load", { n: branch, of: person.of }), live !== branch && h("b", { "data-tone": "changed" }, ` ${signed(branch - live)}`)),
      h(Before, { pair: person.late, unit: "", name: "late" }),
      h(Before, { pair: person.travel, unit: "′", name: "travel" }),
      h(Before, { pair: person.overtime, unit: "′", name: "overtime" })),
    h("span", { className: "tc-sr" }, speak.t("sandbox.person.cards", { n: count })));
}

function Lane({ id, label, head, cards, zone, mayMove, onOpen }) {
  const speak = useLanguage();
  return h("section", { className: "sb-lane", "data-lane": id, "aria-label": label }, head,
    h(Droppable, { droppableId: id }, (given, over) => h("ul", { ref: given.innerRef, ...given.droppableProps, className: "sb-cards", "data-over": over.isDraggingOver || undefined, "aria-label": label },
      cards.map((card, index) => h(Card, { key: card.key, card, zone, index, mayMove, onOpen })),
      given.placeholder,
      cards.length === 0 && !over.isDraggingOver && h("li", { className: "sb-none" }, speak.t("sandbox.lane.none")))));
}

const byTime = (one, other) => (one.eta ?? one.due ?? "9") < (other.eta ?? other.due ?? "9") ? -1 : 1;

export function Lanes({ branch, cards, mayMove, onPut, onOpen }) {
  const speak = useLanguage();
  const [sought, setSought] = useState("");
  const [held, setHeld] = useState(null);
  const lanes = useMemo(() => {
    const found = new Map([[NOBODY, []], ...branch.people.map((person) => [String(person.id), []])]);
    for (const card of cards) (found.get(String(card.holder ?? NOBODY)) ?? found.get(NOBODY)).push(card);
    for (const list of found.values()) list.sort(byTime);
    return found;
  }, [cards, branch.people]);
  const nameOf = (id) => (id === NOBODY ? speak.t("sandbox.nobody") : branch.people.find((person) => String(person.id) === id)?.name ?? "");
  const dropped = (result, { announce }) => {
    setHeld(null);
    const card = cards.find((each) => String(each.key) === result.draggableId);
    if (!card || !result.destination || result.destination.droppableId === result.source.droppableId) {
      announce(speak.t("sandbox.said.left"));
      return;
    }
    announce(speak.t("sandbox.said.put", { no: card.no, who: nameOf(result.destination.droppableId) }));
    onPut(card, Number(result.destination.droppableId));
  };
  // A lane is never taken away below a card that is being carried over it.
  const needle = held ? held.sought : sought.trim().toLowerCase();
  const shown = branch.people.filter((person) => person.name.toLowerCase().includes(needle));
  const lane = (id, label, head) => h(Lane, { key: id, id, label, head, cards: lanes.get(id), zone: branch.zone, mayMove, onOpen });
  return h(DragDropContext, {
    dragHandleUsageInstructions: speak.t("sandbox.said.how"),
    onDragStart: (start, { announce }) => {
      setHeld({ sought: sought.trim().toLowerCase() });
      announce(speak.t("sandbox.said.lifted", { no: cards.find((each) => String(each.key) === start.draggableId)?.no }));
    },
    onDragUpdate: (update, { announce }) => announce(update.destination ? speak.t("sandbox.said.over", { who: nameOf(update.destination.droppableId) }) : speak.t("sandbox.said.nowhere")),
    onDragEnd: dropped,
  },
  h("div", { className: "sb-nobody" }, lane(NOBODY, nameOf(NOBODY), h("header", { className: "sb-head" }, h("h3", null, nameOf(NOBODY), " ", h("span", { className: "tc-help" }, lanes.get(NOBODY).length))))),
  h("div", { className: "sb-people" },
    h("label", { className: "tc-search sb-search" }, h(Search, { "aria-hidden": true }),
      h("input", { type: "search", className: "tc-input", "data-search": true, value: sought, maxLength: 60, placeholder: speak.t("sandbox.people.search"), "aria-label": speak.t("sandbox.people.search"), onChange: (event) => setSought(event.target.value) })),
    h("div", { className: "sb-lanes", tabIndex: 0, role: "region", "aria-label": speak.t("sandbox.people") },
      shown.length === 0 && h("p", { className: "tc-help" }, speak.t("sandbox.people.none")),
      shown.map((person) => lane(String(person.id), person.name, h(Head, { person, count: lanes.get(String(person.id)).length }))))));
}
