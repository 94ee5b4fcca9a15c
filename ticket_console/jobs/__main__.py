"""Runs a worker by itself: `python -m ticket_console.jobs`."""

import signal
import sys
from types import FrameType

from ticket_console.jobs.worker import Worker
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.settings import BadSetting, settings


def main() -> int:
    try:
        settings()
    except BadSetting as wrong:
        print(wrong, file=sys.stderr)
        return 2
    worker = Worker(SystemClock())

    def end(number: int, frame: FrameType | None) -> None:
        worker.stop(patience_seconds=0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    worker.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
