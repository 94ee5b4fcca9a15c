"""My pay, made for a phone: my months, my tickets, how each cent came about, and what I say about it."""

from typing import Any

import reflex as rx

from ticket_console.components.address import address_pages
from ticket_console.components.blocks import (
    badge,
    button,
    button_link,
    card,
    empty,
    loaded,
    note,
    page_header,
    row,
    stack,
)
from ticket_console.components.explained import dispute_told, explained_rating
from ticket_console.components.overlay import confirm_dialog, reason_dialog
from ticket_console.components.shell import link
from ticket_console.components.statements import booked_entries, statement_entry, statement_files
from ticket_console.components.text import money, number, t, when
from ticket_console.pages.frame import console_page
from ticket_console.state.pay import PayState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/pay", title="pay.title", active="pay", permission="settlement.view_own", on_load=[PayState.load]
)
def pay() -> rx.Component:
    return rx.fragment(
        rx.match(
            PayState.status,
            ("stranger", empty(t("pay.stranger"), text=t("pay.stranger.text"), icon="wallet")),
            (
                "missing",
                empty(t("pay.missing"), button_link(t("pay.title"), href="/pay"), icon="search_x"),
            ),
            loaded(
                PayState.status,
                rx.cond(
                    PayState.view["period"],
                    rx.cond(PayState.view["ticket"], _ticket(), _month()),
                    empty(t("pay.nothing"), text=t("pay.nothing.text"), icon="wallet"),
                ),
                on_retry=PayState.load,
            ),
        ),
        _dialogs(),
    )


def _rows(name: str) -> rx.Var[list[dict[str, Any]]]:
    return PayState.view[name].to(list[dict[str, Any]])


def _part(name: str) -> Item:
    return PayState.view[name].to(dict[str, Any])


def _month() -> rx.Component:
    view = PayState.view
    return stack(
        page_header(t("pay.title"), button_link(t("daily.mine"), href="/pay/day", icon="calendar_clock")),
        rx.el.nav(
            rx.foreach(
                _rows("months"),
                lambda each: link(
                    each["code"].to(str),
                    href=each["href"].to(str),
                    aria_current=rx.cond(each["is_here"], "page", "false"),
                ),
            ),
            class_name="py-months",
            aria_label=t("pay.months"),
        ),
        rx.el.div(
            rx.el.span(t("pay.earned"), class_name="tc-help"),
            rx.el.strong(money(view["total_minor"].to(int), view["currency"])),
            rx.el.span(t("pay.tickets", n=view["count"].to(int)), class_name="tc-help"),
            class_name="py-sum",
        ),
        _statements(),
        _disputes(),
        rx.cond(
            view["count"].to(int) > 0,
            card(
                rx.el.ul(rx.foreach(_rows("tickets"), _ticket_row), class_name="py-tickets"),
                title=t("pay.by_ticket"),
                flush=True,
            ),
            empty(t("pay.nothing"), text=t("pay.nothing.text"), icon="wallet"),
        ),
        rx.cond(
            view["pages"].to(int) > 1,
            address_pages(
                page=view["page"].to(int), pages=view["pages"].to(int), total=view["count"].to(int)
            ),
        ),
        row(
            rx.el.span(t("pay.files"), class_name="tc-help"),
            statement_files(_part("files"), ("xlsx", "csv")),
        ),
        gap=16,
        class_name="py-page",
    )


def _ticket_row(each: Item) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(
                rx.el.strong(each["ticket_no"].to(str)),
                when(each["service_at"], PayState.view["tz"], class_name="tc-help"),
                class_name="py-what",
            ),
            rx.cond(each["is_disputed"], badge(t("settle.disputed"), tone="danger", icon="flag")),
            rx.cond(each["entries"].to(int) > 1, badge(t("settle.corrected"), tone="warn")),
            rx.el.span(money(each["total_minor"].to(int), PayState.view["currency"]), class_name="ts-amount"),
            rx.icon("chevron_right", size=16, aria_hidden="true"),
            href=each["href"].to(str),
        )
    )


def _statements() -> rx.Component:
    def entry(each: Item) -> rx.Component:
        confirm = rx.cond(
            each["can_confirm"],
            button(
                t("pay.confirm"),
                tone="primary",
                icon="check",
                busy=PayState.busy,
                on_click=PayState.ask_confirm(each["id"].to(int)),
            ),
        )
        return statement_entry(each, confirm, zone=PayState.view["tz"])

    return rx.cond(
        _rows("statements").length() > 0,
        card(
            rx.el.ul(rx.foreach(_rows("statements"), entry), class_name="ts-statements"),
            title=t("settle.statements"),
        ),
    )


def _disputes() -> rx.Component:
    def told(each: Item) -> rx.Component:
        return rx.el.li(
            link(each["ticket_no"].to(str), href=each["href"].to(str), class_name="tc-link"),
            dispute_told(each),
        )

    return rx.cond(
        _rows("disputes").length() > 0,
        card(
            rx.el.ul(rx.foreach(_rows("disputes"), told), class_name="py-disputes"),
            title=t("pay.disputes"),
            actions=[badge(number(_rows("disputes").length()))],
        ),
    )


def _ticket() -> rx.Component:
    ticket = _part("ticket")
    return stack(
        page_header(ticket["no"].to(str), hint=ticket["title"].to(str)),
        row(
            button_link(t("pay.back"), href=_part("period")["href"], icon="arrow_left", tone="quiet"),
            rx.cond(
                ticket["title"].to(str) != "",
                button_link(t("settle.open_ticket"), href=ticket["href"], icon="square_arrow_out_up_right"),
            ),
        ),
        booked_entries(ticket, zone=PayState.view["tz"]),
        note(t("pay.how_to_dispute"), icon="flag"),
        rx.foreach(
            ticket["ratings"].to(list[dict[str, Any]]),
            lambda rating: explained_rating(rating, on_dispute=PayState.ask_dispute),
        ),
        gap=16,
        class_name="py-page",
    )


def _dialogs() -> rx.Component:
    about = PayState.about
    return rx.fragment(
        reason_dialog(
            open=PayState.asking == "dispute",
            title=t("settle.dispute.title", what=about["name"]),
            on_confirm=PayState.dispute,
            on_cancel=PayState.stop_asking,
        ),
        confirm_dialog(
            open=PayState.asking == "confirm",
            title=t("pay.confirm.title", n=about["number"].to(int)),
            text=t("pay.confirm.text", amount=money(about["total_minor"].to(int), about["currency"].to(str))),
            confirm_label=t("pay.confirm"),
            on_confirm=PayState.confirm,
            on_cancel=PayState.stop_asking,
        ),
    )
