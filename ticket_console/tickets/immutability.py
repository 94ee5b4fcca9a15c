"""What the database itself refuses to change, as DDL for the migration: the history of tickets."""

from typing import Final

Ddl = dict[str, tuple[str, ...]]

# Tables whose rows never change: a signature and the words under it are history like the events.
WRITTEN_ONCE: Final = ("event", "signature")


def written_once(function: str, tables: tuple[str, ...]) -> tuple[Ddl, Ddl]:
    """What makes the rows of tables unchangeable, and what undoes it, by the name of the dialect.

    `function` names what PostgreSQL calls for it; triggers go with their tables, only that outlives them.
    """
    return (
        {"sqlite": _sqlite(tables), "postgresql": _postgresql(function, tables)},
        {"sqlite": (), "postgresql": (f"DROP FUNCTION {function}() CASCADE",)},
    )


def _sqlite(tables: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} FOR EACH ROW "
        f"BEGIN SELECT RAISE(ABORT, '{name} is written once'); END"
        for name in tables
        for verb in ("UPDATE", "DELETE")
    )


def _postgresql(function: str, tables: tuple[str, ...]) -> tuple[str, ...]:
    return (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
        "END $$",
        *(
            f"CREATE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW "
            f"EXECUTE FUNCTION {function}()"
            for name in tables
        ),
    )


CREATE_DDL, DROP_DDL = written_once("refuse_change_of_history", WRITTEN_ONCE)
