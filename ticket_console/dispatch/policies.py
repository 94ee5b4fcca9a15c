"""Which policy holds for a task: the published version for its business line and region, with what was
changed for a while laid over it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ticket_console.access import places
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rules import (
    STANDARD,
    DispatchPolicy,
    Mode,
    OfferTerms,
    overlaid,
    read_terms,
)
from ticket_console.dispatch.tables import DispatchPolicyRow, DispatchPolicyVersion, DispatchStrategy
from ticket_console.kernel.database import table

__all__ = [
    "STANDARD",
    "DispatchPolicy",
    "Mode",
    "OfferTerms",
    "forget",
    "policies_as_if",
    "policies_now",
    "policy_at",
    "policy_for",
]

_policies = table(DispatchPolicyRow)
_versions = table(DispatchPolicyVersion)
_strategies = table(DispatchStrategy)


@dataclass(frozen=True, slots=True)
class _Strategy:
    id: int
    region_id: int | None
    ticket_class: str | None
    overlay: Mapping[str, Any]
    starts_at: datetime
    ends_at: datetime


@dataclass(slots=True)
class _Book:
    """All that is in force for an organisation; `found` remembers what was put together from it."""

    stamp: tuple[int, ...]
    policies: Mapping[tuple[str | None, int | None], DispatchPolicy]
    strategies: tuple[_Strategy, ...]
    above: Mapping[int, tuple[int, ...]]
    found: dict[tuple[str, int | None, tuple[int, ...]], DispatchPolicy]


_PUBLISHED: Final = (
    sa.select(
        sa.func.count().label("rows"),
        sa.func.coalesce(sa.func.sum(_policies.c.version), 0).label("versions"),
    )
    .where(_policies.c.org_id == sa.bindparam("org_id"))
    .subquery("published")
)
_CHANGED: Final = (
    sa.select(
        sa.func.count().label("changes"),
        sa.func.coalesce(sa.func.sum(_strategies.c.version), 0).label("change_versions"),
        sa.func.coalesce(sa.func.max(_strategies.c.id), 0).label("last"),
    )
    .where(_strategies.c.org_id == sa.bindparam("org_id"))
    .subquery("changed")
)
_STAMP: Final = sa.select(_PUBLISHED, _CHANGED).select_from(_PUBLISHED.join(_CHANGED, sa.true()))

_books: WeakKeyDictionary[Engine, dict[int, _Book]] = WeakKeyDictionary()


def policy_for(connection: Connection, need: Need, at: datetime) -> DispatchPolicy:
    """The policy a task is dispatched by at that moment."""
    return policy_at(connection, need.org_id, need.ticket_class, need.region_id, at)


def policy_at(
    connection: Connection, org_id: int, ticket_class: str, region_id: int | None, at: datetime
) -> DispatchPolicy:
    """The policy of a business line in a region.

    The business line counts before the region, and the nearer region before the one above it: a policy for
    repairs everywhere wins over one for everything in the North. Where there is none, the built-in holds.
    """
    return _policy_at(_book_of(connection, org_id), ticket_class, region_id, at)


def policies_as_if(
    connection: Connection,
    org_id: int,
    *,
    ticket_class: str | None,
    region_id: int | None,
    terms: DispatchPolicy,
    at: datetime,
) -> Callable[[Need], DispatchPolicy]:
    """What would hold for each task if these terms were in force for a business line and region."""
    book = _book_of(connection, org_id)
    supposed = replace(book, policies={**book.policies, (ticket_class, region_id): terms}, found={})
    return lambda need: _policy_at(supposed, need.ticket_class, need.region_id, at)


def policies_now(connection: Connection, org_id: int, *, at: datetime) -> Callable[[Need], DispatchPolicy]:
    """What holds for each task, for who asks about many."""
    book = _book_of(connection, org_id)
    return lambda need: _policy_at(book, need.ticket_class, need.region_id, at)


def regions_below(connection: Connection, org_id: int, region_id: int) -> tuple[int, ...]:
    """A region with all below it."""
    above = _above(connection, org_id)
    return tuple(each for each, chain in above.items() if region_id in chain)


def forget() -> None:
    """Drop what is held in memory: regions were re-hung, which no stamp shows."""
    _books.clear()


def _policy_at(book: _Book, ticket_class: str, region_id: int | None, at: datetime) -> DispatchPolicy:
    chain = () if region_id is None else book.above.get(region_id, (region_id,))
    active = tuple(
        each
        for each in book.strategies
        if each.starts_at <= at < each.ends_at
        and each.ticket_class in (None, ticket_class)
        and (each.region_id is None or each.region_id in chain)
    )
    key = (ticket_class, region_id, tuple(each.id for each in active))
    policy = book.found.get(key)
    if policy is None:
        policy = _most_specific(book.policies, ticket_class, chain)
        for each in active:
            policy = overlaid(policy, each.overlay, strategy_id=each.id)
        book.found[key] = policy
    return policy


def _most_specific(
    policies: Mapping[tuple[str | None, int | None], DispatchPolicy],
    ticket_class: str,
    chain: tuple[int, ...],
) -> DispatchPolicy:
    for line in (ticket_class, None):
        for region_id in (*chain, None):
            policy = policies.get((line, region_id))
            if policy is not None:
                return policy
    return STANDARD


def _book_of(connection: Connection, org_id: int) -> _Book:
    stamp = tuple(int(figure) for figure in connection.execute(_STAMP, {"org_id": org_id}).one())
    held = _books.setdefault(connection.engine, {})
    book = held.get(org_id)
    if book is None or book.stamp != stamp:
        book = held[org_id] = _load(connection, org_id, stamp)
    return book


def _load(connection: Connection, org_id: int, stamp: tuple[int, ...]) -> _Book:
    rows = connection.execute(
        sa.select(
            _policies.c.code,
            _policies.c.ticket_class,
            _policies.c.region_id,
            _versions.c.number,
            _versions.c.terms,
        )
        .join(_versions, _versions.c.id == _policies.c.in_force_id)
        .where(_policies.c.org_id == org_id)
    )
    strategies = connection.execute(
        sa.select(
            _strategies.c.id,
            _strategies.c.region_id,
            _strategies.c.ticket_class,
            _strategies.c.overlay,
            _strategies.c.starts_at,
            _strategies.c.ends_at,
        )
        .where(_strategies.c.org_id == org_id)
        .order_by(_strategies.c.starts_at, _strategies.c.id)
    )
    return _Book(
        stamp=stamp,
        policies={
            (row.ticket_class, row.region_id): read_terms(row.terms, code=row.code, version=row.number)
            for row in rows
        },
        strategies=tuple(_Strategy(*row) for row in strategies),
        above=_above(connection, org_id),
        found={},
    )


def _above(connection: Connection, org_id: int) -> dict[int, tuple[int, ...]]:
    """Each region with those above it, the nearest first."""
    parents = {region.id: region.parent_id for region in places.regions(connection, org_id)}
    chains: dict[int, tuple[int, ...]] = {}
    for region_id in parents:
        chain: list[int] = []
        above: int | None = region_id
        # A region met twice closes a ring, which would otherwise have no end.
        while above is not None and above not in chain:
            chain.append(above)
            above = parents.get(above)
        chains[region_id] = tuple(chain)
    return chains
