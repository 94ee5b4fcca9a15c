"""What dispatchers do on the board beside moving: order, territory, priority, many at once, and undoing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk import arranging, assigning, bulk, dropping, moving, ordering, undoing
from ticket_console.desk.bulk import Order
from ticket_console.kernel.actor import ActorKind
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError, Forbidden, InvalidInput
from ticket_console.people.tables import Territory
from ticket_console.tickets import board, reads
from ticket_console.tickets.board import BoardFilters, By, LaneNotFound
from ticket_console.tickets.fold import differences, fold
from ticket_console.tickets.tables import Event, Ticket
from ticket_console.tickets.writing import StaleTicket

_tickets, _events = table(Ticket), table(Event)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


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


def every_row() -> list[Any]:
    with reading() as connection:
        return list(connection.execute(sa.select(_tickets).order_by(_tickets.c.id)).all())


def lane(company: Company, key: str, by: By = By.STAGE) -> list[int]:
    with reading() as connection:
        shown = board.board_snapshot(
            connection, viewer=company.actor("manager"), filters=BoardFilters(by=by), at=company.at
        )
    return [card["id"] for each in shown.lanes if each.key == key for card in each.cards]


def holds_together(ticket_id: int) -> None:
    """The history adds up to the row."""
    with reading() as connection:
        folded = fold(reads.events_of(connection, ticket_id))
        assert reads.verify_chain(connection, ticket_id) is None
    assert differences(folded.ticket, state(ticket_id)._asdict()) == ()


def territory(company: Company, code: str, region: str) -> int:
    made = table(Territory)
    with transaction() as connection:
        return int(
            connection.execute(
                sa.insert(made)
                .values(
                    org_id=company.org_id,
                    region_id=company.regions[region],
                    code=code,
                    name={"zh": code, "en": code},
                    outline=None,
                    version=1,
                )
                .returning(made.c.id)
            ).scalar_one()
        )


def test_a_card_put_between_two_others_is_there_and_only_its_row_was_written(
    company: Company,
) -> None:  # BRD-02
    ids = [company.open(at=company.at + timedelta(minutes=each)).ticket_id for each in range(5)]
    before = {row.id: row for row in every_row()}

    moved = dropping.drop_on(
        **asked(company, "dispatcher", ids[4]), by=By.STAGE, key="accept", before_id=ids[0], after_id=ids[1]
    )

    assert lane(company, "accept") == [ids[0], ids[4], ids[1], ids[2], ids[3]]
    assert [row.id for row in every_row() if row != before[row.id]] == [ids[4]]
    assert moved.version == before[ids[4]].version + 1
    holds_together(ids[4])


def test_a_card_comes_to_the_top_and_to_the_end_of_its_lane(company: Company) -> None:
    ids = [company.open(at=company.at + timedelta(minutes=each)).ticket_id for each in range(3)]
    ordering.reorder(**asked(company, "dispatcher", ids[2]), before_id=None, after_id=ids[0])
    ordering.reorder(**asked(company, "dispatcher", ids[0]), before_id=ids[1], after_id=None)

    assert lane(company, "accept") == [ids[2], ids[1], ids[0]]


def test_a_card_of_another_priority_says_nothing_of_the_place(company: Company) -> None:
    urgent, usual = company.open(urgency=3), company.open()
    before = every_row()

    moved = ordering.reorder(
        **asked(company, "dispatcher", usual.ticket_id), before_id=None, after_id=urgent.ticket_id
    )

    assert every_row() == before
    assert moved.version == usual.version


def test_a_drop_on_another_lane_takes_its_place_there(company: Company) -> None:
    ids = [company.open(at=company.at + timedelta(minutes=each)).ticket_id for each in range(3)]
    for ticket_id in ids[:2]:
        moving.drop(**asked(company, "manager", ticket_id), to_stage="onsite")
    dropping.drop_on(
        **asked(company, "manager", ids[2]), by=By.STAGE, key="onsite", before_id=ids[0], after_id=ids[1]
    )

    assert lane(company, "onsite") == [ids[0], ids[2], ids[1]]
    holds_together(ids[2])


def test_who_may_not_say_what_is_first_moves_nothing_up(company: Company) -> None:
    first, second = company.open(), company.open(at=company.at + timedelta(minutes=1))
    before = every_row()
    for by in ("agent", "tech_near", "auditor"):
        with pytest.raises(Forbidden):
            ordering.reorder(**asked(company, by, second.ticket_id), before_id=None, after_id=first.ticket_id)

    assert every_row() == before


def test_a_ticket_comes_into_another_territory_and_its_region_with_it(company: Company) -> None:
    chengdu = territory(company, "cd-1", "cd")
    ticket = company.open()
    dropping.drop_on(**asked(company, "manager", ticket.ticket_id), by=By.TERRITORY, key=str(chengdu))

    now = state(ticket.ticket_id)
    assert (now.territory_id, now.region_id) == (chengdu, company.regions["cd"])
    assert lane(company, str(chengdu), By.TERRITORY) == [ticket.ticket_id]
    holds_together(ticket.ticket_id)
    with reading() as connection:
        counts = board.lane_counts_of(
            connection, viewer=company.actor("dispatcher_cd"), filters=BoardFilters(), at=company.at
        )
    assert counts == {"accept": 1}


@pytest.mark.parametrize(
    ("by", "key", "code"),
    [
        ("dispatcher_cd", "cd", "ticket.not_found"),
        ("agent", "cd", "access.forbidden"),
        ("manager", "424242", "people.territory_not_found"),
        ("manager", "none", "board.no_territory"),
        ("manager", "'; DROP TABLE ticket", "board.lane_not_found"),
        ("manager", "９", "board.lane_not_found"),
    ],
)
def test_a_territory_that_is_not_there_or_not_yours_is_refused(
    company: Company, by: str, key: str, code: str
) -> None:
    chengdu, home = territory(company, "cd-1", "cd"), territory(company, "sh-1", "sh")
    ticket = company.open()
    with transaction() as connection:
        connection.execute(sa.update(_tickets).values(territory_id=home))
    before = every_row()

    with pytest.raises(ConsoleError) as refusal:
        dropping.drop_on(
            **asked(company, by, ticket.ticket_id), by=By.TERRITORY, key=str(chengdu) if key == "cd" else key
        )

    assert refusal.value.code == code
    assert every_row() == before


def test_a_priority_set_by_hand_moves_the_card_to_its_equals(company: Company) -> None:
    ticket, other = company.open(), company.open(urgency=3)
    arranging.set_priority(**asked(company, "dispatcher", ticket.ticket_id), priority=1, reason="电话催促")

    now = state(ticket.ticket_id)
    assert (now.priority, now.priority_class) == (1, 1)
    assert now.priority_reason["reasons"][-1] == {
        "code": "priority_reason.set_by_hand",
        "who": "dispatcher",
        "to": 1,
    }
    assert lane(company, "accept") == [ticket.ticket_id, other.ticket_id]
    holds_together(ticket.ticket_id)


@pytest.mark.parametrize(("priority", "reason"), [(0, "x"), (5, "x"), (1, "  ")])
def test_a_priority_out_of_range_or_without_a_reason_is_refused(
    company: Company, priority: int, reason: str
) -> None:
    ticket = company.open()
    before = every_row()
    with pytest.raises(ConsoleError):
        arranging.set_priority(
            **asked(company, "dispatcher", ticket.ticket_id), priority=priority, reason=reason
        )

    assert every_row() == before


def test_of_two_who_drop_one_card_one_wins_and_the_other_hears_who_and_when(
    company: Company,
) -> None:  # pain 1
    ticket = company.open()
    wishes = [
        (asked(company, by, ticket.ticket_id), key)
        for by, key in (("manager", "onsite"), ("dispatcher", "dispatch"))
    ]

    def drop(wish: tuple[dict[str, Any], str]) -> ConsoleError | None:
        try:
            dropping.drop_on(**wish[0], by=By.STAGE, key=wish[1], reason="x")
        except ConsoleError as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(drop, wishes))

    (beaten,) = [each for each in answers if each is not None]
    winner = ("manager", "dispatcher")[answers.index(None)]
    assert isinstance(beaten, StaleTicket)
    assert (beaten.params["who"], beaten.params["when"]) == (winner, company.at.isoformat())
    assert state(ticket.ticket_id).version == ticket.version + 1


def test_many_at_once_have_an_answer_each_and_a_repetition_changes_nothing(
    company: Company,
) -> None:  # pain 8
    ours, theirs, gone = company.open(), company.open(), company.open()
    moving.cancel(**asked(company, "manager", gone.ticket_id), reason="重复")
    items = [(ours.ticket_id, ours.version), (theirs.ticket_id, 99), (gone.ticket_id, 2), (424242, 1)]
    order = Order("priority", priority=1, reason="台风")
    wish = {
        "actor": company.actor("dispatcher"),
        "at": company.at,
        "command_id": "storm",
        "items": items,
        "order": order,
    }

    rows = bulk.carry_out_all(**wish)
    once = every_row()
    again = bulk.carry_out_all(**wish)

    assert [(row.ticket_id, row.no != "", row.is_done, row.code) for row in rows] == [
        (ours.ticket_id, True, True, ""),
        (theirs.ticket_id, True, False, "ticket.stale"),
        (gone.ticket_id, True, False, "ticket.not_open"),
        (424242, False, False, "ticket.not_found"),
    ]
    assert again == rows
    assert every_row() == once


@pytest.mark.parametrize(
    ("act", "items", "command_id"),
    [
        ("destroy", [(1, 1)], "x"),
        ("assign", [], "x"),
        ("assign", [(each, 1) for each in range(101)], "x"),
        ("assign", [(1, 1), (1, 1)], "x"),
        ("assign", [(1, 1)], "x" * 45),
        ("assign", [(1, 1)], ""),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_as_a_whole(
    company: Company, act: str, items: list[tuple[int, int]], command_id: str
) -> None:
    with pytest.raises(InvalidInput):
        bulk.carry_out_all(
            actor=company.actor("manager"),
            at=company.at,
            command_id=command_id,
            items=items,
            order=Order(act, technician_id=1),
        )


def undo(company: Company, by: str, *undone: str) -> list[tuple[bool, str]]:
    rows = undoing.undo_all(
        actor=company.actor(by), at=company.at, command_id=company.command_id(), undone=undone
    )
    return [(row.is_done, row.code) for row in rows]


def test_ones_own_last_move_is_taken_back_and_the_history_has_both(company: Company) -> None:
    ticket = company.open()
    before = state(ticket.ticket_id)
    wish = asked(company, "manager", ticket.ticket_id)
    moving.drop(**wish, to_stage="onsite")

    assert undo(company, "manager", wish["command_id"]) == [(True, "")]
    now = state(ticket.ticket_id)
    assert (now.stage, now.assignee_id, now.rank) == (before.stage, before.assignee_id, before.rank)
    holds_together(ticket.ticket_id)
    with reading() as connection:
        types = [event["type"] for event in reads.events_of(connection, ticket.ticket_id)]
    assert types.count("ticket.step_completed") == 1
    assert "ticket.move_undone" in types


def test_order_person_territory_and_priority_are_taken_back(company: Company) -> None:
    home, away = territory(company, "sh-1", "sh"), territory(company, "sh-2", "sh")
    first, ticket = company.open(), company.open(at=company.at + timedelta(minutes=1))
    arranging.change_territory(**asked(company, "manager", ticket.ticket_id), territory_id=home)
    before = state(ticket.ticket_id)
    far = company.technicians["tech_far"]
    for command, wish in (
        (ordering.reorder, {"before_id": None, "after_id": first.ticket_id}),
        (assigning.assign, {"technician_id": far}),
        (assigning.release, {"reason": "病"}),
        (arranging.change_territory, {"territory_id": away}),
        (arranging.set_priority, {"priority": 1, "reason": "急"}),
    ):
        change = asked(company, "manager", ticket.ticket_id)
        command(**change, **wish)
        assert undo(company, "manager", change["command_id"]) == [(True, "")], command
        now = state(ticket.ticket_id)
        assert (now.rank, now.assignee_id, now.territory_id, now.priority) == (
            before.rank,
            before.assignee_id,
            before.territory_id,
            before.priority,
        ), command
    holds_together(ticket.ticket_id)


def test_what_somebody_acted_on_since_is_not_taken_back(company: Company) -> None:
    ticket = company.open()
    wish = asked(company, "manager", ticket.ticket_id)
    moving.drop(**wish, to_stage="onsite")
    arranging.set_priority(**asked(company, "dispatcher", ticket.ticket_id), priority=1, reason="急")
    before = every_row()

    rows = undoing.undo_all(
        actor=company.actor("manager"), at=company.at, command_id="back", undone=[wish["command_id"]]
    )

    assert [(row.code, row.params["who"]) for row in rows] == [("ticket.stale", "dispatcher")]
    assert every_row() == before


def test_only_ones_own_moves_that_lead_back_are_taken_back(company: Company) -> None:
    ticket, closed = company.open(), company.open()
    wish, ending = asked(company, "manager", ticket.ticket_id), asked(company, "manager", closed.ticket_id)
    moving.drop(**wish, to_stage="onsite")
    moving.cancel(**ending, reason="重复")
    before = every_row()

    assert undo(company, "dispatcher", wish["command_id"]) == [(False, "board.not_yours")]
    assert undo(company, "dispatcher_cd", wish["command_id"]) == [(False, "ticket.not_found")]
    assert undo(company, "manager", ending["command_id"], "never was") == [
        (False, "board.not_undoable"),
        (False, "board.nothing_to_undo"),
    ]
    assert every_row() == before


def test_a_due_time_is_not_dragged(company: Company) -> None:
    ticket = company.open()
    before = every_row()
    with pytest.raises(dropping.DueIsNotAPlace):
        dropping.drop_on(**asked(company, "manager", ticket.ticket_id), by=By.DUE, key="none")

    assert every_row() == before


def test_a_lane_of_nobody_takes_work_back_and_a_persons_gives_it(company: Company) -> None:
    ticket = company.open()
    far = company.technicians["tech_far"]
    dropping.drop_on(**asked(company, "dispatcher", ticket.ticket_id), by=By.PERSON, key="none", reason="病")
    nobody = lane(company, "none", By.PERSON)
    dropping.drop_on(**asked(company, "dispatcher", ticket.ticket_id), by=By.PERSON, key=str(far))

    assert nobody == [ticket.ticket_id]
    assert lane(company, str(far), By.PERSON) == [ticket.ticket_id]


def test_a_person_who_is_not_there_is_refused(company: Company) -> None:
    ticket = company.open()
    before = every_row()
    for key, refusal in (("424242", ConsoleError), ("x", LaneNotFound), ("9" * 40, LaneNotFound)):
        with pytest.raises(refusal):
            dropping.drop_on(**asked(company, "dispatcher", ticket.ticket_id), by=By.PERSON, key=key)

    assert every_row() == before


def test_going_over_the_filters_takes_its_own_permission_wherever_it_is_asked(company: Company) -> None:
    opened = company.open(values={"category": "plumbing"})
    manager = company.actor("manager")
    narrow = replace(
        manager,
        kind=ActorKind.CHANNEL,
        permissions=frozenset({"ticket.view", "ticket.act", "ticket.assign", "board.view"}),
    )
    wish: dict[str, Any] = {
        "at": company.at,
        "ticket_id": opened.ticket_id,
        "expected_version": opened.version,
    }
    near = company.technicians["tech_near"]
    before = every_row()

    with pytest.raises(Forbidden):
        assigning.assign(
            **wish, actor=narrow, command_id="plain", technician_id=near, reason="x", override=True
        )
    with pytest.raises(Forbidden):
        dropping.drop_on(
            **wish, actor=narrow, command_id="drop", by=By.PERSON, key=str(near), reason="x", override=True
        )
    (row,) = bulk.carry_out_all(
        actor=narrow,
        at=company.at,
        command_id="bulk",
        items=[(opened.ticket_id, opened.version)],
        order=Order("assign", technician_id=near, reason="x", override=True),
    )
    assert (row.is_done, row.code) == (False, "access.forbidden")
    assert every_row() == before

    given = assigning.assign(
        **wish, actor=manager, command_id="wide", technician_id=near, reason="x", override=True
    )
    assert given.assignee_id == near
