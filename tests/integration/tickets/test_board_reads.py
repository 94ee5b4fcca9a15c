"""The board as its viewers see it: windows, exact counts, filters, single changes, and moves that hold."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk.moving import cancel, drop, send_back
from ticket_console.desk.steps import FormRequired
from ticket_console.kernel.actor import Actor, Grant, Role, Scope
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets.actions import IllegalMove, ReasonRequired
from ticket_console.tickets.board import (
    WINDOW,
    Board,
    BoardFilters,
    Card,
    LaneNotFound,
    board_snapshot,
    changed_cards,
    lane_page,
)
from ticket_console.tickets.tables import Ticket

EVERYTHING = BoardFilters()


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def snapshot(company: Company, viewer: Actor, filters: BoardFilters = EVERYTHING) -> Board:
    with reading() as connection:
        return board_snapshot(connection, viewer=viewer, filters=filters, at=company.at)


def pages(
    company: Company, viewer: Actor, stage: str, filters: BoardFilters = EVERYTHING
) -> list[list[Card]]:
    """A lane from its first card to its last, window by window."""
    found: list[list[Card]] = []
    after = None
    with reading() as connection:
        while True:
            page = lane_page(
                connection, viewer=viewer, filters=filters, at=company.at, lane=stage, after=after
            )
            if not page:
                return found
            found.append(list(page))
            after = (page[-1]["priority_class"], page[-1]["rank"])


def crowd(company: Company) -> list[int]:
    """130 tickets of all kinds, urgencies and places; one in nine called off."""
    ids = []
    for number in range(130):
        place: dict[str, Any] = (
            {"lat": None, "lon": None, "region_code": "cd"}
            if number % 3 == 0
            else {"lat": None, "lon": None}
            if number % 7 == 0
            else {}
        )
        opened = company.open(
            template="consult" if number % 5 == 0 else "repair",
            title=f"空调 {number} 100% 完_成" if number % 4 == 0 else f"冰箱 {number}",
            urgency=1 + number % 3,
            at=company.at - timedelta(hours=number),
            **place,
        )
        ids.append(opened.ticket_id)
        if number % 9 == 0:
            cancel(
                actor=company.actor("manager"),
                at=company.at,
                command_id=company.command_id(),
                ticket_id=opened.ticket_id,
                expected_version=opened.version,
                reason="重复",
            )
    return ids


def scoped(company: Company, *grants: Grant) -> Actor:
    return replace(company.actor("dispatcher"), grants=grants)


def test_lanes_are_read_in_windows_without_gap_or_repetition_and_every_count_is_exact(
    company: Company,
) -> None:  # BRD-03 PRM-05
    ids = crowd(company)
    tickets = table(Ticket)
    with reading() as connection:
        rows = {row.id: row for row in connection.execute(sa.select(tickets))}
    cd = company.regions["cd"]
    ticket_class = rows[ids[0]].ticket_class
    viewers = {
        "manager": company.actor("manager"),
        "auditor": company.actor("auditor"),
        "in one region": company.actor("dispatcher_cd"),
        "of one class": scoped(
            company, Grant(Role.AGENT, Scope.ORG, ticket_classes=frozenset({ticket_class}))
        ),
        "of one class in one region": scoped(
            company, Grant(Role.AGENT, Scope.REGION, frozenset({cd}), frozenset({ticket_class}))
        ),
        "own, without being a technician": scoped(
            company, Grant(Role.TECHNICIAN, Scope.OWN), Grant(Role.AGENT, Scope.REGION, frozenset({cd}))
        ),
        "own and of a region": replace(
            company.actor("tech_near"),
            grants=(
                Grant(Role.TECHNICIAN, Scope.OWN),
                Grant(Role.DISPATCHER, Scope.REGION, frozenset({cd})),
            ),
        ),
    }
    visible = {
        "manager": set(ids),
        "auditor": set(ids),
        "in one region": {id for id in ids if rows[id].region_id == cd},
        "of one class": {id for id in ids if rows[id].ticket_class == ticket_class},
        "of one class in one region": {
            id for id in ids if rows[id].ticket_class == ticket_class and rows[id].region_id == cd
        },
        "own, without being a technician": {id for id in ids if rows[id].region_id == cd},
        "own and of a region": {
            id
            for id in ids
            if rows[id].region_id == cd or rows[id].assignee_id == company.technicians["tech_near"]
        },
    }
    near, consult = company.technicians["tech_near"], rows[ids[0]].template_id
    ended = next(row for row in rows.values() if row.closed_at is not None and "空调" in row.title)
    filters: list[tuple[BoardFilters, Any]] = [
        (EVERYTHING, lambda row: True),
        (BoardFilters(region_id=cd), lambda row: row.region_id == cd),
        (BoardFilters(region_id=0), lambda row: False),
        (BoardFilters(template_id=consult), lambda row: row.template_id == consult),
        (BoardFilters(priority=3), lambda row: row.priority == 3),
        (BoardFilters(assignee_id=near), lambda row: row.assignee_id == near),
        (BoardFilters(is_unassigned=True), lambda row: row.assignee_id is None and row.closed_at is None),
        (BoardFilters(is_overdue=True), lambda row: row.due_at < company.at and row.closed_at is None),
        (BoardFilters(search="100% 完_"), lambda row: row.closed_at is None and "100% 完_" in row.title),
        (BoardFilters(search="%"), lambda row: row.closed_at is None and "%" in row.title),
        (BoardFilters(search="1_0"), lambda row: False),
        (BoardFilters(search="\\"), lambda row: False),
        (BoardFilters(search="  空调  "), lambda row: row.closed_at is None and "空调" in row.title),
        (BoardFilters(search=rows[ids[5]].no.lower()), lambda row: row.no == rows[ids[5]].no),
        # Of ended work only the very number is found.
        (BoardFilters(search=ended.no.lower()), lambda row: row.no == ended.no),
        (
            BoardFilters(region_id=cd, priority=4, search="空调"),
            lambda row: (
                row.region_id == cd and row.priority == 4 and row.closed_at is None and "空调" in row.title
            ),
        ),
    ]
    for name, viewer in viewers.items():
        for chosen, matches in filters:
            expected = {id for id in visible[name] if matches(rows[id])}
            board = snapshot(company, viewer, chosen)
            seen: list[int] = []
            for lane in board.lanes:
                windows = pages(company, viewer, lane.key, chosen)
                cards = [card for window in windows for card in window]
                places = [(card["priority_class"], card["rank"]) for card in cards]
                assert places == sorted(places)
                assert list(lane.cards) == cards[:WINDOW]
                assert lane.count == len(cards)
                assert lane.has_more is (len(cards) > WINDOW)
                assert [len(window) for window in windows[:-1]] == [WINDOW] * (len(windows) - 1)
                assert {card["stage"] for card in cards} <= {lane.key}
                seen += [card["id"] for card in cards]
            assert len(seen) == len(set(seen))
            assert set(seen) == expected, (name, chosen)

    assert max(lane.count for lane in snapshot(company, viewers["manager"]).lanes) > WINDOW


def test_mine_is_what_the_viewer_has_and_nothing_for_who_is_no_technician(company: Company) -> None:
    mine = company.open().ticket_id
    company.open(lat=0.0, lon=0.0)
    both = replace(
        company.actor("tech_near"),
        grants=(*company.actor("tech_near").grants, Grant(Role.MANAGER, Scope.ORG)),
    )

    shown = snapshot(company, both, BoardFilters(is_mine=True))
    none = snapshot(company, company.actor("manager"), BoardFilters(is_mine=True))

    assert [card["id"] for lane in shown.lanes for card in lane.cards] == [mine]
    assert [lane.count for lane in none.lanes if lane.count] == []


def test_a_change_says_what_the_board_shows_now_and_what_it_shows_no_longer(company: Company) -> None:
    opened = [company.open(), company.open(lat=None, lon=None, region_code="cd"), company.open()]
    ids = [each.ticket_id for each in opened]
    moved = company.act(ids[0], opened[0].version, by="tech_near")

    def changes(viewer: str, filters: BoardFilters) -> tuple[dict[int, str], frozenset[int], dict[str, int]]:
        with reading() as connection:
            cards, gone, counts, _ = changed_cards(
                connection,
                viewer=company.actor(viewer),
                filters=filters,
                at=company.at,
                ticket_ids=[*ids, 99_999],
            )
        return {card["id"]: card["stage"] for card in cards}, gone, counts

    assert moved.stage == "onsite"
    assert changes("manager", EVERYTHING) == (
        {ids[0]: "onsite", ids[1]: "accept", ids[2]: "accept"},
        {99_999},
        {"onsite": 1, "accept": 2},
    )
    assert changes("dispatcher_cd", EVERYTHING) == (
        {ids[1]: "accept"},
        {ids[0], ids[2], 99_999},
        {"accept": 1},
    )
    near = BoardFilters(assignee_id=company.technicians["tech_near"], priority=4)
    assert changes("manager", near) == (
        {ids[0]: "onsite", ids[2]: "accept"},
        {ids[1], 99_999},
        {"onsite": 1, "accept": 1},
    )


def test_a_lane_that_is_none_and_a_viewer_without_a_board_are_refused(company: Company) -> None:
    with reading() as connection:
        wish = {"filters": EVERYTHING, "at": company.at}
        with pytest.raises(LaneNotFound):
            lane_page(connection, viewer=company.actor("manager"), lane="nowhere", after=None, **wish)
        with pytest.raises(Forbidden):
            board_snapshot(connection, viewer=company.actor("tech_near"), **wish)
        with pytest.raises(Forbidden):
            changed_cards(connection, viewer=company.actor("tech_near"), ticket_ids=[1], **wish)


def outcome_of_drop(company: Company, viewer: Actor, card: Card, to_stage: str, reason: str) -> str:
    try:
        drop(
            actor=viewer,
            at=company.at,
            command_id=company.command_id(),
            ticket_id=card["id"],
            expected_version=card["version"],
            to_stage=to_stage,
            reason=reason,
        )
    except FormRequired:
        return "form"
    except ReasonRequired:
        return "reason"
    except (Forbidden, IllegalMove) as refusal:
        return refusal.code
    return "moved"


def fresh(company: Company) -> int:
    return company.open().ticket_id


def on_site(company: Company) -> int:
    opened = company.open()
    return company.act(opened.ticket_id, opened.version, by="tech_near").ticket_id


def sent_back(company: Company) -> int:
    opened = company.open()
    back = send_back(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="缺少液压钳",
    )
    return back.ticket_id


def with_nobody(company: Company) -> int:
    return company.open(lat=0.0, lon=0.0).ticket_id


def asked(company: Company) -> int:
    return company.open(template="consult").ticket_id


def being_prepared(company: Company) -> int:
    return company.open(template="install").ticket_id


def called_off(company: Company) -> int:
    opened = company.open()
    return cancel(
        actor=company.actor("manager"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="重复",
    ).ticket_id


SITUATIONS = (fresh, on_site, sent_back, with_nobody, asked, being_prepared, called_off)


def test_a_card_offers_exactly_the_lanes_a_drop_would_take_it_to(company: Company) -> None:  # BRD-05
    north_south = replace(
        company.actor("auditor"),
        grants=(
            *company.actor("auditor").grants,
            Grant(Role.DISPATCHER, Scope.REGION, frozenset({company.regions["cd"]})),
        ),
    )
    technician_with_board = replace(
        company.actor("tech_near"),
        grants=(*company.actor("tech_near").grants, Grant(Role.AUDITOR, Scope.ORG)),
    )
    viewers = {
        **{login: company.actor(login) for login in ("dispatcher", "manager", "agent", "auditor", "finance")},
        "technician": technician_with_board,
        "dispatcher elsewhere, auditor here": north_south,
    }
    lanes = [lane.key for lane in snapshot(company, viewers["manager"]).lanes]
    disagreements = []
    for situation in SITUATIONS:
        ticket_id = situation(company)
        for name, viewer in viewers.items():
            for lane in lanes:
                card = card_of(company, viewer, ticket_id)
                needs = {move["to"]: move["needs"] for move in card["moves"]}.get(lane)
                first = outcome_of_drop(company, viewer, card, lane, "")
                then = (
                    outcome_of_drop(company, viewer, card, lane, "不需要了") if first == "reason" else first
                )
                if not agree(needs, first, then):
                    disagreements.append((situation.__name__, name, lane, needs, first, then))
                if then == "moved":
                    ticket_id = situation(company)

    assert disagreements == []


def card_of(company: Company, viewer: Actor, ticket_id: int) -> Card:
    with reading() as connection:
        cards, _, _, _ = changed_cards(
            connection, viewer=viewer, filters=EVERYTHING, at=company.at, ticket_ids=[ticket_id]
        )
    return cards[0]


def agree(needs: str | None, first: str, then: str) -> bool:
    return {
        None: first not in ("moved", "form", "reason"),
        "none": first == "moved",
        "reason": (first, then) == ("reason", "moved"),
        "form": first == "form",
    }[needs]
