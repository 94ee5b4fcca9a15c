"""Rating: from frozen facts and a rule set to lines and a total. Pure, exact, and the same every time.

Every line is rounded once to a whole minor unit: half up (away from zero), unless its rule says otherwise.
Rules that look back add up rounded lines, so whoever checks a statement on paper can compute with the
amounts printed there. The total is the sum of the lines and is not rounded again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal, localcontext
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.money import round_half_up
from ticket_console.kernel.text import LocalText
from ticket_console.settlement.facts import Facts, plain
from ticket_console.settlement.kinds import Dimension, Side
from ticket_console.settlement.night import is_inside, seconds_inside, work_seconds
from ticket_console.settlement.rules import ITEM_UNITS, Op, RateCard, Rounding, Rule, RuleSet, Window
from ticket_console.settlement.wording import money_writer

# Wide enough that only a division can be inexact, and then far below a minor unit.
_EXACT: Final = Context(prec=40, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Line:
    """One rounded amount and how it came about.

    `quantity` times `factor` is what the rule multiplies: units and rate, or base and coefficient.
    `base` holds the positions of the lines a coefficient was applied to, `facts` what the rule looked at.
    """

    position: int
    dimension: Dimension
    rule_code: str
    rule_name: LocalText
    sentence: LocalText
    quantity: Decimal
    factor: Decimal
    amount_minor: int
    formula: str
    base: tuple[int, ...]
    facts: Mapping[str, Any]

    def explain(self) -> dict[str, Any]:
        return {
            "name": self.rule_name,
            "sentence": self.sentence,
            "formula": self.formula,
            "base": self.base,
            "facts": self.facts,
        }


@dataclass(frozen=True)
class Rating:
    """`trace` says of every rule, in the order of application, what became of it."""

    currency: str
    lines: tuple[Line, ...]
    total_minor: int
    trace: tuple[tuple[str, str], ...]
    rules_hash: str

    @cached_property
    def content_hash(self) -> str:
        """Equal for equal facts and rules, whenever and wherever they are rated."""
        return content_hash(
            [
                self.rules_hash,
                self.currency,
                self.total_minor,
                self.trace,
                [
                    [
                        line.position,
                        line.dimension,
                        line.rule_code,
                        plain(line.quantity),
                        plain(line.factor),
                        line.amount_minor,
                        line.formula,
                        line.facts,
                    ]
                    for line in self.lines
                ],
            ]
        )


def rate(facts: Facts, rules: RuleSet, side: Side = Side.WORKER) -> Rating:
    """Rate one segment of a ticket for one side. The rules come from `rule_parsing.parse_rules`."""
    with localcontext(_EXACT):
        work = _Work(facts, rules.cards, money_writer(rules.currency))
        taken_groups: set[str] = set()
        trace = []
        for rule in rules.of_side(side):
            if rule.group is not None and rule.group in taken_groups:
                trace.append((rule.code, "group"))
            elif rule.holds is not None and not rule.holds(work.values):
                trace.append((rule.code, "condition"))
            else:
                if rule.group is not None:
                    taken_groups.add(rule.group)
                before = len(work.lines)
                _OPERATIONS[rule.op](rule, work)
                trace.append((rule.code, "applied" if len(work.lines) > before else "nothing"))
    lines = tuple(work.lines)
    return Rating(
        currency=rules.currency,
        lines=lines,
        total_minor=sum(line.amount_minor for line in lines),
        trace=tuple(trace),
        rules_hash=rules.content_hash,
    )


@dataclass(slots=True)
class _Work:
    """The lines made so far, and the facts as rules see them."""

    facts: Facts
    cards: Mapping[str, RateCard]
    money: Callable[[Decimal | int], str]
    values: dict[str, object] = field(init=False)
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = self.facts.values()
        seconds = work_seconds(self.facts.started_at, self.facts.finished_at)
        self.values["work_minutes"] = Decimal(seconds) / 60

    def number(self, unit: str) -> Decimal | None:
        """A fact to count with; None when it is not known, and then the rule makes no line."""
        value = self.values[unit]
        if isinstance(value, Decimal):
            return value
        return Decimal(value) if isinstance(value, int) else None

    def exactly(self, unit: str) -> tuple[Decimal, int]:
        """A known fact as a fraction: minutes of work have no exact decimal, but their seconds have."""
        if unit == "work_minutes":
            return Decimal(work_seconds(self.facts.started_at, self.facts.finished_at)), 60
        return self.number(unit) or Decimal(0), 1

    def value(self, rule: Rule) -> Decimal | None:
        """The rule's amount, its own or that of its rate card; None where the card has none."""
        return rule.value if rule.card is None else self.cards[rule.card].value(self.values)

    def base(self, rule: Rule) -> list[Line]:
        return [line for line in self.lines if line.dimension in rule.applies_to]

    def add(
        self,
        rule: Rule,
        *,
        amount: Decimal,
        quantity: Decimal,
        factor: Decimal,
        formula: str,
        base: Sequence[Line] = (),
        more: Mapping[str, Any] | None = None,
        sign: str = "=",
    ) -> None:
        """One line; a rule that comes to nothing makes none."""
        if not amount:
            return
        rounded = _ROUNDINGS[rule.rounding](amount)
        shown = self.money(rounded)
        if amount != rounded:
            shown = f"{self.money(round(amount, 4))} → {shown}"
        self.lines.append(
            Line(
                position=len(self.lines) + 1,
                dimension=rule.dimension,
                rule_code=rule.code,
                rule_name=rule.name,
                sentence=rule.sentence,
                quantity=quantity,
                factor=factor,
                amount_minor=rounded,
                formula=f"{formula} {sign} {shown}",
                base=tuple(line.position for line in base),
                facts=_asked(rule, self, more),
            )
        )


def _asked(rule: Rule, work: _Work, more: Mapping[str, Any] | None) -> dict[str, Any]:
    names = rule.asks if rule.unit is None or rule.unit in ITEM_UNITS else rule.asks | {rule.unit}
    facts = {name: _shown(work.values[name]) for name in names}
    if "hazards" in names:
        facts["evidence"] = [hazard.evidence for hazard in work.facts.hazards if hazard.evidence]
    if more is not None:
        facts.update(more)
    return facts


def _shown(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value


def _add(rule: Rule, work: _Work) -> None:
    value = work.value(rule)
    if value is not None:
        work.add(rule, amount=value, quantity=Decimal(1), factor=value, formula=f"1 × {work.money(value)}")


def _per_unit(rule: Rule, work: _Work) -> None:
    if rule.unit in ITEM_UNITS:
        _per_item(rule, work)
        return
    counted, value = work.number(str(rule.unit)), work.value(rule)
    if counted is None or value is None:
        return
    quantity = max(counted - rule.over, Decimal(0))
    units_of, parts = work.exactly(str(rule.unit))
    units = f"({plain(counted)} − {plain(rule.over)})" if rule.over else plain(counted)
    work.add(
        rule,
        # Divided last, so that only what has no end is ever cut off.
        amount=max(units_of - rule.over * parts, Decimal(0)) * value / parts,
        quantity=quantity,
        factor=value,
        formula=f"{units} × {work.money(value)}",
    )


def _per_item(rule: Rule, work: _Work) -> None:
    facts = work.facts
    items = (
        [(part.sku, part.qty, part.unit_cost_minor) for part in facts.parts]
        if rule.unit == "parts"
        else [(tool.code, tool.days, tool.day_rate_minor) for tool in facts.tools]
    )
    times = "" if rule.value == 1 else f" × {plain(rule.value)}"
    for code, quantity, price in items:
        factor = price * rule.value
        work.add(
            rule,
            amount=quantity * factor,
            quantity=quantity,
            factor=factor,
            formula=f"{plain(quantity)} × {work.money(price)}{times}",
            more={"item": code, "quantity": plain(quantity), "unit_price": work.money(price)},
        )


def _multiply(rule: Rule, work: _Work) -> None:
    units, parts = Decimal(1), 1
    if rule.unit is not None:
        if work.number(rule.unit) is None:
            return
        units, parts = work.exactly(rule.unit)
    factor = rule.value * units / parts
    rate = (rule.value * units - parts, parts)
    _on_base(rule, work, rate=rate, factor=factor, shown=f"({plain(factor)} − 1)")


def _percent(rule: Rule, work: _Work) -> None:
    _on_base(rule, work, rate=(rule.value, 100), factor=rule.value / 100, shown=f"{plain(rule.value)}%")


def _on_base(rule: Rule, work: _Work, *, rate: tuple[Decimal, int], factor: Decimal, shown: str) -> None:
    """`rate` is a fraction, divided last."""
    base = work.base(rule)
    total = sum(line.amount_minor for line in base)
    amount, parts = total * rate[0], rate[1]
    if not amount:
        return
    more = None
    if rule.window is not None:
        inside, whole = _share(work.facts, rule.window)
        if not inside:
            return
        amount, parts = amount * inside, parts * whole
        shown += f" × {_minutes(inside)}/{_minutes(whole)} min"
        more = _window_facts(work.facts, inside)
    work.add(
        rule,
        amount=amount / parts,
        quantity=Decimal(total),
        factor=factor,
        formula=f"{_sum(base, work)} × {shown}",
        base=base,
        more=more,
    )


def _share(facts: Facts, window: Window) -> tuple[int, int]:
    """Seconds inside the window and seconds in all; work without length counts by its one moment."""
    whole = work_seconds(facts.started_at, facts.finished_at)
    if whole:
        return seconds_inside(facts.started_at, facts.finished_at, facts.site_tz, window), whole
    return (60, 60) if is_inside(facts.started_at, facts.site_tz, window) else (0, 60)


def _window_facts(facts: Facts, inside: int) -> dict[str, Any]:
    zone = ZoneInfo(facts.site_tz)
    return {
        "work_from": f"{facts.started_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "work_until": f"{facts.finished_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "site_tz": facts.site_tz,
        "minutes_inside": _minutes(inside),
    }


def _minutes(seconds: int) -> str:
    return plain(round(Decimal(seconds) / 60, 2))


def _cap(rule: Rule, work: _Work) -> None:
    _limit(rule, work, lambda excess: min(excess, Decimal(0)), "min")


def _floor(rule: Rule, work: _Work) -> None:
    _limit(rule, work, lambda lack: max(lack, Decimal(0)), "max")


def _limit(rule: Rule, work: _Work, chosen: Callable[[Decimal], Decimal], word: str) -> None:
    base = work.base(rule)
    total = sum(line.amount_minor for line in base)
    work.add(
        rule,
        amount=chosen(rule.value - total),
        quantity=Decimal(total),
        factor=rule.value,
        formula=f"{word}(0, {work.money(rule.value)} − {_sum(base, work)})",
        base=base,
    )


def _tier(rule: Rule, work: _Work) -> None:
    counted = work.number(str(rule.unit))
    if counted is None:
        return
    band = next(band for band in reversed(rule.bands) if counted >= band.lower)
    upper = "∞" if band.upper is None else plain(band.upper)
    work.add(
        rule,
        amount=band.value,
        quantity=counted,
        factor=band.value,
        formula=f"{plain(counted)} ∈ [{plain(band.lower)}, {upper})",
        sign="→",
    )


def _sum(lines: Sequence[Line], work: _Work) -> str:
    if len(lines) <= 1:
        return work.money(sum(line.amount_minor for line in lines))
    return "(" + " + ".join(work.money(line.amount_minor) for line in lines) + ")"


_ROUNDINGS: Final[Mapping[Rounding, Callable[[Decimal], int]]] = {
    Rounding.HALF_UP: round_half_up,
    Rounding.DOWN: lambda amount: int(amount.to_integral_value(ROUND_DOWN)),
    Rounding.UP: lambda amount: int(amount.to_integral_value(ROUND_UP)),
}
_OPERATIONS: Final[Mapping[Op, Callable[[Rule, _Work], None]]] = {
    Op.ADD: _add,
    Op.PER_UNIT: _per_unit,
    Op.MULTIPLY: _multiply,
    Op.PERCENT: _percent,
    Op.CAP: _cap,
    Op.FLOOR: _floor,
    Op.TIER: _tier,
}
