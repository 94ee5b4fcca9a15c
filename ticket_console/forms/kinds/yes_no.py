"""Yes or no."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Kind, PaletteGroup, Showing
from ticket_console.forms.kinds.reading import fixed, same_cell
from ticket_console.i18n import translate

_FLAGS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_WRITTEN: Final[Mapping[str, str]] = {"是": "yes", "有": "yes", "y": "yes", "否": "no", "无": "no", "n": "no"}


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> bool:
    flag = _FLAGS.get(raw.strip().lower()) if isinstance(raw, str) else raw
    if not isinstance(flag, bool):
        raise BadValue("field.not_yes_or_no")
    return flag


def _show(spec: FieldSpec, value: bool, to: Showing) -> str:
    return translate("common.yes" if value else "common.no", to.locale)


def _read(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    return _WRITTEN.get(text.strip().casefold(), text)


KIND = Kind(
    kind=FieldKind.YES_NO,
    group=PaletteGroup.CHOICE,
    icon="toggle-left",
    renderer="YesNoInput",
    parse=_parse,
    schema=fixed({"type": "boolean"}),
    show=_show,
    cell=same_cell,
    read=_read,
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.CHOICE),
        _show,
    ),
)
