"""Fills an empty console with the demo company and its past weeks: `python -m ticket_console.demo.seed`.

Where any organisation exists nothing is touched.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import tokens
from ticket_console.access.passwords import hash_password
from ticket_console.access.tables import Org
from ticket_console.demo import company, crews, day, history, ruling, statement
from ticket_console.demo.cast import Cast, read_cast
from ticket_console.demo.company import OFFICE
from ticket_console.demo.founding import ORG_CODE
from ticket_console.kernel.actor import Role
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.settings import BadSetting, settings

SEED: Final = 20260401
PASSWORD: Final = "console-demo"
# The company is older than anything that happens in it.
FOUNDED_BEFORE: Final = timedelta(days=history.DAYS + 10)
TOKEN_PERMISSIONS: Final = ("ticket.open", "ticket.view")

_orgs = table(Org)


@dataclass(frozen=True, slots=True)
class Founded:
    """`token` is the API token for intake; it cannot be shown again."""

    org_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Seeded:
    org_id: int
    requests: int
    steps: int
    refused: int
    token: str


def seed(
    *, at: datetime, password: str = PASSWORD, number: int = SEED, requests: int = history.REQUESTS
) -> Seeded | None:
    """Found the demo company and live through its past weeks; None where there is an organisation already.

    Equal numbers and equal instants give equal content, but for what is drawn by lot: the API token,
    and the salt of the password.
    """
    founded = found(at=at, password=password, number=number)
    if founded is None:
        return None
    lived = live(founded, at=at, number=number, requests=requests)
    return Seeded(founded.org_id, lived.requests, lived.steps, lived.refused, founded.token)


def found(*, at: datetime, password: str = PASSWORD, number: int = SEED) -> Founded | None:
    """Enter the company, all of it or nothing; None where there is an organisation already."""
    with reading() as connection:
        if _organisation(connection) is not None:
            return None
    password_hash = hash_password(password)
    with transaction() as connection:
        # Another process may have been faster since the look above.
        if _organisation(connection) is not None:
            return None
        org_id = company.found(
            connection,
            at=at,
            since=at - FOUNDED_BEFORE,
            seed=number,
            password_hash=password_hash,
        )
    token = tokens.create_token(
        actor=_cast(org_id).office[Role.MANAGER],
        at=at,
        command_id="demo:token",
        name="demo intake",
        permissions=TOKEN_PERMISSIONS,
    )
    return Founded(org_id, token.token)


def live(founded: Founded, *, at: datetime, number: int = SEED, requests: int) -> history.Lived:
    """Live through the weeks before an instant, up to the statement of last month and today's plans."""
    cast = _cast(founded.org_id)
    lived = history.live_through(cast, until=at, seed=number, requests=requests)
    statement.issue_last_month(cast, at=at)
    ruling.put_in_force(cast, at=at)
    day.furnish(cast, at=at)
    return lived


def is_demo() -> bool:
    """Whether the company in the database is the demo's."""
    with reading() as connection:
        return _organisation(connection) == ORG_CODE


def _organisation(connection: Connection) -> str | None:
    """The code of the first organisation there is."""
    return connection.execute(sa.select(_orgs.c.code).order_by(_orgs.c.id).limit(1)).scalar()


def _cast(org_id: int) -> Cast:
    with reading() as connection:
        found = read_cast(connection, org_id)
    assert found is not None
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ticket_console.demo.seed", description=__doc__)
    parser.add_argument(
        "--requests", type=int, default=history.REQUESTS, help="how many requests lie in its past"
    )
    wanted = parser.parse_args(arguments)
    try:
        chosen = settings()
    except BadSetting as wrong:
        print(wrong, file=sys.stderr)
        return 2
    if chosen.demo:
        _seed_and_tell(wanted.requests)
    return 0


def _seed_and_tell(requests: int) -> None:
    at = SystemClock().now()
    kept, founded = token_path(), found(at=at)
    if founded is not None:
        # Before the weeks are lived through: whoever interrupts that still has a console to use.
        keep_token(kept, founded.token)
        lived = live(founded, at=at, requests=requests)
        print(f"The demo company is ready: {lived.requests} requests, {lived.steps} steps of work.")
    if not is_demo():
        return
    print(log_ins())
    if kept.exists():
        print(f"API token for intake: {kept.read_text(encoding='ascii').strip()} (kept in {kept})")


def log_ins() -> str:
    logins = [login for login, *_ in OFFICE]
    return f"Demo log-ins: {', '.join(logins)}, tech01 to tech{crews.technicians():02}; password: {PASSWORD}"


def token_path() -> Path:
    return settings().attachments_dir.parent / "demo_token"


def keep_token(path: Path, token: str) -> None:
    """Write the token where only this user reads it, from the first moment on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)


if __name__ == "__main__":
    sys.exit(main())
