"""A demo company that has lived through a few weeks, small enough for tests."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.fixtures.databases import TEMPLATE, Database, let_go
from ticket_console.demo.cast import Cast, read_cast
from ticket_console.demo.seed import Seeded, seed
from ticket_console.kernel import database as kernel_database
from ticket_console.kernel.database import reading

REQUESTS = 60
FEW = 12
AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def seeded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """The company of a whole module of tests, none of which changes it."""
    made = _sqlite if request.param == "sqlite" else _postgresql
    kernel_database.use_url(made(request, tmp_path_factory.mktemp("demo")))
    found = seed(at=AT, requests=REQUESTS)
    assert found is not None
    yield found
    let_go()


def _sqlite(request: pytest.FixtureRequest, folder: Path) -> str:
    shutil.copy(request.getfixturevalue("sqlite_template"), folder / "console.db")
    return f"sqlite:///{folder}/console.db"


def _postgresql(request: pytest.FixtureRequest, folder: Path) -> str:
    server: str = request.getfixturevalue("postgresql")
    name = f"demo_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = server.replace("/postgres?", f"/{name}?", 1)
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def cast(seeded: Seeded) -> Cast:
    return cast_of(seeded)


@pytest.fixture
def young_company(database: Database, at: datetime) -> Seeded:
    """A company of its own for one test, with only a few requests behind it."""
    found = seed(at=at, requests=FEW)
    assert found is not None
    return found


def cast_of(seeded: Seeded) -> Cast:
    with reading() as connection:
        found = read_cast(connection, seeded.org_id)
    assert found is not None
    return found
