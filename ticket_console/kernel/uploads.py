"""Files between being chosen and being used: kept for a day, for the person who chose them only."""

import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.settings import settings

KEPT_FOR: Final = timedelta(days=1)
_KEY: Final = re.compile(r"[0-9a-f]{32}")


class UploadGone(NotFound):
    """Uploaded too long ago, or by somebody else."""

    code = "imports.upload_gone"


def keep(shelf: str, *, actor: Actor, at: datetime, content: bytes) -> str:
    """Keep a file on a shelf; the key finds it again there, for this actor."""
    folder = _folder(shelf)
    folder.mkdir(parents=True, exist_ok=True)
    _forget_old(folder, at)
    key = secrets.token_hex(16)
    _path(shelf, actor, key).write_bytes(content)
    return key


def content_of(shelf: str, *, actor: Actor, key: str) -> bytes:
    """The bytes of a file that this actor uploaded; raises UploadGone."""
    if not _KEY.fullmatch(key):
        raise UploadGone()
    try:
        return _path(shelf, actor, key).read_bytes()
    except FileNotFoundError:
        raise UploadGone() from None


def plain_name(filename: str) -> str:
    """The name of a file without the folders it came from or anything that cannot be shown."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable())[:200] or "file"


def _folder(shelf: str) -> Path:
    return settings().attachments_dir / shelf


def _path(shelf: str, actor: Actor, key: str) -> Path:
    return _folder(shelf) / f"{actor.org_id}-{actor.user_id or 0}-{key}"


def _forget_old(folder: Path, at: datetime) -> None:
    limit = (at - KEPT_FOR).timestamp()
    for path in folder.iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
