// Every rule of a version: counted, narrowed by what it is about, each as a sentence in both languages.
import { createElement as h, useEffect, useMemo, useState } from "react";
import { CalendarRange, FileSearch, Plus, Save, Search, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Select, useInAddress } from "$/public/external/ticket_console/designer/form/form_designer/parts.jsx";
import { tidy } from "./amounts.js";
import { BothSentences, RuleValue, labelOf } from "./pieces.jsx";

const TURN_TONES = { added: "ok", changed: "warn" };

// The values a condition compares a field with, or names in the reach of the rule.
function reaches(rule, field, named, value) {
  if (named?.length) return named.includes(value);
  const compared = [];
  const walk = (part) => {
    if (!part) return;
    if (part.rules) part.rules.forEach(walk);
    else if (part.field === field) compared.push(...[part.value].flat());
  };
  walk(rule.when);
  return compared.length === 0 || compared.includes(value);
}

const holdsOn = (rule, day) => (!rule.starts_on || rule.starts_on <= day) && (!rule.ends_on || day < rule.ends_on);

function Chip({ pressed, onClick, count, children }) {
  return h("button", { type: "button", className: "rb-chip", "aria-pressed": pressed, disabled: count === 0 && !pressed, onClick }, children, count !== undefined && h("span", { className: "rb-count" }, count));
}

function Rule({ rule, choices, turn, canEdit, onEdit }) {
  const speak = useLanguage();
  const dates = rule.starts_on || rule.ends_on;
  return h("li", { className: "rb-rule", "data-code": rule.code, "data-dimension": rule.dimension },
    h("div", { className: "rb-rule-head" },
      h("span", { className: "rb-order tc-num", title: speak.t("rulebook.order") }, rule.order),
      h("button", { type: "button", className: "rb-rule-name", onClick: () => onEdit(rule.code) }, speak.label(rule.name)),
      turn && h("span", { className: "tc-badge", "data-tone": TURN_TONES[turn] }, speak.t(`rulebook.turn.${turn}`)),
      h("span", { className: "rb-fill" }),
      h(RuleValue, { rule, currency: choices.currency })),
    h(BothSentences, { sentence: rule.sentence }),
    h("div", { className: "rb-facts" },
      h("span", { className: "tc-badge", "data-tone": "accent" }, labelOf(speak, choices.dimensions, rule.dimension)),
      h("span", { className: "tc-badge" }, speak.t(`rulebook.op.${rule.op}`)),
      rule.sides.map((side) => h("span", { key: side, className: "tc-badge", "data-tone": "teal" }, speak.t(`rulebook.side.${side}`))),
      rule.regions.map((region) => h("span", { key: region, className: "tc-badge" }, labelOf(speak, choices.regions, region))),
      rule.lines.map((line) => h("span", { key: line, className: "tc-badge" }, labelOf(speak, choices.lines, line))),
      rule.group && h("span", { className: "tc-badge", "data-tone": "violet" }, speak.t("rulebook.group", { group: labelOf(speak, choices.dimensions, rule.group) })),
      h("span", { className: "rb-dates" }, h(CalendarRange, { size: 13, "aria-hidden": true }), dates ? speak.t("rulebook.dates", { from: rule.starts_on ?? "…", to: rule.ends_on ?? "…" }) : speak.t("rulebook.dates.always")),
      h("code", { className: "rb-code" }, rule.code)));
}

// How a total is shared out where a condition holds: parts of a hundred, which have to add up.
function Split({ split, place, canEdit, onShares }) {
  const speak = useLanguage();
  const kept = JSON.stringify(split.shares);
  const [shares, setShares] = useState(split.shares);
  useEffect(() => setShares(JSON.parse(kept)), [kept]);
  const numbers = Object.values(shares).map((text) => Number(tidy(text) || "0"));
  // Counted in millionths, so that no binary fraction makes a hundred look like less.
  const isWhole = numbers.every((number) => number >= 0) && numbers.reduce((sum, number) => sum + Math.round(number * 1e6), 0) === 1e8;
  const isChanged = JSON.stringify(shares) !== kept;
  const save = (event) => {
    event.preventDefault();
    if (isChanged && isWhole) onShares({ place, shares: Object.fromEntries(Object.entries(shares).map(([party, text]) => [party, tidy(text) || "0"]).filter(([, text]) => Number(text) !== 0)) });
  };
  return h("li", null, h("form", { className: "rb-split", onSubmit: save },
    h("div", null, h("strong", null, speak.label(split.name)), h("p", { className: "tc-help" }, speak.label(split.said) ? speak.t("rulebook.splits.when", { said: split.said }) : speak.t("rulebook.splits.always"))),
    h("div", { className: "rb-shares" }, Object.entries(shares).map(([party, share]) => h("label", { key: party }, h("span", { className: "tc-help" }, speak.t(`rulebook.party.${party}`)),
      h("input", { className: "tc-input tc-num", inputMode: "decimal", readOnly: !canEdit, value: share, "aria-invalid": !isWhole || undefined, onChange: (event) => setShares({ ...shares, [party]: event.target.value }) }), h("span", { "aria-hidden": true }, "%"))),
    canEdit && h("button", { type: "submit", className: "tc-btn", "data-size": "small", disabled: !isChanged || !isWhole }, h(Save, { "aria-hidden": true }), speak.t("rulebook.save"))),
    !isWhole && h("p", { className: "tc-problem", role: "alert" }, speak.t("settlement.rules.bad_shares"))));
}

export function RuleLibrary({ splits = [], onShares, rules = [], choices = {}, changes = [], canEdit, onEdit, onNew }) {
  const speak = useLanguage();
  const [dimension, setDimension] = useInAddress("dimension");
  const [side, setSide] = useInAddress("side");
  const [region, setRegion] = useInAddress("region");
  const [line, setLine] = useInAddress("line");
  const [day, setDay] = useInAddress("day");
  const [wanted, setWanted] = useInAddress("q");
  const turns = useMemo(() => Object.fromEntries(changes.filter((change) => change.kind === "rule").map((change) => [change.code, change.turn])), [changes]);
  const dimensions = choices.dimensions ?? [];

  const beside = useMemo(() => {
    const needle = wanted.trim().toLowerCase();
    return rules.filter((rule) => (!side || rule.sides.includes(side))
      && (!region || reaches(rule, "region_code", rule.regions, region))
      && (!line || reaches(rule, "service_type", rule.lines, line))
      && (!day || holdsOn(rule, day))
      && (!needle || [rule.code, ...Object.values(rule.name), ...Object.values(rule.sentence)].some((text) => text.toLowerCase().includes(needle))));
  }, [rules, side, region, line, day, wanted]);
  const found = dimension ? beside.filter((rule) => rule.dimension === dimension) : beside;
  const count = (value) => beside.filter((rule) => rule.dimension === value).length;
  const isNarrowed = dimension || side || region || line || day || wanted;
  const showAll = () => [setDimension, setSide, setRegion, setLine, setDay, setWanted].forEach((set) => set(""));

  return h("section", { className: "rb", "aria-label": speak.t("rulebook.tab.rules"), "data-test": "rule-library" },
    h("div", { className: "rb-bar", role: "search", "aria-label": speak.t("rulebook.find") },
      h("label", { className: "tc-search" }, h(Search, { "aria-hidden": true }), h("input", { type: "search", className: "tc-input", "data-search": true, value: wanted, placeholder: speak.t("rulebook.find"), "aria-label": speak.t("rulebook.find"), onChange: (event) => setWanted(event.target.value) })),
      h(Select, { value: side, empty: speak.t("rulebook.every_side"), "aria-label": speak.t("rulebook.sides"), options: (choices.sides ?? []).map((value) => ({ value, label: speak.t(`rulebook.side.${value}`) })), onChange: setSide }),
      h(Select, { value: region, empty: speak.t("rulebook.every_region"), "aria-label": speak.t("rulebook.regions"), options: choices.regions ?? [], onChange: setRegion }),
      h(Select, { value: line, empty: speak.t("rulebook.every_line"), "aria-label": speak.t("rulebook.lines"), options: choices.lines ?? [], onChange: setLine }),
      h("label", { className: "rb-day" }, h("span", null, speak.t("rulebook.on_day")), h("input", { type: "date", className: "tc-input", value: day, onChange: (event) => setDay(event.target.value) })),
      isNarrowed && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: showAll }, h(X, { "aria-hidden": true }), speak.t("rulebook.show_all"))),
    h("div", { className: "rb-chips", role: "group", "aria-label": speak.t("rulebook.dimensions") },
      h(Chip, { pressed: !dimension, onClick: () => setDimension(""), count: beside.length }, speak.t("rulebook.all_dimensions")),
      dimensions.map((each) => h(Chip, { key: each.value, pressed: dimension === each.value, count: count(each.value), onClick: () => setDimension(dimension === each.value ? "" : each.value) }, speak.label(each.label)))),
    h("div", { className: "rb-total" },
      h("p", { role: "status" }, isNarrowed ? speak.t("rulebook.counted_of", { n: found.length, of: rules.length }) : speak.t("rulebook.counted", { n: rules.length, dimensions: new Set(rules.map((rule) => rule.dimension)).size })),
      canEdit && h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => onNew(dimension ? { dimension } : {}) }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.new_rule"))),
    found.length > 0
      ? h("ol", { className: "rb-rules" }, found.map((rule) => h(Rule, { key: rule.code, rule, choices, turn: turns[rule.code], canEdit, onEdit })))
      : h("div", { className: "tc-empty" }, h(FileSearch, { "aria-hidden": true }), h("strong", null, speak.t("rulebook.nothing_found")), h("button", { type: "button", className: "tc-btn", onClick: showAll }, speak.t("rulebook.show_all"))),
    splits.length > 0 && !isNarrowed && h("section", { className: "rb-splits" }, h("h2", null, speak.t("rulebook.kind.splits")), h("p", { className: "tc-help" }, speak.t("rulebook.splits.hint")),
      h("ol", null, splits.map((split, place) => h(Split, { key: place, split, place, canEdit, onShares })))));
}
