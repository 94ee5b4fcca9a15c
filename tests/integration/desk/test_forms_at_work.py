"""Forms on real tickets: departments, hidden fields, places that say otherwise, records and formulas."""

import io
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from tests.builders.company import Company, found_company
from ticket_console.access.tables import UserAccount
from ticket_console.desk import customer, picking, publishing, rates
from ticket_console.desk.page import ticket_page
from ticket_console.desk.replay.dwelling import Dwells
from ticket_console.desk.replay.reading import stories
from ticket_console.desk.replay.window import Bench, is_faithful
from ticket_console.desk.talking import attach
from ticket_console.flows import publishing as flow_publishing
from ticket_console.flows import reads as flow_reads
from ticket_console.forms import drafts, overrides, reads
from ticket_console.forms.fields import FieldKind
from ticket_console.forms.overrides import OverrideMoved, put_override
from ticket_console.forms.ownership import NotYourSection
from ticket_console.forms.publishing import TemplateFace, publish_template, use_flow
from ticket_console.forms.tables import DraftKind, OverrideScope, Template, TemplateVersion
from ticket_console.kernel.actor import Actor, Grant, Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.settlement import publishing as settlement_rules
from ticket_console.settlement import standard_rules
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.tables import FactSnapshot, Rating, RuleSet, RuleSetVersion
from ticket_console.tickets.tables import Ticket

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
    shown = {field.key: field.look["shown"]["en"] for field in page.fields}
    assert shown["contact_person"] == found.label


def marketer(company: Company) -> Actor:
    """Somebody of a department who manages forms in one region."""
    grant = Grant(Role.MANAGER, Scope.REGION, frozenset({company.regions["sh"]}))
    return replace(company.actor("manager"), grants=(grant,), department="marketing")


def put(*path: str, value: Any) -> dict[str, Any]:
    return {"op": "put", "path": ["definition", "sections", *path], "value": value}


# TPL-03
def test_a_department_changes_its_own_section_and_no_other(company: Company) -> None:
    who = marketer(company)
    draft = drafts.open_draft(actor=who, at=company.at, code="visit")

    def edit(seq: int, *ops: dict[str, Any]) -> int:
        gesture = {"id": f"g{len(ops)}-{seq}", "label": "draft.gesture.by_program", "ops": list(ops)}
        saved = drafts.edit(actor=who, at=company.at, draft_id=draft.id, if_match=seq, gesture=gesture)
        return saved.seq

    foreign = {
        "sections.main": put("main", "fields", "gift_code", "label", "en", value="Present"),
        "face": {"op": "put", "path": ["face", "name", "en"], "value": "Ours now"},
        "sections.market": put("market", "owner", value="support"),
    }
    for path, change in foreign.items():
        with pytest.raises(NotYourSection) as refused:
            edit(0, change)
        assert problems_of(refused.value) == {path: "template.not_your_section"}
    assert drafts.read(actor=who, draft_id=draft.id).seq == 0

    own = {"key": "extra", "owner": "marketing", "fields": [make_field("campaign")]}
    seq = edit(0, put("market", "fields", "source_channel", "label", "en", value="Where from"))
    seq = edit(seq, put("extra", value=own))
    published = publishing.publish(
        actor=who, at=company.at, command_id="p1", kind=DraftKind.FORM, draft_id=draft.id, if_match=seq
    )

    with reading() as connection:
        definition = reads.template_version(connection, published.version_id).definition
    assert definition.field("source_channel").label["en"] == "Where from"
    assert [section.key for section in definition.sections] == ["main", "market", "extra"]


# TPL-03
def test_no_way_round_the_designer_lets_a_department_change_the_sections_of_others(company: Company) -> None:
    who = marketer(company)
    main, market = DEFINITION["sections"]
    face = TemplateFace(name={"en": "Visit"}, business_line="repair", ticket_class="repair")
    common = {"actor": who, "at": company.at, "code": "visit"}

    with pytest.raises(NotYourSection), transaction() as connection:
        publish_template(
            connection, face=face, definition={"sections": [{**main, "fields": [GIFT]}, market]}, **common
        )
    with pytest.raises(NotYourSection), transaction() as connection:
        publish_template(connection, face=replace(face, is_public=True), definition=DEFINITION, **common)
    for number, key in enumerate(("gift_code", "source_channel")):
        patch = {"fields": {key: {"hidden": True}}}
        wish = {"scope": OverrideScope.REGION, "ref": "sh", "patch": patch, "expected_version": 0}
        if key == "source_channel":
            with transaction() as connection:
                put_override(connection, command_id=f"o{number}", **wish, **common)
            continue
        with pytest.raises(NotYourSection), transaction() as connection:
            put_override(connection, command_id=f"o{number}", **wish, **common)
    with reading() as connection:
        (kept,) = overrides.overrides_of(connection, viewer=who, code="visit")
    assert kept.patch == {"fields": {"source_channel": {"hidden": True}}}


def use_steps(
    company: Company,
    *steps: dict[str, Any],
    definition: dict[str, Any],
    edges: list[dict[str, Any]] | None = None,
) -> None:
    """Let "visit" ask this, in a chain of these nodes unless told which edges there are."""
    publish(company, definition)
    nodes = [
        {"key": "start", "kind": "start", "stage": "intake"},
        *steps,
        {"key": "end", "kind": "end", "stage": "done"},
    ]
    keys = [node["key"] for node in nodes]
    graph = {
        "stages": [
            {"key": key, "name": {"zh": key, "en": key}, "category": category}
            for key, category in (("intake", "todo"), ("onsite", "doing"), ("done", "done"))
        ],
        "nodes": [{"name": {"zh": node["key"], "en": node["key"]}, **node} for node in nodes],
        "edges": [
            {"key": f"{one}-{two}", "kind": "forward", "source": one, "target": two}
            for one, two in pairwise(keys)
        ]
        if edges is None
        else edges,
    }
    with transaction() as connection:
        flow = flow_publishing.publish_flow(
            connection, actor=company.system, at=company.at, code="steps", name={"en": "Steps"}, graph=graph
        )
        use_flow(
            connection, actor=company.system, code="visit", flow_id=flow.flow_id, flow_version_id=flow.id
        )


def step(key: str, **settings: Any) -> dict[str, Any]:
    handler = {"mode": "queue", "role": "agent"}
    return {"key": key, "kind": "task", "stage": "onsite", "weight": 1, "handler": handler, **settings}


def later(key: str, kind: str = "text", **settings: Any) -> dict[str, Any]:
    return make_field(key, kind, at_opening=False, **settings)


# TPL-14
def test_a_phase_of_three_steps_is_not_passed_without_its_photo(company: Company) -> None:
    use_steps(
        company,
        step("precheck", evidence=["photo"], fields=[{"key": "scene"}]),
        step("diagnose", fields=[{"key": "fault_place", "required": True}]),
        step("confirm", fields=[{"key": "parts_agreed", "required": True}]),
        definition={
            "sections": [
                {
                    "key": "phase",
                    "fields": [later("scene"), later("fault_place"), later("parts_agreed", "yes_no")],
                }
            ]
        },
    )
    ticket = company.open(template="visit")

    with pytest.raises(InvalidInput) as refused:
        company.act(ticket.ticket_id, ticket.version, by="agent", values={"scene": "dark"})
    assert problems_of(refused.value) == {"photo": "field.photo_required"}
    assert where(company, ticket.ticket_id) == ("precheck", {})

    attach_photo(company, ticket.ticket_id)
    version = version_of(company, ticket.ticket_id)
    version = company.act(ticket.ticket_id, version, by="agent", values={"scene": "dark"}).version
    assert where(company, ticket.ticket_id) == ("diagnose", {"scene": "dark"})
    with pytest.raises(InvalidInput) as refused:
        company.act(ticket.ticket_id, version, by="agent", values={})
    assert problems_of(refused.value) == {"fault_place": "field.required"}
    version = company.act(ticket.ticket_id, version, by="agent", values={"fault_place": "fan"}).version
    assert where(company, ticket.ticket_id)[0] == "confirm"
    company.act(ticket.ticket_id, version, by="agent", values={"parts_agreed": True})
    assert where(company, ticket.ticket_id)[0] == ""


def attach_photo(company: Company, ticket_id: int) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "grey").save(picture, "JPEG")
    with reading() as connection:
        page = ticket_page(connection, viewer=company.actor("agent"), ticket_id=ticket_id, at=company.at)
    attach(
        actor=company.actor("agent"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=ticket_id,
        token_id=page.steps[0].token_id,
        filename="scene.jpg",
        content=picture.getvalue(),
    )


def version_of(company: Company, ticket_id: int) -> int:
    with reading() as connection:
        return ticket_page(
            connection, viewer=company.actor("agent"), ticket_id=ticket_id, at=company.at
        ).version


def where(company: Company, ticket_id: int) -> tuple[str, dict[str, Any]]:
    """The step a ticket stands at, and what it says."""
    with reading() as connection:
        page = ticket_page(connection, viewer=company.actor("agent"), ticket_id=ticket_id, at=company.at)
    node = page.steps[0].node_key if page.steps else ""
    return node, {field.key: field.value for field in page.fields}


def test_a_value_that_the_flow_sets_is_worked_into_the_formulas(company: Company) -> None:
    fee = {
        "key": "fee",
        "kind": "automatic",
        "stage": "onsite",
        "set": [{"field": "meter_reading", "value": 7}],
    }
    use_steps(company, step("look"), fee, definition=DEFINITION)
    ticket = company.open(template="visit", values={"meter_reading": "4", "source_channel": "fair"})
    assert where(company, ticket.ticket_id)[1]["double_reading"] == "8"

    company.act(ticket.ticket_id, ticket.version, by="agent", values={})

    assert where(company, ticket.ticket_id)[1]["double_reading"] == "14"


def test_a_gateway_right_behind_the_value_asks_for_what_the_formula_comes_to_now(company: Company) -> None:
    seven = [{"field": "meter_reading", "value": 7}]

    def way(source: str, target: str, **settings: Any) -> dict[str, Any]:
        return {
            "key": f"{source}-{target}",
            "kind": "forward",
            "source": source,
            "target": target,
            **settings,
        }

    rule = {"field": "double_reading", "operator": ">", "value": 10}
    use_steps(
        company,
        step("look"),
        {"key": "fee", "kind": "automatic", "stage": "onsite", "set": seven},
        {"key": "sort", "kind": "exclusive", "stage": "onsite"},
        step("dear"),
        step("cheap"),
        definition=DEFINITION,
        edges=[
            way("start", "look"),
            way("look", "fee"),
            way("fee", "sort"),
            way("sort", "dear", guard={"combinator": "and", "rules": [rule]}),
            way("sort", "cheap", default=True, order=1),
            way("dear", "end"),
            way("cheap", "end"),
        ],
    )
    ticket = company.open(template="visit", values={"meter_reading": "4", "source_channel": "fair"})

    company.act(ticket.ticket_id, ticket.version, by="agent", values={})

    node, values = where(company, ticket.ticket_id)
    assert (node, values["double_reading"]) == ("dear", "14")
    with reading() as connection:
        flow_version_id = connection.execute(
            sa.select(table(Ticket).c.flow_version_id).where(table(Ticket).c.id == ticket.ticket_id)
        ).scalar_one()
        bench = Bench.set_up(
            connection,
            org_id=company.org_id,
            draft=flow_reads.compiled(connection, flow_version_id),
            dwells=Dwells(),
            as_of=company.at + timedelta(hours=1),
        )
        (story,) = stories(
            connection,
            org_id=company.org_id,
            ticket_ids=[ticket.ticket_id],
            as_of=company.at + timedelta(hours=1),
        )
        base, _ = bench.play_both(story)
    assert is_faithful(story, base)


# TPL-07
def test_what_locks_is_chosen_once_and_only_read_from_then_on(company: Company) -> None:
    tiers = [{"value": value, "label": {"en": value}} for value in ("standard", "complex")]
    use_steps(
        company,
        step("quote", fields=[{"key": "tier", "required": True}]),
        step("bill", fields=[{"key": "tier", "required": True}, {"key": "remark"}]),
        definition={
            "sections": [
                {
                    "key": "money",
                    "fields": [later("tier", "choice", options=tiers, locks=True), later("remark")],
                }
            ]
        },
    )
    ticket = company.open(template="visit")
    version = company.act(ticket.ticket_id, ticket.version, by="agent", values={"tier": "complex"}).version

    with reading() as connection:
        page = ticket_page(
            connection, viewer=company.actor("agent"), ticket_id=ticket.ticket_id, at=company.at
        )
    assert {field.key: (field.value, field.writable) for field in page.steps[0].fields} == {
        "tier": ("complex", False),
        "remark": (None, True),
    }
    for value in ("standard", None):
        with pytest.raises(InvalidInput) as refused:
            company.act(ticket.ticket_id, version, by="agent", values={"tier": value})
        assert problems_of(refused.value) == {"tier": "field.locked"}
    company.act(ticket.ticket_id, version, by="agent", values={"remark": "billed"})
    assert where(company, ticket.ticket_id) == ("", {"tier": "complex", "remark": "billed"})


def tiers(*, complex_by: int) -> dict[str, Any]:
    options = [
        {"value": "standard", "label": {"en": "standard"}},
        {
            "value": "complex",
            "label": {"en": "complex"},
            "rates": {"rule_set": "worker_pay", "version": complex_by},
        },
    ]
    tier = later("tier", "choice", options=options, locks=True)
    return {"sections": [{"key": "money", "fields": [tier]}]}


def publish_later_rates(company: Company) -> int:
    """A second version of the rules of pay, in force years from now."""
    with transaction() as connection:
        of_pay = table(RuleSet).c.code == standard_rules.CODE
        first = connection.execute(
            sa.select(table(RuleSetVersion))
            .join(table(RuleSet), table(RuleSet).c.id == table(RuleSetVersion).c.rule_set_id)
            .where(of_pay)
        ).one()
        version_id = settlement_rules.save_draft(
            connection,
            actor=company.actor("manager"),
            rule_set_id=first.rule_set_id,
            rules=first.rules,
            effective_from=(company.at + timedelta(days=2_000)).date(),
        )
        settlement_rules.publish(
            connection,
            actor=company.actor("manager"),
            at=company.at,
            version_id=version_id,
            command_id="rates",
        )
        return version_id


# TPL-07
def test_an_option_is_settled_by_the_version_of_rates_it_stands_for_whatever_the_day(
    company: Company,
) -> None:
    bound = publish_later_rates(company)
    use_steps(
        company,
        step("quote", fields=[{"key": "tier", "required": True}], handler={"mode": "technician"}),
        {"key": "pay", "kind": "settle", "stage": "onsite", "segment": "main"},
        definition=tiers(complex_by=2),
    )

    settled = {}
    for tier in ("standard", "complex"):
        ticket = company.open(template="visit")
        company.act(ticket.ticket_id, ticket.version, by="tech_near", values={"tier": tier})
        with reading() as connection:
            settled[tier] = connection.execute(
                sa.select(table(Rating).c.rule_set_version_id, table(FactSnapshot).c.facts)
                .join(table(FactSnapshot), table(FactSnapshot).c.id == table(Rating).c.fact_snapshot_id)
                .where(
                    table(Rating).c.ticket_id == ticket.ticket_id,
                    table(Rating).c.purpose == Purpose.WORKER_PAY,
                )
            ).one()

    assert settled["complex"].rule_set_version_id == bound
    assert settled["complex"].facts["pinned_rules"] == "worker_pay:2"
    assert settled["standard"].rule_set_version_id != bound
    assert settled["standard"].facts["pinned_rules"] is None
    with reading() as connection:
        offered = rates.rate_versions(connection, company.actor("manager"))
    assert [(each.rule_set, each.version) for each in offered] == [
        ("customer_charge", 1),
        ("vendor_pay", 1),
        ("worker_pay", 2),
        ("worker_pay", 1),
    ]


# TPL-07
def test_an_option_cannot_stand_for_rates_that_were_never_published(company: Company) -> None:
    definition = tiers(complex_by=9)
    multi = later("also", "multi_choice", options=definition["sections"][0]["fields"][0]["options"])
    definition["sections"][0]["fields"].append(multi)
    draft = drafts.open_draft(actor=company.actor("manager"), at=company.at, code="visit")

    with reading() as connection:
        problems = publishing.problems_of(
            connection,
            company.actor("manager"),
            DraftKind.FORM,
            "visit",
            {**draft.document, "definition": definition},
        )
        with pytest.raises(Forbidden):
            rates.rate_versions(connection, company.actor("agent"))

    assert [(problem.path, problem.code) for problem in problems if "rate" in problem.code] == [
        ("fields.also.options", "template.rates_not_allowed"),
        ("fields.also.options", "template.rates_twice"),
        ("fields.tier.options", "template.unknown_rate_version"),
        ("fields.also.options", "template.unknown_rate_version"),
    ]


def test_a_customer_points_at_no_record_of_the_house(company: Company) -> None:
    approval = step("agree", fields=[{"key": "contact_person"}, {"key": "gift_code"}])
    use_steps(
        company, {**approval, "kind": "approval", "handler": {"mode": "customer"}}, definition=DEFINITION
    )
    values = {"meter_reading": "1", "source_channel": "web"}
    token = company.open(template="visit", values=values).tracking_token
    wish = {"token": token, "at": company.at, "signer_name": "Luo Xia", "strokes": "M 1 1 L 2 2"}

    with pytest.raises(InvalidInput) as refused:
        customer.accept(command_id="a1", values={"contact_person": 1}, **wish)
    assert problems_of(refused.value) == {"contact_person": "field.not_writable"}
    _, ticket = customer.customer_of(token)
    assert "contact_person" not in values_on_page(company, ticket.ticket_id, company.system)
    customer.accept(command_id="a2", values={"gift_code": "CUP"}, **wish)
    assert values_on_page(company, ticket.ticket_id, company.system)["gift_code"] == "CUP"
