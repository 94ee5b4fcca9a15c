"""The tests of a flow: real tickets that must go as they went."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import Column, badge, button, card, data_table, empty, icon_button
from ticket_console.components.text import t
from ticket_console.state.flow_replay import FlowReplayState

Item = rx.vars.ObjectVar[dict[str, Any]]


def golden_panel() -> rx.Component:
    return card(
        rx.cond(
            FlowReplayState.tests.length() > 0,
            _list(),
            empty(t("flow_proof.tests.none"), text=t("flow_proof.tests.none.text"), icon="flask_conical"),
        ),
        title=t("flow_proof.tests.title"),
        actions=[
            rx.cond(
                FlowReplayState.tests.length() > 0,
                button(t("flow_proof.tests.run"), icon="flask_conical", on_click=FlowReplayState.run_tests),
            )
        ],
    )


def _list() -> rx.Component:
    def state(item: Item) -> rx.Component:
        return rx.match(
            item["state"].to(str),
            ("passed", badge(t("flow_proof.tests.passed"), tone="ok", icon="check")),
            ("failed", badge(t("flow_proof.tests.failed"), tone="danger", icon="x")),
            rx.el.span("–"),
        )

    return data_table(
        [
            Column(t("flow_proof.tests.name"), lambda item: rx.el.span(item["name"].to(str))),
            Column(t("flow_proof.ticket"), lambda item: rx.el.span(item["no"].to(str))),
            Column(t("flow_proof.tests.by"), lambda item: rx.el.span(item["by"].to(str))),
            Column(t("flow_proof.tests.state"), state),
            Column(
                "",
                lambda item: icon_button(
                    "trash_2",
                    label=t("flow_proof.tests.remove"),
                    on_click=FlowReplayState.remove_test(item["id"].to(int)),
                ),
            ),
        ],
        FlowReplayState.tests,
        caption=t("flow_proof.tests.title"),
    )
