"""A request becomes exactly one ticket, a duplicate or a refusal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from tests.builders.intake import Company, raw_row, raw_states, ticket_count, ticket_row
from ticket_console.intake.channels import MalformedChannel
from ticket_console.intake.receiving import Receipt, receive
from ticket_console.intake.refusals import KeyMalformed, KeyMissing, KeyReused, UnreadableBody
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import Role
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.tickets.tracking import tracking_hash, tracking_token

REPAIR = {
    "template": "repair",
    "title": "空调坏了",
    "contact_phone": "13800000001",
    "latitude": 31.21,
    "longitude": 121.41,
    "values": {"category": "hvac"},
}


def send(
    company: Company,
    at: datetime,
    payload: Mapping[str, Any],
    *,
    key: str | None = "k-1",
    channel: str = "api",
) -> Receipt:
    return receive(actor=company.channel, at=at, channel=channel, delivery_key=key, payload=payload)


# INT-01
def test_a_request_becomes_a_ticket_that_says_where_it_came_from(company: Company, at: datetime) -> None:
    receipt = send(company, at, REPAIR)

    assert receipt.ticket_id is not None
    ticket, raw = ticket_row(receipt.ticket_id), raw_row(receipt.raw_id)
    assert (ticket["no"], ticket["title"], ticket["source"]) == (receipt.ticket_no, "空调坏了", "api")
    assert (ticket["raw_intake_id"], ticket["ticket_class"]) == (receipt.raw_id, "repair")
    assert (ticket["contact_phone"], ticket["site_id"]) == ("13800000001", 1)
    assert (raw["state"], raw["ticket_id"], raw["payload"]) == (RawState.TICKET, receipt.ticket_id, REPAIR)
    assert (raw["received_at"], raw["settled_at"], raw["received_by"]) == (at, at, "channel")


def test_the_tracking_link_opens_its_ticket_and_only_its_hash_is_kept(company: Company, at: datetime) -> None:
    receipt = send(company, at, REPAIR)

    assert receipt.ticket_id is not None
    token = tracking_token(secret=settings().secret_key, ticket_id=receipt.ticket_id)
    assert receipt.tracking_token == token
    assert len(token) >= 32
    assert ticket_row(receipt.ticket_id)["tracking_hash"] == tracking_hash(token)


# PAIN-32
def test_the_same_delivery_again_gets_the_same_answer_and_changes_nothing(
    company: Company, at: datetime
) -> None:
    first = send(company, at, REPAIR)
    again = send(company, at, dict(reversed(REPAIR.items())))

    assert again == Receipt(
        first.raw_id, RawState.TICKET, first.ticket_id, first.ticket_no, first.tracking_token, is_repeat=True
    )
    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 1}, 1)


# PAIN-32
def test_the_same_key_with_another_content_is_refused_and_kept(company: Company, at: datetime) -> None:
    send(company, at, REPAIR)

    for _ in range(2):
        with pytest.raises(KeyReused):
            send(company, at, {**REPAIR, "title": "电梯坏了"})

    assert raw_states() == {RawState.TICKET: 1, RawState.REJECTED: 1}
    assert ticket_count() == 1


def test_a_corrected_request_may_come_with_the_key_of_the_rejected_one(
    company: Company, at: datetime
) -> None:
    with pytest.raises(InvalidInput):
        send(company, at, {**REPAIR, "urgency": 9, "external_id": "E-1"})
    opened = send(company, at, {**REPAIR, "urgency": 3, "external_id": "E-1"})

    assert opened.state is RawState.TICKET
    assert raw_states() == {RawState.REJECTED: 1, RawState.TICKET: 1}
    with pytest.raises(KeyReused):
        send(company, at, {**REPAIR, "urgency": 9, "external_id": "E-1"})


# PAIN-32
def test_a_number_that_came_before_is_a_duplicate_of_that_ticket(company: Company, at: datetime) -> None:
    first = send(company, at, {**REPAIR, "external_id": "E-1"}, key="k-1")
    second = send(company, at, {**REPAIR, "external_id": "E-1", "title": "还是坏的"}, key="k-2")

    assert (second.state, second.ticket_id, second.ticket_no) == (
        RawState.DUPLICATE,
        first.ticket_id,
        first.ticket_no,
    )
    assert raw_row(second.raw_id)["reason"] == {
        "code": "intake.duplicate",
        "params": {"raw_id": first.raw_id},
    }
    assert ticket_count() == 1


def test_a_number_counts_only_within_its_channel(company: Company, at: datetime) -> None:
    send(company, at, {**REPAIR, "external_id": "E-1"}, channel="api")
    send(company, at, {**REPAIR, "external_id": "E-1"}, channel="website")

    assert ticket_count() == 2


def test_without_a_key_the_number_makes_a_repetition_known(company: Company, at: datetime) -> None:
    payload = {**REPAIR, "external_id": "E-1"}

    first = send(company, at, payload, key=None)
    again = send(company, at, payload, key=None)
    changed = send(company, at, {**payload, "title": "还是坏的"}, key=None)

    assert (again.raw_id, again.is_repeat) == (first.raw_id, True)
    assert (changed.state, changed.ticket_id) == (RawState.DUPLICATE, first.ticket_id)
    assert raw_states() == {RawState.TICKET: 1, RawState.DUPLICATE: 1}


def test_a_rejected_message_gives_its_number_back(company: Company, at: datetime) -> None:
    with pytest.raises(InvalidInput):
        send(company, at, {"external_id": "E-1"}, key="k-1")

    assert send(company, at, {**REPAIR, "external_id": "E-1"}, key="k-2").state is RawState.TICKET
    assert send(company, at, {**REPAIR, "external_id": "E-1"}, key="k-3").state is RawState.DUPLICATE


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"template": "no-such"}, [("template", "template.not_found")]),
        ({"title": ""}, [("title", "input.missing")]),
        ({"title": 5}, [("title", "input.wrong_type")]),
        ({"colour": "red"}, [("colour", "input.unknown_key")]),
        ({"values": {"category": "boat"}}, [("category", "field.not_an_option")]),
        ({"values": {"colour": "red"}}, [("colour", "field.unknown")]),
        ({"site": "nowhere"}, [("site", "intake.unknown_site")]),
    ],
)
def test_what_cannot_become_a_ticket_is_kept_as_rejected_with_its_problems(
    company: Company, at: datetime, change: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    payload = {**REPAIR, **change}

    with pytest.raises(InvalidInput) as refused:
        send(company, at, payload)
    with pytest.raises(InvalidInput) as again:
        send(company, at, payload)

    assert [(each.path, each.code) for each in refused.value.problems] == problems
    assert again.value.problems == refused.value.problems
    assert (again.value.code, again.value.http_status) == (refused.value.code, 422)
    assert (raw_states(), ticket_count()) == ({RawState.REJECTED: 1}, 0)


def test_script_in_a_text_stays_text(company: Company, at: datetime) -> None:
    script = "<img src=x onerror=alert(1)>{{7*7}}'; DROP TABLE ticket; --"

    receipt = send(company, at, {**REPAIR, "title": script, "description": script})

    assert receipt.ticket_id is not None
    ticket = ticket_row(receipt.ticket_id)
    assert (ticket["title"], ticket["description"]) == (script, script)


@pytest.mark.parametrize("text", ["a\x00b", "bell\x07", "escape\x1b[31m"])
def test_control_characters_are_refused_on_both_databases(company: Company, at: datetime, text: str) -> None:
    with pytest.raises(InvalidInput):
        send(company, at, {**REPAIR, "title": text})

    assert raw_states() == {RawState.REJECTED: 1}


def test_text_that_no_encoding_can_hold_is_refused_before_it_is_kept(company: Company, at: datetime) -> None:
    with pytest.raises(UnreadableBody):
        send(company, at, {**REPAIR, "title": "half \ud83d"})

    assert raw_states() == {}


# INT-03
def test_an_unknown_channel_opens_a_ticket_of_other_source(company: Company, at: datetime) -> None:
    receipt = send(company, at, REPAIR, channel="carrier_pigeon")

    assert receipt.ticket_id is not None
    assert ticket_row(receipt.ticket_id)["source"] == "other"
    assert raw_row(receipt.raw_id)["channel"] == "carrier_pigeon"


@pytest.mark.parametrize("channel", ["", "No Channel", "../etc", "x" * 33])
def test_a_malformed_channel_keeps_nothing(company: Company, at: datetime, channel: str) -> None:
    with pytest.raises(MalformedChannel):
        send(company, at, REPAIR, channel=channel)

    assert raw_states() == {}


@pytest.mark.parametrize("key", ["", "two words", "x" * 101, "ключ", "tab\t"])
def test_a_malformed_key_keeps_nothing(company: Company, at: datetime, key: str) -> None:
    with pytest.raises(KeyMalformed):
        send(company, at, REPAIR, key=key)

    assert raw_states() == {}


def test_without_key_and_number_nothing_is_kept(company: Company, at: datetime) -> None:
    with pytest.raises(KeyMissing):
        send(company, at, REPAIR, key=None)

    assert raw_states() == {}


def test_who_may_not_open_tickets_leaves_no_trace(company: Company, at: datetime) -> None:
    with pytest.raises(Forbidden):
        receive(actor=company.user(Role.AUDITOR), at=at, channel="api", delivery_key="k", payload=REPAIR)

    assert raw_states() == {}


# INT-10, INT-12
@pytest.mark.parametrize(
    ("text", "template_class", "note"),
    [
        ("空调坏了，不制冷", "repair", {"template": "repair", "keyword": "不制冷"}),
        ("请安装一台热水器", "install", {"template": "install", "keyword": "安装"}),
        ("你好", "general", {"template": "general"}),
    ],
)
def test_words_choose_the_template_and_the_log_says_which(
    company: Company, at: datetime, text: str, template_class: str, note: dict[str, str]
) -> None:
    receipt = send(
        company,
        at,
        {"FromUserName": "openid", "MsgType": "text", "Content": text, "MsgId": 7},
        key=None,
        channel="wechat",
    )

    assert receipt.ticket_id is not None
    assert ticket_row(receipt.ticket_id)["ticket_class"] == template_class
    assert raw_row(receipt.raw_id)["reason"]["params"] == note


# INT-12
def test_words_of_danger_raise_the_priority_and_say_why(company: Company, at: datetime) -> None:
    receipt = send(company, at, {"title": "电梯困人", "external_id": "1"}, key=None, channel="website")

    assert receipt.ticket_id is not None
    ticket = ticket_row(receipt.ticket_id)
    assert ticket["priority"] == 2
    assert ticket["priority_reason"]["reasons"] == [
        {"code": "priority_reason.word", "word": "困人", "urgency": 3}
    ]
