"""Policies by which work is dispatched, people asked and shifts handed over, for the small company."""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.builders.company import SHANGHAI, Company
from ticket_console.dispatch.rules import read_terms
from ticket_console.dispatch.tables import (
    Assignment,
    AssignmentState,
    DispatchPolicyRow,
    DispatchPolicyVersion,
)
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.people import hiring, planning
from ticket_console.people.candidate import Post, Span
from ticket_console.people.hiring import NewTechnician
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Ticket, TokenRow

_assignments, _tokens, _tickets = table(Assignment), table(TokenRow), table(Ticket)


def dispatch_by(company: Company, **terms: Any) -> None:
    """Have everything dispatched by these terms from now on."""
    read_terms(terms)
    policies, versions = table(DispatchPolicyRow), table(DispatchPolicyVersion)
    with transaction() as connection:
        known = connection.execute(sa.select(policies.c.id, policies.c.version)).first()
        number = 1 if known is None else known.version + 1
        if known is None:
            policy_id = connection.execute(
                sa.insert(policies)
                .values(org_id=company.org_id, code="test", name={"zh": "测", "en": "test"}, version=1)
                .returning(policies.c.id)
            ).scalar_one()
        else:
            policy_id = known.id
        version_id = connection.execute(
            sa.insert(versions)
            .values(
                policy_id=policy_id,
                number=number,
                terms=terms,
                content_hash="0" * 64,
                note="",
                published_at=company.at,
                published_by="test",
            )
            .returning(versions.c.id)
        ).scalar_one()
        connection.execute(
            sa.update(policies)
            .where(policies.c.id == policy_id)
            .values(in_force_id=version_id, version=number)
        )


def hire_somebody(
    company: Company,
    name: str,
    *,
    user_id: int = 0,
    roles: tuple[Role, ...] = (Role.TECHNICIAN,),
    skill: str | None = "hvac",
    far: float = 0.02,
    shifts: tuple[Span, ...] = (),
    **wish: Any,
) -> Actor:
    """Somebody in Shanghai, certified for `skill`, as the actor they are when they log in."""
    by: dict[str, Any] = {"actor": system_actor(company.org_id), "at": company.at, "command_id": "hire"}
    with transaction() as connection:
        technician_id = hiring.hire(
            connection,
            **by,
            new=NewTechnician(
                **{
                    "name": name,
                    "region_id": company.regions["sh"],
                    "lat": SHANGHAI[0] + far,
                    "lon": SHANGHAI[1],
                    "capacity": 20,
                    **wish,
                }
            ),
        )
        if skill is not None:
            hiring.certify(
                connection,
                **by,
                technician_id=technician_id,
                skill=skill,
                level=2,
                valid_from=date(2025, 1, 1),
            )
        if shifts:
            planning.plan_shifts(connection, **by, technician_id=technician_id, shifts=shifts)
    return Actor(
        kind=ActorKind.USER,
        org_id=company.org_id,
        display=name,
        user_id=user_id or 7_000 + technician_id,
        technician_id=technician_id,
        vendor_id=wish.get("vendor_id"),
        grants=tuple(Grant(role, Scope.OWN) for role in roles),
    )


def form_crew(company: Company, code: str = "night") -> int:
    with transaction() as connection:
        return hiring.form_crew(
            connection,
            actor=system_actor(company.org_id),
            at=company.at,
            command_id="crew",
            code=code,
            name={"zh": code, "en": code},
            region_id=company.regions["sh"],
        )


def engage_vendor(company: Company, code: str) -> int:
    with transaction() as connection:
        return hiring.engage_vendor(
            connection,
            actor=system_actor(company.org_id),
            at=company.at,
            command_id="vendor",
            code=code,
            name={"zh": code, "en": code},
        )


def offered_to(ticket_id: int, state: AssignmentState = AssignmentState.OFFERED) -> list[int]:
    """Who was asked for a ticket and is in that state, in the order in which they were asked."""
    query = (
        sa.select(_assignments.c.technician_id)
        .where(_assignments.c.ticket_id == ticket_id, _assignments.c.state == state)
        .order_by(_assignments.c.id)
    )
    with reading() as connection:
        return list(connection.execute(query).scalars())


def step_of(ticket_id: int) -> dict[str, Any]:
    """The one live step of a ticket."""
    with reading() as connection:
        (step,) = reads.live_tokens(connection, ticket_id)
    return dict(step)


def ticket_row(ticket_id: int) -> dict[str, Any]:
    with reading() as connection:
        row = connection.execute(sa.select(_tickets).where(_tickets.c.id == ticket_id)).one()
    return dict(row._mapping)


def events_of(ticket_id: int) -> list[str]:
    with reading() as connection:
        return [event["type"] for event in reads.events_of(connection, ticket_id)]


def shift(company: Company, *, starts: float, hours: float) -> Span:
    """A shift that starts so many hours from the company's moment."""
    begin: datetime = company.at + timedelta(hours=starts)
    return Span(begin, begin + timedelta(hours=hours))


LEAD, STOREKEEPER = Post.LEAD, Post.STOREKEEPER
