"""Two web processes with one PostgreSQL and one Redis are one console."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.fixtures.browsers import OpenPage, Server, free_port, new_server
from tests.fixtures.databases import TEMPLATE


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    yield f"redis://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(scope="module")
def machines(
    postgresql: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    with psycopg.connect(postgresql, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE two_machines TEMPLATE {TEMPLATE}")
    folder = tmp_path_factory.mktemp("machines")
    url = postgresql.replace("/postgres?", "/two_machines?", 1)
    first, second = (
        new_server(
            folder,
            database_url=url,
            seeded=seeded,
            REDIS_URL=redis_url,
        )
        for seeded in (True, False)
    )
    first.start()
    second.start()
    yield first, second
    first.stop()
    second.stop()
    with psycopg.connect(postgresql, autocommit=True) as admin:
        admin.execute("DROP DATABASE two_machines WITH (FORCE)")


def test_a_request_to_one_machine_appears_on_the_board_of_the_other(
    machines: tuple[Server, Server], page_as: OpenPage
) -> None:
    watched, called = machines
    page = page_as("dispatcher", server=watched)
    page.goto("/board")
    page.get_by_text("WO-").first.wait_for()
    token = Path(called.environ["DATA_DIR"], "demo_token").read_text(encoding="ascii").strip()

    answer = httpx.post(
        f"{called.url}/api/v1/intake/api",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "across-machines"},
        json={"template": "repair", "title": "The other machine heard of this", "urgency": 3, "impact": 3},
    )

    assert answer.status_code == 201, answer.text
    page.get_by_text("The other machine heard of this").wait_for()
