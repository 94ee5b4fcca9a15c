"""The list of tickets behind a figure, and the place to look for any other."""

from typing import Any

import reflex as rx

from ticket_console.components.address import (
    address_chip,
    address_pages,
    address_search,
    address_select,
    address_sort,
)
from ticket_console.components.blocks import (
    button_link,
    empty,
    loaded,
    page_header,
    priority_chip,
    stack,
    stage_chip,
    text_link,
)
from ticket_console.components.overlay import row_menu
from ticket_console.components.text import due, t, t_with, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.reports.metrics import Metric
from ticket_console.state.tickets import TicketsState

Item = rx.vars.ObjectVar[dict[str, Any]]

_TIMED = [Metric.RESPONDED.value, Metric.RESOLVED.value]


@console_page(
    "/tickets", title="tickets.title", active="tickets", permission="ticket.view", on_load=[TicketsState.load]
)
def tickets() -> rx.Component:
    return stack(
        page_header(
            rx.cond(
                TicketsState.metric != "",
                t(rx.Var.create("tickets.metric.") + TicketsState.metric),
                t("tickets.title"),
            ),
            rx.cond(
                TicketsState.exports.length() > 0,
                row_menu(TicketsState.exports, on_pick=rx.noop(), label=t("tickets.export")),
            ),
            hint=rx.cond(
                TicketsState.status == "ready", t("tickets.count", n=TicketsState.count), t("load.busy")
            ),
        ),
        _filters(),
        loaded(
            TicketsState.status,
            rx.cond(
                TicketsState.count > 0,
                stack(
                    _table(),
                    address_pages(page=TicketsState.page, pages=TicketsState.pages, total=TicketsState.count),
                ),
                empty(
                    t("tickets.none"),
                    button_link(t("tickets.all"), href="/tickets"),
                    text=t("tickets.none.text"),
                    icon="search_x",
                ),
            ),
            on_retry=TicketsState.load,
        ),
        gap=16,
    )


def _filters() -> rx.Component:
    measured = [{"value": metric.value, "label": t(f"tickets.metric.{metric.value}")} for metric in Metric]
    sorted_by = [
        {"value": value, "label": t(key)}
        for value, key in (
            ("-opened", "tickets.sort.newest"),
            ("opened", "tickets.sort.oldest"),
            ("due", "tickets.sort.due"),
            ("priority", "tickets.sort.priority"),
        )
    ]
    return rx.el.div(
        address_search(label=t("tickets.search"), on_enter=TicketsState.open_number),
        address_select(
            "metric",
            label=t("tickets.metric"),
            all=t("tickets.metric.all"),
            options=measured,
            drops=["day", "sort"],
        ),
        address_select(
            "region",
            label=t("tickets.region"),
            all=t("tickets.every_region"),
            options=TicketsState.choices["region"],
            drops=["alone"],
        ),
        address_select(
            "template",
            label=t("tickets.template"),
            all=t("tickets.every_template"),
            options=TicketsState.choices["template"],
        ),
        rx.el.div(
            address_select("sort", label=t("tickets.sort"), all=t("tickets.sort"), options=sorted_by),
            class_name="tl-phone",
        ),
        rx.cond(
            TicketsState.day != "",
            address_chip("day", label=when_day(TicketsState.day)),
        ),
        rx.cond(
            TicketsState.returned,
            address_chip(
                "returned",
                label=t(
                    "tickets.returned",
                    step=TicketsState.returned["step"],
                    first=TicketsState.returned["first"],
                    last=TicketsState.returned["last"],
                ),
            ),
        ),
        rx.cond(
            TicketsState.site,
            address_chip("site", label=t("tickets.site", name=TicketsState.site["name"])),
        ),
        class_name="tl-bar",
        role="search",
        aria_label=t("tickets.narrow"),
    )


def when_day(day: rx.Var[str]) -> rx.Var[str]:
    return t("tickets.day", at=day)


def _table() -> rx.Component:
    def heading(key: str, label: rx.Var[str]) -> rx.Component:
        is_chosen = TicketsState.sort == key
        control = address_sort(key, label=label, sort=TicketsState.sort, descending=TicketsState.descending)
        order = rx.cond(is_chosen, rx.cond(TicketsState.descending, "descending", "ascending"), "none")
        return rx.el.th(control, scope="col", custom_attrs={"aria-sort": order})

    def plain(label: rx.Var[str]) -> rx.Component:
        return rx.el.th(label, scope="col")

    table = rx.el.table(
        rx.el.caption(t("tickets.title"), class_name="tc-sr"),
        rx.el.thead(
            rx.el.tr(
                heading("no", t("tickets.no")),
                plain(t("tickets.what")),
                plain(t("tickets.stage")),
                heading("priority", t("tickets.priority")),
                plain(t("tickets.region")),
                plain(t("tickets.customer")),
                plain(t("tickets.assignee")),
                heading("opened", t("tickets.opened")),
                rx.cond(
                    _is_timed(),
                    heading("took", t("tickets.took")),
                    rx.cond(
                        TicketsState.metric == Metric.CLOSED.value,
                        heading("closed", t("tickets.closed")),
                        heading("due", t("tickets.due")),
                    ),
                ),
            )
        ),
        rx.el.tbody(rx.foreach(TicketsState.rows, _row)),
        class_name="tc-table tl-table",
    )
    return rx.el.div(
        table, class_name="tc-table-box", tab_index=0, role="region", aria_label=t("tickets.title")
    )


def _row(ticket: Item) -> rx.Component:
    def cell(name: str, *children: Any) -> rx.Component:
        return rx.el.td(*children, custom_attrs={"data-cell": name})

    return rx.el.tr(
        cell("no", text_link(ticket["no"].to(str), href=ticket["href"], class_name="tl-open")),
        cell(
            "title",
            rx.el.span(ticket["title"].to(str), class_name="tl-title"),
            rx.el.span(tl(ticket["template"]), class_name="tl-kind"),
        ),
        cell("stage", stage_chip(ticket["stage"], ticket["category"])),
        cell("priority", priority_chip(ticket["priority"])),
        cell("region", rx.cond(ticket["region"], tl(ticket["region"]), "—")),
        cell("customer", rx.cond(ticket["customer"], ticket["customer"].to(str), "—")),
        cell(
            "assignee",
            rx.cond(
                ticket["assignee"],
                ticket["assignee"].to(str),
                rx.el.span(t("tickets.nobody"), class_name="tc-muted"),
            ),
        ),
        cell("opened", when(ticket["opened_at"], TicketsState.tz)),
        cell("last", _last(ticket)),
    )


def _last(ticket: Item) -> rx.Component:
    took = ticket["took"].to(dict[str, Any])
    return rx.cond(
        ticket["took"],
        rx.el.span(t_with(took["key"].to(str), took["params"])),
        rx.cond(
            ticket["closed_at"],
            rx.el.span(
                rx.el.span(t("tickets.closed"), " ", class_name="tl-closed"),
                when(ticket["closed_at"], TicketsState.tz),
            ),
            rx.cond(ticket["due_at"], due(ticket["due_at"]), "—"),
        ),
    )


def _is_timed() -> rx.Var[bool]:
    return rx.Var.create(_TIMED).contains(TicketsState.metric)
