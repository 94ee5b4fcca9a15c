"""The grid of three service classes by three urgencies: what each pays, and which rules make it so. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ticket_console.kernel import conditions
from ticket_console.settlement.facts import Facts, ServiceClass, Urgency
from ticket_console.settlement.kinds import Side
from ticket_console.settlement.rating import Line, rate
from ticket_console.settlement.rules import Rule, RuleSet

_AXES: Final = frozenset({"service_class", "urgency"})


@dataclass(frozen=True, slots=True)
class TierCell:
    """What a reference ticket of a class and an urgency is paid, line by line.

    `special` are the codes of the rules that ask for class or urgency and may hold here; those that made no
    line for the reference ticket ask for something more.
    """

    service_class: ServiceClass
    urgency: Urgency
    total_minor: int
    lines: tuple[Line, ...]
    special: tuple[str, ...]


def tier_grid(rules: RuleSet, reference: Facts, side: Side = Side.WORKER) -> tuple[TierCell, ...]:
    """The nine cells, class by class, each the very rating of the reference ticket moved into it."""
    return tuple(
        _cell(rules, replace(reference, service_class=service_class, urgency=urgency), side)
        for service_class in ServiceClass
        for urgency in Urgency
    )


def _cell(rules: RuleSet, facts: Facts, side: Side) -> TierCell:
    rating = rate(facts, rules, side)
    known = {"service_class": facts.service_class.value, "urgency": facts.urgency.value}
    return TierCell(
        service_class=facts.service_class,
        urgency=facts.urgency,
        total_minor=rating.total_minor,
        lines=rating.lines,
        special=tuple(
            rule.code
            for rule in rules.of_side(side)
            if rule.asks & _AXES and may_hold(rule, known) is not False
        ),
    )


def may_hold(rule: Rule, known: Mapping[str, object]) -> bool | None:
    """Whether a rule's condition holds when only some facts are known: None where the others decide."""
    return True if rule.condition is None else _may_hold(rule.condition, known)


def _may_hold(tree: Mapping[str, Any], known: Mapping[str, object]) -> bool | None:
    if "rules" not in tree:
        return conditions.compile_condition(tree)(known) if tree["field"] in known else None
    parts = [_may_hold(part, known) for part in tree["rules"]]
    decides = tree["combinator"] == "or"
    if any(part is decides for part in parts):
        held: bool | None = decides
    else:
        held = None if None in parts else not decides
    return held if held is None else held is not (tree.get("not") is True)
