"""The designer of one flow."""

import reflex as rx

from ticket_console.components.text import t
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
        on_save=FlowDesignerState.save,
        on_reopen=FlowDesignerState.open_again,
        on_check=FlowDesignerState.check,
        on_recover=FlowDesignerState.recover,
        on_preview=FlowDesignerState.look,
        on_compare=FlowDesignerState.compare,
        on_merge=FlowDesignerState.merge,
    )
