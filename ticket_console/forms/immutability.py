"""What the database itself refuses to change, as DDL for the migration: published versions and their book."""

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


def written_once(name: str) -> Mapping[str, CREATED]:
    """Triggers by dialect: no row of `name` ever changes or goes."""
    function = refusing_function(name)
    return {
        "sqlite": tuple(
            f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} FOR EACH ROW "
            f"BEGIN SELECT RAISE(ABORT, '{name} is written once'); END"
            for verb in ("UPDATE", "DELETE")
        ),
        "postgresql": (
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{name} is written once' USING ERRCODE = 'restrict_violation'; END $$",
            f"CREATE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW "
            f"EXECUTE FUNCTION {function}()",
        ),
    }


def joined(*ddl: Mapping[str, CREATED]) -> Mapping[str, CREATED]:
    return {dialect: tuple(sql for each in ddl for sql in each[dialect]) for dialect in ddl[0]}


CREATE_DDL: Final = joined(
    frozen_once_published(
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
    ),
    written_once("publication"),
)
DROP_DDL: Final = joined(dropped_with("template_version"), dropped_with("publication"))
