"""Records that fields point at: found by a part of their name, called by it, and refused where unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import accounts, policy
from ticket_console.customers import reads as customers
from ticket_console.customers import records
from ticket_console.forms.asking import NAMED
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import pick
from ticket_console.stock import reads as stock

Names = Mapping[FieldKind, Mapping[Any, str]]

_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A record that a field may be filled in with."""

    value: int | str
    label: str
    detail: str


def search(
    connection: Connection, viewer: Actor, kind: FieldKind, text: str, *, locale: str
) -> tuple[Choice, ...]:
    """Records of a kind by a part of their name or number, as far as the viewer may look for them."""
    wanted = text.strip()[:80]
    if kind is FieldKind.CUSTOMER:
        found = customers.search(connection, viewer, wanted, limit=_SHOWN)
        return tuple(Choice(line.id, line.name, line.phone) for line in found)
    policy.require(viewer, "ticket.open" if kind is FieldKind.ASSET else "ticket.view")
    if kind is FieldKind.PERSON:
        people = accounts.search(connection, viewer.org_id, wanted, limit=_SHOWN)
        return tuple(Choice(line.id, line.name, line.login) for line in people)
    if kind is FieldKind.ASSET:
        assets = records.search_assets(connection, viewer, wanted, locale=locale, limit=_SHOWN)
        return tuple(Choice(line.id, line.name, line.owner) for line in assets)
    return _parts_like(connection, viewer, wanted.casefold(), locale) if kind is FieldKind.PART else ()


def _parts_like(connection: Connection, viewer: Actor, text: str, locale: str) -> tuple[Choice, ...]:
    found = [
        Choice(part.sku, pick(part.name, locale), part.sku)
        for part in stock.parts(connection, viewer)
        if text in part.sku.casefold() or any(text in name.casefold() for name in part.name.values())
    ]
    return tuple(found[:_SHOWN])


def names_of(
    connection: Connection, org_id: int, fields: Iterable[FieldSpec], values: Mapping[str, Any], locale: str
) -> Names:
    """The names of the records that these values point at, by kind and number."""
    wanted: dict[FieldKind, set[Any]] = {}
    for spec in fields:
        for kind, key in _pointed_at(spec, values.get(spec.key)):
            wanted.setdefault(kind, set()).add(key)
    return {kind: _named(connection, org_id, kind, keys, locale) for kind, keys in wanted.items()}


def refuse_unknown(
    connection: Connection, org_id: int, definition: TemplateDefinition, values: Mapping[str, Any]
) -> list[FieldProblem]:
    """The fields that point at a record which the organisation does not have."""
    specs = [definition.field_by_key[key] for key in values]
    known = names_of(connection, org_id, specs, values, "en")
    return [
        FieldProblem(spec.key, "field.not_a_record")
        for spec in specs
        if any(key not in known[kind] for kind, key in _pointed_at(spec, values[spec.key]))
    ]


def _pointed_at(spec: FieldSpec, value: Any) -> Iterable[tuple[FieldKind, Any]]:
    if value is None:
        return
    if spec.kind in NAMED:
        yield spec.kind, value
    if spec.kind is FieldKind.TABLE:
        for column in spec.columns:
            if column.kind in NAMED:
                yield from ((column.kind, row[column.key]) for row in value if column.key in row)


def _named(
    connection: Connection, org_id: int, kind: FieldKind, keys: set[Any], locale: str
) -> Mapping[Any, str]:
    if kind is FieldKind.PART:
        parts = stock.part_names(connection, org_id, keys)
        return {sku: pick(name, locale) for sku, name in parts.items()}
    if kind is FieldKind.ASSET:
        return records.asset_names(connection, org_id, keys, locale)
    if kind is FieldKind.CUSTOMER:
        return records.customer_names(connection, org_id, keys)
    return accounts.names(connection, org_id, keys)
