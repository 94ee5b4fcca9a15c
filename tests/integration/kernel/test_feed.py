"""The change feed: who watches hears what was committed, and nothing else."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.fixtures.databases import Database
from tests.integration.kernel.watchers import announce, heard, hears_nothing, watching
from ticket_console.kernel import feed
from ticket_console.kernel.database import transaction
from ticket_console.kernel.feed import Subscription


@pytest.fixture(autouse=True)
def in_use(database: Database) -> Database:
    return database


@pytest.fixture
def watch() -> Iterator[list[Subscription]]:
    opened: list[Subscription] = []
    yield opened
    for subscription in opened:
        feed.unsubscribe(subscription)


async def test_a_watcher_hears_after_the_commit_and_not_before(watch: list[Subscription]) -> None:
    watcher = await watching(watch)
    with transaction() as connection:
        feed.publish(connection, [7, 5, 7])
        assert await hears_nothing(watcher)

    assert await heard(watcher) == {5, 7}
    assert await hears_nothing(watcher)


async def test_what_was_rolled_back_is_not_heard(watch: list[Subscription]) -> None:
    watcher = await watching(watch)

    def break_off() -> None:
        with transaction() as connection:
            feed.publish(connection, [7])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert await hears_nothing(watcher)


async def test_changes_that_follow_closely_are_gathered(watch: list[Subscription]) -> None:
    watcher = await watching(watch)
    for ticket_id in range(5):
        announce(ticket_id)

    assert await asyncio.wait_for(watcher.changes(gather_seconds=0.05), 1) == {0, 1, 2, 3, 4}


async def test_changes_from_other_threads_are_heard_by_every_watcher(watch: list[Subscription]) -> None:
    first, second = await watching(watch), feed.subscribe()
    watch.append(second)

    await asyncio.to_thread(announce, 7)

    assert await heard(first) == {7}
    assert await heard(second) == {7}


async def test_who_left_hears_nothing_more_and_may_leave_twice(watch: list[Subscription]) -> None:
    watcher = await watching(watch)
    feed.unsubscribe(watcher)
    feed.unsubscribe(watcher)

    announce(7)

    assert await hears_nothing(watcher)


async def test_no_change_is_not_everything(watch: list[Subscription]) -> None:
    watcher = await watching(watch)

    announce()

    assert await hears_nothing(watcher)


async def test_many_changes_at_once_are_all_heard(watch: list[Subscription]) -> None:
    watcher = await watching(watch)

    announce(*range(2_000))

    assert await heard(watcher) == set(range(2_000))


async def test_a_watcher_whose_loop_has_ended_disturbs_nobody(watch: list[Subscription]) -> None:
    def left_over() -> Subscription:
        async def subscribe() -> Subscription:
            return feed.subscribe()

        return asyncio.run(subscribe())

    watch.append(await asyncio.to_thread(left_over))
    watcher = await watching(watch)

    announce(7)

    assert await heard(watcher) == {7}
