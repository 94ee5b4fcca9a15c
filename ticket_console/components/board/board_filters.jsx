// What a board shows and how: lanes, rows, filters, saved views. All of it lives in the address, so that a board can be sent to a colleague.
import { createElement as h, useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { Bookmark, BookmarkPlus, CheckCheck, Eye, EyeOff, Link2, ListFilter, Rows3, Rows4, Save, Search, Trash2, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog, MenuButton, notify } from "$/public/external/ticket_console/components/overlay/overlay.jsx";

const FILTERS = ["region", "template", "priority", "assignee", "overdue", "late", "vip", "unread", "mine", "q"];
const LANES = ["stage", "person", "territory", "due"];
const ROWS = ["none", "priority", "region", "template", "assignee"];
const SWITCHES = ["overdue", "late", "vip", "unread"];
const PAUSE = 300;
const NAME_LENGTH = 60;

function Pick({ name, value, options, onChange, extra = [] }) {
  const speak = useLanguage();
  const label = speak.t(`board.filter.${name}`);
  return h("select", {
    className: "tc-select tb-pick", "aria-label": label, value, "data-on": value !== "", onChange: (event) => onChange(name, event.target.value),
  },
    h("option", { value: "" }, label),
    extra.map(([key, text]) => h("option", { key, value: key }, text)),
    options.map((option) => h("option", { key: option.value, value: option.value }, speak.label(option.label))));
}

function Shape({ name, value, keys, usual, onChange }) {
  const speak = useLanguage();
  const label = speak.t(`board.shape.${name}`);
  return h("label", { className: "tb-shape" }, h("span", null, label),
    h("select", { className: "tc-select tb-pick", value, "data-on": value !== usual, onChange: (event) => onChange(name, event.target.value === usual ? "" : event.target.value) },
      keys.map((key) => h("option", { key, value: key }, speak.t(`board.${name}.${key}`)))));
}

function Toggle({ on, children, onClick }) {
  return h("button", { type: "button", className: "tc-btn tb-toggle", "aria-pressed": on, onClick }, children);
}

// The address without the view it came from: what a saved view keeps.
export function queryOf(asked) {
  const query = new URLSearchParams(asked);
  query.delete("view");
  return query.toString();
}

function ViewDialog({ view, mayShare, onSave, onClose }) {
  const speak = useLanguage();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  useEffect(() => {
    setName(view?.name ?? "");
    setShared(view?.shared ?? false);
  }, [view]);
  const submit = (event) => {
    event.preventDefault();
    if (name.trim()) onSave(view.id, name.trim(), shared);
  };
  return h(Dialog, { open: view !== null, title: speak.t(view?.id ? "board.view.change" : "board.view.save"), text: speak.t("board.view.keeps"), onClose },
    h("form", { onSubmit: submit, style: { padding: 0 } },
      h("label", { className: "tc-field" }, h("span", { className: "tc-label" }, speak.t("board.view.name")),
        h("input", { className: "tc-input", value: name, maxLength: NAME_LENGTH, required: true, "data-focus": true, onChange: (event) => setName(event.target.value) })),
      mayShare && h("label", { className: "tb-tick" }, h("input", { type: "checkbox", checked: shared, onChange: (event) => setShared(event.target.checked) }), speak.t("board.view.share")),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": "primary", disabled: !name.trim() }, speak.t("board.view.keep")))));
}

// Not every address of the console is a secure context, and the clipboard is offered in those only.
async function copyAddress(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function Views({ views, saved, mayShare, asked, setAsked, onSave, onDelete }) {
  const speak = useLanguage();
  const [editing, setEditing] = useState(null);
  const sent = useRef(null);
  const current = views.find((view) => String(view.id) === asked.get("view"));
  const changed = current && current.query !== queryOf(asked);

  // The new view is named in the address once the server has told its number.
  useEffect(() => {
    if (!sent.current || !saved?.id) return;
    sent.current = null;
    setAsked((before) => {
      const next = new URLSearchParams(before);
      next.set("view", saved.id);
      return next;
    }, { replace: true });
    notify({ tone: "success", key: "board.view.saved" });
  }, [saved]);

  const save = (id, name, shared) => {
    setEditing(null);
    sent.current = name;
    onSave?.(id, name, shared, queryOf(asked));
  };
  const copy = () => {
    copyAddress(window.location.href).then(() => notify({ tone: "success", key: "board.view.copied" }));
  };
  const pick = (view) => setAsked(new URLSearchParams(`view=${view.id}&${view.query}`));
  const entry = (view) => ({
    key: `view-${view.id}`, label: view.name, hint: view.mine ? (view.shared ? speak.t("board.view.is_shared") : undefined) : speak.t("board.view.of", { name: view.owner }),
    icon: h("span", { style: { width: 15 } }, view === current ? "✓" : ""), onSelect: () => pick(view),
  });
  const items = [
    { heading: speak.t("board.views") },
    ...views.map(entry),
    ...(views.length ? [] : [{ key: "no", label: speak.t("board.view.none"), disabled: true }]),
    { line: true },
    ...(current?.mine && changed ? [{ key: "update", label: speak.t("board.view.update"), icon: h(Save), onSelect: () => save(current.id, current.name, current.shared) }] : []),
    { key: "new", label: speak.t("board.view.save"), icon: h(BookmarkPlus), onSelect: () => setEditing({ id: 0, name: "", shared: false }) },
    ...(current?.mine ? [{ key: "change", label: speak.t("board.view.change"), icon: h(Bookmark), onSelect: () => setEditing(current) }] : []),
    { key: "copy", label: speak.t("board.view.copy"), icon: h(Link2), onSelect: copy },
    ...(current?.mine ? [{
      key: "delete", label: speak.t("board.view.delete"), icon: h(Trash2), tone: "danger",
      onSelect: () => {
        onDelete?.(current.id);
        setAsked(new URLSearchParams(queryOf(asked)), { replace: true });
      },
    }] : []),
  ];
  return h("span", { className: "tb-views" },
    h(MenuButton, { label: speak.t("board.views"), items, tone: undefined, buttonClass: "tc-btn tb-views-button", "data-test": "views" },
      h(Bookmark, { "aria-hidden": true }), h("span", { className: "tc-clip" }, current ? `${current.name}${changed ? " *" : ""}` : speak.t("board.views"))),
    h(ViewDialog, { view: editing, mayShare, onSave: save, onClose: () => setEditing(null) }));
}

export function BoardFilters({ choices = {}, views = [], saved, mayBeMine, mayShare, dense, onDense, peeks, onPeeks, onAllSeen, presence, onSaveView, onDeleteView }) {
  const speak = useLanguage();
  const [asked, setAsked] = useSearchParams();
  const [typed, setTyped] = useState(asked.get("q") ?? "");
  const [open, setOpen] = useState(false);
  const timer = useRef(null);

  useEffect(() => () => clearTimeout(timer.current), []);
  const sought = asked.get("q") ?? "";
  useEffect(() => {
    setTyped((before) => (before.trim() === sought ? before : sought));
  }, [sought]);

  const set = (key, value) => setAsked((before) => {
    const next = new URLSearchParams(before);
    if (value) next.set(key, value);
    else next.delete(key);
    return next;
  }, { replace: true });
  const search = (value) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => set("q", value.trim()), PAUSE);
  };
  const clear = () => {
    clearTimeout(timer.current);
    setTyped("");
    setAsked((before) => new URLSearchParams([...before].filter(([key]) => !FILTERS.includes(key))), { replace: true });
  };

  const value = (key) => asked.get(key) ?? "";
  const active = FILTERS.filter((key) => value(key)).length;
  const priorities = [1, 2, 3, 4].map((each) => ({ value: String(each), label: speak.t(`priority.${each}`) }));
  const flip = (key) => () => set(key, value(key) ? "" : "1");

  return h("div", { className: "tb-bar", role: "search", "aria-label": speak.t("board.filters") },
    h("label", { className: "tc-search" }, h(Search, { "aria-hidden": true }),
      h("input", {
        type: "search", className: "tc-input", "data-search": true, value: typed, placeholder: speak.t("board.search"), "aria-label": speak.t("board.search"),
        maxLength: 100, onChange: (event) => search(event.target.value),
        onKeyDown: (event) => event.key === "Escape" && (typed ? search("") : event.currentTarget.blur()),
      })),
    h(Views, { views, saved, mayShare, asked, setAsked, onSave: onSaveView, onDelete: onDeleteView }),
    h("button", { type: "button", className: "tc-btn tb-more-filters", "aria-expanded": open, onClick: () => setOpen(!open) },
      h(ListFilter, { "aria-hidden": true }), active > 0 ? active : null, h("span", { className: "tc-sr" }, speak.t("board.filters"))),
    h("div", { className: "tb-picks", "data-open": open },
      h(Shape, { name: "by", value: LANES.includes(value("by")) ? value("by") : "stage", keys: LANES, usual: "stage", onChange: set }),
      h(Shape, { name: "rows", value: ROWS.includes(value("rows")) ? value("rows") : "none", keys: ROWS, usual: "none", onChange: set }),
      h("span", { className: "tb-rule", "aria-hidden": true }),
      h(Pick, { name: "region", value: value("region"), options: choices.region ?? [], onChange: set }),
      h(Pick, { name: "template", value: value("template"), options: choices.template ?? [], onChange: set }),
      h(Pick, { name: "priority", value: value("priority"), options: priorities, onChange: set }),
      h(Pick, { name: "assignee", value: value("assignee"), options: choices.assignee ?? [], onChange: set, extra: [["none", speak.t("board.unassigned")]] }),
      SWITCHES.map((key) => h(Toggle, { key, on: value(key) === "1", onClick: flip(key) }, speak.t(`board.filter.${key}`))),
      mayBeMine && h(Toggle, { on: value("mine") === "1", onClick: flip("mine") }, speak.t("board.filter.mine")),
      value("unread") === "1" && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: () => onAllSeen?.() }, h(CheckCheck, { "aria-hidden": true }), speak.t("board.all_seen")),
      active > 0 && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: clear }, h(X, { "aria-hidden": true }), speak.t("board.filter.clear"))),
    h("span", { className: "tb-gap" }),
    presence,
    h("button", {
      type: "button", className: "tc-btn tb-peeks", "data-tone": "quiet", "data-shape": "icon", "aria-pressed": peeks,
      "aria-label": speak.t("board.peeks"), title: speak.t("board.peeks"), onClick: () => onPeeks(!peeks),
    }, h(peeks ? Eye : EyeOff, { "aria-hidden": true })),
    h("button", {
      type: "button", className: "tc-btn tb-density", "data-tone": "quiet", "data-shape": "icon", "aria-pressed": dense,
      "aria-label": speak.t("board.dense"), title: speak.t("board.dense"), onClick: () => onDense(!dense),
    }, h(dense ? Rows4 : Rows3, { "aria-hidden": true })));
}
