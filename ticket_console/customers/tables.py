"""Whom we serve and what they own: customers, contacts, channel identities, assets, orders, agreements."""

from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText


class CustomerKind(StrEnum):
    PERSON = "person"
    COMPANY = "company"


class Customer(SQLModel, table=True):
    __tablename__ = "customer"
    __table_args__ = (sa.Index(None, "org_id", "phone"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    kind: CustomerKind = Field(sa_column=sa.Column(EnumText(CustomerKind), nullable=False))
    name: str = Field(max_length=120)
    phone: str = Field(default="", max_length=32)
    is_vip: bool = False
    region_id: int | None = Field(default=None, foreign_key="region.id")
    version: int = 1


class Contact(SQLModel, table=True):
    __tablename__ = "contact"
    __table_args__ = (sa.Index(None, "phone"),)

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    name: str = Field(max_length=120)
    phone: str = Field(default="", max_length=32)
    email: str = Field(default="", max_length=200)


class CustomerIdentity(SQLModel, table=True):
    """The name a channel knows a customer by; one external name belongs to one customer."""

    __tablename__ = "customer_identity"
    __table_args__ = (sa.UniqueConstraint("org_id", "channel", "external_id"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    channel: str = Field(max_length=32)
    external_id: str = Field(max_length=128)
    customer_id: int = Field(foreign_key="customer.id", index=True)


class ProductModel(SQLModel, table=True):
    __tablename__ = "product_model"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    brand: str = Field(max_length=80)
    family: str = Field(max_length=80)
    name: dict[str, str] = Field(sa_type=JsonText)


class Asset(SQLModel, table=True):
    __tablename__ = "asset"
    __table_args__ = (sa.UniqueConstraint("org_id", "serial"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    serial: str = Field(max_length=64)
    model_id: int = Field(foreign_key="product_model.id")
    customer_id: int = Field(foreign_key="customer.id", index=True)
    site_id: int | None = Field(default=None, foreign_key="site.id")
    purchased_on: date | None = None
    warranty_until: date | None = None
    version: int = 1


class CustomerOrder(SQLModel, table=True):
    __tablename__ = "customer_order"
    __table_args__ = (sa.UniqueConstraint("org_id", "no"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    no: str = Field(max_length=40)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    ordered_on: date
    total_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)


class OrderLine(SQLModel, table=True):
    __tablename__ = "order_line"

    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="customer_order.id", index=True)
    model_id: int | None = Field(default=None, foreign_key="product_model.id")
    description: str = Field(max_length=200)
    quantity: int
    amount_minor: int = Field(sa_type=sa.BigInteger)


class Agreement(SQLModel, table=True):
    __tablename__ = "agreement"

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    customer_id: int = Field(foreign_key="customer.id", index=True)
    kind: str = Field(max_length=32)
    coverage: dict[str, str] = Field(sa_type=JsonText)
    starts_on: date
    ends_on: date
