// The form as it is being drawn: sections and the cards of their fields.
import { createElement as h, memo, useEffect, useRef, useState } from "react";
import { Draggable, Droppable } from "@hello-pangea/dnd";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { ForeignNote, Icon, IconButton } from "./parts.jsx";
import { isForeign } from "./fields.js";
import { Sketch } from "./sketch.jsx";

const quickDrop = (style, snapshot) => (snapshot.isDropAnimating ? { ...style, transitionDuration: "0.12s" } : style);

// A name that becomes an input where it stands; Enter and leaving keep it, Escape does not.
function NameInPlace({ text, label, editing, onStart, onEnd, level, placeholder }) {
  const box = useRef(null);
  useEffect(() => {
    if (!editing || !box.current) return;
    box.current.focus();
    box.current.select();
  }, [editing]);
  if (!editing) {
    return h(level, { className: "fm-name", "data-empty": !text || undefined, onDoubleClick: onStart }, text || placeholder);
  }
  return h("input", {
    ref: box, className: "fm-name-input", defaultValue: text, "aria-label": label, maxLength: 300, autoComplete: "off",
    onBlur: (event) => onEnd(event.target.value),
    onClick: (event) => event.stopPropagation(),
    onKeyDown: (event) => {
      event.stopPropagation();
      if (event.nativeEvent.isComposing) return;
      if (event.key === "Enter") event.currentTarget.blur();
      if (event.key === "Escape") onEnd(null);
    },
  });
}

function Marks({ field, isLater }) {
  const speak = useLanguage();
  const mark = (icon, key, tone) => h("span", { key, className: "fm-mark", "data-tone": tone, title: speak.t(key) }, h(Icon, { name: icon }), h("span", { className: "tc-sr" }, speak.t(key)));
  return h("span", { className: "fm-marks" },
    isLater && mark("milestone", "form_designer.mark.later"),
    field.state === "hidden" && mark("eye_off", "form_designer.mark.hidden", "warn"),
    (field.from || field.until) && mark("calendar_clock", "form_designer.mark.scheduled"),
    (field.visible_when || field.required_when) && mark("split", "form_designer.mark.conditions"),
    (field.behaviours ?? []).length > 0 && mark("zap", "form_designer.mark.behaviours"),
    field.locks && mark("pen_off", "form_designer.mark.locks"),
    field.sensitivity && field.sensitivity !== "public" && mark("lock", "form_designer.mark.sensitive"));
}

const FieldCard = memo(function FieldCard({ field, kind, index, selected, renaming, problems, isLocked, act }) {
  const speak = useLanguage();
  const name = speak.label(field.label);
  const shown = name || speak.t("form_designer.field.no_name");
  return h(Draggable, { draggableId: `field:${field.key}`, index, isDragDisabled: isLocked }, (drag, snapshot) => h("div", {
    ref: drag.innerRef, ...drag.draggableProps, ...drag.dragHandleProps, style: quickDrop(drag.draggableProps.style, snapshot), className: "fm-slot",
    role: "group", tabIndex: 0, "aria-roledescription": speak.t("form_designer.field.role"), "aria-label": speak.t("form_designer.field.label", { name: shown, kind: speak.label(kind?.label) }),
    "data-field-card": field.key, "data-dragging": snapshot.isDragging || undefined,
    onClick: () => act.select({ field: field.key }),
    onFocus: (event) => event.target === event.currentTarget && act.select({ field: field.key }, { quiet: true }),
    onKeyDown: (event) => {
      drag.dragHandleProps?.onKeyDown?.(event);
      if (event.target !== event.currentTarget || event.defaultPrevented || snapshot.isDragging) return;
      if (event.key === "Enter") act.open({ field: field.key });
      else if (event.key === "F2") act.rename(field.key);
      else if (event.key === "Delete" || event.key === "Backspace") act.removeField(field.key);
      else if ((event.ctrlKey || event.metaKey) && event.key === "d") act.duplicate(field.key);
      else return;
      event.preventDefault();
    },
  }, h("article", {
    className: "fm-card", "data-selected": selected || undefined, "data-state": field.state, "data-locked": isLocked || undefined, "data-problem": problems > 0 || undefined, "data-kind": field.kind,
  },
    !isLocked && h("span", { className: "fm-grip", "aria-hidden": true }, h(Icon, { name: "grip_vertical" })),
    h("div", { className: "fm-card-main" },
      h("header", null,
        h("span", { className: "fm-kind", title: speak.label(kind?.label), "aria-hidden": true }, h(Icon, { name: kind?.icon })),
        h(NameInPlace, {
          level: field.kind === "heading" ? "strong" : "span", text: name, placeholder: shown, editing: renaming, label: speak.t("form_designer.field.rename"),
          onStart: () => act.rename(field.key), onEnd: (text) => act.renamed(field.key, text),
        }),
        field.required && h("span", { className: "tc-need", title: speak.t("form_designer.mark.required") }, "*"),
        h(Marks, { field, isLater: field.at_opening === false }),
        problems > 0 && h("span", { className: "fm-mark", "data-tone": "danger", title: speak.t("form_designer.problems", { n: problems }) }, h(Icon, { name: "circle_alert" }), problems),
        h("span", { className: "fm-gap" }),
        h("code", { className: "fm-key" }, field.key)),
      h(Sketch, { field, icon: kind?.icon })),
    !isLocked && h("span", { className: "fm-card-tools" },
      h(IconButton, { icon: "copy", small: true, label: speak.t("form_designer.field.duplicate", { name: shown }), onClick: (event) => (event.stopPropagation(), act.duplicate(field.key)) }),
      h(IconButton, { icon: "trash_2", small: true, tone: "quiet", label: speak.t("form_designer.field.remove", { name: shown }), onClick: (event) => (event.stopPropagation(), act.removeField(field.key)) })))));
});

function SectionBox({ section, index, kinds, selection, renaming, problems, department, act, only }) {
  const speak = useLanguage();
  const fields = section.fields ?? [];
  const title = speak.label(section.title);
  const isSelected = selection?.section === section.key;
  const isLocked = isForeign(section, department);
  return h(Draggable, { draggableId: `section:${section.key}`, index }, (drag, snapshot) => h("section", {
    ref: drag.innerRef, ...drag.draggableProps, style: quickDrop(drag.draggableProps.style, snapshot), className: "fm-section", "data-selected": isSelected || undefined,
    "data-dragging": snapshot.isDragging || undefined, "data-section": section.key, "data-locked": isLocked || undefined, "aria-label": speak.t("form_designer.section.label", { name: title || section.key, n: fields.length }),
  },
    h("header", {
      className: "fm-section-head", onClick: () => act.select({ section: section.key }),
    },
      h("span", { ...drag.dragHandleProps, className: "fm-grip", "aria-label": speak.t("form_designer.section.grip", { name: title || section.key }), title: speak.t("form_designer.section.drag") }, h(Icon, { name: "grip_vertical" })),
      h(NameInPlace, {
        level: "h2", text: title, placeholder: speak.t("form_designer.section.no_name"), editing: renaming === `section:${section.key}`, label: speak.t("form_designer.section.rename"),
        onStart: () => act.rename(`section:${section.key}`), onEnd: (text) => act.renamedSection(section.key, text),
      }),
      section.owner && h("span", { className: "tc-badge", "data-tone": "violet" }, h(Icon, { name: "building_2" }), section.owner),
      section.visible_when && h("span", { className: "fm-mark", title: speak.t("form_designer.mark.conditions") }, h(Icon, { name: "split" })),
      h("span", { className: "fm-gap" }),
      h("span", { className: "fm-section-tools" },
        h(IconButton, { icon: "settings_2", small: true, label: speak.t("form_designer.section.settings", { name: title || section.key }), onClick: (event) => (event.stopPropagation(), act.open({ section: section.key })) }),
        !only && !isLocked && h(IconButton, { icon: "trash_2", small: true, label: speak.t("form_designer.section.remove", { name: title || section.key }), onClick: (event) => (event.stopPropagation(), act.removeSection(section.key)) }))),
    isLocked && h(ForeignNote, { owner: section.owner, department }),
    h(Droppable, { droppableId: `section:${section.key}`, type: "field", isDropDisabled: isLocked }, (drop, over) => h("div", {
      ref: drop.innerRef, ...drop.droppableProps, className: "fm-fields", "data-over": over.isDraggingOver || undefined, "data-empty": fields.length === 0 || undefined,
    },
      fields.map((field, at) => h(FieldCard, {
        key: field.key, field, index: at, kind: kinds.get(field.kind), selected: selection?.field === field.key, renaming: renaming === field.key, isLocked,
        problems: problems.filter((problem) => problem.path === `fields.${field.key}` || problem.path.startsWith(`fields.${field.key}.`)).length, act,
      })),
      drop.placeholder,
      fields.length === 0 && !isLocked && !over.isDraggingOver && h("p", { className: "fm-drop-hint" }, h(Icon, { name: "square_dashed_mouse_pointer" }), speak.t("form_designer.section.empty"))))));
}

export function Canvas({ sections, kinds, selection, renaming, problems, department, act }) {
  const speak = useLanguage();
  return h("div", { className: "fm-canvas", onClick: (event) => event.target === event.currentTarget && act.select(null) },
    h(Droppable, { droppableId: "sections", type: "section" }, (drop, over) => h("div", {
      ref: drop.innerRef, ...drop.droppableProps, className: "fm-sheet", "data-over": over.isDraggingOver || undefined, onClick: (event) => event.target === event.currentTarget && act.select(null),
    },
      sections.map((section, index) => h(SectionBox, { key: section.key, section, index, kinds, selection, renaming, problems, department, act, only: sections.length === 1 && (section.fields ?? []).length === 0 })),
      drop.placeholder,
      h("button", { type: "button", className: "tc-btn fm-add-section", "data-tone": "quiet", onClick: act.addSection }, h(Icon, { name: "plus" }), speak.t("form_designer.section.add")))));
}
