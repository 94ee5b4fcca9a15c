"""Money as integer minor units, with the one rounding and the one way to divide it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    currency: str


def round_half_up(amount: Decimal) -> int:
    """Round an amount in minor units to a whole one, halves away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def allocate(total_minor: int, weights: Sequence[Decimal]) -> tuple[int, ...]:
    """Divide a total so that the parts add up to it exactly (largest remainder, ties to the first).

    Raises ValueError when no weight is positive, or one is negative or no number.
    """
    if not all(weight.is_finite() and weight >= 0 for weight in weights) or not any(weights):
        raise ValueError("weights must be non-negative numbers and not all zero")
    # Fractions, because decimals round at 28 digits, and parts that are rounded up may exceed the total.
    exact = [Fraction(weight) for weight in weights]
    unit = abs(total_minor) / sum(exact)
    shares = [weight * unit for weight in exact]
    parts = [int(share) for share in shares]
    missing = abs(total_minor) - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - shares[index], index))
    for index in by_remainder[:missing]:
        parts[index] += 1
    sign = -1 if total_minor < 0 else 1
    return tuple(sign * part for part in parts)
