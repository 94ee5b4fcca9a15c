"""Replays as a page knows them: started, watched, called off, and looked at again after a reload.

A run is carried out by `carry_out` in a thread that whoever starts it provides; how far it is, whether it is
to stop and what came of it stands in its row, so any process can ask. Only rows of replays are written.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from ticket_console.access import policy
from ticket_console.clocks.calendars import calendars_of
from ticket_console.desk.replay import part
from ticket_console.desk.replay.comparing import Difference, Kind, Tally, report
from ticket_console.desk.replay.crew import PROCESSES, Crew
from ticket_console.desk.replay.dwelling import Dwells
from ticket_console.desk.replay.playing import Course
from ticket_console.desk.replay.reading import (
    WINDOW,
    Period,
    gather_dwells,
    runnable,
    stories,
    ticket_ids,
    visible_to,
)
from ticket_console.desk.replay.window import Bench
from ticket_console.desk.tables import ReplayDifference, ReplayRun, ReplayState
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.drafts import graph_of
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph, content_hash, graph_json, parse_graph
from ticket_console.flows.publishing import publishing_problems
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.clock import Clock
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.errors import Conflict, InvalidInput, NotFound
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import TicketNotFound

_runs, _differences, _tickets = table(ReplayRun), table(ReplayDifference), table(Ticket)

PAGE: Final = 20
# A run whose process has not been heard of for this long is lost.
SILENCE: Final = timedelta(seconds=60)
_BEAT: Final = timedelta(seconds=1)
_KEPT_PER_FLOW: Final = 10
_BIT: Final = {kind: 1 << number for number, kind in enumerate(Kind)}
_SAID: Final = 200

log = structlog.get_logger(__name__)


class ReplayRunning(Conflict):
    """One replay at a time: it takes both cores."""

    code = "replay.running"


class ReplayNotFound(NotFound):
    code = "replay.not_found"


class BadPeriod(InvalidInput):
    """A period that ends before it starts, or starts after now."""

    code = "replay.bad_period"


@dataclass(frozen=True, slots=True)
class ReplayView:
    """A run as it is. The amounts of `report` are left out for viewers who may see no money."""

    id: int
    flow_code: str
    label: str
    period: Period
    as_of: datetime
    state: ReplayState
    done: int
    total: int
    report: Mapping[str, Any] | None
    failure: str | None
    started_by: str
    started_by_name: str
    started_at: datetime
    finished_at: datetime | None
    draft_hash: str


@dataclass(frozen=True, slots=True)
class DifferenceView:
    ticket_id: int
    no: str
    title: str
    priority: int
    kinds: tuple[Kind, ...]
    seconds: int
    cost_minor: int | None
    breached: tuple[str, ...]
    kept: tuple[str, ...]
    base_end: str
    draft_end: str


@dataclass(frozen=True, slots=True)
class DifferencePage:
    rows: tuple[DifferenceView, ...]
    count: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class TwoCourses:
    """A ticket as it was and as it would have been, with the graphs it went through."""

    ticket_id: int
    no: str
    base_graph: Graph
    base: Course
    draft_graph: Graph
    draft: Course


def start(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    flow_code: str,
    draft: Mapping[str, Any] | Graph,
    label: str,
    period: Period,
) -> int:
    """Note down that a drawn flow is to be played with the tickets of a period; the run's id for `carry_out`.

    Refuses a flow that could not be published (InvalidGraph), and a second run beside another
    (ReplayRunning). The same command again is the same run.
    """
    policy.require(actor, "flow.manage")
    if period.starts >= period.ends or period.starts >= at:
        raise BadPeriod(())
    graph = draft if isinstance(draft, Graph) else graph_of(dict(draft))
    order = _Order(flow_code, graph, label[:120], period)
    try:
        return _noted(actor, at, command_id, order)
    except IntegrityError:
        # Another one was started at the same moment, or this one twice; now its row is there to be seen.
        return _noted(actor, at, command_id, order)


@dataclass(frozen=True, slots=True)
class _Order:
    flow_code: str
    graph: Graph
    label: str
    period: Period


@retried
def _noted(actor: Actor, at: datetime, command_id: str, order: _Order) -> int:
    with transaction() as connection:
        known = connection.execute(
            sa.select(_runs.c.id).where(_runs.c.org_id == actor.org_id, _runs.c.command_id == command_id)
        ).scalar()
        if known is not None:
            return int(known)
        flow_id = flow_reads.flow_id(connection, actor.org_id, order.flow_code)
        calendars = calendars_of(connection, actor.org_id)
        if problems := publishing_problems(
            connection, org_id=actor.org_id, code=order.flow_code, graph=order.graph, calendars=calendars
        ):
            raise InvalidGraph(problems)
        _refuse_second(connection, actor.org_id, at)
        _forget_old(connection, flow_id)
        run = sa.insert(_runs).values(
            org_id=actor.org_id,
            flow_id=flow_id,
            command_id=command_id,
            label=order.label,
            draft=graph_json(order.graph),
            draft_hash=content_hash(order.graph),
            dwells=[],
            period_from=order.period.starts,
            period_until=order.period.ends,
            as_of=at,
            state=ReplayState.RUNNING,
            done=0,
            total=0,
            sees_everything=policy.row_scope(actor, "ticket.view").everything,
            started_by=actor.label,
            started_by_name=actor.display,
            started_at=at,
            beat_at=at,
        )
        return int(connection.execute(run.returning(_runs.c.id)).scalar_one())


def _refuse_second(connection: Connection, org_id: int, at: datetime) -> None:
    running = sa.and_(_runs.c.org_id == org_id, _runs.c.state == ReplayState.RUNNING)
    connection.execute(
        sa.update(_runs)
        .where(running, _runs.c.beat_at < at - SILENCE)
        .values(state=ReplayState.LOST, finished_at=at)
    )
    other = connection.execute(sa.select(_runs.c.id, _runs.c.started_by_name).where(running)).first()
    if other is not None:
        raise ReplayRunning(run_id=other.id, who=other.started_by_name)


def _forget_old(connection: Connection, flow_id: int) -> None:
    """Make room for one more of a flow's runs."""
    old = connection.execute(
        sa.select(_runs.c.id)
        .where(_runs.c.flow_id == flow_id)
        .order_by(_runs.c.id.desc())
        .offset(_KEPT_PER_FLOW - 1)
    ).scalars()
    ids = list(old)
    if ids:
        connection.execute(sa.delete(_differences).where(_differences.c.run_id.in_(ids)))
        connection.execute(sa.delete(_runs).where(_runs.c.id.in_(ids)))


def carry_out(*, actor: Actor, run_id: int, clock: Clock, processes: int = PROCESSES) -> ReplayState:
    """Play a run that was started, to its end or until it is called off; blocks, so call it in a thread.

    A failure is noted in the row and returned as such, never raised.
    """
    try:
        return _carry_out(actor, run_id, clock, processes)
    except Exception as failure:
        log.error("replay.failed", run_id=run_id, exc_info=failure)
        _finish(run_id, clock.now(), ReplayState.FAILED, failure=str(failure)[:_SAID])
        return ReplayState.FAILED


def _carry_out(actor: Actor, run_id: int, clock: Clock, processes: int) -> ReplayState:
    with reading() as connection:
        run = _row(connection, actor.org_id, run_id)
        code = flow_reads.code_of(connection, run.flow_id)
        versions = flow_reads.versions_of(connection, actor.org_id, code)
        version_ids = [version.id for version in versions]
        period = Period(run.period_from, run.period_until)
        ids = ticket_ids(connection, viewer=actor, version_ids=version_ids, period=period)
        dwells = gather_dwells(
            connection, viewer=actor, version_ids=version_ids, period=period, as_of=run.as_of
        ).as_json()
    if not _beat(run_id, clock.now(), done=0, total=len(ids), dwells=dwells):
        return ReplayState.CANCELLED
    task = part.task(org_id=actor.org_id, code=code, draft=run.draft, dwells=dwells, as_of=run.as_of)
    tally, differences = Tally(), list[Difference]()
    pulse = _Pulse(run_id, clock, tally)
    with Crew(task, processes=max(1, min(processes, -(-len(ids) // WINDOW)))) as crew:
        for part_tally, part_differences in crew.play(_windows(ids), beat=pulse.beat):
            tally.merge(part_tally)
            differences += part_differences
    if pulse.is_called_off:
        return ReplayState.CANCELLED
    found = report(tally, period_seconds=period.seconds)
    return _finish(run_id, clock.now(), ReplayState.FINISHED, report=found, differences=differences)


def _windows(ids: "array[int]") -> list[Sequence[int]]:
    return [ids[first : first + WINDOW] for first in range(0, len(ids), WINDOW)]


class _Pulse:
    """Writes down how far a run is, once a second, and hears whether it was called off."""

    def __init__(self, run_id: int, clock: Clock, tally: Tally) -> None:
        self._run_id = run_id
        self._clock = clock
        self._tally = tally
        self._last = clock.now()
        self.is_called_off = False

    def beat(self) -> bool:
        now = self._clock.now()
        if now - self._last >= _BEAT:
            self._last = now
            done = self._tally.tickets + self._tally.set_aside.total()
            self.is_called_off = not _beat(self._run_id, now, done=done)
        return not self.is_called_off


def _beat(run_id: int, at: datetime, **columns: Any) -> bool:
    """False where the run was called off, or taken for lost."""
    with transaction() as connection:
        going_on = (
            sa.update(_runs)
            .where(_runs.c.id == run_id, _runs.c.state == ReplayState.RUNNING)
            .values(beat_at=at, **columns)
        )
        return connection.execute(going_on).rowcount == 1


def _finish(
    run_id: int,
    at: datetime,
    state: ReplayState,
    *,
    report: Mapping[str, Any] | None = None,
    differences: Sequence[Difference] = (),
    failure: str | None = None,
) -> ReplayState:
    """Put the end into the row, unless somebody called the run off at the last moment."""
    with transaction() as connection:
        ended = connection.execute(
            sa.update(_runs)
            .where(_runs.c.id == run_id, _runs.c.state == ReplayState.RUNNING)
            .values(
                state=state,
                report=report,
                failure=failure,
                done=_runs.c.total,
                beat_at=at,
                finished_at=at,
            )
        )
        if ended.rowcount != 1:
            return ReplayState.CANCELLED
        if differences:
            connection.execute(
                sa.insert(_differences), [_difference_row(run_id, each) for each in differences]
            )
        return state


def _difference_row(run_id: int, difference: Difference) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "ticket_id": difference.ticket_id,
        "kinds": sum(_BIT[kind] for kind in difference.kinds),
        "seconds": difference.seconds,
        "cost_minor": difference.cost_minor,
        "breached": [target.value for target in difference.breached],
        "kept": [target.value for target in difference.kept],
        "base_end": difference.base_end,
        "draft_end": difference.draft_end,
    }


def cancel(*, actor: Actor, at: datetime, run_id: int) -> None:
    """Call a run off; it stops within a second and leaves its row alone. One that ended stays so."""
    policy.require(actor, "flow.manage")
    with transaction() as connection:
        _row(connection, actor.org_id, run_id)
        connection.execute(
            sa.update(_runs)
            .where(_runs.c.id == run_id, _runs.c.state == ReplayState.RUNNING)
            .values(state=ReplayState.CANCELLED, finished_at=at)
        )


def view(connection: Connection, *, viewer: Actor, run_id: int, at: datetime) -> ReplayView:
    """A run the viewer may see; ReplayNotFound for any other."""
    policy.require(viewer, "flow.manage")
    row = _row(connection, viewer.org_id, run_id)
    if not _may_see(viewer, row):
        raise ReplayNotFound(run_id=run_id)
    code = flow_reads.code_of(connection, row.flow_id)
    return _view(viewer, row, code, at)


def latest(connection: Connection, *, viewer: Actor, flow_code: str, at: datetime) -> ReplayView | None:
    """The last run of a flow that the viewer may see."""
    policy.require(viewer, "flow.manage")
    flow_id = flow_reads.flow_id(connection, viewer.org_id, flow_code)
    rows = connection.execute(
        sa.select(_runs).where(_runs.c.flow_id == flow_id).order_by(_runs.c.id.desc())
    ).all()
    seen = next((row for row in rows if _may_see(viewer, row)), None)
    return None if seen is None else _view(viewer, seen, flow_code, at)


def differences(
    connection: Connection,
    *,
    viewer: Actor,
    run_id: int,
    kind: Kind | None = None,
    page: int = 1,
) -> DifferencePage:
    """The tickets that differ, those that wait longest first; pages count from 1."""
    policy.require(viewer, "flow.manage")
    if not _may_see(viewer, _row(connection, viewer.org_id, run_id)):
        raise ReplayNotFound(run_id=run_id)
    sees_money = policy.allows(viewer, "money.view")
    # Who may see no money is not told either that it is all that differs.
    told = [each for each in Kind if (kind is None or each is kind) and (sees_money or each not in _MONEY)]
    condition = sa.and_(
        _differences.c.run_id == run_id,
        visible_to(viewer),
        _differences.c.kinds.op("&")(sum(_BIT[each] for each in told)) != 0,
    )
    joined = _differences.join(_tickets, _tickets.c.id == _differences.c.ticket_id)
    count = connection.execute(sa.select(sa.func.count()).select_from(joined).where(condition)).scalar_one()
    pages = max(-(-count // PAGE), 1)
    shown = min(max(page, 1), pages)
    rows = connection.execute(
        sa.select(_differences, _tickets.c.no, _tickets.c.title, _tickets.c.priority)
        .select_from(joined)
        .where(condition)
        .order_by(_differences.c.seconds.desc(), _differences.c.ticket_id)
        .limit(PAGE)
        .offset((shown - 1) * PAGE)
    )
    return DifferencePage(
        rows=tuple(
            DifferenceView(
                ticket_id=row.ticket_id,
                no=row.no,
                title=row.title,
                priority=row.priority,
                kinds=tuple(
                    kind for kind in Kind if row.kinds & _BIT[kind] and (sees_money or kind not in _MONEY)
                ),
                seconds=row.seconds,
                cost_minor=row.cost_minor if sees_money else None,
                breached=tuple(row.breached),
                kept=tuple(row.kept),
                base_end=row.base_end,
                draft_end=row.draft_end,
            )
            for row in rows
        ),
        count=count,
        page=shown,
        pages=pages,
    )


_MONEY: Final = frozenset({Kind.DEARER, Kind.CHEAPER})


def courses(connection: Connection, *, viewer: Actor, run_id: int, ticket_id: int) -> TwoCourses:
    """Both ways of one ticket, played again: the same run of the same history comes to the same."""
    policy.require(viewer, "flow.manage")
    run = _row(connection, viewer.org_id, run_id)
    if not _may_see(viewer, run):
        raise ReplayNotFound(run_id=run_id)
    no = connection.execute(
        sa.select(_tickets.c.no).where(
            _tickets.c.id == ticket_id, _tickets.c.org_id == viewer.org_id, visible_to(viewer)
        )
    ).scalar()
    story = next(stories(connection, org_id=viewer.org_id, ticket_ids=(ticket_id,), as_of=run.as_of), None)
    if no is None or story is None:
        raise TicketNotFound(ticket_id=ticket_id)
    code = flow_reads.code_of(connection, run.flow_id)
    bench = Bench.set_up(
        connection,
        org_id=viewer.org_id,
        draft=runnable(connection, viewer.org_id, code, parse_graph(run.draft)),
        dwells=Dwells.of_json(run.dwells),
        as_of=run.as_of,
    )
    base, draft = bench.play_both(story)
    return TwoCourses(ticket_id, no, base.graph, base.course, draft.graph, draft.course)


def _row(connection: Connection, org_id: int, run_id: int) -> Row[*tuple[Any, ...]]:
    row = connection.execute(
        sa.select(_runs).where(_runs.c.id == run_id, _runs.c.org_id == org_id)
    ).one_or_none()
    if row is None:
        raise ReplayNotFound(run_id=run_id)
    return row


def _may_see(viewer: Actor, row: Row[*tuple[Any, ...]]) -> bool:
    """A run tells of the tickets its starter could see: whoever looks must be able to see them, too."""
    sees_everything = policy.row_scope(viewer, "ticket.view").everything
    return sees_everything or (row.started_by == viewer.label and not row.sees_everything)


def _view(viewer: Actor, row: Row[*tuple[Any, ...]], flow_code: str, at: datetime) -> ReplayView:
    is_lost = row.state is ReplayState.RUNNING and row.beat_at < at - SILENCE
    found = row.report
    if found is not None and not policy.allows(viewer, "money.view"):
        found = {key: value for key, value in found.items() if key != "cost_minor"}
        found["kinds"] = {kind: count for kind, count in found["kinds"].items() if Kind(kind) not in _MONEY}
    return ReplayView(
        id=row.id,
        flow_code=flow_code,
        label=row.label,
        period=Period(row.period_from, row.period_until),
        as_of=row.as_of,
        state=ReplayState.LOST if is_lost else row.state,
        done=row.done,
        total=row.total,
        report=found,
        failure=row.failure,
        started_by=row.started_by,
        started_by_name=row.started_by_name,
        started_at=row.started_at,
        finished_at=row.finished_at,
        draft_hash=row.draft_hash,
    )
