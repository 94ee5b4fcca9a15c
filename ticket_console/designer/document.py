"""Puts `document.js`, the operations on drawn documents, where the scripts of the screens find it."""

from typing import Final

import reflex as rx

DOCUMENT_JS: Final = rx.asset("document.js", shared=True).importable_path
