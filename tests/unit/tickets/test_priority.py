"""How pressing a ticket is, and the reasons somebody may read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.tickets.priority import EMERGENCY, NORMAL, URGENT, Priority, priority_of

LEVELS = st.none() | st.integers(1, 3)


def decide(*texts: str, **choice: Any) -> Priority:
    return priority_of(**{"texts": texts, "urgency": None, "impact": None, "is_vip": False, **choice})


def codes(decided: Priority) -> list[str]:
    return [reason["code"].removeprefix("priority_reason.") for reason in decided.reasons]


@pytest.mark.parametrize(
    ("urgency", "impact", "priority"),
    [(1, 1, 4), (1, 2, 3), (2, 1, 3), (2, 2, 2), (1, 3, 2), (3, 1, 2), (2, 3, 1), (3, 2, 1), (3, 3, 1)],
)
def test_urgency_and_impact_together_make_the_priority(urgency: int, impact: int, priority: int) -> None:
    decided = decide("空调保养", urgency=urgency, impact=impact)

    assert (decided.priority, decided.urgency, decided.impact) == (priority, urgency, impact)
    assert decided.reasons == (
        {"code": "priority_reason.chosen", "urgency": urgency},
        {"code": "priority_reason.impact", "impact": impact},
    )


def test_nothing_said_is_a_standard_request() -> None:
    decided = decide("空调保养", "")

    assert (decided.priority, decided.urgency, decided.impact, codes(decided)) == (4, NORMAL, 1, ["standard"])
    assert decided.as_json() == {
        "urgency": 1,
        "impact": 1,
        "reasons": [{"code": "priority_reason.standard"}],
    }


@pytest.mark.parametrize(
    ("text", "word", "urgency"),
    [
        ("电梯困人", "困人", EMERGENCY),
        ("厨房漏水, 有人触电", "触电", EMERGENCY),
        ("燃气泄漏并起火", "燃气泄漏", EMERGENCY),
        ("卫生间漏水", "漏水", URGENT),
        ("Gas LEAK in the kitchen", "gas leak", EMERGENCY),
        ("Please come URGENTLY", "urgent", URGENT),
        ("there is smoke", "smoke", EMERGENCY),
        ("起火!smoke", "smoke", EMERGENCY),
        ("灯smoke了", "smoke", EMERGENCY),
    ],
)
def test_a_word_raises_the_urgency_and_is_shown(text: str, word: str, urgency: int) -> None:  # INT-12
    decided = decide("标题", text)

    assert decided.urgency == urgency
    assert decided.reasons == ({"code": "priority_reason.word", "word": word, "urgency": urgency},)


@pytest.mark.parametrize(
    "text", ["Door of the fire station firmly shut, station fire door", "the piano power cord", "insurgents"]
)
def test_a_word_within_another_word_means_nothing(text: str) -> None:
    assert codes(decide(text)) == ["standard"]


def test_a_word_never_lowers_what_a_person_chose() -> None:
    decided = decide("漏水", urgency=EMERGENCY)

    assert (decided.urgency, codes(decided)) == (EMERGENCY, ["chosen"])


def test_a_word_raises_what_a_person_chose() -> None:
    decided = decide("触电", urgency=URGENT, impact=2)

    assert (decided.priority, codes(decided)) == (1, ["chosen", "word", "impact"])


def test_an_important_customer_counts_one_step_more_and_at_the_top_nothing_is_left_to_raise() -> None:
    assert (decide(is_vip=True).priority, codes(decide(is_vip=True))) == (3, ["vip"])
    top = decide(urgency=3, impact=3, is_vip=True)
    assert (top.priority, codes(top)) == (1, ["chosen", "impact"])


@given(st.lists(st.text(max_size=20), max_size=3), LEVELS, LEVELS, st.booleans())
def test_there_is_always_a_priority_and_a_reason(
    texts: list[str], urgency: int | None, impact: int | None, is_vip: bool
) -> None:
    decided = decide(*texts, urgency=urgency, impact=impact, is_vip=is_vip)

    assert 1 <= decided.priority <= 4
    assert decided.urgency >= (urgency or NORMAL)
    assert decided.reasons
    assert decide(*texts, "触电", urgency=urgency, impact=impact, is_vip=is_vip).priority <= decided.priority
