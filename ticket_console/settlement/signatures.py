"""The signing key of an organisation, and the signature every statement gets when it is issued.

The signature is made once, from the lines the statement says at that moment, and kept: a file made later
from changed books carries the old signature and fails.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict
from ticket_console.kernel.settings import settings
from ticket_console.settlement import closing, sealing, signing
from ticket_console.settlement.books import lock_head
from ticket_console.settlement.signing import Signature
from ticket_console.settlement.spans import Span
from ticket_console.settlement.stated_lines import lines_of
from ticket_console.settlement.tables import Journal, SigningKey, StatementSignature

if TYPE_CHECKING:
    from ticket_console.settlement.statements import StatementView

_JOURNALS = table(Journal)
_KEYS = table(SigningKey)
_SIGNATURES = table(StatementSignature)


class SigningKeySealed(Conflict):
    """The key was made under another SECRET_KEY; `python -m tools.signing_key --renew` makes a new one."""

    code = "settlement.signing_key_sealed"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A public key in base64; `retired_at` is None for the one in use."""

    public_key: str
    made_at: datetime
    retired_at: datetime | None

    @property
    def fingerprint(self) -> str:
        return signing.fingerprint(self.public_key)


def ensure_key(conn: Connection, *, org_id: int, at: datetime) -> str:
    """The public key in use; the organisation gets its first key here."""
    found = _key_in_use(conn, org_id)
    if found is None:
        # Whoever waited for the books finds the key of the one before.
        lock_head(conn, org_id)
        found = _key_in_use(conn, org_id)
    return _make_key(conn, org_id, at) if found is None else str(found.public_key)


def renew_key(conn: Connection, *, org_id: int, at: datetime) -> str:
    """Retire the key in use and make another; what the old one signed stays as genuine as it was."""
    lock_head(conn, org_id)
    conn.execute(
        sa.update(_KEYS).where(_KEYS.c.org_id == org_id, _KEYS.c.retired_at.is_(None)).values(retired_at=at)
    )
    return _make_key(conn, org_id, at)


def keys(conn: Connection, *, org_id: int) -> tuple[KeyView, ...]:
    """All public keys of an organisation, the one in use first."""
    rows = conn.execute(
        sa.select(_KEYS.c.public_key, _KEYS.c.made_at, _KEYS.c.retired_at)
        .where(_KEYS.c.org_id == org_id)
        .order_by(_KEYS.c.id.desc())
    )
    return tuple(KeyView(*row) for row in rows)


def known_keys(conn: Connection, *, viewer: Actor) -> tuple[KeyView, ...]:
    """The same for whoever may read a statement; a public key is no secret, but whose it is matters."""
    if not policy.allows(viewer, "settlement.view"):
        policy.require(viewer, "settlement.view_own")
    return keys(conn, org_id=viewer.org_id)


def sign(conn: Connection, *, at: datetime, org_id: int, statement: "StatementView", span: Span) -> Signature:
    """Sign a statement that is being issued; raises SigningKeySealed."""
    ensure_key(conn, org_id=org_id, at=at)
    key = _key_in_use(conn, org_id)
    assert key is not None
    head = _head(conn, org_id, statement, span)
    signed = signing.sign(head, private_key=_opened(key, org_id))
    conn.execute(
        sa.insert(_SIGNATURES).values(
            statement_id=statement.id,
            signing_key_id=key.id,
            head=head,
            signature=signed.signature,
            signed_at=at,
        )
    )
    return signed


def of_statement(conn: Connection, statement_id: int) -> Signature | None:
    """The signature made at issuing; None for a draft. Whoever may read the statement may read it."""
    row = conn.execute(
        sa.select(_SIGNATURES.c.head, _SIGNATURES.c.signature, _KEYS.c.public_key)
        .join(_KEYS, _KEYS.c.id == _SIGNATURES.c.signing_key_id)
        .where(_SIGNATURES.c.statement_id == statement_id)
    ).one_or_none()
    return None if row is None else Signature(*row)


def _head(conn: Connection, org_id: int, statement: "StatementView", span: Span) -> dict[str, Any]:
    period = closing.period_view(conn, org_id, statement.period_id)
    zone = ZoneInfo(period.tz)
    lines = [line.signed(zone) for line in lines_of(conn, span, statement.total_minor)]
    chain_head = conn.execute(
        sa.select(_JOURNALS.c.hash).where(
            _JOURNALS.c.org_id == org_id, _JOURNALS.c.seq == statement.as_of_seq
        )
    ).scalar_one()
    assert statement.issued_at is not None
    return {
        "format": signing.FORMAT,
        "organisation": dict(places.org(conn, org_id).name),
        "payee_kind": statement.payee_kind.value,
        "payee_id": statement.payee_id,
        "payee_name": dict(statement.payee_name),
        "period": period.code,
        "tz": period.tz,
        "number": statement.number,
        "currency": statement.currency,
        "total_minor": statement.total_minor,
        "from_seq": statement.from_seq,
        "as_of_seq": statement.as_of_seq,
        "chain_head": chain_head,
        "content_hash": statement.content_hash,
        "issued_at": instant_text(statement.issued_at),
        "line_count": len(lines),
        "lines_hash": signing.lines_hash(lines),
    }


def _key_in_use(conn: Connection, org_id: int) -> Any:
    return conn.execute(
        sa.select(_KEYS.c.id, _KEYS.c.public_key, _KEYS.c.sealed).where(
            _KEYS.c.org_id == org_id, _KEYS.c.retired_at.is_(None)
        )
    ).one_or_none()


def _make_key(conn: Connection, org_id: int, at: datetime) -> str:
    private = signing.new_private_key()
    public = signing.public_key_of(private)
    sealed = sealing.seal(private, secret=settings().secret_key, about=_about(org_id, public))
    conn.execute(sa.insert(_KEYS).values(org_id=org_id, public_key=public, sealed=sealed, made_at=at))
    return public


def _opened(key: Any, org_id: int) -> bytes:
    try:
        return sealing.unseal(key.sealed, secret=settings().secret_key, about=_about(org_id, key.public_key))
    except sealing.SealBroken as broken:
        raise SigningKeySealed() from broken


def _about(org_id: int, public_key: str) -> str:
    return f"{org_id}:{public_key}"
