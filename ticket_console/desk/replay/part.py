"""A process that plays its share of a replay's tickets, so that the console stays quick meanwhile.

`python -m ticket_console.desk.replay.part` reads one line that says what is played, then one line of ticket
numbers after the other, and answers each with a line. It reads the database that DATABASE_URL names and
writes nothing. It ends with its input.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from ticket_console.desk.replay.comparing import Difference, Kind, Tally, Target
from ticket_console.desk.replay.dwelling import Dwells
from ticket_console.desk.replay.reading import runnable
from ticket_console.desk.replay.window import Bench, play_window
from ticket_console.flows.graph_json import parse_graph
from ticket_console.kernel.database import is_sqlite, reading


def task(*, org_id: int, code: str, draft: dict[str, Any], dwells: list[Any], as_of: datetime) -> bytes:
    """The line that says what is played."""
    return _line(
        {"org_id": org_id, "code": code, "draft": draft, "dwells": dwells, "as_of": as_of.isoformat()}
    )


def window(ticket_ids: Iterable[int]) -> bytes:
    return _line(list(ticket_ids))


def answer_of(line: bytes) -> tuple[Tally, list[Difference]]:
    """What an answer says."""
    said = orjson.loads(line)
    return Tally.of_json(said["tally"]), [
        Difference(
            **{
                **each,
                "kinds": tuple(map(Kind, each["kinds"])),
                "breached": tuple(map(Target, each["breached"])),
                "kept": tuple(map(Target, each["kept"])),
            }
        )
        for each in said["differences"]
    ]


def _line(value: object) -> bytes:
    return orjson.dumps(value) + b"\n"


def answers(lines: Iterator[bytes]) -> Iterator[bytes]:
    """An answer for every window."""
    said = orjson.loads(next(lines))
    with _read_only() as connection:
        draft = runnable(connection, said["org_id"], said["code"], parse_graph(said["draft"]))
    dwells = Dwells.of_json(said["dwells"])
    as_of = datetime.fromisoformat(said["as_of"])
    for line in lines:
        with _read_only() as connection:
            bench = Bench.set_up(connection, org_id=said["org_id"], draft=draft, dwells=dwells, as_of=as_of)
            tally, differences = play_window(bench, orjson.loads(line))
        yield _line({"tally": tally.as_json(), "differences": [asdict(each) for each in differences]})


_READ_ONLY: Final = {True: "PRAGMA query_only = ON", False: "SET TRANSACTION READ ONLY"}


@contextmanager
def _read_only() -> Iterator[Connection]:
    """A look at the database that could not write if it wanted to."""
    with reading() as connection:
        connection.exec_driver_sql(_READ_ONLY[is_sqlite()])
        yield connection


def main() -> int:
    for answer in answers(iter(sys.stdin.buffer)):
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
