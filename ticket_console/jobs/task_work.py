"""Who does which long work. What a task does lies in the rooms; here is only which one is asked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ticket_console.jobs import running
from ticket_console.jobs.kinds import TaskKind
from ticket_console.jobs.running import Work
from ticket_console.kernel.clock import SystemClock
from ticket_console.settlement import bundles, shadow_work

WORK: Final[Mapping[TaskKind, Work]] = {
    TaskKind.PERIOD_FILES: bundles.build,
    TaskKind.SHADOW_RUN: shadow_work.build,
}


def start_tasks(at: datetime) -> Mapping[str, int]:
    """Take up what waits, beside the other chores."""
    return running.start_running(WORK, SystemClock())
