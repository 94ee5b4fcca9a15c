// What is selected, with everything that can be said about it: a field, a section, or the form itself.
import { createElement as h, useState } from "react";
import { useLanguage, worded } from "$/public/external/ticket_console/components/text/language.jsx";
import { Bilingual, Group, Icon, IconButton, Row, Segmented, Select, Switch, TextBox } from "./parts.jsx";
import { BehavioursEditor, ConditionEditor } from "./conditions.jsx";
import { AcceptsEditor, ColumnsEditor, FormulaEditor, ItemsEditor, LookupEditor, OptionsEditor, PatternEditor } from "./settings.jsx";
import { fieldPath, fieldsOf, freeKey, isKey, isKindName, problemsOf, renameField, sectionPath, setting, slug, takenKeys } from "./fields.js";

const FACE = ["face"];

function KeyRow({ field, document, known, problem: told, make, isFixed, onRenamed }) {
  const speak = useLanguage();
  const [problem, setProblem] = useState("");
  const done = (text) => {
    const key = text.trim();
    setProblem("");
    if (key === field.key) return;
    if (!isKey(key)) setProblem(speak.t("form_designer.key.bad"));
    else if (takenKeys(document, field.kind, known).includes(key)) setProblem(speak.t("form_designer.key.taken", { key }));
    else {
      make("form_designer.did.key", renameField(document, field.key, key));
      onRenamed(key);
    }
  };
  return h(Row, { label: speak.t("form_designer.key"), problem: problem || told, help: isFixed ? speak.t("form_designer.key.fixed") : speak.t("form_designer.key.help") },
    h(TextBox, { key: field.key, value: field.key, mono: true, maxLength: 64, readOnly: isFixed, spellCheck: false, onDone: done, onKeyDown: (event) => event.key === "Enter" && event.currentTarget.blur() }));
}

function DefaultRow({ field, onChange, problem }) {
  const speak = useLanguage();
  const label = speak.t("form_designer.default");
  if (field.kind === "yes_no") {
    return h(Row, { label, problem, grouped: true }, h(Segmented, {
      label, value: field.default === undefined || field.default === null ? "" : String(field.default), onChange: (value) => onChange(value === "" ? null : value === "true"),
      options: [{ value: "", label: speak.t("form_designer.default.none") }, { value: "true", label: speak.t("common.yes") }, { value: "false", label: speak.t("common.no") }],
    }));
  }
  if (field.kind === "choice") {
    return h(Row, { label, problem }, h(Select, { value: field.default, empty: speak.t("form_designer.default.none"), options: (field.options ?? []).map((option) => ({ value: option.value, label: option.label })), onChange: (value) => onChange(value || null) }));
  }
  if (field.kind === "rating") {
    return h(Row, { label, problem }, h(Select, { value: field.default ? String(field.default) : "", empty: speak.t("form_designer.default.none"), options: ["1", "2", "3", "4", "5"].map((value) => ({ value, label: value })), onChange: (value) => onChange(value ? Number(value) : null) }));
  }
  const type = { date: "date", datetime: "datetime-local", number: "text", money: "text", duration: "text" }[field.kind] ?? "text";
  const shown = typeof field.default === "object" && field.default !== null ? JSON.stringify(field.default) : field.default;
  if (type === "datetime-local") {
    return h(Row, { label, problem }, h("input", { className: "tc-input", type, value: localMinute(field.default), onChange: (event) => onChange(event.target.value ? new Date(event.target.value).toISOString() : null) }));
  }
  return h(Row, { label, problem }, h(TextBox, { value: shown, type, inputMode: ["number", "money"].includes(field.kind) ? "decimal" : undefined, maxLength: 500, onChange: (text) => onChange(text, "default") }));
}

function localMinute(iso) {
  const at = iso ? new Date(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function Instant({ label, value, onChange, problem }) {
  return h(Row, { label, problem }, h("input", {
    className: "tc-input", type: "datetime-local", value: localMinute(value), onChange: (event) => onChange(event.target.value ? new Date(event.target.value).toISOString() : null),
  }));
}

const RANGE = { text: "length", long_text: "length", phone: "length", scan: "length", address: "length", multi_choice: "count", photo: "count", file: "count", parts: "count", table: "count", checklist: "count" };

export function FieldInspector({ document, field, draft, kinds, choices, problems, isPublished, onRenamed, onConvert, onRemove }) {
  const speak = useLanguage();
  const kind = kinds.get(field.kind);
  const has = (name) => kind?.settings.includes(name);
  const path = fieldPath(document, field.key);
  const own = problemsOf(problems, "fields", field.key);
  const about = (name) => own.filter((problem) => problem.path === `fields.${field.key}.${name}` || problem.path.startsWith(`fields.${field.key}.${name}`));
  const said = (name) => about(name).map((problem) => speak.t(problem.code, problem.params))[0];
  const set = (name, value, burst) => draft.make("form_designer.did.setting", setting(path, field, name, value), burst && `${field.key}:${burst}`);
  const both = (name) => (locale, text) => set(name, worded(field[name], locale, text, name === "label" && isKindName(field, kind)), `${name}:${locale}`);
  // As long as nobody chose a key and nothing was published, the key follows the English name.
  const follow = () => {
    if (isPublished || !new RegExp(`^${field.kind}(_\\d+)?$`).test(field.key)) return;
    const wanted = slug(field.label?.en);
    if (!wanted || wanted === slug(kind?.label?.en) || wanted === field.key) return;
    const key = freeKey(wanted, takenKeys(document, field.kind, choices.fields));
    draft.make("form_designer.did.key", renameField(document, field.key, key));
    onRenamed(key);
  };
  const range = RANGE[field.kind];
  const bound = (name) => h(Row, { label: speak.t(range ? `form_designer.${range}.${name}` : `form_designer.${name}`), problem: said(name) }, field.kind === "date"
    ? h("input", { className: "tc-input", type: "date", value: field[name] ?? "", onChange: (event) => set(name, event.target.value || null) })
    : field.kind === "datetime"
      ? h("input", { className: "tc-input", type: "datetime-local", value: localMinute(field[name]), onChange: (event) => set(name, event.target.value ? new Date(event.target.value).toISOString() : null) })
      : h(TextBox, { value: field[name], inputMode: "decimal", maxLength: 40, onChange: (text) => /^-?\d*[.]?\d*$/.test(text) && set(name, text, name) }));

  return h("div", { className: "fm-inspector-body" },
    h(Group, { name: "texts", icon: "type", title: speak.t("form_designer.group.texts"), warn: Boolean(said("label")) },
      h(Bilingual, { label: speak.t("form_designer.field.name"), value: field.label, onChange: both("label"), onDone: follow, problem: said("label"), focusRef: "fm-first" }),
      h(Bilingual, { label: speak.t("form_designer.help"), value: field.help, onChange: both("help"), area: field.kind === "heading", problem: said("help") }),
      h(KeyRow, { field, document, known: choices.fields, problem: said("kind"), make: draft.make, isFixed: isPublished, onRenamed })),
    field.kind !== "heading" && h(Group, { name: "entry", icon: "square_pen", title: speak.t("form_designer.group.entry"), warn: ["default", "min", "max", "pattern", "unit", "accepts"].some((name) => said(name)) },
      kind?.is_entered && h(Switch, { label: speak.t("form_designer.required"), on: field.required, onChange: (on) => set("required", on) }),
      kind?.is_entered && h(Switch, { label: speak.t("form_designer.locks"), hint: speak.t("form_designer.locks.help"), on: field.locks, onChange: (on) => set("locks", on || null) }),
      h(Row, { label: speak.t("form_designer.stage"), help: speak.t(field.at_opening === false ? "form_designer.stage.later.help" : "form_designer.stage.opening.help"), grouped: true }, h(Segmented, {
        label: speak.t("form_designer.stage"), value: field.at_opening === false ? "later" : "opening", onChange: (value) => set("at_opening", value === "opening"),
        options: [{ value: "opening", label: speak.t("form_designer.stage.opening") }, { value: "later", label: speak.t("form_designer.stage.later") }],
      })),
      has("default") && h(DefaultRow, { field, problem: said("default"), onChange: (value, burst) => set("default", value, burst) }),
      has("unit") && h(Row, { label: speak.t("form_designer.unit"), problem: said("unit") }, h(TextBox, { value: field.unit, maxLength: 20, onChange: (text) => set("unit", text, "unit") })),
      (has("min") || has("max")) && h("div", { className: "fm-pair" }, has("min") && bound("min"), has("max") && bound("max")),
      has("pattern") && h(PatternEditor, { value: field.pattern, problem: said("pattern"), onChange: (text, burst) => set("pattern", text, burst) }),
      has("accepts") && h(AcceptsEditor, { value: field.accepts, onChange: (types) => set("accepts", types) }),
      h(Row, { label: speak.t("form_designer.width"), grouped: true }, h(Segmented, {
        label: speak.t("form_designer.width"), value: field.width ?? "", onChange: (value) => set("width", value),
        options: [{ value: "", label: speak.t("form_designer.width.auto") }, { value: "half", label: speak.t("form_designer.width.half") }, { value: "full", label: speak.t("form_designer.width.full") }],
      }))),
    has("options") && h(Group, { name: "options", icon: "list", title: speak.t("form_designer.group.options"), count: (field.options ?? []).length, warn: Boolean(said("options")) },
      said("options") && h("span", { className: "tc-problem", role: "alert" }, said("options")),
      h(OptionsEditor, { options: field.options ?? [], locked: isPublished, rates: field.kind === "choice" ? choices.rates : [], onChange: (options, burst) => set("options", options, burst) })),
    has("items") && h(Group, { name: "items", icon: "list_checks", title: speak.t("form_designer.group.items"), count: (field.items ?? []).length, warn: Boolean(said("items")) },
      said("items") && h("span", { className: "tc-problem", role: "alert" }, said("items")),
      h(ItemsEditor, { items: field.items ?? [], onChange: (items, burst) => set("items", items, burst) })),
    has("columns") && h(Group, { name: "columns", icon: "table_2", title: speak.t("form_designer.group.columns"), count: (field.columns ?? []).length, warn: Boolean(said("columns")) },
      said("columns") && h("span", { className: "tc-problem", role: "alert" }, said("columns")),
      h(ColumnsEditor, { columns: field.columns ?? [], kinds: [...kinds.values()], onChange: (columns, burst) => set("columns", columns, burst) })),
    has("formula") && h(Group, { name: "formula", icon: "sigma", title: speak.t("form_designer.formula"), warn: Boolean(said("formula")) },
      h(FormulaEditor, { value: field.formula, field, fields: fieldsOf(document), problems: about("formula"), onChange: (text, burst) => set("formula", text, burst) })),
    has("lookup") && h(Group, { name: "lookup", icon: "radio_tower", title: speak.t("form_designer.lookup"), warn: about("lookup").length > 0 },
      h(LookupEditor, { value: field.lookup, fields: fieldsOf(document).filter((each) => each.key !== field.key), problems: about("lookup"), onChange: (source, burst) => set("lookup", source, burst) })),
    h(Group, { name: "conditions", icon: "split", title: speak.t("form_designer.group.conditions"), open: Boolean(field.visible_when || field.required_when), warn: about("visible_when").length + about("required_when").length > 0 },
      h(ConditionEditor, { title: speak.t("form_designer.visible_when"), none: speak.t("form_designer.visible_when.none"), fields: fieldsOf(document).filter((each) => each.key !== field.key), value: field.visible_when, problems: about("visible_when"), onChange: (tree) => set("visible_when", tree, "visible_when") }),
      field.kind !== "heading" && h(ConditionEditor, { title: speak.t("form_designer.required_when"), none: speak.t("form_designer.required_when.none"), fields: fieldsOf(document).filter((each) => each.key !== field.key), value: field.required_when, problems: about("required_when"), onChange: (tree) => set("required_when", tree, "required_when") })),
    field.kind !== "heading" && h(Group, { name: "behaviours", icon: "zap", title: speak.t("form_designer.group.behaviours"), count: (field.behaviours ?? []).length, open: false, warn: about("behaviours").length > 0 },
      h(BehavioursEditor, { field, fields: fieldsOf(document), problems: about("behaviours"), choices, value: field.behaviours ?? [], onChange: (list, burst) => set("behaviours", list, burst) })),
    h(Group, { name: "access", icon: "lock", title: speak.t("form_designer.group.access"), open: false, warn: ["state", "from", "until", "sensitivity"].some((name) => said(name)) },
      h(Row, { label: speak.t("form_designer.sensitivity"), help: speak.t(`form_designer.sensitivity.${field.sensitivity ?? "public"}.help`) }, h(Select, {
        value: field.sensitivity ?? "public", onChange: (value) => set("sensitivity", value === "public" ? null : value),
        options: ["public", "internal", "cost", "settlement"].map((value) => ({ value, label: speak.t(`form_designer.sensitivity.${value}`) })),
      })),
      h(Row, { label: speak.t("form_designer.state"), help: field.state === "hidden" ? speak.t("form_designer.state.hidden.help") : undefined, grouped: true }, h(Segmented, {
        label: speak.t("form_designer.state"), value: field.state ?? "active", onChange: (value) => set("state", value === "active" ? null : value),
        options: [{ value: "active", label: speak.t("form_designer.state.active"), icon: "eye" }, { value: "hidden", label: speak.t("form_designer.state.hidden"), icon: "eye_off" }],
      })),
      h("div", { className: "fm-pair" },
        h(Instant, { label: speak.t("form_designer.from"), value: field.from, problem: said("from"), onChange: (value) => set("from", value) }),
        h(Instant, { label: speak.t("form_designer.until"), value: field.until, problem: said("until"), onChange: (value) => set("until", value) })),
      h("span", { className: "tc-help" }, speak.t("form_designer.schedule.help"))),
    h("div", { className: "fm-inspector-foot" },
      (kind?.converts ?? []).length > 0 && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: onConvert }, h(Icon, { name: "replace" }), speak.t("form_designer.convert")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "danger", "data-size": "small", onClick: onRemove }, h(Icon, { name: isPublished ? "archive" : "trash_2" }), speak.t(isPublished ? "form_designer.retire" : "form_designer.delete"))));
}

export function SectionInspector({ document, section, draft, choices, problems, onRemove, isOnly }) {
  const speak = useLanguage();
  const path = sectionPath(section.key);
  const own = problemsOf(problems, "sections", section.key);
  const set = (name, value, burst) => draft.make("form_designer.did.section", setting(path, section, name, value), burst && `section:${section.key}:${burst}`);
  return h("div", { className: "fm-inspector-body" },
    own.map((problem) => h("span", { key: problem.path + problem.code, className: "tc-problem", role: "alert" }, speak.t(problem.code, problem.params))),
    h(Group, { name: "section", icon: "rows_3", title: speak.t("form_designer.group.section") },
      h(Bilingual, { label: speak.t("form_designer.section.title"), value: section.title, focusRef: "fm-first", onChange: (locale, text) => set("title", { ...section.title, [locale]: text }, `title:${locale}`) }),
      h(Row, { label: speak.t("form_designer.section.columns"), grouped: true }, h(Segmented, {
        label: speak.t("form_designer.section.columns"), value: section.columns ?? 2, onChange: (columns) => set("columns", columns),
        options: [1, 2, 3].map((value) => ({ value, label: String(value), icon: ["square", "columns_2", "columns_3"][value - 1] })),
      })),
      h(Row, { label: speak.t("form_designer.section.owner"), help: speak.t("form_designer.section.owner.help") },
        h(TextBox, { value: section.owner, readOnly: Boolean(draft.draft.department), list: "fm-departments", maxLength: 64, placeholder: speak.t("form_designer.section.owner.none"), onChange: (code) => set("owner", code.trim(), "owner") }),
        h("datalist", { id: "fm-departments" }, (choices.departments ?? []).map((each) => h("option", { key: each.value, value: each.value }))))),
    h(Group, { name: "section_conditions", icon: "split", title: speak.t("form_designer.group.conditions"), open: Boolean(section.visible_when) },
      h(ConditionEditor, {
        title: speak.t("form_designer.section.visible_when"), none: speak.t("form_designer.visible_when.none"), value: section.visible_when, problems: own.filter((problem) => problem.path.includes("visible_when")),
        fields: fieldsOf(document).filter((field) => !(section.fields ?? []).some((each) => each.key === field.key)), onChange: (tree) => set("visible_when", tree, "visible_when"),
      })),
    !isOnly && h("div", { className: "fm-inspector-foot" },
      h("button", { type: "button", className: "tc-btn", "data-tone": "danger", "data-size": "small", onClick: onRemove }, h(Icon, { name: "trash_2" }), speak.t("form_designer.section.delete"))));
}

function Keywords({ value = [], onChange }) {
  const speak = useLanguage();
  const [typed, setTyped] = useState("");
  const add = (text) => {
    const words = text.split(/[,，;；\n]/).map((word) => word.trim()).filter((word) => word && !value.includes(word));
    if (words.length > 0) onChange([...value, ...words]);
    setTyped("");
  };
  return h(Row, { label: speak.t("form_designer.face.keywords"), help: speak.t("form_designer.face.keywords.help"), grouped: true },
    h("div", { className: "fm-words" },
      value.map((word) => h("span", { key: word, className: "fm-chip" }, word, h("button", { type: "button", "aria-label": speak.t("form_designer.face.keywords.remove", { word }), onClick: () => onChange(value.filter((each) => each !== word)) }, h(Icon, { name: "x" })))),
      h("input", {
        value: typed, "aria-label": speak.t("form_designer.face.keywords"), placeholder: value.length ? "" : speak.t("form_designer.face.keywords.add"), maxLength: 200,
        onChange: (event) => (/[,，;；\n]$/.test(event.target.value) ? add(event.target.value) : setTyped(event.target.value)), onBlur: () => add(typed),
        onKeyDown: (event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") {
            event.preventDefault();
            add(typed);
          } else if (event.key === "Backspace" && !typed && value.length) onChange(value.slice(0, -1));
        },
      })));
}

export function FaceInspector({ document, draft, choices, address, problems }) {
  const speak = useLanguage();
  const face = document.face ?? {};
  const set = (name, value, burst) => draft.make("form_designer.did.face", setting(FACE, face, name, value), burst && `face:${burst}`);
  const said = (name) => problems.filter((problem) => problem.path === `face.${name}` || problem.path.startsWith(`face.${name}.`)).map((problem) => speak.t(problem.code, problem.params))[0];
  return h("div", { className: "fm-inspector-body" },
    h(Group, { name: "face", icon: "panel_top", title: speak.t("form_designer.group.face"), warn: Boolean(said("name")) },
      h(Bilingual, { label: speak.t("form_designer.face.name"), value: face.name, limit: 120, problem: said("name"), focusRef: "fm-first", onChange: (locale, text) => set("name", { ...face.name, [locale]: text }, `name:${locale}`) }),
      h(Row, { label: speak.t("form_designer.face.icon"), grouped: true }, h("div", { className: "fm-icons", role: "radiogroup", "aria-label": speak.t("form_designer.face.icon") }, (choices.icons ?? []).map((name) => h("label", { key: name },
        h("input", { type: "radio", name: "fm-icon", checked: (face.icon ?? "") === name, onChange: () => set("icon", name), "aria-label": name.replaceAll("-", " ") }), h("span", null, h(Icon, { name })))))),
      h(Row, { label: speak.t("form_designer.face.line"), problem: said("business_line") }, h(Select, { value: face.business_line, options: choices.lines ?? [], onChange: (value) => set("business_line", value) })),
      h(Row, { label: speak.t("form_designer.face.class"), problem: said("ticket_class") }, h(Select, { value: face.ticket_class, options: choices.classes ?? [], onChange: (value) => set("ticket_class", value) }))),
    h(Group, { name: "flow", icon: "workflow", title: speak.t("form_designer.group.flow"), warn: Boolean(said("flow")) },
      h(Row, { label: speak.t("form_designer.face.flow"), help: speak.t("form_designer.face.flow.help"), problem: said("flow") }, h(Select, { value: face.flow, empty: speak.t("form_designer.face.flow.none"), options: choices.flows ?? [], onChange: (value) => set("flow", value) })),
      face.flow && h("a", { className: "tc-link", href: `/designer/flows/${face.flow}` }, speak.t("form_designer.face.flow.open"))),
    h(Group, { name: "finding", icon: "globe", title: speak.t("form_designer.group.finding") },
      h(Switch, { label: speak.t("form_designer.face.public"), hint: speak.t("form_designer.face.public.help"), on: face.is_public, onChange: (on) => set("is_public", on) }),
      face.is_public && address && h(Row, { label: speak.t("form_designer.face.address"), grouped: true }, h("span", { className: "fm-address" }, h("code", null, address), h(IconButton, {
        icon: "copy", small: true, label: speak.t("form_designer.face.address.copy"), onClick: () => navigator.clipboard?.writeText(address),
      }))),
      h(Keywords, { value: face.keywords, onChange: (words) => set("keywords", words) })));
}
