"""Statements: drafted, issued once, frozen, and equal to the ledger in every file."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from tests.builders.settlement import SETTLED, Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import documents, exports, payees, statements
from ticket_console.settlement.facts import Hazard, PartUsed
from ticket_console.settlement.kinds import StatementState
from ticket_console.settlement.payees import PayeeNotFound
from ticket_console.settlement.statements import (
    NothingToState,
    StaleStatement,
    StatementIssued,
    StatementNotFound,
    StatementView,
)
from ticket_console.settlement.tables import Account, Journal, Period, Posting, Statement, StatementLine

postings, journals, stated = table(Posting), table(Journal), table(StatementLine)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


def november() -> int:
    with reading() as conn:
        return int(conn.execute(sa.select(table(Period).c.id)).scalar_one())


def draft(company: Company, **changes: Any) -> StatementView:
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "payee": payees.technician(company.anna),
        "period_id": november(),
        "command_id": "draft",
    }
    with transaction() as conn:
        return statements.draft(conn, **wanted | changes)


def issue(company: Company, drafted: StatementView, **changes: Any) -> StatementView:
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": SETTLED + timedelta(days=1),
        "statement_id": drafted.id,
        "expected_version": drafted.version,
        "command_id": f"issue:{drafted.id}",
    }
    with transaction() as conn:
        return statements.issue(conn, **wanted | changes)


def stated_by(statement: StatementView) -> int:
    with reading() as conn:
        total = conn.execute(
            sa.select(sa.func.sum(stated.c.amount_minor)).where(stated.c.statement_id == statement.id)
        ).scalar_one()
    return int(total or 0)


def ledger_between(company: Company, statement: StatementView) -> int:
    """What the payable postings of the statement's span add up to, straight from the ledger."""
    accounts = table(Account)
    with reading() as conn:
        total = conn.execute(
            sa.select(sa.func.sum(postings.c.amount_minor))
            .join(journals, journals.c.id == postings.c.journal_id)
            .join(accounts, accounts.c.id == postings.c.account_id)
            .where(
                accounts.c.owner_id == statement.payee_id,
                accounts.c.kind == "payable_worker",
                postings.c.period_id == statement.period_id,
                journals.c.seq > statement.from_seq,
                journals.c.seq <= statement.as_of_seq,
            )
        ).scalar_one()
    return -int(total or 0)


def test_a_statement_is_the_sum_of_what_the_ledger_says(company: Company) -> None:
    settle(company, facts_of(company, distance_km=D("35.5")))
    corrected = facts_of(company)
    settle(company, corrected)
    correct(company, replace(corrected, hazards=(Hazard("height"),)))

    drafted = draft(company)
    issued = issue(company, drafted)

    assert (drafted.state, drafted.total_minor, drafted.number) == (StatementState.DRAFT, 25060, 1)
    assert (issued.state, issued.total_minor, issued.payee_name) == (
        StatementState.ISSUED,
        25060,
        {"zh": "安娜", "en": "安娜"},
    )
    assert stated_by(issued) == ledger_between(company, issued) == 25060
    assert issued.content_hash == drafted.content_hash


def test_what_comes_after_the_draft_waits_for_the_next_statement(company: Company) -> None:
    settle(company, facts_of(company))
    drafted = draft(company)
    settle(company, facts_of(company, service_type="repair"))

    first = issue(company, drafted)
    second = issue(company, draft(company))

    assert (first.number, first.total_minor) == (1, 10000)
    assert (second.number, second.total_minor, second.from_seq) == (2, 8000, first.as_of_seq)
    assert stated_by(first) + stated_by(second) == 18000
    with pytest.raises(NothingToState):
        draft(company)


def test_a_draft_is_brought_up_to_date_not_doubled(company: Company) -> None:
    settle(company, facts_of(company))
    old = draft(company)
    settle(company, facts_of(company))

    new = draft(company)

    assert (new.id, new.version, new.total_minor) == (old.id, 2, 20000)
    with pytest.raises(StaleStatement):
        issue(company, old)
    with reading() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(stated)).scalar_one() == 0


def test_an_issued_statement_stays_as_it_is_whatever_is_corrected_later(company: Company) -> None:
    facts = facts_of(company)
    settle(company, facts)
    issued = issue(company, draft(company))

    correct(company, replace(facts, hazards=(Hazard("height"),)))

    with reading() as conn:
        document = documents.document(conn, viewer=company.actor(), statement_id=issued.id)
    assert (document.total_minor, [line.amount_minor for line in document.lines]) == (10000, [10000])
    assert draft(company).total_minor == -10000 + 12000


def test_issuing_twice_with_one_command_issues_once(company: Company) -> None:
    settle(company, facts_of(company))
    drafted = draft(company)
    issued = issue(company, drafted)

    assert issue(company, drafted) == issued
    with pytest.raises(StatementIssued):
        issue(company, drafted, command_id="another")
    assert stated_by(issued) == 10000
    entries = table(AuditEntry)
    with reading() as conn:
        assert conn.execute(sa.select(entries.c.action)).scalars().all() == ["statement.issued"]


def test_nothing_is_stated_of_a_technician_who_earned_nothing(company: Company) -> None:
    settle(company, facts_of(company))

    with pytest.raises(NothingToState) as refused:
        draft(company, payee=payees.technician(company.bo))
    with pytest.raises(PayeeNotFound):
        draft(company, payee=payees.technician(10**6))

    assert refused.value.params == {"payee": {"zh": "Bo", "en": "Bo"}, "period": "2026-11"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE statement SET total_minor = 1",
        "UPDATE statement SET issued_at = NULL",
        "DELETE FROM statement",
        "UPDATE statement_line SET amount_minor = 1",
        "DELETE FROM statement_line",
    ],
)
def test_the_database_refuses_to_rewrite_an_issued_statement(company: Company, statement: str) -> None:
    settle(company, facts_of(company))
    issue(company, draft(company))

    with pytest.raises(sa.exc.IntegrityError, match="is written once"), transaction() as conn:
        conn.execute(sa.text(statement))


def test_a_posting_is_stated_at_most_once_even_when_the_program_forgets(company: Company) -> None:  # pains 38
    settle(company, facts_of(company))
    issued = issue(company, draft(company))

    with reading() as conn:
        posting_id = conn.execute(sa.select(stated.c.posting_id)).scalar_one()
    with pytest.raises(sa.exc.IntegrityError), transaction() as conn:
        conn.execute(
            sa.insert(stated).values(statement_id=issued.id, posting_id=posting_id, amount_minor=10000)
        )


@pytest.mark.parametrize(
    ("role", "grant"),
    [
        (Role.DISPATCHER, {}),
        (Role.AUDITOR, {}),
        (Role.TECHNICIAN, {"scope": Scope.OWN}),
        (Role.FINANCE, {"scope": Scope.REGION, "region_ids": [2]}),
    ],
)
def test_only_finance_of_the_region_issues(company: Company, role: Role, grant: dict[str, Any]) -> None:
    settle(company, facts_of(company))
    drafted = draft(company)
    actor = company.actor(role, technician_id=company.anna, **grant)

    with pytest.raises(Forbidden):
        draft(company, actor=actor)
    with pytest.raises(Forbidden):
        issue(company, drafted, actor=actor)

    with reading() as conn:
        rows = conn.execute(sa.select(table(Statement).c.state, table(Statement).c.version)).all()
    assert rows == [(StatementState.DRAFT, 1)]


def test_a_technician_reads_the_own_statement_and_nobody_elses(company: Company) -> None:  # STL-23
    settle(company, facts_of(company))
    issued = issue(company, draft(company))
    period = november()

    with reading() as conn:
        own = documents.document(conn, viewer=company.technician(company.anna), statement_id=issued.id)
        assert own.total_minor == 10000
        with pytest.raises(Forbidden):
            documents.document(conn, viewer=company.technician(company.bo), statement_id=issued.id)
        with pytest.raises(Forbidden):
            documents.earnings(
                conn,
                viewer=company.technician(company.bo),
                payee=payees.technician(company.anna),
                period_id=period,
            )
        with pytest.raises(Forbidden):
            statements.of_payee(
                conn,
                viewer=company.technician(company.bo),
                payee=payees.technician(company.anna),
                period_id=period,
            )


def test_a_statement_of_another_organisation_does_not_exist(company: Company) -> None:
    settle(company, facts_of(company))
    issued = issue(company, draft(company))
    stranger = replace(company.actor(), org_id=company.org_id + 1)

    with reading() as conn, pytest.raises(StatementNotFound):
        documents.document(conn, viewer=stranger, statement_id=issued.id)


def test_a_statement_line_leads_back_to_its_ticket(company: Company) -> None:  # STL-27
    facts = facts_of(company)
    settle(company, facts)
    issued = issue(company, draft(company))

    with reading() as conn:
        line = conn.execute(sa.select(stated.c.ticket_id, stated.c.posting_id)).one()
        document = documents.document(conn, viewer=company.actor(), statement_id=issued.id)
    assert line.ticket_id == facts.ticket_id
    assert [(each.ticket_id, each.ticket_no) for each in document.lines] == [(facts.ticket_id, facts.no)]


def test_the_files_read_again_equal_the_ledger_to_the_cent(company: Company) -> None:  # STL-24
    for kilometres in ("0", "12.35", "35.5", "260.1"):
        settle(company, facts_of(company, distance_km=D(kilometres), difficulty=D("1.15")))
    facts = facts_of(company, parts=(PartUsed("=cmd()", D("0.333"), 1000),))
    settle(company, facts)
    correct(company, replace(facts, parts=()))
    issued = issue(company, draft(company))
    with reading() as conn:
        document = documents.document(conn, viewer=company.actor(), statement_id=issued.id)

    book = CalamineWorkbook.from_filelike(io.BytesIO(exports.statement_xlsx(document, locale="en")))
    lines = book.get_sheet_by_name("Lines").to_python()[1:]
    subtotals = book.get_sheet_by_name("Statement").to_python()
    tickets = book.get_sheet_by_name("Tickets").to_python()[1:]
    text = exports.statement_csv(document, locale="en").decode("utf-8-sig")
    file = list(csv.reader(io.StringIO(text, newline="")))[1:]

    assert round(sum(row[11] for row in lines) * 100) == ledger_between(company, issued)
    assert round(subtotals[-1][2] * 100) == issued.total_minor
    assert round(sum(row[3] for row in tickets) * 100) == issued.total_minor
    assert sum(D(row[11]) for row in file) * 100 == issued.total_minor
    assert [row[9] for row in lines if row[9]] == ["=cmd()", "=cmd()"]
    assert [row[9] for row in file if row[9]] == ["'=cmd()", "'=cmd()"]


def test_earnings_so_far_are_all_of_the_period_stated_or_not(company: Company) -> None:
    settle(company, facts_of(company))
    issue(company, draft(company))
    settle(company, facts_of(company))

    with reading() as conn:
        so_far = documents.earnings(
            conn, viewer=company.actor(), payee=payees.technician(company.anna), period_id=november()
        )
        nothing = documents.earnings(
            conn, viewer=company.actor(), payee=payees.technician(company.bo), period_id=november()
        )

    assert (so_far.number, so_far.total_minor, len(so_far.lines)) == (None, 20000, 2)
    assert (nothing.total_minor, nothing.lines) == (0, ())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["settle", "correct", "draft", "issue"]), max_size=12))
def test_after_any_sequence_statements_add_up_to_the_ledger(company: Company, steps: list[str]) -> None:
    facts = facts_of(company)
    settle(company, facts)
    drafted: list[StatementView] = []
    issued: dict[int, StatementView] = {}
    for step in steps:
        _take(company, step, facts, drafted, issued)

    assert all(
        stated_by(each) == ledger_between(company, each) == each.total_minor for each in issued.values()
    )
    spans = [
        (each.from_seq, each.as_of_seq) for each in sorted(issued.values(), key=lambda each: each.number)
    ]
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def _take(
    company: Company, step: str, facts: Any, drafted: list[StatementView], issued: dict[int, StatementView]
) -> None:
    """One step; a refusal because there is nothing to do is a fine outcome."""
    actions = {
        "settle": lambda: settle(company, facts_of(company)),
        "correct": lambda: correct(company, facts),
        "draft": lambda: drafted.append(draft(company)),
        "issue": lambda: _keep(issued, issue(company, drafted.pop())),
    }
    try:
        actions[step]()
    except (NothingToState, StaleStatement, StatementIssued, IndexError):
        return


def _keep(issued: dict[int, StatementView], statement: StatementView) -> None:
    issued[statement.id] = statement
