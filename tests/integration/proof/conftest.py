"""A company with its doors open, for all the tests of a module that change nothing."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.fixtures.databases import TEMPLATE, Database, let_go
from ticket_console.kernel import database as kernel_database

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database of each kind that a whole module of tests looks at."""
    made = _sqlite if request.param == "sqlite" else _postgresql
    url = made(request, tmp_path_factory.mktemp("proof"))
    kernel_database.use_url(url)
    yield Database(request.param, url)
    let_go()


def _sqlite(request: pytest.FixtureRequest, folder: Path) -> str:
    shutil.copy(request.getfixturevalue("sqlite_template"), folder / "console.db")
    return f"sqlite:///{folder / 'console.db'}"


def _postgresql(request: pytest.FixtureRequest, folder: Path) -> str:
    server: str = request.getfixturevalue("postgresql")
    name = f"proof_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = server.replace("/postgres?", f"/{name}?", 1)
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
