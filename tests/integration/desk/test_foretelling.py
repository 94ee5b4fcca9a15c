"""What is said before a drop is what the command does: for every ticket, every lane and every person."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import CHENGDU, Company, found_company
from tests.builders.undone import roll_back_commands
from ticket_console.desk import assigning, dropping, foretelling, limiting
from ticket_console.desk.foretelling import Needs, Tone, Verdict
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.people.tables import Technician, TechnicianTerritory, Territory
from ticket_console.tickets.board import By
from ticket_console.tickets.tables import LimitScope, Ticket

_tickets = table(Ticket)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    made = found_company(at)
    furnish(made)
    return made


def furnish(company: Company) -> None:
    """Tickets at every kind of step, people who may and may not, lanes that are crowded and full."""
    with transaction() as connection:
        areas = [
            connection.execute(
                sa.insert(table(Territory))
                .values(
                    org_id=company.org_id,
                    region_id=company.regions[region],
                    code=code,
                    name={"zh": code, "en": code},
                    outline=None,
                    version=1,
                )
                .returning(table(Territory).c.id)
            ).scalar_one()
            for code, region in (("sh-1", "sh"), ("sh-2", "sh"), ("cd-1", "cd"))
        ]
        people = table(Technician)
        columns = {
            "org_id": company.org_id,
            "user_id": None,
            "phone": "",
            "region_id": company.regions["sh"],
            "home_site_id": None,
            "lat": 31.2,
            "lon": 121.4,
            "level": 2,
            "capacity": 8,
            "is_on_duty": True,
            "is_active": True,
            "crew_id": None,
            "vendor_id": None,
            "post": "technician",
            "version": 1,
        }
        for name, different in (
            ("unskilled", {}),
            ("off duty", {"is_on_duty": False}),
            ("no room", {"capacity": 0}),
            ("one place", {"capacity": 1}),
            ("far away", {"region_id": company.regions["cd"]}),
        ):
            connection.execute(sa.insert(people), {**columns, "name": name, **different})
        connection.execute(
            sa.insert(table(TechnicianTerritory)),
            {"technician_id": company.technicians["tech_far"], "territory_id": areas[1]},
        )
        connection.execute(sa.update(_tickets).values(territory_id=areas[0]))
    company.open(template="repair", title="plumbing", values={"category": "plumbing"})
    given = [company.open(title=f"given {each}") for each in range(3)]
    company.open(template="install", title="two steps at once", values={"category": "hvac"})
    company.open(template="consult", title="question", values={})
    company.open(template="complaint", title="complaint", values={})
    company.open(title="chengdu", lat=CHENGDU[0], lon=CHENGDU[1], values={"category": "hvac"})
    late = company.open(title="late", at=company.at - timedelta(days=9))
    manager = company.actor("manager")
    company.act(given[0].ticket_id, given[0].version, by="manager")
    for ticket, lane in ((given[1], "dispatch"), (late, "cancelled")):
        dropping.drop_on(**asked(company, manager, ticket.ticket_id), by=By.STAGE, key=lane, reason="x")
    for stage, soft, hard in (("dispatch", None, 1), ("onsite", 1, None), ("accept", 1, 100)):
        limiting.set_limit(
            actor=manager,
            at=company.at,
            command_id=company.command_id(),
            scope=LimitScope.STAGE,
            key=stage,
            soft=soft,
            hard=hard,
        )
    limiting.set_limit(
        actor=manager,
        at=company.at,
        command_id=company.command_id(),
        scope=LimitScope.TECHNICIAN,
        key=str(company.technicians["tech_far"]),
        soft=1,
        hard=50,
    )


def asked(company: Company, actor: Actor, ticket_id: int) -> dict[str, Any]:
    with reading() as connection:
        version = connection.execute(
            sa.select(_tickets.c.version).where(_tickets.c.id == ticket_id)
        ).scalar_one()
    return {
        "actor": actor,
        "at": company.at,
        "command_id": company.command_id(),
        "ticket_id": ticket_id,
        "expected_version": version,
    }


@dataclass(frozen=True)
class Said:
    """Whether a command went through, what it refused with, and what it warned of."""

    is_done: bool
    codes: tuple[str, ...]


def said(command: Any, **wish: Any) -> Said:
    try:
        moved = command(**wish)
    except ConsoleError as refusal:
        return Said(False, tuple(each.code for each in foretelling.reasons_of(refusal)))
    return Said(True, tuple(each.code for each in moved.warnings))


def foretold(verdict: Verdict) -> Said:
    return Said(verdict.tone is not Tone.RED, tuple(each.code for each in verdict.reasons))


VIEWERS = ("manager", "dispatcher", "dispatcher_cd", "agent", "finance", "auditor")


@pytest.mark.parametrize("by", list(By))
def test_every_lane_says_what_the_drop_would_do(
    company: Company, monkeypatch: pytest.MonkeyPatch, by: By
) -> None:  # DSP-10
    roll_back_commands(monkeypatch)
    seen: set[tuple[bool, str]] = set()
    wrong = []
    for login in VIEWERS:
        viewer = company.actor(login)
        for ticket_id in all_tickets():
            try:
                with reading() as connection:
                    verdicts = foretelling.lane_verdicts(connection, viewer, ticket_id, company.at, by=by)
            except ConsoleError as refusal:
                hidden = refusal.code
                told = said(dropping.drop_on, **asked(company, viewer, ticket_id), by=by, key="onsite")
                assert told == Said(False, (hidden,))
                continue
            for lane, verdict in verdicts.items():
                reason = "why" if verdict.needs is Needs.REASON else ""
                told = said(
                    dropping.drop_on, **asked(company, viewer, ticket_id), by=by, key=lane, reason=reason
                )
                promised = foretold(verdict)
                if by is By.PERSON and verdict.tone is Tone.AMBER:
                    # Giving work tells no warnings back; that it goes through is what counts.
                    promised = Said(True, ())
                seen.add((told.is_done, told.codes[0] if told.codes else ""))
                if told != promised:
                    wrong.append((login, ticket_id, lane, promised, told))

    assert wrong == []
    assert EXPECTED[by] <= seen


# The comparison says little unless these were among what was met.
EXPECTED: dict[By, set[tuple[bool, str]]] = {
    By.STAGE: {
        (True, ""),
        (True, "board.warn.lane_crowded"),
        (False, "ticket.no_way_to_stage"),
        (False, "ticket.form_required"),
        (False, "board.lane_full"),
        (False, "board.order_not_allowed"),
        (False, "access.forbidden"),
    },
    By.PERSON: {
        (True, ""),
        (False, "dispatch.failed.full"),
        (False, "dispatch.failed.no_skill"),
        (False, "dispatch.failed.off_duty"),
        (False, "dispatch.failed.region"),
        (False, "ticket.nothing_to_assign"),
        (False, "access.forbidden"),
    },
    By.TERRITORY: {(True, ""), (True, "board.warn.holder_elsewhere"), (False, "board.no_territory")},
    By.DUE: {(True, ""), (False, "board.due_is_not_a_place")},
}


def all_tickets() -> list[int]:
    with reading() as connection:
        return list(connection.execute(sa.select(_tickets.c.id).order_by(_tickets.c.id)).scalars())


def test_every_person_says_what_giving_it_to_them_would_do(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:  # DSP-10
    roll_back_commands(monkeypatch)
    wrong, pairs = [], 0
    for login in VIEWERS:
        viewer = company.actor(login)
        for ticket_id in all_tickets():
            try:
                with reading() as connection:
                    verdicts = foretelling.people_verdicts(connection, viewer, ticket_id, company.at)
            except ConsoleError:
                continue
            for person_id, person in verdicts.items():
                pairs += 1
                told = said(assigning.assign, **asked(company, viewer, ticket_id), technician_id=person_id)
                promised = foretold(person.verdict)
                if person.verdict.tone is not Tone.RED:
                    promised = replace(promised, codes=())
                if told != promised:
                    wrong.append((login, ticket_id, person.name, promised, told))

    assert wrong == []
    assert pairs > 300
