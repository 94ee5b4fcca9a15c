"""The tests of a flow: real tickets that must go as they went."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    card,
    data_table,
    empty,
    icon_button,
    stack,
)
from ticket_console.components.text import t, when
from ticket_console.designer.flow.pair import pair_card
from ticket_console.state.flow_replay import FlowReplayState

Item = rx.vars.ObjectVar[dict[str, Any]]


def golden_panel() -> rx.Component:
    pair = FlowReplayState.test_pair
    return rx.el.div(
        stack(
            card(
                rx.cond(
                    FlowReplayState.tests.length() > 0,
                    _list(),
                    empty(
                        t("flow_proof.tests.none"), text=t("flow_proof.tests.none.text"), icon="flask_conical"
                    ),
                ),
                title=t("flow_proof.tests.title"),
                actions=[
                    rx.cond(
                        FlowReplayState.tests.length() > 0,
                        button(
                            t("flow_proof.tests.run"),
                            icon="flask_conical",
                            on_click=FlowReplayState.run_tests,
                        ),
                    )
                ],
            ),
            rx.cond(
                pair.contains("no"),
                pair_card(
                    pair,
                    title=t("flow_proof.tests.pair", name=pair["name"].to(str), no=pair["no"].to(str)),
                    was=t("flow_proof.tests.expected"),
                    would=t("flow_proof.would"),
                    on_close=FlowReplayState.close_test,
                ),
            ),
            gap=16,
        ),
        class_name="fp-tested",
    )


def _list() -> rx.Component:
    def named(item: Item) -> rx.Component:
        return rx.el.div(
            rx.el.span(item["name"].to(str), class_name="tc-strong"),
            rx.cond(
                item["why"].to(str) != "",
                rx.el.p(t("flow_proof.tests.accepted", why=item["why"].to(str)), class_name="tc-help"),
            ),
        )

    def state(item: Item) -> rx.Component:
        return rx.match(
            item["state"].to(str),
            ("passed", badge(t("flow_proof.tests.passed"), tone="ok", icon="check")),
            ("failed", _failed(item)),
            rx.el.span(t("flow_proof.tests.not_run"), class_name="tc-help"),
        )

    return data_table(
        [
            Column(t("flow_proof.tests.name"), named),
            Column(t("flow_proof.ticket"), lambda item: rx.el.span(item["no"].to(str), class_name="fp-no")),
            Column(
                t("flow_proof.tests.by"),
                lambda item: rx.el.span(item["by"].to(str), " ", when(item["at"])),
            ),
            Column(t("flow_proof.tests.state"), state),
            Column(
                t("flow_proof.tests.remove.column"),
                lambda item: icon_button(
                    "trash_2",
                    label=t("flow_proof.tests.remove"),
                    on_click=FlowReplayState.remove_test(item["id"].to(int)),
                ),
                align="end",
            ),
        ],
        FlowReplayState.tests,
        caption=t("flow_proof.tests.title"),
    )


def _failed(item: Item) -> rx.Component:
    differs = item["differs"].to(dict[str, Any])
    return rx.el.div(
        badge(t("flow_proof.tests.failed"), tone="danger", icon="x"),
        rx.el.span(t(differs["code"].to(str), expected=differs["expected"], actual=differs["actual"])),
        button(
            t("flow_proof.show"),
            small=True,
            icon="columns_2",
            on_click=FlowReplayState.show_test(item["id"].to(int)),
        ),
        class_name="fp-failed",
    )
