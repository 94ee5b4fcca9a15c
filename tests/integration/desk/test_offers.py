"""Work offered to several: the first to accept has it, and who says no is not asked again."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import CHENGDU, Company, found_company
from tests.builders.modes import (
    LEAD,
    STOREKEEPER,
    dispatch_by,
    events_of,
    form_crew,
    hire_somebody,
    offered_to,
    step_of,
    ticket_row,
)
from tests.integration.proof.crowd import answers, at_once, hire_crew, refusals
from tests.integration.proof.invariants import nothing_is_torn
from ticket_console.desk import boarding
from ticket_console.desk.assigning import assign, claim, dispatch_again, release
from ticket_console.desk.moving import cancel
from ticket_console.desk.offering import accept_offer, asked_of, decline_offer
from ticket_console.desk.work import MovedTicket
from ticket_console.dispatch.asking import OfferOver
from ticket_console.dispatch.choosing import AlreadyClaimed, NotEligible
from ticket_console.dispatch.tables import AssignmentState
from ticket_console.jobs import chores
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError
from ticket_console.notices.tables import Outbox
from ticket_console.people.duty import set_on_duty
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.board import BoardFilters
from ticket_console.tickets.tables import OwnerKind
from ticket_console.tickets.writing import TicketNotFound

outbox = table(Outbox)
OFFER = {"size": 2, "seconds": 300, "rounds": 2}


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    """A company that offers everything to the two best for five minutes, twice."""
    made = found_company(at)
    dispatch_by(made, mode="offer", offer=OFFER)
    return made


def accept(company: Company, who: Actor, ticket_id: int, *, after: int = 0) -> MovedTicket:
    return accept_offer(
        actor=who,
        at=company.at + timedelta(seconds=after),
        command_id=f"accept:{who.technician_id}:{after}",
        ticket_id=ticket_id,
    )


def decline(
    company: Company, who: Actor, ticket_id: int, *, after: int = 0, reason: str = "太远"
) -> MovedTicket:
    return decline_offer(
        actor=who,
        at=company.at + timedelta(seconds=after),
        command_id=f"decline:{who.technician_id}:{after}",
        ticket_id=ticket_id,
        reason=reason,
    )


def told(recipient: str) -> list[str]:
    with reading() as connection:
        query = sa.select(outbox.c.payload).where(outbox.c.recipient == recipient).order_by(outbox.c.id)
        return [row.payload["text"]["en"] for row in connection.execute(query)]


def test_the_best_are_asked_and_told_until_when(company: Company) -> None:  # ESC-01
    near, far = company.technicians["tech_near"], company.technicians["tech_far"]

    opened = company.open()

    assert (opened.assignee_id, offered_to(opened.ticket_id)) == (None, [near, far])
    assert (step_of(opened.ticket_id)["owner_kind"], step_of(opened.ticket_id)["queue_role"]) == (
        OwnerKind.QUEUE,
        "offer",
    )
    assert told(f"technician:{near}") == [
        f"{opened.no} 空调不制冷: answer by 10:05:00; the first to accept has it"
    ]
    with reading() as connection:
        (asked,) = asked_of(connection, company.actor("tech_near"), at=company.at)
        assert (asked.ticket_id, asked.is_open) == (opened.ticket_id, True)
        assert asked.until == company.at + timedelta(minutes=5)
        assert asked_of(connection, company.actor("tech_cd"), at=company.at) == []
    nothing_is_torn()


def test_the_first_to_accept_has_it_and_the_other_learns_who_and_when(company: Company) -> None:  # ESC-01
    opened = company.open()

    won = accept(company, company.actor("tech_far"), opened.ticket_id, after=7)
    with pytest.raises(AlreadyClaimed) as lost:
        accept(company, company.actor("tech_near"), opened.ticket_id, after=8)

    assert won.assignee_id == company.technicians["tech_far"]
    assert lost.value.params == {"who": "tech_far", "when": "2026-11-21T02:00:07+00:00"}
    assert offered_to(opened.ticket_id, AssignmentState.WITHDRAWN) == [company.technicians["tech_near"]]
    with reading() as connection:
        (gone,) = asked_of(connection, company.actor("tech_near"), at=company.at + timedelta(seconds=20))
    assert (gone.is_open, gone.taken_by) == (False, "tech_far")
    assert gone.taken_at == company.at + timedelta(seconds=7)
    assert ticket_row(opened.ticket_id)["assigned_at"] == company.at + timedelta(seconds=7)  # DSP-06
    nothing_is_torn()


def test_of_fifty_who_accept_at_once_one_has_it_and_the_others_learn_who_and_when(
    company: Company,
) -> None:  # ESC-01 pains 33
    crew = [company.actor("tech_near"), *hire_crew(company, 49)]
    dispatch_by(company, mode="offer", offer={"size": 50, "seconds": 300})
    opened = company.open()
    assert sorted(offered_to(opened.ticket_id)) == sorted(each.technician_id or 0 for each in crew)

    outcomes = at_once([partial(accept, company, who, opened.ticket_id, after=9) for who in crew])

    (won,) = answers(outcomes)
    assert {(type(each), each.params["who"], each.params["when"]) for each in refusals(outcomes)} == {
        (AlreadyClaimed, won.assignee_name, "2026-11-21T02:00:09+00:00")
    }
    assert len(refusals(outcomes)) == 49
    assert offered_to(opened.ticket_id, AssignmentState.CLAIMED) == [won.assignee_id]
    assert len(offered_to(opened.ticket_id, AssignmentState.WITHDRAWN)) == 49
    assert events_of(opened.ticket_id).count("ticket.claimed") == 1
    nothing_is_torn()


def test_accepting_twice_is_accepting_once(company: Company) -> None:
    opened = company.open()

    first = accept(company, company.actor("tech_far"), opened.ticket_id)
    again = accept(company, company.actor("tech_far"), opened.ticket_id)
    anew = accept(company, company.actor("tech_far"), opened.ticket_id, after=1)

    assert first.version == again.version == anew.version
    nothing_is_torn()


def test_who_says_no_is_followed_by_the_next_best_and_never_asked_again(company: Company) -> None:
    third = hire_somebody(company, "third", far=0.3)
    opened = company.open()

    decline(company, company.actor("tech_near"), opened.ticket_id, after=10)

    near, far = company.technicians["tech_near"], company.technicians["tech_far"]
    assert offered_to(opened.ticket_id) == [far, third.technician_id]
    assert offered_to(opened.ticket_id, AssignmentState.DECLINED) == [near]
    decline(company, company.actor("tech_far"), opened.ticket_id, after=11)
    decline(company, third, opened.ticket_id, after=12)
    assert offered_to(opened.ticket_id) == []
    assert step_of(opened.ticket_id)["queue_role"] == "dispatcher"
    assert not dispatch_again(
        at=company.at + timedelta(minutes=1),
        org_id=company.org_id,
        ticket_id=opened.ticket_id,
        command_id="again",
    )
    nothing_is_torn()


def test_a_dispatcher_needs_a_reason_to_give_it_to_somebody_who_said_no(company: Company) -> None:
    opened = company.open()
    declined = decline(company, company.actor("tech_near"), opened.ticket_id)
    give = partial(
        assign,
        actor=company.actor("dispatcher"),
        at=company.at,
        ticket_id=opened.ticket_id,
        expected_version=declined.version,
        technician_id=company.technicians["tech_near"],
    )

    with pytest.raises(NotEligible) as refused:
        give(command_id="plain")
    assert [(each.code.value, dict(each.params)) for each in refused.value.failures] == [
        ("declined", {"reason": "太远"})
    ]
    given = give(command_id="override", override=True, reason="客户指定")

    assert given.assignee_id == company.technicians["tech_near"]
    assert offered_to(opened.ticket_id) == []
    nothing_is_torn()


def test_nobody_answers_so_the_next_circle_is_asked_and_then_the_dispatchers_have_it(
    company: Company,
) -> None:
    later = [hire_somebody(company, f"later-{number}", far=0.4 + number / 10) for number in range(2)]
    opened = company.open()

    assert chores.fire_timers(company.at + timedelta(seconds=299))["fired"] == 0
    assert chores.fire_timers(company.at + timedelta(seconds=300))["fired"] == 1

    assert offered_to(opened.ticket_id) == [each.technician_id for each in later]
    assert chores.fire_timers(company.at + timedelta(seconds=600))["fired"] == 1
    assert offered_to(opened.ticket_id) == []
    assert len(offered_to(opened.ticket_id, AssignmentState.EXPIRED)) == 4
    assert step_of(opened.ticket_id)["queue_role"] == "dispatcher"
    nothing_is_torn()


def test_who_is_asked_later_has_their_whole_time(company: Company) -> None:
    third = hire_somebody(company, "third", far=0.3)
    opened = company.open()
    decline(company, company.actor("tech_near"), opened.ticket_id, after=200)

    chores.fire_timers(company.at + timedelta(seconds=300))

    assert offered_to(opened.ticket_id) == [third.technician_id]
    assert accept(company, third, opened.ticket_id, after=499).assignee_id == third.technician_id
    nothing_is_torn()


def test_nobody_having_it_is_told_after_fifteen_minutes_and_not_before(company: Company) -> None:  # DSP-07
    dispatch_by(company, mode="queue")
    opened = company.open()
    at = company.at

    assert chores.fire_timers(at + timedelta(minutes=14, seconds=59))["fired"] == 0
    assert chores.fire_timers(at + timedelta(minutes=15))["fired"] == 1
    assert chores.fire_timers(at + timedelta(minutes=60))["fired"] == 0

    assert told("role:dispatcher") == [f"Nobody has had {opened.no} 空调不制冷 for 15 minutes"]
    assert events_of(opened.ticket_id)[-1] == "ticket.nobody_has_it"
    nothing_is_torn()


def test_what_is_taken_in_time_is_not_told(company: Company) -> None:  # DSP-07
    dispatch_by(company, mode="queue")
    opened = company.open()
    claim(
        actor=company.actor("tech_near"),
        at=company.at + timedelta(minutes=14),
        command_id="mine",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
    )

    assert chores.fire_timers(company.at + timedelta(hours=1))["fired"] == 0
    assert told("role:dispatcher") == []


def test_work_left_to_dispatchers_stays_with_them(company: Company) -> None:
    dispatch_by(company, mode="queue")
    opened = company.open()

    found = dispatch_again(
        at=company.at, org_id=company.org_id, ticket_id=opened.ticket_id, command_id="again"
    )

    assert (found, opened.assignee_id) == (False, None)
    assert step_of(opened.ticket_id)["queue_role"] == "dispatcher"


def test_technician_lead_and_storekeeper_are_asked_at_once(company: Company) -> None:  # ESC-01
    crew = form_crew(company)
    best = hire_somebody(company, "best", far=0.001, crew_id=crew)
    lead = hire_somebody(company, "lead", skill=None, crew_id=crew, post=LEAD)
    keeper = hire_somebody(company, "keeper", skill=None, crew_id=crew, post=STOREKEEPER)
    dispatch_by(company, mode="offer", offer={"size": 3, "seconds": 300, "to": "crew"})

    opened = company.open()
    asked = [best.technician_id, lead.technician_id, keeper.technician_id]
    assert offered_to(opened.ticket_id) == asked
    assert all(len(told(f"technician:{each}")) == 1 for each in asked)
    won = accept(company, keeper, opened.ticket_id, after=3)
    with pytest.raises(AlreadyClaimed) as lost:
        accept(company, lead, opened.ticket_id, after=4)

    assert won.assignee_id == keeper.technician_id
    assert lost.value.params["who"] == "keeper"
    nothing_is_torn()


def test_who_gave_a_job_up_is_not_given_it_again_by_itself(company: Company) -> None:
    dispatch_by(company, mode="assign")
    opened = company.open()
    assert opened.assignee_id == company.technicians["tech_near"]
    released = release(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id="no",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="车坏了",
    )

    assert dispatch_again(
        at=company.at, org_id=company.org_id, ticket_id=opened.ticket_id, command_id="again"
    )

    assert ticket_row(opened.ticket_id)["assignee_id"] == company.technicians["tech_far"]
    assert released.assignee_id is None
    nothing_is_torn()


def test_who_gave_a_job_up_may_still_take_it_themselves(company: Company) -> None:
    dispatch_by(company, mode="assign")
    opened = company.open()
    mine: dict[str, Any] = {
        "actor": company.actor("tech_near"),
        "at": company.at,
        "ticket_id": opened.ticket_id,
    }
    released = release(**mine, command_id="no", expected_version=opened.version, reason="车坏了")

    taken = claim(**mine, command_id="yes", expected_version=released.version)

    assert taken.assignee_id == company.technicians["tech_near"]


def test_handing_on_is_counted_and_told_above_the_number(company: Company) -> None:  # ESC-10
    dispatch_by(company, mode="assign", most_handoffs=2)
    opened = company.open()
    version = opened.version
    people = [company.technicians[login] for login in ("tech_far", "tech_near", "tech_far")]

    counts = []
    for number, technician_id in enumerate(people):
        version = assign(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id=f"give:{number}",
            ticket_id=opened.ticket_id,
            expected_version=version,
            technician_id=technician_id,
        ).version
        counts.append((ticket_row(opened.ticket_id)["handoffs"], len(told("role:manager"))))

    assert counts == [(1, 0), (2, 0), (3, 1)]
    assert told("role:dispatcher") == [f"{opened.no} 空调不制冷 was handed on 3 times"]
    assert events_of(opened.ticket_id).count("ticket.handed_around") == 1
    nothing_is_torn()


def refused(company: Company, ticket_id: int, kind: type[ConsoleError], call: object) -> None:
    before = (events_of(ticket_id), step_of(ticket_id), offered_to(ticket_id))
    with pytest.raises(kind):
        call()  # type: ignore[operator]
    assert (events_of(ticket_id), step_of(ticket_id), offered_to(ticket_id)) == before


def test_a_stranger_cannot_accept_decline_or_claim_what_is_offered(company: Company) -> None:
    stranger = hire_somebody(company, "stranger", far=0.5)
    opened = company.open()
    assert stranger.technician_id not in offered_to(opened.ticket_id)

    for attempt in (
        partial(accept, company, stranger, opened.ticket_id),
        partial(decline, company, stranger, opened.ticket_id),
        partial(
            claim,
            actor=stranger,
            at=company.at,
            command_id="claim",
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
        ),
    ):
        refused(company, opened.ticket_id, TicketNotFound, attempt)


def test_an_offer_that_ended_cannot_be_accepted(company: Company) -> None:
    opened = company.open()
    near = company.actor("tech_near")

    refused(
        company,
        opened.ticket_id,
        OfferOver,
        partial(accept, company, near, opened.ticket_id, after=300),
    )
    decline(company, near, opened.ticket_id, after=20)
    refused(company, opened.ticket_id, OfferOver, partial(accept, company, near, opened.ticket_id, after=21))
    refused(company, opened.ticket_id, OfferOver, partial(decline, company, near, opened.ticket_id, after=22))


def test_saying_no_takes_a_reason(company: Company) -> None:
    opened = company.open()

    refused(
        company,
        opened.ticket_id,
        ReasonRequired,
        partial(decline, company, company.actor("tech_near"), opened.ticket_id, reason="  "),
    )


def test_who_went_off_duty_meanwhile_cannot_accept(company: Company) -> None:  # pains 34
    opened = company.open()
    near = company.actor("tech_near")
    set_on_duty(
        actor=near,
        at=company.at,
        command_id="off",
        technician_id=company.technicians["tech_near"],
        is_on_duty=False,
    )

    refused(company, opened.ticket_id, NotEligible, partial(accept, company, near, opened.ticket_id, after=5))


def test_a_ticket_that_is_given_up_ends_its_offers(company: Company) -> None:
    opened = company.open()
    cancel(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="no",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="重复",
    )

    assert len(offered_to(opened.ticket_id, AssignmentState.WITHDRAWN)) == 2
    with pytest.raises(OfferOver):
        accept(company, company.actor("tech_near"), opened.ticket_id, after=1)
    assert chores.fire_timers(company.at + timedelta(hours=1))["fired"] == 0
    nothing_is_torn()


def test_a_card_says_so_once_it_went_through_too_many_hands(company: Company) -> None:  # ESC-10
    dispatch_by(company, mode="assign", most_handoffs=2)
    opened = company.open()
    version = opened.version
    flags = []
    for number, login in enumerate(("tech_far", "tech_near", "tech_far")):
        version = assign(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id=f"give:{number}",
            ticket_id=opened.ticket_id,
            expected_version=version,
            technician_id=company.technicians[login],
        ).version
        with reading() as connection:
            shown = boarding.whole(
                connection, viewer=company.actor("dispatcher"), filters=BoardFilters(), at=company.at
            )
            (changed,) = boarding.changes(
                connection,
                viewer=company.actor("dispatcher"),
                filters=BoardFilters(),
                at=company.at,
                ticket_ids=[opened.ticket_id],
            )["cards"]
        (card,) = [card for lane in shown["lanes"] for card in lane["cards"]]
        flags.append((boarding.HANDED_AROUND in card["flags"], boarding.HANDED_AROUND in changed["flags"]))

    assert flags == [(False, False), (False, False), (True, True)]


def test_each_city_is_asked_for_its_own_tasks_and_claims_no_other(company: Company) -> None:  # REG-03
    here = company.open(title="上海")
    there = company.open(title="成都", lat=CHENGDU[0], lon=CHENGDU[1])

    assert (offered_to(here.ticket_id), offered_to(there.ticket_id)) == (
        [company.technicians["tech_near"], company.technicians["tech_far"]],
        [company.technicians["tech_cd"]],
    )
    refused(
        company,
        here.ticket_id,
        TicketNotFound,
        partial(accept, company, company.actor("tech_cd"), here.ticket_id),
    )
    won = [
        accept(company, company.actor("tech_cd"), there.ticket_id),
        accept(company, company.actor("tech_far"), here.ticket_id),
    ]

    assert [each.assignee_name for each in won] == ["tech_cd", "tech_far"]
    nothing_is_torn()
