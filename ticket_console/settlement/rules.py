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

A `multiply` or `percent` with a window counts only for the share of the working time that lies inside
the window. Amounts (`add`, `per_unit`, `cap`, `floor`, `tier`) are in minor units. Rules apply in the
order of (order, code). Of the rules of one group only the first that holds counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.conditions import Predicate
from ticket_console.kernel.text import LocalText
from ticket_console.settlement.facts import plain
from ticket_console.settlement.kinds import Dimension

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


class Rounding(StrEnum):
    HALF_UP = "half_up"


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
    # Made from `when` and from the whole rule when a rule set is read; never compared or stored.
    holds: Predicate | None = field(default=None, compare=False, repr=False)
    asks: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    sentence: LocalText = field(default_factory=dict, compare=False, repr=False)

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
        }


@dataclass(frozen=True)
class RuleSet:
    """Rules in the order they apply, with the currency of their amounts. Read one with `rule_parsing`."""

    currency: str
    rules: tuple[Rule, ...]

    def to_json(self) -> dict[str, Any]:
        return {"schema": 1, "currency": self.currency, "rules": [rule.to_json() for rule in self.rules]}

    @cached_property
    def content_hash(self) -> str:
        return content_hash(self.to_json())
