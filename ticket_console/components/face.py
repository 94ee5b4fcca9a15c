"""The face of a form on a screen."""

from typing import Any

import reflex as rx

from ticket_console.forms.faces import FACE_ICONS


def face_icon(name: Any) -> rx.Component:
    """The icon of a form; one that has none, or none of ours, is shown as a ticket."""
    return rx.match(
        name,
        *[(each, rx.icon(each.replace("-", "_"), aria_hidden="true")) for each in FACE_ICONS],
        rx.icon("ticket", aria_hidden="true"),
    )
