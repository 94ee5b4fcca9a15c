"""What the console does by itself, for whoever operates it: schedules of every zone, everybody's tasks."""

from datetime import datetime
from typing import Any

from ticket_console.jobs import schedules, tasks
from ticket_console.jobs.daily_reports import SCHEDULES
from ticket_console.jobs.schedules import ScheduleLine
from ticket_console.jobs.tasks import TaskLine
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import off_loop, reading
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_FULL = 10_000


class OperationsState(SessionState):
    status: str = "loading"
    schedules: list[Plain] = []
    tasks: list[Plain] = []

    @handler(permission="audit.view")
    async def load(self) -> Reply:
        try:
            view = await off_loop(look, viewer=self._actor(), at=self._now())
        except Exception:
            self.status = "failed"
            raise
        self.schedules, self.tasks = view["schedules"], view["tasks"]
        self.status = "ready"
        return None


def look(*, viewer: Actor, at: datetime) -> Plain:
    with reading() as connection:
        lines = schedules.overview(connection, SCHEDULES, viewer=viewer, at=at)
        long_work = tasks.of_org(connection, viewer=viewer)
    return {
        "schedules": [_schedule(each) for each in lines],
        "tasks": [_task(each) for each in long_work],
    }


def _schedule(line: ScheduleLine) -> Plain:
    return {
        "kind": line.kind.value,
        "hour": f"{line.hour:%H:%M}",
        "zone": line.zone,
        "day": "" if line.local_day is None else line.local_day.isoformat(),
        "state": "" if line.state is None else line.state.value,
        "done_at": None if line.done_at is None else line.done_at.isoformat(),
        "next_at": line.next_at.isoformat(),
        "behind": line.behind,
        "attempts": line.attempts,
        "failure": line.failure,
    }


def _task(line: TaskLine) -> Plain:
    return {
        "id": line.id,
        "kind": line.kind.value,
        "state": line.state.value,
        "share": line.done * _FULL // line.total if line.total else 0,
        "has_share": line.total > 0,
        "attempts": line.attempts,
        "by": line.started_by,
        "failure": line.failure_code,
        "created_at": line.created_at.isoformat(),
        "ended_at": None if line.ended_at is None else line.ended_at.isoformat(),
    }
