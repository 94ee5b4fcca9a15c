"""Rule set versions: drafted, published for good, and found again by the day the work was done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import standard_rules, standard_sides
from ticket_console.settlement.kinds import VersionStatus
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.tables import RuleSet as RuleSetRow
from ticket_console.settlement.tables import RuleSetVersion

_SETS = table(RuleSetRow)
_VERSIONS = table(RuleSetVersion)
_IN_FORCE = (
    sa.select(_VERSIONS.c.id, _VERSIONS.c.number, _VERSIONS.c.content_hash)
    .join(_SETS, _SETS.c.id == _VERSIONS.c.rule_set_id)
    .where(
        _SETS.c.org_id == sa.bindparam("org_id"),
        _SETS.c.code == sa.bindparam("code"),
        _VERSIONS.c.status == VersionStatus.PUBLISHED,
        _VERSIONS.c.effective_from <= sa.bindparam("day"),
        sa.or_(_VERSIONS.c.effective_to.is_(None), _VERSIONS.c.effective_to > sa.bindparam("day")),
    )
    .order_by(_VERSIONS.c.effective_from.desc())
    .limit(1)
)
# The standard rules hold for any work a new company may enter, however old.
_ALWAYS = date(2000, 1, 1)
# For those who are paid, the partners, and the customers.
_STANDARD: Final[Mapping[str, tuple[LocalText, Mapping[str, Any]]]] = {
    standard_rules.CODE: (standard_rules.NAME, standard_rules.RULES),
    standard_sides.VENDOR_CODE: (standard_sides.VENDOR_NAME, standard_sides.VENDOR_RULES),
    standard_sides.CUSTOMER_CODE: (standard_sides.CUSTOMER_NAME, standard_sides.CUSTOMER_RULES),
}
# By content hash, not by id: the same rules are the same in every database a process opens.
_parsed: dict[str, RuleSet] = {}


class NoRulesInForce(Conflict):
    code = "settlement.no_rules_in_force"


class RuleVersionNotFound(NotFound):
    code = "settlement.rule_version_not_found"


class RuleVersionPublished(Conflict):
    """A published version is history; a change is a new version."""

    code = "settlement.rule_version_published"


class RuleVersionSameDay(Conflict):
    code = "settlement.rule_version_same_day"


@dataclass(frozen=True, slots=True)
class VersionInForce:
    id: int
    number: int
    rules: RuleSet


def create_rule_set(conn: Connection, *, actor: Actor, code: str, name: LocalText) -> int:
    policy.require(actor, "rules.manage")
    return _insert_set(conn, actor.org_id, code, name)


def save_draft(
    conn: Connection,
    *,
    actor: Actor,
    rule_set_id: int,
    rules: Mapping[str, Any],
    effective_from: date,
    version_id: int | None = None,
) -> int:
    """Keep a draft, new or in place of one there was; raises `BadRules` on rules nobody could rate with."""
    policy.require(actor, "rules.manage")
    parsed = parse_rules(rules)
    _require_set(conn, actor.org_id, rule_set_id)
    if version_id is None:
        return _insert_draft(conn, rule_set_id, parsed, effective_from)
    draft = _lock_version(conn, actor.org_id, version_id)
    if draft.status is not VersionStatus.DRAFT or draft.rule_set_id != rule_set_id:
        raise RuleVersionPublished(number=draft.number)
    conn.execute(
        sa.update(_VERSIONS)
        .where(_VERSIONS.c.id == version_id)
        .values(rules=parsed.to_json(), content_hash=parsed.content_hash, effective_from=effective_from)
    )
    return version_id


def publish(conn: Connection, *, actor: Actor, at: datetime, version_id: int, command_id: str) -> None:
    """Put a draft in force from its first day until the next version's; ratings already made stay."""
    policy.require(actor, "rules.manage")
    draft = _lock_version(conn, actor.org_id, version_id)
    if draft.status is not VersionStatus.DRAFT:
        raise RuleVersionPublished(number=draft.number)
    _publish(conn, draft, at, actor.user_id)
    audit.record(
        conn,
        at=at,
        actor=actor,
        action="rules.published",
        subject=f"rule_set_version:{version_id}",
        payload={"number": draft.number, "effective_from": draft.effective_from.isoformat()},
        command_id=command_id,
    )


def version_on(conn: Connection, *, org_id: int, code: str, day: date) -> VersionInForce:
    """The version that rates work finished on a day."""
    row = conn.execute(_IN_FORCE, {"org_id": org_id, "code": code, "day": day}).one_or_none()
    if row is None:
        raise NoRulesInForce(rule_set=code, day=day.isoformat())
    return VersionInForce(row.id, row.number, rules_of(conn, row.id, row.content_hash))


def rules_of(conn: Connection, version_id: int, content_hash: str) -> RuleSet:
    """The rules of a version, parsed once per process."""
    known = _parsed.get(content_hash)
    if known is None:
        document = conn.execute(sa.select(_VERSIONS.c.rules).where(_VERSIONS.c.id == version_id)).scalar_one()
        known = _parsed.setdefault(content_hash, parse_rules(document))
    return known


def install_standard(
    conn: Connection, *, org_id: int, at: datetime, codes: Collection[str] = tuple(_STANDARD)
) -> None:
    """Give an organisation the standard rules, in force for all time; rule sets it has already stay."""
    taken = set(conn.execute(sa.select(_SETS.c.code).where(_SETS.c.org_id == org_id)).scalars())
    for code in codes:
        if code not in taken:
            name, rules = _STANDARD[code]
            version_id = _insert_draft(
                conn, _insert_set(conn, org_id, code, name), parse_rules(rules), _ALWAYS
            )
            _publish(conn, _lock_version(conn, org_id, version_id), at, None)


def _insert_set(conn: Connection, org_id: int, code: str, name: LocalText) -> int:
    new = sa.insert(_SETS).values(org_id=org_id, code=code, name=name).returning(_SETS.c.id)
    return int(conn.execute(new).scalar_one())


def _require_set(conn: Connection, org_id: int, rule_set_id: int) -> None:
    found = sa.select(_SETS.c.id).where(_SETS.c.id == rule_set_id, _SETS.c.org_id == org_id)
    if conn.execute(found).first() is None:
        raise RuleVersionNotFound()


def _insert_draft(conn: Connection, rule_set_id: int, rules: RuleSet, effective_from: date) -> int:
    latest = sa.select(sa.func.max(_VERSIONS.c.number)).where(_VERSIONS.c.rule_set_id == rule_set_id)
    new = sa.insert(_VERSIONS).values(
        rule_set_id=rule_set_id,
        number=(conn.execute(latest).scalar() or 0) + 1,
        status=VersionStatus.DRAFT,
        rules=rules.to_json(),
        content_hash=rules.content_hash,
        effective_from=effective_from,
    )
    return int(conn.execute(new.returning(_VERSIONS.c.id)).scalar_one())


def _lock_version(conn: Connection, org_id: int, version_id: int) -> sa.Row[Any]:
    row = conn.execute(
        sa.select(_VERSIONS)
        .join(_SETS, _SETS.c.id == _VERSIONS.c.rule_set_id)
        .where(_VERSIONS.c.id == version_id, _SETS.c.org_id == org_id)
        .with_for_update(of=_VERSIONS)
    ).one_or_none()
    if row is None:
        raise RuleVersionNotFound()
    return row


def _publish(conn: Connection, draft: sa.Row[Any], at: datetime, published_by: int | None) -> None:
    starts = _VERSIONS.c.effective_from
    siblings = sa.and_(
        _VERSIONS.c.rule_set_id == draft.rule_set_id, _VERSIONS.c.status == VersionStatus.PUBLISHED
    )
    # Locks the set, so that two versions cannot be put in force side by side.
    conn.execute(sa.select(_SETS.c.id).where(_SETS.c.id == draft.rule_set_id).with_for_update())
    days = conn.execute(sa.select(starts).where(siblings).order_by(starts)).scalars().all()
    if draft.effective_from in days:
        raise RuleVersionSameDay(day=draft.effective_from.isoformat())
    earlier = [day for day in days if day < draft.effective_from]
    later = [day for day in days if day > draft.effective_from]
    if earlier:
        conn.execute(
            sa.update(_VERSIONS)
            .where(siblings, starts == earlier[-1])
            .values(effective_to=draft.effective_from)
        )
    conn.execute(
        sa.update(_VERSIONS)
        .where(_VERSIONS.c.id == draft.id)
        .values(
            status=VersionStatus.PUBLISHED,
            effective_to=later[0] if later else None,
            published_at=at,
            published_by=published_by,
        )
    )
