"""Public holidays, and the weekend days on which people work to make up for them, as days of a calendar."""

from collections.abc import Iterable, Mapping
from datetime import date

from holidays import country_holidays

from ticket_console.clocks.business_time import Hours


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
