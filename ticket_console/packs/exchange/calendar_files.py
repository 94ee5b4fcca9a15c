"""Business calendars as they are exchanged: opening hours of the week, and the days that differ."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import Field
from sqlalchemy.engine import Connection

from ticket_console.clocks.business_time import DAY_MINUTES, BusinessTime, Hours
from ticket_console.clocks.calendars import business_time, calendars_of, publish_calendar
from ticket_console.forms.json_form import JsonForm
from ticket_console.kernel.errors import FieldProblem
from ticket_console.packs.exchange.definitions import Definition, Hand, Reference
from ticket_console.packs.exchange.shapes import BadDefinition, NameText

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_DAYS: Final = 4_000
_OPENING: Final = re.compile(r"([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")

_Openings = Annotated[list[Annotated[str, Field(max_length=11)]], Field(max_length=24)]


class _CalendarForm(JsonForm):
    name: NameText
    tz: Annotated[str, Field(max_length=64)]
    week: Annotated[dict[str, _Openings], Field(max_length=len(WEEKDAYS))] = Field(default_factory=dict)
    days: Annotated[dict[str, _Openings], Field(max_length=_MOST_DAYS)] = Field(default_factory=dict)


class Calendars:
    name = "calendar"
    permissions: tuple[str, ...] = ("flow.manage",)
    wrapper = ""

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return tuple(calendars_of(conn, org_id))

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        view = calendars_of(conn, org_id).get(code)
        if view is None:
            return None
        hours = business_time(conn, org_id, code)
        return {
            "name": dict(view.name),
            "tz": hours.tz,
            "week": {WEEKDAYS[day]: _written(each) for day, each in hours.week.items() if each},
            "days": {day.isoformat(): _written(each) for day, each in hours.days.items()},
        }

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        form = _CalendarForm.read(document, BadDefinition)
        problems = [
            FieldProblem(f"{part}.{day}", "calendar.bad_hours")
            for part, days in (("week", form.week), ("days", form.days))
            for day, openings in days.items()
            if not _is_day(part, day) or not _are_hours(openings)
        ]
        if form.tz not in available_timezones():
            problems.append(FieldProblem("tz", "input.not_allowed"))
        if problems:
            raise BadDefinition(tuple(problems))
        week = {day: list(openings) for day, openings in form.week.items() if openings}
        return {"name": form.name, "tz": form.tz, "week": week, "days": dict(form.days)}

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        return wanted

    def needs(self, definition: Definition) -> frozenset[Reference]:
        return frozenset()

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        document = definition.document
        publish_calendar(
            conn,
            actor=hand.actor,
            at=hand.at,
            code=definition.code,
            name=definition.name,
            hours=BusinessTime(
                document["tz"],
                {WEEKDAYS.index(day): _hours(each) for day, each in document["week"].items()},
                {date.fromisoformat(day): _hours(each) for day, each in document["days"].items()},
            ),
        )

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        return


def _written(hours: Hours) -> list[str]:
    return [f"{_clock(start)}-{_clock(end)}" for start, end in hours]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _hours(openings: list[str]) -> Hours:
    return tuple(_minutes(opening) for opening in openings)


def _minutes(opening: str) -> tuple[int, int]:
    """From and to in minutes; raises ValueError."""
    found = _OPENING.fullmatch(opening)
    if found is None:
        raise ValueError(opening)
    start_hour, start, end_hour, end = map(int, found.groups())
    return start_hour * 60 + start, end_hour * 60 + end


def _is_day(part: str, day: str) -> bool:
    if part == "week":
        return day in WEEKDAYS
    try:
        return date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def _are_hours(openings: list[str]) -> bool:
    try:
        edges = [minute for opening in _hours(openings) for minute in opening]
    except ValueError:
        return False
    return edges == sorted(set(edges)) and all(minute <= DAY_MINUTES for minute in edges)
