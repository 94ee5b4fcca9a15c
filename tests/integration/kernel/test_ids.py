"""Ids: known before a row is written, and never handed out twice."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.fixtures.databases import Database
from ticket_console.kernel import database as kernel
from ticket_console.kernel import ids
from ticket_console.kernel.database import transaction
from ticket_console.kernel.ids import FIRST_ID, IdsExhausted


@pytest.fixture(autouse=True)
def in_use(database: Database) -> Database:
    return database


def take(count: int = 1) -> list[int]:
    with transaction():
        return [ids.take("ticket") for _ in range(count)]


def test_a_new_database_starts_where_numbers_look_like_numbers() -> None:
    assert take(3) == [FIRST_ID, FIRST_ID + 1, FIRST_ID + 2]


def test_every_series_counts_by_itself() -> None:
    with transaction():
        assert (ids.take("ticket"), ids.take("row"), ids.take("ticket")) == (FIRST_ID, FIRST_ID, FIRST_ID + 1)


def test_a_command_that_is_rolled_back_gives_no_id_back() -> None:
    lost: list[int] = []

    def break_off() -> None:
        with transaction():
            lost.append(ids.take("ticket"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert take() == [lost[0] + 1]


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = [each for some in pool.map(take, [5] * 80) for each in some]

    assert len(taken) == len(set(taken)) == 400


ANOTHER_PROCESS = """
from ticket_console.kernel import ids
from ticket_console.kernel.database import transaction

with transaction():
    print(*(ids.take("ticket") for _ in range(3)))
"""


def test_what_another_process_took_is_not_taken_again(database: Database) -> None:
    mine = take(ids.BLOCK["ticket"] - 1)
    said = subprocess.check_output(
        [sys.executable, "-c", ANOTHER_PROCESS], env={**os.environ, "DATABASE_URL": database.url}, text=True
    )
    theirs = [int(each) for each in said.split()]

    later = take(ids.BLOCK["ticket"])

    assert len({*mine, *theirs, *later}) == 2 * ids.BLOCK["ticket"] + 2


def test_more_than_was_reserved_is_refused() -> None:
    with pytest.raises(IdsExhausted):
        take(ids.BLOCK["ticket"] + 1)


def test_bulk_work_gets_as_many_as_it_reserved() -> None:
    with transaction(reserve={"ticket": 500}):
        taken = [ids.take("ticket") for _ in range(500)]

    assert len(set(taken)) == 500


def test_reservations_made_at_the_same_moment_do_not_share_ids() -> None:
    together = Barrier(3)

    def reserve() -> list[int]:
        together.wait()
        with transaction(reserve={"ticket": 700}):
            return [ids.take("ticket") for _ in range(700)]

    with ThreadPoolExecutor(3) as pool:
        taken = [each for some in [pool.submit(reserve) for _ in range(3)] for each in some.result(30)]

    assert len(taken) == len(set(taken)) == 2_100


def test_a_reservation_ends_with_its_transaction() -> None:
    for _ in range(3):
        with pytest.raises(RuntimeError), transaction(reserve={"ticket": 1_000}):
            raise RuntimeError

    assert take() == [FIRST_ID]


def test_an_unknown_series_is_a_mistake() -> None:
    with pytest.raises(KeyError), transaction(reserve={"tickets": 5}):
        pass
    with pytest.raises(IdsExhausted), transaction():
        ids.take("tickets")


@pytest.fixture
def another_database(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "another.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


def test_another_database_has_ids_of_its_own(database: Database, another_database: str) -> None:
    here = take(5)
    kernel.use_url(another_database)
    there = take(2)
    kernel.use_url(database.url)

    assert there == [FIRST_ID, FIRST_ID + 1]
    assert min(take()) > max(here)
