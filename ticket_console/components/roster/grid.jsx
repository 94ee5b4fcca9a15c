// A week of shifts: people by days. A pattern is dragged to a day, a shift to another day or person; everything
// is also done from a day's own dialog, which the keyboard opens.
import { createElement as h, useEffect, useId, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { CalendarRange, ChevronLeft, ChevronRight, ClipboardPaste, Copy, Plus, Search, Trash2 } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";

const PAUSE = 300;
const COPIED = "tc_roster_week";

// Not every address of the console is a secure context, and crypto.randomUUID exists in those only.
const commandId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const dayAfter = (day, days) => {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
};
const daysBetween = (first, second) => Math.round((Date.parse(`${second}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / 86400000);
const kept = () => {
  try {
    return JSON.parse(window.sessionStorage.getItem(COPIED));
  } catch {
    return null;
  }
};

// A shift over midnight stands on the day on which it begins.
const shiftsOn = (person, day) => person.shifts.filter((each) => each.start.slice(0, 10) === day);
const absencesOn = (person, day) => person.absences.filter((each) => each.start < `${dayAfter(day, 1)}T00:00` && each.end > `${day}T00:00`);
const visitsOn = (person, day) => person.visits.filter((each) => each.slice(0, 10) === day).length;

function Bar({ week, choices, copied, onCopy, onPaste }) {
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
  const day = new Intl.DateTimeFormat(speak.tag, { month: "short", day: "numeric", timeZone: "UTC" });
  const name = (each) => day.format(new Date(`${each}T00:00:00Z`));
  const icon = (Icon, label, onClick, disabled) => h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": label, title: label, disabled, onClick }, h(Icon, { "aria-hidden": true }));
  const page = (number) => set({ page: number > 1 ? String(number) : "" });
  return h("div", { className: "tl-bar", role: "search", "aria-label": speak.t("roster.bar") },
    h("select", { className: "tc-select", "aria-label": speak.t("plan.region"), value: String(week.region), onChange: (event) => set({ region: event.target.value, page: "" }) },
      choices.map((choice) => h("option", { key: choice.value, value: choice.value }, speak.label(choice.label)))),
    h("div", { className: "tl-days" },
      icon(ChevronLeft, speak.t("plan.earlier"), () => set({ day: dayAfter(week.first, -7) })),
      h("button", { type: "button", className: "tc-btn", onClick: () => set({ day: "" }), disabled: week.days.includes(week.today) }, speak.t("roster.this_week")),
      icon(ChevronRight, speak.t("plan.later"), () => set({ day: dayAfter(week.first, 7) })),
      h("b", { className: "tl-when" }, `${name(week.first)} – ${name(week.days[6])}`)),
    h("label", { className: "tc-search" }, h(Search, { "aria-hidden": true }),
      h("input", { type: "search", className: "tc-input", "data-search": true, value: typed, maxLength: 60, placeholder: speak.t("plan.people.search"), "aria-label": speak.t("plan.people.search"), onChange: (event) => search(event.target.value) })),
    week.pages > 1 && h("div", { className: "tl-days" },
      icon(ChevronLeft, speak.t("plan.people.before"), () => page(week.page - 1), week.page <= 1),
      h("span", { className: "tc-help" }, speak.t("plan.people.page", { page: week.page, pages: week.pages, total: week.total })),
      icon(ChevronRight, speak.t("plan.people.after"), () => page(week.page + 1), week.page >= week.pages)),
    h("span", { className: "tl-gap" }),
    h("span", { className: "tc-help" }, speak.t("plan.zone", { zone: week.zone })),
    h("button", { type: "button", className: "tc-btn", onClick: onCopy }, h(Copy, { "aria-hidden": true }), speak.t("roster.copy_week")),
    h("button", { type: "button", className: "tc-btn", onClick: onPaste, disabled: !copied || copied.first === week.first }, h(ClipboardPaste, { "aria-hidden": true }), speak.t("roster.paste_week")));
}

// What a dragged thing is, as text of the drag: a pattern, or somebody's shift.
const carry = (event, what) => {
  event.dataTransfer.setData("text/plain", JSON.stringify(what));
  event.dataTransfer.effectAllowed = "move";
};

function Cell({ person, day, week, onOpen, onDropped }) {
  const speak = useLanguage();
  const [over, setOver] = useState(false);
  const shifts = shiftsOn(person, day);
  const away = absencesOn(person, day);
  const visits = visitsOn(person, day);
  const pattern = (shift) => week.patterns.find((each) => each.starts === shift.start.slice(11) && each.ends === shift.end.slice(11));
  const told = [
    ...away.map((each) => `${speak.t("plan.away")} ${each.reason}`), ...shifts.map((each) => `${each.start.slice(11)}–${each.end.slice(11)}`),
    ...(visits ? [speak.t("roster.visits", { n: visits })] : []),
  ].join(", ") || speak.t("roster.free");
  return h("td", {
    "data-over": over || undefined, "data-away": away.length > 0 || undefined, "data-today": day === week.today || undefined,
    onDragOver: (event) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event) => {
      event.preventDefault();
      setOver(false);
      onDropped(person, day, event.dataTransfer.getData("text/plain"));
    },
  }, h("button", { type: "button", className: "ro-cell", "aria-label": `${person.name} ${day}: ${told}`, onClick: () => onOpen(person, day) },
    away.map((each) => h("span", { key: `a${each.id}`, className: "ro-away" }, each.reason || speak.t("plan.away"))),
    shifts.map((shift) => h("span", {
      key: shift.id, className: "ro-shift", draggable: true, "data-code": pattern(shift)?.code ?? "own",
      onDragStart: (event) => carry(event, { shift: shift.id, person: person.id, starts: shift.start.slice(11), ends: shift.end.slice(11) }),
    }, h("b", null, pattern(shift) ? speak.label(pattern(shift).name) : ""), ` ${shift.start.slice(11)}–${shift.end.slice(11)}`)),
    visits > 0 && h("span", { className: "ro-visits" }, speak.t("roster.visits", { n: visits })),
    shifts.length + away.length === 0 && h(Plus, { className: "ro-plus", "aria-hidden": true })));
}

function DayDialog({ open, week, onClose, onChange }) {
  const speak = useLanguage();
  const id = useId();
  const [own, setOwn] = useState({ starts: "09:00", ends: "18:00" });
  const [away, setAway] = useState(null);
  useEffect(() => {
    if (open) setAway({ start: `${open.day}T00:00`, end: `${dayAfter(open.day, 1)}T00:00`, reason: "" });
  }, [open]);
  if (!open || !away) return h(Dialog, { open: false, title: "", onClose });
  const person = week.people.find((each) => each.id === open.person);
  if (!person) return h(Dialog, { open: false, title: "", onClose });
  const title = new Intl.DateTimeFormat(speak.tag, { month: "long", day: "numeric", weekday: "long", timeZone: "UTC" }).format(new Date(`${open.day}T00:00:00Z`));
  const add = (starts, ends) => onChange([{ person: person.id, add: [{ day: open.day, starts, ends }] }]);
  const remove = (label, onClick) => h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": label, title: label, onClick }, h(Trash2, { "aria-hidden": true }));
  const field = (name, label, control) => h("div", { className: "tc-field" }, h("label", { htmlFor: `${id}-${name}` }, label), control);
  return h(Dialog, { open: true, title: `${person.name} · ${title}`, onClose },
    h("div", { className: "ro-dialog" },
      h("ul", { className: "ro-list" },
        shiftsOn(person, open.day).map((each) => h("li", { key: each.id }, h("span", null, `${each.start.slice(11)}–${each.end.slice(11)}`),
          remove(speak.t("roster.drop_shift"), () => onChange([{ person: person.id, drop: [each.id] }])))),
        absencesOn(person, open.day).map((each) => h("li", { key: `a${each.id}` }, h("span", null, speak.t("plan.away"), ` ${each.start.replace("T", " ")} – ${each.end.replace("T", " ")} ${each.reason}`),
          remove(speak.t("roster.drop_absence"), () => onChange([{ person: person.id, drop_away: [each.id] }]))))),
      h("h3", null, speak.t("roster.add_shift")),
      h("div", { className: "ro-patterns" }, week.patterns.map((each, number) => h("button", { key: each.code, type: "button", className: "tc-btn ro-shift", "data-code": each.code, "data-focus": number === 0 || undefined, onClick: () => add(each.starts, each.ends) },
        speak.label(each.name), ` ${each.starts}–${each.ends}`))),
      h("form", { className: "ro-own", onSubmit: (event) => {
        event.preventDefault();
        add(own.starts, own.ends);
      } },
        field("starts", speak.t("roster.starts"), h("input", { id: `${id}-starts`, type: "time", className: "tc-input", required: true, value: own.starts, onChange: (event) => setOwn({ ...own, starts: event.target.value }) })),
        field("ends", speak.t("roster.ends"), h("input", { id: `${id}-ends`, type: "time", className: "tc-input", required: true, value: own.ends, onChange: (event) => setOwn({ ...own, ends: event.target.value }) })),
        h("button", { type: "submit", className: "tc-btn" }, speak.t("roster.add"))),
      h("h3", null, speak.t("roster.add_absence")),
      h("form", { className: "ro-own", "data-wide": true, onSubmit: (event) => {
        event.preventDefault();
        onChange([{ person: person.id, away: [away] }]);
      } },
        field("from", speak.t("roster.from"), h("input", { id: `${id}-from`, type: "datetime-local", className: "tc-input", required: true, value: away.start, onChange: (event) => setAway({ ...away, start: event.target.value }) })),
        field("until", speak.t("roster.until"), h("input", { id: `${id}-until`, type: "datetime-local", className: "tc-input", required: true, value: away.end, onChange: (event) => setAway({ ...away, end: event.target.value }) })),
        field("reason", speak.t("roster.reason"), h("input", { id: `${id}-reason`, className: "tc-input", maxLength: 200, value: away.reason, onChange: (event) => setAway({ ...away, reason: event.target.value }) })),
        h("button", { type: "submit", className: "tc-btn" }, speak.t("roster.add")))));
}

// A weekly pattern of one person between two days: for each weekday a shift of the palette, own hours, or none.
function WeeksDialog({ open, week, onClose, onWeeks }) {
  const speak = useLanguage();
  const id = useId();
  const [wish, setWish] = useState(null);
  const person = week.people.find((each) => each.id === open);
  useEffect(() => {
    if (!person) return;
    const first = week.first > week.today ? week.first : dayAfter(week.today, 1);
    // It begins as the week that is on the screen.
    const hours = week.days.map((day) => {
      const shift = shiftsOn(person, day)[0];
      return shift ? [shift.start.slice(11), shift.end.slice(11)] : null;
    });
    setWish({ first, last: dayAfter(first, 27), hours });
    // The roster may change below the dialog; only another person begins anew.
  }, [open]);
  if (!person || !wish) return h(Dialog, { open: false, title: "", onClose });
  const setDay = (number, hours) => setWish({ ...wish, hours: wish.hours.map((each, other) => (other === number ? hours : each)) });
  const codeOf = (hours) => (hours === null ? "" : week.patterns.find((each) => each.starts === hours[0] && each.ends === hours[1])?.code ?? "own");
  const choose = (number, code) => {
    const pattern = week.patterns.find((each) => each.code === code);
    if (pattern) setDay(number, [pattern.starts, pattern.ends]);
    else setDay(number, code === "own" ? ["09:00", "18:00"] : null);
  };
  const name = new Intl.DateTimeFormat(speak.tag, { weekday: "long", timeZone: "UTC" });
  const time = (number, place, label) => h("input", {
    type: "time", className: "tc-input", required: true, "aria-label": label, value: wish.hours[number][place],
    onChange: (event) => setDay(number, wish.hours[number].map((each, other) => (other === place ? event.target.value : each))),
  });
  const date = (key, label) => h("div", { className: "tc-field" }, h("label", { htmlFor: `${id}-${key}` }, label),
    h("input", { id: `${id}-${key}`, type: "date", className: "tc-input", required: true, min: key === "last" ? wish.first : week.today, value: wish[key], onChange: (event) => event.target.value && setWish({ ...wish, [key]: event.target.value }) }));
  return h(Dialog, { open: true, title: speak.t("roster.weekly_of", { name: person.name }), text: speak.t("roster.weekly.text"), onClose },
    h("form", { className: "ro-dialog", onSubmit: (event) => {
      event.preventDefault();
      onWeeks({ person: person.id, ...wish });
    } },
      h("ul", { className: "ro-weekly" }, wish.hours.map((hours, number) => {
        const day = name.format(new Date(`${week.days[number]}T00:00:00Z`));
        return h("li", { key: day }, h("label", { htmlFor: `${id}-day${number}` }, day),
          h("select", { id: `${id}-day${number}`, className: "tc-select", value: codeOf(hours), onChange: (event) => choose(number, event.target.value) },
            h("option", { value: "" }, speak.t("roster.weekly.free")),
            week.patterns.map((each) => h("option", { key: each.code, value: each.code }, `${speak.label(each.name)} ${each.starts}–${each.ends}`)),
            h("option", { value: "own" }, speak.t("roster.weekly.own"))),
          codeOf(hours) === "own" && h("span", { className: "ro-weekly-own" },
            time(number, 0, `${day} ${speak.t("roster.starts")}`), "–", time(number, 1, `${day} ${speak.t("roster.ends")}`)));
      })),
      h("div", { className: "ro-own" }, date("first", speak.t("roster.weekly.first")), date("last", speak.t("roster.weekly.last"))),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": "primary" }, speak.t("roster.weekly.apply")))));
}

export function RosterGrid({ week = {}, choices = [], inTheWay = {}, onChange, onWeeks, onLeave }) {
  const speak = useLanguage();
  const [weekly, setWeekly] = useState(null);
  const [open, setOpen] = useState(null);
  const [copied, setCopied] = useState(kept);
  if (!week.people) return h("p", { className: "tc-help" }, speak.t("plan.no_region"));
  const send = (changes, accepted = []) => {
    setOpen(null);
    if (changes.length > 0) onChange?.(commandId(), changes, accepted);
  };
  const sendWeeks = (weeks, accepted = []) => {
    setWeekly(null);
    onWeeks?.(commandId(), weeks, accepted);
  };
  const takeOff = () => {
    const visits = inTheWay.visits.map((each) => each.id);
    if (inTheWay.weeks) sendWeeks(inTheWay.weeks, visits);
    else send(inTheWay.changes, visits);
  };
  const dropped = (person, day, text) => {
    let what = null;
    try {
      what = JSON.parse(text);
    } catch {
      return;
    }
    const added = { person: person.id, add: [{ day, starts: what.starts, ends: what.ends }] };
    if (!what.shift) send([added]);
    else if (what.person === person.id) send([{ ...added, drop: [what.shift] }]);
    else send([{ person: what.person, drop: [what.shift] }, added]);
  };
  const copy = () => {
    const plan = { first: week.first, people: week.people.map((person) => ({ id: person.id, shifts: person.shifts.map((each) => ({ day: each.start.slice(0, 10), starts: each.start.slice(11), ends: each.end.slice(11) })) })) };
    window.sessionStorage.setItem(COPIED, JSON.stringify(plan));
    setCopied(plan);
  };
  // The week here becomes the copied one, for those who stand in both.
  const paste = () => {
    const ahead = daysBetween(copied.first, week.first);
    send(copied.people.flatMap((plan) => {
      const person = week.people.find((each) => each.id === plan.id);
      if (!person || (plan.shifts.length === 0 && person.shifts.length === 0)) return [];
      return [{ person: person.id, drop: person.shifts.map((each) => each.id), add: plan.shifts.map((each) => ({ ...each, day: dayAfter(each.day, ahead) })) }];
    }));
  };
  const day = new Intl.DateTimeFormat(speak.tag, { weekday: "short", day: "numeric", timeZone: "UTC" });
  const inWay = inTheWay.visits ?? [];
  return h("div", { className: "ro" },
    h(Bar, { week, choices, copied, onCopy: copy, onPaste: paste }),
    h("div", { className: "ro-palette" }, h("span", { className: "tc-help" }, speak.t("roster.drag_hint")),
      week.patterns.map((each) => h("span", { key: each.code, className: "ro-shift", draggable: true, "data-code": each.code, onDragStart: (event) => carry(event, each) },
        h("b", null, speak.label(each.name)), ` ${each.starts}–${each.ends}`))),
    week.people.length === 0 ? h("p", { className: "tc-help" }, speak.t("plan.nobody"))
      : h("div", { className: "ro-box", tabIndex: 0, role: "region", "aria-label": speak.t("roster.title") }, h("table", { className: "ro-grid" },
        h("thead", null, h("tr", null, h("th", { scope: "col" }, speak.t("plan.person")), week.days.map((each) => h("th", { key: each, scope: "col", "data-today": each === week.today || undefined }, day.format(new Date(`${each}T00:00:00Z`)))))),
        h("tbody", null, week.people.map((person) => h("tr", { key: person.id },
          h("th", { scope: "row" }, h("span", { className: "ro-who" }, person.name, h("button", {
            type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "data-size": "small",
            "aria-label": speak.t("roster.weekly_of", { name: person.name }), title: speak.t("roster.weekly_of", { name: person.name }), onClick: () => setWeekly(person.id),
          }, h(CalendarRange, { "aria-hidden": true }))), h("span", { className: "tc-help" }, speak.label(person.group), " · ", person.rostered ? speak.t("roster.hours", { n: Math.round(person.minutes / 6) / 10 }) : speak.t("roster.by_duty"))),
          week.days.map((each) => h(Cell, { key: each, person, day: each, week, onOpen: (who, when) => setOpen({ person: who.id, day: when }), onDropped: dropped }))))))),
    h(DayDialog, { open, week, onClose: () => setOpen(null), onChange: send }),
    h(WeeksDialog, { open: weekly, week, onClose: () => setWeekly(null), onWeeks: sendWeeks }),
    h(Dialog, { open: inWay.length > 0, title: speak.t("roster.visits_in_the_way", { n: inWay.length }), onClose: () => onLeave?.() },
      h("div", { className: "ro-dialog" },
        h("ul", { className: "ro-list" }, inWay.map((each) => h("li", { key: each.id }, h("span", null, h("b", { className: "tc-mono" }, each.no), ` ${each.start}–${each.end} `, each.title)))),
        h("p", { className: "tc-help" }, speak.t("roster.they_go")),
        h("div", { className: "tc-dialog-foot" },
          h("button", { type: "button", className: "tc-btn", "data-focus": true, onClick: () => onLeave?.() }, speak.t("roster.keep")),
          h("button", { type: "button", className: "tc-btn", "data-tone": "danger", onClick: takeOff }, speak.t("roster.take_off"))))));
}
