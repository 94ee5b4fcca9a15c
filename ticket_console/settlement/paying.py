"""What becomes of an issued statement: disputed and given back, confirmed, and paid; each step once.

    draft -> issued -> confirmed -> paid
                 \\-> disputed -> issued        while any of its disputes is undecided

A paid statement stays paid: what is disputed later is put right by entries of a later statement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, Forbidden
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import ledger, reach, statements
from ticket_console.settlement.books import lock_head
from ticket_console.settlement.kinds import AccountKind, JournalKind, OwnerKind, StatementState
from ticket_console.settlement.ledger import AccountKey, Entry, Source
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.spans import PayeeAccount
from ticket_console.settlement.statements import StaleStatement, StatementView
from ticket_console.settlement.tables import Period, Posting, Statement, StatementLine

_PERIODS = table(Period)
_POSTINGS = table(Posting)
_STATED = table(StatementLine)
_STATEMENTS = table(Statement)

MOVES: Final[Mapping[StatementState, frozenset[StatementState]]] = {
    StatementState.DRAFT: frozenset({StatementState.ISSUED}),
    StatementState.ISSUED: frozenset({StatementState.CONFIRMED, StatementState.DISPUTED}),
    StatementState.DISPUTED: frozenset({StatementState.ISSUED}),
    StatementState.CONFIRMED: frozenset({StatementState.DISPUTED, StatementState.PAID}),
    StatementState.PAID: frozenset(),
}


class WrongStatementState(Conflict):
    """The statement is not where this step begins; nothing was changed."""

    code = "settlement.statement_state"


@dataclass(frozen=True, slots=True)
class Payable:
    """A confirmed statement that waits for its payment; an amount below zero is to be got back."""

    statement_id: int
    version: int
    payee: Payee
    payee_name: LocalText
    period_id: int
    period_code: str
    number: int
    total_minor: int
    currency: str
    confirmed_at: datetime


def confirm(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    statement_id: int,
    expected_version: int,
    command_id: str,
) -> StatementView:
    """Agree with an issued statement: by the payee, or by finance for them. Repeated, it confirms once."""
    return _move(
        conn, actor, at, statement_id, expected_version, command_id, StatementState.CONFIRMED, _require_own
    )


def pay(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    statement_id: int,
    expected_version: int,
    command_id: str,
) -> StatementView:
    """Post the payment of a confirmed statement: it clears exactly what the statement says, once.

    The entry stands in the period of the day of payment and belongs to no statement. A statement that comes
    to nothing is paid without one.
    """
    return _move(
        conn, actor, at, statement_id, expected_version, command_id, StatementState.PAID, _require_paying
    )


def to_pay(conn: Connection, *, viewer: Actor, period_id: int | None = None) -> tuple[Payable, ...]:
    """The confirmed statements the viewer may read that nobody has paid, by period and payee."""
    query = (
        sa.select(
            _STATEMENTS.c.id,
            _STATEMENTS.c.version,
            _STATEMENTS.c.payee_kind,
            _STATEMENTS.c.payee_id,
            _STATEMENTS.c.payee_name,
            _STATEMENTS.c.period_id,
            _PERIODS.c.code,
            _STATEMENTS.c.number,
            _STATEMENTS.c.total_minor,
            _STATEMENTS.c.currency,
            _STATEMENTS.c.confirmed_at,
        )
        .join(_PERIODS, _PERIODS.c.id == _STATEMENTS.c.period_id)
        .where(
            _STATEMENTS.c.org_id == viewer.org_id,
            _STATEMENTS.c.state == StatementState.CONFIRMED,
            reach.readable_statements(viewer),
        )
        .order_by(_PERIODS.c.code, _STATEMENTS.c.payee_kind, _STATEMENTS.c.payee_id, _STATEMENTS.c.number)
    )
    if period_id is not None:
        query = query.where(_STATEMENTS.c.period_id == period_id)
    return tuple(
        Payable(id, version, Payee(kind, payee_id), *rest)
        for id, version, kind, payee_id, *rest in conn.execute(query)
    )


def stating(conn: Connection, *, journal_id: int, payee: Payee) -> int | None:
    """The statement that tells a payee of an entry, None while no issued one does."""
    return conn.execute(
        sa.select(_STATED.c.statement_id)
        .join(_POSTINGS, _POSTINGS.c.id == _STATED.c.posting_id)
        .join(_STATEMENTS, _STATEMENTS.c.id == _STATED.c.statement_id)
        .where(
            _POSTINGS.c.journal_id == journal_id,
            _STATEMENTS.c.payee_kind == payee.kind,
            _STATEMENTS.c.payee_id == payee.id,
        )
        # An entry that is shared out has several postings, all of them on one statement.
        .limit(1)
    ).scalar_one_or_none()


def begin_dispute(conn: Connection, *, org_id: int, statement_id: int) -> None:
    """A statement that is not paid becomes disputed; its confirmation no longer counts."""
    statement = statements.held(conn, org_id, statement_id)
    if StatementState.DISPUTED in MOVES[statement.state]:
        values = {"state": StatementState.DISPUTED, "confirmed_at": None, "confirmed_by": None}
        statements.update(conn, statement_id, values)


def end_dispute(conn: Connection, *, org_id: int, statement_id: int) -> None:
    """With its last dispute ended a statement waits for its confirmation again."""
    if statements.held(conn, org_id, statement_id).state is StatementState.DISPUTED:
        statements.update(conn, statement_id, {"state": StatementState.ISSUED})


def _move(
    conn: Connection,
    actor: Actor,
    at: datetime,
    statement_id: int,
    expected_version: int,
    command_id: str,
    after: StatementState,
    require: Any,
) -> StatementView:
    # The books are held before any statement, by everybody who holds both.
    lock_head(conn, actor.org_id)
    statement = statements.held(conn, actor.org_id, statement_id)
    account = statements.span_of(conn, actor.org_id, statement).account
    require(actor, account)
    if statement.command_id == command_id and statement.state is after:
        return statement
    if after not in MOVES[statement.state]:
        raise WrongStatementState(
            number=statement.number, state=f"settlement.statement.{statement.state.value}"
        )
    if statement.version != expected_version:
        raise StaleStatement(number=statement.number)
    by = actor.display[:80]
    if after is StatementState.CONFIRMED:
        values: dict[str, Any] = {"confirmed_at": at, "confirmed_by": by}
    else:
        values = {
            "paid_at": at,
            "paid_by": by,
            "payment_journal_id": _post_payment(conn, actor, at, statement, account, command_id),
        }
    statements.update(conn, statement_id, {**values, "state": after, "command_id": command_id})
    audit.record(
        conn,
        at=at,
        actor=actor,
        action=f"statement.{after.value}",
        subject=f"statement:{statement_id}",
        payload={
            "payee_kind": statement.payee_kind.value,
            "payee_id": statement.payee_id,
            "number": statement.number,
        },
        command_id=command_id,
    )
    return statements.held(conn, actor.org_id, statement_id)


def _post_payment(
    conn: Connection,
    actor: Actor,
    at: datetime,
    statement: StatementView,
    account: PayeeAccount,
    command_id: str,
) -> int | None:
    if not statement.total_minor:
        return None
    theirs = AccountKey(statement.payee_kind, statement.payee_id, statement.payee.account_kind)
    bank = AccountKey(OwnerKind.ORG, actor.org_id, AccountKind.BANK)
    ids = ledger.ensure_accounts(
        conn, org_id=actor.org_id, currency=statement.currency, wanted=[theirs, bank]
    )
    cleared = -statement.payee.sign * statement.total_minor
    return ledger.post(
        conn,
        org_id=actor.org_id,
        currency=statement.currency,
        kind=JournalKind.PAYMENT,
        entries=[
            Entry(ids[theirs], cleared, account.region_id),
            Entry(ids[bank], -cleared, account.region_id),
        ],
        source=Source(at=at, service_at=at, posted_by=actor.label, command_id=command_id),
    ).id


def _require_own(actor: Actor, account: PayeeAccount) -> None:
    _require(actor, account, "settlement.respond")


def _require_paying(actor: Actor, account: PayeeAccount) -> None:
    _require(actor, account, "settlement.pay")
    if account.payee.kind is OwnerKind.TECHNICIAN and account.payee.id == actor.technician_id:
        # Whoever owns the account does not also let the money go.
        raise Forbidden(permission="settlement.pay")


def _require(actor: Actor, account: PayeeAccount, permission: str) -> None:
    """Who belongs to no region is answered for by those who may do it everywhere."""
    if account.region_id is None:
        policy.require_everywhere(actor, permission)
        return
    is_own = account.payee.kind is OwnerKind.TECHNICIAN and account.payee.id == actor.technician_id
    policy.require(actor, permission, region_id=account.region_id, is_own=is_own)
