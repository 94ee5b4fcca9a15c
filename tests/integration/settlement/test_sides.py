"""Worker, vendor and customer of one ticket: rated, posted, corrected, taken back and refunded together."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.settlement import SETTLED, Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.customers.tables import Customer, CustomerKind
from ticket_console.kernel import database as kernel_database
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.people.tables import Vendor
from ticket_console.settlement import chain, documents, ledger, margins, payees, refunding, settling
from ticket_console.settlement import sides as settlement_sides
from ticket_console.settlement.facts import Facts, Hazard, PartUsed
from ticket_console.settlement.kinds import AccountKind, Dimension, JournalKind, OwnerKind, Purpose
from ticket_console.settlement.margins import Margin
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.refunding import NoSuchLine, Refunded
from ticket_console.settlement.settling import AlreadyRefunded, NothingSettled
from ticket_console.settlement.tables import (
    FactSnapshot,
    Journal,
    Period,
    Posting,
    Rating,
    Refund,
    RefundLine,
)

HEIGHT = (Hazard("height"),)
CHARGE = Purpose.CUSTOMER_CHARGE
postings, journals, ratings = table(Posting), table(Journal), table(Rating)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company(codes=tuple(settlement_sides.RULE_SETS.values()))


def customer_of(company: Company) -> int:
    made = table(Customer)
    with transaction() as conn:
        new = sa.insert(made).values(
            org_id=company.org_id, kind=CustomerKind.PERSON, name="王芳", phone="", is_vip=False, version=1
        )
        return int(conn.execute(new.returning(made.c.id)).scalar_one())


def vendor_of(company: Company) -> int:
    made = table(Vendor)
    with transaction() as conn:
        new = sa.insert(made).values(
            org_id=company.org_id, code="blue", name={"zh": "蓝海", "en": "Blue"}, is_active=True
        )
        return int(conn.execute(new.returning(made.c.id)).scalar_one())


def charged(company: Company, **changes: Any) -> Facts:
    return facts_of(company, **{"customer_id": customer_of(company), **changes})


def balances(company: Company) -> dict[tuple[AccountKind, str], int]:
    with reading() as conn:
        return {
            (each.kind, each.code): each.balance_minor
            for each in ledger.balances(conn, org_id=company.org_id)
            if each.balance_minor
        }


def margin(company: Company, facts: Facts) -> Margin:
    with reading() as conn:
        return margins.of_ticket(conn, viewer=company.actor(), ticket_id=facts.ticket_id)


def refund(company: Company, facts: Facts, **changes: Any) -> Refunded:
    wanted: dict[str, Any] = {
        "at": SETTLED + timedelta(days=1),
        "actor": company.actor(),
        "ticket_id": facts.ticket_id,
        "segment": facts.segment,
        "purpose": CHARGE,
        "region_id": company.north,
        "command_id": f"refund:{facts.no}",
        "reason": "the course was cancelled",
    }
    with transaction() as conn:
        return refunding.refund(conn, **wanted | changes)


def withdraw(company: Company, facts: Facts) -> None:
    with transaction() as conn:
        settling.withdraw(
            conn,
            at=SETTLED,
            actor=company.actor(),
            ticket_id=facts.ticket_id,
            segment=facts.segment,
            region_id=company.north,
            command_id=f"withdraw:{facts.no}",
            reason="not done after all",
        )


def stated(company: Company, payee: Payee) -> documents.StatementDocument:
    with reading() as conn:
        period_id = int(conn.execute(sa.select(table(Period).c.id)).scalar_one())
        return documents.earnings(conn, viewer=company.actor(), payee=payee, period_id=period_id)


def counted() -> tuple[int, ...]:
    made = (FactSnapshot, Rating, Journal, Posting, Refund, RefundLine)
    with reading() as conn:
        return tuple(
            conn.execute(sa.select(sa.func.count()).select_from(table(each))).scalar_one() for each in made
        )


def test_pay_and_charge_are_two_sides_of_one_settlement_with_the_margin_between_them(
    company: Company,
) -> None:  # STL-28
    facts = charged(company, distance_km=D(30), parts=(PartUsed("P-1", D(2), 2000),))

    settled = settle(company, facts)

    # Paid: 100.00 + 20 km x 1.20 + 40.00. Charged: 198.00 + 20 km x 2.00 + 40.00 x 1.25.
    assert settled.total_minor == 10000 + 2400 + 4000
    assert settled.sides[CHARGE].total_minor == 19800 + 4000 + 5000
    assert balances(company) == {
        (AccountKind.COST, "base_labour"): 10000,
        (AccountKind.COST, "travel"): 2400,
        (AccountKind.PARTS, "parts"): 4000,
        (AccountKind.PAYABLE_WORKER, ""): -16400,
        (AccountKind.RECEIVABLE, ""): 28800,
        (AccountKind.REVENUE, "base_labour"): -19800,
        (AccountKind.REVENUE, "travel"): -4000,
        (AccountKind.REVENUE, "parts"): -5000,
    }
    assert margin(company, facts) == Margin(28800, 16400, "CNY")
    assert margin(company, facts).margin_minor == 12400


def test_one_snapshot_stands_behind_all_sides(company: Company) -> None:
    settle(company, charged(company))

    with reading() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(table(FactSnapshot))).scalar_one() == 1
        seqs = conn.execute(
            sa.select(journals.c.seq, ratings.c.purpose)
            .join(ratings, ratings.c.id == journals.c.rating_id)
            .order_by(journals.c.seq)
        ).all()
    assert [tuple(row) for row in seqs] == [(1, Purpose.WORKER_PAY), (2, CHARGE)]


def test_work_under_a_partners_contract_is_paid_to_the_partner_and_shared_out_line_by_line(
    company: Company,
) -> None:  # STL-14
    vendor_id = vendor_of(company)
    facts = charged(company, vendor_id=vendor_id, difficulty=D("1.255"), by_vendor=True)

    settled = settle(company, facts)

    # 120.00 + 30.60 by the partner's rules; of each line 8% stay with the company: 9.60 and 2.448 -> 2.45.
    assert Purpose.WORKER_PAY not in settled.sides
    assert settled.total_minor == 12000 + 3060
    found = balances(company)
    assert found[AccountKind.PAYABLE_VENDOR, ""] == -(11040 + 2815)
    assert found[AccountKind.REVENUE, "share"] == -(960 + 245)
    assert (AccountKind.PAYABLE_WORKER, "") not in found
    assert sum(found.values()) == 0
    document = stated(company, payees.vendor(vendor_id))
    assert [line.amount_minor for line in document.lines] == [11040, 2815]
    assert (document.total_minor, document.payee_name) == (13855, {"zh": "蓝海", "en": "Blue"})


def test_a_partners_tier_pays_more(company: Company) -> None:  # STL-19
    facts = facts_of(company, vendor_id=vendor_of(company), service_type="other", vendor_tier="gold")

    assert settle(company, facts).total_minor == 6000 + 480


def test_without_rules_for_partners_whoever_did_the_work_is_paid(database: Database) -> None:
    company = open_company()
    facts = facts_of(company, vendor_id=vendor_of(company), by_vendor=True)

    assert set(settle(company, facts).sides) == {Purpose.WORKER_PAY}


def test_a_charge_nobody_known_owes_waits_in_suspense(company: Company) -> None:
    settle(company, facts_of(company))

    assert balances(company)[AccountKind.SUSPENSE, "receivable"] == 19800


def test_a_customers_statement_adds_up_to_the_charges(company: Company) -> None:
    facts = charged(company, hazards=HEIGHT)
    settle(company, facts)
    assert facts.customer_id is not None

    document = stated(company, payees.customer(facts.customer_id))

    assert document.total_minor == 19800 + 4950
    assert [line.amount_minor for line in document.lines] == [19800, 4950]
    assert document.payee_name["zh"] == "王芳"


def test_changed_facts_and_corrections_move_all_sides_and_the_books_keep_every_step(
    company: Company,
) -> None:
    facts = charged(company)
    first = settle(company, facts)
    settle(company, replace(facts, hazards=HEIGHT))

    last = correct(company, facts)

    assert (last.total_minor, last.sides[CHARGE].total_minor) == (10000, 19800)
    assert margin(company, facts) == Margin(19800, 10000, "CNY")
    with reading() as conn:
        kinds = conn.execute(sa.select(journals.c.kind).order_by(journals.c.seq)).scalars().all()
        assert chain.verify(conn, org_id=company.org_id).broken_at is None
        live = conn.execute(sa.select(ratings.c.purpose).where(ratings.c.is_live)).scalars().all()
    pair = [JournalKind.RATING] * 2
    assert kinds == [*pair, *[JournalKind.REVERSAL] * 2, *pair, *[JournalKind.REVERSAL] * 2, *pair]
    assert sorted(live) == [CHARGE, Purpose.WORKER_PAY]
    assert settle(company, facts) == replace(last, is_new=False)
    assert first.sides[CHARGE] != last.sides[CHARGE]


def test_withdrawing_takes_every_side_back(company: Company) -> None:
    facts = charged(company)
    settle(company, facts)

    withdraw(company, facts)

    assert balances(company) == {}
    with pytest.raises(NothingSettled):
        withdraw(company, facts)


def test_a_refund_negates_the_original_lines_exactly_whatever_the_rules_say_now(
    company: Company,
) -> None:  # STL-25
    facts = charged(company, hazards=HEIGHT, distance_km=D("35.55"))
    settled = settle(company, facts)
    paid = balances(company)[AccountKind.PAYABLE_WORKER, ""]

    refunded = refund(company, facts)

    assert refunded.amount_minor == settled.sides[CHARGE].total_minor
    found = balances(company)
    assert {key for key in found if key[0] in (AccountKind.RECEIVABLE, AccountKind.REVENUE)} == set()
    assert found[AccountKind.PAYABLE_WORKER, ""] == paid
    assert facts.customer_id is not None
    document = stated(company, payees.customer(facts.customer_id))
    assert document.total_minor == 0
    amounts = [line.amount_minor for line in document.lines if line.kind is JournalKind.REFUND]
    assert amounts == [-line.amount_minor for line in document.lines if line.kind is JournalKind.RATING]


def test_lines_are_refunded_one_by_one_and_each_once(company: Company) -> None:  # STL-25
    facts = charged(company, hazards=HEIGHT, distance_km=D(20))
    settle(company, facts)

    travel = refund(company, facts, positions=[3], command_id="travel")

    assert (travel.amount_minor, travel.positions) == (2000, (3,))
    assert balances(company)[AccountKind.RECEIVABLE, ""] == 19800 + 4950
    assert (AccountKind.REVENUE, Dimension.TRAVEL.value) not in balances(company)
    before = counted()
    with pytest.raises(AlreadyRefunded):
        refund(company, facts, positions=[1, 3], command_id="again")
    with pytest.raises(NoSuchLine):
        refund(company, facts, positions=[9], command_id="nowhere")
    assert refund(company, facts, positions=[3], command_id="travel") == travel
    assert counted() == before

    rest = refund(company, facts, command_id="rest")

    assert rest.positions == (1, 2)
    assert (AccountKind.RECEIVABLE, "") not in balances(company)
    with pytest.raises(AlreadyRefunded):
        refund(company, facts, command_id="nothing left")


def test_shared_lines_are_given_back_by_everybody_who_got_some(company: Company) -> None:
    facts = charged(company, vendor_id=vendor_of(company), difficulty=D("1.255"))
    settle(company, facts)

    refund(company, facts, purpose=Purpose.VENDOR_PAY, positions=[2])

    found = balances(company)
    assert found[AccountKind.PAYABLE_VENDOR, ""] == -11040
    assert found[AccountKind.REVENUE, "share"] == -960


def test_a_refunded_side_is_never_rated_again(company: Company) -> None:  # STL-25
    facts = charged(company, hazards=HEIGHT)
    settle(company, facts)
    refund(company, facts)

    corrected = correct(company, replace(facts, hazards=()))

    assert corrected.total_minor == 10000
    assert (AccountKind.RECEIVABLE, "") not in balances(company)
    assert corrected.sides[CHARGE].total_minor == 24750
    withdraw(company, facts)
    with pytest.raises(AlreadyRefunded):
        correct(company, facts, command_id="after all")
    assert balances(company) == {}


def test_pay_that_was_given_back_stays_so_while_the_charge_is_corrected(company: Company) -> None:
    facts = charged(company, hazards=HEIGHT)
    settle(company, facts)
    refund(company, facts, purpose=Purpose.WORKER_PAY)

    corrected = correct(company, replace(facts, hazards=()))

    assert (corrected.total_minor, corrected.is_new) == (12000, True)
    assert corrected.sides[CHARGE].total_minor == 19800
    assert balances(company) == {
        (AccountKind.RECEIVABLE, ""): 19800,
        (AccountKind.REVENUE, "base_labour"): -19800,
    }


@pytest.mark.parametrize(
    ("role", "grant"),
    [
        (Role.DISPATCHER, {}),
        (Role.AUDITOR, {}),
        (Role.TECHNICIAN, {"scope": Scope.OWN}),
        (Role.FINANCE, {"scope": Scope.REGION, "region_ids": [-1]}),
    ],
)
def test_only_those_who_may_correct_refund(company: Company, role: Role, grant: dict[str, Any]) -> None:
    facts = charged(company)
    settle(company, facts)
    before = counted()

    with pytest.raises(Forbidden):
        refund(company, facts, actor=company.actor(role, **grant))

    assert counted() == before


def test_nothing_is_refunded_that_was_never_settled(company: Company) -> None:
    with pytest.raises(NothingSettled):
        refund(company, charged(company))


def test_all_sides_cost_no_more_statements_than_one(company: Company) -> None:
    settle(company, charged(company, hazards=HEIGHT))
    facts = charged(company, hazards=HEIGHT, customer_id=1)
    seen: list[str] = []

    def listen(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = kernel_database.engine()
    sa.event.listen(engine, "before_cursor_execute", listen)
    settle(company, facts)
    sa.event.remove(engine, "before_cursor_execute", listen)

    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) <= 11


_operations = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["settle", "settle", "correct", "withdraw", "refund", "refund_line"]),
        st.booleans(),
        st.sampled_from([Purpose.VENDOR_PAY, CHARGE]),
    ),
    max_size=12,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=_operations)
def test_after_any_sequence_every_side_is_what_is_live_less_what_was_refunded(
    company: Company, operations: list[tuple[int, str, bool, Purpose]]
) -> None:
    vendor_id = _known_vendor(company)
    tickets = [charged(company, vendor_id=vendor_id, distance_km=D("17.77")) for _ in range(3)]
    for step, (number, what, dangerous, purpose) in enumerate(operations):
        facts = replace(tickets[number], hazards=HEIGHT if dangerous else ())
        _try(company, what, facts, purpose, f"{what}:{facts.no}:{step}")

    ids = [facts.ticket_id for facts in tickets]
    with reading() as conn:
        sums = sa.select(sa.func.sum(postings.c.amount_minor)).group_by(postings.c.journal_id)
        assert set(conn.execute(sums).scalars()) <= {0}
        assert chain.verify(conn, org_id=company.org_id).broken_at is None
        assert _charged(conn, ids) == _live_less_refunded(conn, ids, CHARGE)
        assert _paid(conn, ids) == _live_less_refunded(conn, ids, Purpose.VENDOR_PAY)
        assert [each.charge_minor for each in _margins(conn, company, ids)] == [
            _charged(conn, [each]) - _kept(conn, [each]) for each in ids
        ]


def _known_vendor(company: Company) -> int:
    with reading() as conn:
        found = conn.execute(sa.select(table(Vendor).c.id)).scalar()
    return vendor_of(company) if found is None else int(found)


def _try(company: Company, what: str, facts: Facts, purpose: Purpose, command_id: str) -> None:
    """One command; being refused for want of a rating is a fine outcome."""
    try:
        if what == "settle":
            settle(company, facts, command_id=command_id)
        elif what == "correct":
            correct(company, facts, command_id=command_id)
        elif what == "withdraw":
            withdraw(company, facts)
        else:
            positions = [1] if what == "refund_line" else None
            refund(company, facts, purpose=purpose, positions=positions, command_id=command_id)
    except (NothingSettled, AlreadyRefunded):
        return


def _sum_of(conn: sa.Connection, ids: Collection[int], *where: sa.ColumnElement[bool]) -> int:
    accounts = table(ledger.Account)
    found = conn.execute(
        sa.select(sa.func.sum(postings.c.amount_minor))
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(postings.c.ticket_id.in_(ids), *where)
    ).scalar()
    return int(found or 0)


def _charged(conn: sa.Connection, ids: Collection[int]) -> int:
    return _sum_of(conn, ids, table(ledger.Account).c.kind == AccountKind.RECEIVABLE)


def _kept(conn: sa.Connection, ids: Collection[int]) -> int:
    return _sum_of(conn, ids, table(ledger.Account).c.code == "share")


def _paid(conn: sa.Connection, ids: Collection[int]) -> int:
    """What went to the partner and what the company kept of it."""
    to_vendor = table(ledger.Account).c.owner_kind == OwnerKind.VENDOR
    return -_sum_of(conn, ids, to_vendor) - _kept(conn, ids)


def _live_less_refunded(conn: sa.Connection, ids: Collection[int], purpose: Purpose) -> int:
    refunds = table(Refund)
    here = sa.and_(ratings.c.ticket_id.in_(ids), ratings.c.purpose == purpose, ratings.c.is_live)
    live = conn.execute(sa.select(sa.func.sum(ratings.c.total_minor)).where(here)).scalar() or 0
    back = (
        conn.execute(
            sa.select(sa.func.sum(refunds.c.amount_minor))
            .join(ratings, ratings.c.id == refunds.c.rating_id)
            .where(here)
        ).scalar()
        or 0
    )
    return int(live) - int(back)


def _margins(conn: sa.Connection, company: Company, ids: Collection[int]) -> list[Margin]:
    found = margins.of_tickets(conn, viewer=company.actor(), ticket_ids=ids)
    return [found.get(each, Margin(0, 0, "CNY")) for each in ids]
