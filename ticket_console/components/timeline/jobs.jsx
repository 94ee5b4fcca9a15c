// Tasks without a time, the most urgent first. Each can be dragged to the plan by its whole face, or be planned by
// its button; on a phone the button is the way.
import { createElement as h, useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { CalendarPlus, GripVertical, Search, UserRound } from "lucide-react";
import { Due, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const PAUSE = 300;
const LEAST_WAY = 6;

function useDrag(job, { onHold, onOver, onDrop, onLetGo }) {
  const [ghost, setGhost] = useState(null);
  const start = (down) => {
    if (down.button !== 0 || down.target.closest("button")) return;
    const from = { x: down.clientX, y: down.clientY };
    let held = false;
    const move = (event) => {
      if (!held && Math.hypot(event.clientX - from.x, event.clientY - from.y) < LEAST_WAY) return;
      if (!held) {
        held = true;
        document.body.classList.add("tl-grabbing");
        onHold(job);
      }
      event.preventDefault();
      setGhost({ x: event.clientX, y: event.clientY, tone: onOver(job, event.clientX, event.clientY) });
    };
    const end = (event) => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      window.removeEventListener("keydown", escape, true);
      document.body.classList.remove("tl-grabbing");
      setGhost(null);
      if (!held) return;
      if (event.type === "pointerup") onDrop(job, event.clientX, event.clientY);
      else onLetGo();
    };
    const escape = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      end(event);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
    window.addEventListener("keydown", escape, true);
  };
  return [ghost, start];
}

function Job({ job, onPlan, drag }) {
  const speak = useLanguage();
  const [ghost, start] = useDrag(job, drag);
  return h("li", { className: "tl-job", "data-job": job.id, "data-held": ghost !== null || undefined, onPointerDown: start, style: { "--tl-tone": `var(--tc-priority-${job.priority})` } },
    h(GripVertical, { className: "tl-grip", "aria-hidden": true }),
    h("div", { className: "tl-job-text" },
      h("span", { className: "tl-job-head" }, h(Link, { to: `/tickets/${job.id}`, className: "tc-mono", draggable: false }, job.no), h("span", { className: "tc-sr" }, speak.t(`priority.${job.priority}`)),
        job.vip && h("span", { className: "tc-badge", "data-tone": "violet" }, "VIP"), job.due && h(Due, { at: job.due })),
      h("span", { className: "tl-job-title" }, job.title),
      job.holder && h("span", { className: "tl-job-holder" }, h(UserRound, { "aria-hidden": true }), job.holder)),
    h("button", { type: "button", className: "tc-btn", "data-size": "small", "data-tone": "quiet", "data-shape": "icon", onClick: () => onPlan(job), "aria-label": speak.t("plan.put.of", { no: job.no }), title: speak.t("plan.put") },
      h(CalendarPlus, { "aria-hidden": true })),
    ghost && h("div", { className: "tl-ghost", "data-tone": ghost.tone, style: { left: ghost.x, top: ghost.y } }, job.no));
}

export function Jobs({ jobs, onSearch, onPlan, drag }) {
  const speak = useLanguage();
  const [typed, setTyped] = useState("");
  const timer = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = (value) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(value.trim()), PAUSE);
  };
  return h("section", { className: "tl-jobs", "aria-labelledby": "tl-jobs-title" },
    h("h2", { id: "tl-jobs-title" }, speak.t("plan.jobs"), " ", h("span", { className: "tc-count" }, speak.number(jobs.length))),
    h("label", { className: "tc-search" }, h(Search, { "aria-hidden": true }),
      h("input", { type: "search", className: "tc-input", value: typed, maxLength: 60, placeholder: speak.t("plan.jobs.search"), "aria-label": speak.t("plan.jobs.search"), onChange: (event) => search(event.target.value) })),
    jobs.length === 0
      ? h("p", { className: "tc-help" }, speak.t(typed ? "plan.jobs.none_found" : "plan.jobs.none"))
      : h("ul", { className: "tl-job-list", tabIndex: 0, "aria-labelledby": "tl-jobs-title" }, jobs.map((job) => h(Job, { key: job.id, job, onPlan, drag }))));
}
