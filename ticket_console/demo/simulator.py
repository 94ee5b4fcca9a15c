"""A living day: while it runs, requests come in and the people of the demo work on them.

It touches only tickets that the demo itself asked for: what people open is theirs.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import uuid4

import sqlalchemy as sa
import structlog

from ticket_console.access.tables import Org
from ticket_console.demo.answers import NoAnswer
from ticket_console.demo.cast import Cast, read_cast
from ticket_console.demo.conduct import do_step
from ticket_console.demo.founding import ORG_CODE
from ticket_console.demo.requests import NUMBER_PREFIX, next_request
from ticket_console.demo.standing import count_open, steps_of, untouched_since
from ticket_console.flows.elements import NodeKind
from ticket_console.intake import receiving
from ticket_console.kernel.clock import Clock
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError

log = structlog.get_logger(__name__)

# Between these numbers of open tickets, requests come in about as fast as work is finished.
FEWEST_OPEN: Final = 150
MOST_OPEN: Final = 250
# Nobody moves a card that has only just been moved: people want to see where it went.
REST: Final = timedelta(seconds=20)
PAUSE_SECONDS: Final = 2.5
# A step that somebody could not do is left alone for this long.
LEFT_ALONE: Final = timedelta(minutes=10)

_orgs = table(Org)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one beat of the day brought."""

    received: int = 0
    moved: int = 0
    refused: int = 0


class Simulator:
    """Runs in a thread of the web process while it is switched on; off, it costs nothing."""

    def __init__(
        self, clock: Clock, *, chance: Random | None = None, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        self._clock = clock
        self._chance = chance or Random()
        self._pause_seconds = pause_seconds
        self._cast: Cast | None = None
        self._left_alone: dict[int, datetime] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._switch = threading.Lock()

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Switch it on; on already, nothing happens."""
        with self._switch:
            if self.is_running:
                return
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="console-simulator", daemon=True)
            self._thread.start()

    def stop(self, *, patience_seconds: float = 10.0) -> bool:
        """Switch it off; false where the beat it was in took longer than the patience."""
        with self._switch:
            self._stop.set()
            if self._thread is None:
                return True
            self._thread.join(patience_seconds)
            return not self._thread.is_alive()

    def _run(self) -> None:
        log.info("simulator.started")
        while not self._stop.is_set():
            try:
                self.tick()
            except Exception as failure:
                # A demo must never take the console down with it.
                log.error("simulator.failed", exc_info=failure)
                self._stop.wait(10 * self._pause_seconds)
            self._stop.wait(self._pause_seconds * self._chance.uniform(0.5, 1.5))
        log.info("simulator.stopped")

    def tick(self) -> Tick:
        """One beat: perhaps a request, and one or two steps of work; nothing without the demo company."""
        at = self._clock.now()
        cast = self._known_cast()
        if cast is None:
            return Tick()
        with reading() as connection:
            open_count = count_open(connection, cast.org_id)
            waiting = list(untouched_since(connection, org_id=cast.org_id, before=at - REST))
        received = self._receive(cast, at) if self._wants_request(open_count) else None
        done = [self._work(cast, waiting, at) for _ in range(self._hands(open_count))]
        outcomes = [*done, received]
        return Tick(
            received=int(received is True),
            moved=done.count(True),
            refused=outcomes.count(False),
        )

    def _known_cast(self) -> Cast | None:
        if self._cast is None:
            with reading() as connection:
                org_id = connection.execute(sa.select(_orgs.c.id).where(_orgs.c.code == ORG_CODE)).scalar()
                self._cast = None if org_id is None else read_cast(connection, org_id)
        return self._cast

    def _wants_request(self, open_count: int) -> bool:
        if open_count >= MOST_OPEN:
            return False
        return open_count < FEWEST_OPEN or self._chance.random() < 0.3

    def _hands(self, open_count: int) -> int:
        """How many steps are done in a beat: few while the board is still filling, more when it is full."""
        if open_count < FEWEST_OPEN:
            return 1
        return 2 if open_count < MOST_OPEN else 3

    def _receive(self, cast: Cast, at: datetime) -> bool:
        number = f"{NUMBER_PREFIX}{uuid4().hex[:16]}"
        request = next_request(cast, self._chance, at=at, number=number)
        try:
            receiving.receive(
                actor=cast.channel(request.channel),
                at=at,
                channel=request.channel,
                delivery_key=number,
                payload=request.payload,
            )
        except ConsoleError as refusal:
            log.info("simulator.refused", channel=request.channel, refusal=refusal.code)
            return False
        return True

    def _work(self, cast: Cast, waiting: list[int], at: datetime) -> bool | None:
        """Do one waiting step: True when the ticket moved, False when refused, None for want of a step."""
        for _ in range(5):
            if not waiting:
                return None
            ticket_id = waiting.pop(self._chance.randrange(len(waiting)))
            if self._left_alone.get(ticket_id, at) > at:
                continue
            return self._move(cast, ticket_id, at)
        return None

    def _move(self, cast: Cast, ticket_id: int, at: datetime) -> bool | None:
        with reading() as connection:
            steps = [step for step in steps_of(connection, ticket_id) if step.node.kind is not NodeKind.TIMER]
        if not steps:
            self._leave_alone(ticket_id, at)
            return None
        step = self._chance.choice(steps)
        try:
            moved = do_step(cast, step, self._chance, at=at, command_id=f"sim:{uuid4().hex}")
        except (ConsoleError, NoAnswer) as refusal:
            # Somebody was faster, or the flow now asks for what only a person knows.
            log.info("simulator.refused", ticket_id=ticket_id, refusal=repr(refusal))
            self._leave_alone(ticket_id, at)
            return False
        if not moved:
            self._leave_alone(ticket_id, at)
        return True if moved else None

    def _leave_alone(self, ticket_id: int, at: datetime) -> None:
        self._left_alone = {each: until for each, until in self._left_alone.items() if until > at}
        self._left_alone[ticket_id] = at + LEFT_ALONE
