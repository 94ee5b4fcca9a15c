"""The versions tab: what each version changed, drawn on the canvas, and who stands where."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    badge,
    button,
    card,
    field,
    loading_rows,
    note,
    row,
    stack,
    text_input,
    text_link,
)
from ticket_console.components.text import t, t_with, tl, when
from ticket_console.designer.flow.canvas import flow_canvas
from ticket_console.designer.flow.migration_panel import migration_panel
from ticket_console.state.flow_versions import FlowVersionsState

Item = rx.vars.ObjectVar[dict[str, Any]]


def versions_panel() -> rx.Component:
    return rx.el.div(
        rx.cond(
            FlowVersionsState.ready,
            rx.el.div(
                card(
                    rx.el.ol(rx.foreach(FlowVersionsState.versions, _version), class_name="fp-versions"),
                    title=t("flow_proof.versions.title"),
                ),
                stack(
                    rx.cond(FlowVersionsState.shown.contains("id"), _shown()),
                    migration_panel(),
                    gap=16,
                ),
                class_name="fp-columns",
            ),
            loading_rows(),
        ),
        class_name="fp",
        on_mount=FlowVersionsState.open_tab,
    )


def _version(item: Item) -> rx.Component:
    number = item["id"].to(int)
    return rx.el.li(
        rx.el.button(
            row(
                rx.el.span(t("flow_proof.version", number=item["number"].to(int)), class_name="tc-strong"),
                rx.cond(item["is_current"], badge(t("flow_proof.current"), tone="ok")),
                rx.cond(
                    item["running"].to(int) > 0,
                    badge(t("flow_proof.running", n=item["running"].to(int)), tone="accent"),
                ),
            ),
            rx.el.span(when(item["at"]), " ", item["by"].to(str), class_name="tc-small"),
            rx.cond(item["note"].to(str) != "", rx.el.span(item["note"].to(str), class_name="tc-small")),
            type="button",
            on_click=FlowVersionsState.look(number),
            aria_pressed=rx.cond(FlowVersionsState.chosen == number, "true", "false"),
            class_name="fp-version",
        )
    )


def _shown() -> rx.Component:
    shown = FlowVersionsState.shown
    lines = shown["lines"].to(list[dict[str, Any]])
    return card(
        rx.el.div(
            flow_canvas(
                document=shown["document"], marks=shown["marks"], focus=shown["focus"], read_only=True
            ),
            class_name="fp-canvas",
        ),
        rx.cond(
            lines.length() > 0,
            rx.el.ul(
                rx.foreach(
                    lines,
                    lambda line: rx.el.li(
                        t_with(line["code"].to(str), line["params"]),
                        custom_attrs={"data-tone": line["tone"].to(str)},
                    ),
                ),
                class_name="fp-lines",
            ),
            rx.el.p(
                rx.cond(shown["is_first"], t("flow_proof.first"), t("flow_proof.no_change")),
                class_name="tc-help",
            ),
        ),
        rx.cond(
            shown["met"].to(list[dict[str, Any]]).length() > 0,
            note(
                rx.el.p(t("flow_proof.met"), class_name="tc-strong"),
                rx.foreach(shown["met"].to(list[dict[str, Any]]), _met),
                tone="warn",
                icon="users",
            ),
        ),
        _actions(),
        title=t("flow_proof.changes"),
    )


def _met(item: Item) -> rx.Component:
    return rx.el.p(
        rx.el.span(
            rx.cond(tl(item["node"]) != "", tl(item["node"]), item["key"].to(str)), class_name="tc-strong"
        ),
        " ",
        t("flow_proof.standing", n=item["count"].to(int), timers=item["timers"].to(int)),
        " ",
        rx.foreach(
            item["tickets"].to(list[dict[str, Any]]),
            lambda each: rx.fragment(
                text_link(each["no"].to(str), href="/tickets/" + each["id"].to(str)), " "
            ),
        ),
    )


def _actions() -> rx.Component:
    chosen = FlowVersionsState.chosen
    return rx.el.div(
        button(
            t("flow_proof.migrate_to"),
            icon="arrow_right_left",
            on_click=FlowVersionsState.plan_to(chosen),
        ),
        rx.cond(
            FlowVersionsState.shown["is_current"],
            rx.fragment(),
            rx.fragment(
                field(
                    t("flow_proof.reason"),
                    text_input(
                        value=FlowVersionsState.reason,
                        on_change=FlowVersionsState.write_reason,
                        max_length=200,
                    ),
                ),
                button(
                    t("flow_proof.roll_back"),
                    icon="history",
                    on_click=FlowVersionsState.roll_back(chosen),
                    disabled=FlowVersionsState.reason == "",
                ),
            ),
        ),
        class_name="fp-actions",
    )
