"""The dialog that plans everything that waits: what the plan is worth, its rows, and what became of them."""

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
    priority_chip,
    progress_bar,
    row,
    stack,
    text_link,
)
from ticket_console.components.overlay import dialog
from ticket_console.components.text import t, t_with
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
                ("applying", _applying()),
                ("done", _done()),
                _failed(),
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
            _choosing(),
            _rows(),
            rx.el.div(
                button(t("common.cancel"), on_click=PlanningState.close),
                button(
                    t("planning.apply", n=_picked()),
                    tone="primary",
                    icon="check",
                    on_click=PlanningState.apply,
                    disabled=_picked() == 0,
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
            rx.el.div(
                button(t("planning.again"), icon="rotate_cw", on_click=PlanningState.plan),
                button(t("common.close"), tone="primary", on_click=PlanningState.close),
                class_name="tc-dialog-foot",
            ),
        ),
    )


def _picked() -> rx.Var[int]:
    return (PlanningState.rows.length() - PlanningState.unpicked.length()).to(int)


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
    return row(
        rx.cond(
            PlanningState.gains.length() > 0,
            rx.foreach(
                PlanningState.gains,
                lambda each: badge(
                    t_with(each["key"].to(str), each["params"]),
                    tone=rx.cond(each["is_good"], "ok", "plain"),
                ),
            ),
            badge(t("planning.gain.same")),
        ),
        rx.cond(
            PlanningState.totals["left"].to(int) > 0,
            badge(t("planning.left", n=PlanningState.totals["left"].to(int)), tone="warn"),
        ),
        rx.cond(PlanningState.totals["is_cut"], badge(t("planning.cut"))),
        class_name="tc-plan-gains",
    )


def _choosing() -> rx.Component:
    return row(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=PlanningState.unpicked.length() == 0,
                on_change=PlanningState.pick_all,
            ),
            rx.el.span(t("planning.pick_all")),
            class_name="tc-check",
        ),
        rx.el.span(
            t("planning.picked", n=_picked(), all=PlanningState.rows.length()),
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
                checked=~PlanningState.unpicked.contains(ticket_id),
                on_change=lambda is_picked: PlanningState.pick(ticket_id, is_picked),
                aria_label=t("planning.pick", no=item["no"].to(str), who=item["technician"].to(str)),
            ),
            class_name="tc-check",
        )

    return data_table(
        [
            Column(t("planning.column.pick"), pick, width="60px"),
            Column(t("waiting.column.ticket"), _ticket),
            Column(
                t("waiting.column.priority"),
                lambda each: priority_chip(each["priority"]),
                nowrap=True,
                width="90px",
            ),
            Column(
                t("planning.column.who"),
                lambda each: rx.el.span(each["technician"].to(str), class_name="tc-strong"),
                width="20%",
            ),
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


def _ticket(item: Item) -> rx.Component:
    return rx.el.div(
        text_link(item["title"].to(str), href="/tickets/" + item["ticket_id"].to_string()),
        rx.el.span(item["no"].to(str), class_name="tc-help tc-mono"),
        class_name="tc-inbox-message",
    )


def _applying() -> rx.Component:
    return stack(
        rx.el.p(t("planning.applying"), role="status"),
        progress_bar(PlanningState.progress_bp, label=t("planning.applying")),
    )


def _done() -> rx.Component:
    refused = PlanningState.outcomes.length() - PlanningState.given
    return stack(
        note(
            rx.cond(
                refused > 0,
                t("planning.some_given", n=PlanningState.given, refused=refused),
                t("planning.all_given", n=PlanningState.given),
            ),
            tone=rx.cond(refused > 0, "warn", "ok"),
            icon="info",
            role="status",
        ),
        data_table(
            [
                Column(t("waiting.column.ticket"), _ticket),
                Column(
                    t("planning.column.who"),
                    lambda each: rx.el.span(each["technician"].to(str), class_name="tc-strong"),
                    width="20%",
                ),
                Column(t("planning.column.outcome"), _outcome, width="45%"),
            ],
            PlanningState.outcomes,
            caption=t("planning.outcomes"),
            height="min(52dvh, 520px)",
        ),
        rx.el.div(
            button(t("planning.again"), icon="rotate_cw", on_click=PlanningState.plan),
            button(t("common.close"), tone="primary", on_click=PlanningState.close),
            class_name="tc-dialog-foot",
        ),
        gap=14,
    )


def _outcome(item: Item) -> rx.Component:
    return rx.cond(
        item["is_done"],
        badge(t("planning.given"), tone="ok", icon="check"),
        rx.el.div(
            badge(t("planning.refused"), tone="warn", icon="x"),
            rx.el.span(t_with(item["code"].to(str), item["params"])),
            rx.foreach(
                item["problems"].to(list[dict[str, Any]]),
                lambda each: rx.el.span(t_with(each["code"].to(str), each["params"])),
            ),
            class_name="tc-plan-why",
        ),
    )


def _failed() -> rx.Component:
    return stack(
        failed(on_retry=PlanningState.plan, title=t("planning.failed")),
        rx.el.div(button(t("common.close"), on_click=PlanningState.close), class_name="tc-dialog-foot"),
    )
