"""Texts by key, read from one pair of gettext files per area: `locales/zh/board.po`, `locales/en/board.po`.

A text may carry placeholders: `{name}`, or with a form `{at:time}`, `{at:clock}` (with seconds),
`{at:date}`, `{at:datetime}`, `{amount:number}`, `{what:text}` (the value is itself a key). A text with
plural forms picks by `n`. The browser's half of the same rules is `components/language.jsx`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from ticket_console.kernel.text import LOCALES, pick

Message = str | tuple[str, ...]

_FOLDER: Final = Path(__file__).parent / "locales"
_BABEL: Final = {"zh": Locale("zh", "CN", script="Hans"), "en": Locale("en")}
_PLACEHOLDER: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")


class TwiceDefined(Exception):
    """The same key stands in two areas, so which text wins would depend on the file name."""


@lru_cache(maxsize=len(LOCALES))
def catalog(locale: str) -> Mapping[str, Message]:
    """Every text of one language; plural texts are tuples in the order of gettext's forms."""
    texts: dict[str, Message] = {}
    for path in sorted((_FOLDER / locale).glob("*.po")):
        with path.open("rb") as file:
            entries = read_po(file, locale=_BABEL[locale], abort_invalid=True)
        for entry in entries:
            if not entry.id:
                continue
            key = entry.id if isinstance(entry.id, str) else entry.id[0]
            if key in texts:
                raise TwiceDefined(f"{key} is defined again in {path}")
            texts[key] = entry.string if isinstance(entry.string, str) else tuple(entry.string or ())
    return texts


def negotiate(accept_language: str, chosen: str | None = None) -> str:
    """The language for a visitor: the one chosen before, else the best of the browser's list."""
    if chosen in LOCALES:
        return chosen
    wishes = []
    for position, wish in enumerate(accept_language.split(",")):
        tag, _, rest = wish.partition(";")
        quality = re.search(r"q=([01](?:\.\d+)?)", rest)
        wishes.append((-float(quality[1]) if quality else -1.0, position, tag.strip().lower()))
    for _, _, tag in sorted(wishes):
        if (language := tag.partition("-")[0]) in LOCALES:
            return language
    return LOCALES[0]


def translate(key: str, locale: str, *, zone: tzinfo = UTC, **params: Any) -> str:
    """The text of a key; a key nobody wrote comes back as it is, so that an export never fails for it."""
    message = catalog(locale).get(key)
    if message is None:
        return key
    if isinstance(message, tuple):
        message = message[_plural_form(locale, params.get("n", 0), len(message))]
    return _PLACEHOLDER.sub(lambda found: _shown(params.get(found[1], ""), found[2], locale, zone), message)


def _plural_form(locale: str, count: Any, forms: int) -> int:
    tag = _BABEL[locale].plural_form(count)
    return 0 if tag == "one" else forms - 1


def _shown(value: Any, form: str | None, locale: str, zone: tzinfo) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, Mapping):
        return pick(value, locale)
    if form == "text":
        return translate(str(value), locale)
    if form == "number":
        return format_decimal(value, locale=_BABEL[locale])
    if form in {"time", "clock", "date", "datetime"}:
        return _moment(value, form, locale, zone)
    return str(value)


def _moment(value: datetime | str, form: str, locale: str, zone: tzinfo) -> str:
    at = (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(zone)
    if form in {"time", "clock"}:
        pattern = "HH:mm" if form == "time" else "HH:mm:ss"
        return format_time(at, pattern, tzinfo=zone, locale=_BABEL[locale])
    if form == "date":
        return format_date(at, "medium", locale=_BABEL[locale])
    return format_datetime(at, "medium", tzinfo=zone, locale=_BABEL[locale])
