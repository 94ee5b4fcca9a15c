"""Running rules in the shadow of a past period: reads what was rated, rates it again, writes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict
from ticket_console.settlement import publishing
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.population.rating import PopulationRating, rate_population, side_by_side
from ticket_console.settlement.population.reading import population_of_frozen
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.shadow import ShadowRun, compare
from ticket_console.settlement.sides import RULE_SETS, SIDE_OF
from ticket_console.settlement.tables import Account, FactSnapshot, Rating, RuleSetVersion

_RATINGS = table(Rating)
_SNAPSHOTS = table(FactSnapshot)
_ACCOUNTS = table(Account)
_VERSIONS = table(RuleSetVersion)

# Facts held as documents at a time; the amounts of all tickets are held as numbers.
_AT_ONCE: Final = 20_000


class NothingRated(Conflict):
    """No work of these days has been rated."""

    code = "settlement.nothing_rated"


@dataclass(slots=True)
class _Chunk:
    """Rated work of one rule version."""

    version_id: int
    version_hash: str
    rows: list[Any]


def shadow_run(
    conn: Connection,
    *,
    actor: Actor,
    rules: RuleSet,
    since: date,
    until: date,
    purpose: Purpose = Purpose.WORKER_PAY,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ShadowRun:
    """What `rules` would have paid for the work of [since, until), beside what the rules in force paid.

    Work that was agreed to be paid by a certain version stays as it is. `progress` hears after every chunk
    how many of how many tickets are done; what it raises ends the run. `purpose` says whose money it is.
    It names people and amounts of every region, so it is for those who manage the rules everywhere.
    """
    policy.require_everywhere(actor, "rules.manage")
    asked = _within(actor, since, until, purpose)
    total = conn.execute(sa.select(sa.func.count()).select_from(_RATINGS).where(asked))
    wanted, done = int(total.scalar_one()), 0
    if not wanted:
        raise NothingRated()
    tickets, payees = [], []
    before: list[PopulationRating] = []
    after: list[PopulationRating] = []
    side, agreed = SIDE_OF[purpose], f"{RULE_SETS[purpose]}:"
    progress(0, wanted)
    for chunk in _chunks(conn, asked):
        frozen = [row.facts for row in chunk.rows]
        population = population_of_frozen(frozen)
        in_force = publishing.rules_of(conn, chunk.version_id, chunk.version_hash)
        live, draft = rate_population(population, in_force, side), rate_population(population, rules, side)
        pinned = np.array(
            [str(each.get("pinned_rules")).startswith(agreed) for each in frozen], dtype=np.bool_
        )
        draft.by_dimension[:, pinned] = live.by_dimension[:, pinned]
        draft.total[pinned] = live.total[pinned]
        before.append(live)
        after.append(draft)
        tickets.append(np.array([row.ticket_id for row in chunk.rows], dtype=np.int64))
        payees.append(np.array([row.owner_id for row in chunk.rows], dtype=np.int64))
        done += len(chunk.rows)
        progress(done, wanted)
    return compare(np.concatenate(tickets), np.concatenate(payees), side_by_side(before), side_by_side(after))


def _within(actor: Actor, since: date, until: date, purpose: Purpose) -> sa.ColumnElement[bool]:
    return sa.and_(
        _RATINGS.c.org_id == actor.org_id,
        _RATINGS.c.service_on >= since,
        _RATINGS.c.service_on < until,
        _RATINGS.c.purpose == purpose,
        _RATINGS.c.is_live,
    )


def _chunks(conn: Connection, asked: sa.ColumnElement[bool]) -> Iterator[_Chunk]:
    query = (
        sa.select(
            _RATINGS.c.ticket_id,
            _RATINGS.c.rule_set_version_id,
            _VERSIONS.c.content_hash,
            _ACCOUNTS.c.owner_id,
            _SNAPSHOTS.c.facts,
        )
        .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _RATINGS.c.payee_account_id)
        .join(_VERSIONS, _VERSIONS.c.id == _RATINGS.c.rule_set_version_id)
        .where(asked)
        .order_by(_RATINGS.c.rule_set_version_id, _RATINGS.c.id)
    )
    chunk: _Chunk | None = None
    for row in conn.execution_options(stream_results=True, yield_per=1_000).execute(query):
        if chunk is not None and (chunk.version_id != row.rule_set_version_id or len(chunk.rows) == _AT_ONCE):
            yield chunk
            chunk = None
        if chunk is None:
            chunk = _Chunk(row.rule_set_version_id, row.content_hash, [])
        chunk.rows.append(row)
    if chunk is not None:
        yield chunk
