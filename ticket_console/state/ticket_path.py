"""The way a ticket took, as the canvas and the list below it take it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from ticket_console.flows.elements import Edge, Node
from ticket_console.flows.graph import Graph
from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import reading
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.state.tickets import span_text
from ticket_console.tickets.path import How, Leg, Stay, TicketPath, ticket_path

Plain = dict[str, Any]

# Where an edge was followed more than once, the later of these is what is worth seeing.
_TONES: Final = {
    How.OPENED: "accent",
    How.COMPLETED: "accent",
    How.WAITED: "accent",
    How.MIGRATED: "accent",
    How.MOVED: "violet",
    How.SKIPPED: "violet",
    How.TIMED_OUT: "violet",
    How.RETURNED: "warn",
    How.REJECTED: "warn",
    How.CANCELLED: "danger",
}
_RANK: Final = list(dict.fromkeys(_TONES.values()))


def read_path(*, viewer: Actor, ticket_id: int) -> Plain:
    """Nothing for those who are told no way; raises TicketNotFound."""
    with reading() as connection:
        found = ticket_path(connection, viewer=viewer, ticket_id=ticket_id)
    return {} if found is None else shown(found)


def shown(path: TicketPath) -> Plain:
    """`flow` is the picture; `paths`, `marks` and `here` are what is drawn upon it, `legs` the list.

    `focus` is where the latest move led: a long flow shown whole could not be read.
    """
    paths = _paths(path)
    numbered = {path["keys"][0] for path in paths if path["label"]}
    return {
        "flow": _picture(path.drawn, numbered),
        "paths": paths,
        "marks": _marks(path),
        "here": list(path.here),
        "focus": _latest(path),
        "legs": [_leg(leg) for leg in path.legs],
    }


def _latest(path: TicketPath) -> list[str]:
    drawn = (leg.edges for leg in reversed(path.legs) if leg.edges)
    return [*next(drawn, ()), *path.here]


def _picture(drawn: Graph, numbered: Collection[str]) -> Plain:
    """The nodes and edges alone: how steps work and what they call is for those who draw flows.

    An edge with a number goes without its name: there is room for one of them.
    """
    return {
        "format": 2,
        "stages": [
            {"key": stage.key, "name": stage.name, "category": stage.category.value} for stage in drawn.stages
        ],
        "nodes": [_node(node) for node in drawn.nodes],
        "edges": [_edge(edge, {} if edge.key in numbered else edge.name) for edge in drawn.edges],
        "drawing": {
            "nodes": {key: {"x": place.x, "y": place.y} for key, place in drawn.drawing.nodes.items()}
        },
    }


def _node(node: Node) -> Plain:
    join = {} if node.join is None else {"join": node.join.value, "join_count": node.join_count}
    whose = node.handler
    handler = {} if whose is None else {"handler": {"mode": whose.mode.value, "role": whose.role}}
    wait = {} if node.delay_seconds is None else {"delay_seconds": node.delay_seconds}
    until = {} if node.until_field is None else {"until": {"field": node.until_field}}
    named = {"key": node.key, "kind": node.kind.value, "name": node.name, "stage": node.stage}
    return {**named, **join, **handler, **wait, **until}


def _edge(edge: Edge, name: LocalText) -> Plain:
    return {
        "key": edge.key,
        "kind": edge.kind.value,
        "source": edge.source,
        "target": edge.target,
        "name": name,
        "default": edge.default,
    }


def _paths(path: TicketPath) -> list[Plain]:
    """Each edge once, in the order in which they were first followed, with the numbers of its moves."""
    tones: dict[str, str] = {}
    numbers: dict[str, list[int]] = {}
    for leg in path.legs:
        tone = _TONES[leg.how]
        for place, key in enumerate(leg.edges):
            tones[key] = max(tones.get(key, tone), tone, key=_RANK.index)
            numbers.setdefault(key, []).extend([leg.number] if place == 0 else [])
    return [{"keys": [key], "tone": tone, "label": _numbered(numbers[key])} for key, tone in tones.items()]


def _numbered(numbers: list[int]) -> LocalText | None:
    if not numbers:
        return None
    return dict.fromkeys(LOCALES, ", ".join(str(number) for number in numbers))


def _marks(path: TicketPath) -> Plain:
    by_node: dict[str, list[Stay]] = {}
    for stay in path.stays:
        by_node.setdefault(stay.node_key, []).append(stay)
    by_hand = {stay.node_key for leg in path.legs if leg.how is How.MOVED for stay in leg.to}
    return {
        key: {
            "tone": "moved" if key in by_hand else "ok",
            "count": len(stays) if len(stays) > 1 else None,
            "text": _visits_text(stays),
        }
        for key, stays in by_node.items()
    }


def _visits_text(stays: list[Stay]) -> Plain:
    """How often the ticket was there, and how long altogether; what is still running is not counted."""
    seconds = sum((stay.left_at - stay.entered_at).total_seconds() for stay in stays if stay.left_at)
    span = span_text(seconds)
    return {
        locale: translate(
            "ticket.path.visits",
            locale,
            n=len(stays),
            span=translate(span["key"], locale, **span["params"]),
        )
        for locale in LOCALES
    }


def _leg(leg: Leg) -> Plain:
    return {
        "number": leg.number,
        "how": leg.how.value,
        "tone": {"accent": "plain"}.get(_TONES[leg.how], _TONES[leg.how]),
        "at": instant_text(leg.at),
        "who": leg.who,
        "reason": leg.reason,
        "from": leg.from_name,
        "to": [_stay(stay) for stay in leg.to],
    }


def _stay(stay: Stay) -> Plain:
    return {
        "name": stay.name,
        "since": instant_text(stay.entered_at),
        "left": _moment(stay.left_at),
        "lasted": None
        if stay.left_at is None
        else span_text((stay.left_at - stay.entered_at).total_seconds()),
        "cut": stay.cut_short,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
