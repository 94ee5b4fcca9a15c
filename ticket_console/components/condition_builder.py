"""The condition builder: rules and groups over named fields, with their sentence below."""

import json
from pathlib import Path
from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec
from reflex_base.environment import EnvironmentVariables

from ticket_console.components.scripts import script
from ticket_console.kernel.condition_sentences import SPOKEN_AS, WORDS

script(__name__, "condition_sentence.js")
CONDITION_BUILDER_JS: Final = script(__name__, "condition_builder.jsx")
CONDITION_LIBRARIES: Final = ("react-querybuilder@8.24.1", "lucide-react@1.26.0")


def _write_words() -> None:
    """Put the words of conditions beside what speaks them; the file is made, never committed."""
    folder = Path.cwd() / "assets" / "external" / Path(*__name__.split("."))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "condition_words.json"
    content = json.dumps({"words": WORDS, "spoken_as": SPOKEN_AS}, ensure_ascii=False, indent=0)
    if not target.exists() or target.read_text(encoding="utf-8") != content:
        target.write_text(content, encoding="utf-8")


if not EnvironmentVariables.REFLEX_BACKEND_ONLY.get():
    _write_words()


class _ConditionBuilder(rx.NoSSRComponent):
    library = CONDITION_BUILDER_JS
    lib_dependencies: list[str] = list(CONDITION_LIBRARIES)
    tag = "ConditionBuilder"

    fields: rx.Var[list[dict[str, Any]]]
    value: rx.Var[dict[str, Any]]
    problems: rx.Var[list[dict[str, Any]]]
    sentence: rx.Var[str]
    read_only: rx.Var[bool]
    label: rx.Var[str]
    on_change: rx.EventHandler[passthrough_event_spec(dict)]


def condition_builder(
    *,
    fields: Any,
    value: Any,
    on_change: EventType[dict[str, Any]],
    problems: Any = None,
    sentence: Any = "",
    read_only: Any = False,
    label: Any = None,
) -> rx.Component:
    """A condition that can be written with the mouse or the keyboard, and reads as a sentence below.

    `fields`: [{name, label: {zh, en}, kind, options: [{value, label}]}]; the kind decides operators and
    editors. `value` is the tree, or nothing. `on_change` gets the tree as it is stored, without what only
    an editor needs, or None once it has no rule left. `problems`: [{path, code, params}] as
    `kernel.conditions.condition_problems` names them. A page's own `sentence` replaces the one made here.
    """
    props = {} if label is None else {"label": label}
    return _ConditionBuilder.create(
        fields=fields,
        value=value,
        problems=[] if problems is None else problems,
        sentence=sentence,
        read_only=read_only,
        on_change=on_change,
        **props,
    )
