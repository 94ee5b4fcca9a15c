"""What somebody was told in the console, the newest first."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import badge, button, card, empty, loaded, page_header, row
from ticket_console.components.shell import link
from ticket_console.components.text import ago, t, tl
from ticket_console.pages.frame import console_page
from ticket_console.state.notices import NoticesState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/notices", title="notices.title", active="notices", permission="ticket.view", on_load=[NoticesState.load]
)
def notices() -> rx.Component:
    return rx.fragment(
        page_header(
            t("notices.title"),
            rx.cond(
                NoticesState.unread > 0,
                button(t("notices.read_all"), icon="check_check", on_click=NoticesState.read_all),
            ),
            hint=t("notices.hint"),
        ),
        loaded(
            NoticesState.status,
            rx.cond(
                NoticesState.shown.length() > 0,
                card(rx.el.ul(rx.foreach(NoticesState.shown, _notice), class_name="tc-notices"), flush=True),
                empty(t("notices.none"), text=t("notices.none.text"), icon="bell"),
            ),
            on_retry=NoticesState.load,
        ),
    )


def _notice(item: Item) -> rx.Component:
    return rx.el.li(
        link(
            row(
                rx.cond(
                    item["ticket_no"].to(str) != "",
                    rx.el.span(item["ticket_no"].to(str), class_name="tc-mono"),
                    rx.icon("receipt_text", size=14, aria_hidden="true"),
                ),
                rx.cond(item["is_read"], rx.fragment(), badge(t("notices.new"), tone="accent")),
                ago(item["at"]),
                class_name="tc-help",
            ),
            rx.el.p(tl(item["text"])),
            href=item["href"].to(str),
            on_click=NoticesState.read(item["id"].to(int)),
        ),
        custom_attrs={"data-read": item["is_read"].to_string()},
    )
