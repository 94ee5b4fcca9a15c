"""Keeping trigger rules: versions that never change, their order, and which are at work."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ticket_console.access import audit, policy
from ticket_console.forms import reads as form_reads
from ticket_console.intake.tables import TriggerRule, TriggerRuleVersion
from ticket_console.intake.trigger_rules import (
    FIELD,
    InvalidRule,
    TriggerContent,
    TriggerRuleView,
    parse_content,
)
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.condition_analysis import contradiction
from ticket_console.kernel.conditions import fields_of
from ticket_console.kernel.database import retried, table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, NotFound

MOST_RULES: Final = 200
_CODE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")

_rules = table(TriggerRule)
_versions = table(TriggerRuleVersion)
# By engine, because ids mean nothing across databases.
_parsed: WeakKeyDictionary[Engine, dict[int, TriggerContent]] = WeakKeyDictionary()


class RuleNotFound(NotFound):
    code = "rules.not_found"


class RuleMoved(Conflict):
    """Somebody changed the rule, or the order of the rules, since it was looked at."""

    code = "rules.moved"


class TooManyRules(Conflict):
    code = "rules.too_many"


@dataclass(frozen=True, slots=True)
class VersionView:
    number: int
    content: TriggerContent
    published_at: datetime
    published_by: str


_ALL: Final = (
    sa.select(_rules, _versions.c.number, _versions.c.content)
    .join(_versions, _versions.c.id == _rules.c.current_version_id)
    .where(_rules.c.org_id == sa.bindparam("org_id"))
    .order_by(_rules.c.position, _rules.c.id)
)


def trigger_rules(connection: Connection, org_id: int) -> tuple[TriggerRuleView, ...]:
    """Every rule in its order, those that rest included."""
    contents = _parsed.setdefault(connection.engine, {})
    found = []
    for row in connection.execute(_ALL, {"org_id": org_id}):
        content = contents.get(row.current_version_id)
        if content is None:
            content = contents[row.current_version_id] = parse_content(row.content)
        found.append(
            TriggerRuleView(
                row.id,
                row.code,
                row.position,
                row.is_active,
                row.version,
                row.current_version_id,
                row.number,
                content,
            )
        )
    return tuple(found)


def versions_of(connection: Connection, viewer: Actor, code: str) -> tuple[VersionView, ...]:
    """What a rule has said, the newest first."""
    policy.require(viewer, "rules.manage")
    rows = connection.execute(
        sa.select(_versions)
        .join(_rules, _rules.c.id == _versions.c.rule_id)
        .where(_rules.c.org_id == viewer.org_id, _rules.c.code == code)
        .order_by(_versions.c.number.desc())
    )
    return tuple(
        VersionView(row.number, parse_content(row.content), row.published_at, row.published_by)
        for row in rows
    )


@retried
def publish_rule(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    content: Mapping[str, Any],
    expected_version: int | None,
) -> TriggerRuleView:
    """Let a rule say something new from now on; `expected_version` is None for a rule that is new.

    The same content again is the same version. Raises InvalidRule naming everything wrong with it, a
    condition that can never hold included, RuleMoved and TooManyRules.
    """
    with transaction() as connection:
        return put_rule(
            connection,
            actor=actor,
            at=at,
            command_id=command_id,
            code=code,
            content=content,
            expected_version=expected_version,
        )


def put_rule(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    content: Mapping[str, Any],
    expected_version: int | None,
) -> TriggerRuleView:
    """The same within a transaction of the caller's."""
    policy.require_everywhere(actor, "rules.manage")
    parsed = parse_content(content)
    if problems := _problems(connection, actor.org_id, code, parsed):
        raise InvalidRule(problems)
    digest = content_hash(parsed.as_json())
    row = _lock(connection, actor.org_id, code)
    if row is None:
        if expected_version is not None:
            raise RuleNotFound(code=code)
        rule_id = _new(connection, actor.org_id, code)
    else:
        current = connection.execute(
            sa.select(_versions.c.content_hash).where(_versions.c.id == row.current_version_id)
        ).scalar_one()
        if current == digest:
            return _view(connection, actor.org_id, code)
        if row.version != expected_version:
            raise RuleMoved(code=code)
        rule_id = row.id
    version_id = _version(connection, actor, at, rule_id, parsed, digest)
    connection.execute(
        sa.update(_rules)
        .where(_rules.c.id == rule_id)
        .values(current_version_id=version_id, version=_rules.c.version + 1)
    )
    view = _view(connection, actor.org_id, code)
    _note(connection, actor, at, command_id, "rule.published", code, {"number": view.number, "hash": digest})
    return view


@retried
def set_active(
    *, actor: Actor, at: datetime, command_id: str, code: str, active: bool, expected_version: int
) -> TriggerRuleView:
    """Put a rule to work or to rest; raises RuleNotFound and RuleMoved."""
    with transaction() as connection:
        return put_active(
            connection,
            actor=actor,
            at=at,
            command_id=command_id,
            code=code,
            active=active,
            expected_version=expected_version,
        )


def put_active(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    active: bool,
    expected_version: int,
) -> TriggerRuleView:
    """The same within a transaction of the caller's."""
    policy.require_everywhere(actor, "rules.manage")
    row = _lock(connection, actor.org_id, code)
    if row is None:
        raise RuleNotFound(code=code)
    if row.is_active is not active:
        if row.version != expected_version:
            raise RuleMoved(code=code)
        connection.execute(
            sa.update(_rules)
            .where(_rules.c.id == row.id)
            .values(is_active=active, version=_rules.c.version + 1)
        )
        _note(connection, actor, at, command_id, "rule.activated" if active else "rule.rested", code, {})
    return _view(connection, actor.org_id, code)


@retried
def reorder(
    *, actor: Actor, at: datetime, command_id: str, codes: Sequence[str]
) -> tuple[TriggerRuleView, ...]:
    """Put the rules into a new order, every code once; raises RuleMoved when they are other ones by now."""
    with transaction() as connection:
        return put_order(connection, actor=actor, at=at, command_id=command_id, codes=codes)


def put_order(
    connection: Connection, *, actor: Actor, at: datetime, command_id: str, codes: Sequence[str]
) -> tuple[TriggerRuleView, ...]:
    """The same within a transaction of the caller's."""
    policy.require_everywhere(actor, "rules.manage")
    rows = connection.execute(
        sa.select(_rules.c.id, _rules.c.code)
        .where(_rules.c.org_id == actor.org_id)
        .order_by(_rules.c.position, _rules.c.id)
        .with_for_update()
    ).all()
    if sorted(codes) != sorted(row.code for row in rows):
        raise RuleMoved(code="")
    if list(codes) != [row.code for row in rows]:
        ids = {row.code: row.id for row in rows}
        for position, code in enumerate(codes, start=1):
            connection.execute(sa.update(_rules).where(_rules.c.id == ids[code]).values(position=position))
        _note(connection, actor, at, command_id, "rule.reordered", "", {"codes": list(codes)})
    return trigger_rules(connection, actor.org_id)


def _problems(
    connection: Connection, org_id: int, code: str, content: TriggerContent
) -> tuple[FieldProblem, ...]:
    problems = []
    if not _CODE.fullmatch(code):
        problems.append(FieldProblem("code", "rules.bad_code"))
    if all(each.code != content.template for each in form_reads.published_templates(connection, org_id)):
        problems.append(FieldProblem("template", "template.not_found", {"code": content.template}))
    known = form_reads.field_kinds(connection, org_id)
    problems += [
        FieldProblem("when", "condition.unknown_field", {"field": key})
        for key in sorted(fields_of(content.when))
        if key.startswith(FIELD) and key.removeprefix(FIELD) not in known
    ]
    if contradiction(content.when):
        problems.append(FieldProblem("when", "rules.never_holds"))
    return tuple(problems)


def _lock(connection: Connection, org_id: int, code: str) -> sa.Row[*tuple[Any, ...]] | None:
    return connection.execute(
        sa.select(_rules).where(_rules.c.org_id == org_id, _rules.c.code == code).with_for_update()
    ).one_or_none()


def _new(connection: Connection, org_id: int, code: str) -> int:
    count, last = connection.execute(
        sa.select(sa.func.count(), sa.func.max(_rules.c.position)).where(_rules.c.org_id == org_id)
    ).one()
    if count >= MOST_RULES:
        raise TooManyRules(limit=MOST_RULES)
    made: int = connection.execute(
        sa.insert(_rules)
        .values(org_id=org_id, code=code, position=(last or 0) + 1, is_active=True, version=0)
        .returning(_rules.c.id)
    ).scalar_one()
    return made


def _version(
    connection: Connection, actor: Actor, at: datetime, rule_id: int, content: TriggerContent, digest: str
) -> int:
    known = connection.execute(
        sa.select(_versions.c.id, _versions.c.number, _versions.c.content_hash).where(
            _versions.c.rule_id == rule_id
        )
    ).all()
    for row in known:
        if row.content_hash == digest:
            return int(row.id)
    made: int = connection.execute(
        sa.insert(_versions)
        .values(
            rule_id=rule_id,
            number=1 + max((row.number for row in known), default=0),
            content=content.as_json(),
            content_hash=digest,
            published_at=at,
            published_by=actor.label,
        )
        .returning(_versions.c.id)
    ).scalar_one()
    # A rolled back id may be given out again.
    _parsed.get(connection.engine, {}).pop(made, None)
    return made


def _view(connection: Connection, org_id: int, code: str) -> TriggerRuleView:
    return next(rule for rule in trigger_rules(connection, org_id) if rule.code == code)


def _note(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    action: str,
    code: str,
    payload: Mapping[str, Any],
) -> None:
    audit.record(
        connection,
        at=at,
        actor=actor,
        action=action,
        subject=f"rule:{code}",
        payload=payload,
        command_id=command_id,
    )
