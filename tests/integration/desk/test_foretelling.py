"""What is said before a drop is what the command does: for every ticket, every lane and every person."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import CHENGDU, SHANGHAI, Company, found_company
from tests.builders.undone import roll_back_commands
from ticket_console.desk import assigning, dropping, foretelling, limiting, scheduling
from ticket_console.desk.foretelling import Needs, Tone, Verdict
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.people.tables import (
    Absence,
    Certificate,
    Shift,
    Skill,
    Technician,
    TechnicianTerritory,
    Territory,
)
from ticket_console.tickets.board import By
from ticket_console.tickets.tables import LimitScope, Ticket

HOUR = timedelta(hours=1)

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
        skill_id = connection.execute(
            sa.select(table(Skill).c.id).where(table(Skill).c.code == "hvac")
        ).scalar_one()
        skilled = {
            name: connection.execute(
                sa.insert(people).returning(people.c.id),
                {**columns, "name": name, "lat": SHANGHAI[0], "lon": SHANGHAI[1]},
            ).scalar_one()
            for name in ("expired", "absent", "off shift", "on a visit", "far off", "soon on a visit")
        }
        for name, technician_id in skilled.items():
            until = None if name != "expired" else date(2025, 12, 31)
            connection.execute(
                sa.insert(table(Certificate)),
                {
                    "technician_id": technician_id,
                    "skill_id": skill_id,
                    "level": 2,
                    "valid_from": date(2025, 1, 1),
                    "valid_until": until,
                },
            )
        connection.execute(
            sa.insert(table(Absence)),
            {
                "technician_id": skilled["absent"],
                "starts_at": company.at - HOUR,
                "ends_at": company.at + 9 * HOUR,
                "reason": "",
            },
        )
        connection.execute(
            sa.insert(table(Shift)),
            {
                "technician_id": skilled["off shift"],
                "starts_at": company.at + 20 * HOUR,
                "ends_at": company.at + 28 * HOUR,
            },
        )
        connection.execute(
            sa.insert(table(TechnicianTerritory)),
            {"technician_id": company.technicians["tech_far"], "territory_id": areas[1]},
        )
        connection.execute(sa.update(_tickets).values(territory_id=areas[0]))
    company.open(template="repair", title="plumbing", values={"category": "plumbing"})
    # What is given out now takes an hour: a visit lies within it, one is too far to reach, one follows.
    for name, after, (lat, lon) in (
        ("on a visit", timedelta(minutes=30), SHANGHAI),
        ("far off", timedelta(minutes=70), (SHANGHAI[0] + 0.3, SHANGHAI[1])),
        ("soon on a visit", timedelta(minutes=70), SHANGHAI),
    ):
        opened = company.open(title=name, lat=lat, lon=lon)
        scheduling.schedule(
            actor=company.actor("manager"),
            at=company.at,
            command_id=company.command_id(),
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
            technician_id=skilled[name],
            starts_at=company.at + after,
            ends_at=company.at + after + HOUR,
        )
    given = [company.open(title=f"given {each}") for each in range(3)]
    company.open(template="install", title="two steps at once", values={"category": "hvac"})
    company.open(template="consult", title="question", values={})
    company.open(template="complaint", title="complaint", values={})
    company.open(title="chengdu", lat=CHENGDU[0], lon=CHENGDU[1], values={"category": "hvac"})
    company.open(title="overdue", at=company.at - timedelta(days=9))
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
        key=str(company.technicians["tech_near"]),
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
        (False, "dispatch.failed.certificate_expired"),
        (False, "dispatch.failed.absent"),
        (False, "dispatch.failed.off_shift"),
        (False, "dispatch.failed.overlap"),
        (False, "dispatch.failed.travel"),
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
    colours: set[tuple[Tone, str]] = set()
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
                codes = [each.code for each in person.verdict.reasons] or [""]
                colours |= {(person.verdict.tone, code) for code in codes}
                told = said(assigning.assign, **asked(company, viewer, ticket_id), technician_id=person_id)
                promised = foretold(person.verdict)
                if person.verdict.tone is not Tone.RED:
                    promised = replace(promised, codes=())
                if told != promised:
                    wrong.append((login, ticket_id, person.name, promised, told))

    assert wrong == []
    assert pairs > 300
    assert colours >= COLOURS


# Each colour with each of its reasons was among what was compared.
COLOURS = {
    (Tone.GREEN, ""),
    (Tone.AMBER, "board.warn.travel_tight"),
    (Tone.AMBER, "board.warn.person_crowded"),
    (Tone.AMBER, "board.warn.overdue"),
    (Tone.RED, "access.forbidden"),
    (Tone.RED, "dispatch.failed.absent"),
    (Tone.RED, "dispatch.failed.certificate_expired"),
    (Tone.RED, "dispatch.failed.full"),
    (Tone.RED, "dispatch.failed.no_skill"),
    (Tone.RED, "dispatch.failed.off_duty"),
    (Tone.RED, "dispatch.failed.off_shift"),
    (Tone.RED, "dispatch.failed.overlap"),
    (Tone.RED, "dispatch.failed.region"),
    (Tone.RED, "dispatch.failed.travel"),
    (Tone.RED, "ticket.nothing_to_assign"),
}
