"""What stands at an address where there is nothing."""

import reflex as rx

from ticket_console.components import blocks
from ticket_console.components.text import t
from ticket_console.pages.frame import visitor_page


@visitor_page("/404", title="missing.title", align="center")
def missing() -> rx.Component:
    return blocks.empty(
        rx.el.h1(t("missing.title"), style={"font": "inherit"}),
        blocks.button_link(t("missing.home"), href="/", tone="primary"),
        text=t("missing.text"),
        icon="map_pin_off",
    )
