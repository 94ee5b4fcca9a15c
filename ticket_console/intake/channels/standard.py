"""Channels whose senders speak the standard shape: programs, web sites, event desks, files."""

from typing import Final

from ticket_console.intake.channels.channel import Channel, number_in, read_standard

API: Final = Channel("api", "channel", read_standard, number_in("external_id"))
WEBSITE: Final = Channel("website", "channel", read_standard, number_in("external_id"))
EVENT: Final = Channel("event", "channel", read_standard, number_in("external_id"))
IMPORT: Final = Channel("import", "import", read_standard, number_in("external_id"))
OTHER: Final = Channel("other", "channel", read_standard, number_in("external_id"))
