"""Weighing a whole roster: the chosen one passes every filter and nobody who passes scores better."""

import json
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.builders.dispatch import a_need
from tests.builders.people import AT, BUND, NORTH, TERRITORY, TODAY, a_candidate
from ticket_console.dispatch.deciding import consider, read_failures, read_scored
from ticket_console.dispatch.eligibility import Failure, Filter, Need, judge
from ticket_console.kernel.canonical import canonical_json
from ticket_console.people.candidate import Candidate, Held, Span
from ticket_console.people.roster import Roster

SHANGHAI = ZoneInfo("Asia/Shanghai")


def a_roster(*candidates: Candidate) -> Roster:
    edges = {
        edge
        for candidate in candidates
        for span in (*(candidate.shifts or ()), *candidate.absences)
        for edge in (span.starts_at, span.ends_at)
    }
    return Roster(
        stamp=(),
        since=AT - timedelta(days=1),
        until=AT + timedelta(days=3),
        candidates=candidates,
        by_id={candidate.technician_id: candidate for candidate in candidates},
        zone=SHANGHAI,
        zones={NORTH: SHANGHAI},
        turns=tuple(sorted(edges)),
    )


spans = st.builds(
    lambda start, hours: Span(AT + timedelta(hours=start), AT + timedelta(hours=start + hours)),
    st.integers(-6, 4),
    st.integers(1, 6),
)
certificates = st.builds(
    lambda level, since, days: Held(level, TODAY + timedelta(days=since), since_until(since, days)),
    st.integers(1, 5),
    st.integers(-3, 2),
    st.none() | st.integers(1, 4),
)


def since_until(since: int, days: int | None) -> date | None:
    return None if days is None else TODAY + timedelta(days=since + days)


@st.composite
def rosters(draw: st.DrawFn) -> tuple[Roster, dict[int, int]]:
    people, loads = [], {}
    for technician_id in range(1, draw(st.integers(1, 12)) + 1):
        held = draw(st.lists(certificates, max_size=2))
        people.append(
            a_candidate(
                technician_id=technician_id,
                region_ids=frozenset(draw(st.sets(st.sampled_from([NORTH, NORTH + 1]), min_size=1))),
                territory_ids=frozenset(draw(st.sets(st.sampled_from([TERRITORY, 31]), max_size=2))),
                lat=BUND[0] + draw(st.integers(0, 20)) / 100,
                capacity=draw(st.integers(0, 3)),
                is_on_duty=draw(st.booleans()),
                is_active=draw(st.sampled_from([True, True, False])),
                certificates={"hvac": tuple(held)} if held else {},
                shifts=draw(st.none() | st.lists(spans, max_size=2).map(tuple)),
                absences=tuple(draw(st.lists(spans, max_size=1))),
            )
        )
        loads[technician_id] = draw(st.integers(0, 3))
    return a_roster(*people), {each: load for each, load in loads.items() if load}


needs = st.builds(
    a_need,
    skill=st.sampled_from(["hvac", None]),
    region_id=st.sampled_from([NORTH, NORTH, NORTH + 1, None]),
    territory_id=st.sampled_from([TERRITORY, None]),
    lat=st.sampled_from([BUND[0], None]),
)


@given(rosters(), needs)
def test_the_first_candidate_is_eligible_and_no_eligible_one_scores_better(
    given_roster: tuple[Roster, dict[int, int]], need: Need
) -> None:  # DSP-02
    people, loads = given_roster
    considered = consider(people, loads, need, at=AT)
    verdicts = {
        each.technician_id: judge(each, need, at=AT, on=TODAY, open_count=loads.get(each.technician_id, 0))
        for each in people.candidates
    }
    eligible = {technician_id for technician_id, failures in verdicts.items() if not failures}
    assert {each.technician_id for each in considered.by_score} == eligible
    scores = [(-each.score, each.technician_id) for each in considered.by_score]
    assert scores == sorted(scores)
    for candidate in people.candidates:
        assert considered.failures_of(candidate.technician_id) == verdicts[candidate.technician_id]
    counts: dict[str, int] = {}
    for failures in verdicts.values():
        for failure in failures:
            counts[failure.code.value] = counts.get(failure.code.value, 0) + 1
    assert considered.counts() == counts


@given(rosters(), needs)
def test_a_decision_read_back_has_the_numbers_and_reasons_of_everybody(
    given_roster: tuple[Roster, dict[int, int]], need: Need
) -> None:
    people, loads = given_roster
    considered = consider(people, loads, need, at=AT)
    kept: list[dict[str, Any]] = json.loads(canonical_json(considered.spelled(None)))
    ranked = [read_scored(entry) for entry in kept if "id" in entry]
    assert ranked == considered.by_score[:10]
    told = {
        technician_id: read_failures(entry)
        for entry in kept
        if "ids" in entry
        for technician_id in entry["ids"]
    }
    everybody = {each.technician_id for each in people.candidates}
    assert set(told) == everybody - {each.technician_id for each in considered.by_score}
    assert all(told[each] == considered.failures_of(each) for each in told)


def test_a_decision_keeps_the_best_ten_and_the_fifty_who_came_closest() -> None:
    fit = [a_candidate(technician_id=number) for number in range(1, 16)]
    off_duty = [a_candidate(technician_id=number, is_on_duty=False) for number in range(16, 61)]
    hopeless = [
        a_candidate(technician_id=number, is_on_duty=False, certificates={}) for number in range(61, 81)
    ]
    considered = consider(a_roster(*fit, *off_duty, *hopeless), {}, a_need(), at=AT)
    kept = considered.spelled(None)
    assert [entry["id"] for entry in kept[:10]] == list(range(1, 11))
    assert kept[10:12] == [
        {"ids": list(range(16, 61)), "failed": [["off_duty", {}]]},
        {"ids": list(range(61, 66)), "failed": [["no_skill", {"skill": "hvac"}], ["off_duty", {}]]},
    ]
    assert [each["out"]["id"] for each in kept[12:-1]] == [16, 17, 18, 19, 20]
    assert kept[-1] == {"unlisted": 5}
    assert considered.counts() == {"off_duty": 65, "no_skill": 20}


def test_somebody_chosen_from_further_down_is_kept_beside_the_best() -> None:
    people = a_roster(*(a_candidate(technician_id=number) for number in range(1, 16)))
    considered = consider(people, {}, a_need(), at=AT)
    last = considered.score_of(15)
    kept = considered.spelled(last)
    assert [entry["id"] for entry in kept[:-1]] == [*range(1, 11), 15]
    assert kept[-1] == {"unlisted": 4}


def test_somebody_filled_up_meanwhile_is_counted_among_the_full() -> None:
    people = a_roster(a_candidate(technician_id=1), a_candidate(technician_id=2))
    considered = consider(people, {}, a_need(), at=AT)
    full = Failure(Filter.FULL, {"open": 8, "capacity": 8})
    considered.reject(1, full)
    assert [each.technician_id for each in considered.by_score] == [2]
    assert considered.failures_of(1) == (full,)
    assert considered.counts() == {"full": 1}


def test_the_day_of_a_certificate_is_the_day_where_the_work_is() -> None:
    ends_today = a_candidate(certificates={"hvac": (Held(3, date(2025, 1, 1), date(2026, 11, 22)),)})
    people = a_roster(ends_today)
    just_before_midnight = AT.replace(hour=15, minute=59)
    assert consider(people, {}, a_need(), at=just_before_midnight).counts() == {}
    midnight = AT.replace(hour=16)
    assert consider(people, {}, a_need(), at=midnight).counts() == {"certificate_expired": 1}


def test_what_was_found_for_one_moment_is_not_taken_for_another() -> None:
    shift = Span(AT, AT + timedelta(hours=8))
    people = a_roster(a_candidate(shifts=(shift,)))
    minute = timedelta(minutes=1)
    assert consider(people, {}, a_need(), at=AT - minute).counts() == {"off_shift": 1}
    assert consider(people, {}, a_need(), at=AT).counts() == {}
    assert consider(people, {}, a_need(), at=shift.ends_at - minute).counts() == {}
    assert consider(people, {}, a_need(), at=shift.ends_at).counts() == {"off_shift": 1}


def test_a_thousand_tasks_in_one_place_are_spread_evenly_over_people_alike() -> None:  # DSP-05
    people = a_roster(*(a_candidate(technician_id=number, capacity=250) for number in range(1, 7)))
    loads: dict[int, int] = {}
    for _ in range(1_000):
        best = consider(people, loads, a_need(), at=AT).by_score[0]
        loads[best.technician_id] = loads.get(best.technician_id, 0) + 1
    assert sorted(loads.values()) == [166, 166, 167, 167, 167, 167]
