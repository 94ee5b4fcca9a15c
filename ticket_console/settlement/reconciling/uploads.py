"""Files of others between being chosen and being reconciled."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ticket_console.access import policy
from ticket_console.kernel import uploads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.sheets import read_sheet

_SHELF: Final = "reconciliations"


@dataclass(frozen=True, slots=True)
class TheirUpload:
    """`key` finds the file again for a day, for whoever sent it; `rows` is how many follow its header."""

    key: str
    filename: str
    rows: int


def keep(*, actor: Actor, at: datetime, filename: str, content: bytes) -> TheirUpload:
    """Keep a file that a table can be read from; raises BrokenFile or FileTooLarge."""
    policy.require_everywhere(actor, "settlement.issue")
    sheet = read_sheet(content)
    key = uploads.keep(_SHELF, actor=actor, at=at, content=content)
    return TheirUpload(key, uploads.plain_name(filename), len(sheet.rows))


def content_of(*, actor: Actor, key: str) -> bytes:
    """The bytes of a file that this actor uploaded; raises UploadGone."""
    policy.require_everywhere(actor, "settlement.issue")
    return uploads.content_of(_SHELF, actor=actor, key=key)
