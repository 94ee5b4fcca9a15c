// The inspector: everything a node or an edge can be told, in sections that fold.
import { createElement as h, useMemo, useState } from "react";
import { Copy, LocateFixed, ShieldCheck, Trash2, X } from "lucide-react";
import { ConditionBuilder } from "$/public/external/ticket_console/components/condition_builder/condition_builder.jsx";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Choice, Duration, Field, Label, Listed, Section, Text, Toggle, Whole } from "./controls.jsx";
import { freshKey, put, remove, removeParts, renameNode, setAt } from "$/public/external/ticket_console/designer/flow/canvas/editing.js";
import { CHANNELS, EDGE_KINDS, KINDS, LINKS, MODES, ROLES, isGuarded, isJoin, possibleKinds } from "$/public/external/ticket_console/designer/flow/canvas/kinds.js";
import { guardText } from "$/public/external/ticket_console/designer/flow/canvas/sentences.js";
import { edgeText, kindText, nameOf, placeOf, problemText, whoText } from "$/public/external/ticket_console/designer/flow/canvas/words.js";

const named = (speak, prefix, values) => values.map((value) => ({ value, label: speak.t(`${prefix}${value}`) }));

// What the sections need: the element, where it stands in the document, and how to change it.
function editorOf(document, path, act, label) {
  const set = (name, value) => act(label, setAt(document, [...path, ...[name].flat()], value), {});
  return { set, text: (name) => (language, text) => set([...[name].flat(), language], text) };
}

function Who({ handler, onDone, words, label }) {
  const speak = useLanguage();
  const mode = handler?.mode ?? null;
  const change = (part) => {
    const next = { ...handler, ...part };
    for (const key of ["role", "skill", "sticky"]) if (!next[key]) delete next[key];
    if (next.mode === "technician") next.role = "technician";
    else delete next.sticky;
    if (next.mode !== "technician") delete next.skill;
    if (next.mode === "queue" && (!next.role || next.role === "technician")) next.role = "dispatcher";
    if (["customer", "system"].includes(next.mode)) delete next.role;
    onDone(next);
  };
  return h("div", { className: "fl-stack" },
    h(Choice, { label: label ?? speak.t("flow_designer.who"), value: mode, none: speak.t("flow_designer.who.none"), options: named(speak, "flow_designer.mode.", MODES), onDone: (value) => (value ? change({ mode: value }) : onDone(null)) }),
    mode === "queue" && h(Choice, { label: speak.t("flow_designer.who.role"), value: handler.role, options: named(speak, "role.", ROLES.filter((role) => role !== "technician")), onDone: (role) => change({ role }) }),
    mode === "technician" && h(Choice, { label: speak.t("flow_designer.who.skill"), value: handler.skill, none: speak.t("flow_designer.who.any_skill"), options: words.skills ?? [], onDone: (skill) => change({ skill }) }),
    mode === "technician" && h(Toggle, { label: speak.t("flow_designer.who.sticky"), help: speak.t("flow_designer.who.sticky.help"), value: handler.sticky, onDone: (sticky) => change({ sticky }) }));
}

function Guard({ tree, onDone, words, problems }) {
  const speak = useLanguage();
  return h("div", { className: "fl-guard" }, h(ConditionBuilder, { fields: words.conditions ?? [], value: tree ?? null, problems, label: speak.t("flow_designer.guard"), onChange: onDone }));
}

function Handling({ node, editor, words }) {
  const speak = useLanguage();
  return h("div", { className: "fl-stack" },
    h(Who, { handler: node.handler, words, label: node.handlers?.length ? speak.t("flow_designer.who.otherwise") : undefined, onDone: (handler) => editor.set("handler", handler) }),
    h(Listed, {
      label: speak.t("flow_designer.who.table"), empty: speak.t("flow_designer.who.table.empty"), list: node.handlers ?? [], addLabel: speak.t("flow_designer.who.table.add"),
      onDone: (list) => editor.set("handlers", list), titleOf: (rule) => `${guardText(speak, rule.when, words) || speak.t("flow_designer.guard.none")} → ${whoText(speak, rule.handler, words)}`,
      fresh: () => ({ when: firstCondition(), handler: { mode: "queue", role: "dispatcher" } }),
      draw: (rule, change) => h("div", { className: "fl-stack" }, h(Guard, { tree: rule.when, words, onDone: (when) => when && change({ ...rule, when }) }), h(Who, { handler: rule.handler, words, onDone: (handler) => handler && change({ ...rule, handler }) })),
    }));
}

// A new condition starts with the priority, which every ticket has.
const firstCondition = () => ({ combinator: "and", rules: [{ field: "priority", operator: "=", value: 1 }] });

function FormPart({ node, editor, words }) {
  const speak = useLanguage();
  const uses = node.fields ?? [];
  const used = new Set(uses.map((use) => use.key));
  const free = (words.fields ?? []).filter((field) => !used.has(field.value));
  const move = (index, by) => editor.set("fields", uses.toSpliced(index, 1).toSpliced(index + by, 0, uses[index]));
  return h("div", { className: "fl-stack" },
    uses.length === 0 && h("p", { className: "tc-help" }, speak.t("flow_designer.form.empty")),
    h("ol", { className: "fl-uses" }, uses.map((use, index) => {
      const field = words.fields?.find((each) => each.value === use.key);
      return h("li", { key: use.key },
        h("span", { className: "fl-use-name", title: use.key }, speak.label(field?.label) || use.key),
        h("label", { className: "fl-use-need" }, h("input", { type: "checkbox", checked: Boolean(use.required), onChange: (event) => editor.set("fields", uses.with(index, event.target.checked ? { key: use.key, required: true } : { key: use.key })) }), speak.t("flow_designer.form.required")),
        h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small", disabled: index === 0, title: speak.t("flow_designer.list.up"), "aria-label": speak.t("flow_designer.list.up"), onClick: () => move(index, -1) }, "↑"),
        h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small", title: speak.t("flow_designer.list.remove"), "aria-label": speak.t("flow_designer.list.remove"), onClick: () => editor.set("fields", uses.toSpliced(index, 1)) }, h(X, { size: 14, "aria-hidden": true })));
    })),
    h(Choice, { small: true, label: speak.t("flow_designer.form.add"), value: null, none: speak.t("flow_designer.form.add"), options: free, onDone: (key) => key && editor.set("fields", [...uses, { key }]) }));
}

function Evidence({ node, editor }) {
  const speak = useLanguage();
  const kinds = node.evidence ?? [];
  const has = (kind) => kinds.includes(kind);
  const flip = (kind) => (on) => editor.set("evidence", on ? [...kinds, kind] : kinds.filter((each) => each !== kind));
  const items = node.checklist ?? [];
  return h("div", { className: "fl-stack" },
    h(Toggle, { label: speak.t("flow_designer.evidence.photo"), value: has("photo"), onDone: flip("photo") }),
    h(Toggle, { label: speak.t("flow_designer.evidence.signature"), value: has("signature"), onDone: flip("signature") }),
    h(Toggle, { label: speak.t("flow_designer.evidence.checklist"), help: speak.t("flow_designer.evidence.checklist.help"), value: has("checklist"), onDone: flip("checklist") }),
    (has("checklist") || items.length > 0) && h(Listed, {
      list: items, onDone: (list) => editor.set("checklist", list), addLabel: speak.t("flow_designer.evidence.add"), titleOf: (item) => speak.label(item.text) || item.key,
      fresh: () => ({ key: freshKey("check", new Set(items.map((each) => each.key))), text: {} }),
      draw: (item, change) => h(Label, { label: speak.t("flow_designer.evidence.item"), value: item.text, onDone: (language, text) => change({ ...item, text: { ...item.text, [language]: text } }) }),
    }));
}

function Help({ node, editor, words }) {
  const speak = useLanguage();
  const stock = words.parts ?? [];
  return h("div", { className: "fl-stack" },
    h(Listed, {
      label: speak.t("flow_designer.documents"), empty: speak.t("flow_designer.documents.empty"), list: node.documents ?? [], onDone: (list) => editor.set("documents", list), addLabel: speak.t("flow_designer.documents.add"),
      fresh: () => ({ title: {}, url: "" }), titleOf: (each) => speak.label(each.title) || each.url,
      draw: (each, change) => h("div", { className: "fl-stack" },
        h(Label, { label: speak.t("flow_designer.documents.title"), value: each.title, onDone: (language, text) => change({ ...each, title: { ...each.title, [language]: text } }) }),
        h(Field, { label: speak.t("flow_designer.documents.url") }, (id) => h(Text, { id, type: "url", value: each.url, inputMode: "url", onDone: (url) => change({ ...each, url: url.trim() }) }))),
    }),
    h(Listed, {
      label: speak.t("flow_designer.parts"), empty: speak.t("flow_designer.parts.empty"), list: node.parts ?? [], onDone: (list) => editor.set("parts", list),
      titleOf: (each) => speak.label(stock.find((part) => part.value === each.sku)?.label) || each.sku,
      draw: (each, change) => h(Whole, { label: speak.t("flow_designer.parts.qty"), min: 1, value: each.qty, onDone: (qty) => change({ ...each, qty: qty ?? 1 }) }),
    }),
    h(Choice, { small: true, label: speak.t("flow_designer.parts.add"), value: null, none: speak.t("flow_designer.parts.add"), options: stock.filter((part) => !(node.parts ?? []).some((each) => each.sku === part.value)), onDone: (sku) => sku && editor.set("parts", [...(node.parts ?? []), { sku, qty: 1 }]) }));
}

function TimeTargets({ node, editor }) {
  const speak = useLanguage();
  return h("div", { className: "fl-stack" }, ["claim_minutes", "finish_minutes"].map((name) => h(Duration, {
    key: name, label: speak.t(`flow_designer.targets.${name}`), seconds: node.targets?.[name] ? node.targets[name] * 60 : null,
    onDone: (seconds) => {
      const next = { ...node.targets };
      if (seconds) next[name] = Math.max(1, Math.round(seconds / 60));
      else delete next[name];
      editor.set("targets", next);
    },
  })));
}

const receivers = (speak) => [...["assignee", "customer"].map((value) => ({ value, label: speak.t(`flow_designer.to.${value}`) })), ...ROLES.map((role) => ({ value: `role:${role}`, label: speak.t(`role.${role}`) }))];

function Message({ value, change }) {
  const speak = useLanguage();
  return h("div", { className: "fl-stack" },
    h("div", { className: "fl-two" },
      h(Choice, { label: speak.t("flow_designer.notice.to"), value: value.to, options: receivers(speak), onDone: (to) => to && change({ ...value, to }) }),
      h(Choice, { label: speak.t("flow_designer.notice.channel"), value: value.channel, options: named(speak, "flow_designer.channel.", CHANNELS), onDone: (channel) => channel && change({ ...value, channel }) })),
    h(Label, { label: speak.t("flow_designer.notice.text"), long: true, value: value.text, onDone: (language, text) => change({ ...value, text: { ...value.text, [language]: text } }) }));
}

function Notices({ node, editor }) {
  const speak = useLanguage();
  const moments = ["entered", "completed", "overdue"];
  return h(Listed, {
    list: node.notices ?? [], empty: speak.t("flow_designer.notice.empty"), onDone: (list) => editor.set("notices", list), addLabel: speak.t("flow_designer.notice.add"),
    fresh: () => ({ on: "entered", to: "assignee", text: {}, channel: "console" }), titleOf: (each) => speak.t(`flow_designer.moment.${each.on}`),
    draw: (each, change) => h("div", { className: "fl-stack" },
      h(Choice, { label: speak.t("flow_designer.notice.on"), value: each.on, options: named(speak, "flow_designer.moment.", moments), onDone: (on) => on && change({ ...each, on }) }),
      h(Message, { value: each, change })),
  });
}

// What is typed becomes what is meant: a number, a flag, or text.
const valueOf = (text) => ({ true: true, false: false }[text] ?? (/^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text));

function FieldValue({ label, field, value, onDone, words }) {
  const speak = useLanguage();
  const known = words.fields?.find((each) => each.value === field);
  if (known?.options?.length) return h(Choice, { label, value, options: known.options, onDone });
  if (known?.kind === "yes_no") return h(Choice, { label, value: String(value ?? ""), options: [["true", "yes"], ["false", "no"]].map(([key, word]) => ({ value: key, label: speak.t(`flow_designer.answer.${word}`) })), onDone: (text) => onDone(text === "true") });
  return h(Field, { label }, (id) => h(Text, { id, value: String(value ?? ""), onDone: (text) => onDone(valueOf(text)) }));
}

function Sets({ node, editor, words }) {
  const speak = useLanguage();
  return h(Listed, {
    list: node.set ?? [], empty: speak.t("flow_designer.sets.empty"), addLabel: speak.t("flow_designer.sets.add"), onDone: (list) => editor.set("set", list),
    fresh: () => ({ field: words.fields?.[0]?.value ?? "category", value: "" }), titleOf: (each) => speak.label(words.fields?.find((field) => field.value === each.field)?.label) || each.field,
    draw: (each, change) => h("div", { className: "fl-two" },
      h(Choice, { label: speak.t("flow_designer.sets.field"), value: each.field, options: words.fields ?? [], onDone: (field) => field && change({ field, value: "" }) }),
      h(FieldValue, { label: speak.t("flow_designer.sets.value"), field: each.field, value: each.value, words, onDone: (value) => change({ ...each, value: value ?? "" }) })),
  });
}

function Actions({ node, editor, words }) {
  const speak = useLanguage();
  const kinds = ["webhook", "create_ticket", "notify"];
  const fresh = {
    webhook: { kind: "webhook", url: "", fields: [] },
    create_ticket: { kind: "create_ticket", template: words.templates?.[0]?.value ?? "general", title: "", values: {}, link: "care" },
    notify: { kind: "notify", to: "assignee", text: {}, channel: "console" },
  };
  const draw = (each, change) => {
    if (each.kind === "notify") return h(Message, { value: each, change });
    if (each.kind === "webhook") {
      return h("div", { className: "fl-stack" },
        h(Field, { label: speak.t("flow_designer.webhook.url"), help: speak.t("flow_designer.webhook.help") }, (id) => h(Text, { id, type: "url", value: each.url, inputMode: "url", onDone: (url) => change({ ...each, url: url.trim() }) })),
        h(Keys, { label: speak.t("flow_designer.webhook.fields"), keys: each.fields ?? [], words, onDone: (fields) => change({ ...each, fields }) }));
    }
    return h("div", { className: "fl-stack" },
      h("div", { className: "fl-two" },
        h(Choice, { label: speak.t("flow_designer.create.template"), value: each.template, options: words.templates ?? [], onDone: (template) => template && change({ ...each, template }) }),
        h(Choice, { label: speak.t("flow_designer.create.link"), value: each.link, options: named(speak, "flow_designer.link.", LINKS), onDone: (link) => link && change({ ...each, link }) })),
      h(Field, { label: speak.t("flow_designer.create.title") }, (id) => h(Text, { id, value: each.title, onDone: (title) => change({ ...each, title }) })),
      h(Values, { values: each.values ?? {}, words, onDone: (values) => change({ ...each, values }) }));
  };
  const list = node.actions ?? [];
  return h("div", { className: "fl-stack" },
    h(Listed, { list, empty: speak.t("flow_designer.actions.empty"), onDone: (next) => editor.set("actions", next), titleOf: (each) => speak.t(`flow_designer.action.${each.kind}`), draw }),
    h(Choice, { small: true, label: speak.t("flow_designer.actions.add"), value: null, none: speak.t("flow_designer.actions.add"), options: named(speak, "flow_designer.action.", kinds), onDone: (kind) => kind && editor.set("actions", [...list, fresh[kind]]) }));
}

function Keys({ label, keys, words, onDone }) {
  const speak = useLanguage();
  return h("div", { className: "fl-stack" },
    h("span", { className: "fl-label" }, label),
    h("div", { className: "fl-tags" }, keys.map((key) => h("button", { key, type: "button", className: "fl-tag", title: speak.t("flow_designer.list.remove"), onClick: () => onDone(keys.filter((each) => each !== key)) }, speak.label(words.fields?.find((field) => field.value === key)?.label) || key, h(X, { size: 12, "aria-hidden": true })))),
    h(Choice, { small: true, label: speak.t("flow_designer.form.add"), value: null, none: speak.t("flow_designer.form.add"), options: (words.fields ?? []).filter((field) => !keys.includes(field.value)), onDone: (key) => key && onDone([...keys, key]) }));
}

function Values({ values, words, onDone }) {
  const speak = useLanguage();
  return h("div", { className: "fl-stack" },
    Object.entries(values).map(([key, value]) => h("div", { key, className: "fl-value" },
      h(FieldValue, { label: speak.label(words.fields?.find((field) => field.value === key)?.label) || key, field: key, value, words, onDone: (next) => onDone({ ...values, [key]: next ?? "" }) }),
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", title: speak.t("flow_designer.list.remove"), "aria-label": speak.t("flow_designer.list.remove"), onClick: () => onDone(Object.fromEntries(Object.entries(values).filter(([each]) => each !== key))) }, h(X, { size: 14, "aria-hidden": true })))),
    h(Choice, { small: true, label: speak.t("flow_designer.create.values"), value: null, none: speak.t("flow_designer.create.values"), options: (words.fields ?? []).filter((field) => !(field.value in values)), onDone: (key) => key && onDone({ ...values, [key]: "" }) }));
}

function Waiting({ node, editor, words }) {
  const speak = useLanguage();
  const isUntil = Boolean(node.until);
  const moments = (words.fields ?? []).filter((field) => ["date", "datetime"].includes(field.kind));
  return h("div", { className: "fl-stack" },
    h(Choice, {
      label: speak.t("flow_designer.timer.how"), value: isUntil ? "until" : "delay", options: named(speak, "flow_designer.timer.", moments.length || isUntil ? ["delay", "until"] : ["delay"]),
      onDone: (how) => editor.swap(how === "until" ? [["delay_seconds", null], ["until", { field: moments[0]?.value }]] : [["until", null], ["delay_seconds", 3600]]),
    }),
    isUntil ? h(Choice, { label: speak.t("flow_designer.timer.field"), value: node.until.field, options: moments, onDone: (field) => field && editor.set("until", { field }) })
      : h(Duration, { label: speak.t("flow_designer.timer.length"), seconds: node.delay_seconds, onDone: (seconds) => editor.set("delay_seconds", seconds) }),
    h(Calendar, { value: node.calendar, words, onDone: (code) => editor.set("calendar", code) }));
}

function Calendar({ value, words, onDone }) {
  const speak = useLanguage();
  if (!words.calendars?.length && !value) return h("p", { className: "tc-help" }, speak.t("flow_designer.calendar.always"));
  return h(Choice, { label: speak.t("flow_designer.calendar"), value, none: speak.t("flow_designer.calendar.always"), options: words.calendars ?? [], onDone });
}

function Joining({ node, editor, document }) {
  const speak = useLanguage();
  const arriving = document.edges.filter((edge) => edge.target === node.key && edge.kind === "forward").length;
  return h("div", { className: "fl-stack" },
    h(Choice, {
      label: speak.t("flow_designer.join"), value: node.join, none: speak.t("flow_designer.join.split"), options: named(speak, "flow_designer.join.", ["all", "any", "some"]),
      onDone: (join) => editor.swap([["join", join], ["join_count", join === "some" ? Math.max(1, arriving - 1) : null]]),
    }),
    node.join === "some" && h(Whole, { label: speak.t("flow_designer.join.count"), min: 1, max: Math.max(1, arriving), value: node.join_count, unit: speak.t("flow_designer.join.of", { n: arriving }), onDone: (count) => editor.set("join_count", count) }));
}

function Ways({ node, document, words, onPick, act }) {
  const speak = useLanguage();
  const ways = document.edges.filter((edge) => edge.source === node.key && edge.kind === "forward").toSorted((one, other) => Number(one.default ?? false) - Number(other.default ?? false) || (one.order ?? 0) - (other.order ?? 0));
  if (isJoin(node)) return null;
  const nameFor = (edge) => speak.label(edge.name) || nameOf(speak, document.nodes.find((each) => each.key === edge.target) ?? { kind: "task", name: {} });
  const move = (index, by) => {
    const order = ways.toSpliced(index, 1).toSpliced(index + by, 0, ways[index]);
    act("flow_designer.did.order", order.map((edge, place) => put(["edges", edge.key, "order"], place)), {});
  };
  return h("ol", { className: "fl-ways" }, ways.map((edge, index) => h("li", { key: edge.key },
    h("button", { type: "button", className: "fl-way", onClick: () => onPick(edge.key) }, h("strong", null, nameFor(edge)), h("span", null, edge.default ? speak.t("flow_designer.edge.default") : guardText(speak, edge.guard, words) || speak.t("flow_designer.guard.none"))),
    !edge.default && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small", disabled: index === 0, title: speak.t("flow_designer.list.up"), "aria-label": speak.t("flow_designer.list.up"), onClick: () => move(index, -1) }, "↑"))));
}

function Subflow({ node, editor, words }) {
  const speak = useLanguage();
  return h("div", { className: "fl-stack" },
    h(Choice, { label: speak.t("flow_designer.subflow"), value: node.subflow?.flow, none: speak.t("flow_designer.subflow.none"), options: words.flows ?? [], help: speak.t("flow_designer.subflow.help"), onDone: (flow) => editor.set("subflow", flow ? { flow, version_id: null } : null) }),
    node.subflow?.flow && h("a", { className: "tc-link", href: `/designer/flows/${node.subflow.flow}` }, speak.t("flow_designer.subflow.open")));
}

function Survey({ node, editor }) {
  const speak = useLanguage();
  const questions = node.survey?.questions ?? [];
  const done = (list) => editor.set("survey", { questions: list });
  return h(Listed, {
    list: questions, empty: speak.t("flow_designer.survey.empty"), addLabel: speak.t("flow_designer.survey.add"), onDone: done,
    fresh: () => ({ key: freshKey("question", new Set(questions.map((each) => each.key))), kind: "rating", label: {} }), titleOf: (each) => speak.label(each.label) || each.key,
    draw: (each, change) => h("div", { className: "fl-stack" },
      h(Choice, { label: speak.t("flow_designer.survey.kind"), value: each.kind, options: named(speak, "flow_designer.survey.", ["rating", "text"]), onDone: (kind) => kind && change({ ...each, kind }) }),
      h(Label, { label: speak.t("flow_designer.survey.question"), value: each.label, onDone: (language, text) => change({ ...each, label: { ...each.label, [language]: text } }) })),
  });
}

function Problems({ list, document, words }) {
  const speak = useLanguage();
  return list.length > 0 && h("ul", { className: "fl-here" }, list.map((problem, at) => h("li", { key: at, "data-tone": problem.tone }, problemText(speak, document, problem, words))));
}

function problemsOf(document, problems, kind, key) {
  return problems.filter((problem) => {
    const place = placeOf(document, problem.path);
    return place.kind === kind && place.key === key;
  });
}

function NodeInspector({ node, document, words, problems, act, onPick, onPermissions, onPreview }) {
  const speak = useLanguage();
  const path = ["nodes", node.key];
  const label = "flow_designer.did.change";
  const what = { what: nameOf(speak, node) };
  const editor = useMemo(() => {
    const base = editorOf(document, path, (name, ops) => act(name, ops, what), label);
    return { ...base, swap: (pairs) => act(label, pairs.flatMap(([name, value]) => setAt(document, [...path, name], value)), what) };
  }, [document, node, act]);
  const common = { node, editor, words, document, act, onPick };
  const known = KINDS[node.kind];
  const draw = {
    handler: Handling, form: FormPart, evidence: Evidence, help: Help, targets: TimeTargets, notices: Notices, sets: Sets, actions: Actions, timer: Waiting, join: Joining, ways: Ways, subflow: Subflow, survey: Survey,
    segment: () => h(Field, { label: speak.t("flow_designer.segment"), help: speak.t("flow_designer.segment.help") }, (id) => h(Text, { id, value: node.segment, onDone: (text) => editor.set("segment", text.replace(/[^A-Za-z0-9_.-]/g, "_")) })),
    permissions: () => h("div", { className: "fl-stack" },
      h("p", { className: "tc-help" }, Object.keys(node.permissions ?? {}).length ? speak.t("flow_designer.permissions.some", { roles: Object.keys(node.permissions).map((role) => speak.t(`role.${role}`)).join(", ") }) : speak.t("flow_designer.permissions.none")),
      h("button", { type: "button", className: "tc-btn", onClick: () => onPermissions(node.key) }, h(ShieldCheck, { "aria-hidden": true }), speak.t("flow_designer.permissions.open"))),
  };
  const counts = { form: node.fields?.length, evidence: (node.evidence ?? []).length, notices: node.notices?.length, actions: node.actions?.length, sets: node.set?.length, permissions: Object.keys(node.permissions ?? {}).length, help: (node.documents?.length ?? 0) + (node.parts?.length ?? 0), survey: node.survey?.questions?.length };
  const open = { handler: true, form: true, timer: true, join: true, ways: true, subflow: true, survey: true, actions: true, sets: true, segment: true };
  const stages = document.stages.filter((stage) => !known.stages || known.stages.includes(stage.category));
  return h("div", { className: "fl-stack" },
    h(Problems, { list: problemsOf(document, problems, "node", node.key), document, words }),
    h(Label, { label: speak.t("flow_designer.name"), autoFocus: true, value: node.name, onDone: (language, text) => act(label, renameNode(document, node.key, language, text), what) }),
    h(Choice, { label: speak.t("flow_designer.stage"), value: node.stage, options: stages.map((stage) => ({ value: stage.key, label: speak.label(stage.name) || stage.key })), onDone: (stage) => stage && editor.set("stage", stage) }),
    known.sections.filter((name) => draw[name]).map((name) => h(Section, { key: name, name: `${known.shape}-${name}`, title: speak.t(`flow_designer.section.${name}`), count: counts[name], startOpen: open[name] }, h(draw[name], common))),
    h(Section, { name: "more", title: speak.t("flow_designer.section.more") },
      h("div", { className: "fl-stack" },
        h(Label, { label: speak.t("flow_designer.description"), long: true, value: node.description, onDone: editor.text("description") }),
        h(Whole, { label: speak.t("flow_designer.weight"), help: speak.t("flow_designer.weight.help"), value: node.weight, max: 1000, onDone: (weight) => editor.set("weight", weight) }),
        h(Field, { label: speak.t("flow_designer.key") }, (id) => h("input", { id, className: "tc-input tc-mono", readOnly: true, value: node.key })))),
    ["task", "approval"].includes(node.kind) && h("button", { type: "button", className: "tc-btn", onClick: () => onPreview(node.key) }, speak.t("flow_designer.preview.open")));
}

function EdgeInspector({ edge, document, words, problems, act }) {
  const speak = useLanguage();
  const path = ["edges", edge.key];
  const label = "flow_designer.did.change";
  const what = { what: edgeText(speak, document, edge) };
  const editor = editorOf(document, path, (name, ops) => act(name, ops, what), label);
  const source = document.nodes.find((node) => node.key === edge.source);
  const mayDecide = edge.kind === "forward" && isGuarded(source);
  const kinds = possibleKinds(document, edge);
  const changeKind = (kind) => {
    const drop = kind === "forward" ? [] : ["guard", "default", "order"];
    act(label, [
      put([...path, "kind"], kind), ...drop.flatMap((name) => setAt(document, [...path, name], null)),
      ...(kind === "timeout" ? (edge.after_seconds ? [] : [put([...path, "after_seconds"], 86_400)]) : ["after_seconds", "calendar"].flatMap((name) => setAt(document, [...path, name], null))),
    ], what);
  };
  const makeDefault = (isDefault) => {
    const others = document.edges.filter((each) => each.source === edge.source && each.kind === "forward" && each.default && each.key !== edge.key);
    act(label, [...(isDefault ? others.map((each) => remove(["edges", each.key, "default"])) : []), ...setAt(document, [...path, "default"], isDefault), ...(isDefault ? setAt(document, [...path, "guard"], null) : [])], what);
  };
  return h("div", { className: "fl-stack" },
    h(Problems, { list: problemsOf(document, problems, "edge", edge.key), document, words }),
    h(Label, { label: speak.t("flow_designer.name"), autoFocus: true, value: edge.name, help: speak.t("flow_designer.edge.name.help"), onDone: editor.text("name") }),
    h(Choice, { label: speak.t("flow_designer.edge.kind"), value: edge.kind, options: named(speak, "flow_designer.edge.", EDGE_KINDS.filter((kind) => kinds.includes(kind))), onDone: (kind) => kind && changeKind(kind) }),
    mayDecide && h(Toggle, { label: speak.t("flow_designer.edge.is_default"), help: speak.t("flow_designer.edge.default.help"), value: edge.default, onDone: makeDefault }),
    mayDecide && !edge.default && h("div", { className: "fl-field" },
      h("span", { className: "fl-label" }, speak.t("flow_designer.guard")),
      h(Guard, { tree: edge.guard, words, problems: problemsOf(document, problems, "edge", edge.key), onDone: (tree) => editor.set("guard", tree) })),
    mayDecide && !edge.default && h(Whole, { label: speak.t("flow_designer.edge.order"), help: speak.t("flow_designer.edge.order.help"), value: edge.order ?? 0, onDone: (order) => editor.set("order", order ?? 0) }),
    edge.kind === "timeout" && h(Duration, { label: speak.t("flow_designer.edge.after"), seconds: edge.after_seconds, onDone: (seconds) => editor.set("after_seconds", seconds ?? 3600) }),
    edge.kind === "timeout" && h(Calendar, { value: edge.calendar, words, onDone: (code) => editor.set("calendar", code) }));
}

export function Inspector({ document, selection, words, problems, act, readOnly, onClose, onCentre, onPick, onPermissions, onPreview, onDuplicate }) {
  const speak = useLanguage();
  const [only] = selection;
  const node = document.nodes.find((each) => each.key === only);
  const edge = document.edges.find((each) => each.key === only);
  if (selection.length !== 1 || (!node && !edge)) return h(Unchosen, { document, selection, onClose });
  const title = node ? nameOf(speak, node) : speak.t("flow_designer.edge.title");
  const erase = () => {
    act("flow_designer.did.remove", removeParts(document, node ? { nodes: [only] } : { edges: [only] }), { n: 1 });
    onClose();
  };
  const tool = (key, Icon, run, tone) => h("button", { type: "button", className: "tc-btn", "data-tone": tone ?? "quiet", "data-shape": "icon", title: speak.t(`flow_designer.inspector.${key}`), "aria-label": speak.t(`flow_designer.inspector.${key}`), onClick: run }, h(Icon, { "aria-hidden": true }));
  const common = { document, words, problems, act, onPick, onPermissions, onPreview };
  return h("aside", { className: "fl-panel fl-inspector", "aria-label": speak.t("flow_designer.inspector", { what: title }), onKeyDown: (event) => event.key === "Escape" && onClose() },
    h("header", { className: "fl-panel-head" },
      h("span", { className: "fl-panel-icon", "data-tone": node ? KINDS[node.kind]?.tone : "plain" }, node ? h(KINDS[node.kind]?.icon, { "aria-hidden": true }) : "→"),
      h("div", { className: "fl-panel-title" }, h("h2", null, title), h("span", null, node ? kindText(speak, node) : edgeText(speak, document, edge))),
      tool("centre", LocateFixed, () => onCentre(only)), node && !readOnly && tool("duplicate", Copy, () => onDuplicate([only])), !readOnly && tool("remove", Trash2, erase), tool("close", X, onClose)),
    h("fieldset", { className: "fl-panel-body", disabled: readOnly },
      node ? h(NodeInspector, { key: node.key, node, ...common }) : h(EdgeInspector, { key: edge.key, edge, ...common })));
}

// Nothing to tell about: what can be chosen, and what the drawing is made of.
function Unchosen({ document, selection, onClose }) {
  const speak = useLanguage();
  const tips = [["Enter", "keys.flow.open"], ["n", "keys.flow.add"], ["c", "keys.flow.connect"], ["F2", "keys.flow.rename"], ["Del", "keys.flow.remove"]];
  return h("aside", { className: "fl-panel fl-inspector", "data-empty": true, "aria-label": speak.t("flow_designer.inspector.empty") },
    h("header", { className: "fl-panel-head" },
      h("div", { className: "fl-panel-title" }, h("h2", null, speak.label(document.name) || speak.t("flow_designer.unnamed")), h("span", null, speak.t("flow_designer.outline.count", { nodes: document.nodes.length, edges: document.edges.length }))),
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", title: speak.t("flow_designer.inspector.close"), "aria-label": speak.t("flow_designer.inspector.close"), onClick: onClose }, h(X, { "aria-hidden": true }))),
    h("div", { className: "fl-panel-body" },
      h("p", { className: "fl-unchosen" }, selection.length > 1 ? speak.t("flow_designer.chosen", { n: selection.length }) : speak.t("flow_designer.inspector.empty")),
      h("dl", { className: "fl-tips" }, tips.map(([key, text]) => h("div", { key }, h("dt", null, h("kbd", { className: "tc-kbd" }, key)), h("dd", null, speak.t(text)))))));
}

const LEVELS = ["none", "read", "write"];

// Role by field and role by action of one step; a role without a line of its own does what it may do everywhere.
export function PermissionGrid({ node, document, words, act }) {
  const speak = useLanguage();
  const grants = node.permissions ?? {};
  const acts = words.acts ?? [];
  const [search, setSearch] = useState("");
  const used = useMemo(() => new Set(document.nodes.flatMap((each) => [...(each.fields ?? []).map((use) => use.key), ...Object.values(each.permissions ?? {}).flatMap((grant) => Object.keys(grant.fields ?? {}))])), [document]);
  const needle = search.trim().toLowerCase();
  const fields = (words.fields ?? []).filter((field) => (needle ? `${speak.label(field.label)} ${field.value}`.toLowerCase().includes(needle) : used.has(field.value) || words.own?.includes(field.value)));
  const change = (role, grant) => act("flow_designer.did.permissions", setAt(document, ["nodes", node.key, "permissions"], grant ? { ...grants, [role]: grant } : Object.fromEntries(Object.entries(grants).filter(([each]) => each !== role))), { what: nameOf(speak, node) });
  const grantOf = (role) => grants[role] ?? { fields: {}, acts: [...acts] };
  const setLevel = (role, field, level) => {
    const grant = grantOf(role);
    const kept = Object.fromEntries(Object.entries(grant.fields ?? {}).filter(([key]) => key !== field));
    change(role, { ...grant, fields: level ? { ...kept, [field]: level } : kept });
  };
  const flip = (role, deed, on) => {
    const grant = grantOf(role);
    change(role, { ...grant, acts: acts.filter((each) => (each === deed ? on : (grant.acts ?? []).includes(each))) });
  };
  const required = new Set((node.fields ?? []).filter((use) => use.required).map((use) => use.key));
  return h("div", { className: "fl-grid-box" },
    h("table", { className: "fl-grid" },
      h("caption", { className: "tc-sr" }, speak.t("flow_designer.permissions.open")),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, h("input", { type: "search", className: "tc-input", value: search, placeholder: speak.t("flow_designer.permissions.search"), "aria-label": speak.t("flow_designer.permissions.search"), onChange: (event) => setSearch(event.target.value), onKeyDown: (event) => event.stopPropagation() })),
        ROLES.map((role) => h("th", { key: role, scope: "col" }, speak.t(`role.${role}`), role in grants && h("button", { type: "button", className: "fl-reset", onClick: () => change(role, null) }, speak.t("flow_designer.permissions.reset")))))),
      h("tbody", null,
        h("tr", { className: "fl-grid-part" }, h("th", { colSpan: ROLES.length + 1, scope: "colgroup" }, speak.t("flow_designer.permissions.acts"))),
        acts.map((deed) => h("tr", { key: deed }, h("th", { scope: "row" }, speak.t(`flow_designer.act.${deed}`)), ROLES.map((role) => h("td", { key: role },
          h("input", { type: "checkbox", checked: role in grants ? (grants[role].acts ?? []).includes(deed) : true, "data-usual": role in grants ? undefined : true, "aria-label": `${speak.t(`role.${role}`)}: ${speak.t(`flow_designer.act.${deed}`)}`, onChange: (event) => flip(role, deed, event.target.checked) }))))),
        h("tr", { className: "fl-grid-part" }, h("th", { colSpan: ROLES.length + 1, scope: "colgroup" }, speak.t("flow_designer.permissions.fields"))),
        fields.map((field) => h("tr", { key: field.value }, h("th", { scope: "row", title: field.value }, speak.label(field.label), required.has(field.value) && h("span", { className: "tc-need", title: speak.t("flow_designer.form.required") }, "*")), ROLES.map((role) => {
          const level = grants[role]?.fields?.[field.value] ?? "";
          return h("td", { key: role }, h("select", { className: "fl-level", "data-level": level || "usual", value: level, "aria-label": `${speak.t(`role.${role}`)}: ${speak.label(field.label)}`, onKeyDown: (event) => event.stopPropagation(), onChange: (event) => setLevel(role, field.value, event.target.value) },
            h("option", { value: "" }, speak.t("flow_designer.level.usual")), LEVELS.map((each) => h("option", { key: each, value: each }, speak.t(`flow_designer.level.${each}`)))));
        }))))));
}
