"""One module per route."""

from importlib import import_module
from pkgutil import iter_modules


def load_all() -> None:
    """Import every page, which registers it with the app."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
