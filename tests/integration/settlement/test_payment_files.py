"""What is to be paid as a file: read again it gives the ledger's total, and nothing in it runs."""

import csv
import io
from datetime import timedelta
from decimal import Decimal as D

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from tests.builders.settlement import SETTLED, Company, facts_of, open_company, settle
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.people.tables import Technician
from ticket_console.settlement import payees, paying, payment_files, statements
from ticket_console.settlement.facts import Hazard
from ticket_console.settlement.paying import Payable
from ticket_console.settlement.tables import Period


@pytest.fixture
def company(sqlite_database: object) -> Company:
    """Anna and Bo have confirmed what they were told; Bo's name is a formula."""
    company = open_company()
    with transaction() as conn:
        people = table(Technician)
        conn.execute(sa.update(people).where(people.c.id == company.bo).values(name='=HYPERLINK("http://x")'))
    settle(company, facts_of(company))
    settle(company, facts_of(company, technician_id=company.bo, hazards=(Hazard("height"),)))
    for technician_id in (company.anna, company.bo):
        confirmed(company, technician_id)
    return company


def confirmed(company: Company, technician_id: int) -> None:
    with transaction() as conn:
        period_id = conn.execute(sa.select(table(Period).c.id)).scalar_one()
        drafted = statements.draft(
            conn,
            actor=company.actor(),
            payee=payees.technician(technician_id),
            period_id=period_id,
            command_id=f"draft:{technician_id}",
        )
        step = {"actor": company.actor(), "at": SETTLED + timedelta(days=1), "statement_id": drafted.id}
        issued = statements.issue(
            conn, **step, expected_version=drafted.version, command_id=f"issue:{technician_id}"
        )
        paying.confirm(conn, **step, expected_version=issued.version, command_id=f"confirm:{technician_id}")


def to_pay(company: Company, **changes: object) -> tuple[Payable, ...]:
    with reading() as conn:
        return paying.to_pay(conn, viewer=company.actor(**changes))  # type: ignore[arg-type]


def test_the_file_read_again_is_what_is_owed(company: Company) -> None:  # STL-24
    payables = to_pay(company)

    written = payment_files.payments_xlsx(payables, at=SETTLED, currency="CNY", locale="zh")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(written)).get_sheet_by_index(0).to_python()
    rows = [row for row in sheet if row[3] == "2026-11"]
    lines = list(
        csv.reader(io.StringIO(payment_files.payments_csv(payables, locale="zh").decode("utf-8-sig")))
    )

    assert [each.total_minor for each in payables] == [10000, 12000]
    assert [D(str(row[5])) for row in rows] == [D("100.00"), D("120.00")]
    assert [D(line[5]) for line in lines[1:]] == [D("100.00"), D("120.00")]
    assert D(str(sheet[-1][5])) == D("220.00")
    assert rows[1][2] == '=HYPERLINK("http://x")'
    assert lines[2][2] == '\'=HYPERLINK("http://x")'


def test_a_region_pays_its_own_people_only(company: Company) -> None:
    north = to_pay(company, role=Role.FINANCE, scope=Scope.REGION, region_ids={company.north})

    assert [each.payee for each in north] == [payees.technician(company.anna)]
