"""Time between two instants in SQL, the same on both databases."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class SecondsBetween(FunctionElement[float]):
    """Seconds from the first instant to the second, with fractions."""

    name = "seconds_between"
    type = sa.Float()
    inherit_cache = True


@compiles(SecondsBetween, "postgresql")
def _on_postgresql(element: SecondsBetween, compiler: Any, **options: Any) -> str:
    earlier, later = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXTRACT(EPOCH FROM ({later} - {earlier}))"


@compiles(SecondsBetween, "sqlite")
def _on_sqlite(element: SecondsBetween, compiler: Any, **options: Any) -> str:
    earlier, later = (compiler.process(clause, **options) for clause in element.clauses)
    # A day number has room for some hundredths of a millisecond only.
    return f"ROUND((julianday({later}) - julianday({earlier})) * 86400.0, 3)"


def seconds_between(earlier: sa.ColumnElement[Any], later: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
    return SecondsBetween(earlier, later)


class StepsBetween(FunctionElement[int]):
    """How many whole steps of so many seconds lie between two instants, the first not after the second."""

    name = "steps_between"
    type = sa.Integer()
    inherit_cache = True


@compiles(StepsBetween, "postgresql")
def _steps_on_postgresql(element: StepsBetween, compiler: Any, **options: Any) -> str:
    earlier, later, seconds = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM ({later} - {earlier})) / {seconds}) AS INTEGER)"


@compiles(StepsBetween, "sqlite")
def _steps_on_sqlite(element: StepsBetween, compiler: Any, **options: Any) -> str:
    earlier, later, seconds = (compiler.process(clause, **options) for clause in element.clauses)
    # Rounded first: an hour to the millisecond would otherwise be a hair less than one.
    return f"CAST(ROUND((julianday({later}) - julianday({earlier})) * 86400.0, 3) / {seconds} AS INTEGER)"


def steps_between(
    earlier: sa.ColumnElement[Any], later: sa.ColumnElement[Any], *, seconds: int
) -> sa.ColumnElement[int]:
    return StepsBetween(earlier, later, sa.literal_column(str(seconds)))
