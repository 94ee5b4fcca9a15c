"""Forms on real tickets: departments, hidden fields, places that say otherwise, records and formulas."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.access.tables import UserAccount
from ticket_console.desk import picking
from ticket_console.desk.page import ticket_page
from ticket_console.forms import overrides, reads
from ticket_console.forms.fields import FieldKind
from ticket_console.forms.overrides import OverrideMoved, put_override
from ticket_console.forms.publishing import TemplateFace, publish_template, use_flow
from ticket_console.forms.tables import OverrideScope, Template, TemplateVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput

CHENGDU = {"lat": 30.66, "lon": 104.06}


def make_field(key: str, kind: str = "text", **settings: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "label": {"zh": key, "en": key}, **settings}


GIFT = make_field("gift_code")
DEFINITION = {
    "sections": [
        {
            "key": "main",
            "fields": [
                make_field("meter_reading", "number", required=True),
                make_field("double_reading", "formula", formula="meter_reading * 2"),
                make_field("contact_person", "person"),
                GIFT,
            ],
        },
        {"key": "market", "owner": "marketing", "fields": [make_field("source_channel", required=True)]},
    ]
}


@pytest.fixture
def company(database: Any, at: Any) -> Company:
    made = found_company(at)
    users = table(UserAccount)
    with transaction() as connection:
        connection.execute(sa.update(users).where(users.c.login == "agent").values(department="marketing"))
    publish(made, DEFINITION)
    return made


def publish(company: Company, definition: dict[str, Any]) -> int:
    face = TemplateFace(name={"en": "Visit"}, business_line="repair", ticket_class="repair")
    with transaction() as connection:
        published = publish_template(
            connection,
            actor=company.actor("manager"),
            at=company.at,
            code="visit",
            face=face,
            definition=definition,
        )
        repair = reads.template_by_code(connection, company.org_id, "repair")
        flow_id = connection.execute(
            sa.select(table(Template).c.flow_id).where(table(Template).c.id == repair.template_id)
        ).scalar_one()
        use_flow(
            connection,
            actor=company.actor("manager"),
            code="visit",
            flow_id=flow_id,
            flow_version_id=repair.flow_version_id,
        )
    return published.template_version_id


def open_visit(company: Company, values: dict[str, Any], *, by: str = "agent", **wish: Any) -> int:
    return company.open(by=by, template="visit", values=values, **wish).ticket_id


def values_on_page(company: Company, ticket_id: int, viewer: Actor) -> dict[str, Any]:
    with reading() as connection:
        page = ticket_page(connection, viewer=viewer, ticket_id=ticket_id, at=company.at)
    return {field.key: field.value for field in page.fields}


def problems_of(refused: InvalidInput) -> dict[str, str]:
    return {problem.path: problem.code for problem in refused.problems}


# TPL-03
def test_only_its_department_fills_in_a_section(company: Company) -> None:
    ticket_id = open_visit(company, {"meter_reading": "4", "source_channel": "fair"})
    assert values_on_page(company, ticket_id, company.system) == {
        "meter_reading": "4",
        "double_reading": "8",
        "source_channel": "fair",
    }

    with pytest.raises(InvalidInput) as refused:
        open_visit(company, {"meter_reading": "4", "source_channel": "fair"}, by="dispatcher")
    assert problems_of(refused.value) == {"source_channel": "field.unknown"}
    assert open_visit(company, {"meter_reading": "4"}, by="dispatcher") > ticket_id


# TPL-04
def test_a_field_that_is_hidden_later_stays_with_the_tickets_that_have_it(company: Company) -> None:
    values = {"meter_reading": "1", "source_channel": "web"}
    earlier = open_visit(company, {**values, "gift_code": "CUP"})
    hidden = {**GIFT, "state": "hidden"}
    main, market = DEFINITION["sections"]
    publish(company, {"sections": [{**main, "fields": [*main["fields"][:3], hidden]}, market]})

    assert values_on_page(company, earlier, company.system)["gift_code"] == "CUP"
    with pytest.raises(InvalidInput) as refused:
        open_visit(company, {**values, "gift_code": "CUP"})
    assert problems_of(refused.value) == {"gift_code": "field.unknown"}


# TPL-10, TPL-19
def test_a_region_says_otherwise_and_its_tickets_keep_what_they_were_opened_with(company: Company) -> None:
    manager = company.actor("manager")
    wish = {"actor": manager, "at": company.at, "code": "visit", "scope": OverrideScope.REGION, "ref": "cd"}
    patch = {"fields": {"gift_code": {"required": True, "label": {"en": "Voucher"}}}}
    with transaction() as connection:
        version = put_override(connection, command_id="o1", patch=patch, expected_version=0, **wish)
    values = {"meter_reading": "1", "source_channel": "web"}

    at_home = open_visit(company, values)
    with pytest.raises(InvalidInput) as refused:
        open_visit(company, values, region_code="cd", lat=None, lon=None)
    assert problems_of(refused.value) == {"gift_code": "field.required"}
    there = open_visit(company, {**values, "gift_code": "V1"}, region_code="cd", lat=None, lon=None)
    again = open_visit(company, {**values, "gift_code": "V2"}, region_code="cd", lat=None, lon=None)
    with transaction() as connection:
        put_override(connection, command_id="o2", patch={}, expected_version=version, **wish)

    with reading() as connection:
        variants = connection.execute(
            sa.select(table(TemplateVersion).c.id).where(
                table(TemplateVersion).c.base_version_id.is_not(None)
            )
        ).all()
        page = ticket_page(connection, viewer=manager, ticket_id=there, at=company.at)
    assert len(variants) == 1
    assert {field.key: field.label["en"] for field in page.fields}["gift_code"] == "Voucher"
    assert values_on_page(company, again, manager)["gift_code"] == "V2"
    assert "gift_code" not in values_on_page(company, at_home, manager)
    assert open_visit(company, values, region_code="cd", lat=None, lon=None) > again


def test_an_override_that_moved_on_or_names_no_place_changes_nothing(company: Company) -> None:
    manager = company.actor("manager")
    wish = {
        "actor": manager,
        "at": company.at,
        "code": "visit",
        "patch": {"fields": {"gift_code": {"hidden": True}}},
    }

    with pytest.raises(OverrideMoved), transaction() as connection:
        put_override(
            connection, command_id="o1", scope=OverrideScope.REGION, ref="cd", expected_version=3, **wish
        )
    with pytest.raises(InvalidInput), transaction() as connection:
        put_override(
            connection, command_id="o2", scope=OverrideScope.STORE, ref="nowhere", expected_version=0, **wish
        )
    with pytest.raises(Forbidden), transaction() as connection:
        put_override(
            connection,
            command_id="o3",
            scope=OverrideScope.REGION,
            ref="cd",
            expected_version=0,
            **{**wish, "actor": company.actor("agent")},
        )
    with reading() as connection:
        assert overrides.overrides_of(connection, viewer=manager, code="visit") == ()
        assert not reads.template_by_code(connection, company.org_id, "visit").has_overrides


# TPL-10
def test_a_model_that_works_in_a_region_becomes_a_standard_of_its_own(company: Company) -> None:
    manager = company.actor("manager")
    with transaction() as connection:
        overrides.apply_to_region(
            connection,
            actor=manager,
            at=company.at,
            command_id="o1",
            code="visit",
            region_code="cd",
            patch={"fields": {"gift_code": {"hidden": True}}},
        )
        overrides.save_as_standard(
            connection,
            actor=manager,
            at=company.at + timedelta(minutes=1),
            code="visit",
            standard_code="visit_standard",
            name={"en": "Visit, as in Chengdu"},
            region_id=company.regions["cd"],
        )

    with reading() as connection:
        standard = reads.template_by_code(connection, company.org_id, "visit_standard")
        usual = reads.template_by_code(connection, company.org_id, "visit")
    assert str(standard.definition.field("gift_code").state) == "hidden"
    assert str(usual.definition.field("gift_code").state) == "active"
    assert standard.flow_version_id == usual.flow_version_id


def test_a_field_points_only_at_records_that_are_there(company: Company) -> None:
    agent = company.actor("agent")
    values = {"meter_reading": "1", "source_channel": "web"}

    with pytest.raises(InvalidInput) as refused:
        open_visit(company, {**values, "contact_person": 999_999})
    assert problems_of(refused.value) == {"contact_person": "field.not_a_record"}
    with reading() as connection:
        (found,) = picking.search(connection, agent, FieldKind.PERSON, "manager", locale="en")
    ticket_id = open_visit(company, {**values, "contact_person": found.value})
    with reading() as connection:
        page = ticket_page(connection, viewer=agent, ticket_id=ticket_id, at=company.at)
    shown = {field.key: field.look["shown"] for field in page.fields}
    assert shown["contact_person"] == found.label
