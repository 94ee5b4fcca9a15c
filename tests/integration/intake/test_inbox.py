"""The inbox: every message by channel, with what became of it."""

from datetime import datetime, timedelta

import pytest

from tests.builders.intake import Company
from ticket_console.intake.reads import MessageNotFound, counts, inbox, raw_detail
from ticket_console.intake.receiving import receive
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden, InvalidInput

MINUTE = timedelta(minutes=1)


@pytest.fixture
def filled(company: Company, at: datetime) -> Company:
    """A ticket by WeChat, a duplicate of it, a ticket by an unknown channel, and a rejected call."""
    push = {"FromUserName": "o", "MsgType": "text", "Content": "空调坏了", "MsgId": 7}
    _send(company, at, "wechat", "1", push)
    _send(company, at + MINUTE, "wechat", "2", push)
    near = {"title": "a", "contact_name": "Li", "latitude": 31.21, "longitude": 121.41}
    _send(company, at + 2 * MINUTE, "pigeon", "1", near)
    with pytest.raises(InvalidInput):
        _send(company, at + 3 * MINUTE, "phone", "1", {"caller": "138", "colour": "red"})
    return company


def _send(company: Company, at: datetime, channel: str, key: str, payload: dict[str, object]) -> None:
    receive(actor=company.channel, at=at, channel=channel, delivery_key=key, payload=payload)


# INT-01, INT-03
def test_the_newest_message_comes_first_with_its_source_and_state(filled: Company) -> None:
    with reading() as connection:
        page = inbox(connection, filled.user(Role.AGENT))

    assert [(each.channel, each.source, each.state, each.headline) for each in page.entries] == [
        ("phone", "phone", RawState.REJECTED, "138"),
        ("pigeon", "other", RawState.TICKET, "a"),
        ("wechat", "wechat", RawState.DUPLICATE, "空调坏了"),
        ("wechat", "wechat", RawState.TICKET, "空调坏了"),
    ]
    assert page.entries[1].sender == "Li"
    assert page.entries[2].ticket_no == page.entries[3].ticket_no is not None
    assert page.following is None


def test_the_inbox_is_filtered_and_paged(filled: Company) -> None:
    viewer = filled.user(Role.DISPATCHER)
    with reading() as connection:
        by_channel = inbox(connection, viewer, channel="wechat")
        by_state = inbox(connection, viewer, state=RawState.REJECTED)
        first = inbox(connection, viewer, limit=3)
        second = inbox(connection, viewer, limit=3, after=first.following)

    assert [each.state for each in by_channel.entries] == [RawState.DUPLICATE, RawState.TICKET]
    assert [each.channel for each in by_state.entries] == ["phone"]
    assert (len(first.entries), len(second.entries), second.following) == (3, 1, None)


# INT-02
def test_the_counts_add_up_to_what_came_in(filled: Company) -> None:
    with reading() as connection:
        found = counts(connection, filled.user(Role.MANAGER))

    none = dict.fromkeys(RawState, 0)
    assert found == {
        "phone": {**none, RawState.REJECTED: 1},
        "pigeon": {**none, RawState.TICKET: 1},
        "wechat": {**none, RawState.TICKET: 1, RawState.DUPLICATE: 1},
    }


def test_a_message_is_shown_word_for_word_with_its_problems(filled: Company, at: datetime) -> None:
    viewer = filled.user(Role.AUDITOR)
    with reading() as connection:
        entry = inbox(connection, viewer, state=RawState.REJECTED).entries[0]
        detail = raw_detail(connection, viewer, entry.raw_id)

    assert detail.payload == {"caller": "138", "colour": "red"}
    assert [(each.path, each.code) for each in detail.problems] == [("colour", "input.unknown_key")]
    assert (detail.entry.received_at, detail.attempts) == (at + 3 * MINUTE, 0)


def test_a_viewer_of_another_region_sees_no_message_of_this_one(filled: Company) -> None:
    elsewhere = Actor(
        kind=ActorKind.USER,
        org_id=filled.org_id,
        display="west",
        user_id=2,
        grants=(Grant(Role.AGENT, Scope.REGION, frozenset({filled.region_id + 1})),),
    )
    with reading() as connection:
        entries = inbox(connection, filled.user(Role.AGENT), channel="pigeon").entries
        seen = inbox(connection, elsewhere).entries
        with pytest.raises(MessageNotFound):
            raw_detail(connection, elsewhere, entries[0].raw_id)

    assert [each.channel for each in seen] == ["phone"]


def test_another_organisation_sees_nothing(filled: Company) -> None:
    stranger = Actor(
        kind=ActorKind.USER,
        org_id=filled.org_id + 1,
        display="x",
        user_id=9,
        grants=(Grant(Role.MANAGER, Scope.ORG),),
    )
    with reading() as connection:
        assert inbox(connection, stranger).entries == ()
        assert counts(connection, stranger) == {}


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.FINANCE])
def test_who_may_not_see_the_inbox_is_refused(filled: Company, role: Role) -> None:
    with reading() as connection, pytest.raises(Forbidden):
        inbox(connection, filled.user(role))
