"""Opening a ticket for somebody on the phone: what they say, who they are, and nothing twice."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.customers import reads as customers
from ticket_console.customers.matching import CustomerRef
from ticket_console.desk import opening
from ticket_console.desk.calling import known_caller
from ticket_console.desk.opening import NewTicket
from ticket_console.forms import overrides
from ticket_console.forms import reads as form_reads
from ticket_console.forms.asking import asked_at_opening, form_fields
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind
from ticket_console.forms.reads import PublishedTemplate
from ticket_console.i18n import catalog
from ticket_console.intake.template_choice import DEFAULT_TEMPLATE, choose_template
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.state.feedback import done, refusal
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import Plain, both, plain, problems_at_fields, without_places
from ticket_console.tickets import tracking

# The form's own fields beside the template's; no key of a template has a colon.
TEXT: Final = "ask:text"
PHONE: Final = "ask:phone"
NAME: Final = "ask:name"
ADDRESS: Final = "ask:address"
REGION: Final = "ask:region"
PLACE: Final = "ask:place"
URGENCY: Final = "ask:urgency"
_FIELD_OF: Final = {
    "title": TEXT,
    "description": TEXT,
    "contact_phone": PHONE,
    "contact_name": NAME,
    "address": ADDRESS,
    "site_code": ADDRESS,
    "region_code": REGION,
    "lat": PLACE,
    "lon": PLACE,
    "urgency": URGENCY,
}
_TITLE_LENGTH: Final = 60
_LEAST_DIGITS: Final = 5
# Uploads need a ticket to belong to.
_LATER: Final = frozenset({FieldKind.PHOTO, FieldKind.FILE, FieldKind.SIGNATURE})


class NewTicketState(SessionState):
    status: str = "loading"
    templates: list[Plain] = []
    template: str = ""
    is_chosen: bool = False
    fields: list[Plain] = []
    actions: list[Plain] = []
    problems: dict[str, Any] = {}
    draft_key: str = ""
    search: str = ""
    found: list[Plain] = []
    customer: Plain = {}
    assets: list[Plain] = []
    asset_id: int = 0
    opened: Plain = {}
    busy: bool = False
    # The same command however often the button is pressed, so that one call opens one ticket.
    _command_id: str = ""
    _looked_up: str = ""
    # Forms differ from region to region.
    _region: str = ""

    @handler(permission="ticket.open")
    async def load(self) -> Reply:
        await self._begin()
        return None

    @handler(permission="ticket.open")
    async def another(self) -> Reply:
        await self._begin()
        return None

    @handler(permission="ticket.open")
    async def choose(self, code: str) -> Reply:
        """Take a template by hand; from now on the words do not change it."""
        self.template, self.is_chosen = code, True
        await self._draw()
        return None

    @handler(permission="ticket.open")
    async def typed(self, values: Plain) -> Reply:
        """Follow what is being typed: the words find the template, the number finds the customer."""
        text = str(values.get(TEXT) or "")
        if text and not self.is_chosen:
            code = await off_loop(_template_for, viewer=self._actor(), text=text)
            if code != self.template:
                self.template = code
                await self._draw()
        region = str(values.get(REGION) or "")
        if region != self._region:
            self._region = region
            await self._draw()
        phone = str(values.get(PHONE) or "").strip()
        if not self.customer and phone != self._looked_up and _digits(phone) >= _LEAST_DIGITS:
            self._looked_up = phone
            self.found = await off_loop(_search, viewer=self._actor(), text=phone)
        return None

    @handler(permission="ticket.open", debounce=300)
    async def look_for(self, text: str) -> Reply:
        self.search = text
        self.found = await off_loop(_search, viewer=self._actor(), text=text)
        return None

    @handler(permission="ticket.open")
    async def pick(self, customer_id: int) -> Reply:
        """Take a customer; where all their devices stand in one place, that is the place."""
        known = await off_loop(_known, viewer=self._actor(), customer_id=customer_id, at=self._now())
        self.customer, self.assets = known["customer"], known["assets"]
        self.found, self.search = [], ""
        self.asset_id = self.assets[0]["id"] if len(self.assets) == 1 else 0
        await self._draw()
        return None

    @handler(permission="ticket.open")
    async def drop_customer(self) -> Reply:
        self.customer, self.assets, self.asset_id = {}, [], 0
        await self._draw()
        return None

    @handler(permission="ticket.open")
    async def pick_asset(self, asset_id: int) -> Reply:
        self.asset_id = 0 if asset_id == self.asset_id else asset_id
        await self._draw()
        return None

    @handler(permission="ticket.open")
    async def open_ticket(self, answer: Plain) -> AsyncIterator[Reply]:
        self.problems = {}
        self.busy = True
        yield None
        values = dict(answer.get("values") or {})
        try:
            opened = await in_writer(
                opening.open_ticket,
                actor=self._actor(),
                at=self._now(),
                command_id=self._command_id,
                request=self._request(values),
            )
        except InvalidInput as refused:
            self.problems = problems_at_fields(refused, _FIELD_OF)
            shown = {each["key"] for each in self.fields}
            yield refusal(without_places(refused, shown, _FIELD_OF))
            return
        finally:
            self.busy = False
        self.opened = {
            "ticket_id": opened.ticket_id,
            "no": opened.no,
            "priority": opened.priority,
            "assignee": opened.assignee_name or "",
            "link": settings().public_url + tracking.tracking_path(opened.tracking_token),
        }
        yield done("new.opened", no=opened.no)

    def _request(self, values: Plain) -> NewTicket:
        text = str(values.pop(TEXT, None) or "").strip()
        place = values.pop(PLACE, None) or {}
        known = self._known_place()
        address = str(values.pop(ADDRESS, None) or "").strip()
        is_known = bool(known) and address == known["address"]
        urgency = str(values.pop(URGENCY, None) or "")
        own = {key: str(values.pop(key, None) or "").strip() for key in (PHONE, NAME, REGION)}
        from_record = self._from_record()
        return NewTicket(
            template_code=self.template,
            title=_headline(text),
            description=text,
            values={key: value for key, value in values.items() if value not in (None, "", [])},
            provenance={
                key: "crm" for key, value in from_record.items() if key in values and values[key] == value
            },
            customer=CustomerRef(phone=own[PHONE]) if own[PHONE] else None,
            customer_id=self.customer.get("id"),
            asset_id=self.asset_id or None,
            contact_name=own[NAME],
            contact_phone=own[PHONE],
            site_code=known["site_code"] if is_known else None,
            lat=place.get("lat"),
            lon=place.get("lon"),
            address=address,
            region_code=own[REGION] or None,
            urgency=int(urgency) if urgency.isdecimal() else None,
        )

    def _known_place(self) -> Plain:
        """The place of the device, or the one where all the customer's devices stand."""
        standing = [each["place"] for each in self.assets if each["place"]]
        chosen = [each["place"] for each in self.assets if each["id"] == self.asset_id and each["place"]]
        if chosen:
            return dict(chosen[0])
        codes = {each["site_code"] for each in standing}
        return dict(standing[0]) if len(codes) == 1 else {}

    def _from_record(self) -> Plain:
        """What the customer's record says of fields that templates commonly have."""
        asset = next((each for each in self.assets if each["id"] == self.asset_id), None)
        if asset is None:
            return {}
        return {
            "model": asset["model_code"],
            "serial": asset["serial"],
            "under_warranty": asset["is_in_warranty"],
            "category": asset["family"],
        }

    async def _begin(self) -> None:
        viewer = self._actor()
        self.opened, self.problems, self.is_chosen = {}, {}, False
        self.customer, self.assets, self.asset_id, self.found, self.search = {}, [], 0, [], ""
        self._command_id, self._looked_up, self._region = str(uuid4()), "", ""
        self.draft_key = f"new:{self._command_id}"
        self.templates = await off_loop(_templates, viewer=viewer)
        codes = [each["code"] for each in self.templates]
        asked = self.router.url.query_parameters.get("template", "")
        self.is_chosen = asked in codes
        self.template = asked if self.is_chosen else _default_of(codes)
        self.actions = [{"key": "open", "label": both("new.open"), "tone": "primary"}]
        await self._draw()
        self.status = "ready" if codes else "closed"

    async def _draw(self) -> None:
        self.fields = await off_loop(
            _fields,
            viewer=self._actor(),
            at=self._now(),
            template=self.template,
            customer=dict(self.customer),
            place=self._known_place(),
            region=self._region,
            record=self._from_record(),
        )


def _headline(text: str) -> str:
    """The first line of what was said, cut at a sentence where it is long."""
    first = text.split("\n", 1)[0].strip()
    if len(first) <= _TITLE_LENGTH:
        return first
    for mark in ("。", "；", "，", ". ", "; ", ", "):
        head, found, _ = first.partition(mark)
        if found and len(head) <= _TITLE_LENGTH:
            return head
    return first[: _TITLE_LENGTH - 1] + "…"


def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)


def _default_of(codes: list[str]) -> str:
    return DEFAULT_TEMPLATE if DEFAULT_TEMPLATE in codes else next(iter(codes), "")


def _templates(*, viewer: Actor) -> list[Plain]:
    """The templates the viewer may open tickets with, by business line."""
    texts = catalog("zh")
    with reading() as connection:
        published = form_reads.published_templates(connection, viewer.org_id)
    return [
        {
            "code": each.code,
            "name": dict(each.name),
            "icon": each.icon,
            "line": both(f"new.line.{each.business_line}")
            if f"new.line.{each.business_line}" in texts
            else each.business_line,
        }
        for each in published
        if _may_open(viewer, each.ticket_class)
    ]


def _may_open(viewer: Actor, ticket_class: str) -> bool:
    """Whether the viewer opens tickets of a class somewhere; the place decides when it is known."""
    scope = policy.row_scope(viewer, "ticket.open")
    return any(part.ticket_classes is None or ticket_class in part.ticket_classes for part in scope.parts)


def _template_for(*, viewer: Actor, text: str) -> str:
    with reading() as connection:
        published = form_reads.published_templates(connection, viewer.org_id)
    open_to = {each.code: each.keywords for each in published if _may_open(viewer, each.ticket_class)}
    code = choose_template(text, open_to).template_code
    return code if code in open_to else _default_of(list(open_to))


def _search(*, viewer: Actor, text: str) -> list[Plain]:
    with reading() as connection:
        return [plain(each) for each in customers.search(connection, viewer, text, limit=8)]


def _known(*, viewer: Actor, customer_id: int, at: datetime) -> Plain:
    with reading() as connection:
        caller = known_caller(connection, viewer=viewer, customer_id=customer_id, at=at)
    who = caller.context.customer
    return {
        "customer": {} if who is None else plain(who),
        "assets": [
            {**plain(each), "place": plain(caller.places[each.id]) if each.id in caller.places else {}}
            for each in caller.context.assets
        ],
    }


def _fields(
    *,
    viewer: Actor,
    at: datetime,
    template: str,
    customer: Plain,
    place: Plain,
    region: str,
    record: Mapping[str, Any],
) -> list[Plain]:
    if not template:
        return []
    with reading() as connection:
        published = form_reads.template_by_code(connection, viewer.org_id, template)
        regions = places.regions(connection, viewer.org_id)
        definition = _definition_at(connection, viewer, published, place.get("site_code") or "", region)
    asked = asked_at_opening(definition, at, department=viewer.department)
    drawn = [
        _recorded(each, definition, record)
        for each in form_fields(
            definition,
            asked={key: must for key, must in asked.items() if definition.field(key).kind not in _LATER},
            values={},
            at=at,
        )
    ]
    details = {
        "key": "details",
        "label": dict(published.name),
        "open": any(each.get("required") or each["key"] in record for each in drawn),
    }
    where = {"key": "where", "label": both("new.where"), "open": bool(place)}
    own = [_own(TEXT, "long_text", "new.text", required=True, focus=True, max_length=4000)]
    own.append(_own(PHONE, "phone", "new.phone", value=customer.get("phone", ""), max_length=32))
    own.append(_own(NAME, "text", "new.name", value=customer.get("name", ""), max_length=120))
    if "urgency" not in asked:
        levels = [{"value": str(level), "label": both(f"new.urgency.{level}")} for level in (1, 2, 3)]
        own.append(_own(URGENCY, "choice", "new.urgency", options=levels))
    region_options = [{"value": each.code, "label": dict(each.name)} for each in regions]
    spot = {"lat": place["lat"], "lon": place["lon"]} if place else None
    located = [
        _own(ADDRESS, "text", "new.address", value=place.get("address", ""), wide=True, max_length=300),
        _own(REGION, "choice", "new.region", options=region_options),
        _own(PLACE, "location", "new.place", value=spot),
    ]
    return [
        *own,
        *({**each, "group": details} for each in drawn),
        *({**each, "group": where} for each in located),
    ]


def _definition_at(
    connection: Connection, viewer: Actor, template: PublishedTemplate, site_code: str, region_code: str
) -> TemplateDefinition:
    """What the template asks at the place, as the ticket will have it."""
    site = places.find_site(connection, org_id=viewer.org_id, code=site_code) if site_code else None
    region = places.find_region(connection, org_id=viewer.org_id, code=region_code) if region_code else None
    region_id = site.region_id if site is not None else region.id if region is not None else None
    site_id = None if site is None else site.id
    return overrides.effective_at(connection, template, region_id=region_id, site_id=site_id).definition


def _own(key: str, kind: str, label: str, **more: Any) -> Plain:
    common = {"help": {}, "required": False, "writable": True, "value": None, "options": []}
    return {**common, "key": key, "kind": kind, "label": both(label), **more}


def _recorded(field: Plain, definition: TemplateDefinition, record: Mapping[str, Any]) -> Plain:
    """The field with what the record of the customer says of it."""
    options = definition.field(field["key"]).options
    known = record.get(field["key"])
    if known is None or (options and known not in {option.value for option in options}):
        return field
    return {**field, "value": known}
