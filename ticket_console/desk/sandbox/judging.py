"""What the commands would say to a branch's moves, asked in the order in which a commit carries them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.desk.needs import needs_of
from ticket_console.desk.sandbox.live import PERMISSION, Standing
from ticket_console.desk.scheduling import candidates_at
from ticket_console.dispatch import choosing, circumstances, deciding, eligibility, policies, visit_book
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.sandboxes import MoveRow
from ticket_console.dispatch.visit_rules import judge_visit, place_of
from ticket_console.dispatch.visits import Planned
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import Param
from ticket_console.people.candidate import Span
from ticket_console.people.roster import Roster
from ticket_console.tickets import reads


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence about a move: a translation key and its figures."""

    key: str
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`against` are the reasons for which the command would refuse the move, `warnings` forbid nothing."""

    against: tuple[Said, ...] = ()
    warnings: tuple[Said, ...] = ()


_FREE: Final = Judgement()


def judge_moves(
    connection: Connection,
    viewer: Actor,
    moves: Sequence[MoveRow],
    standing: Mapping[int, Standing],
    *,
    at: datetime,
) -> dict[int, Judgement]:
    """By ticket. `moves` are one for each ticket, in the order of a commit; what is over is passed over."""
    if not moves:
        return {}
    desk = _Desk(connection, viewer, at)
    found = {}
    for move in moves:
        before = standing.get(move.ticket_id)
        if before is not None:
            found[move.ticket_id] = desk.judge(move, before)
            desk.follow(move, before)
    return found


class _Desk:
    """Loads and visits as they are after the moves so far."""

    def __init__(self, connection: Connection, viewer: Actor, at: datetime) -> None:
        self._connection = connection
        self._viewer = viewer
        self._at = at
        people, loads = choosing.read_standing(connection, viewer.org_id, at=at)
        self._people: Roster = people
        self._loads = dict(loads)
        self._moved: dict[int, Planned | None] = {}
        self._read: dict[int, tuple[Mapping[str, Any], tuple[Need, ...]]] = {}

    def judge(self, move: MoveRow, before: Standing) -> Judgement:
        row, needs = self._needs_of(move.ticket_id)
        reach = {"region_id": row["region_id"], "ticket_class": row["ticket_class"]}
        allowed = policy.allows(self._viewer, PERMISSION, **reach)
        if move.technician_id is None:
            may_release = policy.allows(self._viewer, "ticket.act", **reach)
            return _FREE if allowed and may_release else Judgement((Said("access.forbidden"),))
        if not allowed:
            return Judgement((Said("access.forbidden"),))
        if len(needs) != 1:
            code = "ticket.nothing_to_assign" if not needs else "ticket.which_step"
            return Judgement((Said(code, {"ticket_no": row["no"], "steps": len(needs)}),))
        need = needs[0]
        if move.technician_id not in self._people.by_id:
            return Judgement((Said("dispatch.technician_not_found"),))
        if move.visit is not None:
            zone = places.zone_of(
                self._connection,
                org_id=self._viewer.org_id,
                region_id=row["region_id"],
                site_id=row["site_id"],
            )
            return self._judge_visit(move.technician_id, move.visit, need, before, ZoneInfo(zone))
        return self._judge_person(move.technician_id, need, before)

    def follow(self, move: MoveRow, before: Standing) -> None:
        if before.holder != move.technician_id:
            if before.holder is not None:
                self._loads[before.holder] = max(0, self._loads.get(before.holder, 0) - 1)
            if move.technician_id is not None:
                self._loads[move.technician_id] = self._loads.get(move.technician_id, 0) + 1
        self._moved[move.ticket_id] = None
        if move.visit is not None and move.technician_id is not None:
            need = next(iter(self._needs_of(move.ticket_id)[1]), None)
            self._moved[move.ticket_id] = Planned(
                id=0,
                ticket_id=move.ticket_id,
                token_id=move.token_id,
                technician_id=move.technician_id,
                starts_at=move.visit.starts_at,
                ends_at=move.visit.ends_at,
                travel_seconds=0,
                place=None if need is None else place_of(need),
            )

    def _needs_of(self, ticket_id: int) -> tuple[Mapping[str, Any], tuple[Need, ...]]:
        if ticket_id not in self._read:
            row = reads.find_ticket(self._connection, viewer=self._viewer, ticket_id=ticket_id)
            self._read[ticket_id] = (row, needs_of(self._connection, row))
        return self._read[ticket_id]

    def _judge_person(self, technician_id: int, need: Need, before: Standing) -> Judgement:
        if before.holder == technician_id:
            return _FREE
        candidate = self._people.by_id[technician_id]
        rules = policies.policy_for(self._connection, need, self._at)
        known = circumstances.plans(self._connection, need, rules, at=self._at)
        if rules.filters.overlap:
            window = need.window(self._at)
            known = replace(
                known,
                visits={
                    **known.visits,
                    technician_id: self._after(technician_id, known.visits.get(technician_id, ()), window),
                },
            )
        considered = deciding.consider(
            self._people.only(candidate),
            self._loads,
            need,
            at=self._at,
            policy=rules,
            circumstances=known,
        )
        against = tuple(Said(each.key, each.params) for each in considered.failures_of(technician_id))
        ahead = eligibility.cautions(candidate, need, at=self._at, policy=rules)
        return Judgement(against, tuple(Said(each.key, each.params) for each in ahead))

    def _judge_visit(
        self, technician_id: int, visit: Span, need: Need, before: Standing, zone: ZoneInfo
    ) -> Judgement:
        people = candidates_at(self._connection, self._viewer.org_id, (technician_id,), visit, at=self._at)
        booked = visit_book.around(self._connection, technician_id, visit.starts_at)
        judged = judge_visit(
            people[technician_id],
            need,
            visit,
            self._after(technician_id, booked, None),
            on=visit.starts_at.astimezone(zone).date(),
            open_count=self._loads.get(technician_id, 0),
            holds_it=before.holder == technician_id,
            travel=visit_book.travel(),
        )
        return Judgement(
            tuple(Said(each.key, each.params) for each in judged.against),
            tuple(Said(each.key, each.params) for each in judged.warnings),
        )

    def _after(
        self, technician_id: int, booked: Sequence[Planned], window: Span | None
    ) -> tuple[Planned, ...]:
        """Somebody's visits without those moved away, and with those moved to them."""
        kept = [visit for visit in booked if visit.ticket_id not in self._moved]
        come = [
            visit
            for visit in self._moved.values()
            if visit is not None
            and visit.technician_id == technician_id
            and (window is None or (visit.starts_at < window.ends_at and window.starts_at < visit.ends_at))
        ]
        return tuple(sorted((*kept, *come), key=lambda visit: visit.starts_at))
