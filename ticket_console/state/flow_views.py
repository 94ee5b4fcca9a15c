"""What the flow designer's browser is told: words to choose from, what is wrong, a step as a role sees it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import places, projection
from ticket_console.clocks import calendars
from ticket_console.desk.page import field_table
from ticket_console.desk.steps import may_act, writable_fields
from ticket_console.flows import drafts, in_use
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HANDLED_KINDS, Act, Handler, HandlerMode, Node
from ticket_console.flows.graph import Graph
from ticket_console.flows.validation import TICKET_FACTS, graph_problems, graph_warnings
from ticket_console.flows.vocabulary import Vocabulary, vocabulary
from ticket_console.forms import reads as form_reads
from ticket_console.forms.draft_log import DraftView, GestureView
from ticket_console.forms.reads import PublishedTemplate
from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.documents import Document
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES
from ticket_console.people import reads as people
from ticket_console.stock import reads as stock
from ticket_console.tickets.tables import OwnerKind

Plain = dict[str, Any]

CUSTOMER: Final = "customer"
# What may be asked about besides the fields, as kinds of fields that compare alike.
_FACT_KINDS: Final = {
    "priority": "number",
    "urgency": "number",
    "impact": "number",
    "returns": "number",
    "vip": "yes_no",
}
_OWNERS: Final = {
    HandlerMode.TECHNICIAN: OwnerKind.TECHNICIAN,
    HandlerMode.QUEUE: OwnerKind.QUEUE,
    HandlerMode.CUSTOMER: OwnerKind.CUSTOMER,
    HandlerMode.SYSTEM: OwnerKind.SYSTEM,
}
_SOMEBODY: Final = 1


def words(connection: Connection, *, viewer: Actor, code: str) -> Plain:
    """Everything the inspector lets choose from, each as value and label."""
    templates = form_reads.published_templates(connection, viewer.org_id)
    fields = _fields(templates)
    following = _following(connection, viewer.org_id, code)
    own = {key for each in following for key in each.definition.field_by_key}
    return {
        "fields": list(fields.values()),
        "own": sorted(own),
        "conditions": [*_facts(), *fields.values()],
        "skills": [
            {"value": each.code, "label": each.name} for each in people.skills(connection, viewer.org_id)
        ],
        "parts": [{"value": each.sku, "label": each.name} for each in stock.parts(connection, viewer)],
        "templates": [{"value": each.code, "label": each.name} for each in templates],
        "flows": [
            {"value": each, "label": in_use.drawn(connection, viewer.org_id, each).name}
            for each in in_use.codes(connection, viewer.org_id)
            if each != code
        ],
        "calendars": [
            {"value": each.code, "label": each.name}
            for each in calendars.calendars_of(connection, viewer.org_id).values()
        ],
        "acts": [act.value for act in Act],
    }


def _fields(templates: Iterable[PublishedTemplate]) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for template in templates:
        for key, spec in template.definition.field_by_key.items():
            found.setdefault(
                key,
                {
                    "value": key,
                    "label": spec.label,
                    "kind": spec.kind.value,
                    "sensitivity": spec.sensitivity.value,
                    "options": [{"value": option.value, "label": option.label} for option in spec.options],
                },
            )
    return found


def _facts() -> list[Plain]:
    return [
        {
            "value": fact,
            "label": {locale: translate(f"flow_designer.fact.{fact}", locale) for locale in LOCALES},
            "kind": _FACT_KINDS.get(fact, "text"),
            "options": [],
        }
        for fact in sorted(TICKET_FACTS)
    ]


def _following(connection: Connection, org_id: int, code: str) -> list[PublishedTemplate]:
    """The templates whose tickets follow this flow."""
    versions = {each.id for each in flow_reads.versions_of(connection, org_id, code)}
    templates = form_reads.published_templates(connection, org_id)
    return [each for each in templates if each.flow_version_id in versions]


def opened(draft: DraftView, others: Iterable[Any]) -> Plain:
    """A draft as the browser takes it: once, whenever it is opened or has moved elsewhere."""
    return {
        "draft_id": draft.id,
        "seq": draft.seq,
        "code": draft.code,
        "document": draft.document,
        "past": [_gesture(each) for each in draft.gestures],
        "others": [
            {"id": each.id, "author": each.author_name, "seq": each.seq}
            for each in others
            if not each.is_mine and each.has_changes
        ],
        "is_behind": draft.is_behind,
    }


def _gesture(gesture: GestureView) -> Plain:
    return {
        "seq": gesture.seq,
        "id": gesture.id,
        "label": gesture.label,
        "params": dict(gesture.label_params),
        "ops": list(gesture.ops),
        "inverse": list(gesture.inverse),
        "author": gesture.author_name,
        "at": instant_text(gesture.at),
    }


def checked(connection: Connection, *, viewer: Actor, code: str, document: Document) -> list[Plain]:
    """Everything wrong with a draft, and what is probably not meant; `tone` tells one from the other."""
    graph = drafts.graph_of(document)
    following = _following(connection, viewer.org_id, code)
    problems = graph_problems(
        graph,
        field_keys=form_reads.field_kinds(connection, viewer.org_id).keys(),
        opening={spec.key for each in following for spec in each.definition.at_opening}
        if following
        else None,
        calendars=calendars.calendars_of(connection, viewer.org_id).keys(),
    )
    return [
        *(problem(each, "danger") for each in problems),
        *(problem(each, "warn") for each in graph_warnings(graph, known=_known(connection, viewer.org_id))),
    ]


def _known(connection: Connection, org_id: int) -> Vocabulary:
    """The fields of all forms in use: a flow may be followed by any of them."""
    templates = form_reads.published_templates(connection, org_id)
    fields = (each for template in templates for each in _fields([template]).values())
    return vocabulary([*_facts(), *fields], zone=places.org(connection, org_id).tz)


def problem(found: FieldProblem, tone: str) -> Plain:
    return {"path": found.path, "code": found.code, "params": dict(found.params), "tone": tone}


def step_as(
    connection: Connection,
    *,
    viewer: Actor,
    code: str,
    document: Document,
    node_key: str,
    role: str,
    template: str,
) -> Plain:
    """A step of a draft as a role would see it, through the very projection that real tickets go through."""
    following = _following(connection, viewer.org_id, code) or list(
        form_reads.published_templates(connection, viewer.org_id)
    )
    graph = drafts.graph_of(document)
    node = graph.node_by_key.get(node_key)
    shown = next((each for each in following if each.code == template), following[0] if following else None)
    told: Plain = {
        "node": node_key,
        "role": role,
        "fields": [],
        "sees": [],
        "acts": [],
        "hidden": 0,
        "templates": [],
    }
    if node is None or shown is None or role not in {CUSTOMER, *(each.value for each in Role)}:
        return told
    actor = _somebody(viewer.org_id, role)
    definition = shown.definition
    acts = _acts(actor, node, graph)
    writable = writable_fields(actor, definition, node) if Act.COMPLETE in acts else frozenset()
    access = projection.visible_fields(
        actor,
        [(key, spec.sensitivity) for key, spec in definition.field_by_key.items()],
        field_table(node),
    )
    return {
        **told,
        "template": shown.code,
        "templates": [{"value": each.code, "label": each.name} for each in following],
        "acts": [act.value for act in Act if act in acts],
        "fields": [
            {
                "key": spec.key,
                "label": spec.label,
                "help": spec.help,
                "kind": spec.kind.value,
                "required": use.required,
                "writable": True,
                "value": None,
                "options": [{"value": option.value, "label": option.label} for option in spec.options],
            }
            for use in node.fields
            if use.key in writable
            for spec in [definition.field_by_key[use.key]]
        ],
        "sees": [
            {"key": key, "label": spec.label, "level": "write" if key in writable else "read"}
            for key, spec in definition.field_by_key.items()
            if key in access.read
        ],
        "hidden": len(definition.field_by_key) - len(access.read),
    }


def _somebody(org_id: int, role: str) -> Actor:
    if role == CUSTOMER:
        return Actor(kind=ActorKind.CUSTOMER, org_id=org_id, display="", ticket_id=_SOMEBODY)
    technician = _SOMEBODY if role == Role.TECHNICIAN else None
    grants = (Grant(Role(role), Scope.ORG),)
    return Actor(kind=ActorKind.USER, org_id=org_id, display="", technician_id=technician, grants=grants)


def _acts(actor: Actor, node: Node, graph: Graph) -> frozenset[Act]:
    """What somebody of the role may do at the step when it is theirs or waits for their role."""
    if node.kind not in HANDLED_KINDS or node.handler is None:
        return frozenset()
    token = _token(node.handler)
    ways = {edge.kind.value for kind in graph.outgoing for edge in graph.edges_from(node.key, kind)}
    return frozenset(
        act
        for act in Act
        if may_act(actor, node, token, act) and (act.value in ways or act not in {Act.RETURN, Act.REJECT})
    )


def _token(handler: Handler) -> Mapping[str, Any]:
    return {"owner_kind": _OWNERS[handler.mode], "owner_id": _SOMEBODY, "queue_role": handler.role}
