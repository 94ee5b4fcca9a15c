"""Long work that somebody asked for: started, watched, cancelled, and its result fetched.

Carrying it out is `jobs.running`. Who started a task sees it, and nobody else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.access import accounts, policy
from ticket_console.jobs.kinds import TaskKind, TaskState
from ticket_console.jobs.tables import Task
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, Forbidden, NotFound
from ticket_console.kernel.settings import settings

_tasks = table(Task)

# What one must be allowed to have such work done; the work itself asks again, for what it touches.
PERMISSIONS: Final[Mapping[TaskKind, str]] = {
    TaskKind.PERIOD_FILES: "settlement.view",
    TaskKind.SHADOW_RUN: "rules.manage",
}
# More at a time would only wait, and hold the worker back from other people's.
MOST_OPEN: Final = 5
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)
_PLAIN_NAME: Final = re.compile(r"[\w.() -]{1,200}")

_START: Final = {
    "sqlite": sqlite.insert(_tasks).on_conflict_do_nothing(index_elements=["org_id", "command_id"]),
    "postgresql": postgresql.insert(_tasks).on_conflict_do_nothing(index_elements=["org_id", "command_id"]),
}


class TaskNotFound(NotFound):
    code = "task.not_found"


class NoResult(NotFound):
    """It is not done, makes no file, or its file is no longer kept."""

    code = "task.no_result"


class TooManyTasks(Conflict):
    code = "task.too_many"


class TaskOver(Conflict):
    code = "task.over"


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as its owner sees it. `failure` is a code with its params, `values` what it came to."""

    id: int
    kind: TaskKind
    args: Mapping[str, Any]
    state: TaskState
    done: int
    total: int
    note: str
    failure: Mapping[str, Any] | None
    values: Mapping[str, Any]
    file_name: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    is_cancel_asked: bool
    may_cancel: bool


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task as whoever operates the console sees it: whose, how far, how often tried; not what it holds."""

    id: int
    kind: TaskKind
    state: TaskState
    done: int
    total: int
    attempts: int
    started_by: str
    failure_code: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ResultFile:
    path: Path
    name: str


def start(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    kind: TaskKind,
    args: Mapping[str, Any],
    command_id: str,
) -> int:
    """Have work done by the worker; the same command again is the same task.

    Raises Forbidden and TooManyTasks. `args` is checked by the work, when it runs.
    """
    policy.require(actor, PERMISSIONS[kind])
    if actor.user_id is None:
        raise Forbidden(permission=PERMISSIONS[kind])
    known = _of_command(connection, actor, command_id)
    if known is not None:
        return known
    waiting = connection.execute(
        sa.select(sa.func.count())
        .select_from(_tasks)
        .where(_tasks.c.created_by == actor.user_id, _tasks.c.state.in_(_OPEN))
    ).scalar_one()
    if waiting >= MOST_OPEN:
        raise TooManyTasks(most=MOST_OPEN)
    connection.execute(
        _START[connection.dialect.name],
        {
            "org_id": actor.org_id,
            "kind": kind,
            "args": dict(args),
            "state": TaskState.QUEUED,
            "done": 0,
            "total": 0,
            "note": "",
            "is_cancel_asked": False,
            "owner": "",
            "attempts": 0,
            "file_name": "",
            "created_by": actor.user_id,
            "created_at": at,
            "command_id": command_id,
        },
    )
    started = _of_command(connection, actor, command_id)
    if started is None:
        # Somebody else's command had the same id.
        raise TaskNotFound()
    return started


def _of_command(connection: Connection, actor: Actor, command_id: str) -> int | None:
    return connection.execute(
        sa.select(_tasks.c.id).where(
            _tasks.c.org_id == actor.org_id,
            _tasks.c.command_id == command_id,
            _tasks.c.created_by == actor.user_id,
        )
    ).scalar_one_or_none()


def cancel(connection: Connection, *, actor: Actor, at: datetime, task_id: int) -> None:
    """Stop it: at once while it waits, at its next sign of life while it runs. Raises TaskOver."""
    mine = sa.and_(_tasks.c.id == task_id, _mine(actor))
    stopped = connection.execute(
        sa.update(_tasks)
        .where(mine, _tasks.c.state == TaskState.QUEUED)
        .values(state=TaskState.CANCELLED, is_cancel_asked=True, ended_at=at)
    )
    if stopped.rowcount:
        return
    told = connection.execute(
        sa.update(_tasks).where(mine, _tasks.c.state == TaskState.RUNNING).values(is_cancel_asked=True)
    )
    if told.rowcount:
        return
    found = view(connection, viewer=actor, task_id=task_id)
    if found.state is not TaskState.CANCELLED:
        raise TaskOver()


def view(connection: Connection, *, viewer: Actor, task_id: int) -> TaskView:
    """One task of the viewer's; raises TaskNotFound."""
    row = connection.execute(sa.select(_tasks).where(_tasks.c.id == task_id, _mine(viewer))).one_or_none()
    if row is None:
        raise TaskNotFound()
    return _view(row)


def of_viewer(
    connection: Connection, *, viewer: Actor, kind: TaskKind | None = None, limit: int = 20
) -> tuple[TaskView, ...]:
    """The viewer's tasks, the newest first."""
    query = sa.select(_tasks).where(_mine(viewer)).order_by(_tasks.c.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(_tasks.c.kind == kind)
    return tuple(_view(row) for row in connection.execute(query))


def of_org(connection: Connection, *, viewer: Actor, limit: int = 50) -> tuple[TaskLine, ...]:
    """Everybody's tasks, the newest first, for whoever may follow the trail of the whole organisation."""
    policy.require_everywhere(viewer, "audit.view")
    rows = connection.execute(
        sa.select(_tasks).where(_tasks.c.org_id == viewer.org_id).order_by(_tasks.c.id.desc()).limit(limit)
    ).all()
    names = accounts.names(connection, viewer.org_id, {row.created_by for row in rows})
    return tuple(
        TaskLine(
            id=row.id,
            kind=row.kind,
            state=row.state,
            done=row.done,
            total=row.total,
            attempts=row.attempts,
            started_by=names.get(row.created_by, ""),
            failure_code=(row.failure or {}).get("code", ""),
            created_at=row.created_at,
            ended_at=row.ended_at,
        )
        for row in rows
    )


def result_file(connection: Connection, *, viewer: Actor, task_id: int) -> ResultFile:
    """Where the file is that a task made, and what it is called. Raises TaskNotFound, Forbidden and NoResult.

    Whoever may do such work no more, or asks with a token that is not for it, does not get its result either.
    """
    found = view(connection, viewer=viewer, task_id=task_id)
    policy.require(viewer, PERMISSIONS[found.kind])
    if found.state is not TaskState.DONE or found.file_name is None:
        raise NoResult()
    path = folder_of(task_id) / found.file_name
    if not path.is_file():
        raise NoResult()
    return ResultFile(path, found.file_name)


def folder_of(task_id: int) -> Path:
    """The folder of a task, which all machines of the console must see."""
    return settings().exports_dir / "tasks" / str(task_id)


def is_plain_name(name: str) -> bool:
    """Whether a result may be called so: nothing that leads out of its folder or breaks a header."""
    return bool(_PLAIN_NAME.fullmatch(name)) and not name.startswith(".")


def _mine(viewer: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(_tasks.c.org_id == viewer.org_id, _tasks.c.created_by == (viewer.user_id or 0))


def _view(row: Any) -> TaskView:
    return TaskView(
        id=row.id,
        kind=row.kind,
        args=row.args,
        state=row.state,
        done=row.done,
        total=row.total,
        note=row.note,
        failure=row.failure,
        values=row.result or {},
        file_name=row.file_name or None,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        is_cancel_asked=row.is_cancel_asked,
        may_cancel=row.state in _OPEN and not row.is_cancel_asked,
    )
