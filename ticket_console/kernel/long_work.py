"""What long work gives back and is told, so that the rooms which do it need not know who runs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Says how far it is: how many done, of how many, and with what in hand. Raises Cancelled.
Progress = Callable[[int, int, str], None]


class Cancelled(Exception):
    """Somebody no longer wants it; whoever does the work lets this pass."""


@dataclass(frozen=True, slots=True)
class Done:
    """What it came to, as values for a screen, and the file it made inside the folder it was given."""

    values: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
