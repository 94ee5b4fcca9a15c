// The plan of a region's people: the bar above, tasks without a time beside, the calendar, and how full the hours are.
// On a phone the calendar gives way to a list of each person's day.
import { createElement as h, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { ChevronLeft, ChevronRight, Flame, Route, Search } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Calendar } from "./calendar.jsx";
import { Heat } from "./heat.jsx";
import { Jobs } from "./jobs.jsx";
import { PutDialog } from "./put_dialog.jsx";
import { against, later, minutesBetween, warnings } from "./truth.js";

const NARROW = "(max-width: 820px)";
const PAUSE = 300;

// Not every address of the console is a secure context, and crypto.randomUUID exists in those only.
const commandId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function useNarrow() {
  const [narrow, setNarrow] = useState(() => window.matchMedia(NARROW).matches);
  useEffect(() => {
    const media = window.matchMedia(NARROW);
    const changed = () => setNarrow(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, []);
  return narrow;
}

const dayAfter = (day, days) => {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
};

function Bar({ plan, choices, heatShown, onHeat, onRoutes }) {
  const speak = useLanguage();
  const [asked, setAsked] = useSearchParams();
  const [typed, setTyped] = useState(asked.get("q") ?? "");
  const timer = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const set = (changes) => setAsked((before) => {
    const next = new URLSearchParams(before);
    for (const [key, value] of Object.entries(changes)) {
      if (value) next.set(key, value);
      else next.delete(key);
    }
    return next;
  }, { replace: true });
  const search = (value) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => set({ q: value.trim(), page: "" }), PAUSE);
  };
  const week = plan.days > 1;
  const format = new Intl.DateTimeFormat(speak.tag, { month: "short", day: "numeric", weekday: week ? undefined : "short", timeZone: "UTC" });
  const name = (day) => format.format(new Date(`${day}T00:00:00Z`));
  const when = week ? `${name(plan.first)} – ${name(dayAfter(plan.first, plan.days - 1))}` : name(plan.first);
  const icon = (Icon, label, onClick, disabled) => h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": label, title: label, disabled, onClick }, h(Icon, { "aria-hidden": true }));
  const page = (number) => set({ page: number > 1 ? String(number) : "" });
  return h("div", { className: "tl-bar", role: "search", "aria-label": speak.t("plan.bar") },
    h("select", { className: "tc-select", "aria-label": speak.t("plan.region"), value: String(plan.region), onChange: (event) => set({ region: event.target.value, page: "" }) },
      choices.map((choice) => h("option", { key: choice.value, value: choice.value }, speak.label(choice.label)))),
    h("div", { className: "tl-days" },
      icon(ChevronLeft, speak.t("plan.earlier"), () => set({ day: dayAfter(plan.first, -plan.days) })),
      h("button", { type: "button", className: "tc-btn", onClick: () => set({ day: "" }), disabled: plan.today >= plan.first && plan.today < dayAfter(plan.first, plan.days) }, speak.t("plan.today")),
      icon(ChevronRight, speak.t("plan.later"), () => set({ day: dayAfter(plan.first, plan.days) })),
      h("b", { className: "tl-when" }, when)),
    h("div", { className: "tl-views", role: "group", "aria-label": speak.t("plan.view") },
      [["", "plan.view.day"], ["week", "plan.view.week"]].map(([view, key]) => h("button", { key, type: "button", className: "tc-btn", "aria-pressed": week === (view === "week"), onClick: () => set({ view }) }, speak.t(key)))),
    h("label", { className: "tc-search" }, h(Search, { "aria-hidden": true }),
      h("input", { type: "search", className: "tc-input", "data-search": true, value: typed, maxLength: 60, placeholder: speak.t("plan.people.search"), "aria-label": speak.t("plan.people.search"), onChange: (event) => search(event.target.value) })),
    plan.pages > 1 && h("div", { className: "tl-days" },
      icon(ChevronLeft, speak.t("plan.people.before"), () => page(plan.page - 1), plan.page <= 1),
      h("span", { className: "tc-help" }, speak.t("plan.people.page", { page: plan.page, pages: plan.pages, total: plan.total })),
      icon(ChevronRight, speak.t("plan.people.after"), () => page(plan.page + 1), plan.page >= plan.pages)),
    h("span", { className: "tl-gap" }),
    h("span", { className: "tc-help" }, speak.t("plan.zone", { zone: plan.zone })),
    !week && plan.first >= plan.today && h("button", { type: "button", className: "tc-btn", onClick: onRoutes }, h(Route, { "aria-hidden": true }), speak.t("routes.plan")),
    h("button", { type: "button", className: "tc-btn", "aria-pressed": heatShown, onClick: onHeat }, h(Flame, { "aria-hidden": true }), speak.t("plan.heat")));
}

function Agenda({ plan, onOpen }) {
  const speak = useLanguage();
  return h("div", { className: "tl-agenda" }, plan.people.map((person) => {
    const visits = plan.visits.filter((visit) => visit.person === person.id).sort((one, other) => (one.start < other.start ? -1 : 1));
    return h("section", { key: person.id, className: "tc-card" },
      h("h3", null, person.name, " ", h("span", { className: "tc-help" }, speak.t("plan.load", { open: person.open, of: person.of }))),
      person.absences.map(([start, end, reason]) => h("p", { key: start, className: "tl-agenda-away" }, speak.t("plan.away"), " ", `${start.slice(5, 16).replace("T", " ")} – ${end.slice(5, 16).replace("T", " ")}`, reason && ` · ${reason}`)),
      person.shifts?.length === 0 && h("p", { className: "tc-help" }, speak.t("plan.no_shift")),
      visits.length === 0 ? h("p", { className: "tc-help" }, speak.t("plan.nothing")) : h("ul", null, visits.map((visit) => h("li", { key: visit.visit },
        visit.travel > 0 && h("span", { className: "tl-agenda-way" }, speak.t("plan.way.long", { n: visit.travel })),
        h("button", { type: "button", className: "tl-agenda-visit", style: { "--tl-tone": `var(--tc-priority-${visit.priority})` }, disabled: !visit.open, onClick: () => onOpen(visit) },
          h("b", null, `${plan.days > 1 ? `${visit.start.slice(5, 10)} ` : ""}${visit.start.slice(11, 16)}–${visit.end.slice(11, 16)}`), " ", visit.no, h("span", null, visit.title))))));
  }));
}

export function Timeline({ plan = {}, jobs = [], truth = {}, verdict = {}, heat = {}, choices = [], onHold, onLetGo, onPut, onTakeOff, onSearchJobs, onHeat, onHeatHidden, onRoutes }) {
  const speak = useLanguage();
  const narrow = useNarrow();
  const calendar = useRef(null);
  const [asked, setAsked] = useState(null);
  const [waiting, setWaiting] = useState(null);
  const [hover, setHover] = useState(null);
  const latest = useRef({});
  latest.current = { truth, plan };

  // The answer to what was put: done, or the dialog with what speaks against it.
  useEffect(() => {
    if (!waiting || verdict.command_id !== waiting.command_id) return;
    setWaiting(null);
    if (verdict.ok) {
      setAsked(null);
      return;
    }
    waiting.revert?.();
    setAsked({ job: waiting.job, person: waiting.person, start: waiting.start, minutes: waiting.minutes, command_id: waiting.command_id });
  }, [verdict, waiting]);

  const put = useCallback((job, person, start, minutes, reason = "", override = false, revert = null) => {
    const command_id = commandId();
    setWaiting({ command_id, job, person, start, minutes, revert });
    onPut?.(command_id, job.id, job.version, person, start, minutes, reason, override);
  }, [onPut]);

  const drag = useMemo(() => ({
    onHold: (job) => onHold?.(job.id, 0),
    onOver: (job, x, y) => {
      const place = calendar.current?.at(x, y);
      if (!place) {
        setHover(null);
        return "away";
      }
      const told = against(latest.current.truth, job.id, place.person, place.start);
      const warned = warnings(latest.current.truth, job.id, place.person, place.start);
      setHover({ place, told, warned, minutes: latest.current.truth.minutes ?? 60 });
      if (told === null) return "unknown";
      if (told.length > 0) return "red";
      return warned.length > 0 ? "amber" : "green";
    },
    onDrop: (job, x, y) => {
      const place = calendar.current?.at(x, y);
      setHover(null);
      if (!place) {
        onLetGo?.();
        return;
      }
      const told = latest.current.truth;
      put(job, place.person, place.start, told.ticket === job.id ? told.minutes : 60);
    },
    onLetGo: () => {
      setHover(null);
      onLetGo?.();
    },
  }), [onHold, onLetGo, put]);

  const ofVisit = (visit) => ({ id: visit.id, no: visit.no, title: visit.title, version: visit.version, planned: true });
  const openVisit = (visit) => visit.open && setAsked({ job: ofVisit(visit), person: visit.person, start: visit.start, minutes: visit.minutes });
  const openJob = (job) => {
    const quarter = plan.now.slice(0, 10) === plan.first ? later(plan.now, 30 - (Number(plan.now.slice(14, 16)) % 15)) : `${plan.first}T09:00:00`;
    setAsked({ job, start: quarter, minutes: 60 });
  };
  const close = () => {
    setAsked(null);
    setWaiting(null);
    onLetGo?.();
  };
  const heatShown = Boolean(heat.rows);
  const toggleHeat = () => (heatShown ? onHeatHidden?.() : onHeat?.());
  // Other days and regions have other hours.
  useEffect(() => {
    if (heatShown) onHeat?.();
  }, [plan.region, plan.first, plan.days, plan.visits]);

  if (!plan.people) return h("p", { className: "tc-help tl-empty" }, speak.t(choices.length ? "plan.loading" : "plan.no_region"));

  const named = (person) => plan.people.find((each) => each.id === person)?.name ?? "";
  const where = hover?.place ? `${named(hover.place.person)} ${hover.place.start.slice(11, 16)}–${later(hover.place.start, hover.minutes).slice(11, 16)}` : "";
  const isRed = (hover?.told ?? []).length > 0;
  const why = ((isRed ? hover?.told : hover?.warned) ?? []).map((each) => speak.t(each.key, each.params)).join(" · ");
  const live = hover && [where, why].filter(Boolean).join(": ");
  return h("div", { className: "tl", "data-heat": heatShown },
    h(Bar, { plan, choices, heatShown, onHeat: toggleHeat, onRoutes }),
    h("div", { className: "tl-body" },
      h(Jobs, { jobs, onSearch: (value) => onSearchJobs?.(value), onPlan: openJob, drag }),
      h("div", { className: "tl-main" },
        plan.people.length === 0
          ? h("p", { className: "tc-help tl-empty" }, speak.t("plan.nobody"))
          : narrow ? h(Agenda, { plan, onOpen: openVisit }) : h(Calendar, {
            ref: calendar, plan, truth, onHold: (id, minutes) => onHold?.(id, minutes), onLetGo: () => {
              setHover(null);
              onLetGo?.();
            },
            onMove: ({ visit, person, start, minutes, revert }) => put(ofVisit(visit), person, start, minutes || minutesBetween(visit.start, visit.end), "", false, revert),
            onOpen: openVisit,
            onHover: (told, warned) => setHover(told?.length || warned.length ? { place: null, told, warned, minutes: 0 } : null),
          }),
        h("div", { className: "tl-live", role: "status", "data-tone": isRed ? "red" : hover?.warned?.length ? "amber" : undefined }, live),
        heatShown && h(Heat, { heat, days: plan.days }))),
    h(PutDialog, { asked, plan, truth, verdict, busy: waiting !== null, onPut: put, onHold: (id, minutes) => onHold?.(id, minutes), onClose: close,
      onTakeOff: (job) => {
        onTakeOff?.(commandId(), job.id, job.version, "");
        close();
      } }));
}
