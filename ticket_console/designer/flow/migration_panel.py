"""Carrying running tickets to another version: the dry run, which of them go, and what came of it."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import Column, badge, button, card, data_table, note, row, text_link
from ticket_console.components.text import t, t_with, tl
from ticket_console.state.flow_versions import FlowVersionsState

Item = rx.vars.ObjectVar[dict[str, Any]]


def migration_panel() -> rx.Component:
    return rx.fragment(
        rx.cond(FlowVersionsState.plan.contains("rows"), _plan()),
        rx.cond(FlowVersionsState.stayed.length() > 0, _stayed()),
        rx.cond(FlowVersionsState.reversible.length() > 0, _reversible()),
    )


def _plan() -> rx.Component:
    plan = FlowVersionsState.plan
    rows = plan["rows"].to(list[dict[str, Any]])
    return card(
        rx.cond(
            rows.length() > 0,
            rx.fragment(
                rx.cond(plan["gone"].to(list[dict[str, Any]]).length() > 0, _mapping()),
                row(
                    button(
                        t("flow_proof.migrate", n=FlowVersionsState.picked.length()),
                        tone="primary",
                        icon="arrow_right_left",
                        on_click=FlowVersionsState.migrate,
                        disabled=FlowVersionsState.picked.length() == 0,
                    ),
                    button(
                        rx.cond(
                            FlowVersionsState.picked.length() > 0,
                            t("flow_proof.pick_none"),
                            t("flow_proof.pick_all"),
                        ),
                        icon="list_checks",
                        on_click=FlowVersionsState.pick_all,
                    ),
                    rx.el.span(t("flow_proof.of_all", n=plan["total"].to(int)), class_name="tc-small"),
                    class_name="fp-choose",
                ),
                _table(rows),
            ),
            note(t("flow_proof.nobody"), icon="circle_check", tone="ok"),
        ),
        title=t("flow_proof.plan", number=plan["number"].to(int)),
    )


def _mapping() -> rx.Component:
    plan = FlowVersionsState.plan

    def choice(each: Item) -> rx.Component:
        return rx.el.label(
            rx.el.span(tl(each["name"]), " →", class_name="tc-label"),
            rx.el.select(
                rx.el.option(t("flow_proof.nowhere"), value=""),
                rx.foreach(
                    plan["targets"].to(list[dict[str, Any]]),
                    lambda node: rx.el.option(tl(node["name"]), value=node["key"].to(str)),
                ),
                name=each["key"].to(str),
                default_value=each["to"].to(str),
                class_name="tc-select",
            ),
            class_name="tc-field",
        )

    return rx.el.form(
        rx.el.p(t("flow_proof.gone"), class_name="tc-help"),
        row(
            rx.foreach(plan["gone"].to(list[dict[str, Any]]), choice),
            button(t("flow_proof.send"), type="submit", icon="refresh_cw"),
        ),
        on_submit=FlowVersionsState.send,
        class_name="fp-mapping",
    )


def _table(rows: Any) -> rx.Component:
    def pick(item: Item) -> rx.Component:
        return rx.el.input(
            type="checkbox",
            checked=FlowVersionsState.picked.contains(item["id"].to(int)),
            disabled=item["reason"].to(str) != "",
            on_change=FlowVersionsState.pick(item["id"].to(int)),
            aria_label=item["no"].to(str),
            class_name="tc-check",
        )

    def steps(item: Item) -> rx.Component:
        return rx.cond(
            item["reason"].to(str) != "",
            badge(t_with(item["reason"].to(str), item["params"]), tone="warn", icon="pin"),
            rx.fragment(rx.foreach(item["steps"].to(list[dict[str, Any]]), _step)),
        )

    def fields(item: Item) -> rx.Component:
        return rx.el.div(
            _named("flow_proof.required", item["required"], "warn"),
            _named("flow_proof.appear", item["appear"], "ok"),
            _named("flow_proof.vanish", item["vanish"], "plain"),
        )

    return data_table(
        [
            Column(t("flow_proof.takes_part"), pick),
            Column(
                t("flow_proof.ticket"),
                lambda item: text_link(item["no"].to(str), href="/tickets/" + item["id"].to(str)),
                nowrap=True,
            ),
            Column(
                t("flow_proof.from"),
                lambda item: rx.el.span(t("flow_proof.version", number=item["from"].to(int))),
                nowrap=True,
            ),
            Column(t("flow_proof.goes"), steps),
            Column(t("flow_proof.fields"), fields),
        ],
        rows,
        caption=t("flow_proof.plan.caption"),
        height="560px",
    )


def _named(key: str, names: Any, tone: str) -> rx.Component:
    return rx.cond(
        names.to(dict[str, str]).contains("en"),
        rx.el.p(t(key, fields=names), class_name="fp-fields", custom_attrs={"data-tone": tone}),
    )


def _step(step: Item) -> rx.Component:
    return row(
        rx.cond(
            tl(step["from"]) == tl(step["to"]),
            rx.el.span(tl(step["to"])),
            rx.el.span(tl(step["from"]), " → ", tl(step["to"])),
        ),
        badge(t(step["how"].to(str))),
        rx.cond(step["has_timer"], badge(t(step["timer"].to(str)), icon="timer")),
        rx.cond(step["handler_changes"], badge(t("flow_proof.handler_changes"), tone="warn")),
        gap=4,
    )


def _stayed() -> rx.Component:
    return card(
        rx.foreach(
            FlowVersionsState.stayed,
            lambda each: row(
                text_link(each["no"].to(str), href="/tickets/" + each["id"].to(str)),
                badge(t_with(each["code"].to(str), each["params"]), tone="warn", icon="pin"),
            ),
        ),
        title=t("flow_proof.stayed"),
    )


def _reversible() -> rx.Component:
    def line(each: Item) -> rx.Component:
        number = each["id"].to(int)
        return row(
            text_link(each["no"].to(str), href="/tickets/" + each["id"].to(str)),
            rx.cond(each["is_new"], badge(t("flow_proof.moved"), tone="ok", icon="check")),
            button(
                t("flow_proof.take_back"),
                small=True,
                icon="undo_2",
                on_click=FlowVersionsState.take_back(number),
            ),
        )

    return card(
        rx.el.p(t("flow_proof.reversible.text"), class_name="tc-help"),
        rx.foreach(FlowVersionsState.reversible, line),
        title=t("flow_proof.reversible"),
    )
