"""What the database itself refuses to change, as DDL for the migration: the history of tickets."""

from typing import Final

# Tables whose rows never change: a signature and the words under it are history like the events.
WRITTEN_ONCE: Final = ("event", "signature")

_FUNCTION: Final = "refuse_change_of_history"


def _sqlite() -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} FOR EACH ROW "
        f"BEGIN SELECT RAISE(ABORT, '{name} is written once'); END"
        for name in WRITTEN_ONCE
        for verb in ("UPDATE", "DELETE")
    )


def _postgresql() -> tuple[str, ...]:
    return (
        f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
        "END $$",
        *(
            f"CREATE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW "
            f"EXECUTE FUNCTION {_FUNCTION}()"
            for name in WRITTEN_ONCE
        ),
    )


CREATE_DDL: Final[dict[str, tuple[str, ...]]] = {"sqlite": _sqlite(), "postgresql": _postgresql()}
DROP_DDL: Final[dict[str, tuple[str, ...]]] = {
    "sqlite": (),
    "postgresql": (f"DROP FUNCTION {_FUNCTION}() CASCADE",),
}
