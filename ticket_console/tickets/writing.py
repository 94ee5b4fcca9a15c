"""Writing a ticket: everything one command decided lands in a handful of statements, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, NotFound
from ticket_console.tickets.chain import GENESIS, event_hash
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import Event, FieldValue, LaneCount, Ticket, TokenRow

tickets = table(Ticket)
tokens = table(TokenRow)
events = table(Event)
field_values = table(FieldValue)
lane_counts = table(LaneCount)


class TicketNotFound(NotFound):
    """Also said of tickets the asker may not see: a number must not reveal that it exists."""

    code = "ticket.not_found"


class StaleTicket(Conflict):
    """Somebody was faster. `who` did `what` at `when`; the asker's change was not made."""

    code = "ticket.stale"


class CommandReused(Conflict):
    """The same command id came with another ticket."""

    code = "command.reused"


class AlreadyApplied(Exception):
    """This very command was carried out before; `version` is what it led to."""

    def __init__(self, ticket_id: int, version: int) -> None:
        self.ticket_id = ticket_id
        self.version = version
        super().__init__(ticket_id, version)


@dataclass(slots=True)
class TicketDraft:
    """A ticket while one command works on it.

    `before` is the row as it was read, or None for a ticket that is being opened. `columns` are
    its new values; `entered` and `left` the tokens that came and went; `events` what the history
    will say, the first of which carries all the changes.
    """

    actor: Actor
    at: datetime
    command_id: str
    ticket_id: int
    before: Mapping[str, Any] | None
    columns: dict[str, Any] = field(default_factory=dict)
    entered: dict[int, dict[str, Any]] = field(default_factory=dict)
    left: dict[int, dict[str, Any]] = field(default_factory=dict)
    moved: dict[int, dict[str, Any]] = field(default_factory=dict)
    values: dict[str, tuple[Any, str]] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    causation_id: str | None = None
    depth: int = 0
    on_behalf: str | None = None

    def get(self, column: str) -> Any:
        """A column as it stands after what was decided so far."""
        if column in self.columns:
            return self.columns[column]
        return None if self.before is None else self.before[column]

    def say(self, type: str, **payload: Any) -> None:
        self.events.append((type, payload))

    @property
    def version(self) -> int:
        return 1 if self.before is None else int(self.before["version"]) + 1


_ROW: Final = sa.select(tickets).where(
    tickets.c.id == sa.bindparam("ticket_id"),
    tickets.c.org_id == sa.bindparam("org_id"),
)
# On PostgreSQL the second of two commands waits here and then sees what the first one did, so that it
# can say who was faster, or that it was this very command. SQLite has one writer anyway.
_LOCKED: Final = _ROW.with_for_update()
_LIVE_TOKENS: Final = (
    sa.select(tokens)
    .where(
        tokens.c.ticket_id == sa.bindparam("ticket_id"),
        tokens.c.state.in_([TokenState.ACTIVE, TokenState.WAITING]),
    )
    .order_by(tokens.c.id)
)
_VALUES: Final = sa.select(field_values.c.field_key, field_values.c.value).where(
    field_values.c.ticket_id == sa.bindparam("ticket_id")
)
_BY_COMMAND: Final = sa.select(events.c.ticket_id, events.c.ticket_version, events.c.actor).where(
    events.c.command_id == sa.bindparam("command_id"), events.c.ordinal == 0
)
_LAST_EVENT: Final = (
    sa.select(events.c.type, events.c.actor_name, events.c.at)
    .where(events.c.ticket_id == sa.bindparam("ticket_id"))
    .order_by(events.c.seq.desc())
    .limit(1)
)


def lock_ticket(connection: Connection, *, org_id: int, ticket_id: int) -> Mapping[str, Any]:
    """The ticket's row, held against other writers until the transaction ends."""
    return _found(connection, _LOCKED, org_id, ticket_id)


def read_ticket(connection: Connection, *, org_id: int, ticket_id: int) -> Mapping[str, Any]:
    """The ticket's row as it is, for who writes nothing."""
    return _found(connection, _ROW, org_id, ticket_id)


def _found(connection: Connection, query: sa.Select[Any], org_id: int, ticket_id: int) -> Mapping[str, Any]:
    row = connection.execute(query, {"ticket_id": ticket_id, "org_id": org_id}).first()
    if row is None:
        raise TicketNotFound(ticket_id=ticket_id)
    return row._asdict()


def live_tokens(connection: Connection, ticket_id: int) -> dict[int, Mapping[str, Any]]:
    rows = connection.execute(_LIVE_TOKENS, {"ticket_id": ticket_id})
    return {row.id: row._asdict() for row in rows}


def values_of(connection: Connection, ticket_id: int) -> dict[str, Any]:
    rows = connection.execute(_VALUES, {"ticket_id": ticket_id})
    return {row.field_key: row.value for row in rows}


def refuse_stale(
    connection: Connection,
    row: Mapping[str, Any],
    *,
    expected_version: int,
    actor: Actor,
    command_id: str,
) -> None:
    """Compare the version the asker saw with the one there is.

    A command that was carried out before meets its own version here, so a repeated one is
    recognised without a look-up on the way of all the others.
    """
    if row["version"] == expected_version:
        return
    refuse_repeated(connection, actor=actor, ticket_id=row["id"], command_id=command_id)
    last = connection.execute(_LAST_EVENT, {"ticket_id": row["id"]}).one()
    raise StaleTicket(
        ticket_no=row["no"],
        who=last.actor_name,
        what=last.type,
        when=last.at.astimezone(UTC).isoformat(timespec="seconds"),
        version=row["version"],
    )


def refuse_repeated(connection: Connection, *, actor: Actor, ticket_id: int | None, command_id: str) -> None:
    """Raise AlreadyApplied for a repetition, CommandReused for an id that belongs to something else."""
    earlier = connection.execute(_BY_COMMAND, {"command_id": command_id}).first()
    if earlier is None:
        return
    if earlier.actor != actor.label or ticket_id not in (None, earlier.ticket_id):
        raise CommandReused(command_id=command_id)
    raise AlreadyApplied(earlier.ticket_id, earlier.ticket_version)


_INSERT_TICKET: Final = sa.insert(tickets)
_UPDATE_TICKET: Final = sa.update(tickets).where(
    tickets.c.id == sa.bindparam("b_id"), tickets.c.version == sa.bindparam("b_version")
)
_INSERT_TOKENS: Final = sa.insert(tokens)
_UPDATE_TOKEN: Final = sa.update(tokens).where(tokens.c.id == sa.bindparam("b_id"))
_INSERT_EVENTS: Final = sa.insert(events)
_CLEAR_VALUES: Final = sa.delete(field_values).where(
    field_values.c.ticket_id == sa.bindparam("b_ticket_id"),
    field_values.c.field_key.in_(sa.bindparam("b_keys", expanding=True)),
)


def _writing_values(insert: Any) -> Any:
    return insert.on_conflict_do_update(
        index_elements=["ticket_id", "field_key"],
        set_={column: insert.excluded[column] for column in ("value", "provenance", "command_id")},
    )


def _counting(insert: Any) -> Any:
    return insert.on_conflict_do_update(
        index_elements=["org_id", "stage", "region_id", "ticket_class"],
        set_={"tickets": lane_counts.c.tickets + insert.excluded.tickets},
    )


# Built once: an upsert takes longer to put together than to carry out.
_WRITE_VALUES: Final = {
    "sqlite": _writing_values(sqlite.insert(field_values)),
    "postgresql": _writing_values(postgresql.insert(field_values)),
}
_COUNT: Final = {
    "sqlite": _counting(sqlite.insert(lane_counts)),
    "postgresql": _counting(postgresql.insert(lane_counts)),
}


def save(connection: Connection, draft: TicketDraft) -> int:
    """Write the draft, extend the chain, announce the change; returns the ticket's new version.

    The row is written with a compare-and-swap on its version: a writer that slipped in between
    makes this raise StaleTicket, and the transaction undoes everything. So does CommandReused, for a
    command id that stands in the history already: nobody looked for it where the version was right.
    """
    draft.columns["updated_at"] = draft.at
    hashed, head = _hashed_events(draft)
    columns = {
        **draft.columns,
        "version": draft.version,
        "head_hash": head,
        "event_count": len(hashed) + (0 if draft.before is None else draft.before["event_count"]),
    }
    if draft.before is None:
        connection.execute(_INSERT_TICKET, [columns])
    else:
        guard = {"b_id": draft.ticket_id, "b_version": draft.before["version"]}
        if connection.execute(_UPDATE_TICKET, {**columns, **guard}).rowcount != 1:
            raise StaleTicket(ticket_no=draft.before["no"], who="", what="", when="", version=0)
    _write_tokens(connection, draft)
    _write_values(connection, draft)
    try:
        connection.execute(_INSERT_EVENTS, hashed)
    except IntegrityError as failure:
        raise CommandReused(command_id=draft.command_id) from failure
    _count_lanes(connection, draft)
    feed.publish(connection, (draft.ticket_id,))
    return draft.version


def _write_tokens(connection: Connection, draft: TicketDraft) -> None:
    if draft.entered:
        connection.execute(_INSERT_TOKENS, list(draft.entered.values()))
    for changes in (draft.left, draft.moved):
        for token_id, columns in changes.items():
            connection.execute(_UPDATE_TOKEN, {**columns, "b_id": token_id})


def _write_values(connection: Connection, draft: TicketDraft) -> None:
    entered = {key: entry for key, entry in draft.values.items() if entry[0] is not None}
    if len(entered) < len(draft.values):
        cleared = sorted(draft.values.keys() - entered.keys())
        connection.execute(_CLEAR_VALUES, {"b_ticket_id": draft.ticket_id, "b_keys": cleared})
    if not entered:
        return
    connection.execute(
        _WRITE_VALUES[connection.dialect.name],
        [
            {
                "ticket_id": draft.ticket_id,
                "field_key": key,
                "value": value,
                "template_version_id": draft.get("template_version_id"),
                "provenance": provenance,
                "command_id": draft.command_id,
            }
            for key, (value, provenance) in entered.items()
        ],
    )


def changes_of(draft: TicketDraft) -> dict[str, Any]:
    """The change as the history keeps it: what `tickets.fold` adds up to the rows."""
    delta: dict[str, Any] = {}
    if draft.columns:
        delta["ticket"] = dict(draft.columns)
    token_changes = [
        *draft.entered.values(),
        *({"id": token_id, **columns} for token_id, columns in draft.left.items()),
        *({"id": token_id, **columns} for token_id, columns in draft.moved.items()),
    ]
    if token_changes:
        delta["tokens"] = token_changes
    if draft.values:
        delta["values"] = {
            key: {"value": value, "provenance": provenance}
            for key, (value, provenance) in draft.values.items()
        }
    return delta


def _hashed_events(draft: TicketDraft) -> tuple[list[dict[str, Any]], str]:
    previous = GENESIS if draft.before is None else draft.before["head_hash"]
    rows = []
    for ordinal, (type, said) in enumerate(draft.events):
        payload = {**said, "delta": changes_of(draft)} if ordinal == 0 else said
        fingerprint = event_hash(
            prev_hash=previous,
            ticket_id=draft.ticket_id,
            ticket_version=draft.version,
            type=type,
            payload=payload,
            actor=draft.actor.label,
            actor_name=draft.actor.display,
            on_behalf=draft.on_behalf,
            at=draft.at,
            command_id=draft.command_id,
            ordinal=ordinal,
            causation_id=draft.causation_id,
            depth=draft.depth,
        )
        rows.append(
            {
                "org_id": draft.actor.org_id,
                "ticket_id": draft.ticket_id,
                "ticket_version": draft.version,
                "type": type,
                "payload": payload,
                "actor": draft.actor.label,
                "actor_name": draft.actor.display,
                "on_behalf": draft.on_behalf,
                "at": draft.at,
                "command_id": draft.command_id,
                "ordinal": ordinal,
                "causation_id": draft.causation_id,
                "depth": draft.depth,
                "prev_hash": previous,
                "hash": fingerprint,
            }
        )
        previous = fingerprint
    return rows, previous


def _count_lanes(connection: Connection, draft: TicketDraft) -> None:
    """Move the ticket from the count of its old lane to that of its new one.

    Both rows are written in key order: on PostgreSQL two moves in opposite directions would
    otherwise wait for each other.
    """
    after = _lane_of(draft.get)
    before = None if draft.before is None else _lane_of(draft.before.__getitem__)
    if before == after:
        return
    steps = [(after, 1)] if before is None else sorted([(before, -1), (after, 1)])
    connection.execute(
        _COUNT[connection.dialect.name],
        [
            {
                "org_id": draft.actor.org_id,
                "stage": stage,
                "region_id": region_id,
                "ticket_class": ticket_class,
                "tickets": step,
            }
            for (stage, region_id, ticket_class), step in steps
        ],
    )


def _lane_of(column: Any) -> tuple[str, int, str]:
    return column("stage"), column("region_id") or 0, column("ticket_class")


_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_ENDED_CLASS: Final = 9
# Ranks of ended tickets count down from here, so that the latest end comes first.
_FAR_FUTURE_MS: Final = 36**9 - 1


def place_in_lane(
    status: TicketStatus,
    *,
    priority: int,
    opened_at: datetime,
    ended_at: datetime | None,
    ticket_id: int,
) -> tuple[int, str]:
    """`(priority_class, rank)`: open tickets by priority, then age; ended ones by their end, latest first."""
    if status is TicketStatus.OPEN or ended_at is None:
        return (
            priority,
            f"{_base36(_milliseconds(opened_at), 9)}{_base36(ticket_id, 6)}",
        )
    return (
        _ENDED_CLASS,
        f"{_base36(_FAR_FUTURE_MS - _milliseconds(ended_at), 9)}{_base36(ticket_id, 6)}",
    )


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _base36(number: int, width: int) -> str:
    if number < 0:
        raise ValueError("no rank comes before the year 1970")
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits.rjust(width, "0")
