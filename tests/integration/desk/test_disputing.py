"""Disputes from the phone to the books: opened at a point of the tree, answered, decided, and stated."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.proof.journeys import STROKES, done_on_site
from ticket_console.access.tables import AuditEntry
from ticket_console.desk import customer, disputing
from ticket_console.desk.disputing import NothingWouldChange
from ticket_console.desk.settling import correct, refund
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError, Forbidden
from ticket_console.settlement import disputes, payees, paying, reads, statements, trace_tree
from ticket_console.settlement.amending import BadAmendment
from ticket_console.settlement.disputes import (
    AlreadyDisputed,
    BadWords,
    DisputeEnded,
    DisputeNotFound,
    DisputeView,
    NoSuchNode,
    OwnCase,
    RatingNotFound,
    StaleDispute,
)
from ticket_console.settlement.kinds import (
    AccountKind,
    DisputeState,
    JournalKind,
    Purpose,
    Remedy,
    StatementState,
)
from ticket_console.settlement.paying import WrongStatementState
from ticket_console.settlement.reads import RatingView
from ticket_console.settlement.settling import AlreadyRefunded
from ticket_console.settlement.statements import StaleStatement, StatementView
from ticket_console.settlement.tables import Account, Dispute, Journal, Period, Posting, Statement
from ticket_console.tickets import reads as ticket_reads

DISTANCE = "fact/distance_km"


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def rating(company: Company) -> RatingView:
    """What the technician nearby earned with a repair: done, accepted by the customer, settled."""
    token = done_on_site(company).tracking_token
    accepted = customer.accept(
        token=token,
        at=company.at + timedelta(hours=3),
        command_id="accept",
        signer_name="王芳",
        strokes=STROKES,
    )
    return ratings(company, accepted.ticket_id)[0]


def ratings(company: Company, ticket_id: int) -> tuple[RatingView, ...]:
    """What the technician was rated, the latest first."""
    me = payees.technician(company.technicians["tech_near"])
    with reading() as conn:
        found = reads.ticket_ratings(conn, viewer=company.actor("finance"), ticket_id=ticket_id)
    return tuple(each for each in found if each.payee == me)


def worker(company: Company) -> Actor:
    return company.actor("tech_near")


def dispute(company: Company, rating: RatingView, **changes: Any) -> DisputeView:
    wish: dict[str, Any] = {
        "actor": worker(company),
        "at": company.at + timedelta(days=1),
        "rating_id": rating.rating_id,
        "node": DISTANCE,
        "text": "开了 35.5 公里，不是这个数",
        "command_id": company.command_id(),
    }
    with transaction() as conn:
        return disputes.open_dispute(conn, **wish | changes)


def say(company: Company, opened: DisputeView, command: Any, **changes: Any) -> DisputeView:
    words = "reason" if command is disputes.reject else "text"
    wish: dict[str, Any] = {
        "actor": company.actor("finance"),
        "at": company.at + timedelta(days=2),
        "dispute_id": opened.id,
        "expected_version": opened.version,
        words: "已核对里程表",
        "command_id": company.command_id(),
    }
    with transaction() as conn:
        return command(conn, **wish | changes)


def accept(company: Company, opened: DisputeView, **changes: Any) -> DisputeView:
    wish: dict[str, Any] = {
        "actor": company.actor("finance"),
        "at": company.at + timedelta(days=2),
        "command_id": company.command_id(),
        "dispute_id": opened.id,
        "expected_version": opened.version,
        "remedy": Remedy.CORRECTED,
        "amend": {"distance_km": "35.5"},
        "text": "按里程表更正",
    }
    return disputing.accept(**wish | changes)


def books() -> list[tuple[str, int]]:
    """Every entry of the books with what it brought the technician."""
    journals, postings, accounts = table(Journal), table(Posting), table(Account)
    with reading() as conn:
        rows = conn.execute(
            sa.select(journals.c.kind, -sa.func.sum(postings.c.amount_minor))
            .join(postings, postings.c.journal_id == journals.c.id)
            .join(accounts, accounts.c.id == postings.c.account_id)
            .where(accounts.c.kind == AccountKind.PAYABLE_WORKER)
            .group_by(journals.c.id, journals.c.kind, journals.c.seq)
            .order_by(journals.c.seq)
        )
        return [(str(kind), int(earned)) for kind, earned in rows]


def everything() -> tuple[Any, ...]:
    """All that a refused command might have touched."""
    with reading() as conn:
        return tuple(
            conn.execute(sa.select(table(model)).order_by(table(model).c.id)).all()
            for model in (Dispute, Statement, Journal, AuditEntry)
        )


def november(company: Company) -> int:
    with reading() as conn:
        return int(conn.execute(sa.select(table(Period).c.id).limit(1)).scalar_one())


def issued(company: Company) -> StatementView:
    with transaction() as conn:
        drafted = statements.draft(
            conn,
            actor=company.actor("finance"),
            payee=payees.technician(company.technicians["tech_near"]),
            period_id=november(company),
            command_id=company.command_id(),
        )
        return statements.issue(
            conn,
            actor=company.actor("finance"),
            at=company.at + timedelta(days=1),
            statement_id=drafted.id,
            expected_version=drafted.version,
            command_id=company.command_id(),
        )


def statement(company: Company, statement_id: int) -> StatementView:
    with reading() as conn:
        return statements.statement_view(conn, viewer=company.actor("finance"), statement_id=statement_id)


def step(company: Company, stated: StatementView, command: Any, **changes: Any) -> StatementView:
    wish: dict[str, Any] = {
        "actor": company.actor("finance"),
        "at": company.at + timedelta(days=3),
        "statement_id": stated.id,
        "expected_version": stated.version,
        "command_id": company.command_id(),
    }
    with transaction() as conn:
        return command(conn, **wish | changes)


def test_every_amount_rests_on_a_tree_whose_nodes_have_paths(rating: RatingView) -> None:  # STL-23
    nodes = trace_tree.nodes(rating)

    assert trace_tree.TOTAL in nodes
    assert DISTANCE in nodes
    for line in rating.lines:
        assert nodes[f"line/{line.position}"].position == line.position
        assert {f"line/{line.position}/fact/{fact.key}" for fact in line.facts} <= set(nodes)
        assert f"line/{line.position}/rule" in nodes
        assert f"line/{line.position}/formula" in nodes
    applied = {line.rule_code for line in rating.lines}
    silent = {node.key for path, node in nodes.items() if path.startswith("rule/")}
    assert silent
    assert not silent & applied
    assert nodes["rule/night.coefficient"].key == "night.coefficient"


def test_a_technician_disputes_a_node_of_their_own_pay_once(company: Company, rating: RatingView) -> None:
    opened = dispute(company, rating, command_id="phone-1")

    assert dispute(company, rating, command_id="phone-1") == opened
    assert (opened.state, opened.node, opened.line_position) == (DisputeState.OPEN, DISTANCE, None)
    assert (opened.opened_name, opened.statement_id) == (worker(company).display, None)
    with reading() as conn:
        finance = company.actor("finance")
        (entry,) = disputes.inbox(conn, viewer=finance)
        assert (entry.dispute, entry.ticket_no, entry.total_minor) == (
            opened,
            rating.ticket_no,
            rating.total_minor,
        )
        assert disputes.undecided_count(conn, viewer=finance) == 1
        assert disputes.undecided_count(conn, viewer=company.actor("tech_far")) == 0
        deeds = conn.execute(sa.select(table(AuditEntry).c.action)).scalars().all()
    assert deeds.count("dispute.opened") == 1


def test_what_cannot_be_disputed_is_refused_and_leaves_nothing(company: Company, rating: RatingView) -> None:
    dispute(company, rating)
    before = everything()

    for refused, refusal in (
        ({"node": "line/99"}, NoSuchNode),
        ({"node": "fact/height_of_the_moon"}, NoSuchNode),
        ({"node": ""}, NoSuchNode),
        ({"text": "  \n "}, BadWords),
        ({"text": "字" * 1001}, BadWords),
        ({"rating_id": rating.rating_id + 10_000}, RatingNotFound),
        ({"actor": company.actor("tech_far")}, RatingNotFound),
        ({"actor": company.actor("auditor")}, Forbidden),
        ({"actor": company.actor("dispatcher")}, Forbidden),
        ({}, AlreadyDisputed),
    ):
        wish = {"node": trace_tree.TOTAL} | refused if refused else {}
        with pytest.raises(refusal):
            dispute(company, rating, **wish)
    assert everything() == before


def test_an_answer_leaves_a_dispute_open_and_a_rejection_ends_it(
    company: Company, rating: RatingView
) -> None:
    opened = dispute(company, rating)

    answered = say(company, opened, disputes.answer, command_id="a")
    assert say(company, opened, disputes.answer, command_id="a") == answered
    assert (answered.state, answered.answer) == (DisputeState.ANSWERED, "已核对里程表")
    assert answered.is_undecided
    rejected = say(company, answered, disputes.reject, reason="里程表照片显示 12 公里")

    assert (rejected.state, rejected.answer) == (DisputeState.REJECTED, "里程表照片显示 12 公里")
    assert books() == [("rating", rating.total_minor)]
    before = everything()
    for command, refused, refusal in (
        (disputes.answer, {}, DisputeEnded),
        (disputes.reject, {}, DisputeEnded),
    ):
        with pytest.raises(refusal):
            say(company, rejected, command, **refused)
    with pytest.raises(DisputeEnded):
        accept(company, rejected)
    assert everything() == before


def test_deciding_needs_the_right_the_latest_version_and_words(company: Company, rating: RatingView) -> None:
    opened = dispute(company, rating)
    answered = say(company, opened, disputes.answer)
    before = everything()

    for command in (disputes.answer, disputes.reject):
        words = "reason" if command is disputes.reject else "text"
        for refused, refusal in (
            ({"actor": worker(company)}, Forbidden),
            ({"actor": company.actor("tech_far")}, DisputeNotFound),
            ({"actor": company.actor("auditor")}, Forbidden),
            ({"expected_version": opened.version}, StaleDispute),
            ({words: " "}, BadWords),
        ):
            with pytest.raises(refusal):
                say(company, answered, command, **refused)
    for refused, refusal in (
        ({"actor": worker(company)}, Forbidden),
        ({"expected_version": opened.version}, StaleDispute),
        ({"amend": {}}, NothingWouldChange),
        ({"amend": {"distance_km": "far"}}, BadAmendment),
        ({"amend": {"distance_km": "NaN"}}, BadAmendment),
        ({"amend": {"distance_km": "-1"}}, BadAmendment),
        ({"amend": {"technician_id": "1"}}, BadAmendment),
    ):
        with pytest.raises(refusal):
            accept(company, answered, **refused)
    assert everything() == before


def test_nobody_decides_about_their_own_pay(company: Company, rating: RatingView) -> None:
    opened = dispute(company, rating)
    both = replace(company.actor("finance"), technician_id=company.technicians["tech_near"])

    with pytest.raises(OwnCase):
        say(company, opened, disputes.reject, actor=both)


def test_nobody_decides_about_the_charge_of_their_own_work(company: Company, rating: RatingView) -> None:
    # Put right, it would rate their pay anew as well.
    both = replace(company.actor("finance"), technician_id=company.technicians["tech_near"])
    with reading() as conn:
        found = reads.ticket_ratings(conn, viewer=both, ticket_id=rating.ticket_id)
    charge = next(each for each in found if each.purpose is Purpose.CUSTOMER_CHARGE)
    opened = dispute(company, charge, actor=both)
    before = everything()

    with pytest.raises(OwnCase):
        accept(company, opened, actor=both)
    assert everything() == before


@pytest.mark.parametrize("remedy", [Remedy.CORRECTED, Remedy.REVERSED])
def test_what_was_given_back_is_not_put_right_by_a_dispute(
    company: Company, rating: RatingView, remedy: Remedy
) -> None:  # STL-25
    opened = dispute(company, rating)
    with reading() as conn:
        version = ticket_reads.find_ticket(conn, viewer=company.system, ticket_id=rating.ticket_id)["version"]
    refund(
        actor=company.actor("finance"),
        at=company.at + timedelta(days=1),
        command_id="refund",
        ticket_id=rating.ticket_id,
        expected_version=version,
        reason="重复付款",
        purpose=Purpose.WORKER_PAY,
        positions=[rating.lines[0].position],
    )
    before = everything()

    with pytest.raises(AlreadyRefunded):
        accept(company, opened, remedy=remedy)
    assert everything() == before


def test_an_accepted_dispute_takes_the_entry_back_and_rates_the_right_fact(
    company: Company, rating: RatingView
) -> None:  # STL-23, STL-25
    opened = dispute(company, rating)

    accepted = accept(company, opened, command_id="yes")

    assert accept(company, opened, command_id="yes") == accepted
    assert (accepted.state, accepted.remedy) == (DisputeState.ACCEPTED, Remedy.CORRECTED)
    assert accepted.amended == {"distance_km": "35.5"}
    new, old = ratings(company, rating.ticket_id)
    assert (old.rating_id, old.is_live, new.is_live) == (rating.rating_id, False, True)
    # 35.5 km, of which ten are free, at 1.20: 30.60; it was nearby before.
    travel = {line.dimension: line.amount_minor for line in new.lines}["travel"]
    assert (travel, new.total_minor - old.total_minor) == (3060, 3060)
    assert books() == [
        ("rating", old.total_minor),
        ("reversal", -old.total_minor),
        ("rating", new.total_minor),
    ]
    with reading() as conn:
        journals = table(Journal)
        reversal = conn.execute(sa.select(journals).where(journals.c.id == accepted.journal_id)).one()
    assert (reversal.kind, reversal.reverses_id) == (JournalKind.REVERSAL, rating.journal_id)
    assert reversal.reason == "按里程表更正"


def test_what_a_dispute_put_right_stays_right_when_the_ticket_is_corrected_again(
    company: Company, rating: RatingView
) -> None:
    accept(company, dispute(company, rating))
    first = ratings(company, rating.ticket_id)[0]
    with reading() as conn:
        version = ticket_version(conn, rating.ticket_id)

    correct(
        actor=company.actor("finance"),
        at=company.at + timedelta(days=4),
        command_id="again",
        ticket_id=rating.ticket_id,
        expected_version=version,
        reason="复核",
    )

    assert ratings(company, rating.ticket_id)[0].total_minor == first.total_minor


def ticket_version(conn: sa.Connection, ticket_id: int) -> int:
    return int(
        conn.execute(sa.text("SELECT version FROM ticket WHERE id = :id"), {"id": ticket_id}).scalar_one()
    )


def test_work_that_was_not_done_is_taken_back_for_good(company: Company, rating: RatingView) -> None:
    opened = dispute(company, rating, actor=company.actor("finance"), node=trace_tree.TOTAL, text="重复工单")

    accepted = accept(company, opened, remedy=Remedy.REVERSED)

    assert (accepted.remedy, accepted.amended) == (Remedy.REVERSED, None)
    assert books() == [("rating", rating.total_minor), ("reversal", -rating.total_minor)]


def test_a_dispute_about_what_was_corrected_meanwhile_ends_with_that_entry(
    company: Company, rating: RatingView
) -> None:
    about_km = dispute(company, rating)
    about_all = dispute(company, rating, node=trace_tree.TOTAL)
    first = accept(company, about_km)

    second = accept(company, about_all)

    assert (second.remedy, second.journal_id) == (Remedy.FOUND_CORRECTED, first.journal_id)
    assert [kind for kind, _ in books()] == ["rating", "reversal", "rating"]


def test_a_statement_is_disputed_until_the_last_of_its_disputes_ends(
    company: Company, rating: RatingView
) -> None:  # STL-23
    stated = issued(company)
    stated = step(company, stated, paying.confirm, actor=worker(company))
    assert (stated.state, stated.confirmed_by) == (StatementState.CONFIRMED, worker(company).display)

    km, total = dispute(company, rating), dispute(company, rating, node=trace_tree.TOTAL)

    disputed = statement(company, stated.id)
    assert (km.statement_id, disputed.state, disputed.confirmed_by) == (
        stated.id,
        StatementState.DISPUTED,
        None,
    )
    before = everything()
    for command in (paying.confirm, paying.pay):
        with pytest.raises(WrongStatementState):
            step(company, disputed, command)
    assert everything() == before
    accept(company, km)
    assert statement(company, stated.id).state is StatementState.DISPUTED
    say(company, total, disputes.reject)
    assert statement(company, stated.id).state is StatementState.ISSUED
    # What was said stays; what was put right stands on the next statement: the reversal and the new line.
    following = issued(company)
    new, old = ratings(company, rating.ticket_id)
    assert (following.number, following.total_minor) == (2, new.total_minor - old.total_minor)
    assert statement(company, stated.id).total_minor == old.total_minor


def test_a_dispute_opened_before_the_statement_is_found_by_it(company: Company, rating: RatingView) -> None:
    opened = dispute(company, rating)

    stated = issued(company)

    assert stated.state is StatementState.DISPUTED
    with reading() as conn:
        (found,) = disputes.of_statement(conn, viewer=worker(company), statement_id=stated.id)
    assert found.id == opened.id
    say(company, opened, disputes.reject, expected_version=found.version)
    assert statement(company, stated.id).state is StatementState.ISSUED


def test_a_payment_clears_what_the_statement_says_and_never_twice(
    company: Company, rating: RatingView
) -> None:
    stated = issued(company)
    confirmed = step(company, stated, paying.confirm)
    with reading() as conn:
        (payable,) = paying.to_pay(conn, viewer=company.actor("finance"))
        assert paying.to_pay(conn, viewer=company.actor("tech_far")) == ()
    assert (payable.total_minor, payable.payee) == (rating.total_minor, stated.payee)

    paid = step(company, confirmed, paying.pay, command_id="pay")

    assert step(company, confirmed, paying.pay, command_id="pay") == paid
    assert (paid.state, paid.paid_by) == (StatementState.PAID, company.actor("finance").display)
    assert books() == [("rating", rating.total_minor), ("payment", -rating.total_minor)]
    before = everything()
    for command, refused, refusal in (
        (paying.pay, {}, WrongStatementState),
        (paying.confirm, {}, WrongStatementState),
        (paying.pay, {"actor": worker(company)}, Forbidden),
    ):
        with pytest.raises(refusal):
            step(company, paid, command, **refused)
    assert everything() == before
    with reading() as conn:
        assert paying.to_pay(conn, viewer=company.actor("finance")) == ()


def test_steps_of_a_statement_are_taken_in_order_and_on_its_latest_version(
    company: Company, rating: RatingView
) -> None:
    stated = issued(company)
    before = everything()

    for command, refused, refusal in (
        (paying.pay, {}, WrongStatementState),
        (paying.confirm, {"expected_version": stated.version - 1}, StaleStatement),
        (paying.confirm, {"actor": company.actor("tech_far")}, Forbidden),
        (paying.confirm, {"actor": company.actor("auditor")}, Forbidden),
        (paying.pay, {"actor": company.actor("dispatcher")}, Forbidden),
    ):
        with pytest.raises(refusal):
            step(company, stated, command, **refused)
    assert everything() == before


def test_a_payment_stands_on_no_statement(company: Company, rating: RatingView) -> None:
    step(company, step(company, issued(company), paying.confirm), paying.pay)

    with reading() as conn:
        page = reads.technician_totals(conn, viewer=company.actor("finance"), period_id=november(company))
    assert page.total_minor == rating.total_minor
    with pytest.raises(ConsoleError):
        issued(company)


def test_a_dispute_of_what_is_paid_leaves_it_paid(company: Company, rating: RatingView) -> None:
    paid = step(company, step(company, issued(company), paying.confirm), paying.pay)

    opened = dispute(company, rating)
    accept(company, opened)

    assert statement(company, paid.id) == paid
    assert opened.statement_id == paid.id
    assert issued(company).number == 2
