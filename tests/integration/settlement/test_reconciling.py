"""Reconciling with a service partner: their file beside the books, decided by line, and nothing posted."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from tests.builders.settlement import Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import engine, reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.kernel.sheets import BrokenFile, FileTooLarge
from ticket_console.people.crews import VendorNotFound
from ticket_console.people.tables import Technician, Vendor
from ticket_console.settlement.closing import PeriodNotFound
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.reconciling import files, reads, running
from ticket_console.settlement.reconciling.kinds import Decision, ReconciliationState
from ticket_console.settlement.reconciling.matching import Outcome, Tolerance
from ticket_console.settlement.reconciling.owed import Party
from ticket_console.settlement.reconciling.reads import LineView
from ticket_console.settlement.reconciling.running import (
    BadDecision,
    NotAllDecided,
    ReconciliationClosed,
    ReconciliationNotFound,
    ReconciliationOpen,
    ReconciliationView,
    StaleReconciliation,
)
from ticket_console.settlement.reconciling.their_file import BadColumns, BadRows
from ticket_console.settlement.tables import Journal, Period, Posting, Reconciliation, ReconciliationLine

AT = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
COLUMNS = {"工单号": "ticket_no", "金额": "amount", "日期": "service_on"}
FAR = {"distance_km": D("35.5")}


@pytest.fixture
def company(database: Database) -> Company:
    return open_company()


@pytest.fixture
def partner(company: Company) -> Party:
    """A service partner for whom Anna works; Bo is our own."""
    vendors, people = table(Vendor), table(Technician)
    with transaction() as conn:
        made = sa.insert(vendors).values(
            org_id=company.org_id,
            code="blue",
            name={"zh": "蓝海", "en": "Blue"},
            is_active=True,
            is_standby=False,
        )
        vendor_id: int = conn.execute(made.returning(vendors.c.id)).scalar_one()
        conn.execute(sa.update(people).where(people.c.id == company.anna).values(vendor_id=vendor_id))
    return Party(OwnerKind.VENDOR, vendor_id)


def november() -> int:
    with reading() as conn:
        return int(conn.execute(sa.select(table(Period).c.id)).scalar_one())


def csv_bytes(
    *rows: Sequence[object], heading: Sequence[str] = tuple(COLUMNS), encoding: str = "utf-8"
) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([heading, *rows])
    return written.getvalue().encode(encoding)


def xlsx_bytes(*rows: Sequence[object], heading: Sequence[str] = tuple(COLUMNS)) -> bytes:
    book = openpyxl.Workbook()
    for row in (heading, *rows):
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def start(company: Company, party: Party, content: bytes, **changes: Any) -> ReconciliationView:
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": AT,
        "party": party,
        "period_id": november(),
        "file_name": "账单.csv",
        "content": content,
        "mapping": COLUMNS,
        "tolerance": Tolerance(),
        "command_id": "start",
    }
    return running.start(**wanted | changes)


def decide(company: Company, known: ReconciliationView, **changes: Any) -> ReconciliationView:
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": AT + timedelta(minutes=5),
        "reconciliation_id": known.id,
        "expected_version": known.version,
        "decision": Decision.ACCEPTED,
        "command_id": f"decide:{known.version}",
    }
    return running.decide(**wanted | changes)


def close(company: Company, known: ReconciliationView, **changes: Any) -> ReconciliationView:
    wanted: dict[str, Any] = {
        "actor": company.actor(),
        "at": AT + timedelta(hours=1),
        "reconciliation_id": known.id,
        "expected_version": known.version,
        "command_id": "close",
    }
    return running.close(**wanted | changes)


def lines_of(company: Company, known: ReconciliationView) -> tuple[LineView, ...]:
    with reading() as conn:
        return reads.lines(conn, viewer=company.actor(), reconciliation_id=known.id).rows


def said(known: Sequence[LineView]) -> list[tuple[str, int | None, int | None, str | None]]:
    return [
        (
            line.outcome.value,
            line.our_amount_minor,
            line.their_amount_minor,
            line.decision.value if line.decision else None,
        )
        for line in known
    ]


def books() -> list[Any]:
    """Everything the ledger holds."""
    with reading() as conn:
        return [
            conn.execute(sa.select(rows).order_by(rows.c.id)).all()
            for rows in (table(Journal), table(Posting))
        ]


def kept() -> tuple[int, int, int]:
    with reading() as conn:
        count = [
            conn.execute(sa.select(sa.func.count()).select_from(table(each))).scalar_one()
            for each in (Reconciliation, ReconciliationLine, AuditEntry)
        ]
    return count[0], count[1], count[2]


@pytest.fixture
def three(company: Company, partner: Party) -> list[Facts]:
    """Two tickets of Anna, 100.00 and 130.60, the second corrected to 100.00, and one of Bo."""
    plain, far = facts_of(company), facts_of(company, **FAR)
    own = facts_of(company, technician_id=company.bo)
    for each in (plain, far, own):
        settle(company, each)
    return [plain, far, own]


def their_file(three: list[Facts], **changes: Any) -> bytes:
    plain, far, _ = three
    return csv_bytes(
        (plain.no.lower(), "¥100.00", "2026/11/21"),
        (far.no, "150", "2026-11-21"),
        ("X-9", "1,234.50元", ""),
        ("合计", "1484.50", ""),
        **changes,
    )


def test_a_partners_file_beside_the_books(
    company: Company, partner: Party, three: list[Facts]
) -> None:  # STL-22
    extra = facts_of(company)
    settle(company, extra)
    before = books()

    known = start(company, partner, their_file(three))

    assert (known.state, known.version, known.left_out) == (ReconciliationState.OPEN, 1, 1)
    assert known.payee_name == {"zh": "蓝海", "en": "Blue"}
    assert said(lines_of(company, known)) == [
        ("matched", 10000, 10000, "accepted"),
        ("differs", 13060, 15000, None),
        ("only_ours", 10000, None, None),
        ("only_theirs", None, 123450, None),
    ]
    with reading() as conn:
        totals = reads.outcome_totals(conn, viewer=company.actor(), reconciliation_id=known.id)
    assert sum(each.total.ours_minor for each in totals.values()) == 33060
    assert sum(each.total.theirs_minor for each in totals.values()) == 148450
    assert sum(each.undecided for each in totals.values()) == 3
    assert books() == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_files_as_they_come(company: Company, partner: Party, three: list[Facts], encoding: str) -> None:
    known = start(company, partner, their_file(three, encoding=encoding))

    assert [line.outcome.value for line in lines_of(company, known)] == ["matched", "differs", "only_theirs"]


def test_a_workbook_with_numbers_and_dates(company: Company, partner: Party, three: list[Facts]) -> None:
    plain, far, _ = three
    content = xlsx_bytes(
        (plain.no, 100.0, datetime(2026, 11, 21, 12, 30)),  # noqa: DTZ001 (a cell has no zone)
        (far.no, 0.1 + 0.2 + 130.3, date(2026, 11, 20)),
    )

    known = start(company, partner, content, file_name="账单.xlsx")

    found = lines_of(company, known)
    assert said(found) == [("matched", 10000, 10000, "accepted"), ("matched", 13060, 13060, "accepted")]
    assert [line.their_day for line in found] == [date(2026, 11, 21), date(2026, 11, 20)]


def test_a_corrected_ticket_is_one_line_of_what_is_left_of_it(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    _, far, _ = three
    correct(company, Facts(**{name: getattr(far, name) for name in far.__slots__} | {"distance_km": D(0)}))

    known = start(company, partner, csv_bytes((far.no, "100", "")))

    assert said(lines_of(company, known))[1:] == [("matched", 10000, 10000, "accepted")]


def test_a_technician_is_a_payee_too(company: Company, partner: Party, three: list[Facts]) -> None:
    *_, own = three

    known = start(company, Party(OwnerKind.TECHNICIAN, company.bo), csv_bytes((own.no, "100.01", "")))

    assert said(lines_of(company, known)) == [("differs", 10000, 10001, None)]


def test_what_tolerance_lets_pass_is_accepted_at_once(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    known = start(
        company,
        partner,
        csv_bytes((three[0].no, "100.99", ""), (three[1].no, "132.00", "")),
        tolerance=Tolerance(absolute_minor=100),
    )

    assert said(lines_of(company, known)) == [
        ("tolerated", 10000, 10099, "accepted"),
        ("differs", 13060, 13200, None),
    ]
    assert known.tolerance == {"absolute_minor": 100, "percent": None}


def test_columns_are_remembered_for_each_partner(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    odd = {"Beleg": "ticket_no", "Wert": "amount"}
    start(company, partner, csv_bytes((three[0].no, "100"), heading=("Beleg", "Wert")), mapping=odd)

    with reading() as conn:
        mine = reads.remembered_columns(conn, viewer=company.actor(), party=partner)
        other = reads.remembered_columns(
            conn, viewer=company.actor(), party=Party(OwnerKind.TECHNICIAN, company.bo)
        )

    assert (mine, other) == (odd, {})


def test_the_same_command_starts_once(company: Company, partner: Party, three: list[Facts]) -> None:
    first = start(company, partner, their_file(three))
    before = kept()

    assert start(company, partner, their_file(three)) == first
    assert kept() == before


REFUSED: list[tuple[str, bytes, str]] = [
    ("no number", csv_bytes(("", "1", "")), "reconcile.row.no_ticket"),
    ("words", csv_bytes(("T", "abc", "")), "reconcile.row.amount"),
    ("formula", csv_bytes(("T", "=1+1", "")), "reconcile.row.formula"),
    ("formula as number", csv_bytes(("=A1", "1", "")), "reconcile.row.formula"),
    ("no amount", csv_bytes(("T", "", "")), "reconcile.row.no_amount"),
    ("infinite", csv_bytes(("T", "inf", "")), "reconcile.row.amount"),
    ("not a number", csv_bytes(("T", "NaN", "")), "reconcile.row.amount"),
    ("other money", csv_bytes(("T", "$5", "")), "reconcile.row.amount"),
    ("too large", csv_bytes(("T", "1" * 20, "")), "reconcile.row.amount_too_large"),
    ("huge exponent", csv_bytes(("T", "1e99", "")), "reconcile.row.amount_too_large"),
    ("fractions", csv_bytes(("T", "1.005", "")), "reconcile.row.fraction"),
    ("no day", csv_bytes(("T", "1", "2026-02-30")), "reconcile.row.date"),
    ("long number", csv_bytes(("T" * 81, "1", "")), "reconcile.row.ticket_too_long"),
    ("only a sum", csv_bytes(("合计", "1", "")), "reconcile.no_lines"),
]


@pytest.mark.parametrize(
    ("content", "code"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_a_row_that_cannot_be_read_keeps_the_whole_file_out(
    company: Company, partner: Party, three: list[Facts], content: bytes, code: str
) -> None:
    before = kept(), books()

    with pytest.raises(BadRows) as refused:
        start(company, partner, content)

    assert [problem.code for problem in refused.value.problems] == [code]
    if code != "reconcile.no_lines":
        assert refused.value.problems[0].params["row"] == 2
    assert (kept(), books()) == before


def test_at_most_twenty_rows_are_named(company: Company, partner: Party, three: list[Facts]) -> None:
    with pytest.raises(BadRows) as refused:
        start(company, partner, csv_bytes(*[("T", "x", "")] * 50))

    assert (len(refused.value.problems), refused.value.params["rows"]) == (20, 50)
    assert refused.value.problems[-1].params["row"] == 21


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", BrokenFile),
        (b"PK\x03\x04 not a workbook", BrokenFile),
        (xlsx_bytes(heading=("", "")), BrokenFile),
        (csv_bytes(*[("T", "1", "")] * 50_000), FileTooLarge),
        (csv_bytes(("T", "1", ""), heading=("a", "b", "c")), BadColumns),
    ],
    ids=["empty", "corrupt", "empty sheet", "50 000 rows", "other columns"],
)
def test_a_file_that_is_none_is_refused_whole(
    company: Company, partner: Party, three: list[Facts], content: bytes, error: type[Exception]
) -> None:
    before = kept()

    with pytest.raises(error):
        start(company, partner, content)

    assert kept() == before


def test_a_currency_the_books_do_not_keep_is_refused(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    mapping = COLUMNS | {"币种": "currency"}
    content = csv_bytes(("T-1", "1", "", "RMB"), ("T-2", "1", "", "usd"), heading=tuple(mapping))

    with pytest.raises(BadRows) as refused:
        start(company, partner, content, mapping=mapping)

    assert [(each.code, each.params["row"]) for each in refused.value.problems] == [
        ("reconcile.row.currency", 3)
    ]


@pytest.mark.parametrize(
    ("mapping", "codes"),
    [
        ({"工单号": "ticket_no"}, ["reconcile.place_missing"]),
        ({"工单号": "ticket_no", "金额": "amount", "日期": "amount"}, ["reconcile.place_twice"]),
        ({"工单号": "ticket_no", "钱": "amount"}, ["reconcile.column_unknown"]),
        ({"工单号": "ticket_no", "金额": "amount", "日期": "x"}, ["reconcile.place_unknown"]),
    ],
)
def test_columns_have_to_fit(
    company: Company, partner: Party, three: list[Facts], mapping: dict[str, str], codes: list[str]
) -> None:
    with pytest.raises(BadColumns) as refused:
        start(company, partner, their_file(three), mapping=mapping)

    assert [problem.code for problem in refused.value.problems] == codes
    assert kept()[:2] == (0, 0)


def test_the_other_party_and_the_period_have_to_be_known(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    with pytest.raises(VendorNotFound):
        start(company, Party(OwnerKind.VENDOR, partner.id + 1), their_file(three))
    with pytest.raises(PeriodNotFound):
        start(company, partner, their_file(three), period_id=999)

    assert kept()[:2] == (0, 0)


@pytest.mark.parametrize(
    ("absolute", "percent"),
    [("-1", ""), ("1.5", ""), ("x", ""), ("9" * 20, ""), ("", "101"), ("", "NaN"), ("", "-1")],
)
def test_a_tolerance_has_to_be_one(absolute: str, percent: str) -> None:
    with pytest.raises(InvalidInput):
        running.tolerance_of(absolute, percent)


def test_lines_are_decided_one_by_one_or_together_and_then_closed(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    known = start(company, partner, their_file(three))
    before = books()
    _, differs, theirs = lines_of(company, known)

    disputed = decide(company, known, line_ids=[differs.id], decision=Decision.DISPUTED, note=" 里程 不对 ")
    with pytest.raises(NotAllDecided) as refused:
        close(company, disputed)
    accepted = decide(company, disputed, undecided_of=Outcome.ONLY_THEIRS)
    closed = close(company, accepted)

    assert refused.value.params == {"n": 1}
    found = lines_of(company, known)
    assert [line.decision for line in found] == [Decision.ACCEPTED, Decision.DISPUTED, Decision.ACCEPTED]
    assert (found[1].note, found[1].decided_by, found[1].decided_at) == (
        "里程 不对",
        f"user:{company.user_id}",
        AT + timedelta(minutes=5),
    )
    assert (closed.state, closed.version, closed.closed_at) == (
        ReconciliationState.CLOSED,
        4,
        AT + timedelta(hours=1),
    )
    assert found[2].id == theirs.id
    assert books() == before
    with reading() as conn:
        actions = conn.execute(
            sa.select(table(AuditEntry).c.action)
            .where(table(AuditEntry).c.subject == f"reconciliation:{known.id}")
            .order_by(table(AuditEntry).c.id)
        ).scalars()
        assert list(actions) == [
            "reconciliation.started",
            "reconciliation.disputed",
            "reconciliation.accepted",
            "reconciliation.closed",
        ]


def test_a_closed_one_changes_only_after_it_is_opened_again(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    known = start(company, partner, csv_bytes((three[0].no, "100", ""), (three[1].no, "130.6", "")))
    first = lines_of(company, known)[0]
    again: dict[str, Any] = {
        "at": AT,
        "reconciliation_id": known.id,
        "command_id": "reopen",
        "actor": company.actor(),
    }
    with pytest.raises(ReconciliationOpen):
        running.reopen(**again, expected_version=1, reason="mistake")
    closed = close(company, known)
    with pytest.raises(ReconciliationClosed):
        decide(company, closed, line_ids=[first.id], decision=None)
    with pytest.raises(ReconciliationClosed):
        close(company, closed, command_id="close again")
    with pytest.raises(BadDecision):
        running.reopen(**again, expected_version=closed.version, reason=" ")
    assert lines_of(company, known)[0] == first

    opened = running.reopen(**again, expected_version=closed.version, reason="a line was missed")
    taken_back = decide(company, opened, line_ids=[first.id], decision=None)

    assert (opened.state, opened.closed_at, opened.closed_by) == (ReconciliationState.OPEN, None, None)
    assert taken_back.version == 4
    line = lines_of(company, known)[0]
    assert (line.decision, line.decided_at, line.decided_by) == (None, None, None)


def test_decisions_that_make_no_sense_change_nothing(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    known = start(company, partner, their_file(three))
    other = start(company, partner, their_file(three), command_id="other")
    mine, theirs = lines_of(company, known), lines_of(company, other)
    before = kept()

    senseless: list[dict[str, Any]] = [
        {"line_ids": [mine[1].id, theirs[1].id]},
        {"line_ids": []},
        {"undecided_of": Outcome.MATCHED},
        {"line_ids": [mine[1].id], "decision": Decision.DISPUTED},
        {"line_ids": [mine[1].id], "note": "x" * 501},
    ]
    for wrong in senseless:
        with pytest.raises(BadDecision):
            decide(company, known, **wrong)
    with pytest.raises(StaleReconciliation):
        decide(company, known, line_ids=[mine[1].id], expected_version=7)

    assert lines_of(company, known) == mine
    assert lines_of(company, other) == theirs
    assert kept() == before


def test_a_decision_sent_twice_is_made_once(company: Company, partner: Party, three: list[Facts]) -> None:
    known = start(company, partner, their_file(three))
    differs = lines_of(company, known)[1]
    once = decide(company, known, line_ids=[differs.id])
    before = kept()

    assert decide(company, known, line_ids=[differs.id]) == once
    assert kept() == before


def test_only_finance_of_the_whole_organisation_reconciles(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    known = start(company, partner, their_file(three))
    before = kept()
    some = company.actor(scope=Scope.REGION, region_ids=[company.north])
    strangers = [company.actor(Role.DISPATCHER), company.technician(company.anna), some]

    for actor in [*strangers, company.actor(Role.AUDITOR)]:
        with pytest.raises(Forbidden):
            start(company, partner, their_file(three), actor=actor, command_id="x")
        with pytest.raises(Forbidden):
            decide(company, known, actor=actor, undecided_of=Outcome.DIFFERS)
        with pytest.raises(Forbidden):
            close(company, known, actor=actor)
    with reading() as conn:
        for actor in strangers:
            with pytest.raises(Forbidden):
                reads.reconciliation(conn, viewer=actor, reconciliation_id=known.id)
            with pytest.raises(Forbidden):
                files.document(conn, viewer=actor, reconciliation_id=known.id)
        seen = reads.reconciliation(conn, viewer=company.actor(Role.AUDITOR), reconciliation_id=known.id)

    assert seen == known
    assert kept() == before


def test_another_organisation_sees_nothing_of_it(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    known = start(company, partner, their_file(three))
    stranger = Company(**{name: getattr(company, name) for name in company.__slots__} | {"org_id": 99})

    with reading() as conn, pytest.raises(ReconciliationNotFound):
        reads.reconciliation(conn, viewer=stranger.actor(), reconciliation_id=known.id)


def test_the_database_refuses_to_change_what_was_compared(
    company: Company, partner: Party, three: list[Facts]
) -> None:
    known = start(company, partner, their_file(three))
    before = lines_of(company, known)

    for statement in (
        "UPDATE reconciliation_line SET their_amount_minor = 1",
        "DELETE FROM reconciliation_line",
        "UPDATE reconciliation SET content_hash = 'x'",
        "DELETE FROM reconciliation",
    ):
        with pytest.raises(sa.exc.DatabaseError), engine().begin() as conn:
            conn.execute(sa.text(statement))

    assert lines_of(company, known) == before


def test_the_files_say_what_the_screen_says(company: Company, partner: Party, three: list[Facts]) -> None:
    known = start(
        company,
        partner,
        csv_bytes((three[0].no, "100", ""), ("X", "-5.01", "")),
    )
    only_theirs = lines_of(company, known)[-1]
    decide(company, known, line_ids=[only_theirs.id], decision=Decision.DISPUTED, note="=1+1")
    with reading() as conn:
        shown = files.document(conn, viewer=company.actor(), reconciliation_id=known.id)

    rows = list(csv.reader(io.StringIO(files.reconciliation_csv(shown, locale="zh").decode("utf-8-sig"))))
    book = CalamineWorkbook.from_filelike(io.BytesIO(files.reconciliation_xlsx(shown, locale="en")))

    assert rows[0][:4] == ["结果", "工单号", "我方日期", "我方金额"]
    by_name = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["结果"] for row in by_name] == ["一致", "仅我方有", "仅对方有"]
    assert sum(D(row["我方金额"] or 0) for row in by_name) == D("230.60")
    assert sum(D(row["对方金额"] or 0) for row in by_name) == D("94.99")
    assert [row["决定"] for row in by_name] == ["已接受", "待决定", "有异议"]
    assert by_name[-1]["说明"] == "'=1+1"
    assert by_name[0]["工单号"] == three[0].no
    totals, lines = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
    assert book.sheet_names == ["Reconciliation", "Lines"]
    assert totals[-1] == ["Total", 3, 230.6, 94.99, -135.61, "CNY", 1, 1]
    assert sum(float(str(row[9])) for row in lines[1:]) == pytest.approx(-135.61)
    assert lines[-1][-1] == "=1+1"
    assert files.reconciliation_filename(shown, "csv") == f"reconciliation-2026-11-{known.id}.csv"
