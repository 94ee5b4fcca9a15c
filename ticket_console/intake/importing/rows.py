"""From a row of text to a request in the standard shape, with its problems by column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.filling import fill
from ticket_console.forms.kinds import read_cell
from ticket_console.forms.kinds.phone import phone_text
from ticket_console.forms.kinds.reading import iso_moment
from ticket_console.intake.importing.columns import VALUE
from ticket_console.intake.messages import IntakeMessage, InvalidRequest
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.sheets import Sheet, SheetRow

_NUMBERS: Final = frozenset({"latitude", "longitude"})
_LEVELS: Final[Mapping[str, int]] = {
    "1": 1, "normal": 1, "普通": 1, "一般": 1, "low": 1, "低": 1,
    "2": 2, "urgent": 2, "紧急": 2, "加急": 2, "medium": 2, "中": 2,
    "3": 3, "emergency": 3, "特急": 3, "非常紧急": 3, "high": 3, "高": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowReader:
    """How the rows of one file are read: its mapping of columns, its template, and the zone of its times."""

    sheet: Sheet
    mapping: Mapping[str, str]
    template_code: str
    definition: TemplateDefinition
    zone: tzinfo

    def request(self, row: SheetRow) -> dict[str, Any]:
        """The row as a request in the standard shape.

        What cannot be read stays the text it is, so that the request is refused with this text in
        view; so do cells beyond the header, under the number of their column.
        """
        request: dict[str, Any] = {"template": self.template_code}
        values: dict[str, Any] = {}
        for header, place in self.mapping.items():
            text = _cell(row, self.sheet.headers.index(header))
            if not text:
                continue
            if place.startswith(VALUE):
                spec = self.definition.field_by_key[place.removeprefix(VALUE)]
                values[spec.key] = read_cell(spec, text, self.zone)
            elif place == "customer.name":
                request["customer"] = {"name": text}
            else:
                request[place] = _standard_value(place, text, self.zone)
        first_beyond = len(self.sheet.headers)
        for column, cell in enumerate(row.cells[first_beyond:], start=first_beyond + 1):
            values |= {f"#{column}": cell} if cell.strip() else {}
        return request | {"values": values} if values else request

    def problems(self, row: SheetRow) -> tuple[FieldProblem, ...]:
        """Everything that is wrong with a row before it is received, by the header of its column."""
        request = self.request(row)
        found = _problems_of(lambda: IntakeMessage.read(request, InvalidRequest))
        found += _problems_of(lambda: fill(self.definition, request.get("values", {})))
        return by_column(found, self.mapping)


def _problems_of(check: Callable[[], object]) -> tuple[FieldProblem, ...]:
    try:
        check()
    except InvalidInput as invalid:
        return invalid.problems
    return ()


def by_column(problems: Sequence[FieldProblem], mapping: Mapping[str, str]) -> tuple[FieldProblem, ...]:
    """The same problems, each under the header of the column it comes from, or its own path without one."""
    headers = {place.removeprefix(VALUE): header for header, place in mapping.items()}
    headers |= {place: header for header, place in mapping.items()}
    return tuple(FieldProblem(headers.get(each.path, each.path), each.code, each.params) for each in problems)


def _cell(row: SheetRow, index: int) -> str:
    return row.cells[index].strip() if index < len(row.cells) else ""


def _standard_value(place: str, text: str, zone: tzinfo) -> object:
    if place in _NUMBERS:
        return _float_or_text(text)
    if place in ("urgency", "impact"):
        return _LEVELS.get(text.casefold(), text)
    if place == "reported_at":
        return _instant_or_text(text, zone)
    if place == "contact_phone":
        return phone_text(text)
    return text


def _float_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _instant_or_text(text: str, zone: tzinfo) -> str:
    """A wall-clock time as an instant in the organisation's zone; one with an offset stays as it is."""
    try:
        at = datetime.fromisoformat(iso_moment(text))
    except ValueError:
        return text
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).isoformat()
