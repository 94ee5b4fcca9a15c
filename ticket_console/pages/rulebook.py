"""Settlement rules: the library, the editor, the tier grid, rate cards, templates; trying a draft first."""

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
    loaded,
    note,
    page_header,
    progress_bar,
    row,
    split,
    stack,
    stat_tile,
    tabs,
    text_input,
    text_link,
)
from ticket_console.components.chart import bar_chart
from ticket_console.components.overlay import confirm_dialog, dialog
from ticket_console.components.text import money, number, t, t_with, tl
from ticket_console.designer.rules.rule_desk import (
    rate_cards,
    rule_editor,
    rule_library,
    rule_templates,
    tier_grid,
)
from ticket_console.pages.frame import console_page
from ticket_console.state.rule_editor import RuleEditorState as Editor
from ticket_console.state.rule_forms import RuleFormsState as Forms
from ticket_console.state.rule_shadow import RuleShadowState as Shadow
from ticket_console.state.rulebook import RulebookState as Book

Item = rx.vars.ObjectVar[dict[str, Any]]

_STATES = (("draft", "warn"), ("upcoming", "violet"), ("in_force", "ok"), ("retired", "plain"))
_TURNS = (("added", "ok"), ("changed", "warn"), ("removed", "danger"))


def _rows(name: str) -> rx.Var[list[dict[str, Any]]]:
    return Book.view[name].to(list[dict[str, Any]])


def _part(name: str) -> Item:
    return Book.view[name].to(dict[str, Any])


_CAN_WRITE = Book.view["is_draft"].to(bool) & Book.view["may_edit"].to(bool)


@console_page(
    "/settlement/rules",
    title="rulebook.title",
    active="rulebook",
    permission="settlement.view",
    on_load=[Book.load],
)
def rulebook() -> rx.Component:
    return rx.fragment(
        rx.cond(
            Book.status == "missing",
            empty(t("rulebook.missing"), text=t("rulebook.missing.text"), icon="search_x"),
            loaded(
                Book.status,
                rx.cond(Book.view.contains("version"), _page(), empty(t("rulebook.no_set"), icon="scale")),
                on_retry=Book.load,
            ),
        ),
        confirm_dialog(
            open=Book.asking == "discard",
            title=t("rulebook.discard.title", n=_part("version")["number"].to(int)),
            text=t("rulebook.discard.text"),
            confirm_label=t("rulebook.discard"),
            danger=True,
            on_confirm=Book.discard,
            on_cancel=Book.stop_asking,
        ),
        _publish_dialog(),
    )


def _page() -> rx.Component:
    return stack(
        page_header(t("rulebook.title"), *_head_tools(), hint=tl(Book.view["name"])),
        _version_line(),
        rx.cond(
            Book.editing != "",
            rule_editor(
                rules=_rows("rules"),
                cards=_rows("cards"),
                choices=_part("choices"),
                editing=Book.editing,
                began=Book.began,
                judged=Editor.judged,
                can_edit=_CAN_WRITE,
                on_judge=Editor.judge,
                on_save=Editor.save,
                on_remove=Editor.remove,
                on_close=Book.stop_editing,
            ),
            stack(_tabs(), _tab(), gap=14),
        ),
        gap=14,
    )


def _head_tools() -> tuple[rx.Component, ...]:
    return (
        rx.cond(
            _rows("sets").length() > 1,
            address_select(
                "set",
                label=t("rulebook.set"),
                options=_rows("sets"),
                value=Book.view["set"].to(str),
                drops=["version", "rule"],
            ),
            rx.fragment(),
        ),
        rx.cond(
            Book.view["may_edit"],
            rx.cond(
                Book.view["is_draft"],
                rx.fragment(
                    button(t("rulebook.discard"), icon="trash_2", tone="quiet", on_click=Book.ask_discard),
                    button(t("rulebook.publish"), icon="send", tone="primary", on_click=Shadow.plan("")),
                ),
                button(t("rulebook.begin"), icon="pencil_ruler", tone="primary", on_click=Book.begin),
            ),
            rx.fragment(),
        ),
    )


def _state(version: Item) -> rx.Component:
    state = version["state"].to(str)
    return badge(t(rx.Var.create("rulebook.state.") + state), tone=rx.match(state, *_STATES, "plain"))


def _version_line() -> rx.Component:
    """Every version with its dates, the shown one pressed."""
    here = _part("version")

    def one(version: Item) -> rx.Component:
        return rx.el.li(
            rx.el.a(
                rx.el.strong(t("rulebook.version", n=version["number"].to(int))),
                _state(version),
                rx.el.span(
                    rx.cond(
                        version["state"].to(str) == "draft",
                        t("rulebook.version.draft"),
                        t(
                            "rulebook.version.dates",
                            start=version["from"].to(str),
                            end=rx.cond(version["to"].to(str) != "", version["to"].to(str), "…"),
                        ),
                    ),
                    class_name="tc-help tc-num",
                ),
                href=rx.Var.create("/settlement/rules?set=")
                + Book.view["set"].to(str)
                + "&version="
                + version["id"].to_string(),
                class_name="rb-version",
                aria_current=rx.cond(version["id"] == here["id"], "page", "false"),
            )
        )

    return rx.el.nav(
        rx.el.ol(rx.foreach(_rows("versions"), one), class_name="rb-versions"),
        aria_label=t("rulebook.versions"),
    )


def _tabs() -> rx.Component:
    changes = _rows("changes").length()
    options = [
        ("rules", t("rulebook.tab.rules_n", n=_rows("rules").length())),
        ("grid", t("rulebook.tab.grid")),
        ("cards", t("rulebook.tab.cards_n", n=_rows("cards").length())),
        ("templates", t("rulebook.tab.templates_n", n=_rows("templates").length())),
        ("changes", t("rulebook.tab.changes_n", n=changes)),
    ]
    shadow = rx.cond(
        Book.view["may_edit"],
        rx.el.button(
            t("rulebook.tab.shadow"),
            type="button",
            on_click=[Book.show("shadow"), Shadow.open_tab],
            custom_attrs={"aria-pressed": rx.cond(Book.tab == "shadow", "true", "false")},
        ),
        rx.fragment(),
    )
    usual = tabs(options, value=Book.tab, on_change=Book.show, label=t("rulebook.parts"))
    usual.children.append(shadow)
    return rx.el.div(usual, class_name="rb-tabs")


def _tab() -> rx.Component:
    common = {"choices": _part("choices"), "can_edit": _CAN_WRITE}
    return rx.match(
        Book.tab,
        (
            "grid",
            tier_grid(
                cells=_rows("grid"),
                rules=_rows("rules"),
                reference=Book.reference,
                on_refer=Book.refer_to,
                on_value=Editor.write_value,
                on_edit=Book.edit,
                on_new=Book.edit_new,
                **common,
            ),
        ),
        (
            "cards",
            rate_cards(
                cards=_rows("cards"),
                rules=_rows("rules"),
                problems=Forms.card_problems,
                on_save=Forms.save_card,
                on_remove=Forms.remove_card,
                on_new_rule=Book.edit_new,
                **common,
            ),
        ),
        (
            "templates",
            rule_templates(
                templates=_rows("templates"),
                rules=_rows("rules"),
                tried=Forms.tried,
                on_try=Forms.try_out,
                on_insert=Forms.insert,
                **common,
            ),
        ),
        ("changes", _changes()),
        ("shadow", _shadow()),
        rule_library(
            rules=_rows("rules"),
            changes=_rows("changes"),
            splits=_rows("splits"),
            on_shares=Forms.save_shares,
            on_edit=Book.edit,
            on_new=Book.edit_new,
            **common,
        ),
    )


def _changes() -> rx.Component:
    live = _part("live")
    return rx.cond(
        _rows("changes").length() > 0,
        stack(
            rx.el.p(
                t(
                    "rulebook.changes.against",
                    n=_rows("changes").length(),
                    number=live["number"].to(int),
                ),
                class_name="tc-help",
            ),
            rx.el.ul(rx.foreach(_rows("changes"), _change), class_name="rb-changes"),
        ),
        empty(
            rx.cond(
                Book.view["is_draft"],
                t("rulebook.changes.none"),
                rx.cond(
                    live["id"] == _part("version")["id"],
                    t("rulebook.changes.is_live"),
                    t("rulebook.changes.none"),
                ),
            ),
            text=t("rulebook.changes.none.text"),
            icon="git_compare",
        ),
    )


def _change(one: Item) -> rx.Component:
    turn = one["turn"].to(str)
    before, after = one["before"].to(dict[str, str]), one["after"].to(dict[str, str])
    return rx.el.li(
        row(
            badge(t(rx.Var.create("rulebook.turn.") + turn), tone=rx.match(turn, *_TURNS, "plain")),
            rx.cond(
                one["kind"].to(str) == "splits",
                rx.el.strong(t("rulebook.kind.splits")),
                rx.el.strong(tl(one["name"])),
            ),
            rx.cond(
                one["kind"].to(str) == "card", badge(t("rulebook.kind.card"), tone="teal"), rx.fragment()
            ),
            rx.el.code(one["code"].to(str), class_name="rb-code"),
        ),
        rx.cond(
            before.contains("zh"),
            rx.el.p(rx.el.del_(tl(before)), class_name="rb-before"),
            rx.fragment(),
        ),
        rx.cond(after.contains("zh"), rx.el.p(rx.el.ins(tl(after)), class_name="rb-after"), rx.fragment()),
        rx.cond(
            one["parts"].to(list[str]).length() > 0,
            rx.el.p(
                t("rulebook.changes.parts"),
                " ",
                rx.foreach(one["parts"].to(list[str]), lambda part: rx.el.code(part, class_name="rb-part")),
                class_name="tc-help",
            ),
            rx.fragment(),
        ),
        class_name="rb-change",
        custom_attrs={"data-turn": turn, "data-code": one["code"].to(str)},
    )


def _shadow() -> rx.Component:
    run = Shadow.run
    at_work = (run["state"].to(str) == "queued") | (run["state"].to(str) == "running")
    return stack(
        rx.el.p(t("rulebook.shadow.hint"), class_name="tc-help"),
        rx.el.form(
            row(
                field(
                    t("rulebook.shadow.since"),
                    text_input(
                        name="since", type="date", default_value=Shadow.since, key=Shadow.since, required=True
                    ),
                ),
                field(
                    t("rulebook.shadow.until"),
                    text_input(
                        name="until", type="date", default_value=Shadow.until, key=Shadow.until, required=True
                    ),
                ),
                button(
                    t("rulebook.shadow.start"),
                    icon="flask_conical",
                    tone="primary",
                    type="submit",
                    disabled=at_work,
                ),
                class_name="rb-shadow-ask",
            ),
            on_submit=Shadow.start,
        ),
        rx.cond(
            at_work,
            card(
                stack(
                    row(
                        rx.el.span(
                            rx.cond(
                                run["total"].to(int) > 0,
                                t(
                                    "rulebook.shadow.progress",
                                    n=run["done"].to(int),
                                    of=run["total"].to(int),
                                ),
                                t("rulebook.shadow.waits"),
                            ),
                            role="status",
                        ),
                        rx.el.div(class_name="tc-fill"),
                        button(t("rulebook.shadow.stop"), icon="x", on_click=Shadow.call_off),
                    ),
                    progress_bar(run["bp"].to(int), label=t("rulebook.shadow.progress_label")),
                )
            ),
            rx.fragment(),
        ),
        rx.match(
            run["state"].to(str),
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
            ("cancelled", note(t("rulebook.shadow.cancelled"), icon="circle_slash")),
            ("done", rx.cond(Shadow.result.contains("tickets"), _result(), rx.fragment())),
            ("queued", rx.fragment()),
            ("running", rx.fragment()),
            empty(t("rulebook.shadow.none"), text=t("rulebook.shadow.none.text"), icon="flask_conical"),
        ),
        gap=14,
        custom_attrs={"data-test": "shadow-run"},
    )


def _signed(amount: Any, currency: Any) -> rx.Component:
    return rx.el.span(
        rx.cond(amount > 0, "+", ""),
        money(amount, currency),
        class_name="tc-num",
        custom_attrs={"data-sign": rx.cond(amount > 0, "more", rx.cond(amount < 0, "less", "same"))},
    )


def _result() -> rx.Component:
    result, run = Shadow.result, Shadow.run
    currency = result["currency"].to(str)
    before, after = result["before"].to(int), result["after"].to(int)
    return stack(
        rx.cond(
            run["is_older"],
            note(t("rulebook.shadow.older"), tone="warn", icon="history"),
            rx.fragment(),
        ),
        rx.el.p(
            t("rulebook.shadow.of", since=run["since"].to(str), until=run["until"].to(str)),
            class_name="tc-help",
        ),
        rx.el.div(
            stat_tile(
                t("rulebook.shadow.total"),
                _signed(after - before, currency),
                icon="scale",
                hint=rx.fragment(money(before, currency), " → ", money(after, currency)),
            ),
            stat_tile(
                t("rulebook.shadow.changed"),
                number(result["changed"]),
                icon="receipt_text",
                hint=t("rulebook.shadow.changed.of", n=result["tickets"].to(int)),
            ),
            stat_tile(
                t("rulebook.shadow.gaining"),
                number(result["gaining"]),
                icon="trending_up",
                hint=t("rulebook.shadow.people", n=result["people"].to(int)),
            ),
            stat_tile(
                t("rulebook.shadow.losing"),
                number(result["losing"]),
                icon="trending_down",
                hint=t("rulebook.shadow.people", n=result["people"].to(int)),
            ),
            class_name="rb-tiles",
        ),
        rx.cond(
            result["changed"].to(int) == 0,
            note(t("rulebook.shadow.nothing"), icon="equal"),
            rx.fragment(),
        ),
        split(
            card(
                _deltas(
                    [
                        Column(t("rulebook.shadow.person"), lambda each: rx.el.span(tl(each["name"]))),
                        Column(
                            t("rulebook.shadow.tickets"),
                            lambda each: rx.fragment(number(each["changed"]), " / ", number(each["tickets"])),
                            align="end",
                        ),
                    ],
                    result["payees"].to(list[dict[str, Any]]),
                    currency,
                    t("rulebook.shadow.by_person"),
                ),
                title=t("rulebook.shadow.by_person"),
                flush=True,
            ),
            stack(
                card(
                    _deltas(
                        [Column(t("rulebook.dimension"), lambda each: rx.el.span(tl(each["label"])))],
                        result["dimensions"].to(list[dict[str, Any]]),
                        currency,
                        t("rulebook.shadow.by_dimension"),
                    ),
                    title=t("rulebook.shadow.by_dimension"),
                    flush=True,
                ),
                card(
                    bar_chart(
                        result["bars"],
                        [("n", t("rulebook.shadow.tickets_word"), "accent")],
                        label=t("rulebook.shadow.spread"),
                        empty=t("rulebook.shadow.nothing"),
                        height=220,
                    ),
                    title=t("rulebook.shadow.spread"),
                ),
                gap=14,
            ),
        ),
        card(
            _deltas(
                [
                    Column(
                        t("rulebook.shadow.ticket"),
                        lambda each: text_link(
                            each["no"].to(str), href=rx.Var.create("/tickets/") + each["id"].to_string()
                        ),
                        nowrap=True,
                    ),
                    Column(t("rulebook.shadow.person"), lambda each: rx.el.span(tl(each["name"]))),
                ],
                result["outliers"].to(list[dict[str, Any]]),
                currency,
                t("rulebook.shadow.outliers"),
            ),
            title=t("rulebook.shadow.outliers"),
            flush=True,
        ),
        gap=14,
        custom_attrs={"data-test": "shadow-result"},
    )


def _deltas(lead: list[Column], rows: Any, currency: Any, caption: Any) -> rx.Component:
    """A list with what was paid, what would be, and the difference."""
    return data_table(
        [
            *lead,
            Column(
                t("rulebook.shadow.before"),
                lambda each: money(each["before"].to(int), currency),
                align="end",
                nowrap=True,
            ),
            Column(
                t("rulebook.shadow.after"),
                lambda each: money(each["after"].to(int), currency),
                align="end",
                nowrap=True,
            ),
            Column(
                t("rulebook.shadow.delta"),
                lambda each: _signed(each["after"].to(int) - each["before"].to(int), currency),
                align="end",
                nowrap=True,
            ),
        ],
        rows,
        caption=caption,
    )


def _publish_dialog() -> rx.Component:
    plan = Shadow.planned
    changes = plan["changes"].to(list[dict[str, Any]])
    return dialog(
        stack(
            field(
                t("rulebook.publish.day"),
                text_input(
                    type="date",
                    value=plan["day"].to(str),
                    on_change=Shadow.plan,
                    custom_attrs={"data-test": "publish-day"},
                ),
                help=t("rulebook.publish.day.help"),
            ),
            rx.cond(
                plan["is_past"],
                note(t("rulebook.publish.past"), tone="warn", icon="history"),
                rx.fragment(),
            ),
            rx.cond(
                plan["until"].to(str) != "",
                note(t("rulebook.publish.until", day=plan["until"].to(str)), icon="calendar_range"),
                rx.fragment(),
            ),
            rx.cond(
                plan["number"].to(int) > 0,
                rx.el.p(
                    t("rulebook.publish.replaces", number=plan["number"].to(int), n=changes.length()),
                    class_name="rb-publish-said",
                ),
                rx.el.p(t("rulebook.publish.first", n=plan["rules"].to(int)), class_name="rb-publish-said"),
            ),
            rx.el.ul(rx.foreach(changes, _change), class_name="rb-changes rb-publish-changes"),
            rx.el.p(t("rulebook.publish.ledger"), class_name="tc-help"),
            row(
                button(t("rulebook.publish.cancel"), on_click=Shadow.stop_planning),
                button(
                    t("rulebook.publish.confirm", day=plan["day"].to(str)),
                    tone="primary",
                    icon="send",
                    on_click=Shadow.publish,
                    disabled=(changes.length() == 0) & (plan["number"].to(int) > 0),
                    custom_attrs={"data-test": "publish-confirm"},
                ),
                class_name="tc-dialog-foot",
            ),
            gap=12,
        ),
        open=plan.contains("version_id"),
        title=t("rulebook.publish.title"),
        on_close=Shadow.stop_planning,
        wide=True,
    )
