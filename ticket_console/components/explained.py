"""How an amount came about, node by node: formula, rule, facts, and what each of them rests on."""

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from ticket_console.components.blocks import badge, card, facts, icon_button, note, row
from ticket_console.components.shell import link
from ticket_console.components.text import money, number, t, tl, when

Item = rx.vars.ObjectVar[dict[str, Any]]
Items = rx.Var[list[dict[str, Any]]]
# Given a rating and the path of a node, what a click on "dispute this" does.
OnDispute = Callable[[rx.Var[int], rx.Var[str]], Any] | None

DISPUTE_TONES: Final = (("open", "danger"), ("answered", "accent"), ("accepted", "ok"), ("rejected", "plain"))
_GROUND_ICONS: Final = (
    ("event", "history"),
    ("photo", "image"),
    ("signature", "pen_line"),
    ("position", "map_pin"),
    ("stock", "package"),
    ("tool", "wrench"),
    ("dispute", "flag"),
)


def explained_rating(rating: Item, *, on_dispute: OnDispute = None) -> rx.Component:
    """One rating from its sum down to the evidence, as `state.explaining` tells it."""
    currency = rating["currency"].to(str)
    told = card(
        _taken_back(rating),
        _disputes(rating["disputes"].to(list[dict[str, Any]])),
        rx.el.div(_about(rating), class_name="ts-facts"),
        rx.el.p(t("settle.how"), class_name="ts-how"),
        rx.el.ol(
            rx.foreach(
                rating["lines"].to(list[dict[str, Any]]),
                # Each level has a name of its own: an inner one would hide an outer one of the same name.
                lambda line: _line(line, rating, currency, on_dispute),
            ),
            class_name="ts-lines",
        ),
        rx.el.div(
            rx.el.span(t("settle.sum")),
            rx.el.span(
                rx.el.strong(money(rating["total_minor"].to(int), currency)),
                _flag(rating, rating["path"], rating["is_disputed"], on_dispute),
                class_name="ex-end",
            ),
            class_name="ts-total",
        ),
        _checks(rating),
        _evidence(rating),
        _fold(
            t("settle.passed_over", n=rating["passed_over"].to(list[dict[str, Any]]).length()),
            rx.el.ul(
                rx.foreach(
                    rating["passed_over"].to(list[dict[str, Any]]),
                    lambda rule: _passed_over(rule, rating, on_dispute),
                ),
                class_name="ex-nodes",
            ),
        ),
        _fold(t("settle.facts"), _fact_list(rating["facts"].to(list[dict[str, Any]]), rating, on_dispute)),
        title=t("settle.rating", no=rating["ticket_no"].to(str)),
        actions=[
            rx.cond(
                rating["is_live"],
                badge(t("settle.counts"), tone="ok"),
                badge(t("settle.taken_back"), tone="warn"),
            )
        ],
    )
    return rx.el.div(told, class_name="ex-rating")


def dispute_told(dispute: Item) -> rx.Component:
    """What was said about a node, by whom, and what became of it."""
    state = dispute["state"].to(str)
    return rx.el.div(
        row(
            badge(t(rx.Var.create("dispute.state.") + state), tone=rx.match(state, *DISPUTE_TONES, "plain")),
            rx.el.strong(tl(dispute["name"])),
        ),
        rx.el.blockquote(dispute["text"].to(str)),
        rx.el.p(dispute["opened_name"].to(str), " · ", when(dispute["opened_at"]), class_name="tc-help"),
        rx.cond(
            dispute["answered_at"],
            rx.el.div(
                rx.cond(dispute["answer"].to(str) != "", rx.el.blockquote(dispute["answer"].to(str))),
                rx.el.p(
                    rx.cond(
                        dispute["remedy"],
                        rx.fragment(
                            t(rx.Var.create("dispute.remedy.") + dispute["remedy"].to(str)),
                            " · ",
                        ),
                    ),
                    dispute["answered_name"].to(str),
                    " · ",
                    when(dispute["answered_at"]),
                    class_name="tc-help",
                ),
                class_name="ex-answer",
            ),
        ),
        class_name="ex-dispute",
        custom_attrs={"data-state": state},
    )


def _taken_back(rating: Item) -> rx.Component:
    return rx.cond(
        rating["reversed_at"],
        note(
            t("settle.reversed"),
            " ",
            when(rating["reversed_at"]),
            rx.cond(rating["reversed_because"], rx.el.p(rating["reversed_because"].to(str)), rx.fragment()),
            tone="warn",
            icon="undo_2",
        ),
    )


def _disputes(told: Items) -> rx.Component:
    return rx.cond(told.length() > 0, rx.el.section(rx.foreach(told, dispute_told), class_name="ex-disputes"))


def _about(rating: Item) -> rx.Component:
    return facts(
        (
            t("settle.rules"),
            rx.fragment(
                tl(rating["rule_set_name"]),
                " ",
                badge(t("settle.version", n=rating["rule_version"].to(int))),
                " ",
                rx.el.span(t("settle.rules_from", at=rating["rules_effective_from"]), class_name="tc-help"),
            ),
        ),
        (t("settle.served"), rating["service_on"].to(str)),
        (
            t("settle.period"),
            rx.fragment(
                rating["period_code"].to(str),
                rx.cond(
                    rating["origin_period_code"],
                    rx.el.span(
                        " ",
                        t("settle.late", period=rating["origin_period_code"].to(str)),
                        class_name="tc-help",
                    ),
                ),
            ),
        ),
        (t("settle.entry"), number(rating["journal_seq"].to(int))),
    )


def _line(line: Item, rating: Item, currency: rx.Var[str], on_dispute: OnDispute) -> rx.Component:
    """One amount: the rule in words, the formula with its numbers, and what the numbers were taken from."""
    basis = line["builds_on"].to(list[dict[str, str]])
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.icon("chevron_right", aria_hidden="true"),
                rx.el.span(
                    rx.el.strong(tl(line["dimension_name"])),
                    rx.el.span(tl(line["rule_name"]), class_name="tc-help"),
                    class_name="ts-name",
                ),
                rx.el.code(line["formula"].to(str), class_name="ts-formula"),
                rx.el.span(
                    rx.cond(
                        line["has_dispute"],
                        rx.icon("flag", size=14, aria_label=t("settle.disputed"), class_name="ex-flagged"),
                    ),
                    money(line["amount_minor"].to(int), currency),
                    class_name="ts-amount",
                ),
            ),
            rx.el.ul(
                _node(
                    t("settle.node.amount"),
                    money(line["amount_minor"].to(int), currency),
                    flag=_flag(rating, line["path"], line["is_disputed"], on_dispute),
                ),
                _node(
                    t("settle.node.formula"),
                    rx.el.code(line["formula"].to(str), class_name="ts-formula"),
                    rx.cond(
                        basis.length() > 0,
                        row(
                            rx.el.span(t("settle.builds_on"), class_name="tc-help"),
                            rx.foreach(basis, lambda base: badge(tl(base))),
                        ),
                    ),
                    flag=_flag(rating, line["formula_path"], line["formula_is_disputed"], on_dispute),
                ),
                _node(
                    t("settle.node.rule"),
                    rx.el.span(tl(line["sentence"]), class_name="ts-sentence"),
                    rx.el.span(
                        tl(rating["rule_set_name"]),
                        " · ",
                        t("settle.version", n=rating["rule_version"].to(int)),
                        " · ",
                        line["rule_code"].to(str),
                        class_name="tc-help",
                    ),
                    flag=_flag(rating, line["rule_path"], line["rule_is_disputed"], on_dispute),
                ),
                rx.foreach(
                    line["facts"].to(list[dict[str, Any]]), lambda fact: _fact(fact, rating, on_dispute)
                ),
                class_name="ex-nodes",
            ),
        )
    )


def _fact_list(listed: Items, rating: Item, on_dispute: OnDispute) -> rx.Component:
    return rx.el.ul(rx.foreach(listed, lambda fact: _fact(fact, rating, on_dispute)), class_name="ex-nodes")


def _fact(fact: Item, rating: Item, on_dispute: OnDispute) -> rx.Component:
    grounds = fact["grounds"].to(list[dict[str, Any]])
    return _node(
        tl(fact["label"]),
        tl(fact["value"]),
        rx.cond(grounds.length() > 0, rx.el.div(rx.foreach(grounds, _ground), class_name="ex-grounds")),
        flag=_flag(rating, fact["path"], fact["is_disputed"], on_dispute),
    )


def _passed_over(rule: Item, rating: Item, on_dispute: OnDispute) -> rx.Component:
    return _node(
        tl(rule["name"]),
        rx.el.span(t(rx.Var.create("settle.why.") + rule["why"].to(str))),
        rx.el.span(tl(rule["sentence"]), class_name="tc-help"),
        flag=_flag(rating, rule["path"], rule["is_disputed"], on_dispute),
    )


def _node(label: Any, value: Any, *more: Any, flag: rx.Component) -> rx.Component:
    return rx.el.li(
        rx.el.span(label, class_name="ex-label"),
        rx.el.div(value, *more, class_name="ex-value"),
        flag,
    )


def _flag(rating: Item, path: Any, disputed: Any, on_dispute: OnDispute) -> rx.Component:
    if on_dispute is None:
        return rx.cond(
            disputed, rx.icon("flag", size=14, aria_label=t("settle.disputed"), class_name="ex-flagged")
        )
    return rx.cond(
        disputed,
        badge(t("settle.disputed"), tone="danger", icon="flag"),
        icon_button(
            "flag",
            label=t("settle.dispute_this"),
            on_click=on_dispute(rating["rating_id"].to(int), path.to(str)),
            class_name="ex-flag",
        ),
    )


def _ground(ground: Item) -> rx.Component:
    kind = ground["kind"].to(str)
    said = rx.fragment(
        rx.match(
            kind,
            *[(name, rx.icon(icon, size=14, aria_hidden="true")) for name, icon in _GROUND_ICONS],
            rx.icon("dot", size=14, aria_hidden="true"),
        ),
        rx.cond(
            kind == "event",
            rx.fragment(
                rx.cond(
                    ground["who_key"].to(str) != "",
                    t(ground["who_key"].to(str)),
                    ground["who"].to(str),
                ),
                " ",
                t(ground["event"].to(str)),
            ),
            rx.el.span(tl(ground["name"])),
        ),
        rx.cond(ground["at"].to(str) != "", when(ground["at"], class_name="tc-help")),
    )
    return rx.cond(
        kind == "photo",
        rx.el.a(said, href=ground["href"].to(str), target="_blank", rel="noopener", class_name="ex-ground"),
        rx.cond(
            ground["href"].to(str) != "",
            link(said, href=ground["href"].to(str), class_name="ex-ground"),
            rx.el.span(said, class_name="ex-ground"),
        ),
    )


def _checks(rating: Item) -> rx.Component:
    """What was found out when the page was opened: a badge for each law, and which is broken."""
    return rx.el.ul(
        rx.foreach(
            rating["checks"].to(list[dict[str, Any]]),
            lambda check: rx.el.li(
                rx.cond(
                    check["is_right"],
                    badge(
                        t(rx.Var.create("settle.check.") + check["key"].to(str)),
                        tone="ok",
                        icon="shield_check",
                    ),
                    badge(
                        t(rx.Var.create("settle.broken.") + check["key"].to(str)),
                        tone="danger",
                        icon="shield_alert",
                    ),
                )
            ),
        ),
        class_name="ex-checks",
        aria_label=t("settle.checks"),
    )


def _evidence(rating: Item) -> rx.Component:
    """That the work was done, and the whole way back to the message that started it."""
    work, story = rating["work"].to(list[dict[str, Any]]), rating["story"].to(list[dict[str, Any]])
    return rx.fragment(
        rx.cond(
            work.length() > 0,
            rx.el.div(
                rx.el.span(t("settle.work_shown"), class_name="ex-label"),
                rx.el.div(rx.foreach(work, _ground), class_name="ex-grounds"),
                class_name="ex-work",
            ),
        ),
        rx.cond(
            story.length() > 0,
            _fold(
                t("settle.way_here"),
                rx.el.ol(
                    rx.cond(rating["origin"], rx.el.li(_origin(rating["origin"].to(dict[str, Any])))),
                    rx.foreach(story, lambda step: rx.el.li(_ground(step))),
                    class_name="ex-story",
                ),
            ),
        ),
    )


def _origin(origin: Item) -> rx.Component:
    said = rx.fragment(
        rx.icon("inbox", size=14, aria_hidden="true"),
        t("settle.origin"),
        " ",
        t(rx.Var.create("intake.source.") + origin["source"].to(str)),
        rx.cond(origin["external_id"], rx.el.span(origin["external_id"].to(str), class_name="ts-formula")),
        when(origin["received_at"], class_name="tc-help"),
    )
    return rx.cond(
        origin["raw_id"],
        link(said, href=f"/intake?message={origin['raw_id']}", class_name="ex-ground"),
        rx.el.span(said, class_name="ex-ground"),
    )


def _fold(title: Any, content: rx.Component) -> rx.Component:
    return rx.el.details(rx.el.summary(title), content, class_name="ts-all-facts")
