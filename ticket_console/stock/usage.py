"""Parts used on a ticket, in exact quantities, at the cost of the moment they were taken."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel import ids
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText
from ticket_console.stock.tables import Part, PartUsage

MOST: Final = Decimal(10_000)
DECIMALS: Final = 3

_parts = table(Part)
_used = table(PartUsage)
_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class PartLine:
    """What a ticket used of one part at one cost."""

    sku: str
    name: LocalText
    quantity: Decimal
    unit_cost_minor: int


@dataclass(frozen=True, slots=True)
class _Priced:
    part_id: int
    unit_cost_minor: int


_PRICES: Final = sa.select(_parts.c.sku, _parts.c.id, _parts.c.unit_cost_minor).where(
    _parts.c.org_id == sa.bindparam("org_id"), _parts.c.sku.in_(sa.bindparam("skus", expanding=True))
)
_OF_TICKET: Final = (
    sa.select(_parts.c.sku, _parts.c.name, _used.c.part_id, _used.c.quantity, _used.c.unit_cost_minor)
    .join(_parts, _parts.c.id == _used.c.part_id)
    .where(_used.c.ticket_id == sa.bindparam("ticket_id"))
    .order_by(_used.c.at, _used.c.id)
)
_OF_TICKETS: Final = (
    sa.select(
        _used.c.ticket_id,
        _parts.c.sku,
        _parts.c.name,
        _used.c.quantity,
        _used.c.unit_cost_minor,
    )
    .join(_parts, _parts.c.id == _used.c.part_id)
    .where(
        _used.c.ticket_id.in_(sa.bindparam("ticket_ids", expanding=True)),
        _used.c.at <= sa.bindparam("as_of"),
    )
    .order_by(_used.c.at, _used.c.id)
)
_BOOK: Final = sa.insert(_used)


def use_parts(
    connection: Connection,
    *,
    org_id: int,
    at: datetime,
    ticket_id: int,
    lines: Sequence[Mapping[str, Any]],
    command_id: str,
    replaces: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Book the lines `{"sku", "qty"}` of a form on the ticket.

    A form that is filled in again says anew what was used: with its earlier lines in `replaces`
    only the difference is booked, and what was too much goes back at the cost it was taken at.
    Raises InvalidInput for a part we do not have and a quantity that is none.
    """
    wanted, before = _quantities(lines, "parts"), _quantities(replaces, "replaces")
    prices = _prices(connection, org_id, wanted)
    bookings: list[tuple[_Priced, Decimal]] = []
    for sku, quantity in wanted.items():
        more = quantity - before.get(sku, _NONE)
        if more > 0:
            bookings.append((prices[sku], more))
    too_much = {
        sku: quantity - wanted.get(sku, _NONE)
        for sku, quantity in before.items()
        if quantity > wanted.get(sku, _NONE)
    }
    if too_much:
        bookings += _taken_back(connection, ticket_id, too_much)
    if bookings:
        connection.execute(
            _BOOK,
            [
                {
                    "id": ids.take("row"),
                    "ticket_id": ticket_id,
                    "part_id": priced.part_id,
                    "quantity": text_of(quantity),
                    "unit_cost_minor": priced.unit_cost_minor,
                    "command_id": command_id,
                    "at": at,
                }
                for priced, quantity in bookings
            ],
        )


def parts_used(connection: Connection, ticket_id: int) -> tuple[PartLine, ...]:
    """What is booked on the ticket, one line per part and cost, by number of the part."""
    return _lines(connection.execute(_OF_TICKET, {"ticket_id": ticket_id}))


def parts_used_on(
    connection: Connection, ticket_ids: Collection[int], *, as_of: datetime
) -> Mapping[int, tuple[PartLine, ...]]:
    """The same for many tickets, as it was booked by then; tickets that used nothing are absent."""
    rows: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(_OF_TICKETS, {"ticket_ids": list(ticket_ids), "as_of": as_of}):
        rows[row.ticket_id].append(row)
    return {ticket_id: _lines(found) for ticket_id, found in rows.items()}


def _lines(bookings: Iterable[Any]) -> tuple[PartLine, ...]:
    names: dict[str, LocalText] = {}
    sums: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for row in bookings:
        names[row.sku] = row.name
        sums[row.sku, row.unit_cost_minor] += Decimal(row.quantity)
    return tuple(
        PartLine(sku, names[sku], quantity, cost)
        for (sku, cost), quantity in sorted(sums.items())
        if quantity
    )


def _quantities(lines: Sequence[Mapping[str, Any]], path: str) -> dict[str, Decimal]:
    """Exact quantities by part; a part named twice adds up."""
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    problems = []
    for position, line in enumerate(lines):
        quantity = exact(line.get("qty"))
        if quantity is None:
            problems.append(FieldProblem(f"{path}.{position}.qty", "field.not_a_number"))
        elif not 0 < quantity <= MOST:
            problems.append(
                FieldProblem(f"{path}.{position}.qty", "stock.bad_quantity", {"most": text_of(MOST)})
            )
        elif quantity != round(quantity, DECIMALS):
            problems.append(
                FieldProblem(f"{path}.{position}.qty", "field.too_many_decimals", {"limit": DECIMALS})
            )
        else:
            quantities[str(line.get("sku", ""))] += quantity
    if problems:
        raise InvalidInput(tuple(problems))
    return dict(quantities)


def exact(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _prices(connection: Connection, org_id: int, wanted: Mapping[str, Decimal]) -> dict[str, _Priced]:
    if not wanted:
        return {}
    rows = connection.execute(_PRICES, {"org_id": org_id, "skus": sorted(wanted)})
    prices = {row.sku: _Priced(row.id, row.unit_cost_minor) for row in rows}
    unknown = [sku for sku in wanted if sku not in prices]
    if unknown:
        raise InvalidInput(
            tuple(FieldProblem("parts", "stock.unknown_part", {"sku": sku}) for sku in unknown)
        )
    return prices


def _taken_back(
    connection: Connection, ticket_id: int, too_much: Mapping[str, Decimal]
) -> list[tuple[_Priced, Decimal]]:
    """Bookings that undo what was used too much, the latest cost first."""
    booked: defaultdict[str, dict[_Priced, Decimal]] = defaultdict(dict)
    for row in connection.execute(_OF_TICKET, {"ticket_id": ticket_id}):
        priced = _Priced(row.part_id, row.unit_cost_minor)
        booked[row.sku][priced] = booked[row.sku].get(priced, _NONE) + Decimal(row.quantity)
    back = []
    for sku, quantity in too_much.items():
        for priced, there in reversed(booked[sku].items()):
            taken = min(quantity, there)
            if taken > 0:
                back.append((priced, -taken))
                quantity -= taken
    return back


def text_of(quantity: Decimal) -> str:
    """Without exponent and without zeros that say nothing."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
