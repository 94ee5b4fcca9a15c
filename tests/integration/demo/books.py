"""What must hold of any database full of tickets, however they came about."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.dispatch.tables import Assignment, AssignmentState, TechnicianLoad
from ticket_console.kernel.database import table
from ticket_console.tickets.chain import first_break
from ticket_console.tickets.fold import differences, fold
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.tables import Event, FieldValue, LaneCount, OwnerKind, Ticket, TokenRow

_tickets, _tokens, _events, _values = table(Ticket), table(TokenRow), table(Event), table(FieldValue)
_lanes, _assignments, _loads = table(LaneCount), table(Assignment), table(TechnicianLoad)


def histories_that_disagree(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Tickets whose rows are not what their events add up to, with the columns."""
    found = {}
    for ticket in _rows(connection, sa.select(_tickets)):
        folded = fold(_events_of(connection, ticket["id"]))
        wrong = list(differences(folded.ticket, ticket))
        tokens = {
            token["id"]: token
            for token in _rows(connection, sa.select(_tokens).where(_tokens.c.ticket_id == ticket["id"]))
        }
        if tokens.keys() != folded.tokens.keys():
            wrong.append("tokens")
        for token_id, token in tokens.items():
            wrong += [f"token.{column}" for column in differences(folded.tokens.get(token_id, {}), token)]
        values = {
            value["field_key"]: value["value"]
            for value in _rows(connection, sa.select(_values).where(_values.c.ticket_id == ticket["id"]))
        }
        if values != {key: value["value"] for key, value in folded.values.items()}:
            wrong.append("values")
        if wrong:
            found[ticket["no"]] = tuple(wrong)
    return found


def broken_chains(connection: Connection) -> list[int]:
    """Tickets whose events do not hash to one another and to the head on the ticket."""
    broken = []
    for ticket in _rows(connection, sa.select(_tickets.c.id, _tickets.c.head_hash, _tickets.c.event_count)):
        events = _events_of(connection, ticket["id"])
        whole = first_break(events) is None and events[-1]["hash"] == ticket["head_hash"]
        if not whole or len(events) != ticket["event_count"]:
            broken.append(ticket["id"])
    return broken


def lane_counts_that_disagree(connection: Connection) -> dict[Any, Any]:
    """Lanes by key, with the stored and the true number of their tickets."""
    stored = Counter(
        {
            (row["org_id"], row["stage"], row["region_id"], row["ticket_class"]): row["tickets"]
            for row in _rows(connection, sa.select(_lanes))
        }
    )
    true = Counter(
        (row["org_id"], row["stage"], row["region_id"] or 0, row["ticket_class"])
        for row in _rows(connection, sa.select(_tickets))
    )
    return {key: (stored[key], true[key]) for key in stored.keys() | true.keys() if stored[key] != true[key]}


def loads_that_disagree(connection: Connection) -> dict[int, tuple[int, int]]:
    """Technicians by id, with the stored and the true number of assignments they hold."""
    stored = Counter(
        {row["technician_id"]: row["open_count"] for row in _rows(connection, sa.select(_loads))}
    )
    true = Counter(
        connection.execute(
            sa.select(_assignments.c.technician_id).where(_assignments.c.state == AssignmentState.CLAIMED)
        ).scalars()
    )
    return {key: (stored[key], true[key]) for key in stored.keys() | true.keys() if stored[key] != true[key]}


def open_tickets_nobody_has(connection: Connection) -> list[str]:
    """Open tickets without an active step that has an owner, a queue or a timer."""
    cared_for = sa.exists().where(
        _tokens.c.ticket_id == _tickets.c.id,
        _tokens.c.state == TokenState.ACTIVE,
        sa.or_(
            _tokens.c.owner_id.is_not(None),
            _tokens.c.queue_role.is_not(None),
            _tokens.c.owner_kind.in_([OwnerKind.CUSTOMER, OwnerKind.SYSTEM]),
        ),
    )
    query = sa.select(_tickets.c.no).where(_tickets.c.closed_at.is_(None), ~cared_for)
    return list(connection.execute(query).scalars())


def _events_of(connection: Connection, ticket_id: int) -> list[Mapping[str, Any]]:
    query = sa.select(_events).where(_events.c.ticket_id == ticket_id).order_by(_events.c.seq)
    return _rows(connection, query)


def _rows(connection: Connection, query: sa.Select[Any]) -> list[Mapping[str, Any]]:
    return [row._asdict() for row in connection.execute(query)]
