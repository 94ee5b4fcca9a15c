"""Log-ins: from a password to a session, from its token to the actor, and their end."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from ticket_console.access import actors, audit, passwords, throttle
from ticket_console.access.tables import UserAccount, UserSession
from ticket_console.kernel.actor import Actor, ActorKind, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Unauthenticated
from ticket_console.kernel.settings import settings

log = structlog.get_logger(__name__)

_users = table(UserAccount)
_sessions = table(UserSession)

FAILURES_BEFORE_LOCK: Final = 5
FIRST_LOCK: Final = timedelta(minutes=1)
LONGEST_LOCK: Final = timedelta(hours=1)
# Use prolongs a session, but not beyond so many times its length after the log-in.
MOST_LENGTHS: Final = 14
# Being seen is written down at most so often: a write per event would be a write too many.
SEEN_EVERY: Final = timedelta(minutes=5)
_LOGIN_LENGTH: Final = 64
_AGENT_LENGTH: Final = 200


class LogInFailed(Unauthenticated):
    """One refusal for an unknown name, a wrong password, a locked and a disabled account.

    Told apart, they would tell a stranger which names exist and when a guess was right.
    """

    code = "access.log_in_failed"


@dataclass(frozen=True, slots=True)
class NewSession:
    """`token` is the secret of the session, known only here and to the browser that gets it."""

    token: str
    actor: Actor
    expires_at: datetime


_ACCOUNT: Final = sa.select(
    _users.c.id, _users.c.org_id, _users.c.password_hash, _users.c.is_enabled, _users.c.locked_until
)
_SESSION: Final = (
    sa.select(*actors.USER_COLUMNS, _sessions.c.id, _sessions.c.created_at, _sessions.c.last_seen_at)
    .select_from(actors.USERS.join(_sessions, _sessions.c.user_id == _users.c.id))
    .where(
        _sessions.c.token_hash == sa.bindparam("token_hash"),
        _sessions.c.ended_at.is_(None),
        _sessions.c.expires_at > sa.bindparam("at"),
        _users.c.is_enabled,
    )
)
_LIVE: Final = (
    sa.select(_sessions.c.id)
    .select_from(_sessions.join(_users, _users.c.id == _sessions.c.user_id))
    .where(
        _sessions.c.id.in_(sa.bindparam("session_ids", expanding=True)),
        _sessions.c.ended_at.is_(None),
        _sessions.c.expires_at > sa.bindparam("at"),
        _users.c.is_enabled,
    )
)


def log_in(*, login: str, password: str, at: datetime, user_agent: str, address: str) -> NewSession:
    """Open a session for the right password; its token is always a new one.

    Raises LogInFailed, and RateLimited when an address or a name was wrong too often. After five wrong
    passwords in a row the account is locked for a minute, and twice as long with each further one, up to an
    hour; while it is locked not even the right password is looked at.
    """
    name = login.strip().casefold()
    kept = name[:_LOGIN_LENGTH]
    throttle.refuse_beyond(throttle.WRONG_PER_ADDRESS, address)
    throttle.refuse_beyond(throttle.WRONG_PER_LOGIN, kept)
    account = _find_account(name)
    is_open = account is not None and account.is_enabled and not _is_locked(account, at)
    if not passwords.matches(password, account.password_hash if is_open else passwords.NOBODY):
        log.info("log_in.refused", login=kept, address=address, is_open=is_open)
        throttle.count(throttle.WRONG_PER_ADDRESS, address)
        throttle.count(throttle.WRONG_PER_LOGIN, kept)
        if is_open:
            _count_failure(account, at=at, address=address)
        raise LogInFailed()
    renewed = passwords.hash_password(password) if passwords.is_outdated(account.password_hash) else None
    return _open(account, at=at, user_agent=user_agent, address=address, renewed_hash=renewed)


def resolve(*, token: str, at: datetime) -> Actor:
    """The actor of a session, with what is granted to them now; Unauthenticated once it has ended.

    Asked anew each time: an ended session, a disabled user and a withdrawn grant count at once.
    """
    with reading() as connection:
        row = connection.execute(_SESSION, {"token_hash": _hashed(token), "at": at}).first()
        if row is None:
            raise Unauthenticated()
        actor = actors.actor_of(connection, row, session_id=row.id)
    if at - row.last_seen_at >= SEEN_EVERY:
        _mark_seen(row, at)
    return actor


def live(connection: Connection, *, session_ids: Iterable[int], at: datetime) -> frozenset[int]:
    """Those of many sessions that still hold.

    What lasts longer than one event, such as a board that is being watched, asks before it sends on.
    """
    asked = {"session_ids": sorted(set(session_ids)), "at": at}
    return frozenset(connection.execute(_LIVE, asked).scalars())


def log_out(*, token: str, at: datetime) -> None:
    """End one session; a token that opens nothing is no error."""
    try:
        actor = resolve(token=token, at=at)
    except Unauthenticated:
        return
    with transaction() as connection:
        connection.execute(
            sa.update(_sessions)
            .where(_sessions.c.id == actor.session_id, _sessions.c.ended_at.is_(None))
            .values(ended_at=at)
        )
        _trace(connection, actor, "session.ended", at=at)


def log_out_everywhere(*, actor: Actor, at: datetime) -> int:
    """End every session of the actor, this one included; says how many there were."""
    if actor.user_id is None or actor.kind is not ActorKind.USER:
        raise Unauthenticated()
    with transaction() as connection:
        ended = end_sessions(connection, user_id=actor.user_id, at=at)
        _trace(connection, actor, "session.ended_everywhere", at=at, sessions=ended)
    return ended


def end_sessions(connection: Connection, *, user_id: int, at: datetime) -> int:
    """End every session of a user within a larger deed."""
    return connection.execute(
        sa.update(_sessions)
        .where(_sessions.c.user_id == user_id, _sessions.c.ended_at.is_(None), _sessions.c.expires_at > at)
        .values(ended_at=at)
    ).rowcount


def forget_expired(connection: Connection, *, before: datetime) -> int:
    """Remove sessions that were over before an instant; returns how many those were."""
    return connection.execute(sa.delete(_sessions).where(_sessions.c.expires_at < before)).rowcount


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _find_account(name: str) -> Any:
    # PostgreSQL takes no NUL in a text, and no name holds one.
    if not name or len(name) > _LOGIN_LENGTH or "\0" in name:
        return None
    with reading() as connection:
        return connection.execute(_ACCOUNT.where(_users.c.login == name)).first()


def _is_locked(account: Any, at: datetime) -> bool:
    return account.locked_until is not None and at < account.locked_until


def _count_failure(account: Any, *, at: datetime, address: str) -> None:
    its_row = _users.c.id == account.id
    with transaction() as connection:
        failures = connection.execute(
            sa.update(_users)
            .where(its_row)
            .values(failed_logins=_users.c.failed_logins + 1)
            .returning(_users.c.failed_logins)
        ).scalar_one()
        locked_until = lock_until(failures, at)
        if locked_until is not None:
            connection.execute(sa.update(_users).where(its_row).values(locked_until=locked_until))
        audit.record(
            connection,
            at=at,
            # Whoever it was, it was not shown to be the user.
            actor=system_actor(account.org_id),
            action="session.refused" if locked_until is None else "session.locked",
            subject=f"user:{account.id}",
            payload={"failures": failures, "address": address},
            command_id=_command_id(),
        )


def lock_until(failures: int, at: datetime) -> datetime | None:
    """Until when an account is locked after so many wrong passwords in a row."""
    over = failures - FAILURES_BEFORE_LOCK
    if over < 0:
        return None
    # More doublings than this are longer than the longest anyway.
    return at + min(FIRST_LOCK * (1 << min(over, 16)), LONGEST_LOCK)


def _open(
    account: Any, *, at: datetime, user_agent: str, address: str, renewed_hash: str | None
) -> NewSession:
    token = secrets.token_urlsafe(32)
    expires_at = at + timedelta(hours=settings().session_hours)
    unlocked = {"failed_logins": 0, "locked_until": None}
    with transaction() as connection:
        # The password was checked outside: whoever was disabled, locked or given another one meanwhile
        # stays out.
        taken = connection.execute(
            sa.update(_users)
            .where(
                _users.c.id == account.id,
                _users.c.is_enabled,
                _users.c.password_hash == account.password_hash,
                sa.or_(_users.c.locked_until.is_(None), _users.c.locked_until <= at),
            )
            .values(unlocked if renewed_hash is None else {**unlocked, "password_hash": renewed_hash})
        )
        if taken.rowcount == 0:
            raise LogInFailed()
        session_id = connection.execute(
            sa.insert(_sessions)
            .values(
                user_id=account.id,
                token_hash=_hashed(token),
                user_agent=user_agent[:_AGENT_LENGTH].replace("\0", ""),
                created_at=at,
                last_seen_at=at,
                expires_at=expires_at,
            )
            .returning(_sessions.c.id)
        ).scalar_one()
        actor = actors.load_actor(connection, account.id, session_id=session_id)
        _trace(connection, actor, "session.opened", at=at, address=address)
    return NewSession(token, actor, expires_at)


def _mark_seen(row: Any, at: datetime) -> None:
    length = timedelta(hours=settings().session_hours)
    expires_at = min(at + length, row.created_at + MOST_LENGTHS * length)
    with transaction() as connection:
        # A session that ended in between stays ended.
        connection.execute(
            sa.update(_sessions)
            .where(_sessions.c.id == row.id, _sessions.c.ended_at.is_(None))
            .values(last_seen_at=at, expires_at=expires_at)
        )


def _trace(connection: Connection, actor: Actor, action: str, *, at: datetime, **payload: Any) -> None:
    audit.record(
        connection,
        at=at,
        actor=actor,
        action=action,
        subject=f"user:{actor.user_id}",
        payload={"session": actor.session_id, **payload},
        command_id=_command_id(),
    )


def _command_id() -> str:
    return f"session-{secrets.token_hex(16)}"
