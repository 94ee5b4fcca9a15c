"""The tabs of a flow's page beside the drawing. A tab is shown once it has something to show."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import reflex as rx


@dataclass(frozen=True, slots=True)
class Tab:
    """`draw` returns what stands in the tab; `on_open` runs whenever somebody turns to it."""

    key: str
    title: str
    draw: Callable[[], rx.Component]
    on_open: Any = None


TABS: Final[list[Tab]] = []
