"""Running tickets carried to another version of their flow: planned, whole or not at all, and taken back."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.proof.invariants import nothing_is_torn
from ticket_console.clocks.tables import Timer, TimerState
from ticket_console.desk import moving
from ticket_console.desk.carried_over import carried_over
from ticket_console.desk.migrating import (
    MigrationPlan,
    NotReversible,
    apply_migration,
    can_revert,
    plan_migration,
    revert_migration,
)
from ticket_console.desk.talking import comment
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph_json import graph_json
from ticket_console.flows.publishing import publish_flow
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets import reads
from ticket_console.tickets.marking import Marking
from ticket_console.tickets.tables import Event, Ticket
from ticket_console.tickets.writing import StaleTicket

GENERAL = "general"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def row(ticket_id: int) -> Any:
    tickets = table(Ticket)
    with reading() as connection:
        return connection.execute(sa.select(tickets).where(tickets.c.id == ticket_id)).one()


def publish(company: Company, change: Change, code: str = GENERAL) -> int:
    """The flow changed and published; the number of the new version."""
    with transaction() as connection:
        current = flow_reads.current_version(connection, company.org_id, code)
        graph = graph_json(flow_reads.drawn(connection, current.id))
        change(graph)
        view = publish_flow(
            connection, actor=company.system, at=company.at, code=code, name=current.name, graph=graph
        )
    return view.id


def node(graph: dict[str, Any], key: str) -> dict[str, Any]:
    return next(each for each in graph["nodes"] if each["key"] == key)


def rename(graph: dict[str, Any], key: str, to: str) -> None:
    node(graph, key)["key"] = to
    for edge in graph["edges"]:
        edge["source"] = to if edge["source"] == key else edge["source"]
        edge["target"] = to if edge["target"] == key else edge["target"]


def with_timeout(graph: dict[str, Any], *, hours: int = 2, step: str = "accept") -> None:
    graph["edges"].append(
        {
            "key": "accept-late",
            "kind": "timeout",
            "source": step,
            "target": "dispatch",
            "name": {},
            "after_seconds": hours * 3600,
        }
    )


def plan(company: Company, to: int, **wish: Any) -> MigrationPlan:
    with reading() as connection:
        return plan_migration(
            connection, viewer=company.actor("manager"), flow_code=GENERAL, to_version_id=to, **wish
        )


def migrate(company: Company, to: int, tickets: dict[int, int], *, command: str = "m", **wish: Any) -> Any:
    return apply_migration(
        actor=wish.pop("actor", company.actor("manager")),
        at=company.at + timedelta(hours=1),
        command_id=command,
        flow_code=GENERAL,
        to_version_id=to,
        tickets=tickets,
        **wish,
    )


def revert(company: Company, ticket_id: int, version: int) -> Any:
    return revert_migration(
        actor=company.actor("manager"),
        at=company.at + timedelta(hours=2),
        command_id=f"back:{ticket_id}:{version}",
        ticket_id=ticket_id,
        expected_version=version,
    )


def armed(ticket_id: int) -> list[datetime]:
    timers = table(Timer)
    query = sa.select(timers.c.due_at).where(
        timers.c.ticket_id == ticket_id, timers.c.state == TimerState.ARMED
    )
    with reading() as connection:
        return list(connection.execute(query).scalars())


def open_steps(ticket_id: int) -> dict[str, Any]:
    with reading() as connection:
        return {each["node_key"]: each for each in reads.live_tokens(connection, ticket_id)}


def event_count() -> int:
    with reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table(Event))).scalar_one()


def test_a_ticket_whose_step_is_there_keeps_it_with_whoever_has_it(company: Company) -> None:
    opened = company.open(template=GENERAL)
    before = open_steps(opened.ticket_id)["accept"]
    to = publish(company, lambda graph: node(graph, "onsite").update(weight=9))

    (planned,) = plan(company, to).rows
    migrated = migrate(company, to, {opened.ticket_id: opened.version})

    after = open_steps(opened.ticket_id)["accept"]
    assert (planned.reason, planned.steps[0].how, planned.steps[0].timer) == (None, "kept", "none")
    assert ([each.ticket_id for each in migrated.moved], migrated.stayed) == ([opened.ticket_id], ())
    assert (after["id"], after["owner_id"]) == (before["id"], before["owner_id"])
    assert row(opened.ticket_id).flow_version_id == to
    nothing_is_torn()


def test_the_dry_run_writes_nothing_and_names_fields_and_timers(company: Company) -> None:
    company.open(template=GENERAL)

    def change(graph: dict[str, Any]) -> None:
        node(graph, "accept")["fields"] = [{"key": "actions", "required": True}]
        with_timeout(graph)

    to = publish(company, change)
    before = event_count()

    (planned,) = plan(company, to).rows

    assert (planned.appear, planned.vanish, planned.required) == (
        ("actions",),
        ("appointment",),
        ("actions",),
    )
    assert (planned.steps[0].how, planned.steps[0].timer) == ("seated", "armed")
    assert event_count() == before


def test_a_timeout_that_is_new_is_counted_from_when_the_step_began(company: Company) -> None:
    opened = company.open(template=GENERAL)
    owner = open_steps(opened.ticket_id)["accept"]["owner_id"]
    to = publish(company, with_timeout)

    migrate(company, to, {opened.ticket_id: opened.version})

    step = open_steps(opened.ticket_id)["accept"]
    assert armed(opened.ticket_id) == [company.at + timedelta(hours=2)]
    assert (step["owner_id"], step["entered_at"]) == (owner, company.at)
    nothing_is_torn()


def test_a_timer_that_is_kept_stays_and_one_that_changes_is_armed_anew(company: Company) -> None:
    publish(company, with_timeout)
    same, other = company.open(template=GENERAL), company.open(template=GENERAL)
    kept = publish(company, lambda graph: node(graph, "onsite").update(weight=9))
    migrate(company, kept, {same.ticket_id: same.version})

    def shorter(graph: dict[str, Any]) -> None:
        graph["edges"] = [edge for edge in graph["edges"] if edge["key"] != "accept-late"]
        with_timeout(graph, hours=3)

    changed = publish(company, shorter)
    migrate(company, changed, {other.ticket_id: other.version})

    assert armed(same.ticket_id) == [company.at + timedelta(hours=2)]
    assert armed(other.ticket_id) == [company.at + timedelta(hours=3)]
    nothing_is_torn()


def test_a_step_that_is_gone_needs_to_be_told_where_to_go(company: Company) -> None:
    opened = company.open(template=GENERAL)
    to = publish(company, lambda graph: rename(graph, "accept", "take_on"))

    (stuck,) = plan(company, to).rows
    refused = migrate(company, to, {opened.ticket_id: opened.version})
    (planned,) = plan(company, to, mapping={"accept": "take_on"}).rows
    migrated = migrate(
        company, to, {opened.ticket_id: opened.version}, mapping={"accept": "take_on"}, command="again"
    )

    assert (stuck.reason, stuck.params) == ("migration.no_node", {"node": "accept"})
    assert [each.code for each in refused.stayed] == ["migration.no_node"]
    assert (planned.reason, planned.steps[0].how) == (None, "moved")
    assert len(migrated.moved) == 1
    assert set(open_steps(opened.ticket_id)) == {"take_on"}
    nothing_is_torn()


def test_all_or_nothing_is_meant_for_each_ticket(company: Company) -> None:
    stands, gone = company.open(template=GENERAL), company.open(template=GENERAL)
    company.act(stands.ticket_id, stands.version, by="tech_near", token_id=None)
    moved_on = row(stands.ticket_id)
    before = row(gone.ticket_id)
    to = publish(company, lambda graph: rename(graph, "accept", "take_on"))

    migrated = migrate(company, to, {stands.ticket_id: moved_on.version, gone.ticket_id: gone.version})

    assert [each.ticket_id for each in migrated.moved] == [stands.ticket_id]
    assert [each.ticket_id for each in migrated.stayed] == [gone.ticket_id]
    assert row(gone.ticket_id) == before
    nothing_is_torn()


def test_a_migration_is_taken_back_as_long_as_nobody_acted(company: Company) -> None:
    opened = company.open(template=GENERAL)
    before, step = row(opened.ticket_id), open_steps(opened.ticket_id)["accept"]

    def change(graph: dict[str, Any]) -> None:
        rename(graph, "accept", "take_on")
        with_timeout(graph, step="take_on")

    to = publish(company, change)
    (moved,) = migrate(company, to, {opened.ticket_id: opened.version}, mapping={"accept": "take_on"}).moved
    said = comment(
        actor=company.actor("dispatcher"),
        at=company.at + timedelta(hours=1),
        command_id="c",
        ticket_id=opened.ticket_id,
        text="好的",
    )

    with reading() as connection:
        asked = [opened.ticket_id, 987_654]
        can = can_revert(connection, viewer=company.actor("manager"), ticket_ids=asked)
    back = revert(company, opened.ticket_id, row(opened.ticket_id).version)

    after = open_steps(opened.ticket_id)["accept"]
    assert can == {opened.ticket_id}
    assert (moved.version, back.version) == (2, row(opened.ticket_id).version)
    assert row(opened.ticket_id).flow_version_id == before.flow_version_id
    assert (row(opened.ticket_id).stage, row(opened.ticket_id).assignee_id) == (
        before.stage,
        before.assignee_id,
    )
    assert (after["owner_id"], after["entered_at"]) == (step["owner_id"], step["entered_at"])
    assert armed(opened.ticket_id) == []
    assert said is not None
    nothing_is_torn()
    with pytest.raises(NotReversible):
        revert(company, opened.ticket_id, row(opened.ticket_id).version)


def test_who_was_carried_over_is_known_until_somebody_acts_upon_it(company: Company) -> None:
    first, second, third = (company.open(template=GENERAL) for _ in range(3))
    to = publish(company, lambda graph: node(graph, "onsite").update(weight=9))

    def known(viewer: str = "manager") -> list[tuple[int, int]]:
        with reading() as connection:
            found = carried_over(connection, viewer=company.actor(viewer), flow_version_id=to)
        return [(each.ticket_id, each.version) for each in found]

    assert known() == []
    migrate(company, to, {each.ticket_id: each.version for each in (first, second)})
    assert known() == [(second.ticket_id, second.version + 1), (first.ticket_id, first.version + 1)]

    company.act(second.ticket_id, second.version + 1, by="tech_near")

    assert known() == [(first.ticket_id, first.version + 1)]
    assert row(third.ticket_id).flow_version_id != to
    with pytest.raises(Forbidden):
        known("dispatcher")


def test_once_somebody_acted_there_is_no_way_back(company: Company) -> None:
    opened = company.open(template=GENERAL)
    to = publish(company, lambda graph: node(graph, "onsite").update(weight=9))
    migrate(company, to, {opened.ticket_id: opened.version})
    acted = company.act(opened.ticket_id, 2, by="tech_near")
    before = event_count()

    with pytest.raises(NotReversible):
        revert(company, opened.ticket_id, acted.version)

    assert event_count() == before


def test_asking_twice_moves_once(company: Company) -> None:
    opened = company.open(template=GENERAL)
    to = publish(company, lambda graph: node(graph, "onsite").update(weight=9))
    first = migrate(company, to, {opened.ticket_id: opened.version})
    before = event_count()

    again = migrate(company, to, {opened.ticket_id: opened.version})

    assert [each.version for each in again.moved] == [each.version for each in first.moved] == [2]
    assert event_count() == before


@pytest.mark.parametrize("login", ["dispatcher", "agent", "tech_near", "auditor"])
def test_only_who_manages_flows_migrates(company: Company, login: str) -> None:
    opened = company.open(template=GENERAL)
    to = publish(company, lambda graph: node(graph, "onsite").update(weight=9))
    before = event_count()

    with pytest.raises(Forbidden):
        migrate(company, to, {opened.ticket_id: opened.version}, actor=company.actor(login))
    with pytest.raises(Forbidden), reading() as connection:
        plan_migration(connection, viewer=company.actor(login), flow_code=GENERAL, to_version_id=to)

    assert event_count() == before


def test_of_a_migration_and_a_step_at_one_moment_one_wins(company: Company) -> None:
    opened = [company.open(template=GENERAL) for _ in range(6)]
    to = publish(company, lambda graph: rename(graph, "accept", "take_on"))
    with reading() as connection:
        assignees = {each["id"]: each["assignee_id"] for each in map(_as_dict, _rows(connection))}
    by = {number: login for login, number in company.technicians.items()}
    manager, actors = company.actor("manager"), {login: company.actor(login) for login in by.values()}
    outcomes: list[str] = []
    for each in opened:
        gate = threading.Barrier(2)
        login = by[assignees[each.ticket_id]]

        def do_step(each: Any = each, login: str = login, gate: threading.Barrier = gate) -> None:
            gate.wait()
            try:
                moving.act(
                    actor=actors[login],
                    at=company.at + timedelta(minutes=5),
                    command_id=f"act:{each.ticket_id}",
                    ticket_id=each.ticket_id,
                    expected_version=each.version,
                )
                outcomes.append("act")
            except StaleTicket:
                outcomes.append("late")

        def carry(each: Any = each, gate: threading.Barrier = gate) -> None:
            gate.wait()
            done = migrate(
                company,
                to,
                {each.ticket_id: each.version},
                actor=manager,
                mapping={"accept": "take_on"},
            )
            outcomes.append("migrated" if done.moved else done.stayed[0].code)

        threads = [threading.Thread(target=do_step), threading.Thread(target=carry)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    pairs = [set(outcomes[start : start + 2]) for start in range(0, len(outcomes), 2)]
    assert all(pair in ({"act", "ticket.stale"}, {"late", "migrated"}) for pair in pairs)
    nothing_is_torn()


def _rows(connection: sa.Connection) -> Any:
    return connection.execute(sa.select(table(Ticket)))


def _as_dict(found: Any) -> dict[str, Any]:
    return dict(found._mapping)


def test_parallel_work_is_carried_branch_by_branch_or_stays(company: Company) -> None:
    opened = company.open(template="install", values={"category": "hvac", "quantity": 1})
    assert set(open_steps(opened.ticket_id)) == {"site_ready", "goods_ready"}

    def third(graph: dict[str, Any]) -> None:
        graph["nodes"].append({**node(graph, "goods_ready"), "key": "permit_ready"})
        for source, target in (("prepare", "permit_ready"), ("permit_ready", "prepared")):
            graph["edges"].append(
                {
                    "key": f"{source}-{target}",
                    "kind": "forward",
                    "source": source,
                    "target": target,
                    "name": {},
                }
            )

    more = publish(company, third, code="install")
    manager = company.actor("manager")
    with reading() as connection:
        (stays,) = plan_migration(connection, viewer=manager, flow_code="install", to_version_id=more).rows

    def renamed(graph: dict[str, Any]) -> None:
        graph["nodes"] = [each for each in graph["nodes"] if each["key"] != "permit_ready"]
        graph["edges"] = [each for each in graph["edges"] if "permit_ready" not in each["key"]]
        rename(graph, "goods_ready", "goods_here")
        next(each for each in graph["edges"] if each["key"] == "prepare-goods_ready")["key"] = "to-goods"

    other = publish(company, renamed, code="install")
    done = apply_migration(
        actor=manager,
        at=company.at,
        command_id="p",
        flow_code="install",
        to_version_id=other,
        tickets={opened.ticket_id: opened.version},
        mapping={"goods_ready": "goods_here"},
    )

    assert (stays.reason, stays.params) == ("migration.branch_missing", {"node": "prepare"})
    assert done.stayed == ()
    marking = Marking.of_json(row(opened.ticket_id).marking)
    assert {token.node_key: token.forks[0].branch for token in marking.tokens} == {
        "site_ready": "prepare-site_ready",
        "goods_here": "to-goods",
    }
    nothing_is_torn()
