"""What a handler tells the user: a code and its figures, turned into a sentence by the browser."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import reflex as rx
import structlog
from reflex.event import EventSpec

from ticket_console.kernel.errors import ConsoleError, InvalidInput

log = structlog.get_logger(__name__)

_GENERIC = "console.unexpected"


def done(key: str, **params: Any) -> EventSpec:
    """Say that something was done."""
    return _notice("success", key, params)


def told(key: str, **params: Any) -> EventSpec:
    """Say something that is neither success nor refusal."""
    return _notice("info", key, params)


def refusal(error: ConsoleError) -> EventSpec:
    """Say why a command was refused; every problem of a refused input gets its own line."""
    problems = error.problems if isinstance(error, InvalidInput) else ()
    return _notice(
        "error",
        error.code,
        error.params,
        [{"path": each.path, "code": each.code, "params": dict(each.params)} for each in problems],
    )


def unexpected(exception: Exception) -> EventSpec:
    """The one line for a fault of ours; what happened goes to the log with its traceback."""
    log.error("event.failed", exc_info=exception)
    return _notice("error", _GENERIC, {})


def _notice(
    tone: str, key: str, params: Mapping[str, Any], problems: Sequence[Mapping[str, Any]] = ()
) -> EventSpec:
    notice = {"tone": tone, "key": key, "params": params, "problems": problems}
    # The text goes into a script: "<" never closes a tag there, and nothing else can end a JSON string.
    script = json.dumps(notice, ensure_ascii=True, default=_plain).replace("<", "\\u003c")
    return rx.call_script(f"window.tcNotify?.({script})")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
