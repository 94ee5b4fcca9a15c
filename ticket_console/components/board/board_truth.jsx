// What a drop would do, said before it is done: a tone, an icon and the reason in words, for lanes and for people.
import { createElement as h, memo } from "react";
import { Ban, Check, FileText, KeyRound, TriangleAlert, Users } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const ICONS = { green: Check, amber: TriangleAlert, red: Ban, form: FileText, override: KeyRound };
const RANK = { green: 0, amber: 1, red: 2 };

export const formOf = (verdict) => (verdict.tone !== "red" ? verdict.tone : verdict.needs === "form" ? "form" : verdict.override ? "override" : "red");

export const isOpen = (verdict) => formOf(verdict) !== "red";

// The sentence of a verdict: its reasons, else what it asks for, else that all is well.
export function wordsOf(verdict, speak) {
  const form = formOf(verdict);
  const said = verdict.reasons.map((reason) => speak.t(reason.code, reason.params));
  if (form === "form") return speak.t("board.needs.form");
  if (form === "override") said.push(speak.t("board.truth.override"));
  if (verdict.needs === "reason") said.push(speak.t("board.needs.reason"));
  return said.length ? said.join(" · ") : speak.t(`board.truth.${verdict.tone}`);
}

export function Verdict({ verdict, clip }) {
  const speak = useLanguage();
  const form = formOf(verdict);
  const words = wordsOf(verdict, speak);
  return h("span", { className: "tb-truth", "data-tone": verdict.tone, "data-form": form, title: clip ? words : undefined },
    h(ICONS[form], { size: 13, "aria-hidden": true }),
    h("span", { className: "tc-sr" }, speak.t(`board.tone.${verdict.tone}`)),
    h("span", { className: clip ? "tb-truth-words tc-clip" : "tb-truth-words" }, words));
}

export const loadText = (load, speak) => (load ? speak.t("board.load", { open: load.open, capacity: load.capacity }) : "");

// People from who suits best to who cannot.
export const ranked = (people = {}) => Object.entries(people).map(([id, person]) => ({ id, ...person }))
  .sort((one, other) => RANK[one.tone] - RANK[other.tone] || (other.score ?? 0) - (one.score ?? 0) || String(one.name).localeCompare(String(other.name)));

export function PersonFacts({ person }) {
  const speak = useLanguage();
  const facts = [loadText(person.load, speak), person.distance_km === null || person.distance_km === undefined ? "" : speak.t("board.distance", { km: Number(person.distance_km).toFixed(1) })];
  return h("span", { className: "tb-person-facts" }, facts.filter(Boolean).join(" · "));
}

const SIGNS = ["green", "amber", "red"];

// The people a held card can be given to. Closed it is a strip that counts them; it opens over the board when a
// card is carried onto it, and stays beside the lanes when it is pinned.
export const PeopleRail = memo(function PeopleRail({ truth, held, people, open, pinned, onPinned }) {
  const speak = useLanguage();
  const shown = truth ? ranked(truth.people) : [];
  const label = speak.t(pinned ? "board.people.unpin" : "board.people.pin");
  return h("aside", { className: "tb-rail", "data-rail": true, "data-open": open || pinned || undefined, "data-pinned": pinned || undefined, "aria-label": speak.t("board.people") },
    h("header", { className: "tb-rail-head" },
      h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": label, title: label, "aria-expanded": pinned, onClick: () => onPinned(!pinned) }, h(Users, { "aria-hidden": true })),
      (open || pinned) && h("h2", null, speak.t(held ? "board.people.drop" : "board.people"))),
    !open && !pinned && held && truth && SIGNS.map((tone) => h("span", { key: tone, className: "tb-rail-count", "data-tone": tone, title: speak.t(`board.tone.${tone}`) },
      h(ICONS[tone], { size: 13, "aria-hidden": true }), h("span", { className: "tc-sr" }, speak.t(`board.tone.${tone}`)), shown.filter((person) => person.tone === tone).length)),
    (open || pinned) && h("div", { className: "tb-rail-list", "data-scrolls": true, tabIndex: 0, role: "group", "aria-label": speak.t("board.people") },
      held && !truth && h("div", { className: "tc-bone", style: { "--height": "44px" } }),
      held && truth && shown.length === 0 && h("p", { className: "tc-muted" }, speak.t("board.people.none")),
      held ? shown.map((person) => h("div", {
        key: person.id, className: "tb-rail-person", "data-person": person.id, "data-tone": person.tone,
      },
        h("div", { className: "tb-rail-top" }, h("strong", { className: "tc-clip" }, speak.label(person.name)), h(PersonFacts, { person })),
        h(Verdict, { verdict: person })))
        : people.map((person) => h("div", { key: person.value, className: "tb-rail-person" }, h("div", { className: "tb-rail-top" }, h("strong", { className: "tc-clip" }, speak.label(person.label)))))));
});
