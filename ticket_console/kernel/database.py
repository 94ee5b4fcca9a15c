"""The database: its engine, its column types, and the one way to commit."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial, wraps
from pathlib import Path
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel

from ticket_console.kernel.canonical import canonical_json, parse_json
from ticket_console.kernel.condition_sql import SQLITE_FUNCTIONS
from ticket_console.kernel.settings import settings

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

log = structlog.get_logger(__name__)

READERS = 8
WRITERS = 8


class EnumText(sa.types.TypeDecorator[E], Generic[E]):
    """A StrEnum kept as its value in a text column, so that adding a member needs no migration."""

    impl = sa.String
    cache_ok = True

    def __init__(self, kind: type[E], length: int = 32) -> None:
        self.kind = kind
        super().__init__(length)

    def process_bind_param(self, value: E | str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(self.kind(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return None if value is None else self.kind(value)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An instant: aware going in, aware and in UTC coming out, on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must carry its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(sa.types.TypeDecorator[Any]):
    """A JSON value in its canonical spelling, as text on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else parse_json(value)


def table(model: type[SQLModel]) -> sa.Table:
    """The Core table behind a model; all statements of the console are written on it."""
    return cast(sa.Table, model.__table__)  # type: ignore[attr-defined]


class _Database:
    """An engine and the thread pools that may block on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        # SQLite has one writer. Waiting in our own queue is fair and costs nothing; waiting in
        # SQLite's busy handler sleeps and starves. PostgreSQL needs no such gate.
        self.write_gate = threading.Lock() if self.is_sqlite else None
        self.readers = ThreadPoolExecutor(READERS, "console-read")
        self.writers = ThreadPoolExecutor(1 if self.is_sqlite else WRITERS, "console-write")

    def close(self) -> None:
        self.readers.shutdown(wait=True)
        self.writers.shutdown(wait=True)
        self.engine.dispose()


_current: _Database | None = None
_opening = threading.Lock()


def _database() -> _Database:
    global _current
    if _current is None:
        with _opening:
            if _current is None:
                _current = _Database(settings().database_url)
    return _current


def use_url(url: str) -> None:
    """Point the process at another database, closing the one it had (tests, tools)."""
    global _current
    with _opening:
        if _current is not None:
            _current.close()
        _current = _Database(url)


def engine() -> Engine:
    return _database().engine


def database_url() -> str:
    return _database().url


def is_sqlite() -> bool:
    return _database().is_sqlite


def _sqlite_engine(url: str) -> Engine:
    path = url.partition(":///")[2]
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    made = sa.create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": 30, "cached_statements": 512},
        # The connection used last is taken first: SQLite drops a connection's whole page cache
        # when another one has written, so taking turns would start cold every time.
        pool_use_lifo=True,
        pool_size=READERS + 4,
        max_overflow=16,
        query_cache_size=1500,
        # What people wrote and what they earn stays out of the logs.
        hide_parameters=True,
    )

    @sa.event.listens_for(made, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver must not open transactions by itself: `begin` below says which kind.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "busy_timeout=30000",
            "foreign_keys=ON",
            "cache_size=-16000",
            # A checkpoint waits for the disk: every 32 MB of log instead of every 4.
            "wal_autocheckpoint=8000",
            "mmap_size=67108864",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        for name, function in SQLITE_FUNCTIONS.items():
            connection.create_function(name, 1, function, deterministic=True)

    @sa.event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could fail to upgrade its lock, so
        # writers take it at once.
        statement = "BEGIN IMMEDIATE" if "console_writes" in connection.get_execution_options() else "BEGIN"
        # Past SQLAlchemy, whose way of running a statement takes longer than this one.
        try:
            connection.connection.driver_connection.execute(statement)  # type: ignore[union-attr]
        except sqlite3.Error as failure:
            raise sa.exc.OperationalError(statement, None, failure) from failure

    return made


def _postgresql_engine(url: str) -> Engine:
    return sa.create_engine(
        url,
        pool_size=READERS + WRITERS,
        max_overflow=8,
        pool_pre_ping=False,
        query_cache_size=1500,
        hide_parameters=True,
    )


class _Thread(threading.local):
    writes = False


_this_thread = _Thread()


@contextmanager
def transaction(*, reserve: Mapping[str, int] | None = None) -> Iterator[Connection]:
    """One unit of work: committed when the block ends, rolled back with everything when it raises.

    It is the only place that commits, and it does not nest. `reserve` asks for more ids than a
    single command needs (`kernel.ids`), for bulk work.
    """
    from ticket_console.kernel import ids

    if _this_thread.writes:
        # On SQLite it would wait for itself for ever.
        raise RuntimeError("a transaction does not nest")
    after: list[Callable[[], None]] = []
    _this_thread.writes = True
    try:
        with ids.reserved(reserve or {}), writing() as connection:
            connection = connection.execution_options(console_after_commit=after)
            with connection.begin():
                yield connection
    finally:
        _this_thread.writes = False
    for call in after:
        try:
            call()
        except Exception as failure:
            # What was asked for is done and durable: the asker must not be told otherwise.
            log.error("database.after_commit_failed", exc_info=failure)


@contextmanager
def writing() -> Iterator[Connection]:
    """A connection for writing, for `transaction` and for what must be durable before it begins.

    On SQLite nobody else in this process writes meanwhile.
    """
    database = _database()
    with database.write_gate or nullcontext(), database.engine.connect() as connection:
        yield connection.execution_options(console_writes=True)


@contextmanager
def reading() -> Iterator[Connection]:
    """A read-only look at one moment of the database; writes are never committed."""
    database = _database()
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin() as look:
            yield connection
            look.rollback()


def run_after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Have `call` run once this transaction is durable; never when it is rolled back.

    A call that fails is logged and changes nothing: the transaction is durable already.
    """
    connection.get_execution_options()["console_after_commit"].append(call)


# PostgreSQL ends one of two transactions that wait for each other, or that cannot both have been first.
_TRY_AGAIN: Final = frozenset({"40P01", "40001"})
_TRIES: Final = 6


def retried(command: Callable[P, T]) -> Callable[P, T]:
    """Carry a command out again when PostgreSQL undid it for the sake of another one.

    The whole transaction was rolled back, and the command's id makes a second try safe.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, _TRIES + 1):
            try:
                return command(*args, **kwargs)
            except sa.exc.OperationalError as failure:
                if attempt == _TRIES or getattr(failure.orig, "sqlstate", None) not in _TRY_AGAIN:
                    raise
        raise AssertionError("a try either returned or raised")

    return run


async def off_loop(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking read in the database threads, so that the event loop never waits for it."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_database().readers, partial(work, *args, **kwargs))


async def briefly(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Look something up by its key.

    SQLite answers from this process in less time than a thread takes to be told; PostgreSQL is
    asked over a wire, and the event loop must not wait for that.
    """
    if is_sqlite():
        return work(*args, **kwargs)
    return await off_loop(work, *args, **kwargs)


async def at_once(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short command where the request arrived, when nobody else is writing; else like `in_writer`.

    On SQLite a thread would gain nothing: there is one writer, and handing the interpreter's lock to
    and fro at each of a dozen statements costs as much as the statements. Only for commands of a
    couple of milliseconds: while one runs, the event loop stands still.
    """
    gate = _database().write_gate
    # Not held until the command takes it: who slips in between holds it for one short transaction.
    if gate is not None and gate.acquire(blocking=False):
        gate.release()
        return work(*args, **kwargs)
    return await in_writer(work, *args, **kwargs)


async def in_writer(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a command in the writing threads: one on SQLite, several on PostgreSQL."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_database().writers, partial(work, *args, **kwargs))
