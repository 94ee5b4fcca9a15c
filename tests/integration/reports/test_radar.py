"""DSP-16, DSP-17: how long steps take, and what the next four hours bring, from what is written down."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.builders.modes import engage_vendor, hire_somebody
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor, ActorKind, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.people import papers
from ticket_console.reports.forecasting import WEEKS
from ticket_console.reports.metrics import Slice
from ticket_console.reports.radar import Radar, StageOutlook, radar
from ticket_console.reports.stages import StepTimes, heat_of, step_times
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.tables import OwnerKind, Ticket, TokenRow

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
TICKETS, TOKENS = table(Ticket), table(TokenRow)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def stay(
    company: Company, ticket_id: int, node: str, entered: datetime, left: datetime | None
) -> dict[str, Any]:
    return {
        "id": ids.take("row"),
        "org_id": company.org_id,
        "ticket_id": ticket_id,
        "node_key": node,
        "state": TokenState.ACTIVE if left is None else TokenState.DONE,
        "owner_kind": OwnerKind.QUEUE,
        "forks": [],
        "entered_at": entered,
        "left_at": left,
    }


def write(stays: list[dict[str, Any]]) -> None:
    with transaction() as connection:
        connection.execute(sa.insert(TOKENS), stays)


def put(ticket_id: int, **columns: Any) -> None:
    with transaction() as connection:
        connection.execute(sa.update(TICKETS).where(TICKETS.c.id == ticket_id).values(**columns))


def look(company: Company, at: datetime, by: str = "manager", **narrow: Any) -> Radar:
    with reading() as connection:
        return radar(connection, viewer=company.actor(by), at=at, slice=Slice(**narrow))


def stage(found: Radar, key: str) -> StageOutlook:
    return next(each for each in found.stages if each.key == key)


def times(company: Company, at: datetime, by: str = "manager") -> dict[str, StepTimes]:
    with reading() as connection:
        found = step_times(connection, viewer=company.actor(by), since=at - WEEK, until=at)
    return {each.node_key: each for each in found}


def test_the_times_of_a_step_are_its_median_and_the_time_nine_of_ten_keep(
    company: Company, at: datetime
) -> None:
    ticket = company.open()
    start = at - timedelta(days=2)
    write(
        [
            stay(company, ticket.ticket_id, "onsite", start, start + minutes * HOUR / 60)
            for minutes in range(1, 11)
        ]
        + [stay(company, ticket.ticket_id, "accept_any", start, start + HOUR / 60)]
        # Outside the period, and still there: neither counts.
        + [stay(company, ticket.ticket_id, "onsite", start - 2 * WEEK, start - WEEK)]
        + [stay(company, ticket.ticket_id, "onsite", start, None)]
    )

    found = times(company, at)

    assert (found["onsite"].count, found["onsite"].p50_seconds, found["onsite"].p90_seconds) == (10, 300, 540)
    assert (found["onsite"].stage, found["onsite"].heat) == ("onsite", "hot")
    assert (found["accept_any"].count, found["accept_any"].p90_seconds, found["accept_any"].heat) == (
        1,
        60,
        "cool",
    )
    assert times(company, at, by="dispatcher_cd") == {}


def test_heat_is_the_share_of_the_slowest_step() -> None:
    assert [heat_of(seconds, 100) for seconds in (0, 24, 25, 59, 60, 100)] == [
        "cool",
        "cool",
        "warm",
        "warm",
        "hot",
        "hot",
    ]
    assert heat_of(0, 0) == "cool"


def weekly_rush(company: Company, ticket_id: int, at: datetime) -> list[dict[str, Any]]:
    """Twelve come to the work on site within the second hour from now, every week, and stay for a day."""
    return [
        stay(
            company, ticket_id, "onsite", begins + number * HOUR / 60, begins + 20 * HOUR + number * HOUR / 60
        )
        for week in range(1, WEEKS + 1)
        for begins in [at - week * WEEK + 1.5 * HOUR]
        for number in range(12)
    ]


def test_a_rush_hour_of_every_week_is_foreseen_with_its_own_hit_rate(company: Company, at: datetime) -> None:
    ticket = company.open()
    write(weekly_rush(company, ticket.ticket_id, at))

    onsite = stage(look(company, at), "onsite")

    assert (onsite.now, onsite.is_fieldwork) == (0, True)
    assert [round(each.mean) for each in onsite.queue.outlooks] == [0, 12, 12, 12]
    assert onsite.growth == 12
    # The same hours of the weeks before were foreseen just so.
    assert onsite.queue.tried > 1_000
    assert onsite.queue.hit_rate == 1.0


def test_the_hit_rate_is_counted_and_falls_where_forecasts_failed(company: Company, at: datetime) -> None:
    ticket = company.open()
    steady = weekly_rush(company, ticket.ticket_id, at)
    surprises = [
        stay(company, ticket.ticket_id, "onsite", begins, begins + 5 * HOUR / 2)
        for day in range(1, 13)
        for begins in [at - timedelta(days=day, hours=(day * 7) % 20)]
        for _ in range(30)
    ]
    write(steady + surprises)

    onsite = stage(look(company, at), "onsite")

    assert onsite.queue.hit_rate is not None
    assert 0.5 < onsite.queue.hit_rate < 0.98


def test_what_is_due_soon_and_usually_takes_longer_will_be_late(company: Company, at: datetime) -> None:
    for _ in range(4):
        past = company.open(at=at - timedelta(days=10))
        write([stay(company, past.ticket_id, "onsite", at - timedelta(days=10), at - timedelta(days=9))])
        put(past.ticket_id, closed_at=at - timedelta(days=9))
    soon, later, over = (company.open(at=at - HOUR) for _ in range(3))
    for ticket, due_at in ((soon, at + 1.5 * HOUR), (later, at + 9 * HOUR), (over, at - HOUR / 2)):
        write([stay(company, ticket.ticket_id, "onsite", at - HOUR, None)])
        put(ticket.ticket_id, due_at=due_at)

    onsite = stage(look(company, at), "onsite")

    assert (onsite.now, onsite.late_now) == (3, 1)
    assert [(each.mean, each.low, each.high) for each in onsite.late] == [(0, 0, 0)] + [(1, 1, 1)] * 3


def test_forecasts_of_lateness_are_checked_by_what_became_of_the_tickets(
    company: Company, at: datetime
) -> None:
    """All that went before took a day; one that was done in an hour was not foreseen."""
    for _ in range(4):
        past = company.open(at=at - timedelta(days=20))
        write([stay(company, past.ticket_id, "onsite", at - timedelta(days=20), at - timedelta(days=19))])
        put(past.ticket_id, closed_at=at - timedelta(days=19))
    base = at - timedelta(days=3)
    for took, days in ((24 * HOUR, 0), (1.2 * HOUR, 1)):
        entered = base + timedelta(days=days) - HOUR
        ticket = company.open(at=entered)
        write([stay(company, ticket.ticket_id, "onsite", entered, entered + took)])
        put(ticket.ticket_id, due_at=entered + 2 * HOUR, closed_at=entered + took)

    onsite = stage(look(company, at), "onsite")

    assert (onsite.late_hits, onsite.late_tried) == (1, 2)


def test_what_would_help_is_suggested_with_its_effect(company: Company, at: datetime) -> None:
    ticket = company.open()
    stays = weekly_rush(company, ticket.ticket_id, at)
    stays += [
        stay(company, ticket.ticket_id, "onsite", begins - HOUR, begins)
        for week in range(1, WEEKS + 1)
        for begins in [at - week * WEEK + 2.5 * HOUR]
        for _ in range(6)
    ]
    write(stays)

    lent = look(company, at, region_id=company.regions["sh"]).suggestion

    assert lent is not None
    # Two people usually finish six within the time, three each: both of them do what they can.
    assert (lent.stage, lent.opens_standby, lent.relief.people) == ("onsite", False, 2)
    assert (lent.relief.queue_before, lent.relief.queue_after) == (12.0, 6.0)

    vendor_id = engage_vendor(company, "reserve")
    hire_somebody(company, "reserve", vendor_id=vendor_id)
    with transaction() as connection:
        papers.agree(
            connection,
            actor=system_actor(company.org_id),
            at=company.at,
            command_id="agree",
            vendor_id=vendor_id,
            is_standby=True,
        )
    pooled = look(company, at, region_id=company.regions["sh"]).suggestion
    assert pooled is not None
    assert (pooled.opens_standby, pooled.relief.people, pooled.relief.queue_after) == (True, 1, 9.0)


def test_only_what_the_viewer_may_see_is_counted(company: Company, at: datetime) -> None:
    write(weekly_rush(company, company.open().ticket_id, at))

    assert look(company, at, by="dispatcher_cd") == Radar((), None)
    with pytest.raises(Forbidden), reading() as connection:
        radar(connection, viewer=Actor(ActorKind.CUSTOMER, company.org_id, "x", ticket_id=1), at=at)
