"""The inbox: what came in by which channel, and what became of it."""

from typing import Any

import reflex as rx

from ticket_console.components.allowed import only_for
from ticket_console.components.blocks import (
    Column,
    badge,
    button_link,
    data_table,
    empty,
    facts,
    icon_button,
    loaded,
    note,
    page_header,
    pagination,
    stack,
    text_link,
)
from ticket_console.components.overlay import dialog
from ticket_console.components.shell import link
from ticket_console.components.text import ago, number, t, t_with, when
from ticket_console.pages.frame import console_page
from ticket_console.state.intake import IntakeState

Item = rx.vars.ObjectVar[dict[str, Any]]

_ICONS = {
    "all": "inbox",
    "api": "plug",
    "boston311": "building_2",
    "event": "calendar_days",
    "import": "file_spreadsheet",
    "phone": "phone",
    "web_form": "clipboard_pen",
    "website": "globe",
    "wechat": "message_circle",
}


@console_page("/intake", title="nav.intake", active="intake", on_load=[IntakeState.load, IntakeState.watch])
def intake() -> rx.Component:
    return only_for(
        IntakeState.permissions,
        "intake.view",
        page_header(
            t("inbox.title"),
            rx.cond(
                IntakeState.permissions.contains("intake.import"),
                button_link(t("imports.title"), href="/intake/import", icon="file_spreadsheet"),
            ),
            hint=t("inbox.hint"),
        ),
        loaded(
            IntakeState.status,
            stack(
                _channels(),
                _balance(),
                rx.cond(IntakeState.rows.length() > 0, _list(), _nothing()),
                gap=14,
            ),
            on_retry=IntakeState.load,
        ),
        _message(),
    )


def _icon(source: Any) -> rx.Component:
    others = rx.icon("circle_help", aria_hidden="true")
    return rx.match(
        source, *((name, rx.icon(icon, aria_hidden="true")) for name, icon in _ICONS.items()), others
    )


def _name(item: Item) -> rx.Var[str]:
    return t(rx.Var.create("intake.source.") + item["source"].to(str))


def _channels() -> rx.Component:
    def tab(item: Item) -> rx.Component:
        name = rx.match(
            item["source"].to(str),
            ("all", t("inbox.all_channels")),
            rx.cond(item["name"].to(str) != "", item["name"].to(str), _name(item)),
        )
        return link(
            _icon(item["source"].to(str)),
            rx.el.span(name),
            rx.el.span(number(item["count"].to(int)), class_name="tc-count"),
            href=item["href"].to(str),
            custom_attrs={
                "aria-current": rx.match(
                    item["channel"].to(str) == IntakeState.channel, (True, "page"), rx.Var("undefined")
                )
            },
        )

    return rx.el.nav(
        rx.foreach(IntakeState.channels, tab),
        class_name="tc-tabs tc-inbox-channels",
        aria_label=t("inbox.channels"),
    )


def _balance() -> rx.Component:
    """All that came in = what became of it; each figure is at once the filter for it."""

    def part(item: Item) -> rx.Component:
        state = item["state"].to(str)
        sign = rx.match(state, ("", ""), ("ticket", "="), "+")
        name = rx.match(state, ("", t("inbox.all")), t(rx.Var.create("intake.state.") + state))
        return rx.fragment(
            rx.cond(state != "", rx.el.span(sign, class_name="tc-sign-of", aria_hidden="true")),
            link(
                rx.el.span(number(item["count"].to(int)), class_name="tc-balance-count"),
                rx.el.span(name, class_name="tc-balance-name"),
                href=item["href"].to(str),
                class_name="tc-balance-part",
                custom_attrs={
                    "data-state": state,
                    "aria-current": rx.match(state == IntakeState.state, (True, "page"), rx.Var("undefined")),
                },
            ),
        )

    return rx.el.nav(
        rx.foreach(IntakeState.counts, part), class_name="tc-balance", aria_label=t("inbox.balance")
    )


def _state_badge(item: Item) -> rx.Component:
    state = item["state"].to(str)
    tone = rx.match(
        state, ("ticket", "ok"), ("rejected", "danger"), ("duplicate", "violet"), ("new", "accent"), "plain"
    )
    return badge(t(rx.Var.create("intake.state.") + state), tone=tone)


def _ticket_link(item: Item) -> rx.Component:
    return rx.cond(
        item["ticket_no"],
        text_link(
            item["ticket_no"].to(str),
            href="/tickets/" + item["ticket_id"].to_string(),
            class_name="tc-no",
            on_click=rx.stop_propagation,
        ),
        rx.el.span("—", class_name="tc-muted"),
    )


def _list() -> rx.Component:
    return stack(
        data_table(
            [
                Column(t("inbox.column.at"), lambda row: ago(row["received_at"]), nowrap=True),
                Column(t("inbox.column.channel"), _channel_cell, nowrap=True),
                Column(t("inbox.column.message"), _message_cell, width="38%"),
                Column(t("inbox.column.state"), _outcome_cell, width="30%"),
                Column(t("inbox.column.ticket"), _ticket_link, nowrap=True),
            ],
            IntakeState.rows,
            caption=t("inbox.title"),
            on_row_click=lambda row: rx.redirect(row["href"].to(str)),
        ),
        pagination(
            page=IntakeState.page,
            pages=IntakeState.pages,
            total=IntakeState.total,
            on_previous=IntakeState.newer,
            on_next=IntakeState.older,
        ),
    )


def _channel_cell(row: Item) -> rx.Component:
    return rx.el.span(
        _icon(row["source"].to(str)),
        rx.match(
            (row["source"].to(str) == "other") & (row["channel"].to(str) != "other"),
            (True, row["channel"].to(str)),
            _name(row),
        ),
        class_name="tc-inbox-channel",
    )


def _message_cell(row: Item) -> rx.Component:
    return rx.el.div(
        link(
            rx.cond(row["headline"].to(str) != "", row["headline"].to(str), t("inbox.wordless")),
            href=row["href"].to(str),
            class_name="tc-inbox-words",
        ),
        rx.cond(
            row["sender"].to(str) != "",
            rx.el.span(row["sender"].to(str), class_name="tc-help"),
        ),
        class_name="tc-inbox-message",
    )


def _outcome_cell(row: Item) -> rx.Component:
    return rx.el.div(
        _state_badge(row),
        rx.cond(
            row["problems"].to(list[dict[str, Any]]).length() > 0,
            rx.foreach(
                row["problems"].to(list[dict[str, Any]])[:2],
                lambda each: rx.el.span(
                    each["path"].to(str),
                    rx.match(each["path"].to(str), ("", ""), ": "),
                    t_with(each["code"].to(str), each["params"]),
                    class_name="tc-help",
                ),
            ),
            rx.cond(
                row["reason"],
                rx.el.span(t_with(row["reason"].to(str), row["reason_params"]), class_name="tc-help"),
            ),
        ),
        class_name="tc-inbox-outcome",
    )


def _nothing() -> rx.Component:
    is_filtered = (IntakeState.state != "") | (IntakeState.channel != "")
    return rx.cond(
        is_filtered,
        empty(t("inbox.none_here"), button_link(t("inbox.show_all"), href="/intake"), icon="inbox"),
        empty(t("inbox.none"), text=t("inbox.none.text"), icon="inbox"),
    )


def _message() -> rx.Component:
    one = IntakeState.message
    entry = one["entry"].to(dict[str, Any])
    return rx.el.div(
        dialog(
            rx.cond(IntakeState.message.contains("entry"), _message_body(one, entry)),
            open=IntakeState.message.contains("entry"),
            title=t("inbox.message"),
            on_close=IntakeState.close,
            wide=True,
        ),
        class_name="tc-drawer",
    )


def _message_body(one: Item, entry: Item) -> rx.Component:
    return stack(
        rx.el.div(
            rx.el.strong(
                rx.cond(entry["headline"].to(str) != "", entry["headline"].to(str), t("inbox.wordless")),
                class_name="tc-inbox-head",
            ),
            _state_badge(entry),
            rx.el.div(class_name="tc-fill"),
            icon_button("x", label=t("common.close"), on_click=IntakeState.close),
            class_name="tc-row tc-drawer-head",
        ),
        rx.cond(
            entry["reason"],
            note(
                t_with(entry["reason"].to(str), entry["reason_params"]),
                tone=rx.match(entry["state"].to(str), ("rejected", "danger"), "plain"),
            ),
        ),
        rx.cond(
            entry["problems"].to(list[dict[str, Any]]).length() > 0,
            rx.el.ul(
                rx.foreach(entry["problems"].to(list[dict[str, Any]]), _problem),
                class_name="tc-problems",
                aria_label=t("inbox.problems"),
            ),
        ),
        facts(
            (t("inbox.column.ticket"), _ticket_link(entry)),
            (t("inbox.column.channel"), _channel_cell(entry)),
            (t("inbox.received_at"), when(entry["received_at"], form="full")),
            (
                t("inbox.settled_at"),
                rx.cond(one["settled_at"], when(one["settled_at"], form="full"), t("intake.state.new")),
            ),
            (
                t("inbox.external_id"),
                rx.cond(
                    one["external_id"], rx.el.span(one["external_id"].to(str), class_name="tc-mono"), "—"
                ),
            ),
            (t("inbox.received_by"), rx.el.span(one["received_by"].to(str), class_name="tc-mono")),
            (t("inbox.attempts"), number(one["attempts"].to(int))),
        ),
        rx.el.h3(t("inbox.payload"), class_name="tc-strong"),
        rx.el.pre(
            one["text"].to(str),
            class_name="tc-payload",
            tab_index=0,
            aria_label=t("inbox.payload"),
            role="region",
        ),
        rx.cond(
            one["is_cut"],
            rx.el.span(t("inbox.payload_cut", n=one["length"].to(int)), class_name="tc-help"),
        ),
        gap=14,
    )


def _problem(item: Item) -> rx.Component:
    return rx.el.li(
        rx.cond(item["path"].to(str) != "", rx.el.code(item["path"].to(str), class_name="tc-mono")),
        rx.el.span(t_with(item["code"].to(str), item["params"])),
    )
