"""The board as a component: it is fed snapshots and patches, and tells finished moves."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

# The parts stand beside the board's own file, where its relative imports find them.
for _part in (
    "feed.js",
    "drag.js",
    "board_flights.js",
    "board_truth.jsx",
    "board_card.jsx",
    "board_lane.jsx",
    "board_filters.jsx",
    "board_panel.jsx",
    "board_dialogs.jsx",
):
    script(__name__, _part)
BOARD_JS: Final = script(__name__, "live_board.jsx")


class _LiveBoard(rx.NoSSRComponent):
    library = BOARD_JS
    lib_dependencies: list[str] = ["react-virtuoso@4.18.21", "sonner@2.0.8", "lucide-react@1.26.0"]
    tag = "LiveBoard"

    feed: rx.Var[dict[str, Any]]
    presence: rx.Var[dict[str, Any]]
    seen: rx.Var[dict[str, Any]]
    me: rx.Var[str]
    verdict: rx.Var[dict[str, Any]]
    truth: rx.Var[dict[str, Any]]
    peek: rx.Var[dict[str, Any]]
    outcomes: rx.Var[dict[str, Any]]
    choices: rx.Var[dict[str, Any]]
    views: rx.Var[list[dict[str, Any]]]
    saved: rx.Var[dict[str, Any]]
    permissions: rx.Var[list[str]]
    may_be_mine: rx.Var[bool]
    on_drop: rx.EventHandler[passthrough_event_spec(str, int, int, dict, str, bool)]
    on_more: rx.EventHandler[passthrough_event_spec(str, list, str)]
    on_refresh: rx.EventHandler[rx.event.no_args_event_spec]
    on_hold: rx.EventHandler[passthrough_event_spec(int)]
    on_let_go: rx.EventHandler[rx.event.no_args_event_spec]
    on_peek: rx.EventHandler[passthrough_event_spec(int)]
    on_unpeek: rx.EventHandler[rx.event.no_args_event_spec]
    on_all_seen: rx.EventHandler[rx.event.no_args_event_spec]
    on_bulk: rx.EventHandler[passthrough_event_spec(str, list, str, dict)]
    on_undo: rx.EventHandler[passthrough_event_spec(str, list)]
    on_save_view: rx.EventHandler[passthrough_event_spec(int, str, bool, str)]
    on_delete_view: rx.EventHandler[passthrough_event_spec(int)]
    on_set_limit: rx.EventHandler[passthrough_event_spec(str, str, int, int)]


def live_board(
    *,
    feed: Any,
    presence: Any,
    seen: Any,
    me: Any,
    verdict: Any,
    truth: Any,
    peek: Any,
    outcomes: Any,
    choices: Any,
    views: Any,
    saved: Any,
    permissions: Any,
    may_be_mine: Any,
    on_drop: EventType[str, int, int, dict[str, Any], str, bool],
    on_more: EventType[str, list[Any], str],
    on_refresh: EventType[()],
    on_hold: EventType[int],
    on_let_go: EventType[()],
    on_peek: EventType[int],
    on_unpeek: EventType[()],
    on_all_seen: EventType[()],
    on_bulk: EventType[str, list[Any], str, dict[str, Any]],
    on_undo: EventType[str, list[str]],
    on_save_view: EventType[int, str, bool, str],
    on_delete_view: EventType[int],
    on_set_limit: EventType[str, str, int, int],
) -> rx.Component:
    """The board. Which cards it holds is a matter between the browser and the feed.

    `feed`: a snapshot {"kind", "board", "seq", "at", "by", "rows", "lanes": [{key, name, category, count,
    limit, load, cells, cards, more}]}, then patches {"cards", "gone", "counts", "cells", "loads"} numbered
    by `seq`, and on demand {"kind": "page", "lane", "row", "cards", "more"}.

    `on_hold` tells that a card is in the hand; `truth` answers with what every lane and person would say.
    `on_drop` tells (command id, ticket id, version, {by, key, before, after}, reason, override) and `verdict`
    answers it by the command id. `on_peek` asks for the ticket beside the board, which comes in `peek`.
    `on_bulk` tells (command id, [[ticket id, version]], act, arguments), `on_undo` (command id, own command
    ids); both are answered in `outcomes`. `on_more` tells (lane, [priority class, rank] of the last card,
    row), `on_refresh` that something went missing. An empty limit is told as null.
    """
    return _LiveBoard.create(
        feed=feed,
        presence=presence,
        seen=seen,
        me=me,
        verdict=verdict,
        truth=truth,
        peek=peek,
        outcomes=outcomes,
        choices=choices,
        views=views,
        saved=saved,
        permissions=permissions,
        may_be_mine=may_be_mine,
        on_drop=on_drop,
        on_more=on_more,
        on_refresh=on_refresh,
        on_hold=on_hold,
        on_let_go=on_let_go,
        on_peek=on_peek,
        on_unpeek=on_unpeek,
        on_all_seen=on_all_seen,
        on_bulk=on_bulk,
        on_undo=on_undo,
        on_save_view=on_save_view,
        on_delete_view=on_delete_view,
        on_set_limit=on_set_limit,
    )
