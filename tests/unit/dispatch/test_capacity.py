"""How full hours are: people on shift and not absent, visits with their ways, what is still to be planned."""

from datetime import UTC, datetime, timedelta

from ticket_console.dispatch.capacity import Load, PersonTime, hours_of, loads
from ticket_console.people.candidate import Span

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def span(first: float, last: float) -> Span:
    return Span(NINE + first * HOUR, NINE + last * HOUR)


HOURS = hours_of(span(0, 3))


def test_a_window_is_cut_into_hours_and_a_rest() -> None:
    assert hours_of(span(0, 2.5)) == (span(0, 1), span(1, 2), span(2, 2.5))


def test_capacity_is_the_time_on_shift_without_absences() -> None:
    li = PersonTime(shifts=(span(0, 2),), absences=(span(1.5, 5),), booked=())
    assert [each.capacity for each in loads([li, li], HOURS)] == [120, 60, 0]


def test_who_has_no_shifts_counts_while_on_duty() -> None:
    here = PersonTime(shifts=None, absences=(span(2, 3),), booked=())
    gone = PersonTime(shifts=None, absences=(), booked=(), is_on_duty=False)
    assert [each.capacity for each in loads([here, gone], HOURS)] == [60, 60, 0]


def test_visits_count_where_they_lie_and_once_where_a_way_overlaps_another_visit() -> None:
    li = PersonTime(shifts=(span(0, 3),), absences=(), booked=(span(0.5, 1.5), span(1.25, 2)))
    assert [each.booked for each in loads([li], HOURS)] == [30, 60, 0]


def test_what_is_not_planned_counts_before_it_is_due_and_overdue_work_at_once() -> None:
    waiting = [(NINE - HOUR, 60), (NINE + 2 * HOUR, 30), (NINE + 9 * HOUR, 60)]
    assert [each.expected for each in loads([], HOURS, waiting)] == [60, 30, 0]


def test_the_percentage_is_of_the_capacity_and_unknown_without_anybody() -> None:
    assert Load(120, 60, 30).percent == 75
    assert Load(0, 0, 0).percent == 0
    assert Load(0, 0, 10).percent is None
