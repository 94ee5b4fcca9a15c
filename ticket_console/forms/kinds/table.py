"""Rows of small fields, one under the other."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.formulas import in_order
from ticket_console.forms.kinds.column_kinds import COLUMN_KINDS
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Setting, Showing, bounds
from ticket_console.forms.kinds.reading import count_within, json_cell, members, read_json, whole
from ticket_console.kernel.errors import FieldProblem

MAX_ROWS = 200


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> list[dict[str, object]]:
    """Empty rows are left out; what formulas come to is worked out anew."""
    listed = members(raw)
    if len(listed) > MAX_ROWS:
        raise BadValue("field.too_many", limit=MAX_ROWS)
    rows = [_row(spec, each, f"[{at}]", zone) for at, each in enumerate(listed)]
    filled = [row for row in rows if row]
    count_within(spec, len(filled), MAX_ROWS)
    return [_computed(spec, row) for row in filled]


def _row(spec: FieldSpec, raw: object, at: str, zone: tzinfo | None) -> dict[str, object]:
    columns = {column.key: column for column in spec.columns}
    if not isinstance(raw, Mapping) or not raw.keys() <= columns.keys():
        raise BadValue("field.bad_row", at=at)
    entered = {key: column for key, column in columns.items() if COLUMN_KINDS[column.kind].is_entered}
    row: dict[str, object] = {}
    for key, column in entered.items():
        value = raw.get(key)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            row[key] = COLUMN_KINDS[column.kind].parse(column, value, zone)
        except BadValue as problem:
            raise BadValue(problem.code, at=f"{at}.{key}", **problem.params) from None
    missing = next((key for key, column in entered.items() if column.required and key not in row), None)
    if row and missing is not None:
        raise BadValue("field.required", at=f"{at}.{missing}")
    return row


def _computed(spec: FieldSpec, row: dict[str, object]) -> dict[str, object]:
    for column, formula in in_order(spec.columns):
        value = formula.value(row)
        if value is not None:
            row[column.key] = value
    return row


def _show(spec: FieldSpec, value: list[dict[str, Any]], to: Showing) -> str:
    return "; ".join(
        ", ".join(
            COLUMN_KINDS[column.kind].show(column, row[column.key], to)
            for column in spec.columns
            if column.key in row
        )
        for row in value
    )


def _schema(spec: FieldSpec) -> dict[str, Any]:
    properties = {column.key: COLUMN_KINDS[column.kind].schema(column) for column in spec.columns}
    row = {
        "type": "object",
        "required": [column.key for column in spec.columns if column.required],
        "additionalProperties": False,
        "properties": properties,
    }
    return {"type": "array", "maxItems": whole(spec.maximum, MAX_ROWS), "items": row}


def _check(spec: FieldSpec) -> Iterator[FieldProblem]:
    path = f"fields.{spec.key}.columns"
    keys = [column.key for column in spec.columns]
    if not keys:
        yield FieldProblem(path, "template.no_columns")
    if len(set(keys)) < len(keys):
        yield FieldProblem(path, "template.bad_columns")
    for column in spec.columns:
        if column.kind not in COLUMN_KINDS:
            yield FieldProblem(f"{path}.{column.key}", "template.no_column_kind", {"kind": column.kind.value})


KIND = Kind(
    kind=FieldKind.TABLE,
    group=PaletteGroup.LAYOUT,
    icon="table",
    renderer="TableInput",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=json_cell,
    read=read_json,
    check=_check,
    settings=(Setting("columns", Editor.COLUMNS), *bounds(Editor.WHOLE)),
    has_default=False,
)
