"""All the papers of a period as one zip: whole, hashed, resumable, and no more than its reader may see."""

import hashlib
import io
import json
from pathlib import Path
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from tests.builders.settlement import SETTLED, Company, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.long_work import Cancelled, Done
from ticket_console.settlement import bundles, payees, printing, signatures, statements, verifying
from ticket_console.settlement.bundles import NothingToBundle
from ticket_console.settlement.tables import Period


@pytest.fixture
def company(database: Database) -> Company:
    """Anna worked twice in the north, Bo once in the south; both have their statement."""
    company = open_company()
    settle(company, facts_of(company))
    settle(company, facts_of(company, service_type="repair"))
    settle(company, facts_of(company, technician_id=company.bo), region_id=company.south)
    return company


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a task, which lives as long as its tries."""
    made = tmp_path / "task"
    made.mkdir()
    return made


def november() -> int:
    with reading() as conn:
        return int(conn.execute(sa.select(table(Period).c.id)).scalar_one())


def issue(company: Company, *technician_ids: int) -> None:
    for technician_id in technician_ids:
        with transaction() as conn:
            draft = statements.draft(
                conn,
                actor=company.actor(),
                payee=payees.technician(technician_id),
                period_id=november(),
                command_id=f"draft:{technician_id}",
            )
            statements.issue(
                conn,
                actor=company.actor(),
                at=SETTLED,
                statement_id=draft.id,
                expected_version=draft.version,
                command_id=f"issue:{technician_id}",
            )


class Watch:
    """Takes the progress, and cancels at a statement when told to."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.cancel_at = cancel_at
        self.seen: list[tuple[int, int, str]] = []

    def __call__(self, done: int, total: int, note: str) -> None:
        self.seen.append((done, total, note))
        if done == self.cancel_at:
            raise Cancelled()


def build(company: Company, folder: Path, watch: Watch | None = None, **who: object) -> Done:
    actor = company.actor(**who) if who else company.actor()  # type: ignore[arg-type]
    return bundles.build(
        actor=actor,
        at=SETTLED,
        args={"period_id": november(), "locale": "zh"},
        folder=folder,
        progress=watch or Watch(),
    )


def contents(done: Done) -> dict[str, bytes]:
    assert done.file is not None
    with ZipFile(done.file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_zip_has_every_statement_in_every_format_and_the_totals(company: Company, folder: Path) -> None:
    issue(company, company.anna, company.bo)
    watch = Watch()

    done = build(company, folder, watch)

    files = contents(done)
    stems = [f"statement-2026-11-technician-{each}-01" for each in (company.anna, company.bo)]
    assert list(files) == [
        *(f"{stem}.{ending}" for stem in stems for ending in ("xlsx", "csv", "json", "pdf", "csv.sig")),
        "settlement-2026-11-technician.csv",
        "settlement-2026-11-technician.xlsx",
        "manifest.json",
    ]
    assert done.values["statements"] == 2
    assert done.values["total_minor"] == 28000
    assert watch.seen == [(0, 2, stems[0]), (1, 2, stems[1]), (2, 2, "")]


def test_the_manifest_has_the_hash_of_every_file_and_the_totals_of_the_ledger(
    company: Company, folder: Path
) -> None:
    issue(company, company.anna, company.bo)

    files = contents(build(company, folder))

    manifest = json.loads(files.pop("manifest.json"))
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert [each["total_minor"] for each in manifest["statements"]] == [18000, 10000]
    totals = CalamineWorkbook.from_filelike(io.BytesIO(files["settlement-2026-11-technician.xlsx"]))
    assert totals.get_sheet_by_index(0).to_python()[-1][3] == 280.0
    assert manifest["ledger_seq"] == 3


def test_every_statement_in_the_zip_is_genuine(company: Company, folder: Path) -> None:  # moonshot 20
    issue(company, company.anna, company.bo)

    files = contents(build(company, folder))

    with reading() as conn:
        (key,) = signatures.keys(conn, org_id=company.org_id)
    signed = [name for name in files if name.endswith(".json") and name != "manifest.json"]
    assert len(signed) == 2
    for name in signed:
        stem = name.removesuffix(".json")
        verdicts = (
            verifying.verify_json(files[name], public_key=key.public_key),
            verifying.verify_xlsx(files[f"{stem}.xlsx"], public_key=key.public_key),
            verifying.verify_csv(files[f"{stem}.csv"], files[f"{stem}.csv.sig"], public_key=key.public_key),
        )
        assert [verdict.problems for verdict in verdicts] == [(), (), ()]


def test_a_cancelled_build_leaves_no_zip_and_the_next_try_goes_on(
    company: Company, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(company, company.anna, company.bo)
    with pytest.raises(Cancelled):
        build(company, folder, Watch(cancel_at=1))
    assert list(folder.glob("*.zip")) == []
    printed: list[int] = []
    ours = printing.statement_pdf
    monkeypatch.setattr(
        bundles.printing,
        "statement_pdf",
        lambda document, locale: printed.append(document.payee.id) or ours(document, locale=locale),
    )

    done = build(company, folder)

    assert printed == [company.bo]
    assert len(contents(done)) == 13


def test_a_manager_of_a_region_gets_the_statements_of_that_region(company: Company, folder: Path) -> None:
    issue(company, company.anna, company.bo)

    files = contents(
        build(company, folder, role=Role.MANAGER, scope=Scope.REGION, region_ids={company.north})
    )

    manifest = json.loads(files["manifest.json"])
    assert [each["payee_id"] for each in manifest["statements"]] == [company.anna]
    assert b"Bo" not in files["settlement-2026-11-technician.csv"]


def test_without_an_issued_statement_there_is_nothing_to_put_together(company: Company, folder: Path) -> None:
    with pytest.raises(NothingToBundle) as refused:
        build(company, folder)

    assert refused.value.params == {"period": "2026-11"}
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.TECHNICIAN])
def test_who_may_not_read_settlement_gets_no_zip(company: Company, folder: Path, role: Role) -> None:
    issue(company, company.anna)

    with pytest.raises(Forbidden):
        build(company, folder, role=role)
    assert list(folder.iterdir()) == []
