"""Who stands where on a flow, as far as the viewer may see it."""

from datetime import datetime, timedelta

import pytest

from tests.builders.company import CHENGDU, Company, found_company
from tests.integration.desk.test_migrating import GENERAL, node, publish, with_timeout
from ticket_console.desk.impact import SHOWN, Standing, StandingTicket, met_by, standing_on
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.diff import diff
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def standing(company: Company, viewer: Actor | None = None, **which: object) -> dict[str, Standing]:
    with reading() as connection:
        found = standing_on(
            connection,
            viewer=viewer or company.actor("manager"),
            flow_code=GENERAL,
            **which,  # type: ignore[arg-type]
        )
    return dict(found)


def of_chengdu(company: Company) -> Actor:
    """A manager of one region only."""
    grant = Grant(Role.MANAGER, Scope.REGION, frozenset({company.regions["cd"]}), frozenset())
    return Actor(ActorKind.USER, company.org_id, "regional", user_id=9_001, grants=(grant,))


def test_open_tickets_are_counted_on_their_steps_and_the_oldest_are_named(company: Company) -> None:
    opened = [
        company.open(template=GENERAL, title=f"{number}", at=company.at + timedelta(minutes=number))
        for number in range(SHOWN + 2)
    ]
    company.act(opened[0].ticket_id, opened[0].version, by="tech_near", at=company.at + timedelta(hours=1))
    company.open(template="repair")

    found = standing(company)

    assert {key: (each.count, each.timers) for key, each in found.items()} == {
        "accept": (SHOWN + 1, 0),
        "onsite": (1, 0),
    }
    assert found["onsite"].tickets == (StandingTicket(opened[0].ticket_id, opened[0].no, "0"),)
    assert [each.title for each in found["accept"].tickets] == [str(n) for n in range(1, SHOWN + 1)]


def test_nobody_is_told_of_tickets_they_may_not_see(company: Company) -> None:
    company.open(template=GENERAL)
    there = company.open(template=GENERAL, lat=CHENGDU[0], lon=CHENGDU[1])

    assert standing(company)["accept"].count == 2
    assert [each.ticket_id for each in standing(company, of_chengdu(company))["accept"].tickets] == [
        there.ticket_id
    ]
    with pytest.raises(Forbidden):
        standing(company, company.actor("dispatcher"))


def test_versions_are_told_apart_and_timers_counted_where_they_wait(company: Company) -> None:
    company.open(template=GENERAL)
    second = publish(company, with_timeout)
    company.open(template=GENERAL)

    assert (standing(company)["accept"].count, standing(company)["accept"].timers) == (2, 1)
    only = standing(company, version_ids=[second])["accept"]
    assert (only.count, only.timers) == (1, 1)
    assert standing(company, version_ids=[]) == {}
    assert standing(company, version_ids=[10**6]) == {}


def test_a_change_meets_those_who_stand_where_it_works(company: Company) -> None:
    company.open(template=GENERAL)
    with reading() as connection:
        first = flow_reads.current_version(connection, company.org_id, GENERAL).id
    second = publish(company, lambda graph: node(graph, "onsite").update(weight=9))
    third = publish(company, lambda graph: node(graph, "accept").update(weight=9))
    with reading() as connection:
        graphs = [flow_reads.drawn(connection, each) for each in (first, second, third)]

    found = standing(company)

    assert met_by(diff(graphs[0], graphs[1]), found) == ()
    assert met_by(diff(graphs[1], graphs[2]), found) == (found["accept"],)
