"""The canvas as a component: a flow's graph, to be drawn on or only looked at."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.condition_builder import CONDITION_BUILDER_JS, CONDITION_LIBRARIES
from ticket_console.components.scripts import script
from ticket_console.designer.document import DOCUMENT_JS

# The parts stand beside the canvas's own file, where its relative imports find them.
PARTS: Final = ("canvas_parts.jsx", "editing.js", "kinds.js", "layout.js", "sentences.js", "words.js")
for _part in PARTS:
    script(__name__, _part)
CANVAS_JS: Final = script(__name__, "canvas.jsx")
LIBRARIES: Final = ["@xyflow/react@12.12.1", "@dagrejs/dagre@3.1.3", *CONDITION_LIBRARIES]
# What `canvas.jsx` imports from elsewhere has to be served as well.
NEEDS: Final = (CONDITION_BUILDER_JS, DOCUMENT_JS)


class _FlowPicture(rx.NoSSRComponent):
    library = CANVAS_JS
    lib_dependencies: list[str] = LIBRARIES
    tag = "FlowPicture"

    document: rx.Var[dict[str, Any]]
    selection: rx.Var[list[str]]
    problems: rx.Var[list[dict[str, Any]]]
    marks: rx.Var[dict[str, Any]]
    paths: rx.Var[list[dict[str, Any]]]
    focus: rx.Var[list[str]]
    words: rx.Var[dict[str, Any]]
    read_only: rx.Var[bool]
    on_gesture: rx.EventHandler[passthrough_event_spec(str, list, dict)]
    on_select: rx.EventHandler[passthrough_event_spec(list)]


def flow_canvas(
    *,
    document: Any,
    selection: Any = None,
    problems: Any = None,
    marks: Any = None,
    paths: Any = None,
    focus: Any = None,
    words: Any = None,
    read_only: Any = True,
    on_gesture: EventType[str, list[Any], dict[str, Any]] | None = None,
    on_select: EventType[list[str]] | None = None,
) -> rx.Component:
    """A graph document as a picture; the box around it gives it its size.

    `problems`: [{path, code, params, tone}]. `marks`: {node or edge key: {"tone": added | removed |
    changed | moved | danger | ok | warn, "count": n, "text": {zh, en}}}. `paths`: [{"keys": [edge keys],
    "tone", "label": {zh, en}}]. `focus`: the keys that are looked at first. `words` names fields, skills
    and flows as `state.flow_views.words` does. `on_gesture` tells (label key, operations, params),
    `on_select` the keys chosen.
    """
    given = {
        "selection": selection,
        "problems": problems,
        "marks": marks,
        "paths": paths,
        "focus": focus,
        "words": words,
        "on_gesture": on_gesture,
        "on_select": on_select,
    }
    return _FlowPicture.create(
        document=document,
        read_only=read_only,
        **{name: value for name, value in given.items() if value is not None},
    )
