// The calendar itself: people by hours, drawn by EventCalendar. It is built once and told what changes; while
// something is dragged in it nothing is changed under the hand.
import { createElement as h, useEffect, useImperativeHandle, useRef, forwardRef } from "react";
import { ResourceTimeline, Interaction, createCalendar, destroyCalendar } from "@event-calendar/core";
import "@event-calendar/core/index.css";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { against, later, minutesBetween, standing, wallOf, warnings } from "./truth.js";

const ROLES = ["table", "row", "rowgroup", "rowheader", "columnheader", "cell"].map((role) => `[role=${role}]`).concat(".ec-event[role]").join(", ");
const PLACES = ["aria-colindex", "aria-rowindex", "aria-colcount", "aria-rowcount", "aria-colspan", "aria-rowspan"];

const text = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  if (content) made.textContent = content;
  return made;
};

// Where somebody is not there: outside their shifts, and while absent.
function absences(plan, speak) {
  const begins = `${plan.first}T00:00:00`;
  const ends = later(begins, plan.days * 1440);
  const marks = [];
  const mark = (person, start, end, className, title) => start < end && marks.push({
    id: `b${marks.length}`, resourceIds: [person.id], start, end, display: "background", classNames: [className], title,
  });
  for (const person of plan.people) {
    if (person.shifts) {
      let free = begins;
      for (const [start, end] of person.shifts) {
        mark(person, free, start < ends ? start : ends, "tl-off", "");
        if (end > free) free = end;
      }
      mark(person, free, ends, "tl-off", "");
    }
    for (const [start, end, reason] of person.absences) mark(person, start, end, "tl-away", reason || speak.t("plan.away"));
    if (plan.now >= begins && plan.now < ends) mark(person, plan.now, later(plan.now, 3), "tl-now", "");
  }
  return marks;
}

// Where the held task cannot begin.
function bars(plan, truth) {
  if (!truth?.ticket) return [];
  const ends = later(`${plan.first}T00:00:00`, plan.days * 1440);
  return plan.people.flatMap((person) => {
    const told = truth.people?.[String(person.id)];
    if (!told) return [];
    const spans = told.against.length > 0 ? [{ since: `${plan.first}T00:00:00`, until: ends }] : told.barred;
    return spans.map((each, number) => ({
      id: `x${person.id}-${number}`, resourceIds: [person.id], start: each.since, end: each.until, display: "background", classNames: ["tl-barred"],
    }));
  });
}

function eventsOf(plan, truth, speak) {
  const visits = plan.visits.flatMap((visit) => {
    const resourceIds = [visit.person];
    const whole = {
      id: `v${visit.visit}`, resourceIds, start: visit.start, end: visit.end, editable: visit.open,
      classNames: ["tl-visit", visit.open ? "" : "tl-over", visit.late ? "tl-late" : ""].filter(Boolean), extendedProps: { visit },
    };
    const way = visit.travel > 0 && {
      id: `w${visit.visit}`, resourceIds, start: visit.leave, end: visit.start, editable: false, classNames: ["tl-way"],
      extendedProps: { way: visit.travel },
    };
    return way ? [way, whole] : [whole];
  });
  return [...absences(plan, speak), ...bars(plan, truth), ...visits];
}

// Today is looked at from the hour before now on, any other day from the morning on.
const opensAt = (plan) => {
  const hour = Number(plan.now.slice(11, 13)) - 1;
  return plan.days > 1 || plan.today !== plan.first || hour < 7 ? "07:00" : `${String(hour).padStart(2, "0")}:00`;
};

const resourcesOf = (plan) => plan.people.map((person) => ({ id: person.id, title: person.name, extendedProps: { person } }));

export const Calendar = forwardRef(function Calendar({ plan, truth, onHold, onLetGo, onMove, onOpen, onHover }, ref) {
  const speak = useLanguage();
  const box = useRef(null);
  const calendar = useRef(null);
  const dragging = useRef(false);
  const stale = useRef(false);
  const now = useRef({});
  now.current = { plan, truth, speak, onHold, onLetGo, onMove, onOpen, onHover };

  const draw = () => {
    if (!calendar.current) return;
    if (dragging.current) {
      stale.current = true;
      return;
    }
    stale.current = false;
    const { plan: shown, truth: told, speak: tongue } = now.current;
    calendar.current.setOption("resources", resourcesOf(shown));
    calendar.current.setOption("events", eventsOf(shown, told, tongue));
  };

  const label = ({ resource }) => {
    const { person } = resource.extendedProps;
    const { speak: tongue, truth: told } = now.current;
    const cell = text("div", "tl-person");
    cell.dataset.person = person.id;
    const stands = standing(told, person.id);
    if (stands) cell.dataset.tone = stands.tone;
    const name = text("span", "tl-name", person.name);
    const load = text("span", "tl-load", `${person.open}/${person.of}`);
    load.title = tongue.t("plan.load", { open: person.open, of: person.of });
    const reason = stands?.tone === "red" ? tongue.t(stands.reason.key, stands.reason.params) : tongue.label(person.crew ?? person.region);
    cell.append(name, load, text("span", "tl-crew", reason));
    return { domNodes: [cell] };
  };

  const content = ({ event }) => {
    const { speak: tongue } = now.current;
    const { visit, way } = event.extendedProps;
    if (way) {
      const block = text("span", "tl-way-time", tongue.t("plan.way", { n: way }));
      return { domNodes: [block] };
    }
    if (!visit) return event.title ?? "";
    const head = text("b", "tl-no", visit.no || tongue.t("plan.hidden"));
    if (visit.vip) head.append(" ★");
    if (!visit.no) return { domNodes: [head] };
    const face = text("button", "tl-face");
    face.type = "button";
    face.setAttribute("aria-label", tongue.t("plan.visit.label", { no: visit.no, title: visit.title, start: visit.start.slice(11, 16), end: visit.end.slice(11, 16) }));
    face.title = `${visit.no} ${visit.title}`;
    face.append(head, text("span", "tl-title", visit.title));
    return { domNodes: [face] };
  };

  // A finished gesture at a visit: it goes back at once where it is known to be refused.
  const finished = (info, personId) => {
    const { visit } = info.event.extendedProps;
    const start = wallOf(info.event.start);
    const minutes = minutesBetween(start, wallOf(info.event.end));
    dragging.current = false;
    now.current.onMove({ visit, person: Number(personId), start, minutes, revert: info.revert });
  };

  useEffect(() => {
    const { plan: shown, speak: tongue } = now.current;
    const held = ({ event }) => {
      dragging.current = true;
      const { visit } = event.extendedProps;
      now.current.onHold(visit.id, minutesBetween(visit.start, visit.end));
    };
    const let_go = () => {
      dragging.current = false;
      now.current.onLetGo();
      setTimeout(() => stale.current && draw(), 0);
    };
    calendar.current = createCalendar(box.current, [ResourceTimeline, Interaction], {
      view: shown.days > 1 ? "resourceTimelineWeek" : "resourceTimelineDay",
      date: shown.first, firstDay: 1, locale: tongue.tag, headerToolbar: { start: "", center: "", end: "" }, height: "100%",
      slotDuration: shown.days > 1 ? "01:00" : "00:15", slotLabelInterval: shown.days > 1 ? "03:00" : "01:00", snapDuration: shown.days > 1 ? "00:30" : "00:15",
      slotWidth: shown.days > 1 ? 30 : 22, scrollTime: opensAt(shown), dayHeaderFormat: { month: "numeric", day: "numeric", weekday: "short" },
      slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false }, resources: resourcesOf(shown), events: eventsOf(shown, null, tongue),
      editable: true, eventResizableFromStart: false, longPressDelay: 400, resourceLabelContent: label, eventContent: content,
      eventDragStart: held, eventDragStop: let_go, eventResizeStart: held, eventResizeStop: let_go,
      eventDrop: (info) => finished(info, info.newResource?.id ?? info.event.resourceIds[0]),
      eventResize: (info) => finished(info, info.event.resourceIds[0]),
      dragConstraint: (info) => {
        const { visit } = info.event.extendedProps;
        const person = info.newResource?.id ?? info.event.resourceIds[0];
        const start = wallOf(info.event.start);
        now.current.onHover(against(now.current.truth, visit.id, person, start), warnings(now.current.truth, visit.id, person, start));
        return true;
      },
      eventClick: ({ event }) => event.extendedProps.visit?.no && now.current.onOpen(event.extendedProps.visit),
      eventDidMount: ({ el, event }) => {
        const { visit } = event.extendedProps;
        if (!visit?.no) return;
        el.dataset.visit = visit.id;
        el.style.setProperty("--tl-tone", `var(--tc-priority-${visit.priority})`);
      },
    });
    const built = calendar.current;
    // It calls itself a table without rows, and each block a button; what is a button here is within the block.
    const tidy = () => {
      for (const each of box.current?.querySelectorAll(ROLES) ?? []) {
        each.removeAttribute("role");
        each.removeAttribute("tabindex");
      }
      for (const name of PLACES) {
        for (const each of box.current?.querySelectorAll(`[${name}]`) ?? []) each.removeAttribute(name);
      }
      // A day without visits holds nothing that takes the focus, and still has to be scrolled by keyboard.
      const hours = box.current?.querySelector(".ec-main");
      if (hours && hours.tabIndex !== 0) hours.tabIndex = 0;
    };
    const watcher = new MutationObserver(tidy);
    watcher.observe(box.current, { childList: true, subtree: true, attributes: true, attributeFilter: ["role", "tabindex", ...PLACES] });
    tidy();
    return () => {
      watcher.disconnect();
      calendar.current = null;
      destroyCalendar(built);
    };
    // Language, days and width of the slots are given when it is built.
  }, [plan.first, plan.days, plan.region, speak.tag]);

  useEffect(draw, [plan, truth]);

  useImperativeHandle(ref, () => ({
    // The person and the time below a point of the screen, in steps of a quarter of an hour.
    at(x, y) {
      const found = calendar.current?.dateFromPoint(x, y);
      if (!found?.resource) return null;
      const wall = wallOf(found.date);
      const minute = Number(wall.slice(14, 16));
      return { person: Number(found.resource.id), start: later(wall, -(minute % 15)) };
    },
  }), []);

  return h("div", { ref: box, className: "tl-calendar", "data-days": plan.days, role: "group", "aria-label": speak.t("plan.title") });
});
