"""Opening a ticket: from a request to a work order that stands at its first step with somebody to do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ticket_console.access import places, policy
from ticket_console.clocks import targets
from ticket_console.customers import matching
from ticket_console.customers import reads as customer_reads
from ticket_console.customers.matching import CustomerRef
from ticket_console.desk import outward, picking
from ticket_console.desk.calling import reachable_customer
from ticket_console.desk.effects import carry_out
from ticket_console.desk.formulas import formulas_of
from ticket_console.desk.work import Work, assignee_name, new_row_id, ticket_facts
from ticket_console.flows import reads as flow_reads
from ticket_console.forms import overrides
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.filling import InvalidValues, fill
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor, ActorKind, system_actor
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.people import territories
from ticket_console.people.facts import find_territory
from ticket_console.tickets import engine, links, tracking, writing
from ticket_console.tickets.actions import Open
from ticket_console.tickets.marking import Marking, TicketStatus
from ticket_console.tickets.priority import COMPLAINT, EMERGENCY, NORMAL, URGENT, priority_of
from ticket_console.tickets.writing import AlreadyApplied, CommandReused, TicketDraft

TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Origin:
    """The ticket another one is opened for; both share their root."""

    ticket_id: int
    root_id: int
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """A request, understood as far as the door could.

    `values` are raw field values by key; `provenance` says where each came from ("typed" where it
    is not named). Place: a site code, or coordinates, or a region code, in this order.
    `urgency` and `impact` are 1 to 3 where a person chose them.
    """

    template_code: str
    title: str
    description: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    customer: CustomerRef | None = None
    customer_id: int | None = None
    asset_id: int | None = None
    contact_name: str = ""
    contact_phone: str = ""
    site_code: str | None = None
    lat: float | None = None
    lon: float | None = None
    address: str = ""
    region_code: str | None = None
    territory_code: str | None = None
    source: str = "desk"
    raw_intake_id: int | None = None
    urgency: int | None = None
    impact: int | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    ticket_id: int
    no: str
    version: int
    stage: str
    priority: int
    tracking_token: str
    assignee_id: int | None
    assignee_name: str | None


SettleRaw = Callable[[Connection, OpenedTicket], None]


@retried
def open_ticket(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    request: NewTicket,
    settle_raw: SettleRaw | None = None,
) -> OpenedTicket:
    """Open a ticket, start its flow, decide its priority and find who does the first step.

    Everything lands in one transaction, `settle_raw` included, which marks the inbound message as
    dealt with. The same `command_id` again answers with the ticket it opened the first time.
    Raises InvalidInput naming every field that cannot be taken.
    """
    try:
        with transaction() as connection:
            opened = _open(connection, actor, at, command_id, request)
            if settle_raw is not None:
                settle_raw(connection, opened)
            return opened
    except (CommandReused, IntegrityError) as failure:
        # A repetition is not looked for beforehand, it would cost every request a query: it
        # shows when its first event meets the one that is there.
        earlier = _opened_before(actor, command_id, settle_raw)
        if earlier is None:
            raise failure
        return earlier


def _open(
    connection: Connection, actor: Actor, at: datetime, command_id: str, request: NewTicket
) -> OpenedTicket:
    _refuse_bad_text(request)
    place = _place_of(connection, actor.org_id, request)
    template = overrides.template_at(
        connection,
        form_reads.template_by_code(connection, actor.org_id, request.template_code),
        region_id=place["region_id"],
        site_id=place["site_id"],
    )
    values = _filled(connection, actor, at, template.definition, request)
    policy.require(actor, "ticket.open", region_id=place["region_id"], ticket_class=template.ticket_class)
    customer = _customer_of(connection, actor, request)
    if request.asset_id is not None:
        _refuse_foreign_asset(connection, actor.org_id, customer, request.asset_id, at)
    is_vip = customer is not None and customer.is_vip
    priority = priority_of(
        texts=(request.title, request.description, *_texts(values)),
        urgency=request.urgency if request.urgency is not None else _chosen_urgency(values),
        impact=request.impact,
        is_vip=is_vip,
        is_complaint=template.ticket_class == COMPLAINT,
    )
    ticket_id, origin = ids.take("ticket"), request.origin
    token = tracking.tracking_token(secret=settings().secret_key, ticket_id=ticket_id)
    draft = TicketDraft(
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        before=None,
        columns={
            "id": ticket_id,
            "org_id": actor.org_id,
            "no": f"WO-{ticket_id}",
            "root_id": ticket_id if origin is None else origin.root_id,
            "parent_id": None if origin is None else origin.ticket_id,
            "ticket_class": template.ticket_class,
            "template_id": template.template_id,
            "template_version_id": template.template_version_id,
            "flow_version_id": template.flow_version_id,
            "title": request.title.strip(),
            "description": request.description.strip(),
            "source": request.source,
            "raw_intake_id": request.raw_intake_id,
            "customer_id": None if customer is None else customer.id,
            "asset_id": request.asset_id,
            "contact_name": request.contact_name.strip() or ("" if customer is None else customer.name),
            "contact_phone": request.contact_phone.strip() or ("" if customer is None else customer.phone),
            **place,
            "urgency": priority.urgency,
            "impact": priority.impact,
            "priority": priority.priority,
            "priority_reason": priority.as_json(),
            "is_vip": is_vip,
            "status": TicketStatus.OPEN,
            "progress_bp": 0,
            "returns": 0,
            "handoffs": 0,
            "assignee_id": None,
            "opened_at": at,
            "due_at": targets.due_at(priority=priority.priority, opened_at=at),
            "assigned_at": None,
            "responded_at": None,
            "started_at": None,
            "resolved_at": None,
            "closed_at": None,
            "tracking_hash": tracking.tracking_hash(token),
        },
        values={key: (value, request.provenance.get(key, "typed")) for key, value in values.items()},
    )
    draft.say("ticket.opened", source=request.source)
    work = Work(
        connection=connection,
        actor=actor,
        at=at,
        command_id=command_id,
        draft=draft,
        graph=flow_reads.compiled(connection, template.flow_version_id),
        marking=Marking(),
        tokens={},
        facts={**values, **ticket_facts(draft.columns)},
    )
    carry_out(
        work,
        engine.advance(
            work.graph,
            work.marking,
            Open(),
            facts=work.facts,
            new_token_id=new_row_id,
            worked_out=formulas_of(connection, draft.get("template_version_id")),
        ),
    )
    if values:
        outward.tell_of_values(work, before={})
    version = writing.save(connection, draft)
    if origin is not None:
        links.add(
            connection,
            from_id=origin.ticket_id,
            to_id=ticket_id,
            kind=origin.link,
            at=at,
            command_id=command_id,
        )
    return OpenedTicket(
        ticket_id=ticket_id,
        no=draft.get("no"),
        version=version,
        stage=draft.get("stage"),
        priority=priority.priority,
        tracking_token=token,
        assignee_id=draft.get("assignee_id"),
        assignee_name=work.assignee_name,
    )


def _filled(
    connection: Connection, actor: Actor, at: datetime, definition: TemplateDefinition, request: NewTicket
) -> dict[str, object]:
    """The entries; sections that a department owns are left to its people."""
    elsewhere = (
        frozenset[str]() if actor.kind is ActorKind.SYSTEM else definition.owned_by_others(actor.department)
    )
    values = fill(definition, request.values, at=at, not_asked=elsewhere)
    if unknown := picking.refuse_unknown(connection, actor.org_id, definition, values):
        raise InvalidValues(tuple(unknown))
    return values


def _refuse_bad_text(request: NewTicket) -> None:
    problems = []
    if not request.title.strip():
        problems.append(FieldProblem("title", "field.required"))
    if len(request.title) > TITLE_LENGTH:
        problems.append(FieldProblem("title", "field.too_long", {"limit": TITLE_LENGTH}))
    if len(request.description) > DESCRIPTION_LENGTH:
        problems.append(FieldProblem("description", "field.too_long", {"limit": DESCRIPTION_LENGTH}))
    for name, limit in (("contact_name", 120), ("contact_phone", 32), ("address", 300)):
        if len(getattr(request, name)) > limit:
            problems.append(FieldProblem(name, "field.too_long", {"limit": limit}))
    if (request.lat is None) != (request.lon is None):
        problems.append(FieldProblem("lat" if request.lat is None else "lon", "field.required"))
    elif request.lat is not None and request.lon is not None:
        if not -90 <= request.lat <= 90:
            problems.append(FieldProblem("lat", "field.out_of_range", {"min": -90, "max": 90}))
        if not -180 <= request.lon <= 180:
            problems.append(FieldProblem("lon", "field.out_of_range", {"min": -180, "max": 180}))
    for name, level in (("urgency", request.urgency), ("impact", request.impact)):
        if level is not None and not NORMAL <= level <= EMERGENCY:
            problems.append(FieldProblem(name, "field.out_of_range", {"min": NORMAL, "max": EMERGENCY}))
    if problems:
        raise InvalidInput(tuple(problems))


def _place_of(connection: Connection, org_id: int, request: NewTicket) -> dict[str, Any]:
    """Where the work is: a known site beats coordinates, coordinates beat a named region.

    A territory named by the source wins over the one the place lies in; an unknown one is passed over.
    """
    place: dict[str, Any] = {
        "site_id": None,
        "region_id": None,
        "territory_id": None,
        "address": request.address.strip(),
        "lat": request.lat,
        "lon": request.lon,
    }
    if request.site_code:
        site = places.find_site(connection, org_id=org_id, code=request.site_code)
        if site is None:
            raise InvalidInput(
                (FieldProblem("site_code", "intake.unknown_site", {"code": request.site_code}),)
            )
        place.update(
            site_id=site.id,
            region_id=site.region_id,
            territory_id=site.territory_id,
            address=place["address"] or site.address,
            lat=site.lat if request.lat is None else request.lat,
            lon=site.lon if request.lon is None else request.lon,
        )
    elif request.lat is not None and request.lon is not None:
        located = territories.locate(connection, org_id, request.lat, request.lon)
        place.update(region_id=located.region_id, territory_id=located.territory_id, site_id=located.site_id)
    if place["region_id"] is None and request.region_code:
        region = places.find_region(connection, org_id=org_id, code=request.region_code)
        if region is None:
            raise InvalidInput(
                (FieldProblem("region_code", "intake.unknown_region", {"code": request.region_code}),)
            )
        place["region_id"] = region.id
    if request.territory_code:
        territory = find_territory(connection, org_id=org_id, code=request.territory_code)
        if territory is not None:
            place.update(territory_id=territory.id, region_id=place["region_id"] or territory.region_id)
    return place


def _customer_of(connection: Connection, actor: Actor, request: NewTicket) -> matching.MatchedCustomer | None:
    if request.customer_id is not None:
        return reachable_customer(connection, actor, request.customer_id)
    if request.customer is not None:
        return matching.match(connection, actor.org_id, request.customer)
    return None


def _refuse_foreign_asset(
    connection: Connection,
    org_id: int,
    customer: matching.MatchedCustomer | None,
    asset_id: int,
    at: datetime,
) -> None:
    """A ticket is about a device of its own customer, or its page would show somebody else's."""
    owned = (
        ()
        if customer is None
        else customer_reads.context(connection, system_actor(org_id), customer.id, asset_id, at=at).assets
    )
    if not any(asset.is_subject for asset in owned):
        raise InvalidInput((FieldProblem("asset_id", "ticket.unknown_asset"),))


def _texts(values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(value for value in values.values() if isinstance(value, str))


def _chosen_urgency(values: Mapping[str, Any]) -> int | None:
    """A template may ask for the urgency itself, in a choice field of this key."""
    return {"normal": NORMAL, "urgent": URGENT, "emergency": EMERGENCY}.get(str(values.get("urgency")))


def _opened_before(actor: Actor, command_id: str, settle_raw: SettleRaw | None) -> OpenedTicket | None:
    with reading() as connection:
        try:
            writing.refuse_repeated(connection, actor=actor, ticket_id=None, command_id=command_id)
        except AlreadyApplied as repeated:
            row = writing.read_ticket(connection, org_id=actor.org_id, ticket_id=repeated.ticket_id)
            name = assignee_name(connection, row)
        else:
            return None
    opened = OpenedTicket(
        ticket_id=row["id"],
        no=row["no"],
        version=row["version"],
        stage=row["stage"],
        priority=row["priority"],
        tracking_token=tracking.tracking_token(secret=settings().secret_key, ticket_id=row["id"]),
        assignee_id=row["assignee_id"],
        assignee_name=name,
    )
    if settle_raw is not None:
        with transaction() as connection:
            settle_raw(connection, opened)
    return opened
