"""Scenario packs as they lie on the disk: templates, flows and the skills they ask for, as plain JSON files.

* `pack.json`: code, name, flows, templates, rule_sets, skills
* `fields.json`: every field by its key; one key is one fact, whichever template asks for it
* `flows/<code>.json`: a graph in the form of `flows.graph_json`
* `trigger_rules.json`: what starts for which message, in order; only where the pack has such rules
* `templates/<code>.json`: face, flow and sections; a section lists keys, or `{"key", ...}` with differences

Each of them may be YAML instead: `pack.yaml`, `flows/<code>.yaml`.
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
from ticket_console.packs.exchange.yaml_reading import read_yaml

FOLDER: Final = Path(__file__).parent
_SUFFIXES: Final = (".json", ".yaml")


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
    found = (path.parent.name for suffix in _SUFFIXES for path in FOLDER.glob(f"*/pack{suffix}"))
    return tuple(sorted(found))


@lru_cache(maxsize=8)
def read_pack(code: str) -> Pack:
    """A pack that came with the console; raises `PackNotFound`."""
    if code not in pack_codes():
        raise PackNotFound(pack=code)
    return read_folder(FOLDER / code)


def read_folder(folder: Path) -> Pack:
    """The pack whose files lie in a folder; raises `BadYaml` naming file and line."""
    manifest, fields = _plain(folder / "pack"), _plain(folder / "fields")
    return Pack(
        code=manifest["code"],
        name=manifest["name"],
        flows=tuple(
            PackFlow(flow["code"], flow["name"], _plain(folder / "flows" / flow["code"]))
            for flow in manifest["flows"]
        ),
        templates=tuple(
            _template(_plain(folder / "templates" / template), fields) for template in manifest["templates"]
        ),
        skills=tuple(PackSkill(skill["code"], skill["name"]) for skill in manifest["skills"]),
        rule_sets=tuple(manifest["rule_sets"]),
        trigger_rules=tuple(map(_trigger_rule, _plain(folder / "trigger_rules", missing=[]))),
    )


def _trigger_rule(said: Mapping[str, Any]) -> PackTriggerRule:
    return PackTriggerRule(said["code"], {key: value for key, value in said.items() if key != "code"})


def _plain(place: Path, missing: Any = None) -> Any:
    """What stands in the JSON or YAML file of this name; a file that is not there is `missing`, if given."""
    for suffix in _SUFFIXES:
        path = place.parent / f"{place.name}{suffix}"
        if path.exists():
            content = path.read_bytes()
            return json.loads(content) if suffix == ".json" else read_yaml(content, file=path.name).data
    if missing is None:
        raise FileNotFoundError(f"{place}.json")
    return missing


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
