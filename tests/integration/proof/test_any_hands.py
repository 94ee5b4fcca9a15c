"""Whatever people answer, give up and hand over, in whatever order: one has each step, and none is lost."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.builders.company import Company, found_company
from tests.builders.modes import dispatch_by, form_crew, hire_somebody, offered_to
from tests.fixtures.databases import let_go
from tests.integration.proof.invariants import nothing_is_torn
from ticket_console.clocks import timers
from ticket_console.desk import assigning, handing_over, moving, offering
from ticket_console.dispatch import handovers
from ticket_console.dispatch.tables import AssignmentState
from ticket_console.kernel import database as kernel_database
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.people.duty import set_on_duty
from ticket_console.tickets import reads
from ticket_console.tickets.tables import OFFERED, OwnerKind

MODES = ("offer", "assign", "queue")
numbers = st.integers(0, 11)


class Hands(RuleBasedStateMachine):
    """A small crew and its dispatcher; refusals are part of the day and change nothing."""

    company: Company
    crew: list[Actor]

    def __init__(self) -> None:
        super().__init__()
        self.at = self.company.at
        self.tickets: list[int] = []
        dispatch_by(self.company, mode="offer", offer={"size": 2, "seconds": 300, "rounds": 2})

    def teardown(self) -> None:
        let_go()

    def _try(self, command: Callable[..., Any], **wish: Any) -> Any:
        try:
            return command(**wish, at=self.at, command_id=self.company.command_id())
        except ConsoleError:
            return None

    def _ticket(self, which: int) -> int | None:
        return self.tickets[which % len(self.tickets)] if self.tickets else None

    def _row(self, ticket_id: int) -> dict[str, Any]:
        with reading() as connection:
            return dict(reads.find_ticket(connection, viewer=self.company.system, ticket_id=ticket_id))

    def _step(self, ticket_id: int) -> dict[str, Any] | None:
        with reading() as connection:
            steps = reads.live_tokens(connection, ticket_id)
        return dict(steps[0]) if len(steps) == 1 else None

    @initialize(mode=st.sampled_from(MODES))
    def begin_the_day(self, mode: str) -> None:
        self.dispatch_otherwise(mode)
        self.open()
        self.open()

    @rule(mode=st.sampled_from(MODES))
    def dispatch_otherwise(self, mode: str) -> None:
        dispatch_by(self.company, mode=mode, offer={"size": 2, "seconds": 300, "rounds": 2})

    @rule()
    def open(self) -> None:
        if len(self.tickets) < 4:
            self.tickets.append(self.company.open(at=self.at).ticket_id)

    @rule(which=numbers, who=numbers)
    def accept(self, which: int, who: int) -> None:
        if (ticket_id := self._ticket(which)) is not None:
            actor = self.crew[who % len(self.crew)]
            was_open = actor.technician_id in offered_to(ticket_id)
            taken = self._try(offering.accept_offer, actor=actor, ticket_id=ticket_id)
            step = self._step(ticket_id)
            assert taken is None or was_open or (step is not None and step["owner_id"] == actor.technician_id)

    @rule(which=numbers, who=numbers, reason=st.sampled_from(("太远", " ")))
    def decline(self, which: int, who: int, reason: str) -> None:
        if (ticket_id := self._ticket(which)) is not None:
            actor = self.crew[who % len(self.crew)]
            said = self._try(offering.decline_offer, actor=actor, ticket_id=ticket_id, reason=reason)
            if said is not None:
                assert actor.technician_id not in offered_to(ticket_id)

    @rule(which=numbers, who=numbers)
    def claim(self, which: int, who: int) -> None:
        if (ticket_id := self._ticket(which)) is not None:
            self._try(
                assigning.claim,
                actor=self.crew[who % len(self.crew)],
                ticket_id=ticket_id,
                expected_version=self._row(ticket_id)["version"],
            )

    @rule(which=numbers)
    def release(self, which: int) -> None:
        ticket_id = self._ticket(which)
        step = None if ticket_id is None else self._step(ticket_id)
        if step is None or step["owner_kind"] is not OwnerKind.TECHNICIAN:
            return
        (holder,) = [each for each in self.crew if each.technician_id == step["owner_id"]]
        released = self._try(
            assigning.release,
            actor=holder,
            ticket_id=ticket_id,
            expected_version=self._row(step["ticket_id"])["version"],
            reason="车坏了",
        )
        assert released is not None
        self._try_again(step["ticket_id"], not_to=step["owner_id"])

    def _try_again(self, ticket_id: int, *, not_to: int) -> None:
        assigning.dispatch_again(
            at=self.at,
            org_id=self.company.org_id,
            ticket_id=ticket_id,
            command_id=self.company.command_id(),
        )
        step = self._step(ticket_id)
        assert step is not None
        assert step["owner_id"] != not_to
        assert not_to not in offered_to(ticket_id)

    @rule(which=numbers, who=numbers, override=st.booleans())
    def assign(self, which: int, who: int, override: bool) -> None:
        if (ticket_id := self._ticket(which)) is not None:
            self._try(
                assigning.assign,
                actor=self.company.actor("dispatcher"),
                ticket_id=ticket_id,
                expected_version=self._row(ticket_id)["version"],
                technician_id=self.crew[who % len(self.crew)].technician_id,
                reason="客户指定",
                override=override,
            )

    @rule(who=numbers)
    def hand_over(self, who: int) -> None:
        actor = self.crew[who % len(self.crew)]
        self._try(handing_over.begin, actor=actor, technician_id=actor.technician_id)

    @rule(who=numbers, which=numbers, takes=st.booleans())
    def take_over(self, who: int, which: int, takes: bool) -> None:
        actor = self.crew[who % len(self.crew)]
        with reading() as connection:
            shown = handing_over.all_shown(connection, actor, at=self.at)
        items = [item.id for each in shown for item in each.items if item.state == "open"]
        if items and takes:
            self._try(handing_over.accept, actor=actor, item_id=items[which % len(items)])
        elif items:
            self._try(handing_over.give_back, actor=actor, item_id=items[which % len(items)], reason="没配件")

    @rule(who=numbers)
    def close_shift(self, who: int) -> None:
        actor = self.crew[who % len(self.crew)]
        with reading() as connection:
            shown = handing_over.all_shown(connection, actor, at=self.at)
        for each in shown:
            try:
                handing_over.close(actor=actor, at=self.at, handover_id=each.id)
            except ConsoleError:
                continue
            with reading() as connection:
                assert handovers.open_items(connection, (each.id,)) == ()

    @rule(who=numbers, is_on_duty=st.booleans())
    def switch_duty(self, who: int, is_on_duty: bool) -> None:
        actor = self.crew[who % len(self.crew)]
        self._try(set_on_duty, actor=actor, technician_id=actor.technician_id, is_on_duty=is_on_duty)

    @rule(minutes=st.sampled_from((1, 5, 31)))
    def let_time_pass(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)
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

    @invariant()
    def everything_is_somebodys_and_nobodys_twice(self) -> None:
        nothing_is_torn()
        for ticket_id in self.tickets:
            step = self._step(ticket_id)
            assert step is not None
            is_asked = step["queue_role"] == OFFERED
            # Somebody may still answer exactly while the step is offered; else the offers are over.
            assert bool(offered_to(ticket_id)) == is_asked
            held = offered_to(ticket_id, AssignmentState.CLAIMED)
            assert held == ([step["owner_id"]] if step["owner_kind"] is OwnerKind.TECHNICIAN else [])


@pytest.fixture
def founded(sqlite_template: Path, tmp_path: Path, at: datetime) -> Iterator[type[Hands]]:
    shutil.copy(sqlite_template, tmp_path / "company.db")
    kernel_database.use_url(f"sqlite:///{tmp_path / 'company.db'}")
    company = found_company(at)
    crew_id = form_crew(company)
    crew = [company.actor("tech_near"), company.actor("tech_far")]
    crew += [hire_somebody(company, f"hand-{n}", far=0.03 + n / 100, crew_id=crew_id) for n in range(2)]

    class OnItsOwn(Hands):
        """Each run on a copy of the database of its own."""

        def __init__(self) -> None:
            own = tmp_path / f"{uuid4().hex}.db"
            let_go()
            shutil.copy(tmp_path / "company.db", own)
            kernel_database.use_url(f"sqlite:///{own}")
            self.company, self.crew = company, crew
            super().__init__()

    let_go()
    yield OnItsOwn
    let_go()


def test_any_sequence_of_answers_leaves_each_step_with_one_and_none_with_nobody(
    founded: type[Hands],
) -> None:
    run_state_machine_as_test(
        founded,
        settings=settings(max_examples=20, stateful_step_count=20, suppress_health_check=[*HealthCheck]),
    )
