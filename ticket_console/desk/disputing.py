"""Accepting a dispute: the ticket is corrected, and the dispute ends with the entry that did it."""

from collections.abc import Mapping
from datetime import datetime

from ticket_console.desk.settling import facts_of
from ticket_console.desk.work import Work, finish, take_up
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.settlement import amending, disputes
from ticket_console.settlement import settling as settlement
from ticket_console.settlement.disputes import DisputedRating, DisputeView
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import Remedy
from ticket_console.settlement.settling import AlreadyRefunded


class NothingWouldChange(Conflict):
    """The facts and the rules are those of the disputed rating: rated anew it would come to the same."""

    code = "dispute.nothing_would_change"


class NobodyWorked(Conflict):
    """Nobody has the ticket any more for whom it could be rated anew."""

    code = "dispute.nobody_worked"


@retried
def accept(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    dispute_id: int,
    expected_version: int,
    remedy: Remedy,
    amend: Mapping[str, object],
    text: str,
) -> DisputeView:
    """Agree with a dispute and put the books right by an ordinary correction.

    CORRECTED rates the ticket anew on the facts as they are now, with `amend` (fact to value, as entered)
    laid over them; REVERSED takes the rating back and leaves the work unrated. A rating that was taken back
    meanwhile needs neither: the dispute then ends with the entry that did it, as FOUND_CORRECTED.
    """
    changes = amending.written(amend, evidence=f"dispute:{dispute_id}")
    with transaction() as connection:
        disputed = disputes.take_up(
            connection,
            actor=actor,
            dispute_id=dispute_id,
            expected_version=expected_version,
            command_id=command_id,
        )
        if disputed.dispute.command_id == command_id:
            return disputed.dispute
        work: Work | None = None
        if disputed.reversal_id is not None:
            remedy, changes, journal_id = Remedy.FOUND_CORRECTED, {}, disputed.reversal_id
        else:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=disputed.dispute.ticket_id,
                expected_version=None,
                permission="settlement.correct",
            )
            # Whoever held the ticket until now may have put the rating right, or given it back.
            disputed = disputes.as_it_stands(connection, disputed)
            if disputed.reversal_id is None:
                _require_changeable(work, disputed)
            reason = text.strip() or disputed.dispute.text
            if disputed.reversal_id is not None:
                work = None
                remedy, changes, journal_id = Remedy.FOUND_CORRECTED, {}, disputed.reversal_id
            elif remedy is Remedy.REVERSED:
                changes = {}
                journal_id = _withdraw(work, disputed, reason)
            else:
                remedy = Remedy.CORRECTED
                journal_id = _correct(work, disputed, changes, reason)
        ended = disputes.accept(
            connection,
            actor=actor,
            at=at,
            disputed=disputed,
            remedy=remedy,
            amended=changes,
            journal_id=journal_id,
            text=text,
            command_id=command_id,
        )
        if work is not None:
            finish(work)
        return ended


def _require_changeable(work: Work, disputed: DisputedRating) -> None:
    """What was given back, even in part, stays as it is: AlreadyRefunded."""
    known = settlement.known_ratings(work.connection, work.ticket_id, disputed.segment)
    if any(each.is_refunded for each in known if each.rating_id == disputed.dispute.rating_id):
        raise AlreadyRefunded()


def _correct(work: Work, disputed: DisputedRating, changes: Mapping[str, object], reason: str) -> int:
    technician_id = work.draft.get("assignee_id")
    if technician_id is None:
        raise NobodyWorked(ticket_no=work.draft.get("no"))
    facts = amending.amended(facts_of(work, technician_id=technician_id, segment=disputed.segment), changes)
    if _is_same(work, disputed, facts):
        raise NothingWouldChange()
    corrected = settlement.correct(
        work.connection,
        at=work.at,
        actor=work.actor,
        facts=facts,
        region_id=work.draft.get("region_id"),
        command_id=work.command_id,
        reason=reason,
    )
    # More people read the history than may read what somebody earns: the words stay with the dispute.
    work.draft.say("ticket.corrected", dispute_id=disputed.dispute.id, rating_id=corrected.rating_id)
    return disputes.reversal_of(work.connection, disputed.journal_id)


def _withdraw(work: Work, disputed: DisputedRating, reason: str) -> int:
    settlement.withdraw(
        work.connection,
        at=work.at,
        actor=work.actor,
        ticket_id=work.ticket_id,
        segment=disputed.segment,
        region_id=work.draft.get("region_id"),
        command_id=work.command_id,
        reason=reason,
    )
    work.draft.say("ticket.corrected", dispute_id=disputed.dispute.id)
    return disputes.reversal_of(work.connection, disputed.journal_id)


def _is_same(work: Work, disputed: DisputedRating, facts: Facts) -> bool:
    version = settlement.version_for(
        work.connection, org_id=work.actor.org_id, purpose=disputed.purpose, facts=facts
    )
    return version.id == disputed.version_id and facts.content_hash() == disputed.facts_hash
