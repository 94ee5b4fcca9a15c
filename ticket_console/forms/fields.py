"""What a template says about one field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ticket_console.kernel.conditions import Predicate, compile_condition, condition_problems
from ticket_console.kernel.text import LocalText


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    DURATION = "duration"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    YES_NO = "yes_no"
    RATING = "rating"
    PHONE = "phone"
    PERSON = "person"
    CUSTOMER = "customer"
    ASSET = "asset"
    PART = "part"
    PARTS = "parts"
    LOCATION = "location"
    ADDRESS = "address"
    PHOTO = "photo"
    FILE = "file"
    SIGNATURE = "signature"
    SCAN = "scan"
    LOOKUP = "lookup"
    FORMULA = "formula"
    TABLE = "table"
    CHECKLIST = "checklist"
    HEADING = "heading"


class Sensitivity(StrEnum):
    """Who may see a value at all: customers too, staff, those who see costs, those who see settlements."""

    PUBLIC = "public"
    INTERNAL = "internal"
    COST = "cost"
    SETTLEMENT = "settlement"


class Colour(StrEnum):
    """Names, so that each theme can show them in a shade that reads well."""

    GREY = "grey"
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"


class FieldState(StrEnum):
    """A hidden field is asked for no more; what was entered before stays with its tickets."""

    ACTIVE = "active"
    HIDDEN = "hidden"


class Width(StrEnum):
    HALF = "half"
    FULL = "full"


class Highlight(StrEnum):
    DANGER = "danger"
    WARN = "warn"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class When:
    """A condition over the values of other fields, by their keys."""

    tree: Mapping[str, object]
    _predicate: Predicate | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        sound = not condition_problems(self.tree)
        object.__setattr__(self, "_predicate", compile_condition(self.tree) if sound else None)

    def holds(self, facts: Mapping[str, object], *, otherwise: bool) -> bool:
        """Whether it holds; `otherwise` for one that is not finished yet, as drafts have them."""
        return otherwise if self._predicate is None else self._predicate(facts)


@dataclass(frozen=True, slots=True)
class RateBinding:
    """The published version of a rule set that work is settled by where the option was chosen."""

    rule_set: str
    version: int


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: LocalText
    colour: Colour | None = None
    rates: RateBinding | None = None


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    key: str
    text: LocalText


@dataclass(frozen=True, slots=True)
class LookupSource:
    """Where a live value comes from: an address of HTTP, and where in its JSON answer the value stands.

    `{field key}` in the address is filled in with the value of that field. `path` is a dotted way into
    the answer ("data.items.0.status"); an empty one takes the answer itself. A value older than
    `refresh_seconds` is stale.
    """

    url: str
    path: str = ""
    refresh_seconds: int = 900


@dataclass(frozen=True, slots=True)
class FieldNotice:
    """Who hears of a value: "assignee", "customer" or "role:<role>"."""

    to: str
    channel: str
    text: LocalText


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a field does while a condition holds: it is highlighted, or somebody is told once it begins to."""

    when: When
    style: Highlight | None = None
    notify: FieldNotice | None = None


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """`minimum` and `maximum` bound a number, amount or date, the length of a text, or a count of members.

    `at_opening` fields are asked for when the request is made; the others belong to a later step of the
    flow, and the flow says there whether they are required. `starts` and `ends` bound when the field is
    asked for at all. `converts` names the field of another kind that this one takes the place of. One that
    `locks` is entered once: from then on it can only be read.
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
    unit: str = ""
    width: Width | None = None
    state: FieldState = FieldState.ACTIVE
    starts: datetime | None = None
    ends: datetime | None = None
    visible_when: When | None = None
    required_when: When | None = None
    behaviours: tuple[Behaviour, ...] = ()
    columns: tuple["FieldSpec", ...] = ()
    items: tuple[ChecklistItem, ...] = ()
    formula: str | None = None
    lookup: LookupSource | None = None
    accepts: tuple[str, ...] = ()
    converts: str | None = None
    locks: bool = False

    def is_in_use(self, at: datetime | None) -> bool:
        """Whether the field is asked for at an instant: not hidden, and within its time if one is given."""
        is_in_time = at is None or (
            (self.starts is None or self.starts <= at) and (self.ends is None or at < self.ends)
        )
        return self.state is FieldState.ACTIVE and is_in_time
