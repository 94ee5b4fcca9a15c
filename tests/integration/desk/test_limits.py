"""Limits of lanes and people: warned of, kept on every way, gone over with a reason by those who may."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk import adjusting, assigning, bulk, dropping, limiting, moving
from ticket_console.desk.bulk import Order
from ticket_console.desk.limiting import LaneFull
from ticket_console.dispatch.choosing import NotEligible
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError, Forbidden, InvalidInput
from ticket_console.people.hiring import TechnicianNotFound
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.board import By, LaneNotFound
from ticket_console.tickets.tables import Event, LimitScope, Ticket, WipLimit

_tickets, _events, _limits = table(Ticket), table(Event), table(WipLimit)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def limit(
    company: Company,
    key: str,
    *,
    soft: int | None = None,
    hard: int | None = None,
    by: str = "manager",
    scope: LimitScope = LimitScope.STAGE,
) -> None:
    limiting.set_limit(
        actor=company.actor(by),
        at=company.at,
        command_id=company.command_id(),
        scope=scope,
        key=key,
        soft=soft,
        hard=hard,
    )


def asked(company: Company, by: str, ticket_id: int) -> dict[str, Any]:
    return {
        "actor": company.actor(by),
        "at": company.at,
        "command_id": company.command_id(),
        "ticket_id": ticket_id,
        "expected_version": state(ticket_id).version,
    }


def state(ticket_id: int) -> Any:
    with reading() as connection:
        return connection.execute(sa.select(_tickets).where(_tickets.c.id == ticket_id)).one()


def token_of(ticket_id: int) -> int:
    return int(state(ticket_id).marking["tokens"][0]["id"])


WAYS: dict[str, Callable[[Company, int], Any]] = {
    "a drop": lambda company, id: moving.drop(**asked(company, "manager", id), to_stage="onsite"),
    "the board": lambda company, id: dropping.drop_on(
        **asked(company, "manager", id), by=By.STAGE, key="onsite"
    ),
    "the step's button": lambda company, id: moving.act(**asked(company, "manager", id)),
    "the technician": lambda company, id: moving.act(**asked(company, "tech_near", id)),
    "a step beside the flow": lambda company, id: adjusting.insert_step(
        **asked(company, "manager", id), token_id=token_of(id), node_key="onsite", reason="gleich"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_full_lane_takes_nothing_in_whatever_way_it_comes(company: Company, way: str) -> None:  # pain 6
    first, second = company.open(), company.open()
    company.act(first.ticket_id, first.version, by="manager")
    limit(company, "onsite", hard=1)
    before = state(second.ticket_id)

    with pytest.raises(LaneFull) as refusal:
        WAYS[way](company, second.ticket_id)

    assert refusal.value.params == {"stage": "onsite", "n": 1, "limit": 1}
    assert state(second.ticket_id) == before


def test_of_many_at_once_those_find_room_for_whom_there_is_some(company: Company) -> None:
    opened = [company.open() for _ in range(3)]
    limit(company, "onsite", hard=2)

    rows = bulk.carry_out_all(
        actor=company.actor("manager"),
        at=company.at,
        command_id="many",
        items=[(each.ticket_id, each.version) for each in opened],
        order=Order("move", to="onsite"),
    )

    assert [(row.is_done, row.code) for row in rows] == [(True, ""), (True, ""), (False, "board.lane_full")]
    assert [state(each.ticket_id).stage for each in opened] == ["onsite", "onsite", "accept"]


def test_what_comes_in_from_outside_is_never_turned_away(company: Company) -> None:
    limit(company, "accept", hard=1)
    opened = [company.open() for _ in range(3)]

    assert [state(each.ticket_id).stage for each in opened] == ["accept"] * 3


def test_a_limit_is_gone_over_with_a_reason_that_the_history_keeps(company: Company) -> None:
    first, second = company.open(), company.open()
    company.act(first.ticket_id, first.version, by="manager")
    limit(company, "onsite", hard=1)

    with pytest.raises(ReasonRequired):
        moving.drop(**asked(company, "manager", second.ticket_id), to_stage="onsite", override=True)
    with pytest.raises(Forbidden):
        moving.drop(
            **asked(company, "tech_near", second.ticket_id),
            to_stage="onsite",
            reason="眼前就能做",
            override=True,
        )
    assert state(second.ticket_id).version == second.version
    moving.drop(
        **asked(company, "dispatcher", second.ticket_id), to_stage="onsite", reason="VIP 客户", override=True
    )

    with reading() as connection:
        said = connection.execute(
            sa.select(_events.c.payload).where(_events.c.type == "ticket.limit_overridden")
        ).scalar_one()
    assert said == {"stage": "onsite", "limit": 1, "reason": "VIP 客户"}
    assert state(second.ticket_id).stage == "onsite"


def test_two_who_come_at_once_do_not_both_take_the_last_place(company: Company) -> None:
    opened = [company.open() for _ in range(6)]
    limit(company, "onsite", hard=1)
    wishes = [asked(company, "manager", each.ticket_id) for each in opened]

    def move(wish: dict[str, Any]) -> str:
        try:
            return moving.drop(**wish, to_stage="onsite").stage
        except ConsoleError as refusal:
            return refusal.code

    with ThreadPoolExecutor(6) as people:
        answers = list(people.map(move, wishes))

    assert sorted(answers) == ["board.lane_full"] * 5 + ["onsite"]


def test_what_holds_a_person_is_their_capacity_on_every_way(company: Company) -> None:
    near = company.technicians["tech_near"]
    ticket = company.open(values={"category": "hvac"})
    limit(company, str(near), soft=1, hard=1, scope=LimitScope.TECHNICIAN)
    second = company.open(values={"category": "hvac"})
    holder = state(ticket.ticket_id).assignee_id

    assert holder == near
    assert state(second.ticket_id).assignee_id != near
    with pytest.raises(NotEligible) as refusal:
        assigning.assign(**asked(company, "dispatcher", second.ticket_id), technician_id=near)
    assert [problem.code for problem in refusal.value.problems] == ["dispatch.failed.full"]


@pytest.mark.parametrize(
    ("soft", "hard", "problem"),
    [
        (0, None, "field.out_of_range"),
        (None, -1, "field.out_of_range"),
        (None, 10**9, "field.out_of_range"),
        (5, 4, "board.soft_over_hard"),
    ],
)
def test_figures_that_make_no_sense_are_refused(
    company: Company, soft: int | None, hard: int | None, problem: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        limit(company, "onsite", soft=soft, hard=hard)

    assert [each.code for each in refusal.value.problems] == [problem]
    assert kept() == []


@pytest.mark.parametrize(
    ("scope", "key", "by", "refusal"),
    [
        (LimitScope.STAGE, "nowhere", "manager", LaneNotFound),
        (LimitScope.STAGE, "done", "manager", LaneNotFound),
        (LimitScope.STAGE, "onsite", "dispatcher", Forbidden),
        (LimitScope.TECHNICIAN, "424242", "manager", TechnicianNotFound),
        (LimitScope.TECHNICIAN, "nobody", "manager", TechnicianNotFound),
    ],
)
def test_limits_of_what_is_not_there_or_not_yours_are_refused(
    company: Company, scope: LimitScope, key: str, by: str, refusal: type[ConsoleError]
) -> None:
    with pytest.raises(refusal):
        limit(company, key, hard=3, by=by, scope=scope)

    assert kept() == []


def test_a_limit_without_figures_is_none(company: Company) -> None:
    limit(company, "onsite", soft=1, hard=2)
    limit(company, "onsite")

    assert kept() == []


def kept() -> list[Any]:
    with reading() as connection:
        return list(connection.execute(sa.select(_limits)).all())
