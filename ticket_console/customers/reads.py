"""What is known of a customer: who they are, what they bought, own, and were promised."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy, projection
from ticket_console.customers.matching import CustomerNotFound, find_by_identity, find_by_phone
from ticket_console.customers.phones import dialled
from ticket_console.customers.tables import (
    Agreement,
    Asset,
    Contact,
    Customer,
    CustomerKind,
    CustomerOrder,
    OrderLine,
    ProductModel,
)
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText

__all__ = [
    "AgreementState",
    "AgreementView",
    "AssetView",
    "ContactView",
    "ContextView",
    "CustomerLine",
    "CustomerView",
    "FoundAsset",
    "OrderLineView",
    "OrderView",
    "brands_of",
    "context",
    "find_asset",
    "find_by_identity",
    "find_by_phone",
    "search",
]

# As much as a panel can show of each kind.
_SHOWN: Final = 50

_customers = table(Customer)
_contacts = table(Contact)
_models = table(ProductModel)
_assets = table(Asset)
_orders = table(CustomerOrder)
_lines = table(OrderLine)
_agreements = table(Agreement)
_BRANDS: Final = (
    sa.select(_assets.c.id, _models.c.brand)
    .join(_models, _models.c.id == _assets.c.model_id)
    .where(_assets.c.id.in_(sa.bindparam("assets", expanding=True)))
)


class AgreementState(StrEnum):
    UPCOMING = "upcoming"
    IN_FORCE = "in_force"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ContactView:
    name: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class CustomerView:
    """Numbers are whole only for those who work on tickets and may have to call."""

    id: int
    kind: CustomerKind
    name: str
    phone: str
    is_vip: bool
    contacts: tuple[ContactView, ...]


@dataclass(frozen=True, slots=True)
class OrderLineView:
    description: str
    quantity: int
    model_code: str | None
    model_name: LocalText | None


@dataclass(frozen=True, slots=True)
class OrderView:
    """A purchase; `total_minor` is None for those who may not read amounts."""

    no: str
    ordered_on: date
    total_minor: int | None
    currency: str
    lines: tuple[OrderLineView, ...]


@dataclass(frozen=True, slots=True)
class AgreementView:
    """A promise for the days [starts_on, ends_on)."""

    kind: str
    coverage: LocalText
    starts_on: date
    ends_on: date
    state: AgreementState


@dataclass(frozen=True, slots=True)
class AssetView:
    """A device of the customer; `is_subject` marks the one the ticket is about."""

    id: int
    serial: str
    model_code: str
    model_name: LocalText
    brand: str
    family: str
    purchased_on: date | None
    warranty_until: date | None
    is_in_warranty: bool
    is_subject: bool


@dataclass(frozen=True, slots=True)
class ContextView:
    """The background of a ticket.

    `missing` names what there is none of ("customer", "orders", "agreements", "assets"), so that a
    screen says so instead of showing nothing; what a viewer may not read is neither shown nor missing.
    """

    customer: CustomerView | None
    orders: tuple[OrderView, ...]
    agreements: tuple[AgreementView, ...]
    assets: tuple[AssetView, ...]
    missing: tuple[str, ...]
    is_withheld: bool = False


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """One line of a search."""

    id: int
    name: str
    phone: str
    is_vip: bool


@dataclass(frozen=True, slots=True)
class FoundAsset:
    id: int
    customer_id: int
    site_id: int | None


def context(
    connection: Connection,
    viewer: Actor,
    customer_id: int | None,
    asset_id: int | None,
    *,
    at: datetime,
) -> ContextView:
    """The background of a ticket whose customer and device these are.

    Whether the viewer may see the ticket has been asked before; here it counts what they may read.
    Raises CustomerNotFound for a customer of another organisation.
    """
    policy.require(viewer, "ticket.view")
    if customer_id is None:
        return ContextView(None, (), (), (), missing=("customer", "orders", "agreements", "assets"))
    customer = connection.execute(
        sa.select(_customers).where(_customers.c.id == customer_id, _customers.c.org_id == viewer.org_id)
    ).first()
    if customer is None:
        raise CustomerNotFound(customer_id=customer_id)
    if "internal" not in projection.readable(viewer):
        bare = CustomerView(customer.id, customer.kind, customer.name, "", customer.is_vip, ())
        return ContextView(bare, (), (), (), missing=(), is_withheld=True)
    zone = places.zone_of(connection, org_id=viewer.org_id, region_id=customer.region_id, site_id=None)
    today = at.astimezone(ZoneInfo(zone)).date()
    orders = _orders_of(connection, viewer, customer_id)
    agreements = _agreements_of(connection, customer_id, today)
    assets = _assets_of(connection, customer_id, asset_id, today)
    found = {"orders": orders, "agreements": agreements, "assets": assets}
    return ContextView(
        customer=_customer_view(connection, viewer, customer),
        orders=orders,
        agreements=agreements,
        assets=assets,
        missing=tuple(name for name, rows in found.items() if not rows),
    )


def brands_of(connection: Connection, asset_ids: Collection[int]) -> Mapping[int, str]:
    """The make of each of these devices."""
    return {row.id: row.brand for row in connection.execute(_BRANDS, {"assets": sorted(asset_ids)})}


def find_asset(connection: Connection, org_id: int, serial: str) -> FoundAsset | None:
    row = connection.execute(
        sa.select(_assets.c.id, _assets.c.customer_id, _assets.c.site_id).where(
            _assets.c.org_id == org_id, _assets.c.serial == serial
        )
    ).first()
    return None if row is None else FoundAsset(*row)


def search(connection: Connection, viewer: Actor, text: str, *, limit: int = 20) -> tuple[CustomerLine, ...]:
    """Customers by a part of their name or the beginning of their number, within the viewer's regions."""
    policy.require(viewer, "ticket.open")
    wanted = text.strip()
    if not wanted:
        return ()
    likes = [_customers.c.name.icontains(wanted, autoescape=True)]
    if dialled(wanted):
        likes.append(_customers.c.phone.startswith(dialled(wanted), autoescape=True))
    rows = connection.execute(
        sa.select(_customers.c.id, _customers.c.name, _customers.c.phone, _customers.c.is_vip)
        .where(_customers.c.org_id == viewer.org_id, in_scope(viewer, "ticket.open"), sa.or_(*likes))
        .order_by(_customers.c.name, _customers.c.id)
        .limit(limit)
    )
    return tuple(CustomerLine(row.id, row.name, _number(viewer, row.phone), row.is_vip) for row in rows)


def in_scope(viewer: Actor, permission: str) -> sa.ColumnElement[bool]:
    """Which rows of customers a viewer reaches with a permission."""
    conditions: list[sa.ColumnElement[bool]] = []
    for part in policy.row_scope(viewer, permission).parts:
        if part.own:
            continue
        if part.region_ids is None:
            return sa.true()
        conditions.append(_customers.c.region_id.in_(sorted(part.region_ids)))
    return sa.or_(sa.false(), *conditions)


def _customer_view(connection: Connection, viewer: Actor, row: Any) -> CustomerView:
    contacts = connection.execute(
        sa.select(_contacts.c.name, _contacts.c.phone, _contacts.c.email)
        .where(_contacts.c.customer_id == row.id)
        .order_by(_contacts.c.id)
        .limit(_SHOWN)
    )
    return CustomerView(
        id=row.id,
        kind=row.kind,
        name=row.name,
        phone=_number(viewer, row.phone),
        is_vip=row.is_vip,
        contacts=tuple(
            ContactView(contact.name, _number(viewer, contact.phone), contact.email) for contact in contacts
        ),
    )


def _number(viewer: Actor, phone: str) -> str:
    return phone if policy.allows(viewer, "ticket.act") else projection.mask_phone(phone)


def _orders_of(connection: Connection, viewer: Actor, customer_id: int) -> tuple[OrderView, ...]:
    """Newest first; of one day, the later number first."""
    orders = connection.execute(
        sa.select(_orders)
        .where(_orders.c.customer_id == customer_id)
        .order_by(_orders.c.ordered_on.desc(), _orders.c.id.desc())
        .limit(_SHOWN)
    ).all()
    lines: dict[int, list[OrderLineView]] = {order.id: [] for order in orders}
    rows = connection.execute(
        sa.select(_lines.c.order_id, _lines.c.description, _lines.c.quantity, _models.c.code, _models.c.name)
        .select_from(_lines.outerjoin(_models, _models.c.id == _lines.c.model_id))
        .where(_lines.c.order_id.in_(lines))
        .order_by(_lines.c.id)
    )
    for order_id, description, quantity, code, name in rows:
        lines[order_id].append(OrderLineView(description, quantity, code, name))
    reads_amounts = policy.allows(viewer, "money.view")
    return tuple(
        OrderView(
            no=order.no,
            ordered_on=order.ordered_on,
            total_minor=order.total_minor if reads_amounts else None,
            currency=order.currency,
            lines=tuple(lines[order.id]),
        )
        for order in orders
    )


def _agreements_of(connection: Connection, customer_id: int, today: date) -> tuple[AgreementView, ...]:
    """Those in force first, then those to come, then the expired, each by the latest end."""
    rows = connection.execute(
        sa.select(_agreements.c.kind, _agreements.c.coverage, _agreements.c.starts_on, _agreements.c.ends_on)
        .where(_agreements.c.customer_id == customer_id)
        .order_by(_agreements.c.ends_on.desc(), _agreements.c.id.desc())
        .limit(_SHOWN)
    )
    views = [AgreementView(*row, state=_state_on(today, row.starts_on, row.ends_on)) for row in rows]
    order = (AgreementState.IN_FORCE, AgreementState.UPCOMING, AgreementState.EXPIRED)
    return tuple(sorted(views, key=lambda view: order.index(view.state)))


def _state_on(today: date, starts_on: date, ends_on: date) -> AgreementState:
    if today < starts_on:
        return AgreementState.UPCOMING
    return AgreementState.IN_FORCE if today < ends_on else AgreementState.EXPIRED


def _assets_of(
    connection: Connection, customer_id: int, asset_id: int | None, today: date
) -> tuple[AssetView, ...]:
    """The device the ticket is about first, then the latest bought."""
    rows = connection.execute(
        sa.select(
            _assets.c.id,
            _assets.c.serial,
            _models.c.code,
            _models.c.name,
            _models.c.brand,
            _models.c.family,
            _assets.c.purchased_on,
            _assets.c.warranty_until,
        )
        .join(_models, _models.c.id == _assets.c.model_id)
        .where(_assets.c.customer_id == customer_id)
        .order_by(
            sa.case((_assets.c.id == asset_id, 0), else_=1),
            _assets.c.purchased_on.desc().nulls_last(),
            _assets.c.id.desc(),
        )
        .limit(_SHOWN)
    )
    return tuple(
        AssetView(
            *row,
            is_in_warranty=row.warranty_until is not None and today < row.warranty_until,
            is_subject=row.id == asset_id,
        )
        for row in rows
    )
