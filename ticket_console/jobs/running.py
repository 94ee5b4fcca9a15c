"""Carrying tasks out: claimed by one worker, watched by a heartbeat, tried again when its worker dies.

A task runs in a thread of its own beside the chores, one at a time in a worker. What it has written into
its folder stays there for the next try; whether that is of use is for the work to say.
"""

import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import sqlalchemy as sa
import structlog

from ticket_console.access import actors, policy
from ticket_console.jobs import tasks
from ticket_console.jobs.kinds import TaskKind, TaskState
from ticket_console.jobs.schedules import OWNER
from ticket_console.jobs.tables import Task
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.clock import Clock
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.long_work import Cancelled, Done, Progress

log = structlog.get_logger(__name__)

# A worker silent for so long is taken for dead; a live one says that it is every few seconds.
DEAD_AFTER: Final = timedelta(minutes=1)
ALIVE_SECONDS: Final = 10.0
MOST_TRIES: Final = 3
KEEP: Final = timedelta(days=7)
# Progress is written this often at the most, however often the work tells it.
BEAT_SECONDS: Final = 1.0
INTERRUPTED: Final = "task.interrupted"
BROKEN: Final = "task.broken"
_NOTE: Final = 200

_tasks = table(Task)
_busy: Final = threading.Lock()


class Work(Protocol):
    """Does the work, for somebody with the rights they have now; only into the folder, and what it posts.

    It may be begun again after its worker has died, with the same folder.
    """

    def __call__(
        self, *, actor: Actor, at: datetime, args: Mapping[str, Any], folder: Path, progress: Progress
    ) -> Done: ...


class LostTask(Exception):
    """Another worker has taken the task over; this one lets go of it."""


@dataclass(frozen=True, slots=True)
class Claimed:
    id: int
    kind: TaskKind
    args: Mapping[str, Any]
    created_by: int
    attempts: int


def start_running(works: Mapping[TaskKind, Work], clock: Clock) -> Mapping[str, int]:
    """Carry waiting tasks out beside the other chores, one after the other."""
    if not _is_waiting(works, clock.now()) or not _busy.acquire(blocking=False):
        return {}

    def run() -> None:
        try:
            while run_one(works, clock):
                pass
        except Exception as failure:
            log.error("task.runner_failed", exc_info=failure)
        finally:
            _busy.release()

    threading.Thread(target=run, name="console-tasks", daemon=True).start()
    return {"started": 1}


def run_one(works: Mapping[TaskKind, Work], clock: Clock, *, owner: str = OWNER) -> bool:
    """Carry one waiting task out in this thread; false when none waits."""
    claimed = _claim(works, clock.now(), owner)
    if claimed is None:
        return False
    beat = _Heartbeat(claimed, clock, owner)
    try:
        with reading() as connection:
            actor = actors.load_actor(connection, claimed.created_by)
        policy.require(actor, tasks.PERMISSIONS[claimed.kind])
        folder = tasks.folder_of(claimed.id)
        if claimed.attempts == 1:
            # Left by a task of the same number, of a database that is no more.
            shutil.rmtree(folder, ignore_errors=True)
        # Others who have an account on the machine have no business with what people earn.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with beat.kept_up():
            done = works[claimed.kind](
                actor=actor, at=clock.now(), args=claimed.args, folder=folder, progress=beat.tell
            )
        ending: dict[str, Any] = {
            "state": TaskState.DONE,
            "result": dict(done.values),
            "file_name": _kept(folder, done.file),
            "note": "",
        }
        if beat.total:
            ending["done"] = beat.total
    except LostTask:
        log.warning("task.lost", task_id=claimed.id)
        return True
    except Cancelled:
        ending = {"state": TaskState.CANCELLED, "note": ""}
    except ConsoleError as refusal:
        ending = {
            "state": TaskState.FAILED,
            "failure": {"code": refusal.code, "params": dict(refusal.params)},
        }
    except Exception as failure:
        log.error("task.failed", task_id=claimed.id, kind=claimed.kind.value, exc_info=failure)
        ending = {"state": TaskState.FAILED, "failure": {"code": BROKEN, "params": {}}}
    if _end(claimed, clock.now(), owner, ending) and ending["state"] is not TaskState.DONE:
        shutil.rmtree(tasks.folder_of(claimed.id), ignore_errors=True)
    return True


def _kept(folder: Path, file: Path | None) -> str:
    """The name of the result, which must lie in the folder; anything else there was only on the way."""
    if file is not None and (file.parent != folder or not tasks.is_plain_name(file.name)):
        raise ValueError(f"a result lies in the folder of its task, under a plain name: {file}")
    for other in folder.iterdir():
        if other == file:
            continue
        if other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
        else:
            other.unlink()
    return "" if file is None else file.name


class _Heartbeat:
    """Tells the row how far the work is, and the work that it is no longer wanted."""

    def __init__(self, claimed: Claimed, clock: Clock, owner: str) -> None:
        self._claimed = claimed
        self._clock = clock
        self._owner = owner
        self._last = -BEAT_SECONDS
        self.total = 0

    @contextmanager
    def kept_up(self) -> Iterator[None]:
        """Say that the worker lives for as long as the block runs, however seldom the work tells anything."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(ALIVE_SECONDS):
                try:
                    _live(self._claimed, self._owner, self._clock.now())
                except Exception as failure:
                    log.warning("task.heartbeat_failed", task_id=self._claimed.id, exc_info=failure)

        pulse = threading.Thread(target=beat, name="console-task-pulse", daemon=True)
        pulse.start()
        try:
            yield
        finally:
            over.set()
            pulse.join()

    def tell(self, done: int, total: int, note: str = "") -> None:
        self.total = total
        if time.monotonic() - self._last < BEAT_SECONDS:
            return
        self._last = time.monotonic()
        if _beat(self._claimed, self._owner, self._clock.now(), done, total, note):
            raise Cancelled()


@retried
def _beat(claimed: Claimed, owner: str, at: datetime, done: int, total: int, note: str) -> bool:
    """Whether the task is to stop; raises LostTask."""
    with transaction() as connection:
        stop = connection.execute(
            sa.update(_tasks)
            .where(_held(claimed, owner))
            .values(heartbeat_at=at, done=done, total=total, note=note[:_NOTE])
            .returning(_tasks.c.is_cancel_asked)
        ).scalar_one_or_none()
    if stop is None:
        raise LostTask()
    return bool(stop)


@retried
def _live(claimed: Claimed, owner: str, at: datetime) -> None:
    with transaction() as connection:
        connection.execute(sa.update(_tasks).where(_held(claimed, owner)).values(heartbeat_at=at))


def _held(claimed: Claimed, owner: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        _tasks.c.id == claimed.id,
        _tasks.c.state == TaskState.RUNNING,
        _tasks.c.owner == owner,
        _tasks.c.attempts == claimed.attempts,
    )


def _waiting(works: Mapping[TaskKind, Work], at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        _tasks.c.kind.in_(list(works)),
        sa.or_(_tasks.c.state == TaskState.QUEUED, _is_silent(at)),
    )


def _is_silent(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_tasks.c.state == TaskState.RUNNING, _tasks.c.heartbeat_at <= at - DEAD_AFTER)


def _is_waiting(works: Mapping[TaskKind, Work], at: datetime) -> bool:
    with reading() as connection:
        found = connection.execute(sa.select(_tasks.c.id).where(_waiting(works, at)).limit(1)).first()
    return found is not None


@retried
def _claim(works: Mapping[TaskKind, Work], at: datetime, owner: str) -> Claimed | None:
    """Take up the task that has waited longest; those that were tried too often are failed on the way."""
    with transaction() as connection:
        connection.execute(
            sa.update(_tasks)
            .where(_is_silent(at), sa.or_(_tasks.c.attempts >= MOST_TRIES, _tasks.c.is_cancel_asked))
            .values(
                state=sa.case(
                    (_tasks.c.is_cancel_asked, TaskState.CANCELLED.value), else_=TaskState.FAILED.value
                ),
                failure=sa.case(
                    (_tasks.c.is_cancel_asked, sa.null()),
                    else_=sa.literal(
                        {"code": INTERRUPTED, "params": {"tries": MOST_TRIES}}, _tasks.c.failure.type
                    ),
                ),
                ended_at=at,
            )
        )
        oldest = (
            sa.select(_tasks.c.id)
            .where(_waiting(works, at))
            .order_by(_tasks.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        row = connection.execute(
            sa.update(_tasks)
            .where(_tasks.c.id == oldest)
            .values(
                state=TaskState.RUNNING,
                owner=owner,
                attempts=_tasks.c.attempts + 1,
                heartbeat_at=at,
                started_at=sa.func.coalesce(_tasks.c.started_at, sa.literal(at, _tasks.c.started_at.type)),
            )
            .returning(_tasks.c.id, _tasks.c.kind, _tasks.c.args, _tasks.c.created_by, _tasks.c.attempts)
        ).one_or_none()
    return None if row is None else Claimed(*row)


@retried
def _end(claimed: Claimed, at: datetime, owner: str, values: Mapping[str, Any]) -> bool:
    """Write how it ended; false when it is no longer this worker's to say."""
    with transaction() as connection:
        ended = connection.execute(
            sa.update(_tasks).where(_held(claimed, owner)).values(ended_at=at, heartbeat_at=at, **values)
        )
    return ended.rowcount == 1


def forget_old_results(at: datetime) -> Mapping[str, int]:
    """Remove the files of tasks that have been over for long, however they ended; their rows stay.

    Looked for is what lies there: a task that killed its worker left files and no name of one.
    """
    root = tasks.folder_of(0).parent
    lying = [int(each.name) for each in root.iterdir() if each.name.isdecimal()] if root.is_dir() else []
    over = sa.and_(_tasks.c.id.in_(lying), _tasks.c.ended_at < at - KEEP)
    with reading() as connection:
        ids = connection.execute(sa.select(_tasks.c.id).where(over)).scalars().all()
    for task_id in ids:
        shutil.rmtree(tasks.folder_of(task_id), ignore_errors=True)
        with transaction() as connection:
            connection.execute(sa.update(_tasks).where(_tasks.c.id == task_id).values(file_name=""))
    return {"forgotten": len(ids)}
