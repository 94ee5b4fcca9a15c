"""A population settled in bulk stands in the books as if it had been settled one by one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import SETTLED, Company, facts_of, open_company, settle
from tests.fixtures.databases import Database
from tests.integration.proof.door import everything_kept
from tests.integration.settlement.ledger_laws import broken_laws, ratings_that_rate_otherwise_now
from tests.integration.settlement.test_any_order import another_company
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.people.tables import Vendor
from ticket_console.settlement import chain, settling, sides
from ticket_console.settlement.facts import Hazard, PartUsed, ToolUsed, Urgency
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.population import writing
from ticket_console.settlement.population.reading import population_of_frozen
from ticket_console.settlement.population.writing import EvaluatorsDisagree, Work, Written, settle_population
from ticket_console.settlement.publishing import NoRulesInForce
from ticket_console.settlement.tables import Account, Journal, Period, Posting, Rating, RatingLine

accounts, journals, periods = table(Account), table(Journal), table(Period)
postings, ratings, lines = table(Posting), table(Rating), table(RatingLine)
ALL_SIDES = tuple(sides.RULE_SETS.values())


class Stopped(Exception):
    """Somebody ends a run."""


def vendor_of(company: Company) -> int:
    made = table(Vendor)
    with transaction() as conn:
        new = sa.insert(made).values(
            org_id=company.org_id, code="blue", name={"zh": "蓝海", "en": "Blue"}, is_active=True
        )
        return int(conn.execute(new.returning(made.c.id)).scalar_one())


def history(company: Company, size: int = 24) -> list[Work]:
    """Work of two months, of technicians and of a partner, plain and with everything."""
    vendor_id = vendor_of(company)
    made = []
    for place in range(size):
        started = datetime(2026, 10, 20, 13, 0, tzinfo=UTC) + timedelta(days=place)
        facts = facts_of(
            company,
            technician_id=company.bo if place % 3 else company.anna,
            vendor_id=vendor_id if place % 4 == 1 else None,
            by_vendor=place % 4 == 1,
            started_at=started,
            finished_at=started + timedelta(minutes=37 * (place % 7)),
            difficulty=D("1.25") if place % 2 else D(1),
            urgency=list(Urgency)[place % 3],
            hazards=(Hazard("height", f"photo:{place}"),) if place % 5 == 0 else (),
            distance_km=D(place) * D("7.35"),
            parts=tuple(PartUsed(f"P-{each}", D("1.5"), 1001 + place) for each in range(place % 3)),
            tools=(ToolUsed("LIFT", D("0.5"), 30_000),) if place % 6 == 0 else (),
            on_time=None if place % 3 == 0 else place % 2 == 0,
            month_tickets=50 + place,
        )
        made.append(Work(facts, company.north if place % 2 else company.south))
    return made


def one_by_one(company: Company, work: Sequence[Work]) -> None:
    for each in work:
        settle(company, each.facts, region_id=each.region_id)


def in_bulk(company: Company, work: Sequence[Work], **changes: Any) -> Written:
    wanted: dict[str, Any] = {"actor": company.actor(), "at": SETTLED, "command_id": "import", "chunk": 7}
    return settle_population(work=work, **wanted | changes)


def books(company: Company, work: Sequence[Work]) -> list[Any]:
    """All that stands in the books of a company, with the names of things in place of their ids."""
    places = {each.facts.ticket_id: place for place, each in enumerate(work)}
    people = {company.anna: "anna", company.bo: "bo"}
    origin = periods.alias("origin")
    with reading() as conn:
        entries = conn.execute(
            sa.select(
                journals.c.seq,
                journals.c.kind,
                (journals.c.period_id == postings.c.period_id).label("in_its_month"),
                journals.c.ticket_id,
                journals.c.service_at,
                journals.c.posted_at,
                journals.c.posted_by,
                journals.c.reason,
                periods.c.code.label("period"),
                origin.c.code.label("origin"),
                accounts.c.owner_kind,
                accounts.c.owner_id,
                accounts.c.kind.label("account"),
                accounts.c.code,
                postings.c.amount_minor,
                postings.c.currency,
                postings.c.region_id,
                lines.c.position,
            )
            .join(postings, postings.c.journal_id == journals.c.id)
            .join(accounts, accounts.c.id == postings.c.account_id)
            .join(
                periods, sa.and_(periods.c.id == journals.c.period_id, periods.c.id == postings.c.period_id)
            )
            .outerjoin(origin, origin.c.id == journals.c.origin_period_id)
            .outerjoin(lines, lines.c.id == postings.c.rating_line_id)
            .where(journals.c.org_id == company.org_id)
            .order_by(journals.c.seq, postings.c.id)
        ).all()
        rated = conn.execute(
            sa.select(
                ratings.c.ticket_id,
                ratings.c.purpose,
                ratings.c.total_minor,
                ratings.c.currency,
                ratings.c.trace,
                ratings.c.service_on,
                ratings.c.rated_at,
                ratings.c.is_live,
                lines.c.position,
                lines.c.dimension,
                lines.c.rule_code,
                lines.c.quantity,
                lines.c.factor,
                lines.c.amount_minor,
                lines.c.explain,
            )
            .outerjoin(lines, lines.c.rating_id == ratings.c.id)
            .where(ratings.c.org_id == company.org_id)
            .order_by(ratings.c.ticket_id, ratings.c.purpose, lines.c.position)
        ).all()
    said = []
    for row in entries:
        named = row._asdict()
        named["ticket_id"] = places[row.ticket_id]
        named["posted_by"] = row.posted_by == company.actor().label
        named["owner_id"] = people[row.owner_id] if row.owner_kind is OwnerKind.TECHNICIAN else "other"
        named["region_id"] = {company.north: "north", company.south: "south"}[row.region_id]
        said.append(named)
    return [said, [row._asdict() | {"ticket_id": places[row.ticket_id]} for row in rated]]


def in_order(company: Company) -> bool:
    with reading() as conn:
        return (
            broken_laws(conn, company.org_id) == []
            and ratings_that_rate_otherwise_now(conn, company.org_id) == []
            and chain.verify(conn, org_id=company.org_id).broken_at is None
        )


def test_it_writes_the_books_that_settling_one_by_one_writes(database: Database) -> None:
    slow, fast = another_company(codes=ALL_SIDES), another_company(codes=ALL_SIDES)
    for_slow, for_fast = history(slow), history(fast)

    one_by_one(slow, for_slow)
    assert in_bulk(fast, for_fast) == Written(settled=24, known=0)

    assert books(fast, for_fast) == books(slow, for_slow)
    assert len(books(fast, for_fast)[0]) > 200
    assert in_order(slow)
    assert in_order(fast)


def test_a_run_that_broke_off_is_taken_up_where_it_was(database: Database) -> None:
    whole, broken = another_company(), another_company()
    for_whole, for_broken = history(whole), history(broken)
    in_bulk(whole, for_whole)

    def stop(done: int) -> None:
        if done == 14:
            raise Stopped

    with pytest.raises(Stopped):
        in_bulk(broken, for_broken, progress=stop)
    assert in_bulk(broken, for_broken) == Written(settled=10, known=14)

    assert books(broken, for_broken) == books(whole, for_whole)
    assert in_bulk(broken, for_broken) == Written(settled=0, known=24)
    assert in_order(broken)


def test_what_is_in_the_books_with_other_facts_is_settled_anew_and_what_was_taken_back_stays_so(
    database: Database,
) -> None:
    company = open_company()
    work = history(company, 6)
    in_bulk(company, work)
    with transaction() as conn:
        settling.withdraw(
            conn,
            at=SETTLED,
            actor=company.actor(),
            ticket_id=work[1].facts.ticket_id,
            segment="main",
            region_id=work[1].region_id,
            command_id="undo",
            reason="returned",
        )
    changed = [Work(replace(work[0].facts, vip=True), work[0].region_id), *work[1:]]

    assert in_bulk(company, changed, command_id="again") == Written(settled=1, known=5)

    with reading() as conn:
        live = conn.execute(
            sa.select(ratings.c.ticket_id).where(ratings.c.is_live).order_by(ratings.c.ticket_id)
        ).scalars()
        assert list(live) == [each.facts.ticket_id for each in work if each is not work[1]]
    assert in_order(company)


def test_work_of_a_closed_month_goes_to_the_next_open_one(database: Database) -> None:
    company = open_company()
    work = history(company, 16)
    in_bulk(company, work[:1])
    with transaction() as conn:
        conn.execute(sa.update(periods).values(state="closed"))

    in_bulk(company, work[1:], command_id="late")

    with reading() as conn:
        months = conn.execute(
            sa.select(periods.c.code, sa.func.count(), sa.func.count(journals.c.origin_period_id))
            .join(journals, journals.c.period_id == periods.c.id)
            .group_by(periods.c.code)
            .order_by(periods.c.code)
        ).all()
    assert months == [("2026-10", 1, 0), ("2026-11", 15, 11)]
    assert in_order(company)


def test_a_refusal_ends_the_run_before_its_chunk_and_keeps_nothing_of_it(database: Database) -> None:
    company = open_company()
    work = history(company, 14)
    long_ago = datetime(1999, 6, 1, tzinfo=UTC)
    work[9] = Work(replace(work[9].facts, started_at=long_ago, finished_at=long_ago), company.north)

    with pytest.raises(NoRulesInForce):
        in_bulk(company, work)

    with reading() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(ratings)).scalar_one() == 7
    assert in_order(company)


def test_evaluators_that_disagree_write_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    company = open_company()
    work = history(company, 3)
    monkeypatch.setattr(
        writing,
        "population_of_frozen",
        lambda frozen: population_of_frozen([{**each, "service_type": "training"} for each in frozen]),
    )
    before = everything_kept()

    with pytest.raises(EvaluatorsDisagree):
        in_bulk(company, work)

    assert everything_kept() == before


@pytest.mark.parametrize(
    ("role", "grant"), [(Role.DISPATCHER, {}), (Role.FINANCE, {"scope": Scope.REGION, "region_ids": [1]})]
)
def test_only_those_over_the_whole_organisation_settle_a_population(
    database: Database, role: Role, grant: dict[str, Any]
) -> None:
    company = open_company()
    work = history(company, 2)
    before = everything_kept()

    with pytest.raises(Forbidden):
        in_bulk(company, work, actor=company.actor(role, **grant))

    assert everything_kept() == before
