"""A technician's day, made for a phone in one hand."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    badge,
    button,
    button_link,
    empty,
    failed,
    loading_rows,
    note,
    page_header,
    priority_chip,
    stack,
    tabs,
    text_link,
)
from ticket_console.components.countdown import countdown
from ticket_console.components.overlay import reason_dialog
from ticket_console.components.text import due, number, t, t_with, tl, when
from ticket_console.components.ticket import navigate_link
from ticket_console.pages.frame import console_page
from ticket_console.state.my import MyState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/my", title="my.title", active="my", permission="ticket.act", on_load=[MyState.load, MyState.watch]
)
def my() -> rx.Component:
    return rx.match(
        MyState.status,
        ("ready", _day()),
        ("failed", failed(on_retry=MyState.load)),
        (
            "stranger",
            rx.fragment(
                page_header(t("my.title")), empty(t("my.stranger"), text=t("my.stranger.text"), icon="wrench")
            ),
        ),
        loading_rows(),
    )


def _day() -> rx.Component:
    return stack(
        page_header(
            t("my.title"),
            button_link(t("my_map.title"), href="/my/map", icon="map"),
            _duty(),
            hint=t("my.hello", name=MyState.user_name),
        ),
        _asked(),
        tabs(
            [
                ("jobs", t("my.jobs", n=MyState.jobs.length())),
                ("claim", t("my.up_for_claim", n=MyState.up_for_claim.length())),
                ("done", t("my.done", n=MyState.finished.length())),
            ],
            value=MyState.tab,
            on_change=MyState.show_tab,
            label=t("my.which"),
        ),
        rx.match(
            MyState.tab,
            (
                "claim",
                _list(MyState.up_for_claim, _offer, empty(t("my.no_claims"), text=t("my.no_claims.text"))),
            ),
            (
                "done",
                _list(
                    MyState.finished,
                    _finished,
                    empty(t("my.nothing_done"), text=t("my.nothing_done.text"), icon="circle_check"),
                ),
            ),
            _list(MyState.jobs, _job, empty(t("my.no_jobs"), text=t("my.no_jobs.text"), icon="coffee")),
        ),
        gap=16,
        class_name="tc-my",
    )


def _asked() -> rx.Component:
    """What somebody is asked for stands above everything else: it will not wait."""
    return rx.fragment(
        rx.cond(
            MyState.asked.length() + MyState.lost.length() > 0,
            rx.el.section(
                rx.el.h2(t("my.asked"), class_name="tc-asked-title"),
                rx.el.ul(
                    rx.foreach(MyState.asked, _question),
                    rx.foreach(MyState.lost, _gone),
                    class_name="tc-jobs",
                ),
                class_name="tc-asked",
                aria_live="polite",
            ),
        ),
        reason_dialog(
            open=MyState.declining.contains("no"),
            title=t("my.decline_why", no=MyState.declining["no"].to(str)),
            on_confirm=MyState.decline,
            on_cancel=MyState.keep_thinking,
        ),
    )


def _question(item: Item) -> rx.Component:
    job, asked = item["job"].to(dict[str, Any]), item["asked"].to(dict[str, Any])
    ticket_id = asked["ticket_id"].to(int)
    return _card(
        job,
        _title(job, link=False),
        _place(job),
        rx.el.p(
            rx.icon("timer", aria_hidden="true"),
            t("my.answer_within"),
            countdown(asked["until"]),
            class_name="tc-job-next tc-asked-until",
        ),
        rx.el.div(
            button(t("my.decline"), icon="x", on_click=MyState.ask_why_not(ticket_id, job["no"].to(str))),
            button(
                t("my.accept"),
                tone="primary",
                icon="hand",
                busy=MyState.taking == ticket_id,
                on_click=MyState.accept(ticket_id),
            ),
            class_name="tc-job-ways",
        ),
    )


def _gone(item: Item) -> rx.Component:
    job, asked = item["job"].to(dict[str, Any]), item["asked"].to(dict[str, Any])
    return _card(
        job,
        _title(job, link=False),
        note(
            t("my.taken_by", who=asked["taken_by"].to(str), when=asked["taken_at"].to(str)),
            icon="user_check",
        ),
    )


def _duty() -> rx.Component:
    return rx.el.button(
        rx.el.span(class_name="tc-switch-track", aria_hidden="true"),
        rx.cond(MyState.is_on_duty, t("my.on_duty"), t("my.off_duty")),
        type="button",
        role="switch",
        class_name="tc-switch",
        custom_attrs={"aria-checked": rx.cond(MyState.is_on_duty, "true", "false")},
        on_click=MyState.set_duty(~MyState.is_on_duty),
    )


def _list(rows: rx.Var[list[dict[str, Any]]], draw: Any, nothing: rx.Component) -> rx.Component:
    return rx.cond(rows.length() > 0, rx.el.ul(rx.foreach(rows, draw), class_name="tc-jobs"), nothing)


def _job(job: Item) -> rx.Component:
    phone = job["contact_phone"].to(str)
    return _card(
        job,
        _title(job, link=True),
        _place(job),
        rx.cond(
            job["visit"],
            rx.el.p(
                rx.icon("calendar_clock", aria_hidden="true"),
                t("my.planned_for"),
                " ",
                when(job["visit"].to(dict[str, Any])["starts_at"]),
                class_name="tc-job-next",
            ),
        ),
        rx.cond(
            job["step"],
            rx.el.p(rx.icon("list_checks", aria_hidden="true"), tl(job["step"]), class_name="tc-job-next"),
        ),
        rx.el.div(
            rx.cond(
                phone != "",
                rx.el.a(
                    rx.icon("phone", aria_hidden="true"),
                    t("my.call"),
                    href=rx.Var.create("tel:") + phone,
                    class_name="tc-btn",
                    aria_label=t("my.call_who", who=job["contact_name"], phone=phone),
                ),
            ),
            rx.cond(job["lat"], navigate_link(lat=job["lat"], lon=job["lon"])),
            button_link(t("my.open"), href=_address(job), tone="primary", icon="square_pen"),
            class_name="tc-job-ways",
        ),
    )


def _offer(job: Item) -> rx.Component:
    against = job["against"].to(list[dict[str, Any]])
    return _card(
        job,
        _title(job, link=False),
        _place(job),
        rx.cond(
            against.length() > 0,
            rx.el.ul(
                rx.foreach(against, lambda each: rx.el.li(t_with(each["key"].to(str), each["params"]))),
                class_name="tc-against",
            ),
            rx.el.div(
                button(
                    t("my.take"),
                    tone="primary",
                    icon="hand",
                    busy=MyState.taking == job["ticket_id"].to(int),
                    on_click=MyState.take(job["ticket_id"].to(int), job["version"].to(int)),
                ),
                class_name="tc-job-ways",
            ),
        ),
    )


def _finished(job: Item) -> rx.Component:
    return _card(
        job,
        _title(job, link=True),
        rx.el.p(
            rx.icon("circle_check", aria_hidden="true"),
            when(job["closed_at"], form="datetime"),
            class_name="tc-job-next",
        ),
    )


def _card(job: Item, *parts: rx.Component) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            priority_chip(job["priority"]),
            rx.el.span(tl(job["template"]), class_name="tc-clip"),
            rx.el.span(job["no"].to(str), class_name="tc-mono tc-muted"),
            rx.cond(job["is_vip"], badge(t("ticket.vip"), tone="violet", icon="crown")),
            rx.cond(job["due_at"] & ~job["closed_at"], due(job["due_at"], class_name="tc-job-due")),
            class_name="tc-job-head",
        ),
        *parts,
        class_name="tc-job",
        key=job["ticket_id"].to_string(),
        custom_attrs={"data-ticket": job["no"].to(str)},
    )


def _title(job: Item, *, link: bool) -> rx.Component:
    title = job["title"].to(str)
    return rx.el.h2(text_link(title, href=_address(job)) if link else title)


def _address(job: Item) -> rx.Var[str]:
    return rx.Var.create("/tickets/") + job["ticket_id"].to_string()


def _place(job: Item) -> rx.Component:
    return rx.el.p(
        rx.icon("map_pin", aria_hidden="true"),
        rx.el.span(
            rx.cond(job["site"], rx.fragment(rx.el.strong(tl(job["site"])), " ")),
            rx.cond(job["address"].to(str) != "", job["address"].to(str), t("ticket.no_address")),
        ),
        rx.cond(
            job["distance_km"],
            rx.el.span(t("my.distance", km=number(job["distance_km"].to(float))), class_name="tc-job-far"),
        ),
        class_name="tc-job-place",
    )
