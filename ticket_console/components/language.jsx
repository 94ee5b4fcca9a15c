// The browser's half of the texts: which language is spoken, what a key says in it, and how times,
// ages and amounts are written. The server's half is `ticket_console/i18n/catalogs.py`.
import { createElement, useSyncExternalStore } from "react";
import { AlarmClock, Hourglass } from "lucide-react";
import zh from "./zh.json";
import en from "./en.json";

const CATALOGS = { zh, en };
const TAGS = { zh: "zh-CN", en: "en" };
const COOKIE = "tc_locale";
const PLACEHOLDER = /\{(\w+)(?::(\w+))?\}/g;

function chosenBefore() {
  const cookie = document.cookie.split("; ").find((entry) => entry.startsWith(`${COOKIE}=`));
  const kept = cookie?.slice(COOKIE.length + 1) ?? window.localStorage.getItem(COOKIE);
  return kept in CATALOGS ? kept : null;
}

function firstGuess() {
  if (typeof document === "undefined") return "zh";
  const spoken = (navigator.languages ?? []).map((tag) => tag.slice(0, 2).toLowerCase());
  return chosenBefore() ?? spoken.find((tag) => tag in CATALOGS) ?? "zh";
}

let locale = firstGuess();
const listeners = new Set();

function announce() {
  if (typeof document !== "undefined") document.documentElement.lang = TAGS[locale];
}
announce();

export function setLocale(next) {
  if (!(next in CATALOGS) || next === locale) return;
  locale = next;
  window.localStorage.setItem(COOKIE, next);
  document.cookie = `${COOKIE}=${next}; path=/; max-age=31536000; samesite=lax`;
  announce();
  listeners.forEach((listener) => listener());
}

if (typeof window !== "undefined") {
  // Another tab changed the language.
  window.addEventListener("storage", (event) => {
    if (event.key === COOKIE && event.newValue) setLocale(event.newValue);
  });
}

function moment(value) {
  const at = value instanceof Date ? value : new Date(value);
  return Number.isNaN(at.getTime()) ? null : at;
}

const FORMS = {
  time: { hour: "2-digit", minute: "2-digit", hour12: false },
  clock: { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false },
  date: { year: "numeric", month: "short", day: "numeric" },
  datetime: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false },
  full: {
    year: "numeric", month: "short", day: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZoneName: "short",
  },
};

const AGES = [
  ["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60],
];

function speaker(name) {
  const catalog = CATALOGS[name];
  const tag = TAGS[name];
  const plurals = new Intl.PluralRules(tag);
  const formats = new Map();

  const format = (kind, options) => {
    const key = kind.name + JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new kind(tag, options));
    return formats.get(key);
  };

  const when = (value, zone, form = "datetime") => {
    const at = value ? moment(value) : null;
    if (!at) return "";
    const options = { ...FORMS[form], ...(zone ? { timeZone: zone } : {}) };
    if (form === "datetime" && at.getFullYear() !== new Date().getFullYear()) options.year = "numeric";
    return format(Intl.DateTimeFormat, options).format(at);
  };

  const number = (value) => (value === null || value === undefined || value === "" ? ""
    : format(Intl.NumberFormat, {}).format(value));

  const label = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value !== "object") return String(value);
    return value[name] || value.zh || value.en || "";
  };

  const t = (key, params = {}) => {
    let text = catalog[key];
    if (text === undefined) return key ?? "";
    if (Array.isArray(text)) {
      text = plurals.select(Number(params.n ?? 0)) === "one" ? text[0] : text[text.length - 1];
    }
    return text.replace(PLACEHOLDER, (_, param, form) => {
      const value = params[param];
      if (value === null || value === undefined) return "";
      if (typeof value === "object" && !(value instanceof Date)) return label(value);
      if (form === "text") return t(String(value));
      if (form === "number") return number(value);
      if (form in FORMS) return when(value, undefined, form);
      return String(value);
    });
  };

  const money = (minor, currency) => {
    if (minor === null || minor === undefined || !currency) return "";
    const formatter = format(Intl.NumberFormat, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    return formatter.format(Number(minor) / 10 ** formatter.resolvedOptions().maximumFractionDigits);
  };

  const relative = (seconds) => {
    const formatter = format(Intl.RelativeTimeFormat, { numeric: "always", style: "short" });
    const size = Math.abs(seconds);
    const [unit, length] = AGES.find(([, least]) => size >= least) ?? [null, 1];
    if (!unit) return t("time.now");
    return formatter.format(Math.trunc(seconds / length), unit);
  };

  const span = (seconds) => {
    const minutes = Math.floor(Math.abs(seconds) / 60);
    const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
    if (days) return t("time.span.days", { days, hours });
    if (minutes === 0) return t("time.span.moment");
    if (hours) return t("time.span.hours", { hours, minutes: rest });
    return t("time.span.minutes", { minutes: rest });
  };

  // As short as a card has room for: the largest unit alone.
  const shortSpan = (seconds) => {
    const [unit, length] = AGES.slice(2).find(([, least]) => seconds >= least) ?? ["minute", 60];
    const count = Math.max(Math.floor(seconds / length), 0);
    return format(Intl.NumberFormat, { style: "unit", unit, unitDisplay: "narrow" }).format(count);
  };

  const ago = (value, now = Date.now()) => {
    const at = value ? moment(value) : null;
    return at ? relative((at.getTime() - now) / 1000) : "";
  };

  const known = (key) => key in catalog;
  return { name, tag, t, label, when, number, money, ago, span, shortSpan, known };
}

const SPEAKERS = { zh: speaker("zh"), en: speaker("en") };

const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const speakerNow = () => SPEAKERS[locale];

// What a key says in every language: the label {zh, en} of something that begins with a text of ours.
export const inBoth = (key, params) => Object.fromEntries(Object.entries(SPEAKERS).map(([name, each]) => [name, each.t(key, params)]));

// Whether a label is still what one of the keys says, with whatever figures.
export function isStill(label, keys) {
  const says = (name, key) => {
    const parts = CATALOGS[name][key].split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join("\\d+")}$`).test(label?.[name] ?? "");
  };
  return keys.some((key) => Object.keys(SPEAKERS).every((name) => says(name, key)));
}

// A label that somebody writes in one language. What a preset says in the other would now be wrong and makes room.
export const worded = (label, name, text, isPreset) => ({ ...(isPreset ? {} : label), [name]: text });

export function useLanguage() {
  return SPEAKERS[useSyncExternalStore(subscribe, () => locale, () => "zh")];
}

// One clock for the whole page: everything that shows an age or a remaining time ticks together.
const clock = { now: Date.now(), listeners: new Set(), timer: null };

function onTick(listener) {
  clock.listeners.add(listener);
  clock.timer ??= window.setInterval(() => {
    clock.now = Date.now();
    clock.listeners.forEach((each) => each());
  }, 1000);
  return () => {
    clock.listeners.delete(listener);
    if (clock.listeners.size === 0) {
      window.clearInterval(clock.timer);
      clock.timer = null;
    }
  };
}

// The present, rounded down to `step` seconds so that a component is drawn only when its text can change.
export function useNow(step = 1) {
  const size = step * 1000;
  return useSyncExternalStore(onTick, () => Math.floor(clock.now / size) * size, () => 0);
}

export function Moment({ at, zone, form = "datetime", ...rest }) {
  const speak = useLanguage();
  if (!at) return null;
  return createElement(
    "time", { ...rest, dateTime: at, title: speak.when(at, zone, "full") }, speak.when(at, zone, form),
  );
}

export function Ago({ at, ...rest }) {
  const speak = useLanguage();
  const now = useNow(5);
  if (!at) return null;
  return createElement(
    "time", { ...rest, dateTime: at, title: speak.when(at, undefined, "full") }, speak.ago(at, now),
  );
}

// How long until a due time, or how long past it.
export function Due({ at, className = "", ...rest }) {
  const speak = useLanguage();
  const now = useNow(5);
  if (!at) return null;
  const left = (new Date(at).getTime() - now) / 1000;
  const tone = left < 0 ? "late" : left < 1800 ? "soon" : "fine";
  const key = left < 0 ? "time.late" : "time.left";
  return createElement(
    "time",
    { ...rest, className: `tc-due ${className}`, "data-tone": tone, dateTime: at,
      title: speak.when(at, undefined, "full") },
    speak.t(key, { span: speak.span(left) }),
  );
}

// How long something has stood where it is; past the moment by which it should have gone on it is late.
export function Standing({ at, lateAt, short = false, className = "", ...rest }) {
  const speak = useLanguage();
  const now = useNow(30);
  if (!at) return null;
  const seconds = Math.max((now - new Date(at).getTime()) / 1000, 0);
  const isLate = Boolean(lateAt) && new Date(lateAt).getTime() <= now;
  const title = [
    speak.t("time.standing.since", { span: speak.span(seconds), at: speak.when(at, undefined, "full") }),
    ...(isLate ? [speak.t("time.standing.late")] : []),
  ].join("\n");
  return createElement(
    "time",
    { ...rest, className: `tc-standing ${className}`, "data-late": isLate || undefined, dateTime: at, title },
    createElement(isLate ? AlarmClock : Hourglass, { size: 12, "aria-hidden": true }),
    createElement("span", { className: "tc-sr" }, title),
    createElement("span", { "aria-hidden": true }, short ? speak.shortSpan(seconds) : speak.span(seconds)),
  );
}
