"""Every text a user reads, as Vars and components that speak the language chosen in the browser.

Switching the language draws the texts again in the browser; nothing is asked of the server.
"""

import json
from pathlib import Path
from typing import Any, Final

import reflex as rx
from reflex.vars import VarData
from reflex.vars.base import LiteralVar, Var
from reflex_base.environment import EnvironmentVariables
from reflex_base.utils.imports import ImportVar

from ticket_console.components.scripts import script
from ticket_console.i18n import catalog
from ticket_console.kernel.text import LOCALES

LANGUAGE_JS: Final = script(__name__, "language.jsx")


def _write_browser_catalogs() -> None:
    """Put the catalogs beside language.jsx, which imports them; the files are made, never committed."""
    folder = Path.cwd() / "assets" / "external" / Path(*__name__.split("."))
    folder.mkdir(parents=True, exist_ok=True)
    for locale in LOCALES:
        target = folder / f"{locale}.json"
        content = json.dumps(catalog(locale), ensure_ascii=False, indent=0)
        if not target.exists() or target.read_text(encoding="utf-8") != content:
            target.write_text(content, encoding="utf-8")


if not EnvironmentVariables.REFLEX_BACKEND_ONLY.get():
    _write_browser_catalogs()

_SPEAK: Final = VarData(
    imports={LANGUAGE_JS: [ImportVar(tag="useLanguage")]},
    hooks={"const $speak = useLanguage();": None},
)


def _spoken(function: str, *arguments: Any) -> rx.Var[str]:
    values = [LiteralVar.create(argument) for argument in arguments]
    rendered = ", ".join(str(value) for value in values)
    data = VarData.merge(_SPEAK, *(value._get_all_var_data() for value in values))
    return Var(_js_expr=f"$speak.{function}({rendered})", _var_data=data).to(str)


def t(key: str | rx.Var[str], **params: Any) -> rx.Var[str]:
    """The text of a key. Parameters may be Vars or {zh, en} labels; `n` picks the plural form."""
    return _spoken("t", key, params) if params else _spoken("t", key)


def t_with(key: str | rx.Var[str], params: Any) -> rx.Var[str]:
    """The text of a key whose parameters are one Var: a map that came with the key."""
    return _spoken("t", key, params)


def tl(label: Any) -> rx.Var[str]:
    """The spoken half of a {zh, en} label that a customer wrote."""
    return _spoken("label", label)


def money(minor: Any, currency: Any) -> rx.Var[str]:
    """An amount of minor units, as the language writes it."""
    return _spoken("money", minor, currency)


def number(value: Any) -> rx.Var[str]:
    return _spoken("number", value)


def span(seconds: Any) -> rx.Var[str]:
    """A length of time in days and hours, or hours and minutes."""
    return _spoken("span", seconds)


def when_text(at: Any, zone: Any = None, *, form: str = "datetime") -> rx.Var[str]:
    """A moment as plain text, for a title or a sentence; `form` is time, clock, date, datetime or full."""
    return _spoken("when", at, zone, form)


class _Time(rx.Component):
    library = LANGUAGE_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]

    at: rx.Var[str | None]


class _Moment(_Time):
    tag = "Moment"

    zone: rx.Var[str | None]
    form: rx.Var[str]


class _Ago(_Time):
    tag = "Ago"


class _Due(_Time):
    tag = "Due"


class _Standing(_Time):
    tag = "Standing"

    late_at: rx.Var[str | None]


def when(at: Any, zone: Any = None, *, form: str = "datetime", **props: Any) -> rx.Component:
    """A moment in the given IANA zone, or in the browser's own; the full moment shows on hover."""
    if zone is not None:
        props["zone"] = zone
    return _Moment.create(at=at, form=form, **props)


def ago(at: Any, **props: Any) -> rx.Component:
    """How long ago, counting on by itself."""
    return _Ago.create(at=at, **props)


def due(at: Any, **props: Any) -> rx.Component:
    """How much time is left until a due moment, or how late it is; the colour follows."""
    return _Due.create(at=at, **props)


def standing(since: Any, *, late_at: Any = None, **props: Any) -> rx.Component:
    """How long something has stood where it is, counting on by itself; from `late_at` on it is late."""
    if late_at is not None:
        props["late_at"] = late_at
    return _Standing.create(at=since, **props)
