"""How the business stands right now: every figure leads to the tickets it counts."""

from typing import Any

import reflex as rx

from ticket_console.components.address import address_select
from ticket_console.components.blocks import (
    bone,
    button_link,
    card,
    grid,
    loaded,
    page_header,
    stack,
    stat_tile,
)
from ticket_console.components.chart import bar_chart
from ticket_console.components.text import number, t, t_with, when
from ticket_console.pages.frame import console_page
from ticket_console.state.dashboard import DashboardState

Item = rx.vars.ObjectVar[dict[str, Any]]

_CHART = 260


@console_page(
    "/",
    title="dashboard.title",
    active="dashboard",
    permission="dashboard.view",
    on_load=[DashboardState.load, DashboardState.watch],
)
def dashboard() -> rx.Component:
    return stack(
        page_header(t("dashboard.title"), *_filters(), hint=_freshness()),
        loaded(
            DashboardState.status,
            stack(_tiles(), _charts(), gap=16),
            waiting=_waiting(),
            on_retry=[DashboardState.load, DashboardState.watch],
        ),
        gap=16,
    )


def _filters() -> tuple[rx.Component, ...]:
    return (
        address_select(
            "region",
            label=t("tickets.region"),
            all=t("tickets.every_region"),
            options=DashboardState.choices["region"],
            drops=["alone"],
        ),
        address_select(
            "template",
            label=t("tickets.template"),
            all=t("tickets.every_template"),
            options=DashboardState.choices["template"],
        ),
        button_link(t("returns.open"), href="/returns", icon="undo_2"),
    )


def _freshness() -> rx.Component:
    return rx.el.span(
        rx.cond(
            DashboardState.status == "ready",
            rx.fragment(
                rx.el.i(class_name="td-live", aria_hidden="true"),
                t("dashboard.live"),
                " ",
                when(DashboardState.as_of, DashboardState.tz, form="clock"),
                " · ",
                t("dashboard.zone", zone=DashboardState.tz),
            ),
            t("load.busy"),
        ),
        class_name="td-fresh",
    )


def _tiles() -> rx.Component:
    return rx.el.div(
        rx.foreach(DashboardState.counts, _count_tile),
        rx.foreach(DashboardState.times, _time_tile),
        class_name="td-tiles",
    )


def _count_tile(tile: Item) -> rx.Component:
    return stat_tile(
        t(rx.Var.create("dashboard.tile.") + tile["metric"].to(str)),
        number(tile["count"]),
        href=tile["href"],
        tone=tile["tone"],
    )


def _time_tile(tile: Item) -> rx.Component:
    median, p90 = tile["median"].to(dict[str, Any]), tile["p90"].to(dict[str, Any])
    return stat_tile(
        t(rx.Var.create("dashboard.tile.") + tile["metric"].to(str)),
        rx.cond(tile["median"], t_with(median["key"].to(str), median["params"]), "—"),
        href=tile["href"],
        hint=rx.cond(
            tile["median"],
            rx.el.span(
                rx.el.span(t("dashboard.p90"), " ", t_with(p90["key"].to(str), p90["params"])),
                rx.el.span(t("dashboard.recent", n=tile["count"].to(int))),
                class_name="td-hint",
            ),
            t("dashboard.none_recent"),
        ),
    )


def _charts() -> rx.Component:
    standing = [
        ("in_time", t("dashboard.in_time"), "accent"),
        ("overdue", t("dashboard.overdue"), "danger"),
    ]
    return grid(
        card(
            bar_chart(
                DashboardState.days,
                [
                    ("opened", t("dashboard.opened"), "accent"),
                    ("closed", t("dashboard.closed"), "ok"),
                ],
                label=t("dashboard.days"),
                empty=t("dashboard.nothing"),
                height=_CHART,
            ),
            title=t("dashboard.days"),
        ),
        card(
            bar_chart(
                DashboardState.by_region,
                standing,
                label=t("dashboard.by_region"),
                empty=t("dashboard.nothing_open"),
                across=True,
                height=_CHART,
            ),
            title=t("dashboard.by_region"),
        ),
        card(
            bar_chart(
                DashboardState.by_template,
                standing,
                label=t("dashboard.by_template"),
                empty=t("dashboard.nothing_open"),
                across=True,
                height=_CHART,
            ),
            title=t("dashboard.by_template"),
        ),
        card(
            bar_chart(
                DashboardState.responses,
                [("median", t("dashboard.median_response"), "teal")],
                label=t("dashboard.responses"),
                empty=t("dashboard.none_recent"),
                across=True,
                spans=True,
                height=_CHART,
            ),
            title=t("dashboard.responses"),
        ),
        least=440,
        gap=16,
    )


def _waiting() -> rx.Component:
    """The shape of what is coming, so that nothing jumps when it is there."""
    tile = rx.el.div(bone(width="60%"), bone(width="40%", height="30px"), class_name="tc-tile")
    chart = card(bone(height=f"{_CHART + 56}px"), title=t("load.busy"))
    return stack(
        rx.el.span(t("load.busy"), class_name="tc-sr", role="status"),
        rx.el.div(*[tile] * 7, class_name="td-tiles"),
        grid(*[chart] * 4, least=440, gap=16),
        gap=16,
    )
