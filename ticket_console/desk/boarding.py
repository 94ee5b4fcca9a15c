"""The board as browsers are fed with it: lanes and cards with the limits and loads that other rooms keep."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.dispatch import policies
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.kernel.actor import Actor
from ticket_console.tickets import board, limits, reads
from ticket_console.tickets.board import BoardFilters, By, Lane, Rows
from ticket_console.tickets.board_cards import Card
from ticket_console.tickets.limits import UNLIMITED, Limit
from ticket_console.tickets.tables import LimitScope

Plain = dict[str, Any]

HANDED_AROUND: Final = "handed_around"


def whole(connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime) -> Plain:
    """The part of a snapshot that is read: `rows` and `lanes`."""
    shown = board.board_snapshot(connection, viewer=viewer, filters=filters, at=at)
    held = _Held.read(connection, viewer, filters.by)
    flag_handed_around(connection, viewer, [card for lane in shown.lanes for card in lane.cards], at)
    return {
        "rows": [{"key": row.key, "name": dict(row.name)} for row in shown.rows],
        "lanes": [_lane(lane, held, filters.rows) for lane in shown.lanes],
    }


def changes(
    connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime, ticket_ids: Collection[int]
) -> Plain:
    """The part of a patch that is read: `cards`, `gone`, `counts`, `cells` and `loads`."""
    changed = board.changed_cards(connection, viewer=viewer, filters=filters, at=at, ticket_ids=ticket_ids)
    held = _Held.read(connection, viewer, filters.by) if filters.by is By.PERSON else None
    flag_handed_around(connection, viewer, changed.cards, at)
    return {
        "cards": list(changed.cards),
        "gone": sorted(changed.gone),
        "counts": changed.counts,
        "cells": changed.cells,
        "loads": None if held is None else held.loads,
    }


def flag_handed_around(connection: Connection, viewer: Actor, cards: Collection[Card], at: datetime) -> None:
    """Mark the open cards that went through more hands than their policy lets pass without an alert."""
    handed = {card["id"]: card for card in cards if card["handoffs"] and card["closed_at"] is None}
    for ticket_id, ticket_class in reads.classes_of(connection, handed).items():
        card = handed[ticket_id]
        terms = policies.policy_at(connection, viewer.org_id, ticket_class, card["region_id"], at)
        if card["handoffs"] > terms.most_handoffs:
            card["flags"].append(HANDED_AROUND)


def _lane(lane: Lane, held: "_Held", rows: Rows) -> Plain:
    inside = None
    if lane.cells is not None:
        shown: dict[str, int] = {}
        for card in lane.cards:
            shown[card["row"]] = shown.get(card["row"], 0) + 1
        inside = {
            row: {"count": count, "more": count > shown.get(row, 0)} for row, count in lane.cells.items()
        }
    limit = held.limits.get(lane.key, UNLIMITED)
    plain: Plain = {
        "key": lane.key,
        "name": dict(lane.name),
        "category": lane.category,
        "count": lane.count,
        "limit": None if limit == UNLIMITED else {"soft": limit.soft, "hard": limit.hard},
        "load": held.loads.get(lane.key),
        "cells": inside,
        "cards": list(lane.cards),
        "more": lane.has_more and rows is Rows.NONE,
    }
    if lane.key in held.on_duty:
        plain["on_duty"] = held.on_duty[lane.key]
    return plain


class _Held:
    """Limits by lane; of people also how much they have and whether they are on duty."""

    def __init__(
        self, limits: Mapping[str, Limit], loads: Mapping[str, Plain], on_duty: Mapping[str, bool]
    ) -> None:
        self.limits, self.loads, self.on_duty = limits, loads, on_duty

    @classmethod
    def read(cls, connection: Connection, viewer: Actor, by: By) -> "_Held":
        if by is By.STAGE:
            return cls(limits.limits_of(connection, viewer.org_id, LimitScope.STAGE), {}, {})
        if by is not By.PERSON:
            return cls({}, {}, {})
        warned = limits.limits_of(connection, viewer.org_id, LimitScope.TECHNICIAN)
        loads = {
            str(each.technician_id): each for each in dispatch_reads.technician_loads(connection, viewer)
        }
        return cls(
            {key: Limit(warned.get(key, UNLIMITED).soft, each.capacity) for key, each in loads.items()},
            {key: {"open": each.open_count, "capacity": each.capacity} for key, each in loads.items()},
            {key: each.is_on_duty for key, each in loads.items()},
        )
