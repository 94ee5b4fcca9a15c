"""Two ways through a flow, drawn beside each other."""

from typing import Any

import reflex as rx
from reflex.event import EventType

from ticket_console.components.blocks import card, icon_button
from ticket_console.components.text import t, tl, when
from ticket_console.designer.flow.canvas import flow_canvas

Item = rx.vars.ObjectVar[dict[str, Any]]


def pair_card(
    pair: Item,
    *,
    title: rx.Var[str],
    was: rx.Var[str],
    would: rx.Var[str],
    on_close: EventType[()],
    zone: Any = None,
) -> rx.Component:
    """`pair`: {"focus": edge keys, "base" and "draft": {"document", "paths", "legs"?}}.

    Both pictures open where the ways part. With a `zone` the legs of each way are told below its picture.
    """
    return card(
        rx.el.p(
            rx.el.span(t("flow_proof.legend.both"), custom_attrs={"data-tone": "ok"}),
            rx.el.span(t("flow_proof.legend.alone"), custom_attrs={"data-tone": "warn"}),
            class_name="fp-legend",
        ),
        rx.el.div(
            _side(was, pair["base"].to(dict[str, Any]), pair["focus"], zone),
            _side(would, pair["draft"].to(dict[str, Any]), pair["focus"], zone),
            class_name="fp-pair",
        ),
        title=title,
        actions=[icon_button("x", label=t("flow_proof.close"), on_click=on_close)],
    )


def _side(title: rx.Var[str], side: Item, focus: Any, zone: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h3(title, class_name="tc-strong"),
        rx.el.div(
            flow_canvas(document=side["document"], paths=side["paths"], focus=focus, read_only=True),
            class_name="fp-canvas",
        ),
        rx.fragment() if zone is None else _legs(side["legs"].to(list[dict[str, Any]]), zone),
    )


def _legs(legs: Any, zone: Any) -> rx.Component:
    return rx.cond(
        legs.length() > 0,
        rx.el.ol(
            rx.foreach(
                legs,
                lambda leg: rx.el.li(
                    when(leg["at"], zone),
                    rx.el.span(tl(leg["name"]), class_name="tc-strong"),
                    rx.el.span(t(leg["how"].to(str)), class_name="tc-small"),
                ),
            ),
            class_name="fp-legs",
        ),
        rx.el.p(t("flow_proof.nothing"), class_name="tc-help"),
    )
