"""Customers and devices by name and number, for forms that point at them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.customers.reads import in_scope
from ticket_console.customers.tables import Asset, Contact, Customer, ProductModel
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import pick

_customers = table(Customer)
_assets = table(Asset)
_contacts = table(Contact)
_models = table(ProductModel)


@dataclass(frozen=True, slots=True)
class AssetLine:
    id: int
    name: str
    owner: str


def search_assets(
    connection: Connection, viewer: Actor, text: str, *, locale: str, limit: int
) -> tuple[AssetLine, ...]:
    """Devices by the beginning of their serial number or a part of their owner's name, within reach."""
    if not text:
        return ()
    rows = connection.execute(
        sa.select(_assets.c.id, _assets.c.serial, _models.c.name, _customers.c.name.label("owner"))
        .join(_models, _models.c.id == _assets.c.model_id)
        .join(_customers, _customers.c.id == _assets.c.customer_id)
        .where(
            _assets.c.org_id == viewer.org_id,
            in_scope(viewer, "ticket.open"),
            sa.or_(
                _assets.c.serial.startswith(text, autoescape=True),
                _customers.c.name.icontains(text, autoescape=True),
            ),
        )
        .order_by(_assets.c.serial)
        .limit(limit)
    )
    return tuple(AssetLine(row.id, _name(row, locale), row.owner) for row in rows)


def asset_names(
    connection: Connection, org_id: int, asset_ids: Collection[int], locale: str
) -> Mapping[int, str]:
    rows = connection.execute(
        sa.select(_assets.c.id, _assets.c.serial, _models.c.name)
        .join(_models, _models.c.id == _assets.c.model_id)
        .where(_assets.c.org_id == org_id, _assets.c.id.in_(sorted(asset_ids)))
    )
    return {row.id: _name(row, locale) for row in rows}


def customer_names(connection: Connection, org_id: int, customer_ids: Collection[int]) -> Mapping[int, str]:
    """The names of customers of the organisation; others are left out."""
    rows = connection.execute(
        sa.select(_customers.c.id, _customers.c.name).where(
            _customers.c.org_id == org_id, _customers.c.id.in_(sorted(customer_ids))
        )
    )
    return {row.id: row.name for row in rows}


def mail_address(connection: Connection, customer_id: int, *, phone: str) -> str:
    """For telling a customer something: of whom this number is, else of the first who has an address."""
    of_caller = sa.case((_contacts.c.phone == phone, 0), else_=1)
    query = sa.select(_contacts.c.email).where(
        _contacts.c.customer_id == customer_id, _contacts.c.email != ""
    )
    return connection.execute(query.order_by(of_caller, _contacts.c.id).limit(1)).scalar() or ""


def _name(row: Any, locale: str) -> str:
    return f"{pick(row.name, locale)} {row.serial}"
