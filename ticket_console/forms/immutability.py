"""What the database itself refuses to change, as DDL for the migration: versions that were published."""

from collections.abc import Mapping
from typing import Final

CREATED = tuple[str, ...]


def frozen_once_published(name: str, columns: tuple[str, ...]) -> Mapping[str, CREATED]:
    """Triggers by dialect: a published row of `name` keeps its `columns` and never is a draft again."""
    was_published = "OLD.status <> 'draft'"
    triggers = (
        (f"{name}_no_update", f"UPDATE OF {', '.join(columns)}", was_published),
        (f"{name}_no_redraft", "UPDATE OF status", f"{was_published} AND NEW.status = 'draft'"),
        (f"{name}_no_delete", "DELETE", was_published),
    )
    refusal = f"a published {name} never changes"
    function = refusing_function(name)
    return {
        "sqlite": tuple(
            f"CREATE TRIGGER {trigger} BEFORE {event} ON {name} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            for trigger, event, condition in triggers
        ),
        "postgresql": (
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{refusal}' USING ERRCODE = 'restrict_violation'; END $$",
            *(
                f"CREATE TRIGGER {trigger} BEFORE {event} ON {name} FOR EACH ROW WHEN ({condition}) "
                f"EXECUTE FUNCTION {function}()"
                for trigger, event, condition in triggers
            ),
        ),
    }


def refusing_function(name: str) -> str:
    return f"refuse_change_of_{name}"


def dropped_with(name: str) -> Mapping[str, CREATED]:
    """Triggers go with their tables; only the function of PostgreSQL outlives them."""
    return {"sqlite": (), "postgresql": (f"DROP FUNCTION {refusing_function(name)}() CASCADE",)}


CREATE_DDL: Final = frozen_once_published(
    "template_version",
    (
        "id",
        "template_id",
        "number",
        "base_version_id",
        "definition",
        "content_hash",
        "flow_version_id",
        "published_at",
        "published_by",
    ),
)
DROP_DDL: Final = dropped_with("template_version")
