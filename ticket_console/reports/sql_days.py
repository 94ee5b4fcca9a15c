"""The first day of a week, a month or a year, in SQL, the same on both databases."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class FirstDay(FunctionElement[Any]):
    """The first day of the week (from Monday) or month that a day lies in."""

    name = "first_day"
    type = sa.Date()
    inherit_cache = True


_ON_SQLITE: Final = {"week": "'weekday 0', '-6 days'", "month": "'start of month'"}


@compiles(FirstDay, "postgresql")
def _on_postgresql(element: FirstDay, compiler: Any, **options: Any) -> str:
    day, unit = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(date_trunc('{unit}', {day}) AS DATE)"


@compiles(FirstDay, "sqlite")
def _on_sqlite(element: FirstDay, compiler: Any, **options: Any) -> str:
    day, unit = (compiler.process(clause, **options) for clause in element.clauses)
    return f"date({day}, {_ON_SQLITE[unit]})"


def first_day(day: sa.ColumnElement[Any], unit: str) -> sa.ColumnElement[Any]:
    """`unit` is "week" or "month"; a day without a value stays without one."""
    return FirstDay(day, sa.literal_column(unit))
