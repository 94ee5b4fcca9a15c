"""Which patterns a template may ask texts to match.

Python's matcher backtracks: a careless pattern can keep a processor busy for minutes. Patterns are written by
customers, so one that could run away is refused when the template is published.
"""

import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

PATTERN_LIMIT = 200
# Each repeat can be tried in as many ways as it has lengths, and the ways of several repeats multiply.
_MOST_WAYS = 1_000_000
_LONGEST_TEXT = 500

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
_REFUSED = (
    _constants.GROUPREF,
    _constants.GROUPREF_EXISTS,
    _constants.ASSERT,
    _constants.ASSERT_NOT,
)


def is_safe_pattern(pattern: str) -> bool:
    """Whether a pattern compiles and can be tried on any text in few enough ways.

    Always refused: a repeat or a choice within a repeat, back references, and looking around.
    """
    if len(pattern) > PATTERN_LIMIT:
        return False
    try:
        re.compile(pattern)
        return _ways(_parser.parse(pattern), repeated=False) <= _MOST_WAYS
    except (re.error, OverflowError, RecursionError):
        return False


def _ways(parsed: Any, *, repeated: bool) -> int:
    """In how many ways the matcher may have to try; more than allowed where the number has no bound."""
    ways = 1
    for operation, argument in parsed:
        is_repeat = operation in _REPEATS
        if operation in _REFUSED or (repeated and (is_repeat or operation is _constants.BRANCH)):
            return _MOST_WAYS + 1
        if operation is _constants.BRANCH:
            ways *= sum(_ways(way, repeated=False) for way in argument[1])
        elif operation is _constants.SUBPATTERN:
            ways *= _ways(argument[-1], repeated=repeated)
        elif is_repeat:
            least, most, inner = argument
            lengths = min(most, _LONGEST_TEXT) - min(least, _LONGEST_TEXT) + 1
            ways *= lengths * _ways(inner, repeated=most > 1)
    return ways
