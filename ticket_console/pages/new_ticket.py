"""Opening a ticket while somebody is on the phone."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    badge,
    button,
    button_link,
    card,
    empty,
    failed,
    icon_button,
    loading_rows,
    page_header,
    priority_chip,
    row,
    search_box,
    split,
    stack,
)
from ticket_console.components.face import face_icon
from ticket_console.components.form import SEARCH_URL, template_form
from ticket_console.components.text import t, tl
from ticket_console.components.ticket import copy_text
from ticket_console.pages.frame import console_page
from ticket_console.state.new_ticket import NewTicketState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/tickets/new",
    title="new.title",
    active="board",
    permission="ticket.open",
    on_load=[NewTicketState.load],
    keys=[{"keys": "Ctrl Enter", "label": "keys.new.send"}],
)
def new_ticket() -> rx.Component:
    return rx.el.div(
        rx.match(
            NewTicketState.status,
            ("ready", rx.cond(NewTicketState.opened, _opened(), _asking())),
            ("failed", failed(on_retry=NewTicketState.load)),
            ("closed", empty(t("new.closed"), text=t("new.closed.text"), icon="lock")),
            loading_rows(),
        ),
        class_name="tc-new",
    )


def _asking() -> rx.Component:
    return stack(
        page_header(t("new.title"), hint=t("new.hint")),
        split(
            stack(
                card(
                    template_form(
                        fields=NewTicketState.fields,
                        actions=NewTicketState.actions,
                        problems=NewTicketState.problems,
                        busy=NewTicketState.busy,
                        draft_key=NewTicketState.draft_key,
                        search_url=SEARCH_URL,
                        on_submit=NewTicketState.open_ticket,
                        on_typed=NewTicketState.typed,
                        key=NewTicketState.draft_key,
                    ),
                ),
                gap=16,
            ),
            stack(_customer(), _templates(), gap=16),
        ),
        gap=16,
    )


def _templates() -> rx.Component:
    def one(each: Item) -> rx.Component:
        code = each["code"].to(str)
        return rx.el.button(
            face_icon(each["icon"].to(str)),
            rx.el.span(
                rx.el.strong(tl(each["name"])),
                rx.el.span(tl(each["line"]), class_name="tc-help"),
                class_name="tc-template-text",
            ),
            type="button",
            class_name="tc-template",
            custom_attrs={
                "aria-pressed": rx.cond(NewTicketState.template == code, "true", "false"),
                "data-template": code,
            },
            on_click=NewTicketState.choose(code),
        )

    return card(
        rx.el.div(
            rx.foreach(NewTicketState.templates, one),
            class_name="tc-templates",
            role="group",
            aria_label=t("new.template"),
        ),
        title=t("new.template"),
        actions=[rx.cond(NewTicketState.is_chosen, badge(t("new.by_hand")), badge(t("new.by_words")))],
    )


def _customer() -> rx.Component:
    who = NewTicketState.customer
    return card(
        rx.cond(
            who,
            stack(
                row(
                    rx.el.strong(who["name"].to(str)),
                    rx.cond(who["is_vip"], badge(t("ticket.vip"), tone="violet", icon="crown")),
                    rx.el.span(who["phone"].to(str), class_name="tc-mono tc-muted"),
                    icon_button("x", label=t("new.drop_customer"), on_click=NewTicketState.drop_customer),
                ),
                rx.cond(
                    NewTicketState.assets.length() > 0,
                    rx.el.div(
                        rx.foreach(NewTicketState.assets, _asset),
                        class_name="tc-devices",
                        role="group",
                        aria_label=t("new.which_asset"),
                    ),
                    rx.el.p(t("new.no_assets"), class_name="tc-muted"),
                ),
            ),
            stack(
                search_box(label=t("new.find"), default_value="", on_change=NewTicketState.look_for),
                rx.cond(
                    NewTicketState.found.length() > 0,
                    rx.el.ul(rx.foreach(NewTicketState.found, _found), class_name="tc-found"),
                    rx.cond(
                        NewTicketState.search != "",
                        rx.el.p(t("new.nobody_found"), class_name="tc-muted"),
                        rx.el.p(t("new.find.text"), class_name="tc-help"),
                    ),
                ),
            ),
        ),
        title=t("new.customer"),
    )


def _found(each: Item) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.strong(each["name"].to(str)),
            rx.cond(each["is_vip"], badge(t("ticket.vip"), tone="violet")),
            rx.el.span(each["phone"].to(str), class_name="tc-mono tc-muted"),
            type="button",
            on_click=NewTicketState.pick(each["id"].to(int)),
        )
    )


def _asset(each: Item) -> rx.Component:
    return rx.el.button(
        rx.el.strong(tl(each["model_name"])),
        rx.cond(
            each["is_in_warranty"],
            badge(t("ticket.in_warranty"), tone="ok"),
            badge(t("ticket.out_of_warranty")),
        ),
        rx.el.span(each["serial"].to(str), class_name="tc-mono tc-muted"),
        type="button",
        class_name="tc-device",
        custom_attrs={
            "aria-pressed": rx.cond(NewTicketState.asset_id == each["id"].to(int), "true", "false")
        },
        on_click=NewTicketState.pick_asset(each["id"].to(int)),
    )


def _opened() -> rx.Component:
    one = NewTicketState.opened
    return rx.el.section(
        rx.icon("circle_check", aria_hidden="true", class_name="tc-opened-mark"),
        rx.el.h1(t("new.opened", no=one["no"])),
        row(
            priority_chip(one["priority"]),
            rx.cond(
                one["assignee"].to(str) != "",
                rx.el.span(t("new.assigned_to", who=one["assignee"])),
                rx.el.span(t("new.assigned_to_nobody"), class_name="tc-muted"),
            ),
            gap=14,
            class_name="tc-opened-facts",
        ),
        rx.el.div(
            rx.el.span(t("new.link"), class_name="tc-label"),
            copy_text(text=one["link"].to(str), label=t("new.link")),
            rx.el.span(t("new.link.text"), class_name="tc-help"),
            class_name="tc-field",
        ),
        row(
            button_link(
                t("new.show"),
                href=rx.Var.create("/tickets/") + one["ticket_id"].to_string(),
                tone="primary",
                icon="arrow_right",
            ),
            button(t("new.another"), icon="plus", on_click=NewTicketState.another, auto_focus=True),
            button_link(t("ticket.to_board"), href="/board", icon="square_kanban"),
        ),
        class_name="tc-card tc-opened",
        role="status",
    )
