"""The HTTP side of a company, and everybody who may knock at it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from tests.builders.company import Company
from ticket_console.access import sessions, tokens
from ticket_console.access.passwords import hash_password
from ticket_console.access.tables import UserAccount
from ticket_console.api.app import build_api
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.database import reading, table, transaction

ORIGIN: Final = "http://console.test"
PASSWORD: Final = "open sesame please"


class Door:
    """`door.as_("agent").post(...)`: the API as somebody who is logged in; None is a stranger."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.clock = FixedClock(company.at)
        self._app = build_api(self.clock)
        self._headers: dict[str, dict[str, str]] = {}
        users = table(UserAccount)
        with transaction() as connection:
            connection.execute(sa.update(users).values(password_hash=_hash()))

    def as_(self, login: str | None, *, language: str = "en") -> TestClient:
        client = TestClient(self._app, base_url=ORIGIN, follow_redirects=False)
        client.headers.update({"accept-language": language, "origin": ORIGIN})
        if login is not None:
            client.headers.update(self.let_in(login))
        return client

    def let_in(self, login: str) -> Mapping[str, str]:
        """The session of a user, opened once; all of them may be opened beforehand."""
        if login not in self._headers:
            opened = sessions.log_in(
                login=login,
                password=PASSWORD,
                at=self.company.at,
                user_agent="",
                address="192.0.2.1",
            )
            self._headers[login] = {"cookie": f"tc_session={opened.token}"}
        return self._headers[login]

    def with_token(
        self, *permissions: str, expires_in: timedelta | None = None, at: datetime | None = None
    ) -> str:
        made_at = at or self.company.at
        return tokens.create_token(
            actor=system_actor(self.company.org_id),
            at=made_at,
            command_id=self.company.command_id(),
            name="shop",
            permissions=permissions,
            expires_at=None if expires_in is None else made_at + expires_in,
        ).token


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


def everything_kept(*, but: frozenset[str] = frozenset()) -> dict[str, tuple[int, str]]:
    """How many rows every table has, and the sum of what stands in them."""
    found = {}
    with reading() as connection:
        for kept in SQLModel.metadata.sorted_tables:
            if kept.name not in but | {"id_block"}:
                rows = sorted(repr(tuple(row)) for row in connection.execute(sa.select(kept)))
                found[kept.name] = (len(rows), content_hash(rows))
    return found


def values_in(answer: Any) -> list[Any]:
    """Every plain value somewhere in an answer."""
    match answer:
        case dict():
            return [each for value in answer.values() for each in values_in(value)]
        case list():
            return [each for value in answer for each in values_in(value)]
        case _:
            return [answer]
