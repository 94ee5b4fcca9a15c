"""Rules by which the console opens the standby pool or switches strategy itself, and keeping them.

`evaluate` may run as often as one likes, in several processes at once: whoever comes second finds the rule
as the first left it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.dispatch import policies, strategies
from ticket_console.dispatch.rules import STANDARD, overlaid
from ticket_console.dispatch.surge import BadSurge, Bounds, bound_problems, decide, peak_bounds
from ticket_console.dispatch.tables import DispatchDecision, StrategyKind, SurgeRule
from ticket_console.kernel.actor import Actor, system_actor
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, NotFound
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.priority import COMPLAINT
from ticket_console.tickets.tables import OFFERED, OwnerKind, Ticket, TokenRow

_rules = table(SurgeRule)
_tickets = table(Ticket)
_tokens = table(TokenRow)
_decisions = table(DispatchDecision)

# What is usual is read from the same length of time in these last days.
USUAL_DAYS: Final = 28
AUTOMATIC: Final = (StrategyKind.BACKLOG, StrategyKind.COMPLAINTS)


class RuleNotFound(NotFound):
    code = "surge.rule_not_found"


class RuleMoved(Conflict):
    """Somebody changed the rule, or it began or ended, since it was read."""

    code = "surge.rule_moved"


class RuleExists(Conflict):
    """A region has one rule of a kind."""

    code = "surge.rule_exists"


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule as it stands; `is_open` is what it decided last."""

    id: int
    region_id: int | None
    kind: StrategyKind
    opens_at: int
    closes_at: int
    window_minutes: int
    factor_percent: int
    lasts_minutes: int
    overlay: Mapping[str, Any]
    is_active: bool
    is_open: bool
    strategy_id: int | None
    version: int


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How many strategies were begun, prolonged and ended by their rules."""

    opened: int = 0
    prolonged: int = 0
    closed: int = 0


def rules(connection: Connection, viewer: Actor) -> tuple[RuleView, ...]:
    """All rules of the organisation, the widest first."""
    if not policy.allows(viewer, "dispatch.manage"):
        policy.require(viewer, "ticket.assign")
    return _read(connection, viewer.org_id)


@retried
def keep(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    region_id: int | None,
    kind: StrategyKind,
    opens_at: int,
    closes_at: int,
    overlay: Mapping[str, Any] = strategies.STANDBY,
    window_minutes: int = 60,
    factor_percent: int = 300,
    lasts_minutes: int = 60,
    is_active: bool = True,
    rule_id: int | None = None,
    version: int | None = None,
) -> int:
    """Keep a new rule, or with `rule_id` another state of one. A rule that is switched off ends its strategy.

    Raises BadSurge naming every field nobody could go by, and BadTerms for the overlay.
    """
    strategies.require_region(actor, region_id)
    problems = bound_problems(
        opens_at, closes_at, window_minutes=window_minutes, factor_percent=factor_percent, lasts=lasts_minutes
    )
    if kind not in AUTOMATIC:
        problems = (*problems, FieldProblem("kind", "surge.problem.kind"))
    if problems:
        raise BadSurge(problems)
    overlaid(STANDARD, overlay, strategy_id=0)
    columns: dict[str, Any] = {
        "region_id": region_id,
        "kind": kind,
        "opens_at": int(opens_at),
        "closes_at": int(closes_at),
        "window_minutes": int(window_minutes),
        "factor_percent": int(factor_percent),
        "lasts_minutes": int(lasts_minutes),
        "overlay": dict(overlay),
        "is_active": is_active,
    }
    with transaction() as connection:
        strategies.refuse_foreign_region(connection, actor, region_id)
        _refuse_second(connection, actor.org_id, kind, region_id, rule_id)
        if rule_id is None:
            rule_id = int(
                connection.execute(
                    sa.insert(_rules)
                    .values(org_id=actor.org_id, is_open=False, version=1, **columns)
                    .returning(_rules.c.id)
                ).scalar_one()
            )
        else:
            rule = _held(connection, actor, rule_id, version)
            _change(connection, rule_id, **columns)
            # What it says now is decided anew in its next turn.
            if rule.is_open and (
                not is_active or (rule.region_id, rule.kind, rule.overlay) != (region_id, kind, overlay)
            ):
                _close(connection, rule, actor=actor, at=at, command_id=command_id)
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="surge_rule.kept",
            subject=f"surge_rule:{rule_id}",
            payload={**columns, "kind": kind.value},
            command_id=command_id,
        )
        return rule_id


def evaluate(org_id: int, *, at: datetime) -> Evaluated:
    """Let every rule of an organisation decide by what is there now, and do what follows."""
    with reading() as connection:
        watched = [rule for rule in _read(connection, org_id) if rule.is_active]
        if not watched:
            return Evaluated()
        values = _values(connection, org_id, watched, at)
    counts = {"opened": 0, "prolonged": 0, "closed": 0}
    for rule in watched:
        value, bounds = values[rule.id]
        wanted = decide(rule.is_open, value, bounds.opens_at, bounds.closes_at)
        if rule.is_open or wanted:
            what = _apply(rule, wanted, value, bounds, org_id=org_id, at=at)
            if what is not None:
                counts[what] += 1
    return Evaluated(**counts)


def backlog(connection: Connection, org_id: int) -> Mapping[int | None, int]:
    """How many tasks of technicians have nobody, by the region of their ticket itself."""
    was_looked_for = sa.exists().where(_decisions.c.token_id == _tokens.c.id)
    rows = connection.execute(
        sa.select(_tickets.c.region_id, sa.func.count().label("tasks"))
        .select_from(_tokens)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .where(
            _tokens.c.org_id == org_id,
            _tokens.c.state == TokenState.ACTIVE,
            _tokens.c.owner_kind.in_([OwnerKind.QUEUE, OwnerKind.TECHNICIAN]),
            _tokens.c.owner_id.is_(None),
            sa.func.coalesce(_tokens.c.queue_role, "") != OFFERED,
            was_looked_for,
        )
        .group_by(_tickets.c.region_id)
    )
    return {row.region_id: int(row.tasks) for row in rows}


def complaints(
    connection: Connection, org_id: int, *, since: datetime, until: datetime
) -> Mapping[int | None, int]:
    """How many complaints were opened at the moments [since, until), by region."""
    rows = connection.execute(
        sa.select(_tickets.c.region_id, sa.func.count().label("opened"))
        .where(
            _tickets.c.org_id == org_id,
            _tickets.c.opened_at >= since,
            _tickets.c.opened_at < until,
            _tickets.c.ticket_class == COMPLAINT,
        )
        .group_by(_tickets.c.region_id)
    )
    return {row.region_id: int(row.opened) for row in rows}


def _values(
    connection: Connection, org_id: int, watched: Iterable[RuleView], at: datetime
) -> dict[int, tuple[float, Bounds]]:
    """What each rule watches, and its bounds: one query for all backlogs, one per length of window."""
    found: dict[int, tuple[float, Bounds]] = {}
    by_window: dict[int, list[RuleView]] = defaultdict(list)
    standing: Mapping[int | None, int] | None = None
    for rule in watched:
        if rule.kind is StrategyKind.COMPLAINTS:
            by_window[rule.window_minutes].append(rule)
            continue
        standing = backlog(connection, org_id) if standing is None else standing
        found[rule.id] = (
            _within(connection, org_id, rule.region_id, standing),
            Bounds(rule.opens_at, rule.closes_at),
        )
    for minutes, of_window in by_window.items():
        window = timedelta(minutes=minutes)
        recent = complaints(connection, org_id, since=at - window, until=at)
        values = {each.id: _within(connection, org_id, each.region_id, recent) for each in of_window}
        # Weeks are only read where there may be a peak, or one is to be over.
        concerned = [each for each in of_window if each.is_open or values[each.id] > each.opens_at]
        before = (
            complaints(connection, org_id, since=at - timedelta(days=USUAL_DAYS), until=at - window)
            if concerned
            else {}
        )
        windows = (timedelta(days=USUAL_DAYS) - window) / window
        for each in of_window:
            usual = _within(connection, org_id, each.region_id, before) / windows
            bounds = peak_bounds(
                usual,
                least_open=each.opens_at,
                least_close=each.closes_at,
                factor_percent=each.factor_percent,
            )
            found[each.id] = (values[each.id], bounds)
    return found


def _within(
    connection: Connection, org_id: int, region_id: int | None, counts: Mapping[int | None, int]
) -> int:
    """A region stands for itself and all below it, none for everything."""
    if region_id is None:
        return sum(counts.values())
    return sum(counts.get(each, 0) for each in policies.regions_below(connection, org_id, region_id))


@retried
def _apply(
    seen: RuleView, wanted: bool, value: float, bounds: Bounds, *, org_id: int, at: datetime
) -> str | None:
    """Do what a rule decided, unless somebody changed it since it was read: then the next turn decides."""
    actor = system_actor(org_id)
    command_id = f"surge:{seen.id}:{seen.version}"
    with transaction() as connection:
        rule = _held_by_system(connection, seen)
        if rule is None:
            return None
        if not wanted:
            _close(connection, rule, actor=actor, at=at, command_id=command_id)
            return "closed"
        last = None if rule.strategy_id is None else strategies.find(connection, rule.strategy_id)
        lasts = timedelta(minutes=rule.lasts_minutes)
        if rule.is_open and last is not None:
            if last.ended_at is not None or last.ends_at - at > lasts / 2:
                # A person ended it, and it stays ended until its reason is gone; or it has time left.
                return None
            if last.is_active(at):
                ends_at = at + lasts
                strategies.prolong(
                    connection,
                    actor=actor,
                    at=at,
                    command_id=f"{command_id}:{int(at.timestamp())}",
                    strategy_id=last.id,
                    ends_at=ends_at,
                )
                _change(connection, rule.id)
                return "prolonged"
        strategy_id = strategies.begin(
            connection,
            actor=actor,
            at=at,
            command_id=command_id,
            region_id=rule.region_id,
            ticket_class=None,
            overlay=rule.overlay,
            ends_at=at + lasts,
            reason="",
            kind=rule.kind,
            facts={"value": value, "opens_at": bounds.opens_at, "closes_at": bounds.closes_at},
        )
        _change(connection, rule.id, is_open=True, strategy_id=strategy_id)
        return "opened"


def _close(connection: Connection, rule: RuleView, *, actor: Actor, at: datetime, command_id: str) -> None:
    last = None if rule.strategy_id is None else strategies.find(connection, rule.strategy_id)
    if last is not None and last.is_active(at):
        strategies.finish(connection, actor=actor, at=at, command_id=command_id, strategy_id=last.id)
    _change(connection, rule.id, is_open=False)


_WHOLE: Final = sa.select(
    _rules.c.id,
    _rules.c.region_id,
    _rules.c.kind,
    _rules.c.opens_at,
    _rules.c.closes_at,
    _rules.c.window_minutes,
    _rules.c.factor_percent,
    _rules.c.lasts_minutes,
    _rules.c.overlay,
    _rules.c.is_active,
    _rules.c.is_open,
    _rules.c.strategy_id,
    _rules.c.version,
)


def _read(connection: Connection, org_id: int) -> tuple[RuleView, ...]:
    rows = connection.execute(
        _WHOLE.where(_rules.c.org_id == org_id).order_by(_rules.c.region_id.is_not(None), _rules.c.id)
    )
    return tuple(RuleView(*tuple(row)) for row in rows)


def _held(connection: Connection, actor: Actor, rule_id: int, version: int | None) -> RuleView:
    row = connection.execute(
        _WHOLE.where(_rules.c.org_id == actor.org_id, _rules.c.id == rule_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise RuleNotFound()
    rule = RuleView(*tuple(row))
    strategies.require_region(actor, rule.region_id)
    if rule.version != version:
        raise RuleMoved()
    return rule


def _held_by_system(connection: Connection, seen: RuleView) -> RuleView | None:
    row = connection.execute(_WHOLE.where(_rules.c.id == seen.id).with_for_update()).one_or_none()
    return seen if row is not None and row.version == seen.version else None


def _change(connection: Connection, rule_id: int, **columns: Any) -> None:
    connection.execute(
        sa.update(_rules).where(_rules.c.id == rule_id).values(version=_rules.c.version + 1, **columns)
    )


def _refuse_second(
    connection: Connection, org_id: int, kind: StrategyKind, region_id: int | None, rule_id: int | None
) -> None:
    taken = connection.execute(
        sa.select(_rules.c.id).where(
            _rules.c.org_id == org_id,
            _rules.c.kind == kind,
            _rules.c.region_id.is_not_distinct_from(region_id),
        )
    ).scalar()
    if taken is not None and taken != rule_id:
        raise RuleExists()
