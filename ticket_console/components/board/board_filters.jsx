// The filters of the board. They live in the address, so that a filtered board can be sent to a colleague.
import { createElement as h, useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { ListFilter, Rows3, Rows4, Search, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const KEYS = ["region", "template", "priority", "assignee", "overdue", "mine", "q"];
const PAUSE = 300;

function Pick({ name, value, options, onChange, extra = [] }) {
  const speak = useLanguage();
  const label = speak.t(`board.filter.${name}`);
  return h("select", {
    className: "tc-select tb-pick", "aria-label": label, value, "data-on": value !== "", onChange: (event) => onChange(name, event.target.value),
  },
    h("option", { value: "" }, label),
    extra.map(([key, text]) => h("option", { key, value: key }, text)),
    options.map((option) => h("option", { key: option.value, value: option.value }, speak.label(option.label))));
}

function Toggle({ on, children, onClick }) {
  return h("button", { type: "button", className: "tc-btn tb-toggle", "aria-pressed": on, onClick }, children);
}

export function BoardFilters({ choices = {}, mayBeMine, dense, onDense }) {
  const speak = useLanguage();
  const [asked, setAsked] = useSearchParams();
  const [typed, setTyped] = useState(asked.get("q") ?? "");
  const [open, setOpen] = useState(false);
  const timer = useRef(null);

  useEffect(() => () => clearTimeout(timer.current), []);

  const set = (key, value) => setAsked((before) => {
    const next = new URLSearchParams(before);
    if (value) next.set(key, value);
    else next.delete(key);
    return next;
  }, { replace: true });
  const search = (value) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => set("q", value.trim()), PAUSE);
  };
  const clear = () => {
    clearTimeout(timer.current);
    setTyped("");
    setAsked((before) => new URLSearchParams([...before].filter(([key]) => !KEYS.includes(key))), { replace: true });
  };

  const value = (key) => asked.get(key) ?? "";
  const active = KEYS.filter((key) => value(key)).length;
  const priorities = [1, 2, 3, 4].map((each) => ({ value: String(each), label: speak.t(`priority.${each}`) }));

  return h("div", { className: "tb-bar", role: "search", "aria-label": speak.t("board.filters") },
    h("label", { className: "tc-search" }, h(Search, { "aria-hidden": true }),
      h("input", {
        type: "search", className: "tc-input", "data-search": true, value: typed, placeholder: speak.t("board.search"), "aria-label": speak.t("board.search"),
        maxLength: 100, onChange: (event) => search(event.target.value),
        onKeyDown: (event) => event.key === "Escape" && (typed ? search("") : event.currentTarget.blur()),
      })),
    h("button", { type: "button", className: "tc-btn tb-more-filters", "aria-expanded": open, onClick: () => setOpen(!open) },
      h(ListFilter, { "aria-hidden": true }), active > 0 ? active : null, h("span", { className: "tc-sr" }, speak.t("board.filters"))),
    h("div", { className: "tb-picks", "data-open": open },
      h(Pick, { name: "region", value: value("region"), options: choices.region ?? [], onChange: set }),
      h(Pick, { name: "template", value: value("template"), options: choices.template ?? [], onChange: set }),
      h(Pick, { name: "priority", value: value("priority"), options: priorities, onChange: set }),
      h(Pick, { name: "assignee", value: value("assignee"), options: choices.assignee ?? [], onChange: set, extra: [["none", speak.t("board.unassigned")]] }),
      h(Toggle, { on: value("overdue") === "1", onClick: () => set("overdue", value("overdue") ? "" : "1") }, speak.t("board.filter.overdue")),
      mayBeMine && h(Toggle, { on: value("mine") === "1", onClick: () => set("mine", value("mine") ? "" : "1") }, speak.t("board.filter.mine")),
      active > 0 && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", onClick: clear }, h(X, { "aria-hidden": true }), speak.t("board.filter.clear"))),
    h("span", { className: "tb-gap" }),
    h("button", {
      type: "button", className: "tc-btn tb-density", "data-tone": "quiet", "data-shape": "icon", "aria-pressed": dense,
      "aria-label": speak.t("board.dense"), title: speak.t("board.dense"), onClick: () => onDense(!dense),
    }, h(dense ? Rows4 : Rows3, { "aria-hidden": true })));
}
