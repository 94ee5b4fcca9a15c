"""The flow designer's State: what goes to the commands, and what the browser is told."""

from typing import Any

import pytest

from ticket_console.flows import drafts
from ticket_console.forms.draft_log import DraftMoved, Saved
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.state import flow_designer
from ticket_console.state.flow_designer import FlowDesignerState

MANAGER = Actor(kind=ActorKind.USER, org_id=1, display="Lin", user_id=7)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Any:
    async def here(work: Any, **arguments: Any) -> Any:
        return work(**arguments)

    monkeypatch.setattr(flow_designer, "in_writer", here)
    monkeypatch.setattr(FlowDesignerState, "_actor", lambda self: MANAGER)

    async def admitted(self: Any, permission: str | None) -> None:
        assert permission == "flow.manage"

    monkeypatch.setattr(FlowDesignerState, "_admit", admitted)
    return FlowDesignerState()


async def test_gestures_are_saved_one_after_the_other_each_on_the_one_before(
    state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, str]] = []

    def edit(*, if_match: int, gesture: dict[str, Any], draft_id: int, **_: Any) -> Saved:
        asked.append((if_match, gesture["id"]))
        return Saved(draft_id, if_match + 1, is_repeated=False)

    monkeypatch.setattr(drafts, "edit", edit)

    await FlowDesignerState.save.fn(state, 3, 10, [{"id": "a"}, {"id": "b"}])

    assert asked == [(10, "a"), (11, "b")]
    assert state.verdict == {"draft_id": 3, "ids": ["a", "b"], "seq": 12, "ok": True}


async def test_a_draft_that_moved_elsewhere_is_told_as_moved_and_nothing_is_saved(
    state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(**_: Any) -> Saved:
        raise DraftMoved((), is_whole=False, seq=12, who="Lin", when="2026-11-22T03:00:00+00:00")

    monkeypatch.setattr(drafts, "edit", edit)

    await FlowDesignerState.save.fn(state, 3, 10, [{"id": "a"}])

    assert state.verdict["ok"] is False
    assert state.verdict["moved"] is True
    assert state.verdict["seq"] == 10


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("save", ("3", 10, "gestures")),
        ("save", ({"id": 3}, 10, [])),
        ("check", (None, 1)),
        ("recover", (3, 10, [0])),
        ("look", (3, ["task"], "agent", "")),
        ("compare", (3, True)),
        ("merge", (3, 10, 4, {"path": ["name"]})),
        ("look_at_changes", ("3; drop",)),
        ("publish", (3, 10, {"note": "x"}, {})),
        ("publish", (3, 10, "", ["accepted"])),
        ("publish", (3, 10, "", {"Boiler": 5})),
    ],
)
async def test_a_forged_event_is_refused_with_a_sentence_and_reaches_no_command(
    state: Any, monkeypatch: pytest.MonkeyPatch, event: str, arguments: tuple[Any, ...]
) -> None:
    async def nowhere(work: Any, **_: Any) -> Any:
        raise AssertionError(f"{work} was asked")

    monkeypatch.setattr(flow_designer, "in_writer", nowhere)
    monkeypatch.setattr(flow_designer, "off_loop", nowhere)

    reply = await getattr(FlowDesignerState, event).fn(state, *arguments)

    assert "input.wrong_type" in str(reply)
    assert (state.verdict, state.publication, state.merging, state.preview) == ({}, {}, {}, {})
