"""The switch by which a technician says: send me work, or send me none."""

from dataclasses import dataclass
from datetime import datetime

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import transaction
from ticket_console.people import hiring, positions


@dataclass(frozen=True, slots=True)
class DutySet:
    technician_id: int
    is_on_duty: bool


def set_on_duty(
    *, actor: Actor, at: datetime, command_id: str, technician_id: int, is_on_duty: bool
) -> DutySet:
    """Turn somebody's duty on or off: one's own, or as a dispatcher that of the own region's people.

    Off duty means no new work; what is held already stays.
    """
    with transaction() as connection:
        region_id = hiring.region_of(connection, actor.org_id, technician_id)
        if actor.technician_id == technician_id:
            policy.require(actor, "ticket.act")
        else:
            policy.require(actor, "ticket.assign", region_id=region_id)
        positions.duty_changed(
            connection, org_id=actor.org_id, technician_id=technician_id, is_on_duty=is_on_duty, at=at
        )
        hiring.write_technician(connection, technician_id, is_on_duty=is_on_duty)
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="technician.on_duty" if is_on_duty else "technician.off_duty",
            subject=f"technician:{technician_id}",
            payload={},
            command_id=command_id,
        )
    return DutySet(technician_id, is_on_duty)
