"""How amounts came about, as the pages of finance and technicians show it: every node with its path."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_jsonable_python
from sqlalchemy import Connection

from ticket_console.intake.channels import CHANNELS
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.text import LocalText
from ticket_console.reports import explained as reports
from ticket_console.reports.explained import Explained, Ground
from ticket_console.settlement import disputes, trace_tree
from ticket_console.settlement.disputes import DisputeView
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.reads import FactView, LineView, ticket_ratings

Plain = dict[str, Any]

_NOT_PEOPLE: Final = {
    "system": "ticket.by_system",
    **{name: f"intake.source.{name}" for name in CHANNELS},
}


def explained(
    connection: Connection, *, viewer: Actor, ticket_id: int, payee: Payee | None = None
) -> list[Plain]:
    """The ratings of a ticket the viewer may read, those of one payee where it is named, latest first."""
    ratings = [
        each
        for each in ticket_ratings(connection, viewer=viewer, ticket_id=ticket_id)
        if payee is None or each.payee == payee
    ]
    said = disputes.of_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    return [
        _rating(each, [one for one in said if one.rating_id == each.rating.rating_id])
        for each in reports.explained(connection, viewer=viewer, ratings=ratings)
    ]


def dispute_plain(dispute: DisputeView, name: LocalText) -> Plain:
    """A dispute as a page shows it; `name` is what its node is called."""
    return {**to_jsonable_python(dispute), "name": dict(name), "is_undecided": dispute.is_undecided}


def _rating(explained: Explained, said: Sequence[DisputeView]) -> Plain:
    rating = explained.rating
    names = {line.position: line.dimension_name for line in rating.lines}
    disputed = {each.node for each in said if each.is_undecided}
    nodes = trace_tree.nodes(rating)
    shown: Plain = to_jsonable_python(rating)
    shown |= {
        "path": trace_tree.TOTAL,
        "is_disputed": trace_tree.TOTAL in disputed,
        "lines": [_line(line, names, explained, disputed) for line in rating.lines],
        "passed_over": [
            {
                **to_jsonable_python(each),
                "path": trace_tree.rule_path(each.code),
                "is_disputed": trace_tree.rule_path(each.code) in disputed,
            }
            for each in rating.passed_over
        ],
        "facts": [_fact(each, trace_tree.fact_path(each.key), explained, disputed) for each in rating.facts],
        "checks": [{"key": check.value, "is_right": right} for check, right in explained.checks.items()],
        "is_sound": all(explained.checks.values()),
        "work": [_ground(each) for each in explained.work],
        "story": [_ground(each) for each in explained.story],
        "origin": None if explained.origin is None else to_jsonable_python(explained.origin),
        "ticket_title": explained.title,
        "ticket_href": f"/tickets/{rating.ticket_id}",
        "disputes": [dispute_plain(each, nodes[each.node].name) for each in said],
    }
    return shown


def _line(
    line: LineView, names: Mapping[int, LocalText], explained: Explained, disputed: Iterable[str]
) -> Plain:
    paths = {
        "path": trace_tree.line_path(line.position),
        "formula_path": trace_tree.line_path(line.position, "formula"),
        "rule_path": trace_tree.line_path(line.position, "rule"),
    }
    item = next((fact.value["en"] for fact in line.facts if fact.key == "item"), "")
    return {
        **to_jsonable_python(line),
        **paths,
        **{name.replace("path", "is_disputed"): path in disputed for name, path in paths.items()},
        "builds_on": [dict(names[position]) for position in line.base],
        "facts": [
            _fact(
                fact,
                trace_tree.line_path(line.position, "fact", fact.key),
                explained,
                disputed,
                item=item,
            )
            for fact in line.facts
        ],
        "has_dispute": any(
            path == paths["path"] or path.startswith(f"{paths['path']}/") for path in disputed
        ),
    }


def _fact(
    fact: FactView, path: str, explained: Explained, disputed: Iterable[str], *, item: str = ""
) -> Plain:
    # A line of one part rests on the booking of that part alone.
    key = f"item:{item}" if item and fact.key in {"item", "parts", "tools", "quantity"} else fact.key
    return {
        "path": path,
        "label": dict(fact.label),
        "value": dict(fact.value),
        "grounds": [_ground(each) for each in explained.grounds.get(key, ())],
        "is_disputed": path in disputed,
    }


def _ground(ground: Ground) -> Plain:
    return {
        "kind": ground.kind.value,
        "name": dict(ground.name),
        "at": ground.at.isoformat() if ground.at is not None else "",
        "who": ground.who,
        # Channels and the console itself are named in the reader's language.
        "who_key": _NOT_PEOPLE.get(ground.who, "") if ground.event else "",
        "event": ground.event,
        "href": ground.href,
    }
