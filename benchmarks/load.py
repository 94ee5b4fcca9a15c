"""A load of HTTP requests over a fixed number of kept-alive connections, and the times they took.

Plain asyncio streams: on two cores every cycle the client saves is one the server can show.
"""

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Measured:
    """`answers` in the order in which the calls were given; `seconds` for all of them together."""

    answers: tuple[Answer, ...]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.answers) / self.seconds

    @property
    def failures(self) -> int:
        return sum(answer.status >= 400 for answer in self.answers)

    def quantile_ms(self, share: float) -> float:
        times = sorted(answer.seconds for answer in self.answers)
        return 1000 * times[min(len(times) - 1, int(len(times) * share))]


def run(calls: Iterable[Call], *, port: int, headers: dict[str, str], concurrency: int) -> Measured:
    return asyncio.run(_run(list(calls), port, headers, concurrency))


async def _run(calls: list[Call], port: int, headers: dict[str, str], concurrency: int) -> Measured:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    waiting = iter(enumerate(calls))
    answers: dict[int, Answer] = {}

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for index, call in waiting:
            answers[index] = await _send(reader, writer, call, head)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    took = time.perf_counter() - started
    return Measured(tuple(answers[index] for index in range(len(calls))), took)


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: Call, head: str) -> Answer:
    started = time.perf_counter()
    kind = "Content-Type: application/json\r\n" if call.body else ""
    writer.write(
        f"{call.method} {call.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}{kind}"
        f"Content-Length: {len(call.body)}\r\n\r\n".encode()
        + call.body
    )
    top = await reader.readuntil(b"\r\n\r\n")
    status = int(top[9:12])
    lowered = top.lower()
    if b"transfer-encoding: chunked" in lowered:
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).strip() or b"0", 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    else:
        length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
    return Answer(status, body, time.perf_counter() - started)
