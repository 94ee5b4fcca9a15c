"""Formulas: a small typed language of arithmetic over the other fields of a form.

    round(sum(lines.amount) * (1 - discount / 100), 2)
    if(urgent and days(ordered_on, promised_on) < 3, 200, 0)

* Names are field keys; `table.column` is a column of a table, and `{any.key-1}` a key that is no name.
* Numbers are exact to 12 decimals, halves are rounded away from zero; text stands in quotes.
* `+ - * /`, `= != < <= > >=`, `and or not`; functions `round(x, places)`, `abs`, `min`, `max`, `sum`,
  `count`, `if(condition, then, else)`, `days(from, to)`, `minutes(from, to)`.
* What is not filled in makes a result of arithmetic empty, and is passed over by `min`, `max`, `sum` and
  `count`. A comparison with it does not hold, except `!=`. Dividing by zero gives nothing, and so does a
  number of more than 18 digits before the point.

A formula is text in the definition and a tree of JSON once parsed. The tree is evaluated here and, with the
same meaning, by `components/form_rules.js` in the browser.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.kernel.errors import Param

Tree = list[Any]
Value = int | str | bool | None

LENGTH_LIMIT: Final = 1_000
_DEPTH: Final = 40
_PLACES: Final = 12
_ONE: Final = 10**_PLACES
_TOO_LARGE: Final = 10**18 * _ONE
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?")
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)|\{(?P<key>[A-Za-z0-9_.-]+)\}"
    r"|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<sign><=|>=|!=|<>|[-+*/=<>(),]))",
    re.ASCII,
)
_AS_TYPED: Final = str.maketrans(
    {"（": "(", "）": ")", "，": ",", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!="}
)


class BadFormula(ValueError):
    """A text that is no formula over the fields there are."""

    def __init__(self, code: str, **params: Param) -> None:
        self.code = code
        self.params = params
        super().__init__(code)


class Type(StrEnum):
    NUMBER = "number"
    TEXT = "text"
    FLAG = "flag"
    DATE = "date"
    MOMENT = "moment"
    COLUMN = "column"


_TYPES: Final = {
    FieldKind.NUMBER: Type.NUMBER,
    FieldKind.MONEY: Type.NUMBER,
    FieldKind.RATING: Type.NUMBER,
    FieldKind.DURATION: Type.NUMBER,
    FieldKind.FORMULA: Type.NUMBER,
    FieldKind.LOOKUP: Type.NUMBER,
    FieldKind.YES_NO: Type.FLAG,
    FieldKind.DATE: Type.DATE,
    FieldKind.DATETIME: Type.MOMENT,
    FieldKind.TEXT: Type.TEXT,
    FieldKind.CHOICE: Type.TEXT,
    FieldKind.SCAN: Type.TEXT,
    FieldKind.PART: Type.TEXT,
}


@dataclass(frozen=True, slots=True)
class Formula:
    tree: Tree
    fields: frozenset[str]

    def value(self, facts: Mapping[str, object]) -> str | None:
        """The number it comes to, as decimal text, or None where something it needs is missing."""
        result = _evaluate(self.tree, facts)
        return _text(result) if isinstance(result, int) and not isinstance(result, bool) else None


def types_of(specs: Iterable[FieldSpec]) -> dict[str, Type]:
    """The types a formula may use, by field key and by "table.column" for columns of numbers."""
    types: dict[str, Type] = {}
    for spec in specs:
        if spec.kind in _TYPES:
            types[spec.key] = _TYPES[spec.kind]
        for column in spec.columns if spec.kind is FieldKind.TABLE else ():
            if _TYPES.get(column.kind) is Type.NUMBER:
                types.setdefault(f"{spec.key}.{column.key}", Type.COLUMN)
    return types


def parse_formula(text: str, types: Mapping[str, Type]) -> Formula:
    """The formula of a text over fields of these types; raises `BadFormula`."""
    if len(text) > LENGTH_LIMIT:
        raise BadFormula("formula.too_long", limit=LENGTH_LIMIT)
    parser = _Parser(_tokens(text.translate(_AS_TYPED)), types)
    tree, result = parser.whole()
    if result is not Type.NUMBER:
        raise BadFormula("formula.not_a_number")
    return Formula(tree, frozenset(parser.fields))


def in_order(specs: Sequence[FieldSpec]) -> tuple[tuple[FieldSpec, Formula], ...]:
    """The formula fields that can be worked out, each after those it needs; no broken or circular ones."""
    types = types_of(specs)
    known: dict[str, tuple[FieldSpec, Formula]] = {}
    for spec in specs:
        if spec.kind is FieldKind.FORMULA and spec.formula is not None:
            try:
                known[spec.key] = spec, parse_formula(spec.formula, types)
            except BadFormula:
                continue
    ordered: list[tuple[FieldSpec, Formula]] = []
    while ready := [key for key, (_, formula) in known.items() if not formula.fields & known.keys()]:
        ordered += [known.pop(key) for key in ready]
    return tuple(ordered)


Token = tuple[str, str, int]


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise BadFormula("formula.unexpected", part=text[at:].strip()[:20])
        tokens.append((found.lastgroup, found[found.lastgroup], at))
        at = found.end()
    if not tokens:
        raise BadFormula("formula.empty")
    return tokens


Typed = tuple[Tree, Type]
_COMPARED: Final = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_WORDS: Final = frozenset({"and", "or", "not", "true", "false"})


class _Parser:
    """Descends by precedence: or, and, not, comparison, sum, product, sign, atom."""

    def __init__(self, tokens: list[Token], types: Mapping[str, Type]) -> None:
        self._tokens = tokens
        self._types = types
        self._at = 0
        self._depth = 0
        self.fields: set[str] = set()

    def whole(self) -> Typed:
        typed = self._either()
        if self._at < len(self._tokens):
            raise self._unexpected()
        return typed

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at][:2] if self._at < len(self._tokens) else ("end", "")

    def _take(self, *wanted: str) -> str | None:
        """The next sign or word, if it is one of these."""
        kind, text = self._peek()
        if kind not in ("sign", "name") or text not in wanted:
            return None
        self._at += 1
        return text

    def _unexpected(self) -> BadFormula:
        return BadFormula("formula.unexpected", part=self._peek()[1][:20] or "…")

    def _expect(self, sign: str) -> None:
        if self._take(sign) is None:
            raise self._unexpected()

    def _either(self) -> Typed:
        self._depth += 1
        if self._depth > _DEPTH:
            raise BadFormula("formula.too_deep")
        left = self._both()
        while self._take("or"):
            left = self._flags("or", left, self._both())
        self._depth -= 1
        return left

    def _both(self) -> Typed:
        left = self._negated()
        while self._take("and"):
            left = self._flags("and", left, self._negated())
        return left

    def _negated(self) -> Typed:
        turns = 0
        while self._take("not"):
            turns += 1
        tree, kind = self._compared()
        if turns:
            _need(kind, Type.FLAG)
        return (["not", tree], kind) if turns % 2 else (tree, kind)

    def _compared(self) -> Typed:
        left, kind = self._sum()
        sign = self._take(*_COMPARED)
        if sign is None:
            return left, kind
        right, other = self._sum()
        _need(other, kind)
        if kind is Type.COLUMN or (kind in (Type.TEXT, Type.FLAG) and sign not in ("=", "!=", "<>")):
            raise BadFormula("formula.wrong_type", part=sign)
        return ["!=" if sign == "<>" else sign, left, right], Type.FLAG

    def _sum(self) -> Typed:
        left = self._product()
        while sign := self._take("+", "-"):
            left = _numbers(sign, left, self._product())
        return left

    def _product(self) -> Typed:
        left = self._signed()
        while sign := self._take("*", "/"):
            left = _numbers(sign, left, self._signed())
        return left

    def _signed(self) -> Typed:
        minus = False
        while sign := self._take("-", "+"):
            minus ^= sign == "-"
        tree, kind = self._atom()
        if minus:
            _need(kind, Type.NUMBER)
            return ["-", ["number", "0"], tree], kind
        return tree, kind

    def _atom(self) -> Typed:
        kind, text = self._peek()
        if self._take("("):
            typed = self._either()
            self._expect(")")
            return typed
        if kind == "number":
            self._at += 1
            number = _number(text)
            if number is None:
                raise BadFormula("formula.unexpected", part=text[:20])
            return ["number", str(number)], Type.NUMBER
        if kind in ("double", "single"):
            self._at += 1
            return ["text", text], Type.TEXT
        if kind == "name" and text in ("true", "false"):
            self._at += 1
            return ["flag", text == "true"], Type.FLAG
        if kind not in ("name", "key") or (kind == "name" and text in _WORDS):
            raise self._unexpected()
        self._at += 1
        if kind == "name" and self._take("("):
            return self._call(text)
        return self._field(text)

    def _field(self, name: str) -> Typed:
        kind = self._types.get(name)
        if kind is None:
            raise BadFormula("formula.unknown_field", field=name)
        if kind is Type.COLUMN:
            table, _, column = name.partition(".")
            self.fields.add(table)
            return ["column", table, column], kind
        self.fields.add(name)
        return ["field", name, kind.value], kind

    def _call(self, name: str) -> Typed:
        arguments: list[Typed] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._either())
        check = _FUNCTIONS.get(name)
        if check is None:
            raise BadFormula("formula.unknown_function", name=name)
        return [name, *(tree for tree, _ in arguments)], check(name, arguments)

    @staticmethod
    def _flags(word: str, left: Typed, right: Typed) -> Typed:
        _need(left[1], Type.FLAG)
        _need(right[1], Type.FLAG)
        return [word, left[0], right[0]], Type.FLAG


def _numbers(sign: str, left: Typed, right: Typed) -> Typed:
    _need(left[1], Type.NUMBER)
    _need(right[1], Type.NUMBER)
    return [sign, left[0], right[0]], Type.NUMBER


def _need(given: Type, wanted: Type) -> None:
    if given is not wanted:
        raise BadFormula("formula.wrong_type", part=given.value)


def _count(name: str, arguments: Sequence[Typed], least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise BadFormula("formula.arguments", name=name)


def _gathers(name: str, arguments: Sequence[Typed]) -> Type:
    _count(name, arguments, 1, 50)
    for _, kind in arguments:
        if kind is not Type.COLUMN:
            _need(kind, Type.NUMBER)
    return Type.NUMBER


def _rounds(name: str, arguments: Sequence[Typed]) -> Type:
    _count(name, arguments, 1, 2)
    _need(arguments[0][1], Type.NUMBER)
    if len(arguments) == 2:
        places = arguments[1][0]
        if places[0] != "number" or int(places[1]) % _ONE or int(places[1]) > _PLACES * _ONE:
            raise BadFormula("formula.arguments", name=name)
    return Type.NUMBER


def _absolute(name: str, arguments: Sequence[Typed]) -> Type:
    _count(name, arguments, 1, 1)
    _need(arguments[0][1], Type.NUMBER)
    return Type.NUMBER


def _chooses(name: str, arguments: Sequence[Typed]) -> Type:
    _count(name, arguments, 3, 3)
    _need(arguments[0][1], Type.FLAG)
    _need(arguments[2][1], arguments[1][1])
    if arguments[1][1] is Type.COLUMN:
        raise BadFormula("formula.wrong_type", part=Type.COLUMN.value)
    return arguments[1][1]


def _spans(name: str, arguments: Sequence[Typed]) -> Type:
    _count(name, arguments, 2, 2)
    first, second = arguments[0][1], arguments[1][1]
    if first not in (Type.DATE, Type.MOMENT) or (name == "minutes" and first is Type.DATE):
        raise BadFormula("formula.wrong_type", part=first.value)
    _need(second, first)
    return Type.NUMBER


_FUNCTIONS: Final[Mapping[str, Callable[[str, Sequence[Typed]], Type]]] = {
    "round": _rounds,
    "abs": _absolute,
    "min": _gathers,
    "max": _gathers,
    "sum": _gathers,
    "count": _gathers,
    "if": _chooses,
    "days": _spans,
    "minutes": _spans,
}


def _evaluate(tree: Tree, facts: Mapping[str, object]) -> Value:
    kind = tree[0]
    if kind == "number":
        return int(tree[1])
    if kind in ("text", "flag"):
        return tree[1]  # type: ignore[no-any-return]
    if kind == "field":
        return _typed(facts.get(tree[1]), tree[2])
    if kind == "if":
        return _evaluate(tree[2 if _evaluate(tree[1], facts) is True else 3], facts)
    if kind in ("min", "max", "sum", "count"):
        return _gathered(kind, _listed(tree[1:], facts))
    if kind in ("and", "or"):
        holds = (_evaluate(part, facts) is True for part in tree[1:])
        return all(holds) if kind == "and" else any(holds)
    values = [_evaluate(part, facts) for part in tree[1:]]
    if kind == "not":
        return values[0] is not True
    if kind == "!=":
        return not _holds("=", values)
    if kind in _COMPARED:
        return _holds(kind, values)
    if any(value is None for value in values):
        return None
    return _limited(_OPERATIONS[kind](*values))


def _typed(fact: object, kind: str) -> Value:
    if isinstance(fact, Mapping):
        fact = fact.get("value")
    if kind == Type.FLAG:
        return fact if isinstance(fact, bool) else None
    if kind == Type.NUMBER:
        return None if isinstance(fact, bool) or not isinstance(fact, str | int) else _number(str(fact))
    return fact if isinstance(fact, str) and fact else None


def _number(text: str) -> int | None:
    """A decimal text in units of the last of 12 places; None for what is no number or too large."""
    found = _NUMBER.fullmatch(text)
    if found is None or not (found[2] or found[3]) or len(text) > 40:
        return None
    digits = f"{found[2]}{found[3] or ''}"
    value = _divided(int(digits) * _ONE, 10 ** len(found[3] or ""))
    return _limited(-value if found[1] == "-" else value)


def _limited(value: int | None) -> int | None:
    return None if value is None or abs(value) >= _TOO_LARGE else value


def _listed(parts: Sequence[Tree], facts: Mapping[str, object]) -> list[int]:
    values: list[Value] = []
    for part in parts:
        if part[0] == "column":
            rows = facts.get(part[1])
            values += [
                _typed(row.get(part[2]), Type.NUMBER)
                for row in (rows if isinstance(rows, list | tuple) else ())
                if isinstance(row, Mapping)
            ]
        else:
            values.append(_evaluate(part, facts))
    return [value for value in values if isinstance(value, int) and not isinstance(value, bool)]


def _gathered(name: str, values: list[int]) -> Value:
    if name == "count":
        return len(values) * _ONE
    if name == "sum":
        return _limited(sum(values))
    if not values:
        return None
    return min(values) if name == "min" else max(values)


def _holds(sign: str, values: Sequence[Any]) -> bool:
    left, right = values
    if left is None or right is None:
        return False
    return _COMPARISONS[sign](left, right)


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _divided(dividend: int, divisor: int) -> int:
    """Halves are rounded away from zero."""
    whole, rest = divmod(abs(dividend), abs(divisor))
    whole += 2 * rest >= abs(divisor)
    return whole if (dividend < 0) == (divisor < 0) else -whole


def _over(left: int, right: int) -> int | None:
    return None if right == 0 else _divided(left * _ONE, right)


def _rounded(value: int, places: int = 0) -> int:
    unit: int = 10 ** (_PLACES - places // _ONE)
    return _divided(value, unit) * unit


def _instant(text: str) -> datetime | date:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


def _span(unit: timedelta) -> Callable[[str, str], int | None]:
    def span(since: str, until: str) -> int | None:
        try:
            first, last = _instant(since), _instant(until)
            if isinstance(first, datetime) and isinstance(last, datetime):
                lasted = (last - _EPOCH) - (first - _EPOCH)
            else:
                lasted = last - first
        except (TypeError, ValueError):
            return None
        return _divided((lasted // timedelta(microseconds=1)) * _ONE, unit // timedelta(microseconds=1))

    return span


_OPERATIONS: Final[Mapping[str, Callable[..., int | None]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: _divided(left * right, _ONE),
    "/": _over,
    "abs": abs,
    "round": _rounded,
    "days": _span(timedelta(days=1)),
    "minutes": _span(timedelta(minutes=1)),
}


def _text(value: int) -> str:
    whole, rest = divmod(abs(value), _ONE)
    text = f"{whole}.{rest:0{_PLACES}}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text
