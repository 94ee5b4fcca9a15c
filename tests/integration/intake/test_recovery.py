"""A process may die at any moment: what it had received is finished later, once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.intake import RAW, TICKETS, Company, raw_row, raw_states, ticket_count
from ticket_console.intake import receiving
from ticket_console.intake.receiving import receive
from ticket_console.intake.recovery import MOST_ATTEMPTS, Recovered, recover
from ticket_console.intake.refusals import GaveUp
from ticket_console.intake.states import RawState
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import ConsoleError, InvalidInput

REPAIR = {"template": "repair", "title": "空调坏了", "latitude": 31.21, "longitude": 121.41}
LATER = timedelta(minutes=1)

open_ticket = receiving.open_ticket


class Killed(BaseException):
    """The end of the process: nothing below a door may catch it."""


def die(**_: Any) -> Any:
    raise Killed


def die_before_the_commit(*, settle_raw: Callable[..., None], **command: Any) -> Any:
    def settle_and_die(*opened: Any) -> None:
        settle_raw(*opened)
        raise Killed

    return open_ticket(**command, settle_raw=settle_and_die)


def die_after_the_commit(**command: Any) -> Any:
    open_ticket(**command)
    raise Killed


def send(company: Company, at: datetime, payload: dict[str, Any], *, key: str = "k-1") -> Any:
    return receive(actor=company.channel, at=at, channel="api", delivery_key=key, payload=payload)


def kill_while_sending(
    monkeypatch: pytest.MonkeyPatch,
    death: Callable[..., Any],
    company: Company,
    at: datetime,
    payload: dict[str, Any],
    *,
    key: str = "k-1",
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(receiving, "open_ticket", death)
        with pytest.raises(Killed):
            send(company, at, payload, key=key)


# INT-02
@pytest.mark.parametrize("death", [die, die_before_the_commit])
def test_what_a_dead_process_received_becomes_one_ticket(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch, death: Callable[..., Any]
) -> None:
    kill_while_sending(monkeypatch, death, company, at, REPAIR)
    assert (raw_states(), ticket_count()) == ({RawState.NEW: 1}, 0)

    assert recover(at=at + LATER) == Recovered(opened=1)
    assert recover(at=at + 2 * LATER) == Recovered()

    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 1}, 1)


# INT-02
def test_a_death_after_the_commit_leaves_nothing_to_recover(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_sending(monkeypatch, die_after_the_commit, company, at, REPAIR)

    assert recover(at=at + LATER) == Recovered()
    assert send(company, at, REPAIR).is_repeat
    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 1}, 1)


# INT-02
def test_the_sender_who_tries_again_finishes_the_message_itself(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_sending(monkeypatch, die, company, at, REPAIR)

    again = send(company, at, REPAIR)

    assert (again.state, again.is_repeat) == (RawState.TICKET, True)
    assert recover(at=at + LATER) == Recovered()
    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 1}, 1)


# INT-02
def test_a_duplicate_of_an_unfinished_message_finishes_that_one_first(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = {**REPAIR, "external_id": "E-1"}
    kill_while_sending(monkeypatch, die, company, at, payload, key="k-1")

    receipt = send(company, at, payload, key="k-2")

    assert receipt.state is RawState.DUPLICATE
    assert raw_states() == {RawState.TICKET: 1, RawState.DUPLICATE: 1}
    assert ticket_count() == 1


def test_a_duplicate_of_a_message_that_turns_out_wrong_takes_its_number_over(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = {**REPAIR, "external_id": "E-1"}
    kill_while_sending(monkeypatch, die, company, at, {**payload, "template": "no-such"}, key="k-1")

    receipt = send(company, at, payload, key="k-2")

    assert receipt.state is RawState.TICKET
    assert raw_states() == {RawState.TICKET: 1, RawState.REJECTED: 1}
    assert raw_row(receipt.raw_id)["claim_key"] == "E-1"


def test_a_message_in_somebodys_hands_is_left_alone(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_sending(monkeypatch, die, company, at, REPAIR)

    assert recover(at=at + timedelta(seconds=29)) == Recovered()
    assert raw_states() == {RawState.NEW: 1}


def test_a_wrong_message_is_rejected_when_it_is_recovered(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_sending(monkeypatch, die, company, at, {**REPAIR, "values": {"colour": "red"}})

    # The words were fine and the template exists, so only the desk can refuse it.
    assert recover(at=at + LATER) == Recovered(rejected=1)
    with pytest.raises(InvalidInput):
        send(company, at, {**REPAIR, "values": {"colour": "red"}})


def test_a_message_that_breaks_every_time_is_put_aside_and_holds_up_no_other(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*, request: Any, **command: Any) -> Any:
        if request.title == "poison":
            raise RuntimeError("a fault of ours")
        return open_ticket(request=request, **command)

    monkeypatch.setattr(receiving, "open_ticket", break_down)
    with pytest.raises(RuntimeError):
        send(company, at, {**REPAIR, "title": "poison"}, key="k-1")
    kill_while_sending(monkeypatch, die, company, at, REPAIR, key="k-2")

    assert recover(at=at + LATER) == Recovered(opened=1, failed=1)
    for _ in range(MOST_ATTEMPTS - 2):
        assert recover(at=at + LATER) == Recovered(failed=1)
    assert recover(at=at + LATER) == Recovered(rejected=1)
    assert recover(at=at + LATER) == Recovered()

    assert raw_states() == {RawState.TICKET: 1, RawState.REJECTED: 1}
    with pytest.raises(ConsoleError) as told:
        send(company, at, {**REPAIR, "title": "poison"}, key="k-1")
    assert (told.value.code, told.value.http_status) == (GaveUp.code, 500)


# PAIN-32
def test_eight_senders_of_the_same_delivery_open_one_ticket(company: Company, at: datetime) -> None:
    with ThreadPoolExecutor(8) as senders:
        receipts = list(senders.map(lambda _: send(company, at, REPAIR), range(8)))

    assert len({receipt.ticket_id for receipt in receipts}) == 1
    assert sum(not receipt.is_repeat for receipt in receipts) == 1
    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 1}, 1)


# PAIN-32
def test_eight_deliveries_of_the_same_number_open_one_ticket(company: Company, at: datetime) -> None:
    payload = {**REPAIR, "external_id": "E-1"}
    with ThreadPoolExecutor(8) as senders:
        receipts = list(senders.map(lambda n: send(company, at, payload, key=f"k-{n}"), range(8)))

    assert len({receipt.ticket_id for receipt in receipts}) == 1
    assert raw_states() == {RawState.TICKET: 1, RawState.DUPLICATE: 7}
    assert ticket_count() == 1


def test_processes_that_recover_at_the_same_time_open_one_ticket_each(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        kill_while_sending(monkeypatch, die, company, at, REPAIR, key=f"k-{number}")

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: recover(at=at + LATER), range(4)))

    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 10}, 10)


DELIVERIES = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["k-1", "k-2", "k-3", None]),
            "payload": st.fixed_dictionaries(
                {"title": st.sampled_from(["a", "b", "", 5])},
                optional={
                    "external_id": st.sampled_from(["E-1", "E-2"]),
                    "template": st.sampled_from(["repair", "no-such"]),
                },
            ),
            "fate": st.sampled_from(
                [open_ticket, open_ticket, die, die_before_the_commit, die_after_the_commit]
            ),
        }
    ),
    max_size=12,
)
_channels = count(1)


# INT-02
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(deliveries=DELIVERIES)
def test_whatever_comes_every_message_is_a_ticket_a_duplicate_or_rejected(
    company: Company, at: datetime, deliveries: list[dict[str, Any]]
) -> None:
    channel = f"channel-{next(_channels)}"
    with pytest.MonkeyPatch.context() as fate:
        for delivery in deliveries:
            fate.setattr(receiving, "open_ticket", delivery["fate"])
            with suppress(ConsoleError, Killed):
                receive(
                    actor=company.channel,
                    at=at,
                    channel=channel,
                    delivery_key=delivery["key"],
                    payload=delivery["payload"],
                )

    recover(at=at + LATER)

    with reading() as connection:
        rows = connection.execute(sa.select(RAW).where(RAW.c.channel == channel)).all()
        raw_ids = [row.id for row in rows]
        opened = connection.execute(
            sa.select(TICKETS.c.id, TICKETS.c.raw_intake_id).where(TICKETS.c.raw_intake_id.in_(raw_ids))
        ).all()
    states = Counter(row.state for row in rows)
    assert states[RawState.NEW] == 0
    assert len(rows) == states[RawState.TICKET] + states[RawState.DUPLICATE] + states[RawState.REJECTED]
    assert {(row.ticket_id, row.id) for row in rows if row.state is RawState.TICKET} == set(opened)
    assert len(opened) == states[RawState.TICKET]
    numbered = [row.external_id for row in rows if row.state is RawState.TICKET and row.external_id]
    assert len(numbered) == len(set(numbered))
    first = {row.external_id: row.ticket_id for row in rows if row.state is RawState.TICKET}
    assert all(row.ticket_id == first[row.external_id] for row in rows if row.state is RawState.DUPLICATE)
