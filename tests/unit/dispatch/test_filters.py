"""The filters a policy sets: makes, levels, partners, the end of shifts, visits, rings that are a limit."""

from dataclasses import replace
from datetime import timedelta
from math import degrees
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.dispatch import a_need
from tests.builders.people import AT, BUND, NORTH, TERRITORY, TODAY, a_candidate
from tests.unit.dispatch.test_deciding import a_roster, needs, rosters
from ticket_console.dispatch.deciding import Circumstances, Months, consider
from ticket_console.dispatch.eligibility import Failure, Filter, Need, cautions, judge
from ticket_console.dispatch.rules import Band, BrandRule, DispatchPolicy, Filters, ShiftEnd, Vendors
from ticket_console.dispatch.visits import Place, Planned
from ticket_console.kernel.geo import EARTH_RADIUS_KM
from ticket_console.people.candidate import Agreed, Candidate, Held, Post, Span
from ticket_console.people.roster import Roster

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE = timedelta(minutes=1)


def failures(
    policy_filters: Filters, *, task: dict[str, Any] | None = None, **person: Any
) -> tuple[Failure, ...]:
    return judge(
        a_candidate(**person),
        a_need(**(task or {})),
        at=AT,
        on=TODAY,
        open_count=0,
        policy=DispatchPolicy(filters=policy_filters),
    )


def at_metres(technician_id: int, metres: int, **changes: Any) -> Candidate:
    north = BUND[0] + degrees(metres / 1000 / EARTH_RADIUS_KM)
    return a_candidate(technician_id=technician_id, lat=north, **changes)


REQUIRED = Filters(brand=BrandRule.REQUIRE)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, ()),
        (TODAY + DAY, ()),
        (TODAY, (Failure(Filter.BRAND_EXPIRED, {"brand": "Frostline", "until": TODAY.isoformat()}),)),
    ],
)
def test_a_certificate_of_the_make_holds_until_the_day_before_it_ends(
    until: Any, expected: Any
) -> None:  # DSP-03
    held = {"Frostline": (Held(1, TODAY - DAY, until),)}
    assert failures(REQUIRED, task={"brand": "Frostline"}, brands=held) == expected


def test_a_make_is_asked_only_where_it_is_known_and_the_policy_wants_it() -> None:  # DSP-12
    frostline = {"brand": "Frostline"}
    assert failures(REQUIRED, task=frostline) == (Failure(Filter.NO_BRAND, frostline),)
    assert failures(REQUIRED) == failures(Filters(), task=frostline) == ()
    coming = {"Frostline": (Held(1, TODAY + DAY, None),)}
    (early,) = failures(REQUIRED, task=frostline, brands=coming)
    assert (early.code, early.params["from"]) == (Filter.BRAND_EARLY, (TODAY + DAY).isoformat())


def test_a_level_below_the_least_is_told_with_both_numbers() -> None:
    assert failures(Filters(least_level=3)) == ()
    assert failures(Filters(least_level=4)) == (Failure(Filter.LEVEL, {"level": 3, "least": 4}),)


def test_a_territory_counts_only_where_the_policy_says_so() -> None:  # DSP-11
    elsewhere: dict[str, Any] = {"territory_ids": frozenset({TERRITORY + 1})}
    assert failures(Filters(), **elsewhere) == (Failure(Filter.TERRITORY),)
    assert failures(Filters(territory=False), **elsewhere) == ()


def test_who_keeps_the_store_is_never_chosen_and_who_leads_may_be() -> None:
    assert failures(Filters(), post=Post.STOREKEEPER) == (Failure(Filter.POST),)
    assert failures(Filters(), post=Post.LEAD) == ()


@pytest.mark.parametrize(
    ("filters", "person", "expected"),
    [
        (Filters(), {"vendor_id": 5}, ()),
        (Filters(vendors=Vendors.NONE), {"vendor_id": 5}, (Filter.VENDOR_CLOSED,)),
        (Filters(vendors=Vendors.NONE), {}, ()),
        (Filters(vendors=Vendors.ONLY), {}, (Filter.OWN_STAFF,)),
        (Filters(vendors=Vendors.ONLY), {"vendor_id": 5}, ()),
        (Filters(), {"vendor_id": 5, "agreed": Agreed(until=TODAY)}, (Filter.VENDOR_AGREEMENT,)),
        (Filters(), {"vendor_id": 5, "agreed": Agreed(until=TODAY + DAY)}, ()),
        (Filters(), {"vendor_id": 5, "agreed": Agreed(since=TODAY + DAY)}, (Filter.VENDOR_AGREEMENT,)),
        (Filters(), {"vendor_id": 5, "agreed": Agreed(is_active=False)}, (Filter.VENDOR_AGREEMENT,)),
        (
            Filters(),
            {"vendor_id": 5, "agreed": Agreed(ticket_classes=frozenset({"install"}))},
            (Filter.VENDOR_AGREEMENT,),
        ),
        (Filters(), {"vendor_id": 5, "agreed": Agreed(is_standby=True)}, (Filter.STANDBY,)),
        (Filters(standby=True), {"vendor_id": 5, "agreed": Agreed(is_standby=True)}, ()),
    ],
)
def test_people_of_partners_are_sent_within_their_agreement_and_the_policy(
    filters: Filters, person: dict[str, Any], expected: tuple[Filter, ...]
) -> None:  # DSP-12 DSP-13
    found = failures(filters, task={"ticket_class": "repair"}, **person)
    assert tuple(each.code for each in found) == expected


@pytest.mark.parametrize(
    ("minutes_left", "rule", "refused", "warned"),
    [
        (60, ShiftEnd.REFUSE, False, False),
        (59, ShiftEnd.REFUSE, True, False),
        (59, ShiftEnd.WARN, False, True),
        (60, ShiftEnd.WARN, False, False),
        (59, ShiftEnd.IGNORE, False, False),
    ],
)
def test_a_shift_that_ends_during_the_job_refuses_or_warns_as_the_policy_says(
    minutes_left: int, rule: ShiftEnd, refused: bool, warned: bool
) -> None:
    ends = AT + minutes_left * MINUTE
    person = a_candidate(shifts=(Span(AT - HOUR, ends),))
    policy = DispatchPolicy(filters=Filters(shift_end=rule))
    need = a_need(work_minutes=60)
    told = (Failure(Filter.SHIFT_ENDS, {"at": ends.isoformat(timespec="minutes")}),)
    assert judge(person, need, at=AT, on=TODAY, open_count=0, policy=policy) == (told if refused else ())
    assert cautions(person, need, at=AT, policy=policy) == (told if warned else ())
    # What is kept in memory for the one task is not taken for the other.
    roster = a_roster(person)
    shorter = replace(need, work_minutes=minutes_left)
    assert len(consider(roster, {}, shorter, at=AT, policy=policy).by_score) == 1
    assert len(consider(roster, {}, need, at=AT, policy=policy).by_score) == (0 if refused else 1)


def test_shifts_without_a_gap_are_one_presence_and_an_absence_ends_it() -> None:
    strict = Filters(shift_end=ShiftEnd.REFUSE)
    two = (Span(AT - HOUR, AT + 30 * MINUTE), Span(AT + 30 * MINUTE, AT + 3 * HOUR))
    assert failures(strict, shifts=two) == ()
    away = (Span(AT + 40 * MINUTE, AT + 2 * HOUR),)
    (leaves,) = failures(strict, shifts=two, absences=away)
    assert leaves.code is Filter.SHIFT_ENDS


def test_an_agreed_time_is_judged_whole_and_not_by_the_duty_switch_of_now() -> None:
    later = Span(AT + 5 * HOUR, AT + 6 * HOUR)
    assert failures(Filters(), task={"span": later}, is_on_duty=False) == ()
    soon = Span(AT + 10 * MINUTE, AT + HOUR)
    assert failures(Filters(), task={"span": soon}, is_on_duty=False) == (Failure(Filter.OFF_DUTY),)
    away = (Span(AT + 5 * HOUR + 59 * MINUTE, AT + 9 * HOUR),)
    (absent,) = failures(Filters(), task={"span": later}, absences=away)
    assert absent.code is Filter.ABSENT
    (short,) = failures(Filters(), task={"span": later}, shifts=(Span(AT, AT + 5 * HOUR + 30 * MINUTE),))
    assert short.code is Filter.SHIFT_ENDS


def a_visit(start: timedelta, hours: int = 1) -> Planned:
    begins = AT + start
    return Planned(1, 99, 98, 1, begins, begins + hours * HOUR, 0, Place(*BUND))


def test_a_visit_in_the_way_keeps_somebody_out_unless_the_policy_does_not_ask() -> None:  # pain 35
    person, need = a_candidate(), a_need()
    roster, busy = a_roster(person), Circumstances(visits={1: (a_visit(timedelta(minutes=59)),)})
    found = consider(roster, {}, need, at=AT, circumstances=busy)
    assert [each.code for each in found.failures_of(1)] == [Filter.OVERLAP]
    assert found.counts() == {"overlap": 1}
    free = Circumstances(visits={1: (a_visit(HOUR),)})
    assert len(consider(roster, {}, need, at=AT, circumstances=free).by_score) == 1
    lenient = DispatchPolicy(filters=Filters(overlap=False))
    assert len(consider(roster, {}, need, at=AT, policy=lenient, circumstances=busy).by_score) == 1


def test_who_declined_a_task_is_not_asked_again_and_may_have_the_next_one() -> None:
    roster = a_roster(a_candidate())
    declined = consider(roster, {}, a_need(refused_by={1: "no ladder"}), at=AT)
    assert declined.failures_of(1) == (Failure(Filter.DECLINED, {"reason": "no ladder"}),)
    assert len(consider(roster, {}, a_need(), at=AT).by_score) == 1


@pytest.mark.parametrize(("metres", "is_in"), [(2_990, True), (3_000, True), (3_010, False)])
def test_the_last_ring_is_a_limit_only_where_the_policy_says_so(metres: int, is_in: bool) -> None:  # DSP-03
    roster = a_roster(at_metres(1, metres))
    limit = DispatchPolicy(bands=(Band(3_000),), bands_limit=True)
    found = consider(roster, {}, a_need(), at=AT, policy=limit)
    assert (len(found.by_score) == 1) is is_in
    assert found.counts() == ({} if is_in else {"too_far": 1})
    preferred = DispatchPolicy(bands=(Band(3_000),))
    assert len(consider(roster, {}, a_need(), at=AT, policy=preferred).by_score) == 1


def test_certified_within_three_kilometres_comes_first_then_ten_then_the_region() -> None:  # DSP-03
    papers = {"Frostline": (Held(1, TODAY - DAY, None),)}
    people = a_roster(
        at_metres(1, 20_000, brands=papers),
        at_metres(2, 9_999),
        at_metres(3, 3_000, brands=papers, capacity=8),
        at_metres(4, 100),
        at_metres(5, 3_010, brands=papers),
    )
    policy = DispatchPolicy(
        bands=(Band(3_000, certified=True), Band(10_000, certified=True), Band(10_000), Band())
    )
    found = consider(people, {3: 7}, a_need(brand="Frostline"), at=AT, policy=policy)
    assert [each.technician_id for each in found.by_score] == [3, 5, 4, 2, 1]
    assert [each.band for each in found.by_score] == [0, 1, 2, 2, 3]


def test_nobody_there_is_nobody_chosen_with_counts_per_filter() -> None:  # pain 34
    assert len(consider(a_roster(), {}, a_need(), at=AT).by_score) == 0
    people = a_roster(
        a_candidate(technician_id=1, is_on_duty=False), a_candidate(technician_id=2, capacity=3)
    )
    found = consider(people, {2: 3}, a_need(), at=AT)
    assert (len(found.by_score), found.counts()) == (0, {"off_duty": 1, "full": 1})


policies = st.builds(
    DispatchPolicy,
    filters=st.builds(
        Filters,
        brand=st.sampled_from(BrandRule),
        least_level=st.integers(0, 5),
        territory=st.booleans(),
        shift_end=st.sampled_from(ShiftEnd),
        overlap=st.booleans(),
        vendors=st.sampled_from(Vendors),
        standby=st.booleans(),
    ),
    bands=st.lists(st.builds(Band, st.none() | st.integers(1, 20_000), st.booleans()), max_size=3).map(tuple),
    bands_limit=st.booleans(),
    weights=st.tuples(*[st.integers(0, 100) for _ in range(8)]).filter(any),
)


@given(rosters(), needs, policies)
def test_no_weights_and_no_rings_ever_choose_whom_a_filter_keeps_out(
    given_roster: tuple[Roster, dict[int, int]], need: Need, policy: DispatchPolicy
) -> None:  # AIX-01: learned weights are weights, and weights override nothing
    people, loads = given_roster
    months = Months.of({each.technician_id: (each.technician_id, 100) for each in people.candidates})
    found = consider(people, loads, need, at=AT, policy=policy, circumstances=Circumstances(months=months))
    eligible = {each.technician_id for each in found.by_score}
    for person in people.candidates:
        scored = found.score_of(person.technician_id)
        beyond = bool(policy.bands) and policy.bands_limit and scored.band == len(policy.bands)
        against = judge(
            person,
            need,
            at=AT,
            on=TODAY,
            open_count=loads.get(person.technician_id, 0),
            policy=policy,
            is_too_far=beyond,
        )
        assert found.failures_of(person.technician_id) == against
        assert (person.technician_id in eligible) == (not against)
    keys = [each.key for each in found.by_score]
    assert keys == sorted(keys)


@given(rosters(), needs, policies)
def test_whoever_is_absent_is_never_chosen_and_the_same_question_has_the_same_answer(
    given_roster: tuple[Roster, dict[int, int]], need: Need, policy: DispatchPolicy
) -> None:  # pain 34
    people, loads = given_roster
    found = consider(people, loads, need, at=AT, policy=policy)
    away = {
        each.technician_id
        for each in people.candidates
        if any(absence.covers(AT) for absence in each.absences)
    }
    assert away.isdisjoint(each.technician_id for each in found.by_score)
    # Another roster object with the same people: nothing of it is in memory yet.
    again = consider(replace(people), dict(reversed(loads.items())), need, at=AT, policy=policy)
    assert list(again.by_score) == list(found.by_score)
    assert again.counts() == found.counts()


def test_an_older_policys_rings_leave_an_unknown_place_to_those_without_a_bound() -> None:
    people = a_roster(a_candidate())
    nowhere = a_need(lat=None, lon=None, region_id=NORTH)
    limit = DispatchPolicy(bands=(Band(3_000),), bands_limit=True)
    assert consider(people, {}, nowhere, at=AT, policy=limit).counts() == {"place_unknown": 1}
    region = DispatchPolicy(bands=(Band(3_000), Band()), bands_limit=True)
    assert [each.band for each in consider(people, {}, nowhere, at=AT, policy=region).by_score] == [1]
