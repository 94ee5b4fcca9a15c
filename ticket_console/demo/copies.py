"""A ticket as a stencil: what must differ from copy to copy is a slot, everything else is fixed text.

Numbers of rows, instants, the ticket's own number, its place in the lane and its tracking link differ.
The JSON of histories and markings is cut at its slots once, so that a copy costs a join and no parsing.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from ticket_console.kernel.canonical import canonical_json, instant_text
from ticket_console.tickets.chain import GENESIS, event_hash

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_SLOT: Final = re.compile(r'"@slot:(\d+)@"')
_ROW_NUMBERS: Final = frozenset(
    {"id", "raw_intake_id", "token_id", "decision_id", "attachment_id", "comment_id"}
)
# What a copy has no rows for: it would point at another ticket's money.
_LEFT_OUT: Final = frozenset({"ticket.settled"})

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a row of the original; tickets are numbered in a series of their own."""

    was: int


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in the original."""

    was: datetime


@dataclass(frozen=True, slots=True)
class Own:
    """Something that only this ticket has: its number, a rank, its tracking hash, the id of a command."""

    name: str


Slot = Number | Moment | Own


class Slots:
    """The slots of one ticket, each once."""

    def __init__(self) -> None:
        self.listed: list[Slot] = []
        self._places: dict[Slot, int] = {}

    def place(self, slot: Slot) -> int:
        found = self._places.get(slot)
        if found is None:
            found = self._places[slot] = len(self.listed)
            self.listed.append(slot)
        return found

    def mark(self, slot: Slot) -> str:
        return f"@slot:{self.place(slot)}@"


@dataclass(frozen=True, slots=True)
class Filling:
    """What one copy puts into the slots: as values, as the driver stores them, and as JSON text."""

    values: Sequence[Any]
    stored: Sequence[Any]
    texts: Sequence[str]


class Document:
    """A JSON document cut at its slots."""

    def __init__(self, slots: Slots, data: Any) -> None:
        pieces = _SLOT.split(canonical_json(data))
        self._fixed = pieces[::2]
        self._places = [int(place) for place in pieces[1::2]]

    def text(self, filling: Filling) -> str:
        if not self._places:
            return self._fixed[0]
        parts = [self._fixed[0]]
        for place, fixed in zip(self._places, self._fixed[1:], strict=True):
            parts.append(filling.texts[place])
            parts.append(fixed)
        return "".join(parts)


class Stencil:
    """One row of a table: fixed columns, columns with a slot, and columns that are documents.

    Rows come out as the driver stores them, in the order of `columns`: what is fixed is converted once.
    """

    def __init__(
        self,
        slots: Slots,
        columns: Sequence[sa.Column[Any]],
        row: Row,
        *,
        dialect: Dialect,
        numbers: Collection[str] = (),
        own: Mapping[str, Own] | None = None,
        documents: Mapping[str, Any] | None = None,
    ) -> None:
        own, documents = own or {}, documents or {}
        self._fixed: list[Any] = []
        self._slotted: list[tuple[int, int]] = []
        self._documents: list[tuple[int, Document]] = []
        for position, column in enumerate(columns):
            value, slot = row.get(column.name), own.get(column.name)
            if column.name in documents:
                self._documents.append((position, Document(slots, documents[column.name])))
                value = None
            elif slot is not None:
                self._slotted.append((position, slots.place(slot)))
            elif value is not None and column.name in numbers:
                self._slotted.append((position, slots.place(Number(value))))
            elif isinstance(value, datetime):
                self._slotted.append((position, slots.place(Moment(value))))
            convert = column.type.dialect_impl(dialect).bind_processor(dialect)
            self._fixed.append(value if convert is None else convert(value))

    def row(self, filling: Filling) -> list[Any]:
        made = self._fixed.copy()
        for position, place in self._slotted:
            made[position] = filling.stored[place]
        for position, document in self._documents:
            made[position] = document.text(filling)
        return made


@dataclass(frozen=True, slots=True)
class _Said:
    """An event: its row, and what its hash covers besides the chain."""

    stencil: Stencil
    version: int
    type: str
    actor: str
    ordinal: int
    at: int
    command: int


class History:
    """The events of a ticket; each copy gets a chain of its own."""

    def __init__(
        self, slots: Slots, columns: Sequence[sa.Column[Any]], events: Sequence[Row], *, dialect: Dialect
    ) -> None:
        names = [column.name for column in columns]
        self._previous_at, self._hash_at = names.index("prev_hash"), names.index("hash")
        self._named_at, self._on_behalf_at = names.index("actor_name"), names.index("on_behalf")
        self._caused_by_at, self._depth_at = names.index("causation_id"), names.index("depth")
        self._payload_at = names.index("payload")
        self._said = [
            self._event(slots, columns, event, dialect) for event in events if event["type"] not in _LEFT_OUT
        ]

    def _event(self, slots: Slots, columns: Sequence[sa.Column[Any]], event: Row, dialect: Dialect) -> _Said:
        command = command_slot(event["command_id"])
        return _Said(
            stencil=Stencil(
                slots,
                columns,
                event,
                dialect=dialect,
                own={"ticket_id": TICKET_ID, "command_id": command},
                documents={"payload": slotted(slots, event["payload"])},
            ),
            version=event["ticket_version"],
            type=event["type"],
            actor=event["actor"],
            ordinal=event["ordinal"],
            at=slots.place(Moment(event["at"])),
            command=slots.place(command),
        )

    def __len__(self) -> int:
        return len(self._said)

    def rows(self, filling: Filling, *, ticket_id: int) -> tuple[list[list[Any]], str]:
        """The events with their hashes, and the last of these."""
        previous, rows = GENESIS, []
        for said in self._said:
            row = said.stencil.row(filling)
            row[self._previous_at] = previous
            previous = row[self._hash_at] = event_hash(
                prev_hash=previous,
                ticket_id=ticket_id,
                ticket_version=said.version,
                type=said.type,
                payload=json.loads(row[self._payload_at]),
                actor=said.actor,
                actor_name=row[self._named_at],
                on_behalf=row[self._on_behalf_at],
                at=filling.values[said.at],
                command_id=filling.values[said.command],
                ordinal=said.ordinal,
                causation_id=row[self._caused_by_at],
                depth=row[self._depth_at],
            )
            rows.append(row)
        return rows, previous


def command_slot(command_id: str) -> Own:
    """Commands must differ between copies, and stay the same within one."""
    return Own(f"command:{command_id}")


def rank_slot(rank: str) -> Own:
    return Own(f"rank:{rank}")


TICKET_ID: Final = Own("ticket_id")
TICKET_NO: Final = Own("no")
TRACKING: Final = Own("tracking_hash")


def slotted(slots: Slots, data: Any, *, under: str = "") -> Any:
    """A document with its slots marked; what people entered into fields stays as it is."""
    if isinstance(data, Mapping):
        return {
            key: value if key == "values" else _slotted_entry(slots, key, value, under)
            for key, value in data.items()
        }
    if isinstance(data, list):
        if under == "forks":
            return [[slots.mark(Number(fork)), branch] for fork, branch in data]
        return [slotted(slots, each) for each in data]
    if isinstance(data, str) and _INSTANT.fullmatch(data):
        return slots.mark(Moment(datetime.fromisoformat(data)))
    return data


def _slotted_entry(slots: Slots, key: str, value: Any, under: str) -> Any:
    if value is None:
        return None
    if key in {"ticket_id", "root_id"} or (key, under) == ("id", "ticket"):
        return slots.mark(TICKET_ID)
    if key in _ROW_NUMBERS:
        return slots.mark(Number(value))
    own = {"no": TICKET_NO, "tracking_hash": TRACKING, "rank": rank_slot(str(value))}.get(key)
    return slotted(slots, value, under=key) if own is None else slots.mark(own)


def json_text(value: Any) -> str:
    """How a slot's value is written in a document."""
    if isinstance(value, datetime):
        return f'"{instant_text(value)}"'
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def moved(moment: Moment, by: timedelta) -> datetime:
    return moment.was + by
