"""Tickets with the values of their fields as one table, every cell as its reader may see it."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy, projection
from ticket_console.access.projection import FieldAccess
from ticket_console.desk.page import field_table
from ticket_console.flows import reads as flow_reads
from ticket_console.forms import reads as form_reads
from ticket_console.forms.conversions import taken_over
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldSpec
from ticket_console.forms.kinds import KINDS
from ticket_console.forms.kinds.kind import Showing
from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.csv_text import Cell
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.text import pick
from ticket_console.reports import metrics
from ticket_console.reports.metrics import ListedTicket, Metric, Slice
from ticket_console.tickets.marking import Marking, TokenState
from ticket_console.tickets.tables import FieldValue, OwnerKind, TokenRow

MOST_TICKETS: Final = 20_000
# Ids of one statement; both databases take more, but plans get no better.
_AT_ONCE: Final = 500

_values = table(FieldValue)
_tokens = table(TokenRow)


class TooManyTickets(ConsoleError):
    """A file would hold more tickets than one may; the viewer narrows the list."""

    code = "tickets.too_many"
    http_status = 422


@dataclass(frozen=True, slots=True)
class TicketTable:
    """`columns` are the headings; a cell the viewer may not read is empty, as one nobody filled in is.

    A field the viewer may read on none of these tickets has no column at all.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A ticket's values as the viewer reads them, with what each field is on that ticket."""

    ticket: ListedTicket
    values: Mapping[str, tuple[FieldSpec, Any]]


def ticket_table(
    connection: Connection,
    *,
    viewer: Actor,
    at: datetime,
    locale: str,
    slice: Slice,
    metric: Metric | None,
    on: date | None = None,
    search: str = "",
    with_history: bool = False,
) -> TicketTable:
    """The tickets behind a list, the newest first, with their fields.

    Fields that are hidden or not in use now are left out, unless the history is asked for: nothing that was
    ever entered is lost. A field that took another one's place has the values of both, the old ones as it
    reads them. Raises TooManyTickets.
    """
    rows = metrics.ticket_rows(
        connection,
        viewer=viewer,
        at=at,
        slice=slice,
        metric=metric,
        on=on,
        search=search,
        most=MOST_TICKETS,
    )
    if len(rows) > MOST_TICKETS:
        raise TooManyTickets(limit=MOST_TICKETS)
    zone = ZoneInfo(places.org(connection, viewer.org_id).tz)
    showing = Showing(locale=locale, zone=zone)
    seen = _seen(connection, viewer, at, rows, showing, with_history=with_history)
    labels = _labels(seen, locale)
    return TicketTable(
        columns=(*(translate(f"tickets.export.{key}", locale) for key in _BASE), *labels.values()),
        rows=tuple(
            (*_base_cells(each.ticket, locale, zone), *(_cell(each, key, showing) for key in labels))
            for each in seen
        ),
    )


_BASE: Final = (
    "no",
    "title",
    "template",
    "stage",
    "priority",
    "region",
    "customer",
    "technician",
    "opened_at",
    "due_at",
    "closed_at",
)


def _base_cells(ticket: ListedTicket, locale: str, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        ticket.no,
        ticket.title,
        pick(ticket.template, locale),
        pick(ticket.stage, locale),
        ticket.priority,
        pick(ticket.region, locale),
        ticket.customer,
        ticket.assignee or "",
        _local(ticket.opened_at, zone),
        _local(ticket.due_at, zone),
        _local(ticket.closed_at, zone),
    )


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Wall-clock time: spreadsheets know no zones."""
    return None if at is None else at.astimezone(zone).replace(tzinfo=None)


def _cell(seen: _Seen, key: str, showing: Showing) -> Cell:
    if key not in seen.values:
        return None
    spec, value = seen.values[key]
    return KINDS[spec.kind].cell(spec, value, showing)


def _labels(seen: Iterable[_Seen], locale: str) -> dict[str, str]:
    """The heading of each field, in the order in which the tickets have them; two alike say their keys."""
    labels: dict[str, str] = {}
    for each in seen:
        for key, (spec, _) in each.values.items():
            labels.setdefault(key, pick(spec.label, locale) or key)
    heads = list(labels.values())
    return {key: f"{label} ({key})" if heads.count(label) > 1 else label for key, label in labels.items()}


def _seen(
    connection: Connection,
    viewer: Actor,
    at: datetime,
    rows: Sequence[Any],
    showing: Showing,
    *,
    with_history: bool,
) -> tuple[_Seen, ...]:
    listed = metrics.listed_of(connection, viewer.org_id, rows)
    stored = _stored(connection, [row.id for row in rows])
    own = _own(connection, viewer, rows)
    published = form_reads.published_templates(connection, viewer.org_id)
    current = {each.template_id: each.definition for each in published}
    known: dict[Hashable, FieldAccess] = {}
    seen = []
    for row, ticket in zip(rows, listed, strict=True):
        template = form_reads.template_version(connection, row.template_version_id).definition
        access = _access(connection, viewer, row, is_own=row.id in own, known=known)
        now = current.get(row.template_id)
        entered = {
            key: (spec, stored[row.id][key])
            for key, spec in template.field_by_key.items()
            if key in access.read and key in stored.get(row.id, {})
        }
        kept = {
            key: cell
            for key, cell in entered.items()
            if with_history or (now is not None and _is_shown(now.field_by_key.get(key), at))
        }
        converted = {} if now is None else _converted(now, entered, showing, at)
        seen.append(_Seen(ticket, converted | kept))
    return tuple(seen)


def _converted(
    now: TemplateDefinition, entered: Mapping[str, tuple[FieldSpec, Any]], showing: Showing, at: datetime
) -> dict[str, tuple[FieldSpec, Any]]:
    """What fields that took the place of these read from them; what cannot be read is left out."""
    if not any(spec.converts in entered for spec in now.fields):
        return {}
    values, _ = taken_over(now, {key: value for key, (_, value) in entered.items()}, showing)
    specs = now.field_by_key
    return {key: (specs[key], value) for key, value in values.items() if _is_shown(specs[key], at)}


def _is_shown(spec: FieldSpec | None, at: datetime) -> bool:
    return spec is not None and spec.is_in_use(at)


def _access(
    connection: Connection, viewer: Actor, row: Any, *, is_own: bool, known: dict[Hashable, FieldAccess]
) -> FieldAccess:
    """What the viewer reads of a ticket where it stands, by the rule of its page; once for alike tickets."""
    nodes = tuple(sorted(token.node_key for token in Marking.of_json(row.marking).active()))
    case = (
        row.region_id,
        row.ticket_class,
        is_own,
        row.flow_version_id,
        row.template_version_id,
        nodes,
    )
    if case not in known:
        graph = flow_reads.compiled(connection, row.flow_version_id)
        template = form_reads.template_version(connection, row.template_version_id).definition
        known[case] = projection.visible_fields(
            policy.over_row(viewer, region_id=row.region_id, ticket_class=row.ticket_class, is_own=is_own),
            [(key, spec.sensitivity) for key, spec in template.field_by_key.items()],
            projection.merged_grants(field_table(graph.node_by_key[key]) for key in nodes),
        )
    return known[case]


def _stored(connection: Connection, ticket_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(ticket_ids), _AT_ONCE):
        some = ticket_ids[start : start + _AT_ONCE]
        query = sa.select(_values.c.ticket_id, _values.c.field_key, _values.c.value).where(
            _values.c.ticket_id.in_(some)
        )
        for row in connection.execute(query):
            found.setdefault(row.ticket_id, {})[row.field_key] = row.value
    return found


def _own(connection: Connection, viewer: Actor, rows: Sequence[Any]) -> set[int]:
    """The tickets a technician has, or has a live step of."""
    if viewer.technician_id is None:
        return set()
    steps = sa.select(_tokens.c.ticket_id).where(
        _tokens.c.org_id == viewer.org_id,
        _tokens.c.state == TokenState.ACTIVE,
        _tokens.c.owner_kind == OwnerKind.TECHNICIAN,
        _tokens.c.owner_id == viewer.technician_id,
    )
    has = {row.id for row in rows if row.assignee_id == viewer.technician_id}
    return has | set(connection.execute(steps).scalars())
