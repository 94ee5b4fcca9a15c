"""The parts a flow graph is made of, as frozen values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ticket_console.kernel.text import LocalText


class NodeKind(StrEnum):
    START = "start"
    TASK = "task"
    APPROVAL = "approval"
    AUTOMATIC = "automatic"
    EXCLUSIVE = "exclusive"
    PARALLEL = "parallel"
    TIMER = "timer"
    SETTLE = "settle"
    END = "end"


class EdgeKind(StrEnum):
    FORWARD = "forward"
    RETURN = "return"
    REJECT = "reject"
    CANCEL = "cancel"


class StageCategory(StrEnum):
    TODO = "todo"
    DOING = "doing"
    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"


class HandlerMode(StrEnum):
    TECHNICIAN = "technician"
    QUEUE = "queue"
    CUSTOMER = "customer"
    SYSTEM = "system"


class Join(StrEnum):
    ALL = "all"
    ANY = "any"


class FieldAccess(StrEnum):
    NONE = "none"
    READ = "read"
    WRITE = "write"


class Act(StrEnum):
    COMPLETE = "complete"
    RETURN = "return"
    REJECT = "reject"
    CANCEL = "cancel"


HANDLED_KINDS = frozenset({NodeKind.TASK, NodeKind.APPROVAL})
WAITING_KINDS = HANDLED_KINDS | {NodeKind.TIMER}


@dataclass(frozen=True, slots=True)
class Stage:
    """A lane of the board; several nodes share one."""

    key: str
    name: LocalText
    category: StageCategory


@dataclass(frozen=True, slots=True)
class Handler:
    """Who is to do a step. `sticky` keeps the technician the ticket already has."""

    mode: HandlerMode
    role: str | None = None
    skill: str | None = None
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class FieldUse:
    key: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class FieldSet:
    """A value an automatic node writes."""

    field: str
    value: object


@dataclass(frozen=True, slots=True)
class NodeGrant:
    """What one role may see, write and do while the ticket stands at the node."""

    role: str
    fields: Mapping[str, FieldAccess] = field(default_factory=dict)
    acts: frozenset[Act] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    key: str
    kind: NodeKind
    name: LocalText
    stage: str
    weight: int = 0
    handler: Handler | None = None
    fields: tuple[FieldUse, ...] = ()
    evidence: tuple[str, ...] = ()
    grants: tuple[NodeGrant, ...] = ()
    join: Join | None = None
    delay_seconds: int | None = None
    sets: tuple[FieldSet, ...] = ()
    segment: str | None = None

    def grant_of(self, role: str) -> NodeGrant | None:
        return next((grant for grant in self.grants if grant.role == role), None)

    def denies(self, roles: Collection[str], act: Act) -> bool:
        """Whether the node has a word on these roles, and none of them may do this here."""
        granted = [grant for grant in self.grants if grant.role in roles]
        return bool(granted) and not any(act in grant.acts for grant in granted)


@dataclass(frozen=True, slots=True)
class Edge:
    """`guard` is a condition tree (see `conditions`); of those that hold the lowest `order` wins."""

    key: str
    kind: EdgeKind
    source: str
    target: str
    name: LocalText
    guard: Mapping[str, object] | None = None
    default: bool = False
    order: int = 0
