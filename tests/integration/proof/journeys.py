"""Tickets that have come a long way, for proofs that begin there."""

import io
from datetime import timedelta
from functools import cache
from typing import Any, Final

from PIL import Image

from tests.builders.company import Company
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.talking import KeptAttachment, attach
from ticket_console.kernel.database import reading
from ticket_console.tickets import reads

STROKES: Final = "M 1 1 L 20 20 L 30 5"
WORK: Final[dict[str, Any]] = {
    "arrival": "2026-11-21T10:30",
    "fault_cause": "电容老化",
    "actions": "更换电容",
    "labour_hours": "1.5",
    "difficulty": "1.2",
    "parts": [{"sku": "CAP-35", "qty": "2"}],
}


@cache
def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "JPEG")
    return out.getvalue()


def photograph(company: Company, ticket_id: int, *, by: str) -> KeptAttachment:
    """A photo of the only open step."""
    with reading() as connection:
        token_id = reads.live_tokens(connection, ticket_id)[0]["id"]
    return attach(
        actor=company.actor(by),
        at=company.at + timedelta(minutes=80),
        command_id=company.command_id(),
        ticket_id=ticket_id,
        filename="before.jpg",
        content=picture(),
        token_id=token_id,
    )


def done_on_site(company: Company, *, values: dict[str, Any] | None = None, **wish: Any) -> OpenedTicket:
    """A repair that tech_near has finished, and that waits for its customer to accept it."""
    opened = company.open(**wish)
    finish_on_site(company, opened.ticket_id, opened.version, values=values)
    return opened


def finish_on_site(
    company: Company, ticket_id: int, version: int, *, values: dict[str, Any] | None = None
) -> None:
    """Have tech_near accept a repair that was given to them, and do the work."""
    company.act(ticket_id, version, by="tech_near", at=company.at + timedelta(minutes=10))
    shown = photograph(company, ticket_id, by="tech_near")
    company.act(
        ticket_id,
        shown.version,
        by="tech_near",
        at=company.at + timedelta(minutes=90),
        values={**WORK, **(values or {})},
    )
