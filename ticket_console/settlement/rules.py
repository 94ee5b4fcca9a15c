"""The rules work is rated by, as values: what a rule may say, and a rule set ready to be applied.

What each operation adds, where *base* is the sum of the already rounded lines of the dimensions the
rule applies to:

* `add`       value
* `per_unit`  value for each unit of a fact beyond `over`; for `parts` and `tools` one line per item,
              quantity times unit price times value
* `multiply`  base * (factor - 1), so that base and line together are base * factor; the factor is the
              value, times a fact when `unit` names one
* `percent`   base * value / 100
* `cap`       what base exceeds value by, as a negative line
* `floor`     what base falls short of value by
* `tier`      the value of the band that holds the fact `unit`

Where a rule names a rate card, the entry of the card that fits the facts stands for its value; where the card
has none, the rule makes no line.

A `multiply` or `percent` with a window counts only for the share of the working time that lies inside
the window. Amounts (`add`, `per_unit`, `cap`, `floor`, `tier`) are in minor units. Rules apply in the
order of (order, code). Of the rules of one group only the first that holds counts.

A rule reaches the service dates [starts_on, ends_on), the regions and the business lines it names (all, where
it names none), and the sides it is for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.conditions import Predicate
from ticket_console.kernel.text import LocalText
from ticket_console.settlement.facts import plain
from ticket_console.settlement.kinds import Dimension, Party, Side

# Facts a rule may count, and facts that are lists of priced items.
NUMBER_UNITS: Final = frozenset(
    {
        "difficulty",
        "distance_km",
        "labour_hours",
        "technician_level",
        "response_minutes",
        "month_tickets",
        "work_minutes",
        "returns",
        "satisfaction",
    }
)
ITEM_UNITS: Final = frozenset({"parts", "tools"})


class Op(StrEnum):
    ADD = "add"
    PER_UNIT = "per_unit"
    MULTIPLY = "multiply"
    PERCENT = "percent"
    CAP = "cap"
    FLOOR = "floor"
    TIER = "tier"


# Operations that look back at lines already made, and so must say at which.
ON_BASE: Final = frozenset({Op.MULTIPLY, Op.PERCENT, Op.CAP, Op.FLOOR})
WINDOWED: Final = frozenset({Op.MULTIPLY, Op.PERCENT})


# Operations whose value may come from a rate card.
ON_CARD: Final = frozenset({Op.ADD, Op.PER_UNIT})
# What a card may be keyed by: facts that have one of few values.
CARD_KEYS: Final = ("region_code", "service_type", "service_class", "urgency", "template_code")


class Rounding(StrEnum):
    """How an exact amount becomes a whole one: halves away from zero, towards zero, away from zero."""

    HALF_UP = "half_up"
    DOWN = "down"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Window:
    """A daily window on the wall clock of the site; it spans midnight when it closes before it opens."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Band:
    """The half-open range [lower, upper) of a tier table; the last one has no upper bound."""

    lower: Decimal
    upper: Decimal | None
    value: Decimal


@dataclass(frozen=True, slots=True)
class RateCard:
    """A table of amounts by one or two facts. `entries` are keyed by the values in the order of `keys`;
    `otherwise` stands for what is not listed, None where nothing does."""

    code: str
    name: LocalText
    keys: tuple[str, ...]
    entries: Mapping[tuple[str, ...], Decimal]
    otherwise: Decimal | None

    def value(self, facts: Mapping[str, object]) -> Decimal | None:
        return self.entries.get(tuple(str(facts[key]) for key in self.keys), self.otherwise)

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "name": dict(self.name),
            "keys": list(self.keys),
            "entries": [[*key, plain(value)] for key, value in sorted(self.entries.items())],
            "otherwise": None if self.otherwise is None else plain(self.otherwise),
        }


@dataclass(frozen=True, slots=True)
class Split:
    """How a total is shared out where a condition holds; the first split that holds counts."""

    name: LocalText
    shares: Mapping[Party, Decimal]
    when: Mapping[str, Any] | None = None
    holds: Predicate | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": dict(self.name),
            "shares": {party.value: plain(share) for party, share in self.shares.items()},
            "when": self.when,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    code: str
    dimension: Dimension
    name: LocalText
    op: Op
    order: int
    when: Mapping[str, Any] | None = None
    value: Decimal = Decimal(0)
    unit: str | None = None
    over: Decimal = Decimal(0)
    bands: tuple[Band, ...] = ()
    applies_to: tuple[Dimension, ...] = ()
    window: Window | None = None
    group: str | None = None
    rounding: Rounding = Rounding.HALF_UP
    card: str | None = None
    sides: tuple[Side, ...] = (Side.WORKER,)
    regions: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    # Made from `when` and from the whole rule when a rule set is read; never compared or stored.
    holds: Predicate | None = field(default=None, compare=False, repr=False)
    asks: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    sentence: LocalText = field(default_factory=dict, compare=False, repr=False)

    @property
    def condition(self) -> Mapping[str, Any] | None:
        """Where the rule reaches and what it asks, as one condition; None for a rule that always holds."""
        parts = [*self._reach()]
        if self.when is not None:
            parts.append(self.when)
        if len(parts) <= 1:
            return parts[0] if parts else None
        return {"combinator": "and", "rules": parts}

    def _reach(self) -> Iterator[Mapping[str, Any]]:
        if self.regions:
            yield {"field": "region_code", "operator": "in", "value": list(self.regions)}
        if self.lines:
            yield {"field": "service_type", "operator": "in", "value": list(self.lines)}
        if self.starts_on is not None:
            yield {"field": "service_on", "operator": ">=", "value": self.starts_on.isoformat()}
        if self.ends_on is not None:
            yield {"field": "service_on", "operator": "<", "value": self.ends_on.isoformat()}

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "dimension": self.dimension.value,
            "name": dict(self.name),
            "op": self.op.value,
            "order": self.order,
            "when": self.when,
            "value": plain(self.value),
            "unit": self.unit,
            "over": plain(self.over),
            "bands": [
                {
                    "lower": plain(band.lower),
                    "upper": None if band.upper is None else plain(band.upper),
                    "value": plain(band.value),
                }
                for band in self.bands
            ],
            "applies_to": [dimension.value for dimension in self.applies_to],
            "window": None
            if self.window is None
            else {"opens": f"{self.window.opens:%H:%M}", "closes": f"{self.window.closes:%H:%M}"},
            "group": self.group,
            "rounding": self.rounding.value,
            "card": self.card,
            "sides": [side.value for side in self.sides],
            "regions": list(self.regions),
            "lines": list(self.lines),
            "starts_on": None if self.starts_on is None else self.starts_on.isoformat(),
            "ends_on": None if self.ends_on is None else self.ends_on.isoformat(),
        }


@dataclass(frozen=True)
class RuleSet:
    """Rules in the order they apply, with the currency of their amounts. Read one with `rule_parsing`."""

    currency: str
    rules: tuple[Rule, ...]
    cards: Mapping[str, RateCard] = field(default_factory=dict)
    splits: tuple[Split, ...] = ()

    def of_side(self, side: Side) -> tuple[Rule, ...]:
        return self._by_side[side]

    @cached_property
    def _by_side(self) -> Mapping[Side, tuple[Rule, ...]]:
        return {side: tuple(rule for rule in self.rules if side in rule.sides) for side in Side}

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": 2,
            "currency": self.currency,
            "rules": [rule.to_json() for rule in self.rules],
            "cards": [card.to_json() for _, card in sorted(self.cards.items())],
            "splits": [split.to_json() for split in self.splits],
        }

    @cached_property
    def content_hash(self) -> str:
        return content_hash(self.to_json())
