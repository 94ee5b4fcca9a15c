"""All forms and flows of a company as a component: found, opened, begun."""

from typing import Any, Final

import reflex as rx
from reflex.event import passthrough_event_spec

from ticket_console.components.overlay import OVERLAY_JS
from ticket_console.components.scripts import script
from ticket_console.components.text import LANGUAGE_JS
from ticket_console.designer.form.form_designer import FORM_DESIGNER_JS

# Imported by the script, so these files have to be in their places.
USES: Final = (FORM_DESIGNER_JS, LANGUAGE_JS, OVERLAY_JS)
DESIGNER_HOME_JS: Final = script(__name__, "designer_home.jsx")


class _DesignerHome(rx.NoSSRComponent):
    library = DESIGNER_HOME_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]
    tag = "DesignerHome"

    cards: rx.Var[list[dict[str, Any]]]
    lines: rx.Var[list[dict[str, Any]]]
    shelf: rx.Var[list[dict[str, Any]]]
    on_create: rx.EventHandler[passthrough_event_spec(dict)]


def designer_home(*, cards: Any, lines: Any, library: Any, on_create: Any) -> rx.Component:
    """`cards` as `state.designer` makes them; `on_create` tells {kind, code, name {zh, en}, source}."""
    return _DesignerHome.create(cards=cards, lines=lines, shelf=library, on_create=on_create)
