"""A reconciliation from the file to what was agreed: started, decided line by line, closed, opened again.

Everything here is about the whole organisation's money and asks for grants over all of it. Nothing changes
the ledger: a dispute is written down, and whatever follows from it is posted by the ledger's own commands.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput, NotFound
from ticket_console.kernel.sheets import read_sheet
from ticket_console.settlement import closing
from ticket_console.settlement.books import lock_head, read_head
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.reconciling import owed as books
from ticket_console.settlement.reconciling.kinds import Decision, ReconciliationState
from ticket_console.settlement.reconciling.matching import Outcome, Pair, Tolerance, match
from ticket_console.settlement.reconciling.owed import OurLine, Party
from ticket_console.settlement.reconciling.their_file import TheirFile, TheirRow, read_file, read_rows
from ticket_console.settlement.tables import Reconciliation, ReconciliationLine

_RECONCILIATIONS = table(Reconciliation)
_LINES = table(ReconciliationLine)

MOST_NOTE: Final = 500
_MOST_TOLERATED_MINOR: Final = 10**12
_AGREED: Final = frozenset({Outcome.MATCHED, Outcome.TOLERATED})


class ReconciliationNotFound(NotFound):
    code = "reconcile.not_found"


class StaleReconciliation(Conflict):
    """Somebody decided something after the caller looked."""

    code = "reconcile.stale"


class ReconciliationClosed(Conflict):
    code = "reconcile.closed"


class ReconciliationOpen(Conflict):
    code = "reconcile.open"


class NotAllDecided(Conflict):
    code = "reconcile.undecided"


class BadDecision(InvalidInput):
    code = "reconcile.bad_decision"


class BadTolerance(InvalidInput):
    code = "reconcile.bad_tolerance"


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    id: int
    vendor_id: int | None
    technician_id: int | None
    payee_name: Mapping[str, str]
    period_id: int
    as_of_seq: int
    currency: str
    file_name: str
    content_hash: str
    mapping: Mapping[str, str]
    tolerance: Mapping[str, Any]
    left_out: int
    state: ReconciliationState
    started_at: datetime
    started_by: str
    closed_at: datetime | None
    closed_by: str | None
    start_command_id: str
    command_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file laid beside the books, before anything is kept."""

    payee_name: Mapping[str, str]
    currency: str
    as_of_seq: int
    ours: Mapping[int, OurLine]
    pairs: tuple[Pair, ...]


def tolerance_of(absolute_minor: object, percent: object) -> Tolerance:
    """A tolerance out of what somebody entered, None or empty for no such limit; raises BadTolerance."""
    problems: list[FieldProblem] = []
    most: int | None = None
    share: Decimal | None = None
    if absolute_minor not in (None, ""):
        text = str(absolute_minor)
        if text.isascii() and text.isdecimal() and len(text) <= 13 and int(text) <= _MOST_TOLERATED_MINOR:
            most = int(text)
        else:
            problems.append(FieldProblem("", "reconcile.tolerance.absolute"))
    if percent not in (None, ""):
        try:
            share = Decimal(str(percent)) if len(str(percent)) <= 12 else None
        except InvalidOperation:
            share = None
        # Beyond all of the larger amount there is nothing left to compare.
        if share is None or not share.is_finite() or not 0 <= share <= 100:
            problems.append(FieldProblem("", "reconcile.tolerance.percent"))
    if problems:
        raise BadTolerance(tuple(problems))
    return Tolerance(most, share)


def look(*, actor: Actor, content: bytes, mapping: Mapping[str, str], first: int) -> tuple[TheirRow, ...]:
    """The first rows of a file as they would be taken; raises BrokenFile, FileTooLarge or BadColumns."""
    return read_rows(read_sheet(content), mapping, currency=_currency(actor), first=first)


def read(*, actor: Actor, content: bytes, mapping: Mapping[str, str]) -> TheirFile:
    """The whole of a file; raises what `look` raises, and BadRows."""
    return read_file(read_sheet(content), mapping, currency=_currency(actor))


def compare(
    conn: Connection, *, actor: Actor, party: Party, period_id: int, theirs: TheirFile, tolerance: Tolerance
) -> Comparison:
    """What a file would come to; nothing is kept."""
    policy.require_everywhere(actor, "settlement.issue")
    head = read_head(conn, actor.org_id)
    period = closing.period_view(conn, actor.org_id, period_id)
    owed = books.owed(
        conn, org_id=actor.org_id, party=party, period=period, currency=head.currency, as_of_seq=head.seq
    )
    return Comparison(
        payee_name=books.name_of(conn, actor, party),
        currency=head.currency,
        as_of_seq=head.seq,
        ours={each.line.id: each for each in owed},
        pairs=match((each.line for each in owed), theirs.lines, tolerance),
    )


@retried
def start(
    *,
    actor: Actor,
    at: datetime,
    party: Party,
    period_id: int,
    file_name: str,
    content: bytes,
    mapping: Mapping[str, str],
    tolerance: Tolerance,
    command_id: str,
) -> ReconciliationView:
    """Keep a file beside the books as they are now; what agrees is accepted from the start.

    Sent twice with one `command_id`, it starts once. A file of which any row cannot be read leaves nothing.
    """
    theirs = read(actor=actor, content=content, mapping=mapping)
    with transaction() as conn:
        # Two starts with one command come one after the other.
        lock_head(conn, actor.org_id)
        known = conn.execute(
            sa.select(_RECONCILIATIONS.c.id).where(
                _RECONCILIATIONS.c.org_id == actor.org_id,
                _RECONCILIATIONS.c.start_command_id == command_id,
            )
        ).scalar_one_or_none()
        if known is not None:
            return view(conn, actor.org_id, known)
        compared = compare(
            conn,
            actor=actor,
            party=party,
            period_id=period_id,
            theirs=theirs,
            tolerance=tolerance,
        )
        reconciliation_id: int = conn.execute(
            sa.insert(_RECONCILIATIONS)
            .values(
                org_id=actor.org_id,
                vendor_id=party.vendor_id,
                technician_id=party.technician_id,
                payee_name=dict(compared.payee_name),
                period_id=period_id,
                as_of_seq=compared.as_of_seq,
                currency=compared.currency,
                file_name=file_name[:200],
                content_hash=hashlib.sha256(content).hexdigest(),
                mapping=dict(mapping),
                tolerance=tolerance_json(tolerance),
                left_out=theirs.left_out,
                state=ReconciliationState.OPEN,
                started_at=at,
                started_by=actor.label,
                start_command_id=command_id,
                command_id=command_id,
                version=1,
            )
            .returning(_RECONCILIATIONS.c.id)
        ).scalar_one()
        conn.execute(
            sa.insert(_LINES),
            [
                _kept(pair, compared.ours, position, reconciliation_id, actor, at)
                for position, pair in enumerate(compared.pairs, start=1)
            ],
        )
        _record(conn, actor, at, "started", reconciliation_id, command_id, {"lines": len(compared.pairs)})
        return view(conn, actor.org_id, reconciliation_id)


@retried
def decide(
    *,
    actor: Actor,
    at: datetime,
    reconciliation_id: int,
    expected_version: int,
    decision: Decision | None,
    command_id: str,
    line_ids: Sequence[int] = (),
    undecided_of: Outcome | None = None,
    note: str = "",
) -> ReconciliationView:
    """Accept or dispute lines, or with None leave them to be decided again.

    The lines are those named, or with `undecided_of` every line of an outcome that nobody has decided. A
    dispute says in its note what is wrong. All lines are decided or none.
    """
    policy.require_everywhere(actor, "settlement.issue")
    said = " ".join(note.split())
    if len(said) > MOST_NOTE:
        raise BadDecision((FieldProblem("note", "reconcile.note_too_long", {"most": MOST_NOTE}),))
    if decision is Decision.DISPUTED and not said:
        raise BadDecision((FieldProblem("note", "reconcile.note_missing"),))
    with transaction() as conn:
        current = _locked(conn, actor, reconciliation_id, expected_version, command_id)
        if current.command_id == command_id:
            return current
        if current.state is ReconciliationState.CLOSED:
            raise ReconciliationClosed()
        where = [_LINES.c.reconciliation_id == reconciliation_id]
        if undecided_of is not None:
            where += [_LINES.c.outcome == undecided_of, _LINES.c.decision.is_(None)]
        else:
            where.append(_LINES.c.id.in_(line_ids))
        is_set = decision is not None
        changed = conn.execute(
            sa.update(_LINES)
            .where(*where)
            .values(
                decision=decision,
                note=said,
                decided_at=at if is_set else None,
                decided_by=actor.label if is_set else None,
            )
        ).rowcount
        if changed == 0 or (undecided_of is None and changed != len(set(line_ids))):
            raise BadDecision((FieldProblem("", "reconcile.no_such_line"),))
        _moved(conn, reconciliation_id, command_id, {})
        what = decision.value if decision is not None else "undecided"
        named = {"outcome": undecided_of.value} if undecided_of is not None else {"line_ids": list(line_ids)}
        _record(
            conn,
            actor,
            at,
            what,
            reconciliation_id,
            command_id,
            {"lines": changed, "note": said, **named},
        )
        return view(conn, actor.org_id, reconciliation_id)


@retried
def close(
    *, actor: Actor, at: datetime, reconciliation_id: int, expected_version: int, command_id: str
) -> ReconciliationView:
    """Say that every line is decided; from then on none changes."""
    policy.require_everywhere(actor, "settlement.issue")
    with transaction() as conn:
        current = _locked(conn, actor, reconciliation_id, expected_version, command_id)
        if current.command_id == command_id:
            return current
        if current.state is ReconciliationState.CLOSED:
            raise ReconciliationClosed()
        undecided = conn.execute(
            sa.select(sa.func.count()).where(
                _LINES.c.reconciliation_id == reconciliation_id, _LINES.c.decision.is_(None)
            )
        ).scalar_one()
        if undecided:
            raise NotAllDecided(n=undecided)
        values = {"state": ReconciliationState.CLOSED, "closed_at": at, "closed_by": actor.label}
        _moved(conn, reconciliation_id, command_id, values)
        _record(conn, actor, at, "closed", reconciliation_id, command_id, {})
        return view(conn, actor.org_id, reconciliation_id)


@retried
def reopen(
    *,
    actor: Actor,
    at: datetime,
    reconciliation_id: int,
    expected_version: int,
    reason: str,
    command_id: str,
) -> ReconciliationView:
    """Take decisions again; why is kept in the audit trail."""
    policy.require_everywhere(actor, "settlement.issue")
    why = " ".join(reason.split())
    if not why or len(why) > MOST_NOTE:
        code = "reconcile.note_too_long" if why else "reconcile.reason_missing"
        raise BadDecision((FieldProblem("reason", code, {"most": MOST_NOTE}),))
    with transaction() as conn:
        current = _locked(conn, actor, reconciliation_id, expected_version, command_id)
        if current.command_id == command_id:
            return current
        if current.state is ReconciliationState.OPEN:
            raise ReconciliationOpen()
        values = {"state": ReconciliationState.OPEN, "closed_at": None, "closed_by": None}
        _moved(conn, reconciliation_id, command_id, values)
        _record(conn, actor, at, "reopened", reconciliation_id, command_id, {"reason": why})
        return view(conn, actor.org_id, reconciliation_id)


def view(conn: Connection, org_id: int, reconciliation_id: int, *, lock: bool = False) -> ReconciliationView:
    query = columns().where(_RECONCILIATIONS.c.id == reconciliation_id, _RECONCILIATIONS.c.org_id == org_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise ReconciliationNotFound()
    return ReconciliationView(*row)


def columns() -> sa.Select[Any]:
    """The query whose rows are the fields of `ReconciliationView`."""
    return sa.select(*(_RECONCILIATIONS.c[name] for name in ReconciliationView.__dataclass_fields__))


def party_of(reconciliation: ReconciliationView) -> Party:
    if reconciliation.vendor_id is not None:
        return Party(OwnerKind.VENDOR, reconciliation.vendor_id)
    return Party(OwnerKind.TECHNICIAN, reconciliation.technician_id or 0)


def tolerance_json(tolerance: Tolerance) -> dict[str, Any]:
    percent = tolerance.percent
    return {
        "absolute_minor": tolerance.absolute_minor,
        "percent": None if percent is None else format(percent, "f"),
    }


def _currency(actor: Actor) -> str:
    policy.require_everywhere(actor, "settlement.issue")
    with reading() as conn:
        return read_head(conn, actor.org_id).currency


def _locked(
    conn: Connection, actor: Actor, reconciliation_id: int, expected_version: int, command_id: str
) -> ReconciliationView:
    current = view(conn, actor.org_id, reconciliation_id, lock=True)
    if current.command_id != command_id and current.version != expected_version:
        raise StaleReconciliation()
    return current


def _moved(conn: Connection, reconciliation_id: int, command_id: str, values: Mapping[str, Any]) -> None:
    conn.execute(
        sa.update(_RECONCILIATIONS)
        .where(_RECONCILIATIONS.c.id == reconciliation_id)
        .values(**values, command_id=command_id, version=_RECONCILIATIONS.c.version + 1)
    )


def _record(
    conn: Connection,
    actor: Actor,
    at: datetime,
    what: str,
    reconciliation_id: int,
    command_id: str,
    payload: Mapping[str, Any],
) -> None:
    audit.record(
        conn,
        at=at,
        actor=actor,
        action=f"reconciliation.{what}",
        subject=f"reconciliation:{reconciliation_id}",
        payload=payload,
        command_id=command_id,
    )


def _kept(
    pair: Pair,
    ours: Mapping[int, OurLine],
    position: int,
    reconciliation_id: int,
    actor: Actor,
    at: datetime,
) -> dict[str, Any]:
    mine, theirs = pair.ours, pair.theirs
    is_agreed = pair.outcome in _AGREED
    return {
        "reconciliation_id": reconciliation_id,
        "position": position,
        "outcome": pair.outcome,
        "ticket_id": None if mine is None else ours[mine.id].ticket_id,
        "our_posting_id": None if mine is None else mine.id,
        "our_ticket_no": None if mine is None else mine.ticket_no,
        "our_amount_minor": None if mine is None else mine.amount_minor,
        "our_day": None if mine is None else mine.on,
        "their_row": None if theirs is None else theirs.id,
        "their_ticket_no": None if theirs is None else theirs.ticket_no,
        "their_amount_minor": None if theirs is None else theirs.amount_minor,
        "their_day": None if theirs is None else theirs.on,
        "decision": Decision.ACCEPTED if is_agreed else None,
        "note": "",
        "decided_at": at if is_agreed else None,
        "decided_by": actor.label if is_agreed else None,
    }
