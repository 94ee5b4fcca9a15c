"""Reports on money on screen: the figures of a slice, what moved them, and the entries behind each.

The address says what is looked at; every figure, bar and row carries the address of what it counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy.engine import Connection

from ticket_console.access import places
from ticket_console.access.places import OrgView
from ticket_console.forms import reads as form_reads
from ticket_console.i18n import catalog
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.people import crews
from ticket_console.people import reads as people
from ticket_console.reports import money, money_comparison
from ticket_console.reports.money import (
    By,
    Distribution,
    Figures,
    Group,
    Measure,
    MoneyLine,
    MoneySlice,
    Point,
)
from ticket_console.reports.money_asked import Asked, asked_of, in_time, parameters_of
from ticket_console.reports.money_change import Change, Part
from ticket_console.reports.money_comparison import Comparison, signed
from ticket_console.reports.money_files import major
from ticket_console.settlement import reads as settlement
from ticket_console.settlement.closing import PeriodView
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import both

Plain = dict[str, Any]

FIGURES: Final = "/reports"
LINES: Final = "/reports/lines"
_FILES: Final = {FIGURES: "/api/v1/reports/money", LINES: "/api/v1/reports/money/lines"}
# More bars than these cannot be told apart; the table below has every part.
_MOST_BARS: Final = 14
_TILES: Final = (
    Measure.COST,
    Measure.CHARGE,
    Measure.MARGIN,
    Measure.COUNT,
    Measure.AVERAGE_COST,
    Measure.AVERAGE_MARGIN,
)
# What is explained and spread out where an average or a count is looked at.
_AMOUNT_OF: Final = {
    Measure.COUNT: Measure.COST,
    Measure.AVERAGE_COST: Measure.COST,
    Measure.AVERAGE_CHARGE: Measure.CHARGE,
    Measure.AVERAGE_MARGIN: Measure.MARGIN,
}
# More of these is bad news.
_COSTS: Final = frozenset({Measure.COST, Measure.AVERAGE_COST})


class ReportsState(SessionState):
    status: str = "loading"
    view: Plain = {}

    @handler(permission=money.PERMISSION)
    async def load(self) -> Reply:
        asked = asked_of(self.router.url.query_parameters)
        try:
            self.view = await off_loop(look, viewer=self._actor(), at=self._now(), asked=asked)
        except Exception:
            self.status = "failed"
            raise
        self.status = "ready"
        return None


class ReportLinesState(SessionState):
    status: str = "loading"
    view: Plain = {}

    @handler(permission=money.PERMISSION)
    async def load(self) -> Reply:
        asked = asked_of(self.router.url.query_parameters)
        try:
            self.view = await off_loop(look_at_lines, viewer=self._actor(), at=self._now(), asked=asked)
        except Exception:
            self.status = "failed"
            raise
        self.status = "ready"
        return None


def address(path: str, asked: Asked) -> str:
    parameters = urlencode(parameters_of(asked))
    return f"{path}?{parameters}" if parameters else path


def look(*, viewer: Actor, at: datetime, asked: Asked) -> Plain:
    """What the page of figures shows at an address."""
    with reading() as connection:
        org = places.org(connection, viewer.org_id)
        periods = settlement.periods(connection, viewer=viewer)
        asked = in_time(asked, periods, at)
        slice = asked.slice
        whole = money.figures(connection, viewer=viewer, slice=slice)
        compared = money_comparison.comparison(connection, viewer=viewer, slice=slice, at=at)
        view = {**_around(connection, viewer, org, periods, asked), "as_of": instant_text(at)}
        view["is_empty"] = not whole.tickets
        view["tiles"] = [_tile(each, whole, compared, asked, org.currency) for each in _TILES]
        view["change"] = {}
        amount = _AMOUNT_OF.get(asked.measure, asked.measure)
        if not whole.tickets:
            return view
        groups = money.grouped(connection, viewer=viewer, slice=slice, by=asked.by)
        points = money.trend(connection, viewer=viewer, slice=slice, step=asked.step)
        spread = money.distribution(connection, viewer=viewer, slice=slice, measure=amount)
        if compared is not None:
            change = money_comparison.explained(
                connection,
                viewer=viewer,
                slice=slice,
                whole=whole,
                compared=compared,
                by=asked.by,
                measure=amount,
            )
            view["change"] = _change(change, compared, asked, groups, org.currency)
    view["groups"] = [_group(each, whole, asked) for each in groups]
    view["bars"] = [_bar(each, asked) for each in groups[:_MOST_BARS]]
    view["left_out"] = max(len(groups) - _MOST_BARS, 0)
    view["trend"] = [_point(each, asked) for each in points]
    view["bins"] = _bins(spread, asked, org.currency)
    view["spread_of"] = amount.value
    view["median"] = spread.median_minor
    return view


def look_at_lines(*, viewer: Actor, at: datetime, asked: Asked) -> Plain:
    """What the list of entries shows at an address."""
    with reading() as connection:
        org = places.org(connection, viewer.org_id)
        periods = settlement.periods(connection, viewer=viewer)
        asked = in_time(asked, periods, at)
        offset = (asked.page - 1) * money.PAGE
        page = money.lines(connection, viewer=viewer, slice=asked.slice, offset=offset)
        view = _around(connection, viewer, org, periods, asked, path=LINES)
    pages = max(-(-page.count // money.PAGE), 1)
    return {
        **view,
        "rows": [_line(each, org.currency) for each in page.lines],
        "count": page.count,
        "page": min(asked.page, pages),
        "pages": pages,
        "figures": _figures(page.figures),
        "between": _between(asked.slice, org.currency),
        "up": address(FIGURES, replace(asked, page=1, slice=replace(asked.slice, between=None))),
    }


def _around(
    connection: Connection,
    viewer: Actor,
    org: OrgView,
    periods: Sequence[PeriodView],
    asked: Asked,
    *,
    path: str = FIGURES,
) -> Plain:
    """Filters and files: what stands around the figures of any slice."""
    slice = asked.slice
    given = parameters_of(replace(asked, page=1))
    return {
        "currency": org.currency,
        "tz": org.tz,
        "measure": asked.measure.value,
        "by": asked.by.value,
        "step": asked.step.value,
        "period": "" if slice.period_id is None else str(slice.period_id),
        "since": "" if slice.since is None else slice.since.isoformat(),
        "until": "" if slice.until is None else slice.until.isoformat(),
        "periods": [{"value": str(each.id), "label": each.code} for each in periods],
        "choices": _choices(connection, viewer),
        "lines_href": address(LINES, replace(asked, page=1)),
        "files": [
            {
                "key": form,
                "label": both(f"reports.export.{form}"),
                "href": f"{_FILES[path]}?{urlencode({**given, 'format': form})}",
            }
            for form in ("xlsx", "csv")
        ],
    }


def _choices(connection: Connection, viewer: Actor) -> dict[str, list[Plain]]:
    org_id = viewer.org_id
    templates = form_reads.published_templates(connection, org_id)
    teams = crews.crews(connection, org_id)
    return {
        "line": [
            {"value": line or "-", "label": line_name(line)}
            for line in dict.fromkeys(each.business_line for each in templates)
        ],
        "region": [
            {"value": str(each.id), "label": each.name} for each in places.regions(connection, org_id)
        ],
        "dimension": [{"value": key, "label": name} for key, name in money.dimension_names().items()],
        "team": [{"value": str(each.id), "label": each.name} for each in teams.values()],
        "technician": [
            {"value": str(each.id), "label": {"zh": each.name, "en": each.name}}
            for each in people.technicians(connection, viewer=viewer)
        ],
        "vendor": [
            {"value": "0", "label": both("reports.own_people")},
            *(
                {"value": str(key), "label": name}
                for key, name in crews.vendor_names(connection, org_id).items()
            ),
        ],
    }


def line_name(line: str) -> LocalText:
    """What a business line is called; one a customer made is called by its own word."""
    if not line:
        return both("reports.no_line")
    key = f"new.line.{line}"
    return both(key) if key in catalog("zh") else {"zh": line, "en": line}


def _tile(
    measure: Measure, whole: Figures, compared: Comparison | None, asked: Asked, currency: str
) -> Plain:
    value = whole.of(measure)
    before = None if compared is None else compared.figures.of(measure)
    delta = None if value is None or before is None else value - before
    is_good = delta is not None and (delta < 0) == (measure in _COSTS)
    is_plain = not delta or measure is Measure.COUNT
    told = None
    if delta is not None:
        told = {
            locale: f"{delta:+,}" if measure is Measure.COUNT else signed(delta, currency, locale)
            for locale in LOCALES
        }
    return {
        "measure": measure.value,
        "value": value,
        "is_count": measure is Measure.COUNT,
        "delta": told,
        "before": "" if compared is None else compared.before_name,
        "days": None if compared is None or compared.before.since is not None else compared.days,
        "tone": "plain" if is_plain else "ok" if is_good else "danger",
        "href": address(LINES, replace(asked, page=1)),
    }


def _change(
    found: Change, compared: Comparison, asked: Asked, groups: Sequence[Group], currency: str
) -> Plain:
    named = (replace(part, name=_group_name(asked.by, part.key, part.name)) for part in found.parts)
    found = replace(found, parts=tuple(named))
    behind = {group.key: group.slice for group in groups}
    rows = [_part(part, asked, behind.get(part.key)) for part in found.parts]
    moved = [row for row in rows if row["delta"]]
    total = {
        "name": both("reports.total"),
        "before": found.before_minor,
        "after": found.after_minor,
        "volume": found.volume_minor,
        "rate": found.rate_minor,
        "delta": found.delta_minor,
        "href": "",
        "is_total": True,
    }
    return {
        "sentence": money_comparison.sentence(found, compared, currency=currency),
        "measure": found.measure.value,
        "rows": rows,
        "table": [*rows, total],
        "bars": moved[:_MOST_BARS],
        "before": found.before_minor,
        "after": found.after_minor,
        "delta": found.delta_minor,
        "volume": found.volume_minor,
        "rate": found.rate_minor,
        "before_name": compared.before_name,
    }


def _part(part: Part, asked: Asked, slice: MoneySlice | None) -> Plain:
    href = "" if slice is None else address(LINES, replace(asked, slice=slice, page=1))
    return {
        "name": part.name,
        "before": part.before_minor,
        "after": part.after_minor,
        "delta": part.delta_minor,
        "volume": part.volume_minor,
        "rate": part.rate_minor,
        "hrefs": {"volume": href, "rate": href},
        "href": href,
        "is_total": False,
    }


def _group_name(by: By, key: str, name: LocalText) -> LocalText:
    return line_name(key) if by is By.LINE else name


def _group(group: Group, whole: Figures, asked: Asked) -> Plain:
    narrowed = replace(asked, slice=group.slice, page=1)
    return {
        "key": group.key,
        "name": _group_name(asked.by, group.key, group.name),
        **_figures(group.figures),
        "href": address(LINES, narrowed),
        "deeper": address(FIGURES, narrowed),
    }


def _figures(found: Figures) -> Plain:
    return {measure.value: found.of(measure) for measure in Measure}


def _bar(group: Group, asked: Asked) -> Plain:
    href = address(LINES, replace(asked, slice=group.slice, page=1))
    return {
        "name": _group_name(asked.by, group.key, group.name),
        "value": group.figures.of(asked.measure),
        "hrefs": {"value": href},
    }


def _point(point: Point, asked: Asked) -> Plain:
    href = address(LINES, replace(asked, slice=point.slice, page=1))
    named = {"name": both("reports.undated")} if point.on is None else {"day": point.on.isoformat()}
    return {
        **named,
        "cost": point.figures.cost_minor,
        "charge": point.figures.charge_minor,
        "tickets": point.figures.tickets,
        "hrefs": {"cost": href, "charge": href},
    }


def _bins(spread: Distribution, asked: Asked, currency: str) -> list[Plain]:
    return [
        {
            "name": _range_name(each.from_minor, each.until_minor, currency),
            "tickets": each.tickets,
            "hrefs": {"tickets": address(LINES, replace(asked, slice=each.slice, page=1))},
        }
        for each in spread.bins
    ]


def _range_name(from_minor: int | None, until_minor: int | None, currency: str) -> LocalText:
    low = "" if from_minor is None else _short(from_minor, currency)
    high = "" if until_minor is None else _short(until_minor, currency)
    text = f"≥ {low}" if not high else f"< {high}" if not low else f"{low} – {high}"
    return dict.fromkeys(LOCALES, text)


def _short(minor: int, currency: str) -> str:
    """Without decimals where there are none."""
    amount = major(minor, currency)
    whole = amount.to_integral_value()
    return f"{whole if whole == amount else amount:,}"


def _between(slice: MoneySlice, currency: str) -> Plain:
    if slice.between is None:
        return {}
    return {
        "measure": slice.between.measure.value,
        "range": _range_name(slice.between.from_minor, slice.between.until_minor, currency),
    }


def _line(line: MoneyLine, currency: str) -> Plain:
    return {
        "id": line.posting_id,
        "journal": line.journal_seq,
        "kind": line.kind.value,
        "ticket_no": line.ticket_no,
        "href": "" if line.ticket_id is None else f"/tickets/{line.ticket_id}",
        "service_on": "" if line.service_on is None else line.service_on.isoformat(),
        "period": line.period_code,
        "region": line.region or {"zh": "—", "en": "—"},
        "technician": line.technician,
        "dimension": line.dimension,
        "rule": line.rule_name or {"zh": "", "en": ""},
        "side": "charge" if line.is_charge else "cost",
        "amount": line.amount_minor,
    }
