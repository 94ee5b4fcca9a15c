"""A history adds up to the rows, or is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ticket_console.tickets.fold import BrokenHistory, TicketFold, differences, fold
from ticket_console.tickets.marking import TicketStatus


def event(type: str, version: int, digest: str, **delta: Any) -> dict[str, Any]:
    return {"type": type, "ticket_version": version, "hash": digest, "payload": {"delta": delta}}


OPENED = event(
    "ticket.opened",
    1,
    "a1",
    ticket={"id": 7, "stage": "intake", "status": "open"},
    tokens=[{"id": 70, "node_key": "triage", "state": "active"}],
    values={"symptom": {"value": "leak", "provenance": "typed"}},
)
MOVED = event(
    "step.done",
    2,
    "b2",
    ticket={"stage": "onsite"},
    tokens=[{"id": 70, "state": "done"}, {"id": 71, "node_key": "visit", "state": "active"}],
    values={"symptom": {"value": "burst", "provenance": "typed"}},
    assignments=[{"id": 5, "technician_id": 3, "state": "claimed"}],
)


def test_events_add_up_in_order() -> None:
    assert fold([OPENED, MOVED, {"type": "note", "payload": {"text": "called"}}]) == TicketFold(
        ticket={
            "id": 7,
            "stage": "onsite",
            "status": "open",
            "event_count": 3,
            "version": 2,
            "head_hash": "b2",
        },
        tokens={
            70: {"id": 70, "node_key": "triage", "state": "done"},
            71: {"id": 71, "node_key": "visit", "state": "active"},
        },
        values={"symptom": {"value": "burst", "provenance": "typed"}},
        assignments={5: {"id": 5, "technician_id": 3, "state": "claimed"}},
    )


@pytest.mark.parametrize(
    "delta",
    [
        {"tickets": {}},
        {"ticket": {"version": 9}},
        {"tokens": [{"state": "done"}]},
        {"tokens": [{"id": 99, "state": "done"}]},
        {"tokens": [{"id": 70, "node_key": "visit"}]},
        {"values": {"symptom": {"value": "leak"}}},
        {"values": {"symptom": {"value": "leak", "provenance": "typed", "by": 3}}},
        {"assignments": [{"id": 6, "state": "done"}]},
    ],
)
def test_a_change_no_command_could_have_made_is_refused(delta: dict[str, Any]) -> None:
    with pytest.raises(BrokenHistory):
        fold([OPENED, event("forged", 2, "c3", **delta)])


@pytest.mark.parametrize("first", [MOVED, {"type": "note", "payload": {}}])
def test_a_history_starts_with_the_opening(first: dict[str, Any]) -> None:
    with pytest.raises(BrokenHistory):
        fold([first])


def test_a_row_is_compared_in_the_form_the_history_keeps() -> None:
    row = {
        "stage": "intake",
        "status": TicketStatus.OPEN,
        "rate": Decimal("1.50"),
        "opened_at": datetime(2026, 11, 21, 2, 0, tzinfo=UTC),
    }
    kept = {"stage": "intake", "status": "open", "rate": "1.5", "opened_at": "2026-11-21T02:00:00.000000Z"}

    assert differences(kept, row) == ()
    assert differences({**kept, "stage": "done", "extra": 1}, row) == ("extra", "stage")
