"""What lines, regions and stores say otherwise, laid over a template."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.forms.definitions import parse_definition
from ticket_console.forms.fields import FieldState
from ticket_console.forms.layers import InvalidPatch, Layer, checked_patch, resolve

OPTIONS = [{"value": value, "label": {"en": value}} for value in ("a", "b", "c")]
BASE = parse_definition(
    {
        "sections": [
            {
                "key": "main",
                "fields": [
                    {"key": "x", "kind": "text", "label": {"zh": "甲", "en": "X"}},
                    {"key": "y", "kind": "choice", "label": {"en": "Y"}, "options": OPTIONS},
                    {"key": "z", "kind": "number", "label": {"en": "Z"}, "required": True},
                ],
            }
        ]
    }
)
PATCHES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "fields": st.dictionaries(
            st.sampled_from("xyzq"),
            st.fixed_dictionaries(
                {},
                optional={
                    "label": st.dictionaries(
                        st.sampled_from(["zh", "en"]), st.sampled_from("LM"), min_size=1
                    ),
                    "required": st.booleans(),
                    "hidden": st.booleans(),
                    "options": st.lists(st.sampled_from("abc"), min_size=1, max_size=2),
                },
            ),
        ),
        "order": st.just({"main": ["z", "x"]}),
    },
)
LAYERS = st.lists(PATCHES, max_size=4).map(
    lambda patches: [Layer(f"layer:{at}", patch) for at, patch in enumerate(patches)]
)


# TPL-19
@given(LAYERS)
def test_layers_come_to_the_same_whoever_asks_and_however_often(layers: list[Layer]) -> None:
    once = resolve(BASE, layers)

    assert resolve(BASE, layers) == once
    assert resolve(once.definition, layers).definition == once.definition
    assert {(spec.key, spec.kind) for spec in once.definition.fields} == {
        (spec.key, spec.kind) for spec in BASE.fields
    }


@given(LAYERS)
def test_every_setting_that_differs_says_where_it_comes_from(layers: list[Layer]) -> None:
    effective = resolve(BASE, layers)

    for spec in effective.definition.fields:
        before = BASE.field(spec.key)
        for name in ("label", "required", "options"):
            if getattr(spec, name) != getattr(before, name):
                assert effective.origins[f"fields.{spec.key}.{name}"] in {layer.name for layer in layers}
    assert effective.origin_of("fields.x.help") == "base"


def test_what_is_narrower_wins() -> None:
    line = Layer("line:repair", {"fields": {"x": {"label": {"en": "Line"}, "required": True}}})
    store = Layer("store:S1", {"fields": {"x": {"label": {"en": "Store"}}, "z": {"hidden": True}}})

    effective = resolve(BASE, (line, store))
    assert effective.definition.field("x").label == {"zh": "甲", "en": "Store"}
    assert effective.definition.field("x").required
    assert effective.definition.field("z").state is FieldState.HIDDEN
    assert effective.origins == {
        "fields.x.label": "store:S1",
        "fields.x.required": "line:repair",
        "fields.z.hidden": "store:S1",
    }


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"fields": {"x": {"kind": "number"}}}, "fields.x.kind"),
        ({"fields": {"x": {"key": "w"}}}, "fields.x.key"),
        ({"fields": {"w": {"required": True}}}, "fields.w"),
        ({"fields": {"y": {"options": ["d"]}}}, "fields.y.options"),
        ({"fields": {"z": {"default": "many"}}}, "fields.z.default"),
        ({"order": {"main": ["x", "x"]}}, "order.main"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(patch: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidPatch) as refused:
        checked_patch(BASE, patch)

    assert [problem.path for problem in refused.value.problems] == [path]
