"""The change of shift, made for a phone in one hand: what is put down, and who has taken it over."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    badge,
    button,
    card,
    empty,
    field,
    loaded,
    note,
    page_header,
    priority_chip,
    stack,
    text_area,
)
from ticket_console.components.overlay import dialog, reason_dialog
from ticket_console.components.shell import link
from ticket_console.components.text import due, t, t_with, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.state.handover import HandoverState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/handover",
    title="handover.title",
    active="handover",
    permission="shift.hand_over",
    width="narrow",
    on_load=[HandoverState.load, HandoverState.watch],
)
def handover() -> rx.Component:
    return rx.fragment(
        page_header(t("handover.title"), hint=t("handover.hint")),
        loaded(
            HandoverState.status,
            stack(
                rx.cond(HandoverState.beginnings.length() > 0, _beginnings()),
                rx.cond(
                    HandoverState.handovers.length() > 0,
                    rx.foreach(HandoverState.handovers, _handover),
                    empty(t("handover.none"), text=t("handover.none.text"), icon="arrow_left_right"),
                ),
                gap=16,
                class_name="tc-handover",
            ),
            on_retry=HandoverState.load,
        ),
        _start_dialog(),
        reason_dialog(
            open=HandoverState.returning.contains("no"),
            title=t("handover.why_back", no=HandoverState.returning["no"].to(str)),
            on_confirm=HandoverState.give_back,
            on_cancel=HandoverState.stop_asking,
        ),
    )


def _beginnings() -> rx.Component:
    def line(one: Item, index: rx.Var[int]) -> rx.Component:
        return rx.el.li(
            rx.el.div(
                rx.el.strong(tl(one["name"])),
                rx.el.span(t("handover.ends"), " ", when(one["ends_at"], form="time"), class_name="tc-help"),
            ),
            button(
                t("handover.start", n=one["held"].to(int)),
                icon="arrow_right_left",
                on_click=HandoverState.start(index),
            ),
        )

    return card(
        rx.el.ul(rx.foreach(HandoverState.beginnings, line), class_name="tc-shifts"),
        title=t("handover.mine"),
        flush=True,
    )


def _handover(one: Item) -> rx.Component:
    open_count = one["open"].to(int)
    is_closed = one["closed_at"].to(bool)
    items = one["items"].to(list[dict[str, Any]])
    return rx.el.section(
        rx.el.header(
            rx.el.div(
                rx.el.h2(tl(one["name"])),
                rx.el.p(
                    t("handover.from", who=one["givers"].to(list[str]).join("、")),
                    " · ",
                    t("handover.ends"),
                    " ",
                    when(one["ends_at"], form="time"),
                    class_name="tc-help",
                ),
            ),
            rx.cond(
                is_closed,
                badge(t("handover.is_closed"), tone="ok", icon="circle_check"),
                rx.cond(
                    open_count > 0,
                    badge(
                        t("handover.open", n=open_count),
                        tone=rx.cond(one["escalated_at"], "danger", "warn"),
                        icon="hourglass",
                    ),
                    badge(t("handover.nothing_open"), tone="ok", icon="circle_check"),
                ),
            ),
            class_name="tc-handover-head",
        ),
        rx.cond(
            one["escalated_at"].to(bool) & ~is_closed & (open_count > 0),
            note(t("handover.is_late"), tone="danger", icon="triangle_alert"),
            rx.cond(
                ~is_closed & (open_count > 0),
                rx.el.p(t("handover.until"), " ", due(one["due_at"]), class_name="tc-help"),
            ),
        ),
        rx.cond(one["note"].to(str) != "", note(one["note"].to(str), icon="message_circle")),
        rx.cond(
            items.length() > 0,
            rx.el.ul(rx.foreach(items, lambda item: _item(item, one)), class_name="tc-handover-items"),
            rx.el.p(t("handover.had_nothing"), class_name="tc-help"),
        ),
        rx.cond(
            is_closed,
            rx.fragment(),
            rx.el.div(
                rx.cond(
                    one["can_accept"].to(bool) & (open_count > 0),
                    button(
                        t("handover.accept_all", n=open_count),
                        tone="primary",
                        icon="check_check",
                        busy=HandoverState.busy == one["id"].to(int),
                        on_click=HandoverState.accept_all(one["id"].to(int)),
                    ),
                ),
                rx.cond(
                    one["can_close"].to(bool),
                    button(
                        t("handover.close"),
                        icon="lock",
                        disabled=open_count > 0,
                        on_click=HandoverState.close(one["id"].to(int)),
                    ),
                ),
                class_name="tc-job-ways",
            ),
        ),
        class_name="tc-handover-one",
        key=one["id"].to_string(),
    )


def _item(item: Item, one: Item) -> rx.Component:
    state = item["state"].to(str)
    no = item["no"].to(str)
    against = item["against"].to(list[dict[str, Any]])
    return rx.el.li(
        rx.el.div(
            priority_chip(item["priority"]),
            link(no, href=rx.Var.create("/tickets/") + item["ticket_id"].to_string(), class_name="tc-mono"),
            rx.cond(item["is_vip"], badge(t("ticket.vip"), tone="violet", icon="crown")),
            rx.cond(item["due_at"], due(item["due_at"], class_name="tc-job-due")),
            class_name="tc-job-head",
        ),
        rx.el.h3(item["title"].to(str)),
        rx.el.p(
            tl(item["step"]),
            rx.cond(item["site"], rx.fragment(" · ", tl(item["site"]))),
            rx.cond(item["address"].to(str) != "", rx.fragment(" · ", item["address"].to(str))),
            class_name="tc-help",
        ),
        rx.el.p(t("handover.had_by", who=item["holder"].to(str)), class_name="tc-help"),
        rx.cond(item["note"].to(str) != "", note(item["note"].to(str), icon="message_circle")),
        rx.cond(
            (state == "open") & (against.length() > 0),
            rx.el.ul(
                rx.foreach(against, lambda each: rx.el.li(t_with(each["key"].to(str), each["params"]))),
                class_name="tc-against",
            ),
        ),
        rx.match(
            state,
            (
                "open",
                rx.cond(
                    one["can_accept"].to(bool) & ~one["closed_at"].to(bool),
                    rx.el.div(
                        button(
                            t("handover.give_back"),
                            icon="undo_2",
                            on_click=HandoverState.ask_why(item["id"].to(int), no),
                        ),
                        rx.cond(
                            against.length() > 0,
                            rx.fragment(),
                            button(
                                t("handover.accept"),
                                tone="primary",
                                icon="check",
                                busy=HandoverState.busy == item["id"].to(int),
                                on_click=HandoverState.accept(item["id"].to(int)),
                            ),
                        ),
                        class_name="tc-job-ways",
                    ),
                ),
            ),
            (
                "accepted",
                rx.el.p(
                    rx.icon("user_check", aria_hidden="true"),
                    t("handover.taken_by", who=item["taken_by"].to(str), when=item["settled_at"].to(str)),
                    class_name="tc-job-next",
                ),
            ),
            (
                "returned",
                note(
                    t(
                        "handover.returned_by",
                        who=item["settled_by"].to(str),
                        reason=item["reason"].to(str),
                    ),
                    tone="warn",
                    icon="undo_2",
                ),
            ),
            rx.el.p(
                rx.icon("circle_slash", aria_hidden="true"),
                t("handover.gone"),
                class_name="tc-job-next",
            ),
        ),
        custom_attrs={"data-state": state, "data-ticket": no},
        key=item["id"].to_string(),
    )


def _start_dialog() -> rx.Component:
    one = HandoverState.starting
    return dialog(
        rx.cond(
            one.contains("held"),
            rx.el.form(
                rx.el.p(t("handover.starting", n=one["held"].to(int))),
                field(t("handover.note"), text_area(name="note", max_length=500)),
                rx.el.div(
                    button(t("common.cancel"), on_click=HandoverState.stop_starting),
                    button(t("handover.start_now"), tone="primary", type="submit"),
                    class_name="tc-dialog-foot",
                ),
                on_submit=HandoverState.begin,
                class_name="tc-assign",
            ),
        ),
        open=one.contains("held"),
        title=t("handover.title"),
        on_close=HandoverState.stop_starting,
    )
