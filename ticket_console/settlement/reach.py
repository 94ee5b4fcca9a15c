"""Whose earnings a viewer may read."""

from collections.abc import Collection

import sqlalchemy as sa

from ticket_console.access import policy
from ticket_console.access.policy import ScopePart
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.tables import Account, Posting, Statement
from ticket_console.tickets.tables import Ticket

_ACCOUNTS = table(Account)
_POSTINGS = table(Posting)
_STATEMENTS = table(Statement)
_TECHNICIANS = table(Technician)
_TICKETS = table(Ticket)


def readable_postings(viewer: Actor) -> sa.ColumnElement[bool]:
    """The condition a posting, joined to its account, meets when the viewer may read it.

    Refuses a viewer who may read none: "settlement.view" reads as far as its grants reach, and
    "settlement.view_own" reads what is owed to the viewer.
    """
    parts = policy.row_scope(viewer, "settlement.view").parts
    if parts:
        return sa.or_(*(_within(part, viewer) for part in parts))
    policy.require(viewer, "settlement.view_own")
    return _owed_to(viewer)


def may_read(viewer: Actor, *, payee: Payee, region_id: int | None) -> bool:
    """Whether a payee of that home region may be read as a whole, as a statement must be.

    One of no region is read by those who may read the whole organisation.
    """
    is_own = payee.kind is OwnerKind.TECHNICIAN and viewer.technician_id == payee.id
    if is_own and policy.allows(viewer, "settlement.view_own"):
        return True
    return any(
        part.ticket_classes is None
        and (part.region_ids is None or region_id in part.region_ids)
        and (is_own or not part.own)
        for part in policy.row_scope(viewer, "settlement.view").parts
    )


def readable_statements(viewer: Actor) -> sa.ColumnElement[bool]:
    """The condition a statement meets when `may_read` says yes to its payee."""
    own = sa.and_(
        _STATEMENTS.c.payee_kind == OwnerKind.TECHNICIAN,
        _STATEMENTS.c.payee_id == (viewer.technician_id or 0),
    )
    readable = [own] if policy.allows(viewer, "settlement.view_own") else []
    for part in policy.row_scope(viewer, "settlement.view").parts:
        if part.ticket_classes is not None:
            continue
        conditions = [own] if part.own else []
        if part.region_ids is not None:
            conditions.append(_of_regions(part.region_ids))
        readable.append(sa.and_(sa.true(), *conditions))
    return sa.or_(sa.false(), *readable)


def _of_regions(region_ids: Collection[int]) -> sa.ColumnElement[bool]:
    """Statements of technicians at home in some regions; partners and customers belong to none."""
    at_home = sa.select(_TECHNICIANS.c.id).where(_TECHNICIANS.c.region_id.in_(region_ids))
    return sa.and_(_STATEMENTS.c.payee_kind == OwnerKind.TECHNICIAN, _STATEMENTS.c.payee_id.in_(at_home))


def _within(part: ScopePart, viewer: Actor) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = []
    if part.region_ids is not None:
        conditions.append(_POSTINGS.c.region_id.in_(part.region_ids))
    if part.ticket_classes is not None:
        of_classes = sa.select(_TICKETS.c.id).where(_TICKETS.c.ticket_class.in_(part.ticket_classes))
        conditions.append(_POSTINGS.c.ticket_id.in_(of_classes))
    if part.own:
        conditions.append(_owed_to(viewer))
    return sa.and_(sa.true(), *conditions)


def _owed_to(viewer: Actor) -> sa.ColumnElement[bool]:
    if viewer.technician_id is None:
        return sa.false()
    return sa.and_(
        _ACCOUNTS.c.owner_kind == OwnerKind.TECHNICIAN, _ACCOUNTS.c.owner_id == viewer.technician_id
    )
