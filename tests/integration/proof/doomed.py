"""A web process that is killed while it works, and the calls that were under way when it happened."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.fixtures.browsers import free_port
from tests.fixtures.databases import Database

ROOT: Final = Path(__file__).parents[3]
# As in production where `make build` has run; else its API, which is all that these proofs talk to.
MODULE: Final = (
    "ticket_console.serve"
    if (ROOT / ".web" / "build" / "client" / "index.html").exists()
    else "tests.integration.proof.api_alone"
)
AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """One call; `key` names it in what comes back."""

    key: str
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Heard:
    status: int
    body: Mapping[str, Any]


class Doomed:
    """The console on a database, in processes of its own that may die at any moment."""

    def __init__(self, database: Database, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._environ = {
            **os.environ,
            "DATABASE_URL": database.url,
            "PORT": str(port),
            "PUBLIC_URL": self.url,
            "SIMULATOR": "0",
            "LOG_LEVEL": "error",
        }

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE],
                cwd=ROOT,
                env=self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The console did not start:\n{self._log.read_text(encoding='utf-8')}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the process and all its children as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=30)
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def call(self, calls: Sequence[Sent], *, die_after: int | None = None) -> dict[str, Heard]:
        """Make calls, fifty at a time, and kill the server once `die_after` of them were answered.

        Comes back with the answers that arrived, by key: what is missing may or may not have happened.
        """
        heard: dict[str, Heard] = {}

        def hear(call: Sent, answer: Heard) -> None:
            heard[call.key] = answer
            if len(heard) == die_after:
                self.kill()

        asyncio.run(_send_all(self.url, calls, hear))
        return heard


async def _send_all(url: str, calls: Sequence[Sent], hear: Callable[[Sent, Heard], None]) -> None:
    waiting = iter(calls)
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)

    async def work() -> None:
        for call in waiting:
            try:
                answer = await client.post(call.path, json=dict(call.body), headers=dict(call.headers))
            except httpx.TransportError:
                continue
            hear(call, Heard(answer.status_code, answer.json()))

    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
