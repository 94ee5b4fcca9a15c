"""One line on the dispatcher's pages while dispatch is changed for a time: what, where, until when, why."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import note
from ticket_console.components.shell import link
from ticket_console.components.text import t, t_with, tl, when

Item = rx.vars.ObjectVar[dict[str, Any]]


def surge_banner(strategies: Any) -> rx.Component:
    """`strategies`: [{opens_standby, region: {zh, en}?, until: ISO, why: {key, params}?, reason}]."""
    return rx.cond(
        strategies.length() > 0,
        rx.el.div(rx.foreach(strategies, _line), class_name="tr-banner", role="status"),
        rx.fragment(),
    )


def _line(each: Item) -> rx.Component:
    return note(
        rx.el.strong(
            rx.cond(each["opens_standby"], t("surge.banner.standby"), t("surge.banner.strategy")),
        ),
        " ",
        rx.cond(each["region"], tl(each["region"]), t("surge.everywhere")),
        " · ",
        t("surge.banner.until"),
        " ",
        when(each["until"], form="time"),
        " · ",
        why(each),
        " ",
        link(t("surge.banner.more"), href="/radar", class_name="tc-link"),
        tone="warn",
        icon="siren",
    )


def why(each: Item) -> rx.Component:
    facts = each["why"].to(dict[str, Any])
    return rx.cond(each["why"], t_with(facts["key"].to(str), facts["params"]), each["reason"])
