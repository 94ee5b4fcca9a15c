"""All the papers of the period on screen as one zip: asked for, watched, called off, fetched."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from ticket_console.jobs import tasks
from ticket_console.jobs.kinds import TaskKind, TaskState
from ticket_console.jobs.tasks import TaskView
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading, transaction
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement import signatures
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.settlement import SettlementState

Plain = dict[str, Any]

_LOOK_SECONDS: Final = 0.7
_OPEN: Final = (TaskState.QUEUED.value, TaskState.RUNNING.value)
_WHOLE: Final = 10_000


class PeriodFilesState(SessionState):
    # {id, state, done, total, bp, failure, href, statements, kilobytes, at} of the period's last zip, if any.
    run: Plain = {}
    # {key, fingerprint, in_use} of the keys that signatures are proven with, the one in use first.
    keys: list[Plain] = []
    period_id: int = 0

    @handler(permission="ticket.view")
    async def open(self) -> Reply:
        """Show the last zip of the period on the page, and go on watching one that is being made."""
        shown = (await self.get_state(SettlementState)).view.get("period")
        self.period_id = int(shown["id"]) if shown and "settlement.view" in self.permissions else 0
        self.run, self.keys = await off_loop(_opened, viewer=self._actor(), period_id=self.period_id)
        return PeriodFilesState.watch if self.run.get("state") in _OPEN else None

    @handler(permission="settlement.view")
    async def start(self, locale: str) -> Reply:
        """Have the zip made, in the language it is asked for in."""
        task_id = await in_writer(
            _start,
            actor=self._actor(),
            at=self._now(),
            args={"period_id": self.period_id, "locale": locale if locale in LOCALES else LOCALES[0]},
            command_id=str(uuid4()),
        )
        self.run = await off_loop(_seen, viewer=self._actor(), task_id=task_id)
        return PeriodFilesState.watch

    @handler(permission="settlement.view", background=True)
    async def watch(self) -> Reply:
        """Tell how far it is until it has ended or another period is looked at."""
        async with self:
            task_id = int(self.run.get("id", 0))
        while task_id:
            await asyncio.sleep(_LOOK_SECONDS)
            seen = await off_loop(_seen, viewer=self._actor(), task_id=task_id)
            async with self:
                if self.run.get("id") != task_id:
                    return None
                self.run = seen
            if seen["state"] not in _OPEN:
                return None
        return None

    @handler(permission="settlement.view")
    async def call_off(self) -> Reply:
        await in_writer(_cancel, actor=self._actor(), at=self._now(), task_id=int(self.run.get("id", 0)))
        return done("settle.zip.called_off")


def _start(*, actor: Actor, at: datetime, args: Mapping[str, Any], command_id: str) -> int:
    with transaction() as conn:
        return tasks.start(
            conn, actor=actor, at=at, kind=TaskKind.PERIOD_FILES, args=args, command_id=command_id
        )


def _cancel(*, actor: Actor, at: datetime, task_id: int) -> None:
    with transaction() as conn:
        tasks.cancel(conn, actor=actor, at=at, task_id=task_id)


def _opened(*, viewer: Actor, period_id: int) -> tuple[Plain, list[Plain]]:
    if not period_id:
        return {}, []
    with reading() as conn:
        runs = tasks.of_viewer(conn, viewer=viewer, kind=TaskKind.PERIOD_FILES)
        keys = signatures.known_keys(conn, viewer=viewer)
    mine = next((run for run in runs if run.args.get("period_id") == period_id), None)
    return {} if mine is None else _shown(mine), [
        {"key": key.public_key, "fingerprint": key.fingerprint, "in_use": key.retired_at is None}
        for key in keys
    ]


def _seen(*, viewer: Actor, task_id: int) -> Plain:
    with reading() as conn:
        return _shown(tasks.view(conn, viewer=viewer, task_id=task_id))


def _shown(task: TaskView) -> Plain:
    is_made = task.state is TaskState.DONE and task.file_name is not None
    return {
        "id": task.id,
        "state": task.state.value,
        "done": task.done,
        "total": task.total,
        "bp": _WHOLE * task.done // task.total if task.total else 0,
        "failure": dict(task.failure or {}),
        "href": f"/api/v1/tasks/{task.id}/file" if is_made else "",
        "statements": int(task.values.get("statements", 0)),
        "kilobytes": -(-int(task.values.get("bytes", 0)) // 1024),
        "at": task.ended_at.isoformat() if task.ended_at else "",
    }
