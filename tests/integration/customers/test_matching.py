"""Whose message it is, and when nobody can tell."""

import pytest

from tests.builders.access import Company, make_company
from tests.builders.customers import identify, register
from ticket_console.customers.matching import (
    CustomerNotFound,
    CustomerRef,
    Match,
    MatchedBy,
    MatchedCustomer,
    by_id,
    find_by_identity,
    find_by_phone,
    match,
    resolve,
)
from ticket_console.kernel.database import reading


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def resolved(company: Company, **said: str) -> Match:
    with reading() as connection:
        return resolve(connection, company.org_id, CustomerRef(**said))


def known(company: Company, customer_id: int) -> MatchedCustomer:
    with reading() as connection:
        return by_id(connection, company.org_id, customer_id)


def test_the_channels_own_name_finds_its_customer(company: Company) -> None:  # CTX-06
    wang = register(company, phone="19900000001", is_vip=True)
    identify(company, wang, "wechat", "wx-1")
    expected = MatchedCustomer(wang, "王芳", "19900000001", True, company.north)
    assert resolved(company, channel="wechat", external_id="wx-1") == Match(MatchedBy.IDENTITY, expected)
    assert resolved(company, channel="phone", external_id="wx-1").by is MatchedBy.NOTHING


@pytest.mark.parametrize("phone", ["19900000001", "+86 199 0000 0001", "199-0000-0001"])
def test_a_number_finds_its_only_owner_however_it_is_written(company: Company, phone: str) -> None:
    wang = register(company, phone="199 0000 0001")
    assert resolved(company, phone=phone) == Match(MatchedBy.PHONE, known(company, wang))


def test_the_number_of_a_contact_finds_the_customer(company: Company) -> None:
    hotel = register(company, "酒店", contacts=(("前台", "19900000009"), ("经理", "19900000009")))
    assert resolved(company, phone="19900000009") == Match(MatchedBy.PHONE, known(company, hotel))


def test_between_two_owners_of_a_number_nothing_is_guessed(company: Company) -> None:
    wang = register(company, "Wang", phone="19900000001")
    hotel = register(company, "Hotel", contacts=(("Wang", "19900000001"),))
    found = resolved(company, phone="19900000001")
    assert found == Match(MatchedBy.AMBIGUOUS, None, (wang, hotel))
    with reading() as connection:
        assert match(connection, company.org_id, CustomerRef(phone="19900000001")) is None


def test_the_channels_name_wins_over_a_borrowed_telephone(company: Company) -> None:
    wang = register(company, "Wang", phone="19900000001")
    register(company, "Li", phone="19900000002")
    identify(company, wang, "wechat", "wx-1")
    found = resolved(company, channel="wechat", external_id="wx-1", phone="19900000002")
    assert (found.by, found.customer) == (MatchedBy.IDENTITY, known(company, wang))


def test_customers_without_a_number_are_not_found_by_none(company: Company) -> None:
    register(company)
    assert resolved(company) == resolved(company, phone="—") == Match(MatchedBy.NOTHING, None)


def test_another_companys_customers_are_nobody(company: Company) -> None:
    other = make_company("other")
    wang = register(company, phone="19900000001")
    identify(company, wang, "wechat", "wx-1")
    with reading() as connection:
        assert find_by_identity(connection, other.org_id, "wechat", "wx-1") is None
        assert find_by_phone(connection, other.org_id, "19900000001") == []
        with pytest.raises(CustomerNotFound):
            by_id(connection, other.org_id, wang)
