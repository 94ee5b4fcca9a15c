// What the board asks in a dialog: where a card is to go, how many a lane may hold, what is to become of many cards.
import { createElement as h, useEffect, useState } from "react";
import { Link } from "react-router";
import { CircleCheck, CircleX, ExternalLink, Undo2, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { PersonFacts, Verdict, ranked } from "./board_truth.jsx";

const FEW = 6;

function Goal({ name, verdict, facts, onPick }) {
  return h("li", null, h("button", { type: "button", className: "tb-goal", "data-tone": verdict?.tone, disabled: !verdict, onClick: onPick },
    h("span", { className: "tb-goal-top" }, h("strong", null, name), facts),
    verdict ? h(Verdict, { verdict }) : h("span", { className: "tc-bone", style: { "--width": "60%", "--height": "12px" } })));
}

// Every lane and every person with what a drop there would do; the way of a phone, and of who wants to compare.
export function MoveSheet({ card, truth, lanes, by, onLane, onPerson, onClose }) {
  const speak = useLanguage();
  const [sought, setSought] = useState("");
  const [all, setAll] = useState(false);
  useEffect(() => {
    setSought("");
    setAll(false);
  }, [card?.id]);
  const people = ranked(truth?.people).filter((person) => String(speak.label(person.name)).toLowerCase().includes(sought.trim().toLowerCase()));
  const shown = all || sought ? people : people.slice(0, FEW);
  return h(Dialog, { open: card !== null, wide: true, title: card ? speak.t("board.move_title", { no: card.no }) : "", text: card?.title, onClose },
    truth?.code && h("p", { role: "alert", className: "tc-problem" }, speak.t(truth.code, truth.params)),
    h("div", { className: "tb-sheet" },
      by !== "person" && h("section", null, h("h3", null, speak.t(`board.move_to.${by}`)),
        h("ul", { className: "tb-goals", "data-test": "goals" }, lanes.filter((lane) => lane.key !== card?.lane).map((lane) => h(Goal, {
          key: lane.key, name: speak.label(lane.name), verdict: truth?.lanes?.[lane.key], onPick: () => onLane(card, lane.key),
        })))),
      h("section", null, h("h3", null, speak.t("board.give_to")),
        people.length + sought.length > FEW && h("input", {
          type: "search", className: "tc-input", value: sought, placeholder: speak.t("board.people.search"), "aria-label": speak.t("board.people.search"), onChange: (event) => setSought(event.target.value),
        }),
        truth && people.length === 0 && h("p", { className: "tc-muted" }, speak.t("board.people.none")),
        h("ul", { className: "tb-goals", "data-test": "people" }, shown.map((person) => h(Goal, {
          key: person.id, name: speak.label(person.name), verdict: person, facts: h(PersonFacts, { person }), onPick: () => onPerson(card, person.id),
        }))),
        shown.length < people.length && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: () => setAll(true) }, speak.t("board.people.all", { n: people.length })))),
    h("div", { className: "tc-dialog-foot" },
      card && h(Link, { className: "tc-btn", to: `/tickets/${card.id}` }, h(ExternalLink, { "aria-hidden": true }), speak.t("board.open")),
      h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.close"))));
}

const asLimit = (text) => (text.trim() === "" ? null : Number(text));
const isLimit = (value) => value === null || (Number.isInteger(value) && value >= 1 && value <= 9999);

export function LimitDialog({ lane, scope, onSet, onClose }) {
  const speak = useLanguage();
  const [soft, setSoft] = useState("");
  const [hard, setHard] = useState("");
  useEffect(() => {
    setSoft(lane?.limit?.soft?.toString() ?? "");
    setHard(lane?.limit?.hard?.toString() ?? "");
  }, [lane]);
  const [low, high] = [asLimit(soft), asLimit(hard)];
  const wrong = !isLimit(low) || !isLimit(high) ? "board.limit.whole" : low !== null && high !== null && low > high ? "board.limit.order" : null;
  const submit = (event) => {
    event.preventDefault();
    if (!wrong) onSet(scope, lane.key, low, high);
  };
  const field = (name, value, set) => h("label", { className: "tc-field" }, h("span", { className: "tc-label" }, speak.t(`board.limit.${name}_label`)),
    h("input", { className: "tc-input", inputMode: "numeric", name, value, "data-focus": name === "soft" || undefined, "aria-invalid": Boolean(wrong), onChange: (event) => set(event.target.value) }),
    h("span", { className: "tc-help" }, speak.t(`board.limit.${name}_help`)));
  return h(Dialog, { open: lane !== null, title: lane ? speak.t("board.limit.title", { lane: speak.label(lane.name) }) : "", onClose },
    h("form", { onSubmit: submit, noValidate: true, style: { padding: 0 } },
      h("div", { className: "tb-pair" }, field("soft", soft, setSoft), field("hard", hard, setHard)),
      wrong && h("span", { className: "tc-problem", role: "alert" }, speak.t(wrong)),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": "primary", disabled: Boolean(wrong) }, speak.t("board.view.keep")))));
}

const ACTS = ["assign", "release", "move", "priority", "territory", "cancel"];
const GOAL = { assign: "technician_id", move: "to", priority: "priority", territory: "territory_id" };
const NEEDS_REASON = new Set(["release", "priority", "cancel"]);

function optionsOf(act, { choices, lanes, by, speak }) {
  if (act === "assign") return choices.assignee ?? [];
  if (act === "territory") return choices.territory ?? [];
  if (act === "priority") return [1, 2, 3, 4].map((each) => ({ value: String(each), label: speak.t(`priority.${each}`) }));
  if (act === "move" && by === "stage") return lanes.map((lane) => ({ value: lane.key, label: lane.name }));
  return [];
}

function BulkDialog({ act, count, options, onRun, onClose }) {
  const speak = useLanguage();
  const [goal, setGoal] = useState("");
  const [reason, setReason] = useState("");
  useEffect(() => {
    setGoal("");
    setReason("");
  }, [act]);
  const asksGoal = act in GOAL;
  const ready = (!asksGoal || goal) && (!NEEDS_REASON.has(act) || reason.trim());
  const submit = (event) => {
    event.preventDefault();
    if (!ready) return;
    const value = act === "move" ? goal : Number(goal);
    onRun({ ...(asksGoal ? { [GOAL[act]]: value } : {}), ...(reason.trim() ? { reason: reason.trim() } : {}) });
  };
  return h(Dialog, { open: act !== null, title: act ? speak.t(`board.bulk.${act}_title`, { n: count }) : "", text: speak.t("board.bulk.each"), onClose },
    h("form", { onSubmit: submit, noValidate: true, style: { padding: 0 } },
      asksGoal && h("label", { className: "tc-field" }, h("span", { className: "tc-label" }, speak.t(`board.bulk.${act}_goal`)),
        h("select", { className: "tc-select", value: goal, "data-focus": true, required: true, onChange: (event) => setGoal(event.target.value) },
          h("option", { value: "" }, speak.t("board.bulk.pick")),
          options.map((option) => h("option", { key: option.value, value: option.value }, speak.label(option.label))))),
      h("label", { className: "tc-field" }, h("span", { className: "tc-label" }, speak.t("dialog.reason"), NEEDS_REASON.has(act) && h("span", { className: "tc-need", "aria-hidden": true }, "*")),
        h("textarea", { className: "tc-area", value: reason, maxLength: 500, required: NEEDS_REASON.has(act), onChange: (event) => setReason(event.target.value) })),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": act === "cancel" ? "danger" : "primary", disabled: !ready }, act ? speak.t(`board.bulk.${act}`) : ""))));
}

const MOST = 100;

export function BulkBar({ chosen, choices, lanes, by, busy, onRun, onClear }) {
  const speak = useLanguage();
  const [act, setAct] = useState(null);
  const options = act ? optionsOf(act, { choices, lanes, by, speak }) : [];
  const acts = ACTS.filter((each) => (each !== "move" || by === "stage") && (each !== "territory" || (choices.territory ?? []).length > 0));
  const tooMany = chosen.size > MOST;
  return h("div", { className: "tb-bulk", role: "toolbar", "aria-label": speak.t("board.bulk"), "data-test": "bulk" },
    h("strong", null, speak.t("board.bulk.chosen", { n: chosen.size })),
    tooMany && h("span", { className: "tc-problem", role: "alert" }, speak.t("board.bulk.too_many", { most: MOST })),
    busy && h("span", { className: "tc-spin", role: "status", "aria-label": speak.t("load.busy") }),
    acts.map((each) => h("button", { key: each, type: "button", className: "tc-btn", "data-size": "small", "data-tone": each === "cancel" ? "danger" : undefined, disabled: busy || tooMany, onClick: () => setAct(each) }, speak.t(`board.bulk.${each}`))),
    h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("board.bulk.clear"), title: speak.t("board.bulk.clear"), onClick: onClear }, h(X, { "aria-hidden": true })),
    h(BulkDialog, {
      act, count: chosen.size, options, onClose: () => setAct(null),
      onRun: (args) => {
        setAct(null);
        onRun(act, args);
      },
    }));
}

// What became of each, in the order they were chosen; those that went through can be taken back together.
export function Outcomes({ outcomes, onUndo, onClose }) {
  const speak = useLanguage();
  const rows = outcomes?.rows ?? [];
  const done = rows.filter((row) => row.ok);
  return h(Dialog, { open: outcomes !== null, wide: true, title: outcomes ? speak.t("board.outcomes", { done: done.length, n: rows.length }) : "", onClose },
    h("ul", { className: "tb-outcomes", "data-test": "outcomes" }, rows.map((row) => h("li", { key: row.ticket_id, "data-ok": row.ok },
      h(row.ok ? CircleCheck : CircleX, { size: 15, "aria-hidden": true }),
      h(Link, { className: "tc-link", to: `/tickets/${row.ticket_id}` }, row.no ?? `#${row.ticket_id}`),
      h("span", null, row.ok ? speak.t("board.outcome.done") : speak.t(row.code, row.params))))),
    h("div", { className: "tc-dialog-foot" },
      outcomes?.act !== "undo" && done.length > 0 && h("button", { type: "button", className: "tc-btn", onClick: () => onUndo(done.map((row) => `${outcomes.command_id}:${row.ticket_id}`)) }, h(Undo2, { "aria-hidden": true }), speak.t("board.undo")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "primary", "data-focus": true, onClick: onClose }, speak.t("common.close"))));
}
