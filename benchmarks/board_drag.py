"""`python -m benchmarks.board_drag`: how fluid a drag is on a board that holds 5,000 open cards.

A console of its own is filled, Chromium opens its board and scrolls every lane to its end, so that the
browser holds all cards. Then a card is carried over the lanes and down them while the times between pictures
are taken. Beside it stand the pictures of the same page while nothing is held.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence

from playwright.sync_api import Page, sync_playwright

from benchmarks.console import Console, console

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SCREEN = {"width": 1920, "height": 1080}
_ROUNDS = 6
# Of the tickets a filled console holds, about one in twenty is open.
_TICKETS_FOR_A_CARD = 20

# The times between pictures, for as long as they are wanted.
_WATCH = """
() => {
  window.pictures = [];
  let last = null;
  const tick = (at) => {
    if (last !== null) window.pictures.push(at - last);
    last = at;
    window.picture = requestAnimationFrame(tick);
  };
  window.picture = requestAnimationFrame(tick);
}
"""
_TAKE = "() => { cancelAnimationFrame(window.picture); return window.pictures; }"

# Scrolls every lane to its end until nothing more is offered.
_LOAD = """
async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  for (let quiet = 0; quiet < 5;) {
    const lists = [...document.querySelectorAll("[data-lane] [data-virtuoso-scroller]")];
    for (const list of lists) list.scrollTop = list.scrollHeight;
    await wait(150);
    quiet = document.querySelector(".tb-load") ? 0 : quiet + 1;
  }
  for (const list of document.querySelectorAll("[data-virtuoso-scroller]")) list.scrollTop = 0;
  await wait(500);
}
"""
_COUNT = """
() => [...document.querySelectorAll("[data-lane]:not([data-folded=true]) .tb-count")]
  .reduce((sum, each) => sum + Number(each.textContent.replace(/\\D/g, "")), 0)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.board_drag", description=__doc__)
    parser.add_argument("--cards", type=int, default=5_000, help="open cards")
    asked = parser.parse_args()
    with console(tickets=asked.cards * _TICKETS_FOR_A_CARD) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(viewport=_SCREEN, locale="en-GB")  # type: ignore[arg-type]
        context.add_cookies([_session(running)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{running.port}/board")
        page.locator("[data-card]").first.wait_for(timeout=30_000)
        page.evaluate(_LOAD)
        shown = page.locator("[data-card]").count()
        print(f"{page.evaluate(_COUNT):,} open cards held, {shown} of them drawn")
        page.evaluate(_WATCH)
        page.wait_for_timeout(3_000)
        _say("at rest", page.evaluate(_TAKE))
        _say("dragging", _dragged(page))
        browser.close()
    return 0


def _session(running: Console) -> dict[str, str]:
    return {"name": "tc_session", "value": running.session, "url": f"http://127.0.0.1:{running.port}"}


def _dragged(page: Page) -> list[float]:
    """Carry a card across all lanes and down one, and leave it where it was."""
    lanes = page.locator("[data-lane]:not([data-folded=true])")
    boxes = [box for each in range(lanes.count()) if (box := lanes.nth(each).bounding_box())]
    start = page.locator("[data-lane]:not([data-folded=true]) [data-card]").first.bounding_box()
    assert start is not None
    x, y = start["x"] + 60, start["y"] + 60
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 10, steps=3)
    page.locator(".tb[data-dragging]").wait_for()
    page.evaluate(_WATCH)
    for _ in range(_ROUNDS):
        for box in boxes:
            page.mouse.move(min(box["x"] + box["width"] / 2, 1860), 300, steps=15)
            page.mouse.move(min(box["x"] + box["width"] / 2, 1860), 800, steps=15)
    pictures: list[float] = page.evaluate(_TAKE)
    page.keyboard.press("Escape")
    page.mouse.up()
    return pictures


def _say(what: str, pictures: Sequence[float]) -> None:
    cuts = statistics.quantiles(pictures, n=100)
    print(
        f"{what:<10} {len(pictures):>5} pictures   median {statistics.median(pictures):6.1f} ms   "
        f"p95 {cuts[94]:6.1f} ms   p99 {cuts[98]:6.1f} ms   longest {max(pictures):6.1f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
