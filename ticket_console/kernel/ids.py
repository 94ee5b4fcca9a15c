"""Row ids reserved in blocks, so that a command knows them before it writes and needs no round trip.

Ids grow but may leave gaps: what is left of a block is lost when the process ends.
"""

import hashlib
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel import database

FIRST_ID: Final = 10_001
# What columns that keep the id of a command hold.
COMMAND_ID_LENGTH: Final = 64
# What all commands at work at one moment may take without asking, and how much is fetched at a time.
ENOUGH: Final = {"ticket": 64, "row": 1_000}
BLOCK: Final = {"ticket": 100, "row": 10_000}


class IdBlock(SQLModel, table=True):
    __tablename__ = "id_block"

    name: str = Field(primary_key=True, max_length=32)
    next_id: int = Field(sa_type=sa.BigInteger)


_lock = threading.Lock()
# Apart from `_lock`: whoever fetches may wait for a writer, and that writer must be able to take ids.
_fetching = threading.Lock()
_left: dict[str, deque[range]] = {}
# What transactions at work were promised; until they end it counts as taken.
_promised: Counter[str] = Counter()
_source: str = ""


class IdsExhausted(RuntimeError):
    """A command took more ids than it reserved with `transaction(reserve=...)`."""


def command_id_of(*parts: str | int) -> str:
    """The id of what is done as a part of a command: the same for the same parts, and never too long."""
    told = ":".join(map(str, parts))
    if len(told) <= COMMAND_ID_LENGTH:
        return told
    digest = hashlib.sha256(told.encode()).hexdigest()[:24]
    return f"{told[: COMMAND_ID_LENGTH - len(digest) - 1]}:{digest}"


@contextmanager
def reserved(wanted: Mapping[str, int]) -> Iterator[None]:
    """Have enough ids in hand for a transaction before it begins, and keep them for it until it ends.

    A block is fetched in a transaction of its own: were it part of the command, a rollback would
    hand the same ids out again.
    """
    if unknown := wanted.keys() - ENOUGH.keys():
        raise KeyError(f"no such series: {sorted(unknown)}")
    _promise(wanted, 1)
    try:
        for name, enough in ENOUGH.items():
            if _free(name) < enough:
                _fetch_missing(name, enough)
        yield
    finally:
        _promise(wanted, -1)


def _promise(wanted: Mapping[str, int], sign: int) -> None:
    if wanted:
        with _lock:
            for name, count in wanted.items():
                _promised[name] += sign * count


def _fetch_missing(name: str, enough: int) -> None:
    with _fetching:
        missing = enough - _free(name)
        if missing > 0:
            fetched = _fetch(name, max(missing, BLOCK[name]))
            with _lock:
                _left.setdefault(name, deque()).append(fetched)


def take(name: str) -> int:
    """The next id of a series: "ticket" for tickets, "row" for every other hot table."""
    with _lock:
        blocks = _left.get(name)
        if not blocks:
            raise IdsExhausted(name)
        block = blocks[0]
        if len(block) == 1:
            blocks.popleft()
        else:
            blocks[0] = block[1:]
        return block[0]


def _free(name: str) -> int:
    """How many ids are in hand that no transaction was promised."""
    global _source
    with _lock:
        if _source != database.database_url():
            _left.clear()
            _source = database.database_url()
        return sum(map(len, _left.get(name, ()))) - _promised[name]


_FETCH: Final = sa.text(
    "INSERT INTO id_block (name, next_id) VALUES (:name, :first) "
    "ON CONFLICT (name) DO UPDATE SET next_id = id_block.next_id + :count RETURNING next_id"
)


def _fetch(name: str, count: int) -> range:
    first = {"name": name, "first": FIRST_ID + count, "count": count}
    with database.writing() as connection, connection.begin():
        end = connection.execute(_FETCH, first).scalar_one()
    return range(end - count, end)
