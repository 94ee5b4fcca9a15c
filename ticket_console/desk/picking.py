"""Records that fields point at: found by a part of their name, called by it, and refused where unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.access.tables import UserAccount
from ticket_console.customers import reads as customers
from ticket_console.customers.tables import Asset, Customer, ProductModel
from ticket_console.forms.asking import NAMED
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import pick
from ticket_console.stock.tables import Part

Names = Mapping[FieldKind, Mapping[object, str]]

_SHOWN: Final = 12

_users = table(UserAccount)
_customers = table(Customer)
_assets = table(Asset)
_models = table(ProductModel)
_parts = table(Part)


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
        rows = connection.execute(_people(viewer.org_id, wanted))
        return tuple(Choice(row.id, row.display_name, row.login) for row in rows)
    if kind is FieldKind.ASSET:
        return _assets_like(connection, viewer, wanted, locale)
    if kind is FieldKind.PART:
        return _parts_like(connection, viewer.org_id, wanted, locale)
    return ()


def _people(org_id: int, text: str) -> sa.Select[Any]:
    like = sa.or_(
        _users.c.display_name.icontains(text, autoescape=True),
        _users.c.login.startswith(text.lower(), autoescape=True),
    )
    return (
        sa.select(_users.c.id, _users.c.display_name, _users.c.login)
        .where(_users.c.org_id == org_id, _users.c.is_enabled, like)
        .order_by(_users.c.display_name, _users.c.id)
        .limit(_SHOWN)
    )


def _assets_like(connection: Connection, viewer: Actor, text: str, locale: str) -> tuple[Choice, ...]:
    if not text:
        return ()
    rows = connection.execute(
        sa.select(_assets.c.id, _assets.c.serial, _models.c.name, _customers.c.name.label("owner"))
        .join(_models, _models.c.id == _assets.c.model_id)
        .join(_customers, _customers.c.id == _assets.c.customer_id)
        .where(
            _assets.c.org_id == viewer.org_id,
            customers.in_scope(viewer, "ticket.open"),
            sa.or_(
                _assets.c.serial.startswith(text, autoescape=True),
                _customers.c.name.icontains(text, autoescape=True),
            ),
        )
        .order_by(_assets.c.serial)
        .limit(_SHOWN)
    )
    return tuple(Choice(row.id, f"{pick(row.name, locale)} {row.serial}", row.owner) for row in rows)


def _parts_like(connection: Connection, org_id: int, text: str, locale: str) -> tuple[Choice, ...]:
    rows = connection.execute(
        sa.select(_parts.c.sku, _parts.c.name).where(_parts.c.org_id == org_id).order_by(_parts.c.sku)
    )
    wanted = text.casefold()
    found = [
        Choice(row.sku, pick(row.name, locale), row.sku)
        for row in rows
        if wanted in row.sku.casefold() or any(wanted in name.casefold() for name in row.name.values())
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
) -> Mapping[object, str]:
    if kind is FieldKind.PART:
        parts = sa.select(_parts.c.sku, _parts.c.name).where(
            _parts.c.org_id == org_id, _parts.c.sku.in_(sorted(keys))
        )
        return {row.sku: pick(row.name, locale) for row in connection.execute(parts)}
    if kind is FieldKind.ASSET:
        assets = (
            sa.select(_assets.c.id, _assets.c.serial, _models.c.name)
            .join(_models, _models.c.id == _assets.c.model_id)
            .where(_assets.c.org_id == org_id, _assets.c.id.in_(sorted(keys)))
        )
        return {row.id: f"{pick(row.name, locale)} {row.serial}" for row in connection.execute(assets)}
    people, name = (
        (_users, _users.c.display_name) if kind is FieldKind.PERSON else (_customers, _customers.c.name)
    )
    rows = connection.execute(
        sa.select(people.c.id, name.label("name")).where(
            people.c.org_id == org_id, people.c.id.in_(sorted(keys))
        )
    )
    return {row.id: row.name for row in rows}
