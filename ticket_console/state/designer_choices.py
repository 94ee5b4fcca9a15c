"""What can be chosen while a form is drawn: kinds of fields, owners, flows, receivers."""

from typing import Any, Final

from ticket_console.access import departments, places
from ticket_console.desk.rates import rate_versions
from ticket_console.flows import in_use as flows_in_use
from ticket_console.forms import reads as form_reads
from ticket_console.forms.faces import FACE_ICONS
from ticket_console.forms.fields import FieldKind
from ticket_console.forms.kinds import COLUMN_KINDS, KINDS
from ticket_console.forms.publishing import known_kinds
from ticket_console.i18n import catalog
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.database import reading
from ticket_console.state.form_preview import CUSTOMER
from ticket_console.state.steps import both

Plain = dict[str, Any]

TICKET_CLASSES: Final = ("service", "repair", "install", "inspection", "complaint", "consult")
_LINES: Final = ("after_sales", "customer_care", "delivery", "maintenance", "general")
_CHANNELS: Final = ("console", "sms", "email")


def form_choices(*, viewer: Actor) -> Plain:
    """Everything the designer offers, by what it is for: [{value, label}], and the kinds in palette order."""
    with reading() as connection:
        flows = [
            flows_in_use.drawn(connection, viewer.org_id, code)
            for code in flows_in_use.codes(connection, viewer.org_id)
        ]
        known = form_reads.published_templates(connection, viewer.org_id)
        regions = places.regions(connection, viewer.org_id)
        known_fields = known_kinds(connection, viewer.org_id)
        owners = departments.departments(connection, viewer.org_id)
        rates = rate_versions(connection, viewer)
    return {
        "kinds": kinds(),
        "icons": list(FACE_ICONS),
        "fields": known_fields,
        "flows": [{"value": each.code, "label": dict(each.name)} for each in flows],
        "lines": _named("new.line.", dict.fromkeys((*_LINES, *(each.business_line for each in known)))),
        "classes": _named(
            "form_designer.class.",
            dict.fromkeys((*TICKET_CLASSES, *(each.ticket_class for each in known))),
        ),
        "departments": [{"value": code, "label": code} for code in owners],
        "regions": [{"value": each.code, "label": dict(each.name)} for each in regions],
        "rates": [
            {
                "rule_set": each.rule_set,
                "name": dict(each.name),
                "version": each.version,
                "from": each.effective_from.isoformat(),
            }
            for each in rates
        ],
        "viewers": [
            *({"value": role.value, "label": both(f"role.{role.value}")} for role in Role),
            {"value": CUSTOMER, "label": both("form_designer.customer")},
        ],
        "receivers": [
            {"value": "assignee", "label": both("form_designer.receiver.assignee")},
            {"value": "customer", "label": both("form_designer.customer")},
            *({"value": f"role:{role.value}", "label": both(f"role.{role.value}")} for role in Role),
        ],
        "channels": [
            {"value": channel, "label": both(f"form_designer.channel.{channel}")} for channel in _CHANNELS
        ],
    }


def _named(start: str, values: Any) -> list[Plain]:
    """Codes with their names; a code that a company made up itself is its own name."""
    texts = catalog("zh")
    return [
        {"value": value, "label": both(start + value) if start + value in texts else value}
        for value in values
    ]


def kinds() -> list[Plain]:
    """The kinds of field as the palette and the inspector need them."""
    return [
        {
            "key": kind.value,
            "label": both(entry.label),
            "group": {"key": entry.group.value, "label": both(entry.group_label)},
            "icon": entry.icon,
            "settings": [*entry.setting_names, *(["default"] if entry.has_default else [])],
            "converts": [target.value for target in entry.converts],
            "is_entered": entry.is_entered,
            "in_table": kind in COLUMN_KINDS,
            "starts_with": _starts_with(kind),
        }
        for kind, entry in KINDS.items()
    ]


def _starts_with(kind: FieldKind) -> Plain:
    """What a new field of a kind has, so that it can be seen and published as it falls."""
    if kind in (FieldKind.CHOICE, FieldKind.MULTI_CHOICE):
        return {
            "options": [
                {"value": f"option_{number}", "label": both(f"form_designer.start.option_{number}")}
                for number in (1, 2, 3)
            ]
        }
    if kind is FieldKind.CHECKLIST:
        return {"items": [{"key": "item", "text": both("form_designer.start.item")}]}
    if kind is FieldKind.TABLE:
        return {
            "columns": [
                {"key": "what", "kind": "text", "label": both("form_designer.start.column_what")},
                {"key": "amount", "kind": "number", "label": both("form_designer.start.column_amount")},
            ]
        }
    return {}
