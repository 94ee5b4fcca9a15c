"""Rules in words, and numbers the way a formula on a statement shows them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.numbers import get_currency_precision

from ticket_console.kernel import condition_sentences
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.settlement.facts import FIELDS, plain
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.rules import ITEM_UNITS, Op, RateCard, Rounding, Rule

DIMENSIONS: Final[Mapping[Dimension, LocalText]] = {
    Dimension.BASE_LABOUR: {"zh": "基础工费", "en": "base labour"},
    Dimension.DIFFICULTY: {"zh": "技术难度", "en": "difficulty"},
    Dimension.PARTS: {"zh": "备件成本", "en": "parts"},
    Dimension.HAZARD: {"zh": "危险津贴", "en": "hazard pay"},
    Dimension.TOOL_RENTAL: {"zh": "设备租赁", "en": "tool rental"},
    Dimension.NIGHT: {"zh": "夜间服务", "en": "night work"},
    Dimension.URGENCY: {"zh": "加急溢价", "en": "urgency"},
    Dimension.TRAVEL: {"zh": "差旅补贴", "en": "travel"},
    Dimension.REGION: {"zh": "区域差异", "en": "region"},
    Dimension.SERVICE_TIER: {"zh": "服务档位", "en": "service tier"},
    Dimension.TIMELINESS: {"zh": "时效奖惩", "en": "timeliness"},
    Dimension.VOLUME: {"zh": "单量阶梯", "en": "volume"},
}

UNITS: Final[Mapping[str, LocalText]] = {
    **FIELDS,
    "work_minutes": {"zh": "作业分钟数", "en": "minutes of work"},
}

# What a line may name besides the facts a condition can ask for.
_FACTS: Final[Mapping[str, LocalText]] = {
    **UNITS,
    "evidence": {"zh": "依据", "en": "evidence"},
    "item": {"zh": "编码", "en": "code"},
    "quantity": {"zh": "数量", "en": "quantity"},
    "unit_price": {"zh": "单价", "en": "unit price"},
    "work_from": {"zh": "开始（现场时间）", "en": "from (local time)"},
    "work_until": {"zh": "结束（现场时间）", "en": "until (local time)"},
    "site_tz": {"zh": "现场时区", "en": "time zone of the site"},
    "minutes_inside": {"zh": "时段内分钟数", "en": "minutes inside the window"},
    "technician_id": {"zh": "工程师编号", "en": "technician number"},
}
_YES_NO: Final[Mapping[bool, LocalText]] = {True: {"zh": "是", "en": "yes"}, False: {"zh": "否", "en": "no"}}
_UNKNOWN: Final[LocalText] = {"zh": "未知", "en": "not known"}
_NONE: Final[LocalText] = {"zh": "无", "en": "none"}

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "always": "每张工单",
        "when": "当{condition}时",
        "add": "{prefix}，计 {value}",
        "per_unit": "{prefix}，按{unit}每单位计 {value}",
        "per_unit_over": "{prefix}，{unit}超过 {over} 的部分每单位计 {value}",
        "items": "{prefix}，{unit}逐项按数量乘单价计",
        "items_times": "{prefix}，{unit}逐项按数量乘单价的 {value} 倍计",
        "multiply": "{prefix}，{base}乘以系数 {value}，本行计增加的部分",
        "multiply_fact": "{prefix}，{base}乘以{unit}，本行计增加的部分",
        "percent": "{prefix}，按{base}的 {value}% 计",
        "cap": "{prefix}，{base}合计不超过 {value}",
        "floor": "{prefix}，{base}合计不低于 {value}",
        "tier": "{prefix}，按{unit}分档计：{bands}",
        "band": "{lower} 至 {upper}（不含）计 {value}",
        "last_band": "{lower} 起计 {value}",
        "window": "；只计现场当地时间 {opens}–{closes} 内的时长占比",
        "and": "、",
        "bands": "；",
        "list": "、",
        "card": "费率卡“{card}”（按{keys}）所列金额",
        "down": "，舍去不足一分的部分",
        "up": "，不足一分的按一分计",
        "end": "。",
    },
    "en": {
        "always": "For every ticket",
        "when": "When {condition}",
        "add": "{prefix}, {value} is paid",
        "per_unit": "{prefix}, {value} is paid per unit of {unit}",
        "per_unit_over": "{prefix}, {value} is paid per unit of {unit} beyond {over}",
        "items": "{prefix}, each of the {unit} is paid at quantity times unit price",
        "items_times": "{prefix}, each of the {unit} is paid at {value} times quantity times unit price",
        "multiply": "{prefix}, {base} is multiplied by {value}; this line is the increase",
        "multiply_fact": "{prefix}, {base} is multiplied by the {unit}; this line is the increase",
        "percent": "{prefix}, {value}% of {base} is paid",
        "cap": "{prefix}, {base} together is at most {value}",
        "floor": "{prefix}, {base} together is at least {value}",
        "tier": "{prefix}, the {unit} decides: {bands}",
        "band": "from {lower} to below {upper}: {value}",
        "last_band": "from {lower}: {value}",
        "window": ", for the share of the work done between {opens} and {closes} local time",
        "and": " + ",
        "bands": "; ",
        "list": ", ",
        "card": "the amount on the rate card “{card}” (by {keys})",
        "down": ", rounded down",
        "up": ", rounded up",
        "end": ".",
    },
}


def sentences(rule: Rule, currency: str, card: RateCard | None = None) -> LocalText:
    """What a rule says, in each language; a complete sentence."""
    return {locale: _sentence(rule, currency, card, locale) for locale in LOCALES}


def fact_label(key: str) -> LocalText:
    return _FACTS.get(key, dict.fromkeys(LOCALES, key))


def fact_value(key: str, value: object) -> LocalText:
    """The value of a frozen fact as a reader knows it."""
    if value is None:
        return _UNKNOWN
    if isinstance(value, bool):
        return _YES_NO[value]
    members = value if isinstance(value, list | tuple) else [value]
    if not members:
        return _NONE
    named = [FIELDS.get(f"{key}={member}", {}) for member in members]
    return {
        locale: _WORDS[locale]["list"].join(
            name.get(locale, _plain(member)) for name, member in zip(named, members, strict=True)
        )
        for locale in LOCALES
    }


def _plain(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def _sentence(rule: Rule, currency: str, card: RateCard | None, locale: str) -> str:
    words = _WORDS[locale]
    amount = money_writer(currency)
    prefix = words["always"]
    condition = rule.condition
    if condition is not None:
        prefix = words["when"].format(condition=condition_sentences.sentence(condition, FIELDS, locale))
    said = words[_pattern(rule)].format(
        prefix=prefix,
        value=_value(rule, card, words, amount, locale),
        unit="" if rule.unit is None else UNITS[rule.unit][locale],
        over=plain(rule.over),
        base=words["and"].join(DIMENSIONS[dimension][locale] for dimension in rule.applies_to),
        bands=words["bands"].join(_bands(rule, words, amount)),
    )
    if rule.window is not None:
        said += words["window"].format(
            opens=f"{rule.window.opens:%H:%M}", closes=f"{rule.window.closes:%H:%M}"
        )
    if rule.rounding is not Rounding.HALF_UP:
        said += words[rule.rounding.value]
    return said + words["end"]


def _value(
    rule: Rule, card: RateCard | None, words: Mapping[str, str], amount: Callable[[Decimal], str], locale: str
) -> str:
    if card is None:
        return plain(rule.value) if _is_ratio(rule) else amount(rule.value)
    keys = words["and"].join(fact_label(key)[locale] for key in card.keys)
    return words["card"].format(card=card.name[locale], keys=keys)


def _pattern(rule: Rule) -> str:
    if rule.op is Op.PER_UNIT and rule.unit in ITEM_UNITS:
        return "items" if rule.value == 1 else "items_times"
    if rule.op is Op.PER_UNIT and rule.over:
        return "per_unit_over"
    if rule.op is Op.MULTIPLY and rule.unit is not None:
        return "multiply_fact"
    return rule.op.value


def _is_ratio(rule: Rule) -> bool:
    return rule.op in {Op.MULTIPLY, Op.PERCENT} or rule.unit in ITEM_UNITS


def _bands(rule: Rule, words: Mapping[str, str], amount: Callable[[Decimal], str]) -> list[str]:
    return [
        words["last_band"].format(lower=plain(band.lower), value=amount(band.value))
        if band.upper is None
        else words["band"].format(lower=plain(band.lower), upper=plain(band.upper), value=amount(band.value))
        for band in rule.bands
    ]


@lru_cache(maxsize=64)
def money_writer(currency: str) -> Callable[[Decimal | int], str]:
    """Writes amounts in minor units as major ones with the places of the currency, more if needed."""
    places = get_currency_precision(currency)
    shift = -places

    def write(minor: Decimal | int) -> str:
        if isinstance(minor, int):
            sign, minor = ("−", -minor) if minor < 0 else ("", minor)
            if not places:
                return f"{sign}{minor}"
            whole, rest = divmod(minor, 10**places)
            return f"{sign}{whole}.{rest:0{places}d}"
        major = plain(minor.scaleb(shift))
        whole_text, _, rest_text = major.partition(".")
        text = f"{whole_text}.{rest_text:0<{places}}" if places or rest_text else whole_text
        return text.replace("-", "−")

    return write
