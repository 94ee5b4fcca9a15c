"""One spelling for a telephone number, so that the same number is found again."""

import re
from typing import Final

_NOT_DIALLED: Final = re.compile(r"[^\d+]")
_MAINLAND: Final = re.compile(r"(?:\+|00)86(?=\d{7,})")


def dialled(phone: str) -> str:
    """The digits somebody would dial from mainland China; other countries keep their plus."""
    bare = _NOT_DIALLED.sub("", phone)
    return _MAINLAND.sub("", bare, count=1) if bare.startswith(("+86", "0086")) else bare
