"""Controls whose choice stands in the address; a State reads it there when the page is (re)loaded.

Changing one navigates to the same page with another query, so `on_load` of the page runs again.
"""

from collections.abc import Sequence
from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script

ADDRESS_JS: Final = script(__name__, "address.jsx")


class _AddressPart(rx.Component):
    library = ADDRESS_JS
    lib_dependencies: list[str] = ["lucide-react@1.26.0"]


class _AddressSelect(_AddressPart):
    tag = "AddressSelect"

    name: rx.Var[str]
    label: rx.Var[str]
    options: rx.Var[list[dict[str, Any]]]
    all: rx.Var[str]
    drops: rx.Var[list[str]]
    value: rx.Var[str]


class _AddressSearch(_AddressPart):
    tag = "AddressSearch"

    label: rx.Var[str]
    on_enter: rx.EventHandler[passthrough_event_spec(str)]


class _AddressSort(_AddressPart):
    tag = "AddressSort"

    by: rx.Var[str]
    label: rx.Var[str]
    sort: rx.Var[str]
    descending: rx.Var[bool]


class _AddressChip(_AddressPart):
    tag = "AddressChip"

    name: rx.Var[str]
    label: rx.Var[str]
    drops: rx.Var[list[str]]


class _AddressDays(_AddressPart):
    tag = "AddressDays"

    since: rx.Var[str]
    until: rx.Var[str]
    labels: rx.Var[dict[str, str]]
    drops: rx.Var[list[str]]


class _AddressPages(_AddressPart):
    tag = "AddressPages"

    page: rx.Var[int]
    pages: rx.Var[int]
    total: rx.Var[int]


def address_select(
    name: str,
    *,
    label: rx.Var[str],
    options: Any,
    all: rx.Var[str] | None = None,
    value: Any = "",
    drops: Sequence[str] = (),
) -> rx.Component:
    """A choice of one of [{value, label}]; `all` is the text of "no choice", without it there is none.

    `value` is shown where the address is silent; `drops` are parameters that make no sense any more.
    """
    none = {} if all is None else {"all": all}
    return _AddressSelect.create(
        name=name, label=label, options=options, value=value, drops=list(drops), **none
    )


def address_search(*, label: rx.Var[str], on_enter: EventType[str]) -> rx.Component:
    """A search that narrows while one types (parameter `q`); `on_enter` gets what was typed."""
    return _AddressSearch.create(label=label, on_enter=on_enter)


def address_sort(by: str, *, label: rx.Var[str], sort: Any, descending: Any) -> rx.Component:
    """A heading that orders the list by its column (parameter `sort`, "-" before it for descending)."""
    return _AddressSort.create(by=by, label=label, sort=sort, descending=descending)


def address_chip(name: str, *, label: Any, drops: Sequence[str] = ()) -> rx.Component:
    """Shows one parameter and takes it away."""
    return _AddressChip.create(name=name, label=label, drops=list(drops))


def address_days(
    *, since: Any, until: Any, first: rx.Var[str], last: rx.Var[str], drops: Sequence[str] = ()
) -> rx.Component:
    """Two days (parameters `since` and `until`); people choose the last, the address has the one after."""
    labels = {"since": first, "until": last}
    return _AddressDays.create(since=since, until=until, labels=labels, drops=list(drops))


def address_pages(*, page: Any, pages: Any, total: Any) -> rx.Component:
    """Which page of how many, and the way to the others (parameter `page`)."""
    return _AddressPages.create(page=page, pages=pages, total=total)
