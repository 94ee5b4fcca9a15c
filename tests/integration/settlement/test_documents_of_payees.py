"""Papers of service partners and customers: the same files, with their own names, signs and totals."""

import csv
import io
from decimal import Decimal as D

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from tests.builders.settlement import SETTLED, Company, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.customers.tables import Customer, CustomerKind
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.people.tables import Vendor
from ticket_console.settlement import (
    documents,
    exports,
    payees,
    printing,
    reads,
    sides,
    signatures,
    statements,
    verifying,
)
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.facts import PartUsed
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.tables import Period


@pytest.fixture
def company(database: Database) -> Company:
    return open_company(codes=tuple(sides.RULE_SETS.values()))


@pytest.fixture
def customer(company: Company) -> Payee:
    made = table(Customer)
    with transaction() as conn:
        new = sa.insert(made).values(
            org_id=company.org_id, kind=CustomerKind.PERSON, name="王芳", phone="", is_vip=False, version=1
        )
        return payees.customer(int(conn.execute(new.returning(made.c.id)).scalar_one()))


@pytest.fixture
def vendor(company: Company) -> Payee:
    made = table(Vendor)
    with transaction() as conn:
        new = sa.insert(made).values(
            org_id=company.org_id, code="blue", name={"zh": "蓝海", "en": "Blue"}, is_active=True
        )
        return payees.vendor(int(conn.execute(new.returning(made.c.id)).scalar_one()))


def november() -> int:
    with reading() as conn:
        return int(conn.execute(sa.select(table(Period).c.id)).scalar_one())


def issued(company: Company, payee: Payee) -> StatementDocument:
    with transaction() as conn:
        draft = statements.draft(
            conn, actor=company.actor(), payee=payee, period_id=november(), command_id="draft"
        )
        statements.issue(
            conn,
            actor=company.actor(),
            at=SETTLED,
            statement_id=draft.id,
            expected_version=draft.version,
            command_id="issue",
        )
    with reading() as conn:
        return documents.document(conn, viewer=company.actor(), statement_id=draft.id)


def key(company: Company) -> str:
    with reading() as conn:
        return signatures.keys(conn, org_id=company.org_id)[0].public_key


@pytest.mark.parametrize("who", [OwnerKind.VENDOR, OwnerKind.CUSTOMER])
def test_a_statement_of_any_payee_leaves_in_every_form_and_verifies(
    company: Company, customer: Payee, vendor: Payee, who: OwnerKind
) -> None:  # STL-24
    settle(
        company,
        facts_of(
            company,
            customer_id=customer.id,
            vendor_id=vendor.id,
            distance_km=D(30),
            parts=(PartUsed("P-1", D(2), 2000),),
        ),
    )
    statement = issued(company, vendor if who is OwnerKind.VENDOR else customer)

    assert statement.total_minor > 0
    assert sum(line.amount_minor for line in statement.lines) == statement.total_minor
    assert exports.statement_stem(statement) == f"statement-2026-11-{who.value}-{statement.payee.id}-01"
    for locale in ("zh", "en"):
        workbook = exports.statement_xlsx(statement, locale=locale)
        assert verifying.verify_xlsx(workbook, public_key=key(company)).problems == ()
    text = exports.statement_csv(statement, locale="en").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sum(D(row["Amount"]) for row in rows) * 100 == statement.total_minor
    printed = PdfReader(io.BytesIO(printing.statement_pdf(statement, locale="en"))).pages[0].extract_text()
    label, name = ("Service partner", "Blue") if who is OwnerKind.VENDOR else ("Customer", "王芳")
    assert f"{label} {name}" in printed
    assert f"CNY {D(statement.total_minor) / 100:,.2f}" in printed


def test_totals_are_of_one_kind_of_payee_at_a_time(company: Company, customer: Payee) -> None:
    settle(company, facts_of(company, customer_id=customer.id))
    with reading() as conn:
        totals = reads.payee_totals(
            conn, viewer=company.actor(), period_id=november(), kind=OwnerKind.CUSTOMER
        ).rows

    file = exports.totals_csv(totals, kind=OwnerKind.CUSTOMER, locale="zh").decode("utf-8-sig")

    heading, *rows = csv.reader(io.StringIO(file, newline=""))
    assert heading[:2] == ["客户编号", "客户"]
    assert rows == [[str(customer.id), "王芳", "1", "198.00", "CNY"]]
