"""Drawing one form."""

import reflex as rx

from ticket_console.designer.form.form_designer import form_designer
from ticket_console.pages.frame import console_page
from ticket_console.state.form_designer import FormDesignerState
from ticket_console.state.form_layers import FormLayersState
from ticket_console.state.form_review import FormReviewState

_KEYS = [
    {"keys": "Space", "label": "keys.form_designer.lift"},
    {"keys": "Enter", "label": "keys.form_designer.open"},
    {"keys": "F2", "label": "keys.form_designer.rename"},
    {"keys": "Delete", "label": "keys.form_designer.remove"},
    {"keys": "Ctrl+Z", "label": "keys.form_designer.undo"},
    {"keys": "Ctrl+Y", "label": "keys.form_designer.redo"},
]


@console_page(
    "/designer/forms/[form_code]",
    title="form_designer.title",
    active="designer",
    permission="template.manage",
    width="full",
    on_load=[FormDesignerState.load, FormReviewState.begin, FormDesignerState.watch],
    keys=_KEYS,
)
def designer_form() -> rx.Component:
    return form_designer(
        missing=FormDesignerState.missing,
        opened=FormDesignerState.opened,
        saved=FormDesignerState.saved,
        problems=FormDesignerState.problems,
        choices=FormDesignerState.choices,
        preview=FormReviewState.preview,
        answers={
            "merge": FormDesignerState.merging,
            "history": FormDesignerState.log,
            "review": FormReviewState.found,
            "published": FormReviewState.published,
            "versions": FormReviewState.versions,
            "compare": FormReviewState.compared,
            "layers": FormLayersState.layers,
        },
        present=FormDesignerState.present,
        drafts=FormDesignerState.drafts,
        on_taken=FormDesignerState.taken,
        on_edit=FormDesignerState.edit,
        on_recover=FormDesignerState.recover,
        on_history=FormDesignerState.show_history,
        on_merge=FormDesignerState.merge,
        on_discard=FormDesignerState.discard,
        on_preview=FormReviewState.show_preview,
        on_review=FormReviewState.review,
        on_publish=FormReviewState.publish,
        on_versions=FormReviewState.show_versions,
        on_compare=FormReviewState.compare,
        on_roll_back=FormReviewState.roll_back,
        on_layers=FormLayersState.show,
        on_layer=FormLayersState.put,
        on_apply=FormLayersState.apply,
        on_standard=FormLayersState.save_as_standard,
    )
