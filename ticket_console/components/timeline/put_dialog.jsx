// Planning without a mouse: person, day, time and length, with what speaks against it before it is sent; and the
// answer to a refusal, where somebody may answer for it with a reason.
import { createElement as h, useEffect, useId, useState } from "react";
import { Link } from "react-router";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { against, warnings } from "./truth.js";

export function Objections({ list }) {
  const speak = useLanguage();
  return h("ul", { className: "tl-against" }, list.map((each) => h("li", { key: each.key }, speak.t(each.key, each.params))));
}

export function PutDialog({ asked, plan, truth, verdict, busy, onPut, onTakeOff, onHold, onClose }) {
  const speak = useLanguage();
  const id = useId();
  const [wish, setWish] = useState(null);
  const [reason, setReason] = useState("");
  const open = asked !== null;
  useEffect(() => {
    if (!asked) return;
    setWish({ person: asked.person ?? plan.people[0]?.id ?? 0, start: asked.start, minutes: asked.minutes || 60 });
    setReason("");
    // Only another task or another refusal begins anew; the plan may change below the dialog.
  }, [asked]);
  useEffect(() => {
    if (asked && wish) onHold(asked.job.id, wish.minutes);
  }, [asked, wish?.minutes]);
  if (!open || !wish) return h(Dialog, { open: false, title: "", onClose });

  const told = against(truth, asked.job.id, wish.person, wish.start) ?? [];
  const warned = told.length > 0 ? [] : warnings(truth, asked.job.id, wish.person, wish.start);
  const refused = verdict && verdict.command_id === asked.command_id && !verdict.ok ? verdict : null;
  const shown = told.length > 0 ? told : refused?.against ?? [];
  const mayOverride = refused?.may_override && shown.length > 0 && !shown.some((each) => each.firm);
  const set = (name, value) => setWish({ ...wish, [name]: value });
  const submit = (event) => {
    event.preventDefault();
    onPut(asked.job, wish.person, wish.start, wish.minutes, reason.trim(), Boolean(mayOverride && reason.trim()));
  };
  const field = (name, label, control) => h("div", { className: "tc-field" }, h("label", { htmlFor: `${id}-${name}` }, label), control);
  return h(Dialog, { open, title: speak.t(asked.job.planned ? "plan.change.of" : "plan.put.of", { no: asked.job.no }), text: asked.job.title, onClose },
    h("form", { onSubmit: submit, className: "tl-put" },
      field("person", speak.t("plan.person"), h("select", {
        id: `${id}-person`, className: "tc-select", "data-focus": true, value: wish.person, onChange: (event) => set("person", Number(event.target.value)),
      }, plan.people.map((person) => h("option", { key: person.id, value: person.id }, `${person.name} (${person.open}/${person.of})`)))),
      h("div", { className: "tl-put-times" },
        field("day", speak.t("plan.day"), h("input", { id: `${id}-day`, type: "date", className: "tc-input", required: true, value: wish.start.slice(0, 10), onChange: (event) => event.target.value && set("start", `${event.target.value}${wish.start.slice(10)}`) })),
        field("time", speak.t("plan.time"), h("input", { id: `${id}-time`, type: "time", step: 300, className: "tc-input", required: true, value: wish.start.slice(11, 16), onChange: (event) => event.target.value && set("start", `${wish.start.slice(0, 11)}${event.target.value}:00`) })),
        field("minutes", speak.t("plan.minutes"), h("input", { id: `${id}-minutes`, type: "number", min: 5, max: 720, step: 5, className: "tc-input", required: true, value: wish.minutes, onChange: (event) => set("minutes", Number(event.target.value)) }))),
      h("div", { "aria-live": "polite" },
        shown.length > 0 && h("div", { className: "tc-note", "data-tone": "danger" }, h("div", null, h("b", null, speak.t("plan.against")), h(Objections, { list: shown }))),
        warned.length > 0 && h("div", { className: "tc-note", "data-tone": "warn" }, h(Objections, { list: warned }))),
      refused && shown.length === 0 && h("p", { className: "tc-problem", role: "alert" }, speak.t(refused.code || "console.unexpected", refused.params)),
      mayOverride && field("reason", speak.t("plan.reason"), h("textarea", { id: `${id}-reason`, className: "tc-area", maxLength: 500, value: reason, onChange: (event) => setReason(event.target.value) })),
      h("div", { className: "tc-dialog-foot" },
        asked.job.planned && h("button", { type: "button", className: "tc-btn", "data-tone": "danger", onClick: () => onTakeOff(asked.job) }, speak.t("plan.take_off")),
        h(Link, { to: `/tickets/${asked.job.id}`, className: "tc-btn", "data-tone": "quiet" }, speak.t("plan.open_ticket")),
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": "primary", disabled: busy || (mayOverride && !reason.trim()) }, speak.t(mayOverride ? "plan.put.anyway" : "plan.put.do")))));
}
