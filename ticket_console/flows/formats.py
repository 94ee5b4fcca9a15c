"""Formats of stored flow graphs: what an older one means in today's words.

Published versions never change, so the JSON of every format ever stored stays readable for good. Each step
below lifts data from one format to the next; reading applies as many as are needed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ticket_console.flows.elements import Act
from ticket_console.kernel.errors import ConsoleError

CURRENT_FORMAT: Final = 2


class UnknownFormat(ConsoleError):
    """Written by a newer console, or by nobody."""

    code = "flow.unknown_format"
    http_status = 422


def upgraded(data: object) -> object:
    """The data in the current format; what is no graph at all is handed back for the reader to refuse.

    Raises `UnknownFormat` where no step leads on from the format the data claims to have.
    """
    if not isinstance(data, Mapping):
        return data
    current: Mapping[str, Any] = data
    while (format := current.get("format", 1)) != CURRENT_FORMAT:
        step = _STEPS.get(format) if isinstance(format, int) and not isinstance(format, bool) else None
        if step is None:
            raise UnknownFormat(format=str(format)[:40], current=CURRENT_FORMAT)
        current = step(current)
    return current


def _second(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A permission grid did not know of reassigning, and so never forbade it: it allows it from now on."""
    nodes = data.get("nodes")
    if isinstance(nodes, list):
        nodes = [_reassignable(node) for node in nodes]
        return {**data, "nodes": nodes, "format": 2}
    return {**data, "format": 2}


def _reassignable(node: object) -> object:
    if not isinstance(node, Mapping) or not isinstance(node.get("permissions"), Mapping):
        return node
    permissions = {role: _with_reassign(grant) for role, grant in node["permissions"].items()}
    return {**node, "permissions": permissions}


def _with_reassign(grant: object) -> object:
    if not isinstance(grant, Mapping):
        return grant
    acts = grant.get("acts", [])
    if not isinstance(acts, list) or Act.REASSIGN.value in acts:
        return grant
    return {**grant, "acts": [*acts, Act.REASSIGN.value]}


_STEPS: Final[Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {1: _second}
