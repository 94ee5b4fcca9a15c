// Where a viewer can go: in groups beside the page; on a phone the places of every day, and a sheet with all of them.
import { Children, Fragment, createElement as h, useId, useState } from "react";
import { Link } from "react-router";
import { ChevronDown, LayoutGrid } from "lucide-react";
import { Dialog, usePlaces } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const CLOSED = "tc_nav_closed";
const TABS = 5;

const here = (place, active) => (place.key === active ? { "aria-current": "page" } : {});

// The icons come as children, in the order of `places`, so that only those in use are loaded.
function useDrawn({ places, roles, permissions, children }) {
  const icons = Children.toArray(children);
  const drawn = new Map(places.map((place, at) => [place, icons[at]]));
  return [usePlaces(places, roles, permissions), (place) => h("span", { className: "tc-nav-icon", "aria-hidden": true }, drawn.get(place))];
}

// [[group, places]] in the order of the places; places of no group come first.
function inGroups(places) {
  const groups = new Map([["", []]]);
  for (const place of places) groups.set(place.group, [...(groups.get(place.group) ?? []), place]);
  return [...groups].filter(([, members]) => members.length > 0);
}

const keptClosed = () => (typeof window === "undefined" ? "" : window.localStorage.getItem(CLOSED) ?? "").split(" ").filter(Boolean);

// A closed group still shows the place the viewer is at.
function Group({ name, children }) {
  const speak = useLanguage();
  const [open, setOpen] = useState(() => !keptClosed().includes(name));
  const heading = useId();
  const toggle = () => {
    const others = keptClosed().filter((each) => each !== name);
    window.localStorage.setItem(CLOSED, (open ? [...others, name] : others).join(" "));
    setOpen(!open);
  };
  return h("div", { className: "tc-nav-group", role: "group", "aria-labelledby": heading, "data-open": open },
    h("button", { id: heading, type: "button", className: "tc-nav-heading", "aria-expanded": open, onClick: toggle },
      speak.t(`nav.group.${name}`), h(ChevronDown, { size: 14, "aria-hidden": true })),
    children);
}

export function SideNav({ active, places = [], roles = [], permissions = [], children }) {
  const speak = useLanguage();
  const [own, icon] = useDrawn({ places, roles, permissions, children });
  const item = (place) => h(Link, { key: place.key, to: place.href, className: "tc-nav-item", title: speak.t(place.label), ...here(place, active) },
    icon(place), h("span", { className: "tc-wide" }, speak.t(place.label)));
  return inGroups(own).map(([group, members]) => (group
    ? h(Group, { key: group, name: group }, members.map(item))
    : h(Fragment, { key: group }, members.map(item))));
}

export function TabBar({ active, places = [], roles = [], permissions = [], children }) {
  const speak = useLanguage();
  const [own, icon] = useDrawn({ places, roles, permissions, children });
  const [open, setOpen] = useState(false);
  const daily = [...own].sort((a, b) => (b.daily === "yes") - (a.daily === "yes"));
  const tabs = own.length > TABS ? daily.slice(0, TABS - 1) : own;
  const elsewhere = own.find((place) => place.key === active && !tabs.includes(place));
  const label = (place) => h("span", null, speak.t(place.label));
  const tab = (place) => h(Link, { key: place.key, to: place.href, className: "tc-tab", ...here(place, active) }, icon(place), label(place));
  const entry = (place) => h("li", { key: place.key },
    h(Link, { to: place.href, className: "tc-sheet-item", onClick: () => setOpen(false), ...here(place, active) }, icon(place), label(place)));
  const section = ([group, members]) => h("section", { key: group },
    group && h("h3", null, speak.t(`nav.group.${group}`)),
    h("ul", { className: "tc-sheet-places" }, members.map(entry)));
  return h(Fragment, null,
    h("nav", { className: "tc-tabbar", "aria-label": speak.t("shell.nav") },
      tabs.map(tab),
      own.length > tabs.length && h("button", {
        type: "button", className: "tc-tab", "aria-haspopup": "dialog", "aria-expanded": open,
        "data-here": elsewhere ? true : undefined, onClick: () => setOpen(true),
      },
        h("span", { className: "tc-nav-icon", "aria-hidden": true }, h(LayoutGrid)),
        h("span", null, speak.t("nav.more")),
        elsewhere && h("span", { className: "tc-sr" }, speak.t("nav.here", { place: speak.t(elsewhere.label) })))),
    // Beside the bar and not in it: a bar that goes away when the phone is turned must not take an open sheet with it.
    h(Dialog, { open, title: speak.t("nav.all"), shape: "sheet", onClose: () => setOpen(false) },
      inGroups(own).map(section),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: () => setOpen(false) }, speak.t("common.close")))));
}
