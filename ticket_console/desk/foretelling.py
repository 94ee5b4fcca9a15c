"""Truth before the drop: what a command would say to a card on every lane and with every person.

Each verdict comes from the functions the command itself decides by. Red is a refusal, with its codes; amber
goes through and warns; a reason the command asks for is taken as given.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk import arranging, assigning, cautions, limiting, moving, placing
from ticket_console.desk.dropping import DueIsNotAPlace
from ticket_console.desk.needs import need_of
from ticket_console.desk.ordering import require_order
from ticket_console.desk.steps import FormRequired
from ticket_console.desk.work import Reason, look_at, reach_of
from ticket_console.dispatch import choosing, circumstances, eligibility, panel, policies, visits
from ticket_console.dispatch.choosing import NotEligible
from ticket_console.flows.elements import Act
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import ConsoleError, InvalidInput
from ticket_console.people import reads as people
from ticket_console.tickets import board_lanes, limits
from ticket_console.tickets.board import By
from ticket_console.tickets.board_lanes import NOBODY
from ticket_console.tickets.limits import UNLIMITED
from ticket_console.tickets.tables import LimitScope

# Asked before anybody wrote a reason: the tone is what happens once there is one.
_SOME_REASON: Final = "-"


class Tone(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Needs(StrEnum):
    NOTHING = "none"
    REASON = "reason"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`may_override` says that the viewer may go over what stands in the way, with a reason."""

    tone: Tone
    reasons: tuple[Reason, ...] = ()
    needs: Needs = Needs.NOTHING
    may_override: bool = False


@dataclass(frozen=True, slots=True)
class PersonVerdict:
    """What the command would say to giving the work to somebody, with the figures it weighs."""

    name: str
    verdict: Verdict
    open_count: int
    capacity: int
    score: float
    distance_km: float | None


_FREE: Final = Verdict(Tone.GREEN)


def lane_verdicts(
    connection: Connection, viewer: Actor, ticket_id: int, at: datetime, *, by: By = By.STAGE
) -> dict[str, Verdict]:
    """What dropping the ticket on each lane of a board would come to, its own lane included."""
    return Foretold(connection, viewer, ticket_id, at).lanes(by)


def people_verdicts(
    connection: Connection, viewer: Actor, ticket_id: int, at: datetime
) -> dict[int, PersonVerdict]:
    """What giving the ticket to each of the viewer's people would come to."""
    return Foretold(connection, viewer, ticket_id, at).people()


class Foretold:
    """One ticket held over a board: read once, judged for every place."""

    def __init__(self, connection: Connection, viewer: Actor, ticket_id: int, at: datetime) -> None:
        self._viewer = viewer
        self._at = at
        self._work = look_at(connection, actor=viewer, at=at, ticket_id=ticket_id)
        self._reach = reach_of(viewer, self._work)
        row = self._work.draft.before or {}
        self._now = cautions.circumstances(connection, viewer, row, self._work.graph)
        self._people: dict[int, PersonVerdict] | None = None

    @property
    def version(self) -> int:
        return int(self._work.draft.get("version"))

    def lanes(self, by: By) -> dict[str, Verdict]:
        work = self._work
        heads = board_lanes.lane_heads(work.connection, self._viewer, by)
        days = board_lanes.calendar(work.connection, self._viewer.org_id, self._at)
        own = board_lanes.lane_of(by, SimpleNamespace(**(work.draft.before or {})), days)
        keys = [head.key for head in heads]
        judge: Callable[[str], Verdict] = {
            By.STAGE: self._stages(keys),
            By.PERSON: self._person_lane,
            By.TERRITORY: self._territory,
            By.DUE: lambda _: _refused(DueIsNotAPlace()),
        }[by]
        return {key: self._order() if key == own else judge(key) for key in dict.fromkeys((*keys, own))}

    def people(self) -> dict[int, PersonVerdict]:
        if self._people is None:
            self._people = self._judge_people()
        return self._people

    def _order(self) -> Verdict:
        return _judged(lambda: require_order(self._work))

    def _stages(self, keys: Iterable[str]) -> Callable[[str], Verdict]:
        connection, org_id = self._work.connection, self._viewer.org_id
        limited = limits.limits_of(connection, org_id, LimitScope.STAGE)
        standing = limits.standing_by_stage(connection, org_id) if limited else {}

        def judge(stage: str) -> Verdict:
            work = self._work
            try:
                policy.require(self._viewer, "ticket.act", **self._reach)
                wish = moving.plan_drop(work, stage, _SOME_REASON)
            except FormRequired as refusal:
                return Verdict(Tone.RED, (_reason(refusal),), Needs.FORM)
            except ConsoleError as refusal:
                return _refused(refusal)
            needs = Needs.NOTHING if wish.act is Act.COMPLETE else Needs.REASON
            limit, there = limited.get(stage, UNLIMITED), standing.get(stage, 0)
            full = limiting.full_lane(stage, limit, there) if limiting.is_held(self._viewer) else None
            if full is not None:
                return Verdict(Tone.RED, (_reason(full),), needs, self._may_override())
            category = next((each.category for each in work.graph.stages if each.key == stage), None)
            warned = cautions.of_lane(self._now, category=category, limit=limit, standing=there, at=self._at)
            return _warned(warned, needs)

        return judge

    def _territory(self, key: str) -> Verdict:
        work = self._work
        try:
            policy.require(self._viewer, "ticket.assign", **self._reach)
            area = arranging.plan_territory(work, None if key == NOBODY else int(key))
        except ConsoleError as refusal:
            return _refused(refusal)
        return _warned(arranging.cautions_of_territory(work, area))

    def _person_lane(self, key: str) -> Verdict:
        if key == NOBODY:
            return self._release()
        known = self.people().get(int(key))
        return self._nobody_to_give() if known is None else known.verdict

    def _release(self) -> Verdict:
        def plan() -> None:
            policy.require(self._viewer, "ticket.act", **self._reach)
            assigning.require_release(self._work)

        return _judged(plan, Needs.REASON)

    def _nobody_to_give(self) -> Verdict:
        return _refused(choosing.TechnicianNotFound())

    def _judge_people(self) -> dict[int, PersonVerdict]:
        work, connection = self._work, self._work.connection
        within = people.technicians(connection, self._viewer)
        try:
            policy.require(self._viewer, "ticket.assign", **self._reach)
            token_id = assigning.technician_step(work)
        except ConsoleError as refusal:
            verdict = _refused(refusal)
            return {
                each.id: PersonVerdict(each.name, verdict, 0, each.capacity, 0.0, None) for each in within
            }
        return self._weigh({each.id for each in within}, token_id)

    def _weigh(self, within: Iterable[int], token_id: int) -> dict[int, PersonVerdict]:
        work, connection = self._work, self._work.connection
        need = need_of(work, token_id, placing.skill_of(work, token_id))
        roster, considered = choosing.weigh(connection, need, at=self._at)
        rules = policies.policy_for(connection, need, self._at)
        skills = {each.code: each.name for each in people.skills(connection, self._viewer.org_id)}
        softs = limits.limits_of(connection, self._viewer.org_id, LimitScope.TECHNICIAN)
        plans, window = circumstances.plans(connection, need, rules, at=self._at), need.window(self._at)
        partner = self._viewer.vendor_id
        holder = assigning.holder_of(work, token_id)
        found = {}
        for candidate in roster.candidates:
            id = candidate.technician_id
            if id not in within:
                continue
            scored = considered.score_of(id)
            failures = considered.failures_of(id)
            if partner is not None and candidate.vendor_id != partner:
                verdict = self._nobody_to_give()
            elif id == holder:
                verdict = _FREE
            elif failures:
                told = tuple(Reason(each.key, each.params) for each in panel.reasons(failures, skills))
                verdict = Verdict(Tone.RED, told, may_override=self._may_override())
            else:
                ahead = eligibility.cautions(candidate, need, at=self._at, policy=rules)
                warned = cautions.of_person(
                    self._now,
                    open_count=scored.open_count,
                    capacity=candidate.capacity,
                    soft=softs.get(str(id), UNLIMITED).soft,
                    minutes=need.work_minutes,
                    left=visits.slack(
                        plans.visits.get(id, ()),
                        window.starts_at,
                        window.ends_at,
                        need.place,
                        travel=plans.travel,
                        ignoring=need.ticket_id,
                    ),
                    at=self._at,
                )
                told = tuple(Reason(each.key, each.params) for each in panel.reasons(ahead, skills))
                verdict = _warned((*told, *warned))
            shown = panel.offer_view(candidate.name, scored, failures, skills, considered.weights)
            found[id] = PersonVerdict(
                candidate.name,
                verdict,
                scored.open_count,
                candidate.capacity,
                shown.score,
                shown.distance_km,
            )
        return found

    def _may_override(self) -> bool:
        return policy.allows(
            self._viewer,
            "board.override",
            region_id=self._reach["region_id"],
            ticket_class=self._reach["ticket_class"],
        )


def _judged(plan: Callable[[], object], needs: Needs = Needs.NOTHING) -> Verdict:
    try:
        plan()
    except ConsoleError as refusal:
        return Verdict(Tone.RED, reasons_of(refusal), needs)
    return Verdict(Tone.GREEN, needs=needs)


def _warned(warned: tuple[Reason, ...], needs: Needs = Needs.NOTHING) -> Verdict:
    return Verdict(Tone.AMBER if warned else Tone.GREEN, warned, needs)


def _refused(refusal: ConsoleError) -> Verdict:
    return Verdict(Tone.RED, reasons_of(refusal))


def reasons_of(refusal: ConsoleError) -> tuple[Reason, ...]:
    """What a refusal says, one sentence for each thing that stands in the way."""
    if isinstance(refusal, NotEligible):
        return tuple(Reason(problem.code, problem.params) for problem in refusal.problems)
    if isinstance(refusal, InvalidInput) and refusal.problems:
        return tuple(Reason(problem.code, problem.params) for problem in refusal.problems)
    return (_reason(refusal),)


def _reason(refusal: ConsoleError) -> Reason:
    return Reason(refusal.code, refusal.params)
