"""Conditions as the texts that process tools keep: written as FEEL, read from FEEL, JUEL and the like."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ticket_console.kernel.conditions import MAX_DEPTH, condition_problems
from ticket_console.kernel.documents import MAX_INTEGER

Tree = dict[str, Any]

_LONGEST: Final = 4_000
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?![\w.]))"
    r"|(?P<name>[^\W\d][\w.]*)"
    r"|(?P<sign>==|!=|<>|<=|>=|&&|\|\||[=<>!()\[\],]))"
)
_COMPARED: Final = {
    "=": "=", "==": "=", "eq": "=", "!=": "!=", "<>": "!=", "ne": "!=",
    "<": "<", "lt": "<", "<=": "<=", "le": "<=", ">": ">", "gt": ">", ">=": ">=", "ge": ">=",
}  # fmt: skip
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_LITERALS: Final = {"true": True, "True": True, "false": False, "False": False}
_NULLS: Final = frozenset({"null", "None", "nil"})
_WORDS: Final = frozenset({"and", "or", "not", "in", "between"})


def written(tree: Mapping[str, Any]) -> str:
    """A condition tree as a FEEL expression."""
    if "rules" not in tree:
        return _rule(str(tree.get("field")), str(tree.get("operator")), tree.get("value"))
    parts = [written(rule) for rule in tree["rules"]]
    joined = f" {tree.get('combinator', 'and')} ".join(
        f"({part})" if len(parts) > 1 and "rules" in rule else part
        for part, rule in zip(parts, tree["rules"], strict=True)
    )
    return f"not({joined})" if tree.get("not") is True else joined


def _rule(field: str, operator: str, value: Any) -> str:
    if operator in ("in", "notIn"):
        test = f"{field} in ({', '.join(map(_literal, _listed(value)))})"
        return test if operator == "in" else f"not({test})"
    if operator == "between":
        low, high = [*_listed(value), None, None][:2]
        return f"{field} between {_literal(low)} and {_literal(high)}"
    if operator == "contains":
        return f"contains({field}, {_literal(value)})"
    if operator in ("null", "notNull"):
        return f"{field} {'=' if operator == 'null' else '!='} null"
    return f"{field} {operator} {_literal(value)}"


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if isinstance(value, list | tuple) else []


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def read(text: str) -> Tree | None:
    """The condition a text means, or None for one that we do not understand in full."""
    bare = _bare(text)
    if not bare or len(bare) > _LONGEST:
        return None
    try:
        reader = _Reader(_tokens(bare))
        tree = reader.either(0)
        reader.expect_end()
    except _NotUnderstood:
        return None
    whole = tree if "rules" in tree else {"combinator": "and", "rules": [tree]}
    return None if condition_problems(whole) else whole


def _bare(text: str) -> str:
    """Without what marks a text as an expression: `${...}`, `#{...}`, `=...`."""
    bare = text.strip()
    wrapped = re.fullmatch(r"[$#]\{(.*)\}", bare, re.DOTALL)
    if wrapped:
        return wrapped[1].strip()
    return bare[1:].strip() if bare.startswith("=") and not bare.startswith("==") else bare


class _NotUnderstood(Exception):
    pass


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        matched = _TOKEN.match(text, at)
        if matched is None or matched.lastgroup is None:
            raise _NotUnderstood
        found.append((matched.lastgroup, matched[matched.lastgroup]))
        at = matched.end()
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            raise _NotUnderstood

    def either(self, depth: int) -> Tree:
        return self._joined(depth, "or", ("or", "||"), lambda: self._all(depth))

    def _all(self, depth: int) -> Tree:
        return self._joined(depth, "and", ("and", "&&"), lambda: self._one(depth))

    def _joined(self, depth: int, combinator: str, words: tuple[str, ...], part: Callable[[], Tree]) -> Tree:
        if depth >= MAX_DEPTH - 2:
            raise _NotUnderstood
        parts = [part()]
        while self._takes(*words):
            parts.append(part())
        return parts[0] if len(parts) == 1 else {"combinator": combinator, "rules": parts}

    def _one(self, depth: int) -> Tree:
        if depth >= MAX_DEPTH - 2:
            raise _NotUnderstood
        if self._takes("!", "not"):
            inner = self._one(depth + 1)
            group = (
                inner if "rules" in inner and "not" not in inner else {"combinator": "and", "rules": [inner]}
            )
            return {"combinator": group["combinator"], "not": True, "rules": group["rules"]}
        if self._takes("("):
            inner = self.either(depth + 1)
            self._must(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Tree:
        kind, text = self._next()
        if kind == "name" and text == "contains" and self._takes("("):
            field = self._field()
            self._must(",")
            value = self._value()
            self._must(")")
            return {"field": field, "operator": "contains", "value": value}
        if kind != "name" or text in _LITERALS or text in _NULLS or text in _WORDS:
            return self._turned(kind, text)
        if text.endswith(".equals") and self._takes("("):
            value = self._value()
            self._must(")")
            return {"field": text.removesuffix(".equals"), "operator": "=", "value": value}
        if self._takes("in"):
            return {"field": text, "operator": "in", "value": self._list()}
        if self._takes("between"):
            low = self._value()
            self._must("and")
            return {"field": text, "operator": "between", "value": [low, self._value()]}
        operator = self._operator()
        if operator is None:
            return {"field": text, "operator": "=", "value": True}
        return self._compared(text, operator, self._next())

    def _turned(self, kind: str, text: str) -> Tree:
        """`5 < level` is `level > 5`."""
        operator = self._operator()
        if operator is None:
            raise _NotUnderstood
        return self._compared(self._field(), _TURNED[operator], (kind, text))

    def _compared(self, field: str, operator: str, operand: tuple[str, str]) -> Tree:
        if operand[1] in _NULLS and operand[0] == "name":
            if operator not in ("=", "!="):
                raise _NotUnderstood
            return {"field": field, "operator": "null" if operator == "=" else "notNull"}
        return {"field": field, "operator": operator, "value": _value_of(*operand)}

    def _operator(self) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at][1] in _COMPARED:
            return _COMPARED[self._next()[1]]
        return None

    def _list(self) -> list[Any]:
        closing = ")" if self._takes("(") else "]" if self._takes("[") else None
        if closing is None:
            raise _NotUnderstood
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        self._must(closing)
        return values

    def _field(self) -> str:
        kind, text = self._next()
        if kind != "name" or text in _LITERALS or text in _NULLS:
            raise _NotUnderstood
        return text

    def _value(self) -> Any:
        return _value_of(*self._next())

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _NotUnderstood
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, *words: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] in {
            (kind, word) for word in words for kind in ("name", "sign")
        }:
            self._at += 1
            return True
        return False

    def _must(self, word: str) -> None:
        if not self._takes(word):
            raise _NotUnderstood


def _value_of(kind: str, text: str) -> Any:
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind == "number":
        number = float(text) if "." in text else int(text)
        if abs(number) > MAX_INTEGER:
            raise _NotUnderstood
        return number
    if kind == "name" and text in _LITERALS:
        return _LITERALS[text]
    raise _NotUnderstood
