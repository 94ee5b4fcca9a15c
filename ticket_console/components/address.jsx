// What a screen is narrowed to stands in the address, so that it can be sent to a colleague and survives a reload.
import { createElement as h, useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { ArrowDown, ArrowUp, ChevronLeft, ChevronRight, Search, X } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const PAUSE = 300;

const NOTHING = new URLSearchParams();

// Another choice starts at the first page again. The page was drawn beforehand without a query, and the
// browser's first drawing must be the same.
function useAddress() {
  const [asked, setAsked] = useSearchParams();
  const [isHere, setHere] = useState(false);
  useEffect(() => setHere(true), []);
  const change = (changes, dropped = ["page"]) => setAsked((before) => {
    const next = new URLSearchParams(before);
    dropped.forEach((name) => next.delete(name));
    Object.entries(changes).forEach(([name, value]) => (value ? next.set(name, value) : next.delete(name)));
    return next;
  }, { replace: true });
  return [isHere ? asked : NOTHING, change];
}

export function AddressSelect({ name, label, options = [], all, drops = [], value }) {
  const speak = useLanguage();
  const [asked, change] = useAddress();
  const chosen = value || asked.get(name) || "";
  return h("select", {
    className: "tc-select ta-pick", "aria-label": label, value: chosen, "data-on": Boolean(all) && chosen !== "",
    onChange: (event) => change({ [name]: event.target.value }, ["page", ...drops]),
  },
    all ? h("option", { value: "" }, all) : null,
    options.map((option) => h("option", { key: option.value, value: option.value }, speak.label(option.label))));
}

export function AddressSearch({ name = "q", label, onEnter }) {
  const [asked, change] = useAddress();
  const there = asked.get(name) ?? "";
  const [typed, setTyped] = useState("");
  const timer = useRef(null);
  const sent = useRef("");

  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // The address changed without us: the way back, or a link.
    if (there !== sent.current) {
      sent.current = there;
      setTyped(there);
    }
  }, [there]);

  const search = (value, pause) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = value.trim();
      change({ [name]: value.trim() });
    }, pause);
  };
  return h("label", { className: "tc-search" }, h(Search, { "aria-hidden": true }),
    h("input", {
      type: "search", className: "tc-input", "data-search": true, value: typed, placeholder: label, "aria-label": label, maxLength: 100,
      onChange: (event) => search(event.target.value, PAUSE),
      onKeyDown: (event) => {
        if (event.key === "Enter" && typed.trim()) {
          search(typed, 0);
          onEnter?.(typed.trim());
        } else if (event.key === "Escape") {
          if (typed) search("", 0);
          else event.currentTarget.blur();
        }
      },
    }));
}

export function AddressSort({ by, label, sort, descending }) {
  const speak = useLanguage();
  const [, change] = useAddress();
  const isChosen = sort === by;
  const next = isChosen && !descending ? "-" : "";
  const mark = descending ? ArrowDown : ArrowUp;
  return h("button", {
    type: "button", className: "ta-sort", "aria-pressed": isChosen,
    title: speak.t(isChosen && descending ? "address.sorted_down" : isChosen ? "address.sorted_up" : "address.sort", { what: label }),
    onClick: () => change({ sort: next + by }),
  }, label, isChosen ? h(mark, { "aria-hidden": true }) : h("span", { className: "ta-sort-room" }));
}

export function AddressChip({ name, label, drops = [] }) {
  const speak = useLanguage();
  const [, change] = useAddress();
  return h("button", {
    type: "button", className: "ta-chip", "aria-label": speak.t("address.without", { what: label }), onClick: () => change({ [name]: "" }, ["page", ...drops]),
  }, label, h(X, { "aria-hidden": true }));
}

const followingDay = (day, by) => {
  const at = new Date(`${day}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + by);
  return at.toISOString().slice(0, 10);
};

// Two days, the last one included; in the address the range is half-open.
export function AddressDays({ since = "", until = "", labels = {}, drops = [] }) {
  const [, change] = useAddress();
  const last = until ? followingDay(until, -1) : "";
  const day = (label, value, put) => h("input", {
    type: "date", className: "tc-input", "aria-label": label, title: label, value, max: "9999-12-31",
    onChange: (event) => put(event.target.value),
  });
  return h("span", { className: "ta-days" },
    day(labels.since, since, (value) => change({ since: value }, ["page", ...drops])),
    h("span", { "aria-hidden": true }, "–"),
    day(labels.until, last, (value) => change({ until: value ? followingDay(value, 1) : "" }, ["page", ...drops])));
}

export function AddressPages({ page = 1, pages = 1, total = 0 }) {
  const speak = useLanguage();
  const [, change] = useAddress();
  const step = (icon, label, to) => h("button", {
    type: "button", className: "tc-btn", "data-shape": "icon", "aria-label": label, title: label, disabled: to < 1 || to > pages,
    onClick: () => change({ page: to > 1 ? String(to) : "" }, []),
  }, h(icon, { "aria-hidden": true }));
  return h("nav", { className: "tc-pages", "aria-label": speak.t("table.pages") },
    h("span", { className: "tc-small" }, speak.t("table.total", { n: total })),
    h("div", { className: "tc-row" },
      step(ChevronLeft, speak.t("table.previous"), page - 1),
      h("span", { className: "tc-small" }, speak.t("table.page", { page, pages })),
      step(ChevronRight, speak.t("table.next"), page + 1)));
}
