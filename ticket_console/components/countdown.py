"""The time that is left to answer, counting down by itself."""

from typing import Any, Final

import reflex as rx

from ticket_console.components.scripts import script

COUNTDOWN_JS: Final = script(__name__, "countdown.jsx")


class _Countdown(rx.Component):
    library = COUNTDOWN_JS
    tag = "Countdown"

    at: rx.Var[str | None]


def countdown(at: Any, **props: Any) -> rx.Component:
    """Minutes and seconds until a moment, and a word when it has come."""
    return _Countdown.create(at=at, **props)
