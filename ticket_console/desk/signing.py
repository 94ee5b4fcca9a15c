"""Signatures: the drawn line, and the hash of exactly what was signed."""

import re
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel import ids
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.tickets.tables import Signature
from ticket_console.tickets.writing import TicketDraft

_signatures = table(Signature)
_INSERT: Final = sa.insert(_signatures)
# An SVG path of moves and lines only: it is drawn again on other people's screens.
_STROKES: Final = re.compile(r"^[ML][\d.\s,ML-]+$")
STROKES_LENGTH: Final = 60_000
NAME_LENGTH: Final = 120


@dataclass(frozen=True, slots=True)
class SignatureInput:
    """`strokes` is SVG path data of M and L commands."""

    name: str
    strokes: str


def sign(connection: Connection, *, draft: TicketDraft, token_id: int, signature: SignatureInput) -> None:
    """Keep a signature over the ticket as it stood before this command: its number, version and last hash."""
    name = signature.name.strip()
    problems = []
    if not name or len(name) > NAME_LENGTH:
        problems.append(
            FieldProblem(
                "signer_name", "field.required" if not name else "field.too_long", {"limit": NAME_LENGTH}
            )
        )
    if len(signature.strokes) > STROKES_LENGTH or not _STROKES.match(signature.strokes):
        problems.append(FieldProblem("signature", "field.signature_required"))
    if problems:
        raise InvalidInput(tuple(problems))
    snapshot = {
        "no": draft.get("no"),
        "version": draft.version - 1,
        "head_hash": draft.before["head_hash"] if draft.before else "",
    }
    connection.execute(
        _INSERT,
        [
            {
                "id": ids.take("row"),
                "ticket_id": draft.ticket_id,
                "token_id": token_id,
                "signer_name": name,
                "strokes": signature.strokes,
                "snapshot_hash": content_hash(snapshot),
                "at": draft.at,
            }
        ],
    )
    draft.say("ticket.signed", name=name)
