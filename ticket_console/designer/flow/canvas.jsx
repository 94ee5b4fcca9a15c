// The canvas: a flow's graph, drawn and edited in the browser; finished gestures are told as operations.
import { createElement as h, forwardRef, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Background, BackgroundVariant, MarkerType, MiniMap, Position, ReactFlow, ReactFlowProvider, SelectionMode, applyNodeChanges, useReactFlow, useStore } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { Map as MapIcon, Maximize, Minus, Plus } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { CanvasTools, FlowEdge, FlowNode, FlowNote } from "./canvas_parts.jsx";
import { addComment, connect, copied, moveTo, paste, put, readCopied, removeParts, renameNode } from "./editing.js";
import { edgesOf, isBackward, judge, sizeOf } from "./kinds.js";
import { positionsOf } from "./layout.js";
import { edgeText, nameOf, placeOf, problemText } from "./words.js";
import { guardText } from "./sentences.js";

const NODE_TYPES = { flow: FlowNode, note: FlowNote };
const EDGE_TYPES = { flow: FlowEdge };
const MANY = 150;
const STEP = 16;
const READABLE = 0.5;
const OPENING = 0.75;
const FIT = { padding: 0.12, maxZoom: 1, duration: 250 };
const NOTHING = Object.freeze({});
const NOBODY = Object.freeze([]);

// Handles are told in advance, so that edges to nodes out of sight are drawn as well.
const HANDLES = new Map();
function handlesOf(node) {
  const { left, right, bottom, middle, spread } = edgesOf(node);
  const id = `${left} ${right} ${bottom}`;
  if (!HANDLES.has(id)) {
    const centre = (left + right) / 2;
    HANDLES.set(id, [
      { id: "in", type: "target", position: Position.Left, x: left, y: middle, width: 0, height: 0 },
      { id: "out", type: "source", position: Position.Right, x: right, y: middle, width: 0, height: 0 },
      { id: "back-out", type: "source", position: Position.Bottom, x: centre - spread, y: bottom, width: 0, height: 0 },
      { id: "back-in", type: "target", position: Position.Bottom, x: centre + spread, y: bottom, width: 0, height: 0 },
    ]);
  }
  return HANDLES.get(id);
}

const worst = (problems) => (problems.some((each) => each.tone === "danger") ? "danger" : "warn");

// The problems of each part, as its badge shows them.
function problemsByKey(document, problems, speak, words) {
  const found = new Map();
  for (const problem of problems) {
    const { kind, key } = placeOf(document, problem.path);
    if (!key) continue;
    const id = `${kind}:${key}`;
    found.set(id, [...(found.get(id) ?? []), problem]);
  }
  return new Map([...found].map(([id, list]) => [id, { tone: worst(list), text: list.map((each) => problemText(speak, document, each, words)).join("\n") }]));
}

const sameProblem = (one, other) => one === other || (one && other && one.tone === other.tone && one.text === other.text);

function nodesFor(document, positions, before, chosen, wanted) {
  const known = new Map(before.map((each) => [each.id, each]));
  const stages = new Map((document.stages ?? []).map((stage) => [stage.key, stage]));
  const nodes = document.nodes.map((node) => {
    const old = known.get(node.key);
    const stage = stages.get(node.stage);
    const problem = wanted.problems.get(`node:${node.key}`);
    const mark = wanted.marks[node.key];
    const isRenaming = wanted.renaming === node.key;
    const selected = chosen.has(node.key);
    const position = positions[node.key];
    const same = old && old.type === "flow" && old.data.node === node && old.data.stage === stage && old.data.words === wanted.words && sameProblem(old.data.problem, problem)
      && old.data.mark === mark && old.data.renaming === isRenaming && old.data.readOnly === wanted.readOnly && old.data.speak === wanted.speak;
    const data = same ? old.data : { node, stage, problem, mark, renaming: isRenaming, readOnly: wanted.readOnly, words: wanted.words, speak: wanted.speak };
    if (same && old.selected === selected && old.position.x === position.x && old.position.y === position.y) return old;
    const size = sizeOf(node);
    return { id: node.key, type: "flow", position, data, selected, ...size, measured: old?.measured ?? size, handles: handlesOf(node), ariaLabel: wanted.label(node), domAttributes: wanted.attributes };
  });
  const notes = (document.drawing?.comments ?? []).map((comment) => {
    const old = known.get(comment.key);
    const selected = chosen.has(comment.key);
    if (old?.data.comment === comment && old.selected === selected && old.data.readOnly === wanted.readOnly) return old;
    const width = comment.width ?? 220;
    const height = comment.height ?? 120;
    return {
      id: comment.key, type: "note", position: { x: comment.x, y: comment.y }, data: { comment, readOnly: wanted.readOnly }, selected, width, height, measured: { width, height }, zIndex: -1,
      ariaLabel: wanted.noteLabel(comment),
    };
  });
  return [...notes, ...nodes];
}

const widthOfText = (text) => [...text].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 0x2e80 ? 12 : 6.4), 0);

const EDGE_PARTS = ["edge", "text", "sentence", "lane", "problem", "mark", "path"];

function edgesFor(document, chosen, wanted, before) {
  const earlier = new Map(before.map((each) => [each.id, each]));
  const known = new Set(document.nodes.map((node) => node.key));
  const lanes = new Map();
  return document.edges.filter((edge) => known.has(edge.source) && known.has(edge.target)).map((edge) => {
    const isBack = isBackward(edge.kind);
    const isBelow = isBack || edge.kind === "cancel" || edge.kind === "timeout";
    const lane = isBack ? lanes.get(edge.target) ?? 0 : 0;
    if (isBack) lanes.set(edge.target, lane + 1);
    const sentence = guardText(wanted.speak, edge.guard, wanted.words);
    const text = wanted.speak.label(edge.name) || sentence || (edge.default ? wanted.speak.t("flow_designer.edge.default") : "");
    const path = wanted.paths.get(edge.key);
    const tone = path?.tone ?? edge.kind;
    const data = { edge, text, sentence, labelWidth: Math.min(170, widthOfText(text) + 22), lane, problem: wanted.problems.get(`edge:${edge.key}`), mark: wanted.marks[edge.key], path };
    const old = earlier.get(edge.key);
    const selected = chosen.has(edge.key);
    if (old?.selected === selected && old.speak === wanted.speak && EDGE_PARTS.every((part) => (part === "problem" ? sameProblem(old.data.problem, data.problem) : old.data[part] === data[part]))) return old;
    return {
      id: edge.key, type: "flow", source: edge.source, target: edge.target, selected, data, speak: wanted.speak,
      sourceHandle: isBelow ? "back-out" : "out", targetHandle: isBack ? "back-in" : "in",
      ariaLabel: edgeText(wanted.speak, document, edge),
      markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: `var(--fl-edge-${tone})` },
      zIndex: path || selected ? 1 : 0,
    };
  });
}

// The nearest node in a direction: what lies straight ahead counts more than what lies aside.
function neighbour(boxes, from, direction) {
  const axis = direction === "ArrowLeft" || direction === "ArrowRight" ? "x" : "y";
  const sign = direction === "ArrowRight" || direction === "ArrowDown" ? 1 : -1;
  const other = axis === "x" ? "y" : "x";
  let best = null;
  for (const box of boxes) {
    const ahead = (box[axis] - from[axis]) * sign;
    if (box.key === from.key || ahead <= 4) continue;
    const score = ahead + 2.2 * Math.abs(box[other] - from[other]);
    if (!best || score < best.score) best = { key: box.key, score };
  }
  return best?.key ?? null;
}

function ZoomBar({ readOnly, showMap, onMap }) {
  const speak = useLanguage();
  const flow = useReactFlow();
  const zoom = useStore((state) => Math.round(state.transform[2] * 100));
  const tool = (key, Icon, act, pressed) => h("button", {
    type: "button", className: "fl-tool", title: speak.t(`flow_designer.zoom.${key}`), "aria-label": speak.t(`flow_designer.zoom.${key}`), "aria-pressed": pressed, onClick: act,
  }, h(Icon, { "aria-hidden": true }));
  return h("div", { className: "fl-zoom", role: "group", "aria-label": speak.t("flow_designer.zoom"), "data-read-only": readOnly || undefined },
    tool("out", Minus, () => flow.zoomOut({ duration: 150 })),
    h("button", { type: "button", className: "fl-tool fl-zoom-figure", title: speak.t("flow_designer.zoom.full"), onClick: () => flow.zoomTo(1, { duration: 200 }) }, `${zoom}%`),
    tool("in", Plus, () => flow.zoomIn({ duration: 150 })),
    tool("fit", Maximize, () => flow.fitView(FIT)),
    tool("map", MapIcon, onMap, showMap));
}

// On narrow windows a panel lies over the lower part of the canvas.
function hiddenBelow(root) {
  const panel = window.document.querySelector(".fl-panel")?.getBoundingClientRect();
  const view = root.getBoundingClientRect();
  return panel && panel.left < view.left + view.width / 2 ? Math.max(0, view.bottom - panel.top) : 0;
}

const Inner = forwardRef(function Inner({
  document, selection = NOBODY, problems = NOBODY, marks = NOTHING, paths = NOBODY, focus = NOBODY, words = NOTHING, readOnly = false, tool = null,
  onGesture, onSelect, onOpen, onAddAt, onRefused, onConnectKey, onUndo, onRedo, onCopied, onPlace, children,
}, ref) {
  const speak = useLanguage();
  const flow = useReactFlow();
  const root = useRef(null);
  const [renaming, setRenaming] = useState(null);
  const [linking, setLinking] = useState(false);
  const [showMap, setShowMap] = useState(() => !readOnly && window.innerWidth > 900);
  const kept = useRef({});
  const positions = useMemo(() => {
    kept.current = positionsOf(document, document.drawing?.nodes ? kept.current : {});
    return kept.current;
  }, [document]);
  const chosen = useMemo(() => new Set(selection), [selection]);
  const byKey = useMemo(() => problemsByKey(document, problems, speak, words), [document, problems, speak, words]);
  const pathOf = useMemo(() => new Map(paths.flatMap((path) => path.keys.map((key, at) => [key, { ...path, label: at === 0 ? path.label : null }]))), [paths]);
  const wanted = useMemo(() => ({
    problems: byKey, marks: marks ?? NOTHING, paths: pathOf, words, readOnly, renaming, speak,
    label: (node) => speak.t("flow_designer.say.node", { kind: speak.t(`flow_designer.kind.${node.kind}`), name: nameOf(speak, node) }),
    noteLabel: (comment) => speak.t("flow_designer.say.comment", { text: comment.text }),
    attributes: { "aria-roledescription": speak.t("flow_designer.say.role") },
  }), [byKey, marks, pathOf, words, readOnly, renaming, speak]);

  const [nodes, setNodes] = useState(() => nodesFor(document, positions, [], chosen, wanted));
  useLayoutEffect(() => setNodes((before) => nodesFor(document, positions, before, chosen, wanted)), [document, positions, chosen, wanted]);
  const drawn = useRef(NOBODY);
  const edges = useMemo(() => {
    drawn.current = edgesFor(document, chosen, wanted, drawn.current);
    return drawn.current;
  }, [document, chosen, wanted]);
  const latest = useRef(null);
  latest.current = { document, positions, selection, nodes, readOnly };

  // Whatever is saved first also keeps the layout everybody has seen so far.
  const gesture = useCallback((label, ops, params) => {
    if (latest.current.readOnly || ops.length === 0) return;
    const { document: now, positions: places } = latest.current;
    const drawn = now.drawing?.nodes ?? {};
    const touched = new Set(ops.filter((each) => each.path[0] === "drawing").map((each) => each.path[2]));
    const gone = new Set(ops.filter((each) => each.op === "remove" && each.path[0] === "nodes").map((each) => each.path[1]));
    const settled = now.nodes.filter((node) => !drawn[node.key] && !touched.has(node.key) && !gone.has(node.key)).map((node) => put(["drawing", "nodes", node.key], places[node.key]));
    onGesture?.(label, [...settled, ...ops], params);
  }, [onGesture]);

  const boxOf = useCallback((key) => {
    const node = latest.current.document.nodes.find((each) => each.key === key);
    return node ? { key, ...latest.current.positions[key], ...sizeOf(node) } : null;
  }, []);

  const centre = useCallback((key) => {
    const { document: now } = latest.current;
    const edge = now.edges.find((each) => each.key === key);
    const boxes = (edge ? [edge.source, edge.target] : [key]).map(boxOf).filter(Boolean);
    if (!boxes.length) return;
    const x = boxes.reduce((sum, box) => sum + box.x + box.width / 2, 0) / boxes.length;
    const y = boxes.reduce((sum, box) => sum + box.y + box.height / 2, 0) / boxes.length;
    const zoom = Math.max(flow.getZoom(), 0.8);
    flow.setCenter(x, y + (hiddenBelow(root.current) / 2) / zoom, { zoom, duration: 250 });
  }, [flow, boxOf]);

  const focusNode = useCallback((key) => {
    window.requestAnimationFrame(() => root.current?.querySelector(`.react-flow__node[data-id="${CSS.escape(key)}"]`)?.focus({ preventScroll: true }));
  }, []);

  const middle = useCallback(() => {
    const box = root.current.getBoundingClientRect();
    return flow.screenToFlowPosition({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
  }, [flow]);

  // A free place to the right of a node, below what already stands there.
  const placeAfter = useCallback((key) => {
    const box = boxOf(key);
    const place = { x: box.x + box.width + 96, y: box.y + box.height / 2 - 42 };
    const boxes = latest.current.document.nodes.map((node) => boxOf(node.key));
    while (boxes.some((each) => Math.abs(each.x - place.x) < 200 && Math.abs(each.y - place.y) < 80)) place.y += 112;
    return place;
  }, [boxOf]);

  // What is asked for is seen from near enough to be read.
  const lookAt = useCallback((keys) => {
    const { document: now } = latest.current;
    const wantedKeys = new Set(keys.flatMap((key) => {
      const edge = now.edges.find((each) => each.key === key);
      return edge ? [edge.source, edge.target] : [key];
    }));
    const found = now.nodes.filter((node) => wantedKeys.has(node.key)).map((node) => ({ id: node.key }));
    if (found.length > 0) flow.fitView({ ...FIT, duration: 0, nodes: found });
    return found.length > 0;
  }, [flow]);
  useEffect(() => {
    if (focus.length > 0) lookAt(focus);
  }, [focus, lookAt]);

  // A long flow is not shown so small that nobody can read it: it begins at its start.
  const onInit = useCallback(() => {
    if (lookAt(focus)) return;
    const view = root.current.getBoundingClientRect();
    const boxes = latest.current.document.nodes.map((node) => boxOf(node.key));
    const start = boxes[Math.max(0, latest.current.document.nodes.findIndex((node) => node.kind === "start"))];
    const width = Math.max(...boxes.map((box) => box.x + box.width)) - Math.min(...boxes.map((box) => box.x));
    if (!start || readOnly || view.width / width >= READABLE) {
      flow.fitView({ ...FIT, duration: 0 });
      return;
    }
    flow.setViewport({ x: 48 - start.x * OPENING, y: view.height / 2 - (start.y + start.height / 2) * OPENING, zoom: OPENING });
  }, [flow, boxOf, readOnly, lookAt, focus]);

  const reveal = useCallback((key) => {
    const box = boxOf(key);
    const view = root.current?.getBoundingClientRect();
    if (!box || !view) return;
    const spot = flow.flowToScreenPosition({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
    if (spot.x < view.left + 60 || spot.x > view.right - 60 || spot.y < view.top + 60 || spot.y > view.bottom - hiddenBelow(root.current) - 60) centre(key);
  }, [flow, boxOf, centre]);

  const seeAll = useCallback(() => window.requestAnimationFrame(() => flow.fitView(FIT)), [flow]);

  useImperativeHandle(ref, () => ({
    centre, reveal, focusNode, middle, placeAfter, fit: seeAll, boxOf, rename: setRenaming, gesture,
    positions: () => latest.current.positions,
    screenOf: (key) => root.current?.querySelector(`.react-flow__node[data-id="${CSS.escape(key)}"]`)?.getBoundingClientRect() ?? null,
  }), [centre, reveal, focusNode, middle, placeAfter, seeAll, boxOf, gesture]);

  const link = useCallback((source, target) => {
    const { document: now } = latest.current;
    const find = (key) => now.nodes.find((node) => node.key === key);
    const verdict = judge(now, find(source), find(target));
    if (!verdict.kind) {
      onRefused?.(verdict.reason, source, target);
      return;
    }
    const { key, ops } = connect(now, source, target, verdict.kind);
    gesture("flow_designer.did.connect", ops, { from: find(source).name, to: find(target).name });
    onSelect?.([key]);
  }, [gesture, onRefused, onSelect]);

  const select = (keys) => onSelect?.(keys);

  const tools = useRef(null);
  tools.current = {
    rename: (key) => setRenaming(key),
    renamed: (key, text) => {
      setRenaming(null);
      const trimmed = text?.trim();
      if (trimmed) gesture("flow_designer.did.rename", renameNode(document, key, speak.name, trimmed), { what: trimmed });
      focusNode(key);
    },
    resized: (key, box) => gesture("flow_designer.did.resize", ["x", "y", "width", "height"].map((name) => put(["drawing", "comments", key, name], Math.round(box[name])))),
    noted: (key, text) => {
      const comment = document.drawing?.comments?.find((each) => each.key === key);
      if (comment && comment.text !== text) gesture("flow_designer.did.comment", [put(["drawing", "comments", key, "text"], text)]);
    },
    addAfter: (key, button) => onAddAt?.({ after: key, anchor: button.getBoundingClientRect() }),
    pickEdge: (key, more) => select(more ? [...selection, key] : [key]),
  };

  const onNodesChange = useCallback((changes) => {
    const moves = changes.filter((change) => change.type !== "select" && change.type !== "remove" && !(change.type === "dimensions" && !change.resizing && change.setAttributes === undefined));
    if (moves.length) setNodes((before) => applyNodeChanges(moves, before));
    const picks = changes.filter((change) => change.type === "select");
    if (picks.length) {
      const next = new Set(latest.current.selection);
      for (const pick of picks) next[pick.selected ? "add" : "delete"](pick.id);
      onSelect?.([...next]);
    }
  }, [onSelect]);

  const onEdgesChange = useCallback((changes) => {
    const picks = changes.filter((change) => change.type === "select");
    if (!picks.length) return;
    const next = new Set(latest.current.selection);
    for (const pick of picks) next[pick.selected ? "add" : "delete"](pick.id);
    onSelect?.([...next]);
  }, [onSelect]);

  const onDragStop = useCallback((_, __, moved) => {
    const { document: now, positions: places } = latest.current;
    const comments = new Map((now.drawing?.comments ?? []).map((each) => [each.key, each]));
    const changed = moved.filter((node) => {
      const was = comments.get(node.id) ?? places[node.id];
      return was && (Math.round(node.position.x) !== was.x || Math.round(node.position.y) !== was.y);
    });
    gesture("flow_designer.did.move", moveTo(now, Object.fromEntries(changed.map((node) => [node.id, node.position]))), { n: changed.length });
  }, [gesture]);

  const onConnectEnd = useCallback((event, state) => {
    setLinking(false);
    if (!state.fromNode || state.fromHandle?.type !== "source") return;
    const point = "changedTouches" in event ? event.changedTouches[0] : event;
    const under = window.document.elementFromPoint(point.clientX, point.clientY)?.closest(".react-flow__node");
    const target = state.toNode?.id ?? under?.dataset.id;
    if (target) {
      if (target !== state.fromNode.id) link(state.fromNode.id, target);
      return;
    }
    // Dropped on free ground: what is to come next is asked for there.
    onAddAt?.({ after: state.fromNode.id, place: flow.screenToFlowPosition({ x: point.clientX, y: point.clientY - 0 }), anchor: { left: point.clientX, top: point.clientY, right: point.clientX, bottom: point.clientY } });
  }, [flow, link, onAddAt]);

  const erase = (keys = selection) => {
    const nodeKeys = new Set(document.nodes.map((node) => node.key));
    const edgeKeys = new Set(document.edges.map((edge) => edge.key));
    const parts = { nodes: keys.filter((key) => nodeKeys.has(key)), edges: keys.filter((key) => edgeKeys.has(key)), comments: keys.filter((key) => !nodeKeys.has(key) && !edgeKeys.has(key)) };
    gesture("flow_designer.did.remove", removeParts(document, parts), { n: keys.length });
    select([]);
  };

  const copy = (event, cut) => {
    if (isTyping(event.target) || selection.length === 0) return;
    const keys = selection.filter((key) => !document.edges.some((edge) => edge.key === key));
    if (keys.length === 0) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", copied(document, positions, keys));
    onCopied?.(keys.length);
    if (cut && !readOnly) erase();
  };

  const insert = (text) => {
    const clip = readCopied(text);
    if (!clip || readOnly) return false;
    const { ops, keys } = paste(document, clip, { x: 40, y: 56 });
    gesture("flow_designer.did.paste", ops, { n: keys.length });
    select(keys);
    if (keys[0]) window.requestAnimationFrame(() => focusNode(keys[0]));
    return true;
  };

  const shift = (direction) => {
    const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[direction];
    const comments = new Map((document.drawing?.comments ?? []).map((each) => [each.key, each]));
    const places = selection.map((key) => [key, comments.get(key) ?? positions[key]]).filter(([, place]) => place);
    gesture("flow_designer.did.move", moveTo(document, Object.fromEntries(places.map(([key, place]) => [key, { x: place.x + by[0], y: place.y + by[1] }]))), { n: places.length });
  };

  const onKeyDown = (event) => {
    if (isTyping(event.target)) return;
    const focused = event.target.closest?.(".react-flow__node")?.dataset.id ?? null;
    const edge = event.target.closest?.(".react-flow__edge")?.dataset.id ?? null;
    const done = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (command) {
      if (key === "z" && !event.shiftKey) [done(), onUndo?.()];
      else if (key === "y" || (key === "z" && event.shiftKey)) [done(), onRedo?.()];
      else if (key === "a") [done(), select(document.nodes.map((node) => node.key))];
      else if (key === "d" && selection.length) [done(), insert(copied(document, positions, selection))];
      return;
    }
    if (event.key.startsWith("Arrow")) {
      done();
      if (event.altKey && !readOnly) {
        shift(event.key);
        return;
      }
      const here = focused ?? selection[0];
      const box = here ? boxOf(here) : null;
      const boxes = document.nodes.map((node) => boxOf(node.key)).map((each) => ({ key: each.key, x: each.x + each.width / 2, y: each.y + each.height / 2 }));
      const next = box ? neighbour(boxes, { key: box.key, x: box.x + box.width / 2, y: box.y + box.height / 2 }, event.key) : document.nodes[0]?.key;
      if (!next) return;
      select(event.shiftKey ? [...new Set([...selection, next])] : [next]);
      focusNode(next);
      reveal(next);
      return;
    }
    if (key === "Enter") {
      done();
      const target = focused ?? edge ?? selection[0];
      if (target) {
        select([target]);
        onOpen?.(target);
      }
    } else if (key === " " && (focused ?? edge)) [done(), select([focused ?? edge])];
    else if (key === "Escape") select([]);
    else if (key === "f") [done(), flow.fitView(FIT)];
    else if (key === "+" || key === "=") [done(), flow.zoomIn()];
    else if (key === "-") [done(), flow.zoomOut()];
    else if (readOnly) return;
    else if (key === "Delete" || key === "Backspace") [done(), selection.length ? erase() : (focused ?? edge) && erase([focused ?? edge])];
    else if (key === "F2" && focused) [done(), setRenaming(focused)];
    else if (key === "n") [done(), onAddAt?.({ after: focused ?? selection.find((each) => boxOf(each)) ?? null, anchor: (focused ? event.target : root.current).getBoundingClientRect() })];
    else if (key === "c" && (focused ?? selection[0])) [done(), onConnectKey?.(focused ?? selection[0])];
    else if (key === "m") {
      done();
      const { key: made, ops } = addComment(document, middle());
      gesture("flow_designer.did.comment", ops);
      select([made]);
    }
  };

  const onDrop = (event) => {
    const preset = event.dataTransfer.getData("application/x-flow-node");
    if (!preset || readOnly) return;
    event.preventDefault();
    onPlace?.(preset, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }));
  };

  const isLarge = document.nodes.length > MANY;
  return h(CanvasTools.Provider, { value: tools },
    h("div", {
      ref: root, className: "fl-canvas", tabIndex: -1, "data-linking": linking || undefined, "data-tool": tool, "data-large": isLarge || undefined,
      onKeyDown, onCopy: (event) => copy(event, false), onCut: (event) => copy(event, true),
      onPaste: (event) => !isTyping(event.target) && insert(event.clipboardData.getData("text/plain")) && event.preventDefault(),
      onDragOver: (event) => {
        if (event.dataTransfer.types.includes("application/x-flow-node")) event.preventDefault();
      },
      onDrop,
    },
      h(ReactFlow, {
        nodes, edges, nodeTypes: NODE_TYPES, edgeTypes: EDGE_TYPES, onNodesChange, onEdgesChange,
        onNodeDragStop: onDragStop, onSelectionDragStop: (event, moved) => onDragStop(event, null, moved),
        onConnectStart: () => setLinking(true), onConnectEnd, onNodeDoubleClick: (_, node) => !readOnly && node.type === "flow" && setRenaming(node.id),
        onNodeClick: (_, node) => onOpen?.(node.id, true), onEdgeClick: (_, each) => onOpen?.(each.id, true),
        // Keys and the clipboard go on working after a click beside everything.
        onPaneClick: () => root.current.focus({ preventScroll: true }),
        nodesDraggable: !readOnly, nodesConnectable: !readOnly, edgesFocusable: true, nodesFocusable: true, disableKeyboardA11y: true, deleteKeyCode: null,
        selectionMode: SelectionMode.Partial, selectionOnDrag: tool === "select", panOnDrag: tool === "select" ? [1, 2] : [0, 1, 2], panOnScroll: true, zoomOnScroll: false, zoomActivationKeyCode: ["Control", "Meta"],
        multiSelectionKeyCode: ["Shift", "Control", "Meta"], selectionKeyCode: "Shift", zoomOnDoubleClick: false, snapToGrid: true, snapGrid: [8, 8], connectionRadius: 36, minZoom: 0.08, maxZoom: 2,
        onlyRenderVisibleElements: isLarge, elevateNodesOnSelect: false, onInit, proOptions: { hideAttribution: true },
        attributionPosition: "bottom-left", connectionLineStyle: { stroke: "var(--tc-accent)", strokeWidth: 2 }, "aria-label": speak.t("flow_designer.canvas"),
      },
        h(Background, { variant: BackgroundVariant.Dots, gap: 16, size: 1.2, color: "var(--fl-dot)" }),
        showMap && h(MiniMap, {
          pannable: true, zoomable: true, ariaLabel: speak.t("flow_designer.minimap"), nodeStrokeWidth: 0, nodeBorderRadius: 6, maskColor: "var(--fl-mask)", bgColor: "var(--tc-surface)",
          nodeColor: (node) => `var(--fl-category-${node.data.stage?.category ?? "note"})`,
        }),
        h(ZoomBar, { readOnly, showMap, onMap: () => setShowMap(!showMap) })),
      children));
});

const isTyping = (target) => target?.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target?.tagName ?? "");

export const FlowCanvas = forwardRef(function FlowCanvas(props, ref) {
  if (!props.document?.nodes) return h("div", { className: "fl-canvas" });
  return h(ReactFlowProvider, null, h(Inner, { ...props, ref }));
});

// The canvas as a picture of its own: versions side by side, a replayed path, a ticket's way.
export function FlowPicture({ document, selection, problems, marks, paths, focus, words, readOnly = true, onGesture, onSelect }) {
  return h(FlowCanvas, { document, selection, problems, marks, paths, focus, words, readOnly, onGesture, onSelect });
}
