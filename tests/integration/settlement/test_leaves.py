"""Every cent explained: what is recomputed gives the same cents, and without any leaf the proof breaks."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.settlement import FINISHED, Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from tests.integration.settlement.ledger_laws import broken_laws, ratings_that_rate_otherwise_now
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.settlement import payees, statements
from ticket_console.settlement.facts import Hazard, PartUsed
from ticket_console.settlement.tables import (
    FactSnapshot,
    Journal,
    Period,
    Posting,
    Rating,
    RatingLine,
    RuleSetVersion,
    StatementLine,
)

ROWS = [table(each) for each in (Rating, RatingLine, FactSnapshot, Journal, Posting, StatementLine)]
PARTS: list[tuple[Any, str, int]] = [
    (FactSnapshot, "facts", 1),
    (RatingLine, "explain", 1),
    (Rating, "trace", 7),
    (RuleSetVersion, "rules", 7),
]
GUARDED = (
    "rating",
    "rating_line",
    "fact_snapshot",
    "journal",
    "posting",
    "statement_line",
    "rule_set_version",
)


class Undone(Exception):
    """Ends a look at books that were tampered with."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Something the proof stands on, and how it is taken away."""

    name: str
    deletion: sa.Update | sa.Delete


@pytest.fixture
def company(database: Database) -> Company:
    """Books with a ticket of many lines, corrected once, and a statement of it."""
    company = open_company()
    facts = facts_of(
        company,
        difficulty=D("1.25"),
        hazards=(Hazard("height", "photo:1"),),
        parts=(PartUsed("P-1", D("1.5"), 1001),),
        on_time=False,
    )
    settle(company, facts)
    correct(company, facts_of(company, ticket_id=facts.ticket_id, no=facts.no, hazards=(Hazard("height"),)))
    wanted: dict[str, Any] = {"actor": company.actor(), "command_id": "state"}
    with transaction() as conn:
        period_id = conn.execute(sa.select(table(Period).c.id)).scalar_one()
        drafted = statements.draft(conn, payee=payees.technician(company.anna), period_id=period_id, **wanted)
    with transaction() as conn:
        statements.issue(
            conn, at=FINISHED, statement_id=drafted.id, expected_version=drafted.version, **wanted
        )
    return company


def broken(conn: sa.Connection, company: Company) -> list[str]:
    return [
        *broken_laws(conn, company.org_id),
        *ratings_that_rate_otherwise_now(conn, company.org_id),
    ]


@contextmanager
def tampering() -> Iterator[sa.Connection]:
    """A connection for whom the guards of the books do not exist; nothing it does is kept."""
    with suppress(Undone), transaction() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            triggers = conn.exec_driver_sql("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
            for name, guarded in triggers.all():
                if guarded in GUARDED:
                    conn.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield conn
        raise Undone


def leaves(conn: sa.Connection) -> Iterator[Leaf]:
    """Every row, every frozen fact, all that a line says of itself, and of the long lists every seventh."""
    for kept in ROWS:
        for id in conn.execute(sa.select(kept.c.id).order_by(kept.c.id)).scalars().all():
            yield Leaf(f"{kept.name} {id}", sa.delete(kept).where(kept.c.id == id))
    for model, column, step in PARTS:
        kept = table(model)
        for id, document in conn.execute(sa.select(kept.c.id, kept.c[column]).order_by(kept.c.id)).all():
            for path in list(_paths(document))[::step]:
                without = sa.update(kept).where(kept.c.id == id).values({column: _without(document, path)})
                yield Leaf(f"{kept.name} {id} {column}{path}", without)


def _paths(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document that holds nothing further."""
    inside = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in inside:
        if isinstance(value, dict | list) and value and not at:
            yield from _paths(value, (*at, key))
        else:
            yield (*at, key)


def _without(document: Any, path: tuple[Any, ...]) -> Any:
    cut = copy.deepcopy(document)
    place = cut
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return cut


def test_recomputing_the_tree_gives_the_same_cents(company: Company) -> None:  # STL-23
    with reading() as conn:
        assert broken(conn, company) == []


def test_without_any_leaf_the_proof_breaks(company: Company) -> None:  # STL-23
    unnoticed = []
    with tampering() as conn:
        found = list(leaves(conn))
        for leaf in found:
            look = conn.begin_nested()
            conn.execute(leaf.deletion)
            if not broken(conn, company):
                unnoticed.append(leaf.name)
            look.rollback()

    assert unnoticed == []
    assert len(found) > 100
