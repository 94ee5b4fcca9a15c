"""What a template says about one field."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from ticket_console.kernel.text import LocalText


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    YES_NO = "yes_no"
    RATING = "rating"
    PHONE = "phone"
    PHOTO = "photo"
    FILE = "file"
    SIGNATURE = "signature"
    LOCATION = "location"
    PARTS = "parts"


class Sensitivity(StrEnum):
    """Who may see a value at all: customers too, staff, those who see costs, those who see settlements."""

    PUBLIC = "public"
    INTERNAL = "internal"
    COST = "cost"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: LocalText


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """`minimum` and `maximum` bound a number, amount or date, the length of a text, or a count of members.

    `at_opening` fields are asked for when the request is made; the others belong to a later step of the
    flow, and the flow says there whether they are required.
    """

    key: str
    kind: FieldKind
    label: LocalText
    required: bool = False
    at_opening: bool = True
    help: LocalText = field(default_factory=dict)
    sensitivity: Sensitivity = Sensitivity.PUBLIC
    options: tuple[Option, ...] = ()
    default: object = None
    pattern: str | None = None
    minimum: Decimal | str | None = None
    maximum: Decimal | str | None = None
