"""The trail of everything done, found by who, what, when and ticket; and whether a history is whole."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import reflex as rx
from pydantic_core import to_json

from ticket_console.access import places
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.reports import audit
from ticket_console.reports.audit import Asked, Cursor, Deeds, Trail
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain
from ticket_console.tickets.writing import TicketNotFound

PATH: Final = "/audit"
DAYS: Final = 30
_PAYLOAD_LENGTH: Final = 6_000
_ASKED: Final = ("who", "what", "ticket", "since", "until")
# How long a number of a row may be, so that its column can hold it.
_DIGITS: Final[Mapping[str, int]] = {Trail.TICKET: 18, Trail.CONSOLE: 9}

Plain = dict[str, Any]


class AuditState(SessionState):
    status: str = "loading"
    asked: dict[str, str] = {}
    rows: list[Plain] = []
    is_first: bool = True
    older_href: str = ""
    first_href: str = PATH
    zone: str = ""
    chain: Plain = {}

    @handler(permission="audit.view")
    async def load(self) -> Reply:
        parameters = dict(self.router.url.query_parameters)
        found = await off_loop(_search, viewer=self._actor(), parameters=parameters, at=self._now())
        for part, value in found.items():
            setattr(self, part, value)
        self.chain = {}
        self.status = "ready"
        return None

    @handler(permission="audit.view")
    async def search(self, form: Plain) -> Reply:
        return rx.redirect(_address({key: str(form.get(key) or "").strip() for key in _ASKED}))

    @handler(permission="audit.view")
    async def check(self, ticket_no: str) -> Reply:
        """Go through a ticket's history from its first event on."""
        self.chain = await off_loop(_check, viewer=self._actor(), ticket_no=ticket_no.strip()[:24])
        return None

    @handler(permission="audit.view")
    async def check_entered(self, form: Plain) -> Reply:
        self.chain = await off_loop(
            _check, viewer=self._actor(), ticket_no=str(form.get("ticket_no") or "").strip()[:24]
        )
        return None

    @handler(permission="audit.view")
    async def close_chain(self) -> Reply:
        self.chain = {}
        return None


def _address(parameters: Mapping[str, str], **more: str) -> str:
    chosen = {key: value for key, value in {**parameters, **more}.items() if value}
    return f"{PATH}?{urlencode(chosen)}" if chosen else PATH


def _search(*, viewer: Actor, parameters: Mapping[str, str], at: datetime) -> Plain:
    with reading() as connection:
        zone = places.org(connection, viewer.org_id).tz
        today = at.astimezone(ZoneInfo(zone)).date()
        until = _day(parameters.get("until", "")) or today
        since = _day(parameters.get("since", "")) or until - timedelta(days=DAYS)
        asked = Asked(
            since=_midnight(since, zone),
            until=_midnight(until + timedelta(days=1), zone),
            who=parameters.get("who", "")[:60],
            what=parameters.get("what", "")[:48],
            ticket_no=parameters.get("ticket", "")[:24],
        )
        try:
            found = audit.search(connection, viewer, asked, after=_cursor(parameters.get("after", "")))
        except TicketNotFound:
            # Nothing is known of such a number, which is what an empty list says.
            found = Deeds((), None)
    kept = {key: parameters.get(key, "") for key in _ASKED}
    following = found.following
    older = (
        f"{instant_text(following.at)}~{following.trail.value}~{following.id}"
        if following is not None
        else ""
    )
    return {
        "rows": [_row(plain(deed)) for deed in found.deeds],
        "asked": {**kept, "since": since.isoformat(), "until": until.isoformat()},
        "is_first": not parameters.get("after"),
        "older_href": _address(kept, after=older) if older else "",
        "first_href": _address(kept),
        "zone": zone,
    }


def _row(deed: Plain) -> Plain:
    # The browser gets text: what happened is whatever an event chose to keep.
    payload = to_json(deed.pop("payload"), indent=2, fallback=str).decode()
    return {**deed, "payload": payload[:_PAYLOAD_LENGTH] if payload != "{}" else ""}


def _check(*, viewer: Actor, ticket_no: str) -> Plain:
    with reading() as connection:
        return dict(plain(audit.check_chain(connection, viewer, ticket_no=ticket_no)))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone))


def _cursor(text: str) -> Cursor | None:
    at, _, rest = text.partition("~")
    trail, _, number = rest.partition("~")
    if trail not in _DIGITS or not (
        number.isascii() and number.isdecimal() and len(number) <= _DIGITS[trail]
    ):
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return Cursor(moment, Trail(trail), int(number)) if moment.tzinfo is not None else None
