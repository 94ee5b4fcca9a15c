"""Where the console may call out to. Addresses are typed by people, so the operator names the hosts.

Without the list, a manager could have the server ask for what only the server can reach.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from ticket_console.kernel.errors import ConsoleError

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Programs that read addresses disagree about these: one drops them, another one takes them for an end.
_AMBIGUOUS: Final = re.compile(r"[\x00-\x20\x7f\\]")


class AddressNotAllowed(ConsoleError):
    """The operator did not list the host, or the text is no http address."""

    code = "outbound.not_allowed"
    http_status = 422


def is_web_address(url: str) -> bool:
    """Whether this is an http(s) address with a host, without a user name in it, that all read alike."""
    if _AMBIGUOUS.search(url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    has_user = parts.username is not None or parts.password is not None
    return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and port != 0 and not has_user


def refuse_unless_allowed(url: str, hosts: Iterable[str]) -> None:
    """Raise AddressNotAllowed unless the host is on the list.

    An entry is `host`, `host:port` or `*.domain` (any host below it); one without a port means the default
    port of the scheme. Names are compared, not what they resolve to: who lists a name trusts who runs it.
    Redirects must not be followed by the caller, or the list would mean nothing.
    """
    if not is_web_address(url) or not any(_matches(url, entry) for entry in hosts):
        raise AddressNotAllowed(address=_shown(url))


def _matches(url: str, entry: str) -> bool:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    name, _, port = entry.lower().partition(":")
    default = _DEFAULT_PORTS[parts.scheme]
    if (parts.port or default) != (int(port) if port else default):
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def _shown(url: str) -> str:
    """The address without what may be secret in it."""
    return url.partition("?")[0][:200]
