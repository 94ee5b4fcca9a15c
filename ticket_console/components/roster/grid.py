"""The grid of a week's shifts as a component: it shows what the server says, and tells finished changes."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

GRID_JS: Final = script(__name__, "grid.jsx")


class _RosterGrid(rx.NoSSRComponent):
    library = GRID_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]
    tag = "RosterGrid"

    week: rx.Var[dict[str, Any]]
    choices: rx.Var[list[dict[str, Any]]]
    in_the_way: rx.Var[dict[str, Any]]
    on_change: rx.EventHandler[passthrough_event_spec(str, list, list)]
    on_weeks: rx.EventHandler[passthrough_event_spec(str, dict, list)]
    on_leave: rx.EventHandler[rx.event.no_args_event_spec]


def roster_grid(
    *,
    week: Any,
    choices: Any,
    in_the_way: Any,
    on_change: EventType[str, list[dict[str, Any]], list[int]],
    on_weeks: EventType[str, dict[str, Any], list[int]],
    on_leave: EventType[()],
) -> rx.Component:
    """The grid. `on_change` tells (command id, changes, ids of visits that may go); a change is {person,
    add: [{day, starts, ends}], away: [{start, end, reason}], drop, drop_away: ids}. `on_weeks` tells (command
    id, {person, first, last, hours: seven times [starts, ends] or null, from Monday on}, visits that may go).
    Where visits are in the way, `in_the_way` lists them with the `changes` or `weeks` that were asked for.
    """
    return _RosterGrid.create(
        week=week,
        choices=choices,
        in_the_way=in_the_way,
        on_change=on_change,
        on_weeks=on_weeks,
        on_leave=on_leave,
    )
