"""What a change of the rules would do to the tickets that are open: who would be chosen, how work would be
spread, how far people would go. Pure; nothing is assigned.

Both rule sets are asked the same: each task in turn goes to the best who may take it, from loads without
any of these tasks, so that a plan is compared with a plan and not with what became of the day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ticket_console.dispatch import deciding
from ticket_console.dispatch.deciding import Circumstances
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rules import DispatchPolicy
from ticket_console.dispatch.spread import gini_bp
from ticket_console.people.roster import Roster


@dataclass(frozen=True, slots=True)
class Spread:
    """What one rule set gives: tasks that found somebody, the way in metres, and everybody's load.

    `busiest` is the most open work anybody would have; `gini_bp` how unequally it lies, in basis points:
    0 where all have the same.
    """

    placed: int
    left: int
    metres: int
    busiest: int
    gini_bp: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A task that would go to somebody else; None is nobody."""

    ticket_id: int
    before: int | None
    after: int | None
    before_metres: int | None
    after_metres: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    tasks: int
    before: Spread
    after: Spread
    moved: tuple[Moved, ...]


Chosen = dict[int, tuple[int, int | None]]


def compare(
    people: Roster,
    loads: Mapping[int, int],
    needs: Sequence[Need],
    *,
    at: datetime,
    before: Callable[[Need], DispatchPolicy],
    after: Callable[[Need], DispatchPolicy],
    known: Callable[[Need, DispatchPolicy], Circumstances],
) -> Compared:
    """`loads` are everybody's without these tasks; `known` reads what a policy weighs of a task."""
    old, old_loads = _assigned(people, loads, needs, at, before, known)
    new, new_loads = _assigned(people, loads, needs, at, after, known)
    moved = tuple(
        Moved(
            need.ticket_id,
            before=was[0],
            after=becomes[0],
            before_metres=was[1],
            after_metres=becomes[1],
        )
        for need in needs
        if (was := old.get(need.token_id, _NOBODY))[0] != (becomes := new.get(need.token_id, _NOBODY))[0]
    )
    return Compared(
        tasks=len(needs),
        before=_spread(len(needs), old, people, old_loads),
        after=_spread(len(needs), new, people, new_loads),
        moved=moved,
    )


_NOBODY: tuple[None, None] = (None, None)


def _assigned(
    people: Roster,
    loads: Mapping[int, int],
    needs: Sequence[Need],
    at: datetime,
    policy_of: Callable[[Need], DispatchPolicy],
    known: Callable[[Need, DispatchPolicy], Circumstances],
) -> tuple[Chosen, dict[int, int]]:
    chosen: Chosen = {}
    counted = dict(loads)
    for need in needs:
        policy = policy_of(need)
        considered = deciding.consider(
            people, counted, need, at=at, policy=policy, circumstances=known(need, policy)
        )
        if considered.by_score:
            best = considered.by_score[0]
            chosen[need.token_id] = (best.technician_id, best.metres)
            counted[best.technician_id] = counted.get(best.technician_id, 0) + 1
    return chosen, counted


def _spread(tasks: int, chosen: Chosen, people: Roster, loads: Mapping[int, int]) -> Spread:
    working = [
        loads.get(each.technician_id, 0) for each in people.candidates if each.is_active and each.is_on_duty
    ]
    return Spread(
        placed=len(chosen),
        left=tasks - len(chosen),
        metres=sum(metres or 0 for _, metres in chosen.values()),
        busiest=max(working, default=0),
        gini_bp=gini_bp(working),
    )
