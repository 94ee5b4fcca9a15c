"""What this machine can do at all, in the same run: the bare driver, and a bare websocket fan-out."""

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

ROUNDS = 1_000
_ROW = (1, "WO-1", "空调不制冷", "accept", 3, "2026-11-21T02:00:00.000000Z")
_COLUMNS = "org_id INTEGER, no TEXT, title TEXT, stage TEXT, priority INTEGER, opened_at TEXT"


def sqlite_inserts(rows: int) -> float:
    """Transactions a second of so many single-row inserts each, with the console's own settings."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"CREATE TABLE floor (id INTEGER PRIMARY KEY, {_COLUMNS})")

        def once() -> None:
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(rows):
                connection.execute(
                    "INSERT INTO floor (org_id, no, title, stage, priority, opened_at) VALUES (?,?,?,?,?,?)",
                    _ROW,
                )
            connection.execute("COMMIT")

        rate = _per_second(once)
        connection.close()
        return rate


def postgresql_inserts(url: str, rows: int) -> float:
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS floor (id SERIAL PRIMARY KEY, {_COLUMNS})")
        connection.commit()

        def once() -> None:
            for _ in range(rows):
                connection.execute(
                    "INSERT INTO floor (org_id, no, title, stage, priority, opened_at) "
                    "VALUES (%s,%s,%s,%s,%s,%s)",
                    _ROW,
                )
            connection.commit()

        return _per_second(once)


def _per_second(once: Callable[[], None]) -> float:
    once()
    started = time.perf_counter()
    for _ in range(ROUNDS):
        once()
    return ROUNDS / (time.perf_counter() - started)


def fan_out_ms(watchers: int, *, messages: int = 40, size: int = 700) -> float:
    """p95 in ms from sending one message to the last of the watchers holding it, with nothing in between."""
    return asyncio.run(_fan_out(watchers, messages, size))


async def _fan_out(watchers: int, messages: int, size: int) -> float:
    joined: list[ServerConnection] = []
    heard: list[float] = []
    sent = 0.0

    async def stay(connection: ServerConnection) -> None:
        joined.append(connection)
        await connection.wait_closed()

    async with serve(stay, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        clients = [await connect(f"ws://127.0.0.1:{port}", compression=None) for _ in range(watchers)]

        async def listen(client: ClientConnection) -> None:
            while True:
                await client.recv()
                heard.append(time.perf_counter() - sent)

        tasks = [asyncio.create_task(listen(client)) for client in clients]
        while len(joined) < watchers:
            await asyncio.sleep(0.01)
        for number in range(1, messages + 1):
            sent = time.perf_counter()
            for connection in joined:
                await connection.send("x" * size)
            while len(heard) < number * watchers:
                await asyncio.sleep(0.001)
        for client in clients:
            await client.close()
        for task in tasks:
            task.cancel()
    return 1000 * statistics.quantiles(heard, n=20)[18]
