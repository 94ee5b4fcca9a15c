"""The past weeks of the demo company, lived through in the order of time, each step a command of the desk."""

import heapq
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from ticket_console.clocks import timers
from ticket_console.clocks.calendars import business_time
from ticket_console.demo.answers import NoAnswer
from ticket_console.demo.cast import Cast
from ticket_console.demo.conduct import do_step
from ticket_console.demo.places import BOSTON, BOSTON_TZ, CHINA_TZ
from ticket_console.demo.requests import NUMBER_PREFIX, next_request
from ticket_console.demo.standing import Step, steps_of
from ticket_console.desk import moving
from ticket_console.flows.elements import Node, NodeKind
from ticket_console.intake import receiving
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.tickets.tables import OwnerKind

log = structlog.get_logger(__name__)

# Five weeks always reach into two settlement months.
DAYS: Final = 35
REQUESTS: Final = 400
# The share of all requests that comes on the last days, so that the board of today is full.
RECENT_DAYS: Final = 2
RECENT_SHARE: Final = 0.5
_OPENS, _CLOSES = time(8), time(20)
# Nobody starts a job after this that need not be done today.
_LAST_START: Final = time(16, 30)
# Relative weight of each hour of the day, midnight first.
_HOURS: Final = (1, 1, 1, 1, 1, 1, 2, 6, 18, 24, 26, 22, 14, 18, 22, 22, 20, 16, 12, 10, 8, 6, 3, 2)
# Median minutes until a step is done, by who does it.
_MEDIAN_MINUTES: Final = {OwnerKind.TECHNICIAN: 120, OwnerKind.QUEUE: 90, OwnerKind.CUSTOMER: 480}
_ON_SITE_MINUTES: Final = 140
# The share of steps that nobody gets round to for days, and how much longer they take.
_STUCK: Final = 0.06
_STUCK_FACTOR: Final = 25


@dataclass(slots=True)
class Lived:
    """What came of it; `refused` counts what the desk would not do, which a healthy demo has none of."""

    requests: int = 0
    steps: int = 0
    refused: int = 0


@dataclass(order=True, slots=True)
class _Appointment:
    """Something that will happen: a request comes in, a step is done, a timer fires."""

    at: datetime
    order: int
    ticket_id: int | None = field(default=None, compare=False)
    token_id: int | None = field(default=None, compare=False)
    is_timer: bool = field(default=False, compare=False)


def live_through(cast: Cast, *, until: datetime, seed: int, requests: int = REQUESTS) -> Lived:
    """Let `requests` requests come in over the five weeks before `until` and be worked on by the cast."""
    weeks = _Weeks(cast, until, Random(seed))
    weeks.plan_requests(requests)
    return weeks.run()


class _Weeks:
    """A calendar of appointments, and the clock that goes from one to the next."""

    def __init__(self, cast: Cast, until: datetime, chance: Random) -> None:
        self.cast = cast
        self.until = until
        self.chance = chance
        self.lived = Lived()
        self._calendar: list[_Appointment] = []
        self._made = 0
        self._expected: set[int] = set()
        self._zones: dict[int, ZoneInfo] = {}

    def plan_requests(self, count: int) -> None:
        recent = round(count * RECENT_SHARE)
        for number in range(count):
            last, first = (RECENT_DAYS, 0) if number < recent else (DAYS, RECENT_DAYS)
            self._appoint(self._moment_between(last, first))

    def run(self) -> Lived:
        while self._calendar:
            appointment = heapq.heappop(self._calendar)
            if appointment.at >= self.until:
                break
            try:
                self._keep(appointment)
            except (ConsoleError, NoAnswer) as refusal:
                self.lived.refused += 1
                log.warning("demo.refused", ticket_id=appointment.ticket_id, refusal=repr(refusal))
        return self.lived

    def _moment_between(self, days_ago: int, days_later: int) -> datetime:
        """A moment some days ago, at an hour at which people ask for service."""
        zone = ZoneInfo(CHINA_TZ)
        while True:
            day = self.until.astimezone(zone) - timedelta(days=self.chance.uniform(days_later, days_ago))
            hour = self.chance.choices(range(24), _HOURS)[0]
            at = day.replace(hour=hour, minute=self.chance.randrange(60), second=self.chance.randrange(60))
            if at < self.until:
                return at.astimezone(self.until.tzinfo)

    def _appoint(
        self,
        at: datetime,
        *,
        ticket_id: int | None = None,
        token_id: int | None = None,
        is_timer: bool = False,
    ) -> None:
        self._made += 1
        heapq.heappush(self._calendar, _Appointment(at, self._made, ticket_id, token_id, is_timer))

    def _keep(self, appointment: _Appointment) -> None:
        if appointment.ticket_id is None:
            self._receive(appointment)
        elif appointment.is_timer:
            self._fire_timers(appointment)
        else:
            self._do(appointment, appointment.ticket_id)

    def _receive(self, appointment: _Appointment) -> None:
        number = f"{NUMBER_PREFIX}{appointment.order:06}"
        request = next_request(self.cast, self.chance, at=appointment.at, number=number)
        receipt = receiving.receive(
            actor=self.cast.channel(request.channel),
            at=appointment.at,
            channel=request.channel,
            delivery_key=number,
            payload=request.payload,
        )
        self.lived.requests += 1
        if receipt.ticket_id is not None:
            in_boston = request.payload.get("region") == BOSTON.code
            self._zones[receipt.ticket_id] = ZoneInfo(BOSTON_TZ if in_boston else CHINA_TZ)
            self._expect(receipt.ticket_id, appointment.at)

    def _fire_timers(self, appointment: _Appointment) -> None:
        with reading() as connection:
            due = timers.due(connection, at=appointment.at)
        for timer in due:
            moving.fire_timer(
                at=appointment.at,
                org_id=timer.org_id,
                ticket_id=timer.ticket_id,
                token_id=timer.token_id,
                timer_id=timer.timer_id,
            )
            self._expect(timer.ticket_id, appointment.at)

    def _do(self, appointment: _Appointment, ticket_id: int) -> None:
        with reading() as connection:
            steps = steps_of(connection, ticket_id)
        step = next((step for step in steps if step.token_id == appointment.token_id), None)
        if step is None:
            return
        done = do_step(
            self.cast, step, self.chance, at=appointment.at, command_id=f"demo:{appointment.order}"
        )
        self.lived.steps += 1
        self._expected.discard(step.token_id)
        self._expect(ticket_id, appointment.at if done else appointment.at + timedelta(hours=4))

    def _expect(self, ticket_id: int, at: datetime) -> None:
        """Make an appointment for every step of a ticket that has none yet."""
        with reading() as connection:
            steps = steps_of(connection, ticket_id)
        for step in steps:
            if step.token_id in self._expected:
                continue
            self._expected.add(step.token_id)
            self._appoint(
                self._when(step, at),
                ticket_id=ticket_id,
                token_id=step.token_id,
                is_timer=step.node.kind is NodeKind.TIMER,
            )

    def _over(self, timer: Node, at: datetime) -> datetime:
        wait = timedelta(seconds=timer.delay_seconds or 0)
        if timer.calendar is None:
            return at + wait
        with reading() as connection:
            return business_time(connection, self.cast.org_id, timer.calendar).add(at, wait)

    def _when(self, step: Step, at: datetime) -> datetime:
        """When somebody gets round to a step: mostly soon, sometimes late, now and then not for days."""
        if step.node.kind is NodeKind.TIMER:
            return self._over(step.node, at)
        on_site = "photo" in step.node.evidence
        median = _ON_SITE_MINUTES if on_site else _MEDIAN_MINUTES.get(step.owner_kind, 60)
        minutes = median * self.chance.lognormvariate(0, 0.6) * (0.35 if step.is_urgent else 1)
        if not on_site and self.chance.random() < _STUCK:
            minutes *= _STUCK_FACTOR
        when = at + timedelta(minutes=minutes)
        if on_site or (step.is_urgent and step.owner_kind is OwnerKind.TECHNICIAN):
            return when
        closes = _LAST_START if step.owner_kind is OwnerKind.TECHNICIAN else _CLOSES
        return self._in_hours(when, self._zones[step.ticket_id], closes)

    def _in_hours(self, at: datetime, zone: ZoneInfo, closes: time) -> datetime:
        """The moment itself within working hours, else some time after the next opening."""
        local = at.astimezone(zone)
        if _OPENS <= local.time() < closes:
            return at
        morning = local.replace(hour=_OPENS.hour, minute=0, second=0, microsecond=0)
        if local.time() >= closes:
            morning += timedelta(days=1)
        return (morning + timedelta(minutes=self.chance.randint(0, 90))).astimezone(at.tzinfo)
