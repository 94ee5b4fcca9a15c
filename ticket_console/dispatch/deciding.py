"""Weighing a whole roster for one task, and the spelling in which a decision keeps everybody's numbers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from math import radians
from typing import Any, Final, overload
from weakref import WeakKeyDictionary

import numpy as np

from ticket_console.dispatch import scoring
from ticket_console.dispatch.counterfactual import WeighedBy
from ticket_console.dispatch.eligibility import (
    STANDARD_TRAVEL,
    Failure,
    Filter,
    Need,
    is_certified,
    judge_standing,
    judge_task,
    skill_level,
    too_far,
)
from ticket_console.dispatch.rules import STANDARD, DispatchPolicy, ShiftEnd, Term, Weights
from ticket_console.dispatch.scoring import STRANGER, UNKNOWN, Facts, Flags, Measure, Real, Scored, Whole
from ticket_console.dispatch.visits import Planned, Travel
from ticket_console.people.candidate import Candidate
from ticket_console.people.roster import Roster

# A decision keeps the best of those who could, the reasons of those who came closest to it, and the
# numbers of the very closest.
RANKED_KEPT: Final = 10
FAILED_KEPT: Final = 50
CLOSEST_KEPT: Final = 5
_MEMO_SIZE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Months:
    """What people finished within thirty days, as columns in the order of their ids."""

    ids: Whole
    hard_jobs: Whole
    income_minor: Whole

    @classmethod
    def of(cls, found: Mapping[int, tuple[int, int]]) -> "Months":
        """From hard jobs and income by technician."""
        listed = sorted(found)
        return cls(
            ids=np.array(listed, dtype=np.int64),
            hard_jobs=np.array([found[each][0] for each in listed], dtype=np.int64),
            income_minor=np.array([found[each][1] for each in listed], dtype=np.int64),
        )


NO_MONTHS: Final = Months.of({})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else is known of the people when a task comes up; whoever is not mentioned has none of it.

    `familiar` says who knows the customer or the device, `visits` what stands in their plans.
    """

    months: Months = NO_MONTHS
    familiar: Mapping[int, int] = field(default_factory=dict)
    visits: Mapping[int, Sequence[Planned]] = field(default_factory=dict)
    travel: Travel = STANDARD_TRAVEL


NOTHING_KNOWN: Final = Circumstances()


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a kind of task until the day, a shift or the roster changes: all but the loads.

    `passing` comes with the level of the skill that was asked for. `levels` are everybody's; those of
    people whose certificate does not hold that day are what it would give them.
    """

    passing: tuple[tuple[Candidate, int], ...]
    failed: Mapping[int, tuple[Failure, ...]]
    counts: Mapping[str, int]
    told: tuple[Mapping[str, Any], ...]
    passes: Flags
    levels: Whole
    certified: Flags
    failures: Whole


@dataclass(frozen=True, slots=True)
class _People:
    """A roster as columns, in the order of the ids; angles in radians."""

    ids: Whole
    positions: Mapping[int, int]
    lat: Real
    lon: Real
    capacities: Whole


class Ranking(Sequence[Scored]):
    """Those who may, best first; the numbers of each are put together when somebody looks at them."""

    __slots__ = ("_order", "_weighed")

    def __init__(self, weighed: "Weighed", order: Sequence[int]) -> None:
        self._weighed = weighed
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Scored: ...
    @overload
    def __getitem__(self, index: slice) -> list[Scored]: ...
    def __getitem__(self, index: int | slice) -> Scored | list[Scored]:
        if isinstance(index, slice):
            return [self._weighed.scored(int(position)) for position in self._order[index]]
        return self._weighed.scored(int(self._order[index]))

    @property
    def positions(self) -> Sequence[int]:
        return self._order

    def __iter__(self) -> Iterator[Scored]:
        return (self._weighed.scored(int(position)) for position in self._order)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Everybody's facts, points and scores as columns, whether or not they may take the task."""

    people: _People
    facts: Facts
    points: tuple[Whole | None, ...]
    scores: Whole
    bands: Whole
    slack: Whole | None
    certified: Flags

    def scored(self, position: int) -> Scored:
        facts, metres = self.facts, int(self.facts.metres[position])
        return Scored(
            technician_id=int(self.people.ids[position]),
            metres=None if metres == UNKNOWN else metres,
            open_count=int(facts.open_counts[position]),
            capacity=int(facts.capacities[position]),
            level=int(facts.levels[position]),
            points=tuple(0 if each is None else int(each[position]) for each in self.points),
            score=int(self.scores[position]),
            band=int(self.bands[position]),
            hard_jobs=int(facts.hard_jobs[position]),
            familiar=int(facts.familiar[position]),
            slack_minutes=None if self.slack is None else int(self.slack[position]),
            certified=bool(self.certified[position]),
        )


@dataclass(slots=True)
class Considered:
    """A roster weighed for one task: those who may, best first, and those who may not.

    `full` marks the people at their capacity, `filled` are those who were filled up while we looked, and
    `kept_out` those whom something about this very task keeps out; among all of them are some who fail other
    filters as well.
    """

    policy: DispatchPolicy
    weighed_by: WeighedBy
    standing: Standing
    weighed: Weighed
    by_score: Ranking
    full: Flags
    kept_out: dict[int, tuple[Failure, ...]]
    filled: dict[int, Failure] = field(default_factory=dict)

    def reject(self, technician_id: int, failure: Failure) -> None:
        """Take out somebody whose last room was taken while we looked."""
        self.filled[technician_id] = failure
        self.full[self.weighed.people.positions[technician_id]] = True
        ids = self.weighed.people.ids
        rest = [position for position in self.by_score.positions if ids[position] != technician_id]
        self.by_score = Ranking(self.weighed, rest)

    def score_of(self, technician_id: int) -> Scored:
        """The numbers of one person, whether or not they pass the filters."""
        return self.weighed.scored(self.weighed.people.positions[technician_id])

    def failures_of(self, technician_id: int) -> tuple[Failure, ...]:
        found = (
            *self.standing.failed.get(technician_id, ()),
            *self.kept_out.get(technician_id, ()),
        )
        position = self.weighed.people.positions[technician_id]
        return (*found, self._crowded(technician_id, position)) if self.full[position] else found

    def _crowded(self, technician_id: int, position: int) -> Failure:
        facts = self.weighed.facts
        return self.filled.get(technician_id) or Failure(
            Filter.FULL,
            {"open": int(facts.open_counts[position]), "capacity": int(facts.capacities[position])},
        )

    @property
    def weights(self) -> Weights:
        return self.weighed_by.weights

    def ranked(self, chosen: Scored | None = None) -> tuple[Scored, ...]:
        """The candidates a decision keeps: the best ones, and the chosen one wherever they rank."""
        best = tuple(self.by_score[:RANKED_KEPT])
        return best if chosen is None or chosen in best else (*best, chosen)

    def counts(self) -> dict[str, int]:
        """How many people each filter kept out; who fails two is counted in both."""
        counts = dict(self.standing.counts)
        for failures in self.kept_out.values():
            for failure in failures:
                counts[failure.code.value] = counts.get(failure.code.value, 0) + 1
        full = int(np.count_nonzero(self.full))
        if full:
            counts[Filter.FULL.value] = full
        return counts

    def spelled(self, chosen: Scored | None) -> list[Mapping[str, Any]]:
        """Everybody's numbers, as the decision keeps them."""
        ranked = self.ranked(chosen)
        entries: list[Mapping[str, Any]] = [spell_scored(scored) for scored in ranked]
        told = self._told()
        entries += told
        known = {each.technician_id for each in ranked}
        closest = [each for entry in told for each in entry["ids"] if each not in known][:CLOSEST_KEPT]
        entries += [{"out": spell_scored(self.score_of(each))} for each in closest]
        listed = self.by_score[:RANKED_KEPT]
        unlisted = len(self.by_score) - len(listed)
        if chosen is not None and chosen not in listed and not self.failures_of(chosen.technician_id):
            unlisted -= 1
        if unlisted > 0:
            entries.append({"unlisted": unlisted})
        return entries

    def terms(self) -> dict[str, Any]:
        """What the numbers were weighed by, kept with them: policies change, decisions do not."""
        return self.weighed_by.as_json()

    def _told(self) -> Sequence[Mapping[str, Any]]:
        if not self.kept_out and not self.full.any():
            return self.standing.told
        failures = self.standing.failures + self.full
        positions = self.weighed.people.positions
        for technician_id, kept_out in self.kept_out.items():
            failures[positions[technician_id]] += len(kept_out)
        failing = np.flatnonzero(failures)
        closest = failing[np.argsort(failures[failing], kind="stable")][:FAILED_KEPT]
        ids = [int(each) for each in self.weighed.people.ids[closest]]
        return tell_failed({each: self.failures_of(each) for each in ids})


# Thousands of tasks of the same kind arrive between two changes of the roster.
_memo: WeakKeyDictionary[Roster, dict[tuple[Any, ...], Standing]] = WeakKeyDictionary()
_columns: WeakKeyDictionary[Roster, _People] = WeakKeyDictionary()


def consider(
    people: Roster,
    loads: Mapping[int, int],
    need: Need,
    *,
    at: datetime,
    policy: DispatchPolicy = STANDARD,
    circumstances: Circumstances = NOTHING_KNOWN,
) -> Considered:
    """Judge everybody and score them; `loads` may leave out people without any task."""
    on = day_of(people, need, at)
    standing = standing_for(people, need, at=at, on=on, policy=policy)
    columns = columns_of(people)
    weights = policy.weights_for(is_vip=need.is_vip)
    measure = measure_of(need, circumstances, at)
    weighed = _weigh(columns, standing, loads, need, policy, weights, measure, circumstances)
    full = weighed.facts.open_counts >= columns.capacities
    kept_out = _kept_out(people, need, weighed, at=at, policy=policy, circumstances=circumstances)
    may = standing.passes & ~full
    for technician_id in kept_out:
        may[columns.positions[technician_id]] = False
    eligible = np.flatnonzero(may)
    best = scoring.order(columns.ids[eligible], weighed.bands[eligible], weighed.scores[eligible])
    ranking = Ranking(weighed, eligible[best].tolist())
    by = WeighedBy.of(policy, weights, measure, on=on, brand=need.brand)
    return Considered(policy, by, standing, weighed, ranking, full, kept_out)


def measure_of(need: Need, circumstances: Circumstances, at: datetime) -> Measure:
    months = circumstances.months
    return Measure(
        work_minutes=need.work_minutes,
        minutes_left=scoring.minutes_until(need.due_at, at),
        people=len(months.ids),
        hard_jobs=int(months.hard_jobs.sum()),
        income_minor=int(months.income_minor.sum()),
    )


def day_of(people: Roster, need: Need, at: datetime) -> date:
    """The calendar day of the work where it is done."""
    return people.local_day(at if need.span is None else need.span.starts_at, need.region_id)


def standing_for(
    people: Roster, need: Need, *, at: datetime, on: date, policy: DispatchPolicy = STANDARD
) -> Standing:
    """Who passes every filter but those of the load and the very task, for tasks of this kind on this
    day; kept in memory."""
    memo = _memo.setdefault(people, {})
    lasting = policy.filters.shift_end is ShiftEnd.REFUSE
    kind = (
        need.skill,
        need.region_id,
        need.territory_id,
        need.ticket_class,
        need.brand,
        on,
        people.turn(at),
        people.turn_before(need.window(at).ends_at) if lasting else None,
        need.span,
        policy.filters,
    )
    standing = memo.get(kind)
    if standing is None:
        if len(memo) >= _MEMO_SIZE:
            memo.clear()
        standing = memo[kind] = _judge_all(people.candidates, need, at=at, on=on, policy=policy)
    return standing


def columns_of(people: Roster) -> _People:
    found = _columns.get(people)
    if found is None:
        found = _columns[people] = _columns_of(people.candidates)
    return found


def _columns_of(candidates: Sequence[Candidate]) -> _People:
    return _People(
        ids=np.array([each.technician_id for each in candidates], dtype=np.int64),
        positions={each.technician_id: position for position, each in enumerate(candidates)},
        lat=np.array([radians(each.lat) for each in candidates], dtype=np.float64),
        lon=np.array([radians(each.lon) for each in candidates], dtype=np.float64),
        capacities=np.array([each.capacity for each in candidates], dtype=np.int64),
    )


def _weigh(
    people: _People,
    standing: Standing,
    loads: Mapping[int, int],
    need: Need,
    policy: DispatchPolicy,
    weights: Weights,
    measure: Measure,
    circumstances: Circumstances,
) -> Weighed:
    months = circumstances.months
    facts = Facts(
        metres=metres_to(people, need),
        open_counts=_column(people, loads),
        capacities=people.capacities,
        levels=standing.levels,
        hard_jobs=_aligned(people, months.ids, months.hard_jobs),
        income_minor=_aligned(people, months.ids, months.income_minor),
        familiar=_column(people, circumstances.familiar),
    )
    earned = tuple(scoring.points(facts, policy.scales, measure, weights))
    return Weighed(
        people=people,
        facts=facts,
        points=earned,
        scores=scoring.total(earned, weights),
        bands=scoring.bands_of(policy.bands, facts.metres, standing.certified),
        slack=scoring.slack(facts, policy.scales, measure) if weights[_SLACK] else None,
        certified=standing.certified,
    )


_SLACK: Final = tuple(Term).index(Term.SLACK)


def metres_to(people: _People, need: Need) -> Whole:
    """Everybody's distance to the task; UNKNOWN where its place is."""
    if need.lat is None or need.lon is None:
        return np.full(people.ids.shape, UNKNOWN, dtype=np.int64)
    return scoring.distances(radians(need.lat), radians(need.lon), people.lat, people.lon)


def _column(people: _People, figures: Mapping[int, int]) -> Whole:
    """Figures by person as a column, nought for whoever is not mentioned."""
    count = len(figures)
    return _aligned(
        people,
        np.fromiter(figures.keys(), dtype=np.int64, count=count),
        np.fromiter(figures.values(), dtype=np.int64, count=count),
    )


def _aligned(people: _People, ids: Whole, figures: Whole) -> Whole:
    """Figures of some people in the places of the roster, whose ids come in order."""
    column = np.zeros(people.ids.shape, dtype=np.int64)
    if not ids.size or not column.size:
        return column
    places = np.minimum(np.searchsorted(people.ids, ids), column.size - 1)
    known = people.ids[places] == ids
    column[places[known]] = figures[known]
    return column


def _kept_out(
    people: Roster,
    need: Need,
    weighed: Weighed,
    *,
    at: datetime,
    policy: DispatchPolicy,
    circumstances: Circumstances,
) -> dict[int, tuple[Failure, ...]]:
    """Whom something about this very task keeps out: no ring that holds them, a visit, their own refusal."""
    found: dict[int, tuple[Failure, ...]] = {}
    if policy.bands_limit and policy.bands:
        beyond = (too_far(need),)
        outside = weighed.people.ids[weighed.bands == len(policy.bands)]
        found = {int(technician_id): beyond for technician_id in outside}
    for technician_id in {**circumstances.visits, **need.refused_by}:
        candidate = people.by_id.get(technician_id)
        if candidate is None:
            continue
        failures = judge_task(
            candidate,
            need,
            at=at,
            filters=policy.filters,
            visits=circumstances.visits.get(technician_id, ()),
            travel=circumstances.travel,
        )
        if failures:
            found[technician_id] = (*found.get(technician_id, ()), *failures)
    return found


def _judge_all(
    candidates: Iterable[Candidate], need: Need, *, at: datetime, on: date, policy: DispatchPolicy
) -> Standing:
    passing: list[tuple[Candidate, int]] = []
    failed: dict[int, tuple[Failure, ...]] = {}
    passes, levels, certified, numbers = [], [], [], []
    for candidate in candidates:
        failures = judge_standing(candidate, need, at=at, on=on, filters=policy.filters)
        level = skill_level(candidate, need.skill, on)
        if failures:
            failed[candidate.technician_id] = failures
        else:
            passing.append((candidate, level))
        passes.append(not failures)
        levels.append(level or _level_of_any(candidate, need.skill))
        certified.append(is_certified(candidate, need.brand, on))
        numbers.append(len(failures))
    counts = Counter(failure.code.value for failures in failed.values() for failure in failures)
    return Standing(
        passing=tuple(passing),
        failed=failed,
        counts=counts,
        told=tell_failed(failed),
        passes=np.array(passes, dtype=np.bool_),
        levels=np.array(levels, dtype=np.int64),
        certified=np.array(certified, dtype=np.bool_),
        failures=np.array(numbers, dtype=np.int64),
    )


def _level_of_any(candidate: Candidate, skill: str | None) -> int:
    held = () if skill is None else candidate.certificates.get(skill, ())
    return max((certificate.level for certificate in held), default=0)


def spell_scored(scored: Scored) -> dict[str, Any]:
    """The numbers of somebody; what is nought or unknown beyond the usual ones is left out."""
    entry: dict[str, Any] = {
        "id": scored.technician_id,
        "metres": scored.metres,
        "open": scored.open_count,
        "of": scored.capacity,
        "level": scored.level,
        "points": scored.points,
        "score": scored.score,
    }
    if scored.band:
        entry["band"] = scored.band
    if scored.hard_jobs:
        entry["hard"] = scored.hard_jobs
    if scored.familiar:
        entry["knows"] = scored.familiar
    if scored.slack_minutes is not None:
        entry["slack"] = scored.slack_minutes
    if not scored.certified:
        entry["uncertified"] = True
    return entry


def read_scored(entry: Mapping[str, Any]) -> Scored:
    return Scored(
        technician_id=entry["id"],
        metres=entry["metres"],
        open_count=entry["open"],
        capacity=entry["of"],
        level=entry["level"],
        points=tuple(entry["points"]),
        score=entry["score"],
        band=entry.get("band", 0),
        hard_jobs=entry.get("hard", 0),
        familiar=entry.get("knows", STRANGER),
        slack_minutes=entry.get("slack"),
        certified=not entry.get("uncertified", False),
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
