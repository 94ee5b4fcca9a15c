"""Hiring, certifying, going on and off duty, and who may see whom."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.builders.access import Company, audit_actions, make_company
from tests.builders.people import AT, hire
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.people import drawing, duty, hiring, planning, reads, roster
from ticket_console.people.candidate import Candidate, Span
from ticket_console.people.hiring import NewTechnician, SkillExists, TechnicianNotFound


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def somebody(company: Company, *grants: Grant, technician_id: int | None = None) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        org_id=company.org_id,
        display="Somebody",
        technician_id=technician_id,
        grants=grants,
    )


def boss(company: Company) -> dict[str, Any]:
    return {"actor": system_actor(company.org_id), "at": AT, "command_id": "1"}


def candidate(company: Company, technician_id: int) -> Candidate:
    with reading() as connection:
        return roster.current(connection, company.org_id, at=AT).by_id[technician_id]


def in_region(role: Role, region_id: int) -> Grant:
    return Grant(role, Scope.REGION, frozenset({region_id}))


def test_a_technician_is_hired_with_everything_dispatch_asks_for(company: Company) -> None:
    li = hire(company, skills={"hvac": 3, "lift": 2}, level=2, capacity=5)
    with transaction() as connection:
        territory = drawing.draw_territory(
            connection,
            **boss(company),
            code="T1",
            name={"zh": "一", "en": "One"},
            region_id=company.north,
        )
        hiring.serve(connection, **boss(company), technician_id=li, territory_ids=[territory])
        shift = Span(AT, AT + timedelta(hours=8))
        long_ago = Span(AT - timedelta(days=90), AT - timedelta(days=89))
        planning.plan_shifts(connection, **boss(company), technician_id=li, shifts=[shift, long_ago])
    found = candidate(company, li)
    assert (found.name, found.region_ids) == ("Li", frozenset({company.north, company.harbour}))
    assert (found.level, found.capacity, found.is_on_duty, found.is_active) == (2, 5, True, True)
    assert {skill: [each.level for each in held] for skill, held in found.certificates.items()} == {
        "hvac": [3],
        "lift": [2],
    }
    assert (found.territory_ids, found.shifts, found.absences) == (frozenset({territory}), (shift,), ())
    assert audit_actions()[-3:] == ["territory.drawn", "technician.serves", "technician.shifts_planned"]


def test_somebody_whose_only_shifts_are_over_is_on_no_shift(company: Company) -> None:
    li = hire(company)
    assert candidate(company, li).shifts is None
    with transaction() as connection:
        past = Span(AT - timedelta(days=90), AT - timedelta(days=89))
        planning.plan_shifts(connection, **boss(company), technician_id=li, shifts=[past])
    assert candidate(company, li).shifts == ()


def test_what_nobody_could_be_hired_with_is_told_in_one_go(company: Company) -> None:
    new = NewTechnician(name=" ", region_id=404, lat=99.0, lon=121.0, level=6, capacity=-1)
    with pytest.raises(InvalidInput) as refused, transaction() as connection:
        hiring.hire(connection, **boss(company), new=new)
    assert [(each.path, each.code) for each in refused.value.problems] == [
        ("name", "field.required"),
        ("region_id", "people.unknown_region"),
        ("lat", "field.out_of_range"),
        ("level", "field.out_of_range"),
        ("capacity", "field.out_of_range"),
    ]


def test_a_certificate_needs_a_known_skill_a_level_and_a_day_it_is_valid(company: Company) -> None:
    li = hire(company)
    with pytest.raises(InvalidInput) as refused, transaction() as connection:
        hiring.certify(
            connection,
            **boss(company),
            technician_id=li,
            skill="juggling",
            level=0,
            valid_from=date(2026, 1, 1),
            valid_until=date(2026, 1, 1),
        )
    assert [(each.path, each.code) for each in refused.value.problems] == [
        ("skill", "people.unknown_skill"),
        ("level", "field.out_of_range"),
        ("valid_until", "people.ends_before_it_starts"),
    ]


def test_a_skill_is_added_once(company: Company) -> None:
    hire(company)
    with pytest.raises(SkillExists), transaction() as connection:
        hiring.add_skill(connection, **boss(company), code="hvac", name={"zh": "空调", "en": "HVAC"})


def test_only_who_manages_a_regions_people_hires_and_certifies_there(company: Company) -> None:
    li = hire(company)
    of_south = {**boss(company), "actor": somebody(company, in_region(Role.MANAGER, company.south))}
    new = NewTechnician(name="Wang", region_id=company.north, lat=31.0, lon=121.0)
    with pytest.raises(Forbidden), transaction() as connection:
        hiring.hire(connection, **of_south, new=new)
    with pytest.raises(Forbidden), transaction() as connection:
        hiring.let_go(connection, **of_south, technician_id=li)
    other = make_company("other")
    with pytest.raises(TechnicianNotFound), transaction() as connection:
        hiring.let_go(connection, **boss(other), technician_id=li)


def test_technicians_switch_their_own_duty_and_nobody_elses(company: Company) -> None:
    li, wang = hire(company, "Li"), hire(company, "Wang")
    me = somebody(company, Grant(Role.TECHNICIAN, Scope.OWN), technician_id=li)
    found = duty.set_on_duty(actor=me, at=AT, command_id="1", technician_id=li, is_on_duty=False)
    assert (found.technician_id, found.is_on_duty) == (li, False)
    assert candidate(company, li).is_on_duty is False
    with pytest.raises(Forbidden):
        duty.set_on_duty(actor=me, at=AT, command_id="2", technician_id=wang, is_on_duty=False)
    assert candidate(company, wang).is_on_duty is True


def test_a_dispatcher_switches_the_duty_of_the_own_region(company: Company) -> None:
    li = hire(company)
    wish = {"at": AT, "command_id": "1", "technician_id": li, "is_on_duty": False}
    with pytest.raises(Forbidden):
        duty.set_on_duty(actor=somebody(company, in_region(Role.DISPATCHER, company.south)), **wish)
    duty.set_on_duty(actor=somebody(company, in_region(Role.DISPATCHER, company.north)), **wish)
    assert candidate(company, li).is_on_duty is False


def test_the_menu_holds_the_people_of_the_viewers_regions_and_masks_their_numbers(company: Company) -> None:
    north = hire(company, "North", phone="19900000501")
    south = hire(company, "South", region_id=company.south, phone="19900000502")
    gone = hire(company, "Gone")
    with transaction() as connection:
        hiring.let_go(connection, **boss(company), technician_id=gone)

    def seen_by(*grants: Grant, technician_id: int | None = None) -> list[tuple[int, str]]:
        viewer = somebody(company, *grants, technician_id=technician_id)
        with reading() as connection:
            return [(each.id, each.phone) for each in reads.technicians(connection, viewer)]

    assert seen_by(in_region(Role.DISPATCHER, company.north)) == [(north, "19900000501")]
    assert seen_by(Grant(Role.AUDITOR, Scope.ORG)) == [(north, "199****0501"), (south, "199****0502")]
    assert seen_by(Grant(Role.TECHNICIAN, Scope.OWN), technician_id=north) == []
