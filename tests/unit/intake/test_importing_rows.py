"""Columns are guessed by their headers, and rows are read by the mapping."""

from zoneinfo import ZoneInfo

import pytest

from ticket_console.forms.definitions import TemplateDefinition, parse_definition
from ticket_console.intake.importing import read_sheet, suggest_mapping, targets
from ticket_console.intake.importing.columns import BadMapping, check_mapping
from ticket_console.intake.importing.report import report_csv
from ticket_console.intake.importing.rows import RowReader, phone_text
from ticket_console.intake.importing.running import ImportReport, RowOutcome
from ticket_console.intake.states import RawState
from ticket_console.kernel.errors import FieldProblem

SHANGHAI = ZoneInfo("Asia/Shanghai")


def make_definition() -> TemplateDefinition:
    fields = [
        {"key": "model", "kind": "text", "label": {"zh": "产品型号", "en": "Model"}, "max": 10},
        {
            "key": "category",
            "kind": "choice",
            "label": {"zh": "设备类别", "en": "Equipment"},
            "options": [
                {"value": "hvac", "label": {"zh": "空调", "en": "Air conditioning"}},
                {"value": "lift", "label": {"zh": "电梯", "en": "Lift"}},
            ],
        },
        {
            "key": "tags",
            "kind": "multi_choice",
            "label": {"en": "Tags"},
            "options": [{"value": "a", "label": {"zh": "甲"}}, {"value": "b", "label": {"zh": "乙"}}],
        },
        {"key": "quantity", "kind": "number", "label": {"zh": "数量", "en": "Quantity"}},
        {"key": "under_warranty", "kind": "yes_no", "label": {"zh": "是否保内", "en": "Under warranty"}},
        {"key": "bought_on", "kind": "date", "label": {"zh": "购买日期", "en": "Bought on"}},
        {"key": "preferred", "kind": "datetime", "label": {"zh": "期望时间", "en": "Preferred time"}},
        {"key": "callback", "kind": "phone", "label": {"zh": "回访电话", "en": "Callback"}},
        {"key": "photos", "kind": "photo", "label": {"zh": "照片", "en": "Photos"}},
        {"key": "result", "kind": "text", "label": {"zh": "结果", "en": "Result"}, "at_opening": False},
    ]
    return parse_definition({"sections": [{"key": "main", "fields": fields}]})


def make_reader(text: str, mapping: dict[str, str]) -> RowReader:
    return RowReader(read_sheet(text.encode()), mapping, "repair", make_definition(), SHANGHAI)


def test_headers_are_recognised_in_both_languages() -> None:
    headers = (
        "标题 *",
        "联系电话",
        "Contact_Name",
        "地址",
        "产品型号",
        "编号",
        "Latitude",
        "什么",
        "照片",
        "结果",
        "",
    )

    assert suggest_mapping(headers, make_definition()) == {
        "标题 *": "title",
        "联系电话": "contact_phone",
        "Contact_Name": "contact_name",
        "地址": "address",
        "产品型号": "values.model",
        "编号": "external_id",
        "Latitude": "latitude",
    }


def test_a_place_is_suggested_once() -> None:
    assert suggest_mapping(("电话", "手机"), make_definition()) == {"电话": "contact_phone"}


def test_what_no_cell_can_hold_and_later_steps_are_no_targets() -> None:
    keys = {target.key for target in targets(make_definition())}

    assert {"title", "values.model"} <= keys
    assert not {"values.photos", "values.result"} & keys


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"a": "title", "x": "address"}, [("x", "intake.column_unknown")]),
        ({"a": "title", "b": "values.result"}, [("b", "intake.place_unknown")]),
        ({"a": "title", "b": "title"}, [("b", "intake.place_twice")]),
        ({"a": "address"}, [("title", "intake.nothing_said")]),
        ({}, [("title", "intake.nothing_said")]),
    ],
)
def test_every_mistake_of_a_mapping_is_named(
    mapping: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(BadMapping) as refused:
        check_mapping(mapping, ("a", "b"), make_definition())

    assert [(each.path, each.code) for each in refused.value.problems] == expected


def test_a_row_becomes_a_request() -> None:
    headers = "t,phone,lat,lon,when,how,cat,tags,n,w,day,pref,cust"
    row = (
        "坏了,1.3800000001E10,31.2,121.4,2026/1/5 9:05,紧急,空调,甲；乙,"
        '"1,200.5",是,2026/1/5,2026-01-05 10:00,Li'
    )
    mapping = {
        "t": "title",
        "phone": "contact_phone",
        "lat": "latitude",
        "lon": "longitude",
        "when": "reported_at",
        "how": "urgency",
        "cat": "values.category",
        "tags": "values.tags",
        "n": "values.quantity",
        "w": "values.under_warranty",
        "day": "values.bought_on",
        "pref": "values.preferred",
        "cust": "customer.name",
    }
    reader = make_reader(f"{headers}\n{row}\n", mapping)

    request = reader.request(reader.sheet.rows[0])

    assert request == {
        "template": "repair",
        "title": "坏了",
        "contact_phone": "13800000001",
        "latitude": 31.2,
        "longitude": 121.4,
        "reported_at": "2026-01-05T09:05:00+08:00",
        "urgency": 2,
        "customer": {"name": "Li"},
        "values": {
            "category": "hvac",
            "tags": ["a", "b"],
            "quantity": "1200.5",
            "under_warranty": "yes",
            "bought_on": "2026-01-05",
            "preferred": "2026-01-05T10:00:00+08:00",
        },
    }


def test_every_problem_of_a_row_stands_under_its_column() -> None:
    mapping = {
        "标题": "title",
        "型号": "values.model",
        "类别": "values.category",
        "经度": "longitude",
        "纬度": "latitude",
        "保内": "values.under_warranty",
        "急": "urgency",
    }
    reader = make_reader("标题,型号,类别,经度,纬度,保内,急\n,12345678901,boat,东,31,maybe,very\n", mapping)

    problems = reader.problems(reader.sheet.rows[0])

    assert sorted((each.path, each.code) for each in problems) == [
        ("保内", "field.not_yes_or_no"),
        ("型号", "field.too_long"),
        ("急", "input.wrong_type"),
        ("类别", "field.not_an_option"),
        ("经度", "input.wrong_type"),
    ]


def test_a_row_that_says_nothing_is_told_so_under_the_title() -> None:
    reader = make_reader("标题,型号\n,K35\n", {"标题": "title", "型号": "values.model"})

    assert reader.problems(reader.sheet.rows[0]) == (FieldProblem("标题", "input.missing"),)


def test_cells_beyond_the_header_are_never_dropped_silently() -> None:
    reader = make_reader("a,b\nbroken pump,x,left over\n", {"a": "title"})

    assert reader.problems(reader.sheet.rows[0]) == (FieldProblem("#3", "field.unknown"),)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800000001.0", "13800000001"),
        ("1.3800000001E10", "13800000001"),
        ("138-0000-0001", "138-0000-0001"),
        ("021-55550001", "021-55550001"),
        ("+86 13800000001", "+86 13800000001"),
        ("1e400", "1e400"),
    ],
)
# PAIN-44
def test_a_phone_number_taken_for_a_measurement_is_a_phone_number_again(text: str, phone: str) -> None:
    assert phone_text(text) == phone


# PAIN-44
def test_the_report_cannot_be_run_as_a_formula() -> None:
    outcomes = (
        RowOutcome(2, RawState.TICKET, 7, "WO-7"),
        RowOutcome(
            3,
            RawState.REJECTED,
            code="intake.invalid",
            problems=(FieldProblem("=cmd|' /C calc'!A0", "field.unknown"),),
        ),
    )

    text = report_csv(ImportReport(1, "x.csv", outcomes), locale="en")

    assert text.startswith(b"\xef\xbb\xbf")
    lines = text.decode("utf-8-sig").splitlines()
    assert lines[1] == "2,opened,WO-7,"
    assert lines[2].startswith("3,rejected,,'=cmd|' /C calc'!A0: ")
