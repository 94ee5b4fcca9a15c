"""The rule library, the editor of one rule, the tier grid, rate cards and templates as components."""

from typing import Any, Final

import reflex as rx
from reflex.event import passthrough_event_spec

from ticket_console.components.condition_builder import CONDITION_BUILDER_JS, CONDITION_LIBRARIES
from ticket_console.components.overlay import OVERLAY_JS
from ticket_console.components.scripts import script
from ticket_console.components.text import LANGUAGE_JS
from ticket_console.designer.form.form_designer import FORM_DESIGNER_JS

# Imported by the scripts, so these files have to be in their places.
USES: Final = (CONDITION_BUILDER_JS, FORM_DESIGNER_JS, LANGUAGE_JS, OVERLAY_JS)
for _name in ("amounts.js", "pieces.jsx"):
    script(__name__, _name)


class _Desk(rx.NoSSRComponent):
    lib_dependencies: list[str] = [*CONDITION_LIBRARIES]

    choices: rx.Var[dict[str, Any]]
    can_edit: rx.Var[bool]


class _RuleLibrary(_Desk):
    library = script(__name__, "library.jsx")
    tag = "RuleLibrary"

    rules: rx.Var[list[dict[str, Any]]]
    changes: rx.Var[list[dict[str, Any]]]
    splits: rx.Var[list[dict[str, Any]]]
    on_shares: rx.EventHandler[passthrough_event_spec(dict)]
    on_edit: rx.EventHandler[passthrough_event_spec(str)]
    on_new: rx.EventHandler[passthrough_event_spec(dict)]


class _RuleEditor(_Desk):
    library = script(__name__, "editor.jsx")
    tag = "RuleEditor"

    rules: rx.Var[list[dict[str, Any]]]
    cards: rx.Var[list[dict[str, Any]]]
    editing: rx.Var[str]
    began: rx.Var[dict[str, Any]]
    judged: rx.Var[dict[str, Any]]
    on_judge: rx.EventHandler[passthrough_event_spec(dict)]
    on_save: rx.EventHandler[passthrough_event_spec(dict)]
    on_remove: rx.EventHandler[passthrough_event_spec(str)]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


class _TierGrid(_Desk):
    library = script(__name__, "tier_grid.jsx")
    tag = "TierGrid"

    cells: rx.Var[list[dict[str, Any]]]
    rules: rx.Var[list[dict[str, Any]]]
    reference: rx.Var[str]
    on_refer: rx.EventHandler[passthrough_event_spec(str)]
    on_value: rx.EventHandler[passthrough_event_spec(dict)]
    on_edit: rx.EventHandler[passthrough_event_spec(str)]
    on_new: rx.EventHandler[passthrough_event_spec(dict)]


class _RateCards(_Desk):
    library = script(__name__, "cards.jsx")
    tag = "RateCards"

    cards: rx.Var[list[dict[str, Any]]]
    rules: rx.Var[list[dict[str, Any]]]
    problems: rx.Var[list[dict[str, Any]]]
    on_save: rx.EventHandler[passthrough_event_spec(dict)]
    on_remove: rx.EventHandler[passthrough_event_spec(str)]
    on_new_rule: rx.EventHandler[passthrough_event_spec(dict)]


class _RuleTemplates(_Desk):
    library = script(__name__, "templates.jsx")
    tag = "RuleTemplates"

    templates: rx.Var[list[dict[str, Any]]]
    rules: rx.Var[list[dict[str, Any]]]
    tried: rx.Var[dict[str, Any]]
    on_try: rx.EventHandler[passthrough_event_spec(dict)]
    on_insert: rx.EventHandler[passthrough_event_spec(dict)]


rule_library = _RuleLibrary.create
rule_editor = _RuleEditor.create
tier_grid = _TierGrid.create
rate_cards = _RateCards.create
rule_templates = _RuleTemplates.create
