"""What payees earned: the period, the payee, the ticket, and what every line rests on."""

from typing import Any

import reflex as rx

from ticket_console.components.address import address_pages, address_select
from ticket_console.components.blocks import (
    Column,
    badge,
    bone,
    button,
    button_link,
    card,
    data_table,
    empty,
    loaded,
    note,
    page_header,
    row,
    split,
    stack,
    stat_tile,
    text_link,
)
from ticket_console.components.explained import explained_rating
from ticket_console.components.overlay import confirm_dialog, reason_dialog
from ticket_console.components.statements import (
    booked_entries,
    statement_chip,
    statement_entry,
    statement_files,
)
from ticket_console.components.text import money, number, t, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.pages.period_files import period_files
from ticket_console.state.period_files import PeriodFilesState
from ticket_console.state.settlement import SettlementState

Item = rx.vars.ObjectVar[dict[str, Any]]

_KINDS = ("technician", "vendor", "customer")
_PERIOD_TONES = (("open", "accent"), ("closing", "warn"), ("closed", "ok"))


@console_page(
    "/settlement",
    title="settle.title",
    active="settlement",
    on_load=[SettlementState.load, PeriodFilesState.open],
)
def settlement() -> rx.Component:
    return rx.fragment(
        rx.match(
            SettlementState.status,
            ("closed", empty(t("settle.not_yours"), text=t("settle.not_yours.text"), icon="lock")),
            (
                "missing",
                empty(
                    t("settle.missing"),
                    button_link(t("settle.title"), href="/settlement"),
                    text=t("settle.missing.text"),
                    icon="search_x",
                ),
            ),
            loaded(
                SettlementState.status,
                rx.cond(
                    SettlementState.view["period"],
                    _page(),
                    empty(t("settle.no_period"), text=t("settle.no_period.text"), icon="receipt_text"),
                ),
                waiting=_waiting(),
                on_retry=SettlementState.load,
            ),
        ),
        _dialogs(),
    )


def _part(name: str) -> Item:
    return SettlementState.view[name].to(dict[str, Any])


def _rows(name: str) -> rx.Var[list[dict[str, Any]]]:
    return SettlementState.view[name].to(list[dict[str, Any]])


def _page() -> rx.Component:
    return stack(
        page_header(
            t("settle.title"),
            *_filters(),
            _to_disputes(),
            button_link(t("reconcile.link"), href="/settlement/reconcile", icon="scale"),
            button_link(t("daily.title"), href="/settlement/daily", icon="calendar_clock"),
            hint=_where(),
        ),
        rx.cond(
            SettlementState.view["ticket"],
            _ticket(),
            rx.cond(SettlementState.view["payee"], _payee(), _totals()),
        ),
        gap=16,
    )


def _filters() -> tuple[rx.Component, ...]:
    return (
        address_select(
            "period",
            label=t("settle.period"),
            options=SettlementState.view["periods"],
            value=_part("period")["id"].to_string(),
            drops=["ticket"],
        ),
        address_select(
            "region",
            label=t("settle.region"),
            all=t("settle.every_region"),
            options=SettlementState.view["regions"],
        ),
    )


def _to_disputes() -> rx.Component:
    waiting = SettlementState.view["undecided"].to(int)
    return button_link(
        rx.fragment(
            t("disputes.title"),
            rx.cond(waiting > 0, rx.el.span(number(waiting), class_name="ts-count")),
        ),
        href="/settlement/disputes",
        icon="flag",
    )


def _where() -> rx.Component:
    """The way down to here, each step a way back."""
    period, payee, ticket = _part("period"), _part("payee"), _part("ticket")
    step = rx.icon("chevron_right", aria_hidden="true")
    return rx.el.nav(
        rx.cond(
            SettlementState.view["payee"].is_none(),
            rx.el.span(period["code"].to(str)),
            text_link(period["code"].to(str), href=SettlementState.view["up"]),
        ),
        _chip("settlement.period.", period["state"].to(str), _PERIOD_TONES),
        rx.cond(
            SettlementState.view["payee"],
            rx.cond(
                SettlementState.view["ticket"],
                rx.fragment(step, text_link(tl(payee["name"]), href=payee["href"])),
                rx.fragment(step, rx.el.span(tl(payee["name"]))),
            ),
        ),
        rx.cond(
            SettlementState.view["ticket"],
            rx.fragment(step, rx.el.span(ticket["no"].to(str))),
        ),
        class_name="ts-way",
        aria_label=t("settle.way"),
    )


def _chip(family: str, member: rx.Var[str], tones: tuple[tuple[str, str], ...]) -> rx.Component:
    return badge(t(rx.Var.create(family) + member), tone=rx.match(member, *tones, "plain"))


def _pages() -> rx.Component:
    view = SettlementState.view
    return rx.cond(
        view["pages"].to(int) > 1,
        address_pages(page=view["page"].to(int), pages=view["pages"].to(int), total=view["count"].to(int)),
    )


def _totals() -> rx.Component:
    view, period = SettlementState.view, _part("period")
    total = money(view["total_minor"], view["currency"])
    return stack(
        _kinds(),
        rx.el.div(
            stat_tile(t("settle.total"), total),
            stat_tile(t(rx.Var.create("settle.payees.") + view["kind"].to(str)), number(view["count"])),
            stat_tile(t("settle.tickets"), number(view["tickets"])),
            stat_tile(t("settle.to_pay"), money(view["to_pay_minor"].to(int), view["currency"])),
            class_name="ts-tiles",
        ),
        _reopening(),
        _to_pay(),
        rx.el.div(
            statement_files(_part("totals_files"), ("xlsx", "csv")),
            rx.cond(
                period["can_close"],
                button(
                    rx.cond(period["state"].to(str) == "open", t("settle.begin_closing"), t("settle.close")),
                    icon="lock",
                    busy=SettlementState.busy,
                    on_click=SettlementState.ask_close,
                ),
            ),
            rx.cond(
                period["can_ask_reopening"],
                button(t("settle.reopen"), icon="lock_open", on_click=SettlementState.ask_reopening),
            ),
            class_name="ts-actions",
        ),
        period_files(period["tz"].to(str)),
        rx.cond(
            view["count"].to(int) > 0,
            rx.el.div(
                data_table(
                    [
                        Column(
                            t("settle.payee"),
                            lambda each: text_link(tl(each["name"]), href=each["href"], class_name="ts-open"),
                        ),
                        Column(t("settle.tickets"), lambda each: number(each["tickets"]), align="end"),
                        Column(
                            t("settle.statement"),
                            lambda each: rx.cond(
                                each["state"].to(str) != "",
                                statement_chip(each["state"].to(str)),
                                rx.el.span(t("settle.no_statement"), class_name="tc-muted"),
                            ),
                        ),
                        Column(
                            t("settle.amount"),
                            lambda each: rx.el.span(
                                money(each["total_minor"].to(int), each["currency"].to(str)),
                                class_name="ts-amount",
                            ),
                            align="end",
                            nowrap=True,
                        ),
                    ],
                    _rows("rows"),
                    caption=t("settle.by_payee"),
                ),
                class_name="ts-list",
                custom_attrs={"data-of": "payees"},
            ),
            empty(t("settle.nothing"), text=t("settle.nothing.text"), icon="receipt_text"),
        ),
        _pages(),
        gap=16,
    )


def _kinds() -> rx.Component:
    addresses = _part("kinds")
    return rx.el.nav(
        *(
            text_link(
                t(f"settle.payees.{kind}"),
                href=addresses[kind].to(str),
                aria_current=rx.cond(SettlementState.view["kind"].to(str) == kind, "page", "false"),
            )
            for kind in _KINDS
        ),
        class_name="ts-kinds",
        aria_label=t("settle.kinds"),
    )


def _reopening() -> rx.Component:
    """A closed month opens again by two persons: one asks with a reason, another one approves."""
    asked = _part("reopening")
    return rx.cond(
        SettlementState.view["reopening"],
        note(
            rx.el.p(t("settle.reopening.asked", who=asked["who"].to(str))),
            rx.el.blockquote(asked["reason"].to(str)),
            row(
                rx.cond(
                    asked["may_approve"],
                    button(
                        t("settle.reopening.approve"),
                        tone="primary",
                        icon="lock_open",
                        busy=SettlementState.busy,
                        on_click=SettlementState.decide_reopening("approve"),
                    ),
                ),
                rx.cond(
                    asked["may_refuse"],
                    button(
                        rx.cond(
                            asked["is_mine"],
                            t("settle.reopening.take_back"),
                            t("settle.reopening.refuse"),
                        ),
                        icon="x",
                        on_click=SettlementState.decide_reopening("refuse"),
                    ),
                ),
            ),
            tone="warn",
            icon="lock_open",
        ),
    )


def _to_pay() -> rx.Component:
    """The confirmed statements of the period that nobody has paid, with the file for the bank."""
    waiting = _rows("to_pay")

    def payable(each: Item) -> rx.Component:
        return rx.el.li(
            text_link(tl(each["payee_name"]), href=each["href"]),
            rx.el.span(t("settle.statement_no", n=each["number"].to(int)), class_name="tc-help"),
            rx.el.span(money(each["total_minor"].to(int), each["currency"].to(str)), class_name="ts-sum"),
            rx.cond(
                SettlementState.permissions.contains("settlement.pay"),
                button(
                    t("settle.pay"),
                    icon="banknote",
                    on_click=SettlementState.ask_step(each["statement_id"].to(int), "pay"),
                ),
            ),
        )

    return rx.cond(
        waiting.length() > 0,
        card(
            rx.el.ul(rx.foreach(waiting, payable), class_name="ts-payables"),
            title=t("settle.to_pay"),
            actions=[statement_files(_part("payment_files"), ("xlsx", "csv"))],
        ),
    )


def _payee() -> rx.Component:
    view, payee = SettlementState.view, _part("payee")
    currency = view["currency"]
    return stack(
        rx.el.div(
            stat_tile(t("settle.total"), money(view["total_minor"], currency)),
            stat_tile(
                t("settle.stated"),
                money(payee["stated_minor"].to(int), currency),
            ),
            stat_tile(
                t("settle.unstated"),
                money(payee["unstated_minor"].to(int), currency),
            ),
            stat_tile(t("settle.tickets"), number(view["tickets"])),
            class_name="ts-tiles",
        ),
        split(
            stack(
                rx.cond(
                    view["count"].to(int) > 0,
                    _earned(),
                    empty(t("settle.nothing"), text=t("settle.nothing.text"), icon="receipt_text"),
                ),
                _pages(),
            ),
            stack(_statements(payee), gap=16),
        ),
        gap=16,
    )


def _earned() -> rx.Component:
    return rx.el.div(
        data_table(
            [
                Column(
                    t("settle.ticket"),
                    lambda each: text_link(
                        each["ticket_no"].to(str), href=each["href"], class_name="ts-open"
                    ),
                ),
                Column(
                    t("settle.served"), lambda each: when(each["service_at"], _part("period")["tz"].to(str))
                ),
                Column(
                    t("settle.entries"),
                    lambda each: rx.cond(
                        each["entries"].to(int) > 1,
                        badge(t("settle.corrected"), tone="warn"),
                        rx.el.span("—", class_name="tc-muted ts-none"),
                    ),
                ),
                Column(
                    t("settle.amount"),
                    lambda each: rx.el.span(
                        money(each["total_minor"].to(int), SettlementState.view["currency"]),
                        class_name="ts-amount",
                    ),
                    align="end",
                    nowrap=True,
                ),
            ],
            _rows("rows"),
            caption=t("settle.by_ticket"),
        ),
        class_name="ts-list",
    )


def _statements(payee: Item) -> rx.Component:
    def steps(each: Item) -> rx.Component:
        state, statement_id = each["state"].to(str), each["id"].to(int)
        return rx.match(
            state,
            (
                "issued",
                rx.cond(
                    payee["can_confirm"],
                    button(
                        t("settle.confirm"),
                        icon="check",
                        on_click=SettlementState.ask_step(statement_id, "confirm"),
                    ),
                ),
            ),
            (
                "confirmed",
                rx.cond(
                    payee["can_pay"],
                    button(
                        t("settle.pay"),
                        icon="banknote",
                        on_click=SettlementState.ask_step(statement_id, "pay"),
                    ),
                ),
            ),
            (
                "disputed",
                text_link(t("disputes.title"), href="/settlement/disputes"),
            ),
            rx.fragment(),
        )

    issued = payee["statements"].to(list[dict[str, Any]])
    return card(
        stack(
            rx.cond(
                issued.length() > 0,
                rx.el.ul(
                    rx.foreach(
                        issued, lambda each: statement_entry(each, steps(each), zone=_part("period")["tz"])
                    ),
                    class_name="ts-statements",
                ),
                rx.el.p(t("settle.no_statements"), class_name="tc-muted"),
            ),
            rx.cond(
                payee["can_issue"] & (payee["unstated_minor"].to(int) != 0),
                button(
                    t("settle.issue"),
                    tone="primary",
                    icon="file_check",
                    busy=SettlementState.busy,
                    on_click=SettlementState.ask_issue,
                ),
            ),
            rx.el.div(
                rx.el.p(t("settle.so_far"), class_name="tc-help"),
                statement_files(payee["files"].to(dict[str, Any]), ("xlsx", "csv")),
                class_name="ts-so-far",
            ),
            gap=14,
        ),
        title=t("settle.statements"),
    )


def _ticket() -> rx.Component:
    ticket = _part("ticket")
    disputable = SettlementState.permissions.contains("settlement.respond")
    ratings = ticket["ratings"].to(list[dict[str, Any]])
    return stack(
        row(
            button_link(
                t("settle.back"),
                href=_part("payee")["href"],
                icon="arrow_left",
                tone="quiet",
            ),
            button_link(t("settle.open_ticket"), href=ticket["href"], icon="square_arrow_out_up_right"),
        ),
        booked_entries(ticket, zone=SettlementState.view["tz"]),
        rx.cond(
            disputable,
            rx.foreach(
                ratings, lambda rating: explained_rating(rating, on_dispute=SettlementState.ask_dispute)
            ),
            rx.foreach(ratings, lambda rating: explained_rating(rating)),
        ),
        gap=16,
    )


def _dialogs() -> rx.Component:
    draft, period = SettlementState.draft, _part("period")
    return rx.fragment(
        confirm_dialog(
            open=SettlementState.asking == "issue",
            title=t(
                "settle.issue.title",
                n=draft["number"].to(int),
                who=tl(draft["payee_name"]),
            ),
            text=t(
                "settle.issue.text",
                amount=money(draft["total_minor"].to(int), draft["currency"].to(str)),
            ),
            confirm_label=t("settle.issue"),
            on_confirm=SettlementState.issue,
            on_cancel=SettlementState.stop_asking,
        ),
        confirm_dialog(
            open=SettlementState.asking == "confirm",
            title=t("settle.confirm.title", n=draft["number"].to(int), who=draft["payee_name"]),
            text=t(
                "settle.confirm.text",
                amount=money(draft["total_minor"].to(int), draft["currency"].to(str)),
            ),
            confirm_label=t("settle.confirm"),
            on_confirm=SettlementState.take_step,
            on_cancel=SettlementState.stop_asking,
        ),
        confirm_dialog(
            open=SettlementState.asking == "pay",
            title=t("settle.pay.title", n=draft["number"].to(int), who=draft["payee_name"]),
            text=t(
                "settle.pay.text",
                amount=money(draft["total_minor"].to(int), draft["currency"].to(str)),
            ),
            confirm_label=t("settle.pay"),
            on_confirm=SettlementState.take_step,
            on_cancel=SettlementState.stop_asking,
        ),
        reason_dialog(
            open=SettlementState.asking == "dispute",
            title=t("settle.dispute.title", what=draft["name"]),
            on_confirm=SettlementState.dispute,
            on_cancel=SettlementState.stop_asking,
        ),
        reason_dialog(
            open=SettlementState.asking == "reopening",
            title=t("settle.reopen.title", period=period["code"].to(str)),
            text=t("settle.reopen.text"),
            confirm_label=t("settle.reopen"),
            on_confirm=SettlementState.reopen,
            on_cancel=SettlementState.stop_asking,
        ),
        confirm_dialog(
            open=SettlementState.asking == "closing",
            title=t("settle.closing.title", period=period["code"].to(str)),
            text=t("settle.closing.text"),
            confirm_label=t("settle.begin_closing"),
            on_confirm=SettlementState.close_period,
            on_cancel=SettlementState.stop_asking,
        ),
        confirm_dialog(
            open=SettlementState.asking == "closed",
            title=t("settle.closed.title", period=period["code"].to(str)),
            text=t("settle.closed.text"),
            confirm_label=t("settle.close"),
            danger=True,
            on_confirm=SettlementState.close_period,
            on_cancel=SettlementState.stop_asking,
        ),
    )


def _waiting() -> rx.Component:
    tile = rx.el.div(bone(width="50%"), bone(width="70%", height="30px"), class_name="tc-tile")
    lines = [bone(width=width, height="18px") for width in ("92%", "84%", "88%", "76%", "90%", "81%")]
    return stack(
        rx.el.span(t("load.busy"), class_name="tc-sr", role="status"),
        bone(width="180px", height="28px"),
        rx.el.div(*[tile] * 3, class_name="ts-tiles"),
        card(stack(*lines, gap=22)),
        gap=16,
    )
