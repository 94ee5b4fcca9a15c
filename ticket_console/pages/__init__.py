"""One module per route."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticket_console.pages.frame import Page


def every_page() -> "list[Page]":
    """Import every module beside this one; each adds its pages to the list as it is imported."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return list(import_module(f"{__name__}.frame").pages.values())
