"""Points to go through, each found in order, faulty or not there."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any, Final

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Setting, Showing
from ticket_console.forms.kinds.reading import json_cell, line_of, members, read_json
from ticket_console.i18n import translate
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import pick

NOTE_LIMIT = 300
STATES: Final = ("ok", "problem", "na")


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> list[dict[str, str]]:
    """Lines of `{"key", "state", "note"?}`, in the order of the items."""
    known = {item.key for item in spec.items}
    lines: dict[str, dict[str, str]] = {}
    for line in members(raw):
        if not isinstance(line, dict) or not {"key", "state"} <= line.keys() <= {"key", "state", "note"}:
            raise BadValue("field.bad_checklist")
        key, state = line["key"], line["state"]
        if not isinstance(key, str) or key not in known or key in lines or state not in STATES:
            raise BadValue("field.bad_checklist")
        note = line_of(line.get("note") or "", NOTE_LIMIT)
        lines[key] = {"key": key, "state": state, **({"note": note} if note else {})}
    return [lines[item.key] for item in spec.items if item.key in lines]


def is_complete(spec: FieldSpec, value: object) -> bool:
    """Whether every item has been gone through."""
    return isinstance(value, list) and {line["key"] for line in value} >= {item.key for item in spec.items}


def _show(spec: FieldSpec, value: list[dict[str, str]], to: Showing) -> str:
    names = {item.key: pick(item.text, to.locale) or item.key for item in spec.items}
    return "; ".join(_line(names, line, to) for line in value)


def _line(names: dict[str, str], line: dict[str, str], to: Showing) -> str:
    said = f"{names.get(line['key'], line['key'])}: {translate('kind.checklist.' + line['state'], to.locale)}"
    return f"{said} ({line['note']})" if line.get("note") else said


def _schema(spec: FieldSpec) -> dict[str, Any]:
    line = {
        "type": "object",
        "required": ["key", "state"],
        "additionalProperties": False,
        "properties": {
            "key": {"type": "string", "enum": [item.key for item in spec.items]},
            "state": {"type": "string", "enum": list(STATES)},
            "note": {"type": "string", "maxLength": NOTE_LIMIT},
        },
    }
    return {"type": "array", "maxItems": len(spec.items), "items": line}


def _check(spec: FieldSpec) -> Iterator[FieldProblem]:
    path = f"fields.{spec.key}.items"
    keys = [item.key for item in spec.items]
    if not keys:
        yield FieldProblem(path, "template.no_items")
    is_named = all(any(text.strip() for text in item.text.values()) for item in spec.items)
    if len(set(keys)) < len(keys) or not is_named:
        yield FieldProblem(path, "template.bad_items")


KIND = Kind(
    kind=FieldKind.CHECKLIST,
    group=PaletteGroup.CHOICE,
    icon="clipboard-check",
    renderer="ChecklistInput",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=json_cell,
    read=read_json,
    check=_check,
    settings=(Setting("items", Editor.ITEMS),),
    has_default=False,
)
