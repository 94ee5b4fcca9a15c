"""What somebody is told: the number at the bell on every page, and the page that lists it."""

from typing import Any

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading, transaction
from ticket_console.notices import inbox
from ticket_console.notices.inbox import InboxView
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import Plain, plain

_PAGE = 50


class NoticesState(SessionState):
    status: str = "loading"
    unread: int = 0
    shown: list[Plain] = []

    @handler(permission="ticket.view")
    async def look(self) -> Reply:
        """Only the number; asked for now and then by every open page."""
        self.unread = (await off_loop(_read, self._actor(), 0)).unread
        return None

    @handler(permission="ticket.view")
    async def load(self) -> Reply:
        self._put(await off_loop(_read, self._actor(), _PAGE))
        return None

    @handler(permission="ticket.view")
    async def read_all(self) -> Reply:
        """What is shown counts as read; what came meanwhile does not."""
        await in_writer(_mark, self._actor(), [each["id"] for each in self.shown], self._now())
        self._put(await off_loop(_read, self._actor(), _PAGE))
        return done("notices.all_read")

    @handler(permission="ticket.view")
    async def read(self, notice_id: int) -> Reply:
        await in_writer(_mark, self._actor(), [notice_id], self._now())
        self._put(await off_loop(_read, self._actor(), _PAGE))
        return None

    def _put(self, found: InboxView) -> None:
        self.shown = [plain(each) for each in found.notices]
        self.unread = found.unread
        self.status = "ready"


def _read(viewer: Actor, limit: int) -> InboxView:
    with reading() as connection:
        return inbox.inbox(connection, viewer, limit=limit)


def _mark(viewer: Actor, notice_ids: list[int], at: Any) -> None:
    with transaction() as connection:
        inbox.mark_read(connection, viewer, notice_ids, at=at)
