"""What the form designer shows and takes: previews through the real projection, and nothing unchecked."""

from datetime import datetime
from typing import Any

import pytest

from ticket_console.flows.graph_json import parse_graph
from ticket_console.forms.definitions import parse_definition
from ticket_console.forms.fields import FieldKind
from ticket_console.forms.kinds import KINDS
from ticket_console.kernel.actor import Role
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state.asked import number_asked, text_asked
from ticket_console.state.designer_choices import kinds
from ticket_console.state.form_preview import CUSTOMER, nodes_of, seen, viewer_of

NAMED = {"zh": "名", "en": "Name"}


def field(key: str, **settings: Any) -> dict[str, Any]:
    return {"key": key, "kind": "text", "label": NAMED, **settings}


FORM = parse_definition(
    {
        "format": 2,
        "sections": [
            {
                "key": "main",
                "fields": [
                    field("problem", required=True),
                    field("remark", sensitivity="internal"),
                    field("price", kind="money", sensitivity="settlement", at_opening=False),
                    field("photos", kind="photo"),
                    field("old", state="hidden"),
                ],
            }
        ],
    }
)
GRAPH = parse_graph(
    {
        "stages": [
            {"key": "work", "name": NAMED, "category": "doing"},
            {"key": "end", "name": NAMED, "category": "done"},
        ],
        "nodes": [
            {"key": "start", "kind": "start", "name": NAMED, "stage": "work"},
            {
                "key": "visit",
                "kind": "task",
                "name": NAMED,
                "stage": "work",
                "handler": {"mode": "queue", "role": "technician"},
                "fields": [{"key": "remark", "required": True}],
                "permissions": {"technician": {"fields": {"problem": "read", "remark": "write"}}},
            },
            {"key": "end", "kind": "end", "name": NAMED, "stage": "end"},
        ],
        "edges": [
            {"key": "a", "source": "start", "target": "visit", "kind": "forward"},
            {"key": "b", "source": "visit", "target": "end", "kind": "forward"},
        ],
    }
)


def shown(role: str, node_key: str | None, at: datetime) -> dict[str, bool]:
    """The fields a role sees at a node, and whether it may write them."""
    node = next((each for each in nodes_of(GRAPH) if each.key == node_key), None)
    found = seen(FORM, viewer_of(1, role), node, at=at)
    return {each["key"]: each["writable"] for each in found.fields if not each.get("aid")}


# PRM-06
def test_a_customer_is_asked_for_what_is_public(at: datetime) -> None:
    assert shown(CUSTOMER, None, at) == {"problem": True}


# TPL-04
def test_a_hidden_field_is_in_nobodys_form(at: datetime) -> None:
    assert "old" not in shown(Role.MANAGER, None, at)


# PRM-06
def test_a_technician_reads_and_writes_at_a_step_what_its_table_says(at: datetime) -> None:
    technician = shown(Role.TECHNICIAN, "visit", at)

    assert technician["remark"] is True
    assert technician["problem"] is False
    assert "price" not in technician


# PRM-06
def test_finance_sees_settlements_and_nothing_internal(at: datetime) -> None:
    node = nodes_of(GRAPH)[0]
    found = seen(FORM, viewer_of(1, Role.FINANCE), node, at=at)

    assert "price" in {each["key"] for each in found.fields}
    assert "remark" in found.unseen


def test_no_role_at_all_has_no_preview() -> None:
    with pytest.raises(ValueError, match="nobody"):
        viewer_of(1, "nobody")


# TPL-05
def test_the_palette_has_every_kind_with_a_name_in_both_languages() -> None:
    palette = kinds()

    assert [each["key"] for each in palette] == [kind.value for kind in KINDS]
    assert {each["key"] for each in palette} == {kind.value for kind in FieldKind}
    assert all(each["label"]["zh"] and each["label"]["en"] for each in palette)


# TPL-05
def test_a_new_field_of_any_kind_has_the_shape_of_a_field() -> None:
    fields = [
        {"key": each["key"], "kind": each["key"], "label": each["label"], **each["starts_with"]}
        for each in kinds()
    ]

    definition = parse_definition({"format": 2, "sections": [{"key": "main", "fields": fields}]})

    assert len(definition.fields) == len(FieldKind)


@pytest.mark.parametrize("forged", [True, "7x", "", None, 1.5, [], {}, "9" * 40])
def test_what_is_no_number_is_refused(forged: object) -> None:
    with pytest.raises(InvalidInput):
        number_asked({"draft_id": forged}, "draft_id")


@pytest.mark.parametrize("forged", [7, None, [], "x" * 2_001])
def test_what_is_no_text_is_refused(forged: object) -> None:
    with pytest.raises(InvalidInput):
        text_asked({"role": forged}, "role")


def test_what_is_not_said_is_an_empty_text() -> None:
    assert text_asked({}, "node") == ""
    assert number_asked({"seq": "12"}, "seq") == 12
