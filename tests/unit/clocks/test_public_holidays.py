"""Which days are public holidays where a clock on the wall hangs."""

from datetime import date

import pytest

from ticket_console.clocks.holidays import is_public_holiday


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        (date(2026, 10, 1), "Asia/Shanghai", True),
        (date(2026, 10, 1), "Asia/Urumqi", True),
        (date(2026, 10, 1), "America/New_York", False),
        (date(2026, 7, 4), "America/New_York", True),
        (date(2026, 11, 19), "Asia/Shanghai", False),
        (date(2026, 10, 1), "UTC", False),
        (date(2026, 10, 1), "Antarctica/Troll", False),
    ],
)
def test_a_day_is_a_holiday_in_the_country_of_the_zone(day: date, zone: str, expected: bool) -> None:
    assert is_public_holiday(day, zone) is expected
