"""Definitions as text: exported, imported again, carried to another company, and refused whole."""

import io
import zipfile
from datetime import datetime

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.access.tables import Org
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.tables import FlowVersion
from ticket_console.forms.tables import Template, TemplateVersion
from ticket_console.kernel.actor import Actor, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.packs.exchange import exporting, importing
from ticket_console.packs.exchange.definitions import Reference
from ticket_console.packs.exchange.importing import Change, Missing
from ticket_console.packs.exchange.parcels import ExchangeRefused, as_bundle, read_parcel
from ticket_console.people.tables import Skill
from ticket_console.settlement.tables import RuleSetVersion

REPAIR = Reference("flow", "repair")


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def second_company() -> Actor:
    """A company that has nothing yet."""
    with transaction() as conn:
        made = sa.insert(table(Org)).values(
            code="other",
            name={"zh": "另一家", "en": "Another"},
            tz="Asia/Shanghai",
            currency="CNY",
            version=1,
        )
        org_id = int(conn.execute(made.returning(table(Org).c.id)).scalar_one())
    return system_actor(org_id)


def everything(actor: Actor) -> bytes:
    with reading() as conn:
        return exporting.everything(conn, viewer=actor)


def repair_yaml(actor: Actor) -> str:
    with reading() as conn:
        return exporting.yaml_of(conn, viewer=actor, reference=REPAIR).decode()


def bring_in(
    actor: Actor, at: datetime, content: bytes | str, filename: str = "in.yaml"
) -> importing.Imported:
    content = content.encode() if isinstance(content, str) else content
    return importing.import_file(
        actor=actor, at=at, command_id="import:1", filename=filename, content=content
    )


def counts() -> list[int]:
    with reading() as conn:
        return [
            conn.execute(sa.select(sa.func.count()).select_from(table(each))).scalar_one()
            for each in (Template, TemplateVersion, FlowVersion, RuleSetVersion, Skill)
        ]


def test_what_is_exported_and_imported_again_changes_nothing(
    company: Company, at: datetime
) -> None:  # EXT-05
    content, before = everything(company.actor("manager")), counts()

    done = bring_in(company.actor("manager"), at, content)

    assert {item.change for item in done.items} == {Change.SAME}
    assert counts() == before
    assert everything(company.actor("manager")) == content


def test_a_company_that_has_nothing_gets_everything_and_exports_the_same_bytes(  # TPL-10, TPL-15
    company: Company, at: datetime
) -> None:
    other, content = second_company(), everything(company.actor("manager"))

    first = bring_in(other, at, content)
    after = counts()
    second = bring_in(other, at, content)

    assert {item.change for item in first.items} == {Change.NEW}
    assert {item.change for item in second.items} == {Change.SAME}
    assert counts() == after
    assert everything(other) == content


def test_a_process_travels_with_all_it_needs_and_can_be_used_there(company: Company, at: datetime) -> None:
    with reading() as conn:
        bundle = exporting.process_bundle(conn, viewer=company.actor("manager"), flow="repair")
    other = second_company()

    bring_in(other, at, bundle)

    kinds = {
        (piece.definition.kind, piece.definition.code) for piece in read_parcel(bundle, filename="b").pieces
    }
    assert {("flow", "repair"), ("form", "repair"), ("skill", "hvac")} <= kinds
    with reading() as conn:
        assert flow_reads.current_version(conn, other.org_id, "repair").number == 1
        form = exporting.definition(conn, other.org_id, Reference("form", "repair"))
    assert form is not None
    assert form.document["flow"] == "repair"


def test_a_preview_shows_the_change_line_by_line_and_writes_nothing(company: Company, at: datetime) -> None:
    manager = company.actor("manager")
    changed = repair_yaml(manager).replace("Repair on site", "Repair at the customer's")
    before = counts()

    shown = importing.preview(actor=manager, at=at, filename="repair.yaml", content=changed.encode())

    (item,) = shown.items
    assert item.change is Change.CHANGED
    assert [line for line in item.diff if line[0] in "+-"] == [
        "-      name: {zh: 上门维修, en: Repair on site}",
        "+      name: {zh: 上门维修, en: Repair at the customer's}",
    ]
    assert shown.is_possible
    assert counts() == before
    assert repair_yaml(manager) != changed


def test_a_changed_flow_becomes_a_new_version_once(company: Company, at: datetime) -> None:
    manager = company.actor("manager")
    changed = repair_yaml(manager).replace("Repair on site", "Repair at the customer's")

    first, second = bring_in(manager, at, changed), bring_in(manager, at, changed)

    assert [item.change for item in (*first.items, *second.items)] == [Change.CHANGED, Change.SAME]
    with reading() as conn:
        assert flow_reads.current_version(conn, company.org_id, "repair").number == 2


def test_what_a_room_refuses_is_named_with_file_line_and_path(company: Company, at: datetime) -> None:
    manager = company.actor("manager")
    text = repair_yaml(manager).replace("stage: onsite", "stage: nowhere", 1)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "nowhere" in each)
    before = counts()

    shown = importing.preview(actor=manager, at=at, filename="repair.yaml", content=text.encode())
    with pytest.raises(ExchangeRefused) as refused:
        bring_in(manager, at, text, "repair.yaml")

    (problem,) = refused.value.problems
    assert problem.code == "flow.unknown_stage"
    assert problem.path.startswith(f"repair.yaml:{line} graph.nodes[")
    assert problem.path.endswith("].stage")
    assert shown.problems == refused.value.problems
    assert not shown.is_possible
    assert counts() == before


def test_one_bad_file_keeps_the_whole_bundle_out(company: Company, at: datetime) -> None:
    with reading() as conn:
        good = exporting.definition(conn, company.org_id, Reference("form", "repair"))
        flow = exporting.definition(conn, company.org_id, REPAIR)
    assert good is not None
    assert flow is not None
    nodes = [node for node in flow.document["graph"]["nodes"] if node["key"] != "start"]
    bad = type(flow)("flow", "repair", {**flow.document, "graph": {**flow.document["graph"], "nodes": nodes}})
    other = second_company()
    before = counts()

    with pytest.raises(ExchangeRefused):
        bring_in(other, at, as_bundle([good, bad]), "b.zip")

    assert counts() == before


def test_what_is_missing_is_named_before_anything_is_written(company: Company, at: datetime) -> None:
    other, text = second_company(), repair_yaml(company.actor("manager"))
    before = counts()

    shown = importing.preview(actor=other, at=at, filename="repair.yaml", content=text.encode())

    assert Missing("skill", "hvac", "flow repair") in shown.missing
    assert not shown.is_possible
    with pytest.raises(ExchangeRefused):
        bring_in(other, at, text)
    assert counts() == before


def test_a_preview_that_no_longer_holds_is_refused(company: Company, at: datetime) -> None:
    manager = company.actor("manager")
    mine = repair_yaml(manager).replace("Repair on site", "Mine")
    shown = importing.preview(actor=manager, at=at, filename="r.yaml", content=mine.encode())
    bring_in(manager, at, repair_yaml(manager).replace("Repair on site", "Somebody else's"))

    with pytest.raises(importing.MovedMeanwhile):
        importing.import_file(
            actor=manager, at=at, command_id="c", filename="r.yaml", content=mine.encode(), token=shown.token
        )

    assert "Somebody else's" in repair_yaml(manager)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN, Role.FINANCE, Role.AGENT, Role.AUDITOR])
def test_who_does_not_design_neither_exports_nor_imports(company: Company, at: datetime, role: Role) -> None:
    text = repair_yaml(company.actor("manager"))
    somebody = Actor(
        kind=company.actor("manager").kind,
        org_id=company.org_id,
        display="x",
        user_id=99,
        grants=(Grant(role, Scope.ORG),),
    )

    with pytest.raises(Forbidden):
        repair_yaml(somebody)
    with pytest.raises(Forbidden):
        everything(somebody)
    with pytest.raises(Forbidden):
        bring_in(somebody, at, text)
    with pytest.raises(Forbidden):
        importing.preview(actor=somebody, at=at, filename="x", content=text.encode())


def test_a_bundle_says_what_it_holds(company: Company) -> None:
    with zipfile.ZipFile(io.BytesIO(everything(company.actor("manager")))) as archive:
        manifest = archive.read("manifest.yaml").decode()

    assert "path: flows/repair.yaml" in manifest
    assert {name.split("/")[0] for name in archive.namelist()} == {
        "manifest.yaml", "flows", "forms", "rule_books", "rule_sets", "skills"
    }  # fmt: skip
