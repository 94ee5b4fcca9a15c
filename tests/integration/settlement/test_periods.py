"""Months of the books: which one an entry goes to, and that a closed one takes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Actor, Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import closing, reads
from ticket_console.settlement.closing import (
    PeriodNotFound,
    PeriodNotOver,
    PeriodView,
    StalePeriod,
    WrongPeriodState,
)
from ticket_console.settlement.facts import Facts, Hazard
from ticket_console.settlement.kinds import JournalKind, PeriodState
from ticket_console.settlement.tables import Journal, Period

DECEMBER = datetime(2026, 12, 2, tzinfo=UTC)
journals, periods = table(Journal), table(Period)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


def finished(company: Company, moment: datetime, **changes: Any) -> Facts:
    return facts_of(company, started_at=moment, finished_at=moment, **changes)


def where_posted() -> list[tuple[JournalKind, str, str | None]]:
    """Each entry with its period and, where another, the period of the work."""
    origin = periods.alias("origin")
    with reading() as conn:
        return [
            tuple(row)
            for row in conn.execute(
                sa.select(journals.c.kind, periods.c.code, origin.c.code)
                .join(periods, periods.c.id == journals.c.period_id)
                .outerjoin(origin, origin.c.id == journals.c.origin_period_id)
                .order_by(journals.c.seq)
            )
        ]


def the_period(company: Company, code: str) -> PeriodView:
    with reading() as conn:
        return next(each for each in reads.periods(conn, viewer=company.actor()) if each.code == code)


def move(company: Company, step: Any, code: str, **changes: Any) -> PeriodView:
    period = the_period(company, code)
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": DECEMBER,
        "period_id": period.id,
        "expected_version": period.version,
        "command_id": f"{step.__name__}:{code}",
    }
    with transaction() as conn:
        view: PeriodView = step(conn, **wanted | changes)
        return view


def close(company: Company, code: str, at: datetime = DECEMBER) -> None:
    move(company, closing.begin_closing, code, at=at)
    move(company, closing.close, code, at=at)


def test_a_month_begins_and_ends_at_midnight_where_the_books_are_kept(company: Company) -> None:  # pains 43
    for moment in (
        datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 30, 16, 0, tzinfo=UTC),
        datetime(2026, 12, 31, 16, 0, tzinfo=UTC),
    ):
        settle(company, finished(company, moment))

    assert [code for _, code, _ in where_posted()] == ["2026-11", "2026-12", "2027-01"]
    november = the_period(company, "2026-11")
    assert november.starts_at == datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
    assert november.ends_at == datetime(2026, 11, 30, 16, 0, tzinfo=UTC)


def test_the_zone_of_the_books_decides_and_not_that_of_the_site(database: Database) -> None:
    company = open_company(tz="Europe/Berlin")
    new_year_in_shanghai = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)

    settle(company, finished(company, new_year_in_shanghai, site_tz="Asia/Shanghai"))

    assert where_posted() == [(JournalKind.RATING, "2026-12", None)]


def test_late_work_goes_to_the_next_open_month_and_keeps_its_own(company: Company) -> None:  # pains 42
    november, december = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    settle(company, finished(company, november))
    settle(company, finished(company, december))
    close(company, "2026-11")

    settle(company, finished(company, november))

    assert where_posted()[-1] == (JournalKind.RATING, "2026-12", "2026-11")


def test_a_month_is_opened_for_late_work_when_none_is(company: Company) -> None:
    november = datetime(2026, 11, 20, tzinfo=UTC)
    settle(company, finished(company, november))
    close(company, "2026-11")

    settle(company, finished(company, november))

    assert where_posted()[-1] == (JournalKind.RATING, "2026-12", "2026-11")


def test_work_of_a_month_nobody_opened_before_a_closed_one_is_late_too(company: Company) -> None:
    settle(company, finished(company, datetime(2026, 11, 20, tzinfo=UTC)))
    close(company, "2026-11")

    settle(company, finished(company, datetime(2026, 8, 20, tzinfo=UTC)))

    assert where_posted()[-1] == (JournalKind.RATING, "2026-12", "2026-08")
    assert the_period(company, "2026-08").state is PeriodState.CLOSED


def test_a_closing_month_takes_corrections_and_no_new_work(company: Company) -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    facts = finished(company, moment)
    settle(company, facts)
    move(company, closing.begin_closing, "2026-11")

    correct(company, replace(facts, hazards=(Hazard("height"),)))
    settle(company, finished(company, moment))

    assert where_posted()[1:] == [
        (JournalKind.REVERSAL, "2026-11", None),
        (JournalKind.RATING, "2026-11", None),
        (JournalKind.RATING, "2026-12", "2026-11"),
    ]


def test_correcting_work_of_a_closed_month_touches_only_the_open_one(company: Company) -> None:  # pains 39
    facts = finished(company, datetime(2026, 11, 20, tzinfo=UTC))
    settle(company, facts)
    close(company, "2026-11")

    correct(company, replace(facts, hazards=(Hazard("height"),)))

    assert where_posted() == [
        (JournalKind.RATING, "2026-11", None),
        (JournalKind.REVERSAL, "2026-12", "2026-11"),
        (JournalKind.RATING, "2026-12", "2026-11"),
    ]


def test_a_month_closes_in_two_steps_and_leaves_a_trace(company: Company) -> None:
    settle(company, finished(company, datetime(2026, 11, 20, tzinfo=UTC)))

    closing_now = move(company, closing.begin_closing, "2026-11")
    closed = move(company, closing.close, "2026-11")

    assert (closing_now.state, closed.state) == (PeriodState.CLOSING, PeriodState.CLOSED)
    assert closed.version == 3
    entries = table(AuditEntry)
    with reading() as conn:
        assert conn.execute(sa.select(entries.c.action, entries.c.payload)).all() == [
            ("period.closing", {"code": "2026-11"}),
            ("period.closed", {"code": "2026-11"}),
        ]


def test_a_month_is_closed_only_in_order_and_only_when_it_is_over(company: Company) -> None:
    settle(company, finished(company, datetime(2026, 11, 20, tzinfo=UTC)))

    with pytest.raises(WrongPeriodState):
        move(company, closing.close, "2026-11")
    with pytest.raises(PeriodNotOver):
        move(company, closing.begin_closing, "2026-11", at=datetime(2026, 11, 30, 15, 59, tzinfo=UTC))
    with pytest.raises(StalePeriod) as stale:
        move(company, closing.begin_closing, "2026-11", expected_version=7)
    with pytest.raises(PeriodNotFound):
        move(company, closing.begin_closing, "2026-11", period_id=10**6)

    assert stale.value.params == {"period": "2026-11", "state": "settlement.period.open"}
    assert the_period(company, "2026-11").state is PeriodState.OPEN


@pytest.mark.parametrize(
    ("role", "grant"),
    [
        (Role.DISPATCHER, {}),
        (Role.AUDITOR, {}),
        (Role.TECHNICIAN, {"scope": Scope.OWN}),
        (Role.FINANCE, {"scope": Scope.REGION, "region_ids": [1, 2]}),
    ],
)
def test_only_those_over_the_whole_organisation_close_its_months(
    company: Company, role: Role, grant: dict[str, Any]
) -> None:
    settle(company, finished(company, datetime(2026, 11, 20, tzinfo=UTC)))
    actor: Actor = company.actor(role, **grant)

    with pytest.raises(Forbidden):
        move(company, closing.begin_closing, "2026-11", actor=actor)

    assert the_period(company, "2026-11").state is PeriodState.OPEN


def test_opening_a_month_twice_opens_it_once(company: Company) -> None:
    wanted: dict[str, Any] = {"actor": company.actor(), "moment": DECEMBER}
    with transaction() as conn:
        first = closing.open_period(conn, **wanted)
    with transaction() as conn:
        again = closing.open_period(conn, actor=company.actor(), moment=DECEMBER + timedelta(days=3))

    assert first == again
    assert first.code == "2026-12"
