// What the designer knows of node and edge kinds: how they look, what they can be told, and what leads to what.
import {
  AlarmClock, Bell, BookOpenCheck, CircleCheckBig, CircleDot, CirclePlay, ClipboardCheck, Diamond, FileSignature,
  GitBranch, GitFork, GitMerge, Hourglass, Link2, MessageSquareHeart, Network, PencilLine, Receipt, Split, SquareCheckBig,
  UserCheck, Webhook, Workflow, Wrench, Zap,
} from "lucide-react";

const OPEN = ["todo", "doing", "waiting"];
const OVER = ["done", "cancelled"];

// `shape`: card, pill or gate. `sections` name the parts of the inspector. `stages`: the categories it may stand in.
export const KINDS = {
  start: { icon: CirclePlay, shape: "pill", tone: "ok", sections: [] },
  task: { icon: SquareCheckBig, shape: "card", tone: "accent", stages: OPEN, start: { weight: 10, handler: { mode: "queue", role: "dispatcher" } }, sections: ["handler", "form", "permissions", "evidence", "help", "targets", "notices", "segment"] },
  approval: { icon: UserCheck, shape: "card", tone: "violet", stages: OPEN, start: { weight: 5, handler: { mode: "queue", role: "manager" } }, sections: ["handler", "form", "permissions", "evidence", "help", "targets", "notices", "segment"] },
  automatic: { icon: Zap, shape: "card", tone: "teal", sections: ["sets", "actions", "notices"] },
  exclusive: { icon: Diamond, shape: "gate", tone: "warn", sections: ["ways"] },
  parallel: { icon: GitFork, shape: "gate", tone: "accent", sections: ["join"] },
  inclusive: { icon: CircleDot, shape: "gate", tone: "violet", sections: ["ways", "join"] },
  timer: { icon: Hourglass, shape: "card", tone: "warn", stages: OPEN, start: { delay_seconds: 3600 }, sections: ["timer", "notices"] },
  subflow: { icon: Workflow, shape: "card", tone: "teal", sections: ["subflow"] },
  survey: { icon: MessageSquareHeart, shape: "card", tone: "violet", sections: ["survey"] },
  settle: { icon: Receipt, shape: "card", tone: "ok", start: { segment: "main" }, sections: ["segment", "notices"] },
  end: { icon: CircleCheckBig, shape: "pill", tone: "plain", stages: OVER, sections: [] },
};

export const EDGE_KINDS = ["forward", "return", "reject", "cancel", "timeout"];
export const EDGE_TONES = { forward: "plain", return: "warn", reject: "danger", cancel: "danger", timeout: "violet" };

// The palette: presets of the kinds above under the words a manager looks for. `name` is a text key.
const entry = (preset, kind, icon, start) => ({ preset, kind, icon: icon ?? KINDS[kind].icon, start });
export const PALETTE = [
  { group: "people", entries: [
    entry("task", "task"),
    entry("visit", "task", Wrench, { handler: { mode: "technician", role: "technician", sticky: true }, weight: 40 }),
    entry("inspect", "task", ClipboardCheck, { handler: { mode: "technician", role: "technician" }, evidence: ["photo"], weight: 20 }),
    entry("approval", "approval"),
    entry("acceptance", "approval", FileSignature, { handler: { mode: "customer" }, evidence: ["signature"] }),
    entry("customer_input", "task", PencilLine, { handler: { mode: "customer" } }),
  ] },
  { group: "ways", entries: [
    entry("exclusive", "exclusive"),
    entry("parallel", "parallel", Split),
    entry("join", "parallel", GitMerge, { join: "all" }),
    entry("inclusive", "inclusive"),
    entry("inclusive_join", "inclusive", GitMerge, { join: "all" }),
    entry("subflow", "subflow"),
  ] },
  { group: "machine", entries: [
    entry("automatic", "automatic"),
    entry("webhook", "automatic", Webhook, { actions: [{ kind: "webhook", url: "", fields: [] }] }),
    entry("create_ticket", "automatic", Link2, { actions: [{ kind: "create_ticket", template: "general", title: "", values: {}, link: "care" }] }),
    entry("notify", "automatic", Bell, { actions: [{ kind: "notify", to: "assignee", text: {}, channel: "console" }] }),
    entry("timer", "timer"),
    entry("deadline", "timer", AlarmClock, { delay_seconds: 86_400 }),
    entry("survey", "survey", null, { survey: { questions: [{ key: "satisfaction", kind: "rating", label: {} }] } }),
    entry("settle", "settle"),
  ] },
  { group: "frame", entries: [entry("start", "start"), entry("end", "end"), entry("comment", "comment", BookOpenCheck)] },
];

export const GROUP_ICONS = { people: UserCheck, ways: GitBranch, machine: Zap, frame: Network };
export const PRESETS = PALETTE.flatMap((group) => group.entries).map((each) => `flow_designer.preset.${each.preset}`);
export const entryOf = (preset) => PALETTE.flatMap((group) => group.entries).find((each) => each.preset === preset);

const HANDLED = new Set(["task", "approval"]);
const WAITING = new Set(["task", "approval", "timer"]);
const ONE_WAY = new Set(["start", "automatic", "timer", "settle", "subflow", "survey"]);

export const isJoin = (node) => ["parallel", "inclusive"].includes(node?.kind) && Boolean(node.join);
export const isGuarded = (node) => ["exclusive", "task", "approval"].includes(node?.kind) || (node?.kind === "inclusive" && !node.join);

const categoryOf = (document, node) => document.stages.find((stage) => stage.key === node.stage)?.category;

// Why an edge of this kind may not lead from one node to another: a text key, or null where it may.
export function refusal(document, source, target, kind) {
  if (!source || !target) return "nowhere";
  if (source.key === target.key) return "itself";
  if (target.kind === "start") return "into_start";
  if (source.kind === "end") return "out_of_end";
  const same = document.edges.filter((edge) => edge.source === source.key && edge.kind === kind);
  if (same.some((edge) => edge.target === target.key)) return "twice";
  if (kind === "forward") return same.length > 0 && (ONE_WAY.has(source.kind) || isJoin(source)) ? "one_way" : null;
  if (kind === "cancel") {
    if (!WAITING.has(source.kind)) return "cancel_source";
    return target.kind === "end" && categoryOf(document, target) === "cancelled" ? null : "cancel_target";
  }
  if (kind === "timeout") return HANDLED.has(source.kind) ? null : "handled_source";
  if (!HANDLED.has(source.kind)) return "handled_source";
  if (isJoin(target)) return "into_join";
  if (kind === "return" && target.kind === "end") return "return_to_end";
  if (kind === "return" && !reaches(document, target.key, source.key)) return "return_leads_on";
  return null;
}

export function reaches(document, from, to) {
  const seen = new Set();
  const open = [from];
  while (open.length) {
    const key = open.pop();
    if (key === to) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    for (const edge of document.edges) if (edge.kind === "forward" && edge.source === key) open.push(edge.target);
  }
  return false;
}

// The kind a new edge most likely means, and where none is possible the reason.
export function judge(document, source, target) {
  const order = [];
  if (HANDLED.has(source?.kind) && target && target.kind !== "end" && reaches(document, target.key, source.key)) order.push("return");
  if (target?.kind === "end" && target && categoryOf(document, target) === "cancelled" && WAITING.has(source?.kind)) order.push(source.kind === "approval" ? "reject" : "cancel");
  order.push("forward");
  for (const kind of order) if (!refusal(document, source, target, kind)) return { kind };
  return { reason: refusal(document, source, target, order[0]) };
}

export const possibleKinds = (document, edge) => {
  const source = document.nodes.find((node) => node.key === edge.source);
  const target = document.nodes.find((node) => node.key === edge.target);
  const others = { ...document, edges: document.edges.filter((each) => each.key !== edge.key) };
  return EDGE_KINDS.filter((kind) => kind === edge.kind || !refusal(others, source, target, kind));
};

export const isBackward = (kind) => kind === "return" || kind === "reject";

// Where edges touch a node: a gate is a diamond in the middle of its box, everything else fills its box.
export function edgesOf(node) {
  const { width, height } = sizeOf(node);
  const isGate = KINDS[node?.kind]?.shape === "gate";
  return isGate ? { left: width / 2 - 30, right: width / 2 + 30, bottom: height / 2 + 30, middle: height / 2, spread: 0 } : { left: 0, right: width, bottom: height, middle: height / 2, spread: width * 0.1 };
}

// The size a node is drawn in; the layout has to know it before anything is drawn.
export function sizeOf(node) {
  const shape = KINDS[node?.kind]?.shape;
  if (shape === "gate") return { width: 112, height: 112 };
  if (shape === "pill") return { width: 128, height: 48 };
  return { width: 216, height: 80 };
}

export const ACTS = ["complete", "return", "reject", "cancel", "reassign", "skip"];
export const ROLES = ["manager", "dispatcher", "agent", "account_manager", "technician", "finance", "auditor"];
export const CATEGORIES = ["todo", "doing", "waiting", "done", "cancelled"];
export const CHANNELS = ["console", "sms", "email"];
export const MODES = ["technician", "queue", "customer", "system"];
export const LINKS = ["care", "prep", "dup", "merge", "project"];
