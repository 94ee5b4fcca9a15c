"""The columns of frozen facts: from the JSON of snapshots straight to whole numbers."""

from collections.abc import Mapping, Sequence
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
_TEXT_NUMBERS: Final = ("difficulty", "distance_km", "labour_hours", "response_minutes", "satisfaction")
_SATURDAY: Final = 6
_DAY: Final = 86_400
# The first of January 1970 was a Thursday.
_FIRST_WEEKDAY: Final = 4


def population_of_frozen(frozen: Sequence[Frozen]) -> Population:
    """The columns of `Facts.to_json()` documents, in their order."""
    started = _instants([each["started_at"] for each in frozen])
    finished = _instants([each["finished_at"] for each in frozen])
    zone = coded([each["site_tz"] for each in frozen])
    days = _local_days(finished, zone)
    segments = [standard_of(each["segment"]) for each in frozen]
    counted = {
        "technician_level": _counted([each["technician_level"] for each in frozen]),
        "month_tickets": _counted([each["month_tickets"] for each in frozen]),
        "returns": _counted([each.get("returns", 0) for each in frozen]),
        "segment_visit": _counted([visit for _, visit in segments]),
    }
    return Population(
        size=len(frozen),
        coded={
            **{key: coded([each[key] for each in frozen]) for key in _PLAIN_CODED},
            "hazards": coded([tuple(code for code, _ in each["hazards"]) for each in frozen]),
            "is_holiday": coded([each.get("is_holiday", False) for each in frozen]),
            "by_vendor": coded([each.get("by_vendor", False) for each in frozen]),
            "vendor_tier": coded([each.get("vendor_tier", "") for each in frozen]),
            "customer_tier": coded([each.get("customer_tier", "") for each in frozen]),
            "segment": coded([standard for standard, _ in segments]),
            **_of_days(days),
        },
        numbers={
            **{key: text_numbers([each.get(key) for each in frozen]) for key in _TEXT_NUMBERS},
            **counted,
        },
        items={key: _items([each[key] for each in frozen]) for key in ("parts", "tools")},
        started=started,
        finished=finished,
        zone=zone,
    )


def text_numbers(texts: Sequence[str | None]) -> Numbers:
    """Exact numbers from their plain spelling ("12.50"), which is how facts are frozen."""
    split = [("0", "", "") if text is None else text.partition(".") for text in texts]
    scale = max((len(decimals) for _, _, decimals in split), default=0)
    units = [int(whole + decimals.ljust(scale, "0")) for whole, _, decimals in split]
    known = None if None not in texts else np.array([text is not None for text in texts], dtype=np.bool_)
    return Numbers(wholes(units), scale, known)


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
