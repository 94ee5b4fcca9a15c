"""Where technicians are: with their consent, on duty, told by themselves, and for a while only."""

from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.access import Company, actor, audit_actions, make_company
from tests.builders.people import hire
from ticket_console.kernel.actor import Actor, Grant, Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.kernel.signals import Signal, listen
from ticket_console.people import duty, positions
from ticket_console.people.hiring import TechnicianNotFound
from ticket_console.people.positions import NoConsent, NotOnDuty, Position, Reported
from ticket_console.people.tables import PositionFix

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


@pytest.fixture
def li(company: Company) -> Actor:
    return technician(hire(company))


def technician(technician_id: int) -> Actor:
    return actor(Grant(Role.TECHNICIAN, Scope.OWN), technician_id=technician_id)


def consent(who: Actor, *, is_given: bool = True, at: datetime = AT - timedelta(hours=1)) -> None:
    positions.set_consent(actor=who, at=at, command_id="consent", is_given=is_given)


def switch(who: Actor, *, is_on_duty: bool, at: datetime) -> None:
    duty.set_on_duty(
        actor=who, at=at, command_id="duty", technician_id=who.technician_id or 0, is_on_duty=is_on_duty
    )


def report(who: Actor, **wish: Any) -> Reported:
    plain = {
        "at": AT,
        "device": "phone",
        "lat": 31.24,
        "lon": 121.49,
        "accuracy_m": 12.0,
        "taken_at": AT - MINUTE,
    }
    return positions.report_position(actor=who, **{**plain, **wish})


def fixes() -> int:
    with reading() as connection:
        return int(
            connection.execute(sa.select(sa.func.count()).select_from(table(PositionFix))).scalar_one()
        )


def last(who: Actor) -> Position | None:
    with reading() as connection:
        return positions.last_positions(connection, {who.technician_id or 0}).get(who.technician_id or 0)


def test_a_position_is_kept_with_its_accuracy_and_announced(li: Actor) -> None:  # MOB-10
    consent(li)
    heard: list[Signal] = []
    end = listen(positions.topic_of(li.org_id), heard.append)

    told = report(li)
    end()

    assert told == Reported(li.technician_id or 0, AT - MINUTE, is_new=True)
    assert last(li) == Position(li.technician_id or 0, 31.24, 121.49, 12.0, AT - MINUTE)
    assert [signal.body for signal in heard] == [{"technician_id": li.technician_id}]


def test_what_a_device_tells_twice_is_kept_once(li: Actor) -> None:  # pain 47
    consent(li)
    report(li)

    assert report(li, lat=31.3).is_new is False
    assert fixes() == 1
    assert last(li) == Position(li.technician_id or 0, 31.24, 121.49, 12.0, AT - MINUTE)
    assert report(li, device="tablet").is_new is True
    assert fixes() == 2


def test_what_is_told_late_joins_the_track_and_sets_nobody_back(li: Actor) -> None:
    consent(li)
    report(li, lat=31.25)
    report(li, lat=31.20, taken_at=AT - 10 * MINUTE)

    assert fixes() == 2
    found = last(li)
    assert found is not None
    assert found.lat == 31.25


@pytest.mark.parametrize(
    ("wish", "path", "code"),
    [
        ({"taken_at": AT + 3 * MINUTE}, "taken_at", "position.from_the_future"),
        ({"taken_at": AT - timedelta(hours=13)}, "taken_at", "position.too_old"),
        ({"taken_at": AT.replace(tzinfo=None)}, "taken_at", "position.no_zone"),
        ({"lat": 90.0001}, "lat", "field.out_of_range"),
        ({"lon": -180.5}, "lon", "field.out_of_range"),
        ({"lat": nan}, "lat", "field.out_of_range"),
        ({"lon": inf}, "lon", "field.out_of_range"),
        ({"accuracy_m": -1.0}, "accuracy_m", "field.out_of_range"),
        ({"accuracy_m": nan}, "accuracy_m", "field.out_of_range"),
        ({"device": "  "}, "device", "field.required"),
        ({"device": "d" * 65}, "device", "field.too_long"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    li: Actor, wish: dict[str, Any], path: str, code: str
) -> None:
    consent(li)
    with pytest.raises(InvalidInput) as refused:
        report(li, **wish)

    assert [(problem.path, problem.code) for problem in refused.value.problems] == [(path, code)]
    assert (fixes(), last(li)) == (0, None)


def test_a_clock_that_is_a_little_fast_is_no_future(li: Actor) -> None:
    consent(li)
    assert report(li, taken_at=AT + positions.CLOCK_SKEW).is_new


def test_without_consent_nothing_is_kept(li: Actor) -> None:  # MOB-10
    with pytest.raises(NoConsent):
        report(li)

    assert fixes() == 0


def test_what_was_before_the_consent_stays_unknown(li: Actor) -> None:
    consent(li, at=AT - 5 * MINUTE)
    with pytest.raises(NoConsent):
        report(li, taken_at=AT - 6 * MINUTE)

    assert fixes() == 0


def test_off_duty_nothing_is_kept_and_nobody_sees_where_it_was(li: Actor) -> None:  # RPT-06
    consent(li)
    report(li)
    switch(li, is_on_duty=False, at=AT)

    with pytest.raises(NotOnDuty):
        report(li, at=AT + MINUTE, taken_at=AT + MINUTE)

    assert (fixes(), last(li)) == (1, None)


def test_what_a_device_kept_from_the_time_off_duty_is_refused(li: Actor) -> None:
    consent(li)
    switch(li, is_on_duty=False, at=AT - 30 * MINUTE)
    switch(li, is_on_duty=True, at=AT - 10 * MINUTE)

    with pytest.raises(NotOnDuty):
        report(li, taken_at=AT - 11 * MINUTE)
    assert fixes() == 0
    assert report(li, taken_at=AT - 10 * MINUTE).is_new


def test_turning_the_duty_on_twice_keeps_its_beginning(li: Actor) -> None:
    consent(li)
    switch(li, is_on_duty=False, at=AT - 40 * MINUTE)
    switch(li, is_on_duty=True, at=AT - 30 * MINUTE)
    switch(li, is_on_duty=True, at=AT - MINUTE)

    assert report(li, taken_at=AT - 20 * MINUTE).is_new


def test_withdrawn_consent_takes_everything_along(li: Actor) -> None:
    consent(li)
    report(li)
    before = audit_actions()
    consent(li, is_given=False, at=AT)
    consent(li, is_given=False, at=AT)

    assert (fixes(), last(li)) == (0, None)
    assert audit_actions() == [*before, "position.consent_withdrawn"]


def test_somebody_who_is_no_technician_has_no_position_to_tell(company: Company) -> None:
    for who in (actor(Role.MANAGER), actor(Role.DISPATCHER)):
        with pytest.raises(Forbidden):
            report(who)
        with pytest.raises(Forbidden):
            consent(who)

    assert fixes() == 0


def test_a_track_is_read_by_its_owner_and_by_those_who_dispatch_them(company: Company, li: Actor) -> None:
    consent(li)
    for minutes in (40, 39, 10):
        report(li, taken_at=AT - minutes * MINUTE, lat=31 + minutes / 100)
    of_south = Grant(Role.DISPATCHER, Scope.REGION, region_ids=frozenset({company.south}))
    of_north = Grant(Role.DISPATCHER, Scope.REGION, region_ids=frozenset({company.north}))
    wang = technician(hire(company, "Wang"))

    def seen(viewer: Actor) -> list[list[float]]:
        with reading() as connection:
            found = positions.track(
                connection, viewer, li.technician_id or 0, since=AT - timedelta(hours=1), until=AT
            )
        return [[position.lat for position in part] for part in found.parts]

    # RPT-06: nothing was told for long between the parts.
    assert seen(li) == seen(actor(of_north)) == seen(actor(Role.MANAGER)) == [[31.4, 31.39], [31.1]]
    for stranger in (actor(of_south), wang, actor(Role.AUDITOR), actor(Role.FINANCE)):
        with pytest.raises(Forbidden):
            seen(stranger)


def test_a_track_is_of_one_day_and_of_somebody_known(company: Company, li: Actor) -> None:
    with reading() as connection:
        for since, until in ((AT, AT), (AT, AT - MINUTE), (AT, AT + timedelta(days=2))):
            with pytest.raises(InvalidInput):
                positions.track(connection, li, li.technician_id or 0, since=since, until=until)
        with pytest.raises(TechnicianNotFound):
            positions.track(connection, li, 999_999, since=AT, until=AT + MINUTE)


def test_old_points_are_purged(li: Actor) -> None:
    consent(li, at=AT - timedelta(days=2))
    report(li, at=AT - timedelta(days=1), taken_at=AT - timedelta(days=1))
    report(li)
    with transaction() as connection:
        gone = positions.purge(connection, before=AT - timedelta(hours=2))

    assert (gone, fixes()) == (1, 1)
    assert last(li) is not None
