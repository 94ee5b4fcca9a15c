"""Tasks that want a technician, on paper and as rows of tickets."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from tests.builders.access import Company
from tests.builders.people import AT, BUND, NORTH, TERRITORY
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.tables import Assignment, AssignmentState, TechnicianLoad
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.forms.tables import Template, TemplateVersion, VersionStatus
from ticket_console.kernel import ids
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import OwnerKind, Ticket, TokenRow

_NEED = Need(
    org_id=1,
    ticket_id=10,
    token_id=20,
    region_id=NORTH,
    territory_id=TERRITORY,
    lat=BUND[0],
    lon=BUND[1],
    skill="hvac",
    priority=2,
)


def a_need(**changes: Any) -> Need:
    """Somebody for an air conditioner on the Bund."""
    return replace(_NEED, **changes)


def make_tasks(company: Company, count: int = 1, **changes: Any) -> list[Need]:
    """Steps of one ticket in the company's North, waiting for somebody."""
    with transaction(reserve={"row": count}) as connection:
        ticket_id = _ticket(connection, company)
        token_ids = [ids.take("row") for _ in range(count)]
        rows = [
            {
                "id": token_id,
                "org_id": company.org_id,
                "ticket_id": ticket_id,
                "node_key": "repair",
                "state": TokenState.ACTIVE,
                "owner_kind": OwnerKind.QUEUE,
                "queue_role": "dispatcher",
                "forks": [],
                "entered_at": AT,
            }
            for token_id in token_ids
        ]
        connection.execute(sa.insert(table(TokenRow)), rows)
    return [
        a_need(
            **{
                "org_id": company.org_id,
                "ticket_id": ticket_id,
                "token_id": token_id,
                "region_id": company.north,
                "territory_id": None,
                **changes,
            }
        )
        for token_id in token_ids
    ]


def load_of(technician_id: int) -> int:
    """The load that is kept; nought for somebody who never had anything."""
    loads = table(TechnicianLoad)
    with reading() as connection:
        kept = sa.select(loads.c.open_count).where(loads.c.technician_id == technician_id)
        return connection.execute(kept).scalar() or 0


def claimed(technician_id: int | None = None) -> list[int]:
    """The tokens that are held, by anybody or by one person."""
    assignments = table(Assignment)
    held = sa.select(assignments.c.token_id).where(assignments.c.state == AssignmentState.CLAIMED)
    if technician_id is not None:
        held = held.where(assignments.c.technician_id == technician_id)
    with reading() as connection:
        return sorted(connection.execute(held).scalars())


def _ticket(connection: Connection, company: Company) -> int:
    def add(model: type[SQLModel], **columns: Any) -> int:
        made = table(model)
        return int(connection.execute(sa.insert(made).values(**columns).returning(made.c.id)).scalar_one())

    ticket_id = ids.take("ticket")
    code = f"repair-{ticket_id}"
    name = {"zh": code, "en": code}
    published = {"number": 1, "status": VersionStatus.PUBLISHED, "content_hash": "0" * 64}
    flow_id = add(Flow, org_id=company.org_id, code=code, name=name, version=1)
    flow_version_id = add(FlowVersion, flow_id=flow_id, graph={}, **published)
    template_id = add(
        Template,
        org_id=company.org_id,
        code=code,
        name=name,
        business_line="home",
        ticket_class="repair",
        icon="",
        is_public=False,
        keywords=[],
        is_active=True,
        version=1,
    )
    template_version_id = add(TemplateVersion, template_id=template_id, definition={}, **published)
    return add(
        Ticket,
        id=ticket_id,
        org_id=company.org_id,
        no=f"WO-{ticket_id}",
        root_id=ticket_id,
        ticket_class="repair",
        template_id=template_id,
        template_version_id=template_version_id,
        flow_version_id=flow_version_id,
        title="空调不制冷",
        description="",
        source="desk",
        contact_name="",
        contact_phone="",
        region_id=company.north,
        address="",
        urgency=1,
        impact=1,
        priority=2,
        priority_reason={},
        is_vip=False,
        status=TicketStatus.OPEN,
        stage="onsite",
        priority_class=2,
        rank="0",
        marking={},
        progress_bp=0,
        returns=0,
        opened_at=AT,
        updated_at=AT,
        event_count=0,
        head_hash="",
        version=1,
    )
