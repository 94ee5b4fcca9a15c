"""Replays as they are started, carried out by processes of their own, called off and looked at again."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.desk.test_migrating import GENERAL, publish, with_timeout
from ticket_console.desk.replay import runs
from ticket_console.desk.replay.crew import Crew
from ticket_console.desk.replay.reading import Period
from ticket_console.desk.replay.runs import ReplayNotFound, ReplayRunning, ReplayView
from ticket_console.desk.tables import ReplayDifference, ReplayRun, ReplayState
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import graph_json, parse_graph
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets.tables import Event, Ticket

PATIENCE_SECONDS = 30
LATER = timedelta(days=2)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def drawn(company: Company) -> Graph:
    with reading() as connection:
        version = flow_reads.current_version(connection, company.org_id, GENERAL)
        return flow_reads.drawn(connection, version.id)


def with_hours(company: Company, hours: int) -> Graph:
    """The flow in use with another patience at its acceptance."""
    graph = graph_json(drawn(company))
    for edge in graph["edges"]:
        if edge["key"] == "accept-late":
            edge["after_seconds"] = hours * 3_600
    return parse_graph(graph)


def start(company: Company, draft: Graph, *, command: str = "r-1", login: str = "manager") -> int:
    return runs.start(
        actor=company.actor(login),
        at=company.at + LATER,
        command_id=command,
        flow_code=GENERAL,
        draft=draft,
        label="draft",
        period=Period(company.at - timedelta(days=1), company.at + timedelta(days=1)),
    )


def carry_out(company: Company, run_id: int) -> ReplayState:
    return runs.carry_out(actor=company.actor("manager"), run_id=run_id, clock=SystemClock())


def view(company: Company, run_id: int) -> ReplayView:
    with reading() as connection:
        return runs.view(connection, viewer=company.actor("manager"), run_id=run_id, at=SystemClock().now())


def everything_but_replays() -> dict[str, Any]:
    with reading() as connection:
        return {
            model.__tablename__: connection.execute(sa.select(table(model))).all()
            for model in (Ticket, Event)
        }


def accepted_after(company: Company, minutes: int) -> int:
    opened = company.open(template=GENERAL)
    company.act(opened.ticket_id, opened.version, by="tech_near", at=company.at + timedelta(minutes=minutes))
    return opened.ticket_id


def test_a_threshold_of_one_hour_instead_of_two_gives_the_tickets_and_totals_counted_by_hand(
    company: Company,
) -> None:  # moonshot 1
    publish(company, lambda graph: with_timeout(graph, hours=2))
    minutes = (5, 10, 30, 50, 59, 61, 75, 90, 119)
    tickets = {accepted_after(company, each): each for each in minutes}
    before = everything_but_replays()

    run_id = start(company, with_hours(company, 1))
    state = carry_out(company, run_id)

    found = view(company, run_id)
    assert found.report is not None
    late = sorted(ticket_id for ticket_id, each in tickets.items() if each > 60)
    with reading() as connection:
        listed = runs.differences(connection, viewer=company.actor("manager"), run_id=run_id)
        one = runs.courses(connection, viewer=company.actor("manager"), run_id=run_id, ticket_id=late[0])
    assert (state, found.done, found.total) == (ReplayState.FINISHED, 9, 9)
    # Those that were accepted within the hour go as they went; the four others go back to dispatch, once:
    # the time that accepting usually takes, 59 minutes, is then enough.
    assert sorted(row.ticket_id for row in listed.rows) == late
    assert (found.report["tickets"], found.report["differing"]) == (9, 4)
    assert (found.report["kinds"]["path"], found.report["kinds"]["stuck"]) == (4, 0)
    assert found.report["edges"]["base"].get("accept-late", 0) == 0
    assert found.report["edges"]["draft"]["accept-late"] == 4
    assert "accept-late" not in one.base.edges()
    assert "accept-late" in one.draft.edges()
    assert everything_but_replays() == before


def test_an_unchanged_draft_differs_in_nothing(company: Company) -> None:
    publish(company, lambda graph: with_timeout(graph, hours=2))
    for minutes in (5, 61, 119):
        accepted_after(company, minutes)

    run_id = start(company, with_hours(company, 2))
    carry_out(company, run_id)

    report = view(company, run_id).report
    assert report is not None
    assert (report["tickets"], report["differing"], set(report["kinds"].values())) == (3, 0, {0})
    assert report["edges"]["base"] == report["edges"]["draft"]


def test_of_replays_started_at_the_same_moment_one_runs(company: Company) -> None:
    draft, together = with_hours(company, 1), threading.Barrier(4)
    outcomes: list[int | str] = []

    def begin(number: int) -> None:
        together.wait(PATIENCE_SECONDS)
        try:
            outcomes.append(start(company, draft, command=f"r-{number}"))
        except ReplayRunning as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    with reading() as connection:
        states = connection.execute(sa.select(table(ReplayRun).c.state)).scalars().all()
    assert sorted(map(str, outcomes))[1:] == ["replay.running"] * 3
    assert states == [ReplayState.RUNNING]


def test_the_database_itself_keeps_a_second_replay_from_running(company: Company) -> None:
    run_id = start(company, with_hours(company, 1))
    with reading() as connection:
        row = dict(connection.execute(sa.select(table(ReplayRun))).one()._mapping)

    with pytest.raises(sa.exc.IntegrityError), transaction() as connection:
        connection.execute(
            sa.insert(table(ReplayRun)).values(**row | {"id": run_id + 1, "command_id": "r-2"})
        )


def test_a_run_called_off_at_work_leaves_only_its_row_and_no_process(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minutes in range(1, 9):
        accepted_after(company, minutes)
    # Many small windows, so that there is always work left when it is called off.
    monkeypatch.setattr(runs, "WINDOW", 1)
    monkeypatch.setattr(runs, "_BEAT", timedelta(0))
    working = slowed(monkeypatch)
    run_id = start(company, with_hours(company, 1))
    ended: list[ReplayState] = []
    thread = threading.Thread(target=lambda: ended.append(carry_out(company, run_id)))
    thread.start()
    until(lambda: view(company, run_id).done >= 1)
    parts = [process.pid for process in working]

    called_off = time.monotonic()
    runs.cancel(actor=company.actor("manager"), at=company.at + LATER, run_id=run_id)
    thread.join(PATIENCE_SECONDS)
    took = time.monotonic() - called_off

    assert (ended, len(parts)) == ([ReplayState.CANCELLED], 2)
    assert took < 3
    assert [pid for pid in parts if Path(f"/proc/{pid}").exists()] == []
    found = view(company, run_id)
    assert (found.state, found.report, found.total) == (ReplayState.CANCELLED, None, 8)
    assert found.done < 8
    with reading() as connection:
        left = sa.select(sa.func.count()).select_from(table(ReplayDifference))
        assert connection.execute(left).scalar_one() == 0
    # Nobody has to wait for one that was called off.
    assert start(company, with_hours(company, 1), command="r-2") != run_id


def slowed(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every window takes a while; the processes of the crew, once there is one."""
    working: list[subprocess.Popen[bytes]] = []
    ask, enter = Crew._ask, Crew.__enter__

    def slow(self: Crew, *asked: Any) -> Any:
        answer = ask(self, *asked)
        time.sleep(0.5)
        return answer

    def entered(self: Crew) -> Crew:
        working.extend(self._parts)
        return enter(self)

    monkeypatch.setattr(Crew, "_ask", slow)
    monkeypatch.setattr(Crew, "__enter__", entered)
    monkeypatch.setattr(runs, "PROCESSES", 2)
    return working


def until(comes: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not comes():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_replay_at_a_time_and_the_same_command_is_the_same_run(company: Company) -> None:
    draft = drawn(company)

    run_id = start(company, draft)

    assert start(company, draft) == run_id
    with pytest.raises(ReplayRunning):
        start(company, draft, command="r-2")
    with reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(table(ReplayRun))).scalar_one()
    assert count == 1


def test_only_who_manages_flows_replays_or_looks(company: Company) -> None:
    draft = drawn(company)
    for login in ("dispatcher", "agent", "tech_near", "finance"):
        with pytest.raises(Forbidden):
            start(company, draft, login=login)
    run_id = start(company, draft)

    with pytest.raises(Forbidden):
        runs.cancel(actor=company.actor("agent"), at=company.at, run_id=run_id)
    with reading() as connection, pytest.raises(ReplayNotFound):
        runs.view(connection, viewer=company.actor("manager"), run_id=run_id + 1, at=company.at)
    assert view(company, run_id).state in (ReplayState.RUNNING, ReplayState.LOST)


def test_a_run_whose_process_dies_says_that_it_failed(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted_after(company, 5)
    run_id = start(company, drawn(company))
    enter = Crew.__enter__

    def doomed(self: Crew) -> Crew:
        for process in self._parts:
            os.kill(process.pid, 9)
            process.wait()
        return enter(self)

    monkeypatch.setattr(Crew, "__enter__", doomed)

    assert carry_out(company, run_id) is ReplayState.FAILED
    assert (view(company, run_id).state, view(company, run_id).report) == (ReplayState.FAILED, None)
