"""Finishing what a dead process left behind: messages that were received and never settled."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from ticket_console.intake import raw_log
from ticket_console.intake.receiving import channel_actor, finish
from ticket_console.intake.refusals import GaveUp, reason_of
from ticket_console.intake.states import RawState
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import ConsoleError

log = structlog.get_logger(__name__)

MOST_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Recovered:
    """`failed` messages stay new and are tried again next time."""

    opened: int = 0
    duplicates: int = 0
    rejected: int = 0
    failed: int = 0


def recover(*, at: datetime, older_than: timedelta = timedelta(seconds=30), limit: int = 500) -> Recovered:
    """Process messages that have been new for longer than anybody needs to process them.

    Safe at any time and in any number of processes at once: a message is settled once, and its
    ticket is opened under a command id of its own. A message that broke down MOST_ATTEMPTS times is
    rejected, where people see it.
    """
    with reading() as connection:
        waiting = raw_log.left_new(connection, before=at - older_than, limit=limit)
    outcomes = [_finish(raw_id, at=at) for raw_id in waiting]
    found = Recovered(
        opened=outcomes.count(RawState.TICKET),
        duplicates=outcomes.count(RawState.DUPLICATE),
        rejected=outcomes.count(RawState.REJECTED),
        failed=outcomes.count(RawState.NEW),
    )
    if waiting:
        log.info(
            "intake.recovered",
            opened=found.opened,
            duplicates=found.duplicates,
            rejected=found.rejected,
            failed=found.failed,
        )
    return found


def _finish(raw_id: int, *, at: datetime) -> RawState:
    with reading() as connection:
        message = raw_log.by_id(connection, raw_id)
    if message.attempts >= MOST_ATTEMPTS:
        with transaction() as connection:
            raw_log.settle(connection, raw_id, state=RawState.REJECTED, at=at, reason=reason_of(GaveUp()))
        return RawState.REJECTED
    actor = channel_actor(message.org_id, message.channel)
    try:
        return finish(message, actor=actor, at=at, is_repeat=True).state
    except ConsoleError:
        return RawState.REJECTED
    except Exception as failure:
        # One message that breaks must not keep the others waiting.
        log.error("intake.recovery_failed", raw_id=raw_id, exc_info=failure)
        return RawState.NEW
