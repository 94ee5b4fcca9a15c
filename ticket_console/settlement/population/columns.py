"""The facts of many tickets, column by column: what the rating of a population reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ticket_console.settlement.facts import Facts

# Exact whole numbers: int64 where they fit, Python's own (dtype object) where they do not.
Wholes = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Beyond this a sum or a product could leave int64 before anybody looks.
LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Coded:
    """A value of each ticket, out of few: `values[codes[row]]`."""

    codes: npt.NDArray[np.int32]
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A number of each ticket, exactly `units[row] / 10**scale`; unknown where `known` says no."""

    units: Wholes
    scale: int = 0
    known: Flags | None = None

    @property
    def largest(self) -> int:
        return int(np.abs(self.units).max()) if self.units.size else 0


@dataclass(frozen=True, slots=True)
class Items:
    """Priced items of each ticket: those at `[starts[row], starts[row + 1])`."""

    starts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int32]
    names: tuple[str, ...]
    quantities: Numbers
    prices: Wholes


@dataclass(frozen=True, slots=True)
class Population:
    """The facts of many tickets. `started` and `finished` are whole seconds since 1970 (UTC)."""

    size: int
    coded: Mapping[str, Coded]
    numbers: Mapping[str, Numbers]
    items: Mapping[str, Items]
    started: npt.NDArray[np.int64]
    finished: npt.NDArray[np.int64]
    zone: Coded

    def rows(self, begin: int, end: int) -> "Population":
        """The tickets at [begin, end): views, not copies."""
        part = slice(begin, end)
        return Population(
            size=len(range(*part.indices(self.size))),
            coded={key: Coded(each.codes[part], each.values) for key, each in self.coded.items()},
            numbers={key: _part(each, part) for key, each in self.numbers.items()},
            items={key: _items_part(each, begin, end) for key, each in self.items.items()},
            started=self.started[part],
            finished=self.finished[part],
            zone=Coded(self.zone.codes[part], self.zone.values),
        )


CODED: Final = (
    "template_code",
    "service_type",
    "service_class",
    "urgency",
    "hazards",
    "cross_city",
    "region_code",
    "vip",
    "on_time",
    "service_on",
    "is_weekend",
    "is_holiday",
    "by_vendor",
    "vendor_tier",
    "customer_tier",
    "segment",
)
NUMBERS: Final = (
    "difficulty",
    "distance_km",
    "labour_hours",
    "technician_level",
    "response_minutes",
    "month_tickets",
    "returns",
    "satisfaction",
    "segment_visit",
)
ITEMS: Final = ("parts", "tools")


def population_of(facts: Iterable[Facts]) -> Population:
    """The columns of facts that are at hand one by one."""
    listed = list(facts)
    values = [each.values() for each in listed]
    return Population(
        size=len(listed),
        coded={key: coded([each[key] for each in values]) for key in CODED},
        numbers={key: numbers([_number(each[key]) for each in values]) for key in NUMBERS},
        items={
            "parts": items(
                [[(part.sku, part.qty, part.unit_cost_minor) for part in each.parts] for each in listed]
            ),
            "tools": items(
                [[(tool.code, tool.days, tool.day_rate_minor) for tool in each.tools] for each in listed]
            ),
        },
        started=_seconds([each.started_at for each in listed]),
        finished=_seconds([each.finished_at for each in listed]),
        zone=coded([each.site_tz for each in listed]),
    )


def coded(values: Sequence[object]) -> Coded:
    known = {value: code for code, value in enumerate(dict.fromkeys(values))}
    codes = np.fromiter(map(known.__getitem__, values), dtype=np.int32, count=len(values))
    return Coded(codes, tuple(known))


def numbers(values: Sequence[Decimal | None]) -> Numbers:
    scale = max((_places(value) for value in values if value is not None), default=0)
    units = [0 if value is None else int(Fraction(value) * 10**scale) for value in values]
    known = None if None not in values else np.array([value is not None for value in values], dtype=np.bool_)
    return Numbers(wholes(units), scale, known)


def items(of_each: Sequence[Sequence[tuple[str, Decimal, int]]]) -> Items:
    flat = [item for listed in of_each for item in listed]
    names = coded([name for name, _, _ in flat])
    starts = np.zeros(len(of_each) + 1, dtype=np.int64)
    np.cumsum([len(listed) for listed in of_each], out=starts[1:])
    return Items(
        starts,
        names.codes,
        tuple(str(name) for name in names.values),
        numbers([quantity for _, quantity, _ in flat]),
        wholes([price for _, _, price in flat]),
    )


def wholes(values: Sequence[int]) -> Wholes:
    fits = not values or (min(values) > -LARGEST and max(values) < LARGEST)
    return np.array(values, dtype=np.int64 if fits else object)


def _number(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else Decimal(value) if isinstance(value, int) else None


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _seconds(instants: Sequence[datetime]) -> npt.NDArray[np.int64]:
    return np.array([(each - _EPOCH) // timedelta(seconds=1) for each in instants], dtype=np.int64)


def _part(column: Numbers, part: slice) -> Numbers:
    return Numbers(column.units[part], column.scale, None if column.known is None else column.known[part])


def _items_part(column: Items, begin: int, end: int) -> Items:
    starts = column.starts[begin : end + 1]
    inside = slice(int(starts[0]), int(starts[-1]))
    return Items(
        starts - starts[0],
        column.codes[inside],
        column.names,
        _part(column.quantities, inside),
        column.prices[inside],
    )
