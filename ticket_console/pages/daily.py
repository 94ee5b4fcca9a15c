"""The income of a day: of everybody for finance, and of themselves, on the phone, for technicians."""

from typing import Any

import reflex as rx

from ticket_console.components.address import address_pages, address_select
from ticket_console.components.blocks import (
    Column,
    badge,
    button_link,
    card,
    data_table,
    empty,
    loaded,
    note,
    page_header,
    stack,
    stat_tile,
    text_link,
)
from ticket_console.components.shell import link
from ticket_console.components.statements import statement_files
from ticket_console.components.text import money, number, t, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.state.daily import DailyState, PayDayState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/settlement/daily",
    title="daily.title",
    active="settlement",
    permission="settlement.view",
    on_load=[DailyState.load],
)
def daily() -> rx.Component:
    view = DailyState.view
    return rx.fragment(
        page_header(
            t("daily.title"),
            rx.cond(
                view["days"].to(list[dict[str, Any]]).length() > 0,
                address_select(
                    "day",
                    label=t("daily.day"),
                    options=view["days"],
                    value=_day()["date"].to(str),
                    drops=["page"],
                ),
            ),
            rx.cond(
                view["regions"].to(list[dict[str, Any]]).length() > 1,
                address_select(
                    "region",
                    label=t("settle.region"),
                    all=t("settle.every_region"),
                    options=view["regions"],
                    drops=["page"],
                ),
            ),
            button_link(t("daily.to_settlement"), href="/settlement", icon="arrow_left", tone="quiet"),
            hint=t("daily.hint"),
        ),
        rx.cond(
            DailyState.status == "missing",
            empty(
                t("settlement.day_not_found"),
                button_link(t("daily.latest"), href="/settlement/daily"),
                icon="search_x",
            ),
            loaded(
                DailyState.status,
                rx.cond(
                    view["day"],
                    _shown(),
                    empty(t("daily.none"), text=t("daily.none.text"), icon="calendar_clock"),
                ),
                on_retry=DailyState.load,
            ),
        ),
    )


def _day() -> Item:
    return DailyState.view["day"].to(dict[str, Any])


def _rows(name: str) -> rx.Var[list[dict[str, Any]]]:
    return _day()[name].to(list[dict[str, Any]])


def _shown() -> rx.Component:
    day = _day()
    return stack(
        rx.cond(day["is_whole"].to(bool), rx.fragment(), note(t("daily.part"))),
        rx.el.div(
            stat_tile(t("daily.total"), money(day["total_minor"].to(int), day["currency"].to(str))),
            stat_tile(t("daily.people"), number(day["people"].to(int))),
            stat_tile(t("daily.tickets"), number(day["tickets"].to(int))),
            class_name="ts-tiles",
        ),
        rx.el.div(
            stack(
                card(
                    rx.el.ul(rx.foreach(_rows("zones"), _zone), class_name="dy-zones"),
                    title=t("daily.as_of"),
                ),
                _bars("regions", t("daily.by_region")),
                gap=16,
            ),
            _bars("dimensions", t("daily.by_dimension")),
            class_name="dy-pair",
        ),
        card(
            rx.cond(
                day["count"].to(int) > 0,
                _lines(),
                empty(t("daily.nothing"), text=t("daily.nothing.text"), icon="receipt_text"),
            ),
            title=t("daily.by_payee"),
            actions=[statement_files(day["files"].to(dict[str, Any]), ("xlsx", "csv"))],
            flush=True,
        ),
        rx.cond(
            day["pages"].to(int) > 1,
            address_pages(page=day["page"].to(int), pages=day["pages"].to(int), total=day["count"].to(int)),
        ),
        gap=16,
    )


def _zone(zone: Item) -> rx.Component:
    """Up to which hour, at which entry of the books; when it was taken, if that was late."""
    return rx.el.li(
        rx.el.div(
            rx.el.strong(zone["zone"].to(str)),
            rx.el.span(
                money(zone["total_minor"].to(int), _day()["currency"].to(str)), class_name="ts-amount"
            ),
            class_name="dy-zone",
        ),
        rx.el.p(
            t("daily.until", clock=zone["clock"].to(str)),
            " · ",
            t("daily.entry", seq=zone["as_of_seq"].to(int)),
            " · ",
            rx.el.span(zone["hash"].to(str), class_name="tc-mono"),
            class_name="tc-help",
        ),
        rx.cond(
            zone["is_late"].to(bool),
            rx.el.p(
                badge(t("daily.late"), tone="warn", icon="clock"),
                " ",
                t("daily.taken"),
                " ",
                when(zone["taken_at"], zone["zone"].to(str)),
                class_name="tc-help",
            ),
        ),
    )


def _bars(name: str, title: rx.Var[str]) -> rx.Component:
    return card(
        rx.cond(
            _rows(name).length() > 0,
            rx.el.ul(rx.foreach(_rows(name), _bar), class_name="dy-bars"),
            rx.el.p(t("daily.nothing"), class_name="tc-muted"),
        ),
        title=title,
    )


def _bar(each: Item) -> rx.Component:
    return rx.el.li(
        rx.el.span(tl(each["name"])),
        rx.el.span(
            rx.el.span(
                style={"width": (each["share"].to(int) / 100).to_string() + "%"},
                custom_attrs={"data-less": each["is_less"].to_string()},
            ),
            class_name="dy-bar",
            aria_hidden="true",
        ),
        rx.el.span(money(each["amount_minor"].to(int), _day()["currency"].to(str)), class_name="ts-amount"),
    )


def _lines() -> rx.Component:
    currency = _day()["currency"].to(str)
    return data_table(
        [
            Column(
                t("settle.payee"),
                lambda each: rx.el.span(
                    text_link(tl(each["name"]), href=each["href"].to(str)),
                    rx.cond(
                        each["kind"].to(str) == "vendor",
                        rx.fragment(" ", badge(t("daily.kind.vendor"), tone="violet")),
                    ),
                ),
                nowrap=True,
            ),
            Column(t("settle.region"), lambda each: tl(each["region"]), nowrap=True),
            Column(t("settle.tickets"), lambda each: number(each["tickets"].to(int)), align="end"),
            Column(
                t("daily.dimensions"),
                lambda each: rx.el.span(
                    rx.foreach(
                        each["parts"].to(list[dict[str, Any]]),
                        lambda part: rx.el.span(
                            tl(part["name"]),
                            " ",
                            money(part["amount_minor"].to(int), currency),
                            class_name="dy-part",
                        ),
                    ),
                    class_name="dy-parts",
                ),
            ),
            Column(
                t("settle.amount"),
                lambda each: rx.el.span(money(each["total_minor"].to(int), currency), class_name="ts-amount"),
                align="end",
                nowrap=True,
            ),
        ],
        _rows("lines"),
        caption=t("daily.by_payee"),
    )


@console_page(
    "/pay/day",
    title="daily.mine",
    active="pay",
    permission="settlement.view_own",
    on_load=[PayDayState.load],
    width="narrow",
)
def pay_day() -> rx.Component:
    view = PayDayState.view
    return rx.fragment(
        page_header(
            t("daily.mine"),
            button_link(t("daily.to_pay"), href="/pay", icon="arrow_left", tone="quiet"),
            hint=t("daily.mine.hint"),
        ),
        rx.cond(
            PayDayState.status == "missing",
            empty(
                t("settlement.day_not_found"),
                button_link(t("daily.latest"), href="/pay/day"),
                icon="search_x",
            ),
            loaded(
                PayDayState.status,
                rx.cond(
                    view["day"],
                    _own(),
                    empty(t("daily.no_list"), text=t("daily.no_list.text"), icon="wallet"),
                ),
                on_retry=PayDayState.load,
            ),
        ),
    )


def _own() -> rx.Component:
    view = PayDayState.view
    day = view["day"].to(dict[str, Any])
    currency = day["currency"].to(str)
    tickets = view["tickets"].to(list[dict[str, Any]])
    return stack(
        rx.el.nav(
            rx.foreach(
                view["days"].to(list[dict[str, Any]]),
                lambda each: link(
                    each["date"].to(str),
                    href=each["href"].to(str),
                    aria_current=rx.cond(each["is_here"].to(bool), "page", "false"),
                ),
            ),
            class_name="py-months",
            aria_label=t("daily.days"),
        ),
        rx.el.div(
            stat_tile(t("daily.total"), money(day["total_minor"].to(int), currency)),
            stat_tile(t("daily.tickets"), number(day["tickets"].to(int))),
            class_name="ts-tiles",
        ),
        rx.cond(
            tickets.length() > 0,
            card(
                rx.el.ul(
                    rx.foreach(
                        tickets,
                        lambda each: rx.el.li(
                            link(
                                rx.el.span(
                                    rx.el.span(each["no"].to(str), class_name="tc-mono"),
                                    when(each["service_at"], day["zone"].to(str), class_name="tc-help"),
                                    rx.cond(
                                        each["entries"].to(int) > 1,
                                        badge(t("daily.corrected"), tone="warn"),
                                    ),
                                    class_name="dy-ticket",
                                ),
                                rx.el.span(
                                    money(each["amount_minor"].to(int), currency), class_name="ts-amount"
                                ),
                                href=each["href"].to(str),
                            )
                        ),
                    ),
                    class_name="dy-tickets",
                ),
                flush=True,
            ),
            empty(t("daily.nothing_mine"), icon="coffee"),
        ),
        gap=16,
    )
