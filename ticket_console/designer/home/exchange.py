"""Taking definitions and processes in from a file, as a component: preview first, then all or nothing."""

from typing import Final

import reflex as rx

from ticket_console.components.scripts import script
from ticket_console.components.text import LANGUAGE_JS

# Imported by the script, so the file has to be in its place.
USES: Final = (LANGUAGE_JS,)
EXCHANGE_JS: Final = script(__name__, "exchange.jsx")


class _Exchange(rx.NoSSRComponent):
    library = EXCHANGE_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]
    tag = "Exchange"


def exchange() -> rx.Component:
    """Takes YAML files, bundles and BPMN 2.0 files over the HTTP API, which asks for the permissions."""
    return _Exchange.create()
