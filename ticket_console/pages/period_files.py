"""The zip of a period: a button, how far it is, and the file when it is there."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import button, button_link, note, progress_bar, row, stack
from ticket_console.components.text import t, t_with, tl, when
from ticket_console.state.period_files import PeriodFilesState


def period_files(zone: Any) -> rx.Component:
    """For whoever may read the settlement of others; the zip holds what they may read."""
    run = PeriodFilesState.run
    state = run["state"].to(str)
    at_work = (state == "queued") | (state == "running")
    return rx.cond(
        PeriodFilesState.period_id > 0,
        stack(
            rx.cond(at_work, _progress(), _ask()),
            rx.match(
                state,
                (
                    "failed",
                    note(
                        t_with(
                            run["failure"].to(dict[str, Any])["code"].to(str),
                            run["failure"].to(dict[str, Any])["params"],
                        ),
                        tone="danger",
                        icon="circle_alert",
                    ),
                ),
                ("cancelled", note(t("settle.zip.cancelled"), icon="circle_slash")),
                ("done", _made(zone)),
                rx.fragment(),
            ),
            rx.cond(PeriodFilesState.keys.length() > 0, _keys()),
            gap=10,
            custom_attrs={"data-test": "period-files"},
        ),
    )


def _ask() -> rx.Component:
    return row(
        button(
            t("settle.zip.start"),
            icon="folder_archive",
            # The papers are written in the language of the page that asks for them.
            on_click=PeriodFilesState.start(tl({"zh": "zh", "en": "en"})),
        ),
        rx.el.span(t("settle.zip.hint"), class_name="tc-help"),
    )


def _progress() -> rx.Component:
    run = PeriodFilesState.run
    return stack(
        row(
            rx.el.span(
                rx.cond(
                    run["total"].to(int) > 0,
                    t("settle.zip.progress", n=run["done"].to(int), of=run["total"].to(int)),
                    t("settle.zip.waits"),
                ),
                role="status",
            ),
            rx.el.div(class_name="tc-fill"),
            button(t("settle.zip.stop"), icon="x", on_click=PeriodFilesState.call_off),
        ),
        progress_bar(run["bp"].to(int), label=t("settle.zip.progress_label")),
        gap=6,
    )


def _made(zone: Any) -> rx.Component:
    run = PeriodFilesState.run
    return rx.cond(
        run["href"].to(str) != "",
        row(
            button_link(
                t("settle.zip.download"),
                href=run["href"].to(str),
                icon="download",
                document=True,
                download=True,
            ),
            rx.el.span(
                t("settle.zip.made", n=run["statements"].to(int), size=run["kilobytes"].to(int)),
                " · ",
                when(run["at"].to(str), zone),
                class_name="tc-help",
            ),
        ),
        note(t("settle.zip.gone"), icon="info"),
    )


def _keys() -> rx.Component:
    """What a file is proven with, to be given on by another way than the file."""

    def one(key: rx.vars.ObjectVar[dict[str, Any]]) -> rx.Component:
        return rx.el.li(
            rx.el.code(key["key"].to(str)),
            rx.el.span(
                rx.cond(
                    key["in_use"].to(bool),
                    t("settle.keys.in_use", fingerprint=key["fingerprint"].to(str)),
                    t("settle.keys.retired", fingerprint=key["fingerprint"].to(str)),
                ),
                class_name="tc-help",
            ),
        )

    return rx.el.details(
        rx.el.summary(t("settle.keys")),
        rx.el.p(t("settle.keys.text"), class_name="tc-help"),
        rx.el.ul(rx.foreach(PeriodFilesState.keys, one), class_name="ts-keys"),
        class_name="ts-all-facts ts-proof",
    )
