"""The change feed: after a commit, every watcher hears which tickets changed.

Within a process it is a signal between threads and the event loop; between processes on
PostgreSQL it is LISTEN/NOTIFY. A watcher re-reads what changed, so a change that is heard twice,
late, or together with others does no harm.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from ticket_console.kernel import database
from ticket_console.kernel.listening import start_listening

CHANNEL: Final = "ticket_change"
_ORIGIN: Final = f"{os.getpid()}-{os.urandom(4).hex()}"
# NOTIFY takes at most 8,000 bytes; 500 ids of up to 12 digits stay below.
_IDS_PER_MESSAGE: Final = 500
EVERYTHING: Final = frozenset[int]()

log = structlog.get_logger(__name__)


class Subscription:
    """One watcher's place in the feed, tied to the event loop that opened it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed: set[int] = set()
        self._resync = False
        self._ready = asyncio.Event()

    async def changes(self, *, gather_seconds: float = 0.02) -> frozenset[int]:
        """Wait for changes and gather those that follow closely.

        An empty set means "anything may have changed": the connection to the other processes was
        lost meanwhile, and the watcher must read afresh.
        """
        await self._ready.wait()
        await asyncio.sleep(gather_seconds)
        heard, resync = frozenset(self._changed), self._resync
        self._changed.clear()
        self._resync = False
        self._ready.clear()
        return EVERYTHING if resync else heard

    def _offer(self, ticket_ids: frozenset[int]) -> None:
        if ticket_ids:
            self._changed |= ticket_ids
        else:
            self._resync = True
        self._ready.set()

    def hear(self, ticket_ids: frozenset[int]) -> None:
        # The loop may have been closed between the change and the call; its watcher is gone then.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._offer, ticket_ids)


_subscriptions: list[Subscription] = []
_lock = threading.Lock()
_listener: threading.Thread | None = None


def subscribe() -> Subscription:
    subscription = Subscription()
    with _lock:
        _subscriptions.append(subscription)
    if not database.is_sqlite():
        _start_listening()
    return subscription


def unsubscribe(subscription: Subscription) -> None:
    with _lock, suppress(ValueError):
        _subscriptions.remove(subscription)


def publish(connection: Connection, ticket_ids: Iterable[int]) -> None:
    """Announce changed tickets once this transaction is durable, here and in other processes."""
    ids = sorted(set(ticket_ids))
    if not ids:
        return
    if connection.dialect.name == "postgresql":
        for start in range(0, len(ids), _IDS_PER_MESSAGE):
            message = f"{_ORIGIN}:{','.join(map(str, ids[start : start + _IDS_PER_MESSAGE]))}"
            connection.execute(_NOTIFY, {"channel": CHANNEL, "message": message})
    database.run_after_commit(connection, _tell_later(frozenset(ids)))


_NOTIFY: Final = sa.text("SELECT pg_notify(:channel, :message)")


def _tell_later(ids: frozenset[int]) -> Callable[[], None]:
    return lambda: _tell(ids)


def _tell(ids: frozenset[int]) -> None:
    with _lock:
        listeners = tuple(_subscriptions)
    for subscription in listeners:
        subscription.hear(ids)


def _start_listening() -> None:
    global _listener
    with _lock:
        if _listener is None:
            # What was said while nobody listened is unknown, so everybody reads afresh.
            _listener = start_listening(CHANNEL, _hear, begun=lambda: _tell(EVERYTHING))


def _hear(message: str) -> None:
    origin, _, ids = message.partition(":")
    if origin == _ORIGIN:
        return
    try:
        changed = frozenset(map(int, ids.split(",")))
    except ValueError:
        # Said by something that is not this console, or by another version of it.
        log.warning("feed.not_understood", message=message[:80])
        changed = EVERYTHING
    _tell(changed)
