"""The trail of everything done, for auditors and managers."""

from typing import Any

import reflex as rx

from ticket_console.components.allowed import only_for
from ticket_console.components.blocks import (
    Column,
    button,
    button_link,
    data_table,
    empty,
    field,
    icon_button,
    loaded,
    note,
    page_header,
    row,
    stack,
    text_input,
    text_link,
)
from ticket_console.components.text import t, when
from ticket_console.pages.frame import console_page
from ticket_console.state.audit import AuditState

Item = rx.vars.ObjectVar[dict[str, Any]]

_TICKET_DEEDS = (
    "ticket.opened",
    "ticket.assigned",
    "ticket.unassigned",
    "ticket.claimed",
    "ticket.released",
    "ticket.step_completed",
    "ticket.returned",
    "ticket.rejected",
    "ticket.cancelled",
    "ticket.closed",
    "ticket.settled",
    "ticket.corrected",
    "ticket.refunded",
    "ticket.signed",
    "ticket.commented",
    "ticket.attached",
    "ticket.timer_fired",
    "ticket.webhook_due",
    "ticket.linked_due",
    "ticket.linked",
    "ticket.linked_refused",
    "ticket.survey_asked",
    "ticket.survey_answered",
    "ticket.notice_due",
    "ticket.notice_without_address",
    "ticket.step_late",
    "ticket.checked",
    "ticket.parts_above_standard",
    "ticket.step_skipped",
    "ticket.step_moved",
    "ticket.timed_out",
    "ticket.migrated",
    "ticket.offered",
    "ticket.offer_declined",
    "ticket.offer_over",
    "ticket.vendor_asked",
    "ticket.vendor_declined",
    "ticket.nobody_has_it",
    "ticket.handed_around",
    "ticket.handed_over",
    "ticket.handover_returned",
    "ticket.handover_late",
)
_KINDS = (
    "session", "user", "token", "customer", "technician", "skill", "territory", "model", "part",
    "rules", "statement", "dispute", "period",
)  # fmt: skip


@console_page("/audit", title="audit.title", active="audit", on_load=[AuditState.load])
def audit() -> rx.Component:
    return only_for(
        AuditState.permissions,
        "audit.view",
        page_header(t("audit.title"), hint=t("audit.hint")),
        _chain(),
        _filters(),
        loaded(
            AuditState.status,
            rx.cond(
                AuditState.rows.length() > 0,
                _list(),
                empty(t("audit.none"), text=t("audit.none.text"), icon="file_search"),
            ),
            on_retry=AuditState.load,
        ),
    )


def _chain() -> rx.Component:
    one = AuditState.chain
    return rx.el.section(
        rx.el.form(
            rx.el.span(rx.icon("shield_check", size=18, aria_hidden="true"), class_name="tc-audit-mark"),
            rx.el.div(
                rx.el.h2(t("audit.chain.title"), class_name="tc-strong"),
                rx.el.p(t("audit.chain.text"), class_name="tc-help"),
                class_name="tc-audit-words",
            ),
            text_input(
                name="ticket_no",
                placeholder=t("audit.chain.placeholder"),
                aria_label=t("audit.ticket"),
                required=True,
                max_length=24,
            ),
            button(t("audit.chain.check"), type="submit"),
            on_submit=AuditState.check_entered,
            class_name="tc-audit-chain",
        ),
        rx.cond(
            one.contains("ticket_no"),
            rx.cond(
                one["broken_at"],
                _verdict(
                    t(
                        "audit.chain.broken",
                        no=one["ticket_no"].to(str),
                        seq=one["broken_at"].to(int),
                    ),
                    "danger",
                    "shield_alert",
                ),
                _verdict(
                    t("audit.chain.whole", no=one["ticket_no"].to(str), n=one["events"].to(int)),
                    "ok",
                    "shield_check",
                ),
            ),
        ),
        class_name="tc-stack",
    )


def _verdict(text: rx.Var[str], tone: str, icon: str) -> rx.Component:
    return note(
        row(
            rx.el.span(text, class_name="tc-fill"),
            icon_button("x", label=t("common.close"), on_click=AuditState.close_chain),
        ),
        tone=tone,
        icon=icon,
        role="status",
        class_name="tc-audit-verdict",
    )


def _filters() -> rx.Component:
    asked = AuditState.asked
    return rx.el.form(
        field(t("audit.who"), text_input(name="who", default_value=asked["who"], max_length=60)),
        field(
            t("audit.what"),
            rx.el.select(
                rx.el.option(t("audit.anything"), value=""),
                rx.el.optgroup(
                    rx.el.option(t("audit.kind.ticket"), value="ticket"),
                    *[rx.el.option(t(key), value=key) for key in _TICKET_DEEDS],
                    label=t("audit.group.tickets"),
                ),
                rx.el.optgroup(
                    *[rx.el.option(t(f"audit.kind.{kind}"), value=kind) for kind in _KINDS],
                    label=t("audit.group.console"),
                ),
                name="what",
                default_value=asked["what"],
                class_name="tc-select",
            ),
        ),
        field(t("audit.ticket"), text_input(name="ticket", default_value=asked["ticket"], max_length=24)),
        field(t("audit.since"), text_input(name="since", type="date", default_value=asked["since"])),
        field(t("audit.until"), text_input(name="until", type="date", default_value=asked["until"])),
        row(
            button(t("audit.search"), tone="primary", icon="search", type="submit"),
            button_link(t("audit.reset"), href="/audit", tone="quiet"),
        ),
        # What stands in the address fills the fields anew.
        key=asked.to_string(),
        on_submit=AuditState.search,
        class_name="tc-audit-filters",
    )


def _list() -> rx.Component:
    return stack(
        data_table(
            [
                Column(
                    t("audit.column.at"),
                    lambda each: when(each["at"], AuditState.zone, form="datetime"),
                    nowrap=True,
                    width="130px",
                ),
                Column(t("audit.who"), _who, width="190px"),
                Column(t("audit.what"), _what),
                Column(t("audit.column.subject"), _subject, nowrap=True, width="230px"),
            ],
            AuditState.rows,
            caption=t("audit.title"),
        ),
        row(
            rx.el.span(t("audit.shown", n=AuditState.rows.length()), class_name="tc-small tc-muted"),
            rx.el.div(class_name="tc-fill"),
            rx.cond(
                AuditState.is_first,
                rx.fragment(),
                button_link(t("audit.newest"), href=AuditState.first_href),
            ),
            rx.cond(
                AuditState.older_href != "",
                button_link(t("audit.older"), href=AuditState.older_href, icon="chevron_right"),
            ),
        ),
    )


def _who(item: Item) -> rx.Component:
    return rx.el.div(
        rx.el.span(item["actor_name"].to(str)),
        rx.el.span(item["actor"].to(str), class_name="tc-help tc-mono"),
        class_name="tc-inbox-message",
    )


def _what(item: Item) -> rx.Component:
    return rx.el.div(
        rx.el.span(t(item["what"].to(str))),
        rx.cond(
            item["payload"].to(str) != "",
            rx.el.details(
                rx.el.summary(t("audit.details"), class_name="tc-help"),
                rx.el.pre(item["payload"].to(str), class_name="tc-payload", tab_index=0),
            ),
        ),
        class_name="tc-inbox-message",
    )


def _subject(item: Item) -> rx.Component:
    return rx.cond(
        item["ticket_no"],
        row(
            text_link(
                item["ticket_no"].to(str),
                href="/tickets/" + item["ticket_id"].to_string(),
                class_name="tc-no",
            ),
            icon_button(
                "shield_check",
                label=t("audit.chain.check_this", no=item["ticket_no"].to(str)),
                on_click=AuditState.check(item["ticket_no"].to(str)),
            ),
        ),
        rx.el.span(item["subject"].to(str), class_name="tc-mono"),
    )
