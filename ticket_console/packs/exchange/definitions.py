"""What can be exchanged: definitions of several kinds, all behind the same few questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy.engine import Connection

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.text import LocalText

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A thing by kind and code: a definition, or what one names, such as a role or a part."""

    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class Definition:
    """One thing as it is exchanged. `document` is plain JSON in its shortest form: equal things are equal."""

    kind: str
    code: str
    document: Mapping[str, Any]
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", content_hash(self.document))

    @property
    def reference(self) -> Reference:
        return Reference(self.kind, self.code)

    @property
    def name(self) -> LocalText:
        name = self.document.get("name", {})
        return dict(name) if isinstance(name, Mapping) else {}

    def as_file(self) -> dict[str, Any]:
        """What is written to its file."""
        return {"kind": self.kind, "format": FORMAT, "code": self.code, **self.document}


@dataclass(frozen=True, slots=True)
class Hand:
    """By whom, when and by which command definitions are written."""

    actor: Actor
    at: datetime
    command_id: str


class Kind(Protocol):
    """How definitions of one kind are found, checked, compared and written.

    `permissions` are those somebody needs to export or import one. `wrapper` is the key of the document
    that the room's own problems speak about, so that a problem can be led back to its line.
    """

    name: str
    permissions: tuple[str, ...]
    wrapper: str

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        """The codes of all that is in use, in order."""
        ...

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        """What is in use under a code."""
        ...

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The document in its shortest form; raises `InvalidInput` for a wrong shape."""
        ...

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """What will be in use once `wanted` was written over what is there."""
        ...

    def needs(self, definition: Definition) -> frozenset[Reference]:
        """What the definition names and cannot do without."""
        ...

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        """Put the definition in use; only called where it differs from what is."""
        ...

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        """Called once everything else is written, for what may point in circles."""
        ...
