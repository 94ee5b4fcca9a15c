"""The board as a component: it is fed snapshots and patches, and tells finished moves."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

# The parts stand beside the board's own file, where its relative imports find them.
for _part in ("feed.js", "board_card.jsx", "board_filters.jsx"):
    rx.asset(_part, shared=True)
BOARD_JS: Final = rx.asset("live_board.jsx", shared=True).importable_path


class _LiveBoard(rx.NoSSRComponent):
    library = BOARD_JS
    lib_dependencies: list[str] = ["@hello-pangea/dnd@18.0.1", "lucide-react@1.26.0"]
    tag = "LiveBoard"

    feed: rx.Var[dict[str, Any]]
    verdict: rx.Var[dict[str, Any]]
    choices: rx.Var[dict[str, Any]]
    may_move: rx.Var[bool]
    may_be_mine: rx.Var[bool]
    on_drop: rx.EventHandler[passthrough_event_spec(str, int, int, str, str)]
    on_more: rx.EventHandler[passthrough_event_spec(str, list)]
    on_refresh: rx.EventHandler[rx.event.no_args_event_spec]


def live_board(
    *,
    feed: Any,
    verdict: Any,
    choices: Any,
    may_move: Any,
    may_be_mine: Any,
    on_drop: EventType[str, int, int, str, str],
    on_more: EventType[str, list[Any]],
    on_refresh: EventType[()],
) -> rx.Component:
    """The board. Which cards it holds is a matter between the browser and the feed.

    `feed`: {"kind": "snapshot", "board", "seq", "at", "lanes": [{key, name, category, count, cards, more}]},
    then {"kind": "patch", "board", "seq", "at", "cards", "gone", "counts"}, and on demand
    {"kind": "page", "board", "lane", "cards", "more"}. `verdict` answers a move: {command_id, ok, code,
    params}. `on_drop` tells (command id, ticket id, version, stage, reason), `on_more` tells (lane,
    [priority class, rank] of the last card), `on_refresh` that a patch went missing.
    """
    return _LiveBoard.create(
        feed=feed,
        verdict=verdict,
        choices=choices,
        may_move=may_move,
        may_be_mine=may_be_mine,
        on_drop=on_drop,
        on_more=on_more,
        on_refresh=on_refresh,
    )
