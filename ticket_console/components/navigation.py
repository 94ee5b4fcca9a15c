"""The ways from one place of the console to another: groups beside the page, tabs and a sheet on a phone."""

from collections.abc import Sequence
from typing import Final, Protocol

import reflex as rx

from ticket_console.components.scripts import script

NAVIGATION_JS: Final = script(__name__, "navigation.jsx")


class Goal(Protocol):
    """What is drawn of a place; `wire` is what the browser is told of it."""

    @property
    def icon(self) -> str: ...

    @property
    def wire(self) -> dict[str, str]: ...


class _Places(rx.Component):
    library = NAVIGATION_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]

    active: rx.Var[str]
    places: rx.Var[list[dict[str, str]]]
    roles: rx.Var[list[str]]
    permissions: rx.Var[list[str]]


class _SideNav(_Places):
    tag = "SideNav"


class _TabBar(_Places):
    tag = "TabBar"


def side_nav(
    places: Sequence[Goal], *, active: str, roles: rx.Var[list[str]], permissions: rx.Var[list[str]]
) -> rx.Component:
    """Every place the viewer may go to, below the heading of its group, which can be closed."""
    return _draw(_SideNav, places, active, roles, permissions)


def tab_bar(
    places: Sequence[Goal], *, active: str, roles: rx.Var[list[str]], permissions: rx.Var[list[str]]
) -> rx.Component:
    """The places of every day as tabs; where there are more, the last tab opens a sheet with all of them."""
    return _draw(_TabBar, places, active, roles, permissions)


def _draw(
    bar: type[_Places],
    places: Sequence[Goal],
    active: str,
    roles: rx.Var[list[str]],
    permissions: rx.Var[list[str]],
) -> rx.Component:
    icons = [rx.icon(place.icon) for place in places]
    wire = [place.wire for place in places]
    return bar.create(*icons, active=active, places=wire, roles=roles, permissions=permissions)
