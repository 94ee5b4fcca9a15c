"""Policies of dispatch: drafted, published for good, found for a task, changed for a while."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.access import Company, actor, audit_actions, make_company
from tests.builders.dispatch import a_need, make_tasks
from tests.builders.people import AT, BUND, hire
from ticket_console.dispatch import month_book, policies, rulebook
from ticket_console.dispatch.choosing import assign_best
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rulebook import (
    NothingToPublish,
    PolicyExists,
    PolicyMoved,
    PolicyNotFound,
    PolicyView,
)
from ticket_console.dispatch.rules import STANDARD, BadTerms, DispatchPolicy, Mode
from ticket_console.dispatch.tables import DispatchDecision, DispatchPolicyVersion, DispatchStrategy
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.people import papers

NAME = {"zh": "维修", "en": "Repairs"}
DAY = timedelta(days=1)


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def an_actor(company: Company, role: Role) -> Actor:
    return replace(actor(role), org_id=company.org_id)


@pytest.fixture
def manager(company: Company) -> Actor:
    return an_actor(company, Role.MANAGER)


def draft(manager: Actor, terms: dict[str, Any], **scope: Any) -> PolicyView:
    wish = {"ticket_class": "repair", "region_id": None, "name": NAME, **scope}
    policy_id = rulebook.create(actor=manager, at=AT, command_id=f"new-{wish}"[:60], **wish)
    return rulebook.save_draft(actor=manager, policy_id=policy_id, version=1, terms=terms)


def publish(manager: Actor, found: PolicyView, **wish: Any) -> PolicyView:
    return rulebook.publish(
        actor=manager, at=AT, command_id="publish", policy_id=found.id, version=found.version, **wish
    )


def published(manager: Actor, terms: dict[str, Any], **scope: Any) -> PolicyView:
    return publish(manager, draft(manager, terms, **scope))


def holding(need: Need, at: Any = AT) -> DispatchPolicy:
    with reading() as connection:
        return policies.policy_for(connection, need, at)


def strategy(company: Company, overlay: dict[str, Any], **columns: Any) -> None:
    row = {
        "org_id": company.org_id,
        "overlay": overlay,
        "reason": "投诉高峰",
        "starts_at": AT,
        "ends_at": AT + DAY,
        "version": 1,
        **columns,
    }
    with transaction() as connection:
        connection.execute(sa.insert(table(DispatchStrategy)), row)


def a_repair(company: Company, **changes: Any) -> Need:
    return a_need(
        **{"org_id": company.org_id, "region_id": company.north, "ticket_class": "repair", **changes}
    )


def test_without_any_policy_the_built_in_one_holds(company: Company) -> None:
    assert holding(a_repair(company)) == STANDARD
    assert STANDARD.mode is Mode.ASSIGN


def test_a_draft_changes_nothing_until_it_is_published_and_then_for_its_line_only(
    company: Company, manager: Actor
) -> None:
    found = draft(manager, {"mode": "queue"})
    assert holding(a_repair(company)) == STANDARD
    publish(manager, found, note="  Peak  ")
    assert holding(a_repair(company)).mode is Mode.QUEUE
    assert holding(a_repair(company, ticket_class="install")) == STANDARD
    with reading() as connection:
        (version,) = rulebook.versions(connection, manager, found.id)
    assert (version.number, version.is_in_force, version.changed, version.note) == (
        1,
        True,
        ("mode",),
        "Peak",
    )
    assert "dispatch_policy.published" in audit_actions()


def test_the_line_counts_before_the_region_and_the_nearer_region_before_the_one_above(
    company: Company, manager: Actor
) -> None:
    published(manager, {"most_handoffs": 11}, ticket_class=None, region_id=company.harbour)
    published(manager, {"most_handoffs": 12}, ticket_class="repair", region_id=None)
    published(manager, {"most_handoffs": 13}, ticket_class="repair", region_id=company.north)
    asked = [
        holding(a_repair(company, region_id=region, ticket_class=line)).most_handoffs
        for region, line in (
            (company.harbour, "repair"),
            (company.north, "repair"),
            (company.south, "repair"),
            (None, "repair"),
            (company.harbour, "install"),
            (company.south, "install"),
        )
    ]
    assert asked == [13, 13, 12, 12, 11, STANDARD.most_handoffs]


def test_a_published_version_never_changes_and_an_older_one_is_put_back_as_a_new_one(
    company: Company, manager: Actor
) -> None:
    first = published(manager, {"weights": {"load": 60}})
    later = rulebook.save_draft(
        actor=manager, policy_id=first.id, version=first.version, terms={"weights": {"load": 70}}
    )
    second = publish(manager, later)
    assert holding(a_repair(company)).weights[2] == 70
    back = rulebook.put_back(
        actor=manager, at=AT, command_id="back", policy_id=first.id, version=second.version, number=1
    )
    assert (back.number, holding(a_repair(company)).weights[2]) == (3, 60)
    versions = table(DispatchPolicyVersion)
    for change in (sa.update(versions).values(note="other"), sa.delete(versions)):
        with pytest.raises(sa.exc.DatabaseError, match=r"written once"), transaction() as connection:
            connection.execute(change)


def test_somebody_slower_is_told_and_what_is_in_force_is_not_published_twice(
    company: Company, manager: Actor
) -> None:
    found = published(manager, {"mode": "queue"})
    with pytest.raises(PolicyMoved):
        rulebook.save_draft(actor=manager, policy_id=found.id, version=found.version - 1, terms={})
    with pytest.raises(NothingToPublish):
        publish(manager, found)
    same = rulebook.save_draft(
        actor=manager, policy_id=found.id, version=found.version, terms={"mode": "queue"}
    )
    with pytest.raises(NothingToPublish):
        publish(manager, same)
    with reading() as connection:
        assert len(rulebook.versions(connection, manager, found.id)) == 1


def test_a_weight_of_infinity_is_refused_with_its_field_and_nothing_changed(
    company: Company, manager: Actor
) -> None:
    found = draft(manager, {"weights": {"load": 60}})
    with pytest.raises(BadTerms) as refusal:
        rulebook.save_draft(
            actor=manager,
            policy_id=found.id,
            version=found.version,
            terms={"weights": {"load": float("inf"), "level": -1}},
        )
    assert [each.path for each in refusal.value.problems] == ["weights.load", "weights.level"]
    with reading() as connection:
        assert rulebook.policy_view(connection, manager, found.id) == found


def test_one_line_in_one_region_has_one_policy_with_a_name_in_both_languages(
    company: Company, manager: Actor
) -> None:
    draft(manager, {})
    with pytest.raises(PolicyExists):
        draft(manager, {})
    with pytest.raises(InvalidInput) as refusal:
        draft(manager, {}, ticket_class="install", name={"zh": " ", "en": "x" * 61})
    assert [each.path for each in refusal.value.problems] == ["name.zh", "name.en"]
    with reading() as connection:
        assert len(rulebook.policies(connection, manager)) == 1


def test_dispatchers_read_and_only_who_manages_everywhere_writes(company: Company, manager: Actor) -> None:
    found = draft(manager, {"mode": "queue"})
    dispatcher = an_actor(company, Role.DISPATCHER)
    with reading() as connection:
        assert [each.id for each in rulebook.policies(connection, dispatcher)] == [found.id]
        with pytest.raises(Forbidden):
            rulebook.policies(connection, an_actor(company, Role.TECHNICIAN))
    commands: tuple[Callable[[], object], ...] = (
        lambda: draft(dispatcher, {}, ticket_class="install"),
        lambda: rulebook.save_draft(actor=dispatcher, policy_id=found.id, version=found.version, terms={}),
        lambda: publish(dispatcher, found),
        lambda: rulebook.discard_draft(actor=dispatcher, policy_id=found.id, version=found.version),
    )
    for command in commands:
        with pytest.raises(Forbidden):
            command()
    assert holding(a_repair(company)) == STANDARD


def test_a_policy_of_another_company_is_not_found(company: Company, manager: Actor) -> None:
    found = draft(manager, {})
    stranger = an_actor(make_company("other"), Role.MANAGER)
    with reading() as connection, pytest.raises(PolicyNotFound):
        rulebook.policy_view(connection, stranger, found.id)
    with pytest.raises(PolicyNotFound):
        publish(stranger, found)


def test_out_of_use_the_next_wider_policy_holds(company: Company, manager: Actor) -> None:
    published(manager, {"mode": "queue"}, ticket_class=None)
    narrow = published(manager, {"mode": "offer"})
    assert holding(a_repair(company)).mode is Mode.OFFER
    rulebook.take_out_of_use(
        actor=manager, at=AT, command_id="retire", policy_id=narrow.id, version=narrow.version
    )
    assert holding(a_repair(company)).mode is Mode.QUEUE


def test_a_change_for_a_while_lies_over_the_policy_until_it_ends_and_only_where_it_is_meant(
    company: Company, manager: Actor
) -> None:  # DSP-15
    published(manager, {"weights": {"load": 60}})
    strategy(company, {"mode": "queue"}, region_id=company.north, ticket_class="repair")
    here = a_repair(company, region_id=company.harbour)
    assert (holding(here).mode, holding(here).weights[2]) == (Mode.QUEUE, 60)
    assert holding(here, AT + DAY - timedelta(seconds=1)).mode is Mode.QUEUE
    assert holding(here, AT + DAY).mode is holding(here, AT - timedelta(seconds=1)).mode is Mode.ASSIGN
    assert holding(a_repair(company, region_id=company.south)).mode is Mode.ASSIGN
    assert holding(a_repair(company, region_id=company.north, ticket_class="install")).mode is Mode.ASSIGN


def test_certified_within_three_kilometres_gets_the_task_and_the_decision_tells_by_what(
    company: Company, manager: Actor
) -> None:  # DSP-03
    published(
        manager,
        {
            "bands": [{"within_m": 3_000, "certified": True}, {"within_m": 10_000}, {}],
            "filters": {"shift_end": "warn"},
        },
    )
    hire(company, "Near")
    certified = hire(company, "Certified", lat=BUND[0] + 0.02)
    with transaction() as connection:
        papers.certify_brand(
            connection,
            actor=manager,
            at=AT,
            command_id="brand",
            technician_id=certified,
            brand="Frostline",
            valid_from=AT.date() - DAY,
            valid_until=AT.date() + DAY,
        )
    (task,) = make_tasks(company, ticket_class="repair", brand="Frostline")
    with transaction() as connection:
        choice = assign_best(connection, at=AT, by="user:1", need=task)
    assert choice.technician_id == certified
    decisions = table(DispatchDecision)
    with reading() as connection:
        kept = connection.execute(sa.select(decisions)).one()
    assert kept.policy == "repair-1-1"
    assert kept.terms["bands"] == [[3000, True], [10000, False], [None, False]]
    assert [entry.get("band", 0) for entry in kept.candidates if "id" in entry] == [0, 1]


def test_an_expired_certificate_of_the_make_is_as_good_as_none(company: Company, manager: Actor) -> None:
    published(manager, {"filters": {"brand": "require"}})
    expired = hire(company, "Expired")
    with transaction() as connection:
        papers.certify_brand(
            connection,
            actor=manager,
            at=AT,
            command_id="brand",
            technician_id=expired,
            brand="Frostline",
            valid_from=AT.date() - 2 * DAY,
            valid_until=AT.date(),
        )
    (task,) = make_tasks(company, ticket_class="repair", brand="Frostline")
    with transaction() as connection:
        choice = assign_best(connection, at=AT, by="user:1", need=task)
    assert (choice.technician_id, choice.failed) == (None, {"brand_expired": 1})


def test_whoever_earned_less_within_thirty_days_comes_first_where_income_is_weighed(
    company: Company, manager: Actor
) -> None:
    weights = dict.fromkeys(STANDARD.as_json()["weights"], 0) | {"income": 50, "hard": 50}
    published(manager, {"weights": weights})
    rich, poor = hire(company, "Rich"), hire(company, "Poor")
    with transaction() as connection:
        month_book.replace(connection, company.org_id, {rich: (9, 4, 90_000), poor: (3, 0, 20_000)}, at=AT)
    tasks = make_tasks(company, 2, ticket_class="repair")
    with transaction() as connection:
        assert assign_best(connection, at=AT, by="user:1", need=tasks[0]).technician_id == poor
    with transaction() as connection:
        month_book.replace(connection, company.org_id, {rich: (0, 0, 0), poor: (3, 2, 20_000)}, at=AT + DAY)
        assert assign_best(connection, at=AT, by="user:1", need=tasks[1]).technician_id == rich
