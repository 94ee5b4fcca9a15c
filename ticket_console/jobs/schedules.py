"""What is done once in every local day of every zone, whoever runs, dies or sleeps.

A day of a zone is a row. A worker claims it by a compare-and-swap with a lease, and marks it done in the
transaction that carries it out: it is there with all it wrote, or not at all, and a worker whose lease
another has taken over writes nothing. What was missed is caught up with, a row for each day.
"""

import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.jobs import local_days
from ticket_console.jobs.kinds import RunState, ScheduleKind
from ticket_console.jobs.tables import ScheduleRun
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, table, transaction

log = structlog.get_logger(__name__)

# A claim lasts this long; no report of a day takes a tenth of it.
LEASE: Final = timedelta(minutes=10)
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=1)
# A console that was switched off for longer catches up with the last month only.
MOST_DAYS: Final = 31
MOST_AT_ONCE: Final = 50
_FAILURE: Final = 300

_runs = table(ScheduleRun)
# Rows of dead workers are taken over by their lease, so the name only has to differ.
OWNER: Final = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"

_PLAN: Final = {
    "sqlite": sqlite.insert(_runs).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_runs).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class DayRun:
    """One schedule on one local day; `due_at` is when its hour was first shown there."""

    id: int
    org_id: int
    kind: ScheduleKind
    zone: str
    local_day: date
    due_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something to do when clocks show an hour: in which zones of an organisation, and what.

    `produce` works in the transaction it is given and says what it came to. `rows` says how many row ids
    that may take, where it is more than a single command needs.
    """

    kind: ScheduleKind
    hour: time
    zones: Callable[[Connection, int], Sequence[str]]
    produce: Callable[[Connection, DayRun, datetime], Mapping[str, Any]]
    rows: Callable[[Connection, DayRun], int] | None = None


class LostLease(RuntimeError):
    """Another worker has taken the run over; whatever this one has written is rolled back."""


def run_due(schedules: Sequence[Schedule], at: datetime, *, owner: str = OWNER) -> Mapping[str, int]:
    """Plan the days whose hour has come, and carry out what nobody has carried out."""
    by_kind = {each.kind: each for each in schedules}
    _plan(schedules, at)
    done = failed = 0
    for run_id in _open(at, by_kind):
        claimed = _claim(run_id, at, owner)
        if claimed is None:
            continue
        try:
            _carry_out(by_kind[claimed.kind], claimed, at, owner)
            done += 1
        except LostLease:
            log.warning(
                "schedule.lost", kind=claimed.kind.value, zone=claimed.zone, day=str(claimed.local_day)
            )
        except Exception as failure:
            failed += 1
            log.error(
                "schedule.failed",
                kind=claimed.kind.value,
                zone=claimed.zone,
                day=str(claimed.local_day),
                exc_info=failure,
            )
            _note_failure(claimed, at, owner, failure)
    return {"done": done, "failed": failed}


def _plan(schedules: Sequence[Schedule], at: datetime) -> None:
    """Write down the days that are due and not written down; any number of workers may do so."""
    with reading() as connection:
        rows = [
            row
            for org_id in places.org_ids(connection)
            for schedule in schedules
            for zone in schedule.zones(connection, org_id)
            for row in _missing(connection, schedule, org_id, zone, at)
        ]
    if rows:
        with transaction() as connection:
            connection.execute(_PLAN[connection.dialect.name], rows)


def _missing(
    connection: Connection, schedule: Schedule, org_id: int, zone: str, at: datetime
) -> list[dict[str, Any]]:
    last = connection.execute(
        sa.select(sa.func.max(_runs.c.local_day)).where(
            _runs.c.org_id == org_id, _runs.c.kind == schedule.kind, _runs.c.zone == zone
        )
    ).scalar_one()
    days = local_days.due_days(at, schedule.hour, zone, after=last, most=MOST_DAYS)
    return [
        {
            "org_id": org_id,
            "kind": schedule.kind,
            "zone": zone,
            "local_day": day,
            "due_at": local_days.first_shown(day, schedule.hour, zone),
            "state": RunState.WAITING,
            "owner": "",
            "attempts": 0,
            "lease_until": at,
            "failure": "",
        }
        for day in days
    ]


def _open(at: datetime, kinds: Mapping[ScheduleKind, Schedule]) -> Sequence[int]:
    with reading() as connection:
        return (
            connection.execute(
                sa.select(_runs.c.id)
                .where(_claimable(at), _runs.c.kind.in_(list(kinds)))
                .order_by(_runs.c.due_at, _runs.c.id)
                .limit(MOST_AT_ONCE)
            )
            .scalars()
            .all()
        )


def _claimable(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_runs.c.state != RunState.DONE, _runs.c.lease_until <= at)


@retried
def _claim(run_id: int, at: datetime, owner: str) -> DayRun | None:
    """Take a run up; None where another worker was first."""
    with transaction() as connection:
        row = connection.execute(
            sa.update(_runs)
            .where(_runs.c.id == run_id, _claimable(at))
            .values(
                state=RunState.RUNNING,
                owner=owner,
                attempts=_runs.c.attempts + 1,
                started_at=at,
                lease_until=at + LEASE,
            )
            .returning(
                _runs.c.id,
                _runs.c.org_id,
                _runs.c.kind,
                _runs.c.zone,
                _runs.c.local_day,
                _runs.c.due_at,
                _runs.c.attempts,
            )
        ).one_or_none()
    return None if row is None else DayRun(*row)


@retried
def _carry_out(schedule: Schedule, run: DayRun, at: datetime, owner: str) -> None:
    reserve: dict[str, int] = {}
    if schedule.rows is not None:
        with reading() as connection:
            reserve["row"] = schedule.rows(connection, run)
    with transaction(reserve=reserve) as connection:
        # First, so that on PostgreSQL a second worker on the same row waits here and then finds it gone.
        _mark(connection, run, owner, state=RunState.DONE, done_at=at, failure="")
        result = schedule.produce(connection, run, at)
        _mark(connection, run, owner, result=dict(result))


def _mark(connection: Connection, run: DayRun, owner: str, **values: Any) -> None:
    """Write on the row, which must still be this worker's: every claim counts an attempt."""
    changed = connection.execute(
        sa.update(_runs)
        .where(_runs.c.id == run.id, _runs.c.owner == owner, _runs.c.attempts == run.attempts)
        .values(**values)
    )
    if changed.rowcount != 1:
        raise LostLease(f"run {run.id}")


@retried
def _note_failure(run: DayRun, at: datetime, owner: str, failure: Exception) -> None:
    wait = min(FIRST_RETRY * (1 << min(run.attempts - 1, 10)), LONGEST_RETRY)
    with transaction() as connection:
        try:
            _mark(
                connection,
                run,
                owner,
                state=RunState.FAILED,
                lease_until=at + wait,
                failure=f"{type(failure).__name__}: {failure}"[:_FAILURE],
            )
        except LostLease:
            log.warning("schedule.lost", kind=run.kind.value, zone=run.zone, day=str(run.local_day))


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A schedule in a zone as whoever operates sees it: the latest run, and when the next is due."""

    kind: ScheduleKind
    hour: time
    zone: str
    local_day: date | None
    due_at: datetime | None
    state: RunState | None
    done_at: datetime | None
    attempts: int
    failure: str
    next_at: datetime
    behind: int


def overview(
    connection: Connection, schedules: Sequence[Schedule], *, viewer: Actor, at: datetime
) -> tuple[ScheduleLine, ...]:
    """Every schedule in every zone of an organisation; `behind` counts its days that are not done."""
    policy.require_everywhere(viewer, "audit.view")
    org_id = viewer.org_id
    lines: list[ScheduleLine] = []
    for schedule in schedules:
        for zone in schedule.zones(connection, org_id):
            mine = sa.and_(_runs.c.org_id == org_id, _runs.c.kind == schedule.kind, _runs.c.zone == zone)
            latest = connection.execute(
                sa.select(_runs).where(mine).order_by(_runs.c.local_day.desc()).limit(1)
            ).one_or_none()
            behind = connection.execute(
                sa.select(sa.func.count()).select_from(_runs).where(mine, _runs.c.state != RunState.DONE)
            ).scalar_one()
            next_at = local_days.next_due(at, schedule.hour, zone)
            if latest is None:
                lines.append(
                    ScheduleLine(
                        schedule.kind, schedule.hour, zone, None, None, None, None, 0, "", next_at, 0
                    )
                )
                continue
            lines.append(
                ScheduleLine(
                    kind=schedule.kind,
                    hour=schedule.hour,
                    zone=zone,
                    local_day=latest.local_day,
                    due_at=latest.due_at,
                    state=latest.state,
                    done_at=latest.done_at,
                    attempts=latest.attempts,
                    failure=latest.failure,
                    next_at=next_at,
                    behind=int(behind),
                )
            )
    return tuple(lines)
