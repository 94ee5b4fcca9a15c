"""Changes of a rule set's document, pure: one rule or one card put in, taken out, or written anew.

A change never checks what it puts in: the document goes through `rule_parsing` as a whole afterwards, and a
refusal is brought back to the part that was being edited by `problems_of_rule` and `problems_of_card`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ticket_console.kernel.errors import Conflict, FieldProblem, NotFound

Document = Mapping[str, Any]
Part = Mapping[str, Any]
Edit = Callable[[Document], dict[str, Any]]

_PLACE = re.compile(r"(rules|cards)\[(\d+)\]\.?(.*)")


class RuleCodeTaken(Conflict):
    """Another rule or card of the set has this code."""

    code = "settlement.rule_code_taken"


class NoSuchRule(NotFound):
    """The draft has no rule or card of this code any more."""

    code = "settlement.no_such_rule"


def with_rules(*rules: Part) -> Edit:
    """Put new rules in."""

    def edit(document: Document) -> dict[str, Any]:
        changed = dict(document)
        for rule in rules:
            changed = _put(changed, "rules", rule, "")
        return changed

    return edit


def with_rule(rule: Part, *, was: str = "") -> Edit:
    """Put a rule in the place of the one that had the code `was`, or in as a new one."""
    return lambda document: _put(document, "rules", rule, was)


def without_rule(code: str) -> Edit:
    return lambda document: _without(document, "rules", code)


def with_card(card: Part, *, was: str = "") -> Edit:
    """Put a rate card in the place of the one that had the code `was`, or in as a new one."""
    return lambda document: _put(document, "cards", card, was)


def without_card(code: str) -> Edit:
    return lambda document: _without(document, "cards", code)


def with_value(code: str, value: str) -> Edit:
    """Write one rule's value anew and leave everything else as it is."""

    def edit(document: Document) -> dict[str, Any]:
        rules = _parts(document, "rules")
        if not any(rule.get("code") == code for rule in rules):
            raise NoSuchRule(rule=code)
        return {
            **document,
            "rules": [{**rule, "value": value} if rule.get("code") == code else rule for rule in rules],
        }

    return edit


def with_shares(place: int, shares: Mapping[str, str]) -> Edit:
    """Share the totals of one split out anew; `place` is its place among the splits of the set."""

    def edit(document: Document) -> dict[str, Any]:
        splits = _parts(document, "splits")
        if not 0 <= place < len(splits):
            raise NoSuchRule(rule=f"splits[{place}]")
        changed = [
            {**split, "shares": dict(shares)} if at == place else split for at, split in enumerate(splits)
        ]
        return {**document, "splits": changed}

    return edit


def problems_of_rule(
    problems: Iterable[FieldProblem], document: Document, code: str
) -> tuple[FieldProblem, ...]:
    """Problems of a whole set as the editor of one rule shows them: paths begin at the rule."""
    return _problems_of(problems, "rules", _place_of(document, "rules", code))


def problems_of_card(
    problems: Iterable[FieldProblem], document: Document, code: str
) -> tuple[FieldProblem, ...]:
    return _problems_of(problems, "cards", _place_of(document, "cards", code))


def _problems_of(
    problems: Iterable[FieldProblem], family: str, place: int | None
) -> tuple[FieldProblem, ...]:
    found = []
    for problem in problems:
        match = _PLACE.fullmatch(problem.path)
        if match and match[1] == family and int(match[2]) == place:
            found.append(FieldProblem(match[3], problem.code, problem.params))
        else:
            found.append(FieldProblem("", problem.code, problem.params))
    return tuple(found)


def _place_of(document: Document, family: str, code: str) -> int | None:
    codes = [part.get("code") for part in _parts(document, family)]
    return codes.index(code) if code in codes else None


def _put(document: Document, family: str, part: Part, was: str) -> dict[str, Any]:
    parts, code = _parts(document, family), part.get("code")
    places = [place for place, each in enumerate(parts) if each.get("code") == was] if was else []
    if was and not places:
        raise NoSuchRule(rule=was)
    if code != was and any(each.get("code") == code for each in parts):
        raise RuleCodeTaken(rule=str(code)[:64])
    changed = [*parts]
    if places:
        changed[places[0]] = part
    else:
        changed.append(part)
    return {**document, family: changed}


def _without(document: Document, family: str, code: str) -> dict[str, Any]:
    parts = _parts(document, family)
    kept = [part for part in parts if part.get("code") != code]
    if len(kept) == len(parts):
        raise NoSuchRule(rule=code)
    return {**document, family: kept}


def _parts(document: Document, family: str) -> Sequence[Part]:
    found: Sequence[Part] = document.get(family) or []
    return found
