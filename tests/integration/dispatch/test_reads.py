"""Dispatch on the screens: why this person, why not the others, and what waits."""

from datetime import datetime

import pytest

from tests.builders.company import SHANGHAI, Company, found_company
from ticket_console.desk import assigning
from ticket_console.dispatch import reads
from ticket_console.dispatch.choosing import Need
from ticket_console.dispatch.panel import DecisionView, FailureCount, ReasonView
from ticket_console.dispatch.reads import LoadView, OfferView, UnassignedQueue
from ticket_console.dispatch.tables import DecisionMode
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.people import duty, hiring
from ticket_console.people.hiring import NewTechnician

NOWHERE = {"lat": None, "lon": None}


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def panel(company: Company, ticket_id: int, login: str) -> tuple[DecisionView, ...]:
    with reading() as connection:
        return reads.decision_panel(connection, ticket_id, viewer=company.actor(login))


def queue(company: Company, login: str, limit: int = 100) -> UnassignedQueue:
    with reading() as connection:
        return reads.unassigned_queue(connection, company.actor(login), limit=limit)


def off_duty(company: Company, *logins: str) -> None:
    for login in logins:
        duty.set_on_duty(
            actor=company.actor("manager"),
            at=company.at,
            command_id=company.command_id(),
            technician_id=company.technicians[login],
            is_on_duty=False,
        )


def test_the_panel_says_why_this_person_and_why_not_the_others(company: Company) -> None:  # DSP-02
    opened = company.open()
    (found,) = panel(company, opened.ticket_id, "dispatcher")
    near, far, cd = (company.technicians[login] for login in ("tech_near", "tech_far", "tech_cd"))
    assert (found.mode, found.chosen_id, found.chosen_name) == (DecisionMode.AUTO, near, "tech_near")
    assert found.chosen is found.candidates[0]
    assert [(each.technician_id, each.rank, each.is_chosen) for each in found.candidates] == [
        (near, 1, True),
        (far, 2, False),
    ]
    assert (found.chosen.distance_km, found.chosen.open_count, found.chosen.capacity) == (1.11, 0, 50)
    assert [(term.key, term.params, term.earned, term.weight) for term in found.chosen.terms] == [
        ("dispatch.term.distance", {"km": 1.11}, 36.8, 45),
        ("dispatch.term.near", {"km": 1.11, "within": 3.0}, 10.0, 10),
        ("dispatch.term.load", {"open": 0, "capacity": 50}, 30.0, 30),
        ("dispatch.term.level", {"level": 3}, 9.0, 15),
    ]
    assert found.chosen.score == 85.8
    assert found.candidates[1].terms[1].key == "dispatch.term.far"
    assert [(each.technician_id, each.name) for each in found.excluded] == [(cd, "tech_cd")]
    assert found.excluded[0].failures == (ReasonView("dispatch.failed.region", {}),)
    assert found.failed == (FailureCount("region", "dispatch.filter.region", 1),)


def test_the_chosen_one_sees_why_but_not_the_numbers_of_colleagues(company: Company) -> None:
    opened = company.open()
    (found,) = panel(company, opened.ticket_id, "tech_near")
    assert found.chosen is not None
    assert (found.chosen_name, found.is_whole) == ("tech_near", False)
    assert (found.candidates, found.excluded, found.failed) == ((), (), ())


def test_who_may_not_see_the_ticket_sees_no_decision(company: Company) -> None:
    opened = company.open()
    assert panel(company, opened.ticket_id, "tech_far") == ()
    assert panel(company, opened.ticket_id, "dispatcher_cd") == ()
    assert len(panel(company, opened.ticket_id, "auditor")) == 1


def test_reasons_name_the_skill_in_every_language(company: Company, at: datetime) -> None:
    novice = NewTechnician(name="Novice", region_id=company.regions["sh"], lat=31.2, lon=121.4)
    with transaction() as connection:
        hiring.hire(connection, actor=company.system, at=at, command_id="hire", new=novice)
    need = Need(company.org_id, 1, 1, company.regions["sh"], None, *SHANGHAI, "hvac", 2)
    with reading() as connection:
        offers = reads.offers(connection, company.actor("dispatcher"), need, at=at)
    (reason,) = next(each.failures for each in offers if each.name == "Novice")
    assert reason == ReasonView(
        "dispatch.failed.no_skill", {"skill": {"zh": "空调制冷", "en": "Heating and cooling"}}
    )


def test_somebody_sent_in_spite_of_the_filters_is_shown_with_what_spoke_against_them(
    company: Company,
) -> None:
    opened = company.open()
    off_duty(company, "tech_far")
    assigning.assign(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        technician_id=company.technicians["tech_far"],
        reason="asked for by name",
        override=True,
    )
    latest = panel(company, opened.ticket_id, "dispatcher")[0]
    assert latest.mode is DecisionMode.MANUAL
    assert latest.chosen is not None
    assert (latest.chosen.name, latest.chosen.rank) == ("tech_far", None)
    assert latest.chosen.failures == (ReasonView("dispatch.failed.off_duty", {}),)
    assert [each.name for each in latest.excluded] == ["tech_cd"]


def test_the_queue_shows_what_nobody_could_take_with_counts_per_filter(company: Company) -> None:
    # DSP-02, pain 34
    off_duty(company, "tech_near", "tech_far")
    company.open(title="first")
    company.open(title="nowhere", **NOWHERE)
    found = queue(company, "dispatcher")
    assert (found.total, [each.title for each in found.waiting]) == (2, ["first", "nowhere"])
    assert found.waiting[0].failed == (
        FailureCount("off_duty", "dispatch.filter.off_duty", 2),
        FailureCount("region", "dispatch.filter.region", 1),
    )
    assert found.waiting[1].failed == (
        FailureCount("place_unknown", "dispatch.filter.place_unknown", 3),
        FailureCount("off_duty", "dispatch.filter.off_duty", 2),
    )
    assert found.failed == (
        FailureCount("off_duty", "dispatch.filter.off_duty", 2),
        FailureCount("place_unknown", "dispatch.filter.place_unknown", 1),
        FailureCount("region", "dispatch.filter.region", 1),
    )


def test_the_queue_counts_all_and_lists_the_most_urgent(company: Company) -> None:
    off_duty(company, "tech_near", "tech_far")
    for urgency in (1, 3, 2):
        company.open(title=f"urgency {urgency}", urgency=urgency)
    found = queue(company, "dispatcher", limit=1)
    assert (found.total, [each.title for each in found.waiting]) == (3, ["urgency 3"])


def test_a_task_leaves_the_queue_when_somebody_gets_it_and_is_back_when_they_give_it_up(
    company: Company,
) -> None:
    off_duty(company, "tech_near", "tech_far")
    opened = company.open()
    assert queue(company, "dispatcher").total == 1
    given = assigning.assign(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        technician_id=company.technicians["tech_near"],
        reason="on the way anyhow",
        override=True,
    )
    assert queue(company, "dispatcher").total == 0
    assigning.release(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=opened.ticket_id,
        expected_version=given.version,
        reason="flat tyre",
    )
    (waiting,) = queue(company, "dispatcher").waiting
    assert (waiting.was_given_up, waiting.failed) == (True, ())


def test_the_queue_of_a_region_holds_nothing_of_another(company: Company) -> None:
    off_duty(company, "tech_near", "tech_far")
    company.open()
    assert queue(company, "dispatcher_cd") == UnassignedQueue(0, (), ())
    assert queue(company, "tech_near") == UnassignedQueue(0, (), ())


def test_loads_are_listed_by_scope_the_fullest_first(company: Company) -> None:  # DSP-05
    company.open()
    ids, sh = company.technicians, company.regions["sh"]
    with reading() as connection:
        assert reads.technician_loads(connection, company.actor("dispatcher"))[:2] == (
            LoadView(ids["tech_near"], "tech_near", sh, 1, 50, True),
            LoadView(ids["tech_cd"], "tech_cd", company.regions["cd"], 0, 50, True),
        )
        in_chengdu = reads.technician_loads(connection, company.actor("dispatcher_cd"))
    assert [each.name for each in in_chengdu] == ["tech_cd"]


def test_the_menu_shows_before_the_drop_who_may_take_a_task(company: Company, at: datetime) -> None:
    # pain 35
    off_duty(company, "tech_near")
    need = Need(company.org_id, 1, 1, company.regions["sh"], None, *SHANGHAI, None, 2)
    with reading() as connection:
        offers = reads.offers(connection, company.actor("dispatcher"), need, at=at)
        with pytest.raises(Forbidden):
            reads.offers(connection, company.actor("dispatcher_cd"), need, at=at)
    assert [(each.name, each.is_eligible) for each in offers] == [
        ("tech_far", True),
        ("tech_near", False),
        ("tech_cd", False),
    ]
    assert offers[0] == OfferView(
        technician_id=company.technicians["tech_far"],
        name="tech_far",
        is_eligible=True,
        score=offers[0].score,
        distance_km=22.24,
        open_count=0,
        capacity=50,
        level=2,
        failures=(),
    )
    assert offers[1].failures == (ReasonView("dispatch.failed.off_duty", {}),)
