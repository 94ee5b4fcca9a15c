"""The dialog that plans the routes of a day: what they are worth, their visits, and what became of them."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    data_table,
    empty,
    failed,
    loading_rows,
    note,
    progress_bar,
    row,
    stack,
    text_link,
)
from ticket_console.components.overlay import dialog
from ticket_console.components.text import t, t_with
from ticket_console.state.day_routes import DayRoutesState

Item = rx.vars.ObjectVar[dict[str, Any]]


def routes_dialog() -> rx.Component:
    return rx.el.div(
        dialog(
            rx.match(
                DayRoutesState.phase,
                ("planning", loading_rows()),
                ("ready", _ready()),
                ("applying", _applying()),
                ("done", _done()),
                _failed(),
            ),
            open=DayRoutesState.phase != "",
            title=t("routes.title"),
            on_close=DayRoutesState.close,
            wide=True,
        ),
        class_name="tc-plan",
    )


def _ready() -> rx.Component:
    return stack(
        rx.cond(
            DayRoutesState.rows.length() > 0,
            stack(_worth(), _gains(), _choosing(), _rows(), gap=14),
            empty(t("routes.none"), text=t("routes.none.text"), icon="route"),
        ),
        rx.cond(DayRoutesState.left.length() > 0, _left()),
        rx.el.div(
            button(t("common.cancel"), on_click=DayRoutesState.close),
            button(
                t("routes.apply", n=_picked()),
                tone="primary",
                icon="check",
                on_click=DayRoutesState.apply,
                disabled=_picked() == 0,
                custom_attrs={"data-focus": "true"},
            ),
            class_name="tc-dialog-foot",
        ),
        gap=14,
    )


def _picked() -> rx.Var[int]:
    return (DayRoutesState.rows.length() - DayRoutesState.unpicked.length()).to(int)


def _worth() -> rx.Component:
    """The routes beside what giving the jobs away one by one would come to."""

    def line(name: Any, key: str, *, is_plan: bool) -> rx.Component:
        totals = DayRoutesState.totals[key].to(dict[str, int])
        return rx.el.tr(
            rx.el.th(name, scope="row"),
            rx.el.td(t("routes.visits", n=totals["placed"])),
            rx.el.td(t("routes.minutes", n=totals["travel"])),
            rx.el.td(
                rx.cond(
                    totals["late"] > 0,
                    t("routes.late_by", n=totals["late"], minutes=totals["late_by"]),
                    t("routes.in_time"),
                )
            ),
            custom_attrs={"data-plan": "true" if is_plan else "false"},
        )

    return rx.el.table(
        rx.el.caption(t("routes.worth"), class_name="tc-sr"),
        rx.el.thead(
            rx.el.tr(
                rx.el.td(),
                rx.el.th(t("routes.column.visits"), scope="col"),
                rx.el.th(t("routes.column.way"), scope="col"),
                rx.el.th(t("routes.column.late"), scope="col"),
            )
        ),
        rx.el.tbody(
            line(t("routes.whole"), "whole", is_plan=True),
            line(t("routes.one_by_one"), "one_by_one", is_plan=False),
        ),
        class_name="tc-plan-worth",
    )


def _gains() -> rx.Component:
    return row(
        rx.foreach(
            DayRoutesState.gains,
            lambda each: badge(
                t_with(each["key"].to(str), each["params"]),
                tone=rx.cond(each["is_good"], "ok", "plain"),
            ),
        ),
        rx.cond(DayRoutesState.gains.length() == 0, badge(t("routes.gain.same"))),
        class_name="tc-plan-gains",
    )


def _choosing() -> rx.Component:
    return row(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=DayRoutesState.unpicked.length() == 0,
                on_change=DayRoutesState.pick_all,
            ),
            rx.el.span(t("planning.pick_all")),
            class_name="tc-check",
        ),
        rx.el.span(
            t("planning.picked", n=_picked(), all=DayRoutesState.rows.length()),
            class_name="tc-help",
            role="status",
        ),
    )


def _rows() -> rx.Component:
    def pick(item: Item) -> rx.Component:
        ticket_id = item["ticket_id"].to(int)
        return rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=~DayRoutesState.unpicked.contains(ticket_id),
                on_change=lambda is_picked: DayRoutesState.pick(ticket_id, is_picked),
                aria_label=t("planning.pick", no=item["no"].to(str), who=item["technician"].to(str)),
            ),
            class_name="tc-check",
        )

    return data_table(
        [
            Column(t("planning.column.pick"), pick, width="60px"),
            Column(t("planning.column.who"), _person, width="20%"),
            Column(t("routes.column.hours"), _hours, nowrap=True, width="170px"),
            Column(t("waiting.column.ticket"), _ticket),
            Column(
                t("routes.column.way"),
                lambda each: t("routes.minutes", n=each["way"].to(int)),
                align="end",
                nowrap=True,
                width="100px",
            ),
        ],
        DayRoutesState.rows,
        caption=t("routes.rows"),
        height="min(42dvh, 460px)",
    )


def _person(item: Item) -> rx.Component:
    return rx.el.span(item["technician"].to(str), class_name="tc-strong")


def _hours(item: Item) -> rx.Component:
    return row(
        rx.el.span(item["hours"].to(str), class_name="tc-mono"),
        rx.cond(item["is_late"], badge(t("routes.late"), tone="warn")),
    )


def _ticket(item: Item) -> rx.Component:
    return rx.el.div(
        text_link(item["title"].to(str), href="/tickets/" + item["ticket_id"].to_string()),
        rx.el.span(item["no"].to(str), class_name="tc-help tc-mono"),
        class_name="tc-inbox-message",
    )


def _left() -> rx.Component:
    """What is in nobody's route, and why."""
    return rx.el.details(
        rx.el.summary(t("routes.left", n=DayRoutesState.left.length())),
        rx.el.ul(
            rx.foreach(
                DayRoutesState.left,
                lambda each: rx.el.li(
                    text_link(each["no"].to(str), href="/tickets/" + each["ticket_id"].to_string()),
                    " ",
                    each["title"].to(str),
                    " · ",
                    rx.el.span(
                        t(rx.Var.create("routes.why_left.") + each["why"].to(str)), class_name="tc-help"
                    ),
                ),
            ),
        ),
        class_name="tc-plan-left",
    )


def _applying() -> rx.Component:
    return stack(
        rx.el.p(t("routes.applying"), role="status"),
        progress_bar(DayRoutesState.progress_bp, label=t("routes.applying")),
    )


def _done() -> rx.Component:
    refused = DayRoutesState.outcomes.length() - DayRoutesState.given
    return stack(
        note(
            rx.cond(
                refused > 0,
                t("routes.some_planned", n=DayRoutesState.given, refused=refused),
                t("routes.all_planned", n=DayRoutesState.given),
            ),
            tone=rx.cond(refused > 0, "warn", "ok"),
            icon="info",
            role="status",
        ),
        data_table(
            [
                Column(t("planning.column.who"), _person, width="20%"),
                Column(
                    t("routes.column.hours"),
                    lambda each: rx.el.span(each["hours"].to(str), class_name="tc-mono"),
                    nowrap=True,
                    width="120px",
                ),
                Column(t("waiting.column.ticket"), _ticket),
                Column(t("planning.column.outcome"), _outcome, width="40%"),
            ],
            DayRoutesState.outcomes,
            caption=t("planning.outcomes"),
            height="min(52dvh, 520px)",
        ),
        rx.el.div(
            button(t("planning.again"), icon="rotate_cw", on_click=DayRoutesState.plan),
            button(t("common.close"), tone="primary", on_click=DayRoutesState.close),
            class_name="tc-dialog-foot",
        ),
        gap=14,
    )


def _outcome(item: Item) -> rx.Component:
    return rx.cond(
        item["is_done"],
        badge(t("routes.planned"), tone="ok", icon="check"),
        rx.el.div(
            badge(t("routes.refused"), tone="warn", icon="x"),
            rx.cond(
                item["problems"].to(list[dict[str, Any]]).length() == 0,
                rx.el.span(t_with(item["code"].to(str), item["params"])),
            ),
            rx.foreach(
                item["problems"].to(list[dict[str, Any]]),
                lambda each: rx.el.span(t_with(each["code"].to(str), each["params"])),
            ),
            class_name="tc-plan-why",
        ),
    )


def _failed() -> rx.Component:
    return stack(
        failed(on_retry=DayRoutesState.plan, title=t("planning.failed")),
        rx.el.div(button(t("common.close"), on_click=DayRoutesState.close), class_name="tc-dialog-foot"),
    )
