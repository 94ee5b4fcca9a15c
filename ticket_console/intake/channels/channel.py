"""What a channel is: a name, the source shown on its tickets, and how its payload is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ticket_console.intake.messages import IntakeMessage, InvalidRequest

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Channel:
    """`read` raises InvalidRequest; `number` finds the source's own number without judging the rest.

    `provenance` is written beside every value that comes by this channel. A channel that is
    `for_strangers` takes only what the public form of a template asks for.
    """

    source: str
    provenance: str
    read: Callable[[Payload], IntakeMessage]
    number: Callable[[Payload], str | None]
    for_strangers: bool = False


def read_standard(payload: Payload) -> IntakeMessage:
    """Read a payload that already has the standard shape."""
    return IntakeMessage.read(payload, InvalidRequest)


def number_in(key: str) -> Callable[[Payload], str | None]:
    """Find the source's number under a key; what cannot be a number of a source is no number."""

    def number(payload: Payload) -> str | None:
        found = payload.get(key)
        if isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if not isinstance(found, str):
            return None
        found = found.strip()
        return found if 0 < len(found) <= 128 and found.isprintable() else None

    return number
