"""Customers in a company's books, with what they own and bought."""

from datetime import date
from typing import Any

from tests.builders.access import Company
from tests.builders.people import AT
from ticket_console.customers import registering
from ticket_console.customers.registering import NewAsset, NewCustomer, NewOrder, NewOrderLine
from ticket_console.kernel.actor import Actor, system_actor
from ticket_console.kernel.database import transaction
from ticket_console.kernel.text import LocalText

COVERAGE: LocalText = {"zh": "全保", "en": "Everything"}


def by(company: Company, actor: Actor | None = None) -> dict[str, Any]:
    """Who enters it, when, by which command."""
    return {"actor": actor or system_actor(company.org_id), "at": AT, "command_id": "enter"}


def register(
    company: Company, name: str = "王芳", *, contacts: tuple[tuple[str, str], ...] = (), **wish: Any
) -> int:
    """A customer of the company's North; contacts are names with numbers."""
    with transaction() as connection:
        new = NewCustomer(**{"name": name, "region_id": company.north, **wish})
        customer_id = registering.register_customer(connection, **by(company), new=new)
        for contact, phone in contacts:
            registering.add_contact(
                connection, **by(company), customer_id=customer_id, name=contact, phone=phone
            )
    return customer_id


def identify(company: Company, customer_id: int, channel: str, external_id: str) -> None:
    with transaction() as connection:
        registering.identify(
            connection, **by(company), customer_id=customer_id, channel=channel, external_id=external_id
        )


def add_model(company: Company, code: str = "AC-1") -> int:
    with transaction() as connection:
        return registering.add_model(
            connection,
            **by(company),
            code=code,
            brand="Gree",
            family="hvac",
            name={"zh": "挂机", "en": "Wall unit"},
        )


def own(company: Company, customer_id: int, serial: str, **wish: Any) -> int:
    """A device of model AC-1."""
    with transaction() as connection:
        new = NewAsset(**{"serial": serial, "model_code": "AC-1", **wish})
        return registering.register_asset(connection, **by(company), customer_id=customer_id, new=new)


def buy(company: Company, customer_id: int, no: str, on: date, *amounts: int) -> int:
    """An order with a line per amount; the first line is of model AC-1."""
    lines = tuple(
        NewOrderLine(
            description=f"Line {position}",
            quantity=1,
            amount_minor=amount,
            model_code="AC-1" if position == 1 else None,
        )
        for position, amount in enumerate(amounts, start=1)
    )
    with transaction() as connection:
        new = NewOrder(no=no, ordered_on=on, currency="CNY", lines=lines)
        return registering.record_order(connection, **by(company), customer_id=customer_id, new=new)


def promise(company: Company, customer_id: int, kind: str, starts_on: date, ends_on: date) -> int:
    with transaction() as connection:
        return registering.agree(
            connection,
            **by(company),
            customer_id=customer_id,
            kind=kind,
            coverage=COVERAGE,
            starts_on=starts_on,
            ends_on=ends_on,
        )
