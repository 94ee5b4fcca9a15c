"""Trying a draft on past work, and putting it in force: the shadow run and the publication."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from ticket_console.access import places
from ticket_console.jobs import tasks
from ticket_console.jobs.kinds import TaskKind, TaskState
from ticket_console.jobs.tasks import TaskView
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading, transaction
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement import drafting
from ticket_console.settlement.comparing import compare_rules
from ticket_console.settlement.shadow_work import BadShadowPeriod, days_of
from ticket_console.state.feedback import done
from ticket_console.state.rulebook import RulebookState, _keep_in_address, change_wire
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_LOOK_SECONDS: Final = 0.7
_OPEN: Final = (TaskState.QUEUED.value, TaskState.RUNNING.value)
_SHARED: Final = 10_000


class RuleShadowState(SessionState):
    since: str = ""
    until: str = ""
    # {id, state, done, total, bp, failure, version_id, since, until, at, is_older} of the run that is shown.
    run: Plain = {}
    result: Plain = {}
    # What publishing would do: {day, changes, against, live, past}; nothing while nobody asks.
    planned: Plain = {}
    _command_id: str = ""

    @handler(permission="rules.manage")
    async def open_tab(self) -> Reply:
        """Show the last run of the version on the page, and go on watching one that is at work."""
        book = await self.get_state(RulebookState)
        version = book._shown()
        found = await off_loop(
            _opened, viewer=self._actor(), at=self._now(), version_id=int(version["id"]), hash=version["hash"]
        )
        for part, value in found.items():
            setattr(self, part, value)
        return RuleShadowState.watch if self.run.get("state") in _OPEN else None

    @handler(permission="rules.manage")
    async def start(self, form: Plain) -> Reply:
        """Run the version on the page in the shadow of the days from one to another."""
        book = await self.get_state(RulebookState)
        version = book._shown()
        args = {
            "version_id": int(version["id"]),
            "since": str(form.get("since", ""))[:10],
            "until": str(form.get("until", ""))[:10],
        }
        since, until = days_of(args)
        task_id = await in_writer(
            _start, actor=self._actor(), at=self._now(), args=args, command_id=str(uuid4())
        )
        self.since, self.until, self.result = since.isoformat(), until.isoformat(), {}
        self.run = (await off_loop(_seen, viewer=self._actor(), task_id=task_id, hash=version["hash"]))["run"]
        return RuleShadowState.watch

    @handler(permission="rules.manage", background=True)
    async def watch(self) -> Reply:
        """Tell how far the run is until it has ended or another one is looked at."""
        async with self:
            task_id = int(self.run.get("id", 0))
            book = await self.get_state(RulebookState)
            wanted = str(book._shown()["hash"])
        while task_id:
            await asyncio.sleep(_LOOK_SECONDS)
            seen = await off_loop(_seen, viewer=self._actor(), task_id=task_id, hash=wanted)
            async with self:
                if self.run.get("id") != task_id:
                    return None
                self.run, self.result = seen["run"], seen["result"]
            if seen["run"]["state"] not in _OPEN:
                return None
        return None

    @handler(permission="rules.manage")
    async def call_off(self) -> Reply:
        await in_writer(_cancel, actor=self._actor(), at=self._now(), task_id=int(self.run.get("id", 0)))
        return done("rulebook.shadow.called_off")

    @handler(permission="rules.manage")
    async def plan(self, day: str) -> Reply:
        """What publishing from a day on would change; nothing is published."""
        book = await self.get_state(RulebookState)
        self._command_id = str(uuid4())
        self.planned = await off_loop(
            planned_publication,
            viewer=self._actor(),
            at=self._now(),
            set_code=str(book.view["set"]),
            version_id=int(book._shown()["id"]),
            day=_day(day or str(book._shown()["from"])),
        )
        return None

    @handler(permission="rules.manage")
    async def stop_planning(self) -> Reply:
        self.planned = {}
        return None

    @handler(permission="rules.manage")
    async def publish(self) -> Reply:
        """Put the draft in force exactly as the dialog described it."""
        planned, self.planned = dict(self.planned), {}
        if not planned:
            return None
        book = await self.get_state(RulebookState)
        try:
            number = await in_writer(
                drafting.publish,
                actor=self._actor(),
                at=self._now(),
                version_id=int(planned["version_id"]),
                effective_from=_day(planned["day"]),
                expected_hash=str(planned["hash"]),
                against_id=planned["against"],
                command_id=self._command_id,
            )
        finally:
            await book._again()
        return [done("rulebook.published", n=number, day=planned["day"]), _keep_in_address("tab", "")]


def _start(*, actor: Actor, at: datetime, args: Mapping[str, Any], command_id: str) -> int:
    with transaction() as conn:
        return tasks.start(
            conn, actor=actor, at=at, kind=TaskKind.SHADOW_RUN, args=args, command_id=command_id
        )


def _cancel(*, actor: Actor, at: datetime, task_id: int) -> None:
    with transaction() as conn:
        tasks.cancel(conn, actor=actor, at=at, task_id=task_id)


def _opened(*, viewer: Actor, at: datetime, version_id: int, hash: str) -> Plain:
    with reading() as conn:
        today = at.astimezone(ZoneInfo(places.org(conn, viewer.org_id).tz)).date()
        runs = tasks.of_viewer(conn, viewer=viewer, kind=TaskKind.SHADOW_RUN)
    mine = next((run for run in runs if run.args.get("version_id") == version_id), None)
    last = today.replace(day=1) - timedelta(days=1)
    if mine is None:
        return {
            "since": last.replace(day=1).isoformat(),
            "until": today.isoformat(),
            "run": {},
            "result": {},
            "planned": {},
        }
    return {
        "since": str(mine.args["since"]),
        "until": str(mine.args["until"]),
        "planned": {},
        **_shown(mine, hash),
    }


def _seen(*, viewer: Actor, task_id: int, hash: str) -> Plain:
    with reading() as conn:
        return _shown(tasks.view(conn, viewer=viewer, task_id=task_id), hash)


def _shown(task: TaskView, hash: str) -> Plain:
    result = dict(task.values) if task.state is TaskState.DONE else {}
    if result:
        result["bars"] = _bars(result["spread"], result["steps"])
    return {
        "run": {
            "id": task.id,
            "state": task.state.value,
            "done": task.done,
            "total": task.total,
            "bp": _SHARED * task.done // task.total if task.total else 0,
            "failure": dict(task.failure or {}),
            "since": str(task.args["since"]),
            "until": str(task.args["until"]),
            "is_older": bool(result) and result["hash"] != hash,
        },
        "result": result,
    }


def _bars(spread: Sequence[int], steps: Sequence[int]) -> list[Plain]:
    """How many tickets change by how many percent."""
    edges = [f"< {steps[0]}%", *(f"{low}–{high}%" for low, high in pairwise(steps)), f"≥ {steps[-1]}%"]
    return [
        {"name": dict.fromkeys(LOCALES, edge.replace("-", "−")), "n": count, "hrefs": {}}
        for edge, count in zip(edges, spread, strict=True)
    ]


def planned_publication(*, viewer: Actor, at: datetime, set_code: str, version_id: int, day: date) -> Plain:
    with reading() as conn:
        today = at.astimezone(ZoneInfo(places.org(conn, viewer.org_id).tz)).date()
        rule_set = next(each for each in drafting.rule_sets(conn, viewer=viewer) if each.code == set_code)
        draft = drafting.rules_of_version(conn, viewer=viewer, version_id=version_id)
        live = rule_set.in_force(day)
        rules = None if live is None else drafting.rules_of_version(conn, viewer=viewer, version_id=live.id)
    return {
        "version_id": version_id,
        "hash": draft.content_hash,
        "day": day.isoformat(),
        "is_past": day <= today,
        "against": None if live is None else live.id,
        "number": 0 if live is None else live.number,
        "until": "" if live is None or live.effective_to is None else live.effective_to.isoformat(),
        "changes": [] if rules is None else [change_wire(each) for each in compare_rules(rules, draft)],
        "rules": len(draft.rules),
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadShadowPeriod((FieldProblem("day", "settlement.rules.not_a_day"),)) from None
