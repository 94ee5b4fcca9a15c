"""One module per channel, and the table that finds it by name."""

import re
from collections.abc import Mapping
from typing import Final

from ticket_console.intake.channels.boston311 import BOSTON311
from ticket_console.intake.channels.channel import Channel, Payload
from ticket_console.intake.channels.phone import PHONE
from ticket_console.intake.channels.standard import API, EVENT, IMPORT, OTHER, WEBSITE
from ticket_console.intake.channels.web_form import WEB_FORM
from ticket_console.intake.channels.wechat import WECHAT
from ticket_console.kernel.errors import ConsoleError

__all__ = ["CHANNELS", "Channel", "MalformedChannel", "Payload", "channel_named", "checked_name"]

CHANNELS: Final[Mapping[str, Channel]] = {
    each.source: each for each in (API, BOSTON311, EVENT, IMPORT, OTHER, PHONE, WEB_FORM, WEBSITE, WECHAT)
}
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class MalformedChannel(ConsoleError):
    """A channel name that could never be one, so that nothing is kept under it."""

    code = "intake.malformed_channel"
    http_status = 422


def checked_name(name: str) -> str:
    """The name, if it can be a channel's; raises MalformedChannel."""
    if not _NAME.fullmatch(name):
        raise MalformedChannel(name=name[:40])
    return name


def channel_named(name: str) -> Channel:
    """The channel of a name; one nobody has written yet is read in the standard shape as `other`."""
    return CHANNELS.get(name, OTHER)
