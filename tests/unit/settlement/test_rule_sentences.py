"""A rule beside tickets: three it changes, two it only just misses."""

from decimal import Decimal
from typing import Any

from tests.builders.settlement import STANDARD, make_facts, make_rule, make_rules
from tests.unit.settlement.test_shadow import with_height_at
from ticket_console.settlement.facts import Facts, Hazard, Urgency
from ticket_console.settlement.kinds import Side
from ticket_console.settlement.rule_editing import with_value
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.sentences import ChangedTicket, Examples, Missed, examples

HEIGHT = (Hazard("height"),)


def ticket(number: int, **changes: Any) -> Facts:
    return make_facts(ticket_id=number, no=f"T-{number}", **changes)


def shown(rules: RuleSet, code: str, tickets: list[Facts], live: RuleSet | None = None) -> Examples:
    return examples(rules, code, tickets, live=live, side=Side.WORKER)


def test_a_rule_changed_in_a_draft_is_shown_against_the_one_in_force() -> None:  # STL-08, moonshot 15
    seen = shown(with_height_at("1.25"), "hazard.height", [ticket(1, hazards=HEIGHT), ticket(2)], STANDARD)

    assert seen.against_live
    assert (seen.looked_at, seen.reached) == (2, 1)
    assert seen.changed == (ChangedTicket(1, "T-1", 12_000, 12_500, ("100.00 × (1.25 − 1) = 25.00",)),)


def test_a_rule_that_is_as_in_force_is_shown_against_there_being_none() -> None:
    seen = shown(STANDARD, "hazard.height", [ticket(1, hazards=HEIGHT)], STANDARD)

    assert not seen.against_live
    assert [(each.before_minor, each.after_minor) for each in seen.changed] == [(10_000, 12_000)]


def test_what_else_the_draft_changes_plays_no_part() -> None:
    document = with_height_at("1.25").to_json()
    dearer = parse_rules(with_value("base.install", "99900")(document))

    seen = shown(dearer, "hazard.height", [ticket(1, hazards=HEIGHT)], STANDARD)

    assert [(each.before_minor, each.after_minor) for each in seen.changed] == [(119_880, 124_875)]


def test_three_tickets_with_figures_of_their_own_come_before_repetitions() -> None:
    tickets = [
        *(ticket(number, hazards=HEIGHT) for number in range(1, 5)),
        ticket(5, hazards=HEIGHT, difficulty=Decimal(2)),
        ticket(6, hazards=HEIGHT, service_type="repair"),
    ]

    seen = shown(STANDARD, "hazard.height", tickets)

    assert [each.ticket_no for each in seen.changed] == ["T-1", "T-5", "T-6"]
    assert (seen.looked_at, seen.reached) == (6, 6)


def test_a_near_miss_says_what_is_missing_and_what_the_ticket_says_instead() -> None:  # moonshot 15
    both = {
        "combinator": "and",
        "rules": [
            {"field": "hazards", "operator": "contains", "value": "height"},
            {"field": "urgency", "operator": "=", "value": "urgent"},
        ],
    }
    rules = make_rules(
        make_rule("base"),
        make_rule(
            "high",
            dimension="hazard",
            op="percent",
            value="5",
            applies_to=["base_labour"],
            order=20,
            when=both,
        ),
    )
    tickets = [ticket(1), ticket(2, urgency=Urgency.URGENT), ticket(3, hazards=HEIGHT)]

    near = shown(rules, "high", tickets).near

    assert [(miss.ticket_no, miss.why, len(miss.unmet)) for miss in near] == [
        ("T-2", Missed.CONDITION, 1),
        ("T-3", Missed.CONDITION, 1),
    ]
    assert near[1].unmet[0].said == {"zh": "紧急程度为“加急”", "en": "urgency is “urgent”"}
    assert near[1].unmet[0].fact == {"zh": "普通", "en": "normal"}


def test_of_alternatives_the_closest_one_is_missing_and_a_negation_counts_the_other_way() -> None:
    tree = {
        "combinator": "and",
        "not": True,
        "rules": [
            {"field": "vip", "operator": "=", "value": True},
            {"field": "urgency", "operator": "=", "value": "normal"},
        ],
    }
    rules = make_rules(
        make_rule("base"), make_rule("odd", dimension="service_tier", value="100", order=20, when=tree)
    )

    near = shown(rules, "odd", [ticket(1, vip=True)]).near

    assert [part.said["en"] for part in near[0].unmet] == ["VIP customer is yes"]


def test_a_rule_that_comes_to_nothing_or_stands_back_in_its_group_misses_nearly() -> None:
    near = shown(STANDARD, "travel.distance", [ticket(1, distance_km=Decimal(8))]).near
    assert [miss.why for miss in near] == [Missed.NOTHING]

    near = shown(STANDARD, "base.other", [ticket(1)]).near
    assert [miss.why for miss in near] == [Missed.GROUP]


def test_without_tickets_there_are_no_examples() -> None:
    assert shown(STANDARD, "hazard.height", []) == Examples(0, 0, False, (), ())


def test_a_condition_that_is_far_off_is_no_near_miss() -> None:
    three = {
        "combinator": "and",
        "rules": [
            {"field": "vip", "operator": "=", "value": True},
            {"field": "urgency", "operator": "=", "value": "urgent"},
            {"field": "service_type", "operator": "=", "value": "repair"},
        ],
    }
    rules = make_rules(make_rule("base"), make_rule("far", dimension="service_tier", order=20, when=three))

    assert shown(rules, "far", [ticket(1)]).near == ()
