"""A rule set's document changed part by part, and two of them side by side."""

from typing import Any

import pytest

from tests.builders.settlement import STANDARD, make_rule, when
from tests.unit.settlement.test_shadow import with_height_at
from ticket_console.kernel.errors import FieldProblem
from ticket_console.settlement.comparing import PartKind, Turn, compare_rules
from ticket_console.settlement.rule_editing import (
    NoSuchRule,
    RuleCodeTaken,
    problems_of_card,
    problems_of_rule,
    with_card,
    with_rule,
    with_rules,
    with_shares,
    with_value,
    without_card,
    without_rule,
)
from ticket_console.settlement.rule_parsing import BadRules, parse_rules

DOCUMENT = STANDARD.to_json()
CARD = {
    "code": "labour",
    "name": {"zh": "工费", "en": "Labour"},
    "keys": ["region_code", "service_type"],
    "entries": [["BJ", "install", "12000"], ["SH", "install", "11000"]],
    "otherwise": None,
}


def codes(document: Any) -> list[str]:
    return [rule["code"] for rule in document["rules"]]


def test_a_new_rule_is_put_in_and_the_document_it_came_from_stays() -> None:
    changed = with_rule(make_rule("extra"))(DOCUMENT)

    assert codes(changed) == [*codes(DOCUMENT), "extra"]
    assert "extra" not in codes(DOCUMENT)


def test_a_rule_takes_the_place_of_the_one_it_was_also_under_another_code() -> None:
    renamed = with_rule(make_rule("base.fitting"), was="base.install")(DOCUMENT)

    assert codes(renamed) == ["base.fitting", *codes(DOCUMENT)[1:]]


def test_a_code_that_is_taken_is_refused_and_so_is_a_rule_that_is_gone() -> None:
    for edit in (
        with_rule(make_rule("base.repair")),
        with_rule(make_rule("base.repair"), was="base.install"),
        with_rules(make_rule("one"), make_rule("one")),
    ):
        with pytest.raises(RuleCodeTaken):
            edit(DOCUMENT)
    for edit in (
        with_rule(make_rule("x"), was="gone"),
        without_rule("gone"),
        without_card("gone"),
        with_value("gone", "1"),
    ):
        with pytest.raises(NoSuchRule):
            edit(DOCUMENT)


def test_a_problem_of_the_whole_set_is_shown_at_the_field_of_the_rule_that_is_edited() -> None:
    wrong = make_rule("odd", value="Infinity", when=when("kindness", "=", "much"))
    document = with_rule(wrong)(DOCUMENT)
    with pytest.raises(BadRules) as refused:
        parse_rules(document)

    found = problems_of_rule(refused.value.problems, document, "odd")

    assert [(each.path, each.code) for each in found] == [
        ("when.rules[0].field", "condition.unknown_field"),
        ("value", "settlement.rules.not_finite"),
    ]
    # Seen from another rule they are problems of the set.
    assert {each.path for each in problems_of_rule(refused.value.problems, document, "base.other")} == {""}


def test_a_problem_of_a_card_is_shown_at_its_cell() -> None:
    document = with_card({**CARD, "entries": [["BJ", "install", "a lot"]]})(DOCUMENT)
    with pytest.raises(BadRules) as refused:
        parse_rules(document)

    assert problems_of_card(refused.value.problems, document, "labour") == (
        FieldProblem("entries[0]", "settlement.rules.not_a_number", {}),
    )


def test_a_draft_is_compared_rule_by_rule() -> None:
    document = without_rule("parts.cost")(
        with_rule(make_rule("extra", order=17))(with_height_at("1.25").to_json())
    )

    found = compare_rules(STANDARD, parse_rules(document))

    assert [(change.turn, change.code, change.parts) for change in found] == [
        (Turn.ADDED, "extra", ()),
        (Turn.CHANGED, "hazard.height", ("value",)),
        (Turn.REMOVED, "parts.cost", ()),
    ]
    height = found[1]
    assert height.before is not None
    assert "1.2;" in height.before["en"]
    assert height.after is not None
    assert "1.25;" in height.after["en"]


def test_a_card_is_compared_cell_by_cell() -> None:
    before = parse_rules(with_card(CARD)(DOCUMENT))
    dearer = {**CARD, "entries": [["BJ", "install", "12500"], ["GZ", "install", "9000"]]}
    after = parse_rules(with_card(dearer, was="labour")(before.to_json()))

    assert [(each.turn, each.kind, each.parts) for each in compare_rules(before, after)] == [
        (Turn.CHANGED, PartKind.CARD, ("BJ / install", "GZ / install", "SH / install"))
    ]
    assert [each.turn for each in compare_rules(STANDARD, before)] == [Turn.ADDED]
    assert [each.turn for each in compare_rules(before, STANDARD)] == [Turn.REMOVED]


def test_a_rule_set_differs_from_itself_in_nothing() -> None:
    assert compare_rules(STANDARD, parse_rules(DOCUMENT)) == ()


def test_shares_are_written_anew_and_have_to_add_up() -> None:  # STL-14
    split = {"name": {"zh": "平台费", "en": "Fee"}, "shares": {"vendor": "92", "company": "8"}, "when": None}
    document = {**DOCUMENT, "splits": [split]}

    changed = with_shares(0, {"vendor": "90", "company": "10"})(document)

    assert changed["splits"][0] == {**split, "shares": {"vendor": "90", "company": "10"}}
    assert [each.kind for each in compare_rules(parse_rules(document), parse_rules(changed))] == [
        PartKind.SPLITS
    ]
    with pytest.raises(BadRules):
        parse_rules(with_shares(0, {"vendor": "90", "company": "11"})(document))
    for place in (-1, 1):
        with pytest.raises(NoSuchRule):
            with_shares(place, {"company": "100"})(document)
