"""On PostgreSQL the change feed reaches every process, and survives the loss of its connection."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.fixtures.databases import Database
from tests.integration.kernel.watchers import end_listening, heard, say_as_another_process, watching
from ticket_console.kernel import feed
from ticket_console.kernel.feed import EVERYTHING, Subscription

pytestmark = pytest.mark.usefixtures("postgresql_database")


@pytest.fixture
def watch() -> Iterator[list[Subscription]]:
    opened: list[Subscription] = []
    yield opened
    for subscription in opened:
        feed.unsubscribe(subscription)


ANOTHER_PROCESS = """
import sys
from ticket_console.kernel import feed
from ticket_console.kernel.database import transaction

print("ready", flush=True)
for line in sys.stdin:
    with transaction() as connection:
        feed.publish(connection, map(int, line.split()))
"""


@pytest.fixture
def another_process(postgresql_database: Database) -> Iterator["subprocess.Popen[str]"]:
    environ = {**os.environ, "DATABASE_URL": postgresql_database.url}
    process = subprocess.Popen(
        [sys.executable, "-c", ANOTHER_PROCESS],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


async def test_what_another_process_commits_is_heard_within_a_second(
    another_process: "subprocess.Popen[str]", watch: list[Subscription]
) -> None:
    watcher = await watching(watch)
    assert another_process.stdin is not None
    # The first transaction opens the process's connections.
    another_process.stdin.write("1\n")
    another_process.stdin.flush()
    assert await heard(watcher, within=10) == {1}

    another_process.stdin.write(" ".join(map(str, range(1_200))) + "\n")
    another_process.stdin.flush()

    assert await heard(watcher, within=1.0) == set(range(1_200))


async def test_after_a_lost_connection_a_watcher_reads_everything_afresh(watch: list[Subscription]) -> None:
    watcher = await watching(watch)

    end_listening()

    assert await heard(watcher, within=10) == EVERYTHING


@pytest.mark.parametrize("message", ["", "nonsense", "them:", "them:1,x"])
async def test_a_message_nobody_understands_means_everything_and_ends_nothing(
    watch: list[Subscription], message: str
) -> None:
    watcher = await watching(watch)
    say_as_another_process(message)
    assert await heard(watcher) == EVERYTHING

    say_as_another_process("them:8,9")
    assert await heard(watcher) == {8, 9}
