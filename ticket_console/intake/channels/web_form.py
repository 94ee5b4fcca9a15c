"""An answer to a public form, by somebody who has not logged in."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from ticket_console.forms.json_form import JsonForm
from ticket_console.intake.channels.channel import Channel, Payload, read_standard
from ticket_console.intake.messages import (
    MOST_VALUES,
    Address,
    Code,
    Description,
    IntakeMessage,
    InvalidRequest,
    Latitude,
    Longitude,
    Name,
    Phone,
    Title,
)
from ticket_console.intake.refusals import LooksAutomatic


class FormAnswer(JsonForm):
    """What a stranger may say; who they are to us, and how urgent it is, the desk decides."""

    model_config = ConfigDict(str_strip_whitespace=True)

    template: Code | None = Field(default=None, description="Taken from the address.")
    title: Title = ""
    description: Description = ""
    contact_name: Name = ""
    contact_phone: Phone = ""
    address: Address = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    values: dict[str, Any] = Field(
        default_factory=dict, max_length=MOST_VALUES, description="Values of the form's fields by key."
    )
    website: str = Field(default="", description="Leave empty: a page hides it, so only programs fill it in.")


def read(payload: Payload) -> IntakeMessage:
    answer = FormAnswer.read(payload, InvalidRequest)
    if answer.website:
        raise LooksAutomatic()
    return read_standard(answer.model_dump(exclude={"website"}, exclude_unset=True))


def number(payload: Payload) -> str | None:
    """None: a stranger must not find out which numbers are taken."""
    return None


WEB_FORM: Final = Channel("web_form", "typed", read, number, for_strangers=True)
