// The form designer: palette, canvas and inspector over one draft, with preview, layers and versions beside it.
import { createElement as h, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import { toast } from "sonner";
import { DragDropContext } from "@hello-pangea/dnd";
import { useLanguage, worded } from "$/public/external/ticket_console/components/text/language.jsx";
import { MenuButton } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { Canvas } from "./canvas.jsx";
import { ConvertDialog, HistoryDialog, MergeDialog, PublishDialog, RetireDialog, StandardDialog } from "./dialogs.jsx";
import { FaceInspector, FieldInspector, SectionInspector } from "./inspector.jsx";
import { LayersTab } from "./layers.jsx";
import { Palette } from "./palette.jsx";
import { ForeignNote, Icon, IconButton, useInAddress } from "./parts.jsx";
import { PreviewTab } from "./preview.jsx";
import { VersionsTab } from "./versions.jsx";
import { useDraft } from "./use_draft.js";
import {
  addField, addSection, copyOf, fieldOf, fieldPath, fieldsOf, freshField, freshSection, homeOf, isForeign, isKindName, moveField, moveSection, removeField, removeSection, sectionOf, sectionPath, sectionsOf, setting,
} from "./fields.js";

const TABS = ["build", "preview", "layers", "versions"];
const TAB_ICONS = { build: "square_mouse_pointer", preview: "eye", layers: "layers", versions: "history" };
const isTyping = (target) => target?.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target?.tagName ?? "");

function Saved({ draft, offline }) {
  const speak = useLanguage();
  const count = draft.pending.length;
  const state = offline ? "offline" : count > 0 ? "saving" : "saved";
  return h("span", { className: "fm-saved", role: "status", "data-state": state, "data-test": "saved" },
    state === "saving" ? h("span", { className: "tc-spin", "aria-hidden": true }) : h(Icon, { name: state === "saved" ? "check" : "cloud_off" }),
    h("span", { className: "fm-saved-text" }, speak.t(`form_designer.saved.${state}`, { n: count })));
}

function People({ present, drafts }) {
  const speak = useLanguage();
  const others = present.map((person) => ({ ...person, draft: drafts.find((each) => each.author_id === person.id) }));
  if (others.length === 0) return null;
  return h("span", { className: "fm-people", role: "group", "aria-label": speak.t("form_designer.present", { n: others.length }) }, others.map((person) => h("span", {
    key: person.id, className: "tc-avatar", tabIndex: 0, role: "img", "data-person": person.name,
    "aria-label": speak.t("form_designer.present.person", { name: person.name }), title: speak.t("form_designer.present.person", { name: person.name }),
  }, person.name.slice(0, 1).toUpperCase())));
}

function useOffline() {
  const [offline, setOffline] = useState(false);
  useEffect(() => {
    const watch = () => setOffline(!navigator.onLine);
    watch();
    window.addEventListener("online", watch);
    window.addEventListener("offline", watch);
    return () => {
      window.removeEventListener("online", watch);
      window.removeEventListener("offline", watch);
    };
  }, []);
  return offline;
}

// What is done on the canvas, as functions that stay the same from one drawing to the next.
function useActs(present) {
  const now = useRef(present);
  now.current = present;
  return useMemo(() => {
    const at = () => now.current;
    const form = () => at().draft.document;
    const make = (...gesture) => at().draft.make(...gesture);
    const card = (key) => document.querySelector(`[data-field-card="${CSS.escape(key)}"]`);
    const soon = (what) => requestAnimationFrame(() => requestAnimationFrame(what));
    const show = (key) => soon(() => card(key)?.scrollIntoView({ block: "nearest", behavior: "smooth" }));
    const nameOf = (key) => at().speak.label(fieldOf(form(), key)?.label) || key;
    const said = (key, params) => toast(at().speak.t(key, params), { action: { label: at().speak.t("form_designer.undo"), onClick: () => at().draft.undo() }, duration: 6000 });

    const put = (kind, sectionKey, index) => {
      const field = freshField(form(), kind, at().known);
      const target = sectionKey ?? sectionsOf(form()).filter((section) => !isForeign(section, at().department)).at(-1)?.key;
      if (target === undefined) make("form_designer.did.field_added", addSection(form(), { ...freshSection(form(), {}, at().department), fields: [field] }));
      else make("form_designer.did.field_added", addField(form(), field, target, index));
      at().select({ field: field.key });
      show(field.key);
    };
    const remove = (key) => {
      const { fields } = homeOf(form(), key);
      const index = fields.findIndex((field) => field.key === key);
      const next = fields[index + 1] ?? fields[index - 1];
      said("form_designer.field.removed", { name: nameOf(key) });
      make("form_designer.did.field_removed", removeField(form(), key));
      at().select(next ? { field: next.key } : null);
      if (next) soon(() => card(next.key)?.focus({ preventScroll: true }));
    };
    return {
      put,
      removeNow: remove,
      removeField: (key) => !isForeign(homeOf(form(), key), at().department) && (at().publishedKeys.has(key) ? at().setRetiring(key) : remove(key)),
      select: (selection, { quiet } = {}) => {
        at().select(selection);
        if (!quiet && selection) at().setSheet("inspector");
      },
      open: (selection) => {
        at().select(selection);
        at().setSheet("inspector");
        soon(() => document.getElementById("fm-first")?.focus());
      },
      // After what is selected, else at the end.
      append: (kind) => {
        const chosen = at().selection;
        const home = chosen?.field && homeOf(form(), chosen.field);
        const own = home ?? (chosen?.section && sectionOf(form(), chosen.section));
        if (isForeign(own ?? { owner: at().department }, at().department)) put(kind);
        else if (home) put(kind, home.key, home.fields.findIndex((field) => field.key === chosen.field) + 1);
        else put(kind, chosen?.section && sectionOf(form(), chosen.section) ? chosen.section : undefined);
        at().setSheet(null);
      },
      move: (key, section, index) => make("form_designer.did.field_moved", moveField(form(), key, section, index)),
      moveSection: (key, index) => make("form_designer.did.section_moved", moveSection(form(), key, index)),
      duplicate: (key) => {
        const home = homeOf(form(), key);
        if (isForeign(home, at().department)) return;
        const copy = copyOf(form(), key);
        make("form_designer.did.field_copied", addField(form(), copy, home.key, home.fields.findIndex((field) => field.key === key) + 1));
        at().select({ field: copy.key });
        show(copy.key);
      },
      addSection: () => {
        const section = freshSection(form(), {}, at().department);
        make("form_designer.did.section_added", addSection(form(), section));
        at().select({ section: section.key });
        at().setRenaming(`section:${section.key}`);
        at().setSheet(null);
      },
      removeSection: (key) => {
        const section = sectionOf(form(), key);
        said("form_designer.section.removed", { name: at().speak.label(section.title) || key, n: (section.fields ?? []).length });
        make("form_designer.did.section_removed", removeSection(key));
        at().select(null);
      },
      rename: (key) => {
        const [, section] = key.split(/^section:/);
        if (!isForeign(section === undefined ? homeOf(form(), key) : sectionOf(form(), section), at().department)) at().setRenaming(key);
      },
      renamed: (key, text) => {
        at().setRenaming(null);
        const field = fieldOf(form(), key);
        if (text !== null && field) make("form_designer.did.renamed", setting(fieldPath(form(), key), field, "label", worded(field.label, at().speak.name, text.trim(), isKindName(field, at().kinds.get(field.kind)))));
        soon(() => card(key)?.focus());
      },
      renamedSection: (key, text) => {
        at().setRenaming(null);
        const section = sectionOf(form(), key);
        if (text !== null && section) make("form_designer.did.renamed", setting(sectionPath(key), section, "title", { ...section.title, [at().speak.name]: text.trim() }));
      },
    };
  }, []);
}

export function FormDesigner({
  missing = false, opened = {}, saved = {}, problems = [], choices = {}, preview = {}, answers = {}, present = [], drafts = [],
  onTaken, onEdit, onPreview, onReview, onPublish, onHistory, onRecover, onMerge, onDiscard, onVersions, onCompare, onRollBack, onLayers, onLayer, onApply, onStandard,
}) {
  const speak = useLanguage();
  const draft = useDraft({ opened, saved, send: onEdit });
  const offline = useOffline();
  const [kept, setTab] = useInAddress("tab", "build");
  const tab = TABS.includes(kept) ? kept : "build";
  const [selection, setSelection] = useState(null);
  const [renaming, setRenaming] = useState(null);
  const [retiring, setRetiring] = useState(null);
  const [converting, setConverting] = useState(null);
  const [dialog, setDialog] = useState(null);
  const [sheet, setSheet] = useState(null);
  const [isDragging, setDragging] = useState(false);

  useEffect(() => {
    if (opened?.draft) onTaken?.();
  }, [opened?.draft?.id, opened?.seq]);

  const form = draft.document;
  const kinds = useMemo(() => new Map((choices.kinds ?? []).map((kind) => [kind.key, kind])), [choices.kinds]);
  const publishedKeys = useMemo(() => new Set(draft.draft?.published_keys ?? []), [draft.draft]);
  const department = draft.draft?.department ?? "";
  const acts = useActs({ draft, department, speak, kinds, selection, known: choices.fields, publishedKeys, select: setSelection, setRenaming, setRetiring, setSheet });

  const chosenField = selection?.field && form ? fieldOf(form, selection.field) : null;
  const chosenSection = selection?.section && form ? sectionOf(form, selection.section) : null;

  useEffect(() => {
    const onKey = (event) => {
      if (!(event.ctrlKey || event.metaKey) || isTyping(event.target) || document.querySelector("dialog[open]")) return;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) draft.undo();
      else if (key === "y" || (key === "z" && event.shiftKey)) draft.redo();
      else if (key === "s") draft.flush();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [draft.undo, draft.redo, draft.flush]);

  useEffect(() => {
    if (draft.refused !== null) toast.error(speak.t("form_designer.saved.refused"));
  }, [draft.refused]);

  const nameOfDragged = useCallback((id) => {
    const [place, ...rest] = id.split(":");
    const key = rest.join(":");
    if (place === "kind") return speak.label(kinds.get(key)?.label);
    if (place === "section") return speak.label(sectionOf(form, key)?.title) || key;
    return speak.label(fieldOf(form, key)?.label) || key;
  }, [form, kinds, speak]);
  const placeOf = (id) => (id.startsWith("section:") ? speak.label(sectionOf(form, id.slice(8))?.title) || id.slice(8) : speak.t("form_designer.palette"));

  const dragging = {
    dragHandleUsageInstructions: speak.t("form_designer.drag.instructions"),
    onDragStart: (start, { announce }) => {
      setDragging(true);
      announce(speak.t("form_designer.drag.lifted", { name: nameOfDragged(start.draggableId), n: start.source.index + 1 }));
    },
    onDragUpdate: ({ draggableId, destination, source }, { announce }) => {
      const name = nameOfDragged(draggableId);
      if (!destination) announce(speak.t("form_designer.drag.nowhere", { name }));
      else if (destination.droppableId === source.droppableId || destination.droppableId === "sections") announce(speak.t("form_designer.drag.at", { name, n: destination.index + 1 }));
      else announce(speak.t("form_designer.drag.in", { name, n: destination.index + 1, section: placeOf(destination.droppableId) }));
    },
    onDragEnd: ({ draggableId, destination, source, reason, type }, { announce }) => {
      setDragging(false);
      const name = nameOfDragged(draggableId);
      if (reason === "CANCEL" || !destination) return announce(speak.t("form_designer.drag.cancelled", { name }));
      announce(speak.t("form_designer.drag.dropped", { name, n: destination.index + 1 }));
      const key = draggableId.slice(draggableId.indexOf(":") + 1);
      const isSame = destination.droppableId === source.droppableId && destination.index === source.index;
      if (type === "section") return isSame ? undefined : acts.moveSection(key, destination.index);
      const section = destination.droppableId.slice("section:".length);
      if (draggableId.startsWith("kind:")) return acts.put(kinds.get(key), section, destination.index);
      return isSame ? undefined : acts.move(key, section, destination.index);
    },
  };

  if (missing) {
    return h("div", { className: "fm" }, h("div", { className: "tc-empty fm-missing" }, h(Icon, { name: "map_pin_off" }), h("h1", null, speak.t("form_designer.missing")), h("p", null, speak.t("form_designer.missing.text")),
      h(Link, { to: "/designer", className: "tc-btn", "data-tone": "primary" }, speak.t("form_designer.back"))));
  }
  if (!form) {
    return h("div", { className: "fm fm-waiting", "aria-busy": true }, h("span", { className: "tc-sr", role: "status" }, speak.t("load.busy")),
      h("div", { className: "fm-head" }, h("div", { className: "tc-bone", style: { "--width": "220px", "--height": "20px" } })),
      h("div", { className: "fm-body" }, h("aside", { className: "fm-left" }), h("div", { className: "fm-middle" }, h("div", { className: "fm-canvas" }, h("div", { className: "fm-sheet" }, [0, 1, 2, 3].map((each) => h("div", { key: each, className: "tc-bone", style: { "--height": "72px" } }))))), h("aside", { className: "fm-right" })));
  }

  const about = draft.draft;
  const face = form.face ?? {};
  const title = speak.label(face.name) || about.code;
  const isOutdated = about.base_number !== null && about.newest_number !== null && about.newest_number > about.base_number;
  const inspected = chosenField ? "field" : chosenSection ? "section" : "form";
  const heading = { field: kinds.get(chosenField?.kind)?.label, section: speak.t("form_designer.inspect.section"), form: speak.t("form_designer.inspect.form") }[inspected];

  const inspectedSection = chosenField ? homeOf(form, chosenField.key) : chosenSection;
  const owner = inspectedSection?.owner ?? "";
  const isLocked = isForeign({ owner }, department);

  const inspector = h("aside", { className: "fm-right", "data-sheet": sheet === "inspector" || undefined, "aria-label": speak.t("form_designer.inspector") },
    h("header", { className: "fm-side-head" },
      h("span", { className: "fm-kind" }, h(Icon, { name: inspected === "field" ? kinds.get(chosenField.kind)?.icon : inspected === "section" ? "rows_3" : "panel_top" })),
      h("strong", null, speak.label(heading)),
      h("span", { className: "fm-gap" }),
      inspected !== "form" && h("button", { type: "button", className: "tc-btn fm-to-form", "data-tone": "quiet", "data-size": "small", onClick: () => setSelection(null) }, speak.t("form_designer.inspect.form")),
      h("span", { className: "fm-close" }, h(IconButton, { icon: "x", label: speak.t("common.close"), onClick: () => setSheet(null) }))),
    h("fieldset", { className: "fm-inspected", disabled: isLocked },
    isLocked && h(ForeignNote, { owner, department }),
    chosenField ? h(FieldInspector, {
      key: chosenField.key, document: form, field: chosenField, draft, kinds, choices, problems, isPublished: publishedKeys.has(chosenField.key),
      onRenamed: (key) => setSelection({ field: key }), onConvert: () => setConverting(chosenField.key), onRemove: () => acts.removeField(chosenField.key),
    }) : chosenSection ? h(SectionInspector, {
      key: chosenSection.key, document: form, section: chosenSection, draft, choices, problems, isOnly: sectionsOf(form).length === 1 && (chosenSection.fields ?? []).length === 0, onRemove: () => acts.removeSection(chosenSection.key),
    }) : h(FaceInspector, { document: form, draft, choices, problems, address: about.address })));

  const build = h("div", { className: "fm-body", "data-dragging": isDragging || undefined },
    h(DragDropContext, dragging,
      h("aside", { className: "fm-left", "data-sheet": sheet === "palette" || undefined, "aria-label": speak.t("form_designer.palette") },
        h("header", { className: "fm-side-head fm-sheet-only" }, h("strong", null, speak.t("form_designer.palette")), h("span", { className: "fm-gap" }), h(IconButton, { icon: "x", label: speak.t("common.close"), onClick: () => setSheet(null) })),
        h(Palette, { kinds: choices.kinds ?? [], onAdd: acts.append, onAddSection: acts.addSection })),
      h("div", { className: "fm-middle" },
        isOutdated && h("div", { className: "tc-note fm-outdated", "data-tone": "warn" }, h(Icon, { name: "git_merge" }), h("span", null, speak.t("form_designer.outdated", { n: about.newest_number })),
          h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => setDialog({ kind: "merge", other: null }) }, speak.t("form_designer.outdated.merge"))),
        h(Canvas, { sections: sectionsOf(form), kinds, selection, renaming, problems, department, act: acts }))),
    inspector,
    sheet && h("button", { type: "button", className: "fm-veil", "aria-label": speak.t("common.close"), onClick: () => setSheet(null) }),
    h("button", { type: "button", className: "tc-btn fm-fab", "data-tone": "primary", onClick: () => setSheet("palette") }, h(Icon, { name: "plus" }), speak.t("form_designer.palette.open")));

  const more = [
    { key: "history", label: speak.t("form_designer.history"), icon: h(Icon, { name: "history" }), onSelect: () => setDialog({ kind: "history" }) },
    ...drafts.map((other) => ({ key: `merge-${other.draft_id}`, label: speak.t("form_designer.merge.with", { name: other.author }), icon: h(Icon, { name: "git_merge" }), onSelect: () => setDialog({ kind: "merge", other: other.draft_id, name: other.author }) })),
    { line: true },
    { key: "standard", label: speak.t("form_designer.standard"), icon: h(Icon, { name: "bookmark_plus" }), disabled: !about.base_number, onSelect: () => setDialog({ kind: "standard" }) },
    { key: "discard", label: speak.t("form_designer.discard"), tone: "danger", icon: h(Icon, { name: "trash_2" }), onSelect: () => setDialog({ kind: "discard" }) },
  ];

  return h("div", { className: "fm", "data-test": "form-designer", "data-tab": tab, "data-draft": about.id, "data-seq": draft.seq },
    h("div", { className: "fm-head" },
      h(Link, { to: "/designer", className: "tc-btn fm-back", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("form_designer.back"), title: speak.t("form_designer.back") }, h(Icon, { name: "arrow_left" })),
      h("button", { type: "button", className: "fm-title", title: speak.t("form_designer.inspect.form"), onClick: () => {
        setTab("build");
        setSelection(null);
        setSheet("inspector");
      } }, h("span", { className: "fm-kind" }, h(Icon, { name: face.icon || "clipboard_list" })), h("span", { className: "fm-title-text" }, title)),
      h("span", { className: "tc-badge fm-status", "data-tone": about.base_number ? "plain" : "warn" }, about.base_number ? speak.t("form_designer.version", { n: about.base_number }) : speak.t("form_designer.unpublished")),
      h("nav", { className: "tc-tabs fm-tabs", "aria-label": speak.t("form_designer.tabs") }, TABS.map((each) => h("button", {
        key: each, type: "button", "aria-pressed": tab === each, "aria-label": speak.t(`form_designer.tab.${each}`), title: speak.t(`form_designer.tab.${each}`), "data-tab": each, onClick: () => setTab(each),
      }, h(Icon, { name: TAB_ICONS[each], size: 15 }), h("span", null, speak.t(`form_designer.tab.${each}`))))),
      h("span", { className: "fm-gap" }),
      h(People, { present, drafts }),
      h(Saved, { draft, offline }),
      h("span", { className: "fm-turns" },
        h(IconButton, { icon: "undo_2", label: speak.t("form_designer.undo"), disabled: !draft.mayUndo, onClick: draft.undo, "data-test": "undo" }),
        h(IconButton, { icon: "redo_2", label: speak.t("form_designer.redo"), disabled: !draft.mayRedo, onClick: draft.redo, "data-test": "redo" })),
      h(MenuButton, { label: speak.t("common.more"), items: more, shape: "icon", "data-test": "more" }, h(Icon, { name: "ellipsis" })),
      h("button", {
        type: "button", className: "tc-btn fm-publish", "data-tone": "primary", "data-test": "publish",
        onClick: () => {
          draft.flush();
          setDialog({ kind: "publish" });
        },
      }, h(Icon, { name: "rocket" }), speak.t("form_designer.publish"), problems.length > 0 && h("span", { className: "fm-count", "data-tone": "danger" }, problems.length))),
    tab === "build" && build,
    tab === "preview" && h(PreviewTab, { draft, choices, preview, onPreview }),
    tab === "layers" && h(LayersTab, { draft, choices, kinds, told: answers.layers, onLayers, onLayer, onApply, onStandard: (place) => setDialog({ kind: "standard", place }) }),
    tab === "versions" && h(VersionsTab, { draft, answers, onVersions, onCompare, onRollBack, onStandard: () => setDialog({ kind: "standard" }) }),
    h(PublishDialog, {
      open: dialog?.kind === "publish", draft, problems, answers, onReview, onPublish, onClose: () => setDialog(null),
      onShow: (problem) => {
        setDialog(null);
        setTab("build");
        const [place, key] = problem.path.split(/\.(.*)/s);
        const found = place === "fields" ? fieldsOf(form).find((field) => key === field.key || key?.startsWith(`${field.key}.`)) : null;
        const section = place === "sections" ? sectionsOf(form).find((each) => key === each.key || key?.startsWith(`${each.key}.`)) : null;
        acts.open(found ? { field: found.key } : section ? { section: section.key } : null);
      },
    }),
    h(MergeDialog, { ask: dialog?.kind === "merge" ? dialog : null, draft, told: answers.merge, onMerge, onClose: () => setDialog(null) }),
    h(HistoryDialog, { open: dialog?.kind === "history", draft, told: answers.history, onHistory, onRecover, onClose: () => setDialog(null) }),
    h(ConvertDialog, { field: converting && fieldOf(form, converting), document: form, kinds, known: choices.fields, draft, onClose: () => setConverting(null), onDone: (key) => setSelection({ field: key }) }),
    h(StandardDialog, { open: dialog?.kind === "standard", draft, place: dialog?.place, onStandard, onClose: () => setDialog(null) }),
    h(RetireDialog, {
      open: retiring !== null || dialog?.kind === "discard", kind: retiring !== null ? "retire" : "discard", name: retiring ? speak.label(fieldOf(form, retiring)?.label) || retiring : title,
      onClose: () => {
        setRetiring(null);
        setDialog(null);
      },
      onConfirm: () => {
        if (retiring !== null) acts.removeNow(retiring);
        else onDiscard?.({ draft_id: about.id, if_match: draft.seq });
        setRetiring(null);
        setDialog(null);
      },
    }));
}
