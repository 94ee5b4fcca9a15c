"""Parts on a ticket: exact quantities, the cost of the moment, and corrections."""

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.access import Company, actor, make_company
from tests.builders.dispatch import make_tasks
from tests.builders.people import AT
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.stock import cataloguing, reads
from ticket_console.stock.cataloguing import PartExists
from ticket_console.stock.tables import Part, PartUsage
from ticket_console.stock.usage import PartLine, parts_used, use_parts

CAPACITOR = {"zh": "电容", "en": "Capacitor"}
PIPE = {"zh": "铜管", "en": "Copper pipe"}


@pytest.fixture
def company(database: object) -> Company:
    made = make_company()
    add_part(made, "CAP-35", CAPACITOR, 3_550)
    add_part(made, "PIPE-6", PIPE, 1_280)
    return made


@pytest.fixture
def ticket_id(company: Company) -> int:
    return make_tasks(company)[0].ticket_id


def add_part(company: Company, sku: str, name: dict[str, str], cost: int) -> int:
    with transaction() as connection:
        return cataloguing.add_part(
            connection,
            actor=system_actor(company.org_id),
            at=AT,
            command_id="add",
            sku=sku,
            name=name,
            uom="pcs",
            unit_cost_minor=cost,
        )


def set_cost(sku: str, cost: int) -> None:
    parts = table(Part)
    with transaction() as connection:
        connection.execute(sa.update(parts).where(parts.c.sku == sku).values(unit_cost_minor=cost))


def use(company: Company, ticket_id: int, lines: list[tuple[str, object]], **wish: Any) -> None:
    with transaction() as connection:
        use_parts(
            connection,
            org_id=company.org_id,
            at=AT,
            ticket_id=ticket_id,
            lines=[{"sku": sku, "qty": quantity} for sku, quantity in lines],
            command_id="use",
            **wish,
        )


def used(ticket_id: int) -> list[tuple[str, Decimal, int]]:
    with reading() as connection:
        return [(line.sku, line.quantity, line.unit_cost_minor) for line in parts_used(connection, ticket_id)]


def test_quantities_are_exact_and_written_plainly(company: Company, ticket_id: int) -> None:
    use(company, ticket_id, [("PIPE-6", "0.1"), ("CAP-35", 2)])
    use(company, ticket_id, [("PIPE-6", "0.200")])
    with reading() as connection:
        assert parts_used(connection, ticket_id) == (
            PartLine("CAP-35", CAPACITOR, Decimal(2), 3_550),
            PartLine("PIPE-6", PIPE, Decimal("0.3"), 1_280),
        )
        written = connection.execute(sa.select(table(PartUsage).c.quantity)).scalars()
        assert sorted(written) == ["0.1", "0.2", "2"]


def test_a_part_keeps_the_cost_at_which_it_was_taken(company: Company, ticket_id: int) -> None:
    use(company, ticket_id, [("CAP-35", "1")])
    set_cost("CAP-35", 4_000)
    use(company, ticket_id, [("CAP-35", "1")])
    assert used(ticket_id) == [("CAP-35", Decimal(1), 3_550), ("CAP-35", Decimal(1), 4_000)]


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0", "stock.bad_quantity"),
        ("-1", "stock.bad_quantity"),
        ("10000.001", "stock.bad_quantity"),
        ("1.0001", "field.too_many_decimals"),
        ("two", "field.not_a_number"),
        ("NaN", "field.not_a_number"),
        ("Infinity", "field.not_a_number"),
        (None, "field.not_a_number"),
    ],
)
def test_a_quantity_that_is_none_is_refused_with_its_line(
    company: Company, ticket_id: int, quantity: object, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        use(company, ticket_id, [("CAP-35", "1"), ("PIPE-6", quantity)])
    assert [(each.path, each.code) for each in refused.value.problems] == [("parts.1.qty", code)]
    assert used(ticket_id) == []


def test_the_largest_quantity_is_taken(company: Company, ticket_id: int) -> None:
    use(company, ticket_id, [("CAP-35", "10000")])
    assert used(ticket_id) == [("CAP-35", Decimal(10_000), 3_550)]


def test_parts_nobody_has_are_refused_by_name(company: Company, ticket_id: int) -> None:
    other = make_company("other")
    with pytest.raises(InvalidInput) as refused:
        use(company, ticket_id, [("CAP-35", "1"), ("CAP-99", "1"), ("X", "1")])
    assert [(each.code, each.params) for each in refused.value.problems] == [
        ("stock.unknown_part", {"sku": "CAP-99"}),
        ("stock.unknown_part", {"sku": "X"}),
    ]
    with pytest.raises(InvalidInput):
        use(other, ticket_id, [("CAP-35", "1")])


def test_a_form_filled_in_again_books_the_difference_only(company: Company, ticket_id: int) -> None:
    first = [{"sku": "CAP-35", "qty": "2"}, {"sku": "PIPE-6", "qty": "1.5"}]
    use(company, ticket_id, [("CAP-35", "2"), ("PIPE-6", "1.5")])
    use(company, ticket_id, [("CAP-35", "2"), ("PIPE-6", "1.5")], replaces=first)
    assert used(ticket_id) == [("CAP-35", Decimal(2), 3_550), ("PIPE-6", Decimal("1.5"), 1_280)]
    use(company, ticket_id, [("CAP-35", "3")], replaces=first)
    assert used(ticket_id) == [("CAP-35", Decimal(3), 3_550)]


def test_what_was_too_much_goes_back_at_the_cost_it_was_taken_at(company: Company, ticket_id: int) -> None:
    use(company, ticket_id, [("CAP-35", "2")])
    set_cost("CAP-35", 4_000)
    use(company, ticket_id, [("CAP-35", "5")], replaces=[{"sku": "CAP-35", "qty": "2"}])
    set_cost("CAP-35", 9_000)
    use(company, ticket_id, [("CAP-35", "1")], replaces=[{"sku": "CAP-35", "qty": "5"}])
    assert used(ticket_id) == [("CAP-35", Decimal(1), 3_550)]


def test_nothing_used_books_nothing(company: Company, ticket_id: int) -> None:
    use(company, ticket_id, [])
    assert used(ticket_id) == []


def test_the_catalogue_shows_costs_to_those_who_read_them(company: Company) -> None:
    def costs(role: Role) -> list[tuple[str, int | None]]:
        viewer = Actor(
            kind=ActorKind.USER, org_id=company.org_id, display="V", grants=(Grant(role, Scope.ORG),)
        )
        with reading() as connection:
            return [(part.sku, part.unit_cost_minor) for part in reads.parts(connection, viewer)]

    assert costs(Role.MANAGER) == [("CAP-35", 3_550), ("PIPE-6", 1_280)]
    assert costs(Role.TECHNICIAN) == [("CAP-35", None), ("PIPE-6", None)]


def test_parts_enter_the_catalogue_once_and_by_who_sets_prices(company: Company) -> None:
    with pytest.raises(PartExists):
        add_part(company, "CAP-35", CAPACITOR, 1)
    with pytest.raises(InvalidInput) as refused:
        add_part(company, " ", CAPACITOR, -1)
    assert [each.path for each in refused.value.problems] == ["sku", "unit_cost_minor"]
    with pytest.raises(Forbidden), transaction() as connection:
        cataloguing.add_part(
            connection,
            actor=actor(Role.DISPATCHER),
            at=AT,
            command_id="add",
            sku="N",
            name=PIPE,
            uom="m",
            unit_cost_minor=1,
        )
