"""Small messages by topic, to every process of the console: "this draft changed", "Li has this flow open".

Nothing is kept: who does not listen at the moment misses it, so a message says that something is worth a look
or what will be said again soon. Between processes on PostgreSQL it is LISTEN/NOTIFY.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from ticket_console.kernel import database
from ticket_console.kernel.listening import start_listening

CHANNEL: Final = "console_signal"
# NOTIFY takes 8,000 bytes at most; what is larger is heard in this process alone.
MAX_BYTES: Final = 7_500
_ORIGIN: Final = f"{os.getpid()}-{os.urandom(4).hex()}"
_NOTIFY: Final = sa.text("SELECT pg_notify(:channel, :message)")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Signal:
    """`topic` is a path such as "draft.flow.repair"; whoever listens to "draft." hears it too."""

    topic: str
    body: Mapping[str, Any]


Hear = Callable[[Signal], None]

_listeners: dict[object, tuple[str, Hear]] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None


def listen(topic: str, hear: Hear) -> Callable[[], None]:
    """Have `hear` called, from any thread, with signals whose topic begins so; returns how to end it."""
    place = object()
    with _lock:
        _listeners[place] = (topic, hear)
    if not database.is_sqlite():
        _start_listening()

    def end() -> None:
        with _lock:
            _listeners.pop(place, None)

    return end


class Listening:
    """Signals of some topics for one coroutine: `async for signal in listening`, until `close`."""

    def __init__(self, *topics: str) -> None:
        loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Signal | None] = asyncio.Queue()

        def hear(signal: Signal) -> None:
            # The loop may be closed by now; its coroutine is gone then.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._queue.put_nowait, signal)

        self._ends = [listen(topic, hear) for topic in topics]

    def __aiter__(self) -> "Listening":
        return self

    async def __anext__(self) -> Signal:
        signal = await self._queue.get()
        if signal is None:
            raise StopAsyncIteration
        return signal

    def close(self) -> None:
        for end in self._ends:
            end()
        self._queue.put_nowait(None)


def announce(connection: Connection, topic: str, body: Mapping[str, Any]) -> None:
    """Say something once this transaction is durable, here and in the other processes."""
    if connection.dialect.name == "postgresql":
        message = _message(topic, body)
        if message is not None:
            connection.execute(_NOTIFY, {"channel": CHANNEL, "message": message})
    signal = Signal(topic, dict(body))
    database.run_after_commit(connection, lambda: _tell(signal))


def say(topic: str, body: Mapping[str, Any]) -> None:
    """Say something at once, without a transaction; on PostgreSQL it takes a round trip."""
    if not database.is_sqlite():
        message = _message(topic, body)
        if message is not None:
            with database.writing() as connection, connection.begin():
                connection.execute(_NOTIFY, {"channel": CHANNEL, "message": message})
    _tell(Signal(topic, dict(body)))


def _message(topic: str, body: Mapping[str, Any]) -> str | None:
    message = orjson.dumps([_ORIGIN, topic, dict(body)])
    if len(message) > MAX_BYTES:
        log.warning("signals.too_large", topic=topic, size=len(message))
        return None
    return message.decode()


def _tell(signal: Signal) -> None:
    with _lock:
        hearing = [hear for topic, hear in _listeners.values() if signal.topic.startswith(topic)]
    for hear in hearing:
        try:
            hear(signal)
        except Exception as failure:
            # The others want to hear it, too, and the thread that listens must go on.
            log.error("signals.listener_failed", topic=signal.topic, exc_info=failure)


def _start_listening() -> None:
    global _thread
    with _lock:
        if _thread is None:
            _thread = start_listening(CHANNEL, _hear)


def _hear(message: str) -> None:
    try:
        origin, topic, body = orjson.loads(message)
    except (ValueError, TypeError):
        # Said by something that is not this console, or by another version of it.
        log.warning("signals.not_understood", message=message[:80])
        return
    if origin != _ORIGIN:
        _tell(Signal(topic, body))
