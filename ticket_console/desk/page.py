"""One ticket as its viewer may see it: what the ticket page, the phone and the API show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy, projection
from ticket_console.customers import reads as customer_reads
from ticket_console.customers.reads import ContextView
from ticket_console.desk import picking
from ticket_console.desk.adjusting import steps_to_insert
from ticket_console.desk.steps import may_act, writable_fields
from ticket_console.desk.work import is_of_vendor, owns_token, ticket_facts
from ticket_console.dispatch import policies
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HANDLED_KINDS, Act, CheckItem, Document, EdgeKind, Node
from ticket_console.flows.graph import Graph
from ticket_console.forms import names as template_names
from ticket_console.forms import reads as form_reads
from ticket_console.forms.asking import field_settings, form_fields, in_words, is_stale
from ticket_console.forms.behaviours import highlight_of
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldSpec
from ticket_console.forms.kinds import Showing
from ticket_console.forms.lookups import address_of
from ticket_console.forms.visibility import hidden_fields
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.outbound import is_web_address
from ticket_console.kernel.text import LOCALES, LocalText, pick
from ticket_console.people import crews
from ticket_console.people import names as people_names
from ticket_console.settlement import reads as settlement_reads
from ticket_console.settlement.reads import RatingView
from ticket_console.stock import reads as stock
from ticket_console.tickets import links, reads
from ticket_console.tickets.links import LinkedTicket
from ticket_console.tickets.marking import Marking, TicketStatus
from ticket_console.tickets.standing import late_at
from ticket_console.tickets.tables import OFFERED, OwnerKind

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field and its value; fields the viewer may not read do not appear at all."""

    key: str
    label: LocalText
    help: LocalText
    kind: str
    value: Any
    provenance: str
    required: bool
    writable: bool
    options: tuple[tuple[str, LocalText], ...]
    # The rest of what a form has to know of it, as `forms.asking` says it.
    look: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EdgeView:
    key: str
    name: LocalText
    kind: str
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class StandardPartView:
    """A part the step normally uses; one that is in no catalogue any more is named by its number."""

    sku: str
    name: LocalText
    qty: int


@dataclass(frozen=True, slots=True)
class GuideView:
    """What helps with a step: what is to be done, what to read, what it normally takes, points to go through.

    Customers are told none of it but the points, where the step is theirs.
    """

    description: LocalText = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    parts: tuple[StandardPartView, ...] = ()
    checklist: tuple[CheckItem, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherStepView:
    """A step that can be done next instead of the one a ticket stands at."""

    node_key: str
    name: LocalText


@dataclass(frozen=True, slots=True)
class StepView:
    """An open step; `fields` and `edges` are empty where it is not the viewer's to do.

    `late_at` is when the step is over its own time target. `can_skip` and `others` are for those who may do
    otherwise than the flow says.
    """

    token_id: int
    node_key: str
    name: LocalText
    kind: str
    stage: str
    owner: str
    owner_kind: str
    entered_at: datetime
    late_at: datetime | None
    can_act: bool
    is_own: bool
    fields: tuple[FieldView, ...]
    evidence: tuple[str, ...]
    edges: tuple[EdgeView, ...]
    guide: GuideView
    can_skip: bool
    others: tuple[OtherStepView, ...]


@dataclass(frozen=True, slots=True)
class EventView:
    """`details` are the few facts of an event that everybody who sees the ticket may read."""

    seq: int
    type: str
    at: datetime
    who: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CommentView:
    id: int
    who: str
    text: str
    visibility: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AttachmentView:
    id: int
    filename: str
    content_type: str
    size: int
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SignatureView:
    name: str
    strokes: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StageView:
    key: str
    name: LocalText
    category: str
    state: str


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket, its open steps and its surroundings, as one viewer may see them.

    `context` and `decisions` are None where the viewer has no business with them, `money` where
    they may not see amounts. `tz` is the zone all times are to be shown in.
    """

    id: int
    no: str
    version: int
    title: str
    description: str
    template: LocalText
    ticket_class: str
    status: str
    stage: str
    stages: tuple[StageView, ...]
    progress_bp: int
    priority: int
    priority_reason: Mapping[str, Any]
    is_vip: bool
    source: str
    returns: int
    handoffs: int
    is_handed_around: bool
    contact_name: str
    contact_phone: str
    address: str
    lat: float | None
    lon: float | None
    site: LocalText | None
    region: LocalText | None
    tz: str
    assignee_id: int | None
    assignee: str | None
    opened_at: datetime
    due_at: datetime | None
    responded_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    fields: tuple[FieldView, ...]
    steps: tuple[StepView, ...]
    events: tuple[EventView, ...]
    comments: tuple[CommentView, ...]
    attachments: tuple[AttachmentView, ...]
    signatures: tuple[SignatureView, ...]
    links: tuple[LinkedTicket, ...]
    can_assign: bool
    can_cancel: bool
    can_comment: bool
    decisions: Sequence[Any] | None
    context: ContextView | None
    money: tuple[RatingView, ...] | None


def ticket_page(connection: Connection, *, viewer: Actor, ticket_id: int, at: datetime) -> TicketView:
    """Everything of one ticket the viewer may see; TicketNotFound for all that is not theirs."""
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    graph = flow_reads.compiled(connection, row["flow_version_id"])
    template = form_reads.template_version(connection, row["template_version_id"])
    tokens = reads.live_tokens(connection, ticket_id)
    is_own = (
        _had(viewer, row)
        or any(owns_token(viewer, token) for token in tokens)
        or is_of_vendor(connection, viewer, {token["id"]: token for token in tokens})
    )
    reach = {"region_id": row["region_id"], "ticket_class": row["ticket_class"]}
    # Somebody may have one role here and another elsewhere: what counts is what reaches this ticket.
    viewer = policy.over_row(viewer, **reach, is_own=is_own)
    stored = reads.field_values(connection, ticket_id)
    for_customer = viewer.kind is ActorKind.CUSTOMER
    access = projection.visible_fields(
        viewer,
        [(key, spec.sensitivity) for key, spec in template.definition.field_by_key.items()],
        projection.merged_grants(field_table(graph.node_by_key[token["node_key"]]) for token in tokens),
    )
    people = people_names.names(
        connection,
        {token["owner_id"] for token in tokens if token["owner_kind"] is OwnerKind.TECHNICIAN}
        | ({row["assignee_id"]} - {None}),
    )
    owners = {token["id"]: _owner(connection, viewer, token, people) for token in tokens}
    is_open = row["status"] is TicketStatus.OPEN
    marking = Marking.of_json(row["marking"])
    can_adjust = policy.allows(viewer, "ticket.adjust", **reach)
    part_names = _part_names(connection, viewer, (graph.node_by_key[token["node_key"]] for token in tokens))
    zone = places.zone_of(
        connection, org_id=row["org_id"], region_id=row["region_id"], site_id=row["site_id"]
    )
    form = _Form(
        definition=template.definition,
        stored=stored,
        facts={**{key: value for key, (value, _) in stored.items()}, **ticket_facts(row)},
        readable=access.read,
        at=at,
        ticket_id=ticket_id,
        for_customer=for_customer,
        to=tuple(
            Showing(
                locale,
                ZoneInfo(zone),
                picking.names_of(
                    connection,
                    row["org_id"],
                    (spec for spec in template.definition.fields if spec.key in access.read),
                    {key: value for key, (value, _) in stored.items()},
                    locale,
                ),
            )
            for locale in LOCALES
        ),
    )
    return TicketView(
        id=row["id"],
        no=row["no"],
        version=row["version"],
        title=row["title"],
        description=row["description"],
        template=template_names.names(connection, row["org_id"])[row["template_id"]],
        ticket_class=row["ticket_class"],
        status=row["status"].value,
        stage=row["stage"],
        stages=_stages(graph, row["stage"]),
        progress_bp=row["progress_bp"],
        priority=row["priority"],
        priority_reason=row["priority_reason"],
        is_vip=row["is_vip"],
        source=row["source"],
        returns=row["returns"],
        handoffs=row["handoffs"],
        is_handed_around=row["handoffs"]
        > policies.policy_at(
            connection, row["org_id"], row["ticket_class"], row["region_id"], at
        ).most_handoffs,
        contact_name=row["contact_name"],
        contact_phone=_phone(viewer, row, is_own=is_own),
        address=row["address"],
        lat=row["lat"],
        lon=row["lon"],
        site=places.site_names(connection, [row["site_id"]]).get(row["site_id"]) if row["site_id"] else None,
        region=places.region(connection, row["region_id"]).name if row["region_id"] else None,
        tz=zone,
        assignee_id=row["assignee_id"],
        assignee=people.get(row["assignee_id"]),
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        responded_at=row["responded_at"],
        resolved_at=row["resolved_at"],
        closed_at=row["closed_at"],
        fields=_values(form),
        steps=tuple(
            _step(viewer, graph, token, form, owners, part_names, marking, can_adjust=can_adjust)
            for token in tokens
        )
        if is_open
        else (),
        # Written for those who work on it; a customer is told by `desk.story`.
        events=()
        if for_customer
        else tuple(_event(event, graph) for event in reads.timeline(connection, ticket_id)),
        comments=tuple(
            CommentView(each["id"], each["author_name"], each["text"], each["visibility"].value, each["at"])
            for each in reads.comments_of(connection, ticket_id, for_customer=for_customer)
        ),
        attachments=tuple(
            AttachmentView(
                each["id"],
                each["filename"],
                each["content_type"],
                each["size"],
                each["author_name"],
                each["at"],
            )
            for each in reads.attachments_of(connection, ticket_id, for_customer=for_customer)
        ),
        signatures=tuple(
            SignatureView(each["signer_name"], each["strokes"], each["at"])
            for each in reads.signatures_of(connection, ticket_id)
        ),
        links=() if for_customer else links.links_of(connection, viewer, ticket_id),
        can_assign=is_open and policy.allows(viewer, "ticket.assign", **reach),
        can_cancel=is_open
        and policy.allows(viewer, "ticket.cancel", **reach)
        and not any(
            graph.node_by_key[token["node_key"]].denies(viewer.roles, Act.CANCEL) for token in tokens
        ),
        can_comment=policy.allows(viewer, "ticket.comment", **reach, is_own=is_own),
        decisions=None
        if for_customer
        else dispatch_reads.decision_panel(connection, ticket_id, viewer=viewer),
        context=None
        if for_customer
        else customer_reads.context(connection, viewer, row["customer_id"], row["asset_id"], at=at),
        money=_money(connection, viewer, row, ticket_id),
    )


def field_table(node: Node) -> dict[str, dict[str, str]]:
    """A node's own table of fields, as projections take it."""
    return {grant.role: {key: str(access) for key, access in grant.fields.items()} for grant in node.grants}


def _had(viewer: Actor, row: Row) -> bool:
    return viewer.technician_id is not None and row["assignee_id"] == viewer.technician_id


def _phone(viewer: Actor, row: Row, *, is_own: bool) -> str:
    """The whole number for those who may have to call; the others see its ends."""
    phone = str(row["contact_phone"])
    may_call = (
        is_own
        or viewer.kind is ActorKind.SYSTEM
        or policy.allows(
            viewer, "ticket.assign", region_id=row["region_id"], ticket_class=row["ticket_class"]
        )
        or policy.allows(viewer, "ticket.open", region_id=row["region_id"], ticket_class=row["ticket_class"])
    )
    return phone if may_call else projection.mask_phone(phone)


def _stages(graph: Graph, current: str) -> tuple[StageView, ...]:
    """The stages on the way, and whether each is behind, here, or ahead."""
    keys = [stage.key for stage in graph.stages]
    here = keys.index(current) if current in keys else len(keys)
    used = {node.stage for node in graph.nodes}
    return tuple(
        StageView(
            stage.key,
            stage.name,
            stage.category.value,
            "here" if stage.key == current else "behind" if position < here else "ahead",
        )
        for position, stage in enumerate(graph.stages)
        if stage.key in used and (stage.category.value != "cancelled" or stage.key == current)
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """What the fields of one ticket are drawn from."""

    definition: TemplateDefinition
    stored: Mapping[str, tuple[Any, str]]
    facts: Mapping[str, Any]
    readable: frozenset[str]
    at: datetime
    to: tuple[Showing, ...]
    ticket_id: int
    for_customer: bool


def _values(form: _Form) -> tuple[FieldView, ...]:
    """What is known of the ticket, and live fields nobody has read yet; what a condition hides is kept."""
    hidden = hidden_fields(form.definition, form.facts)
    return tuple(
        _field(spec, form, {**field_settings(spec), **_standing(spec, form)}, required=False, writable=False)
        for key, spec in form.definition.field_by_key.items()
        if key in form.readable and key not in hidden and (key in form.stored or _is_awaited(spec, form))
    )


def _is_awaited(spec: FieldSpec, form: _Form) -> bool:
    return (
        spec.lookup is not None
        and not form.for_customer
        and spec.is_in_use(form.at)
        and address_of(spec.lookup, form.facts) is not None
    )


def _standing(spec: FieldSpec, form: _Form) -> dict[str, Any]:
    if spec.key not in form.stored:
        return {"shown": {}, **_age(spec, None, form)}
    value = form.stored[spec.key][0]
    tone = highlight_of(spec, form.facts)
    return {
        "shown": in_words(spec, value, form.to),
        **({} if tone is None else {"tone": tone.value}),
        **_age(spec, value, form),
    }


def _age(spec: FieldSpec, value: object, form: _Form) -> dict[str, Any]:
    if spec.lookup is None:
        return {}
    return {"stale": is_stale(spec, value, form.at), "refresh_seconds": spec.lookup.refresh_seconds}


def _asked(form: _Form, node: Node, writable: frozenset[str]) -> tuple[FieldView, ...]:
    locked = form.definition.locked(form.facts)
    drawn = form_fields(
        form.definition,
        asked={use.key: use.required for use in node.fields if use.key in writable},
        values=form.facts,
        at=form.at,
        writable=writable - locked,
        readable=form.readable,
        to=form.to,
    )
    helpers = [
        FieldView(each["key"], {}, {}, each["kind"], each.get("known"), "", False, False, (), each)
        for each in drawn
        if "aid" in each
    ]
    return (
        *(
            _field(
                form.definition.field_by_key[each["key"]],
                form,
                each,
                required=each["required"],
                writable=each["writable"],
            )
            for each in drawn
            if "aid" not in each
        ),
        *helpers,
    )


def _field(
    spec: FieldSpec, form: _Form, look: Mapping[str, Any], *, required: bool, writable: bool
) -> FieldView:
    value, provenance = form.stored.get(spec.key, (spec.default if writable else None, ""))
    return FieldView(
        key=spec.key,
        label=spec.label,
        help=spec.help,
        kind=spec.kind.value,
        value=value,
        provenance=provenance,
        required=required,
        writable=writable,
        options=tuple((option.value, option.label) for option in spec.options),
        look={name: part for name, part in look.items() if name not in _SAID}
        | _colours(spec)
        | _source(spec, form),
    )


def _colours(spec: FieldSpec) -> dict[str, Any]:
    colours = {option.value: option.colour.value for option in spec.options if option.colour is not None}
    return {"colours": colours} if colours else {}


def _source(spec: FieldSpec, form: _Form) -> dict[str, Any]:
    """Where the browser asks for a live value when it is old."""
    if spec.lookup is None or form.for_customer:
        return {}
    return {"refresh_url": f"/api/v1/tickets/{form.ticket_id}/lookups/{spec.key}"}


# What a view of a field says by itself.
_SAID: Final = frozenset({"key", "kind", "label", "help", "required", "writable", "value", "options"})


_ACT: Final = {EdgeKind.FORWARD: Act.COMPLETE, EdgeKind.RETURN: Act.RETURN, EdgeKind.REJECT: Act.REJECT}


def _step(
    viewer: Actor,
    graph: Graph,
    token: Row,
    form: _Form,
    owners: Mapping[int, str],
    part_names: Mapping[str, LocalText],
    marking: Marking,
    *,
    can_adjust: bool,
) -> StepView:
    node = graph.node_by_key[token["node_key"]]
    may_adjust = can_adjust and not node.denies(viewer.roles, Act.SKIP)
    edges = tuple(
        EdgeView(edge.key, edge.name, kind.value, kind is not EdgeKind.FORWARD)
        for kind, act in _ACT.items()
        for edge in graph.edges_from(node.key, kind)
        if node.kind in HANDLED_KINDS and may_act(viewer, node, token, act)
    )
    can_complete = any(edge.kind == EdgeKind.FORWARD for edge in edges)
    writable = writable_fields(viewer, form.definition, node) if can_complete else frozenset[str]()
    return StepView(
        token_id=token["id"],
        node_key=node.key,
        name=node.name,
        kind=node.kind.value,
        stage=node.stage,
        owner=owners[token["id"]],
        owner_kind=OFFERED if token["queue_role"] == OFFERED else token["owner_kind"].value,
        entered_at=token["entered_at"],
        late_at=None if viewer.kind is ActorKind.CUSTOMER else late_at(node, token["entered_at"]),
        can_act=can_complete,
        is_own=owns_token(viewer, token),
        fields=_asked(form, node, writable),
        evidence=node.evidence if can_complete else (),
        edges=edges,
        guide=_guide(viewer, node, part_names),
        can_skip=may_adjust and node.kind in HANDLED_KINDS,
        others=tuple(
            OtherStepView(other.key, other.name)
            for other in (steps_to_insert(graph, marking, token["id"]) if may_adjust else ())
        ),
    )


def _guide(viewer: Actor, node: Node, part_names: Mapping[str, LocalText]) -> GuideView:
    if viewer.kind is ActorKind.CUSTOMER:
        return GuideView(checklist=node.checklist)
    return GuideView(
        description=node.description,
        # What is no web address may have been written by another system; it is not to be clicked on.
        documents=tuple(each for each in node.documents if is_web_address(each.url)),
        parts=tuple(
            StandardPartView(part.sku, part_names.get(part.sku) or {"zh": part.sku, "en": part.sku}, part.qty)
            for part in node.parts
        ),
        checklist=node.checklist,
    )


def _part_names(connection: Connection, viewer: Actor, nodes: Iterable[Node]) -> Mapping[str, LocalText]:
    wanted = {part.sku for node in nodes for part in node.parts}
    if not wanted or viewer.kind is ActorKind.CUSTOMER:
        return {}
    return {part.sku: part.name for part in stock.parts(connection, viewer) if part.sku in wanted}


# What an event tells everybody who sees the ticket. Values stay out: a field may be hidden from
# the reader at this step or the next.
_TOLD: Final = (
    "reason",
    "technician",
    "mode",
    "failed",
    "source",
    "status",
    "name",
    "segment",
    "visibility",
    "starts_at",
)


def _event(event: Row, graph: Graph) -> EventView:
    payload = event["payload"]
    details = {key: payload[key] for key in _TOLD if key in payload}
    node = graph.node_by_key.get(payload.get("node", ""))
    if node is not None:
        details["step"] = node.name
    return EventView(event["seq"], event["type"], event["at"], event["actor_name"], details)


def _money(connection: Connection, viewer: Actor, row: Row, ticket_id: int) -> tuple[RatingView, ...] | None:
    """The ticket's rating for those who may see amounts, and for the technician whose pay it is."""
    if viewer.kind is ActorKind.CUSTOMER:
        return None
    own = _had(viewer, row) and policy.allows(viewer, "settlement.view_own", is_own=True)
    if not own and not policy.allows(viewer, "settlement.view", region_id=row["region_id"]):
        return None
    return settlement_reads.ticket_ratings(connection, viewer=viewer, ticket_id=ticket_id)


def _owner(connection: Connection, viewer: Actor, token: Mapping[str, Any], people: Mapping[int, str]) -> str:
    """The name of the technician or partner a step is with, or the role whose queue it waits in."""
    if token["owner_kind"] is OwnerKind.VENDOR:
        return pick(crews.vendor_name(connection, viewer.org_id, token["owner_id"]), viewer.locale)
    return people.get(token["owner_id"], "") if token["owner_id"] else (token["queue_role"] or "")
