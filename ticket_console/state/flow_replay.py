"""The test tab of a flow: its draft played with the tickets of a period, and its tests."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import reflex as rx
from sqlalchemy.engine import Connection

from ticket_console.access import places
from ticket_console.desk import golden
from ticket_console.desk.golden import GoldenResult, GoldenView
from ticket_console.desk.replay import runs
from ticket_console.desk.replay.comparing import Kind
from ticket_console.desk.replay.playing import Course
from ticket_console.desk.replay.reading import Period, days, last_month
from ticket_console.desk.replay.runs import BadPeriod, ReplayView
from ticket_console.desk.tables import ReplayState
from ticket_console.flows import drafts
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.golden_tickets import GoldenTicketNotFound
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import content_hash, graph_json
from ticket_console.forms.draft_log import DraftView
from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_LOOK_SECONDS: Final = 0.7
_MOST_ROWS: Final = 8
# So many places where two ways part are looked at together; of more, none could be read.
_MOST_FOCUSED: Final = 4
# It is drawn in the next frame, away from the list that was pressed.
_LOOK_AT_PAIR: Final = """setTimeout(() => {
  const pair = document.querySelector(".fp-%s .fp-pair");
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
    kinds: list[Plain] = []
    is_older: bool = False
    tests: list[Plain] = []
    tested: bool = False
    test_pair: Plain = {}

    @handler(permission="flow.manage")
    async def open_tab(self) -> Reply:
        """Show the last replay of this flow, going on with one that is at work."""
        self.pair, self.test_pair, self.kind, self.page, self.tested = {}, {}, "", 1, False
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
        return rx.call_script(_LOOK_AT_PAIR % "replayed")

    @handler(permission="flow.manage")
    async def close(self) -> Reply:
        self.pair = {}
        return None

    @handler(permission="flow.manage")
    async def run_tests(self) -> Reply:
        self.test_pair = {}
        self.tests = await off_loop(_tested, actor=self._actor(), code=self._code(), at=self._now())
        self.tested = True
        return None

    @handler(permission="flow.manage")
    async def show_test(self, test_id: int) -> Reply:
        """The way a test expects and the one its ticket would go now, side by side."""
        self.test_pair = await off_loop(
            _test_pair, actor=self._actor(), code=self._code(), at=self._now(), test_id=test_id
        )
        return rx.call_script(_LOOK_AT_PAIR % "tested")

    @handler(permission="flow.manage")
    async def close_test(self) -> Reply:
        self.test_pair = {}
        return None

    @handler(permission="flow.manage")
    async def remove_test(self, test_id: int) -> Reply:
        await in_writer(golden.remove_test, actor=self._actor(), at=self._now(), test_id=test_id)
        self.tests = [each for each in self.tests if each["id"] != test_id]
        self.test_pair = {}
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
        "kinds": [],
        "is_older": False,
        "tests": [_test_row(each, None, {}) for each in golden.suite(actor=actor, code=code)],
    }
    if run is None:
        return found
    draft = drafts.open_draft(actor=actor, at=at, code=code)
    shown = _run(run)
    report = run.report or {}
    with reading() as connection:
        stages = {
            stage.key: stage.name
            for graph in (
                _in_use(connection, actor, code),
                *flow_reads.current_graphs(connection, actor.org_id),
            )
            for stage in graph.stages
        }
    found.update(
        run=shown,
        since=run.period.starts.astimezone(zone).date().isoformat(),
        until=_last_day(run.period, zone),
        load_rows=_busiest(report.get("load", [])),
        stage_rows=[
            {**each, "name": stages.get(each["stage"], dict.fromkeys(LOCALES, each["stage"]))}
            for each in sorted(report.get("stages", []), key=lambda each: _place(stages, each["stage"]))
        ],
        kinds=[{"kind": kind, "n": n} for kind in Kind if (n := report.get("kinds", {}).get(kind, 0))],
        is_older=content_hash(drafts.graph_of(draft.document)) != run.draft_hash,
    )
    if run.state is ReplayState.FINISHED:
        found.update(_listed(actor=actor, run_id=run.id, kind="", page=1))
    return found


def _place(stages: Mapping[str, Any], stage: str) -> int:
    """Stages stand as this flow draws them, then as others do, unknown ones last."""
    return list(stages).index(stage) if stage in stages else len(stages)


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
        raise BadPeriod(()) from None


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
    was, would = list(both.base.edges()), list(both.draft.edges())
    return {
        "no": both.no,
        "focus": _parting(was, would),
        "base": {
            **_side(both.base_graph, was, set(was) - set(would)),
            "legs": _legs(both.base_graph, both.base),
        },
        "draft": {
            **_side(both.draft_graph, would, set(would) - set(was)),
            "legs": _legs(both.draft_graph, both.draft),
        },
    }


def _parting(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """The first edges that only one of two ways walks."""
    return [
        key
        for way, against in ((one, set(other)), (other, set(one)))
        for key in [each for each in dict.fromkeys(way) if each not in against][: _MOST_FOCUSED // 2]
    ]


def _side(graph: Graph, way: Sequence[str], alone: set[str]) -> Plain:
    """A graph with the way through it: what both have in common, and what only this one has."""
    walked = [key for key in dict.fromkeys(way) if key in graph.edge_by_key]
    return {
        "document": graph_json(graph),
        "paths": [
            {"keys": [key for key in walked if key not in alone], "tone": "ok", "label": {}},
            {"keys": [key for key in walked if key in alone], "tone": "warn", "label": {}},
        ],
    }


def _legs(graph: Graph, course: Course) -> list[Plain]:
    names = {node.key: node.name for node in graph.nodes}
    return [
        {
            "at": instant_text(leg.at),
            "name": names.get(leg.node_key or graph.start or "", {}),
            "how": f"flow_proof.how.{leg.how}",
        }
        for leg in course.legs
    ]


def _tested(*, actor: Actor, code: str, at: datetime) -> list[Plain]:
    draft = drafts.open_draft(actor=actor, at=at, code=code)
    results = {each.test_id: each for each in golden.run_draft(actor=actor, draft_id=draft.id)}
    with reading() as connection:
        graphs = [_in_use(connection, actor, code), _runnable(connection, actor, draft)]
    names = {key: name for graph in graphs for key, name in _names(graph)}
    return [_test_row(each, results.get(each.id), names) for each in golden.suite(actor=actor, code=code)]


def _names(graph: Graph) -> Iterator[tuple[str, LocalText]]:
    """What steps are called; a way is called by the step it leads to."""
    for node in graph.nodes:
        yield node.key, node.name
    for edge in graph.edges:
        if edge.target in graph.node_by_key:
            yield edge.key, graph.node_by_key[edge.target].name


def _test_row(test: GoldenView, result: GoldenResult | None, names: Mapping[str, LocalText]) -> Plain:
    """`differs` says where the ticket of a failing test first goes another way."""
    difference = None if result is None else result.difference
    return {
        "id": test.id,
        "name": test.name,
        "no": test.ticket_no,
        "by": test.saved_by_name,
        "at": instant_text(test.saved_at),
        "why": "" if test.accepted is None else str(test.accepted["reason"]),
        "state": "" if result is None else "passed" if result.passed else "failed",
        "differs": {} if difference is None else _differs(difference, names),
    }


def _differs(difference: golden.Difference, names: Mapping[str, LocalText]) -> Plain:
    sides = [_met(difference.about, side) for side in (difference.expected, difference.actual)]
    nothing = {locale: translate("flow_proof.tests.nothing", locale) for locale in LOCALES}
    expected, actual = (names.get(key, {}) or nothing for key in sides)
    told = f"same_{difference.about}" if expected == actual else "goes"
    return {"code": f"flow_proof.tests.{told}", "expected": expected, "actual": actual}


def _met(about: str, side: Mapping[str, Any] | None) -> str:
    """The step that one side of a difference is about, or the way that leads to it."""
    if side is None:
        return ""
    if about == "course" and side["edges"]:
        return str(side["edges"][-1])
    if about == "outcome":
        return str(side["end"] or next(iter(side["standing"]), ""))
    return str(side["node"] or "")


def _test_pair(*, actor: Actor, code: str, at: datetime, test_id: int) -> Plain:
    draft = drafts.open_draft(actor=actor, at=at, code=code)
    results = {each.test_id: each for each in golden.run_draft(actor=actor, draft_id=draft.id)}
    result = results.get(test_id)
    if result is None:
        raise GoldenTicketNotFound(id=test_id)
    was, would = result.expected_path, result.actual_path
    with reading() as connection:
        before = _in_use(connection, actor, code)
        after = _runnable(connection, actor, draft)
    return {
        "name": result.name,
        "no": result.ticket_no,
        "focus": _parting(was, would),
        "base": _side(before, was, set(was) - set(would)),
        "draft": _side(after, would, set(would) - set(was)),
    }


def _runnable(connection: Connection, actor: Actor, draft: DraftView) -> Graph:
    return golden.runnable(connection, actor.org_id, drafts.graph_of(draft.document))


def _in_use(connection: Connection, actor: Actor, code: str) -> Graph:
    return flow_reads.compiled(connection, flow_reads.current_version(connection, actor.org_id, code).id)
