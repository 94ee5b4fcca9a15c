"""The plan as a component: it shows what the server says, and tells finished gestures."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

# The parts stand beside the component's own file, where its relative imports find them.
for _part in ("calendar.jsx", "heat.jsx", "jobs.jsx", "put_dialog.jsx", "truth.js"):
    script(__name__, _part)
TIMELINE_JS: Final = script(__name__, "timeline.jsx")


class _Timeline(rx.NoSSRComponent):
    library = TIMELINE_JS
    lib_dependencies: list[str] = ["@event-calendar/core@5.15.0", "lucide-react@1.26.0"]
    tag = "Timeline"

    plan: rx.Var[dict[str, Any]]
    jobs: rx.Var[list[dict[str, Any]]]
    truth: rx.Var[dict[str, Any]]
    verdict: rx.Var[dict[str, Any]]
    heat: rx.Var[dict[str, Any]]
    choices: rx.Var[list[dict[str, Any]]]
    on_hold: rx.EventHandler[passthrough_event_spec(int, int)]
    on_let_go: rx.EventHandler[rx.event.no_args_event_spec]
    on_put: rx.EventHandler[passthrough_event_spec(str, int, int, int, str, int, str, bool)]
    on_take_off: rx.EventHandler[passthrough_event_spec(str, int, int, str)]
    on_search_jobs: rx.EventHandler[passthrough_event_spec(str)]
    on_heat: rx.EventHandler[rx.event.no_args_event_spec]
    on_heat_hidden: rx.EventHandler[rx.event.no_args_event_spec]
    on_routes: rx.EventHandler[rx.event.no_args_event_spec]


def timeline(
    *,
    plan: Any,
    jobs: Any,
    truth: Any,
    verdict: Any,
    heat: Any,
    choices: Any,
    on_hold: EventType[int, int],
    on_let_go: EventType[()],
    on_put: EventType[str, int, int, int, str, int, str, bool],
    on_take_off: EventType[str, int, int, str],
    on_search_jobs: EventType[str],
    on_heat: EventType[()],
    on_heat_hidden: EventType[()],
    on_routes: EventType[()],
) -> rx.Component:
    """The plan. Times in it are those of the region's clock, "2026-11-23T09:00:00".

    `on_hold` tells (ticket, minutes; 0 for as long as expected) and is answered by `truth`; `on_put` tells
    (command id, ticket, version, person, start, minutes, reason, override) and is answered by `verdict`.
    """
    return _Timeline.create(
        plan=plan,
        jobs=jobs,
        truth=truth,
        verdict=verdict,
        heat=heat,
        choices=choices,
        on_hold=on_hold,
        on_let_go=on_let_go,
        on_put=on_put,
        on_take_off=on_take_off,
        on_search_jobs=on_search_jobs,
        on_heat=on_heat,
        on_heat_hidden=on_heat_hidden,
        on_routes=on_routes,
    )
