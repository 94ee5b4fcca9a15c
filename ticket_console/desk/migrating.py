"""Moving running tickets to another version of their flow: planned first, then each one whole or not at all.

A migration is an event like any other: the history folds to the rows, and it can be taken back for as long as
nobody acted upon the ticket. A ticket that cannot be carried over stays, with the reason.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from ticket_console.access import policy
from ticket_console.clocks import timers
from ticket_console.desk.carrying import Carried, How, Seat, Stays, carry, seated
from ticket_console.desk.effects import carry_out
from ticket_console.desk.needs import need_of
from ticket_console.desk.replay.reading import Calendars, TicketWaits, visible_to
from ticket_console.desk.work import (
    MovedTicket,
    Work,
    already_moved,
    finish,
    new_row_id,
    take_up,
    ticket_facts,
)
from ticket_console.dispatch import choosing
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import EdgeKind, HandlerMode, NodeKind
from ticket_console.flows.graph import Graph
from ticket_console.flows.reads import FlowNotFound, FlowVersionView
from ticket_console.forms import reads as form_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, table, transaction
from ticket_console.kernel.errors import Conflict, ConsoleError
from ticket_console.tickets.actions import Effect, HandlerNeeded, ProgressChanged, Step, TokenEntered
from ticket_console.tickets.marking import Marking, TicketStatus, Token, TokenState
from ticket_console.tickets.tables import Event, FieldValue, OwnerKind, Ticket, TokenRow
from ticket_console.tickets.writing import AlreadyApplied

MIGRATED: Final = "ticket.migrated"
REVERTED: Final = "ticket.migration_reverted"
# As many as a person can look through; the others come after these are done.
MOST: Final = 500
# What may be said on a ticket without having acted upon it.
_ONLY_SAID: Final = ("ticket.commented", "ticket.attached", "ticket.looked_up")

_tickets, _tokens, _values, _events = table(Ticket), table(TokenRow), table(FieldValue), table(Event)


class CannotMigrate(Conflict):
    """The ticket stays where it is; `stays` says why."""

    code = "migration.stays"

    def __init__(self, stays: Stays) -> None:
        self.stays = stays
        super().__init__()


class NotReversible(Conflict):
    """The last thing that happened to the ticket was not a migration, or it was taken back already."""

    code = "migration.not_reversible"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One token: where it is, where it would be, and what that means."""

    node_before: str
    node_after: str
    how: str
    timer: str
    handler_changes: bool


@dataclass(frozen=True, slots=True)
class PlannedTicket:
    """A row of the dry run. With a `reason` (a translation key) the ticket stays where it is."""

    ticket_id: int
    no: str
    title: str
    version: int
    from_version_id: int
    from_number: int
    steps: tuple[PlannedStep, ...]
    appear: tuple[str, ...]
    vanish: tuple[str, ...]
    required: tuple[str, ...]
    reason: str | None
    params: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """`total` counts all tickets asked about; `rows` holds the oldest of them."""

    to_version_id: int
    to_number: int
    rows: tuple[PlannedTicket, ...]
    total: int

    @property
    def movable(self) -> tuple[PlannedTicket, ...]:
        return tuple(row for row in self.rows if row.reason is None)


@dataclass(frozen=True, slots=True)
class StayedTicket:
    ticket_id: int
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Migrated:
    """What came of a migration; every ticket is in one of the two."""

    moved: tuple[MovedTicket, ...]
    stayed: tuple[StayedTicket, ...]


def plan_migration(
    connection: Connection,
    *,
    viewer: Actor,
    flow_code: str,
    to_version_id: int,
    from_version_ids: Collection[int] | None = None,
    mapping: Mapping[str, str] | None = None,
) -> MigrationPlan:
    """What would become of the running tickets of a flow's other versions, or of some; writes nothing.

    `mapping` sends tickets that stand at a node of the old version to a node of the new one.
    """
    policy.require(viewer, "flow.manage")
    versions = _versions(connection, viewer.org_id, flow_code)
    if to_version_id not in versions:
        raise FlowNotFound(id=to_version_id)
    wanted = (versions.keys() if from_version_ids is None else set(from_version_ids) & versions.keys()) - {
        to_version_id
    }
    condition = sa.and_(
        _tickets.c.org_id == viewer.org_id,
        _tickets.c.status == TicketStatus.OPEN,
        _tickets.c.flow_version_id.in_(sorted(wanted)),
        visible_to(viewer),
    )
    total = connection.execute(sa.select(sa.func.count()).select_from(_tickets).where(condition)).scalar_one()
    rows = connection.execute(
        sa.select(_tickets).where(condition).order_by(_tickets.c.opened_at, _tickets.c.id).limit(MOST)
    ).all()
    values = _values_of(connection, [row.id for row in rows])
    new = flow_reads.compiled(connection, to_version_id)
    planned = tuple(
        _planned(connection, row, values[row.id], versions[row.flow_version_id], new, mapping or {})
        for row in rows
    )
    return MigrationPlan(to_version_id, versions[to_version_id].number, planned, total)


def _versions(connection: Connection, org_id: int, flow_code: str) -> dict[int, FlowVersionView]:
    return {each.id: each for each in flow_reads.versions_of(connection, org_id, flow_code)}


def _values_of(connection: Connection, ticket_ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    query = sa.select(_values.c.ticket_id, _values.c.field_key, _values.c.value).where(
        _values.c.ticket_id.in_(ticket_ids)
    )
    found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for ticket_id, key, value in connection.execute(query):
        found[ticket_id][key] = value
    return found


def _planned(
    connection: Connection,
    row: Row[*tuple[Any, ...]],
    values: Mapping[str, Any],
    version: FlowVersionView,
    new: Graph,
    mapping: Mapping[str, str],
) -> PlannedTicket:
    carried = carry(
        flow_reads.compiled(connection, row.flow_version_id),
        new,
        Marking.of_json(row.marking),
        facts={**values, **ticket_facts(row._asdict())},
        form_fields=_form_fields(connection, row.template_version_id),
        mapping=mapping,
    )
    return PlannedTicket(
        ticket_id=row.id,
        no=row.no,
        title=row.title,
        version=row.version,
        from_version_id=version.id,
        from_number=version.number,
        steps=()
        if isinstance(carried, Stays)
        else tuple(
            PlannedStep(seat.before.node_key, seat.after.node_key, seat.how, seat.timer, seat.handler_changes)
            for seat in carried.seats
        ),
        appear=() if isinstance(carried, Stays) else carried.appear,
        vanish=() if isinstance(carried, Stays) else carried.vanish,
        required=() if isinstance(carried, Stays) else carried.required,
        reason=carried.code if isinstance(carried, Stays) else None,
        params=carried.params if isinstance(carried, Stays) else {},
    )


def _form_fields(connection: Connection, template_version_id: int) -> Collection[str]:
    return form_reads.template_version(connection, template_version_id).definition.field_by_key.keys()


def apply_migration(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    flow_code: str,
    to_version_id: int,
    tickets: Mapping[int, int],
    mapping: Mapping[str, str] | None = None,
) -> Migrated:
    """Move these tickets, named with the version the asker saw. Each is moved whole, or stays and says why.

    Asking again with the same command id finishes what was left and moves nothing twice.
    """
    policy.require(actor, "flow.manage")
    moved, stayed = [], []
    for ticket_id, expected_version in tickets.items():
        try:
            moved.append(
                _migrate(
                    actor=actor,
                    at=at,
                    command_id=f"{command_id}:{ticket_id}",
                    flow_code=flow_code,
                    to_version_id=to_version_id,
                    ticket_id=ticket_id,
                    expected_version=expected_version,
                    mapping=mapping or {},
                )
            )
        except CannotMigrate as refusal:
            stayed.append(StayedTicket(ticket_id, refusal.stays.code, refusal.stays.params))
        except ConsoleError as refusal:
            stayed.append(StayedTicket(ticket_id, refusal.code, refusal.params))
    return Migrated(tuple(moved), tuple(stayed))


@retried
def _migrate(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    flow_code: str,
    to_version_id: int,
    ticket_id: int,
    expected_version: int,
    mapping: Mapping[str, str],
) -> MovedTicket:
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version)
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        versions = _versions(connection, actor.org_id, flow_code)
        from_version_id = work.draft.get("flow_version_id")
        if to_version_id not in versions or from_version_id not in versions:
            raise FlowNotFound(id=to_version_id)
        if from_version_id == to_version_id:
            raise CannotMigrate(Stays("migration.same_version", {}))
        new = flow_reads.compiled(connection, to_version_id)
        carried = carry(
            work.graph,
            new,
            work.marking,
            facts=work.facts,
            form_fields=_form_fields(connection, work.draft.get("template_version_id")),
            mapping=mapping,
        )
        if isinstance(carried, Stays):
            raise CannotMigrate(carried)
        _seat_anew(
            work,
            new,
            to_version_id,
            carried,
            say=MIGRATED,
            numbers=(versions[from_version_id].number, versions[to_version_id].number),
            owners={seat.before.id: work.tokens[seat.before.id] for seat in carried.seats},
        )
        return finish(work)


@retried
def revert_migration(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int
) -> MovedTicket:
    """Put a ticket back where it stood before its migration; NotReversible once somebody acted upon it."""
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version)
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        said = _last_migration(connection, ticket_id)
        if said is None:
            raise NotReversible(ticket_no=work.draft.get("no"))
        before = Marking.of_json(said["before"])
        was = {now: before.token(then) for then, now in said["tokens"]}
        old = flow_reads.compiled(connection, said["from"])
        seats = []
        for token in work.marking.tokens:
            then = was[token.id]
            if then is None:
                raise NotReversible(ticket_no=work.draft.get("no"))
            seats.append(seated(work.graph, old, token, replace(then, id=token.id), facts=work.facts))
        rows = connection.execute(
            sa.select(_tokens).where(_tokens.c.id.in_([then for then, _ in said["tokens"]]))
        )
        row_by_id = {row.id: row._asdict() for row in rows}
        _seat_anew(
            work,
            old,
            said["from"],
            Carried(tuple(seats), replace(before, tokens=tuple(seat.after for seat in seats)), (), (), ()),
            say=REVERTED,
            numbers=(said["to_number"], said["from_number"]),
            owners={now: row_by_id[then] for then, now in said["tokens"]},
            is_back=True,
        )
        return finish(work)


def can_revert(connection: Connection, *, viewer: Actor, ticket_ids: Collection[int]) -> frozenset[int]:
    """Those of these tickets whose migration can still be taken back, of those the viewer may see."""
    policy.require(viewer, "flow.manage")
    seen = sa.select(_tickets.c.id).where(
        _tickets.c.id.in_(sorted(ticket_ids)), _tickets.c.org_id == viewer.org_id, visible_to(viewer)
    )
    found = connection.execute(seen).scalars().all()
    return frozenset(each for each in found if _last_migration(connection, each) is not None)


def _last_migration(connection: Connection, ticket_id: int) -> Mapping[str, Any] | None:
    """What the migration said, if nothing but words came after it."""
    last = connection.execute(
        sa.select(_events.c.type, _events.c.payload)
        .where(_events.c.ticket_id == ticket_id, _events.c.ordinal == 0, _events.c.type.not_in(_ONLY_SAID))
        .order_by(_events.c.seq.desc())
        .limit(1)
    ).one()
    return last.payload if last.type == MIGRATED else None


def _take_up(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
) -> Work:
    return take_up(
        connection,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="flow.manage",
    )


def _seat_anew(
    work: Work,
    new: Graph,
    to_version_id: int,
    carried: Carried,
    *,
    say: str,
    numbers: tuple[int, int],
    owners: Mapping[int, Mapping[str, Any]],
    is_back: bool = False,
) -> None:
    """Let the ticket stand on the new version: tokens that are not kept leave, others come in their place.

    `owners` are the rows whose owner a token keeps where the step stays with the same people. On the way
    `is_back` everybody gets back what they had.
    """
    draft = work.draft
    number = {
        seat.before.id: seat.before.id if seat.how is How.KEPT else new_row_id() for seat in carried.seats
    }
    tokens = tuple(replace(seat.after, id=number[seat.before.id]) for seat in carried.seats)
    draft.say(
        say,
        **{"from": draft.get("flow_version_id"), "to": to_version_id},
        from_number=numbers[0],
        to_number=numbers[1],
        before=work.marking.as_json(),
        tokens=[[then, now] for then, now in number.items()],
    )
    draft.columns["flow_version_id"] = to_version_id
    work.graph = new
    effects: list[Effect] = []
    kept_owner: dict[int, Mapping[str, Any]] = {}
    for seat in carried.seats:
        now = number[seat.before.id]
        if seat.how is How.KEPT:
            if seat.after.forks != seat.before.forks:
                draft.moved[now] = {"forks": seat.after.as_json()["forks"]}
            continue
        draft.left[seat.before.id] = {
            "state": TokenState.CANCELLED,
            "left_at": work.at,
            "outcome": "migrated",
        }
        after = seat.after
        effects.append(TokenEntered(now, after.node_key, after.arrived_by, after.state, (), after.forks))
        handler = new.handler_of(after.node_key, work.facts)
        if after.state is not TokenState.ACTIVE or handler is None:
            continue
        if is_back or (seat.how is How.SEATED and not seat.handler_changes):
            kept_owner[now] = owners[seat.before.id]
            _hand_on(work, seat, now, owners[seat.before.id])
        else:
            if handler.mode is not HandlerMode.TECHNICIAN or not handler.sticky:
                _release(work, seat.before.id)
            effects.append(HandlerNeeded(now, after.node_key, handler))
    timers.cancel_for_tokens(work.connection, list(draft.left))
    if carried.marking.progress_bp != work.marking.progress_bp:
        effects.append(ProgressChanged(carried.marking.progress_bp))
    carry_out(work, Step(replace(carried.marking, tokens=tokens), tuple(effects)))
    for token_id, owner in kept_owner.items():
        columns = ("owner_kind", "owner_id", "queue_role")
        draft.entered[token_id].update({column: owner[column] for column in columns})
    for seat in carried.seats:
        if seat.how is not How.KEPT:
            same_stay = is_back or seat.how is How.SEATED
            since = owners[seat.before.id]["entered_at"] if same_stay else work.at
            draft.entered[number[seat.before.id]]["entered_at"] = since
            if seat.after.state is TokenState.ACTIVE:
                _arm(work, new, replace(seat.after, id=number[seat.before.id]), since)


def _hand_on(work: Work, seat: Seat, now: int, owner: Mapping[str, Any]) -> None:
    """Whoever had the step has it still."""
    if owner["owner_kind"] is not OwnerKind.TECHNICIAN:
        _release(work, seat.before.id)
        return
    held = work.tokens[seat.before.id]
    if held["owner_kind"] is OwnerKind.TECHNICIAN and held["owner_id"] == owner["owner_id"]:
        choosing.hand_on(
            work.connection,
            at=work.at,
            ticket_id=work.ticket_id,
            from_token_id=seat.before.id,
            to_token_id=now,
            technician_id=owner["owner_id"],
            by=work.actor.label,
        )
        work.tokens[seat.before.id] = {**held, "owner_kind": OwnerKind.SYSTEM}
        return
    _release(work, seat.before.id)
    handler = work.graph.handler_of(seat.after.node_key, work.facts)
    choosing.assign_to(
        work.connection,
        at=work.at,
        by=work.actor.label,
        need=need_of(work, now, None if handler is None else handler.skill),
        technician_id=owner["owner_id"],
        mode=DecisionMode.STICKY,
        override=True,
    )


def _release(work: Work, token_id: int) -> None:
    if work.tokens[token_id]["owner_kind"] is OwnerKind.TECHNICIAN:
        choosing.finish(work.connection, at=work.at, token_ids=[token_id], state=AssignmentState.RELEASED)


def _arm(work: Work, graph: Graph, token: Token, since: datetime) -> None:
    """What waits for the token at its new place, counted from when it came to the step."""
    waits = TicketWaits(Calendars(work.connection, work.actor.org_id), work.zone().key)
    node = graph.node_by_key[token.node_key]
    due: dict[str, tuple[str, datetime]] = {}
    if node.kind is NodeKind.TIMER:
        until = (
            waits.after(since, node.delay_seconds or 0, node.calendar)
            if node.until_field is None
            else waits.until(work.facts.get(node.until_field), node.calendar)
        )
        due[timers.fact_of_node(token.id)] = ("node", until or work.at)
    for edge in graph.edges_from(node.key, EdgeKind.TIMEOUT):
        due[timers.fact_of_edge(token.id, edge.key)] = (
            "edge",
            waits.after(since, edge.after_seconds or 0, edge.calendar),
        )
    for fact_key, (kind, at) in due.items():
        timers.arm(
            work.connection,
            fact_key=fact_key,
            kind=kind,
            ticket_id=work.ticket_id,
            token_id=token.id,
            due_at=max(at, work.at),
        )
