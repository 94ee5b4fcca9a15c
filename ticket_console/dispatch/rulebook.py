"""Policies of dispatch as a manager edits them: drafted, published as a version for good, taken out of use.

A change names the `version` of the policy it was made on; another editor who was faster is told of.
Every publication is on the audit trail with what changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.dispatch.rules import STANDARD, DispatchPolicy, read_terms
from ticket_console.dispatch.tables import DispatchPolicyRow, DispatchPolicyVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import retried, table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput, NotFound
from ticket_console.kernel.text import LocalText

_policies = table(DispatchPolicyRow)
_versions = table(DispatchPolicyVersion)
_NAME_LENGTH: Final = 60
_NOTE_LENGTH: Final = 500


class PolicyNotFound(NotFound):
    code = "dispatch.policy_not_found"


class PolicyMoved(Conflict):
    """Somebody else changed the policy since it was read."""

    code = "dispatch.policy_moved"


class PolicyExists(Conflict):
    """A business line in a region has one policy; `name` is the one it has."""

    code = "dispatch.policy_exists"


class NothingToPublish(Conflict):
    """There is no draft, or it says what is in force already."""

    code = "dispatch.nothing_to_publish"


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version as it was published; `changed` are the fields that differ from the one before it."""

    number: int
    published_at: datetime
    published_by: str
    note: str
    is_in_force: bool
    changed: tuple[str, ...]
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy: `draft` is what would be published next, `in_force` what holds, None where none does."""

    id: int
    code: str
    name: LocalText
    ticket_class: str | None
    region_id: int | None
    version: int
    number: int | None
    draft: DispatchPolicy | None
    in_force: DispatchPolicy | None

    @property
    def shown(self) -> DispatchPolicy:
        return self.draft or self.in_force or STANDARD


def policies(connection: Connection, viewer: Actor) -> tuple[PolicyView, ...]:
    """All policies of the organisation, the widest first."""
    _require_view(viewer)
    rows = connection.execute(
        _WHOLE.where(_policies.c.org_id == viewer.org_id).order_by(
            _policies.c.ticket_class.is_not(None), _policies.c.region_id.is_not(None), _policies.c.id
        )
    )
    return tuple(_view(row) for row in rows)


def policy_view(connection: Connection, viewer: Actor, policy_id: int) -> PolicyView:
    _require_view(viewer)
    return _view(_row(connection, viewer.org_id, policy_id))


def versions(connection: Connection, viewer: Actor, policy_id: int) -> tuple[VersionView, ...]:
    """Every published version, the newest first."""
    _require_view(viewer)
    row = _row(connection, viewer.org_id, policy_id)
    found = connection.execute(
        sa.select(_versions).where(_versions.c.policy_id == policy_id).order_by(_versions.c.number)
    ).all()
    views = []
    before: Mapping[str, Any] = STANDARD.as_json()
    for each in found:
        views.append(
            VersionView(
                number=each.number,
                published_at=each.published_at,
                published_by=each.published_by,
                note=each.note,
                is_in_force=each.id == row.in_force_id,
                changed=changed_fields(before, each.terms),
                terms=each.terms,
            )
        )
        before = each.terms
    return tuple(reversed(views))


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of two documents that differ, as paths; lists and learned weights count as a whole."""
    found = []
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping) and key != "learned":
            found += [f"{key}.{name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        else:
            found.append(key)
    return tuple(found)


@retried
def create(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    name: LocalText,
    ticket_class: str | None,
    region_id: int | None,
) -> int:
    """A policy for a business line and region, nothing yet in force; it begins as what holds by default."""
    policy.require_everywhere(actor, "dispatch.manage")
    _refuse_bad_name(name)
    with transaction() as connection:
        _refuse_second(connection, actor.org_id, ticket_class, region_id)
        number = connection.execute(
            sa.select(sa.func.count()).select_from(_policies).where(_policies.c.org_id == actor.org_id)
        ).scalar_one()
        row = {
            "org_id": actor.org_id,
            "code": f"{ticket_class or 'all'}-{number + 1}",
            "name": dict(name),
            "ticket_class": ticket_class,
            "region_id": region_id,
            "draft": STANDARD.as_json(),
            "version": 1,
        }
        policy_id = connection.execute(
            sa.insert(_policies).values(row).returning(_policies.c.id)
        ).scalar_one()
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="dispatch_policy.created",
            subject=f"dispatch_policy:{policy_id}",
            payload={"ticket_class": ticket_class, "region_id": region_id},
            command_id=command_id,
        )
        return int(policy_id)


@retried
def save_draft(*, actor: Actor, policy_id: int, version: int, terms: Mapping[str, Any]) -> PolicyView:
    """Keep what is to be published next; refuses with BadTerms what nobody could dispatch by."""
    policy.require_everywhere(actor, "dispatch.manage")
    with transaction() as connection:
        row = _held(connection, actor.org_id, policy_id, version)
        document = read_terms(terms, code=row.code).as_json()
        _change(connection, policy_id, draft=document)
        return _view(_row(connection, actor.org_id, policy_id))


@retried
def discard_draft(*, actor: Actor, policy_id: int, version: int) -> PolicyView:
    policy.require_everywhere(actor, "dispatch.manage")
    with transaction() as connection:
        _held(connection, actor.org_id, policy_id, version)
        _change(connection, policy_id, draft=None)
        return _view(_row(connection, actor.org_id, policy_id))


@retried
def publish(
    *, actor: Actor, at: datetime, command_id: str, policy_id: int, version: int, note: str = ""
) -> PolicyView:
    """Put the draft in force as a new version; tickets opened from now on are dispatched by it."""
    policy.require_everywhere(actor, "dispatch.manage")
    with transaction() as connection:
        row = _held(connection, actor.org_id, policy_id, version)
        if row.draft is None or row.draft == row.terms:
            raise NothingToPublish()
        # What was saved may be older than a bound that was drawn since.
        document = read_terms(row.draft, code=row.code).as_json()
        _put_in_force(connection, row, document, actor=actor, at=at, note=note, command_id=command_id)
        return _view(_row(connection, actor.org_id, policy_id))


@retried
def put_back(
    *, actor: Actor, at: datetime, command_id: str, policy_id: int, version: int, number: int
) -> PolicyView:
    """Publish what an older version says once more, as a new version."""
    policy.require_everywhere(actor, "dispatch.manage")
    with transaction() as connection:
        row = _held(connection, actor.org_id, policy_id, version)
        older = connection.execute(
            sa.select(_versions.c.terms).where(
                _versions.c.policy_id == policy_id, _versions.c.number == number
            )
        ).scalar()
        if older is None:
            raise PolicyNotFound()
        if older == row.terms:
            raise NothingToPublish()
        _put_in_force(connection, row, older, actor=actor, at=at, note="", command_id=command_id)
        return _view(_row(connection, actor.org_id, policy_id))


@retried
def take_out_of_use(
    *, actor: Actor, at: datetime, command_id: str, policy_id: int, version: int
) -> PolicyView:
    """From now on the next wider policy holds; the versions stay, and one can be put back."""
    policy.require_everywhere(actor, "dispatch.manage")
    with transaction() as connection:
        row = _held(connection, actor.org_id, policy_id, version)
        if row.in_force_id is None:
            raise NothingToPublish()
        _change(connection, policy_id, in_force_id=None)
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="dispatch_policy.retired",
            subject=f"dispatch_policy:{policy_id}",
            payload={"number": row.number},
            command_id=command_id,
        )
        return _view(_row(connection, actor.org_id, policy_id))


_WHOLE: Final = sa.select(_policies, _versions.c.number, _versions.c.terms).select_from(
    _policies.outerjoin(_versions, _versions.c.id == _policies.c.in_force_id)
)


def _row(connection: Connection, org_id: int, policy_id: int) -> sa.Row[Any]:
    row = connection.execute(
        _WHOLE.where(_policies.c.org_id == org_id, _policies.c.id == policy_id)
    ).one_or_none()
    if row is None:
        raise PolicyNotFound()
    return row


def _held(connection: Connection, org_id: int, policy_id: int, version: int) -> sa.Row[Any]:
    """The policy for a change, kept from everybody else until the transaction ends."""
    held = sa.select(_policies.c.id).where(_policies.c.org_id == org_id, _policies.c.id == policy_id)
    connection.execute(held.with_for_update())
    row = _row(connection, org_id, policy_id)
    if row.version != version:
        raise PolicyMoved()
    return row


def _change(connection: Connection, policy_id: int, **columns: Any) -> None:
    connection.execute(
        sa.update(_policies)
        .where(_policies.c.id == policy_id)
        .values(version=_policies.c.version + 1, **columns)
    )


def _put_in_force(
    connection: Connection,
    row: sa.Row[Any],
    document: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
    note: str,
    command_id: str,
) -> None:
    latest = sa.select(sa.func.max(_versions.c.number)).where(_versions.c.policy_id == row.id)
    number = (connection.execute(latest).scalar() or 0) + 1
    published = {
        "policy_id": row.id,
        "number": number,
        "terms": dict(document),
        "content_hash": content_hash(document),
        "note": note.strip()[:_NOTE_LENGTH],
        "published_at": at,
        "published_by": actor.display,
    }
    version_id = connection.execute(
        sa.insert(_versions).values(published).returning(_versions.c.id)
    ).scalar_one()
    _change(connection, row.id, in_force_id=version_id, draft=None)
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="dispatch_policy.published",
        subject=f"dispatch_policy:{row.id}",
        payload={
            "number": number,
            "changed": list(changed_fields(row.terms or STANDARD.as_json(), document)),
            "note": note.strip()[:_NOTE_LENGTH],
        },
        command_id=command_id,
    )


def _refuse_bad_name(name: LocalText) -> None:
    problems = tuple(
        FieldProblem(f"name.{locale}", "dispatch.terms.name", {"most": _NAME_LENGTH})
        for locale in ("zh", "en")
        if not 0 < len(str(name.get(locale, "")).strip()) <= _NAME_LENGTH
    )
    if problems:
        raise InvalidInput(problems)


def _refuse_second(
    connection: Connection, org_id: int, ticket_class: str | None, region_id: int | None
) -> None:
    taken = connection.execute(
        sa.select(_policies.c.name).where(
            _policies.c.org_id == org_id,
            _policies.c.ticket_class.is_not_distinct_from(ticket_class),
            _policies.c.region_id.is_not_distinct_from(region_id),
        )
    ).scalar()
    if taken is not None:
        raise PolicyExists(name=taken)


def _require_view(viewer: Actor) -> None:
    """Dispatchers read by what they assign; managers edit."""
    if not policy.allows(viewer, "dispatch.manage"):
        policy.require(viewer, "ticket.assign")


def _view(row: sa.Row[Any]) -> PolicyView:
    return PolicyView(
        id=row.id,
        code=row.code,
        name=row.name,
        ticket_class=row.ticket_class,
        region_id=row.region_id,
        version=row.version,
        number=row.number,
        draft=None if row.draft is None else read_terms(row.draft, code=row.code),
        in_force=None if row.terms is None else read_terms(row.terms, code=row.code, version=row.number),
    )
