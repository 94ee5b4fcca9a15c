"""What a flow says and does outside its own ticket, driven by the commands and the worker's chores."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk import customer
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.page import ticket_page
from ticket_console.flows import publishing as flow_publishing
from ticket_console.forms import publishing as form_publishing
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import definition_json
from ticket_console.jobs import chores, sending
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import InvalidInput
from ticket_console.notices import inbox, surveys
from ticket_console.notices.tables import Outbox
from ticket_console.tickets import links, reads
from ticket_console.tickets.tables import Ticket

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
QUESTION = {"key": "stars", "kind": "rating", "label": {"zh": "满意吗", "en": "How was it"}}

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    return found_company(AT)


def step(key: str, role: str = "agent", **settings: Any) -> dict[str, Any]:
    return {
        "key": key,
        "kind": "task",
        "name": {"zh": f"步骤{key}", "en": f"Step {key}"},
        "stage": "onsite",
        "weight": 1,
        "handler": {"mode": "queue", "role": role},
        **settings,
    }


def automatic(key: str, kind: str = "automatic", **settings: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "name": {"zh": key, "en": key}, "stage": "onsite", **settings}


def use_flow(company: Company, *middle: dict[str, Any], template: str = "repair") -> None:
    """Let the tickets of a template follow a flow that is a chain of these nodes, from start to end."""
    nodes = [
        {"key": "start", "kind": "start", "name": {"en": "Start"}, "stage": "intake"},
        *middle,
        {"key": "end", "kind": "end", "name": {"en": "End"}, "stage": "done"},
    ]
    keys = [node["key"] for node in nodes]
    edges = [
        {"key": f"{source}-{target}", "kind": "forward", "source": source, "target": target}
        for source, target in pairwise(keys)
    ]
    stages = [
        {"key": key, "name": {"zh": key, "en": key}, "category": category}
        for key, category in (("intake", "todo"), ("onsite", "doing"), ("done", "done"))
    ]
    with transaction() as connection:
        flow = flow_publishing.publish_flow(
            connection,
            actor=company.system,
            at=AT,
            code="reaching",
            name={"zh": "外联", "en": "Reaching out"},
            graph={"stages": stages, "nodes": nodes, "edges": edges},
        )
        form_publishing.use_flow(
            connection, actor=company.system, code=template, flow_id=flow.flow_id, flow_version_id=flow.id
        )


def finish(company: Company, ticket: OpenedTicket, *, by: str = "agent") -> None:
    company.act(ticket.ticket_id, ticket.version, by=by)


def told(company: Company, login: str) -> list[str]:
    with reading() as connection:
        return [each.text["en"] for each in inbox.inbox(connection, company.actor(login)).notices]


def outbox() -> list[tuple[str, str, str]]:
    made = table(Outbox)
    with reading() as connection:
        rows = connection.execute(sa.select(made).order_by(made.c.id))
        return [(row.channel.value, row.recipient, row.state.value) for row in rows]


def history(ticket_id: int) -> list[str]:
    with reading() as connection:
        return [event["type"] for event in reads.events_of(connection, ticket_id)]


def whole(ticket_id: int) -> bool:
    with reading() as connection:
        return reads.verify_chain(connection, ticket_id) is None


def test_an_automatic_node_calls_orders_and_tells(company: Company) -> None:  # FLW-11
    actions = [
        {"kind": "webhook", "url": "https://crm.example/hook", "fields": ["category"]},
        {"kind": "create_ticket", "template": "inspection", "title": "回访 {no}", "link": "care"},
        {"kind": "notify", "to": "role:dispatcher", "text": {"zh": "{no} 完成", "en": "{no} is done"}},
        {"kind": "notify", "to": "customer", "text": {"en": "Done"}, "channel": "sms"},
    ]
    use_flow(company, step("work"), automatic("tell", actions=actions))
    ticket = company.open(contact_phone="13900000000")
    assert outbox() == []

    finish(company, ticket)

    assert outbox() == [
        ("webhook", "https://crm.example/hook", "queued"),
        ("ticket", "inspection", "queued"),
        ("console", "role:dispatcher", "sent"),
        ("sms", "13900000000", "queued"),
    ]
    assert told(company, "dispatcher") == [f"{ticket.no} is done"]
    assert history(ticket.ticket_id)[-5:-1] == [
        "ticket.webhook_due",
        "ticket.linked_due",
        "ticket.notice_due",
        "ticket.notice_due",
    ]
    assert whole(ticket.ticket_id)


def test_what_the_title_says_is_not_filled_in_again(company: Company) -> None:
    notice = {"kind": "notify", "to": "role:dispatcher", "text": {"en": "{title}, {no}"}}
    use_flow(company, step("work"), automatic("tell", actions=[notice]))
    ticket = company.open(title="A {no} at {step}")

    finish(company, ticket)

    assert told(company, "dispatcher") == [f"A {{no}} at {{step}}, {ticket.no}"]


def test_a_long_title_keeps_no_linked_ticket_from_being_opened(company: Company) -> None:
    order = {"kind": "create_ticket", "template": "inspection", "title": "回访 {title}", "link": "care"}
    use_flow(company, step("work"), automatic("more", actions=[order]))
    ticket = company.open(title="漏" * 200)
    finish(company, ticket)

    assert sending.open_linked_tickets(AT) == {"sent": 1, "failed": 0, "dead": 0}
    with reading() as connection:
        (linked,) = links.links_of(connection, company.actor("manager"), ticket.ticket_id)
    assert linked.title == f"回访 {'漏' * 197}"


def test_a_linked_ticket_is_opened_once_and_both_know_each_other(company: Company) -> None:  # FLW-13
    order = {"kind": "create_ticket", "template": "inspection", "title": "回访 {no}", "link": "care"}
    use_flow(company, step("work"), automatic("more", actions=[order]))
    ticket = company.open(customer_id=company.customers["王芳"])
    finish(company, ticket)

    assert sending.open_linked_tickets(AT) == {"sent": 1, "failed": 0, "dead": 0}
    assert sending.open_linked_tickets(AT) == {"sent": 0, "failed": 0, "dead": 0}

    with reading() as connection:
        (linked,) = links.links_of(connection, company.actor("manager"), ticket.ticket_id)
        (back,) = links.links_of(connection, company.actor("manager"), linked.ticket_id)
        made = table(Ticket)
        row = connection.execute(sa.select(made).where(made.c.id == linked.ticket_id)).one()
    assert (linked.title, linked.kind, linked.is_outgoing) == (f"回访 {ticket.no}", "care", True)
    assert (back.ticket_id, back.is_outgoing) == (ticket.ticket_id, False)
    assert (row.root_id, row.parent_id) == (ticket.ticket_id, ticket.ticket_id)
    assert row.customer_id == company.customers["王芳"]
    assert history(ticket.ticket_id)[-1] == "ticket.linked"
    assert whole(ticket.ticket_id)


def test_an_order_that_cannot_be_carried_out_is_noted_and_not_tried_for_ever(company: Company) -> None:
    order = {"kind": "create_ticket", "template": "nothing", "title": "x", "link": "care"}
    use_flow(company, step("work"), automatic("more", actions=[order]))
    ticket = company.open()
    finish(company, ticket)

    assert sending.open_linked_tickets(AT) == {"sent": 0, "failed": 0, "dead": 1}
    assert sending.open_linked_tickets(AT) == {"sent": 0, "failed": 0, "dead": 0}
    assert history(ticket.ticket_id)[-1] == "ticket.linked_refused"


def test_flows_that_order_each_other_come_to_an_end(company: Company) -> None:
    order = {"kind": "create_ticket", "template": "repair", "title": "again", "values": {"category": "hvac"}}
    use_flow(company, automatic("more", actions=[order]), step("work"))
    company.open()
    opened = [sending.open_linked_tickets(AT)["sent"] for _ in range(8)]

    assert opened == [1, 1, 1, 1, 1, 0, 0, 0]


def test_passing_a_survey_asks_once_and_the_customer_answers_by_their_link(company: Company) -> None:
    # FLW-17
    use_flow(
        company,
        step("work"),
        automatic("ask", "survey", survey={"questions": [QUESTION]}),
        step("after"),
    )
    ticket = company.open()
    finish(company, ticket)
    view = customer.track(token=ticket.tracking_token, at=AT)
    (survey,) = view.surveys
    answer = {
        "token": ticket.tracking_token,
        "at": AT,
        "survey_id": survey.id,
        "answers": {"stars": 5},
    }

    first = customer.answer_survey(command_id="answer-1", **answer)
    again = customer.answer_survey(command_id="answer-1", **answer)

    assert again.version == first.version
    with reading() as connection:
        assert [each.answers for each in surveys.of_ticket(connection, ticket.ticket_id)] == [{"stars": 5}]
    assert history(ticket.ticket_id)[-1] == "ticket.survey_answered"
    with pytest.raises(surveys.AlreadyAnswered):
        customer.answer_survey(command_id="answer-2", **answer)
    assert history(ticket.ticket_id).count("ticket.survey_answered") == 1


def test_notices_of_a_step_are_told_when_it_is_entered_and_finished(company: Company) -> None:
    notices = [
        {"on": "entered", "to": "role:dispatcher", "text": {"en": "{step} waits"}},
        {"on": "completed", "to": "role:manager", "text": {"en": "{step} is finished"}},
    ]
    use_flow(company, step("work", notices=notices), step("after"))
    ticket = company.open()

    assert told(company, "dispatcher") == ["Step work waits"]
    assert told(company, "manager") == []
    finish(company, ticket)
    assert told(company, "manager") == ["Step work is finished"]


def test_a_step_that_takes_too_long_is_told_once_and_one_in_time_never(company: Company) -> None:  # FLW-16
    late = [{"on": "overdue", "to": "role:manager", "text": {"en": "{no} is late"}}]
    use_flow(company, step("work", targets={"finish_minutes": 30}, notices=late), step("after"))
    slow, quick = company.open(), company.open()
    finish(company, quick)

    assert chores.fire_timers(AT + timedelta(minutes=29))["fired"] == 0
    assert chores.fire_timers(AT + timedelta(minutes=30))["fired"] == 1
    assert chores.fire_timers(AT + timedelta(minutes=31))["fired"] == 0

    assert told(company, "manager") == [f"{slow.no} is late"]
    assert history(slow.ticket_id)[-2:] == ["ticket.step_late", "ticket.notice_due"]
    assert whole(slow.ticket_id)


def test_a_step_somebody_has_is_not_late_in_being_claimed(company: Company) -> None:
    late = [{"on": "overdue", "to": "role:manager", "text": {"en": "nobody has {no}"}}]
    technician = {"mode": "technician", "role": "technician"}
    use_flow(company, step("work", handler=technician, targets={"claim_minutes": 5}, notices=late))
    company.open()

    chores.fire_timers(AT + timedelta(minutes=5))

    assert told(company, "manager") == []


def test_an_urgent_value_is_one_sms(company: Company) -> None:  # TPL-06
    with reading() as connection:
        template = form_reads.template_by_code(connection, company.org_id, "repair")
    definition = definition_json(template.definition)
    for section in definition["sections"]:
        for spec in section["fields"]:
            if spec["key"] == "category":
                spec["behaviours"] = [
                    {
                        "when": {
                            "combinator": "and",
                            "rules": [{"field": "category", "operator": "=", "value": "hvac"}],
                        },
                        "style": "danger",
                        "notify": {"to": "customer", "channel": "sms", "text": {"zh": "{no} 加急"}},
                    }
                ]
    with transaction() as connection:
        form_publishing.publish_template(
            connection,
            actor=company.system,
            at=AT,
            code="repair",
            face=form_publishing.TemplateFace(template.name, template.business_line, template.ticket_class),
            definition=definition,
        )
    use_flow(company, step("work", fields=[{"key": "category"}]))
    ticket = company.open(contact_phone="13900000000")

    company.act(ticket.ticket_id, ticket.version, by="agent", values={"category": "hvac"})

    assert outbox() == [("sms", "13900000000", "queued")]


def test_a_customer_without_a_number_is_noted(company: Company) -> None:
    sms = {"kind": "notify", "to": "customer", "text": {"en": "Done"}, "channel": "sms"}
    use_flow(company, automatic("tell", actions=[sms]), step("work"))
    ticket = company.open()

    assert outbox() == []
    assert "ticket.notice_without_address" in history(ticket.ticket_id)


LIST = [{"key": "power", "text": {"en": "Power off"}}, {"key": "gas", "text": {"en": "Gas closed"}}]


@pytest.mark.parametrize(
    ("entered", "code"),
    [
        (None, "field.checklist_required"),
        ([{"key": "power", "state": "ok"}], "field.checklist_required"),
        ([{"key": "power", "state": "ok"}, {"key": "door", "state": "ok"}], "field.bad_checklist"),
        ("done", "field.not_a_list"),
    ],
)
def test_a_step_is_not_finished_before_its_list_was_gone_through(
    company: Company, entered: Any, code: str
) -> None:  # TPL-14
    use_flow(company, step("work", checklist=LIST, evidence=["checklist"]))
    ticket = company.open()
    before = history(ticket.ticket_id)

    with pytest.raises(InvalidInput) as refusal:
        company.act(ticket.ticket_id, ticket.version, by="agent", checklist=entered)

    assert [(problem.path, problem.code) for problem in refusal.value.problems] == [("checklist", code)]
    assert history(ticket.ticket_id) == before


def test_what_was_found_at_each_point_is_kept_in_the_history(company: Company) -> None:
    lines = [{"key": "power", "state": "ok"}, {"key": "gas", "state": "problem", "note": "leaks"}]
    use_flow(company, step("work", checklist=LIST, evidence=["checklist"]))
    ticket = company.open()

    company.act(ticket.ticket_id, ticket.version, by="agent", checklist=lines)

    with reading() as connection:
        events = reads.events_of(connection, ticket.ticket_id)
    assert [event["payload"]["lines"] for event in events if event["type"] == "ticket.checked"] == [lines]
    assert whole(ticket.ticket_id)


def test_a_step_shows_what_helps_with_it_but_not_to_the_customer(company: Company) -> None:  # TPL-13
    manual = {"title": {"en": "Manual"}, "url": "https://docs.example/manual"}
    use_flow(
        company,
        step(
            "work",
            description={"en": "Look first"},
            documents=[manual],
            parts=[{"sku": "CAP-35", "qty": 2}, {"sku": "GONE-1", "qty": 1}],
        ),
    )
    ticket = company.open()
    with reading() as connection:
        page = ticket_page(connection, viewer=company.actor("agent"), ticket_id=ticket.ticket_id, at=AT)
    theirs = customer.track(token=ticket.tracking_token, at=AT).ticket

    guide = page.steps[0].guide
    assert guide.description == {"en": "Look first"}
    assert [each.url for each in guide.documents] == ["https://docs.example/manual"]
    assert [(each.sku, each.name["en"], each.qty) for each in guide.parts] == [
        ("CAP-35", "Capacitor", 2),
        ("GONE-1", "GONE-1", 1),
    ]
    assert [(each.guide.description, each.guide.documents, each.guide.parts) for each in theirs.steps] == [
        ({}, (), ())
    ]
