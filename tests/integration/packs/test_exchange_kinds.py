"""Calendars, overrides, golden tickets and trigger rules travel with what they belong to."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.packs.test_exchange import REPAIR, bring_in, counts, repair_yaml, second_company
from ticket_console.access.tables import AuditEntry
from ticket_console.clocks.business_time import BusinessTime
from ticket_console.clocks.calendars import business_time, publish_calendar
from ticket_console.desk import golden, publishing
from ticket_console.flows import reads as flow_reads
from ticket_console.forms.overrides import overrides_of, put_override
from ticket_console.forms.tables import DraftKind, OverrideScope
from ticket_console.intake import rule_book
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.packs.exchange import exporting, importing
from ticket_console.packs.exchange.definitions import Definition, Reference
from ticket_console.packs.exchange.importing import Change, Missing
from ticket_console.packs.exchange.parcels import ExchangeRefused, as_bundle, as_yaml, read_parcel

OFFICE = Reference("calendar", "office")
RULES = Reference("rule_book", "intake")
TEST = "hvac is accepted"
DAY = ((540, 720), (810, 1080))
NO_TEST = {"name": "x", "ticket": "y", "story": {}, "expected": {}}
REMOTE = {"fields": {"category": {"label": {"zh": "品类", "en": "Kind of device"}}}}


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    """A company that has one of everything."""
    company = found_company(at)
    manager = company.actor("manager")
    with transaction() as connection:
        publish_calendar(
            connection,
            actor=manager,
            at=at,
            code="office",
            name={"zh": "上班时间", "en": "Office hours"},
            hours=BusinessTime("Asia/Shanghai", dict.fromkeys(range(5), DAY), {date(2026, 10, 1): ()}),
        )
    opened = company.open()
    company.act(opened.ticket_id, opened.version, by="tech_near", at=at + timedelta(minutes=10))
    golden.save_as_test(actor=manager, at=at + timedelta(hours=1), ticket_id=opened.ticket_id, name=TEST)
    for code, active in (("lifts", True), ("rest", False)):
        rule = rule_book.publish_rule(
            actor=manager,
            at=at,
            command_id=f"rule:{code}",
            code=code,
            content={
                "name": {"zh": code, "en": code},
                "when": {
                    "combinator": "and",
                    "rules": [{"field": "text", "operator": "contains", "value": code}],
                },
                "template": "repair",
            },
            expected_version=None,
        )
        rule_book.set_active(
            actor=manager,
            at=at,
            command_id=f"rest:{code}",
            code=code,
            active=active,
            expected_version=rule.version,
        )
    with transaction() as connection:
        put_override(
            connection,
            actor=manager,
            at=at,
            command_id="override",
            code="repair",
            scope=OverrideScope.LINE,
            ref=line_of(company),
            patch=REMOTE,
            expected_version=0,
        )
    return company


def line_of(company: Company) -> str:
    with reading() as connection:
        form = exporting.definition(connection, company.org_id, Reference("form", "repair"))
    assert form is not None
    return str(form.document["business_line"])


def in_use(actor: Actor, reference: Reference) -> Definition:
    with reading() as connection:
        found = exporting.definition(connection, actor.org_id, reference)
    assert found is not None
    return found


def everything(actor: Actor) -> bytes:
    with reading() as connection:
        return exporting.everything(connection, viewer=actor)


def on_the_calendar(flow: Definition) -> Definition:
    """The flow with a timeout that counts office hours on the first step a person does."""
    graph: dict[str, Any] = dict(flow.document["graph"])
    task = next(node["key"] for node in graph["nodes"] if node["kind"] == "task")
    end = next(node["key"] for node in graph["nodes"] if node["kind"] == "end")
    timeout = {
        "key": "too_late", "kind": "timeout", "source": task, "target": end, "order": 9,
        "name": {"zh": "超时", "en": "Too late"}, "after_seconds": 3600, "calendar": "office",
    }  # fmt: skip
    return Definition(
        "flow", flow.code, {**flow.document, "graph": {**graph, "edges": [*graph["edges"], timeout]}}
    )


def swapped(flow: Definition) -> Definition:
    """The flow with the branches by trade leading to each other's technicians."""
    graph: dict[str, Any] = dict(flow.document["graph"])
    other = {"accept_hvac": "accept_appliance", "accept_appliance": "accept_hvac"}
    edges = [
        {**edge, "target": other[edge["target"]]}
        if edge["source"] == "trade" and edge["target"] in other
        else edge
        for edge in graph["edges"]
    ]
    return Definition("flow", flow.code, {**flow.document, "graph": {**graph, "edges": edges}})


def test_all_of_it_is_exported_and_another_company_exports_the_same_bytes(  # EXT-05, TPL-10
    company: Company, at: datetime
) -> None:
    other, content = second_company(), everything(company.actor("manager"))

    first = bring_in(other, at, content)
    second = bring_in(other, at, content)

    kinds = {item.kind for item in first.items}
    assert kinds >= {"calendar", "override", "golden_ticket", "rule_book"}
    assert {item.change for item in first.items} == {Change.NEW}
    assert {item.change for item in second.items} == {Change.SAME}
    assert everything(other) == content
    with reading() as connection:
        hours = business_time(connection, other.org_id, "office")
        assert hours == business_time(connection, company.org_id, "office")
        rules = rule_book.trigger_rules(connection, other.org_id)
        (override,) = overrides_of(connection, viewer=other, code="repair")
    mine = [(rule.code, rule.is_active) for rule in rules if rule.code in ("lifts", "rest")]
    assert mine == [("lifts", True), ("rest", False)]
    assert (override.scope, override.patch) == (OverrideScope.LINE, REMOTE)
    assert [test.name for test in golden.suite(actor=other, code="repair")] == [TEST]
    assert [result.passed for result in golden.run_current(actor=other, code="repair")] == [True]


def test_every_step_of_an_import_is_noted_under_an_id_that_fits(company: Company, at: datetime) -> None:
    other, content = second_company(), everything(company.actor("manager"))

    importing.import_file(actor=other, at=at, command_id="i" * 64, filename="all.zip", content=content)

    notes = table(AuditEntry)
    with reading() as connection:
        of_other = sa.select(notes.c.command_id).where(notes.c.org_id == other.org_id)
        ids = list(connection.execute(of_other).scalars())
    assert len(ids) > 3
    assert max(map(len, ids)) == 64


def test_what_is_brought_stands_in_the_book_of_publications(company: Company, at: datetime) -> None:  # TPL-10
    manager = company.actor("manager")
    flow = in_use(manager, REPAIR)
    renamed = Definition("flow", "repair", {**flow.document, "name": {"zh": "修", "en": "Mending"}})

    bring_in(manager, at, as_yaml(renamed), filename="mending.yaml")
    bring_in(manager, at, as_yaml(renamed), filename="again.yaml")

    newest = publishing.versions(actor=manager, kind=DraftKind.FLOW, code="repair")[0]
    (line,) = newest.publications
    assert (line.actor_name, line.note, line.version_id) == (
        manager.display,
        "mending.yaml",
        newest.version_id,
    )
    assert (newest.is_current, newest.note) == (True, "mending.yaml")


def test_importing_ones_own_export_changes_nothing(company: Company, at: datetime) -> None:
    manager = company.actor("manager")
    content = everything(manager)

    done = bring_in(manager, at, content)

    assert {item.change for item in done.items} == {Change.SAME}
    assert everything(manager) == content


def test_a_process_carries_its_calendar_and_its_golden_tickets(company: Company, at: datetime) -> None:
    manager, other = company.actor("manager"), second_company()
    bring_in(manager, at, as_bundle([on_the_calendar(in_use(manager, REPAIR))]))
    with reading() as connection:
        bundle = exporting.process_bundle(connection, viewer=manager, flow="repair")

    bring_in(other, at, bundle)

    held = {(each.definition.kind, each.definition.code) for each in read_parcel(bundle, filename="b").pieces}
    assert {("calendar", "office"), ("golden_ticket", "repair"), ("flow", "repair")} <= held
    assert in_use(other, OFFICE).hash == in_use(manager, OFFICE).hash
    with reading() as connection:
        assert exporting.process_bundle(connection, viewer=other, flow="repair") == bundle


def test_a_calendar_that_is_not_there_is_named(company: Company, at: datetime) -> None:
    manager, other = company.actor("manager"), second_company()
    flow = as_bundle([on_the_calendar(in_use(manager, REPAIR))])

    shown = importing.preview(actor=other, at=at, filename="b.zip", content=flow)

    assert Missing("calendar", "office", "flow repair") in shown.missing
    assert not shown.is_possible


def test_a_flow_that_breaks_a_golden_ticket_is_refused_naming_it(  # FLW-16
    company: Company, at: datetime
) -> None:
    manager = company.actor("manager")
    content, before = as_bundle([swapped(in_use(manager, REPAIR))]), (repair_yaml(manager), counts())

    shown = importing.preview(actor=manager, at=at, filename="b.zip", content=content)
    with pytest.raises(ExchangeRefused) as refused:
        bring_in(manager, at, content)

    (failing,) = shown.failing
    assert (failing.flow, failing.result.name) == ("repair", TEST)
    assert [(each.path, each.code) for each in refused.value.problems] == [
        (f"repair: {TEST}", "golden.differs")
    ]
    assert (repair_yaml(manager), counts()) == before


@pytest.mark.parametrize(
    "accepted",
    [{"repair": {TEST: " "}}, {"repair": {TEST: "meant", "another": "meant"}}, {"care": {TEST: "x"}}],
)
def test_only_that_test_can_be_accepted_and_only_with_a_reason(
    company: Company, at: datetime, accepted: dict[str, dict[str, str]]
) -> None:
    manager = company.actor("manager")
    content, before = as_bundle([swapped(in_use(manager, REPAIR))]), counts()

    with pytest.raises(ExchangeRefused):
        importing.import_file(
            actor=manager, at=at, command_id="c", filename="b.zip", content=content, accepted=accepted
        )

    assert counts() == before


def test_a_golden_ticket_may_go_another_way_where_somebody_says_why(company: Company, at: datetime) -> None:
    manager = company.actor("manager")
    content = as_bundle([swapped(in_use(manager, REPAIR))])
    token = importing.preview(actor=manager, at=at, filename="b.zip", content=content).token

    importing.import_file(
        actor=manager,
        at=at,
        command_id="c",
        filename="b.zip",
        content=content,
        token=token,
        accepted={"repair": {TEST: "appliances are theirs now"}},
    )

    (test,) = golden.suite(actor=manager, code="repair")
    assert test.accepted is not None
    assert test.accepted["reason"] == "appliances are theirs now"
    assert [result.passed for result in golden.run_current(actor=manager, code="repair")] == [True]
    with reading() as connection:
        assert flow_reads.current_version(connection, company.org_id, "repair").number == 2


def test_a_golden_ticket_that_is_brought_has_to_pass_as_well(company: Company, at: datetime) -> None:
    manager, other = company.actor("manager"), second_company()
    with reading() as connection:
        bundle = exporting.process_bundle(connection, viewer=manager, flow="repair")
    pieces = [each.definition for each in read_parcel(bundle, filename="b.zip").pieces]
    broken = as_bundle([swapped(each) if each.reference == REPAIR else each for each in pieces])
    before = counts()

    with pytest.raises(ExchangeRefused) as refused:
        bring_in(other, at, broken)

    assert [each.path for each in refused.value.problems] == [f"repair: {TEST}"]
    assert counts() == before


def test_the_rules_of_a_file_come_first_and_others_stay_behind_them(company: Company, at: datetime) -> None:
    manager = company.actor("manager")
    book = in_use(manager, RULES)
    codes = [rule["code"] for rule in book.document["rules"]]
    mine = [{**rule, "active": True} for rule in book.document["rules"] if rule["code"] == "rest"]

    bring_in(manager, at, as_bundle([Definition("rule_book", "intake", {"rules": mine})]))

    rules = in_use(manager, RULES).document["rules"]
    assert [rule["code"] for rule in rules] == ["rest", *(code for code in codes if code != "rest")]
    assert "active" not in rules[0]


def test_a_preview_of_a_rule_leaves_nothing_behind(company: Company, at: datetime) -> None:
    """Ids of a preview are given out again; what was read under them then must not be remembered."""
    manager = company.actor("manager")
    rule = in_use(manager, RULES).document["rules"][-1]

    def file(word: str) -> bytes:
        when = {"combinator": "and", "rules": [{"field": "text", "operator": "contains", "value": word}]}
        return as_bundle([Definition("rule_book", "intake", {"rules": [{**rule, "when": when}]})])

    importing.preview(actor=manager, at=at, filename="b.zip", content=file("seen only"))
    bring_in(manager, at, file("kept"), "b.zip")

    assert in_use(manager, RULES).document["rules"][0]["when"]["rules"][0]["value"] == "kept"


def of_kind(kind: str, **document: Any) -> Callable[[str], bytes]:
    return lambda code: as_bundle([Definition(kind, code, document)])


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        (of_kind("calendar", name={"en": "x"}, tz="Mars/North", week={})("c"), ["tz"]),
        (
            of_kind("calendar", name={"en": "x"}, tz="UTC", week={"mon": ["18:00-09:00"], "one": []})("c"),
            ["week.mon", "week.one"],
        ),
        (of_kind("calendar", name={"en": "x"}, tz="UTC", days={"2026-02-30": []})("c"), ["days.2026-02-30"]),
        (
            of_kind("override", layers=[{"scope": "line", "ref": "x", "patch": {"colour": 1}}])("repair"),
            ["layers[0].patch.colour"],
        ),
        (
            of_kind("override", layers=[{"scope": "region", "ref": "nowhere", "patch": REMOTE}])("repair"),
            ["layers[0].ref"],
        ),
        (of_kind("golden_ticket", tests=[NO_TEST])("repair"), ["tests[0]"]),
        (of_kind("rule_book", rules=[{"code": "Bad"}])("intake"), ["rules[0].code"]),
        (of_kind("rule_book", rules=[])("another"), ["code"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place_and_nothing_is_written(
    company: Company, at: datetime, content: bytes, paths: list[str]
) -> None:
    manager = company.actor("manager")
    before = everything(manager)

    with pytest.raises(ExchangeRefused) as refused:
        bring_in(manager, at, content, "b.zip")

    assert [each.path.split(" ")[-1] for each in refused.value.problems] == paths
    assert everything(manager) == before


@pytest.mark.parametrize("number", [1, 9])
def test_a_form_with_rates_brings_the_rules_they_are_of_and_never_agrees_on_unpublished_ones(
    company: Company, at: datetime, number: int
) -> None:  # TPL-07
    manager, form = company.actor("manager"), Reference("form", "repair")
    with reading() as connection:
        found = exporting.definition(connection, company.org_id, form)
    assert found is not None
    document = dict(found.document)
    fields = [field for section in document["definition"]["sections"] for field in section["fields"]]
    option = next(field for field in fields if field.get("options"))["options"][0]
    option["rates"] = {"rule_set": "worker_pay", "version": number}
    changed, before = as_yaml(Definition("form", "repair", document)).decode(), counts()

    if number == 1:
        bring_in(manager, at, changed)
        with reading() as connection:
            bundle = exporting.process_bundle(connection, viewer=manager, flow="repair")
        assert ("rule_set", "worker_pay") in {
            (piece.definition.kind, piece.definition.code)
            for piece in read_parcel(bundle, filename="b").pieces
        }
    else:
        with pytest.raises(ExchangeRefused) as refused:
            bring_in(manager, at, changed)
        assert [problem.code for problem in refused.value.problems] == ["template.unknown_rate_version"]
        assert counts() == before
