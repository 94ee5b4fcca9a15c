// What can be put into a form, by group: dragged, pressed, or found by typing and Enter.
import { createElement as h, useMemo, useState } from "react";
import { Draggable, Droppable } from "@hello-pangea/dnd";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Icon } from "./parts.jsx";

function Tile({ kind, drag, dragging, onAdd }) {
  const speak = useLanguage();
  const name = speak.label(kind.label);
  return h("div", {
    ref: drag?.innerRef, ...drag?.draggableProps, ...drag?.dragHandleProps, className: "fm-tile", "data-dragging": dragging || undefined, "data-kind": kind.key,
    role: "button", tabIndex: 0, title: speak.t("form_designer.palette.add", { kind: name }),
    onClick: () => onAdd?.(kind),
    onKeyDown: (event) => {
      drag?.dragHandleProps?.onKeyDown?.(event);
      if (event.key === "Enter" && !event.defaultPrevented) onAdd?.(kind);
    },
  }, h(Icon, { name: kind.icon }), h("span", null, name), h(Icon, { name: "plus", className: "fm-tile-plus" }));
}

export function Palette({ kinds, onAdd, onAddSection }) {
  const speak = useLanguage();
  const [wanted, setWanted] = useState("");
  const groups = useMemo(() => {
    const needle = wanted.trim().toLowerCase();
    const fits = (kind) => !needle || [kind.key, kind.label.zh, kind.label.en].some((text) => text?.toLowerCase().includes(needle));
    const found = new Map();
    for (const kind of kinds.filter(fits)) found.set(kind.group.key, { ...kind.group, kinds: [...(found.get(kind.group.key)?.kinds ?? []), kind] });
    return [...found.values()];
  }, [kinds, wanted]);
  const first = groups[0]?.kinds[0];

  return h("div", { className: "fm-palette" },
    h("label", { className: "tc-search" }, h(Icon, { name: "search" }), h("input", {
      type: "search", className: "tc-input", "data-search": true, value: wanted, placeholder: speak.t("form_designer.palette.search"), "aria-label": speak.t("form_designer.palette.search"),
      onChange: (event) => setWanted(event.target.value),
      onKeyDown: (event) => {
        if (event.key === "Enter" && first) onAdd(first);
        if (event.key === "Escape") setWanted("");
      },
    })),
    h("p", { className: "fm-palette-hint" }, speak.t("form_designer.palette.hint")),
    groups.map((group) => h("section", { key: group.key, "aria-label": speak.label(group.label) },
      h("h3", null, speak.label(group.label)),
      h(Droppable, {
        droppableId: `palette:${group.key}`, isDropDisabled: true, type: "field",
        renderClone: (drag, snapshot, rubric) => h(Tile, { drag, dragging: snapshot.isDragging, kind: kinds.find((kind) => `kind:${kind.key}` === rubric.draggableId) }),
      }, (drop, snapshot) => h("div", { ref: drop.innerRef, ...drop.droppableProps, className: "fm-tiles" },
        group.kinds.map((kind, index) => (snapshot.draggingFromThisWith === `kind:${kind.key}`
          ? h(Tile, { key: kind.key, kind })
          : h(Draggable, { key: kind.key, draggableId: `kind:${kind.key}`, index }, (drag) => h(Tile, { drag, kind, onAdd })))),
        h("span", { style: { display: "none" } }, drop.placeholder))))),
    groups.length === 0 && h("p", { className: "fm-palette-none" }, speak.t("form_designer.palette.none", { text: wanted })),
    h("button", { type: "button", className: "tc-btn fm-palette-section", onClick: onAddSection }, h(Icon, { name: "rows_3" }), speak.t("form_designer.section.add")));
}
