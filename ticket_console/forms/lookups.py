"""Live values of other systems, read over HTTP, and never within a transaction: they may take their time."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

import httpx

from ticket_console.forms.fields import FieldSpec, LookupSource
from ticket_console.forms.kinds import BadValue, parse_value
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.outbound import refuse_unless_allowed

TIMEOUT_SECONDS: Final = 5.0
LARGEST_ANSWER: Final = 65_536

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z0-9_.-]+)\}")


class LookupFailed(ConsoleError):
    """The source gave no value; what was read before stays."""

    code = "form.lookup_failed"
    http_status = 502


def address_of(source: LookupSource, values: Mapping[str, object]) -> str | None:
    """The address with values filled in, or None while one of them is missing."""
    wanted = {key: values.get(key) for key in _PLACEHOLDER.findall(source.url)}
    if any(value is None or isinstance(value, list | dict) for value in wanted.values()):
        return None
    return _PLACEHOLDER.sub(lambda found: quote(str(wanted[found[1]]), safe=""), source.url)


def value_at(answer: object, path: str) -> str | None:
    """The text, number or flag at a dotted way into an answer ("items.0.status"), if there is one."""
    for part in path.split(".") if path else ():
        if isinstance(answer, Mapping):
            answer = answer.get(part)
        elif isinstance(answer, list) and part.isdecimal() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return None
    if isinstance(answer, bool):
        return "true" if answer else "false"
    return str(answer) if isinstance(answer, str | int | float) and str(answer).strip() else None


def look_up(
    spec: FieldSpec,
    values: Mapping[str, object],
    *,
    at: datetime,
    hosts: Iterable[str],
    client: httpx.Client,
) -> dict[str, Any]:
    """What the source of a field says now: `{"value", "as_of"}`.

    Raises AddressNotAllowed for a host that the operator did not list, LookupFailed for everything else that
    gives no value. Redirects are not followed, and a long answer is not read to its end.
    """
    address = None if spec.lookup is None else address_of(spec.lookup, values)
    if spec.lookup is None or address is None:
        raise LookupFailed(field=spec.key)
    refuse_unless_allowed(address, hosts)
    try:
        with client.stream("GET", address, timeout=TIMEOUT_SECONDS, follow_redirects=False) as answer:
            body = _read(answer) if answer.is_success else b""
        # Numbers stay as they are written: 1.10 is 1.10, and nothing is rounded.
        found = value_at(json.loads(body, parse_int=str, parse_float=str), spec.lookup.path)
        return dict(parse_value(spec, {"value": found, "as_of": instant_text(at)}))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError, BadValue) as failure:
        raise LookupFailed(field=spec.key) from failure


def _read(answer: httpx.Response) -> bytes:
    """The body, or nothing where it is long or comes so slowly that it would keep us for ever."""
    body = b""
    ends = monotonic() + TIMEOUT_SECONDS
    for part in answer.iter_bytes():
        body += part
        if len(body) > LARGEST_ANSWER or monotonic() > ends:
            return b""
    return body
