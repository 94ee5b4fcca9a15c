"""What a board keeps for people: views under a name, and what they have seen."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError, Forbidden, InvalidInput
from ticket_console.tickets import board_views, seeing
from ticket_console.tickets.board_views import NotYourView, SavedView, TooManyViews, ViewExists, ViewNotFound
from ticket_console.tickets.tables import BoardView, TicketSeen


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def save(company: Company, by: str, name: str = "冷库", *, shared: bool = False, query: str = "by=person",
         view_id: int = 0) -> int:  # fmt: skip
    return board_views.save_view(
        actor=company.actor(by), at=company.at, view_id=view_id, name=name, is_shared=shared, query=query
    )


def seen(viewer: Actor) -> list[SavedView]:
    with reading() as connection:
        return list(board_views.views(connection, viewer))


def kept() -> list[Any]:
    with reading() as connection:
        return list(connection.execute(sa.select(table(BoardView)).order_by(table(BoardView).c.id)).all())


def test_a_view_is_ones_own_until_it_is_shared(company: Company) -> None:
    mine = save(company, "dispatcher", "夜班", query="?by=due&rows=region&evil=1&q=%E5%86%B7")
    ours = save(company, "manager", "VIP", shared=True, query="vip=1")

    assert seen(company.actor("dispatcher")) == [
        SavedView(ours, "VIP", True, False, "manager", "vip=1"),
        SavedView(mine, "夜班", False, True, "dispatcher", "by=due&rows=region&q=%E5%86%B7"),
    ]
    assert [each.id for each in seen(company.actor("agent"))] == [ours]
    with reading() as connection, pytest.raises(ViewNotFound):
        board_views.view(connection, company.actor("manager"), mine)


def test_a_view_is_changed_by_its_owner_and_taken_away_by_who_may_share(company: Company) -> None:
    mine = save(company, "dispatcher", shared=True)
    save(company, "dispatcher", "夜班", view_id=mine, shared=True, query="by=due")
    with pytest.raises(NotYourView):
        save(company, "manager", "别的", view_id=mine)
    with pytest.raises(NotYourView):
        board_views.delete_view(actor=company.actor("agent"), view_id=mine)
    assert [(row.name, row.query, row.version) for row in kept()] == [("夜班", "by=due", 2)]

    board_views.delete_view(actor=company.actor("manager"), view_id=mine)
    assert kept() == []


@pytest.mark.parametrize(
    ("name", "query", "refusal"),
    [
        ("", "by=due", InvalidInput),
        (" \x00\u200b ", "by=due", InvalidInput),
        ("x" * 61, "by=due", InvalidInput),
        ("x" * 10_000_000, "by=due", InvalidInput),
        ("x", "q=" + "x" * 500, InvalidInput),
    ],
    ids=["no name", "nothing to see", "long", "ten megabytes", "long query"],
)
def test_a_view_nobody_could_read_is_refused(
    company: Company, name: str, query: str, refusal: type[ConsoleError]
) -> None:
    with pytest.raises(refusal):
        save(company, "dispatcher", name, query=query)

    assert kept() == []


def test_names_are_ones_own_and_there_is_an_end_to_them(company: Company) -> None:
    save(company, "dispatcher")
    save(company, "manager")
    with pytest.raises(ViewExists):
        save(company, "dispatcher")
    for number in range(49):
        save(company, "dispatcher", f"视图 {number}")
    with pytest.raises(TooManyViews):
        save(company, "dispatcher", "一个太多")

    assert len(kept()) == 51


@pytest.mark.parametrize("by", ["agent", "auditor", "finance"])
def test_who_may_not_share_keeps_views_for_themselves(company: Company, by: str) -> None:
    with pytest.raises(Forbidden):
        save(company, by, shared=True)
    assert kept() == []

    save(company, by)
    assert [row.is_shared for row in kept()] == [False]


def test_who_comes_first_has_seen_everything_and_later_what_they_looked_at(company: Company) -> None:
    user_id = company.actor("dispatcher").user_id
    assert user_id is not None
    ticket = company.open()
    first = seeing.seen_by(user_id=user_id, at=company.at)
    seeing.saw(user_id=user_id, at=company.at, versions={ticket.ticket_id: 3})
    seeing.saw(user_id=user_id, at=company.at, versions={ticket.ticket_id: 2})
    later = seeing.seen_by(user_id=user_id, at=company.at + timedelta(days=1))

    assert (first.since, dict(first.versions)) == (company.at, {})
    assert (later.since, dict(later.versions)) == (company.at, {ticket.ticket_id: 3})
    assert seeing.saw_everything(user_id=user_id, at=company.at + timedelta(days=2)) == seeing.seen_by(
        user_id=user_id, at=company.at + timedelta(days=3)
    )


def test_of_what_was_seen_the_oldest_is_forgotten(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeing, "MOST_KEPT", 3)
    user_id = company.actor("dispatcher").user_id
    assert user_id is not None
    ids = [company.open().ticket_id for _ in range(5)]
    for minute, ticket_id in enumerate(ids):
        seeing.saw(user_id=user_id, at=company.at + timedelta(minutes=minute), versions={ticket_id: 1})

    with reading() as connection:
        left = connection.execute(sa.select(table(TicketSeen).c.ticket_id)).scalars().all()
    assert sorted(left) == ids[2:]
