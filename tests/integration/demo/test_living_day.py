"""The simulator: a day that goes on by itself, and leaves alone what people do."""

import time
from datetime import datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from tests.integration.demo import books
from tests.integration.demo.conftest import cast_of
from ticket_console.demo import simulator as simulating
from ticket_console.demo.conduct import do_step
from ticket_console.demo.seed import Seeded
from ticket_console.demo.simulator import Simulator
from ticket_console.demo.standing import count_open, steps_of
from ticket_console.desk.opening import NewTicket, open_ticket
from ticket_console.kernel.actor import Role
from ticket_console.kernel.clock import FixedClock, SystemClock
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError, Forbidden
from ticket_console.tickets.tables import Event, Ticket

TICKS = 50


def test_fifty_beats_bring_requests_and_work_and_no_refusal(young_company: Seeded, at: datetime) -> None:
    clock = FixedClock(at)
    simulator = Simulator(clock, chance=Random(5))

    received = moved = refused = 0
    for _ in range(TICKS):
        clock.advance(timedelta(seconds=30))
        tick = simulator.tick()
        received, moved, refused = received + tick.received, moved + tick.moved, refused + tick.refused

    assert (received, refused) == (TICKS, 0)
    assert moved > TICKS / 2
    with reading() as connection:
        assert books.histories_that_disagree(connection) == {}
        assert books.broken_chains(connection) == []
        assert books.lane_counts_that_disagree(connection) == {}
        assert books.loads_that_disagree(connection) == {}
        assert books.open_tickets_nobody_has(connection) == []


def test_a_full_board_takes_no_more_requests(
    young_company: Seeded, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "MOST_OPEN", 3)
    monkeypatch.setattr(simulating, "FEWEST_OPEN", 2)
    simulator = Simulator(FixedClock(at + timedelta(hours=1)), chance=Random(5))

    assert [simulator.tick().received for _ in range(5)] == [0, 0, 0, 0, 0]


def test_what_people_opened_is_left_to_people(young_company: Seeded, at: datetime) -> None:
    agent = cast_of(young_company).office[Role.AGENT]
    request = NewTicket(template_code="general", title="门把手松了", site_code="SH-05")
    opened = open_ticket(actor=agent, at=at, command_id="by-hand", request=request)
    clock = FixedClock(at)
    simulator = Simulator(clock, chance=Random(5))

    for _ in range(TICKS):
        clock.advance(timedelta(seconds=30))
        simulator.tick()

    events = table(Event)
    with reading() as connection:
        said = connection.execute(
            sa.select(events.c.type).where(events.c.ticket_id == opened.ticket_id).order_by(events.c.seq)
        ).scalars()
        assert list(said) == ["ticket.opened", "ticket.assigned"]


def test_a_card_that_was_just_moved_rests(young_company: Seeded, at: datetime) -> None:
    tickets = table(Ticket)
    clock = FixedClock(at + timedelta(hours=1))
    simulator = Simulator(clock, chance=Random(5))

    for _ in range(10):
        simulator.tick()

    with reading() as connection:
        moved = connection.execute(
            sa.select(sa.func.count())
            .select_from(table(Event))
            .where(table(Event).c.at == clock.now(), table(Event).c.type == "ticket.step_completed")
            .group_by(table(Event).c.ticket_id)
        ).scalars()
        assert set(moved) == {1}
        assert connection.execute(sa.select(sa.func.max(tickets.c.updated_at))).scalar() == clock.now()


def test_a_refused_step_does_not_stop_the_day(
    young_company: Seeded, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise Forbidden(permission="ticket.act")

    monkeypatch.setattr(simulating, "do_step", refuse)
    simulator = Simulator(FixedClock(at + timedelta(hours=1)), chance=Random(5))

    ticks = [simulator.tick() for _ in range(3)]

    assert sum(tick.refused for tick in ticks) >= 1
    assert sum(tick.moved for tick in ticks) == 0


def test_a_step_somebody_else_has_done_meanwhile_is_refused_and_nothing_changes(
    young_company: Seeded, at: datetime
) -> None:
    cast, later = cast_of(young_company), at + timedelta(hours=1)
    agent = cast.office[Role.AGENT]
    request = NewTicket(template_code="consult", title="空调清洗怎么收费", site_code="SH-05")
    opened = open_ticket(actor=agent, at=at, command_id="asked", request=request)
    with reading() as connection:
        (step,) = steps_of(connection, opened.ticket_id)

    assert do_step(cast, step, Random(1), at=later, command_id="first")
    with pytest.raises(ConsoleError):
        do_step(cast, step, Random(1), at=later, command_id="second")


def test_without_the_demo_company_nothing_happens(database: object, at: datetime) -> None:
    simulator = Simulator(FixedClock(at))

    assert simulator.tick() == simulating.Tick()


def test_it_runs_while_it_is_switched_on(young_company: Seeded) -> None:
    simulator = Simulator(SystemClock(), chance=Random(5), pause_seconds=0.01)
    with reading() as connection:
        before = count_open(connection, young_company.org_id)
    assert not simulator.is_running

    simulator.start()
    simulator.start()
    deadline = time.monotonic() + 20
    now = before
    while now <= before and time.monotonic() < deadline:
        time.sleep(0.05)
        with reading() as connection:
            now = count_open(connection, young_company.org_id)

    assert simulator.is_running
    assert simulator.stop()
    assert not simulator.is_running
    assert now > before
