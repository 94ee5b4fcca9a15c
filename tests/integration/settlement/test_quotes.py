"""Historical quotes of a project: brought in, consulted when its work is charged, far-off charges flagged."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.settlement import FINISHED, SETTLED, Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.sheets import BrokenFile
from ticket_console.settlement import quotes
from ticket_console.settlement.facts import Facts, Hazard
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.quote_import import BadQuotes, import_quotes
from ticket_console.settlement.quotes import Reference, compare
from ticket_console.settlement.sides import RULE_SETS
from ticket_console.settlement.tables import PriceQuote

DAY = FINISHED.date()
HEADER = "项目,服务类型,日期,金额,报价单号"
made = table(PriceQuote)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company(codes=tuple(RULE_SETS.values()))


def bring_in(
    company: Company, *rows: str, header: str = HEADER, encoding: str = "utf-8", **changes: Any
) -> int:
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": SETTLED,
        "command_id": "quotes",
        "content": "\n".join([header, *rows]).encode(encoding),
    }
    with transaction() as conn:
        return import_quotes(conn, **wanted | changes)


def counted() -> int:
    with reading() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(made)).scalar_one())


def compared(company: Company, facts: Facts) -> Reference | None:
    """What the charge of these facts, settled now, was compared with."""
    rating_id = settle(company, facts).sides[Purpose.CUSTOMER_CHARGE].rating_id
    with reading() as conn:
        return quotes.references(conn, viewer=company.actor(), rating_ids=[rating_id]).get(rating_id)


def test_a_charge_is_laid_beside_the_middle_quote_of_its_project(company: Company) -> None:  # STL-13
    bring_in(
        company,
        "P1,install,2026-05-01,150.00,Q-1",
        "P1,install,2026-06-01,160.00,Q-2",
        "P1,install,2026-07-01,900.00,Q-3",
        "P1,repair,2026-07-01,10.00,Q-4",
        "P2,install,2026-07-01,10.00,Q-5",
    )

    found = compared(company, facts_of(company, project="P1"))

    # 198.00 beside 160.00 is 23.75% more.
    assert found == Reference("P1", 3, 16000, 2375, True)


def test_only_quotes_of_the_last_year_up_to_the_day_of_the_work_count(company: Company) -> None:  # STL-13
    year_ago = DAY - timedelta(days=365)
    bring_in(
        company,
        f"P1,install,{year_ago},100.00,Q-1",
        f"P1,install,{year_ago + timedelta(days=1)},190.00,Q-2",
        f"P1,install,{DAY},200.00,Q-3",
        f"P1,install,{DAY + timedelta(days=1)},100.00,Q-4",
    )

    assert compared(company, facts_of(company, project="P1")) == Reference("P1", 2, 19000, 421, False)


def test_without_quotes_or_a_project_nothing_is_compared(company: Company) -> None:
    bring_in(company, f"P1,install,{DAY},100.00,Q-1")

    assert compared(company, facts_of(company, project="P9")) is None
    assert compared(company, facts_of(company)) is None


def test_flagged_charges_are_listed_while_they_stand_and_change_no_amount(company: Company) -> None:
    bring_in(company, f"P1,install,{DAY},165.00,Q-1")
    facts = facts_of(company, project="P1")
    near = facts_of(company, project="P1", hazards=(Hazard("height"),))

    assert settle(company, facts).sides[Purpose.CUSTOMER_CHARGE].total_minor == 19800
    settle(company, near)

    def flagged() -> list[tuple[int, int]]:
        with reading() as conn:
            found = quotes.flagged(conn, viewer=company.actor(), since=DAY, until=DAY + timedelta(days=1))
        return [(each.ticket_id, each.reference.deviation_bp) for each in found]

    # 198.00 is exactly a fifth above 165.00, which is still fine; 247.50 is half as much again.
    assert flagged() == [(near.ticket_id, 5000)]
    correct(company, replace(near, hazards=()))
    assert flagged() == []


def test_past_charges_become_quotes_once(company: Company) -> None:  # STL-13
    settle(company, facts_of(company, project="P1"))
    settle(company, facts_of(company))

    def adopt() -> int:
        with transaction() as conn:
            return quotes.adopt_charges(
                conn,
                actor=company.actor(),
                at=SETTLED,
                since=DAY,
                until=DAY + timedelta(days=1),
                command_id="adopt",
            )

    assert [adopt(), adopt()] == [1, 0]
    assert compared(company, facts_of(company, project="P1")) == Reference("P1", 1, 19800, 0, False)


def test_a_file_is_brought_in_once_in_any_encoding(company: Company) -> None:
    rows = ("云帆,install,2026/05/01,￥150.00,报-1", "云帆,install,2026-06-01,160,报-2")

    assert bring_in(company, *rows, encoding="gb18030") == 2
    assert bring_in(company, *rows, "云帆,repair,2026-06-01,80,报-3") == 1
    with reading() as conn:
        kept = conn.execute(sa.select(made.c.project, made.c.amount_minor).order_by(made.c.id)).all()
    assert [tuple(each) for each in kept] == [("云帆", 15000), ("云帆", 16000), ("云帆", 8000)]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (("P1,install,2026-05-01,150,Q-1", "P1,install,2026-05-01,=1+1,Q-2"), "reconcile.row.formula"),
        (("=cmd(),install,2026-05-01,150,Q-1",), "reconcile.row.formula"),
        (("P1,install,yesterday,150,Q-1",), "reconcile.row.date"),
        (("P1,install,2026-05-01,0,Q-1",), "quotes.row.not_positive"),
        (("P1,install,2026-05-01,150.001,Q-1",), "reconcile.row.fraction"),
        ((",install,2026-05-01,150,Q-1",), "quotes.row.text"),
        (("P1,install,2026-05-01,150,Q-1", "P1,install,2026-05-02,160,Q-1"), "quotes.row.twice"),
    ],
)
def test_a_file_with_one_row_nobody_can_read_is_refused_whole(
    company: Company, rows: tuple[str, ...], code: str
) -> None:
    with pytest.raises(BadQuotes) as refused:
        bring_in(company, *rows)

    assert [problem.code for problem in refused.value.problems] == [code]
    assert counted() == 0


def test_a_file_without_the_columns_or_without_a_table_is_refused(company: Company) -> None:
    with pytest.raises(BadQuotes) as refused:
        bring_in(company, "P1,1", header="project,amount")
    with pytest.raises((BrokenFile, BadQuotes)):
        bring_in(company, content=b"\x00\x01\x02")

    assert {problem.params["column"] for problem in refused.value.problems} == {
        "service type",
        "date",
        "reference",
    }
    assert counted() == 0


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AUDITOR, Role.TECHNICIAN])
def test_only_finance_brings_quotes_in(company: Company, role: Role) -> None:
    with pytest.raises(Forbidden):
        bring_in(company, f"P1,install,{DAY},100.00,Q-1", actor=company.actor(role))

    assert counted() == 0


@given(charge=st.integers(0, 10**9), quoted=st.lists(st.integers(1, 10**9), min_size=1, max_size=15))
def test_a_flag_stands_exactly_beyond_a_fifth_of_a_quote_there_is(charge: int, quoted: list[int]) -> None:
    found = compare("P1", charge, quoted)

    assert found is not None
    assert found.reference_minor in quoted
    assert found.is_flagged == (5 * abs(charge - found.reference_minor) > found.reference_minor)
    assert (found.deviation_bp > 0) <= (charge > found.reference_minor)
    assert found == compare("P1", charge, sorted(quoted))
    assert compare("P1", charge, []) is None
