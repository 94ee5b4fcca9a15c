// Rate cards as a sheet: keyboard, paste from a spreadsheet, faults at their cell; saved whole or not at all.
import { createElement as h, useEffect, useMemo, useRef, useState } from "react";
import { ClipboardPaste, Plus, RotateCcw, Save, TableProperties, Trash2, TriangleAlert } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog, ReasonDialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { Bilingual, Row, Select } from "$/public/external/ticket_console/designer/form/form_designer/parts.jsx";
import { slug } from "$/public/external/ticket_console/designer/form/form_designer/fields.js";
import { tidy, toMajor, toMinor } from "./amounts.js";

const NUMBER = /^-?[0-9]+(\.[0-9]+)?$/;
const MOST_BACK = 50;
const MOVES = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Enter: [1, 0] };
const AMOUNT = "amount";

const at = (row, column) => `${row}\t${column}`;

// The values down one side and along the other: what the company has, and what the card names besides.
function axes(card, choices, speak) {
  const known = { region_code: choices.regions, service_type: choices.lines, service_class: choices.classes, urgency: choices.urgencies };
  const side = (place) => {
    const key = card.keys[place];
    const options = [...(known[key] ?? (choices.fields ?? []).find((field) => field.name === key)?.options ?? [])].map((option) => ({ value: option.value, label: speak.label(option.label) || option.value }));
    const listed = new Set(options.map((option) => option.value));
    for (const entry of card.entries) if (!listed.has(entry[place])) { listed.add(entry[place]); options.push({ value: entry[place], label: entry[place] }); }
    return options;
  };
  return { rows: side(0), columns: card.keys.length > 1 ? side(1) : [{ value: AMOUNT, label: speak.t("rulebook.cards.amount") }] };
}

const textsOf = (card, currency) => Object.fromEntries(card.entries.map((entry) => [at(entry[0], card.keys.length > 1 ? entry[1] : AMOUNT), toMajor(entry.at(-1), currency)]));

// Lines and cells of a clipboard, as spreadsheets put them there: cells may be quoted and hold line ends.
export function cellsOf(text) {
  const rows = [[]];
  let cell = "";
  let quoted = false;
  const source = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "");
  for (let i = 0; i < source.length; i += 1) {
    const char = source[i];
    if (quoted) {
      if (char === '"' && source[i + 1] === '"') { cell += '"'; i += 1; } else if (char === '"') quoted = false;
      else cell += char;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === "\t" || char === "\n") {
      rows.at(-1).push(cell.trim());
      cell = "";
      if (char === "\n") rows.push([]);
    } else cell += char;
  }
  rows.at(-1).push(cell.trim());
  return rows;
}

// Where each pasted cell goes: by the headings where the sheet brings its own, else from the chosen cell on.
export function placed(pasted, rows, columns, from) {
  const find = (list, text) => list.find((each) => [each.value, each.label].some((name) => name.toLowerCase() === text.toLowerCase()));
  const heads = pasted[0].slice(1).map((text) => find(columns, text));
  const hasHeads = pasted.length > 1 && heads.some(Boolean) && pasted.slice(1).some((line) => find(rows, line[0]));
  const changes = {};
  const strange = [];
  if (hasHeads) {
    pasted[0].slice(1).forEach((text, index) => { if (!heads[index] && text) strange.push(text); });
    for (const line of pasted.slice(1)) {
      const row = find(rows, line[0]);
      if (!row) { if (line[0]) strange.push(line[0]); } else line.slice(1).forEach((text, index) => { if (heads[index]) changes[at(row.value, heads[index].value)] = tidy(text); });
    }
    return { changes, strange };
  }
  const top = rows.findIndex((each) => each.value === from[0]);
  const left = columns.findIndex((each) => each.value === from[1]);
  pasted.forEach((line, down) => line.forEach((text, right) => {
    const row = rows[top + down];
    const column = columns[left + right];
    if (row && column) changes[at(row.value, column.value)] = tidy(text);
    else strange.push(text);
  }));
  return { changes, strange: strange.length ? [`${strange.length}`] : [] };
}

function NewCard({ open, cards, rules, choices, onMake, onClose }) {
  const speak = useLanguage();
  const [name, setName] = useState({});
  const [keys, setKeys] = useState(["region_code", "service_type"]);
  const options = choices.card_keys ?? [];
  const taken = new Set([...cards, ...rules].map((each) => each.code));
  const base = `card.${slug(name.en) || "rates"}`.slice(0, 56);
  let code = base;
  for (let n = 2; taken.has(code); n += 1) code = `${base}_${n}`;
  const isReady = ["zh", "en"].every((locale) => name[locale]?.trim()) && keys[0] && keys[0] !== keys[1];
  useEffect(() => { if (open) { setName({}); setKeys(["region_code", "service_type"]); } }, [open]);
  return h(Dialog, { open, title: speak.t("rulebook.cards.new"), onClose },
    h("form", { noValidate: true, style: { padding: 0 }, onSubmit: (event) => { event.preventDefault(); if (isReady) onMake({ code, name, keys: keys.filter(Boolean), entries: [], otherwise: null }); } },
      h(Bilingual, { label: speak.t("rulebook.cards.name"), value: name, limit: 120, onChange: (locale, text) => setName({ ...name, [locale]: text }) }),
      h(Row, { label: speak.t("rulebook.cards.down") }, h(Select, { value: keys[0], options, onChange: (key) => setKeys([key, keys[1]]) })),
      h(Row, { label: speak.t("rulebook.cards.across") }, h(Select, { value: keys[1] ?? "", empty: speak.t("rulebook.cards.across.none"), options: options.filter((option) => option.value !== keys[0]), onChange: (key) => setKeys([keys[0], key]) })),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": "primary", disabled: !isReady }, speak.t("rulebook.cards.make")))));
}

function Sheet({ card, choices, problems, canEdit, isNew, onSave, onRemove }) {
  const speak = useLanguage();
  const { currency } = choices;
  const kept = useMemo(() => textsOf(card, currency), [card, currency]);
  const [texts, setTexts] = useState(kept);
  const [otherwise, setOtherwise] = useState("");
  const [strange, setStrange] = useState([]);
  const [sent, setSent] = useState([]);
  const [asking, setAsking] = useState(false);
  const past = useRef([]);
  const table = useRef(null);
  const { rows, columns } = useMemo(() => axes(card, choices, speak), [card, choices, speak]);
  const keptOtherwise = card.otherwise === null ? "" : toMajor(card.otherwise, currency);
  useEffect(() => { setTexts(kept); setOtherwise(keptOtherwise); setStrange([]); setSent([]); past.current = []; }, [kept]);

  const change = (changes) => {
    past.current = [...past.current.slice(1 - MOST_BACK), texts];
    setTexts({ ...texts, ...changes });
    setSent([]);
  };
  const back = () => {
    const before = past.current.pop();
    if (before) setTexts(before);
  };
  const filled = rows.flatMap((row) => columns.map((column) => [row.value, column.value])).filter(([row, column]) => (texts[at(row, column)] ?? "") !== "");
  const entries = filled.map(([row, column]) => [...(card.keys.length > 1 ? [row, column] : [row]), toMinor(texts[at(row, column)], currency)]);
  // The server speaks of entries by their place in what was sent.
  const served = Object.fromEntries(problems.map((problem) => [/^entries\[(\d+)\]/.exec(problem.path)?.[1], problem]).filter(([place]) => place !== undefined && sent[place]).map(([place, problem]) => [at(...sent[place]), problem]));
  const fault = (key) => ((texts[key] ?? "") !== "" && !NUMBER.test(tidy(texts[key])) ? speak.t("rulebook.cards.not_a_number") : served[key] && speak.t(served[key].code, served[key].params));
  const faults = filled.map(([row, column]) => at(row, column)).filter(fault);
  const isChanged = isNew || otherwise !== keptOtherwise || JSON.stringify(Object.entries(texts).filter(([, text]) => text !== "").sort()) !== JSON.stringify(Object.entries(kept).sort());
  const focus = (row, column) => {
    const input = table.current?.querySelector(`[data-at="${row},${column}"]`);
    input?.focus();
    input?.select();
  };
  const onKey = (event, row, column) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && past.current.length) {
      event.preventDefault();
      back();
      return;
    }
    const step = MOVES[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.nativeEvent.isComposing) return;
    const { selectionStart, selectionEnd, value } = event.target;
    const all = selectionStart === 0 && selectionEnd === value.length;
    // Inside a number the arrows move the caret, as everywhere; at its ends they go to the next cell.
    if (event.key === "ArrowLeft" && !all && selectionStart > 0) return;
    if (event.key === "ArrowRight" && !all && selectionEnd < value.length) return;
    event.preventDefault();
    const by = event.key === "Enter" && event.shiftKey ? [-1, 0] : step;
    focus(row + by[0], column + by[1]);
  };
  const paste = (event, row, column) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\t\n\r]/.test(text.trim())) return;
    event.preventDefault();
    const found = placed(cellsOf(text), rows, columns, [rows[row].value, columns[column].value]);
    change(found.changes);
    setStrange(found.strange);
  };
  const save = () => {
    setSent(filled);
    onSave({ card: { ...card, entries, otherwise: otherwise.trim() === "" ? null : toMinor(otherwise, currency) }, was: isNew ? "" : card.code });
  };
  const general = problems.filter((problem) => !/^entries\[\d+\]/.test(problem.path));

  return h("div", { className: "rb-sheet", "data-test": "rate-card" },
    h("div", { className: "rb-bar" }, h("h2", null, speak.label(card.name)), h("code", { className: "rb-code" }, card.code), h("span", { className: "tc-help" }, speak.t("rulebook.cards.filled", { n: filled.length, of: rows.length * columns.length, currency })),
      h("span", { className: "rb-fill" }),
      canEdit && !isNew && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: () => setAsking(true) }, h(Trash2, { "aria-hidden": true }), speak.t("rulebook.cards.remove")),
      canEdit && h("button", { type: "button", className: "tc-btn", disabled: !isChanged || isNew, onClick: () => { setTexts(kept); setOtherwise(keptOtherwise); setStrange([]); } }, h(RotateCcw, { "aria-hidden": true }), speak.t("rulebook.cards.reset")),
      canEdit && h("button", { type: "button", className: "tc-btn", "data-tone": "primary", disabled: !isChanged || faults.length > 0, onClick: save }, h(Save, { "aria-hidden": true }), speak.t("rulebook.save"))),
    canEdit && h("p", { className: "tc-help rb-hint" }, h(ClipboardPaste, { size: 14, "aria-hidden": true }), speak.t("rulebook.cards.hint")),
    faults.length > 0 && h("p", { className: "tc-note", "data-tone": "danger", role: "alert" }, h(TriangleAlert, { "aria-hidden": true }), speak.t("rulebook.cards.faults", { n: faults.length })),
    strange.length > 0 && h("p", { className: "tc-note", "data-tone": "warn", role: "status" }, h(TriangleAlert, { "aria-hidden": true }), speak.t("rulebook.cards.strange", { what: strange.slice(0, 5).join(", ") })),
    general.length > 0 && h("ul", { className: "tc-note", "data-tone": "danger", role: "alert" }, general.map((problem, index) => h("li", { key: index }, speak.t(problem.code, problem.params)))),
    h("div", { className: "rb-sheet-box" }, h("table", { ref: table, className: "rb-sheet-table" },
      h("caption", { className: "tc-sr" }, speak.label(card.name)),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, speak.label(choices.card_keys.find((key) => key.value === card.keys[0])?.label)), columns.map((column) => h("th", { key: column.value, scope: "col" }, column.label)))),
      h("tbody", null, rows.map((row, down) => h("tr", { key: row.value }, h("th", { scope: "row" }, row.label),
        columns.map((column, right) => {
          const key = at(row.value, column.value);
          const wrong = fault(key);
          return h("td", { key: column.value, "data-wrong": wrong ? true : undefined, "data-changed": (texts[key] ?? "") !== (kept[key] ?? "") || undefined, title: wrong || undefined },
            h("input", { className: "tc-num", inputMode: "decimal", "data-at": `${down},${right}`, value: texts[key] ?? "", readOnly: !canEdit, "aria-label": `${row.label} · ${column.label}`, "aria-invalid": Boolean(wrong) || undefined, autoComplete: "off", onFocus: (event) => event.target.select(), onChange: (event) => change({ [key]: event.target.value }), onKeyDown: (event) => onKey(event, down, right), onPaste: (event) => canEdit && paste(event, down, right) }),
            wrong && h("span", { className: "tc-sr", role: "alert" }, wrong));
        })))))),
    h("label", { className: "rb-day" }, h("span", null, speak.t("rulebook.cards.otherwise")), h("input", { className: "tc-input tc-num", inputMode: "decimal", value: otherwise, readOnly: !canEdit, placeholder: speak.t("rulebook.cards.otherwise.none"), onChange: (event) => setOtherwise(event.target.value) })),
    h(ReasonDialog, { open: asking, title: speak.t("rulebook.cards.remove.title", { name: card.name }), text: speak.t("rulebook.cards.remove.text"), confirmLabel: speak.t("rulebook.cards.remove"), tone: "danger", asksReason: false, onConfirm: () => { setAsking(false); onRemove(card.code); }, onCancel: () => setAsking(false) }));
}

export function RateCards({ cards = [], rules = [], choices = {}, problems = [], canEdit, onSave, onRemove, onNewRule }) {
  const speak = useLanguage();
  const [chosen, setChosen] = useState("");
  const [making, setMaking] = useState(false);
  const [fresh, setFresh] = useState(null);
  useEffect(() => { if (fresh && cards.some((card) => card.code === fresh.code)) setFresh(null); }, [cards]);
  if (!choices.currency) return null;
  const listed = fresh ? [...cards, fresh] : cards;
  const card = listed.find((each) => each.code === chosen) ?? listed[0];
  const users = card ? rules.filter((rule) => rule.card === card.code) : [];
  const make = (made) => { setMaking(false); setFresh(made); setChosen(made.code); };
  const began = card && { op: "add", card: card.code, dimension: card.keys.includes("region_code") ? "region" : "service_tier", name: card.name };
  return h("section", { className: "rb-cards", "aria-label": speak.t("rulebook.tab.cards") },
    h("div", { className: "rb-bar" },
      listed.length > 0 && h("div", { className: "rb-chips", role: "group", "aria-label": speak.t("rulebook.tab.cards") }, listed.map((each) => h("button", { key: each.code, type: "button", className: "rb-chip", "aria-pressed": each === card, onClick: () => setChosen(each.code) }, speak.label(each.name), h("span", { className: "rb-count" }, each.entries.length)))),
      h("span", { className: "rb-fill" }),
      canEdit && listed.length > 0 && h("button", { type: "button", className: "tc-btn", disabled: Boolean(fresh), onClick: () => setMaking(true) }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.cards.new"))),
    card
      ? h(Sheet, { key: card.code, card, choices, problems, canEdit, isNew: card === fresh, onSave, onRemove })
      : h("div", { className: "tc-empty" }, h(TableProperties, { "aria-hidden": true }), h("strong", null, speak.t("rulebook.cards.none")), h("p", null, speak.t("rulebook.cards.none.text")),
        canEdit && h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => setMaking(true) }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.cards.new"))),
    card && card !== fresh && (users.length > 0
      ? h("p", { className: "tc-help" }, speak.t("rulebook.cards.used", { names: users.map((rule) => speak.label(rule.name)).join(", ") }))
      : h("div", { className: "tc-note", "data-tone": "warn" }, h(TriangleAlert, { "aria-hidden": true }), h("span", null, speak.t("rulebook.cards.unused")), canEdit && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onNewRule(began) }, h(Plus, { "aria-hidden": true }), speak.t("rulebook.cards.use")))),
    h(NewCard, { open: making, cards: listed, rules, choices, onMake: make, onClose: () => setMaking(false) }));
}
