"""`kill -9` in the middle of the work: nothing acknowledged is missing, nothing exists twice."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from tests.builders.company import SHANGHAI, Company, found_company
from tests.fixtures.databases import Database
from tests.integration.proof.doomed import Doomed, Sent
from tests.integration.proof.invariants import nothing_is_torn
from ticket_console.access import sessions, tokens
from ticket_console.access.passwords import hash_password
from ticket_console.access.tables import UserAccount
from ticket_console.intake.recovery import recover
from ticket_console.intake.states import RawState
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.people.tables import Technician
from ticket_console.tickets.tables import Event, Ticket

CALLS = 500
PASSWORD = "kill me softly"
tickets, events, raw = table(Ticket), table(Event), table(RawIntake)


@pytest.fixture
def company(database: Database) -> Company:
    """Its clock is the server's: the present."""
    company = found_company(datetime.now(UTC))
    technicians, users = table(Technician), table(UserAccount)
    with transaction() as connection:
        connection.execute(
            sa.update(technicians).values(capacity=10 * CALLS, version=technicians.c.version + 1)
        )
        connection.execute(
            sa.update(users).where(users.c.login == "manager").values(password_hash=hash_password(PASSWORD))
        )
    return company


@pytest.fixture
def server(company: Company, database: Database, tmp_path: Path) -> Iterator[Doomed]:
    doomed = Doomed(database, tmp_path)
    doomed.start()
    yield doomed
    doomed.kill()


@pytest.fixture
def requests(company: Company) -> list[Sent]:
    made = tokens.create_token(
        actor=system_actor(company.org_id),
        at=company.at,
        command_id="token",
        name="shop",
        permissions=("ticket.open",),
    )
    return [
        Sent(
            key=f"order-{number}",
            path="/api/v1/intake/api",
            body={
                "external_id": f"order-{number}",
                "template": "repair",
                "title": f"空调不制冷 {number}",
                "values": {"category": "hvac"},
                "latitude": SHANGHAI[0],
                "longitude": SHANGHAI[1],
            },
            headers={"Authorization": f"Bearer {made.token}", "Idempotency-Key": f"key-{number}"},
        )
        for number in range(CALLS)
    ]


def numbers_of_messages() -> dict[str, str]:
    """The number of the ticket that each message became, by the source's own number."""
    with reading() as connection:
        query = sa.select(raw.c.external_id, tickets.c.no).join(tickets, tickets.c.id == raw.c.ticket_id)
        rows = connection.execute(query).all()
    assert len(rows) == len({row.external_id for row in rows})
    return {row.external_id: row.no for row in rows}


def states() -> Counter[RawState]:
    with reading() as connection:
        return Counter(connection.execute(sa.select(raw.c.state)).scalars())


def count_tickets() -> int:
    with reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tickets)).scalar_one()


def completed_steps() -> Counter[str]:
    """How often each command finished a step."""
    with reading() as connection:
        query = sa.select(events.c.command_id).where(events.c.type == "ticket.step_completed")
        return Counter(connection.execute(query).scalars())


def test_requests_to_a_server_killed_three_times_each_become_one_ticket(
    company: Company, server: Doomed, requests: list[Sent]
) -> None:  # INT-02 invariant 13
    chance = Random(20_261_121)
    acknowledged: dict[str, str] = {}

    for _ in range(3):
        open_calls = [call for call in requests if call.key not in acknowledged]
        heard = server.call(open_calls, die_after=chance.randrange(20, 160))
        # A repetition of what was under way when the server died is answered with 200.
        assert {answer.status for answer in heard.values()} <= {200, 201}
        assert len(heard) < len(open_calls)
        acknowledged |= {key: answer.body["ticket_no"] for key, answer in heard.items()}
        assert acknowledged.items() <= numbers_of_messages().items()
        server.start()

    recover(at=datetime.now(UTC), older_than=timedelta(0))
    assert states().keys() == {RawState.TICKET}
    again = server.call(requests)

    assert {answer.status for answer in again.values()} <= {200, 201}
    assert len(again) == len({answer.body["ticket_no"] for answer in again.values()}) == CALLS
    assert acknowledged.items() <= {key: answer.body["ticket_no"] for key, answer in again.items()}.items()
    assert numbers_of_messages() == {key: answer.body["ticket_no"] for key, answer in again.items()}
    assert states() == {RawState.TICKET: CALLS}
    assert count_tickets() == CALLS
    nothing_is_torn()


def test_moves_cut_off_by_a_kill_are_each_made_once(company: Company, server: Doomed) -> None:
    for _ in range(CALLS):
        company.open()
    moves = moves_of(company, server)

    moved = server.call(moves, die_after=Random(7).randrange(100, 400))
    assert {answer.status for answer in moved.values()} == {200}
    assert len(moved) < CALLS
    assert moved.keys() <= completed_steps().keys()
    server.start()
    again = server.call(moves)

    assert {(answer.status, answer.body["version"], answer.body["stage"]) for answer in again.values()} == {
        (200, 2, "onsite")
    }
    assert completed_steps() == dict.fromkeys((move.key for move in moves), 1)
    nothing_is_torn()


def moves_of(company: Company, server: Doomed) -> list[Sent]:
    """One step of every ticket, by a manager in a browser."""
    session = sessions.log_in(
        login="manager", password=PASSWORD, at=datetime.now(UTC), user_agent="", address="127.0.0.1"
    )
    with reading() as connection:
        standing = connection.execute(sa.select(tickets.c.id, tickets.c.version)).all()
    assert {row.version for row in standing} == {1}
    return [
        Sent(
            key=f"accept:{row.id}",
            path=f"/api/v1/tickets/{row.id}/act",
            body={"command_id": f"accept:{row.id}", "expected_version": row.version},
            headers={"Cookie": f"tc_session={session.token}", "Origin": server.url},
        )
        for row in standing
    ]
