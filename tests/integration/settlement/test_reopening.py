"""A closed month opens again only when two persons want it; two people closing one month close it once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import SETTLED, Company, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.access.tables import AuditEntry, UserAccount
from ticket_console.kernel.actor import Actor, Role, Scope, system_actor
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.errors import ConsoleError, Forbidden
from ticket_console.settlement import chain, closing, reads, reopening
from ticket_console.settlement.closing import PeriodView, StalePeriod, WrongPeriodState
from ticket_console.settlement.kinds import PeriodState, ReopeningState
from ticket_console.settlement.reopening import (
    BadReopening,
    ReopeningAsked,
    ReopeningDecided,
    ReopeningNotFound,
    ReopeningView,
    SamePerson,
    StaleReopening,
)
from ticket_console.settlement.tables import Journal, PeriodReopening

DECEMBER = datetime(2026, 12, 2, tzinfo=UTC)


@pytest.fixture
def company(database: Database) -> Company:
    company = open_company()
    settle(company, facts_of(company))
    return company


def lin(company: Company) -> Actor:
    """Another one of finance."""
    made = table(UserAccount)
    with transaction() as conn:
        found = conn.execute(sa.select(made.c.id).where(made.c.login == "lin")).scalar()
        if found is None:
            new = sa.insert(made).values(
                org_id=company.org_id,
                login="lin",
                display_name="Lin",
                password_hash="-",
                locale="zh",
                is_enabled=True,
                failed_logins=0,
                created_at=SETTLED,
                version=1,
            )
            found = conn.execute(new.returning(made.c.id)).scalar_one()
    return replace(company.actor(), user_id=int(found), display="Lin")


def november(company: Company) -> PeriodView:
    with reading() as conn:
        return next(each for each in reads.periods(conn, viewer=company.actor()) if each.code == "2026-11")


def close(company: Company) -> PeriodView:
    for step in (closing.begin_closing, closing.close):
        period = november(company)
        with transaction() as conn:
            step(
                conn,
                actor=company.actor(),
                at=DECEMBER,
                period_id=period.id,
                expected_version=period.version,
                command_id=step.__name__,
            )
    return november(company)


def ask(company: Company, **changes: Any) -> ReopeningView:
    period = november(company)
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": DECEMBER,
        "period_id": period.id,
        "expected_version": period.version,
        "reason": "a partner's file was missing",
        "command_id": "ask",
    }
    with transaction() as conn:
        return reopening.ask(conn, **wanted | changes)


def answer(
    step: Callable[..., ReopeningView], wish: ReopeningView, actor: Actor, **changes: Any
) -> ReopeningView:
    wanted: dict[str, Any] = {
        "actor": actor,
        "at": DECEMBER + timedelta(hours=1),
        "reopening_id": wish.id,
        "expected_version": wish.version,
        "command_id": step.__name__,
    }
    with transaction() as conn:
        return step(conn, **wanted | changes)


def deeds() -> list[str]:
    entries = table(AuditEntry)
    with reading() as conn:
        return list(conn.execute(sa.select(entries.c.action).order_by(entries.c.id)).scalars())


def test_a_closed_month_opens_when_another_person_approves_and_takes_its_own_work_again(
    company: Company,
) -> None:
    close(company)
    wish = ask(company)
    assert november(company).state is PeriodState.CLOSED

    approved = answer(reopening.approve, wish, lin(company))

    assert (approved.state, approved.version) == (ReopeningState.APPROVED, 2)
    assert (approved.asked_by, approved.decided_by) == (company.user_id, lin(company).user_id)
    assert november(company).state is PeriodState.OPEN
    assert deeds() == ["period.closing", "period.closed", "period.reopening_asked", "period.reopened"]
    settle(company, facts_of(company), at=DECEMBER + timedelta(hours=2))
    with reading() as conn:
        journals = table(Journal)
        late = conn.execute(
            sa.select(journals.c.period_id, journals.c.origin_period_id).order_by(journals.c.seq.desc())
        ).first()
        assert late is not None
        assert tuple(late) == (november(company).id, None)
        assert chain.verify(conn, org_id=company.org_id).broken_at is None
    assert close(company).state is PeriodState.CLOSED


def test_nobody_opens_a_month_alone(company: Company) -> None:
    close(company)
    wish = ask(company)

    with pytest.raises(SamePerson):
        answer(reopening.approve, wish, company.actor())
    with pytest.raises(SamePerson):
        answer(reopening.approve, wish, company.actor(Role.MANAGER))
    with pytest.raises(Forbidden):
        answer(reopening.approve, wish, system_actor(company.org_id))

    assert november(company).state is PeriodState.CLOSED
    assert deeds()[-1] == "period.reopening_asked"


def test_what_was_refused_leaves_the_month_closed_and_may_be_asked_again(company: Company) -> None:
    close(company)
    wish = ask(company)

    assert answer(reopening.refuse, wish, company.actor()).state is ReopeningState.REFUSED

    assert november(company).state is PeriodState.CLOSED
    with pytest.raises(ReopeningDecided):
        answer(reopening.approve, wish, lin(company))
    again = ask(company, command_id="ask again")
    assert again.id != wish.id
    with reading() as conn:
        assert [each.id for each in reopening.waiting(conn, viewer=company.actor())] == [again.id]
        of_period = reopening.of_period(conn, viewer=company.actor(), period_id=wish.period_id)
    assert [each.state for each in of_period] == [ReopeningState.ASKED, ReopeningState.REFUSED]


def test_every_command_counts_once(company: Company) -> None:
    close(company)
    wish = ask(company)

    assert ask(company) == wish
    approved = answer(reopening.approve, wish, lin(company))
    assert answer(reopening.approve, wish, lin(company)) == approved
    assert len(deeds()) == 4


def test_only_a_closed_month_is_asked_for_once_with_a_reason(company: Company) -> None:
    with pytest.raises(WrongPeriodState):
        ask(company)
    close(company)
    with pytest.raises(StalePeriod):
        ask(company, expected_version=1)
    for reason in ("", "  \n ", "x" * 501):
        with pytest.raises(BadReopening):
            ask(company, reason=reason)
    wish = ask(company)
    with pytest.raises(ReopeningAsked):
        ask(company, actor=lin(company), command_id="another")
    with pytest.raises(StaleReopening):
        answer(reopening.approve, wish, lin(company), expected_version=7)
    with pytest.raises(ReopeningNotFound):
        answer(reopening.approve, wish, lin(company), reopening_id=-1)

    with reading() as conn:
        asked = conn.execute(sa.select(sa.func.count()).select_from(table(PeriodReopening))).scalar_one()
    assert asked == 1


@pytest.mark.parametrize(
    ("role", "grant"),
    [
        (Role.DISPATCHER, {}),
        (Role.AUDITOR, {}),
        (Role.TECHNICIAN, {"scope": Scope.OWN}),
        (Role.FINANCE, {"scope": Scope.REGION, "region_ids": [1]}),
    ],
)
def test_only_those_who_close_months_open_them(company: Company, role: Role, grant: dict[str, Any]) -> None:
    close(company)
    wish = ask(company)
    stranger = replace(company.actor(role, **grant), user_id=lin(company).user_id)

    with pytest.raises(Forbidden):
        ask(company, actor=stranger, command_id="theirs")
    with pytest.raises(Forbidden):
        answer(reopening.approve, wish, stranger)
    with pytest.raises(Forbidden):
        answer(reopening.refuse, wish, stranger)

    assert november(company).state is PeriodState.CLOSED


def _one_wins(attempts: list[Callable[[], Any]]) -> list[str]:
    """What became of each of some commands sent at once."""

    def tried(attempt: Callable[[], Any]) -> str:
        try:
            attempt()
        except ConsoleError as refusal:
            return refusal.code
        return "won"

    with ThreadPoolExecutor(len(attempts)) as pool:
        return sorted(pool.map(tried, attempts))


def test_of_two_people_closing_one_month_at_once_one_does(company: Company) -> None:
    period, other = november(company), lin(company)

    @retried
    def begin(actor: Actor) -> PeriodView:
        with transaction() as conn:
            return closing.begin_closing(
                conn,
                actor=actor,
                at=DECEMBER,
                period_id=period.id,
                expected_version=period.version,
                command_id=f"begin:{actor.user_id}",
            )

    outcomes = _one_wins([partial(begin, company.actor()), partial(begin, other)])

    assert outcomes == ["settlement.period_stale", "won"]
    assert (november(company).state, november(company).version) == (PeriodState.CLOSING, period.version + 1)
    assert deeds() == ["period.closing"]


def test_of_two_people_approving_at_once_one_does(company: Company) -> None:
    close(company)
    wish, other = ask(company), lin(company)
    third = replace(other, display="Lin again")

    @retried
    def approve(actor: Actor, command_id: str) -> ReopeningView:
        return answer(reopening.approve, wish, actor, command_id=command_id)

    outcomes = _one_wins([partial(approve, other, "a"), partial(approve, third, "b")])

    assert outcomes == ["settlement.reopening_decided", "won"]
    assert deeds().count("period.reopened") == 1
