"""Twelve ways to begin a rule: what a manager fills in, and the rule it comes to.

A template is a form of few blanks. `fill` puts checked answers into the JSON of a rule, which then goes the
way of every rule through `rule_parsing`. Two templates *commute* when the order in which their rules are put
in a rule set changes no amount: neither works on lines the other makes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from babel.numbers import get_currency_precision

from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText
from ticket_console.settlement.kinds import Dimension

Answers = Mapping[str, Any]
Condition = dict[str, Any]

_LABOUR: Final = (Dimension.BASE_LABOUR.value, Dimension.DIFFICULTY.value)
# After the base fees and the difficulty that coefficients build on, before the limits of a dimension.
_ON_LABOUR: Final = 65
_LARGEST: Final = Decimal(10) ** 9
_MOST_PLACES: Final = 12


class BadAnswers(InvalidInput):
    """Blanks that are missing or cannot be read, by their key."""

    code = "settlement.template.bad_answers"


class BlankKind(StrEnum):
    AMOUNT = "amount"
    NUMBER = "number"
    CHOICE = "choice"
    TIME = "time"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Blank:
    """One thing to fill in. Amounts are asked in major units; `field` names whose values a choice offers."""

    key: str
    kind: BlankKind
    label: LocalText
    example: Any
    field: str = ""


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    code: str
    name: LocalText
    dimension: Dimension
    blanks: tuple[Blank, ...]
    build: Callable[[Answers], dict[str, Any]]
    looks_at: tuple[str, ...] = ()


def fill(
    template: RuleTemplate, answers: Answers, *, code: str, name: LocalText, currency: str
) -> dict[str, Any]:
    """The rule of a filled-in template, as JSON for `rule_parsing`. Raises BadAnswers naming every blank.

    Amounts are answered in the currency and kept in its smallest unit, whatever part of it that is.
    """
    places = get_currency_precision(currency)
    read: dict[str, Any] = {}
    problems = []
    for blank in template.blanks:
        value = _read(blank, answers.get(blank.key), places)
        if value is None:
            problems.append(FieldProblem(blank.key, "settlement.template.bad_blank"))
        read[blank.key] = value
    problems += [
        FieldProblem(key, "settlement.template.unknown_blank")
        for key in sorted(set(answers) - {blank.key for blank in template.blanks})
    ]
    if problems:
        raise BadAnswers(tuple(problems))
    return {
        "code": code,
        "name": dict(name),
        "dimension": template.dimension.value,
        "when": None,
        "value": "0",
        **template.build(read),
    }


def commute(one: RuleTemplate, other: RuleTemplate) -> bool:
    """Whether the order of their rules cannot matter: neither works on lines the other makes."""
    return one.dimension.value not in other.looks_at and other.dimension.value not in one.looks_at


def _read(blank: Blank, answer: Any, places: int) -> Any:
    if blank.kind in {BlankKind.AMOUNT, BlankKind.NUMBER}:
        number = _number(answer)
        if number is None or blank.kind is BlankKind.NUMBER:
            return None if number is None else format(number, "f")
        return format(number.scaleb(places), "f")
    if blank.kind is BlankKind.STEPS:
        return _steps(answer, places)
    return answer if isinstance(answer, str) and answer.strip() else None


def _number(answer: Any) -> Decimal | None:
    if not isinstance(answer, str | int) or isinstance(answer, bool):
        return None
    try:
        number = Decimal(answer)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) > _LARGEST:
        return None
    exponent = number.as_tuple().exponent
    # A few characters can stand for a billion digits.
    return number if isinstance(exponent, int) and abs(exponent) <= _MOST_PLACES else None


def _steps(answer: Any, places: int) -> list[tuple[str, str]] | None:
    """Steps [from, amount] of a tier table, the first from zero on, each higher than the one before."""
    if not isinstance(answer, list | tuple) or not answer:
        return None
    steps: list[tuple[Decimal, Decimal]] = []
    for each in answer:
        lower, amount = (
            (_number(part) for part in each)
            if isinstance(each, list | tuple) and len(each) == 2
            else (None, None)
        )
        if lower is None or amount is None or (steps and lower <= steps[-1][0]):
            return None
        steps.append((lower, amount))
    if steps[0][0] != 0:
        return None
    return [(format(lower, "f"), format(amount.scaleb(places), "f")) for lower, amount in steps]


def _is(field: str, value: str) -> Condition:
    return _one(field, "=", value)


def _one(field: str, operator: str, value: Any) -> Condition:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


def _bands(steps: list[tuple[str, str]]) -> list[dict[str, Any]]:
    uppers: list[str | None] = [lower for lower, _ in steps[1:]]
    return [
        {"lower": lower, "upper": upper, "value": amount}
        for (lower, amount), upper in zip(steps, [*uppers, None], strict=True)
    ]


def _coefficient(when: Condition | None, factor: str, **more: Any) -> dict[str, Any]:
    return {
        "op": "multiply",
        "value": factor,
        "when": when,
        "applies_to": list(_LABOUR),
        "order": _ON_LABOUR,
        **more,
    }


_AMOUNT: Final[LocalText] = {"zh": "金额（元）", "en": "amount"}
_FACTOR: Final[LocalText] = {"zh": "系数", "en": "coefficient"}
_PERCENT: Final[LocalText] = {"zh": "百分比", "en": "percent"}


def _amount(key: str = "amount", label: LocalText = _AMOUNT, example: str = "50") -> Blank:
    return Blank(key, BlankKind.AMOUNT, label, example)


def _choice(field: str, label: LocalText, example: str) -> Blank:
    return Blank(field, BlankKind.CHOICE, label, example, field)


def _factor(example: str = "1.2") -> Blank:
    return Blank("factor", BlankKind.NUMBER, _FACTOR, example)


TEMPLATES: Final = (
    RuleTemplate(
        "by_service_type",
        {"zh": "按服务类型计基础工费", "en": "Base fee by service type"},
        Dimension.BASE_LABOUR,
        (
            _choice("service_type", {"zh": "服务类型", "en": "service type"}, "install"),
            _amount(example="100"),
        ),
        lambda blanks: {
            "op": "add",
            "value": blanks["amount"],
            "when": _is("service_type", blanks["service_type"]),
            "group": "base_labour",
            "order": 15,
        },
    ),
    RuleTemplate(
        "by_handling_time",
        {"zh": "按处理时效阶梯奖惩", "en": "Bonus or deduction by time to respond"},
        Dimension.TIMELINESS,
        (
            Blank(
                "steps",
                BlankKind.STEPS,
                {"zh": "响应分钟数与金额", "en": "minutes to respond and amount"},
                [["0", "20"], ["30", "0"], ["120", "-10"]],
            ),
        ),
        lambda blanks: {
            "op": "tier",
            "unit": "response_minutes",
            "bands": _bands(blanks["steps"]),
            "order": 105,
        },
    ),
    RuleTemplate(
        "by_difficulty",
        {"zh": "按难度系数计酬", "en": "Pay by difficulty"},
        Dimension.DIFFICULTY,
        (_factor("1"),),
        lambda blanks: {
            "op": "multiply",
            "value": blanks["factor"],
            "unit": "difficulty",
            "applies_to": [Dimension.BASE_LABOUR.value],
            "order": 23,
        },
        (Dimension.BASE_LABOUR.value,),
    ),
    RuleTemplate(
        "by_hazard",
        {"zh": "危险作业系数", "en": "Coefficient for dangerous work"},
        Dimension.HAZARD,
        (_choice("hazards", {"zh": "危险作业", "en": "hazard"}, "height"), _factor("1.2")),
        lambda blanks: _coefficient(_one("hazards", "contains", blanks["hazards"]), blanks["factor"]),
        _LABOUR,
    ),
    RuleTemplate(
        "by_urgency",
        {"zh": "紧急程度系数", "en": "Coefficient by urgency"},
        Dimension.URGENCY,
        (_choice("urgency", {"zh": "紧急程度", "en": "urgency"}, "urgent"), _factor("1.3")),
        lambda blanks: _coefficient(_is("urgency", blanks["urgency"]), blanks["factor"]),
        _LABOUR,
    ),
    RuleTemplate(
        "by_time_of_day",
        {"zh": "时段系数（夜间等）", "en": "Coefficient by time of day"},
        Dimension.NIGHT,
        (
            Blank("opens", BlankKind.TIME, {"zh": "开始时间", "en": "from"}, "22:00"),
            Blank("closes", BlankKind.TIME, {"zh": "结束时间", "en": "until"}, "06:00"),
            _factor("1.3"),
        ),
        lambda blanks: _coefficient(
            None, blanks["factor"], window={"opens": blanks["opens"], "closes": blanks["closes"]}
        ),
        _LABOUR,
    ),
    RuleTemplate(
        "by_region",
        {"zh": "按区域调整工费", "en": "Labour by region"},
        Dimension.REGION,
        (
            _choice("region_code", {"zh": "区域", "en": "region"}, "SH"),
            Blank("percent", BlankKind.NUMBER, _PERCENT, "10"),
        ),
        lambda blanks: {
            "op": "percent",
            "value": blanks["percent"],
            "when": _is("region_code", blanks["region_code"]),
            "applies_to": list(_LABOUR),
            "order": _ON_LABOUR,
        },
        _LABOUR,
    ),
    RuleTemplate(
        "by_distance",
        {"zh": "按里程计差旅补贴", "en": "Travel allowance by distance"},
        Dimension.TRAVEL,
        (
            _amount(label={"zh": "每公里金额（元）", "en": "amount per kilometre"}, example="1.2"),
            Blank("over", BlankKind.NUMBER, {"zh": "免补公里数", "en": "kilometres without pay"}, "10"),
        ),
        lambda blanks: {
            "op": "per_unit",
            "value": blanks["amount"],
            "unit": "distance_km",
            "over": blanks["over"],
            "order": 85,
        },
    ),
    RuleTemplate(
        "by_customer_tier",
        {"zh": "VIP 客户加成", "en": "Supplement for VIP customers"},
        Dimension.SERVICE_TIER,
        (Blank("percent", BlankKind.NUMBER, _PERCENT, "10"),),
        lambda blanks: {
            "op": "percent",
            "value": blanks["percent"],
            "when": _one("vip", "=", True),
            "applies_to": list(_LABOUR),
            "order": 74,
        },
        _LABOUR,
    ),
    RuleTemplate(
        "by_volume",
        {"zh": "按单量阶梯奖励", "en": "Bonus by volume"},
        Dimension.VOLUME,
        (
            Blank(
                "steps",
                BlankKind.STEPS,
                {"zh": "本月单量与每单金额", "en": "tickets this month and amount each"},
                [["0", "0"], ["60", "3"], ["120", "5"]],
            ),
        ),
        lambda blanks: {
            "op": "tier",
            "unit": "month_tickets",
            "bands": _bands(blanks["steps"]),
            "order": 112,
        },
    ),
    RuleTemplate(
        "by_parts",
        {"zh": "备件按成本倍数计", "en": "Parts at a multiple of their cost"},
        Dimension.PARTS,
        (_factor("1"),),
        lambda blanks: {"op": "per_unit", "value": blanks["factor"], "unit": "parts", "order": 92},
    ),
    RuleTemplate(
        "by_tools",
        {"zh": "专用设备租赁计费", "en": "Rental of special tools"},
        Dimension.TOOL_RENTAL,
        (_factor("1"),),
        lambda blanks: {"op": "per_unit", "value": blanks["factor"], "unit": "tools", "order": 90},
    ),
)
BY_CODE: Final = {template.code: template for template in TEMPLATES}
