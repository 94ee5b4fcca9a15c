"""A customer's own page of their request, opened by the link they were sent."""

from typing import Any, Final

import reflex as rx

from ticket_console.components.blocks import (
    bone,
    button,
    card,
    empty,
    field,
    row,
    stack,
    text_area,
    timeline,
)
from ticket_console.components.form import template_form
from ticket_console.components.overlay import reason_dialog
from ticket_console.components.text import t, tl, when
from ticket_console.components.ticket import file_list, signature_image, stage_bar
from ticket_console.pages.frame import visitor_page
from ticket_console.state.track import TrackState

Item = rx.vars.ObjectVar[dict[str, Any]]


@visitor_page("/track/[link]", title="track.title", on_load=[TrackState.load, TrackState.watch])
def track() -> rx.Component:
    return rx.el.div(
        rx.match(
            TrackState.status,
            ("ready", _job()),
            ("missing", _nothing(t("track.missing"), t("track.missing.text"))),
            ("too_often", _nothing(t("track.too_often"), t("track.too_often.text"))),
            stack(bone(width="60%", height="24px"), bone(height="120px"), bone(height="240px"), gap=16),
        ),
        reason_dialog(
            open=TrackState.asking,
            title=t("track.refuse"),
            text=t("track.refuse.text"),
            reason_label=t("track.refuse.reason"),
            on_confirm=TrackState.refuse,
            on_cancel=TrackState.stop_asking,
        ),
        class_name="tc-track",
    )


def _nothing(title: rx.Var[str], text: rx.Var[str]) -> rx.Component:
    return rx.el.div(
        rx.el.h1(t("track.title"), class_name="tc-sr"),
        empty(title, text=text, icon="unlink"),
    )


def _job() -> rx.Component:
    job = TrackState.job
    return stack(
        rx.el.header(
            rx.el.span(tl(job["org"]), class_name="tc-help"),
            rx.el.h1(job["title"].to(str)),
            row(
                rx.el.span(job["no"].to(str), class_name="tc-mono"),
                rx.el.span(tl(job["template"])),
                class_name="tc-muted",
            ),
            class_name="tc-track-head",
        ),
        _now(job),
        rx.cond(job["can_accept"], _acceptance(job)),
        rx.cond(TrackState.survey.contains("id"), _survey()),
        card(timeline(TrackState.entries, _entry), title=t("track.story")),
        _words(job),
        rx.cond(
            TrackState.files.length() + TrackState.signatures.length() > 0,
            card(
                stack(
                    rx.cond(TrackState.files.length() > 0, file_list(TrackState.files)),
                    rx.foreach(
                        TrackState.signatures,
                        lambda each: rx.el.figure(
                            signature_image(strokes=each["strokes"].to(str), label=t("track.signature")),
                            rx.el.figcaption(
                                each["name"].to(str), " · ", when(each["at"], TrackState.job["tz"].to(str))
                            ),
                            class_name="tc-signature",
                        ),
                    ),
                ),
                title=t("track.files"),
            ),
        ),
        gap=16,
    )


def _now(job: Item) -> rx.Component:
    now = job["now"].to(str)
    return rx.el.section(
        rx.el.p(t(rx.Var.create("track.now.") + now, who=_technician(job)), class_name="tc-track-now"),
        rx.el.p(t(rx.Var.create("track.next.") + now), class_name="tc-muted"),
        rx.cond(now != "cancelled", stage_bar(TrackState.milestones, label=t("track.progress"))),
        class_name="tc-track-state",
        custom_attrs={"data-now": now},
        aria_live="polite",
    )


def _technician(job: Item) -> rx.Var[str]:
    return rx.cond(job["technician"].to(str) != "", job["technician"].to(str), t("track.our_technician"))


def _acceptance(job: Item) -> rx.Component:
    return rx.el.section(
        rx.el.header(rx.el.h2(t("track.acceptance"))),
        rx.el.div(
            rx.el.p(t("track.acceptance.text"), class_name="tc-muted"),
            template_form(
                fields=TrackState.fields,
                actions=TrackState.actions,
                problems=TrackState.problems,
                busy=TrackState.busy,
                on_submit=TrackState.accept,
            ),
            rx.cond(
                job["can_refuse"],
                rx.el.div(
                    button(t("track.refuse"), icon="undo_2", on_click=TrackState.ask),
                    class_name="tc-step-ways",
                ),
            ),
            class_name="tc-card-body tc-stack",
        ),
        class_name="tc-card tc-step",
        custom_attrs={"data-mine": "true"},
    )


def _survey() -> rx.Component:
    return rx.el.section(
        rx.el.header(rx.el.h2(t("track.survey"))),
        rx.el.div(
            rx.el.p(t("track.survey.text"), class_name="tc-muted"),
            template_form(
                fields=TrackState.survey["fields"].to(list[dict[str, Any]]),
                actions=TrackState.survey["actions"].to(list[dict[str, Any]]),
                problems=TrackState.survey_problems,
                on_submit=TrackState.answer_survey,
            ),
            class_name="tc-card-body tc-stack",
        ),
        class_name="tc-card tc-step",
        custom_attrs={"data-mine": "true"},
    )


_LOOKS: Final = (
    ("received", "inbox", "accent"),
    ("arranged", "user_check", "accent"),
    ("accepted_job", "calendar_check", "plain"),
    ("worked", "wrench", "plain"),
    ("accepted", "pen_line", "ok"),
    ("refused", "undo_2", "warn"),
    ("done", "circle_check", "ok"),
    ("cancelled", "ban", "danger"),
)


def _entry(item: Item) -> tuple[rx.Component, Any, Any]:
    kind = item["kind"].to(str)
    return (
        rx.match(
            kind,
            *[(name, rx.icon(icon, aria_hidden="true")) for name, icon, _ in _LOOKS],
            rx.icon("dot", aria_hidden="true"),
        ),
        rx.match(kind, *[(name, tone) for name, _, tone in _LOOKS], "plain"),
        rx.fragment(
            rx.el.div(t(rx.Var.create("track.event.") + kind, who=item["who"].to(str))),
            rx.cond(item["text"].to(str) != "", rx.el.blockquote(item["text"].to(str))),
            when(item["at"], TrackState.job["tz"].to(str), class_name="tc-help"),
        ),
    )


def _words(job: Item) -> rx.Component:
    def word(each: Item) -> rx.Component:
        teller = each["teller"].to(str)
        return rx.el.article(
            row(
                rx.el.strong(
                    rx.match(
                        teller,
                        ("customer", t("track.you")),
                        ("technician", each["name"].to(str)),
                        t("track.service"),
                    )
                ),
                when(each["at"], TrackState.job["tz"].to(str), class_name="tc-help"),
            ),
            rx.el.p(each["text"].to(str), class_name="tc-prose"),
            class_name="tc-comment",
            custom_attrs={"data-teller": teller},
        )

    return card(
        stack(
            rx.foreach(TrackState.words, word),
            rx.el.form(
                stack(
                    field(
                        t("track.write"),
                        text_area(name="text", required=True, max_length=2000, rows="3"),
                    ),
                    row(button(t("track.send"), icon="send", type="submit")),
                ),
                on_submit=TrackState.write,
                reset_on_submit=True,
            ),
        ),
        title=t("track.words"),
    )
