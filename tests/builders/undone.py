"""Commands that are carried out in full and then rolled back, to see what they would have said."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from sqlalchemy.engine import Connection

from ticket_console.desk import moving, work
from ticket_console.kernel import ids
from ticket_console.kernel.database import writing


def roll_back_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every command on a ticket leaves the database as it was."""
    for module in (moving, work):
        monkeypatch.setattr(module, "transaction", _undone)


@contextmanager
def _undone(*, reserve: Mapping[str, int] | None = None) -> Iterator[Connection]:
    with ids.reserved(reserve or {}), writing() as connection:
        connection = connection.execution_options(console_after_commit=[])
        look = connection.begin()
        try:
            yield connection
        finally:
            look.rollback()
