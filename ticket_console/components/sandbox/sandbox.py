"""Branches as a component: it shows what the server says, and tells finished gestures."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

# The parts stand beside the component's own file, where its relative imports find them.
for _part in ("branches.jsx", "commit_dialog.jsx", "figures.jsx", "lanes.jsx", "move_dialog.jsx"):
    script(__name__, _part)
SANDBOX_JS: Final = script(__name__, "sandbox.jsx")


class _Sandbox(rx.NoSSRComponent):
    library = SANDBOX_JS
    lib_dependencies: list[str] = ["@hello-pangea/dnd@18.0.1", "lucide-react@1.26.0"]
    tag = "Sandbox"

    branch: rx.Var[dict[str, Any]]
    branches: rx.Var[list[dict[str, Any]]]
    choices: rx.Var[list[dict[str, Any]]]
    verdict: rx.Var[dict[str, Any]]
    outcome: rx.Var[dict[str, Any]]
    on_begin: rx.EventHandler[passthrough_event_spec(str, int, str)]
    on_put: rx.EventHandler[passthrough_event_spec(str, int, int, int, str, int)]
    on_undo: rx.EventHandler[passthrough_event_spec(int)]
    on_drop_move: rx.EventHandler[passthrough_event_spec(int)]
    on_refresh: rx.EventHandler[rx.event.no_args_event_spec]
    on_discard: rx.EventHandler[passthrough_event_spec(int)]
    on_commit: rx.EventHandler[passthrough_event_spec(str, int, list)]
    on_outcome_read: rx.EventHandler[rx.event.no_args_event_spec]


def sandbox(
    *,
    branch: Any,
    branches: Any,
    choices: Any,
    verdict: Any,
    outcome: Any,
    on_begin: EventType[str, int, str],
    on_put: EventType[str, int, int, int, str, int],
    on_undo: EventType[int],
    on_drop_move: EventType[int],
    on_refresh: EventType[()],
    on_discard: EventType[int],
    on_commit: EventType[str, int, list],
    on_outcome_read: EventType[()],
) -> rx.Component:
    """The list of branches while `branch` is empty, else that branch.

    `on_put` tells (command id, ticket, version, person or 0, start or "", minutes) and is answered by
    `verdict`; `on_commit` (command id, the branch's version, [[ticket, choice, version]]) by `outcome`.
    """
    return _Sandbox.create(
        branch=branch,
        branches=branches,
        choices=choices,
        verdict=verdict,
        outcome=outcome,
        on_begin=on_begin,
        on_put=on_put,
        on_undo=on_undo,
        on_drop_move=on_drop_move,
        on_refresh=on_refresh,
        on_discard=on_discard,
        on_commit=on_commit,
        on_outcome_read=on_outcome_read,
    )
