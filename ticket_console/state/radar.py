"""The radar: what the next four hours bring, what would help, and the strategies that hold or held."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from ticket_console.access import policy
from ticket_console.dispatch import strategies, surge_rules
from ticket_console.dispatch.surge import BadSurge
from ticket_console.dispatch.surge_rules import RuleView
from ticket_console.dispatch.tables import StrategyKind
from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.reports import radar, stages
from ticket_console.reports.metrics import Slice
from ticket_console.reports.radar import StageOutlook, Suggestion
from ticket_console.reports.stages import StepTimes
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.surge import region_names, shown
from ticket_console.state.tickets import choices_of, slice_of

Plain = dict[str, Any]

_LOOK_SECONDS: Final = 60.0
# A strategy begun by hand holds for as long as the radar looks ahead.
_HOURS: Final = 4
_TIMES_OF: Final = timedelta(days=28)
_SHOWN_STEPS: Final = 30
_NEW_RULE: Final[Plain] = {
    "id": "",
    "version": "",
    "region": "",
    "kind": "backlog",
    "opens_at": "20",
    "closes_at": "10",
    "window_minutes": "60",
    "factor_percent": "300",
    "lasts_minutes": "60",
    "is_active": True,
}
_NUMBERS: Final = ("opens_at", "closes_at", "window_minutes", "factor_percent", "lasts_minutes")
# Complaints are a matter of being there in time: nearness and slack count before evenness.
_CALMING: Final = {"weights": {"slack": 60, "level": 40}}


class RadarState(SessionState):
    status: str = "loading"
    as_of: str = ""
    stages: list[Plain] = []
    suggestion: Plain = {}
    times: list[Plain] = []
    log: list[Plain] = []
    rules: list[Plain] = []
    choices: list[Plain] = []
    asking: bool = False
    rule: Plain = {}

    @handler(permission="board.view")
    async def load(self) -> Reply:
        try:
            found = await off_loop(_look, viewer=self._actor(), at=self._now(), slice=self._slice())
            choices = await off_loop(choices_of, viewer=self._actor())
        except Exception:
            self.status = "failed"
            raise
        self.choices = choices["region"]
        self._put(found)
        return None

    @handler(permission="board.view", background=True)
    async def watch(self) -> Reply:
        """Look again every minute until the page is left."""
        slice = self._slice()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            found = await off_loop(_look, viewer=await self._resolve(), at=self._now(), slice=slice)
            async with self:
                self._put(found)

    @handler(permission="dispatch.manage")
    async def ask(self) -> Reply:
        self.asking = True
        return None

    @handler(permission="dispatch.manage")
    async def stop_asking(self) -> Reply:
        self.asking = False
        return None

    @handler(permission="dispatch.manage")
    async def open_standby(self, reason: str) -> Reply:
        """Open the standby pool of the region that is looked at for the next hours."""
        at = self._now()
        await in_writer(
            strategies.start,
            actor=self._actor(),
            at=at,
            command_id=str(uuid4()),
            region_id=self._slice().region_id,
            overlay=strategies.STANDBY,
            ends_at=at + timedelta(hours=_HOURS),
            reason=reason,
        )
        self.asking = False
        await self._again()
        return done("surge.started")

    @handler(permission="dispatch.manage")
    async def extend(self, strategy_id: int, version: int, until: str) -> Reply:
        """Let a strategy go on for an hour more than it would."""
        at = self._now()
        await in_writer(
            strategies.extend,
            actor=self._actor(),
            at=at,
            command_id=str(uuid4()),
            strategy_id=strategy_id,
            version=version,
            ends_at=_instant(until) + timedelta(hours=1),
        )
        await self._again()
        return done("surge.extended")

    @handler(permission="dispatch.manage")
    async def end(self, strategy_id: int, version: int) -> Reply:
        await in_writer(
            strategies.end,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            strategy_id=strategy_id,
            version=version,
        )
        await self._again()
        return done("surge.ended")

    @handler(permission="dispatch.manage")
    async def edit_rule(self, rule_id: int) -> Reply:
        """Take up a rule, or with 0 a new one."""
        known = next((each for each in self.rules if each["id"] == rule_id), None)
        self.rule = dict(_NEW_RULE) if known is None else {**_NEW_RULE, **known["form"]}
        return None

    @handler(permission="dispatch.manage")
    async def put_rule(self, key: str, value: str) -> Reply:
        if key in _NEW_RULE and key not in ("id", "version", "is_active"):
            self.rule = {**self.rule, key: value}
        return None

    @handler(permission="dispatch.manage")
    async def switch_rule(self, is_active: bool) -> Reply:
        self.rule = {**self.rule, "is_active": is_active}
        return None

    @handler(permission="dispatch.manage")
    async def drop_rule(self) -> Reply:
        self.rule = {}
        return None

    @handler(permission="dispatch.manage")
    async def keep_rule(self) -> Reply:
        form = self.rule
        figures = {key: _number(key, form.get(key)) for key in _NUMBERS}
        kind = StrategyKind.COMPLAINTS if form.get("kind") == "complaints" else StrategyKind.BACKLOG
        overlay = strategies.STANDBY if kind is StrategyKind.BACKLOG else _CALMING
        await in_writer(
            surge_rules.keep,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            region_id=_id(form.get("region")),
            kind=kind,
            overlay=overlay,
            is_active=bool(form.get("is_active")),
            rule_id=_id(form.get("id")),
            version=_id(form.get("version")),
            **figures,
        )
        self.rule = {}
        await self._again()
        return done("surge.rule_kept")

    async def _again(self) -> None:
        self._put(await off_loop(_look, viewer=self._actor(), at=self._now(), slice=self._slice()))

    def _slice(self) -> Slice:
        return slice_of(self.router.url.query_parameters)

    def _put(self, found: Plain) -> None:
        for name, value in found.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
        self.status = "ready"


def _look(*, viewer: Actor, at: datetime, slice: Slice) -> Plain:
    with reading() as connection:
        found = radar.radar(connection, viewer=viewer, at=at, slice=slice)
        times = stages.step_times(connection, viewer=viewer, since=at - _TIMES_OF, until=at, slice=slice)
        names = region_names(connection, viewer.org_id)
        held = strategies.log(connection, viewer)
        may_read = policy.allows(viewer, "dispatch.manage") or policy.allows(viewer, "ticket.assign")
        rules = surge_rules.rules(connection, viewer) if may_read else ()
    return {
        "as_of": instant_text(at),
        "stages": [_stage(each) for each in found.stages],
        "suggestion": {} if found.suggestion is None else _suggestion(found.suggestion),
        "times": [_times(each) for each in times[:_SHOWN_STEPS]],
        "log": [shown(each, names, at=at) for each in held],
        "rules": [_rule(each, names) for each in rules],
    }


def _stage(each: StageOutlook) -> Plain:
    rows = [{"name": _named("radar.now"), "mean": each.now, "low": each.now, "high": each.now}]
    rows += [
        {
            "name": _named("radar.ahead", hours=outlook.hours),
            "mean": round(outlook.mean, 1),
            "low": outlook.low,
            "high": outlook.high,
        }
        for outlook in each.queue.outlooks
    ]
    late = each.late[-1]
    return {
        "key": each.key,
        "name": each.name,
        "now": each.now,
        "late_now": each.late_now,
        "rows": rows,
        "hit_percent": None if each.queue.hit_rate is None else round(100 * each.queue.hit_rate),
        "tried": each.queue.tried,
        "late": {"mean": round(late.mean, 1), "low": late.low, "high": late.high},
        "late_hit_percent": round(100 * each.late_hits / each.late_tried) if each.late_tried else None,
        "late_tried": each.late_tried,
    }


def _named(key: str, **params: Any) -> LocalText:
    return {locale: translate(key, locale, **params) for locale in LOCALES}


def _suggestion(each: Suggestion) -> Plain:
    return {
        "stage": each.stage_name,
        "opens_standby": each.opens_standby,
        "people": each.relief.people,
        "queue_before": round(each.relief.queue_before),
        "queue_after": round(each.relief.queue_after),
        "late_before": round(each.relief.late_before, 1),
        "late_after": round(each.relief.late_after, 1),
    }


def _times(each: StepTimes) -> Plain:
    return {
        "key": f"{each.flow_code}.{each.node_key}",
        "flow": each.flow,
        "step": each.step,
        "stage": each.stage_name,
        "count": each.count,
        "p50": each.p50_seconds,
        "p90": each.p90_seconds,
        "heat": each.heat,
    }


def _rule(each: RuleView, names: dict[int, LocalText]) -> Plain:
    return {
        "id": each.id,
        "kind": each.kind.value,
        "region": None if each.region_id is None else names.get(each.region_id),
        "opens_at": each.opens_at,
        "closes_at": each.closes_at,
        "is_active": each.is_active,
        "is_open": each.is_open,
        "form": {
            "id": str(each.id),
            "version": str(each.version),
            "region": "" if each.region_id is None else str(each.region_id),
            "kind": each.kind.value,
            "is_active": each.is_active,
            **{key: str(getattr(each, key)) for key in _NUMBERS},
        },
    }


def _number(key: str, text: object) -> int:
    try:
        return int(str(text).strip())
    except ValueError:
        raise BadSurge((FieldProblem(key, "surge.problem.whole"),)) from None


def _id(text: object) -> int | None:
    return int(str(text)) if str(text or "").isdecimal() and len(str(text)) < 10 else None


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadSurge((FieldProblem("ends_at", "surge.problem.past"),)) from None
    if found.tzinfo is None:
        raise BadSurge((FieldProblem("ends_at", "surge.problem.past"),))
    return found
