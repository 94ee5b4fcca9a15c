"""How Alembic reaches the console's database and what it compares it with."""

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel

import ticket_console
from ticket_console.kernel import database
from ticket_console.kernel.settings import BadSetting


def import_all_tables() -> sa.MetaData:
    import_module("ticket_console.kernel.ids")
    for room in sorted(Path(ticket_console.__path__[0]).glob("*/tables.py")):
        import_module(f"ticket_console.{room.parent.name}.tables")
    return SQLModel.metadata


def plain_type(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write the console's column types as what the database sees, so that no revision imports the app."""
    if kind == "type" and isinstance(item, sa.types.TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def migrate() -> None:
    options: dict[str, Any] = {
        "target_metadata": import_all_tables(),
        "render_item": plain_type,
        # SQLite can alter little in place: revisions after the first copy the table.
        "render_as_batch": context.config.attributes.get("render_as_batch", True),
        "compare_type": True,
        # SQLite rolls a failed revision back too, because the console's engine begins transactions itself.
        "transactional_ddl": True,
        "transaction_per_migration": True,
    }
    if context.is_offline_mode():
        context.configure(url=database.database_url(), literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    with connected() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()


def connected() -> sa.Connection:
    try:
        return database.engine().connect().execution_options(console_writes=True)
    except BadSetting as wrong:
        raise SystemExit(str(wrong)) from None
    except (sa.exc.SQLAlchemyError, OSError, ValueError) as failure:
        reason = getattr(failure, "orig", failure)
        raise SystemExit(f"The database of DATABASE_URL cannot be used: {reason}") from None


migrate()
