"""More of a part than its standard allows is said at once: to who books it, in the history, to finance."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.proof.journeys import WORK, photograph
from ticket_console.desk.work import MovedTicket, Reason
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.stock import standards
from ticket_console.stock.cataloguing import add_part
from ticket_console.stock.standards import StaleStandard, StandardView
from ticket_console.stock.tables import PartStandard, PartWarning
from ticket_console.tickets import reads

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SCREWS = {"zh": "螺丝", "en": "Screw"}

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    company = found_company(AT)
    with transaction() as connection:
        add_part(
            connection,
            actor=company.actor("manager"),
            at=AT,
            command_id="screw",
            sku="SCREW",
            name=SCREWS,
            uom="pcs",
            unit_cost_minor=50,
        )
    return company


def allow(company: Company, **changes: Any) -> StandardView:
    wanted: dict[str, Any] = {
        "actor": company.actor("manager"),
        "at": AT,
        "command_id": company.command_id(),
        "sku": "SCREW",
        "quantity": "10",
        "tolerance": "2",
    }
    with transaction() as connection:
        return standards.set_standard(connection, **wanted | changes)


def use(company: Company, quantity: int | str) -> MovedTicket:
    """A repair on which so many screws are used."""
    opened = company.open()
    company.act(opened.ticket_id, opened.version, by="tech_near", at=AT + timedelta(minutes=10))
    shown = photograph(company, opened.ticket_id, by="tech_near")
    return company.act(
        opened.ticket_id,
        shown.version,
        by="tech_near",
        at=AT + timedelta(minutes=90),
        values={**WORK, "parts": [{"sku": "SCREW", "qty": str(quantity)}]},
    )


def warned() -> list[tuple[str, str, str, int]]:
    made = table(PartWarning)
    with reading() as connection:
        rows = connection.execute(
            sa.select(made.c.used, made.c.standard, made.c.tolerance, made.c.cost_minor).order_by(made.c.id)
        )
        return [tuple(row) for row in rows]


def history(ticket_id: int) -> list[dict[str, Any]]:
    with reading() as connection:
        return [
            event["payload"]
            for event in reads.events_of(connection, ticket_id)
            if event["type"] == "ticket.parts_above_standard"
        ]


def test_three_screws_too_many_are_warned_of_at_once_and_two_are_not(company: Company) -> None:
    allow(company)

    within, above = use(company, 12), use(company, 13)

    assert within.warnings == ()
    said = {"part": SCREWS, "sku": "SCREW", "used": "13", "standard": "10"}
    assert above.warnings == (Reason("stock.above_standard", said),)
    # Three screws at 0.50 lie beyond the standard; the history says how many and not what they cost.
    assert warned() == [("13", "10", "2", 150)]
    assert history(within.ticket_id) == []
    assert [(each["sku"], each["used"]) for each in history(above.ticket_id)] == [("SCREW", "13")]
    assert "cost" not in str(history(above.ticket_id))
    with reading() as connection:
        (shown,) = standards.warnings(
            connection, viewer=company.actor("finance"), since=AT, until=AT + timedelta(days=1)
        )
        assert (shown.ticket_id, shown.above.cost_minor) == (above.ticket_id, 150)
        with pytest.raises(Forbidden):
            standards.warnings(
                connection, viewer=company.actor("tech_near"), since=AT, until=AT + timedelta(days=1)
            )


def test_every_part_has_a_threshold_of_its_own_and_a_template_may_have_another(company: Company) -> None:
    allow(company, tolerance="0.5")
    allow(company, template_code="repair", quantity="20", tolerance="0")

    assert use(company, "20").warnings == ()
    assert use(company, "20.001").warnings != ()
    with reading() as connection:
        found = standards.standards(connection, viewer=company.actor("manager"))
    assert [(each.template_code, each.quantity, each.tolerance) for each in found] == [
        ("", D(10), D("0.5")),
        ("repair", D(20), D(0)),
    ]


def test_a_part_without_a_standard_is_never_warned_of(company: Company) -> None:
    assert use(company, 500).warnings == ()
    assert warned() == []


@pytest.mark.parametrize(
    ("used", "tolerance", "is_above"),
    [("10", "0", False), ("10.001", "0", True), ("12", "2", False), ("12.5", "2", True), ("0", "0", False)],
)
def test_the_tolerance_itself_is_still_fine(used: str, tolerance: str, is_above: bool) -> None:
    assert standards.exceeds(D(used), standard=D(10), tolerance=D(tolerance)) is is_above


def test_a_standard_is_changed_by_who_saw_it(company: Company) -> None:
    allow(company)

    changed = allow(company, quantity="8", expected_version=1)

    assert (changed.quantity, changed.version) == (D(8), 2)
    with pytest.raises(StaleStandard):
        allow(company, quantity="9", expected_version=1)
    with pytest.raises(StaleStandard):
        allow(company)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "many"},
        {"quantity": "-1"},
        {"tolerance": "NaN"},
        {"tolerance": "1.00001"},
        {"quantity": "1e9"},
        {"sku": "NOBODY"},
        {"template_code": "x" * 65},
    ],
)
def test_a_standard_that_is_none_is_refused(company: Company, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        allow(company, **wrong)

    with reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table(PartStandard))).scalar() == 0


@pytest.mark.parametrize("login", ["tech_near", "dispatcher", "finance"])
def test_only_who_manages_rules_sets_standards(company: Company, login: str) -> None:
    with pytest.raises(Forbidden):
        allow(company, actor=company.actor(login))
