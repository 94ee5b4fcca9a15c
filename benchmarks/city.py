"""A city's real requests, so many times faster: `python -m benchmarks.city`.

Rows of Boston's 311 export (in `DISPATCH_DATA`, default `../shared/data`) come in through the HTTP API at
the distances of their times, on a database of its own with 40 technicians for the city, while a board is
being watched. Told are the time from a request's arrival to its technician, as the tickets and as the sender
see it, how late the watched board heard, what share of their room the technicians have filled at the end, and
how many requests are past their due time then. Nobody finishes anything: who is full is full.

Who is found while a request is opened is found in the same transaction and has the same time; what that
really took is what the sender waited. Due times run at the clock's own speed: a replay this fast reaches few.
"""

import argparse
import asyncio
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from benchmarks.console import Console, console
from benchmarks.watching import Watched, watch
from tools.replay import Line, Outcome, read_lines, replay

TARGET_SECONDS = 5.0
_ROOM = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says afterwards."""

    opened: int
    assigned_seconds: tuple[float, ...]
    people: int
    at_work: int
    open_tasks: int
    overdue: int


def main() -> int:
    asked = _arguments()
    path = Path(asked.data) / "boston311" / "requests.csv.gz"
    if not path.is_file():
        print(f"No requests in {path}; set DISPATCH_DATA.", file=sys.stderr)
        return 2
    lines = sorted(
        (line for line in read_lines(path) if line.opened_at is not None),
        key=lambda line: (line.opened_at, line.number),
    )[asked.skip : asked.skip + asked.requests]
    with console(tickets=0) as running:
        people = _staff(running, asked.technicians)
        sent, outcomes, watched, seconds = _replay(running, lines, asked.speed)
        found = _standing(running, people)
    return _tell(asked, lines, outcomes, sent, watched, seconds, found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.city", description=__doc__)
    parser.add_argument("--data", default=os.environ.get("DISPATCH_DATA", "../shared/data"))
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--skip", type=int, default=0, help="rows of the file that are left out first")
    parser.add_argument("--speed", type=float, default=100, help="0: as fast as they are taken")
    parser.add_argument("--technicians", type=int, default=40)
    return parser.parse_args()


def _staff(running: Console, wanted: int) -> list[int]:
    """The city's own technicians and as many more as are wanted, each with room for a day's work."""
    from ticket_console.access.tables import Region
    from ticket_console.demo.company import MUNICIPAL
    from ticket_console.demo.places import BOSTON
    from ticket_console.kernel.actor import system_actor
    from ticket_console.kernel.database import table, transaction
    from ticket_console.people import hiring
    from ticket_console.people.tables import Technician

    at = datetime.now(UTC)
    people, regions = table(Technician), table(Region)
    with transaction() as connection:
        city = connection.execute(sa.select(regions).where(regions.c.code == BOSTON.code)).one()
        actor = system_actor(city.org_id)
        own = sa.select(people.c.id, people.c.lat, people.c.lon).where(people.c.region_id == city.id)
        there = connection.execute(own.order_by(people.c.id)).all()
        ids = [row.id for row in there]
        for number in range(wanted - len(there)):
            home = there[number % len(there)]
            new = hiring.NewTechnician(
                name=f"More hands {number + 1}", region_id=city.id, lat=home.lat, lon=home.lon
            )
            told: dict[str, Any] = {"actor": actor, "at": at, "command_id": f"city:{number}"}
            hired = hiring.hire(connection, **told, new=new)
            hiring.certify(
                connection,
                **told,
                technician_id=hired,
                skill=MUNICIPAL,
                level=2,
                valid_from=at.date() - timedelta(days=1),
            )
            ids.append(hired)
        for technician_id in ids:
            hiring.write_technician(connection, technician_id, capacity=_ROOM)
    return ids


def _replay(
    running: Console, lines: Sequence[Line], speed: float
) -> tuple[list[float], list[Outcome], Watched, float]:
    """The requests from this thread, the watched board in another; how long each request took."""
    took: list[float] = []
    heard: list[Watched] = []

    def look() -> None:
        heard.append(watch(running, watchers=1, changes=20, per_second=0.5))

    async def send() -> list[Outcome]:
        async def began(request: httpx.Request) -> None:
            request.extensions["began"] = time.perf_counter()

        async def ended(response: httpx.Response) -> None:
            took.append(time.perf_counter() - response.request.extensions["began"])

        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{running.port}",
            headers=running.as_channel,
            timeout=60,
            event_hooks={"request": [began], "response": [ended]},
        ) as client:
            return await replay(lines, client=client, file_hash=f"city{time.time_ns()}", speed=speed)

    watcher = threading.Thread(target=look)
    started = time.perf_counter()
    watcher.start()
    outcomes = asyncio.run(send())
    seconds = time.perf_counter() - started
    watcher.join()
    return took, outcomes, heard[0], seconds


def _standing(running: Console, people: Sequence[int]) -> Standing:
    from ticket_console.dispatch.tables import TechnicianLoad
    from ticket_console.kernel.database import reading, table
    from ticket_console.tickets.tables import Ticket

    tickets, loads = table(Ticket), table(TechnicianLoad)
    at = datetime.now(UTC)
    with reading() as connection:
        rows = connection.execute(
            sa.select(tickets.c.opened_at, tickets.c.assigned_at, tickets.c.due_at).where(
                tickets.c.source == "boston311"
            )
        ).all()
        open_counts = connection.execute(
            sa.select(loads.c.open_count).where(loads.c.technician_id.in_(people), loads.c.open_count > 0)
        ).scalars()
        open_tasks = list(open_counts)
    return Standing(
        opened=len(rows),
        assigned_seconds=tuple(
            (row.assigned_at - row.opened_at).total_seconds() for row in rows if row.assigned_at is not None
        ),
        people=len(people),
        at_work=len(open_tasks),
        open_tasks=sum(open_tasks),
        overdue=sum(row.due_at is not None and row.due_at < at for row in rows),
    )


def _tell(
    asked: argparse.Namespace,
    lines: Sequence[Line],
    outcomes: Sequence[Outcome],
    sent: Sequence[float],
    watched: Watched,
    seconds: float,
    found: Standing,
) -> int:
    states = dict.fromkeys(("opened", "repeated", "duplicate", "rejected", "unsent"), 0)
    for outcome in outcomes:
        states[outcome.state] += 1
    how = f"{asked.speed:g}x" if asked.speed else "as fast as they are taken"
    print(f"{len(lines)} requests, {how}, {seconds:.1f} s: {len(lines) / seconds:.1f} per s")
    print(", ".join(f"{count} {state}" for state, count in states.items()))
    waiting = found.opened - len(found.assigned_seconds)
    print(
        f"opened to assigned   {_quantiles(found.assigned_seconds)}; {waiting} of {found.opened} wait"
        f"\nasked to answered    {_quantiles(sent)}"
        f"\nboard told, 1 watcher {_quantiles(watched.seconds)}, {len(watched.seconds)} of "
        f"{watched.expected} changes seen"
        f"\nutilisation          {found.at_work} of {found.people} technicians have work, "
        f"{found.open_tasks} of {found.people * _ROOM} places taken "
        f"({100 * found.open_tasks / (found.people * _ROOM):.0f} %)"
        f"\nbreaches             {found.overdue} of {found.opened} past their due time"
    )
    worst = max(_quantile(found.assigned_seconds, 0.99), _quantile(sent, 0.99))
    return 0 if states["unsent"] == 0 and found.assigned_seconds and worst <= TARGET_SECONDS else 1


def _quantiles(seconds: Sequence[float]) -> str:
    return ", ".join(
        f"p{share * 100:.0f} {_quantile(seconds, share) * 1000:,.0f} ms" for share in (0.5, 0.95, 0.99)
    )


def _quantile(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


if __name__ == "__main__":
    sys.exit(main())
