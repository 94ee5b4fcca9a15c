"""The rules of what starts for which message, their bench, and the bench of conditions on tickets."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    card,
    data_table,
    empty,
    field,
    icon_button,
    loaded,
    note,
    page_header,
    row,
    select,
    stack,
    text_area,
    text_input,
    text_link,
)
from ticket_console.components.condition_builder import condition_builder
from ticket_console.components.overlay import dialog
from ticket_console.components.text import t, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.state.condition_bench import ConditionBenchState
from ticket_console.state.designer_rules import DesignerRulesState as Rules

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/designer/rules",
    title="rules.title",
    active="designer",
    permission="rules.manage",
    on_load=[Rules.load, ConditionBenchState.load],
)
def designer_rules() -> rx.Component:
    return rx.fragment(
        page_header(
            t("rules.title"),
            button(t("rules.new"), tone="primary", icon="plus", on_click=Rules.edit("")),
            hint=t("rules.hint"),
        ),
        loaded(
            Rules.status,
            stack(
                rx.cond(
                    Rules.rows.length() > 0,
                    rx.el.ol(
                        rx.foreach(Rules.rows, _rule), class_name="tc-rules", aria_label=t("rules.list")
                    ),
                    empty(
                        t("rules.none"),
                        button(t("rules.new"), icon="plus", on_click=Rules.edit("")),
                        text=t("rules.none.text"),
                        icon="workflow",
                    ),
                ),
                _message_bench(),
                _ticket_bench(),
                gap=16,
            ),
            on_retry=Rules.load,
        ),
        _editor(),
    )


def _rule(one: Item, index: rx.Var[int]) -> rx.Component:
    code = one["code"].to(str)
    name = tl(one["name"])
    return rx.el.li(
        rx.el.span((index + 1).to_string(), class_name="tc-rule-place", aria_hidden="true"),
        rx.el.div(
            row(
                rx.el.h2(name, class_name="tc-rule-name"),
                badge(t("rules.version", n=one["number"])),
                rx.cond(one["active"], rx.fragment(), badge(t("rules.rests"), tone="warn")),
                rx.cond(one["also"], badge(t("rules.also"), tone="violet"), rx.fragment()),
            ),
            rx.el.p(
                rx.el.span(t("rules.if"), class_name="tc-rule-word"),
                tl(one["said"]),
                class_name="tc-rule-said",
            ),
            rx.el.p(
                rx.el.span(t("rules.then"), class_name="tc-rule-word"),
                rx.el.strong(tl(one["template"])),
                rx.cond(
                    one["urgency"] != "",
                    rx.fragment(" · ", t(rx.Var.create("rules.urgency.") + one["urgency"].to(str))),
                    rx.fragment(),
                ),
                rx.cond(
                    one["impact"] != "",
                    rx.fragment(" · ", t(rx.Var.create("rules.impact.") + one["impact"].to(str))),
                    rx.fragment(),
                ),
                class_name="tc-rule-said",
            ),
            class_name="tc-rule-text",
        ),
        row(
            icon_button(
                "arrow_up", label=t("rules.up", name=name), disabled=index == 0, on_click=Rules.move(code, -1)
            ),
            icon_button(
                "arrow_down",
                label=t("rules.down", name=name),
                disabled=index == Rules.rows.length() - 1,
                on_click=Rules.move(code, 1),
            ),
            button(
                rx.cond(one["active"], t("rules.rest"), t("rules.work")),
                tone="quiet",
                on_click=Rules.switch(code),
                custom_attrs={"data-size": "small"},
            ),
            button(
                t("rules.edit"), icon="pencil", on_click=Rules.edit(code), custom_attrs={"data-size": "small"}
            ),
            gap=4,
            class_name="tc-rule-acts",
        ),
        key=code,
        class_name="tc-rule",
        custom_attrs={"data-rests": rx.cond(one["active"], "false", "true"), "data-code": code},
    )


def _editor() -> rx.Component:
    draft = Rules.draft
    return dialog(
        stack(
            row(
                field(
                    t("rules.name_zh"),
                    text_input(
                        value=draft["zh"].to(str),
                        max_length=80,
                        on_change=lambda said: Rules.write("zh", said),
                    ),
                ),
                field(
                    t("rules.name_en"),
                    text_input(
                        value=draft["en"].to(str),
                        max_length=80,
                        on_change=lambda said: Rules.write("en", said),
                    ),
                ),
                field(
                    t("rules.code"),
                    text_input(
                        value=draft["code"].to(str),
                        max_length=64,
                        read_only=draft["version"].to(int) > 0,
                        on_change=lambda said: Rules.write("code", said),
                    ),
                    help=t("rules.code.help"),
                ),
                class_name="tc-rule-fields",
            ),
            rx.el.section(
                rx.el.h3(t("rules.when"), class_name="tc-label"),
                condition_builder(
                    fields=Rules.choices["fields"],
                    value=draft["when"].to(dict[str, Any]),
                    problems=Rules.problems,
                    label=t("rules.when"),
                    on_change=Rules.set_when,
                ),
            ),
            row(
                field(
                    t("rules.template"),
                    select(
                        Rules.choices["templates"],
                        value=draft["template"].to(str),
                        on_change=lambda said: Rules.write("template", said),
                    ),
                ),
                field(
                    t("rules.urgency"),
                    select(
                        Rules.choices["urgency"],
                        value=draft["urgency"].to(str),
                        on_change=lambda said: Rules.write("urgency", said),
                    ),
                ),
                field(
                    t("rules.impact"),
                    select(
                        Rules.choices["impact"],
                        value=draft["impact"].to(str),
                        on_change=lambda said: Rules.write("impact", said),
                    ),
                ),
                class_name="tc-rule-fields",
            ),
            rx.el.label(
                rx.el.input(type="checkbox", checked=draft["also"].to(bool), on_change=Rules.set_also),
                rx.el.span(t("rules.also.label")),
                class_name="tc-rule-check",
            ),
            _versions(),
            row(
                button(t("rules.cancel"), on_click=Rules.close),
                button(t("rules.publish"), tone="primary", icon="send", on_click=Rules.publish),
                class_name="tc-rule-end",
            ),
            gap=14,
        ),
        open=Rules.editing,
        title=rx.cond(draft["version"].to(int) > 0, t("rules.edit_one"), t("rules.new")),
        on_close=Rules.close,
        wide=True,
    )


def _versions() -> rx.Component:
    return rx.cond(
        Rules.versions.length() > 0,
        rx.el.details(
            rx.el.summary(t("rules.versions", n=Rules.versions.length())),
            rx.el.ol(
                rx.foreach(
                    Rules.versions,
                    lambda one: rx.el.li(
                        rx.el.strong(t("rules.version", n=one["number"])),
                        " · ",
                        when(one["at"]),
                        " · ",
                        one["by"].to(str),
                        rx.el.div(tl(one["said"]), class_name="tc-help"),
                    ),
                ),
                class_name="tc-rule-versions",
            ),
        ),
        rx.fragment(),
    )


def _message_bench() -> rx.Component:
    bench = Rules.bench
    return card(
        rx.el.form(
            row(
                field(
                    t("rules.bench.channel"),
                    select(Rules.choices["channels"], value=Rules.channel, on_change=Rules.set_channel),
                ),
                field(
                    t("rules.bench.raw"),
                    text_input(name="raw", input_mode="numeric", max_length=18),
                    help=t("rules.bench.raw.help"),
                ),
                class_name="tc-rule-fields",
            ),
            field(
                t("rules.bench.text"),
                text_area(name="text", rows="3", max_length=2000, placeholder=t("rules.bench.placeholder")),
            ),
            row(button(t("rules.bench.try"), icon="flask_conical", type="submit")),
            on_submit=Rules.try_out,
            class_name="tc-stack",
        ),
        rx.cond(bench.contains("template"), _verdict(bench), rx.fragment()),
        title=t("rules.bench"),
    )


def _verdict(bench: Item) -> rx.Component:
    template = rx.el.strong(tl(bench["template"]))
    why = rx.cond(
        bench["named"],
        t("rules.bench.named"),
        rx.cond(
            bench["by_rule"],
            t("rules.bench.by_rule"),
            rx.cond(
                bench["keyword"] != "",
                t("rules.bench.by_word", word=bench["keyword"].to(str)),
                t("rules.bench.by_default"),
            ),
        ),
    )
    return stack(
        note(
            t("rules.bench.starts"), " ", template, " · ", why, tone="ok", icon="circle_play", role="status"
        ),
        rx.el.ol(
            rx.foreach(
                bench["rules"].to(list[dict[str, Any]]),
                lambda one: rx.el.li(
                    row(
                        rx.el.strong(tl(one["name"])),
                        badge(
                            t(rx.Var.create("rules.outcome.") + one["outcome"].to(str)),
                            tone=rx.match(
                                one["outcome"].to(str), ("decides", "ok"), ("beside", "violet"), "plain"
                            ),
                        ),
                    ),
                    _parts(one["parts"].to(list[dict[str, Any]])),
                ),
            ),
            class_name="tc-rule-verdicts",
        ),
        gap=10,
        class_name="tc-stack tc-bench-result",
    )


def _parts(parts: Any) -> rx.Component:
    return rx.el.ul(
        rx.foreach(
            parts,
            lambda part: rx.el.li(
                rx.cond(
                    part["holds"],
                    rx.icon("check", size=16, aria_label=t("rules.holds")),
                    rx.icon("x", size=16, aria_label=t("rules.holds_not")),
                ),
                rx.el.span(tl(part["said"])),
                rx.el.span(t("rules.fact_is", value=tl(part["fact"])), class_name="tc-help"),
                custom_attrs={"data-holds": rx.cond(part["holds"], "true", "false")},
            ),
        ),
        class_name="tc-bench-parts",
    )


def _ticket_bench() -> rx.Component:
    bench = ConditionBenchState
    return card(
        stack(
            rx.el.p(t("rules.tickets.text"), class_name="tc-help"),
            condition_builder(
                fields=bench.fields,
                value=bench.tree,
                problems=bench.problems,
                label=t("rules.tickets"),
                on_change=bench.set_tree,
            ),
            rx.el.form(
                row(
                    text_input(
                        name="ticket_no",
                        placeholder=t("rules.tickets.no"),
                        aria_label=t("rules.tickets.no"),
                        required=True,
                        max_length=24,
                    ),
                    button(t("rules.tickets.judge"), icon="flask_conical", type="submit"),
                    button(t("rules.tickets.count"), icon="list_filter", on_click=bench.count),
                    class_name="tc-bench-ask",
                ),
                on_submit=bench.judge,
            ),
            rx.cond(
                bench.verdict.contains("no"),
                stack(
                    note(
                        text_link(
                            bench.verdict["no"].to(str),
                            href=rx.Var.create("/tickets/") + bench.verdict["ticket_id"].to_string(),
                        ),
                        " ",
                        rx.cond(bench.verdict["holds"], t("rules.holds_whole"), t("rules.holds_not_whole")),
                        tone=rx.cond(bench.verdict["holds"], "ok", "plain"),
                        icon="scale",
                        role="status",
                    ),
                    _parts(bench.verdict["parts"].to(list[dict[str, Any]])),
                    gap=8,
                ),
                rx.fragment(),
            ),
            rx.foreach(bench.matches, _matches),
            gap=12,
        ),
        title=t("rules.tickets"),
    )


def _matches(one: Item) -> rx.Component:
    return rx.el.section(
        rx.el.h3(
            t(rx.Var.create("rules.matches.") + one["period"].to(str), count=one["count"], of=one["of"]),
            class_name="tc-rule-count",
        ),
        data_table(
            [
                Column(
                    t("rules.tickets.no"),
                    lambda each: text_link(
                        each["no"].to(str), href=rx.Var.create("/tickets/") + each["id"].to_string()
                    ),
                    nowrap=True,
                ),
                Column(t("rules.tickets.title"), lambda each: each["title"].to(str)),
            ],
            one["examples"].to(list[dict[str, Any]]),
            caption=t(
                rx.Var.create("rules.matches.") + one["period"].to(str), count=one["count"], of=one["of"]
            ),
        ),
    )
