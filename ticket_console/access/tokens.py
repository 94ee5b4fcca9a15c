"""API tokens: how programs say who they are. Shown once, kept as a hash, narrowed to what stands on them."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import actors, audit, policy
from ticket_console.access.tables import ApiToken, UserAccount
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import table, transaction
from ticket_console.kernel.errors import FieldProblem, InvalidInput, NotFound, Unauthenticated

_tokens = table(ApiToken)
_users = table(UserAccount)

MARK: Final = "tc_"
_PREFIX_LENGTH: Final = 10
_NAME_LENGTH: Final = 80


class TokenNotFound(NotFound):
    code = "token.not_found"


@dataclass(frozen=True, slots=True)
class NewToken:
    """`token` is the secret; it cannot be shown again."""

    id: int
    token: str
    prefix: str


@dataclass(frozen=True, slots=True)
class TokenView:
    id: int
    name: str
    prefix: str
    user_id: int | None
    permissions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


# A token of a user who was disabled opens nothing, as the user opens nothing.
_RESOLVE: Final = (
    sa.select(
        _tokens.c.id,
        _tokens.c.org_id,
        _tokens.c.name,
        _tokens.c.user_id,
        _tokens.c.permissions,
        _users.c.locale,
        _users.c.department,
    )
    .select_from(_tokens.outerjoin(_users, _users.c.id == _tokens.c.user_id))
    .where(
        _tokens.c.token_hash == sa.bindparam("token_hash"),
        _tokens.c.revoked_at.is_(None),
        sa.or_(_tokens.c.expires_at.is_(None), _tokens.c.expires_at > sa.bindparam("at")),
        sa.or_(_tokens.c.user_id.is_(None), _users.c.is_enabled),
    )
)


def create_token(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    name: str,
    permissions: Iterable[str],
    expires_at: datetime | None = None,
    user_id: int | None = None,
) -> NewToken:
    """Make a token of the organisation, or of a user, who then bounds what it reaches.

    Nobody can write a permission on it that they lack themselves.
    """
    policy.require_everywhere(actor, "user.manage")
    wanted = frozenset(permissions)
    _refuse_wrong(actor, name, wanted, at=at, expires_at=expires_at)
    token = MARK + secrets.token_urlsafe(32)
    with transaction() as connection:
        if user_id is not None and actors.load_actor(connection, user_id).org_id != actor.org_id:
            raise actors.UserNotFound()
        token_id: int = connection.execute(
            sa.insert(_tokens)
            .values(
                org_id=actor.org_id,
                name=name.strip(),
                prefix=token[:_PREFIX_LENGTH],
                token_hash=_hashed(token),
                user_id=user_id,
                permissions=sorted(wanted),
                created_at=at,
                expires_at=expires_at,
            )
            .returning(_tokens.c.id)
        ).scalar_one()
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="token.created",
            subject=f"token:{token_id}",
            payload={"name": name.strip(), "permissions": sorted(wanted), "user_id": user_id},
            command_id=command_id,
        )
    return NewToken(token_id, token, token[:_PREFIX_LENGTH])


def revoke_token(*, actor: Actor, at: datetime, command_id: str, token_id: int) -> None:
    """End a token at once; one that has ended already stays as it is."""
    policy.require_everywhere(actor, "user.manage")
    its_row = sa.and_(_tokens.c.id == token_id, _tokens.c.org_id == actor.org_id)
    with transaction() as connection:
        revoked = connection.execute(
            sa.update(_tokens).where(its_row, _tokens.c.revoked_at.is_(None)).values(revoked_at=at)
        )
        if revoked.rowcount == 0:
            if connection.execute(sa.select(_tokens.c.id).where(its_row)).first() is None:
                raise TokenNotFound(token_id=token_id)
            return
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="token.revoked",
            subject=f"token:{token_id}",
            command_id=command_id,
        )


def resolve_token(connection: Connection, *, token: str, at: datetime) -> Actor:
    """The actor a token stands for, in one statement, or two for a token of a user; else Unauthenticated."""
    row = connection.execute(_RESOLVE, {"token_hash": _hashed(token), "at": at}).first()
    if row is None:
        raise Unauthenticated()
    return Actor(
        kind=ActorKind.CHANNEL,
        org_id=row.org_id,
        display=row.name,
        user_id=row.user_id,
        grants=() if row.user_id is None else actors.grants_of(connection, row.user_id),
        permissions=frozenset(row.permissions),
        locale=row.locale or "zh",
        department=row.department or "",
    )


def tokens(connection: Connection, *, viewer: Actor) -> tuple[TokenView, ...]:
    """Every token of the organisation, the newest first, without its secret."""
    policy.require_everywhere(viewer, "user.manage")
    rows = connection.execute(
        sa.select(_tokens).where(_tokens.c.org_id == viewer.org_id).order_by(_tokens.c.id.desc())
    )
    return tuple(
        TokenView(
            id=row.id,
            name=row.name,
            prefix=row.prefix,
            user_id=row.user_id,
            permissions=tuple(row.permissions),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _refuse_wrong(
    actor: Actor, name: str, wanted: frozenset[str], *, at: datetime, expires_at: datetime | None
) -> None:
    problems = [
        FieldProblem("permissions", "token.permission_not_yours", {"permission": permission})
        for permission in sorted(wanted - policy.permissions_of(actor))
    ]
    if not wanted:
        problems.append(FieldProblem("permissions", "input.missing"))
    if not 0 < len(name.strip()) <= _NAME_LENGTH:
        problems.append(FieldProblem("name", "token.bad_name", {"longest": _NAME_LENGTH}))
    if expires_at is not None and expires_at <= at:
        problems.append(FieldProblem("expires_at", "token.expires_in_the_past"))
    if problems:
        raise InvalidInput(tuple(problems))
