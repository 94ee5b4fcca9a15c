"""What strangers see: which requests they may send, the form of each, and their ticket's number."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import button, button_link, empty, loaded, note, row, stack, text_input
from ticket_console.components.face import face_icon
from ticket_console.components.form import template_form
from ticket_console.components.shell import link
from ticket_console.components.text import t, t_with, tl
from ticket_console.pages.frame import visitor_page
from ticket_console.state.request import RequestState

Item = rx.vars.ObjectVar[dict[str, Any]]


@visitor_page("/request", title="request.title", on_load=[RequestState.list_forms])
def requests() -> rx.Component:
    return rx.el.div(
        _head(t("request.title"), t("request.choose")),
        loaded(
            RequestState.status,
            rx.cond(
                RequestState.forms.length() > 0,
                rx.el.ul(rx.foreach(RequestState.forms, _form_link), class_name="tc-request-list"),
                empty(t("request.none"), text=t("request.none.text"), icon="clipboard_list"),
            ),
            on_retry=RequestState.list_forms,
        ),
        class_name="tc-request",
    )


@visitor_page("/request/[template]", title="request.title", on_load=[RequestState.open_form])
def request() -> rx.Component:
    return rx.el.div(
        rx.cond(
            RequestState.status == "missing",
            empty(
                rx.el.h1(t("request.missing"), style={"font": "inherit"}),
                button_link(t("request.see_all"), href="/request", tone="primary"),
                text=t("request.missing.text"),
                icon="map_pin_off",
            ),
            loaded(
                RequestState.status,
                rx.cond(RequestState.ticket_no != "", _receipt(), _form()),
                on_retry=RequestState.open_form,
            ),
        ),
        class_name="tc-request",
    )


def _head(title: rx.Var[str], hint: rx.Var[str]) -> rx.Component:
    return rx.el.header(
        rx.cond(
            RequestState.company,
            rx.el.div(tl(RequestState.company), class_name="tc-request-company"),
        ),
        rx.el.h1(title),
        rx.el.p(hint, class_name="tc-muted"),
        class_name="tc-request-head",
    )


def _form_link(item: Item) -> rx.Component:
    return rx.el.li(
        link(
            face_icon(item["icon"].to(str)),
            rx.el.span(tl(item["name"]), class_name="tc-strong"),
            rx.icon("chevron_right", aria_hidden="true"),
            href=item["href"].to(str),
        )
    )


def _form() -> rx.Component:
    return stack(
        _head(tl(RequestState.name), t("request.intro")),
        rx.cond(
            RequestState.problem.contains("code"),
            note(
                t_with(RequestState.problem["code"].to(str), RequestState.problem["params"]),
                tone="danger",
                icon="circle_alert",
                role="alert",
            ),
        ),
        rx.el.div(
            template_form(
                fields=RequestState.fields,
                actions=RequestState.actions,
                problems=RequestState.problems,
                busy=RequestState.busy,
                draft_key="request:" + RequestState.code,
                on_submit=RequestState.send,
            ),
            key=RequestState.code,
            class_name="tc-request-form",
        ),
        rx.el.p(t("request.privacy"), class_name="tc-help"),
        gap=18,
    )


def _receipt() -> rx.Component:
    return rx.el.section(
        rx.el.span(rx.icon("circle_check", size=30, aria_hidden="true"), class_name="tc-request-done"),
        rx.el.h1(t("request.received")),
        rx.el.p(t("request.received.text"), class_name="tc-muted"),
        rx.el.div(
            rx.el.span(t("request.number"), class_name="tc-help"),
            rx.el.strong(RequestState.ticket_no, class_name="tc-request-no"),
            class_name="tc-request-ticket",
        ),
        rx.cond(
            RequestState.tracking_url != "",
            stack(
                rx.el.label(
                    rx.el.span(t("request.link"), class_name="tc-label"),
                    row(
                        text_input(
                            value=RequestState.tracking_url,
                            read_only=True,
                            id="tracking",
                            class_name="tc-mono",
                        ),
                        button(
                            t("request.copy"),
                            icon="copy",
                            on_click=rx.call_script(
                                rx.Var(
                                    "(() => { const link = document.getElementById('tracking');"
                                    " link.select(); (navigator.clipboard?.writeText(link.value)"
                                    " ?? Promise.reject()).catch(() => document.execCommand('copy'));"
                                    " document.getElementById('copied').hidden = false; })()"
                                ).to(str)
                            ),
                        ),
                        class_name="tc-request-link",
                    ),
                    class_name="tc-field",
                ),
                rx.el.span(
                    t("request.copied"), id="copied", hidden=True, role="status", class_name="tc-help"
                ),
                button_link(
                    t("request.track"), href=RequestState.tracking_url, document=True, tone="primary"
                ),
                class_name="tc-request-track",
            ),
        ),
        button(t("request.another"), tone="quiet", on_click=RequestState.another),
        class_name="tc-request-receipt",
        aria_live="polite",
    )
