"""Boards that are being watched: how long after a change does every one of them hear of it."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from uuid import uuid4

import socketio

from benchmarks.console import Console
from ticket_console.state.board import BoardState

_EVENT = f"{BoardState.get_full_name()}.watch"
_FEED = f"{BoardState.get_full_name()}"
_SETTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Watched:
    """Latencies from just before the change was asked for to the moment a watcher held it."""

    watchers: int
    expected: int
    seconds: tuple[float, ...]

    def quantile_ms(self, share: float) -> float:
        times = sorted(self.seconds)
        return 1000 * times[min(len(times) - 1, int(len(times) * share))]


def watch(console: Console, *, watchers: int, changes: int, per_second: float) -> Watched:
    return asyncio.run(_watch(console, watchers, changes, per_second))


async def _watch(console: Console, watchers: int, changes: int, per_second: float) -> Watched:
    asked: dict[str, float] = {}
    heard: list[float] = []
    ready = asyncio.Semaphore(0)

    async def open_board() -> socketio.AsyncClient:
        client = socketio.AsyncClient(reconnection=False)
        token = str(uuid4())

        def on_event(update: object, *_: object) -> None:
            now = time.perf_counter()
            plain = json.loads(update) if isinstance(update, str) else update
            feed = _feed_of(plain)
            if feed is None:
                return
            if feed["kind"] == "snapshot":
                ready.release()
            titles = (card["title"] for card in feed.get("cards", ()))
            heard.extend(now - asked[title] for title in titles if title in asked)

        client.on("event", on_event, namespace="/_event")
        await client.connect(
            f"http://127.0.0.1:{console.port}?token={token}",
            headers=console.as_manager,
            transports=["websocket"],
            socketio_path="/_event",
            namespaces=["/_event"],
        )
        router = {"pathname": "/board", "asPath": "/board", "query": {}}
        await client.emit(
            "event",
            {"name": _EVENT, "payload": {}, "router_data": router, "token": token},
            namespace="/_event",
        )
        return client

    clients = [await open_board() for _ in range(watchers)]
    async with asyncio.timeout(_SETTLE_SECONDS):
        for _ in range(watchers):
            await ready.acquire()
    reader, writer = await asyncio.open_connection("127.0.0.1", console.port)
    for number in range(changes):
        title = f"watched {number} {uuid4()}"
        body = json.dumps(
            {"external_id": title, "title": title, "template": "repair", "values": {"category": "hvac"}}
        ).encode()
        asked[title] = time.perf_counter()
        writer.write(
            f"POST /api/v1/intake/api HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {console.intake_token}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        await asyncio.sleep(1 / per_second)
    expected = watchers * changes
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while len(heard) < expected:
                await asyncio.sleep(0.05)
    writer.close()
    for client in clients:
        await client.disconnect()
    return Watched(watchers, expected, tuple(heard))


def _feed_of(update: object) -> dict[str, object] | None:
    if not isinstance(update, dict):
        return None
    for state, delta in (update.get("delta") or {}).items():
        if state == _FEED:
            for name, value in delta.items():
                if name.startswith("feed") and isinstance(value, dict) and value.get("kind"):
                    return value
    return None
