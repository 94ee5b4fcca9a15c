"""Flows and templates: published once, never changed, and found again by every ticket that follows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from tests.builders.flows import is_equal, make_edge, make_graph, make_node
from tests.fixtures.databases import Database
from ticket_console.access.tables import Org
from ticket_console.flows import publishing, reads
from ticket_console.flows.elements import Edge, FieldUse, Node
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph, content_hash, graph_json
from ticket_console.flows.reads import FlowNotFound, FlowVersionView
from ticket_console.flows.tables import FlowVersion
from ticket_console.forms import publishing as form_publishing
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import InvalidDefinition
from ticket_console.forms.publishing import PublishedVersion, TemplateFace
from ticket_console.forms.reads import TemplateNotFound, TemplateWithoutFlow
from ticket_console.forms.tables import TemplateVersion, VersionStatus
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden

ORG = 1
NAME = {"zh": "维修", "en": "Repair"}
FACE = TemplateFace(name=NAME, business_line="field", ticket_class="repair", keywords=("leak",))
FIELDS: dict[str, Any] = {
    "sections": [{"key": "main", "fields": [{"key": "symptom", "kind": "text", "label": {"en": "Symptom"}}]}]
}
MORE_FIELDS: dict[str, Any] = {
    "sections": [
        {
            "key": "main",
            "fields": [
                {"key": "symptom", "kind": "text", "label": {"en": "What is wrong"}},
                {"key": "level", "kind": "number", "label": {"en": "Level"}},
            ],
        }
    ]
}


def an_actor(role: Role) -> Actor:
    return Actor(
        kind=ActorKind.USER, org_id=ORG, display=role.value, user_id=1, grants=(Grant(role, Scope.ORG),)
    )


MANAGER = an_actor(Role.MANAGER)


def a_graph(weight: int = 1, *more: Node | Edge) -> Graph:
    return make_graph(
        make_node("triage", "task", weight=weight, fields=(FieldUse("symptom", required=True),)),
        make_edge("start", "triage"),
        make_edge("triage", "end"),
        *more,
    )


@pytest.fixture(autouse=True)
def organisation(database: Database) -> None:
    with transaction() as conn:
        conn.execute(
            sa.insert(table(Org)).values(id=ORG, code="acme", name=NAME, tz="UTC", currency="CNY", version=1)
        )


@pytest.fixture
def publish_template(at: datetime) -> Callable[..., PublishedVersion]:
    def publish(definition: dict[str, Any] = FIELDS, **changes: Any) -> PublishedVersion:
        wanted: dict[str, Any] = {"actor": MANAGER, "at": at, "code": "repair", "face": FACE}
        with transaction() as conn:
            return form_publishing.publish_template(conn, definition=definition, **wanted | changes)

    return publish


@pytest.fixture
def publish_flow(
    at: datetime, publish_template: Callable[..., PublishedVersion]
) -> Callable[..., FlowVersionView]:
    publish_template()

    def publish(graph: Any, **changes: Any) -> FlowVersionView:
        wanted: dict[str, Any] = {"actor": MANAGER, "at": at, "code": "repair", "name": NAME}
        with transaction() as conn:
            return publishing.publish_flow(conn, graph=graph, **wanted | changes)

    return publish


def versions(conn: Connection) -> list[tuple[int, VersionStatus, bool]]:
    return [(view.number, view.status, view.is_current) for view in reads.versions_of(conn, ORG, "repair")]


def test_a_published_flow_is_read_back_as_the_graph_it_was(publish_flow, at: datetime) -> None:
    published = publish_flow(graph_json(a_graph()))

    with reading() as conn:
        assert reads.compiled(conn, published.id) == a_graph()
        assert reads.compiled(conn, published.id) is reads.compiled(conn, published.id)
        assert reads.current_version(conn, ORG, "repair") == published
        assert reads.current_graphs(conn, ORG) == (a_graph(),)
    assert published.content_hash == content_hash(a_graph())
    assert (published.number, published.published_at, published.is_current) == (1, at, True)


def test_the_same_content_is_the_same_version(publish_flow) -> None:
    first = publish_flow(a_graph())
    again = publish_flow(graph_json(a_graph()))

    assert again == first


def test_a_change_is_a_new_version_and_the_old_one_stays_readable(publish_flow) -> None:  # FLW-20
    old = publish_flow(a_graph(1))
    new = publish_flow(a_graph(2))

    with reading() as conn:
        assert reads.compiled(conn, old.id).node_by_key["triage"].weight == 1
        assert reads.compiled(conn, new.id).node_by_key["triage"].weight == 2
        assert versions(conn) == [(2, VersionStatus.PUBLISHED, True), (1, VersionStatus.RETIRED, False)]


def test_going_back_to_an_earlier_content_takes_up_its_version_again(publish_flow) -> None:
    old = publish_flow(a_graph(1))
    publish_flow(a_graph(2))

    assert publish_flow(a_graph(1)).id == old.id
    with reading() as conn:
        assert versions(conn) == [(2, VersionStatus.RETIRED, False), (1, VersionStatus.PUBLISHED, True)]


def test_a_flow_with_problems_is_refused_and_nothing_is_kept(publish_flow) -> None:
    with pytest.raises(InvalidGraph) as caught:
        publish_flow(a_graph(1, make_node("island", "task"), make_edge("island", "end")))

    assert [problem.code for problem in caught.value.problems] == ["flow.unreachable"]
    with reading() as conn, pytest.raises(FlowNotFound):
        reads.current_version(conn, ORG, "repair")


def test_a_flow_may_only_use_fields_that_were_defined(publish_flow) -> None:
    guarded = make_node("visit", "task", fields=(FieldUse("cause"),))
    with pytest.raises(InvalidGraph) as caught:
        publish_flow(
            a_graph(
                1,
                guarded,
                make_edge("triage", "visit", guard=is_equal("colour", "red")),
                make_edge("visit", "end"),
            )
        )

    assert [(problem.path, problem.code) for problem in caught.value.problems] == [
        ("nodes.visit.fields", "flow.unknown_field"),
        ("edges.triage-visit.guard.rules[0].field", "condition.unknown_field"),
    ]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MANAGER])
def test_only_managers_publish(publish_flow, publish_template, role: Role) -> None:
    with pytest.raises(Forbidden):
        publish_flow(a_graph(), actor=an_actor(role))
    with pytest.raises(Forbidden):
        publish_template(MORE_FIELDS, actor=an_actor(role))

    with reading() as conn:
        assert versions(conn) == []
        assert form_reads.field_kinds(conn, ORG) == {"symptom": "text"}


def test_tickets_open_on_the_newest_versions_of_template_and_flow(publish_flow, publish_template) -> None:
    first = publish_flow(a_graph(1))
    with transaction() as conn:
        form_publishing.use_flow(
            conn, actor=MANAGER, code="repair", flow_id=first.flow_id, flow_version_id=first.id
        )
    newer_flow = publish_flow(a_graph(2))
    newer_form = publish_template(MORE_FIELDS)

    with reading() as conn:
        template = form_reads.template_by_code(conn, ORG, "repair")
        assert form_reads.published_templates(conn, ORG) == (template,)
    assert template.flow_version_id == newer_flow.id
    assert template.template_version_id == newer_form.template_version_id
    assert list(template.definition.field_by_key) == ["symptom", "level"]
    assert (template.name, template.ticket_class, template.keywords) == (NAME, "repair", ("leak",))


def test_a_template_keeps_the_flow_version_it_was_pinned_to(publish_flow, publish_template) -> None:
    pinned = publish_flow(a_graph(1))
    publish_template(flow_version_id=pinned.id)
    publish_flow(a_graph(2))

    with reading() as conn:
        assert form_reads.template_by_code(conn, ORG, "repair").flow_version_id == pinned.id


def test_an_earlier_form_stays_readable_for_its_tickets(publish_template) -> None:
    old = publish_template()
    new = publish_template(MORE_FIELDS)

    assert (old.number, new.number) == (1, 2)
    assert publish_template(MORE_FIELDS).is_new is False
    with reading() as conn:
        assert form_reads.template_version(conn, old.template_version_id).definition.fields[0].label == {
            "en": "Symptom"
        }
        assert form_reads.field_labels(conn, ORG) == {
            "symptom": {"en": "What is wrong"},
            "level": {"en": "Level"},
        }


def test_a_template_without_a_flow_opens_no_tickets(publish_template) -> None:
    publish_template()

    with reading() as conn:
        assert form_reads.published_templates(conn, ORG) == ()
        with pytest.raises(TemplateWithoutFlow):
            form_reads.template_by_code(conn, ORG, "repair")
        with pytest.raises(TemplateNotFound):
            form_reads.template_by_code(conn, ORG, "unknown")


def test_a_field_never_changes_its_kind(publish_template) -> None:
    publish_template()
    number = {
        "sections": [{"key": "m", "fields": [{"key": "symptom", "kind": "number", "label": {"en": "S"}}]}]
    }

    with pytest.raises(InvalidDefinition) as caught:
        publish_template(number, code="other")

    assert [problem.code for problem in caught.value.problems] == ["template.field_kind_fixed"]
    with reading() as conn:
        assert form_reads.field_kinds(conn, ORG) == {"symptom": "text"}


@pytest.mark.parametrize(
    "change",
    [
        sa.update(table(FlowVersion)).values(graph={}),
        sa.update(table(FlowVersion)).values(content_hash="0" * 64),
        sa.update(table(FlowVersion)).values(status=VersionStatus.DRAFT),
        sa.delete(table(FlowVersion)),
        sa.update(table(TemplateVersion)).values(definition={}),
        sa.update(table(TemplateVersion)).values(status=VersionStatus.DRAFT),
    ],
    ids=str,
)
def test_the_database_itself_refuses_to_change_a_published_version(publish_flow, change: Any) -> None:
    published = publish_flow(a_graph())

    with pytest.raises(DBAPIError, match="never changes"), transaction() as conn:
        conn.execute(change)

    with reading() as conn:
        assert reads.version_view(conn, published.id) == published


def test_a_version_of_a_transaction_that_was_rolled_back_is_not_remembered(
    publish_flow, at: datetime
) -> None:
    def publish_and_fail() -> None:
        with transaction() as conn:
            undone = publishing.publish_flow(
                conn, actor=MANAGER, at=at, code="repair", name=NAME, graph=a_graph(1)
            )
            reads.compiled(conn, undone.id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        publish_and_fail()

    kept = publish_flow(a_graph(2))

    with reading() as conn:
        assert reads.compiled(conn, kept.id).node_by_key["triage"].weight == 2
