"""The background of a ticket, and the honest "none"."""

from datetime import UTC, date, datetime

import pytest

from tests.builders.access import Company, make_company
from tests.builders.customers import COVERAGE, add_model, buy, by, identify, own, promise, register
from tests.builders.people import AT
from ticket_console.customers import reads, registering
from ticket_console.customers.matching import CustomerNotFound
from ticket_console.customers.reads import (
    AgreementState,
    AgreementView,
    ContactView,
    ContextView,
    OrderLineView,
)
from ticket_console.customers.registering import (
    IdentityTaken,
    NewCustomer,
    NewOrder,
    NewOrderLine,
    SerialTaken,
)
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def viewer(company: Company, role: Role = Role.AGENT, region_id: int | None = None) -> Actor:
    grant = Grant(role, Scope.ORG) if region_id is None else Grant(role, Scope.REGION, frozenset({region_id}))
    return Actor(kind=ActorKind.USER, org_id=company.org_id, display="Viewer", grants=(grant,))


def context(
    company: Company,
    customer_id: int | None,
    asset_id: int | None = None,
    *,
    role: Role = Role.AGENT,
    at: datetime = AT,
) -> ContextView:
    with reading() as connection:
        return reads.context(connection, viewer(company, role), customer_id, asset_id, at=at)


def test_orders_are_listed_newest_first_with_what_was_bought(company: Company) -> None:  # CTX-01
    add_model(company)
    wang = register(company)
    buy(company, wang, "A-1", date(2024, 5, 1), 100_000)
    buy(company, wang, "A-3", date(2026, 5, 1), 250_000, 4_900)
    buy(company, wang, "A-2", date(2026, 5, 1), 1)
    found = context(company, wang, role=Role.MANAGER)
    assert [(order.no, order.total_minor) for order in found.orders] == [
        ("A-2", 1),
        ("A-3", 254_900),
        ("A-1", 100_000),
    ]
    assert found.orders[1].lines == (
        OrderLineView("Line 1", 1, "AC-1", {"zh": "挂机", "en": "Wall unit"}),
        OrderLineView("Line 2", 1, None, None),
    )


def test_agreements_say_whether_they_hold_today(company: Company) -> None:  # CTX-06
    wang = register(company)
    days = {
        "expired": (date(2025, 11, 21), date(2026, 11, 21)),
        "last day": (date(2025, 11, 22), date(2026, 11, 22)),
        "first day": (date(2026, 11, 21), date(2027, 11, 21)),
        "upcoming": (date(2026, 11, 22), date(2027, 11, 22)),
    }
    for kind, (starts_on, ends_on) in days.items():
        promise(company, wang, kind, starts_on, ends_on)
    found = context(company, wang).agreements
    assert [(each.kind, each.state) for each in found] == [
        ("first day", AgreementState.IN_FORCE),
        ("last day", AgreementState.IN_FORCE),
        ("upcoming", AgreementState.UPCOMING),
        ("expired", AgreementState.EXPIRED),
    ]
    assert found[-1] == AgreementView("expired", COVERAGE, *days["expired"], AgreementState.EXPIRED)


def test_today_is_the_day_where_the_customer_is(company: Company) -> None:
    wang = register(company)
    promise(company, wang, "care", date(2025, 1, 1), date(2026, 11, 22))
    before_midnight = datetime(2026, 11, 21, 15, 59, tzinfo=UTC)
    midnight = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    assert context(company, wang, at=before_midnight).agreements[0].state is AgreementState.IN_FORCE
    assert context(company, wang, at=midnight).agreements[0].state is AgreementState.EXPIRED


def test_the_device_in_question_comes_first_then_the_latest_bought(company: Company) -> None:
    add_model(company)
    wang = register(company)
    old = own(company, wang, "S-1", purchased_on=date(2020, 1, 1), warranty_until=date(2026, 11, 21))
    own(company, wang, "S-2", purchased_on=date(2026, 1, 1), warranty_until=date(2026, 11, 22))
    own(company, wang, "S-3")
    found = context(company, wang, old).assets
    assert [(each.serial, each.is_subject, each.is_in_warranty) for each in found] == [
        ("S-1", True, False),
        ("S-2", False, True),
        ("S-3", False, False),
    ]
    assert (found[0].model_code, found[0].brand, found[0].family) == ("AC-1", "Gree", "hvac")
    with reading() as connection:
        asset = reads.find_asset(connection, company.org_id, "S-1")
    assert asset is not None
    assert (asset.id, asset.customer_id) == (old, wang)


def test_what_there_is_none_of_is_named(company: Company) -> None:  # CTX-06
    add_model(company)
    wang = register(company)
    assert context(company, None).missing == ("customer", "orders", "agreements", "assets")
    assert context(company, wang).missing == ("orders", "agreements", "assets")
    buy(company, wang, "A-1", date(2026, 1, 1), 100)
    own(company, wang, "S-1")
    assert context(company, wang).missing == ("agreements",)
    promise(company, wang, "care", date(2026, 1, 1), date(2027, 1, 1))
    assert context(company, wang).missing == ()


def test_amounts_and_numbers_are_for_those_who_need_them(company: Company) -> None:  # PRM-01
    add_model(company)
    wang = register(company, phone="19900000001", contacts=(("前台", "19900000002"),))
    buy(company, wang, "A-1", date(2026, 1, 1), 100)
    seen = {}
    for role in (Role.MANAGER, Role.AGENT, Role.AUDITOR):
        found = context(company, wang, role=role)
        assert found.customer is not None
        seen[role] = (found.customer.phone, found.customer.contacts, found.orders[0].total_minor)
    desk = (ContactView("前台", "19900000002", ""),)
    assert seen == {
        Role.MANAGER: ("19900000001", desk, 100),
        Role.AGENT: ("19900000001", desk, None),
        Role.AUDITOR: ("199****0001", (ContactView("前台", "199****0002", ""),), 100),
    }


def test_who_reads_nothing_internal_learns_the_name_only(company: Company) -> None:
    wang = register(company, phone="19900000001")
    found = context(company, wang, role=Role.FINANCE)
    assert found.customer is not None
    assert (found.customer.name, found.customer.phone, found.is_withheld) == ("王芳", "", True)
    assert (found.orders, found.missing) == ((), ())


def test_another_companys_customer_is_not_there(company: Company) -> None:
    other = make_company("other")
    wang = register(company)
    with pytest.raises(CustomerNotFound):
        context(other, wang)


def test_customers_are_searched_by_name_or_number_within_the_viewers_regions(company: Company) -> None:
    wang = register(company, "王芳", phone="19900000001")
    hotel = register(company, "100% Hotel", phone="19900000022", region_id=company.south)

    def found(text: str, role: Role = Role.AGENT, region_id: int | None = None) -> list[int]:
        with reading() as connection:
            return [each.id for each in reads.search(connection, viewer(company, role, region_id), text)]

    assert found("王") == [wang]
    assert found("hotel") == found("100%") == [hotel]
    assert found("+86 1990000") == [hotel, wang]
    assert found("%") == [hotel]
    assert found(" ") == []
    assert found("1990000", region_id=company.south) == [hotel]
    with pytest.raises(Forbidden):
        found("王", Role.FINANCE)


def test_a_channels_name_belongs_to_one_customer(company: Company) -> None:
    wang, li = register(company, "Wang"), register(company, "Li")
    identify(company, wang, "wechat", "wx-1")
    identify(company, wang, "wechat", "wx-1")
    with pytest.raises(IdentityTaken):
        identify(company, li, "wechat", "wx-1")


def test_what_cannot_be_entered_is_told_in_one_go(company: Company) -> None:
    add_model(company)
    wang = register(company)
    bad = NewOrder(
        no="",
        ordered_on=date(2026, 1, 1),
        currency="CNY",
        lines=(NewOrderLine(description="", quantity=0, amount_minor=-1),),
    )
    with pytest.raises(InvalidInput) as refused, transaction() as connection:
        registering.record_order(connection, **by(company), customer_id=wang, new=bad)
    assert [each.path for each in refused.value.problems] == [
        "no",
        "lines.0.description",
        "lines.0.quantity",
        "lines.0.amount_minor",
    ]


def test_devices_need_a_known_model_and_a_serial_of_their_own(company: Company) -> None:
    add_model(company)
    wang = register(company)
    own(company, wang, "S-1")
    with pytest.raises(SerialTaken):
        own(company, wang, "S-1")
    with pytest.raises(InvalidInput) as refused:
        own(company, wang, "S-2", model_code="X")
    assert refused.value.problems[0].code == "customer.unknown_model"


def test_a_region_agent_registers_customers_of_the_own_region_only(company: Company) -> None:
    agent = viewer(company, region_id=company.south)
    new = NewCustomer(name="Wang", region_id=company.north)
    with pytest.raises(Forbidden), transaction() as connection:
        registering.register_customer(connection, **by(company, agent), new=new)
