"""Conditions tried on real tickets: the whole, each rule, and how many tickets; nothing hidden leaks."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import CHENGDU, Company, found_company
from ticket_console.desk import condition_bench
from ticket_console.desk.condition_bench import EXAMPLES, FactHidden, Matches, Verdict
from ticket_console.desk.work import ticket_facts
from ticket_console.forms import reads as form_reads
from ticket_console.forms.tables import Template
from ticket_console.kernel.condition_sql import compile_where
from ticket_console.kernel.conditions import BadCondition, compile_condition
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.tickets import reads
from ticket_console.tickets.condition_facts import fact_columns
from ticket_console.tickets.tables import FieldValue
from ticket_console.tickets.writing import TicketNotFound


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def group(combinator: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": combinator, "rules": list(rules)}


URGENT_HVAC = group("and", rule("category", "=", "hvac"), rule("urgency", "in", ["urgent", "emergency"]))
COST = rule("parts_cost", ">", 100)


def judge(company: Company, by: str, ticket_id: int, tree: dict[str, Any]) -> tuple[Verdict, ...]:
    with reading() as connection:
        return condition_bench.judge(connection, viewer=company.actor(by), ticket_id=ticket_id, tree=tree)


def matching(company: Company, by: str, tree: dict[str, Any], **more: Any) -> Matches:
    with reading() as connection:
        return condition_bench.matching(
            connection, viewer=company.actor(by), tree=tree, at=company.at, **more
        )


def test_every_rule_is_judged_with_its_fact(company: Company) -> None:  # FLW-02, FLW-21
    opened = company.open(urgency=1)

    parts = judge(company, "manager", opened.ticket_id, URGENT_HVAC)

    assert [(part.path, part.holds, part.field, part.fact) for part in parts] == [
        ("", False, None, None),
        (".rules[0]", True, "category", "hvac"),
        (".rules[1]", False, "urgency", "normal"),
    ]


def test_a_hidden_fact_is_refused_and_not_evaluated(company: Company) -> None:  # PRM-02
    opened = company.open()

    with pytest.raises(FactHidden) as caught:
        judge(company, "dispatcher", opened.ticket_id, group("or", URGENT_HVAC, COST))
    with pytest.raises(FactHidden):
        matching(company, "dispatcher", COST)

    assert caught.value.params == {"fields": "parts_cost"}
    assert judge(company, "manager", opened.ticket_id, COST)[0].holds is False


def test_what_the_form_of_an_old_ticket_hides_stays_hidden_when_newer_forms_do_not_know_it(
    company: Company,
) -> None:  # PRM-02
    company.open()
    with transaction() as connection:
        templates = form_reads.published_templates(connection, company.org_id)
        assert any("parts_cost" in each.definition.field_by_key for each in templates)
        kept = [each.template_id for each in templates if "parts_cost" in each.definition.field_by_key]
        rested = table(Template)
        connection.execute(sa.update(rested).where(rested.c.id.in_(kept)).values(is_active=False))

    with pytest.raises(FactHidden):
        matching(company, "dispatcher", COST)


def test_a_ticket_of_another_region_does_not_exist(company: Company) -> None:
    opened = company.open()

    with pytest.raises(TicketNotFound):
        judge(company, "dispatcher_cd", opened.ticket_id, URGENT_HVAC)


def test_a_malformed_condition_is_refused(company: Company) -> None:
    opened = company.open()

    with pytest.raises(BadCondition):
        judge(company, "manager", opened.ticket_id, group("and"))
    with pytest.raises(BadCondition):
        matching(company, "manager", rule("weather", "=", "fine"))


def test_only_what_the_viewer_sees_is_counted(company: Company) -> None:
    company.open(urgency=3)
    far = company.open(urgency=3, lat=CHENGDU[0], lon=CHENGDU[1])
    company.open(urgency=1)

    everywhere = matching(company, "dispatcher", URGENT_HVAC)
    there = matching(company, "dispatcher_cd", URGENT_HVAC)

    assert (everywhere.count, everywhere.of) == (2, 3)
    assert (there.count, there.of, [number for _, number, _ in there.examples]) == (1, 1, [far.no])


def test_the_tickets_it_holds_for_can_be_paged_through_to_the_last(company: Company) -> None:
    opened = [company.open(urgency=3).ticket_id for _ in range(EXAMPLES + 3)]

    first = matching(company, "manager", URGENT_HVAC)
    second = matching(company, "manager", URGENT_HVAC, before=first.before)

    listed = [ticket_id for page in (first, second) for ticket_id, _, _ in page.examples]
    assert listed == sorted(opened, reverse=True)
    assert (len(first.examples), first.count, second.count) == (EXAMPLES, EXAMPLES + 3, EXAMPLES + 3)
    assert second.before is None


def test_last_month_is_the_month_before_this_one(company: Company, at: datetime) -> None:
    company.open(at=at - timedelta(days=31))
    company.open(at=at - timedelta(days=70))
    company.open()

    found = matching(company, "manager", rule("category", "notNull"), last_month=True)

    assert (found.count, found.of) == (1, 1)


@pytest.mark.parametrize(
    "tree",
    [
        rule("priority", "<=", 2),
        rule("urgency", "=", "emergency"),
        rule("impact", "between", [2, 3]),
        rule("vip", "!=", True),
        rule("source", "contains", "DES"),
        rule("ticket_class", "in", "repair,complaint"),
        rule("region_id", "notNull"),
        rule("returns", "=", 0),
        rule("category", "!=", "hvac"),
        rule("photos", "null"),
        rule("note", ">=", "12.5"),
        group("or", rule("note", "contains", "漏"), rule("category", "null")),
    ],
)
def test_the_database_counts_what_the_engine_would_decide(
    company: Company, tree: dict[str, Any]
) -> None:  # FLW-21
    opened = [
        company.open(urgency=3, impact=3),
        company.open(urgency=1, values={"category": "plumbing"}),
        company.open(template="general", lat=CHENGDU[0], lon=CHENGDU[1]),
    ]
    notes = ("12.50", "漏水", 12)
    values = table(FieldValue)
    with transaction() as connection:
        for ticket, note in zip(opened, notes, strict=True):
            row = reads.find_ticket(connection, viewer=company.system, ticket_id=ticket.ticket_id)
            connection.execute(
                sa.insert(values).values(
                    ticket_id=ticket.ticket_id,
                    field_key="note",
                    value=note,
                    template_version_id=row["template_version_id"],
                    provenance="typed",
                    command_id="test",
                )
            )
    holds = compile_condition(tree)
    with reading() as connection:
        facts = [
            {
                **{key: value for key, (value, _) in reads.field_values(connection, each.ticket_id).items()},
                **ticket_facts(
                    reads.find_ticket(connection, viewer=company.system, ticket_id=each.ticket_id)
                ),
            }
            for each in opened
        ]
        where = compile_where(
            tree, fact_columns({"note", "category", "photos"}), dialect=connection.dialect.name
        )
        selected = connection.execute(sa.select(reads.tickets.c.id).where(where)).scalars().all()

    assert sorted(selected) == [
        each.ticket_id for each, known in zip(opened, facts, strict=True) if holds(known)
    ]
