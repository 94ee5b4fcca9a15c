"""Reconciliations as they are read: the list, one with its totals, its lines, and who they may be with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import crews
from ticket_console.people.tables import Technician
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.reconciling import running
from ticket_console.settlement.reconciling.kinds import Decision
from ticket_console.settlement.reconciling.matching import Outcome, Total
from ticket_console.settlement.reconciling.owed import Party
from ticket_console.settlement.reconciling.running import ReconciliationView
from ticket_console.settlement.tables import Reconciliation, ReconciliationLine

_RECONCILIATIONS = table(Reconciliation)
_LINES = table(ReconciliationLine)
_TECHNICIANS = table(Technician)

PAGE: Final = 50
RECENT: Final = 20


@dataclass(frozen=True, slots=True)
class PartyView:
    party: Party
    name: LocalText


@dataclass(frozen=True, slots=True)
class OutcomeTotal:
    """What there is of an outcome, and of how many lines nobody has said anything yet."""

    total: Total
    undecided: int
    disputed: int


@dataclass(frozen=True, slots=True)
class LineView:
    id: int
    position: int
    outcome: Outcome
    ticket_id: int | None
    our_posting_id: int | None
    our_ticket_no: str | None
    our_amount_minor: int | None
    our_day: date | None
    their_row: int | None
    their_ticket_no: str | None
    their_amount_minor: int | None
    their_day: date | None
    decision: Decision | None
    note: str
    decided_at: datetime | None
    decided_by: str | None

    @property
    def difference_minor(self) -> int:
        """What they ask for beyond what we owe."""
        return (self.their_amount_minor or 0) - (self.our_amount_minor or 0)


@dataclass(frozen=True, slots=True)
class LinePage:
    rows: tuple[LineView, ...]
    count: int


def parties(conn: Connection, *, viewer: Actor) -> tuple[PartyView, ...]:
    """Whom one may reconcile with: service partners first, then everybody who works for us."""
    policy.require_everywhere(viewer, "settlement.view")
    vendors = crews.vendor_names(conn, viewer.org_id).items()
    people = conn.execute(
        sa.select(_TECHNICIANS.c.id, _TECHNICIANS.c.name)
        .where(_TECHNICIANS.c.org_id == viewer.org_id, _TECHNICIANS.c.is_active)
        .order_by(_TECHNICIANS.c.id)
    )
    return (
        *(PartyView(Party(OwnerKind.VENDOR, vendor_id), name) for vendor_id, name in vendors),
        *(
            PartyView(Party(OwnerKind.TECHNICIAN, technician_id), {"zh": name, "en": name})
            for technician_id, name in people
        ),
    )


def remembered_columns(conn: Connection, *, viewer: Actor, party: Party) -> Mapping[str, str]:
    """What the columns of the party's last file meant; empty before the first."""
    policy.require_everywhere(viewer, "settlement.view")
    mapping: Mapping[str, str] | None = conn.execute(
        sa.select(_RECONCILIATIONS.c.mapping)
        .where(_RECONCILIATIONS.c.org_id == viewer.org_id, *_with(party))
        .order_by(_RECONCILIATIONS.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return mapping or {}


def recent(conn: Connection, *, viewer: Actor) -> tuple[ReconciliationView, ...]:
    """The latest reconciliations of the organisation, newest first."""
    policy.require_everywhere(viewer, "settlement.view")
    rows = conn.execute(
        running.columns()
        .where(_RECONCILIATIONS.c.org_id == viewer.org_id)
        .order_by(_RECONCILIATIONS.c.id.desc())
        .limit(RECENT)
    )
    return tuple(ReconciliationView(*row) for row in rows)


def reconciliation(conn: Connection, *, viewer: Actor, reconciliation_id: int) -> ReconciliationView:
    policy.require_everywhere(viewer, "settlement.view")
    return running.view(conn, viewer.org_id, reconciliation_id)


def outcome_totals(
    conn: Connection, *, viewer: Actor, reconciliation_id: int
) -> Mapping[Outcome, OutcomeTotal]:
    """Every outcome, those without a line too."""
    reconciliation(conn, viewer=viewer, reconciliation_id=reconciliation_id)
    rows = conn.execute(
        sa.select(
            _LINES.c.outcome,
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(_LINES.c.our_amount_minor), 0),
            sa.func.coalesce(sa.func.sum(_LINES.c.their_amount_minor), 0),
            sa.func.sum(sa.case((_LINES.c.decision.is_(None), 1), else_=0)),
            sa.func.sum(sa.case((_LINES.c.decision == Decision.DISPUTED, 1), else_=0)),
        )
        .where(_LINES.c.reconciliation_id == reconciliation_id)
        .group_by(_LINES.c.outcome)
    )
    found = {
        outcome: OutcomeTotal(Total(count, int(ours), int(theirs)), int(undecided), int(disputed))
        for outcome, count, ours, theirs, undecided, disputed in rows
    }
    return {outcome: found.get(outcome, OutcomeTotal(Total(0, 0, 0), 0, 0)) for outcome in Outcome}


def lines(
    conn: Connection,
    *,
    viewer: Actor,
    reconciliation_id: int,
    outcome: Outcome | None = None,
    offset: int = 0,
    limit: int = PAGE,
) -> LinePage:
    """The lines of an outcome, or all of them, by ticket number."""
    reconciliation(conn, viewer=viewer, reconciliation_id=reconciliation_id)
    where: list[Any] = [_LINES.c.reconciliation_id == reconciliation_id]
    if outcome is not None:
        where.append(_LINES.c.outcome == outcome)
    query = sa.select(*(_LINES.c[name] for name in LineView.__dataclass_fields__)).where(*where)
    rows = conn.execute(query.order_by(_LINES.c.position).limit(limit).offset(offset))
    count = conn.execute(sa.select(sa.func.count()).where(*where)).scalar_one()
    return LinePage(tuple(LineView(*row) for row in rows), count)


def _with(party: Party) -> tuple[sa.ColumnElement[bool], ...]:
    if party.kind is OwnerKind.VENDOR:
        return (_RECONCILIATIONS.c.vendor_id == party.id,)
    return (_RECONCILIATIONS.c.technician_id == party.id,)
