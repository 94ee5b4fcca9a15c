"""The designer of one flow, and where a new one begins."""

from typing import Any

import reflex as rx

from ticket_console.components.blocks import button, card, field, page_header, stack, text_input
from ticket_console.components.text import t, tl
from ticket_console.designer.flow.designer import flow_designer
from ticket_console.designer.flow.tabs import TABS
from ticket_console.pages.frame import console_page
from ticket_console.state.flow_designer import FlowDesignerState

_KEYS = [
    {"keys": "n", "label": "keys.flow.add"},
    {"keys": "c", "label": "keys.flow.connect"},
    {"keys": "m", "label": "keys.flow.comment"},
    {"keys": "← ↑ → ↓", "label": "keys.flow.walk"},
    {"keys": "Alt ←", "label": "keys.flow.move"},
    {"keys": "Enter", "label": "keys.flow.open"},
    {"keys": "F2", "label": "keys.flow.rename"},
    {"keys": "Del", "label": "keys.flow.remove"},
    {"keys": "f", "label": "keys.flow.fit"},
    {"keys": "Ctrl z", "label": "keys.flow.undo"},
    {"keys": "Ctrl y", "label": "keys.flow.redo"},
    {"keys": "Ctrl c", "label": "keys.flow.copy"},
    {"keys": "Ctrl v", "label": "keys.flow.paste"},
    {"keys": "Ctrl a", "label": "keys.flow.all"},
]


@console_page(
    "/designer/flows/[code]",
    title="flow_designer.title",
    active="designer",
    permission="flow.manage",
    width="full",
    on_load=[FlowDesignerState.load, FlowDesignerState.watch],
    keys=_KEYS,
)
def designer_flow() -> rx.Component:
    return flow_designer(
        *[rx.el.div(tab.draw(), custom_attrs={"data-tab": tab.key}) for tab in TABS],
        tabs=[{"key": tab.key, "label": t(tab.title)} for tab in TABS],
        feed=FlowDesignerState.feed,
        verdict=FlowDesignerState.verdict,
        news=FlowDesignerState.news,
        report=FlowDesignerState.report,
        words=FlowDesignerState.words,
        preview=FlowDesignerState.preview,
        merging=FlowDesignerState.merging,
        publication=FlowDesignerState.publication,
        people=FlowDesignerState.people,
        me=FlowDesignerState.me,
        on_save=FlowDesignerState.save,
        on_reopen=FlowDesignerState.open_again,
        on_check=FlowDesignerState.check,
        on_recover=FlowDesignerState.recover,
        on_preview=FlowDesignerState.look,
        on_compare=FlowDesignerState.compare,
        on_merge=FlowDesignerState.merge,
        on_publication=FlowDesignerState.look_at_changes,
        on_publish=FlowDesignerState.publish,
    )


@console_page(
    "/designer/flows/new",
    title="flow_designer.new",
    active="designer",
    permission="flow.manage",
    width="narrow",
    on_load=[FlowDesignerState.offer],
)
def new_flow() -> rx.Component:
    return rx.fragment(
        page_header(t("flow_designer.new"), hint=t("flow_designer.new.hint")),
        card(
            rx.el.form(
                stack(
                    field(t("flow_designer.new.zh"), text_input(name="zh", max_length=200, required=True)),
                    field(t("flow_designer.new.en"), text_input(name="en", max_length=200)),
                    field(
                        t("flow_designer.new.code"),
                        text_input(name="code", max_length=64, pattern=r"[A-Za-z0-9_.\-]+", required=True),
                        help=t("flow_designer.new.code.help"),
                    ),
                    field(
                        t("flow_designer.new.copy_of"),
                        rx.el.select(
                            rx.el.option(t("flow_designer.new.empty"), value=""),
                            rx.foreach(
                                FlowDesignerState.words["flows"].to(list[dict[str, Any]]),
                                lambda each: rx.el.option(tl(each["label"]), value=each["value"].to(str)),
                            ),
                            name="copy_of",
                            class_name="tc-select",
                        ),
                    ),
                    button(t("flow_designer.new.begin"), tone="primary", type="submit", icon="plus"),
                ),
                on_submit=FlowDesignerState.begin,
            )
        ),
    )
