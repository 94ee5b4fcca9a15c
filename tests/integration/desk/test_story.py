"""A customer is told what concerns them, in milestones, and nothing of how the office works."""

from datetime import datetime

import pytest

from tests.builders.company import Company, found_company
from ticket_console.desk import customer
from ticket_console.desk.assigning import release
from ticket_console.desk.moving import cancel
from ticket_console.desk.story import CustomerStory, Milestone, Teller, customer_story
from ticket_console.desk.talking import comment
from ticket_console.kernel.database import reading
from ticket_console.tickets.tables import Visibility


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def told(token: str) -> CustomerStory:
    actor, tracked = customer.customer_of(token)
    with reading() as connection:
        return customer_story(connection, viewer=actor, ticket_id=tracked.ticket_id)


def test_a_new_request_with_somebody_found_is_arranged(company: Company) -> None:
    opened = company.open()

    story = told(opened.tracking_token)

    assert story.now is Milestone.ARRANGED
    assert story.technician == opened.assignee_name
    assert [(entry.kind, entry.who) for entry in story.entries] == [
        ("arranged", opened.assignee_name),
        ("received", ""),
    ]
    assert [(each.key, each.state) for each in story.milestones] == [
        ("received", "behind"),
        ("arranged", "here"),
        ("working", "ahead"),
        ("acceptance", "ahead"),
        ("done", "ahead"),
    ]


def test_accepting_the_job_is_work_in_progress(company: Company) -> None:
    opened = company.open()
    company.act(opened.ticket_id, opened.version, by="tech_near")

    story = told(opened.tracking_token)

    assert story.now is Milestone.WORKING
    assert story.entries[0].kind == "accepted_job"


def test_that_a_job_was_given_back_is_nobodys_business_but_the_offices(company: Company) -> None:
    opened = company.open()
    release(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id="r",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="不想去",
    )

    story = told(opened.tracking_token)

    assert story.now is Milestone.RECEIVED
    assert [entry.kind for entry in story.entries] == ["arranged", "received"]
    assert "不想去" not in str(story)


def test_a_cancelled_request_says_so_without_the_reason(company: Company) -> None:
    opened = company.open()
    cancel(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="x",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="客户欠费",
    )

    story = told(opened.tracking_token)

    assert story.now is None
    assert story.entries[0].kind == "cancelled"
    assert "欠费" not in str(story)


def test_only_the_technician_has_a_name_among_those_who_write(company: Company) -> None:
    opened = company.open()
    for number, (login, text, visibility) in enumerate(
        [
            ("dispatcher", "小心这位客户", Visibility.INTERNAL),
            ("dispatcher", "师傅下午到", Visibility.CUSTOMER),
            ("tech_near", "我在路上", Visibility.CUSTOMER),
        ]
    ):
        comment(
            actor=company.actor(login),
            at=company.at,
            command_id=f"c{number}",
            ticket_id=opened.ticket_id,
            text=text,
            visibility=visibility,
        )
    customer.write(token=opened.tracking_token, at=company.at, command_id="c9", text="好的")

    assert [(word.teller, word.name, word.text) for word in told(opened.tracking_token).words] == [
        (Teller.SERVICE, "", "师傅下午到"),
        (Teller.TECHNICIAN, opened.assignee_name, "我在路上"),
        (Teller.CUSTOMER, "", "好的"),
    ]
