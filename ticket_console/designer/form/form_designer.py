"""The form designer as a component: it is given a draft once, and tells every gesture."""

from typing import Any, Final

import reflex as rx
from reflex.event import passthrough_event_spec

from ticket_console.components.condition_builder import CONDITION_BUILDER_JS, CONDITION_LIBRARIES
from ticket_console.components.form import FORM_JS
from ticket_console.components.overlay import OVERLAY_JS

# Imported by the scripts, so these files have to be in their places.
from ticket_console.components.scripts import script
from ticket_console.components.text import LANGUAGE_JS
from ticket_console.designer.document import DOCUMENT_JS

USES: Final = (CONDITION_BUILDER_JS, DOCUMENT_JS, FORM_JS, LANGUAGE_JS, OVERLAY_JS)

# The parts stand beside the designer's own file, where its relative imports find them.
for _part in (
    "canvas.jsx",
    "changes.jsx",
    "conditions.jsx",
    "dialogs.jsx",
    "fields.js",
    "icons.js",
    "inspector.jsx",
    "layers.jsx",
    "palette.jsx",
    "parts.jsx",
    "preview.jsx",
    "settings.jsx",
    "sketch.jsx",
    "use_draft.js",
    "versions.jsx",
):
    script(__name__, _part)
FORM_DESIGNER_JS: Final = script(__name__, "form_designer.jsx")

Told = rx.EventHandler[passthrough_event_spec(dict)]


class _FormDesigner(rx.NoSSRComponent):
    library = FORM_DESIGNER_JS
    lib_dependencies: list[str] = ["@hello-pangea/dnd@18.0.1", "sonner@2.0.8", *CONDITION_LIBRARIES]
    tag = "FormDesigner"

    missing: rx.Var[bool]
    opened: rx.Var[dict[str, Any]]
    saved: rx.Var[dict[str, Any]]
    problems: rx.Var[list[dict[str, Any]]]
    choices: rx.Var[dict[str, Any]]
    preview: rx.Var[dict[str, Any]]
    answers: rx.Var[dict[str, Any]]
    present: rx.Var[list[dict[str, Any]]]
    drafts: rx.Var[list[dict[str, Any]]]
    on_taken: rx.EventHandler[rx.event.no_args_event_spec]
    on_edit: Told
    on_preview: Told
    on_review: Told
    on_publish: Told
    on_history: Told
    on_recover: Told
    on_merge: Told
    on_discard: Told
    on_versions: Told
    on_compare: Told
    on_roll_back: Told
    on_layers: Told
    on_layer: Told
    on_apply: Told
    on_standard: Told


def form_designer(**props: Any) -> rx.Component:
    """The designer of one form; the document is a matter between the browser and the draft's log.

    `missing`: there is no such form. `opened`: {draft: {id, code, base_number, newest_number, published_keys,
    address, ...}, seq, document, gestures}, which may be emptied once `on_taken` was told. `on_edit` tells
    {draft_id, if_match, gestures:
    [{id, label, ops}]}; `saved` answers {kind: "saved" | "moved" | "refused", draft, ids, seq, since}.
    `choices`: what can be chosen from: {kinds, icons, fields, departments, lines, classes, flows, viewers,
    receivers, channels, regions, stores}. `answers` has the latest answer to each question by its name:
    {review, published, merge, history, versions, compare, layers}; every other event tells the question.
    """
    return _FormDesigner.create(**props)
