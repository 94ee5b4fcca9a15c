"""Patterns that could keep a processor busy are not accepted."""

import pytest

from ticket_console.forms.patterns import is_safe_pattern


@pytest.mark.parametrize(
    "pattern", ["[A-Z]{2}[0-9]{6,12}", ".*foo.*", r"(\d{3}-)?\d{8}", "(ab|cd)x", "(ab)*", "a{1,50}b{1,50}"]
)
def test_ordinary_patterns_are_accepted(pattern: str) -> None:
    assert is_safe_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a|ab)*c",
        "a*a*a*",
        "a?" * 30 + "a" * 30,
        "(a{1,50}){1,50}",
        r"(\d)\1",
        "(?=a)b",
        "[0-9",
        "a{99999999999}",
        "x" * 201,
    ],
)
def test_patterns_that_could_run_away_are_not(pattern: str) -> None:
    assert not is_safe_pattern(pattern)
