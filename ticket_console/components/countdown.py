"""The time that is left to answer, counting down by itself."""

from typing import Any, Final

import reflex as rx

COUNTDOWN_JS: Final = rx.asset("countdown.jsx", shared=True).importable_path


class _Countdown(rx.Component):
    library = COUNTDOWN_JS
    tag = "Countdown"

    at: rx.Var[str | None]


def countdown(at: Any, **props: Any) -> rx.Component:
    """Minutes and seconds until a moment, and a word when it has come."""
    return _Countdown.create(at=at, **props)
