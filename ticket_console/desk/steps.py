"""A step and its entries: who may finish it, what must be filled in, what must be shown."""

from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa

from ticket_console.access import projection
from ticket_console.desk import picking
from ticket_console.desk.signing import SignatureInput
from ticket_console.desk.work import Reason, Work, owns_token
from ticket_console.flows.elements import Act, Node, NodeGrant
from ticket_console.flows.graph import Graph
from ticket_console.forms import reads as form_reads
from ticket_console.forms.asking import NAMED
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import ChecklistItem, FieldKind, FieldSpec
from ticket_console.forms.filling import fill, unanswered
from ticket_console.forms.kinds import BadValue, parse_value
from ticket_console.forms.kinds.checklist import is_complete
from ticket_console.kernel.actor import Actor, ActorKind, Role
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from ticket_console.stock import standards, usage
from ticket_console.tickets.marking import Marking
from ticket_console.tickets.tables import Attachment, OwnerKind

PHOTO, SIGNATURE, CHECKLIST = "photo", "signature", "checklist"

_attachments = table(Attachment)


class ActNotAllowed(Forbidden):
    """The step is somebody else's."""

    code = "ticket.act_not_allowed"


class FormRequired(Conflict):
    """The step asks for entries, so a drag cannot finish it."""

    code = "ticket.form_required"


def may_act(actor: Actor, node: Node, token: Mapping[str, Any], act: Act) -> bool:
    """Whether a step is the asker's to finish, return or refuse.

    A technician's own step, a queue's step for its role, a customer's step for the customer; what
    the node grants to a role comes on top, and for technicians only on steps they own.
    """
    if actor.kind is ActorKind.SYSTEM:
        return True
    owned = owns_token(actor, token)
    if actor.kind is ActorKind.CUSTOMER:
        return owned
    grants = [grant for role in actor.roles if (grant := node.grant_of(role)) is not None]
    if any(_grants(grant, act, owned) for grant in grants):
        return True
    if any(grant.role in actor.roles for grant in node.grants):
        return False
    if owned or actor.roles & {Role.MANAGER, Role.DISPATCHER}:
        return True
    return token["owner_kind"] is OwnerKind.QUEUE and token["queue_role"] in actor.roles


def _grants(grant: NodeGrant, act: Act, owned: bool) -> bool:
    return act in grant.acts and (owned or grant.role != Role.TECHNICIAN)


def require_act(actor: Actor, node: Node, token: Mapping[str, Any], act: Act) -> None:
    if not may_act(actor, node, token, act):
        raise ActNotAllowed(node=node.key, act=act.value)


def require_cancel(actor: Actor, graph: Graph, marking: Marking) -> None:
    """Refuse to give the ticket up where a step it stands at denies that to the asker's roles."""
    for token in marking.active():
        if graph.node_by_key[token.node_key].denies(actor.roles, Act.CANCEL):
            raise ActNotAllowed(node=token.node_key, act=Act.CANCEL.value)


def take_values(
    work: Work,
    *,
    node: Node,
    token_id: int,
    values: Mapping[str, Any],
    signature: SignatureInput | None,
    checklist: object = None,
) -> None:
    """Check a step's entries and take them over; raises InvalidInput naming each that is missing or wrong.

    `checklist` is what was found at each point of the step's list: lines of {"key", "state", "note"}.
    """
    template = form_reads.template_version(work.connection, work.draft.get("template_version_id"))
    definition = template.definition
    writable = writable_fields(work.actor, definition, node)
    locked = definition.locked(work.facts)
    problems = [
        FieldProblem(key, "field.locked" if key in locked else "field.not_writable")
        for key in values
        if key not in writable or key in locked
    ]
    writable -= locked
    # What was filled in before need not be sent again, but what is sent may not be blanked.
    asked = {
        use.key: use.required and (use.key in values or work.facts.get(use.key) is None)
        for use in node.fields
        if use.key in writable
    }
    filled: Mapping[str, Any] = {}
    try:
        filled = fill(
            definition,
            {key: value for key, value in values.items() if key in writable},
            asked=asked,
            zone=work.zone() if values else None,
            at=work.at,
            known=work.facts,
        )
    except InvalidInput as refusal:
        problems += refusal.problems
    problems += picking.refuse_unknown(work.connection, work.actor.org_id, definition, filled)
    problems += _missing_evidence(work, node, token_id, signature)
    checked, wrong = _gone_through(node, checklist)
    problems += wrong
    if problems:
        raise InvalidInput(tuple(problems))
    if checked:
        work.draft.say("ticket.checked", node=node.key, lines=checked)
    for key, value in filled.items():
        earlier = work.facts.get(key)
        work.draft.values[key] = (value, "typed" if key in values else "rule")
        work.facts[key] = value
        if definition.field_by_key[key].kind is FieldKind.PARTS:
            usage.use_parts(
                work.connection,
                org_id=work.actor.org_id,
                at=work.at,
                ticket_id=work.ticket_id,
                lines=value or (),
                replaces=earlier or (),
                command_id=work.command_id,
            )
            _warn_of_parts(work, template.code, {str(line["sku"]) for line in value or ()})


def _warn_of_parts(work: Work, template_code: str, skus: Set[str]) -> None:
    """Say at once where more of a part is used than the job should take; what that costs is for finance."""
    of_flow: dict[str, Decimal] = {}
    for node in work.graph.nodes:
        for part in node.parts:
            of_flow[part.sku] = of_flow.get(part.sku, Decimal(0)) + part.qty
    for above in standards.warn(
        work.connection,
        org_id=work.actor.org_id,
        at=work.at,
        ticket_id=work.ticket_id,
        template_code=template_code,
        skus=skus,
        of_flow=of_flow,
        command_id=work.command_id,
    ):
        said = {"used": usage.text_of(above.used), "standard": usage.text_of(above.standard)}
        work.draft.say("ticket.parts_above_standard", sku=above.sku, **said)
        work.warnings.append(Reason("stock.above_standard", {"part": above.name, "sku": above.sku, **said}))


def writable_fields(actor: Actor, definition: TemplateDefinition, node: Node) -> frozenset[str]:
    """What the asker may fill in at this step: the step's own fields, as far as their roles may write them.

    The customer fills in whatever the step asks of the customer, but for records of the house: they can look
    none up. A section that a department owns is filled in by its people only.
    """
    asked = frozenset(use.key for use in node.fields)
    if actor.kind is ActorKind.SYSTEM:
        return asked
    asked -= definition.owned_by_others(actor.department)
    if actor.kind is ActorKind.CUSTOMER:
        return frozenset(key for key in asked if definition.field_by_key[key].kind not in NAMED)
    access = projection.visible_fields(
        actor,
        [(key, spec.sensitivity) for key, spec in definition.field_by_key.items()],
        {grant.role: {key: str(access) for key, access in grant.fields.items()} for grant in node.grants},
    )
    return asked & access.write


def unfilled(work: Work, token_id: int | None) -> bool:
    """Whether a step still needs entries or evidence before it can be finished."""
    token = None if token_id is None else work.marking.token(token_id)
    if token is None:
        return False
    node = work.graph.node_by_key[token.node_key]
    template = form_reads.template_version(work.connection, work.draft.get("template_version_id"))
    asked = {use.key: use.required for use in node.fields}
    missing = unanswered(template.definition, asked, known=work.facts, at=work.at)
    return bool(missing) or CHECKLIST in node.evidence or bool(_missing_evidence(work, node, token.id, None))


def _missing_evidence(
    work: Work, node: Node, token_id: int, signature: SignatureInput | None
) -> list[FieldProblem]:
    problems = []
    if SIGNATURE in node.evidence and signature is None:
        problems.append(FieldProblem(SIGNATURE, "field.signature_required"))
    if PHOTO in node.evidence and not _has_photo(work, token_id):
        problems.append(FieldProblem(PHOTO, "field.photo_required"))
    return problems


def _gone_through(node: Node, entered: object) -> tuple[list[dict[str, str]], list[FieldProblem]]:
    """The lines of the step's list, and what is wrong with them; as evidence, every point must be there."""
    spec = FieldSpec(
        CHECKLIST,
        FieldKind.CHECKLIST,
        {},
        items=tuple(ChecklistItem(item.key, item.text) for item in node.checklist),
    )
    try:
        lines = parse_value(spec, entered)
    except BadValue as problem:
        return [], [FieldProblem(CHECKLIST, problem.code, problem.params)]
    if CHECKLIST in node.evidence and not is_complete(spec, lines):
        return [], [FieldProblem(CHECKLIST, "field.checklist_required", {"points": len(spec.items)})]
    return cast("list[dict[str, str]]", lines or []), []


def _has_photo(work: Work, token_id: int) -> bool:
    query = sa.select(_attachments.c.id).where(
        _attachments.c.ticket_id == work.ticket_id,
        _attachments.c.token_id == token_id,
        _attachments.c.content_type.like("image/%"),
    )
    return work.connection.execute(query.limit(1)).first() is not None
