"""A statement as finance and its payee see it: its state, its sum, when what became of it, and its files."""

from typing import Any, Final

import reflex as rx

from ticket_console.components.blocks import badge, button_link, card, row
from ticket_console.components.text import money, t, when

Item = rx.vars.ObjectVar[dict[str, Any]]

STATEMENT_TONES: Final = (
    ("draft", "plain"),
    ("issued", "accent"),
    ("disputed", "danger"),
    ("confirmed", "teal"),
    ("paid", "ok"),
)


def statement_chip(state: rx.Var[str]) -> rx.Component:
    return badge(
        t(rx.Var.create("settlement.statement.") + state), tone=rx.match(state, *STATEMENT_TONES, "plain")
    )


def statement_files(files: Item, forms: tuple[str, ...] = ("xlsx", "csv", "pdf")) -> rx.Component:
    """A download in each of the forms."""
    return row(
        *(
            button_link(
                form.upper(),
                href=files[form],
                icon="download",
                document=True,
                download=True,
                aria_label=t("settle.download", form=form.upper()),
            )
            for form in forms
        )
    )


def statement_entry(statement: Item, steps: rx.Component, *, zone: Any) -> rx.Component:
    """One statement of a list, with what can be done to it."""

    def step_at(moment: str, said: rx.Var[str], by: str = "") -> rx.Component:
        return rx.cond(
            statement[moment],
            rx.el.p(
                said,
                " ",
                when(statement[moment], zone),
                *([" · ", statement[by].to(str)] if by else []),
                class_name="tc-help",
            ),
        )

    return rx.el.li(
        row(
            rx.el.strong(t("settle.statement_no", n=statement["number"].to(int))),
            statement_chip(statement["state"].to(str)),
            rx.el.span(
                money(statement["total_minor"].to(int), statement["currency"].to(str)), class_name="ts-sum"
            ),
        ),
        rx.cond(
            statement["issued_at"],
            step_at("issued_at", t("settle.issued_at")),
            rx.el.p(t("settle.draft.text"), class_name="tc-help"),
        ),
        step_at("confirmed_at", t("settle.confirmed_at"), "confirmed_by"),
        step_at("paid_at", t("settle.paid_at"), "paid_by"),
        row(
            statement_files(statement["files"].to(dict[str, Any])),
            rx.cond(
                statement["issued_at"],
                button_link(
                    t("settle.signed"),
                    href=statement["signed"],
                    icon="shield_check",
                    document=True,
                    download=True,
                ),
            ),
        ),
        steps,
    )


def booked_entries(ticket: Item, *, zone: Any) -> rx.Component:
    """What stands in the books about a ticket: a correction shows as the reversal and the new entry."""
    currency = ticket["currency"].to(str)

    def entry(each: Item) -> rx.Component:
        kind = each["kind"].to(str)
        return rx.el.li(
            badge(
                t(rx.Var.create("settlement.entry.") + kind),
                tone=rx.match(kind, ("reversal", "warn"), "plain"),
            ),
            rx.el.span(
                t("settle.entry_no", n=each["seq"].to(int)),
                " · ",
                when(each["posted_at"], zone),
                rx.cond(
                    each["statement_number"],
                    rx.fragment(" · ", t("settle.on_statement", n=each["statement_number"].to(int))),
                    rx.fragment(" · ", t("settle.on_none")),
                ),
                class_name="tc-help",
            ),
            rx.el.span(money(each["amount_minor"].to(int), currency), class_name="ts-amount"),
        )

    return card(
        rx.el.ol(rx.foreach(ticket["entries"].to(list[dict[str, Any]]), entry), class_name="ts-entries"),
        title=t("settle.in_the_books"),
    )
