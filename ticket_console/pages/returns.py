"""Where work is sent back: every step, how often, by whom and why, and the tickets it happened to."""

from typing import Any

import reflex as rx

from ticket_console.components.address import address_select
from ticket_console.components.blocks import (
    Column,
    badge,
    button_link,
    data_table,
    empty,
    loaded,
    page_header,
    row,
    stack,
    text_link,
)
from ticket_console.components.text import number, t, tl
from ticket_console.pages.frame import console_page
from ticket_console.state.returns import PERIODS, ReturnsState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/returns",
    title="returns.title",
    active="dashboard",
    permission="dashboard.view",
    on_load=[ReturnsState.load],
)
def returns() -> rx.Component:
    return stack(
        page_header(t("returns.title"), *_filters(), hint=t("returns.hint")),
        loaded(
            ReturnsState.status,
            rx.cond(
                ReturnsState.rows.length() > 0,
                _table(),
                empty(
                    t("returns.none"),
                    button_link(t("returns.to_dashboard"), href="/"),
                    text=t("returns.none.text"),
                    icon="thumbs_up",
                ),
            ),
            on_retry=ReturnsState.load,
        ),
        gap=16,
    )


def _filters() -> tuple[rx.Component, ...]:
    periods = [{"value": str(days), "label": t("returns.days", n=days)} for days in PERIODS]
    return (
        address_select("days", label=t("returns.period"), options=periods, value=ReturnsState.days),
        address_select(
            "region",
            label=t("tickets.region"),
            all=t("tickets.every_region"),
            options=ReturnsState.choices["region"],
            drops=["alone"],
        ),
        address_select(
            "template",
            label=t("tickets.template"),
            all=t("tickets.every_template"),
            options=ReturnsState.choices["template"],
        ),
    )


def _table() -> rx.Component:
    return data_table(
        [
            Column(t("returns.step"), _step),
            Column(t("returns.passed"), lambda each: number(each["passed"]), align="end", nowrap=True),
            Column(t("returns.returns"), lambda each: number(each["returns"]), align="end", nowrap=True),
            Column(
                t("returns.rate"),
                lambda each: rx.el.strong(t("returns.percent", rate=each["rate"])),
                align="end",
                nowrap=True,
            ),
            Column(
                t("returns.tickets"),
                lambda each: text_link(
                    t("returns.list", n=each["tickets"].to(int)), href=each["href"].to(str)
                ),
                align="end",
                nowrap=True,
            ),
            Column(t("returns.by"), _by),
            Column(t("returns.reasons"), _reasons),
        ],
        ReturnsState.rows,
        caption=t("returns.title"),
    )


def _step(each: Item) -> rx.Component:
    return stack(
        rx.el.strong(tl(each["step"])),
        rx.el.span(tl(each["flow"]), class_name="tc-help"),
        gap=2,
    )


def _by(each: Item) -> rx.Component:
    return row(
        rx.foreach(
            each["by"].to(list[dict[str, Any]]),
            lambda one: badge(t("returns.who", who=t(one["key"].to(str)), n=one["count"].to(int))),
        )
    )


def _reasons(each: Item) -> rx.Component:
    return rx.cond(
        each["reasons"].to(list[dict[str, Any]]).length() > 0,
        rx.el.ul(
            rx.foreach(
                each["reasons"].to(list[dict[str, Any]]),
                lambda one: rx.el.li(
                    one["text"].to(str), " ", rx.el.span("× ", number(one["count"]), class_name="tc-muted")
                ),
            ),
            class_name="tr-reasons",
        ),
        rx.el.span("—", class_name="tc-muted"),
    )
