"""What a request says once it is understood, whichever channel it came by."""

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from ticket_console.forms.json_form import JsonForm
from ticket_console.kernel.errors import FieldProblem, InvalidInput

TITLE_LENGTH: Final = 200
DESCRIPTION_LENGTH: Final = 10_000
MOST_VALUES: Final = 200

# No control characters but tab and line ends: databases and spreadsheets choke on the others.
_CLEAN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_CLEAN)]
Name = Annotated[str, StringConstraints(max_length=120, pattern=_CLEAN)]
Phone = Annotated[str, StringConstraints(max_length=32, pattern=_CLEAN)]
Number = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_CLEAN)]
Title = Annotated[str, StringConstraints(max_length=TITLE_LENGTH, pattern=_CLEAN)]
Description = Annotated[str, StringConstraints(max_length=DESCRIPTION_LENGTH, pattern=_CLEAN)]
Address = Annotated[str, StringConstraints(max_length=300, pattern=_CLEAN)]
Identity = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_CLEAN)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Level = Annotated[int, Field(ge=1, le=3)]


class InvalidRequest(InvalidInput):
    """A request that says something impossible, or not enough."""

    code = "intake.invalid"


class Sender(JsonForm):
    """Who asks: the channel's own name for the person, and what they said of themselves."""

    model_config = ConfigDict(str_strip_whitespace=True)

    id: Identity | None = None
    name: Name = ""
    phone: Phone = ""


class IntakeMessage(JsonForm):
    """A request in the standard shape. This is also the body that `POST /api/v1/intake/{channel}` takes.

    Only a title or a description is needed. Without a template the words decide; `values` are the
    fields of the template; a position is both coordinates or neither.
    """

    model_config = ConfigDict(str_strip_whitespace=True)

    template: Code | None = Field(default=None, description="Code of a published template, such as `repair`.")
    title: Title = ""
    description: Description = ""
    values: dict[str, Any] = Field(
        default_factory=dict, max_length=MOST_VALUES, description="Values of the template's fields by key."
    )
    customer: Sender = Sender()
    contact_name: Name = ""
    contact_phone: Phone = ""
    address: Address = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    site: Code | None = Field(default=None, description="Code of a site; nearer than coordinates.")
    region: Code | None = Field(default=None, description="Code of a region, where no site is known.")
    department: Code | None = Field(default=None, description="Code of the territory that is responsible.")
    external_id: Number | None = Field(
        default=None, description="The source's own number; a second request with it is a duplicate."
    )
    reported_at: AwareDatetime | None = Field(
        default=None, strict=False, description="When it was reported at the source, with its zone."
    )
    urgency: Level | None = Field(default=None, description="1 normal, 2 urgent, 3 emergency.")
    impact: Level | None = Field(default=None, description="1 one person, 2 several, 3 many.")

    @model_validator(mode="after")
    def _says_something(self) -> "IntakeMessage":
        problems = []
        if not self.title and not self.description:
            problems.append(FieldProblem("title", "input.missing"))
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            problems.append(FieldProblem(missing, "input.missing"))
        if problems:
            raise InvalidRequest(tuple(problems))
        return self

    @property
    def headline(self) -> str:
        """The title, or the first line of the description where none was given."""
        return self.title or shortened(self.description)


def shortened(text: str, limit: int = 60) -> str:
    """The first line of a text, cut where it gets too long for a title."""
    line = text.strip().partition("\n")[0].strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
