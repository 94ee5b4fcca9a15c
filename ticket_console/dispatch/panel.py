"""What a decision kept, read back as the panel shows it: reasons, terms and counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ticket_console.dispatch import deciding, scoring
from ticket_console.dispatch.eligibility import Failure, Filter
from ticket_console.dispatch.scoring import FULL_POINTS, TERMS, Scored
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
    `failures`, which nobody else has.
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


@dataclass(frozen=True, slots=True)
class ExcludedView:
    """Somebody whom the hard filters kept out."""

    technician_id: int
    name: str
    failures: tuple[ReasonView, ...]


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
    with their own work. Viewers who do not dispatch see the chosen one only, and `is_whole` is false.
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
    excluded = [
        ExcludedView(
            technician_id, names.get(technician_id, ""), _reasons(deciding.read_failures(entry), skills)
        )
        for entry in row.candidates
        if "ids" in entry
        for technician_id in entry["ids"]
    ]
    against = {each.technician_id: each.failures for each in excluded}
    scored = [deciding.read_scored(entry) for entry in row.candidates if "id" in entry]
    candidates = [
        _candidate(each, names, rank, row, against.get(each.technician_id, ()))
        for rank, each in enumerate(scored, start=1)
    ]
    chosen = next((each for each in candidates if each.is_chosen), None)
    unlisted = sum(entry["unlisted"] for entry in row.candidates if "unlisted" in entry)
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
        excluded=tuple(each for each in excluded if each.technician_id != row.chosen_id) if is_whole else (),
        failed=failure_counts(row.failed) if is_whole else (),
        unlisted=unlisted if is_whole else 0,
        is_whole=is_whole,
    )


def _candidate(
    scored: Scored, names: Mapping[int, str], rank: int, row: Any, failures: tuple[ReasonView, ...]
) -> CandidateView:
    return CandidateView(
        technician_id=scored.technician_id,
        name=names.get(scored.technician_id, ""),
        rank=None if failures or rank > deciding.RANKED_KEPT else rank,
        is_chosen=scored.technician_id == row.chosen_id,
        score=_of_hundred(scored.score),
        distance_km=_km(scored),
        open_count=scored.open_count,
        capacity=scored.capacity,
        level=scored.level,
        terms=_terms(scored, row.policy),
        failures=failures,
    )


def offer_view(name: str, scored: Scored, failures: tuple[Failure, ...], skills: Skills) -> OfferView:
    return OfferView(
        technician_id=scored.technician_id,
        name=name,
        is_eligible=not failures,
        score=_of_hundred(scored.score),
        distance_km=_km(scored),
        open_count=scored.open_count,
        capacity=scored.capacity,
        level=scored.level,
        failures=_reasons(failures, skills),
    )


def _terms(scored: Scored, code: str) -> tuple[TermView, ...]:
    """What each term gave under the policy of the decision, whatever holds today."""
    rules = scoring.POLICIES[code]
    km = _km(scored)
    params: dict[scoring.Term, dict[str, Param]] = {
        scoring.Term.DISTANCE: {"km": km},
        scoring.Term.NEAR: {"km": km, "within": rules.near_m / 1000},
        scoring.Term.LOAD: {"open": scored.open_count, "capacity": scored.capacity},
        scoring.Term.LEVEL: {"level": scored.level},
    }
    return tuple(
        TermView(_term_key(term, points, km), params[term], _of_hundred(points * weight), weight)
        for term, points, weight in zip(TERMS, scored.points, rules.weights, strict=True)
    )


def _term_key(term: scoring.Term, points: int, km: float | None) -> str:
    if km is None and term in (scoring.Term.DISTANCE, scoring.Term.NEAR):
        return "dispatch.term.distance_unknown"
    if term is scoring.Term.NEAR and not points:
        return "dispatch.term.far"
    return f"dispatch.term.{term}"


def _of_hundred(score: int) -> float:
    return round(score / FULL_POINTS, 1)


def _km(scored: Scored) -> float | None:
    return None if scored.metres is None else round(scored.metres / 1000, 2)


def _reasons(failures: Iterable[Failure], skills: Skills) -> tuple[ReasonView, ...]:
    return tuple(
        ReasonView(
            failure.key,
            {
                name: skills.get(str(value), value) if name == "skill" else value
                for name, value in failure.params.items()
            },
        )
        for failure in failures
    )
