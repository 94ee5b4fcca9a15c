"""Live values on tickets: read from a system that really answers, or does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk import looking_up
from ticket_console.desk.migrating import apply_migration, can_revert
from ticket_console.desk.page import FieldView, ticket_page
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph_json import graph_json
from ticket_console.flows.publishing import publish_flow
from ticket_console.forms import lookups
from ticket_console.forms.lookups import LookupFailed
from ticket_console.forms.publishing import TemplateFace, publish_template, use_flow
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.outbound import AddressNotAllowed
from ticket_console.kernel.settings import settings
from ticket_console.notices.inbox import inbox
from ticket_console.tickets.reads import events_of
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import TicketNotFound, values_of

REFRESH = timedelta(seconds=600)
LATE = {
    "when": {"combinator": "and", "rules": [{"field": "parcel_hours", "operator": ">", "value": 48}]},
    "notify": {"to": "role:agent", "channel": "console", "text": {"en": "The parcel is late"}},
}


@dataclass
class Courier:
    """A system that says where a parcel is. `delay` keeps its answer back until the test is over."""

    status: int = 200
    body: bytes = b'{"data": [{"place": "Wuhan"}]}'
    delay: bool = False
    asked: list[str] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    address: str = ""

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://")


@pytest.fixture
def courier() -> Iterator[Courier]:
    made = Courier()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            if made.delay:
                made.over.wait(20)
            self.send_response(made.status)
            if made.status == 302:
                self.send_header("Location", f"{made.address}/elsewhere")
            self.send_header("Content-Length", str(len(made.body)))
            self.end_headers()
            try:
                self.wfile.write(made.body)
            except (BrokenPipeError, ConnectionResetError):
                return

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    made.over.set()
    server.shutdown()
    server.server_close()


def allow(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    allowed = replace(settings(), outbound_hosts=(host,))
    monkeypatch.setattr(looking_up, "settings", lambda: allowed)


@pytest.fixture
def company(database: Any, at: Any, courier: Courier, monkeypatch: pytest.MonkeyPatch) -> Company:
    allow(monkeypatch, courier.host)
    made = found_company(at)
    lookup = {
        "url": f"{courier.address}/parcels/{{parcel}}",
        "path": "data.0.place",
        "refresh_seconds": int(REFRESH.total_seconds()),
    }
    fields = [
        {"key": "parcel", "kind": "text", "label": {"en": "Parcel"}},
        {"key": "parcel_place", "kind": "lookup", "label": {"en": "Parcel is in"}, "lookup": lookup},
        {
            "key": "parcel_days",
            "kind": "lookup",
            "label": {"en": "Days"},
            "lookup": {**lookup, "path": "days"},
        },
        {
            "key": "parcel_hours",
            "kind": "formula",
            "label": {"en": "Hours"},
            "formula": "parcel_days * 24",
            "behaviours": [LATE],
        },
        {
            "key": "parcel_cost",
            "kind": "lookup",
            "label": {"en": "Cost"},
            "sensitivity": "cost",
            "lookup": {**lookup, "path": "cost"},
        },
    ]
    manager = made.actor("manager")
    with transaction() as connection:
        publish_template(
            connection,
            actor=manager,
            at=at,
            code="parcel",
            face=TemplateFace(name={"en": "Parcel"}, business_line="repair", ticket_class="repair"),
            definition={"sections": [{"key": "main", "fields": fields}]},
        )
        flow = flow_reads.current_version(connection, made.org_id, "consult")
        use_flow(connection, actor=manager, code="parcel", flow_id=flow.flow_id, flow_version_id=flow.id)
    return made


@pytest.fixture
def ticket_id(company: Company) -> int:
    return company.open(template="parcel", values={"parcel": "SF 1/2"}).ticket_id


Ask = Callable[..., Any]


@pytest.fixture
def ask(company: Company, ticket_id: int) -> Ask:
    def refresh(*, later: timedelta = timedelta(0), by: str = "agent", key: str = "parcel_place") -> Any:
        return looking_up.refresh(
            actor=company.actor(by),
            at=company.at + later,
            command_id=company.command_id(),
            ticket_id=ticket_id,
            field_key=key,
        )

    return refresh


def shown(company: Company, ticket_id: int, *, later: timedelta = timedelta(0)) -> FieldView | None:
    with reading() as connection:
        page = ticket_page(
            connection, viewer=company.actor("agent"), ticket_id=ticket_id, at=company.at + later
        )
    return next((each for each in page.fields if each.key == "parcel_place"), None)


def value_of(company: Company, ticket_id: int) -> Any:
    field = shown(company, ticket_id)
    assert field is not None
    return field.value


def test_a_live_value_is_read_and_kept_with_the_time_it_was_read(
    company: Company, ticket_id: int, courier: Courier, ask: Ask
) -> None:
    awaited = shown(company, ticket_id)
    assert awaited is not None
    assert (awaited.value, awaited.look["refresh_url"]) == (
        None,
        f"/api/v1/tickets/{ticket_id}/lookups/parcel_place",
    )

    told = {"value": "Wuhan", "as_of": instant_text(company.at)}
    assert ask() == told
    assert courier.asked == ["/parcels/SF%201%2F2"]
    field = shown(company, ticket_id)
    assert field is not None
    assert (field.value, field.provenance, field.look["stale"]) == (told, "lookup", False)
    with reading() as connection:
        assert [event["type"] for event in events_of(connection, ticket_id)][-1] == "ticket.looked_up"


def test_a_value_is_asked_for_again_only_once_it_is_old(
    company: Company, ticket_id: int, courier: Courier, ask: Ask
) -> None:
    first = ask()
    courier.body = b'{"data": [{"place": "Shanghai"}]}'

    assert ask(later=REFRESH) == first
    assert len(courier.asked) == 1
    old = shown(company, ticket_id, later=REFRESH + timedelta(seconds=1))
    assert old is not None
    assert (old.value, old.look["stale"]) == (first, True)
    anew = ask(later=REFRESH + timedelta(seconds=1))
    assert anew["value"] == "Shanghai"
    assert len(courier.asked) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, b""),
        (500, b'{"data": [{"place": "Hell"}]}'),
        (200, b"not JSON"),
        (200, b'{"data": []}'),
        (200, b'{"data": [{"place": "' + b"a" * lookups.LARGEST_ANSWER + b'"}]}'),
    ],
    ids=["redirect", "error", "no JSON", "no value", "too long"],
)
def test_a_source_that_gives_no_value_leaves_what_was_read_before(
    company: Company, ticket_id: int, courier: Courier, ask: Ask, status: int, body: bytes
) -> None:
    before = ask()
    courier.status, courier.body = status, body

    with pytest.raises(LookupFailed):
        ask(later=2 * REFRESH)
    assert len(courier.asked) == 2
    kept = shown(company, ticket_id, later=2 * REFRESH)
    assert kept is not None
    assert (kept.value, kept.look["stale"]) == (before, True)


def test_a_source_that_does_not_answer_is_given_up(
    company: Company, ticket_id: int, courier: Courier, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "TIMEOUT_SECONDS", 0.2)
    courier.delay = True

    with pytest.raises(LookupFailed):
        ask()
    assert value_of(company, ticket_id) is None


def test_only_hosts_that_the_operator_named_are_asked(
    company: Company, ticket_id: int, courier: Courier, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, "courier.example")

    with pytest.raises(AddressNotAllowed):
        ask()
    assert courier.asked == []
    assert value_of(company, ticket_id) is None


def test_nobody_has_a_field_read_that_they_may_not_read(
    company: Company, ticket_id: int, courier: Courier, ask: Ask
) -> None:
    with pytest.raises(LookupFailed):
        ask(key="parcel_cost")
    with pytest.raises(LookupFailed):
        ask(key="parcel")
    with pytest.raises(TicketNotFound):
        ask(by="dispatcher_cd")
    assert courier.asked == []


def test_formulas_follow_a_live_value_and_who_waits_for_it_is_told(
    company: Company, ticket_id: int, courier: Courier, ask: Ask
) -> None:
    courier.body = b'{"days": 3}'

    ask(key="parcel_days")

    with reading() as connection:
        facts = values_of(connection, ticket_id)
        told = inbox(connection, company.actor("agent")).notices
    assert (facts["parcel_days"]["value"], facts["parcel_hours"]) == ("3", "72")
    assert [notice.text["en"] for notice in told] == ["The parcel is late"]


def test_what_a_closed_ticket_says_is_asked_for_no_more(
    company: Company, ticket_id: int, courier: Courier, ask: Ask
) -> None:
    before = ask()
    tickets = table(Ticket)
    with transaction() as connection:
        connection.execute(sa.update(tickets).where(tickets.c.id == ticket_id).values(closed_at=company.at))

    assert ask(later=2 * REFRESH) == before
    assert len(courier.asked) == 1


def test_a_value_read_anew_does_not_count_as_work_on_a_migrated_ticket(
    company: Company, ticket_id: int, ask: Ask
) -> None:
    manager = company.actor("manager")
    with transaction() as connection:
        current = flow_reads.current_version(connection, company.org_id, "consult")
        graph = graph_json(flow_reads.drawn(connection, current.id))
        # The form has no such fields, and a ticket is carried only to steps that it can fill in.
        del next(node for node in graph["nodes"] if node["key"] == "answer")["fields"]
        to = publish_flow(
            connection, actor=manager, at=company.at, code="consult", name=current.name, graph=graph
        )
    moved = apply_migration(
        actor=manager,
        at=company.at,
        command_id="m",
        flow_code="consult",
        to_version_id=to.id,
        tickets={ticket_id: 1},
    )
    assert [each.ticket_id for each in moved.moved] == [ticket_id]

    ask()

    with reading() as connection:
        assert can_revert(connection, viewer=manager, ticket_ids=[ticket_id]) == {ticket_id}
