"""The dialog that plans the routes of a day: what they are worth, their visits, and what became of them."""

from typing import Any

import reflex as rx

from ticket_console.components import plan
from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    data_table,
    empty,
    loading_rows,
    row,
    stack,
    text_link,
)
from ticket_console.components.overlay import dialog
from ticket_console.components.text import t
from ticket_console.state.day_routes import DayRoutesState

Item = rx.vars.ObjectVar[dict[str, Any]]


def routes_dialog() -> rx.Component:
    return rx.el.div(
        dialog(
            rx.match(
                DayRoutesState.phase,
                ("planning", loading_rows()),
                ("ready", _ready()),
                ("applying", plan.applying(DayRoutesState, says=t("routes.applying"))),
                ("done", _done()),
                plan.not_planned(DayRoutesState),
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
            stack(
                _worth(),
                plan.gains(DayRoutesState, same=t("routes.gain.same")),
                plan.choosing(DayRoutesState),
                _rows(),
                gap=14,
            ),
            empty(t("routes.none"), text=t("routes.none.text"), icon="route"),
        ),
        rx.cond(DayRoutesState.left.length() > 0, _left()),
        rx.el.div(
            button(t("common.cancel"), on_click=DayRoutesState.close),
            button(
                t("routes.apply", n=plan.picked(DayRoutesState)),
                tone="primary",
                icon="check",
                on_click=DayRoutesState.apply,
                disabled=plan.picked(DayRoutesState) == 0,
                custom_attrs={"data-focus": "true"},
            ),
            class_name="tc-dialog-foot",
        ),
        gap=14,
    )


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


def _rows() -> rx.Component:
    return data_table(
        [
            plan.pick_column(DayRoutesState),
            plan.who_column(),
            Column(t("routes.column.hours"), _hours, nowrap=True, width="170px"),
            plan.ticket_column(),
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


def _hours(item: Item) -> rx.Component:
    return row(
        rx.el.span(item["hours"].to(str), class_name="tc-mono"),
        rx.cond(item["is_late"], badge(t("routes.late"), tone="warn")),
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


def _done() -> rx.Component:
    hours = Column(
        t("routes.column.hours"),
        lambda each: rx.el.span(each["hours"].to(str), class_name="tc-mono"),
        nowrap=True,
        width="120px",
    )
    outcome = plan.outcome_column(given=t("routes.planned"), refused=t("routes.refused"), width="40%")
    return plan.carried_out(
        DayRoutesState,
        [plan.who_column(), hours, plan.ticket_column(), outcome],
        some=t("routes.some_planned", n=DayRoutesState.given, refused=plan.refused(DayRoutesState)),
        everything=t("routes.all_planned", n=DayRoutesState.given),
    )
