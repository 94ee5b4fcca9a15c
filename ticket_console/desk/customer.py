"""The customer's side: following a job by its link, accepting it or saying why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ticket_console.access import places
from ticket_console.desk import moving, talking
from ticket_console.desk.page import TicketView, ticket_page
from ticket_console.desk.signing import SignatureInput
from ticket_console.desk.work import MovedTicket, already_moved, finish, take_up
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.kernel.text import LocalText
from ticket_console.notices import surveys
from ticket_console.notices.surveys import SurveyView
from ticket_console.tickets import tracking, writing
from ticket_console.tickets.reads import TrackedTicket, find_tracked
from ticket_console.tickets.writing import AlreadyApplied

# What the history keeps of a name; a contact may be written longer.
NAME_LENGTH: Final = 80


class NothingToAccept(Conflict):
    """The job is not at the point where the customer is asked."""

    code = "ticket.nothing_to_accept"


def customer_of(token: str) -> tuple[Actor, TrackedTicket]:
    """Whom a tracking link speaks for; raises TicketNotFound for any other token."""
    with reading() as connection:
        tracked = find_tracked(connection, tracking_hash=tracking.tracking_hash(token))
    actor = Actor(
        kind=ActorKind.CUSTOMER,
        org_id=tracked.org_id,
        display=tracked.contact_name[:NAME_LENGTH] or "customer",
        ticket_id=tracked.ticket_id,
    )
    return actor, tracked


def accept(
    *,
    token: str,
    at: datetime,
    command_id: str,
    signer_name: str,
    strokes: str,
    values: Mapping[str, Any] | None = None,
) -> MovedTicket:
    """The customer signs that the work is done, and fills in what the step asks of them."""
    actor, tracked = customer_of(token)
    earlier = _carried_out(actor, tracked, command_id)
    if earlier is not None:
        return earlier
    if tracked.acceptance_token_id is None:
        raise NothingToAccept()
    return moving.act(
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=tracked.ticket_id,
        expected_version=tracked.version,
        token_id=tracked.acceptance_token_id,
        values=values,
        signature=SignatureInput(signer_name, strokes),
    )


def refuse(*, token: str, at: datetime, command_id: str, reason: str) -> MovedTicket:
    """The customer says what is not right; the work goes back, and that is counted."""
    actor, tracked = customer_of(token)
    earlier = _carried_out(actor, tracked, command_id)
    if earlier is not None:
        return earlier
    if tracked.acceptance_token_id is None or tracked.refusal is None:
        raise NothingToAccept()
    send = moving.reject if tracked.refusal == "reject" else moving.send_back
    return send(
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=tracked.ticket_id,
        expected_version=tracked.version,
        token_id=tracked.acceptance_token_id,
        reason=reason,
    )


def _carried_out(actor: Actor, tracked: TrackedTicket, command_id: str) -> MovedTicket | None:
    """The answer to what this customer sent before: the first answer may never have reached them.

    Their link names no version, so nothing else would tell a repetition from a second wish.
    """
    with reading() as connection:
        try:
            writing.refuse_repeated(
                connection, actor=actor, ticket_id=tracked.ticket_id, command_id=command_id
            )
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=tracked.ticket_id)
    return None


def write(*, token: str, at: datetime, command_id: str, text: str) -> MovedTicket:
    """The customer adds a word; everybody on the job sees it."""
    actor, tracked = customer_of(token)
    return talking.comment(actor=actor, at=at, command_id=command_id, ticket_id=tracked.ticket_id, text=text)


@retried
def answer_survey(
    *, token: str, at: datetime, command_id: str, survey_id: int, answers: Mapping[str, Any]
) -> MovedTicket:
    """The customer says how it went; also after the ticket is closed, and once."""
    actor, tracked = customer_of(token)
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=tracked.ticket_id,
                expected_version=None,
                permission="ticket.track",
            )
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=tracked.ticket_id)
        surveys.answer(connection, ticket_id=tracked.ticket_id, survey_id=survey_id, at=at, answers=answers)
        work.draft.say("ticket.survey_answered", survey_id=survey_id)
        return finish(work)


@dataclass(frozen=True, slots=True)
class TrackingView:
    """What the customer sees of a job: no internal word, no amount, no staff number."""

    ticket: TicketView
    can_accept: bool
    can_refuse: bool
    org: LocalText
    surveys: tuple[SurveyView, ...]


def track(*, token: str, at: datetime) -> TrackingView:
    """The job behind a link, for its customer."""
    actor, tracked = customer_of(token)
    with reading() as connection:
        view = ticket_page(connection, viewer=actor, ticket_id=tracked.ticket_id, at=at)
        org = places.org(connection, tracked.org_id)
        asked = surveys.of_ticket(connection, tracked.ticket_id)
    waits = tracked.acceptance_token_id is not None
    return TrackingView(view, waits, waits and tracked.refusal is not None, org.name, asked)
