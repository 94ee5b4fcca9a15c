"""The test tab: a flow's draft played with the tickets of a period, and the flow's tests below it."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    card,
    data_table,
    field,
    grid,
    loading_rows,
    note,
    pagination,
    progress_bar,
    row,
    stack,
    stat_tile,
    text_input,
    text_link,
)
from ticket_console.components.chart import bar_chart
from ticket_console.components.text import money, number, span, t, tl, when
from ticket_console.designer.flow.golden_panel import golden_panel
from ticket_console.designer.flow.pair import pair_card
from ticket_console.state.flow_replay import FlowReplayState

Item = rx.vars.ObjectVar[dict[str, Any]]

_TONES = {
    "path": "accent",
    "longer": "warn",
    "shorter": "ok",
    "breach": "danger",
    "kept": "ok",
    "dearer": "warn",
    "cheaper": "ok",
    "stuck": "danger",
}


def replay_panel() -> rx.Component:
    run = FlowReplayState.run
    return rx.el.div(
        rx.cond(
            FlowReplayState.ready,
            stack(
                card(
                    rx.el.p(t("flow_proof.replay.text"), class_name="tc-help"),
                    _period(),
                    rx.cond(run.contains("id"), _progress()),
                    title=t("flow_proof.replay.title"),
                ),
                rx.cond(run["state"].to(str) == "finished", _found()),
                golden_panel(),
                gap=16,
            ),
            loading_rows(),
        ),
        class_name="fp",
        on_mount=FlowReplayState.open_tab,
    )


def _period() -> rx.Component:
    is_running = FlowReplayState.run["state"].to(str) == "running"
    return rx.el.form(
        field(
            t("flow_proof.since"),
            text_input(
                name="since", type="date", default_value=FlowReplayState.since, key=FlowReplayState.since
            ),
        ),
        field(
            t("flow_proof.until"),
            text_input(
                name="until", type="date", default_value=FlowReplayState.until, key=FlowReplayState.until
            ),
        ),
        button(t("flow_proof.start"), tone="primary", icon="play", type="submit", busy=is_running),
        on_submit=FlowReplayState.start,
        class_name="fp-period",
    )


def _progress() -> rx.Component:
    run = FlowReplayState.run
    return rx.match(
        run["state"].to(str),
        (
            "running",
            row(
                rx.el.div(
                    progress_bar(run["bp"], label=t("flow_proof.progress")),
                    rx.el.span(
                        rx.cond(
                            run["total"].to(int) > 0,
                            t("flow_proof.done_of", done=run["done"].to(int), total=run["total"].to(int)),
                            t("flow_proof.preparing"),
                        ),
                        class_name="tc-small",
                        role="status",
                    ),
                    class_name="fp-progress",
                ),
                button(t("flow_proof.call_off"), icon="square", on_click=FlowReplayState.call_off),
            ),
        ),
        ("cancelled", note(t("flow_proof.was_called_off"), icon="ban")),
        ("failed", note(t("flow_proof.failed"), tone="danger", icon="triangle_alert")),
        ("lost", note(t("flow_proof.lost"), tone="warn", icon="triangle_alert")),
        rx.el.p(
            t("flow_proof.played", n=run["total"].to(int), by=run["by"].to(str)),
            " ",
            when(run["at"]),
            class_name="tc-small",
        ),
    )


def _found() -> rx.Component:
    report = FlowReplayState.run["report"].to(dict[str, Any])
    return rx.fragment(
        rx.cond(FlowReplayState.is_older, note(t("flow_proof.older"), tone="warn", icon="history")),
        rx.cond(
            report["differing"].to(int) == 0,
            rx.cond(
                report["tickets"].to(int) > 0,
                note(t("flow_proof.same", n=report["tickets"].to(int)), tone="ok", icon="circle_check"),
                note(t("flow_proof.no_tickets"), icon="calendar_x_2"),
            ),
        ),
        _tiles(report),
        _remarks(report),
        grid(
            card(_load(), title=t("flow_proof.load.title")),
            card(_stages(), title=t("flow_proof.stages.title"), flush=True),
            least=460,
        ),
        rx.cond(
            FlowReplayState.pair.contains("no"),
            rx.el.div(
                pair_card(
                    FlowReplayState.pair,
                    title=t("flow_proof.pair", no=FlowReplayState.pair["no"].to(str)),
                    was=t("flow_proof.was"),
                    would=t("flow_proof.would"),
                    on_close=FlowReplayState.close,
                    zone=FlowReplayState.zone,
                ),
                class_name="fp-replayed",
            ),
        ),
        rx.cond(report["differing"].to(int) > 0, _tickets()),
    )


def _tiles(report: Item) -> rx.Component:
    kinds = report["kinds"].to(dict[str, Any])
    longer, shorter = report["longer"].to(dict[str, Any]), report["shorter"].to(dict[str, Any])
    return grid(
        stat_tile(t("flow_proof.tile.tickets"), number(report["tickets"]), icon="files"),
        stat_tile(t("flow_proof.tile.path"), number(kinds["path"]), icon="split"),
        stat_tile(
            t("flow_proof.tile.longer"),
            number(longer["tickets"]),
            icon="hourglass",
            hint=_waits(longer),
        ),
        stat_tile(
            t("flow_proof.tile.shorter"),
            number(shorter["tickets"]),
            icon="zap",
            hint=_waits(shorter),
        ),
        stat_tile(
            t("flow_proof.tile.breach"),
            number(kinds["breach"]),
            icon="alarm_clock",
            hint=t("flow_proof.kept", n=kinds["kept"].to(int)),
        ),
        rx.cond(
            FlowReplayState.run["has_money"],
            stat_tile(
                t("flow_proof.tile.cost"),
                money(report["cost_minor"], FlowReplayState.currency),
                icon="coins",
                hint=t("flow_proof.cost", dearer=kinds["dearer"].to(int), cheaper=kinds["cheaper"].to(int)),
            ),
        ),
        least=170,
    )


def _waits(waits: Item) -> rx.Component:
    return rx.cond(
        waits["tickets"].to(int) > 0,
        t("flow_proof.median", span=span(waits["median"]), total=span(waits["seconds"])),
        "",
    )


def _remarks(report: Item) -> rx.Component:
    return rx.fragment(
        rx.cond(
            report["estimated_steps"].to(int) > 0,
            note(t("flow_proof.estimated", n=report["estimated_steps"].to(int))),
        ),
        rx.cond(
            report["guessed_decisions"].to(int) > 0,
            note(t("flow_proof.guessed", n=report["guessed_decisions"].to(int))),
        ),
        rx.cond(
            report["set_aside_examples"].to(list[int]).length() > 0,
            note(t("flow_proof.set_aside"), tone="warn", icon="triangle_alert"),
        ),
    )


def _load() -> rx.Component:
    return bar_chart(
        FlowReplayState.load_rows,
        [
            ("base", t("flow_proof.was"), "text-3"),
            ("draft", t("flow_proof.would"), "accent"),
        ],
        label=t("flow_proof.load.title"),
        empty=t("flow_proof.nothing"),
        height=300,
    )


def _stages() -> rx.Component:
    def part(side: str) -> Any:
        return lambda item: rx.el.span(number(item[side].to(dict[str, Any])["queue"]))

    return data_table(
        [
            Column(t("flow_proof.stages.stage"), lambda item: rx.el.span(tl(item["name"]))),
            Column(t("flow_proof.was"), part("base"), align="end"),
            Column(t("flow_proof.would"), part("draft"), align="end"),
        ],
        FlowReplayState.stage_rows,
        caption=t("flow_proof.stages.title"),
        cards_on_phone=False,
    )


def _tickets() -> rx.Component:
    def kinds(item: Item) -> rx.Component:
        return row(
            rx.foreach(
                item["kinds"].to(list[str]),
                lambda kind: badge(
                    t(rx.Var.create("flow_proof.kind.") + kind),
                    tone=rx.match(kind, *_TONES.items(), "plain"),
                ),
            ),
            gap=4,
        )

    def longer(item: Item) -> rx.Component:
        seconds = item["seconds"].to(int)
        return rx.cond(
            seconds == 0,
            rx.el.span("–"),
            rx.el.span(
                rx.cond(seconds > 0, "+", "−"),
                span(rx.cond(seconds > 0, seconds, -seconds)),
                class_name="tc-num",
            ),
        )

    return card(
        row(
            rx.foreach(
                FlowReplayState.kinds,
                lambda each: button(
                    rx.fragment(
                        t(rx.Var.create("flow_proof.kind.") + each["kind"].to(str)),
                        rx.el.span(number(each["n"]), class_name="tc-num"),
                    ),
                    small=True,
                    on_click=FlowReplayState.choose(each["kind"].to(str)),
                    aria_pressed=rx.cond(FlowReplayState.kind == each["kind"].to(str), "true", "false"),
                ),
            ),
            class_name="fp-filter",
        ),
        data_table(
            [
                Column(
                    t("flow_proof.ticket"),
                    lambda item: text_link(item["no"].to(str), href="/tickets/" + item["id"].to(str)),
                ),
                Column(t("flow_proof.title"), lambda item: rx.el.span(item["title"].to(str))),
                Column(t("flow_proof.differs"), kinds),
                Column(t("flow_proof.wait"), longer, align="end"),
                Column(
                    t("flow_proof.ways"),
                    lambda item: button(
                        t("flow_proof.show"),
                        small=True,
                        icon="columns_2",
                        on_click=FlowReplayState.show(item["id"].to(int)),
                    ),
                ),
            ],
            FlowReplayState.rows,
            caption=t("flow_proof.tickets.title"),
        ),
        pagination(
            page=FlowReplayState.page,
            pages=FlowReplayState.pages,
            total=FlowReplayState.count,
            on_previous=FlowReplayState.turn(-1),
            on_next=FlowReplayState.turn(1),
        ),
        title=t("flow_proof.tickets.title"),
    )
