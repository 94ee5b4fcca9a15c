"""What would have made somebody else the choice: every answer is put to the test by carrying it out."""

from dataclasses import replace
from datetime import timedelta
from math import degrees
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders.dispatch import a_need
from tests.builders.people import AT, BUND, TODAY, a_candidate
from tests.unit.dispatch.test_deciding import a_roster
from ticket_console.dispatch.counterfactual import Change, Way, ways_to_win
from ticket_console.dispatch.deciding import Considered, consider
from ticket_console.dispatch.eligibility import Filter, Need
from ticket_console.dispatch.rules import Band, DispatchPolicy
from ticket_console.kernel.geo import EARTH_RADIUS_KM
from ticket_console.people.candidate import Candidate, Held

RINGS = DispatchPolicy(bands=(Band(3_000, certified=True), Band(10_000)))
CERTIFIED = {"Frostline": (Held(1, TODAY - timedelta(days=9), None),)}


def north_of_the_bund(metres: int) -> tuple[float, float]:
    return BUND[0] + degrees(metres / 1000 / EARTH_RADIUS_KM), BUND[1]


def somebody(technician_id: int, *, metres: int, level: int = 3, **changes: Any) -> Candidate:
    lat, lon = north_of_the_bund(metres)
    held = {"hvac": (Held(level, TODAY - timedelta(days=99), None),)}
    return a_candidate(
        **{"technician_id": technician_id, "lat": lat, "lon": lon, "certificates": held, **changes}
    )


def weighed(people: list[Candidate], loads: dict[int, int], need: Need, policy: DispatchPolicy) -> Considered:
    return consider(a_roster(*people), loads, need, at=AT, policy=policy)


def ways(found: Considered, rival_id: int) -> tuple[Way, ...]:
    return ways_to_win(
        found.score_of(rival_id),
        found.by_score[0],
        found.weighed_by,
        failures=found.failures_of(rival_id),
    )


def carried_out(way: Way, rival: Candidate, load: int, metres: int) -> tuple[Candidate, int]:
    """The rival and their load as a way says they would have to be."""
    for change in way:
        match change:
            case Change(kind="load", to=int(to)):
                load = to
            case Change(kind="nearer", to=int(to)):
                lat, lon = north_of_the_bund(to)
                rival = replace(rival, lat=lat, lon=lon)
            case Change(kind="higher", to=int(to)):
                rival = replace(rival, certificates={"hvac": (Held(to, TODAY, None),)})
            case Change(kind="certified" | "no_brand" | "brand_expired"):
                rival = replace(rival, brands=CERTIFIED)
            case Change(kind="certificate_expired"):
                (held,) = rival.certificates["hvac"]
                rival = replace(rival, certificates={"hvac": (replace(held, valid_until=None),)})
            case Change(kind="off_duty"):
                rival = replace(rival, is_on_duty=True)
            case _:
                raise AssertionError(f"nobody knows how to carry out {change}")
    return rival, load


def test_somebody_with_more_work_is_told_how_little_of_it_would_do() -> None:
    li, wang = somebody(1, metres=1_000), somebody(2, metres=2_000)
    found = weighed([li, wang], {1: 6}, a_need(), DispatchPolicy())
    assert found.by_score[0].technician_id == 2
    first = ways(found, 1)[0]
    (change,) = first
    assert (change.key, dict(change.params)) == ("dispatch.if.load", {"load": 1})
    assert weighed([li, wang], {1: 1}, a_need(), DispatchPolicy()).by_score[0].technician_id == 1
    assert weighed([li, wang], {1: 2}, a_need(), DispatchPolicy()).by_score[0].technician_id == 2


def test_somebody_farther_away_is_told_how_much_nearer_and_not_a_step_more() -> None:
    li, wang = somebody(1, metres=1_000), somebody(2, metres=1_800)
    found = weighed([li, wang], {}, a_need(), DispatchPolicy())
    (nearer,) = [way for way in ways(found, 2) if way[0].kind == "nearer"]
    assert (nearer[0].params["km"], nearer[0].to) == (0.81, 990)
    # Of equals the lower number comes first, so the same distance would not do.
    assert (
        weighed([li, somebody(2, metres=1_000)], {}, a_need(), DispatchPolicy()).by_score[0].technician_id
        == 1
    )


def test_a_certificate_that_ended_today_is_what_it_takes() -> None:
    ended = (Held(3, TODAY - timedelta(days=99), TODAY),)
    li = somebody(1, metres=100, certificates={"hvac": ended})
    found = weighed([li, somebody(2, metres=2_000)], {}, a_need(), DispatchPolicy())
    ((change,),) = ways(found, 1)
    assert change.key == "dispatch.if.certificate_expired"
    assert change.params["on"] == TODAY.isoformat()


def test_papers_of_a_make_lift_somebody_into_the_ring_of_the_certified() -> None:
    need = a_need(brand="Frostline")
    li, wang = somebody(1, metres=2_000, brands=CERTIFIED), somebody(2, metres=500)
    found = weighed([li, wang], {1: 7}, need, RINGS)
    assert found.by_score[0].technician_id == 1
    ((change,),) = ways(found, 2)
    assert (change.key, change.params["brand"]) == ("dispatch.if.certified", "Frostline")


def test_whoever_works_elsewhere_or_came_first_anyway_is_told_nothing() -> None:
    li, elsewhere = somebody(1, metres=1_000), somebody(2, metres=10, region_ids=frozenset({99}))
    found = weighed([li, elsewhere], {}, a_need(), DispatchPolicy())
    assert ways(found, 2) == ()
    assert ways(found, 1) == ()


people = st.fixed_dictionaries(
    {
        "metres": st.integers(0, 15_000),
        "level": st.integers(1, 5),
        "capacity": st.integers(1, 8),
        "is_on_duty": st.sampled_from([True, True, True, False]),
        "brands": st.sampled_from([{}, CERTIFIED]),
        "expired": st.sampled_from([False, False, False, True]),
    }
)


@given(
    st.lists(people, min_size=2, max_size=6),
    st.lists(st.integers(0, 8), min_size=6, max_size=6),
    st.sampled_from([DispatchPolicy(), RINGS, replace(RINGS, bands_limit=True)]),
    st.integers(30, 900),
)
def test_whoever_changes_as_they_are_told_is_the_choice(
    drawn: list[dict[str, Any]], open_counts: list[int], policy: DispatchPolicy, due_in: int
) -> None:  # moonshot 7
    slack = replace(policy, weights=(40, 10, 25, 15, 0, 0, 0, 10))
    need = a_need(brand="Frostline", due_at=AT + timedelta(minutes=due_in))
    roster, loads, metres = [], {}, {}
    for number, each in enumerate(drawn, start=1):
        wish = dict(each)
        far, level, expired = int(str(wish.pop("metres"))), int(str(wish.pop("level"))), wish.pop("expired")
        until = TODAY if expired else None
        held = {"hvac": (Held(level, TODAY - timedelta(days=99), until),)}
        roster.append(somebody(number, metres=far, **{**wish, "certificates": held}))
        loads[number], metres[number] = open_counts[number - 1], far
    found = weighed(roster, loads, need, slack)
    assume(len(found.by_score) > 0)
    told = 0
    for rival in roster:
        for way in ways(found, rival.technician_id):
            told += 1
            changed, load = carried_out(way, rival, loads[rival.technician_id], metres[rival.technician_id])
            # The one who was chosen stays; whoever came between them is beaten as well.
            others = [changed if each is rival else each for each in roster]
            again = weighed(others, {**loads, rival.technician_id: load}, need, slack)
            assert again.by_score[0].technician_id == rival.technician_id, (way, rival.technician_id)
    assume(told > 0)


def test_somebody_full_is_told_of_a_load_below_their_capacity() -> None:
    li, wang = somebody(1, metres=0, capacity=2), somebody(2, metres=9_000)
    found = weighed([li, wang], {1: 2}, a_need(), DispatchPolicy())
    assert [each.code for each in found.failures_of(1)] == [Filter.FULL]
    ((change,),) = ways(found, 1)
    assert (change.kind, change.to) == ("load", 1)
