"""Forms made from a template's fields, uploads and the signature pad."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

# form.jsx brings these two in by itself.
script(__name__, "form_rules.js")
script(__name__, "form_fields.jsx")
FORM_JS: Final = script(__name__, "form.jsx")
# Where fields that point at records look for them; only for who is logged in.
SEARCH_URL: Final = "/api/v1/records"


class _FormPart(rx.NoSSRComponent):
    library = FORM_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0", "barcode-detector@3.2.2", "zxing-wasm@3.1.3"]


class _TemplateForm(_FormPart):
    tag = "TemplateForm"

    fields: rx.Var[list[dict[str, Any]]]
    actions: rx.Var[list[dict[str, Any]]]
    problems: rx.Var[dict[str, Any]]
    busy: rx.Var[bool]
    upload_url: rx.Var[str]
    search_url: rx.Var[str]
    draft_key: rx.Var[str]
    on_submit: rx.EventHandler[passthrough_event_spec(dict)]
    on_typed: rx.EventHandler[passthrough_event_spec(dict)]


class _Upload(_FormPart):
    tag = "Upload"

    value: rx.Var[list[dict[str, Any]]]
    upload_url: rx.Var[str]
    accept: rx.Var[str]
    photo: rx.Var[bool]
    on_change: rx.EventHandler[passthrough_event_spec(list)]


class _SignaturePad(_FormPart):
    tag = "SignaturePad"

    value: rx.Var[str]
    label: rx.Var[str]
    on_change: rx.EventHandler[passthrough_event_spec(str)]


class _KeptValue(_FormPart):
    tag = "KeptValue"

    field: rx.Var[dict[str, Any]]
    value: rx.Var[Any]


def template_form(
    *,
    fields: Any,
    actions: Any,
    on_submit: EventType[dict[str, Any]],
    problems: Any = None,
    busy: Any = False,
    upload_url: Any = "",
    search_url: Any = "",
    draft_key: Any = "",
    on_typed: EventType[dict[str, Any]] | None = None,
    **props: Any,
) -> rx.Component:
    """The fields of a template as a form.

    `fields`: [{key, label {zh, en}, kind, required, options [{value, label}], help, value, writable}] and
    whatever else `forms.asking.form_fields` says of them: sections, conditions, formulas, highlights.
    `actions`: [{key, label, tone?, checks?}]; the first is the form's own button, `checks: False` sends
    without asking for required fields. `on_submit` gets {"action": key, "values": {field key: value}}.
    Numbers and amounts are sent as the text typed, moments as ISO with zone, a place as {lat, lon},
    files as the list of what `upload_url` answered to each POST (multipart, part `file`).
    With `search_url` (`SEARCH_URL`) fields for people, customers, devices and parts are looked up there.
    The parts to choose from are the options of a field of kind "parts", whose value is [{sku, qty}].
    A field with a `group` {key, label, open} stands with its neighbours of the same group behind a heading
    that folds; `fixed` files cannot be taken back; `wide` overrides how broad a field of its kind is.
    With `draft_key` what was typed survives a reload of the page. `on_typed` gets everything typed so
    far, a moment after the last key.
    """
    if on_typed is not None:
        props["on_typed"] = on_typed
    return _TemplateForm.create(
        fields=fields,
        actions=actions,
        problems=problems if problems is not None else {},
        busy=busy,
        upload_url=upload_url,
        search_url=search_url,
        draft_key=draft_key,
        on_submit=on_submit,
        **props,
    )


def upload(
    *, value: Any, upload_url: Any, on_change: EventType[list[dict[str, Any]]], photo: bool = False
) -> rx.Component:
    """Chooses or takes files, sends each to `upload_url` at once, and tells the list of the answers."""
    return _Upload.create(value=value, upload_url=upload_url, on_change=on_change, photo=photo)


def signature_pad(*, on_change: EventType[str], value: Any = "", label: Any = None) -> rx.Component:
    """A sheet to sign on; tells the strokes as SVG path data on a sheet of 1000 x 400."""
    named = {} if label is None else {"label": label}
    return _SignaturePad.create(value=value, on_change=on_change, **named)


# Kinds whose values are more than a text.
KEPT_IN_FULL: Final = ("lookup", "table", "checklist", "signature")


def kept_value(field: Any) -> rx.Component:
    """The value of a field of one of `KEPT_IN_FULL`, to be read; `field` is a FieldView as plain data."""
    return _KeptValue.create(field=field, value=field["value"])
