"""What an address asks of the figures about money, the same for a screen, the list behind it and a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from ticket_console.reports.money import AMOUNTS, EVERYTHING, Between, By, Measure, MoneySlice, Step
from ticket_console.settlement.closing import PeriodView

E = TypeVar("E", bound=StrEnum)

# In an address: work without a business line, a dimension that is none of the twelve.
_NONE: Final = "-"
_LONGEST: Final = 64
# Amounts, ids and pages beyond these are no sensible wish.
_MOST_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Asked:
    """What makes no sense in an address asks for nothing."""

    slice: MoneySlice = EVERYTHING
    measure: Measure = Measure.COST
    by: By = By.LINE
    step: Step = Step.DAY
    page: int = 1


def asked_of(parameters: Mapping[str, str]) -> Asked:
    slice = MoneySlice(
        period_id=_whole(parameters.get("period", "")),
        since=_day(parameters.get("since", "")),
        until=_day(parameters.get("until", "")),
        line=_word(parameters.get("line", "")),
        region_id=_whole(parameters.get("region", "")),
        is_region_alone=parameters.get("alone") == "1",
        dimension=_word(parameters.get("dimension", "")),
        team_id=_whole(parameters.get("team", "")),
        technician_id=_whole(parameters.get("technician", "")),
        vendor_id=_whole(parameters.get("vendor", "")),
        between=_between(parameters),
    )
    return Asked(
        slice=slice,
        measure=_member(Measure, parameters.get("measure", ""), Measure.COST),
        by=_member(By, parameters.get("by", ""), By.LINE),
        step=_member(Step, parameters.get("step", ""), Step.DAY),
        page=max(_whole(parameters.get("page", "")) or 1, 1),
    )


def parameters_of(asked: Asked) -> dict[str, str]:
    """The address of what is asked; what is usual is left out."""
    slice, found = asked.slice, dict[str, str]()
    numbers = {
        "period": slice.period_id,
        "region": slice.region_id,
        "team": slice.team_id,
        "technician": slice.technician_id,
        "vendor": slice.vendor_id,
    }
    found |= {name: str(number) for name, number in numbers.items() if number is not None}
    days = {"since": slice.since, "until": slice.until}
    found |= {name: day.isoformat() for name, day in days.items() if day is not None}
    words = {"line": slice.line, "dimension": slice.dimension}
    found |= {name: word or _NONE for name, word in words.items() if word is not None}
    if slice.is_region_alone:
        found["alone"] = "1"
    if slice.between is not None:
        found["of"] = slice.between.measure.value
        ends = {"low": slice.between.from_minor, "high": slice.between.until_minor}
        found |= {name: str(end) for name, end in ends.items() if end is not None}
    usual = Asked()
    for name in ("measure", "by", "step"):
        if getattr(asked, name) is not getattr(usual, name):
            found[name] = getattr(asked, name).value
    if asked.page > 1:
        found["page"] = str(asked.page)
    return found


def in_time(asked: Asked, periods: Sequence[PeriodView], at: datetime) -> Asked:
    """The same within some time: days where days are asked for, else the period, else the present one.

    `periods` are the latest first. Days and a period at once would be about neither.
    """
    slice = asked.slice
    if slice.since is not None or slice.until is not None:
        return replace(asked, slice=replace(slice, period_id=None))
    if any(each.id == slice.period_id for each in periods):
        return asked
    begun = [each for each in periods if each.starts_at <= at] or list(periods)
    return replace(asked, slice=replace(slice, period_id=begun[0].id if begun else None))


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _amount(text: str) -> int | None:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    found = _whole(digits)
    return None if found is None else sign * found


def _word(text: str) -> str | None:
    return None if not text or len(text) > _LONGEST else "" if text == _NONE else text


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _between(parameters: Mapping[str, str]) -> Between | None:
    measure = next((each for each in AMOUNTS if each.value == parameters.get("of")), None)
    if measure is None:
        return None
    return Between(measure, _amount(parameters.get("low", "")), _amount(parameters.get("high", "")))


def _member(kind: type[E], text: str, usual: E) -> E:
    return next((each for each in kind if each.value == text), usual)
