"""The dialog of day routes: what a browser may ask of it, and what it says of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ticket_console.access import sessions
from ticket_console.desk import plan, routing
from ticket_console.desk.planning import Outcome
from ticket_console.desk.routing import (
    DayRoutes,
    LeftJob,
    PersonRoute,
    RoutedVisit,
    RouteTotals,
    WantedVisit,
    WhyLeft,
)
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.errors import FieldProblem
from ticket_console.state import day_routes as screen
from ticket_console.state import session
from ticket_console.state.day_routes import DayRoutesState

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DISPATCHER = Actor(
    kind=ActorKind.USER, org_id=1, display="周明远", user_id=5, grants=(Grant(Role.DISPATCHER, Scope.ORG),)
)
TECHNICIAN = Actor(
    kind=ActorKind.USER, org_id=1, display="李", user_id=6, grants=(Grant(Role.TECHNICIAN, Scope.OWN),)
)


def visit(number: int, hours: float, *, is_late: bool = False) -> RoutedVisit:
    starts_at = AT + hours * HOUR
    return RoutedVisit(
        number, f"T-{number}", "空调不制冷", 3, starts_at, starts_at + HOUR, 12 * MINUTE, is_late
    )


MADE = DayRoutes(
    region_id=4,
    day=date(2026, 11, 21),
    zone=SHANGHAI,
    routes=(
        PersonRoute(71, "李国强", (visit(1, 0), visit(2, 2, is_late=True)), 24 * MINUTE),
        PersonRoute(72, "王磊", (visit(3, 1),), 12 * MINUTE),
    ),
    left=(LeftJob(4, "T-4", "无地址", WhyLeft.NO_PLACE),),
    totals=RouteTotals(3, 36 * MINUTE, 1, 20 * MINUTE),
    one_by_one=RouteTotals(2, 61 * MINUTE, 2, 90 * MINUTE),
)


class Screen:
    """What the handlers need of their State, without Reflex."""

    _admit = session.SessionState._admit
    _resolve = session.SessionState._resolve
    _refused = session.SessionState._refused
    _actor = session.SessionState._actor

    def __init__(self) -> None:
        self.router = SimpleNamespace(
            url=SimpleNamespace(
                path="/timeline",
                query="region=4&day=2026-11-21",
                query_parameters={"region": "4", "day": "2026-11-21"},
            )
        )
        self.roles: list[str] = []
        self.phase, self.rows, self.unpicked = "", list[dict[str, Any]](), list[int]()
        self.left, self.outcomes = list[dict[str, Any]](), list[dict[str, Any]]()
        self.totals: dict[str, Any] = {}
        self.gains = list[dict[str, Any]]()
        self.given, self.progress_bp, self._plan_id = 0, 0, ""

    def _session_token(self) -> str:
        return "t"

    def _now(self) -> datetime:
        return AT


class Desk:
    """What the commands are asked; `refused` are tickets whose hour is taken by now."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, date]] = []
        self.carried_out: list[WantedVisit] = []
        self.refused: set[int] = set()

    def propose(self, *, actor: Actor, at: datetime, region_id: int, day: date) -> DayRoutes:
        self.asked.append((region_id, day))
        return MADE

    def carry_out(
        self, *, actor: Actor, at: datetime, command_id: str, visits: list[WantedVisit]
    ) -> tuple[Outcome, ...]:
        self.carried_out += visits
        return tuple(self._outcome(each.ticket_id) for each in visits)

    def _outcome(self, ticket_id: int) -> Outcome:
        if ticket_id not in self.refused:
            return Outcome(ticket_id, f"T-{ticket_id}", "somebody", True)
        problem = FieldProblem("starts_at", "dispatch.failed.travel", {"minutes": 7})
        return Outcome(ticket_id, "", "", False, "visit.refused", {"who": "李国强"}, (problem,))


@contextmanager
def _reading() -> Iterator[None]:
    yield None


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    sit_down(monkeypatch, DISPATCHER)
    monkeypatch.setattr(screen, "reading", _reading)
    monkeypatch.setattr(plan, "regions_for", lambda connection, viewer, permission: ())
    monkeypatch.setattr(
        screen,
        "window_in",
        lambda regions, viewer, region_id, day, days, at, connection: SimpleNamespace(
            region_id=region_id, first=date.fromisoformat(day)
        ),
    )
    monkeypatch.setattr(routing, "propose", made.propose)
    monkeypatch.setattr(routing, "carry_out", made.carry_out)

    async def run(work: Any, *args: Any, **kwargs: Any) -> Any:
        return work(*args, **kwargs)

    monkeypatch.setattr(screen, "off_loop", run)
    monkeypatch.setattr(screen, "in_writer", run)
    return made


def sit_down(monkeypatch: pytest.MonkeyPatch, actor: Actor) -> None:
    def resolve(*, token: str, at: datetime) -> Actor:
        return actor

    monkeypatch.setattr(sessions, "resolve", resolve)


async def ask(shown: Screen, name: str, *args: Any) -> str:
    """Everything a handler answered, as the browser would call it."""
    asked = getattr(DayRoutesState, name).fn(shown, *args)
    answers = [each async for each in asked] if hasattr(asked, "__aiter__") else [await asked]
    return "".join(str(each) for each in answers if each is not None)


async def planned() -> Screen:
    shown = Screen()
    await ask(shown, "plan")
    return shown


async def test_routes_are_proposed_for_region_and_day_on_the_screen_with_their_gain(
    desk: Desk,
) -> None:
    shown = await planned()

    assert desk.asked == [(4, date(2026, 11, 21))]
    assert shown.phase == "ready"
    assert [
        (row["technician"], row["no"], row["hours"], row["way"], row["is_late"]) for row in shown.rows
    ] == [
        ("李国强", "T-1", "10:00–11:00", 12, False),
        ("李国强", "T-2", "12:00–13:00", 12, True),
        ("王磊", "T-3", "11:00–12:00", 12, False),
    ]
    assert shown.left == [{"ticket_id": 4, "no": "T-4", "title": "无地址", "why": "no_place"}]
    assert shown.totals["whole"] == {"placed": 3, "travel": 36, "late": 1, "late_by": 20}
    assert shown.totals["one_by_one"] == {"placed": 2, "travel": 61, "late": 2, "late_by": 90}
    assert shown.gains == [
        {"key": "routes.gain.more", "params": {"n": 1}, "is_good": True},
        {"key": "routes.gain.shorter", "params": {"n": 25}, "is_good": True},
        {"key": "routes.gain.in_time", "params": {"n": 1}, "is_good": True},
    ]
    assert desk.carried_out == []


async def test_what_is_picked_is_planned_in_the_order_of_time_and_only_once(desk: Desk) -> None:
    shown = await planned()
    await ask(shown, "pick", 2, False)

    said = await ask(shown, "apply")
    await ask(shown, "apply")

    assert desk.carried_out == [
        WantedVisit(1, 3, 71, AT, AT + HOUR),
        WantedVisit(3, 3, 72, AT + HOUR, AT + 2 * HOUR),
    ]
    assert (shown.phase, shown.given, shown.progress_bp) == ("done", 2, 10_000)
    assert "routes.all_planned" in said


async def test_refused_visits_come_first_with_what_speaks_against_them(desk: Desk) -> None:
    shown = await planned()
    desk.refused = {2}

    said = await ask(shown, "apply")

    assert [(each["no"], each["is_done"]) for each in shown.outcomes] == [
        ("T-2", False),
        ("T-1", True),
        ("T-3", True),
    ]
    assert [(each["code"], each["params"]) for each in shown.outcomes[0]["problems"]] == [
        ("dispatch.failed.travel", {"minutes": 7})
    ]
    assert "routes.some_planned" in said


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        *[("pick", (wrong, False), "input.wrong_type") for wrong in (None, "1", -1, True, 1.5, 2**63, [])],
        ("pick", (1, "no"), "input.wrong_type"),
        ("pick", (99, True), "routes.not_in_plan"),
        ("pick_all", ("yes",), "input.wrong_type"),
    ],
)
async def test_forged_picks_are_refused_and_change_nothing(
    desk: Desk, name: str, args: tuple[Any, ...], code: str
) -> None:
    shown = await planned()

    said = await ask(shown, name, *args)

    assert code in said
    assert shown.unpicked == []


@pytest.mark.parametrize(
    ("name", "args"), [("plan", ()), ("pick", (1, False)), ("pick_all", (False,)), ("apply", ())]
)
async def test_nobody_but_who_dispatches_asks_for_routes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str, args: tuple[Any, ...]
) -> None:
    shown = await planned()
    desk.asked.clear()
    sit_down(monkeypatch, TECHNICIAN)

    await ask(shown, name, *args)

    assert (desk.asked, desk.carried_out, shown.unpicked, shown.phase) == ([], [], [], "ready")
