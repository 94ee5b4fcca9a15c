"""One spelling per telephone number."""

import pytest

from ticket_console.customers.phones import dialled


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("19900000001", "19900000001"),
        ("199 0000 0001", "19900000001"),
        ("+86 199-0000-0001", "19900000001"),
        ("008619900000001", "19900000001"),
        ("(021) 5555 0100", "02155550100"),
        ("+1 617 555 0100", "+16175550100"),
        ("8615550", "8615550"),
        ("+86 110", "+86110"),
        ("no number", ""),
        ("", ""),
    ],
)
def test_however_it_is_written_the_same_number_is_dialled(written: str, digits: str) -> None:
    assert dialled(written) == digits
