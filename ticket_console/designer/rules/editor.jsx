// One rule while it is written: its parts on one side, on the other what it says and what it does to real tickets.
import { createElement as h, useEffect, useId, useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import { ArrowLeft, ArrowRight, CircleCheck, Plus, Save, Trash2, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { ConditionBuilder } from "$/public/external/ticket_console/components/condition_builder/condition_builder.jsx";
import { ReasonDialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { Row, Segmented, Select } from "$/public/external/ticket_console/designer/form/form_designer/parts.jsx";
import { slug } from "$/public/external/ticket_console/designer/form/form_designer/fields.js";
import { isMoney, tidy, toMajor, toMinor } from "./amounts.js";
import { BothSentences, Problem } from "./pieces.jsx";

const JUDGE_AFTER_MS = 400;
const LANGUAGES = ["zh", "en"];
const COUNTED = new Set(["per_unit", "tier", "multiply"]);
const BLANK = {
  code: "", name: { zh: "", en: "" }, dimension: "base_labour", op: "add", order: 0, when: null, value: "", unit: null, over: "0", bands: [], applies_to: [],
  window: null, group: null, rounding: "half_up", card: null, sides: ["worker"], regions: [], lines: [], starts_on: null, ends_on: null,
};

// A rule as the form holds it: money as people write it.
function asForm(rule, currency) {
  const money = (text) => (isMoney(rule.op, rule.unit) ? toMajor(text, currency) : String(text));
  return {
    ...rule, order: String(rule.order), value: rule.value === "" ? "" : money(rule.value), over: String(rule.over ?? "0"),
    bands: (rule.bands ?? []).map((band) => ({ lower: band.lower, upper: band.upper ?? "", value: toMajor(band.value, currency) })),
  };
}

// The rule as the server reads it, without what its operation has no use for.
function asRule(form, choices) {
  const { sentence, ...rule } = form;
  const { currency } = choices;
  const money = (text) => (isMoney(form.op, form.unit) ? toMinor(text, currency) : tidy(text));
  const whole = tidy(form.order);
  const onBase = choices.on_base.includes(form.op);
  const card = choices.on_card.includes(form.op) ? form.card || null : null;
  return {
    ...rule,
    order: /^-?[0-9]+$/.test(whole) ? Number(whole) : whole,
    value: form.op === "tier" || card ? "0" : money(form.value),
    unit: COUNTED.has(form.op) ? form.unit || null : null,
    over: form.op === "per_unit" ? tidy(form.over) || "0" : "0",
    bands: form.op === "tier" ? form.bands.map((band) => ({ lower: tidy(band.lower), upper: tidy(band.upper) || null, value: toMinor(band.value, currency) })) : [],
    applies_to: onBase ? form.applies_to : [],
    window: choices.windowed.includes(form.op) ? form.window : null,
    group: form.group || null, card, starts_on: form.starts_on || null, ends_on: form.ends_on || null,
  };
}

// After everything of its own dimension; a rule that looks back has to come after what it looks at.
function nextOrder(rules, form, onBase) {
  const before = rules.filter((rule) => rule.dimension === form.dimension || (onBase && form.applies_to.includes(rule.dimension)));
  return before.length ? Math.max(...before.map((rule) => rule.order)) + 1 : 65;
}

function freeCode(rules, form) {
  const wanted = `${form.dimension}.${slug(form.name.en) || "new"}`.slice(0, 60);
  const taken = new Set(rules.map((rule) => rule.code));
  for (let n = 1; ; n += 1) {
    const code = n === 1 ? wanted : `${wanted}_${n}`;
    if (!taken.has(code)) return code;
  }
}

function Several({ label, options, value, onChange, help }) {
  const speak = useLanguage();
  const chosen = new Set(value);
  return h(Row, { label, help, grouped: true }, h("div", { className: "rb-several" }, options.map((option) => h("label", { key: option.value, className: "rb-option" },
    h("input", { type: "checkbox", checked: chosen.has(option.value), onChange: (event) => onChange(options.map((each) => each.value).filter((each) => (each === option.value ? event.target.checked : chosen.has(each)))) }),
    h("span", null, speak.label(option.label) || option.value)))));
}

function Bands({ form, set, problems, unit, currency }) {
  const speak = useLanguage();
  const change = (at, part, text) => set({ bands: form.bands.map((band, index) => (index === at ? { ...band, [part]: text } : band)) });
  const add = () => {
    const last = form.bands.at(-1);
    const from = last ? tidy(last.upper) || String(Number(tidy(last.lower) || 0) + 10) : "0";
    const before = last && !tidy(last.upper) ? form.bands.map((band) => (band === last ? { ...band, upper: from } : band)) : form.bands;
    set({ bands: [...before, { lower: from, upper: "", value: "0" }] });
  };
  const cell = (at, part, label, more) => h("input", { className: "tc-input tc-num", inputMode: "decimal", "aria-label": `${label} ${at + 1}`, value: form.bands[at][part], "aria-invalid": problems.some((problem) => problem.path === `bands[${at}].${part}`) || undefined, onChange: (event) => change(at, part, event.target.value), ...more });
  return h("div", { className: "tc-field rb-bands", role: "group", "aria-label": speak.t("rulebook.bands") },
    h("span", { className: "tc-label" }, speak.t("rulebook.bands"), unit && ` · ${unit}`),
    form.bands.length > 0 && h("div", { className: "rb-band rb-band-head", "aria-hidden": true }, h("span", null, speak.t("rulebook.band.from")), h("span", null, speak.t("rulebook.band.to")), h("span", null, speak.t("rulebook.amount", { currency })), h("span")),
    form.bands.map((band, at) => {
      const own = problems.filter((problem) => problem.path === `bands[${at}]` || problem.path.startsWith(`bands[${at}].`));
      return h("div", { key: at, className: "rb-band-line", "data-wrong": own.length > 0 || undefined },
        h("div", { className: "rb-band" },
          cell(at, "lower", speak.t("rulebook.band.from")), cell(at, "upper", speak.t("rulebook.band.to"), { placeholder: speak.t("rulebook.band.open") }), cell(at, "value", speak.t("rulebook.amount", { currency })),
          h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("rulebook.band.remove", { n: at + 1 }), onClick: () => set({ bands: form.bands.filter((_, index) => index !== at) }) }, h(X, { "aria-hidden": true }))),
        own.length > 0 && h("span", { className: "tc-problem", role: "alert" }, own.map((problem) => speak.t(problem.code, problem.params)).join(" ")));
    }),
    h(Problem, { problems, path: "bands" }),
    h("div", null, h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: add }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.band.add"))));
}

function Operation({ form, set, problems, choices, cards }) {
  const speak = useLanguage();
  const { currency } = choices;
  const says = (path) => problems.filter((problem) => problem.path === path).map((problem) => speak.t(problem.code, problem.params)).join(" ");
  const units = form.op === "per_unit" ? [...choices.units, ...choices.items] : choices.units;
  const money = isMoney(form.op, form.unit);
  const takesCard = choices.on_card.includes(form.op) && !choices.items.some((item) => item.value === form.unit);
  const label = form.op === "percent" ? speak.t("rulebook.percent") : money ? speak.t("rulebook.amount", { currency }) : speak.t("rulebook.factor");
  return h("div", { className: "rb-fields" },
    h("div", { className: "rb-wide" }, h(Row, { label: speak.t("rulebook.operation"), problem: says("op"), grouped: true },
      h(Segmented, { label: speak.t("rulebook.operation"), value: form.op, options: choices.ops.map((value) => ({ value, label: speak.t(`rulebook.op.${value}`) })), onChange: (op) => set({ op, bands: op === "tier" && form.bands.length === 0 ? [{ lower: "0", upper: "", value: "0" }] : form.bands }) }))),
    h("p", { className: "tc-help rb-wide" }, speak.t(`rulebook.op.${form.op}.help`)),
    COUNTED.has(form.op) && h(Row, { label: speak.t("rulebook.unit"), problem: says("unit") }, h(Select, { value: form.unit, empty: form.op === "multiply" ? speak.t("rulebook.unit.none") : speak.t("rulebook.unit.choose"), options: units, onChange: (unit) => set({ unit: unit || null }) })),
    form.op === "per_unit" && h(Row, { label: speak.t("rulebook.over"), help: speak.t("rulebook.over.help"), problem: says("over") }, h("input", { className: "tc-input tc-num", inputMode: "decimal", value: form.over, onChange: (event) => set({ over: event.target.value }) })),
    takesCard && cards.length > 0 && h(Row, { label: speak.t("rulebook.card"), problem: says("card") }, h(Select, { value: form.card ?? "", empty: speak.t("rulebook.card.none"), options: cards.map((card) => ({ value: card.code, label: card.name })), onChange: (card) => set({ card: card || null }) })),
    form.op !== "tier" && !(takesCard && form.card) && h(Row, { label, problem: says("value") }, h("input", { className: "tc-input tc-num", inputMode: "decimal", "data-field": "value", "aria-invalid": Boolean(says("value")) || undefined, value: form.value, onChange: (event) => set({ value: event.target.value }) })),
    choices.on_base.includes(form.op) && h("div", { className: "rb-wide" }, h(Several, { label: speak.t("rulebook.applies_to"), help: says("applies_to") ? undefined : speak.t("rulebook.applies_to.help"), options: choices.dimensions, value: form.applies_to, onChange: (applies_to) => set({ applies_to }) }), h(Problem, { problems, path: "applies_to" })),
    choices.windowed.includes(form.op) && h(Window, { form, set, problems }),
    form.op === "tier" && h("div", { className: "rb-wide" }, h(Bands, { form, set, problems, currency, unit: speak.label(units.find((unit) => unit.value === form.unit)?.label) })));
}

function Window({ form, set, problems }) {
  const speak = useLanguage();
  const edge = (name) => h("input", { type: "time", className: "tc-input", "aria-label": speak.t(`rulebook.window.${name}`), value: form.window[name], onChange: (event) => set({ window: { ...form.window, [name]: event.target.value } }) });
  return h("div", { className: "tc-field rb-wide", role: "group", "aria-label": speak.t("rulebook.window") },
    h("label", { className: "rb-option" }, h("input", { type: "checkbox", checked: Boolean(form.window), onChange: (event) => set({ window: event.target.checked ? { opens: "22:00", closes: "06:00" } : null }) }), h("span", null, speak.t("rulebook.window"))),
    form.window && h("div", { className: "rb-window" }, edge("opens"), h("span", { "aria-hidden": true }, "–"), edge("closes")),
    h(Problem, { problems, path: "window" }));
}

function Section({ title, hint, children }) {
  const id = useId();
  return h("section", { className: "rb-section", "aria-labelledby": id }, h("h3", { id }, title), hint && h("p", { className: "tc-help" }, hint), children);
}

function Change({ one, currency }) {
  const speak = useLanguage();
  const delta = one.after - one.before;
  return h("li", { className: "rb-example" },
    h("div", { className: "rb-example-head" }, h(Link, { to: `/tickets/${one.id}`, className: "tc-link tc-num" }, one.no),
      h("span", { className: "rb-fill" }),
      h("span", { className: "tc-num" }, speak.money(one.before, currency)), h(ArrowRight, { size: 13, role: "img", "aria-label": speak.t("rulebook.becomes") }), h("strong", { className: "tc-num" }, speak.money(one.after, currency)),
      h("span", { className: "tc-badge tc-num", "data-tone": delta > 0 ? "ok" : delta < 0 ? "danger" : undefined }, `${delta > 0 ? "+" : ""}${speak.money(delta, currency)}`)),
    one.formulas.map((formula, at) => h("code", { key: at, className: "rb-formula" }, formula)));
}

function Miss({ one }) {
  const speak = useLanguage();
  return h("li", { className: "rb-example" },
    h("div", { className: "rb-example-head" }, h(Link, { to: `/tickets/${one.id}`, className: "tc-link tc-num" }, one.no)),
    one.why === "condition"
      ? one.unmet.map((part, at) => h("p", { key: at, className: "rb-unmet" }, speak.t("rulebook.miss.condition", { said: part.said, fact: part.fact })))
      : h("p", { className: "rb-unmet" }, speak.t(`rulebook.miss.${one.why}`)));
}

function Beside({ judged, isWaiting }) {
  const speak = useLanguage();
  const examples = judged.examples ?? {};
  const problems = judged.problems ?? [];
  return h("aside", { className: "rb-beside", "aria-label": speak.t("rulebook.beside"), "aria-busy": isWaiting || undefined },
    h("h3", null, speak.t("rulebook.says")),
    problems.length > 0
      ? h("p", { className: "tc-note", "data-tone": "warn", role: "status" }, speak.t("rulebook.says.not_yet", { n: problems.length }))
      : judged.sentence?.zh && h("div", { "data-test": "sentence", "aria-live": "polite" }, h(BothSentences, { sentence: judged.sentence })),
    problems.length === 0 && examples.looked_at !== undefined && h("div", { className: "rb-examples", "data-test": "examples" },
      h("p", { className: "tc-help" }, speak.t("rulebook.reached", { n: examples.reached, of: examples.looked_at })),
      h("h3", null, speak.t(examples.against_live ? "rulebook.changed.live" : "rulebook.changed.without")),
      examples.changed.length > 0 ? h("ul", null, examples.changed.map((one) => h(Change, { key: one.id, one, currency: examples.currency }))) : h("p", { className: "tc-help" }, speak.t("rulebook.changed.none")),
      h("h3", null, speak.t("rulebook.near")),
      examples.near.length > 0 ? h("ul", null, examples.near.map((one) => h(Miss, { key: one.id, one }))) : h("p", { className: "tc-help" }, speak.t("rulebook.near.none"))));
}

export function RuleEditor({ rules = [], cards = [], choices = {}, editing = "", began = {}, judged = {}, canEdit, onJudge, onSave, onRemove, onClose }) {
  const speak = useLanguage();
  const was = editing === "+" ? "" : editing;
  const known = rules.find((rule) => rule.code === was);
  const [form, setForm] = useState(null);
  const [told, setTold] = useState(null);
  const [asking, setAsking] = useState(false);
  const heading = useRef(null);
  const { currency } = choices;

  useEffect(() => {
    if (!editing || !currency) return;
    const begun = known ?? { ...BLANK, sides: [choices.side], ...began };
    const next = asForm(begun, currency);
    setForm(known ? next : { ...next, order: began?.order === undefined ? String(nextOrder(rules, next, choices.on_base.includes(next.op))) : next.order });
    heading.current?.focus({ preventScroll: false });
  }, [editing, currency]);

  const rule = useMemo(() => {
    if (!form || !currency) return null;
    const made = asRule(form, choices);
    return was || form.code ? made : { ...made, code: freeCode(rules, form) };
  }, [form, choices, was]);
  const spelled = JSON.stringify(rule);
  useEffect(() => {
    if (!rule) return undefined;
    const timer = setTimeout(() => {
      setTold(spelled);
      onJudge?.({ rule, was });
    }, JUDGE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [spelled]);

  if (!editing || !form) return null;
  const problems = judged.problems ?? [];
  const set = (change) => setForm({ ...form, ...change });
  const says = (path) => problems.filter((problem) => problem.path === path).map((problem) => speak.t(problem.code, problem.params)).join(" ");
  const general = problems.filter((problem) => problem.path === "");
  const name = (locale) => h("label", { key: locale, className: "tc-field" }, h("span", { className: "tc-label" }, speak.t(`rulebook.name.${locale}`)),
    h("input", { className: "tc-input", lang: locale, maxLength: 120, value: form.name?.[locale] ?? "", "data-field": `name.${locale}`, "aria-invalid": Boolean(says("name")) || undefined, onChange: (event) => set({ name: { ...form.name, [locale]: event.target.value } }) }));
  const field = (path, label, control, help) => h(Row, { label, problem: says(path), help }, control);
  const input = (path, more) => h("input", { className: "tc-input", value: form[path] ?? "", "data-field": path, "aria-invalid": Boolean(says(path)) || undefined, onChange: (event) => set({ [path]: event.target.value }), ...more });

  return h("section", { className: "rb-editor", "data-test": "rule-editor", "aria-label": speak.label(form.name) || speak.t("rulebook.new_rule") },
    h("div", { className: "rb-editor-bar" },
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: onClose }, h(ArrowLeft, { "aria-hidden": true }), speak.t("rulebook.back")),
      h("h2", { ref: heading, tabIndex: -1 }, speak.label(form.name) || speak.t("rulebook.new_rule")),
      h("span", { className: "rb-fill" }),
      canEdit && was && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: () => setAsking(true) }, h(Trash2, { "aria-hidden": true }), speak.t("rulebook.remove")),
      canEdit && h("button", { type: "button", className: "tc-btn", "data-tone": "primary", "data-test": "save-rule", onClick: () => onSave?.({ rule, was }) }, h(Save, { "aria-hidden": true }), speak.t("rulebook.save"))),
    !canEdit && h("p", { className: "tc-note", role: "note" }, speak.t("rulebook.read_only")),
    general.length > 0 && h("div", { className: "tc-note", "data-tone": "danger", role: "alert" }, h("ul", null, general.map((problem, at) => h("li", { key: at }, speak.t(problem.code, problem.params))))),
    h("div", { className: "rb-editor-body" },
      h("form", { className: "rb-form", noValidate: true, onSubmit: (event) => { event.preventDefault(); if (canEdit) onSave?.({ rule, was }); } },
        h("fieldset", { disabled: !canEdit },
          h(Section, { title: speak.t("rulebook.section.what") },
            h("div", { className: "rb-fields" }, [...LANGUAGES].sort((one) => (one === speak.name ? -1 : 1)).map(name),
              says("name") && h("span", { className: "tc-problem rb-wide", role: "alert" }, says("name")),
              field("dimension", speak.t("rulebook.dimension"), h(Select, { value: form.dimension, options: choices.dimensions, "data-field": "dimension", onChange: (dimension) => set({ dimension }) })),
              field("code", speak.t("rulebook.code"), input("code", { placeholder: rule?.code, maxLength: 64, className: "tc-input tc-mono" })))),
          h(Section, { title: speak.t("rulebook.section.when") },
            h(ConditionBuilder, { fields: choices.fields, value: form.when ?? {}, readOnly: !canEdit, label: speak.t("rulebook.section.when"), problems: problems.filter((problem) => problem.path.startsWith("when")), onChange: (when) => set({ when: when ?? null }) })),
          h(Section, { title: speak.t("rulebook.section.how") }, h(Operation, { form, set, problems, choices, cards })),
          h(Section, { title: speak.t("rulebook.section.reach") },
            h("div", { className: "rb-fields" },
              h("div", { className: "rb-wide" }, h(Several, { label: speak.t("rulebook.sides"), options: choices.sides.map((value) => ({ value, label: speak.t(`rulebook.side.${value}`) })), value: form.sides, onChange: (sides) => set({ sides }) }), h(Problem, { problems, path: "sides" })),
              field("starts_on", speak.t("rulebook.starts_on"), input("starts_on", { type: "date" }), speak.t("rulebook.starts_on.help")),
              field("ends_on", speak.t("rulebook.ends_on"), input("ends_on", { type: "date" }), speak.t("rulebook.ends_on.help")),
              h("div", { className: "rb-wide" }, h(Several, { label: speak.t("rulebook.regions"), help: speak.t("rulebook.regions.help"), options: choices.regions, value: form.regions, onChange: (regions) => set({ regions }) })),
              h("div", { className: "rb-wide" }, h(Several, { label: speak.t("rulebook.lines"), help: speak.t("rulebook.lines.help"), options: choices.lines, value: form.lines, onChange: (lines) => set({ lines }) })))),
          h(Section, { title: speak.t("rulebook.section.order") },
            h("div", { className: "rb-fields" },
              field("order", speak.t("rulebook.order"), input("order", { inputMode: "numeric", className: "tc-input tc-num" }), speak.t("rulebook.order.help")),
              field("rounding", speak.t("rulebook.rounding"), h(Select, { value: form.rounding, options: choices.roundings.map((value) => ({ value, label: speak.t(`rulebook.rounding.${value}`) })), onChange: (rounding) => set({ rounding }) })),
              field("group", speak.t("rulebook.group_label"), input("group", { list: "rb-groups", maxLength: 64 }), speak.t("rulebook.group.help"))),
            h("datalist", { id: "rb-groups" }, choices.groups.map((group) => h("option", { key: group, value: group })))),
          h("button", { type: "submit", className: "tc-sr", tabIndex: -1, "aria-hidden": true }))),
      h(Beside, { judged, isWaiting: told !== spelled })),
    h(ReasonDialog, { open: asking, title: speak.t("rulebook.remove.title", { name: form.name }), text: speak.t("rulebook.remove.text"), confirmLabel: speak.t("rulebook.remove"), tone: "danger", asksReason: false, onConfirm: () => { setAsking(false); onRemove?.(was); }, onCancel: () => setAsking(false) }),
    problems.length === 0 && told === spelled && judged.sentence?.zh && h("p", { className: "tc-sr", role: "status" }, h(CircleCheck, { "aria-hidden": true }), speak.t("rulebook.ready")));
}
