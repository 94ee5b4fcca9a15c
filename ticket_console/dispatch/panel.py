"""What a decision kept, read back as the panel shows it: reasons, terms and counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from ticket_console.dispatch import counterfactual, deciding, scoring
from ticket_console.dispatch.counterfactual import Change, WeighedBy
from ticket_console.dispatch.eligibility import Failure, Filter
from ticket_console.dispatch.rules import Term, Weights
from ticket_console.dispatch.scoring import FULL_POINTS, KNOWS_DEVICE, Scored
from ticket_console.dispatch.tables import DecisionMode
from ticket_console.kernel.errors import Param
from ticket_console.kernel.text import LocalText

# The names of skills, by code.
Skills = Mapping[str, LocalText]


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A sentence to be: its translation key and what stands in it; names come in every language."""

    key: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TermView:
    """What one term gave for the figures in `params`: `earned` of at most `weight` points of a hundred."""

    key: str
    params: Mapping[str, Param]
    earned: float
    weight: int


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate with every number; `score` is of a hundred.

    `rank` counts from 1 and is None for somebody who was chosen from further down, or in spite of
    `failures`, which nobody else has. `band` is the ring of preference, None where the policy has none.
    `wins_if` are the smallest changes that would have made them the choice, the nearest first; all that
    stands in one of them must hold together.
    """

    technician_id: int
    name: str
    rank: int | None
    is_chosen: bool
    score: float
    distance_km: float | None
    open_count: int
    capacity: int
    level: int
    terms: tuple[TermView, ...]
    failures: tuple[ReasonView, ...]
    band: ReasonView | None = None
    wins_if: tuple[tuple[ReasonView, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ExcludedView:
    """Somebody whom the hard filters kept out, and for the closest what would have made them the choice."""

    technician_id: int
    name: str
    failures: tuple[ReasonView, ...]
    wins_if: tuple[tuple[ReasonView, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many people, or in a sum how many tickets, a filter stands in the way of."""

    code: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision: who was chosen and why, and why not the others.

    `chosen` has the numbers of the one with `chosen_id`; there are none where somebody only went on
    with their own work. Viewers who do not dispatch see the chosen one only, and `is_whole` is false;
    `others` tells them how many more could have done it.
    """

    id: int
    token_id: int
    mode: DecisionMode
    mode_key: str
    policy: str
    at: datetime
    by: str
    chosen_id: int | None
    chosen_name: str | None
    chosen: CandidateView | None
    candidates: tuple[CandidateView, ...]
    excluded: tuple[ExcludedView, ...]
    failed: tuple[FailureCount, ...]
    unlisted: int
    is_whole: bool
    others: int = 0


@dataclass(frozen=True, slots=True)
class OfferView:
    """A line of the menu "give this to": somebody, and what speaks for or against them right now."""

    technician_id: int
    name: str
    is_eligible: bool
    score: float
    distance_km: float | None
    open_count: int
    capacity: int
    level: int
    failures: tuple[ReasonView, ...]


def failure_counts(failed: Mapping[str, int]) -> tuple[FailureCount, ...]:
    """Counts per filter, the one that keeps out most first."""
    known = [filter for filter in Filter if failed.get(filter)]
    known.sort(key=lambda filter: -failed[filter])
    return tuple(FailureCount(each.value, f"dispatch.filter.{each}", failed[each]) for each in known)


def people_in(rows: Iterable[Any]) -> set[int]:
    found: set[int] = set()
    for row in rows:
        found |= {row.chosen_id} - {None}
        for entry in row.candidates:
            found |= set(entry.get("ids", ())) | ({entry["id"]} if "id" in entry else set())
    return found


def decision_view(row: Any, names: Mapping[int, str], skills: Skills, *, is_whole: bool) -> DecisionView:
    by = WeighedBy.read(row.terms) if row.terms else None
    against = {
        technician_id: deciding.read_failures(entry)
        for entry in row.candidates
        if "ids" in entry
        for technician_id in entry["ids"]
    }
    scored = [deciding.read_scored(entry) for entry in row.candidates if "id" in entry]
    closest = [deciding.read_scored(entry["out"]) for entry in row.candidates if "out" in entry]
    winner = next((each for each in scored if each.technician_id == row.chosen_id), None)
    if_only = _if_only(winner, scored, closest, against, by, skills) if is_whole else {}
    candidates = [
        _candidate(each, names, rank, row.chosen_id, by, reasons(against.get(each.technician_id, ()), skills))
        for rank, each in enumerate(scored, start=1)
    ]
    candidates = [replace(each, wins_if=if_only.get(each.technician_id, ())) for each in candidates]
    chosen = next((each for each in candidates if each.is_chosen), None)
    unlisted = sum(entry["unlisted"] for entry in row.candidates if "unlisted" in entry)
    excluded = tuple(
        ExcludedView(
            technician_id,
            names.get(technician_id, ""),
            reasons(failures, skills),
            if_only.get(technician_id, ()),
        )
        for technician_id, failures in against.items()
        if technician_id != row.chosen_id
    )
    return DecisionView(
        id=row.id,
        token_id=row.token_id,
        mode=row.mode,
        mode_key=f"dispatch.mode.{row.mode}",
        policy=row.policy,
        at=row.at,
        by=row.by,
        chosen_id=row.chosen_id,
        chosen_name=names.get(row.chosen_id),
        chosen=chosen,
        candidates=tuple(candidates) if is_whole else (),
        excluded=excluded if is_whole else (),
        failed=failure_counts(row.failed) if is_whole else (),
        unlisted=unlisted if is_whole else 0,
        is_whole=is_whole,
        others=max(0, len(candidates) + unlisted - (chosen is not None)),
    )


def _if_only(
    winner: Scored | None,
    scored: Iterable[Scored],
    closest: Iterable[Scored],
    against: Mapping[int, tuple[Failure, ...]],
    by: WeighedBy | None,
    skills: Skills,
) -> dict[int, tuple[tuple[ReasonView, ...], ...]]:
    """For everybody whose numbers were kept: what would have made them the choice."""
    if winner is None or by is None:
        return {}
    found = {}
    for rival in (*scored, *closest):
        if rival.technician_id != winner.technician_id:
            ways = counterfactual.ways_to_win(
                rival, winner, by, failures=against.get(rival.technician_id, ())
            )
            found[rival.technician_id] = tuple(
                tuple(_change(each, skills) for each in way) for way in ways[:_WAYS_SHOWN]
            )
    return found


_WAYS_SHOWN: Final = 3


def _change(change: Change, skills: Skills) -> ReasonView:
    return ReasonView(change.key, _named(change.params, skills))


def _candidate(
    scored: Scored,
    names: Mapping[int, str],
    rank: int,
    chosen_id: int | None,
    by: WeighedBy | None,
    failures: tuple[ReasonView, ...],
) -> CandidateView:
    return CandidateView(
        technician_id=scored.technician_id,
        name=names.get(scored.technician_id, ""),
        rank=None if failures or rank > deciding.RANKED_KEPT else rank,
        is_chosen=scored.technician_id == chosen_id,
        score=0.0 if by is None else of_hundred(scored.score, by.weights),
        distance_km=_km(scored),
        open_count=scored.open_count,
        capacity=scored.capacity,
        level=scored.level,
        terms=() if by is None else terms_of(scored, by),
        failures=failures,
        band=None if by is None else _band(scored, by),
    )


def offer_view(
    name: str, scored: Scored, failures: tuple[Failure, ...], skills: Skills, weights: Weights
) -> OfferView:
    return OfferView(
        technician_id=scored.technician_id,
        name=name,
        is_eligible=not failures,
        score=of_hundred(scored.score, weights),
        distance_km=_km(scored),
        open_count=scored.open_count,
        capacity=scored.capacity,
        level=scored.level,
        failures=reasons(failures, skills),
    )


def terms_of(scored: Scored, by: WeighedBy) -> tuple[TermView, ...]:
    """What each term that weighs something gave, out of a hundred for all."""
    km = _km(scored)
    params: dict[Term, dict[str, Param]] = {
        Term.DISTANCE: {"km": km},
        Term.NEAR: {"km": km, "within": by.scales.near_m / 1000},
        Term.LOAD: {"open": scored.open_count, "capacity": scored.capacity},
        Term.LEVEL: {"level": scored.level},
        Term.HARD: {"hard": scored.hard_jobs},
        Term.INCOME: {},
        Term.CONTINUITY: {},
        Term.SLACK: {"minutes": scored.slack_minutes},
    }
    share = 100 / sum(by.weights)
    return tuple(
        TermView(
            _term_key(term, points, scored),
            params[term],
            round(points * weight * share / FULL_POINTS, 1),
            round(weight * share),
        )
        for term, points, weight in zip(Term, scored.points, by.weights, strict=True)
        if weight
    )


def _term_key(term: Term, points: int, scored: Scored) -> str:
    if scored.metres is None and term in (Term.DISTANCE, Term.NEAR):
        return "dispatch.term.distance_unknown"
    if term is Term.NEAR and not points:
        return "dispatch.term.far"
    if term is Term.CONTINUITY:
        return f"dispatch.term.{_KNOWS[min(scored.familiar, KNOWS_DEVICE)]}"
    if term is Term.SLACK and scored.slack_minutes is None:
        return "dispatch.term.no_due_time"
    return f"dispatch.term.{term}"


_KNOWS: Final = ("stranger", "knows_customer", "knows_device")


def _band(scored: Scored, by: WeighedBy) -> ReasonView | None:
    if not by.bands:
        return None
    if scored.band >= len(by.bands):
        return ReasonView("dispatch.band.outside", {})
    band = by.bands[scored.band]
    far = "anywhere" if band.within_m is None else "within"
    key = f"dispatch.band.{far}_certified" if band.certified else f"dispatch.band.{far}"
    return ReasonView(key, {"km": (band.within_m or 0) / 1000})


def of_hundred(score: int, weights: Weights) -> float:
    """A score as a share of the most that the weights can give, of a hundred."""
    return round(100 * score / scoring.most(weights), 1)


def _km(scored: Scored) -> float | None:
    return None if scored.metres is None else round(scored.metres / 1000, 2)


def reasons(failures: Iterable[Failure], skills: Skills) -> tuple[ReasonView, ...]:
    """Failed filters as sentences to be, with the names of skills in them."""
    return tuple(ReasonView(failure.key, _named(failure.params, skills)) for failure in failures)


def _named(params: Mapping[str, Param], skills: Skills) -> dict[str, Any]:
    return {
        name: skills.get(str(value), value) if name == "skill" else value for name, value in params.items()
    }
