"""How a rated amount came about, as a tree: every node of it has a path that people can point at.

    total
      line/2                        an amount of the rating, by its position
        line/2/formula              the formula with its numbers
        line/2/rule                 the sentence of the rule, and the version it stands in
        line/2/fact/distance_km     a fact the rule looked at
      rule/night_bonus              a rule that brought nothing, and why
      fact/started_at               a frozen fact, whether a rule looked at it or not

A line that builds on others refers to them by their positions, so each line stands in the tree once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.settlement.reads import FactView, LineView, RatingView

TOTAL: Final = "total"
_TOTAL_NAME: Final[LocalText] = {"zh": "合计金额", "en": "total"}
_FORMULA: Final[LocalText] = {"zh": "计算公式", "en": "formula"}
_RULE: Final[LocalText] = {"zh": "规则", "en": "rule"}


class NodeKind(StrEnum):
    TOTAL = "total"
    LINE = "line"
    FORMULA = "formula"
    RULE = "rule"
    FACT = "fact"


@dataclass(frozen=True, slots=True)
class Node:
    """`position` is that of the line the node belongs to, `key` the code of a rule or the key of a fact."""

    path: str
    kind: NodeKind
    name: LocalText
    position: int | None = None
    key: str = ""


def line_path(position: int, part: str = "", key: str = "") -> str:
    return "/".join(each for each in ("line", str(position), part, key) if each)


def rule_path(code: str) -> str:
    return f"rule/{code}"


def fact_path(key: str) -> str:
    return f"fact/{key}"


def nodes(rating: RatingView) -> Mapping[str, Node]:
    """Every node of a rating's tree by its path, from the total down."""
    found = [Node(TOTAL, NodeKind.TOTAL, _TOTAL_NAME)]
    for line in rating.lines:
        found += _of_line(line)
    found += [
        Node(rule_path(each.code), NodeKind.RULE, each.name, key=each.code) for each in rating.passed_over
    ]
    found += [_fact(fact_path(fact.key), fact, None) for fact in rating.facts]
    return {node.path: node for node in found}


def _of_line(line: LineView) -> Sequence[Node]:
    at, name = line.position, line.dimension_name
    return [
        Node(line_path(at), NodeKind.LINE, _joined(name, line.rule_name), at, line.rule_code),
        Node(line_path(at, "formula"), NodeKind.FORMULA, _joined(name, _FORMULA), at, line.rule_code),
        Node(line_path(at, "rule"), NodeKind.RULE, _joined(name, _RULE), at, line.rule_code),
        *(_fact(line_path(at, "fact", fact.key), fact, line) for fact in line.facts),
    ]


def _fact(path: str, fact: FactView, line: LineView | None) -> Node:
    if line is None:
        return Node(path, NodeKind.FACT, fact.label, key=fact.key)
    return Node(path, NodeKind.FACT, _joined(line.dimension_name, fact.label), line.position, fact.key)


def _joined(first: LocalText, second: LocalText) -> LocalText:
    return {locale: f"{first[locale]} · {second[locale]}" for locale in LOCALES}
