"""Passwords: what is kept, what matches, what is too weak."""

import pytest
from argon2 import PasswordHasher

from ticket_console.access import passwords


def test_only_the_same_password_matches_its_hash() -> None:
    kept = passwords.hash_password("correct horse")

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches("correct horse", kept)
    assert not passwords.matches("correct horsf", kept)
    assert not passwords.is_outdated(kept)


def test_one_password_never_gives_the_same_hash_twice() -> None:
    assert passwords.hash_password("correct horse") != passwords.hash_password("correct horse")


def test_an_accent_counts_the_same_however_a_keyboard_sends_it() -> None:
    assert passwords.matches("cafe\u0301 noir", passwords.hash_password("caf\u00e9 noir"))


def test_the_hash_of_nobody_costs_what_any_other_costs_and_matches_nothing() -> None:
    assert not passwords.is_outdated(passwords.NOBODY)
    assert not passwords.matches("", passwords.NOBODY)


def test_a_hash_of_older_parameters_still_matches_and_is_outdated() -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("correct horse")

    assert passwords.matches("correct horse", older)
    assert passwords.is_outdated(older)


@pytest.mark.parametrize("password", ["\ud800 lone surrogate", "nul \0 inside", "x" * 100_000])
def test_no_password_breaks_the_check(password: str) -> None:
    assert not passwords.matches(password, passwords.NOBODY)


def test_a_hash_nobody_can_read_matches_nothing() -> None:
    assert not passwords.matches("correct horse", "not a hash")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("seven77", "user.password_too_short"),
        ("x" * 201, "user.password_too_long"),
        ("Dispatcher", "user.password_is_login"),
    ],
)
def test_a_weak_password_is_named_as_such(password: str, code: str) -> None:
    assert [problem.code for problem in passwords.problems_with(password, login="dispatcher")] == [code]


def test_a_good_password_has_no_problems() -> None:
    assert passwords.problems_with("x" * 8, login="dispatcher") == ()
