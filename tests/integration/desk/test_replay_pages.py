"""The pages of a replay: who sees which of the tickets that differ."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk.replay import runs
from ticket_console.desk.replay.comparing import Difference, Kind
from ticket_console.desk.replay.reading import Period
from ticket_console.desk.tables import ReplayDifference
from ticket_console.flows import reads as flow_reads
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import reading, table, transaction


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def a_run(company: Company, at: datetime, *differences: Difference) -> int:
    manager = company.actor("manager")
    with reading() as connection:
        version = flow_reads.current_version(connection, company.org_id, "repair")
        graph = flow_reads.drawn(connection, version.id)
    run_id = runs.start(
        actor=manager,
        at=at,
        command_id="replay",
        flow_code="repair",
        draft=graph,
        label="",
        period=Period(at - timedelta(days=1), at),
    )
    with transaction() as connection:
        connection.execute(
            sa.insert(table(ReplayDifference)),
            [runs._difference_row(run_id, each) for each in differences],
        )
    return run_id


def differing(ticket_id: int, *kinds: Kind) -> Difference:
    return Difference(ticket_id, kinds, 0, 500, (), (), "end", "end")


def test_who_may_see_no_money_is_not_told_which_tickets_differ_in_it(
    company: Company, at: datetime
) -> None:  # PRM-02
    dearer, both = company.open().ticket_id, company.open().ticket_id
    run_id = a_run(company, at, differing(dearer, Kind.DEARER), differing(both, Kind.PATH, Kind.CHEAPER))
    manager = company.actor("manager")
    drawing: Actor = replace(
        manager, kind=ActorKind.CHANNEL, permissions=frozenset({"flow.manage", "ticket.view"})
    )

    def rows(viewer: Actor, kind: Kind | None = None) -> list[tuple[int, tuple[Kind, ...], int | None]]:
        with reading() as connection:
            page = runs.differences(connection, viewer=viewer, run_id=run_id, kind=kind)
        assert page.count == len(page.rows)
        return [(row.ticket_id, row.kinds, row.cost_minor) for row in page.rows]

    assert rows(manager, Kind.DEARER) == [(dearer, (Kind.DEARER,), 500)]
    assert rows(manager) == [(dearer, (Kind.DEARER,), 500), (both, (Kind.PATH, Kind.CHEAPER), 500)]
    assert rows(drawing) == [(both, (Kind.PATH,), None)]
    assert rows(drawing, Kind.PATH) == [(both, (Kind.PATH,), None)]
    assert rows(drawing, Kind.CHEAPER) == rows(drawing, Kind.DEARER) == []
