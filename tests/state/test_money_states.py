"""The screens of figures and checks: who is let in, what a failure looks like, and a click too many."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ticket_console.access import sessions
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports.invariants import CheckedLaw
from ticket_console.reports.laws import CounterExample, LawState
from ticket_console.state import invariants as checks
from ticket_console.state import reports, session
from ticket_console.state.invariants import InvariantsState
from ticket_console.state.reports import ReportLinesState, ReportsState

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
FINANCE, TECHNICIAN = (
    Actor(kind=ActorKind.USER, org_id=1, display="顾", user_id=5, grants=(Grant(role, scope),))
    for role, scope in ((Role.FINANCE, Scope.ORG), (Role.TECHNICIAN, Scope.OWN))
)


class Screen:
    """What the handlers need of their State, without Reflex."""

    _admit = session.SessionState._admit
    _resolve = session.SessionState._resolve
    _refused = session.SessionState._refused
    _actor = session.SessionState._actor
    _show = InvariantsState._show

    def __init__(self, **asked: str) -> None:
        self.router = SimpleNamespace(url=SimpleNamespace(path="/reports", query="", query_parameters=asked))
        self.roles: list[str] = []
        self.status, self.view, self.busy = "loading", dict[str, Any](), False

    def _session_token(self) -> str:
        return "t"

    def _now(self) -> datetime:
        return AT


@pytest.fixture
def sit_down(monkeypatch: pytest.MonkeyPatch) -> Callable[[Actor], None]:
    async def run(work: Any, *args: Any, **kwargs: Any) -> Any:
        return work(*args, **kwargs)

    for module in (reports, checks, session):
        monkeypatch.setattr(module, "off_loop", run)
    return lambda actor: monkeypatch.setattr(sessions, "resolve", lambda token, at: actor)


def law(code: str, state: LawState, *, checked_at: datetime = AT) -> CheckedLaw:
    rows = (CounterExample("posting", "7", "0", "1"),) if state is LawState.BROKEN else ()
    since = AT - timedelta(hours=1)
    return CheckedLaw(code, True, False, state, checked_at, 3, 10, len(rows), rows, since)


async def ask(state: Any, name: str, shown: Screen) -> list[Any]:
    asked = getattr(state, name).fn(shown)
    return [each async for each in asked] if hasattr(asked, "__aiter__") else [await asked]


@pytest.mark.parametrize(("state", "look"), [(ReportsState, "look"), (ReportLinesState, "look_at_lines")])
async def test_what_the_address_asks_is_looked_at(
    state: Any, look: str, sit_down: Callable[[Actor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sit_down(FINANCE)
    monkeypatch.setattr(
        reports, look, lambda viewer, at, asked: {"by": asked.by.value, "who": viewer.display}
    )
    shown = Screen(by="team", period="nonsense")

    assert await ask(state, "load", shown) == [None]
    assert (shown.status, shown.view) == ("ready", {"by": "team", "who": "顾"})


@pytest.mark.parametrize("state", [ReportsState, ReportLinesState, InvariantsState])
async def test_whoever_may_not_read_money_sees_nothing_of_it(
    state: Any, sit_down: Callable[[Actor], None]
) -> None:
    sit_down(TECHNICIAN)
    shown = Screen()

    (reply,) = await ask(state, "load", shown)
    assert Forbidden.code in str(reply)
    assert (shown.status, shown.view) == ("loading", {})


@pytest.mark.parametrize(
    ("state", "module", "look"),
    [
        (ReportsState, reports, "look"),
        (ReportLinesState, reports, "look_at_lines"),
        (InvariantsState, checks, "look"),
    ],
)
async def test_a_look_that_breaks_says_so_and_is_told_to_the_log(
    state: Any,
    module: Any,
    look: str,
    sit_down: Callable[[Actor], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("the database is gone")

    sit_down(FINANCE)
    monkeypatch.setattr(module, look, fail)
    shown = Screen()

    with pytest.raises(RuntimeError):
        await ask(state, "load", shown)
    assert shown.status == "failed"


async def test_whoever_reads_a_region_is_told_that_the_checks_are_about_all(
    sit_down: Callable[[Actor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(viewer: Actor) -> None:
        raise Forbidden(permission="settlement.view")

    sit_down(FINANCE)
    monkeypatch.setattr(checks, "look", refuse)
    shown = Screen()

    assert await ask(InvariantsState, "load", shown) == [None]
    assert shown.status == "closed"


@pytest.mark.parametrize(("ago", "checks_again"), [(9, 0), (11, 1)])
async def test_checking_twice_within_moments_checks_once(
    ago: int,
    checks_again: int,
    sit_down: Callable[[Actor], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_down(FINANCE)
    asked: list[datetime] = []
    checked = law("chain", LawState.HOLDS, checked_at=AT - timedelta(seconds=ago))
    monkeypatch.setattr(checks, "reading", nullcontext)
    monkeypatch.setattr(checks.invariants, "results", lambda connection, viewer: (checked,))
    monkeypatch.setattr(checks.invariants, "check", lambda viewer, at: asked.append(at))
    monkeypatch.setattr(checks, "look", lambda viewer: {"laws": 24})
    shown = Screen()

    replies = await ask(InvariantsState, "check_now", shown)
    assert len(asked) == checks_again
    assert ("invariants.just_checked" in str(replies)) == (not checks_again)
    assert shown.busy is False


def test_broken_laws_stand_first_with_the_rows_that_break_them() -> None:
    ordered = checks._ordered([law("journals", LawState.HOLDS), law("chain", LawState.BROKEN)])

    assert [each.code for each in ordered] == ["chain", "journals"]
    shown = checks._law(ordered[0])
    assert shown["examples"] == [{"row": "posting 7", "expected": "0", "found": "1"}]
    assert (shown["tone"], shown["since"]) == ("danger", instant_text(AT - timedelta(hours=1)))
    assert checks._law(ordered[1])["since"] == ""
