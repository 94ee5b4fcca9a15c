"""What can happen to a ticket's marking, what follows from it, and why it may be refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ticket_console.flows.elements import Handler, NodeAction, Question
from ticket_console.kernel.errors import ConsoleError
from ticket_console.tickets.marking import Fork, Marking, TicketStatus, TokenState


@dataclass(frozen=True, slots=True)
class Open:
    """Put the first token in."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Finish a step. `edge_key` picks the way on where a person decides; guards pick it otherwise."""

    token_id: int
    edge_key: str | None = None


@dataclass(frozen=True, slots=True)
class SendBack:
    """Give the work back along a return edge; `edge_key` may be left out where there is only one."""

    token_id: int
    reason: str
    edge_key: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the work along a reject edge; `edge_key` may be left out where there is only one."""

    token_id: int
    reason: str
    edge_key: str | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave a step undone and go on as if it were finished; an override that says why."""

    token_id: int
    reason: str
    edge_key: str | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """Do another step of the flow next, whatever its edges say; an override that says why."""

    token_id: int
    node_key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give the whole ticket up, wherever it stands."""

    reason: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time of a timer node is over, or with `edge_key` that of a timeout edge."""

    token_id: int
    edge_key: str | None = None


Action = Open | Complete | SendBack | Reject | Skip | Jump | Cancel | TimerFired


class Outcome(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"
    MOVED = "moved"
    RETURNED = "returned"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class TokenEntered:
    """A new token came to rest. `path` is every edge since the last resting place, `edge_key` its end.

    One that was put there by hand came along none.
    """

    token_id: int
    node_key: str
    edge_key: str
    state: TokenState
    path: tuple[str, ...]
    forks: tuple[Fork, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenLeft:
    """A token is over. `edge_key` is the edge it left by; a cancelled token, or one that joined, has none."""

    token_id: int
    node_key: str
    outcome: Outcome
    edge_key: str | None = None


@dataclass(frozen=True, slots=True)
class HandlerNeeded:
    token_id: int
    node_key: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class TimerArmed:
    """Something is due for a token: after `delay_seconds`, counted on `calendar`, or at the instant `until`.

    `until` is the value of the field the timer waits for, as it was when the token came to rest. With
    `edge_key` it is a timeout edge that is to be followed, else the timer node itself.
    """

    token_id: int
    node_key: str
    delay_seconds: int | None
    edge_key: str | None = None
    until: object = None
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class FieldsSet:
    node_key: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SettleDue:
    """`token_id` is the token whose leaving led here; opening a ticket may lead here without one."""

    token_id: int | None
    node_key: str
    segment: str


@dataclass(frozen=True, slots=True)
class ActionDue:
    """An automatic node asks for something outside the ticket; `index` is its place among the node's actions.

    `token_id` is the token whose leaving led here, as for `SettleDue`.
    """

    token_id: int | None
    node_key: str
    index: int
    action: NodeAction


@dataclass(frozen=True, slots=True)
class SurveyDue:
    """The customer is to be asked; `token_id` as for `SettleDue`."""

    token_id: int | None
    node_key: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class ReturnCounted:
    """The node that sent its work back or rejected it, and how often it has done so on this ticket."""

    node_key: str
    count: int


@dataclass(frozen=True, slots=True)
class ProgressChanged:
    bp: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The ticket is finished. `path` leads to its end node; one cancelled on the spot has neither."""

    status: TicketStatus
    node_key: str | None
    path: tuple[str, ...] = ()


Effect = (
    TokenEntered
    | TokenLeft
    | HandlerNeeded
    | TimerArmed
    | FieldsSet
    | SettleDue
    | ActionDue
    | SurveyDue
    | ReturnCounted
    | ProgressChanged
    | Closed
)


@dataclass(frozen=True, slots=True)
class Step:
    """What an action leads to: the new marking, and the effects in the order in which they came about."""

    marking: Marking
    effects: tuple[Effect, ...]


class IllegalMove(ConsoleError):
    code = "ticket.illegal_move"
    http_status = 409


class AlreadyOpened(IllegalMove):
    code = "ticket.already_opened"


class TicketNotOpen(IllegalMove):
    code = "ticket.not_open"


class TokenNotActive(IllegalMove):
    code = "ticket.token_not_active"


class NoSuchEdge(IllegalMove):
    code = "ticket.no_such_edge"


class AmbiguousMove(IllegalMove):
    code = "ticket.ambiguous_move"


class GuardNotMet(IllegalMove):
    code = "ticket.guard_not_met"


class NoWayOn(IllegalMove):
    """No guard holds and there is no default: validation keeps published flows free of it."""

    code = "ticket.no_way_on"


class AutomaticLoop(IllegalMove):
    """Only automatic nodes in a circle: validation keeps published flows free of it."""

    code = "ticket.automatic_loop"


class NoSuchStep(IllegalMove):
    """There is no such step, or it lies within parallel work that the token has no part in."""

    code = "ticket.no_such_step"


class ReasonRequired(ConsoleError):
    code = "ticket.reason_required"
    http_status = 422
