"""Long work: started once, watched, cancelled, begun again after its worker has died."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.access import Company, make_company, make_user
from tests.fixtures.databases import Database
from ticket_console.access import actors
from ticket_console.access.administration import NewGrant
from ticket_console.access.tables import RoleGrant
from ticket_console.jobs import running, tasks
from ticket_console.jobs.kinds import TaskKind, TaskState
from ticket_console.jobs.running import BROKEN, DEAD_AFTER, INTERRUPTED, KEEP, MOST_TRIES
from ticket_console.jobs.tables import Task
from ticket_console.jobs.tasks import MOST_OPEN, NoResult, TaskNotFound, TaskOver, TaskView, TooManyTasks
from ticket_console.kernel.actor import Actor, ActorKind, Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Conflict, Forbidden
from ticket_console.kernel.long_work import Done, Progress

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
FILES = TaskKind.PERIOD_FILES


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        return self.at


def write_pages(
    *, actor: Actor, at: datetime, args: Mapping[str, Any], folder: Path, progress: Progress
) -> Done:
    """Work of these tests: a page after the other into one file, going on where it was left."""
    file = folder / "pages.txt"
    written = file.read_text().splitlines() if file.exists() else []
    for page in range(len(written), args["pages"]):
        progress(page, args["pages"], f"page {page + 1}")
        written.append(f"{page + 1} by {actor.display}")
        file.write_text("\n".join(written))
    (folder / "scratch").mkdir(exist_ok=True)
    return Done({"pages": args["pages"]}, file)


class Refused(Conflict):
    code = "settlement.period_stale"


@pytest.fixture
def company(database: Database) -> Company:
    return make_company()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def finance(company: Company, login: str = "li") -> Actor:
    user_id = make_user(company, login, NewGrant(Role.FINANCE, Scope.ORG))
    with reading() as connection:
        return actors.load_actor(connection, user_id)


def ask(actor: Actor, command_id: str = "first", **args: Any) -> int:
    with transaction() as connection:
        return tasks.start(
            connection, actor=actor, at=AT, kind=FILES, args={"pages": 3, **args}, command_id=command_id
        )


def look(viewer: Actor, task_id: int) -> TaskView:
    with reading() as connection:
        return tasks.view(connection, viewer=viewer, task_id=task_id)


def stop(actor: Actor, task_id: int, at: datetime = AT) -> None:
    with transaction() as connection:
        tasks.cancel(connection, actor=actor, at=at, task_id=task_id)


def work(clock: Clock, does: running.Work = write_pages, *, owner: str = "worker") -> bool:
    return running.run_one({FILES: does}, clock, owner=owner)


def test_a_task_waits_is_carried_out_and_its_file_is_fetched(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)
    waiting = look(li, task_id)
    assert (waiting.state, waiting.may_cancel, waiting.file_name) == (TaskState.QUEUED, True, None)
    with reading() as connection, pytest.raises(NoResult):
        tasks.result_file(connection, viewer=li, task_id=task_id)

    clock.at += timedelta(seconds=5)
    assert work(clock)

    done = look(li, task_id)
    assert (done.state, done.done, done.total, done.values) == (TaskState.DONE, 3, 3, {"pages": 3})
    assert (done.created_at, done.started_at, done.ended_at) == (AT, clock.at, clock.at)
    with reading() as connection:
        result = tasks.result_file(connection, viewer=li, task_id=task_id)
    assert result.name == "pages.txt"
    assert result.path.read_text() == f"1 by {li.display}\n2 by {li.display}\n3 by {li.display}"
    # What was only on the way is gone.
    assert [each.name for each in result.path.parent.iterdir()] == ["pages.txt"]
    assert not work(clock)


def test_the_same_command_is_the_same_task(company: Company) -> None:
    li = finance(company)

    assert ask(li) == ask(li)
    assert ask(li, "second") != ask(li)


def test_who_may_not_see_settlement_starts_nothing_and_nobody_holds_the_worker_back(company: Company) -> None:
    agent_id = make_user(company, "agent", NewGrant(Role.AGENT, Scope.ORG))
    with reading() as connection:
        agent = actors.load_actor(connection, agent_id)
    with pytest.raises(Forbidden):
        ask(agent)

    li = finance(company)
    for number in range(MOST_OPEN):
        ask(li, f"task {number}")
    with pytest.raises(TooManyTasks):
        ask(li, "one more")
    with reading() as connection:
        assert len(tasks.of_viewer(connection, viewer=li)) == MOST_OPEN


def test_a_task_is_nobody_elses(company: Company, clock: Clock) -> None:
    li, wang = finance(company), finance(company, "wang")
    task_id = ask(li)
    work(clock)

    with pytest.raises(TaskNotFound):
        look(wang, task_id)
    with pytest.raises(TaskNotFound):
        stop(wang, task_id)
    with reading() as connection, pytest.raises(TaskNotFound):
        tasks.result_file(connection, viewer=wang, task_id=task_id)


def test_a_token_that_is_not_for_such_work_does_not_get_its_result(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)
    work(clock)
    narrowed = replace(li, kind=ActorKind.CHANNEL, permissions=frozenset({"ticket.view"}))

    with reading() as connection, pytest.raises(Forbidden):
        tasks.result_file(connection, viewer=narrowed, task_id=task_id)


def test_whoever_operates_sees_whose_tasks_there_are_and_nothing_of_their_content(
    company: Company, clock: Clock
) -> None:
    li = finance(company)
    task_id = ask(li)
    work(clock)
    manager_id = make_user(company, "boss", NewGrant(Role.MANAGER, Scope.ORG))
    with reading() as connection:
        (line,) = tasks.of_org(connection, viewer=actors.load_actor(connection, manager_id))
        with pytest.raises(Forbidden):
            tasks.of_org(connection, viewer=li)

    assert (line.id, line.started_by, line.state, line.attempts) == (task_id, "Li", TaskState.DONE, 1)
    assert (line.done, line.total, line.ended_at) == (3, 3, AT)


def test_what_waits_is_cancelled_at_once(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)

    stop(li, task_id)
    stop(li, task_id)

    assert look(li, task_id).state is TaskState.CANCELLED
    assert not work(clock)


def test_what_runs_stops_at_its_next_sign_of_life_and_leaves_no_file(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)

    def unwanted(*, folder: Path, progress: Progress, **_: Any) -> Done:
        (folder / "half.txt").write_text("half")
        stop(li, task_id)
        assert look(li, task_id).state is TaskState.RUNNING
        progress(1, 3, "never told again")
        raise AssertionError("it went on")

    work(clock, unwanted)

    stopped = look(li, task_id)
    assert (stopped.state, stopped.failure, stopped.ended_at) == (TaskState.CANCELLED, None, AT)
    assert not tasks.folder_of(task_id).exists()
    stop(li, task_id)


def test_what_is_done_cannot_be_cancelled(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)
    work(clock)

    with pytest.raises(TaskOver):
        stop(li, task_id)
    assert look(li, task_id).state is TaskState.DONE


def test_a_refusal_says_why_and_a_defect_says_that_it_is_one(company: Company, clock: Clock) -> None:
    li = finance(company)

    def refuses(**_: Any) -> Done:
        raise Refused(period="2026-10")

    def breaks(*, folder: Path, **_: Any) -> Done:
        (folder / "half.txt").write_text("half")
        raise ZeroDivisionError

    refused, broken = ask(li), ask(li, "second")
    work(clock, refuses)
    work(clock, breaks)

    assert look(li, refused).failure == {"code": Refused.code, "params": {"period": "2026-10"}}
    assert look(li, broken).failure == {"code": BROKEN, "params": {}}
    assert look(li, broken).state is TaskState.FAILED
    assert not tasks.folder_of(broken).exists()


def test_rights_are_those_of_the_moment_it_runs(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)
    with transaction() as connection:
        connection.execute(sa.delete(table(RoleGrant)))

    work(clock)

    assert look(li, task_id).failure == {
        "code": "access.forbidden",
        "params": {"permission": "settlement.view"},
    }


@pytest.mark.parametrize("name", ["../out.txt", "deeper/page.txt"])
def test_a_result_outside_its_folder_is_a_defect(company: Company, clock: Clock, name: str) -> None:
    li = finance(company)
    task_id = ask(li)

    def strays(*, folder: Path, **_: Any) -> Done:
        return Done({}, folder / name)

    work(clock, strays)

    assert (look(li, task_id).state, look(li, task_id).file_name) == (TaskState.FAILED, None)


def test_work_of_a_worker_that_fell_silent_is_taken_over_and_the_silent_one_lets_go(
    company: Company, clock: Clock
) -> None:
    li = finance(company)
    task_id = ask(li)

    def falls_silent(*, folder: Path, progress: Progress, **_: Any) -> Done:
        (folder / "pages.txt").write_text(f"1 by {li.display}")
        clock.at += DEAD_AFTER
        assert work(clock, owner="quick")
        progress(2, 3, "")
        raise AssertionError("it went on")

    work(clock, falls_silent, owner="slow")

    done = look(li, task_id)
    assert (done.state, done.values) == (TaskState.DONE, {"pages": 3})
    with reading() as connection:
        path = tasks.result_file(connection, viewer=li, task_id=task_id).path
    assert len(path.read_text().splitlines()) == 3


def test_work_whose_workers_die_again_and_again_is_failed_plainly(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)
    for _ in range(MOST_TRIES):
        assert running._claim({FILES: write_pages}, clock.now(), "dies") is not None
        clock.at += DEAD_AFTER

    assert not work(clock)

    failed = look(li, task_id)
    assert (failed.state, failed.failure) == (
        TaskState.FAILED,
        {"code": INTERRUPTED, "params": {"tries": MOST_TRIES}},
    )


DYING = """
    import os, signal, sys
    from datetime import datetime
    from tests.integration.jobs.test_tasks import FILES, Clock, write_pages
    from ticket_console.jobs import running

    def dies(*, folder, **asked):
        (folder / "pages.txt").write_text("1 by the dead")
        os.kill(os.getpid(), signal.SIGKILL)

    running.run_one({FILES: dies}, Clock())
"""


def test_a_killed_worker_leaves_its_pages_to_the_next_one(
    company: Company, database: Database, clock: Clock
) -> None:
    li = finance(company)
    task_id = ask(li)
    ended = subprocess.run(
        [sys.executable, "-c", dedent(DYING)],
        env={**os.environ, "DATABASE_URL": database.url, "LOG_LEVEL": "error"},
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL
    assert look(li, task_id).state is TaskState.RUNNING
    assert not work(clock)

    clock.at += DEAD_AFTER
    assert work(clock)

    with reading() as connection:
        path = tasks.result_file(connection, viewer=li, task_id=task_id).path
    assert path.read_text().splitlines() == ["1 by the dead", f"2 by {li.display}", f"3 by {li.display}"]


def test_results_are_kept_for_a_week(company: Company, clock: Clock) -> None:
    li = finance(company)
    task_id = ask(li)
    work(clock)

    assert running.forget_old_results(AT + KEEP) == {"forgotten": 0}
    assert running.forget_old_results(AT + KEEP + timedelta(seconds=1)) == {"forgotten": 1}

    assert (look(li, task_id).state, look(li, task_id).file_name) == (TaskState.DONE, None)
    assert not tasks.folder_of(task_id).exists()
    with reading() as connection:
        row = connection.execute(sa.select(table(Task).c.result)).scalar_one()
    assert row == {"pages": 3}
