"""The engine: one action on a marking gives a new marking and a list of effects. Nothing else happens here.

No clock, no database, no chance: the same input gives the same step, whether the marking was kept in memory
or saved and restored in between. Rules:

* A token rests at tasks, approvals and timers. Everything between two resting places (start, automatic,
  gateways, settle) is passed within one step and leaves no token.
* Values an automatic node sets, and what is worked out from them, are facts for every guard tried later in
  the same step; parallel branches are walked one after the other, in edge order.
* A split makes one token per branch; an inclusive one only for the branches whose guards hold, or for the
  default where none does. A join holds tokens back (`waiting`) until as many siblings have come as it needs,
  never more than set out, and cancels those still under way.
* Who is to do a step is decided when a token comes to rest there, by the first row of its handler table that
  holds.
* Each timeout edge of a step arms a timer when a token comes to rest there. Following one leaves the step
  undone: it counts as neither passed nor sent back.
* Automatic actions and surveys are only announced; whoever applies the step carries them out.
* A return or rejection within a parallel branch stays there and leaves the siblings alone. One that leads out
  of the fork cancels the siblings: their work is asked for again once the split is passed again.
* The first token to reach an end closes the ticket; tokens left over are cancelled.
* A token that would come to rest and leave again within one step (at a join, say) is not mentioned at all.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeGuard

from ticket_console.flows.elements import (
    HANDLED_KINDS,
    WAITING_KINDS,
    Edge,
    EdgeKind,
    Node,
    NodeKind,
    StageCategory,
)
from ticket_console.flows.graph import Graph
from ticket_console.flows.structure import branches_needed
from ticket_console.tickets.actions import (
    Action,
    ActionDue,
    AlreadyOpened,
    AmbiguousMove,
    AutomaticLoop,
    Cancel,
    Closed,
    Complete,
    Effect,
    FieldsSet,
    GuardNotMet,
    HandlerNeeded,
    IllegalMove,
    Jump,
    NoSuchEdge,
    NoSuchStep,
    NoWayOn,
    Open,
    Outcome,
    ProgressChanged,
    ReasonRequired,
    Reject,
    ReturnCounted,
    SendBack,
    SettleDue,
    Skip,
    Step,
    SurveyDue,
    TicketNotOpen,
    TimerArmed,
    TimerFired,
    TokenEntered,
    TokenLeft,
    TokenNotActive,
)
from ticket_console.tickets.marking import Fork, Marking, TicketStatus, Token, TokenState
from ticket_console.tickets.progress import COMPLETE_BP, progress_bp

Facts = Mapping[str, object]
# What becomes of fields that are worked out, once these values take the place of what the facts said.
WorkedOut = Callable[[Facts, Facts], Facts]


def advance(
    graph: Graph,
    marking: Marking,
    action: Action,
    *,
    facts: Facts,
    new_token_id: Callable[[], int],
    worked_out: WorkedOut | None = None,
) -> Step:
    """The step an action leads to; raises a subclass of `IllegalMove` or `ReasonRequired`.

    `facts` are what guards may ask about: field values, priority, region and the like, the values entered
    with this very action included. `new_token_id` names tokens and forks; ids must never repeat within a
    ticket. `worked_out` knows the formulas of the ticket's form.
    """
    if marking.status is not TicketStatus.OPEN:
        raise TicketNotOpen(status=marking.status.value)
    walk = _Walk(graph, marking, facts, new_token_id, worked_out)
    if isinstance(action, Open):
        _open(walk, marking)
    elif isinstance(action, Cancel):
        _cancel(walk, action)
    elif isinstance(action, Complete):
        _complete(walk, action)
    elif isinstance(action, TimerFired):
        _fire_timer(walk, action)
    elif isinstance(action, Skip):
        _skip(walk, action)
    elif isinstance(action, Jump):
        _jump(walk, action)
    elif isinstance(action, SendBack):
        _go_back(walk, action, EdgeKind.RETURN, Outcome.RETURNED)
    else:
        _go_back(walk, action, EdgeKind.REJECT, Outcome.REJECTED)
    return walk.finish()


def _open(walk: "_Walk", marking: Marking) -> None:
    if marking.tokens or marking.passed:
        raise AlreadyOpened()
    start = walk.graph.start
    if start is None:
        raise NoWayOn(node_key=None)
    walk.passed.add(start)
    walk.leave_by(walk.only_way(start), (), ())


def _complete(walk: "_Walk", action: Complete) -> None:
    token = walk.active_token(action.token_id)
    node = walk.graph.node_by_key[token.node_key]
    if node.kind not in HANDLED_KINDS:
        raise IllegalMove(node_key=node.key)
    edge = _way_on(walk, node, action.edge_key)
    walk.move(token, edge, Outcome.DONE)


def _skip(walk: "_Walk", action: Skip) -> None:
    _require_reason(action.reason)
    token = walk.active_token(action.token_id)
    node = walk.graph.node_by_key[token.node_key]
    if node.kind not in HANDLED_KINDS:
        raise IllegalMove(node_key=node.key)
    walk.move(token, _way_on(walk, node, action.edge_key), Outcome.SKIPPED)


def _jump(walk: "_Walk", action: Jump) -> None:
    _require_reason(action.reason)
    token = walk.active_token(action.token_id)
    node = walk.graph.node_by_key.get(action.node_key)
    if node is None or node.kind not in HANDLED_KINDS or node.key == token.node_key:
        raise NoSuchStep(node_key=action.node_key)
    branches = walk.graph.structure.branches
    wanted, here = branches.get(node.key), tuple(fork.branch for fork in token.forks)
    # Out of parallel work is a way anybody may take; into it there is none but through its split.
    if wanted is None or here[: len(wanted)] != wanted:
        raise NoSuchStep(node_key=action.node_key)
    walk.jump(token, node)


def _way_on(walk: "_Walk", node: Node, edge_key: str | None) -> Edge:
    edges = walk.graph.edges_from(node.key, EdgeKind.FORWARD)
    if edge_key is not None:
        edge = _named(edges, node, edge_key)
        if not walk.holds(edge):
            raise GuardNotMet(node_key=node.key, edge_key=edge.key)
        return edge
    if len(edges) == 1:
        if not walk.holds(edges[0]):
            raise GuardNotMet(node_key=node.key, edge_key=edges[0].key)
        return edges[0]
    if any(edge.guard is None and not edge.default for edge in edges):
        raise AmbiguousMove(node_key=node.key)
    return walk.decide(node)


def _named(edges: tuple[Edge, ...], node: Node, edge_key: str) -> Edge:
    for edge in edges:
        if edge.key == edge_key:
            return edge
    raise NoSuchEdge(node_key=node.key, edge_key=edge_key)


def _fire_timer(walk: "_Walk", action: TimerFired) -> None:
    token = walk.active_token(action.token_id)
    node = walk.graph.node_by_key[token.node_key]
    if action.edge_key is not None:
        edge = _named(walk.graph.edges_from(node.key, EdgeKind.TIMEOUT), node, action.edge_key)
        walk.move(token, edge, Outcome.TIMED_OUT)
        return
    if node.kind is not NodeKind.TIMER:
        raise IllegalMove(node_key=node.key)
    walk.move(token, walk.only_way(node.key), Outcome.DONE)


def _go_back(walk: "_Walk", action: SendBack | Reject, kind: EdgeKind, outcome: Outcome) -> None:
    _require_reason(action.reason)
    token = walk.active_token(action.token_id)
    node = walk.graph.node_by_key[token.node_key]
    edges = walk.graph.edges_from(node.key, kind)
    if action.edge_key is not None:
        edge = _named(edges, node, action.edge_key)
    elif not edges:
        raise NoSuchEdge(node_key=node.key, edge_key=None)
    elif len(edges) > 1:
        raise AmbiguousMove(node_key=node.key)
    else:
        edge = edges[0]
    walk.move(token, edge, outcome)


def _cancel(walk: "_Walk", action: Cancel) -> None:
    _require_reason(action.reason)
    if not walk.live:
        raise TicketNotOpen(status=None)
    token, edge = _cancel_way(walk.graph, tuple(walk.live.values()))
    if token is None or edge is None:
        walk.close(TicketStatus.CANCELLED, None, ())
        return
    del walk.live[token.id]
    walk.effects.append(TokenLeft(token.id, token.node_key, Outcome.CANCELLED, edge.key))
    walk.close(TicketStatus.CANCELLED, edge.target, (edge.key,))


def _cancel_way(graph: Graph, tokens: tuple[Token, ...]) -> tuple[Token, Edge] | tuple[None, None]:
    for token in tokens:
        if edges := graph.edges_from(token.node_key, EdgeKind.CANCEL):
            return token, edges[0]
    return None, None


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonRequired()


_PASSED = frozenset({Outcome.DONE, Outcome.SKIPPED})


class _Arrival(NamedTuple):
    """Somebody on the way along `path`, about to reach the target of its last edge; a jump has no path."""

    node: Node
    forks: tuple[Fork, ...]
    path: tuple[str, ...]


class _Walk:
    """One step being worked out: live tokens, arrivals still to be placed, and the effects so far."""

    __slots__ = (
        "_arrivals",
        "_before",
        "_entered",
        "_facts",
        "_moved",
        "_new_id",
        "_went_back",
        "_worked_out",
        "effects",
        "ended_at",
        "graph",
        "live",
        "passed",
        "returns",
        "status",
    )

    def __init__(
        self,
        graph: Graph,
        marking: Marking,
        facts: Facts,
        new_token_id: Callable[[], int],
        worked_out: WorkedOut | None,
    ) -> None:
        self.graph = graph
        self.live = {token.id: token for token in marking.tokens}
        self.passed = set(marking.passed)
        self.returns = marking.returns
        self.status = marking.status
        self.ended_at = marking.ended_at
        self.effects: list[Effect] = []
        self._before = marking
        self._facts = facts
        self._new_id = new_token_id
        self._worked_out = worked_out
        self._arrivals: deque[_Arrival] = deque()
        self._entered: set[int] = set()
        self._moved: int | None = None
        self._went_back = False

    def active_token(self, token_id: int) -> Token:
        token = self.live.get(token_id)
        if token is None or token.state is not TokenState.ACTIVE:
            raise TokenNotActive(token_id=token_id)
        return token

    def holds(self, edge: Edge) -> bool:
        return edge.guard is None or self.graph.guards[edge.key](self._facts)

    def decide(self, node: Node) -> Edge:
        """The first edge whose guard holds; the default comes last."""
        for edge in self.graph.edges_from(node.key, EdgeKind.FORWARD):
            if self.holds(edge):
                return edge
        raise NoWayOn(node_key=node.key)

    def only_way(self, node_key: str) -> Edge:
        edges = self.graph.edges_from(node_key, EdgeKind.FORWARD)
        if not edges:
            raise NoWayOn(node_key=node_key)
        return edges[0]

    def move(self, token: Token, edge: Edge, outcome: Outcome) -> None:
        """A resting token leaves by an edge, and its follower sets out."""
        self._moved = token.id
        del self.live[token.id]
        self.effects.append(TokenLeft(token.id, token.node_key, outcome, edge.key))
        if outcome in _PASSED:
            self.passed.add(token.node_key)
        elif outcome is not Outcome.TIMED_OUT:
            self._count_return(token.node_key, edge)
        self.leave_by(edge, token.forks, ())

    def jump(self, token: Token, node: Node) -> None:
        """A resting token goes to another step along no edge; what follows that step is asked for again."""
        self._moved = token.id
        del self.live[token.id]
        self.effects.append(TokenLeft(token.id, token.node_key, Outcome.MOVED))
        if node.key in self.passed:
            self._went_back = True
            self.passed -= self.graph.following(node.key)
        forks, depth = token.forks, len(self.graph.structure.branches[node.key])
        if depth < len(forks):
            self._leave_fork(forks, depth)
            forks = forks[:depth]
        self._arrivals.append(_Arrival(node, forks, ()))

    def _count_return(self, node_key: str, edge: Edge) -> None:
        if self.graph.node_by_key[edge.target].kind is NodeKind.END:
            return
        self._went_back = True
        # The work from there on is asked for again.
        self.passed -= self.graph.following(edge.target)
        count = self.returns.get(node_key, 0) + 1
        self.returns = {**self.returns, node_key: count}
        self.effects.append(ReturnCounted(node_key, count))

    def leave_by(self, edge: Edge, forks: tuple[Fork, ...], path: tuple[str, ...]) -> None:
        node = self.graph.node_by_key[edge.target]
        if node.join is None and node.kind is not NodeKind.END:
            depth = len(self.graph.structure.branches[node.key])
            if depth < len(forks):
                self._leave_fork(forks, depth)
                forks = forks[:depth]
        self._arrivals.append(_Arrival(node, forks, (*path, edge.key)))

    def _leave_fork(self, forks: tuple[Fork, ...], depth: int) -> None:
        """Everybody else in the fork is cancelled: at rest, or still on the way in this step."""
        left = forks[depth].id
        self._cancel_tokens([token for token in self.live.values() if _inside(token.forks, depth, left)])
        self._arrivals = deque(each for each in self._arrivals if not _inside(each.forks, depth, left))

    def _cancel_tokens(self, tokens: list[Token]) -> None:
        for token in tokens:
            del self.live[token.id]
            self.effects.append(TokenLeft(token.id, token.node_key, Outcome.CANCELLED))

    def finish(self) -> Step:
        """Place every arrival, then sum up."""
        # In a sound graph no edge is followed twice within one step.
        for _ in range(len(self.graph.edges) + 1):
            if not self._arrivals:
                break
            self._place(self._arrivals.popleft())
        else:
            raise AutomaticLoop()
        self._forget_passers()
        tokens = tuple(self.live.values())
        bp = self._progress(tokens)
        if bp != self._before.progress_bp:
            self.effects.append(ProgressChanged(bp))
        marking = Marking(tokens, self.status, bp, self.returns, frozenset(self.passed), self.ended_at)
        return Step(marking, tuple(self.effects))

    def _forget_passers(self) -> None:
        """A token that came and left within one step never rested anywhere: nobody has to hear of it."""
        passers = self._entered - self.live.keys()
        if passers:
            self.effects = [
                effect
                for effect in self.effects
                if not (_is_about_token(effect) and effect.token_id in passers)
            ]

    def _progress(self, tokens: tuple[Token, ...]) -> int:
        if self.status is TicketStatus.CLOSED:
            return COMPLETE_BP
        if self.status is TicketStatus.CANCELLED:
            return self._before.progress_bp
        bp = progress_bp(self.graph, self.passed, tokens)
        return bp if self._went_back else max(bp, self._before.progress_bp)

    def _place(self, arrival: _Arrival) -> None:
        node, forks, path = arrival
        kind = node.kind
        if kind in WAITING_KINDS:
            self._rest(arrival)
        elif kind is NodeKind.END:
            self._end(node, path)
        elif node.join is not None:
            self._join(arrival)
        elif kind is NodeKind.PARALLEL:
            self._split(arrival, self.graph.edges_from(node.key, EdgeKind.FORWARD))
        elif kind is NodeKind.INCLUSIVE:
            self._split(arrival, self._chosen(node))
        elif kind is NodeKind.EXCLUSIVE:
            self.passed.add(node.key)
            self.leave_by(self.decide(node), forks, path)
        else:
            self._run(node)
            self.passed.add(node.key)
            self.leave_by(self.only_way(node.key), forks, path)

    def _chosen(self, node: Node) -> tuple[Edge, ...]:
        """Every edge whose guard holds; the default where none does."""
        edges = self.graph.edges_from(node.key, EdgeKind.FORWARD)
        chosen = tuple(edge for edge in edges if not edge.default and self.holds(edge))
        return chosen or (self.decide(node),)

    def _rest(self, arrival: _Arrival) -> None:
        node = arrival.node
        token_id = self._new_token(arrival, TokenState.ACTIVE)
        if node.kind is NodeKind.TIMER:
            self._arm(token_id, node)
            return
        handler = self.graph.handler_of(node.key, self._facts)
        if handler is not None:
            self.effects.append(HandlerNeeded(token_id, node.key, handler))
        for edge in self.graph.edges_from(node.key, EdgeKind.TIMEOUT):
            self.effects.append(
                TimerArmed(token_id, node.key, edge.after_seconds or 0, edge.key, calendar=edge.calendar)
            )

    def _arm(self, token_id: int, node: Node) -> None:
        if node.until_field is None:
            due = TimerArmed(token_id, node.key, node.delay_seconds or 0, calendar=node.calendar)
        else:
            until = self._facts.get(node.until_field)
            due = TimerArmed(token_id, node.key, None, until=until, calendar=node.calendar)
        self.effects.append(due)

    def _new_token(self, arrival: _Arrival, state: TokenState) -> int:
        node, forks, path = arrival
        token_id = self._new_id()
        self._entered.add(token_id)
        arrived_by = path[-1] if path else ""
        self.live[token_id] = Token(token_id, node.key, state, arrived_by, forks)
        self.effects.append(TokenEntered(token_id, node.key, arrived_by, state, path, forks))
        return token_id

    def _run(self, node: Node) -> None:
        if node.kind is NodeKind.SETTLE:
            self.effects.append(SettleDue(self._moved, node.key, node.segment or "main"))
        elif node.kind is NodeKind.SURVEY:
            self.effects.append(SurveyDue(self._moved, node.key, node.questions))
        elif node.kind is NodeKind.SUBFLOW:
            raise ValueError(f"sub-flow {node.key} was not expanded before its flow was run")
        if node.sets:
            values: dict[str, object] = {entry.field: entry.value for entry in node.sets}
            if self._worked_out is not None:
                values |= self._worked_out(self._facts, values)
            self._facts = {**self._facts, **values}
            self.effects.append(FieldsSet(node.key, values))
        for index, action in enumerate(node.actions):
            self.effects.append(ActionDue(self._moved, node.key, index, action))

    def _split(self, arrival: _Arrival, edges: tuple[Edge, ...]) -> None:
        node, forks, path = arrival
        self.passed.add(node.key)
        fork_id = self._new_id()
        waiting, self._arrivals = self._arrivals, deque()
        for edge in edges:
            self.leave_by(edge, (*forks, Fork(fork_id, edge.key)), path)
        self._arrivals.extend(waiting)

    def _join(self, arrival: _Arrival) -> None:
        node, forks, path = arrival
        fork, depth = forks[-1], len(forks) - 1
        come: list[Token] = []
        still_coming = {
            each.forks[depth].branch for each in self._arrivals if _inside(each.forks, depth, fork.id)
        }
        for token in self.live.values():
            if _inside(token.forks, depth, fork.id):
                if token.node_key == node.key:
                    come.append(token)
                else:
                    still_coming.add(token.forks[depth].branch)
        here = len(come) + 1
        if here < branches_needed(node, here + len(still_coming)):
            self._new_token(arrival, TokenState.WAITING)
            return
        for token in come:
            del self.live[token.id]
            self.effects.append(TokenLeft(token.id, node.key, Outcome.DONE))
        if still_coming:
            self._leave_fork(forks, depth)
        self.passed.add(node.key)
        self.leave_by(self.only_way(node.key), forks[:-1], path)

    def _end(self, node: Node, path: tuple[str, ...]) -> None:
        cancelled = self.graph.category_of(node) is StageCategory.CANCELLED
        self.close(TicketStatus.CANCELLED if cancelled else TicketStatus.CLOSED, node.key, path)

    def close(self, status: TicketStatus, node_key: str | None, path: tuple[str, ...]) -> None:
        self._arrivals.clear()
        self._cancel_tokens(list(self.live.values()))
        self.status = status
        self.ended_at = node_key
        if node_key is not None:
            self.passed.add(node_key)
        self.effects.append(Closed(status, node_key, path))


def _is_about_token(effect: Effect) -> TypeGuard[TokenEntered | TokenLeft | HandlerNeeded | TimerArmed]:
    return isinstance(effect, TokenEntered | TokenLeft | HandlerNeeded | TimerArmed)


def _inside(forks: tuple[Fork, ...], depth: int, fork_id: int) -> bool:
    return len(forks) > depth and forks[depth].id == fork_id
