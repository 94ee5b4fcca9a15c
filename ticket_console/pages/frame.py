"""Binds the frames to the session, and registers pages: the only two ways a page comes to be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import reflex as rx

from ticket_console.components.allowed import only_for
from ticket_console.components.shell import Viewer, bare, shell
from ticket_console.components.text import t
from ticket_console.state.notices import NoticesState
from ticket_console.state.session import SessionState

Content = Callable[[], rx.Component]


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the app takes it: its frame with its content, and what runs when it opens."""

    route: str
    title: rx.Var[str]
    draw: Content
    on_load: list[Any]


pages: Final[dict[str, Page]] = {}


def console_page(
    route: str,
    *,
    title: str,
    active: str,
    permission: str | None = None,
    on_load: Sequence[Any] = (),
    width: str = "normal",
    tools: Callable[[], tuple[rx.Component, ...]] | None = None,
    keys: list[dict[str, str]] | None = None,
) -> Callable[[Content], Content]:
    """A page behind the log-in: the decorated function returns what stands in the frame.

    Visitors without the `permission` read one sentence instead of the content.
    `title` is a text key, `active` the place of the navigation it belongs to. Every event of `on_load`
    runs after the session is known; visitors without one are sent to the log-in page.
    """

    def register(content: Content) -> Content:
        def page() -> rx.Component:
            viewer = Viewer(
                name=SessionState.user_name,
                roles=SessionState.roles,
                permissions=SessionState.permissions,
                unread=NoticesState.unread,
                on_look=NoticesState.look,
            )
            shown = content()
            if permission is not None:
                shown = only_for(SessionState.permissions, permission, shown)
            return shell(
                shown,
                title=t(title),
                active=active,
                viewer=viewer,
                width=width,
                tools=tools() if tools else (),
                keys=keys,
            )

        window_title = t("shell.title", page=t(title))
        pages[route] = Page(route, window_title, page, [SessionState.enter, *on_load])
        return content

    return register


def visitor_page(
    route: str, *, title: str, on_load: Sequence[Any] = (), align: str = "top"
) -> Callable[[Content], Content]:
    """A page without a log-in: the log-in itself, public forms, a customer's tracking page."""

    def register(content: Content) -> Content:
        def page() -> rx.Component:
            return bare(content(), align=align)

        pages[route] = Page(route, t("shell.title", page=t(title)), page, list(on_load))
        return content

    return register
