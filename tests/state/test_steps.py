"""What goes from a step to its form, and from the form to the command."""

from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.state.new_ticket import _headline
from ticket_console.state.steps import (
    PHOTO_FIELD,
    SIGNATURE_FIELD,
    Plain,
    file_ids,
    form_field,
    problems_at_fields,
    step_form,
    taken,
    without_places,
)

STEP: Plain = {
    "token_id": 7,
    "can_act": True,
    "evidence": ["photo", "signature"],
    "fields": [],
    "guide": {"description": {}, "documents": [], "parts": [], "checklist": []},
    "can_skip": True,
    "others": [{"node_key": "b", "name": {"zh": "复检", "en": "Check again"}}],
    "edges": [
        {"key": "on", "name": {"zh": "", "en": ""}, "kind": "forward", "needs_reason": False},
        {"key": "back", "name": {"zh": "退回", "en": "Back"}, "kind": "return", "needs_reason": True},
    ],
}


def test_evidence_stands_in_the_form_with_the_photos_that_are_there() -> None:
    photos = [{"id": 3, "name": "a.jpg", "url": "/api/v1/attachments/3"}]

    form = step_form(STEP, 5, {7: photos})

    assert [(each["key"], each["value"]) for each in form["fields"]] == [
        (PHOTO_FIELD, photos),
        (SIGNATURE_FIELD, None),
    ]
    assert form["upload_url"] == "/api/v1/tickets/5/attachments?token_id=7"


def test_a_way_without_a_name_is_called_by_what_it_does() -> None:
    form = step_form(STEP, 5, {})

    assert [each["label"]["en"] for each in form["actions"]] == ["Finish this step"]
    assert [each["name"]["en"] for each in form["ways_back"]] == ["Back"]


def test_a_step_of_somebody_else_asks_for_no_evidence() -> None:
    assert step_form({**STEP, "can_act": False}, 5, {})["fields"] == []


def test_files_go_to_the_command_as_numbers() -> None:
    assert file_ids([{"id": 3, "name": "a.jpg"}, {"id": 4}]) == [3, 4]
    assert file_ids([{"sku": "CAP-35", "qty": "2"}]) == [{"sku": "CAP-35", "qty": "2"}]


def test_a_blank_is_sent_only_where_it_clears_something() -> None:
    fields: list[Plain] = [{"key": "note", "value": "alt"}, {"key": "cause", "value": None}]

    assert taken({"note": "", "cause": "", "hours": "1.5"}, fields) == {"note": "", "hours": "1.5"}


def test_a_stored_photo_shows_its_preview() -> None:
    shown = form_field({"kind": "photo", "value": [9], "options": []})

    assert shown["value"] == [{"id": 9, "name": "9", "url": "/api/v1/attachments/9"}]


def test_what_stands_at_a_field_is_not_said_again_in_the_notice() -> None:
    refused = InvalidInput(
        (FieldProblem("photo", "field.photo_required"), FieldProblem("x", "field.unknown"))
    )

    assert set(problems_at_fields(refused)) == {PHOTO_FIELD, "x"}
    told = without_places(refused, {PHOTO_FIELD})
    assert [each.path for each in told.problems] == ["x"]
    assert told.params["count"] == 2


def test_the_headline_is_the_first_line_cut_at_a_sentence() -> None:
    assert _headline("空调不制冷\n明天下午在家") == "空调不制冷"
    assert _headline("空调不制冷。" + "说明" * 60) == "空调不制冷"
    assert _headline("长" * 100) == "长" * 59 + "…"


def test_a_list_to_go_through_stands_before_the_other_evidence() -> None:  # TPL-14
    points = [{"key": "power", "text": {"en": "Power off"}}]
    step = {**STEP, "evidence": ["checklist", "photo"], "guide": {**STEP["guide"], "checklist": points}}

    fields = step_form(step, 3, {})["fields"]

    assert [(each["key"], each["required"]) for each in fields] == [
        ("evidence:checklist", True),
        ("evidence:photo", True),
    ]
    assert fields[0]["items"] == points


def test_who_may_do_otherwise_chooses_between_skipping_and_the_other_steps() -> None:  # FLW-14
    overrides = step_form(STEP, 3, {})["overrides"]

    assert [(each["key"], each["label"]["en"]) for each in overrides] == [
        ("", "Skip this step"),
        ("b", "Do next: Check again"),
    ]
