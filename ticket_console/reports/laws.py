"""What a law is that always holds, and what is found where it does not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

# So many counter-examples of a law are kept; whoever repairs one finds the next.
MOST_EXAMPLES: Final = 20
# Of these the latest are looked at in every check, whichever turn it is.
_LATEST: Final = 4


class LawState(StrEnum):
    """`failed` is a check that could not be carried out: nothing is known then."""

    HOLDS = "holds"
    BROKEN = "broken"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CounterExample:
    """A row that breaks a law, with what it should say and what it says."""

    table: str
    row_id: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Look:
    """One check. What cannot be asked of the database as one sum is looked at in turns of `turn` rows."""

    connection: Connection
    org_id: int
    at: datetime
    turn: int
    position: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """How many rows were looked at, those that break the law, and where the next turn begins."""

    rows: int
    broken: tuple[CounterExample, ...]
    position: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Law:
    """Checked as a whole by every look, or, with `in_turns`, a part at a time."""

    code: str
    check: Callable[[Look], Finding]
    in_turns: bool = False


def counted(look: Look, source: sa.FromClause, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(source).where(*conditions)
    return int(look.connection.execute(query).scalar_one())


def examples(look: Look, table: str, query: sa.Select[*tuple[Any, ...]]) -> tuple[CounterExample, ...]:
    """The rows (id, expected, found) of a query that has none while the law holds."""
    rows = look.connection.execute(query.limit(MOST_EXAMPLES))
    return tuple(CounterExample(table, str(row[0]), _text(row[1]), _text(row[2])) for row in rows)


def in_turn(look: Look, ids: sa.Select[Any], key: sa.ColumnElement[int]) -> tuple[list[int], int]:
    """The ids whose turn it is, with the latest ones, and after which id the next turn begins.

    `ids` selects `key`, which grows with time. After the last row the turns begin again.
    """
    start = int(look.position.get("after", 0))
    turn = list(look.connection.execute(ids.where(key > start).order_by(key).limit(look.turn)).scalars())
    latest = look.connection.execute(ids.order_by(key.desc()).limit(look.turn // _LATEST)).scalars()
    end = turn[-1] if len(turn) == look.turn else 0
    return sorted({*turn, *latest}), end


def turned(rows: int, broken: Sequence[CounterExample], broken_ids: Iterable[int], end: int) -> Finding:
    """A finding of one turn. A row that was found broken is looked at again until it is not."""
    first = min(broken_ids, default=None)
    return Finding(rows, tuple(broken[:MOST_EXAMPLES]), {"after": end if first is None else first - 1})


def _text(value: object) -> str:
    return "" if value is None else value.value if isinstance(value, StrEnum) else str(value)
