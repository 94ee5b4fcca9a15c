"""A repair from the request to the money, and every way it can be refused on the way."""

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from tests.builders.company import Company, found_company
from ticket_console.desk import customer
from ticket_console.desk.assigning import assign, claim, release
from ticket_console.desk.moving import NoWayToStage, cancel, drop, send_back
from ticket_console.desk.opening import NewTicket, open_ticket
from ticket_console.desk.page import ticket_page
from ticket_console.desk.steps import ActNotAllowed, FormRequired
from ticket_console.desk.talking import attach, attachment_path, comment
from ticket_console.dispatch.choosing import NotEligible
from ticket_console.dispatch.tables import Assignment, TechnicianLoad
from ticket_console.kernel.actor import Grant, Role, Scope
from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.tables import Posting
from ticket_console.tickets import reads
from ticket_console.tickets.actions import ReasonRequired, TicketNotOpen
from ticket_console.tickets.board import BoardFilters, board_snapshot
from ticket_console.tickets.fold import fold
from ticket_console.tickets.tables import Event, FieldValue, LaneCount, Ticket, TokenRow
from ticket_console.tickets.writing import CommandReused, StaleTicket, TicketNotFound

STROKES = "M 1 1 L 20 20 L 30 5"
WORK = {
    "arrival": "2026-11-21T10:30",
    "fault_cause": "电容老化",
    "actions": "更换电容",
    "labour_hours": "1.5",
    "difficulty": "1.2",
    "at_height": True,
    "parts": [{"sku": "CAP-35", "qty": "2"}],
}


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def picture() -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    Image.new("RGB", (40, 30), "navy").save(out, "JPEG", exif=exif)
    return out.getvalue()


def row(ticket_id: int) -> Mapping[str, Any]:
    with reading() as connection:
        ticket = table(Ticket)
        return connection.execute(sa.select(ticket).where(ticket.c.id == ticket_id)).one()._asdict()


def everything(ticket_id: int) -> str:
    """All that is known of a ticket, to show that a refusal changed none of it."""
    with reading() as connection:
        found = {}
        for model in (Ticket, TokenRow, FieldValue, Event, Assignment):
            rows = table(model)
            key = rows.c.id if model is Ticket else rows.c.ticket_id
            order = list(rows.primary_key.columns)
            found[rows.name] = [
                dict(each._mapping)
                for each in connection.execute(sa.select(rows).where(key == ticket_id).order_by(*order))
            ]
        return canonical_json(found)


def test_a_request_finds_the_nearest_fit_technician_in_the_same_transaction(
    company: Company,
) -> None:  # DSP-01 DSP-02
    opened = company.open()

    assert opened.stage == "accept"
    assert opened.assignee_id == company.technicians["tech_near"]
    with reading() as connection:
        load = table(TechnicianLoad)
        loads = dict(connection.execute(sa.select(load.c.technician_id, load.c.open_count)).all())
    assert loads[company.technicians["tech_near"]] == 1


def test_a_word_raises_the_priority_and_says_so(company: Company) -> None:  # INT-12
    opened = company.open(title="电梯困人")

    assert opened.priority == 2
    assert row(opened.ticket_id)["priority_reason"] == {
        "urgency": 3,
        "impact": 1,
        "reasons": [{"code": "priority_reason.word", "word": "困人", "urgency": 3}],
    }


def test_the_same_command_opens_one_ticket(company: Company) -> None:
    request = NewTicket(template_code="repair", title="漏水", values={"category": "plumbing"})
    wish = {"actor": company.actor("agent"), "at": company.at, "command_id": "once", "request": request}

    first, second = open_ticket(**wish), open_ticket(**wish)

    assert (second.ticket_id, second.no, second.tracking_token) == (
        first.ticket_id,
        first.no,
        first.tracking_token,
    )
    with reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table(Ticket))).scalar_one() == 1


def test_every_wrong_entry_of_a_request_is_named_and_nothing_is_opened(company: Company) -> None:
    with pytest.raises(InvalidInput) as refusal:
        company.open(values={"category": "spaceship", "nonsense": 1})

    assert {problem.path for problem in refusal.value.problems} == {"category", "nonsense"}
    with reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table(Ticket))).scalar_one() == 0


def accept_job(company: Company) -> tuple[int, int, str]:
    opened = company.open(at=company.at)
    accepted = company.act(
        opened.ticket_id, opened.version, by="tech_near", at=company.at + timedelta(minutes=10)
    )
    return opened.ticket_id, accepted.version, opened.tracking_token


def finish_work(company: Company, ticket_id: int, version: int) -> int:
    with reading() as connection:
        token_id = reads.live_tokens(connection, ticket_id)[0]["id"]
    attached = attach(
        actor=company.actor("tech_near"),
        at=company.at + timedelta(minutes=80),
        command_id=company.command_id(),
        ticket_id=ticket_id,
        filename="before.jpg",
        content=picture(),
        token_id=token_id,
    )
    assert attached.version == version + 1
    done = company.act(
        ticket_id, attached.version, by="tech_near", at=company.at + timedelta(minutes=90), values=WORK
    )
    assert done.stage == "acceptance"
    return done.version


def test_one_request_goes_all_the_way_to_money(company: Company) -> None:  # FLW-09 FLW-13 STL-12 STL-27
    ticket_id, version, token = accept_job(company)
    finish_work(company, ticket_id, version)

    tracked = customer.track(token=token, at=company.at + timedelta(hours=2))
    assert (tracked.can_accept, tracked.ticket.money, tracked.ticket.decisions) == (True, None, None)
    closed = customer.accept(
        token=token,
        at=company.at + timedelta(hours=2),
        command_id="accept-1",
        signer_name="王芳",
        strokes=STROKES,
        values={"satisfaction": 5},
    )

    assert (closed.status, closed.stage, closed.progress_bp) == ("closed", "done", 10_000)
    with reading() as connection:
        view = ticket_page(
            connection,
            viewer=company.actor("finance"),
            ticket_id=ticket_id,
            at=company.at + timedelta(hours=3),
        )
        posted = connection.execute(sa.select(sa.func.sum(table(Posting).c.amount_minor))).scalar_one()
        loads = connection.execute(sa.select(sa.func.sum(table(TechnicianLoad).c.open_count))).scalar_one()
    assert view.money is not None
    rating = next(each for each in view.money if each.purpose is Purpose.WORKER_PAY)
    assert rating.total_minor == sum(line.amount_minor for line in rating.lines)
    assert {"base_labour", "difficulty", "hazard", "parts"} <= {str(line.dimension) for line in rating.lines}
    assert next(line.amount_minor for line in rating.lines if str(line.dimension) == "parts") == 7100
    assert posted == 0
    assert loads == 0


def test_the_history_folds_into_the_rows_and_its_chain_holds(company: Company) -> None:  # PRM-07
    ticket_id, version, token = accept_job(company)
    finish_work(company, ticket_id, version)
    customer.refuse(token=token, at=company.at + timedelta(hours=2), command_id="no-1", reason="还在漏水")

    with reading() as connection:
        assert reads.verify_chain(connection, ticket_id) is None
        folded = fold(reads.events_of(connection, ticket_id))
        standing = row(ticket_id)
        values = {key: value for key, (value, _) in reads.field_values(connection, ticket_id).items()}
    unfolded = {"version", "event_count", "head_hash", "updated_at"}
    assert canonical_json({k: v for k, v in folded.ticket.items() if k not in unfolded}) == canonical_json(
        {k: v for k, v in standing.items() if k not in unfolded}
    )
    assert canonical_json({key: each["value"] for key, each in folded.values.items()}) == canonical_json(
        values
    )


def test_a_refused_job_goes_back_to_the_same_technician_and_is_counted(
    company: Company,
) -> None:  # FLW-09 FLW-10
    ticket_id, version, token = accept_job(company)
    finish_work(company, ticket_id, version)

    back = customer.refuse(
        token=token, at=company.at + timedelta(hours=2), command_id="no-1", reason="还在漏水"
    )

    assert (back.stage, back.assignee_id) == ("onsite", company.technicians["tech_near"])
    assert row(ticket_id)["returns"] == 1


def test_a_step_lacking_entries_and_photo_is_refused_with_each_of_them(company: Company) -> None:
    ticket_id, version, _ = accept_job(company)
    before = everything(ticket_id)

    with pytest.raises(InvalidInput) as refusal:
        company.act(ticket_id, version, by="tech_near", values={"fault_cause": "x", "labour_hours": "many"})

    problems = {(problem.path, problem.code) for problem in refusal.value.problems}
    assert ("photo", "field.photo_required") in problems
    assert ("labour_hours", "field.not_a_number") in problems
    assert ("arrival", "field.required") in problems
    assert everything(ticket_id) == before


def test_the_slower_of_two_learns_who_was_faster(company: Company) -> None:
    opened = company.open()
    company.act(opened.ticket_id, opened.version, by="tech_near")
    before = everything(opened.ticket_id)

    with pytest.raises(StaleTicket) as refusal:
        cancel(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id="late",
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
            reason="客户取消",
        )

    assert refusal.value.params["who"] == "tech_near"
    assert refusal.value.params["what"] == "ticket.step_completed"
    assert everything(opened.ticket_id) == before


def test_a_repeated_command_changes_nothing_and_answers_alike(company: Company) -> None:
    opened = company.open()
    wish = {
        "actor": company.actor("dispatcher"),
        "at": company.at,
        "command_id": "cancel-1",
        "ticket_id": opened.ticket_id,
        "expected_version": opened.version,
        "reason": "客户取消",
    }
    first = cancel(**wish)
    before = everything(opened.ticket_id)

    assert cancel(**wish).version == first.version
    assert everything(opened.ticket_id) == before
    other = company.open()
    with pytest.raises(CommandReused):
        cancel(**{**wish, "ticket_id": other.ticket_id, "expected_version": 99})


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        ("tech_far", TicketNotFound),
        ("dispatcher_cd", TicketNotFound),
        ("auditor", Forbidden),
        ("agent", ActNotAllowed),
    ],
)
def test_a_step_is_finished_by_its_owner_alone(
    company: Company, by: str, refusal: type[Exception]
) -> None:  # PRM-01 PRM-05
    opened = company.open()
    before = everything(opened.ticket_id)

    with pytest.raises(refusal):
        company.act(opened.ticket_id, opened.version, by=by)

    assert everything(opened.ticket_id) == before


def test_a_drag_moves_a_card_by_the_same_command(company: Company) -> None:
    opened = company.open()
    wish = {"actor": company.actor("tech_near"), "at": company.at, "ticket_id": opened.ticket_id}

    moved = drop(**wish, command_id="d1", expected_version=opened.version, to_stage="onsite")

    assert moved.stage == "onsite"
    with pytest.raises(FormRequired):
        drop(**wish, command_id="d2", expected_version=moved.version, to_stage="acceptance")
    with pytest.raises(NoWayToStage):
        drop(**wish, command_id="d3", expected_version=moved.version, to_stage="done")


def test_going_back_asks_for_a_reason(company: Company) -> None:
    opened = company.open()
    wish = {"actor": company.actor("tech_near"), "at": company.at, "ticket_id": opened.ticket_id}
    moved = drop(**wish, command_id="d1", expected_version=opened.version, to_stage="onsite")
    before = everything(opened.ticket_id)

    with pytest.raises(ReasonRequired):
        send_back(**wish, command_id="d2", expected_version=moved.version, reason=" ")
    assert everything(opened.ticket_id) == before

    back = send_back(**wish, command_id="d3", expected_version=moved.version, reason="缺少液压钳")
    assert back.stage == "dispatch"
    assert row(opened.ticket_id)["returns"] == 1


def test_a_dispatcher_gives_a_job_to_somebody_else_and_the_filters_still_hold(company: Company) -> None:
    opened = company.open()
    wish = {"actor": company.actor("dispatcher"), "at": company.at, "ticket_id": opened.ticket_id}
    before = everything(opened.ticket_id)

    with pytest.raises(NotEligible):
        assign(
            **wish,
            command_id="a1",
            expected_version=opened.version,
            technician_id=company.technicians["tech_cd"],
        )
    assert everything(opened.ticket_id) == before

    given = assign(
        **wish,
        command_id="a2",
        expected_version=opened.version,
        technician_id=company.technicians["tech_far"],
    )
    assert given.assignee_id == company.technicians["tech_far"]
    accepted = company.act(opened.ticket_id, given.version, by="tech_far")
    assert accepted.stage == "onsite"


def test_what_is_released_waits_in_the_queue_until_one_claims_it(company: Company) -> None:
    opened = company.open()
    freed = release(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id="r1",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="车坏了",
    )
    assert freed.assignee_id is None

    claimed = claim(
        actor=company.actor("tech_far"),
        at=company.at,
        command_id="c1",
        ticket_id=opened.ticket_id,
        expected_version=freed.version,
    )
    assert claimed.assignee_id == company.technicians["tech_far"]
    with pytest.raises((StaleTicket, TicketNotFound)):
        claim(
            actor=company.actor("tech_near"),
            at=company.at,
            command_id="c2",
            ticket_id=opened.ticket_id,
            expected_version=freed.version,
        )


def test_nobody_eligible_is_a_visible_queue_with_the_reasons(company: Company) -> None:  # DSP-10
    opened = company.open(lat=None, lon=None, region_code="cd", values={"category": "hvac"})
    second = company.open(lat=0.0, lon=0.0)

    assert opened.assignee_id == company.technicians["tech_cd"]
    assert second.assignee_id is None
    with reading() as connection:
        event = next(
            each
            for each in reads.events_of(connection, second.ticket_id)
            if each["type"] == "ticket.unassigned"
        )
    assert sum(event["payload"]["failed"].values()) >= 3


def test_money_is_absent_for_those_who_may_not_see_it(company: Company) -> None:  # PRM-02 PRM-04
    ticket_id, version, token = accept_job(company)
    finish_work(company, ticket_id, version)
    customer.accept(
        token=token, at=company.at + timedelta(hours=2), command_id="a", signer_name="王芳", strokes=STROKES
    )

    with reading() as connection:
        seen = {
            login: ticket_page(
                connection, viewer=company.actor(login), ticket_id=ticket_id, at=company.at
            ).money
            for login in ("dispatcher", "agent", "manager", "tech_near")
        }
    assert seen["dispatcher"] is None
    assert seen["agent"] is None
    assert seen["manager"] is not None
    assert seen["tech_near"] is not None


def test_words_and_files_are_kept_and_checked(company: Company) -> None:
    opened = company.open()
    wish = {"actor": company.actor("dispatcher"), "at": company.at, "ticket_id": opened.ticket_id}
    comment(**wish, command_id="c1", text="<script>alert(1)</script>")
    attach(**wish, command_id="f1", filename="../../etc/x.jpg", content=picture())

    with reading() as connection:
        said = reads.comments_of(connection, opened.ticket_id)
        kept = reads.attachments_of(connection, opened.ticket_id)
    assert [each["text"] for each in said] == ["<script>alert(1)</script>"]
    assert [each["filename"] for each in kept] == ["x.jpg"]
    stored = attachment_path(kept[0]["content_hash"]).read_bytes()
    assert b"SecretCam" not in stored

    before = everything(opened.ticket_id)
    with pytest.raises(InvalidInput):
        attach(**wish, command_id="f2", filename="x.jpg", content=b"MZ\x90 not a picture")
    with pytest.raises(InvalidInput):
        comment(**wish, command_id="c2", text="   ")
    assert everything(opened.ticket_id) == before


def test_a_cancelled_ticket_takes_nothing_more(company: Company) -> None:
    opened = company.open()
    gone = cancel(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="x",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="重复",
    )
    assert (gone.status, gone.stage) == ("cancelled", "cancelled")
    with pytest.raises(TicketNotOpen):
        cancel(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id="y",
            ticket_id=opened.ticket_id,
            expected_version=gone.version,
            reason="重复",
        )


def test_lane_counts_are_what_stands_in_the_lanes(company: Company) -> None:
    ids = [company.open() for _ in range(4)]
    company.act(ids[0].ticket_id, ids[0].version, by="tech_near")
    cancel(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="x",
        ticket_id=ids[1].ticket_id,
        expected_version=ids[1].version,
        reason="重复",
    )
    ticket, lane = table(Ticket), table(LaneCount)
    with reading() as connection:
        counted = dict(
            connection.execute(sa.select(ticket.c.stage, sa.func.count()).group_by(ticket.c.stage)).all()
        )
        kept = dict(
            connection.execute(
                sa.select(lane.c.stage, sa.func.sum(lane.c.tickets))
                .group_by(lane.c.stage)
                .having(sa.func.sum(lane.c.tickets) > 0)
            ).all()
        )
    assert kept == counted == {"accept": 2, "onsite": 1, "cancelled": 1}


def test_own_work_of_somebody_who_is_no_technician_is_nothing(company: Company) -> None:  # PRM-05
    company.open(lat=0.0, lon=0.0)
    nobody = replace(company.actor("dispatcher"), grants=(Grant(Role.DISPATCHER, Scope.OWN),))

    with reading() as connection:
        shown = board_snapshot(connection, viewer=nobody, filters=BoardFilters(), at=company.at)

    assert [lane.count for lane in shown.lanes] == [0] * len(shown.lanes)


def test_a_step_denies_giving_the_ticket_up(company: Company) -> None:  # PRM-01
    opened = company.open()
    moved = company.act(opened.ticket_id, opened.version, by="tech_near")
    before = everything(opened.ticket_id)
    wish = {
        "at": company.at,
        "ticket_id": opened.ticket_id,
        "expected_version": moved.version,
        "reason": "重复",
    }

    with pytest.raises(ActNotAllowed):
        cancel(actor=company.actor("agent"), command_id="x1", **wish)

    assert everything(opened.ticket_id) == before
    with reading() as connection:
        can_cancel = {
            login: ticket_page(
                connection, viewer=company.actor(login), ticket_id=opened.ticket_id, at=company.at
            ).can_cancel
            for login in ("agent", "dispatcher", "manager")
        }
    assert can_cancel == {"agent": False, "dispatcher": True, "manager": True}
    assert cancel(actor=company.actor("dispatcher"), command_id="x2", **wish).status == "cancelled"
