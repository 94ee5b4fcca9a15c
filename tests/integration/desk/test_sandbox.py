"""Branches of the plan: figures beside the live ones, and commits in which only true conflicts are any."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk import assigning, scheduling, talking
from ticket_console.desk.moving import cancel
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.plan import RegionNotFound
from ticket_console.desk.sandbox import branching, committing, looking
from ticket_console.desk.sandbox.branching import (
    SandboxClosed,
    SandboxMoved,
    SandboxStale,
    TooMany,
)
from ticket_console.desk.sandbox.committing import Came, Choice, Committed, Decided
from ticket_console.desk.sandbox.looking import How, SandboxView
from ticket_console.dispatch.choosing import TechnicianNotFound
from ticket_console.dispatch.sandboxes import SandboxNotFound
from ticket_console.dispatch.tables import Sandbox, SandboxMove, Visit
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError, Forbidden, InvalidInput
from ticket_console.people.tables import Technician
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import TicketNotFound

HOUR = timedelta(hours=1)
NEAR, FAR = "tech_near", "tech_far"


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def job(company: Company) -> OpenedTicket:
    opened = company.open()
    assert opened.assignee_id == company.technicians[NEAR]
    return opened


def begin(company: Company, by: str = "dispatcher", region: str = "sh", **asked: object) -> int:
    return branching.begin(
        **{
            "actor": company.actor(by),
            "at": company.at,
            "command_id": company.command_id(),
            "region_id": company.regions[region],
            "name": "早班",
            **asked,
        }
    )


def look(company: Company, sandbox_id: int, by: str = "dispatcher") -> SandboxView:
    with reading() as connection:
        return looking.read_sandbox(
            connection, viewer=company.actor(by), sandbox_id=sandbox_id, at=company.at
        )


def put(
    company: Company,
    sandbox_id: int,
    job: OpenedTicket,
    who: str | None,
    by: str = "dispatcher",
    **asked: object,
) -> None:
    branching.put(
        **{
            "actor": company.actor(by),
            "at": company.at,
            "command_id": company.command_id(),
            "sandbox_id": sandbox_id,
            "ticket_id": job.ticket_id,
            "expected_version": row_of(job)["version"],
            "technician_id": None if who is None else company.technicians[who],
            **asked,
        }
    )


def commit(
    company: Company,
    sandbox_id: int,
    by: str = "dispatcher",
    decisions: dict[int, Decided] | None = None,
    **asked: object,
) -> Committed:
    return committing.commit(
        **{
            "actor": company.actor(by),
            "at": company.at + HOUR,
            "command_id": company.command_id(),
            "sandbox_id": sandbox_id,
            "expected_version": look(company, sandbox_id, by).line.row.version,
            "decisions": decisions or {},
            **asked,
        }
    )


def assign(company: Company, job: OpenedTicket, who: str, by: str = "manager") -> None:
    assigning.assign(
        actor=company.actor(by),
        at=company.at + HOUR / 2,
        command_id=company.command_id(),
        ticket_id=job.ticket_id,
        expected_version=row_of(job)["version"],
        technician_id=company.technicians[who],
    )


def comment(company: Company, job: OpenedTicket) -> None:
    talking.comment(
        actor=company.actor("manager"),
        at=company.at + HOUR / 2,
        command_id=company.command_id(),
        ticket_id=job.ticket_id,
        text="客户来电",
    )


def row_of(job: OpenedTicket) -> dict[str, object]:
    tickets = table(Ticket)
    with reading() as connection:
        row = connection.execute(sa.select(tickets).where(tickets.c.id == job.ticket_id)).one()
    return dict(row._mapping)


def holder(company: Company, job: OpenedTicket) -> str | None:
    by_id = {id: login for login, id in company.technicians.items()}
    return by_id.get(row_of(job)["assignee_id"])


def everything() -> tuple[list[object], ...]:
    """What a refusal must not change: tickets, visits, branches and moves."""
    with reading() as connection:
        return tuple(
            [tuple(row) for row in connection.execute(sa.select(table(each)))]
            for each in (Ticket, Visit, Sandbox, SandboxMove)
        )


def refused(attempt: Callable[[], object], error: type[ConsoleError]) -> ConsoleError:
    """The refusal, after which everything is as it was."""
    before = everything()
    with pytest.raises(error) as refusal:
        attempt()
    assert everything() == before
    return refusal.value


# moonshot 5
def test_an_empty_branch_is_the_live_plan(company: Company, job: OpenedTicket) -> None:
    view = look(company, begin(company))

    assert view.after == view.before
    assert (view.moved, view.news, view.last_seq) == ((), (), 0)
    assert (view.before.figures.tasks, view.before.figures.unassigned) == (1, 0)


def test_a_move_changes_the_branch_and_nothing_live(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    before = row_of(job)

    put(company, sandbox, job, FAR)

    view = look(company, sandbox)
    near, far = company.technicians[NEAR], company.technicians[FAR]
    assert row_of(job) == before
    assert (view.before.people[near].load, view.after.people[near].load) == (1, 0)
    assert (view.before.people[far].load, view.after.people[far].load) == (0, 1)
    # 22 km instead of one, times what roads add.
    assert (view.before.figures.metres, view.after.figures.metres) == (1446, 28911)
    assert view.difference.people == tuple(sorted((near, far)))


def test_moving_and_moving_back_is_the_live_plan_again(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    put(company, sandbox, job, NEAR)

    view = look(company, sandbox)
    assert view.after.figures == view.before.figures
    assert [(each.is_done, each.is_contested) for each in view.moved] == [(True, False)]


def test_the_last_gesture_is_taken_back_once(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    put(company, sandbox, job, None)
    last = look(company, sandbox).last_seq
    dispatcher = company.actor("dispatcher")

    branching.undo(actor=dispatcher, sandbox_id=sandbox, seq=last)
    branching.undo(actor=dispatcher, sandbox_id=sandbox, seq=last)

    (moved,) = look(company, sandbox).moved
    assert moved.move.technician_id == company.technicians[FAR]


def test_a_repeated_gesture_is_one_row(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR, command_id="once")
    put(company, sandbox, job, FAR, command_id="once")

    assert look(company, sandbox).last_seq == 1


def test_a_commit_carries_the_moves_out_as_ordinary_commands(company: Company, job: OpenedTicket) -> None:
    other = company.open()
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    starts_at = company.at + 3 * HOUR
    put(company, sandbox, other, FAR, starts_at=starts_at, ends_at=starts_at + HOUR)

    done = commit(company, sandbox)

    assert ([each.came for each in done.outcomes], done.is_closed) == ([Came.DONE, Came.DONE], True)
    assert (holder(company, job), holder(company, other)) == (FAR, FAR)
    with reading() as connection:
        events = [each["type"] for each in reads.events_of(connection, other.ticket_id)]
    assert events[-2:] == ["ticket.assigned", "visit.scheduled"]
    refused(lambda: put(company, sandbox, job, NEAR), SandboxClosed)


def test_a_commit_that_is_repeated_does_nothing_twice(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    version = look(company, sandbox).line.row.version
    first = commit(company, sandbox, command_id="again", expected_version=version)
    before = everything()

    second = commit(company, sandbox, command_id="again", expected_version=version)

    assert second == first
    assert everything() == before


def test_taking_a_ticket_from_somebody_gives_it_back_to_the_dispatchers(
    company: Company, job: OpenedTicket
) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, None)
    assert look(company, sandbox).after.figures.unassigned == 1

    commit(company, sandbox)

    assert holder(company, job) is None


def test_a_ticket_that_only_got_a_comment_is_no_conflict(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    comment(company, job)
    assert row_of(job)["version"] == job.version + 1

    done = commit(company, sandbox)

    assert ([each.came for each in done.outcomes], holder(company, job)) == ([Came.DONE], FAR)


# moonshot 5: two dispatchers branch and commit; the second gets only true conflicts
def test_of_two_dispatchers_the_second_gets_only_the_true_conflicts(company: Company) -> None:
    both, only_first, only_second, commented = (company.open() for _ in range(4))
    first, second = begin(company), begin(company, by="manager")
    put(company, first, both, FAR)
    put(company, first, only_first, FAR)
    put(company, second, both, None, by="manager")
    put(company, second, only_second, FAR, by="manager")
    put(company, second, commented, FAR, by="manager")
    comment(company, commented)

    mine = commit(company, first)
    theirs = commit(company, second, by="manager")

    assert [each.came for each in mine.outcomes] == [Came.DONE, Came.DONE]
    assert {each.ticket_id: each.came for each in theirs.outcomes} == {
        both.ticket_id: Came.CONFLICT,
        only_second.ticket_id: Came.DONE,
        commented.ticket_id: Came.DONE,
    }
    (conflict,) = [each for each in theirs.outcomes if each.came is Came.CONFLICT]
    assert conflict.by is not None
    assert (conflict.by.who, conflict.by.what, conflict.by.when) == (
        "dispatcher",
        "ticket.assigned",
        company.at + HOUR,
    )
    assert not theirs.is_closed
    assert holder(company, both) == FAR
    (left,) = look(company, second, by="manager").moved
    assert (left.move.ticket_id, left.is_contested) == (both.ticket_id, True)


def conflict_between(company: Company, job: OpenedTicket) -> int:
    """The branch gives the ticket to nobody; meanwhile the manager gave it to the farther one."""
    sandbox = begin(company)
    put(company, sandbox, job, None)
    assign(company, job, FAR)
    return sandbox


def test_keeping_the_live_one_drops_the_move(company: Company, job: OpenedTicket) -> None:
    sandbox = conflict_between(company, job)
    before = row_of(job)

    done = commit(company, sandbox, decisions={job.ticket_id: Decided(Choice.LIVE, before["version"])})

    assert ([each.came for each in done.outcomes], done.is_closed) == ([Came.DROPPED], True)
    assert row_of(job) == before


def test_taking_mine_holds_for_the_version_that_was_seen(company: Company, job: OpenedTicket) -> None:
    sandbox = conflict_between(company, job)
    seen = row_of(job)["version"]
    comment(company, job)

    late = commit(company, sandbox, decisions={job.ticket_id: Decided(Choice.MINE, seen)})
    assert ([each.came for each in late.outcomes], holder(company, job)) == ([Came.CONFLICT], FAR)

    again = commit(company, sandbox, decisions={job.ticket_id: Decided(Choice.MINE, seen + 1)})
    assert ([each.came for each in again.outcomes], holder(company, job)) == ([Came.DONE], None)


def test_what_is_skipped_stays_in_the_branch(company: Company, job: OpenedTicket) -> None:
    sandbox = conflict_between(company, job)
    before = row_of(job)

    done = commit(company, sandbox, decisions={job.ticket_id: Decided(Choice.SKIP, before["version"])})

    assert ([each.came for each in done.outcomes], done.is_closed) == ([Came.SKIPPED], False)
    assert (row_of(job), len(look(company, sandbox).moved)) == (before, 1)


def test_who_did_the_same_already_is_no_conflict(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    assign(company, job, FAR)
    before = row_of(job)

    done = commit(company, sandbox)

    assert ([each.came for each in done.outcomes], row_of(job)) == ([Came.ALREADY], before)


def test_a_ticket_that_is_over_is_a_conflict_that_nothing_can_take(
    company: Company, job: OpenedTicket
) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    cancel(
        actor=company.actor("manager"),
        at=company.at + HOUR / 2,
        command_id=company.command_id(),
        ticket_id=job.ticket_id,
        expected_version=job.version,
        reason="客户取消",
    )
    before = row_of(job)

    done = commit(
        company, sandbox, decisions={job.ticket_id: Decided(Choice.MINE, int(str(before["version"])))}
    )

    assert [(each.came, each.no) for each in done.outcomes] == [(Came.CONFLICT, job.no)]
    assert row_of(job) == before


def test_a_time_somebody_else_planned_is_a_conflict(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    scheduling.schedule(
        actor=company.actor("manager"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=job.ticket_id,
        expected_version=job.version,
        technician_id=company.technicians[NEAR],
        starts_at=company.at + 5 * HOUR,
        ends_at=company.at + 6 * HOUR,
    )

    done = commit(company, sandbox)

    assert ([each.came for each in done.outcomes], holder(company, job)) == ([Came.CONFLICT], NEAR)


# moonshot 8: the branch says beforehand what the command says
def test_a_move_is_judged_as_the_commit_will(company: Company, job: OpenedTicket) -> None:
    other = company.open()
    people = table(Technician)
    with transaction() as connection:
        connection.execute(
            sa.update(people)
            .where(people.c.id == company.technicians[FAR])
            .values(capacity=1, version=people.c.version + 1)
        )
    sandbox = begin(company)
    put(company, sandbox, job, FAR)
    put(company, sandbox, other, FAR)

    judged = {each.move.ticket_id: each.judgement.against for each in look(company, sandbox).moved}
    assert judged[job.ticket_id] == ()
    assert [each.key for each in judged[other.ticket_id]] == ["dispatch.failed.full"]

    done = commit(company, sandbox)
    assert [(each.came, each.code) for each in done.outcomes] == [
        (Came.DONE, ""),
        (Came.REFUSED, "dispatch.failed.full"),
    ]
    assert (holder(company, job), holder(company, other)) == (FAR, NEAR)


def test_two_moves_of_a_branch_to_the_same_hour_are_told_before_the_commit(
    company: Company, job: OpenedTicket
) -> None:
    other = company.open()
    sandbox = begin(company)
    hour = {"starts_at": company.at + 3 * HOUR, "ends_at": company.at + 4 * HOUR}
    put(company, sandbox, job, FAR, **hour)
    put(company, sandbox, other, FAR, **hour)

    judged = [[each.key for each in moved.judgement.against] for moved in look(company, sandbox).moved]
    assert judged == [[], ["dispatch.failed.overlap"]]

    done = commit(company, sandbox)
    assert [(each.came, each.code) for each in done.outcomes] == [
        (Came.DONE, ""),
        (Came.REFUSED, "dispatch.failed.overlap"),
    ]


def test_what_others_changed_since_is_told_with_who_and_when(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    assign(company, job, FAR)
    fresh = company.open(at=company.at + HOUR)

    view = look(company, sandbox)
    assert [(each.no, each.how, each.holder) for each in view.news] == [
        (job.no, How.GIVEN, FAR),
        (fresh.no, How.NEW, NEAR),
    ]
    assert view.news[0].by is not None
    assert (view.news[0].by.who, view.news[0].by.what) == ("manager", "ticket.assigned")

    branching.refresh(actor=company.actor("dispatcher"), at=company.at + HOUR, sandbox_id=sandbox)
    assert look(company, sandbox).news == ()


def test_bringing_up_to_date_settles_no_conflict_by_itself(company: Company, job: OpenedTicket) -> None:
    sandbox = conflict_between(company, job)

    branching.refresh(actor=company.actor("dispatcher"), at=company.at + HOUR, sandbox_id=sandbox)

    assert [each.came for each in commit(company, sandbox).outcomes] == [Came.CONFLICT]


def test_a_gesture_on_a_ticket_that_changed_is_refused(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    seen = job.version
    assign(company, job, FAR)

    refused(lambda: put(company, sandbox, job, NEAR, expected_version=seen), SandboxStale)


def test_a_commit_is_for_the_branch_that_was_seen(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    seen = look(company, sandbox).line.row.version
    put(company, sandbox, job, FAR)

    refused(lambda: commit(company, sandbox, expected_version=seen), SandboxMoved)


def test_nobody_moves_or_commits_in_somebody_elses_branch(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    put(company, sandbox, job, FAR)

    refused(lambda: put(company, sandbox, job, NEAR, by="manager"), Forbidden)
    refused(lambda: commit(company, sandbox, by="manager"), Forbidden)
    refused(lambda: branching.discard(actor=company.actor("manager"), sandbox_id=sandbox), Forbidden)


def test_a_branch_of_a_strangers_region_does_not_exist(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)

    refused(lambda: look(company, sandbox, by="dispatcher_cd"), SandboxNotFound)
    refused(lambda: put(company, sandbox, job, "tech_cd", by="dispatcher_cd"), SandboxNotFound)
    refused(lambda: begin(company, by="dispatcher_cd"), RegionNotFound)
    refused(lambda: begin(company, by="agent"), Forbidden)
    refused(lambda: look(company, 999_999), SandboxNotFound)


def test_a_ticket_or_a_person_from_elsewhere_is_refused(company: Company, job: OpenedTicket) -> None:
    from_cd = company.open(lat=30.66, lon=104.06)
    sandbox = begin(company)

    refused(lambda: put(company, sandbox, from_cd, FAR), TicketNotFound)
    refused(lambda: put(company, sandbox, job, "tech_cd"), TechnicianNotFound)
    refused(lambda: put(company, sandbox, job, None, technician_id=999_999), TechnicianNotFound)


@pytest.mark.parametrize(
    ("starts", "ends", "code"),
    [
        (3 * HOUR, 2 * HOUR, "visit.bad_length"),
        (3 * HOUR, 3 * HOUR, "visit.bad_length"),
        (3 * HOUR, 30 * HOUR, "visit.bad_length"),
        (-3 * HOUR, -2 * HOUR, "visit.in_the_past"),
        (400 * 24 * HOUR, 400 * 24 * HOUR + HOUR, "visit.too_far_ahead"),
    ],
)
def test_times_that_cannot_be_are_refused(
    company: Company, job: OpenedTicket, starts: timedelta, ends: timedelta, code: str
) -> None:
    sandbox = begin(company)
    times = {"starts_at": company.at + starts, "ends_at": company.at + ends}

    refusal = refused(lambda: put(company, sandbox, job, FAR, **times), InvalidInput)

    assert isinstance(refusal, InvalidInput)
    assert [each.code for each in refusal.problems] == [code]


def test_half_a_time_and_a_time_for_nobody_are_refused(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company)
    start, end = company.at + HOUR, company.at + 2 * HOUR

    refused(lambda: put(company, sandbox, job, FAR, starts_at=start), InvalidInput)
    refused(lambda: put(company, sandbox, job, None, starts_at=start, ends_at=end), InvalidInput)
    refused(lambda: begin(company, name="  "), InvalidInput)
    refused(lambda: begin(company, name="x" * 81), InvalidInput)
    refused(lambda: begin(company, command_id="x" * 65), InvalidInput)


def test_nobody_has_more_branches_than_they_can_look_over(company: Company) -> None:
    for _ in range(branching.MOST_OPEN):
        begin(company)

    refused(lambda: begin(company), TooMany)


def test_a_branch_is_made_once_and_thrown_away_once(company: Company, job: OpenedTicket) -> None:
    sandbox = begin(company, command_id="made")
    assert begin(company, command_id="made") == sandbox
    dispatcher = company.actor("dispatcher")

    branching.discard(actor=dispatcher, sandbox_id=sandbox)
    branching.discard(actor=dispatcher, sandbox_id=sandbox)

    with reading() as connection:
        assert looking.read_list(connection, dispatcher) == ()
    refused(lambda: put(company, sandbox, job, FAR), SandboxClosed)


def test_two_commits_at_the_same_moment_give_each_ticket_to_one(company: Company) -> None:
    jobs = [company.open() for _ in range(4)]
    logins = ("dispatcher", "manager")
    branches = {by: begin(company, by=by) for by in logins}
    for job in jobs:
        put(company, branches["dispatcher"], job, FAR)
        put(company, branches["manager"], job, None, by="manager")
    versions = {by: look(company, branches[by], by).line.row.version for by in logins}
    together = Barrier(2)

    def go(by: str) -> Committed:
        together.wait()
        return commit(company, branches[by], by=by, command_id=f"race-{by}", expected_version=versions[by])

    with ThreadPoolExecutor(2) as threads:
        mine, theirs = threads.map(go, logins)

    for job in jobs:
        came = sorted(
            each.came for done in (mine, theirs) for each in done.outcomes if each.ticket_id == job.ticket_id
        )
        assert came == [Came.CONFLICT, Came.DONE]
        assert row_of(job)["version"] == job.version + 1
