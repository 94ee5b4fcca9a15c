"""A draft is held against the fields of the forms in use, and what is said of it names a case in words."""

from datetime import datetime
from typing import Any

import pytest

from tests.builders.company import Company, found_company
from ticket_console.flows import drafts
from ticket_console.flows.graph_json import graph_json, parse_graph
from ticket_console.kernel.database import reading
from ticket_console.state.flow_views import checked


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def warned(company: Company, *guards: dict[str, Any]) -> list[dict[str, Any]]:
    """What is said of the repair flow with a gateway that these conditions lead out of."""
    draft = drafts.open_draft(actor=company.actor("manager"), at=company.at, code="repair")
    graph = graph_json(parse_graph({key: each for key, each in draft.document.items() if key != "name"}))
    end = next(node["key"] for node in graph["nodes"] if node["kind"] == "end")
    gateway = {"key": "sorting", "kind": "exclusive", "name": {}, "stage": graph["nodes"][0]["stage"]}
    ways = [
        {
            "key": f"way{index}",
            "kind": "forward",
            "source": "sorting",
            "target": end,
            "name": {"zh": f"路{index}", "en": f"Way {index}"},
            "guard": guard,
            "order": index,
        }
        for index, guard in enumerate(guards)
    ]
    document = {
        **draft.document,
        "nodes": [*draft.document["nodes"], gateway],
        "edges": [*draft.document["edges"], *ways],
    }
    with reading() as connection:
        found = checked(connection, viewer=company.actor("manager"), code="repair", document=document)
    return [each for each in found if each["tone"] == "warn" and "way" in each["path"]]


def is_one_of(*categories: str) -> dict[str, Any]:
    rule = {"field": "category", "operator": "in", "value": list(categories)}
    return {"combinator": "and", "rules": [rule]}


def test_ways_that_may_both_hold_are_told_with_a_case(company: Company) -> None:  # FLW-08 FLW-21
    (found,) = warned(company, is_one_of("hvac", "plumbing"), is_one_of("hvac"))

    assert (found["path"], found["code"]) == ("edges.way1.guard", "flow.guards_overlap")
    assert found["params"]["other"] == {"zh": "路0", "en": "Way 0"}
    assert "hvac" not in found["params"]["example"]["zh"]


def test_a_value_no_form_offers_never_comes(company: Company) -> None:  # FLW-21
    (found,) = warned(company, is_one_of("spaceship"), is_one_of("hvac"))

    assert (found["path"], found["code"]) == ("edges.way0.guard", "flow.guard_never_holds")
