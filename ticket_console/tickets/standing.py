"""From when on a ticket stands at its present step for too long."""

from datetime import datetime, timedelta

from ticket_console.flows.elements import Node


def late_at(node: Node, entered_at: datetime) -> datetime | None:
    """When a step is over its own time target; None for one that has none."""
    minutes = None if node.targets is None else node.targets.finish_minutes
    return None if minutes is None else entered_at + timedelta(minutes=minutes)
