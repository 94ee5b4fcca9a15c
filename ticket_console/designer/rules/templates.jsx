// Twelve short forms that make rules: fill in one or several, see what they say, put all of them into the draft.
import { createElement as h, useEffect, useState } from "react";
import { Check, CircleAlert, Plus, Wand, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Row, Select } from "$/public/external/ticket_console/designer/form/form_designer/parts.jsx";
import { tidy } from "./amounts.js";
import { BothSentences } from "./pieces.jsx";

const TRY_AFTER_MS = 350;
const examplesOf = (template) => Object.fromEntries(template.blanks.map((blank) => [blank.key, blank.example]));

function Steps({ value, onChange, label }) {
  const speak = useLanguage();
  const change = (at, part, text) => onChange(value.map((step, index) => (index === at ? step.map((each, place) => (place === part ? tidy(text) : each)) : step)));
  return h("div", { className: "rb-bands", role: "group", "aria-label": label },
    value.map((step, at) => h("div", { key: at, className: "rb-band" },
      h("label", null, h("span", { className: "tc-sr" }, `${speak.t("rulebook.band.from")} ${at + 1}`), h("input", { className: "tc-input tc-num", inputMode: "decimal", value: step[0], readOnly: at === 0, onChange: (event) => change(at, 0, event.target.value) })),
      h("span", { className: "tc-help" }, speak.t("rulebook.band.pays")),
      h("label", null, h("span", { className: "tc-sr" }, `${speak.t("rulebook.amount_plain")} ${at + 1}`), h("input", { className: "tc-input tc-num", inputMode: "decimal", value: step[1], onChange: (event) => change(at, 1, event.target.value) })),
      at > 0 ? h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("rulebook.band.remove", { n: at + 1 }), onClick: () => onChange(value.filter((_, index) => index !== at)) }, h(X, { "aria-hidden": true })) : h("span"))),
    h("div", null, h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onChange([...value, [String(Number(value.at(-1)?.[0] ?? 0) + 10), "0"]]) }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.band.add"))));
}

function Blank({ blank, value, problem, choices, onChange }) {
  const speak = useLanguage();
  const label = speak.label(blank.label);
  const options = (choices.fields ?? []).find((field) => field.name === blank.field)?.options ?? [];
  if (blank.kind === "steps") return h("div", { className: "rb-wide" }, h(Row, { label, problem, grouped: true }, h(Steps, { value, label, onChange })));
  if (blank.kind === "choice" && options.length) return h(Row, { label, problem }, h(Select, { value, options: options.some((option) => option.value === value) ? options : [...options, { value, label: value }], onChange }));
  if (blank.kind === "time") return h(Row, { label, problem }, h("input", { type: "time", className: "tc-input", value, onChange: (event) => onChange(event.target.value) }));
  return h(Row, { label, problem }, h("input", { className: "tc-input tc-num", inputMode: "decimal", "aria-invalid": Boolean(problem) || undefined, value, onChange: (event) => onChange(event.target.value) }));
}

function Filled({ template, answers, tried, choices, clashing, onChange, onRemove }) {
  const speak = useLanguage();
  const problems = tried?.problems ?? [];
  const says = (path) => problems.filter((problem) => problem.path === path).map((problem) => speak.t(problem.code, problem.params)).join(" ");
  const other = problems.filter((problem) => !template.blanks.some((blank) => blank.key === problem.path));
  return h("li", { className: "rb-filled", "data-template": template.code },
    h("div", { className: "rb-example-head" }, h("strong", null, speak.label(template.name)), h("span", { className: "tc-badge", "data-tone": "accent" }, speak.label(template.dimension_name)), h("span", { className: "rb-fill" }),
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("rulebook.templates.drop", { name: template.name }), onClick: onRemove }, h(X, { "aria-hidden": true }))),
    h("div", { className: "rb-fields" }, template.blanks.map((blank) => h(Blank, { key: blank.key, blank, value: answers[blank.key], problem: says(blank.key), choices, onChange: (value) => onChange({ ...answers, [blank.key]: value }) }))),
    other.length > 0 && h("p", { className: "tc-problem", role: "alert" }, other.map((problem) => speak.t(problem.code, problem.params)).join(" ")),
    tried?.sentence?.zh && h(BothSentences, { sentence: tried.sentence }),
    clashing.length > 0
      ? h("p", { className: "rb-order-note", "data-tone": "warn" }, h(CircleAlert, { size: 14, "aria-hidden": true }), speak.t("rulebook.templates.ordered", { names: clashing.map((each) => speak.label(each.name)).join(", ") }))
      : h("p", { className: "rb-order-note", "data-tone": "ok" }, h(Check, { size: 14, "aria-hidden": true }), speak.t("rulebook.templates.commutes")));
}

export function RuleTemplates({ templates = [], choices = {}, tried = {}, canEdit, onTry, onInsert }) {
  const speak = useLanguage();
  const [filled, setFilled] = useState([]);
  const spelled = JSON.stringify(filled);
  const of = (code) => templates.find((template) => template.code === code);
  useEffect(() => {
    if (!filled.length) return undefined;
    const timer = setTimeout(() => onTry?.({ filled }), TRY_AFTER_MS);
    return () => clearTimeout(timer);
  }, [spelled]);
  useEffect(() => { if (tried.inserted) setFilled([]); }, [tried.inserted]);
  const pick = (template) => setFilled(filled.some((each) => each.template === template.code) ? filled.filter((each) => each.template !== template.code) : [...filled, { template: template.code, answers: examplesOf(template) }]);
  const outcome = (code) => (tried.rules ?? []).find((each) => each.template === code);
  const isReady = filled.length > 0 && filled.every((each) => outcome(each.template) && outcome(each.template).problems.length === 0);
  return h("section", { className: "rb-templates", "data-test": "rule-templates", "aria-label": speak.t("rulebook.tab.templates") },
    h("div", { className: "rb-grid-body" },
      h("div", null,
        h("p", { className: "tc-help rb-hint" }, speak.t("rulebook.templates.hint", { n: templates.length })),
        h("ol", { className: "rb-shelf" }, templates.map((template, index) => {
          const isTaken = filled.some((each) => each.template === template.code);
          return h("li", { key: template.code }, h("button", { type: "button", className: "rb-template", "aria-pressed": isTaken, disabled: !canEdit, onClick: () => pick(template) },
            h("span", { className: "rb-order tc-num" }, index + 1), h("strong", null, speak.label(template.name)), h("span", { className: "tc-help" }, speak.label(template.dimension_name)), isTaken ? h(Check, { "aria-hidden": true }) : h(Plus, { "aria-hidden": true })));
        }))),
      h("aside", { className: "rb-beside", "aria-label": speak.t("rulebook.templates.chosen") },
        filled.length === 0
          ? h("div", { className: "tc-empty" }, h(Wand, { "aria-hidden": true }), h("strong", null, speak.t("rulebook.templates.none")), h("p", null, speak.t(canEdit ? "rulebook.templates.none.text" : "rulebook.templates.needs_draft")))
          : h("div", { className: "tc-stack" },
            h("h2", null, speak.t("rulebook.templates.chosen_n", { n: filled.length })),
            h("ul", { className: "rb-filled-list" }, filled.map((each, at) => h(Filled, {
              key: each.template, template: of(each.template), answers: each.answers, tried: outcome(each.template), choices,
              clashing: filled.filter((other) => of(each.template).clashes.includes(other.template)).map((other) => of(other.template)),
              onChange: (answers) => setFilled(filled.map((one, index) => (index === at ? { ...one, answers } : one))),
              onRemove: () => setFilled(filled.filter((_, index) => index !== at)),
            }))),
            (tried.problems ?? []).length > 0 && h("ul", { className: "tc-note", "data-tone": "danger", role: "alert" }, tried.problems.map((problem, at) => h("li", { key: at }, speak.t(problem.code, problem.params)))),
            h("div", null, h("button", { type: "button", className: "tc-btn", "data-tone": "primary", disabled: !isReady, onClick: () => onInsert?.({ filled }) }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.templates.insert", { n: filled.length })))))));
}
