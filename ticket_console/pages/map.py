"""Maps: the dispatcher's, the overview of all sites, and the technician's own."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import card, empty, loading_rows, page_header, stack
from ticket_console.components.map.maps import my_map, operations_map, position_sender, sites_map
from ticket_console.components.text import t
from ticket_console.pages.frame import console_page
from ticket_console.state.map import MapState, MyMapState

_KEYS = [
    {"keys": "Enter", "label": "keys.map.choose"},
    {"keys": "Escape", "label": "keys.map.back"},
]


@console_page(
    "/map",
    title="map.title",
    active="map",
    permission="board.view",
    width="full",
    on_load=[MapState.load, MapState.watch],
    keys=_KEYS,
)
def operations() -> rx.Component:
    return operations_map(
        feed=MapState.feed,
        chosen=MapState.chosen,
        verdict=MapState.verdict,
        may_assign=MapState.permissions.contains("ticket.assign"),
        may_track=MapState.permissions.contains("position.view"),
        on_choose=MapState.choose,
        on_let_go=MapState.let_go,
        on_assign=MapState.assign,
    )


@console_page(
    "/sites",
    title="sites.title",
    active="sites",
    permission="dashboard.view",
    width="full",
)
def sites() -> rx.Component:
    return sites_map()


@console_page(
    "/my/map", title="my_map.title", active="my", permission="ticket.act", on_load=[MyMapState.load]
)
def mine() -> rx.Component:
    return rx.match(
        MyMapState.status,
        ("ready", _day()),
        (
            "stranger",
            rx.fragment(
                page_header(t("my_map.title")),
                empty(t("my.stranger"), text=t("my.stranger.text"), icon="wrench"),
            ),
        ),
        loading_rows(),
    )


def _day() -> rx.Component:
    return stack(
        page_header(t("my_map.title"), hint=t("my_map.hint")),
        card(position_sharing(MyMapState), title=t("position.sharing")),
        my_map(jobs=MyMapState.jobs, technician_id=MyMapState.technician_id),
        gap=16,
    )


def position_sharing(state: Any) -> rx.Component:
    """The consent of a technician as a switch, and what it means; the device tells only while it is on."""
    return stack(
        rx.el.button(
            rx.el.span(class_name="tc-switch-track", aria_hidden="true"),
            rx.cond(state.consents, t("position.shared"), t("position.not_shared")),
            type="button",
            role="switch",
            class_name="tc-switch",
            custom_attrs={"aria-checked": rx.cond(state.consents, "true", "false")},
            on_click=state.set_consent(~state.consents),
        ),
        rx.el.p(t("position.means"), class_name="tc-help"),
        position_sender(consents=state.consents, is_on_duty=state.is_on_duty),
        gap=8,
    )
