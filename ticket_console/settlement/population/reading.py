"""The columns of frozen facts: from the JSON of snapshots straight to whole numbers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ticket_console.settlement.population.columns import (
    Coded,
    Items,
    Numbers,
    Population,
    coded,
    wholes,
)
from ticket_console.settlement.population.windows import offsets_at
from ticket_console.settlement.segments import standard_of

Frozen = Mapping[str, Any]

_PLAIN_CODED: Final = (
    "template_code",
    "service_type",
    "service_class",
    "urgency",
    "cross_city",
    "region_code",
    "vip",
    "on_time",
)
_TEXT_NUMBERS: Final = ("difficulty", "distance_km", "labour_hours", "response_minutes")
# What every snapshot has, read in one go; and what those of before it was known do without.
_ALWAYS: Final = (
    *_PLAIN_CODED,
    *_TEXT_NUMBERS,
    "hazards",
    "segment",
    "technician_level",
    "month_tickets",
    "parts",
    "tools",
    "site_tz",
    "started_at",
    "finished_at",
)
_ALWAYS_OF: Final = itemgetter(*_ALWAYS)
_SINCE_LATER_CODED: Final = {"is_holiday": False, "by_vendor": False, "vendor_tier": "", "customer_tier": ""}
_SATURDAY: Final = 6
_DAY: Final = 86_400
# The first of January 1970 was a Thursday.
_FIRST_WEEKDAY: Final = 4


def population_of_frozen(frozen: Sequence[Frozen]) -> Population:
    """The columns of `Facts.to_json()` documents, in their order."""
    read: Iterable[Sequence[Any]] = zip(*map(_ALWAYS_OF, frozen), strict=True) if frozen else repeat(())
    columns = dict(zip(_ALWAYS, read, strict=False))
    started, finished = _instants(columns["started_at"]), _instants(columns["finished_at"])
    zone = coded(columns["site_tz"])
    segment = coded(columns["segment"])
    standards = [standard_of(str(each)) for each in segment.values]
    hazards = coded([tuple([code for code, _ in listed]) for listed in columns["hazards"]])
    return Population(
        size=len(frozen),
        coded={
            **{key: coded(columns[key]) for key in _PLAIN_CODED},
            "hazards": hazards,
            **{
                key: coded([each.get(key, absent) for each in frozen])
                for key, absent in _SINCE_LATER_CODED.items()
            },
            "segment": _recoded(segment, [standard for standard, _ in standards]),
            **_of_days(_local_days(finished, zone)),
        },
        numbers={
            **{key: text_numbers(columns[key]) for key in _TEXT_NUMBERS},
            "satisfaction": text_numbers([each.get("satisfaction") for each in frozen]),
            "technician_level": _counted(columns["technician_level"]),
            "month_tickets": _counted(columns["month_tickets"]),
            "returns": _counted([each.get("returns", 0) for each in frozen]),
            "segment_visit": Numbers(wholes([visit for _, visit in standards])[segment.codes]),
        },
        items={key: _items(columns[key]) for key in ("parts", "tools")},
        started=started,
        finished=finished,
        zone=zone,
    )


def _recoded(column: Coded, values: Sequence[object]) -> Coded:
    """A column whose values were turned into others, of which some may be alike."""
    turned = coded(values)
    return Coded(turned.codes[column.codes], turned.values)


def text_numbers(texts: Sequence[str | None]) -> Numbers:
    """Exact numbers from their plain spelling ("12.50"), which is how facts are frozen."""
    column = coded(texts)
    split = [("0", "", "") if text is None else str(text).partition(".") for text in column.values]
    scale = max((len(decimals) for _, _, decimals in split), default=0)
    units = wholes([int(whole + decimals.ljust(scale, "0")) for whole, _, decimals in split])[column.codes]
    has_unknown = None in column.values
    known = np.array([text is not None for text in column.values])[column.codes] if has_unknown else None
    return Numbers(units, scale, known)


def _counted(values: Sequence[int]) -> Numbers:
    return Numbers(wholes(values))


def _items(of_each: Sequence[Sequence[Sequence[Any]]]) -> Items:
    flat = [item for listed in of_each for item in listed]
    names = coded([item[0] for item in flat])
    starts = np.zeros(len(of_each) + 1, dtype=np.int64)
    np.cumsum([len(listed) for listed in of_each], out=starts[1:])
    return Items(
        starts,
        names.codes,
        tuple(str(name) for name in names.values),
        text_numbers([item[1] for item in flat]),
        wholes([item[2] for item in flat]),
    )


def _instants(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """Whole seconds since 1970 of instants as `instant_text` spells them, in UTC."""
    # The first 19 characters are the second; what follows is below a second, or says UTC.
    seconds = np.array([text[:19] for text in texts], dtype="datetime64[s]")
    return seconds.astype(np.int64)


def _local_days(finished: npt.NDArray[np.int64], zone: Coded) -> npt.NDArray[np.int64]:
    """The day since 1970 on which the work finished, on the clock of its site."""
    days = np.zeros(finished.size, dtype=np.int64)
    for code, name in enumerate(zone.values):
        rows = np.flatnonzero(zone.codes == code)
        if rows.size:
            days[rows] = (finished[rows] + offsets_at(finished[rows], str(name))) // _DAY
    return days


def _of_days(days: npt.NDArray[np.int64]) -> dict[str, Coded]:
    distinct, codes = np.unique(days, return_inverse=True)
    texts = tuple(str(np.datetime64(int(day), "D")) for day in distinct)
    weekend = tuple((int(day) + _FIRST_WEEKDAY - 1) % 7 + 1 >= _SATURDAY for day in distinct)
    return {
        "service_on": Coded(codes.astype(np.int32), texts),
        "is_weekend": Coded(codes.astype(np.int32), weekend),
    }
