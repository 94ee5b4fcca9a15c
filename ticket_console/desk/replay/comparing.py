"""What would have been different: two courses of one ticket compared, and the differences added up.

Tallies are plain sums and lists that can be added to one another, so windows may be done in any order and in
several processes. Nothing here looks at the database.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median_low
from typing import Any, Final

from ticket_console.clocks import targets
from ticket_console.desk.replay.dwelling import who
from ticket_console.desk.replay.playing import Course, Stay
from ticket_console.flows.elements import HANDLED_KINDS, HandlerMode
from ticket_console.flows.graph import Graph
from ticket_console.tickets.marking import Marking, TicketStatus

# What settling at one moment of one course would pay, in minor units.
Price = Callable[[Course], int]


class Kind(StrEnum):
    """How a ticket differs; a ticket may differ in several ways."""

    PATH = "path"
    LONGER = "longer"
    SHORTER = "shorter"
    BREACH = "breach"
    KEPT = "kept"
    DEARER = "dearer"
    CHEAPER = "cheaper"
    STUCK = "stuck"


class Target(StrEnum):
    """What a ticket can be late for: to be answered, to be solved, a step to be taken up or to be done."""

    RESPONSE = "response"
    RESOLUTION = "resolution"
    CLAIM = "claim"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Difference:
    """One ticket that would have gone another way. Seconds and cost are draft minus base."""

    ticket_id: int
    kinds: tuple[Kind, ...]
    seconds: int
    cost_minor: int
    breached: tuple[Target, ...]
    kept: tuple[Target, ...]
    base_end: str
    draft_end: str


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when a ticket of this priority, opened then, is to be answered and solved."""

    response: datetime
    resolution: datetime

    @classmethod
    def of(cls, *, priority: int, opened_at: datetime, due_at: datetime | None) -> "Deadlines":
        return cls(
            targets.response_due_at(priority=priority, opened_at=opened_at),
            due_at or targets.due_at(priority=priority, opened_at=opened_at),
        )


@dataclass(frozen=True, slots=True)
class Played:
    """A course and the flow it was played on."""

    graph: Graph
    course: Course


def compare(
    ticket_id: int, base: Played, draft: Played, *, deadlines: Deadlines, as_of: datetime, price: Price
) -> Difference | None:
    """How the ticket would have differed, or None. A price is asked for only where the facts may differ."""
    kinds = []
    if draft.course.stuck is not None:
        kinds.append(Kind.STUCK)
    if takes_another_path(base, draft):
        kinds.append(Kind.PATH)
    seconds = _seconds(_span(draft.course) - _span(base.course))
    if seconds:
        kinds.append(Kind.LONGER if seconds > 0 else Kind.SHORTER)
    was, would = (breaches(each, deadlines, as_of) for each in (base, draft))
    breached, kept = _excess(would, was), _excess(was, would)
    if breached:
        kinds.append(Kind.BREACH)
    if kept:
        kinds.append(Kind.KEPT)
    cost = 0 if draft.course.settled == base.course.settled else price(draft.course) - price(base.course)
    if cost:
        kinds.append(Kind.DEARER if cost > 0 else Kind.CHEAPER)
    if not kinds:
        return None
    return Difference(
        ticket_id, tuple(kinds), seconds, cost, breached, kept, end_of(base.course), end_of(draft.course)
    )


def takes_another_path(base: Played, draft: Played) -> bool:
    """Whether other edges are walked, or the same ones another number of times.

    The order does not count: parallel branches overtake each other without being another way.
    """
    return Counter(base.course.edges()) != Counter(draft.course.edges()) or _ends_elsewhere(base, draft)


def _ends_elsewhere(base: Played, draft: Played) -> bool:
    return standing(base.course.marking) != standing(draft.course.marking)


def standing(marking: Marking) -> tuple[str, str | None, tuple[str, ...]]:
    """Where a ticket stands, whatever its tokens are called."""
    return marking.status.value, marking.ended_at, tuple(sorted(token.node_key for token in marking.tokens))


def end_of(course: Course) -> str:
    """The node at which a course ends: of an open ticket the one it has come to."""
    marking = course.marking
    if marking.status is not TicketStatus.OPEN:
        return marking.ended_at or marking.status.value
    return marking.tokens[-1].node_key if marking.tokens else ""


def breaches(played: Played, deadlines: Deadlines, as_of: datetime) -> Counter[Target]:
    """How often each target is missed."""
    course, found = played.course, Counter[Target]()
    # A ticket that is given up is late for nothing any more.
    over = course.closed_at or as_of
    is_cancelled = course.marking.status is TicketStatus.CANCELLED
    if (course.responded_at or over) > deadlines.response and not (
        is_cancelled and course.responded_at is None
    ):
        found[Target.RESPONSE] += 1
    if not is_cancelled and (course.resolved_at or over) > deadlines.resolution:
        found[Target.RESOLUTION] += 1
    for stay in course.stays:
        wanted = stay.node.targets
        if wanted is None:
            continue
        left = stay.left_at or as_of
        if wanted.finish_minutes is not None:
            found[Target.STEP] += left - stay.entered_at > timedelta(minutes=wanted.finish_minutes)
        if wanted.claim_minutes is not None:
            taken = stay.claimed_at or left
            found[Target.CLAIM] += taken - stay.entered_at > timedelta(minutes=wanted.claim_minutes)
    return +found


def _excess(more: Counter[Target], less: Counter[Target]) -> tuple[Target, ...]:
    return tuple(target for target in Target if more[target] > less[target])


def _span(course: Course) -> timedelta:
    return course.moved_at - course.opened_at


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())


@dataclass(slots=True)
class Tally:
    """What adds up over tickets; index 0 is how it was, index 1 how it would have been."""

    tickets: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    seconds_longer: list[int] = field(default_factory=list)
    seconds_shorter: list[int] = field(default_factory=list)
    cost_minor: int = 0
    breached: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    steps: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    names: dict[str, str] = field(default_factory=dict)
    stage_visits: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    stage_seconds: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    edges: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    estimates: Counter[str] = field(default_factory=Counter)
    guessed: int = 0
    stuck: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)
    set_aside_examples: list[int] = field(default_factory=list)
    differences: int = 0

    def add(
        self,
        base: Played,
        draft: Played,
        difference: Difference | None,
        *,
        deadlines: Deadlines,
        as_of: datetime,
    ) -> None:
        self.tickets += 1
        for side, played in enumerate((base, draft)):
            self._add_side(side, played, as_of)
            self.breached[side].update({target.value: 1 for target in breaches(played, deadlines, as_of)})
        course = draft.course
        self.guessed += course.guessed
        if course.stuck is not None:
            self.stuck[course.stuck] += 1
        for stay in course.stays:
            if stay.estimate is not None:
                self.estimates[stay.node.key] += 1
        if difference is not None:
            self.differences += 1
            self.kinds.update(kind.value for kind in difference.kinds)
            self.cost_minor += difference.cost_minor
            if difference.seconds > 0:
                self.seconds_longer.append(difference.seconds)
            elif difference.seconds < 0:
                self.seconds_shorter.append(-difference.seconds)

    def _add_side(self, side: int, played: Played, as_of: datetime) -> None:
        course = played.course
        for leg in course.legs:
            self.edges[side].update(leg.edges)
        for stay in course.stays:
            node = stay.node
            self.stage_visits[side][node.stage] += 1
            over = max(stay.left_at or as_of, stay.entered_at)
            self.stage_seconds[side][node.stage] += _seconds(over - stay.entered_at)
            if stay.done and node.kind in HANDLED_KINDS:
                key, name = _doer(stay)
                self.steps[side][key] += 1
                self.names.setdefault(key, name)

    def leave_out(self, ticket_id: int, reason: str) -> None:
        """A ticket whose history the engine does not lead to where it stands proves nothing about a draft."""
        self.set_aside[reason] += 1
        if len(self.set_aside_examples) < MOST_EXAMPLES:
            self.set_aside_examples.append(ticket_id)

    def merge(self, other: "Tally") -> None:
        self.tickets += other.tickets
        self.kinds += other.kinds
        self.seconds_longer += other.seconds_longer
        self.seconds_shorter += other.seconds_shorter
        self.cost_minor += other.cost_minor
        for name in _SIDED:
            for mine, theirs in zip(getattr(self, name), getattr(other, name), strict=True):
                mine.update(theirs)
        self.names.update(other.names)
        self.estimates += other.estimates
        self.guessed += other.guessed
        self.stuck += other.stuck
        self.set_aside += other.set_aside
        self.set_aside_examples = (self.set_aside_examples + other.set_aside_examples)[:MOST_EXAMPLES]
        self.differences += other.differences

    def as_json(self) -> dict[str, Any]:
        return {name: _plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "Tally":
        tally = cls()
        for name, value in data.items():
            held = getattr(tally, name)
            if isinstance(held, Counter):
                held.update(value)
            elif isinstance(held, tuple):
                for mine, theirs in zip(held, value, strict=True):
                    mine.update(theirs)
            else:
                setattr(tally, name, value)
        return tally


MOST_EXAMPLES: Final = 20
_SIDED: Final = ("breached", "steps", "stage_visits", "stage_seconds", "edges")


def _plain(value: Any) -> Any:
    if isinstance(value, Counter):
        return dict(value)
    return [dict(each) for each in value] if isinstance(value, tuple) else value


def _doer(stay: Stay) -> tuple[str, str]:
    """Whose step it is: who did it, unless the flow gives it to others; then the role it is given to."""
    role = who(stay.node)
    if role == HandlerMode.CUSTOMER.value:
        return "role:customer", ""
    if stay.actor.startswith("user") and not stay.handler_changed:
        return stay.actor, stay.actor_name
    return f"role:{role}", ""


def report(tally: Tally, *, period_seconds: int) -> dict[str, Any]:
    """The figures of a finished run, ready to be kept and shown."""
    sides = ("base", "draft")
    queue = {
        side: {
            stage: round(seconds / period_seconds, 2)
            for stage, seconds in tally.stage_seconds[number].items()
        }
        for number, side in enumerate(sides)
    }
    return {
        "tickets": tally.tickets,
        "differing": tally.differences,
        "kinds": {kind.value: tally.kinds[kind.value] for kind in Kind},
        "longer": _waits(tally.seconds_longer),
        "shorter": _waits(tally.seconds_shorter),
        "cost_minor": tally.cost_minor,
        "breaches": {
            target.value: {side: tally.breached[number][target.value] for number, side in enumerate(sides)}
            for target in Target
        },
        "load": [
            {
                "who": key,
                "name": tally.names.get(key, ""),
                "base": tally.steps[0][key],
                "draft": tally.steps[1][key],
            }
            for key in sorted(
                tally.steps[0] | tally.steps[1],
                key=lambda key: (-abs(tally.steps[1][key] - tally.steps[0][key]), key),
            )
        ],
        "stages": [
            {
                "stage": stage,
                **{
                    side: {
                        "visits": tally.stage_visits[number][stage],
                        "seconds": tally.stage_seconds[number][stage],
                        "queue": queue[side].get(stage, 0.0),
                    }
                    for number, side in enumerate(sides)
                },
            }
            for stage in sorted(tally.stage_visits[0] | tally.stage_visits[1])
        ],
        "edges": {side: dict(tally.edges[number]) for number, side in enumerate(sides)},
        "estimated_steps": sum(tally.estimates.values()),
        "estimates": [{"node": node, "steps": steps} for node, steps in sorted(tally.estimates.items())],
        "guessed_decisions": tally.guessed,
        "stuck": dict(tally.stuck),
        "set_aside": dict(tally.set_aside),
        "set_aside_examples": tally.set_aside_examples,
    }


def _waits(seconds: Iterable[int]) -> dict[str, int]:
    """Of the tickets that wait: how many, how long together, and how long the one in the middle."""
    each = sorted(seconds)
    return {
        "tickets": len(each),
        "seconds": sum(each),
        "median": median_low(each) if each else 0,
    }
