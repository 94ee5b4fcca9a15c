"""Several at once: the chain stays whole, and nothing slips into a month that is being closed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import Company, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.settlement import chain, closing, payees, reads, statements
from ticket_console.settlement.kinds import PeriodState
from ticket_console.settlement.tables import Account, Journal, Period, Statement

LATE = datetime(2026, 12, 2, tzinfo=UTC)
journals, periods = table(Journal), table(Period)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


def at_once(*work: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(8) as pool:
        return [each.result() for each in [pool.submit(call) for call in work]]


def test_many_settlements_at_once_make_one_chain_and_one_account_each(company: Company) -> None:
    wanted = [facts_of(company, technician_id=who) for who in (company.anna, company.bo) for _ in range(12)]

    settled = at_once(*(lambda facts=facts: settle(company, facts) for facts in wanted))

    with reading() as conn:
        assert chain.verify(conn, org_id=company.org_id) == chain.ChainReport(24, None)
        assert conn.execute(sa.select(sa.func.count()).select_from(table(Account))).scalar_one() == 3
        assert conn.execute(sa.select(sa.func.count()).select_from(periods)).scalar_one() == 1
    assert {each.total_minor for each in settled} == {10000}


def test_an_entry_and_a_closing_never_cross(company: Company) -> None:
    settle(company, facts_of(company))
    wanted = [facts_of(company) for _ in range(10)]

    def begin_closing() -> None:
        with transaction() as conn:
            (period,) = reads.periods(conn, viewer=company.actor())
            closing.begin_closing(
                conn, actor=company.actor(), at=LATE, period_id=period.id, expected_version=1, command_id="c"
            )

    at_once(
        *(lambda facts=facts: settle(company, facts) for facts in wanted[:5]),
        begin_closing,
        *(lambda facts=facts: settle(company, facts) for facts in wanted[5:]),
    )

    with reading() as conn:
        rows = conn.execute(
            sa.select(periods.c.code, journals.c.origin_period_id)
            .join(periods, periods.c.id == journals.c.period_id)
            .order_by(journals.c.seq)
        ).all()
        states = {row.code: row.state for row in conn.execute(sa.select(periods.c.code, periods.c.state))}
        assert chain.verify(conn, org_id=company.org_id).broken_at is None
    assert states["2026-11"] is PeriodState.CLOSING
    assert len(rows) == 11
    # Once the month began to close, nobody posted into it again.
    months = [code for code, _ in rows]
    assert months == sorted(months)
    assert all((origin is None) == (code == "2026-11") for code, origin in rows)


def test_two_drafts_made_at_once_are_one(company: Company) -> None:
    settle(company, facts_of(company))
    with reading() as conn:
        (period,) = reads.periods(conn, viewer=company.actor())

    def draft() -> int:
        with transaction() as conn:
            return statements.draft(
                conn,
                actor=company.actor(),
                payee=payees.technician(company.anna),
                period_id=period.id,
                command_id="draft",
            ).id

    assert len(set(at_once(*[draft] * 6))) == 1
    with reading() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(table(Statement))).scalar_one() == 1


def test_one_draft_issued_by_two_is_issued_once(company: Company) -> None:
    settle(company, facts_of(company))
    with transaction() as conn:
        (period,) = reads.periods(conn, viewer=company.actor())
        drafted = statements.draft(
            conn,
            actor=company.actor(),
            payee=payees.technician(company.anna),
            period_id=period.id,
            command_id="d",
        )

    def issue(command_id: str) -> str:
        try:
            with transaction() as conn:
                statements.issue(
                    conn,
                    actor=company.actor(),
                    at=LATE + timedelta(hours=1),
                    statement_id=drafted.id,
                    expected_version=1,
                    command_id=command_id,
                )
        except statements.StatementIssued:
            return "refused"
        return "issued"

    assert sorted(at_once(lambda: issue("a"), lambda: issue("b"))) == ["issued", "refused"]
