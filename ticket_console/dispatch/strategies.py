"""Temporary changes of dispatch: begun, prolonged and ended by people or by a rule; each expires by itself.

What holds of them is laid over the policies by `policies.policy_for`; nothing has to run for one to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, places, policy
from ticket_console.dispatch.rules import STANDARD, overlaid
from ticket_console.dispatch.surge import LONGEST_MINUTES, BadSurge, is_whole
from ticket_console.dispatch.tables import DispatchStrategy, StrategyKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, NotFound

_strategies = table(DispatchStrategy)

# The pool of partners that are held in reserve is open while this is laid over a policy.
STANDBY: Final[Mapping[str, Any]] = {"filters": {"standby": True}}
MOST_LISTED: Final = 50
_REASON_LENGTH: Final = 200


class StrategyNotFound(NotFound):
    code = "surge.strategy_not_found"


class StrategyOver(Conflict):
    """The strategy has expired, or was ended; a new one may be begun."""

    code = "surge.strategy_over"


class StrategyMoved(Conflict):
    """Somebody prolonged or ended the strategy since it was read."""

    code = "surge.strategy_moved"


@dataclass(frozen=True, slots=True)
class StrategyView:
    """One line of the log. `ended_at` is None where it ran, or runs, until it expired by itself."""

    id: int
    region_id: int | None
    ticket_class: str | None
    overlay: Mapping[str, Any]
    kind: StrategyKind
    facts: Mapping[str, Any]
    reason: str
    by: str
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str
    version: int

    @property
    def opens_standby(self) -> bool:
        return bool(self.overlay.get("filters", {}).get("standby"))

    def is_active(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


def active(connection: Connection, viewer: Actor, *, at: datetime) -> tuple[StrategyView, ...]:
    """What is changed at present where the viewer gives out or follows work, the latest first."""
    policy.require(viewer, "board.view")
    return _views(
        connection, viewer, _strategies.c.starts_at <= at, _strategies.c.ends_at > at, most=MOST_LISTED
    )


def log(connection: Connection, viewer: Actor, *, most: int = MOST_LISTED) -> tuple[StrategyView, ...]:
    """What was changed when, by whom and why, the latest first."""
    policy.require(viewer, "board.view")
    return _views(connection, viewer, most=most)


@retried
def start(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    region_id: int | None,
    overlay: Mapping[str, Any],
    ends_at: datetime,
    reason: str,
    ticket_class: str | None = None,
) -> int:
    """Change dispatch in a region, or everywhere, until an instant; the number of the strategy.

    Raises BadSurge for a time that is over or too long and a missing reason, and BadTerms for an overlay
    nobody could dispatch by. Safe to repeat.
    """
    require_region(actor, region_id)
    _refuse(at, ends_at, reason)
    with transaction() as connection:
        refuse_foreign_region(connection, actor, region_id)
        known = connection.execute(
            sa.select(_strategies.c.id).where(_strategies.c.command_id == command_id)
        ).scalar()
        if known is not None:
            return int(known)
        return begin(
            connection,
            actor=actor,
            at=at,
            command_id=command_id,
            region_id=region_id,
            ticket_class=ticket_class,
            overlay=overlay,
            ends_at=ends_at,
            reason=reason.strip(),
            kind=StrategyKind.PERSON,
            facts={},
        )


@retried
def extend(
    *, actor: Actor, at: datetime, command_id: str, strategy_id: int, version: int, ends_at: datetime
) -> None:
    """Let a strategy that holds go on until another instant."""
    with transaction() as connection:
        row = _held(connection, actor, strategy_id, version, at)
        _refuse(at, ends_at, row.reason or "-")
        prolong(
            connection, actor=actor, at=at, command_id=command_id, strategy_id=strategy_id, ends_at=ends_at
        )


@retried
def end(*, actor: Actor, at: datetime, command_id: str, strategy_id: int, version: int) -> None:
    """End a strategy before its time. A rule that began it waits until its reason is gone before the next."""
    with transaction() as connection:
        _held(connection, actor, strategy_id, version, at)
        finish(connection, actor=actor, at=at, command_id=command_id, strategy_id=strategy_id)


def begin(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    region_id: int | None,
    ticket_class: str | None,
    overlay: Mapping[str, Any],
    ends_at: datetime,
    reason: str,
    kind: StrategyKind,
    facts: Mapping[str, Any],
) -> int:
    """Within somebody else's transaction; raises BadTerms for an overlay nobody could dispatch by."""
    overlaid(STANDARD, overlay, strategy_id=0)
    strategy_id = connection.execute(
        sa.insert(_strategies)
        .values(
            org_id=actor.org_id,
            region_id=region_id,
            ticket_class=ticket_class,
            overlay=dict(overlay),
            reason=reason,
            starts_at=at,
            ends_at=ends_at,
            kind=kind,
            facts=dict(facts),
            by=actor.display[:80],
            ended_by="",
            command_id=command_id,
            version=1,
        )
        .returning(_strategies.c.id)
    ).scalar_one()
    payload = {"region_id": region_id, "kind": kind.value, "ends_at": ends_at.isoformat(), "reason": reason}
    _record(connection, actor, at, "dispatch_strategy.started", strategy_id, {**payload, **facts}, command_id)
    return int(strategy_id)


def prolong(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    strategy_id: int,
    ends_at: datetime,
) -> None:
    _change(connection, strategy_id, ends_at=ends_at)
    _record(
        connection,
        actor,
        at,
        "dispatch_strategy.extended",
        strategy_id,
        {"ends_at": ends_at.isoformat()},
        command_id,
    )


def finish(connection: Connection, *, actor: Actor, at: datetime, command_id: str, strategy_id: int) -> None:
    _change(connection, strategy_id, ends_at=at, ended_at=at, ended_by=actor.display[:80])
    _record(connection, actor, at, "dispatch_strategy.ended", strategy_id, {}, command_id)


def find(connection: Connection, strategy_id: int) -> StrategyView | None:
    row = connection.execute(_WHOLE.where(_strategies.c.id == strategy_id)).one_or_none()
    return None if row is None else StrategyView(*tuple(row))


def require_region(actor: Actor, region_id: int | None) -> None:
    """Refuse who may not change how this region, or without one the whole organisation, is dispatched."""
    if region_id is None:
        policy.require_everywhere(actor, "dispatch.manage")
    else:
        policy.require(actor, "dispatch.manage", region_id=region_id)


_WHOLE: Final = sa.select(
    _strategies.c.id,
    _strategies.c.region_id,
    _strategies.c.ticket_class,
    _strategies.c.overlay,
    _strategies.c.kind,
    _strategies.c.facts,
    _strategies.c.reason,
    _strategies.c.by,
    _strategies.c.starts_at,
    _strategies.c.ends_at,
    _strategies.c.ended_at,
    _strategies.c.ended_by,
    _strategies.c.version,
)


def _views(
    connection: Connection, viewer: Actor, *conditions: sa.ColumnElement[bool], most: int
) -> tuple[StrategyView, ...]:
    scope = policy.row_scope(viewer, "board.view")
    within: sa.ColumnElement[bool] = sa.true()
    if not scope.everything:
        # Whoever serves a region is also concerned by what holds for all of them.
        within = sa.or_(
            _strategies.c.region_id.is_(None), _strategies.c.region_id.in_(sorted(scope.region_ids))
        )
    rows = connection.execute(
        _WHOLE.where(_strategies.c.org_id == viewer.org_id, within, *conditions)
        .order_by(_strategies.c.starts_at.desc(), _strategies.c.id.desc())
        .limit(most)
    )
    return tuple(StrategyView(*tuple(row)) for row in rows)


def _held(connection: Connection, actor: Actor, strategy_id: int, version: int, at: datetime) -> StrategyView:
    """The strategy for a change, kept from everybody else until the transaction ends."""
    row = connection.execute(
        _WHOLE.where(_strategies.c.org_id == actor.org_id, _strategies.c.id == strategy_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise StrategyNotFound()
    found = StrategyView(*tuple(row))
    require_region(actor, found.region_id)
    if found.version != version:
        raise StrategyMoved()
    if not found.is_active(at):
        raise StrategyOver()
    return found


def _change(connection: Connection, strategy_id: int, **columns: Any) -> None:
    connection.execute(
        sa.update(_strategies)
        .where(_strategies.c.id == strategy_id)
        .values(version=_strategies.c.version + 1, **columns)
    )


def _refuse(at: datetime, ends_at: datetime, reason: str) -> None:
    problems = []
    minutes = (ends_at - at) / timedelta(minutes=1)
    if ends_at <= at:
        problems.append(FieldProblem("ends_at", "surge.problem.past"))
    elif minutes > LONGEST_MINUTES:
        problems.append(FieldProblem("ends_at", "surge.problem.too_long", {"hours": LONGEST_MINUTES // 60}))
    if not 0 < len(reason.strip()) <= _REASON_LENGTH:
        problems.append(FieldProblem("reason", "surge.problem.reason", {"most": _REASON_LENGTH}))
    if problems:
        raise BadSurge(tuple(problems))


def ending_in(minutes: object, *, at: datetime) -> datetime:
    """The instant so many minutes from now; raises BadSurge for what is no whole number of them."""
    if not is_whole(minutes, 5, LONGEST_MINUTES):
        problem = FieldProblem("minutes", "surge.problem.number", {"least": 5, "most": LONGEST_MINUTES})
        raise BadSurge((problem,))
    assert isinstance(minutes, int | float)
    return at + timedelta(minutes=int(minutes))


def refuse_foreign_region(connection: Connection, actor: Actor, region_id: int | None) -> None:
    if region_id is not None and region_id not in {
        each.id for each in places.regions(connection, actor.org_id)
    }:
        raise BadSurge((FieldProblem("region_id", "surge.problem.region"),))


def _record(
    connection: Connection,
    actor: Actor,
    at: datetime,
    what: str,
    strategy_id: int,
    payload: Mapping[str, Any],
    command_id: str,
) -> None:
    audit.record(
        connection,
        at=at,
        actor=actor,
        action=what,
        subject=f"dispatch_strategy:{strategy_id}",
        payload=payload,
        command_id=command_id,
    )
