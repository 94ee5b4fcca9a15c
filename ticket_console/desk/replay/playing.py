"""Playing a ticket's script with a flow: the production engine on a simulated clock.

A step takes as long, and ends as, the stay at the node of the same key took and ended, the first stay for
the first, the second for the second. What the flow itself decides (timers, timeouts, guards) is decided by
the flow that is played. A step the ticket never had is given the usual time of its like and is completed;
`Course.estimated` says so. The ticket is called off at the instant at which it was. Where a timeout leads
back to a step that usually takes longer than the timeout waits, nobody knows when it would be done: the
ticket is given up after `MOST_ROUNDS` and counted as stuck (`ROUNDS`).

On the flow it ran on, a script plays exactly as it was: where a timer was late, it is late again.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, Final, Protocol

from ticket_console.desk.replay.dwelling import Dwells, Estimate
from ticket_console.desk.replay.script import BY_PEOPLE, Ending, Moved, Script, Visit
from ticket_console.desk.work import ticket_facts
from ticket_console.flows.elements import (
    HANDLED_KINDS,
    Edge,
    EdgeKind,
    HandlerMode,
    Node,
    NodeKind,
    StageCategory,
)
from ticket_console.flows.graph import Graph
from ticket_console.tickets.actions import (
    Action,
    Cancel,
    Closed,
    Complete,
    FieldsSet,
    IllegalMove,
    Open,
    ReasonRequired,
    Reject,
    ReturnCounted,
    SendBack,
    SettleDue,
    Step,
    TimerFired,
    TokenEntered,
    TokenLeft,
)
from ticket_console.tickets.engine import WorkedOut, advance
from ticket_console.tickets.marking import Marking, TicketStatus, Token, TokenState
from ticket_console.tickets.moves import stage_of


class Waits(Protocol):
    """How a ticket's waits are counted: on calendars, and on the wall clock where its work happens."""

    def after(self, at: datetime, seconds: int, calendar: str | None) -> datetime:
        """When so many seconds are over."""

    def until(self, value: object, calendar: str | None) -> datetime | None:
        """The instant that a field holds; None where it holds none."""


ENDLESS: Final = "replay.endless"
# A timeout brings a step back again and again, sooner than the usual time in which it is done.
ROUNDS: Final = "replay.rounds"
MOST_ROUNDS: Final = 10
_MOST_EXTRA_STEPS: Final = 200
# What nobody did comes after everything that was done at the same instant.
_LATE: Final = 1 << 40
_UNSAID: Final = "-"


@dataclass(slots=True)
class Stay:
    """A stay at a task, an approval or a timer of the played flow. `by` is the edge it left by.

    `actor` is who did it, empty where nobody did or nobody knows; `handler_changed` says that the played
    flow gives the step to others than those who did it.
    """

    node: Node
    entered_at: datetime
    visit: Visit | None
    left_at: datetime | None = None
    by: str | None = None
    done: bool = False
    actor: str = ""
    actor_name: str = ""
    claimed_at: datetime | None = None
    estimate: Estimate | None = None
    handler_changed: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """What was walked in one step: the node that was left (None on opening), how, and every edge passed."""

    at: datetime
    node_key: str | None
    how: str
    edges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """A settle node was passed, with what was known at that moment."""

    segment: str
    at: datetime
    started_at: datetime | None
    resolved_at: datetime | None
    responded_at: datetime | None
    values: Mapping[str, Any]


@dataclass(slots=True)
class Course:
    """How a ticket went on the played flow. `stuck` is the reason why it went no further, a translation key.

    `moved_at` is the last instant at which anything changed.
    """

    opened_at: datetime
    moved_at: datetime
    legs: list[Leg] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    marking: Marking = field(default_factory=Marking)
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    responded_at: datetime | None = None
    closed_at: datetime | None = None
    stuck: str | None = None
    estimated: int = 0
    guessed: int = 0

    def edges(self) -> list[str]:
        return [edge for leg in self.legs for edge in leg.edges]


def play(
    graph: Graph,
    script: Script,
    *,
    ran_on: Graph,
    dwells: Dwells,
    as_of: datetime,
    waits: Waits,
    versions: Callable[[int], Graph] | None = None,
    worked_out: WorkedOut | None = None,
) -> Course:
    """The course of a script on `graph`, for a ticket that really `ran_on` another or the same.

    A ticket that was still open `as_of` the instant at which its history was read is played up to then; a
    finished one to its end. With `versions` the ticket is carried over to other versions as it was.
    `worked_out` knows the formulas of its form.
    """
    return _Player(graph, script, ran_on, dwells, as_of, waits, versions, worked_out).play()


class _Player:
    """One ticket being lived through. The agenda holds what will happen, ordered by instant, then history."""

    def __init__(
        self,
        graph: Graph,
        script: Script,
        ran_on: Graph,
        dwells: Dwells,
        as_of: datetime,
        waits: Waits,
        versions: Callable[[int], Graph] | None,
        worked_out: WorkedOut | None,
    ) -> None:
        self.graph = graph
        self.script = script
        self.ran_on = ran_on
        self.dwells = dwells
        self.as_of = as_of
        self.waits = waits
        self.versions = versions
        self.worked_out = worked_out
        self.facts: dict[str, Any] = {**script.values, **ticket_facts(script.opening)}
        self.marking = Marking()
        self.course = Course(script.opened_at, script.opened_at)
        self.at = script.opened_at
        self.resting: dict[int, Stay] = {}
        self.is_over = script.marking.status is not TicketStatus.OPEN
        self.visits: dict[str, deque[Visit]] = {}
        for visit in script.visits:
            self.visits.setdefault(visit.node_key, deque()).append(visit)
        self.ways: dict[str, str] = {}
        # How often each timeout fired since its step was last done, beyond what really happened.
        self.rounds: Counter[str] = Counter()
        self.technician: tuple[str, str] = ("", "")
        self._ids = count(1)
        self._serial = count()
        self._agenda: list[tuple[datetime, int, int, Callable[[], None]]] = []

    def play(self) -> Course:
        script = self.script
        if script.called is not None:
            called = script.called
            self._appoint(called.at, called.order, partial(self._call_off, called.reason))
        for noted in script.noted:
            self._appoint(noted.at, noted.order, partial(self.facts.update, noted.values))
        if self.versions is not None:
            for moved in script.moved:
                self._appoint(moved.at, moved.order, partial(self._carry_over, moved))
        self._step([Open()], None, "opened")
        most = _MOST_EXTRA_STEPS + 4 * len(script.visits)
        while self._agenda and self.course.stuck is None and self.marking.status is TicketStatus.OPEN:
            at, _, _, happen = heapq.heappop(self._agenda)
            if at > self.as_of and not self.is_over:
                break
            if len(self.course.legs) > most:
                self.course.stuck = ENDLESS
                break
            self.at = max(at, self.at)
            happen()
        self.course.marking = self.marking
        return self.course

    def _appoint(self, at: datetime, order: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at, order, next(self._serial), happen))

    # A stay begins: what will end it.

    def _begin(self, token_id: int, node: Node) -> None:
        waiting = self.visits.get(node.key)
        visit = waiting.popleft() if waiting else None
        stay = self.resting[token_id] = Stay(node, self.at, visit)
        self.course.stays.append(stay)
        before = self.ran_on.node_by_key.get(node.key)
        stay.handler_changed = before is not None and _asks_others(before, node)
        if visit is not None and visit.claimed_at is not None:
            stay.claimed_at = self.at + (visit.claimed_at - visit.entered_at)
            self._appoint(stay.claimed_at, visit.order - 1, partial(self._claim, token_id))
        if node.kind in HANDLED_KINDS:
            self._expect_people(token_id, node, stay)
        elif node.kind is NodeKind.TIMER:
            is_same = before is not None and _waits_alike(before, node)
            self._expect_fire(token_id, stay, None, self._timer_due(node), is_same=is_same)
        for edge in self.graph.edges_from(node.key, EdgeKind.TIMEOUT):
            was = self.ran_on.edge_by_key.get(edge.key)
            is_same = was is not None and _times_out_alike(was, edge)
            due = self.waits.after(self.at, edge.after_seconds or 0, edge.calendar)
            self._expect_fire(token_id, stay, edge.key, due, is_same=is_same)

    def _expect_people(self, token_id: int, node: Node, stay: Stay) -> None:
        visit = stay.visit
        if visit is not None and visit.ending is None:
            return
        if visit is not None and visit.ending in BY_PEOPLE:
            ends = self.at + visit.lasted(self.as_of)
            self._appoint(ends, visit.order, partial(self._do_again, token_id, node, visit))
            return
        usual = self.dwells.of(node)
        dwell = usual.dwell if visit is None else max(usual.dwell, visit.lasted(self.as_of))
        self._appoint(self.at + dwell, _LATE, partial(self._do_as_usual, token_id, node, usual))

    def _expect_fire(
        self, token_id: int, stay: Stay, edge_key: str | None, due: datetime, *, is_same: bool
    ) -> None:
        visit, order = stay.visit, _LATE
        if is_same and visit is not None:
            if visit.ending is Ending.FIRED and visit.edge_key == edge_key:
                due, order = self.at + visit.lasted(self.as_of), visit.order
            elif self.at + visit.lasted(self.as_of) >= due:
                # It could have fired and did not: somebody was faster than the worker.
                return
        self._appoint(due, order, partial(self._fire, token_id, edge_key))

    def _timer_due(self, node: Node) -> datetime:
        if node.until_field is not None:
            until = self.waits.until(self.facts.get(node.until_field), node.calendar)
            return max(until or self.at, self.at)
        return self.waits.after(self.at, node.delay_seconds or 0, node.calendar)

    # What happens.

    def _claim(self, token_id: int) -> None:
        if token_id in self.resting:
            self._respond()

    def _respond(self) -> None:
        if self.course.responded_at is None:
            self.course.responded_at = self.at

    def _do_again(self, token_id: int, node: Node, visit: Visit) -> None:
        stay = self.resting.get(token_id)
        if stay is None:
            return
        if visit.actor.startswith("user"):
            self._respond()
        stay.actor, stay.actor_name = visit.actor, visit.actor_name
        if node.handler is not None and node.handler.mode is HandlerMode.TECHNICIAN:
            self.technician = visit.actor, visit.actor_name
        if visit.ending is Ending.COMPLETED:
            self.facts.update(self._entries(node, visit))
        ways = list(self._ways(token_id, node, visit))
        self._step(ways, stay, str(visit.ending))

    def _do_as_usual(self, token_id: int, node: Node, usual: Estimate) -> None:
        stay = self.resting.get(token_id)
        if stay is None:
            return
        stay.estimate = usual
        self.course.estimated += 1
        mode = None if node.handler is None else node.handler.mode
        if mode is not HandlerMode.CUSTOMER:
            self._respond()
        if mode is HandlerMode.TECHNICIAN:
            stay.actor, stay.actor_name = self.technician
        self.facts.update(self._entries(node, None))
        self._step(list(self._completions(token_id, node, self.ways.get(node.key), None)), stay, "estimated")

    def _fire(self, token_id: int, edge_key: str | None) -> None:
        stay = self.resting.get(token_id)
        if stay is None:
            return
        if edge_key is not None and stay.visit is None:
            self.rounds[edge_key] += 1
            if self.rounds[edge_key] > MOST_ROUNDS:
                self.course.stuck = ROUNDS
                return
        self._step([TimerFired(token_id, edge_key)], stay, str(Ending.FIRED))

    def _call_off(self, reason: str) -> None:
        self._step([Cancel(reason)], None, "cancelled")

    def _entries(self, node: Node, visit: Visit | None) -> dict[str, Any]:
        """What is entered at a step: what was, and where the step asks for more, what was said elsewhere."""
        asked = {use.key for use in node.fields}
        before = self.ran_on.node_by_key.get(node.key)
        was_asked = set() if before is None else {use.key for use in before.fields}
        said = self.script.entered_later
        entries = {key: said[key] for key in asked - was_asked if key in said}
        if visit is not None:
            dropped = was_asked - asked
            entries.update((key, value) for key, value in visit.values.items() if key not in dropped)
        return entries

    # Which way.

    def _ways(self, token_id: int, node: Node, visit: Visit) -> Iterable[Action]:
        """What was decided, then what comes closest to it on this flow."""
        was = self.ran_on.edge_by_key.get(visit.edge_key or "")
        if visit.ending in (Ending.RETURNED, Ending.REJECTED):
            reason = visit.reason or _UNSAID
            kinds = (EdgeKind.RETURN, EdgeKind.REJECT)
            for kind in kinds if visit.ending is Ending.RETURNED else reversed(kinds):
                make = SendBack if kind is EdgeKind.RETURN else Reject
                edges = self.graph.edges_from(node.key, kind)
                yield from (make(token_id, reason, key) for key in _closest(edges, visit.edge_key, was))
        yield from self._completions(token_id, node, visit.edge_key, was)

    def _completions(
        self, token_id: int, node: Node, edge_key: str | None, was: Edge | None
    ) -> Iterable[Action]:
        edges = self.graph.edges_from(node.key, EdgeKind.FORWARD)
        if edge_key is not None:
            yield from (Complete(token_id, key) for key in _closest(edges, edge_key, was, only_like=True))
        yield Complete(token_id)
        landings = self.graph.structure.landings
        likely = sorted(edges, key=lambda edge: not any(self.visits.get(key) for key in landings[edge.key]))
        yield from (Complete(token_id, edge.key) for edge in likely)

    # The engine.

    def _step(self, ways: Sequence[Action], stay: Stay | None, how: str) -> None:
        """Take the first way the engine agrees to; where it agrees to none, the ticket is stuck."""
        refusal: IllegalMove | ReasonRequired | None = None
        for number, action in enumerate(ways):
            try:
                step = advance(
                    self.graph,
                    self.marking,
                    action,
                    facts=self.facts,
                    new_token_id=self._ids.__next__,
                    worked_out=self.worked_out,
                )
            except (IllegalMove, ReasonRequired) as refused:
                refusal = refusal or refused
                continue
            self.course.guessed += number > 0
            if stay is not None:
                stay.done = True
                if not isinstance(action, TimerFired):
                    for edge in self.graph.edges_from(stay.node.key, EdgeKind.TIMEOUT):
                        self.rounds.pop(edge.key, None)
            self._take(step, stay, how)
            return
        self.course.stuck = refusal.code if refusal is not None else IllegalMove.code

    def _take(self, step: Step, stay: Stay | None, how: str) -> None:
        course, edges = self.course, dict[str, None]()
        begun: list[TokenEntered] = []
        self.marking = step.marking
        course.moved_at = self.at
        for effect in step.effects:
            if isinstance(effect, TokenEntered):
                edges.update(dict.fromkeys(effect.path))
                if effect.state is TokenState.ACTIVE:
                    begun.append(effect)
            elif isinstance(effect, TokenLeft):
                if effect.edge_key is not None:
                    edges.setdefault(effect.edge_key)
                left = self.resting.pop(effect.token_id, None)
                if left is not None:
                    left.left_at, left.by = self.at, effect.edge_key
                    if left.done and effect.edge_key is not None:
                        self.ways[left.node.key] = effect.edge_key
            elif isinstance(effect, FieldsSet):
                self.facts.update(effect.values)
            elif isinstance(effect, SettleDue):
                course.settled.append(self._settled(effect))
            elif isinstance(effect, ReturnCounted):
                self.facts["returns"] = self.facts["returns"] + 1
            elif isinstance(effect, Closed):
                edges.update(dict.fromkeys(effect.path))
                course.closed_at = self.at
        course.legs.append(Leg(self.at, None if stay is None else stay.node.key, how, tuple(edges)))
        for effect in begun:
            self._begin(effect.token_id, self.graph.node_by_key[effect.node_key])
        self._stand_in_lane()

    def _settled(self, effect: SettleDue) -> Settled:
        course = self.course
        return Settled(
            effect.segment,
            self.at,
            course.started_at,
            course.resolved_at,
            course.responded_at,
            dict(self.facts),
        )

    def _stand_in_lane(self) -> None:
        """The times of the work follow the lane, as they do on the desk."""
        course, key = self.course, stage_of(self.graph, self.marking)
        stage = None if key is None else self.graph.stage_by_key.get(key)
        if stage is not None and stage.category is StageCategory.DOING:
            course.started_at = course.started_at or self.at
            course.resolved_at = None
        elif course.started_at is not None and course.resolved_at is None:
            course.resolved_at = self.at

    def _carry_over(self, moved: Moved) -> None:
        """Go on with another version of the flow, standing where the migration put the ticket."""
        if self.versions is None:
            return
        self.graph = self.ran_on = self.versions(moved.flow_version_id)
        standing = {token.node_key: token.id for token in self.marking.tokens}
        tokens = []
        begun = []
        for token in moved.marking.tokens:
            known = standing.pop(token.node_key, None)
            token_id = next(self._ids) if known is None else known
            tokens.append(Token(token_id, token.node_key, token.state, token.arrived_by, token.forks))
            if known is None and token.state is TokenState.ACTIVE:
                begun.append((token_id, self.graph.node_by_key[token.node_key]))
        for token_id in standing.values():
            left = self.resting.pop(token_id, None)
            if left is not None:
                left.left_at = self.at
        self.marking = Marking(
            tuple(tokens),
            moved.marking.status,
            moved.marking.progress_bp,
            moved.marking.returns,
            moved.marking.passed,
            moved.marking.ended_at,
        )
        # Forks keep the numbers the history gave them; new ones must not repeat those.
        highest = max((fork.id for token in tokens for fork in token.forks), default=0)
        self._ids = count(max(highest, *(token.id for token in tokens), 0) + 1)
        for token_id, node in begun:
            self._begin(token_id, node)
        self._stand_in_lane()


def _asks_others(before: Node, node: Node) -> bool:
    was, now = before.handler, node.handler
    if was is None or now is None:
        return was is not now
    return (was.mode, was.role, was.skill) != (now.mode, now.role, now.skill)


def _waits_alike(before: Node, node: Node) -> bool:
    return (before.kind, before.delay_seconds, before.until_field, before.calendar) == (
        node.kind,
        node.delay_seconds,
        node.until_field,
        node.calendar,
    )


def _times_out_alike(was: Edge, edge: Edge) -> bool:
    return (was.kind, was.source, was.after_seconds, was.calendar) == (
        edge.kind,
        edge.source,
        edge.after_seconds,
        edge.calendar,
    )


def _closest(
    edges: Sequence[Edge], key: str | None, was: Edge | None, *, only_like: bool = False
) -> list[str | None]:
    """Edges in the order of their likeness to the one that was taken: by key, by name, by target."""
    if key is None:
        return [None, *(edge.key for edge in edges)]

    def likeness(edge: Edge) -> int:
        if edge.key == key:
            return 0
        if was is not None and edge.name and edge.name == was.name:
            return 1
        return 2 if was is not None and edge.target == was.target else 3

    ranked = sorted((likeness(edge), number) for number, edge in enumerate(edges))
    return [edges[number].key for rank, number in ranked if rank < 3 or not only_like]
