"""Who has which ticket, and by which log-in: people do not see each other's log-ins in the browser."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from playwright.sync_api import BrowserContext

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


def open_ticket(context: BrowserContext, url: str, title: str) -> str:
    """A repair in Shanghai, opened over HTTP; its number."""
    answer = context.request.post(
        "/api/v1/tickets",
        headers={"origin": url},
        data={
            "command_id": uuid4().hex,
            "template_code": "repair",
            "title": title,
            "values": {"category": "hvac"},
            "lat": 31.22,
            "lon": 121.46,
        },
    )
    assert answer.status == 201, answer.text()
    return str(answer.json()["no"])


def somebody_at_work(server: Server) -> Work:
    """A technician who is on site, and the ticket they work on."""
    return _first(server, f"{_WORK} WHERE ticket.stage = 'onsite' ORDER BY ticket.id", ())


def somebody_unseen(server: Server) -> Work:
    """A technician who is on site and did not, or not yet, allow anybody to know where they are."""
    hidden = "NOT IN (SELECT technician_id FROM position_sharing WHERE consented_at IS NOT NULL)"
    return _first(
        server, f"{_WORK} WHERE ticket.stage = 'onsite' AND technician.id {hidden} ORDER BY ticket.id", ()
    )


def technician_of(server: Server, login: str) -> int:
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    query = (
        "SELECT technician.id FROM technician JOIN user_account ON user_account.id = user_id WHERE login = ?"
    )
    with closing(sqlite3.connect(path, timeout=20)) as connection:
        return int(connection.execute(query, (login,)).fetchone()[0])


def finished_work(server: Server) -> Work:
    """A ticket that has seen everything there is: photos, a signature, parts, a settlement."""
    return _first(server, f"{_WORK} WHERE ticket.stage = 'done' ORDER BY ticket.id DESC", ())


def who_has(server: Server, ticket_no: str) -> Work:
    return _first(server, f"{_WORK} WHERE ticket.no = ?", (ticket_no,))


def second_manager(server: Server, *, department: str = "", region: str = "") -> str:
    """The log-in of a manager called Ann Brook, who has just been hired, perhaps for a region only."""
    login = f"manager-{uuid4().hex[:6]}"
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        connection.row_factory = sqlite3.Row
        known = dict(connection.execute("SELECT * FROM user_account WHERE login = 'manager'").fetchone())
        role = dict(
            connection.execute("SELECT * FROM role_grant WHERE user_id = ?", (known.pop("id"),)).fetchone()
        )
        del role["id"]
        if region:
            (region_id,) = connection.execute("SELECT id FROM region WHERE code = ?", (region,)).fetchone()
            role |= {"scope": "region", "region_id": region_id}
        account = {**known, "login": login, "display_name": "Ann Brook", "department": department}
        _insert(connection, "role_grant", {**role, "user_id": _insert(connection, "user_account", account)})
    return login


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> int | None:
    places = ", ".join("?" * len(row))
    return connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values())
    ).lastrowid


def _first(server: Server, query: str, values: tuple[str, ...]) -> Work:
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return Work(*connection.execute(query, values).fetchone())
    finally:
        connection.close()
