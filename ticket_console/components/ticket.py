"""Parts of a ticket that several screens show: its values, why somebody was chosen, how pay was computed."""

from typing import Any

import reflex as rx
from reflex.event import EventType

from ticket_console.components.blocks import badge, button, note, row, stack, text_input
from ticket_console.components.overlay import dialog
from ticket_console.components.text import money, number, t, t_with, tl, when

Item = rx.vars.ObjectVar[dict[str, Any]]
Items = rx.Var[list[dict[str, Any]]]


def value_list(fields: Items) -> rx.Component:
    """Filled-in fields with where each value came from; nothing is shown of fields that are absent."""

    def entry(each: Item) -> rx.Component:
        return rx.el.div(
            rx.el.dt(tl(each["label"])),
            rx.el.dd(
                value_text(each),
                rx.cond(
                    each["provenance"].to(str) != "typed",
                    badge(t(rx.Var.create("ticket.provenance.") + each["provenance"].to(str))),
                ),
            ),
        )

    return rx.el.dl(rx.foreach(fields, entry), class_name="tc-facts")


def value_text(each: Item) -> rx.Component:
    """A value by the kind of its field; choices by their label."""
    chosen = each["options"].to(list[list[Any]])

    def label_of(value: Any) -> rx.Component:
        return rx.foreach(chosen, lambda option: rx.cond(option[0] == value, tl(option[1]), ""))

    return rx.match(
        each["kind"].to(str),
        ("yes_no", rx.fragment(rx.cond(each["value"], t("common.yes"), t("common.no")))),
        ("choice", rx.fragment(label_of(each["value"]))),
        (
            "multi_choice",
            rx.fragment(rx.foreach(each["value"].to(list[str]), lambda one: rx.fragment(label_of(one), " "))),
        ),
        (
            "parts",
            rx.fragment(
                rx.foreach(
                    each["value"].to(list[dict[str, str]]),
                    lambda line: rx.el.div(line["sku"], " × ", line["qty"]),
                )
            ),
        ),
        ("datetime", rx.fragment(when(each["value"]))),
        (
            "location",
            rx.fragment(
                each["value"].to(dict[str, float])["lat"].to_string(),
                ", ",
                each["value"].to(dict[str, float])["lon"].to_string(),
            ),
        ),
        ("photo", rx.fragment(t("ticket.photos_attached"))),
        ("file", rx.fragment(t("ticket.photos_attached"))),
        rx.fragment(each["value"].to_string(use_json=False)),
    )


def decision_panel(decisions: Items) -> rx.Component:
    """Why this person: the ranked candidates with their numbers, and what kept the others out."""

    def candidate(each: Item) -> rx.Component:
        return rx.el.li(
            row(
                rx.el.strong(each["name"].to(str)),
                rx.cond(each["is_chosen"], badge(t("decision.chosen"), tone="ok")),
                rx.el.span(number(each["score"].to(float)), class_name="tc-no"),
            ),
            rx.el.ul(
                rx.foreach(
                    each["terms"].to(list[dict[str, Any]]),
                    lambda term: rx.el.li(t_with(term["key"].to(str), term["params"])),
                ),
                rx.foreach(
                    each["failures"].to(list[dict[str, Any]]),
                    lambda failure: rx.el.li(t_with(failure["key"].to(str), failure["params"])),
                ),
                class_name="tc-terms",
            ),
        )

    def decision(each: Item) -> rx.Component:
        return rx.el.details(
            rx.el.summary(
                rx.cond(
                    each["chosen_name"],
                    rx.el.strong(each["chosen_name"].to(str)),
                    rx.el.strong(t("decision.nobody")),
                ),
                " ",
                badge(t(rx.Var.create("dispatch.mode.") + each["mode"].to(str))),
                " ",
                when(each["at"]),
            ),
            rx.el.ol(
                rx.foreach(each["candidates"].to(list[dict[str, Any]]), candidate), class_name="tc-candidates"
            ),
            rx.cond(
                each["failed"].to(list[dict[str, Any]]).length() > 0,
                rx.el.ul(
                    rx.foreach(
                        each["failed"].to(list[dict[str, Any]]),
                        lambda count: rx.el.li(
                            t("decision.kept_out", n=count["count"].to(int), what=count["key"])
                        ),
                    ),
                    class_name="tc-terms",
                ),
            ),
            open=True,
            class_name="tc-decision",
        )

    return rx.cond(
        decisions.length() > 0,
        rx.foreach(decisions[:3], decision),
        rx.el.p(t("decision.none"), class_name="tc-muted"),
    )


def rating_panel(rating: Item) -> rx.Component:
    """One rating: its lines, each with the rule's sentence and the formula with its numbers."""
    currency = rating["currency"].to(str)

    def line(each: Item) -> rx.Component:
        return rx.el.details(
            rx.el.summary(
                rx.el.span(tl(each["dimension_name"])),
                rx.el.span(money(each["amount_minor"].to(int), currency), class_name="tc-amount"),
            ),
            rx.el.p(tl(each["sentence"])),
            rx.el.code(each["formula"].to(str)),
            rx.el.dl(
                rx.foreach(
                    each["facts"].to(list[dict[str, Any]]),
                    lambda fact: rx.el.div(rx.el.dt(tl(fact["label"])), rx.el.dd(tl(fact["value"]))),
                ),
                class_name="tc-facts",
            ),
            class_name="tc-line",
        )

    return rx.el.div(
        row(
            rx.cond(
                rating["is_live"], badge(t("pay.live"), tone="ok"), badge(t("pay.reversed"), tone="warn")
            ),
            rx.el.span(
                t("pay.rules", name=rating["rule_set_name"], version=rating["rule_version"].to_string())
            ),
            rx.el.strong(money(rating["total_minor"].to(int), currency), class_name="tc-amount"),
        ),
        rx.cond(rating["reversed_because"], note(rating["reversed_because"].to(str), tone="warn")),
        rx.foreach(rating["lines"].to(list[dict[str, Any]]), line),
        class_name="tc-rating",
    )


def assign_dialog(
    *,
    open: rx.Var[bool],
    technicians: Items,
    on_assign: EventType[dict[str, Any]],
    on_close: EventType[()],
) -> rx.Component:
    """Who is to do it: everybody the viewer may send, with an override that asks for a reason."""
    return dialog(
        rx.el.form(
            stack(
                rx.el.label(
                    t("assign.who"),
                    rx.el.select(
                        rx.foreach(
                            technicians,
                            lambda each: rx.el.option(each["name"].to(str), value=each["id"].to_string()),
                        ),
                        name="technician",
                        class_name="tc-input",
                    ),
                ),
                rx.el.label(t("assign.reason"), text_input(name="reason", max_length=500)),
                rx.el.label(rx.el.input(type="checkbox", name="override"), " ", t("assign.override")),
                row(
                    button(t("assign.do"), tone="primary", type="submit"),
                    button(t("common.cancel"), on_click=on_close),
                ),
            ),
            on_submit=on_assign,
        ),
        open=open,
        title=t("assign.title"),
        on_close=on_close,
    )
