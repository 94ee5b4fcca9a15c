"""A live value of another system, kept with the moment it was read at.

Nobody enters it: `forms.lookups` reads the source and keeps what it said.
"""

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any
from urllib.parse import urlsplit

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Setting, Showing
from ticket_console.forms.kinds.reading import json_cell, moment_of, read_json, text_of, with_unit
from ticket_console.i18n import translate
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.errors import FieldProblem

VALUE_LIMIT = 2_000

_WITHOUT_FIELDS = re.compile(r"\{[A-Za-z0-9_.-]+\}")


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> dict[str, object]:
    if not isinstance(raw, dict) or raw.keys() != {"value", "as_of"} or not isinstance(raw["as_of"], str):
        raise BadValue("field.not_entered")
    at = moment_of(raw["as_of"], None)
    if at is None or at.tzinfo is None:
        raise BadValue("field.bad_datetime")
    try:
        return {"value": text_of(raw["value"], VALUE_LIMIT), "as_of": instant_text(at)}
    except OverflowError:
        raise BadValue("field.bad_datetime") from None


def _show(spec: FieldSpec, value: dict[str, Any], to: Showing) -> str:
    shown = with_unit(spec, str(value["value"]))
    return translate("kind.lookup.as_of", to.locale, zone=to.zone, value=shown, at=value["as_of"])


def _schema(spec: FieldSpec) -> dict[str, Any]:
    return {
        "type": "object",
        "readOnly": True,
        "properties": {"value": {"type": "string"}, "as_of": {"type": "string", "format": "date-time"}},
    }


def _check(spec: FieldSpec) -> Iterator[FieldProblem]:
    path = f"fields.{spec.key}.lookup"
    if spec.lookup is None:
        yield FieldProblem(path, "template.no_lookup")
        return
    try:
        parts = urlsplit(_WITHOUT_FIELDS.sub("x", spec.lookup.url))
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        named = urlsplit(spec.lookup.url).netloc
    except ValueError:
        is_good, named = False, ""
    # Whoever fills in a form must not choose the host that is asked.
    if not is_good or "{" in named:
        yield FieldProblem(path, "template.bad_lookup")


KIND = Kind(
    kind=FieldKind.LOOKUP,
    group=PaletteGroup.LIVE,
    icon="radio-tower",
    renderer="LiveValue",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=json_cell,
    read=read_json,
    check=_check,
    settings=(Setting("lookup", Editor.LOOKUP), Setting("unit", Editor.TEXT)),
    is_entered=False,
    has_default=False,
)
