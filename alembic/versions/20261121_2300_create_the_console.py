"""Create the console."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_2300"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _wait_briefly_for_locks()
    op.create_table(
        "id_block",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("next_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_id_block"),
    )
    op.create_table(
        "lane_count",
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("ticket_class", sa.String(length=32), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "stage", "region_id", "ticket_class", name="pk_lane_count"),
    )
    op.create_table(
        "org",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_org"),
        sa.UniqueConstraint("code", name="uq_org_code"),
    )
    op.create_table(
        "account",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("owner_kind", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_account_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint(
            "org_id",
            "owner_kind",
            "owner_id",
            "kind",
            "code",
            "currency",
            name="uq_account_org_id_owner_kind_owner_id_kind_code_currency",
        ),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_audit_entry_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_org_id_at", "audit_entry", ["org_id", "at"])
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_calendar_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_calendar"),
        sa.UniqueConstraint("org_id", "code", name="uq_calendar_org_id_code"),
    )
    op.create_table(
        "daily_income",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("as_of_seq", sa.BigInteger(), nullable=False),
        sa.Column("chain_hash", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_daily_income_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_daily_income"),
        sa.UniqueConstraint(
            "org_id", "part", "zone", "local_day", name="uq_daily_income_org_id_part_zone_local_day"
        ),
    )
    op.create_table(
        "draft",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("author_name", sa.String(length=80), nullable=False),
        sa.Column("base_version_id", sa.Integer(), nullable=True),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("contributors", sa.Text(), nullable=False),
        sa.Column("merged", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_draft_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_draft"),
        sa.UniqueConstraint("org_id", "kind", "code", "author", name="uq_draft_org_id_kind_code_author"),
    )
    op.create_table(
        "field_def",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("field_key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("owner_dept", sa.String(length=64), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_field_def_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_field_def"),
        sa.UniqueConstraint("org_id", "field_key", name="uq_field_def_org_id_field_key"),
    )
    op.create_table(
        "flow",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_flow_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_flow"),
        sa.UniqueConstraint("org_id", "code", name="uq_flow_org_id_code"),
    )
    op.create_table(
        "law_result",
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.Column("examples", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_law_result_org_id"),
        sa.PrimaryKeyConstraint("org_id", "code", name="pk_law_result"),
    )
    op.create_table(
        "ledger_head",
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_ledger_head_org_id"),
        sa.PrimaryKeyConstraint("org_id", name="pk_ledger_head"),
    )
    op.create_table(
        "part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uom", sa.String(length=16), nullable=False),
        sa.Column("unit_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_part_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_part"),
        sa.UniqueConstraint("org_id", "sku", name="uq_part_org_id_sku"),
    )
    op.create_table(
        "price_quote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("service_type", sa.String(length=32), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_price_quote_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_price_quote"),
        sa.UniqueConstraint("org_id", "reference", name="uq_price_quote_org_id_reference"),
    )
    op.create_index(
        "ix_price_quote_lookup",
        "price_quote",
        ["org_id", "project", "service_type", "quoted_on"],
    )
    op.create_table(
        "product_model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("family", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_product_model_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_product_model"),
        sa.UniqueConstraint("org_id", "code", name="uq_product_model_org_id_code"),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("replaced_id", sa.Integer(), nullable=True),
        sa.Column("is_rollback", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_publication_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publication"),
        sa.UniqueConstraint("org_id", "command_id", name="uq_publication_org_id_command_id"),
    )
    op.create_index("ix_publication_subject", "publication", ["org_id", "kind", "code", "id"])
    op.create_table(
        "raw_intake",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("delivery_key", sa.String(length=128), nullable=False),
        sa.Column("claim_key", sa.String(length=128), nullable=True),
        sa.Column("external_id", sa.String(length=128), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("received_by", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_raw_intake_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_raw_intake"),
        sa.UniqueConstraint("org_id", "channel", "claim_key", name="uq_raw_intake_org_id_channel_claim_key"),
        sa.UniqueConstraint(
            "org_id", "channel", "delivery_key", name="uq_raw_intake_org_id_channel_delivery_key"
        ),
    )
    op.create_index("ix_raw_intake_inbox", "raw_intake", ["org_id", "state", "channel"])
    op.create_index(
        "ix_raw_intake_new",
        "raw_intake",
        ["received_at"],
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index("ix_raw_intake_received", "raw_intake", ["org_id", "received_at"])
    op.create_index("ix_raw_intake_ticket_id", "raw_intake", ["ticket_id"])
    op.create_table(
        "region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_region_org_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["region.id"], name="fk_region_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_region"),
        sa.UniqueConstraint("org_id", "code", name="uq_region_org_id_code"),
    )
    op.create_index("ix_region_parent_id", "region", ["parent_id"])
    op.create_table(
        "rule_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_rule_set_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_set"),
        sa.UniqueConstraint("org_id", "code", name="uq_rule_set_org_id_code"),
    )
    op.create_table(
        "schedule_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("failure", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_schedule_run_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_run"),
        sa.UniqueConstraint(
            "org_id", "kind", "zone", "local_day", name="uq_schedule_run_org_id_kind_zone_local_day"
        ),
    )
    op.create_index("ix_schedule_run_open", "schedule_run", ["state", "lease_until"])
    op.create_table(
        "signing_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_signing_key_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_signing_key"),
    )
    op.create_index(
        "uq_signing_key_in_use",
        "signing_key",
        ["org_id"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "skill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_skill_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_skill"),
        sa.UniqueConstraint("org_id", "code", name="uq_skill_org_id_code"),
    )
    op.create_table(
        "tier_window",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.String(length=32), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("measured", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_tier_window_some_days")),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_tier_window_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tier_window"),
        sa.UniqueConstraint(
            "org_id",
            "subject_kind",
            "subject_id",
            "starts_on",
            name="uq_tier_window_org_id_subject_kind_subject_id_starts_on",
        ),
    )
    op.create_table(
        "trigger_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("current_version_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_trigger_rule_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trigger_rule"),
        sa.UniqueConstraint("org_id", "code", name="uq_trigger_rule_org_id_code"),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_user_account_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.UniqueConstraint("login", name="uq_user_account_login"),
    )
    op.create_index("ix_user_account_org_id", "user_account", ["org_id"])
    op.create_table(
        "vendor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("agreed_from", sa.Date(), nullable=True),
        sa.Column("agreed_until", sa.Date(), nullable=True),
        sa.Column("ticket_classes", sa.Text(), nullable=True),
        sa.Column("is_standby", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_vendor_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_vendor"),
        sa.UniqueConstraint("org_id", "code", name="uq_vendor_org_id_code"),
    )
    op.create_table(
        "wip_limit",
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("soft", sa.Integer(), nullable=True),
        sa.Column("hard", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_wip_limit_org_id"),
        sa.PrimaryKeyConstraint("org_id", "scope", "key", name="pk_wip_limit"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_api_token_org_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_api_token_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )
    op.create_table(
        "board_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_board_view_org_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name="fk_board_view_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_board_view"),
        sa.UniqueConstraint("owner_id", "name", name="uq_board_view_owner_id_name"),
    )
    op.create_index("ix_board_view_shared", "board_view", ["org_id", "is_shared"])
    op.create_table(
        "calendar_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name="fk_calendar_version_calendar_id"),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_version"),
        sa.UniqueConstraint("calendar_id", "number", name="uq_calendar_version_calendar_id_number"),
    )
    op.create_table(
        "crew",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_crew_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_crew_region_id"),
        sa.PrimaryKeyConstraint("id", name="pk_crew"),
        sa.UniqueConstraint("org_id", "code", name="uq_crew_org_id_code"),
    )
    op.create_index("ix_crew_region_id", "crew", ["region_id"])
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("is_vip", sa.Boolean(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_customer_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_customer_region_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
    )
    op.create_index("ix_customer_org_id_phone", "customer", ["org_id", "phone"])
    op.create_table(
        "daily_income_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("daily_income_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("payee_kind", sa.String(length=32), nullable=False),
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        sa.Column("payee_name", sa.Text(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("region_name", sa.Text(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("amounts", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["daily_income_id"], ["daily_income.id"], name="fk_daily_income_line_daily_income_id"
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_daily_income_line_region_id"),
        sa.PrimaryKeyConstraint("id", name="pk_daily_income_line"),
        sa.UniqueConstraint(
            "daily_income_id", "position", name="uq_daily_income_line_daily_income_id_position"
        ),
    )
    op.create_index("ix_daily_income_line_payee", "daily_income_line", ["payee_kind", "payee_id"])
    op.create_table(
        "dispatch_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ticket_class", sa.String(length=32), nullable=True),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("draft", sa.Text(), nullable=True),
        sa.Column("in_force_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_dispatch_policy_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_dispatch_policy_region_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dispatch_policy"),
        sa.UniqueConstraint("org_id", "code", name="uq_dispatch_policy_org_id_code"),
    )
    op.create_table(
        "dispatch_strategy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("ticket_class", sa.String(length=32), nullable=True),
        sa.Column("overlay", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_dispatch_strategy_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_dispatch_strategy_region_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dispatch_strategy"),
        sa.UniqueConstraint("command_id", name="uq_dispatch_strategy_command_id"),
    )
    op.create_index("ix_dispatch_strategy_org_id_ends_at", "dispatch_strategy", ["org_id", "ends_at"])
    op.create_table(
        "draft_operation",
        sa.Column("draft_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("gesture_id", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("label_params", sa.Text(), nullable=False),
        sa.Column("ops", sa.Text(), nullable=False),
        sa.Column("inverse", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("author_name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name="fk_draft_operation_draft_id"),
        sa.PrimaryKeyConstraint("draft_id", "seq", name="pk_draft_operation"),
        sa.UniqueConstraint("draft_id", "gesture_id", name="uq_draft_operation_draft_id_gesture_id"),
    )
    op.create_table(
        "flow_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("graph", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=64), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="fk_flow_version_flow_id"),
        sa.PrimaryKeyConstraint("id", name="pk_flow_version"),
        sa.UniqueConstraint("flow_id", "content_hash", name="uq_flow_version_flow_id_content_hash"),
        sa.UniqueConstraint("flow_id", "number", name="uq_flow_version_flow_id_number"),
    )
    op.create_table(
        "golden_ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("ticket_no", sa.String(length=24), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Text(), nullable=True),
        sa.Column("saved_by", sa.String(length=64), nullable=False),
        sa.Column("saved_by_name", sa.String(length=80), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="fk_golden_ticket_flow_id"),
        sa.PrimaryKeyConstraint("id", name="pk_golden_ticket"),
        sa.UniqueConstraint("flow_id", "name", name="uq_golden_ticket_flow_id_name"),
    )
    op.create_table(
        "part_standard",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("template_code", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.String(length=24), nullable=False),
        sa.Column("tolerance", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_part_standard_org_id"),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name="fk_part_standard_part_id"),
        sa.PrimaryKeyConstraint("id", name="pk_part_standard"),
        sa.UniqueConstraint(
            "org_id", "part_id", "template_code", name="uq_part_standard_org_id_part_id_template_code"
        ),
    )
    op.create_table(
        "period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["closed_by"], ["user_account.id"], name="fk_period_closed_by"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_period_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_period"),
        sa.UniqueConstraint("org_id", "code", name="uq_period_org_id_code"),
        sa.UniqueConstraint("org_id", "starts_at", name="uq_period_org_id_starts_at"),
    )
    op.create_table(
        "replay_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("draft_hash", sa.String(length=64), nullable=False),
        sa.Column("dwells", sa.Text(), nullable=False),
        sa.Column("period_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("failure", sa.String(length=200), nullable=True),
        sa.Column("sees_everything", sa.Boolean(), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_by_name", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="fk_replay_run_flow_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_replay_run_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_replay_run"),
        sa.UniqueConstraint("org_id", "command_id", name="uq_replay_run_org_id_command_id"),
    )
    op.create_index("ix_replay_run_flow", "replay_run", ["flow_id", "id"])
    op.create_index(
        "uq_replay_run_running",
        "replay_run",
        ["org_id"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("ticket_classes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_role_grant_region_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_role_grant_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
    )
    op.create_index("ix_role_grant_user_id", "role_grant", ["user_id"])
    op.create_table(
        "rule_set_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["published_by"], ["user_account.id"], name="fk_rule_set_version_published_by"
        ),
        sa.ForeignKeyConstraint(["rule_set_id"], ["rule_set.id"], name="fk_rule_set_version_rule_set_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_set_version"),
        sa.UniqueConstraint("rule_set_id", "number", name="uq_rule_set_version_rule_set_id_number"),
    )
    op.create_index(
        "ix_rule_set_version_effective",
        "rule_set_version",
        ["rule_set_id", "status", "effective_from"],
    )
    op.create_table(
        "sandbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("commit_id", sa.String(length=64), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_sandbox_org_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name="fk_sandbox_owner_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_sandbox_region_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox"),
        sa.UniqueConstraint("command_id", name="uq_sandbox_command_id"),
    )
    op.create_index("ix_sandbox_org_id_state", "sandbox", ["org_id", "state"])
    op.create_table(
        "seen_since",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_seen_since_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_seen_since"),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("is_cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"], name="fk_task_created_by"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_task_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
        sa.UniqueConstraint("org_id", "command_id", name="uq_task_org_id_command_id"),
    )
    op.create_index("ix_task_created_by", "task", ["created_by", "id"])
    op.create_index("ix_task_state", "task", ["state", "id"])
    op.create_table(
        "territory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("outline", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_territory_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_territory_region_id"),
        sa.PrimaryKeyConstraint("id", name="pk_territory"),
        sa.UniqueConstraint("org_id", "code", name="uq_territory_org_id_code"),
    )
    op.create_index("ix_territory_region_id", "territory", ["region_id"])
    op.create_table(
        "trigger_rule_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["trigger_rule.id"], name="fk_trigger_rule_version_rule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trigger_rule_version"),
        sa.UniqueConstraint("rule_id", "content_hash", name="uq_trigger_rule_version_rule_id_content_hash"),
        sa.UniqueConstraint("rule_id", "number", name="uq_trigger_rule_version_rule_id_number"),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_user_session_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_user_session"),
        sa.UniqueConstraint("token_hash", name="uq_user_session_token_hash"),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    op.create_table(
        "agreement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_agreement_customer_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_agreement_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement"),
    )
    op.create_index("ix_agreement_customer_id", "agreement", ["customer_id"])
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_contact_customer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
    )
    op.create_index("ix_contact_customer_id", "contact", ["customer_id"])
    op.create_index("ix_contact_phone", "contact", ["phone"])
    op.create_table(
        "customer_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_identity_customer_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_customer_identity_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_identity"),
        sa.UniqueConstraint(
            "org_id", "channel", "external_id", name="uq_customer_identity_org_id_channel_external_id"
        ),
    )
    op.create_index("ix_customer_identity_customer_id", "customer_identity", ["customer_id"])
    op.create_table(
        "customer_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("no", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_order_customer_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_customer_order_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_order"),
        sa.UniqueConstraint("org_id", "no", name="uq_customer_order_org_id_no"),
    )
    op.create_index("ix_customer_order_customer_id", "customer_order", ["customer_id"])
    op.create_table(
        "dispatch_policy_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["dispatch_policy.id"], name="fk_dispatch_policy_version_policy_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dispatch_policy_version"),
        sa.UniqueConstraint("policy_id", "number", name="uq_dispatch_policy_version_policy_id_number"),
    )
    op.create_table(
        "period_reopening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ask_command_id", sa.String(length=64), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["user_account.id"], name="fk_period_reopening_asked_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["user_account.id"], name="fk_period_reopening_decided_by"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_period_reopening_org_id"),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name="fk_period_reopening_period_id"),
        sa.PrimaryKeyConstraint("id", name="pk_period_reopening"),
        sa.UniqueConstraint("org_id", "ask_command_id", name="uq_period_reopening_org_id_ask_command_id"),
    )
    op.create_index(
        "uq_period_reopening_asked",
        "period_reopening",
        ["period_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_site_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_site_region_id"),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name="fk_site_territory_id"),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
        sa.UniqueConstraint("org_id", "code", name="uq_site_org_id_code"),
    )
    op.create_index("ix_site_org_id_lat_lon", "site", ["org_id", "lat", "lon"])
    op.create_index("ix_site_region_id", "site", ["region_id"])
    op.create_table(
        "surge_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("opens_at", sa.Integer(), nullable=False),
        sa.Column("closes_at", sa.Integer(), nullable=False),
        sa.Column("window_minutes", sa.Integer(), nullable=False),
        sa.Column("factor_percent", sa.Integer(), nullable=False),
        sa.Column("lasts_minutes", sa.Integer(), nullable=False),
        sa.Column("overlay", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("strategy_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 < closes_at AND closes_at < opens_at", name=op.f("ck_surge_rule_closes_below_it_opens")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_surge_rule_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_surge_rule_region_id"),
        sa.ForeignKeyConstraint(["strategy_id"], ["dispatch_strategy.id"], name="fk_surge_rule_strategy_id"),
        sa.PrimaryKeyConstraint("id", name="pk_surge_rule"),
    )
    op.create_index("ix_surge_rule_org_id_kind", "surge_rule", ["org_id", "kind"])
    op.create_table(
        "template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("business_line", sa.String(length=64), nullable=False),
        sa.Column("ticket_class", sa.String(length=32), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=True),
        sa.Column("flow_version_id", sa.Integer(), nullable=True),
        sa.Column("current_version_id", sa.Integer(), nullable=True),
        sa.Column("icon", sa.String(length=64), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_standard", sa.Boolean(), nullable=False),
        sa.Column("override_count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="fk_template_flow_id"),
        sa.ForeignKeyConstraint(["flow_version_id"], ["flow_version.id"], name="fk_template_flow_version_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_template_org_id"),
        sa.PrimaryKeyConstraint("id", name="pk_template"),
        sa.UniqueConstraint("org_id", "code", name="uq_template_org_id_code"),
    )
    op.create_table(
        "asset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("purchased_on", sa.Date(), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_asset_customer_id"),
        sa.ForeignKeyConstraint(["model_id"], ["product_model.id"], name="fk_asset_model_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_asset_org_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_asset_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_asset"),
        sa.UniqueConstraint("org_id", "serial", name="uq_asset_org_id_serial"),
    )
    op.create_index("ix_asset_customer_id", "asset", ["customer_id"])
    op.create_table(
        "import_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_import_batch_org_id"),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name="fk_import_batch_template_id"),
        sa.PrimaryKeyConstraint("id", name="pk_import_batch"),
    )
    op.create_index("ix_import_batch_org_id", "import_batch", ["org_id"])
    op.create_table(
        "order_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["product_model.id"], name="fk_order_line_model_id"),
        sa.ForeignKeyConstraint(["order_id"], ["customer_order.id"], name="fk_order_line_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_line"),
    )
    op.create_index("ix_order_line_order_id", "order_line", ["order_id"])
    op.create_table(
        "technician",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("home_site_id", sa.Integer(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("is_on_duty", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("crew_id", sa.Integer(), nullable=True),
        sa.Column("vendor_id", sa.Integer(), nullable=True),
        sa.Column("post", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name="fk_technician_crew_id"),
        sa.ForeignKeyConstraint(["home_site_id"], ["site.id"], name="fk_technician_home_site_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_technician_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_technician_region_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_technician_user_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name="fk_technician_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_technician"),
        sa.UniqueConstraint("user_id", name="uq_technician_user_id"),
    )
    op.create_index("ix_technician_crew_id", "technician", ["crew_id"])
    op.create_index("ix_technician_org_id", "technician", ["org_id"])
    op.create_index("ix_technician_region_id", "technician", ["region_id"])
    op.create_index("ix_technician_vendor_id", "technician", ["vendor_id"])
    op.create_table(
        "template_override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("patch", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_template_override_org_id"),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name="fk_template_override_template_id"),
        sa.PrimaryKeyConstraint("id", name="pk_template_override"),
        sa.UniqueConstraint("template_id", "scope", "ref", name="uq_template_override_template_id_scope_ref"),
    )
    op.create_table(
        "template_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("base_version_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("flow_version_id", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["base_version_id"], ["template_version.id"], name="fk_template_version_base_version_id"
        ),
        sa.ForeignKeyConstraint(
            ["flow_version_id"], ["flow_version.id"], name="fk_template_version_flow_version_id"
        ),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name="fk_template_version_template_id"),
        sa.PrimaryKeyConstraint("id", name="pk_template_version"),
        sa.UniqueConstraint(
            "template_id", "content_hash", name="uq_template_version_template_id_content_hash"
        ),
        sa.UniqueConstraint("template_id", "number", name="uq_template_version_template_id_number"),
    )
    op.create_index("ix_template_version_base_version_id", "template_version", ["base_version_id"])
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_absence_technician_id"),
        sa.PrimaryKeyConstraint("id", name="pk_absence"),
    )
    op.create_index("ix_absence_technician_id_starts_at", "absence", ["technician_id", "starts_at"])
    op.create_table(
        "brand_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name="fk_brand_certificate_technician_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_brand_certificate"),
    )
    op.create_index(
        "ix_brand_certificate_technician_id_brand",
        "brand_certificate",
        ["technician_id", "brand"],
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("skill_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["skill_id"], ["skill.id"], name="fk_certificate_skill_id"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_certificate_technician_id"),
        sa.PrimaryKeyConstraint("id", name="pk_certificate"),
    )
    op.create_index(
        "ix_certificate_technician_id_skill_id",
        "certificate",
        ["technician_id", "skill_id"],
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("crew_id", sa.Integer(), nullable=True),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("giver_ids", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(crew_id IS NULL) <> (technician_id IS NULL)", name=op.f("ck_handover_one_giver")
        ),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name="fk_handover_crew_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_handover_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_handover_region_id"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_handover_technician_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handover"),
        sa.UniqueConstraint("command_id", name="uq_handover_command_id"),
    )
    op.create_index("ix_handover_open", "handover", ["org_id", "closed_at"])
    op.create_table(
        "last_position",
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_last_position_technician_id"),
        sa.PrimaryKeyConstraint("technician_id", name="pk_last_position"),
    )
    op.create_table(
        "position_fix",
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_position_fix_technician_id"),
        sa.PrimaryKeyConstraint("technician_id", "device", "taken_at", name="pk_position_fix"),
    )
    op.create_index("ix_position_fix_taken_at", "position_fix", ["taken_at"])
    op.create_index("ix_position_fix_track", "position_fix", ["technician_id", "taken_at"])
    op.create_table(
        "position_sharing",
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duty_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name="fk_position_sharing_technician_id"
        ),
        sa.PrimaryKeyConstraint("technician_id", name="pk_position_sharing"),
    )
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=True),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("payee_name", sa.Text(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("as_of_seq", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("tolerance", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=80), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.Column("start_command_id", sa.String(length=64), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(vendor_id IS NULL) <> (technician_id IS NULL)", name=op.f("ck_reconciliation_one_payee")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_reconciliation_org_id"),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name="fk_reconciliation_period_id"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_reconciliation_technician_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name="fk_reconciliation_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation"),
        sa.UniqueConstraint("org_id", "start_command_id", name="uq_reconciliation_org_id_start_command_id"),
    )
    op.create_index("ix_reconciliation_technician", "reconciliation", ["technician_id"])
    op.create_index("ix_reconciliation_vendor", "reconciliation", ["vendor_id"])
    op.create_table(
        "shift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_shift_technician_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shift"),
    )
    op.create_index("ix_shift_technician_id_starts_at", "shift", ["technician_id", "starts_at"])
    op.create_table(
        "technician_load",
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("open_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("open_count >= 0", name=op.f("ck_technician_load_open_count_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name="fk_technician_load_technician_id"
        ),
        sa.PrimaryKeyConstraint("technician_id", name="pk_technician_load"),
    )
    op.create_table(
        "technician_month",
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("hard_jobs", sa.Integer(), nullable=False),
        sa.Column("income_minor", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name="fk_technician_month_technician_id"
        ),
        sa.PrimaryKeyConstraint("technician_id", name="pk_technician_month"),
    )
    op.create_table(
        "technician_territory",
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name="fk_technician_territory_technician_id"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name="fk_technician_territory_territory_id"
        ),
        sa.PrimaryKeyConstraint("technician_id", "territory_id", name="pk_technician_territory"),
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("no", sa.String(length=24), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_class", sa.String(length=32), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("template_version_id", sa.Integer(), nullable=False),
        sa.Column("flow_version_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("raw_intake_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("asset_id", sa.Integer(), nullable=True),
        sa.Column("contact_name", sa.String(length=120), nullable=False),
        sa.Column("contact_phone", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("impact", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("priority_reason", sa.Text(), nullable=False),
        sa.Column("is_vip", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("priority_class", sa.Integer(), nullable=False),
        sa.Column("rank", sa.String(length=40), nullable=False),
        sa.Column("marking", sa.Text(), nullable=False),
        sa.Column("progress_bp", sa.Integer(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("handoffs", sa.Integer(), nullable=False),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tracking_hash", sa.String(length=64), nullable=True),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name="fk_ticket_asset_id"),
        sa.ForeignKeyConstraint(["assignee_id"], ["technician.id"], name="fk_ticket_assignee_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_ticket_customer_id"),
        sa.ForeignKeyConstraint(["flow_version_id"], ["flow_version.id"], name="fk_ticket_flow_version_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_ticket_org_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_ticket_region_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_ticket_site_id"),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name="fk_ticket_template_id"),
        sa.ForeignKeyConstraint(
            ["template_version_id"], ["template_version.id"], name="fk_ticket_template_version_id"
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name="fk_ticket_territory_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint("org_id", "no", name="uq_ticket_org_id_no"),
        sa.UniqueConstraint("tracking_hash", name="uq_ticket_tracking_hash"),
    )
    op.create_index("ix_ticket_asset_id", "ticket", ["asset_id"])
    op.create_index(
        "ix_ticket_assigned",
        "ticket",
        ["org_id", "assigned_at"],
        sqlite_where=sa.text("assigned_at IS NOT NULL"),
        postgresql_where=sa.text("assigned_at IS NOT NULL"),
    )
    op.create_index("ix_ticket_assignee_id", "ticket", ["assignee_id"])
    op.create_index(
        "ix_ticket_closed",
        "ticket",
        ["org_id", "closed_at"],
        sqlite_where=sa.text("closed_at IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index("ix_ticket_customer_id", "ticket", ["customer_id"])
    op.create_index(
        "ix_ticket_due",
        "ticket",
        ["org_id", "due_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_ticket_lane", "ticket", ["org_id", "stage", "priority_class", "rank"])
    op.create_index(
        "ix_ticket_open_work",
        "ticket",
        [
            "org_id",
            "priority_class",
            "rank",
            "stage",
            "assignee_id",
            "territory_id",
            "region_id",
            "ticket_class",
            "template_id",
            "priority",
            "is_vip",
            "due_at",
            "closed_at",
            "id",
        ],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_ticket_opened", "ticket", ["org_id", "opened_at"])
    op.create_index(
        "ix_ticket_region_lane",
        "ticket",
        ["org_id", "region_id", "stage", "priority_class", "rank"],
    )
    op.create_index(
        "ix_ticket_resolved",
        "ticket",
        ["org_id", "resolved_at"],
        sqlite_where=sa.text("resolved_at IS NOT NULL"),
        postgresql_where=sa.text("resolved_at IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_responded",
        "ticket",
        ["org_id", "responded_at"],
        sqlite_where=sa.text("responded_at IS NOT NULL"),
        postgresql_where=sa.text("responded_at IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_vip_lane",
        "ticket",
        ["org_id", "stage", "priority_class", "rank", "region_id", "ticket_class"],
        sqlite_where=sa.text("is_vip = 1"),
        postgresql_where=sa.text("is_vip"),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=True),
        sa.Column("field_key", sa.String(length=64), nullable=True),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("visibility", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("author_name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_attachment_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_ticket_id", "attachment", ["ticket_id"])
    op.create_table(
        "comment",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("author_name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_comment_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
    )
    op.create_index("ix_comment_ticket_id", "comment", ["ticket_id"])
    op.create_table(
        "event",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("on_behalf", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("causation_id", sa.String(length=64), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_event_ticket_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_event"),
        sa.UniqueConstraint("command_id", "ordinal", name="uq_event_command_id_ordinal"),
    )
    op.create_index("ix_event_at", "event", ["org_id", "at"])
    op.create_index("ix_event_ticket", "event", ["ticket_id", "seq"])
    op.create_table(
        "fact_snapshot",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_fact_snapshot_org_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_fact_snapshot_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fact_snapshot"),
    )
    op.create_table(
        "field_value",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("field_key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("template_version_id", sa.Integer(), nullable=False),
        sa.Column("provenance", sa.String(length=32), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_version_id"], ["template_version.id"], name="fk_field_value_template_version_id"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_field_value_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "field_key", name="pk_field_value"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("fact_key", sa.String(length=240), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=2000), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_outbox_org_id"),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name="fk_outbox_ticket_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("fact_key", "recipient", "channel", name="uq_outbox_fact_key_recipient_channel"),
    )
    op.create_index("ix_outbox_due", "outbox", ["channel", "state", "next_at"])
    op.create_index("ix_outbox_inbox", "outbox", ["org_id", "channel", "recipient", "id"])
    op.create_index("ix_outbox_ticket", "outbox", ["ticket_id"])
    op.create_table(
        "part_usage",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.String(length=24), nullable=False),
        sa.Column("unit_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name="fk_part_usage_part_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_part_usage_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_part_usage"),
    )
    op.create_index("ix_part_usage_ticket_id", "part_usage", ["ticket_id"])
    op.create_table(
        "part_warning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("used", sa.String(length=24), nullable=False),
        sa.Column("standard", sa.String(length=24), nullable=False),
        sa.Column("tolerance", sa.String(length=24), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_part_warning_org_id"),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name="fk_part_warning_part_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_part_warning_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_part_warning"),
        sa.UniqueConstraint("command_id", "part_id", name="uq_part_warning_command_id_part_id"),
    )
    op.create_index("ix_part_warning_ticket_id", "part_warning", ["ticket_id"])
    op.create_table(
        "replay_difference",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kinds", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("breached", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("base_end", sa.String(length=64), nullable=False),
        sa.Column("draft_end", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["replay_run.id"], name="fk_replay_difference_run_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_replay_difference_ticket_id"),
        sa.PrimaryKeyConstraint("run_id", "ticket_id", name="pk_replay_difference"),
    )
    op.create_table(
        "sandbox_move",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("sandbox_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("base_holder", sa.Integer(), nullable=True),
        sa.Column("base_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("settled_by", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(starts_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_sandbox_move_start_and_end")
        ),
        sa.ForeignKeyConstraint(["sandbox_id"], ["sandbox.id"], name="fk_sandbox_move_sandbox_id"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_sandbox_move_technician_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_sandbox_move_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_move"),
        sa.UniqueConstraint("sandbox_id", "command_id", name="uq_sandbox_move_sandbox_id_command_id"),
        sa.UniqueConstraint("sandbox_id", "seq", name="uq_sandbox_move_sandbox_id_seq"),
    )
    op.create_table(
        "signature",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("signer_name", sa.String(length=120), nullable=False),
        sa.Column("strokes", sa.Text(), nullable=False),
        sa.Column("snapshot_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_signature_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_signature"),
    )
    op.create_index("ix_signature_ticket_id", "signature", ["ticket_id"])
    op.create_table(
        "survey",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("node_key", sa.String(length=130), nullable=False),
        sa.Column("questions", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answers", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_survey_org_id"),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name="fk_survey_ticket_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_survey"),
        sa.UniqueConstraint("ticket_id", "node_key", name="uq_survey_ticket_id_node_key"),
    )
    op.create_table(
        "ticket_link",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("from_id", sa.BigInteger(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["ticket.id"], name="fk_ticket_link_from_id"),
        sa.ForeignKeyConstraint(["to_id"], ["ticket.id"], name="fk_ticket_link_to_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_link"),
        sa.UniqueConstraint("from_id", "to_id", "kind", name="uq_ticket_link_from_id_to_id_kind"),
    )
    op.create_index("ix_ticket_link_to", "ticket_link", ["to_id"])
    op.create_table(
        "ticket_seen",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_seen_ticket_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_ticket_seen_user_id"),
        sa.PrimaryKeyConstraint("user_id", "ticket_id", name="pk_ticket_seen"),
    )
    op.create_index("ix_ticket_seen_at", "ticket_seen", ["user_id", "at"])
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("node_key", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("owner_kind", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("queue_role", sa.String(length=32), nullable=True),
        sa.Column("arrived_by", sa.String(length=160), nullable=True),
        sa.Column("forks", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_token_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
    )
    op.create_index("ix_token_entered", "token", ["org_id", "entered_at"])
    op.create_index(
        "ix_token_left",
        "token",
        ["org_id", "left_at"],
        sqlite_where=sa.text("left_at IS NOT NULL"),
        postgresql_where=sa.text("left_at IS NOT NULL"),
    )
    op.create_index("ix_token_standing", "token", ["org_id", "state", "owner_kind", "owner_id"])
    op.create_index("ix_token_ticket", "token", ["ticket_id"])
    op.create_table(
        "dispatch_decision",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("chosen_id", sa.Integer(), nullable=True),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("failed", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name="fk_dispatch_decision_ticket_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["token.id"],
            name="fk_dispatch_decision_token_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dispatch_decision"),
    )
    op.create_index("ix_dispatch_decision_ticket", "dispatch_decision", ["ticket_id"])
    op.create_index("ix_dispatch_decision_token", "dispatch_decision", ["token_id"])
    op.create_table(
        "handover_item",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("handover_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("taken_by", sa.Integer(), nullable=True),
        sa.Column("settled_by", sa.String(length=80), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name="fk_handover_item_handover_id"),
        sa.ForeignKeyConstraint(["taken_by"], ["technician.id"], name="fk_handover_item_taken_by"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_handover_item_technician_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_handover_item_ticket_id"),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name="fk_handover_item_token_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handover_item"),
    )
    op.create_index("ix_handover_item_handover", "handover_item", ["handover_id"])
    op.create_index("ix_handover_item_ticket", "handover_item", ["ticket_id"])
    op.create_index(
        "uq_handover_item_open",
        "handover_item",
        ["token_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "notice_read",
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_notice_read_outbox_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_notice_read_user_id"),
        sa.PrimaryKeyConstraint("outbox_id", "user_id", name="pk_notice_read"),
    )
    op.create_index("ix_notice_read_user_id", "notice_read", ["user_id"])
    op.create_table(
        "rating",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("fact_snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_set_version_id", sa.Integer(), nullable=False),
        sa.Column("payee_account_id", sa.BigInteger(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fact_snapshot_id"], ["fact_snapshot.id"], name="fk_rating_fact_snapshot_id"
        ),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_rating_org_id"),
        sa.ForeignKeyConstraint(["payee_account_id"], ["account.id"], name="fk_rating_payee_account_id"),
        sa.ForeignKeyConstraint(
            ["rule_set_version_id"], ["rule_set_version.id"], name="fk_rating_rule_set_version_id"
        ),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_rating_technician_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_rating_ticket_id"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name="fk_rating_vendor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating"),
    )
    op.create_index("ix_rating_service", "rating", ["org_id", "service_on"])
    op.create_index("ix_rating_ticket", "rating", ["ticket_id"])
    op.create_index(
        "uq_rating_live",
        "rating",
        ["ticket_id", "segment", "purpose"],
        unique=True,
        sqlite_where=sa.text("is_live = 1"),
        postgresql_where=sa.text("is_live"),
    )
    op.create_table(
        "timer",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("fact_key", sa.String(length=240), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_ms", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name="fk_timer_ticket_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["token.id"], name="fk_timer_token_id", initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_timer"),
        sa.UniqueConstraint("fact_key", name="uq_timer_fact_key"),
    )
    op.create_index("ix_timer_due", "timer", ["state", "due_at"])
    op.create_index("ix_timer_ticket", "timer", ["ticket_id"])
    op.create_index("ix_timer_token", "timer", ["token_id"])
    op.create_table(
        "visit",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("travel_seconds", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_visit_visit_ends_after_it_starts")),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_visit_org_id"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_visit_technician_id"),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name="fk_visit_ticket_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["token.id"], name="fk_visit_token_id", initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
        sa.UniqueConstraint("token_id", name="uq_visit_token_id"),
    )
    op.create_index("ix_visit_org", "visit", ["org_id", "starts_at"])
    op.create_index("ix_visit_technician", "visit", ["technician_id", "starts_at"])
    op.create_index("ix_visit_ticket", "visit", ["ticket_id"])
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["dispatch_decision.id"],
            name="fk_assignment_decision_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_assignment_technician_id"),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
            name="fk_assignment_ticket_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["token.id"],
            name="fk_assignment_token_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
    )
    op.create_index("ix_assignment_decision", "assignment", ["decision_id"])
    op.create_index("ix_assignment_technician", "assignment", ["technician_id", "state"])
    op.create_index("ix_assignment_ticket", "assignment", ["ticket_id"])
    op.create_index("ix_assignment_token", "assignment", ["token_id"])
    op.create_index(
        "uq_assignment_claimed",
        "assignment",
        ["token_id"],
        unique=True,
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    )
    op.create_table(
        "journal",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column("rating_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_no", sa.String(length=32), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("origin_period_id", sa.Integer(), nullable=True),
        sa.Column("service_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_journal_org_id"),
        sa.ForeignKeyConstraint(["origin_period_id"], ["period.id"], name="fk_journal_origin_period_id"),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name="fk_journal_period_id"),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name="fk_journal_rating_id"),
        sa.ForeignKeyConstraint(["reverses_id"], ["journal.id"], name="fk_journal_reverses_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_journal_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.UniqueConstraint("org_id", "seq", name="uq_journal_org_id_seq"),
        sa.UniqueConstraint("reverses_id", name="uq_journal_reverses_id"),
    )
    op.create_index("ix_journal_posted", "journal", ["org_id", "posted_at"])
    op.create_index("ix_journal_rating", "journal", ["rating_id"])
    op.create_table(
        "rating_line",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("rating_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.String(length=32), nullable=False),
        sa.Column("rule_code", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.String(length=64), nullable=False),
        sa.Column("factor", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("explain", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name="fk_rating_line_rating_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_line"),
        sa.UniqueConstraint("rating_id", "position", name="uq_rating_line_rating_id_position"),
    )
    op.create_table(
        "rating_reference",
        sa.Column("rating_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("quotes", sa.Integer(), nullable=False),
        sa.Column("reference_minor", sa.BigInteger(), nullable=False),
        sa.Column("deviation_bp", sa.Integer(), nullable=False),
        sa.Column("is_flagged", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name="fk_rating_reference_rating_id"),
        sa.PrimaryKeyConstraint("rating_id", name="pk_rating_reference"),
    )
    op.create_table(
        "posting",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("rating_line_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_posting_account_id"),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name="fk_posting_journal_id"),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name="fk_posting_period_id"),
        sa.ForeignKeyConstraint(["rating_line_id"], ["rating_line.id"], name="fk_posting_rating_line_id"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_posting_region_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_posting_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_posting"),
    )
    op.create_index(
        "ix_posting_account_period",
        "posting",
        ["account_id", "period_id", "journal_id", "ticket_id", "region_id", "amount_minor"],
    )
    op.create_index("ix_posting_journal", "posting", ["journal_id"])
    op.create_table(
        "refund",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("rating_id", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refunded_by", sa.String(length=64), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name="fk_refund_journal_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_refund_org_id"),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name="fk_refund_rating_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_refund_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refund"),
        sa.UniqueConstraint("journal_id", name="uq_refund_journal_id"),
        sa.UniqueConstraint("org_id", "command_id", name="uq_refund_org_id_command_id"),
    )
    op.create_index("ix_refund_rating", "refund", ["rating_id"])
    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("payee_kind", sa.String(length=32), nullable=False),
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        sa.Column("payee_name", sa.Text(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("as_of_seq", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_by", sa.Integer(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_by", sa.String(length=80), nullable=True),
        sa.Column("payment_journal_id", sa.BigInteger(), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issued_by"], ["user_account.id"], name="fk_statement_issued_by"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_statement_org_id"),
        sa.ForeignKeyConstraint(
            ["payment_journal_id"], ["journal.id"], name="fk_statement_payment_journal_id"
        ),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"], name="fk_statement_period_id"),
        sa.PrimaryKeyConstraint("id", name="pk_statement"),
        sa.UniqueConstraint(
            "org_id",
            "payee_kind",
            "payee_id",
            "period_id",
            "number",
            name="uq_statement_org_id_payee_kind_payee_id_period_id_number",
        ),
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=True),
        sa.Column("rating_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("line_position", sa.Integer(), nullable=True),
        sa.Column("node", sa.String(length=160), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("opened_name", sa.String(length=80), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.String(length=1000), nullable=False),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.Column("answered_name", sa.String(length=80), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remedy", sa.String(length=32), nullable=True),
        sa.Column("amended", sa.Text(), nullable=True),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        sa.Column("open_command_id", sa.String(length=64), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name="fk_dispute_journal_id"),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name="fk_dispute_org_id"),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name="fk_dispute_rating_id"),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name="fk_dispute_statement_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_dispute_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute"),
        sa.UniqueConstraint("org_id", "open_command_id", name="uq_dispute_org_id_open_command_id"),
    )
    op.create_index("ix_dispute_inbox", "dispute", ["org_id", "state", "opened_at"])
    op.create_index("ix_dispute_rating", "dispute", ["rating_id"])
    op.create_index("ix_dispute_statement", "dispute", ["statement_id"])
    op.create_index("ix_dispute_ticket", "dispute", ["ticket_id"])
    op.create_index(
        "uq_dispute_undecided",
        "dispute",
        ["rating_id", "node"],
        unique=True,
        sqlite_where=sa.text("state IN ('open', 'answered')"),
        postgresql_where=sa.text("state IN ('open', 'answered')"),
    )
    op.create_table(
        "reconciliation_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reconciliation_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("our_posting_id", sa.BigInteger(), nullable=True),
        sa.Column("our_ticket_no", sa.String(length=32), nullable=True),
        sa.Column("our_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("our_day", sa.Date(), nullable=True),
        sa.Column("their_row", sa.Integer(), nullable=True),
        sa.Column("their_ticket_no", sa.String(length=80), nullable=True),
        sa.Column("their_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("their_day", sa.Date(), nullable=True),
        sa.Column("decision", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["our_posting_id"], ["posting.id"], name="fk_reconciliation_line_our_posting_id"
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation.id"],
            name="fk_reconciliation_line_reconciliation_id",
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_reconciliation_line_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation_line"),
        sa.UniqueConstraint(
            "reconciliation_id", "position", name="uq_reconciliation_line_reconciliation_id_position"
        ),
    )
    op.create_table(
        "refund_line",
        sa.Column("rating_line_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("refund_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["rating_line_id"], ["rating_line.id"], name="fk_refund_line_rating_line_id"),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name="fk_refund_line_refund_id"),
        sa.PrimaryKeyConstraint("rating_line_id", name="pk_refund_line"),
    )
    op.create_index("ix_refund_line_refund_id", "refund_line", ["refund_id"])
    op.create_table(
        "statement_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("posting_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"], name="fk_statement_line_posting_id"),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name="fk_statement_line_statement_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_statement_line_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_statement_line"),
        sa.UniqueConstraint("posting_id", name="uq_statement_line_posting_id"),
    )
    op.create_index("ix_statement_line_statement", "statement_line", ["statement_id"])
    op.create_table(
        "statement_signature",
        sa.Column("statement_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signing_key_id", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(length=100), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["signing_key_id"], ["signing_key.id"], name="fk_statement_signature_signing_key_id"
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.id"], name="fk_statement_signature_statement_id"
        ),
        sa.PrimaryKeyConstraint("statement_id", name="pk_statement_signature"),
    )
    for statement in WRITTEN_ONCE[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    _wait_briefly_for_locks()
    for statement in CHANGEABLE_AGAIN[op.get_context().dialect.name]:
        op.execute(statement)
    op.drop_table("statement_signature")
    op.drop_table("statement_line")
    op.drop_table("refund_line")
    op.drop_table("reconciliation_line")
    op.drop_index(
        "uq_dispute_undecided",
        table_name="dispute",
        sqlite_where=sa.text("state IN ('open', 'answered')"),
        postgresql_where=sa.text("state IN ('open', 'answered')"),
    )
    op.drop_table("dispute")
    op.drop_table("statement")
    op.drop_table("refund")
    op.drop_table("posting")
    op.drop_table("rating_reference")
    op.drop_table("rating_line")
    op.drop_table("journal")
    op.drop_table("assignment")
    op.drop_table("visit")
    op.drop_table("timer")
    op.drop_table("rating")
    op.drop_table("notice_read")
    op.drop_table("handover_item")
    op.drop_table("dispatch_decision")
    op.drop_table("token")
    op.drop_table("ticket_seen")
    op.drop_table("ticket_link")
    op.drop_table("survey")
    op.drop_table("signature")
    op.drop_table("sandbox_move")
    op.drop_table("replay_difference")
    op.drop_table("part_warning")
    op.drop_table("part_usage")
    op.drop_table("outbox")
    op.drop_table("field_value")
    op.drop_table("fact_snapshot")
    op.drop_table("event")
    op.drop_table("comment")
    op.drop_table("attachment")
    op.drop_table("ticket")
    op.drop_table("technician_territory")
    op.drop_table("technician_month")
    op.drop_table("technician_load")
    op.drop_table("shift")
    op.drop_table("reconciliation")
    op.drop_table("position_sharing")
    op.drop_table("position_fix")
    op.drop_table("last_position")
    op.drop_table("handover")
    op.drop_table("certificate")
    op.drop_table("brand_certificate")
    op.drop_table("absence")
    op.drop_table("template_version")
    op.drop_table("template_override")
    op.drop_table("technician")
    op.drop_table("order_line")
    op.drop_table("import_batch")
    op.drop_table("asset")
    op.drop_table("template")
    op.drop_table("surge_rule")
    op.drop_table("site")
    op.drop_table("period_reopening")
    op.drop_table("dispatch_policy_version")
    op.drop_table("customer_order")
    op.drop_table("customer_identity")
    op.drop_table("contact")
    op.drop_table("agreement")
    op.drop_table("user_session")
    op.drop_table("trigger_rule_version")
    op.drop_table("territory")
    op.drop_table("task")
    op.drop_table("seen_since")
    op.drop_table("sandbox")
    op.drop_table("rule_set_version")
    op.drop_table("role_grant")
    op.drop_table("replay_run")
    op.drop_table("period")
    op.drop_table("part_standard")
    op.drop_table("golden_ticket")
    op.drop_table("flow_version")
    op.drop_table("draft_operation")
    op.drop_table("dispatch_strategy")
    op.drop_table("dispatch_policy")
    op.drop_table("daily_income_line")
    op.drop_table("customer")
    op.drop_table("crew")
    op.drop_table("calendar_version")
    op.drop_table("board_view")
    op.drop_table("api_token")
    op.drop_table("wip_limit")
    op.drop_table("vendor")
    op.drop_table("user_account")
    op.drop_table("trigger_rule")
    op.drop_table("tier_window")
    op.drop_table("skill")
    op.drop_table("signing_key")
    op.drop_table("schedule_run")
    op.drop_table("rule_set")
    op.drop_table("region")
    op.drop_table("raw_intake")
    op.drop_table("publication")
    op.drop_table("product_model")
    op.drop_table("price_quote")
    op.drop_table("part")
    op.drop_table("ledger_head")
    op.drop_table("law_result")
    op.drop_table("flow")
    op.drop_table("field_def")
    op.drop_table("draft")
    op.drop_table("daily_income")
    op.drop_table("calendar")
    op.drop_table("audit_entry")
    op.drop_table("account")
    op.drop_table("org")
    op.drop_table("lane_count")
    op.drop_table("id_block")


def _wait_briefly_for_locks() -> None:
    # A migration that queues behind a long transaction makes every later command queue behind it.
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")


# Rows of the books and of history are written once: the database refuses to change them.
WRITTEN_ONCE = {
    "sqlite": (
        "CREATE TRIGGER calendar_version_no_update BEFORE UPDATE ON calendar_version FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'calendar_version is written once'); END",
        "CREATE TRIGGER calendar_version_no_delete BEFORE DELETE ON calendar_version FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'calendar_version is written once'); END",
        "CREATE TRIGGER dispatch_policy_version_no_update BEFORE UPDATE ON dispatch_policy_version FOR "
        "EACH ROW BEGIN SELECT RAISE(ABORT, 'dispatch_policy_version is written once'); END",
        "CREATE TRIGGER dispatch_policy_version_no_delete BEFORE DELETE ON dispatch_policy_version FOR "
        "EACH ROW BEGIN SELECT RAISE(ABORT, 'dispatch_policy_version is written once'); END",
        "CREATE TRIGGER flow_version_no_update BEFORE UPDATE OF id, flow_id, number, graph, "
        "content_hash, published_at, published_by, effective_from ON flow_version FOR EACH ROW WHEN "
        "OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'a published flow_version never changes'); END",
        "CREATE TRIGGER flow_version_no_redraft BEFORE UPDATE OF status ON flow_version FOR EACH ROW "
        "WHEN OLD.status <> 'draft' AND NEW.status = 'draft' BEGIN SELECT RAISE(ABORT, 'a published "
        "flow_version never changes'); END",
        "CREATE TRIGGER flow_version_no_delete BEFORE DELETE ON flow_version FOR EACH ROW WHEN "
        "OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'a published flow_version never changes'); END",
        "CREATE TRIGGER template_version_no_update BEFORE UPDATE OF id, template_id, number, "
        "base_version_id, definition, content_hash, flow_version_id, published_at, published_by ON "
        "template_version FOR EACH ROW WHEN OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'a "
        "published template_version never changes'); END",
        "CREATE TRIGGER template_version_no_redraft BEFORE UPDATE OF status ON template_version FOR "
        "EACH ROW WHEN OLD.status <> 'draft' AND NEW.status = 'draft' BEGIN SELECT RAISE(ABORT, 'a "
        "published template_version never changes'); END",
        "CREATE TRIGGER template_version_no_delete BEFORE DELETE ON template_version FOR EACH ROW WHEN "
        "OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'a published template_version never changes'); "
        "END",
        "CREATE TRIGGER publication_no_update BEFORE UPDATE ON publication FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'publication is written once'); END",
        "CREATE TRIGGER publication_no_delete BEFORE DELETE ON publication FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'publication is written once'); END",
        "CREATE TRIGGER trigger_rule_version_no_update BEFORE UPDATE ON trigger_rule_version FOR EACH "
        "ROW BEGIN SELECT RAISE(ABORT, 'a published trigger_rule_version never changes'); END",
        "CREATE TRIGGER trigger_rule_version_no_delete BEFORE DELETE ON trigger_rule_version FOR EACH "
        "ROW BEGIN SELECT RAISE(ABORT, 'a published trigger_rule_version never changes'); END",
        "CREATE TRIGGER fact_snapshot_no_update BEFORE UPDATE ON fact_snapshot FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'fact_snapshot is written once'); END",
        "CREATE TRIGGER fact_snapshot_no_delete BEFORE DELETE ON fact_snapshot FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'fact_snapshot is written once'); END",
        "CREATE TRIGGER rating_line_no_update BEFORE UPDATE ON rating_line FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'rating_line is written once'); END",
        "CREATE TRIGGER rating_line_no_delete BEFORE DELETE ON rating_line FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'rating_line is written once'); END",
        "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'journal is written once'); END",
        "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'journal is written once'); END",
        "CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'posting is written once'); END",
        "CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'posting is written once'); END",
        "CREATE TRIGGER statement_line_no_update BEFORE UPDATE ON statement_line FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'statement_line is written once'); END",
        "CREATE TRIGGER statement_line_no_delete BEFORE DELETE ON statement_line FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'statement_line is written once'); END",
        "CREATE TRIGGER statement_signature_no_update BEFORE UPDATE ON statement_signature FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'statement_signature is written once'); END",
        "CREATE TRIGGER statement_signature_no_delete BEFORE DELETE ON statement_signature FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'statement_signature is written once'); END",
        "CREATE TRIGGER daily_income_no_update BEFORE UPDATE ON daily_income FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'daily_income is written once'); END",
        "CREATE TRIGGER daily_income_no_delete BEFORE DELETE ON daily_income FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'daily_income is written once'); END",
        "CREATE TRIGGER daily_income_line_no_update BEFORE UPDATE ON daily_income_line FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'daily_income_line is written once'); END",
        "CREATE TRIGGER daily_income_line_no_delete BEFORE DELETE ON daily_income_line FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'daily_income_line is written once'); END",
        "CREATE TRIGGER refund_no_update BEFORE UPDATE ON refund FOR EACH ROW BEGIN SELECT RAISE(ABORT, "
        "'refund is written once'); END",
        "CREATE TRIGGER refund_no_delete BEFORE DELETE ON refund FOR EACH ROW BEGIN SELECT RAISE(ABORT, "
        "'refund is written once'); END",
        "CREATE TRIGGER refund_line_no_update BEFORE UPDATE ON refund_line FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'refund_line is written once'); END",
        "CREATE TRIGGER refund_line_no_delete BEFORE DELETE ON refund_line FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'refund_line is written once'); END",
        "CREATE TRIGGER rating_reference_no_update BEFORE UPDATE ON rating_reference FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'rating_reference is written once'); END",
        "CREATE TRIGGER rating_reference_no_delete BEFORE DELETE ON rating_reference FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'rating_reference is written once'); END",
        "CREATE TRIGGER price_quote_no_update BEFORE UPDATE ON price_quote FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'price_quote is written once'); END",
        "CREATE TRIGGER price_quote_no_delete BEFORE DELETE ON price_quote FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'price_quote is written once'); END",
        "CREATE TRIGGER rating_no_update BEFORE UPDATE OF id, org_id, ticket_id, segment, purpose, "
        "fact_snapshot_id, rule_set_version_id, payee_account_id, technician_id, vendor_id, "
        "total_minor, currency, trace, content_hash, service_on, rated_at ON rating FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'rating is written once'); END",
        "CREATE TRIGGER rating_no_delete BEFORE DELETE ON rating FOR EACH ROW BEGIN SELECT RAISE(ABORT, "
        "'rating is written once'); END",
        "CREATE TRIGGER rule_set_version_no_update BEFORE UPDATE OF id, rule_set_id, number, rules, "
        "content_hash, effective_from, published_at, published_by ON rule_set_version FOR EACH ROW WHEN "
        "OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'rule_set_version is written once'); END",
        "CREATE TRIGGER rule_set_version_no_delete BEFORE DELETE ON rule_set_version FOR EACH ROW WHEN "
        "OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, 'rule_set_version is written once'); END",
        "CREATE TRIGGER statement_no_update BEFORE UPDATE OF id, org_id, payee_kind, payee_id, "
        "payee_name, period_id, number, total_minor, currency, from_seq, as_of_seq, content_hash, "
        "issued_at, issued_by ON statement FOR EACH ROW WHEN OLD.state <> 'draft' BEGIN SELECT "
        "RAISE(ABORT, 'statement is written once'); END",
        "CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement FOR EACH ROW WHEN OLD.state <> "
        "'draft' BEGIN SELECT RAISE(ABORT, 'statement is written once'); END",
        "CREATE TRIGGER signing_key_no_update BEFORE UPDATE OF id, org_id, public_key, sealed, made_at "
        "ON signing_key FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'signing_key is written once'); END",
        "CREATE TRIGGER signing_key_no_delete BEFORE DELETE ON signing_key FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'signing_key is written once'); END",
        "CREATE TRIGGER tier_window_no_update BEFORE UPDATE OF id, org_id, subject_kind, subject_id, "
        "tier, starts_on, measured, decided_at, command_id ON tier_window FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'tier_window is written once'); END",
        "CREATE TRIGGER tier_window_no_delete BEFORE DELETE ON tier_window FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'tier_window is written once'); END",
        "CREATE TRIGGER period_reopening_no_update BEFORE UPDATE OF id, org_id, period_id, reason, "
        "asked_by, asked_at, ask_command_id ON period_reopening FOR EACH ROW BEGIN SELECT RAISE(ABORT, "
        "'period_reopening is written once'); END",
        "CREATE TRIGGER period_reopening_no_delete BEFORE DELETE ON period_reopening FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'period_reopening is written once'); END",
        "CREATE TRIGGER reconciliation_no_update BEFORE UPDATE OF id, org_id, vendor_id, technician_id, "
        "payee_name, period_id, as_of_seq, currency, file_name, content_hash, mapping, tolerance, "
        "left_out, started_at, started_by, start_command_id ON reconciliation FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'reconciliation is written once'); END",
        "CREATE TRIGGER reconciliation_no_delete BEFORE DELETE ON reconciliation FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'reconciliation is written once'); END",
        "CREATE TRIGGER reconciliation_line_no_update BEFORE UPDATE OF id, reconciliation_id, position, "
        "outcome, ticket_id, our_posting_id, our_ticket_no, our_amount_minor, our_day, their_row, "
        "their_ticket_no, their_amount_minor, their_day ON reconciliation_line FOR EACH ROW BEGIN "
        "SELECT RAISE(ABORT, 'reconciliation_line is written once'); END",
        "CREATE TRIGGER reconciliation_line_no_delete BEFORE DELETE ON reconciliation_line FOR EACH ROW "
        "BEGIN SELECT RAISE(ABORT, 'reconciliation_line is written once'); END",
        "CREATE TRIGGER dispute_no_update BEFORE UPDATE OF id, org_id, rating_id, ticket_id, "
        "line_position, node, text, opened_by, opened_name, opened_at, open_command_id ON dispute FOR "
        "EACH ROW BEGIN SELECT RAISE(ABORT, 'dispute is written once'); END",
        "CREATE TRIGGER dispute_no_delete BEFORE DELETE ON dispute FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'dispute is written once'); END",
        "CREATE TRIGGER event_no_update BEFORE UPDATE ON event FOR EACH ROW BEGIN SELECT RAISE(ABORT, "
        "'event is written once'); END",
        "CREATE TRIGGER event_no_delete BEFORE DELETE ON event FOR EACH ROW BEGIN SELECT RAISE(ABORT, "
        "'event is written once'); END",
        "CREATE TRIGGER signature_no_update BEFORE UPDATE ON signature FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'signature is written once'); END",
        "CREATE TRIGGER signature_no_delete BEFORE DELETE ON signature FOR EACH ROW BEGIN SELECT "
        "RAISE(ABORT, 'signature is written once'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION refuse_change_of_calendars() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END "
        "$$",
        "CREATE TRIGGER calendar_version_no_change BEFORE UPDATE OR DELETE ON calendar_version FOR EACH "
        "ROW EXECUTE FUNCTION refuse_change_of_calendars()",
        "CREATE FUNCTION refuse_change_of_policies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
        "EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER dispatch_policy_version_no_change BEFORE UPDATE OR DELETE ON "
        "dispatch_policy_version FOR EACH ROW EXECUTE FUNCTION refuse_change_of_policies()",
        "CREATE FUNCTION refuse_change_of_flow_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a published flow_version never changes' USING ERRCODE = 'restrict_violation'; "
        "END $$",
        "CREATE TRIGGER flow_version_no_update BEFORE UPDATE OF id, flow_id, number, graph, "
        "content_hash, published_at, published_by, effective_from ON flow_version FOR EACH ROW WHEN "
        "(OLD.status <> 'draft') EXECUTE FUNCTION refuse_change_of_flow_version()",
        "CREATE TRIGGER flow_version_no_redraft BEFORE UPDATE OF status ON flow_version FOR EACH ROW "
        "WHEN (OLD.status <> 'draft' AND NEW.status = 'draft') EXECUTE FUNCTION "
        "refuse_change_of_flow_version()",
        "CREATE TRIGGER flow_version_no_delete BEFORE DELETE ON flow_version FOR EACH ROW WHEN "
        "(OLD.status <> 'draft') EXECUTE FUNCTION refuse_change_of_flow_version()",
        "CREATE FUNCTION refuse_change_of_template_version() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'a published template_version never changes' USING ERRCODE = "
        "'restrict_violation'; END $$",
        "CREATE TRIGGER template_version_no_update BEFORE UPDATE OF id, template_id, number, "
        "base_version_id, definition, content_hash, flow_version_id, published_at, published_by ON "
        "template_version FOR EACH ROW WHEN (OLD.status <> 'draft') EXECUTE FUNCTION "
        "refuse_change_of_template_version()",
        "CREATE TRIGGER template_version_no_redraft BEFORE UPDATE OF status ON template_version FOR "
        "EACH ROW WHEN (OLD.status <> 'draft' AND NEW.status = 'draft') EXECUTE FUNCTION "
        "refuse_change_of_template_version()",
        "CREATE TRIGGER template_version_no_delete BEFORE DELETE ON template_version FOR EACH ROW WHEN "
        "(OLD.status <> 'draft') EXECUTE FUNCTION refuse_change_of_template_version()",
        "CREATE FUNCTION refuse_change_of_publication() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'publication is written once' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER publication_no_change BEFORE UPDATE OR DELETE ON publication FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_publication()",
        "CREATE FUNCTION refuse_change_of_trigger_rule_version() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'a published trigger_rule_version never changes' USING ERRCODE = "
        "'restrict_violation'; END $$",
        "CREATE TRIGGER trigger_rule_version_no_update BEFORE UPDATE ON trigger_rule_version FOR EACH "
        "ROW EXECUTE FUNCTION refuse_change_of_trigger_rule_version()",
        "CREATE TRIGGER trigger_rule_version_no_delete BEFORE DELETE ON trigger_rule_version FOR EACH "
        "ROW EXECUTE FUNCTION refuse_change_of_trigger_rule_version()",
        "CREATE FUNCTION refuse_change_of_the_books() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END "
        "$$",
        "CREATE TRIGGER fact_snapshot_no_change BEFORE UPDATE OR DELETE ON fact_snapshot FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER rating_line_no_change BEFORE UPDATE OR DELETE ON rating_line FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER posting_no_change BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER statement_line_no_change BEFORE UPDATE OR DELETE ON statement_line FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER statement_signature_no_change BEFORE UPDATE OR DELETE ON statement_signature "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER daily_income_no_change BEFORE UPDATE OR DELETE ON daily_income FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER daily_income_line_no_change BEFORE UPDATE OR DELETE ON daily_income_line FOR "
        "EACH ROW EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER refund_no_change BEFORE UPDATE OR DELETE ON refund FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER refund_line_no_change BEFORE UPDATE OR DELETE ON refund_line FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER rating_reference_no_change BEFORE UPDATE OR DELETE ON rating_reference FOR EACH "
        "ROW EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER price_quote_no_change BEFORE UPDATE OR DELETE ON price_quote FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER rating_no_update BEFORE UPDATE OF id, org_id, ticket_id, segment, purpose, "
        "fact_snapshot_id, rule_set_version_id, payee_account_id, technician_id, vendor_id, "
        "total_minor, currency, trace, content_hash, service_on, rated_at ON rating FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER rating_no_delete BEFORE DELETE ON rating FOR EACH ROW EXECUTE FUNCTION "
        "refuse_change_of_the_books()",
        "CREATE TRIGGER rule_set_version_no_update BEFORE UPDATE OF id, rule_set_id, number, rules, "
        "content_hash, effective_from, published_at, published_by ON rule_set_version FOR EACH ROW WHEN "
        "(OLD.status <> 'draft') EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER rule_set_version_no_delete BEFORE DELETE ON rule_set_version FOR EACH ROW WHEN "
        "(OLD.status <> 'draft') EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER statement_no_update BEFORE UPDATE OF id, org_id, payee_kind, payee_id, "
        "payee_name, period_id, number, total_minor, currency, from_seq, as_of_seq, content_hash, "
        "issued_at, issued_by ON statement FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION "
        "refuse_change_of_the_books()",
        "CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement FOR EACH ROW WHEN (OLD.state <> "
        "'draft') EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER signing_key_no_update BEFORE UPDATE OF id, org_id, public_key, sealed, made_at "
        "ON signing_key FOR EACH ROW EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER signing_key_no_delete BEFORE DELETE ON signing_key FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER tier_window_no_update BEFORE UPDATE OF id, org_id, subject_kind, subject_id, "
        "tier, starts_on, measured, decided_at, command_id ON tier_window FOR EACH ROW EXECUTE FUNCTION "
        "refuse_change_of_the_books()",
        "CREATE TRIGGER tier_window_no_delete BEFORE DELETE ON tier_window FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER period_reopening_no_update BEFORE UPDATE OF id, org_id, period_id, reason, "
        "asked_by, asked_at, ask_command_id ON period_reopening FOR EACH ROW EXECUTE FUNCTION "
        "refuse_change_of_the_books()",
        "CREATE TRIGGER period_reopening_no_delete BEFORE DELETE ON period_reopening FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER reconciliation_no_update BEFORE UPDATE OF id, org_id, vendor_id, technician_id, "
        "payee_name, period_id, as_of_seq, currency, file_name, content_hash, mapping, tolerance, "
        "left_out, started_at, started_by, start_command_id ON reconciliation FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER reconciliation_no_delete BEFORE DELETE ON reconciliation FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER reconciliation_line_no_update BEFORE UPDATE OF id, reconciliation_id, position, "
        "outcome, ticket_id, our_posting_id, our_ticket_no, our_amount_minor, our_day, their_row, "
        "their_ticket_no, their_amount_minor, their_day ON reconciliation_line FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER reconciliation_line_no_delete BEFORE DELETE ON reconciliation_line FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER dispute_no_update BEFORE UPDATE OF id, org_id, rating_id, ticket_id, "
        "line_position, node, text, opened_by, opened_name, opened_at, open_command_id ON dispute FOR "
        "EACH ROW EXECUTE FUNCTION refuse_change_of_the_books()",
        "CREATE TRIGGER dispute_no_delete BEFORE DELETE ON dispute FOR EACH ROW EXECUTE FUNCTION "
        "refuse_change_of_the_books()",
        "CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
        "EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION "
        "refuse_change_of_history()",
        "CREATE TRIGGER signature_no_change BEFORE UPDATE OR DELETE ON signature FOR EACH ROW EXECUTE "
        "FUNCTION refuse_change_of_history()",
    ),
}

# Triggers go with their tables; only functions outlive them.
CHANGEABLE_AGAIN = {
    "sqlite": (),
    "postgresql": (
        "DROP FUNCTION refuse_change_of_calendars() CASCADE",
        "DROP FUNCTION refuse_change_of_policies() CASCADE",
        "DROP FUNCTION refuse_change_of_flow_version() CASCADE",
        "DROP FUNCTION refuse_change_of_template_version() CASCADE",
        "DROP FUNCTION refuse_change_of_publication() CASCADE",
        "DROP FUNCTION refuse_change_of_trigger_rule_version() CASCADE",
        "DROP FUNCTION refuse_change_of_the_books() CASCADE",
        "DROP FUNCTION refuse_change_of_history() CASCADE",
    ),
}
