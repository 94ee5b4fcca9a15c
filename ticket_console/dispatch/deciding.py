"""Weighing a whole roster for one task, and the spelling in which a decision keeps everybody's numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

from ticket_console.dispatch import scoring
from ticket_console.dispatch.eligibility import (
    Failure,
    Filter,
    Need,
    judge_load,
    judge_standing,
    skill_level,
)
from ticket_console.dispatch.scoring import Scored
from ticket_console.kernel.geo import distance_km
from ticket_console.people.candidate import Candidate
from ticket_console.people.roster import Roster

# A decision keeps the best of those who could, and the reasons of those who came closest to it.
RANKED_KEPT: Final = 10
FAILED_KEPT: Final = 50
_MEMO_SIZE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a kind of task until the day, a shift or the roster changes: all but the loads.

    `passing` comes with the level of the skill that was asked for.
    """

    passing: tuple[tuple[Candidate, int], ...]
    failed: Mapping[int, tuple[Failure, ...]]
    counts: Mapping[str, int]
    told: tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class Considered:
    """A roster weighed for one task: those who may, best first, and those who may not.

    `full` are the people at their capacity, among them some who fail other filters as well.
    """

    standing: Standing
    by_score: list[Scored]
    full: dict[int, Failure] = field(default_factory=dict)

    def reject(self, technician_id: int, failure: Failure) -> None:
        """Take out somebody whose last room was taken while we looked."""
        self.full[technician_id] = failure
        self.by_score = [scored for scored in self.by_score if scored.technician_id != technician_id]

    def failures_of(self, technician_id: int) -> tuple[Failure, ...]:
        standing = self.standing.failed.get(technician_id, ())
        crowded = self.full.get(technician_id)
        return standing if crowded is None else (*standing, crowded)

    def ranked(self, chosen: Scored | None = None) -> tuple[Scored, ...]:
        """The candidates a decision keeps: the best ones, and the chosen one wherever they rank."""
        best = tuple(self.by_score[:RANKED_KEPT])
        return best if chosen is None or chosen in best else (*best, chosen)

    def counts(self) -> dict[str, int]:
        """How many people each filter kept out; who fails two is counted in both."""
        counts = dict(self.standing.counts)
        if self.full:
            counts[Filter.FULL.value] = len(self.full)
        return counts

    def spelled(self, chosen: Scored | None) -> list[Mapping[str, Any]]:
        """Everybody's numbers, as the decision keeps them."""
        ranked = self.ranked(chosen)
        entries: list[Mapping[str, Any]] = [spell_scored(scored) for scored in ranked]
        entries += self._told()
        unlisted = sum(1 for scored in self.by_score[RANKED_KEPT:] if scored != chosen)
        if unlisted:
            entries.append({"unlisted": unlisted})
        return entries

    def _told(self) -> Iterable[Mapping[str, Any]]:
        if not self.full:
            return self.standing.told
        everybody = {**self.standing.failed, **{each: self.failures_of(each) for each in self.full}}
        return tell_failed(everybody)


# Thousands of tasks of the same kind arrive between two changes of the roster.
_memo: WeakKeyDictionary[Roster, dict[tuple[Any, ...], Standing]] = WeakKeyDictionary()


def consider(people: Roster, loads: Mapping[int, int], need: Need, *, at: datetime) -> Considered:
    """Judge everybody and score those who pass; `loads` may leave out people without any task."""
    on = people.local_day(at, need.region_id)
    standing = _standing(people, need, at=at, on=on)
    crowded = (
        (candidate.technician_id, judge_load(candidate, loads.get(candidate.technician_id, 0)))
        for candidate in people.candidates
    )
    full = {technician_id: failure for technician_id, failure in crowded if failure is not None}
    eligible = [
        _score(candidate, need, level=level, open_count=loads.get(candidate.technician_id, 0))
        for candidate, level in standing.passing
        if candidate.technician_id not in full
    ]
    return Considered(standing, scoring.rank(eligible), full)


def score_of(candidate: Candidate, need: Need, *, on: date, open_count: int) -> Scored:
    """The numbers of one person, whether or not they pass the filters."""
    level = skill_level(candidate, need.skill, on)
    return _score(candidate, need, level=level, open_count=open_count)


def _score(candidate: Candidate, need: Need, *, level: int, open_count: int) -> Scored:
    metres = None
    if need.lat is not None and need.lon is not None:
        metres = round(distance_km(candidate.lat, candidate.lon, need.lat, need.lon) * 1000)
    return scoring.score(
        candidate.technician_id,
        metres=metres,
        open_count=open_count,
        capacity=candidate.capacity,
        level=level,
    )


def _standing(people: Roster, need: Need, *, at: datetime, on: date) -> Standing:
    memo = _memo.setdefault(people, {})
    kind = (need.skill, need.region_id, need.territory_id, on, people.turn(at))
    standing = memo.get(kind)
    if standing is None:
        if len(memo) >= _MEMO_SIZE:
            memo.clear()
        standing = memo[kind] = _judge_all(people.candidates, need, at=at, on=on)
    return standing


def _judge_all(candidates: Iterable[Candidate], need: Need, *, at: datetime, on: date) -> Standing:
    passing: list[tuple[Candidate, int]] = []
    failed: dict[int, tuple[Failure, ...]] = {}
    for candidate in candidates:
        failures = judge_standing(candidate, need, at=at, on=on)
        if failures:
            failed[candidate.technician_id] = failures
        else:
            passing.append((candidate, skill_level(candidate, need.skill, on)))
    counts = Counter(failure.code.value for failures in failed.values() for failure in failures)
    return Standing(tuple(passing), failed, counts, tell_failed(failed))


def spell_scored(scored: Scored) -> dict[str, Any]:
    return {
        "id": scored.technician_id,
        "metres": scored.metres,
        "open": scored.open_count,
        "of": scored.capacity,
        "level": scored.level,
        "points": scored.points,
        "score": scored.score,
    }


def read_scored(entry: Mapping[str, Any]) -> Scored:
    return Scored(
        technician_id=entry["id"],
        metres=entry["metres"],
        open_count=entry["open"],
        capacity=entry["of"],
        level=entry["level"],
        points=tuple(entry["points"]),
        score=entry["score"],
    )


def tell_failed(failed: Mapping[int, tuple[Failure, ...]]) -> tuple[Mapping[str, Any], ...]:
    """People with the same reasons share an entry; those with the fewest reasons are told first."""
    closest = sorted(failed, key=lambda technician_id: (len(failed[technician_id]), technician_id))
    groups: dict[str, dict[str, Any]] = {}
    for technician_id in closest[:FAILED_KEPT]:
        failures = [[failure.code.value, dict(failure.params)] for failure in failed[technician_id]]
        groups.setdefault(str(failures), {"ids": [], "failed": failures})["ids"].append(technician_id)
    return tuple(groups.values())


def read_failures(entry: Mapping[str, Any]) -> tuple[Failure, ...]:
    return tuple(Failure(Filter(code), params) for code, params in entry["failed"])
