"""Rules decide what a message starts, on both databases; they are kept in versions that never change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.intake import Company, raw_row, ticket_count, ticket_row
from ticket_console.access.tables import AuditEntry
from ticket_console.flows.reads import current_version
from ticket_console.forms.publishing import TemplateFace, publish_template, use_flow
from ticket_console.intake import rule_book
from ticket_console.intake.channels import channel_named
from ticket_console.intake.raw_log import RawMessage
from ticket_console.intake.receiving import Receipt, receive
from ticket_console.intake.rule_book import RuleMoved, RuleNotFound
from ticket_console.intake.states import RawState
from ticket_console.intake.tables import TriggerRuleVersion
from ticket_console.intake.trigger_rules import InvalidRule, TriggerRuleView
from ticket_console.intake.understanding import understood
from ticket_console.jobs.sending import open_linked_tickets
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets import links


def send(company: Company, at: datetime, text: str, key: str = "k-1", **said: Any) -> Receipt:
    payload = {"description": text, **said}
    return receive(actor=company.channel, at=at, channel="api", delivery_key=key, payload=payload)


def contains(word: str) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": "text", "operator": "contains", "value": word}]}


def publish(
    company: Company, at: datetime, code: str, content: dict[str, Any], version: int | None = None
) -> TriggerRuleView:
    said = {"name": {"zh": code, "en": code}, "template": "repair", **content}
    return rule_book.publish_rule(
        actor=company.user(Role.MANAGER),
        at=at,
        command_id=f"publish:{code}",
        code=code,
        content=said,
        expected_version=version,
    )


def rules(company: Company) -> list[tuple[str, int, bool]]:
    with reading() as connection:
        found = rule_book.trigger_rules(connection, company.org_id)
    return [(rule.code, rule.number, rule.is_active) for rule in found]


@pytest.mark.parametrize(
    ("text", "template", "urgency", "code"),
    [
        ("我要投诉维修态度", "complaint", 3, "intake.template_by_rule"),
        ("I have a Complaint about your quote", "complaint", 3, "intake.template_by_rule"),
        ("请给我一份安装报价", "presales", 1, "intake.template_by_rule"),
        ("空调维修", "repair", 1, "intake.template_chosen"),
        ("你好", "general", 1, "intake.template_default"),
    ],
)
def test_a_message_starts_what_the_first_rule_says(
    company: Company, at: datetime, text: str, template: str, urgency: int, code: str
) -> None:  # INT-13
    receipt = send(company, at, text)

    assert receipt.ticket_id is not None
    ticket, reason = ticket_row(receipt.ticket_id), raw_row(receipt.raw_id)["reason"]
    assert (reason["code"], reason["params"]["template"], ticket["urgency"]) == (code, template, urgency)
    assert ticket_count() == 1


def test_a_template_that_the_sender_named_stands(company: Company, at: datetime) -> None:
    receipt = send(company, at, "投诉", template="general")

    assert receipt.ticket_id is not None
    assert raw_row(receipt.raw_id)["reason"] is None
    assert ticket_row(receipt.ticket_id)["ticket_class"] == "general"


def test_one_message_starts_a_second_ticket_only_where_a_rule_says_also(
    company: Company, at: datetime
) -> None:  # INT-13
    publish(company, at, "care", {"when": contains("投诉"), "template": "general", "also": True})

    receipt = send(company, at, "投诉")
    repeated = send(company, at, "投诉")
    before = ticket_count()
    done = open_linked_tickets(at)
    again = open_linked_tickets(at)

    assert repeated.ticket_id == receipt.ticket_id
    assert (before, ticket_count()) == (1, 2)
    assert (done["sent"], again["sent"]) == (1, 0)


def test_the_ticket_beside_knows_all_that_the_message_said(company: Company, at: datetime) -> None:  # INT-13
    publish(company, at, "care", {"when": contains("投诉"), "template": "general", "also": True})
    receipt = send(company, at, "投诉：师傅迟到两小时，\n水还在漏。")

    open_linked_tickets(at)

    assert receipt.ticket_id is not None
    with reading() as connection:
        (beside,) = links.links_of(connection, company.user(Role.MANAGER), receipt.ticket_id)
    first, second = ticket_row(receipt.ticket_id), ticket_row(beside.ticket_id)
    assert (second["title"], second["description"]) == (first["title"], first["description"])
    assert second["description"] == "投诉：师傅迟到两小时，\n水还在漏。"


def test_what_a_stranger_says_goes_into_no_internal_field_of_the_ticket_beside(
    company: Company, at: datetime
) -> None:  # PRM-02
    for code, sensitivity in (("front", "public"), ("behind", "internal")):
        field = {"key": "shade", "kind": "text", "label": {"en": "Shade"}, "sensitivity": sensitivity}
        with transaction() as connection:
            publish_template(
                connection,
                actor=company.user(Role.MANAGER),
                at=at,
                code=code,
                face=TemplateFace({"en": code}, "repair", "general", is_public=True),
                definition={"sections": [{"key": "main", "fields": [field]}]},
            )
            flow = current_version(connection, company.org_id, "consult")
            use_flow(
                connection,
                actor=company.user(Role.MANAGER),
                code=code,
                flow_id=flow.flow_id,
                flow_version_id=flow.id,
            )
    publish(company, at, "first", {"when": contains("投诉"), "template": "front"})
    publish(company, at, "beside", {"when": contains("投诉"), "template": "behind", "also": True})
    earlier = [code for code, _, _ in rules(company) if code not in ("first", "beside")]
    rule_book.reorder(
        actor=company.user(Role.MANAGER), at=at, command_id="order", codes=["first", "beside", *earlier]
    )

    def beside(channel: str) -> Mapping[str, Any]:
        payload = {"description": "投诉", "values": {"shade": "red"}}
        message = RawMessage(1, company.org_id, channel, None, None, payload, "", RawState.NEW, None, None, 0)
        (also,) = understood(message, channel_named(channel)).also
        return also.values

    assert beside("api") == {"shade": "red"}
    assert beside("web_form") == {}


def test_publishing_again_makes_a_version_and_the_same_again_makes_none(
    company: Company, at: datetime
) -> None:
    first = publish(company, at, "leaks", {"when": contains("漏水")})
    second = publish(company, at, "leaks", {"when": contains("漏")}, first.version)
    same = publish(company, at, "leaks", {"when": contains("漏")}, first.version)

    assert (first.number, second.number, same.number) == (1, 2, 2)
    with reading() as connection:
        kept = rule_book.versions_of(connection, company.user(Role.MANAGER), "leaks")
    assert [each.number for each in kept] == [2, 1]


def test_a_stale_publication_is_refused_and_changes_nothing(company: Company, at: datetime) -> None:
    first = publish(company, at, "leaks", {"when": contains("漏水")})
    publish(company, at, "leaks", {"when": contains("漏")}, first.version)
    before = rules(company)

    with pytest.raises(RuleMoved):
        publish(company, at, "leaks", {"when": contains("水")}, first.version)

    assert rules(company) == before


@pytest.mark.parametrize(
    ("content", "path", "code"),
    [
        ({"when": contains("x"), "template": "nowhere"}, "template", "template.not_found"),
        (
            {"when": {"combinator": "and", "rules": [{"field": "field.nothing", "operator": "null"}]}},
            "when",
            "condition.unknown_field",
        ),
        (
            {
                "when": {
                    "combinator": "and",
                    "rules": [
                        {"field": "vip", "operator": "=", "value": True},
                        {"field": "vip", "operator": "=", "value": False},
                    ],
                }
            },
            "when",
            "rules.never_holds",
        ),
    ],
)
def test_a_rule_that_cannot_work_is_refused(
    company: Company, at: datetime, content: dict[str, Any], path: str, code: str
) -> None:
    before = rules(company)

    with pytest.raises(InvalidRule) as caught:
        publish(company, at, "odd", content)

    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, code)]
    assert rules(company) == before


def test_rules_are_put_into_order_and_to_rest(company: Company, at: datetime) -> None:
    manager = company.user(Role.MANAGER)
    rule_book.reorder(actor=manager, at=at, command_id="o", codes=["presales-quote", "emergency-complaint"])
    with reading() as connection:
        resting = rule_book.trigger_rules(connection, company.org_id)[0]
    rule_book.set_active(
        actor=manager,
        at=at,
        command_id="r",
        code=resting.code,
        active=False,
        expected_version=resting.version,
    )

    assert rules(company) == [("presales-quote", 1, False), ("emergency-complaint", 1, True)]
    with reading() as connection:
        entries = table(AuditEntry)
        query = sa.select(entries.c.action).where(entries.c.command_id.in_(["o", "r"])).order_by(entries.c.id)
        assert connection.execute(query).scalars().all() == ["rule.reordered", "rule.rested"]


def test_an_order_of_other_rules_is_refused(company: Company, at: datetime) -> None:
    before = rules(company)

    with pytest.raises(RuleMoved):
        rule_book.reorder(actor=company.user(Role.MANAGER), at=at, command_id="o", codes=["presales-quote"])
    with pytest.raises(RuleNotFound):
        rule_book.set_active(
            actor=company.user(Role.MANAGER),
            at=at,
            command_id="r",
            code="none",
            active=False,
            expected_version=1,
        )

    assert rules(company) == before


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AGENT, Role.FINANCE, Role.TECHNICIAN, Role.AUDITOR])
def test_only_who_manages_rules_may_change_them(company: Company, at: datetime, role: Role) -> None:
    before = rules(company)
    actor = company.user(role)

    with pytest.raises(Forbidden):
        rule_book.reorder(actor=actor, at=at, command_id="o", codes=[code for code, *_ in reversed(before)])
    with pytest.raises(Forbidden):
        rule_book.publish_rule(
            actor=actor, at=at, command_id="p", code="mine", content={}, expected_version=None
        )

    assert rules(company) == before


def test_a_published_version_never_changes(company: Company, at: datetime) -> None:
    versions = table(TriggerRuleVersion)

    with pytest.raises(sa.exc.DBAPIError), transaction() as connection:
        connection.execute(sa.update(versions).values(number=9))
    with pytest.raises(sa.exc.DBAPIError), transaction() as connection:
        connection.execute(sa.delete(versions))

    with reading() as connection:
        assert set(connection.execute(sa.select(versions.c.number)).scalars()) == {1}
