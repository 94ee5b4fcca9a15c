"""Telling another system by an HTTP call whose body is signed.

The receiver takes `t` and `v1` out of the header `Console-Signature: t=<unix seconds>,v1=<hex>` and
compares `v1` with HMAC-SHA256 over `<t>.<body>`, keyed with the key of the organisation's webhooks.
`Console-Delivery` is the same for every attempt of one message.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import httpx

from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.outbound import AddressNotAllowed, refuse_unless_allowed
from ticket_console.notices.outbox import Message, SendingFailed

# Each for connecting, for sending and for the answer.
TIMEOUT_SECONDS: Final = 5.0
# The receiver will say the same tomorrow; but it may be busy (408, 425, 429) or broken for now (5xx).
_WORTH_ANOTHER_TRY: Final = frozenset({408, 425, 429})


def signing_key(*, secret: str, org_id: int) -> str:
    """The key an organisation's receivers check signatures with; it follows from the secret key."""
    return hmac.new(secret.encode(), f"webhook:{org_id}".encode(), hashlib.sha256).hexdigest()


def signature(*, key: str, at: datetime, body: bytes) -> str:
    """The value of the header `Console-Signature`."""
    seconds = str(int(at.timestamp()))
    digest = hmac.new(key.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def post(message: Message, *, at: datetime, secret: str, hosts: Iterable[str], client: httpx.Client) -> None:
    """Deliver a message to the address it is meant for; raises SendingFailed.

    Redirects are not followed: the list of hosts speaks of the address that was drawn.
    """
    try:
        refuse_unless_allowed(message.recipient, hosts)
    except AddressNotAllowed as refusal:
        raise SendingFailed(refusal.code, for_good=True) from refusal
    body = canonical_json(message.payload).encode()
    headers = {
        "Content-Type": "application/json",
        "Console-Delivery": str(message.id),
        "Console-Signature": signature(
            key=signing_key(secret=secret, org_id=message.org_id), at=at, body=body
        ),
    }
    try:
        # Only how it was answered matters: what the receiver has to say is not read, however long it is.
        with client.stream(
            "POST",
            message.recipient,
            content=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
        ) as answer:
            status = answer.status_code
    except httpx.InvalidURL as failure:
        raise SendingFailed(type(failure).__name__, for_good=True) from failure
    except httpx.HTTPError as failure:
        raise SendingFailed(type(failure).__name__) from failure
    if not 200 <= status < 300:
        again = status >= 500 or status in _WORTH_ANOTHER_TRY
        raise SendingFailed(f"HTTP {status}", for_good=not again)
