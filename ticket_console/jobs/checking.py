"""Checking what always holds, beside the other chores: on large books that takes some seconds."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog

from ticket_console.reports import invariants

log = structlog.get_logger(__name__)

_checking: Final = threading.Lock()


def start_checking_laws(at: datetime) -> Mapping[str, int]:
    """Begin a check, unless the one before is still running."""
    if _checking.acquire(blocking=False):
        threading.Thread(target=_check, args=(at,), name="console-laws", daemon=True).start()
    return {}


def _check(at: datetime) -> None:
    try:
        found = invariants.check_all(at)
        log.info("invariants.checked", **found)
    except Exception as failure:
        log.error("invariants.not_checked", exc_info=failure)
    finally:
        _checking.release()
