"""The first migration and the tables say the same, on both databases."""

import re
from collections.abc import Iterator
from importlib import import_module

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from tests.fixtures.databases import ROOT, Database
from ticket_console.kernel import database as kernel_database


@pytest.fixture
def connection(database: Database) -> Iterator[sa.Connection]:
    with kernel_database.engine().connect() as connection:
        yield connection


def test_the_migrated_database_is_what_the_tables_describe(connection: sa.Connection) -> None:
    context = MigrationContext.configure(connection, opts={"compare_type": True})

    assert compare_metadata(context, SQLModel.metadata) == []


def test_downgrade_leaves_nothing_and_upgrade_brings_all_of_it_back(database: Database) -> None:
    config = Config(ROOT / "alembic.ini")
    before = _everything()

    command.downgrade(config, "base")
    assert _everything() == {"alembic_version"}

    command.upgrade(config, "head")
    assert _everything() == before


def test_the_database_guards_what_the_rooms_want_guarded(database: Database) -> None:
    wanted = {
        name
        for path in (ROOT / "ticket_console").glob("*/immutability.py")
        for statement in import_module(f"ticket_console.{path.parent.name}.immutability").CREATE_DDL[
            database.kind
        ]
        for name in re.findall(r"CREATE (?:TRIGGER|FUNCTION) (\w+)", statement)
    }

    assert wanted - _everything() == set()


def _everything() -> set[str]:
    """The names of all tables, indexes, triggers and functions that are ours."""
    found = {
        "sqlite": "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
        "postgresql": (
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'i') AND relname NOT LIKE 'alembic_version_%' "
            "UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal "
            "UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ),
    }
    with kernel_database.engine().connect() as connection:
        return set(connection.scalars(sa.text(found[connection.dialect.name])))
