"""The tabs of a flow's page beside the drawing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import reflex as rx

from ticket_console.designer.flow.replay_panel import replay_panel
from ticket_console.designer.flow.versions_panel import versions_panel


@dataclass(frozen=True, slots=True)
class Tab:
    """`draw` returns what stands in the tab; it is mounted whenever somebody turns to it."""

    key: str
    title: str
    draw: Callable[[], rx.Component]


TABS: Final = (
    Tab("test", title="flow_proof.test", draw=replay_panel),
    Tab("versions", title="flow_proof.versions", draw=versions_panel),
)
