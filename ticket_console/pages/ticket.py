"""One ticket: what it is, where it stands, what is to be done, and what has happened."""

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from ticket_console.components.blocks import (
    badge,
    button,
    button_link,
    card,
    empty,
    facts,
    failed,
    field,
    loading_rows,
    page_header,
    priority_chip,
    progress_bar,
    row,
    split,
    stack,
    tabs,
    text_area,
    timeline,
)
from ticket_console.components.form import SEARCH_URL, template_form
from ticket_console.components.overlay import reason_dialog, row_menu
from ticket_console.components.shell import link
from ticket_console.components.text import due, money, standing, t, t_with, tl, when
from ticket_console.components.ticket import (
    assign_dialog,
    call_link,
    decision_panel,
    file_list,
    navigate_link,
    rating_panel,
    signature_image,
    stage_bar,
    value_list,
)
from ticket_console.designer.flow.canvas import flow_canvas
from ticket_console.pages.frame import console_page
from ticket_console.state.ticket import TicketState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/tickets/[ticket]",
    title="ticket.page",
    active="board",
    permission="ticket.view",
    on_load=[TicketState.load, TicketState.watch],
)
def ticket() -> rx.Component:
    return rx.fragment(
        rx.match(
            TicketState.status,
            ("ready", _whole()),
            ("failed", failed(on_retry=TicketState.load)),
            ("missing", _missing()),
            loading_rows(),
        ),
        _test_dialog(),
        _reason("skip", t("ticket.skip"), TicketState.skip),
        _reason("otherwise", t("ticket.otherwise"), TicketState.insert_step),
        _reason("return", t("ticket.send_back"), TicketState.send_back),
        _reason("cancel", t("ticket.give_up"), TicketState.cancel, danger=True),
        _reason("release", t("ticket.release"), TicketState.release),
        _reason("correct", t("ticket.correct_pay"), TicketState.correct),
        assign_dialog(
            open=TicketState.asking == "assign",
            offers=TicketState.offers,
            on_assign=TicketState.assign,
            on_close=TicketState.stop_asking,
        ),
    )


def _test_dialog() -> rx.Component:
    return reason_dialog(
        open=TicketState.asking == "test",
        title=t("ticket.save_as_test"),
        text=t("ticket.save_as_test.text"),
        reason_label=t("ticket.save_as_test.name"),
        on_confirm=TicketState.save_as_test,
        on_cancel=TicketState.stop_asking,
    )


def _reason(what: str, title: rx.Var[str], on_confirm: Any, *, danger: bool = False) -> rx.Component:
    return reason_dialog(
        open=TicketState.asking == what,
        title=title,
        on_confirm=on_confirm,
        on_cancel=TicketState.stop_asking,
        danger=danger,
    )


def _missing() -> rx.Component:
    back = rx.cond(
        TicketState.permissions.contains("board.view"),
        button_link(t("ticket.to_board"), href="/board", icon="square_kanban"),
        button_link(t("ticket.to_my"), href="/my", icon="wrench"),
    )
    return rx.el.div(
        rx.el.h1(t("ticket.missing"), class_name="tc-sr"),
        empty(t("ticket.missing"), back, text=t("ticket.missing.text"), icon="search_x"),
    )


def _whole() -> rx.Component:
    one = TicketState.ticket
    return stack(
        page_header(
            one["title"].to(str),
            rx.cond(
                one["can_assign"],
                button(t("ticket.assign"), icon="user_plus", on_click=TicketState.ask("assign")),
            ),
            rx.cond(
                one["can_cancel"],
                button(t("ticket.give_up"), tone="danger", on_click=TicketState.ask("cancel")),
            ),
            rx.cond(
                TicketState.permissions.contains("flow.manage"),
                button(t("ticket.save_as_test"), icon="flask_conical", on_click=TicketState.ask("test")),
            ),
            hint=_marks(one),
        ),
        rx.el.div(
            stage_bar(one["stages"].to(list[dict[str, Any]]), label=t("ticket.where")),
            progress_bar(one["progress_bp"].to(int), label=t("ticket.progress")),
            class_name="tc-progress-box",
        ),
        _reach(one),
        split(
            stack(
                rx.foreach(TicketState.steps, _step),
                card(
                    rx.cond(
                        one["description"].to(str) != "",
                        rx.el.p(one["description"].to(str), class_name="tc-prose"),
                    ),
                    value_list(TicketState.fields),
                    title=t("ticket.request"),
                ),
                _path(),
                _story(),
                gap=16,
            ),
            stack(_people(one), _times(one), _links(), _why(), _money(), _background(), gap=16),
        ),
        gap=16,
        class_name="tc-ticket",
    )


def _marks(one: Item) -> rx.Component:
    return row(
        rx.el.span(one["no"].to(str), class_name="tc-mono"),
        tl(one["template"]),
        priority_chip(one["priority"]),
        rx.cond(one["is_vip"], badge(t("ticket.vip"), tone="violet", icon="crown")),
        rx.cond(
            one["is_handed_around"],
            badge(t("offers.handed_around", n=one["handoffs"].to(int)), tone="danger", icon="repeat"),
        ),
        rx.cond(
            one["returns"].to(int) > 0,
            badge(t("ticket.returns", n=one["returns"].to(int)), tone="warn", icon="undo_2"),
        ),
        rx.cond((one["status"].to(str) == "open") & one["due_at"], due(one["due_at"])),
        gap=10,
        class_name="tc-marks",
    )


def _reach(one: Item) -> rx.Component:
    """Address, call and way there, in reach of a thumb; only where there is room for nothing else."""
    return rx.el.div(
        rx.el.div(
            rx.icon("map_pin", aria_hidden="true"),
            rx.el.span(rx.cond(one["address"].to(str) != "", one["address"].to(str), t("ticket.no_address"))),
            class_name="tc-reach-place",
        ),
        rx.cond(one["contact_phone"].to(str) != "", call_link(one["contact_phone"].to(str))),
        rx.cond(one["lat"], navigate_link(lat=one["lat"], lon=one["lon"])),
        class_name="tc-reach",
    )


def _step(step: Item) -> rx.Component:
    back = step["ways_back"].to(list[dict[str, Any]])
    is_mine = step["is_own"] & (step["owner_kind"].to(str) == "technician")
    is_free = (step["owner_kind"].to(str) == "queue") & TicketState.roles.contains("technician")
    return rx.el.section(
        rx.el.header(
            rx.el.div(
                rx.el.h2(t("ticket.step", name=step["name"])),
                rx.el.span(_owner(step), class_name="tc-help"),
            ),
            row(
                when(step["entered_at"], TicketState.ticket["tz"].to(str), class_name="tc-help"),
                standing(step["entered_at"], late_at=step["late_at"]),
                rx.cond(
                    step["overrides"].to(list[dict[str, Any]]).length() > 0,
                    row_menu(
                        step["overrides"],
                        on_pick=lambda key: TicketState.ask_otherwise(step["token_id"].to(int), key),
                        label=t("ticket.otherwise"),
                    ),
                ),
            ),
        ),
        rx.el.div(
            _guide(step["guide"].to(dict[str, Any])),
            rx.cond(
                step["can_act"],
                template_form(
                    fields=step["fields"],
                    actions=step["actions"],
                    problems=rx.cond(
                        TicketState.problem_step == step["token_id"].to(int), TicketState.problems, {}
                    ),
                    busy=TicketState.busy,
                    upload_url=step["upload_url"],
                    search_url=SEARCH_URL,
                    draft_key="step:" + step["token_id"].to_string(),
                    on_submit=lambda answer: TicketState.finish_step(step["token_id"].to(int), answer),
                ),
                rx.el.p(
                    rx.icon("hourglass", aria_hidden="true"),
                    t("ticket.waits_for", who=_owner(step)),
                    class_name="tc-waits",
                ),
            ),
            rx.cond(
                (back.length() > 0) | is_mine | is_free,
                rx.el.div(
                    rx.cond(is_free, button(t("ticket.take"), tone="primary", on_click=TicketState.claim)),
                    rx.foreach(
                        back,
                        lambda edge: button(
                            tl(edge["name"]),
                            icon="undo_2",
                            on_click=TicketState.ask_return(
                                step["token_id"].to(int), edge["key"].to(str), edge["kind"].to(str)
                            ),
                        ),
                    ),
                    rx.cond(
                        is_mine,
                        button(t("ticket.release"), tone="quiet", on_click=TicketState.ask("release")),
                    ),
                    class_name="tc-step-ways",
                ),
            ),
            class_name="tc-card-body",
        ),
        class_name="tc-card tc-step",
        key=step["token_id"].to_string(),
        custom_attrs={"data-mine": step["can_act"].to_string()},
    )


def _guide(guide: Item) -> rx.Component:
    """What helps with the step: what is to be done, what to read, what it normally takes."""
    documents = guide["documents"].to(list[dict[str, Any]])
    parts = guide["parts"].to(list[dict[str, Any]])
    described = guide["description"].to(dict[str, str]).keys().length() > 0
    return rx.cond(
        described | (documents.length() > 0) | (parts.length() > 0),
        rx.el.div(
            rx.cond(described, rx.el.p(tl(guide["description"]), class_name="tc-prose")),
            rx.cond(
                documents.length() > 0,
                rx.el.div(
                    rx.el.h3(t("ticket.guide.documents")),
                    rx.el.ul(
                        rx.foreach(
                            documents,
                            lambda each: rx.el.li(
                                rx.el.a(
                                    rx.icon("book_open", aria_hidden="true"),
                                    tl(each["title"]),
                                    href=each["url"].to(str),
                                    target="_blank",
                                    rel="noopener noreferrer",
                                    class_name="tc-link",
                                )
                            ),
                        ),
                    ),
                ),
            ),
            rx.cond(
                parts.length() > 0,
                rx.el.div(
                    rx.el.h3(t("ticket.guide.parts")),
                    rx.el.ul(
                        rx.foreach(
                            parts,
                            lambda each: rx.el.li(
                                tl(each["name"]),
                                " ",
                                rx.el.span(each["sku"].to(str), class_name="tc-mono tc-muted"),
                                " × ",
                                each["qty"].to_string(),
                            ),
                        ),
                    ),
                ),
            ),
            class_name="tc-guide",
        ),
    )


def _links() -> rx.Component:
    """The tickets this one has to do with."""
    return rx.cond(
        TicketState.links.length() > 0,
        card(
            rx.el.ul(
                rx.foreach(
                    TicketState.links,
                    lambda each: rx.el.li(
                        link(
                            rx.el.span(each["no"].to(str), class_name="tc-mono"),
                            " ",
                            each["title"].to(str),
                            href="/tickets/" + each["ticket_id"].to_string(),
                            class_name="tc-link",
                        ),
                        " ",
                        badge(t(rx.Var.create("ticket.link.") + each["kind"].to(str))),
                    ),
                ),
                class_name="tc-linked",
            ),
            title=t("ticket.links"),
        ),
    )


def _owner(step: Item) -> rx.Var[str]:
    return rx.match(
        step["owner_kind"].to(str),
        ("technician", step["owner"].to(str)),
        ("vendor", step["owner"].to(str)),
        ("offer", t("offers.owner_asked")),
        ("customer", t("ticket.owner.customer")),
        ("queue", t(rx.Var.create("role.") + step["owner"].to(str))),
        t("ticket.owner.system"),
    )


def _people(one: Item) -> rx.Component:
    def or_none(key: str, shown: Any) -> rx.Component:
        return rx.cond(one[key], shown, rx.el.span(t("ticket.none"), class_name="tc-muted"))

    phone = one["contact_phone"].to(str)
    return card(
        facts(
            (t("ticket.assignee"), rx.cond(one["assignee"], one["assignee"].to(str), t("ticket.nobody"))),
            (t("ticket.contact"), or_none("contact_name", one["contact_name"].to(str))),
            (
                t("ticket.phone"),
                or_none(
                    "contact_phone",
                    rx.cond(
                        phone.contains("*"),
                        phone,
                        rx.el.a(phone, href=rx.Var.create("tel:") + phone, class_name="tc-link"),
                    ),
                ),
            ),
            (t("ticket.place"), or_none("site", tl(one["site"]))),
            (t("ticket.address"), or_none("address", one["address"].to(str))),
            (t("ticket.region"), or_none("region", tl(one["region"]))),
            (t("ticket.source"), t(rx.Var.create("intake.source.") + one["source"].to(str))),
        ),
        rx.cond(one["lat"], row(navigate_link(lat=one["lat"], lon=one["lon"]), class_name="tc-card-foot")),
        title=t("ticket.people"),
    )


def _times(one: Item) -> rx.Component:
    tz = one["tz"].to(str)

    def moment(key: str) -> rx.Component:
        return rx.cond(one[key], when(one[key], tz), rx.el.span("—", class_name="tc-muted"))

    return card(
        facts(
            (t("ticket.opened_at"), moment("opened_at")),
            (
                t("ticket.due_at"),
                rx.cond(
                    one["closed_at"],
                    moment("due_at"),
                    row(moment("due_at"), rx.cond(one["due_at"], due(one["due_at"]))),
                ),
            ),
            (t("ticket.responded_at"), moment("responded_at")),
            (t("ticket.resolved_at"), moment("resolved_at")),
            (t("ticket.closed_at"), moment("closed_at")),
            (t("ticket.zone"), tz),
        ),
        rx.foreach(
            one["priority_reason"].to(dict[str, Any])["reasons"].to(list[dict[str, Any]]),
            lambda reason: rx.el.p(
                rx.icon("flag", aria_hidden="true"),
                t_with(reason["code"].to(str), reason),
                class_name="tc-priority-reason",
            ),
        ),
        title=t("ticket.times"),
    )


def _why() -> rx.Component:
    return card(decision_panel(TicketState.decisions), title=t("ticket.why"))


def _money() -> rx.Component:
    return rx.cond(
        TicketState.money.length() > 0,
        card(
            rx.foreach(TicketState.money, rating_panel),
            title=t("ticket.pay"),
            actions=[
                rx.cond(
                    TicketState.permissions.contains("settlement.correct"),
                    button(t("ticket.correct_pay"), small=True, on_click=TicketState.ask("correct")),
                )
            ],
        ),
    )


def _background() -> rx.Component:
    background = TicketState.context
    customer = background["customer"].to(dict[str, Any])

    def none(what: str) -> rx.Var[bool]:
        return background["missing"].to(list[str]).contains(what)

    return rx.cond(
        background,
        card(
            rx.cond(
                none("customer"),
                rx.el.p(t("ticket.no_customer"), class_name="tc-muted"),
                rx.fragment(
                    row(
                        rx.el.strong(customer["name"].to(str)),
                        rx.cond(customer["is_vip"], badge(t("ticket.vip"), tone="violet", icon="crown")),
                        rx.el.span(customer["phone"].to(str), class_name="tc-mono tc-muted"),
                    ),
                    rx.cond(
                        background["is_withheld"],
                        rx.el.p(t("ticket.withheld"), class_name="tc-help"),
                        rx.fragment(
                            _listed(t("ticket.assets"), background["assets"], none("assets"), _asset),
                            _listed(t("ticket.orders"), background["orders"], none("orders"), _order),
                            _listed(
                                t("ticket.agreements"),
                                background["agreements"],
                                none("agreements"),
                                _agreement,
                            ),
                        ),
                    ),
                ),
            ),
            title=t("ticket.background"),
        ),
    )


def _asset(each: Item) -> rx.Component:
    return rx.fragment(
        row(
            rx.el.strong(tl(each["model_name"])),
            rx.cond(each["is_subject"], badge(t("ticket.subject"), tone="accent")),
            rx.cond(
                each["is_in_warranty"],
                badge(t("ticket.in_warranty"), tone="ok"),
                badge(t("ticket.out_of_warranty")),
            ),
        ),
        rx.el.div(
            rx.el.span(each["serial"].to(str), class_name="tc-mono"),
            rx.cond(
                each["warranty_until"],
                rx.fragment(" · ", t("ticket.warranty_until", day=each["warranty_until"].to(str))),
            ),
            class_name="tc-help",
        ),
    )


def _order(each: Item) -> rx.Component:
    return rx.fragment(
        row(
            rx.el.span(each["no"].to(str), class_name="tc-mono"),
            rx.el.span(each["ordered_on"].to(str), class_name="tc-help"),
            rx.cond(
                each["total_minor"],
                rx.el.span(
                    money(each["total_minor"].to(int), each["currency"].to(str)), class_name="tc-amount"
                ),
            ),
        ),
        rx.foreach(
            each["lines"].to(list[dict[str, Any]]),
            lambda line: rx.el.div(
                line["description"].to(str), " × ", line["quantity"].to_string(), class_name="tc-help"
            ),
        ),
    )


def _agreement(each: Item) -> rx.Component:
    return rx.fragment(
        row(
            rx.el.strong(tl(each["coverage"])),
            badge(
                t(rx.Var.create("ticket.agreement.") + each["state"].to(str)),
                tone=rx.match(each["state"].to(str), ("in_force", "ok"), ("upcoming", "accent"), "plain"),
            ),
        ),
        rx.el.div(each["starts_on"].to(str), " – ", each["ends_on"].to(str), class_name="tc-help"),
    )


def _listed(
    heading: rx.Var[str], rows: rx.Var[Any], is_none: rx.Var[bool], draw: Callable[[Item], rx.Component]
) -> rx.Component:
    return rx.el.div(
        rx.el.h3(heading),
        rx.cond(
            is_none,
            rx.el.p(t("ticket.none"), class_name="tc-muted"),
            rx.el.ul(rx.foreach(rows.to(list[dict[str, Any]]), lambda each: rx.el.li(draw(each)))),
        ),
        class_name="tc-listed",
    )


def _path() -> rx.Component:
    """The way the ticket took, drawn upon its flow; asked for and loaded only when it is opened."""
    return card(
        rx.cond(
            TicketState.path_open,
            rx.cond(
                TicketState.path,
                rx.fragment(
                    rx.el.div(
                        flow_canvas(
                            document=TicketState.path_flow,
                            paths=TicketState.path["paths"],
                            marks=TicketState.path["marks"],
                            selection=TicketState.path["here"],
                            focus=TicketState.path["focus"],
                            read_only=True,
                        ),
                        class_name="tc-path-canvas",
                    ),
                    rx.el.ol(
                        rx.foreach(TicketState.path["legs"].to(list[dict[str, Any]]), _leg),
                        class_name="tc-path-legs",
                    ),
                ),
                loading_rows(3),
            ),
            rx.el.p(t("ticket.path.hint"), class_name="tc-muted"),
        ),
        title=t("ticket.path"),
        actions=[
            button(
                rx.cond(TicketState.path_open, t("ticket.path.close"), t("ticket.path.open")),
                icon="route",
                small=True,
                on_click=TicketState.show_path(~TicketState.path_open),
                aria_expanded=TicketState.path_open,
            )
        ],
    )


def _leg(leg: Item) -> rx.Component:
    """One move of the ticket, and how long it stayed where it led."""
    return rx.el.li(
        rx.el.span(
            leg["number"].to_string(), class_name="tc-path-number", custom_attrs={"data-tone": leg["tone"]}
        ),
        rx.el.div(
            row(
                badge(t(rx.Var.create("ticket.path.how.") + leg["how"].to(str)), tone=leg["tone"]),
                rx.cond(leg["from"], rx.el.span(tl(leg["from"]), class_name="tc-muted")),
                rx.foreach(leg["to"].to(list[dict[str, Any]]), _visit),
            ),
            rx.cond(leg["reason"].to(str) != "", rx.el.blockquote(leg["reason"].to(str))),
            row(
                when(leg["at"], TicketState.ticket["tz"].to(str)),
                rx.el.span(leg["who"].to(str)),
                class_name="tc-help",
            ),
        ),
    )


def _visit(stay: Item) -> rx.Component:
    span = stay["lasted"].to(dict[str, Any])
    return rx.el.span(
        rx.icon("arrow_right", aria_hidden="true"),
        rx.el.strong(tl(stay["name"])),
        rx.cond(
            stay["left"],
            rx.el.span(t_with(span["key"].to(str), span["params"]), class_name="tc-help"),
            standing(stay["since"]),
        ),
        rx.cond(stay["cut"], badge(t("ticket.path.cut"))),
        class_name="tc-path-visit",
    )


def _story() -> rx.Component:
    return card(
        tabs(
            [
                ("timeline", t("ticket.timeline")),
                ("comments", t("ticket.comments", n=TicketState.comments.length())),
                (
                    "files",
                    t("ticket.files", n=TicketState.attachments.length() + TicketState.signatures.length()),
                ),
            ],
            value=TicketState.tab,
            on_change=TicketState.show_tab,
            label=t("ticket.story"),
        ),
        rx.match(
            TicketState.tab,
            ("comments", _comments()),
            ("files", _files()),
            timeline(TicketState.events, _event),
        ),
    )


# An icon and a colour for each kind of event; the others get a plain dot.
_LOOKS: Final = (
    ("ticket.opened", "circle_plus", "accent"),
    ("ticket.assigned", "user_check", "accent"),
    ("ticket.claimed", "hand", "accent"),
    ("ticket.unassigned", "user_x", "warn"),
    ("ticket.released", "user_minus", "warn"),
    ("visit.scheduled", "calendar_check", "accent"),
    ("visit.moved", "calendar_clock", "plain"),
    ("visit.unscheduled", "calendar_x", "warn"),
    ("ticket.step_completed", "check", "plain"),
    ("ticket.returned", "undo_2", "warn"),
    ("ticket.rejected", "thumbs_down", "warn"),
    ("ticket.cancelled", "ban", "danger"),
    ("ticket.closed", "circle_check", "ok"),
    ("ticket.signed", "pen_line", "ok"),
    ("ticket.settled", "receipt_text", "plain"),
    ("ticket.corrected", "rotate_ccw", "warn"),
    ("ticket.refunded", "undo_2", "warn"),
    ("ticket.commented", "message_circle", "plain"),
    ("ticket.attached", "paperclip", "plain"),
    ("ticket.timer_fired", "timer", "plain"),
    ("ticket.webhook_due", "webhook", "plain"),
    ("ticket.linked_due", "ticket_plus", "plain"),
    ("ticket.linked", "link", "accent"),
    ("ticket.linked_refused", "unlink", "danger"),
    ("ticket.survey_asked", "message_circle_question", "plain"),
    ("ticket.survey_answered", "star", "ok"),
    ("ticket.notice_due", "bell", "plain"),
    ("ticket.notice_without_address", "bell_off", "warn"),
    ("ticket.step_late", "alarm_clock", "warn"),
    ("ticket.parts_above_standard", "triangle_alert", "warn"),
    ("ticket.checked", "clipboard_check", "plain"),
    ("ticket.step_skipped", "skip_forward", "warn"),
    ("ticket.step_moved", "shuffle", "warn"),
    ("ticket.timed_out", "timer_off", "warn"),
    ("ticket.migrated", "git_compare", "plain"),
    ("ticket.offered", "megaphone", "accent"),
    ("ticket.offer_declined", "user_minus", "warn"),
    ("ticket.offer_over", "timer_off", "warn"),
    ("ticket.vendor_asked", "building_2", "accent"),
    ("ticket.vendor_declined", "building_2", "warn"),
    ("ticket.nobody_has_it", "siren", "danger"),
    ("ticket.handed_around", "repeat", "danger"),
    ("ticket.handed_over", "arrow_left_right", "accent"),
    ("ticket.handover_returned", "undo_2", "warn"),
    ("ticket.handover_late", "alarm_clock", "danger"),
)


def _event(item: Item) -> tuple[rx.Component, Any, Any]:
    details = item["details"].to(dict[str, Any])
    kind = item["type"].to(str)
    return (
        rx.match(
            kind,
            *[(name, rx.icon(icon, aria_hidden="true")) for name, icon, _ in _LOOKS],
            rx.icon("dot", aria_hidden="true"),
        ),
        rx.match(kind, *[(name, tone) for name, _, tone in _LOOKS], "plain"),
        rx.fragment(
            rx.el.div(
                rx.el.strong(_who(item)),
                " ",
                t(kind),
                rx.cond(details["step"], rx.fragment(" · ", tl(details["step"]))),
                rx.cond(details["technician"], rx.fragment(" → ", details["technician"].to(str))),
                rx.cond(
                    details["starts_at"],
                    rx.fragment(" · ", when(details["starts_at"], TicketState.ticket["tz"].to(str))),
                ),
                rx.cond(
                    details["mode"],
                    rx.fragment(" ", badge(t(rx.Var.create("dispatch.mode.") + details["mode"].to(str)))),
                ),
            ),
            rx.cond(details["reason"], rx.el.blockquote(details["reason"].to(str))),
            when(item["at"], TicketState.ticket["tz"].to(str), class_name="tc-help"),
        ),
    )


def _who(item: Item) -> rx.Var[str]:
    """People by their name; channels and the console itself in the reader's language."""
    return rx.cond(item["who_key"].to(str) != "", t(item["who_key"].to(str)), item["who"].to(str))


def _comments() -> rx.Component:
    return stack(
        rx.cond(
            TicketState.comments.length() > 0,
            rx.foreach(
                TicketState.comments,
                lambda each: rx.el.article(
                    row(
                        rx.el.strong(each["who"].to(str)),
                        when(each["at"], TicketState.ticket["tz"].to(str), class_name="tc-help"),
                        rx.cond(
                            each["visibility"].to(str) == "customer",
                            badge(t("ticket.seen_by_customer"), tone="accent"),
                        ),
                    ),
                    rx.el.p(each["text"].to(str), class_name="tc-prose"),
                    class_name="tc-comment",
                ),
            ),
            empty(t("ticket.no_comments"), icon="message_circle"),
        ),
        rx.cond(
            TicketState.ticket["can_comment"],
            rx.el.form(
                stack(
                    field(t("ticket.comment"), text_area(name="text", required=True, max_length=5000)),
                    row(
                        rx.el.label(
                            rx.el.input(type="checkbox", name="for_customer"),
                            rx.el.span(t("ticket.show_customer")),
                            class_name="tc-check",
                        ),
                        button(t("ticket.send"), tone="primary", type="submit"),
                    ),
                ),
                on_submit=TicketState.comment,
                reset_on_submit=True,
            ),
        ),
    )


def _files() -> rx.Component:
    return stack(
        rx.cond(TicketState.attachments.length() > 0, file_list(TicketState.attachments)),
        rx.foreach(
            TicketState.signatures,
            lambda each: rx.el.figure(
                signature_image(strokes=each["strokes"].to(str), label=t("ticket.evidence.signature")),
                rx.el.figcaption(
                    each["name"].to(str), " · ", when(each["at"], TicketState.ticket["tz"].to(str))
                ),
                class_name="tc-signature",
            ),
        ),
        rx.cond(
            TicketState.attachments.length() + TicketState.signatures.length() == 0,
            empty(t("ticket.no_files"), icon="paperclip"),
        ),
    )
