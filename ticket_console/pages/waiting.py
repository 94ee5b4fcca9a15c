"""Work that nobody has: why, for how long, and giving it to somebody."""

from typing import Any

import reflex as rx

from ticket_console.components.allowed import only_for
from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    button_link,
    data_table,
    empty,
    field,
    loaded,
    note,
    page_header,
    priority_chip,
    row,
    search_box,
    stack,
    text_area,
    text_link,
)
from ticket_console.components.overlay import dialog
from ticket_console.components.shell import link
from ticket_console.components.text import ago, due, number, t, t_with, tl
from ticket_console.pages.frame import console_page
from ticket_console.state.waiting import WaitingState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/waiting", title="waiting.title", active="waiting", on_load=[WaitingState.load, WaitingState.watch]
)
def waiting() -> rx.Component:
    return only_for(
        WaitingState.permissions,
        "ticket.assign",
        page_header(
            rx.fragment(t("waiting.title"), " ", badge(number(WaitingState.total), tone="warn")),
            button(
                t("waiting.look_at_all"),
                icon="radar",
                on_click=WaitingState.look_at_all,
                busy=WaitingState.looking == "all",
                disabled=WaitingState.total == 0,
            ),
            hint=t("waiting.hint"),
        ),
        loaded(
            WaitingState.status,
            stack(
                _reasons(),
                rx.cond(
                    WaitingState.rows.length() > 0,
                    _list(),
                    rx.cond(
                        WaitingState.why != "",
                        empty(
                            t("waiting.none_here"),
                            button_link(t("waiting.show_all"), href="/waiting"),
                            icon="user_search",
                        ),
                        empty(t("waiting.none"), text=t("waiting.none.text"), icon="circle_check"),
                    ),
                ),
                rx.cond(
                    WaitingState.total > WaitingState.listed,
                    rx.el.p(t("waiting.only_first", n=WaitingState.listed), class_name="tc-help"),
                ),
                gap=14,
            ),
            on_retry=WaitingState.load,
        ),
        _dialog(),
    )


def _reasons() -> rx.Component:
    def chip(item: Item) -> rx.Component:
        is_chosen = item["code"].to(str) == WaitingState.why
        return link(
            rx.el.span(t(item["key"].to(str))),
            rx.el.span(number(item["count"].to(int)), class_name="tc-count"),
            href=rx.match(is_chosen, (True, "/waiting"), item["href"].to(str)),
            class_name="tc-chip",
            custom_attrs={"aria-current": rx.match(is_chosen, (True, "true"), rx.Var("undefined"))},
        )

    return rx.cond(
        WaitingState.reasons.length() > 0,
        rx.el.nav(
            rx.el.span(t("waiting.in_the_way"), class_name="tc-muted"),
            rx.foreach(WaitingState.reasons, chip),
            class_name="tc-row",
            aria_label=t("waiting.in_the_way"),
        ),
    )


def _list() -> rx.Component:
    return data_table(
        [
            Column(t("waiting.column.ticket"), _ticket_cell),
            Column(
                t("waiting.column.priority"),
                lambda each: priority_chip(each["priority"]),
                nowrap=True,
                width="90px",
            ),
            Column(
                t("waiting.column.region"),
                lambda each: rx.cond(each["region"], tl(each["region"]), "—"),
                nowrap=True,
                width="110px",
            ),
            Column(t("waiting.column.age"), _age_cell, nowrap=True, width="140px"),
            Column(t("waiting.column.why"), _why_cell, width="30%"),
            Column(t("waiting.column.actions"), _actions_cell, nowrap=True, align="end", width="220px"),
        ],
        WaitingState.rows,
        caption=t("waiting.title"),
    )


def _ticket_cell(item: Item) -> rx.Component:
    return rx.el.div(
        text_link(item["title"].to(str), href="/tickets/" + item["ticket_id"].to_string()),
        rx.el.span(item["no"].to(str), class_name="tc-help tc-mono"),
        class_name="tc-inbox-message",
    )


def _age_cell(item: Item) -> rx.Component:
    return rx.el.div(
        ago(item["opened_at"]),
        rx.cond(item["due_at"], rx.el.div(due(item["due_at"]), class_name="tc-small")),
    )


def _why_cell(item: Item) -> rx.Component:
    failed = item["failed"].to(list[dict[str, Any]])
    return rx.el.div(
        rx.cond(
            item["was_given_up"],
            badge(t("waiting.given_up"), tone="violet"),
            rx.cond(
                failed.length() > 0,
                rx.foreach(
                    failed,
                    lambda each: badge(
                        rx.fragment(t(each["key"].to(str)), " ", rx.el.b(number(each["count"].to(int))))
                    ),
                ),
                badge(t("waiting.nobody_there"), tone="danger"),
            ),
        ),
        rx.el.span(t("waiting.tried"), " ", ago(item["tried_at"]), class_name="tc-help"),
        class_name="tc-why",
    )


def _actions_cell(item: Item) -> rx.Component:
    return row(
        button(
            t("waiting.look_again"),
            icon="rotate_cw",
            small=True,
            busy=WaitingState.looking == item["ticket_id"].to_string(),
            on_click=WaitingState.look_again(item["ticket_id"].to(int), item["no"].to(str)),
        ),
        button(
            t("waiting.assign"),
            icon="user_plus",
            small=True,
            tone="primary",
            on_click=WaitingState.ask(item["ticket_id"].to(int)),
        ),
        class_name="tc-waiting-actions",
    )


def _dialog() -> rx.Component:
    one = WaitingState.offered
    return dialog(
        rx.cond(
            one.contains("no"),
            rx.el.form(
                rx.el.p(
                    rx.el.span(one["no"].to(str), class_name="tc-no"),
                    " ",
                    one["title"].to(str),
                    rx.cond(one["skill"], rx.fragment(" · ", t("waiting.needs", skill=one["skill"]))),
                ),
                search_box(
                    label=t("waiting.search"),
                    value=WaitingState.search,
                    on_change=WaitingState.narrow.debounce(120),
                ),
                rx.cond(
                    WaitingState.offers.length() > 0,
                    rx.el.ul(
                        rx.foreach(WaitingState.offers, _offer),
                        class_name="tc-offers",
                        aria_label=t("waiting.who"),
                    ),
                    empty(t("waiting.nobody_there"), icon="user_x"),
                ),
                rx.cond(
                    WaitingState.picked.contains("name"),
                    rx.cond(
                        WaitingState.picked["fit"].to(str) != "yes",
                        rx.fragment(
                            note(
                                t("waiting.override", who=WaitingState.picked["name"].to(str)),
                                tone="warn",
                                icon="triangle_alert",
                            ),
                            field(
                                t("assign.reason"),
                                text_area(name="reason", required=True, max_length=500),
                                required=True,
                            ),
                        ),
                    ),
                ),
                rx.el.div(
                    button(t("common.cancel"), on_click=WaitingState.stop_asking),
                    button(
                        rx.cond(
                            WaitingState.picked.contains("name"),
                            t("waiting.assign_to", who=WaitingState.picked["name"].to(str)),
                            t("waiting.assign_nobody"),
                        ),
                        tone="primary",
                        type="submit",
                        busy=WaitingState.busy,
                        disabled=~WaitingState.picked.contains("name"),
                    ),
                    class_name="tc-dialog-foot",
                ),
                on_submit=WaitingState.assign,
                class_name="tc-assign",
            ),
        ),
        open=one.contains("no"),
        title=t("assign.title"),
        on_close=WaitingState.stop_asking,
        wide=True,
    )


def _offer(item: Item) -> rx.Component:
    is_picked = item["technician_id"] == WaitingState.picked["technician_id"]
    wanted = WaitingState.search.lower()
    face = rx.el.button(
        rx.el.i(class_name="tc-fit", aria_hidden="true"),
        rx.el.span(
            rx.el.span(item["name"].to(str), class_name="tc-strong"),
            rx.el.span(_figures(item), class_name="tc-help"),
            class_name="tc-offer-who",
        ),
        rx.el.span(
            rx.el.span(t(rx.Var.create("waiting.fit.") + item["fit"].to(str)), class_name="tc-offer-fit"),
            rx.foreach(
                item["failures"].to(list[dict[str, Any]]),
                lambda each: rx.el.span(t_with(each["key"].to(str), each["params"])),
            ),
            class_name="tc-offer-why",
        ),
        type="button",
        on_click=WaitingState.pick(item["technician_id"].to(int)),
        custom_attrs={
            "data-fit": item["fit"].to(str),
            "aria-pressed": rx.match(is_picked, (True, "true"), "false"),
        },
    )
    return rx.cond(item["name"].to(str).lower().contains(wanted), rx.el.li(face))


def _figures(item: Item) -> rx.Component:
    return rx.fragment(
        rx.cond(
            item["distance_km"],
            t("waiting.distance", km=item["distance_km"].to(float)),
            t("dispatch.term.distance_unknown"),
        ),
        " · ",
        t(
            "dispatch.term.load",
            open=item["open_count"].to(int),
            capacity=item["capacity"].to(int),
        ),
        " · ",
        t("dispatch.term.level", level=item["level"].to(int)),
    )
