"""A ticket that moves through steps of different billing standards is settled part by part."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk.settling import correct
from ticket_console.flows import publishing as flow_publishing
from ticket_console.forms import publishing as form_publishing
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.tables import FactSnapshot, Rating

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
STANDARDS = {"care": None, "rescue": "rescue", "check": None}

pytestmark = pytest.mark.usefixtures("database")
ratings, snapshots = table(Rating), table(FactSnapshot)


@pytest.fixture
def company() -> Company:
    company = found_company(AT)
    nodes: list[dict[str, Any]] = [
        {"key": "start", "kind": "start", "name": {"en": "Start"}, "stage": "intake"},
        *(_step(key, segment) for key, segment in STANDARDS.items()),
        {"key": "settle", "kind": "settle", "name": {"en": "Settle"}, "stage": "onsite", "segment": "main"},
        {"key": "end", "kind": "end", "name": {"en": "End"}, "stage": "done"},
    ]
    keys = [node["key"] for node in nodes]
    stages = (("intake", "todo"), ("onsite", "doing"), ("done", "done"))
    with transaction() as connection:
        flow = flow_publishing.publish_flow(
            connection,
            actor=company.system,
            at=AT,
            code="rescue",
            name={"zh": "保养与救援", "en": "Care and rescue"},
            graph={
                "stages": [
                    {"key": key, "name": {"zh": key, "en": key}, "category": category}
                    for key, category in stages
                ],
                "nodes": nodes,
                "edges": [
                    {"key": f"{source}-{target}", "kind": "forward", "source": source, "target": target}
                    for source, target in pairwise(keys)
                ],
            },
        )
        form_publishing.use_flow(
            connection, actor=company.system, code="repair", flow_id=flow.flow_id, flow_version_id=flow.id
        )
    return company


def _step(key: str, segment: str | None) -> dict[str, Any]:
    standard = {} if segment is None else {"segment": segment}
    return {
        "key": key,
        "kind": "task",
        "name": {"zh": key, "en": key},
        "stage": "onsite",
        "weight": 1,
        "handler": {
            "mode": "technician",
            "role": "technician",
            **({} if key == "care" else {"sticky": True}),
        },
        **standard,
    }


def settled() -> list[tuple[str, int, int, bool]]:
    """The live pay of each segment: its code, from and until which minute, and whether the way is in it."""
    with reading() as connection:
        rows = connection.execute(
            sa.select(ratings.c.segment, snapshots.c.facts)
            .join(snapshots, snapshots.c.id == ratings.c.fact_snapshot_id)
            .where(ratings.c.is_live, ratings.c.purpose == Purpose.WORKER_PAY)
            .order_by(ratings.c.id)
        ).all()
    found = [(segment, Facts.from_json(frozen)) for segment, frozen in rows]
    return [
        (segment, _minute(facts.started_at), _minute(facts.finished_at), facts.distance_km > 0)
        for segment, facts in found
    ]


def _minute(at: datetime) -> int:
    return int((at - AT).total_seconds() // 60)


def test_each_part_of_the_time_is_settled_by_the_standard_of_its_step(company: Company) -> None:  # STL-18
    ticket = company.open(lat=31.30, lon=121.50)
    moved: Any = ticket
    for minutes in (30, 75, 90):
        moved = company.act(
            ticket.ticket_id, moved.version, by="tech_near", at=AT + timedelta(minutes=minutes)
        )

    parts = settled()

    assert [part[:3] for part in parts] == [("main", 0, 30), ("rescue", 30, 75), ("main#2", 75, 90)]
    assert [has_way for *_, has_way in parts] == [True, False, False]

    correct(
        actor=company.actor("finance"),
        at=AT + timedelta(days=1),
        command_id="again",
        ticket_id=ticket.ticket_id,
        expected_version=moved.version,
        reason="checked",
    )

    assert settled() == parts
    with reading() as connection:
        rated = connection.execute(
            sa.select(sa.func.count()).select_from(ratings).where(ratings.c.is_live)
        ).scalar_one()
    assert rated == 6
