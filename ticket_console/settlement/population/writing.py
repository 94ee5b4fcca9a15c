"""Settling a whole population: a history brought in, or a month of it, as one run that can be taken up again.

What is written is what settling one by one would write: the same lines, ratings, postings and chain, in the
order of the work. A chunk is one transaction. A run that broke off is started again as it was: what it has
settled is found by its facts and left alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.bulk import Row, insert_rows
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.ids import command_id_of
from ticket_console.settlement import ledger, settling, sides
from ticket_console.settlement.books import Head, PostingPeriod, advance_head, lock_head, period_for
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.ledger import AccountKey, JournalDraft, WrongCurrency
from ticket_console.settlement.population.rating import rate_population
from ticket_console.settlement.population.reading import population_of_frozen
from ticket_console.settlement.publishing import VersionInForce
from ticket_console.settlement.sides import SIDE_OF, RatedSide
from ticket_console.settlement.tables import FactSnapshot, Journal, Posting, Rating, RatingLine

_SNAPSHOTS = table(FactSnapshot)
_RATINGS = table(Rating)
_LINES = table(RatingLine)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)

CHUNK: Final = 2_000
# Ids that settling one ticket again may take at most.
_ONE_BY_ONE: Final = 400
# SQLite joins at most 500 selects in one; each owner of accounts is one.
_OWNERS: Final = 200

_KNOWN: Final = (
    sa.select(_RATINGS.c.ticket_id, _RATINGS.c.segment, sa.func.count().filter(_RATINGS.c.is_live))
    .where(_RATINGS.c.ticket_id.in_(sa.bindparam("tickets", expanding=True)))
    .group_by(_RATINGS.c.ticket_id, _RATINGS.c.segment)
)


class EvaluatorsDisagree(RuntimeError):
    """The explaining and the vectorised evaluator came to different amounts: a defect, never a refusal."""


@dataclass(frozen=True, slots=True)
class Work:
    """One finished segment, with the region whose costs it is."""

    facts: Facts
    region_id: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """`settled` segments were posted, `known` stood in the books with these very facts or were taken back."""

    settled: int
    known: int


@dataclass(frozen=True, slots=True)
class _Rated:
    work: Work
    frozen: tuple[dict[str, Any], str]
    sides: tuple[RatedSide, ...]

    @property
    def rows(self) -> int:
        """How many ids it takes at most: of a line, three parties may have a share each."""
        return 1 + sum(3 + 6 * len(side.rating.lines) for side in self.sides)


@dataclass(slots=True)
class _Rules:
    """The rules of each day, asked for once a run."""

    org_id: int
    known: dict[tuple[date, str | None], dict[Purpose, VersionInForce]] = field(default_factory=dict)

    def of(self, conn: Connection, facts: Facts) -> dict[Purpose, VersionInForce]:
        key = (facts.service_on, facts.pinned_rules)
        if key not in self.known:
            self.known[key] = sides.versions_on(conn, org_id=self.org_id, day=key[0], pinned_rules=key[1])
        return self.known[key]


def settle_population(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    work: Iterable[Work],
    chunk: int = CHUNK,
    progress: Callable[[int], None] = lambda done: None,
) -> Written:
    """Settle finished work in bulk; what is in the books with other facts is settled anew, one by one.

    What was taken back or refunded stays so. `work` names a segment at most once. Refusals (NoRulesInForce,
    WrongCurrency) end the run before the chunk they are in; the chunks before it stand. `progress` hears
    after every chunk how much is done, and may raise to stop there.
    """
    policy.require_everywhere(actor, "settlement.correct")
    rules = _Rules(actor.org_id)
    settled = known = 0
    for listed in _chunks(work, chunk):
        fresh, same = _settle_chunk(actor, at, command_id, listed, rules)
        settled, known = settled + fresh, known + same
        progress(settled + known)
    return Written(settled, known)


def _chunks(work: Iterable[Work], size: int) -> Iterator[list[Work]]:
    coming = iter(work)
    while listed := list(islice(coming, size)):
        yield listed


@retried
def _settle_chunk(
    actor: Actor, at: datetime, command_id: str, listed: Sequence[Work], rules: _Rules
) -> tuple[int, int]:
    """How many segments were settled, and how many had been. Rated before anything is locked."""
    with reading() as conn:
        before = _known(conn, listed)
        fresh = [each for each in listed if _place(each) not in before]
        rated = [_rated(actor.org_id, each, rules.of(conn, each.facts)) for each in fresh]
    _check(rated)
    wanted = sum(each.rows for each in rated) + _ONE_BY_ONE * (len(listed) - len(fresh))
    with transaction(reserve={"row": wanted}) as conn:
        # Somebody may have settled some of them meanwhile; the unique index would refuse them all the same.
        standing = _known(conn, listed)
        changed = [
            settling.settle(
                conn,
                at=at,
                actor=actor,
                facts=each.facts,
                region_id=each.region_id,
                command_id=_command_id(command_id, each),
            ).is_new
            for each in listed
            if standing.get(_place(each))
        ]
        new = [each for each in rated if _place(each.work) not in standing]
        _write(conn, actor, at, command_id, new)
    settled = len(new) + changed.count(True)
    return settled, len(listed) - settled


def _place(work: Work) -> tuple[int, str]:
    return work.facts.ticket_id, work.facts.segment


def _command_id(command_id: str, work: Work) -> str:
    return command_id_of(command_id, work.facts.ticket_id, work.facts.segment)


def _known(conn: Connection, listed: Sequence[Work]) -> dict[tuple[int, str], int]:
    """The segments that were ever rated, each with how many of its ratings are live."""
    tickets = [each.facts.ticket_id for each in listed]
    return {(row[0], row[1]): row[2] for row in conn.execute(_KNOWN, {"tickets": tickets})}


def _rated(org_id: int, work: Work, versions: dict[Purpose, VersionInForce]) -> _Rated:
    frozen = work.facts.to_json()
    return _Rated(
        work,
        (frozen, content_hash(frozen)),
        sides.rate_sides(org_id=org_id, facts=work.facts, versions=versions),
    )


def _check(rated: Sequence[_Rated]) -> None:
    """Hold the explaining evaluator to the vectorised one before anything is written."""
    groups: dict[tuple[Purpose, int], list[tuple[_Rated, RatedSide]]] = {}
    for each in rated:
        for side in each.sides:
            groups.setdefault((side.purpose, side.version.id), []).append((each, side))
    for (purpose, _), group in groups.items():
        population = population_of_frozen([each.frozen[0] for each, _ in group])
        total = rate_population(population, group[0][1].version.rules, SIDE_OF[purpose]).total
        wrong = np.flatnonzero(total != np.array([side.rating.total_minor for _, side in group]))
        if wrong.size:
            raise EvaluatorsDisagree(f"about ticket {group[int(wrong[0])][0].work.facts.no}")


def _write(conn: Connection, actor: Actor, at: datetime, command_id: str, rated: Sequence[_Rated]) -> None:
    if not rated:
        return
    currency = rated[0].sides[0].rating.currency
    accounts = _accounts(conn, actor.org_id, currency, rated)
    snapshots: list[Row] = []
    ratings: list[Row] = []
    lines: list[Row] = []
    drafts: list[JournalDraft] = []
    for each in rated:
        facts = each.work.facts
        rows = settling.frozen_rows(
            at, actor.org_id, facts, each.frozen, [(side, accounts[side.owner]) for side in each.sides]
        )
        snapshots.append(rows.snapshot)
        ratings += rows.ratings
        lines += rows.lines
        drafts += settling.drafts_of(
            at,
            actor,
            facts,
            each.sides,
            rows,
            accounts,
            region_id=each.work.region_id,
            command_id=_command_id(command_id, each.work),
            reason=None,
        )
    insert_rows(conn, _SNAPSHOTS, snapshots)
    insert_rows(conn, _RATINGS, ratings)
    insert_rows(conn, _LINES, lines)
    _post(conn, actor.org_id, currency, rated, drafts)


def _accounts(conn: Connection, org_id: int, currency: str, rated: Sequence[_Rated]) -> dict[AccountKey, int]:
    wanted = dict.fromkeys(
        key for each in rated for side in each.sides for key in sides.keys_of(org_id, each.work.facts, side)
    )
    by_owner: dict[tuple[str, int], list[AccountKey]] = {}
    for key in wanted:
        by_owner.setdefault((key.owner_kind, key.owner_id), []).append(key)
    owners, accounts = list(by_owner), dict[AccountKey, int]()
    for begin in range(0, len(owners), _OWNERS):
        keys = [key for owner in owners[begin : begin + _OWNERS] for key in by_owner[owner]]
        accounts |= ledger.ensure_accounts(conn, org_id=org_id, currency=currency, wanted=keys)
    return accounts


def _post(
    conn: Connection, org_id: int, currency: str, rated: Sequence[_Rated], drafts: Sequence[JournalDraft]
) -> None:
    """The last thing of a chunk, for it holds the books to the end."""
    head = lock_head(conn, org_id)
    for each in rated:
        for side in each.sides:
            if head.currency != side.rating.currency or currency != head.currency:
                raise WrongCurrency(currency=side.rating.currency, books=head.currency)
    rows = ledger.rows_of(head, drafts, _periods(conn, head))
    insert_rows(conn, _JOURNALS, rows.journals)
    insert_rows(conn, _POSTINGS, rows.postings)
    advance_head(conn, org_id, seq=rows.seq, link=rows.link)


def _periods(conn: Connection, head: Head) -> Callable[[JournalDraft], PostingPeriod]:
    """The period of each draft, asked for once a month of work: while the head is held, none changes."""
    zone = ZoneInfo(head.tz)
    found: dict[tuple[int, int], PostingPeriod] = {}

    def period_of(draft: JournalDraft) -> PostingPeriod:
        moment = draft.source.service_at.astimezone(zone)
        month = (moment.year, moment.month)
        if month not in found:
            found[month] = period_for(conn, head, draft.source.service_at)
        return found[month]

    return period_of
