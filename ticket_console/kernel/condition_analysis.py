"""What can be said of conditions without facts: that one never holds, that two may both hold, that none may.

All questions are the same one: are there facts that make a formula of rules true? A rule sees one field, so
of each field only so many facts need trying as the rules on it can tell apart: every bound, what lies
between and beyond them, every text named, nothing at all. Where that is not the whole truth (text that
contains text) the answer errs on the side of silence: nothing is called contradictory, and no witness
given, unless it is so. The same holds for a condition too large to try out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise, product
from math import ceil, floor
from typing import Any, Final

from ticket_console.kernel.canonical import canonical_json, instant_text
from ticket_console.kernel.conditions import (
    Predicate,
    compile_condition,
    condition_problems,
    operand_list,
    plain_number,
    truth_value,
)

# Enough for every condition a person can read; more would make a page wait.
_MOST_TRIALS: Final = 20_000
_MOST_ANSWERS: Final = 400
_MOST_FREE_RULES: Final = 6
_MOST_RULES: Final = 80

Witness = dict[str, object]


class Domain(StrEnum):
    """What facts a field can have at all."""

    NUMBER = "number"
    WHOLE = "whole"
    TEXT = "text"
    DATE = "date"
    INSTANT = "instant"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Field:
    """`options` are all the values of a choice, or all the members of a list, where they are known."""

    domain: Domain
    options: tuple[str, ...] = ()


Fields = Mapping[str, Field]


def contradiction(tree: object, fields: Fields | None = None) -> bool:
    """Whether the condition holds for no facts at all."""
    formula = _formula([tree])
    if formula is None:
        return False
    return _solved(formula, fields or {}, _every_answer) is _NEVER


def overlap(one: object, other: object, fields: Fields | None = None) -> Witness | None:
    """Facts for which both conditions hold; None where there are none, or none was found."""
    return _witness(_formula([one, other]), fields or {})


def gap(trees: Sequence[object], fields: Fields | None = None) -> Witness | None:
    """Facts for which none of the conditions holds; None where there are none, or none was found."""
    missed = [{"combinator": "and", "not": True, "rules": [tree]} for tree in trees]
    return _witness(_formula(missed), fields or {})


def _witness(formula: "_Formula | None", fields: Fields) -> Witness | None:
    if formula is None:
        return None
    found = _solved(formula, fields, _likely_answers)
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class _Rule:
    field: str
    operator: str
    operands: tuple[object, ...]
    holds: Predicate


@dataclass(frozen=True, slots=True)
class _Group:
    """`parts` are indexes of rules, or groups."""

    is_and: bool
    negated: bool
    parts: tuple["int | _Group", ...]


@dataclass(frozen=True, slots=True)
class _Formula:
    root: _Group
    rules: tuple[_Rule, ...]

    def rules_of(self, field: str) -> list[int]:
        return [index for index, rule in enumerate(self.rules) if rule.field == field]


def _formula(trees: Sequence[object]) -> _Formula | None:
    """All the trees at once; None where one of them is not well-formed."""
    rules: dict[str, tuple[int, _Rule]] = {}

    def part(tree: Mapping[str, Any]) -> int | _Group:
        if "rules" in tree:
            parts = tuple(part(rule) for rule in tree["rules"])
            return _Group(tree["combinator"] == "and", tree.get("not") is True, parts)
        spelling = canonical_json([tree["field"], tree["operator"], tree.get("value")])
        if spelling not in rules:
            rules[spelling] = (len(rules), _rule(tree))
        return rules[spelling][0]

    roots = []
    for tree in trees:
        if not isinstance(tree, Mapping) or condition_problems(tree):
            return None
        roots.append(part(tree))
    return _Formula(_Group(True, False, tuple(roots)), tuple(rule for _, rule in rules.values()))


def _rule(tree: Mapping[str, Any]) -> _Rule:
    operator, value = tree["operator"], tree.get("value")
    operands: tuple[object, ...] = ()
    if operator in ("in", "notIn", "between"):
        operands = tuple(operand_list(value))
    elif operator not in ("null", "notNull"):
        operands = (value,)
    return _Rule(tree["field"], operator, operands, compile_condition(tree))


_NEVER: Final = object()
_UNKNOWN: Final = object()

Vector = tuple[bool, ...]
# What the rules on a field may say together, with a fact for which they do (None also for no fact).
_Answers = Mapping[Vector, object]


def _solved(
    formula: _Formula, fields: Fields, answers_of: Callable[[list[_Rule], Field | None], _Answers | None]
) -> object:
    """Facts for which the formula is true, `_NEVER` or `_UNKNOWN`."""
    if len(formula.rules) > _MOST_RULES:
        return _UNKNOWN
    asked: list[tuple[str, list[int], _Answers]] = []
    for name in sorted({rule.field for rule in formula.rules}):
        indexes = formula.rules_of(name)
        answers = answers_of([formula.rules[index] for index in indexes], fields.get(name))
        if answers is None:
            return _UNKNOWN
        asked.append((name, indexes, answers))
    known: dict[int, bool] = {}
    facts: Witness = {}
    trials = 0

    def search(position: int) -> bool | None:
        nonlocal trials
        said = _truth(formula.root, known)
        if said is not None and (not said or position == len(asked)):
            return said
        name, indexes, answers = asked[position]
        for vector, fact in answers.items():
            trials += 1
            if trials > _MOST_TRIALS:
                return None
            known.update(zip(indexes, vector, strict=True))
            facts[name] = fact
            found = search(position + 1)
            if found is not False:
                return found
        for index in indexes:
            del known[index]
        return False

    found = search(0)
    if found is None:
        return _UNKNOWN
    return facts if found else _NEVER


def _truth(group: _Group, known: Mapping[int, bool]) -> bool | None:
    """Whether the group holds, as far as the rules that are known decide it."""
    undecided = False
    for part in group.parts:
        said = known.get(part) if isinstance(part, int) else _truth(part, known)
        if said is None:
            undecided = True
        elif said is not group.is_and:
            return said is not group.negated
    return None if undecided else group.is_and is not group.negated


def _answers(rules: Sequence[_Rule], candidates: Iterable[object]) -> dict[Vector, object]:
    found: dict[Vector, object] = {}
    for fact in candidates:
        found.setdefault(tuple(rule.holds({rule.field: fact}) for rule in rules), fact)
    return found


def _likely_answers(rules: list[_Rule], field: Field | None) -> _Answers | None:
    """What facts of the field's own sort make of the rules; a fact first, nothing last."""
    operands = _operands(rules)
    found = _answers(rules, [*_likely_facts(rules, operands, field or _guessed(operands)), None])
    return found if len(found) <= _MOST_ANSWERS else None


def _guessed(operands: Sequence[object]) -> Field:
    if operands and all(isinstance(each, bool) for each in operands):
        return Field(Domain.FLAG)
    if operands and all(plain_number(each) is not None for each in operands):
        return Field(Domain.NUMBER)
    return Field(Domain.TEXT)


def _likely_facts(rules: Sequence[_Rule], operands: Sequence[object], field: Field) -> list[object]:
    match field.domain:
        case Domain.NUMBER:
            return _numbers(operands)
        case Domain.WHOLE:
            return _whole_numbers(operands)
        case Domain.FLAG:
            return [True, False]
        case Domain.CHOICE if field.options:
            return [*field.options]
        case Domain.LIST:
            members = [*field.options] if field.options else _texts(operands)
            return _lists(rules, members)
        case Domain.DATE:
            return _dates(operands)
        case Domain.INSTANT:
            return _instants(operands)
    return [*_texts(operands), *_containing(rules), *_numbers_in_text(operands)]


def _every_answer(rules: list[_Rule], field: Field | None) -> _Answers | None:
    """Everything that the rules may say together, and perhaps more; None where that is too much."""
    operands = _operands(rules)
    domain = None if field is None else field.domain
    if field is not None and domain is Domain.CHOICE and field.options:
        return _answers(rules, [*field.options, None])
    if domain is Domain.WHOLE:
        facts = _whole_numbers(operands)
    elif domain is Domain.NUMBER:
        facts = _numbers(operands)
    elif domain is Domain.FLAG:
        facts = [True, False]
    else:
        facts = [*_texts(operands), *_numbers(operands)]
    found = _with_free_rules(rules, _answers(rules, facts))
    if found is None:
        return None
    if domain in (None, Domain.LIST):
        members = [*_texts(operands), *_numbers(operands), True, False]
        lists = _lists(rules, members)
        if len(lists) > _MOST_ANSWERS:
            return None
        found = {**found, **_answers(rules, [*lists, True, False, {}])}
    found = {**found, **_answers(rules, [None])}
    return found if len(found) <= _MOST_ANSWERS else None


def _with_free_rules(rules: Sequence[_Rule], found: Iterable[Vector]) -> dict[Vector, object] | None:
    """Text may contain whatever it likes: those rules are taken to hold or not, as it pleases."""
    free = [index for index, rule in enumerate(rules) if rule.operator == "contains"]
    if len(free) > _MOST_FREE_RULES:
        return None
    loosened: dict[Vector, object] = {}
    for vector in found:
        for choice in product((True, False), repeat=len(free)):
            said = dict(zip(free, choice, strict=True))
            loosened[tuple(said.get(index, fixed) for index, fixed in enumerate(vector))] = None
    return loosened


def _operands(rules: Sequence[_Rule]) -> list[object]:
    return [operand for rule in rules for operand in rule.operands]


def _bounds(operands: Sequence[object]) -> list[Decimal]:
    return sorted({number for each in operands if (number := plain_number(each)) is not None})


def _numbers(operands: Sequence[object]) -> list[object]:
    bounds = _bounds(operands)
    if not bounds:
        return [0]
    between = [(low + high) / 2 for low, high in pairwise(bounds)]
    return [_plain(each) for each in (*bounds, *between, bounds[-1] + 1, bounds[0] - 1)]


def _whole_numbers(operands: Sequence[object]) -> list[object]:
    bounds = _bounds(operands)
    near = [edge(bound) + step for step in (0, 1, -1) for bound in bounds for edge in (floor, ceil)]
    return [*dict.fromkeys(near)] or [0]


def _plain(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number


def _numbers_in_text(operands: Sequence[object]) -> list[object]:
    return [format(Decimal(str(each)), "f") for each in _numbers(operands)] if _bounds(operands) else []


def _texts(operands: Sequence[object]) -> list[object]:
    """Every text named, one after each, one before all, and one that nobody named."""
    named = sorted(
        {each for each in operands if isinstance(each, str) and plain_number(each) is None and each}
    )
    if any(truth_value(each) is not None for each in operands):
        named = sorted({*named, "true", "false"})
    # The next text of all is one with a zero byte more; the others are better to read.
    after = [f"{each}{end}" for end in (" …", "\0") for each in named]
    return [*named, *after, "…", "\0"]


def _containing(rules: Sequence[_Rule]) -> list[object]:
    """Texts that contain what is looked for: each alone, and all that goes together."""
    needles = [str(rule.operands[0]) for rule in rules if rule.operator == "contains"]
    named = [str(each) for each in _operands(rules) if isinstance(each, str)]
    together = [
        " ".join(each for index, each in enumerate(needles) if index != left) for left in range(len(needles))
    ]
    longer = [f"{each} {needle}" for each in named for needle in needles]
    return [each for each in (*needles, " ".join(needles), *together, *longer) if each]


def _lists(rules: Sequence[_Rule], members: Sequence[object]) -> list[object]:
    """One list for every combination of answers that lists of the members can give."""
    single: dict[Vector, object] = {}
    for member in members:
        # What a rule says of a member among others: a second one keeps "is the only one" from holding.
        said = tuple(rule.holds({rule.field: [member, member]}) for rule in rules)
        single.setdefault(said, member)
    reached: dict[Vector, list[object]] = {said: [member, member] for said, member in single.items()}
    for said, member in single.items():
        for other, chosen in list(reached.items()):
            if len(reached) > _MOST_ANSWERS:
                break
            joined = tuple(one or another for one, another in zip(said, other, strict=True))
            reached.setdefault(joined, [*chosen, member])
    # To be read: the same lists without repetitions, where that says the same.
    several = [kept for chosen in reached.values() if len(kept := list(dict.fromkeys(chosen))) > 1]
    return [*([member] for member in members), *several, *reached.values()]


def _dates(operands: Sequence[object]) -> list[object]:
    days = sorted({day for each in operands if (day := _day(each)) is not None}) or [date(2026, 1, 1)]
    numbers = [day.toordinal() + step for step in (0, 1, -1) for day in days]
    return [
        date.fromordinal(number).isoformat()
        for number in numbers
        if date.min.toordinal() <= number <= date.max.toordinal()
    ]


def _day(operand: object) -> date | None:
    try:
        return date.fromisoformat(operand) if isinstance(operand, str) else None
    except ValueError:
        return None


def _instants(operands: Sequence[object]) -> list[object]:
    moments = sorted({at for each in operands if (at := _moment(each)) is not None})
    steps = (timedelta(), timedelta(hours=1), timedelta(microseconds=-1))
    near = [_later(at, step) for step in steps for at in moments or [datetime(2026, 1, 1, tzinfo=UTC)]]
    return [instant_text(at) for at in near if at is not None]


def _later(at: datetime, step: timedelta) -> datetime | None:
    """None where time ends before."""
    try:
        return at + step
    except OverflowError:
        return None


def _moment(operand: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(operand) if isinstance(operand, str) else None
        return at if at is None else at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
