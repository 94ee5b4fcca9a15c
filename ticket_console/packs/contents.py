"""Scenario packs as they lie on the disk: templates, flows and the skills they ask for, as plain JSON files.

* `pack.json`: code, name, flows, templates, rule_sets, skills
* `fields.json`: every field by its key; one key is one fact, whichever template asks for it
* `flows/<code>.json`: a graph in the form of `flows.graph_json`
* `trigger_rules.json`: what starts for which message, in order; only where the pack has such rules
* `templates/<code>.json`: face, flow and sections; a section lists keys, or `{"key", ...}` with differences
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ticket_console.forms.publishing import TemplateFace
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText

FOLDER: Final = Path(__file__).parent


class PackNotFound(NotFound):
    code = "pack.not_found"


@dataclass(frozen=True, slots=True)
class PackFlow:
    code: str
    name: LocalText
    graph: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PackTemplate:
    """`definition` is complete: the fields are written out in the form that `forms.publishing` takes."""

    code: str
    face: TemplateFace
    flow: str
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PackSkill:
    code: str
    name: LocalText


@dataclass(frozen=True, slots=True)
class PackTriggerRule:
    """`content` is in the form that `intake.trigger_rules` takes."""

    code: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pack:
    code: str
    name: LocalText
    flows: tuple[PackFlow, ...]
    templates: tuple[PackTemplate, ...]
    skills: tuple[PackSkill, ...]
    rule_sets: tuple[str, ...]
    trigger_rules: tuple[PackTriggerRule, ...] = ()


def pack_codes() -> tuple[str, ...]:
    """The packs that came with the console."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/pack.json")))


@lru_cache(maxsize=8)
def read_pack(code: str) -> Pack:
    """A pack that came with the console; raises `PackNotFound`."""
    if code not in pack_codes():
        raise PackNotFound(pack=code)
    folder = FOLDER / code
    manifest, fields = _json(folder / "pack.json"), _json(folder / "fields.json")
    return Pack(
        code=manifest["code"],
        name=manifest["name"],
        flows=tuple(
            PackFlow(flow["code"], flow["name"], _json(folder / "flows" / f"{flow['code']}.json"))
            for flow in manifest["flows"]
        ),
        templates=tuple(
            _template(_json(folder / "templates" / f"{template}.json"), fields)
            for template in manifest["templates"]
        ),
        skills=tuple(PackSkill(skill["code"], skill["name"]) for skill in manifest["skills"]),
        rule_sets=tuple(manifest["rule_sets"]),
        trigger_rules=_trigger_rules(folder / "trigger_rules.json"),
    )


def _trigger_rules(path: Path) -> tuple[PackTriggerRule, ...]:
    said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return tuple(
        PackTriggerRule(rule["code"], {key: value for key, value in rule.items() if key != "code"})
        for rule in said
    )


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _template(said: Mapping[str, Any], fields: Mapping[str, Any]) -> PackTemplate:
    face = TemplateFace(
        name=said["name"],
        business_line=said["business_line"],
        ticket_class=said["ticket_class"],
        icon=said["icon"],
        is_public=said["is_public"],
        keywords=tuple(said["keywords"]),
    )
    sections = [
        {**section, "fields": [_field(entry, fields) for entry in section["fields"]]}
        for section in said["sections"]
    ]
    return PackTemplate(said["code"], face, said["flow"], {"sections": sections})


def _field(entry: str | Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    differences = {"key": entry} if isinstance(entry, str) else dict(entry)
    return {**fields[differences["key"]], **differences}
