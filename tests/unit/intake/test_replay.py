"""Reading a file of service requests, and telling what became of every line."""

import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tools.replay import BadFile, Line, Outcome, read_lines, replay, report, write_report

HEADER = "case_enquiry_id,open_dt,type,latitude,longitude"
ROWS = f"""{HEADER}
1,06/01/2015 12:00:00 AM,Pothole,42.31,-71.05
2,yesterday,Pothole,42.3594,-71.0587
3,06/01/2015 01:00:00 AM,Pothole,,
4,06/01/2015 01:00:00 AM,Pothole,42.31,-71.05,too,much
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "requests.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_every_line_is_read_whatever_is_wrong_with_it(path: Path) -> None:
    lines = read_lines(path)

    assert [line.number for line in lines] == [2, 3, 4, 5]
    assert [line.opened_at for line in lines][:2] == [datetime(2015, 6, 1, 4, tzinfo=UTC), None]
    assert [line.is_city_hall for line in lines] == [False, True, False, False]
    assert [line.problem for line in lines] == [None, None, None, "more cells than the header has columns"]
    assert lines[2].row == {
        "case_enquiry_id": "3",
        "open_dt": "06/01/2015 01:00:00 AM",
        "type": "Pothole",
        "latitude": "",
        "longitude": "",
    }


def test_a_packed_file_reads_the_same(path: Path, tmp_path: Path) -> None:
    packed = tmp_path / "requests.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))

    assert read_lines(packed) == read_lines(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b"a,b\n1,2\n"),
        ("x.csv", b""),
        ("x.csv", b"\xff\xfe\x00"),
        ("x.csv.gz", b"not packed"),
        ("x.csv.gz", gzip.compress(b"whole", mtime=0)[:-4]),
    ],
)
def test_a_file_that_cannot_be_replayed_gets_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(BadFile):
        read_lines(path)


def test_a_file_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="No such file"):
        read_lines(tmp_path / "nothing.csv")


class Door:
    """A server that gives the answers it is told to, one after the other."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://console.test")


def opened(no: str = "WO-1") -> httpx.Response:
    return httpx.Response(201, json={"state": "ticket", "ticket_no": no, "is_repeat": False})


def line(number: int, hour: int | None = 0) -> Line:
    at = None if hour is None else datetime(2015, 6, 1, hour, tzinfo=UTC)
    return Line(number, {"case_enquiry_id": str(number)}, at, is_city_hall=False)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (opened(), Outcome(2, "opened", "WO-1")),
        (
            httpx.Response(200, json={"state": "ticket", "ticket_no": "WO-1", "is_repeat": True}),
            Outcome(2, "repeated", "WO-1"),
        ),
        (
            httpx.Response(200, json={"state": "duplicate", "ticket_no": "WO-1", "is_repeat": False}),
            Outcome(2, "duplicate", "WO-1"),
        ),
        (
            httpx.Response(
                422, json={"title": "no", "problems": [{"path": "open_dt", "title": "“x” is no date."}]}
            ),
            Outcome(2, "rejected", "open_dt: “x” is no date."),
        ),
        (httpx.Response(409, json={"title": "key reused"}), Outcome(2, "rejected", "key reused")),
        (httpx.Response(401, json={"title": "log in"}), Outcome(2, "unsent", "HTTP 401: log in")),
        (httpx.Response(500, text="<html>"), Outcome(2, "unsent", "HTTP 500: ")),
    ],
)
async def test_each_answer_is_an_outcome_of_its_line(answer: httpx.Response, outcome: Outcome) -> None:
    assert await replay([line(2)], client=Door(answer).client, file_hash="h") == [outcome]


async def test_a_busy_or_lost_server_is_tried_again_with_the_same_key() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    door = Door(httpx.Response(429, headers={"retry-after": "7"}), httpx.ConnectError("refused"), opened())
    outcomes = await replay([line(2)], client=door.client, file_hash="f" * 64, sleep=sleep)

    assert outcomes == [Outcome(2, "opened", "WO-1")]
    assert waited == [7.0, 0.5, 1.0]
    assert {request.headers["idempotency-key"] for request in door.seen} == {f"{'f' * 32}:2"}


async def test_a_server_that_stays_away_leaves_the_line_unsent() -> None:
    async def sleep(seconds: float) -> None:
        pass

    door = Door(*[httpx.ConnectError("refused")] * 5)
    outcomes = await replay([line(2)], client=door.client, file_hash="h", sleep=sleep)

    assert outcomes == [Outcome(2, "unsent", "ConnectError: refused")]


async def test_lines_keep_their_distances_so_many_times_faster() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(round(seconds))

    door = Door(opened(), opened(), opened())
    await replay(
        [line(2, 0), line(3, None), line(4, 10)], client=door.client, file_hash="h", speed=360, sleep=sleep
    )

    assert waited == [0, 100]


async def test_a_line_that_cannot_be_sent_is_an_outcome_too() -> None:
    broken = Line(9, {}, None, is_city_hall=False, problem="more cells than the header has columns")

    outcomes = await replay([broken], client=Door().client, file_hash="h")

    assert outcomes == [Outcome(9, "unsent", "more cells than the header has columns")]


def test_the_report_names_every_line_that_was_not_opened(path: Path) -> None:
    outcomes = [
        Outcome(2, "opened", "WO-1"),
        Outcome(3, "rejected", "open_dt: “yesterday” is no date."),
        Outcome(4, "duplicate", "WO-1"),
        Outcome(5, "unsent", "more cells than the header has columns"),
    ]

    said, agrees = report(
        read_lines(path),
        outcomes,
        seconds=2,
        before=Counter(),
        after=Counter(ticket=1, duplicate=1, rejected=1),
    )

    assert said == [
        "4 rows in 2.0 s (2/s): 1 opened, 0 repeated, 1 duplicate, 1 rejected, 1 unsent",
        "  line 3: rejected: open_dt: “yesterday” is no date.",
        "  line 5: unsent: more cells than the header has columns",
        "  line 4: duplicate: WO-1",
        "1 rows stand at the default point (42.3594, -71.0587), place unknown: lines 3",
        "Raw log of boston311: 3 messages = 1 tickets + 1 duplicates + 1 rejected",
        "The figures do NOT agree: see the unsent and unfinished rows above.",
    ]
    assert not agrees


@pytest.mark.parametrize(
    ("after", "agrees"),
    [
        (Counter(ticket=2), True),
        (Counter(ticket=1), False),
        (Counter(ticket=2, new=1), False),
        (Counter(ticket=3, rejected=4), True),
    ],
)
def test_the_figures_agree_when_nothing_is_missing(after: Counter[str], agrees: bool) -> None:
    lines, outcomes = [line(2), line(3)], [Outcome(2, "opened"), Outcome(3, "opened")]

    assert report(lines, outcomes, seconds=1, before=Counter(), after=after)[1] is agrees


def test_every_line_can_be_written_down(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"

    write_report(path, [Outcome(2, "opened", "WO-1"), Outcome(3, "rejected", "a, b")])

    assert path.read_text(encoding="utf-8-sig").splitlines() == [
        "line,outcome,detail",
        "2,opened,WO-1",
        '3,rejected,"a, b"',
    ]
