"""A ticket beside the board: its page in short, as far as the viewer may see it."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.page import StepView, TicketView, ticket_page
from ticket_console.desk.work import look_at, reach_of
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.tickets import board
from ticket_console.tickets.board import BoardFilters
from ticket_console.tickets.marking import TicketStatus

Plain = dict[str, Any]

EVENTS_SHOWN: Final = 8
COMMENTS_SHOWN: Final = 5
_MAY: Final = {
    "assign": "ticket.assign",
    "act": "ticket.act",
    "cancel": "ticket.cancel",
    "order": "board.order",
    "override": "board.override",
}


def peek(connection: Connection, *, viewer: Actor, ticket_id: int, at: datetime) -> Plain:
    """What the side panel shows; TicketNotFound for what is not the viewer's to see."""
    view = ticket_page(connection, viewer=viewer, ticket_id=ticket_id, at=at)
    work = look_at(connection, actor=viewer, at=at, ticket_id=ticket_id)
    reach = reach_of(viewer, work)
    # The board's card of the same ticket: what it waits for and where it may go is said once.
    cards = board.changed_cards(
        connection, viewer=viewer, filters=BoardFilters(), at=at, ticket_ids=[ticket_id]
    ).cards
    card: Plain = cards[0] if cards else {}
    stages = {stage.key: stage for stage in work.graph.stages}
    return {
        "ticket_id": view.id,
        "version": view.version,
        "no": view.no,
        "title": view.title,
        "description": view.description,
        "template": view.template,
        "stage": {"key": view.stage, "name": stages[view.stage].name if view.stage in stages else {}},
        "open": view.status == TicketStatus.OPEN,
        "priority": view.priority,
        "vip": view.is_vip,
        "returns": view.returns,
        "progress_bp": view.progress_bp,
        "customer": card.get("customer") or view.contact_name,
        "contact": view.contact_name,
        "phone": view.contact_phone,
        "where": card.get("where") or view.site or view.region,
        "address": view.address,
        "region": view.region,
        "tz": view.tz,
        "assignee": view.assignee,
        "assignee_id": view.assignee_id,
        "opened_at": _instant(view.opened_at),
        "due_at": _instant(view.due_at),
        "closed_at": _instant(view.closed_at),
        "since": card.get("since"),
        "late_at": card.get("late_at"),
        "steps": [_step(each) for each in view.steps],
        "fields": _fields(view),
        "blocked": card.get("blocked", []),
        "parts_state": card.get("parts"),
        "parts": [
            {"sku": part.sku, "name": dict(part.name), "quantity": part.qty}
            for each in view.steps
            for part in each.guide.parts
        ],
        "links": _links(view),
        "timeline": [
            {
                "type": each.type,
                "at": _instant(each.at),
                "who": each.who,
                "text": each.details.get("reason", ""),
            }
            for each in view.events[:EVENTS_SHOWN]
        ],
        "comments": [
            {"who": each.who, "at": _instant(each.at), "text": each.text}
            for each in view.comments[-COMMENTS_SHOWN:]
        ],
        "moves": card.get("moves", []),
        "may": {key: policy.allows(viewer, permission, **reach) for key, permission in _MAY.items()},
    }


def _step(step: StepView) -> Plain:
    return {
        "token_id": step.token_id,
        "name": step.name,
        "owner": step.owner,
        "owner_kind": step.owner_kind,
        "since": _instant(step.entered_at),
        "late_at": _instant(step.late_at),
        "is_own": step.is_own,
        "missing": [{"code": f"board.missing.{each}", "params": {}} for each in step.evidence],
    }


def _fields(view: TicketView) -> list[Plain]:
    return [
        {"key": each.key, "label": each.label, "kind": each.kind, "shown": each.look.get("shown", {})}
        for each in view.fields
    ]


def _links(view: TicketView) -> list[Plain]:
    return [
        {
            "ticket_id": each.ticket_id,
            "no": each.no,
            "title": each.title,
            "kind": each.kind,
            "stage": each.stage,
            "open": each.status is TicketStatus.OPEN,
            "outgoing": each.is_outgoing,
        }
        for each in view.links
    ]


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
