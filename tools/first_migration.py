"""Writes the first migration anew from the tables: `make migration`.

Until the first release the history is one revision that is rewritten. From then on this module is gone
and `alembic revision --autogenerate` adds revisions.
"""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap

from alembic import command
from alembic.config import Config

import ticket_console
from ticket_console.kernel import database

FILE = Path("alembic/versions/20261121_2300_create_the_console.py")
DIALECTS = ("sqlite", "postgresql")


def main() -> None:
    FILE.unlink(missing_ok=True)
    with TemporaryDirectory() as scratch:
        database.use_url(f"sqlite:///{scratch}/empty.db")
        config = Config("alembic.ini", stdout=sys.stderr)
        config.attributes["render_as_batch"] = False
        command.revision(config, "Create the console", autogenerate=True, rev_id=FILE.name[:13])
    (written,) = FILE.parent.glob("*_create_the_console.py")
    FILE.write_text(_guarded(_tidied(written.read_text(encoding="utf-8"))), encoding="utf-8")
    if written != FILE:
        written.unlink()
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", FILE], check=True)


def _tidied(source: str) -> str:
    source = re.sub(r" *# ### .* ###\n", "", source)
    # A table takes its indexes with it.
    source = re.sub(r" *op\.drop_index\((?:[^()]|\([^()]*\))*\)\n", "", source)
    source = re.sub(r",\s*unique=False", "", source)
    # Only names of check constraints would be put through the naming convention again.
    return re.sub(r'op\.f\(\s*("(?!ck_)\w+")\s*\)', r"\1", source)


def _guarded(source: str) -> str:
    """Add the triggers of the rooms that keep rows from being changed, as plain SQL for each database."""
    made: dict[str, list[str]] = {dialect: [] for dialect in DIALECTS}
    gone: dict[str, list[str]] = {dialect: [] for dialect in DIALECTS}
    for path in sorted(Path(ticket_console.__path__[0]).glob("*/immutability.py")):
        guards = import_module(f"ticket_console.{path.parent.name}.immutability")
        for dialect in DIALECTS:
            made[dialect] += guards.CREATE_DDL[dialect]
            gone[dialect] += guards.DROP_DDL[dialect]
    upgrade = _RUN.format("WRITTEN_ONCE")
    downgrade = _RUN.format("CHANGEABLE_AGAIN")
    before, between, after = source.partition(
        "\n\n\ndef downgrade() -> None:\n    _wait_briefly_for_locks()\n"
    )
    return (
        f"{before}\n{upgrade}{between}{downgrade}{after}\n\n"
        "# Rows of the books and of history are written once: the database refuses to change them.\n"
        f"WRITTEN_ONCE = {_literal(made)}\n\n"
        "# Triggers go with their tables; only functions outlive them.\n"
        f"CHANGEABLE_AGAIN = {_literal(gone)}\n"
    )


_RUN = """\
    for statement in {}[op.get_context().dialect.name]:
        op.execute(statement)
"""


def _literal(statements: dict[str, list[str]]) -> str:
    lines = ["{"]
    for dialect, sql in statements.items():
        lines += [f'"{dialect}": (', *(f"{_wrapped(statement)}," for statement in sql), "),"]
    return "\n".join([*lines, "}"])


def _wrapped(statement: str) -> str:
    *first, last = wrap(statement, 94, break_long_words=False)
    return "\n".join([*(f'"{line} "' for line in first), f'"{last}"'])


if __name__ == "__main__":
    main()
