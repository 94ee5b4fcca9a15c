"""Settling and correcting through the real books, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.settlement import (
    SETTLED,
    Company,
    correct,
    facts_of,
    open_company,
    settle,
)
from tests.fixtures.databases import Database
from ticket_console.kernel import database as kernel_database
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import chain, ledger, settling
from ticket_console.settlement.books import BooksNotOpen
from ticket_console.settlement.facts import Facts, Hazard, PartUsed
from ticket_console.settlement.kinds import AccountKind, Dimension, JournalKind
from ticket_console.settlement.ledger import AlreadyReversed, JournalNotFound
from ticket_console.settlement.publishing import NoRulesInForce
from ticket_console.settlement.settling import NothingSettled, SettledTicket
from ticket_console.settlement.tables import FactSnapshot, Journal, LedgerHead, Posting, Rating, RatingLine

HEIGHT = (Hazard("height", "photo:812"),)
postings, journals, ratings = table(Posting), table(Journal), table(Rating)


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


def owed(company: Company, technician_id: int) -> int:
    with reading() as conn:
        return -sum(
            account.balance_minor
            for account in ledger.balances(conn, org_id=company.org_id)
            if account.kind is AccountKind.PAYABLE_WORKER and account.owner_id == technician_id
        )


def rows(query: sa.Select[Any]) -> list[Any]:
    with reading() as conn:
        return [tuple(row) for row in conn.execute(query)]


def counted() -> dict[str, int]:
    """How many rows each table of the books has."""
    made = [FactSnapshot, Rating, RatingLine, Journal, Posting]
    with reading() as conn:
        return {
            table(each).name: conn.execute(sa.select(sa.func.count()).select_from(table(each))).scalar_one()
            for each in made
        }


def test_settling_posts_each_line_to_its_dimension_and_the_sum_to_the_technician(company: Company) -> None:
    facts = facts_of(company, hazards=HEIGHT, parts=(PartUsed("P-1", D(2), 1999),))

    settled = settle(company, facts)

    assert settled.is_new
    assert settled.total_minor == 15998
    assert [(line.dimension, line.amount_minor) for line in settled.lines] == [
        (Dimension.BASE_LABOUR, 10000),
        (Dimension.HAZARD, 2000),
        (Dimension.PARTS, 3998),
    ]
    with reading() as conn:
        balances = {
            (account.kind, account.code): account.balance_minor
            for account in ledger.balances(conn, org_id=company.org_id)
        }
    assert balances == {
        (AccountKind.COST, "base_labour"): 10000,
        (AccountKind.COST, "hazard"): 2000,
        (AccountKind.PARTS, "parts"): 3998,
        (AccountKind.PAYABLE_WORKER, ""): -15998,
    }


def test_what_a_technician_is_owed_moves_with_the_settlement_itself(company: Company) -> None:  # STL-07
    settle(company, facts_of(company, cross_city=True, distance_km=D(60)))

    assert owed(company, company.anna) == 10000 + 6000 + 8000
    assert owed(company, company.bo) == 0


def test_settling_the_same_facts_again_changes_nothing(company: Company) -> None:
    facts = facts_of(company)
    first = settle(company, facts)
    before = counted()

    again = settle(company, facts, command_id="another click", at=SETTLED + timedelta(hours=3))

    assert again == SettledTicket(
        rating_id=first.rating_id,
        journal_id=first.journal_id,
        total_minor=first.total_minor,
        currency=first.currency,
        lines=first.lines,
        is_new=False,
        sides=first.sides,
    )
    assert counted() == before


def test_settling_changed_facts_reverses_the_first_entry_and_posts_the_new_one(company: Company) -> None:
    facts = facts_of(company)
    first = settle(company, facts)
    changed = replace(facts, hazards=HEIGHT)

    second = settle(company, changed)

    assert second.total_minor == 12000
    assert owed(company, company.anna) == 12000
    kinds = rows(sa.select(journals.c.kind, journals.c.reverses_id).order_by(journals.c.seq))
    assert kinds == [
        (JournalKind.RATING, None),
        (JournalKind.REVERSAL, first.journal_id),
        (JournalKind.RATING, None),
    ]
    assert rows(sa.select(ratings.c.id).where(ratings.c.is_live)) == [(second.rating_id,)]


def test_segments_of_a_ticket_are_settled_apart(company: Company) -> None:
    facts = facts_of(company)
    settle(company, facts)

    settle(company, replace(facts, segment="rework", service_type="repair"))

    assert owed(company, company.anna) == 18000


def test_a_correction_is_the_exact_negation_and_a_new_rating(company: Company) -> None:
    facts = facts_of(company, distance_km=D("35.5"), parts=(PartUsed("P-1", D("0.333"), 1000),))
    first = settle(company, facts)

    corrected = correct(company, replace(facts, hazards=HEIGHT))

    assert corrected.total_minor == first.total_minor + 2000
    assert owed(company, company.anna) == corrected.total_minor
    columns = [
        postings.c.account_id,
        postings.c.amount_minor,
        postings.c.region_id,
        postings.c.rating_line_id,
    ]
    original = rows(
        sa.select(*columns).where(postings.c.journal_id == first.journal_id).order_by(postings.c.id)
    )
    reversal = rows(
        sa.select(*columns)
        .join(journals, journals.c.id == postings.c.journal_id)
        .where(journals.c.reverses_id == first.journal_id)
        .order_by(postings.c.id)
    )
    assert reversal == [(account, -amount, region, line) for account, amount, region, line in original]
    reasons = rows(sa.select(journals.c.reason).order_by(journals.c.seq))
    assert reasons == [(None,), ("the photo shows a ladder",), ("the photo shows a ladder",)]


def test_a_correction_to_another_technician_moves_the_money(company: Company) -> None:
    facts = facts_of(company)
    settle(company, facts)

    correct(company, replace(facts, technician_id=company.bo))

    assert (owed(company, company.anna), owed(company, company.bo)) == (0, 10000)


def test_an_entry_is_reversed_at_most_once(company: Company) -> None:  # pains 38
    settled = settle(company, facts_of(company))
    wanted: dict[str, Any] = {
        "org_id": company.org_id,
        "at": SETTLED,
        "posted_by": "user:1",
        "command_id": "r",
        "reason": "mistake",
    }
    with transaction() as conn:
        reversal = ledger.reverse(conn, journal_id=settled.journal_id, **wanted)
    before = counted()

    with pytest.raises(AlreadyReversed), transaction() as conn:
        ledger.reverse(conn, journal_id=settled.journal_id, **wanted)
    with pytest.raises(AlreadyReversed), transaction() as conn:
        ledger.reverse(conn, journal_id=reversal.id, **wanted)
    with pytest.raises(JournalNotFound), transaction() as conn:
        ledger.reverse(conn, journal_id=1, **wanted)

    assert counted() == before
    assert owed(company, company.anna) == 0


def test_withdrawing_leaves_the_ticket_unrated_and_free_to_be_settled_again(
    company: Company,
) -> None:  # STL-25
    facts = facts_of(company)
    settle(company, facts)
    wanted: dict[str, Any] = {
        "at": SETTLED,
        "actor": company.actor(),
        "ticket_id": facts.ticket_id,
        "segment": "main",
        "region_id": company.north,
        "command_id": "undo",
        "reason": "returned",
    }
    with transaction() as conn:
        settling.withdraw(conn, **wanted)

    assert owed(company, company.anna) == 0
    with pytest.raises(NothingSettled), transaction() as conn:
        settling.withdraw(conn, **wanted)
    assert settle(company, facts).is_new
    assert owed(company, company.anna) == 10000


def test_what_was_never_settled_cannot_be_corrected(company: Company) -> None:
    with pytest.raises(NothingSettled):
        correct(company, facts_of(company))

    assert set(counted().values()) == {0}


@pytest.mark.parametrize(
    ("role", "grant"),
    [
        (Role.DISPATCHER, {}),
        (Role.TECHNICIAN, {"scope": Scope.OWN}),
        (Role.AUDITOR, {}),
        (Role.FINANCE, {"scope": Scope.REGION, "region_ids": [-1]}),
    ],
)
def test_only_those_who_may_correct_do(company: Company, role: Role, grant: dict[str, Any]) -> None:
    facts = facts_of(company)
    settle(company, facts)
    before = counted()

    with pytest.raises(Forbidden):
        correct(company, facts, actor=company.actor(role, **grant))

    assert counted() == before


def test_a_refusal_later_in_the_command_takes_the_settlement_with_it(company: Company) -> None:
    facts = facts_of(company)

    def settle_and_fail() -> None:
        with transaction() as conn:
            settling.settle(
                conn, at=SETTLED, actor=company.actor(), facts=facts, region_id=company.north, command_id="c"
            )
            raise NothingSettled

    with pytest.raises(NothingSettled):
        settle_and_fail()

    assert set(counted().values()) == {0}
    assert settle(company, facts).is_new


def test_work_before_any_rules_were_in_force_is_refused_and_nothing_posted(company: Company) -> None:
    long_ago = datetime(1999, 6, 1, tzinfo=UTC)

    with pytest.raises(NoRulesInForce) as refused:
        settle(company, facts_of(company, started_at=long_ago, finished_at=long_ago))

    assert refused.value.params == {"rule_set": "worker_pay", "day": "1999-06-01"}
    assert set(counted().values()) == {0}


def test_books_that_were_never_opened_take_nothing(company: Company) -> None:
    with transaction() as conn:
        conn.execute(sa.delete(table(LedgerHead)))

    with pytest.raises(BooksNotOpen):
        settle(company, facts_of(company))

    assert set(counted().values()) == {0}


def test_the_chain_verifies_and_shows_where_it_was_tampered_with(company: Company) -> None:
    for _ in range(4):
        settle(company, facts_of(company))
    with reading() as conn:
        assert chain.verify(conn, org_id=company.org_id, batch=3) == chain.ChainReport(4, None)

    with _unguarded() as conn:
        third = sa.select(journals.c.id).where(journals.c.seq == 3).scalar_subquery()
        conn.execute(
            sa.update(postings).where(postings.c.journal_id == third).values(region_id=company.south)
        )

    with reading() as conn:
        assert chain.verify(conn, org_id=company.org_id, batch=3) == chain.ChainReport(2, 3)


def test_a_journal_cut_from_the_end_of_the_chain_is_missed(company: Company) -> None:
    for _ in range(2):
        settle(company, facts_of(company))

    with _unguarded() as conn:
        last = sa.select(journals.c.id).where(journals.c.seq == 2).scalar_subquery()
        conn.execute(sa.delete(postings).where(postings.c.journal_id == last))
        conn.execute(sa.delete(journals).where(journals.c.seq == 2))

    with reading() as conn:
        assert chain.verify(conn, org_id=company.org_id) == chain.ChainReport(1, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET amount_minor = 1",
        "DELETE FROM posting",
        "UPDATE journal SET reason = 'x'",
        "DELETE FROM journal",
        "UPDATE rating_line SET amount_minor = 1",
        "DELETE FROM rating_line",
        "UPDATE fact_snapshot SET facts = '{}'",
        "DELETE FROM fact_snapshot",
        "UPDATE rating SET total_minor = 1",
        "DELETE FROM rating",
        "UPDATE rule_set_version SET rules = '{}'",
        "DELETE FROM rule_set_version",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_books(company: Company, statement: str) -> None:
    settle(company, facts_of(company))

    with pytest.raises(sa.exc.IntegrityError, match="is written once"), transaction() as conn:
        conn.execute(sa.text(statement))


def test_a_ticket_has_one_live_rating_even_when_the_program_forgets(company: Company) -> None:  # pains 40
    facts = facts_of(company)
    settle(company, facts)
    correct(company, facts)

    with pytest.raises(sa.exc.IntegrityError), transaction() as conn:
        conn.execute(sa.update(ratings).values(is_live=True))


def test_settling_takes_fewer_than_twelve_statements(company: Company) -> None:
    settle(company, facts_of(company, hazards=HEIGHT))
    facts = facts_of(company, hazards=HEIGHT)
    seen: list[str] = []

    def listen(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(kernel_database.engine(), "before_cursor_execute", listen)
    settle(company, facts)

    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) <= 11


_operations = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["settle", "settle", "correct", "withdraw"]),
        st.booleans(),
        st.sampled_from([D(0), D("12.5"), D("35.55")]),
    ),
    max_size=14,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=_operations)
def test_after_any_sequence_the_books_balance_and_say_what_is_live(company: Company, operations: Any) -> None:
    tickets = [facts_of(company) for _ in range(4)]
    for number, what, dangerous, distance in operations:
        facts = replace(
            tickets[number],
            hazards=HEIGHT if dangerous else (),
            distance_km=distance,
            technician_id=company.bo if dangerous else company.anna,
        )
        _try(company, what, facts)

    with reading() as conn:
        sums = sa.select(sa.func.sum(postings.c.amount_minor)).group_by(postings.c.journal_id)
        assert set(conn.execute(sums).scalars()) <= {0}
        assert chain.verify(conn, org_id=company.org_id).broken_at is None
        live = conn.execute(
            sa.select(sa.func.coalesce(sa.func.sum(ratings.c.total_minor), 0)).where(ratings.c.is_live)
        ).scalar_one()
        lines = table(RatingLine)
        apart = conn.execute(
            sa.select(ratings.c.id)
            .join(lines, lines.c.rating_id == ratings.c.id)
            .group_by(ratings.c.id)
            .having(sa.func.sum(lines.c.amount_minor) != ratings.c.total_minor)
        ).all()
    assert apart == []
    assert owed(company, company.anna) + owed(company, company.bo) == live


def _try(company: Company, what: str, facts: Facts) -> None:
    """One command; being refused for want of a rating is a fine outcome."""
    actions = {
        "settle": lambda: settle(company, facts),
        "correct": lambda: correct(company, facts),
        "withdraw": lambda: _withdraw(company, facts),
    }
    try:
        actions[what]()
    except NothingSettled:
        return


def _withdraw(company: Company, facts: Facts) -> None:
    with transaction() as conn:
        settling.withdraw(
            conn,
            at=SETTLED,
            actor=company.actor(),
            ticket_id=facts.ticket_id,
            segment=facts.segment,
            region_id=company.north,
            command_id="undo",
            reason="returned",
        )


@contextmanager
def _unguarded() -> Iterator[sa.Connection]:
    """A connection for whom the guards of the books do not exist, as for somebody with the file in hand."""
    guards = {
        "sqlite": [
            f"DROP TRIGGER {name}_no_{verb}"
            for name in ("posting", "journal")
            for verb in ("update", "delete")
        ],
        "postgresql": ["SET LOCAL session_replication_role = replica"],
    }
    with transaction() as conn:
        for statement in guards[conn.dialect.name]:
            conn.exec_driver_sql(statement)
        yield conn
