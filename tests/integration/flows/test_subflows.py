"""Sub-flows: pinned when published, drawn out when they run, refused where they make no sense."""

import itertools
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy.engine import Connection

from tests.builders.company import Company, found_company
from tests.builders.flows import AGENTS, is_equal, make_edge, make_graph, make_node
from ticket_console.flows import publishing, reads
from ticket_console.flows.elements import Edge, FieldUse, Node, SubflowUse
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph
from ticket_console.flows.reads import FlowVersionView
from ticket_console.kernel.database import reading, transaction
from ticket_console.tickets import reads as ticket_reads


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def steps(*keys: str) -> Graph:
    stops = ("start", *keys, "end")
    nodes = [make_node(key, "task", handler=AGENTS) for key in keys]
    return make_graph(*nodes, *(make_edge(*pair) for pair in _pairs(stops)))


def _pairs(stops: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return itertools.pairwise(stops)


def using(flow: str, *further: Node | Edge, version_id: int | None = None) -> Graph:
    return make_graph(
        make_node("check", "subflow", subflow=SubflowUse(flow, version_id)),
        make_node("after", "task", handler=AGENTS),
        make_edge("start", "check"),
        make_edge("check", "after"),
        make_edge("after", "end"),
        *further,
    )


def publish(company: Company, code: str, graph: Graph) -> FlowVersionView:
    with transaction() as conn:
        return publishing.publish_flow(
            conn,
            actor=company.actor("manager"),
            at=company.at,
            code=code,
            name={"zh": code, "en": code},
            graph=graph,
        )


def refused(company: Company, code: str, graph: Graph) -> set[tuple[str, str]]:
    with pytest.raises(InvalidGraph) as caught:
        publish(company, code, graph)
    return {(found.path, found.code) for found in caught.value.problems}


def standing(ticket_id: int) -> list[str]:
    with reading() as conn:
        return [token["node_key"] for token in ticket_reads.live_tokens(conn, ticket_id)]


def test_a_ticket_walks_through_the_subflow_that_was_current_when_its_flow_was_published(
    company: Company,
) -> None:  # FLW-14
    first = publish(company, "quality", steps("measure"))
    outer = publish(company, "complaint", using("quality"))
    publish(company, "quality", steps("weigh", "measure"))

    opened = company.open(template="complaint")

    assert standing(opened.ticket_id) == ["check.measure"]
    moved = company.act(opened.ticket_id, opened.version, by="agent")
    assert standing(opened.ticket_id) == ["after"]
    company.act(opened.ticket_id, moved.version, by="agent")
    assert standing(opened.ticket_id) == []
    with reading() as conn:
        drawn = reads.drawn(conn, outer.id)
        assert drawn.node_by_key["check"].subflow == SubflowUse("quality", first.id)
        assert "check.measure" in reads.compiled(conn, outer.id).node_by_key


def test_published_again_without_a_pin_a_flow_takes_the_newer_version(company: Company) -> None:
    publish(company, "quality", steps("measure"))
    outer = publish(company, "complaint", using("quality"))
    second = publish(company, "quality", steps("weigh"))

    again = publish(company, "complaint", using("quality"))

    assert (outer.number + 1, again.number) == (again.number, again.number)
    with reading() as conn:
        assert reads.drawn(conn, again.id).node_by_key["check"].subflow == SubflowUse("quality", second.id)


def test_a_flow_cannot_contain_itself_or_what_there_is_not(company: Company) -> None:
    publish(company, "quality", steps("measure"))
    publish(company, "complaint", using("quality"))
    foreign = _version_id(company, "repair")

    assert refused(company, "quality", using("complaint")) == {
        ("nodes.check.subflow", "flow.subflow_recursive")
    }
    assert refused(company, "complaint", using("nothing")) == {
        ("nodes.check.subflow", "flow.unknown_subflow")
    }
    assert refused(company, "complaint", using("quality", version_id=foreign)) == {
        ("nodes.check.subflow", "flow.unknown_subflow")
    }


def _version_id(company: Company, code: str) -> int:
    with reading() as conn:
        return reads.current_version(conn, company.org_id, code).id


def test_a_field_may_be_asked_about_once_a_subflow_has_written_it(company: Company) -> None:
    asking = (
        make_node("sort", "exclusive"),
        make_edge("after", "sort"),
        make_edge("sort", "check", guard=is_equal("findings", "again")),
        make_edge("sort", "end", key="out", default=True),
    )
    parts = using("quality", *asking)
    graph = Graph(parts.stages, parts.nodes, tuple(edge for edge in parts.edges if edge.key != "after-end"))
    publish(company, "quality", steps("measure"))

    assert refused(company, "complaint", graph) == {("edges.sort-check.guard", "flow.read_before_written")}

    filled = make_node("measure", "task", handler=AGENTS, fields=(FieldUse("findings"),))
    writing = make_graph(filled, make_edge("start", "measure"), make_edge("measure", "end"))
    publish(company, "quality", writing)
    assert publish(company, "complaint", graph).number > 0


def test_calendars_are_looked_for_where_they_are_known(company: Company) -> None:
    graph = make_graph(
        make_node("wait", "timer", calendar="moon"), make_edge("start", "wait"), make_edge("wait", "end")
    )

    with reading() as conn:
        found = _problems(conn, company, graph)

    assert found == {("nodes.wait.calendar", "flow.unknown_calendar")}


def _problems(conn: Connection, company: Company, graph: Graph) -> set[tuple[str, str]]:
    problems = publishing.publishing_problems(
        conn, org_id=company.org_id, code="new", graph=graph, calendars=["office"]
    )
    return {(found.path, found.code) for found in problems}
