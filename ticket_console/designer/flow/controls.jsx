// The small controls of the inspector. Each tells its value once it is settled, so that one change is one gesture.
import { createElement as h, useEffect, useId, useRef, useState } from "react";
import { ChevronDown, ChevronRight, ChevronUp, Plus, Trash2 } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

export function Field({ label, help, problem, children }) {
  const id = useId();
  return h("div", { className: "fl-field" },
    label && h("label", { htmlFor: id }, label),
    children(id),
    help && h("span", { className: "tc-help" }, help),
    problem && h("span", { className: "tc-problem", role: "alert" }, problem));
}

// Keeps what is being typed; tells it on Enter, on leaving, and when the field is taken away while typing.
function useTyped(value, onDone) {
  const [text, setText] = useState(value);
  const state = useRef({ text: value, value, onDone });
  state.current.onDone = onDone;
  useEffect(() => {
    setText(value);
    state.current.text = value;
    state.current.value = value;
  }, [value]);
  const settle = () => {
    const { text: typed, value: before } = state.current;
    if (typed !== before) {
      state.current.value = typed;
      state.current.onDone(typed);
    }
  };
  useEffect(() => settle, []);
  return {
    value: text,
    onChange: (event) => {
      setText(event.target.value);
      state.current.text = event.target.value;
    },
    onBlur: settle,
    onKeyDown: (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && event.target.tagName !== "TEXTAREA") settle();
    },
  };
}

export function Text({ id, value, onDone, long, ...rest }) {
  const typed = useTyped(value ?? "", onDone);
  return h(long ? "textarea" : "input", { id, className: long ? "tc-area" : "tc-input", maxLength: long ? 2000 : 200, ...rest, ...typed });
}

export function Label({ label, value, onDone, long, help, autoFocus }) {
  const speak = useLanguage();
  return h(Field, { label, help }, (id) => h("div", { className: "fl-pair" }, ["zh", "en"].map((language, at) => h("span", { key: language, className: "fl-tongue" },
    h("i", { "aria-hidden": true }, speak.t(`flow_designer.tongue.${language}`)),
    h(Text, { id: at === 0 ? id : undefined, lang: language, long, value: value?.[language] ?? "", "data-focus": autoFocus && at === 0 ? true : undefined, "aria-label": `${label} (${speak.t(`flow_designer.tongue.${language}`)})`, onDone: (text) => onDone(language, text.trim()) })))));
}

export function Choice({ label, value, options, onDone, none, help, small }) {
  const speak = useLanguage();
  const select = (id) => h("select", {
    id, className: "tc-select", value: value ?? "", "aria-label": small ? label : undefined, onKeyDown: (event) => event.stopPropagation(), onChange: (event) => onDone(event.target.value || null),
  },
    none !== undefined && h("option", { value: "" }, none),
    value && !options.some((each) => each.value === value) && h("option", { value }, value),
    options.map((each) => h("option", { key: each.value, value: each.value }, speak.label(each.label))));
  return small ? select() : h(Field, { label, help }, select);
}

export function Whole({ label, value, onDone, min = 0, max = 1_000_000, unit, help }) {
  return h(Field, { label, help }, (id) => h("span", { className: "fl-unit" },
    h(Text, { id, type: "number", inputMode: "numeric", min, max, value: value === undefined || value === null ? "" : String(value), onDone: (text) => onDone(text === "" ? null : Math.max(min, Math.min(max, Math.round(Number(text) || 0)))) }),
    unit && h("span", null, unit)));
}

const UNITS = [["minutes", 60], ["hours", 3600], ["days", 86_400]];

export function Duration({ label, seconds, onDone, help }) {
  const speak = useLanguage();
  const fitting = UNITS.toReversed().find(([, size]) => seconds && seconds % size === 0) ?? UNITS[0];
  const [unit, setUnit] = useState(fitting[0]);
  useEffect(() => setUnit(fitting[0]), [seconds]);
  const size = UNITS.find(([name]) => name === unit)[1];
  return h(Field, { label, help }, (id) => h("span", { className: "fl-unit" },
    h(Text, { id, type: "number", min: 0, value: seconds === null || seconds === undefined ? "" : String(Math.round((seconds / size) * 100) / 100), onDone: (text) => onDone(text === "" ? null : Math.round(Number(text) * size)) }),
    h("select", {
      className: "tc-select", value: unit, "aria-label": speak.t("flow_designer.unit"),
      onChange: (event) => {
        setUnit(event.target.value);
        if (seconds) onDone(Math.round((seconds / size) * UNITS.find(([name]) => name === event.target.value)[1]));
      },
    }, UNITS.map(([name]) => h("option", { key: name, value: name }, speak.t(`flow_designer.unit.${name}`))))));
}

export function Toggle({ label, value, onDone, help }) {
  const id = useId();
  return h("div", { className: "fl-toggle" },
    h("input", { id, type: "checkbox", checked: Boolean(value), onChange: (event) => onDone(event.target.checked) }),
    h("label", { htmlFor: id }, label, help && h("span", { className: "tc-help" }, help)));
}

// A list whose members can be added, moved and taken away; `draw(member, change, index)` draws one.
export function Listed({ label, list = [], onDone, draw, fresh, addLabel, empty, titleOf }) {
  const speak = useLanguage();
  const change = (index, next) => onDone(list.with(index, next));
  const move = (index, by) => onDone(list.toSpliced(index, 1).toSpliced(index + by, 0, list[index]));
  const tool = (key, Icon, act, disabled) => h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small", title: speak.t(`flow_designer.list.${key}`), "aria-label": speak.t(`flow_designer.list.${key}`), disabled, onClick: act }, h(Icon, { "aria-hidden": true }));
  return h("div", { className: "fl-list" },
    label && h("span", { className: "fl-label" }, label),
    list.length === 0 && empty && h("p", { className: "tc-help" }, empty),
    list.map((member, index) => h("div", { key: member?.key ?? index, className: "fl-list-item" },
      h("div", { className: "fl-list-head" },
        h("span", null, titleOf ? titleOf(member, index) : speak.number(index + 1)),
        tool("up", ChevronUp, () => move(index, -1), index === 0), tool("down", ChevronDown, () => move(index, 1), index === list.length - 1), tool("remove", Trash2, () => onDone(list.toSpliced(index, 1)))),
      draw(member, (next) => change(index, next), index))),
    fresh && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => onDone([...list, fresh()]) }, h(Plus, { "aria-hidden": true }), addLabel));
}

const OPENED = "tc_flow_sections";

export function Section({ name, title, count, children, startOpen }) {
  const [open, setOpen] = useState(() => {
    try {
      return JSON.parse(window.localStorage.getItem(OPENED))?.[name] ?? Boolean(startOpen);
    } catch {
      return Boolean(startOpen);
    }
  });
  const toggle = () => {
    let kept = {};
    try {
      kept = JSON.parse(window.localStorage.getItem(OPENED)) ?? {};
    } catch {
      kept = {};
    }
    window.localStorage.setItem(OPENED, JSON.stringify({ ...kept, [name]: !open }));
    setOpen(!open);
  };
  return h("section", { className: "fl-section", "data-section": name },
    h("button", { type: "button", className: "fl-section-head", "aria-expanded": open, onClick: toggle },
      h(open ? ChevronDown : ChevronRight, { "aria-hidden": true }), h("span", null, title), count ? h("span", { className: "fl-section-count" }, count) : null),
    open && h("div", { className: "fl-section-body" }, children));
}
