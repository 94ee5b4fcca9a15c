"""A large area to drop one file on."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

DROPZONE_JS: Final = script(__name__, "dropzone.jsx")


class _Dropzone(rx.NoSSRComponent):
    library = DROPZONE_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]
    tag = "Dropzone"

    upload_url: rx.Var[str]
    accept: rx.Var[str]
    max_bytes: rx.Var[int]
    refusal: rx.Var[dict[str, Any]]
    label: rx.Var[str]
    hint: rx.Var[str]
    choose_label: rx.Var[str]
    failed_code: rx.Var[str]
    on_uploaded: rx.EventHandler[passthrough_event_spec(dict)]


def dropzone(
    *,
    upload_url: str,
    accept: str,
    max_bytes: int,
    refusal: dict[str, Any],
    failed_code: str,
    label: rx.Var[str],
    hint: rx.Var[str],
    choose_label: rx.Var[str],
    on_uploaded: EventType[dict[str, Any]],
) -> rx.Component:
    """Sends the file that is dropped or chosen to `upload_url` (multipart, part `file`) and tells the answer.

    A refusal of the server is said below the area; `refusal` {code, params} is said of a file of more
    than `max_bytes`, which is not sent at all, and `failed_code` when the line broke.
    """
    return _Dropzone.create(
        upload_url=upload_url,
        accept=accept,
        max_bytes=max_bytes,
        refusal=refusal,
        label=label,
        hint=hint,
        choose_label=choose_label,
        failed_code=failed_code,
        on_uploaded=on_uploaded,
    )
