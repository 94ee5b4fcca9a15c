"""Drafts of a rule set: begun from what is in force, changed part by part, published as compared."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import STARTED, Company, facts_of, make_rule, open_company, settle, when
from tests.fixtures.databases import Database
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import drafting, sentences
from ticket_console.settlement.drafting import NothingChanged, RulesMoved, VersionView
from ticket_console.settlement.facts import Hazard
from ticket_console.settlement.kinds import Side, VersionStatus
from ticket_console.settlement.publishing import RuleVersionNotFound, RuleVersionPublished
from ticket_console.settlement.rule_editing import Edit, with_rule, with_value, without_rule
from ticket_console.settlement.rule_parsing import BadRules
from ticket_console.settlement.tables import Journal

DECEMBER = date(2026, 12, 1)
GAP = [{"lower": "0", "upper": "10", "value": "1"}, {"lower": "11", "upper": None, "value": "2"}]
HEIGHT_AT_125 = with_value("hazard.height", "1.25")


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


def versions(company: Company) -> tuple[VersionView, ...]:
    with reading() as conn:
        return drafting.rule_sets(conn, viewer=company.actor(Role.FINANCE))[0].versions


def begin(company: Company, **changes: Any) -> int:
    wanted: dict[str, Any] = {
        "actor": company.actor(Role.MANAGER),
        "at": STARTED,
        "base_id": versions(company)[-1].id,
        "effective_from": DECEMBER,
        "command_id": "begin",
    }
    return drafting.begin(**wanted | changes)


def content(company: Company, version_id: int) -> str:
    return next(each.content_hash for each in versions(company) if each.id == version_id)


def revise(company: Company, draft: int, edit: Edit, **changes: Any) -> str:
    wanted: dict[str, Any] = {
        "actor": company.actor(Role.MANAGER),
        "at": STARTED,
        "version_id": draft,
        "expected_hash": content(company, draft),
        "edit": edit,
        "command_id": "revise",
    }
    return drafting.revise(**wanted | changes)


def publish(company: Company, draft: int, **changes: Any) -> int:
    wanted: dict[str, Any] = {
        "actor": company.actor(Role.MANAGER),
        "at": STARTED,
        "version_id": draft,
        "effective_from": DECEMBER,
        "expected_hash": content(company, draft),
        "against_id": versions(company)[-1].id,
        "command_id": "publish",
    }
    return drafting.publish(**wanted | changes)


def discard(company: Company, draft: int, **changes: Any) -> None:
    wanted: dict[str, Any] = {
        "actor": company.actor(Role.MANAGER),
        "at": STARTED,
        "version_id": draft,
        "expected_hash": content(company, draft),
        "command_id": "discard",
    }
    drafting.discard(**wanted | changes)


def deeds() -> list[str]:
    entries = table(AuditEntry)
    with reading() as conn:
        return list(conn.execute(sa.select(entries.c.action).order_by(entries.c.id)).scalars())


def test_a_draft_says_what_is_in_force_until_it_is_changed_and_beginning_twice_makes_one(
    company: Company,
) -> None:
    draft = begin(company)

    assert begin(company) == draft
    assert [(each.number, each.status) for each in versions(company)] == [
        (2, VersionStatus.DRAFT),
        (1, VersionStatus.PUBLISHED),
    ]
    assert content(company, draft) == versions(company)[-1].content_hash
    revise(company, draft, HEIGHT_AT_125)
    assert begin(company, command_id="another") != draft


def test_a_change_is_there_at_once_and_what_was_paid_stays(company: Company) -> None:
    settle(company, facts_of(company, hazards=(Hazard("height"),)))
    draft = begin(company)

    changed = revise(company, draft, HEIGHT_AT_125)

    assert content(company, draft) == changed
    with reading() as conn:
        rules = drafting.rules_of_version(conn, viewer=company.actor(Role.FINANCE), version_id=draft)
        assert conn.execute(sa.select(sa.func.count()).select_from(table(Journal))).scalar_one() == 1
    assert next(str(rule.value) for rule in rules.rules if rule.code == "hazard.height") == "1.25"


@pytest.mark.parametrize(
    "edit",
    [
        with_value("hazard.height", "Infinity"),
        with_rule(make_rule("missing", when=when("kindness", "=", "much"))),
        with_rule(
            make_rule("gap", dimension="volume", op="tier", unit="month_tickets", order=120)
            | {
                "bands": [
                    {"lower": "0", "upper": "10", "value": "1"},
                    {"lower": "11", "upper": None, "value": "2"},
                ]
            }
        ),
        without_rule("base.other"),
    ],
    ids=["infinite coefficient", "missing field", "tier gap", "no base labour"],
)
def test_rules_nobody_could_rate_with_are_refused_and_the_draft_stays(company: Company, edit: Edit) -> None:
    draft = begin(company)
    before, trail = versions(company), deeds()

    with pytest.raises(BadRules):
        revise(company, draft, edit)

    assert versions(company) == before
    assert deeds() == trail


def test_of_two_who_change_one_draft_the_slower_learns_of_it(company: Company) -> None:
    draft = begin(company)
    seen = content(company, draft)
    revise(company, draft, HEIGHT_AT_125)
    before = versions(company)

    for refused in (
        lambda: revise(company, draft, without_rule("parts.cost"), expected_hash=seen),
        lambda: publish(company, draft, expected_hash=seen),
        lambda: drafting.discard(
            actor=company.actor(Role.MANAGER),
            at=STARTED,
            version_id=draft,
            expected_hash=seen,
            command_id="x",
        ),
    ):
        with pytest.raises(RulesMoved):
            refused()

    assert versions(company) == before


def test_a_draft_is_published_only_against_the_version_it_was_compared_with(company: Company) -> None:
    first, second = begin(company), None
    revise(company, first, HEIGHT_AT_125)
    second = begin(company, command_id="second")
    revise(company, second, with_value("base.install", "11000"))
    compared = versions(company)[-1].id
    assert publish(company, first) == 2
    before = versions(company)

    with pytest.raises(RulesMoved):
        publish(company, second, effective_from=date(2027, 1, 1), against_id=compared)

    assert versions(company) == before
    assert publish(company, second, effective_from=date(2027, 1, 1), against_id=first) == 3


def test_publishing_the_same_again_is_answered_and_with_another_day_refused(company: Company) -> None:
    draft = begin(company)
    revise(company, draft, HEIGHT_AT_125)
    publish(company, draft)
    before, trail = versions(company), deeds()

    assert publish(company, draft) == 2
    with pytest.raises(RuleVersionPublished):
        publish(company, draft, effective_from=date(2027, 1, 1))
    with pytest.raises(RuleVersionPublished):
        revise(company, draft, without_rule("parts.cost"))

    assert versions(company) == before
    assert deeds() == trail == ["rules.draft_begun", "rules.draft_changed", "rules.published"]


def test_a_draft_without_a_change_is_not_published(company: Company) -> None:
    draft = begin(company)

    with pytest.raises(NothingChanged):
        publish(company, draft)

    assert [each.status for each in versions(company)] == [VersionStatus.DRAFT, VersionStatus.PUBLISHED]


def test_a_discarded_draft_is_gone_and_leaves_a_trace(company: Company) -> None:
    draft = begin(company)

    discard(company, draft)

    assert [each.number for each in versions(company)] == [1]
    assert deeds() == ["rules.draft_begun", "rules.draft_discarded"]


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR, Role.DISPATCHER, Role.TECHNICIAN])
def test_only_who_may_edit_rules_changes_them(company: Company, role: Role) -> None:
    draft = begin(company)
    before = versions(company)

    for refused in (
        lambda: begin(company, actor=company.actor(role)),
        lambda: revise(company, draft, HEIGHT_AT_125, actor=company.actor(role)),
        lambda: publish(company, draft, actor=company.actor(role)),
    ):
        with pytest.raises(Forbidden):
            refused()

    assert versions(company) == before


def test_a_manager_of_one_region_changes_no_rules_of_the_whole_company(company: Company) -> None:
    regional = company.actor(Role.MANAGER, scope=Scope.REGION, region_ids=[company.north])
    draft = begin(company)
    before = versions(company)

    with pytest.raises(Forbidden):
        revise(company, draft, HEIGHT_AT_125, actor=regional)

    assert versions(company) == before


def test_a_version_of_another_organisation_is_not_found(company: Company) -> None:
    stranger = replace(company.actor(Role.MANAGER), org_id=company.org_id + 1)

    with reading() as conn, pytest.raises(RuleVersionNotFound):
        drafting.rules_of_version(conn, viewer=stranger, version_id=versions(company)[0].id)


def test_examples_are_real_tickets_of_the_regions_the_viewer_reads(company: Company) -> None:  # moonshot 15
    settle(company, facts_of(company, hazards=(Hazard("height"),)))
    draft = begin(company)
    revise(company, draft, HEIGHT_AT_125)
    manager = company.actor(Role.MANAGER)
    elsewhere = company.actor(Role.MANAGER, scope=Scope.REGION, region_ids=[company.south])

    with reading() as conn:
        rules = drafting.rules_of_version(conn, viewer=manager, version_id=draft)
        live = drafting.rules_of_version(conn, viewer=manager, version_id=versions(company)[-1].id)
        facts = sentences.recent_facts(conn, viewer=manager)
        hidden = sentences.recent_facts(conn, viewer=elsewhere)

    seen = sentences.examples(rules, "hazard.height", facts, live=live, side=Side.WORKER)
    assert [(each.before_minor, each.after_minor) for each in seen.changed] == [(12_000, 12_500)]
    assert hidden == ()
