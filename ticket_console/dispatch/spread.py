"""How unequally work lies on people."""

from collections.abc import Iterable


def gini_bp(figures: Iterable[int]) -> int:
    """How unequal figures are, in basis points: 0 where all are alike, near 10,000 where one has all."""
    ordered = sorted(figures)
    total, count = sum(ordered), len(ordered)
    if not total:
        return 0
    weighed = sum(rank * figure for rank, figure in enumerate(ordered, start=1))
    return (2 * weighed - (count + 1) * total) * 10_000 // (count * total)
