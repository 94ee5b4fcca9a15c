"""What is in use, as text: one definition, a process with all it needs, or everything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.flows import in_use as flows_in_use
from ticket_console.flows.bpmn.writing import write_bpmn
from ticket_console.flows.graph_json import graph_json, parse_graph
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.packs.exchange.definitions import Definition, Kind, Reference
from ticket_console.packs.exchange.kinds import KIND, KINDS
from ticket_console.packs.exchange.parcels import as_bundle, as_yaml

_MANAGED: Final = ("template.manage", "flow.manage")


class DefinitionNotFound(NotFound):
    code = "exchange.not_found"


@dataclass(frozen=True, slots=True)
class Listed:
    """A definition in a list; equal hashes are equal contents, here and in any other installation."""

    kind: str
    code: str
    name: LocalText
    hash: str


def listed(conn: Connection, *, viewer: Actor) -> tuple[Listed, ...]:
    """Everything the viewer could export."""
    _require_designer(viewer)
    return tuple(
        Listed(kind.name, code, found.name, found.hash)
        for kind in KINDS
        if _may(viewer, kind)
        for code in kind.codes(conn, viewer.org_id)
        if (found := definition(conn, viewer.org_id, Reference(kind.name, code))) is not None
    )


def definition(conn: Connection, org_id: int, reference: Reference) -> Definition | None:
    """What is in use under a kind and a code."""
    kind = KIND.get(reference.kind)
    document = None if kind is None else kind.document(conn, org_id, reference.code)
    return None if document is None else Definition(reference.kind, reference.code, document)


def yaml_of(conn: Connection, *, viewer: Actor, reference: Reference) -> bytes:
    """The YAML file of one definition."""
    return as_yaml(_readable(conn, viewer, reference))


def bpmn_of(
    conn: Connection, *, viewer: Actor, code: str, number: int | None = None, locale: str = "zh"
) -> bytes:
    """A flow as BPMN 2.0, the version in use unless a number is given; names are shown in one language."""
    policy.require(viewer, "flow.manage")
    flow = flows_in_use.drawn(conn, viewer.org_id, code, number=number)
    graph = graph_json(parse_graph(flow.graph))
    return write_bpmn(graph, code=flow.code, name=flow.name, locale=locale)


def bundle_of(conn: Connection, *, viewer: Actor, roots: Iterable[Reference]) -> bytes:
    """A bundle of these definitions and of all they need: sub-flows, forms, skills, calendars."""
    _require_designer(viewer)
    return as_bundle(_with_needs(conn, viewer, tuple(roots)))


def process_bundle(conn: Connection, *, viewer: Actor, flow: str) -> bytes:
    """A process to carry elsewhere: its flow, the forms that lead into it, all that these need, and the tests
    of every flow among them."""
    found = _with_needs(conn, viewer, process_of(conn, viewer=viewer, flow=flow))
    suites = (Reference("golden_ticket", each.code) for each in found if each.kind == "flow")
    tests = [suite for reference in suites if (suite := definition(conn, viewer.org_id, reference))]
    return as_bundle([*found, *tests])


def process_of(conn: Connection, *, viewer: Actor, flow: str) -> tuple[Reference, ...]:
    """The flow and the forms whose tickets follow it."""
    root = Reference("flow", flow)
    _readable(conn, viewer, root)
    forms = KIND["form"]
    leading_in = [
        Reference("form", code)
        for code in forms.codes(conn, viewer.org_id)
        if (document := forms.document(conn, viewer.org_id, code)) is not None
        and document.get("flow") == flow
    ]
    return (root, *leading_in)


def everything(conn: Connection, *, viewer: Actor) -> bytes:
    """A bundle of all the viewer could export."""
    roots = [Reference(each.kind, each.code) for each in listed(conn, viewer=viewer)]
    return bundle_of(conn, viewer=viewer, roots=roots)


def _with_needs(conn: Connection, viewer: Actor, roots: Sequence[Reference]) -> list[Definition]:
    found: dict[Reference, Definition] = {}
    waiting = list(roots)
    while waiting:
        reference = waiting.pop()
        if reference in found:
            continue
        one = definition(conn, viewer.org_id, reference)
        if one is None:
            if reference in roots:
                raise DefinitionNotFound(kind=reference.kind, code=reference.code)
            # A part or a role is named and not carried; what is missing is said where it is imported.
            continue
        _require(viewer, KIND[reference.kind])
        found[reference] = one
        waiting += KIND[reference.kind].needs(one)
    return [found[reference] for reference in sorted(found)]


def _readable(conn: Connection, viewer: Actor, reference: Reference) -> Definition:
    _require_designer(viewer)
    kind = KIND.get(reference.kind)
    if kind is not None:
        _require(viewer, kind)
    found = definition(conn, viewer.org_id, reference)
    if found is None:
        raise DefinitionNotFound(kind=reference.kind, code=reference.code)
    return found


def _require_designer(viewer: Actor) -> None:
    for permission in _MANAGED:
        policy.require(viewer, permission)


def _require(viewer: Actor, kind: Kind) -> None:
    for permission in kind.permissions:
        policy.require(viewer, permission)


def _may(viewer: Actor, kind: Kind) -> bool:
    return all(policy.allows(viewer, permission) for permission in kind.permissions)
