"""Versions of rules that were agreed on, whatever the day of the work says: named, listed and found again."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.settlement.kinds import VersionStatus
from ticket_console.settlement.publishing import RuleVersionNotFound, VersionInForce, rules_of
from ticket_console.settlement.tables import RuleSet, RuleSetVersion

_sets, _versions = table(RuleSet), table(RuleSetVersion)
_PUBLISHED: Final = (
    sa.select(
        _versions.c.id,
        _versions.c.number,
        _versions.c.content_hash,
        _versions.c.effective_from,
        _sets.c.code,
        _sets.c.name,
    )
    .join(_sets, _sets.c.id == _versions.c.rule_set_id)
    .where(_sets.c.org_id == sa.bindparam("org_id"), _versions.c.status == VersionStatus.PUBLISHED)
)
_NAMED: Final = _PUBLISHED.where(
    _sets.c.code == sa.bindparam("code"), _versions.c.number == sa.bindparam("number")
)


@dataclass(frozen=True, slots=True)
class RateVersion:
    """A published version that may be agreed on."""

    rule_set: str
    name: LocalText
    version: int
    effective_from: date


def pin(rule_set: str, version: int) -> str:
    """How facts name a version: `standard:2`."""
    return f"{rule_set}:{version}"


def rate_versions(conn: Connection, org_id: int) -> tuple[RateVersion, ...]:
    """Every published version, those of one rule set together, the newest of each first."""
    rows = conn.execute(
        _PUBLISHED.order_by(_sets.c.code, _versions.c.number.desc()), {"org_id": org_id}
    ).all()
    return tuple(RateVersion(row.code, row.name, row.number, row.effective_from) for row in rows)


def version_of(conn: Connection, *, org_id: int, pinned: str) -> VersionInForce:
    """The version that facts name; raises `RuleVersionNotFound`."""
    code, _, number = pinned.rpartition(":")
    asked = {"org_id": org_id, "code": code, "number": int(number) if number.isdecimal() else 0}
    row = conn.execute(_NAMED, asked).one_or_none()
    if row is None:
        raise RuleVersionNotFound()
    return VersionInForce(row.id, row.number, rules_of(conn, row.id, row.content_hash))
