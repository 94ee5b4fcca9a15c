"""Tables stay in their rooms, and revisions stand alone."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "ticket_console"
DECLARED = re.compile(r"^class (\w+)\(.*\btable=True\)", re.MULTILINE)

# Who may name the tables of another room. The desk brings the rooms together and the demo company founds
# them; the others join, in one statement, what they would otherwise ask for row by row.
JOINS = {
    "demo": {"access", "customers", "dispatch", "intake", "people", "stock", "tickets"},
    "desk": {"dispatch", "tickets"},
    "clocks": {"tickets"},
    "dispatch": {"people", "tickets"},
    "flows": {"forms"},
    "notices": {"tickets"},
    "people": {"access"},
    "reports": {
        "access",
        "clocks",
        "dispatch",
        "flows",
        "forms",
        "intake",
        "people",
        "settlement",
        "stock",
        "tickets",
    },
    "settlement": {"people", "tickets"},
}


def test_tables_are_declared_where_migrations_look_for_them() -> None:
    declaring = {
        path.relative_to(CONSOLE).as_posix()
        for path in CONSOLE.rglob("*.py")
        if DECLARED.search(path.read_text(encoding="utf-8"))
    }

    assert {path for path in declaring if path.rpartition("/")[2] != "tables.py"} == {"kernel/ids.py"}


def test_a_rooms_tables_are_touched_in_that_room_only() -> None:
    strangers = [
        f"{path.relative_to(CONSOLE)}:{imported.lineno} takes {name} from {imported.module}"
        for path in sorted(CONSOLE.rglob("*.py"))
        for imported in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(imported, ast.ImportFrom) and (imported.module or "").endswith(".tables")
        for name in sorted({alias.name for alias in imported.names} & _tables_of(_room_of(imported)))
        if _room_of(imported) not in {(own := path.relative_to(CONSOLE).parts[0]), *JOINS.get(own, ())}
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


def _room_of(imported: ast.ImportFrom) -> str:
    return str(imported.module).split(".")[1]


def _tables_of(room: str) -> set[str]:
    """The classes that are tables; a room's enumerations may be named by anybody."""
    return set(DECLARED.findall((CONSOLE / room / "tables.py").read_text(encoding="utf-8")))
