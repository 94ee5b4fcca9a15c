"""Importing a file of requests."""

from typing import Any

import reflex as rx

from ticket_console.components.allowed import only_for
from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    button_link,
    card,
    data_table,
    empty,
    field,
    loaded,
    note,
    page_header,
    pagination,
    progress_bar,
    row,
    select,
    stack,
    stat_tile,
    tabs,
    text_link,
)
from ticket_console.components.dropzone import dropzone
from ticket_console.components.shell import link
from ticket_console.components.text import ago, number, t, t_with, tl, when
from ticket_console.kernel.sheets import MOST_BYTES, MOST_COLUMNS, MOST_ROWS
from ticket_console.pages.frame import console_page
from ticket_console.state.import_file import ImportState

Item = rx.vars.ObjectVar[dict[str, Any]]

_MEGABYTES = MOST_BYTES >> 20


@console_page("/intake/import", title="imports.title", active="intake", on_load=[ImportState.load])
def import_file() -> rx.Component:
    return only_for(
        ImportState.permissions,
        "intake.import",
        page_header(
            t("imports.title"),
            button_link(t("imports.to_inbox"), href="/intake", icon="arrow_left", tone="quiet"),
            hint=t("imports.hint"),
        ),
        _steps(),
        loaded(
            ImportState.status,
            rx.match(
                ImportState.step,
                ("map", _map()),
                ("running", _running()),
                ("report", _report()),
                _choose(),
            ),
            on_retry=ImportState.load,
        ),
    )


def _steps() -> rx.Component:
    order = ("choose", "map", "running", "report")

    def step(position: int, key: str) -> rx.Component:
        return rx.el.li(
            rx.el.span(position, class_name="tc-step-no", aria_hidden="true"),
            rx.el.span(t(f"imports.step.{key}")),
            custom_attrs={
                "aria-current": rx.match(ImportState.step == key, (True, "step"), rx.Var("undefined"))
            },
        )

    return rx.el.ol(
        *[step(position, key) for position, key in enumerate(order, start=1)],
        class_name="tc-import-steps",
        aria_label=t("imports.steps"),
    )


def _template_choice() -> rx.Component:
    return field(
        t("imports.template"),
        select(
            ImportState.templates,
            value=ImportState.template,
            on_change=ImportState.choose_template,
        ),
    )


def _choose() -> rx.Component:
    return rx.el.div(
        card(
            stack(
                _template_choice(),
                dropzone(
                    upload_url="/api/v1/imports",
                    accept=".csv,.txt,.tsv,.xlsx,.xls,.xlsm,.ods",
                    max_bytes=MOST_BYTES,
                    refusal={
                        "code": "intake.file_too_large",
                        "params": {"megabytes": _MEGABYTES, "rows": MOST_ROWS, "columns": MOST_COLUMNS},
                    },
                    failed_code="imports.not_uploaded",
                    label=t("imports.drop"),
                    hint=t("imports.drop.hint", megabytes=_MEGABYTES, rows=MOST_ROWS),
                    choose_label=t("imports.choose"),
                    on_uploaded=ImportState.take,
                ),
                gap=16,
            ),
            title=t("imports.step.choose"),
        ),
        card(
            rx.cond(
                ImportState.recent.length() > 0,
                rx.el.ul(rx.foreach(ImportState.recent, _recent), class_name="tc-recent"),
                empty(t("imports.none_yet"), icon="history"),
            ),
            title=t("imports.recent"),
            flush=True,
        ),
        class_name="tc-split",
    )


def _recent(item: Item) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(item["filename"].to(str), class_name="tc-strong tc-clip"),
            rx.el.span(
                ago(item["started_at"]),
                " · ",
                rx.cond(
                    item["finished_at"],
                    t(
                        "imports.recent.counts",
                        opened=item["opened"].to(int),
                        duplicates=item["duplicates"].to(int),
                        rejected=item["rejected"].to(int),
                    ),
                    t("imports.recent.unfinished"),
                ),
                class_name="tc-help",
            ),
            href=item["href"].to(str),
        )
    )


def _file_line() -> rx.Component:
    return row(
        rx.icon("file_spreadsheet", size=18, aria_hidden="true"),
        rx.el.strong(ImportState.filename, class_name="tc-clip"),
        rx.el.span(t("imports.rows", n=ImportState.row_count), class_name="tc-muted"),
    )


def _map() -> rx.Component:
    return stack(
        row(
            _file_line(),
            rx.el.div(class_name="tc-fill"),
            button(t("imports.other_file"), on_click=ImportState.start_over),
            button(
                t("imports.run", n=ImportState.row_count),
                tone="primary",
                icon="upload",
                on_click=ImportState.run,
                disabled=ImportState.mapping_problems.length() > 0,
            ),
        ),
        rx.cond(
            ImportState.mapping_problems.length() > 0,
            note(
                rx.foreach(
                    ImportState.mapping_problems,
                    lambda each: rx.el.div(t_with(each["code"].to(str), each["params"])),
                ),
                tone="danger",
                icon="circle_alert",
                role="alert",
            ),
            rx.cond(
                ImportState.bad_rows > 0,
                note(t("imports.bad_rows", n=ImportState.bad_rows), tone="warn", icon="triangle_alert"),
                note(t("imports.all_good"), tone="ok", icon="circle_check"),
            ),
        ),
        rx.el.div(
            card(
                rx.el.div(_template_choice(), class_name="tc-map-template"),
                rx.el.ul(rx.foreach(ImportState.columns, _column), class_name="tc-map"),
                title=t("imports.mapping"),
                flush=True,
            ),
            card(
                rx.cond(
                    ImportState.preview_rows.length() > 0,
                    _preview(),
                    empty(t("intake.file.no_rows")),
                ),
                title=t("imports.preview", n=ImportState.preview_rows.length()),
                flush=True,
            ),
            class_name="tc-import-look",
        ),
        gap=14,
    )


def _column(item: Item) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(item["header"].to(str), class_name="tc-strong"),
            rx.el.span(item["samples"].to(str), class_name="tc-help tc-clip"),
            class_name="tc-map-column",
        ),
        rx.icon("chevron_right", size=16, aria_hidden="true"),
        rx.el.select(
            rx.el.option(t("imports.leave_out"), value=""),
            rx.foreach(
                ImportState.places,
                lambda place: rx.el.option(
                    rx.cond(place["key"].to(str) != "", t(place["key"].to(str)), tl(place["label"])),
                    value=place["value"].to(str),
                ),
            ),
            value=item["place"].to(str),
            on_change=lambda place: ImportState.place_column(item["index"].to(int), place),
            class_name="tc-select",
            aria_label=t("imports.means", column=item["header"].to(str)),
            custom_attrs={"data-used": item["place"].to(str) != ""},
        ),
    )


def _preview() -> rx.Component:
    def cell(item: Item) -> rx.Component:
        return rx.el.td(item["text"].to(str), custom_attrs={"data-wrong": item["is_wrong"]})

    def line(item: Item) -> rx.Component:
        problems = item["problems"].to(list[dict[str, Any]])
        return rx.el.tr(
            rx.el.th(item["number"].to(int), scope="row"),
            rx.el.td(
                rx.cond(
                    problems.length() > 0,
                    rx.el.ul(rx.foreach(problems, _problem), class_name="tc-cell-problems"),
                    rx.icon("circle_check", size=15, color="var(--tc-ok)", aria_label=t("imports.row_good")),
                )
            ),
            rx.foreach(item["cells"].to(list[dict[str, Any]]), cell),
        )

    return rx.el.div(
        rx.el.table(
            rx.el.caption(t("imports.preview", n=ImportState.preview_rows.length()), class_name="tc-sr"),
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(t("intake.report.row"), scope="col"),
                    rx.el.th(t("imports.check"), scope="col"),
                    rx.foreach(ImportState.headers, lambda header: rx.el.th(header, scope="col")),
                )
            ),
            rx.el.tbody(rx.foreach(ImportState.preview_rows, line)),
            class_name="tc-table tc-preview",
        ),
        class_name="tc-table-box",
        tab_index=0,
        role="region",
        aria_label=t("imports.preview", n=ImportState.preview_rows.length()),
    )


def _problem(item: Item) -> rx.Component:
    return rx.el.li(
        rx.cond(item["path"].to(str) != "", rx.el.strong(item["path"].to(str), ": ")),
        t_with(item["code"].to(str), item["params"]),
    )


def _running() -> rx.Component:
    share = rx.cond(ImportState.row_count > 0, ImportState.progress * 10_000 / ImportState.row_count, 0)
    return card(
        stack(
            _file_line(),
            progress_bar(share, label=t("imports.progress")),
            row(
                rx.el.span(
                    t("imports.done_of", done=ImportState.progress, all=ImportState.row_count),
                    role="status",
                ),
                rx.el.div(class_name="tc-fill"),
                button(
                    t("imports.stop"),
                    icon="ban",
                    tone="danger",
                    on_click=ImportState.stop,
                    busy=ImportState.stopping,
                ),
            ),
            rx.el.p(t("imports.may_leave"), class_name="tc-help"),
            gap=14,
        ),
        title=t("imports.step.running"),
    )


def _report() -> rx.Component:
    batch = ImportState.batch
    return stack(
        row(
            rx.el.strong(batch["filename"].to(str), class_name="tc-clip"),
            when(batch["started_at"]),
            rx.el.div(class_name="tc-fill"),
            button_link(
                t("imports.download"), href=batch["report_url"].to(str), icon="download", document=True
            ),
            rx.cond(
                ImportState.router.url.query_parameters.contains("batch"),
                button_link(t("imports.another"), href="/intake/import", icon="upload", tone="primary"),
                button(t("imports.another"), icon="upload", tone="primary", on_click=ImportState.start_over),
            ),
        ),
        rx.cond(
            batch["finished_at"],
            rx.fragment(),
            note(t("imports.unfinished"), tone="warn", icon="hourglass"),
        ),
        rx.el.div(
            stat_tile(t("imports.tile.rows"), number(batch["rows"].to(int))),
            stat_tile(t("imports.tile.opened"), number(batch["opened"].to(int)), tone="ok"),
            stat_tile(t("imports.tile.duplicates"), number(batch["duplicates"].to(int))),
            stat_tile(
                t("imports.tile.rejected"),
                number(batch["rejected"].to(int)),
                tone=rx.match(batch["rejected"].to(int) > 0, (True, "danger"), "plain"),
            ),
            class_name="tc-import-tiles",
        ),
        row(
            tabs(
                [
                    ("", t("inbox.all")),
                    ("ticket", t("imports.tile.opened")),
                    ("duplicate", t("imports.tile.duplicates")),
                    ("rejected", t("imports.tile.rejected")),
                ],
                value=ImportState.outcome,
                on_change=ImportState.show_outcomes,
                label=t("inbox.column.state"),
            )
        ),
        rx.cond(
            ImportState.outcomes.length() > 0,
            stack(
                data_table(
                    [
                        Column(t("intake.report.row"), lambda item: item["number"].to(int), width="72px"),
                        Column(t("intake.report.outcome"), _outcome, nowrap=True, width="120px"),
                        Column(t("intake.report.ticket"), _ticket, nowrap=True, width="150px"),
                        Column(t("intake.report.problems"), _problems),
                    ],
                    ImportState.outcomes,
                    caption=t("imports.step.report"),
                ),
                pagination(
                    page=ImportState.page,
                    pages=ImportState.pages,
                    total=ImportState.listed,
                    on_previous=ImportState.turn(-1),
                    on_next=ImportState.turn(1),
                ),
            ),
            empty(t("imports.no_such_rows"), icon="file_search"),
        ),
        gap=14,
    )


def _outcome(item: Item) -> rx.Component:
    state = item["state"].to(str)
    tone = rx.match(state, ("ticket", "ok"), ("rejected", "danger"), ("duplicate", "violet"), "plain")
    return badge(t(rx.Var.create("intake.state.") + state), tone=tone)


def _ticket(item: Item) -> rx.Component:
    return rx.cond(
        item["ticket_no"],
        text_link(item["ticket_no"].to(str), href="/tickets/" + item["ticket_id"].to_string()),
        rx.el.span("—", class_name="tc-muted"),
    )


def _problems(item: Item) -> rx.Component:
    problems = item["problems"].to(list[dict[str, Any]])
    return rx.cond(
        problems.length() > 0,
        rx.el.ul(rx.foreach(problems, _problem), class_name="tc-cell-problems"),
        rx.el.span("—", class_name="tc-muted"),
    )
