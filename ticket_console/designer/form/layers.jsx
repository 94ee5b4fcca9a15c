// What a form says otherwise at a place: base, business line, region and store over each other, setting by setting.
import { createElement as h, useEffect, useState } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { ForeignNote, Icon, IconButton, Row, Segmented, Select, TextBox } from "./parts.jsx";
import { isForeign } from "./fields.js";
import { freshId } from "./use_draft.js";

const isEmpty = (value) => value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);

// The patch with one setting of one field said or taken back.
function said(patch, field, setting, value) {
  const { [setting]: _, ...others } = patch.fields?.[field] ?? {};
  const changes = value === undefined ? others : { ...others, [setting]: value };
  const { [field]: __, ...fields } = patch.fields ?? {};
  const next = isEmpty(changes) ? fields : { ...fields, [field]: changes };
  const { fields: ___, ...rest } = patch;
  return isEmpty(next) ? rest : { ...rest, fields: next };
}

function Origin({ name, own, nameOf }) {
  const speak = useLanguage();
  const scope = name.split(":")[0];
  return h("span", { className: "fm-origin", "data-scope": own ? "own" : scope, title: speak.t("form_designer.layers.origin", { name: nameOf(name) }) }, own ? speak.t("form_designer.layers.here") : nameOf(name));
}

function FieldRow({ field, patch, kinds, layer, nameOf, onSay }) {
  const speak = useLanguage();
  const mine = patch.fields?.[field.key] ?? {};
  const own = (setting) => mine[setting] !== undefined;
  const origin = (setting) => h(Origin, { name: own(setting) ? layer : field.origins[setting] ?? "base", own: own(setting), nameOf });
  const back = (setting) => own(setting) && h(IconButton, { icon: "undo_2", small: true, label: speak.t("form_designer.layers.reset"), onClick: () => onSay(field.key, setting, undefined) });
  const required = own("required") ? mine.required : field.required;
  const hidden = own("hidden") ? mine.hidden : field.hidden;
  const left = own("options") ? mine.options : field.options.map((option) => option.value);
  const flip = (value) => onSay(field.key, "options", left.includes(value) ? left.filter((each) => each !== value) : field.options.map((option) => option.value).filter((each) => left.includes(each) || each === value));
  const name = own("label") ? mine.label : field.label;
  const yesNo = (setting, value, words) => h("div", { className: "fm-layer-cell" },
    h(Segmented, { label: speak.t(words[0]), value: value ? "1" : "0", options: [{ value: "1", label: speak.t(words[1]) }, { value: "0", label: speak.t(words[2]) }], onChange: (next) => onSay(field.key, setting, next === "1") }), origin(setting), back(setting));
  return h("li", { className: "fm-layer-field", "data-own": !isEmpty(mine) || undefined, "data-hidden": hidden || undefined, "data-layer-field": field.key },
    h("div", { className: "fm-layer-name" },
      h("span", { className: "fm-kind" }, h(Icon, { name: kinds.get(field.kind)?.icon })),
      h(TextBox, { value: name?.[speak.name] ?? "", placeholder: speak.label(field.label), maxLength: 300, "aria-label": speak.t("form_designer.layers.label", { name: speak.label(field.label) }), onChange: (text) => onSay(field.key, "label", text === (field.label?.[speak.name] ?? "") ? undefined : { ...name, [speak.name]: text }) }),
      origin("label"), back("label")),
    yesNo("hidden", hidden, ["form_designer.state", "form_designer.state.hidden", "form_designer.state.active"]),
    field.kind !== "heading" && yesNo("required", required, ["form_designer.required", "form_designer.required", "form_designer.layers.optional"]),
    field.options.length > 0 && h("div", { className: "fm-layer-cell fm-layer-options" },
      h("div", { className: "fm-chips" }, field.options.map((option) => h("button", { key: option.value, type: "button", className: "fm-chip", "data-press": true, "aria-pressed": left.includes(option.value), onClick: () => flip(option.value) }, speak.label(option.label) || option.value))), origin("options"), back("options")));
}

// What works at one place, for a whole region: a new one starts from what another has learned.
function ApplyDialog({ open, regions, onApply, onClose }) {
  const speak = useLanguage();
  const [region, setRegion] = useState("");
  useEffect(() => {
    if (open) setRegion(regions[0]?.value ?? "");
  }, [open]);
  return h(Dialog, { open, title: speak.t("form_designer.layers.apply"), text: speak.t("form_designer.layers.apply.text"), onClose },
    h(Row, { label: speak.t("form_designer.layers.region") }, h(Select, { value: region, options: regions, onChange: setRegion, "data-test": "apply-region" })),
    h("div", { className: "tc-dialog-foot" },
      h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "primary", "data-test": "apply-now", disabled: !region, onClick: () => onApply(region) }, speak.t("form_designer.layers.apply.do"))));
}

export function LayersTab({ draft, choices, kinds, told: heard, onLayers, onLayer, onApply, onStandard }) {
  const speak = useLanguage();
  const [place, setPlace] = useState({ region: "", store: "" });
  const [patch, setPatch] = useState({});
  const [applying, setApplying] = useState(false);
  const { code, department } = draft.draft;
  useEffect(() => {
    onLayers?.({ code, ...place });
  }, [code, draft.draft.base_number, place.region, place.store]);
  const told = heard?.code === code && heard.region === place.region && heard.store === place.store ? heard : null;
  useEffect(() => {
    if (told) setPatch(told.patch ?? {});
  }, [told]);

  const names = new Map([...(choices.lines ?? []).map((each) => [`line:${each.value}`, each.label]), ...(choices.regions ?? []).map((each) => [`region:${each.value}`, each.label]), ...(told?.stores ?? []).map((each) => [`store:${each.value}`, each.label])]);
  const nameOf = (layer) => (layer === "base" ? speak.t("form_designer.layers.base") : speak.label(names.get(layer)) || layer.split(":")[1]);
  if (heard?.code === code && !heard.is_published) {
    return h("div", { className: "fm-page" }, h("div", { className: "tc-empty" }, h(Icon, { name: "layers" }), h("strong", null, speak.t("form_designer.layers.unpublished")), h("p", null, speak.t("form_designer.layers.unpublished.text"))));
  }
  const layer = told ? `${told.scope}:${told.ref}` : "";
  const isChanged = told && JSON.stringify(patch) !== JSON.stringify(told.patch ?? {});
  const regions = (choices.regions ?? []).filter((each) => layer !== `region:${each.value}`);
  const overrides = (told?.overrides ?? []).map((each) => `${each.scope}:${each.ref}`);
  return h("div", { className: "fm-page fm-layers" },
    h("section", { className: "tc-card fm-layer-side" }, h("header", null, h("h2", null, speak.t("form_designer.tab.layers"))),
      h("div", { className: "tc-card-body tc-stack" },
        h("p", { className: "tc-help" }, speak.t("form_designer.layers.text")),
        h("label", { className: "tc-field" }, h("span", { className: "tc-label" }, speak.t("form_designer.layers.region")), h(Select, { value: place.region, empty: speak.t("form_designer.layers.every_region"), options: choices.regions ?? [], onChange: (region) => setPlace({ region, store: "" }) })),
        h("label", { className: "tc-field" }, h("span", { className: "tc-label" }, speak.t("form_designer.layers.store")), h(Select, { value: place.store, empty: speak.t("form_designer.layers.every_store"), options: told?.stores ?? heard?.stores ?? [], onChange: (store) => setPlace({ ...place, store }) })),
        h("ol", { className: "fm-stack", "aria-label": speak.t("form_designer.layers.stack") },
          h("li", { "data-has": true }, h(Icon, { name: "file_text" }), speak.t("form_designer.layers.base")),
          (told?.chain ?? []).map((each) => h("li", { key: each, "data-place": each, "data-has": overrides.includes(each) || undefined, "data-here": each === layer || undefined },
            h(Icon, { name: { line: "tags", region: "map_pinned", store: "store" }[each.split(":")[0]] }), h("span", null, nameOf(each)), overrides.includes(each) && h("span", { className: "fm-dot", "data-tone": "accent" })))))),
    h("section", { className: "tc-card" }, h("header", null, h("h2", null, told ? speak.t("form_designer.layers.at", { name: nameOf(layer) }) : ""),
      h("div", { className: "tc-row" },
        isChanged
          ? h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => setPatch(told.patch ?? {}) }, speak.t("common.cancel"))
          : told && h("button", { type: "button", className: "tc-btn", "data-size": "small", "data-test": "standard-here", onClick: () => onStandard(place) }, h(Icon, { name: "bookmark_plus" }), speak.t("form_designer.standard")),
        !isChanged && told && !isEmpty(told.patch) && regions.length > 0 && h("button", { type: "button", className: "tc-btn", "data-size": "small", "data-test": "apply", onClick: () => setApplying(true) }, h(Icon, { name: "map_pinned" }), speak.t("form_designer.layers.apply")),
        h("button", {
          type: "button", className: "tc-btn", "data-tone": "primary", "data-size": "small", disabled: !isChanged, "data-test": "save-layer",
          onClick: () => onLayer?.({ code, ...place, scope: told.scope, ref: told.ref, patch, expected_version: told.version, command_id: freshId() }),
        }, h(Icon, { name: "save" }), speak.t("form_designer.layers.save")))),
      h("div", { className: "tc-card-body" }, !told ? h("div", { className: "tc-bone", style: { "--height": "120px" } }) : told.sections.map((section) => h("div", { key: section.key, className: "fm-layer-section" },
        h("h3", null, speak.label(section.title)),
        isForeign(section, department) && h(ForeignNote, { owner: section.owner, department }),
        h("fieldset", { className: "fm-inspected", disabled: isForeign(section, department) },
          h("ul", null, section.fields.map((field) => h(FieldRow, { key: field.key, field, patch, kinds, layer, nameOf, onSay: (key, setting, value) => setPatch((before) => said(before, key, setting, value)) }))))))),
    h(ApplyDialog, {
      open: applying, regions, onClose: () => setApplying(false),
      onApply: (region) => {
        setApplying(false);
        onApply?.({ code, ...place, to: region, patch: told.patch, command_id: freshId() });
      },
    })));
}
