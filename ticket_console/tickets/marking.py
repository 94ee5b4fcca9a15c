"""Where a ticket stands in its flow: the live tokens, and what the engine has to remember between steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class TokenState(StrEnum):
    """A marking holds only `active` and `waiting` tokens; the other two end a token's row."""

    ACTIVE = "active"
    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"


class TicketStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Fork:
    """One pass through a split: tokens with the same `id` are siblings, `branch` is the edge they took."""

    id: int
    branch: str


@dataclass(frozen=True, slots=True)
class Token:
    """One visit to a node: `active` at a step or a timer, `waiting` at a join for its siblings.

    `arrived_by` is the last edge it followed, empty where it followed none; `forks` are the splits it is
    inside, outermost first.
    """

    id: int
    node_key: str
    state: TokenState
    arrived_by: str
    forks: tuple[Fork, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "node_key": self.node_key,
            "state": self.state.value,
            "arrived_by": self.arrived_by,
            "forks": [[fork.id, fork.branch] for fork in self.forks],
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "Token":
        return cls(
            id=data["id"],
            node_key=data["node_key"],
            state=TokenState(data["state"]),
            arrived_by=data["arrived_by"],
            forks=tuple(Fork(fork_id, branch) for fork_id, branch in data["forks"]),
        )


@dataclass(frozen=True, slots=True)
class Marking:
    """`tokens` in the order in which they arrived. `Marking()` is a ticket that was not opened yet.

    `returns` counts, by node, how often the node sent its work back or rejected it.
    `passed` are the nodes left behind and not undone by a return: the base of `progress_bp`.
    `ended_at` is the end node of a finished ticket; a ticket cancelled where no cancel edge leads has none.
    """

    tokens: tuple[Token, ...] = ()
    status: TicketStatus = TicketStatus.OPEN
    progress_bp: int = 0
    returns: Mapping[str, int] = field(default_factory=dict)
    passed: frozenset[str] = frozenset()
    ended_at: str | None = None

    def token(self, token_id: int) -> Token | None:
        return next((token for token in self.tokens if token.id == token_id), None)

    def active(self) -> tuple[Token, ...]:
        return tuple(token for token in self.tokens if token.state is TokenState.ACTIVE)

    def as_json(self) -> dict[str, Any]:
        return {
            "tokens": [token.as_json() for token in self.tokens],
            "status": self.status.value,
            "progress_bp": self.progress_bp,
            "returns": dict(self.returns),
            "passed": sorted(self.passed),
            "ended_at": self.ended_at,
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "Marking":
        return cls(
            tokens=tuple(Token.of_json(token) for token in data["tokens"]),
            status=TicketStatus(data["status"]),
            progress_bp=data["progress_bp"],
            returns=dict(data["returns"]),
            passed=frozenset(data["passed"]),
            ended_at=data["ended_at"],
        )
