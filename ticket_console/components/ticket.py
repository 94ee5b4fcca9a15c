"""Parts of a ticket that several screens show: its values, why somebody was chosen, how pay was computed."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType

from ticket_console.components.blocks import badge, button, note, row, stack, text_input
from ticket_console.components.form import KEPT_IN_FULL, kept_value
from ticket_console.components.overlay import dialog
from ticket_console.components.scripts import script
from ticket_console.components.text import money, number, t, t_with, tl, when

Item = rx.vars.ObjectVar[dict[str, Any]]
Items = rx.Var[list[dict[str, Any]]]

TICKET_JS: Final = script(__name__, "ticket.jsx")


class _TicketPart(rx.Component):
    library = TICKET_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]


class _NavigateLink(_TicketPart):
    tag = "NavigateLink"

    lat: rx.Var[Any]
    lon: rx.Var[Any]
    label: rx.Var[str]


class _SignatureImage(_TicketPart):
    tag = "SignatureImage"

    strokes: rx.Var[str]
    label: rx.Var[str]


class _CopyText(_TicketPart):
    tag = "CopyText"

    text: rx.Var[str]
    label: rx.Var[str]


# A link that opens the device's own map at {lat, lon}.
navigate_link = _NavigateLink.create
signature_image = _SignatureImage.create
# A text in a field, with a button that copies it.
copy_text = _CopyText.create


def call_link(phone: rx.Var[str]) -> rx.Component:
    """A button that dials; a number that is partly hidden cannot be dialled and is only shown."""
    return rx.cond(
        phone.contains("*"),
        rx.el.span(phone, class_name="tc-mono"),
        rx.el.a(
            rx.icon("phone", aria_hidden="true"),
            phone,
            href=rx.Var.create("tel:") + phone,
            class_name="tc-btn",
        ),
    )


def stage_bar(stages: Items, *, label: rx.Var[str]) -> rx.Component:
    """The stages of a flow in their order: behind, here, ahead."""

    def stage(item: Item) -> rx.Component:
        state = item["state"].to(str)
        return rx.el.li(
            rx.el.span(tl(item["name"])),
            custom_attrs={
                "data-state": state,
                "data-category": item["category"].to(str),
                "aria-current": rx.cond(state == "here", "step", "false"),
            },
        )

    return rx.el.ol(rx.foreach(stages, stage), class_name="tc-stages", aria_label=label)


def value_list(fields: Items) -> rx.Component:
    """Filled-in fields with where each value came from; nothing is shown of fields that are absent."""

    def entry(each: Item) -> rx.Component:
        return rx.el.div(
            rx.el.dt(tl(each["label"])),
            rx.el.dd(
                value_text(each),
                rx.cond(
                    (each["provenance"].to(str) != "typed") & (each["kind"].to(str) != "formula"),
                    badge(t(rx.Var.create("ticket.provenance.") + each["provenance"].to(str))),
                ),
            ),
            custom_attrs={
                "data-kind": each["kind"].to(str),
                "data-tone": each["look"].to(dict[str, Any])["tone"].to(str),
            },
        )

    return rx.el.dl(rx.foreach(fields, entry), class_name="tc-values")


def value_text(each: Item) -> rx.Component:
    """A value by the kind of its field; choices and parts by their label."""
    chosen = each["options"].to(list[list[Any]])

    def label_of(value: Any) -> rx.Component:
        return rx.foreach(chosen, lambda option: rx.cond(option[0] == value, tl(option[1]), ""))

    return rx.match(
        each["kind"].to(str),
        ("yes_no", rx.fragment(rx.cond(each["value"], t("common.yes"), t("common.no")))),
        ("choice", rx.fragment(label_of(each["value"]))),
        (
            "multi_choice",
            rx.fragment(
                rx.foreach(
                    each["value"].to(list[str]), lambda one: rx.el.span(label_of(one), class_name="tc-badge")
                )
            ),
        ),
        (
            "parts",
            rx.fragment(
                rx.foreach(
                    each["value"].to(list[dict[str, str]]),
                    lambda line: rx.el.div(
                        label_of(line["sku"]),
                        rx.el.span(line["sku"], class_name="tc-mono tc-muted"),
                        rx.el.strong("× ", line["qty"]),
                        class_name="tc-row",
                    ),
                )
            ),
        ),
        ("datetime", rx.fragment(when(each["value"]))),
        ("rating", rx.fragment(stars(each["value"].to(int)))),
        (
            "location",
            rx.fragment(
                each["value"].to(dict[str, float])["lat"].to_string(),
                ", ",
                each["value"].to(dict[str, float])["lon"].to_string(),
            ),
        ),
        *((kind, rx.fragment(kept_value(each))) for kind in KEPT_IN_FULL),
        ("photo", rx.fragment(t("ticket.photos_attached"))),
        ("file", rx.fragment(t("ticket.photos_attached"))),
        rx.fragment(tl(each["look"].to(dict[str, Any])["shown"])),
    )


def stars(count: rx.Var[int]) -> rx.Component:
    """A rating of five, to look at."""
    return rx.el.span(
        *[rx.icon("star", custom_attrs={"data-on": (count >= each).to_string()}) for each in range(1, 6)],
        class_name="tc-rated",
        role="img",
        aria_label=t("form.rating", n=count),
    )


def file_list(files: Items) -> rx.Component:
    """Files with a preview of pictures: [{url, filename, content_type, who, at}]."""

    def one(each: Item) -> rx.Component:
        return rx.el.li(
            rx.el.a(
                rx.cond(
                    each["content_type"].to(str).startswith("image/"),
                    rx.el.img(src=each["url"].to(str), alt="", loading="lazy"),
                    rx.el.span(rx.icon("file_text", aria_hidden="true"), class_name="tc-file-icon"),
                ),
                rx.el.span(each["filename"].to(str), class_name="tc-clip"),
                href=each["url"].to(str),
                target="_blank",
                rel="noopener",
            ),
            rx.el.span(
                rx.cond(each["who"].to(str) != "", each["who"].to(str) + " · ", ""),
                when(each["at"]),
                class_name="tc-help tc-clip",
            ),
        )

    return rx.el.ul(rx.foreach(files, one), class_name="tc-files")


def decision_panel(decisions: Items) -> rx.Component:
    """Why this person: the ranked candidates with their numbers, and what kept the others out."""

    def term(each: Item) -> rx.Component:
        return rx.el.li(
            rx.el.span(t_with(each["key"].to(str), each["params"])),
            rx.el.span(
                number(each["earned"].to(float)), "/", each["weight"].to_string(), class_name="tc-mono"
            ),
        )

    def reason(each: Item) -> rx.Component:
        return rx.el.li(t_with(each["key"].to(str), each["params"]))

    def ways(each: Item) -> rx.Component:
        """What would have made them the choice: all that stands in one line together."""

        def way(changes: Any) -> rx.Component:
            return rx.el.li(
                rx.foreach(
                    changes.to(list[dict[str, Any]]),
                    lambda change, at: rx.el.span(
                        rx.cond(at > 0, rx.fragment(" ", t("decision.and"), " ")),
                        t_with(change["key"].to(str), change["params"]),
                    ),
                )
            )

        found = each["wins_if"].to(list[list[dict[str, Any]]])
        return rx.cond(
            found.length() > 0,
            rx.el.div(
                rx.el.span(t("decision.wins_if", who=each["name"].to(str)), class_name="tc-help"),
                rx.el.ul(rx.foreach(found, way), class_name="tc-wins-if"),
            ),
        )

    def band(each: Item) -> rx.Component:
        found = each["band"].to(dict[str, Any])
        return rx.cond(each["band"], badge(t_with(found["key"].to(str), found["params"]), icon="circle_dot"))

    def candidate(each: Item) -> rx.Component:
        score = each["score"].to(float)
        return rx.el.li(
            rx.el.div(
                rx.el.strong(each["name"].to(str)),
                rx.cond(each["is_chosen"], badge(t("decision.chosen"), tone="ok", icon="check")),
                band(each),
                rx.el.span(number(score), class_name="tc-score"),
                class_name="tc-row",
            ),
            rx.el.div(
                rx.el.i(style={"width": score.to(str) + "%"}), class_name="tc-score-bar", aria_hidden="true"
            ),
            rx.el.ul(rx.foreach(each["terms"].to(list[dict[str, Any]]), term), class_name="tc-terms"),
            rx.el.ul(rx.foreach(each["failures"].to(list[dict[str, Any]]), reason), class_name="tc-against"),
            ways(each),
            custom_attrs={"data-chosen": each["is_chosen"].to_string()},
        )

    def excluded(each: Item) -> rx.Component:
        return rx.el.li(
            rx.el.strong(each["name"].to(str)),
            rx.el.ul(rx.foreach(each["failures"].to(list[dict[str, Any]]), reason), class_name="tc-against"),
            ways(each),
        )

    def kept_out(each: Item) -> rx.Component:
        return badge(t("decision.kept_out", n=each["count"].to(int), what=each["key"]))

    def decision(each: Item) -> rx.Component:
        out = each["excluded"].to(list[dict[str, Any]])
        failed = each["failed"].to(list[dict[str, Any]])
        candidates = each["candidates"].to(list[dict[str, Any]])
        return rx.el.details(
            rx.el.summary(
                rx.icon("chevron_right", aria_hidden="true"),
                rx.el.strong(rx.cond(each["chosen_name"], each["chosen_name"].to(str), t("decision.nobody"))),
                badge(t(each["mode_key"].to(str))),
                when(each["at"], class_name="tc-help"),
            ),
            rx.cond(
                candidates.length() > 0,
                rx.el.ol(rx.foreach(candidates, candidate), class_name="tc-candidates"),
            ),
            rx.cond(
                (candidates.length() == 0) & each["chosen"],
                rx.fragment(
                    band(each["chosen"].to(dict[str, Any])),
                    rx.el.ul(
                        rx.foreach(each["chosen"].to(dict[str, Any])["terms"].to(list[dict[str, Any]]), term),
                        class_name="tc-terms",
                    ),
                    rx.cond(
                        each["others"].to(int) > 0,
                        rx.el.p(t("decision.before_others", n=each["others"].to(int)), class_name="tc-help"),
                    ),
                ),
            ),
            rx.cond(failed.length() > 0, row(rx.foreach(failed, kept_out), class_name="tc-kept-out")),
            rx.cond(
                out.length() > 0,
                rx.el.details(
                    rx.el.summary(rx.icon("chevron_right", aria_hidden="true"), t("decision.others")),
                    rx.el.ul(rx.foreach(out, excluded), class_name="tc-excluded"),
                ),
            ),
            open=each["is_open"],
            class_name="tc-decision",
        )

    return rx.cond(
        decisions.length() > 0,
        rx.foreach(decisions, decision),
        rx.el.p(t("decision.none"), class_name="tc-muted"),
    )


def rating_panel(rating: Item) -> rx.Component:
    """One rating: its lines, each with the rule's sentence and the formula with its numbers."""
    currency = rating["currency"].to(str)

    def fact(each: Item) -> rx.Component:
        return rx.fragment(rx.el.dt(tl(each["label"])), rx.el.dd(tl(each["value"])))

    def line(each: Item) -> rx.Component:
        return rx.el.details(
            rx.el.summary(
                rx.icon("chevron_right", aria_hidden="true"),
                rx.el.span(tl(each["dimension_name"])),
                rx.el.span(money(each["amount_minor"].to(int), currency), class_name="tc-amount"),
            ),
            rx.el.p(tl(each["sentence"])),
            rx.el.code(each["formula"].to(str)),
            rx.el.dl(rx.foreach(each["facts"].to(list[dict[str, Any]]), fact), class_name="tc-facts"),
            class_name="tc-pay-line",
        )

    return rx.el.div(
        row(
            rx.cond(
                rating["is_live"], badge(t("pay.live"), tone="ok"), badge(t("pay.reversed"), tone="warn")
            ),
            rx.el.span(
                t("pay.rules", name=rating["rule_set_name"], version=rating["rule_version"].to_string()),
                class_name="tc-help",
            ),
            rx.el.strong(money(rating["total_minor"].to(int), currency), class_name="tc-amount"),
        ),
        rx.cond(rating["reversed_because"], note(rating["reversed_because"].to(str), tone="warn")),
        rx.foreach(rating["lines"].to(list[dict[str, Any]]), line),
        class_name="tc-rating",
        custom_attrs={"data-live": rating["is_live"].to_string()},
    )


def assign_dialog(
    *,
    open: rx.Var[bool],
    offers: Items,
    on_assign: EventType[dict[str, Any]],
    on_close: EventType[()],
) -> rx.Component:
    """Who is to do it: everybody the viewer may send, the best first, with what speaks against the others."""

    def offer(each: Item) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="radio", name="technician", value=each["technician_id"].to_string(), required=True
            ),
            rx.el.span(
                rx.el.strong(each["name"].to(str)),
                rx.el.span(
                    rx.cond(
                        each["distance_km"],
                        t("assign.distance", km=each["distance_km"]) + " · ",
                        "",
                    ),
                    t("assign.load", open=each["open_count"], capacity=each["capacity"]),
                    class_name="tc-help",
                ),
                rx.foreach(
                    each["failures"].to(list[dict[str, Any]]),
                    lambda failure: rx.el.span(
                        t_with(failure["key"].to(str), failure["params"]), class_name="tc-problem"
                    ),
                ),
                class_name="tc-offer-text",
            ),
            rx.cond(each["is_eligible"], rx.el.span(number(each["score"].to(float)), class_name="tc-score")),
            class_name="tc-offer",
            custom_attrs={"data-eligible": each["is_eligible"].to_string()},
        )

    return dialog(
        rx.el.form(
            stack(
                rx.el.div(
                    rx.foreach(offers, offer),
                    class_name="tc-offers",
                    role="radiogroup",
                    aria_label=t("assign.who"),
                    tab_index=0,
                ),
                rx.el.label(
                    rx.el.span(t("assign.reason"), class_name="tc-label"),
                    text_input(name="reason", max_length=500),
                    class_name="tc-field",
                ),
                rx.el.label(
                    rx.el.input(type="checkbox", name="override"),
                    rx.el.span(t("assign.override")),
                    class_name="tc-check",
                ),
            ),
            rx.el.div(
                button(t("common.cancel"), on_click=on_close),
                button(t("assign.do"), tone="primary", type="submit"),
                class_name="tc-dialog-foot",
            ),
            on_submit=on_assign,
        ),
        open=open,
        title=t("assign.title"),
        on_close=on_close,
        wide=True,
    )
