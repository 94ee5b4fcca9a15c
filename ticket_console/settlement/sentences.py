"""A rule beside real tickets: some that it changes, and some that it only just misses.

The choice is pure (`examples`); `recent_facts` reads a bounded number of tickets for it.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.access.policy import ScopePart
from ticket_console.kernel import conditions
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.condition_sentences import sentence
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.settlement import wording
from ticket_console.settlement.facts import FIELDS, Facts
from ticket_console.settlement.kinds import Purpose, Side
from ticket_console.settlement.rating import Rating, rate
from ticket_console.settlement.rules import Rule, RuleSet
from ticket_console.settlement.tables import FactSnapshot
from ticket_console.settlement.tables import Rating as RatingRow
from ticket_console.tickets.tables import Ticket

_RATINGS = table(RatingRow)
_SNAPSHOTS = table(FactSnapshot)
_TICKETS = table(Ticket)

Example = TypeVar("Example")

CHANGED: Final = 3
NEAR: Final = 2
# So many tickets are looked through, the newest first: enough to find examples, quick enough to wait for.
LOOKED_THROUGH: Final = 400
# Of those that the rule reaches, so many are rated twice to find three that differ from each other.
_RATED: Final = 60
_FURTHEST: Final = 2


class Missed(StrEnum):
    """Why a rule makes no line for a ticket it almost reaches."""

    CONDITION = "condition"
    GROUP = "group"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class UnmetPart:
    """A part of the condition that does not hold, in words, and what the ticket says instead."""

    said: LocalText
    fact: LocalText


@dataclass(frozen=True, slots=True)
class ChangedTicket:
    """Totals of a ticket without and with the rule, and the formulas of the lines the rule makes."""

    ticket_id: int
    ticket_no: str
    before_minor: int
    after_minor: int
    formulas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NearMiss:
    ticket_id: int
    ticket_no: str
    why: Missed
    unmet: tuple[UnmetPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Examples:
    """The condition holds for `reached` of `looked_at` tickets.

    `against_live` says what the first totals are: by the rule as it is in force, else without it.
    """

    looked_at: int
    reached: int
    against_live: bool
    changed: tuple[ChangedTicket, ...]
    near: tuple[NearMiss, ...]


def examples(
    rules: RuleSet, code: str, tickets: Sequence[Facts], *, live: RuleSet | None = None, side: Side
) -> Examples:
    """What the rule of that code does to some of these tickets, and which it only just misses.

    Where `live` has the rule in other words, the ticket is compared with those, else with no such rule;
    whatever else the two sets do differently plays no part.
    """
    rule = next(each for each in rules.rules if each.code == code)
    other = _as_live(rules, rule, live)
    changed: list[ChangedTicket] = []
    misses: list[tuple[int, NearMiss]] = []
    reached = rated = 0
    for facts in tickets:
        values = facts.values()
        if rule.holds is not None and not rule.holds(values):
            condition = rule.condition
            unmet = [] if condition is None else _unmet(condition, values, True)
            if 0 < len(unmet) <= _FURTHEST:
                misses.append((len(unmet), _near(facts, Missed.CONDITION, unmet)))
            continue
        reached += 1
        if rated >= _RATED and len(changed) >= CHANGED:
            continue
        rated += 1
        after = rate(facts, rules, side)
        if (became := dict(after.trace).get(code)) != "applied":
            misses.append((1, _near(facts, Missed.GROUP if became == "group" else Missed.NOTHING)))
        before = rate(facts, other or _without(rules, code), side)
        if after.total_minor != before.total_minor or _lines(after, code) != _lines(before, code):
            changed.append(_changed(facts, before, after, code))
    return Examples(
        looked_at=len(tickets),
        reached=reached,
        against_live=other is not None,
        changed=_different(changed),
        near=_closest(misses),
    )


def recent_facts(
    conn: Connection,
    *,
    viewer: Actor,
    purpose: Purpose = Purpose.WORKER_PAY,
    limit: int = LOOKED_THROUGH,
) -> tuple[Facts, ...]:
    """The frozen facts of the tickets settled last that the viewer may read, the newest first."""
    parts = policy.row_scope(viewer, "settlement.view").parts
    policy.require(viewer, "settlement.view")
    query = (
        sa.select(_SNAPSHOTS.c.facts)
        .join(_RATINGS, _RATINGS.c.fact_snapshot_id == _SNAPSHOTS.c.id)
        .join(_TICKETS, _TICKETS.c.id == _RATINGS.c.ticket_id)
        .where(
            _RATINGS.c.org_id == viewer.org_id,
            _RATINGS.c.purpose == purpose,
            _RATINGS.c.is_live,
            sa.or_(*(_within(part) for part in parts)),
        )
        .order_by(_RATINGS.c.service_on.desc(), _RATINGS.c.id.desc())
        .limit(limit)
    )
    return tuple(Facts.from_json(frozen) for frozen in conn.execute(query).scalars())


def _within(part: ScopePart) -> sa.ColumnElement[bool]:
    if part.own:
        return sa.false()
    found: list[sa.ColumnElement[bool]] = [sa.true()]
    if part.region_ids is not None:
        found.append(_TICKETS.c.region_id.in_(part.region_ids))
    if part.ticket_classes is not None:
        found.append(_TICKETS.c.ticket_class.in_(part.ticket_classes))
    return sa.and_(*found)


def _without(rules: RuleSet, code: str) -> RuleSet:
    return replace(rules, rules=tuple(rule for rule in rules.rules if rule.code != code))


def _as_live(rules: RuleSet, rule: Rule, live: RuleSet | None) -> RuleSet | None:
    """The set with this rule, and the card it looks up, as they are in force; None where nothing differs."""
    old = next((each for each in live.rules if each.code == rule.code), None) if live is not None else None
    if old is None or live is None:
        return None
    cards = dict(rules.cards) if old.card is None else {**rules.cards, old.card: live.cards[old.card]}
    if old == rule and cards == rules.cards:
        return None
    kept = [each for each in rules.rules if each.code != rule.code]
    in_order = sorted([*kept, old], key=lambda each: (each.order, each.code))
    return replace(rules, rules=tuple(in_order), cards=cards)


def _lines(rating: Rating, code: str) -> tuple[int, ...]:
    return tuple(line.amount_minor for line in rating.lines if line.rule_code == code)


def _changed(facts: Facts, before: Rating, after: Rating, code: str) -> ChangedTicket:
    return ChangedTicket(
        ticket_id=facts.ticket_id,
        ticket_no=facts.no,
        before_minor=before.total_minor,
        after_minor=after.total_minor,
        formulas=tuple(line.formula for line in after.lines if line.rule_code == code),
    )


def _different(changed: Sequence[ChangedTicket]) -> tuple[ChangedTicket, ...]:
    """Three, each with figures of its own where there are enough of those."""
    return _varied(changed, lambda each: (each.before_minor, each.after_minor))[:CHANGED]


def _closest(misses: Sequence[tuple[int, NearMiss]]) -> tuple[NearMiss, ...]:
    """Two that miss by least, for different reasons where there are such."""
    ranked = [miss for _, miss in sorted(misses, key=lambda each: each[0])]
    return _varied(
        ranked, lambda miss: (miss.why, tuple((part.said["en"], part.fact["en"]) for part in miss.unmet))
    )[:NEAR]


def _varied(found: Sequence[Example], kind: Callable[[Example], Hashable]) -> tuple[Example, ...]:
    """The first of each kind, then the others."""
    first: dict[Hashable, Example] = {}
    rest = [each for each in found if first.setdefault(kind(each), each) is not each]
    return (*first.values(), *rest)


def _near(facts: Facts, why: Missed, unmet: Sequence[Mapping[str, Any]] = ()) -> NearMiss:
    values = facts.values()
    return NearMiss(
        facts.ticket_id,
        facts.no,
        why,
        tuple(
            UnmetPart(
                said={locale: sentence(part, FIELDS, locale) for locale in LOCALES},
                fact=wording.fact_value(str(part["field"]), values.get(str(part["field"]))),
            )
            for part in unmet
        ),
    )


def _unmet(tree: Mapping[str, Any], values: Mapping[str, object], wanted: bool) -> list[Mapping[str, Any]]:
    """The fewest single parts that would have to turn out otherwise for a tree to come out as wanted."""
    if "rules" not in tree:
        return [] if conditions.compile_condition(tree)(values) is wanted else [tree]
    inner = wanted is not (tree.get("not") is True)
    parts = [_unmet(part, values, inner) for part in tree["rules"]]
    if (tree["combinator"] == "and") is inner:
        return [leaf for part in parts for leaf in part]
    return min(parts, key=len)
