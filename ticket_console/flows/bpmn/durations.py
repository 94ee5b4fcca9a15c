"""Times as process tools write them: ISO 8601 durations, bare or wrapped in an expression."""

import re
from typing import Final

_DURATION: Final = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?"
)
_SECONDS: Final = (604_800, 86_400, 3_600, 60, 1)


def seconds_of(text: str) -> int | None:
    """The seconds of a duration; years and months have no fixed length, and cycles no end: None."""
    bare = re.sub(r"^=?\s*duration\((.*)\)$|^[$#]\{(.*)\}$|^=", r"\1\2", text.strip()).strip().strip("\"'")
    matched = _DURATION.fullmatch(bare)
    if matched is None or bare in ("P", "PT") or not any(matched.groups()):
        return None
    return sum(int(part) * unit for part, unit in zip(matched.groups(), _SECONDS, strict=True) if part)
