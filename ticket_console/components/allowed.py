"""What somebody sees of a screen that is not theirs."""

import reflex as rx

from ticket_console.components.blocks import button_link, empty
from ticket_console.components.text import t


def only_for(permissions: rx.Var[list[str]], permission: str, *content: rx.Component) -> rx.Component:
    """The content for those with the permission, one sentence for the others.

    It hides nothing: what the content shows is refused by its handlers anyway.
    """
    # Before the viewer is known nobody has a permission yet.
    is_theirs = permissions.contains(permission) | (permissions.length() == 0)
    refusal = empty(
        rx.el.h1(t("access.forbidden"), style={"font": "inherit"}),
        button_link(t("missing.home"), href="/"),
        icon="lock",
    )
    return rx.cond(is_theirs, rx.fragment(*content), refusal)
