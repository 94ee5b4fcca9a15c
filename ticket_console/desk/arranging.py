"""Putting a ticket into another territory or priority, with a reason that its history keeps."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from ticket_console.access import policy
from ticket_console.desk.moving import said_reason
from ticket_console.desk.work import MovedTicket, Reason, Work, change
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.people import areas, roster
from ticket_console.people.areas import AreaView
from ticket_console.tickets.actions import ReasonRequired, TicketNotOpen
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.writing import place_in_lane

HIGHEST_PRIORITY: Final = 1
LOWEST_PRIORITY: Final = 4


class NoTerritory(Conflict):
    """A ticket can be put into another territory, but not into none."""

    code = "board.no_territory"


@retried
def change_territory(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    territory_id: int | None,
    reason: str = "",
) -> MovedTicket:
    """Say in whose area a ticket is; its region follows. Whoever has it keeps it.

    It takes the right to give out work where the ticket is, and where it comes to. Raises TerritoryNotFound,
    NoTerritory for None, TicketNotOpen for ended work.
    """
    warnings: list[Reason] = []

    def put(work: Work) -> bool:
        area = plan_territory(work, territory_id)
        said = {"reason": said_reason(reason)} if reason.strip() else {}
        if area.id == work.draft.get("territory_id"):
            return False
        warnings.extend(cautions_of_territory(work, area))
        work.draft.say("ticket.territory_changed", territory_id=area.id, name=area.name, **said)
        work.draft.columns["territory_id"] = area.id
        if area.region_id != work.draft.get("region_id"):
            work.draft.columns["region_id"] = area.region_id
        return True

    moved = change(
        put,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.assign",
    )
    return replace(moved, warnings=tuple(warnings))


def plan_territory(work: Work, territory_id: int | None) -> AreaView:
    """The territory a ticket would come to, or the refusal: asked before a drop as well as by the command."""
    get = work.draft.get
    policy.require(work.actor, "ticket.assign", region_id=get("region_id"), ticket_class=get("ticket_class"))
    _require_open(work)
    if territory_id is None:
        raise NoTerritory()
    area = areas.area(work.connection, work.actor.org_id, territory_id)
    policy.require(work.actor, "ticket.assign", region_id=area.region_id, ticket_class=get("ticket_class"))
    return area


def cautions_of_territory(work: Work, area: AreaView) -> tuple[Reason, ...]:
    """Whoever has the ticket may not serve where it comes to."""
    holder = work.draft.get("assignee_id")
    if holder is None:
        return ()
    who = roster.current(work.connection, work.actor.org_id, at=work.at).by_id.get(holder)
    if who is None or (
        area.region_id in who.region_ids and (not who.territory_ids or area.id in who.territory_ids)
    ):
        return ()
    return (Reason("board.warn.holder_elsewhere", {"who": who.name}),)


@retried
def set_priority(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    priority: int,
    reason: str,
) -> MovedTicket:
    """Say how pressing a ticket is, whatever was worked out when it came; 1 is the most pressing.

    It lines up with its new equals by its age.
    """
    if not HIGHEST_PRIORITY <= priority <= LOWEST_PRIORITY:
        bounds = {"min": HIGHEST_PRIORITY, "max": LOWEST_PRIORITY}
        raise InvalidInput((FieldProblem("priority", "field.out_of_range", bounds),))
    why = said_reason(reason)
    if not why:
        raise ReasonRequired()

    def put(work: Work) -> bool:
        _require_open(work)
        draft = work.draft
        before = draft.get("priority")
        if before == priority:
            return False
        draft.say("ticket.prioritised", **{"from": before, "to": priority, "reason": why})
        reasons = [*draft.get("priority_reason").get("reasons", ())]
        chosen = {"code": "priority_reason.set_by_hand", "who": actor.display, "to": priority}
        draft.columns["priority"] = priority
        draft.columns["priority_reason"] = {
            **draft.get("priority_reason"),
            "reasons": [each for each in reasons if each.get("code") != chosen["code"]] + [chosen],
        }
        draft.columns["priority_class"], draft.columns["rank"] = place_in_lane(
            TicketStatus.OPEN,
            priority=priority,
            opened_at=draft.get("opened_at"),
            ended_at=None,
            ticket_id=work.ticket_id,
        )
        return True

    return change(
        put,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.assign",
    )


def _require_open(work: Work) -> None:
    status = work.draft.get("status")
    if status is not TicketStatus.OPEN:
        raise TicketNotOpen(status=status.value)
