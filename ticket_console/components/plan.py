"""What dialogs have in common that plan many tickets at once: gains, rows to choose from, outcomes, progress.

`plan` is the State of the dialog, with `rows`, `unpicked`, `gains`, `outcomes`, `given`, `progress_bp` and
the handlers `plan`, `pick`, `pick_all` and `close`. What is said comes translated from the dialog.
"""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    data_table,
    failed,
    note,
    progress_bar,
    row,
    stack,
    text_link,
)
from ticket_console.components.text import t, t_with

Item = rx.vars.ObjectVar[dict[str, Any]]


def picked(plan: Any) -> rx.Var[int]:
    """How many rows will be carried out."""
    return (plan.rows.length() - plan.unpicked.length()).to(int)


def refused(plan: Any) -> rx.Var[int]:
    """How many rows could not be carried out."""
    return (plan.outcomes.length() - plan.given).to(int)


def gains(plan: Any, *more: rx.Component, same: Any) -> rx.Component:
    """In words what the plan has over deciding one by one; `same` is said where it has nothing."""
    return row(
        rx.foreach(
            plan.gains,
            lambda each: badge(
                t_with(each["key"].to(str), each["params"]), tone=rx.cond(each["is_good"], "ok", "plain")
            ),
        ),
        rx.cond(plan.gains.length() == 0, badge(same)),
        *more,
        class_name="tc-plan-gains",
    )


def choosing(plan: Any) -> rx.Component:
    """All rows at once, and how many are picked."""
    return row(
        rx.el.label(
            rx.el.input(type="checkbox", checked=plan.unpicked.length() == 0, on_change=plan.pick_all),
            rx.el.span(t("planning.pick_all")),
            class_name="tc-check",
        ),
        rx.el.span(
            t("planning.picked", n=picked(plan), all=plan.rows.length()), class_name="tc-help", role="status"
        ),
    )


def pick_column(plan: Any) -> Column:
    def pick(item: Item) -> rx.Component:
        ticket_id = item["ticket_id"].to(int)
        return rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=~plan.unpicked.contains(ticket_id),
                on_change=lambda is_picked: plan.pick(ticket_id, is_picked),
                aria_label=t("planning.pick", no=item["no"].to(str), who=item["technician"].to(str)),
            ),
            class_name="tc-check",
        )

    return Column(t("planning.column.pick"), pick, width="60px")


def ticket_column() -> Column:
    def ticket(item: Item) -> rx.Component:
        return rx.el.div(
            text_link(item["title"].to(str), href="/tickets/" + item["ticket_id"].to_string()),
            rx.el.span(item["no"].to(str), class_name="tc-help tc-mono"),
            class_name="tc-inbox-message",
        )

    return Column(t("waiting.column.ticket"), ticket)


def who_column() -> Column:
    return Column(
        t("planning.column.who"),
        lambda each: rx.el.span(each["technician"].to(str), class_name="tc-strong"),
        width="20%",
    )


def outcome_column(*, given: Any, refused: Any, width: str) -> Column:
    def outcome(item: Item) -> rx.Component:
        problems = item["problems"].to(list[dict[str, Any]])
        return rx.cond(
            item["is_done"],
            badge(given, tone="ok", icon="check"),
            rx.el.div(
                badge(refused, tone="warn", icon="x"),
                rx.cond(problems.length() == 0, rx.el.span(t_with(item["code"].to(str), item["params"]))),
                rx.foreach(problems, lambda each: rx.el.span(t_with(each["code"].to(str), each["params"]))),
                class_name="tc-plan-why",
            ),
        )

    return Column(t("planning.column.outcome"), outcome, width=width)


def applying(plan: Any, *, says: Any) -> rx.Component:
    return stack(rx.el.p(says, role="status"), progress_bar(plan.progress_bp, label=says))


def carried_out(plan: Any, columns: Sequence[Column], *, some: Any, everything: Any) -> rx.Component:
    """What became of each row, what was refused first."""
    return stack(
        note(
            rx.cond(refused(plan) > 0, some, everything),
            tone=rx.cond(refused(plan) > 0, "warn", "ok"),
            icon="info",
            role="status",
        ),
        data_table(list(columns), plan.outcomes, caption=t("planning.outcomes"), height="min(52dvh, 520px)"),
        again_or_close(plan),
        gap=14,
    )


def again_or_close(plan: Any) -> rx.Component:
    return rx.el.div(
        button(t("planning.again"), icon="rotate_cw", on_click=plan.plan),
        button(t("common.close"), tone="primary", on_click=plan.close),
        class_name="tc-dialog-foot",
    )


def not_planned(plan: Any) -> rx.Component:
    return stack(
        failed(on_retry=plan.plan, title=t("planning.failed")),
        rx.el.div(button(t("common.close"), on_click=plan.close), class_name="tc-dialog-foot"),
    )
