"""Puts `document.js`, the operations on drawn documents, where the scripts of the screens find it."""

from typing import Final

from ticket_console.components.scripts import script

DOCUMENT_JS: Final = script(__name__, "document.js")
