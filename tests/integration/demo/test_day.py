"""The day the demo is looked at: its pages show people at work, and nothing of the past is disturbed."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tests.integration.demo import books
from tests.integration.demo.conftest import AT
from ticket_console.access.tables import Region
from ticket_console.demo.cast import Cast
from ticket_console.demo.seed import Seeded
from ticket_console.dispatch.tables import Visit
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table
from ticket_console.people import positions
from ticket_console.people.tables import LastPosition, Shift, Technician, Vendor
from ticket_console.tickets import board_views, limits
from ticket_console.tickets.tables import LimitScope

_people, _regions, _shifts = table(Technician), table(Region), table(Shift)
_visits, _last = table(Visit), table(LastPosition)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_crews_have_shifts_for_a_week_around_this_very_hour_but_for_the_first_city(seeded: Seeded) -> None:
    with reading() as connection:
        rows = connection.execute(
            sa.select(_regions.c.code, _people.c.id, _shifts.c.starts_at, _shifts.c.ends_at)
            .join(_people, _people.c.region_id == _regions.c.id)
            .join(_shifts, _shifts.c.technician_id == _people.c.id)
        ).all()

    assert {row.code for row in rows} == {"HZ", "NJ", "GZ", "SZ", "CD"}
    assert {row.id for row in rows} == {row.id for row in rows if row.starts_at <= AT < row.ends_at}
    assert max(row.starts_at for row in rows) > AT + timedelta(days=5)


def test_who_has_work_has_visits_today_and_tomorrow_is_free(seeded: Seeded) -> None:
    with reading() as connection:
        visits = connection.execute(sa.select(_visits.c.starts_at, _visits.c.ends_at)).all()
        disagreeing = books.histories_that_disagree(connection)

    assert visits
    assert {row.starts_at.astimezone(SHANGHAI).date() for row in visits} == {AT.astimezone(SHANGHAI).date()}
    assert all(row.starts_at > AT for row in visits)
    assert disagreeing == {}


def test_those_who_allow_it_are_seen_and_others_are_not(seeded: Seeded, cast: Cast) -> None:
    with reading() as connection:
        seen = set(connection.execute(sa.select(_last.c.technician_id)).scalars())
        who = min(seen)
        way = positions.track(
            connection, cast.office[Role.MANAGER], who, since=AT - timedelta(hours=1), until=AT + timedelta(1)
        )

    assert 10 < len(seen) < len(cast.technicians)
    assert [len(part) for part in way.parts] == [8]


def test_a_limit_a_shared_view_an_offer_and_a_partner_are_there(seeded: Seeded, cast: Cast) -> None:
    with reading() as connection:
        limited = limits.limits_of(connection, seeded.org_id, LimitScope.STAGE)
        standing = limits.standing_by_stage(connection, seeded.org_id)
        shared = board_views.views(connection, cast.office[Role.DISPATCHER])
        partners = connection.execute(sa.select(table(Vendor).c.code, table(Vendor).c.is_standby)).all()

    assert {key: limit.soft for key, limit in limited.items()} == {
        key: standing.get(key, 0) + 20 for key in ("dispatch", "onsite")
    }
    assert [(each.name, each.query) for each in shared] == [("VIP 工单", "by=stage&vip=1")]
    assert [tuple(row) for row in partners] == [("rongcheng", True)]
