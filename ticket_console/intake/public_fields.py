"""Which fields of a template strangers are asked for."""

from typing import Final

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind, FieldSpec, Sensitivity

# Uploads need a ticket to belong to; the tracking page takes them once there is one.
_LATER: Final = frozenset({FieldKind.PHOTO, FieldKind.FILE, FieldKind.SIGNATURE})


def public_fields(definition: TemplateDefinition) -> tuple[FieldSpec, ...]:
    """The fields asked for at opening that are no internal matter."""
    return tuple(
        spec
        for spec in definition.at_opening
        if spec.sensitivity is Sensitivity.PUBLIC and spec.kind not in _LATER
    )
