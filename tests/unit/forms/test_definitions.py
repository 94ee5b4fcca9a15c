"""Template definitions: their JSON form, their hash, and what can be wrong with them."""

import json
from typing import Any

import pytest

from ticket_console.forms.definitions import (
    InvalidDefinition,
    TemplateDefinition,
    definition_hash,
    definition_json,
    definition_problems,
    definition_schema,
    parse_definition,
)
from ticket_console.forms.fields import Sensitivity


def make_field(key: str = "x", kind: str = "text", **settings: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "label": {"zh": key, "en": key}, **settings}


def make_definition(*fields: dict[str, Any]) -> TemplateDefinition:
    return parse_definition({"sections": [{"key": "main", "fields": list(fields)}]})


RICH = {
    "sections": [
        {
            "key": "fault",
            "title": {"zh": "故障", "en": "Fault"},
            "fields": [
                make_field("symptom", "long_text", required=True, max=500),
                make_field(
                    "kind",
                    "choice",
                    options=[{"value": "a", "label": {"en": "A"}}, {"value": "b"}],
                    default="a",
                ),
                make_field("level", "number", min=0.5, max="10"),
                make_field("since", "date", min="2026-01-01"),
            ],
        },
        {
            "key": "work",
            "fields": [
                make_field("labour", "money", sensitivity="cost", at_opening=False, help={"en": "Total"})
            ],
        },
    ]
}


def test_a_definition_comes_back_equal_from_its_json() -> None:
    definition = parse_definition(RICH)
    written = definition_json(definition)

    assert parse_definition(json.loads(json.dumps(written))) == definition
    assert definition_hash(parse_definition(written)) == definition_hash(definition)
    assert definition_problems(definition) == ()


def test_a_definition_knows_its_fields_and_those_asked_at_opening() -> None:
    definition = parse_definition(RICH)

    assert [spec.key for spec in definition.fields] == ["symptom", "kind", "level", "since", "labour"]
    assert [spec.key for spec in definition.at_opening] == ["symptom", "kind", "level", "since"]
    assert definition.field("labour").sensitivity is Sensitivity.COST


def test_the_hash_follows_the_content_and_not_the_spelling() -> None:
    plain = make_definition(make_field("level", "number", min=1))
    spelled_out = make_definition(make_field("level", "number", min="1", required=False, options=[]))
    other = make_definition(make_field("level", "number", min=2))

    assert definition_hash(plain) == definition_hash(spelled_out)
    assert definition_hash(plain) != definition_hash(other)


def test_the_schema_asks_for_what_opening_asks_for() -> None:
    schema = definition_schema(parse_definition(RICH))

    assert schema["required"] == ["symptom"]
    assert list(schema["properties"]) == ["symptom", "kind", "level", "since"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({}, "sections", "input.missing"),
        ({"sections": [{"key": "a"}]}, "sections[0].fields", "input.missing"),
        (
            {"sections": [{"key": "a", "fields": [make_field(kind="magic")]}]},
            "sections[0].fields[0].kind",
            "input.not_allowed",
        ),
        (
            {"sections": [{"key": "a", "fields": [make_field(requird=True)]}]},
            "sections[0].fields[0].requird",
            "input.unknown_key",
        ),
        (
            {"sections": [{"key": "a", "fields": [make_field(required="yes")]}]},
            "sections[0].fields[0].required",
            "input.wrong_type",
        ),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(data: Any, path: str, code: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse_definition(data)

    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, code)]


@pytest.mark.parametrize(
    ("field", "path", "code"),
    [
        (make_field(label={}), "fields.x.label", "template.no_label"),
        (make_field(kind="choice"), "fields.x.options", "template.no_options"),
        (make_field(options=[{"value": "a"}]), "fields.x.options", "template.misplaced_setting"),
        (
            make_field(kind="choice", options=[{"value": "a"}, {"value": "a"}]),
            "fields.x.options",
            "template.bad_options",
        ),
        (make_field(kind="number", pattern="a"), "fields.x.pattern", "template.misplaced_setting"),
        (make_field(pattern="(a+)+"), "fields.x.pattern", "template.bad_pattern"),
        (make_field(kind="yes_no", min=1), "fields.x.min", "template.misplaced_setting"),
        (make_field(min="many"), "fields.x.min", "template.bad_bound"),
        (make_field(max=1.5), "fields.x.max", "template.bad_bound"),
        (make_field(kind="date", max="soon"), "fields.x.max", "template.bad_bound"),
        (make_field(kind="number", max=float("nan")), "fields.x.max", "template.bad_bound"),
        (make_field(kind="number", min=3, max=1), "fields.x.min", "template.bounds_cross"),
        (make_field(kind="rating", default=9), "fields.x.default", "field.not_a_rating"),
    ],
)
def test_a_field_that_makes_no_sense_is_reported(field: dict[str, Any], path: str, code: str) -> None:
    (problem,) = definition_problems(make_definition(field))

    assert (problem.path, problem.code) == (path, code)


def test_keys_are_used_once_and_a_form_asks_something() -> None:
    twice = make_definition(make_field("a"), make_field("a"))

    assert [problem.code for problem in definition_problems(twice)] == ["template.field_used_twice"]
    assert [problem.code for problem in definition_problems(make_definition())] == ["template.no_fields"]
