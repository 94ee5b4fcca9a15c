"""A window of tickets played on the flow they ran on and on the draft."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.desk.formulas import formulas_of
from ticket_console.desk.replay.comparing import Deadlines, Difference, Played, Tally, compare, standing
from ticket_console.desk.replay.dwelling import Dwells
from ticket_console.desk.replay.playing import play
from ticket_console.desk.replay.reading import Calendars, Prices, Story, TicketWaits, stories
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph import Graph

# Its history does not lead, on the flow it ran on, to where it stands: what a draft made of it means nothing.
UNFAITHFUL: Final = "replay.unfaithful"


@dataclass(frozen=True, slots=True)
class Bench:
    """What all windows of a run share."""

    connection: Connection
    org_id: int
    draft: Graph
    dwells: Dwells
    as_of: datetime
    prices: Prices
    calendars: Calendars

    @classmethod
    def set_up(
        cls, connection: Connection, *, org_id: int, draft: Graph, dwells: Dwells, as_of: datetime
    ) -> "Bench":
        return cls(
            connection,
            org_id,
            draft,
            dwells,
            as_of,
            Prices(connection, org_id),
            Calendars(connection, org_id),
        )

    def play_both(self, story: Story) -> tuple[Played, Played]:
        """The ticket as it was, and as it would have been."""
        waits = TicketWaits(self.calendars, self.prices.zone(story.ticket))
        ran_on = flow_reads.compiled(self.connection, story.script.flow_version_id)
        worked_out = formulas_of(self.connection, story.ticket["template_version_id"])
        base = play(
            ran_on,
            story.script,
            ran_on=ran_on,
            dwells=self.dwells,
            as_of=self.as_of,
            waits=waits,
            versions=lambda version_id: flow_reads.compiled(self.connection, version_id),
            worked_out=worked_out,
        )
        draft = play(
            self.draft,
            story.script,
            ran_on=ran_on,
            dwells=self.dwells,
            as_of=self.as_of,
            waits=waits,
            worked_out=worked_out,
        )
        return Played(ran_on, base), Played(self.draft, draft)


def is_faithful(story: Story, base: Played) -> bool:
    return standing(base.course.marking) == standing(story.script.marking)


def deadlines_of(story: Story) -> Deadlines:
    ticket = story.ticket
    return Deadlines.of(priority=ticket["priority"], opened_at=ticket["opened_at"], due_at=ticket["due_at"])


def play_window(bench: Bench, ticket_ids: Sequence[int]) -> tuple[Tally, list[Difference]]:
    """What a window of tickets comes to, and the tickets that differ."""
    tally, differences = Tally(), []
    prices = bench.prices.window(ticket_ids, as_of=bench.as_of)
    found = stories(bench.connection, org_id=bench.org_id, ticket_ids=ticket_ids, as_of=bench.as_of)
    for story in found:
        base, draft = bench.play_both(story)
        ticket_id = story.script.ticket_id
        if not is_faithful(story, base):
            tally.leave_out(ticket_id, UNFAITHFUL)
            continue
        deadlines = deadlines_of(story)
        difference = compare(
            ticket_id,
            base,
            draft,
            deadlines=deadlines,
            as_of=bench.as_of,
            price=partial(prices.of, story.ticket),
        )
        tally.add(base, draft, difference, deadlines=deadlines, as_of=bench.as_of)
        if difference is not None:
            differences.append(difference)
    return tally, differences
