"""`python -m benchmarks.board`: the board by every grouping, and the truth before a drop, on a full house.

Over HTTP the whole board is asked, as a browser is given it at first. Beside it, in one process and on
the same database, what one held card costs.
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import sqlalchemy as sa

from benchmarks.__main__ import _address, _fresh
from benchmarks.console import Console, console
from benchmarks.load import Call, run

GROUPINGS: tuple[dict[str, str], ...] = (
    {},
    {"by": "person"},
    {"by": "territory"},
    {"by": "due"},
    {"rows": "priority"},
    {"rows": "region"},
    {"rows": "template"},
    {"rows": "assignee"},
    {"by": "person", "rows": "priority"},
    {"vip": "true"},
    {"late": "true"},
    {"search": "空调"},
    {"search": "没有这样的字"},
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.board", description=__doc__)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--size", type=int, default=100_000, help="tickets present")
    parser.add_argument("--calls", type=int, default=60, help="calls per grouping")
    asked = parser.parse_args()
    for kind in asked.databases:
        with (
            _address(kind) as address,
            console(tickets=asked.size, postgresql=_fresh(address, asked.size)) as running,
        ):
            _say(f"\n{kind}, {asked.size:,} tickets")
            _say(f"{'board':<32} {'p50 ms':>8} {'p95 ms':>8} {'kB':>7} {'failed':>7}")
            for grouping in GROUPINGS:
                _over_http(running, grouping, asked.calls)
            _truth(asked.calls)
    return 0


def _over_http(running: Console, grouping: dict[str, str], count: int) -> None:
    path = f"/api/v1/board?{urlencode(grouping)}"
    calls = [Call("GET", path) for _ in range(count)]
    run(calls[:3], port=running.port, headers=running.as_manager, concurrency=1)
    measured = run(calls, port=running.port, headers=running.as_manager, concurrency=1)
    name = " ".join(f"{key}={value}" for key, value in grouping.items()) or "by=stage"
    _say(
        f"{name:<32} {measured.quantile_ms(0.5):>8.1f} {measured.quantile_ms(0.95):>8.1f} "
        f"{len(measured.answers[0].body) // 1000:>7} {measured.failures:>7}"
    )


def _truth(count: int) -> None:
    """One held card: a verdict for each lane of the board, and for each person the manager may send."""
    from ticket_console.access import actors
    from ticket_console.desk.foretelling import Foretold
    from ticket_console.kernel.database import reading
    from ticket_console.tickets.board import By

    at, times, lanes, people = datetime.now(UTC), [], 0, 0
    with reading() as connection:
        manager_id = connection.execute(
            sa.text("SELECT id FROM user_account WHERE login = 'manager'")
        ).scalar_one()
        viewer = actors.load_actor(connection, manager_id)
        held = list(
            connection.execute(
                sa.text("SELECT id FROM ticket WHERE closed_at IS NULL ORDER BY id DESC LIMIT :most"),
                {"most": count},
            ).scalars()
        )
    for ticket_id in held:
        started = time.perf_counter()
        with reading() as connection:
            foretold = Foretold(connection, viewer, ticket_id, at)
            lanes, people = len(foretold.lanes(By.STAGE)), len(foretold.people())
        times.append(time.perf_counter() - started)
    times.sort()
    _say(
        f"{f'one card, {lanes} lanes, {people} people':<32} {1000 * times[len(times) // 2]:>8.1f} "
        f"{1000 * times[int(len(times) * 0.95)]:>8.1f}"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
