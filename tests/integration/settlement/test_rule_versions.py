"""Rule versions: drafted, published for good, and chosen by the day of the work."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import STARTED, Company, correct, facts_of, make_rule, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import publishing
from ticket_console.settlement.publishing import (
    RuleVersionNotFound,
    RuleVersionPublished,
    RuleVersionSameDay,
    VersionInForce,
)
from ticket_console.settlement.rule_parsing import BadRules
from ticket_console.settlement.tables import RuleSet, RuleSetVersion

versions = table(RuleSetVersion)
DEARER = {"currency": "CNY", "rules": [make_rule("base", value="11000")]}


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


def draft(company: Company, effective_from: date, **changes: Any) -> int:
    with transaction() as conn:
        wanted: dict[str, Any] = {
            "actor": company.actor(Role.MANAGER),
            "rule_set_id": conn.execute(sa.select(table(RuleSet).c.id)).scalar_one(),
            "rules": DEARER,
            "effective_from": effective_from,
        }
        return publishing.save_draft(conn, **wanted | changes)


def publish(company: Company, version_id: int, **changes: Any) -> None:
    wanted: dict[str, Any] = {
        "actor": company.actor(Role.MANAGER),
        "at": STARTED,
        "version_id": version_id,
        "command_id": f"publish:{version_id}",
    }
    with transaction() as conn:
        publishing.publish(conn, **wanted | changes)


def in_force(company: Company, day: date) -> VersionInForce:
    with reading() as conn:
        return publishing.version_on(conn, org_id=company.org_id, code="worker_pay", day=day)


def published() -> list[tuple[int, date, date | None]]:
    with reading() as conn:
        return [
            tuple(row)
            for row in conn.execute(
                sa.select(versions.c.number, versions.c.effective_from, versions.c.effective_to)
                .where(versions.c.published_at.is_not(None))
                .order_by(versions.c.effective_from)
            )
        ]


def test_versions_follow_each_other_without_gap_or_overlap(company: Company) -> None:  # pains 40
    publish(company, draft(company, date(2026, 12, 1)))
    publish(company, draft(company, date(2026, 6, 1)))

    assert published() == [
        (1, date(2000, 1, 1), date(2026, 6, 1)),
        (3, date(2026, 6, 1), date(2026, 12, 1)),
        (2, date(2026, 12, 1), None),
    ]
    assert [
        in_force(company, day).number for day in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 11, 30))
    ] == [1, 3, 3]
    assert in_force(company, date(2026, 12, 1)).number == 2


def test_the_day_of_the_work_chooses_the_rules_whenever_it_is_settled(company: Company) -> None:  # pains 40
    publish(company, draft(company, date(2026, 11, 22)))
    evening_of_the_21st = datetime(2026, 11, 21, 15, 59, tzinfo=UTC)
    first_moment_of_the_22nd = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)

    totals = [
        settle(
            company, facts_of(company, finished_at=moment, started_at=moment - timedelta(hours=3))
        ).total_minor
        for moment in (evening_of_the_21st, first_moment_of_the_22nd)
    ]

    # 119 of 180 minutes were night for the first; the new rules pay no night.
    assert totals == [10000 + 1983, 11000]


def test_new_rules_leave_what_was_rated_alone_until_it_is_corrected(company: Company) -> None:  # pains 39
    facts = facts_of(company)
    settle(company, facts)
    publish(company, draft(company, date(2026, 11, 1)))

    again = settle(company, facts)
    corrected = correct(company, facts)

    assert (again.total_minor, again.is_new) == (10000, False)
    assert corrected.total_minor == 11000


def test_a_draft_can_be_saved_again_and_a_published_version_cannot(company: Company) -> None:
    version_id = draft(company, date(2026, 12, 1))
    assert draft(company, date(2026, 12, 2), version_id=version_id) == version_id
    publish(company, version_id)
    before = published()

    with pytest.raises(RuleVersionPublished):
        draft(company, date(2026, 12, 3), version_id=version_id)
    with pytest.raises(RuleVersionPublished):
        publish(company, version_id)

    assert published() == before


def test_two_versions_cannot_begin_on_one_day(company: Company) -> None:
    publish(company, draft(company, date(2026, 12, 1)))
    second = draft(company, date(2026, 12, 1))

    with pytest.raises(RuleVersionSameDay):
        publish(company, second)

    assert len(published()) == 2


def test_rules_that_could_not_be_published_are_not_even_kept(company: Company) -> None:
    with pytest.raises(BadRules):
        draft(company, date(2026, 12, 1), rules={"currency": "CNY", "rules": []})

    with reading() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(versions)).scalar_one() == 1


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DISPATCHER, Role.TECHNICIAN, Role.AUDITOR, Role.AGENT])
def test_only_managers_change_the_rules(company: Company, role: Role) -> None:
    version_id = draft(company, date(2026, 12, 1))

    with pytest.raises(Forbidden):
        draft(company, date(2026, 12, 1), actor=company.actor(role))
    with pytest.raises(Forbidden):
        publish(company, version_id, actor=company.actor(role))

    assert len(published()) == 1


def test_the_rules_of_another_organisation_do_not_exist(company: Company) -> None:
    version_id = draft(company, date(2026, 12, 1))
    stranger = company.actor(Role.MANAGER)
    other = type(stranger)(
        kind=stranger.kind, org_id=company.org_id + 1, display="Stranger", grants=stranger.grants
    )

    with pytest.raises(RuleVersionNotFound):
        publish(company, version_id, actor=other)

    assert len(published()) == 1


def test_standard_rules_are_installed_once(company: Company) -> None:
    with transaction() as conn:
        publishing.install_standard(conn, org_id=company.org_id, at=STARTED)
        publishing.install_standard(conn, org_id=company.org_id, at=STARTED)

    # Those for pay were there; those for partners and customers came with it.
    assert published() == [(1, date(2000, 1, 1), None)] * 3
