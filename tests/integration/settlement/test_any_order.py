"""Whatever commands come in any order, the laws of the ledger hold, and a refused one changes nothing."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.builders.settlement import Company, facts_of, make_facts, open_company
from tests.fixtures.databases import Database
from tests.integration.settlement.ledger_laws import broken_laws, ratings_that_rate_otherwise_now
from ticket_console.access.tables import Org, UserAccount
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.reports import laws_of_money
from ticket_console.reports.laws import Look
from ticket_console.settlement import (
    closing,
    disputes,
    payees,
    paying,
    refunding,
    reopening,
    settling,
    sides,
    statements,
)
from ticket_console.settlement.facts import Facts, Hazard, PartUsed
from ticket_console.settlement.kinds import (
    DisputeState,
    PeriodState,
    Purpose,
    Remedy,
    ReopeningState,
    StatementState,
)
from ticket_console.settlement.tables import (
    Account,
    Dispute,
    FactSnapshot,
    Journal,
    LedgerHead,
    Period,
    PeriodReopening,
    Rating,
    Refund,
    Statement,
)

# The same runs every time where it counts, more and others where somebody asks for them.
MANY = settings(
    max_examples=int(os.environ.get("LEDGER_EXAMPLES", "10")),
    stateful_step_count=25,
    deadline=None,
    # A story of thirty commands explains itself; making it the shortest one takes minutes.
    phases=[Phase.generate],
    report_multiple_bugs=False,
    derandomize="LEDGER_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
KEPT = [
    table(each)
    for each in (
        Account,
        Dispute,
        FactSnapshot,
        Journal,
        LedgerHead,
        Period,
        PeriodReopening,
        Rating,
        Refund,
        Statement,
    )
]

tickets = st.integers(0, 3)
ALL_SIDES = tuple(sides.RULE_SETS.values())
# A place among the rows that fit a command, or now and then among all there are.
places = st.tuples(st.integers(0, 11), st.sampled_from([True, True, True, False]))
OCTOBER, NOVEMBER = datetime(2026, 10, 20, 4, tzinfo=UTC), datetime(2026, 11, 20, 4, tzinfo=UTC)
days = st.sampled_from([OCTOBER, NOVEMBER])
Place = tuple[int, bool]
people = st.sampled_from(["anna", "bo"])


def another_company(**wanted: Any) -> Company:
    """A company beside those there are, which lets go of its code and login for the next one."""
    company = open_company(**wanted)
    orgs, users = table(Org), table(UserAccount)
    with transaction() as conn:
        conn.execute(sa.update(orgs).where(orgs.c.id == company.org_id).values(code=f"acme-{company.org_id}"))
        conn.execute(
            sa.update(users).where(users.c.org_id == company.org_id).values(login=f"fei-{company.org_id}")
        )
    return company


def colleague_of(company: Company) -> Actor:
    """Somebody else of finance."""
    users = table(UserAccount)
    with transaction() as conn:
        mine = dict(conn.execute(sa.select(users).where(users.c.id == company.user_id)).mappings().one())
        other = {**mine, "login": f"gao-{company.org_id}"}
        del other["id"]
        user_id = conn.execute(sa.insert(users).values(**other).returning(users.c.id)).scalar_one()
    return replace(company.actor(), user_id=int(user_id))


class AnyOrder(RuleBasedStateMachine):
    """One company; what was issued and what was closed is remembered, to be found again unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.company: Company = another_company(codes=ALL_SIDES)
        self.colleague = colleague_of(self.company)
        self.tickets = [facts_of(self.company) for _ in range(4)]
        self.at = datetime(2026, 11, 21, tzinfo=UTC)
        self.commands = count()
        self.closed: dict[int, list[Any]] = {}
        self.issued: dict[int, tuple[Any, ...]] = {}

    def facts(self, ticket: int, person: str, day: datetime, dangerous: bool, parts: int) -> Facts:
        first = self.tickets[ticket]
        return make_facts(
            ticket_id=first.ticket_id,
            no=first.no,
            technician_id=getattr(self.company, person),
            started_at=day,
            finished_at=day + timedelta(hours=2),
            hazards=(Hazard("height", "photo:1"),) if dangerous else (),
            on_time=not dangerous,
            distance_km=Decimal("35.55") if dangerous else Decimal(0),
            parts=tuple(PartUsed(f"P-{each}", Decimal("1.5"), 1001) for each in range(parts)),
        )

    def attempt(self, command: Callable[..., object], **wanted: Any) -> None:
        """One command in its own transaction; when it is refused, nothing is different."""
        before = self.kept()
        try:
            with transaction() as conn:
                command(conn, command_id=f"c:{next(self.commands)}", **wanted)
        except ConsoleError:
            assert self.kept() == before

    def kept(self) -> list[list[Any]]:
        with reading() as conn:
            return [
                sorted(map(repr, conn.execute(sa.select(each).where(each.c.org_id == self.company.org_id))))
                for each in KEPT
            ]

    def pick(self, kept: Any, place: Place, fits: Callable[[Any], bool] = bool) -> Any:
        """A row of a table, None where there is none to choose."""
        rows = [row for row in self.rows(kept) if not place[1] or fits(row)]
        return rows[place[0] % len(rows)] if rows else None

    def rows(self, kept: Any) -> list[Any]:
        with reading() as conn:
            return list(
                conn.execute(sa.select(kept).where(kept.c.org_id == self.company.org_id).order_by(kept.c.id))
            )

    @initialize()
    def some_work_is_settled(self) -> None:
        for ticket, person in enumerate(("anna", "bo")):
            self.settle(ticket=ticket, person=person, day=OCTOBER, dangerous=False, parts=1)

    @rule(ticket=tickets, person=people, day=days, dangerous=st.booleans(), parts=st.integers(0, 2))
    def settle(self, **chosen: Any) -> None:
        self.attempt(
            settling.settle,
            at=self.at,
            actor=self.company.actor(),
            facts=self.facts(**chosen),
            region_id=self.company.north,
        )

    @rule(place=places, person=people, day=days, dangerous=st.booleans(), parts=st.integers(0, 2))
    def correct(self, place: Place, **chosen: Any) -> None:
        rated = self.pick(table(Rating), place, lambda row: row.is_live)
        numbers = [each.ticket_id for each in self.tickets]
        self.attempt(
            settling.correct,
            at=self.at,
            actor=self.company.actor(),
            facts=self.facts(ticket=0 if rated is None else numbers.index(rated.ticket_id), **chosen),
            region_id=self.company.north,
            reason="it was otherwise",
        )

    @rule(place=places)
    def refund(self, place: Place) -> None:
        rated = self.pick(table(Rating), place, lambda row: row.is_live)
        if rated is not None:
            self.attempt(
                settling.withdraw,
                at=self.at,
                actor=self.company.actor(),
                ticket_id=rated.ticket_id,
                segment=rated.segment,
                region_id=self.company.north,
                reason="refunded",
            )

    @precondition(lambda self: self.at < datetime(2027, 2, 1, tzinfo=UTC))
    @rule()
    def a_month_passes(self) -> None:
        self.at += timedelta(days=31)

    @rule(place=places)
    def begin_closing(self, place: Place) -> None:
        self.move(closing.begin_closing, place, PeriodState.OPEN)

    @rule(place=places)
    def close(self, place: Place) -> None:
        self.move(closing.close, place, PeriodState.CLOSING)

    def move(self, command: Callable[..., object], place: Place, state: PeriodState) -> None:
        period = self.pick(table(Period), place, lambda row: row.state is state)
        if period is not None:
            self.attempt(
                command,
                actor=self.company.actor(),
                at=self.at,
                period_id=period.id,
                expected_version=period.version,
            )

    @rule(person=people, place=places)
    def draft(self, person: str, place: Place) -> None:
        period = self.pick(table(Period), place)
        if period is not None:
            self.attempt(
                statements.draft,
                actor=self.company.actor(),
                payee=payees.technician(getattr(self.company, person)),
                period_id=period.id,
            )

    @rule(place=places)
    def issue(self, place: Place) -> None:
        self.move_statement(statements.issue, place, StatementState.DRAFT)

    def move_statement(self, command: Callable[..., object], place: Place, state: StatementState) -> None:
        statement = self.pick(table(Statement), place, lambda row: row.state is state)
        if statement is not None:
            self.attempt(
                command,
                actor=self.company.actor(),
                at=self.at,
                statement_id=statement.id,
                expected_version=statement.version,
            )

    @rule(place=places, purpose=st.sampled_from(Purpose), first_line=st.booleans())
    def give_back(self, place: Place, purpose: Purpose, first_line: bool) -> None:
        rated = self.pick(table(Rating), place, lambda row: row.is_live)
        if rated is not None:
            self.attempt(
                refunding.refund,
                at=self.at,
                actor=self.company.actor(),
                ticket_id=rated.ticket_id,
                segment=rated.segment,
                purpose=purpose,
                region_id=self.company.north,
                reason="refunded",
                positions=[1] if first_line else None,
            )

    @rule(place=places)
    def confirm(self, place: Place) -> None:
        self.move_statement(paying.confirm, place, StatementState.ISSUED)

    @rule(place=places)
    def pay(self, place: Place) -> None:
        self.move_statement(paying.pay, place, StatementState.CONFIRMED)

    @rule(place=places, node=st.sampled_from(["total", "line/1", "line/1/formula", "line/99"]))
    def dispute(self, place: Place, node: str) -> None:
        rated = self.pick(table(Rating), place, lambda row: row.is_live)
        if rated is not None:
            self.attempt(
                disputes.open_dispute,
                actor=self.company.technician(rated.technician_id),
                at=self.at,
                rating_id=rated.id,
                node=node,
                text="it was further",
            )

    @rule(place=places, agree=st.booleans())
    def decide(self, place: Place, agree: bool) -> None:
        dispute = self.pick(table(Dispute), place, lambda row: row.state in disputes.UNDECIDED)
        if dispute is None:
            return
        wanted = {
            "actor": self.company.actor(),
            "dispute_id": dispute.id,
            "expected_version": dispute.version,
        }
        if agree:
            self.attempt(self.accept, **wanted)
        else:
            self.attempt(disputes.reject, at=self.at, reason="it was not", **wanted)

    def accept(self, conn: sa.Connection, *, actor: Actor, command_id: str, **wanted: Any) -> None:
        """What accepting does to the books, without the ticket, which here is only a name."""
        disputed = disputes.take_up(conn, actor=actor, command_id=command_id, **wanted)
        remedy, journal_id = Remedy.FOUND_CORRECTED, disputed.reversal_id
        if journal_id is None:
            remedy = Remedy.REVERSED
            settling.withdraw(
                conn,
                at=self.at,
                actor=actor,
                ticket_id=disputed.dispute.ticket_id,
                segment=disputed.segment,
                region_id=self.company.north,
                command_id=command_id,
                reason="disputed",
            )
            journal_id = disputes.reversal_of(conn, disputed.journal_id)
        disputes.accept(
            conn,
            actor=actor,
            at=self.at,
            disputed=disputed,
            remedy=remedy,
            amended={},
            journal_id=journal_id,
            text="so it was",
            command_id=command_id,
        )

    @rule(place=places)
    def ask_to_reopen(self, place: Place) -> None:
        period = self.pick(table(Period), place, lambda row: row.state is PeriodState.CLOSED)
        if period is not None:
            self.attempt(
                reopening.ask,
                actor=self.company.actor(),
                at=self.at,
                period_id=period.id,
                expected_version=period.version,
                reason="a bill was forgotten",
            )

    @rule(place=places, command=st.sampled_from([reopening.approve, reopening.refuse]), same=st.booleans())
    def answer_reopening(self, place: Place, command: Callable[..., object], same: bool) -> None:
        asked = self.pick(table(PeriodReopening), place, lambda row: row.state is ReopeningState.ASKED)
        if asked is not None:
            self.attempt(
                command,
                actor=self.company.actor() if same else self.colleague,
                at=self.at,
                reopening_id=asked.id,
                expected_version=asked.version,
            )

    def teardown(self) -> None:
        with reading() as conn:
            assert ratings_that_rate_otherwise_now(conn, self.company.org_id) == []
            look = Look(conn, self.company.org_id, self.at, turn=1_000)
            assert [law.code for law in laws_of_money.LAWS if law.check(look).broken] == []

    @invariant()
    def nobody_opened_a_month_alone(self) -> None:
        opened = [each for each in self.rows(table(PeriodReopening)) if each.state is ReopeningState.APPROVED]
        assert [each for each in opened if each.asked_by == each.decided_by] == []

    @invariant()
    def the_laws_hold(self) -> None:
        with reading() as conn:
            assert broken_laws(conn, self.company.org_id) == []

    @invariant()
    def nothing_entered_or_left_a_closed_month(self) -> None:
        entries = self.rows(table(Journal))
        found = {
            period.id: [entry.hash for entry in entries if entry.period_id == period.id]
            for period in self.rows(table(Period))
            if period.state is PeriodState.CLOSED
        }
        assert {id: found[id] for id in self.closed if id in found} == {
            id: known for id, known in self.closed.items() if id in found
        }
        self.closed = found

    @invariant()
    def what_was_issued_stays_as_it_was(self) -> None:
        found = {
            each.id: (each.total_minor, each.from_seq, each.as_of_seq, each.content_hash, each.issued_at)
            for each in self.rows(table(Statement))
            if each.state is not StatementState.DRAFT
        }
        assert {id: found.get(id) for id in self.issued} == self.issued
        self.issued = found


def test_any_order_of_commands_keeps_the_laws_of_the_ledger(database: Database) -> None:  # pains 38-40
    run_state_machine_as_test(AnyOrder, settings=MANY)


def test_a_dispute_about_an_amount_of_which_a_line_was_refunded_is_decided_as_one(database: Database) -> None:
    story = AnyOrder()
    story.some_work_is_settled()
    paid = next(each for each in story.rows(table(Rating)) if each.purpose is Purpose.WORKER_PAY)
    place = (story.rows(table(Rating)).index(paid), True)
    story.give_back(place=place, purpose=Purpose.WORKER_PAY, first_line=True)
    story.dispute(place=place, node="total")

    story.decide(place=(0, True), agree=False)

    assert [each.state for each in story.rows(table(Dispute))] == [DisputeState.REJECTED]
    story.teardown()
