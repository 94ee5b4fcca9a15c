// How parts of a flow are called in the reader's language.
import { KINDS, isJoin } from "./kinds.js";

export const kindText = (speak, node) => speak.t(`flow_designer.kind.${isJoin(node) ? "join" : node.kind}`);

export const nameOf = (speak, node) => speak.label(node.name) || kindText(speak, node);

export function spanText(speak, seconds) {
  if (!seconds) return speak.t("flow_designer.span.none");
  const unit = [["days", 86_400], ["hours", 3600], ["minutes", 60]].find(([, size]) => seconds % size === 0 && seconds >= size);
  return unit ? speak.t(`flow_designer.span.${unit[0]}`, { n: seconds / unit[1] }) : speak.t("flow_designer.span.seconds", { n: seconds });
}

const wordOf = (speak, list, value) => speak.label(list?.find((each) => each.value === value)?.label) || value;

// The line under a node's name: who does it, or what the machine does there.
export function handlerText(speak, node, words = {}) {
  if (node.kind === "timer") return node.until ? speak.t("flow_designer.line.until", { field: wordOf(speak, words.fields, node.until.field) }) : spanText(speak, node.delay_seconds);
  if (node.kind === "subflow") return node.subflow?.flow ? wordOf(speak, words.flows, node.subflow.flow) : speak.t("flow_designer.line.no_flow");
  if (node.kind === "automatic") {
    const parts = [node.set?.length ? speak.t("flow_designer.line.sets", { n: node.set.length }) : "", ...(node.actions ?? []).map((action) => speak.t(`flow_designer.action.${action.kind}`))];
    return parts.filter(Boolean).join(" · ");
  }
  if (node.kind === "survey") return speak.t("flow_designer.line.questions", { n: node.survey?.questions?.length ?? 0 });
  if (node.kind === "settle") return node.segment ?? "";
  if (!["task", "approval"].includes(node.kind)) return "";
  return whoText(speak, node.handler, words) || speak.t("flow_designer.line.nobody");
}

export function whoText(speak, handler, words = {}) {
  if (!handler) return "";
  if (handler.mode === "customer") return speak.t("flow_designer.mode.customer");
  if (handler.mode === "system") return speak.t("flow_designer.mode.system");
  const role = handler.role ? speak.t(`role.${handler.role}`) : speak.t(`flow_designer.mode.${handler.mode}`);
  const skill = handler.skill ? ` · ${wordOf(speak, words.skills, handler.skill)}` : "";
  return `${role}${skill}`;
}

// Where a problem stands: its path names a node or an edge, whose own key may hold dots.
export function placeOf(document, path) {
  for (const [list, kind] of [["nodes", "node"], ["edges", "edge"], ["stages", "stage"]]) {
    if (!path.startsWith(`${list}.`)) continue;
    const rest = path.slice(list.length + 1);
    const found = (document[list] ?? []).filter((each) => rest === each.key || rest.startsWith(`${each.key}.`)).toSorted((one, other) => other.key.length - one.key.length)[0];
    if (found) return { kind, key: found.key, part: rest.slice(found.key.length + 1) };
  }
  return { kind: "flow", key: "", part: path };
}

export function edgeText(speak, document, edge) {
  const end = (key) => {
    const node = document.nodes.find((each) => each.key === key);
    return node ? nameOf(speak, node) : key;
  };
  return speak.t("flow_designer.edge_between", { from: end(edge.source), to: end(edge.target), kind: speak.t(`flow_designer.edge.${edge.kind}`) });
}

export const shapeOf = (node) => KINDS[node.kind]?.shape ?? "card";

// What a problem says, with parts called as the reader sees them instead of by their keys.
export function problemText(speak, document, problem, words = {}) {
  const called = {
    other: (key) => {
      const edge = document.edges.find((each) => each.key === key);
      return edge ? speak.label(edge.name) || endsText(speak, document, edge) : key;
    },
    node: (key) => {
      const node = document.nodes.find((each) => each.key === key);
      return node ? nameOf(speak, node) : key;
    },
    field: (key) => wordOf(speak, words.fields, key),
    flow: (key) => wordOf(speak, words.flows, key),
    role: (role) => speak.t(`role.${role}`),
    kind: (kind) => speak.t(`flow_designer.${kind in KINDS ? "kind" : "edge"}.${kind}`),
  };
  const told = Object.entries(problem.params ?? {}).map(([name, value]) => [name, called[name] && typeof value === "string" ? called[name](value) : value]);
  return speak.t(problem.code, Object.fromEntries(told));
}

export function endsText(speak, document, edge) {
  return [edge.source, edge.target].map((key) => document.nodes.find((each) => each.key === key)).map((node) => (node ? nameOf(speak, node) : "?")).join(" → ");
}

const known = (speak, key, otherwise) => {
  const text = speak.t(key);
  return text === key ? otherwise : text;
};

// What a place in the document is called: the part, then what of it.
export function pathText(speak, document, path) {
  const [list, key, ...rest] = path[0] === "drawing" ? [path[0], path[2], path[1]] : path;
  const node = document.nodes.find((each) => each.key === key);
  const edge = document.edges.find((each) => each.key === key);
  const stage = (document.stages ?? []).find((each) => each.key === key);
  if (list === "drawing") return [node ? nameOf(speak, node) : speak.t("flow_designer.comment"), speak.t("diff.setting.drawing")].join(" · ");
  const settings = rest.map((name) => (name === "zh" || name === "en" ? speak.t(`flow_designer.tongue.${name}`) : known(speak, `diff.setting.${name}`, name)));
  if (list === "nodes") return [node ? nameOf(speak, node) : key, ...settings].join(" · ");
  if (list === "edges") return [edge ? edgeText(speak, document, edge) : key, ...settings].join(" · ");
  if (list === "stages") return [stage ? speak.label(stage.name) || key : key, ...settings].join(" · ");
  return [speak.t("flow_designer.whole_flow"), known(speak, `diff.setting.${list}`, list), ...(key === "zh" || key === "en" ? [speak.t(`flow_designer.tongue.${key}`)] : [])].join(" · ");
}
