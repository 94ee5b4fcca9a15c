"""Users and what is granted to them: made, changed and cut off by those who manage them."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, passwords, policy, sessions
from ticket_console.access.actors import UserNotFound
from ticket_console.access.tables import Region, RoleGrant, UserAccount
from ticket_console.kernel.actor import Actor, Role, Scope
from ticket_console.kernel.database import table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput, NotFound
from ticket_console.kernel.text import LOCALES

_users = table(UserAccount)
_grants = table(RoleGrant)
_regions = table(Region)

_LOGIN_LENGTH: Final = 64
_NAME_LENGTH: Final = 80
_DEPARTMENT: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HASHING_THREADS: Final = 2


class LoginTaken(Conflict):
    code = "user.login_taken"


class OwnAccount(Conflict):
    """Nobody cuts off themselves: the last manager could not be let in again."""

    code = "user.own_account"


class GrantNotFound(NotFound):
    code = "user.grant_not_found"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A role within the organisation, a region with all that lies below it, or the user's own rows.

    No classes means tickets of every class.
    """

    role: Role
    scope: Scope = Scope.ORG
    region_id: int | None = None
    ticket_classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NewUser:
    login: str
    display_name: str
    password: str
    locale: str = "zh"
    grants: tuple[NewGrant, ...] = ()
    department: str = ""


def create_user(*, actor: Actor, at: datetime, command_id: str, user: NewUser) -> int:
    """Make one user; the number of the account. See `create_users`."""
    return create_users(actor=actor, at=at, command_id=command_id, users=(user,))[0]


def create_users(*, actor: Actor, at: datetime, command_id: str, users: Sequence[NewUser]) -> tuple[int, ...]:
    """Make several users with their grants, all or none; their numbers in the order given.

    Raises InvalidInput naming everything wrong, LoginTaken for a name somebody has.
    """
    policy.require_everywhere(actor, "user.manage")
    problems = [problem for index, user in enumerate(users) for problem in _problems(user, index, len(users))]
    if problems:
        raise InvalidInput(tuple(problems))
    # Before the write lock: hashing a password takes longer than writing everything else.
    with ThreadPoolExecutor(_HASHING_THREADS) as threads:
        hashes = tuple(threads.map(passwords.hash_password, (user.password for user in users)))
    with transaction() as connection:
        return tuple(
            _insert(connection, actor, user, password_hash, at=at, command_id=command_id)
            for user, password_hash in zip(users, hashes, strict=True)
        )


def grant(*, actor: Actor, at: datetime, command_id: str, user_id: int, grant: NewGrant) -> int:
    """Grant a role; it counts with the user's next click. The number of the grant."""
    policy.require_everywhere(actor, "user.manage")
    problems = _grant_problems(grant, "grant")
    if problems:
        raise InvalidInput(problems)
    with transaction() as connection:
        _touch(connection, actor, user_id, {})
        return _insert_grant(connection, actor, user_id, grant, at=at, command_id=command_id)


def withdraw(*, actor: Actor, at: datetime, command_id: str, grant_id: int) -> None:
    """Take a grant back; it is gone with the user's next click."""
    policy.require_everywhere(actor, "user.manage")
    with transaction() as connection:
        row = connection.execute(
            sa.select(_grants.c.user_id, _grants.c.role, _grants.c.scope)
            .select_from(_grants.join(_users, _users.c.id == _grants.c.user_id))
            .where(_grants.c.id == grant_id, _users.c.org_id == actor.org_id)
        ).first()
        if row is None:
            raise GrantNotFound(grant_id=grant_id)
        if row.user_id == actor.user_id:
            raise OwnAccount()
        connection.execute(sa.delete(_grants).where(_grants.c.id == grant_id))
        _touch(connection, actor, row.user_id, {})
        _trace(
            connection,
            actor,
            "user.grant_withdrawn",
            row.user_id,
            {"grant": grant_id, "role": row.role, "scope": row.scope},
            at=at,
            command_id=command_id,
        )


def move_to_department(*, actor: Actor, at: datetime, command_id: str, user_id: int, department: str) -> None:
    """Say which department a user works for, by its code; an empty one is none.

    Sections of forms that a department owns are filled in and changed by its people only.
    """
    policy.require_everywhere(actor, "user.manage")
    if problems := _department_problems(department):
        raise InvalidInput(problems)
    with transaction() as connection:
        _touch(connection, actor, user_id, {"department": department})
        _trace(
            connection,
            actor,
            "user.department_changed",
            user_id,
            {"department": department},
            at=at,
            command_id=command_id,
        )


def disable_user(*, actor: Actor, at: datetime, command_id: str, user_id: int) -> None:
    """Cut a user off at once: no log-in, no session and no API token of theirs holds any longer."""
    policy.require_everywhere(actor, "user.manage")
    if user_id == actor.user_id:
        raise OwnAccount()
    with transaction() as connection:
        _touch(connection, actor, user_id, {"is_enabled": False})
        ended = sessions.end_sessions(connection, user_id=user_id, at=at)
        _trace(connection, actor, "user.disabled", user_id, {"sessions": ended}, at=at, command_id=command_id)


def enable_user(*, actor: Actor, at: datetime, command_id: str, user_id: int) -> None:
    """Let a user log in again, also one who was locked out by wrong passwords."""
    policy.require_everywhere(actor, "user.manage")
    with transaction() as connection:
        _touch(connection, actor, user_id, {"is_enabled": True, "failed_logins": 0, "locked_until": None})
        _trace(connection, actor, "user.enabled", user_id, {}, at=at, command_id=command_id)


def reset_password(*, actor: Actor, at: datetime, command_id: str, user_id: int, password: str) -> None:
    """Give a user another password; every session of theirs ends and a lock is lifted."""
    policy.require_everywhere(actor, "user.manage")
    problems = passwords.problems_with(password, login="")
    if problems:
        raise InvalidInput(problems)
    password_hash = passwords.hash_password(password)
    with transaction() as connection:
        _touch(
            connection,
            actor,
            user_id,
            {"password_hash": password_hash, "failed_logins": 0, "locked_until": None},
        )
        ended = sessions.end_sessions(connection, user_id=user_id, at=at)
        _trace(
            connection,
            actor,
            "user.password_reset",
            user_id,
            {"sessions": ended},
            at=at,
            command_id=command_id,
        )


def _touch(connection: Connection, actor: Actor, user_id: int, changes: Mapping[str, Any]) -> None:
    """Change an account of the actor's organisation and count its version up."""
    changed = connection.execute(
        sa.update(_users)
        .where(_users.c.id == user_id, _users.c.org_id == actor.org_id)
        .values(version=_users.c.version + 1, **changes)
    )
    if changed.rowcount == 0:
        raise UserNotFound(user_id=user_id)


def _insert(
    connection: Connection, actor: Actor, user: NewUser, password_hash: str, *, at: datetime, command_id: str
) -> int:
    login = user.login.strip().casefold()
    if connection.execute(sa.select(_users.c.id).where(_users.c.login == login)).first() is not None:
        raise LoginTaken(login=login)
    try:
        user_id: int = connection.execute(
            sa.insert(_users)
            .values(
                org_id=actor.org_id,
                login=login,
                display_name=user.display_name.strip(),
                password_hash=password_hash,
                locale=user.locale,
                department=user.department,
                created_at=at,
            )
            .returning(_users.c.id)
        ).scalar_one()
    except sa.exc.IntegrityError:
        # Somebody took the name between the look and the write.
        raise LoginTaken(login=login) from None
    _trace(connection, actor, "user.created", user_id, {"login": login}, at=at, command_id=command_id)
    for wanted in user.grants:
        _insert_grant(connection, actor, user_id, wanted, at=at, command_id=command_id)
    return user_id


def _insert_grant(
    connection: Connection, actor: Actor, user_id: int, wanted: NewGrant, *, at: datetime, command_id: str
) -> int:
    if wanted.region_id is not None:
        region = sa.select(_regions.c.id).where(
            _regions.c.id == wanted.region_id, _regions.c.org_id == actor.org_id
        )
        if connection.execute(region).first() is None:
            raise InvalidInput((FieldProblem("grant.region_id", "user.unknown_region"),))
    grant_id: int = connection.execute(
        sa.insert(_grants)
        .values(
            user_id=user_id,
            role=wanted.role,
            scope=wanted.scope,
            region_id=wanted.region_id,
            ticket_classes=sorted(wanted.ticket_classes),
        )
        .returning(_grants.c.id)
    ).scalar_one()
    _trace(
        connection,
        actor,
        "user.granted",
        user_id,
        {
            "grant": grant_id,
            "role": wanted.role,
            "scope": wanted.scope,
            "region": wanted.region_id,
            "classes": sorted(wanted.ticket_classes),
        },
        at=at,
        command_id=command_id,
    )
    return grant_id


def _problems(user: NewUser, index: int, count: int) -> tuple[FieldProblem, ...]:
    login, name = user.login.strip(), user.display_name.strip()
    problems = list(passwords.problems_with(user.password, login=login))
    if not 0 < len(login) <= _LOGIN_LENGTH or not login.isprintable():
        problems.append(FieldProblem("login", "user.bad_login", {"longest": _LOGIN_LENGTH}))
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        problems.append(FieldProblem("display_name", "user.bad_name", {"longest": _NAME_LENGTH}))
    if user.locale not in LOCALES:
        problems.append(FieldProblem("locale", "input.not_allowed"))
    problems.extend(_department_problems(user.department))
    for number, wanted in enumerate(user.grants):
        problems.extend(_grant_problems(wanted, f"grants[{number}]"))
    if count == 1:
        return tuple(problems)
    return tuple(FieldProblem(f"users[{index}].{each.path}", each.code, each.params) for each in problems)


def _department_problems(department: str) -> tuple[FieldProblem, ...]:
    if not department or _DEPARTMENT.fullmatch(department):
        return ()
    return (FieldProblem("department", "user.bad_department"),)


def _grant_problems(wanted: NewGrant, path: str) -> tuple[FieldProblem, ...]:
    if (wanted.scope is Scope.REGION) == (wanted.region_id is not None):
        return ()
    code = "user.region_missing" if wanted.scope is Scope.REGION else "user.region_without_scope"
    return (FieldProblem(f"{path}.region_id", code),)


def _trace(
    connection: Connection,
    actor: Actor,
    action: str,
    user_id: int,
    payload: Mapping[str, Any],
    *,
    at: datetime,
    command_id: str,
) -> None:
    audit.record(
        connection,
        at=at,
        actor=actor,
        action=action,
        subject=f"user:{user_id}",
        payload=payload,
        command_id=command_id,
    )
