"""The chores of the worker, each for one instant. A row that breaks never stops the ones behind it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.engine import Connection

from ticket_console.access import places, sessions
from ticket_console.clocks import timers
from ticket_console.clocks.timers import DueTimer
from ticket_console.desk import assigning, months, moving, planning
from ticket_console.dispatch import reads as dispatch
from ticket_console.dispatch import surge_rules
from ticket_console.intake import recovery
from ticket_console.intake.recovery import Recovered
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.settings import settings
from ticket_console.people import positions

log = structlog.get_logger(__name__)

MOST_TIMERS: Final = 200
MOST_WAITING: Final = 50
# A timer whose work fails is put off, so that it does not stand in front of the others.
PUT_OFF: Final = timedelta(minutes=1)
# Sessions that are over are kept this long for whoever asks where somebody was logged in.
KEEP_SESSIONS: Final = timedelta(days=30)


def fire_timers(at: datetime) -> Mapping[str, int]:
    """Fire what is due; one timer, one transaction."""
    with reading() as connection:
        due = timers.due(connection, at=at, limit=MOST_TIMERS)
    outcomes = [_fire(timer, at) for timer in due]
    return {
        "fired": outcomes.count(True),
        "passed_over": outcomes.count(False),
        "failed": outcomes.count(None),
    }


def _fire(timer: DueTimer, at: datetime) -> bool | None:
    """True when it moved its ticket, False when there was nothing to move any more, None when it broke."""
    try:
        return moving.fire_timer(
            at=at,
            org_id=timer.org_id,
            ticket_id=timer.ticket_id,
            token_id=timer.token_id,
            timer_id=timer.timer_id,
        )
    except Exception as failure:
        log.error("timer.failed", timer_id=timer.timer_id, ticket_id=timer.ticket_id, exc_info=failure)
        with transaction() as connection:
            timers.postpone(connection, timer_id=timer.timer_id, until=at + PUT_OFF)
        return None


def recover_all_intake(at: datetime) -> Mapping[str, int]:
    """Finish every message that is not settled: at the start, as those of the process before."""
    return _recovered(recovery.recover(at=at, older_than=timedelta(0)))


def recover_intake(at: datetime) -> Mapping[str, int]:
    """Finish messages that another process left behind when it died."""
    return _recovered(recovery.recover(at=at))


def _recovered(found: Recovered) -> Mapping[str, int]:
    return {
        "opened": found.opened,
        "duplicates": found.duplicates,
        "rejected": found.rejected,
        "failed": found.failed,
    }


def look_again(at: datetime) -> Mapping[str, int]:
    """Find somebody for tickets that had nobody: people come on duty, finish work and get certificates.

    What the next plan gives away is left to it where plans are made, or there would be nothing to plan.
    """
    assigned = failed = 0
    with reading() as connection:
        waiting = [
            (org_id, ticket_id)
            for org_id in places.org_ids(connection)
            for ticket_id in _waiting(connection, org_id, at)
        ]
    for org_id, ticket_id in waiting:
        command_id = f"again:{ticket_id}:{int(at.timestamp())}"
        try:
            assigned += assigning.dispatch_again(
                at=at, org_id=org_id, ticket_id=ticket_id, command_id=command_id
            )
        except Exception as failure:
            failed += 1
            log.error("dispatch.failed", ticket_id=ticket_id, exc_info=failure)
    return {"assigned": assigned, "failed": failed}


def _waiting(connection: Connection, org_id: int, at: datetime) -> Iterable[int]:
    """Tickets with a technician's task that nobody has, the most pressing first."""
    if settings().plan_every_minutes:
        found = planning.waiting_ids(connection, system_actor(org_id))
        planned = planning.left_to_plan(connection, org_id, found, at=at)
        return [each for each in found if each not in planned][:MOST_WAITING]
    queue = dispatch.unassigned_queue(connection, system_actor(org_id), limit=MOST_WAITING)
    return dict.fromkeys(each.ticket_id for each in queue.waiting)


def carry_out_plans(at: datetime) -> Mapping[str, int]:
    """Give what waits away as a whole, in the first minute of every period of the setting.

    Any number of runs within that minute, here or in other workers, are one command.
    """
    every = settings().plan_every_minutes
    minute = int(at.timestamp()) // 60
    if not every or minute % every:
        return {}
    with reading() as connection:
        org_ids = places.org_ids(connection)
    assigned = failed = 0
    for org_id in org_ids:
        try:
            assigned += planning.plan_and_carry_out(org_id=org_id, at=at, command_id=f"plan:{minute}")
        except Exception as failure:
            failed += 1
            log.error("plan.failed", org_id=org_id, exc_info=failure)
    return {"assigned": assigned, "failed": failed}


def forget_old_sessions(at: datetime) -> Mapping[str, int]:
    """Remove log-ins that have been over for long."""
    with transaction() as connection:
        return {"forgotten": sessions.forget_expired(connection, before=at - KEEP_SESSIONS)}


def forget_old_positions(at: datetime) -> Mapping[str, int]:
    """Remove where people were longer ago than anybody may know."""
    with transaction() as connection:
        return {"forgotten": positions.purge(connection, before=at - positions.KEEP)}


def recount_months(at: datetime) -> Mapping[str, int]:
    """Count everybody's last thirty days anew, which fairness is weighed by."""
    with reading() as connection:
        org_ids = places.org_ids(connection)
    counted = 0
    for org_id in org_ids:
        with transaction() as connection:
            counted += months.recount(connection, org_id, at=at)
    return {"counted": counted}


def watch_surges(at: datetime) -> Mapping[str, int]:
    """Let the rules of surges decide: open the standby pool or switch strategy, and go back."""
    with reading() as connection:
        org_ids = places.org_ids(connection)
    opened = prolonged = closed = 0
    for org_id in org_ids:
        done = surge_rules.evaluate(org_id, at=at)
        opened, prolonged, closed = opened + done.opened, prolonged + done.prolonged, closed + done.closed
    return {"opened": opened, "prolonged": prolonged, "closed": closed}
