// What the live plan and the branch come to, side by side; the moves with what speaks against them; and what others
// changed meanwhile. A difference is told by sign and word, the colour only underlines it.
import { createElement as h } from "react";
import { Link } from "react-router";
import { Minus, TrendingDown, TrendingUp, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

// Of every figure less is better.
const ROWS = ["late", "unassigned", "travel", "km", "overtime", "over", "spread", "gini", "parts"];
const round = (number) => Math.round(number * 10) / 10;

function Delta({ live, branch }) {
  const speak = useLanguage();
  const by = round(branch - live);
  const tone = by === 0 ? "same" : by < 0 ? "better" : "worse";
  const Icon = { same: Minus, better: TrendingDown, worse: TrendingUp }[tone];
  return h("span", { className: "sb-delta", "data-tone": tone }, h(Icon, { size: 13, "aria-hidden": true }),
    by === 0 ? speak.t("sandbox.delta.same") : speak.t(`sandbox.delta.${tone}`, { by: `${by > 0 ? "+" : "−"}${speak.number(Math.abs(by))}` }));
}

const Tickets = ({ list, name }) => {
  const speak = useLanguage();
  return list.length > 0 && h("div", { className: "sb-chips" }, h("span", { className: "tc-help" }, speak.t(name, { n: list.length })),
    list.slice(0, 12).map((each) => h(Link, { key: each.id, to: `/tickets/${each.id}`, className: "sb-chip" }, each.no)),
    list.length > 12 && h("span", { className: "tc-help" }, "…"));
};

export function Figures({ branch }) {
  const speak = useLanguage();
  const { live, branch: mine } = branch.figures;
  return h("section", { className: "tc-card sb-figures" },
    h("table", null,
      h("caption", { className: "tc-sr" }, speak.t("sandbox.figures")),
      h("thead", null, h("tr", null, ["figure", "live", "branch", "delta"].map((each) => h("th", { key: each, scope: "col" }, speak.t(`sandbox.column.${each}`))))),
      h("tbody", null, ROWS.map((each) => h("tr", { key: each, "data-figure": each },
        h("th", { scope: "row", title: speak.t(`sandbox.figure.${each}.help`) }, speak.t(`sandbox.figure.${each}`)),
        h("td", null, speak.number(live[each])),
        h("td", null, h("b", null, speak.number(mine[each]))),
        h("td", null, h(Delta, { live: live[each], branch: mine[each] })))))),
    h(Tickets, { list: branch.now_late, name: "sandbox.now_late" }),
    h(Tickets, { list: branch.saved, name: "sandbox.saved" }));
}

export function Goal({ move, zone }) {
  const speak = useLanguage();
  const to = move.to === null ? speak.t("sandbox.nobody") : move.to;
  return h("span", null, `${move.live ?? speak.t("sandbox.nobody")} → ${to}`, move.visit && ` · ${speak.when(move.visit[0], zone, "datetime")}`);
}

export const By = ({ by }) => {
  const speak = useLanguage();
  return by && h("span", { className: "sb-by" }, speak.t("sandbox.by", by));
};

export const Said = ({ list, tone }) => {
  const speak = useLanguage();
  return list.length > 0 && h("ul", { className: "sb-said", "data-tone": tone }, list.map((each) => h("li", { key: each.key }, speak.t(each.key, each.params))));
};

export function Moves({ branch, mayMove, onDropMove }) {
  const speak = useLanguage();
  return h("section", { className: "tc-card sb-moves" },
    h("h3", null, speak.t("sandbox.moves.n", { n: branch.moves.length })),
    branch.moves.length === 0 ? mayMove && h("p", { className: "tc-help" }, speak.t("sandbox.moves.none")) : h("ol", null, branch.moves.map((move) => h("li", { key: move.id, "data-move": move.no, "data-tone": move.tone },
      h("div", { className: "sb-move-top" }, h(Link, { to: `/tickets/${move.id}` }, move.no), h(Goal, { move, zone: branch.zone }),
        mayMove && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("sandbox.drop_move", { no: move.no }), title: speak.t("sandbox.drop_move", { no: move.no }), onClick: () => onDropMove(move.id) }, h(X, { size: 13, "aria-hidden": true }))),
      move.contested && h("p", { className: "sb-said", "data-tone": "danger" }, speak.t(move.gone ? "sandbox.move.gone" : "sandbox.move.contested"), " ", h(By, { by: move.by })),
      move.done && h("p", { className: "sb-said" }, speak.t("sandbox.move.done")),
      move.against.length > 0 && h("p", { className: "sb-said", "data-tone": "danger" }, speak.t("sandbox.move.against")),
      h(Said, { list: move.against, tone: "danger" }),
      h(Said, { list: move.warnings, tone: "warn" })))));
}

export function News({ news, count }) {
  const speak = useLanguage();
  return h("details", null, h("summary", null, speak.t("sandbox.news", { n: count })),
    h("ul", null, news.map((each) => h("li", { key: `${each.id}-${each.how}` }, h(Link, { to: `/tickets/${each.id}` }, each.no || each.id), " ",
      speak.t(`sandbox.news.${each.how}`, { who: each.holder ?? speak.t("sandbox.nobody") }), " ", h(By, { by: each.by })))),
    count > news.length && h("p", { className: "tc-help" }, speak.t("sandbox.news.more", { n: count - news.length })));
}
