"""Timers: rows that wait for their time, and fire once however many workers look for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.clocks.tables import Timer, TimerState
from ticket_console.kernel import ids
from ticket_console.kernel.database import table
from ticket_console.tickets.tables import Ticket, TokenRow

_timers = table(Timer)
_tickets, _tokens = table(Ticket), table(TokenRow)
# What the column of lateness holds; a timer found after more than three weeks was that late at least.
_LATEST_MS: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer whose time has come."""

    timer_id: int
    org_id: int
    ticket_id: int
    token_id: int
    kind: str
    due_at: datetime


_ARMED: Final = _timers.c.state == TimerState.ARMED
_DUE: Final = (
    sa.select(
        _timers.c.id,
        _tickets.c.org_id,
        _timers.c.ticket_id,
        _timers.c.token_id,
        _timers.c.kind,
        _timers.c.due_at,
    )
    .join(_tickets, _tickets.c.id == _timers.c.ticket_id)
    .where(_ARMED, _timers.c.due_at <= sa.bindparam("at"))
    .order_by(_timers.c.due_at, _timers.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_CANCEL: Final = (
    sa.update(_timers)
    .where(_timers.c.token_id.in_(sa.bindparam("tokens", expanding=True)), _ARMED)
    .values(state=TimerState.CANCELLED)
)
_CANCEL_KINDS: Final = _CANCEL.where(_timers.c.kind.in_(sa.bindparam("kinds", expanding=True)))
_CLAIM: Final = (
    sa.select(_timers.c.due_at)
    .where(_timers.c.id == sa.bindparam("timer_id"), _ARMED)
    .with_for_update(skip_locked=True)
)
_FIRE: Final = (
    sa.update(_timers)
    .where(_timers.c.id == sa.bindparam("b_id"), _ARMED)
    .values(
        state=TimerState.FIRED,
        fired_at=sa.bindparam("b_fired_at"),
        late_ms=sa.bindparam("b_late_ms"),
    )
)
_POSTPONE: Final = (
    sa.update(_timers)
    .where(_timers.c.id == sa.bindparam("b_id"), _ARMED)
    .values(due_at=sa.bindparam("b_due_at"))
)
_OLDEST: Final = sa.select(sa.func.min(_timers.c.due_at)).where(_ARMED)


_FACT: Final = sa.select(_timers.c.fact_key).where(_timers.c.id == sa.bindparam("timer_id"))


def fact_of_node(token_id: int) -> str:
    """What names the wait of a token at a timer node."""
    return f"node:{token_id}"


def fact_of_edge(token_id: int, edge_key: str) -> str:
    """What names the wait of a token for one of its timeout edges."""
    return f"edge:{token_id}:{edge_key}"


def fact_of_target(kind: str, token_id: int) -> str:
    """What names the moment by which somebody should have acted on a token."""
    return f"{kind}:{token_id}"


def meaning_of(connection: Connection, timer_id: int) -> tuple[str, str | None]:
    """What a timer is there for, by the first word of its fact, and the timeout edge it leads along."""
    kind, _, rest = str(connection.execute(_FACT, {"timer_id": timer_id}).scalar_one()).partition(":")
    return kind, rest.partition(":")[2] or None


def _arming(insert: Any) -> Any:
    # PostgreSQL's count of inserted rows is thrown away unless it is asked for.
    once = insert(_timers).on_conflict_do_nothing(index_elements=["fact_key"])
    return once.execution_options(preserve_rowcount=True)


_ARM: Final = {"sqlite": _arming(sqlite.insert), "postgresql": _arming(postgresql.insert)}


def arm(
    connection: Connection,
    *,
    fact_key: str,
    kind: str,
    ticket_id: int,
    token_id: int,
    due_at: datetime,
) -> bool:
    """Have something happen at `due_at`; false when a timer for this very fact was armed before."""
    row = {
        "id": ids.take("row"),
        "fact_key": fact_key,
        "kind": kind,
        "ticket_id": ticket_id,
        "token_id": token_id,
        "due_at": due_at,
        "state": TimerState.ARMED,
    }
    return bool(connection.execute(_ARM[connection.dialect.name], row).rowcount == 1)


def cancel_for_tokens(connection: Connection, token_ids: Collection[int]) -> int:
    """Cancel what is armed for tokens that leave; returns how many timers that were."""
    if not token_ids:
        return 0
    return connection.execute(_CANCEL, {"tokens": sorted(token_ids)}).rowcount


def cancel_kinds(connection: Connection, token_ids: Collection[int], kinds: Collection[str]) -> None:
    """Cancel what of these kinds is armed for tokens that stay."""
    connection.execute(_CANCEL_KINDS, {"tokens": sorted(token_ids), "kinds": sorted(kinds)})


def due(connection: Connection, *, at: datetime, limit: int = 100) -> tuple[DueTimer, ...]:
    """The armed timers whose time has come, the longest overdue first.

    Nothing is claimed by looking. Each timer is fired in a transaction of its own, together with
    what it causes, by `mark_fired`: of several workers one wins, and a crash leaves it armed.
    """
    rows = connection.execute(_DUE, {"at": at, "most": limit})
    return tuple(DueTimer(*row) for row in rows)


def mark_fired(connection: Connection, *, timer_id: int, at: datetime) -> bool:
    """Claim a timer for this transaction; false when it is another's, or fired or cancelled already.

    On PostgreSQL a timer that another worker is firing at this moment is passed over, not waited for.
    """
    due_at = connection.execute(_CLAIM, {"timer_id": timer_id}).scalar()
    if due_at is None:
        return False
    late_ms = max(0, (at - due_at) // timedelta(milliseconds=1))
    fired = connection.execute(
        _FIRE, {"b_id": timer_id, "b_fired_at": at, "b_late_ms": min(late_ms, _LATEST_MS)}
    )
    return fired.rowcount == 1


def postpone(connection: Connection, *, timer_id: int, until: datetime) -> None:
    """Put off a timer whose work failed, so that it does not hold up the ones behind it."""
    connection.execute(_POSTPONE, {"b_id": timer_id, "b_due_at": until})


def armed_by_node(connection: Connection, tokens: sa.Select[int]) -> Mapping[str, int]:
    """How many timers wait for these tokens, by the node they stand on."""
    query = (
        sa.select(_tokens.c.node_key, sa.func.count())
        .join(_timers, _timers.c.token_id == _tokens.c.id)
        .where(_ARMED, _tokens.c.id.in_(tokens))
        .group_by(_tokens.c.node_key)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def lag(connection: Connection, *, at: datetime) -> timedelta:
    """How late the oldest armed timer is; none while everything fires in time."""
    oldest = connection.execute(_OLDEST).scalar()
    return max(timedelta(0), at - oldest) if oldest is not None else timedelta(0)
