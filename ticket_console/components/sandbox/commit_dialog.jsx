// Before a commit: what it will do, and the true conflicts with a choice for each. After it: what became of each move.
import { createElement as h, useEffect, useState } from "react";
import { Link } from "react-router";
import { CircleCheck, CircleMinus, CircleX } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { By, Goal, Said } from "./figures.jsx";

const CHOICES = ["live", "mine", "skip"];
const ICONS = { done: CircleCheck, already: CircleCheck, dropped: CircleMinus, skipped: CircleMinus, conflict: CircleX, refused: CircleX };

function Conflict({ move, zone, choice, onChoose }) {
  const speak = useLanguage();
  return h("li", { className: "sb-conflict", "data-conflict": move.no },
    h("div", { className: "sb-move-top" }, h("b", null, move.no), h("span", null, move.title)),
    h("p", { className: "sb-said", "data-tone": "danger" }, speak.t(move.gone ? "sandbox.move.gone" : "sandbox.move.contested"), " ", h(By, { by: move.by })),
    h("dl", { className: "sb-versus" },
      h("dt", null, speak.t("sandbox.conflict.theirs")), h("dd", null, move.gone ? "—" : move.live ?? speak.t("sandbox.nobody"), move.live_visit && ` · ${speak.when(move.live_visit[0], zone, "datetime")}`),
      h("dt", null, speak.t("sandbox.conflict.mine")), h("dd", null, move.to ?? speak.t("sandbox.nobody"), move.visit && ` · ${speak.when(move.visit[0], zone, "datetime")}`)),
    h("fieldset", { className: "sb-choice" }, h("legend", { className: "tc-sr" }, speak.t("sandbox.conflict.choose", { no: move.no })),
      CHOICES.filter((each) => each !== "mine" || !move.gone).map((each) => h("label", { key: each }, h("input", { type: "radio", name: `sb-${move.id}`, value: each, checked: choice === each, onChange: () => onChoose(each) }), speak.t(`sandbox.choice.${each}`)))));
}

function Outcome({ outcome, onClose }) {
  const speak = useLanguage();
  return h("div", { className: "sb-outcome" },
    h("ul", null, outcome.rows.map((row) => {
      const Icon = ICONS[row.came];
      return h("li", { key: row.id, "data-came": row.came, "data-no": row.no }, h(Icon, { size: 15, "aria-hidden": true }), h("b", null, row.no), h("span", null, speak.t(`sandbox.came.${row.came}`), " ", row.said && speak.t(row.said.key, row.said.params), row.came === "conflict" && h(By, { by: row.by })));
    })),
    h("div", { className: "tc-dialog-foot" },
      outcome.closed && h(Link, { to: "/sandbox", className: "tc-btn", onClick: onClose }, speak.t("sandbox.all")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "primary", "data-focus": true, onClick: onClose }, speak.t("common.close"))));
}

export function CommitDialog({ open, branch, outcome, onCommit, onClose }) {
  const speak = useLanguage();
  const [chosen, setChosen] = useState({});
  const [sent, setSent] = useState(false);
  useEffect(() => {
    setChosen({});
    setSent(false);
  }, [open]);
  useEffect(() => setSent(false), [outcome, branch.version]);
  if (!open) return h(Dialog, { open: false, title: "", onClose });
  if (outcome.rows) return h(Dialog, { open: true, wide: true, title: speak.t(outcome.closed ? "sandbox.committed" : "sandbox.committed.partly"), onClose }, h(Outcome, { outcome, onClose }));
  const conflicts = branch.moves.filter((move) => move.contested);
  const clean = branch.moves.filter((move) => !move.contested);
  const choiceOf = (move) => chosen[move.id]?.choice ?? "";
  const undecided = conflicts.some((move) => !choiceOf(move));
  // A choice is for what was seen when it was made; a ticket that changes once more is asked about again.
  const choose = (move, choice) => setChosen({ ...chosen, [move.id]: { choice, version: move.version } });
  const submit = (event) => {
    event.preventDefault();
    setSent(true);
    onCommit(conflicts.map((move) => [move.id, chosen[move.id].choice, chosen[move.id].version]));
  };
  return h(Dialog, { open: true, wide: true, title: speak.t("sandbox.commit.title", { name: branch.name }), text: speak.t("sandbox.commit.text"), onClose },
    h("form", { onSubmit: submit, className: "sb-commit" },
      conflicts.length > 0 && h("section", null, h("h3", null, speak.t("sandbox.conflicts", { n: conflicts.length })),
        h("ul", { className: "sb-conflicts" }, conflicts.map((move) => h(Conflict, { key: move.id, move, zone: branch.zone, choice: choiceOf(move), onChoose: (choice) => choose(move, choice) })))),
      clean.length > 0 && h("section", null, h("h3", null, speak.t("sandbox.clean", { n: clean.length })),
        h("ul", { className: "sb-clean" }, clean.map((move) => h("li", { key: move.id, "data-tone": move.tone }, h("b", null, move.no), h(Goal, { move, zone: branch.zone }),
          move.against.length > 0 && h("p", { className: "sb-said", "data-tone": "danger" }, speak.t("sandbox.move.against")),
          h(Said, { list: move.against, tone: "danger" }))))),
      h("div", { className: "tc-dialog-foot" },
        undecided && h("span", { className: "tc-help" }, speak.t("sandbox.undecided")),
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": "primary", disabled: undecided || sent || branch.moves.length === 0 }, speak.t("sandbox.commit")))));
}
