"""Two rule sets side by side, pure: what one has that the other has not, and what reads differently."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ticket_console.kernel.text import LocalText
from ticket_console.settlement.rules import RateCard, RuleSet


class Turn(StrEnum):
    """What became of a part of a rule set."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class PartKind(StrEnum):
    RULE = "rule"
    CARD = "card"
    SPLITS = "splits"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One part that differs. `parts` are the keys of its JSON that do; entries of a card are named as keys.

    The sentences are empty where a side does not have the part, and for what is not said in sentences.
    """

    turn: Turn
    kind: PartKind
    code: str
    name: LocalText
    parts: tuple[str, ...] = ()
    before: LocalText | None = None
    after: LocalText | None = None


def compare_rules(live: RuleSet, draft: RuleSet) -> tuple[RuleChange, ...]:
    """What a draft adds, changes and removes, rules in the order in which they apply."""
    old = {rule.code: rule for rule in live.rules}
    new = {rule.code: rule for rule in draft.rules}
    found = []
    for code, rule in new.items():
        if code not in old:
            found.append(RuleChange(Turn.ADDED, PartKind.RULE, code, rule.name, after=rule.sentence))
        elif parts := _differing(old[code].to_json(), rule.to_json()):
            found.append(
                RuleChange(
                    Turn.CHANGED,
                    PartKind.RULE,
                    code,
                    rule.name,
                    parts,
                    before=old[code].sentence,
                    after=rule.sentence,
                )
            )
    found += [
        RuleChange(Turn.REMOVED, PartKind.RULE, code, rule.name, before=rule.sentence)
        for code, rule in old.items()
        if code not in new
    ]
    found += _cards(live.cards, draft.cards)
    if [split.to_json() for split in live.splits] != [split.to_json() for split in draft.splits]:
        found.append(RuleChange(Turn.CHANGED, PartKind.SPLITS, "splits", {}))
    return tuple(found)


def _cards(live: Mapping[str, RateCard], draft: Mapping[str, RateCard]) -> list[RuleChange]:
    found = []
    for code in sorted({*live, *draft}):
        old, new = live.get(code), draft.get(code)
        if old is None and new is not None:
            found.append(RuleChange(Turn.ADDED, PartKind.CARD, code, new.name))
        elif new is None and old is not None:
            found.append(RuleChange(Turn.REMOVED, PartKind.CARD, code, old.name))
        elif old is not None and new is not None and old.to_json() != new.to_json():
            found.append(RuleChange(Turn.CHANGED, PartKind.CARD, code, new.name, _entries(old, new)))
    return found


def _entries(old: RateCard, new: RateCard) -> tuple[str, ...]:
    cells = {key for key in {*old.entries, *new.entries} if old.entries.get(key) != new.entries.get(key)}
    heads = _differing(old.to_json(), new.to_json())
    return (*(key for key in heads if key != "entries"), *(" / ".join(key) for key in sorted(cells)))


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key for key in other if one.get(key) != other[key])
