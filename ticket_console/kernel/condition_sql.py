"""Conditions compiled to SQL: the rows they select are exactly those whose facts satisfy the predicate.

Neither database compares as `conditions` does by itself: SQLite knows no exact decimals, PostgreSQL orders
text by the rules of a language, and both fold case differently. So every rule is spelled out, as a test that
is true or false and never null, and is turned around as a whole where it is negated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ticket_console.kernel.conditions import (
    BadCondition,
    case_pairs,
    condition_problems,
    folded,
    operand_list,
    plain_number,
    truth_value,
)
from ticket_console.kernel.errors import ConsoleError

# PostgreSQL's decimals end at 131,072 digits; nobody writes a tenth of that.
_MOST_DIGITS: Final = 10_000
_NUMBER_PATTERN: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"

Condition = sa.ColumnElement[bool]
Sign = Literal["<", "<=", "=", ">=", ">"]
_ORDERED: Final[Mapping[str, Sign]] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}


class ConditionNotInSql(ConsoleError):
    """A well-formed condition that a database cannot be asked; `field` says about which fact."""

    code = "condition.not_in_sql"
    http_status = 422


@dataclass(frozen=True, slots=True)
class WholeFact:
    """A column of whole numbers."""

    column: sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class TextFact:
    """A text: a column, or an expression that is one."""

    column: sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class FlagFact:
    column: sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class InstantFact:
    """A column of instants, kept as `kernel.database.UtcDateTime` keeps them."""

    column: sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class JsonFact:
    """A value kept as canonical JSON in a row of its own; no row, no value.

    `belongs` says, for a fresh alias of `rows`, which of them is the fact's; at most one may be.
    """

    rows: sa.Table
    value: str
    belongs: Callable[[sa.FromClause], Condition]


SqlFact = WholeFact | TextFact | FlagFact | InstantFact | JsonFact


def compile_where(tree: object, columns: Mapping[str, SqlFact], *, dialect: str) -> Condition:
    """The tree as a condition on rows, for "sqlite" or "postgresql".

    Raises `BadCondition` for a tree that is not well-formed or asks for a fact that `columns` does not have,
    and `ConditionNotInSql` for a value that no row could be asked for.
    """
    problems = condition_problems(tree, fields=columns.keys())
    if problems or not isinstance(tree, Mapping):
        raise BadCondition(problems)
    return _compiled(tree, columns, _SPELLINGS[dialect])


def _compiled(tree: Mapping[str, Any], columns: Mapping[str, SqlFact], spelling: "_Spelling") -> Condition:
    if "rules" not in tree:
        return _rule(tree, columns[tree["field"]], spelling)
    parts = [_compiled(rule, columns, spelling) for rule in tree["rules"]]
    joined = sa.and_(*parts) if tree["combinator"] == "and" else sa.or_(*parts)
    return sa.not_(joined.self_group()) if tree.get("not") is True else joined.self_group()


def _rule(rule: Mapping[str, Any], fact: SqlFact, spelling: "_Spelling") -> Condition:
    operator, value = rule["operator"], rule.get("value")
    if operator in _NEGATED:
        return sa.not_(_rule({**rule, "operator": _NEGATED[operator]}, fact, spelling))
    operands = [_Operand.of(each, rule["field"]) for each in _values(operator, value)]
    if isinstance(fact, JsonFact):
        return _json_test(operator, operands, fact, spelling)
    scalar = _SCALARS[type(fact)](fact.column, spelling)
    return sa.func.coalesce(_scalar_test(operator, operands, scalar, spelling), sa.false())


_NEGATED: Final = {"!=": "=", "notIn": "in", "null": "notNull"}


def _values(operator: str, value: object) -> Sequence[object]:
    if operator == "notNull":
        return ()
    return operand_list(value) if operator in ("in", "between") else (value,)


@dataclass(frozen=True, slots=True)
class _Operand:
    """What a fact is compared with, under each of the guises it may have."""

    number: Decimal | None
    flag: bool | None
    text: str | None
    needle: str

    @classmethod
    def of(cls, value: object, field: str) -> "_Operand":
        number = plain_number(value)
        if number is not None and abs(number.adjusted()) + len(number.as_tuple().digits) > _MOST_DIGITS:
            raise ConditionNotInSql(field=field)
        needle = str(value)
        if "\0" in needle or any("\ud800" <= char <= "\udfff" for char in needle):
            raise ConditionNotInSql(field=field)
        return cls(number, truth_value(value), value if isinstance(value, str) else None, needle)


@dataclass(frozen=True, slots=True)
class _Scalar:
    """One fact, or one member of a list, as the expressions it can be compared by; None: never by that.

    `number` is what the spelling compares numbers by, null for a fact that is none.
    """

    is_there: Condition
    text: sa.ColumnElement[Any] | None = None
    flag: sa.ColumnElement[Any] | None = None
    number: sa.ColumnElement[Any] | None = None


class _Spelling(Protocol):
    """How one database says what both must mean."""

    def number_in(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]: ...
    def number_of(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]: ...
    def compare(self, number: sa.ColumnElement[Any], sign: Sign, operand: Decimal) -> Condition: ...
    def instant(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]: ...
    def bytewise(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]: ...
    def folded(self, text: sa.ColumnElement[Any], needle: str) -> sa.ColumnElement[Any]: ...
    def position(self, text: sa.ColumnElement[Any], needle: str) -> sa.ColumnElement[int]: ...
    def members(self, value: sa.ColumnElement[Any]) -> "_Members": ...


@dataclass(frozen=True, slots=True)
class _Members:
    """A JSON value opened up: its own kind, and a row for it or for each of its members."""

    rows: sa.FromClause
    member: _Scalar
    is_list: Condition
    is_object: Condition
    is_text: Condition
    length: sa.ColumnElement[int]


def _whole(column: sa.ColumnElement[Any], spelling: _Spelling) -> _Scalar:
    return _Scalar(is_there=column.is_not(None), number=spelling.number_of(column))


def _text(column: sa.ColumnElement[Any], spelling: _Spelling) -> _Scalar:
    text = spelling.bytewise(column)
    return _Scalar(is_there=column != "", text=text, number=spelling.number_in(column))


def _flag(column: sa.ColumnElement[Any], spelling: _Spelling) -> _Scalar:
    return _Scalar(is_there=column.is_not(None), flag=column)


def _instant(column: sa.ColumnElement[Any], spelling: _Spelling) -> _Scalar:
    return _Scalar(is_there=column.is_not(None), text=spelling.bytewise(spelling.instant(column)))


_SCALARS: Final[Mapping[type, Callable[[sa.ColumnElement[Any], _Spelling], _Scalar]]] = {
    WholeFact: _whole,
    TextFact: _text,
    FlagFact: _flag,
    InstantFact: _instant,
}


def _scalar_test(
    operator: str, operands: Sequence[_Operand], scalar: _Scalar, spelling: _Spelling
) -> Condition:
    if operator == "notNull":
        return scalar.is_there
    if operator in ("=", "in"):
        equal = sa.or_(sa.false(), *(_equal(each, scalar, spelling) for each in operands))
        return sa.and_(scalar.is_there, equal)
    if operator == "between":
        low, high = operands
        return sa.and_(_order(">=", low, scalar, spelling), _order("<=", high, scalar, spelling))
    if operator == "contains":
        return _within_text(operands[0], scalar, spelling)
    return _order(_ORDERED[operator], operands[0], scalar, spelling)


def _equal(operand: _Operand, scalar: _Scalar, spelling: _Spelling) -> Condition:
    tests: list[Condition] = []
    if operand.flag is not None and scalar.flag is not None:
        tests.append(scalar.flag.is_(sa.true() if operand.flag else sa.false()))
    if scalar.text is not None:
        if operand.flag is not None:
            tests.append(scalar.text == ("true" if operand.flag else "false"))
        elif operand.text is not None and operand.number is None:
            tests.append(scalar.text == operand.text)
    if operand.number is not None and scalar.number is not None:
        tests.append(spelling.compare(scalar.number, "=", operand.number))
    return _any(tests)


def _order(sign: Sign, operand: _Operand, scalar: _Scalar, spelling: _Spelling) -> Condition:
    if operand.number is not None:
        if scalar.number is None:
            return sa.false()
        return spelling.compare(scalar.number, sign, operand.number)
    if operand.text is None or scalar.text is None:
        return sa.false()
    ordered: Condition = scalar.text.op(sign, is_comparison=True)(operand.text)
    # Text that is a number is ordered among numbers only.
    no_number = sa.true() if scalar.number is None else scalar.number.is_(None)
    return sa.and_(scalar.is_there, ordered, no_number)


def _within_text(operand: _Operand, scalar: _Scalar, spelling: _Spelling) -> Condition:
    if scalar.text is None:
        return sa.false()
    return _holds_letters(scalar.text, operand, spelling)


def _holds_letters(text: sa.ColumnElement[Any], operand: _Operand, spelling: _Spelling) -> Condition:
    needle = folded(operand.needle)
    return spelling.position(spelling.folded(text, needle), needle) > 0


@cache
def _other_cases() -> Mapping[str, str]:
    """By letter the other spellings of it."""
    found: dict[str, str] = {}
    for code, letter in case_pairs().items():
        found[letter] = found.get(letter, "") + chr(code)
    return found


def _json_test(operator: str, operands: Sequence[_Operand], fact: JsonFact, spelling: _Spelling) -> Condition:
    rows = fact.rows.alias()
    value = rows.c[fact.value]
    opened = spelling.members(value)
    if operator == "notNull":
        # A list without members has no row here; an object is never null, with members or without.
        holds = sa.or_(opened.is_object, opened.is_list, opened.member.is_there)
        source = rows.outerjoin(opened.rows, sa.true())
        holds = sa.and_(holds, sa.or_(sa.not_(opened.is_list), opened.length > 0))
    else:
        source = rows.join(opened.rows, sa.true())
        holds = sa.and_(sa.not_(opened.is_object), _member_test(operator, operands, opened, spelling))
    return sa.exists(sa.select(sa.literal(1)).select_from(source).where(fact.belongs(rows), holds))


def _member_test(
    operator: str, operands: Sequence[_Operand], opened: _Members, spelling: _Spelling
) -> Condition:
    if operator == "contains":
        letters = _within_text(operands[0], opened.member, spelling)
        member = _scalar_test("=", operands, opened.member, spelling)
        return sa.or_(sa.and_(opened.is_list, member), sa.and_(opened.is_text, letters))
    test = _scalar_test(operator, operands, opened.member, spelling)
    if operator == "in":
        return test
    alone = sa.not_(opened.is_list)
    return sa.and_(test, sa.or_(alone, opened.length == 1) if operator == "=" else alone)


def _any(tests: Sequence[Condition]) -> Condition:
    return sa.or_(sa.false(), *tests)


class _Sqlite:
    """SQLite has no decimals: numbers are compared by their `decimal_key`, which Python computes for it."""

    def number_in(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.decimal_key(text)

    def number_of(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.decimal_key(column)

    def compare(self, number: sa.ColumnElement[Any], sign: Sign, operand: Decimal) -> Condition:
        compared: Condition = number.op(sign, is_comparison=True)(_key_of(operand))
        return compared

    def instant(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.replace(sa.type_coerce(column, sa.Text), " ", "T").op("||")("Z")

    def bytewise(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return text

    def folded(self, text: sa.ColumnElement[Any], needle: str) -> sa.ColumnElement[Any]:
        return sa.func.folded(text)

    def position(self, text: sa.ColumnElement[Any], needle: str) -> sa.ColumnElement[int]:
        return sa.func.instr(text, needle)

    def members(self, value: sa.ColumnElement[Any]) -> _Members:
        raw = sa.type_coerce(value, sa.Text)
        rows = sa.func.json_each(raw).table_valued("type", "fullkey")
        kind, place = rows.c.type, rows.c.fullkey
        text = raw.op("->>", return_type=sa.Text())(place)
        # The number as it is written: taken as a number it would be rounded to fifteen digits.
        digits = raw.op("->", return_type=sa.Text())(place)
        return _Members(
            rows=rows,
            member=_Scalar(
                is_there=sa.and_(kind != "null", sa.or_(kind != "text", text != "")),
                text=sa.case((kind == "text", text)),
                flag=sa.case((kind == "true", sa.true()), (kind == "false", sa.false())),
                number=sa.case(
                    (kind == "text", sa.func.decimal_key(text)),
                    (kind.in_(("integer", "real")), sa.func.json_decimal_key(digits)),
                ),
            ),
            is_list=sa.func.coalesce(sa.func.json_type(raw) == "array", sa.false()),
            is_object=sa.func.coalesce(sa.func.json_type(raw) == "object", sa.false()),
            is_text=sa.func.json_type(raw) == "text",
            length=sa.func.json_array_length(raw),
        )


def decimal_key(fact: str | int | None) -> str | None:
    """A text for a number that sorts where the number does; None for what is no number."""
    number = plain_number(fact)
    return None if number is None else _key_of(number)


def json_decimal_key(written: str | None) -> str | None:
    """The same for a number in JSON, which may be written with an exponent."""
    return None if written is None else _key_of(Decimal(written))


def _folded(text: str | None) -> str | None:
    return None if text is None else folded(text)


# What a SQLite connection must be given before it can be asked a compiled condition.
SQLITE_FUNCTIONS: Final[Mapping[str, Callable[..., str | None]]] = {
    "folded": _folded,
    "decimal_key": decimal_key,
    "json_decimal_key": json_decimal_key,
}
_NINES_COMPLEMENT: Final = str.maketrans("0123456789", "9876543210")


def _key_of(number: Decimal) -> str:
    if not number:
        return "1"
    whole, _, behind = format(abs(number), "f").partition(".")
    # The point sorts before every digit: 12 comes before 12.5.
    whole = whole.lstrip("0") or "0"
    size = f"{len(whole):07d}{whole}.{behind.rstrip('0')}"
    return f"2{size}" if number > 0 else f"0{size.translate(_NINES_COMPLEMENT)}~"


class _Postgresql:
    """Numbers are decimals of the database; text is compared byte by byte."""

    def number_in(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.case((text.regexp_match(_NUMBER_PATTERN), sa.cast(text, sa.Numeric)))

    def number_of(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(column, sa.Numeric)

    def compare(self, number: sa.ColumnElement[Any], sign: Sign, operand: Decimal) -> Condition:
        bound = sa.cast(sa.bindparam(None, format(operand, "f"), sa.Text()), sa.Numeric)
        compared: Condition = number.op(sign, is_comparison=True)(bound)
        return compared

    def instant(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.to_char(sa.func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')

    def bytewise(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.collate(sa.cast(text, sa.Text), "C")

    def folded(self, text: sa.ColumnElement[Any], needle: str) -> sa.ColumnElement[Any]:
        # The letters of the needle are the only ones whose case can matter.
        others = _other_cases()
        pairs = [(other, letter) for letter in sorted(set(needle)) for other in others.get(letter, "")]
        return sa.func.translate(text, *map("".join, zip(*pairs, strict=True))) if pairs else text

    def position(self, text: sa.ColumnElement[Any], needle: str) -> sa.ColumnElement[int]:
        return sa.func.strpos(text, needle)

    def members(self, value: sa.ColumnElement[Any]) -> _Members:
        opened = sa.cast(sa.type_coerce(value, sa.Text), JSONB)
        kind_of_all = sa.func.jsonb_typeof(opened)
        as_list = sa.case((kind_of_all == "array", opened), else_=sa.func.jsonb_build_array(opened))
        rows = sa.func.jsonb_array_elements(as_list).table_valued(sa.column("value", JSONB))
        one = rows.c.value
        kind = sa.func.jsonb_typeof(one)
        text = one.op("#>>", return_type=sa.Text())(sa.text("'{}'"))
        numeric = sa.or_(kind == "number", sa.and_(kind == "string", text.regexp_match(_NUMBER_PATTERN)))
        return _Members(
            rows=rows,
            member=_Scalar(
                is_there=sa.and_(kind != "null", sa.or_(kind != "string", text != "")),
                text=self.bytewise(sa.case((kind == "string", text))),
                flag=sa.case((kind == "boolean", sa.cast(text, sa.Boolean))),
                number=sa.case((numeric, sa.cast(text, sa.Numeric))),
            ),
            is_list=sa.func.coalesce(kind_of_all == "array", sa.false()),
            is_object=sa.func.coalesce(kind_of_all == "object", sa.false()),
            is_text=kind_of_all == "string",
            length=sa.case((kind_of_all == "array", sa.func.jsonb_array_length(opened)), else_=0),
        )


_SPELLINGS: Final[Mapping[str, _Spelling]] = {"sqlite": _Sqlite(), "postgresql": _Postgresql()}
