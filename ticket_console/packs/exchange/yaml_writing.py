"""Plain JSON data as YAML that a person reviews: one order of keys, one line per label and per rule."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from ticket_console.packs.exchange.yaml_reading import plain_value

WIDTH: Final = 110
# Keys are written in this order wherever they stand, so that a change moves no line; others follow by name.
_ORDER: Final = (
    "kind", "schema", "format", "code", "key", "active", "scope", "ref", "name", "title", "label", "text",
    "description", "help", "business_line", "ticket_class", "icon", "is_public", "keywords", "flow", "owner",
    "columns", "category", "source", "target", "stage", "type", "state", "weight", "order", "default",
    "required", "at_opening", "sensitivity", "width", "unit", "min", "max", "pattern", "op", "dimension",
    "on", "to", "channel", "combinator", "not", "field", "operator", "value", "sku", "qty", "mode", "role",
    "skill", "sticky", "delay_seconds", "after_seconds", "until", "calendar", "join", "join_count", "when",
    "visible_when", "required_when", "guard", "template", "urgency", "impact", "also", "patch", "tz", "week",
    "days", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "ticket", "story", "expected", "handlers",
    "handler", "fields", "options", "items", "permissions", "acts", "evidence", "checklist", "documents",
    "parts", "targets", "notices", "set", "actions", "subflow", "survey", "segment", "effective_from",
    "currency", "definition", "graph", "stages", "nodes", "edges", "sections", "rules", "versions", "drawing",
    "x", "y",
)  # fmt: skip
_RANK: Final = {key: rank for rank, key in enumerate(_ORDER)}
_SCALARS: Final = (str, int, float, bool, type(None))
_LOCALES: Final = frozenset({"zh", "en"})
# A mapping this small reads better as one line than as a block.
_SMALL: Final = 4
# What YAML takes for a line break or will not show at all; between double quotes it is spelled out.
_BREAKING: Final = re.compile("[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff]")


class _Writer(yaml.SafeDumper):
    """Block style with lists set in, short mappings in one line, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def in_key_order(self, data: Mapping[str, Any]) -> yaml.nodes.MappingNode:
        node = self.represent_mapping("tag:yaml.org,2002:map", _ordered(data))
        node.flow_style = _fits_a_line(data)
        return node

    def as_list(self, data: list[Any]) -> yaml.nodes.SequenceNode:
        node = self.represent_sequence("tag:yaml.org,2002:seq", data)
        node.flow_style = all(isinstance(each, _SCALARS) for each in data) and len(str(data)) < WIDTH // 2
        return node

    def as_text(self, data: str) -> yaml.nodes.ScalarNode:
        style = None if plain_value(data) == data else "'"
        # A text of several lines is shown as such where YAML can give it back exactly.
        if "\n" in data and not any(line != line.strip() for line in data.split("\n")):
            style = "|"
        if _BREAKING.search(data):
            style = '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Writer.add_representer(dict, _Writer.in_key_order)
_Writer.add_representer(list, _Writer.as_list)
_Writer.add_representer(str, _Writer.as_text)


def write_yaml(document: Mapping[str, Any], *, heading: str) -> bytes:
    """The document as YAML; equal documents give equal bytes. `heading` is a comment of one line."""
    body = yaml.dump(
        document,
        Dumper=_Writer,
        allow_unicode=True,
        default_flow_style=False,
        sort_keys=False,
        width=WIDTH,
    )
    return f"# {heading}\n{body}".encode()


def _ordered(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    if data.keys() <= _LOCALES:
        return [(locale, data[locale]) for locale in ("zh", "en") if locale in data]
    return sorted(data.items(), key=lambda item: (_RANK.get(item[0], len(_RANK)), item[0]))


def _fits_a_line(data: Mapping[str, Any]) -> bool:
    return (
        len(data) <= _SMALL
        and all(isinstance(each, _SCALARS) for each in data.values())
        and not any(isinstance(each, str) and "\n" in each for each in data.values())
        and len(str(dict(data))) < WIDTH
    )
