"""Channels whose senders speak the standard shape: programs, web pages, event desks, files."""

from typing import Final

from ticket_console.intake.channels.channel import Channel, Payload, number_in, read_standard
from ticket_console.intake.messages import IntakeMessage
from ticket_console.intake.refusals import LooksAutomatic


def _read_form(payload: Payload) -> IntakeMessage:
    """A public form: `website` is the field its page hides, and only programs fill it in."""
    if payload.get("website"):
        raise LooksAutomatic()
    return read_standard({key: value for key, value in payload.items() if key != "website"})


def _no_number(payload: Payload) -> str | None:
    """A stranger's form must not find out which numbers are taken."""
    return None


API: Final = Channel("api", "channel", read_standard, number_in("external_id"))
WEBSITE: Final = Channel("website", "channel", read_standard, number_in("external_id"))
EVENT: Final = Channel("event", "channel", read_standard, number_in("external_id"))
IMPORT: Final = Channel("import", "import", read_standard, number_in("external_id"))
WEB_FORM: Final = Channel("web_form", "typed", _read_form, _no_number)
OTHER: Final = Channel("other", "channel", read_standard, number_in("external_id"))
