"""The way a ticket took is recorded as it is taken, and told to those who may see the ticket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.builders.company import Company, found_company
from tests.builders.flows import AGENTS, is_equal, make_edge, make_graph, make_node
from ticket_console.desk import adjusting, moving
from ticket_console.flows import publishing as flow_publishing
from ticket_console.flows.elements import Join, SubflowUse
from ticket_console.flows.graph import Graph
from ticket_console.forms import publishing as form_publishing
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import reading, transaction
from ticket_console.tickets import reads
from ticket_console.tickets.path import How, TicketPath, ticket_path
from ticket_console.tickets.writing import TicketNotFound

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    return found_company(AT)


def use(company: Company, graph: Graph, code: str = "walking") -> None:
    with transaction() as connection:
        flow = flow_publishing.publish_flow(
            connection,
            actor=company.system,
            at=AT,
            code=code,
            name={"zh": code, "en": code},
            graph=graph,
        )
        form_publishing.use_flow(
            connection,
            actor=company.system,
            code="repair",
            flow_id=flow.flow_id,
            flow_version_id=flow.id,
        )


def branching() -> Graph:
    """Sorted by what it is, done and checked; the check sends back what is not well done."""
    return make_graph(
        make_node("sort", "exclusive"),
        make_node("cool", "task", handler=AGENTS),
        make_node("note", "automatic"),
        make_node("other", "task", handler=AGENTS),
        make_node("check", "approval", handler=AGENTS),
        make_edge("start", "sort"),
        make_edge("sort", "cool", guard=is_equal("category", "hvac")),
        make_edge("sort", "other", default=True),
        make_edge("cool", "note"),
        make_edge("note", "check"),
        make_edge("other", "check"),
        make_edge("check", "end"),
        make_edge("check", "cool", kind="return"),
    )


def way(company: Company, ticket_id: int, by: str = "manager") -> TicketPath:
    with reading() as connection:
        found = ticket_path(connection, viewer=company.actor(by), ticket_id=ticket_id)
    assert found is not None
    return found


def wish(company: Company, ticket_id: int, at: datetime, by: str = "agent", **more: Any) -> dict[str, Any]:
    with reading() as connection:
        row = reads.find_ticket(connection, viewer=company.actor("manager"), ticket_id=ticket_id)
        token_id = reads.live_tokens(connection, ticket_id)[0]["id"]
    return {
        "actor": company.actor(by),
        "at": at,
        "command_id": company.command_id(),
        "ticket_id": ticket_id,
        "expected_version": row["version"],
        "token_id": token_id,
        **more,
    }


def test_the_way_names_every_edge_and_every_stay_in_order(
    company: Company,
) -> None:  # FLW-07: actual path recorded
    use(company, branching())
    ticket_id = company.open().ticket_id
    moving.act(**wish(company, ticket_id, AT + 10 * MINUTE))
    moving.send_back(**wish(company, ticket_id, AT + 15 * MINUTE, reason="没修好"))
    moving.act(**wish(company, ticket_id, AT + 45 * MINUTE))

    found = way(company, ticket_id)

    assert [(leg.number, leg.how, leg.edges, leg.at - AT) for leg in found.legs] == [
        (1, How.OPENED, ("start-sort", "sort-cool"), 0 * MINUTE),
        (2, How.COMPLETED, ("cool-note", "note-check"), 10 * MINUTE),
        (3, How.RETURNED, ("check-cool",), 15 * MINUTE),
        (4, How.COMPLETED, ("cool-note", "note-check"), 45 * MINUTE),
    ]
    assert [(stay.node_key, stay.lasted(AT + 60 * MINUTE)) for stay in found.stays] == [
        ("cool", 10 * MINUTE),
        ("check", 5 * MINUTE),
        ("cool", 30 * MINUTE),
        ("check", 15 * MINUTE),
    ]
    assert found.here == ("check",)
    assert (found.legs[2].reason, found.legs[2].from_name) == ("没修好", {"zh": "check", "en": "check"})


def test_an_ended_ticket_stands_nowhere_and_its_way_leads_to_the_end(company: Company) -> None:
    use(company, branching())
    ticket_id = company.open().ticket_id
    moving.act(**wish(company, ticket_id, AT + MINUTE))
    moving.act(**wish(company, ticket_id, AT + 2 * MINUTE))

    found = way(company, ticket_id)

    assert found.legs[-1].edges == ("check-end",)
    assert (found.legs[-1].to, found.here) == ((), ())


def test_what_was_done_by_hand_is_told_as_that(company: Company) -> None:  # FLW-07 FLW-14
    use(company, branching())
    ticket_id = company.open().ticket_id
    adjusting.insert_step(
        **wish(company, ticket_id, AT + MINUTE, "dispatcher", node_key="other", reason="换一种做法")
    )
    adjusting.skip(**wish(company, ticket_id, AT + 2 * MINUTE, "dispatcher", reason="客户自己做了"))

    found = way(company, ticket_id)

    assert [(leg.how, leg.edges, [stay.node_key for stay in leg.to]) for leg in found.legs[1:]] == [
        (How.MOVED, (), ["other"]),
        (How.SKIPPED, ("other-check",), ["check"]),
    ]


def test_steps_of_a_sub_flow_stand_at_its_node(company: Company) -> None:  # FLW-07 FLW-12
    inner = make_graph(
        make_node("a", "task", handler=AGENTS),
        make_node("b", "task", handler=AGENTS),
        make_edge("start", "a"),
        make_edge("a", "b"),
        make_edge("b", "end"),
    )
    outer = make_graph(
        make_node("check", "subflow", subflow=SubflowUse("inner")),
        make_node("after", "task", handler=AGENTS),
        make_edge("start", "check"),
        make_edge("check", "after"),
        make_edge("after", "end"),
    )
    use(company, inner, "inner")
    use(company, outer)
    ticket_id = company.open().ticket_id
    for minutes in (1, 2):
        moving.act(**wish(company, ticket_id, AT + minutes * MINUTE))

    found = way(company, ticket_id)

    assert [leg.edges for leg in found.legs] == [("start-check",), (), ("check-after",)]
    assert [(stay.node_key, stay.name["en"]) for stay in found.stays] == [
        ("check", "a"),
        ("check", "b"),
        ("after", "after"),
    ]


def test_parallel_work_that_was_overtaken_is_cut_short(company: Company) -> None:
    use(
        company,
        make_graph(
            make_node("split", "parallel"),
            make_node("a", "task", handler=AGENTS),
            make_node("b", "task", handler=AGENTS),
            make_node("join", "parallel", join=Join.ANY),
            make_edge("start", "split"),
            make_edge("split", "a"),
            make_edge("split", "b"),
            make_edge("a", "join"),
            make_edge("b", "join"),
            make_edge("join", "end"),
        ),
    )
    ticket_id = company.open().ticket_id
    moving.act(**wish(company, ticket_id, AT + MINUTE))

    found = way(company, ticket_id)

    assert found.legs[0].edges == ("start-split", "split-a", "split-b")
    assert {stay.node_key: stay.cut_short for stay in found.stays} == {"a": False, "b": True}


def test_a_customer_is_told_no_way_and_strangers_no_ticket(company: Company) -> None:  # FLW-07 PRM-02
    use(company, branching())
    ticket_id = company.open().ticket_id
    customer = Actor(kind=ActorKind.CUSTOMER, org_id=company.org_id, display="", ticket_id=ticket_id)

    with reading() as connection:
        assert ticket_path(connection, viewer=customer, ticket_id=ticket_id) is None
        with pytest.raises(TicketNotFound):
            ticket_path(connection, viewer=company.actor("dispatcher_cd"), ticket_id=ticket_id)
