"""Watchers of the change feed, for tests."""

import asyncio

import psycopg
import sqlalchemy as sa

from ticket_console.kernel import database as kernel
from ticket_console.kernel import feed
from ticket_console.kernel.database import transaction
from ticket_console.kernel.feed import Subscription

_PROBE = 4_711


async def watching(watch: list[Subscription]) -> Subscription:
    """A watcher of a process that listens already, and who has heard all there was to hear before."""
    watcher = feed.subscribe()
    watch.append(watcher)
    if not kernel.is_sqlite():
        async with asyncio.timeout(20):
            while not await _hears_other_processes(watcher):
                pass
            while not await hears_nothing(watcher):
                pass
    return watcher


async def _hears_other_processes(watcher: Subscription) -> bool:
    say_as_another_process(f"them:{_PROBE}")
    try:
        return _PROBE in await heard(watcher, within=0.2)
    except TimeoutError:
        return False


async def heard(watcher: Subscription, *, within: float = 1.0) -> frozenset[int]:
    return await asyncio.wait_for(watcher.changes(), within)


async def hears_nothing(watcher: Subscription) -> bool:
    try:
        await heard(watcher, within=0.1)
    except TimeoutError:
        return True
    return False


def announce(*ticket_ids: int) -> None:
    with transaction() as connection:
        feed.publish(connection, ticket_ids)


def say_as_another_process(message: str) -> None:
    with psycopg.connect(_plain_url(), autocommit=True) as other:
        other.execute("SELECT pg_notify(%s, %s)", [feed.CHANNEL, message])


def end_listening() -> None:
    """Cut the connections on which this database is listened to."""
    with psycopg.connect(_plain_url(), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )


def _plain_url() -> str:
    url = sa.make_url(kernel.database_url()).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
