// What a gesture means for the document: pure functions from a document to the operations of one gesture.
import { partAt } from "$/public/external/ticket_console/designer/document/document.js";
import { isStill, worded } from "$/public/external/ticket_console/components/text/language.jsx";
import { KINDS, PRESETS } from "./kinds.js";

export const put = (path, value) => ({ op: "put", path, value });
export const remove = (path) => ({ op: "remove", path });

const isBlank = (value) => value === null || value === undefined || value === "" || value === false
  || (Array.isArray(value) && value.length === 0) || (typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0);

// Setting a property to nothing takes it away, so that a form opened and closed again leaves no trace.
export function setAt(document, path, value) {
  if (!isBlank(value)) return [put(path, value)];
  return partAt(document, path) === undefined ? [] : [remove(path)];
}

// A step's name in one language; while it is still the palette's word, the other language makes room.
export function renameNode(document, key, language, text) {
  const { name } = document.nodes.find((node) => node.key === key);
  const isPreset = isStill(name, PRESETS);
  if (!text) return setAt(document, ["nodes", key, "name", language], text);
  return isPreset && name[language] !== text ? [put(["nodes", key, "name"], worded(name, language, text, isPreset))] : setAt(document, ["nodes", key, "name", language], text);
}

export function freshKey(base, taken) {
  const stem = base.toLowerCase().replace(/[^a-z0-9_]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 40) || "step";
  if (!taken.has(stem)) return stem;
  let number = 2;
  while (taken.has(`${stem}_${number}`)) number += 1;
  return `${stem}_${number}`;
}

const keysOf = (list) => new Set((list ?? []).map((each) => each.key));

const edgeKey = (document, source, target) => freshKey(`${source}_to_${target}`.slice(0, 56), keysOf(document.edges));

// The stage a new node stands in: the neighbour's, or the first that fits its kind.
export function stageFor(document, kind, neighbour) {
  const stages = document.stages ?? [];
  const wanted = KINDS[kind].stages;
  const near = stages.find((stage) => stage.key === neighbour?.stage);
  if (near && (!wanted || wanted.includes(near.category))) return near.key;
  const fitting = wanted ? stages.find((stage) => wanted.includes(stage.category)) : null;
  return (fitting ?? stages.find((stage) => !["done", "cancelled"].includes(stage.category)) ?? stages[0])?.key ?? "";
}

export function addNode(document, entry, name, place, neighbour) {
  const key = freshKey(entry.preset ?? entry.kind, keysOf(document.nodes));
  const node = { key, kind: entry.kind, name, stage: stageFor(document, entry.kind, neighbour), ...structuredClone(KINDS[entry.kind].start ?? {}), ...structuredClone(entry.start ?? {}) };
  return { key, ops: [put(["nodes", key], node), put(["drawing", "nodes", key], rounded(place))] };
}

export const rounded = ({ x, y }) => ({ x: Math.round(x), y: Math.round(y) });

export function connect(document, source, target, kind) {
  const key = edgeKey(document, source, target);
  const edge = { key, kind, source, target, name: {} };
  const siblings = (document.edges ?? []).filter((each) => each.source === source && each.kind === "forward");
  const from = partAt(document, ["nodes", source]);
  if (kind === "forward" && ["exclusive", "inclusive"].includes(from?.kind)) {
    if (siblings.length === 0) edge.default = true;
    else edge.order = 1 + Math.max(...siblings.map((each) => each.order ?? 0));
  }
  if (kind === "timeout") edge.after_seconds = 86_400;
  return { key, ops: [put(["edges", key], edge)] };
}

// Everything that stands on the removed nodes goes with them.
export function removeParts(document, { nodes = [], edges = [], comments = [] }) {
  const gone = new Set(nodes);
  const loose = (document.edges ?? []).filter((edge) => gone.has(edge.source) || gone.has(edge.target) || edges.includes(edge.key));
  const drawn = document.drawing?.nodes ?? {};
  return [
    ...loose.map((edge) => remove(["edges", edge.key])),
    ...nodes.map((key) => remove(["nodes", key])),
    ...nodes.filter((key) => key in drawn).map((key) => remove(["drawing", "nodes", key])),
    ...comments.map((key) => remove(["drawing", "comments", key])),
  ];
}

export const moveTo = (document, places) => Object.entries(places).map(([key, place]) => (
  partAt(document, ["drawing", "comments"])?.some((each) => each.key === key)
    ? [put(["drawing", "comments", key, "x"], Math.round(place.x)), put(["drawing", "comments", key, "y"], Math.round(place.y))]
    : [put(["drawing", "nodes", key], rounded(place))])).flat();

export function addComment(document, place, text = "") {
  const key = freshKey("note", keysOf(document.drawing?.comments));
  return { key, ops: [put(["drawing", "comments", key], { key, text, ...rounded(place), width: 220, height: 120 })] };
}

const MARK = "ticket_console.flow";

// What a copy is on the clipboard: text that another flow, another tab or a colleague's chat can carry.
export function copied(document, positions, keys) {
  const chosen = new Set(keys);
  const nodes = document.nodes.filter((node) => chosen.has(node.key));
  const stages = new Set(nodes.map((node) => node.stage));
  return JSON.stringify({
    [MARK]: 1,
    nodes,
    edges: document.edges.filter((edge) => chosen.has(edge.source) && chosen.has(edge.target)),
    stages: document.stages.filter((stage) => stages.has(stage.key)),
    places: Object.fromEntries(nodes.map((node) => [node.key, positions[node.key]])),
    comments: (document.drawing?.comments ?? []).filter((comment) => chosen.has(comment.key)),
  });
}

export function readCopied(text) {
  try {
    const clip = JSON.parse(text);
    return clip?.[MARK] && Array.isArray(clip.nodes) && Array.isArray(clip.edges) ? clip : null;
  } catch {
    return null;
  }
}

// Pasted parts get keys of their own; a stage this flow does not know comes along.
export function paste(document, clip, offset) {
  const nodeKeys = keysOf(document.nodes);
  const edgeKeys = keysOf(document.edges);
  const stageKeys = keysOf(document.stages);
  const ops = [];
  for (const stage of clip.stages ?? []) {
    if (!stageKeys.has(stage.key)) ops.push(put(["stages", stage.key], stage));
  }
  const renamed = new Map();
  const hasStart = document.nodes.some((node) => node.kind === "start");
  const places = {};
  for (const node of clip.nodes) {
    if (node.kind === "start" && hasStart) continue;
    const key = freshKey(String(node.key), nodeKeys);
    nodeKeys.add(key);
    renamed.set(node.key, key);
    ops.push(put(["nodes", key], { ...node, key }));
    const place = clip.places?.[node.key] ?? { x: 0, y: 0 };
    places[key] = rounded({ x: place.x + offset.x, y: place.y + offset.y });
  }
  for (const edge of clip.edges) {
    if (!renamed.has(edge.source) || !renamed.has(edge.target)) continue;
    const key = freshKey(String(edge.key), edgeKeys);
    edgeKeys.add(key);
    ops.push(put(["edges", key], { ...edge, key, source: renamed.get(edge.source), target: renamed.get(edge.target) }));
  }
  for (const [key, place] of Object.entries(places)) ops.push(put(["drawing", "nodes", key], place));
  const taken = keysOf(document.drawing?.comments);
  const comments = (clip.comments ?? []).map((comment) => {
    const key = freshKey("note", taken);
    taken.add(key);
    return { ...comment, key, x: Math.round(comment.x + offset.x), y: Math.round(comment.y + offset.y) };
  });
  for (const comment of comments) ops.push(put(["drawing", "comments", comment.key], comment));
  return { ops, keys: [...renamed.values(), ...comments.map((comment) => comment.key)] };
}
