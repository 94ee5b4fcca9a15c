// A condition under the mouse and the keyboard: rules and groups, and below them what they say in words.
import { createElement as h, useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { QueryBuilder, prepareRuleGroup } from "react-querybuilder";
import { FolderPlus, Plus, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { operandList, sentence } from "./condition_sentence.js";
import words from "./condition_words.json";

const TELL_AFTER_MS = 350;
const MAX_DEPTH = 20;
const NO_VALUE = new Set(["null", "notNull"]);
const LISTED = new Set(["in", "notIn", "between"]);
const ORDER = ["=", "!=", "<", "<=", ">", ">=", "between"];
const OPERATORS = {
  number: [...ORDER, "null", "notNull"],
  time: ["<", "<=", ">", ">=", "between", "=", "!=", "null", "notNull"],
  text: ["=", "!=", "contains", "in", "notIn", "null", "notNull"],
  choice: ["=", "!=", "in", "notIn", "null", "notNull"],
  list: ["contains", "in", "notIn", "null", "notNull"],
  flag: ["=", "null", "notNull"],
  presence: ["null", "notNull"],
};
const ONLY_PRESENCE = new Set(["photo", "file", "signature", "location", "parts", "table"]);
const INPUT = { date: "date", datetime: "datetime-local" };

const spoken = (field) => words.spoken_as[field?.kind] ?? "text";
const nameOf = (field) => field.name ?? field.value;

function familyOf(field) {
  if (ONLY_PRESENCE.has(field?.kind)) return "presence";
  const family = spoken(field);
  return family === "text" && field?.options?.length ? "choice" : family;
}

const isGroup = (part) => Array.isArray(part.rules);

// A value in the shape that its operator wants.
function shaped(operator, value) {
  if (operator === "between") {
    const [low = "", high = ""] = operandList(value);
    return Array.isArray(value) ? [value[0] ?? "", value[1] ?? ""] : [low, high];
  }
  if (LISTED.has(operator)) return Array.isArray(value) ? value : operandList(typeof value === "boolean" ? String(value) : `${value ?? ""}`);
  return Array.isArray(value) ? value[0] ?? "" : value ?? "";
}

// The tree as it is stored: without what only the editor needs.
function stored(part) {
  if (isGroup(part)) return { combinator: part.combinator, ...(part.not ? { not: true } : {}), rules: part.rules.map(stored) };
  const { field, operator, value } = part;
  return NO_VALUE.has(operator) ? { field, operator } : { field, operator, value: shaped(operator, value) };
}

const EMPTY = { combinator: "and", rules: [] };
const asGroup = (tree) => (!tree ? EMPTY : isGroup(tree) ? tree : tree.field ? { combinator: "and", rules: [tree] } : EMPTY);
const spelled = (tree) => JSON.stringify(tree?.rules?.length ? stored(asGroup(tree)) : tree?.field ? stored(asGroup(tree)) : null);

// The zone of the person's clock, on which the inputs below read and write.
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Instants are kept in UTC with microseconds, so that they compare as text; people enter their own time.
const pad = (number, size = 2) => String(number).padStart(size, "0");
function toLocal(instant) {
  const at = new Date(instant);
  if (!instant || Number.isNaN(at.getTime())) return "";
  return `${pad(at.getFullYear(), 4)}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
}
function toInstant(local) {
  const at = new Date(local);
  return local && !Number.isNaN(at.getTime()) ? `${at.toISOString().slice(0, 19)}.000000Z` : "";
}

// Digits and points as Chinese input methods write them.
const plainNumber = (text) => text.replace(/[０-９]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0)).replace(/[。．]/g, ".").replace(/[^0-9.-]/g, "");

function OneValue({ field, value, label, onChange, disabled, invalid }) {
  const speak = useLanguage();
  const aria = { "aria-label": label, disabled, ...(invalid ? { "aria-invalid": true } : {}) };
  const family = familyOf(field);
  if (family === "flag") {
    return h("select", { ...aria, className: "tc-select", value: String(value), onChange: (event) => onChange(event.target.value === "true") },
      !["true", "false"].includes(String(value)) && h("option", { value: String(value) }, "…"),
      ["true", "false"].map((each) => h("option", { key: each, value: each }, speak.t(`condition.value.${each}`))));
  }
  if (field?.options?.length) {
    const known = field.options.some((option) => String(option.value) === String(value ?? ""));
    return h("select", { ...aria, className: "tc-select", value: String(value ?? ""), onChange: (event) => onChange(field.options.find((option) => String(option.value) === event.target.value)?.value ?? event.target.value) },
      !known && h("option", { value: String(value ?? "") }, value === "" || value === null || value === undefined ? speak.t("condition.value.choose") : String(value)),
      field.options.map((option) => h("option", { key: option.value, value: String(option.value) }, speak.label(option.label) || option.value)));
  }
  const type = INPUT[field?.kind] ?? "text";
  const numeric = family === "number";
  const shown = type === "datetime-local" ? toLocal(value) : String(value ?? "");
  const read = (text) => (type === "datetime-local" ? toInstant(text) : numeric ? plainNumber(text) : text);
  return h("input", { ...aria, className: "tc-input", type, value: shown, placeholder: type === "text" ? speak.t("condition.value.placeholder") : undefined, ...(numeric ? { inputMode: "decimal" } : {}), onChange: (event) => onChange(read(event.target.value)) });
}

function SeveralOptions({ field, value, label, onChange, disabled }) {
  const speak = useLanguage();
  const chosen = new Set(value.map(String));
  const toggle = (option) => onChange(field.options.filter((each) => (each === option) !== chosen.has(String(each.value))).map((each) => each.value));
  return h("div", { className: "tc-cond-options", role: "group", "aria-label": label }, field.options.map((option) => h("label", { key: option.value, className: "tc-cond-option" },
    h("input", { type: "checkbox", checked: chosen.has(String(option.value)), disabled, onChange: () => toggle(option) }), speak.label(option.label) || option.value)));
}

// Values that nobody listed, separated by commas; kept as written until the field is left.
function SeveralTexts({ value, label, onChange, disabled, invalid }) {
  const speak = useLanguage();
  const [text, setText] = useState(null);
  const split = (written) => written.split(/[,，、]/).map((each) => each.trim()).filter(Boolean);
  return h("input", { className: "tc-input", type: "text", "aria-label": label, disabled, ...(invalid ? { "aria-invalid": true } : {}), placeholder: speak.t("condition.value.several"),
    value: text ?? value.join(", "), onChange: (event) => { setText(event.target.value); onChange(split(event.target.value)); }, onBlur: () => setText(null) });
}

function ValueEditor({ field: name, operator, value, handleOnChange: onChange, disabled, rule, context }) {
  const speak = useLanguage();
  const field = context.byName.get(name);
  if (NO_VALUE.has(operator)) return null;
  const kept = shaped(operator, value);
  const invalid = context.invalid.has(rule.id);
  const common = { field, disabled, invalid };
  const label = speak.t("condition.value.of", { field: context.labelOf(field) });
  if (operator === "between") {
    return h("span", { className: "tc-cond-between" },
      h(OneValue, { ...common, label: speak.t("condition.value.from"), value: kept[0], onChange: (low) => onChange([low, kept[1]]) }),
      h("span", null, speak.t("condition.value.to_word")),
      h(OneValue, { ...common, label: speak.t("condition.value.to"), value: kept[1], onChange: (high) => onChange([kept[0], high]) }));
  }
  if (LISTED.has(operator)) return h(field?.options?.length ? SeveralOptions : SeveralTexts, { ...common, label, value: kept, onChange });
  return h(OneValue, { ...common, label, value: kept, onChange });
}

function Selector({ options, value, title, handleOnChange, disabled, className }) {
  const known = options.some((option) => option.name === value);
  return h("select", { className: `tc-select ${className ?? ""}`, "aria-label": title, value: value ?? "", disabled, onChange: (event) => handleOnChange(event.target.value) },
    !known && h("option", { value: value ?? "" }, value),
    options.map((option) => h("option", { key: option.name, value: option.name }, option.label)));
}

const ActionButton = (icon, labelled) => function Action({ label, title, handleOnClick, disabled }) {
  return h("button", { type: "button", className: "tc-btn", "data-size": "small", "data-tone": "quiet", ...(labelled ? {} : { "data-shape": "icon", "aria-label": title, title }), disabled, onClick: (event) => handleOnClick(event) },
    h(icon, { size: 14, "aria-hidden": true }), labelled ? label : null);
};

function Negation({ checked, handleOnChange, title, label, disabled }) {
  const id = useId();
  return h("label", { className: "tc-cond-not", htmlFor: id, title }, h("input", { id, type: "checkbox", checked: Boolean(checked), disabled, onChange: (event) => handleOnChange(event.target.checked) }), label);
}

const CONTROLS = {
  valueEditor: ValueEditor, fieldSelector: Selector, operatorSelector: Selector, combinatorSelector: Selector, notToggle: Negation,
  addRuleAction: ActionButton(Plus, true), addGroupAction: ActionButton(FolderPlus, true),
  removeRuleAction: ActionButton(X, false), removeGroupAction: ActionButton(X, false),
};
const CLASSES = { queryBuilder: "tc-cond-tree", ruleGroup: "tc-cond-group", header: "tc-cond-head", body: "tc-cond-body", rule: "tc-cond-rule", fields: "tc-cond-field", operators: "tc-cond-operator", combinators: "tc-cond-combinator" };

// The ids of the rules that the server's problems are about; a path is ".rules[0].rules[1].value", with or
// without what leads to the condition.
function idsWithProblems(query, problems) {
  const found = new Set();
  for (const { path = "" } of problems) {
    let part = query;
    for (const [, index] of String(path).matchAll(/\.?rules\[(\d+)\]/g)) part = part?.rules?.[Number(index)];
    if (part && !isGroup(part)) found.add(part.id);
  }
  return found;
}

// `fields`: [{name, label: {zh, en}, kind, options: [{value, label}]}]; `value`: the tree or null;
// `onChange(tree | null)` is told what is stored, a moment after the last keystroke. `problems`: [{path, code, params}].
// `sentence` replaces the words below by others; by default they are made here.
export function ConditionBuilder({ fields = [], value, onChange, problems = [], sentence: says, readOnly = false, label }) {
  const speak = useLanguage();
  const id = useId();
  const list = Array.isArray(fields) ? fields : [];
  const faults = Array.isArray(problems) ? problems : [];
  const [query, setQuery] = useState(() => prepareRuleGroup(asGroup(value)));
  const told = useRef(spelled(value));
  const waiting = useRef(null);
  const listener = useRef(onChange);
  listener.current = onChange;
  const incoming = spelled(value);

  useEffect(() => {
    if (incoming === told.current) return;
    clearTimeout(waiting.current?.timer);
    waiting.current = null;
    told.current = incoming;
    setQuery(prepareRuleGroup(asGroup(value)));
  }, [incoming]);

  const tell = useCallback(() => {
    const tree = waiting.current?.tree;
    if (tree === undefined) return;
    clearTimeout(waiting.current.timer);
    waiting.current = null;
    told.current = spelled(tree);
    listener.current?.(tree);
  }, []);
  useEffect(() => tell, [tell]);

  const change = (next) => {
    setQuery(next);
    const tree = next.rules.length ? stored(next) : null;
    clearTimeout(waiting.current?.timer);
    waiting.current = null;
    if (spelled(tree) === told.current) return;
    waiting.current = { tree, timer: setTimeout(tell, TELL_AFTER_MS) };
  };

  const byName = useMemo(() => new Map(list.map((field) => [nameOf(field), field])), [list]);
  const labelOf = (field) => speak.label(field?.label) || nameOf(field ?? {}) || "";
  // Only this much: react-querybuilder would take a field with options for a group of fields.
  const choices = useMemo(() => list.map((field) => ({ name: nameOf(field), value: nameOf(field), label: labelOf(field) })), [list, speak]);
  const knowledge = useMemo(() => {
    const labels = {};
    const kinds = {};
    for (const field of list) {
      labels[nameOf(field)] = field.label;
      kinds[nameOf(field)] = field.kind;
      for (const option of field.options ?? []) labels[`${nameOf(field)}=${option.value}`] = option.label;
    }
    return { labels, kinds, zone: OWN_ZONE };
  }, [list]);
  const operators = useCallback((name) => {
    const field = byName.get(name);
    const family = familyOf(field);
    const said = (operator) => {
      const narrowed = `condition.operator.${operator}.${spoken(field)}`;
      return speak.t(speak.known(narrowed) ? narrowed : `condition.operator.${operator}`);
    };
    return (field ? OPERATORS[family] : Object.values(OPERATORS).flat().filter((each, at, all) => all.indexOf(each) === at)).map((operator) => ({ name: operator, value: operator, label: said(operator) }));
  }, [byName, speak]);
  const fresh = (rule) => {
    const field = byName.get(rule.field);
    if (familyOf(field) === "flag") return true;
    return field?.options?.[0]?.value ?? "";
  };
  const title = (key, text = speak.t(key)) => ({ label: text, title: text });
  const translations = {
    fields: { title: speak.t("condition.part.field"), placeholderLabel: "…" }, operators: { title: speak.t("condition.part.operator"), placeholderLabel: "…" },
    values: { title: "", placeholderLabel: "…" }, value: { title: speak.t("condition.part.value") },
    combinators: { title: speak.t("condition.part.combinator") }, notToggle: title("condition.not"),
    addRule: title("condition.add_rule"), addGroup: title("condition.add_group"),
    removeRule: title("condition.remove_rule"), removeGroup: title("condition.remove_group"),
  };
  const tree = query.rules.length ? stored(query) : null;
  const wrong = idsWithProblems(query, faults);
  const text = says || (tree ? sentence(tree, knowledge, speak.name, words) : speak.t("condition.none"));

  return h("div", { className: "tc-cond", role: "group", "aria-label": label ?? speak.t("condition.label"), "aria-describedby": `${id}-said`, onBlur: (event) => { if (!event.currentTarget.contains(event.relatedTarget)) tell(); } },
    h(QueryBuilder, {
      query, onQueryChange: change, fields: choices, getOperators: operators, getDefaultOperator: (name) => (byName.get(name)?.kind === "long_text" ? "contains" : operators(name)[0]?.name ?? "="), getDefaultValue: fresh,
      combinators: ["and", "or"].map((name) => ({ name, value: name, label: speak.t(`condition.combinator.${name}`) })),
      controlElements: CONTROLS, controlClassnames: CLASSES, suppressStandardClassnames: true, translations, listsAsArrays: true, resetOnOperatorChange: false, showNotToggle: true, addRuleToNewGroups: true,
      maxLevels: MAX_DEPTH - 1, disabled: readOnly || list.length === 0, getRuleClassname: (rule) => (wrong.has(rule.id) ? "tc-cond-wrong" : ""),
      context: { invalid: wrong, labelOf, byName },
      accessibleDescriptionGenerator: ({ path }) => speak.t(path.length ? "condition.group_inner" : "condition.group"),
    }),
    faults.length > 0 && h("ul", { className: "tc-cond-problems", role: "alert" }, faults.map((problem, index) => h("li", { key: index }, speak.t(problem.code, problem.params ?? {})))),
    h("p", { id: `${id}-said`, className: "tc-cond-said", "aria-live": "polite" }, text));
}
