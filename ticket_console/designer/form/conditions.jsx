// Conditions over the fields of this form, and what a field does while one holds.
import { createElement as h } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { ConditionBuilder } from "$/public/external/ticket_console/components/condition_builder/condition_builder.jsx";
import { Bilingual, Icon, IconButton, Row, Segmented, Select, Switch } from "./parts.jsx";

const NO_CONDITION = ["heading", "photo", "file", "signature", "location", "table", "parts"];

// Fields as conditions know them.
export const facts = (fields) => fields.filter((field) => !NO_CONDITION.includes(field.kind)).map((field) => ({
  name: field.key, label: field.label, kind: field.kind, options: (field.options ?? []).map(({ value, label }) => ({ value, label })),
}));

const firstRule = (fields) => {
  const field = facts(fields)[0];
  return { combinator: "and", rules: field ? [{ field: field.name, operator: "=", value: field.options[0]?.value ?? "" }] : [] };
};

export function ConditionEditor({ title, none, fields, value, onChange, problems }) {
  const speak = useLanguage();
  const choices = facts(fields);
  return h("div", { className: "fm-condition", role: "group", "aria-label": title },
    h("div", { className: "fm-condition-head" }, h("span", { className: "tc-label" }, title),
      value
        ? h(IconButton, { icon: "x", small: true, label: speak.t("form_designer.condition.remove", { name: title }), onClick: () => onChange(null) })
        : h("button", { type: "button", className: "tc-btn", "data-size": "small", disabled: choices.length === 0, onClick: () => onChange(firstRule(fields)) }, h(Icon, { name: "plus" }), speak.t("form_designer.condition.add"))),
    value ? h(ConditionBuilder, { fields: choices, value, onChange, problems }) : h("span", { className: "tc-help" }, choices.length === 0 ? speak.t("form_designer.condition.no_fields") : none));
}

const TONES = ["danger", "warn", "ok"];

function Behaviour({ behaviour, index, fields, problems, choices, onChange, onRemove }) {
  const speak = useLanguage();
  const told = behaviour.notify;
  const about = (part) => problems.filter((problem) => problem.path.includes(`behaviours[${index}].${part}`));
  const [silent] = about("notify");
  const set = (change, burst) => onChange({ ...behaviour, ...change }, burst);
  return h("li", { className: "fm-behaviour", "data-tone": behaviour.style || undefined },
    h("div", { className: "fm-condition-head" }, h("span", { className: "tc-label" }, speak.t("form_designer.behaviour.when")),
      h(IconButton, { icon: "x", small: true, label: speak.t("form_designer.behaviour.remove", { n: index + 1 }), onClick: onRemove })),
    h(ConditionBuilder, { fields: facts(fields), value: behaviour.when, problems: about("when"), onChange: (tree) => set({ when: tree }, "when") }),
    h(Row, { label: speak.t("form_designer.behaviour.style"), grouped: true }, h(Segmented, {
      label: speak.t("form_designer.behaviour.style"), value: behaviour.style ?? "",
      onChange: (style) => {
        const { style: _, ...rest } = behaviour;
        onChange(style ? { ...rest, style } : rest);
      },
      options: [{ value: "", label: speak.t("form_designer.behaviour.style.none") }, ...TONES.map((value) => ({ value, label: speak.t(`form_designer.behaviour.style.${value}`) }))],
    })),
    h(Switch, {
      label: speak.t("form_designer.behaviour.notify"), on: Boolean(told),
      onChange: (on) => {
        const { notify: _, ...rest } = behaviour;
        onChange(on ? { ...rest, notify: { to: "assignee", channel: "console", text: { zh: "", en: "" } } } : rest);
      },
    }),
    told && h("div", { className: "fm-pair" },
      h(Row, { label: speak.t("form_designer.behaviour.to") }, h(Select, { value: told.to, options: choices.receivers ?? [], onChange: (to) => set({ notify: { ...told, to } }) })),
      h(Row, { label: speak.t("form_designer.behaviour.channel") }, h(Select, { value: told.channel, options: choices.channels ?? [], onChange: (channel) => set({ notify: { ...told, channel } }) }))),
    told && h(Bilingual, { label: speak.t("form_designer.behaviour.text"), value: told.text, problem: silent && speak.t(silent.code, silent.params), onChange: (locale, text) => set({ notify: { ...told, text: { ...told.text, [locale]: text } } }, `text:${locale}`) }));
}

export function BehavioursEditor({ field, fields, value, problems, choices, onChange }) {
  const speak = useLanguage();
  const add = () => {
    const first = (field.options ?? [])[0]?.value ?? (field.kind === "yes_no" ? true : "");
    onChange([...value, { when: { combinator: "and", rules: [{ field: field.key, operator: "=", value: first }] }, style: "danger" }]);
  };
  return h("div", { className: "fm-options" },
    value.length === 0 && h("span", { className: "tc-help" }, speak.t("form_designer.behaviour.none")),
    h("ol", { className: "fm-behaviours" }, value.map((behaviour, index) => h(Behaviour, {
      key: index, behaviour, index, fields, problems: problems.filter((problem) => problem.path.includes(`behaviours[${index}]`)), choices,
      onChange: (next, burst) => onChange(value.map((each, at) => (at === index ? next : each)), burst && `behaviour:${index}:${burst}`),
      onRemove: () => onChange(value.filter((_, at) => at !== index)),
    }))),
    h("div", null, h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: add }, h(Icon, { name: "plus" }), speak.t("form_designer.behaviour.add"))));
}
