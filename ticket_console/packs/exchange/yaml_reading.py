"""Reading YAML that anybody may have written: small, flat enough, without anchors, every key once.

Scalars are read by the rules of YAML 1.2: `no` and `12:30` are texts and not a flag and a number. Nothing
but mappings, lists, texts, numbers, flags and null comes out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ticket_console.kernel.errors import FieldProblem, InvalidInput

MOST_BYTES: Final = 4 << 20
MOST_VALUES: Final = 200_000
DEEPEST: Final = 60
LONGEST_KEY: Final = 200
# Of what lies further down, problems name the line of what it lies in: thousands of long paths would fill
# the memory.
_LONGEST_PATH: Final = 400

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS: Final = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,40}")
_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,40}(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_TEXT_TAG: Final = "tag:yaml.org,2002:str"


class BadYaml(InvalidInput):
    """`problems` name line and place within the file; `file` is the name it came under."""

    code = "exchange.bad_yaml"


@dataclass(frozen=True, slots=True)
class ReadYaml:
    """`lines` leads from a path such as `graph.nodes[3].kind` to the line it stands on."""

    data: Any
    lines: dict[str, int] = field(repr=False)

    def line_of(self, path: str) -> int | None:
        """The line of a path, or of the nearest thing around it that stands in the file."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = re.sub(r"(\[\d+\]|\.?[^.\[]+)$", "", path)
        return self.lines.get("")


def read_yaml(content: bytes, *, file: str) -> ReadYaml:
    """The plain data of a YAML file; raises `BadYaml` naming the line."""
    if len(content) > MOST_BYTES:
        raise _refusal(file, FieldProblem("", "exchange.too_large", {"limit": MOST_BYTES}))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise _refusal(file, FieldProblem("", "exchange.not_utf8", {"line": line})) from None
    try:
        return _Builder(file, yaml.parse(text, Loader=yaml.CSafeLoader)).document()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise _refusal(file, FieldProblem("", "exchange.yaml_syntax", {"line": line})) from None
    except yaml.YAMLError:
        raise _refusal(file, FieldProblem("", "exchange.yaml_character")) from None


def _refusal(file: str, problem: FieldProblem) -> BadYaml:
    return BadYaml((problem,), file=file)


class _Builder:
    """Builds plain values from the parser's events, refusing as it goes: a bomb is never unpacked."""

    def __init__(self, file: str, events: Iterator[Event]) -> None:
        self._file = file
        self._events = events
        self._values = 0
        self._lines: dict[str, int] = {}

    def document(self) -> ReadYaml:
        found: list[Any] = []
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if found:
                    raise self._wrong(event, "", "exchange.several_documents")
                found.append(self._value(next(self._events), "", 0))
        if not found:
            raise _refusal(self._file, FieldProblem("", "exchange.empty_file"))
        return ReadYaml(found[0], self._lines)

    def _value(self, event: Event, path: str, depth: int) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            raise self._wrong(event, path, "exchange.too_many_values", limit=MOST_VALUES)
        if depth > DEEPEST:
            raise self._wrong(event, path, "exchange.too_deep", limit=DEEPEST)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise self._wrong(event, path, "exchange.anchor")
        if len(path) <= _LONGEST_PATH:
            self._lines[path] = _line(event)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, CollectionStartEvent) and event.tag is not None:
            raise self._wrong(event, path, "exchange.tag", tag=str(event.tag)[:60])
        if isinstance(event, SequenceStartEvent):
            return self._list(path, depth)
        return self._mapping(path, depth)

    def _list(self, path: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            found.append(self._value(event, f"{path}[{len(found)}]", depth + 1))
        return found

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.anchor:
                raise self._wrong(event, path, "exchange.key_not_text")
            key = event.value
            if len(key) > LONGEST_KEY:
                raise self._wrong(event, path, "input.too_long", limit=LONGEST_KEY)
            inner = f"{path}.{key}" if path else key
            if "\0" in key:
                raise self._wrong(event, path, "input.bad_character")
            if key in found:
                raise self._wrong(event, inner, "exchange.key_twice", key=key[:60])
            found[key] = self._value(next(self._events), inner, depth + 1)
        return found

    def _scalar(self, event: ScalarEvent, path: str) -> str | int | float | bool | None:
        text: str = event.value
        if event.tag is not None and event.tag != _TEXT_TAG:
            raise self._wrong(event, path, "exchange.tag", tag=event.tag[:60])
        if "\0" in text:
            # No database keeps one.
            raise self._wrong(event, path, "input.bad_character")
        if event.style or event.tag == _TEXT_TAG:
            return text
        value = plain_value(text)
        if isinstance(value, int | float) and not -(2**63) < value < 2**63:
            raise self._wrong(event, path, "input.out_of_range")
        return value

    def _wrong(self, event: Event, path: str, code: str, **params: str | int) -> BadYaml:
        return _refusal(self._file, FieldProblem(path, code, {"line": _line(event), **params}))


def plain_value(text: str) -> str | int | float | bool | None:
    """What a scalar without quotes means."""
    if text in _NULL:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _line(event: Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
