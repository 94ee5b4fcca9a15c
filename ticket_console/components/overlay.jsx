// What lies over a page: menus, dialogs, notices, the connection banner and the keyboard.
import { createElement as h, useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { Link, useNavigate } from "react-router";
import { toast } from "sonner";
import { Bell, ChevronDown, Ellipsis, Languages, LogOut, MonitorX, Moon, PanelLeft, Sun } from "lucide-react";
import { ColorModeContext, EventLoopContext } from "$/utils/context-registry";
import { setLocale, speakerNow, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

// A place for a small panel beside its button: below it where there is room, else above.
function placeBeside(button, panel) {
  const anchor = button.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const below = anchor.bottom + 4 + height <= window.innerHeight - 8;
  panel.style.top = `${Math.max(8, below ? anchor.bottom + 4 : anchor.top - height - 4)}px`;
  panel.style.left = `${Math.max(8, Math.min(anchor.left, window.innerWidth - width - 8))}px`;
}

// items: {key, label, icon?, tone?, hint?, disabled?, href?, download?, action?, onSelect?} | {line: true} | {heading}
// `action` posts a plain form, for what must leave the page with the cookie in hand.
export function MenuButton({ label, items, onOpen, buttonClass = "tc-btn", shape, tone = "quiet", children, ...rest }) {
  const [open, setOpen] = useState(false);
  const button = useRef(null);
  const panel = useRef(null);
  const id = useId();

  const close = (refocus = true) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  };

  useLayoutEffect(() => {
    if (!open) return undefined;
    placeBeside(button.current, panel.current);
    panel.current.querySelector(".tc-menu-item:not([disabled])")?.focus({ preventScroll: true });
    const outside = (event) => {
      if (!panel.current?.contains(event.target) && !button.current?.contains(event.target)) close(false);
    };
    const moved = (event) => {
      if (!panel.current?.contains(event.target)) close(false);
    };
    document.addEventListener("pointerdown", outside, true);
    window.addEventListener("resize", moved);
    window.addEventListener("scroll", moved, true);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      window.removeEventListener("resize", moved);
      window.removeEventListener("scroll", moved, true);
    };
  }, [open]);

  const onKeyDown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      close();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...panel.current.querySelectorAll(".tc-menu-item:not([disabled])")];
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next?.focus();
  };

  const entry = (item, index) => {
    if (item.line) return h("div", { key: index, className: "tc-menu-line", role: "separator" });
    if (item.heading) return h("div", { key: index, className: "tc-menu-label" }, item.heading);
    const inner = [
      item.icon && h("span", { key: "i", style: { display: "contents" }, "aria-hidden": true }, item.icon),
      h("span", { key: "l", style: { flex: 1 } }, item.label, item.hint && h("span", { className: "tc-help", style: { display: "block" } }, item.hint)),
    ];
    const common = { className: "tc-menu-item", role: "menuitem", "data-tone": item.tone };
    if (item.download) return h("a", { key: item.key, href: item.href, download: true, ...common, onClick: () => close(false) }, inner);
    if (item.href) return h(Link, { key: item.key, to: item.href, ...common, onClick: () => close(false) }, inner);
    if (item.action) {
      return h("form", { key: item.key, method: "post", action: item.action, role: "none" }, h("button", { type: "submit", ...common }, inner));
    }
    const pick = () => {
      close();
      item.onSelect?.(item.key);
    };
    return h("button", { key: item.key, type: "button", disabled: item.disabled, ...common, onClick: pick }, inner);
  };

  return h("span", { style: { display: "contents" } },
    h("button", {
      ...rest, ref: button, type: "button", className: buttonClass, "data-tone": tone, "data-shape": shape,
      "aria-label": label, title: shape === "icon" ? label : undefined,
      "aria-haspopup": "menu", "aria-expanded": open, "aria-controls": open ? id : undefined,
      onClick: () => {
        if (!open) onOpen?.();
        setOpen(!open);
      },
    }, children),
    open && createPortal(
      h("div", { id, ref: panel, className: "tc-menu", role: "menu", "aria-label": label, onKeyDown }, items.map(entry)),
      document.body,
    ));
}

export function RowMenu({ items = [], label, onPick }) {
  const speak = useLanguage();
  const shown = items.map((item) => (item.line ? item : { ...item, label: speak.label(item.label), onSelect: onPick }));
  return h(MenuButton, { label: label ?? speak.t("common.more"), items: shown, shape: "icon" }, h(Ellipsis, { "aria-hidden": true }));
}

// The browser keeps the focus inside a native modal dialog and gives it back when it closes.
// `shape` "sheet": on a phone it rises from the lower edge, within reach of the thumb.
export function Dialog({ open, title, text, wide, shape, onClose, onOpenChange, children }) {
  const box = useRef(null);
  const heading = useId();
  useEffect(() => {
    if (open && !box.current.open) {
      box.current.showModal();
      box.current.querySelector("[data-focus]")?.focus();
    }
    if (!open && box.current.open) box.current.close();
  }, [open]);
  const closed = () => {
    if (!open) return;
    onClose?.();
    onOpenChange?.(false);
  };
  return h("dialog", {
    ref: box, className: "tc-dialog", "data-width": wide ? "wide" : undefined, "data-shape": shape, "aria-labelledby": heading,
    onClose: closed,
    onKeyDown: (event) => event.stopPropagation(),
    onMouseDown: (event) => event.target === box.current && box.current.close(),
  }, open && h("div", { className: "tc-dialog-body" },
    h("h2", { id: heading }, title),
    text && h("p", null, text),
    children));
}

// Asks "are you sure", and for a reason where one is wanted; tells the answer only when confirmed.
export function ReasonDialog({ open, title, text, reasonLabel, confirmLabel, tone = "primary", asksReason = true, suggestions = [], onConfirm, onCancel }) {
  const speak = useLanguage();
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const field = useId();
  useEffect(() => {
    if (open) {
      setReason("");
      setMissing(false);
    }
  }, [open]);
  const submit = (event) => {
    event.preventDefault();
    if (asksReason && !reason.trim()) {
      setMissing(true);
      return;
    }
    onConfirm?.(reason.trim());
  };
  return h(Dialog, { open, title, text, onClose: () => onCancel?.() },
    h("form", { onSubmit: submit, noValidate: true, style: { padding: 0 } },
      asksReason && h("div", { className: "tc-field" },
        h("label", { htmlFor: field }, reasonLabel ?? speak.t("dialog.reason"), h("span", { className: "tc-need", "aria-hidden": true }, "*")),
        suggestions.length > 0 && h("div", { className: "tc-choices" }, suggestions.map((each) => h("button", {
          key: each, type: "button", className: "tc-btn", "data-size": "small", onClick: () => setReason(each),
        }, each))),
        h("textarea", {
          id: field, className: "tc-area", value: reason, "data-focus": true, required: true, maxLength: 500,
          "aria-invalid": missing || undefined, "aria-describedby": missing ? `${field}-missing` : undefined,
          onChange: (event) => {
            setReason(event.target.value);
            setMissing(false);
          },
          onKeyDown: (event) => (event.metaKey || event.ctrlKey) && event.key === "Enter" && submit(event),
        }),
        missing && h("span", { id: `${field}-missing`, className: "tc-problem", role: "alert" }, speak.t("dialog.reason.missing"))),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: () => onCancel?.() }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": tone, "data-focus": asksReason ? undefined : true }, confirmLabel ?? speak.t("common.confirm")))));
}

// Notices: the server sends a key and its figures, the sentence is made here.
export function notify({ tone, key, params = {}, problems = [] }) {
  const speak = speakerNow();
  const show = toast[tone] ?? toast;
  const known = speak.known(key) ? key : tone === "error" ? "console.unexpected" : key;
  const lines = problems.slice(0, 4).map((each) => `${each.path ? `${each.path}: ` : ""}${speak.t(each.code, each.params)}`);
  show(speak.t(known, params), {
    id: `${key}:${JSON.stringify(params)}`,
    description: lines.length ? h("div", { style: { whiteSpace: "pre-line" } }, lines.join("\n")) : undefined,
    duration: tone === "error" ? 8000 : 4000,
  });
}

export function NoticeHub() {
  useEffect(() => {
    window.tcNotify = notify;
  }, []);
  return null;
}

export function ConnectionBanner() {
  const speak = useLanguage();
  const [, errors] = useContext(EventLoopContext) ?? [null, []];
  const [offline, setOffline] = useState(false);
  const [since, setSince] = useState(null);
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
  const lost = offline || errors.length > 0;
  useEffect(() => {
    setSince((before) => (lost ? before ?? new Date() : null));
    document.documentElement.toggleAttribute("data-stale", lost);
  }, [lost]);
  return h("div", { role: "status", "aria-live": "polite" },
    lost && since && h("div", { className: "tc-link-lost" }, h("i", { "aria-hidden": true }), speak.t("connection.stale", { at: speak.when(since, undefined, "clock") })));
}

export function CrashScreen({ reset }) {
  const speak = useLanguage();
  return h("div", { className: "tc-empty", role: "alert", style: { minHeight: "60dvh" } },
    h("strong", null, speak.t("crash.title")), h("p", null, speak.t("crash.text")),
    h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => window.location.reload() }, speak.t("crash.reload")));
}

export function LocaleSwitch() {
  const speak = useLanguage();
  const items = [["zh", "中文"], ["en", "English"]].map(([key, label]) => ({
    key, label, onSelect: setLocale, icon: h("span", { style: { width: 15 } }, speak.name === key ? "✓" : ""),
  }));
  return h(MenuButton, { label: speak.t("shell.language"), items, shape: "icon", "data-test": "language" }, h(Languages, { "aria-hidden": true }));
}

export function ThemeSwitch() {
  const speak = useLanguage();
  const { rawColorMode, resolvedColorMode, setColorMode } = useContext(ColorModeContext);
  const items = ["light", "dark", "system"].map((key) => ({
    key, label: speak.t(`shell.theme.${key}`), onSelect: setColorMode,
    icon: h("span", { style: { width: 15 } }, rawColorMode === key ? "✓" : ""),
  }));
  return h(MenuButton, { label: speak.t("shell.theme"), items, shape: "icon", "data-test": "theme" },
    h(resolvedColorMode === "dark" ? Moon : Sun, { "aria-hidden": true }));
}

export function UserMenu({ name, roles = [] }) {
  const speak = useLanguage();
  const items = [
    { heading: roles.map((role) => speak.t(`role.${role}`)).join(" · ") },
    { key: "out", label: speak.t("shell.logout"), icon: h(LogOut), action: "/auth/logout" },
    { key: "everywhere", label: speak.t("shell.logout_everywhere"), icon: h(MonitorX), tone: "danger", action: "/auth/logout-everywhere" },
  ];
  return h(MenuButton, { label: speak.t("shell.user", { name }), items, buttonClass: "tc-user" },
    h("span", { className: "tc-avatar", "aria-hidden": true }, name?.slice(0, 1).toUpperCase()),
    h("span", { className: "tc-user-name" }, name), h(ChevronDown, { size: 14, className: "tc-wide", "aria-hidden": true }));
}

const LOOK_AGAIN_MS = 30_000;

// A page that nobody looks at does not ask.
export function NoticeBell({ unread = 0, onLook }) {
  const speak = useLanguage();
  const look = useRef(onLook);
  look.current = onLook;
  useEffect(() => {
    const again = () => document.visibilityState === "visible" && look.current?.();
    again();
    const timer = window.setInterval(again, LOOK_AGAIN_MS);
    document.addEventListener("visibilitychange", again);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
    };
  }, []);
  const label = unread > 0 ? speak.t("notices.unread", { n: unread }) : speak.t("notices.title");
  return h(Link, { to: "/notices", className: "tc-btn tc-bell", "data-tone": "quiet", "data-shape": "icon", "aria-label": label, title: label },
    h(Bell, { "aria-hidden": true }),
    unread > 0 && h("span", { className: "tc-bell-count", "aria-hidden": true }, unread > 99 ? "99+" : unread));
}

const NAV = "tc_nav";

export function toggleNav() {
  const root = document.documentElement;
  const next = root.dataset.nav === "narrow" ? "wide" : "narrow";
  root.dataset.nav = next;
  window.localStorage.setItem(NAV, next);
}

export function NavToggle() {
  const speak = useLanguage();
  return h("button", {
    type: "button", className: "tc-btn tc-nav-toggle", "data-tone": "quiet", "data-shape": "icon",
    "aria-label": speak.t("shell.nav.toggle"), title: speak.t("shell.nav.toggle"), onClick: toggleNav,
  }, h(PanelLeft, { "aria-hidden": true }));
}

const isTyping = (target) => target?.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target?.tagName ?? "");

// Of the places [{href, permission, role}] those the viewer may go to.
export function usePlaces(all, roles, permissions) {
  return useMemo(
    () => all.filter((each) => (each.role ? roles.includes(each.role) : permissions.includes(each.permission))),
    [all, roles, permissions],
  );
}

// places: [{keys: "g b", href, label: key, permission, role}], of which the viewer gets those they may go to;
// extra: [{keys, label: key}] are only listed, the page itself listens.
export function Shortcuts({ places: all = [], extra = [], roles = [], permissions = [] }) {
  const speak = useLanguage();
  const places = usePlaces(all, roles, permissions);
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  // Kept beside the listener, which is renewed when the viewer becomes known, perhaps between two keys.
  const first = useRef("");
  const timer = useRef();
  useEffect(() => {
    const onKey = (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
      const pressed = first.current ? `${first.current} ${event.key}` : event.key;
      clearTimeout(timer.current);
      const place = places.find((each) => each.keys === pressed);
      first.current = "";
      if (place) navigate(place.href);
      else if (event.key === "?") setOpen(true);
      else if (event.key === "[") toggleNav();
      else if (event.key === "/") document.querySelector("[data-search]")?.focus();
      else if (places.some((each) => each.keys.startsWith(`${event.key} `))) {
        first.current = event.key;
        timer.current = setTimeout(() => {
          first.current = "";
        }, 1200);
        return;
      } else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [places, navigate]);
  const general = [
    { keys: "?", label: "keys.help" }, { keys: "/", label: "keys.search" }, { keys: "[", label: "keys.nav" }, { keys: "Esc", label: "keys.close" },
  ];
  const row = (each) => h("div", { key: each.keys },
    h("dt", null, speak.t(each.label)),
    h("dd", null, each.keys.split(" ").map((key, at) => h("kbd", { key: at, className: "tc-kbd" }, key))));
  return h(Dialog, { open, title: speak.t("keys.title"), wide: true, onClose: () => setOpen(false) },
    h("dl", { className: "tc-keys" }, [...places, ...extra, ...general].map(row)),
    h("div", { className: "tc-dialog-foot" },
      h("button", { type: "button", className: "tc-btn", "data-focus": true, onClick: () => setOpen(false) }, speak.t("common.close"))));
}
