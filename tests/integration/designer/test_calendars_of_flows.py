"""A flow that waits by a calendar nobody made is neither published nor played."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.clocks.business_time import BusinessTime
from ticket_console.clocks.calendars import publish_calendar
from ticket_console.desk import publishing
from ticket_console.desk.replay import runs
from ticket_console.desk.replay.reading import Period
from ticket_console.desk.tables import ReplayRun
from ticket_console.flows import drafts
from ticket_console.flows.graph_json import InvalidGraph
from ticket_console.flows.tables import FlowVersion
from ticket_console.forms.draft_log import DraftView
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import FieldProblem

CALENDAR = "office"
UNKNOWN = FieldProblem("edges.accept-late.calendar", "flow.unknown_calendar", {"calendar": CALENDAR})


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def draft(company: Company, at: datetime) -> DraftView:
    """The general flow, whose acceptance goes back to dispatch after two office hours."""
    manager = company.actor("manager")
    opened = drafts.open_draft(actor=manager, at=at, code="general")
    late = {
        "key": "accept-late",
        "kind": "timeout",
        "source": "accept",
        "target": "dispatch",
        "name": {},
        "after_seconds": 7_200,
        "calendar": CALENDAR,
    }
    put = {"op": "put", "path": ["edges", "accept-late"], "value": late}
    gesture = {"id": "g-1", "label": "flow_designer.did.connect", "ops": [put]}
    drafts.edit(actor=manager, at=at, draft_id=opened.id, if_match=opened.seq, gesture=gesture)
    return drafts.read(actor=manager, draft_id=opened.id)


def publish(company: Company, draft: DraftView) -> Any:
    return publishing.publish(
        actor=company.actor("manager"),
        at=company.at,
        command_id="p-1",
        kind=DraftKind.FLOW,
        draft_id=draft.id,
        if_match=draft.seq,
    )


def start(company: Company, draft: DraftView) -> int:
    return runs.start(
        actor=company.actor("manager"),
        at=company.at,
        command_id="r-1",
        flow_code=draft.code,
        draft=drafts.graph_of(draft.document),
        label="calendar",
        period=Period(company.at - timedelta(days=1), company.at),
    )


def counted() -> tuple[int, int]:
    with reading() as connection:
        versions, played = (
            connection.execute(sa.select(sa.func.count()).select_from(table(model))).scalar_one()
            for model in (FlowVersion, ReplayRun)
        )
    return versions, played


def test_a_calendar_nobody_made_is_named_and_nothing_is_published_or_played(
    company: Company, draft: DraftView
) -> None:
    before = counted()

    for refused in (publish, start):
        with pytest.raises(InvalidGraph) as refusal:
            refused(company, draft)
        assert refusal.value.problems == (UNKNOWN,)

    preview = publishing.preview(actor=company.actor("manager"), kind=DraftKind.FLOW, draft_id=draft.id)
    assert preview.problems == (UNKNOWN,)
    assert counted() == before


def test_with_its_calendar_it_is_both(company: Company, draft: DraftView) -> None:
    with transaction() as connection:
        publish_calendar(
            connection,
            actor=company.actor("manager"),
            at=company.at,
            code=CALENDAR,
            name={"zh": "办公时间", "en": "Office hours"},
            hours=BusinessTime("Asia/Shanghai", dict.fromkeys(range(1, 6), ((540, 1080),)), {}),
        )

    assert start(company, draft) > 0
    assert publish(company, draft).number == 2
