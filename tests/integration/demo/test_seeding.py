"""The demo company: seeded once, and true to every invariant of the model."""

import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.fixtures.databases import let_go
from tests.integration.demo import books
from tests.integration.demo.conftest import AT, FEW, REQUESTS
from ticket_console.access import sessions, tokens
from ticket_console.access.tables import Org, Site, UserAccount
from ticket_console.clocks.calendars import business_time
from ticket_console.clocks.tables import Timer
from ticket_console.customers.tables import Agreement, Asset, Customer, CustomerOrder
from ticket_console.demo import crews
from ticket_console.demo.cast import Cast
from ticket_console.demo.company import OFFICE
from ticket_console.demo.seed import PASSWORD, Seeded, keep_token, log_ins, seed
from ticket_console.flows import reads as flow_reads
from ticket_console.intake.tables import RawIntake, RawState
from ticket_console.kernel import database as kernel_database
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table
from ticket_console.people.tables import Technician, Territory
from ticket_console.settlement.kinds import StatementState
from ticket_console.settlement.tables import Journal, Period, Posting, Statement
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Comment, Event, Ticket


def count(model: Any, *conditions: sa.ColumnElement[bool]) -> int:
    with reading() as connection:
        query = sa.select(sa.func.count()).select_from(table(model)).where(*conditions)
        return int(connection.execute(query).scalar_one())


def test_a_console_with_a_company_is_left_alone(seeded: Seeded) -> None:
    before = [count(model) for model in (Org, UserAccount, Customer, Ticket, Event, Posting)]

    assert seed(at=AT + timedelta(hours=1)) is None
    assert [count(model) for model in (Org, UserAccount, Customer, Ticket, Event, Posting)] == before


def test_the_company_has_everything_a_working_day_needs(seeded: Seeded) -> None:
    assert seeded.requests == REQUESTS
    assert seeded.refused == 0
    assert count(UserAccount) == len(OFFICE) + crews.technicians()
    assert count(Technician) == crews.technicians() == 47
    assert count(Customer) == 80
    assert count(Site) > 60
    assert count(Territory) == 26
    assert count(Asset) == count(CustomerOrder) > 150
    assert count(Agreement) > 10


def test_who_complained_is_called_back_after_a_working_day(seeded: Seeded) -> None:
    with reading() as connection:
        flow = flow_reads.current_version(connection, seeded.org_id, "complaint")
        graph = flow_reads.compiled(connection, flow.id)
        office = business_time(connection, seeded.org_id, "office")

    cooling = graph.node_by_key["cooling"]
    assert (cooling.delay_seconds, cooling.calendar) == (27_000, "office")
    before_the_holiday = datetime(2026, 9, 30, 2, 0, tzinfo=UTC)
    after_it = datetime(2026, 10, 8, 2, 0, tzinfo=UTC)
    assert office.add(before_the_holiday, timedelta(seconds=27_000)) == after_it
    timers = table(Timer)
    with reading() as connection:
        due = connection.execute(sa.select(timers.c.due_at).where(timers.c.kind == "node")).scalars().all()
    assert due
    assert all(office.is_open(moment - timedelta(seconds=1)) for moment in due)


# INT-02
def test_every_message_of_the_demo_became_a_ticket(seeded: Seeded) -> None:
    assert count(RawIntake) == count(RawIntake, table(RawIntake).c.state == RawState.TICKET) == REQUESTS
    assert count(Ticket) == REQUESTS


def test_the_history_is_lived_and_not_written(seeded: Seeded) -> None:
    tickets = table(Ticket)

    closed = count(Ticket, tickets.c.status == TicketStatus.CLOSED)
    assert closed > REQUESTS / 2
    assert count(Ticket, tickets.c.status == TicketStatus.OPEN) > REQUESTS / 10
    assert count(Ticket, tickets.c.returns > 0) > 0
    assert count(Ticket, tickets.c.closed_at.is_(None), tickets.c.due_at < AT) > 0
    assert count(Comment) > 0
    assert count(Ticket, tickets.c.updated_at > AT) == 0


def test_every_row_is_what_its_history_adds_up_to(seeded: Seeded) -> None:
    with reading() as connection:
        assert books.histories_that_disagree(connection) == {}
        assert books.broken_chains(connection) == []
        assert books.lane_counts_that_disagree(connection) == {}
        assert books.loads_that_disagree(connection) == {}
        assert books.open_tickets_nobody_has(connection) == []


def test_the_work_of_two_months_is_on_the_books_and_one_statement_is_out(seeded: Seeded) -> None:
    postings, statements = table(Posting), table(Statement)
    with reading() as connection:
        sums = connection.execute(
            sa.select(sa.func.sum(postings.c.amount_minor)).group_by(postings.c.journal_id)
        ).scalars()
        states = connection.execute(sa.select(statements.c.state)).scalars().all()
        earlier = connection.execute(
            sa.select(sa.func.count())
            .select_from(table(Journal))
            .join(table(Period), table(Period).c.id == table(Journal).c.period_id)
            .group_by(table(Period).c.code)
        ).scalars()
        assert set(sums) == {0}
        assert states == [StatementState.ISSUED]
        assert len(list(earlier)) == 2


def test_everybody_logs_in_with_the_printed_password(seeded: Seeded) -> None:
    for login in ("dispatcher", "finance", "tech07"):
        opened = sessions.log_in(
            login=login, password=PASSWORD, at=AT, user_agent="test", address="192.0.2.1"
        )
        assert opened.actor.org_id == seeded.org_id
        assert login in log_ins() or login.startswith("tech")


def test_somebody_plays_every_role_and_one_dispatcher_only_a_region(cast: Cast) -> None:
    assert cast.office.keys() == set(Role) - {Role.TECHNICIAN}
    assert len(cast.technicians) == crews.technicians()
    assert len(cast.callers) == 80

    south = sessions.log_in(
        login="dispatcher-south", password=PASSWORD, at=AT, user_agent="", address=""
    ).actor
    assert [grant.scope for grant in south.grants] == [Scope.REGION]
    assert len(south.grants[0].region_ids) == 3


def test_the_intake_token_opens_tickets_and_little_else(seeded: Seeded) -> None:
    with reading() as connection:
        actor = tokens.resolve_token(connection, token=seeded.token, at=AT)

    assert actor.permissions == {"ticket.open", "ticket.view"}


def test_the_token_is_kept_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    kept = tmp_path / "data" / "demo_token"

    keep_token(kept, "tc_first")
    keep_token(kept, "tc_second")

    assert kept.read_text(encoding="ascii") == "tc_second"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_equal_seeds_give_equal_companies(sqlite_template: Path, tmp_path: Path, at: datetime) -> None:
    outcomes = []
    for name in ("one", "two"):
        shutil.copy(sqlite_template, tmp_path / f"{name}.db")
        kernel_database.use_url(f"sqlite:///{tmp_path}/{name}.db")
        found = seed(at=at, requests=FEW)
        assert found is not None
        with reading() as connection:
            tickets = table(Ticket)
            rows = connection.execute(
                sa.select(tickets.c.title, tickets.c.stage, tickets.c.assignee_id, tickets.c.opened_at)
            ).all()
        outcomes.append((found.requests, found.steps, found.refused, rows))
    let_go()

    assert outcomes[0] == outcomes[1]
