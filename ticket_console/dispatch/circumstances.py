"""What is read, beside the roster and the loads, for one decision: only what its policy weighs or asks."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ticket_console.dispatch import visit_book
from ticket_console.dispatch.deciding import NO_MONTHS, NOTHING_KNOWN, Circumstances, Months
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rules import DispatchPolicy, Term
from ticket_console.dispatch.scoring import KNOWS_CUSTOMER, KNOWS_DEVICE
from ticket_console.dispatch.tables import Assignment, AssignmentState, TechnicianMonth
from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician
from ticket_console.tickets.tables import Ticket

# Visits that end or begin this long before or after the work may still be too far away to reach it.
_WAY: Final = timedelta(hours=6)

_months = table(TechnicianMonth)
_technicians = table(Technician)
_assignments = table(Assignment)
_tickets = table(Ticket)

_MONTHS: Final = (
    sa.select(_months.c.technician_id, _months.c.hard_jobs, _months.c.income_minor)
    .join(_technicians, _technicians.c.id == _months.c.technician_id)
    .where(_technicians.c.org_id == sa.bindparam("org_id"))
    .order_by(_months.c.technician_id)
)
# All rows of an organisation are written at once.
_COUNTED: Final = (
    sa.select(_months.c.counted_at)
    .join(_technicians, _technicians.c.id == _months.c.technician_id)
    .where(_technicians.c.org_id == sa.bindparam("org_id"))
    .limit(1)
)
_held: WeakKeyDictionary[Engine, dict[int, tuple[datetime | None, Months]]] = WeakKeyDictionary()
_SERVED: Final = (
    sa.select(_assignments.c.technician_id)
    .distinct()
    .join(_tickets, _tickets.c.id == _assignments.c.ticket_id)
    .where(
        _tickets.c.org_id == sa.bindparam("org_id"),
        _tickets.c.id != sa.bindparam("ticket_id"),
        _assignments.c.state == AssignmentState.DONE,
    )
)
_SERVED_DEVICE: Final = _SERVED.where(_tickets.c.asset_id == sa.bindparam("asset_id"))
_SERVED_CUSTOMER: Final = _SERVED.where(_tickets.c.customer_id == sa.bindparam("customer_id"))


def read_circumstances(
    connection: Connection, need: Need, policy: DispatchPolicy, *, at: datetime
) -> Circumstances:
    """As of now; a policy without fairness, continuity or visits asks nothing of the database."""
    weights = dict(zip(Term, policy.weights_for(is_vip=need.is_vip), strict=True))
    return replace(
        plans(connection, need, policy, at=at),
        months=months_of(connection, need.org_id)
        if weights[Term.HARD] or weights[Term.INCOME]
        else NO_MONTHS,
        familiar=_familiar(connection, need) if weights[Term.CONTINUITY] else {},
    )


def plans(connection: Connection, need: Need, policy: DispatchPolicy, *, at: datetime) -> Circumstances:
    """Only what may keep somebody out: the visits around the work."""
    if not policy.filters.overlap:
        return NOTHING_KNOWN
    window = need.window(at)
    visits = visit_book.of_org(connection, need.org_id, window.starts_at - _WAY, window.ends_at + _WAY)
    return Circumstances(visits=visits, travel=visit_book.travel())


def months_of(connection: Connection, org_id: int) -> Months:
    """What everybody finished within the last thirty days; read again once it was counted again."""
    whose = {"org_id": org_id}
    counted_at = connection.execute(_COUNTED, whose).scalar()
    held = _held.setdefault(connection.engine, {})
    known = held.get(org_id)
    if known is None or known[0] != counted_at:
        found = {row[0]: (row[1], row[2]) for row in connection.execute(_MONTHS, whose)}
        known = held[org_id] = (counted_at, Months.of(found))
    return known[1]


def _familiar(connection: Connection, need: Need) -> dict[int, int]:
    """Who has done a job for the customer or on the very device before."""
    known: dict[int, int] = {}
    whose = {"org_id": need.org_id, "ticket_id": need.ticket_id}
    if need.customer_id is not None:
        served = connection.execute(_SERVED_CUSTOMER, {**whose, "customer_id": need.customer_id})
        known |= {row[0]: KNOWS_CUSTOMER for row in served}
    if need.asset_id is not None:
        served = connection.execute(_SERVED_DEVICE, {**whose, "asset_id": need.asset_id})
        known |= {row[0]: KNOWS_DEVICE for row in served}
    return known


_SERVED_MANY: Final = (
    sa.select(_tickets.c.customer_id, _tickets.c.asset_id, _tickets.c.id, _assignments.c.technician_id)
    .join(_tickets, _tickets.c.id == _assignments.c.ticket_id)
    .where(
        _tickets.c.org_id == sa.bindparam("org_id"),
        _tickets.c.customer_id.in_(sa.bindparam("customers", expanding=True)),
        _assignments.c.state == AssignmentState.DONE,
    )
)


def circumstances_of_many(
    connection: Connection, org_id: int, needs: Sequence[Need]
) -> Callable[[Need], Circumstances]:
    """What is known for each of many tasks, read at once; without visits, as plans would be made anew."""
    months = months_of(connection, org_id)
    served: dict[int, list[tuple[int | None, int, int]]] = defaultdict(list)
    customers = sorted({need.customer_id for need in needs if need.customer_id is not None})
    for row in connection.execute(_SERVED_MANY, {"org_id": org_id, "customers": customers}):
        served[row.customer_id].append((row.asset_id, row.id, row.technician_id))

    def known(need: Need) -> Circumstances:
        familiar: dict[int, int] = {}
        for asset_id, ticket_id, technician_id in served.get(need.customer_id or 0, ()):
            if ticket_id != need.ticket_id:
                is_device = asset_id is not None and asset_id == need.asset_id
                knows = KNOWS_DEVICE if is_device else KNOWS_CUSTOMER
                familiar[technician_id] = max(knows, familiar.get(technician_id, 0))
        return Circumstances(months=months, familiar=familiar)

    return known
