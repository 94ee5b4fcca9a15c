"""`python -m benchmarks.map`: 500 sites and 5,000 open tickets on the map, as Chromium shows them."""

import argparse
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import uuid4

import httpx
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.console import Console, console

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking")
# The cities of the sites, roughly where people live in China.
CENTRES: Final = ((31.2, 121.5), (30.7, 104.1), (23.1, 113.3), (39.9, 116.4), (30.6, 114.3), (34.3, 108.9))
TARGET_SECONDS: Final = 2.0
_DRAWN: Final = '.mp[data-status="ready"][data-map="drawn"]'
_HEARD: Final = "before => document.querySelector('.mp').dataset.moved !== before"
_FRAMES: Final = """() => new Promise((done) => {
  const gaps = []; let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    if (gaps.length < 90) requestAnimationFrame(step); else done(gaps);
  };
  requestAnimationFrame(step);
})"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.map", description=__doc__)
    parser.add_argument("--tickets", type=int, default=5_000)
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    os.environ.setdefault("REFLEX_TELEMETRY_ENABLED", "false")
    with console(tickets=0) as running:
        fill(sites=asked.sites, tickets=asked.tickets)
        _measure(running, asked)
    return 0


def fill(*, sites: int, tickets: int, seed: int = 1) -> None:
    """Sites around some cities and open tickets around the sites, in the database the console runs on."""
    from ticket_console.access.tables import Org, Region, Site, SiteKind
    from ticket_console.demo import bulk
    from ticket_console.kernel.database import table, transaction
    from ticket_console.tickets.tables import Ticket

    chance = Random(seed)
    bulk.fill(tickets=tickets, at=datetime.now(UTC), seed=seed, open_share=1.0)
    with transaction() as connection:
        org_id = connection.execute(sa.select(table(Org).c.id)).scalar_one()
        regions = list(connection.execute(sa.select(table(Region).c.id)).scalars())
        places = [_near(*chance.choice(CENTRES), 2.0, chance) for _ in range(sites)]
        rows = [
            {
                "org_id": org_id,
                "region_id": chance.choice(regions),
                "territory_id": None,
                "kind": SiteKind.STORE,
                "code": f"BENCH-{number:04}",
                "name": {"zh": f"门店 {number}", "en": f"Store {number}"},
                "address": "",
                "lat": lat,
                "lon": lon,
                "tz": "Asia/Shanghai",
                "version": 1,
            }
            for number, (lat, lon) in enumerate(places, start=1)
        ]
        made = list(connection.execute(sa.insert(table(Site)).returning(table(Site).c.id), rows).scalars())
        rows_of = table(Ticket)
        moved = []
        still_open = sa.select(rows_of.c.id).where(rows_of.c.closed_at.is_(None))
        for ticket_id in connection.execute(still_open).scalars():
            which = chance.randrange(len(made))
            lat, lon = _near(*places[which], 0.15, chance)
            moved.append({"b_id": ticket_id, "b_site": made[which], "b_lat": lat, "b_lon": lon})
        connection.execute(
            sa.update(rows_of)
            .where(rows_of.c.id == sa.bindparam("b_id"))
            .values(site_id=sa.bindparam("b_site"), lat=sa.bindparam("b_lat"), lon=sa.bindparam("b_lon")),
            moved,
        )


def _near(lat: float, lon: float, by: float, chance: Random) -> tuple[float, float]:
    return round(chance.gauss(lat, by), 6), round(chance.gauss(lon, by), 6)


def _measure(running: Console, asked: argparse.Namespace) -> None:
    base = f"http://127.0.0.1:{running.port}"
    _say(f"{asked.sites} sites, {asked.tickets} open tickets, {os.cpu_count()} cores\n")
    with httpx.Client(base_url=base, headers=running.as_manager, timeout=60) as client:
        for path in ("/api/v1/map", "/api/v1/map?bbox=121,30.5,122,31.5", "/api/v1/sites"):
            seconds = [_timed(client, path) for _ in range(asked.runs)]
            size = len(client.get(path).content)
            _tell(f"GET {path}", seconds, f"{size / 1024:,.0f} kB")
        first = client.get("/api/v1/map").json()["tickets"]["features"][0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            _browse(browser, base, running, client, first, asked)
            browser.close()


def _browse(
    browser: Browser,
    base: str,
    running: Console,
    client: httpx.Client,
    first: dict[str, Any],
    asked: argparse.Namespace,
) -> None:
    name, _, value = running.as_manager["Cookie"].partition("=")
    opened: dict[str, list[float]] = {"first": [], "again": []}
    sites: dict[str, list[float]] = {"first": [], "again": []}
    plain: dict[str, list[float]] = {"first": [], "again": []}
    for _ in range(asked.runs):
        context = browser.new_context(base_url=base, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": base}])
        page = context.new_page()
        for when in ("first", "again"):
            plain[when].append(_open(page, "/notices", "h1"))
            opened[when].append(_open(page, "/map"))
            sites[when].append(_open(page, "/sites"))
        context.close()
    context = browser.new_context(base_url=base, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": name, "value": value, "url": base}])
    page = context.new_page()
    for when, words in (("first", "nothing cached"), ("again", "files cached")):
        _tell(f"a page without a map (/notices), {words}", plain[when], "to compare")
        _tell(f"/map until drawn and listed, {words}", opened[when], _verdict(opened[when]))
        _tell(f"/sites until drawn and listed, {words}", sites[when], _verdict(sites[when]))
    _open(page, "/map")
    _say(f"{'tickets held by the map':<52} {page.locator('.mp').get_attribute('data-tickets')}")
    page.wait_for_timeout(2_000)
    gaps = _drag(page)
    _tell("frames while the map is dragged", [gap / 1000 for gap in gaps], f"worst {max(gaps):.0f} ms")
    number = page.locator("[data-ticket]").first.get_attribute("data-ticket")
    started = time.perf_counter()
    page.locator("[data-ticket]").first.click()
    page.wait_for_selector(f'[data-chosen="{number}"]')
    _tell("a ticket chosen until its candidates are listed", [time.perf_counter() - started], "")
    before = page.locator(".mp").get_attribute("data-moved")
    started = time.perf_counter()
    client.post(
        f"/api/v1/tickets/{first['id']}/comments", json={"command_id": uuid4().hex, "text": "bench"}
    ).raise_for_status()
    page.wait_for_function(_HEARD, arg=before, timeout=10_000)
    _tell("a change elsewhere until the map has heard of it", [time.perf_counter() - started], "")


def _open(page: Page, path: str, what: str = _DRAWN) -> float:
    """Seconds until everything is listed and the map takes marks."""
    started = time.perf_counter()
    page.goto(path, wait_until="commit")
    page.wait_for_selector(what, timeout=60_000)
    return time.perf_counter() - started


def _drag(page: Page) -> list[float]:
    box = page.locator(".mp-canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 500, box["y"] + 400)
    page.mouse.down()
    gaps: list[float] = []
    page.evaluate("() => { window.gaps = (" + _FRAMES + ")(); }")
    for step in range(60):
        page.mouse.move(box["x"] + 500 - 4 * step, box["y"] + 400 - 2 * step)
    gaps = page.evaluate("() => window.gaps")
    page.mouse.up()
    return gaps[5:]


def _timed(client: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    client.get(path).raise_for_status()
    return time.perf_counter() - started


def _verdict(seconds: list[float]) -> str:
    return "within 2 s" if statistics.median(seconds) < TARGET_SECONDS else "MORE THAN 2 s"


def _tell(what: str, seconds: list[float], note: str) -> None:
    median, worst = statistics.median(seconds), max(seconds)
    _say(f"{what:<52} median {1000 * median:>7,.0f} ms  worst {1000 * worst:>7,.0f} ms  {note}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
