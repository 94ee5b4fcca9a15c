"""Files on tickets: what is taken, what is refused, and what a picture no longer tells."""

import io
import zlib
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from tests.builders.company import Company, found_company
from ticket_console.desk.talking import attach, attachment_path, comment
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.tickets import reads
from ticket_console.tickets.reads import AttachmentNotFound
from ticket_console.tickets.tables import Attachment, Event
from ticket_console.tickets.writing import CommandReused, TicketNotFound


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def wish(company: Company) -> dict[str, Any]:
    opened = company.open()
    return {"actor": company.actor("dispatcher"), "at": company.at, "ticket_id": opened.ticket_id}


PDF = b"%PDF-1"


def picture(kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (40, 30)).save(out, kind, **options)
    return out.getvalue()


def with_position() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    return picture(exif=exif, comment=b"taken at home")


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 400 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (20_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def traces() -> list[Any]:
    with reading() as connection:
        return [
            connection.execute(sa.select(sa.func.count()).select_from(table(each))).scalar_one()
            for each in (Attachment, Event)
        ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b"MZ\x90\x00 a program", "file.kind_not_taken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "file.kind_not_taken"),
        (b"<html><script>alert(1)</script></html>", "file.kind_not_taken"),
        (picture("GIF", "P"), "file.kind_not_taken"),
        (picture("BMP"), "file.kind_not_taken"),
        (picture()[:200], "file.kind_not_taken"),
        (picture("PNG")[:50], "file.kind_not_taken"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "file.kind_not_taken"),
        (b"\xff\xd8\xff\xe1\xff\xff", "file.kind_not_taken"),
        (bomb(), "file.kind_not_taken"),
    ],
)
def test_what_is_no_picture_and_no_pdf_is_refused_and_leaves_nothing(
    wish: dict[str, Any], content: bytes, code: str
) -> None:
    before = traces()

    with pytest.raises(InvalidInput) as refusal:
        attach(**wish, command_id="f", filename="photo.jpg", content=content)

    assert [problem.code for problem in refusal.value.problems] == [code]
    assert traces() == before


def test_a_file_that_is_too_large_is_refused(wish: dict[str, Any]) -> None:
    limit = settings().max_attachment_bytes
    before = traces()

    with pytest.raises(InvalidInput) as refusal:
        attach(**wish, command_id="f", filename="plan.pdf", content=b"%PDF-" + bytes(limit - 4))

    (problem,) = refusal.value.problems
    assert (problem.code, problem.params) == ("file.too_large", {"limit_mb": 10})
    assert traces() == before


def test_a_pdf_is_kept_byte_for_byte(wish: dict[str, Any]) -> None:
    content = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"

    kept = attach(**wish, command_id="f", filename="plan.pdf", content=content)

    with reading() as connection:
        (row,) = reads.attachments_of(connection, wish["ticket_id"])
    assert (kept.filename, kept.content_type, row["size"]) == ("plan.pdf", "application/pdf", len(content))
    assert attachment_path(row["content_hash"]).read_bytes() == content


def test_a_picture_no_longer_tells_where_and_with_what_it_was_taken(wish: dict[str, Any]) -> None:
    content = with_position()
    assert b"SecretCam" in content

    attach(**wish, command_id="f", filename="before.jpg", content=content)

    with reading() as connection:
        (row,) = reads.attachments_of(connection, wish["ticket_id"])
    stored = attachment_path(row["content_hash"]).read_bytes()
    assert not any(trace in stored for trace in (b"Exif", b"SecretCam", b"taken at home"))
    with Image.open(io.BytesIO(stored)) as seen:
        assert not seen.getexif().get_ifd(0x8825)
        # It was taken lying on its side and is kept upright.
        assert seen.size == (30, 40)


@pytest.mark.parametrize(
    ("kind", "mode", "content_type"),
    [
        ("JPEG", "L", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "I;16", "image/png"),
        ("PNG", "1", "image/png"),
        ("WEBP", "RGB", "image/webp"),
    ],
)
def test_pictures_of_every_usual_kind_are_taken(
    wish: dict[str, Any], kind: str, mode: str, content_type: str
) -> None:
    kept = attach(**wish, command_id="f", filename="x", content=picture(kind, mode))

    assert kept.content_type == content_type


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\photos\\before.jpg", "before.jpg"),
        ("..", "file"),
        ("", "file"),
        ("\u202egpj.exe", "gpj.exe"),
        ("图" * 300, "图" * 200),
    ],
)
def test_a_name_is_a_name_and_no_path(wish: dict[str, Any], given: str, kept: str) -> None:
    assert attach(**wish, command_id="f", filename=given, content=PDF).filename == kept


def test_the_same_upload_again_is_kept_once_whatever_its_bytes(wish: dict[str, Any]) -> None:
    first = attach(**wish, command_id="f", filename="a.pdf", content=PDF)
    before = traces()

    assert attach(**wish, command_id="f", filename="a.pdf", content=PDF) == first
    assert attach(**wish, command_id="f", filename="b.pdf", content=b"%PDF-other") == first
    assert traces() == before


def test_a_command_id_that_was_a_word_is_no_file(wish: dict[str, Any]) -> None:
    comment(**wish, command_id="same", text="到了")
    before = traces()

    with pytest.raises(CommandReused):
        attach(**wish, command_id="same", filename="a.pdf", content=PDF)
    assert traces() == before


def test_a_file_of_a_ticket_one_may_not_see_does_not_exist(company: Company, wish: dict[str, Any]) -> None:
    kept = attach(**wish, command_id="f", filename="a.pdf", content=PDF)

    with pytest.raises(TicketNotFound):
        attach(
            **{**wish, "actor": company.actor("dispatcher_cd")},
            command_id="g",
            filename="a",
            content=b"%PDF-1",
        )
    for attachment_id in (kept.attachment_id, 99_999):
        with reading() as connection, pytest.raises(AttachmentNotFound) as refusal:
            reads.attachment(connection, viewer=company.actor("dispatcher_cd"), attachment_id=attachment_id)
        assert refusal.value.params == {"attachment_id": attachment_id}
