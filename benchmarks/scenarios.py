"""What is measured: requests coming in, steps being finished, boards being opened."""

import json
import random
from dataclasses import dataclass
from uuid import uuid4

import sqlalchemy as sa

from benchmarks.console import Console
from benchmarks.load import Answer, Call, Measured, run

_dice = random.Random(20261121)


@dataclass(frozen=True, slots=True)
class Opened:
    ticket_id: int
    version: int


def requests(console: Console, *, count: int, concurrency: int) -> Measured:
    """New requests through the door: kept raw, understood, opened, given to the best, in the history."""
    return run(_requests(count), port=console.port, headers=console.as_channel, concurrency=concurrency)


def _requests(count: int) -> list[Call]:
    return [Call("POST", "/api/v1/intake/api", _request()) for _ in range(count)]


def _request() -> bytes:
    return json.dumps(
        {
            "external_id": str(uuid4()),
            "title": "空调不制冷，客厅",
            "description": "开机十分钟后出风不凉，滤网上周刚洗过。",
            "template": "repair",
            "values": {"category": "hvac"},
            "latitude": 31.20 + _dice.random() * 0.1,
            "longitude": 121.40 + _dice.random() * 0.1,
            "contact_name": "王女士",
            "contact_phone": "19900001234",
        },
        ensure_ascii=False,
    ).encode()


def opened_by(answers: tuple[Answer, ...]) -> list[Opened]:
    return [Opened(answer.json()["ticket_id"], 1) for answer in answers if answer.status < 400]


def moves(console: Console, opened: list[Opened], *, concurrency: int) -> Measured:
    """Each ticket's first step finished, by the command every path uses."""
    calls = [
        Call(
            "POST",
            f"/api/v1/tickets/{each.ticket_id}/act",
            json.dumps({"command_id": str(uuid4()), "expected_version": each.version}).encode(),
        )
        for each in opened
    ]
    return run(calls, port=console.port, headers=console.as_manager, concurrency=concurrency)


def boards(console: Console, *, count: int, concurrency: int) -> Measured:
    """The whole board: every lane's exact count and first fifty cards."""
    calls = [Call("GET", "/api/v1/board") for _ in range(count)]
    return run(calls, port=console.port, headers=console.as_manager, concurrency=concurrency)


def burst_assigned_seconds(console: Console, *, count: int, concurrency: int) -> tuple[float, int]:
    """Seconds from the first of a burst until the last of it was assigned, and how many nobody took."""
    before = _newest(console)
    measured = requests(console, count=count, concurrency=concurrency)
    with sa.create_engine(console.url).connect() as connection:
        query = sa.text("SELECT count(*) FROM ticket WHERE id > :before AND assignee_id IS NULL")
        waiting = connection.execute(query, {"before": before}).scalar_one()
    return measured.seconds, int(waiting)


def _newest(console: Console) -> int:
    with sa.create_engine(console.url).connect() as connection:
        return int(connection.execute(sa.text("SELECT coalesce(max(id), 0) FROM ticket")).scalar_one())
