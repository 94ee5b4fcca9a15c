"""Conditions in words, in both languages.

The browser says the same while somebody is still writing the condition
(`components/condition_sentence.js`), from the same table of words; a test holds the two together.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from ticket_console.kernel.conditions import operand_list, plain_number
from ticket_console.kernel.text import LocalText, pick

# How facts of a kind are spoken of; a kind that is not named here is spoken of as text.
SPOKEN_AS: Final = {
    "number": "number",
    "money": "number",
    "rating": "number",
    "duration": "number",
    "formula": "number",
    "date": "time",
    "datetime": "time",
    "multi_choice": "list",
    "checklist": "list",
    "yes_no": "flag",
}

# An operator's words may be narrowed to what is spoken of: "<:time" before "<".
WORDS: Final[dict[str, dict[str, str]]] = {
    "zh": {
        "=": "{field}为{value}",
        "=:number": "{field}等于{value}",
        "=:list": "{field}只有{value}",
        "!=": "{field}不是{value}",
        "!=:number": "{field}不等于{value}",
        "!=:list": "{field}不只有{value}",
        "<": "{field}小于{value}",
        "<:time": "{field}早于{value}",
        "<=": "{field}不超过{value}",
        "<=:time": "{field}不晚于{value}",
        ">": "{field}大于{value}",
        ">:time": "{field}晚于{value}",
        ">=": "{field}不少于{value}",
        ">=:time": "{field}不早于{value}",
        "in": "{field}是{value}",
        "in:list": "{field}含有{value}",
        "notIn": "{field}不是{value}中的任何一个",
        "notIn:list": "{field}不含{value}中的任何一个",
        "between": "{field}在{low}到{high}之间",
        "contains": "{field}包含{value}",
        "null": "{field}未填写",
        "notNull": "{field}已填写",
        "and": "，",
        "and_last": "，并且",
        "or": "，",
        "or_last": "，或者",
        "either": "（{group}）",
        "both": "（{group}）",
        "group": "（{group}）",
        "not": "并非{group}",
        "not_group": "并非（{group}）",
        "list": "、",
        "list_last": "或",
        "quoted": "“{text}”",
        "true": "“是”",
        "false": "“否”",
        "nothing": "…",
        "date": "{year}年{month}月{day}日",
        "datetime": "{date} {time}（{zone}）",
    },
    "en": {
        "=": "{field} is {value}",
        "=:list": "{field} is only {value}",
        "!=": "{field} is not {value}",
        "!=:list": "{field} is not only {value}",
        "<": "{field} is less than {value}",
        "<:time": "{field} is before {value}",
        "<=": "{field} is at most {value}",
        "<=:time": "{field} is no later than {value}",
        ">": "{field} is more than {value}",
        ">:time": "{field} is after {value}",
        ">=": "{field} is at least {value}",
        ">=:time": "{field} is no earlier than {value}",
        "in": "{field} is {value}",
        "in:list": "{field} includes {value}",
        "notIn": "{field} is none of {value}",
        "notIn:list": "{field} includes none of {value}",
        "between": "{field} is between {low} and {high}",
        "contains": "{field} contains {value}",
        "contains:list": "{field} includes {value}",
        "null": "{field} is empty",
        "notNull": "{field} is filled in",
        "and": ", ",
        "and_last": " and ",
        "or": ", ",
        "or_last": " or ",
        "either": "either {group}",
        "both": "both {group}",
        "group": "({group})",
        "not": "it is not true that {group}",
        "not_group": "it is not true that ({group})",
        "list": ", ",
        "list_last": " or ",
        "quoted": "“{text}”",
        "true": "yes",
        "false": "no",
        "nothing": "…",
        "date": "{day} {month} {year}",
        "datetime": "{date}, {time} ({zone})",
        "months": "January February March April May June July August September October November December",
    },
}

_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_INSTANT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]+)?Z")
_LISTED: Final = frozenset({"in", "notIn", "between"})


def sentence(
    tree: Mapping[str, object],
    labels: Mapping[str, LocalText],
    locale: str,
    kinds: Mapping[str, str] | None = None,
    zone: str = "UTC",
) -> str:
    """A condition in words; what is still missing in it reads as "…".

    `labels` names fields by their key and, where a value has a name of its own, values by "field=value";
    `kinds` are the kinds of the fields, so that a date is before and not less than another. `zone` is where
    the clock hangs on which instants are read.
    """
    said = _Speaker(labels, kinds or {}, locale, WORDS.get(locale, WORDS["en"]), zone)
    return said.group(tree) if "rules" in tree else said.rule(tree)


class _Speaker:
    def __init__(
        self,
        labels: Mapping[str, LocalText],
        kinds: Mapping[str, str],
        locale: str,
        words: Mapping[str, str],
        zone: str,
    ) -> None:
        self._labels = labels
        self._kinds = kinds
        self._locale = locale
        self._words = words
        self._zone = zone

    def group(self, tree: Mapping[str, object]) -> str:
        parts = _parts(tree)
        joiner = "or" if tree.get("combinator") == "or" else "and"
        last = len(parts) - 1
        said = [
            self._inside(part, is_last=index == last, alone=last == 0) for index, part in enumerate(parts)
        ]
        text = self._joined(said, joiner)
        if tree.get("not") is not True:
            return text
        return self._words["not" if len(said) == 1 else "not_group"].replace("{group}", text)

    def _inside(self, part: Mapping[str, object], *, is_last: bool, alone: bool) -> str:
        if "rules" not in part:
            return self.rule(part)
        text = self.group(part)
        parts = _parts(part)
        if alone or len(parts) < 2 or part.get("not") is True:
            return text
        # Only what ends the sentence can do without brackets and still be understood.
        plain = is_last and not any("rules" in each for each in parts)
        form = ("either" if part.get("combinator") == "or" else "both") if plain else "group"
        return self._words[form].replace("{group}", text)

    def _joined(self, said: Sequence[str], joiner: str) -> str:
        if len(said) < 2:
            return "".join(said)
        return self._words[joiner].join(said[:-1]) + self._words[f"{joiner}_last"] + said[-1]

    def rule(self, rule: Mapping[str, object]) -> str:
        field, operator = str(rule.get("field") or ""), str(rule.get("operator") or "=")
        kind = self._kinds.get(field, "text")
        value = rule.get("value")
        operands = operand_list(value) if operator in _LISTED else [value]
        named = [self._value(field, kind, each) for each in operands] or [self._words["nothing"]]
        spoken = f"{operator}:{SPOKEN_AS.get(kind, 'text')}"
        pattern = self._words.get(spoken) or self._words.get(operator) or "{field} " + operator + " {value}"
        parts = {
            "field": pick(self._labels.get(field), self._locale) or field or self._words["nothing"],
            "value": self._joined(named, "list"),
            "low": named[0],
            "high": named[1] if len(named) > 1 else self._words["nothing"],
        }
        return re.sub(r"\{(field|value|low|high)\}", lambda found: parts[found[1]], pattern)

    def _value(self, field: str, kind: str, value: object) -> str:
        if value is None or value == "":
            return self._words["nothing"]
        if isinstance(value, bool) or (kind == "yes_no" and value in ("true", "false")):
            return self._words[str(value).lower()]
        if label := pick(self._labels.get(f"{field}={value}"), self._locale):
            return self._quoted(label)
        if plain_number(value) is not None:
            return _grouped(str(value)) if kind == "money" else str(value)
        text = str(value)
        return self._instant(text) or self._date(text) or self._quoted(text)

    def _instant(self, text: str) -> str | None:
        if not _INSTANT.fullmatch(text):
            return None
        try:
            at = (
                datetime.fromisoformat(f"{text[:16]}:00").replace(tzinfo=UTC).astimezone(ZoneInfo(self._zone))
            )
        except (ValueError, OverflowError):
            return None
        said = self._words["datetime"].replace("{date}", self._date(at.date().isoformat()) or "")
        return said.replace("{time}", at.strftime("%H:%M")).replace("{zone}", self._zone)

    def _date(self, text: str) -> str | None:
        found = _DATE.fullmatch(text)
        if found is None or not 1 <= int(found[2]) <= 12:
            return None
        months = self._words.get("months", "").split()
        month = months[int(found[2]) - 1] if months else str(int(found[2]))
        pattern = self._words["date"].replace("{year}", found[1]).replace("{month}", month)
        return pattern.replace("{day}", str(int(found[3])))

    def _quoted(self, text: str) -> str:
        return self._words["quoted"].replace("{text}", text)


def _parts(tree: Mapping[str, object]) -> list[Mapping[str, object]]:
    rules = tree.get("rules")
    return [rule for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list | tuple) else []


def _grouped(number: str) -> str:
    """An amount with its thousands apart and at least two decimals."""
    whole, _, behind = number.lstrip("-").partition(".")
    apart = re.sub(r"(?<=[0-9])(?=([0-9]{3})+$)", ",", whole)
    return f"{'-' if number.startswith('-') else ''}{apart}.{behind.ljust(2, '0')}"
