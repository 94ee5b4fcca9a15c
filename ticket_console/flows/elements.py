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
    INCLUSIVE = "inclusive"
    TIMER = "timer"
    SUBFLOW = "subflow"
    SURVEY = "survey"
    SETTLE = "settle"
    END = "end"


class EdgeKind(StrEnum):
    FORWARD = "forward"
    RETURN = "return"
    REJECT = "reject"
    CANCEL = "cancel"
    TIMEOUT = "timeout"


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
    """How many branches a join waits for; `SOME` is as many as the node's `join_count` says."""

    ALL = "all"
    ANY = "any"
    SOME = "some"


class FieldAccess(StrEnum):
    NONE = "none"
    READ = "read"
    WRITE = "write"


class Act(StrEnum):
    COMPLETE = "complete"
    RETURN = "return"
    REJECT = "reject"
    CANCEL = "cancel"
    REASSIGN = "reassign"
    SKIP = "skip"


class Channel(StrEnum):
    CONSOLE = "console"
    SMS = "sms"
    EMAIL = "email"


class NoticeMoment(StrEnum):
    ENTERED = "entered"
    COMPLETED = "completed"
    OVERDUE = "overdue"


class LinkKind(StrEnum):
    """What a ticket that a flow opens is to the one it was opened from."""

    CARE = "care"
    PREP = "prep"
    DUP = "dup"
    MERGE = "merge"
    PROJECT = "project"


class QuestionKind(StrEnum):
    RATING = "rating"
    TEXT = "text"


HANDLED_KINDS = frozenset({NodeKind.TASK, NodeKind.APPROVAL})
WAITING_KINDS = HANDLED_KINDS | {NodeKind.TIMER}
FORKING_KINDS = frozenset({NodeKind.PARALLEL, NodeKind.INCLUSIVE})


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
class HandlerRule:
    """A row of a step's handler table; `when` is a condition tree (see `kernel.conditions`)."""

    when: Mapping[str, object]
    handler: Handler


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
class CallWebhook:
    """Tell another system; `fields` are the values of the ticket it is told."""

    url: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateTicket:
    """Open another ticket from a template and link it to this one."""

    template: str
    title: str
    values: Mapping[str, object] = field(default_factory=dict)
    link: LinkKind = LinkKind.CARE


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell somebody: `to` is "assignee", "customer" or "role:<role>"."""

    to: str
    text: LocalText
    channel: Channel = Channel.CONSOLE


NodeAction = CallWebhook | CreateTicket | Notify


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is told when a ticket comes to a step, leaves it, or stays too long."""

    on: NoticeMoment
    to: str
    text: LocalText
    channel: Channel = Channel.CONSOLE


@dataclass(frozen=True, slots=True)
class Document:
    """Something to read at a step."""

    title: LocalText
    url: str


@dataclass(frozen=True, slots=True)
class StandardPart:
    """A part the step normally uses, and how many of it."""

    sku: str
    qty: int


@dataclass(frozen=True, slots=True)
class CheckItem:
    key: str
    text: LocalText


@dataclass(frozen=True, slots=True)
class Targets:
    """How soon somebody has to take the step up, and how soon it has to be done."""

    claim_minutes: int | None = None
    finish_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    key: str
    kind: QuestionKind
    label: LocalText


@dataclass(frozen=True, slots=True)
class SubflowUse:
    """Which flow is run here. Publishing pins the version; a draft follows the current one."""

    flow: str
    version_id: int | None = None


@dataclass(frozen=True, slots=True)
class NodeGrant:
    """What one role may see, write and do while the ticket stands at the node."""

    role: str
    fields: Mapping[str, FieldAccess] = field(default_factory=dict)
    acts: frozenset[Act] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """A node of any kind; `validation` says which settings a kind has a use for.

    `handlers` are tried in order, then `handler`. A timer waits `delay_seconds` or until the instant in
    `until_field`; `calendar` is the business calendar its seconds are counted on. `ends_subflow` is never
    drawn: `expansion` marks with it the ends of a sub-flow, naming the node at which the sub-flow begins.
    """

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
    handlers: tuple[HandlerRule, ...] = ()
    join_count: int | None = None
    until_field: str | None = None
    calendar: str | None = None
    actions: tuple[NodeAction, ...] = ()
    questions: tuple[Question, ...] = ()
    subflow: SubflowUse | None = None
    checklist: tuple[CheckItem, ...] = ()
    documents: tuple[Document, ...] = ()
    parts: tuple[StandardPart, ...] = ()
    targets: Targets | None = None
    notices: tuple[Notice, ...] = ()
    description: LocalText = field(default_factory=dict)
    ends_subflow: str | None = None

    @property
    def possible_handlers(self) -> tuple[Handler, ...]:
        """Everybody the step may turn out to be for; `Graph.handler_of` says who it is on given facts."""
        ruled = tuple(rule.handler for rule in self.handlers)
        return ruled if self.handler is None else (*ruled, self.handler)

    def grant_of(self, role: str) -> NodeGrant | None:
        return next((grant for grant in self.grants if grant.role == role), None)

    def denies(self, roles: Collection[str], act: Act) -> bool:
        """Whether the node has a word on these roles, and none of them may do this here."""
        granted = [grant for grant in self.grants if grant.role in roles]
        return bool(granted) and not any(act in grant.acts for grant in granted)


@dataclass(frozen=True, slots=True)
class Edge:
    """`guard` is a condition tree (see `kernel.conditions`); of those that hold the lowest `order` wins.

    A timeout edge is followed when the token has rested for `after_seconds`, counted on `calendar`.
    """

    key: str
    kind: EdgeKind
    source: str
    target: str
    name: LocalText
    guard: Mapping[str, object] | None = None
    default: bool = False
    order: int = 0
    after_seconds: int | None = None
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Comment:
    """A note on the canvas."""

    key: str
    text: str
    x: int
    y: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where the nodes stand on the canvas, and what is noted beside them; it changes nothing that runs."""

    nodes: Mapping[str, Position] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
