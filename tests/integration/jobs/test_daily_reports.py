"""The income of a day equals the books, and everybody is told of it once."""

from csv import DictReader
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from tests.builders.settlement import Company, correct, facts_of, open_company, settle
from ticket_console.access.tables import Region
from ticket_console.jobs import daily_reports
from ticket_console.jobs.kinds import ScheduleKind
from ticket_console.jobs.tables import ScheduleRun
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.notices import inbox
from ticket_console.notices.tables import Outbox
from ticket_console.people.tables import Technician
from ticket_console.settlement import daily, daily_files, ledger
from ticket_console.settlement.daily import DayHead, DayNotFound
from ticket_console.settlement.facts import Hazard
from ticket_console.settlement.kinds import AccountKind, DayPart, Dimension
from ticket_console.settlement.tables import DailyIncome, DailyIncomeLine

# STL-21
MIDNIGHT = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
FIVE = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAWN = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
SHANGHAI, URUMQI = "Asia/Shanghai", "Asia/Urumqi"
PAYABLE = {AccountKind.PAYABLE_WORKER, AccountKind.PAYABLE_VENDOR}

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    return open_company()


def pay(
    company: Company, at: datetime, *, who: int | None = None, region: int | None = None, **facts: Any
) -> int:
    """Settle daytime work at an instant; what the technician earns by it."""
    made = facts_of(company, technician_id=who or company.anna, **facts)
    return settle(company, made, at=at, region_id=region or company.north).total_minor


def days(company: Company, part: DayPart = DayPart.AFTERNOON) -> dict[tuple[str, date], DayHead]:
    with reading() as connection:
        found = daily.days(connection, viewer=company.actor(), part=part)
    return {(each.zone, each.local_day): each for each in found}


def lines(company: Company, day_id: int, **viewer: Any) -> daily.DayIncome:
    with reading() as connection:
        return daily.day(connection, viewer=company.actor(**viewer), day_id=day_id)


def told(company: Company, **viewer: Any) -> list[Any]:
    with reading() as connection:
        return list(inbox.inbox(connection, company.actor(**viewer)).notices)


def owed(company: Company, as_of_seq: int) -> int:
    """What the books say is owed to everybody who works, up to a place in the chain."""
    with reading() as connection:
        found = ledger.balances(connection, org_id=company.org_id, as_of_seq=as_of_seq)
    return -sum(each.balance_minor for each in found if each.kind in PAYABLE)


def move_south_to_urumqi(company: Company) -> None:
    with transaction() as connection:
        connection.execute(
            sa.update(table(Region)).where(table(Region).c.id == company.south).values(tz=URUMQI)
        )


def test_the_income_at_five_is_what_the_books_took_in_since_midnight(company: Company) -> None:
    pay(company, MIDNIGHT - timedelta(seconds=1))
    before = owed(company, 1)
    by_anna = pay(company, MIDNIGHT) + pay(company, FIVE - timedelta(seconds=1), hazards=(Hazard("height"),))
    by_bo = pay(company, FIVE - timedelta(hours=3), who=company.bo, region=company.south)
    pay(company, FIVE)

    assert daily_reports.run_schedules(FIVE + timedelta(seconds=9))["failed"] == 0

    head = days(company)[(SHANGHAI, date(2026, 11, 22))]
    assert head.total_minor == by_anna + by_bo == owed(company, 4) - before
    assert (head.tickets, head.as_of_seq) == (3, 5)
    assert (head.starts_at, head.until, head.taken_at) == (MIDNIGHT, FIVE, FIVE + timedelta(seconds=9))
    day = lines(company, head.id)
    assert {(each.payee.id, each.region_id): each.total_minor for each in day.lines} == {
        (company.anna, company.north): by_anna,
        (company.bo, company.south): by_bo,
    }
    assert day.lines[0].amounts == {Dimension.BASE_LABOUR: 20_000, Dimension.HAZARD: 2_000}
    assert all(sum(each.amounts.values()) == each.total_minor for each in day.lines)
    assert day.is_whole


def test_corrections_of_earlier_work_belong_to_the_day_they_are_made(company: Company) -> None:
    made = facts_of(company)
    earned = settle(company, made, at=MIDNIGHT - timedelta(hours=2)).total_minor
    farther = replace(made, distance_km=Decimal(40))
    higher = correct(company, farther, at=FIVE - timedelta(hours=1)).total_minor

    daily_reports.run_schedules(FIVE)

    head = days(company)[(SHANGHAI, date(2026, 11, 22))]
    assert (earned, higher) == (10_000, 13_600)
    assert (head.tickets, head.total_minor) == (1, 3_600)
    assert lines(company, head.id).lines[0].amounts == {Dimension.TRAVEL: 3_600}


def test_each_zone_has_its_own_five_o_clock(company: Company) -> None:
    move_south_to_urumqi(company)
    early = pay(company, FIVE - timedelta(minutes=10))
    in_the_west = pay(company, FIVE + timedelta(minutes=10), who=company.bo, region=company.south)
    too_late = FIVE + timedelta(hours=2)
    pay(company, too_late, who=company.bo, region=company.south)

    daily_reports.run_schedules(FIVE)
    daily_reports.run_schedules(too_late)

    found = days(company)
    day = date(2026, 11, 22)
    assert found[(SHANGHAI, day)].total_minor == early
    assert found[(URUMQI, day)].total_minor == in_the_west
    assert found[(URUMQI, day)].until == too_late
    assert found[(URUMQI, day)].starts_at == MIDNIGHT + timedelta(hours=2)


def test_work_that_belongs_to_no_region_is_in_the_zone_of_the_organisation(company: Company) -> None:
    move_south_to_urumqi(company)
    made = facts_of(company)
    settle(company, made, at=FIVE - timedelta(hours=1), region_id=None)

    daily_reports.run_schedules(FIVE + timedelta(hours=2))

    found = days(company)
    assert found[(SHANGHAI, date(2026, 11, 22))].total_minor == 10_000
    assert found[(URUMQI, date(2026, 11, 22))].total_minor == 0


def test_a_report_that_is_late_says_so_and_counts_no_more_than_one_in_time(company: Company) -> None:
    pay(company, FIVE - timedelta(hours=1))
    pay(company, FIVE + timedelta(hours=1))
    woken = FIVE + timedelta(hours=3)

    daily_reports.run_schedules(woken)

    head = days(company)[(SHANGHAI, date(2026, 11, 22))]
    assert (head.until, head.taken_at, head.as_of_seq) == (FIVE, woken, 2)
    assert head.total_minor == 10_000


def test_a_frozen_day_cannot_be_changed_and_is_not_frozen_again(company: Company) -> None:
    pay(company, FIVE - timedelta(hours=1))
    daily_reports.run_schedules(FIVE)
    head = days(company)[(SHANGHAI, date(2026, 11, 22))]
    pay(company, FIVE - timedelta(minutes=1))

    with transaction() as connection:
        again = daily.freeze(
            connection,
            org_id=company.org_id,
            at=FIVE + timedelta(hours=1),
            part=DayPart.AFTERNOON,
            zone=SHANGHAI,
            local_day=date(2026, 11, 22),
            starts_at=MIDNIGHT,
            until=FIVE,
        )
    assert again == head
    for changed in (DailyIncome, DailyIncomeLine):
        with pytest.raises(sa.exc.DBAPIError, match="written once"), transaction() as connection:
            connection.execute(sa.update(table(changed)).values(total_minor=1))


def test_everybody_is_told_before_dawn_what_they_earned_the_day_before(company: Company) -> None:
    earned = pay(company, MIDNIGHT) + pay(company, FIVE + timedelta(hours=6, minutes=59))
    pay(company, FIVE + timedelta(hours=7))

    daily_reports.run_schedules(DAWN - timedelta(seconds=1))
    assert not any("2026-11-22" in each.text["zh"] for each in told(company, **anna(company)))
    for _ in range(3):
        daily_reports.run_schedules(DAWN + timedelta(hours=1))

    (list_of_anna,) = [each for each in told(company, **anna(company)) if "2026-11-22" in each.text["zh"]]
    assert earned == 20_000
    assert list_of_anna.text == {
        "zh": "2026-11-22 收益 ¥200.00，共 2 张工单。点开查看明细。",
        "en": "On 2026-11-22 you earned CN¥200.00 with 2 tickets. Open it for the list.",
    }
    day_id = days(company, DayPart.WHOLE)[(SHANGHAI, date(2026, 11, 22))].id
    assert (list_of_anna.href, list_of_anna.ticket_id) == (f"/pay/day?day={day_id}", None)
    bo = company.actor(Role.TECHNICIAN, scope=Scope.OWN, technician_id=company.bo)
    with reading() as connection:
        (of_bo,) = [each for each in inbox.inbox(connection, bo).notices if "2026-11-22" in each.text["zh"]]
    assert of_bo.text["zh"] == "2026-11-22 没有入账收益。"


def anna(company: Company) -> dict[str, Any]:
    return {"role": Role.TECHNICIAN, "scope": Scope.OWN, "technician_id": company.anna}


def test_tiers_are_reviewed_once_a_day_of_the_books(company: Company) -> None:
    after_midnight = MIDNIGHT + timedelta(minutes=5)
    for at in (after_midnight - timedelta(seconds=1), after_midnight, after_midnight + timedelta(hours=1)):
        assert daily_reports.run_schedules(at)["failed"] == 0

    kept = table(ScheduleRun)
    with reading() as connection:
        reviews = connection.execute(
            sa.select(kept.c.zone, kept.c.local_day, kept.c.result)
            .where(kept.c.kind == ScheduleKind.TIER_REVIEW)
            .order_by(kept.c.local_day)
        ).all()
    assert [tuple(each) for each in reviews] == [
        (SHANGHAI, date(2026, 11, 21), {"changed": 0}),
        (SHANGHAI, date(2026, 11, 22), {"changed": 0}),
    ]


def test_more_people_are_told_than_a_command_has_row_ids_for(company: Company) -> None:
    with transaction() as connection:
        anna_row = dict(connection.execute(sa.select(table(Technician))).mappings().first() or {})
        del anna_row["id"]
        connection.execute(
            sa.insert(table(Technician)), [{**anna_row, "name": f"Technician {n}"} for n in range(1_500)]
        )

    assert daily_reports.run_schedules(DAWN)["failed"] == 0

    with reading() as connection:
        lists = sa.select(sa.func.count(sa.distinct(table(Outbox).c.recipient))).where(
            table(Outbox).c.fact_key == f"daily_list:{company.org_id}:2026-11-22"
        )
        assert connection.execute(lists).scalar_one() == 1_502


def test_who_moves_to_another_zone_overnight_gets_one_list(company: Company) -> None:
    move_south_to_urumqi(company)
    daily_reports.run_schedules(DAWN)
    with transaction() as connection:
        connection.execute(sa.update(table(Technician)).values(region_id=company.south))

    daily_reports.run_schedules(DAWN + timedelta(hours=2))

    with reading() as connection:
        lists = connection.execute(
            sa.select(table(Outbox).c.recipient).where(
                table(Outbox).c.fact_key == f"daily_list:{company.org_id}:2026-11-22",
            )
        ).scalars()
        assert sorted(lists) == sorted(f"technician:{each}" for each in (company.anna, company.bo))


def test_finance_and_managers_are_told_without_figures(company: Company) -> None:
    pay(company, FIVE - timedelta(hours=1))

    daily_reports.run_schedules(FIVE)
    daily_reports.run_schedules(FIVE + timedelta(hours=1))

    for role in (Role.FINANCE, Role.MANAGER):
        (notice,) = [each for each in told(company, role=role) if "2026-11-22" in each.text["zh"]]
        assert notice.text["en"] == "The income of 2026-11-22 in Asia/Shanghai, as of 17:00, is ready."
    assert told(company, role=Role.DISPATCHER) == []


def test_a_day_shows_what_the_viewer_may_read(company: Company) -> None:
    by_anna = pay(company, FIVE - timedelta(hours=2))
    by_bo = pay(company, FIVE - timedelta(hours=1), who=company.bo, region=company.south)
    daily_reports.run_schedules(FIVE)
    head = days(company)[(SHANGHAI, date(2026, 11, 22))]

    northern = lines(company, head.id, scope=Scope.REGION, region_ids={company.north})
    own = lines(company, head.id, **anna(company))

    assert (northern.total_minor, northern.tickets, northern.is_whole) == (by_anna, 1, False)
    assert (own.total_minor, own.is_whole) == (by_anna, False)
    assert lines(company, head.id).total_minor == by_anna + by_bo
    with pytest.raises(Forbidden):
        lines(company, head.id, role=Role.DISPATCHER)
    with reading() as connection, pytest.raises(Forbidden):
        daily.local_days(connection, viewer=company.actor(**anna(company)))
    with pytest.raises(DayNotFound):
        lines(company, head.id + 1_000)


def test_all_lists_of_all_days_add_up_to_the_books(company: Company) -> None:
    """Every posting is on one list of one day, whatever was settled, corrected, when, where and by whom."""
    move_south_to_urumqi(company)
    luck = Random(21)
    settled = []
    for _ in range(14):
        at = MIDNIGHT + timedelta(seconds=luck.randrange(3 * 86_400))
        who = luck.choice((company.anna, company.bo))
        made = facts_of(company, technician_id=who, distance_km=Decimal(luck.randrange(60)))
        where = luck.choice((company.north, company.south, None))
        settle(company, made, at=at, region_id=where)
        settled.append((made, where, at))
    for made, where, at in luck.sample(settled, 5):
        farther = replace(made, distance_km=made.distance_km + luck.randrange(1, 30))
        later = at + timedelta(seconds=luck.randrange(86_400))
        correct(company, farther, at=later, region_id=where)

    for hours in range(0, 24 * 6, 12):
        daily_reports.run_schedules(MIDNIGHT + timedelta(hours=hours))

    heads = days(company, DayPart.WHOLE)
    assert sum(each.total_minor for each in heads.values()) == owed(company, 1_000)
    assert len({zone for zone, _ in heads}) == 2
    for technician_id in (company.anna, company.bo):
        viewer = company.technician(technician_id)
        with reading() as connection:
            for mine in daily.own_days(connection, viewer=viewer):
                tickets = daily.own_tickets(connection, viewer=viewer, day_id=mine.day_id)
                assert sum(each.amount_minor for each in tickets) == mine.total_minor


def test_files_of_a_day_hold_its_figures_to_the_cent(company: Company) -> None:
    pay(company, FIVE - timedelta(hours=2), hazards=(Hazard("height"),), distance_km=Decimal("35.5"))
    pay(company, FIVE - timedelta(hours=1), who=company.bo, region=company.south)
    with transaction() as connection:
        # Nothing in a name is a formula.
        connection.execute(
            sa.update(table(Technician)).where(table(Technician).c.id == company.bo).values(name="=1+1")
        )
    daily_reports.run_schedules(FIVE + timedelta(seconds=7))
    with reading() as connection:
        day = daily.national(connection, viewer=company.actor(), local_day=date(2026, 11, 22))

    sheet = load_workbook(BytesIO(daily_files.day_xlsx(day, locale="en"))).active
    rows = list(sheet.iter_rows(values_only=True))
    top = next(index for index, row in enumerate(rows) if row[1] == "Region")
    found = [dict(zip(rows[top], row, strict=True)) for row in rows[top + 1 : top + 3]]

    head = day.zones[0].head
    assert rows[1][1] == (
        "Asia/Shanghai < 2026-11-22 17:00:00+08:00 · 2026-11-22 17:00:07+08:00 · "
        f"#{head.as_of_seq} · {head.content_hash}"
    )
    assert [round(Decimal(str(row["Amount"])) * 100) for row in found] == [15_060, 10_000]
    assert (day.total_minor, day.tickets) == (25_060, 2)
    assert [found[0][each] for each in ("Base labour", "Hazard pay", "Travel", "Parts")] == [100, 20, 30.6, 0]
    assert found[0]["Payee no."] == str(company.anna)
    assert found[1]["Payee"] == "=1+1"
    assert sheet.cell(row=top + 3, column=5).data_type == "s"

    text = daily_files.day_csv(day, locale="zh").decode("utf-8-sig")
    read = list(DictReader(StringIO(text)))
    assert sum(round(Decimal(row["金额"]) * 100) for row in read) == day.total_minor
    assert read[1]["收款方"] == "'=1+1"
    assert daily_files.day_filename(day, "csv") == "income-2026-11-22.csv"
