"""A console of its own for measuring: a fresh database, the demo company with people who are never full."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import sqlalchemy as sa

ROOT = Path(__file__).parents[1]
READY_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Console:
    """A running console: where it listens, how to be let in, and its process."""

    port: int
    intake_token: str
    session: str
    ready_seconds: float
    pid: int
    url: str

    @property
    def as_channel(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.intake_token}"}

    @property
    def as_manager(self) -> dict[str, str]:
        return {"Cookie": f"tc_session={self.session}", "Origin": f"http://127.0.0.1:{self.port}"}

    def memory_mb(self) -> float:
        """Resident memory of the web process that answers requests (the worker, not its supervisor)."""
        process = psutil.Process(self.pid)
        return max(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 2**20


@contextmanager
def console(*, tickets: int, postgresql: str | None = None) -> Iterator[Console]:
    """Prepare a database that holds `tickets` already, start the console on it, and stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="console-bench-") as folder:
        port = _free_port()
        surroundings = {
            "DATA_DIR": folder,
            "DATABASE_URL": postgresql or f"sqlite:///{folder}/console.db",
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SECRET_KEY": "a key that only measurements are signed with",
            "SIMULATOR": "0",
            "LOG_LEVEL": "error",
            "INTAKE_PER_MINUTE": "10000000",
        }
        os.environ.update(surroundings)
        token, session = _prepare(tickets)
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "ticket_console.serve"],
            cwd=ROOT,
            env=os.environ.copy(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            ready = _wait_until_ready(port, process, started)
            yield Console(port, token, session, ready, process.pid, surroundings["DATABASE_URL"])
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def _prepare(tickets: int) -> tuple[str, str]:
    """Migrate, found the company, fill it; returns an intake token and a manager's session."""
    from alembic import command
    from alembic.config import Config

    from ticket_console.access import sessions, tokens
    from ticket_console.access.passwords import hash_password
    from ticket_console.demo import bulk, company
    from ticket_console.demo.cast import read_cast
    from ticket_console.kernel import database
    from ticket_console.kernel.actor import Role
    from ticket_console.kernel.settings import settings

    settings.cache_clear()
    database.use_url(settings().database_url)
    config = Config(ROOT / "alembic.ini")
    config.attributes["configure_logger"] = False
    command.upgrade(config, "head")
    at = datetime.now(UTC)
    with database.transaction() as connection:
        org_id = company.found(
            connection,
            at=at,
            since=at - timedelta(days=60),
            seed=7,
            password_hash=hash_password("measure me"),
        )
        # What is measured is the choice among people with room, not the refusal of a full house.
        connection.execute(
            sa.text("UPDATE technician SET capacity = 1000000, is_on_duty = :yes, version = version + 1"),
            {"yes": True},
        )
        connection.execute(sa.text("DELETE FROM shift"))
        connection.execute(sa.text("DELETE FROM absence"))
    if tickets:
        bulk.fill(tickets=tickets, at=at)
    with database.reading() as connection:
        cast = read_cast(connection, org_id)
    assert cast is not None
    manager = cast.office[Role.MANAGER]
    token = tokens.create_token(
        actor=manager,
        at=at,
        command_id="bench:token",
        name="bench",
        permissions=("ticket.open", "ticket.view"),
    )
    login = sessions.log_in(
        login="manager", password="measure me", at=at, user_agent="bench", address="127.0.0.1"
    )
    database.engine().dispose()
    return token.token, login.token


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]", started: float) -> float:
    while time.perf_counter() - started < READY_WITHIN:
        if process.poll() is not None:
            raise RuntimeError("the console did not start")
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return time.perf_counter() - started
        except (URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError("the console was not ready in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
