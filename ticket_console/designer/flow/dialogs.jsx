// The dialogs of the flow designer: publishing with its changes, seeing a step as a role, and settling a merge.
import { createElement as h, useEffect, useState } from "react";
import { CircleAlert, CircleCheckBig, TriangleAlert } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { TemplateForm } from "$/public/external/ticket_console/components/form/form.jsx";
import { ROLES } from "$/public/external/ticket_console/designer/flow/canvas/kinds.js";
import { guardText } from "$/public/external/ticket_console/designer/flow/canvas/sentences.js";
import { nameOf, pathText, whoText } from "$/public/external/ticket_console/designer/flow/canvas/words.js";
import { ProblemLine } from "./panels.jsx";

// A test that fails may be meant to: then it says why, and counts as it goes now.
function FailedTests({ failed, reasons, onReason, onTests }) {
  const speak = useLanguage();
  return h("section", { className: "fl-failed" },
    h("div", { className: "tc-note", "data-tone": "danger" }, h(CircleAlert, { "aria-hidden": true }), h("div", null, speak.t("flow_designer.publish.tests", { n: failed.length }), " ", h("button", { type: "button", className: "tc-link", onClick: onTests }, speak.t("flow_designer.publish.see_tests")))),
    h("ul", null, failed.map((each) => h("li", { key: each.name, "data-failed-test": each.name },
      h("strong", null, each.name), h("small", null, each.ticket_no),
      h("input", { className: "tc-input", value: reasons[each.name] ?? "", maxLength: 300, placeholder: speak.t("flow_designer.publish.accept"), "aria-label": speak.t("flow_designer.publish.accept.of", { name: each.name }), onChange: (event) => onReason(each.name, event.target.value) })))));
}

export function PublishDialog({ open, news, isSaved, problems, document, words, onPublish, onShow, onGo, onTests, onTakeIn, onClose }) {
  const speak = useLanguage();
  const [note, setNote] = useState("");
  const [reasons, setReasons] = useState({});
  useEffect(() => {
    if (open) [setNote(""), setReasons({})];
  }, [open]);
  const changes = news?.changes ?? [];
  const failed = (news?.tests ?? []).filter((each) => !each.passed);
  const known = new Set(problems.map((each) => `${each.path} ${each.code}`));
  const errors = [...problems, ...(news?.problems ?? []).filter((each) => !known.has(`${each.path} ${each.code}`))];
  const isAccepted = failed.every((each) => reasons[each.name]?.trim());
  const isBlocked = errors.length > 0 || !news || news.is_behind || changes.length === 0 || !isAccepted;
  return h(Dialog, { open, wide: true, title: speak.t("flow_designer.publish.title"), onClose },
    h("div", { className: "fl-publish", "data-test": "publishing" },
      !news && h("p", { className: "tc-help", role: "status" }, speak.t("load.busy")),
      errors.length > 0 && h("section", null,
        h("div", { className: "tc-note", "data-tone": "danger" }, h(CircleAlert, { "aria-hidden": true }), h("div", null, speak.t("flow_designer.publish.blocked", { n: errors.length }))),
        h("ul", { className: "fl-problems fl-blocking" }, errors.map((problem, at) => h(ProblemLine, { key: at, document, problem, words, onGo })))),
      errors.length === 0 && failed.length === 0 && news && h("div", { className: "tc-note", "data-tone": "ok" }, h(CircleCheckBig, { "aria-hidden": true }), h("div", null, speak.t("flow_designer.publish.sound"))),
      news?.is_behind && h("div", { className: "tc-note", "data-tone": "warn" }, h(TriangleAlert, { "aria-hidden": true }), h("div", null, speak.t("flow_designer.publish.behind", { number: news.number }), " ", h("button", { type: "button", className: "tc-link", onClick: onTakeIn }, speak.t("flow_designer.publish.take_in")))),
      failed.length > 0 && h(FailedTests, { failed, reasons, onTests, onReason: (name, why) => setReasons({ ...reasons, [name]: why }) }),
      news && h("section", null,
        h("h3", null, news.number ? speak.t("flow_designer.publish.changes", { n: changes.length, number: news.number }) : speak.t("flow_designer.publish.first")),
        changes.length > 0 && h("ul", { className: "fl-changes" }, changes.map((change, at) => h("li", { key: at, "data-tone": change.tone }, h("i", { "aria-hidden": true }), speak.t(change.code, change.params)))),
        changes.length > 0 && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: onShow }, speak.t("flow_designer.publish.show"))),
      news?.authors?.length > 0 && h("p", { className: "tc-help" }, speak.t("flow_designer.publish.authors", { who: news.authors.join(", ") })),
      news && h("p", { className: "tc-help" }, speak.t("flow_designer.publish.effect", { n: news.running })),
      h("label", { className: "tc-field" }, h("span", { className: "tc-label" }, speak.t("flow_designer.publish.note")),
        h("textarea", { className: "tc-area", value: note, maxLength: 500, "data-focus": true, placeholder: speak.t("flow_designer.publish.note.help"), onChange: (event) => setNote(event.target.value) }))),
    h("div", { className: "tc-dialog-foot" },
      !isSaved && h("span", { className: "tc-help" }, speak.t("flow_designer.publish.unsaved")),
      h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "primary", "data-test": "publish-now", disabled: isBlocked || !isSaved, onClick: () => onPublish(note.trim(), Object.fromEntries(failed.map((each) => [each.name, reasons[each.name].trim()]))) }, speak.t("flow_designer.publish"))));
}

export function PreviewDialog({ node, news, onAsk, onClose }) {
  const speak = useLanguage();
  const [role, setRole] = useState("technician");
  const [template, setTemplate] = useState("");
  const key = node?.key;
  useEffect(() => {
    if (key) onAsk(key, role, template);
  }, [key, role, template]);
  const shown = news?.node === key && news?.role === role ? news : null;
  return h(Dialog, { open: Boolean(node), wide: true, title: node ? speak.t("flow_designer.preview.title", { what: nameOf(speak, node) }) : "", onClose },
    node && h("div", { className: "fl-preview" },
      h("div", { className: "fl-preview-bar" },
        h("label", null, speak.t("flow_designer.preview.role"), h("select", { className: "tc-select", value: role, "data-focus": true, onChange: (event) => setRole(event.target.value) }, [...ROLES, "customer"].map((each) => h("option", { key: each, value: each }, each === "customer" ? speak.t("flow_designer.to.customer") : speak.t(`role.${each}`))))),
        shown?.templates?.length > 1 && h("label", null, speak.t("flow_designer.preview.template"), h("select", { className: "tc-select", value: template || shown.template, onChange: (event) => setTemplate(event.target.value) }, shown.templates.map((each) => h("option", { key: each.value, value: each.value }, speak.label(each.label)))))),
      !shown && h("p", { className: "tc-help", role: "status" }, speak.t("load.busy")),
      shown && h("div", { className: "fl-preview-sides" },
        h("section", null, h("h3", null, speak.t("flow_designer.preview.step")),
          shown.acts.length === 0 && h("div", { className: "tc-note" }, h(TriangleAlert, { "aria-hidden": true }), h("div", null, speak.t("flow_designer.preview.no_act"))),
          shown.fields.length > 0 ? h(TemplateForm, { key: `${key} ${role}`, fields: shown.fields, actions: [], onSubmit: () => {} }) : h("p", { className: "tc-help" }, speak.t("flow_designer.preview.no_fields")),
          shown.acts.length > 0 && h("div", { className: "fl-preview-acts" }, shown.acts.map((act) => h("span", { key: act, className: "tc-badge", "data-tone": act === "complete" ? "ok" : "plain" }, speak.t(`flow_designer.act.${act}`))))),
        h("section", null, h("h3", null, speak.t("flow_designer.preview.sees")),
          h("ul", { className: "fl-sees" }, shown.sees.map((field) => h("li", { key: field.key, "data-level": field.level }, h("span", null, speak.label(field.label)), h("small", null, speak.t(`flow_designer.level.${field.level}`))))),
          shown.hidden > 0 && h("p", { className: "tc-help" }, speak.t("flow_designer.preview.hidden", { n: shown.hidden }))))));
}

// A value of the document as one line; what has no words of its own is shown as it is kept.
function sideText(speak, words, path, value) {
  if (value === null || value === undefined) return speak.t("flow_designer.merge.nothing");
  if (typeof value === "boolean") return speak.t(`flow_designer.answer.${value ? "yes" : "no"}`);
  if (typeof value !== "object") return String(value);
  const setting = path.at(-1);
  if (setting === "handler") return whoText(speak, value, words);
  if (value.rules) return guardText(speak, value, words);
  if ("x" in value && "y" in value && !value.text) return `${value.x}, ${value.y}`;
  return speak.label(value.name ?? (value.zh || value.en ? value : null)) || JSON.stringify(value);
}

export function MergeDialog({ news, document, words, onMerge, onClose }) {
  const speak = useLanguage();
  const [choices, setChoices] = useState({});
  useEffect(() => setChoices({}), [news]);
  const conflicts = news?.conflicts ?? [];
  const id = (each) => each.path.join(" / ");
  const isSettled = conflicts.every((each) => choices[id(each)]);
  const left = conflicts.filter((each) => !choices[id(each)]).length;
  return h(Dialog, { open: Boolean(news), wide: true, title: speak.t("flow_designer.merge.title"), onClose },
    news && h("div", { className: "fl-merge", "data-test": "merging" },
      h("p", null, speak.t(news.who ? "flow_designer.merge.text" : "flow_designer.merge.newest", { who: news.who })),
      conflicts.length === 0 && h("div", { className: "tc-note", "data-tone": "ok" }, h(CircleCheckBig, { "aria-hidden": true }), h("div", null, speak.t("flow_designer.merge.clean"))),
      h("ul", { className: "fl-conflicts" }, conflicts.map((each) => h("li", { key: id(each), "data-conflict": id(each) },
        h("fieldset", null, h("legend", null, each.is_order ? `${pathText(speak, document, each.path)} · ${speak.t("diff.setting.order")}` : pathText(speak, document, each.path)),
          h("div", { className: "fl-sides" }, ["ours", "theirs"].map((side) => h("label", { key: side, "data-side": side, "data-chosen": choices[id(each)] === side || undefined },
            h("input", { type: "radio", name: id(each), checked: choices[id(each)] === side, onChange: () => setChoices({ ...choices, [id(each)]: side }) }),
            h("span", null, h("small", null, speak.t(`flow_designer.merge.${side}`)), h("b", null, sideText(speak, words, each.path, each[side]))))))))))),
    h("div", { className: "tc-dialog-foot" },
      left > 0 && h("span", { className: "tc-help" }, speak.t("flow_designer.merge.left", { n: left })),
      h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "primary", "data-test": "merge-now", disabled: !isSettled, onClick: () => onMerge(news.with, conflicts.map((each) => ({ path: each.path, side: choices[id(each)] }))) }, speak.t("flow_designer.merge.do"))));
}
