"""The plan of a region's people by hours."""

import reflex as rx

from ticket_console.components.blocks import loaded
from ticket_console.components.timeline.timeline import timeline
from ticket_console.pages.frame import console_page
from ticket_console.pages.timeline_routes import routes_dialog
from ticket_console.state.day_routes import DayRoutesState
from ticket_console.state.timeline import TimelineState


@console_page(
    "/timeline",
    title="plan.title",
    active="timeline",
    permission="ticket.assign",
    width="full",
    on_load=[DayRoutesState.arrive, TimelineState.load, TimelineState.watch],
)
def plan() -> rx.Component:
    return rx.fragment(_plan(), routes_dialog())


def _plan() -> rx.Component:
    return loaded(
        TimelineState.status,
        timeline(
            plan=TimelineState.plan,
            jobs=TimelineState.jobs,
            truth=TimelineState.truth,
            verdict=TimelineState.verdict,
            heat=TimelineState.heat,
            choices=TimelineState.choices,
            on_hold=TimelineState.hold,
            on_let_go=TimelineState.let_go,
            on_put=TimelineState.put,
            on_take_off=TimelineState.take_off,
            on_search_jobs=TimelineState.search_jobs,
            on_heat=TimelineState.look_at_heat,
            on_heat_hidden=TimelineState.hide_heat,
            on_routes=DayRoutesState.plan,
        ),
        on_retry=TimelineState.load,
    )
