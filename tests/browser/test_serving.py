"""One process serves pages, events and API, to our own pages only."""

import http.client
from pathlib import Path

import pytest
from playwright.sync_api import Request

from tests.fixtures.browsers import OpenPage, Server


def _handshake(server: Server, origin: str) -> int:
    """The status of an attempt to open the websocket from a page of `origin`."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=10)
    connection.request(
        "GET",
        "/_event/?EIO=4&transport=websocket",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Origin": origin,
        },
    )
    status = connection.getresponse().status
    connection.close()
    return status


def test_our_own_pages_may_open_the_websocket(server: Server) -> None:
    assert _handshake(server, server.url) == 101


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://localhost:{port}",
        "http://localhost",
        "http://localhost:{port}.evil.example",
    ],
)
def test_a_page_of_another_site_may_not(server: Server, origin: str) -> None:
    assert _handshake(server, origin.format(port=server.port)) in {400, 403}


def test_a_visitor_sees_the_log_in_page_and_asks_nobody_else(server: Server, page_as: OpenPage) -> None:
    asked: list[Request] = []
    page = page_as(None)
    page.on("request", lambda request: asked.append(request))

    page.goto("/login")
    page.locator("input[name=password]:visible").wait_for()

    assert {request.url.split("/")[2] for request in asked if request.url.startswith("http")} == {
        f"localhost:{server.port}"
    }


def test_scripts_are_kept_for_good_and_pages_are_asked_for_again(page_as: OpenPage) -> None:
    kept: dict[str, str] = {}
    page = page_as(None)
    page.on(
        "response", lambda response: kept.update({response.url: response.headers.get("cache-control", "")})
    )

    page.goto("/login")
    page.locator("input[name=password]:visible").wait_for()

    assert {rule for url, rule in kept.items() if "/assets/" in url} == {
        "public, max-age=31536000, immutable"
    }
    assert kept[page.url] == "no-cache"


def test_the_web_process_stays_below_350_mb(server: Server, page_as: OpenPage) -> None:
    for login in ("manager", "dispatcher", "agent"):
        page_as(login, "/board").get_by_text("WO-").first.wait_for()

    assert server.process is not None
    assert _resident_mb(server.process.pid) < 350


def _resident_mb(pid: int) -> float:
    """What the supervisor and the worker that answers hold in memory together.

    The worker is a fork of the supervisor: the pages they share are counted once (PSS), as they lie in
    memory once.
    """
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return own / 1024 + sum(_resident_mb(int(child)) for child in children)
