"""What is done every day: the income at 17:00 of each zone, everybody's list before dawn, review of tiers."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from babel.numbers import format_currency, get_currency_precision
from sqlalchemy.engine import Connection

from ticket_console.i18n import translate
from ticket_console.jobs import local_days
from ticket_console.jobs.kinds import ScheduleKind
from ticket_console.jobs.schedules import DayRun, Schedule, run_due
from ticket_console.kernel.actor import Role, system_actor
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.notices import outbox
from ticket_console.notices.tables import Channel
from ticket_console.settlement import daily, tiering
from ticket_console.settlement.daily import DayHead
from ticket_console.settlement.kinds import DayPart

AFTERNOON: Final = time(17)
BEFORE_DAWN: Final = time(5)
AFTER_MIDNIGHT: Final = time(0, 5)
_NEWCOMERS: Final = 100
_BABEL: Final = {"zh": "zh_Hans_CN", "en": "en"}
# Who is told that the income of the day is there. What of it they may read is asked when they look.
READERS: Final = (Role.FINANCE, Role.MANAGER)


def income_of_the_day(connection: Connection, run: DayRun, at: datetime) -> Mapping[str, Any]:
    """Freeze what was earned from midnight to five in a zone, and say that it is there."""
    starts_at, _ = local_days.span(run.local_day, run.zone)
    head = daily.freeze(
        connection,
        org_id=run.org_id,
        at=at,
        part=DayPart.AFTERNOON,
        zone=run.zone,
        local_day=run.local_day,
        starts_at=starts_at,
        until=run.due_at,
    )
    for role in READERS:
        outbox.enqueue(
            connection,
            org_id=run.org_id,
            at=at,
            ticket_id=None,
            fact_key=f"daily_income:{run.org_id}:{run.zone}:{run.local_day}",
            channel=Channel.CONSOLE,
            recipient=f"role:{role.value}",
            payload={
                "text": {
                    locale: translate(
                        "daily.told.income", locale, place=run.zone, day=run.local_day.isoformat()
                    )
                    for locale in LOCALES
                },
                "href": f"/settlement/daily?day={run.local_day}",
            },
        )
    return _came_to(head)


def lists_of_yesterday(connection: Connection, run: DayRun, at: datetime) -> Mapping[str, Any]:
    """Freeze what everybody at home in a zone earned the day before, and tell each of them."""
    yesterday = run.local_day - timedelta(days=1)
    starts_at, until = local_days.span(yesterday, run.zone)
    head = daily.freeze(
        connection,
        org_id=run.org_id,
        at=at,
        part=DayPart.WHOLE,
        zone=run.zone,
        local_day=yesterday,
        starts_at=starts_at,
        until=until,
    )
    earned = daily.earned_by_technician(connection, head.id)
    texts = {each: _list_text(yesterday, *each, head.currency) for each in {*earned.values(), (0, 0)}}
    told = outbox.tell_many(
        connection,
        org_id=run.org_id,
        at=at,
        # The day without the zone: whoever moves to another zone overnight is told once all the same.
        fact_key=f"daily_list:{run.org_id}:{yesterday}",
        told={
            f"technician:{each}": {
                "text": texts[earned.get(each, (0, 0))],
                "href": f"/pay/day?day={head.id}",
            }
            for each in daily.people_of_zone(connection, run.org_id, run.zone)
        },
    )
    return {**_came_to(head), "told": told}


def _list_text(day: date, tickets: int, amount_minor: int, currency: str) -> LocalText:
    key = "daily.told.list" if tickets else "daily.told.nothing"
    return {
        locale: translate(
            key,
            locale,
            day=day.isoformat(),
            n=tickets,
            amount=_amount_text(amount_minor, currency, locale),
        )
        for locale in LOCALES
    }


def people_to_tell(connection: Connection, run: DayRun) -> int:
    """Somebody may come to the zone between being counted and being told."""
    return len(daily.people_of_zone(connection, run.org_id, run.zone)) + _NEWCOMERS


def _amount_text(amount_minor: int, currency: str, locale: str) -> str:
    amount = Decimal(amount_minor).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale=_BABEL[locale])


def _came_to(head: DayHead) -> dict[str, Any]:
    return {
        "day_id": head.id,
        "tickets": head.tickets,
        "total_minor": head.total_minor,
        "as_of_seq": head.as_of_seq,
    }


def review_tiers(connection: Connection, run: DayRun, at: datetime) -> Mapping[str, Any]:
    """Let customers and partners enter and leave their tiers as of the day it is now, never of one before."""
    changed = tiering.review(
        connection,
        actor=system_actor(run.org_id),
        at=at,
        command_id=f"tiers:{run.zone}:{run.local_day}",
    )
    return {"changed": changed}


SCHEDULES: Final = (
    Schedule(ScheduleKind.DAILY_INCOME, AFTERNOON, daily.zones_of_work, income_of_the_day),
    Schedule(
        ScheduleKind.TECHNICIAN_LISTS, BEFORE_DAWN, daily.zones_of_people, lists_of_yesterday, people_to_tell
    ),
    Schedule(ScheduleKind.TIER_REVIEW, AFTER_MIDNIGHT, daily.zone_of_books, review_tiers),
)


def run_schedules(at: datetime) -> Mapping[str, int]:
    """Make the reports whose hour has come; any number of workers may do so at once."""
    return run_due(SCHEDULES, at)
