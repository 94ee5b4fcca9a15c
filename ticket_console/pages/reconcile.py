"""Reconciling with the file of a service partner or a technician."""

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
    row,
    select,
    stack,
    tabs,
    text_input,
    text_link,
)
from ticket_console.components.dropzone import dropzone
from ticket_console.components.overlay import confirm_dialog, reason_dialog
from ticket_console.components.shell import link
from ticket_console.components.text import ago, money, number, t, t_with, tl
from ticket_console.kernel.sheets import MOST_BYTES, MOST_COLUMNS, MOST_ROWS
from ticket_console.pages.frame import console_page
from ticket_console.state.reconcile import ReconcileState

Item = rx.vars.ObjectVar[dict[str, Any]]

_MEGABYTES = MOST_BYTES >> 20
_OUTCOMES = ("matched", "tolerated", "differs", "only_ours", "only_theirs")
_PLACES = ("ticket_no", "amount", "service_on", "currency")


def _plain_key(event: rx.Var[Any]) -> tuple[rx.Var[str]]:
    """The key without any that is held with it: Ctrl+A is no decision."""
    held = f"({event}.ctrlKey || {event}.metaKey || {event}.altKey)"
    return (rx.Var(f"({held} ? '' : {event}.key)", _var_type=str),)


class _Keyboard(rx.el.Div):
    """A box that hears keys."""

    on_key_down: rx.EventHandler[_plain_key]


@console_page(
    "/settlement/reconcile", title="reconcile.title", active="settlement", on_load=[ReconcileState.load]
)
def reconcile() -> rx.Component:
    return only_for(
        ReconcileState.permissions,
        "settlement.view",
        page_header(
            t("reconcile.title"),
            button_link(t("reconcile.to_settlement"), href="/settlement", icon="arrow_left", tone="quiet"),
            hint=t("reconcile.hint"),
        ),
        rx.cond(
            ReconcileState.status == "missing",
            empty(
                t("reconcile.not_found"),
                button_link(t("reconcile.title"), href="/settlement/reconcile"),
                icon="search_x",
            ),
            loaded(
                ReconcileState.status,
                rx.match(ReconcileState.step, ("map", _map()), ("result", _result()), _choose()),
                on_retry=ReconcileState.load,
            ),
        ),
        _dialogs(),
    )


def _who() -> rx.Component:
    return row(
        field(
            t("reconcile.payee"),
            select(ReconcileState.parties, value=ReconcileState.party, on_change=ReconcileState.choose_party),
        ),
        field(
            t("reconcile.period"),
            select(
                ReconcileState.periods, value=ReconcileState.period, on_change=ReconcileState.choose_period
            ),
        ),
    )


def _choose() -> rx.Component:
    new = card(
        rx.cond(
            ReconcileState.periods.length() > 0,
            stack(
                _who(),
                dropzone(
                    upload_url="/api/v1/reconciliations/files",
                    accept=".csv,.txt,.tsv,.xlsx,.xls,.xlsm,.ods",
                    max_bytes=MOST_BYTES,
                    refusal={
                        "code": "intake.file_too_large",
                        "params": {"megabytes": _MEGABYTES, "rows": MOST_ROWS, "columns": MOST_COLUMNS},
                    },
                    failed_code="reconcile.not_uploaded",
                    label=t("reconcile.drop"),
                    hint=t("reconcile.drop.hint", megabytes=_MEGABYTES, rows=MOST_ROWS),
                    choose_label=t("reconcile.choose_file"),
                    on_uploaded=ReconcileState.take,
                ),
                gap=16,
            ),
            empty(t("reconcile.no_period"), icon="receipt_text"),
        ),
        title=t("reconcile.step.choose"),
    )
    recent = card(
        rx.cond(
            ReconcileState.recent.length() > 0,
            rx.el.ul(rx.foreach(ReconcileState.recent, _recent), class_name="tc-recent"),
            empty(t("reconcile.none_yet"), icon="history"),
        ),
        title=t("reconcile.recent"),
        flush=True,
    )
    return rx.cond(ReconcileState.can_decide, rx.el.div(new, recent, class_name="tc-split"), recent)


def _recent(item: Item) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(
                t("reconcile.with", name=tl(item["name"]), period=item["period"].to(str)),
                class_name="tc-strong tc-clip",
            ),
            rx.el.span(
                item["file_name"].to(str), " · ", ago(item["started_at"]), class_name="tc-help tc-clip"
            ),
            _state(item),
            href=item["href"].to(str),
        )
    )


def _state(item: Any) -> rx.Component:
    state = item["state"].to(str)
    tone = rx.cond(state == "closed", "ok", "accent")
    return badge(t(rx.Var.create("reconcile.state.") + state), tone=tone)


def _map() -> rx.Component:
    return stack(
        row(
            rx.el.strong(ReconcileState.filename, class_name="tc-clip"),
            rx.el.span(t("reconcile.rows_in_file", n=ReconcileState.row_count), class_name="tc-help"),
            rx.el.div(class_name="tc-fill"),
            button(t("reconcile.again"), icon="upload", tone="quiet", on_click=ReconcileState.start_over),
        ),
        card(
            stack(
                _who(),
                row(
                    field(
                        t("reconcile.tolerance.absolute_label"),
                        text_input(
                            value=ReconcileState.absolute,
                            on_change=ReconcileState.set_absolute,
                            input_mode="decimal",
                        ),
                    ),
                    field(
                        t("reconcile.tolerance.percent_label"),
                        text_input(
                            value=ReconcileState.percent,
                            on_change=ReconcileState.set_percent,
                            input_mode="decimal",
                        ),
                    ),
                ),
                rx.el.p(t("reconcile.tolerance.hint"), class_name="tc-help"),
                gap=12,
            ),
            title=t("reconcile.tolerance"),
        ),
        rx.cond(
            ReconcileState.problems.length() > 0,
            note(rx.el.ul(rx.foreach(ReconcileState.problems, _problem)), tone="warn", icon="circle_alert"),
        ),
        rx.el.div(
            card(
                rx.el.ul(rx.foreach(ReconcileState.columns, _column), class_name="tc-map"),
                title=t("reconcile.step.map"),
                flush=True,
            ),
            card(
                _preview(), title=t("reconcile.preview", n=ReconcileState.preview_rows.length()), flush=True
            ),
            class_name="tc-import-look",
        ),
        row(
            button(
                t("reconcile.compare"),
                icon="search",
                on_click=ReconcileState.foresee,
                disabled=ReconcileState.problems.length() > 0,
            ),
            button(
                t("reconcile.start"),
                icon="check",
                tone="primary",
                on_click=ReconcileState.begin,
                busy=ReconcileState.busy,
                disabled=ReconcileState.problems.length() > 0,
            ),
        ),
        rx.cond(
            ReconcileState.foreseen.length() > 0,
            card(
                _totals(ReconcileState.foreseen, ReconcileState.currency, t("reconcile.foreseen")),
                title=t("reconcile.foreseen"),
                flush=True,
            ),
        ),
        gap=14,
    )


def _problem(item: Item) -> rx.Component:
    return rx.el.li(t_with(item["code"].to(str), item["params"]))


def _column(item: Item) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(item["header"].to(str), class_name="tc-strong"),
            rx.el.span(item["samples"].to(str), class_name="tc-help tc-clip"),
            class_name="tc-map-column",
        ),
        rx.icon("chevron_right", size=16, aria_hidden="true"),
        rx.el.select(
            rx.el.option(t("reconcile.place.none"), value=""),
            *[rx.el.option(t(f"reconcile.place.{place}"), value=place) for place in _PLACES],
            value=item["place"].to(str),
            on_change=lambda place: ReconcileState.place_column(item["index"].to(int), place),
            class_name="tc-select",
            aria_label=t("reconcile.means", column=item["header"].to(str)),
            custom_attrs={"data-used": item["place"].to(str) != ""},
        ),
    )


def _preview() -> rx.Component:
    def line(item: Item) -> rx.Component:
        problems = item["problems"].to(list[dict[str, Any]])
        return rx.el.tr(
            rx.el.th(item["number"].to(int), scope="row"),
            rx.el.td(
                rx.cond(
                    problems.length() > 0,
                    rx.el.ul(rx.foreach(problems, _problem), class_name="tc-cell-problems"),
                    rx.cond(
                        item["is_left_out"].to(bool),
                        rx.el.span(t("reconcile.preview.left_out"), class_name="tc-muted"),
                        rx.icon(
                            "circle_check",
                            size=15,
                            color="var(--tc-ok)",
                            aria_label=t("reconcile.preview.good"),
                        ),
                    ),
                )
            ),
            rx.foreach(item["cells"].to(list[str]), lambda cell: rx.el.td(cell)),
        )

    caption = t("reconcile.preview", n=ReconcileState.preview_rows.length())
    return rx.el.div(
        rx.el.table(
            rx.el.caption(caption, class_name="tc-sr"),
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(t("reconcile.row"), scope="col"),
                    rx.el.th(t("reconcile.check"), scope="col"),
                    rx.foreach(ReconcileState.headers, lambda header: rx.el.th(header, scope="col")),
                )
            ),
            rx.el.tbody(rx.foreach(ReconcileState.preview_rows, line)),
            class_name="tc-table tc-preview",
        ),
        class_name="tc-table-box",
        tab_index=0,
        role="region",
        aria_label=caption,
    )


def _totals(rows: Any, currency: Any, caption: Any) -> rx.Component:
    def amount(name: str) -> Any:
        return lambda item: money(item[name].to(int), currency)

    return data_table(
        [
            Column(t("reconcile.column.outcome"), lambda item: _outcome(item["outcome"].to(str))),
            Column(t("reconcile.column.lines"), lambda item: number(item["count"].to(int)), align="end"),
            Column(t("reconcile.column.ours"), amount("ours_minor"), align="end", nowrap=True),
            Column(t("reconcile.column.theirs"), amount("theirs_minor"), align="end", nowrap=True),
            Column(t("reconcile.column.difference"), amount("difference_minor"), align="end", nowrap=True),
        ],
        rows,
        caption=caption,
    )


def _outcome(outcome: Any) -> rx.Component:
    tone = rx.match(
        outcome,
        ("matched", "ok"),
        ("tolerated", "teal"),
        ("differs", "danger"),
        ("only_ours", "warn"),
        ("only_theirs", "violet"),
        "plain",
    )
    return badge(t(rx.Var.create("reconcile.outcome.") + outcome), tone=tone)


def _result() -> rx.Component:
    view = ReconcileState.view
    undecided = view["undecided"].to(int)
    is_open = view["state"].to(str) == "open"
    may_change = ReconcileState.can_decide & is_open
    return stack(
        row(
            rx.el.h2(
                t("reconcile.with", name=tl(view["name"]), period=view["period"].to(str)),
                class_name="tc-strong",
            ),
            _state(view),
            rx.el.span(view["file_name"].to(str), class_name="tc-help tc-clip"),
            rx.el.div(class_name="tc-fill"),
            button_link(t("reconcile.xlsx"), href=view["xlsx"].to(str), icon="download", document=True),
            button_link(t("reconcile.csv"), href=view["csv"].to(str), icon="download", document=True),
            rx.cond(
                ReconcileState.can_decide,
                rx.cond(
                    is_open,
                    button(
                        t("reconcile.close"),
                        icon="check",
                        tone="primary",
                        on_click=ReconcileState.ask("close"),
                        disabled=undecided > 0,
                    ),
                    button(t("reconcile.reopen"), icon="rotate_ccw", on_click=ReconcileState.ask("reopen")),
                ),
            ),
        ),
        row(
            rx.cond(
                undecided > 0,
                badge(t("reconcile.undecided_left", n=undecided), tone="warn"),
                badge(t("reconcile.all_decided"), tone="ok"),
            ),
            rx.cond(
                view["disputed"].to(int) > 0,
                badge(t("reconcile.disputed_n", n=view["disputed"].to(int)), tone="danger"),
            ),
            rx.cond(
                view["left_out"].to(int) > 0,
                rx.el.span(t("reconcile.left_out", n=view["left_out"].to(int)), class_name="tc-help"),
            ),
        ),
        card(
            _totals(ReconcileState.totals, view["currency"].to(str), t("reconcile.totals")),
            title=t("reconcile.totals"),
            flush=True,
        ),
        card(_lines(may_change), title=t("reconcile.lines"), flush=True),
        gap=14,
    )


def _tab(outcome: str) -> rx.Var[str]:
    """The name of an outcome with how many lines it has."""
    position = _OUTCOMES.index(outcome) if outcome else len(_OUTCOMES)
    count = ReconcileState.totals[position]["count"].to(int)
    return t(f"reconcile.outcome.{outcome or 'all'}") + " " + count.to_string()


def _lines(may_change: Any) -> rx.Component:
    bar = row(
        tabs(
            [("", _tab("")), *[(each, _tab(each)) for each in _OUTCOMES]],
            value=ReconcileState.outcome,
            on_change=ReconcileState.show_outcome,
            label=t("reconcile.tabs"),
        ),
        rx.el.div(class_name="tc-fill"),
        rx.foreach(ReconcileState.totals, lambda total: _accept_rest(total, may_change)),
    )
    table = _Keyboard.create(
        rx.el.table(
            rx.el.caption(t("reconcile.lines"), class_name="tc-sr"),
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(t("reconcile.place.ticket_no"), scope="col"),
                    rx.el.th(t("reconcile.column.outcome"), scope="col"),
                    *[
                        rx.el.th(
                            t(f"reconcile.column.{name}"), scope="col", custom_attrs={"data-align": "end"}
                        )
                        for name in ("ours", "theirs", "difference")
                    ],
                    rx.el.th(t("reconcile.column.decision"), scope="col"),
                )
            ),
            rx.el.tbody(rx.foreach(ReconcileState.lines, lambda item: _line(item, may_change))),
            class_name="tc-table",
            custom_attrs={"data-cards": "true"},
        ),
        class_name="tc-table-box tc-reconcile",
        tab_index=0,
        role="region",
        aria_label=t("reconcile.lines"),
        on_key_down=ReconcileState.press,
    )
    return stack(
        rx.el.div(bar, class_name="tc-reconcile-bar"),
        rx.cond(
            may_change,
            rx.el.p(t("reconcile.keys"), class_name="tc-help tc-reconcile-bar"),
        ),
        rx.cond(
            ReconcileState.lines.length() > 0,
            stack(
                table,
                pagination(
                    page=ReconcileState.page,
                    pages=ReconcileState.pages,
                    total=ReconcileState.listed,
                    on_previous=ReconcileState.turn(-1),
                    on_next=ReconcileState.turn(1),
                ),
            ),
            empty(t("reconcile.nothing_here"), icon="file_search"),
        ),
        gap=8,
    )


def _accept_rest(total: Item, may_change: Any) -> rx.Component:
    is_shown = (total["outcome"].to(str) == ReconcileState.outcome) & (total["undecided"].to(int) > 0)
    return rx.cond(
        is_shown & may_change,
        button(
            t("reconcile.accept_rest", n=total["undecided"].to(int)),
            icon="check_check",
            on_click=ReconcileState.accept_rest,
        ),
        rx.fragment(),
    )


def _line(item: Item, may_change: Any) -> rx.Component:
    currency = ReconcileState.view["currency"].to(str)

    def cell(content: Any, name: str, *, right: bool = False) -> rx.Component:
        attributes: dict[str, Any] = {"data-label": t(name)}
        if right:
            attributes |= {"data-align": "end", "data-nowrap": "true"}
        return rx.el.td(content, custom_attrs=attributes)

    def side(has: str, amount: str, below: Any) -> rx.Component:
        return rx.cond(
            item[has].to(bool),
            rx.el.span(
                money(item[amount].to(int), currency),
                rx.el.span(below, class_name="tc-help tc-reconcile-below"),
            ),
            rx.el.span("—", class_name="tc-muted"),
        )

    where = t("reconcile.their_row", row=item["their_row"].to(int))
    return rx.el.tr(
        cell(
            rx.cond(
                item["href"].to(str) != "",
                text_link(item["ticket_no"].to(str), href=item["href"].to(str)),
                rx.el.span(item["ticket_no"].to(str)),
            ),
            "reconcile.place.ticket_no",
        ),
        cell(_outcome(item["outcome"].to(str)), "reconcile.column.outcome"),
        cell(side("has_ours", "ours_minor", item["our_day"].to(str)), "reconcile.column.ours", right=True),
        cell(
            side("has_theirs", "theirs_minor", where + " " + item["their_day"].to(str)),
            "reconcile.column.theirs",
            right=True,
        ),
        cell(money(item["difference_minor"].to(int), currency), "reconcile.column.difference", right=True),
        cell(_decision(item, may_change), "reconcile.column.decision"),
        custom_attrs={
            "data-current": rx.cond(
                may_change & (item["position"].to(int) == ReconcileState.cursor), "true", "false"
            )
        },
    )


def _decision(item: Item, may_change: Any) -> rx.Component:
    decision = item["decision"].to(str)
    tone = rx.match(decision, ("accepted", "ok"), ("disputed", "danger"), "plain")
    line_id = item["id"].to(int)
    said = stack(
        badge(
            t(rx.Var.create("reconcile.decision.") + rx.cond(decision == "", "none", decision)),
            tone=tone,
        ),
        rx.cond(item["note"].to(str) != "", rx.el.span(item["note"].to(str), class_name="tc-help")),
        gap=2,
    )
    return row(
        said,
        rx.cond(
            may_change,
            rx.cond(
                decision == "",
                row(
                    button(t("reconcile.accept"), on_click=ReconcileState.decide(line_id, "accepted")),
                    button(
                        t("reconcile.dispute"),
                        tone="quiet",
                        on_click=ReconcileState.decide(line_id, "disputed"),
                    ),
                ),
                button(t("reconcile.take_back"), tone="quiet", on_click=ReconcileState.decide(line_id, "")),
            ),
        ),
    )


def _dialogs() -> rx.Component:
    return rx.fragment(
        reason_dialog(
            open=ReconcileState.asking == "dispute",
            title=t("reconcile.dispute.title"),
            text=t("reconcile.dispute.text"),
            confirm_label=t("reconcile.dispute"),
            on_confirm=ReconcileState.dispute,
            on_cancel=ReconcileState.stop_asking,
        ),
        confirm_dialog(
            open=ReconcileState.asking == "close",
            title=t("reconcile.close.title"),
            text=t("reconcile.close.text"),
            confirm_label=t("reconcile.close"),
            on_confirm=ReconcileState.close,
            on_cancel=ReconcileState.stop_asking,
        ),
        reason_dialog(
            open=ReconcileState.asking == "reopen",
            title=t("reconcile.reopen.title"),
            text=t("reconcile.reopen.text"),
            confirm_label=t("reconcile.reopen"),
            on_confirm=ReconcileState.reopen,
            on_cancel=ReconcileState.stop_asking,
        ),
    )
