"""A ticket's way as the browser takes it: each edge once, numbered by its moves, the rest as a list."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.builders.flows import make_edge, make_graph, make_node
from ticket_console.state.ticket_path import shown
from ticket_console.tickets.path import walked

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
GRAPH = make_graph(
    make_node("fix", "task"),
    make_node("check", "approval"),
    make_edge("start", "fix"),
    make_edge("fix", "check"),
    make_edge("check", "end"),
    make_edge("check", "fix", kind="return"),
)


def move(minutes: int, type: str, *tokens: dict[str, Any], way: list[str], **said: Any) -> dict[str, Any]:
    delta = {"tokens": list(tokens), "ticket": {"flow_version_id": 1}}
    payload = {"delta": delta, "way": way, **said}
    return {"type": type, "payload": payload, "actor_name": "Li", "at": AT + timedelta(minutes=minutes)}


def here(number: int, node: str) -> dict[str, Any]:
    return {"id": number, "node_key": node, "state": "active"}


def left(number: int) -> dict[str, Any]:
    return {"id": number, "state": "done"}


def test_an_edge_followed_twice_is_drawn_once_with_both_numbers() -> None:  # FLW-07
    told = shown(
        walked(
            [
                move(0, "ticket.opened", here(1, "fix"), way=["start-fix"]),
                move(10, "ticket.step_completed", left(1), here(2, "check"), way=["fix-check"], node="fix"),
                move(
                    15,
                    "ticket.returned",
                    left(2),
                    here(3, "fix"),
                    way=["check-fix"],
                    node="check",
                    reason="dirty",
                ),
                move(45, "ticket.step_completed", left(3), here(4, "check"), way=["fix-check"], node="fix"),
            ],
            graphs={1: GRAPH},
            drawn=GRAPH,
        )
    )

    assert [(path["keys"], path["tone"], path["label"]["en"]) for path in told["paths"]] == [
        (["start-fix"], "accent", "1"),
        (["fix-check"], "accent", "2, 4"),
        (["check-fix"], "warn", "3"),
    ]
    assert told["here"] == ["check"]
    assert told["focus"] == ["fix-check", "check"]
    assert told["marks"]["fix"] == {
        "tone": "ok",
        "count": 2,
        "text": {"zh": "到过 2 次，共 40分钟", "en": "2 visits, 40m"},
    }
    returned = told["legs"][2]
    assert (returned["how"], returned["tone"], returned["reason"]) == ("returned", "warn", "dirty")
    assert told["legs"][1]["to"][0]["lasted"] == {"key": "time.span.minutes", "params": {"minutes": 5}}
    assert told["legs"][3]["to"][0]["lasted"] is None


def test_the_picture_says_nothing_of_how_steps_work() -> None:  # FLW-07 PRM-02
    told = shown(walked([], graphs={}, drawn=GRAPH))

    assert {key for node in told["flow"]["nodes"] for key in node} == {
        "key",
        "kind",
        "name",
        "stage",
        "handler",
    }
    assert {key for node in told["flow"]["nodes"] for key in node.get("handler", ())} == {"mode", "role"}
    assert {key for edge in told["flow"]["edges"] for key in edge} == {
        "key",
        "kind",
        "source",
        "target",
        "name",
        "default",
    }
