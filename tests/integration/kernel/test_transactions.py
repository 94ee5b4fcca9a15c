"""The one way to commit, the column types, and commands that are carried out again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread, current_thread
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tests.fixtures.databases import Database
from ticket_console.kernel import database as kernel
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import (
    EnumText,
    JsonText,
    UtcDateTime,
    reading,
    retried,
    run_after_commit,
    transaction,
)

NOTES = sa.Table(
    "note",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text),
    sa.Column("at", UtcDateTime()),
    sa.Column("role", EnumText(Role)),
    sa.Column("data", JsonText()),
)


@pytest.fixture(autouse=True)
def notes(database: Database) -> None:
    with transaction() as connection:
        NOTES.create(connection)


def write(connection: Connection, text: str = "kept", **columns: Any) -> None:
    connection.execute(sa.insert(NOTES).values(text=text, **columns))


def texts() -> list[str]:
    with reading() as connection:
        return list(connection.execute(sa.select(NOTES.c.text).order_by(NOTES.c.id)).scalars())


def read(column: sa.ColumnElement[Any]) -> Any:
    with reading() as connection:
        return connection.execute(sa.select(column)).scalar_one()


def test_a_block_that_ends_is_committed() -> None:
    with transaction() as connection:
        write(connection)

    assert texts() == ["kept"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_block_that_raises_leaves_nothing_and_raises_on(failure: type[BaseException]) -> None:
    def break_off() -> None:
        with transaction() as connection:
            write(connection)
            raise failure

    with pytest.raises(failure):
        break_off()
    assert texts() == []
    with transaction() as connection:
        write(connection, "the next one works")
    assert texts() == ["the next one works"]


def test_nobody_sees_a_transaction_before_it_is_committed() -> None:
    with transaction() as connection:
        write(connection)
        assert texts() == []
    assert texts() == ["kept"]


def test_calls_for_after_the_commit_run_in_order_and_see_what_was_committed() -> None:
    heard: list[Any] = []
    with transaction() as connection:
        write(connection)
        run_after_commit(connection, lambda: heard.append(("first", texts())))
        run_after_commit(connection, lambda: heard.append(("second", texts())))
        assert heard == []

    assert heard == [("first", ["kept"]), ("second", ["kept"])]


def test_calls_for_after_the_commit_never_run_when_it_is_rolled_back() -> None:
    heard: list[str] = []

    def break_off() -> None:
        with transaction() as connection:
            run_after_commit(connection, lambda: heard.append("called"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    with transaction() as connection:
        write(connection)

    assert heard == []


def test_calls_for_after_the_commit_never_run_when_the_commit_itself_fails() -> None:
    heard: list[str] = []
    later = "DEFERRABLE INITIALLY DEFERRED"
    with transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE above (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(f"CREATE TABLE below (above_id INTEGER REFERENCES above (id) {later})")

    def point_nowhere() -> None:
        with transaction() as connection:
            connection.exec_driver_sql("INSERT INTO below VALUES (1)")
            run_after_commit(connection, lambda: heard.append("called"))

    with pytest.raises(sa.exc.IntegrityError):
        point_nowhere()
    assert heard == []
    with transaction() as connection:
        write(connection)
    assert texts() == ["kept"]


def test_a_call_that_breaks_after_the_commit_stops_neither_the_others_nor_the_answer() -> None:
    heard: list[str] = []

    def breaks() -> None:
        raise RuntimeError("nobody listens")

    with transaction() as connection:
        write(connection)
        run_after_commit(connection, breaks)
        run_after_commit(connection, lambda: heard.append("called"))

    assert (texts(), heard) == (["kept"], ["called"])


def test_a_read_has_no_after() -> None:
    with transaction() as connection:
        write(connection)
    with reading() as connection, pytest.raises(KeyError):
        run_after_commit(connection, lambda: None)


def test_a_transaction_within_a_transaction_is_refused_instead_of_waiting_for_itself() -> None:
    with transaction() as connection:
        write(connection)
        with pytest.raises(RuntimeError, match="does not nest"), transaction():
            pass
        write(connection, "and goes on")

    assert texts() == ["kept", "and goes on"]


def test_writers_of_several_threads_all_get_through() -> None:
    def write_some() -> None:
        for _ in range(10):
            with transaction() as connection:
                write(connection)

    threads = [Thread(target=write_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(texts()) == 80


def test_reading_never_commits() -> None:
    with reading() as connection:
        write(connection, "looked away")

    assert texts() == []


def test_reading_is_a_look_at_one_moment() -> None:
    with reading() as connection:
        count = sa.select(sa.func.count()).select_from(NOTES)
        assert connection.execute(count).scalar_one() == 0
        with transaction() as other:
            write(other)
        assert connection.execute(count).scalar_one() == 0
    assert texts() == ["kept"]


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 21, 10, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=8))),
        datetime(2026, 11, 21, 2, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_an_instant_comes_back_in_utc_to_the_microsecond(at: datetime) -> None:
    with transaction() as connection:
        write(connection, at=at)

    found = read(NOTES.c.at)
    assert found == at
    assert found.tzinfo is UTC
    with reading() as connection:
        earlier = sa.select(sa.func.count()).where(NOTES.c.at < at)
        not_later = sa.select(sa.func.count()).where(NOTES.c.at <= at)
        assert connection.execute(earlier).scalar_one() == 0
        assert connection.execute(not_later).scalar_one() == 1


def test_an_instant_without_its_zone_is_refused() -> None:
    with pytest.raises(sa.exc.StatementError, match="must carry its zone"), transaction() as connection:
        write(connection, at=datetime(2026, 11, 21))  # noqa: DTZ001

    assert texts() == []


def test_an_enumeration_is_kept_as_its_value_and_nothing_else_is_taken() -> None:
    with transaction() as connection:
        write(connection, role=Role.AGENT)
    assert read(NOTES.c.role) is Role.AGENT
    assert read(sa.cast(NOTES.c.role, sa.String)) == "agent"

    with pytest.raises(sa.exc.StatementError, match="is not a valid Role"), transaction() as connection:
        write(connection, role="emperor")
    assert texts() == ["kept"]


@pytest.mark.parametrize("value", [{"名": [1, None, True], "a": "x"}, [], "text", 0, False, None, "\0"])
def test_a_json_value_comes_back_as_it_was(value: Any) -> None:
    with transaction() as connection:
        write(connection, data=value)

    assert read(NOTES.c.data) == value


def test_json_is_kept_in_its_canonical_spelling() -> None:
    with transaction() as connection:
        write(connection, data={"b": 1, "a": "电容"})

    assert read(sa.type_coerce(NOTES.c.data, sa.Text)) == '{"a":"电容","b":1}'


class Undone(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def failing(times: int, sqlstate: str | None) -> tuple[Callable[[], str], list[int]]:
    tries: list[int] = []

    @retried
    def command() -> str:
        tries.append(len(tries))
        if len(tries) <= times:
            raise sa.exc.OperationalError("UPDATE", {}, Undone(sqlstate))
        return "done"

    return command, tries


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_a_command_undone_for_the_sake_of_another_is_carried_out_again(sqlstate: str) -> None:
    command, tries = failing(3, sqlstate)

    assert command() == "done"
    assert len(tries) == 4


def test_a_command_that_is_always_undone_fails_in_the_end() -> None:
    command, tries = failing(99, "40P01")

    with pytest.raises(sa.exc.OperationalError):
        command()
    assert len(tries) == 6


@pytest.mark.parametrize("sqlstate", ["57014", "08006", None])
def test_any_other_failure_is_not_tried_again(sqlstate: str | None) -> None:
    command, tries = failing(1, sqlstate)

    with pytest.raises(sa.exc.OperationalError):
        command()
    assert len(tries) == 1


async def test_reads_and_commands_run_beside_the_event_loop() -> None:
    def name() -> str:
        return current_thread().name

    assert (await kernel.off_loop(name)).startswith("console-read")
    assert (await kernel.in_writer(name)).startswith("console-write")
