"""Feeds a file of real service requests through the HTTP API: `python -m tools.replay FILE`.

The file has the columns of Boston's 311 export. Every row is sent as it stands; the server reads it,
and what became of each line is told at the end, so that no row is lost in silence. The same file can
be replayed again: each row is recognised and opens nothing twice.
"""

import argparse
import asyncio
import csv
import gzip
import hashlib
import io
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from ticket_console.intake.channels.boston311 import CITY_HALL, local_instant
from ticket_console.kernel.settings import BadSetting, settings

CHANNEL: Final = "boston311"
_NEEDED: Final = ("case_enquiry_id", "open_dt", "type", "latitude", "longitude")
_TRIES: Final = 5
_SHOWN_LINES: Final = 20

Sleep = Callable[[float], Awaitable[None]]


class BadFile(Exception):
    """A file that cannot be replayed; the message is a sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file; `number` is the line it ends on, `problem` why it cannot even be sent."""

    number: int
    row: dict[str, str]
    opened_at: datetime | None
    is_city_hall: bool
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state`: opened, repeated, duplicate, rejected, unsent. `detail` says why."""

    line: int
    state: str
    detail: str = ""


def read_lines(path: Path) -> list[Line]:
    """The rows of a CSV file, packed or not; raises BadFile."""
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, gzip.BadGzipFile) as broken:
        raise BadFile(f"{path} cannot be read: {broken}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    missing = [column for column in _NEEDED if column not in (reader.fieldnames or ())]
    if missing:
        raise BadFile(f"{path} has no column {', '.join(missing)}: is it an export of Boston's 311?")
    return list(_lines(reader))


def _lines(reader: "csv.DictReader[str]") -> Iterator[Line]:
    try:
        for row in reader:
            beyond = row.pop("", None)
            problem = None if beyond is None else "more cells than the header has columns"
            yield Line(reader.line_num, row, _opened_at(row), _is_city_hall(row), problem)
    except csv.Error as broken:
        yield Line(reader.line_num, {}, None, False, f"{broken}; nothing after this line was read")


def _opened_at(row: dict[str, str]) -> datetime | None:
    try:
        return local_instant(row["open_dt"].strip())
    except ValueError:
        return None


def _is_city_hall(row: dict[str, str]) -> bool:
    try:
        return (float(row["latitude"]), float(row["longitude"])) == CITY_HALL
    except ValueError:
        return False


async def replay(
    lines: Sequence[Line],
    *,
    client: httpx.AsyncClient,
    file_hash: str,
    speed: float = 0,
    concurrency: int = 8,
    sleep: Sleep = asyncio.sleep,
) -> list[Outcome]:
    """Send every line and say what became of it, in the order of the file.

    With a speed above 0 the lines keep the distances of their times, so many times faster; a line
    without a readable time follows the one before it.
    """
    gate = asyncio.Semaphore(concurrency)
    first = next((line.opened_at for line in lines if line.opened_at is not None), None)
    started = asyncio.get_running_loop().time()

    async def send(line: Line) -> Outcome:
        try:
            return await _send(line, client=client, file_hash=file_hash, sleep=sleep)
        finally:
            gate.release()

    sending: list[asyncio.Task[Outcome]] = []
    for line in lines:
        if speed > 0 and first is not None and line.opened_at is not None:
            due = started + (line.opened_at - first).total_seconds() / speed
            await sleep(max(0.0, due - asyncio.get_running_loop().time()))
        await gate.acquire()
        sending.append(asyncio.create_task(send(line)))
    return list(await asyncio.gather(*sending))


async def _send(line: Line, *, client: httpx.AsyncClient, file_hash: str, sleep: Sleep) -> Outcome:
    if line.problem is not None:
        return Outcome(line.number, "unsent", line.problem)
    wrong = "no answer"
    for attempt in range(_TRIES):
        if attempt:
            await sleep(2.0**attempt / 4)
        try:
            answer = await client.post(
                f"/api/v1/intake/{CHANNEL}",
                json=line.row,
                headers={"Idempotency-Key": f"{file_hash[:32]}:{line.number}", "Accept-Language": "en"},
            )
        except httpx.TransportError as failure:
            wrong = f"{type(failure).__name__}: {failure}"
            continue
        if answer.status_code in {429, 503}:
            wrong = f"HTTP {answer.status_code}"
            await sleep(float(answer.headers.get("retry-after", 1)))
            continue
        return _outcome(line, answer)
    return Outcome(line.number, "unsent", wrong)


def _outcome(line: Line, answer: httpx.Response) -> Outcome:
    told = _json(answer)
    if answer.is_success:
        if told.get("is_repeat"):
            return Outcome(line.number, "repeated", str(told.get("ticket_no")))
        state = "opened" if told.get("state") == "ticket" else "duplicate"
        return Outcome(line.number, state, str(told.get("ticket_no")))
    if answer.status_code in {409, 422}:
        return Outcome(line.number, "rejected", _why(told))
    return Outcome(line.number, "unsent", f"HTTP {answer.status_code}: {told.get('title', '')}")


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _why(told: dict[str, Any]) -> str:
    problems = [f"{each.get('path')}: {each.get('title')}" for each in told.get("problems", ())]
    return "; ".join(problems) or str(told.get("title", ""))


async def counts(client: httpx.AsyncClient) -> Counter[str]:
    """How many messages of the channel stand in which state; raises httpx.HTTPError."""
    answer = await client.get(f"/api/v1/intake/{CHANNEL}")
    answer.raise_for_status()
    return Counter(answer.json())


def report(
    lines: Sequence[Line],
    outcomes: Sequence[Outcome],
    *,
    seconds: float,
    before: Counter[str],
    after: Counter[str],
) -> tuple[list[str], bool]:
    """What happened, line by line where something is to be said, and whether the figures agree."""
    states = Counter(outcome.state for outcome in outcomes)
    said = [
        f"{len(lines)} rows in {seconds:.1f} s ({len(lines) / max(seconds, 0.001):.0f}/s): "
        + ", ".join(
            f"{states[state]} {state}" for state in ("opened", "repeated", "duplicate", "rejected", "unsent")
        )
    ]
    for state in ("rejected", "unsent", "duplicate"):
        said += _listed(state, [outcome for outcome in outcomes if outcome.state == state])
    said += _without_place(lines)
    total, settled = sum(after.values()), after["ticket"] + after["duplicate"] + after["rejected"]
    said.append(
        f"Raw log of {CHANNEL}: {total} messages = {after['ticket']} tickets "
        f"+ {after['duplicate']} duplicates + {after['rejected']} rejected"
        + (f" + {after['new']} not finished" if after["new"] else "")
    )
    new_tickets = after["ticket"] - before["ticket"]
    agrees = total == settled and new_tickets >= states["opened"] and not states["unsent"]
    if not agrees:
        said.append("The figures do NOT agree: see the unsent and unfinished rows above.")
    return said, agrees


def _without_place(lines: Sequence[Line]) -> list[str]:
    numbers = [line.number for line in lines if line.is_city_hall]
    if not numbers:
        return []
    shown = ", ".join(map(str, numbers[:_SHOWN_LINES])) + (", ..." if len(numbers) > _SHOWN_LINES else "")
    return [f"{len(numbers)} rows stand at the default point {CITY_HALL}, place unknown: lines {shown}"]


def _listed(state: str, outcomes: Sequence[Outcome]) -> list[str]:
    shown = [f"  line {outcome.line}: {state}: {outcome.detail}" for outcome in outcomes[:_SHOWN_LINES]]
    if len(outcomes) > _SHOWN_LINES:
        shown.append(
            f"  ... and {len(outcomes) - _SHOWN_LINES} more {state} (--report FILE writes every line)"
        )
    return shown


def write_report(path: Path, outcomes: Sequence[Outcome]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "outcome", "detail"))
        writer.writerows((outcome.line, outcome.state, outcome.detail) for outcome in outcomes)


async def _run(wish: argparse.Namespace, token: str) -> int:
    lines = read_lines(wish.file)[: wish.limit]
    file_hash = hashlib.sha256(wish.file.read_bytes()).hexdigest()
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(
        base_url=wish.url, headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        before = await counts(client)
        started = loop.time()
        outcomes = await replay(
            lines, client=client, file_hash=file_hash, speed=wish.speed, concurrency=wish.concurrency
        )
        seconds = loop.time() - started
        after = await counts(client)
    said, agrees = report(lines, outcomes, seconds=seconds, before=before, after=after)
    print("\n".join(said))
    if wish.report is not None:
        write_report(wish.report, outcomes)
    return 0 if agrees else 1


def _wish(arguments: Sequence[str]) -> argparse.Namespace:
    """What is wanted; `make` hands its variables over in the environment."""
    environ = os.environ.get
    parser = argparse.ArgumentParser(
        prog="make replay FILE=... [SPEED=... LIMIT=... URL=...]", description=__doc__
    )
    parser.add_argument("file", type=Path, help="CSV, or CSV packed with gzip")
    parser.add_argument("--url", default=environ("URL") or f"http://localhost:{settings().port}")
    parser.add_argument("--token", default=environ("CONSOLE_TOKEN"), help="default: the demo company's")
    parser.add_argument(
        "--speed", type=float, default=environ("SPEED") or 3600, help="times faster than life; 0: at once"
    )
    parser.add_argument("--limit", type=int, default=environ("LIMIT") or None, help="only so many rows")
    parser.add_argument("--concurrency", type=int, default=environ("CONCURRENCY") or 8)
    parser.add_argument("--report", type=Path, default=environ("REPORT") or None, help="a CSV of every line")
    return parser.parse_args(arguments)


def _token(given: str | None) -> str | None:
    if given:
        return given
    kept = settings().attachments_dir.parent / "demo_token"
    return kept.read_text(encoding="ascii").strip() if kept.exists() else None


def main(arguments: Sequence[str]) -> int:
    try:
        wish = _wish(arguments)
        token = _token(wish.token)
        if token is None:
            print(
                "No token: set CONSOLE_TOKEN, or run `make run` once for the demo company's.", file=sys.stderr
            )
            return 2
        return asyncio.run(_run(wish, token))
    except (BadFile, BadSetting) as wrong:
        print(wrong, file=sys.stderr)
    except httpx.HTTPStatusError as refused:
        told = _json(refused.response).get("title", "")
        print(f"{wish.url} answers HTTP {refused.response.status_code}: {told}", file=sys.stderr)
    except httpx.HTTPError as failure:
        print(f"{wish.url} does not answer ({failure}): is the console running?", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
