"""Passwords: how they are kept, checked and judged. Hashing takes some 35 ms and belongs outside any lock."""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ticket_console.kernel.errors import FieldProblem

# OWASP's smallest memory-hard setting: what two cores carry while they serve a live board.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# The hash of a password nobody knows, checked where there is no user: an unknown name must not answer faster.
NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$vU+9Ie7+FH1UVrfXV55wYQ$XEMhMXuFP8rBwVXyXbKkwAOdoPweAXGBOaDBwaA7hKA"
)
SHORTEST: Final = 8
LONGEST: Final = 200


def hash_password(password: str) -> str:
    return _hasher.hash(_spelled(password))


def matches(password: str, password_hash: str) -> bool:
    """Whether this is the password; a hash nobody can read matches nothing."""
    try:
        return _hasher.verify(password_hash, _spelled(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's and should be made anew."""
    return _hasher.check_needs_rehash(password_hash)


def problems_with(password: str, *, login: str) -> tuple[FieldProblem, ...]:
    """Why a new password cannot be taken; empty when it can."""
    if len(password) < SHORTEST:
        return (FieldProblem("password", "user.password_too_short", {"shortest": SHORTEST}),)
    if len(password) > LONGEST:
        return (FieldProblem("password", "user.password_too_long", {"longest": LONGEST}),)
    if password.casefold() == login.casefold():
        return (FieldProblem("password", "user.password_is_login"),)
    return ()


def _spelled(password: str) -> bytes:
    # One keyboard sends an accent as one character, another as two: to the user it is one password.
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST]).encode("utf-8", "surrogatepass")
