"""Shifts and absences where visits are planned: what would fall out is told, and goes only if accepted."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.builders.company import Company, found_company
from ticket_console.desk import rostering, scheduling
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.rostering import RosterChanged, VisitsInTheWay
from ticket_console.dispatch import visit_book
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.people.candidate import Span
from ticket_console.people.planning import AbsencePlan, RosterChange, RosterMoved
from ticket_console.people.presence import Presence, presences
from ticket_console.people.shift_times import Hours
from ticket_console.tickets import reads

HOUR = timedelta(hours=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def planned(company: Company) -> OpenedTicket:
    """A repair that the nearer technician is to do from the third hour to the fourth."""
    job = company.open()
    scheduling.schedule(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="plan",
        ticket_id=job.ticket_id,
        expected_version=job.version,
        technician_id=company.technicians["tech_near"],
        starts_at=company.at + 3 * HOUR,
        ends_at=company.at + 4 * HOUR,
    )
    return job


def span(company: Company, first: float, last: float) -> Span:
    return Span(company.at + first * HOUR, company.at + last * HOUR)


def change(
    company: Company,
    *,
    by: str = "dispatcher",
    accepted: tuple[int, ...] = (),
    who: str = "tech_near",
    **what: object,
) -> RosterChanged:
    wanted = {"command_id": company.command_id(), **what}
    command_id = str(wanted.pop("command_id"))
    return rostering.change_rosters(
        actor=company.actor(by),
        at=company.at,
        command_id=command_id,
        changes=[RosterChange(company.technicians[who], **wanted)],
        accepted=accepted,
    )


def presence(company: Company, who: str = "tech_near") -> Presence:
    person = company.technicians[who]
    with reading() as connection:
        return presences(connection, (person,), company.at - 99 * HOUR, company.at + 999 * HOUR)[person]


def visits(company: Company, who: str = "tech_near") -> list[int]:
    person = company.technicians[who]
    with reading() as connection:
        found = visit_book.visits_of(connection, (person,), company.at, company.at + 99 * HOUR)
    return [each.id for each in found.get(person, ())]


def test_shifts_are_planned_moved_and_dropped(company: Company) -> None:
    change(company, shifts=(span(company, 0, 8), span(company, 24, 32)))
    (first, second) = presence(company).shifts or ()

    change(company, drop_shifts=frozenset({first.id}), shifts=(span(company, 2, 10),))
    assert presence(company).shift_spans == (span(company, 2, 10), second.span)

    change(company, drop_shifts=frozenset({second.id}))
    assert presence(company).shift_spans == (span(company, 2, 10),)


def test_an_absence_is_recorded_with_its_reason_and_taken_back(company: Company) -> None:
    change(company, absences=(AbsencePlan(span(company, 0, 8), "sick"),))
    (away,) = presence(company).absences
    assert (away.span, away.reason) == (span(company, 0, 8), "sick")

    change(company, drop_absences=frozenset({away.id}))
    assert presence(company).absences == ()


# pain 34
def test_an_absence_over_a_visit_is_refused_with_the_visit_and_nothing_is_saved(
    company: Company, planned: OpenedTicket
) -> None:
    with pytest.raises(VisitsInTheWay) as refused:
        change(company, absences=(AbsencePlan(span(company, 3.5, 9)),))

    assert [each.ticket_id for each in refused.value.visits] == [planned.ticket_id]
    assert (presence(company).absences, len(visits(company))) == ((), 1)


def test_what_was_accepted_goes_off_the_plan_and_the_ticket_says_so(
    company: Company, planned: OpenedTicket
) -> None:
    changed = change(
        company, absences=(AbsencePlan(span(company, 3.5, 9), "sick"),), accepted=tuple(visits(company))
    )

    with reading() as connection:
        told = [each["type"] for each in reads.events_of(connection, planned.ticket_id)]
    assert (changed, visits(company)) == (RosterChanged(1, 1), [])
    assert told[-1] == "visit.unscheduled"


def test_visits_that_were_not_shown_are_never_taken_off(company: Company, planned: OpenedTicket) -> None:
    with pytest.raises(VisitsInTheWay):
        change(company, absences=(AbsencePlan(span(company, 3.5, 9)),), accepted=(1, *visits(company)))
    assert len(visits(company)) == 1


def test_a_first_shift_that_leaves_a_visit_outside_is_told_too(
    company: Company, planned: OpenedTicket
) -> None:
    with pytest.raises(VisitsInTheWay):
        change(company, shifts=(span(company, 5, 9),))
    change(company, shifts=(span(company, 0, 4),))
    (only,) = presence(company).shifts or ()

    with pytest.raises(VisitsInTheWay):
        change(company, drop_shifts=frozenset({only.id}), shifts=(span(company, 0, 3.5),))
    assert presence(company).shift_spans == (span(company, 0, 4),)


def test_a_repetition_plans_once(company: Company) -> None:
    first = change(company, shifts=(span(company, 0, 8),), command_id="once")
    second = change(company, shifts=(span(company, 0, 8),), command_id="once")

    assert (first.people, second.people) == (1, 0)
    assert presence(company).shift_spans == (span(company, 0, 8),)


def test_two_who_drop_the_same_shift_are_told_apart(company: Company) -> None:
    change(company, shifts=(span(company, 0, 8),))
    (only,) = presence(company).shifts or ()
    change(company, drop_shifts=frozenset({only.id}))

    with pytest.raises(RosterMoved):
        change(company, drop_shifts=frozenset({only.id}), shifts=(span(company, 1, 2),))
    assert presence(company).shift_spans is None


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (4, 4, "people.ends_before_it_starts"),
        (4, 3, "people.ends_before_it_starts"),
        (0, 25, "people.lasts_too_long"),
    ],
)
def test_impossible_shifts_are_refused(company: Company, first: float, last: float, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(company, shifts=(span(company, first, last),))

    assert [each.code for each in refused.value.problems] == [code]
    assert presence(company).shift_spans is None


def test_a_shift_over_another_one_is_refused(company: Company) -> None:
    change(company, shifts=(span(company, 0, 8),))

    with pytest.raises(InvalidInput) as refused:
        change(company, shifts=(span(company, 7, 9),))
    change(company, shifts=(span(company, 8, 9),))

    assert [each.code for each in refused.value.problems] == ["people.shifts_overlap"]


def test_rosters_of_another_region_and_other_roles_are_out_of_reach(company: Company) -> None:
    for by in ("dispatcher_cd", "agent", "auditor"):
        with pytest.raises(Forbidden):
            change(company, shifts=(span(company, 0, 8),), by=by)

    assert presence(company).shift_spans is None


def test_somebody_absent_today_is_free_after_the_absence_was_taken_back(company: Company) -> None:
    """The roster that dispatch holds in memory hears of it."""
    change(company, absences=(AbsencePlan(span(company, -1, 9)),))
    change(company, who="tech_far", absences=(AbsencePlan(span(company, -1, 9)),))
    assert company.open().assignee_id is None
    (away,) = presence(company).absences

    change(company, drop_absences=frozenset({away.id}))

    assert company.open().assignee_id == company.technicians["tech_near"]


SHANGHAI = ZoneInfo("Asia/Shanghai")
DAYTIME, NIGHT = (time(8), time(16)), (time(22), time(6))


def weekly(
    company: Company, first: int, last: int, hours: dict[int, Hours], *, by: str = "dispatcher"
) -> None:
    """Put a pattern in force from so many days ahead to so many."""
    today = company.at.astimezone(SHANGHAI).date()
    with reading() as connection:
        wanted = rostering.weekly_change(
            connection,
            viewer=company.actor(by),
            technician_id=company.technicians["tech_near"],
            first=today + timedelta(days=first),
            last=today + timedelta(days=last),
            hours=hours,
            zone=SHANGHAI,
            at=company.at,
        )
    rostering.change_rosters(
        actor=company.actor(by), at=company.at, command_id=company.command_id(), changes=[wanted]
    )


def wall(company: Company) -> list[tuple[int, str, str]]:
    """Somebody's shifts: weekday and hours by the clock of Shanghai."""
    spans = [
        (each.starts_at.astimezone(SHANGHAI), each.ends_at.astimezone(SHANGHAI))
        for each in presence(company).shift_spans or ()
    ]
    return [(starts.weekday(), f"{starts:%H:%M}", f"{ends:%H:%M}") for starts, ends in spans]


def test_a_weekly_pattern_holds_from_its_first_day_to_its_last(company: Company) -> None:
    weekly(company, 1, 14, {0: DAYTIME, 4: NIGHT})

    assert sorted(wall(company)) == [(0, "08:00", "16:00")] * 2 + [(4, "22:00", "06:00")] * 2


def test_a_later_pattern_takes_the_place_of_the_days_it_names_and_no_others(company: Company) -> None:
    every_day = dict.fromkeys(range(7), DAYTIME)
    weekly(company, 1, 14, every_day)

    weekly(company, 8, 10, dict.fromkeys(range(7), NIGHT))
    weekly(company, 11, 11, {})

    kinds = [starts for _, starts, _ in wall(company)]
    assert kinds == ["08:00"] * 7 + ["22:00"] * 3 + ["08:00"] * 3


def test_what_has_begun_stays_whatever_pattern_comes(company: Company) -> None:
    change(company, shifts=(span(company, -2, 6),))

    weekly(company, 0, 0, {})

    assert presence(company).shift_spans == (span(company, -2, 6),)


@pytest.mark.parametrize(
    ("first", "last", "code"), [(3, 2, "people.ends_before_it_starts"), (0, 182, "roster.pattern_too_long")]
)
def test_a_pattern_for_no_day_or_for_years_is_refused(
    company: Company, first: int, last: int, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        weekly(company, first, last, {0: DAYTIME})

    assert [each.code for each in refused.value.problems] == [code]
    assert presence(company).shifts is None


def test_nobody_plans_the_weeks_of_another_region(company: Company) -> None:
    with pytest.raises(Forbidden):
        weekly(company, 1, 7, {0: DAYTIME}, by="dispatcher_cd")
    assert presence(company).shifts is None
