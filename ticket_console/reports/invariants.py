"""The laws that always hold, checked on live data: by the worker every few minutes, and when somebody asks.

A law that is broken names the rows that break it. What the database can sum up is summed up as a whole each
time; what has to be computed anew, hashes and ratings, is looked at in turns, the latest rows always, and a
row that was found broken again and again until it is not.
"""

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.reports import laws_of_money, laws_of_work
from ticket_console.reports.laws import CounterExample, Finding, Law, LawState, Look
from ticket_console.reports.tables import LawResult

_results = table(LawResult)

log = structlog.get_logger(__name__)

PERMISSION: Final = "settlement.view"
LAWS: Final = (*laws_of_money.LAWS, *laws_of_work.LAWS)
MONEY: Final = frozenset(law.code for law in laws_of_money.LAWS)
# Rows of one turn: of the worker, and of somebody who waits for it.
TURN: Final = 4_000
LONG_TURN: Final = 12_000
# What has just been checked is not checked again by another worker.
_RECENT: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class CheckedLaw:
    """The latest check of a law; `checked_at` is None where there has been none yet."""

    code: str
    is_about_money: bool
    in_turns: bool
    state: LawState | None
    checked_at: datetime | None
    took_ms: int
    rows: int
    broken: int
    examples: tuple[CounterExample, ...]
    since: datetime | None


def results(connection: Connection, *, viewer: Actor) -> tuple[CheckedLaw, ...]:
    """Every law with its latest check, for those who read the money of the whole organisation."""
    policy.require_everywhere(viewer, PERMISSION)
    rows = connection.execute(sa.select(_results).where(_results.c.org_id == viewer.org_id))
    known = {row.code: row for row in rows}
    return tuple(_checked(law, known.get(law.code)) for law in LAWS)


def check(*, viewer: Actor, at: datetime) -> None:
    """Check every law now, with longer turns than the worker's."""
    policy.require_everywhere(viewer, PERMISSION)
    check_laws(viewer.org_id, at=at, turn=LONG_TURN)


def check_all(at: datetime) -> dict[str, int]:
    """Check every law of every organisation that has not just been checked; how many hold and do not."""
    with reading() as connection:
        recent = set(
            connection.execute(
                sa.select(_results.c.org_id).where(_results.c.checked_at > at - _RECENT).distinct()
            ).scalars()
        )
        org_ids = [each for each in places.org_ids(connection) if each not in recent]
    found = [state for org_id in org_ids for state in check_laws(org_id, at=at).values()]
    return {
        "broken": found.count(LawState.BROKEN),
        "failed": found.count(LawState.FAILED),
    }


def check_laws(org_id: int, *, at: datetime, turn: int = TURN) -> dict[str, LawState]:
    """Check every law of an organisation, each on one look at the database, and keep what was found."""
    with reading() as connection:
        query = sa.select(_results.c.code, _results.c.position, _results.c.state, _results.c.since)
        before = {row.code: row for row in connection.execute(query.where(_results.c.org_id == org_id))}
    rows: list[dict[str, Any]] = []
    states: dict[str, LawState] = {}
    for law in LAWS:
        known = before.get(law.code)
        started = time.perf_counter()
        finding = _look(law, org_id, at, turn, {} if known is None else known.position)
        state = states[law.code] = _state(finding)
        if finding is None:
            finding = Finding(0, (), {} if known is None else known.position)
        rows.append(
            {
                "org_id": org_id,
                "code": law.code,
                "state": state,
                "checked_at": at,
                "took_ms": round((time.perf_counter() - started) * 1_000),
                "rows": finding.rows,
                "broken": len(finding.broken),
                "examples": [asdict(each) for each in finding.broken],
                "position": dict(finding.position),
                "since": at if known is None or known.state is not state else known.since,
            }
        )
    with transaction() as connection:
        connection.execute(sa.delete(_results).where(_results.c.org_id == org_id))
        connection.execute(sa.insert(_results), rows)
    return states


def _look(law: Law, org_id: int, at: datetime, turn: int, position: dict[str, int]) -> Finding | None:
    """What a check found; None where it could not be carried out, which must not hide the other laws."""
    try:
        with reading() as connection:
            found = law.check(Look(connection, org_id, at, turn, position))
    except Exception as failure:
        log.error("invariants.check_failed", law=law.code, org_id=org_id, exc_info=failure)
        return None
    for each in found.broken[:1]:
        log.error("invariants.broken", law=law.code, org_id=org_id, table=each.table, row=each.row_id)
    return found


def _state(finding: Finding | None) -> LawState:
    if finding is None:
        return LawState.FAILED
    return LawState.BROKEN if finding.broken else LawState.HOLDS


def _checked(law: Law, row: sa.Row[tuple[object, ...]] | None) -> CheckedLaw:
    if row is None:
        return CheckedLaw(law.code, law.code in MONEY, law.in_turns, None, None, 0, 0, 0, (), None)
    return CheckedLaw(
        code=law.code,
        is_about_money=law.code in MONEY,
        in_turns=law.in_turns,
        state=row.state,
        checked_at=row.checked_at,
        took_ms=row.took_ms,
        rows=row.rows,
        broken=row.broken,
        examples=tuple(CounterExample(**each) for each in row.examples),
        since=row.since,
    )
