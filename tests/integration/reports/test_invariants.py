"""The laws on live data: they hold of what the commands did, and each names the row that somebody changed.

What a hand does in the database is done past the triggers, so they are dropped first.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import found_company
from tests.builders.earnings import OCTOBER, earn
from tests.fixtures.databases import Database, let_go
from ticket_console.desk import moving
from ticket_console.kernel.actor import Actor, Role, Scope
from ticket_console.kernel.database import engine, is_sqlite, reading, table, transaction, use_url
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports import invariants
from ticket_console.reports.laws import Finding, Law, LawState, Look
from ticket_console.settlement import closing, refunding, statements
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.tables import Period, Rating
from ticket_console.tickets.tables import Ticket

AT = OCTOBER + timedelta(days=100)
ALL = {law.code for law in invariants.LAWS}
# The tickets of the builder have neither steps nor lanes: these laws are tried on a company at work, below.
OF_WORK = {"owned", "lanes"}


def books() -> Any:
    """Settled, corrected and charged work, with a closed month and a statement."""
    found = earn(tickets=8)
    company = found.company
    actor = company.actor()
    with transaction() as conn:
        periods = conn.execute(sa.select(table(Period)).order_by(table(Period).c.starts_at)).all()
        drafted = statements.draft(
            conn,
            actor=actor,
            payee=Payee(OwnerKind.TECHNICIAN, company.anna),
            period_id=periods[0].id,
            command_id="draft",
        )
        statements.issue(
            conn,
            actor=actor,
            at=AT,
            statement_id=drafted.id,
            expected_version=drafted.version,
            command_id="issue",
        )
    with transaction() as conn:
        rated = conn.execute(sa.select(table(Rating)).order_by(table(Rating).c.id.desc())).first()
        assert rated is not None
        refunding.refund(
            conn,
            at=AT,
            actor=actor,
            ticket_id=rated.ticket_id,
            segment=rated.segment,
            purpose=rated.purpose,
            region_id=company.north,
            command_id="refund",
            reason="it leaks again",
        )
    for move, version in ((closing.begin_closing, 1), (closing.close, 2)):
        with transaction() as conn:
            move(
                conn,
                actor=actor,
                at=AT,
                period_id=periods[0].id,
                expected_version=version,
                command_id=move.__name__,
            )
    return found


def checked(org_id: int, *, turn: int = 400) -> dict[str, LawState]:
    return invariants.check_laws(org_id, at=AT, turn=turn)


def broken(org_id: int, **more: int) -> set[str]:
    return {code for code, state in checked(org_id, **more).items() if state is not LawState.HOLDS}


def by_hand(statement: str) -> None:
    """Change the database past everything that guards it."""
    connection = engine().raw_connection()
    try:
        cursor = connection.cursor()
        if is_sqlite():
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        else:
            cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        connection.commit()
    finally:
        # The pool must not hand out a connection without its guards.
        connection.invalidate()


def one(query: Any) -> Any:
    with reading() as connection:
        return connection.execute(sa.text(query) if isinstance(query, str) else query).scalars().first()


def named(company: Any, code: str) -> set[tuple[str, str]]:
    return named_to(company.actor(), code)


def named_to(viewer: Actor, code: str) -> set[tuple[str, str]]:
    """The rows that the page names for a law."""
    with reading() as connection:
        found = invariants.results(connection, viewer=viewer)
    law = next(each for each in found if each.code == code)
    return {(each.table, each.row_id) for each in law.examples}


def test_everything_holds_of_what_the_commands_did(database: Database) -> None:
    company = books().company

    states = checked(company.org_id)

    assert states.keys() == ALL
    assert {code for code, state in states.items() if state is not LawState.HOLDS} == OF_WORK
    with reading() as connection:
        found = invariants.results(connection, viewer=company.actor(Role.AUDITOR))
    rows = {each.code: each.rows for each in found}
    assert (
        min(rows[code] for code in ("journals", "reversals", "ratings", "statements", "stated", "closed")) > 0
    )


def first(of: str) -> str:
    return f"SELECT min(id) FROM {of}"


def setting(of: str, what: str, row: str) -> str:
    return f"UPDATE {of} SET {what} WHERE id = ({row})"


_LINE, _POSTING, _RATING, _FACTS = (
    first("rating_line"),
    first("posting"),
    first("rating"),
    first("fact_snapshot"),
)
_JOURNAL = "SELECT id FROM journal ORDER BY seq LIMIT 1"
_REVERSAL = "SELECT id FROM journal WHERE kind = 'reversal' ORDER BY seq LIMIT 1"
_JOURNAL_OF_POSTING = f"SELECT journal_id FROM posting WHERE id = ({_POSTING})"
_REFUNDED = "journal_id = (SELECT journal_id FROM refund) AND rating_line_id IS NOT NULL"
_ONE_MORE = "amount_minor = amount_minor + 1"
# The law, what a hand does that breaks it, the table of the row it names and the query of that row's id.
_HANDS = (
    ("journals", setting("posting", _ONE_MORE, _POSTING), "journal", _JOURNAL_OF_POSTING),
    ("postings", setting("posting", "ticket_id = ticket_id + 1", _POSTING), "posting", _POSTING),
    ("postings", setting("posting", "currency = 'USD'", _POSTING), "posting", _POSTING),
    (
        "reversals",
        f"UPDATE posting SET amount_minor = 2 * amount_minor WHERE journal_id = ({_REVERSAL})",
        "journal",
        _REVERSAL,
    ),
    ("reversals", setting("journal", "reverses_id = id", _REVERSAL), "journal", _REVERSAL),
    ("chain", "DELETE FROM journal WHERE seq = 3", "journal", "SELECT id FROM journal WHERE seq = 4"),
    ("chain", "UPDATE ledger_head SET seq = seq + 1", "ledger_head", "SELECT org_id FROM ledger_head"),
    ("hashes", setting("journal", "reason = 'nobody wrote this'", _JOURNAL), "journal", _JOURNAL),
    ("hashes", setting("posting", "region_id = NULL", _POSTING), "journal", _JOURNAL_OF_POSTING),
    (
        "lines",
        setting("rating_line", _ONE_MORE, _LINE),
        "rating",
        f"SELECT rating_id FROM rating_line WHERE id = ({_LINE})",
    ),
    ("splits", setting("rating_line", _ONE_MORE, _LINE), "rating_line", _LINE),
    ("refunds", f"UPDATE posting SET {_ONE_MORE} WHERE {_REFUNDED}", "refund", first("refund")),
    ("ratings", setting("rating", "is_live = NOT is_live", _RATING), "rating", _RATING),
    ("repeatable", setting("rating", "content_hash = 'x'", _RATING), "rating", _RATING),
    ("repeatable", setting("rating", "total_minor = total_minor + 1", _RATING), "rating", _RATING),
    (
        "repeatable",
        setting("fact_snapshot", "facts = REPLACE(facts, 'Shanghai', 'Taipei')", _FACTS),
        "fact_snapshot",
        _FACTS,
    ),
    (
        "rules",
        setting("rule_set_version", "rules = REPLACE(rules, '10000', '10001')", first("rule_set_version")),
        "rule_set_version",
        first("rule_set_version"),
    ),
    ("statements", "UPDATE statement SET total_minor = total_minor + 1", "statement", first("statement")),
    ("statements", "UPDATE statement SET as_of_seq = 1", "statement", first("statement")),
    (
        "stated",
        setting("statement_line", "amount_minor = 1", first("statement_line")),
        "statement_line",
        first("statement_line"),
    ),
    (
        "stated",
        f"DELETE FROM statement_line WHERE id = ({first('statement_line')})",
        "posting",
        "SELECT posting_id FROM statement_line ORDER BY id LIMIT 1",
    ),
    (
        "closed",
        setting("journal", "posted_at = '2027-06-01 00:00:00.000000'", _JOURNAL),
        "journal",
        _JOURNAL,
    ),
    (
        "months",
        setting("journal", "origin_period_id = (SELECT max(id) FROM period)", _JOURNAL),
        "journal",
        _JOURNAL,
    ),
)


@pytest.fixture(scope="module")
def kept_books(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Books to be spoilt, made once; every test spoils a copy."""
    path = tmp_path_factory.mktemp("books") / "console.db"
    shutil.copy(sqlite_template, path)
    use_url(f"sqlite:///{path}")
    found = books()
    let_go()
    return path, found.company


@pytest.fixture
def spoilt(kept_books: tuple[Path, Any], tmp_path: Path) -> Iterator[Any]:
    path, company = kept_books
    shutil.copy(path, tmp_path / "console.db")
    use_url(f"sqlite:///{tmp_path}/console.db")
    yield company
    let_go()


@pytest.mark.parametrize(
    ("law", "change", "table_name", "row"),
    _HANDS,
    ids=lambda value: value if isinstance(value, str) and len(value) < 16 else "",
)
def test_a_row_changed_by_hand_turns_its_badge_red_and_is_named(
    spoilt: Any, law: str, change: str, table_name: str, row: str
) -> None:
    # Moonshot 4: whatever is changed past the commands is seen, with the row's id.
    company = spoilt
    expected = one(row)
    by_hand(change)

    assert law in broken(company.org_id)
    assert (table_name, str(expected)) in named(company, law)


@pytest.fixture(scope="module")
def kept_work(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A company at work: tickets somebody has, one that waits for somebody, one that is cancelled."""
    path = tmp_path_factory.mktemp("work") / "console.db"
    shutil.copy(sqlite_template, path)
    use_url(f"sqlite:///{path}")
    company = at_work()
    let_go()
    return path, company


def at_work() -> Any:
    company = found_company(AT)
    opened = [company.open().ticket_id for _ in range(4)]
    with reading() as connection:
        version = connection.execute(
            sa.select(table(Ticket).c.version).where(table(Ticket).c.id == opened[-1])
        ).scalar_one()
    moving.cancel(
        actor=company.actor("manager"),
        at=AT,
        command_id=company.command_id(),
        ticket_id=opened[-1],
        expected_version=version,
        reason="twice",
    )
    return company


@pytest.fixture
def at_hand(kept_work: tuple[Path, Any], tmp_path: Path) -> Iterator[Any]:
    path, company = kept_work
    shutil.copy(path, tmp_path / "console.db")
    use_url(f"sqlite:///{tmp_path}/console.db")
    yield company
    let_go()


def test_every_law_holds_of_a_company_at_work(database: Database) -> None:
    company = at_work()

    assert broken(company.org_id) == set()


_TICKET = "SELECT min(id) FROM ticket WHERE status = 'open'"
_TOKEN = "SELECT min(id) FROM token WHERE state = 'active' AND owner_kind = 'technician'"
_TOKEN_OF_TICKET = f"SELECT id FROM token WHERE state = 'active' AND ticket_id = ({_TICKET})"
_CLAIM = f"SELECT id FROM assignment WHERE state = 'claimed' AND token_id = ({_TOKEN})"
_EVENTS = f"FROM event WHERE ticket_id = ({_TICKET})"
_LANE = "SELECT stage || '/' || region_id || '/' || ticket_class FROM lane_count WHERE tickets > 0 LIMIT 1"
_LATE = (
    "INSERT INTO timer (id, fact_key, kind, ticket_id, token_id, due_at, state) VALUES "
    f"(7, 'late', 'wait', ({_TICKET}), ({_TOKEN}), '2027-01-12 00:00:00.000000', 'armed')"
)
_LOST = (
    "INSERT INTO raw_intake (id, org_id, channel, delivery_key, payload, payload_hash, received_by, state,"
    " attempts, received_at) VALUES (7, (SELECT id FROM org), 'api', 'k', '{{}}', '-', 'x', '{state}', 0,"
    " '2026-10-05 00:00:00.000000')"
)
_TOO_MUCH = (
    "INSERT INTO part_usage (id, ticket_id, part_id, quantity, unit_cost_minor, command_id, at) VALUES "
    f"(7, ({_TICKET}), ({first('part')}), '-0.5', 1, 'c', '2027-01-12 00:00:00.000000')"
)
_LOAD = "SELECT min(technician_id) FROM technician_load"
_WORK_HANDS = (
    ("owned", setting("token", "owner_id = NULL", _TOKEN), "token", _TOKEN),
    ("owned", f"UPDATE token SET state = 'done' WHERE ticket_id = ({_TICKET})", "ticket", _TICKET),
    ("ended", setting("ticket", "status = 'closed'", _TICKET), "token", _TOKEN_OF_TICKET),
    ("held", setting("token", "owner_id = owner_id + 1", _TOKEN), "token", _TOKEN),
    ("held", setting("token", "state = 'done'", _TOKEN), "assignment", _CLAIM),
    ("timers", _LATE, "timer", "SELECT 7"),
    ("histories", setting("ticket", "title = 'rewritten'", _TICKET), "ticket", _TICKET),
    (
        "histories",
        f"UPDATE event SET actor_name = 'nobody' WHERE seq = (SELECT min(seq) {_EVENTS})",
        "ticket",
        _TICKET,
    ),
    ("histories", f"DELETE FROM event WHERE seq = (SELECT max(seq) {_EVENTS})", "ticket", _TICKET),
    ("lanes", "UPDATE lane_count SET tickets = tickets + 1 WHERE tickets > 0", "lane_count", _LANE),
    ("loads", "UPDATE technician_load SET open_count = open_count + 1", "technician_load", _LOAD),
    ("messages", _LOST.format(state="new"), "raw_intake", "SELECT 7"),
    ("messages", _LOST.format(state="ticket"), "raw_intake", "SELECT 7"),
    ("parts", _TOO_MUCH, "part_usage", "SELECT 7"),
)


@pytest.mark.parametrize(
    ("law", "change", "table_name", "row"),
    _WORK_HANDS,
    ids=lambda value: value if isinstance(value, str) and len(value) < 16 else "",
)
def test_work_changed_by_hand_turns_its_badge_red_and_is_named(
    at_hand: Any, law: str, change: str, table_name: str, row: str
) -> None:
    expected = one(row)
    by_hand(change)

    assert law in broken(at_hand.org_id)
    assert (table_name, str(expected)) in named_to(at_hand.actor("manager"), law)


def test_both_kinds_of_laws_are_tried() -> None:
    # A law whose badge no test turns red might never turn red.
    assert {law for law, *_ in (*_HANDS, *_WORK_HANDS)} == ALL


def test_a_broken_row_stays_red_turn_after_turn_until_it_is_repaired(spoilt: Any) -> None:
    row = str(one(_RATING))
    by_hand(setting("rating", "total_minor = total_minor + 1", row))

    turns = [broken(spoilt.org_id, turn=2) for _ in range(4)]
    assert ["lines" in each for each in turns] == [True] * 4

    by_hand(setting("rating", "total_minor = total_minor - 1", row))
    assert "lines" not in broken(spoilt.org_id, turn=2)


def test_turns_come_round_to_every_row(spoilt: Any) -> None:
    checked(spoilt.org_id, turn=3)
    middle = one("SELECT id FROM rating ORDER BY id LIMIT 1 OFFSET 4")
    by_hand(f"UPDATE rating_line SET amount_minor = amount_minor + 1 WHERE rating_id = {middle}")

    turns = ["lines" in broken(spoilt.org_id, turn=3) for _ in range(4)]
    assert True in turns
    assert turns[turns.index(True) :] == [True] * (4 - turns.index(True))


def test_a_check_that_cannot_be_carried_out_says_so_and_hides_no_other(
    spoilt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Look) -> Finding:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(invariants, "LAWS", (Law("chain", fail), *invariants.LAWS[:1]))

    assert checked(spoilt.org_id) == {"chain": LawState.FAILED, "journals": LawState.HOLDS}


def test_what_was_just_checked_is_left_to_the_worker_who_did(spoilt: Any) -> None:
    invariants.check_all(AT)
    by_hand("UPDATE ledger_head SET seq = seq + 1")

    assert invariants.check_all(AT + timedelta(minutes=1)) == {"broken": 0, "failed": 0}
    assert invariants.check_all(AT + timedelta(minutes=3))["broken"] > 0


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.DISPATCHER, Role.AGENT, Role.ACCOUNT_MANAGER])
def test_only_who_reads_the_money_reads_the_checks(spoilt: Any, role: Role) -> None:
    with reading() as connection, pytest.raises(Forbidden):
        invariants.results(connection, viewer=spoilt.actor(role))
    with pytest.raises(Forbidden):
        invariants.check(viewer=spoilt.actor(role), at=AT)


def test_whoever_reads_one_region_reads_no_checks_of_all(spoilt: Any) -> None:
    regional = spoilt.actor(Role.FINANCE, scope=Scope.REGION, region_ids=[spoilt.north])

    with reading() as connection, pytest.raises(Forbidden):
        invariants.results(connection, viewer=regional)
