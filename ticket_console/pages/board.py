"""The live board of all open work."""

import reflex as rx

from ticket_console.components.board.live_board import live_board
from ticket_console.pages.frame import console_page
from ticket_console.state.board import BoardState
from ticket_console.state.board_hand import BoardHandState
from ticket_console.state.board_views import BoardViewsState

_KEYS = [
    {"keys": "Space", "label": "keys.board.lift"},
    {"keys": "Enter", "label": "keys.board.open"},
    {"keys": "m", "label": "keys.board.menu"},
]


@console_page(
    "/board",
    title="board.title",
    active="board",
    permission="board.view",
    width="full",
    on_load=[BoardState.load, BoardViewsState.load, BoardState.watch],
    keys=_KEYS,
)
def board() -> rx.Component:
    return live_board(
        feed=BoardState.feed,
        verdict=BoardHandState.verdict,
        choices=BoardState.choices,
        may_move=BoardState.permissions.contains("ticket.act"),
        may_be_mine=BoardState.roles.contains("technician"),
        on_drop=lambda command_id, ticket_id, version, stage, reason: BoardHandState.drop(
            command_id, ticket_id, version, {"by": "stage", "key": stage}, reason, False
        ),
        on_more=lambda lane, after: BoardState.more(lane, after, ""),
        on_refresh=BoardState.refresh,
    )
