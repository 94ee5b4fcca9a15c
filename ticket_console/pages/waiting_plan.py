"""The dialog that plans everything that waits: what the plan is worth, its rows, and what became of them."""

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
    note,
    priority_chip,
    row,
    stack,
)
from ticket_console.components.overlay import dialog
from ticket_console.components.text import t
from ticket_console.state.planning import PlanningState

Item = rx.vars.ObjectVar[dict[str, Any]]


def plan_button(total: rx.Var[int]) -> rx.Component:
    return button(
        t("planning.plan"),
        icon="waypoints",
        tone="primary",
        on_click=PlanningState.plan,
        disabled=total == 0,
    )


def plan_dialog() -> rx.Component:
    return rx.el.div(
        dialog(
            rx.match(
                PlanningState.phase,
                ("planning", loading_rows()),
                ("ready", _ready()),
                ("applying", plan.applying(PlanningState, says=t("planning.applying"))),
                ("done", _done()),
                plan.not_planned(PlanningState),
            ),
            open=PlanningState.phase != "",
            title=t("planning.title"),
            on_close=PlanningState.close,
            wide=True,
        ),
        class_name="tc-plan",
    )


def _ready() -> rx.Component:
    return rx.cond(
        PlanningState.rows.length() > 0,
        stack(
            rx.cond(
                PlanningState.has_moved,
                note(
                    row(
                        rx.el.span(t("planning.moved")),
                        button(
                            t("planning.again"), icon="rotate_cw", small=True, on_click=PlanningState.plan
                        ),
                    ),
                    tone="warn",
                    icon="triangle_alert",
                    role="status",
                ),
            ),
            _worth(),
            _gains(),
            plan.choosing(PlanningState),
            _rows(),
            rx.el.div(
                button(t("common.cancel"), on_click=PlanningState.close),
                button(
                    t("planning.apply", n=plan.picked(PlanningState)),
                    tone="primary",
                    icon="check",
                    on_click=PlanningState.apply,
                    disabled=plan.picked(PlanningState) == 0,
                    custom_attrs={"data-focus": "true"},
                ),
                class_name="tc-dialog-foot",
            ),
            gap=14,
        ),
        stack(
            rx.cond(
                PlanningState.totals["waiting"].to(int) > 0,
                empty(t("planning.nobody_free"), text=t("planning.nobody_free.text"), icon="user_x"),
                empty(t("waiting.none"), text=t("waiting.none.text"), icon="circle_check"),
            ),
            plan.again_or_close(PlanningState),
        ),
    )


def _worth() -> rx.Component:
    """The plan beside what deciding one by one would give."""

    def line(name: Any, key: str, *, is_plan: bool) -> rx.Component:
        totals = PlanningState.totals[key].to(dict[str, Any])
        return rx.el.tr(
            rx.el.th(name, scope="row"),
            rx.el.td(
                t("planning.placed_of", n=totals["placed"].to(int), all=PlanningState.totals["waiting"])
            ),
            rx.el.td(t("planning.km", km=totals["kilometres"].to(float))),
            rx.el.td(
                t(rx.Var.create("planning.fit.") + totals["fit"].to(str)),
                " ",
                rx.el.span(t("planning.percent", n=totals["percent"].to(int)), class_name="tc-help"),
            ),
            custom_attrs={"data-plan": "true" if is_plan else "false"},
        )

    return rx.el.table(
        rx.el.caption(t("planning.worth"), class_name="tc-sr"),
        rx.el.thead(
            rx.el.tr(
                rx.el.td(),
                rx.el.th(t("planning.column.placed"), scope="col"),
                rx.el.th(t("planning.column.way"), scope="col"),
                rx.el.th(t("planning.column.fit"), scope="col"),
            )
        ),
        rx.el.tbody(
            line(t("planning.whole"), "whole", is_plan=True),
            line(t("planning.one_by_one"), "one_by_one", is_plan=False),
        ),
        class_name="tc-plan-worth",
    )


def _gains() -> rx.Component:
    return plan.gains(
        PlanningState,
        rx.cond(
            PlanningState.totals["left"].to(int) > 0,
            badge(t("planning.left", n=PlanningState.totals["left"].to(int)), tone="warn"),
        ),
        rx.cond(PlanningState.totals["is_cut"], badge(t("planning.cut"))),
        same=t("planning.gain.same"),
    )


def _rows() -> rx.Component:
    return data_table(
        [
            plan.pick_column(PlanningState),
            plan.ticket_column(),
            Column(
                t("waiting.column.priority"),
                lambda each: priority_chip(each["priority"]),
                nowrap=True,
                width="90px",
            ),
            plan.who_column(),
            Column(
                t("planning.column.km"),
                lambda each: rx.cond(
                    each["distance_km"] != rx.Var.create(None),
                    t("planning.km", km=each["distance_km"].to(float)),
                    t("dispatch.term.distance_unknown"),
                ),
                align="end",
                nowrap=True,
                width="90px",
            ),
            Column(
                t("planning.column.load"),
                lambda each: t(
                    "planning.load", open=each["open_count"].to(int), capacity=each["capacity"].to(int)
                ),
                align="end",
                nowrap=True,
                width="90px",
            ),
        ],
        PlanningState.rows,
        caption=t("planning.rows"),
        height="min(42dvh, 460px)",
    )


def _done() -> rx.Component:
    outcome = plan.outcome_column(given=t("planning.given"), refused=t("planning.refused"), width="45%")
    return plan.carried_out(
        PlanningState,
        [plan.ticket_column(), plan.who_column(), outcome],
        some=t("planning.some_given", n=PlanningState.given, refused=plan.refused(PlanningState)),
        everything=t("planning.all_given", n=PlanningState.given),
    )
