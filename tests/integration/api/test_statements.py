"""Settlement files over HTTP: in the reader's language, and for nobody who may not read the amounts."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from starlette.testclient import TestClient

from tests.builders.settlement import SETTLED, Company, facts_of, open_company, settle
from ticket_console.api.app import build_api
from ticket_console.kernel.actor import Actor, Role, Scope
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.settings import settings
from ticket_console.settlement import payees, printing, statements, verifying
from ticket_console.settlement.tables import Period


@pytest.fixture
def company(database: object) -> Company:
    """Anna worked twice in the north, Bo once in the south."""
    company = open_company()
    settle(company, facts_of(company))
    settle(company, facts_of(company, service_type="repair"))
    settle(company, facts_of(company, technician_id=company.bo), region_id=company.south)
    return company


class Door:
    """The API as somebody sees it whose session has been checked."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.caller: Actor | None = None

    def get(self, path: str, caller: Actor, *, language: str = "zh") -> "Answer":
        self.caller = caller
        answer = self.client.get(f"/api/v1{path}", headers={"accept-language": language})
        return Answer(answer.status_code, dict(answer.headers), answer.content)


class Answer:
    def __init__(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.status, self.headers, self.content = status, headers, content

    @property
    def sheet(self) -> list[Any]:
        return CalamineWorkbook.from_filelike(io.BytesIO(self.content)).get_sheet_by_index(0).to_python()

    @property
    def lines(self) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.content.decode("utf-8-sig"))))


@pytest.fixture
def door(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    with TestClient(build_api(FixedClock(SETTLED)), base_url="http://console.test") as client:
        door = Door(client)

        async def known(_request: object, *, at: datetime) -> Actor:
            assert door.caller is not None
            return door.caller

        monkeypatch.setattr("ticket_console.api.routing.caller_of", known)
        yield door


def november() -> int:
    with reading() as connection:
        return int(connection.execute(sa.select(table(Period).c.id)).scalar_one())


def issued(company: Company) -> int:
    with transaction() as connection:
        draft = statements.draft(
            connection,
            actor=company.actor(),
            payee=payees.technician(company.anna),
            period_id=november(),
            command_id="draft",
        )
        statements.issue(
            connection,
            actor=company.actor(),
            at=SETTLED,
            statement_id=draft.id,
            expected_version=draft.version,
            command_id="issue",
        )
    return draft.id


@pytest.mark.parametrize(("language", "amount"), [("zh", "金额"), ("en", "Amount")])
def test_a_statement_adds_up_to_the_ledger_in_either_language(
    company: Company, door: Door, language: str, amount: str
) -> None:  # STL-24
    answer = door.get(f"/statements/{issued(company)}?format=csv", company.actor(), language=language)

    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="statement-2026-11-technician-{company.anna}-01.csv"'
    )
    column = answer.lines[0].index(amount)
    assert sum(Decimal(line[column]) for line in answer.lines[1:]) == Decimal("180.00")


def test_a_workbook_has_numbers_in_its_cells(company: Company, door: Door) -> None:  # STL-24
    answer = door.get(f"/periods/{november()}/totals", company.actor(), language="en")

    rows = {row[1]: row[3] for row in answer.sheet if len(row) > 3}
    assert (rows["安娜"], rows["Bo"]) == (180.0, 100.0)
    assert (
        answer.headers["content-disposition"] == 'attachment; filename="settlement-2026-11-technician.xlsx"'
    )


@pytest.mark.parametrize(("language", "total"), [("zh", "合计"), ("en", "Total")])
def test_the_printed_statement_adds_up_to_the_ledger(
    company: Company, door: Door, language: str, total: str
) -> None:  # STL-24
    answer = door.get(f"/statements/{issued(company)}?format=pdf", company.actor(), language=language)

    (page,) = PdfReader(io.BytesIO(answer.content)).pages
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert " ".join(page.extract_text().split()).count(f"{total} CNY 180.00") == 1


def test_what_is_downloaded_verifies_with_the_key_that_is_shown(
    company: Company, door: Door
) -> None:  # moonshot 20
    statement = f"/statements/{issued(company)}?format="
    (key,) = json.loads(door.get("/statement-keys", company.actor()).content)

    lines, proof, whole = (door.get(statement + form, company.actor()) for form in ("csv", "sig", "json"))

    assert proof.headers["content-disposition"].endswith('-01.csv.sig"')
    for verdict in (
        verifying.verify_csv(lines.content, proof.content, public_key=key["public_key"]),
        verifying.verify_json(whole.content, public_key=key["public_key"]),
    ):
        assert (verdict.problems, verdict.head["total_minor"]) == ((), 18000)


def test_a_draft_has_no_signature_to_download(company: Company, door: Door) -> None:
    earnings = f"/periods/{november()}/technicians/{company.anna}/earnings?format=sig"

    assert door.get(earnings, company.actor()).status == 409


def test_keys_are_shown_to_who_may_see_a_statement(company: Company, door: Door) -> None:
    issued(company)

    assert door.get("/statement-keys", company.technician(company.anna)).status == 200
    assert door.get("/statement-keys", company.actor(Role.DISPATCHER)).status == 403


def test_a_broken_template_is_named_by_its_line(
    company: Company, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "statement.typ").write_text("= Ours\n#let = (\n", encoding="utf-8")
    chosen = replace(settings(), templates_dir=tmp_path)
    monkeypatch.setattr(printing, "settings", lambda: chosen)

    answer = door.get(f"/statements/{issued(company)}?format=pdf", company.actor(), language="en")

    assert answer.status == 500
    assert "Line 2 of the statement template statement.typ is wrong" in answer.content.decode()


def test_partners_and_customers_have_files_of_their_own(company: Company, door: Door) -> None:
    period = f"/periods/{november()}"
    for path in (f"{period}/vendors/4711/earnings", f"{period}/customers/4711/charges"):
        assert door.get(path, company.actor()).status == 404
        assert door.get(path, company.technician(company.anna)).status == 403
    answer = door.get(f"{period}/totals?format=csv&kind=customer", company.actor(), language="en")
    assert answer.lines == [["Customer no.", "Customer", "Tickets", "Amount", "Currency"]]


def test_totals_of_a_region_leave_the_others_out(company: Company, door: Door) -> None:
    answer = door.get(f"/periods/{november()}/totals?format=csv&region={company.south}", company.actor())

    assert [line[1] for line in answer.lines[1:]] == ["Bo"]


def test_technicians_get_their_own_files_only(company: Company, door: Door) -> None:  # STL-23
    statement, bo, anna = issued(company), company.technician(company.bo), company.technician(company.anna)
    earnings = f"/periods/{november()}/technicians/{company.anna}/earnings?format=csv"

    assert door.get(f"/statements/{statement}", anna).status == 200
    assert door.get(earnings, anna).status == 200
    assert door.get(f"/statements/{statement}", bo).status == 403
    assert door.get(earnings, bo).status == 403
    assert door.get(f"/periods/{november()}/totals", anna).status == 403


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AGENT])
def test_people_without_money_rights_never_get_an_amount(
    company: Company, door: Door, role: Role
) -> None:  # PRM-02
    for path in (
        f"/statements/{issued(company)}",
        f"/periods/{november()}/technicians/{company.anna}/earnings",
        f"/periods/{november()}/totals",
    ):
        answer = door.get(path, company.actor(role))
        assert (answer.status, b"180" in answer.content) == (403, False)


def test_a_manager_of_a_region_gets_the_totals_of_that_region(company: Company, door: Door) -> None:
    manager = company.actor(Role.MANAGER, scope=Scope.REGION, region_ids={company.south})

    answer = door.get(f"/periods/{november()}/totals?format=csv", manager)

    assert [line[1] for line in answer.lines[1:]] == ["Bo"]


def test_what_does_not_exist_is_not_found(company: Company, door: Door) -> None:
    assert door.get("/statements/4711", company.actor()).status == 404
    assert door.get("/periods/4711/totals", company.actor()).status == 404
    assert door.get(f"/periods/{november()}/technicians/4711/earnings", company.actor()).status == 404
    assert door.get(f"/periods/{november()}/totals?format=pdf", company.actor()).status == 422
