// Small parts that the screens of settlement rules share.
import { createElement as h } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { isMoney, written } from "./amounts.js";

const OTHER = { zh: "en", en: "zh" };

// What a rule comes to, short enough to be read down a column.
export function RuleValue({ rule, currency, cards = [] }) {
  const speak = useLanguage();
  if (rule.card) return h("span", { className: "rb-value", "data-kind": "card" }, speak.label(cards.find((card) => card.code === rule.card)?.name) || speak.t("rulebook.value.card"));
  if (rule.op === "tier") return h("span", { className: "rb-value", "data-kind": "tier" }, speak.t("rulebook.value.tiers", { n: rule.bands.length }));
  if (rule.op === "multiply") return h("span", { className: "rb-value tc-num" }, rule.unit ? "× n" : `× ${rule.value}`);
  if (rule.op === "percent") return h("span", { className: "rb-value tc-num" }, `${String(rule.value).startsWith("-") ? "−" : "+"}${String(rule.value).replace("-", "")}%`);
  if (!isMoney(rule.op, rule.unit)) return h("span", { className: "rb-value tc-num" }, rule.value === "1" ? "1 : 1" : `× ${rule.value}`);
  const sign = { cap: "≤ ", floor: "≥ " }[rule.op] ?? "";
  return h("span", { className: "rb-value tc-num" }, `${sign}${written(rule.value, currency).replace("-", "−")}`, rule.op === "per_unit" && h("small", null, speak.t("rulebook.value.each")));
}

// A sentence in the reader's language, and below it what it says in the other one.
export function BothSentences({ sentence }) {
  const speak = useLanguage();
  const other = OTHER[speak.name];
  return h("div", { className: "rb-said" },
    h("p", { lang: speak.name }, sentence?.[speak.name]),
    h("p", { lang: other, className: "rb-said-other" }, sentence?.[other]));
}

export const labelOf = (speak, options, value) => speak.label((options ?? []).find((option) => option.value === value)?.label) || value;

export function Problem({ problems, path }) {
  const speak = useLanguage();
  const found = problems.filter((problem) => problem.path === path);
  return found.length > 0 && h("span", { className: "tc-problem", role: "alert" }, found.map((problem) => speak.t(problem.code, problem.params)).join(" "));
}
