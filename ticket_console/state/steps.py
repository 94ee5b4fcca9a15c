"""A step and its form between desk and browser: views as plain data, answers as the desk takes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from ticket_console.i18n import translate
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.errors import InvalidInput
from ticket_console.kernel.text import LOCALES, pick

Plain = dict[str, Any]

# Evidence stands in the form like a field; its key cannot be one of a template's.
PHOTO_FIELD: Final = "evidence:photo"
SIGNATURE_FIELD: Final = "evidence:signature"
CHECKLIST_FIELD: Final = "evidence:checklist"
_CHECKLIST: Final = "checklist"
_EVIDENCE: Final = {"photo": PHOTO_FIELD, "signature": SIGNATURE_FIELD, _CHECKLIST: CHECKLIST_FIELD}


def taken(entered: Plain, fields: Sequence[Plain]) -> Plain:
    """What goes to the command: files as their numbers, and no blank for what was blank before."""
    stored = {each["key"]: each["value"] for each in fields}
    return {
        key: file_ids(value)
        for key, value in entered.items()
        if value not in (None, "", []) or stored.get(key) not in (None, "", [])
    }


def file_ids(value: Any) -> Any:
    """Uploaded files as the numbers they were kept under; everything else as it is."""
    if isinstance(value, list) and value and all(isinstance(each, dict) and "id" in each for each in value):
        return [each["id"] for each in value]
    return value


def problems_at_fields(refused: InvalidInput, fields: Mapping[str, str] = _EVIDENCE) -> dict[str, Plain]:
    """What is wrong with which field of a form; `fields` are those that the command calls otherwise."""
    return {
        fields.get(each.path, each.path): {"code": each.code, "params": dict(each.params)}
        for each in refused.problems
    }


def without_places(
    refused: InvalidInput, shown: Collection[str], fields: Mapping[str, str] = _EVIDENCE
) -> InvalidInput:
    """The refusal for a notice: what stands at a field of the form is not said twice."""
    told = InvalidInput(
        tuple(each for each in refused.problems if fields.get(each.path, each.path) not in shown)
    )
    told.params = dict(refused.params)
    return told


def step_form(step: Plain, ticket_id: int, proofs: Mapping[int, list[Plain]]) -> Plain:
    """A step with its form: the ways on as buttons, and the evidence as fields of its own."""
    ways = [edge for edge in step["edges"] if not edge["needs_reason"]]
    fields = [form_field(each) for each in step["fields"]]
    if step["can_act"]:
        proof = proofs.get(step["token_id"], [])
        points = step["guide"]["checklist"]
        if points:
            is_evidence = _CHECKLIST in step["evidence"]
            fields.append({**evidence_field(_CHECKLIST), "items": points, "required": is_evidence})
        fields += [
            evidence_field(kind, proof if kind == "photo" else None)
            for kind in step["evidence"]
            if kind != _CHECKLIST
        ]
    return {
        **step,
        "fields": fields,
        "actions": [
            {
                "key": edge["key"],
                "label": edge["name"] if any(edge["name"].values()) else both("ticket.finish_step"),
                "tone": "primary" if position == 0 else "plain",
            }
            for position, edge in enumerate(ways)
        ],
        "ways_back": [
            {**edge, "name": edge["name"] if any(edge["name"].values()) else both("ticket.send_back")}
            for edge in step["edges"]
            if edge["needs_reason"]
        ],
        "overrides": [
            *([{"key": "", "label": both("ticket.skip")}] if step["can_skip"] else []),
            *(
                {
                    "key": other["node_key"],
                    "label": {
                        locale: translate("ticket.do_instead", locale, step=pick(other["name"], locale))
                        for locale in LOCALES
                    },
                }
                for other in step["others"]
            ),
        ],
        "upload_url": f"/api/v1/tickets/{ticket_id}/attachments?token_id={step['token_id']}",
    }


def form_field(each: Plain) -> Plain:
    """A field of a view as the form takes it."""
    value = each["value"]
    if each["kind"] in {"photo", "file"} and isinstance(value, list):
        value = [{"id": one, "name": str(one), "url": f"/api/v1/attachments/{one}"} for one in value]
    options = [{"value": key, "label": label} for key, label in each["options"]]
    colours = each.get("look", {}).get("colours", {})
    options = [{**option, "colour": colours.get(option["value"])} for option in options]
    return {**each, **each.get("look", {}), "value": value, "options": options}


def evidence_field(kind: str, value: list[Plain] | None = None) -> Plain:
    key = _EVIDENCE[kind]
    return {
        "key": key,
        "kind": kind,
        "label": both(f"ticket.evidence.{kind}"),
        "help": {},
        "required": True,
        "writable": True,
        "fixed": True,
        "value": value,
        "options": [],
    }


def both(key: str) -> dict[str, str]:
    return {locale: translate(key, locale) for locale in LOCALES}


def plain(view: Any) -> Any:
    """A view as the browser takes it: maps, lists, and moments as text."""
    return _plain(asdict(view))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
