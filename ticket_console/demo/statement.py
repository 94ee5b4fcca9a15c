"""The statement that finance of the demo issued for last month."""

from datetime import datetime
from typing import Final

from ticket_console.demo.cast import Cast
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, transaction
from ticket_console.settlement import payees, reads, statements

_COMMAND: Final = "demo:statement"


def issue_last_month(cast: Cast, *, at: datetime) -> bool:
    """Issue one statement: of who earned most in the latest month that is over; false where nobody did."""
    finance = cast.office[Role.FINANCE]
    with reading() as connection:
        over = [each for each in reads.periods(connection, viewer=finance) if each.ends_at <= at]
        if not over:
            return False
        totals = reads.technician_totals(connection, viewer=finance, period_id=over[0].id, limit=1)
    if not totals.rows:
        return False
    with transaction() as connection:
        draft = statements.draft(
            connection,
            actor=finance,
            payee=payees.technician(totals.rows[0].technician_id),
            period_id=over[0].id,
            command_id=f"{_COMMAND}:draft",
        )
        statements.issue(
            connection,
            actor=finance,
            at=at,
            statement_id=draft.id,
            expected_version=draft.version,
            command_id=_COMMAND,
        )
    return True
