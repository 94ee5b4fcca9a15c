"""Three service classes by three urgencies: every cell can be resolved, and says by which rules."""

from tests.builders.settlement import STANDARD, make_facts, make_rule, make_rules
from ticket_console.settlement.facts import ServiceClass, Urgency
from ticket_console.settlement.tier_grid import tier_grid


def test_all_nine_cells_pay_and_name_their_rules() -> None:  # STL-01
    cells = tier_grid(STANDARD, make_facts())

    assert [(cell.service_class, cell.urgency) for cell in cells] == [
        (service_class, urgency) for service_class in ServiceClass for urgency in Urgency
    ]
    # 100.00 of labour, times 1.3 or 1.5 for urgency, and a fifth of the labour for complex work; the day
    # is a Saturday, when an emergency call-out adds 50.00.
    assert [cell.total_minor for cell in cells] == [
        10_000, 13_000, 20_000,
        10_000, 13_000, 20_000,
        12_000, 15_000, 22_000,
    ]  # fmt: skip
    assert [line.rule_code for line in cells[8].lines] == [
        "base.install",
        "urgency.emergency",
        "urgency.weekend_emergency",
        "service_tier.complex",
    ]


def test_a_cell_also_names_rules_that_ask_for_something_more() -> None:  # STL-20
    complex_emergency = tier_grid(STANDARD, make_facts())[8]

    assert "difficulty.expert" in complex_emergency.special
    assert "urgency.fast_response" in complex_emergency.special
    assert "urgency.urgent" not in complex_emergency.special
    assert "base.install" not in complex_emergency.special


def test_negations_and_alternatives_are_followed() -> None:
    neither = {
        "combinator": "or",
        "not": True,
        "rules": [
            {"field": "service_class", "operator": "=", "value": "basic"},
            {"field": "vip", "operator": "=", "value": True},
        ],
    }
    rules = make_rules(make_rule("base"), make_rule("odd", dimension="service_tier", order=20, when=neither))

    cells = tier_grid(rules, make_facts())

    assert [cell.special for cell in cells] == [(), (), ()] + [("odd",)] * 6
