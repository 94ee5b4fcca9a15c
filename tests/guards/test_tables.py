"""Tables stay in their rooms, and revisions stand alone."""

import re
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "ticket_console"

# Who may name the tables of another room. The desk brings the rooms together and the demo company founds
# them; the others join, in one statement, what they would otherwise ask for row by row.
JOINS = {
    "demo": {"access", "customers", "intake", "people", "tickets"},
    "desk": {"dispatch", "tickets"},
    "clocks": {"tickets"},
    "dispatch": {"people", "tickets"},
    "flows": {"forms"},
    "people": {"access"},
    "reports": {"tickets"},
    "settlement": {"people", "tickets"},
}


def test_tables_are_declared_where_migrations_look_for_them() -> None:
    declaring = {
        path.relative_to(CONSOLE).as_posix()
        for path in CONSOLE.rglob("*.py")
        if re.search(r"^class .*\btable=True\)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert {path for path in declaring if path.rpartition("/")[2] != "tables.py"} == {"kernel/ids.py"}


def test_a_rooms_tables_are_touched_in_that_room_only() -> None:
    graph = grimp.build_graph("ticket_console")
    strangers = [
        f"{importer} imports {module}"
        for module in sorted(graph.modules)
        if module.endswith(".tables")
        for importer in sorted(graph.find_modules_that_directly_import(module))
        if _room(module) not in {_room(importer), *JOINS.get(_room(importer), ())}
    ]

    assert strangers == []


def test_revisions_import_nothing_of_ours() -> None:
    """The code a revision was written for changes; the revision must not."""
    offending = [
        path.name
        for path in (ROOT / "alembic/versions").glob("*.py")
        if re.search(r"(from|import) (ticket_console|tests|tools)", path.read_text(encoding="utf-8"))
    ]

    assert offending == []


def _room(module: str) -> str:
    return module.split(".")[1]
