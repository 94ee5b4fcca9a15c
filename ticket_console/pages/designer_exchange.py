"""Taking forms, flows and rules in from a file, and everything out in one."""

import reflex as rx

from ticket_console.components.blocks import page_header
from ticket_console.components.text import t
from ticket_console.designer.home.exchange import exchange
from ticket_console.pages.frame import console_page


@console_page("/designer/exchange", title="exchange.title", active="designer", permission="flow.manage")
def designer_exchange() -> rx.Component:
    return rx.fragment(page_header(t("exchange.title"), hint=t("exchange.hint")), exchange())
