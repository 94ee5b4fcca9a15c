"""Bad input to settlement: refused with a sentence in both languages, and not one row is different."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import Company, correct, facts_of, make_rule, open_company, settle, when
from tests.fixtures.databases import Database
from tests.integration.proof.door import everything_kept
from ticket_console.access.tables import AuditEntry
from ticket_console.i18n import translate
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError, InvalidInput
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement import closing, publishing
from ticket_console.settlement.closing import StalePeriod
from ticket_console.settlement.kinds import PeriodState
from ticket_console.settlement.publishing import NoRulesInForce
from ticket_console.settlement.rule_parsing import BadRules
from ticket_console.settlement.tables import Period, RuleSet, RuleSetVersion

DECEMBER = datetime(2026, 12, 2, tzinfo=UTC)
periods = table(Period)


@pytest.fixture
def company(database: Database) -> Company:
    company = open_company()
    settle(company, facts_of(company))
    return company


def refused(command: Callable[[], object], error: type[ConsoleError]) -> ConsoleError:
    """The refusal of a command, which says a sentence in every language and left everything as it was."""
    before = everything_kept()
    with pytest.raises(error) as refusal:
        command()
    assert everything_kept() == before
    told: list[tuple[str, Any]] = [(refusal.value.code, refusal.value.params)]
    if isinstance(refusal.value, InvalidInput):
        told += [(problem.code, problem.params) for problem in refusal.value.problems]
    for code, params in told:
        for locale in LOCALES:
            assert translate(code, locale, **params) not in ("", code)
    return refusal.value


def save(company: Company, *rules: dict[str, Any], version_id: int | None = None) -> int:
    with transaction() as conn:
        return publishing.save_draft(
            conn,
            actor=company.actor(Role.MANAGER),
            rule_set_id=conn.execute(sa.select(table(RuleSet).c.id)).scalars().first() or 0,
            rules={"schema": 2, "currency": "CNY", "rules": [make_rule("base"), *rules]},
            effective_from=date(2026, 12, 1),
            version_id=version_id,
        )


def tier(*bands: tuple[str, str | None]) -> dict[str, Any]:
    return make_rule(
        "volume",
        dimension="volume",
        op="tier",
        unit="month_tickets",
        order=20,
        bands=[{"lower": lower, "upper": upper, "value": "100"} for lower, upper in bands],
    )


def coefficient(value: object) -> dict[str, Any]:
    return make_rule(
        "height", dimension="hazard", op="multiply", value=value, applies_to=["base_labour"], order=20
    )


BAD_RULES = {
    "an infinite coefficient": (coefficient("Infinity"), "rules[1].value"),
    "a coefficient beyond all measure": (coefficient("1e300"), "rules[1].value"),
    "a coefficient that is no number": (coefficient("NaN"), "rules[1].value"),
    "a tier with a gap": (tier(("0", "60"), ("61", None)), "rules[1].bands[1]"),
    "a tier that overlaps": (tier(("0", "60"), ("59", None)), "rules[1].bands[1]"),
    "a tier that ends": (tier(("0", "60")), "rules[1].bands[0]"),
    "a rule on a field that is missing": (
        make_rule("moon", when=when("phase_of_the_moon", "=", "full"), order=20),
        "rules[1].when.rules[0].field",
    ),
    "a rule that counts a field that is missing": (
        make_rule("steps", dimension="travel", op="per_unit", unit="steps_walked", order=20),
        "rules[1].unit",
    ),
}


@pytest.mark.parametrize(("bad", "path"), BAD_RULES.values(), ids=BAD_RULES.keys())
def test_rules_nobody_could_rate_by_are_named_by_their_place_and_not_kept(
    company: Company, bad: dict[str, Any], path: str
) -> None:
    refusal = refused(lambda: save(company, bad), BadRules)

    assert isinstance(refusal, BadRules)
    assert [problem.path for problem in refusal.problems] == [path]


def test_a_draft_that_was_good_stays_good_when_its_next_state_is_not(company: Company) -> None:
    version_id = save(company, coefficient("1.2"))

    refused(lambda: save(company, coefficient("Infinity"), version_id=version_id), BadRules)

    versions = table(RuleSetVersion)
    with reading() as conn:
        rules = conn.execute(sa.select(versions.c.rules).where(versions.c.id == version_id)).scalar_one()
    assert [rule["value"] for rule in rules["rules"]] == ["10000", "1.2"]


def test_work_of_a_day_outside_any_rule_set_is_not_settled(company: Company) -> None:
    long_ago = datetime(1999, 12, 31, 4, tzinfo=UTC)
    facts = facts_of(company, started_at=long_ago, finished_at=long_ago)

    refusal = refused(lambda: settle(company, facts), NoRulesInForce)

    assert refusal.params["day"] == "1999-12-31"


def test_a_correction_to_a_day_outside_any_rule_set_leaves_the_rating_that_stands(company: Company) -> None:
    facts = facts_of(company)
    settle(company, facts)
    long_ago = datetime(1999, 12, 31, 4, tzinfo=UTC)
    moved = facts_of(
        company, ticket_id=facts.ticket_id, no=facts.no, started_at=long_ago, finished_at=long_ago
    )

    refused(lambda: correct(company, moved), NoRulesInForce)
    refused(lambda: settle(company, moved), NoRulesInForce)

    assert not settle(company, facts).is_new


def close_with(
    command: Callable[..., object], company: Company, period_id: int, version: int, command_id: str
) -> str:
    try:
        with transaction() as conn:
            command(
                conn,
                actor=company.actor(),
                at=DECEMBER,
                period_id=period_id,
                expected_version=version,
                command_id=command_id,
            )
    except StalePeriod as stale:
        return stale.code
    return "done"


@pytest.mark.parametrize(("command", "version"), [(closing.begin_closing, 1), (closing.close, 2)])
def test_two_people_closing_one_period_at_once_close_it_once(
    company: Company, command: Callable[..., object], version: int
) -> None:
    with reading() as conn:
        period_id = conn.execute(sa.select(periods.c.id)).scalar_one()
    if command is closing.close:
        assert close_with(closing.begin_closing, company, period_id, 1, "before") == "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(
            pool.map(lambda name: close_with(command, company, period_id, version, name), ("one", "other"))
        )

    assert sorted(outcomes) == ["done", "settlement.period_stale"]
    entries = table(AuditEntry)
    with reading() as conn:
        closed = conn.execute(sa.select(periods)).one()
        told = conn.execute(
            sa.select(sa.func.count()).where(entries.c.command_id.in_(["one", "other"]))
        ).scalar_one()
    assert closed.version == version + 1
    assert closed.state is (PeriodState.CLOSING if version == 1 else PeriodState.CLOSED)
    assert told == 1


def test_the_second_to_close_is_told_and_changes_nothing(company: Company) -> None:
    with reading() as conn:
        period_id = conn.execute(sa.select(periods.c.id)).scalar_one()

    def begin() -> None:
        with transaction() as conn:
            closing.begin_closing(
                conn,
                actor=company.actor(),
                at=DECEMBER + timedelta(hours=1),
                period_id=period_id,
                expected_version=1,
                command_id="second",
            )

    assert close_with(closing.begin_closing, company, period_id, 1, "first") == "done"

    assert refused(begin, StalePeriod).params["state"] == "settlement.period.closing"
