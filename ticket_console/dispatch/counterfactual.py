"""What would have made somebody else the choice: the smallest changes of their own numbers that do.

Pure: the changes are searched with the functions that rank, on the numbers a decision kept. Whoever is
changed so, with everybody else as they were, is ranked before the one who was chosen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np

from ticket_console.dispatch import scoring
from ticket_console.dispatch.eligibility import Failure, Filter
from ticket_console.dispatch.rules import Band, DispatchPolicy, Scales, Term, Weights
from ticket_console.dispatch.scoring import UNKNOWN, Facts, Flags, Measure, Scored, Whole
from ticket_console.kernel.errors import Param

# Distances are told in hundredths of a kilometre, so they are searched in steps of ten metres.
_STEP_M: Final = 10
_FARTHEST_M: Final = 200_000
# How much of a change each is, to tell the nearest first: a task less, a kilometre, a level, a certificate.
_PER_KM: Final = 1.0
_PER_LEVEL: Final = 2.0
_PER_CURE: Final = 3.0
# Somebody with more against them than this is far from being the choice.
_MOST_FAILURES: Final = 2
# What no change of the person's day or papers would have helped against.
_HOPELESS: Final = frozenset({Filter.INACTIVE, Filter.POST, Filter.REGION, Filter.PLACE_UNKNOWN})


@dataclass(frozen=True, slots=True)
class WeighedBy:
    """The weights, scales and rings a decision was made by, and the day certificates were looked at."""

    weights: Weights
    scales: Scales
    bands: tuple[Band, ...]
    is_limit: bool
    measure: Measure
    on: date
    brand: str | None

    @classmethod
    def of(
        cls, policy: DispatchPolicy, weights: Weights, measure: Measure, *, on: date, brand: str | None
    ) -> "WeighedBy":
        return cls(weights, policy.scales, policy.bands, policy.bands_limit, measure, on, brand)

    @classmethod
    def read(cls, terms: Mapping[str, Any]) -> "WeighedBy":
        measure = terms["measure"]
        return cls(
            weights=tuple(terms["weights"]),
            scales=Scales(**terms["scales"]),
            bands=tuple(Band(within_m, certified) for within_m, certified in terms["bands"]),
            is_limit=terms["limit"],
            measure=Measure(work_minutes=measure["work_minutes"], minutes_left=measure["minutes_left"]),
            on=date.fromisoformat(terms["on"]),
            brand=terms["brand"],
        )

    def as_json(self) -> dict[str, Any]:
        """As a decision keeps it. What people earned is not in it: no amount is in a decision."""
        scales = self.scales
        return {
            "weights": self.weights,
            "scales": {name: getattr(scales, name) for name in Scales.__slots__},
            "bands": [[band.within_m, band.certified] for band in self.bands],
            "limit": self.is_limit,
            "measure": {
                "work_minutes": self.measure.work_minutes,
                "minutes_left": self.measure.minutes_left,
            },
            "on": self.on.isoformat(),
            "brand": self.brand,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One number that would have to be another; `to` is the new value, `key` the sentence that says so."""

    kind: str
    params: Mapping[str, Param] = field(default_factory=dict)
    to: int | None = None

    @property
    def key(self) -> str:
        return f"dispatch.if.{self.kind}"


Way = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Start:
    """Somebody with everything mended that keeps them out, and what that takes."""

    rival: Scored
    open_count: int
    least_level: int
    certified: bool
    cures: Way


def ways_to_win(
    rival: Scored, winner: Scored, by: WeighedBy, *, failures: Iterable[Failure] = ()
) -> tuple[Way, ...]:
    """The smallest ways in which the rival would have come before the winner, the nearest first.

    Each way is the only change of its kind: a load, a distance, a level or papers, or, where none of these
    does alone, two of them together. Empty where nothing does, or the rival was before the winner anyway.
    """
    start = _mended(rival, by, tuple(failures))
    if (
        start is None
        or rival.technician_id == winner.technician_id
        or (not start.cures and rival.key < winner.key)
    ):
        return ()
    search = _Search(start, winner, by)
    found = search.singly() or search.in_pairs()
    return tuple(way for _, way in sorted(found, key=lambda each: each[0]))


def _mended(rival: Scored, by: WeighedBy, failures: tuple[Failure, ...]) -> _Start | None:
    codes = {failure.code for failure in failures}
    if len(failures) > _MOST_FAILURES or codes & _HOPELESS:
        return None
    open_count, cures = rival.open_count, []
    if Filter.FULL in codes:
        if rival.capacity < 1:
            return None
        open_count = rival.capacity - 1
        cures.append(_load(open_count))
    brand = {Filter.NO_BRAND, Filter.BRAND_EARLY, Filter.BRAND_EXPIRED}
    least_level = rival.level
    for failure in failures:
        if failure.code is Filter.LEVEL:
            least_level = int(str(failure.params["least"]))
        if failure.code not in _SEARCHED:
            cures.append(Change(failure.code.value, {**failure.params, "on": by.on.isoformat()}))
    if codes & {Filter.NO_SKILL}:
        least_level = max(least_level, 1)
    return _Start(
        rival=rival,
        open_count=open_count,
        least_level=least_level,
        certified=rival.certified or bool(codes & brand),
        cures=tuple(cures),
    )


class _Search:
    def __init__(self, start: _Start, winner: Scored, by: WeighedBy) -> None:
        self.start, self.winner, self.by = start, winner, by
        metres = start.rival.metres
        self.metres = _whole(UNKNOWN if metres is None else metres)
        self.opens = _whole(start.open_count)
        self.levels = _whole(start.least_level)
        self.base = _PER_CURE * len(start.cures)
        self.lower = np.arange(start.open_count - 1, -1, -1, dtype=np.int64)
        farthest = min(metres or 0, _FARTHEST_M)
        self.nearer = (metres or 0) - np.arange(_STEP_M, farthest + 1, _STEP_M, dtype=np.int64)
        self.higher = np.arange(start.least_level + 1, by.scales.top_level + 1, dtype=np.int64)

    def singly(self) -> list[tuple[float, Way]]:
        """The cure alone, or with one change of each kind."""
        if self.start.cures and self.wins(self.metres, self.opens, self.levels):
            return [(self.base, self.start.cures)]
        found = []
        for change, cost in (self._less(), self._nearer(), self._better(), self._with_papers()):
            if change is not None:
                found.append((self.base + cost, self._with(change)))
        return found

    def in_pairs(self) -> list[tuple[float, Way]]:
        """The smallest change of two kinds: fewer tasks or a higher level, and nearer."""
        found = []
        for open_count in self.lower.tolist():
            cost = float(self.start.open_count - open_count)
            found.append(self._nearer_with(_load(open_count), cost, _whole(open_count), self.levels))
        for level in self.higher.tolist():
            cost = _PER_LEVEL * (level - self.start.least_level)
            found.append(self._nearer_with(_level(level), cost, self.opens, _whole(level)))
        possible = [each for each in found if each is not None]
        return [min(possible, key=lambda each: each[0])] if possible else []

    def _nearer_with(
        self, change: Change, cost: float, opens: Whole, levels: Whole
    ) -> tuple[float, Way] | None:
        beating = self.beats(self.nearer, opens, levels)
        if not beating.any():
            return None
        nearer, far = self._by_metres(int(self.nearer[int(np.argmax(beating))]))
        return self.base + cost + far, self._with(change, nearer)

    def wins(self, metres: Whole, opens: Whole, levels: Whole, *, certified: bool | None = None) -> bool:
        return bool(self.beats(metres, opens, levels, certified=certified).any())

    def beats(self, metres: Whole, opens: Whole, levels: Whole, *, certified: bool | None = None) -> Flags:
        """Which of these numbers would come before the winner."""
        rival, by = self.start.rival, self.by
        metres, opens, levels = np.broadcast_arrays(metres, opens, levels)
        nothing = np.zeros(metres.shape, dtype=np.int64)
        facts = Facts(metres, opens, np.full(metres.shape, rival.capacity), levels, nothing, nothing, nothing)
        earned: list[Whole | None] = [
            np.full(metres.shape, kept) if term in _KEPT else each
            for term, each, kept in zip(
                Term, scoring.points(facts, by.scales, by.measure, by.weights), rival.points, strict=True
            )
        ]
        scores = scoring.total(earned, by.weights)
        has_papers = self.start.certified if certified is None else certified
        bands = scoring.bands_of(by.bands, metres, np.full(metres.shape, has_papers))
        winner = self.winner
        ahead = (scores > winner.score) | (
            (scores == winner.score) & (rival.technician_id < winner.technician_id)
        )
        found: Flags = (bands < winner.band) | ((bands == winner.band) & ahead)
        if by.is_limit and by.bands:
            found &= bands < len(by.bands)
        return found

    def _with(self, *changes: Change) -> Way:
        """The cures with further changes; a load that is named twice is the lower one."""
        kinds = {change.kind for change in changes}
        return (*(cure for cure in self.start.cures if cure.kind not in kinds), *changes)

    def _less(self) -> tuple[Change | None, float]:
        beating = self.beats(self.metres, self.lower, self.levels)
        if not beating.any():
            return None, 0.0
        open_count = int(self.lower[int(np.argmax(beating))])
        return _load(open_count), float(self.start.open_count - open_count)

    def _nearer(self) -> tuple[Change | None, float]:
        beating = self.beats(self.nearer, self.opens, self.levels)
        return self._by_metres(int(self.nearer[int(np.argmax(beating))])) if beating.any() else (None, 0.0)

    def _by_metres(self, metres: int) -> tuple[Change, float]:
        nearer = (self.start.rival.metres or 0) - metres
        params: dict[str, Param] = {"km": round(nearer / 1000, 2)}
        return Change("nearer", params, metres), _PER_KM * nearer / 1000

    def _better(self) -> tuple[Change | None, float]:
        beating = self.beats(self.metres, self.opens, self.higher)
        if not beating.any():
            return None, 0.0
        level = int(self.higher[int(np.argmax(beating))])
        return _level(level), _PER_LEVEL * (level - self.start.least_level)

    def _with_papers(self) -> tuple[Change | None, float]:
        if self.start.certified or not self.wins(self.metres, self.opens, self.levels, certified=True):
            return None, 0.0
        return Change("certified", {"brand": self.by.brand, "on": self.by.on.isoformat()}), _PER_CURE


# What is not mended but searched for: a load or a distance that is small enough.
_SEARCHED: Final = frozenset({Filter.FULL, Filter.TOO_FAR})
# What no change that is searched for would alter.
_KEPT: Final = frozenset({Term.HARD, Term.INCOME, Term.CONTINUITY})


def _load(open_count: int) -> Change:
    return Change("load", {"load": open_count}, open_count)


def _level(level: int) -> Change:
    return Change("higher", {"level": level}, level)


def _whole(figure: int) -> Whole:
    return np.array([figure], dtype=np.int64)
