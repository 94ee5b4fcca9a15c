"""Money of a slice beside that of the time before it, and the sentence that says what moved it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import format_currency, format_percent, get_currency_precision
from sqlalchemy.engine import Connection

from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.text import LOCALES, LocalText, pick
from ticket_console.reports import money
from ticket_console.reports.money import By, Figures, Measure, MoneySlice
from ticket_console.reports.money_change import Change, change
from ticket_console.settlement import reads as settlement
from ticket_console.settlement.closing import PeriodView

_LETTERS_BEFORE_SIGN: Final = re.compile(r"[A-Z]+(?=[^\sA-Z\d.,+-])")
_BABEL: Final = {"zh": "zh_Hans_CN", "en": "en"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`before` is what the slice is compared with, `days` so many days of either, None for whole periods."""

    before: MoneySlice
    before_name: str
    days: int | None
    figures: Figures


def comparison(
    connection: Connection, *, viewer: Actor, slice: MoneySlice, at: datetime
) -> Comparison | None:
    """The time before that of a slice, with its figures; None where there is none."""
    found = before(slice, settlement.periods(connection, viewer=viewer), at=at)
    if found is None:
        return None
    slice_before, name, days = found
    return Comparison(slice_before, name, days, money.figures(connection, viewer=viewer, slice=slice_before))


def before(
    slice: MoneySlice, periods: Sequence[PeriodView], *, at: datetime
) -> tuple[MoneySlice, str, int | None] | None:
    """The slice before, its name, and how many days it has: as many as those of days asked for.

    Before a period is the one that ended when it began; of a period that is not over yet only as many
    days are compared as have come.
    """
    if slice.since is not None and slice.until is not None:
        length = slice.until - slice.since
        if length <= timedelta(0):
            return None
        earlier = replace(slice, since=slice.since - length, until=slice.since)
        return earlier, _days_name(slice.since - length, slice.since), length.days
    period = next((each for each in periods if each.id == slice.period_id), None)
    if period is None or slice.since is not None or slice.until is not None:
        return None
    previous = next((each for each in periods if each.ends_at == period.starts_at), None)
    if previous is None:
        return None
    if at >= period.ends_at:
        return replace(slice, period_id=previous.id), previous.code, None
    first, first_before = _first_day(period), _first_day(previous)
    days = (at.astimezone(ZoneInfo(period.tz)).date() - first).days + 1
    until = min(first_before + timedelta(days=days), first)
    return replace(slice, period_id=previous.id, until=until), previous.code, days


def explained(
    connection: Connection,
    *,
    viewer: Actor,
    slice: MoneySlice,
    whole: Figures,
    compared: Comparison,
    by: By,
    measure: Measure,
) -> Change:
    """What changed in an amount since the time before, by the parts that moved it."""
    return change(
        measure,
        before=compared.figures,
        after=whole,
        parts_before=money.grouped(connection, viewer=viewer, slice=compared.before, by=by),
        parts_after=money.grouped(connection, viewer=viewer, slice=slice, by=by),
        share_tickets=by is By.DIMENSION,
    )


def sentence(found: Change, compared: Comparison, *, currency: str) -> LocalText:
    """A change in one sentence of each language."""
    return {locale: _sentence(found, compared, currency, locale) for locale in LOCALES}


def _sentence(found: Change, compared: Comparison, currency: str, locale: str) -> str:
    delta, mover = found.delta_minor, found.mover
    direction = "same" if not delta else "rose" if delta > 0 else "fell"
    told = translate(
        f"reports.change.{direction}",
        locale,
        measure=f"reports.measure.{found.measure.value}",
        delta=_money(abs(delta), currency, locale),
        percent=_percent(delta, found.before_minor, locale),
        before=_time_name(compared, locale),
        volume=signed(found.volume_minor, currency, locale),
        rate=signed(found.rate_minor, currency, locale),
        tickets_before=found.before.tickets,
        tickets_after=found.after.tickets,
    )
    if mover is None:
        return told
    moved = translate(
        "reports.change.mover",
        locale,
        name=_as_beginning(pick(mover.name, locale)),
        delta=signed(mover.delta_minor, currency, locale),
    )
    return translate("reports.change.sentences", locale, first=told, second=moved)


def _as_beginning(name: str) -> str:
    return name[:1].upper() + name[1:]


def signed(minor: int, currency: str, locale: str) -> str:
    """An amount with its sign, also where it is a plus."""
    return f"{'+' if minor > 0 else ''}{_money(minor, currency, locale)}"


def _money(minor: int, currency: str, locale: str) -> str:
    major = Decimal(minor).scaleb(-get_currency_precision(currency))
    text = str(format_currency(major, currency, locale=_BABEL[locale]))
    # Whose dollar or yen it is goes without saying within one organisation's books.
    return _LETTERS_BEFORE_SIGN.sub("", text)


def _percent(delta: int, before_minor: int, locale: str) -> str:
    if not before_minor:
        return translate("reports.change.from_nothing", locale)
    share = Decimal(delta) / abs(before_minor)
    text = str(format_percent(share, "#,##0.0%", locale=_BABEL[locale]))
    return f"+{text}" if delta > 0 else text


def _time_name(compared: Comparison, locale: str) -> str:
    if compared.days is None or compared.before.since is not None:
        return compared.before_name
    return translate("reports.change.same_days", locale, period=compared.before_name, n=compared.days)


def _first_day(period: PeriodView) -> date:
    return period.starts_at.astimezone(ZoneInfo(period.tz)).date()


def _days_name(since: date, until: date) -> str:
    return f"{since.isoformat()} – {(until - timedelta(days=1)).isoformat()}"
