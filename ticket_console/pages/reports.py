"""Money: what work cost and brought, what moved it since the time before, and the entries behind it."""

from functools import partial
from typing import Any

import reflex as rx

from ticket_console.components.address import address_chip, address_days, address_pages, address_select
from ticket_console.components.blocks import (
    Column,
    badge,
    bone,
    button_link,
    card,
    data_table,
    empty,
    grid,
    loaded,
    page_header,
    row,
    stack,
    stat_tile,
    text_link,
)
from ticket_console.components.chart import bar_chart
from ticket_console.components.text import money, number, t, tl
from ticket_console.pages.frame import console_page
from ticket_console.state.reports import ReportLinesState, ReportsState

Item = rx.vars.ObjectVar[dict[str, Any]]

_CHART = 280
_NARROWING = ("line", "region", "dimension", "team", "technician", "vendor")
_MEASURES = ("cost", "charge", "margin", "count", "average_cost", "average_charge", "average_margin")


@console_page(
    "/reports",
    title="reports.title",
    active="reports",
    permission="settlement.view",
    on_load=[ReportsState.load],
)
def reports() -> rx.Component:
    return stack(
        page_header(t("reports.title"), *_files(ReportsState), hint=t("reports.hint")),
        loaded(
            ReportsState.status,
            stack(
                _filters(ReportsState),
                rx.cond(
                    ReportsState.view["is_empty"],
                    empty(t("reports.none"), text=t("reports.none.text"), icon="chart_column"),
                    stack(_tiles(), _change(), _breakdown(), _trend_and_spread(), gap=16),
                ),
                gap=16,
            ),
            waiting=_waiting(),
            on_retry=ReportsState.load,
        ),
        gap=16,
    )


@console_page(
    "/reports/lines",
    title="reports.lines.title",
    active="reports",
    permission="settlement.view",
    on_load=[ReportLinesState.load],
)
def report_lines() -> rx.Component:
    view = ReportLinesState.view
    return stack(
        page_header(
            t("reports.lines.title"),
            *_files(ReportLinesState),
            button_link(t("reports.lines.up"), href=view["up"].to(str), icon="chart_column"),
            hint=t("reports.lines.hint"),
        ),
        loaded(
            ReportLinesState.status,
            stack(
                _filters(ReportLinesState),
                _between(),
                _sums(),
                rx.cond(
                    view["count"].to(int) > 0,
                    _lines(),
                    empty(t("reports.none"), text=t("reports.none.text"), icon="receipt_text"),
                ),
                gap=16,
            ),
            on_retry=ReportLinesState.load,
        ),
        gap=16,
    )


def _files(state: Any) -> tuple[rx.Component, ...]:
    return (
        rx.foreach(
            state.view["files"].to(list[dict[str, Any]]),
            lambda each: button_link(
                tl(each["label"]), href=each["href"].to(str), icon="download", document=True
            ),
        ),
    )


def _filters(state: Any) -> rx.Component:
    view = state.view
    choices = view["choices"].to(dict[str, list[dict[str, Any]]])
    return rx.el.div(
        address_select(
            "period",
            label=t("reports.period"),
            options=view["periods"].to(list[dict[str, Any]]),
            value=view["period"],
            all=t("reports.by_days"),
            drops=["since", "until", "of", "low", "high"],
        ),
        address_days(
            since=view["since"].to(str),
            until=view["until"].to(str),
            first=t("reports.since"),
            last=t("reports.until"),
            drops=["period", "of", "low", "high"],
        ),
        *(
            address_select(
                name,
                label=t(f"reports.by.{name}"),
                all=t(f"reports.every.{name}"),
                options=choices[name],
                drops=["alone", "of", "low", "high"],
            )
            for name in _NARROWING
        ),
        class_name="rp-filters",
        role="group",
        aria_label=t("reports.filters"),
    )


def _part(name: str) -> Item:
    return ReportsState.view[name].to(dict[str, Any])


def _rows(name: str) -> rx.Var[list[dict[str, Any]]]:
    return ReportsState.view[name].to(list[dict[str, Any]])


def _currency() -> rx.Var[str]:
    return ReportsState.view["currency"].to(str)


def _amount(minor: Any, currency: rx.Var[str] | None = None) -> rx.Component:
    """An amount, or a dash where there is none; one below zero is told apart by more than its colour."""
    return rx.cond(
        minor.is_none(),
        rx.el.span("—", class_name="tc-muted"),
        rx.el.span(
            money(minor, _currency() if currency is None else currency),
            class_name="rp-amount",
            custom_attrs={"data-below": rx.cond(minor.to(int) < 0, "true", "false")},
        ),
    )


def _tiles() -> rx.Component:
    return rx.el.div(rx.foreach(_rows("tiles"), _tile), class_name="rp-tiles")


def _tile(tile: Item) -> rx.Component:
    return stat_tile(
        t(rx.Var.create("reports.measure.") + tile["measure"].to(str)),
        rx.cond(
            tile["value"].is_none(),
            "—",
            rx.cond(tile["is_count"], number(tile["value"]), money(tile["value"], _currency())),
        ),
        href=tile["href"].to(str),
        hint=rx.cond(
            tile["delta"],
            rx.el.span(
                badge(tl(tile["delta"]), tone=tile["tone"].to(str)),
                " ",
                rx.cond(
                    tile["days"],
                    t("reports.change.same_days", period=tile["before"].to(str), n=tile["days"].to(int)),
                    t("reports.against", before=tile["before"].to(str)),
                ),
                class_name="rp-delta",
            ),
            t("reports.nothing_before"),
        ),
    )


def _change() -> rx.Component:
    change = _part("change")
    return rx.cond(
        change.contains("sentence"),
        card(
            rx.el.p(tl(change["sentence"]), class_name="rp-sentence"),
            rx.el.div(
                bar_chart(
                    change["bars"].to(list[dict[str, Any]]),
                    [
                        ("volume", t("reports.change.volume"), "accent"),
                        ("rate", t("reports.change.rate"), "violet"),
                    ],
                    label=t("reports.change.title"),
                    empty=t("reports.change.nothing"),
                    across=True,
                    currency=_currency(),
                    height=_CHART,
                ),
                data_table(
                    [
                        Column(t("reports.part"), lambda each: _led(each["name"], each["href"]), nowrap=True),
                        *(
                            Column(title, partial(_moved, name), align="end", nowrap=True)
                            for name, title in (
                                ("before", t("reports.before")),
                                ("after", t("reports.now")),
                                ("volume", t("reports.change.volume")),
                                ("rate", t("reports.change.rate")),
                                ("delta", t("reports.change.delta")),
                            )
                        ),
                    ],
                    change["table"].to(list[dict[str, Any]]),
                    caption=t("reports.change.title"),
                ),
                class_name="rp-change",
            ),
            title=t("reports.change.title"),
            actions=(_by(),),
        ),
    )


def _moved(name: str, each: Item) -> rx.Component:
    amount = _amount(each[name])
    return rx.cond(each["is_total"], rx.el.strong(amount), amount)


def _led(name: Any, href: Any) -> rx.Component:
    return rx.cond(href, text_link(tl(name), href=href.to(str)), rx.el.strong(tl(name)))


def _by() -> rx.Component:
    return address_select(
        "by",
        label=t("reports.by"),
        options=[{"value": name, "label": t(f"reports.by.{name}")} for name in _NARROWING],
        value=ReportsState.view["by"],
    )


def _breakdown() -> rx.Component:
    measure = ReportsState.view["measure"].to(str)
    by = ReportsState.view["by"].to(str)
    title = t(
        "reports.breakdown",
        measure=t(rx.Var.create("reports.measure.") + measure),
        by=t(rx.Var.create("reports.by.") + by),
    )
    series = [("value", t(rx.Var.create("reports.measure.") + measure), "accent")]
    chart = {"label": title, "empty": t("reports.none"), "across": True, "height": _CHART + 80}
    return card(
        stack(
            rx.cond(
                measure == "count",
                bar_chart(_rows("bars"), series, **chart),
                bar_chart(_rows("bars"), series, currency=_currency(), **chart),
            ),
            rx.cond(
                ReportsState.view["left_out"].to(int) > 0,
                rx.el.p(t("reports.left_out", n=ReportsState.view["left_out"].to(int)), class_name="tc-help"),
            ),
            data_table(
                [
                    Column(
                        t("reports.part"),
                        lambda each: text_link(tl(each["name"]), href=each["deeper"].to(str)),
                    ),
                    *(
                        Column(
                            t(f"reports.measure.{name}"),
                            partial(_measured, name),
                            align="end",
                            nowrap=True,
                        )
                        for name in ("cost", "charge", "margin", "average_cost", "average_margin")
                    ),
                    Column(t("reports.measure.count"), lambda each: number(each["count"]), align="end"),
                    Column(
                        t("reports.lines.title"),
                        lambda each: text_link(t("reports.lines.open"), href=each["href"].to(str)),
                        align="end",
                        nowrap=True,
                    ),
                ],
                _rows("groups"),
                caption=title,
            ),
            gap=12,
        ),
        title=title,
        actions=(
            address_select(
                "measure",
                label=t("reports.measure"),
                options=[{"value": name, "label": t(f"reports.measure.{name}")} for name in _MEASURES],
                value=measure,
            ),
            _by(),
        ),
    )


def _measured(name: str, each: Item) -> rx.Component:
    return _amount(each[name])


def _trend_and_spread() -> rx.Component:
    steps = ("day", "week", "month")
    spread_title = t(
        "reports.spread",
        measure=t(rx.Var.create("reports.measure.") + ReportsState.view["spread_of"].to(str)),
    )
    return grid(
        card(
            bar_chart(
                _rows("trend"),
                [
                    ("cost", t("reports.measure.cost"), "accent"),
                    ("charge", t("reports.measure.charge"), "teal"),
                ],
                label=t("reports.trend"),
                empty=t("reports.none"),
                currency=_currency(),
                height=_CHART,
            ),
            title=t("reports.trend"),
            actions=(
                address_select(
                    "step",
                    label=t("reports.step"),
                    options=[{"value": step, "label": t(f"reports.step.{step}")} for step in steps],
                    value=ReportsState.view["step"],
                ),
            ),
        ),
        card(
            stack(
                bar_chart(
                    _rows("bins"),
                    [("tickets", t("reports.measure.count"), "accent")],
                    label=spread_title,
                    empty=t("reports.none"),
                    height=_CHART,
                ),
                rx.el.p(
                    t("reports.median", amount=money(ReportsState.view["median"], _currency())),
                    class_name="tc-help",
                ),
            ),
            title=spread_title,
        ),
        least=440,
        gap=16,
    )


def _between() -> rx.Component:
    between = ReportLinesState.view["between"].to(dict[str, Any])
    return rx.cond(
        between.contains("range"),
        row(
            address_chip(
                "of",
                label=t(
                    "reports.tickets_between",
                    measure=t(rx.Var.create("reports.measure.") + between["measure"].to(str)),
                    range=tl(between["range"]),
                ),
                drops=["low", "high"],
            )
        ),
    )


def _sums() -> rx.Component:
    figures = ReportLinesState.view["figures"].to(dict[str, Any])
    currency = ReportLinesState.view["currency"].to(str)
    return rx.el.div(
        *(
            stat_tile(t(f"reports.measure.{name}"), money(figures[name], currency))
            for name in ("cost", "charge", "margin")
        ),
        stat_tile(t("reports.measure.count"), number(figures["count"])),
        stat_tile(t("reports.lines.count"), number(ReportLinesState.view["count"])),
        class_name="rp-tiles",
        custom_attrs={"data-tiles": "5"},
    )


def _lines() -> rx.Component:
    view = ReportLinesState.view
    currency = view["currency"].to(str)
    return stack(
        data_table(
            [
                Column(t("reports.column.service_on"), lambda each: _day(each["service_on"]), nowrap=True),
                Column(t("reports.column.ticket_no"), _ticket, nowrap=True),
                Column(
                    t("reports.column.entry"),
                    lambda each: rx.el.span(
                        t(rx.Var.create("settlement.entry.") + each["kind"].to(str)),
                        " ",
                        rx.el.span(t("reports.lines.journal", n=each["journal"]), class_name="tc-muted"),
                    ),
                    nowrap=True,
                ),
                Column(t("reports.column.period"), lambda each: each["period"].to(str), nowrap=True),
                Column(t("reports.column.region"), lambda each: tl(each["region"])),
                Column(t("reports.column.technician"), lambda each: each["technician"].to(str)),
                Column(t("reports.column.dimension"), lambda each: tl(each["dimension"])),
                Column(t("reports.column.rule"), lambda each: tl(each["rule"])),
                Column(t("reports.column.side"), _side),
                Column(
                    t("reports.column.amount"),
                    lambda each: _amount(each["amount"], currency),
                    align="end",
                    nowrap=True,
                ),
            ],
            view["rows"].to(list[dict[str, Any]]),
            caption=t("reports.lines.title"),
        ),
        address_pages(page=view["page"], pages=view["pages"], total=view["count"]),
    )


def _day(day: Any) -> rx.Component:
    return rx.cond(day, rx.el.span(day.to(str), class_name="rp-day"), rx.el.span("—", class_name="tc-muted"))


def _ticket(each: Item) -> rx.Component:
    return rx.cond(
        each["href"],
        text_link(each["ticket_no"].to(str), href=each["href"].to(str)),
        rx.el.span(each["ticket_no"].to(str)),
    )


def _side(each: Item) -> rx.Component:
    side = each["side"].to(str)
    return badge(
        t(rx.Var.create("reports.measure.") + side), tone=rx.cond(side == "charge", "teal", "accent")
    )


def _waiting() -> rx.Component:
    tile = rx.el.div(bone(width="60%"), bone(width="40%", height="30px"), class_name="tc-tile")
    chart = card(bone(height=f"{_CHART + 56}px"), title=t("load.busy"))
    return stack(
        rx.el.span(t("load.busy"), class_name="tc-sr", role="status"),
        rx.el.div(*[tile] * 6, class_name="rp-tiles"),
        chart,
        chart,
        grid(chart, chart, least=440, gap=16),
        gap=16,
    )
