"""What the database itself refuses to change, as DDL for the migration: flow versions that were published."""

from typing import Final

from ticket_console.forms.immutability import dropped_with, frozen_once_published

CREATE_DDL: Final = frozen_once_published(
    "flow_version",
    (
        "id",
        "flow_id",
        "number",
        "graph",
        "content_hash",
        "published_at",
        "published_by",
        "effective_from",
    ),
)
DROP_DDL: Final = dropped_with("flow_version")
