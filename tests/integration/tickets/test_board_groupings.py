"""The same work laid out otherwise: each ticket is in one lane, each count exact, and nobody sees more."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.tickets.test_board_reads import crowd
from ticket_console.desk.assigning import release
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.tickets import board, seeing
from ticket_console.tickets.board import CELL_WINDOW, WINDOW, BoardFilters, By, Card, LaneNotFound, Rows
from ticket_console.tickets.board_filters import condition
from ticket_console.tickets.tables import Ticket

_tickets = table(Ticket)
ALL = [(by, rows) for by in By for rows in Rows if (by, rows) != (By.PERSON, Rows.ASSIGNEE)]


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    made = found_company(at)
    ids = crowd(made)
    with transaction() as connection:
        for number, ticket_id in enumerate(ids):
            due_at = None if number % 11 == 0 else made.at + timedelta(hours=7 * (number % 40 - 5))
            connection.execute(
                sa.update(_tickets)
                .where(_tickets.c.id == ticket_id)
                .values(due_at=due_at, is_vip=number % 6 == 0)
            )
    return made


def every_card(company: Company, viewer: Actor, filters: BoardFilters) -> dict[tuple[str, str], list[Card]]:
    """All cards of all cells, page by page."""
    found: dict[tuple[str, str], list[Card]] = {}
    with reading() as connection:
        shown = board.board_snapshot(connection, viewer=viewer, filters=filters, at=company.at)
        for lane in shown.lanes:
            cells = [""] if lane.cells is None else list(lane.cells)
            for row in cells:
                cards: list[Card] = []
                after = None
                while page := board.lane_page(
                    connection,
                    viewer=viewer,
                    filters=filters,
                    at=company.at,
                    lane=lane.key,
                    after=after,
                    row=row,
                ):
                    cards += page
                    after = (page[-1]["priority_class"], page[-1]["rank"])
                found[lane.key, row] = cards
    return found


@pytest.mark.parametrize(("by", "rows"), ALL)
@pytest.mark.parametrize("login", ["manager", "dispatcher_cd"])
def test_each_ticket_is_in_one_cell_and_every_count_is_exact(
    company: Company, by: By, rows: Rows, login: str
) -> None:  # DSP-10 BRD-03
    viewer, filters = company.actor(login), BoardFilters(by=by, rows=rows)
    with reading() as connection:
        shown = board.board_snapshot(connection, viewer=viewer, filters=filters, at=company.at)
    cells = every_card(company, viewer, filters)
    expected = [
        row.id
        for row in all_rows()
        if (login == "manager" or row.region_id == company.regions["cd"])
        and (by is By.STAGE or row.closed_at is None)
    ]

    listed = [card["id"] for cards in cells.values() for card in cards]
    assert sorted(listed) == sorted(expected)
    for (lane, row), cards in cells.items():
        assert {card["lane"] for card in cards} <= {lane}
        if row:
            assert {card["row"] for card in cards} <= {row}
        assert [(card["priority_class"], card["rank"]) for card in cards] == sorted(
            (card["priority_class"], card["rank"]) for card in cards
        )
    for lane in shown.lanes:
        inside = {row: len(cards) for (key, row), cards in cells.items() if key == lane.key}
        assert lane.count == sum(inside.values())
        if lane.cells is not None:
            assert dict(lane.cells) == inside
            window = Counter(card["row"] for card in lane.cards)
            assert window == {row: min(count, CELL_WINDOW) for row, count in inside.items()}
        else:
            assert len(lane.cards) == min(lane.count, WINDOW)


def all_rows() -> list[sa.Row[tuple[object, ...]]]:
    with reading() as connection:
        return list(connection.execute(sa.select(_tickets).order_by(_tickets.c.id)).all())


@pytest.mark.parametrize(("by", "rows"), ALL)
def test_a_change_is_told_with_the_card_and_counts_that_a_whole_board_has(
    company: Company, by: By, rows: Rows
) -> None:
    viewer, filters = company.actor("manager"), BoardFilters(by=by, rows=rows)
    ids = [row.id for row in all_rows()]
    with reading() as connection:
        shown = board.board_snapshot(connection, viewer=viewer, filters=filters, at=company.at)
        changed = board.changed_cards(
            connection, viewer=viewer, filters=filters, at=company.at, ticket_ids=[*ids, 424242]
        )

    whole = {card["id"]: card for lane in shown.lanes for card in lane.cards}
    told = {card["id"]: card for card in changed.cards}
    assert {id: told[id] for id in whole} == whole
    assert set(ids) - set(told) | {424242} == changed.gone
    assert changed.counts == {lane.key: lane.count for lane in shown.lanes if lane.count}
    cells = {lane.key: dict(lane.cells) for lane in shown.lanes if lane.cells}
    assert (changed.cells or {}) == cells


def test_somebodys_work_stands_in_a_lane_even_where_they_are_not_the_viewers_people(company: Company) -> None:
    ticket = company.open(region_code="cd", lat=None, lon=None)
    with transaction() as connection:
        connection.execute(
            sa.update(_tickets)
            .where(_tickets.c.id == ticket.ticket_id)
            .values(assignee_id=company.technicians["tech_near"])
        )
    with reading() as connection:
        shown = board.board_snapshot(
            connection,
            viewer=company.actor("dispatcher_cd"),
            filters=BoardFilters(by=By.PERSON),
            at=company.at,
        )

    (lane,) = [each for each in shown.lanes if each.key == str(company.technicians["tech_near"])]
    assert (lane.name, [card["id"] for card in lane.cards]) == (
        {"zh": "tech_near", "en": "tech_near"},
        [ticket.ticket_id],
    )


def test_vip_and_unread_narrow_the_board(company: Company) -> None:
    viewer = company.actor("dispatcher")
    assert viewer.user_id is not None
    seeing.seen_by(user_id=viewer.user_id, at=company.at - timedelta(days=1))
    rows = [row for row in all_rows() if row.closed_at is None]
    some = {row.id: row.version for row in rows[:5]}
    seeing.saw(user_id=viewer.user_id, at=company.at, versions=some)

    def shown(filters: BoardFilters) -> set[int]:
        return {card["id"] for cards in every_card(company, viewer, filters).values() for card in cards}

    assert shown(BoardFilters(by=By.DUE, is_vip=True)) == {row.id for row in rows if row.is_vip}
    unread = shown(BoardFilters(by=By.DUE, unread_of=viewer.user_id))
    assert unread == {
        row.id for row in rows if row.id not in some and row.updated_at > company.at - timedelta(days=1)
    }
    release(
        actor=viewer,
        at=company.at + timedelta(minutes=1),
        command_id="again",
        ticket_id=(again := next(row for row in rows[:5] if row.assignee_id)).id,
        expected_version=again.version,
        reason="krank",
    )
    assert shown(BoardFilters(by=By.DUE, unread_of=viewer.user_id)) == unread | {again.id}


def test_a_search_finds_words_of_two_characters(company: Company) -> None:
    viewer = company.actor("manager")
    found = every_card(company, viewer, BoardFilters(by=By.DUE, search="空调"))
    expected = {row.id for row in all_rows() if "空调" in row.title and row.closed_at is None}

    assert {card["id"] for cards in found.values() for card in cards} == expected
    assert expected


@pytest.mark.parametrize("by", [By.STAGE, By.DUE])
def test_a_lane_that_is_not_there_is_refused(company: Company, by: By) -> None:
    with reading() as connection, pytest.raises(LaneNotFound):
        board.lane_page(
            connection,
            viewer=company.actor("manager"),
            filters=BoardFilters(by=by),
            at=company.at,
            lane="nowhere",
            after=None,
        )


def test_a_board_of_important_customers_reads_their_tickets_alone(company: Company) -> None:
    wanted = BoardFilters(is_vip=True)
    viewer = company.actor("dispatcher")
    with transaction() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            # A table of a few pages is read at once whatever indexes there are.
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            connection.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        connection.execute(sa.text("ANALYZE"))
        query = (
            sa.select(_tickets.c.id)
            .where(condition(connection, viewer, wanted, company.at), _tickets.c.stage == "dispatch")
            .order_by(_tickets.c.priority_class, _tickets.c.rank)
            .limit(WINDOW)
        ).compile(connection, compile_kwargs={"literal_binds": True})
        asked = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        steps = "\n".join(str(row) for row in connection.execute(sa.text(f"{asked} {query}")))

    assert "ix_ticket_vip_lane" in steps
    assert "B-TREE" not in steps
    assert "Sort" not in steps
