"""What of a statement is signed, and the signature: Ed25519 over a short head that stands for every line.

A line counts as its digest. The head carries the hash of all digests beside payee, period, total and the
place in the chain of journals; the signature is over the canonical JSON of the head. Names of rules and
headings are wording and not signed: the code and the version of the rule are.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.csv_text import csv_cell
from ticket_console.settlement.kinds import Dimension, JournalKind

FORMAT: Final = "ticket-console/statement/1"
_CHECK_LENGTH: Final = 16


class BadKey(ValueError):
    """Not the base64 of an Ed25519 key."""


@dataclass(frozen=True, slots=True)
class SignedLine:
    """What of a line is signed. Two spellings of a text that a file cannot tell apart are one."""

    journal_seq: int
    entry: JournalKind
    ticket_no: str
    segment: str
    service_on: date
    dimension: Dimension
    rule_code: str
    rule_version: int
    item: str
    formula: str
    amount_minor: int

    @property
    def digest(self) -> str:
        content = canonical_json(
            [
                self.journal_seq,
                self.entry,
                *map(_same, (self.ticket_no, self.segment)),
                self.service_on,
                self.dimension,
                _same(self.rule_code),
                self.rule_version,
                *map(_same, (self.item, self.formula)),
                self.amount_minor,
            ]
        )
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def check(self) -> str:
        """The beginning of the digest, by which a changed line is found."""
        return self.digest[:_CHECK_LENGTH]


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed head; `signature` and `public_key` are base64."""

    head: Mapping[str, Any]
    signature: str
    public_key: str


@lru_cache(maxsize=4096)
def _same(text: str) -> str:
    """CSV quotes what could run, XLSX spells line ends its own way, and both may lose blanks."""
    if text.startswith("'") and csv_cell(text[1:]) == text:
        text = text[1:]
    return " ".join(text.replace("_x000D_", "\r").split())


def lines_hash(lines: Sequence[SignedLine]) -> str:
    return hashlib.sha256("\n".join(line.digest for line in lines).encode()).hexdigest()


def new_private_key() -> bytes:
    """The 32 bytes of a new key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_key_of(private_key: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _text(Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw())


def sign(head: Mapping[str, Any], *, private_key: bytes) -> Signature:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(private_key)
    signed = key.sign(canonical_json(head).encode())
    return Signature(dict(head), _text(signed), _text(key.public_key().public_bytes_raw()))


def is_genuine(head: Mapping[str, Any], signature: str, *, public_key: str) -> bool:
    """Whether the owner of the key signed exactly this head; raises BadKey for what is no key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
    except (binascii.Error, ValueError) as wrong:
        raise BadKey(public_key) from wrong
    try:
        key.verify(base64.b64decode(signature, validate=True), canonical_json(head).encode())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def fingerprint(public_key: str) -> str:
    """Eight groups of four, to be read to each other over the telephone."""
    digest = hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:32]
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
