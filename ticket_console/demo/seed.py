"""Fills an empty console with the demo company and its past weeks: `python -m ticket_console.demo.seed`.

Where any organisation exists nothing is touched.
"""

import os
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import tokens
from ticket_console.access.passwords import hash_password
from ticket_console.access.tables import Org
from ticket_console.demo import company, crews, history, statement
from ticket_console.demo.cast import read_cast
from ticket_console.demo.company import OFFICE
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
    with reading() as connection:
        if has_organisation(connection):
            return None
    password_hash = hash_password(password)
    with transaction() as connection:
        # Another process may have been faster since the look above.
        if has_organisation(connection):
            return None
        org_id = company.found(
            connection,
            at=at,
            since=at - FOUNDED_BEFORE,
            seed=number,
            password_hash=password_hash,
        )
    with reading() as connection:
        cast = read_cast(connection, org_id)
    assert cast is not None
    lived = history.live_through(cast, until=at, seed=number, requests=requests)
    statement.issue_last_month(cast, at=at)
    token = tokens.create_token(
        actor=cast.office[Role.MANAGER],
        at=at,
        command_id="demo:token",
        name="demo intake",
        permissions=TOKEN_PERMISSIONS,
    )
    return Seeded(org_id, lived.requests, lived.steps, lived.refused, token.token)


def has_organisation(connection: Connection) -> bool:
    return connection.execute(sa.select(_orgs.c.id).limit(1)).first() is not None


def main() -> int:
    try:
        chosen = settings()
    except BadSetting as wrong:
        print(wrong, file=sys.stderr)
        return 2
    if not chosen.demo:
        return 0
    seeded = seed(at=SystemClock().now())
    kept = token_path()
    if seeded is not None:
        keep_token(kept, seeded.token)
        print(f"The demo company is ready: {seeded.requests} requests, {seeded.steps} steps of work.")
    print(log_ins())
    if kept.exists():
        print(f"API token for intake: {kept.read_text(encoding='ascii').strip()} (kept in {kept})")
    return 0


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
