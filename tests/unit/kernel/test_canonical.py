"""The canonical spelling: equal values give equal text, in every process and forever."""

from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal as D
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.kernel.canonical import canonical_json, content_hash, instant_text, parse_json


class Colour(StrEnum):
    RED = "red"


class Name(str):
    pass


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1, None, True]}, '{"a":[1,null,true],"b":1}'),
        ({"名": "电容"}, '{"名":"电容"}'),
        (D("1.50"), '"1.5"'),
        (D("1.5"), '"1.5"'),
        (D("1E+3"), '"1000"'),
        (D(1000), '"1000"'),
        (D("-0.00"), '"0"'),
        (D("0.000001"), '"0.000001"'),
        (D("12345678901234567890123456789012345.10"), '"12345678901234567890123456789012345.1"'),
        (Colour.RED, '"red"'),
        (Name("li"), '"li"'),
        ({Colour.RED: 1, Name("blue"): 2}, '{"blue":2,"red":1}'),
        ({10: "a", 9: "b"}, '{"10":"a","9":"b"}'),
        (MappingProxyType({"b": 1, "a": 2}), '{"a":2,"b":1}'),
        (frozenset({"b", "a"}), '["a","b"]'),
        ((1, 2), "[1,2]"),
        (date(2026, 11, 21), '"2026-11-21"'),
        (datetime(2026, 11, 21, 2, tzinfo=UTC), '"2026-11-21T02:00:00.000000Z"'),
    ],
)
def test_a_value_has_one_spelling(value: Any, text: str) -> None:
    assert canonical_json(value) == text


def test_the_same_instant_is_spelled_alike_in_every_zone() -> None:
    here = datetime(2026, 11, 21, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=8)))

    assert instant_text(here) == "2026-11-21T02:00:00.000005Z"
    assert canonical_json({"at": here}) == canonical_json({"at": here.astimezone(UTC)})


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_instants_sort_as_their_text_does(first: datetime, second: datetime) -> None:
    assert (instant_text(first) < instant_text(second)) == (first < second)


def test_an_instant_without_its_zone_has_no_spelling() -> None:
    naive = datetime(2026, 11, 21, 2)  # noqa: DTZ001

    with pytest.raises(ValueError, match="zone"):
        instant_text(naive)
    with pytest.raises(TypeError):
        canonical_json({"at": naive})


@pytest.mark.parametrize("value", [object(), time(2), 2**64, D("NaN"), D("Infinity"), b"bytes"])
def test_what_has_no_spelling_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json({"value": value})


@given(JSON)
def test_what_was_written_is_read_back(value: Any) -> None:
    assert parse_json(canonical_json(value)) == value
    assert canonical_json(parse_json(canonical_json(value))) == canonical_json(value)


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=6), st.randoms())
def test_the_order_of_keys_means_nothing(value: dict[str, int], chance: Any) -> None:
    shuffled = list(value.items())
    chance.shuffle(shuffled)

    assert canonical_json(OrderedDict(shuffled)) == canonical_json(value)
    assert content_hash(OrderedDict(shuffled)) == content_hash(value)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=D("-1e40"), max_value=D("1e40")),
    st.integers(0, 9),
)
def test_equal_decimals_are_spelled_alike_and_exactly(value: D, zeros: int) -> None:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    padded = D((sign, digits + (0,) * zeros, exponent - zeros))

    assert canonical_json(padded) == canonical_json(value)
    assert D(parse_json(canonical_json(value))) == value


def test_the_fingerprint_is_that_of_the_text_and_stays_what_it_was() -> None:
    value = {
        "no": "WO-10001",
        "amount": D("12.30"),
        "at": datetime(2026, 11, 21, 2, tzinfo=UTC),
        "名": ["电容"],
    }

    assert canonical_json(value) == (
        '{"amount":"12.3","at":"2026-11-21T02:00:00.000000Z","no":"WO-10001","名":["电容"]}'
    )
    assert content_hash(value) == "f2b10890519197f7624e10e69b2cedeff9fc8c4a8ec31f34413ee41f8df9cf97"
