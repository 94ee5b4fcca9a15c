"""When the office of the demo company is open, and what of the pack's work waits for that."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ticket_console.clocks.business_time import BusinessTime
from ticket_console.clocks.calendars import publish_calendar
from ticket_console.clocks.holidays import special_days
from ticket_console.demo.founding import Founding
from ticket_console.demo.places import CHINA_TZ
from ticket_console.kernel.text import LocalText
from ticket_console.packs.contents import Pack, PackFlow

CALENDAR: Final = "office"
CALENDAR_NAME: Final[LocalText] = {"zh": "上班时间", "en": "Office hours"}
WORKING_DAY: Final = ((9 * 60, 12 * 60), (13 * 60 + 30, 18 * 60))
_WEEK: Final = dict.fromkeys(range(5), WORKING_DAY)
_WORKING_DAY_SECONDS: Final = 60 * sum(end - start for start, end in WORKING_DAY)
# Whoever complained is called back after a working day: nobody is in the office at night.
_COMPLAINT: Final = "complaint"
_COOLING: Final = "cooling"
_ONE_WORKING_DAY: Final[dict[str, Any]] = {
    "name": {"zh": "一个工作日后回访", "en": "Wait one working day"},
    "delay_seconds": _WORKING_DAY_SECONDS,
    "calendar": CALENDAR,
}


def open_office(founding: Founding) -> None:
    """Weekdays without the public holidays, and the weekend days that make up for some of them."""
    years = range(founding.at.year - 1, founding.at.year + 2)
    publish_calendar(
        founding.connection,
        actor=founding.actor,
        at=founding.since,
        code=CALENDAR,
        name=CALENDAR_NAME,
        hours=BusinessTime(CHINA_TZ, _WEEK, special_days(country="CN", years=years, week=_WEEK)),
    )


def on_office_hours(pack: Pack) -> Pack:
    """The pack with the waits of its flows counted on the calendar of the office."""
    return replace(pack, flows=tuple(map(_on_office_hours, pack.flows)))


def _on_office_hours(flow: PackFlow) -> PackFlow:
    if flow.code != _COMPLAINT:
        return flow
    nodes = [_waiting(node) for node in flow.graph["nodes"]]
    return replace(flow, graph={**flow.graph, "nodes": nodes})


def _waiting(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**node, **_ONE_WORKING_DAY} if node["key"] == _COOLING else node
