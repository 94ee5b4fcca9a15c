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
    tabs,
    text_area,
    text_link,
)
from ticket_console.components.countdown import countdown
from ticket_console.components.overlay import dialog, reason_dialog
from ticket_console.components.shell import link
from ticket_console.components.surge_banner import surge_banner
from ticket_console.components.text import ago, due, number, span, t, t_with, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.pages.waiting_plan import plan_button, plan_dialog
from ticket_console.state.planning import PlanningState
from ticket_console.state.surge import SurgeState
from ticket_console.state.waiting import WaitingState
from ticket_console.state.waiting_queues import WaitingQueuesState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/waiting",
    title="waiting.title",
    active="waiting",
    on_load=[
        WaitingState.load,
        WaitingQueuesState.load_queues,
        PlanningState.arrive,
        WaitingState.watch,
        WaitingQueuesState.watch_queues,
        SurgeState.watch_surges,
        PlanningState.watch_plan,
    ],
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
            plan_button(WaitingState.total),
            hint=t("waiting.hint"),
        ),
        surge_banner(SurgeState.banner),
        loaded(
            WaitingState.status,
            stack(
                _figures_strip(),
                tabs(
                    [
                        ("nobody", t("waiting.tab.nobody", n=WaitingState.total)),
                        ("offered", t("waiting.tab.offered", n=WaitingQueuesState.offered.length())),
                        ("vendors", t("waiting.tab.vendors", n=WaitingQueuesState.at_vendors.length())),
                    ],
                    value=WaitingQueuesState.tab,
                    on_change=WaitingQueuesState.show_queue,
                    label=t("waiting.which"),
                ),
                rx.match(
                    WaitingQueuesState.tab,
                    ("offered", _offered()),
                    ("vendors", _at_vendors()),
                    _nobody(),
                ),
                gap=14,
                class_name="tc-queues",
            ),
            on_retry=WaitingState.load,
        ),
        _dialog(),
        plan_dialog(),
        reason_dialog(
            open=WaitingQueuesState.returning.contains("no"),
            title=t("waiting.why_back", no=WaitingQueuesState.returning["no"].to(str)),
            on_confirm=WaitingQueuesState.give_back,
            on_cancel=WaitingQueuesState.keep_it,
        ),
    )


def _nobody() -> rx.Component:
    return stack(
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
    )


def _figures_strip() -> rx.Component:
    """How much of giving work away needed no hand, and how soon somebody had it, over the last week."""
    figures = WaitingQueuesState.figures
    return rx.cond(
        figures.contains("assigned"),
        rx.el.dl(
            _figure(
                t("waiting.figure.automatic"),
                rx.cond(
                    figures["automatic_percent"] != rx.Var.create(None),
                    t("waiting.percent", n=figures["automatic_percent"].to(int)),
                    "—",
                ),
            ),
            _figure(
                t("waiting.figure.by_hand"),
                number(figures["manual"].to(int)),
            ),
            _figure(t("waiting.figure.p50"), _seconds(figures["p50_seconds"])),
            _figure(t("waiting.figure.p99"), _seconds(figures["p99_seconds"])),
            class_name="tc-figures",
            aria_label=t("waiting.figures"),
        ),
    )


def _figure(name: rx.Var[str], value: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(name), rx.el.dd(value))


def _seconds(value: Any) -> rx.Component:
    """Seconds while they are few, hours and minutes after that."""
    return rx.cond(
        value != rx.Var.create(None),
        rx.cond(
            value.to(float) < 60,
            t("waiting.seconds", n=value.to(float)),
            span(value.to(float)),
        ),
        "—",
    )


def _offered() -> rx.Component:
    def asked(person: Item) -> rx.Component:
        state = person["state"].to(str)
        return rx.el.li(
            rx.el.span(person["name"].to(str), class_name="tc-strong"),
            rx.match(
                state,
                ("offered", countdown(person["until"])),
                ("declined", badge(person["reason"].to(str), tone="warn", icon="x")),
                rx.el.span(t("waiting.no_answer"), class_name="tc-help"),
            ),
            rx.el.span(when(person["asked_at"], form="clock"), class_name="tc-help"),
            custom_attrs={"data-state": state},
        )

    return rx.cond(
        WaitingQueuesState.offered.length() > 0,
        data_table(
            [
                Column(t("waiting.column.ticket"), _ticket_cell),
                Column(
                    t("waiting.column.priority"),
                    lambda each: priority_chip(each["priority"]),
                    nowrap=True,
                    width="90px",
                ),
                Column(
                    t("waiting.column.asked"),
                    lambda each: rx.el.ul(
                        rx.foreach(each["people"].to(list[dict[str, Any]]), asked),
                        class_name="tc-asked-people",
                    ),
                    width="40%",
                ),
                Column(
                    t("waiting.column.until"),
                    lambda each: countdown(each["until"]),
                    nowrap=True,
                    width="100px",
                ),
                Column(
                    t("waiting.column.actions"),
                    lambda each: button(
                        t("waiting.assign"),
                        icon="user_plus",
                        small=True,
                        on_click=WaitingState.ask(each["ticket_id"].to(int)),
                    ),
                    nowrap=True,
                    align="end",
                    width="120px",
                ),
            ],
            WaitingQueuesState.offered,
            caption=t("waiting.offered"),
        ),
        empty(t("waiting.none_offered"), text=t("waiting.none_offered.text"), icon="hand"),
    )


def _at_vendors() -> rx.Component:
    def actions(each: Item) -> rx.Component:
        return row(
            rx.cond(
                each["is_ours"],
                button(
                    t("waiting.give_back"),
                    icon="undo_2",
                    small=True,
                    on_click=WaitingQueuesState.ask_why_back(
                        each["ticket_id"].to(int), each["no"].to(str), each["version"].to(int)
                    ),
                ),
            ),
            button(
                t("waiting.assign"),
                icon="user_plus",
                small=True,
                tone="primary",
                on_click=WaitingState.ask(each["ticket_id"].to(int)),
            ),
            class_name="tc-waiting-actions",
        )

    return rx.cond(
        WaitingQueuesState.at_vendors.length() > 0,
        data_table(
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
                Column(
                    t("waiting.column.vendor"),
                    lambda each: rx.el.span(tl(each["vendor"]), class_name="tc-strong"),
                    width="20%",
                ),
                Column(t("waiting.column.age"), lambda each: ago(each["since"]), nowrap=True, width="120px"),
                Column(t("waiting.column.actions"), actions, nowrap=True, align="end", width="220px"),
            ],
            WaitingQueuesState.at_vendors,
            caption=t("waiting.vendors"),
        ),
        empty(t("waiting.none_at_vendors"), icon="building_2"),
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
                item["is_by_rule"],
                badge(t("waiting.by_rule"), tone="accent"),
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
                rx.cond(
                    WaitingQueuesState.vendors.length() > 0,
                    rx.el.div(
                        rx.el.span(t("waiting.or_vendor"), class_name="tc-muted"),
                        rx.foreach(WaitingQueuesState.vendors, _vendor_button),
                        class_name="tc-row",
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


def _vendor_button(vendor: Item) -> rx.Component:
    one = WaitingState.offered
    return button(
        tl(vendor["name"]),
        icon="building_2",
        small=True,
        on_click=[
            WaitingQueuesState.to_vendor(
                one["ticket_id"].to(int), one["version"].to(int), vendor["id"].to(int)
            ),
            WaitingState.stop_asking,
        ],
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
