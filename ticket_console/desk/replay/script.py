"""What happened to a real ticket, as a script that any flow can be played with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from ticket_console.tickets.marking import Marking, TokenState

# What an automatic node wrote is the flow's own doing: another flow would write something else.
_BY_THE_FLOW: Final = "rule"


class Ending(StrEnum):
    """How a stay at a step ended; one that was `overtaken` ended with somebody else's step."""

    COMPLETED = "completed"
    RETURNED = "returned"
    REJECTED = "rejected"
    FIRED = "fired"
    OVERTAKEN = "overtaken"


BY_PEOPLE: Final = frozenset({Ending.COMPLETED, Ending.RETURNED, Ending.REJECTED})


@dataclass(slots=True)
class Visit:
    """A token's stay at a task, an approval or a timer. Without an ending it is still there.

    `order` tells commands of one instant apart. `edge_key` is the way that was asked for, or the one on
    which a timeout left; None where the flow decided. `values` are what was entered on leaving.
    """

    node_key: str
    entered_at: datetime
    ending: Ending | None = None
    left_at: datetime | None = None
    order: int = 0
    edge_key: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    actor: str = ""
    actor_name: str = ""
    claimed_at: datetime | None = None

    def lasted(self, as_of: datetime) -> timedelta:
        """How long it took, or has been taking by then."""
        return (self.left_at or as_of) - self.entered_at


@dataclass(frozen=True, slots=True)
class Called:
    """The ticket was given up: that is as true whatever flow it is on."""

    at: datetime
    order: int
    reason: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Values that were entered beside any step."""

    at: datetime
    order: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """The ticket was carried elsewhere, perhaps to another version of its flow, and then stood so."""

    at: datetime
    order: int
    flow_version_id: int
    marking: Marking


@dataclass(frozen=True, slots=True)
class Script:
    """A ticket's story. `opening` are its columns when it was opened, `values` what it was opened with.

    `visits` are in the order in which they began. `entered_later` has the last value of every field
    anybody filled in, `marking` where the ticket stood at the end.
    """

    ticket_id: int
    opened_at: datetime
    opening: Mapping[str, Any]
    values: Mapping[str, Any]
    visits: tuple[Visit, ...]
    called: Called | None
    noted: tuple[Noted, ...]
    moved: tuple[Moved, ...]
    entered_later: Mapping[str, Any]
    marking: Marking

    @property
    def flow_version_id(self) -> int:
        """The version the ticket was opened on."""
        return int(self.opening["flow_version_id"])


_ENDINGS: Final = {
    "ticket.step_completed": ("done", Ending.COMPLETED),
    "ticket.returned": ("returned", Ending.RETURNED),
    "ticket.rejected": ("rejected", Ending.REJECTED),
    "ticket.timer_fired": ("done", Ending.FIRED),
    "ticket.timed_out": ("timed_out", Ending.FIRED),
}
_OVER: Final = frozenset({TokenState.DONE.value, TokenState.CANCELLED.value})


def read_script(events: Iterable[Mapping[str, Any]]) -> Script:
    """The script of one ticket's history, given in its order; later events may have been left out.

    Only the first event of each command is looked at, which carries what the command changed.
    """
    reading = _Reading()
    for order, event in enumerate(events):
        delta = event["payload"].get("delta")
        if delta is not None:
            reading.take(order, event, delta)
    return reading.script()


class _Reading:
    def __init__(self) -> None:
        self._opening: Mapping[str, Any] = {}
        self._opened_at: datetime | None = None
        self._flow_version_id = 0
        self._values: Mapping[str, Any] = {}
        self._visits: dict[int, Visit] = {}
        self._called: Called | None = None
        self._noted: list[Noted] = []
        self._moved: list[Moved] = []
        self._entered: dict[str, Any] = {}
        self._marking: Mapping[str, Any] = Marking().as_json()

    def take(self, order: int, event: Mapping[str, Any], delta: Mapping[str, Any]) -> None:
        columns: Mapping[str, Any] = delta.get("ticket", {})
        at, type, payload = event["at"], event["type"], event["payload"]
        self._marking = columns.get("marking", self._marking)
        typed = {
            key: entry["value"]
            for key, entry in delta.get("values", {}).items()
            if entry["provenance"] != _BY_THE_FLOW
        }
        self._entered.update(typed)
        left = self._move_tokens(order, event, delta)
        if self._opened_at is None:
            self._opening, self._opened_at, self._values = columns, at, typed
            self._flow_version_id = columns["flow_version_id"]
        elif type in _ENDINGS:
            outcome, ending = _ENDINGS[type]
            for visit, how in left:
                if how == outcome and visit.node_key == payload["node"]:
                    visit.ending, visit.edge_key, visit.values = ending, payload.get("edge"), typed
                    visit.reason = payload.get("reason", "")
                    visit.actor, visit.actor_name = event["actor"], event["actor_name"]
                    break
        elif type == "ticket.cancelled":
            self._called = Called(at, order, payload["reason"])
        elif "marking" in columns:
            # A migration, or a step taken by hand beside the flow: where it led is all there is to know.
            self._flow_version_id = columns.get("flow_version_id", self._flow_version_id)
            self._moved.append(Moved(at, order, self._flow_version_id, Marking.of_json(self._marking)))
        elif typed:
            self._noted.append(Noted(at, order, typed))
        if type == "ticket.claimed":
            for change in delta.get("tokens", ()):
                if change["id"] in self._visits:
                    self._visits[change["id"]].claimed_at = at

    def _move_tokens(
        self, order: int, event: Mapping[str, Any], delta: Mapping[str, Any]
    ) -> list[tuple[Visit, str]]:
        """Begin and end stays; those that ended, with their outcome."""
        left = []
        for change in delta.get("tokens", ()):
            token_id, state = change["id"], change.get("state")
            if "node_key" in change and state == TokenState.ACTIVE.value:
                self._visits[token_id] = Visit(change["node_key"], event["at"])
            elif state in _OVER and token_id in self._visits:
                visit = self._visits[token_id]
                visit.ending, visit.left_at, visit.order = Ending.OVERTAKEN, event["at"], order
                left.append((visit, change.get("outcome") or ""))
        return left

    def script(self) -> Script:
        if self._opened_at is None:
            raise ValueError("a history starts with the opening of its ticket")
        return Script(
            ticket_id=int(self._opening["id"]),
            opened_at=self._opened_at,
            opening=self._opening,
            values=self._values,
            visits=tuple(self._visits.values()),
            called=self._called,
            noted=tuple(self._noted),
            moved=tuple(self._moved),
            entered_later=self._entered,
            marking=Marking.of_json(self._marking),
        )
