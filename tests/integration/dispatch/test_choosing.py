"""Choosing in the database: decisions, assignments and loads that always agree."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from tests.builders.access import Company, make_company
from tests.builders.dispatch import claimed, load_of, make_tasks
from tests.builders.people import AT, BUND, hire
from ticket_console.dispatch.choosing import (
    AlreadyClaimed,
    Choice,
    Ended,
    NotEligible,
    TechnicianNotFound,
    assign_best,
    assign_to,
    finish,
    hand_on,
)
from ticket_console.dispatch.eligibility import Failure, Filter, Need
from ticket_console.dispatch.tables import (
    Assignment,
    AssignmentState,
    DecisionMode,
    DispatchDecision,
    TechnicianLoad,
)
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.people import duty, hiring, planning
from ticket_console.people.candidate import Span


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def best(need: Need) -> Choice:
    with transaction() as connection:
        return assign_best(connection, at=AT, by="user:1", need=need)


def give(need: Need, technician_id: int, **wish: bool) -> Choice:
    with transaction() as connection:
        return assign_to(
            connection,
            at=AT,
            by="user:1",
            need=need,
            technician_id=technician_id,
            mode=DecisionMode.MANUAL,
            **wish,
        )


def end(*token_ids: int, state: AssignmentState = AssignmentState.DONE) -> tuple[Ended, ...]:
    with transaction() as connection:
        return finish(connection, at=AT, token_ids=token_ids, state=state)


def decision(decision_id: int) -> sa.Row[tuple[object, ...]]:
    decisions = table(DispatchDecision)
    with reading() as connection:
        return connection.execute(sa.select(decisions).where(decisions.c.id == decision_id)).one()


def count(model: type[Assignment] | type[DispatchDecision]) -> int:
    with reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table(model))).scalar_one()


def test_the_best_one_gets_the_task_and_the_decision_keeps_everybodys_numbers(company: Company) -> None:
    # DSP-01 DSP-02
    far = hire(company, "Far", lat=BUND[0] + 0.05)
    near = hire(company, "Near", lat=BUND[0] + 0.01)
    unskilled = hire(company, "Unskilled", skills={})
    (task,) = make_tasks(company)
    choice = best(task)
    assert (choice.technician_id, choice.technician_name, choice.distance_km) == (near, "Near", 1.112)
    assert [each.technician_id for each in choice.candidates] == [near, far]
    assert choice.failed == {"no_skill": 1}
    assert claimed(near) == [task.token_id]
    assert load_of(near) == 1
    kept = decision(choice.decision_id)
    assert (kept.chosen_id, kept.mode, kept.policy, kept.by, kept.at) == (
        near,
        DecisionMode.AUTO,
        "standard-1",
        "user:1",
        AT,
    )
    assert kept.candidates == [
        {
            "id": near,
            "metres": 1112,
            "open": 0,
            "of": 8,
            "level": 3,
            "points": [8180, 10000, 10000, 6000, 0, 0, 0, 0],
            "score": 858_100,
        },
        {
            "id": far,
            "metres": 5560,
            "open": 0,
            "of": 8,
            "level": 3,
            "points": [4734, 0, 10000, 6000, 0, 0, 0, 0],
            "score": 603_030,
        },
        {"ids": [unskilled], "failed": [["no_skill", {"skill": "hvac"}]]},
        {
            "out": {
                "id": unskilled,
                "metres": 0,
                "open": 0,
                "of": 8,
                "level": 0,
                "points": [10000, 10000, 10000, 0, 0, 0, 0, 0],
                "score": 850_000,
            }
        },
    ]
    assert kept.terms["weights"] == [45, 10, 30, 15, 0, 0, 0, 0]


def test_without_a_candidate_the_decision_counts_what_kept_people_out(company: Company) -> None:  # DSP-02
    hire(company, "Unskilled", skills={})
    hire(company, "Off", is_on_duty=False)
    hire(company, "South", region_id=company.south, skills={})
    (task,) = make_tasks(company)
    choice = best(task)
    assert (choice.technician_id, choice.assignment_id, choice.candidates) == (None, None, ())
    assert choice.failed == {"no_skill": 2, "off_duty": 1, "region": 1}
    assert decision(choice.decision_id).chosen_id is None
    assert claimed() == []


def test_a_company_without_any_technician_has_nobody_and_nothing_in_the_way(company: Company) -> None:
    (task,) = make_tasks(company)
    choice = best(task)
    assert (choice.technician_id, dict(choice.failed)) == (None, {})


def test_somebody_of_a_region_serves_the_regions_below_it(company: Company) -> None:
    north = hire(company, "North")
    (task,) = make_tasks(company, region_id=company.harbour)
    assert best(task).technician_id == north


def test_the_next_best_gets_the_task_once_the_best_is_full(company: Company) -> None:
    near = hire(company, "Near", capacity=1)
    far = hire(company, "Far", lat=BUND[0] + 0.05)
    first, second = make_tasks(company, 2)
    assert best(first).technician_id == near
    choice = best(second)
    assert choice.technician_id == far
    assert choice.failed == {"full": 1}


def test_a_change_of_the_roster_counts_for_the_very_next_task(company: Company) -> None:
    li = hire(company)
    boss = system_actor(company.org_id)
    tasks = iter(make_tasks(company, 6))
    assert best(next(tasks)).technician_id == li
    duty.set_on_duty(actor=boss, at=AT, command_id="1", technician_id=li, is_on_duty=False)
    assert best(next(tasks)).failed == {"off_duty": 1}
    duty.set_on_duty(actor=boss, at=AT, command_id="2", technician_id=li, is_on_duty=True)
    assert best(next(tasks)).technician_id == li
    by = {"actor": boss, "at": AT, "technician_id": li}
    tomorrow = Span(AT + timedelta(days=1), AT + timedelta(days=1, hours=8))
    with transaction() as connection:
        planning.plan_shifts(connection, **by, command_id="3", shifts=[tomorrow])
    assert best(next(tasks)).failed == {"off_shift": 1}
    with transaction() as connection:
        planning.record_absence(
            connection, **by, command_id="4", absence=Span(AT, AT + timedelta(hours=1)), reason="dentist"
        )
    assert best(next(tasks)).failed == {"absent": 1}
    with transaction() as connection:
        hiring.let_go(connection, **by, command_id="5")
    assert best(next(tasks)).failed == {"inactive": 1, "off_duty": 1, "absent": 1}


def test_a_change_that_is_rolled_back_counts_for_nothing(company: Company) -> None:
    li = hire(company)
    (task,) = make_tasks(company)

    def change_ones_mind() -> None:
        with transaction() as connection:
            by = {"actor": system_actor(company.org_id), "at": AT, "command_id": "1"}
            hiring.let_go(connection, **by, technician_id=li)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_ones_mind()
    assert best(task).technician_id == li


def test_a_dispatcher_cannot_send_somebody_the_filters_keep_out(company: Company) -> None:
    off = hire(company, "Off", is_on_duty=False, skills={})
    hire(company)
    (task,) = make_tasks(company)
    with pytest.raises(NotEligible) as refused:
        give(task, off)
    assert refused.value.failures == (
        Failure(Filter.NO_SKILL, {"skill": "hvac"}),
        Failure(Filter.OFF_DUTY),
    )
    assert [(each.path, each.code) for each in refused.value.problems] == [
        ("technician_id", "dispatch.failed.no_skill"),
        ("technician_id", "dispatch.failed.off_duty"),
    ]
    assert refused.value.params == {"count": 2, "who": "Off", "reason": "dispatch.failed.no_skill"}
    assert (count(Assignment), count(DispatchDecision), load_of(off)) == (0, 0, 0)


def test_a_refusal_leaves_room_for_another_choice_in_the_same_transaction(company: Company) -> None:
    off, li = hire(company, "Off", is_on_duty=False), hire(company)
    (task,) = make_tasks(company)
    with transaction() as connection:
        with pytest.raises(NotEligible):
            assign_to(connection, at=AT, by="user:1", need=task, technician_id=off)
        assign_best(connection, at=AT, by="user:1", need=task)
    assert (claimed(li), load_of(off)) == ([task.token_id], 0)


def test_an_override_sends_them_all_the_same_and_says_so(company: Company) -> None:
    full = hire(company, "Full", capacity=0)
    (task,) = make_tasks(company)
    choice = give(task, full, override=True)
    assert (choice.technician_id, choice.failed, load_of(full)) == (full, {"full": 1}, 1)
    kept = decision(choice.decision_id)
    assert [entry["id"] for entry in kept.candidates if "id" in entry] == [full]
    assert kept.candidates[-1] == {"ids": [full], "failed": [["full", {"open": 0, "capacity": 0}]]}


def test_nobody_is_sent_whom_the_company_does_not_know(company: Company) -> None:
    (task,) = make_tasks(company)
    with pytest.raises(TechnicianNotFound):
        give(task, 404)


def test_a_task_that_is_held_is_refused_with_who_and_when(company: Company) -> None:  # pain 33
    li, wang = hire(company, "Li"), hire(company, "Wang")
    (task,) = make_tasks(company)
    give(task, li)
    with pytest.raises(AlreadyClaimed) as refused:
        give(task, wang)
    assert refused.value.params == {"who": "Li", "when": "2026-11-21T02:00:00+00:00"}
    with pytest.raises(AlreadyClaimed):
        best(task)
    assert (claimed(li), load_of(li), load_of(wang), count(DispatchDecision)) == ([task.token_id], 1, 0, 1)


def test_what_is_finished_frees_its_technician_once(company: Company) -> None:
    li = hire(company)
    tasks = make_tasks(company, 3)
    for task in tasks:
        give(task, li)
    tokens = [task.token_id for task in tasks]
    assert end(tokens[0], tokens[1]) == (Ended(tokens[0], li), Ended(tokens[1], li))
    assert load_of(li) == 1
    assert end(tokens[0]) == ()
    assert end() == ()
    assert (load_of(li), claimed(li)) == (1, [tokens[2]])


def test_a_released_task_can_be_given_again_and_its_reason_is_kept(company: Company) -> None:
    li, wang = hire(company, "Li"), hire(company, "Wang")
    (task,) = make_tasks(company)
    give(task, li)
    with transaction() as connection:
        finish(
            connection, at=AT, token_ids=[task.token_id], state=AssignmentState.RELEASED, reason="flat tyre"
        )
    give(task, wang)
    assignments = table(Assignment)
    with reading() as connection:
        kept = connection.execute(
            sa.select(assignments.c.technician_id, assignments.c.state, assignments.c.reason).order_by(
                assignments.c.id
            )
        ).all()
    assert [tuple(row) for row in kept] == [
        (li, AssignmentState.RELEASED, "flat tyre"),
        (wang, AssignmentState.CLAIMED, None),
    ]
    assert (load_of(li), load_of(wang)) == (0, 1)


def test_the_same_person_goes_on_with_the_next_step_even_when_full(company: Company) -> None:
    li = hire(company, capacity=1)
    first, second = make_tasks(company, 2)
    best(first)
    with transaction() as connection:
        choice = hand_on(
            connection,
            at=AT,
            ticket_id=first.ticket_id,
            from_token_id=first.token_id,
            to_token_id=second.token_id,
            technician_id=li,
        )
    assert (claimed(li), load_of(li)) == ([second.token_id], 1)
    assert decision(choice.decision_id).mode is DecisionMode.STICKY


def test_work_handed_on_after_its_step_was_ended_counts_again(company: Company) -> None:
    li = hire(company)
    first, second = make_tasks(company, 2)
    best(first)
    end(first.token_id)
    with transaction() as connection:
        hand_on(
            connection,
            at=AT,
            ticket_id=first.ticket_id,
            from_token_id=first.token_id,
            to_token_id=second.token_id,
            technician_id=li,
        )
    assert (claimed(li), load_of(li)) == ([second.token_id], 1)


def test_after_a_thousand_tasks_nobody_is_above_capacity_and_every_load_is_what_is_open(
    company: Company,
) -> None:  # DSP-05
    chance = Random(33)
    capacities = {}
    for number in range(12):
        capacity = chance.randint(0, 20)
        skills = {skill: chance.randint(1, 5) for skill in ("hvac", "lift") if chance.random() < 0.7}
        hired = hire(
            company, f"T{number}", capacity=capacity, lat=BUND[0] + chance.random() / 5, skills=skills
        )
        capacities[hired] = capacity
    tasks = make_tasks(company, 1_000)
    given = 0
    for start in range(0, len(tasks), 50):
        with transaction() as connection:
            for task in tasks[start : start + 50]:
                need = replace(
                    task, skill=chance.choice(["hvac", "lift", None]), lat=BUND[0] + chance.random() / 5
                )
                choice = assign_best(connection, at=AT, by="system", need=need)
                given += choice.technician_id is not None
                if chance.random() < 0.5:
                    ended = chance.choice(tasks[: start + 50]).token_id
                    finish(connection, at=AT, token_ids=[ended], state=AssignmentState.DONE)
    assert given > 200
    loads, assignments = table(TechnicianLoad), table(Assignment)
    with reading() as connection:
        kept = dict(connection.execute(sa.select(loads.c.technician_id, loads.c.open_count)).all())
        counted = sa.select(assignments.c.technician_id, sa.func.count()).where(
            assignments.c.state == AssignmentState.CLAIMED
        )
        open_now = dict(connection.execute(counted.group_by(assignments.c.technician_id)).all())
    assert {each: load for each, load in kept.items() if load} == open_now
    assert all(load <= capacities[each] for each, load in kept.items())
