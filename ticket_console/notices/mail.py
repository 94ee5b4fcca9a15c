"""Telling somebody by e-mail: handed to the operator's SMTP server, sent once that server has taken it.

A repetition carries the same `Message-ID`, by which mail programs know it.
"""

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from ticket_console.kernel.text import LOCALES
from ticket_console.notices.outbox import Message, SendingFailed

# For connecting, and for each answer of the server.
TIMEOUT_SECONDS: Final = 5.0
_PORTS: Final = {"smtp": 587, "smtps": 465}
_PERMANENT: Final = 500
# The server does not know us, or wants us to log in: the operator mends that, and the letter is as good then.
_OURS_TO_MEND: Final = frozenset({530, 534, 535, 538})


def send(message: Message, *, at: datetime, server: str, sender: str, address: str) -> None:
    """Hand a notice to the server; raises SendingFailed, for good where the server will never take it."""
    letter = letter_of(message, at=at, sender=sender, address=address)
    parts = urlsplit(server)
    try:
        with _connected(parts) as smtp:
            if parts.username is not None:
                smtp.login(unquote(parts.username), unquote(parts.password or ""))
            smtp.send_message(letter, from_addr=sender, to_addrs=[address])
    except smtplib.SMTPRecipientsRefused as refusal:
        code, said = next(iter(refusal.recipients.values()))
        raise SendingFailed(_told(code, said), for_good=_is_for_good(code)) from refusal
    except smtplib.SMTPResponseException as refusal:
        raise SendingFailed(
            _told(refusal.smtp_code, refusal.smtp_error), for_good=_is_for_good(refusal.smtp_code)
        ) from refusal
    except (OSError, smtplib.SMTPException) as failure:
        raise SendingFailed(type(failure).__name__) from failure


def letter_of(message: Message, *, at: datetime, sender: str, address: str) -> EmailMessage:
    """The notice as a letter: the ticket's number as its subject, the text in every language there is."""
    letter = EmailMessage()
    letter["Subject"] = _one_line(str(message.payload.get("no", "")))
    letter["From"] = sender
    letter["To"] = _one_line(address)
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<notice-{message.id}@{sender.partition('@')[2]}>"
    said = message.payload.get("text", {})
    texts = dict.fromkeys(said[locale] for locale in LOCALES if said.get(locale))
    # Not every server passes on more than seven bits.
    letter.set_content("\n\n".join(texts), cte="base64")
    return letter


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _connected(parts: SplitResult) -> smtplib.SMTP:
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        smtp.ehlo()
        # A password never goes over an open line, a letter does where the server cannot do better.
        if smtp.has_extn("starttls") or parts.username is not None:
            smtp.starttls(context=context)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _is_for_good(code: int) -> bool:
    return code >= _PERMANENT and code not in _OURS_TO_MEND


def _told(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"SMTP {code} {_one_line(text)}"
