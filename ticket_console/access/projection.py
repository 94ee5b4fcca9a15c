"""What a viewer may see: fields a viewer may not read are absent from every answer, never blank in it."""

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor, ActorKind, Role

V = TypeVar("V")

SENSITIVITIES: Final = frozenset({"public", "internal", "cost", "settlement"})
Visibility = frozenset[str]
NodeFields = Mapping[str, Mapping[str, str]]

_PUBLIC: Final = frozenset({"public"})
_WORK: Final = frozenset({"public", "internal"})

READABLE: Final[dict[Role, Visibility]] = {
    Role.MANAGER: SENSITIVITIES,
    Role.DISPATCHER: _WORK,
    Role.TECHNICIAN: _WORK,
    Role.FINANCE: frozenset({"public", "settlement"}),
    Role.AGENT: _WORK,
    Role.ACCOUNT_MANAGER: _WORK,
    Role.AUDITOR: SENSITIVITIES,
}
_NONE, _READ, _WRITE = 0, 1, 2
_LEVELS: Final = {"none": _NONE, "read": _READ, "write": _WRITE}


@dataclass(frozen=True, slots=True)
class FieldAccess:
    """The keys an actor may read and those of them that may be written."""

    read: frozenset[str]
    write: frozenset[str]


def readable(actor: Actor) -> Visibility:
    """The sensitivities an actor reads wherever no node says otherwise."""
    if actor.kind is ActorKind.SYSTEM:
        return SENSITIVITIES
    if actor.kind is ActorKind.CUSTOMER:
        return _PUBLIC
    by_role = frozenset[str]().union(*(READABLE[role] for role in actor.roles))
    if actor.kind is ActorKind.USER:
        return by_role
    by_token = _of_permissions(actor.permissions)
    return by_token if actor.user_id is None else by_token & by_role


def visible_fields(
    actor: Actor, definition_fields: Iterable[tuple[str, str]], node_grants: NodeFields
) -> FieldAccess:
    """What an actor may read and write of the fields `(key, sensitivity)` while the ticket stands at a node.

    `node_grants` is the node's own table, role to field to "none", "read" or "write"; where it is
    silent, a role reads and writes the sensitivities it reads anyway. Roles add up: the best of them
    counts. Built-in figures that are not fields of the template (a part's purchase price, the cost of
    labour) are passed like fields, so that a node can show them too. An auditor never writes.
    """
    fields = tuple(definition_fields)
    if actor.kind is ActorKind.SYSTEM:
        every = frozenset(key for key, _ in fields)
        return FieldAccess(every, every)
    levels = {key: _level(actor, key, sensitivity, node_grants) for key, sensitivity in fields}
    return FieldAccess(
        read=frozenset(key for key, level in levels.items() if level >= _READ),
        write=frozenset(key for key, level in levels.items() if level == _WRITE),
    )


def merged_grants(nodes: Iterable[NodeFields]) -> NodeFields:
    """The table that holds while a ticket stands at several nodes: for each field the most that any gives."""
    merged: dict[str, dict[str, str]] = {}
    for node in nodes:
        for role, fields in node.items():
            known = merged.setdefault(role, {})
            for key, level in fields.items():
                known[key] = max(known.get(key, "none"), str(level), key=_LEVELS.__getitem__)
    return merged


def only_readable(values: Mapping[str, V], access: FieldAccess) -> dict[str, V]:
    """The values an actor may read; the others leave no key behind."""
    return {key: value for key, value in values.items() if key in access.read}


def visibility_class(actor: Actor) -> Hashable:
    """Two viewers of one class see the same of every row both may see: it is projected once for both."""
    reaches = {(grant.scope, grant.region_ids, grant.ticket_classes) for grant in actor.grants}
    # Grants that differ in reach may show one field in one region and another in the next.
    sees = actor.roles if len(reaches) <= 1 else frozenset(actor.grants)
    return (actor.org_id, actor.kind, sees, actor.permissions, actor.user_id is None)


def mask_phone(phone: str) -> str:
    """A phone number of which only the ends are left, for viewers who need not call it."""
    digits = len(re.findall(r"\d", phone))
    shown_start, shown_end = (3, 4) if digits >= 11 else (0, min(2, digits // 2))
    masked, seen = [], 0
    for character in phone:
        if not character.isdecimal():
            masked.append(character)
            continue
        masked.append(character if seen < shown_start or seen >= digits - shown_end else "*")
        seen += 1
    return "".join(masked)


def _level(actor: Actor, key: str, sensitivity: str, node_grants: NodeFields) -> int:
    if actor.kind is ActorKind.CUSTOMER:
        return _WRITE if sensitivity in _PUBLIC else _NONE
    if actor.kind is ActorKind.CHANNEL:
        if sensitivity not in _of_permissions(actor.permissions):
            return _NONE
        if actor.user_id is None:
            return _WRITE
    return max((_role_level(role, key, sensitivity, node_grants) for role in actor.roles), default=_NONE)


def _role_level(role: Role, key: str, sensitivity: str, node_grants: NodeFields) -> int:
    usual = "write" if sensitivity in READABLE[role] else "none"
    level = _LEVELS[node_grants.get(role, {}).get(key, usual)]
    return level if "ticket.act" in policy.PERMISSIONS[role] else min(level, _READ)


def _of_permissions(permissions: frozenset[str]) -> Visibility:
    readable_so = set(_PUBLIC)
    if "ticket.view" in permissions:
        readable_so.add("internal")
    if "settlement.view" in permissions or "money.view" in permissions:
        readable_so.add("settlement")
    if "money.view" in permissions:
        readable_so.add("cost")
    return frozenset(readable_so)
