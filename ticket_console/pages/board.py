"""The live board of all open work."""

import reflex as rx

from ticket_console.components.board.live_board import live_board
from ticket_console.components.surge_banner import surge_banner
from ticket_console.pages.frame import console_page
from ticket_console.state.board import BoardState
from ticket_console.state.board_desk import BoardDeskState
from ticket_console.state.board_hand import BoardHandState
from ticket_console.state.board_views import BoardViewsState
from ticket_console.state.surge import SurgeState

_KEYS = [
    {"keys": "← ↑ ↓ →", "label": "keys.board.walk"},
    {"keys": "Space", "label": "keys.board.panel"},
    {"keys": "Enter", "label": "keys.board.open"},
    {"keys": "m", "label": "keys.board.lift"},
    {"keys": ".", "label": "keys.board.menu"},
    {"keys": "x", "label": "keys.board.select"},
    {"keys": "z", "label": "keys.board.undo"},
]


@console_page(
    "/board",
    title="board.title",
    active="board",
    permission="board.view",
    width="full",
    on_load=[BoardState.load, BoardViewsState.load, BoardState.watch, SurgeState.watch_surges],
    keys=_KEYS,
)
def board() -> rx.Component:
    board = live_board(
        feed=BoardState.feed,
        presence=BoardState.presence,
        seen=BoardState.seen,
        me=BoardState.me,
        verdict=BoardHandState.verdict,
        truth=BoardHandState.truth,
        peek=BoardDeskState.peeked,
        outcomes=BoardDeskState.outcomes,
        choices=BoardState.choices,
        views=BoardViewsState.views,
        saved=BoardViewsState.saved,
        permissions=BoardState.permissions,
        may_be_mine=BoardState.roles.contains("technician"),
        on_drop=BoardHandState.drop,
        on_more=BoardState.more,
        on_refresh=BoardState.refresh,
        on_hold=BoardHandState.hold,
        on_let_go=BoardHandState.let_go,
        on_peek=BoardDeskState.peek,
        on_unpeek=BoardDeskState.unpeek,
        on_all_seen=BoardState.all_seen,
        on_bulk=BoardDeskState.bulk,
        on_undo=BoardDeskState.undo,
        on_save_view=BoardViewsState.save_view,
        on_delete_view=BoardViewsState.delete_view,
        on_set_limit=BoardViewsState.set_limit,
    )
    return rx.fragment(surge_banner(SurgeState.banner), board)
