// What stands on the canvas: nodes, sticky notes and edges. Drawn again only when their own data changes.
import { createContext, createElement as h, memo, useContext, useEffect, useRef, useState } from "react";
import { BaseEdge, EdgeLabelRenderer, Handle, NodeResizer, Position, getSmoothStepPath } from "@xyflow/react";
import { Camera, Clock, CornerUpLeft, FileText, ListChecks, PenLine, Plus, ShieldCheck, Timer, TriangleAlert, UserRoundCheck, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { EDGE_TONES, KINDS, entryOf, isJoin } from "./kinds.js";
import { handlerText, kindText, nameOf, spanText } from "./words.js";

// What the parts may ask of the canvas; one object that never changes, so that it draws nothing again.
export const CanvasTools = createContext(null);

function Rename({ value, onDone, label }) {
  const [text, setText] = useState(value);
  const input = useRef(null);
  useEffect(() => {
    input.current.focus();
    input.current.select();
  }, []);
  return h("input", {
    ref: input, className: "fl-rename nodrag nopan", value: text, "aria-label": label, maxLength: 100,
    onChange: (event) => setText(event.target.value),
    onBlur: () => onDone(text),
    onKeyDown: (event) => {
      event.stopPropagation();
      if (event.key === "Enter") onDone(text);
      if (event.key === "Escape") onDone(null);
    },
    onDoubleClick: (event) => event.stopPropagation(),
  });
}

function Chips({ node, speak }) {
  const chips = [];
  const required = (node.fields ?? []).filter((use) => use.required).length;
  if (node.fields?.length) chips.push(["form", FileText, required ? `${node.fields.length} · ${required}*` : String(node.fields.length)]);
  if (node.evidence?.includes("photo")) chips.push(["photo", Camera, ""]);
  if (node.evidence?.includes("signature")) chips.push(["signature", PenLine, ""]);
  if (node.checklist?.length) chips.push(["checklist", ListChecks, String(node.checklist.length)]);
  if (node.permissions && Object.keys(node.permissions).length) chips.push(["permissions", ShieldCheck, ""]);
  if (node.targets && (node.targets.finish_minutes || node.targets.claim_minutes)) chips.push(["targets", Clock, spanText(speak, (node.targets.finish_minutes ?? node.targets.claim_minutes) * 60)]);
  if (node.handlers?.length) chips.push(["handlers", UserRoundCheck, String(node.handlers.length)]);
  return chips.map(([key, Icon, text]) => h("span", { key, className: "fl-chip", title: speak.t(`flow_designer.chip.${key}`) }, h(Icon, { "aria-hidden": true }), text));
}

export const FlowNode = memo(function FlowNode({ id, data, selected }) {
  const speak = useLanguage();
  const tools = useContext(CanvasTools);
  const { node, stage, problem, mark, renaming, readOnly } = data;
  const known = KINDS[node.kind] ?? KINDS.task;
  const shape = known.shape;
  const Icon = isJoin(node) ? entryOf("join").icon : known.icon;
  const name = nameOf(speak, node);
  const title = renaming
    ? h(Rename, { value: speak.label(node.name), label: speak.t("flow_designer.rename"), onDone: (text) => tools.current.renamed(id, text) })
    : h("strong", { className: "fl-name", title: name }, name);
  const badge = (problem || mark) && h("span", { className: "fl-badges" },
    mark?.count ? h("span", { className: "fl-count", "data-tone": mark.tone, title: speak.label(mark.text) }, speak.number(mark.count)) : null,
    problem && h("span", { className: "fl-alert", "data-tone": problem.tone, title: problem.text }, h(TriangleAlert, { "aria-hidden": true })));
  const handles = [
    h(Handle, { key: "in", id: "in", type: "target", position: Position.Left, isConnectable: !readOnly, className: "fl-in" }),
    h(Handle, { key: "out", id: "out", type: "source", position: Position.Right, isConnectable: !readOnly && node.kind !== "end", className: "fl-out" }),
    h(Handle, { key: "back-out", id: "back-out", type: "source", position: Position.Bottom, isConnectable: false, className: "fl-quiet" }),
    h(Handle, { key: "back-in", id: "back-in", type: "target", position: Position.Bottom, isConnectable: false, className: "fl-quiet" }),
  ];
  const next = !readOnly && node.kind !== "end" && h("button", {
    type: "button", className: "fl-next nodrag nopan", tabIndex: -1, title: speak.t("flow_designer.add_after"), "aria-label": speak.t("flow_designer.add_after"),
    onClick: (event) => {
      event.stopPropagation();
      tools.current.addAfter(id, event.currentTarget);
    },
  }, h(Plus, { "aria-hidden": true }));
  const common = {
    className: "fl-node", "data-shape": shape, "data-tone": known.tone, "data-kind": node.kind, "data-selected": selected || undefined, "data-mark": mark?.tone,
    "data-category": stage?.category, "data-problem": problem?.tone, "data-key": id,
    onDoubleClick: () => !readOnly && tools.current.rename(id),
  };
  if (shape === "gate") {
    return h("div", common, handles,
      h("span", { className: "fl-diamond" }, h("span", { className: "fl-diamond-shape" }), h(Icon, { "aria-hidden": true })),
      h("span", { className: "fl-gate-name" }, title), badge, next);
  }
  if (shape === "pill") return h("div", common, handles, h(Icon, { "aria-hidden": true }), title, badge, next);
  const line = handlerText(speak, node, data.words);
  return h("div", common, handles,
    h("div", { className: "fl-node-top" },
      h("span", { className: "fl-icon" }, h(Icon, { "aria-hidden": true })),
      h("span", { className: "fl-text" }, title, h("small", null, line || kindText(speak, node)))),
    h("div", { className: "fl-node-foot" },
      stage && h("span", { className: "fl-stage", "data-category": stage.category }, h("i", { "aria-hidden": true }), h("span", null, speak.label(stage.name) || stage.key)),
      h("span", { className: "fl-chips" }, h(Chips, { node, speak }))),
    badge, next);
});

export const FlowNote = memo(function FlowNote({ id, data, selected }) {
  const speak = useLanguage();
  const tools = useContext(CanvasTools);
  const [text, setText] = useState(data.comment.text);
  useEffect(() => setText(data.comment.text), [data.comment.text]);
  return h("div", { className: "fl-note", "data-selected": selected || undefined, "data-key": id },
    !data.readOnly && h(NodeResizer, { isVisible: selected, minWidth: 120, minHeight: 64, onResizeEnd: (_, box) => tools.current.resized(id, box) }),
    h("textarea", {
      className: selected ? "nodrag nopan" : "", value: text, readOnly: data.readOnly, "aria-label": speak.t("flow_designer.comment"), placeholder: speak.t("flow_designer.comment.empty"),
      tabIndex: selected ? 0 : -1, maxLength: 2000,
      onChange: (event) => setText(event.target.value),
      onBlur: () => tools.current.noted(id, text),
      onKeyDown: (event) => {
        event.stopPropagation();
        if (event.key === "Escape") event.currentTarget.blur();
      },
    }));
});

const EDGE_ICONS = { return: CornerUpLeft, reject: X, cancel: X, timeout: Timer };

export const FlowEdge = memo(function FlowEdge({ id, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected, markerEnd }) {
  const speak = useLanguage();
  const tools = useContext(CanvasTools);
  const { edge, text, problem, mark, path: shown } = data;
  const isBack = sourcePosition === Position.Bottom && targetPosition === Position.Bottom;
  const [path, middleX, middleY] = getSmoothStepPath({
    sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, borderRadius: 12, offset: isBack ? 26 + (data.lane ?? 0) * 12 : 20,
  });
  // A way forward is named before its target, where several from one gateway have parted already.
  const isForward = sourcePosition === Position.Right && targetX > sourceX + 40;
  const labelX = isForward ? Math.max((sourceX + targetX) / 2 + 6, targetX - 20 - (data.labelWidth ?? 0)) : middleX;
  const labelY = isForward ? targetY : middleY;
  const room = isForward ? Math.max(28, targetX - labelX - 12) : 170;
  const Icon = EDGE_ICONS[edge.kind];
  const tone = shown?.tone ?? mark?.tone ?? (problem ? problem.tone : EDGE_TONES[edge.kind] ?? "plain");
  return h("g", { className: "fl-edge", "data-kind": edge.kind, "data-tone": tone, "data-selected": selected || undefined, "data-mark": mark?.tone, "data-path": shown?.tone },
    h(BaseEdge, { id, path, markerEnd, interactionWidth: 24 }),
    (text || Icon || shown?.label) && h(EdgeLabelRenderer, null,
      h("button", {
        type: "button", tabIndex: -1, className: "fl-edge-label nodrag nopan", "data-key": id, "data-kind": edge.kind, "data-tone": tone, "data-selected": selected || undefined, title: data.sentence || text,
        style: { transform: `translate(${isForward ? "0" : "-50%"}, -50%) translate(${labelX}px, ${labelY}px)`, pointerEvents: "all", maxWidth: Math.min(170, room) },
        onClick: (event) => {
          event.stopPropagation();
          tools.current.pickEdge(id, event.shiftKey);
        },
      }, Icon && h(Icon, { "aria-hidden": true }), (edge.kind !== "cancel" || selected) && h("span", null, shown?.label ? speak.label(shown.label) : text))));
});
