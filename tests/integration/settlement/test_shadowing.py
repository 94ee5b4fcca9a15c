"""Shadow runs over what was really rated, on both databases."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.builders.settlement import STANDARD, STARTED, Company, facts_of, open_company, settle
from tests.fixtures.databases import Database
from tests.unit.settlement.test_shadow import with_height_at
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import drafting, publishing, sentences, shadow_work, shadowing
from ticket_console.settlement.facts import Hazard
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_editing import with_value
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.shadow import PayeeDelta, ShadowRun
from ticket_console.settlement.shadow_work import BadShadowPeriod
from ticket_console.settlement.shadowing import NothingRated, shadow_run
from ticket_console.settlement.tables import Journal, Rating, RatingLine

NOVEMBER = {"since": date(2026, 11, 1), "until": date(2026, 12, 1)}


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


def shadowed(company: Company, rules: RuleSet, **changes: object) -> ShadowRun:
    wanted = {"actor": company.actor(Role.MANAGER), "rules": rules, **NOVEMBER, **changes}
    with reading() as conn:
        return shadow_run(conn, **wanted)  # type: ignore[arg-type]


def at_height(company: Company, **changes: object) -> None:
    settle(company, facts_of(company, hazards=(Hazard("height"),), **changes))


def counted() -> list[int]:
    with reading() as conn:
        return [
            conn.execute(sa.select(sa.func.count()).select_from(sa.table(each.__tablename__))).scalar_one()
            for each in (Journal, Rating, RatingLine)
        ]


def test_a_draft_is_weighed_against_what_was_paid_and_the_books_stay_as_they_are(company: Company) -> None:
    at_height(company)
    at_height(company, technician_id=company.bo)
    settle(company, facts_of(company))
    before = counted()

    shadow = shadowed(company, with_height_at("1.25"))

    assert (shadow.tickets, shadow.changed, shadow.delta_minor) == (3, 2, 1_000)
    assert set(shadow.payees) == {
        PayeeDelta(company.anna, tickets=2, changed=1, before_minor=22_000, after_minor=22_500),
        PayeeDelta(company.bo, tickets=1, changed=1, before_minor=12_000, after_minor=12_500),
    }
    assert counted() == before


def test_what_was_paid_is_what_the_version_of_its_day_paid(company: Company) -> None:
    manager = company.actor(Role.MANAGER)
    at_height(company)
    with transaction() as conn:
        rule_set_id = conn.execute(sa.text("SELECT id FROM rule_set")).scalar_one()
        version_id = publishing.save_draft(
            conn,
            actor=manager,
            rule_set_id=rule_set_id,
            rules=with_height_at("1.5").to_json(),
            effective_from=date(2026, 11, 22),
        )
        publishing.publish(conn, actor=manager, at=STARTED, version_id=version_id, command_id="publish")
    at_height(
        company, started_at=STARTED + timedelta(days=2), finished_at=STARTED + timedelta(days=2, hours=1)
    )

    shadow = shadowed(company, STANDARD)

    assert (shadow.before_minor, shadow.after_minor) == (12_000 + 15_000, 12_000 + 12_000)
    assert (shadow.tickets, shadow.changed) == (2, 1)


def test_work_with_an_agreed_version_stays_as_it_is(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = replace(facts_of(company, hazards=(Hazard("height"),)), pinned_rules="worker_pay:1")
    settle(company, facts)

    assert shadowed(company, with_height_at("1.25")).changed == 0


def test_many_chunks_are_one_run_whose_progress_is_heard(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        at_height(company)
    monkeypatch.setattr(shadowing, "_AT_ONCE", 2)
    heard: list[tuple[int, int]] = []

    shadow = shadowed(
        company, with_height_at("1.25"), progress=lambda done, total: heard.append((done, total))
    )

    assert heard == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert (shadow.tickets, shadow.delta_minor) == (5, 2_500)


def test_as_long_work_it_names_people_and_tickets_and_its_sums_are_two_full_ratings(
    company: Company, tmp_path: Path
) -> None:  # moonshot 3
    at_height(company)
    at_height(company, technician_id=company.bo)
    settle(company, facts_of(company))
    manager = company.actor(Role.MANAGER)
    with reading() as conn:
        base = drafting.rule_sets(conn, viewer=manager)[0].versions[-1]
    draft = drafting.begin(
        actor=manager, at=STARTED, base_id=base.id, effective_from=date(2026, 12, 1), command_id="begin"
    )
    drafting.revise(
        actor=manager,
        at=STARTED,
        version_id=draft,
        expected_hash=base.content_hash,
        edit=with_value("hazard.height", "1.25"),
        command_id="revise",
    )
    before = counted()

    found = shadow_work.build(
        actor=manager,
        at=STARTED,
        args={"version_id": draft, "since": "2026-11-01", "until": "2026-11-30"},
        folder=tmp_path,
        progress=lambda done, total, note: None,
    ).values

    with reading() as conn:
        facts = sentences.recent_facts(conn, viewer=manager)
    rerated = [
        (rate(each, STANDARD).total_minor, rate(each, with_height_at("1.25")).total_minor) for each in facts
    ]
    assert (found["before"], found["after"]) == (
        sum(old for old, _ in rerated),
        sum(new for _, new in rerated),
    )
    assert sum(each["after"] - each["before"] for each in found["payees"]) == 1_000
    assert sum(each["after"] - each["before"] for each in found["dimensions"]) == 1_000
    assert {each["name"]["zh"] for each in found["payees"]} == {"安娜", "Bo"}
    assert all(each["no"].startswith("T-2026-") for each in found["outliers"])
    assert counted() == before


@pytest.mark.parametrize(
    "days", [{"since": "2026-11-31", "until": "2026-12-01"}, {"since": "2026-12-01", "until": "2026-11-01"}]
)
def test_days_that_are_none_are_refused(company: Company, tmp_path: Path, days: dict[str, str]) -> None:
    with pytest.raises(BadShadowPeriod):
        shadow_work.build(
            actor=company.actor(Role.MANAGER),
            at=STARTED,
            args={"version_id": 1, **days},
            folder=tmp_path,
            progress=lambda done, total, note: None,
        )


def test_only_who_may_change_rules_may_try_them(company: Company) -> None:
    at_height(company)

    with pytest.raises(Forbidden):
        shadowed(company, STANDARD, actor=company.actor(Role.TECHNICIAN))


def test_a_run_over_every_region_is_not_for_who_manages_one(company: Company) -> None:  # PRM-04
    at_height(company)
    regional = company.actor(Role.MANAGER, scope=Scope.REGION, region_ids={company.north})

    with pytest.raises(Forbidden):
        shadowed(company, STANDARD, actor=regional)


def test_days_on_which_nothing_was_rated_are_said_to_be_so(company: Company) -> None:
    at_height(company)

    with pytest.raises(NothingRated):
        shadowed(company, STANDARD, since=date(2026, 12, 1), until=date(2027, 1, 1))
