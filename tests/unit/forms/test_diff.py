from typing import Any

import pytest

from ticket_console.forms.diff import diff, summary
from ticket_console.kernel.documents import apply

pytestmark = pytest.mark.unit


def a_form() -> dict[str, Any]:
    return {
        "definition": {
            "sections": [
                {
                    "key": "main",
                    "title": {"en": "Basics"},
                    "fields": [
                        {"key": "age", "kind": "number", "label": {"en": "Age"}},
                        {"key": "note", "kind": "text", "label": {"en": "Note"}},
                    ],
                },
                {"key": "more", "title": {"en": "More"}, "fields": []},
            ]
        },
        "face": {"name": {"en": "Tasting"}, "business_line": "food", "ticket_class": "service"},
    }


SECTIONS = ["definition", "sections"]


def told(*ops: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line.sentence, line.key) for line in diff(a_form(), apply(a_form(), ops)[0])]


def test_equal_forms_do_not_differ() -> None:
    assert diff(a_form(), a_form()) == ()


def test_a_new_field_is_one_line() -> None:
    colour = {"key": "colour", "kind": "text", "label": {"zh": "颜色", "en": "Colour"}}
    (line,) = diff(
        a_form(),
        apply(a_form(), [{"op": "put", "path": [*SECTIONS, "main", "fields", "colour"], "value": colour}])[0],
    )

    assert (line.sentence, line.key) == ("diff.field.added", "colour")
    assert line.params == {"field": {"zh": "颜色", "en": "Colour"}, "section": {"en": "Basics"}}
    assert (line.before, line.after) == (None, colour)


def test_settings_of_a_field_are_lines_of_their_own() -> None:
    assert told(
        {"op": "put", "path": [*SECTIONS, "main", "fields", "age", "required"], "value": True},
        {"op": "put", "path": [*SECTIONS, "main", "fields", "age", "label", "zh"], "value": "年龄"},
    ) == [("diff.field_setting.changed", "age"), ("diff.field_setting.changed", "age")]


def test_a_field_that_went_to_another_section_has_moved_and_what_changed_on_the_way_is_said() -> None:
    found = diff(
        a_form(),
        apply(
            a_form(),
            [
                {
                    "op": "move",
                    "path": [*SECTIONS, "main", "fields", "age"],
                    "to": [*SECTIONS, "more", "fields"],
                },
                {"op": "put", "path": [*SECTIONS, "more", "fields", "age", "required"], "value": True},
            ],
        )[0],
    )

    assert [(line.sentence, line.key) for line in found] == [
        ("diff.field.moved", "age"),
        ("diff.field_setting.changed", "age"),
    ]
    assert found[0].params["from"] == {"en": "Basics"}
    assert summary(found) == {"field": {"moved": 1}, "field_setting": {"changed": 1}}


def test_another_order_is_said() -> None:
    assert told({"op": "move", "path": [*SECTIONS, "main", "fields", "age"]}) == [
        ("diff.fields.changed", "main")
    ]


def test_the_face_is_part_of_it() -> None:
    assert told({"op": "put", "path": ["face", "flow"], "value": "repair"}) == [("diff.face.changed", "flow")]
