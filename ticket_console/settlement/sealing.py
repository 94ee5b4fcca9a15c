"""Private keys at rest: sealed with a key made of SECRET_KEY, so that a copied database signs nothing."""

import base64
import binascii
import os
from typing import Final

_PURPOSE: Final = b"ticket-console: sealed signing key"
_NONCE_BYTES: Final = 12


class SealBroken(Exception):
    """It was sealed under another SECRET_KEY, for something else, or was changed since."""


def seal(content: bytes, *, secret: str, about: str) -> str:
    """`about` says what it belongs to and is needed to open it again."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_key(secret)).encrypt(nonce, content, about.encode())
    return base64.b64encode(nonce + sealed).decode("ascii")


def unseal(sealed: str, *, secret: str, about: str) -> bytes:
    """Raises SealBroken."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        raw = base64.b64decode(sealed, validate=True)
        return AESGCM(_key(secret)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode())
    except (InvalidTag, binascii.Error, ValueError) as broken:
        raise SealBroken from broken


def _key(secret: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
