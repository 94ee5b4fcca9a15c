"""The settlement page: totals by technician, region and ticket, and who may read them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import FINISHED, SETTLED, Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.kernel.actor import Actor, Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import documents, payees, reads, statements
from ticket_console.settlement.facts import Hazard
from ticket_console.settlement.kinds import Dimension, StatementState
from ticket_console.settlement.reads import Page, TechnicianTotal, TicketTotal
from ticket_console.settlement.tables import Period

HEIGHT = (Hazard("height", "photo:812"),)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


@pytest.fixture
def busy(company: Company) -> Company:
    """Anna worked twice in the north and once in the south, Bo once in the south."""
    settle(company, facts_of(company))
    settle(company, facts_of(company, service_type="repair"))
    settle(company, facts_of(company, service_type="inspection"), region_id=company.south)
    settle(company, facts_of(company, technician_id=company.bo), region_id=company.south)
    return company


def november() -> int:
    with reading() as conn:
        return int(conn.execute(sa.select(table(Period).c.id)).scalar_one())


def totals(viewer: Actor, **filters: Any) -> Page[TechnicianTotal]:
    with reading() as conn:
        return reads.technician_totals(conn, viewer=viewer, period_id=november(), **filters)


def tickets(viewer: Actor, technician_id: int, **filters: Any) -> Page[TicketTotal]:
    with reading() as conn:
        return reads.ticket_totals(
            conn, viewer=viewer, period_id=november(), payee=payees.technician(technician_id), **filters
        )


def test_totals_by_technician_are_those_of_the_ledger(busy: Company) -> None:
    page = totals(busy.actor())

    assert [(row.name, row.tickets, row.total_minor) for row in page.rows] == [
        ("安娜", 3, 24000),
        ("Bo", 1, 10000),
    ]
    assert (page.count, page.total_minor, page.tickets) == (2, 34000, 4)


def test_total_drill_down_and_file_say_the_same(busy: Company) -> None:  # pains 43
    for row in totals(busy.actor()).rows:
        with reading() as conn:
            document = documents.earnings(
                conn, viewer=busy.actor(), payee=payees.technician(row.technician_id), period_id=november()
            )
        assert row.total_minor == tickets(busy.actor(), row.technician_id).total_minor
        assert row.total_minor == sum(line.amount_minor for line in document.lines)


def test_a_region_shows_the_work_done_there(busy: Company) -> None:
    page = totals(busy.actor(), region_ids={busy.south})

    assert [(row.name, row.tickets, row.total_minor) for row in page.rows] == [
        ("Bo", 1, 10000),
        ("安娜", 1, 6000),
    ]
    assert page.total_minor == 16000
    assert totals(busy.actor(), region_ids=set()).rows == ()


def test_a_page_holds_some_rows_and_the_count_and_sum_of_all(busy: Company) -> None:
    page = totals(busy.actor(), limit=1, offset=1)

    assert [row.name for row in page.rows] == ["Bo"]
    assert (page.count, page.total_minor) == (2, 34000)


def test_tickets_of_a_technician_add_up_to_the_total(busy: Company) -> None:
    page = tickets(busy.actor(), busy.anna)

    assert sorted(row.total_minor for row in page.rows) == [6000, 8000, 10000]
    assert (page.count, page.total_minor) == (3, 24000)
    assert {row.service_at for row in page.rows} == {FINISHED}
    assert tickets(busy.actor(), busy.anna, region_ids={busy.north}).total_minor == 18000


def test_a_corrected_ticket_counts_once_with_what_is_left(company: Company) -> None:
    facts = facts_of(company)
    settle(company, facts)
    correct(company, replace(facts, hazards=HEIGHT))

    page = tickets(company.actor(), company.anna)

    assert [(row.ticket_no, row.entries, row.total_minor) for row in page.rows] == [(facts.no, 3, 12000)]
    assert totals(company.actor()).rows[0].tickets == 1


def test_an_empty_period_has_no_rows(company: Company) -> None:
    with reading() as conn:
        page = reads.technician_totals(conn, viewer=company.actor(), period_id=1)

    assert page == Page(rows=(), count=0, total_minor=0, tickets=0)


def test_the_state_of_the_latest_statement_stands_beside_the_total(busy: Company) -> None:
    with transaction() as conn:
        statements.draft(
            conn,
            actor=busy.actor(),
            payee=payees.technician(busy.bo),
            period_id=november(),
            command_id="draft",
        )

    assert [row.statement_state for row in totals(busy.actor()).rows] == [None, StatementState.DRAFT]


def test_how_an_amount_was_computed_goes_down_to_rule_version_facts_and_formula(
    company: Company,
) -> None:  # STL-23
    facts = facts_of(company, hazards=HEIGHT, difficulty=D("1.25"))
    settle(company, facts)

    with reading() as conn:
        (rating,) = reads.ticket_ratings(conn, viewer=company.actor(), ticket_id=facts.ticket_id)

    assert (rating.ticket_no, rating.payee.id, rating.total_minor) == (facts.no, company.anna, 15000)
    assert (rating.rule_set_name["en"], rating.rule_version) == ("Standard technician pay", 1)
    assert rating.rules_effective_from.isoformat() == "2000-01-01"
    assert (rating.is_live, rating.reversed_at, rating.period_code) == (True, None, "2026-11")
    assert rating.total_minor == sum(line.amount_minor for line in rating.lines)
    hazard = rating.lines[2]
    assert (hazard.dimension, hazard.dimension_name["zh"]) == (Dimension.HAZARD, "危险津贴")
    assert hazard.formula == "(100.00 + 25.00) × (1.2 − 1) = 25.00"
    assert (
        hazard.sentence["zh"]
        == "当危险作业包含“高空作业”时，基础工费、技术难度乘以系数 1.2，本行计增加的部分。"
    )
    assert {fact.label["zh"]: fact.value["zh"] for fact in hazard.facts} == {
        "危险作业": "高空作业",
        "依据": "photo:812",
    }
    tree = reads.computation(rating, hazard.position)
    assert [part.line.rule_code for part in tree.parts] == ["base.install", "difficulty.coefficient"]
    assert [part.line.rule_code for part in tree.parts[1].parts] == ["base.install"]


def test_the_facts_a_rating_rests_on_read_in_both_languages(company: Company) -> None:
    facts = facts_of(company, difficulty=D("1.250"), vip=True)
    settle(company, facts)

    with reading() as conn:
        (rating,) = reads.ticket_ratings(conn, viewer=company.actor(), ticket_id=facts.ticket_id)

    shown = {fact.key: (fact.label["en"], fact.value["en"], fact.value["zh"]) for fact in rating.facts}
    assert shown["service_type"] == ("service type", "installation", "安装")
    assert shown["difficulty"] == ("difficulty", "1.25", "1.25")
    assert shown["vip"] == ("VIP customer", "yes", "是")
    assert shown["on_time"] == ("finished on time", "not known", "未知")
    assert shown["work_until"] == ("until (local time)", "2026-11-21 12:00", "2026-11-21 12:00")


def test_a_correction_shows_both_ratings_and_why(company: Company) -> None:
    facts = facts_of(company)
    settle(company, facts)
    correct(company, replace(facts, hazards=HEIGHT))

    with reading() as conn:
        new, old = reads.ticket_ratings(conn, viewer=company.actor(), ticket_id=facts.ticket_id)

    assert (new.total_minor, new.is_live, new.reason) == (12000, True, "the photo shows a ladder")
    assert (old.total_minor, old.is_live) == (10000, False)
    assert (old.reversed_at, old.reversed_because) == (
        SETTLED + timedelta(hours=1),
        "the photo shows a ladder",
    )


def test_a_technician_sees_the_own_earnings_only(busy: Company) -> None:
    bo = busy.technician(busy.bo)

    assert [row.technician_id for row in totals(bo).rows] == [busy.bo]
    assert totals(bo).total_minor == 10000
    assert tickets(bo, busy.anna) == Page(rows=(), count=0, total_minor=0, tickets=0)
    (mine,) = tickets(bo, busy.bo).rows
    (theirs, *_) = tickets(busy.actor(), busy.anna).rows
    with reading() as conn:
        assert len(reads.ticket_ratings(conn, viewer=bo, ticket_id=mine.ticket_id)) == 1
        assert reads.ticket_ratings(conn, viewer=bo, ticket_id=theirs.ticket_id) == ()


def test_finance_of_one_region_sees_the_work_of_that_region(busy: Company) -> None:
    southern = busy.actor(Role.FINANCE, scope=Scope.REGION, region_ids=[busy.south])

    assert totals(southern).total_minor == 16000
    assert totals(southern, region_ids={busy.north}).total_minor == 0
    assert tickets(southern, busy.anna).total_minor == 6000


def test_a_grant_over_some_classes_reaches_their_tickets_alone(busy: Company) -> None:
    assert totals(busy.actor(Role.FINANCE, ticket_classes=["install"])).total_minor == 34000
    assert totals(busy.actor(Role.FINANCE, ticket_classes=["complaint"])).total_minor == 0


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AGENT])
def test_those_without_the_permission_read_nothing(busy: Company, role: Role) -> None:
    with pytest.raises(Forbidden):
        totals(busy.actor(role))
    with reading() as conn, pytest.raises(Forbidden):
        reads.periods(conn, viewer=busy.actor(role))
    with reading() as conn, pytest.raises(Forbidden):
        reads.ticket_ratings(conn, viewer=busy.actor(role), ticket_id=1)


def test_another_organisation_is_another_world(busy: Company) -> None:
    stranger = replace(busy.actor(), org_id=busy.org_id + 1)

    assert totals(stranger).rows == ()
    with reading() as conn:
        assert reads.periods(conn, viewer=stranger) == ()


def test_the_latest_period_comes_first(company: Company) -> None:
    settle(company, facts_of(company))
    later = FINISHED + timedelta(days=31)
    settle(company, facts_of(company, started_at=later, finished_at=later))

    with reading() as conn:
        codes = [period.code for period in reads.periods(conn, viewer=company.technician(company.anna))]

    assert codes == ["2026-12", "2026-11"]
