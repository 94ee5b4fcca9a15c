// Fields with more to them than one input: records, scans, tables, checklists, durations, addresses, live values.
import { createElement as h, useEffect, useRef, useState } from "react";
import { Check, Clock, Minus, Plus, ScanLine, Trash2, TriangleAlert, X } from "lucide-react";
import { minutesOf, rowFacts } from "$/public/external/ticket_console/components/form/form_rules.js";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const SEARCH_AFTER_MS = 250;
const ADDRESS_PARTS = ["street", "district", "city", "province", "postcode"];
const FORMATS = ["qr_code", "code_128", "code_39", "ean_13", "ean_8", "upc_a", "itf", "data_matrix", "pdf417"];

// Somebody, a customer, a device or a part: searched for by a part of the name.
export function RecordInput({ field, id, value, disabled, onChange, searchUrl, label, aria }) {
  const speak = useLanguage();
  const [text, setText] = useState("");
  const [found, setFound] = useState(null);
  const [answered, setAnswered] = useState("");
  const [at, setAt] = useState(0);
  const [name, setName] = useState(null);
  useEffect(() => {
    if (disabled || !searchUrl || found === null) return undefined;
    const asked = new AbortController();
    const timer = setTimeout(async () => {
      const answer = await fetch(`${searchUrl}/${field.kind}?text=${encodeURIComponent(text)}`, { signal: asked.signal }).catch(() => null);
      if (!answer?.ok) return;
      setFound((await answer.json()).slice(0, 12));
      setAnswered(text.trim());
      setAt(0);
    }, SEARCH_AFTER_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [text, found === null, searchUrl, field.kind, disabled]);

  const choose = (choice) => {
    setName(choice.label);
    setFound(null);
    setText("");
    onChange(choice.value);
  };
  const keys = (event) => {
    if (event.key === "Escape") setFound(null);
    if (!found?.length) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      choose(found[at]);
    }
  };

  if (value !== null && value !== undefined && value !== "") {
    return h("div", { className: "tf-record", role: "group", "aria-label": label },
      h("span", { id, className: "tf-record-name" }, name || speak.label(field.shown) || (field.kind === "part" ? value : `#${value}`)),
      !disabled && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("form.record.other", { name: label }), onClick: () => onChange(null) }, h(X, { "aria-hidden": true })));
  }
  if (!searchUrl) {
    // Where nothing can be looked up, a part can still be named by its number.
    return h("input", { ...aria, id, className: "tc-input", disabled: disabled || field.kind !== "part", defaultValue: "", onBlur: (event) => event.target.value.trim() && onChange(event.target.value.trim()) });
  }
  const list = `${id}-found`;
  return h("div", { className: "tf-search" },
    h("input", {
      ...aria, id, className: "tc-input", role: "combobox", disabled, value: text, autoComplete: "off", placeholder: speak.t("form.record.search"),
      "aria-expanded": found !== null && found.length > 0, "aria-controls": list, "aria-autocomplete": "list",
      "aria-activedescendant": found?.length ? `${list}-${at}` : undefined,
      onFocus: () => setFound((before) => before ?? []), onBlur: () => setTimeout(() => setFound(null), 150),
      onChange: (event) => {
        setText(event.target.value);
        setFound((before) => before ?? []);
      }, onKeyDown: keys,
    }),
    h("ul", { id: list, className: "tf-found", role: "listbox", "aria-label": label, hidden: !found?.length },
      (found ?? []).map((choice, each) => h("li", {
        key: choice.value, id: `${list}-${each}`, role: "option", "aria-selected": each === at,
        onMouseDown: (event) => {
          event.preventDefault();
          choose(choice);
        },
      }, h("span", null, choice.label), h("small", null, choice.detail)))),
    found?.length === 0 && answered !== "" && answered === text.trim() && h("p", { className: "tf-found", role: "status" }, speak.t("form.record.none")));
}

// The reader comes only when somebody scans; browsers that read codes themselves need none.
async function codeReader() {
  if ("BarcodeDetector" in window) return new window.BarcodeDetector();
  const [{ BarcodeDetector, prepareZXingModule }, wasm] = await Promise.all([import("barcode-detector/ponyfill"), import("zxing-wasm/reader/zxing_reader.wasm?url")]);
  prepareZXingModule({ overrides: { locateFile: (path, prefix) => (path.endsWith(".wasm") ? wasm.default : prefix + path) } });
  return new BarcodeDetector({ formats: FORMATS });
}

export function ScanInput({ id, value, disabled, onChange, label, aria }) {
  const speak = useLanguage();
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState(false);
  const video = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    let stream = null;
    let timer = 0;
    let ended = false;
    const start = async () => {
      const [reader, camera] = await Promise.all([codeReader(), navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } })]);
      stream = camera;
      if (ended) return camera.getTracks().forEach((track) => track.stop());
      video.current.srcObject = camera;
      await video.current.play();
      const look = async () => {
        const [code] = await reader.detect(video.current).catch(() => []);
        if (ended) return;
        if (code?.rawValue) {
          onChange(code.rawValue);
          setOpen(false);
        } else timer = setTimeout(look, 200);
      };
      return look();
    };
    start().catch(() => {
      setProblem(true);
      setOpen(false);
    });
    return () => {
      ended = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, [open]);

  return h("div", { className: "tc-stack", style: { "--gap": "6px" } },
    h("div", { className: "tc-row", style: { flexWrap: "nowrap" } },
      h("input", { ...aria, id, className: "tc-input", disabled, value: value ?? "", maxLength: 500, autoComplete: "off", onChange: (event) => onChange(event.target.value) }),
      !disabled && h("button", {
        type: "button", className: "tc-btn", "data-shape": "icon", "aria-label": speak.t(open ? "form.scan.stop" : "form.scan.start", { name: label }),
        onClick: () => {
          setProblem(false);
          setOpen(!open);
        },
      }, h(open ? X : ScanLine, { "aria-hidden": true }))),
    open && h("video", { ref: video, className: "tf-camera", muted: true, playsInline: true, "aria-label": speak.t("form.scan.camera") }),
    problem && h("span", { className: "tc-problem", role: "alert" }, speak.t("form.scan.failed")));
}

const durationText = (speak, minutes) => {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (!hours) return speak.t("kind.duration.minutes", { minutes: rest });
  return rest ? speak.t("kind.duration.both", { hours, minutes: rest }) : speak.t("kind.duration.hours", { hours });
};

export function DurationInput({ id, value, disabled, onChange, aria }) {
  const speak = useLanguage();
  const [text, setText] = useState(null);
  const minutes = minutesOf(value);
  const isKnown = typeof minutes === "number";
  return h("div", { className: "tf-unit" },
    h("input", {
      ...aria, id, className: "tc-input", disabled, autoComplete: "off", placeholder: speak.t("form.duration.hint"),
      value: text ?? (value === null || value === undefined ? "" : String(value)), onBlur: () => setText(null),
      onChange: (event) => {
        setText(event.target.value);
        onChange(event.target.value.trim() ? minutesOf(event.target.value) : null);
      },
    }),
    value !== null && value !== undefined && value !== "" && isKnown && h("span", { className: "tf-suffix" }, durationText(speak, minutes)));
}

export function AddressInput({ id, value, disabled, onChange, label, aria }) {
  const speak = useLanguage();
  const parts = value && typeof value === "object" ? value : { street: value ?? "" };
  const set = (part, text) => {
    const next = { ...parts, [part]: text };
    onChange(Object.values(next).some((each) => each !== "" && each !== undefined) ? next : null);
  };
  return h("div", { className: "tf-address", role: "group", "aria-label": label }, ADDRESS_PARTS.map((part, at) => h("label", { key: part, className: "tf-small", "data-part": part },
    h("span", null, speak.t(`form.address.${part}`)),
    h("input", { ...(at === 0 ? aria : {}), id: at === 0 ? id : `${id}-${part}`, className: "tc-input", disabled, value: parts[part] ?? "", maxLength: 200, onChange: (event) => set(part, event.target.value) }))));
}

const STATES = [["ok", Check], ["problem", TriangleAlert], ["na", Minus]];

export function ChecklistInput({ field, id, value, disabled, onChange, label, aria }) {
  const speak = useLanguage();
  const lines = Object.fromEntries((Array.isArray(value) ? value : []).map((line) => [line.key, line]));
  const items = field.items ?? [];
  const set = (key, change) => {
    const next = { ...lines, [key]: { ...lines[key], key, ...change } };
    if (next[key].state === null) delete next[key];
    onChange(items.filter((item) => next[item.key]).map((item) => next[item.key]));
  };
  return h("div", { ...aria, className: "tf-checklist", role: "group", "aria-label": label },
    items.map((item) => {
      const line = lines[item.key];
      const text = speak.label(item.text);
      return h("div", { key: item.key, className: "tf-check", "data-state": line?.state },
        h("span", { className: "tf-check-text" }, text),
        h("div", { className: "tf-states", role: "radiogroup", "aria-label": text }, STATES.map(([state, icon]) => h("button", {
          key: state, type: "button", role: "radio", disabled, "data-state": state, "aria-checked": line?.state === state,
          title: speak.t(`kind.checklist.${state}`), "aria-label": speak.t(`kind.checklist.${state}`), onClick: () => set(item.key, { state: line?.state === state ? null : state }),
        }, h(icon, { "aria-hidden": true, size: 16 })))),
        line?.state === "problem" && h("input", { className: "tc-input", disabled, maxLength: 300, value: line.note ?? "", placeholder: speak.t("form.checklist.note"), "aria-label": speak.t("form.checklist.note_of", { name: text }), onChange: (event) => set(item.key, { note: event.target.value }) }));
    }),
    h("span", { id, className: "tc-help" }, speak.t("form.checklist.done", { done: Object.keys(lines).length, count: items.length })));
}

// Formula columns are worked out row by row; Enter in the last row begins another one.
export function TableInput({ field, id, value, disabled, onChange, label, aria, cell }) {
  const speak = useLanguage();
  const columns = field.columns ?? [];
  const [rows, setRows] = useState(() => (Array.isArray(value) ? value : []));
  const body = useRef(null);
  const wanted = useRef(null);
  useEffect(() => {
    if (wanted.current === null) return;
    body.current?.querySelector(`[data-row="${wanted.current}"] :is(input, select, button)`)?.focus();
    wanted.current = null;
  }, [rows]);
  const change = (next) => {
    setRows(next);
    onChange(next.filter((row) => Object.values(row).some((each) => each !== null && each !== undefined && each !== "")));
  };
  const set = (at, key, entered) => change(rows.map((row, each) => (each === at ? { ...row, [key]: entered } : row)));
  const add = () => {
    wanted.current = rows.length;
    change([...rows, Object.fromEntries(columns.filter((column) => column.default !== null && column.default !== undefined).map((column) => [column.key, column.default]))]);
  };
  const draw = (column, row, at) => {
    if (column.kind === "formula") {
      const result = column.formula ? rowFacts(columns, row)[column.key] : row[column.key];
      return h("output", { className: "tf-result" }, result === null || result === undefined ? "—" : `${result}${column.unit ? ` ${column.unit}` : ""}`);
    }
    return cell({ field: { ...column, small: true, writable: !disabled }, value: row[column.key] ?? null, onChange: (entered) => set(at, column.key, entered), id: `${id}-${at}-${column.key}`, aria: { "aria-label": speak.t("form.table.cell", { name: speak.label(column.label), n: at + 1 }) } });
  };
  return h("div", { ...aria, className: "tf-table", role: "group", "aria-label": label },
    rows.length > 0 && h("div", { className: "tf-table-scroll", tabIndex: 0, role: "region", "aria-label": label }, h("table", null,
      h("thead", null, h("tr", null,
        columns.map((column) => h("th", { key: column.key, scope: "col" }, speak.label(column.label), column.required && h("span", { className: "tc-need", "aria-hidden": true }, "*"))),
        !disabled && h("th", null, h("span", { className: "tc-sr" }, speak.t("form.table.actions"))))),
      h("tbody", {
        ref: body,
        onKeyDown: (event) => {
          if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.target.tagName !== "INPUT") return;
          event.preventDefault();
          const at = Number(event.target.closest("[data-row]").dataset.row);
          if (at === rows.length - 1) add();
          else body.current.querySelector(`[data-row="${at + 1}"] :is(input, select, button)`)?.focus();
        },
      }, rows.map((row, at) => h("tr", { key: at, "data-row": at },
        columns.map((column) => h("td", { key: column.key, "data-label": speak.label(column.label), "data-kind": column.kind }, draw(column, row, at))),
        !disabled && h("td", null, h("button", {
          type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("form.table.remove", { n: at + 1 }),
          onClick: () => change(rows.filter((_, each) => each !== at)),
        }, h(Trash2, { "aria-hidden": true })))))))),
    !disabled && h("button", { id, type: "button", className: "tc-btn", onClick: add }, h(Plus, { "aria-hidden": true }), speak.t("form.table.add")));
}

// The same value may stand on a page twice and is asked for once.
const ASKING = new Map();
const USUAL_SECONDS = 900;

// Not every address of the console is a secure context, so crypto.randomUUID may be missing.
const freshId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function ask(url) {
  if (!ASKING.has(url)) {
    const answer = fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ command_id: `lookup-${freshId()}` }) })
      .then((told) => (told.ok ? told.json() : null))
      .catch(() => null)
      .finally(() => ASKING.delete(url));
    ASKING.set(url, answer);
  }
  return ASKING.get(url);
}

const momentOf = (value) => (value?.as_of ? new Date(value.as_of).getTime() : 0);

// A value and how good it is: read again whenever its time is up, as long as somebody looks and there is a line.
// The source is asked again after the same time when it gave nothing; until it does the value is stale.
function useLive(url, kept, seconds) {
  const [answer, setAnswer] = useState({ at: 0, value: null, failed: false });
  const [now, setNow] = useState(() => Date.now());
  const value = momentOf(answer.value) >= momentOf(kept) ? answer.value : kept;
  const period = (seconds ?? USUAL_SECONDS) * 1000;
  // An answer counts from when it came: clocks of browsers are not the server's.
  const good = Math.max(momentOf(value), answer.failed ? 0 : answer.at);
  const due = Math.max(good, answer.at) + period;
  useEffect(() => {
    let isHere = true;
    const look = async () => {
      setNow(Date.now());
      if (!url || document.visibilityState !== "visible" || !navigator.onLine) return;
      const told = await ask(url);
      if (isHere) setAnswer((before) => ({ at: Date.now(), value: told ?? before.value, failed: told === null }));
    };
    const again = () => Date.now() >= due && look();
    const timer = setTimeout(look, Math.min(Math.max(0, due - Date.now()), 2 ** 31 - 1));
    document.addEventListener("visibilitychange", again);
    window.addEventListener("online", again);
    return () => {
      isHere = false;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", again);
      window.removeEventListener("online", again);
    };
  }, [url, due]);
  return { value, failed: answer.failed, stale: answer.failed || now >= good + period };
}

export function LiveValue({ field, id, value: kept }) {
  const speak = useLanguage();
  const { value, stale, failed } = useLive(field.refresh_url, kept, field.refresh_seconds);
  const silent = failed && h("span", { className: "tf-stale", "data-silent": true }, speak.t("form.live.silent"));
  // It changes by itself: a screen reader that read each time aloud would never be done.
  if (!value?.as_of) return h("output", { id, className: "tf-result", "aria-live": "off" }, speak.t("form.live.none"), " ", silent);
  return h("output", { id, className: "tf-live", "aria-live": "off", "data-stale": stale },
    h("strong", null, `${value.value}${field.unit ? ` ${field.unit}` : ""}`),
    h("span", { className: "tc-help" }, h(Clock, { size: 12, "aria-hidden": true }), speak.t("form.live.as_of", { at: value.as_of })),
    stale && h("span", { className: "tf-stale" }, speak.t("form.live.stale")),
    silent);
}

export function FormulaValue({ field, id, value }) {
  const text = value === null || value === undefined || value === "" ? "—" : `${value}${field.unit ? ` ${field.unit}` : ""}`;
  return h("output", { id, className: "tf-result", "aria-live": "polite" }, text);
}

// What is kept of a field that text alone would not show well: a live value, a table, a checklist, a signature.
export function KeptValue({ field, value }) {
  const speak = useLanguage();
  const label = speak.label(field.label);
  const look = field.look ?? {};
  if (field.kind === "lookup") return h(LiveValue, { field: { ...field, ...look }, value });
  const list = Array.isArray(value) ? value : [];
  if (field.kind === "checklist") {
    const lines = Object.fromEntries(list.map((line) => [line.key, line]));
    return h("ul", { className: "tf-kept-list" }, (look.items ?? []).filter((item) => lines[item.key]).map((item) => {
      const line = lines[item.key];
      const [, icon] = STATES.find(([state]) => state === line.state);
      return h("li", { key: item.key, "data-state": line.state },
        h(icon, { size: 15, role: "img", "aria-label": speak.t(`kind.checklist.${line.state}`) }),
        h("span", null, speak.label(item.text), line.note && h("span", { className: "tf-note" }, line.note)));
    }));
  }
  if (field.kind === "signature") {
    return h("svg", { className: "tf-kept-sign", viewBox: "0 0 1000 400", role: "img", "aria-label": label },
      h("path", { d: value, fill: "none", stroke: "currentColor", strokeWidth: 2.5, strokeLinecap: "round", strokeLinejoin: "round", vectorEffect: "non-scaling-stroke" }));
  }
  const columns = look.columns ?? [];
  const shown = (column, entered) => {
    if (entered === null || entered === undefined || entered === "") return "—";
    if (column.kind === "yes_no") return speak.t(entered ? "common.yes" : "common.no");
    if (column.kind === "choice") return speak.label(column.options.find((option) => option.value === entered)?.label ?? entered);
    if (column.kind === "duration") return durationText(speak, entered);
    if (column.kind === "datetime") return speak.when(entered);
    return `${entered}${column.unit ? ` ${column.unit}` : ""}`;
  };
  return h("div", { className: "tf-table-scroll tf-kept-table", tabIndex: 0, role: "region", "aria-label": label }, h("table", null,
    h("thead", null, h("tr", null, columns.map((column) => h("th", { key: column.key, scope: "col", "data-kind": column.kind }, speak.label(column.label))))),
    h("tbody", null, list.map((row, at) => h("tr", { key: at }, columns.map((column) => h("td", { key: column.key, "data-kind": column.kind }, shown(column, row[column.key]))))))));
}
