"""The worker: timers fire, messages left behind are finished, and what breaks does not stop the rest."""

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.demo.conftest import cast_of
from ticket_console.access import sessions
from ticket_console.access.tables import UserSession
from ticket_console.clocks.tables import Timer, TimerState
from ticket_console.demo.conduct import do_step
from ticket_console.demo.seed import PASSWORD, Seeded
from ticket_console.demo.standing import steps_of
from ticket_console.desk import moving
from ticket_console.desk.opening import NewTicket, open_ticket
from ticket_console.intake import raw_log
from ticket_console.intake.tables import RawIntake, RawState
from ticket_console.jobs import chores
from ticket_console.jobs.worker import CHORES, Chore, Worker
from ticket_console.kernel.actor import Role
from ticket_console.kernel.clock import FixedClock, SystemClock
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.tickets.tables import Ticket

# From Saturday at ten, Shanghai time, to Monday at six: seven and a half hours in which the office is open.
ONE_WORKING_DAY = timedelta(hours=56)


def complaint_waiting_for_its_follow_up(seeded: Seeded, at: datetime, name: str) -> int:
    """A complaint that was decided without a visit: a timer runs until the follow-up."""
    cast = cast_of(seeded)
    request = NewTicket(template_code="complaint", title="收费和报价不一致", site_code="SH-05")
    opened = open_ticket(actor=cast.office[Role.AGENT], at=at, command_id=f"{name}:open", request=request)
    for number in range(2):
        with reading() as connection:
            (step,) = steps_of(connection, opened.ticket_id)
        assert do_step(cast, step, Random(1), at=at, command_id=f"{name}:{number}")
    return opened.ticket_id


def standing(ticket_id: int) -> list[str]:
    with reading() as connection:
        return [step.node.key for step in steps_of(connection, ticket_id)]


# FLW-11
def test_a_timer_moves_its_ticket_when_its_time_has_come(young_company: Seeded, at: datetime) -> None:
    ticket_id = complaint_waiting_for_its_follow_up(young_company, at, "a")
    assert standing(ticket_id) == ["cooling"]

    assert chores.fire_timers(at + ONE_WORKING_DAY - timedelta(seconds=1))["failed"] == 0
    assert standing(ticket_id) == ["cooling"]
    assert chores.fire_timers(at + ONE_WORKING_DAY)["fired"] >= 1
    assert standing(ticket_id) == ["follow_up"]
    assert chores.fire_timers(at + ONE_WORKING_DAY) == {"fired": 0, "passed_over": 0, "failed": 0}


def test_a_timer_that_breaks_is_put_off_and_the_others_fire(
    young_company: Seeded, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned = complaint_waiting_for_its_follow_up(young_company, at, "a")
    sound = complaint_waiting_for_its_follow_up(young_company, at, "b")
    fire = moving.fire_timer

    def break_on_one(**asked: Any) -> bool:
        if asked["ticket_id"] == poisoned:
            raise RuntimeError("a defect")
        return fire(**asked)

    monkeypatch.setattr(moving, "fire_timer", break_on_one)
    counts = chores.fire_timers(at + ONE_WORKING_DAY)

    assert counts["failed"] == 1
    assert standing(poisoned) == ["cooling"]
    assert standing(sound) == ["follow_up"]
    timers = table(Timer)
    with reading() as connection:
        row = connection.execute(sa.select(timers).where(timers.c.ticket_id == poisoned)).one()
        assert (row.state, row.due_at) == (TimerState.ARMED, at + ONE_WORKING_DAY + chores.PUT_OFF)


# INT-02
def test_a_message_left_behind_becomes_a_ticket_when_the_worker_starts(
    young_company: Seeded, at: datetime
) -> None:
    payload = {"template": "general", "title": "门锁坏了", "site": "SH-05"}
    text, payload_hash = raw_log.spelled(payload)
    with transaction() as connection:
        raw_id = raw_log.keep(
            connection,
            org_id=young_company.org_id,
            channel="website",
            delivery_key="k:left-behind",
            claim_key=None,
            external_id=None,
            text=text,
            payload_hash=payload_hash,
            received_by="channel",
            at=at,
        )
    worker = Worker(FixedClock(at + timedelta(seconds=1)), chores=CHORES)

    worker.run_due()

    raw, tickets = table(RawIntake), table(Ticket)
    with reading() as connection:
        row = connection.execute(sa.select(raw).where(raw.c.id == raw_id)).one()
        title = connection.execute(sa.select(tickets.c.title).where(tickets.c.id == row.ticket_id)).scalar()
        assert (row.state, title) == (RawState.TICKET, "门锁坏了")


def test_log_ins_that_are_long_over_are_forgotten(young_company: Seeded, at: datetime) -> None:
    for moment in (at - timedelta(days=40), at):
        sessions.log_in(login="agent", password=PASSWORD, at=moment, user_agent="", address="")

    assert chores.forget_old_sessions(at) == {"forgotten": 1}
    with reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table(UserSession))).scalar() == 1


def test_each_chore_is_done_at_the_start_and_then_in_its_own_time(at: datetime) -> None:
    done: list[str] = []

    def chore(name: str, every: timedelta | None) -> Chore:
        def run(_: datetime) -> Mapping[str, int]:
            done.append(name)
            return {}

        return Chore(name, every, run)

    clock = FixedClock(at)
    worker = Worker(
        clock,
        chores=(
            chore("once", None),
            chore("second", timedelta(seconds=1)),
            chore("minute", timedelta(minutes=1)),
        ),
    )
    for _ in range(61):
        worker.run_due()
        clock.advance(timedelta(seconds=1))

    assert {name: done.count(name) for name in done} == {"once": 1, "second": 61, "minute": 2}


def test_a_chore_that_breaks_leaves_the_others_at_work(at: datetime) -> None:
    done = threading.Event()

    def break_down(_: datetime) -> Mapping[str, int]:
        raise RuntimeError("the database is gone")

    def work(_: datetime) -> Mapping[str, int]:
        done.set()
        return {"done": 1}

    worker = Worker(
        SystemClock(),
        chores=(Chore("broken", timedelta(0), break_down), Chore("sound", timedelta(0), work)),
        idle_seconds=0.01,
    )
    worker.start()

    assert done.wait(5)
    assert worker.stop()


def test_the_worker_stops_at_once_when_it_has_nothing_to_do(at: datetime) -> None:
    worker = Worker(SystemClock(), chores=(), idle_seconds=60)
    worker.start()

    began = time.monotonic()
    assert worker.stop()
    assert time.monotonic() - began < 5
    with pytest.raises(RuntimeError):
        worker.start()
