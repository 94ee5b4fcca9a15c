"""What always holds, checked on live data: a badge for every law, and the row that breaks it."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    data_table,
    empty,
    loaded,
    note,
    page_header,
    stack,
)
from ticket_console.components.text import t, when
from ticket_console.pages.frame import console_page
from ticket_console.reports.laws import MOST_EXAMPLES
from ticket_console.state.invariants import InvariantsState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/invariants",
    title="invariants.title",
    active="invariants",
    permission="settlement.view",
    on_load=[InvariantsState.load, InvariantsState.watch],
)
def invariants() -> rx.Component:
    return stack(
        page_header(
            t("invariants.title"),
            rx.cond(
                InvariantsState.status == "ready",
                button(
                    t("invariants.check_now"),
                    icon="refresh_cw",
                    busy=InvariantsState.busy,
                    on_click=InvariantsState.check_now,
                ),
            ),
            hint=t("invariants.hint"),
        ),
        rx.cond(
            InvariantsState.status == "closed",
            empty(t("invariants.whole_org"), text=t("invariants.whole_org.text"), icon="lock"),
            loaded(
                InvariantsState.status,
                stack(
                    _summary(),
                    _laws("money", t("invariants.money")),
                    _laws("work", t("invariants.work")),
                    gap=16,
                ),
                on_retry=[InvariantsState.load, InvariantsState.watch],
            ),
        ),
        gap=16,
    )


def _number(name: str) -> rx.Var[int]:
    return InvariantsState.view[name].to(int)


def _summary() -> rx.Component:
    view = InvariantsState.view
    checked = rx.el.span(
        " · ",
        t("invariants.last"),
        " ",
        when(view["checked_at"].to(str), view["tz"].to(str)),
        " · ",
        t("invariants.took", seconds=view["seconds"]),
        class_name="tc-muted",
    )
    return rx.cond(
        _number("broken") > 0,
        note(
            rx.el.strong(t("invariants.some_broken", n=_number("broken"))),
            checked,
            tone="danger",
            icon="shield_alert",
            role="alert",
        ),
        rx.cond(
            _number("failed") > 0,
            note(t("invariants.some_failed", n=_number("failed")), checked, tone="warn", icon="shield_alert"),
            rx.cond(
                _number("unchecked") > 0,
                note(t("invariants.none_checked"), icon="clock"),
                note(
                    rx.el.strong(t("invariants.all_hold", n=_number("laws"))),
                    checked,
                    tone="ok",
                    icon="shield_check",
                ),
            ),
        ),
    )


def _laws(name: str, title: rx.Var[str]) -> rx.Component:
    return rx.el.section(
        rx.el.h2(title, class_name="rp-heading"),
        rx.el.ul(rx.foreach(InvariantsState.view[name].to(list[dict[str, Any]]), _law), class_name="rp-laws"),
        aria_label=title,
    )


def _law(law: Item) -> rx.Component:
    code, state = law["code"].to(str), law["state"].to(str)
    examples = law["examples"].to(list[dict[str, str]])
    return rx.el.li(
        rx.el.div(
            rx.el.h3(t(rx.Var.create("invariants.law.") + code), class_name="rp-law-name"),
            rx.match(
                state,
                ("holds", badge(t("invariants.state.holds"), tone="ok", icon="check")),
                ("broken", badge(t("invariants.state.broken"), tone="danger", icon="x")),
                ("failed", badge(t("invariants.state.failed"), tone="warn", icon="circle_help")),
                badge(t("invariants.state.never"), icon="clock"),
            ),
            class_name="rp-law-head",
        ),
        rx.el.p(t(rx.Var.create("invariants.says.") + code), class_name="tc-help"),
        rx.cond(examples.length() > 0, _examples(law, examples)),
        rx.cond(
            law["checked_at"],
            rx.el.p(
                when(law["checked_at"].to(str), InvariantsState.view["tz"].to(str)),
                rx.el.span(t("invariants.milliseconds", n=law["took_ms"].to(int))),
                rx.el.span(t("invariants.rows", n=law["rows"].to(int))),
                rx.cond(law["in_turns"], rx.el.span(t("invariants.in_turns"))),
                rx.cond(
                    law["since"],
                    rx.el.span(
                        t("invariants.since"),
                        " ",
                        when(law["since"].to(str), InvariantsState.view["tz"].to(str)),
                    ),
                ),
                class_name="rp-law-facts",
            ),
        ),
        class_name="rp-law",
        custom_attrs={"data-state": state, "data-law": code},
    )


def _examples(law: Item, examples: rx.vars.ArrayVar[list[dict[str, str]]]) -> rx.Component:
    def code(value: Any) -> rx.Component:
        return rx.el.code(value.to(str), class_name="rp-code", title=value.to(str))

    return rx.el.div(
        data_table(
            [
                Column(t("invariants.row"), lambda each: code(each["row"]), nowrap=True),
                Column(t("invariants.expected"), lambda each: code(each["expected"])),
                Column(t("invariants.found"), lambda each: code(each["found"])),
            ],
            examples,
            caption=t("invariants.examples"),
        ),
        rx.cond(law["is_cut"], rx.el.p(t("invariants.more", n=MOST_EXAMPLES), class_name="tc-help")),
        class_name="rp-examples",
    )
