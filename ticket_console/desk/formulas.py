"""What formulas come to while a ticket moves: the engine asks, the ticket's form answers."""

from functools import partial

from sqlalchemy.engine import Connection

from ticket_console.forms import reads as form_reads
from ticket_console.forms.filling import new_results
from ticket_console.tickets.engine import WorkedOut


def formulas_of(connection: Connection, template_version_id: int) -> WorkedOut | None:
    """For the engine; None for a form without formulas."""
    definition = form_reads.template_version(connection, template_version_id).definition
    return partial(new_results, definition) if definition.formulas else None
