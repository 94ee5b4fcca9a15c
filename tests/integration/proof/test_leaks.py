"""Secrets are planted in a company; then everybody reads everything they can, and nothing may turn up."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from pydantic_core import to_json

from tests.builders.company import CHENGDU, Company, found_company
from tests.fixtures.databases import Database
from tests.integration.proof.conftest import AT
from tests.integration.proof.door import PASSWORD, Door
from tests.integration.proof.journeys import STROKES, done_on_site, finish_on_site, picture
from ticket_console.access import administration, throttle
from ticket_console.access.administration import NewGrant, NewUser
from ticket_console.customers import reads as customer_reads
from ticket_console.customers.tables import Customer, CustomerOrder
from ticket_console.desk import calling, customer, offering, story
from ticket_console.desk.moving import send_back
from ticket_console.desk.my_work import my_work
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.talking import attach, comment
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.intake import reads as intake_reads
from ticket_console.intake.receiving import channel_actor, receive
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.reports import audit, metrics
from ticket_console.settlement import payees, statements
from ticket_console.settlement import reads as settlement_reads
from ticket_console.settlement.tables import Period, Posting
from ticket_console.stock.tables import Part
from ticket_console.tickets import board
from ticket_console.tickets.board import BoardFilters
from ticket_console.tickets.tables import Visibility

LATER: Final = AT + timedelta(hours=5)
STAFF: Final = (
    "manager",
    "dispatcher",
    "dispatcher_cd",
    "agent",
    "marketing",
    "finance",
    "auditor",
    "tech_near",
    "tech_far",
    "tech_cd",
)
TOKEN: Final = "a program"
CUSTOMER: Final = "the customer"
PHONE: Final = "13912345678"
# What is planted, as it is written somewhere in an answer.
SECRETS: Final = {
    "cost of the closed repair": ("98765.43", "9876543"),
    "cost of the repair on site": ("87654.32", "8765432"),
    "price of a part": ("76543.21", "7654321"),
    "what a customer paid": ("65432.19", "6543219"),
    "number of the customer": (PHONE,),
    "a ticket of Shanghai": ("机密甲",),
    "an enquiry of Chengdu": ("机密乙",),
    "an inner word": ("暗语一",),
    "a reason to go back": ("暗语二",),
    "a note for dispatch": ("暗语三",),
    "a word for the customer": ("明言四",),
}
ALL_OF_SHANGHAI: Final = {"manager", "dispatcher", "agent", "finance", "auditor", "tech_near"}
KNOWN_TO: Final[dict[str, set[str]]] = {
    # PRM-02: once nobody works on it, costs are for those who may read costs.
    "cost of the closed repair": {"manager", "auditor"},
    # PRM-03: while the step that grants it is open, the technician writes it and the dispatcher reads it.
    "cost of the repair on site": {"manager", "auditor", "dispatcher", "tech_near"},
    # PRM-04: part of what is paid out, so for who may see pay, and for the one who is paid.
    "price of a part": {"manager", "finance", "auditor", "tech_near"},
    "what a customer paid": {"manager", "auditor"},
    # For who may have to call: to take a request or to do the job. Messages are audited word for word.
    "number of the customer": {"manager", "dispatcher", "agent", "marketing", "auditor", "tech_near"},
    # PRM-05
    "a ticket of Shanghai": ALL_OF_SHANGHAI | {TOKEN, CUSTOMER},
    "an enquiry of Chengdu": {
        "manager",
        "dispatcher",
        "dispatcher_cd",
        "agent",
        "marketing",
        "finance",
        "auditor",
        TOKEN,
    },
    "an inner word": ALL_OF_SHANGHAI | {TOKEN},
    "a reason to go back": ALL_OF_SHANGHAI | {TOKEN},
    # On site the flow keeps it from agents.
    "a note for dispatch": {"manager", "dispatcher", "auditor", "tech_near", TOKEN},
    "a word for the customer": ALL_OF_SHANGHAI | {TOKEN, CUSTOMER},
}


@dataclass(frozen=True, slots=True)
class Scene:
    company: Company
    door: Door
    closed: OpenedTicket
    on_site: OpenedTicket
    foreign: OpenedTicket
    attachment_ids: tuple[int, ...]
    statement_id: int
    period_id: int
    token: str

    @property
    def ticket_ids(self) -> tuple[int, ...]:
        return tuple(each.ticket_id for each in (self.closed, self.on_site, self.foreign))


@pytest.fixture(scope="module")
def scene(lasting_database: Database) -> Iterator[Scene]:
    throttle.forget()
    company = found_company(AT)
    administration.create_user(
        actor=company.system,
        at=AT,
        command_id="marketing",
        user=NewUser(
            "marketing",
            "marketing",
            PASSWORD,
            grants=(NewGrant(Role.AGENT, ticket_classes=frozenset({"consult"})),),
        ),
    )
    customer_id = _plant(company)
    closed = _closed_repair(company, customer_id)
    on_site = _refused_repair(company, customer_id)
    foreign = company.open(template="consult", title="机密乙", lat=CHENGDU[0], lon=CHENGDU[1])
    _receive(company)
    attachments = _say_and_show(company, closed, on_site)
    statement_id, period_id = _state(company)
    door = Door(company)
    for login in STAFF:
        door.let_in(login)
    token = door.with_token("ticket.view", "board.view", "dashboard.view")
    yield Scene(company, door, closed, on_site, foreign, attachments, statement_id, period_id, token)
    throttle.forget()


def _plant(company: Company) -> int:
    customers, parts, orders = table(Customer), table(Part), table(CustomerOrder)
    customer_id = company.customers["王芳"]
    with transaction() as connection:
        connection.execute(sa.update(customers).where(customers.c.id == customer_id).values(phone=PHONE))
        connection.execute(
            sa.insert(parts).values(
                org_id=company.org_id,
                sku="SECRET-1",
                name={"zh": "压缩机", "en": "Compressor"},
                uom="pcs",
                unit_cost_minor=7_654_321,
                currency="CNY",
            )
        )
        connection.execute(
            sa.insert(orders).values(
                org_id=company.org_id,
                no="SO-1",
                customer_id=customer_id,
                ordered_on=date(2026, 1, 5),
                total_minor=6_543_219,
                currency="CNY",
            )
        )
    return customer_id


def _closed_repair(company: Company, customer_id: int) -> OpenedTicket:
    """Done, accepted and settled."""
    done = done_on_site(
        company,
        title="机密甲 一",
        customer_id=customer_id,
        values={"parts_cost": "98765.43", "parts": [{"sku": "SECRET-1", "qty": "1"}]},
    )
    customer.accept(
        token=done.tracking_token,
        at=AT + timedelta(hours=2),
        command_id="accept",
        signer_name="王芳",
        strokes=STROKES,
    )
    return done


def _refused_repair(company: Company, customer_id: int) -> OpenedTicket:
    """Back on site with tech_near, because the customer was not content; before, it was dispatched twice."""
    opened = company.open(title="机密甲 二", customer_id=customer_id)
    back = send_back(
        actor=company.actor("tech_near"),
        at=AT,
        command_id="back",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="暗语二",
    )
    note = {"category": "hvac", "dispatch_note": "暗语三"}
    sent = company.act(opened.ticket_id, back.version, by="dispatcher", values=note)
    finish_on_site(company, opened.ticket_id, sent.version, values={"parts_cost": "87654.32"})
    customer.refuse(
        token=opened.tracking_token, at=AT + timedelta(hours=2), command_id="no", reason="还在漏水"
    )
    return opened


def _receive(company: Company) -> None:
    receive(
        actor=channel_actor(company.org_id, "api"),
        at=AT,
        channel="api",
        delivery_key="k",
        payload={
            "template": "repair",
            "title": "机密甲 三",
            "contact_phone": PHONE,
            "site": "sh-1",
            "values": {"category": "lift"},
        },
    )


def _say_and_show(company: Company, closed: OpenedTicket, on_site: OpenedTicket) -> tuple[int, ...]:
    by: dict[str, Any] = {"actor": company.actor("dispatcher"), "at": AT + timedelta(hours=3)}
    kept = []
    for ticket in (closed, on_site):
        comment(**by, command_id=company.command_id(), ticket_id=ticket.ticket_id, text="暗语一")
        comment(
            **by,
            command_id=company.command_id(),
            ticket_id=ticket.ticket_id,
            text="明言四",
            visibility=Visibility.CUSTOMER,
        )
        shown = attach(
            **by,
            command_id=company.command_id(),
            ticket_id=ticket.ticket_id,
            filename="暗语一.jpg",
            content=picture(),
        )
        kept.append(shown.attachment_id)
    return tuple(kept)


def _state(company: Company) -> tuple[int, int]:
    """What tech_near earned, on a statement."""
    with transaction() as connection:
        period_id = connection.execute(sa.select(table(Period).c.id)).scalar_one()
        drafted = statements.draft(
            connection,
            actor=company.actor("finance"),
            payee=payees.technician(company.technicians["tech_near"]),
            period_id=period_id,
            command_id="draft",
        )
    return drafted.id, period_id


def everything_over_http(scene: Scene, viewer: str) -> Iterator[tuple[str, str]]:
    """What the API tells somebody, by address; refusals are answers too."""
    client = scene.door.as_(None if viewer == TOKEN else viewer)
    if viewer == TOKEN:
        client.headers["authorization"] = f"Bearer {scene.token}"
    near = scene.company.technicians["tech_near"]
    paths = [
        "/api/v1/board",
        *(f"/api/v1/board?search={text}" for text in ("98765", PHONE, "机密")),
        *(f"/api/v1/tickets/{ticket_id}" for ticket_id in scene.ticket_ids),
        f"/api/v1/statements/{scene.statement_id}?format=csv",
        f"/api/v1/periods/{scene.period_id}/technicians/{near}/earnings?format=csv",
        f"/api/v1/periods/{scene.period_id}/totals?format=csv",
        "/api/v1/intake/api",
    ]
    for path in paths:
        yield path, client.get(path).text


def everything_on_screen(scene: Scene, viewer: Actor) -> Iterator[tuple[str, str]]:
    """What the screens read for somebody, by name."""
    at, near = LATER, scene.company.technicians["tech_near"]
    asked = audit.Asked(since=AT - timedelta(days=1), until=LATER + timedelta(days=1))
    reads: dict[str, Callable[[sa.Connection], Any]] = {
        "dashboard": lambda c: metrics.dashboard(c, viewer=viewer, at=at, slice=metrics.EVERYTHING),
        "ticket list": lambda c: metrics.ticket_list(
            c, viewer=viewer, at=at, slice=metrics.EVERYTHING, metric=None
        ),
        "searched list": lambda c: metrics.ticket_list(
            c, viewer=viewer, at=at, slice=metrics.EVERYTHING, metric=None, search=PHONE
        ),
        "changed cards": lambda c: board.changed_cards(
            c, viewer=viewer, filters=BoardFilters(), at=at, ticket_ids=scene.ticket_ids
        ),
        "my work": lambda c: my_work(c, viewer=viewer, at=at),
        "waiting": lambda c: dispatch_reads.unassigned_queue(c, viewer),
        "loads": lambda c: dispatch_reads.technician_loads(c, viewer),
        "inbox": lambda c: intake_reads.inbox(c, viewer),
        "messages": lambda c: [
            intake_reads.raw_detail(c, viewer, entry.raw_id)
            for entry in intake_reads.inbox(c, viewer).entries
        ],
        "audit": lambda c: audit.search(c, viewer, asked, limit=500),
        "customers": lambda c: customer_reads.search(c, viewer, PHONE[:5]),
        "caller": lambda c: calling.known_caller(
            c, viewer=viewer, customer_id=scene.company.customers["王芳"], at=at
        ),
        "totals": lambda c: settlement_reads.technician_totals(c, viewer=viewer, period_id=scene.period_id),
        "earned with": lambda c: settlement_reads.ticket_totals(
            c, viewer=viewer, period_id=scene.period_id, payee=payees.technician(near)
        ),
        "ratings": lambda c: settlement_reads.ticket_ratings(
            c, viewer=viewer, ticket_id=scene.closed.ticket_id
        ),
        "offers": lambda c: offering.offers_for(c, viewer=viewer, ticket_id=scene.on_site.ticket_id, at=at),
    }
    for name, read in reads.items():
        with reading() as connection:
            try:
                yield name, _told(read(connection))
            except ConsoleError as refusal:
                yield name, _told(refusal.params)


def everything_for_the_customer(scene: Scene) -> Iterator[tuple[str, str]]:
    for ticket in (scene.closed, scene.on_site):
        yield "tracking", _told(customer.track(token=ticket.tracking_token, at=LATER))
        actor, _ = customer.customer_of(ticket.tracking_token)
        with reading() as connection:
            told = story.customer_story(connection, viewer=actor, ticket_id=ticket.ticket_id)
        yield "story", _told(told)


def _told(answer: Any) -> str:
    return to_json(answer, inf_nan_mode="null", fallback=str).decode()


def everything(scene: Scene, viewer: str) -> Iterator[tuple[str, str]]:
    if viewer == CUSTOMER:
        yield from everything_for_the_customer(scene)
        return
    yield from everything_over_http(scene, viewer)
    if viewer != TOKEN:
        yield from everything_on_screen(scene, scene.company.actor(viewer))


def test_a_secret_is_told_to_those_who_may_know_it_and_to_nobody_else(scene: Scene) -> None:
    # PRM-01 PRM-02 PRM-03 PRM-04 PRM-05 invariant 11
    places: dict[str, defaultdict[str, list[str]]] = {name: defaultdict(list) for name in KNOWN_TO}
    for viewer in (*STAFF, TOKEN, CUSTOMER):
        for place, answer in everything(scene, viewer):
            for name in KNOWN_TO:
                if any(spelling in answer for spelling in SECRETS[name]):
                    places[name][viewer].append(place)

    leaks = {
        (name, viewer): found[viewer]
        for name, found in places.items()
        for viewer in found
        if viewer not in KNOWN_TO[name]
    }
    withheld = {(name, viewer) for name in KNOWN_TO for viewer in KNOWN_TO[name] - places[name].keys()}
    assert leaks == {}
    assert withheld == set()


def test_counts_tell_of_no_ticket_that_is_not_shown(scene: Scene) -> None:  # PRM-05
    seen = dict.fromkeys(("manager", "dispatcher", "agent", "finance", "auditor"), 4)
    seen |= {"dispatcher_cd": 1, "marketing": 1, "tech_near": 3, "tech_far": 0, "tech_cd": 0}
    for login in STAFF:
        viewer = scene.company.actor(login)
        with reading() as connection:
            listed = metrics.ticket_list(
                connection, viewer=viewer, at=LATER, slice=metrics.EVERYTHING, metric=None
            )
        assert (listed.count, len(listed.rows)) == (seen[login], seen[login]), login

    for login in STAFF[:7]:
        lanes = scene.door.as_(login).get("/api/v1/board").json()["lanes"]
        with reading() as connection:
            figures = metrics.dashboard(
                connection, viewer=scene.company.actor(login), at=LATER, slice=metrics.EVERYTHING
            )
        assert sum(lane["count"] for lane in lanes) == seen[login], login
        assert sum(len(lane["cards"]) for lane in lanes) == seen[login], login
        assert sum(day.opened for day in figures.days) == seen[login], login
        # One of the four has ended.
        still_open = max(seen[login] - 1, 1)
        assert sum(bar.open for bar in figures.by_region) == still_open, login
        assert sum(bar.open for bar in figures.by_template) == still_open, login


def test_files_open_for_those_who_see_the_ticket(scene: Scene) -> None:
    (file_id, _) = scene.attachment_ids
    answers = {
        login: scene.door.as_(login).get(f"/api/v1/attachments/{file_id}").status_code for login in STAFF
    }
    by_link = scene.door.as_(None).get(f"/api/v1/track/{scene.closed.tracking_token}/attachments/{file_id}")

    assert {login for login, status in answers.items() if status == 200} == ALL_OF_SHANGHAI
    assert {answers[login] for login in answers.keys() - ALL_OF_SHANGHAI} == {404}
    assert by_link.status_code == 404


def test_the_scene_holds_money_to_be_found(scene: Scene) -> None:
    postings = table(Posting)
    with reading() as connection:
        highest = connection.execute(sa.select(sa.func.max(postings.c.amount_minor))).scalar_one()
    assert highest >= 7_654_321
