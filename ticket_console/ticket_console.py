"""The composition root: the app, its frame, and every page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import reflex as rx
from reflex_components_core.base.error_boundary import ErrorBoundary

from ticket_console.api.app import build_api
from ticket_console.components.overlay import crash_screen, notice_hub
from ticket_console.demo.simulator import Simulator
from ticket_console.jobs.worker import Worker
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.database import off_loop
from ticket_console.kernel.settings import settings
from ticket_console.pages import every_page
from ticket_console.state.feedback import unexpected

# Before anything is drawn: the chosen width of the navigation, so that nothing jumps.
_FIRST_PAINT: Final = """
(function () {
  var kept = window.localStorage.getItem("tc_nav");
  if (kept) document.documentElement.dataset.nav = kept;
})();
"""

# Tokens first, then what is shared, then each screen's own.
_SHARED_STYLES: Final = ("tokens", "shell", "blocks")


def _stylesheets() -> list[str]:
    found = {path.stem for path in (Path.cwd() / "assets" / "styles").glob("*.css")}
    own = sorted(found - set(_SHARED_STYLES))
    return [f"/styles/{name}.css" for name in (*_SHARED_STYLES, *own)]


def _error_boundary(stateful: bool) -> rx.Component:
    return ErrorBoundary.create(fallback_render=crash_screen())


def _overlay(stateful: bool) -> rx.Component:
    # The page is drawn inside this element, so it must be one that draws its children.
    return rx.fragment(notice_hub())


@asynccontextmanager
async def _work_by_itself() -> AsyncIterator[None]:
    """The worker, and on the demo company the simulator, live as long as the web process."""
    threads: list[Worker | Simulator] = []
    if settings().worker:
        threads.append(Worker(SystemClock()))
    if settings().simulator:
        threads.append(Simulator(SystemClock()))
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        await off_loop(thread.stop)


app = rx.App(
    html_lang="zh-CN",
    stylesheets=_stylesheets(),
    head_components=[
        rx.el.meta(name="viewport", content="width=device-width, initial-scale=1, viewport-fit=cover"),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.script(_FIRST_PAINT),
    ],
    toaster=rx.toast.provider(position="bottom-right", close_button=True, rich_colors=False),
    app_wraps={(55, "ErrorBoundary"): _error_boundary, (5, "Overlay"): _overlay},
    backend_exception_handler=unexpected,
    api_transformer=build_api(SystemClock()),
)

app.register_lifespan_task(_work_by_itself)

for page in every_page():
    app.add_page(page.draw, route=page.route, title=page.title, on_load=page.on_load)
