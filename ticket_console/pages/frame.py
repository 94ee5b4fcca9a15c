"""Binds the frames to the session, and registers pages: the only two ways a page comes to be."""

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

from ticket_console.components.shell import Viewer, bare, shell
from ticket_console.components.text import t
from ticket_console.state.session import SessionState

Page = Callable[[], rx.Component]


def console_page(
    route: str,
    *,
    title: str,
    active: str,
    on_load: Sequence[Any] = (),
    width: str = "normal",
    tools: Callable[[], tuple[rx.Component, ...]] | None = None,
    keys: list[dict[str, str]] | None = None,
) -> Callable[[Page], Page]:
    """A page behind the log-in: the decorated function returns what stands in the frame.

    `title` is a text key, `active` the place of the navigation it belongs to. Every event of `on_load`
    runs after the session is known; visitors without one are sent to the log-in page.
    """

    def register(content: Page) -> Page:
        def page() -> rx.Component:
            viewer = Viewer(
                name=SessionState.user_name, roles=SessionState.roles, permissions=SessionState.permissions
            )
            return shell(
                content(),
                title=t(title),
                active=active,
                viewer=viewer,
                width=width,
                tools=tools() if tools else (),
                keys=keys,
            )

        rx.page(route=route, title=t("shell.title", page=t(title)), on_load=[SessionState.enter, *on_load])(
            page
        )
        return content

    return register


def visitor_page(
    route: str, *, title: str, on_load: Sequence[Any] = (), align: str = "top"
) -> Callable[[Page], Page]:
    """A page without a log-in: the log-in itself, public forms, a customer's tracking page."""

    def register(content: Page) -> Page:
        def page() -> rx.Component:
            return bare(content(), align=align)

        rx.page(route=route, title=t("shell.title", page=t(title)), on_load=list(on_load))(page)
        return content

    return register
