"""The processes of one run, each handed a window of tickets as soon as it has done the one before."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

import ticket_console
from ticket_console.desk.replay import part
from ticket_console.desk.replay.comparing import Difference, Tally
from ticket_console.kernel import database

PROCESSES: Final = 2
_ROOT: Final = Path(ticket_console.__path__[0]).parent
_LAST_WORDS: Final = 2_000


class PartFailed(Exception):
    """A process of the crew ended before its work was done; the text is what it said last."""


class Crew:
    """Use it as a context: when that ends, for whatever reason, no process is left."""

    def __init__(self, task: bytes, *, processes: int = PROCESSES) -> None:
        self._task = task
        self._parts = [_start() for _ in range(processes)]
        self._hands = ThreadPoolExecutor(processes, "replay")

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._parts:
            process.kill()
        self._hands.shutdown(wait=True)
        for process in self._parts:
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def play(
        self, windows: Sequence[Sequence[int]], *, beat: Callable[[], bool], beat_seconds: float = 0.5
    ) -> Iterator[tuple[Tally, list[Difference]]]:
        """Answers as they come. `beat` is called every so often; when it says no, there are no more."""
        todo, lock = iter(windows), threading.Lock()

        def next_window() -> Sequence[int] | None:
            with lock:
                return next(todo, None)

        fresh = {self._hands.submit(self._ask, process, self._task, None): process for process in self._parts}
        working: dict[Future[Any], subprocess.Popen[bytes]] = fresh
        while working:
            done, _ = wait(working, timeout=beat_seconds, return_when=FIRST_COMPLETED)
            for future in done:
                process = working.pop(future)
                answer = future.result()
                asked = next_window()
                if asked is not None:
                    again = self._hands.submit(self._ask, process, part.window(asked), part.answer_of)
                    working[again] = process
                if answer is not None:
                    yield answer
            if not beat():
                return

    def _ask(
        self,
        process: subprocess.Popen[bytes],
        line: bytes,
        read: Callable[[bytes], tuple[Tally, list[Difference]]] | None,
    ) -> tuple[Tally, list[Difference]] | None:
        """Hand a process a line and, where it answers that, read what it says."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            answer = b"" if read is None else process.stdout.readline()
        except OSError as failure:
            raise PartFailed(_last_words(process)) from failure
        if read is None:
            return None
        if not answer.endswith(b"\n"):
            raise PartFailed(_last_words(process))
        return read(answer)


def _start() -> subprocess.Popen[bytes]:
    surroundings = {
        **os.environ,
        "DATABASE_URL": database.database_url(),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
    }
    return subprocess.Popen(
        [sys.executable, "-m", part.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=surroundings,
    )


def _last_words(process: subprocess.Popen[bytes]) -> str:
    process.kill()
    said = b"" if process.stderr is None else process.stderr.read()
    return said.decode(errors="replace")[-_LAST_WORDS:]
