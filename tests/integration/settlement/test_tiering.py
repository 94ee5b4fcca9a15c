"""Tiers on the books: reviewed day by day, kept as windows, found by the service date."""

from datetime import date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import FINISHED, SETTLED, Company, facts_of, make_ticket, open_company, settle
from tests.fixtures.databases import Database
from tests.integration.settlement.test_sides import customer_of, vendor_of
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import payees, tiering
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.sides import RULE_SETS
from ticket_console.settlement.tables import Period, TierWindow
from ticket_console.settlement.tiering import Tiers
from ticket_console.settlement.tiers import PeakPolicy, Performance
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Ticket

NOON = datetime.fromisoformat("2026-11-10T12:00:00+08:00")
WEEK = PeakPolicy(tier="vip", days=7, enter_at=3, leave_below=2)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company(codes=tuple(RULE_SETS.values()))


def asked(company: Company, customer_id: int, *days_before: int) -> None:
    """The customer opened a ticket so many days before the tenth of November."""
    tickets = table(Ticket)
    with transaction() as conn:
        for days in days_before:
            ticket_id, _ = make_ticket(conn, company)
            conn.execute(
                sa.update(tickets)
                .where(tickets.c.id == ticket_id)
                .values(customer_id=customer_id, opened_at=NOON - timedelta(days=days))
            )


def review(company: Company, *, days: int = 0, **changes: Any) -> int:
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": NOON + timedelta(days=days),
        "command_id": f"review:{days}",
        "peak": WEEK,
    }
    with transaction() as conn:
        return tiering.review_customers(conn, **wanted | changes)


def windows(company: Company, subject: Payee) -> list[tuple[str, date, date | None]]:
    with reading() as conn:
        found = tiering.timeline(conn, viewer=company.actor(), subject=subject)
    return [(each.tier, each.starts_on, each.ends_on) for each in found]


def tiers_on(company: Company, day: date, customer_id: int | None, vendor_id: int | None = None) -> Tiers:
    with reading() as conn:
        return tiering.tiers_on(
            conn, org_id=company.org_id, day=day, customer_id=customer_id, vendor_id=vendor_id
        )


def test_a_customer_is_in_the_tier_for_the_days_of_the_peak_only(company: Company) -> None:  # STL-16
    customer_id = customer_of(company)
    asked(company, customer_id, 1, 2, 3, 0)

    assert [review(company, days=days) for days in (0, 0, 1, 6, 7, 8)] == [1, 0, 0, 0, 1, 0]

    tenth = date(2026, 11, 10)
    left = tenth + timedelta(days=7)
    assert windows(company, payees.customer(customer_id)) == [("vip", tenth, left)]
    on = {day: tiers_on(company, tenth + timedelta(days=day), customer_id).customer for day in (-1, 0, 6, 7)}
    assert on == {-1: "", 0: "vip", 6: "vip", 7: ""}


def test_what_was_called_off_makes_nobody_a_frequent_customer(company: Company) -> None:
    customer_id = customer_of(company)
    asked(company, customer_id, 1, 2, 3, 0)
    tickets = table(Ticket)
    with transaction() as conn:
        called_off = sa.update(tickets).where(tickets.c.customer_id == customer_id)
        conn.execute(called_off.values(status=TicketStatus.CANCELLED))

    assert review(company) == 0
    assert windows(company, payees.customer(customer_id)) == []


def test_who_asks_often_again_is_in_the_tier_again_and_the_past_stays(company: Company) -> None:
    customer_id = customer_of(company)
    asked(company, customer_id, 1, 2, 3)
    review(company)
    review(company, days=8)
    asked(company, customer_id, -8, -9, -10)

    review(company, days=11)

    tenth = date(2026, 11, 10)
    assert windows(company, payees.customer(customer_id)) == [
        ("vip", tenth, tenth + timedelta(days=8)),
        ("vip", tenth + timedelta(days=11), None),
    ]


def test_the_tier_of_the_service_date_is_what_is_charged(company: Company) -> None:  # STL-16
    facts = facts_of(company, customer_id=customer_of(company), customer_tier="vip")

    settled = settle(company, facts)

    assert settled.sides[Purpose.CUSTOMER_CHARGE].total_minor == 19800 - 1980
    assert settled.total_minor == 10000


def test_partners_are_graded_by_what_the_period_has_settled(company: Company) -> None:  # STL-19
    vendor_id, other = vendor_of(company), customer_of(company)
    for minutes in ["10"] * 19 + ["50.5"]:
        settle(
            company,
            facts_of(company, vendor_id=vendor_id, customer_id=other, response_minutes=D(minutes)),
        )
    settle(company, facts_of(company, response_minutes=D(1)))
    with reading() as conn:
        november = conn.execute(sa.select(table(Period).c.id)).scalar_one()
        (card,) = tiering.scorecards(conn, viewer=company.actor(), period_id=november)

    assert (card.performance, card.tier) == (Performance(20, D("12.03")), "silver")
    december = FINISHED + timedelta(days=12)
    changed = []
    for _ in range(2):
        with transaction() as conn:
            changed.append(tiering.review(conn, actor=company.actor(), at=december, command_id="december"))
    assert changed == [1, 0]
    assert windows(company, payees.vendor(vendor_id)) == [("silver", date(2026, 12, 3), None)]
    assert tiers_on(company, date(2026, 12, 2), None, vendor_id) == Tiers()
    assert tiers_on(company, date(2026, 12, 3), None, vendor_id) == Tiers(vendor="silver")


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AUDITOR, Role.TECHNICIAN])
def test_only_finance_reviews_tiers(company: Company, role: Role) -> None:
    asked(company, customer_of(company), 1, 2, 3)

    with pytest.raises(Forbidden):
        review(company, actor=company.actor(role))

    with reading() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(table(TierWindow))).scalar_one() == 0


@pytest.mark.parametrize(
    "statement", ["UPDATE tier_window SET starts_on = '2020-01-01'", "DELETE FROM tier_window"]
)
def test_the_database_refuses_to_move_a_window(company: Company, statement: str) -> None:
    asked(company, customer_of(company), 1, 2, 3)
    review(company, at=SETTLED - timedelta(days=11))

    with pytest.raises(sa.exc.IntegrityError, match="is written once"), transaction() as conn:
        conn.execute(sa.text(statement))
