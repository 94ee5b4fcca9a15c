"""Who has which ticket, and by which log-in: people do not see each other's log-ins in the browser."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from tests.fixtures.browsers import Server

_WORK: Final = """
    SELECT user_account.login, ticket.id
    FROM ticket
    JOIN technician ON technician.id = ticket.assignee_id
    JOIN user_account ON user_account.id = technician.user_id
"""


@dataclass(frozen=True, slots=True)
class Work:
    login: str
    ticket_id: int


def somebody_at_work(server: Server) -> Work:
    """A technician who is on site, and the ticket they work on."""
    return _first(server, f"{_WORK} WHERE ticket.stage = 'onsite' ORDER BY ticket.id", ())


def finished_work(server: Server) -> Work:
    """A ticket that has seen everything there is: photos, a signature, parts, a settlement."""
    return _first(server, f"{_WORK} WHERE ticket.stage = 'done' ORDER BY ticket.id DESC", ())


def who_has(server: Server, ticket_no: str) -> Work:
    return _first(server, f"{_WORK} WHERE ticket.no = ?", (ticket_no,))


def _first(server: Server, query: str, values: tuple[str, ...]) -> Work:
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return Work(*connection.execute(query, values).fetchone())
    finally:
        connection.close()
