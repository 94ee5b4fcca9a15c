// What is different between two states of a form, as lines a person can read.
import { createElement as h } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Icon } from "./parts.jsx";

const ICONS = { added: "plus", removed: "trash_2", changed: "square_pen", moved: "move" };

// Any value of a document in a few words: labels in the reader's language, lists by their members.
export function said(speak, value) {
  if (value === null || value === undefined || value === "") return "—";
  if (value === true || value === false) return speak.t(value ? "common.yes" : "common.no");
  if (Array.isArray(value)) return value.length === 0 ? "—" : value.map((each) => said(speak, each)).join(", ");
  if (typeof value === "object") {
    if ("zh" in value || "en" in value) return speak.label(value);
    if (value.label) return speak.label(value.label) || value.value || value.key;
    if (value.title) return speak.label(value.title) || value.key;
    if (value.text) return said(speak, value.text);
    return JSON.stringify(value);
  }
  return String(value);
}

// changes: [{kind: added|removed|changed|moved, part, key, path, before, after, sentence, params}].
export function Changes({ changes = [] }) {
  const speak = useLanguage();
  if (changes.length === 0) return h("p", { className: "tc-muted" }, speak.t("form_designer.changes.none"));
  return h("ul", { className: "fm-changes" }, changes.map((change) => h("li", { key: `${change.kind}:${change.path.join("/")}`, "data-tone": change.kind },
    h("span", { className: "fm-change-icon", title: speak.t(`form_designer.changes.${change.kind}`) }, h(Icon, { name: ICONS[change.kind] }), h("span", { className: "tc-sr" }, speak.t(`form_designer.changes.${change.kind}`))),
    h("div", null, h("span", null, speak.t(change.sentence, change.params)),
      change.kind === "changed" && h("span", { className: "fm-change-line" }, h("del", null, said(speak, change.before)), h(Icon, { name: "arrow_right" }), h("ins", null, said(speak, change.after)))))));
}
