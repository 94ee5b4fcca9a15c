"""Conditions in words: natural in both languages, and never to be misread."""

from typing import Any

import pytest

from ticket_console.kernel.condition_sentences import WORDS, sentence
from ticket_console.kernel.conditions import OPERATORS


def rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def group(combinator: str, *rules: dict[str, Any], negated: bool = False) -> dict[str, Any]:
    return {"combinator": combinator, "not": negated, "rules": list(rules)}


LABELS = {
    "urgency": {"zh": "紧急程度", "en": "Urgency"},
    "urgency=emergency": {"zh": "特急", "en": "Emergency"},
    "urgency=urgent": {"zh": "紧急", "en": "Urgent"},
    "amount": {"zh": "报价", "en": "Quote"},
    "vip": {"zh": "重要客户", "en": "VIP customer"},
    "day": {"zh": "预约日期", "en": "Visit date"},
    "at": {"zh": "报修时间", "en": "Reported"},
    "faults": {"zh": "故障", "en": "Faults"},
    "faults=leak": {"zh": "漏水", "en": "Leak"},
    "note": {"zh": "备注", "en": "Note"},
}
KINDS = {
    "urgency": "choice",
    "amount": "money",
    "vip": "yes_no",
    "day": "date",
    "at": "datetime",
    "faults": "multi_choice",
}
URGENT = rule("urgency", "in", ["urgent", "emergency"])
DEAR = rule("amount", ">=", "12000")
VIP = rule("vip", "=", True)
SOON = rule("day", "<", "2026-12-01")


@pytest.mark.parametrize(
    ("tree", "zh", "en"),
    [
        (URGENT, "紧急程度是“紧急”或“特急”", "Urgency is “Urgent” or “Emergency”"),
        (DEAR, "报价不少于12,000.00", "Quote is at least 12,000.00"),
        (VIP, "重要客户为“是”", "VIP customer is yes"),
        (SOON, "预约日期早于2026年12月1日", "Visit date is before 1 December 2026"),
        (
            rule("at", ">", "2026-12-01T08:30:00.000000Z"),
            "报修时间晚于2026年12月1日 08:30（UTC）",
            "Reported is after 1 December 2026, 08:30 (UTC)",
        ),
        (rule("faults", "contains", "leak"), "故障包含“漏水”", "Faults includes “Leak”"),
        (rule("note", "contains", "{low}"), "备注包含“{low}”", "Note contains “{low}”"),
        (
            rule("amount", "between", "100,500.5"),
            "报价在100.00到500.50之间",
            "Quote is between 100.00 and 500.50",
        ),
        (
            group("and", VIP, DEAR, SOON),
            "重要客户为“是”，报价不少于12,000.00，并且预约日期早于2026年12月1日",
            "VIP customer is yes, Quote is at least 12,000.00 and Visit date is before 1 December 2026",
        ),
        (
            group("and", VIP, group("or", DEAR, SOON)),
            "重要客户为“是”，并且（报价不少于12,000.00，或者预约日期早于2026年12月1日）",
            "VIP customer is yes and either Quote is at least 12,000.00"
            " or Visit date is before 1 December 2026",
        ),
        (
            group("and", group("or", DEAR, SOON), VIP),
            "（报价不少于12,000.00，或者预约日期早于2026年12月1日），并且重要客户为“是”",
            "(Quote is at least 12,000.00 or Visit date is before 1 December 2026) and VIP customer is yes",
        ),
        (
            group("or", VIP, group("and", DEAR, group("or", SOON, rule("note", "null")))),
            "重要客户为“是”，或者（报价不少于12,000.00，并且（预约日期早于2026年12月1日，或者备注未填写））",
            "VIP customer is yes or (Quote is at least 12,000.00"
            " and either Visit date is before 1 December 2026 or Note is empty)",
        ),
        (group("and", group("and", VIP)), "重要客户为“是”", "VIP customer is yes"),
        (group("and", VIP, negated=True), "并非重要客户为“是”", "it is not true that VIP customer is yes"),
        (
            group("and", SOON, group("or", VIP, DEAR, negated=True)),
            "预约日期早于2026年12月1日，并且并非（重要客户为“是”，或者报价不少于12,000.00）",
            "Visit date is before 1 December 2026 and it is not true that (VIP customer is yes"
            " or Quote is at least 12,000.00)",
        ),
        (rule("note", "=", ""), "备注为…", "Note is …"),
        (rule("", "=", None), "…为…", "… is …"),
    ],
)
def test_a_condition_reads_as_one_sentence(tree: dict[str, Any], zh: str, en: str) -> None:  # FLW-21
    assert sentence(tree, LABELS, "zh", KINDS) == zh
    assert sentence(tree, LABELS, "en", KINDS) == en


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("kind", ["text", "number", "datetime", "multi_choice"])
def test_every_operator_has_words_of_its_own(locale: str, kind: str) -> None:
    said = {sentence(rule("x", operator, "1,2"), {}, locale, {"x": kind}) for operator in OPERATORS}

    assert len(said) == len(OPERATORS)
    assert all("{" not in text for text in said)


def test_both_languages_have_the_same_words() -> None:
    by_operator = {locale: {key for key in words if ":" not in key} for locale, words in WORDS.items()}

    assert by_operator["en"] - by_operator["zh"] == {"months"}
    assert by_operator["zh"] <= by_operator["en"]


@pytest.mark.parametrize(
    ("zone", "zh", "en"),
    [
        ("Asia/Shanghai", "2026年12月2日 01:30（Asia/Shanghai）", "2 December 2026, 01:30 (Asia/Shanghai)"),
        (
            "America/New_York",
            "2026年12月1日 12:30（America/New_York）",
            "1 December 2026, 12:30 (America/New_York)",
        ),
    ],
)
def test_an_instant_is_read_on_the_clock_of_its_reader(zone: str, zh: str, en: str) -> None:  # FLW-21
    late = rule("at", ">", "2026-12-01T17:30:00.000000Z")

    assert sentence(late, LABELS, "zh", KINDS, zone) == f"报修时间晚于{zh}"
    assert sentence(late, LABELS, "en", KINDS, zone) == f"Reported is after {en}"
