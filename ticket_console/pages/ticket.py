"""One ticket: what it is, where it stands, what is to be done, and what has happened."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    badge,
    button,
    button_link,
    card,
    empty,
    facts,
    field,
    loaded,
    note,
    page_header,
    priority_chip,
    progress_bar,
    row,
    split,
    stack,
    tabs,
    text_area,
    timeline,
)
from ticket_console.components.form import template_form
from ticket_console.components.overlay import reason_dialog
from ticket_console.components.text import due, money, t, t_with, tl, when
from ticket_console.components.ticket import assign_dialog, decision_panel, rating_panel, value_list
from ticket_console.pages.frame import console_page
from ticket_console.state.ticket import TicketState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/tickets/[ticket]",
    title="ticket.page",
    active="board",
    on_load=[TicketState.load, TicketState.watch],
)
def ticket() -> rx.Component:
    return rx.fragment(
        loaded(TicketState.status, _whole(), on_retry=TicketState.load),
        reason_dialog(
            open=TicketState.asking == "return",
            title=t("ticket.send_back"),
            on_confirm=TicketState.send_back,
            on_cancel=TicketState.stop_asking,
        ),
        reason_dialog(
            open=TicketState.asking == "cancel",
            title=t("ticket.give_up"),
            on_confirm=TicketState.cancel,
            on_cancel=TicketState.stop_asking,
            danger=True,
        ),
        reason_dialog(
            open=TicketState.asking == "release",
            title=t("ticket.release"),
            on_confirm=TicketState.release,
            on_cancel=TicketState.stop_asking,
        ),
        reason_dialog(
            open=TicketState.asking == "correct",
            title=t("ticket.correct_pay"),
            on_confirm=TicketState.correct,
            on_cancel=TicketState.stop_asking,
        ),
        assign_dialog(
            open=TicketState.asking == "assign",
            technicians=TicketState.technicians,
            on_assign=TicketState.assign,
            on_close=TicketState.stop_asking,
        ),
    )


def _whole() -> rx.Component:
    one = TicketState.ticket
    return stack(
        page_header(
            one["title"].to(str),
            rx.cond(
                one["can_assign"],
                button(t("ticket.assign"), icon="user_plus", on_click=TicketState.ask("assign")),
            ),
            rx.cond(
                one["can_cancel"],
                button(t("ticket.give_up"), tone="danger", on_click=TicketState.ask("cancel")),
            ),
        ),
        row(
            rx.el.span(one["no"].to(str), class_name="tc-no"),
            tl(one["template"]),
            priority_chip(one["priority"]),
            rx.cond(one["is_vip"], badge(t("ticket.vip"), tone="violet")),
            rx.cond(
                one["returns"].to(int) > 0,
                badge(t("ticket.returns", n=one["returns"].to(int)), tone="warn"),
            ),
        ),
        _stages(one),
        split(
            stack(
                rx.foreach(TicketState.steps, _step),
                card(
                    rx.cond(
                        one["description"].to(str) != "",
                        rx.el.p(one["description"].to(str), class_name="tc-prose"),
                    ),
                    value_list(TicketState.fields),
                    title=t("ticket.request"),
                ),
                _story(),
                gap=16,
            ),
            stack(_people(one), _times(one), _why(), _money(one), _background(), gap=16),
        ),
        gap=16,
    )


def _stages(one: Item) -> rx.Component:
    def stage(item: Item) -> rx.Component:
        return rx.el.li(
            rx.el.span(tl(item["name"])),
            custom_attrs={"data-state": item["state"].to(str), "data-category": item["category"].to(str)},
        )

    return rx.el.div(
        rx.el.ol(
            rx.foreach(one["stages"].to(list[dict[str, Any]]), stage),
            class_name="tc-stages",
            aria_label=t("ticket.where"),
        ),
        progress_bar(one["progress_bp"].to(int), label=t("ticket.progress")),
        class_name="tc-stack",
    )


def _step(step: Item) -> rx.Component:
    back = step["ways_back"].to(list[dict[str, Any]])
    return card(
        rx.cond(
            step["can_act"],
            template_form(
                fields=step["fields"],
                actions=step["actions"],
                problems=TicketState.problems,
                busy=TicketState.busy,
                upload_url=step["upload_url"],
                on_submit=lambda answer: TicketState.finish_step(step["token_id"].to(int), answer),
            ),
            rx.el.p(t("ticket.waits_for", who=_owner(step)), class_name="tc-muted"),
        ),
        row(
            rx.foreach(
                back,
                lambda edge: button(
                    tl(edge["name"]),
                    icon="undo_2",
                    on_click=TicketState.ask_return(
                        step["token_id"].to(int), edge["key"].to(str), edge["kind"].to(str)
                    ),
                ),
            ),
            rx.cond(
                step["is_own"] & (step["owner_kind"].to(str) == "technician"),
                button(t("ticket.release"), tone="quiet", on_click=TicketState.ask("release")),
            ),
            rx.cond(
                (step["owner_kind"].to(str) == "queue") & TicketState.roles.contains("technician"),
                button(t("ticket.take"), tone="primary", on_click=TicketState.claim),
            ),
        ),
        title=t("ticket.step", name=step["name"]),
        actions=[when(step["entered_at"], TicketState.ticket["tz"].to(str))],
    )


def _owner(step: Item) -> rx.Var[str]:
    return rx.match(
        step["owner_kind"].to(str),
        ("technician", step["owner"].to(str)),
        ("customer", t("ticket.owner.customer")),
        ("queue", t(rx.Var.create("role.") + step["owner"].to(str))),
        t("ticket.owner.system"),
    )


def _people(one: Item) -> rx.Component:
    return card(
        facts(
            (t("ticket.assignee"), rx.cond(one["assignee"], one["assignee"].to(str), t("ticket.nobody"))),
            (t("ticket.contact"), one["contact_name"].to(str)),
            (
                t("ticket.phone"),
                rx.cond(
                    one["contact_phone"].to(str) != "",
                    rx.el.a(
                        one["contact_phone"].to(str),
                        href="tel:" + one["contact_phone"].to(str),
                        class_name="tc-link",
                    ),
                    "—",
                ),
            ),
            (t("ticket.place"), rx.cond(one["site"], tl(one["site"]), "—")),
            (t("ticket.address"), rx.cond(one["address"].to(str) != "", one["address"].to(str), "—")),
            (t("ticket.region"), rx.cond(one["region"], tl(one["region"]), "—")),
            (t("ticket.source"), t(rx.Var.create("intake.source.") + one["source"].to(str))),
        ),
        rx.cond(
            one["lat"],
            button_link(
                t("ticket.navigate"),
                icon="navigation",
                document=True,
                href="geo:"
                + one["lat"].to_string()
                + ","
                + one["lon"].to_string()
                + "?q="
                + one["lat"].to_string()
                + ","
                + one["lon"].to_string(),
            ),
        ),
        title=t("ticket.people"),
    )


def _times(one: Item) -> rx.Component:
    tz = one["tz"].to(str)

    def moment(key: str) -> rx.Component:
        return rx.cond(one[key], when(one[key], tz), "—")

    return card(
        facts(
            (t("ticket.opened_at"), moment("opened_at")),
            (
                t("ticket.due_at"),
                rx.cond(
                    one["closed_at"],
                    moment("due_at"),
                    row(moment("due_at"), rx.cond(one["due_at"], due(one["due_at"]))),
                ),
            ),
            (t("ticket.responded_at"), moment("responded_at")),
            (t("ticket.resolved_at"), moment("resolved_at")),
            (t("ticket.closed_at"), moment("closed_at")),
            (t("ticket.zone"), tz),
        ),
        rx.foreach(
            one["priority_reason"].to(dict[str, Any])["reasons"].to(list[dict[str, Any]]),
            lambda reason: note(t_with(reason["code"].to(str), reason), icon="flag"),
        ),
        title=t("ticket.times"),
    )


def _why() -> rx.Component:
    return card(decision_panel(TicketState.decisions), title=t("ticket.why"))


def _money(one: Item) -> rx.Component:
    return rx.cond(
        TicketState.money.length() > 0,
        card(
            rx.foreach(TicketState.money, rating_panel),
            title=t("ticket.pay"),
            actions=[
                rx.cond(
                    TicketState.permissions.contains("settlement.correct"),
                    button(t("ticket.correct_pay"), small=True, on_click=TicketState.ask("correct")),
                )
            ],
        ),
    )


def _background() -> rx.Component:
    background = TicketState.context
    return rx.cond(
        background,
        card(
            _listed(
                t("ticket.assets"),
                background["assets"].to(list[dict[str, Any]]),
                lambda each: rx.fragment(
                    rx.el.strong(tl(each["model_name"])),
                    " ",
                    rx.el.span(each["serial"].to(str), class_name="tc-no"),
                    " ",
                    rx.cond(
                        each["is_in_warranty"],
                        badge(t("ticket.in_warranty"), tone="ok"),
                        badge(t("ticket.out_of_warranty")),
                    ),
                ),
            ),
            _listed(
                t("ticket.orders"),
                background["orders"].to(list[dict[str, Any]]),
                lambda each: rx.fragment(
                    rx.el.span(each["no"].to(str), class_name="tc-no"),
                    " ",
                    each["ordered_on"].to(str),
                    " ",
                    rx.cond(
                        each["total_minor"], money(each["total_minor"].to(int), each["currency"].to(str)), ""
                    ),
                ),
            ),
            _listed(
                t("ticket.agreements"),
                background["agreements"].to(list[dict[str, Any]]),
                lambda each: rx.fragment(
                    tl(each["coverage"]),
                    " ",
                    badge(t(rx.Var.create("ticket.agreement.") + each["state"].to(str))),
                ),
            ),
            title=t("ticket.background"),
        ),
    )


def _listed(heading: rx.Var[str], rows: rx.Var[list[dict[str, Any]]], draw: Any) -> rx.Component:
    return rx.el.div(
        rx.el.h3(heading),
        rx.cond(
            rows.length() > 0,
            rx.el.ul(rx.foreach(rows, lambda each: rx.el.li(draw(each)))),
            rx.el.p(t("ticket.none"), class_name="tc-muted"),
        ),
        class_name="tc-listed",
    )


def _story() -> rx.Component:
    return card(
        tabs(
            [
                ("timeline", t("ticket.timeline")),
                ("comments", t("ticket.comments", n=TicketState.comments.length())),
                ("files", t("ticket.files", n=TicketState.attachments.length())),
            ],
            value=TicketState.tab,
            on_change=TicketState.show_tab,
            label=t("ticket.story"),
        ),
        rx.match(
            TicketState.tab,
            ("comments", _comments()),
            ("files", _files()),
            timeline(TicketState.events, _event),
        ),
    )


def _event(item: Item) -> tuple[rx.Component, Any, Any]:
    details = item["details"].to(dict[str, Any])
    return (
        rx.icon("dot", aria_hidden="true"),
        rx.match(
            item["type"].to(str),
            ("ticket.returned", "warn"),
            ("ticket.rejected", "warn"),
            ("ticket.cancelled", "danger"),
            ("ticket.closed", "ok"),
            "plain",
        ),
        rx.fragment(
            rx.el.strong(item["who"].to(str)),
            " ",
            t(item["type"].to(str)),
            rx.cond(details["step"], rx.fragment(" · ", tl(details["step"]))),
            rx.cond(details["technician"], rx.fragment(" · ", details["technician"].to(str))),
            rx.cond(details["reason"], rx.el.q(details["reason"].to(str))),
            rx.el.div(when(item["at"], TicketState.ticket["tz"].to(str)), class_name="tc-muted"),
        ),
    )


def _comments() -> rx.Component:
    return stack(
        rx.cond(
            TicketState.comments.length() > 0,
            rx.foreach(
                TicketState.comments,
                lambda each: rx.el.article(
                    row(
                        rx.el.strong(each["who"].to(str)),
                        when(each["at"], TicketState.ticket["tz"].to(str)),
                        rx.cond(
                            each["visibility"].to(str) == "customer",
                            badge(t("ticket.seen_by_customer"), tone="accent"),
                        ),
                    ),
                    rx.el.p(each["text"].to(str), class_name="tc-prose"),
                    class_name="tc-comment",
                ),
            ),
            empty(t("ticket.no_comments"), icon="message_circle"),
        ),
        rx.cond(
            TicketState.ticket["can_comment"],
            rx.el.form(
                stack(
                    field(t("ticket.comment"), text_area(name="text", required=True, max_length=5000)),
                    row(
                        rx.el.label(
                            rx.el.input(type="checkbox", name="for_customer"),
                            " ",
                            t("ticket.show_customer"),
                        ),
                        button(t("ticket.send"), tone="primary", type="submit"),
                    ),
                ),
                on_submit=TicketState.comment,
                reset_on_submit=True,
            ),
        ),
    )


def _files() -> rx.Component:
    return rx.cond(
        TicketState.attachments.length() > 0,
        rx.el.ul(
            rx.foreach(
                TicketState.attachments,
                lambda each: rx.el.li(
                    rx.el.a(
                        rx.cond(
                            each["content_type"].to(str).startswith("image/"),
                            rx.el.img(
                                src="/api/v1/attachments/" + each["id"].to_string(),
                                alt=each["filename"].to(str),
                                loading="lazy",
                            ),
                            rx.icon("file_text", aria_hidden="true"),
                        ),
                        rx.el.span(each["filename"].to(str)),
                        href="/api/v1/attachments/" + each["id"].to_string(),
                        target="_blank",
                        rel="noopener",
                    ),
                ),
            ),
            class_name="tc-files",
        ),
        empty(t("ticket.no_files"), icon="paperclip"),
    )
