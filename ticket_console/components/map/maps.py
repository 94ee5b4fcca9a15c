"""The maps as components: they read what stands where by themselves, and tell finished choices."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

# The parts stand beside the maps' own files, where their relative imports find them.
for _part in ("canvas.js", "layers.js", "track.jsx"):
    script(__name__, _part)
OPERATIONS_JS: Final = script(__name__, "operations_map.jsx")
SITES_JS: Final = script(__name__, "sites_map.jsx")
MY_JS: Final = script(__name__, "my_map.jsx")
_LIBRARIES: Final = ["maplibre-gl@6.17.0", "lucide-react@1.26.0"]


class _OperationsMap(rx.NoSSRComponent):
    library = OPERATIONS_JS
    lib_dependencies: list[str] = _LIBRARIES
    tag = "OperationsMap"

    feed: rx.Var[dict[str, Any]]
    chosen: rx.Var[dict[str, Any]]
    verdict: rx.Var[dict[str, Any]]
    may_assign: rx.Var[bool]
    may_track: rx.Var[bool]
    on_choose: rx.EventHandler[passthrough_event_spec(int)]
    on_let_go: rx.EventHandler[rx.event.no_args_event_spec]
    on_assign: rx.EventHandler[passthrough_event_spec(str, int, int, int, str, bool)]


class _SitesMap(rx.NoSSRComponent):
    library = SITES_JS
    lib_dependencies: list[str] = _LIBRARIES
    tag = "SitesMap"


class _MyMap(rx.NoSSRComponent):
    library = MY_JS
    lib_dependencies: list[str] = _LIBRARIES
    tag = "MyMap"

    jobs: rx.Var[list[dict[str, Any]]]
    technician_id: rx.Var[int]


class _PositionSender(rx.NoSSRComponent):
    library = MY_JS
    lib_dependencies: list[str] = _LIBRARIES
    tag = "PositionSender"

    consents: rx.Var[bool]
    is_on_duty: rx.Var[bool]


def operations_map(
    *,
    feed: Any,
    chosen: Any,
    verdict: Any,
    may_assign: Any,
    may_track: Any,
    on_choose: EventType[int],
    on_let_go: EventType[()],
    on_assign: EventType[str, int, int, int, str, bool],
) -> rx.Component:
    """The dispatcher's map with the list beside it, which offers everything the map does.

    `feed` comes after the first window, which the map reads over HTTP:
    {"kind": "patch", "seq", "tickets", "gone", "people"}, or {"kind": "again"} where the window is to be
    read anew. `chosen` is the ticket with its offers and outlets, `verdict` answers a try to give it
    away: {command_id, ticket_id, ok, code, params}. `on_assign` tells (command id, ticket id, version,
    technician id, reason, override).
    """
    return _OperationsMap.create(
        feed=feed,
        chosen=chosen,
        verdict=verdict,
        may_assign=may_assign,
        may_track=may_track,
        on_choose=on_choose,
        on_let_go=on_let_go,
        on_assign=on_assign,
    )


def sites_map() -> rx.Component:
    """Every site of ours as a table and on a map; figures lead to the tickets behind them."""
    return _SitesMap.create()


def my_map(*, jobs: Any, technician_id: Any) -> rx.Component:
    """A technician's jobs and own way of a day."""
    return _MyMap.create(jobs=jobs, technician_id=technician_id)


def position_sender(*, consents: Any, is_on_duty: Any) -> rx.Component:
    """Tells the server where this device is while its owner is on duty and consents; shows nothing else
    than whether it does."""
    return _PositionSender.create(consents=consents, is_on_duty=is_on_duty)
