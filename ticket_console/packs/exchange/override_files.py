"""What a form says otherwise in a business line, a region or a store: one file, under the form's code."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy.engine import Connection

from ticket_console.forms import in_use as forms_in_use
from ticket_console.forms.json_form import JsonForm
from ticket_console.forms.layers import parse_patch
from ticket_console.forms.overrides import overrides_of, put_override
from ticket_console.forms.tables import OverrideScope
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.ids import command_id_of
from ticket_console.packs.exchange.definitions import Definition, Hand, Reference
from ticket_console.packs.exchange.shapes import BadDefinition

_WIDEST_FIRST: Final = tuple(scope.value for scope in OverrideScope)
_MOST_LAYERS: Final = 2_000


class _LayerForm(JsonForm):
    scope: Annotated[str, Field(pattern=f"^({'|'.join(_WIDEST_FIRST)})$")]
    ref: Annotated[str, Field(min_length=1, max_length=64)]
    patch: dict[str, Any]


class _OverridesForm(JsonForm):
    layers: Annotated[list[_LayerForm], Field(max_length=_MOST_LAYERS)]


class Overrides:
    """The places themselves do not travel: they have to be where the file goes."""

    name = "override"
    permissions: tuple[str, ...] = ("template.manage",)
    wrapper = ""

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return tuple(code for code in forms_in_use.codes(conn, org_id) if self._layers(conn, org_id, code))

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        layers = self._layers(conn, org_id, code) if code in forms_in_use.codes(conn, org_id) else []
        return {"layers": layers} if layers else None

    def _layers(self, conn: Connection, org_id: int, code: str) -> list[dict[str, Any]]:
        found = overrides_of(conn, viewer=system_actor(org_id), code=code)
        return [{"scope": each.scope.value, "ref": each.ref, "patch": each.patch} for each in found]

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        form = _OverridesForm.read(document, BadDefinition)
        problems: list[FieldProblem] = []
        layers: dict[tuple[str, str], dict[str, Any]] = {}
        for index, layer in enumerate(form.layers):
            path = f"layers[{index}]"
            try:
                patch = parse_patch(layer.patch)
            except InvalidInput as wrong:
                problems += [
                    FieldProblem(f"{path}.patch.{each.path}".rstrip("."), each.code, each.params)
                    for each in wrong.problems
                ]
                continue
            if (layer.scope, layer.ref) in layers:
                problems.append(FieldProblem(path, "exchange.layer_twice"))
            layers[layer.scope, layer.ref] = {"scope": layer.scope, "ref": layer.ref, "patch": patch}
        if problems:
            raise BadDefinition(tuple(problems))
        return {"layers": _in_order(layers)}

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """The file speaks for the places it names; what others say otherwise stays."""
        layers = {_place(layer): layer for layer in (*current["layers"], *wanted["layers"])}
        return {"layers": _in_order({place: layer for place, layer in layers.items() if layer["patch"]})}

    def needs(self, definition: Definition) -> frozenset[Reference]:
        return frozenset({Reference("form", definition.code)})

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        known = {
            (each.scope.value, each.ref): each
            for each in overrides_of(conn, viewer=hand.actor, code=definition.code)
        }
        problems: list[FieldProblem] = []
        for index, layer in enumerate(definition.document["layers"]):
            before = known.get(_place(layer))
            if before is not None and before.patch == layer["patch"]:
                continue
            try:
                put_override(
                    conn,
                    actor=hand.actor,
                    at=hand.at,
                    command_id=command_id_of(hand.command_id, "override", definition.code, index),
                    code=definition.code,
                    scope=OverrideScope(layer["scope"]),
                    ref=layer["ref"],
                    patch=layer["patch"],
                    expected_version=0 if before is None else before.version,
                )
            except InvalidInput as wrong:
                problems += [
                    FieldProblem(
                        f"layers[{index}].{'' if each.path == 'ref' else 'patch.'}{each.path}",
                        each.code,
                        each.params,
                    )
                    for each in wrong.problems
                ]
        if problems:
            raise BadDefinition(tuple(problems))

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        return


def _place(layer: Mapping[str, Any]) -> tuple[str, str]:
    return layer["scope"], layer["ref"]


def _in_order(layers: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    order = sorted(layers, key=lambda place: (_WIDEST_FIRST.index(place[0]), place[1]))
    return [layers[place] for place in order]
