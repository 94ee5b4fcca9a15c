"""Filling in: values, or every problem at once."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ticket_console.forms.definitions import parse_definition
from ticket_console.forms.filling import InvalidValues, fill


def make_field(key: str, kind: str, **settings: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "label": {"en": key}, **settings}


REPAIR = parse_definition(
    {
        "sections": [
            {
                "key": "main",
                "fields": [
                    make_field("symptom", "text", required=True),
                    make_field("level", "number", min=1, max=5),
                    make_field(
                        "source", "choice", options=[{"value": "phone"}, {"value": "web"}], default="web"
                    ),
                    make_field("wanted", "datetime"),
                    make_field("cause", "text", at_opening=False),
                ],
            }
        ]
    }
)


def problems(raw: dict[str, Any], **asked: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidValues) as caught:
        fill(REPAIR, raw, **asked)
    return [(problem.path, problem.code) for problem in caught.value.problems]


def test_a_new_request_is_parsed_with_defaults_and_without_blanks() -> None:
    assert fill(REPAIR, {"symptom": " drips ", "level": "2.0", "wanted": ""}) == {
        "symptom": "drips",
        "level": "2",
        "source": "web",
    }


def test_every_problem_is_named_at_once() -> None:
    assert problems({"level": 9, "source": "fax", "colour": "red", "wanted": "2026-11-21T10:00"}) == [
        ("level", "field.too_large"),
        ("source", "field.not_an_option"),
        ("colour", "field.unknown"),
        ("wanted", "field.no_zone"),
        ("symptom", "field.required"),
    ]


def test_a_field_of_a_later_step_is_not_taken_at_opening() -> None:
    assert problems({"symptom": "drips", "cause": "seal"}) == [("cause", "field.unknown")]


def test_a_required_field_that_is_wrong_is_reported_once() -> None:
    assert problems({"symptom": 7}) == [("symptom", "field.not_text")]


def test_a_step_takes_exactly_what_it_asks_for() -> None:
    asked = {"cause": True, "level": False}

    assert fill(REPAIR, {"cause": "seal", "level": ""}, asked=asked) == {"cause": "seal", "level": None}
    assert fill(REPAIR, {"cause": "seal"}, asked=asked) == {"cause": "seal"}
    assert problems({"cause": " ", "symptom": "drips"}, asked=asked) == [
        ("symptom", "field.unknown"),
        ("cause", "field.required"),
    ]


def test_a_field_no_template_has_is_refused_even_when_asked_for() -> None:
    assert problems({"ghost": 1}, asked={"ghost": False}) == [("ghost", "field.unknown")]


def test_wall_clock_times_need_a_zone() -> None:
    values = fill(REPAIR, {"symptom": "drips", "wanted": "2026-11-21T10:00"}, zone=ZoneInfo("Asia/Shanghai"))

    assert values["wanted"] == "2026-11-21T02:00:00.000000Z"


def test_markup_is_only_text() -> None:
    assert (
        fill(REPAIR, {"symptom": "<img src=x onerror=alert(1)>"})["symptom"] == "<img src=x onerror=alert(1)>"
    )
