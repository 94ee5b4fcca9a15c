"""Hearing what the other processes say on a channel of PostgreSQL (LISTEN/NOTIFY)."""

import threading
from collections.abc import Callable
from typing import Any, Final

import psycopg
import sqlalchemy as sa
import structlog

from ticket_console.kernel import database

log = structlog.get_logger(__name__)

# Nothing is ever sent on the connection, so only these tell that the other end is gone.
_KEEP_ALIVE: Final[dict[str, Any]] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def start_listening(
    channel: str, hear: Callable[[str], None], *, begun: Callable[[], None] | None = None
) -> threading.Thread:
    """Have `hear` called with every message, in a thread that lasts as long as the process.

    What is said while the connection is lost is not heard; `begun` is called whenever there is one (again).
    """
    thread = threading.Thread(target=_listen, args=(channel, hear, begun), name=channel, daemon=True)
    thread.start()
    return thread


def _listen(channel: str, hear: Callable[[str], None], begun: Callable[[], None] | None) -> None:
    pause = threading.Event()
    while True:
        try:
            conninfo = sa.make_url(database.database_url()).set(drivername="postgresql")
            with psycopg.connect(
                conninfo.render_as_string(hide_password=False), autocommit=True, **_KEEP_ALIVE
            ) as connection:
                connection.execute(f"LISTEN {channel}")
                if begun is not None:
                    begun()
                for notice in connection.notifies():
                    hear(notice.payload)
        except psycopg.Error as failure:
            log.warning("listening.lost", channel=channel, error=str(failure))
            pause.wait(1.0)
