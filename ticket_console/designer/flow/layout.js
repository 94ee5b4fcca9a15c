// Where nodes stand: the automatic layout, and putting chosen ones in line.
import dagre from "@dagrejs/dagre";
import { isBackward, sizeOf } from "./kinds.js";

const GRID = 8;
const snapped = (value) => Math.round(value / GRID) * GRID;

// A named way needs room for its name, whatever language it is read in.
function roomFor(edge) {
  const { zh = "", en = "" } = edge.name ?? {};
  const name = Math.max(zh.length * 12, en.length * 6.5);
  if (name > 0) return Math.min(150, name + 32);
  return edge.guard ? 140 : edge.default ? 76 : 0;
}

// Left to right along the ways forward; ways back and out do not pull anything out of place.
export function laidOut(document) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 32, ranksep: 56, edgesep: 16, marginx: 40, marginy: 40, ranker: document.nodes.length > 150 ? "longest-path" : "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of document.nodes) graph.setNode(node.key, sizeOf(node));
  const known = new Set(document.nodes.map((node) => node.key));
  for (const edge of document.edges) {
    if (!known.has(edge.source) || !known.has(edge.target) || isBackward(edge.kind)) continue;
    const width = edge.kind === "forward" ? roomFor(edge) : 0;
    graph.setEdge(edge.source, edge.target, { weight: edge.kind === "forward" ? 3 : 1, ...(width ? { width, height: 24, labelpos: "c" } : {}) }, edge.key);
  }
  dagre.layout(graph);
  return Object.fromEntries(document.nodes.map((node) => {
    const { x, y, width, height } = graph.node(node.key);
    return [node.key, { x: snapped(x - width / 2), y: snapped(y - height / 2) }];
  }));
}

// Where everything is drawn: the author's own places, and the layout's for what has none.
export function positionsOf(document, kept = {}) {
  const drawn = document.drawing?.nodes ?? {};
  const missing = document.nodes.filter((node) => !drawn[node.key] && !kept[node.key]);
  const laid = missing.length > 0 ? laidOut(document) : {};
  return Object.fromEntries(document.nodes.map((node) => [node.key, drawn[node.key] ?? kept[node.key] ?? laid[node.key]]));
}

// boxes: [{key, x, y, width, height}] -> {key: {x, y}}
export function aligned(boxes, how) {
  const left = Math.min(...boxes.map((box) => box.x));
  const top = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  const place = {
    left: (box) => ({ x: left, y: box.y }),
    right: (box) => ({ x: right - box.width, y: box.y }),
    centre: (box) => ({ x: (left + right - box.width) / 2, y: box.y }),
    top: (box) => ({ x: box.x, y: top }),
    bottom: (box) => ({ x: box.x, y: bottom - box.height }),
    middle: (box) => ({ x: box.x, y: (top + bottom - box.height) / 2 }),
    across: spread(boxes, "x", "width", left, right),
    down: spread(boxes, "y", "height", top, bottom),
  }[how];
  return Object.fromEntries(boxes.map((box) => [box.key, place(box)]));
}

function spread(boxes, axis, size, first, last) {
  const order = boxes.toSorted((one, other) => one[axis] - other[axis]);
  const free = last - first - order.reduce((sum, box) => sum + box[size], 0);
  const gap = order.length > 1 ? free / (order.length - 1) : 0;
  const at = new Map();
  let here = first;
  for (const box of order) {
    at.set(box.key, here);
    here += box[size] + gap;
  }
  return (box) => ({ x: box.x, y: box.y, [axis]: at.get(box.key) });
}
