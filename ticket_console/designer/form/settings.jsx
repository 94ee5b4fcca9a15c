// The settings of a field that need more than a box: options, columns, checklists, patterns, formulas, lookups.
import { createElement as h, useState } from "react";
import { DragDropContext, Draggable, Droppable } from "@hello-pangea/dnd";
import { inBoth, isStill, useLanguage, worded } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { ColourPick, Icon, IconButton, Row, Select, Switch, TextBox } from "./parts.jsx";
import { freeKey, pastedOptions, slug } from "./fields.js";

const PRESETS = ["options.new", "start.option_1", "start.option_2", "start.option_3", "items.new", "start.item", "columns.new", "start.column_what", "start.column_amount"].map((key) => `form_designer.${key}`);
const retold = (label, name, text) => worded(label, name, text, isStill(label, PRESETS));

const other = (locale) => (locale === "zh" ? "en" : "zh");

// Lines that can be put in another order; `draw` gets the grip and the line.
function Lines({ name, lines, keyOf, onMove, draw }) {
  const speak = useLanguage();
  return h(DragDropContext, {
    dragHandleUsageInstructions: speak.t("form_designer.drag.instructions"),
    onDragEnd: ({ source, destination }) => destination && destination.index !== source.index && onMove(source.index, destination.index),
  }, h(Droppable, { droppableId: name, type: name }, (drop) => h("ol", { ref: drop.innerRef, ...drop.droppableProps, className: "fm-lines" },
    lines.map((line, index) => h(Draggable, { key: keyOf(line), draggableId: `${name}:${keyOf(line)}`, index }, (drag, snapshot) => h("li", {
      ref: drag.innerRef, ...drag.draggableProps, className: "fm-line", "data-dragging": snapshot.isDragging || undefined,
    }, h("span", { ...drag.dragHandleProps, className: "fm-grip", "aria-label": speak.t("form_designer.line.grip", { n: index + 1 }) }, h(Icon, { name: "grip_vertical" })), draw(line, index)))),
    drop.placeholder)));
}

const reordered = (list, from, to) => {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
};

// By which published rates work is settled once this option was chosen; without any those of the day hold.
function RatesPick({ option, rates, onChange }) {
  const speak = useLanguage();
  const nameOf = (each) => `${each.rule_set}:${each.version}`;
  const known = rates.map((each) => ({ value: nameOf(each), label: speak.t("form_designer.rates.version", { name: each.name, n: each.version, at: `${each.from}T00:00` }) }));
  const value = option.rates ? nameOf(option.rates) : "";
  // What was never published here stays in sight, so that it can be told and chosen away.
  const gone = value && !known.some((each) => each.value === value) ? [{ value, label: value }] : [];
  return h(Select, {
    value, empty: speak.t("form_designer.rates.of_the_day"), options: [...gone, ...known], "aria-label": speak.t("form_designer.rates.of", { name: speak.label(option.label) || option.value }),
    onChange: (chosen) => {
      const { rates: _, ...rest } = option;
      const found = rates.find((each) => nameOf(each) === chosen);
      onChange(found ? { ...rest, rates: { rule_set: found.rule_set, version: found.version } } : rest);
    },
  });
}

export function OptionsEditor({ options, onChange, locked, rates = [] }) {
  const speak = useLanguage();
  const [binding, setBinding] = useState(false);
  const isBinding = rates.length > 0 && (binding || options.some((option) => option.rates));
  const [pasting, setPasting] = useState(false);
  const [text, setText] = useState("");
  const [both, setBoth] = useState(false);
  const set = (index, change, burst) => onChange(options.map((option, at) => (at === index ? { ...option, ...change } : option)), burst);
  const fresh = () => {
    const label = inBoth("form_designer.options.new", { n: options.length + 1 });
    return { value: freeKey(slug(label.en), options.map((option) => option.value)), label };
  };
  const take = () => {
    onChange([...options, ...pastedOptions(text, options).map(({ value, label }) => ({ value, label: { [speak.name]: label } }))]);
    setPasting(false);
    setText("");
  };
  return h("div", { className: "fm-options" },
    h(Lines, {
      name: "option", lines: options, keyOf: (option) => option.value, onMove: (from, to) => onChange(reordered(options, from, to)),
      draw: (option, index) => h("div", { className: "fm-option", "data-both": both || isBinding || undefined },
        h(ColourPick, {
          value: option.colour, label: speak.t("form_designer.options.colour", { name: speak.label(option.label) || option.value }),
          onChange: (colour) => {
            const { colour: _, ...rest } = option;
            onChange(options.map((each, at) => (at === index ? (colour ? { ...rest, colour } : rest) : each)));
          },
        }),
        h("span", { className: "fm-option-texts" },
          h(TextBox, {
            value: option.label?.[speak.name] ?? "", placeholder: option.label?.[other(speak.name)] || option.value, maxLength: 300, "aria-label": speak.t("form_designer.options.label", { n: index + 1 }),
            onChange: (label) => set(index, { label: retold(option.label, speak.name, label) }, `option:${option.value}`),
            onKeyDown: (event) => {
              if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
              event.preventDefault();
              onChange([...options.slice(0, index + 1), fresh(), ...options.slice(index + 1)]);
            },
          }),
          both && h(TextBox, {
            value: option.label?.[other(speak.name)] ?? "", lang: other(speak.name), placeholder: speak.t(`form_designer.language.${other(speak.name)}`), maxLength: 300,
            "aria-label": speak.t("form_designer.options.label_other", { n: index + 1 }),
            onChange: (label) => set(index, { label: { ...option.label, [other(speak.name)]: label } }, `option2:${option.value}`),
          }),
          both && h("code", { className: "fm-key", title: speak.t("form_designer.options.value") }, option.value),
          isBinding && h(RatesPick, { option, rates, onChange: (bound) => onChange(options.map((each, at) => (at === index ? bound : each))) })),
        h(IconButton, { icon: "x", small: true, label: speak.t("form_designer.options.remove", { name: speak.label(option.label) || option.value }), onClick: () => onChange(options.filter((_, at) => at !== index)) })),
    }),
    h("div", { className: "tc-row" },
      h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onChange([...options, fresh()]) }, h(Icon, { name: "plus" }), speak.t("form_designer.options.add")),
      h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => setPasting(true) }, h(Icon, { name: "clipboard_paste" }), speak.t("form_designer.options.paste")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-size": "small", "aria-pressed": both, onClick: () => setBoth(!both) }, h(Icon, { name: "languages" }), speak.t("form_designer.options.both")),
      rates.length > 0 && h("button", {
        type: "button", className: "tc-btn", "data-tone": "quiet", "data-size": "small", "aria-pressed": isBinding, disabled: isBinding && !binding, "data-test": "rates", onClick: () => setBinding(!binding),
      }, h(Icon, { name: "banknote" }), speak.t("form_designer.rates"))),
    isBinding && h("span", { className: "tc-help" }, speak.t("form_designer.rates.help")),
    locked && h("span", { className: "tc-help" }, speak.t("form_designer.options.locked")),
    h(Dialog, { open: pasting, title: speak.t("form_designer.options.paste"), text: speak.t("form_designer.options.paste_hint"), onClose: () => setPasting(false) },
      h("textarea", { className: "tc-area", rows: 8, value: text, "data-focus": true, "aria-label": speak.t("form_designer.options.paste"), onChange: (event) => setText(event.target.value) }),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: () => setPasting(false) }, speak.t("common.cancel")),
        h("button", { type: "button", className: "tc-btn", "data-tone": "primary", disabled: !text.trim(), onClick: take }, speak.t("form_designer.options.take", { n: pastedOptions(text, options).length })))));
}

export function ItemsEditor({ items, onChange }) {
  const speak = useLanguage();
  const fresh = () => ({ key: freeKey("item", items.map((item) => item.key)), text: inBoth("form_designer.items.new", { n: items.length + 1 }) });
  return h("div", { className: "fm-options" },
    h(Lines, {
      name: "item", lines: items, keyOf: (item) => item.key, onMove: (from, to) => onChange(reordered(items, from, to)),
      draw: (item, index) => h("div", { className: "fm-option" },
        h("span", { className: "fm-option-texts" }, ["zh", "en"].sort((one) => (one === speak.name ? -1 : 1)).map((locale) => h(TextBox, {
          key: locale, value: item.text?.[locale], lang: locale, maxLength: 300, placeholder: speak.t(`form_designer.language.${locale}`), "aria-label": speak.t("form_designer.items.text", { n: index + 1, language: speak.t(`form_designer.language.${locale}`) }),
          onChange: (text) => onChange(items.map((each, at) => (at === index ? { ...each, text: retold(each.text, locale, text) } : each)), `item:${item.key}:${locale}`),
          onKeyDown: (event) => {
            if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
            event.preventDefault();
            onChange([...items.slice(0, index + 1), fresh(), ...items.slice(index + 1)]);
          },
        }))),
        h(IconButton, { icon: "x", small: true, label: speak.t("form_designer.items.remove", { n: index + 1 }), onClick: () => onChange(items.filter((_, at) => at !== index)) })),
    }),
    h("div", null, h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onChange([...items, fresh()]) }, h(Icon, { name: "plus" }), speak.t("form_designer.items.add"))));
}

export function ColumnsEditor({ columns, kinds, onChange }) {
  const speak = useLanguage();
  const [open, setOpen] = useState(null);
  const inColumns = kinds.filter((kind) => kind.in_table);
  const set = (index, change, burst) => onChange(columns.map((column, at) => (at === index ? { ...column, ...change } : column)), burst);
  const fresh = () => ({ key: freeKey("column", columns.map((column) => column.key)), kind: "text", label: inBoth("form_designer.columns.new", { n: columns.length + 1 }) });
  const toKind = (column, kind) => {
    const { options: _, ...rest } = column;
    const starts = kinds.find((each) => each.key === kind)?.starts_with ?? {};
    return starts.options ? { ...rest, kind, options: structuredClone(starts.options) } : { ...rest, kind };
  };
  return h("div", { className: "fm-options" },
    h(Lines, {
      name: "column", lines: columns, keyOf: (column) => column.key, onMove: (from, to) => onChange(reordered(columns, from, to)),
      draw: (column, index) => h("div", { className: "fm-column" },
        h("div", { className: "fm-option" },
          h(TextBox, {
            value: column.label?.[speak.name] ?? "", placeholder: column.label?.[other(speak.name)] ?? "", maxLength: 300, "aria-label": speak.t("form_designer.columns.label", { n: index + 1 }),
            onChange: (text) => set(index, { label: retold(column.label, speak.name, text) }, `column:${column.key}`),
          }),
          h(Select, { value: column.kind, options: inColumns.map((kind) => ({ value: kind.key, label: kind.label })), "aria-label": speak.t("form_designer.columns.kind", { n: index + 1 }), onChange: (kind) => onChange(columns.map((each, at) => (at === index ? toKind(each, kind) : each))) }),
          h(IconButton, { icon: "settings_2", small: true, "aria-expanded": open === column.key, label: speak.t("form_designer.columns.more", { n: index + 1 }), onClick: () => setOpen(open === column.key ? null : column.key) }),
          h(IconButton, { icon: "x", small: true, label: speak.t("form_designer.columns.remove", { n: index + 1 }), onClick: () => onChange(columns.filter((_, at) => at !== index)) })),
        open === column.key && h("div", { className: "fm-column-more" },
          h(Row, { label: speak.t("form_designer.columns.other", { language: speak.t(`form_designer.language.${other(speak.name)}`) }) }, h(TextBox, { value: column.label?.[other(speak.name)], lang: other(speak.name), maxLength: 300, onChange: (text) => set(index, { label: { ...column.label, [other(speak.name)]: text } }, `column2:${column.key}`) })),
          h(Switch, { label: speak.t("form_designer.required"), on: column.required, onChange: (on) => set(index, { required: on }) }),
          column.options && h(OptionsEditor, { options: column.options, onChange: (options, burst) => set(index, { options }, burst && `${column.key}:${burst}`) }))),
    }),
    h("div", null, h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onChange([...columns, fresh()]) }, h(Icon, { name: "plus" }), speak.t("form_designer.columns.add"))));
}

// Whether a text fits a pattern, as far as the browser understands it; the server decides.
function fits(pattern, text) {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return null;
  }
}

export function PatternEditor({ value, onChange, problem }) {
  const speak = useLanguage();
  const [text, setText] = useState("");
  const verdict = value && text ? fits(value, text) : null;
  return h("div", { className: "fm-pattern" },
    h(Row, { label: speak.t("form_designer.pattern"), help: speak.t("form_designer.pattern.help"), problem },
      h(TextBox, { value, mono: true, maxLength: 300, placeholder: speak.t("form_designer.pattern.example"), spellCheck: false, onChange: (next) => onChange(next, "pattern") })),
    value && h(Row, { label: speak.t("form_designer.pattern.try") },
      h("span", { className: "fm-try", "data-verdict": verdict === null ? undefined : verdict },
        h("input", { className: "tc-input", type: "text", value: text, autoComplete: "off", onChange: (event) => setText(event.target.value) }),
        verdict !== null && h("span", { role: "status" }, h(Icon, { name: verdict ? "circle_check" : "circle_x" }), speak.t(verdict ? "form_designer.pattern.fits" : "form_designer.pattern.fits_not")))));
}

export function FormulaEditor({ value, field, fields, onChange, problems }) {
  const speak = useLanguage();
  const usable = fields.filter((each) => each.key !== field.key && ["number", "money", "rating", "duration", "formula", "yes_no", "choice", "date", "datetime", "text"].includes(each.kind));
  const insert = (key) => onChange(`${value ?? ""}${value && !/[\s(]$/.test(value) ? " " : ""}${key}`);
  return h("div", { className: "fm-pattern" },
    h(Row, { label: speak.t("form_designer.formula"), help: speak.t("form_designer.formula.help"), problem: problems[0] && speak.t(problems[0].code, problems[0].params) },
      h(TextBox, { value, area: true, mono: true, maxLength: 1000, spellCheck: false, placeholder: speak.t("form_designer.formula.example"), "aria-invalid": problems.length > 0 || undefined, onChange: (next) => onChange(next, "formula") })),
    value && problems.length === 0 && h("span", { className: "fm-fine" }, h(Icon, { name: "circle_check" }), speak.t("form_designer.formula.fine")),
    usable.length > 0 && h("div", { className: "fm-chips", role: "group", "aria-label": speak.t("form_designer.formula.fields") }, usable.map((each) => h("button", {
      key: each.key, type: "button", className: "fm-chip", "data-press": true, title: each.key, onClick: () => insert(each.key),
    }, speak.label(each.label) || each.key))));
}

export function LookupEditor({ value, fields, onChange, problems }) {
  const speak = useLanguage();
  const source = value ?? {};
  const set = (name, next, burst) => {
    const { [name]: _, ...rest } = source;
    onChange(next === "" && name !== "url" ? rest : { url: "", ...rest, [name]: next }, burst);
  };
  const said = (name) => {
    const found = problems.find((problem) => problem.path.endsWith(`.${name}`) || (name === "url" && problem.path.endsWith(".lookup")));
    return found && speak.t(found.code, found.params);
  };
  return h("div", { className: "fm-pattern" },
    h(Row, { label: speak.t("form_designer.lookup.url"), help: speak.t("form_designer.lookup.url.help", { field: "{serial}" }), problem: said("url") },
      h(TextBox, { value: source.url, mono: true, maxLength: 1000, spellCheck: false, inputMode: "url", placeholder: speak.t("form_designer.lookup.url.example", { field: "{serial}" }), onChange: (text) => set("url", text, "lookup.url") })),
    h("div", { className: "fm-chips" }, fields.filter((each) => ["text", "scan", "phone", "number", "choice"].includes(each.kind)).map((each) => h("button", {
      key: each.key, type: "button", className: "fm-chip", "data-press": true, onClick: () => set("url", `${source.url ?? ""}{${each.key}}`),
    }, speak.label(each.label) || each.key))),
    h("div", { className: "fm-pair" },
      h(Row, { label: speak.t("form_designer.lookup.path"), problem: said("path") }, h(TextBox, { value: source.path, mono: true, maxLength: 200, spellCheck: false, placeholder: speak.t("form_designer.lookup.path.example"), onChange: (text) => set("path", text, "lookup.path") })),
      h(Row, { label: speak.t("form_designer.lookup.refresh"), problem: said("refresh_seconds") }, h("input", {
        className: "tc-input", type: "number", min: 10, value: source.refresh_seconds ?? 900, onChange: (event) => event.target.value && set("refresh_seconds", Math.max(10, Number(event.target.value)), "lookup.refresh"),
      }))));
}

const TYPES = [["image/*", "images"], [".pdf", "pdf"], [".doc,.docx", "word"], [".xls,.xlsx,.csv", "sheets"], ["video/*", "video"], [".zip", "zip"]];

export function AcceptsEditor({ value = [], onChange }) {
  const speak = useLanguage();
  const has = (types) => types.split(",").every((each) => value.includes(each));
  const flip = (types) => {
    const list = types.split(",");
    onChange(has(types) ? value.filter((each) => !list.includes(each)) : [...value, ...list.filter((each) => !value.includes(each))]);
  };
  return h(Row, { label: speak.t("form_designer.accepts"), help: speak.t("form_designer.accepts.help"), grouped: true },
    h("div", { className: "fm-chips" }, TYPES.map(([types, name]) => h("button", { key: name, type: "button", className: "fm-chip", "data-press": true, "aria-pressed": has(types), onClick: () => flip(types) }, speak.t(`form_designer.accepts.${name}`)))));
}
