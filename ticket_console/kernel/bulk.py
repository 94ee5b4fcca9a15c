"""Many rows into one table as fast as the database takes them: COPY, or one prepared insert on SQLite."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

Row = Mapping[str, Any]


def insert_rows(conn: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Write rows that all name the same columns, within the transaction of the connection.

    Values are those a statement on the table would take; defaults of Python's side are not filled in.
    """
    if not rows:
        return
    names = tuple(rows[0])
    values = _bound(conn, table, names, rows)
    preparer = conn.dialect.identifier_preparer
    columns = ", ".join(preparer.quote(name) for name in names)
    target = preparer.format_table(table)
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        _driver(conn).executemany(f"INSERT INTO {target} ({columns}) VALUES ({marks})", values)
        return
    with _driver(conn).cursor() as cursor, cursor.copy(f"COPY {target} ({columns}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def _driver(conn: Connection) -> Any:
    return conn.connection.driver_connection


def _bound(
    conn: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[Any, ...]]:
    """The rows as the driver wants them, each value turned as the type of its column says."""
    columns = [_turned(table.c[name], conn.dialect, [row[name] for row in rows]) for name in names]
    return zip(*columns, strict=True)


def _turned(column: sa.Column[Any], dialect: sa.Dialect, values: list[Any]) -> list[Any]:
    turn: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return values if turn is None else list(map(turn, values))
