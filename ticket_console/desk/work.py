"""One command at work: the ticket, its flow, the asker, and what was decided so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.desk.limiting import keep_to_limits
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph import Graph
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import transaction
from ticket_console.people import crews
from ticket_console.people import names as people_names
from ticket_console.tickets import reads, writing
from ticket_console.tickets.fold import fold
from ticket_console.tickets.marking import Marking, TokenState
from ticket_console.tickets.priority import URGENCY_NAMES
from ticket_console.tickets.tables import OFFERED, OwnerKind
from ticket_console.tickets.writing import AlreadyApplied, TicketDraft, TicketNotFound


class Asked(TypedDict):
    """What every command on a ticket is asked with."""

    actor: Actor
    at: datetime
    command_id: str
    ticket_id: int
    expected_version: int


class Reach(TypedDict):
    """What a permission over one ticket is asked with."""

    region_id: int | None
    ticket_class: str | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence to be: its translation key and what stands in it."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Work:
    """`tokens` are the live token rows by id; `facts` are what guards may ask about.

    `override` is the reason for going over a limit, None where nobody asked for that. `warnings` are what
    speaks against what was done without forbidding it.
    """

    connection: Connection
    actor: Actor
    at: datetime
    command_id: str
    draft: TicketDraft
    graph: Graph
    marking: Marking
    tokens: dict[int, Mapping[str, Any]]
    facts: dict[str, Any]
    settled_minor: dict[str, int] = field(default_factory=dict)
    assignee_name: str | None = None
    override: str | None = None
    warnings: list[Reason] = field(default_factory=list)

    @property
    def ticket_id(self) -> int:
        return self.draft.ticket_id

    def zone(self) -> ZoneInfo:
        """Where the work happens: what wall-clock times without an offset mean."""
        return ZoneInfo(
            places.zone_of(
                self.connection,
                org_id=self.actor.org_id,
                region_id=self.draft.get("region_id"),
                site_id=self.draft.get("site_id"),
            )
        )


@dataclass(frozen=True, slots=True)
class MovedTicket:
    """Where a command left a ticket; `warnings` are what speaks against it without forbidding it."""

    ticket_id: int
    no: str
    version: int
    stage: str
    status: str
    progress_bp: int
    assignee_id: int | None
    assignee_name: str | None
    warnings: tuple[Reason, ...] = ()


def facts_of(connection: Connection, row: Mapping[str, Any]) -> dict[str, Any]:
    """Everything a condition may ask about a ticket."""
    return {**writing.values_of(connection, row["id"]), **ticket_facts(row)}


def new_row_id() -> int:
    return ids.take("row")


def change(
    do: Callable[[Work], bool | None],
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int | None,
    permission: str,
    is_claim: bool = False,
    is_asked: bool = False,
) -> MovedTicket:
    """One command on one ticket in a transaction of its own: taken up, changed by `do`, saved.

    A repetition finds what was done, and so does a command whose `do` says False: nothing was left to do.
    """
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=expected_version,
                permission=permission,
                is_claim=is_claim,
                is_asked=is_asked,
            )
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        if do(work) is False:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        return finish(work)


def take_up(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int | None,
    permission: str,
    is_claim: bool = False,
    is_asked: bool = False,
) -> Work:
    """Read a ticket for a change.

    Refuses with TicketNotFound what the asker may not see, Forbidden what they may not do, and
    StaleTicket what changed since they looked. `expected_version` is None only for commands that
    hold whatever happened meanwhile, such as a comment. `is_asked` says that a step of the ticket was
    offered to the asker, who may then reach for it.
    """
    row = writing.lock_ticket(connection, org_id=actor.org_id, ticket_id=ticket_id)
    tokens = writing.live_tokens(connection, ticket_id)
    is_own = (
        owns(actor, row, tokens)
        or is_asked
        or (is_claim and is_up_for_claim(actor, tokens))
        or is_of_vendor(connection, actor, tokens)
    )
    if not may_see(actor, row, is_own=is_own):
        # Somebody who gave the ticket away may not have heard that it worked.
        writing.refuse_repeated(connection, actor=actor, ticket_id=ticket_id, command_id=command_id)
        if (
            is_claim
            and expected_version is not None
            and _waited(connection, actor, ticket_id, expected_version)
        ):
            writing.refuse_stale(
                connection, row, expected_version=expected_version, actor=actor, command_id=command_id
            )
        raise TicketNotFound(ticket_id=ticket_id)
    if expected_version is not None:
        writing.refuse_stale(
            connection, row, expected_version=expected_version, actor=actor, command_id=command_id
        )
    else:
        writing.refuse_repeated(connection, actor=actor, ticket_id=ticket_id, command_id=command_id)
    reach = _reach(row, is_own)
    policy.require(actor, permission, **reach)
    # Somebody may have one role here and another elsewhere: what counts is what reaches this ticket.
    return _work(connection, policy.over_row(actor, **reach), at, command_id, row, tokens)


def look_at(connection: Connection, *, actor: Actor, at: datetime, ticket_id: int) -> Work:
    """A ticket as `take_up` gives it, for who asks what would happen; nothing is held, and nothing refused
    but what the asker may not see."""
    row = writing.read_ticket(connection, org_id=actor.org_id, ticket_id=ticket_id)
    tokens = writing.live_tokens(connection, ticket_id)
    is_own = owns(actor, row, tokens) or is_of_vendor(connection, actor, tokens)
    if not may_see(actor, row, is_own=is_own):
        raise TicketNotFound(ticket_id=ticket_id)
    return _work(connection, policy.over_row(actor, **_reach(row, is_own)), at, "", row, tokens)


def reach_of(actor: Actor, work: Work) -> Reach:
    """What a permission over the ticket at work is asked with."""
    row = work.draft.before or {}
    is_own = owns(actor, row, work.tokens) or is_of_vendor(work.connection, actor, work.tokens)
    return _reach(row, is_own)


def _reach(row: Mapping[str, Any], is_own: bool) -> Reach:
    return {"region_id": row["region_id"], "ticket_class": row["ticket_class"], "is_own": is_own}


def _work(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    row: Mapping[str, Any],
    tokens: dict[int, Mapping[str, Any]],
) -> Work:
    return Work(
        connection=connection,
        actor=actor,
        at=at,
        command_id=command_id,
        draft=TicketDraft(actor=actor, at=at, command_id=command_id, ticket_id=row["id"], before=row),
        graph=flow_reads.compiled(connection, row["flow_version_id"]),
        marking=Marking.of_json(row["marking"]),
        tokens=tokens,
        facts=facts_of(connection, row),
    )


def may_see(actor: Actor, row: Mapping[str, Any], *, is_own: bool) -> bool:
    if actor.kind is ActorKind.CUSTOMER:
        return bool(actor.ticket_id == row["id"])
    return policy.allows(
        actor, "ticket.view", region_id=row["region_id"], ticket_class=row["ticket_class"], is_own=is_own
    )


def owns(actor: Actor, row: Mapping[str, Any], tokens: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether the ticket is the asker's own: theirs to do, or theirs as the customer."""
    if actor.kind is ActorKind.CUSTOMER:
        return bool(actor.ticket_id == row["id"])
    if actor.technician_id is None:
        return False
    return bool(row["assignee_id"] == actor.technician_id) or any(
        owns_token(actor, token) for token in tokens.values()
    )


def is_of_vendor(connection: Connection, actor: Actor, tokens: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether the ticket is with the service partner for which the asker dispatches."""
    if not crews.dispatches_for_vendor(actor):
        return False
    return any(
        (token["owner_kind"] == OwnerKind.VENDOR and token["owner_id"] == actor.vendor_id)
        or (
            token["owner_kind"] == OwnerKind.TECHNICIAN
            and crews.vendor_of(connection, token["owner_id"]) == actor.vendor_id
        )
        for token in tokens.values()
    )


def is_up_for_claim(actor: Actor, tokens: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether a technician may reach for the ticket: nobody has it, and it was offered to nobody else.

    What waits for a service partner is for its people only. Whether they are fit, the filters say.
    """
    return actor.technician_id is not None and any(
        (token["owner_kind"] == OwnerKind.QUEUE and token["queue_role"] != OFFERED)
        or (
            token["owner_kind"] == OwnerKind.VENDOR
            and actor.vendor_id is not None
            and token["owner_id"] == actor.vendor_id
        )
        for token in tokens.values()
    )


def _waited(connection: Connection, actor: Actor, ticket_id: int, version: int) -> bool:
    """Whether the ticket was up for claim when the asker saw it: then who was faster is no secret to them."""
    seen = fold(
        event for event in reads.events_of(connection, ticket_id) if event["ticket_version"] <= version
    )
    active = {id: token for id, token in seen.tokens.items() if token["state"] == TokenState.ACTIVE}
    return is_up_for_claim(actor, active)


def owns_token(actor: Actor, token: Mapping[str, Any]) -> bool:
    if actor.kind is ActorKind.CUSTOMER:
        return bool(token["owner_kind"] is OwnerKind.CUSTOMER)
    return bool(
        actor.technician_id is not None
        and token["owner_kind"] is OwnerKind.TECHNICIAN
        and token["owner_id"] == actor.technician_id
    )


def ticket_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """The ticket's own facts, beside its field values, that a guard may ask about."""
    return {
        "priority": row["priority"],
        "urgency": URGENCY_NAMES[row["urgency"]],
        "impact": row["impact"],
        "vip": row["is_vip"],
        "source": row["source"],
        "ticket_class": row["ticket_class"],
        "region_id": row["region_id"],
        "returns": row["returns"],
    }


def finish(work: Work) -> MovedTicket:
    """Save what was decided and say where the ticket stands now; LaneFull where a lane holds no more."""
    keep_to_limits(work.connection, work.draft, override=work.override)
    version = writing.save(work.connection, work.draft)
    draft = work.draft
    return MovedTicket(
        ticket_id=draft.ticket_id,
        no=draft.get("no"),
        version=version,
        stage=draft.get("stage"),
        status=str(draft.get("status")),
        progress_bp=draft.get("progress_bp"),
        assignee_id=draft.get("assignee_id"),
        assignee_name=work.assignee_name,
        warnings=tuple(work.warnings),
    )


def already_moved(connection: Connection, *, actor: Actor, ticket_id: int) -> MovedTicket:
    """The answer to a command that was carried out before: where its ticket stands now."""
    row = writing.read_ticket(connection, org_id=actor.org_id, ticket_id=ticket_id)
    return MovedTicket(
        ticket_id=ticket_id,
        no=row["no"],
        version=row["version"],
        stage=row["stage"],
        status=str(row["status"]),
        progress_bp=row["progress_bp"],
        assignee_id=row["assignee_id"],
        assignee_name=assignee_name(connection, row),
    )


def assignee_name(connection: Connection, row: Mapping[str, Any]) -> str | None:
    """What the one who has the ticket is called."""
    technician_id = row["assignee_id"]
    return None if technician_id is None else people_names.names(connection, (technician_id,))[technician_id]
