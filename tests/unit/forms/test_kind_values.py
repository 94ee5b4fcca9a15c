"""Values of every kind: read again, shown, written to a table and read back, and handed to another kind."""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.forms.conversions import convert_rows
from ticket_console.forms.fields import ChecklistItem, FieldKind, FieldSpec, LookupSource, Option
from ticket_console.forms.kinds import (
    KINDS,
    BadValue,
    Showing,
    cell_of,
    convert,
    parse_value,
    read_cell,
    show_value,
)
from ticket_console.forms.kinds.reading import text_of_cell

SHANGHAI = ZoneInfo("Asia/Shanghai")
ENGLISH = Showing("en", SHANGHAI, {FieldKind.PERSON: {7: "Li Na"}, FieldKind.PART: {"P-1": "Fan"}})
CHINESE = Showing("zh", SHANGHAI)


def make_field(kind: FieldKind | str, **settings: Any) -> FieldSpec:
    kind = FieldKind(kind)
    made: dict[FieldKind, dict[str, Any]] = {
        FieldKind.CHOICE: {"options": OPTIONS},
        FieldKind.MULTI_CHOICE: {"options": OPTIONS},
        FieldKind.CHECKLIST: {
            "items": (ChecklistItem("oil", {"en": "Oil"}), ChecklistItem("belt", {"en": "Belt"}))
        },
        FieldKind.LOOKUP: {"lookup": LookupSource("https://courier.example/{no}", "status")},
        FieldKind.FORMULA: {"formula": "1"},
        FieldKind.TABLE: {
            "columns": (
                FieldSpec("what", FieldKind.TEXT, {"en": "What"}, required=True),
                FieldSpec("count", FieldKind.NUMBER, {"en": "Count"}),
                FieldSpec("price", FieldKind.MONEY, {"en": "Price"}),
                FieldSpec("total", FieldKind.FORMULA, {"en": "Total"}, formula="count * price"),
            )
        },
    }
    return FieldSpec(key="x", kind=kind, label={"en": "X"}, **made.get(kind, {}) | settings)


OPTIONS = (
    Option("r", {"zh": "红", "en": "Red"}),
    Option("g", {"zh": "绿", "en": "Green, light"}),
    Option("b", {}),
)
# What is entered, how it is kept, and how it is shown in English.
EXAMPLES: Mapping[FieldKind, tuple[Any, Any, str]] = {
    FieldKind.TEXT: (" a ", "a", "a"),
    FieldKind.LONG_TEXT: ("a\r\nb", "a\nb", "a\nb"),
    FieldKind.NUMBER: ("12.50", "12.5", "12.5"),
    FieldKind.MONEY: (1200, "1200.00", "1,200.00"),
    FieldKind.DATE: ("2026-11-21", "2026-11-21", "2026-11-21"),
    FieldKind.DATETIME: ("2026-11-21T10:00+08:00", "2026-11-21T02:00:00.000000Z", "2026-11-21 10:00"),
    FieldKind.DURATION: ("1:30", 90, "1 h 30 min"),
    FieldKind.CHOICE: ("r", "r", "Red"),
    FieldKind.MULTI_CHOICE: (["g", "r"], ["r", "g"], "Red, Green, light"),
    FieldKind.YES_NO: ("yes", True, "Yes"),
    FieldKind.RATING: ("4", 4, "4"),
    FieldKind.PHONE: ("138-0013-8000", "13800138000", "13800138000"),
    FieldKind.PERSON: ("7", 7, "Li Na"),
    FieldKind.CUSTOMER: (8, 8, "#8"),
    FieldKind.ASSET: (9, 9, "#9"),
    FieldKind.PART: (" P-1 ", "P-1", "Fan (P-1)"),
    FieldKind.PARTS: ([{"sku": "P-1", "qty": 2}], [{"sku": "P-1", "qty": "2"}], "Fan × 2"),
    FieldKind.LOCATION: ({"lat": "31.2", "lon": 121}, {"lat": 31.2, "lon": 121.0}, "31.2, 121.0"),
    FieldKind.ADDRESS: (
        {"street": "1 Pier", "city": "上海", "lat": 31, "lon": 121},
        {"street": "1 Pier", "city": "上海", "lat": 31.0, "lon": 121.0},
        "1 Pier, 上海",
    ),
    FieldKind.PHOTO: (5, [5], "#5"),
    FieldKind.FILE: ([5, 6, 5], [5, 6], "#5, #6"),
    FieldKind.SIGNATURE: ("M 1 1 L 9 9", "M 1 1 L 9 9", "signed"),
    FieldKind.SCAN: ("SN-1", "SN-1", "SN-1"),
    FieldKind.LOOKUP: (
        {"value": "on the way", "as_of": "2026-11-21T10:00:00+08:00"},
        {"value": "on the way", "as_of": "2026-11-21T02:00:00.000000Z"},
        "on the way (as of Nov 21, 2026, 10:00:00\u202fAM)",
    ),
    FieldKind.FORMULA: ("12.50", "12.5", "12.5"),
    FieldKind.TABLE: (
        [{"what": "Pipe", "count": "3", "price": "1.1"}, {"what": " "}],
        [{"what": "Pipe", "count": "3", "price": "1.10", "total": "3.3"}],
        "Pipe, 3, 1.10, 3.3",
    ),
    FieldKind.CHECKLIST: (
        [{"key": "belt", "state": "problem", "note": " worn "}, {"key": "oil", "state": "ok"}],
        [{"key": "oil", "state": "ok"}, {"key": "belt", "state": "problem", "note": "worn"}],
        "Oil: In order; Belt: Faulty (worn)",
    ),
}


# TPL-05
@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_value_of_every_kind_goes_round(kind: FieldKind) -> None:
    spec = make_field(kind)
    entered, kept, shown = EXAMPLES[kind]

    assert parse_value(spec, entered) == kept
    assert parse_value(spec, kept) == kept
    assert show_value(spec, kept, ENGLISH) == shown
    written = text_of_cell(cell_of(spec, kept, ENGLISH))
    assert parse_value(spec, read_cell(spec, written, SHANGHAI), SHANGHAI) == kept


def test_a_value_is_shown_in_the_language_and_the_zone_of_whoever_looks() -> None:
    assert show_value(make_field("duration"), 125, CHINESE) == "2 小时 5 分钟"
    assert show_value(make_field("yes_no"), False, CHINESE) == "否"
    assert show_value(make_field("choice"), "r", CHINESE) == "红"
    assert show_value(make_field("address"), {"street": "路1号", "city": "上海"}, CHINESE) == "上海路1号"
    assert (
        show_value(make_field("datetime"), "2026-11-21T02:00:00.000000Z", Showing("en", UTC))
        == "2026-11-21 02:00"
    )
    assert show_value(make_field("number", unit="°C"), "21.5", CHINESE) == "21.5 °C"


def test_cells_of_a_table_are_typed() -> None:
    assert cell_of(make_field("money"), "12.50", ENGLISH) == Decimal("12.50")
    assert str(cell_of(make_field("date"), "2026-11-21", ENGLISH)) == "2026-11-21"
    assert cell_of(make_field("yes_no"), True, ENGLISH) is True
    assert cell_of(make_field("choice"), "r", CHINESE) == "红"


NUMBERS = st.decimals(-(10**12), 10**12, places=4, allow_nan=False).map(str)
ENTRIES: Mapping[str, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=40),
    "long_text": st.text(max_size=80),
    "scan": st.text("AB01-", max_size=20),
    "number": NUMBERS,
    "money": st.decimals(-(10**9), 10**9, places=2).map(str),
    "formula": NUMBERS,
    "date": st.dates().map(str),
    "datetime": st.datetimes(timezones=st.just(SHANGHAI)).map(lambda at: at.isoformat()),
    "duration": st.one_of(st.integers(0, 10**6), st.from_regex(r"\A[0-9]{1,3}:[0-5][0-9]\Z")),
    "choice": st.sampled_from(["r", "g", "b"]),
    "multi_choice": st.lists(st.sampled_from(["r", "g", "b"]), max_size=5),
    "yes_no": st.sampled_from(["yes", "no", True, False, "1"]),
    "rating": st.integers(1, 5),
    "phone": st.from_regex(r"\A\+?[0-9]{5,15}\Z"),
    "person": st.integers(1, 2**62),
    "part": st.text("AB01-", max_size=20),
    "photo": st.lists(st.integers(1, 99), max_size=9),
    "parts": st.lists(
        st.fixed_dictionaries({"sku": st.sampled_from("ABC"), "qty": st.integers(1, 9)}), max_size=4
    ),
    "location": st.fixed_dictionaries({"lat": st.floats(-90, 90), "lon": st.floats(-180, 180)}),
    "address": st.fixed_dictionaries({"street": st.text("路1 a,", min_size=1, max_size=20)}),
    "checklist": st.lists(
        st.fixed_dictionaries({"key": st.just("oil"), "state": st.sampled_from(["ok", "na"])}), max_size=1
    ),
    "table": st.lists(
        st.fixed_dictionaries({"what": st.text("ab ", max_size=4), "count": st.integers(0, 99)}), max_size=4
    ),
}


@pytest.mark.parametrize("kind", ENTRIES)
@given(data=st.data())
def test_whatever_is_taken_reads_back_unchanged_and_goes_through_a_file(
    kind: str, data: st.DataObject
) -> None:
    spec = make_field(kind)
    try:
        kept = parse_value(spec, data.draw(ENTRIES[kind]), SHANGHAI)
    except BadValue:
        return
    if kept is None:
        return

    written = text_of_cell(cell_of(spec, kept, CHINESE))
    assert parse_value(spec, kept) == kept
    assert parse_value(spec, read_cell(spec, written, SHANGHAI), SHANGHAI) == kept


@pytest.mark.parametrize(
    ("kind", "entered", "code"),
    [
        ("duration", "a while", "field.bad_duration"),
        ("duration", -1, "field.bad_duration"),
        ("duration", "1:75", "field.bad_duration"),
        ("person", "Li Na", "field.not_a_record"),
        ("customer", 0, "field.not_a_record"),
        ("address", {"city": " "}, "field.bad_address"),
        ("address", {"street": "a", "lat": 1}, "field.bad_address"),
        ("address", {"road": "a"}, "field.bad_address"),
        ("lookup", "on the way", "field.not_entered"),
        ("heading", "x", "field.not_entered"),
        ("checklist", [{"key": "fan", "state": "ok"}], "field.bad_checklist"),
        ("checklist", [{"key": "oil", "state": "fine"}], "field.bad_checklist"),
        ("table", [{"who": "x"}], "field.bad_row"),
        ("table", [{"count": "1"}], "field.required"),
        ("table", [{"what": "x", "count": "many"}], "field.not_a_number"),
    ],
)
def test_what_is_no_value_of_the_kind_is_refused(kind: str, entered: Any, code: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_value(make_field(kind), entered)

    assert refused.value.code == code


def test_a_problem_within_a_table_says_where() -> None:
    with pytest.raises(BadValue) as refused:
        parse_value(make_field("table"), [{"what": "a"}, {"what": "b", "price": "1.005"}])

    assert (refused.value.at, refused.value.code) == ("[1].price", "field.too_many_decimals")


@pytest.mark.parametrize(
    ("source", "value", "target", "converted"),
    [
        ("text", "12.5", "number", "12.5"),
        ("text", "Red", "choice", "r"),
        ("number", "90", "duration", 90),
        ("duration", 90, "number", "90"),
        ("duration", 90, "text", "1 h 30 min"),
        ("choice", "r", "multi_choice", ["r"]),
        ("multi_choice", ["g"], "choice", "g"),
        ("datetime", "2026-11-20T18:00:00.000000Z", "date", "2026-11-21"),
        ("date", "2026-11-21", "datetime", "2026-11-20T16:00:00.000000Z"),
        ("yes_no", True, "text", "Yes"),
        (
            "location",
            {"lat": 31.0, "lon": 121.0, "address": "Pier"},
            "address",
            {"street": "Pier", "lat": 31.0, "lon": 121.0},
        ),
        ("photo", [5], "file", [5]),
    ],
)
def test_a_value_becomes_one_of_another_kind(source: str, value: Any, target: str, converted: Any) -> None:
    assert convert(make_field(source), make_field(target), value, ENGLISH) == converted


def test_rows_that_cannot_be_converted_are_named_and_nothing_is_guessed() -> None:
    rows = {1: "12", 2: "twelve", 3: None, 4: "7.5"}

    result = convert_rows(make_field("text"), make_field("number"), rows, ENGLISH)

    assert result.values == {1: "12", 4: "7.5"}
    assert {row: problem.code for row, problem in result.refused.items()} == {2: "field.not_a_number"}


def test_a_kind_becomes_only_what_it_says_it_may() -> None:
    with pytest.raises(BadValue) as refused:
        convert(make_field("photo"), make_field("text"), [5], ENGLISH)

    assert refused.value.code == "field.no_conversion"
    assert FieldKind.TEXT not in KINDS[FieldKind.PHOTO].converts
