"""The roster of a region's people, and how fast requests were answered before and after its changes."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import card, field, loaded, stack
from ticket_console.components.chart import bar_chart
from ticket_console.components.roster.grid import roster_grid
from ticket_console.components.text import t, when, when_text
from ticket_console.pages.frame import console_page
from ticket_console.state.roster import RosterState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/roster",
    title="roster.title",
    active="roster",
    permission="roster.manage",
    on_load=[RosterState.load, RosterState.watch],
)
def roster() -> rx.Component:
    return loaded(
        RosterState.status,
        stack(
            rx.el.h1(t("roster.title"), class_name="tc-sr"),
            roster_grid(
                week=RosterState.week,
                choices=RosterState.choices,
                in_the_way=RosterState.in_the_way,
                on_change=RosterState.change,
                on_weeks=RosterState.plan_weeks,
                on_leave=RosterState.leave_it,
            ),
            _response(),
            gap=14,
        ),
        on_retry=RosterState.load,
    )


def _response() -> rx.Component:
    found = RosterState.response
    return rx.cond(
        RosterState.changes.length() > 0,
        card(
            rx.el.div(
                field(
                    t("roster.response.change"),
                    rx.el.select(
                        rx.foreach(
                            RosterState.changes,
                            lambda each: rx.el.option(
                                when_text(each["value"].to(str)), value=each["value"].to(str)
                            ),
                        ),
                        value=found["changed"].to(str),
                        on_change=RosterState.compare,
                        class_name="tc-select",
                    ),
                ),
                _figures(t("roster.response.before"), found["before"].to(dict[str, Any])),
                _figures(t("roster.response.after"), found["after"].to(dict[str, Any])),
                class_name="ro-response",
            ),
            rx.el.p(
                t("roster.response.period"),
                " ",
                when(found["since"].to(str)),
                " – ",
                when(found["until"].to(str)),
                class_name="tc-help",
            ),
            bar_chart(
                RosterState.response_rows,
                [
                    ("before", t("roster.response.before"), "text-3"),
                    ("after", t("roster.response.after"), "accent"),
                ],
                label=t("roster.response.chart"),
                empty=t("roster.response.none"),
                spans=True,
            ),
            title=t("roster.response"),
        ),
        card(rx.el.p(t("roster.response.no_change"), class_name="tc-help"), title=t("roster.response")),
    )


def _figures(name: rx.Var[str], answered: Item) -> rx.Component:
    return rx.el.div(
        rx.el.b(name),
        rx.el.span(
            t(
                "roster.response.median",
                minutes=rx.cond(answered["seconds"], answered["seconds"].to(int) // 60, "—"),
            )
        ),
        rx.el.span(
            t("roster.response.answered", answered=answered["answered"], opened=answered["opened"]),
            class_name="tc-help",
        ),
        class_name="ro-figures",
    )
