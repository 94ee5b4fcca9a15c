"""A kind of field is whole or not there: module, registry, renderer, texts, icon and conversions."""

import ast
import re
from pathlib import Path

import pytest

from tests.unit.forms.test_kind_values import EXAMPLES
from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds import COLUMN_KINDS, KINDS, schema_of
from ticket_console.forms.kinds.kind import Editor, Kind, PaletteGroup
from ticket_console.i18n import catalog
from ticket_console.kernel.text import LOCALES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ticket_console"
NOT_KINDS = {"__init__", "kind", "reading", "column_kinds"}


def test_every_kind_is_in_the_registry_and_has_a_module_of_its_own() -> None:
    modules = {path.stem for path in (PACKAGE / "forms" / "kinds").glob("*.py")} - NOT_KINDS

    assert set(KINDS) == set(FieldKind)
    assert {kind.kind for kind in KINDS.values()} == set(FieldKind)
    assert len(modules) == len(FieldKind)
    assert set(COLUMN_KINDS) < set(KINDS)


def test_every_kind_has_its_renderer_in_the_browser() -> None:
    script = (PACKAGE / "components" / "form.jsx").read_text(encoding="utf-8")
    listed = script.partition("const RENDERERS = {")[2].partition("};")[0]

    drawn = dict(re.findall(r"^  (\w+): (\w+),$", listed, re.MULTILINE))
    assert drawn == {kind.value: KINDS[kind].renderer for kind in FieldKind}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_group_and_setting_has_its_name(locale: str) -> None:
    needed = {kind.label for kind in KINDS.values()} | {kind.group_label for kind in KINDS.values()}
    needed |= {setting.label for kind in KINDS.values() for setting in kind.settings}

    assert sorted(needed - set(catalog(locale))) == []
    assert {kind.group for kind in KINDS.values()} == set(PaletteGroup)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: str(kind.kind))
def test_every_kind_describes_itself(kind: Kind) -> None:
    spec = FieldSpec(key="x", kind=kind.kind, label={"en": "X"})

    assert schema_of(spec)["title"] == "X"
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.icon)
    assert set(kind.converts) <= set(FieldKind) - {kind.kind}
    assert all(setting.editor in Editor for setting in kind.settings)


def test_every_kind_has_examples_that_go_round() -> None:
    assert set(EXAMPLES) == set(FieldKind) - {FieldKind.HEADING}


def test_every_kind_is_explained() -> None:
    explained = (ROOT / "docs" / "adding-a-field-kind.md").read_text(encoding="utf-8")

    parts = [node.target.id for node in _kind_class().body if isinstance(node, ast.AnnAssign)]  # type: ignore[union-attr]
    assert [name for name in parts if f"`{name}`" not in explained] == []


def _kind_class() -> ast.ClassDef:
    tree = ast.parse((PACKAGE / "forms" / "kinds" / "kind.py").read_text(encoding="utf-8"))
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Kind")
