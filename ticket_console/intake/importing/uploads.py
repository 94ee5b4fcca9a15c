"""Files between being chosen and being imported: kept for a day, for the person who chose them only."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ticket_console.access import policy
from ticket_console.intake.importing.sheets import read_sheet
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.settings import settings

KEPT_FOR: Final = timedelta(days=1)
_KEY: Final = re.compile(r"[0-9a-f]{32}")


class UploadGone(NotFound):
    """Uploaded too long ago, or by somebody else."""

    code = "imports.upload_gone"


@dataclass(frozen=True, slots=True)
class Upload:
    """`key` finds the file again; `rows` is how many it holds below its header."""

    key: str
    filename: str
    rows: int


def keep(*, actor: Actor, at: datetime, filename: str, content: bytes) -> Upload:
    """Keep a file that a table can be read from; raises BrokenFile or FileTooLarge."""
    policy.require(actor, "intake.import")
    sheet = read_sheet(content)
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    _forget_old(folder, at)
    key = secrets.token_hex(16)
    _path(actor, key).write_bytes(content)
    return Upload(key, _plain_name(filename), len(sheet.rows))


def content_of(*, actor: Actor, key: str) -> bytes:
    """The bytes of a file that this actor uploaded; raises UploadGone."""
    if not _KEY.fullmatch(key):
        raise UploadGone()
    try:
        return _path(actor, key).read_bytes()
    except FileNotFoundError:
        raise UploadGone() from None


def _folder() -> Path:
    return settings().attachments_dir / "imports"


def _path(actor: Actor, key: str) -> Path:
    return _folder() / f"{actor.org_id}-{actor.user_id or 0}-{key}"


def _plain_name(filename: str) -> str:
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable())[:200] or "file"


def _forget_old(folder: Path, at: datetime) -> None:
    limit = (at - KEPT_FOR).timestamp()
    for path in folder.iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
