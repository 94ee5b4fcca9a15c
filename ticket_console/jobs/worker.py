"""The worker: what the console does by itself, again and again, in a thread of the web process or alone.

Any number of workers may run on one database: every row they take up is claimed in the transaction
that carries it out.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from ticket_console.jobs import checking, chores, daily_reports, running, sending, task_work
from ticket_console.kernel.clock import Clock

log = structlog.get_logger(__name__)

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so often; `run` gets the instant and says how many of what it dealt with.

    Without `every` it is done once, when the worker starts.
    """

    name: str
    every: timedelta | None
    run: Callable[[datetime], Counts]


CHORES: Final = (
    Chore("intake_at_start", None, chores.recover_all_intake),
    Chore("timers", timedelta(seconds=1), chores.fire_timers),
    Chore("linked_tickets", timedelta(seconds=1), sending.open_linked_tickets),
    Chore("webhooks", timedelta(seconds=2), sending.start_calling_webhooks),
    Chore("notices", timedelta(seconds=2), sending.start_sending_notices),
    Chore("intake", timedelta(seconds=30), chores.recover_intake),
    Chore("waiting", timedelta(seconds=20), chores.look_again),
    Chore("plans", timedelta(seconds=20), chores.carry_out_plans),
    Chore("surges", timedelta(minutes=1), chores.watch_surges),
    Chore("months", timedelta(minutes=10), chores.recount_months),
    Chore("schedules", timedelta(seconds=20), daily_reports.run_schedules),
    Chore("tasks", timedelta(seconds=2), task_work.start_tasks),
    Chore("results", timedelta(hours=1), running.forget_old_results),
    Chore("laws", timedelta(minutes=5), checking.start_checking_laws),
    Chore("sessions", timedelta(hours=1), chores.forget_old_sessions),
    Chore("positions", timedelta(hours=1), chores.forget_old_positions),
)
IDLE_SECONDS: Final = 0.5
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Worker:
    """Runs every chore when its time has come, each at once after the start.

    A chore that breaks is logged and tried again in its next turn; it never stops the others.
    """

    def __init__(
        self, clock: Clock, *, chores: Sequence[Chore] = CHORES, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._clock = clock
        self._chores = chores
        self._idle_seconds = idle_seconds
        self._next: dict[str, datetime] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work in a thread of this process until `stop`."""
        if self._thread is not None:
            raise RuntimeError("the worker was started before")
        self._thread = threading.Thread(target=self.run, name="console-worker", daemon=True)
        self._thread.start()

    def stop(self, *, patience_seconds: float = 10.0) -> bool:
        """Finish what is being done and end; false where that took longer than the patience."""
        self._stop.set()
        if self._thread is None:
            return True
        self._thread.join(patience_seconds)
        return not self._thread.is_alive()

    def run(self) -> None:
        """Work in this thread until somebody calls `stop`."""
        log.info("worker.started", chores=[chore.name for chore in self._chores])
        while not self._stop.is_set():
            self.run_due()
            self._stop.wait(self._idle_seconds)
        log.info("worker.stopped")

    def run_due(self) -> None:
        """Do the chores whose time has come, once."""
        for chore in self._chores:
            at = self._clock.now()
            if at < self._next.get(chore.name, at) or self._stop.is_set():
                continue
            self._next[chore.name] = _NEVER if chore.every is None else at + chore.every
            try:
                counts = chore.run(at)
            except Exception as failure:
                # Whatever broke, the database gone included, may have healed by the next turn.
                log.error("worker.chore_failed", chore=chore.name, exc_info=failure)
                continue
            say = log.info if any(counts.values()) else log.debug
            say("worker.chore_done", chore=chore.name, **counts)
