"""Reading parts of a rule set from JSON: every problem is kept with its path."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar

from ticket_console.kernel import conditions
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement.facts import FIELDS

E = TypeVar("E", bound=StrEnum)

# What a condition may ask for; FIELDS also names some values ("urgency=urgent").
CONDITION_FIELDS: Final = frozenset(key for key in FIELDS if "=" not in key)
_LARGEST: Final = Decimal(10) ** 12
_MOST_PLACES: Final = 24
_MOST_DIGITS: Final = 40
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_MOST_WORDS: Final = 200
_LONGEST_WORD: Final = 64


class Reader:
    """Reads one object of the document."""

    def __init__(self, raw: object, path: str) -> None:
        self.raw: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        self.path = path
        self.problems: list[FieldProblem] = []
        if not isinstance(raw, Mapping):
            self.wrong("", "not_a_rule")

    def wrong(self, key: str, code: str, /, **params: str | int) -> None:
        path = f"{self.path}.{key}" if key else self.path
        self.problems.append(FieldProblem(path, f"settlement.rules.{code}", params))

    def member(self, key: str, kind: type[E], default: E | None = None) -> E | None:
        raw = self.raw.get(key, default)
        try:
            return kind(raw)
        except ValueError:
            self.wrong(key, "unknown_word", word=str(raw))
            return None

    def code(self, key: str) -> str:
        raw = self.raw.get(key)
        if isinstance(raw, str) and _CODE.fullmatch(raw):
            return raw
        self.wrong(key, "bad_code")
        return ""

    def name(self) -> dict[str, str]:
        raw = self.raw.get("name")
        if isinstance(raw, Mapping) and all(isinstance(raw.get(each), str) and raw[each] for each in LOCALES):
            return {locale: raw[locale] for locale in LOCALES}
        self.wrong("name", "no_name")
        return {}

    def whole(self, key: str) -> int:
        raw = self.raw.get(key)
        if isinstance(raw, int) and not isinstance(raw, bool):
            return raw
        self.wrong(key, "not_a_whole_number")
        return 0

    def number(self, key: str, raw: object) -> Decimal:
        """Binary fractions are refused: 0.1 must be written as text to mean a tenth."""
        if isinstance(raw, str | int) and not isinstance(raw, bool):
            try:
                number = Decimal(raw)
            except InvalidOperation:
                number = Decimal("NaN")
            if number.is_infinite() or (number.is_finite() and abs(number) > _LARGEST):
                self.wrong(key, "not_finite", limit=f"{_LARGEST:,f}")
                return Decimal(0)
            if number.is_finite() and _is_long(number):
                self.wrong(key, "too_fine", places=_MOST_PLACES)
                return Decimal(0)
            if number.is_finite():
                return number
        self.wrong(key, "not_a_number")
        return Decimal(0)

    def when(self) -> Mapping[str, Any] | None:
        raw = self.raw.get("when")
        if raw is None:
            return None
        found = conditions.condition_problems(raw, fields=CONDITION_FIELDS, path=f"{self.path}.when")
        self.problems += found
        tree = conditions.without_editor_keys(raw)
        return tree if isinstance(tree, Mapping) and not found else None

    def refuse_unknown(self, known: Iterable[str]) -> None:
        for key in sorted(set(self.raw) - set(known), key=str):
            self.wrong(str(key), "unknown_key", key=str(key))

    def words(self, key: str) -> tuple[str, ...]:
        """A list of distinct codes, sorted; absent means none."""
        raw = self.raw.get(key) or ()
        if (
            isinstance(raw, list | tuple)
            and len(raw) <= _MOST_WORDS
            and all(isinstance(each, str) and 0 < len(each) <= _LONGEST_WORD for each in raw)
        ):
            return tuple(sorted(set(raw)))
        self.wrong(key, "not_a_list")
        return ()

    def members(self, key: str, kind: type[E], default: tuple[E, ...]) -> tuple[E, ...]:
        raw = self.raw.get(key)
        if raw is None:
            return default
        known = {each.value for each in kind}
        if (
            isinstance(raw, list | tuple)
            and raw
            and all(isinstance(each, str) and each in known for each in raw)
        ):
            return tuple(each for each in kind if each.value in raw)
        self.wrong(key, "not_a_list")
        return default

    def day(self, key: str) -> date | None:
        raw = self.raw.get(key)
        if raw is None:
            return None
        try:
            return date.fromisoformat(raw)
        except (TypeError, ValueError):
            self.wrong(key, "not_a_day")
            return None


def _is_long(number: Decimal) -> bool:
    """Whether a number is more than anybody writes: twelve characters can stand for a billion digits."""
    _, digits, exponent = number.as_tuple()
    return not isinstance(exponent, int) or abs(exponent) > _MOST_PLACES or len(digits) > _MOST_DIGITS
