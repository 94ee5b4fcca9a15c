"""Carrying a ticket from one version of its flow to another: where its tokens would stand, or why it stays.

Pure. A token stays where its node is, or goes where `mapping` sends it. What parallel work remembers must
make sense on the new version: every branch at work lies under one split as before, and none is missing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from ticket_console.flows.elements import WAITING_KINDS, Edge, EdgeKind, Node, NodeKind
from ticket_console.flows.graph import Graph
from ticket_console.flows.structure import is_join
from ticket_console.tickets.marking import Fork, Marking, TicketStatus, Token, TokenState
from ticket_console.tickets.progress import progress_bp


class How(StrEnum):
    """A token is `kept` as it is, `seated` anew at the same step, which waits or is handled otherwise, or
    `moved` to another step."""

    KEPT = "kept"
    SEATED = "seated"
    MOVED = "moved"


class TimerFate(StrEnum):
    NONE = "none"
    KEPT = "kept"
    REARMED = "rearmed"
    ARMED = "armed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a token goes; `after` has its old number."""

    before: Token
    after: Token
    how: How
    timer: TimerFate
    handler_changes: bool


@dataclass(frozen=True, slots=True)
class Carried:
    """Where the ticket would stand. Fields are those of the steps it stands at, `required` ones are empty."""

    seats: tuple[Seat, ...]
    marking: Marking
    appear: tuple[str, ...]
    vanish: tuple[str, ...]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stays:
    """Why a ticket cannot be carried over: a translation key and what it is about."""

    code: str
    params: Mapping[str, str | int]


def carry(
    old: Graph,
    new: Graph,
    marking: Marking,
    *,
    facts: Mapping[str, Any],
    form_fields: Collection[str],
    mapping: Mapping[str, str],
) -> Carried | Stays:
    """Where an open ticket would stand on `new`. `form_fields` are those its own form has."""
    if marking.status is not TicketStatus.OPEN:
        return Stays("migration.not_open", {})
    seats = []
    for token in marking.tokens:
        seat = _seat(old, new, token, mapping, facts)
        if isinstance(seat, Stays):
            return seat
        seats.append(seat)
    tokens = tuple(seat.after for seat in seats)
    torn = _torn(new, seats) or _unfillable(new, tokens, form_fields)
    if torn is not None:
        return torn
    passed = frozenset(mapping.get(key, key) for key in marking.passed) & new.node_by_key.keys()
    before = {use.key for token in marking.tokens for use in old.node_by_key[token.node_key].fields}
    asked = {use.key: use.required for token in tokens for use in new.node_by_key[token.node_key].fields}
    return Carried(
        seats=tuple(seats),
        marking=replace(
            marking,
            tokens=tokens,
            passed=passed,
            returns={key: count for key, count in marking.returns.items() if key in new.node_by_key},
            progress_bp=progress_bp(new, passed, tokens),
        ),
        appear=tuple(sorted(asked.keys() - before)),
        vanish=tuple(sorted(before - asked.keys())),
        required=tuple(sorted(key for key, must in asked.items() if must and facts.get(key) is None)),
    )


def seated(old: Graph, new: Graph, before: Token, after: Token, *, facts: Mapping[str, Any]) -> Seat:
    """What a token's going from one place to another means for its timers and for who does the step."""
    source, target = old.node_by_key[before.node_key], new.node_by_key[after.node_key]
    had, will = _waits(old, source), _waits(new, target)
    handler_changes = after.state is TokenState.ACTIVE and old.handler_of(
        source.key, facts
    ) != new.handler_of(target.key, facts)
    if source.key != target.key:
        how = How.MOVED
    else:
        how = How.SEATED if had != will or handler_changes or source.kind is not target.kind else How.KEPT
    return Seat(before, after, how, _fate(how, had, will), handler_changes)


def _seat(
    old: Graph, new: Graph, token: Token, mapping: Mapping[str, str], facts: Mapping[str, Any]
) -> Seat | Stays:
    target = new.node_by_key.get(mapping.get(token.node_key, token.node_key))
    if target is None:
        return Stays("migration.no_node", {"node": token.node_key})
    is_waiting = token.state is TokenState.WAITING
    if is_join(target) if not is_waiting else not is_join(target):
        return Stays("migration.no_step", {"node": target.key})
    if not is_waiting and target.kind not in WAITING_KINDS:
        return Stays("migration.no_step", {"node": target.key})
    forks = _forks(new, token, target)
    if isinstance(forks, Stays):
        return forks
    return seated(old, new, token, replace(token, node_key=target.key, forks=forks), facts=facts)


def _waits(graph: Graph, node: Node) -> tuple[Any, ...]:
    """Everything that is armed for a token at a node."""
    own = ((node.delay_seconds, node.until_field, node.calendar),) if node.kind is NodeKind.TIMER else ()
    edges = graph.edges_from(node.key, EdgeKind.TIMEOUT)
    return (*own, *((edge.key, edge.after_seconds, edge.calendar) for edge in edges))


def _fate(how: How, had: tuple[Any, ...], will: tuple[Any, ...]) -> TimerFate:
    if not will:
        return TimerFate.CANCELLED if had else TimerFate.NONE
    if not had:
        return TimerFate.ARMED
    return TimerFate.KEPT if how is How.KEPT else TimerFate.REARMED


def _forks(new: Graph, token: Token, target: Node) -> tuple[Fork, ...] | Stays:
    """What the token remembers of the splits it is inside, in the words of the new version."""
    under = new.structure.branches.get(target.key)
    if under is None:
        return Stays("migration.unreachable", {"node": target.key})
    if is_join(target):
        branch = token.forks[-1].branch if token.forks else ""
        if branch not in {edge.key for edge in _ways_into(new, target)}:
            return Stays("migration.branch_gone", {"node": target.key})
        under = (*under, branch)
    if len(under) != len(token.forks):
        return Stays("migration.other_depth", {"node": target.key})
    return tuple(Fork(fork.id, branch) for fork, branch in zip(token.forks, under, strict=True))


def _ways_into(new: Graph, join: Node) -> tuple[Edge, ...]:
    split = new.structure.split_of.get(join.key)
    return () if split is None else new.edges_from(split, EdgeKind.FORWARD)


def _torn(new: Graph, seats: list[Seat]) -> Stays | None:
    """Whether parallel work would not fit together any more."""
    splits: defaultdict[int, set[str]] = defaultdict(set)
    branches: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    at_work: set[int] = set()
    for seat in seats:
        for was, fork in zip(seat.before.forks, seat.after.forks, strict=True):
            splits[fork.id].add(new.edge_by_key[fork.branch].source)
            branches[fork.id].add((was.branch, fork.branch))
            if seat.after.state is TokenState.ACTIVE:
                at_work.add(fork.id)
    for fork_id, sources in splits.items():
        split = min(sources)
        pairs = branches[fork_id]
        is_one_to_one = len({was for was, _ in pairs}) == len({now for _, now in pairs}) == len(pairs)
        if len(sources) > 1 or not is_one_to_one or fork_id not in at_work:
            return Stays("migration.branches_differ", {"node": split})
        wanted = {edge.key for edge in new.edges_from(split, EdgeKind.FORWARD)}
        if new.node_by_key[split].kind is NodeKind.PARALLEL and {now for _, now in pairs} != wanted:
            return Stays("migration.branch_missing", {"node": split})
    return None


def _unfillable(new: Graph, tokens: tuple[Token, ...], form_fields: Collection[str]) -> Stays | None:
    """A step ahead that must have a field which the ticket's own form does not know."""
    ahead = frozenset[str]().union(*(new.following(token.node_key) for token in tokens))
    for node in new.nodes:
        if node.key not in ahead:
            continue
        for use in node.fields:
            if use.required and use.key not in form_fields:
                return Stays("migration.field_unknown", {"node": node.key, "field": use.key})
    return None
