"""The night window on the wall clock of the site, through midnight and through changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders.settlement import STANDARD, make_facts
from ticket_console.settlement.night import is_inside, seconds_inside, work_seconds
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rules import Window

NIGHT = Window(time(22), time(6))
HOUR = 3600


def local(zone: str, *clock: int, fold: int = 0) -> datetime:
    return datetime(*clock, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[arg-type, misc]


def hours(start: datetime, end: datetime, zone: str, window: Window = NIGHT) -> float:
    return seconds_inside(start.astimezone(UTC), end.astimezone(UTC), zone, window) / HOUR


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        ((2026, 11, 20, 10, 0), (2026, 11, 20, 12, 0), 0),
        ((2026, 11, 20, 20, 0), (2026, 11, 20, 22, 0), 0),
        ((2026, 11, 20, 21, 0), (2026, 11, 20, 23, 0), 1),
        ((2026, 11, 20, 23, 0), (2026, 11, 21, 1, 0), 2),  # spans midnight
        ((2026, 11, 20, 21, 0), (2026, 11, 21, 7, 0), 8),
        ((2026, 11, 20, 5, 30), (2026, 11, 20, 6, 30), 0.5),
        ((2026, 11, 20, 6, 0), (2026, 11, 20, 22, 0), 0),
        ((2026, 11, 20, 6, 0), (2026, 11, 23, 6, 0), 24),  # three nights
    ],
)
def test_hours_of_the_night_are_counted_on_the_clock_of_the_site(  # STL-10
    start: tuple[int, ...], end: tuple[int, ...], inside: float
) -> None:
    shanghai = "Asia/Shanghai"

    assert hours(local(shanghai, *start), local(shanghai, *end), shanghai) == inside


def test_the_same_moment_is_night_at_one_site_and_day_at_another() -> None:
    start, end = datetime(2026, 11, 20, 15, 0, tzinfo=UTC), datetime(2026, 11, 20, 16, 0, tzinfo=UTC)

    assert hours(start, end, "Asia/Shanghai") == 1
    assert hours(start, end, "Europe/Berlin") == 0


def test_the_night_the_clocks_go_forward_is_an_hour_shorter() -> None:
    berlin = "Europe/Berlin"

    assert hours(local(berlin, 2026, 3, 28, 22, 0), local(berlin, 2026, 3, 29, 6, 0), berlin) == 7
    assert hours(local(berlin, 2026, 3, 28, 12, 0), local(berlin, 2026, 3, 29, 12, 0), berlin) == 7


def test_the_night_the_clocks_go_back_is_an_hour_longer() -> None:
    berlin = "Europe/Berlin"

    assert hours(local(berlin, 2026, 10, 24, 22, 0), local(berlin, 2026, 10, 25, 6, 0), berlin) == 9
    assert hours(local(berlin, 2026, 10, 25, 2, 0), local(berlin, 2026, 10, 25, 2, 0, fold=1), berlin) == 1


def test_an_hour_the_clocks_skip_or_repeat_counts_as_the_wall_clock_says() -> None:
    berlin = "Europe/Berlin"
    small = Window(time(2, 30), time(3, 30))

    # Forward: the clock reads 03:00 right after 01:59, so only 03:00 to 03:30 is inside.
    assert hours(local(berlin, 2026, 3, 29, 0, 0), local(berlin, 2026, 3, 29, 5, 0), berlin, small) == 0.5
    # Back: 02:30 to 03:00 happens twice, then 03:00 to 03:30.
    assert hours(local(berlin, 2026, 10, 25, 0, 0), local(berlin, 2026, 10, 25, 5, 0), berlin, small) == 1.5


@pytest.mark.parametrize(
    ("zone", "clock", "inside"),
    [
        ("Asia/Kathmandu", (2026, 11, 20, 21, 45), 0.75),  # 5:45 ahead of UTC
        ("Australia/Lord_Howe", (2026, 11, 20, 21, 30), 0.5),  # half an hour of summer time
        ("America/St_Johns", (2026, 11, 20, 22, 0), 1),
    ],
)
def test_odd_zones(zone: str, clock: tuple[int, ...], inside: float) -> None:
    start = local(zone, *clock)

    assert hours(start, start + timedelta(hours=1), zone) == inside


@given(
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001
    length=st.integers(0, 40 * 60),
    opens=st.integers(0, 1439),
    closes=st.integers(0, 1439),
)
def test_minutes_inside_and_outside_are_all_there_are(
    zone: str, start: datetime, length: int, opens: int, closes: int
) -> None:
    assume(opens != closes)
    edges = time(opens // 60, opens % 60), time(closes // 60, closes % 60)
    window, rest_of_the_day = Window(*edges), Window(*edges[::-1])
    begin = start.replace(second=0, microsecond=0, tzinfo=UTC)
    end = begin + timedelta(minutes=length)
    counted = sum(is_inside(begin + timedelta(minutes=minute), zone, window) for minute in range(length))

    inside = seconds_inside(begin, end, zone, window)

    assert inside == counted * 60
    assert inside + seconds_inside(begin, end, zone, rest_of_the_day) == work_seconds(begin, end)


def test_the_coefficient_counts_for_the_share_of_the_work_done_at_night() -> None:
    # 21:00 to 24:00 in Shanghai: two of three hours are night.
    rating = rate(
        make_facts(
            started_at=datetime(2026, 11, 21, 13, 0, tzinfo=UTC),
            finished_at=datetime(2026, 11, 21, 16, 0, tzinfo=UTC),
        ),
        STANDARD,
    )

    night = rating.lines[-1]
    assert (night.rule_code, night.amount_minor, night.factor) == ("night.coefficient", 2000, D("1.3"))
    assert night.formula == "100.00 × (1.3 − 1) × 120/180 min = 20.00"
    assert night.facts == {
        "work_from": "2026-11-21 21:00",
        "work_until": "2026-11-22 00:00",
        "site_tz": "Asia/Shanghai",
        "minutes_inside": "120",
    }


@pytest.mark.parametrize(("hour", "total"), [(13, 10000), (14, 13000), (21, 13000), (22, 10000)])
def test_work_without_length_counts_by_its_one_moment(hour: int, total: int) -> None:
    moment = datetime(2026, 11, 21, hour, 0, tzinfo=UTC)

    assert rate(make_facts(started_at=moment, finished_at=moment), STANDARD).total_minor == total
