"""Disputes: what waits for an answer beside what it is about, and the decision."""

from typing import Any

import reflex as rx

from ticket_console.components.allowed import only_for
from ticket_console.components.blocks import (
    badge,
    button,
    button_link,
    card,
    empty,
    field,
    loaded,
    note,
    page_header,
    row,
    stack,
    text_area,
    text_input,
    text_link,
)
from ticket_console.components.explained import DISPUTE_TONES, dispute_told, explained_rating
from ticket_console.components.shell import link
from ticket_console.components.text import ago, money, t, tl
from ticket_console.pages.frame import console_page
from ticket_console.state.dispute_inbox import DisputesState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/settlement/disputes", title="disputes.title", active="settlement", on_load=[DisputesState.load]
)
def disputes() -> rx.Component:
    shown = DisputesState.shown
    return only_for(
        DisputesState.permissions,
        "settlement.view",
        stack(
            page_header(
                t("disputes.title"),
                button_link(t("settle.title"), href="/settlement", icon="receipt_text"),
                hint=t("disputes.hint"),
            ),
            rx.match(
                DisputesState.status,
                (
                    "missing",
                    empty(
                        t("disputes.missing"),
                        button_link(t("disputes.title"), href="/settlement/disputes"),
                        icon="search_x",
                    ),
                ),
                loaded(
                    DisputesState.status,
                    rx.cond(
                        DisputesState.rows.length() > 0,
                        rx.el.div(
                            rx.el.nav(
                                rx.el.ul(rx.foreach(DisputesState.rows, _row)), aria_label=t("disputes.title")
                            ),
                            rx.cond(
                                shown.contains("dispute"),
                                _shown(),
                                rx.el.p(t("disputes.choose"), class_name="tc-muted ds-choose"),
                            ),
                            class_name="ds-inbox",
                            custom_attrs={"data-open": rx.cond(shown.contains("dispute"), "true", "false")},
                        ),
                        empty(t("disputes.none"), text=t("disputes.none.text"), icon="flag"),
                    ),
                    on_retry=DisputesState.load,
                ),
            ),
            gap=16,
        ),
    )


def _row(each: Item) -> rx.Component:
    state = each["state"].to(str)
    shown = DisputesState.shown["dispute"].to(dict[str, Any])
    return rx.el.li(
        link(
            rx.el.span(
                rx.el.strong(tl(each["who"])),
                badge(
                    t(rx.Var.create("dispute.state.") + state), tone=rx.match(state, *DISPUTE_TONES, "plain")
                ),
                class_name="ds-top",
            ),
            rx.el.span(each["text"].to(str), class_name="ds-text"),
            rx.el.span(
                each["ticket_no"].to(str),
                " · ",
                money(each["total_minor"].to(int), DisputesState.currency),
                " · ",
                ago(each["opened_at"]),
                class_name="tc-help",
            ),
            href=each["href"].to(str),
            aria_current=rx.cond(
                DisputesState.shown.contains("dispute") & (shown["id"] == each["id"]), "true", "false"
            ),
            custom_attrs={"data-waits": each["is_undecided"].to_string()},
        )
    )


def _shown() -> rx.Component:
    shown = DisputesState.shown
    return stack(
        card(
            dispute_told(shown["dispute"].to(dict[str, Any])),
            row(
                text_link(shown["ticket_no"].to(str), href=shown["ticket_href"].to(str)),
                rx.el.span(tl(shown["payee"]), class_name="tc-muted"),
            ),
            rx.cond(shown["can_decide"], _decision()),
            title=t("disputes.one"),
        ),
        rx.foreach(shown["ratings"].to(list[dict[str, Any]]), lambda rating: explained_rating(rating)),
        gap=16,
    )


def _decision() -> rx.Component:
    shown = DisputesState.shown
    return rx.el.section(
        rx.cond(
            ~shown["is_live"].to(bool),
            note(t("disputes.corrected_meanwhile"), icon="undo_2"),
        ),
        row(
            _way("answer", "message_circle"),
            _way("correct", "rotate_ccw"),
            rx.cond(shown["is_live"], _way("reverse", "undo_2")),
            _way("reject", "x"),
        ),
        rx.cond(DisputesState.way != "", _form()),
        class_name="ds-decision",
    )


def _way(way: str, icon: str) -> rx.Component:
    return button(
        t(f"disputes.way.{way}"),
        icon=icon,
        aria_pressed=rx.cond(DisputesState.way == way, "true", "false"),
        on_click=DisputesState.choose(way),
    )


def _form() -> rx.Component:
    way = DisputesState.way
    return stack(
        rx.el.p(t(rx.Var.create("disputes.explain.") + way), class_name="tc-help"),
        rx.cond((way == "correct") & DisputesState.shown["is_live"].to(bool), _correction()),
        field(
            t("disputes.words"),
            text_area(
                value=DisputesState.text,
                on_change=DisputesState.write,
                rows="3",
                max_length=1000,
                id="dispute-words",
            ),
            required=True,
        ),
        row(
            button(
                t(rx.Var.create("disputes.do.") + way),
                tone="primary",
                busy=DisputesState.busy,
                disabled=DisputesState.text.strip() == "",
                on_click=DisputesState.decide,
            ),
            button(t("disputes.back"), tone="quiet", on_click=DisputesState.choose("")),
        ),
    )


def _correction() -> rx.Component:
    """Which fact is put right, and its right value."""
    amendable = DisputesState.shown["facts"].to(list[dict[str, Any]])

    def value_of(each: Item) -> rx.Component:
        choices = each["choices"].to(list[dict[str, Any]])
        return rx.cond(
            each["value"].to(str) == DisputesState.fact,
            field(
                t("disputes.right_value"),
                rx.cond(
                    choices.length() > 0,
                    rx.el.select(
                        rx.el.option("—", value=""),
                        rx.cond(each["may_be_none"], rx.el.option(t("disputes.nothing_such"), value="none")),
                        rx.foreach(
                            choices,
                            lambda one: rx.el.option(tl(one["label"]), value=one["value"].to(str)),
                        ),
                        value=DisputesState.value,
                        on_change=DisputesState.enter,
                        class_name="tc-select",
                    ),
                    text_input(
                        value=DisputesState.value, on_change=DisputesState.enter, input_mode="decimal"
                    ),
                ),
                help=t("disputes.value_now", value=each["now"]),
            ),
        )

    return rx.el.div(
        field(
            t("disputes.fact"),
            rx.el.select(
                rx.el.option(t("disputes.no_fact"), value=""),
                rx.foreach(
                    amendable, lambda each: rx.el.option(tl(each["label"]), value=each["value"].to(str))
                ),
                value=DisputesState.fact,
                on_change=DisputesState.choose_fact,
                class_name="tc-select",
            ),
        ),
        rx.foreach(amendable, value_of),
        class_name="ds-correction",
    )
