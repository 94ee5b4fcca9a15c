"""DSP-14, DSP-15: a region's backlog opens the standby pool, complaints switch strategy; both go back."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.access import audit_actions
from tests.builders.company import Company, found_company
from tests.builders.modes import engage_vendor, hire_somebody, ticket_row
from ticket_console.desk import moving
from ticket_console.desk.assigning import dispatch_again
from ticket_console.dispatch import policies, strategies, surge_rules
from ticket_console.dispatch.rules import BadTerms
from ticket_console.dispatch.strategies import StrategyMoved, StrategyNotFound, StrategyOver
from ticket_console.dispatch.surge import BadSurge
from ticket_console.dispatch.surge_rules import Evaluated, RuleExists, RuleMoved
from ticket_console.dispatch.tables import DispatchStrategy, StrategyKind, SurgeRule
from ticket_console.jobs import chores
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.people import papers
from ticket_console.people.tables import Technician

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CALM = {"weights": {"slack": 80}}


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def nobody_is_there(company: Company, *, is_on_duty: bool = False) -> None:
    people = table(Technician)
    with transaction() as connection:
        connection.execute(
            sa.update(people)
            .where(people.c.org_id == company.org_id, people.c.vendor_id.is_(None))
            .values(is_on_duty=is_on_duty, version=people.c.version + 1)
        )


def keep(company: Company, **wish: Any) -> int:
    terms: dict[str, Any] = {
        "region_id": company.regions["sh"],
        "kind": StrategyKind.BACKLOG,
        "opens_at": 3,
        "closes_at": 2,
        **wish,
    }
    return surge_rules.keep(
        actor=company.actor("manager"), at=company.at, command_id=company.command_id(), **terms
    )


def start(company: Company, by: str = "manager", **wish: Any) -> int:
    terms: dict[str, Any] = {
        "at": company.at,
        "command_id": company.command_id(),
        "region_id": company.regions["sh"],
        "overlay": strategies.STANDBY,
        "ends_at": company.at + HOUR,
        "reason": "台风",
        **wish,
    }
    return strategies.start(actor=company.actor(by), **terms)


def written(model: Any = DispatchStrategy) -> list[Any]:
    with reading() as connection:
        return list(connection.execute(sa.select(table(model)).order_by(table(model).c.id)).all())


def standby_at(company: Company, at: datetime, region: str = "sh") -> bool:
    with reading() as connection:
        found = policies.policy_at(connection, company.org_id, "repair", company.regions[region], at)
    return found.filters.standby


def standby_partner(company: Company) -> int:
    """A partner in reserve with one technician in Shanghai."""
    vendor_id = engage_vendor(company, "reserve")
    someone = hire_somebody(company, "reserve", vendor_id=vendor_id, far=0.01)
    with transaction() as connection:
        papers.agree(
            connection,
            actor=system_actor(company.org_id),
            at=company.at,
            command_id="agree",
            vendor_id=vendor_id,
            is_standby=True,
        )
    assert someone.technician_id is not None
    return someone.technician_id


def test_a_backlog_above_the_threshold_opens_the_pool_for_its_region_alone(company: Company) -> None:
    rule_id = keep(company)
    nobody_is_there(company)
    opened = [company.open() for _ in range(3)]

    assert surge_rules.evaluate(company.org_id, at=company.at) == Evaluated()
    assert standby_at(company, company.at) is False

    opened.append(company.open())
    assert surge_rules.evaluate(company.org_id, at=company.at) == Evaluated(opened=1)

    assert standby_at(company, company.at) is True
    assert standby_at(company, company.at, "cd") is False
    (strategy,) = written()
    assert (strategy.kind, strategy.facts, strategy.ends_at) == (
        StrategyKind.BACKLOG,
        {"value": 4, "opens_at": 3, "closes_at": 2},
        company.at + HOUR,
    )
    (rule,) = written(SurgeRule)
    assert (rule.id, rule.is_open, rule.strategy_id) == (rule_id, True, strategy.id)
    assert "dispatch_strategy.started" in audit_actions()


def test_the_partners_people_get_work_while_the_pool_is_open_and_not_before(company: Company) -> None:
    partner = standby_partner(company)
    keep(company)
    nobody_is_there(company)
    tickets = [company.open().ticket_id for _ in range(4)]

    def assignee(ticket_id: int) -> int | None:
        found: int | None = ticket_row(ticket_id)["assignee_id"]
        return found

    assert [assignee(each) for each in tickets] == [None] * 4

    surge_rules.evaluate(company.org_id, at=company.at)
    for each in tickets:
        dispatch_again(at=company.at, org_id=company.org_id, ticket_id=each, command_id=f"again:{each}")

    assert [assignee(each) for each in tickets] == [partner] * 4

    closing = surge_rules.evaluate(company.org_id, at=company.at + MINUTE)
    later = company.open(at=company.at + 2 * MINUTE)

    assert closing == Evaluated(closed=1)
    assert assignee(later.ticket_id) is None


def test_at_the_bounds_the_pool_stays_as_it_is(company: Company) -> None:
    keep(company, opens_at=3, closes_at=2)
    nobody_is_there(company)
    tickets = [company.open() for _ in range(4)]
    surge_rules.evaluate(company.org_id, at=company.at)

    for number, ticket in enumerate(tickets[:2]):
        cancel(company, ticket.ticket_id, ticket.version)
        assert surge_rules.evaluate(company.org_id, at=company.at + number * MINUTE) == Evaluated()
        assert standby_at(company, company.at + number * MINUTE) is True

    cancel(company, tickets[2].ticket_id, tickets[2].version)
    assert surge_rules.evaluate(company.org_id, at=company.at + 3 * MINUTE) == Evaluated(closed=1)

    assert standby_at(company, company.at + 3 * MINUTE) is False
    (strategy,) = written()
    assert (strategy.ends_at, strategy.ended_at) == (company.at + 3 * MINUTE, company.at + 3 * MINUTE)


def cancel(company: Company, ticket_id: int, version: int) -> None:
    moving.cancel(
        actor=company.actor("manager"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=ticket_id,
        expected_version=version,
        reason="不需要了",
    )


def test_deciding_again_changes_nothing_and_two_workers_begin_one_strategy(company: Company) -> None:
    keep(company)
    nobody_is_there(company)
    for _ in range(5):
        company.open()

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda _: surge_rules.evaluate(company.org_id, at=company.at), range(2)))

    assert sum(each.opened for each in done) == 1
    assert surge_rules.evaluate(company.org_id, at=company.at) == Evaluated()
    assert len(written()) == 1


def test_a_pool_that_is_still_needed_stays_open_and_one_nobody_watches_closes_itself(
    company: Company,
) -> None:
    keep(company)
    nobody_is_there(company)
    for _ in range(5):
        company.open()
    surge_rules.evaluate(company.org_id, at=company.at)

    assert surge_rules.evaluate(company.org_id, at=company.at + 20 * MINUTE) == Evaluated()
    assert surge_rules.evaluate(company.org_id, at=company.at + 40 * MINUTE) == Evaluated(prolonged=1)

    (strategy,) = written()
    assert strategy.ends_at == company.at + 100 * MINUTE
    assert standby_at(company, company.at + 99 * MINUTE) is True
    assert standby_at(company, company.at + 100 * MINUTE) is False


def test_what_a_person_ended_is_not_begun_again_before_the_backlog_was_gone(company: Company) -> None:
    keep(company)
    nobody_is_there(company)
    tickets = [company.open() for _ in range(4)]
    surge_rules.evaluate(company.org_id, at=company.at)
    (strategy,) = written()

    strategies.end(
        actor=company.actor("manager"),
        at=company.at + MINUTE,
        command_id="enough",
        strategy_id=strategy.id,
        version=strategy.version,
    )

    assert surge_rules.evaluate(company.org_id, at=company.at + 2 * MINUTE) == Evaluated()
    assert standby_at(company, company.at + 2 * MINUTE) is False
    for ticket in tickets[:3]:
        cancel(company, ticket.ticket_id, ticket.version)
    assert surge_rules.evaluate(company.org_id, at=company.at + 3 * MINUTE) == Evaluated(closed=1)
    for _ in range(3):
        company.open()
    assert surge_rules.evaluate(company.org_id, at=company.at + 4 * MINUTE) == Evaluated(opened=1)


def test_a_peak_of_complaints_switches_strategy_and_is_over_when_it_calms_down(company: Company) -> None:
    keep(company, kind=StrategyKind.COMPLAINTS, opens_at=4, closes_at=2, overlay=CALM)
    for minutes in range(4):
        company.open(template="complaint", at=company.at + minutes * MINUTE)
    assert surge_rules.evaluate(company.org_id, at=company.at + 5 * MINUTE) == Evaluated()

    company.open(template="complaint", at=company.at + 6 * MINUTE)
    at = company.at + 7 * MINUTE
    assert surge_rules.evaluate(company.org_id, at=at) == Evaluated(opened=1)

    with reading() as connection:
        during = policies.policy_at(connection, company.org_id, "repair", company.regions["sh"], at)
    (strategy,) = written()
    assert (during.weights[-1], during.strategies) == (80, (strategy.id,))

    calm = company.at + 65 * MINUTE
    assert surge_rules.evaluate(company.org_id, at=calm) == Evaluated(closed=1)
    with reading() as connection:
        after = policies.policy_at(connection, company.org_id, "repair", company.regions["sh"], calm)
    assert (after.weights[-1], after.strategies) == (0, ())


def test_many_complaints_are_no_peak_where_there_are_always_many(company: Company) -> None:
    """Seven an hour is three times the least count, but less than three times what is usual here."""
    keep(company, kind=StrategyKind.COMPLAINTS, opens_at=2, closes_at=1, overlay=CALM, window_minutes=1440)
    for day in range(1, 28):
        for _ in range(3):
            company.open(template="complaint", at=company.at - timedelta(days=day, hours=3))
    for hours in range(8):
        company.open(template="complaint", at=company.at - timedelta(hours=hours + 1))

    assert surge_rules.evaluate(company.org_id, at=company.at) == Evaluated()

    for _ in range(2):
        company.open(template="complaint", at=company.at - MINUTE)
    assert surge_rules.evaluate(company.org_id, at=company.at) == Evaluated(opened=1)


def test_the_worker_lets_the_rules_decide(company: Company) -> None:
    keep(company)
    nobody_is_there(company)
    for _ in range(4):
        company.open()

    assert chores.watch_surges(company.at) == {"opened": 1, "prolonged": 0, "closed": 0}
    assert chores.watch_surges(company.at + MINUTE) == {"opened": 0, "prolonged": 0, "closed": 0}


def test_a_rule_that_is_switched_off_ends_what_it_began(company: Company) -> None:
    rule_id = keep(company)
    nobody_is_there(company)
    for _ in range(4):
        company.open()
    surge_rules.evaluate(company.org_id, at=company.at)

    keep(company, rule_id=rule_id, version=written(SurgeRule)[0].version, is_active=False)

    assert standby_at(company, company.at) is False
    assert surge_rules.evaluate(company.org_id, at=company.at) == Evaluated()


def test_a_person_begins_prolongs_and_ends_a_strategy_and_it_is_on_the_trail(company: Company) -> None:
    strategy_id = start(company)
    again = strategies.extend(
        actor=company.actor("manager"),
        at=company.at + MINUTE,
        command_id="longer",
        strategy_id=strategy_id,
        version=1,
        ends_at=company.at + 3 * HOUR,
    )

    assert again is None
    assert standby_at(company, company.at + 2 * HOUR) is True
    strategies.end(
        actor=company.actor("manager"),
        at=company.at + 2 * HOUR,
        command_id="over",
        strategy_id=strategy_id,
        version=2,
    )
    assert standby_at(company, company.at + 2 * HOUR) is False
    with reading() as connection:
        (line,) = strategies.log(connection, company.actor("dispatcher"))
        assert strategies.active(connection, company.actor("dispatcher"), at=company.at + 2 * HOUR) == ()
        elsewhere = strategies.log(connection, company.actor("dispatcher_cd"))
    assert (line.reason, line.by, line.ended_by, line.opens_standby) == ("台风", "manager", "manager", True)
    assert elsewhere == ()
    assert [each for each in audit_actions() if each.startswith("dispatch_strategy")] == [
        "dispatch_strategy.started",
        "dispatch_strategy.extended",
        "dispatch_strategy.ended",
    ]


def test_a_strategy_begun_twice_by_one_command_is_one(company: Company) -> None:
    assert start(company, command_id="once") == start(company, command_id="once")
    assert len(written()) == 1


@pytest.mark.parametrize(
    "wish",
    [
        {"ends_at": lambda at: at},
        {"ends_at": lambda at: at - MINUTE},
        {"ends_at": lambda at: at + timedelta(days=8)},
        {"reason": lambda at: "  "},
        {"reason": lambda at: "x" * 201},
        {"region_id": lambda at: 9_999},
    ],
)
def test_a_strategy_nobody_could_go_by_is_refused_and_nothing_is_written(
    company: Company, wish: dict[str, Callable[[datetime], Any]]
) -> None:
    with pytest.raises(BadSurge):
        start(company, **{key: value(company.at) for key, value in wish.items()})

    assert written() == []


def test_an_overlay_nobody_could_dispatch_by_is_refused(company: Company) -> None:
    for overlay in ({"weights": {"slack": math.inf}}, {"filters": {"standby": "yes"}}, {"unknown": 1}):
        with pytest.raises(BadTerms):
            start(company, overlay=overlay)
        with pytest.raises(BadTerms):
            keep(company, overlay=overlay)

    assert (written(), written(SurgeRule)) == ([], [])


@pytest.mark.parametrize(
    "wish",
    [
        {"opens_at": 2, "closes_at": 2},
        {"opens_at": 2, "closes_at": 5},
        {"opens_at": -3, "closes_at": -4},
        {"opens_at": math.inf},
        {"lasts_minutes": 0},
        {"kind": StrategyKind.PERSON},
        {"region_id": 9_999},
    ],
)
def test_a_rule_nobody_could_go_by_is_refused_and_nothing_is_written(
    company: Company, wish: dict[str, Any]
) -> None:
    with pytest.raises(BadSurge):
        keep(company, **wish)

    assert written(SurgeRule) == []


def test_who_may_not_manage_dispatch_changes_nothing(company: Company) -> None:
    strategy_id = start(company)

    for login in ("dispatcher", "dispatcher_cd", "agent", "tech_near"):
        someone = company.actor(login)
        with pytest.raises(Forbidden):
            start(company, by=login)
        with pytest.raises(Forbidden):
            strategies.end(actor=someone, at=company.at, command_id="no", strategy_id=strategy_id, version=1)
        with pytest.raises(Forbidden):
            surge_rules.keep(
                actor=someone,
                at=company.at,
                command_id="no",
                region_id=None,
                kind=StrategyKind.BACKLOG,
                opens_at=3,
                closes_at=2,
            )

    (strategy,) = written()
    assert (strategy.version, strategy.ended_at, written(SurgeRule)) == (1, None, [])


def test_a_strategy_that_is_over_gone_or_changed_is_not_changed(company: Company) -> None:
    strategy_id = start(company)
    by: dict[str, Any] = {"actor": company.actor("manager"), "command_id": "late"}

    with pytest.raises(StrategyMoved):
        strategies.end(at=company.at, strategy_id=strategy_id, version=7, **by)
    with pytest.raises(StrategyNotFound):
        strategies.end(at=company.at, strategy_id=strategy_id + 1, version=1, **by)
    with pytest.raises(StrategyOver):
        strategies.extend(
            at=company.at + HOUR, strategy_id=strategy_id, version=1, ends_at=company.at + 2 * HOUR, **by
        )
    with pytest.raises(BadSurge):
        strategies.extend(at=company.at, strategy_id=strategy_id, version=1, ends_at=company.at, **by)

    (strategy,) = written()
    assert (strategy.version, strategy.ends_at) == (1, company.at + HOUR)


def test_a_region_has_one_rule_of_a_kind_and_a_stale_one_is_not_kept(company: Company) -> None:
    rule_id = keep(company)

    with pytest.raises(RuleExists):
        keep(company)
    with pytest.raises(RuleMoved):
        keep(company, rule_id=rule_id, version=3, opens_at=9)

    (rule,) = written(SurgeRule)
    assert (rule.opens_at, rule.version) == (3, 1)
