"""What is done beside the cards: looking into a ticket, the same for many, and taking it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ticket_console.desk import bulk, undoing
from ticket_console.desk.bulk import Outcome
from ticket_console.desk.peeking import peek as peek_at
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.state import board_asked
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets import seeing

Plain = dict[str, Any]


class BoardDeskState(SessionState):
    peeked: dict[str, Any] = {}
    outcomes: dict[str, Any] = {}

    @handler(permission="board.view")
    async def peek(self, ticket_id: int) -> Reply:
        """Show a ticket in the side panel; it counts as read."""
        viewer, at = self._actor(), self._now()
        try:
            wanted = board_asked.number(ticket_id, "ticket_id")
            self.peeked = await off_loop(_peek, viewer=viewer, ticket_id=wanted, at=at)
        except ConsoleError as error:
            self.peeked = {"ticket_id": ticket_id, "code": error.code, "params": error.params}
            return None
        await self._saw(viewer, at, {wanted: self.peeked["version"]})
        return None

    @handler(permission="board.view")
    async def unpeek(self) -> Reply:
        self.peeked = {}
        return None

    @handler(permission="board.view")
    async def bulk(self, command_id: str, items: list[Any], act: str, args: dict[str, Any]) -> Reply:
        """Do the same with many tickets; each has its own answer."""
        viewer, at = self._actor(), self._now()
        order = board_asked.order_asked(act, args)
        rows = await in_writer(
            bulk.carry_out_all,
            actor=viewer,
            at=at,
            command_id=board_asked.command(command_id),
            items=board_asked.items_asked(items),
            order=order,
        )
        await self._answer(viewer, at, command_id, order.act, rows)
        return None

    @handler(permission="board.view")
    async def undo(self, command_id: str, undone: list[Any]) -> Reply:
        """Take own commands back, as far as nobody did anything since."""
        viewer, at = self._actor(), self._now()
        rows = await in_writer(
            undoing.undo_all,
            actor=viewer,
            at=at,
            command_id=board_asked.command(command_id),
            undone=board_asked.commands_asked(undone),
        )
        await self._answer(viewer, at, command_id, "undo", rows)
        return None

    async def _answer(
        self, viewer: Actor, at: datetime, command_id: str, act: str, rows: Sequence[Outcome]
    ) -> None:
        self.outcomes = {
            "command_id": command_id,
            "act": act,
            "done": sum(row.is_done for row in rows),
            "rows": [_plain(row) for row in rows],
        }
        await self._saw(viewer, at, {row.ticket_id: row.version for row in rows if row.version is not None})

    async def _saw(self, viewer: Actor, at: datetime, versions: dict[int, int]) -> None:
        if viewer.user_id is not None:
            await in_writer(seeing.saw, user_id=viewer.user_id, at=at, versions=versions)


def _plain(row: Outcome) -> Plain:
    return {
        "ticket_id": row.ticket_id,
        "no": row.no,
        "ok": row.is_done,
        "version": row.version,
        "code": row.code,
        "params": dict(row.params),
    }


def _peek(*, viewer: Actor, ticket_id: int, at: datetime) -> Plain:
    with reading() as connection:
        return peek_at(connection, viewer=viewer, ticket_id=ticket_id, at=at)
