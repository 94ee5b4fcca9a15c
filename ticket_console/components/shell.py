"""The frames around every page: the console's with navigation, and the bare one for visitors."""

from dataclasses import dataclass
from typing import Any, Final

import reflex as rx
from reflex.event import EventType
from reflex_components_core.react_router.dom import ReactRouterLink

from ticket_console.components.navigation import side_nav, tab_bar
from ticket_console.components.overlay import (
    connection_banner,
    locale_switch,
    nav_toggle,
    notice_bell,
    shortcuts,
    theme_switch,
    user_menu,
)
from ticket_console.components.text import t


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go; `role` is for places that belong to a role and not to a permission.

    `group` is the heading it stands below, `nav.group.<group>`; places without one come first.
    A phone has room for few tabs: those `in_tab_bar` come before the others, the rest is in the sheet "More".
    """

    key: str
    href: str
    icon: str
    keys: str
    permission: str = ""
    role: str = ""
    group: str = ""
    in_tab_bar: bool = False

    @property
    def label(self) -> str:
        return f"nav.{self.key}"

    @property
    def wire(self) -> dict[str, str]:
        return {
            "key": self.key,
            "keys": self.keys,
            "href": self.href,
            "label": self.label,
            "permission": self.permission,
            "role": self.role,
            "group": self.group,
            "daily": "yes" if self.in_tab_bar else "",
        }


PLACES: Final = (
    Place("dashboard", "/", "layout_dashboard", "g d", permission="dashboard.view", in_tab_bar=True),
    Place("board", "/board", "square_kanban", "g b", permission="board.view", in_tab_bar=True),
    Place("tickets", "/tickets", "list", "g t", permission="dashboard.view"),
    Place("intake", "/intake", "inbox", "g i", permission="intake.view", in_tab_bar=True),
    Place("my", "/my", "wrench", "g m", role="technician", in_tab_bar=True),
    Place("pay", "/pay", "wallet", "g p", permission="settlement.view_own", in_tab_bar=True),
    Place(
        "waiting",
        "/waiting",
        "user_search",
        "g w",
        permission="ticket.assign",
        group="dispatch",
        in_tab_bar=True,
    ),
    Place("map", "/map", "map", "g o", permission="board.view", group="dispatch"),
    Place("sites", "/sites", "store", "g l", permission="dashboard.view", group="dispatch"),
    Place("dispatch", "/dispatch", "list_checks", "g r", permission="ticket.assign", group="dispatch"),
    Place("radar", "/radar", "radar", "g k", permission="board.view", group="dispatch"),
    Place(
        "handover",
        "/handover",
        "arrow_left_right",
        "g v",
        permission="shift.hand_over",
        group="dispatch",
    ),
    Place("timeline", "/timeline", "calendar_clock", "g h", permission="ticket.assign", group="dispatch"),
    Place("sandbox", "/sandbox", "flask_conical", "g x", permission="ticket.assign", group="dispatch"),
    Place("roster", "/roster", "calendar_days", "g u", permission="roster.manage", group="dispatch"),
    Place(
        "settlement", "/settlement", "receipt_text", "g s", permission="settlement.view", group="settlement"
    ),
    Place("reports", "/reports", "chart_column", "g f", permission="settlement.view", group="settlement"),
    Place(
        "invariants", "/invariants", "badge_check", "g y", permission="settlement.view", group="settlement"
    ),
    Place("rulebook", "/settlement/rules", "scale", "g c", permission="settlement.view", group="settlement"),
    Place("designer", "/designer", "pencil_ruler", "g e", permission="template.manage", group="manage"),
    Place("audit", "/audit", "shield_check", "g a", permission="audit.view", group="manage"),
    Place("operations", "/operations", "timer", "g j", permission="audit.view", group="manage"),
)
NEW_TICKET: Final = Place("new", "/tickets/new", "plus", "g n", permission="ticket.open")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page, as Vars; `on_look` asks how many notices are unread."""

    name: rx.Var[str]
    roles: rx.Var[list[str]]
    permissions: rx.Var[list[str]]
    unread: rx.Var[int]
    on_look: EventType[()]


def shell(
    *children: rx.Component,
    title: rx.Var[str],
    active: str,
    viewer: Viewer,
    width: str = "normal",
    tools: tuple[rx.Component, ...] = (),
    keys: list[dict[str, str]] | None = None,
) -> rx.Component:
    """The console's frame. `width` is normal, narrow (forms) or full (the board: no padding, no scroll).

    `tools` stand in the top bar; `keys` are further lines of the help sheet: [{keys, label: key}].
    """
    return rx.el.div(
        rx.el.a(t("shell.skip"), href="#main", class_name="tc-skip"),
        _navigation(active, viewer),
        _top_bar(title, viewer, tools, is_heading=width == "full"),
        rx.el.main(
            rx.el.div(*children, class_name="tc-page", custom_attrs={"data-width": width}),
            id="main",
            class_name="tc-main",
            tab_index=-1,
        ),
        tab_bar(PLACES, active=active, roles=viewer.roles, permissions=viewer.permissions),
        connection_banner(),
        shortcuts(
            places=[place.wire for place in (*PLACES, NEW_TICKET)],
            extra=keys or [],
            roles=viewer.roles,
            permissions=viewer.permissions,
        ),
        class_name="tc-shell",
    )


def bare(*children: rx.Component, align: str = "top") -> rx.Component:
    """The frame for pages without a log-in: brand, language and theme, nothing else."""
    return rx.el.div(
        rx.el.header(
            _brand(),
            rx.el.div(locale_switch(), theme_switch(), class_name="tc-bar-tools"),
            class_name="tc-bare-bar",
        ),
        rx.el.main(*children, id="main", class_name="tc-bare-main", custom_attrs={"data-align": align}),
        connection_banner(),
        class_name="tc-bare",
    )


def link(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link within the console: the page changes without loading anew."""
    return ReactRouterLink.create(*children, to=href, **props)


def _brand() -> rx.Component:
    return rx.el.div(
        rx.el.span(rx.icon("square_check_big", size=15), class_name="tc-mark", aria_hidden="true"),
        rx.el.span(t("shell.brand"), class_name="tc-wide"),
        class_name="tc-brand",
    )


def _may_go(place: Place, viewer: Viewer) -> rx.Var[bool]:
    return viewer.roles.contains(place.role) if place.role else viewer.permissions.contains(place.permission)


def _navigation(active: str, viewer: Viewer) -> rx.Component:
    return rx.el.nav(
        _brand(),
        side_nav(PLACES, active=active, roles=viewer.roles, permissions=viewer.permissions),
        rx.el.div(class_name="tc-nav-fill"),
        nav_toggle(),
        class_name="tc-nav",
        aria_label=t("shell.nav"),
    )


def _top_bar(
    title: rx.Var[str], viewer: Viewer, tools: tuple[rx.Component, ...], *, is_heading: bool
) -> rx.Component:
    # A page that fills the whole area has no heading of its own.
    name = rx.el.h1 if is_heading else rx.el.div
    return rx.el.header(
        name(title, class_name="tc-bar-title"),
        rx.el.div(
            *tools,
            rx.cond(_may_go(NEW_TICKET, viewer), _new_ticket()),
            notice_bell(unread=viewer.unread, on_look=viewer.on_look),
            locale_switch(),
            theme_switch(),
            user_menu(name=viewer.name, roles=viewer.roles),
            class_name="tc-bar-tools",
        ),
        class_name="tc-bar",
    )


def _new_ticket() -> rx.Component:
    """From everywhere one press away: whoever answers the telephone has no time to look for it."""
    return link(
        rx.icon(NEW_TICKET.icon, aria_hidden="true"),
        rx.el.span(t(NEW_TICKET.label), class_name="tc-bar-new-text"),
        href=NEW_TICKET.href,
        title=t(NEW_TICKET.label),
        class_name="tc-btn tc-bar-new",
        custom_attrs={"data-tone": "primary", "data-size": "small"},
    )
