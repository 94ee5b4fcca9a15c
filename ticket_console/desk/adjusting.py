"""Doing otherwise than the flow says, for once: with a permission, a reason, and a trace."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ticket_console.desk.effects import carry_out
from ticket_console.desk.formulas import formulas_of
from ticket_console.desk.moving import REASON_LENGTH, ReasonTooLong
from ticket_console.desk.work import MovedTicket, Work, already_moved, finish, new_row_id, take_up
from ticket_console.flows.elements import HANDLED_KINDS, Act, Node
from ticket_console.flows.graph import Graph
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets import engine
from ticket_console.tickets.actions import Action, Jump, ReasonRequired, Skip, TokenNotActive
from ticket_console.tickets.marking import Marking
from ticket_console.tickets.writing import AlreadyApplied


class SkippingDenied(Forbidden):
    """The step says that these roles may not skip it."""

    code = "ticket.skipping_denied"


@dataclass(frozen=True, slots=True)
class _Override:
    """An action beside the flow, and what the history calls it."""

    event: str
    action: Callable[[str], Action]
    token_id: int
    node_key: str | None = None


@retried
def skip(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    token_id: int,
    reason: str,
    edge_key: str | None = None,
) -> MovedTicket:
    """Leave a step undone, its entries and evidence included, and go on as if it were finished."""
    override = _Override("ticket.step_skipped", lambda why: Skip(token_id, why, edge_key), token_id)
    return _carry_out(actor, at, command_id, ticket_id, expected_version, override, reason)


@retried
def insert_step(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    token_id: int,
    node_key: str,
    reason: str,
) -> MovedTicket:
    """Have another step of the flow done next, instead of the one the ticket stands at.

    The ticket goes on from there along the flow. Raises NoSuchStep for a step within parallel work that the
    ticket is not in.
    """
    override = _Override("ticket.step_moved", lambda why: Jump(token_id, node_key, why), token_id, node_key)
    return _carry_out(actor, at, command_id, ticket_id, expected_version, override, reason)


def steps_to_insert(graph: Graph, marking: Marking, token_id: int) -> tuple[Node, ...]:
    """The steps a token can be sent to by hand, in the order of the flow."""
    token = marking.token(token_id)
    if token is None:
        return ()
    here, branches = tuple(fork.branch for fork in token.forks), graph.structure.branches
    return tuple(
        node
        for node in graph.nodes
        if node.kind in HANDLED_KINDS
        and node.key != token.node_key
        and (wanted := branches.get(node.key)) is not None
        and here[: len(wanted)] == wanted
    )


def _carry_out(
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    override: _Override,
    reason: str,
) -> MovedTicket:
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=expected_version,
                permission="ticket.adjust",
            )
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        _override(work, override, _reason(reason))
        return finish(work)


def _override(work: Work, override: _Override, reason: str) -> None:
    token = work.marking.token(override.token_id)
    if token is None:
        raise TokenNotActive(token_id=override.token_id)
    node = work.graph.node_by_key[token.node_key]
    # A step with a table of acts for these roles is skipped by those only whose row says so.
    if node.denies(work.actor.roles, Act.SKIP):
        raise SkippingDenied(node=node.key)
    said = {"node": node.key, "reason": reason}
    if override.node_key is not None:
        said["to"] = override.node_key
    work.draft.say(override.event, **said)
    step = engine.advance(
        work.graph,
        work.marking,
        override.action(reason),
        facts=work.facts,
        new_token_id=new_row_id,
        worked_out=formulas_of(work.connection, work.draft.get("template_version_id")),
    )
    carry_out(work, step)


def _reason(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise ReasonRequired()
    if len(said) > REASON_LENGTH:
        raise ReasonTooLong(limit=REASON_LENGTH)
    return said
