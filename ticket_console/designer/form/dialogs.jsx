// What is asked before a draft goes public, comes together with another, goes back, or loses a field.
import { createElement as h, useEffect, useState } from "react";
import { Link } from "react-router";
import { Ago, Moment, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { Changes, said } from "./changes.jsx";
import { Bilingual, Icon, Row, Select, TextBox } from "./parts.jsx";
import { addField, fieldPath, fieldsOf, freeKey, homeOf, isKey, setting, takenKeys } from "./fields.js";
import { freshId } from "./use_draft.js";

const foot = (...buttons) => h("div", { className: "tc-dialog-foot" }, ...buttons);
const button = (label, onClick, rest = {}) => h("button", { key: label, type: "button", className: "tc-btn", onClick, ...rest }, label);

function Published({ told, onClose }) {
  const speak = useLanguage();
  return h("div", { className: "fm-published", role: "status" },
    h(Icon, { name: "party_popper", className: "fm-published-mark" }),
    h("strong", null, speak.t("form_designer.published", { name: told.name, n: told.number })),
    h("p", null, speak.t(told.is_ready ? "form_designer.published.ready" : "form_designer.published.no_flow")),
    told.address && h("p", { className: "fm-address" }, h("span", null, speak.t("form_designer.published.address")), h("code", null, told.address)),
    foot(
      button(speak.t("form_designer.published.stay"), onClose),
      told.is_ready && h(Link, { key: "use", className: "tc-btn", "data-tone": "primary", "data-test": "use", to: `/tickets/new?template=${told.code}` }, h(Icon, { name: "plus" }), speak.t("form_designer.published.use"))));
}

export function PublishDialog({ open, draft, problems, answers, onReview, onPublish, onShow, onClose }) {
  const speak = useLanguage();
  const [note, setNote] = useState("");
  const [command, setCommand] = useState("");
  const [sent, setSent] = useState(false);
  useEffect(() => {
    if (!open) return;
    setCommand(freshId());
    setSent(false);
    setNote("");
  }, [open]);
  useEffect(() => {
    if (open && draft.isSaved && !sent) onReview?.({ draft_id: draft.draft.id });
  }, [open, draft.isSaved, draft.seq, sent]);
  useEffect(() => {
    if (answers.published?.command_id === command && answers.published.refused) setSent(false);
  }, [answers.published]);

  const { review: found, published } = answers;
  const review = found?.draft_id === draft.draft?.id && found?.seq === draft.seq ? found : null;
  const told = published && published.command_id === command && !published.refused ? published : null;
  const blocked = problems.length > 0;
  return h(Dialog, { open, wide: true, title: told ? speak.t("form_designer.publish.done") : speak.t("form_designer.publish"), onClose },
    told ? h(Published, { told, onClose }) : h("div", { className: "tc-stack", style: { "--gap": "14px" } },
      blocked && h("section", { className: "fm-problems", "aria-label": speak.t("form_designer.problems", { n: problems.length }) },
        h("strong", null, h(Icon, { name: "circle_alert" }), speak.t("form_designer.problems", { n: problems.length })),
        h("ul", null, problems.map((problem, at) => h("li", { key: at }, h("button", { type: "button", className: "tc-link", onClick: () => onShow(problem) },
          h("code", null, problem.path.replace(/^(fields|sections)\./, "")), speak.t(problem.code, problem.params)))))),
      !review ? h("div", { className: "tc-stack" }, h("span", { className: "tc-sr", role: "status" }, speak.t("load.busy")), [0, 1, 2].map((each) => h("div", { key: each, className: "tc-bone", style: { "--height": "20px" } }))) : h("section", null,
        h("h3", { className: "fm-dialog-h" }, review.base_number ? speak.t("form_designer.publish.since", { n: review.base_number }) : speak.t("form_designer.publish.first")),
        review.base_number ? h(Changes, { changes: review.changes }) : h("p", { className: "tc-muted" }, speak.t("form_designer.publish.fields", { n: fieldsOf(draft.document).length })),
        review.newest_number > review.base_number && h("div", { className: "tc-note", "data-tone": "warn" }, h(Icon, { name: "git_merge" }), speak.t("form_designer.outdated", { n: review.newest_number })),
        h("p", { className: "fm-authors" }, h(Icon, { name: "users" }), speak.t("form_designer.publish.authors", { names: review.authors.join(", ") }))),
      h("p", { className: "tc-help" }, speak.t("form_designer.publish.safe")),
      h(Row, { label: speak.t("form_designer.publish.note") }, h("input", { className: "tc-input", value: note, maxLength: 500, onChange: (event) => setNote(event.target.value) })),
      foot(
        button(speak.t("common.cancel"), onClose),
        h("button", {
          key: "go", type: "button", className: "tc-btn", "data-tone": "primary", "data-focus": true, "data-test": "publish-now", disabled: blocked || !review || sent,
          onClick: () => {
            setSent(true);
            onPublish?.({ draft_id: draft.draft.id, if_match: draft.seq, command_id: command, note });
          },
        }, sent ? h("span", { className: "tc-spin" }) : h(Icon, { name: "rocket" }), speak.t("form_designer.publish.now")))));
}

const placeName = (speak, document, path) => {
  const names = [];
  const at = path.indexOf("fields");
  if (at >= 0 && path[at + 1]) names.push(speak.label(fieldsOf(document).find((field) => field.key === path[at + 1])?.label) || path[at + 1]);
  else if (path[1] === "sections" && path[2]) names.push(speak.label(document.definition.sections.find((section) => section.key === path[2])?.title) || path[2]);
  const rest = path.slice(at >= 0 ? at + 2 : path[1] === "sections" ? 3 : 1);
  return [...names, ...rest.map((name) => (speak.known(`form_designer.setting.${name}`) ? speak.t(`form_designer.setting.${name}`) : name))].join(" · ");
};

export function MergeDialog({ ask, draft, told: heard, onMerge, onClose }) {
  const speak = useLanguage();
  const [choices, setChoices] = useState({});
  const open = ask !== null;
  useEffect(() => {
    setChoices({});
    if (open) onMerge?.({ draft_id: draft.draft.id, if_match: draft.seq, other: ask.other, choices: [] });
  }, [open, ask?.other]);
  const told = open && heard?.draft_id === draft.draft?.id && heard?.other === ask.other ? heard : null;
  useEffect(() => {
    if (told?.done) onClose();
  }, [told]);
  const conflicts = told?.conflicts ?? [];
  const idOf = (conflict) => conflict.path.join("/");
  const every = conflicts.every((conflict) => choices[idOf(conflict)]);
  const whose = ask?.other === null ? speak.t("form_designer.merge.published") : ask?.name;
  const all = (side) => setChoices(Object.fromEntries(conflicts.map((conflict) => [idOf(conflict), side])));
  const value = (conflict, side) => (conflict.is_order ? (conflict.sides[side] ?? []).map((key) => placeName(speak, draft.document, [...conflict.path, key])).join(", ") : said(speak, conflict.sides[side]));
  const take = () => onMerge?.({ draft_id: draft.draft.id, if_match: draft.seq, other: ask.other, choices: conflicts.map((conflict) => ({ path: conflict.path, side: choices[idOf(conflict)] })) });
  return h(Dialog, { open, wide: true, title: speak.t("form_designer.merge"), text: told && conflicts.length > 0 ? speak.t("form_designer.merge.text", { n: conflicts.length, name: whose ?? "" }) : undefined, onClose },
    !told || told.done ? h("div", { className: "tc-stack" }, h("span", { className: "tc-sr", role: "status" }, speak.t("load.busy")), h("div", { className: "tc-bone", style: { "--height": "60px" } }))
      : h("div", { className: "tc-stack" },
        h("div", { className: "tc-row" }, button(speak.t("form_designer.merge.all_mine"), () => all("ours"), { "data-size": "small" }), button(speak.t("form_designer.merge.all_theirs"), () => all("theirs"), { "data-size": "small" })),
        h("ul", { className: "fm-conflicts" }, conflicts.map((conflict) => {
          const id = idOf(conflict);
          const side = (name, title) => h("label", { className: "fm-side", "data-side": name },
            h("input", { type: "radio", name: `merge-${id}`, checked: choices[id] === name, onChange: () => setChoices({ ...choices, [id]: name }) }),
            h("span", null, h("b", null, title), h("span", null, value(conflict, name))));
          return h("li", { key: id }, h("strong", null, placeName(speak, draft.document, conflict.path), conflict.is_order && ` · ${speak.t("form_designer.merge.order")}`),
            h("span", { className: "tc-help" }, speak.t("form_designer.merge.base", { value: value(conflict, "base") })),
            h("div", { className: "fm-sides" }, side("ours", speak.t("form_designer.merge.mine")), side("theirs", whose)));
        })),
        foot(button(speak.t("common.cancel"), onClose), button(speak.t("form_designer.merge.take"), take, { "data-tone": "primary", disabled: !every }))));
}

export function HistoryDialog({ open, draft, told: heard, onHistory, onRecover, onClose }) {
  const speak = useLanguage();
  useEffect(() => {
    if (open && draft.isSaved) onHistory?.({ draft_id: draft.draft.id });
  }, [open, draft.isSaved, draft.seq]);
  const told = heard?.draft_id === draft.draft?.id ? heard : null;
  return h(Dialog, { open, wide: true, title: speak.t("form_designer.history"), text: speak.t("form_designer.history.text"), onClose },
    !told ? h("div", { className: "tc-bone", style: { "--height": "60px" } }) : h("ol", { className: "fm-history" },
      told.entries.map((entry) => h("li", { key: entry.seq, "data-now": entry.seq === draft.seq || undefined },
        h("span", { className: "fm-history-no" }, entry.seq),
        h("span", null, speak.known(entry.label) ? speak.t(entry.label, entry.params) : speak.t("form_designer.did.other"), h("small", null, entry.author, " · ", h(Ago, { at: entry.at }))),
        entry.seq === draft.seq ? h("span", { className: "tc-badge", "data-tone": "ok" }, speak.t("form_designer.history.now"))
          : button(speak.t("form_designer.history.recover"), () => {
            onRecover?.({ draft_id: draft.draft.id, if_match: draft.seq, seq: entry.seq });
            onClose();
          }, { "data-size": "small" }))),
      h("li", { "data-now": draft.seq === 0 || undefined }, h("span", { className: "fm-history-no" }, "0"), h("span", null, speak.t("form_designer.history.start"), draft.draft.created_at && h("small", null, h(Moment, { at: draft.draft.created_at }))),
        draft.seq > 0 && button(speak.t("form_designer.history.recover"), () => {
          onRecover?.({ draft_id: draft.draft.id, if_match: draft.seq, seq: 0 });
          onClose();
        }, { "data-size": "small" }))),
    foot(button(speak.t("common.close"), onClose, { "data-focus": true })));
}

// Another kind is another field: the old one is hidden and keeps its values, the new one says how it reads them.
export function ConvertDialog({ field, document, kinds, known, draft, onClose, onDone }) {
  const speak = useLanguage();
  const [kind, setKind] = useState("");
  const [key, setKey] = useState("");
  const from = field && kinds.get(field.kind);
  const targets = (from?.converts ?? []).map((each) => kinds.get(each)).filter(Boolean);
  useEffect(() => {
    if (!field) return;
    setKind(targets[0]?.key ?? "");
    setKey(freeKey(`${field.key}_${targets[0]?.key ?? "new"}`.slice(0, 60), takenKeys(document, targets[0]?.key, known)));
  }, [field?.key]);
  const target = kinds.get(kind);
  const isTaken = takenKeys(document, kind, known).includes(key);
  const convert = () => {
    const kept = Object.fromEntries(Object.entries(field).filter(([name]) => ["label", "help", "required", "at_opening", "sensitivity", "width", "visible_when", "required_when"].includes(name) || target.settings.includes(name)));
    const { default: _, ...settings } = kept;
    const fresh = { ...structuredClone(target.starts_with ?? {}), ...settings, key, kind, converts: field.key };
    const home = homeOf(document, field.key);
    const index = home.fields.findIndex((each) => each.key === field.key);
    draft.make("form_designer.did.converted", [
      ...addField(document, fresh, home.key, index + 1), ...setting(fieldPath(document, field.key), field, "state", "hidden"),
      ...setting(fieldPath(document, field.key), field, "required", field.required ? false : field.required),
    ]);
    onDone(key);
    onClose();
  };
  return h(Dialog, { open: Boolean(field), title: speak.t("form_designer.convert"), text: speak.t("form_designer.convert.text"), onClose },
    field && h("div", { className: "tc-stack" },
      h("div", { className: "fm-convert" }, h("span", { className: "tc-badge" }, h(Icon, { name: from?.icon }), speak.label(from?.label)), h(Icon, { name: "arrow_right" }), target && h("span", { className: "tc-badge", "data-tone": "accent" }, h(Icon, { name: target.icon }), speak.label(target.label))),
      h(Row, { label: speak.t("form_designer.convert.to") }, h(Select, { value: kind, options: targets.map((each) => ({ value: each.key, label: each.label })), onChange: setKind })),
      h(Row, { label: speak.t("form_designer.key"), problem: isTaken ? speak.t("form_designer.key.taken", { key }) : key && !isKey(key) ? speak.t("form_designer.key.bad") : "" }, h(TextBox, { value: key, mono: true, maxLength: 64, onChange: setKey })),
      h("p", { className: "tc-help" }, speak.t("form_designer.convert.how", { from: field.key })),
      foot(button(speak.t("common.cancel"), onClose), button(speak.t("form_designer.convert.do"), convert, { "data-tone": "primary", disabled: !target || isTaken || !isKey(key) }))));
}

export function RetireDialog({ open, kind, name, onConfirm, onClose }) {
  const speak = useLanguage();
  const texts = {
    retire: [speak.t("form_designer.retire.title", { name }), speak.t("form_designer.retire.text"), speak.t("form_designer.retire")],
    discard: [speak.t("form_designer.discard.title", { name }), speak.t("form_designer.discard.text"), speak.t("form_designer.discard")],
  }[kind];
  return h(Dialog, { open, title: texts[0], text: texts[1], onClose },
    foot(button(speak.t("common.cancel"), onClose), button(texts[2], onConfirm, { "data-tone": "danger", "data-focus": true, "data-test": "confirm" })));
}

// A form that works becomes a standard of its own that other regions and new forms start from.
export function StandardDialog({ open, draft, place, onStandard, onClose }) {
  const speak = useLanguage();
  const face = draft.document?.face ?? {};
  const [name, setName] = useState({});
  const [code, setCode] = useState("");
  useEffect(() => {
    if (!open) return;
    setName(face.name ?? {});
    setCode(`${draft.draft.code}_standard`.slice(0, 64));
  }, [open]);
  const save = () => {
    onStandard?.({ code: draft.draft.code, ...place, standard_code: code, name });
    onClose();
  };
  return h(Dialog, { open, title: speak.t("form_designer.standard"), text: speak.t("form_designer.reuse.text"), onClose },
    h("div", { className: "tc-stack" },
      h(Bilingual, { label: speak.t("form_designer.face.name"), value: name, limit: 120, onChange: (locale, text) => setName({ ...name, [locale]: text }) }),
      h(Row, { label: speak.t("form_designer.code"), problem: code && !isKey(code) ? speak.t("form_designer.key.bad") : "" }, h(TextBox, { value: code, mono: true, maxLength: 64, onChange: setCode })),
      foot(button(speak.t("common.cancel"), onClose), button(speak.t("form_designer.standard"), save, { "data-tone": "primary", disabled: !isKey(code) || !Object.values(name).some((text) => text?.trim()) }))));
}
