"""The log-in page: a plain form, because only an HTTP answer can set a cookie that scripts cannot read."""

import reflex as rx

from ticket_console.components import blocks
from ticket_console.components.text import t
from ticket_console.pages.frame import visitor_page
from ticket_console.state.login import LoginState


@visitor_page("/login", title="login.title", on_load=[LoginState.load], align="center")
def login() -> rx.Component:
    return rx.el.div(
        blocks.page_header(t("login.title"), hint=t("login.text")),
        rx.cond(
            LoginState.problem,
            blocks.note(t(LoginState.problem), tone="danger", icon="circle_alert", role="alert"),
            rx.fragment(),
        ),
        blocks.post_form(
            blocks.field(
                t("login.name"),
                blocks.text_input(
                    name="username",
                    auto_complete="username",
                    required=True,
                    auto_focus=True,
                    spell_check=False,
                ),
            ),
            blocks.field(
                t("login.password"),
                blocks.text_input(
                    name="password", type="password", auto_complete="current-password", required=True
                ),
            ),
            rx.el.input(type="hidden", name="next", value=LoginState.next_path, read_only=True),
            blocks.button(t("login.submit"), tone="primary", type="submit"),
            action="/auth/login",
            class_name="tc-stack",
            style={"--gap": "14px"},
        ),
        rx.cond(LoginState.demo_logins, _demo_logins(), rx.fragment()),
        class_name="tc-login",
    )


def _demo_logins() -> rx.Component:
    return rx.el.section(
        rx.el.h2(t("login.demo"), class_name="tc-help"),
        rx.el.div(rx.foreach(LoginState.demo_logins, _demo_login), class_name="tc-login-demo"),
    )


def _demo_login(account: rx.vars.ObjectVar[dict[str, str]]) -> rx.Component:
    hidden = [
        rx.el.input(type="hidden", name=name, value=value, read_only=True)
        for name, value in (
            ("username", account["username"]),
            ("password", account["password"]),
            ("next", LoginState.next_path),
        )
    ]
    face = rx.el.button(
        rx.el.span(t(rx.Var.create("role.") + account["role"].to(str)), class_name="tc-strong"),
        rx.el.span(account["username"], class_name="tc-help tc-mono"),
        type="submit",
        class_name="tc-login-account",
    )
    return blocks.post_form(*hidden, face, action="/auth/login")
