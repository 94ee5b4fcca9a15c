"""Drafts of a rule set: begun from the version in force, changed part by part, published with a day.

A draft in the database can always be rated with: every change goes through `rule_parsing` as a whole, or is
refused as a whole. Who changes a draft names the content it was made on; where somebody was faster,
`RulesMoved` says so and nothing is overwritten. Rules belong to no region, so these commands ask for the
permission over the whole organisation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, table, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import publishing
from ticket_console.settlement.kinds import Purpose, VersionStatus
from ticket_console.settlement.publishing import RuleVersionNotFound, RuleVersionPublished
from ticket_console.settlement.rule_editing import Edit
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.sides import RULE_SETS
from ticket_console.settlement.tables import RuleSet as RuleSetRow
from ticket_console.settlement.tables import RuleSetVersion

_SETS = table(RuleSetRow)
_VERSIONS = table(RuleSetVersion)


class RulesMoved(Conflict):
    """The draft was changed by somebody else, or another version came into force, after it was looked at."""

    code = "settlement.rules_moved"


class NothingChanged(Conflict):
    """The draft says what is in force already."""

    code = "settlement.rules_unchanged"


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version and when it holds; `content_hash` is what a change of a draft must name."""

    id: int
    number: int
    status: VersionStatus
    content_hash: str
    effective_from: date
    effective_to: date | None
    published_at: datetime | None
    published_by: int | None


@dataclass(frozen=True, slots=True)
class RuleSetView:
    """A rule set with its versions, the newest number first."""

    id: int
    code: str
    name: LocalText
    versions: tuple[VersionView, ...]

    def in_force(self, day: date) -> VersionView | None:
        """The published version that rates work finished on a day."""
        return next(
            (
                version
                for version in self.versions
                if version.status is VersionStatus.PUBLISHED
                and version.effective_from <= day
                and (version.effective_to is None or day < version.effective_to)
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class _Live:
    id: int
    content_hash: str


def rule_sets(conn: Connection, *, viewer: Actor) -> tuple[RuleSetView, ...]:
    """Every rule set of the organisation with all its versions; rules are no secret of whoever reads pay."""
    policy.require(viewer, "settlement.view")
    versions: dict[int, list[VersionView]] = {}
    query = (
        sa.select(
            _VERSIONS.c.rule_set_id,
            _VERSIONS.c.id,
            _VERSIONS.c.number,
            _VERSIONS.c.status,
            _VERSIONS.c.content_hash,
            _VERSIONS.c.effective_from,
            _VERSIONS.c.effective_to,
            _VERSIONS.c.published_at,
            _VERSIONS.c.published_by,
        )
        .join(_SETS, _SETS.c.id == _VERSIONS.c.rule_set_id)
        .where(_SETS.c.org_id == viewer.org_id)
        .order_by(_VERSIONS.c.number.desc())
    )
    for row in conn.execute(query):
        versions.setdefault(row.rule_set_id, []).append(VersionView(*row[1:]))
    sets = sa.select(_SETS).where(_SETS.c.org_id == viewer.org_id).order_by(_SETS.c.id)
    return tuple(
        RuleSetView(row.id, row.code, row.name, tuple(versions.get(row.id, ()))) for row in conn.execute(sets)
    )


def rules_of_version(conn: Connection, *, viewer: Actor, version_id: int) -> RuleSet:
    """The rules of a version of the viewer's organisation, draft or not."""
    policy.require(viewer, "settlement.view")
    row = conn.execute(
        sa.select(_VERSIONS.c.content_hash)
        .join(_SETS, _SETS.c.id == _VERSIONS.c.rule_set_id)
        .where(_VERSIONS.c.id == version_id, _SETS.c.org_id == viewer.org_id)
    ).one_or_none()
    if row is None:
        raise RuleVersionNotFound()
    return publishing.rules_of(conn, version_id, row.content_hash)


def purpose_of_version(conn: Connection, *, viewer: Actor, version_id: int) -> Purpose:
    """For whom the rules of a version rate."""
    policy.require(viewer, "settlement.view")
    code = conn.execute(
        sa.select(_SETS.c.code)
        .join(_VERSIONS, _VERSIONS.c.rule_set_id == _SETS.c.id)
        .where(_VERSIONS.c.id == version_id, _SETS.c.org_id == viewer.org_id)
    ).scalar_one_or_none()
    if code is None:
        raise RuleVersionNotFound()
    return purpose_of(code)


def purpose_of(rule_set_code: str) -> Purpose:
    """For whom a rule set rates; one of a name of its own is for those who do the work."""
    return next((purpose for purpose, code in RULE_SETS.items() if code == rule_set_code), Purpose.WORKER_PAY)


@retried
def begin(*, actor: Actor, at: datetime, base_id: int, effective_from: date, command_id: str) -> int:
    """A draft that says what a version says; its id.

    A draft that nobody has changed since it was begun is handed out again, so repeating this makes no second.
    """
    policy.require_everywhere(actor, "rules.manage")
    with transaction() as conn:
        base = _hold(conn, actor, base_id)
        # Two who begin at once come one after the other, and the second finds the draft of the first.
        conn.execute(sa.select(_SETS.c.id).where(_SETS.c.id == base.rule_set_id).with_for_update())
        untouched = conn.execute(
            sa.select(sa.func.min(_VERSIONS.c.id)).where(
                _VERSIONS.c.rule_set_id == base.rule_set_id,
                _VERSIONS.c.status == VersionStatus.DRAFT,
                _VERSIONS.c.content_hash == base.content_hash,
                _VERSIONS.c.id != base.id,
            )
        ).scalar_one()
        if untouched is not None:
            return int(untouched)
        draft_id = publishing.save_draft(
            conn,
            actor=actor,
            rule_set_id=base.rule_set_id,
            rules=base.rules,
            effective_from=effective_from,
        )
        _trace(conn, actor, at, "rules.draft_begun", draft_id, command_id, {"from": base.number})
        return draft_id


@retried
def revise(
    *, actor: Actor, at: datetime, version_id: int, expected_hash: str, edit: Edit, command_id: str
) -> str:
    """Change a draft; the hash of what it says afterwards.

    Raises BadRules naming everything that would be wrong, RulesMoved where somebody was faster. A change that
    is there already is not made again.
    """
    policy.require_everywhere(actor, "rules.manage")
    with transaction() as conn:
        draft = _hold_draft(conn, actor, version_id)
        if draft.content_hash != expected_hash:
            raise RulesMoved(number=draft.number)
        changed = parse_rules(edit(draft.rules))
        if changed.content_hash == draft.content_hash:
            return changed.content_hash
        publishing.save_draft(
            conn,
            actor=actor,
            rule_set_id=draft.rule_set_id,
            rules=changed.to_json(),
            effective_from=draft.effective_from,
            version_id=version_id,
        )
        _trace(conn, actor, at, "rules.draft_changed", version_id, command_id, {"number": draft.number})
        return changed.content_hash


@retried
def discard(*, actor: Actor, at: datetime, version_id: int, expected_hash: str, command_id: str) -> None:
    """Throw a draft away; the trail keeps that there was one."""
    policy.require_everywhere(actor, "rules.manage")
    with transaction() as conn:
        draft = _hold_draft(conn, actor, version_id)
        if draft.content_hash != expected_hash:
            raise RulesMoved(number=draft.number)
        conn.execute(sa.delete(_VERSIONS).where(_VERSIONS.c.id == version_id))
        _trace(conn, actor, at, "rules.draft_discarded", version_id, command_id, {"number": draft.number})


@retried
def publish(
    *,
    actor: Actor,
    at: datetime,
    version_id: int,
    effective_from: date,
    expected_hash: str,
    against_id: int | None,
    command_id: str,
) -> int:
    """Put a draft in force from a day, exactly as it was compared; the number of the version.

    `against_id` is the version in force on that day which the draft was compared with, None where there was
    none. What is rated already stays as it is. A repetition of what was done is answered the same way.
    """
    policy.require_everywhere(actor, "rules.manage")
    with transaction() as conn:
        draft = _hold(conn, actor, version_id)
        if draft.content_hash != expected_hash:
            raise RulesMoved(number=draft.number)
        if draft.status is not VersionStatus.DRAFT:
            if draft.effective_from == effective_from:
                return int(draft.number)
            raise RuleVersionPublished(number=draft.number)
        conn.execute(sa.select(_SETS.c.id).where(_SETS.c.id == draft.rule_set_id).with_for_update())
        live = _in_force(conn, draft.rule_set_id, effective_from)
        if (None if live is None else live.id) != against_id:
            raise RulesMoved(number=draft.number)
        if live is not None and live.content_hash == draft.content_hash:
            raise NothingChanged(number=draft.number)
        publishing.save_draft(
            conn,
            actor=actor,
            rule_set_id=draft.rule_set_id,
            rules=draft.rules,
            effective_from=effective_from,
            version_id=version_id,
        )
        publishing.publish(conn, actor=actor, at=at, version_id=version_id, command_id=command_id)
        return int(draft.number)


def _in_force(conn: Connection, rule_set_id: int, day: date) -> _Live | None:
    query = sa.select(_VERSIONS.c.id, _VERSIONS.c.content_hash).where(
        _VERSIONS.c.rule_set_id == rule_set_id,
        _VERSIONS.c.status == VersionStatus.PUBLISHED,
        _VERSIONS.c.effective_from <= day,
        sa.or_(_VERSIONS.c.effective_to.is_(None), _VERSIONS.c.effective_to > day),
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else _Live(*row)


def _hold(conn: Connection, actor: Actor, version_id: int) -> sa.Row[Any]:
    row = conn.execute(
        sa.select(_VERSIONS)
        .join(_SETS, _SETS.c.id == _VERSIONS.c.rule_set_id)
        .where(_VERSIONS.c.id == version_id, _SETS.c.org_id == actor.org_id)
        .with_for_update(of=_VERSIONS)
    ).one_or_none()
    if row is None:
        raise RuleVersionNotFound()
    return row


def _hold_draft(conn: Connection, actor: Actor, version_id: int) -> sa.Row[Any]:
    row = _hold(conn, actor, version_id)
    if row.status is not VersionStatus.DRAFT:
        raise RuleVersionPublished(number=row.number)
    return row


def _trace(
    conn: Connection,
    actor: Actor,
    at: datetime,
    action: str,
    version_id: int,
    command_id: str,
    payload: Mapping[str, Any],
) -> None:
    audit.record(
        conn,
        at=at,
        actor=actor,
        action=action,
        subject=f"rule_set_version:{version_id}",
        payload=payload,
        command_id=command_id,
    )
