// Branches of the live plan: their list, or one of them beside the plan. What is dragged is shown there at once and
// stays there until the server has answered.
import { createElement as h, useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { ArrowLeft, GitCommitHorizontal, RefreshCw, Trash2, Undo2 } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { ReasonDialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { Branches } from "./branches.jsx";
import { CommitDialog } from "./commit_dialog.jsx";
import { Figures, Moves, News } from "./figures.jsx";
import { Lanes } from "./lanes.jsx";
import { MoveDialog } from "./move_dialog.jsx";

// Not every address of the console is a secure context, and crypto.randomUUID exists in those only.
const commandId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function Nowhere() {
  const speak = useLanguage();
  return h("div", { className: "tc-empty sb-nowhere" },
    h("h2", null, speak.t("sandbox.not_found")),
    h(Link, { to: "/sandbox", className: "tc-btn" }, speak.t("sandbox.all")));
}

export function Sandbox({ branch = {}, branches = [], choices = [], verdict = {}, outcome = {}, onBegin, onPut, onUndo, onDropMove, onRefresh, onDiscard, onCommit, onOutcomeRead }) {
  const speak = useLanguage();
  const [flying, setFlying] = useState({});
  const [asked, setAsked] = useState(null);
  const [committing, setCommitting] = useState(false);
  const [discarding, setDiscarding] = useState(0);

  // A card that was dropped lies where it was put until the answer to that very gesture.
  useEffect(() => {
    if (!verdict.command_id) return;
    setFlying((before) => Object.fromEntries(Object.entries(before).filter(([, each]) => each.command !== verdict.command_id)));
  }, [verdict]);
  useEffect(() => setFlying({}), [branch.id]);
  const cards = useMemo(() => (branch.cards ?? []).map((card) => (flying[card.id] ? { ...card, holder: flying[card.id].holder, moved: true, eta: null, flying: true } : card)), [branch.cards, flying]);

  const discard = (id) => setDiscarding(id);
  const confirm = h(ReasonDialog, {
    open: discarding > 0, asksReason: false, tone: "danger", title: speak.t("sandbox.discard.title"), text: speak.t("sandbox.discard.text"),
    confirmLabel: speak.t("sandbox.discard"), onConfirm: () => {
      onDiscard(discarding);
      setDiscarding(0);
    }, onCancel: () => setDiscarding(0),
  });
  if (branch.missing) return h(Nowhere);
  if (!branch.id) return h("div", { className: "sb-page" }, h(Branches, { branches, choices, onBegin: (region, name) => onBegin(commandId(), region, name), onDiscard: discard }), confirm);

  const mayMove = branch.mine && branch.open;
  const put = (card, person, start = "", minutes = 0) => {
    const command = commandId();
    setFlying((before) => ({ ...before, [card.id]: { holder: person || null, command } }));
    onPut(command, card.id, card.version, person || 0, start, minutes);
  };
  const commit = (decisions) => onCommit(commandId(), branch.version, decisions);
  const close = () => {
    setCommitting(false);
    if (outcome.rows) onOutcomeRead();
  };
  return h("div", { className: "sb" },
    h("div", { className: "sb-bar" },
      h(Link, { to: "/sandbox", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("sandbox.all"), title: speak.t("sandbox.all") }, h(ArrowLeft, { "aria-hidden": true })),
      h("h2", { className: "sb-name" }, branch.name),
      h("span", { className: "tc-help" }, speak.t("sandbox.stands_on", { region: branch.region, at: branch.base })),
      !branch.mine && h("span", { className: "tc-badge", "data-tone": "violet" }, speak.t("sandbox.of", { who: branch.owner })),
      !branch.open && h("span", { className: "tc-badge", "data-tone": "teal" }, speak.t(`sandbox.state.${branch.state}`)),
      h("span", { className: "sb-gap" }),
      mayMove && h("button", { type: "button", className: "tc-btn", disabled: !branch.last, onClick: () => onUndo(branch.last) }, h(Undo2, { "aria-hidden": true }), speak.t("sandbox.undo")),
      mayMove && h("button", { type: "button", className: "tc-btn", onClick: () => discard(branch.id) }, h(Trash2, { "aria-hidden": true }), speak.t("sandbox.discard")),
      mayMove && h("button", { type: "button", className: "tc-btn", "data-tone": "primary", disabled: branch.moves.length === 0, onClick: () => setCommitting(true) },
        h(GitCommitHorizontal, { "aria-hidden": true }), speak.t("sandbox.commit.n", { n: branch.moves.length }))),
    branch.news_count > 0 && branch.open && h("div", { className: "tc-note sb-news", "data-tone": "warn", role: "status" },
      h(News, { news: branch.news, count: branch.news_count }),
      branch.mine && h("button", { type: "button", className: "tc-btn", onClick: onRefresh }, h(RefreshCw, { "aria-hidden": true }), speak.t("sandbox.refresh"))),
    branch.total > branch.cards.length && h("p", { className: "tc-help" }, speak.t("sandbox.most", { shown: branch.cards.length, total: branch.total })),
    h("div", { className: "sb-body" },
      h(Lanes, { branch, cards, mayMove, onPut: put, onOpen: setAsked }),
      h("aside", { className: "sb-side", "aria-label": speak.t("sandbox.figures") },
        h(Figures, { branch }),
        h(Moves, { branch, mayMove, onDropMove }))),
    h(MoveDialog, { card: asked && (cards.find((card) => card.key === asked.key) ?? null), branch, mayMove, onPut: put, onDropMove, onClose: () => setAsked(null) }),
    h(CommitDialog, { open: committing || Boolean(outcome.rows), branch, outcome, onCommit: commit, onClose: close }),
    confirm);
}
