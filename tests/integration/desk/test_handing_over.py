"""The change of shift: everything is taken over by somebody, once, or those who answer for it hear of it."""

from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.builders.dispatch import load_of
from tests.builders.modes import (
    LEAD,
    events_of,
    form_crew,
    hire_somebody,
    shift,
    step_of,
    ticket_row,
)
from tests.integration.proof.crowd import answers, at_once, refusals
from tests.integration.proof.invariants import nothing_is_torn
from ticket_console.desk import handing_over
from ticket_console.desk.assigning import assign
from ticket_console.desk.handing_over import (
    HandoverGone,
    HandoverNotFound,
    HandoverTaken,
    HandoverUnaccepted,
    HandoverView,
    NoShiftEnds,
    NotOfNextShift,
)
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.work import MovedTicket
from ticket_console.dispatch.choosing import NotEligible
from ticket_console.jobs import chores
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import Forbidden
from ticket_console.notices.tables import Outbox
from ticket_console.tickets.actions import ReasonRequired

outbox = table(Outbox)
EVENING = timedelta(hours=8)


class Crew:
    """A crew by day and by night: the day shift ends in eight hours, when the night shift begins."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.id = form_crew(company)
        day, night = shift(company, starts=-1, hours=9), shift(company, starts=8, hours=8)
        member = partial(hire_somebody, company, crew_id=self.id)
        self.day = member("day", shifts=(day,), far=0.0)
        self.night = [member(f"night-{number}", shifts=(night,)) for number in range(2)]
        self.lead = member("lead", shifts=(day,), post=LEAD, capacity=0)
        self.unfit = member("unfit", shifts=(night,), skill=None)

    def give(self) -> OpenedTicket:
        """A ticket that the day shift has."""
        opened = self.company.open()
        assign(
            actor=self.company.actor("dispatcher"),
            at=self.company.at,
            command_id=self.company.command_id(),
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
            technician_id=self.day.technician_id or 0,
        )
        return opened

    def begin(self, *, by: Actor | None = None, command_id: str = "over", note: str = "") -> HandoverView:
        handover_id = handing_over.begin(
            actor=by or self.lead,
            at=self.company.at + EVENING,
            command_id=command_id,
            crew_id=self.id,
            note=note,
        )
        return self.seen(handover_id)

    def seen(self, handover_id: int, *, by: Actor | None = None) -> HandoverView:
        with reading() as connection:
            shown = handing_over.all_shown(connection, by or self.lead, at=self.company.at + EVENING)
        (found,) = [each for each in shown if each.id == handover_id]
        return found

    def accept(self, who: Actor, item_id: int) -> MovedTicket:
        return handing_over.accept(
            actor=who,
            at=self.company.at + EVENING,
            command_id=f"accept:{who.technician_id}:{item_id}",
            item_id=item_id,
        )

    def close(self, handover_id: int, *, by: Actor | None = None) -> None:
        handing_over.close(actor=by or self.lead, at=self.company.at + EVENING, handover_id=handover_id)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def crew(company: Company) -> Crew:
    return Crew(company)


def test_everything_the_shift_has_is_put_down_and_stays_theirs_until_taken(crew: Crew) -> None:  # ESC-07
    given = [crew.give() for _ in range(3)]

    shown = crew.begin(note="钥匙在前台")

    assert [each.no for each in shown.items] == [each.no for each in given]
    assert (shown.givers, shown.open, shown.note) == (("day", "lead"), 3, "钥匙在前台")
    assert {each.state for each in shown.items} == {"open"}
    assert load_of(crew.day.technician_id or 0) == 3
    assert {step_of(each.ticket_id)["owner_id"] for each in given} == {crew.day.technician_id}
    nothing_is_torn()


def test_a_shift_is_closed_only_when_everything_was_taken_over(crew: Crew) -> None:  # ESC-07
    crew.give()
    crew.give()
    shown = crew.begin()
    first, second = shown.items

    taken = crew.accept(crew.night[0], first.id)
    with pytest.raises(HandoverUnaccepted) as refused:
        crew.close(shown.id)
    assert refused.value.params == {"open": 1}
    assert crew.seen(shown.id).closed_at is None
    crew.accept(crew.night[1], second.id)
    crew.close(shown.id)

    closed = crew.seen(shown.id)
    assert taken.assignee_id == crew.night[0].technician_id
    assert closed.closed_at == crew.company.at + EVENING
    assert [each.taken_by for each in closed.items] == ["night-0", "night-1"]
    assert [load_of(each.technician_id or 0) for each in (crew.day, *crew.night)] == [0, 1, 1]
    assert ticket_row(first.ticket_id)["handoffs"] == 0
    nothing_is_torn()


def test_of_two_who_take_over_at_once_one_has_it_and_the_other_learns_who_and_when(crew: Crew) -> None:
    crew.give()
    (item,) = crew.begin().items

    outcomes = at_once([partial(crew.accept, who, item.id) for who in crew.night] * 5)

    assert len({each.assignee_id for each in answers(outcomes)}) == 1
    (winner,) = {each.assignee_name for each in answers(outcomes)}
    assert {type(each) for each in refusals(outcomes)} == {HandoverTaken}
    assert {(each.params["who"], each.params["when"]) for each in refusals(outcomes)} == {
        (winner, "2026-11-21T10:00:00+00:00")
    }
    assert len(refusals(outcomes)) == 5
    assert events_of(item.ticket_id).count("ticket.handed_over") == 1
    nothing_is_torn()


def test_everything_left_is_taken_over_at_once_with_what_became_of_each(crew: Crew) -> None:
    for _ in range(3):
        crew.give()
    shown = crew.begin()
    crew.accept(crew.night[1], shown.items[0].id)

    outcomes = handing_over.accept_all(
        actor=crew.night[0], at=crew.company.at + EVENING, command_id="all", handover_id=shown.id
    )
    nobody = handing_over.accept_all(
        actor=crew.unfit, at=crew.company.at + EVENING, command_id="none", handover_id=shown.id
    )

    assert [(each.item_id, each.ok) for each in outcomes] == [(each.id, True) for each in shown.items[1:]]
    assert nobody == ()
    assert crew.seen(shown.id).open == 0
    nothing_is_torn()


def test_what_cannot_be_taken_over_goes_to_the_dispatchers_with_the_reason(crew: Crew) -> None:
    crew.give()
    shown = crew.begin()

    handing_over.give_back(
        actor=crew.night[0],
        at=crew.company.at + EVENING,
        command_id="back",
        item_id=shown.items[0].id,
        reason="没有配件",
    )

    (item,) = crew.seen(shown.id).items
    assert (item.state, item.reason, item.settled_by) == ("returned", "没有配件", "night-0")
    assert step_of(item.ticket_id)["queue_role"] == "dispatcher"
    assert ticket_row(item.ticket_id)["handoffs"] == 1
    assert load_of(crew.day.technician_id or 0) == 0
    crew.close(shown.id)
    nothing_is_torn()


def test_what_nobody_took_over_in_time_is_told_once_and_stays_open(crew: Crew) -> None:  # ESC-07
    crew.give()
    shown = crew.begin()
    evening = crew.company.at + EVENING

    assert chores.fire_timers(evening + timedelta(minutes=29))["fired"] == 0
    assert chores.fire_timers(evening + timedelta(minutes=30))["fired"] == 1
    assert chores.fire_timers(evening + timedelta(minutes=90))["fired"] == 0

    late = crew.seen(shown.id)
    assert (late.escalated_at, late.open) == (evening + timedelta(minutes=30), 1)
    told_by = sa.select(outbox.c.recipient).where(outbox.c.fact_key.like("handover:%:late"))
    with reading() as connection:
        recipients = sorted(connection.execute(told_by).scalars())
    assert recipients == sorted(["role:dispatcher", "role:manager", f"technician:{crew.lead.technician_id}"])
    assert events_of(late.items[0].ticket_id)[-1] == "ticket.handover_late"
    nothing_is_torn()


def test_what_was_taken_over_in_time_is_not_told(crew: Crew) -> None:
    crew.give()
    crew.accept(crew.night[0], crew.begin().items[0].id)

    assert chores.fire_timers(crew.company.at + EVENING + timedelta(hours=2))["fired"] == 0


def test_what_is_somebody_elses_by_now_needs_no_taking_over(crew: Crew) -> None:
    opened = crew.give()
    shown = crew.begin()
    assign(
        actor=crew.company.actor("dispatcher"),
        at=crew.company.at + EVENING,
        command_id="other",
        ticket_id=opened.ticket_id,
        expected_version=ticket_row(opened.ticket_id)["version"],
        technician_id=crew.company.technicians["tech_far"],
    )

    with pytest.raises(HandoverGone):
        crew.accept(crew.night[0], shown.items[0].id)
    now = crew.seen(shown.id)
    crew.close(shown.id)

    assert (now.open, now.items[0].state) == (0, "gone")
    assert ticket_row(opened.ticket_id)["assignee_id"] == crew.company.technicians["tech_far"]
    nothing_is_torn()


def test_putting_down_twice_puts_nothing_down_twice(crew: Crew) -> None:
    crew.give()
    first = crew.begin(command_id="one")

    again, second = crew.begin(command_id="one"), crew.begin(command_id="two")

    assert again.id == first.id
    assert (len(first.items), second.items) == (1, ())


def test_somebody_alone_hands_over_to_their_region(company: Company) -> None:
    opened = company.open()
    near = company.actor("tech_near")
    handover_id = handing_over.begin(
        actor=near, at=company.at, command_id="own", technician_id=company.technicians["tech_near"]
    )
    with reading() as connection:
        (shown,) = handing_over.all_shown(connection, company.actor("tech_far"), at=company.at)
        assert handing_over.all_shown(connection, company.actor("tech_cd"), at=company.at) == ()

    taken = handing_over.accept(
        actor=company.actor("tech_far"), at=company.at, command_id="x", item_id=shown.items[0].id
    )
    handing_over.close(actor=near, at=company.at, handover_id=handover_id)

    assert (shown.name, shown.can_accept, shown.can_close) == (
        {"zh": "tech_near", "en": "tech_near"},
        True,
        False,
    )
    assert taken.assignee_id == company.technicians["tech_far"]
    assert ticket_row(opened.ticket_id)["assignee_id"] == company.technicians["tech_far"]
    nothing_is_torn()


def test_refusals_change_nothing(crew: Crew) -> None:
    crew.give()
    shown = crew.begin()
    (item,) = shown.items
    at = crew.company.at + EVENING
    far_off = crew.company.actor("tech_cd")
    before = (events_of(item.ticket_id), crew.seen(shown.id))

    with pytest.raises(NotOfNextShift):
        crew.accept(crew.day, item.id)
    with pytest.raises(NotEligible):
        crew.accept(crew.unfit, item.id)
    with pytest.raises(HandoverNotFound):
        crew.accept(far_off, item.id)
    with pytest.raises(HandoverNotFound):
        crew.accept(crew.night[0], 999)
    with pytest.raises(ReasonRequired):
        handing_over.give_back(actor=crew.night[0], at=at, command_id="b", item_id=item.id, reason=" ")
    with pytest.raises(HandoverNotFound):
        crew.close(shown.id, by=far_off)
    with pytest.raises(Forbidden):
        crew.close(shown.id, by=crew.night[0])
    with pytest.raises(Forbidden):
        crew.begin(by=crew.night[0], command_id="not-mine")
    with pytest.raises(NoShiftEnds):
        handing_over.begin(actor=crew.lead, at=at + timedelta(days=2), command_id="never", crew_id=crew.id)
    with pytest.raises(HandoverNotFound):
        handing_over.begin(actor=crew.lead, at=at, command_id="nowhere", crew_id=999)
    with pytest.raises(HandoverNotFound):
        handing_over.begin(actor=crew.lead, at=at, command_id="nothing")

    assert (events_of(item.ticket_id), crew.seen(shown.id)) == before
    nothing_is_torn()
