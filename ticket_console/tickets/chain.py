"""The chain of a ticket's events: each hash covers what happened and the hash before it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ticket_console.kernel.canonical import canonical_json, instant_text

GENESIS = ""


def event_hash(
    *,
    prev_hash: str,
    ticket_id: int,
    ticket_version: int,
    type: str,
    payload: Mapping[str, Any],
    actor: str,
    actor_name: str,
    on_behalf: str | None,
    at: datetime,
    command_id: str,
    ordinal: int,
    causation_id: str | None,
    depth: int,
) -> str:
    """SHA-256 over the previous hash and every fact of the event, joined by the unit separator."""
    facts = (
        prev_hash,
        str(ticket_id),
        str(ticket_version),
        type,
        canonical_json(payload),
        actor,
        actor_name,
        on_behalf or "",
        instant_text(at),
        command_id,
        str(ordinal),
        causation_id or "",
        str(depth),
    )
    return hashlib.sha256("\x1f".join(facts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first event of a ticket whose hash does not follow from the one before."""

    ticket_id: int
    seq: int


def first_break(events: Iterable[Mapping[str, Any]]) -> ChainBreak | None:
    """Check one ticket's events, given in order of `seq`."""
    prev_hash = GENESIS
    for event in events:
        expected = event_hash(
            prev_hash=prev_hash,
            ticket_id=event["ticket_id"],
            ticket_version=event["ticket_version"],
            type=event["type"],
            payload=event["payload"],
            actor=event["actor"],
            actor_name=event["actor_name"],
            on_behalf=event["on_behalf"],
            at=event["at"],
            command_id=event["command_id"],
            ordinal=event["ordinal"],
            causation_id=event["causation_id"],
            depth=event["depth"],
        )
        if event["prev_hash"] != prev_hash or event["hash"] != expected:
            return ChainBreak(event["ticket_id"], event["seq"])
        prev_hash = event["hash"]
    return None
