"""Files of requests: looked at first, received row by row, and safe to import again."""

import csv
import io
from datetime import datetime

import openpyxl
import pytest

from tests.builders.intake import Company, raw_states, ticket_count, ticket_row
from ticket_console.forms.reads import TemplateNotFound
from ticket_console.intake.importing import BrokenFile, ImportReport, preview, report_csv, run_import
from ticket_console.intake.importing.columns import BadMapping
from ticket_console.intake.importing.running import batches
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden

MAPPING = {"标题": "title", "电话": "contact_phone", "类别": "values.category", "编号": "external_id"}
FILE = """标题,电话,类别,编号
空调坏了,13800000001.0,空调制冷,A-1
,13800000002,空调制冷,A-2
电梯异响,13800000003,轮船,A-3
空调又坏了,13800000001,空调制冷,A-1
水管漏水,13800000004,给排水,
""".encode("gb18030")


def run(company: Company, at: datetime, content: bytes = FILE, **changes: object) -> ImportReport:
    wish = {"template_code": "repair", "mapping": MAPPING, "filename": "requests.csv", **changes}
    return run_import(actor=company.user(Role.AGENT), at=at, content=content, **wish)  # type: ignore[arg-type]


def outcomes(report: ImportReport) -> list[tuple[int, str, list[tuple[str, str]]]]:
    return [
        (each.number, each.state.value, [(problem.path, problem.code) for problem in each.problems])
        for each in report.outcomes
    ]


def test_a_look_shows_the_first_rows_with_their_problems_and_keeps_nothing(
    company: Company, at: datetime
) -> None:
    seen = preview(actor=company.user(Role.AGENT), content=FILE, template_code="repair")

    assert seen.mapping == {
        "标题": "title",
        "电话": "contact_phone",
        "编号": "external_id",
    }
    assert (seen.row_count, seen.headers) == (5, ("标题", "电话", "类别", "编号"))
    assert [[each.path for each in row.problems] for row in seen.rows] == [[], ["标题"], [], [], []]
    assert raw_states() == {}


def test_every_row_has_an_outcome_and_its_own_problems(company: Company, at: datetime) -> None:
    told: list[tuple[int, int]] = []

    report = run(company, at, on_progress=lambda done, total: told.append((done, total)))

    assert outcomes(report) == [
        (2, "ticket", []),
        (3, "rejected", [("标题", "input.missing")]),
        (4, "rejected", [("类别", "field.not_an_option")]),
        (5, "duplicate", []),
        (6, "ticket", []),
    ]
    assert (report.opened, report.duplicates, report.rejected) == (2, 1, 2)
    assert raw_states() == {RawState.TICKET: 2, RawState.DUPLICATE: 1, RawState.REJECTED: 2}
    assert told == [(5, 5)]
    first = report.outcomes[0]
    assert first.ticket_id is not None
    ticket = ticket_row(first.ticket_id)
    assert (ticket["source"], ticket["contact_phone"]) == ("import", "13800000001")
    assert report.outcomes[3].ticket_id == first.ticket_id


# PAIN-32
def test_the_same_file_again_creates_nothing(company: Company, at: datetime) -> None:
    first = run(company, at)
    again = run(company, at)

    assert (again.opened, again.duplicates, again.rejected) == (0, 3, 2)
    assert [each.ticket_id for each in again.outcomes] == [each.ticket_id for each in first.outcomes]
    assert (sum(raw_states().values()), ticket_count()) == (5, 2)


def test_rejected_rows_may_come_again_with_another_mapping(company: Company, at: datetime) -> None:
    content = "a,b\n空调坏了,hvac\n电梯坏了,lift\n".encode()
    wrong = run(company, at, content, mapping={"b": "title", "a": "values.category"})
    right = run(company, at, content, mapping={"a": "title", "b": "values.category"})

    assert (wrong.rejected, right.opened) == (2, 2)
    assert ticket_count() == 2


# PAIN-44
def test_a_workbook_is_imported_with_its_numbers_as_text(company: Company, at: datetime) -> None:
    book = openpyxl.Workbook()
    book.active.append(["标题", "电话", "编号"])
    book.active.append(["空调坏了", 13800000001, 20260001])
    file = io.BytesIO()
    book.save(file)

    mapping = {"标题": "title", "电话": "contact_phone", "编号": "external_id"}
    report = run(company, at, file.getvalue(), mapping=mapping)

    ticket_id = report.outcomes[0].ticket_id
    assert ticket_id is not None
    assert ticket_row(ticket_id)["contact_phone"] == "13800000001"


def test_the_report_can_be_taken_home(company: Company, at: datetime) -> None:
    report = run(company, at)

    lines = list(csv.reader(io.StringIO(report_csv(report, locale="en").decode("utf-8-sig"))))

    assert lines[0] == ["Row", "Outcome", "Ticket", "Problems"]
    assert lines[1] == ["2", "opened", report.outcomes[0].ticket_no, ""]
    assert lines[2][:2] == ["3", "rejected"]
    assert lines[2][3].startswith("标题: ")


def test_the_import_itself_is_kept(company: Company, at: datetime) -> None:
    report = run(company, at)

    with reading() as connection:
        row = connection.execute(batches.select().where(batches.c.id == report.batch_id)).one()
    assert (row.filename, row.rows, row.opened, row.duplicates, row.rejected) == ("requests.csv", 5, 2, 1, 2)
    assert [each["row"] for each in row.report] == [2, 3, 4, 5, 6]
    assert (row.mapping, row.started_at) == (MAPPING, at)


def test_a_broken_file_is_refused_before_any_row(company: Company, at: datetime) -> None:
    with pytest.raises(BrokenFile):
        run(company, at, b'title,phone\na,"1\n')

    assert raw_states() == {}


def test_a_wrong_mapping_is_refused_before_any_row(company: Company, at: datetime) -> None:
    with pytest.raises(BadMapping):
        run(company, at, mapping={"标题": "values.nothing"})

    assert raw_states() == {}


def test_an_unknown_template_is_refused_before_any_row(company: Company, at: datetime) -> None:
    with pytest.raises(TemplateNotFound):
        run(company, at, template_code="no-such")

    assert raw_states() == {}


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.FINANCE, Role.AUDITOR])
def test_only_who_may_import_imports(company: Company, at: datetime, role: Role) -> None:
    with pytest.raises(Forbidden):
        run_import(
            actor=company.user(role),
            at=at,
            content=FILE,
            filename="x.csv",
            template_code="repair",
            mapping=MAPPING,
        )

    assert raw_states() == {}
