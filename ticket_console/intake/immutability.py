"""What the database itself refuses to change, as DDL for the migration: versions of trigger rules."""

from typing import Final

from ticket_console.forms.immutability import dropped_with, refusing_function

_TABLE: Final = "trigger_rule_version"
_REFUSAL: Final = f"a published {_TABLE} never changes"

CREATE_DDL: Final = {
    "sqlite": tuple(
        f"CREATE TRIGGER {_TABLE}_no_{verb.lower()} BEFORE {verb} ON {_TABLE} FOR EACH ROW "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        f"CREATE FUNCTION {refusing_function(_TABLE)}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
        *(
            f"CREATE TRIGGER {_TABLE}_no_{verb.lower()} BEFORE {verb} ON {_TABLE} FOR EACH ROW "
            f"EXECUTE FUNCTION {refusing_function(_TABLE)}()"
            for verb in ("UPDATE", "DELETE")
        ),
    ),
}
DROP_DDL: Final = dropped_with(_TABLE)
