"""Fills a console with many tickets in little time, for measuring: `fill(tickets=100_000, at=...)`.

The tickets are copies of those the demo company lived through, with numbers, times, links and hash
chains of their own: everything that must hold of a ticket holds of a copy. Only money is left out, a
copy was never settled. A console that runs meanwhile does not hear of them.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlmodel import SQLModel

from ticket_console.access.tables import Org
from ticket_console.demo import history
from ticket_console.demo.cast import read_cast
from ticket_console.demo.copies import (
    TICKET_ID,
    TICKET_NO,
    TRACKING,
    Filling,
    History,
    Moment,
    Number,
    Own,
    Slots,
    Stencil,
    command_slot,
    json_text,
    moved,
    rank_slot,
    slotted,
)
from ticket_console.demo.founding import ORG_CODE
from ticket_console.demo.requests import NUMBER_PREFIX
from ticket_console.dispatch.tables import Assignment, AssignmentState, DispatchDecision, TechnicianLoad
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel import ids
from ticket_console.kernel.database import JsonText, UtcDateTime, reading, table, transaction
from ticket_console.kernel.settings import settings
from ticket_console.people import hiring
from ticket_console.people.tables import Technician
from ticket_console.stock.tables import PartUsage
from ticket_console.tickets import tracking
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import (
    Attachment,
    Comment,
    Event,
    FieldValue,
    LaneCount,
    OwnerKind,
    Ticket,
    TokenRow,
)
from ticket_console.tickets.writing import place_in_lane

OPEN_SHARE: Final = 0.05
CHUNK: Final = 1_000
MOST_ORIGINALS: Final = 60
# How far the copies lie back: finished ones over a year, open ones over some days.
_FINISHED_WITHIN: Final = timedelta(days=365)
_OPENED_WITHIN: Final = timedelta(days=6)

# Tables whose rows are copied along with their ticket; numbers of rows of the ticket are made anew.
_ALONG: Final[tuple[type[SQLModel], ...]] = (
    TokenRow,
    DispatchDecision,
    Assignment,
    FieldValue,
    Comment,
    Attachment,
    PartUsage,
)
_IN_ORDER: Final[tuple[type[SQLModel], ...]] = (RawIntake, Ticket, *_ALONG, Event)
_COLUMNS: Final = {
    model: tuple(column for column in table(model).c if column.name != "seq") for model in _IN_ORDER
}
_HEAD: Final = [column.name for column in _COLUMNS[Ticket]].index("head_hash")
_NUMBERS: Final = frozenset({"id", "token_id", "decision_id"})

_tickets, _tokens, _raw = table(Ticket), table(TokenRow), table(RawIntake)
_orgs = table(Org)
_lanes, _loads, _technicians = table(LaneCount), table(TechnicianLoad), table(Technician)


class NothingToCopy(Exception):
    """There is no demo company, whose tickets could be copied."""


@dataclass(frozen=True, slots=True)
class Filled:
    tickets: int
    still_open: int
    events: int


def fill(*, tickets: int, at: datetime, seed: int = 1, open_share: float = OPEN_SHARE) -> Filled:
    """Add this many tickets as they would be at an instant; technicians get room for what they are given.

    A demo company without a past first lives through a short one. Raises NothingToCopy without the
    company.
    """
    finished, unfinished = _all_originals()
    if not finished or not unfinished:
        _make_originals(at, seed)
        finished, unfinished = _all_originals()
    chance = Random(seed)
    filled = Filled(0, 0, 0)
    for start in range(0, tickets, CHUNK):
        count = min(CHUNK, tickets - start)
        opens = [chance.random() < open_share for _ in range(count)]
        originals = [chance.choice(unfinished if is_open else finished) for is_open in opens]
        events = _write(originals, at=at, chance=chance)
        filled = Filled(filled.tickets + count, filled.still_open + sum(opens), filled.events + events)
    return filled


def _all_originals() -> tuple[list["_Original"], list["_Original"]]:
    """Finished and open tickets to copy."""
    with reading() as connection:
        return _originals(connection, TicketStatus.CLOSED), _originals(connection, TicketStatus.OPEN)


def _make_originals(at: datetime, seed: int) -> None:
    with reading() as connection:
        org_id = connection.execute(sa.select(_orgs.c.id).where(_orgs.c.code == ORG_CODE)).scalar()
        cast = None if org_id is None else read_cast(connection, org_id)
    if cast is None:
        raise NothingToCopy
    history.live_through(cast, until=at, seed=seed, requests=MOST_ORIGINALS)


def _originals(connection: Connection, status: TicketStatus) -> list["_Original"]:
    """Tickets of the demo to copy; none that waits for a timer, which would have to be armed as well."""
    waits_for_timer = sa.exists().where(
        _tokens.c.ticket_id == _tickets.c.id,
        _tokens.c.state == TokenState.ACTIVE,
        _tokens.c.owner_kind == OwnerKind.SYSTEM,
    )
    found = connection.execute(
        sa.select(_tickets.c.id)
        .join(_raw, _raw.c.id == _tickets.c.raw_intake_id)
        .where(
            _tickets.c.status == status,
            _raw.c.external_id.startswith(NUMBER_PREFIX),
            ~waits_for_timer,
        )
        .order_by(_tickets.c.id)
        .limit(MOST_ORIGINALS)
    ).scalars()
    return [_Original(connection, ticket_id) for ticket_id in found.all()]


class _Original:
    """A ticket and all its rows, ready to be copied."""

    def __init__(self, connection: Connection, ticket_id: int) -> None:
        ticket = _rows(connection, Ticket, "id", ticket_id)[0]
        events = _rows(connection, Event, "ticket_id", ticket_id)
        self.ticket_id = ticket_id
        self.slots = Slots()
        self.status: TicketStatus = ticket["status"]
        self.priority: int = ticket["priority"]
        self.opened_at: datetime = ticket["opened_at"]
        self.closed_at: datetime | None = ticket["closed_at"]
        self.updated_at: datetime = ticket["updated_at"]
        self.lane = (ticket["org_id"], ticket["stage"], ticket["region_id"] or 0, ticket["ticket_class"])
        self.opening_rank = next(
            event["payload"]["delta"]["ticket"]["rank"]
            for event in events
            if "rank" in event["payload"].get("delta", {}).get("ticket", {})
        )
        self.history = History(self.slots, _COLUMNS[Event], events, dialect=connection.dialect)
        self.ticket = Stencil(
            self.slots,
            _COLUMNS[Ticket],
            ticket | {"event_count": len(self.history)},
            dialect=connection.dialect,
            numbers=("raw_intake_id",),
            own={
                "id": TICKET_ID,
                "root_id": TICKET_ID,
                "no": TICKET_NO,
                "tracking_hash": TRACKING,
                "rank": rank_slot(ticket["rank"]),
            },
            documents={
                "marking": slotted(self.slots, ticket["marking"]),
                "priority_reason": ticket["priority_reason"],
            },
        )
        dialect = connection.dialect
        self.along = {
            model: [
                _stencil(self.slots, model, row, dialect)
                for row in _rows(connection, model, "ticket_id", ticket_id)
            ]
            for model in _ALONG
        }
        raw = _rows(connection, RawIntake, "id", ticket["raw_intake_id"])[0]
        self.raw = _raw_stencil(self.slots, raw, dialect)
        self._store = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
        self.claimed_by = [
            row["technician_id"]
            for row in _rows(connection, Assignment, "ticket_id", ticket_id)
            if row["state"] is AssignmentState.CLAIMED
        ]

    def filling(self, *, ticket_id: int, by: timedelta, secret: str) -> Filling:
        """New numbers, later or earlier times, and what only this copy has."""
        values: list[Any] = []
        for slot in self.slots.listed:
            if isinstance(slot, Number):
                values.append(ids.take("row"))
            elif isinstance(slot, Moment):
                values.append(moved(slot, by))
            else:
                values.append(self._own(slot, ticket_id, by, secret))
        return Filling(
            values, [self._stored(value) for value in values], [json_text(value) for value in values]
        )

    def _stored(self, value: Any) -> Any:
        return self._store(value) if self._store is not None and isinstance(value, datetime) else value

    def _own(self, slot: Own, ticket_id: int, by: timedelta, secret: str) -> str | int:
        if slot == TICKET_ID:
            return ticket_id
        if slot == TICKET_NO:
            return f"WO-{ticket_id}"
        if slot == TRACKING:
            return tracking.tracking_hash(tracking.tracking_token(secret=secret, ticket_id=ticket_id))
        kind, _, which = slot.name.partition(":")
        if kind == "rank":
            return self._rank(ticket_id, by, at_opening=which == self.opening_rank)
        return f"copy:{ticket_id}:{self.slots.place(slot)}"

    def _rank(self, ticket_id: int, by: timedelta, *, at_opening: bool) -> str:
        ended_at = None if at_opening or self.closed_at is None else self.closed_at + by
        _, rank = place_in_lane(
            TicketStatus.OPEN if ended_at is None else self.status,
            priority=self.priority,
            opened_at=self.opened_at + by,
            ended_at=ended_at,
            ticket_id=ticket_id,
        )
        return rank


def _rows(connection: Connection, model: type[SQLModel], column: str, value: int) -> list[dict[str, Any]]:
    of = table(model)
    order = of.c.seq if "seq" in of.c else of.primary_key.columns.values()[-1]
    query = sa.select(of).where(of.c[column] == value).order_by(order)
    return [dict(row._mapping) for row in connection.execute(query)]


def _stencil(slots: Slots, model: type[SQLModel], row: dict[str, Any], dialect: Dialect) -> Stencil:
    documents = {
        column.name: slotted(slots, row[column.name], under=column.name)
        if model is TokenRow
        else row[column.name]
        for column in table(model).c
        if isinstance(column.type, JsonText) and row[column.name] is not None
    }
    own = {"ticket_id": TICKET_ID}
    if "command_id" in row:
        own["command_id"] = command_slot(row["command_id"])
    return Stencil(
        slots, _COLUMNS[model], row, dialect=dialect, numbers=_NUMBERS, own=own, documents=documents
    )


def _raw_stencil(slots: Slots, row: dict[str, Any], dialect: Dialect) -> Stencil:
    number = Own("source_number")
    own = {"delivery_key": number, "claim_key": number, "external_id": number, "ticket_id": TICKET_ID}
    documents = {name: row[name] for name in ("payload", "reason") if row[name] is not None}
    return Stencil(
        slots, _COLUMNS[RawIntake], row, dialect=dialect, numbers=("id",), own=own, documents=documents
    )


def _write(originals: Sequence[_Original], *, at: datetime, chance: Random) -> int:
    """Copy each of these once, all in one transaction; returns how many events that were."""
    rows: defaultdict[type[SQLModel], list[list[Any]]] = defaultdict(list)
    lanes: Counter[tuple[int, str, int, str]] = Counter()
    loads: Counter[int] = Counter()
    secret = settings().secret_key
    needed = sum(len(original.slots.listed) for original in originals)
    with transaction(reserve={"ticket": len(originals), "row": needed}) as connection:
        for original in originals:
            ticket_id = ids.take("ticket")
            filling = original.filling(ticket_id=ticket_id, by=_shift(original, at, chance), secret=secret)
            events, head = original.history.rows(filling, ticket_id=ticket_id)
            ticket = original.ticket.row(filling)
            ticket[_HEAD] = head
            rows[RawIntake].append(original.raw.row(filling))
            rows[Ticket].append(ticket)
            rows[Event] += events
            for model, stencils in original.along.items():
                rows[model] += [stencil.row(filling) for stencil in stencils]
            lanes[original.lane] += 1
            loads.update(original.claimed_by)
        for model in _IN_ORDER:
            if rows[model]:
                _insert(connection, model, rows[model])
        _count_lanes(connection, lanes)
        _make_room(connection, loads)
    return len(rows[Event])


def _shift(original: _Original, at: datetime, chance: Random) -> timedelta:
    """How much later or earlier a copy happened; nothing of it lies in the future."""
    if original.closed_at is None:
        wanted = at - _OPENED_WITHIN * chance.random() - original.opened_at
    else:
        wanted = at - _FINISHED_WITHIN * chance.random() - original.closed_at
    return min(wanted, at - original.updated_at)


def _insert(connection: Connection, model: type[SQLModel], rows: list[list[Any]]) -> None:
    """Hand rows to the driver as they are: they are in its own form already."""
    mark = "%s" if connection.dialect.paramstyle in {"format", "pyformat"} else "?"
    names = [column.name for column in _COLUMNS[model]]
    statement = (
        f"INSERT INTO {table(model).name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
    )
    connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def _count_lanes(connection: Connection, lanes: Counter[tuple[int, str, int, str]]) -> None:
    for (org_id, stage, region_id, ticket_class), count in sorted(lanes.items()):
        key = {"org_id": org_id, "stage": stage, "region_id": region_id, "ticket_class": ticket_class}
        counted = connection.execute(
            sa.update(_lanes).filter_by(**key).values(tickets=_lanes.c.tickets + count)
        )
        if counted.rowcount == 0:
            connection.execute(sa.insert(_lanes).values(**key, tickets=count))


def _make_room(connection: Connection, loads: Counter[int]) -> None:
    """Book the copied assignments, and let everybody carry that much more than before."""
    for technician_id, count in sorted(loads.items()):
        booked = connection.execute(
            sa.update(_loads)
            .where(_loads.c.technician_id == technician_id)
            .values(open_count=_loads.c.open_count + count)
        )
        if booked.rowcount == 0:
            connection.execute(sa.insert(_loads).values(technician_id=technician_id, open_count=count))
        hiring.write_technician(connection, technician_id, capacity=_technicians.c.capacity + count)
