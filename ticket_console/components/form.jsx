// The fields of a template as a form: every field kind, kept in the browser until it is sent as a whole.
import { createElement as h, useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { Camera, LocateFixed, Paperclip, Plus, Star, Trash2, Undo2, X } from "lucide-react";
import { AddressInput, ChecklistInput, DurationInput, FormulaValue, KeptValue, LiveValue, RecordInput, ScanInput, TableInput } from "$/public/external/ticket_console/components/form/form_fields.jsx";
import { answersOf, holds, nameOf } from "$/public/external/ticket_console/components/form/form_rules.js";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const MAX_SIDE = 1600;
const WIDE = new Set(["long_text", "photo", "file", "signature", "multi_choice", "parts", "address", "table", "checklist", "heading"]);
const TELL_AFTER_MS = 400;

const isEmpty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

// A phone's photo is several megabytes; drawing it anew makes it small and leaves its EXIF data behind.
async function lighter(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return file;
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return file;
  const scale = Math.min(1, MAX_SIDE / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
  return blob ? new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : file;
}

async function send(url, file) {
  const body = new FormData();
  body.append("file", file, file.name);
  const answer = await fetch(url, { method: "POST", body });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told.code), { code: told.code ?? "attachment.refused", params: told.params ?? {} });
  return told;
}

// The value is a list of what the server answered for each file: {id, name, ...}.
// With `fixed` what was sent stays: evidence is added to and never taken back.
export function Upload({ id, value = [], uploadUrl, accept, photo, fixed, disabled, onChange, ...aria }) {
  const speak = useLanguage();
  const input = useRef(null);
  const [busy, setBusy] = useState(0);
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState(null);
  const [previews, setPreviews] = useState({});
  const files = Array.isArray(value) ? value : [];
  const latest = useRef(files);
  latest.current = files;

  const add = async (chosen) => {
    setProblem(null);
    for (const original of chosen) {
      setBusy((count) => count + 1);
      try {
        const file = await lighter(original);
        const kept = await send(uploadUrl, file);
        if (file.type.startsWith("image/")) setPreviews((before) => ({ ...before, [kept.id]: URL.createObjectURL(file) }));
        // The page may have heard of the file from the server before this answer came.
        latest.current = [...latest.current.filter((each) => each.id !== kept.id), kept];
        onChange(latest.current);
      } catch (error) {
        setProblem(speak.t(speak.known(error.code) ? error.code : "attachment.refused", error.params));
      } finally {
        setBusy((count) => count - 1);
      }
    }
  };
  const remove = (file) => onChange(files.filter((each) => each.id !== file.id));
  const label = speak.t(photo ? "form.photo.add" : "form.file.add");

  return h("div", {
    className: "tc-drop", "data-over": over,
    onDragOver: (event) => {
      event.preventDefault();
      setOver(!disabled);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event) => {
      event.preventDefault();
      setOver(false);
      if (!disabled) add([...event.dataTransfer.files]);
    },
  },
    files.length > 0 && h("div", { className: "tc-thumbs" }, files.map((file) => h("div", { key: file.id, className: "tc-thumb" },
      previews[file.id] ?? file.url ? h("img", { src: previews[file.id] ?? file.url, alt: file.name ?? "" }) : h("span", null, file.name),
      !disabled && !fixed && h("button", { type: "button", "aria-label": speak.t("form.file.remove", { name: file.name }), onClick: () => remove(file) }, h(X, { size: 14 }))))),
    h("input", {
      ...aria, ref: input, id, type: "file", className: "tc-sr", multiple: true, disabled, tabIndex: -1,
      accept: accept ?? (photo ? "image/*" : undefined), capture: photo ? "environment" : undefined,
      onChange: (event) => {
        add([...event.target.files]);
        event.target.value = "";
      },
    }),
    !disabled && h("button", { type: "button", className: "tc-btn", disabled: busy > 0, onClick: () => input.current.click() },
      busy > 0 ? h("span", { className: "tc-spin" }) : h(photo ? Camera : Paperclip, { "aria-hidden": true }), label),
    problem && h("span", { className: "tc-problem", role: "alert" }, problem));
}

// Tells the drawing as the "d" of an SVG path on a sheet of 1000 x 400, whatever the size on screen.
export function SignaturePad({ value = "", disabled, onChange, label, "aria-describedby": describedBy }) {
  const speak = useLanguage();
  const sheet = useRef(null);
  const drawing = useRef(null);
  const [path, setPath] = useState(value ?? "");
  useEffect(() => setPath(value ?? ""), [value]);

  const point = (event) => {
    const box = sheet.current.getBoundingClientRect();
    const x = Math.round(((event.clientX - box.left) / box.width) * 1000);
    const y = Math.round(((event.clientY - box.top) / box.height) * 400);
    return `${Math.max(0, Math.min(1000, x))} ${Math.max(0, Math.min(400, y))}`;
  };
  const start = (event) => {
    if (disabled || event.button > 0) return;
    sheet.current.setPointerCapture(event.pointerId);
    drawing.current = `${path ? `${path} ` : ""}M ${point(event)}`;
    setPath(drawing.current);
  };
  const move = (event) => {
    if (drawing.current === null) return;
    drawing.current += ` L ${point(event)}`;
    setPath(drawing.current);
  };
  const stop = () => {
    if (drawing.current === null) return;
    const drawn = drawing.current;
    drawing.current = null;
    onChange?.(drawn);
  };
  const clear = () => {
    setPath("");
    onChange?.("");
  };

  return h("div", { className: "tc-stack", style: { "--gap": "6px" } },
    h("div", {
      ref: sheet, className: "tc-sign", role: "img", "aria-describedby": describedBy, "aria-label": label ?? speak.t("form.signature"),
      onPointerDown: start, onPointerMove: move, onPointerUp: stop, onPointerCancel: stop,
    },
      !path && h("span", { className: "tc-sign-hint" }, speak.t("form.signature.hint")),
      h("svg", { viewBox: "0 0 1000 400", preserveAspectRatio: "none" },
        h("path", { d: path, fill: "none", stroke: "#16191f", strokeWidth: 2.5, strokeLinecap: "round", strokeLinejoin: "round", vectorEffect: "non-scaling-stroke" }))),
    !disabled && h("div", null, h("button", { type: "button", className: "tc-btn", "data-size": "small", disabled: !path, onClick: clear },
      h(Undo2, { "aria-hidden": true }), speak.t("form.signature.clear"))));
}

function RatingInput({ field, value, disabled, onChange, label }) {
  const speak = useLanguage();
  const most = Math.min(10, Number(field.max ?? 5));
  return h("div", { className: "tc-stars", role: "radiogroup", "aria-label": label }, Array.from({ length: most }, (_, at) => at + 1).map((each) => h("button", {
    key: each, type: "button", role: "radio", disabled, "data-on": each <= (value ?? 0), "aria-checked": each === value,
    "aria-label": speak.t("form.rating", { n: each }), onClick: () => onChange(each === value ? null : each),
  }, h(Star, { "aria-hidden": true }))));
}

function LocationInput({ id, value, disabled, onChange, aria }) {
  const speak = useLanguage();
  const [problem, setProblem] = useState(false);
  const locate = () => navigator.geolocation?.getCurrentPosition(
    ({ coords }) => {
      setProblem(false);
      onChange({ lat: Number(coords.latitude.toFixed(6)), lon: Number(coords.longitude.toFixed(6)) });
    },
    () => setProblem(true),
    { enableHighAccuracy: true, timeout: 10000 },
  );
  const shown = value?.lat === undefined ? "" : `${value.lat}, ${value.lon}`;
  const typed = (text) => {
    const found = text.match(/^\s*(-?\d+(?:\.\d+)?)\s*[,，]\s*(-?\d+(?:\.\d+)?)\s*$/);
    onChange(found ? { lat: Number(found[1]), lon: Number(found[2]) } : null);
  };
  return h("div", { className: "tc-row", style: { flexWrap: "nowrap" } },
    h("input", { ...aria, id, className: "tc-input", disabled, key: shown, defaultValue: shown, placeholder: speak.t("form.location.hint"), onBlur: (event) => typed(event.target.value) }),
    !disabled && h("button", { type: "button", className: "tc-btn", "data-shape": "icon", "aria-label": speak.t("form.location.here"), title: speak.t("form.location.here"), onClick: locate }, h(LocateFixed, { "aria-hidden": true })),
    problem && h("span", { className: "tc-problem", role: "alert" }, speak.t("form.location.failed")));
}

// Lines of {sku, qty}; a line without a part or without a quantity is not told.
function PartsInput({ field, id, value, disabled, onChange, label, aria }) {
  const speak = useLanguage();
  const options = field.options ?? [];
  const [lines, setLines] = useState(() => (Array.isArray(value) && value.length > 0 ? value : []));
  const change = (next) => {
    setLines(next);
    onChange(next.filter((line) => line.sku && Number(line.qty) > 0).map(({ sku, qty }) => ({ sku, qty: String(qty) })));
  };
  const set = (at, part) => change(lines.map((line, each) => (each === at ? { ...line, ...part } : line)));
  const step = (at, by) => set(at, { qty: String(Math.max(1, (Number(lines[at].qty) || 0) + by)) });
  const which = (line, at) => {
    const common = { id: `${id}-${at}`, disabled, "aria-label": speak.t("form.parts.part", { n: at + 1 }) };
    if (options.length === 0) return h("input", { ...common, className: "tc-input", value: line.sku, maxLength: 64, onChange: (event) => set(at, { sku: event.target.value.trim() }) });
    return h("select", { ...common, className: "tc-select", value: line.sku, onChange: (event) => set(at, { sku: event.target.value }) },
      h("option", { value: "" }, speak.t("form.choose")),
      options.map((option) => h("option", { key: option.value, value: option.value }, `${speak.label(option.label)} · ${option.value}`)));
  };
  return h("div", { ...aria, className: "tc-parts", role: "group", "aria-label": label },
    lines.map((line, at) => h("div", { key: at, className: "tc-parts-line" },
      which(line, at),
      h("div", { className: "tc-stepper" },
        h("button", { type: "button", disabled, "aria-label": speak.t("form.parts.less"), onClick: () => step(at, -1) }, "−"),
        h("input", {
          type: "text", inputMode: "decimal", disabled, value: line.qty, "aria-label": speak.t("form.parts.quantity", { n: at + 1 }),
          onChange: (event) => /^\d*[.]?\d*$/.test(event.target.value) && set(at, { qty: event.target.value }),
        }),
        h("button", { type: "button", disabled, "aria-label": speak.t("form.parts.more"), onClick: () => step(at, 1) }, "+")),
      !disabled && h("button", {
        type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("form.parts.remove", { n: at + 1 }),
        onClick: () => change(lines.filter((_, each) => each !== at)),
      }, h(Trash2, { "aria-hidden": true })))),
    !disabled && h("button", { type: "button", className: "tc-btn", onClick: () => setLines([...lines, { sku: "", qty: "1" }]) },
      h(Plus, { "aria-hidden": true }), speak.t("form.parts.add")));
}

const localMinute = (iso) => {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};

const optionKey = (option) => String(option.value ?? option.key ?? option);

function Options({ field, id, disabled, label, type, isChosen, choose }) {
  const speak = useLanguage();
  return h("div", { className: "tc-choices", role: type === "radio" ? "radiogroup" : "group", "aria-label": label }, (field.options ?? []).map((option) => h("label", { key: optionKey(option), className: "tc-choice", "data-colour": option.colour || undefined },
    h("input", { type, name: type === "radio" ? id : undefined, disabled, checked: isChosen(optionKey(option)), onChange: () => choose(optionKey(option)) }),
    option.colour && h("span", { className: "tf-dot", "aria-hidden": true }), speak.label(option.label ?? option.value ?? option))));
}

function ChoiceInput(props) {
  const { field, id, value, disabled, onChange, aria } = props;
  const speak = useLanguage();
  const options = field.options ?? [];
  if (options.length <= 6 && !field.small) return h(Options, { ...props, type: "radio", isChosen: (key) => value === key, choose: onChange });
  return h("select", { ...aria, id, disabled, className: "tc-select", value: value ?? "", onChange: (event) => onChange(event.target.value || null) },
    h("option", { value: "" }, speak.t("form.choose")), options.map((option) => h("option", { key: optionKey(option), value: optionKey(option) }, speak.label(option.label ?? option.value ?? option))));
}

function MultiChoiceInput(props) {
  const { value, onChange } = props;
  const chosen = Array.isArray(value) ? value : [];
  const flip = (each) => onChange(chosen.includes(each) ? chosen.filter((other) => other !== each) : [...chosen, each]);
  return h(Options, { ...props, type: "checkbox", isChosen: (key) => chosen.includes(key), choose: flip });
}

function YesNoInput({ field, id, value, disabled, onChange, label, aria }) {
  const speak = useLanguage();
  if (field.small) return h("input", { ...aria, id, type: "checkbox", disabled, checked: value === true, onChange: (event) => onChange(event.target.checked) });
  return h("div", { className: "tc-choices", role: "radiogroup", "aria-label": label }, [true, false].map((each) => h("label", { key: String(each), className: "tc-choice" },
    h("input", { type: "radio", name: id, disabled, checked: value === each, onChange: () => onChange(each) }), speak.t(each ? "common.yes" : "common.no"))));
}

function LongText({ field, id, value, disabled, onChange, aria }) {
  return h("textarea", { ...aria, id, disabled, className: "tc-area", autoFocus: field.focus, value: value ?? "", maxLength: field.max_length ?? 4000, onChange: (event) => onChange(event.target.value) });
}

// A decimal stays the text that was typed: binary floating point would change it.
function NumberInput({ field, id, value, disabled, onChange, aria }) {
  const input = h("input", {
    ...aria, id, disabled, className: "tc-input", type: "text", inputMode: "decimal", autoComplete: "off", value: value ?? "",
    onChange: (event) => /^-?\d*[.]?\d*$/.test(event.target.value) && onChange(event.target.value),
  });
  return field.unit ? h("div", { className: "tf-unit" }, input, h("span", { className: "tf-suffix" }, field.unit)) : input;
}

function MomentInput({ field, id, value, disabled, onChange, aria }) {
  const speak = useLanguage();
  return h("div", { className: "tc-row tc-moment" },
    h("input", {
      ...aria, id, disabled, className: "tc-input", type: "datetime-local", value: value ? localMinute(value) : "",
      onChange: (event) => onChange(event.target.value ? new Date(event.target.value).toISOString() : null),
    }),
    !disabled && !field.small && h("button", { type: "button", className: "tc-btn", onClick: () => onChange(new Date().toISOString()) }, speak.t("form.now")));
}

const line = (type) => function LineInput({ field, id, value, disabled, onChange, aria }) {
  return h("input", { ...aria, id, disabled, className: "tc-input", type, value: value ?? "", maxLength: field.max_length ?? 500, onChange: (event) => onChange(event.target.value) });
};
const TextInput = line("text");
const PhoneInput = line("tel");
const DateInput = line("date");

function FileInput({ field, id, value, disabled, onChange, aria, uploadUrl }) {
  return h(Upload, { ...aria, id, disabled, value: value ?? [], photo: field.kind === "photo", accept: field.accept, fixed: field.fixed, uploadUrl, onChange });
}

function SignatureInput({ value, disabled, onChange, label, aria }) {
  return h(SignaturePad, { ...aria, value, disabled, onChange, label });
}

function Heading({ field, id, label }) {
  return h("p", { id, className: "tf-heading" }, label);
}

// One for each kind of field; a test compares it with the kinds there are (forms/kinds).
const RENDERERS = {
  text: TextInput,
  long_text: LongText,
  scan: ScanInput,
  number: NumberInput,
  money: NumberInput,
  rating: RatingInput,
  date: DateInput,
  datetime: MomentInput,
  duration: DurationInput,
  choice: ChoiceInput,
  multi_choice: MultiChoiceInput,
  yes_no: YesNoInput,
  checklist: ChecklistInput,
  person: RecordInput,
  customer: RecordInput,
  phone: PhoneInput,
  asset: RecordInput,
  part: RecordInput,
  parts: PartsInput,
  location: LocationInput,
  address: AddressInput,
  photo: FileInput,
  file: FileInput,
  signature: SignatureInput,
  lookup: LiveValue,
  formula: FormulaValue,
  table: TableInput,
  heading: Heading,
};

function Control(props) {
  const speak = useLanguage();
  const { field } = props;
  const renderer = RENDERERS[field.kind] ?? TextInput;
  const cell = (inner) => h(Control, { ...inner, searchUrl: props.searchUrl, uploadUrl: props.uploadUrl });
  return h(renderer, { ...props, disabled: field.writable === false, label: speak.label(field.label), cell: field.kind === "table" ? cell : undefined });
}

// What has no single input that a label could point at.
const GROUPED = new Set(["yes_no", "multi_choice", "rating", "signature", "parts", "table", "checklist", "address"]);
const SILENT = new Set(["heading", "formula", "lookup"]);

// Neighbours under the same heading: [{key, label, open, fields}], the groups that fold around the sections.
function together(fields, keyOf) {
  const found = [];
  for (const field of fields) {
    const key = keyOf(field);
    if (found.length === 0 || found[found.length - 1].key !== key) found.push({ ...field.group, key, section: field.section, fields: [] });
    found[found.length - 1].fields.push(field);
  }
  return found;
}
const groupOf = (field) => (field.group ? `group:${field.group.key}` : "");
const sectionOf = (field) => field.section?.key ?? "";

// "lines[2].amount" is a problem of the field "lines".
function problemOf(problems, key) {
  if (problems?.[key]) return problems[key];
  const within = Object.keys(problems ?? {}).find((path) => path.startsWith(`${key}[`));
  return within ? problems[within] : null;
}

// fields: [{key, label, kind, required, options, help, value, writable, group}] and the rest of `forms.asking`,
// actions: [{key, label, tone}], problems: {path: {code, params}}. Sent is {action, values} with every writable
// field that is shown.
export function TemplateForm({ fields = [], actions = [], problems = {}, busy = false, uploadUrl = "", searchUrl = "", draftKey = "", onSubmit, onTyped }) {
  const speak = useLanguage();
  const base = useId();
  const store = draftKey ? `tc_draft:${draftKey}` : "";
  const [typed, setTyped] = useState(() => {
    try {
      return (store && JSON.parse(window.sessionStorage.getItem(store))) || {};
    } catch {
      return {};
    }
  });
  const [missing, setMissing] = useState(new Set());
  const form = useRef(null);

  useEffect(() => {
    if (store) window.sessionStorage.setItem(store, JSON.stringify(typed));
  }, [store, typed]);

  const tell = useRef(onTyped);
  tell.current = onTyped;
  useEffect(() => {
    if (!tell.current || Object.keys(typed).length === 0) return undefined;
    const timer = setTimeout(() => tell.current(typed), TELL_AFTER_MS);
    return () => clearTimeout(timer);
  }, [typed]);

  const show = (key) => {
    const found = form.current?.querySelector(`[data-field="${key}"]`);
    found?.closest("details")?.setAttribute("open", "");
    found?.scrollIntoView({ block: "center", behavior: "smooth" });
  };
  useEffect(() => {
    const first = (Array.isArray(fields) ? fields : []).find((field) => problemOf(problems, field.key));
    if (first) show(first.key);
  }, [problems]);

  const every = Array.isArray(fields) ? fields : [];
  const answers = useMemo(() => {
    const entered = {};
    for (const field of every) {
      if (field.writable === false || field.aid || SILENT.has(field.kind)) continue;
      entered[field.key] = field.key in typed ? typed[field.key] : (field.value ?? null);
    }
    return answersOf(every, entered);
  }, [fields, typed]);
  const list = every.filter((field) => !field.aid && !answers.hidden.has(field.key));
  const value = useCallback((field) => {
    if (field.formula) return answers.facts[nameOf(field)];
    return field.key in typed ? typed[field.key] : field.value;
  }, [typed, answers]);
  const needs = (field) => !SILENT.has(field.kind) && (field.required || Boolean(field.required_when && holds(field.required_when, answers.facts)));
  const change = (field) => (next) => {
    setTyped((before) => ({ ...before, [field.key]: next }));
    setMissing((before) => new Set([...before].filter((key) => key !== field.key)));
  };
  const writable = list.filter((field) => field.writable !== false && !SILENT.has(field.kind));

  const submit = (action) => {
    const absent = new Set(writable.filter((field) => needs(field) && isEmpty(value(field))).map((field) => field.key));
    if (absent.size > 0 && action.checks !== false) {
      setMissing(absent);
      show([...absent][0]);
      return;
    }
    onSubmit?.({ action: action.key, values: Object.fromEntries(writable.filter((field) => !isEmpty(value(field)) || field.key in typed).map((field) => [field.key, value(field) ?? null])) });
  };

  const draw = (field) => {
    const id = `${base}-${field.key}`;
    const told = problemOf(problems, field.key);
    const isNeeded = needs(field);
    const tone = (field.behaviours ?? []).find((behaviour) => holds(behaviour.when, answers.facts))?.style;
    const problem = missing.has(field.key) ? speak.t("form.missing") : told ? speak.t(told.code, told.params) : null;
    const isSet = GROUPED.has(field.kind) || (field.kind === "choice" && (field.options ?? []).length <= 6);
    const aria = {
      "aria-invalid": problem ? true : undefined, "aria-required": isNeeded || undefined,
      "aria-describedby": [field.help && `${id}-help`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined,
    };
    return h("div", { key: field.key, className: "tc-field", "data-field": field.key, "data-kind": field.kind, "data-tone": tone, "data-wide": field.wide ?? WIDE.has(field.kind) },
      field.kind !== "heading" && h(isSet ? "div" : "label", { className: "tc-label", htmlFor: isSet ? undefined : id }, speak.label(field.label),
        isNeeded && h("span", { className: "tc-need", "aria-hidden": true }, "*")),
      h(Control, { field, value: value(field), onChange: change(field), uploadUrl, searchUrl, id, aria }),
      field.help && h("span", { id: `${id}-help`, className: "tc-help" }, speak.label(field.help)),
      problem && h("span", { id: `${id}-problem`, className: "tc-problem", role: "alert" }, problem));
  };

  const shown = Array.isArray(actions) ? actions : [];
  return h("form", {
    ref: form, className: "tc-stack", noValidate: true, style: { "--gap": "20px" },
    onSubmit: (event) => {
      event.preventDefault();
      if (shown[0] && !busy) submit(shown[0]);
    },
    onKeyDown: (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && shown[0] && !busy) submit(shown[0]);
    },
  },
    together(list, groupOf).map((group, at) => {
      const parts = together(group.fields, sectionOf);
      const sections = parts.map((part, each) => {
        const title = group.key && parts.length === 1 ? "" : speak.label(part.section?.title);
        return h("section", { key: `${part.key}:${each}`, className: "tf-section", "aria-label": title || undefined },
          title && h("div", { className: "tf-title" }, title),
          h("div", { className: "tc-form", "data-columns": part.section?.columns }, part.fields.map(draw)));
      });
      if (group.key) return h("details", { key: group.key, className: "tc-form-group", open: group.open || undefined }, h("summary", null, speak.label(group.label)), h("div", { className: "tf-sections" }, sections));
      return h("div", { key: `rest:${at}`, className: "tf-sections" }, sections);
    }),
    shown.length > 0 && h("div", { className: "tc-row tc-form-actions" }, shown.map((action, at) => h("button", {
      key: action.key, type: at === 0 ? "submit" : "button", className: "tc-btn", disabled: busy, "data-action": action.key,
      "data-tone": action.tone ?? (at === 0 ? "primary" : "plain"), onClick: at === 0 ? undefined : () => submit(action),
    }, at === 0 && busy && h("span", { className: "tc-spin" }), speak.label(action.label)))));
}

export { KeptValue };
