"""Once a local day, however many workers run, whenever one of them dies, however long all were away."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tests.builders.settlement import Company, open_company
from tests.fixtures.databases import Database
from ticket_console.access.tables import AuditEntry
from ticket_console.jobs import schedules
from ticket_console.jobs.kinds import RunState, ScheduleKind
from ticket_console.jobs.schedules import LEASE, DayRun, LostLease, Schedule, run_due
from ticket_console.jobs.tables import ScheduleRun
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import Forbidden

# Five in the afternoon in Shanghai, two hours before Urumqi's.
FIVE = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SHANGHAI, URUMQI = "Asia/Shanghai", "Asia/Urumqi"

_marks = table(AuditEntry)


def mark(connection: Connection, run: DayRun, at: datetime) -> Mapping[str, Any]:
    """What a schedule of these tests produces: one row, of which there must never be two."""
    connection.execute(
        sa.insert(_marks).values(
            org_id=run.org_id,
            at=at,
            actor="system",
            actor_name="",
            action="marked",
            subject=f"{run.zone}:{run.local_day}",
            payload={},
            command_id=str(run.attempts),
        )
    )
    return {"made": 1}


def daily(produce: Any = mark, zones: Sequence[str] = (SHANGHAI,)) -> tuple[Schedule, ...]:
    return (Schedule(ScheduleKind.DAILY_INCOME, time(17), lambda *_: zones, produce),)


def marked() -> list[str]:
    with reading() as connection:
        return list(connection.execute(sa.select(_marks.c.subject).order_by(_marks.c.id)).scalars())


def runs() -> list[Any]:
    with reading() as connection:
        return list(connection.execute(sa.select(table(ScheduleRun)).order_by(table(ScheduleRun).c.id)))


@pytest.fixture(autouse=True)
def company(database: Database) -> Company:
    return open_company()


def test_it_runs_when_the_hour_has_come_in_each_zone_and_not_again() -> None:
    both = daily(zones=(SHANGHAI, URUMQI))

    assert run_due(both, FIVE - timedelta(seconds=1)) == {"done": 2, "failed": 0}
    assert marked() == [f"{SHANGHAI}:2026-11-21", f"{URUMQI}:2026-11-21"]
    assert run_due(both, FIVE) == {"done": 1, "failed": 0}
    assert run_due(both, FIVE + timedelta(minutes=1)) == {"done": 0, "failed": 0}
    assert marked()[2:] == [f"{SHANGHAI}:2026-11-22"]
    assert run_due(both, FIVE + timedelta(hours=2)) == {"done": 1, "failed": 0}
    assert marked()[3:] == [f"{URUMQI}:2026-11-22"]


def test_what_was_missed_while_the_console_slept_runs_late_and_once() -> None:
    run_due(daily(), FIVE)

    woken = FIVE + timedelta(days=3, hours=5)
    assert run_due(daily(), woken) == {"done": 3, "failed": 0}

    assert marked() == [f"{SHANGHAI}:2026-11-{day}" for day in (22, 23, 24, 25)]
    latest = runs()[-1]
    assert latest.due_at == FIVE + timedelta(days=3)
    assert latest.done_at == woken
    assert latest.result == {"made": 1}


def test_the_days_the_clocks_change_have_one_run_each() -> None:
    berlin = daily(zones=("Europe/Berlin",))
    at = datetime(2026, 10, 23, 12, 0, tzinfo=UTC)

    for _ in range(24 * 5):
        run_due(berlin, at)
        at += timedelta(hours=1)

    # The first looks at the day before, the last at 17:00 of the 27th, in winter time by then.
    assert marked() == [f"Europe/Berlin:2026-10-{day}" for day in range(22, 28)]
    assert [each.due_at.hour for each in runs()] == [15, 15, 15, 16, 16, 16]


def test_what_breaks_leaves_nothing_behind_and_is_tried_again_later() -> None:
    broken = True

    def produce(connection: Connection, run: DayRun, at: datetime) -> Mapping[str, Any]:
        mark(connection, run, at)
        if broken:
            raise RuntimeError("the disk is full")
        return {}

    assert run_due(daily(produce), FIVE) == {"done": 0, "failed": 1}
    assert marked() == []
    (failed,) = runs()
    assert (failed.state, failed.failure, failed.done_at) == (
        RunState.FAILED,
        "RuntimeError: the disk is full",
        None,
    )
    assert run_due(daily(produce), FIVE + timedelta(seconds=59)) == {"done": 0, "failed": 0}

    broken = False
    assert run_due(daily(produce), FIVE + timedelta(seconds=60)) == {"done": 1, "failed": 0}
    assert marked() == [f"{SHANGHAI}:2026-11-22"]
    (done,) = runs()
    assert (done.state, done.attempts, done.failure) == (RunState.DONE, 2, "")


def test_workers_that_run_at_once_make_one_report() -> None:
    with ThreadPoolExecutor(4) as pool:
        counts = list(
            pool.map(lambda n: run_due(daily(zones=(SHANGHAI, URUMQI)), FIVE, owner=f"worker {n}"), range(4))
        )

    assert sum(each["done"] for each in counts) == 2
    assert sorted(marked()) == [f"{SHANGHAI}:2026-11-22", f"{URUMQI}:2026-11-21"]


def test_a_worker_whose_lease_was_taken_over_writes_nothing() -> None:
    """It stood still for longer than its lease, and wakes when another has done the work."""
    schedules._plan(daily(), FIVE)
    (row,) = runs()
    slow = schedules._claim(row.id, FIVE, "slow")
    assert slow is not None
    assert schedules._claim(row.id, FIVE, "eager") is None
    later = FIVE + LEASE
    assert run_due(daily(), later, owner="quick") == {"done": 1, "failed": 0}

    with pytest.raises(LostLease):
        schedules._carry_out(daily()[0], slow, later, "slow")

    assert len(marked()) == 1
    (done,) = runs()
    assert (done.owner, done.attempts) == ("quick", 2)


DYING = """
    import os, signal, sys
    from datetime import datetime, time
    from tests.integration.jobs.test_schedules import SHANGHAI, mark
    from ticket_console.jobs import schedules
    from ticket_console.jobs.kinds import ScheduleKind
    from ticket_console.jobs.schedules import Schedule, run_due

    stage, at = sys.argv[1], datetime.fromisoformat(sys.argv[2])

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    def produce(connection, run, at):
        return mark(connection, run, at)

    plain = schedules._mark
    def mark_and_die(connection, run, owner, **values):
        plain(connection, run, owner, **values)
        if stage == "marked" and "result" in values:
            die()
    schedules._mark = mark_and_die
    run_due((Schedule(ScheduleKind.DAILY_INCOME, time(17), lambda *_: (SHANGHAI,), produce),), at)
    if stage == "committed":
        die()
"""


@pytest.mark.parametrize(("stage", "is_done"), [("marked", False), ("committed", True)])
def test_a_worker_killed_at_any_point_leaves_a_whole_report_or_none(
    database: Database, tmp_path: Path, stage: str, is_done: bool
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", dedent(DYING), stage, FIVE.isoformat()],
        env={**os.environ, "DATABASE_URL": database.url, "DATA_DIR": str(tmp_path), "LOG_LEVEL": "error"},
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL

    assert len(marked()) == is_done
    # The lease of the dead worker holds until it is over; then the next one does the work.
    assert run_due(daily(), FIVE + LEASE - timedelta(seconds=1)) == {"done": 0, "failed": 0}
    assert run_due(daily(), FIVE + LEASE) == {"done": int(not is_done), "failed": 0}
    assert marked() == [f"{SHANGHAI}:2026-11-22"]


def test_the_overview_says_what_ran_what_failed_and_what_comes_next(company: Company) -> None:
    def fails(*_: Any) -> Mapping[str, Any]:
        raise RuntimeError("no room")

    run_due(daily(fails), FIVE)

    with reading() as connection:
        (line,) = schedules.overview(connection, daily(), viewer=company.actor(Role.MANAGER), at=FIVE)
        with pytest.raises(Forbidden):
            schedules.overview(connection, daily(), viewer=company.actor(Role.DISPATCHER), at=FIVE)

    assert (line.zone, line.local_day, line.state) == (SHANGHAI, date(2026, 11, 22), RunState.FAILED)
    assert (line.failure, line.behind) == ("RuntimeError: no room", 1)
    assert line.next_at == FIVE + timedelta(days=1)
