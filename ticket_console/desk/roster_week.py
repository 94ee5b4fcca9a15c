"""One week of a region's roster, as the grid shows it."""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from ticket_console.desk.plan import Window
from ticket_console.dispatch import visit_book
from ticket_console.dispatch.visits import Planned
from ticket_console.kernel.actor import Actor
from ticket_console.people import planning, rosters
from ticket_console.people.presence import Presence, presences
from ticket_console.people.rosters import PersonView


@dataclass(frozen=True, slots=True)
class RosterRow:
    person: PersonView
    presence: Presence
    visits: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class RosterWeek:
    window: Window
    total: int
    page: int
    rows: tuple[RosterRow, ...]


def read_week(
    connection: Connection, *, viewer: Actor, window: Window, search: str = "", page: int = 1
) -> RosterWeek:
    """A page of the region's people with the shifts, absences and visits of the window."""
    found = rosters.people_of(
        connection,
        viewer=viewer,
        permission=planning.PERMISSION,
        region_id=window.region_id,
        search=search,
        page=page,
    )
    ids = [each.id for each in found.people]
    span = window.span
    there = presences(connection, ids, span.starts_at, span.ends_at)
    booked = visit_book.visits_of(connection, ids, span.starts_at, span.ends_at)
    rows = tuple(RosterRow(each, there[each.id], booked.get(each.id, ())) for each in found.people)
    return RosterWeek(window, found.total, found.page, rows)
