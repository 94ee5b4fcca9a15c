"""Conditions: a JSON tree (react-querybuilder's form) compiled to a predicate.

    {"combinator": "and" | "or", "not": false, "rules": [{"field", "operator", "value"} | nested group, ...]}

`condition_sql` compiles the same tree for a database, `condition_analysis` says what can never hold,
`condition_sentences` puts it into words. How values compare, in all of them:

* Numbers compare exactly, as decimals: `0.1` equals `"0.10"`, and text that is a plain decimal number
  ("12.50") counts as a number. Text with leading zeros ("0123") stays text.
* Other text compares as text; ISO dates and instants therefore compare in time order.
* A fact that is missing, `None`, an empty text or an empty list is *null*. Null satisfies `null`, `!=` and
  `notIn`, and nothing else: an ordering, `between` or `contains` over null is false, never an error.
* A value of the wrong kind (text ordered against a number) does not hold, and raises nothing.
* For a fact that is a list, `contains` looks for the value among its members, `=` asks that it is the only
  member, `in` holds when any member is listed; a member that is itself a list or an object equals nothing.
* `contains` over text ignores the case of each letter: "É" is "é", but "ß" is not "ss".
* A field is compared with a value, never with another field: such a rule is refused.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.errors import FieldProblem, InvalidInput

Facts = Mapping[str, object]
Predicate = Callable[[Facts], bool]
Test = Callable[[object], bool]

# A deeper tree is a mistake or an attack; it would also exhaust the recursion of every reader.
MAX_DEPTH = 20
# Values compared with, over the whole tree: SQLite takes expressions of no more than a thousand terms.
MAX_VALUES = 400

_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_EDITOR_KEYS = frozenset({"id", "path", "valueEditorType"})
_VALUE_SOURCE = "valueSource"


class BadCondition(InvalidInput):
    code = "condition.bad"


def _scalar(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def plain_number(value: object) -> Decimal | None:
    """The exact number that a value or a fact is, if it is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value):
        return Decimal(value)
    return None


def truth_value(value: object) -> bool | None:
    """The yes or no that a value or a fact is, if it is one."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _is_null(fact: object) -> bool:
    return fact is None or fact == "" or (isinstance(fact, list | tuple) and not fact)


def _equals(operand: object) -> Test:
    number, flag = plain_number(operand), truth_value(operand)

    def one(fact: object) -> bool:
        if isinstance(fact, bool) or isinstance(operand, bool):
            return flag is not None and truth_value(fact) is flag
        fact = _scalar(fact)
        if isinstance(fact, str) and fact == operand:
            return True
        return number is not None and plain_number(fact) == number

    return one


def _is(operand: object) -> Test:
    equal = _equals(operand)

    def test(fact: object) -> bool:
        if isinstance(fact, list | tuple):
            return len(fact) == 1 and equal(fact[0])
        return equal(fact)

    return test


def _ordered(operand: object, holds: Callable[[int], bool]) -> Test:
    number = plain_number(operand)

    def test(fact: object) -> bool:
        fact = _scalar(fact)
        if number is not None:
            other = plain_number(fact)
            return other is not None and holds((other > number) - (other < number))
        if isinstance(fact, str) and isinstance(operand, str) and plain_number(fact) is None:
            return not _is_null(fact) and holds((fact > operand) - (fact < operand))
        return False

    return test


def _among(operands: Sequence[object]) -> Test:
    tests = [_equals(operand) for operand in operands]

    def test(fact: object) -> bool:
        members = fact if isinstance(fact, list | tuple) else (fact,)
        return any(each(member) for member in members if not _is_null(member) for each in tests)

    return test


def _contains(operand: object) -> Test:
    member = _equals(operand)
    needle = folded(str(operand))

    def test(fact: object) -> bool:
        if isinstance(fact, list | tuple):
            return any(member(each) for each in fact)
        fact = _scalar(fact)
        return isinstance(fact, str) and needle in folded(fact)

    return test


# Letters that have case lie below this code point; above are ideographs, emoji and nothing.
_LAST_CASED = 0x1F000


@cache
def case_pairs() -> Mapping[int, str]:
    """The other spelling of every letter whose case `contains` ignores, letter for letter.

    Foldings of one letter into several are left out: a database cannot do them.
    """
    folds = ((code, chr(code).casefold()) for code in range(_LAST_CASED))
    return {code: fold for code, fold in folds if len(fold) == 1 and ord(fold) != code}


def folded(text: str) -> str:
    """A text as `contains` compares it."""
    return text.lower() if text.isascii() else text.translate(case_pairs())


def operand_list(value: object) -> list[object]:
    """The operands of `in` and `between`: a list, or the comma-separated text the editor writes."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if isinstance(value, list | tuple) else []


def _between(value: object) -> Test:
    low, high = operand_list(value)
    above, below = _ordered(low, lambda sign: sign >= 0), _ordered(high, lambda sign: sign <= 0)
    return lambda fact: above(fact) and below(fact)


def _not(test: Test) -> Test:
    return lambda fact: not test(fact)


_OPERATORS: dict[str, Callable[[object], Test]] = {
    "=": _is,
    "!=": lambda value: _not(_is(value)),
    "<": lambda value: _ordered(value, lambda sign: sign < 0),
    "<=": lambda value: _ordered(value, lambda sign: sign <= 0),
    ">": lambda value: _ordered(value, lambda sign: sign > 0),
    ">=": lambda value: _ordered(value, lambda sign: sign >= 0),
    "in": lambda value: _among(operand_list(value)),
    "notIn": lambda value: _not(_among(operand_list(value))),
    "between": _between,
    "contains": _contains,
    "null": lambda _: _is_null,
    "notNull": lambda _: _not(_is_null),
}
OPERATORS = frozenset(_OPERATORS)
_NEED_NO_VALUE = frozenset({"null", "notNull"})
_NEED_A_LIST = frozenset({"in", "notIn", "between"})


def compile_condition(tree: object) -> Predicate:
    """The predicate of a tree; raises `BadCondition` naming everything wrong with it."""
    found = condition_problems(tree)
    if found or not isinstance(tree, Mapping):
        raise BadCondition(found)
    return _compiled(tree)


def _compiled(tree: Mapping[str, object]) -> Predicate:
    if "rules" not in tree:
        field, test = str(tree["field"]), _OPERATORS[str(tree["operator"])](tree.get("value"))
        return lambda facts: test(facts.get(field))
    parts = [_compiled(rule) for rule in _rules(tree)]
    negated = tree.get("not") is True
    if tree["combinator"] == "and":
        return lambda facts: all(part(facts) for part in parts) is not negated
    return lambda facts: any(part(facts) for part in parts) is not negated


def _rules(tree: Mapping[str, object]) -> list[Mapping[str, object]]:
    rules = tree["rules"]
    return [rule for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list | tuple) else []


def without_editor_keys(tree: object, *, depth: int = 2 * MAX_DEPTH) -> object:
    """The tree without what only an editor needs, so that opening and saving it changes no hash."""
    if depth == 0:
        return tree
    if isinstance(tree, Mapping):
        kept = {key: value for key, value in tree.items() if not _is_editors(key, value)}
        return {key: without_editor_keys(value, depth=depth - 1) for key, value in kept.items()}
    if isinstance(tree, list | tuple):
        return [without_editor_keys(part, depth=depth - 1) for part in tree]
    return tree


def _is_editors(key: object, value: object) -> bool:
    """A rule that compares with a field keeps what says so, to be refused for it and not misread."""
    return key in _EDITOR_KEYS or (key == _VALUE_SOURCE and value == "value")


def fields_of(tree: Mapping[str, object]) -> frozenset[str]:
    """Every field a well-formed tree asks about."""
    if "rules" not in tree:
        return frozenset({str(tree["field"])})
    return frozenset[str]().union(*(fields_of(rule) for rule in _rules(tree)))


def condition_problems(
    tree: object, *, fields: Collection[str] | None = None, path: str = ""
) -> tuple[FieldProblem, ...]:
    """What is wrong with a tree; with `fields` given, a field outside them is a problem too."""
    found = _problems(tree, fields, path, MAX_DEPTH)
    if not found and isinstance(tree, Mapping) and _values_in(tree) > MAX_VALUES:
        found = [FieldProblem(path, "condition.too_large", {"limit": MAX_VALUES})]
    return tuple(found)


def _values_in(tree: Mapping[str, object]) -> int:
    """With how many values a well-formed tree compares; a rule without one counts as one."""
    if "rules" in tree:
        return sum(map(_values_in, _rules(tree)))
    return len(operand_list(tree.get("value"))) if tree["operator"] in _NEED_A_LIST else 1


def _problems(tree: object, fields: Collection[str] | None, path: str, depth: int) -> list[FieldProblem]:
    if not isinstance(tree, Mapping):
        return [FieldProblem(path, "condition.not_an_object")]
    if depth == 0:
        return [FieldProblem(path, "condition.too_deep", {"limit": MAX_DEPTH})]
    if "rules" in tree:
        return _group_problems(tree, fields, path, depth)
    return _rule_problems(tree, fields, path)


def _group_problems(
    tree: Mapping[str, object], fields: Collection[str] | None, path: str, depth: int
) -> list[FieldProblem]:
    found = _unknown_keys(tree, {"combinator", "not", "rules"}, path)
    if tree.get("combinator") not in ("and", "or"):
        found.append(FieldProblem(f"{path}.combinator", "condition.unknown_combinator"))
    if not isinstance(tree.get("not", False), bool):
        found.append(FieldProblem(f"{path}.not", "condition.not_a_flag"))
    rules = tree["rules"]
    if not isinstance(rules, list | tuple) or not rules:
        found.append(FieldProblem(f"{path}.rules", "condition.empty"))
        return found
    for index, rule in enumerate(rules):
        found += _problems(rule, fields, f"{path}.rules[{index}]", depth - 1)
    return found


def _rule_problems(
    rule: Mapping[str, object], fields: Collection[str] | None, path: str
) -> list[FieldProblem]:
    found = _unknown_keys(rule, {"field", "operator", "value", _VALUE_SOURCE}, path)
    if rule.get(_VALUE_SOURCE, "value") != "value":
        found.append(FieldProblem(f"{path}.{_VALUE_SOURCE}", "condition.compares_fields"))
    field, operator = rule.get("field"), rule.get("operator")
    if not isinstance(field, str) or not field:
        found.append(FieldProblem(f"{path}.field", "condition.no_field"))
    elif fields is not None and field not in fields:
        found.append(FieldProblem(f"{path}.field", "condition.unknown_field", {"field": field}))
    if not isinstance(operator, str) or operator not in OPERATORS:
        found.append(
            FieldProblem(f"{path}.operator", "condition.unknown_operator", {"operator": str(operator)})
        )
    elif operator not in _NEED_NO_VALUE and not _fits(operator, rule.get("value")):
        found.append(FieldProblem(f"{path}.value", "condition.bad_value", {"operator": operator}))
    return found


def _fits(operator: str, value: object) -> bool:
    if operator in _NEED_A_LIST:
        operands = operand_list(value)
        enough = len(operands) == 2 if operator == "between" else bool(operands)
        return enough and all(isinstance(each, str | int | float | Decimal) for each in operands)
    return isinstance(value, str | int | float | Decimal) and value != ""


def _unknown_keys(tree: Mapping[str, object], known: set[str], path: str) -> list[FieldProblem]:
    return [
        FieldProblem(f"{path}.{key}", "condition.unknown_key", {"key": str(key)})
        for key in tree
        if key not in known and key not in _EDITOR_KEYS
    ]
