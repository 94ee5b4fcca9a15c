"""Frozen facts put right because a dispute showed them wrong: which may be, and how they are written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.settlement.facts import FIELDS, Facts, ServiceClass, Urgency, plain

_MOST: Final = Decimal(1_000_000)
_MOST_DECIMALS: Final = 4
_MOST_RETURNS: Final = 1_000


class BadAmendment(InvalidInput):
    """A fact nobody may put right by hand, or a value it cannot have; every problem is named."""

    code = "dispute.bad_amendment"


class Entry(StrEnum):
    """How somebody enters the right value."""

    NUMBER = "number"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Amendable:
    """`choices` are the values a fact can have, where they can be counted."""

    entry: Entry
    choices: tuple[str, ...] = ()


def _number(raw: object) -> str:
    number = Decimal(str(raw).strip())
    if not number.is_finite() or not 0 <= number <= _MOST or number != round(number, _MOST_DECIMALS):
        raise ValueError(raw)
    return plain(number)


def _whole(raw: object) -> int:
    number = int(str(raw).strip())
    if not 0 <= number <= _MOST_RETURNS:
        raise ValueError(raw)
    return number


def _yes_no(raw: object) -> bool:
    return {"yes": True, "no": False}[str(raw)]


def _hazards(raw: object) -> list[str]:
    """Danger codes, parted by commas; none at all where it is empty."""
    codes = [code for code in str(raw).split(",") if code]
    if any(f"hazards={code}" not in FIELDS for code in codes):
        raise ValueError(raw)
    return list(dict.fromkeys(codes))


_WRITTEN: Final[Mapping[str, Callable[[object], object]]] = {
    "difficulty": _number,
    "distance_km": _number,
    "labour_hours": _number,
    "returns": _whole,
    "cross_city": _yes_no,
    "on_time": _yes_no,
    "vip": _yes_no,
    "is_holiday": _yes_no,
    "service_class": lambda raw: ServiceClass(str(raw)).value,
    "urgency": lambda raw: Urgency(str(raw)).value,
    "hazards": _hazards,
}
_YES_OR_NO: Final = Amendable(Entry.CHOICE, ("yes", "no"))

# What was measured or judged on the job. Parts and tools are put right in their own records, and times
# in the history of the ticket.
AMENDABLE: Final[Mapping[str, Amendable]] = {
    "distance_km": Amendable(Entry.NUMBER),
    "labour_hours": Amendable(Entry.NUMBER),
    "difficulty": Amendable(Entry.NUMBER),
    "returns": Amendable(Entry.NUMBER),
    "hazards": Amendable(Entry.CHOICE, ("", "height", "live_wire", "confined_space")),
    "urgency": Amendable(Entry.CHOICE, tuple(Urgency)),
    "service_class": Amendable(Entry.CHOICE, tuple(ServiceClass)),
    "cross_city": _YES_OR_NO,
    "on_time": _YES_OR_NO,
    "vip": _YES_OR_NO,
    "is_holiday": _YES_OR_NO,
}


def written(wanted: Mapping[str, object], *, evidence: str) -> dict[str, Any]:
    """The values as frozen facts write them, dangers with what shows them; raises BadAmendment."""
    made: dict[str, Any] = {}
    problems = []
    for key, raw in wanted.items():
        if key not in _WRITTEN:
            problems.append(FieldProblem(key, "dispute.not_amendable"))
            continue
        try:
            made[key] = _WRITTEN[key](raw)
        except (ValueError, KeyError, InvalidOperation):
            problems.append(FieldProblem(key, "dispute.not_a_value"))
    if problems:
        raise BadAmendment(tuple(problems))
    if "hazards" in made:
        made["hazards"] = [[code, evidence] for code in made["hazards"]]
    return made


def amended(facts: Facts, changes: Mapping[str, Any]) -> Facts:
    """The facts with what was put right laid over them."""
    return Facts.from_json({**facts.to_json(), **changes}) if changes else facts
