"""The chain of events: whatever is changed, moved or taken away afterwards is found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.tickets.chain import GENESIS, ChainBreak, event_hash, first_break

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
COVERED = (
    "ticket_id",
    "ticket_version",
    "type",
    "payload",
    "actor",
    "actor_name",
    "on_behalf",
    "at",
    "command_id",
    "ordinal",
    "causation_id",
    "depth",
)


def history(length: int = 4) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    previous = GENESIS
    for number in range(length):
        facts = {
            "ticket_id": 10_001,
            "ticket_version": number + 1,
            "type": "ticket.commented",
            "payload": {"comment_id": number, "delta": {"ticket": {"stage": "onsite"}}},
            "actor": "user:7",
            "actor_name": "周明远",
            "on_behalf": None,
            "causation_id": None,
            "depth": 0,
            "at": AT + timedelta(minutes=number),
            "command_id": f"c{number}",
            "ordinal": 0,
        }
        fingerprint = event_hash(prev_hash=previous, **facts)
        events.append({"seq": 100 + number, "prev_hash": previous, "hash": fingerprint, **facts})
        previous = fingerprint
    return events


def rehashed(event: dict[str, Any]) -> dict[str, Any]:
    """A forged event whose own hash is right again."""
    facts = {name: event[name] for name in ("prev_hash", *COVERED)}
    return {**event, "hash": event_hash(**facts)}


def test_an_untouched_history_is_whole() -> None:
    assert first_break(history()) is None
    assert first_break([]) is None


@pytest.mark.parametrize(
    ("column", "forged"),
    [
        ("ticket_id", 10_002),
        ("ticket_version", 9),
        ("type", "ticket.opened"),
        ("payload", {"comment_id": 2}),
        ("actor", "user:8"),
        ("actor_name", "somebody else"),
        ("on_behalf", "user:9"),
        ("causation_id", "other"),
        ("depth", 1),
        ("at", AT + timedelta(microseconds=1)),
        ("command_id", "other"),
        ("ordinal", 1),
        ("prev_hash", "0" * 64),
        ("hash", "0" * 64),
    ],
)
@pytest.mark.parametrize("place", [0, 2, 3])
def test_a_changed_column_is_found_where_it_was_changed(column: str, forged: Any, place: int) -> None:
    events = history()
    events[place][column] = forged

    assert first_break(events) == ChainBreak(events[place]["ticket_id"], 100 + place)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_forgery_that_is_hashed_anew_breaks_the_next_event(place: int) -> None:
    events = history()
    events[place] = rehashed({**events[place], "actor": "user:8"})

    assert first_break(events) == ChainBreak(10_001, 101 + place)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_removed_event_breaks_the_one_behind_it(place: int) -> None:
    events = history()
    del events[place]

    assert first_break(events) == ChainBreak(10_001, 101 + place)


@given(st.permutations(range(5)))
def test_events_in_another_order_are_found(order: list[int]) -> None:
    events = history(5)
    moved = [events[place] for place in order]

    found = first_break(moved)

    assert (found is None) == (order == sorted(order))


@given(
    st.integers(0, 4),
    st.sampled_from(("type", "actor", "command_id")),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
def test_any_other_text_is_found(place: int, column: str, forged: str) -> None:
    events = history(5)
    is_same = events[place][column] == forged
    events[place][column] = forged

    assert (first_break(events) is None) == is_same


def test_a_fact_cannot_borrow_from_its_neighbour() -> None:
    facts = {name: history()[0][name] for name in ("prev_hash", *COVERED)}

    first = event_hash(**{**facts, "type": "a", "actor": "b"})

    assert event_hash(**{**facts, "type": "a\x1f{}", "actor": "b"}) != first


def test_the_same_instant_in_another_zone_is_the_same_fact() -> None:
    from datetime import timezone

    events = history()
    events[1]["at"] = events[1]["at"].astimezone(timezone(timedelta(hours=8)))

    assert first_break(events) is None


def test_the_fingerprint_stays_what_it_was() -> None:
    assert history()[0]["hash"] == "d940d4a029f4ab09e2e10b43b507c65c547c51b549d2b2f35cd896e48a442d2c"
