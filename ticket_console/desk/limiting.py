"""Limits of work at hand: kept by every command that brings a ticket into a lane, set by who answers for it.

Two askers are exempt. The console itself: a timer that could not fire would leave its ticket hanging, and
nobody is there to be told. The customer: their acceptance is their right, however full our lane is.
"""

from datetime import datetime
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.people import hiring
from ticket_console.tickets import board_lanes, limits
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.board import By, LaneNotFound
from ticket_console.tickets.limits import Limit
from ticket_console.tickets.tables import LimitScope
from ticket_console.tickets.writing import TicketDraft

# Heard by every process: what boards look like has changed, though no ticket did.
RENEW_TOPIC: Final = "board.renew."
HIGHEST: Final = 100_000

_HELD: Final = frozenset({ActorKind.USER, ActorKind.CHANNEL})


class LaneFull(Conflict):
    """The lane holds as much as it may; going over it takes a reason and the permission."""

    code = "board.lane_full"


def is_held(actor: Actor) -> bool:
    """Whether limits hold for somebody at all."""
    return actor.kind in _HELD


def full_lane(stage: str, limit: Limit, standing: int) -> LaneFull | None:
    """What speaks against one more ticket in a lane: asked by the command, and before the drop."""
    if not limit.is_full(standing):
        return None
    return LaneFull(stage=stage, n=standing, limit=limit.hard)


def keep_to_limits(connection: Connection, draft: TicketDraft, *, override: str | None) -> None:
    """Refuse with LaneFull what brings the ticket into a full lane, but for an override with a reason.

    On PostgreSQL the limit's row is held, so that two tickets cannot both take the last place.
    """
    if draft.before is None or not is_held(draft.actor):
        return
    stage = draft.get("stage")
    if stage == draft.before["stage"]:
        return
    limit = limits.hold_stage_limit(connection, draft.actor.org_id, stage)
    refusal = full_lane(stage, limit, limits.standing_in(connection, draft.actor.org_id, stage))
    if refusal is None:
        return
    if override is None:
        raise refusal
    require_override(
        draft.actor, override, region_id=draft.get("region_id"), ticket_class=draft.get("ticket_class")
    )
    draft.say("ticket.limit_overridden", stage=stage, limit=limit.hard, reason=override.strip())


def require_override(actor: Actor, reason: str, *, region_id: int | None, ticket_class: str | None) -> None:
    policy.require(actor, "board.override", region_id=region_id, ticket_class=ticket_class)
    if not reason.strip():
        raise ReasonRequired()


@retried
def set_limit(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    scope: LimitScope,
    key: str,
    soft: int | None,
    hard: int | None,
) -> None:
    """Limit a lane of open work, or a person.

    What holds a person is their capacity, which every way of giving work keeps to: `hard` sets it, and None
    leaves it. Raises LaneNotFound, TechnicianNotFound, and InvalidInput for figures that make no sense.
    """
    _refuse_figures(soft, hard)
    with transaction() as connection:
        if scope is LimitScope.STAGE:
            policy.require_everywhere(actor, "board.limit")
            _refuse_lane(connection, actor, key)
            limit = Limit(soft, hard)
        else:
            technician_id = int(key) if key.isascii() and key.isdecimal() and len(key) < 10 else 0
            region_id = hiring.region_of(connection, actor.org_id, technician_id)
            policy.require(actor, "board.limit", region_id=region_id)
            if hard is not None:
                hiring.write_technician(connection, technician_id, capacity=hard)
            limit = Limit(soft, None)
        limits.set_limit(connection, org_id=actor.org_id, scope=scope, key=key, limit=limit)
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="board.limited",
            subject=f"{scope}:{key}",
            payload={"soft": soft, "hard": hard},
            command_id=command_id,
        )
        signals.announce(connection, f"{RENEW_TOPIC}{actor.org_id}", {})


def _refuse_figures(soft: int | None, hard: int | None) -> None:
    problems = [
        FieldProblem(name, "field.out_of_range", {"min": 1, "max": HIGHEST})
        for name, figure in (("soft", soft), ("hard", hard))
        if figure is not None and not 1 <= figure <= HIGHEST
    ]
    if not problems and soft is not None and hard is not None and soft > hard:
        problems.append(FieldProblem("soft", "board.soft_over_hard", {"soft": soft, "hard": hard}))
    if problems:
        raise InvalidInput(tuple(problems))


def _refuse_lane(connection: Connection, actor: Actor, key: str) -> None:
    heads = board_lanes.lane_heads(connection, actor, By.STAGE)
    if not any(head.key == key and not head.is_ended for head in heads):
        raise LaneNotFound(lane=key)
