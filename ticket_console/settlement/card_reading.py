"""Reading rate cards and splits from the JSON form of a rule set."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from ticket_console.kernel import conditions
from ticket_console.kernel.errors import FieldProblem
from ticket_console.settlement.kinds import Party
from ticket_console.settlement.rule_reading import Reader
from ticket_console.settlement.rules import CARD_KEYS, RateCard, Split

MOST_CARDS: Final = 100
MOST_ENTRIES: Final = 5_000
MOST_SPLITS: Final = 100
_WHOLE: Final = Decimal(100)
_MOST_KEYS: Final = 2

Problems = list[FieldProblem]


def read_cards(raw: object) -> tuple[dict[str, RateCard], Problems]:
    """The cards by code, and everything wrong with them."""
    found: Problems = []
    cards: dict[str, RateCard] = {}
    for index, each in enumerate(_listed(raw, "cards", MOST_CARDS, found)):
        reader = _Cards(each, f"cards[{index}]")
        card = reader.read()
        found += reader.problems
        if card.code in cards:
            found.append(FieldProblem("cards", "settlement.rules.code_twice", {"rule": card.code}))
        cards[card.code] = card
    return cards, found


def read_splits(raw: object) -> tuple[tuple[Split, ...], Problems]:
    """The splits in the order they are tried; after one without a condition none is reached."""
    found: Problems = []
    splits = []
    for index, each in enumerate(_listed(raw, "splits", MOST_SPLITS, found)):
        reader = _Splits(each, f"splits[{index}]")
        split = reader.read()
        found += reader.problems
        splits.append(split)
    unreached = next((place for place, split in enumerate(splits[:-1]) if split.when is None), None)
    if unreached is not None:
        found.append(FieldProblem(f"splits[{unreached + 1}]", "settlement.rules.never_reached"))
    if found:
        return (), found
    return tuple(_compiled(split) for split in splits), found


def _compiled(split: Split) -> Split:
    return split if split.when is None else replace(split, holds=conditions.compile_condition(split.when))


def _listed(raw: object, path: str, limit: int, found: Problems) -> list[object]:
    if raw is None:
        return []
    if not isinstance(raw, list | tuple):
        found.append(FieldProblem(path, "settlement.rules.not_a_list"))
        return []
    if len(raw) > limit:
        found.append(FieldProblem(path, "settlement.rules.too_many", {"limit": limit}))
        return []
    return list(raw)


class _Cards(Reader):
    def read(self) -> RateCard:
        self.refuse_unknown(("code", "name", "keys", "entries", "otherwise"))
        keys = self.keys()
        otherwise = self.raw.get("otherwise")
        return RateCard(
            code=self.code("code"),
            name=self.name(),
            keys=keys,
            entries=self.entries(len(keys)),
            otherwise=None if otherwise is None else self.number("otherwise", otherwise),
        )

    def keys(self) -> tuple[str, ...]:
        raw = self.raw.get("keys")
        if (
            isinstance(raw, list | tuple)
            and 0 < len(raw) <= _MOST_KEYS
            and all(isinstance(each, str) and each in CARD_KEYS for each in raw)
            and len(set(raw)) == len(raw)
        ):
            return tuple(raw)
        self.wrong("keys", "bad_card_keys")
        return ()

    def entries(self, width: int) -> Mapping[tuple[str, ...], Decimal]:
        raw = self.raw.get("entries")
        if not isinstance(raw, list | tuple) or len(raw) > MOST_ENTRIES:
            self.wrong("entries", "too_many", limit=MOST_ENTRIES)
            return {}
        entries: dict[tuple[str, ...], Decimal] = {}
        for index, each in enumerate(raw):
            path = f"entries[{index}]"
            if not isinstance(each, list | tuple) or len(each) != width + 1:
                self.wrong(path, "bad_entry")
                continue
            key = tuple(part if isinstance(part, str) else "" for part in each[:-1])
            if not all(key):
                self.wrong(path, "bad_entry")
            elif key in entries:
                self.wrong(path, "entry_twice", entry=" / ".join(key))
            entries[key] = self.number(path, each[-1])
        return entries


class _Splits(Reader):
    def read(self) -> Split:
        self.refuse_unknown(("name", "shares", "when"))
        return Split(name=self.name(), shares=self.shares(), when=self.when())

    def shares(self) -> Mapping[Party, Decimal]:
        raw: Any = self.raw.get("shares")
        known = {party.value for party in Party}
        if not isinstance(raw, Mapping) or not raw or not all(key in known for key in raw):
            self.wrong("shares", "bad_shares")
            return {}
        shares = {party: self.number(f"shares.{party}", raw[party]) for party in Party if party in raw}
        if any(share < 0 for share in shares.values()) or sum(shares.values()) != _WHOLE:
            self.wrong("shares", "bad_shares")
        return shares
