"""The flow designer as a component: one draft with its canvas, its inspector and everything around it."""

from typing import Any, Final

import reflex as rx
from reflex.event import passthrough_event_spec

from ticket_console.components.form import FORM_JS
from ticket_console.components.overlay import OVERLAY_JS
from ticket_console.components.scripts import script
from ticket_console.designer.flow.canvas import CANVAS_JS, LIBRARIES

for _part in ("controls.jsx", "dialogs.jsx", "draft.js", "inspector.jsx", "panels.jsx"):
    script(__name__, _part)
DESIGNER_JS: Final = script(__name__, "designer.jsx")
# What `designer.jsx` imports from elsewhere has to be served as well.
NEEDS: Final = (CANVAS_JS, FORM_JS, OVERLAY_JS)


class _FlowDesigner(rx.NoSSRComponent):
    library = DESIGNER_JS
    lib_dependencies: list[str] = [*LIBRARIES, "sonner@2.0.8"]
    tag = "FlowDesigner"

    feed: rx.Var[dict[str, Any]]
    verdict: rx.Var[dict[str, Any]]
    news: rx.Var[dict[str, Any]]
    report: rx.Var[dict[str, Any]]
    words: rx.Var[dict[str, Any]]
    preview: rx.Var[dict[str, Any]]
    merging: rx.Var[dict[str, Any]]
    publication: rx.Var[dict[str, Any]]
    people: rx.Var[list[dict[str, Any]]]
    me: rx.Var[str]
    tab: rx.Var[str]
    tabs: rx.Var[list[dict[str, Any]]]
    on_save: rx.EventHandler[passthrough_event_spec(int, int, list)]
    on_reopen: rx.EventHandler[rx.event.no_args_event_spec]
    on_check: rx.EventHandler[passthrough_event_spec(int, int)]
    on_recover: rx.EventHandler[passthrough_event_spec(int, int, int)]
    on_publication: rx.EventHandler[passthrough_event_spec(int)]
    on_publish: rx.EventHandler[passthrough_event_spec(int, int, str, dict)]
    on_preview: rx.EventHandler[passthrough_event_spec(int, str, str, str)]
    on_compare: rx.EventHandler[passthrough_event_spec(int, int)]
    on_merge: rx.EventHandler[passthrough_event_spec(int, int, int, list)]
    on_tab: rx.EventHandler[passthrough_event_spec(str)]


flow_designer = _FlowDesigner.create
