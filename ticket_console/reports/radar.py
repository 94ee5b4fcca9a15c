"""Where work will pile up within four hours: queue and late tickets of every stage, and what would help.

The history is read as counts per hour; what is shown beside each forecast is how often the same forecast
held in the last two weeks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.flows import reads as flows
from ticket_console.flows.elements import WAITING_KINDS, HandlerMode
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import roster
from ticket_console.people.candidate import Candidate
from ticket_console.reports.durations import steps_between
from ticket_console.reports.forecasting import (
    BUCKET_SECONDS,
    HOURS,
    WEEK,
    WEEKS,
    Forecast,
    Relief,
    Survival,
    expect_late,
    forecast_queue,
    relieve,
)
from ticket_console.reports.metrics import EVERYTHING, Slice, narrowed
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.tables import Ticket, TokenRow

_tickets = table(Ticket)
_tokens = table(TokenRow)

AHEAD: Final = timedelta(hours=max(HOURS))
PAST: Final = timedelta(hours=WEEKS * WEEK)
# Late tickets are forecast anew for every so many hours of this time, to see how often that held.
CHECKED: Final = timedelta(days=7)
_CHECKED_EVERY: Final = timedelta(hours=4)
# Tickets that were opened longer before are not among those the past forecasts are checked by.
_OLDEST: Final = timedelta(days=21)


@dataclass(frozen=True, slots=True)
class LateOutlook:
    """How many tickets standing at the stage will be late in so many hours that are not late yet."""

    hours: int
    mean: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class StageOutlook:
    """A stage: what stands there, what is expected, and how often such expectations held.

    `late_now` are tickets standing there beyond their time; `late_hits` of `late_tried` forecasts of late
    tickets held. `is_fieldwork`: technicians do at least one of its steps.
    """

    key: str
    name: LocalText
    now: int
    late_now: int
    queue: Forecast
    late: tuple[LateOutlook, ...]
    late_hits: int
    late_tried: int
    is_fieldwork: bool

    @property
    def growth(self) -> float:
        return self.queue.outlooks[-1].mean - self.now


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What would help a stage most: people of the standby pool where there are any, else people lent."""

    stage: str
    stage_name: LocalText
    opens_standby: bool
    relief: Relief


@dataclass(frozen=True, slots=True)
class Radar:
    stages: tuple[StageOutlook, ...]
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class _Place:
    stage: str
    name: LocalText
    order: int
    is_fieldwork: bool


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stay at a stage of a ticket with a time by which it is due."""

    stage: str
    entered_at: datetime
    left_at: datetime | None
    due_at: datetime
    closed_at: datetime | None


def radar(connection: Connection, *, viewer: Actor, at: datetime, slice: Slice = EVERYTHING) -> Radar:
    """Over the tickets the viewer may see. Late tickets are foreseen among those that are there already."""
    policy.require(viewer, "board.view")
    within = sa.and_(_tokens.c.org_id == viewer.org_id, narrowed(connection, viewer, slice))
    places = _Places(connection)
    came = _by_hour(connection, within, _tokens.c.entered_at, at, places)
    left = _by_hour(connection, within, _tokens.c.left_at, at, places)
    standing = _standing(connection, within, at, places)
    before, whole = _survivals(connection, within, at, places)
    stays = _stays(connection, within, at, places)
    outlooks = []
    for key in sorted({*came, *left, *standing}, key=lambda key: (places.known[key].order, key)):
        place = places.known[key]
        held = standing.get(key, [])
        hits, tried = _checked(stays.get(key, ()), before.get(key, Survival()), at)
        outlooks.append(
            StageOutlook(
                key=key,
                name=place.name,
                now=len(held),
                late_now=sum(due is not None and due <= at for _, due in held),
                queue=forecast_queue(_series(came.get(key, {})), _series(left.get(key, {})), len(held)),
                late=tuple(_late(held, whole.get(key, Survival()), at, hours) for hours in HOURS),
                late_hits=hits,
                late_tried=tried,
                is_fieldwork=place.is_fieldwork,
            )
        )
    people = roster.current(connection, viewer.org_id, at=at).candidates
    return Radar(tuple(outlooks), _suggested(outlooks, left, people, slice))


class _Places:
    """Which stage a step belongs to, by the flow its ticket was opened with."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._versions: dict[int, Mapping[str, _Place]] = {}
        self.known: dict[str, _Place] = {}

    def of(self, version_id: int, node_key: str) -> str | None:
        """The stage, or None for what is no step that a ticket waits at."""
        steps = self._versions.get(version_id)
        if steps is None:
            steps = self._versions[version_id] = self._read(version_id)
        place = steps.get(node_key)
        return None if place is None else place.stage

    def _read(self, version_id: int) -> Mapping[str, _Place]:
        graph = flows.compiled(self._connection, version_id)
        order = {stage.key: number for number, stage in enumerate(graph.stages)}
        found = {}
        for node in graph.nodes:
            if node.kind not in WAITING_KINDS:
                continue
            stage = graph.stage_by_key[node.stage]
            is_fieldwork = any(each.mode is HandlerMode.TECHNICIAN for each in node.possible_handlers)
            place = _Place(stage.key, stage.name, order[stage.key], is_fieldwork)
            known = self.known.get(stage.key)
            if known is None or (is_fieldwork and not known.is_fieldwork):
                self.known[stage.key] = place
            found[node.key] = place
        return found


def _by_hour(
    connection: Connection,
    within: sa.ColumnElement[bool],
    moment: sa.Column[Any],
    at: datetime,
    places: _Places,
) -> dict[str, dict[int, int]]:
    """By stage, how many tokens had this moment so many whole hours before now."""
    ago = steps_between(moment, sa.literal(at, moment.type), seconds=3600).label("ago")
    rows = connection.execute(
        sa.select(_tickets.c.flow_version_id, _tokens.c.node_key, ago, sa.func.count().label("tokens"))
        .select_from(_tokens)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .where(within, moment > at - PAST, moment <= at)
        .group_by(_tickets.c.flow_version_id, _tokens.c.node_key, ago)
    )
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        stage = places.of(row.flow_version_id, row.node_key)
        if stage is not None:
            found[stage][int(row.ago)] += int(row.tokens)
    return found


def _series(by_hour: Mapping[int, int]) -> list[int]:
    """The hours in their order, the latest last."""
    return [by_hour.get(ago, 0) for ago in range(WEEKS * WEEK - 1, -1, -1)]


def _standing(
    connection: Connection, within: sa.ColumnElement[bool], at: datetime, places: _Places
) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """By stage: since when each token stands there, and when its ticket is due."""
    rows = connection.execute(
        sa.select(_tickets.c.flow_version_id, _tokens.c.node_key, _tokens.c.entered_at, _tickets.c.due_at)
        .select_from(_tokens)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .where(within, _tokens.c.state == TokenState.ACTIVE, _tokens.c.entered_at <= at)
    )
    found: dict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for row in rows:
        stage = places.of(row.flow_version_id, row.node_key)
        if stage is not None:
            found[stage].append((row.entered_at, row.due_at))
    return found


def _survivals(
    connection: Connection, within: sa.ColumnElement[bool], at: datetime, places: _Places
) -> tuple[dict[str, Survival], dict[str, Survival]]:
    """By stage, how long it took from there to the end of the ticket: as known when the checked time began,
    and as known now."""
    lasted = steps_between(_tokens.c.entered_at, _tickets.c.closed_at, seconds=BUCKET_SECONDS).label("lasted")
    is_old = sa.case((_tickets.c.closed_at < at - CHECKED, 1), else_=0).label("is_old")
    rows = connection.execute(
        sa.select(
            _tickets.c.flow_version_id, _tokens.c.node_key, lasted, is_old, sa.func.count().label("tokens")
        )
        .select_from(_tickets)
        .join(_tokens, _tokens.c.ticket_id == _tickets.c.id)
        .where(within, _tickets.c.closed_at > at - PAST, _tickets.c.closed_at <= at)
        .group_by(_tickets.c.flow_version_id, _tokens.c.node_key, lasted, is_old)
    )
    counts: dict[bool, dict[str, dict[int, int]]] = {
        True: defaultdict(lambda: defaultdict(int)),
        False: defaultdict(lambda: defaultdict(int)),
    }
    for row in rows:
        stage = places.of(row.flow_version_id, row.node_key)
        if stage is not None:
            counts[False][stage][int(row.lasted)] += int(row.tokens)
            if row.is_old:
                counts[True][stage][int(row.lasted)] += int(row.tokens)
    before, whole = (
        {stage: Survival(_dense(histogram)) for stage, histogram in counts[old].items()}
        for old in (True, False)
    )
    return before, whole


def _dense(histogram: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(histogram.get(bucket, 0) for bucket in range(max(histogram) + 1))


def _late(
    held: Iterable[tuple[datetime, datetime | None]], survival: Survival, at: datetime, hours: int
) -> LateOutlook:
    until = at + timedelta(hours=hours)
    mean, low, high = expect_late(
        [
            _chance(survival, entered, due, at)
            for entered, due in held
            if due is not None and at < due <= until
        ]
    )
    return LateOutlook(hours, mean, low, high)


def _chance(survival: Survival, entered_at: datetime, due_at: datetime, at: datetime) -> float:
    return survival.still_open(
        stayed_seconds=(at - entered_at).total_seconds(),
        until_seconds=(due_at - entered_at).total_seconds(),
    )


def _stays(
    connection: Connection, within: sa.ColumnElement[bool], at: datetime, places: _Places
) -> dict[str, list[_Stay]]:
    """By stage, the stays of tickets that were due within the checked time."""
    rows = connection.execute(
        sa.select(
            _tickets.c.flow_version_id,
            _tokens.c.node_key,
            _tokens.c.entered_at,
            _tokens.c.left_at,
            _tickets.c.due_at,
            _tickets.c.closed_at,
        )
        .select_from(_tickets)
        .join(_tokens, _tokens.c.ticket_id == _tickets.c.id)
        .where(
            within,
            _tickets.c.opened_at > at - _OLDEST,
            _tickets.c.due_at > at - CHECKED,
            _tickets.c.due_at <= at,
        )
    )
    found: dict[str, list[_Stay]] = defaultdict(list)
    for row in rows:
        stage = places.of(row.flow_version_id, row.node_key)
        if stage is not None:
            found[stage].append(_Stay(stage, row.entered_at, row.left_at, row.due_at, row.closed_at))
    return found


def _checked(stays: Iterable[_Stay], survival: Survival, at: datetime) -> tuple[int, int]:
    """How many of the forecasts of late tickets within the checked time held, of those that had anything to
    foresee."""
    known = list(stays)
    hits = tried = 0
    instant = at - CHECKED
    while instant <= at - AHEAD:
        until = instant + AHEAD
        concerned = [
            stay
            for stay in known
            if stay.entered_at <= instant < stay.due_at <= until
            and (stay.left_at is None or stay.left_at > instant)
        ]
        if concerned:
            _, low, high = expect_late(
                [_chance(survival, stay.entered_at, stay.due_at, instant) for stay in concerned]
            )
            late = sum(stay.closed_at is None or stay.closed_at > stay.due_at for stay in concerned)
            tried += 1
            hits += low <= late <= high
        instant += _CHECKED_EVERY
    return hits, tried


def _suggested(
    stages: Iterable[StageOutlook],
    left: Mapping[str, Mapping[int, int]],
    people: Iterable[Candidate],
    slice: Slice,
) -> Suggestion | None:
    """The one thing that changes most: for the stage of technicians that is in most need of it."""
    here = [
        each
        for each in people
        if each.is_active and (slice.region_id is None or slice.region_id in each.region_ids)
    ]
    reserve = [each for each in here if each.agreed is not None and each.agreed.is_standby]
    own = [each for each in here if each.vendor_id is None and each.is_on_duty]
    best: Suggestion | None = None
    for stage in stages:
        if not stage.is_fieldwork or not own:
            continue
        finished = left.get(stage.key, {})
        # At the same hours of the weeks before, shared among those who are there.
        usual = sum(
            finished.get(week * WEEK - 1 - hour, 0)
            for week in range(1, WEEKS + 1)
            for hour in range(max(HOURS))
        )
        relief = relieve(
            queue_now=stage.now,
            queue_then=stage.queue.outlooks[-1].mean,
            late=stage.late[-1].mean,
            per_person=usual / WEEKS / len(own),
            most=len(reserve) or len(own),
        )
        if relief is not None and (best is None or _gain(relief) > _gain(best.relief)):
            best = Suggestion(stage.key, stage.name, bool(reserve), relief)
    return best


def _gain(relief: Relief) -> float:
    return relief.queue_before - relief.queue_after + relief.late_before - relief.late_after
