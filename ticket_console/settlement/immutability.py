"""What the database itself refuses to change, as DDL for the migration.

Entries of the books are written once. The statements below are plain SQL without parameters, to be run
in order after the tables exist; `DROP_DDL` undoes them before the tables are dropped.
"""

from typing import Final

# Tables whose rows never change.
WRITTEN_ONCE: Final = (
    "fact_snapshot", "rating_line", "journal", "posting", "statement_line", "statement_signature",
    "daily_income", "daily_income_line", "refund", "refund_line", "rating_reference", "price_quote",
)  # fmt: skip

# Tables with columns that may still change: (table, columns that may not, when they are frozen).
FROZEN: Final = (
    (
        "rating",
        (
            "id", "org_id", "ticket_id", "segment", "purpose", "fact_snapshot_id", "rule_set_version_id",
            "payee_account_id", "technician_id", "vendor_id", "total_minor", "currency", "trace",
            "content_hash", "service_on", "rated_at",
        ),
        "",
    ),
    (
        "rule_set_version",
        (
            "id", "rule_set_id", "number", "rules", "content_hash", "effective_from", "published_at",
            "published_by",
        ),
        "OLD.status <> 'draft'",
    ),
    (
        "statement",
        (
            "id", "org_id", "payee_kind", "payee_id", "payee_name", "period_id", "number", "total_minor",
            "currency", "from_seq", "as_of_seq", "content_hash", "issued_at", "issued_by",
        ),
        "OLD.state <> 'draft'",
    ),
    ("signing_key", ("id", "org_id", "public_key", "sealed", "made_at"), ""),
    (
        "tier_window",
        (
            "id", "org_id", "subject_kind", "subject_id", "tier", "starts_on", "measured", "decided_at",
            "command_id",
        ),
        "",
    ),
    (
        "period_reopening",
        ("id", "org_id", "period_id", "reason", "asked_by", "asked_at", "ask_command_id"),
        "",
    ),
    (
        "reconciliation",
        (
            "id", "org_id", "vendor_id", "technician_id", "payee_name", "period_id", "as_of_seq", "currency",
            "file_name", "content_hash", "mapping", "tolerance", "left_out", "started_at", "started_by",
            "start_command_id",
        ),
        "",
    ),
    (
        "reconciliation_line",
        (
            "id", "reconciliation_id", "position", "outcome", "ticket_id", "our_posting_id", "our_ticket_no",
            "our_amount_minor", "our_day", "their_row", "their_ticket_no", "their_amount_minor", "their_day",
        ),
        "",
    ),
    (
        "dispute",
        (
            "id", "org_id", "rating_id", "ticket_id", "line_position", "node", "text", "opened_by",
            "opened_name", "opened_at", "open_command_id",
        ),
        "",
    ),
)  # fmt: skip

_FUNCTION: Final = "refuse_change_of_the_books"


def _sqlite() -> list[str]:
    made = [
        _sqlite_trigger(f"{name}_no_{verb.lower()}", verb, name, "")
        for name in WRITTEN_ONCE
        for verb in ("UPDATE", "DELETE")
    ]
    for name, columns, condition in FROZEN:
        made.append(_sqlite_trigger(f"{name}_no_update", f"UPDATE OF {', '.join(columns)}", name, condition))
        made.append(_sqlite_trigger(f"{name}_no_delete", "DELETE", name, condition))
    return made


def _sqlite_trigger(trigger: str, event: str, name: str, condition: str) -> str:
    when = f" WHEN {condition}" if condition else ""
    return (
        f"CREATE TRIGGER {trigger} BEFORE {event} ON {name} FOR EACH ROW{when} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is written once'); END"
    )


def _postgresql() -> list[str]:
    made = [
        f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
        "END $$",
        *(_postgresql_trigger(f"{name}_no_change", "UPDATE OR DELETE", name, "") for name in WRITTEN_ONCE),
    ]
    for name, columns, condition in FROZEN:
        event = f"UPDATE OF {', '.join(columns)}"
        made.append(_postgresql_trigger(f"{name}_no_update", event, name, condition))
        made.append(_postgresql_trigger(f"{name}_no_delete", "DELETE", name, condition))
    return made


def _postgresql_trigger(trigger: str, event: str, name: str, condition: str) -> str:
    when = f" WHEN ({condition})" if condition else ""
    return (
        f"CREATE TRIGGER {trigger} BEFORE {event} ON {name} FOR EACH ROW{when} EXECUTE FUNCTION {_FUNCTION}()"
    )


# By the name of the SQLAlchemy dialect.
CREATE_DDL: Final[dict[str, tuple[str, ...]]] = {
    "sqlite": tuple(_sqlite()),
    "postgresql": tuple(_postgresql()),
}
# Triggers go with their tables; only the function of PostgreSQL outlives them.
DROP_DDL: Final[dict[str, tuple[str, ...]]] = {
    "sqlite": (),
    "postgresql": (f"DROP FUNCTION {_FUNCTION}() CASCADE",),
}
