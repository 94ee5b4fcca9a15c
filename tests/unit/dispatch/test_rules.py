"""The document of a policy: read whole, refused with every field, laid over, spelled again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.dispatch.rules import (
    STANDARD,
    BadTerms,
    Band,
    DispatchPolicy,
    Learned,
    Mode,
    Vendors,
    overlaid,
    read_terms,
    spell_weights,
)


def refused(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(BadTerms) as refusal:
        read_terms(document)
    return {each.path: each.code for each in refusal.value.problems}


def test_what_a_document_leaves_out_is_as_in_the_standard() -> None:
    assert read_terms({}) == STANDARD
    assert read_terms(STANDARD.as_json()) == STANDARD


@pytest.mark.parametrize(
    "weight", [float("inf"), float("-inf"), float("nan"), -1, 101, 1.5, "45", True, None, []]
)
def test_a_weight_that_is_no_whole_number_from_0_to_100_is_refused_by_its_name(weight: Any) -> None:  # DSP-04
    assert refused({"weights": {"load": weight}}) == {"weights.load": "dispatch.terms.number"}


def test_everything_that_is_wrong_is_told_at_once_with_its_place() -> None:
    assert refused(
        {
            "mode": "guess",
            "filters": {"brand": "maybe", "territory": 1, "speed": 3},
            "bands": [{"within_m": 0}, {"certified": "yes"}, 7],
            "scales": {"half_way_m": 0},
            "offer": {"size": 51},
            "weights": {"luck": 3},
            "colour": "red",
        }
    ) == {
        "mode": "dispatch.terms.choice",
        "filters.brand": "dispatch.terms.choice",
        "filters.territory": "dispatch.terms.flag",
        "filters.speed": "dispatch.terms.unknown",
        "bands.0.within_m": "dispatch.terms.number",
        "bands.1.certified": "dispatch.terms.flag",
        "bands.2": "dispatch.terms.group",
        "scales.half_way_m": "dispatch.terms.number",
        "offer.size": "dispatch.terms.number",
        "weights.luck": "dispatch.terms.unknown",
        "colour": "dispatch.terms.unknown",
    }


def test_weights_that_are_all_nought_say_nothing_and_are_refused() -> None:
    nothing = dict.fromkeys(spell_weights(STANDARD.weights), 0)
    assert refused({"weights": nothing}) == {"weights": "dispatch.terms.all_nought"}


def test_nine_rings_are_one_too_many() -> None:
    assert refused({"bands": [{"within_m": 1_000}] * 9}) == {"bands": "dispatch.terms.bands"}


def test_a_change_for_a_while_alters_what_it_names_and_nothing_else() -> None:
    policy = read_terms({"bands": [{"within_m": 3_000}], "weights": {"load": 60}}, code="repairs", version=4)
    changed = overlaid(policy, {"filters": {"standby": True}, "mode": "queue"}, strategy_id=9)
    assert (changed.mode, changed.filters.standby, changed.filters.vendors) == (
        Mode.QUEUE,
        True,
        Vendors.ALLOWED,
    )
    assert (changed.bands, changed.weights) == (policy.bands, policy.weights)
    assert (policy.reference, changed.reference) == ("repairs-4", "repairs-4-s9")


def test_learned_weights_hold_only_while_they_are_switched_on_and_never_for_vips_with_their_own() -> None:
    learned, vip = (10,) * 8, (0, 0, 0, 100, 0, 0, 0, 0)
    policy = DispatchPolicy(learned=Learned(learned, seed=1), vip_weights=vip)
    assert policy.weights_for(is_vip=False) == STANDARD.weights  # AIX-01: off
    on = DispatchPolicy(learned=Learned(learned, seed=1), vip_weights=vip, use_learned=True)
    assert on.weights_for(is_vip=False) == learned
    assert on.weights_for(is_vip=True) == vip  # DSP-20


weights = st.tuples(*[st.integers(0, 100) for _ in range(8)]).filter(any)


@given(
    st.lists(st.builds(Band, st.none() | st.integers(1, 2_000_000), st.booleans()), max_size=8).map(tuple),
    weights,
    st.none() | weights,
    st.sampled_from(Mode),
    st.booleans(),
)
def test_a_policy_that_is_spelled_is_read_as_it_was(
    bands: tuple[Band, ...],
    chosen: tuple[int, ...],
    vip: tuple[int, ...] | None,
    mode: Mode,
    limit: bool,
) -> None:
    policy = DispatchPolicy(
        mode=mode, bands=bands, bands_limit=limit, weights=chosen, vip_weights=vip,
        learned=Learned(chosen, seed=3, report={"jobs": 3}), use_learned=limit,
    )  # fmt: skip
    assert read_terms(policy.as_json()) == policy
