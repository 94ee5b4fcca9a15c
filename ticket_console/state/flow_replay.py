"""The test tab of a flow: its draft played with the tickets of a period, and its tests."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import reflex as rx

from ticket_console.access import places
from ticket_console.desk import golden
from ticket_console.desk.replay import runs
from ticket_console.desk.replay.comparing import Kind
from ticket_console.desk.replay.playing import Course
from ticket_console.desk.replay.reading import Period, days, last_month
from ticket_console.desk.replay.runs import BadPeriod, ReplayView
from ticket_console.desk.tables import ReplayState
from ticket_console.flows import drafts
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import graph_json
from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_LOOK_SECONDS: Final = 0.7
_MOST_ROWS: Final = 12
# It is drawn in the next frame, above the list that was pressed.
_LOOK_AT_PAIR: Final = """setTimeout(() => {
  const pair = document.querySelector(".fp-pair");
  pair?.closest(".fl-tab").scrollTo({top: pair.offsetTop - 80});
}, 100)"""


class FlowReplayState(SessionState):
    ready: bool = False
    since: str = ""
    until: str = ""
    zone: str = ""
    currency: str = ""
    run: Plain = {}
    load_rows: list[Plain] = []
    stage_rows: list[Plain] = []
    rows: list[Plain] = []
    kind: str = ""
    page: int = 1
    pages: int = 1
    count: int = 0
    pair: Plain = {}
    tests: list[Plain] = []
    tested: bool = False

    @handler(permission="flow.manage")
    async def open_tab(self) -> Reply:
        """Show the last replay of this flow, going on with one that is at work."""
        self.pair, self.kind, self.page, self.tested = {}, "", 1, False
        found = await off_loop(_opened, actor=self._actor(), at=self._now(), code=self._code())
        self._take(found)
        self.ready = True
        return FlowReplayState.watch if self.run.get("state") == ReplayState.RUNNING else None

    @handler(permission="flow.manage")
    async def start(self, form: Plain) -> Reply:
        """Play my draft with the tickets opened from one day to another."""
        actor = self._actor()
        run_id = await in_writer(
            _started,
            actor=actor,
            at=self._now(),
            code=self._code(),
            since=str(form.get("since", "")),
            until=str(form.get("until", "")),
        )
        asyncio.get_running_loop().run_in_executor(None, _carried_out, actor, run_id)
        self.pair, self.rows, self.kind, self.page = {}, [], "", 1
        self.run = await off_loop(_seen, actor=actor, run_id=run_id, at=self._now())
        return FlowReplayState.watch

    @handler(permission="flow.manage", background=True)
    async def watch(self) -> Reply:
        """Tell how far the run is until it has ended or somebody looks at another."""
        run_id = int(self.run.get("id", 0))
        while run_id:
            await asyncio.sleep(_LOOK_SECONDS)
            actor = self._actor()
            seen = await off_loop(_seen, actor=actor, run_id=run_id, at=self._now())
            async with self:
                if self.run.get("id") != run_id:
                    return None
                self.run = seen
            if seen["state"] != ReplayState.RUNNING:
                found = await off_loop(_opened, actor=actor, at=self._now(), code=self._code())
                async with self:
                    self._take(found)
                return None
        return None

    @handler(permission="flow.manage")
    async def call_off(self) -> Reply:
        run_id = int(self.run.get("id", 0))
        await in_writer(runs.cancel, actor=self._actor(), at=self._now(), run_id=run_id)
        self.run = await off_loop(_seen, actor=self._actor(), run_id=run_id, at=self._now())
        return done("flow_proof.called_off")

    @handler(permission="flow.manage")
    async def choose(self, kind: str) -> Reply:
        """Narrow the list of tickets to one way of differing; the same again shows all."""
        self.kind, self.page = "" if kind == self.kind else kind[:16], 1
        await self._list()
        return None

    @handler(permission="flow.manage")
    async def turn(self, by: int) -> Reply:
        self.page = min(max(self.page + by, 1), self.pages)
        await self._list()
        return None

    @handler(permission="flow.manage")
    async def show(self, ticket_id: int) -> Reply:
        """Both ways of one ticket, side by side."""
        self.pair = await off_loop(
            _pair, actor=self._actor(), run_id=int(self.run.get("id", 0)), ticket_id=ticket_id
        )
        return rx.call_script(_LOOK_AT_PAIR)

    @handler(permission="flow.manage")
    async def close(self) -> Reply:
        self.pair = {}
        return None

    @handler(permission="flow.manage")
    async def run_tests(self) -> Reply:
        self.tests = await off_loop(_tested, actor=self._actor(), code=self._code(), at=self._now())
        self.tested = True
        return None

    @handler(permission="flow.manage")
    async def remove_test(self, test_id: int) -> Reply:
        await in_writer(golden.remove_test, actor=self._actor(), at=self._now(), test_id=test_id)
        self.tests = [each for each in self.tests if each["id"] != test_id]
        return done("flow_proof.test_removed")

    async def _list(self) -> None:
        listed = await off_loop(
            _listed,
            actor=self._actor(),
            run_id=int(self.run.get("id", 0)),
            kind=self.kind,
            page=self.page,
        )
        for part, value in listed.items():
            setattr(self, part, value)

    def _take(self, found: Plain) -> None:
        for part, value in found.items():
            setattr(self, part, value)

    def _code(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1][:64]


def _carried_out(actor: Actor, run_id: int) -> None:
    runs.carry_out(actor=actor, run_id=run_id, clock=SystemClock())


def _opened(*, actor: Actor, at: datetime, code: str) -> Plain:
    with reading() as connection:
        org = places.org(connection, actor.org_id)
        zone = ZoneInfo(org.tz)
        period = last_month(at, zone)
        run = runs.latest(connection, viewer=actor, flow_code=code, at=at)
    found: Plain = {
        "zone": org.tz,
        "currency": org.currency,
        "since": period.starts.date().isoformat(),
        "until": _last_day(period, zone),
        "run": {},
        "rows": [],
        "load_rows": [],
        "stage_rows": [],
        "tests": [
            {"id": each.id, "name": each.name, "no": each.ticket_no, "by": each.saved_by_name, "state": ""}
            for each in golden.suite(actor=actor, code=code)
        ],
    }
    if run is None:
        return found
    shown = _run(run)
    report = run.report or {}
    with reading() as connection:
        stages = {
            stage.key: stage.name
            for graph in flow_reads.current_graphs(connection, actor.org_id)
            for stage in graph.stages
        }
    found.update(
        run=shown,
        since=run.period.starts.astimezone(zone).date().isoformat(),
        until=_last_day(run.period, zone),
        load_rows=_busiest(report.get("load", [])),
        stage_rows=[
            {**each, "name": stages.get(each["stage"], dict.fromkeys(LOCALES, each["stage"]))}
            for each in report.get("stages", [])
        ],
    )
    if run.state is ReplayState.FINISHED:
        found.update(_listed(actor=actor, run_id=run.id, kind="", page=1))
    return found


def _last_day(period: Period, zone: ZoneInfo) -> str:
    return (period.ends.astimezone(zone) - timedelta(microseconds=1)).date().isoformat()


def _bar(each: Mapping[str, Any]) -> Plain:
    who = str(each["who"])
    role = who.removeprefix("role:")
    names = {
        locale: str(each["name"]) if role == who else translate(f"flow_proof.who.{role}", locale)
        for locale in LOCALES
    }
    return {"name": names, "base": each["base"], "draft": each["draft"], "hrefs": {}}


def _busiest(load: Iterable[Mapping[str, Any]]) -> list[Plain]:
    """Whose load changes most, then who does most."""
    ranked = sorted(load, key=lambda each: (-abs(each["draft"] - each["base"]), -each["base"], each["who"]))
    return [_bar(each) for each in ranked[:_MOST_ROWS]]


def _run(run: ReplayView) -> Plain:
    return {
        "id": run.id,
        "label": run.label,
        "state": run.state.value,
        "done": run.done,
        "total": run.total,
        "bp": 10_000 * run.done // run.total if run.total else 0,
        "by": run.started_by_name,
        "at": instant_text(run.started_at),
        "failure": run.failure or "",
        "report": dict(run.report or {}),
        "has_money": "cost_minor" in (run.report or {}),
    }


def _seen(*, actor: Actor, run_id: int, at: datetime) -> Plain:
    with reading() as connection:
        return _run(runs.view(connection, viewer=actor, run_id=run_id, at=at))


def _started(*, actor: Actor, at: datetime, code: str, since: str, until: str) -> int:
    draft = drafts.open_draft(actor=actor, at=at, code=code)
    with reading() as connection:
        zone = ZoneInfo(places.org(connection, actor.org_id).tz)
    return runs.start(
        actor=actor,
        at=at,
        command_id=str(uuid4()),
        flow_code=code,
        draft=drafts.graph_of(draft.document),
        label=f"{draft.author_name} #{draft.seq}",
        period=days(_day(since), _day(until), zone),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadPeriod((FieldProblem("period", BadPeriod.code),)) from None


def _listed(*, actor: Actor, run_id: int, kind: str, page: int) -> Plain:
    wanted = Kind(kind) if kind in set(Kind) else None
    with reading() as connection:
        found = runs.differences(connection, viewer=actor, run_id=run_id, kind=wanted, page=page)
    return {
        "rows": [
            {
                "id": row.ticket_id,
                "no": row.no,
                "title": row.title,
                "kinds": [each.value for each in row.kinds],
                "seconds": row.seconds,
                "cost": row.cost_minor,
            }
            for row in found.rows
        ],
        "page": found.page,
        "pages": found.pages,
        "count": found.count,
    }


def _pair(*, actor: Actor, run_id: int, ticket_id: int) -> Plain:
    with reading() as connection:
        both = runs.courses(connection, viewer=actor, run_id=run_id, ticket_id=ticket_id)
    base_edges, draft_edges = set(both.base.edges()), set(both.draft.edges())
    return {
        "no": both.no,
        "base": _side(both.base_graph, both.base, base_edges - draft_edges),
        "draft": _side(both.draft_graph, both.draft, draft_edges - base_edges),
    }


def _side(graph: Graph, course: Course, alone: set[str]) -> Plain:
    """A graph with the way through it: what both have in common, and what only this one has."""
    walked = [key for key in dict.fromkeys(course.edges()) if key in graph.edge_by_key]
    names = {node.key: node.name for node in graph.nodes}
    return {
        "document": graph_json(graph),
        "paths": [
            {"keys": [key for key in walked if key not in alone], "tone": "ok", "label": {}},
            {"keys": [key for key in walked if key in alone], "tone": "warn", "label": {}},
        ],
        "legs": [
            {
                "at": instant_text(leg.at),
                "name": names.get(leg.node_key or graph.start or "", {}),
                "how": f"flow_proof.how.{leg.how}",
            }
            for leg in course.legs
        ],
    }


def _tested(*, actor: Actor, code: str, at: datetime) -> list[Plain]:
    draft = drafts.open_draft(actor=actor, at=at, code=code)
    results = {each.test_id: each for each in golden.run_draft(actor=actor, draft_id=draft.id)}
    return [
        {
            "id": each.id,
            "name": each.name,
            "no": each.ticket_no,
            "by": each.saved_by_name,
            "state": ("passed" if results[each.id].passed else "failed") if each.id in results else "",
        }
        for each in golden.suite(actor=actor, code=code)
    ]
