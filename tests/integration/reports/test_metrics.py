"""Every figure of the dashboard is the number of tickets in the list behind it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import CHENGDU, Company, found_company
from ticket_console.access.tables import Region
from ticket_console.desk.moving import cancel
from ticket_console.forms.tables import Template
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports import metrics
from ticket_console.reports.metrics import (
    EVERYTHING,
    Dashboard,
    Metric,
    Order,
    Slice,
    Sorting,
    TicketList,
    dashboard,
    ticket_list,
)
from ticket_console.tickets.tables import Ticket

TICKETS = table(Ticket)
HOUR = timedelta(hours=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def put(ticket_id: int, **columns: Any) -> None:
    """What a ticket would be after days of work, without the days."""
    with transaction() as connection:
        connection.execute(sa.update(TICKETS).where(TICKETS.c.id == ticket_id).values(**columns))


def look(company: Company, by: str = "manager", at: datetime | None = None, **narrow: Any) -> Dashboard:
    with reading() as connection:
        return dashboard(connection, viewer=company.actor(by), at=at or company.at, slice=Slice(**narrow))


def listed(
    company: Company,
    metric: Metric | None,
    slice: Slice = EVERYTHING,
    *,
    by: str = "manager",
    viewer: Actor | None = None,
    at: datetime | None = None,
    **wish: Any,
) -> TicketList:
    with reading() as connection:
        return ticket_list(
            connection,
            viewer=viewer or company.actor(by),
            at=at or company.at,
            slice=slice,
            metric=metric,
            **wish,
        )


def counts(shown: Dashboard) -> Mapping[Metric, int]:
    return {tile.metric: tile.count for tile in shown.tiles}


@pytest.fixture
def busy(company: Company, at: datetime) -> Company:
    """Six tickets in two regions and one nowhere, at every point of their lives.

    Two templates, three open and two of those late, one nobody has, three answered, two resolved.
    """
    fresh = company.open(at=at - HOUR)
    put(fresh.ticket_id, due_at=at + HOUR, responded_at=at - HOUR / 2)
    late = company.open(at=at - 30 * HOUR)
    put(late.ticket_id, due_at=at - HOUR, responded_at=at - 28 * HOUR)
    waiting = company.open(at=at - 2 * HOUR, lat=CHENGDU[0], lon=CHENGDU[1], template="complaint")
    put(waiting.ticket_id, due_at=at - timedelta(minutes=1), assignee_id=None)
    nowhere = company.open(at=at - 3 * HOUR, lat=None, lon=None)
    put(
        nowhere.ticket_id,
        region_id=None,
        closed_at=at - HOUR,
        resolved_at=at - HOUR,
        responded_at=at - 2 * HOUR,
    )
    for hours in (26, 400):
        done = company.open(at=at - hours * HOUR - 4 * HOUR, lat=CHENGDU[0], lon=CHENGDU[1])
        ended = at - hours * HOUR
        put(done.ticket_id, closed_at=ended, resolved_at=ended, responded_at=ended - 3 * HOUR)
    return company


def test_the_tiles_say_how_things_stand(busy: Company) -> None:  # RPT-01
    assert counts(look(busy)) == {
        Metric.OPEN: 3,
        Metric.OPENED: 3,
        Metric.CLOSED: 1,
        Metric.OVERDUE: 2,
        Metric.UNASSIGNED: 1,
        Metric.RESPONDED: 4,
        Metric.RESOLVED: 2,
    }


@pytest.mark.parametrize("by", ["manager", "dispatcher_cd", "finance"])
def test_every_tile_is_the_number_of_tickets_in_its_list(busy: Company, by: str) -> None:  # RPT-01
    regions, templates = [None, 0, *busy.regions.values()], template_ids()
    for region_id, template_id in product(regions, [None, templates["repair"], templates["complaint"]]):
        slice = Slice(region_id=region_id, template_id=template_id)
        with reading() as connection:
            shown = dashboard(connection, viewer=busy.actor(by), at=busy.at, slice=slice)
        for tile in shown.tiles:
            behind = listed(busy, tile.metric, slice, by=by)
            assert (slice, tile.metric, tile.count) == (slice, tile.metric, behind.count)
            assert len(behind.rows) == behind.count


@pytest.mark.parametrize("by", ["manager", "dispatcher_cd"])
def test_every_bar_is_the_number_of_tickets_in_its_list(busy: Company, by: str) -> None:  # RPT-01
    shown = look(busy, by)

    bars = (*shown.by_region, *shown.by_template)
    assert len(bars) == {"manager": 5, "dispatcher_cd": 3}[by]
    for bar in bars:
        for metric, count in (
            (Metric.OPEN, bar.open),
            (Metric.OVERDUE, bar.overdue),
            (Metric.IN_TIME, bar.in_time),
            (Metric.RESPONDED, bar.responded),
        ):
            assert (bar.name, metric, count) == (
                bar.name,
                metric,
                listed(busy, metric, bar.slice, by=by).count,
            )
    for day in shown.days:
        assert day.opened == listed(busy, Metric.OPENED, by=by, on=day.on).count
        assert day.closed == listed(busy, Metric.CLOSED, by=by, on=day.on).count


def test_bars_add_up_to_the_tile(busy: Company) -> None:  # RPT-01
    shown = look(busy)

    assert sum(bar.open for bar in shown.by_region) == counts(shown)[Metric.OPEN]
    assert sum(bar.open for bar in shown.by_template) == counts(shown)[Metric.OPEN]
    assert sum(bar.responded for bar in shown.by_region) == counts(shown)[Metric.RESPONDED]
    assert (len(shown.days), shown.days[-1].on) == (14, date(2026, 11, 21))
    assert shown.days[-1].opened == counts(shown)[Metric.OPENED]


def test_a_region_where_nothing_is_open_keeps_its_response_time(busy: Company) -> None:
    nowhere = next(bar for bar in look(busy).by_region if bar.slice.region_id == 0)

    assert (nowhere.open, nowhere.responded, nowhere.median_response_seconds) == (0, 1, 3600.0)


def test_a_region_takes_in_what_lies_below_it_and_its_own_bar_does_not(busy: Company) -> None:
    regions = table(Region)
    with transaction() as connection:
        connection.execute(
            sa.update(regions).where(regions.c.id == busy.regions["cd"]).values(parent_id=busy.regions["sh"])
        )

    assert listed(busy, Metric.OPEN, Slice(region_id=busy.regions["sh"])).count == 3
    bars = {bar.slice.region_id: bar for bar in look(busy).by_region}
    parent = bars[busy.regions["sh"]]
    assert (parent.open, listed(busy, Metric.OPEN, parent.slice).count) == (2, 2)


@pytest.mark.parametrize(
    ("local", "is_today"),
    [
        ("2026-11-20T23:59:59.999+08:00", False),
        ("2026-11-21T00:00:00+08:00", True),
        ("2026-11-21T23:59:59.999+08:00", True),
        ("2026-11-22T00:00:00+08:00", False),
    ],
)
def test_a_day_is_a_day_of_the_organisation(company: Company, local: str, is_today: bool) -> None:
    moment = datetime.fromisoformat(local).astimezone(UTC)
    ticket = company.open()
    put(ticket.ticket_id, opened_at=moment, closed_at=moment)

    shown = look(company)

    assert counts(shown)[Metric.OPENED] == counts(shown)[Metric.CLOSED] == int(is_today)
    assert listed(company, Metric.OPENED).count == listed(company, Metric.CLOSED).count == int(is_today)


def test_a_ticket_is_late_from_the_moment_after_its_due_time(company: Company, at: datetime) -> None:
    ticket = company.open()
    put(ticket.ticket_id, due_at=at + HOUR)

    assert counts(look(company, at=at + HOUR))[Metric.OVERDUE] == 0
    later = at + HOUR + timedelta(milliseconds=1)
    assert counts(look(company, at=later))[Metric.OVERDUE] == 1
    assert listed(company, Metric.IN_TIME, at=later).count == 0


def test_a_cancelled_ticket_is_not_open(company: Company, at: datetime) -> None:
    ticket = company.open()
    cancel(
        actor=company.actor("dispatcher"),
        at=at,
        command_id="cancel",
        ticket_id=ticket.ticket_id,
        expected_version=ticket.version,
        reason="customer called it off",
    )

    assert (counts(look(company))[Metric.OPEN], counts(look(company))[Metric.CLOSED]) == (0, 1)


@pytest.mark.parametrize(
    ("minutes", "median", "ninetieth"), [([7], 7, 7), ([3, 9], 3, 9), (range(1, 11), 5, 9)]
)
def test_median_and_ninetieth_are_times_that_occurred(
    company: Company, at: datetime, minutes: list[int], median: int, ninetieth: int
) -> None:
    for each in minutes:
        opened = at - 5 * HOUR
        ticket = company.open(at=opened)
        reached = opened + timedelta(minutes=each)
        put(ticket.ticket_id, responded_at=reached, resolved_at=reached)

    shown = look(company)

    for tile in shown.tiles[-2:]:
        assert (tile.count, tile.median_seconds, tile.p90_seconds) == (
            len(minutes),
            median * 60,
            ninetieth * 60,
        )
    assert shown.by_region[0].median_response_seconds == median * 60


def test_without_tickets_there_is_no_median(company: Company) -> None:
    shown = look(company)

    assert [(tile.count, tile.median_seconds, tile.p90_seconds) for tile in shown.tiles] == [
        (0, None, None)
    ] * 7
    assert (shown.by_region, shown.by_template) == ((), ())


def test_a_dispatcher_of_a_region_sees_only_that_region(busy: Company) -> None:  # PRM-05
    shown = look(busy, "dispatcher_cd")

    assert counts(shown)[Metric.OPEN] == 1
    assert [bar.slice.region_id for bar in shown.by_region] == [busy.regions["cd"]]
    elsewhere = Slice(region_id=busy.regions["sh"])
    assert listed(busy, None, elsewhere, by="dispatcher_cd").count == 0
    assert listed(busy, None, Slice(region_id=0), by="dispatcher_cd").count == 0


def test_a_technician_has_a_list_of_their_own_and_no_dashboard(busy: Company) -> None:
    with reading() as connection:
        theirs = connection.execute(
            sa.select(sa.func.count())
            .select_from(TICKETS)
            .where(TICKETS.c.assignee_id == busy.technicians["tech_near"])
        ).scalar_one()

    assert listed(busy, None, by="tech_near").count == theirs > 0
    with pytest.raises(Forbidden):
        look(busy, "tech_near")


def test_somebody_without_tickets_of_their_own_does_not_get_those_of_nobody(busy: Company) -> None:
    technician = busy.actor("tech_near")
    stranger = Actor(
        kind=technician.kind,
        org_id=technician.org_id,
        display="new",
        user_id=technician.user_id,
        grants=technician.grants,
    )

    assert listed(busy, None, viewer=stranger).count == 0


def test_a_search_takes_what_was_typed_literally(busy: Company) -> None:
    ticket = busy.open(title="50% off_sale")

    assert [row.id for row in listed(busy, None, search="50% off_").rows] == [ticket.ticket_id]
    assert listed(busy, None, search="5_% off").count == 0
    assert [row.no for row in listed(busy, None, search=ticket.no.lower()).rows] == [ticket.no]


def test_a_list_is_ordered_with_empty_values_last_either_way(busy: Company) -> None:
    put(listed(busy, Metric.OPEN).rows[0].id, due_at=None)

    for descending in (False, True):
        rows = listed(busy, Metric.OPEN, sorting=Sorting(Order.DUE, descending)).rows
        known = [row.due_at for row in rows if row.due_at]
        assert rows[-1].due_at is None
        assert known == sorted(known, reverse=descending)


def test_every_order_can_be_asked_of_every_list(busy: Company) -> None:
    for metric, order in product((None, *Metric), Order):
        up = listed(busy, metric, sorting=Sorting(order)).rows
        down = listed(busy, metric, sorting=Sorting(order, descending=True)).rows
        assert {row.id for row in up} == {row.id for row in down}


def test_pages_hold_every_ticket_once(busy: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "PAGE", 4)

    pages = [listed(busy, None, page=page) for page in (1, 2)]

    assert [(page.page, page.pages, page.count, len(page.rows)) for page in pages] == [
        (1, 2, 6, 4),
        (2, 2, 6, 2),
    ]
    assert len({row.id for page in pages for row in page.rows}) == 6
    assert listed(busy, None, page=9).page == 2


def template_ids() -> Mapping[str, int]:
    templates = table(Template)
    with reading() as connection:
        return {row.code: row.id for row in connection.execute(sa.select(templates))}
