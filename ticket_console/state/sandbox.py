"""Branches of the live plan: their list, one of them beside the plan, gestures in it, and its commit."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import reflex as rx

from ticket_console.desk import plan, rostering
from ticket_console.desk.sandbox import branching, committing, looking
from ticket_console.desk.sandbox.committing import Choice, Committed, Decided
from ticket_console.desk.sandbox.judging import Said
from ticket_console.desk.sandbox.looking import Moved, News, SandboxLine, SandboxView
from ticket_console.dispatch.sandbox_plan import Evaluated
from ticket_console.dispatch.sandboxes import SandboxNotFound
from ticket_console.dispatch.tables import SandboxState as Standing
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.kernel.signals import Listening
from ticket_console.people import reads as people
from ticket_console.state.feedback import done, refusal, unexpected
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets.last_changes import LastChange

# How often an open branch is read at most, and how long it stays for somebody who lost a right meanwhile.
_LOOK_SECONDS: Final = 15.0
_GATHER_SECONDS: Final = 0.3
_LONGEST_MINUTES: Final = 10_000
# The largest number that every database holds as one.
_MOST: Final = 2**31 - 1

Plain = dict[str, Any]
Skills = Mapping[str, Mapping[str, str]]


class SandboxState(SessionState):
    status: str = "loading"
    choices: list[Plain] = []
    branches: list[Plain] = []
    branch: Plain = {}
    verdict: Plain = {}
    outcome: Plain = {}

    @handler(permission="ticket.assign")
    async def load(self) -> Reply:
        self.verdict, self.outcome = {}, {}
        self._put(await off_loop(_read, viewer=self._actor(), asked=self._asked(), at=self._now()))
        return None

    @handler(permission="ticket.assign", background=True)
    async def watch(self) -> Reply:
        """Keep what is open here true, whoever changes tickets, rosters or branches."""
        asked = self._asked()
        org_id = self._actor().org_id
        subscription = feed.subscribe()
        told = Listening(rostering.topic_of(org_id), branching.topic_of(org_id))
        changed = asyncio.Event()

        async def hear_signals() -> None:
            async for _ in told:
                changed.set()

        async def hear_tickets() -> None:
            while True:
                await subscription.changes(gather_seconds=_GATHER_SECONDS)
                changed.set()

        hearing = [asyncio.create_task(hear_signals()), asyncio.create_task(hear_tickets())]
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _LOOK_SECONDS)
                changed.clear()
                viewer = await self._resolve()
                async with self:
                    at = self._now()
                found = await off_loop(_read, viewer=viewer, asked=asked, at=at)
                async with self:
                    self._put(found)
        finally:
            for each in hearing:
                each.cancel()
            told.close()
            feed.unsubscribe(subscription)

    @handler(permission="ticket.assign")
    async def begin(self, command_id: str, region_id: int, name: str) -> Reply:
        sandbox_id = await in_writer(
            branching.begin,
            actor=self._actor(),
            at=self._now(),
            command_id=str(command_id),
            region_id=_whole("region_id", region_id),
            name=str(name),
        )
        return [rx.redirect(f"/sandbox?branch={sandbox_id}"), done("sandbox.begun", name=name.strip())]

    @handler(permission="ticket.assign")
    async def put(
        self,
        command_id: str,
        ticket_id: int,
        version: int,
        technician_id: int,
        start: str,
        minutes: int,
    ) -> Reply:
        """Move a ticket within the branch; the browser shows it there already.

        Nobody is person 0; without `start`, by the region's clock, it has no time.
        """
        try:
            starts_at = (
                None if not start else _instant(str(start), ZoneInfo(str(self.branch.get("zone", "UTC"))))
            )
            length = timedelta(minutes=min(_whole("minutes", minutes), _LONGEST_MINUTES))
            await in_writer(
                branching.put,
                actor=self._actor(),
                at=self._now(),
                command_id=str(command_id),
                sandbox_id=self._sandbox_id(),
                ticket_id=_whole("ticket_id", ticket_id),
                expected_version=_whole("version", version),
                technician_id=_whole("technician_id", technician_id) or None,
                starts_at=starts_at,
                ends_at=None if starts_at is None else starts_at + length,
            )
        except ConsoleError as error:
            self.verdict = {"command_id": command_id, "ok": False}
            await self._read_again()
            return refusal(error)
        except Exception as fault:
            # The browser waits for an answer with the card in the air, whatever went wrong.
            self.verdict = {"command_id": command_id, "ok": False}
            return unexpected(fault)
        await self._read_again()
        self.verdict = {"command_id": command_id, "ok": True}
        return None

    @handler(permission="ticket.assign")
    async def undo(self, seq: int) -> Reply:
        await in_writer(
            branching.undo, actor=self._actor(), sandbox_id=self._sandbox_id(), seq=_whole("seq", seq)
        )
        await self._read_again()
        return None

    @handler(permission="ticket.assign")
    async def drop(self, ticket_id: int) -> Reply:
        """Leave a ticket as the live plan has it."""
        await in_writer(
            branching.drop,
            actor=self._actor(),
            sandbox_id=self._sandbox_id(),
            ticket_id=_whole("ticket_id", ticket_id),
        )
        await self._read_again()
        return None

    @handler(permission="ticket.assign")
    async def refresh(self) -> Reply:
        await in_writer(branching.refresh, actor=self._actor(), at=self._now(), sandbox_id=self._sandbox_id())
        await self._read_again()
        return done("sandbox.refreshed")

    @handler(permission="ticket.assign")
    async def discard(self, sandbox_id: int) -> Reply:
        number = _whole("sandbox_id", sandbox_id)
        await in_writer(branching.discard, actor=self._actor(), sandbox_id=number)
        if self._asked() is not None:
            return [rx.redirect("/sandbox"), done("sandbox.discarded")]
        await self._read_again()
        return done("sandbox.discarded")

    @handler(permission="ticket.assign")
    async def commit(self, command_id: str, version: int, decisions: list[list[Any]]) -> Reply:
        """Carry the branch out. `decisions` are [ticket, "live" | "mine" | "skip", version that was seen]."""
        committed = await in_writer(
            committing.commit,
            actor=self._actor(),
            at=self._now(),
            command_id=str(command_id),
            sandbox_id=self._sandbox_id(),
            expected_version=_whole("version", version),
            decisions=_decisions(decisions),
        )
        self.outcome = await off_loop(_outcome_wire, committed, viewer=self._actor())
        await self._read_again()
        return None

    @handler(permission="ticket.assign")
    async def forget_outcome(self) -> Reply:
        self.outcome = {}
        return None

    async def _read_again(self) -> None:
        self._put(await off_loop(_read, viewer=self._actor(), asked=self._asked(), at=self._now()))

    def _asked(self) -> int | None:
        """The branch in the address, -1 for one that cannot be."""
        asked = self.router.url.query_parameters.get("branch", "")
        if not asked:
            return None
        return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else -1

    def _sandbox_id(self) -> int:
        asked = self._asked()
        if asked is None:
            raise SandboxNotFound()
        return asked

    def _put(self, found: Plain) -> None:
        for part, value in found.items():
            if getattr(self, part) != value:
                setattr(self, part, value)
        self.status = "ready"


def _read(*, viewer: Actor, asked: int | None, at: datetime) -> Plain:
    with reading() as connection:
        regions = plan.regions_for(connection, viewer, plan.PERMISSION)
        names = {each.id: each.name for each in regions}
        zones = {each.id: each.tz for each in regions}
        choices = [{"value": str(each.id), "label": each.name} for each in regions]
        lines = looking.read_list(connection, viewer)
        branches = [_line_wire(line, names) for line in lines]
        if asked is None:
            return {"choices": choices, "branches": branches, "branch": {}}
        try:
            view = looking.read_sandbox(connection, viewer=viewer, sandbox_id=asked, at=at)
        except SandboxNotFound:
            return {"choices": choices, "branches": branches, "branch": {"missing": True}}
        skills: Skills = {each.code: each.name for each in people.skills(connection, viewer.org_id)}
    zone = zones.get(view.line.row.region_id, "UTC")
    return {"choices": choices, "branches": branches, "branch": _branch_wire(view, names, zone, skills)}


def _line_wire(line: SandboxLine, names: Mapping[int, Any]) -> Plain:
    row = line.row
    return {
        "id": row.id,
        "name": row.name,
        "owner": line.owner,
        "mine": line.is_mine,
        "region": names.get(row.region_id),
        "moves": row.moves,
        "created": row.created_at.isoformat(),
    }


def _branch_wire(view: SandboxView, names: Mapping[int, Any], zone: str, skills: Skills) -> Plain:
    row = view.line.row
    moved = {each.move.ticket_id: each for each in view.moved}
    people_here = {each.id: each for each in view.live.plan.people}
    changed = set(view.difference.people)
    return {
        **_line_wire(view.line, names),
        "version": row.version,
        "state": row.state.value,
        "open": row.state is Standing.OPEN,
        "zone": zone,
        "base": row.base_at.isoformat(),
        "total": view.live.total,
        "last": view.last_seq,
        "figures": {"live": _figures(view.before), "branch": _figures(view.after)},
        "people": [
            {
                "id": id,
                "name": each.name,
                "crew": each.crew,
                "of": each.capacity,
                "there": people_here[id].is_there,
                "changed": id in changed,
                "load": [view.before.people[id].load, view.after.people[id].load],
                "late": [view.before.people[id].late, view.after.people[id].late],
                "travel": _minutes(
                    view.before.people[id].travel_seconds, view.after.people[id].travel_seconds
                ),
                "overtime": _minutes(
                    view.before.people[id].overtime_seconds, view.after.people[id].overtime_seconds
                ),
            }
            for id, each in view.live.people.items()
        ],
        "cards": _cards(view, moved),
        "moves": [_move_wire(each, view, skills) for each in view.moved],
        "now_late": _numbers(view, view.difference.now_late),
        "saved": _numbers(view, view.difference.saved),
        "news": [_news_wire(each) for each in view.news],
        "news_count": view.changed,
    }


def _figures(found: Evaluated) -> Plain:
    figures = found.figures
    return {
        "late": figures.late,
        "unassigned": figures.unassigned,
        "travel": -(-figures.travel_seconds // 60),
        "km": round(figures.metres / 1000, 1),
        "overtime": -(-figures.overtime_seconds // 60),
        "spread": figures.spread,
        "gini": round(figures.gini_bp / 100, 1),
        "over": figures.over_capacity,
        "parts": figures.short_of_parts,
    }


def _minutes(before: int, after: int) -> list[int]:
    return [-(-before // 60), -(-after // 60)]


def _cards(view: SandboxView, moved: Mapping[int, Moved]) -> list[Plain]:
    """Each task once; a ticket with several steps of technicians has several, none of which can be moved."""
    puts = {id: each.move for id, each in moved.items()}
    cards = []
    for task in view.live.plan.tasks:
        standing = view.live.standing[task.ticket_id]
        move = puts.get(task.ticket_id)
        stop = view.after.stops.get(task.token_id)
        holder = task.holder if move is None else move.technician_id
        visit = task.visit if move is None else move.visit
        judged = None if move is None else moved[task.ticket_id]
        cards.append(
            {
                "key": task.token_id,
                "id": task.ticket_id,
                "no": standing.no,
                "title": standing.title,
                "version": standing.version,
                "priority": task.priority,
                "vip": standing.is_vip,
                "due": None if task.due_at is None else task.due_at.isoformat(),
                "address": standing.address,
                "live": task.holder,
                "holder": holder,
                "visit": None if visit is None else [visit.starts_at.isoformat(), visit.ends_at.isoformat()],
                "eta": None if stop is None else stop.starts_at.isoformat(),
                "late": task.ticket_id in view.after.late,
                "parts": task.is_short_of_parts,
                "moved": move is not None,
                "steps": standing.steps,
                "tone": "" if judged is None else _tone(judged),
            }
        )
    return cards


def _tone(moved: Moved) -> str:
    if moved.is_contested or moved.judgement.against:
        return "danger"
    return "warn" if moved.judgement.warnings else "ok"


def _move_wire(moved: Moved, view: SandboxView, skills: Skills) -> Plain:
    move, standing = moved.move, moved.standing
    return {
        "id": move.ticket_id,
        "no": moved.no,
        "title": "" if standing is None else standing.title,
        "version": 0 if standing is None else standing.version,
        "to": None if move.technician_id is None else view.names.get(move.technician_id, ""),
        "visit": None if move.visit is None else [each.isoformat() for each in _ends(move.visit)],
        "live": None if standing is None else view.names.get(standing.holder or 0),
        "live_visit": None
        if standing is None or standing.visit is None
        else [each.isoformat() for each in _ends(standing.visit)],
        "gone": standing is None,
        "contested": moved.is_contested,
        "done": moved.is_done,
        "tone": _tone(moved),
        "by": _by_wire(moved.by),
        "against": [_said(each, skills) for each in moved.judgement.against],
        "warnings": [_said(each, skills) for each in moved.judgement.warnings],
    }


def _ends(visit: Any) -> Sequence[datetime]:
    return visit.starts_at, visit.ends_at


def _numbers(view: SandboxView, ticket_ids: Sequence[int]) -> list[Plain]:
    return [{"id": each, "no": view.live.standing[each].no} for each in ticket_ids]


def _news_wire(news: News) -> Plain:
    return {
        "id": news.ticket_id,
        "no": news.no,
        "how": news.how.value,
        "holder": news.holder,
        "by": _by_wire(news.by),
    }


def _by_wire(by: LastChange | None) -> Plain | None:
    return None if by is None else {"who": by.who, "what": by.what, "when": by.when.isoformat()}


def _said(said: Said, skills: Skills) -> Plain:
    params = {
        name: skills.get(str(value), value) if name == "skill" else value
        for name, value in said.params.items()
    }
    return {"key": said.key, "params": params}


def _outcome_wire(committed: Committed, *, viewer: Actor) -> Plain:
    with reading() as connection:
        skills: Skills = {each.code: each.name for each in people.skills(connection, viewer.org_id)}
    return {
        "closed": committed.is_closed,
        "rows": [
            {
                "id": each.ticket_id,
                "no": each.no,
                "came": each.came.value,
                "said": None if not each.code else _said(Said(each.code, each.params), skills),
                "by": _by_wire(each.by),
            }
            for each in committed.outcomes
        ],
    }


def _decisions(given: Sequence[Sequence[Any]]) -> dict[int, Decided]:
    """What the browser sends, or InvalidInput for anything else."""
    try:
        return {
            int(ticket_id): Decided(Choice(str(choice)), int(version)) for ticket_id, choice, version in given
        }
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput((FieldProblem("decisions", "sandbox.bad_decision"),)) from None


def _whole(path: str, value: Any) -> int:
    """A number as browsers send them; anybody can send anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        raise InvalidInput((FieldProblem(path, "field.not_a_number"),))
    return int(value)


def _instant(wall: str, zone: ZoneInfo) -> datetime:
    """A time as the region's clock shows it."""
    try:
        return datetime.fromisoformat(wall[:19]).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput((FieldProblem("starts_at", "field.bad_datetime"),)) from None
