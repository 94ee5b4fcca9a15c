"""What we import is declared, pinned and explained."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.pins import DEV, ROUTES, RUN, closure, written_by_hand

ROOT = Path(__file__).parents[2]
OURS = frozenset({"ticket_console", "tools", "tests", "benchmarks", "rxconfig"})
# These are parts of another package and come with it.
PARTS_OF = {"pydantic-core": "pydantic", "reflex-base": "reflex", "reflex-components-core": "reflex"}


def test_everything_the_console_imports_is_declared() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in written_by_hand(ROOT / RUN)}

    assert _imported("ticket_console", "alembic", "rxconfig.py") - declared == set()


def test_everything_the_tests_import_is_declared() -> None:
    declared = {
        canonicalize_name(requirement.name)
        for file in (RUN, DEV)
        for requirement in written_by_hand(ROOT / file)
    }

    assert _imported("tests", "tools", "benchmarks") - declared - {"packaging"} == set()


@pytest.mark.parametrize("file", [RUN, DEV, ROUTES])
def test_every_package_is_pinned_to_the_version_that_is_tested(file: Path) -> None:
    lines = [
        line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    ]
    pins = [Requirement(line) for line in lines]

    assert [str(pin.specifier) for pin in pins] == [f"=={version(pin.name)}" for pin in pins]


def test_what_the_packages_bring_along_is_pinned_too() -> None:
    pinned = {
        canonicalize_name(re.split(r"[\[=]", line)[0])
        for file in (RUN, DEV)
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
        if "==" in line
    }

    assert closure(written_by_hand(ROOT / RUN) + written_by_hand(ROOT / DEV)) == pinned


def test_what_is_optional_is_pinned_with_all_it_brings_and_tested_as_such() -> None:
    lines = {line for line in (ROOT / ROUTES).read_text(encoding="utf-8").splitlines() if "==" in line}
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lines}

    assert closure(written_by_hand(ROOT / ROUTES)) - closure(written_by_hand(ROOT / RUN)) == pinned
    assert lines <= set((ROOT / DEV).read_text(encoding="utf-8").splitlines())


def test_every_dependency_has_its_reason_written_down() -> None:
    explained = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8").lower()

    missing = [
        requirement.name
        for file in (RUN, DEV, ROUTES)
        for requirement in written_by_hand(ROOT / file)
        if f"`{canonicalize_name(requirement.name)}`" not in explained
    ]
    assert missing == []


def _imported(*roots: str) -> set[str]:
    """The packages that our code imports, by the names they have on PyPI."""
    packages = packages_distributions()
    found = set()
    for name in {name for root in roots for name in _top_level_imports(ROOT / root)}:
        if name not in OURS and name not in sys.stdlib_module_names:
            distribution = canonicalize_name(packages[name][0])
            found.add(PARTS_OF.get(distribution, distribution))
    return found


def _top_level_imports(root: Path) -> Iterator[str]:
    for path in root.rglob("*.py") if root.is_dir() else (root,):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module.partition(".")[0]
