"""What the console does by itself: when it did, when it will, and what went wrong."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    card,
    data_table,
    empty,
    loaded,
    page_header,
    progress_bar,
    stack,
)
from ticket_console.components.text import t, when
from ticket_console.pages.frame import console_page
from ticket_console.state.operations import OperationsState

Item = rx.vars.ObjectVar[dict[str, Any]]

_RUN_TONES = (("waiting", "plain"), ("running", "accent"), ("done", "ok"), ("failed", "danger"))
_TASK_TONES = (
    ("queued", "plain"),
    ("running", "accent"),
    ("done", "ok"),
    ("failed", "danger"),
    ("cancelled", "plain"),
)


@console_page(
    "/operations",
    title="operations.title",
    active="operations",
    permission="audit.view",
    on_load=[OperationsState.load],
)
def operations() -> rx.Component:
    return rx.fragment(
        page_header(
            t("operations.title"),
            button(t("operations.refresh"), icon="refresh_cw", on_click=OperationsState.load),
            hint=t("operations.hint"),
        ),
        loaded(
            OperationsState.status,
            stack(
                card(
                    rx.cond(
                        OperationsState.schedules.length() > 0,
                        _schedules(),
                        empty(t("operations.schedules.none"), icon="calendar_clock"),
                    ),
                    title=t("operations.schedules"),
                    flush=True,
                ),
                card(
                    rx.cond(
                        OperationsState.tasks.length() > 0,
                        _tasks(),
                        empty(t("operations.tasks.none"), icon="hourglass"),
                    ),
                    title=t("operations.tasks"),
                    flush=True,
                ),
                gap=16,
            ),
            on_retry=OperationsState.load,
        ),
    )


def _schedules() -> rx.Component:
    return data_table(
        [
            Column(
                t("operations.what"),
                lambda each: rx.el.span(
                    t(rx.Var.create("operations.schedule.") + each["kind"].to(str)),
                    " ",
                    rx.el.span(each["hour"].to(str), class_name="tc-mono tc-muted"),
                ),
            ),
            Column(t("operations.zone"), lambda each: each["zone"].to(str), nowrap=True),
            Column(t("operations.latest"), _latest),
            Column(t("operations.state"), _run_state),
            Column(
                t("operations.next"), lambda each: when(each["next_at"], each["zone"].to(str)), nowrap=True
            ),
        ],
        OperationsState.schedules,
        caption=t("operations.schedules"),
    )


def _latest(each: Item) -> rx.Component:
    return rx.cond(
        each["day"].to(str) != "",
        rx.el.span(
            each["day"].to(str),
            rx.cond(
                each["done_at"],
                rx.el.span(" · ", when(each["done_at"], each["zone"].to(str)), class_name="tc-help"),
            ),
        ),
        rx.el.span(t("operations.never"), class_name="tc-muted"),
    )


def _run_state(each: Item) -> rx.Component:
    return rx.cond(
        each["state"].to(str) != "",
        rx.el.div(
            badge(
                t(rx.Var.create("operations.run.") + each["state"].to(str)),
                tone=rx.match(each["state"].to(str), *_RUN_TONES, "plain"),
            ),
            rx.cond(
                each["attempts"].to(int) > 1,
                rx.el.span(" ", t("operations.tried", n=each["attempts"].to(int)), class_name="tc-help"),
            ),
            rx.cond(
                each["behind"].to(int) > 1,
                rx.el.span(" ", t("operations.behind", n=each["behind"].to(int)), class_name="tc-help"),
            ),
            rx.cond(
                each["failure"].to(str) != "",
                rx.el.p(each["failure"].to(str), class_name="tc-help tc-mono"),
            ),
        ),
    )


def _tasks() -> rx.Component:
    return data_table(
        [
            Column(
                t("operations.what"), lambda each: t(rx.Var.create("operations.task.") + each["kind"].to(str))
            ),
            Column(t("operations.by"), lambda each: each["by"].to(str), nowrap=True),
            Column(t("operations.state"), _task_state),
            Column(
                t("operations.progress"),
                lambda each: rx.cond(
                    each["has_share"].to(bool),
                    progress_bar(each["share"].to(int), label=t("operations.progress")),
                ),
                width="160px",
            ),
            Column(t("operations.started"), lambda each: when(each["created_at"]), nowrap=True),
            Column(
                t("operations.ended"),
                lambda each: rx.cond(each["ended_at"], when(each["ended_at"])),
                nowrap=True,
            ),
        ],
        OperationsState.tasks,
        caption=t("operations.tasks"),
    )


def _task_state(each: Item) -> rx.Component:
    return rx.el.div(
        badge(
            t(rx.Var.create("operations.task_state.") + each["state"].to(str)),
            tone=rx.match(each["state"].to(str), *_TASK_TONES, "plain"),
        ),
        rx.cond(
            each["attempts"].to(int) > 1,
            rx.el.span(" ", t("operations.tried", n=each["attempts"].to(int)), class_name="tc-help"),
        ),
        rx.cond(
            each["failure"].to(str) != "",
            rx.el.p(t(each["failure"].to(str)), class_name="tc-help"),
        ),
    )
