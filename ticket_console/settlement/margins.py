"""What is left of a ticket: what its customer is charged, less what the work costs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.settlement.books import read_head
from ticket_console.settlement.kinds import AccountKind
from ticket_console.settlement.reach import readable_postings
from ticket_console.settlement.tables import Account, Journal, Posting, Rating

_ACCOUNTS = table(Account)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)
_RATINGS = table(Rating)

_COSTS: Final = (AccountKind.COST, AccountKind.PARTS)


@dataclass(frozen=True, slots=True)
class Margin:
    """`charge_minor` includes what the company kept of pay that was shared out; refunds are taken off."""

    charge_minor: int
    cost_minor: int
    currency: str

    @property
    def margin_minor(self) -> int:
        return self.charge_minor - self.cost_minor


def of_ticket(conn: Connection, *, viewer: Actor, ticket_id: int) -> Margin:
    """The margin of a ticket as the books have it, nothing on either side where nothing was settled."""
    found = of_tickets(conn, viewer=viewer, ticket_ids=[ticket_id])
    return found.get(ticket_id) or Margin(0, 0, read_head(conn, viewer.org_id).currency)


def of_tickets(conn: Connection, *, viewer: Actor, ticket_ids: Collection[int]) -> Mapping[int, Margin]:
    """The margins of those tickets that anything was posted for, of what the viewer may read."""
    is_cost = _ACCOUNTS.c.kind.in_(_COSTS)
    is_charge = _ACCOUNTS.c.kind == AccountKind.REVENUE
    rows = conn.execute(
        sa.select(
            _RATINGS.c.ticket_id,
            sa.func.sum(sa.case((is_charge, -_POSTINGS.c.amount_minor), else_=0)),
            sa.func.sum(sa.case((is_cost, _POSTINGS.c.amount_minor), else_=0)),
            _POSTINGS.c.currency,
        )
        .join(_JOURNALS, _JOURNALS.c.rating_id == _RATINGS.c.id)
        .join(_POSTINGS, _POSTINGS.c.journal_id == _JOURNALS.c.id)
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _POSTINGS.c.account_id)
        .where(
            _RATINGS.c.org_id == viewer.org_id,
            _RATINGS.c.ticket_id.in_(ticket_ids),
            readable_postings(viewer),
        )
        .group_by(_RATINGS.c.ticket_id, _POSTINGS.c.currency)
    )
    return {ticket_id: Margin(int(charge), int(cost), currency) for ticket_id, charge, cost, currency in rows}
