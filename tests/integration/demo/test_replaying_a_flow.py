"""Replay over a company's history: nothing differs where nothing was changed, nothing live is touched."""

import hashlib
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from tests.integration.demo.conftest import AT, cast_of
from ticket_console.demo.seed import Seeded
from ticket_console.desk.replay import runs
from ticket_console.desk.replay.comparing import Kind
from ticket_console.desk.replay.crew import Crew
from ticket_console.desk.replay.dwelling import Dwells
from ticket_console.desk.replay.reading import Period, stories, ticket_ids
from ticket_console.desk.replay.window import Bench
from ticket_console.desk.tables import ReplayDifference, ReplayRun, ReplayState
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph_json import InvalidGraph, graph_json
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.clock import FixedClock, SystemClock
from ticket_console.kernel.database import engine, reading, table
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.tables import Rating

OF_REPLAYS = {"replay_run", "replay_difference", "id_block"}
PERIOD = Period(AT - timedelta(days=60), AT)


def manager(company: Seeded) -> Actor:
    return cast_of(company).office[Role.MANAGER]


def drawn(company: Seeded, code: str) -> dict[str, Any]:
    with reading() as connection:
        current = flow_reads.current_version(connection, company.org_id, code)
        return graph_json(flow_reads.drawn(connection, current.id))


def start(company: Seeded, draft: dict[str, Any], code: str = "repair", **wish: Any) -> int:
    return runs.start(
        actor=wish.pop("actor", manager(company)),
        at=AT,
        command_id=wish.pop("command_id", f"run:{code}:{len(draft['nodes'])}"),
        flow_code=code,
        draft=draft,
        label="draft",
        period=PERIOD,
    )


def replay(company: Seeded, draft: dict[str, Any], code: str = "repair") -> runs.ReplayView:
    run_id = start(company, draft, code)
    state = runs.carry_out(actor=manager(company), run_id=run_id, clock=FixedClock(AT), processes=1)
    assert state is ReplayState.FINISHED
    with reading() as connection:
        return runs.view(connection, viewer=manager(company), run_id=run_id, at=AT)


def fingerprints() -> dict[str, str]:
    """A hash of every row of every table that is not about replays."""
    names = sorted(SQLModel.metadata.tables.keys() - OF_REPLAYS)
    with engine().connect() as connection:
        return {
            name: hashlib.sha256(
                repr(sorted(map(repr, connection.execute(sa.text(f"SELECT * FROM {name}"))))).encode()
            ).hexdigest()
            for name in names
        }


def with_review(graph: dict[str, Any]) -> dict[str, Any]:
    """Every repair done on site is looked at by a dispatcher before the customer is asked."""
    review = {
        "key": "review",
        "kind": "approval",
        "name": {"zh": "复核", "en": "Review"},
        "stage": "onsite",
        "handler": {"mode": "queue", "role": "dispatcher"},
        "weight": 1,
    }
    edges = [
        {**edge, "target": "review"} if (edge["source"], edge["kind"]) == ("onsite", "forward") else edge
        for edge in graph["edges"]
    ]
    edges.append({"key": "review-on", "kind": "forward", "source": "review", "target": "acceptance"})
    return {**graph, "nodes": [*graph["nodes"], review], "edges": edges}


@pytest.mark.parametrize("code", ["repair", "install", "complaint", "inspection", "general", "consult"])
def test_on_a_flow_that_was_not_changed_nothing_differs_and_nothing_is_written(
    seeded: Seeded, code: str
) -> None:
    before = fingerprints()

    report = replay(seeded, drawn(seeded, code), code).report

    assert report is not None
    assert report["tickets"] > 0
    assert (report["differing"], report["set_aside"], report["estimated_steps"]) == (0, {}, 0)
    assert all(each["base"] == each["draft"] for each in report["load"] + report["stages"])
    assert report["edges"]["base"] == report["edges"]["draft"]
    assert fingerprints() == before


def test_what_a_course_costs_is_what_the_books_say(seeded: Seeded) -> None:
    viewer, ratings = manager(seeded), table(Rating)
    with reading() as connection:
        versions = [each.id for each in flow_reads.versions_of(connection, seeded.org_id, "repair")]
        ids = ticket_ids(connection, viewer=viewer, version_ids=versions, period=PERIOD)
        bench = Bench.set_up(
            connection,
            org_id=seeded.org_id,
            draft=flow_reads.compiled(connection, versions[0]),
            dwells=Dwells(),
            as_of=AT,
        )
        booked = dict(
            connection.execute(
                sa.select(ratings.c.ticket_id, sa.func.sum(ratings.c.total_minor))
                .where(
                    ratings.c.is_live,
                    ratings.c.purpose == Purpose.WORKER_PAY,
                    ratings.c.ticket_id.in_(list(ids)),
                )
                .group_by(ratings.c.ticket_id)
            ).all()
        )
        prices = bench.prices.window(ids, as_of=AT)
        found = {
            story.script.ticket_id: prices.of(story.ticket, bench.play_both(story)[0].course)
            for story in stories(connection, org_id=seeded.org_id, ticket_ids=ids, as_of=AT)
        }

    assert len(booked) > 5
    assert {ticket_id: cost for ticket_id, cost in found.items() if cost} == booked


def test_an_approval_more_concerns_exactly_the_tickets_that_were_done_on_site(seeded: Seeded) -> None:
    with reading() as connection:
        versions = [each.id for each in flow_reads.versions_of(connection, seeded.org_id, "repair")]
        ids = ticket_ids(connection, viewer=manager(seeded), version_ids=versions, period=PERIOD)
        passed = {
            story.script.ticket_id
            for story in stories(connection, org_id=seeded.org_id, ticket_ids=ids, as_of=AT)
            if any(
                visit.node_key == "onsite" and visit.ending == "completed" for visit in story.script.visits
            )
        }

    found = replay(seeded, with_review(drawn(seeded, "repair")))

    with reading() as connection:
        rows = [
            row
            for page in range(1, -(-len(passed) // runs.PAGE) + 1)
            for row in runs.differences(
                connection, viewer=manager(seeded), run_id=found.id, kind=Kind.PATH, page=page
            ).rows
        ]
        one = runs.courses(connection, viewer=manager(seeded), run_id=found.id, ticket_id=rows[0].ticket_id)
    assert found.report is not None
    assert sorted(row.ticket_id for row in rows) == sorted(passed)
    assert found.report["kinds"]["path"] == len(passed)
    assert found.report["longer"]["seconds"] == sum(row.seconds for row in rows if row.seconds > 0)
    assert "review-on" in one.draft.edges()
    assert "review-on" not in one.base.edges()


def test_a_run_that_is_called_off_leaves_nothing_but_its_row(seeded: Seeded) -> None:
    run_id = start(seeded, with_review(drawn(seeded, "repair")), command_id="called off")
    runs.cancel(actor=manager(seeded), at=AT, run_id=run_id)

    state = runs.carry_out(actor=manager(seeded), run_id=run_id, clock=SystemClock(), processes=1)

    rows, kept = table(ReplayDifference), table(ReplayRun)
    with reading() as connection:
        left = connection.execute(sa.select(sa.func.count()).where(rows.c.run_id == run_id)).scalar_one()
        run = connection.execute(sa.select(kept).where(kept.c.id == run_id)).one()
    assert state is ReplayState.CANCELLED
    assert (run.state, run.report, left) == (ReplayState.CANCELLED, None, 0)


def test_a_crew_ends_with_its_context(seeded: Seeded) -> None:
    crew = Crew(b"{}\n", processes=2)
    with crew:
        pass

    assert [process.returncode is not None for process in crew._parts] == [True, True]
    assert threading.active_count() < 50


def test_a_second_run_waits_and_the_same_command_is_the_same_run(seeded: Seeded) -> None:
    draft = drawn(seeded, "general")
    first = start(seeded, draft, "general", command_id="one")

    assert start(seeded, draft, "general", command_id="one") == first
    with pytest.raises(runs.ReplayRunning):
        start(seeded, draft, "general", command_id="two")

    runs.cancel(actor=manager(seeded), at=AT, run_id=first)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AGENT, Role.FINANCE])
def test_only_who_manages_flows_may_ask(seeded: Seeded, role: Role) -> None:
    other = cast_of(seeded).office[role]

    with pytest.raises(Forbidden):
        start(seeded, drawn(seeded, "general"), "general", actor=other)
    with pytest.raises(Forbidden), reading() as connection:
        runs.latest(connection, viewer=other, flow_code="general", at=AT)


def test_a_flow_that_could_not_be_published_is_refused(seeded: Seeded) -> None:
    graph = drawn(seeded, "general")
    graph["edges"] = [edge for edge in graph["edges"] if edge["key"] != "settle-done"]

    with pytest.raises(InvalidGraph):
        start(seeded, graph, "general", command_id="not whole")
