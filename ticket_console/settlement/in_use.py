"""The rule sets there are with their published versions, as plain JSON, and taking over others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.ids import command_id_of
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import publishing
from ticket_console.settlement.kinds import VersionStatus
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.tables import RuleSet, RuleSetVersion

_sets = table(RuleSet)
_versions = table(RuleSetVersion)


@dataclass(frozen=True, slots=True)
class PublishedRules:
    effective_from: date
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleSetInUse:
    """`versions` by the day from which they hold."""

    code: str
    name: LocalText
    versions: tuple[PublishedRules, ...]


def codes(conn: Connection, org_id: int) -> tuple[str, ...]:
    query = sa.select(_sets.c.code).where(_sets.c.org_id == org_id).order_by(_sets.c.code)
    return tuple(conn.execute(query).scalars())


def rule_set(conn: Connection, org_id: int, code: str) -> RuleSetInUse | None:
    row = _row(conn, org_id, code)
    if row is None:
        return None
    versions = tuple(PublishedRules(each.effective_from, each.rules) for each in _published(conn, row.id))
    return RuleSetInUse(row.code, row.name, versions)


def take_over(conn: Connection, *, actor: Actor, at: datetime, command_id: str, wanted: RuleSetInUse) -> None:
    """Publish the versions that are not there yet, under this name.

    Raises `RuleVersionSameDay` where other rules are published for the same day already.
    """
    policy.require(actor, "rules.manage")
    row = _row(conn, actor.org_id, wanted.code)
    if row is None:
        rule_set_id = publishing.create_rule_set(conn, actor=actor, code=wanted.code, name=wanted.name)
    else:
        rule_set_id = row.id
        conn.execute(sa.update(_sets).where(_sets.c.id == rule_set_id).values(name=wanted.name))
    known = {(each.effective_from, each.content_hash) for each in _published(conn, rule_set_id)}
    for version in wanted.versions:
        day = version.effective_from
        if (day, parse_rules(version.rules).content_hash) in known:
            continue
        draft = publishing.save_draft(
            conn, actor=actor, rule_set_id=rule_set_id, rules=version.rules, effective_from=day
        )
        publishing.publish(
            conn,
            actor=actor,
            at=at,
            version_id=draft,
            command_id=command_id_of(command_id, wanted.code, day.isoformat()),
        )


def _row(conn: Connection, org_id: int, code: str) -> sa.Row[Any] | None:
    query = sa.select(_sets).where(_sets.c.org_id == org_id, _sets.c.code == code)
    return conn.execute(query).one_or_none()


def _published(conn: Connection, rule_set_id: int) -> list[sa.Row[Any]]:
    query = (
        sa.select(_versions)
        .where(_versions.c.rule_set_id == rule_set_id, _versions.c.status == VersionStatus.PUBLISHED)
        .order_by(_versions.c.effective_from)
    )
    return list(conn.execute(query))
