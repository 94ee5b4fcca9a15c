"""The dialog that plans everything: what a browser may ask of it, and what it says of a plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ticket_console.access import sessions
from ticket_console.desk import planning
from ticket_console.desk.planning import DispatchPlan, Outcome, PlannedRow, PlanTotals
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.errors import FieldProblem, Forbidden
from ticket_console.state import planning as screen
from ticket_console.state import session
from ticket_console.state.planning import PlanningState

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
DISPATCHER = Actor(
    kind=ActorKind.USER, org_id=1, display="周明远", user_id=5, grants=(Grant(Role.DISPATCHER, Scope.ORG),)
)
TECHNICIAN = Actor(
    kind=ActorKind.USER, org_id=1, display="李", user_id=6, grants=(Grant(Role.TECHNICIAN, Scope.OWN),)
)
NOT_A_TICKET: tuple[Any, ...] = (None, "1", -1, True, 1.5, 2**63, [], {}, [1], "\x00")
ROWS = tuple(
    PlannedRow(
        ticket_id=number,
        no=f"T-{number}",
        title="空调不制冷",
        priority=2,
        version=3,
        technician_id=70 + number,
        technician=f"tech-{number}",
        distance_km=1.2,
        open_count=1,
        capacity=6,
    )
    for number in (1, 2, 3)
)
PLAN = DispatchPlan(
    rows=ROWS, waiting=5, is_cut=False, whole=PlanTotals(3, 3.6, 8_600), one_by_one=PlanTotals(2, 9.1, 6_900)
)


class Screen:
    """What the handlers need of their State, without Reflex."""

    _admit = session.SessionState._admit
    _resolve = session.SessionState._resolve
    _refused = session.SessionState._refused
    _actor = session.SessionState._actor

    def __init__(self) -> None:
        self.router = SimpleNamespace(url=SimpleNamespace(path="/waiting", query=""))
        self.roles: list[str] = []
        self.phase, self.rows, self.unpicked = "", list[dict[str, Any]](), list[int]()
        self.totals: dict[str, Any] = {}
        self.gains, self.outcomes = list[dict[str, Any]](), list[dict[str, Any]]()
        self.given, self.progress_bp, self.has_moved = 0, 0, False
        self._plan_id, self._seen = "", list[int]()

    def _session_token(self) -> str:
        return "t"

    def _now(self) -> datetime:
        return AT

    def standing(self) -> tuple[Any, ...]:
        return self.phase, list(self.rows), list(self.unpicked), list(self.outcomes)


class Desk:
    """What the commands are asked; `refused` are tickets somebody else was faster with."""

    def __init__(self) -> None:
        self.carried_out: list[tuple[str, list[tuple[int, int, int]]]] = []
        self.refused: set[int] = set()

    def carry_out(
        self, *, actor: Actor, at: datetime, command_id: str, rows: list[tuple[int, int, int]]
    ) -> tuple[Outcome, ...]:
        self.carried_out.append((command_id, rows))
        return tuple(self._outcome(row[0]) for row in rows)

    def _outcome(self, ticket_id: int) -> Outcome:
        if ticket_id not in self.refused:
            return Outcome(ticket_id, f"T-{ticket_id}", "somebody", True)
        problem = FieldProblem("technician_id", "dispatch.failed.full", {"open": 6, "capacity": 6})
        return Outcome(
            ticket_id, "", "", False, "dispatch.not_eligible", {"who": "tech", "at": AT}, (problem,)
        )


@contextmanager
def _reading() -> Iterator[None]:
    yield None


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    sit_down(monkeypatch, DISPATCHER)
    monkeypatch.setattr(screen, "reading", _reading)
    monkeypatch.setattr(planning, "waiting_ids", lambda connection, actor: (1, 2, 3, 4, 5))
    monkeypatch.setattr(planning, "make_plan", lambda actor, at: PLAN)
    monkeypatch.setattr(planning, "carry_out", made.carry_out)

    async def run(work: Any, *args: Any, **kwargs: Any) -> Any:
        return work(*args, **kwargs)

    monkeypatch.setattr(screen, "off_loop", run)
    monkeypatch.setattr(screen, "in_writer", run)
    return made


def sit_down(monkeypatch: pytest.MonkeyPatch, actor: Actor) -> None:
    def resolve(*, token: str, at: datetime) -> Actor:
        return actor

    monkeypatch.setattr(sessions, "resolve", resolve)


async def ask(shown: Screen, name: str, *args: Any) -> list[Any]:
    """Everything a handler answered, as the browser would call it."""
    asked = getattr(PlanningState, name).fn(shown, *args)
    if hasattr(asked, "__aiter__"):
        return [each async for each in asked]
    return [await asked]


async def planned() -> Screen:
    shown = Screen()
    await ask(shown, "plan")
    return shown


def said(answers: list[Any]) -> str:
    return "".join(str(each) for each in answers if each is not None)


async def test_a_plan_shows_its_rows_and_what_it_is_worth(desk: Desk) -> None:
    shown = await planned()

    assert shown.phase == "ready"
    assert [row["ticket_id"] for row in shown.rows] == [1, 2, 3]
    assert (shown.totals["waiting"], shown.totals["left"], shown.totals["is_cut"]) == (5, 2, False)
    assert shown.totals["whole"] == {
        "placed": 3,
        "kilometres": 3.6,
        "score_bp": 8_600,
        "percent": 86,
        "fit": "great",
    }
    assert shown.totals["one_by_one"]["fit"] == "good"
    assert shown.gains == [
        {"key": "planning.gain.placed", "params": {"n": 1}, "is_good": True},
        {"key": "planning.gain.shorter", "params": {"km": 5.5}, "is_good": True},
        {"key": "planning.gain.fitter", "params": {"n": 17}, "is_good": True},
    ]
    assert desk.carried_out == []


@pytest.mark.parametrize(
    ("whole", "singly", "gains"),
    [
        (PlanTotals(3, 3.6, 8_600), PlanTotals(3, 3.6, 8_650), []),
        (PlanTotals(3, 5.0, 8_600), PlanTotals(3, 3.6, 8_600), [("planning.gain.longer", {"km": 1.4})]),
        (PlanTotals(3, 3.6, 8_500), PlanTotals(3, 3.6, 8_600), [("planning.gain.less_fit", {"n": 1})]),
    ],
)
def test_what_a_plan_has_over_one_by_one_is_told_whichever_way_it_is(
    whole: PlanTotals, singly: PlanTotals, gains: list[tuple[str, dict[str, Any]]]
) -> None:
    assert [(each["key"], each["params"]) for each in screen._gains(whole, singly)] == gains


async def test_a_plan_that_cannot_be_made_says_so_and_can_be_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await planned()

    def break_down(**_: Any) -> DispatchPlan:
        raise Forbidden()

    with monkeypatch.context() as broken:
        broken.setattr(planning, "make_plan", break_down)
        await ask(shown, "plan")
    assert (shown.phase, shown.rows) == ("failed", [])

    await ask(shown, "plan")
    assert (shown.phase, len(shown.rows)) == ("ready", 3)


async def test_rows_that_were_left_out_are_not_carried_out(desk: Desk) -> None:
    shown = await planned()
    await ask(shown, "pick", 2, False)
    await ask(shown, "pick", 2, False)
    assert shown.unpicked == [2]

    answers = await ask(shown, "apply")

    assert [rows for _, rows in desk.carried_out] == [[(1, 3, 71), (3, 3, 73)]]
    assert (shown.phase, shown.given, shown.progress_bp) == ("done", 2, 10_000)
    assert "planning.all_given" in said(answers)


async def test_refused_rows_come_first_with_everything_that_speaks_against_them(desk: Desk) -> None:
    shown = await planned()
    desk.refused = {3}

    answers = await ask(shown, "apply")

    assert [(each["ticket_id"], each["is_done"]) for each in shown.outcomes] == [
        (3, False),
        (1, True),
        (2, True),
    ]
    refused = shown.outcomes[0]
    assert (refused["no"], refused["technician"], refused["code"]) == (
        "T-3",
        "tech-3",
        "dispatch.not_eligible",
    )
    assert refused["params"] == {"who": "tech", "at": "2026-11-21T02:00:00.000000Z"}
    assert [(each["code"], each["params"]) for each in refused["problems"]] == [
        ("dispatch.failed.full", {"open": 6, "capacity": 6})
    ]
    assert "planning.some_given" in said(answers)


async def test_a_plan_is_carried_out_once_and_never_without_rows(desk: Desk) -> None:
    shown = await planned()
    await ask(shown, "pick_all", False)
    await ask(shown, "apply")
    assert (shown.phase, desk.carried_out) == ("ready", [])

    await ask(shown, "pick_all", True)
    await ask(shown, "apply")
    await ask(shown, "apply")
    assert [len(rows) for _, rows in desk.carried_out] == [3]

    await ask(shown, "close")
    await ask(shown, "apply")
    assert len(desk.carried_out) == 1
    assert shown.standing() == ("", [], [], [])


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        *[("pick", (wrong, False), "input.wrong_type") for wrong in NOT_A_TICKET],
        ("pick", (1, "no"), "input.wrong_type"),
        ("pick", (1, None), "input.wrong_type"),
        ("pick", (99, True), "planning.not_in_plan"),
        ("pick_all", ("yes",), "input.wrong_type"),
        ("pick_all", ({},), "input.wrong_type"),
    ],
    ids=repr,
)
async def test_what_no_row_can_be_is_refused_and_nothing_changes(
    desk: Desk, name: str, args: tuple[Any, ...], code: str
) -> None:
    shown = await planned()
    before = shown.standing()

    answers = await ask(shown, name, *args)

    assert code in said(answers)
    assert shown.standing() == before


@pytest.mark.parametrize("name", ["arrive", "plan", "apply", "close"])
async def test_who_may_not_assign_plans_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shown = await planned()
    before = shown.standing()
    sit_down(monkeypatch, TECHNICIAN)

    answers = await ask(shown, name)

    assert "access.forbidden" in said(answers)
    assert shown.standing() == before
    assert desk.carried_out == []
