"""All forms and flows, and the beginning of new ones."""

import reflex as rx

from ticket_console.components.blocks import button_link, loaded, page_header
from ticket_console.components.text import t
from ticket_console.designer.home.designer_home import designer_home
from ticket_console.pages.frame import console_page
from ticket_console.state.designer import DesignerState


@console_page(
    "/designer",
    title="designer.title",
    active="designer",
    permission="template.manage",
    on_load=[DesignerState.load],
)
def designer() -> rx.Component:
    return rx.fragment(
        page_header(
            t("designer.title"),
            rx.cond(
                DesignerState.permissions.contains("rules.manage"),
                button_link(t("designer.rules"), href="/designer/rules", icon="list_filter"),
                rx.fragment(),
            ),
            button_link(t("designer.exchange"), href="/designer/exchange", icon="arrow_left_right"),
            hint=t("designer.hint"),
        ),
        loaded(
            DesignerState.status,
            designer_home(
                cards=DesignerState.cards,
                lines=DesignerState.lines,
                library=DesignerState.library,
                on_create=DesignerState.create,
            ),
            on_retry=DesignerState.load,
        ),
    )
