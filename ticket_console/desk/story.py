"""What a customer is told of the work for them: plain milestones, and only what concerns them.

The history of a ticket is written for the people who work on it. A customer hears that somebody was
found, came, and finished; how often the office passed the ticket around is not theirs to read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HandlerMode, Node, StageCategory
from ticket_console.flows.graph import Graph
from ticket_console.kernel.actor import Actor
from ticket_console.people import names as people_names
from ticket_console.tickets import reads
from ticket_console.tickets.marking import TicketStatus

Row = Mapping[str, Any]


class Milestone(StrEnum):
    RECEIVED = "received"
    ARRANGED = "arranged"
    WORKING = "working"
    ACCEPTANCE = "acceptance"
    DONE = "done"


class Teller(StrEnum):
    """Who wrote a word, as far as a customer is told."""

    CUSTOMER = "customer"
    TECHNICIAN = "technician"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """`state` is behind, here or ahead."""

    key: Milestone
    state: str


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """Something that happened; `who` is a technician or a signer, `text` the customer's words."""

    kind: str
    at: datetime
    who: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    teller: Teller
    name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CustomerStory:
    """`entries` newest first, `words` oldest first; `now` is None once the request was called off."""

    now: Milestone | None
    milestones: tuple[MilestoneView, ...]
    entries: tuple[StoryEntry, ...]
    words: tuple[Word, ...]
    technician: str | None


def customer_story(connection: Connection, *, viewer: Actor, ticket_id: int) -> CustomerStory:
    """The story of the ticket a tracking link leads to."""
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    graph = flow_reads.compiled(connection, row["flow_version_id"])
    technician = people_names.names(connection, {row["assignee_id"]} - {None}).get(row["assignee_id"])
    now = _now(graph, row)
    return CustomerStory(
        now=now,
        milestones=_milestones(graph, now),
        entries=_entries(graph, reads.timeline(connection, ticket_id)),
        words=tuple(
            _word(each, viewer, technician)
            for each in reads.comments_of(connection, ticket_id, for_customer=True)
        ),
        technician=technician,
    )


def _now(graph: Graph, row: Row) -> Milestone | None:
    if row["status"] is TicketStatus.CANCELLED:
        return None
    if row["status"] is not TicketStatus.OPEN:
        return Milestone.DONE
    category = next((stage.category for stage in graph.stages if stage.key == row["stage"]), None)
    if category is StageCategory.WAITING and _has(graph, HandlerMode.CUSTOMER):
        return Milestone.ACCEPTANCE
    if category in (StageCategory.DOING, StageCategory.WAITING):
        return Milestone.WORKING
    return Milestone.RECEIVED if row["assignee_id"] is None else Milestone.ARRANGED


def _milestones(graph: Graph, now: Milestone | None) -> tuple[MilestoneView, ...]:
    """Those the flow has; a request without a technician is not arranged, it is answered."""
    absent = set()
    if not _has(graph, HandlerMode.TECHNICIAN):
        absent.add(Milestone.ARRANGED)
    if not _has(graph, HandlerMode.CUSTOMER):
        absent.add(Milestone.ACCEPTANCE)
    order = list(Milestone)
    here = -1 if now is None else order.index(now)
    return tuple(
        MilestoneView(each, "here" if place == here else "behind" if place < here else "ahead")
        for place, each in enumerate(order)
        if each not in absent or each is now
    )


def _has(graph: Graph, mode: HandlerMode) -> bool:
    return any(handler.mode is mode for node in graph.nodes for handler in node.possible_handlers)


def _entries(graph: Graph, events: Any) -> tuple[StoryEntry, ...]:
    told: list[StoryEntry] = []
    for event in reversed(events):
        entry = _entry(graph, event)
        # The same technician going on with the next step is no news.
        if entry is not None and not (entry.kind == "arranged" and entry.who == _last_arranged(told)):
            told.append(entry)
    return tuple(reversed(told))


def _last_arranged(told: list[StoryEntry]) -> str | None:
    return next((entry.who for entry in reversed(told) if entry.kind == "arranged"), None)


_ALWAYS_TOLD: Final = {
    "ticket.opened": "received",
    "ticket.closed": "done",
    "ticket.cancelled": "cancelled",
}


def _entry(graph: Graph, event: Row) -> StoryEntry | None:
    kind, payload, at = event["type"], event["payload"], event["at"]
    if kind == "ticket.closed" and payload.get("status") == TicketStatus.CANCELLED:
        # Calling it off has been told already.
        return None
    if kind in _ALWAYS_TOLD:
        return StoryEntry(_ALWAYS_TOLD[kind], at)
    if kind in ("ticket.assigned", "ticket.claimed") and payload.get("technician"):
        return StoryEntry("arranged", at, who=str(payload["technician"]))
    if kind == "ticket.signed":
        return StoryEntry("accepted", at, who=str(payload.get("name", "")))
    node = graph.node_by_key.get(payload.get("node", ""))
    modes = frozenset() if node is None else {handler.mode for handler in node.possible_handlers}
    if kind in ("ticket.returned", "ticket.rejected") and HandlerMode.CUSTOMER in modes:
        is_own = str(event["actor"]).startswith("customer")
        return StoryEntry("refused", at, text=str(payload.get("reason", "")) if is_own else "")
    if kind == "ticket.step_completed" and node is not None and HandlerMode.TECHNICIAN in modes:
        return StoryEntry("worked" if _is_work(graph, node) else "accepted_job", at, who=event["actor_name"])
    return None


def _is_work(graph: Graph, node: Node) -> bool:
    return any(stage.key == node.stage and stage.category is StageCategory.DOING for stage in graph.stages)


def _word(comment: Row, viewer: Actor, technician: str | None) -> Word:
    name = comment["author_name"]
    if comment["author"] == viewer.label:
        return Word(Teller.CUSTOMER, "", comment["text"], comment["at"])
    if technician is not None and name == technician:
        return Word(Teller.TECHNICIAN, name, comment["text"], comment["at"])
    return Word(Teller.SERVICE, "", comment["text"], comment["at"])
