"""Trying rules of dispatch out: on the tickets that are open, and on those that are over."""

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk import months, ruling
from ticket_console.dispatch import rulebook
from ticket_console.dispatch.learning import NotEnoughHistory
from ticket_console.dispatch.rules import BadTerms
from ticket_console.dispatch.tables import Assignment, DispatchDecision
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def policy_id(company: Company) -> int:
    return rulebook.create(
        actor=company.actor("manager"),
        at=company.at,
        command_id="new",
        name={"zh": "全部", "en": "All"},
        ticket_class=None,
        region_id=None,
    )


def rows() -> tuple[int, int]:
    with reading() as connection:
        return tuple(
            connection.execute(sa.select(sa.func.count()).select_from(table(model))).scalar_one()
            for model in (Assignment, DispatchDecision)
        )  # type: ignore[return-value]


def try_out(
    company: Company, policy_id: int, terms: dict[str, Any], login: str = "manager"
) -> ruling.Preview:
    return ruling.try_out(viewer=company.actor(login), at=company.at, policy_id=policy_id, terms=terms)


def test_a_preview_names_who_would_be_chosen_instead_and_assigns_nothing(
    company: Company, policy_id: int
) -> None:  # DSP-04
    opened = company.open()
    before = rows()
    same = try_out(company, policy_id, {})
    assert (same.tasks, same.moved, same.before) == (1, (), same.after)

    farther = try_out(company, policy_id, {"filters": {"vendors": "only"}})

    (moved,) = farther.moved
    assert (moved.ticket_id, moved.before, moved.after) == (opened.ticket_id, opened.assignee_name, None)
    assert (farther.before.placed, farther.after.placed, farther.after.left) == (1, 0, 1)
    assert farther.after.metres == 0 < farther.before.metres
    assert rows() == before


def test_a_preview_of_rules_nobody_could_dispatch_by_is_refused(company: Company, policy_id: int) -> None:
    with pytest.raises(BadTerms) as refusal:
        try_out(company, policy_id, {"weights": {"load": float("nan")}})
    assert [each.path for each in refusal.value.problems] == ["weights.load"]


def test_only_who_manages_dispatch_tries_out_and_learns(company: Company, policy_id: int) -> None:
    with pytest.raises(Forbidden):
        try_out(company, policy_id, {}, "dispatcher")
    with pytest.raises(Forbidden):
        ruling.learn(viewer=company.actor("dispatcher"), at=company.at, policy_id=policy_id, seed=1)


def test_a_young_company_has_nothing_to_learn_from(company: Company, policy_id: int) -> None:
    company.open()
    with pytest.raises(NotEnoughHistory) as refusal:
        ruling.learn(viewer=company.actor("manager"), at=company.at, policy_id=policy_id, seed=1)
    assert refusal.value.params["found"] == 0


def test_where_nobody_was_paid_there_are_no_months(company: Company) -> None:
    with transaction() as connection:
        assert months.recount(connection, company.system.org_id, at=company.at) == 0
