"""What somebody has looked at: kept so that a board can say what is new to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.kernel.database import reading, table, transaction
from ticket_console.tickets.tables import SeenSince, TicketSeen

# Of so many tickets is kept what somebody saw of them; the oldest are forgotten first.
MOST_KEPT: Final = 2_000

_seen = table(TicketSeen)
_since = table(SeenSince)
_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket is unread where it changed after `since` and is newer than in `versions`."""

    since: datetime
    versions: Mapping[int, int]


def seen_by(*, user_id: int, at: datetime) -> Seen:
    """What somebody has seen. Whoever asks for the first time has seen everything up to now."""
    with reading() as connection:
        since = connection.execute(sa.select(_since.c.since).where(_since.c.user_id == user_id)).scalar()
        rows = connection.execute(
            sa.select(_seen.c.ticket_id, _seen.c.version).where(_seen.c.user_id == user_id)
        )
        versions = {row.ticket_id: row.version for row in rows}
    if since is None:
        since = at
        with transaction() as connection:
            insert = _INSERT[connection.dialect.name](_since)
            connection.execute(
                insert.on_conflict_do_nothing(index_elements=["user_id"]), {"user_id": user_id, "since": at}
            )
    return Seen(since, versions)


def saw(*, user_id: int, at: datetime, versions: Mapping[int, int]) -> None:
    """Note what somebody looked at. An older version than the one that is known says nothing."""
    if not versions:
        return
    with transaction() as connection:
        insert = _INSERT[connection.dialect.name](_seen)
        newest = insert.on_conflict_do_update(
            index_elements=["user_id", "ticket_id"],
            set_={"version": insert.excluded.version, "at": insert.excluded.at},
            where=_seen.c.version < insert.excluded.version,
        )
        connection.execute(
            newest,
            [
                {"user_id": user_id, "ticket_id": ticket_id, "version": version, "at": at}
                for ticket_id, version in sorted(versions.items())
            ],
        )
        _forget_oldest(connection, user_id)


def saw_everything(*, user_id: int, at: datetime) -> Seen:
    """From now on only what changes later is new; what was noted one by one need not be kept."""
    with transaction() as connection:
        insert = _INSERT[connection.dialect.name](_since)
        connection.execute(
            insert.on_conflict_do_update(index_elements=["user_id"], set_={"since": insert.excluded.since}),
            {"user_id": user_id, "since": at},
        )
        connection.execute(sa.delete(_seen).where(_seen.c.user_id == user_id))
    return Seen(at, {})


def _forget_oldest(connection: Connection, user_id: int) -> None:
    kept_from = connection.execute(
        sa.select(_seen.c.at)
        .where(_seen.c.user_id == user_id)
        .order_by(_seen.c.at.desc())
        .offset(MOST_KEPT)
        .limit(1)
    ).scalar()
    if kept_from is not None:
        connection.execute(sa.delete(_seen).where(_seen.c.user_id == user_id, _seen.c.at <= kept_from))
