"""A company with some months of settled, corrected and charged work, for tests of figures about money."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from tests.builders.settlement import Company, correct, make_facts, make_ticket, open_company, settle
from ticket_console.access.tables import Region
from ticket_console.forms.tables import Template
from ticket_console.kernel.database import table, transaction
from ticket_console.people.tables import Crew, Technician, Vendor
from ticket_console.settlement import ledger
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import AccountKind, Dimension, JournalKind, OwnerKind
from ticket_console.settlement.ledger import AccountKey, Entry, Source
from ticket_console.settlement.settling import SettledTicket

OCTOBER = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Earnings:
    """`below` lies below the region `company.north`; Bo works for a service partner, Anna in a team."""

    company: Company
    below: int
    team: int
    vendor: int


def earn(*, tickets: int = 12) -> Earnings:
    """Settled work of October and November over two lines and three regions, some of it corrected."""
    company = open_company(at=OCTOBER)
    with transaction() as conn:
        below = _added(conn, Region, parent_id=company.north, code="N1", tz="Asia/Shanghai", version=1)
        team = _added(conn, Crew, region_id=company.north, code="T1")
        vendor = _added(conn, Vendor, code="V1", is_active=True, is_standby=False)
        of = table(Technician)
        conn.execute(sa.update(of).where(of.c.id == company.anna).values(crew_id=team))
        conn.execute(sa.update(of).where(of.c.id == company.bo).values(vendor_id=vendor))
        repair = _added(
            conn,
            Template,
            code="repair",
            business_line="repair",
            ticket_class="repair",
            icon="",
            is_public=False,
            keywords=[],
            is_active=True,
            is_standard=False,
            override_count=0,
            version=1,
        )
    found = Earnings(company, below, team, vendor)
    other_line = replace(company, template={**company.template, "template_id": repair})
    regions = (company.north, below, company.south)
    for number in range(tickets):
        at = OCTOBER + timedelta(days=4 * number, hours=number)
        with transaction() as conn:
            of_line = company if number % 3 else other_line
            ticket_id, no = make_ticket(conn, of_line, region_id=regions[number % 3])
        facts = facts_of_work(found, ticket_id, no, number, at)
        settled = settle(company, facts, at=at, region_id=regions[number % 3])
        if number % 4 == 1:
            charge(found, facts, settled, regions[number % 3], amount_minor=20_000 + 731 * number)
        if number % 5 == 2:
            settled = correct(
                company,
                replace(facts, cross_city=True),
                at=at + timedelta(days=40),
                region_id=regions[number % 3],
            )
    return found


def facts_of_work(found: Earnings, ticket_id: int, no: str, number: int, at: datetime) -> Facts:
    company = found.company
    return make_facts(
        ticket_id=ticket_id,
        no=no,
        technician_id=company.anna if number % 2 else company.bo,
        service_type="install" if number % 3 else "repair",
        difficulty=Decimal(1 + number % 3),
        distance_km=Decimal(7 * number),
        started_at=at - timedelta(hours=2),
        finished_at=at,
    )


def charge(
    found: Earnings, facts: Facts, settled: SettledTicket, region_id: int, *, amount_minor: int
) -> None:
    """Book what a customer is charged for the work of a rating."""
    company = found.company
    revenue = AccountKey(OwnerKind.ORG, company.org_id, AccountKind.REVENUE, Dimension.BASE_LABOUR.value)
    owed = AccountKey(OwnerKind.ORG, company.org_id, AccountKind.SUSPENSE)
    with transaction() as conn:
        accounts = ledger.ensure_accounts(conn, org_id=company.org_id, currency="CNY", wanted=[revenue, owed])
        ledger.post(
            conn,
            org_id=company.org_id,
            currency="CNY",
            kind=JournalKind.ADJUSTMENT,
            entries=[
                Entry(accounts[revenue], -amount_minor, region_id),
                Entry(accounts[owed], amount_minor, region_id),
            ],
            source=Source(
                at=facts.finished_at,
                service_at=facts.finished_at,
                posted_by="test",
                command_id=f"charge:{facts.no}",
                ticket_id=facts.ticket_id,
                ticket_no=facts.no,
                rating_id=settled.rating_id,
            ),
        )


def _added(conn: sa.Connection, model: Any, **columns: Any) -> int:
    made = table(model)
    org_id = conn.execute(sa.text("SELECT id FROM org")).scalar_one()
    name = {"zh": columns["code"], "en": columns["code"]}
    row = sa.insert(made).values(org_id=org_id, name=name, **columns)
    return int(conn.execute(row.returning(made.c.id)).scalar_one())
