"""Reading a rule set from its JSON form, and everything that can be wrong with one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import time
from decimal import Decimal
from typing import Any, Final

from ticket_console.kernel import conditions
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.settlement import wording
from ticket_console.settlement.card_reading import read_cards, read_splits
from ticket_console.settlement.facts import plain
from ticket_console.settlement.kinds import Dimension, Side
from ticket_console.settlement.rule_reading import Reader
from ticket_console.settlement.rules import (
    ITEM_UNITS,
    NUMBER_UNITS,
    ON_BASE,
    ON_CARD,
    WINDOWED,
    Band,
    Op,
    RateCard,
    Rounding,
    Rule,
    RuleSet,
    Window,
)

MOST_RULES: Final = 500
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_KEYS: Final = frozenset(
    {
        "code", "dimension", "name", "op", "order", "when", "value", "unit", "over", "bands", "applies_to",
        "window", "group", "rounding", "card", "sides", "regions", "lines", "starts_on", "ends_on",
    }
)  # fmt: skip


class BadRules(InvalidInput):
    code = "settlement.bad_rules"


def parse_rules(document: Any) -> RuleSet:
    """The rule set of a JSON document, ready to rate with; raises `BadRules` naming every problem."""
    if not isinstance(document, Mapping) or not isinstance(document.get("rules"), list | tuple):
        raise BadRules((FieldProblem("", "settlement.rules.not_a_rule_set"),))
    found: list[FieldProblem] = []
    currency = document.get("currency")
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        found.append(FieldProblem("currency", "settlement.rules.bad_currency"))
    if len(document["rules"]) > MOST_RULES:
        raise BadRules((FieldProblem("rules", "settlement.rules.too_many", {"limit": MOST_RULES}),))
    rules = []
    for index, raw in enumerate(document["rules"]):
        reader = _Rules(raw, f"rules[{index}]")
        rule = reader.read()
        found += reader.problems
        if rule is not None:
            rules.append(rule)
    cards, card_problems = read_cards(document.get("cards"))
    splits, split_problems = read_splits(document.get("splits"))
    found += [*card_problems, *split_problems, *_set_problems(rules), *_card_problems(rules, cards)]
    if found or not isinstance(currency, str):
        raise BadRules(tuple(found))
    ready = [
        _ready(rule, currency, cards) for rule in sorted(rules, key=lambda rule: (rule.order, rule.code))
    ]
    return RuleSet(currency=currency, rules=tuple(ready), cards=cards, splits=splits)


def _ready(rule: Rule, currency: str, cards: Mapping[str, RateCard]) -> Rule:
    condition = rule.condition
    asks = frozenset[str]() if condition is None else conditions.fields_of(condition)
    card = None if rule.card is None else cards[rule.card]
    return replace(
        rule,
        holds=None if condition is None else conditions.compile_condition(condition),
        asks=asks if card is None else asks | frozenset(card.keys),
        sentence=wording.sentences(rule, currency, card),
    )


class _Rules(Reader):
    """Reads one rule, keeping every problem instead of stopping at the first."""

    def read(self) -> Rule | None:
        self.refuse_unknown(_KEYS)
        rule_kind = self.member("op", Op)
        dimension = self.member("dimension", Dimension)
        if rule_kind is None or dimension is None:
            return None
        rule = Rule(
            code=self.code("code"),
            dimension=dimension,
            name=self.name(),
            op=rule_kind,
            order=self.whole("order"),
            when=self.when(),
            value=self.number("value", self.raw.get("value", "0")),
            unit=self.unit(rule_kind),
            over=self.number("over", self.raw.get("over", "0")),
            bands=self.bands() if rule_kind is Op.TIER else self.none_of("bands", ()),
            applies_to=self.applies_to() if rule_kind in ON_BASE else self.none_of("applies_to", ()),
            window=self.window() if rule_kind in WINDOWED else self.none_of("window", None),
            group=None if self.raw.get("group") is None else self.code("group"),
            rounding=self.member("rounding", Rounding, Rounding.HALF_UP) or Rounding.HALF_UP,
            card=self.card(rule_kind),
            sides=self.members("sides", Side, (Side.WORKER,)),
            regions=self.words("regions"),
            lines=self.words("lines"),
            starts_on=self.day("starts_on"),
            ends_on=self.day("ends_on"),
        )
        if rule.starts_on is not None and rule.ends_on is not None and rule.ends_on <= rule.starts_on:
            self.wrong("ends_on", "ends_before_it_starts")
        if rule.value < 0 and rule.op in {Op.MULTIPLY, Op.CAP, Op.FLOOR}:
            self.wrong("value", "negative")
        if rule.over < 0 or (rule.over and rule.op is not Op.PER_UNIT):
            self.wrong("over", "bad_threshold")
        return None if self.problems else rule

    def unit(self, op: Op) -> str | None:
        raw = self.raw.get("unit")
        allowed: frozenset[str] = frozenset()
        if op is Op.PER_UNIT:
            allowed = NUMBER_UNITS | ITEM_UNITS
        elif op in {Op.TIER, Op.MULTIPLY}:
            allowed = NUMBER_UNITS
        if raw is None:
            if op in {Op.PER_UNIT, Op.TIER}:
                self.wrong("unit", "no_unit")
            return None
        if raw not in allowed:
            self.wrong("unit", "unknown_unit", unit=str(raw))
        return str(raw)

    def applies_to(self) -> tuple[Dimension, ...]:
        raw = self.raw.get("applies_to")
        known = {dimension.value for dimension in Dimension}
        if isinstance(raw, list | tuple) and raw and all(each in known for each in raw):
            return tuple(dimension for dimension in Dimension if dimension in raw)
        self.wrong("applies_to", "no_base")
        return ()

    def window(self) -> Window | None:
        raw = self.raw.get("window")
        if raw is None:
            return None
        edges = [raw.get("opens"), raw.get("closes")] if isinstance(raw, Mapping) else []
        found = [_CLOCK.fullmatch(edge) for edge in edges if isinstance(edge, str)]
        clocks = [time(int(match[1]), int(match[2])) for match in found if match]
        if len(clocks) == 2 and clocks[0] != clocks[1]:
            return Window(clocks[0], clocks[1])
        self.wrong("window", "bad_window")
        return None

    def bands(self) -> tuple[Band, ...]:
        """Bands must cover every number from 0 on exactly once: a gap would pay nothing in silence."""
        raw = self.raw.get("bands")
        if not isinstance(raw, list | tuple) or not raw or not all(isinstance(each, Mapping) for each in raw):
            self.wrong("bands", "no_bands")
            return ()
        known = len(self.problems)
        bands = tuple(
            Band(
                lower=self.number(f"bands[{index}].lower", each.get("lower")),
                upper=None
                if each.get("upper") is None
                else self.number(f"bands[{index}].upper", each["upper"]),
                value=self.number(f"bands[{index}].value", each.get("value")),
            )
            for index, each in enumerate(raw)
        )
        if len(self.problems) == known:
            self.refuse_uncovered(bands)
        return bands

    def refuse_uncovered(self, bands: tuple[Band, ...]) -> None:
        """Names every gap and every overlap with its two numbers."""
        edge: Decimal | None = Decimal(0)
        for index, band in enumerate(bands):
            path = f"bands[{index}]"
            if band.upper is not None and band.upper <= band.lower:
                self.wrong(path, "tier_empty", lower=plain(band.lower), upper=plain(band.upper))
            elif edge is None or band.lower < edge:
                upper = "∞" if edge is None else plain(edge)
                self.wrong(path, "tier_overlap", lower=plain(band.lower), upper=upper)
            elif band.lower > edge:
                self.wrong(path, "tier_gap", lower=plain(edge), upper=plain(band.lower))
            edge = band.upper
        if edge is not None:
            self.wrong(f"bands[{len(bands) - 1}]", "bands_end", upper=plain(edge))

    def card(self, op: Op) -> str | None:
        if self.raw.get("card") is None:
            return None
        if op not in ON_CARD or self.raw.get("unit") in ITEM_UNITS:
            self.wrong("card", "not_for_this_operation")
        if self.raw.get("value") not in (None, "0", 0):
            self.wrong("value", "value_and_card")
        return self.code("card")

    def none_of(self, key: str, absent: Any) -> Any:
        if self.raw.get(key):
            self.wrong(key, "not_for_this_operation")
        return absent


def _set_problems(rules: list[Rule]) -> Iterator[FieldProblem]:
    codes = [rule.code for rule in rules]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield FieldProblem("rules", "settlement.rules.code_twice", {"rule": code})
    for rule in rules:
        late = sorted(
            other.code
            for other in rules
            if other is not rule and other.dimension in rule.applies_to and other.order >= rule.order
        )
        if late:
            yield FieldProblem(
                "rules", "settlement.rules.base_comes_later", {"rule": rule.code, "later": ", ".join(late)}
            )
    labour = [rule for rule in rules if rule.dimension is Dimension.BASE_LABOUR]
    served = {side for rule in labour for side in rule.sides}
    # A set with pay for workers is theirs; what else it has for other sides comes on top.
    owed = served if served and Side.WORKER not in served else {Side.WORKER}
    if not all(any(_always_pays(rule, rules, side) for rule in labour) for side in owed):
        yield FieldProblem("rules", "settlement.rules.no_base_labour")


def _card_problems(rules: list[Rule], cards: Mapping[str, RateCard]) -> Iterator[FieldProblem]:
    for rule in rules:
        if rule.card is not None and rule.card not in cards:
            yield FieldProblem(
                "cards", "settlement.rules.unknown_card", {"rule": rule.code, "card": rule.card}
            )


def _always_pays(rule: Rule, rules: list[Rule], side: Side) -> bool:
    """Whether every ticket gets base labour on a side from this rule, or from one of its group before it."""
    if rule.condition is not None or rule.op in ON_BASE:
        return False
    if rule.card is not None or side not in rule.sides:
        return False
    return all(
        other.dimension is Dimension.BASE_LABOUR
        for other in rules
        if rule.group is not None and other.group == rule.group
    )
