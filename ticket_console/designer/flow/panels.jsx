// What stands beside the canvas: the palette, problems, history, stages, and the flow as a list.
import { createElement as h, useEffect, useId, useMemo, useRef, useState } from "react";
import { ArrowDown, ArrowUp, CircleAlert, CircleCheckBig, Plus, RotateCcw, Search, Trash2, TriangleAlert, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Label } from "./controls.jsx";
import { freshKey, put, remove, setAt } from "$/public/external/ticket_console/designer/flow/canvas/editing.js";
import { CATEGORIES, GROUP_ICONS, KINDS, PALETTE } from "$/public/external/ticket_console/designer/flow/canvas/kinds.js";
import { guardText } from "$/public/external/ticket_console/designer/flow/canvas/sentences.js";
import { endsText, handlerText, kindText, nameOf, placeOf, problemText } from "$/public/external/ticket_console/designer/flow/canvas/words.js";

export const presetName = (speak, preset) => speak.t(`flow_designer.preset.${preset}`);

// The entries that fit what is searched: by their name first, then by the words people use for them.
function found(speak, text, skip = []) {
  const needle = text.trim().toLowerCase();
  const rank = (entry, group) => {
    const name = presetName(speak, entry.preset).toLowerCase();
    if (name.startsWith(needle)) return 0;
    if (name.includes(needle)) return 1;
    return `${speak.t(`flow_designer.group.${group}`)} ${speak.t(`flow_designer.hint.${entry.preset}`)} ${entry.kind}`.toLowerCase().includes(needle) ? 2 : 3;
  };
  const groups = PALETTE.map(({ group, entries }) => ({
    group, ranked: entries.filter((entry) => !skip.includes(entry.preset)).map((entry) => ({ entry, rank: rank(entry, group) })).filter((each) => each.rank < 3).toSorted((one, other) => one.rank - other.rank),
  })).filter(({ ranked }) => ranked.length > 0);
  return groups.toSorted((one, other) => one.ranked[0].rank - other.ranked[0].rank).map(({ group, ranked }) => ({ group, entries: ranked.map((each) => each.entry) }));
}

export function Panel({ title, icon: Icon, onClose, children, tools, name }) {
  const speak = useLanguage();
  return h("aside", { className: "fl-panel", "data-panel": name, "aria-label": title, onKeyDown: (event) => event.key === "Escape" && onClose() },
    h("header", { className: "fl-panel-head" },
      Icon && h("span", { className: "fl-panel-icon" }, h(Icon, { "aria-hidden": true })),
      h("div", { className: "fl-panel-title" }, h("h2", null, title)), tools,
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", title: speak.t("flow_designer.inspector.close"), "aria-label": speak.t("flow_designer.inspector.close"), onClick: onClose }, h(X, { "aria-hidden": true }))),
    h("div", { className: "fl-panel-body" }, children));
}

export function Palette({ onAdd, onClose }) {
  const speak = useLanguage();
  const [text, setText] = useState("");
  const groups = found(speak, text);
  return h("nav", { className: "fl-palette", "aria-label": speak.t("flow_designer.palette") },
    h("label", { className: "tc-search fl-palette-search" }, h(Search, { "aria-hidden": true }), h("input", {
      type: "search", className: "tc-input", value: text, placeholder: speak.t("flow_designer.palette.search"), "aria-label": speak.t("flow_designer.palette.search"), "data-search": true,
      onChange: (event) => setText(event.target.value),
      onKeyDown: (event) => {
        if (event.key === "Enter" && groups[0]) onAdd(groups[0].entries[0]);
        if (event.key !== "Escape") event.stopPropagation();
      },
    }), onClose && h("button", { type: "button", className: "tc-btn fl-palette-close", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("flow_designer.inspector.close"), onClick: onClose }, h(X, { "aria-hidden": true }))),
    h("div", { className: "fl-palette-list" },
      groups.length === 0 && h("p", { className: "tc-help" }, speak.t("flow_designer.palette.none")),
      groups.map(({ group, entries }) => h("section", { key: group },
        h("h3", null, h(GROUP_ICONS[group], { "aria-hidden": true }), speak.t(`flow_designer.group.${group}`)),
        entries.map((entry) => h("button", {
          key: entry.preset, type: "button", className: "fl-palette-item", "data-tone": KINDS[entry.kind]?.tone ?? "warn", "data-preset": entry.preset, draggable: true, title: speak.t(`flow_designer.hint.${entry.preset}`),
          onDragStart: (event) => {
            event.dataTransfer.setData("application/x-flow-node", entry.preset);
            event.dataTransfer.effectAllowed = "copy";
          },
          onClick: () => onAdd(entry),
        }, h("span", { className: "fl-icon" }, h(entry.icon, { "aria-hidden": true })), h("span", null, presetName(speak, entry.preset))))))));
}

// A small list at a place: what to add next, or where an edge leads. Typing narrows it, Enter takes the first.
export function Picker({ anchor, label, groups: groupsOf, onPick, onClose }) {
  const speak = useLanguage();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef(null);
  const id = useId();
  const groups = groupsOf(text);
  const flat = groups.flatMap((group) => group.items);
  const chosen = Math.min(at, Math.max(0, flat.length - 1));
  useEffect(() => {
    const outside = (event) => !box.current?.contains(event.target) && onClose();
    window.document.addEventListener("pointerdown", outside, true);
    return () => window.document.removeEventListener("pointerdown", outside, true);
  }, [onClose]);
  useEffect(() => {
    box.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const width = 264;
  const left = Math.max(8, Math.min((anchor?.right ?? 80) + 8, window.innerWidth - width - 8));
  const top = Math.max(8, Math.min((anchor?.top ?? 120) - 8, window.innerHeight - 380));
  const onKeyDown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") [event.preventDefault(), onClose()];
    else if (event.key === "ArrowDown") [event.preventDefault(), setAt((chosen + 1) % flat.length)];
    else if (event.key === "ArrowUp") [event.preventDefault(), setAt((chosen - 1 + flat.length) % flat.length)];
    else if (event.key === "Enter" && flat[chosen]) [event.preventDefault(), onPick(flat[chosen].value)];
  };
  let place = -1;
  return h("div", { ref: box, className: "fl-picker", style: { left, top, width }, role: "dialog", "aria-label": label, onKeyDown },
    h("input", {
      className: "tc-input", autoFocus: true, value: text, placeholder: label, role: "combobox", "aria-expanded": true, "aria-controls": id, "aria-activedescendant": flat[chosen] ? `${id}-${chosen}` : undefined, "aria-label": label,
      onChange: (event) => [setText(event.target.value), setAt(0)],
    }),
    h("div", { id, role: "listbox", "aria-label": label, className: "fl-picker-list" },
      flat.length === 0 && h("p", { className: "tc-help" }, speak.t("flow_designer.palette.none")),
      groups.map((group) => h("div", { key: group.key, role: "group", "aria-label": group.title },
        group.title && h("div", { className: "fl-picker-head" }, group.title),
        group.items.map((item) => {
          place += 1;
          const own = place;
          return h("div", {
            key: item.value, id: `${id}-${own}`, role: "option", "aria-selected": own === chosen, "aria-disabled": item.refused || undefined, className: "fl-picker-item", "data-tone": item.tone,
            onPointerMove: () => setAt(own), onClick: () => onPick(item.value),
          }, item.icon && h("span", { className: "fl-icon" }, h(item.icon, { "aria-hidden": true })), h("span", null, item.text, item.hint && h("small", null, item.hint)));
        })))));
}

export const entryGroups = (speak, skip) => (text) => found(speak, text, skip).map(({ group, entries }) => ({
  key: group, title: speak.t(`flow_designer.group.${group}`),
  items: entries.map((entry) => ({ value: entry.preset, text: presetName(speak, entry.preset), icon: entry.icon, tone: KINDS[entry.kind]?.tone ?? "warn" })),
}));

export function ProblemLine({ document, problem, words, onGo }) {
  const speak = useLanguage();
  const place = placeOf(document, problem.path);
  const node = document.nodes.find((each) => each.key === place.key);
  const edge = document.edges.find((each) => each.key === place.key);
  const where = node ? nameOf(speak, node) : edge ? endsText(speak, document, edge) : speak.t("flow_designer.whole_flow");
  return h("li", null, h("button", { type: "button", className: "fl-problem", "data-tone": problem.tone, "data-code": problem.code, "data-part": place.key || undefined, disabled: !place.key, onClick: () => onGo(place.key) },
    h(problem.tone === "danger" ? CircleAlert : TriangleAlert, { "aria-hidden": true }), h("span", null, h("strong", null, where), h("span", null, problemText(speak, document, problem, words)))));
}

export function ProblemsPanel({ document, problems, words, onGo, onClose }) {
  const speak = useLanguage();
  const errors = problems.filter((each) => each.tone === "danger");
  const warnings = problems.filter((each) => each.tone !== "danger");
  const line = (problem, at) => h(ProblemLine, { key: at, document, problem, words, onGo });
  return h(Panel, { name: "problems", title: speak.t("flow_designer.problems"), icon: TriangleAlert, onClose },
    problems.length === 0 && h("div", { className: "fl-fine" }, h(CircleCheckBig, { "aria-hidden": true }), speak.t("flow_designer.problems.none")),
    errors.length > 0 && h("h3", null, speak.t("flow_designer.problems.errors", { n: errors.length })),
    h("ul", { className: "fl-problems" }, errors.map(line)),
    warnings.length > 0 && h("h3", null, speak.t("flow_designer.problems.warnings", { n: warnings.length })),
    h("ul", { className: "fl-problems" }, warnings.map(line)));
}

const gestureText = (speak, gesture) => speak.t(gesture.label, { ...gesture.params, what: gesture.params?.what?.startsWith?.("flow_designer.") ? speak.t(gesture.params.what, {}) : gesture.params?.what });

export function HistoryPanel({ past, seq, onRecover, onClose }) {
  const speak = useLanguage();
  return h(Panel, { name: "history", title: speak.t("flow_designer.history"), icon: RotateCcw, onClose },
    h("p", { className: "tc-help" }, speak.t("flow_designer.history.help")),
    h("ol", { className: "fl-history" },
      past.toReversed().map((gesture) => h("li", { key: gesture.seq, "data-now": gesture.seq === seq || undefined },
        h("span", { className: "fl-history-text" }, h("strong", null, gestureText(speak, gesture)), h("small", null, [gesture.author, speak.when(gesture.at, undefined, "datetime")].filter(Boolean).join(" · "))),
        gesture.seq !== seq && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onRecover(gesture.seq) }, speak.t("flow_designer.history.recover")))),
      h("li", { key: "0" }, h("span", { className: "fl-history-text" }, h("strong", null, speak.t("flow_designer.history.start"))), seq > 0 && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onRecover(0) }, speak.t("flow_designer.history.recover")))));
}

export function StagesPanel({ document, act, onClose }) {
  const speak = useLanguage();
  const stages = document.stages ?? [];
  const count = useMemo(() => {
    const found = new Map();
    for (const node of document.nodes) found.set(node.stage, (found.get(node.stage) ?? 0) + 1);
    return found;
  }, [document]);
  const add = () => {
    const key = freshKey("stage", new Set(stages.map((stage) => stage.key)));
    act("flow_designer.did.stage", [put(["stages", key], { key, name: {}, category: "doing" })], {});
  };
  const move = (index, by) => {
    const order = stages.toSpliced(index, 1);
    act("flow_designer.did.stage", [{ op: "move", path: ["stages", stages[index].key], to: ["stages"], before: order[index + by]?.key ?? null }], {});
  };
  return h(Panel, { name: "stages", title: speak.t("flow_designer.stages"), onClose },
    h("p", { className: "tc-help" }, speak.t("flow_designer.stages.help")),
    stages.map((stage, index) => h("section", { key: stage.key, className: "fl-stage-item" },
      h("div", { className: "fl-list-head" },
        h("i", { className: "fl-swatch", "data-category": stage.category, "aria-hidden": true }), h("span", null, speak.label(stage.name) || stage.key), h("small", null, speak.t("flow_designer.stages.nodes", { n: count.get(stage.key) ?? 0 })),
        h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small", disabled: index === 0, title: speak.t("flow_designer.list.up"), "aria-label": speak.t("flow_designer.list.up"), onClick: () => move(index, -1) }, h(ArrowUp, { "aria-hidden": true })),
        h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small", disabled: index === stages.length - 1, title: speak.t("flow_designer.list.down"), "aria-label": speak.t("flow_designer.list.down"), onClick: () => move(index, 1) }, h(ArrowDown, { "aria-hidden": true })),
        h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small", disabled: count.has(stage.key), title: speak.t(count.has(stage.key) ? "flow_designer.stages.used" : "flow_designer.list.remove"), "aria-label": speak.t("flow_designer.list.remove"), onClick: () => act("flow_designer.did.stage", [remove(["stages", stage.key])], {}) }, h(Trash2, { "aria-hidden": true }))),
      h(Label, { label: speak.t("flow_designer.name"), value: stage.name, onDone: (language, text) => act("flow_designer.did.stage", setAt(document, ["stages", stage.key, "name", language], text), {}) }),
      h("select", { className: "tc-select", value: stage.category, "aria-label": speak.t("flow_designer.stages.category"), onChange: (event) => act("flow_designer.did.stage", [put(["stages", stage.key, "category"], event.target.value)], {}) },
        CATEGORIES.map((category) => h("option", { key: category, value: category }, speak.t(`flow_designer.category.${category}`)))))),
    h("button", { type: "button", className: "tc-btn", onClick: add }, h(Plus, { "aria-hidden": true }), speak.t("flow_designer.stages.add")));
}

// The flow in words: every step in order with where it leads, for readers who cannot see the drawing.
export function OutlinePanel({ document, words, selection, onGo, onClose }) {
  const speak = useLanguage();
  const order = useMemo(() => inOrder(document), [document]);
  const named = new Map(document.nodes.map((node) => [node.key, nameOf(speak, node)]));
  return h(Panel, { name: "outline", title: speak.t("flow_designer.outline"), onClose },
    h("p", { className: "tc-help" }, speak.t("flow_designer.outline.count", { nodes: document.nodes.length, edges: document.edges.length })),
    h("ol", { className: "fl-outline" }, order.map((node) => {
      const ways = document.edges.filter((edge) => edge.source === node.key);
      return h("li", { key: node.key, "data-selected": selection.includes(node.key) || undefined },
        h("button", { type: "button", className: "fl-outline-node", onClick: () => onGo(node.key) }, h("strong", null, named.get(node.key)), h("span", null, [kindText(speak, node), handlerText(speak, node, words)].filter(Boolean).join(" · "))),
        ways.length > 0 && h("ul", null, ways.map((edge) => h("li", { key: edge.key }, h("button", { type: "button", onClick: () => onGo(edge.key) },
          speak.t(`flow_designer.edge.${edge.kind}`), " → ", named.get(edge.target) ?? edge.target, edge.guard ? ` (${guardText(speak, edge.guard, words)})` : edge.default ? ` (${speak.t("flow_designer.edge.default")})` : "")))));
    })));
}

function inOrder(document) {
  const byKey = new Map(document.nodes.map((node) => [node.key, node]));
  const seen = new Set();
  const order = [];
  const open = document.nodes.filter((node) => node.kind === "start").map((node) => node.key);
  const rest = document.nodes.map((node) => node.key);
  while (open.length || rest.length) {
    const key = open.length ? open.shift() : rest.shift();
    if (seen.has(key) || !byKey.has(key)) continue;
    seen.add(key);
    order.push(byKey.get(key));
    open.push(...document.edges.filter((edge) => edge.source === key && edge.kind === "forward").map((edge) => edge.target));
  }
  return order;
}
