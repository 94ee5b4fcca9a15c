"""Row ids reserved in blocks, so that a command knows them before it writes and needs no round trip.

Ids grow but may leave gaps: what is left of a block is lost when the process ends.
"""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel import database

FIRST_ID: Final = 10_001
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
_source: str = ""


class IdsExhausted(RuntimeError):
    """A command took more ids than it reserved with `transaction(reserve=...)`."""


def ensure(wanted: Mapping[str, int]) -> None:
    """Have enough ids in hand before a transaction begins.

    The block is fetched in a transaction of its own: were it part of the command, a rollback
    would hand the same ids out again.
    """
    for name, enough in ENOUGH.items():
        needed = wanted.get(name, 0) + enough
        if _in_hand(name) >= needed:
            continue
        with _fetching:
            missing = needed - _in_hand(name)
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


def _in_hand(name: str) -> int:
    global _source
    with _lock:
        if _source != database.database_url():
            _left.clear()
            _source = database.database_url()
        return sum(map(len, _left.get(name, ())))


def _fetch(name: str, count: int) -> range:
    engine = database.engine()
    statement = sa.text(
        "INSERT INTO id_block (name, next_id) VALUES (:name, :first) "
        "ON CONFLICT (name) DO UPDATE SET next_id = id_block.next_id + :count RETURNING next_id"
    )
    gate = database._database().write_gate
    if gate is not None:
        gate.acquire()
    try:
        with engine.connect().execution_options(console_writes=True) as connection, connection.begin():
            end = connection.execute(
                statement, {"name": name, "first": FIRST_ID + count, "count": count}
            ).scalar_one()
    finally:
        if gate is not None:
            gate.release()
    return range(end - count, end)
