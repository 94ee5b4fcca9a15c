"""Live values on a ticket: read again from their source when they are old."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import httpx

from ticket_console.access import policy
from ticket_console.desk import outward
from ticket_console.desk.page import ticket_page
from ticket_console.desk.work import facts_of, finish, take_up
from ticket_console.forms import reads as form_reads
from ticket_console.forms.asking import is_stale
from ticket_console.forms.fields import FieldSpec
from ticket_console.forms.filling import new_results
from ticket_console.forms.lookups import LookupFailed, look_up
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.settings import settings
from ticket_console.tickets import reads
from ticket_console.tickets.writing import AlreadyApplied

_client: Final = httpx.Client()


def refresh(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    field_key: str,
    client: httpx.Client | None = None,
) -> Mapping[str, Any]:
    """What a live field of a ticket says (`{"value", "as_of"}`), read anew if it is older than it may be.

    Only for those who may read the field. Raises LookupFailed, AddressNotAllowed.
    """
    with reading() as connection:
        page = ticket_page(connection, viewer=actor, ticket_id=ticket_id, at=at)
        row = reads.find_ticket(connection, viewer=actor, ticket_id=ticket_id)
        definition = form_reads.template_version(connection, row["template_version_id"]).definition
        facts = facts_of(connection, row)
    shown = {field.key for field in page.fields} | {field.key for step in page.steps for field in step.fields}
    spec = definition.field_by_key.get(field_key)
    if spec is None or field_key not in shown:
        raise LookupFailed(field=field_key)
    kept = facts.get(field_key)
    # What a ticket said when it was closed is what it says.
    if isinstance(kept, dict) and (row["closed_at"] is not None or not is_stale(spec, kept, at)):
        return kept
    value = look_up(spec, facts, at=at, hosts=settings().outbound_hosts, client=client or _client)
    _keep(actor=actor, at=at, command_id=command_id, ticket_id=ticket_id, spec=spec, value=value)
    return value


@retried
def _keep(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, spec: FieldSpec, value: Mapping[str, Any]
) -> None:
    policy.require(actor, "ticket.view")
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=None,
                permission="ticket.view",
            )
        except AlreadyApplied:
            return
        before = dict(work.facts)
        template = form_reads.template_version(connection, work.draft.get("template_version_id"))
        results = new_results(template.definition, before, {spec.key: value})
        work.draft.values[spec.key] = (dict(value), "lookup")
        work.draft.values |= {key: (result, "rule") for key, result in results.items()}
        work.facts |= {spec.key: dict(value), **results}
        work.draft.say("ticket.looked_up", field=spec.key)
        outward.tell_of_values(work, before=before)
        finish(work)
