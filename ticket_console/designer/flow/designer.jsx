// The flow designer: one draft, its canvas, and everything around it.
import { Children, createElement as h, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Link } from "react-router";
import {
  AlignCenterHorizontal, AlignCenterVertical, AlignEndHorizontal, AlignEndVertical, AlignHorizontalDistributeCenter, AlignStartHorizontal, AlignStartVertical, AlignVerticalDistributeCenter,
  ArrowLeft, Check, CloudOff, Columns3, Copy, GitMerge, History, ListTree, LoaderCircle, MapPinOff, MousePointer2, Network, PanelLeft, Pencil, Redo2, Rocket, StickyNote, Trash2, TriangleAlert, Undo2,
} from "lucide-react";
import { inBoth, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog, MenuButton, ReasonDialog, notify } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { FlowCanvas } from "$/public/external/ticket_console/designer/flow/canvas/canvas.jsx";
import { Label } from "./controls.jsx";
import { MergeDialog, PreviewDialog, PublishDialog } from "./dialogs.jsx";
import { Draft } from "./draft.js";
import { addComment, addNode, connect, copied, moveTo, paste, put, readCopied, removeParts } from "$/public/external/ticket_console/designer/flow/canvas/editing.js";
import { Inspector, PermissionGrid } from "./inspector.jsx";
import { KINDS, entryOf, judge, sizeOf } from "$/public/external/ticket_console/designer/flow/canvas/kinds.js";
import { aligned, laidOut } from "$/public/external/ticket_console/designer/flow/canvas/layout.js";
import { HistoryPanel, OutlinePanel, Palette, Picker, ProblemsPanel, StagesPanel, entryGroups, presetName } from "./panels.jsx";
import { nameOf } from "$/public/external/ticket_console/designer/flow/canvas/words.js";

const CHECK_AFTER_MS = 350;
const ALIGNMENTS = [
  ["left", AlignStartVertical], ["centre", AlignCenterVertical], ["right", AlignEndVertical], ["top", AlignStartHorizontal], ["middle", AlignCenterHorizontal], ["bottom", AlignEndHorizontal],
  ["across", AlignHorizontalDistributeCenter], ["down", AlignVerticalDistributeCenter],
];
const NOBODY = Object.freeze([]);

function useDraft({ feed, verdict, news, onSave, onReopen }) {
  const handlers = useRef(null);
  handlers.current = { onSave, onReopen };
  const [draft] = useState(() => new Draft({
    save: (id, seq, batch) => handlers.current.onSave?.(id, seq, batch.map(({ id: gesture, label, params, ops }) => ({ id: gesture, label, label_params: params, ops }))),
    reopen: () => handlers.current.onReopen?.(),
    tell: (key, params) => notify({ tone: "info", key, params }),
  }));
  const view = useSyncExternalStore(draft.subscribe, draft.snapshot, draft.snapshot);
  useEffect(() => {
    if (feed?.document) draft.open(feed);
  }, [feed, draft]);
  useEffect(() => {
    if (verdict?.draft_id) draft.answered(verdict);
  }, [verdict, draft]);
  useEffect(() => {
    if (news?.draft_id) draft.heard(news);
  }, [news, draft]);
  useEffect(() => {
    const leave = (event) => {
      draft.remember();
      if (draft.pending.length > 0) event.preventDefault();
    };
    const back = () => draft.flush();
    window.addEventListener("beforeunload", leave);
    window.addEventListener("online", back);
    return () => {
      draft.remember();
      window.removeEventListener("beforeunload", leave);
      window.removeEventListener("online", back);
    };
  }, [draft]);
  return [draft, view];
}

function SaveState({ view }) {
  const speak = useLanguage();
  const key = view.isWaiting ? "waiting" : view.waiting > 0 ? "saving" : "saved";
  const Icon = { waiting: CloudOff, saving: LoaderCircle, saved: Check }[key];
  return h("span", { className: "fl-save", "data-state": key, role: "status", "data-test": "save-state" }, h(Icon, { "aria-hidden": true }), h("span", null, speak.t(`flow_designer.save.${key}`, { n: view.waiting })));
}

function People({ people = [], me }) {
  const speak = useLanguage();
  const others = people.filter((each) => each.id !== me);
  if (others.length === 0) return null;
  return h("ul", { className: "fl-people", "aria-label": speak.t("flow_designer.people") }, others.slice(0, 5).map((each) => h("li", { key: each.id, className: "tc-avatar", title: speak.t("flow_designer.people.here", { who: each.name }) }, h("span", { "aria-hidden": true }, each.name.slice(0, 1).toUpperCase()), h("span", { className: "tc-sr" }, speak.t("flow_designer.people.here", { who: each.name })))));
}

function NameEditor({ document, act, readOnly }) {
  const speak = useLanguage();
  const [open, setOpen] = useState(false);
  const name = speak.label(document.name) || speak.t("flow_designer.unnamed");
  return h("div", { className: "fl-title" },
    h("h2", { title: name, onDoubleClick: () => !readOnly && setOpen(true) }, name),
    !readOnly && h("button", { type: "button", className: "fl-tool fl-title-edit", title: speak.t("flow_designer.rename_flow"), "aria-label": speak.t("flow_designer.rename_flow"), "data-test": "rename", onClick: () => setOpen(true) }, h(Pencil, { "aria-hidden": true })),
    h(Dialog, { open, title: speak.t("flow_designer.rename_flow"), onClose: () => setOpen(false) },
      h("div", { className: "fl-stack" }, h(Label, { label: speak.t("flow_designer.name"), autoFocus: true, value: document.name, onDone: (language, text) => text && act("flow_designer.did.rename_flow", [put(["name", language], text)], { what: text }) })),
      h("div", { className: "tc-dialog-foot" }, h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => setOpen(false) }, speak.t("common.close")))));
}

function ToolButton({ icon: Icon, label, keys, onClick, disabled, pressed, count, tone, test }) {
  return h("button", { type: "button", className: "fl-tool", title: keys ? `${label} (${keys})` : label, "aria-label": label, "aria-pressed": pressed, disabled, onClick, "data-tone": tone, "data-test": test },
    h(Icon, { "aria-hidden": true }), count ? h("span", { className: "fl-tool-count" }, count) : null);
}

function Opening({ failed, missing, onRetry }) {
  const speak = useLanguage();
  if (missing) return h("div", { className: "tc-empty fl-missing" }, h(MapPinOff, { "aria-hidden": true }), h("strong", null, speak.t("flow_designer.missing")), h("p", null, speak.t("form_designer.missing.text")), h(Link, { to: "/designer", className: "tc-btn", "data-tone": "primary" }, speak.t("flow_designer.back")));
  if (!failed) return h("div", { className: "fl-opening", "aria-busy": true }, h("span", { className: "tc-spin" }), h("span", { role: "status" }, speak.t("flow_designer.opening")));
  return h("div", { className: "tc-empty", role: "alert" }, h("strong", null, speak.t("load.failed")), h("button", { type: "button", className: "tc-btn", onClick: onRetry }, speak.t("load.retry")));
}

export function FlowDesigner({
  feed, verdict, news, report, words = {}, people, me, publication, preview, merging, tabs = NOBODY, children,
  onSave, onReopen, onCheck, onRecover, onPublication, onPublish, onPreview, onCompare, onMerge, onTab,
}) {
  const speak = useLanguage();
  const [draft, view] = useDraft({ feed, verdict, news, onSave, onReopen });
  const { document } = view;
  const canvas = useRef(null);
  const [selection, setSelection] = useState(NOBODY);
  const [panel, setPanel] = useState(null);
  const [palette, setPalette] = useState(() => window.innerWidth >= 1100);
  const [tool, setTool] = useState(null);
  const [picking, setPicking] = useState(null);
  const [linking, setLinking] = useState(null);
  const [granting, setGranting] = useState(null);
  const [looking, setLooking] = useState(null);
  const [publishing, setPublishing] = useState(false);
  const [recovering, setRecovering] = useState(null);
  const [isShowing, setIsShowing] = useState(false);
  const [said, setSaid] = useState("");
  const [tab, setTab] = useState("draw");
  const problems = report?.seq === undefined ? NOBODY : report.problems ?? NOBODY;
  const errors = problems.filter((each) => each.tone === "danger").length;
  const readOnly = feed?.read_only ?? false;

  const act = useCallback((label, ops, params) => {
    if (draft.act(label, ops, params ?? {})) setSaid(speak.t(label, plainParams(speak, params)));
  }, [draft, speak]);
  // Gestures of the canvas keep the layout everybody has seen; those of the panels go the same way.
  const change = useCallback((label, ops, params) => (canvas.current ? canvas.current.gesture(label, ops, params) : act(label, ops, params)), [act]);

  const { seq, waiting } = view;
  useEffect(() => {
    if (view.id === null || waiting > 0) return undefined;
    const timer = setTimeout(() => onCheck?.(view.id, seq), CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [view.id, seq, waiting]);

  // What is chosen may have gone by an undo, or by somebody else's hand.
  useEffect(() => {
    if (!document) return;
    const known = new Set([...document.nodes, ...document.edges, ...(document.drawing?.comments ?? [])].map((each) => each.key));
    setSelection((before) => (before.every((key) => known.has(key)) ? before : before.filter((key) => known.has(key))));
  }, [document]);

  // A panel takes room from the canvas; what is chosen stays in sight.
  const only = selection.length === 1 ? selection[0] : null;
  useEffect(() => {
    if (panel !== "inspector" || !only) return undefined;
    const timer = setTimeout(() => canvas.current?.reveal(only), 60);
    return () => clearTimeout(timer);
  }, [panel, only]);

  // Somebody quick asks before the last change is saved: what publishing would do is asked of what is saved.
  useEffect(() => {
    if (publishing && view.id !== null && waiting === 0) onPublication?.(view.id);
  }, [publishing, view.id, seq, waiting]);

  useEffect(() => {
    if (publication?.published) {
      setPublishing(false);
      setIsShowing(false);
    }
  }, [publication]);

  const undo = useCallback(() => {
    const gesture = draft.undo();
    if (gesture) setSaid(speak.t("flow_designer.did.undo", { what: speak.t(gesture.label, plainParams(speak, gesture.params)) }));
  }, [draft, speak]);
  const redo = useCallback(() => {
    const gesture = draft.redo();
    if (gesture) setSaid(speak.t("flow_designer.did.redo", { what: speak.t(gesture.label, plainParams(speak, gesture.params)) }));
  }, [draft, speak]);

  const go = useCallback((key) => {
    setSelection([key]);
    canvas.current?.centre(key);
  }, []);

  const add = useCallback((entry, { place, after } = {}) => {
    const { document: now } = draft;
    const spot = place ?? (after ? canvas.current.placeAfter(after) : freeSpot(now, canvas.current));
    if (entry.kind === "comment") {
      const { key, ops } = addComment(now, spot);
      change("flow_designer.did.comment", ops);
      setSelection([key]);
      return;
    }
    const source = after ? now.nodes.find((node) => node.key === after) : null;
    const filled = entry.kind === "subflow" || entry.start?.actions ? { ...entry, start: { ...entry.start, ...withChoices(entry, words) } } : entry;
    const { key, ops } = addNode(now, filled, inBoth(`flow_designer.preset.${entry.preset}`), spot, source);
    const node = ops[0].value;
    const shown = { ...now, nodes: [...now.nodes, node] };
    const verdictOfLink = source ? judge(shown, source, node) : {};
    const link = verdictOfLink.kind ? connect(shown, source.key, key, verdictOfLink.kind).ops : [];
    change("flow_designer.did.add", [...ops, ...link], { what: presetName(speak, entry.preset) });
    if (source && !verdictOfLink.kind) refuse(verdictOfLink.reason);
    setSelection([key]);
    setPanel(window.innerWidth >= 900 ? "inspector" : null);
    canvas.current.focusNode(key);
  }, [draft, change, speak, words]);

  const refuse = (reason) => {
    notify({ tone: "error", key: `flow_designer.refuse.${reason}` });
    setSaid(speak.t(`flow_designer.refuse.${reason}`));
  };

  const duplicate = (keys) => {
    const { ops, keys: made } = paste(draft.document, readCopied(copied(draft.document, canvas.current.positions(), keys)), { x: 40, y: 96 });
    change("flow_designer.did.paste", ops, { n: made.length });
    setSelection(made);
  };

  const align = (how) => {
    const boxes = selection.map((key) => canvas.current.boxOf(key)).filter(Boolean);
    change("flow_designer.did.align", moveTo(draft.document, aligned(boxes, how)), { n: boxes.length });
  };

  const arrange = () => {
    change("flow_designer.did.layout", moveTo(draft.document, laidOut(draft.document)), { n: draft.document.nodes.length });
    window.setTimeout(() => canvas.current?.fit(), 60);
  };

  const eraseChosen = () => {
    const { document: now } = draft;
    const nodes = selection.filter((key) => now.nodes.some((node) => node.key === key));
    const edges = selection.filter((key) => now.edges.some((edge) => edge.key === key));
    const comments = selection.filter((key) => !nodes.includes(key) && !edges.includes(key));
    change("flow_designer.did.remove", removeParts(now, { nodes, edges, comments }), { n: selection.length });
    setSelection(NOBODY);
  };

  const onOpen = useCallback((key, byPointer) => {
    if (draft.document.drawing?.comments?.some((each) => each.key === key)) return;
    setPanel("inspector");
    if (!byPointer) window.requestAnimationFrame(() => window.requestAnimationFrame(() => (window.document.querySelector(".fl-inspector [data-focus]") ?? window.document.querySelector(".fl-inspector button"))?.focus()));
  }, [draft]);

  const onSelect = useCallback((keys) => setSelection((before) => (sameKeys(before, keys) ? before : keys)), []);
  const onAddAt = useCallback((asked) => setPicking(asked), []);
  const onRefused = useCallback((reason) => refuse(reason), [speak]);
  const onConnectKey = useCallback((key) => setLinking({ key, anchor: canvas.current.screenOf(key) }), []);
  const onPlace = useCallback((preset, spot) => {
    const entry = entryOf(preset);
    const size = entry.kind === "comment" ? { width: 220, height: 120 } : sizeOf(entry);
    add(entry, { place: { x: spot.x - size.width / 2, y: spot.y - size.height / 2 } });
  }, [add]);
  const onCopied = useCallback((n) => setSaid(speak.t("flow_designer.did.copy", { n })), [speak]);
  const closePanel = useCallback(() => setPanel(null), []);

  const onKeyDown = (event) => {
    if (event.defaultPrevented || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey)) return;
    if (key === "z" && !event.shiftKey) [event.preventDefault(), undo()];
    else if (key === "y" || (key === "z" && event.shiftKey)) [event.preventDefault(), redo()];
  };

  const linkGroups = useCallback((text) => {
    const { document: now } = draft;
    const source = now.nodes.find((node) => node.key === linking?.key);
    const needle = text.trim().toLowerCase();
    const items = now.nodes.filter((node) => node.key !== source?.key && nameOf(speak, node).toLowerCase().includes(needle)).map((node) => {
      const verdictOfLink = judge(now, source, node);
      return { value: node.key, text: nameOf(speak, node), icon: KINDS[node.kind]?.icon, tone: KINDS[node.kind]?.tone, refused: !verdictOfLink.kind, hint: verdictOfLink.kind ? speak.t(`flow_designer.edge.${verdictOfLink.kind}`) : speak.t(`flow_designer.refuse.${verdictOfLink.reason}`) };
    });
    return [{ key: "all", title: "", items: items.toSorted((one, other) => Number(one.refused) - Number(other.refused)) }];
  }, [draft, linking, speak]);

  const linkTo = (target) => {
    const { document: now } = draft;
    const find = (key) => now.nodes.find((node) => node.key === key);
    const source = find(linking.key);
    const verdictOfLink = judge(now, source, find(target));
    setLinking(null);
    if (!verdictOfLink.kind) {
      refuse(verdictOfLink.reason);
      return;
    }
    const { key, ops } = connect(now, source.key, target, verdictOfLink.kind);
    change("flow_designer.did.connect", ops, { from: nameOf(speak, source), to: nameOf(speak, find(target)) });
    setSelection([key]);
    canvas.current.focusNode(source.key);
  };

  const pickedNodes = selection.filter((key) => document?.nodes.some((node) => node.key === key));
  const undoLabel = view.undoLabel ? speak.t("flow_designer.undo.what", { what: speak.t(view.undoLabel.label, plainParams(speak, view.undoLabel.params)) }) : speak.t("flow_designer.undo");
  const redoLabel = view.redoLabel ? speak.t("flow_designer.redo.what", { what: speak.t(view.redoLabel.label, plainParams(speak, view.redoLabel.params)) }) : speak.t("flow_designer.redo");
  const asked = useMemo(() => (isShowing ? publication?.marks ?? {} : {}), [isShowing, publication]);

  if (!document) return h("div", { className: "fl", onKeyDown }, h(Opening, { failed: feed?.failed, missing: feed?.missing, onRetry: onReopen }));

  const grantNode = granting && document.nodes.find((node) => node.key === granting);
  const lookNode = looking && document.nodes.find((node) => node.key === looking);
  const shownTabs = [["draw", speak.t("flow_designer.tab.draw")], ...tabs.map((each) => [each.key, speak.label(each.label)])];
  return h("div", { className: "fl", onKeyDown, "data-panel": panel ?? undefined, "data-palette": palette || undefined, "data-test": "flow-designer", "data-seq": view.seq },
    h("header", { className: "fl-head" },
      h(Link, { to: "/designer", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", title: speak.t("flow_designer.back"), "aria-label": speak.t("flow_designer.back") }, h(ArrowLeft, { "aria-hidden": true })),
      h(NameEditor, { document, act, readOnly }),
      h(SaveState, { view }),
      h("span", { className: "fl-fill" }),
      shownTabs.length > 1 && h("div", { className: "tc-tabs", role: "tablist" }, shownTabs.map(([key, text]) => h("button", { key, type: "button", role: "tab", "aria-selected": tab === key, onClick: () => [setTab(key), onTab?.(key)] }, text))),
      h(People, { people, me }),
      feed?.others?.length > 0 && h(MenuButton, {
        label: speak.t("flow_designer.merge.menu"), shape: "icon", items: [{ heading: speak.t("flow_designer.merge.menu") }, ...feed.others.map((each) => ({ key: String(each.id), label: each.author, hint: speak.t("flow_designer.merge.hint", { n: each.seq }), onSelect: () => onCompare?.(view.id, each.id) }))],
      }, h(GitMerge, { "aria-hidden": true })),
      h("button", { type: "button", className: "tc-btn fl-problems-button", "data-tone": "quiet", "data-problems": errors ? "danger" : problems.length ? "warn" : "none", "data-test": "problems", onClick: () => setPanel(panel === "problems" ? null : "problems") },
        h(problems.length ? TriangleAlert : Check, { "aria-hidden": true }), h("span", null, problems.length ? speak.number(problems.length) : ""), h("span", { className: "tc-sr" }, speak.t("flow_designer.problems"))),
      !readOnly && h("button", { type: "button", className: "tc-btn", "data-tone": "primary", "data-test": "publish", onClick: () => setPublishing(true) }, h(Rocket, { "aria-hidden": true }), h("span", null, speak.t("flow_designer.publish")))),
    feed?.is_behind && !readOnly && h("div", { className: "fl-behind", role: "status", "data-test": "behind" }, h(TriangleAlert, { "aria-hidden": true }),
      h("span", null, speak.t("flow_designer.behind", { number: feed.newest_number, who: feed.newest_by })),
      h("button", { type: "button", className: "tc-btn", "data-size": "small", "data-test": "take-in", onClick: () => onCompare?.(view.id, -1) }, h(GitMerge, { "aria-hidden": true }), speak.t("flow_designer.publish.take_in"))),
    tab === "draw" && h("div", { className: "fl-bar", role: "toolbar", "aria-label": speak.t("flow_designer.toolbar") },
      h(ToolButton, { icon: PanelLeft, label: speak.t("flow_designer.palette"), pressed: palette, onClick: () => setPalette(!palette) }),
      h("i", null),
      h(ToolButton, { icon: Undo2, label: undoLabel, keys: "Ctrl+Z", disabled: !view.canUndo, onClick: undo, test: "undo" }),
      h(ToolButton, { icon: Redo2, label: redoLabel, keys: "Ctrl+Y", disabled: !view.canRedo, onClick: redo, test: "redo" }),
      h("i", null),
      h(ToolButton, { icon: MousePointer2, label: speak.t("flow_designer.tool.select"), pressed: tool === "select", onClick: () => setTool(tool === "select" ? null : "select") }),
      h(ToolButton, { icon: StickyNote, label: speak.t("flow_designer.comment.add"), keys: "M", onClick: () => add(entryOf("comment")) }),
      h(ToolButton, { icon: Network, label: speak.t("flow_designer.arrange"), onClick: arrange, test: "arrange" }),
      selection.length > 0 && h("span", { className: "fl-bar-group" },
        h("i", null),
        pickedNodes.length > 1 && ALIGNMENTS.map(([how, icon]) => h(ToolButton, { key: how, icon, label: speak.t(`flow_designer.align.${how}`), disabled: (how === "across" || how === "down") && pickedNodes.length < 3, onClick: () => align(how) })),
        pickedNodes.length > 0 && h(ToolButton, { icon: Copy, label: speak.t("flow_designer.inspector.duplicate"), keys: "Ctrl+D", onClick: () => duplicate(pickedNodes) }),
        h(ToolButton, { icon: Trash2, label: speak.t("flow_designer.inspector.remove"), keys: "Del", tone: "danger", onClick: eraseChosen }),
        selection.length > 1 && h("span", { className: "fl-chosen" }, speak.t("flow_designer.chosen", { n: selection.length }))),
      h("span", { className: "fl-fill" }),
      isShowing && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => setIsShowing(false) }, speak.t("flow_designer.publish.hide")),
      h(ToolButton, { icon: ListTree, label: speak.t("flow_designer.outline"), pressed: panel === "outline", onClick: () => setPanel(panel === "outline" ? null : "outline"), test: "outline" }),
      h(ToolButton, { icon: Columns3, label: speak.t("flow_designer.stages"), pressed: panel === "stages", onClick: () => setPanel(panel === "stages" ? null : "stages"), test: "stages" }),
      h(ToolButton, { icon: History, label: speak.t("flow_designer.history"), pressed: panel === "history", onClick: () => [setPanel(panel === "history" ? null : "history"), panel !== "history" && onReopen?.()], test: "history" })),
    tab === "draw" ? h("div", { className: "fl-body" },
      palette && !readOnly && h(Palette, {
        onAdd: (entry) => {
          const one = selection.length === 1 && document.nodes.find((node) => node.key === selection[0] && node.kind !== "end");
          add(entry, one && entry.kind !== "start" && entry.kind !== "comment" ? { after: one.key } : {});
          if (window.innerWidth < 720) setPalette(false);
        },
        onClose: () => setPalette(false),
      }),
      h("div", { className: "fl-stage-area" },
        h(FlowCanvas, {
          ref: canvas, document, selection, problems, marks: asked, words, readOnly, tool,
          onGesture: act, onSelect, onOpen, onAddAt, onRefused, onConnectKey, onUndo: undo, onRedo: redo, onCopied, onPlace,
        })),
      panel === "inspector" && h(Inspector, {
        document, selection, words, problems, act: change, readOnly, onClose: () => [setPanel(null), selection[0] && canvas.current?.focusNode(selection[0])], onCentre: (key) => canvas.current?.centre(key), onPick: go,
        onPermissions: setGranting, onPreview: setLooking, onDuplicate: duplicate,
      }),
      panel === "problems" && h(ProblemsPanel, { document, problems, words, onGo: go, onClose: closePanel }),
      panel === "history" && h(HistoryPanel, { past: feed?.past ?? [], seq: view.seq, onRecover: setRecovering, onClose: closePanel }),
      panel === "stages" && h(StagesPanel, { document, act: change, onClose: closePanel }),
      panel === "outline" && h(OutlinePanel, { document, words, selection, onGo: go, onClose: closePanel }))
      : h("div", { className: "fl-tab", "data-tab": tab }, children),
    picking && h(Picker, {
      anchor: picking.anchor, label: speak.t("flow_designer.add"), groups: entryGroups(speak, ["start"]), onClose: () => setPicking(null),
      onPick: (preset) => {
        setPicking(null);
        const entry = entryOf(preset);
        const size = sizeOf(entry);
        add(entry, { after: picking.after, place: picking.place && { x: picking.place.x, y: picking.place.y - size.height / 2 } });
      },
    }),
    linking && h(Picker, { anchor: linking.anchor, label: speak.t("flow_designer.link_to"), groups: linkGroups, onClose: () => setLinking(null), onPick: linkTo }),
    h(Dialog, { open: Boolean(grantNode), wide: true, title: grantNode ? speak.t("flow_designer.permissions.title", { what: nameOf(speak, grantNode) }) : "", onClose: () => setGranting(null) },
      grantNode && h(PermissionGrid, { node: grantNode, document, words, act: change }),
      h("p", { className: "tc-help" }, speak.t("flow_designer.permissions.help")),
      h("div", { className: "tc-dialog-foot" }, h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => setGranting(null) }, speak.t("common.close")))),
    h(PreviewDialog, { node: lookNode, news: preview, onAsk: (node, role, template) => onPreview?.(view.id, node, role, template), onClose: () => setLooking(null) }),
    h(PublishDialog, {
      open: publishing, news: publication?.draft_id === view.id && publication.seq === view.seq ? publication : null, isSaved: view.waiting === 0, document, words,
      problems: problems.filter((each) => each.tone === "danger"), onClose: () => setPublishing(false),
      onShow: () => [setIsShowing(true), setPublishing(false)], onGo: (key) => [setPublishing(false), setTab("draw"), setPanel("problems"), go(key)],
      onTests: () => [setPublishing(false), setTab("test"), onTab?.("test")],
      onTakeIn: () => [setPublishing(false), onCompare?.(view.id, -1)], onPublish: (note, accepted) => onPublish?.(view.id, view.seq, note, accepted),
    }),
    h(MergeDialog, { news: merging?.with ? merging : null, document, words, onMerge: (other, choices) => onMerge?.(view.id, view.seq, other, choices), onClose: () => onCompare?.(view.id, 0) }),
    h(ReasonDialog, {
      open: recovering !== null, asksReason: false, title: speak.t("flow_designer.history.recover.title"), text: speak.t("flow_designer.history.recover.text"), confirmLabel: speak.t("flow_designer.history.recover"),
      onCancel: () => setRecovering(null), onConfirm: () => [onRecover?.(view.id, view.seq, recovering), setRecovering(null)],
    }),
    h("div", { className: "tc-sr", role: "status", "aria-live": "polite", "data-test": "said" }, said));
}

const sameKeys = (one, other) => one.length === other.length && one.every((key, at) => key === other[at]);

function plainParams(speak, params = {}) {
  const { what } = params;
  return typeof what === "string" && what.startsWith("flow_designer.") ? { ...params, what: speak.t(what, {}) } : params;
}

// Where there is room: the middle of what is seen, moved until it covers nothing.
function freeSpot(document, canvas) {
  const place = canvas.middle();
  const spot = { x: place.x - 116, y: place.y - 40 };
  const boxes = document.nodes.map((node) => canvas.boxOf(node.key));
  for (let turn = 0; turn < 60 && boxes.some((box) => Math.abs(box.x - spot.x) < 220 && Math.abs(box.y - spot.y) < 96); turn += 1) {
    spot.y += 48;
  }
  return spot;
}

// What must name something that exists takes the first there is.
function withChoices(entry, words) {
  if (entry.kind === "subflow") return {};
  const template = words.templates?.[0]?.value;
  return { actions: entry.start.actions.map((action) => (action.kind === "create_ticket" && template ? { ...action, template } : action)) };
}

