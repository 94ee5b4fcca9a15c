// Three service classes by three urgencies: what each pays for an ordinary ticket, and by which rules.
import { createElement as h, useEffect, useRef, useState } from "react";
import { Pencil, Plus, Save } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Select } from "$/public/external/ticket_console/designer/form/form_designer/parts.jsx";
import { isMoney, toMajor, toMinor } from "./amounts.js";
import { RuleValue, labelOf } from "./pieces.jsx";

const keyOf = (cell) => `${cell.service_class}/${cell.urgency}`;
const MOVES = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

function ValueEditor({ rule, currency, onValue }) {
  const speak = useLanguage();
  const money = isMoney(rule.op, rule.unit);
  const kept = money ? toMajor(rule.value, currency) : rule.value;
  const [text, setText] = useState(kept);
  useEffect(() => setText(kept), [kept]);
  const isNew = text.trim() !== kept;
  return h("form", { className: "rb-value-form", onSubmit: (event) => { event.preventDefault(); if (isNew) onValue({ code: rule.code, value: money ? toMinor(text, currency) : text.trim() }); } },
    h("input", { className: "tc-input tc-num", inputMode: "decimal", value: text, "aria-label": speak.t("rulebook.value_of", { name: rule.name }), onChange: (event) => setText(event.target.value) }),
    h("span", { className: "tc-help" }, rule.op === "percent" ? "%" : money ? currency : ""),
    h("button", { type: "submit", className: "tc-btn", "data-size": "small", "data-shape": "icon", disabled: !isNew, "aria-label": speak.t("rulebook.save_value", { name: rule.name }), title: speak.t("rulebook.save") }, h(Save, { "aria-hidden": true })));
}

function Line({ line, rule, choices, canEdit, onValue, onEdit }) {
  const speak = useLanguage();
  const isPlain = rule && rule.op !== "tier" && !rule.card;
  return h("li", { className: "rb-cell-line", "data-special": line.special || undefined },
    h("div", { className: "rb-example-head" },
      h("button", { type: "button", className: "rb-rule-name", onClick: () => onEdit(line.code) }, speak.label(line.name)),
      h("span", { className: "rb-fill" }),
      line.amount !== undefined && h("strong", { className: "tc-num" }, speak.money(line.amount, choices.currency))),
    line.formula ? h("code", { className: "rb-formula" }, line.formula) : h("p", { className: "rb-unmet" }, speak.label(line.sentence)),
    rule && (canEdit && isPlain
      ? h(ValueEditor, { rule, currency: choices.currency, onValue })
      : h("div", { className: "rb-facts" }, h(RuleValue, { rule, currency: choices.currency }), canEdit && h("button", { type: "button", className: "tc-btn", "data-size": "small", "data-tone": "quiet", onClick: () => onEdit(line.code) }, h(Pencil, { "aria-hidden": true }), speak.t("rulebook.edit")))));
}

export function TierGrid({ cells = [], rules = [], choices = {}, reference = "", canEdit, onRefer, onValue, onEdit, onNew }) {
  const speak = useLanguage();
  const [chosen, setChosen] = useState("complex/emergency");
  const table = useRef(null);
  const classes = choices.classes ?? [];
  const urgencies = choices.urgencies ?? [];
  const cell = cells.find((each) => keyOf(each) === chosen) ?? cells[0];
  const ruleOf = (code) => rules.find((rule) => rule.code === code);
  const lowest = Math.min(...cells.map((each) => each.total));
  const highest = Math.max(...cells.map((each) => each.total));
  const warmth = (total) => (highest === lowest ? 0 : (total - lowest) / (highest - lowest));
  const move = (event) => {
    const step = MOVES[event.key];
    if (!step) return;
    event.preventDefault();
    const row = classes.findIndex((each) => each.value === cell.service_class) + step[0];
    const column = urgencies.findIndex((each) => each.value === cell.urgency) + step[1];
    if (!classes[row] || !urgencies[column]) return;
    const next = `${classes[row].value}/${urgencies[column].value}`;
    setChosen(next);
    table.current?.querySelector(`[data-cell="${next}"]`)?.focus();
  };
  if (!cell) return null;
  const name = (one) => `${labelOf(speak, classes, one.service_class)} · ${labelOf(speak, urgencies, one.urgency)}`;
  const special = cell.lines.filter((line) => line.special);
  const usual = cell.lines.filter((line) => !line.special);
  const began = {
    dimension: "service_tier", op: "multiply", value: "1.1", applies_to: ["base_labour", "difficulty"], order: 75,
    when: { combinator: "and", rules: [{ field: "service_class", operator: "=", value: cell.service_class }, { field: "urgency", operator: "=", value: cell.urgency }] },
  };
  return h("section", { className: "rb-grid", "data-test": "tier-grid" },
    h("div", { className: "rb-bar" }, h("p", { className: "tc-help" }, speak.t("rulebook.grid.hint")), h("span", { className: "rb-fill" }),
      h("label", { className: "rb-day" }, h("span", null, speak.t("rulebook.grid.reference")), h(Select, { value: reference, options: choices.lines ?? [], onChange: onRefer }))),
    h("div", { className: "rb-grid-body" },
      h("div", { className: "rb-grid-box" }, h("table", { ref: table, className: "rb-tiers", onKeyDown: move },
        h("caption", { className: "tc-sr" }, speak.t("rulebook.tab.grid")),
        h("thead", null, h("tr", null, h("th", { scope: "col" }, h("span", { className: "tc-sr" }, speak.t("rulebook.grid.axes"))), urgencies.map((each) => h("th", { key: each.value, scope: "col" }, speak.label(each.label))))),
        h("tbody", null, classes.map((row) => h("tr", { key: row.value }, h("th", { scope: "row" }, speak.label(row.label)),
          urgencies.map((column) => {
            const one = cells.find((each) => each.service_class === row.value && each.urgency === column.value);
            if (!one) return h("td", { key: column.value });
            const own = one.lines.filter((line) => line.special).map((line) => ruleOf(line.code)).filter(Boolean);
            return h("td", { key: column.value }, h("button", {
              type: "button", className: "rb-cell", "data-cell": keyOf(one), "aria-pressed": one === cell, tabIndex: one === cell ? 0 : -1, style: { "--warmth": warmth(one.total) }, onClick: () => setChosen(keyOf(one)),
            }, h("strong", { className: "tc-num" }, speak.money(one.total, choices.currency)),
            h("span", { className: "rb-cell-rules" }, own.length ? own.map((rule) => h(RuleValue, { key: rule.code, rule, currency: choices.currency })) : speak.t("rulebook.grid.no_special"))));
          }))))),
      ),
      h("aside", { className: "rb-beside", "aria-label": name(cell), "data-test": "cell-rules" },
        h("h2", null, name(cell)),
        h("p", { className: "tc-help" }, speak.t("rulebook.grid.pays", { amount: speak.money(cell.total, choices.currency), n: cell.lines.length })),
        special.length > 0 && h("ul", null, special.map((line) => h(Line, { key: line.code, line, rule: ruleOf(line.code), choices, canEdit, onValue, onEdit }))),
        usual.length > 0 && h("h3", null, speak.t("rulebook.grid.usual")),
        usual.length > 0 && h("ul", null, usual.map((line) => h(Line, { key: line.code, line, rule: ruleOf(line.code), choices, canEdit, onValue, onEdit }))),
        cell.more.length > 0 && h("h3", null, speak.t("rulebook.grid.more")),
        cell.more.length > 0 && h("ul", null, cell.more.map((line) => h(Line, { key: line.code, line, rule: ruleOf(line.code), choices, canEdit, onValue, onEdit }))),
        canEdit && h("button", { type: "button", className: "tc-btn", onClick: () => onNew(began) }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.grid.new")))));
}
