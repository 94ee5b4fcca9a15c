"""Public holidays, and the weekend days on which people work to make up for them, as days of a calendar."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

from holidays import country_holidays

from ticket_console.clocks.business_time import Hours


def is_public_holiday(day: date, zone_name: str) -> bool:
    """Whether a day is a public holiday in the country of a time zone; no zone without country has any."""
    country = _countries().get(zone_name)
    return country is not None and day in _holidays(country, day.year)


@cache
def _countries() -> Mapping[str, str]:
    """The country of each zone, from the time zone database itself; of several, the first it names."""
    listed = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in listed.splitlines() if line and not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


@lru_cache(maxsize=128)
def _holidays(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def special_days(*, country: str, years: Iterable[int], week: Mapping[int, Hours]) -> dict[date, Hours]:
    """The days of these years that differ from the week: closed on holidays, and open as on a Monday on
    weekend days that make up for one. A year whose plan is not announced yet has its fixed days only.
    """
    wanted = frozenset(years)
    found = country_holidays(country, years=wanted)
    closed: dict[date, Hours] = {day: () for day in found if week.get(day.weekday())}
    made_up = {
        day: week.get(0, ())
        for day in found.weekend_workdays
        if day.year in wanted and not week.get(day.weekday())
    }
    return {**closed, **made_up}
