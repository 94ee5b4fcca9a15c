"""What a kind of field is made of. Each module beside this one defines one kind as its `KIND`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.kernel.errors import FieldProblem, Param

Cell = str | int | Decimal | bool | date | datetime | None


class BadValue(ValueError):
    """What was entered is no value of the field; `filling` names the field, `at` the place within it."""

    def __init__(self, code: str, *, at: str = "", **params: Param) -> None:
        self.code = code
        self.at = at
        self.params = params
        super().__init__(code)


class PaletteGroup(StrEnum):
    TEXT = "text"
    NUMBERS = "numbers"
    TIME = "time"
    CHOICE = "choice"
    RECORDS = "records"
    PLACES = "places"
    FILES = "files"
    LIVE = "live"
    LAYOUT = "layout"


class Editor(StrEnum):
    """How the inspector edits a setting."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    PATTERN = "pattern"
    OPTIONS = "options"
    COLUMNS = "columns"
    ITEMS = "items"
    FORMULA = "formula"
    LOOKUP = "lookup"
    ACCEPTS = "accepts"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a field by its key in the JSON of a definition."""

    name: str
    editor: Editor

    @property
    def label(self) -> str:
        """The key of its name in the catalogs."""
        return f"kind.setting.{self.name}"


@dataclass(frozen=True, slots=True)
class Showing:
    """For whom a value is written out. `names` has what is called by a number, by kind and number."""

    locale: str
    zone: tzinfo = UTC
    names: Mapping[FieldKind, Mapping[object, str]] = field(default_factory=dict)

    def name(self, kind: FieldKind, key: object) -> str:
        return self.names.get(kind, {}).get(key) or f"#{key}"


# From a kept value to what the other kind reads.
Conversion = Callable[[FieldSpec, Any, Showing], object]
Parse = Callable[[FieldSpec, object, tzinfo | None], object]


def _no_problems(spec: FieldSpec) -> Iterator[FieldProblem]:
    return iter(())


def _as_written(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Everything the console knows of one kind of field.

    `parse` gets the field, what was entered (never blank) and the zone wall-clock times are meant in, and
    answers with the value as it is kept, in plain JSON, which it reads back unchanged; raises `BadValue`.
    `schema` describes to callers of the API what may be entered. `show` writes a kept value for people;
    `cell` is what an exported table holds of it, and `read` turns the text of such a cell, or of a file that
    people wrote, into what `parse` takes. `check` finds what is wrong with the settings of a field.
    `converts` declares which kinds a field of this one may become, and how its values are handed over.
    A value of a kind that is not `is_entered` is never asked for: the console makes it, or there is none.
    """

    kind: FieldKind
    group: PaletteGroup
    icon: str
    renderer: str
    parse: Parse
    schema: Callable[[FieldSpec], dict[str, Any]]
    show: Callable[[FieldSpec, Any, Showing], str]
    cell: Callable[[FieldSpec, Any, Showing], Cell]
    read: Callable[[FieldSpec, str, tzinfo | None], object] = _as_written
    check: Callable[[FieldSpec], Iterator[FieldProblem]] = _no_problems
    settings: tuple[Setting, ...] = ()
    converts: Mapping[FieldKind, Conversion] = field(default_factory=dict)
    is_entered: bool = True
    has_default: bool = True

    @property
    def label(self) -> str:
        """The key of its name in the catalogs."""
        return f"kind.{self.kind.value}"

    @property
    def group_label(self) -> str:
        return f"kind.group.{self.group.value}"

    @property
    def setting_names(self) -> frozenset[str]:
        return frozenset(setting.name for setting in self.settings)


def bounds(editor: Editor) -> tuple[Setting, Setting]:
    return Setting("min", editor), Setting("max", editor)
