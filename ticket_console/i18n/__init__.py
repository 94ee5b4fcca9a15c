"""The gettext catalogs in Chinese and English, and the one function that looks a text up."""

from ticket_console.i18n.catalogs import Message, catalog, negotiate, translate

__all__ = ["Message", "catalog", "negotiate", "translate"]
