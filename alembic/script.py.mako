"""${message}."""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    _wait_briefly_for_locks()
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    _wait_briefly_for_locks()
    ${downgrades if downgrades else "pass"}


def _wait_briefly_for_locks() -> None:
    # A migration that queues behind a long transaction makes every later command queue behind it.
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
