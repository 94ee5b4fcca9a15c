"""Every kind of field: what it takes, how it keeps it, and what it refuses."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.forms.fields import FieldKind, FieldSpec, Option
from ticket_console.forms.kinds import KINDS, BadValue, minor_units, parse_value, schema_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


def make_field(kind: str, **settings: Any) -> FieldSpec:
    if kind in ("choice", "multi_choice"):
        settings.setdefault(
            "options", tuple(Option(value, {"en": value}) for value in ("red", "green", "blue"))
        )
    return FieldSpec(key="x", kind=FieldKind(kind), label={"en": "X"}, **settings)


@pytest.mark.parametrize(
    ("kind", "raw", "kept"),
    [
        ("text", "  a line ", "a line"),
        ("text", "<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("text", "e\u0301", "\u00e9"),
        ("long_text", "one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("number", "12.50", "12.5"),
        ("number", 0.1, "0.1"),
        ("number", 1_000, "1000"),
        ("number", "1e3", "1000"),
        ("number", "-0.0", "0"),
        ("number", Decimal("1E+2"), "100"),
        ("money", "1200", "1200.00"),
        ("money", 12.5, "12.50"),
        ("money", "-0.00", "0.00"),
        ("date", "2026-11-21", "2026-11-21"),
        ("datetime", "2026-11-21T10:00:00+08:00", "2026-11-21T02:00:00.000000Z"),
        ("datetime", datetime(2026, 11, 21, 2, tzinfo=UTC), "2026-11-21T02:00:00.000000Z"),
        ("choice", " green ", "green"),
        ("multi_choice", ["blue", "red", "blue"], ["red", "blue"]),
        ("yes_no", "Yes", True),
        ("yes_no", False, False),
        ("rating", "4", 4),
        ("phone", "(021) 5555-0123", "02155550123"),
        ("phone", "+86 138 0013 8000", "+8613800138000"),
        ("photo", 5, [5]),
        ("photo", [5, 6, 5], [5, 6]),
        ("file", [7], [7]),
        ("signature", " M 10 20 L 30.5 40 M 5 5 L 6 6 ", "M 10 20 L 30.5 40 M 5 5 L 6 6"),
        ("location", {"lat": "31.2304161", "lon": 121.47}, {"lat": 31.230416, "lon": 121.47}),
        (
            "location",
            {"lat": 0, "lon": 0, "address": " pier "},
            {"lat": 0.0, "lon": 0.0, "address": "pier"},
        ),
        ("parts", [{"sku": "P-1", "qty": 2}, {"sku": "P-1", "qty": "0.5"}], [{"sku": "P-1", "qty": "2.5"}]),
    ],
)
def test_a_value_is_kept_in_one_form_that_reads_back_unchanged(kind: str, raw: Any, kept: Any) -> None:
    spec = make_field(kind)

    assert parse_value(spec, raw) == kept
    assert parse_value(spec, kept) == kept


@pytest.mark.parametrize("kind", FieldKind)
@pytest.mark.parametrize("blank", [None, "", "  \n", [], ()])
def test_blank_is_nothing_whatever_the_kind(kind: FieldKind, blank: Any) -> None:
    assert parse_value(make_field(kind.value), blank) is None


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("text", 5, "field.not_text"),
        ("text", "a\nb", "field.several_lines"),
        ("text", "a\x00b", "field.control_characters"),
        ("text", "\ud800", "field.control_characters"),
        ("text", "x" * 501, "field.too_long"),
        ("long_text", "x" * 10_001, "field.too_long"),
        ("number", "twelve", "field.not_a_number"),
        ("number", True, "field.not_a_number"),
        ("number", "NaN", "field.not_a_number"),
        ("number", float("inf"), "field.not_a_number"),
        ("number", "1_000", "field.not_a_number"),
        ("number", "9" * 41, "field.not_a_number"),
        ("number", 10**18, "field.too_many_digits"),
        ("number", "1e-30", "field.too_many_digits"),
        ("money", "1.005", "field.too_many_decimals"),
        ("date", "21.11.2026", "field.bad_date"),
        ("date", "2026-02-30", "field.bad_date"),
        ("date", 20261121, "field.bad_date"),
        ("datetime", "2026-11-21T10:00:00", "field.no_zone"),
        ("datetime", "yesterday", "field.bad_datetime"),
        ("datetime", 5, "field.bad_datetime"),
        ("datetime", "0001-01-01T00:00:00+14:00", "field.bad_datetime"),
        ("choice", "pink", "field.not_an_option"),
        ("choice", 3, "field.not_an_option"),
        ("multi_choice", "red", "field.not_a_list"),
        ("multi_choice", ["red", "pink"], "field.not_an_option"),
        ("yes_no", "maybe", "field.not_yes_or_no"),
        ("yes_no", 1, "field.not_yes_or_no"),
        ("rating", 6, "field.not_a_rating"),
        ("rating", "2.5", "field.not_a_rating"),
        ("phone", "call me", "field.bad_phone"),
        ("phone", "1234", "field.bad_phone"),
        ("photo", ["a.jpg"], "field.not_an_attachment"),
        ("photo", list(range(1, 32)), "field.too_many"),
        ("file", 2**63, "field.not_an_attachment"),
        ("signature", "M 1 1 L 2 2 url(x)", "field.not_a_signature"),
        ("signature", "L 1 1", "field.not_a_signature"),
        ("signature", "M 1 1" + " L 2 2" * 6000, "field.too_long"),
        ("location", {"lat": 91, "lon": 0}, "field.bad_location"),
        ("location", {"lat": 1}, "field.bad_location"),
        ("location", {"lat": 1, "lon": 2, "alt": 3}, "field.bad_location"),
        ("location", "here", "field.bad_location"),
        ("parts", {"sku": "P-1"}, "field.not_a_list"),
        ("parts", [{"sku": "P-1"}], "field.bad_part"),
        ("parts", [{"sku": "P-1", "qty": 0}], "field.bad_part"),
        ("parts", [{"sku": " ", "qty": 1}], "field.bad_part"),
        ("parts", ["P-1"], "field.bad_part"),
    ],
)
def test_what_is_no_value_is_refused_with_a_code(kind: str, raw: Any, code: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_value(make_field(kind), raw)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("spec", "raw", "code", "limit"),
    [
        (make_field("text", minimum=Decimal(3)), "ab", "field.too_short", 3),
        (make_field("text", maximum=Decimal(3)), "abcd", "field.too_long", 3),
        (make_field("text", pattern="[A-Z]{2}"), "ab", "field.bad_format", None),
        (make_field("number", minimum=Decimal("0.5")), "0.4", "field.too_small", "0.5"),
        (make_field("money", maximum=Decimal(100)), "100.01", "field.too_large", "100"),
        (make_field("date", minimum="2026-01-01"), "2025-12-31", "field.too_early", "2026-01-01"),
        (make_field("date", maximum="2026-01-01"), "2026-01-02", "field.too_late", "2026-01-01"),
        (make_field("multi_choice", minimum=Decimal(2)), ["red"], "field.too_few", 2),
        (make_field("multi_choice", maximum=Decimal(1)), ["red", "blue"], "field.too_many", 1),
        (make_field("rating", maximum=Decimal(10)), 11, "field.not_a_rating", 10),
        (make_field("photo", maximum=Decimal(1)), [1, 2], "field.too_many", 1),
    ],
)
def test_bounds_are_kept_and_named(spec: FieldSpec, raw: Any, code: str, limit: Any) -> None:
    with pytest.raises(BadValue) as caught:
        parse_value(spec, raw)

    assert caught.value.code == code
    assert caught.value.params.get("limit") == limit


def test_wall_clock_times_are_meant_in_the_zone_of_the_place() -> None:
    assert parse_value(make_field("datetime"), "2026-11-21T10:00", SHANGHAI) == "2026-11-21T02:00:00.000000Z"


def test_an_amount_has_whole_cents() -> None:
    assert minor_units("1200.05") == 120_005
    assert minor_units("-0.10") == -10


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(FieldKind), anything)
def test_nothing_that_can_be_sent_breaks_a_parser(kind: FieldKind, raw: Any) -> None:
    spec = make_field(kind.value)
    try:
        kept = parse_value(spec, raw, SHANGHAI)
    except BadValue:
        return
    assert parse_value(spec, kept, SHANGHAI) == kept


def test_every_kind_is_described_for_the_api() -> None:
    assert set(KINDS) == set(FieldKind)
    assert schema_of(make_field("text", maximum=Decimal(80), pattern="[a-z]+")) == {
        "type": "string",
        "maxLength": 80,
        "pattern": "^(?:[a-z]+)$",
        "title": "X",
    }
    assert schema_of(make_field("choice")) == {
        "type": "string",
        "enum": ["red", "green", "blue"],
        "title": "X",
    }
    assert all("type" in schema_of(make_field(kind.value)) for kind in FieldKind)
