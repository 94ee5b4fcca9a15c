"""Views that are kept, and limits of lanes and people."""

from typing import Any, Final
from uuid import uuid4

from ticket_console.desk import limiting
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.state import board_asked
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets import board_views
from ticket_console.tickets.tables import LimitScope

Plain = dict[str, Any]

# More than any name or address of a board: refused unread.
_LONGEST: Final = 4_000


class BoardViewsState(SessionState):
    views: list[dict[str, Any]] = []
    saved: dict[str, Any] = {}

    @handler(permission="board.view")
    async def load(self) -> Reply:
        self.views = await off_loop(_views, viewer=self._actor())
        return None

    @handler(permission="board.view")
    async def save_view(self, view_id: int, name: str, shared: bool, query: str) -> Reply:
        """Keep what the address asks for under a name; number 0 is a new view."""
        kept = await in_writer(
            board_views.save_view,
            actor=self._actor(),
            at=self._now(),
            view_id=board_asked.number(view_id, "view_id"),
            name=board_asked.text(name, "name", _LONGEST),
            is_shared=shared is True,
            query=board_asked.text(query, "query", _LONGEST),
        )
        self.views = await off_loop(_views, viewer=self._actor())
        self.saved = {"id": kept}
        return done("board.view_saved")

    @handler(permission="board.view")
    async def delete_view(self, view_id: int) -> Reply:
        await in_writer(
            board_views.delete_view, actor=self._actor(), view_id=board_asked.number(view_id, "view_id")
        )
        self.views = await off_loop(_views, viewer=self._actor())
        return done("board.view_deleted")

    @handler(permission="board.limit")
    async def set_limit(self, scope: Any, key: str, soft: int | None, hard: int | None) -> Reply:
        """Limit a lane or a person; every open board hears of it."""
        if not isinstance(scope, str) or scope not in {each.value for each in LimitScope}:
            raise InvalidInput((FieldProblem("scope", "input.wrong_type"),))
        await in_writer(
            limiting.set_limit,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            scope=LimitScope(scope),
            key=board_asked.text(key, "key", board_asked.LONGEST_KEY),
            soft=board_asked.number_or_none(soft, "soft"),
            hard=board_asked.number_or_none(hard, "hard"),
        )
        return done("board.limit_saved")


def _views(*, viewer: Actor) -> list[Plain]:
    with reading() as connection:
        return [
            {
                "id": each.id,
                "name": each.name,
                "shared": each.is_shared,
                "mine": each.is_mine,
                "owner": each.owner,
                "query": each.query,
            }
            for each in board_views.views(connection, viewer)
        ]
