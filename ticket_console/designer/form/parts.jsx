// Small controls of the form designer: texts in both languages, switches, groups that fold, icons by name.
import { createElement as h, useEffect, useId, useRef, useState } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { iconOf } from "./icons.js";

const LANGUAGES = ["zh", "en"];

export function Icon({ name, ...rest }) {
  return h(iconOf(name), { "aria-hidden": true, ...rest });
}

// Why somebody bound to a department reads here and does not write.
export function ForeignNote({ owner, department }) {
  const speak = useLanguage();
  return h("div", { className: "tc-note fm-foreign", "data-tone": "plain", role: "note" }, h(Icon, { name: "lock" }),
    h("span", null, speak.t(owner ? "form_designer.foreign" : "form_designer.foreign.nobody", { owner, department })));
}

// What is chosen on a page stands in its address, without the page being loaded anew.
export function useInAddress(name, fallback = "") {
  const [value, setValue] = useState(() => new URLSearchParams(window.location.search).get(name) ?? fallback);
  const set = (next) => {
    setValue(next);
    const here = new URL(window.location.href);
    if (next === fallback) here.searchParams.delete(name);
    else here.searchParams.set(name, next);
    window.history.replaceState(window.history.state, "", here);
  };
  return [value, set];
}

export function IconButton({ icon, label, tone = "quiet", small, ...rest }) {
  return h("button", {
    type: "button", className: "tc-btn", "data-tone": tone, "data-shape": "icon", "data-size": small ? "small" : undefined, "aria-label": label, title: label, ...rest,
  }, h(Icon, { name: icon }));
}

export function Row({ label, help, problem, children, grouped }) {
  const id = useId();
  const caption = grouped ? h("span", { className: "tc-label", id }, label) : h("span", { className: "tc-label" }, label);
  const inner = grouped
    ? h("div", { className: "tc-field", role: "group", "aria-labelledby": id }, caption, children)
    : h("label", { className: "tc-field" }, caption, children);
  return h("div", { className: "tc-field fm-row", "data-problem": problem ? true : undefined }, inner,
    help && h("span", { className: "tc-help" }, help),
    problem && h("span", { className: "tc-problem", role: "alert" }, problem));
}

// Tells every letter; what it holds is always what the document says, except while the user is in it.
export function TextBox({ value, onChange, onDone, area, mono, ...rest }) {
  const [typed, setTyped] = useState(null);
  const common = {
    className: `${area ? "tc-area" : "tc-input"}${mono ? " tc-mono" : ""}`, value: typed ?? value ?? "",
    onChange: (event) => {
      setTyped(event.target.value);
      onChange?.(event.target.value);
    },
    onBlur: () => {
      if (typed !== null) onDone?.(typed);
      setTyped(null);
    },
    ...rest,
  };
  return area ? h("textarea", { rows: 2, ...common }) : h("input", { type: "text", autoComplete: "off", ...common });
}

export function Bilingual({ label, value = {}, onChange, onDone, area, help, problem, limit = 300, focusRef }) {
  const speak = useLanguage();
  const spokenFirst = [...LANGUAGES].sort((one, other) => (one === speak.name ? -1 : other === speak.name ? 1 : 0));
  return h(Row, { label, help, problem, grouped: true },
    h("div", { className: "fm-both" }, spokenFirst.map((locale, at) => h("label", { key: locale, className: "fm-tongue" },
      h("span", { "aria-hidden": true }, speak.t(`form_designer.tongue.${locale}`)),
      h("span", { className: "tc-sr" }, `${label} ${speak.t(`form_designer.language.${locale}`)}`),
      h(TextBox, {
        area, value: value?.[locale], maxLength: limit, lang: locale, "data-tongue": locale, id: at === 0 ? focusRef : undefined,
        onChange: (text) => onChange(locale, text), onDone: (text) => onDone?.(locale, text),
      })))));
}

export function Switch({ label, hint, on, onChange, disabled }) {
  return h("label", { className: "fm-switch" },
    h("span", null, label, hint && h("span", { className: "tc-help" }, hint)),
    h("input", { type: "checkbox", role: "switch", checked: Boolean(on), disabled, onChange: (event) => onChange(event.target.checked) }),
    h("i", { "aria-hidden": true }));
}

// A few values of which one holds, side by side.
export function Segmented({ label, value, options, onChange, disabled }) {
  const name = useId();
  return h("div", { className: "fm-segments", role: "radiogroup", "aria-label": label }, options.map((option) => h("label", { key: option.value, title: option.title },
    h("input", { type: "radio", name, disabled, checked: option.value === value, onChange: () => onChange(option.value) }),
    h("span", null, option.icon && h(Icon, { name: option.icon }), option.label))));
}

export function Select({ value, options, onChange, empty, ...rest }) {
  const speak = useLanguage();
  return h("select", { className: "tc-select", value: value ?? "", onChange: (event) => onChange(event.target.value), ...rest },
    empty !== undefined && h("option", { value: "" }, empty),
    options.map((option) => h("option", { key: option.value, value: option.value }, speak.label(option.label))));
}

const FOLDED = "tc_form_designer_folded";
const foldedBefore = () => {
  try {
    return JSON.parse(window.localStorage.getItem(FOLDED)) ?? {};
  } catch {
    return {};
  }
};

export function Group({ name, title, icon, count, children, open = true, warn }) {
  const [isOpen, setOpen] = useState(() => foldedBefore()[name] ?? open);
  useEffect(() => {
    if (warn) setOpen(true);
  }, [warn]);
  return h("details", {
    className: "fm-group", open: isOpen,
    onToggle: (event) => {
      const next = event.currentTarget.open;
      if (next === isOpen) return;
      setOpen(next);
      window.localStorage.setItem(FOLDED, JSON.stringify({ ...foldedBefore(), [name]: next }));
    },
  },
    h("summary", null, icon && h(Icon, { name: icon }), h("span", null, title), count ? h("span", { className: "fm-count" }, count) : null,
      warn && h("span", { className: "fm-dot", "data-tone": "danger" }), h(Icon, { name: "chevron_down", className: "fm-chevron" })),
    h("div", { className: "fm-group-body" }, children));
}

export const COLOURS = ["grey", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"];

export function ColourPick({ value, onChange, label }) {
  const speak = useLanguage();
  const [open, setOpen] = useState(false);
  const root = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (event) => root.current?.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, [open]);
  const pick = (colour) => {
    setOpen(false);
    onChange(colour);
    root.current?.querySelector("button")?.focus();
  };
  return h("span", { ref: root, className: "fm-colour", onKeyDown: (event) => event.key === "Escape" && open && (event.stopPropagation(), setOpen(false)) },
    h("button", { type: "button", className: "fm-swatch", "data-colour": value || "none", "aria-haspopup": "true", "aria-expanded": open, "aria-label": label, title: label, onClick: () => setOpen(!open) }),
    open && h("span", { className: "fm-swatches", role: "group", "aria-label": label }, ["", ...COLOURS].map((colour) => h("button", {
      key: colour, type: "button", className: "fm-swatch", "data-colour": colour || "none", "aria-pressed": (value ?? "") === colour,
      "aria-label": speak.t(`form_designer.colour.${colour || "none"}`), title: speak.t(`form_designer.colour.${colour || "none"}`), onClick: () => pick(colour),
    }))));
}
