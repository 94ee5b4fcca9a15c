"""Which fields of a template strangers are asked for."""

from typing import Final

from ticket_console.forms.asking import NAMED
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind, FieldSpec, Sensitivity

# Uploads need a ticket to belong to; the tracking page takes them once there is one. Who we work with, for
# and on is nothing that strangers look up.
_LATER: Final = frozenset({FieldKind.PHOTO, FieldKind.FILE, FieldKind.SIGNATURE}) | NAMED


def public_fields(definition: TemplateDefinition) -> tuple[FieldSpec, ...]:
    """The fields asked for at opening that are no internal matter."""
    elsewhere = definition.owned_by_others("")
    return tuple(
        spec
        for spec in definition.at_opening
        if spec.sensitivity is Sensitivity.PUBLIC
        and spec.kind not in _LATER
        and spec.is_in_use(None)
        and spec.key not in elsewhere
    )
