"""What people add to a ticket without moving it: words and files."""

import hashlib
import io
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from PIL import Image, ImageOps
from sqlalchemy.engine import Connection

from ticket_console.desk.work import MovedTicket, already_moved, finish, take_up
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import retried, table, transaction
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Attachment, Comment, Visibility
from ticket_console.tickets.writing import AlreadyApplied, CommandReused

COMMENT_LENGTH: Final = 5_000
FILENAME_LENGTH: Final = 200
# The kinds of file that are taken, by their first bytes: a name proves nothing.
_PICTURES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_PDF_MARK: Final = b"%PDF-"
# A small file may claim a huge picture; decoding it would take all the memory there is.
MAX_PIXELS: Final = 50_000_000

# One picture at a time: a large one takes hundreds of megabytes while it is decoded.
_decoding: Final = threading.Lock()

_comments = table(Comment)
_attachments = table(Attachment)


@dataclass(frozen=True, slots=True)
class KeptAttachment:
    """A file as it is kept, and the ticket's version with it."""

    attachment_id: int
    filename: str
    content_type: str
    version: int


@retried
def comment(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    text: str,
    visibility: Visibility = Visibility.INTERNAL,
) -> MovedTicket:
    """Say something on a ticket; what a customer says is always visible to the customer."""
    said = text.strip()
    if not said:
        raise InvalidInput((FieldProblem("text", "field.required"),))
    if len(said) > COMMENT_LENGTH:
        raise InvalidInput((FieldProblem("text", "field.too_long", {"limit": COMMENT_LENGTH}),))
    seen_by = Visibility.CUSTOMER if actor.kind is ActorKind.CUSTOMER else visibility
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=None,
                permission="ticket.track" if actor.kind is ActorKind.CUSTOMER else "ticket.comment",
            )
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        comment_id = ids.take("row")
        work.draft.say("ticket.commented", comment_id=comment_id, visibility=seen_by.value)
        moved = finish(work)
        connection.execute(
            sa.insert(_comments),
            [
                {
                    "id": comment_id,
                    "ticket_id": ticket_id,
                    "author": actor.label,
                    "author_name": actor.display,
                    "text": said,
                    "visibility": seen_by,
                    "at": at,
                }
            ],
        )
        return moved


@retried
def attach(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    filename: str,
    content: bytes,
    visibility: Visibility = Visibility.INTERNAL,
    token_id: int | None = None,
    field_key: str | None = None,
) -> KeptAttachment:
    """Keep a file with a ticket: pictures and PDF only, checked by content, pictures without EXIF data.

    `token_id` ties a photo to the step it is evidence of.
    """
    with _decoding:
        kind, clean = _checked(content)
    digest = hashlib.sha256(clean).hexdigest()
    # The file is written before the row: a row without a file would be a lie, a file without a
    # row is only waste. Equal bytes share one file.
    _store(digest, clean)
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=None,
                permission="ticket.track" if actor.kind is ActorKind.CUSTOMER else "ticket.attach",
            )
        except AlreadyApplied as repeated:
            return _kept_before(connection, command_id, repeated)
        if token_id is not None and token_id not in work.tokens:
            raise InvalidInput((FieldProblem("token_id", "ticket.token_not_active"),))
        attachment_id, name = ids.take("row"), _plain_name(filename)
        work.draft.say("ticket.attached", attachment_id=attachment_id, hash=digest)
        moved = finish(work)
        connection.execute(
            sa.insert(_attachments),
            [
                {
                    "id": attachment_id,
                    "ticket_id": ticket_id,
                    "token_id": token_id,
                    "field_key": field_key,
                    "filename": name,
                    "content_type": kind,
                    "size": len(clean),
                    "content_hash": digest,
                    "visibility": Visibility.CUSTOMER if actor.kind is ActorKind.CUSTOMER else visibility,
                    "author": actor.label,
                    "author_name": actor.display,
                    "at": at,
                }
            ],
        )
        return KeptAttachment(attachment_id, name, kind, moved.version)


def _kept_before(connection: Connection, command_id: str, repeated: AlreadyApplied) -> KeptAttachment:
    """What this very command kept, whatever is sent with it this time."""
    said = next(
        event["payload"]
        for event in reads.events_of(connection, repeated.ticket_id)
        if event["command_id"] == command_id
    )
    if "attachment_id" not in said:
        raise CommandReused(command_id=command_id)
    row = connection.execute(
        sa.select(_attachments.c.id, _attachments.c.filename, _attachments.c.content_type).where(
            _attachments.c.id == said["attachment_id"]
        )
    ).one()
    return KeptAttachment(row.id, row.filename, row.content_type, repeated.version)


def attachment_path(content_hash: str) -> Path:
    return settings().attachments_dir / content_hash[:2] / content_hash


def _checked(content: bytes) -> tuple[str, bytes]:
    limit = settings().max_attachment_bytes
    if not content:
        raise _bad_file("file.empty")
    if len(content) > limit:
        raise _bad_file("file.too_large", limit_mb=limit >> 20)
    if content.startswith(_PDF_MARK):
        return "application/pdf", content
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_PICTURES)) as picture:
            kind = _PICTURES.get(picture.format or "")
            if kind is None or picture.width * picture.height > MAX_PIXELS:
                raise _bad_file("file.kind_not_taken")
            return kind, _without_exif(picture)
    except InvalidInput:
        raise
    except Exception as failure:
        # A decoder that is fed with rubbish raises whatever it stumbles over.
        raise _bad_file("file.kind_not_taken") from failure


def _without_exif(picture: Image.Image) -> bytes:
    """The picture turned upright and saved anew: position, device and time are gone with the EXIF block."""
    upright = ImageOps.exif_transpose(picture)
    plain = Image.new(upright.mode, upright.size)
    plain.paste(upright)
    if upright.mode == "P":
        plain.putpalette(upright.getpalette() or [])
    out = io.BytesIO()
    plain.save(out, format=picture.format, quality=88)
    return out.getvalue()


def _bad_file(code: str, **params: int) -> InvalidInput:
    return InvalidInput((FieldProblem("file", code, params),))


def _store(digest: str, content: bytes) -> None:
    path = attachment_path(digest)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _plain_name(filename: str) -> str:
    name = Path(filename.replace("\\", "/")).name
    printable = "".join(sign for sign in name if sign.isprintable())
    return printable[:FILENAME_LENGTH].strip(". ") or "file"
