"""A form as somebody meets it at one point of its flow, through the projection that tickets go through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ticket_console.access import projection
from ticket_console.desk.page import field_table
from ticket_console.desk.steps import writable_fields
from ticket_console.flows.elements import HANDLED_KINDS, Node
from ticket_console.flows.graph import Graph
from ticket_console.forms.asking import asked_at_opening, form_fields
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind
from ticket_console.intake.public_fields import public_fields
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope

Plain = dict[str, Any]

CUSTOMER: Final = "customer"
# Uploads need a ticket to belong to.
_LATER: Final = frozenset({FieldKind.PHOTO, FieldKind.FILE, FieldKind.SIGNATURE})


@dataclass(frozen=True, slots=True)
class Seen:
    """The fields as the form takes them, and the keys of those that this viewer does not see here."""

    fields: tuple[Plain, ...]
    unseen: tuple[str, ...]


def viewer_of(org_id: int, role: str) -> Actor:
    """Somebody of one role and nothing else, or a customer; raises ValueError for no role at all."""
    if role == CUSTOMER:
        return Actor(kind=ActorKind.CUSTOMER, org_id=org_id, display=role, ticket_id=0)
    return Actor(
        kind=ActorKind.USER, org_id=org_id, display=role, user_id=0, grants=(Grant(Role(role), Scope.ORG),)
    )


def nodes_of(graph: Graph) -> tuple[Node, ...]:
    """The nodes at which people fill something in."""
    return tuple(node for node in graph.nodes if node.kind in HANDLED_KINDS)


def seen(definition: TemplateDefinition, viewer: Actor, node: Node | None, *, at: datetime) -> Seen:
    """What a viewer sees at a node; without one, of the form that opens a request."""
    if node is None:
        asked = _asked_at_opening(definition, viewer, at)
        fields = form_fields(definition, asked=asked, values={}, at=at)
        due = [spec.key for spec in definition.at_opening if spec.is_in_use(at)]
        return Seen(fields, tuple(key for key in due if key not in asked))
    access = projection.visible_fields(
        viewer, [(spec.key, spec.sensitivity) for spec in definition.fields], field_table(node)
    )
    writable = writable_fields(viewer, definition, node)
    needed = {use.key: use.required for use in node.fields if use.key in writable}
    shown = access.read | writable
    asked = {spec.key: needed.get(spec.key, False) for spec in definition.fields if spec.key in shown}
    fields = form_fields(
        definition, asked=asked, values={}, at=at, writable=writable, readable=access.read | writable
    )
    return Seen(fields, tuple(spec.key for spec in definition.fields if spec.key not in shown))


def _asked_at_opening(definition: TemplateDefinition, viewer: Actor, at: datetime) -> dict[str, bool]:
    asked = asked_at_opening(definition, at)
    if viewer.kind is ActorKind.CUSTOMER:
        open_to = {spec.key for spec in public_fields(definition)}
    else:
        open_to = {spec.key for spec in definition.fields if spec.kind not in _LATER}
    return {key: must for key, must in asked.items() if key in open_to}
