"""A demo company that has lived through a few weeks, seeded once for each kind of database, then copied."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from tests.fixtures.databases import TEMPLATE, let_go
from ticket_console.demo.cast import Cast, read_cast
from ticket_console.demo.seed import Seeded, seed
from ticket_console.kernel import database as kernel_database
from ticket_console.kernel.database import reading

REQUESTS = 60
FEW = 12
AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)

Make = Callable[[pytest.FixtureRequest, Path, str], str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def seeded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """The company of a whole module of tests, none of which changes it."""
    made: Make = _sqlite if request.param == "sqlite" else _postgresql
    kernel_database.use_url(made(request, tmp_path_factory.mktemp("demo"), ""))
    yield _seed(REQUESTS)
    let_go()


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def young_template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Make, str, Seeded]:
    """A company with only a few requests behind it, to be copied for each test."""
    made: Make = _sqlite if request.param == "sqlite" else _postgresql
    url = made(request, tmp_path_factory.mktemp("young"), "")
    kernel_database.use_url(url)
    found = _seed(FEW)
    let_go()
    return made, url, found


@pytest.fixture
def young_company(
    request: pytest.FixtureRequest, young_template: tuple[Make, str, Seeded], tmp_path: Path
) -> Iterator[Seeded]:
    """A company of its own for one test."""
    made, template, found = young_template
    kernel_database.use_url(made(request, tmp_path, template))
    yield found
    let_go()


@pytest.fixture
def cast(seeded: Seeded) -> Cast:
    return cast_of(seeded)


def cast_of(seeded: Seeded) -> Cast:
    with reading() as connection:
        found = read_cast(connection, seeded.org_id)
    assert found is not None
    return found


def _seed(requests: int) -> Seeded:
    found = seed(at=AT, requests=requests)
    assert found is not None
    return found


def _sqlite(request: pytest.FixtureRequest, folder: Path, template: str) -> str:
    source = sa.make_url(template).database if template else request.getfixturevalue("sqlite_template")
    shutil.copy(source, folder / "company.db")
    return f"sqlite:///{folder}/company.db"


def _postgresql(request: pytest.FixtureRequest, folder: Path, template: str) -> str:
    server: str = request.getfixturevalue("postgresql")
    name = f"demo_{uuid4().hex}"
    source = sa.make_url(template).database if template else TEMPLATE
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    url = server.replace("/postgres?", f"/{name}?", 1)
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
