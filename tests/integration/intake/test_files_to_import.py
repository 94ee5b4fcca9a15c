"""Files between their upload and their report: whose they are, how long they stay, what is kept of them."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.builders.intake import Company, ticket_count
from ticket_console.access.tokens import create_token
from ticket_console.api.app import build_api
from ticket_console.intake.importing import BrokenFile, StopImport, batches, run_import, uploads
from ticket_console.intake.states import RawState
from ticket_console.kernel import uploads as kernel_uploads
from ticket_console.kernel.actor import Role, system_actor
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.settings import settings

FILE = "标题,编号\n".encode() + b"".join(f"row {n},N-{n}\n".encode() for n in range(1, 31)) + b",N-31\n"
MAPPING = {"标题": "title", "编号": "external_id"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = replace(settings(), attachments_dir=tmp_path)
    monkeypatch.setattr(kernel_uploads, "settings", lambda: chosen)
    return tmp_path / "imports"


def test_a_file_is_there_for_the_one_who_uploaded_it_only(company: Company, at: datetime) -> None:
    owner = company.user(Role.AGENT)
    kept = uploads.keep(actor=owner, at=at, filename="C:\\files\\需求.csv", content=FILE)

    assert (kept.filename, kept.rows) == ("需求.csv", 31)
    assert uploads.content_of(actor=owner, key=kept.key) == FILE
    for actor, key in ((replace(owner, user_id=2), kept.key), (owner, "0" * 32), (owner, "../../secret")):
        with pytest.raises(kernel_uploads.UploadGone):
            uploads.content_of(actor=actor, key=key)


def test_a_file_nobody_can_read_is_not_kept(company: Company, at: datetime, folder: Path) -> None:
    with pytest.raises(BrokenFile):
        uploads.keep(actor=company.user(Role.AGENT), at=at, filename="x.csv", content=b"")
    with pytest.raises(Forbidden):
        uploads.keep(actor=company.user(Role.DISPATCHER), at=at, filename="x.csv", content=FILE)

    assert not folder.exists()


def test_yesterdays_files_go_with_the_next_upload(company: Company, at: datetime, folder: Path) -> None:
    owner = company.user(Role.AGENT)
    old = uploads.keep(actor=owner, at=at, filename="old.csv", content=FILE)
    for path in folder.iterdir():
        os.utime(path, (at.timestamp(), at.timestamp()))

    uploads.keep(
        actor=owner, at=at + kernel_uploads.KEPT_FOR + timedelta(minutes=1), filename="new.csv", content=FILE
    )

    assert len(list(folder.iterdir())) == 1
    with pytest.raises(kernel_uploads.UploadGone):
        uploads.content_of(actor=owner, key=old.key)


# INT-02
def test_a_stopped_import_keeps_its_report_and_goes_on_when_it_is_run_again(
    company: Company, at: datetime
) -> None:
    agent = company.user(Role.AGENT)

    def stop_after_20(done: int, total: int) -> None:
        if done == 20:
            raise StopImport

    wish = {"actor": agent, "at": at, "content": FILE, "filename": "f.csv", "template_code": "general"}
    stopped = run_import(**wish, mapping=MAPPING, on_progress=stop_after_20)  # type: ignore[arg-type]
    assert (stopped.opened, ticket_count()) == (20, 20)
    again = run_import(**wish, mapping=MAPPING)  # type: ignore[arg-type]

    assert (again.opened, again.duplicates, again.rejected) == (10, 20, 1)
    assert ticket_count() == 30
    with reading() as connection:
        listed = batches.recent(connection, agent)
        assert batches.report_of(connection, agent, stopped.batch_id) == stopped
        with pytest.raises(batches.ImportNotFound):
            batches.batch(connection, agent, 999)
    assert [(each.rows, each.opened, each.duplicates) for each in listed] == [(31, 10, 20), (31, 20, 0)]


def test_an_upload_over_http_and_the_report_as_a_file(company: Company, at: datetime) -> None:
    agent = company.user(Role.AGENT)
    report = run_import(
        actor=agent, at=at, content=FILE, filename="f.csv", template_code="general", mapping=MAPPING
    )
    made = create_token(
        actor=system_actor(company.org_id), at=at, command_id="t", name="x", permissions=["intake.import"]
    )
    with TestClient(build_api(FixedClock(at)), base_url="http://console.test") as api:
        api.headers["authorization"] = f"Bearer {made.token}"
        taken = api.post("/api/v1/imports", files={"file": ("f.csv", FILE)})
        broken = api.post("/api/v1/imports", files={"file": ("f.csv", b"a,a\n1,2\n")})
        nothing = api.post("/api/v1/imports", files={"other": ("f.csv", FILE)})
        file = api.get(f"/api/v1/imports/{report.batch_id}/report", headers={"accept-language": "en"})
        missing = api.get("/api/v1/imports/999/report")

    assert (taken.status_code, taken.json()["rows"]) == (201, 31)
    assert (broken.status_code, broken.json()["code"]) == (422, "intake.broken_file")
    assert nothing.status_code == 422
    assert file.headers["content-disposition"] == f'attachment; filename="import-{report.batch_id}.csv"'
    assert len(file.content.decode("utf-8-sig").splitlines()) == 32
    assert report.outcomes[-1].state is RawState.REJECTED
    assert (missing.status_code, missing.json()["code"]) == (404, "imports.not_found")
