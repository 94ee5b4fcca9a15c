"""What technicians earned: the period, the technician, the ticket, and how every line was computed."""

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
    facts,
    loaded,
    note,
    page_header,
    row,
    split,
    stack,
    stat_tile,
    text_link,
)
from ticket_console.components.overlay import confirm_dialog
from ticket_console.components.text import money, number, t, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.state.settlement import SettlementState

Item = rx.vars.ObjectVar[dict[str, Any]]

_STATEMENT_TONES = (("draft", "plain"), ("issued", "accent"), ("confirmed", "teal"), ("paid", "ok"))
_PERIOD_TONES = (("open", "accent"), ("closing", "warn"), ("closed", "ok"))


@console_page("/settlement", title="settle.title", active="settlement", on_load=[SettlementState.load])
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
            rx.cond(SettlementState.view["is_mine"], t("settle.mine"), t("settle.title")),
            *_filters(),
            _to_reconciling(),
            hint=_where(),
        ),
        rx.cond(
            SettlementState.view["ticket"],
            _ticket(),
            rx.cond(SettlementState.view["technician"], _technician(), _totals()),
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
        rx.cond(
            SettlementState.view["is_mine"],
            rx.fragment(),
            address_select(
                "region",
                label=t("settle.region"),
                all=t("settle.every_region"),
                options=SettlementState.view["regions"],
            ),
        ),
    )


def _to_reconciling() -> rx.Component:
    return rx.cond(
        SettlementState.view["is_mine"],
        rx.fragment(),
        button_link(t("reconcile.link"), href="/settlement/reconcile", icon="scale"),
    )


def _where() -> rx.Component:
    """The way down to here, each step a way back."""
    period, technician, ticket = _part("period"), _part("technician"), _part("ticket")
    step = rx.icon("chevron_right", aria_hidden="true")
    return rx.el.nav(
        rx.cond(
            SettlementState.view["is_mine"] | (SettlementState.view["technician"].is_none()),
            rx.el.span(period["code"].to(str)),
            text_link(period["code"].to(str), href=SettlementState.view["up"]),
        ),
        _chip("settlement.period.", period["state"].to(str), _PERIOD_TONES),
        rx.cond(
            SettlementState.view["technician"],
            rx.cond(
                SettlementState.view["ticket"],
                rx.fragment(step, text_link(technician["name"].to(str), href=technician["href"])),
                rx.fragment(step, rx.el.span(technician["name"].to(str))),
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


def _files(files: Item) -> rx.Component:
    def file(form: str) -> rx.Component:
        return button_link(
            form.upper(),
            href=files[form],
            icon="download",
            document=True,
            download=True,
            aria_label=t("settle.download", form=form.upper()),
        )

    return row(file("xlsx"), file("csv"))


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
        rx.el.div(
            stat_tile(t("settle.total"), total),
            stat_tile(t("settle.technicians"), number(view["count"])),
            stat_tile(t("settle.tickets"), number(view["tickets"])),
            class_name="ts-tiles",
        ),
        rx.el.div(
            _files(_part("totals_files")),
            rx.cond(
                period["can_close"],
                button(
                    rx.cond(period["state"].to(str) == "open", t("settle.begin_closing"), t("settle.close")),
                    icon="lock",
                    busy=SettlementState.busy,
                    on_click=SettlementState.ask_close,
                ),
            ),
            class_name="ts-actions",
        ),
        rx.cond(
            view["count"].to(int) > 0,
            rx.el.div(
                data_table(
                    [
                        Column(
                            t("settle.technician"),
                            lambda each: text_link(
                                each["name"].to(str), href=each["href"], class_name="ts-open"
                            ),
                        ),
                        Column(t("settle.tickets"), lambda each: number(each["tickets"]), align="end"),
                        Column(
                            t("settle.statement"),
                            lambda each: rx.cond(
                                each["state"].to(str) != "",
                                _chip("settlement.statement.", each["state"].to(str), _STATEMENT_TONES),
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
                    caption=t("settle.by_technician"),
                ),
                class_name="ts-list",
                custom_attrs={"data-of": "technicians"},
            ),
            empty(t("settle.nothing"), text=t("settle.nothing.text"), icon="receipt_text"),
        ),
        _pages(),
        gap=16,
    )


def _technician() -> rx.Component:
    view, technician = SettlementState.view, _part("technician")
    currency = view["currency"]
    return stack(
        rx.el.div(
            stat_tile(t("settle.total"), money(view["total_minor"], currency)),
            stat_tile(
                t("settle.stated"),
                money(technician["stated_minor"].to(int), currency),
            ),
            stat_tile(
                t("settle.unstated"),
                money(technician["unstated_minor"].to(int), currency),
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
            stack(_statements(technician), gap=16),
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


def _statements(technician: Item) -> rx.Component:
    def statement(each: Item) -> rx.Component:
        return rx.el.li(
            row(
                rx.el.strong(t("settle.statement_no", n=each["number"].to(int))),
                _chip("settlement.statement.", each["state"].to(str), _STATEMENT_TONES),
                rx.el.span(money(each["total_minor"].to(int), each["currency"].to(str)), class_name="ts-sum"),
            ),
            rx.cond(
                each["issued_at"],
                rx.el.p(
                    t("settle.issued_at"),
                    " ",
                    when(each["issued_at"], _part("period")["tz"].to(str)),
                    class_name="tc-help",
                ),
                rx.el.p(t("settle.draft.text"), class_name="tc-help"),
            ),
            _files(each["files"].to(dict[str, Any])),
        )

    issued = technician["statements"].to(list[dict[str, Any]])
    return card(
        stack(
            rx.cond(
                issued.length() > 0,
                rx.el.ul(rx.foreach(issued, statement), class_name="ts-statements"),
                rx.el.p(t("settle.no_statements"), class_name="tc-muted"),
            ),
            rx.cond(
                technician["can_issue"] & (technician["unstated_minor"].to(int) != 0),
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
                _files(technician["files"].to(dict[str, Any])),
                class_name="ts-so-far",
            ),
            gap=14,
        ),
        title=t("settle.statements"),
    )


def _ticket() -> rx.Component:
    ticket = _part("ticket")
    return stack(
        row(
            button_link(
                t("settle.back"),
                href=_part("technician")["href"],
                icon="arrow_left",
                tone="quiet",
            ),
            button_link(t("settle.open_ticket"), href=ticket["href"], icon="square_arrow_out_up_right"),
        ),
        rx.foreach(ticket["ratings"].to(list[dict[str, Any]]), _rating),
        gap=16,
    )


def _rating(rating: Item) -> rx.Component:
    currency = rating["currency"].to(str)
    return card(
        rx.cond(
            rating["reversed_at"],
            note(
                t("settle.reversed"),
                " ",
                when(rating["reversed_at"]),
                rx.cond(
                    rating["reversed_because"], rx.el.p(rating["reversed_because"].to(str)), rx.fragment()
                ),
                tone="warn",
                icon="undo_2",
            ),
        ),
        rx.el.div(
            facts(
                (
                    t("settle.rules"),
                    rx.fragment(
                        tl(rating["rule_set_name"]),
                        " ",
                        badge(t("settle.version", n=rating["rule_version"].to(int))),
                        " ",
                        rx.el.span(
                            t("settle.rules_from", at=rating["rules_effective_from"]), class_name="tc-help"
                        ),
                    ),
                ),
                (t("settle.served"), rating["service_on"].to(str)),
                (
                    t("settle.period"),
                    rx.fragment(
                        rating["period_code"].to(str),
                        rx.cond(
                            rating["origin_period_code"],
                            rx.el.span(
                                " ",
                                t("settle.late", period=rating["origin_period_code"].to(str)),
                                class_name="tc-help",
                            ),
                        ),
                    ),
                ),
                (t("settle.entry"), number(rating["journal_seq"].to(int))),
            ),
            class_name="ts-facts",
        ),
        rx.el.p(t("settle.how"), class_name="ts-how"),
        rx.el.ol(
            rx.foreach(rating["lines"].to(list[dict[str, Any]]), lambda each: _line(each, currency)),
            class_name="ts-lines",
        ),
        rx.el.div(
            rx.el.span(t("settle.sum")),
            rx.el.strong(money(rating["total_minor"].to(int), currency)),
            class_name="ts-total",
        ),
        rx.el.details(
            rx.el.summary(t("settle.facts")),
            _fact_list(rating["facts"].to(list[dict[str, Any]])),
            class_name="ts-all-facts",
        ),
        title=t("settle.rating", no=rating["ticket_no"].to(str)),
        actions=[
            rx.cond(
                rating["is_live"],
                badge(t("settle.counts"), tone="ok"),
                badge(t("settle.taken_back"), tone="warn"),
            )
        ],
    )


def _line(line: Item, currency: rx.Var[str]) -> rx.Component:
    """One amount: the rule in words, the formula with its numbers, and what the numbers were taken from."""
    basis = line["builds_on"].to(list[dict[str, str]])
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.icon("chevron_right", aria_hidden="true"),
                rx.el.span(
                    rx.el.strong(tl(line["dimension_name"])),
                    rx.el.span(tl(line["rule_name"]), class_name="tc-help"),
                    class_name="ts-name",
                ),
                rx.el.code(line["formula"].to(str), class_name="ts-formula"),
                rx.el.span(money(line["amount_minor"].to(int), currency), class_name="ts-amount"),
            ),
            rx.el.div(
                rx.el.p(tl(line["sentence"]), class_name="ts-sentence"),
                rx.cond(
                    basis.length() > 0,
                    row(
                        rx.el.span(t("settle.builds_on"), class_name="tc-help"),
                        rx.foreach(basis, lambda each: badge(tl(each))),
                    ),
                ),
                _fact_list(line["facts"].to(list[dict[str, Any]])),
                rx.el.p(t("settle.rule_code", code=line["rule_code"].to(str)), class_name="tc-help"),
                class_name="ts-why",
            ),
        )
    )


def _fact_list(listed: rx.Var[list[dict[str, Any]]]) -> rx.Component:
    return rx.el.dl(
        rx.foreach(
            listed, lambda each: rx.fragment(rx.el.dt(tl(each["label"])), rx.el.dd(tl(each["value"])))
        ),
        class_name="tc-facts",
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
