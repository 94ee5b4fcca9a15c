"""Whatever people do, in whatever order: rows, chains, owners, loads and counts stay true."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.company import CHENGDU, SHANGHAI, Company, found_company
from tests.fixtures.databases import let_go
from tests.integration.proof.invariants import nothing_is_torn
from tests.integration.proof.journeys import STROKES, picture
from ticket_console.clocks import timers
from ticket_console.desk import assigning, moving, settling, talking
from ticket_console.desk.signing import SignatureInput
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import Node
from ticket_console.kernel import database as kernel_database
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError
from ticket_console.people.duty import set_on_duty
from ticket_console.settlement.tables import Posting
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Event, OwnerKind, Ticket

TEMPLATES: Final = ("repair", "consult", "general", "inspection", "install", "complaint")
TECHNICIANS: Final = ("tech_near", "tech_far", "tech_cd")
STAGES: Final = ("intake", "dispatch", "accept", "onsite", "acceptance", "settle", "done", "cancelled")
REASONS: Final = ("缺少配件", "重复", " ")
PLACES: Final = (SHANGHAI, CHENGDU, (0.0, 0.0))
# Something right for every field a step may ask for.
ENTRIES: Final[dict[str, tuple[Any, ...]]] = {
    "category": ("hvac", "lift", "other"),
    "under_warranty": (True, False),
    "dispatch_note": ("请尽快",),
    "appointment": ("2026-11-22T09:00",),
    "arrival": ("2026-11-21T10:30",),
    "fault_cause": ("老化",),
    "actions": ("更换",),
    "labour_hours": ("1.5", "0"),
    "difficulty": ("1.2", "2"),
    "at_height": (True, False),
    "live_wire": (True, False),
    "parts": ([{"sku": "CAP-35", "qty": "2"}], []),
    "parts_cost": ("18.50",),
    "satisfaction": (5, 1),
    "customer_remark": ("谢谢",),
    "site_condition": ("ready",),
    "power_ready": (True,),
    "delivery_no": ("D-1",),
    "delivered_on": ("2026-11-21",),
    "install_position": ("客厅",),
    "test_run": (True, False),
    "complaint_kind": ("quality",),
    "findings": ("属实",),
    "proposal": ("道歉",),
    "compensation": ("100.00",),
    "needs_visit": (True, False),
    "decision_note": ("同意",),
    "follow_up_note": ("满意",),
    "topic": ("price",),
    "answer": ("一百元",),
    "checklist": (["safety"],),
    "defects": ("0", "2"),
}
SIGNED: Final = SignatureInput("王芳", STROKES)

tickets, events, postings = table(Ticket), table(Event), table(Posting)


class Day:
    """A working day of a small company on a database of its own; refusals are part of the day.

    Each deed takes three numbers, which choose the ticket, the person and what else there is to choose.
    """

    def __init__(self, company: Company) -> None:
        self.company = company
        self.at = company.at
        self.last: tuple[Callable[[], Any], Any] | None = None

    def open(self, first: int, second: int, third: int) -> None:
        template = TEMPLATES[first % len(TEMPLATES)]
        values: dict[str, Any] = {}
        if template in {"repair", "install", "inspection"} and third % 5:
            values["category"] = ("hvac", "lift", "other")[third % 3]
        if template == "install":
            values["quantity"] = 1 + third % 5
        lat, lon = PLACES[second % len(PLACES)]
        self.company.open(
            template=template,
            values=values,
            at=self.at,
            lat=lat,
            lon=lon,
            customer_id=self.company.customers["贵宾"] if third % 2 else None,
        )

    def finish_a_step(self, first: int, second: int, third: int) -> None:
        """With all that it asks for and by the right person, or now and then by somebody else."""
        row = self._row(first)
        step = self._step(row, second)
        if step is None:
            return
        node = self._node(row, step)
        is_right = third % 8 != 0
        actor = self._owner(row, step) if is_right else self.company.actor("agent")
        values = {use.key: _entry(use.key, third) for use in node.fields if use.required or third % 2}
        if "photo" in node.evidence and is_right:
            row["version"] = self._photograph(row, step)
        self._try(
            moving.act,
            row,
            actor,
            token_id=step["id"],
            values=values,
            signature=SIGNED if "signature" in node.evidence else None,
        )

    def send_back(self, first: int, second: int, third: int) -> None:
        row = self._row(first)
        step = self._step(row, second)
        if step is not None:
            command = moving.reject if third % 2 else moving.send_back
            self._try(command, row, self._owner(row, step), token_id=step["id"], reason=REASONS[third % 3])

    def give_up(self, first: int, second: int, third: int) -> None:
        actor = self.company.actor("dispatcher")
        self._try(moving.cancel, self._row(first), actor, reason=REASONS[third % 3])

    def drag(self, first: int, second: int, third: int) -> None:
        actor = self.company.actor(("manager", "tech_near")[second % 2])
        stage = STAGES[third % len(STAGES)]
        self._try(moving.drop, self._row(first), actor, to_stage=stage, reason="拖动")

    def assign(self, first: int, second: int, third: int) -> None:
        self._try(
            assigning.assign,
            self._row(first),
            self.company.actor("dispatcher"),
            technician_id=self.company.technicians[TECHNICIANS[second % 3]],
            reason="客户指定",
            override=third % 2 == 0,
        )

    def claim(self, first: int, second: int, third: int) -> None:
        self._try(assigning.claim, self._row(first), self.company.actor(TECHNICIANS[second % 3]))

    def release(self, first: int, second: int, third: int) -> None:
        row = self._row(first)
        step = self._step(row, second)
        actor = self.company.actor("dispatcher") if step is None or third % 3 else self._owner(row, step)
        self._try(assigning.release, row, actor, reason="车坏了")

    def look_again(self, first: int, second: int, third: int) -> None:
        assigning.dispatch_again(
            at=self.at,
            org_id=self.company.org_id,
            ticket_id=self._row(first)["id"],
            command_id=self.company.command_id(),
        )

    def say(self, first: int, second: int, third: int) -> None:
        actor = self.company.actor(("dispatcher", "tech_near", "finance")[second % 3])
        self._try(talking.comment, self._row(first), actor, is_versioned=False, text="<b>你好</b>")

    def correct(self, first: int, second: int, third: int) -> None:
        self._try(settling.correct, self._row(MOST), self.company.actor("finance"), reason="工时有误")

    def switch_duty(self, first: int, second: int, third: int) -> None:
        login = TECHNICIANS[second % 3]
        set_on_duty(
            actor=self.company.actor(login),
            at=self.at,
            command_id=self.company.command_id(),
            technician_id=self.company.technicians[login],
            is_on_duty=third % 3 != 0,
        )

    def let_time_pass(self, first: int, second: int, third: int) -> None:
        self.at += timedelta(hours=(1, 30)[third % 2])
        with reading() as connection:
            due = timers.due(connection, at=self.at)
        for timer in due:
            moving.fire_timer(
                at=self.at,
                org_id=timer.org_id,
                ticket_id=timer.ticket_id,
                token_id=timer.token_id,
                timer_id=timer.timer_id,
            )

    def send_the_last_command_again(self, first: int, second: int, third: int) -> None:
        if self.last is not None:
            command, answer = self.last
            before = _fingerprint()
            again = command()
            assert (again.ticket_id, again.no) == (answer.ticket_id, answer.no)
            assert _fingerprint() == before

    def _try(
        self,
        command: Callable[..., Any],
        row: dict[str, Any],
        actor: Actor,
        *,
        is_versioned: bool = True,
        **wish: Any,
    ) -> None:
        """Carry a command out; where it is refused, nothing may have changed."""
        wish |= {"actor": actor, "at": self.at, "command_id": self.company.command_id()}
        wish |= {"ticket_id": row["id"]} | ({"expected_version": row["version"]} if is_versioned else {})
        before = _fingerprint()
        try:
            answer = command(**wish)
        except ConsoleError:
            assert _fingerprint() == before
        else:
            self.last = partial(command, **wish), answer

    def _row(self, which: int) -> dict[str, Any]:
        """A ticket that is open, as long as there is one; now and then the one that ended first."""
        with reading() as connection:
            query = sa.select(tickets).order_by(tickets.c.closed_at.is_not(None), tickets.c.id)
            found = [dict(row._mapping) for row in connection.execute(query)]
        still_open = sum(row["closed_at"] is None for row in found)
        return found[which % still_open if still_open and which < MOST else still_open - len(found)]

    def _step(self, row: dict[str, Any], which: int) -> Mapping[str, Any] | None:
        with reading() as connection:
            live = reads.live_tokens(connection, row["id"])
        return live[which % len(live)] if live else None

    def _node(self, row: dict[str, Any], step: Mapping[str, Any]) -> Node:
        with reading() as connection:
            return flow_reads.compiled(connection, row["flow_version_id"]).node_by_key[step["node_key"]]

    def _owner(self, row: dict[str, Any], step: Mapping[str, Any]) -> Actor:
        """Whoever the step waits for."""
        match step["owner_kind"]:
            case OwnerKind.TECHNICIAN:
                logins = {number: login for login, number in self.company.technicians.items()}
                return self.company.actor(logins[step["owner_id"]])
            case OwnerKind.QUEUE:
                return self.company.actor(step["queue_role"])
            case OwnerKind.CUSTOMER:
                return Actor(ActorKind.CUSTOMER, row["org_id"], "王芳", ticket_id=row["id"])
            case _:
                return self.company.actor("manager")

    def _photograph(self, row: dict[str, Any], step: Mapping[str, Any]) -> int:
        return talking.attach(
            actor=self.company.system,
            at=self.at,
            command_id=self.company.command_id(),
            ticket_id=row["id"],
            filename="x.jpg",
            content=picture(),
            token_id=step["id"],
        ).version


def _entry(key: str, which: int) -> Any:
    fitting = ENTRIES[key]
    return fitting[which // 2 % len(fitting)]


def _fingerprint() -> Any:
    with reading() as connection:
        return connection.execute(
            sa.select(sa.func.count(), sa.func.max(events.c.seq), sa.func.max(events.c.hash))
        ).one()


# How often people do what.
DEEDS: Final = (
    *[Day.finish_a_step] * 12,
    *[Day.open, Day.assign, Day.claim, Day.release, Day.send_back, Day.let_time_pass] * 2,
    *[Day.send_the_last_command_again, Day.correct, Day.drag] * 2,
    *[Day.look_again, Day.say, Day.switch_duty, Day.give_up],
)
MOST: Final = 11
numbers = st.integers(0, MOST)
deeds = st.tuples(st.sampled_from(DEEDS), numbers, numbers, numbers)


@pytest.fixture
def company(sqlite_template: Path, tmp_path: Path, at: datetime) -> Iterator[Company]:
    shutil.copy(sqlite_template, tmp_path / "company.db")
    kernel_database.use_url(f"sqlite:///{tmp_path / 'company.db'}")
    yield found_company(at)
    let_go()


@settings(max_examples=30, suppress_health_check=[*HealthCheck])
@given(day=st.lists(deeds, min_size=25, max_size=40))
def test_any_sequence_of_commands_leaves_every_invariant_true(
    company: Company, tmp_path: Path, day: list[tuple[Callable[..., None], int, int, int]]
) -> None:
    own = tmp_path / f"{uuid4().hex}.db"
    let_go()
    shutil.copy(tmp_path / "company.db", own)
    kernel_database.use_url(f"sqlite:///{own}")
    begun = Day(company)
    begun.open(0, 0, 6)
    begun.open(5, 0, 1)
    for deed, *chosen in day:
        deed(begun, *chosen)
        nothing_is_torn()
        with reading() as connection:
            assert not connection.execute(sa.select(sa.func.sum(postings.c.amount_minor))).scalar()
