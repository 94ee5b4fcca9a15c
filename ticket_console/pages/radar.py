"""Where work will pile up within four hours, what would help, and what is changed for a time."""

from typing import Any

import reflex as rx

from ticket_console.components.address import address_select
from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    card,
    data_table,
    empty,
    field,
    grid,
    loaded,
    note,
    page_header,
    row,
    select,
    stack,
    text_input,
)
from ticket_console.components.chart import bar_chart
from ticket_console.components.overlay import dialog, reason_dialog
from ticket_console.components.surge_banner import surge_banner, why
from ticket_console.components.text import number, span, t, tl, when
from ticket_console.pages.frame import console_page
from ticket_console.state.radar import RadarState
from ticket_console.state.surge import SurgeState

Item = rx.vars.ObjectVar[dict[str, Any]]

_MAY_CHANGE = RadarState.permissions.contains("dispatch.manage")


@console_page(
    "/radar",
    title="radar.title",
    active="radar",
    permission="board.view",
    on_load=[RadarState.load, SurgeState.watch_surges, RadarState.watch],
)
def radar() -> rx.Component:
    return stack(
        page_header(
            t("radar.title"),
            address_select(
                "region",
                label=t("tickets.region"),
                all=t("tickets.every_region"),
                options=RadarState.choices,
            ),
            rx.cond(_MAY_CHANGE, button(t("radar.open_standby"), icon="siren", on_click=RadarState.ask)),
            hint=t("radar.hint"),
        ),
        surge_banner(SurgeState.banner),
        loaded(
            RadarState.status,
            stack(_suggestion(), _stages(), _times(), _log(), _rules(), gap=16),
            on_retry=[RadarState.load, RadarState.watch],
        ),
        reason_dialog(
            open=RadarState.asking,
            title=t("radar.open_standby_for"),
            on_confirm=RadarState.open_standby,
            on_cancel=RadarState.stop_asking,
        ),
        _rule_dialog(),
        gap=16,
    )


def _suggestion() -> rx.Component:
    found = RadarState.suggestion
    return rx.cond(
        found.contains("stage"),
        note(
            rx.el.strong(
                rx.cond(
                    found["opens_standby"],
                    t("radar.suggest.standby", n=found["people"].to(int)),
                    t("radar.suggest.lend", n=found["people"].to(int)),
                )
            ),
            " ",
            tl(found["stage"]),
            ": ",
            t(
                "radar.suggest.effect",
                before=found["queue_before"],
                after=found["queue_after"],
                late_before=found["late_before"],
                late_after=found["late_after"],
            ),
            " ",
            rx.cond(
                _MAY_CHANGE & found["opens_standby"],
                button(t("radar.open_standby"), tone="primary", small=True, on_click=RadarState.ask),
            ),
            tone="warn",
            icon="lightbulb",
        ),
        note(t("radar.suggest.nothing"), tone="ok", icon="circle_check"),
    )


def _stages() -> rx.Component:
    return rx.cond(
        RadarState.stages.length() > 0,
        rx.el.div(rx.foreach(RadarState.stages, _stage), class_name="tr-stages"),
        empty(t("radar.no_history"), icon="radar"),
    )


def _stage(stage: Item) -> rx.Component:
    late = stage["late"].to(dict[str, Any])
    return card(
        bar_chart(
            stage["rows"],
            [("mean", t("radar.queue"), "accent")],
            label=t("radar.queue_of"),
            empty=t("radar.empty_queue"),
            between=("low", "high"),
            height=190,
        ),
        rx.el.p(
            rx.cond(
                stage["hit_percent"] != None,  # noqa: E711
                t("radar.hit_rate", percent=stage["hit_percent"], n=stage["tried"].to(int)),
                t("radar.no_hit_rate"),
            ),
            class_name="tc-help",
        ),
        rx.el.p(
            t("radar.late", mean=late["mean"], low=late["low"], high=late["high"], now=stage["late_now"]),
            " ",
            rx.cond(
                stage["late_hit_percent"] != None,  # noqa: E711
                t("radar.late_hit_rate", percent=stage["late_hit_percent"], n=stage["late_tried"].to(int)),
                "",
            ),
            class_name="tc-help",
        ),
        title=tl(stage["name"]),
        actions=(badge(t("radar.standing", n=stage["now"].to(int))),),
    )


def _times() -> rx.Component:
    return card(
        rx.cond(
            RadarState.times.length() > 0,
            data_table(
                [
                    Column(t("radar.times.step"), lambda each: _step(each)),
                    Column(t("radar.times.stage"), lambda each: tl(each["stage"])),
                    Column(t("radar.times.count"), lambda each: number(each["count"]), align="end"),
                    Column(t("radar.times.p50"), lambda each: span(each["p50"]), align="end", nowrap=True),
                    Column(
                        t("radar.times.p90"),
                        lambda each: badge(
                            span(each["p90"]),
                            tone=rx.match(each["heat"], ("hot", "danger"), ("warm", "warn"), "plain"),
                        ),
                        align="end",
                        nowrap=True,
                    ),
                ],
                RadarState.times,
                caption=t("radar.times"),
            ),
            empty(t("radar.times.none"), icon="timer"),
        ),
        title=t("radar.times"),
        flush=True,
    )


def _step(each: Item) -> rx.Component:
    return rx.el.span(tl(each["step"]), rx.el.span(" · ", tl(each["flow"]), class_name="tc-muted"))


def _log() -> rx.Component:
    return card(
        rx.cond(
            RadarState.log.length() > 0,
            data_table(
                [
                    Column(t("surge.log.what"), _what),
                    Column(t("surge.log.why"), why),
                    Column(t("surge.log.since"), lambda each: when(each["since"]), nowrap=True),
                    Column(t("surge.log.until"), lambda each: when(each["until"]), nowrap=True),
                    Column(t("surge.log.by"), _by),
                    Column(t("surge.actions"), _actions, align="end"),
                ],
                RadarState.log,
                caption=t("surge.log"),
            ),
            empty(t("surge.log.none"), icon="history"),
        ),
        title=t("surge.log"),
        flush=True,
    )


def _what(each: Item) -> rx.Component:
    return rx.el.span(
        rx.cond(each["opens_standby"], t("surge.banner.standby"), t("surge.banner.strategy")),
        " · ",
        rx.cond(each["region"], tl(each["region"]), t("surge.everywhere")),
        " ",
        rx.cond(each["is_active"], badge(t("surge.log.active"), tone="warn")),
    )


def _by(each: Item) -> rx.Component:
    return rx.el.span(
        rx.cond(each["by_rule"], t("surge.by_rule"), each["by"]),
        rx.cond(each["ended_by"] != "", rx.fragment(" · ", t("surge.ended_by"))),
    )


def _actions(each: Item) -> rx.Component:
    return rx.cond(
        _MAY_CHANGE & each["is_active"].to(bool),
        row(
            button(
                t("surge.extend"),
                small=True,
                on_click=RadarState.extend(
                    each["id"].to(int), each["version"].to(int), each["until"].to(str)
                ),
            ),
            button(
                t("surge.end"),
                small=True,
                tone="danger",
                on_click=RadarState.end(each["id"].to(int), each["version"].to(int)),
            ),
        ),
    )


def _rules() -> rx.Component:
    return rx.cond(
        RadarState.permissions.contains("ticket.assign"),
        card(
            rx.cond(
                RadarState.rules.length() > 0,
                data_table(
                    [
                        Column(
                            t("surge.rule.kind"),
                            lambda each: rx.cond(
                                each["kind"] == "backlog",
                                t("surge.rule.backlog"),
                                t("surge.rule.complaints"),
                            ),
                        ),
                        Column(
                            t("tickets.region"),
                            lambda each: rx.cond(each["region"], tl(each["region"]), t("surge.everywhere")),
                        ),
                        Column(t("surge.rule.opens_at"), lambda each: number(each["opens_at"]), align="end"),
                        Column(
                            t("surge.rule.closes_at"), lambda each: number(each["closes_at"]), align="end"
                        ),
                        Column(t("surge.rule.state"), _rule_state),
                        Column(
                            t("surge.actions"),
                            lambda each: rx.cond(
                                _MAY_CHANGE,
                                button(
                                    t("surge.rule.edit"),
                                    small=True,
                                    on_click=RadarState.edit_rule(each["id"].to(int)),
                                ),
                            ),
                            align="end",
                        ),
                    ],
                    RadarState.rules,
                    caption=t("surge.rules"),
                ),
                empty(t("surge.rules.none"), icon="list_checks"),
            ),
            title=t("surge.rules"),
            actions=(
                rx.cond(
                    _MAY_CHANGE,
                    button(t("surge.rule.new"), icon="plus", small=True, on_click=RadarState.edit_rule(0)),
                ),
            ),
            flush=True,
        ),
    )


def _rule_state(each: Item) -> rx.Component:
    return rx.cond(
        each["is_active"],
        rx.cond(
            each["is_open"],
            badge(t("surge.rule.open"), tone="warn"),
            badge(t("surge.rule.watching"), tone="ok"),
        ),
        badge(t("surge.rule.off")),
    )


def _rule_dialog() -> rx.Component:
    form = RadarState.rule

    def figure(key: str, label: rx.Var[str]) -> rx.Component:
        return field(
            label,
            text_input(
                value=form[key].to(str),
                input_mode="numeric",
                on_change=lambda value: RadarState.put_rule(key, value),
            ),
        )

    return dialog(
        stack(
            grid(
                field(
                    t("surge.rule.kind"),
                    select(
                        [("backlog", t("surge.rule.backlog")), ("complaints", t("surge.rule.complaints"))],
                        value=form["kind"].to(str),
                        on_change=lambda value: RadarState.put_rule("kind", value),
                    ),
                ),
                field(
                    t("tickets.region"),
                    rx.el.select(
                        rx.el.option(t("surge.everywhere"), value=""),
                        rx.foreach(
                            RadarState.choices,
                            lambda each: rx.el.option(tl(each["label"]), value=each["value"].to(str)),
                        ),
                        value=form["region"].to(str),
                        on_change=lambda value: RadarState.put_rule("region", value),
                        class_name="tc-select",
                    ),
                ),
                figure("opens_at", t("surge.rule.opens_at")),
                figure("closes_at", t("surge.rule.closes_at")),
                figure("lasts_minutes", t("surge.rule.lasts")),
                rx.cond(form["kind"] == "complaints", figure("window_minutes", t("surge.rule.window"))),
                rx.cond(form["kind"] == "complaints", figure("factor_percent", t("surge.rule.factor"))),
                least=200,
            ),
            rx.el.label(
                rx.el.input(
                    type="checkbox", checked=form["is_active"].to(bool), on_change=RadarState.switch_rule
                ),
                " ",
                t("surge.rule.active"),
            ),
            row(
                button(t("surge.rule.keep"), tone="primary", on_click=RadarState.keep_rule),
                button(t("surge.rule.leave"), on_click=RadarState.drop_rule),
            ),
        ),
        open=form.contains("kind"),
        title=t("surge.rule.title"),
        on_close=RadarState.drop_rule,
    )
